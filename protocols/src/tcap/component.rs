//! Components of Q.773: an operation asked for, its result, its error, or a refusal to look at it.

use core::fmt;

use super::{Mark, Marks};
use crate::ber::{self, Class, Reader, Tlv, universal};
use crate::error::{Error, Layer, Why};
use crate::span::within;

/// An operation's or error's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opcode<'a> {
    /// The operations of MAP and CAP.
    Local(i64),
    /// The octets of an object identifier. No network uses one for MAP, and so it is a way past a filter.
    Global(&'a [u8]),
}

impl fmt::Display for Opcode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(code) => write!(f, "{code}"),
            Self::Global(oid) => {
                f.write_str("global ")?;
                oid.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }
    }
}

/// An operation asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invoke<'a> {
    /// Which of this side's open invocations it is.
    pub invoke_id: i64,
    /// The invocation that this one belongs to.
    pub linked_id: Option<i64>,
    /// The operation.
    pub opcode: Opcode<'a>,
    /// Its argument, if it has one.
    pub argument: Option<Tlv<'a>>,
    /// What is not as a strict encoder would have written it.
    pub marks: Marks,
}

/// A result, or a piece of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnResult<'a> {
    /// The invocation that it answers.
    pub invoke_id: i64,
    /// No more of it follows.
    pub last: bool,
    /// The operation, where the result has a parameter.
    pub opcode: Option<Opcode<'a>>,
    /// The parameter.
    pub parameter: Option<Tlv<'a>>,
}

/// The operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReturnError<'a> {
    /// The invocation that it answers.
    pub invoke_id: i64,
    /// Which error: see [`crate::map::error_name`].
    pub code: Opcode<'a>,
    /// The error's parameter.
    pub parameter: Option<Tlv<'a>>,
}

/// What was wrong with a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Problem {
    /// Of any component.
    General(u8),
    /// Of an invoke.
    Invoke(u8),
    /// Of a result.
    ReturnResult(u8),
    /// Of an error.
    ReturnError(u8),
}

/// A component was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The invocation, where it could be read.
    pub invoke_id: Option<i64>,
    /// What was wrong.
    pub problem: Option<Problem>,
}

/// One component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component<'a> {
    /// a1.
    Invoke(Invoke<'a>),
    /// a2, and a7 for a piece.
    ReturnResult(ReturnResult<'a>),
    /// a3.
    ReturnError(ReturnError<'a>),
    /// a4.
    Reject(Reject),
}

impl<'a> Component<'a> {
    /// The name of a result with nothing behind it.
    pub const RESULT: &'static str = "ReturnResultLast";

    /// The specification's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Invoke(_) => "Invoke",
            Self::ReturnResult(ReturnResult { last: true, .. }) => Self::RESULT,
            Self::ReturnResult(_) => "ReturnResultNotLast",
            Self::ReturnError(_) => "ReturnError",
            Self::Reject(_) => "Reject",
        }
    }

    /// Reads one element of a component portion.
    #[inline(never)]
    pub fn parse(element: Tlv<'a>) -> Result<Self, Error> {
        if element.is(Class::Context, 1) {
            return match invoke(&element) {
                Ok(invoke) => Ok(Self::Invoke(invoke)),
                Err(error) => Err(error.moved(element.header_len())),
            };
        }
        Self::answer(element)
    }

    #[inline(never)]
    fn answer(element: Tlv<'a>) -> Result<Self, Error> {
        let component = match (element.class, element.number) {
            (Class::Context, 2 | 7) => result(element).map(Self::ReturnResult),
            (Class::Context, 3) => error(element).map(Self::ReturnError),
            (Class::Context, 4) => Ok(Self::Reject(reject(element))),
            _ => return Err(Error::new(Layer::Tcap, 0, Why::NotOurs("unknown TCAP component"))),
        };
        component.map_err(|error| error.moved(element.header_len()))
    }
}

fn invoke<'a>(element: &Tlv<'a>) -> Result<Invoke<'a>, Error> {
    let mut marks = Marks::of(element);
    let mut reader = element.children(Layer::Tcap);
    let id = mandatory(&mut reader, "invoke id")?;
    let invoke_id = number(&id, &reader, "invoke id")?;
    let mut code = mandatory(&mut reader, "operation code")?;
    let mut linked_id = None;
    if code.is(Class::Context, 0) {
        linked_id = code.integer();
        code = mandatory(&mut reader, "operation code")?;
    }
    let opcode = opcode(&code, &reader)?;
    marks.set_if(Mark::NotMinimal, code.content.len() > 1 && matches!(opcode, Opcode::Local(-128..=127)));
    let argument = match reader.next() {
        Some(argument) => Some(argument?),
        None => None,
    };
    marks.merge(Marks::seen(reader.seen()));
    Ok(Invoke { invoke_id, linked_id, opcode, argument, marks })
}

fn result(element: Tlv<'_>) -> Result<ReturnResult<'_>, Error> {
    let mut reader = element.children(Layer::Tcap);
    let id = mandatory(&mut reader, "invoke id")?;
    let mut result =
        ReturnResult { invoke_id: number(&id, &reader, "invoke id")?, last: element.number == 2, opcode: None, parameter: None };
    if let Some(sequence) = reader.next().transpose()? {
        let mut inner = sequence.children(Layer::Tcap);
        let moved = |error: Error| error.moved(within(element.content, sequence.content).map_or(0, |place| place.start));
        let code = mandatory(&mut inner, "operation code").map_err(moved)?;
        result.opcode = Some(opcode(&code, &inner).map_err(moved)?);
        result.parameter = inner.next().transpose().map_err(moved)?;
    }
    Ok(result)
}

fn error(element: Tlv<'_>) -> Result<ReturnError<'_>, Error> {
    let mut reader = element.children(Layer::Tcap);
    let id = mandatory(&mut reader, "invoke id")?;
    let invoke_id = number(&id, &reader, "invoke id")?;
    let code = mandatory(&mut reader, "error code")?;
    let code = opcode(&code, &reader)?;
    Ok(ReturnError { invoke_id, code, parameter: reader.next().transpose()? })
}

fn reject(element: Tlv<'_>) -> Reject {
    let mut reject = Reject { invoke_id: None, problem: None };
    for field in element.children(Layer::Tcap).map_while(Result::ok) {
        match (field.class, field.number, field.octet()) {
            (Class::Universal, universal::INTEGER, _) => reject.invoke_id = field.integer(),
            (Class::Context, 0, Some(code)) => reject.problem = Some(Problem::General(code)),
            (Class::Context, 1, Some(code)) => reject.problem = Some(Problem::Invoke(code)),
            (Class::Context, 2, Some(code)) => reject.problem = Some(Problem::ReturnResult(code)),
            (Class::Context, 3, Some(code)) => reject.problem = Some(Problem::ReturnError(code)),
            _ => {}
        }
    }
    reject
}

#[inline(always)]
fn mandatory<'a>(reader: &mut Reader<'a>, what: &'static str) -> Result<Tlv<'a>, Error> {
    let at = reader.at();
    reader.next().unwrap_or(Err(Error::new(Layer::Tcap, at, Why::Missing(what))))
}

#[inline]
fn number(element: &Tlv<'_>, reader: &Reader<'_>, what: &'static str) -> Result<i64, Error> {
    let number = element.integer().filter(|_| element.is(Class::Universal, universal::INTEGER));
    number.ok_or_else(|| Error::new(Layer::Tcap, reader.at() - element.raw.len(), Why::Malformed(what)))
}

#[inline]
fn opcode<'a>(element: &Tlv<'a>, reader: &Reader<'_>) -> Result<Opcode<'a>, Error> {
    if element.is(Class::Universal, universal::OBJECT_IDENTIFIER) {
        return Ok(Opcode::Global(element.content));
    }
    number(element, reader, "operation code").map(Opcode::Local)
}

/// Walks the components of a message: see [`super::Message::components`].
#[derive(Clone, Copy, Debug)]
pub struct Components<'a> {
    message: &'a [u8],
    portion: Reader<'a>,
    behind: Reader<'a>,
}

impl<'a> Components<'a> {
    #[inline]
    pub(super) const fn new(message: &'a [u8], portion: &'a [u8], behind: &'a [u8]) -> Self {
        Self { message, portion: Reader::new(portion, Layer::Tcap), behind: Reader::new(behind, Layer::Tcap) }
    }

    fn place(&self, inner: &[u8]) -> usize {
        within(self.message, inner).map_or(0, |place| place.start)
    }
}

impl<'a> Iterator for Components<'a> {
    type Item = Result<Component<'a>, Error>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        match self.usual() {
            Some(invoke) => Some(Ok(Component::Invoke(invoke))),
            None => self.exact(),
        }
    }
}

impl<'a> Components<'a> {
    /// The next component, if it is an invoke as nearly every sender writes it: an id and a local code of one octet each, shortest
    /// lengths. Any other is [`Components::exact`]'s, and is not passed over here.
    #[inline(always)]
    pub fn usual(&mut self) -> Option<Invoke<'a>> {
        let (content, rest) = ber::take(self.portion.rest(), 0xa1)?;
        let [2, 1, id, 2, 1, code, fields @ ..] = content else { return None };
        let argument = if fields.is_empty() { None } else { Some(Tlv::usual(fields)?.0) };
        self.portion.skip_to(rest);
        let (invoke_id, code) = (i64::from(id.cast_signed()), i64::from(code.cast_signed()));
        Some(Invoke { invoke_id, linked_id: None, opcode: Opcode::Local(code), argument, marks: Marks::none() })
    }

    /// The next component, whatever its form.
    #[inline(never)]
    pub fn exact(&mut self) -> Option<Result<Component<'a>, Error>> {
        loop {
            let (rest, at) = (self.portion.rest(), self.portion.at());
            match self.portion.next() {
                Some(Ok(element)) => {
                    return Some(match Component::parse(element) {
                        Ok(component) => Ok(component),
                        Err(error) => Err(error.moved(self.place(element.raw))),
                    });
                }
                Some(Err(error)) => {
                    // Offsets of the reader count from the portion's start, which is `at` octets before `rest`.
                    return Some(Err(error.moved(self.place(rest).saturating_sub(at))));
                }
                None => {}
            }
            if self.behind.rest().is_empty() {
                return None;
            }
            // Elements behind the first portion: only further portions matter, and what cannot be read was marked before.
            let next = self.behind.by_ref().map_while(Result::ok).find(|element| element.is(Class::Application, 12))?;
            self.portion = next.children(Layer::Tcap);
        }
    }
}
