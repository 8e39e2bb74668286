//! TCAP, Q.773: the transaction, its dialogue portion and all of its components.
//!
//! ```text
//! 61 Unidirectional, 62 Begin, 64 End, 65 Continue, 67 Abort
//!   48 originating, 49 destination transaction · 4a P-Abort cause · 6b dialogue portion · 6c component portion
//!     a1 Invoke, a2 ReturnResultLast, a3 ReturnError, a4 Reject, a7 ReturnResultNotLast
//! ```
//!
//! What a strict decoder would refuse but some box on the way takes is read and remembered in [`Message::marks`]: a filter that
//! knows fewer spellings than the phones' network is one that is passed.
//!
//! ```
//! use protocols::tcap::{Component, Kind, Message, Opcode};
//! let begin = [0x62, 0x0e, 0x48, 1, 7, 0x6c, 9, 0xa1, 7, 2, 1, 1, 2, 2, 0, 0x2c];
//! let message = Message::parse(&begin).unwrap();
//! assert_eq!((message.kind, message.otid), (Kind::Begin, Some(&[7u8][..])));
//! let Component::Invoke(invoke) = message.components().next().unwrap().unwrap() else { panic!() };
//! assert_eq!((invoke.invoke_id, invoke.opcode), (1, Opcode::Local(44)));
//! ```

mod build;
mod component;
mod dialogue;
mod marks;

pub use build::{
    push_abort, push_begin, push_continue, push_dialogue_request, push_dialogue_response, push_end, push_invoke, push_map_open,
    push_result, push_return_error, push_unidirectional,
};
pub use component::{Component, Components, Invoke, Opcode, Problem, Reject, ReturnError, ReturnResult};
pub use dialogue::{ApplicationContext, Dialogue, DialoguePdu, MapDialogue};
pub use marks::{Mark, Marks};

use crate::ber::{self, Class, Form, Reader, Seen, Tlv};
use crate::error::{Error, Layer, Why};
use crate::span::within;

/// Message types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No transaction at all.
    Unidirectional,
    /// Opens one.
    Begin,
    /// Closes one, maybe with components.
    End,
    /// Goes on with one.
    Continue,
    /// Breaks one off.
    Abort,
}

impl Kind {
    /// The specification's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unidirectional => "Unidirectional",
            Self::Begin => "Begin",
            Self::End => "End",
            Self::Continue => "Continue",
            Self::Abort => "Abort",
        }
    }
}

/// One TCAP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Message type.
    pub kind: Kind,
    /// Originating transaction, of whatever length; [`Mark::LongTransaction`] if over the four octets of Q.773.
    pub otid: Option<&'a [u8]>,
    /// Destination transaction, alike.
    pub dtid: Option<&'a [u8]>,
    /// Why the transaction sublayer broke off.
    pub p_abort: Option<u8>,
    /// What is not as a strict encoder would have written it.
    pub marks: Marks,
    /// The application context, if a dialogue portion has one of MAP's arc.
    context: Option<ApplicationContext>,
    /// Contents of the dialogue portion that counts.
    portion: Option<&'a [u8]>,
    /// The whole message, by which errors of its components count their offsets.
    raw: &'a [u8],
    /// Contents of the first component portion.
    components: &'a [u8],
    /// What stands behind it, where further portions may be.
    behind: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads one message: everything but its components, which [`Message::components`] walks.
    ///
    /// Octets that are no TCAP of the ITU are [`Why::NotOurs`]. Behind the first component portion nothing is an error any more: it
    /// is a mark, since the components before it may well be acted upon.
    #[inline(always)]
    pub fn parse(data: &'a [u8]) -> Result<Self, Error> {
        match Self::usual(data) {
            Some(message) => Ok(message),
            None => Self::exact(data),
        }
    }

    /// The message as nearly every sender writes it: parts in the order of Q.773, shortest lengths, the usual dialogue portion or none.
    /// Any other is [`Message::exact`]'s.
    #[inline(always)]
    pub(crate) fn usual(data: &'a [u8]) -> Option<Self> {
        let (tag, mut rest, []) = ber::usual(data)? else { return None };
        let kind = match tag {
            0x62 => Kind::Begin,
            0x64 => Kind::End,
            0x65 => Kind::Continue,
            _ => return None,
        };
        let (mut otid, mut dtid, mut portion, mut context, mut components) = (None, None, None, None, &[][..]);
        if let [0x48, len @ 1..=4, behind @ ..] = rest {
            let (id, behind) = behind.split_at_checked(usize::from(*len))?;
            (otid, rest) = (Some(id), behind);
        }
        if let [0x49, len @ 1..=4, behind @ ..] = rest {
            let (id, behind) = behind.split_at_checked(usize::from(*len))?;
            (dtid, rest) = (Some(id), behind);
        }
        if let [0x6b, len @ 0..=0x7f, behind @ ..] = rest {
            let (content, behind) = behind.split_at_checked(usize::from(*len))?;
            context = Some(ApplicationContext::usual(content)?);
            (portion, rest) = (Some(content), behind);
        }
        if let Some((content, behind)) = ber::take(rest, 0x6c) {
            (components, rest) = (content, behind);
        }
        let marks = Marks::none();
        let message = Self { kind, otid, dtid, p_abort: None, marks, context, portion, raw: data, components, behind: &[] };
        rest.is_empty().then_some(message)
    }

    #[inline(never)]
    pub(crate) fn exact(data: &'a [u8]) -> Result<Self, Error> {
        let mut outer = Reader::new(data, Layer::Tcap);
        let kind = Self::kind(data)?;
        let element = outer.next().ok_or_else(|| Error::new(Layer::Tcap, 0, Why::truncated(2, 0)))??;
        let Some(kind) = kind.or_else(|| kind_of(element.number)) else {
            return Err(Error::new(Layer::Tcap, 0, Why::NotOurs("not a TCAP message")));
        };
        let mut message = Self {
            kind,
            otid: None,
            dtid: None,
            p_abort: None,
            context: None,
            portion: None,
            marks: Marks::seen(outer.seen()),
            raw: data,
            components: &[],
            behind: &[],
        };
        message.marks.set_if(Mark::Trailing, !outer.rest().is_empty());
        message.body(element.content)?;
        Ok(message)
    }

    /// The message type by its first octet: `None` where the tag is an extended one and must be read first.
    #[inline]
    fn kind(data: &[u8]) -> Result<Option<Kind>, Error> {
        let not_ours = |what| Err(Error::new(Layer::Tcap, 0, Why::NotOurs(what)));
        match data.first() {
            None => Err(Error::new(Layer::Tcap, 0, Why::truncated(2, 0))),
            Some(0x7f) => Ok(None),
            Some(tag @ 0x60..0x7f) if kind_of(u32::from(tag & 0x1f)).is_some() => Ok(kind_of(u32::from(tag & 0x1f))),
            Some(0xe1..=0xe6 | 0xf6) => not_ours("ANSI TCAP"),
            Some(_) => not_ours("not a TCAP message"),
        }
    }

    #[inline(always)]
    fn body(&mut self, body: &'a [u8]) -> Result<(), Error> {
        let mut reader = Reader::new(body, Layer::Tcap);
        let mut seen_components = false;
        while let Some(element) = reader.next() {
            let element = match element {
                Ok(element) => element,
                Err(_) if seen_components => {
                    self.marks.set(Mark::BrokenTail);
                    break;
                }
                Err(error) => return Err(error.moved(self.place(body))),
            };
            if element.class != Class::Application {
                self.marks.set(Mark::Unknown);
                continue;
            }
            match element.number {
                8 => self.transaction(&element, true),
                9 => self.transaction(&element, false),
                10 => self.p_abort = element.octet(),
                11 => {
                    self.marks.set_if(Mark::LateDialogue, seen_components);
                    self.portion(element.content);
                }
                12 if seen_components => self.marks.set(Mark::SecondComponents),
                12 => {
                    seen_components = true;
                    self.components = element.content;
                    self.behind = reader.rest();
                }
                _ => self.marks.set(Mark::Unknown),
            }
        }
        self.marks.merge(Marks::seen(reader.seen()));
        Ok(())
    }

    /// The first of repeated transaction ids counts, as it does for tshark; the second is marked.
    #[inline(always)]
    fn transaction(&mut self, element: &Tlv<'a>, originating: bool) {
        let slot = if originating { &mut self.otid } else { &mut self.dtid };
        let again = slot.is_some();
        slot.get_or_insert(element.content);
        self.marks.set_if(Mark::Repeated, again);
        self.marks.set_if(Mark::LongTransaction, element.content.len() > 4);
        self.marks.set_if(Mark::EmptyTransaction, element.content.is_empty());
    }

    #[inline(always)]
    fn portion(&mut self, content: &'a [u8]) {
        match ApplicationContext::usual(content) {
            Some(context) if self.portion.is_none() => {
                self.context = Some(context);
                self.portion = Some(content);
            }
            _ => self.unusual(content),
        }
    }

    #[inline(never)]
    fn unusual(&mut self, content: &'a [u8]) {
        let Some(dialogue) = Dialogue::parse(content) else {
            self.marks.set(Mark::UnreadDialogue);
            return;
        };
        self.marks.merge(dialogue.marks);
        self.marks.set_if(Mark::Repeated, self.portion.is_some());
        if self.portion.is_none() || self.context.is_none() && dialogue.application_context.is_some() {
            self.context = dialogue.application_context;
            self.portion = Some(content);
        }
    }

    /// All components of all component portions, in order. One that cannot be read does not hide those behind it.
    #[inline]
    pub const fn components(&self) -> Components<'a> {
        Components::new(self.raw, self.components, self.behind)
    }

    /// The application context, if the dialogue portion has one of MAP's arc.
    #[inline]
    pub const fn application_context(&self) -> Option<ApplicationContext> {
        self.context
    }

    /// The dialogue portion: the first one with an application context of MAP, else the first one that can be read.
    pub fn dialogue(&self) -> Option<Dialogue<'a>> {
        Dialogue::parse(self.portion?)
    }

    /// The destination reference of map-open: an AddressString. A dialogue portion of the usual form has none.
    pub fn destination_reference(&self) -> Option<&'a [u8]> {
        let portion = self.portion?;
        match ApplicationContext::usual(portion) {
            Some(_) => None,
            None => Dialogue::parse(portion)?.destination_reference,
        }
    }

    /// Whether everything but components was written as a strict encoder would.
    pub const fn canonical(&self) -> bool {
        self.marks.is_empty()
    }

    fn place(&self, inner: &[u8]) -> usize {
        within(self.raw, inner).map_or(0, |place| place.start)
    }
}

#[inline]
const fn kind_of(number: u32) -> Option<Kind> {
    match number {
        1 => Some(Kind::Unidirectional),
        2 => Some(Kind::Begin),
        4 => Some(Kind::End),
        5 => Some(Kind::Continue),
        7 => Some(Kind::Abort),
        _ => None,
    }
}

/// The forms that elements show.
impl Marks {
    #[inline]
    pub(crate) fn of(element: &Tlv<'_>) -> Self {
        Self::seen(Seen { not_minimal: !element.canonical, indefinite: element.form == Form::Indefinite })
    }

    /// The forms that a walk has met.
    #[inline]
    pub(crate) const fn seen(seen: Seen) -> Self {
        let mut marks = Self::none();
        marks.set_if(Mark::NotMinimal, seen.not_minimal);
        marks.set_if(Mark::Indefinite, seen.indefinite);
        marks
    }
}

#[cfg(test)]
mod tests;
