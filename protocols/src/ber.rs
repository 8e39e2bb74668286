//! Basic Encoding Rules (X.690) as TCAP and MAP use them: a bounded walk over tag, length and value.
//!
//! ```text
//! identifier            | length                          | contents            X.690 §8.1.1
//! class:2 constr number | short 00-7f, long 81-fe, 80     | … or … 00 00        §8.1.2, §8.1.3, §8.1.5
//! ```
//!
//! Nothing is copied and nothing recurses without a bound. Every form that a lenient receiver takes is read: extended tags for small
//! numbers (with `80` pads in front), long lengths with leading zeros, indefinite lengths, constructed strings. What the sender
//! could have said more plainly is visible in [`Tlv::canonical`] and [`Tlv::form`]. Compare class and number, never raw octets.
//!
//! ```
//! use protocols::{Layer, ber::{Class, Reader}};
//! let mut reader = Reader::new(&[0x30, 3, 0x9f, 0x04, 0x00], Layer::Map);
//! let sequence = reader.next().unwrap().unwrap();
//! assert!(sequence.is(Class::Universal, 16));
//! let inner = sequence.children(Layer::Map).next().unwrap().unwrap();
//! assert!(inner.is(Class::Context, 4) && !inner.canonical);
//! ```

mod build;
mod trail;

pub use build::{Length, length, push, push_constructed, push_header, push_integer};
pub use trail::{Level, Trail, trail};

use crate::error::{Error, Layer, Why};

/// Nesting beyond which an element is given up: real MAP stays below 16.
pub const MAX_DEPTH: usize = 32;

/// Class of a tag, X.690 §8.1.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Types of ASN.1 itself.
    Universal,
    /// TCAP messages and portions.
    Application,
    /// Fields and choices.
    Context,
    /// ANSI TCAP and private extensions.
    Private,
}

/// Universal tag numbers that TCAP and MAP use.
pub mod universal {
    /// BOOLEAN.
    pub const BOOLEAN: u32 = 1;
    /// INTEGER.
    pub const INTEGER: u32 = 2;
    /// OCTET STRING.
    pub const OCTET_STRING: u32 = 4;
    /// NULL.
    pub const NULL: u32 = 5;
    /// OBJECT IDENTIFIER.
    pub const OBJECT_IDENTIFIER: u32 = 6;
    /// EXTERNAL.
    pub const EXTERNAL: u32 = 8;
    /// ENUMERATED.
    pub const ENUMERATED: u32 = 10;
    /// SEQUENCE and SEQUENCE OF.
    pub const SEQUENCE: u32 = 16;
}

/// How a length was written, X.690 §8.1.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// One octet, 0 to 127.
    Short,
    /// This many octets behind the first, leading zeros included.
    Long(u8),
    /// `80`, and `00 00` behind the contents.
    Indefinite,
}

/// One element: where it lies, what it says it is, and how it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// Contents, without the end-of-contents octets of the indefinite form.
    pub content: &'a [u8],
    /// The whole element: identifier, length, contents and, if indefinite, end-of-contents.
    pub raw: &'a [u8],
    /// Tag number, low or extended form alike.
    pub number: u32,
    /// Class of the tag.
    pub class: Class,
    /// Contents are elements themselves.
    pub constructed: bool,
    /// How the length was written.
    pub form: Form,
    /// Tag and length as short as they can be. The indefinite form counts as canonical here: [`Tlv::form`] tells it.
    pub canonical: bool,
    /// Octets of the identifier: where the length begins within `raw`.
    pub identifier: u8,
}

impl<'a> Tlv<'a> {
    /// Whether this element has that class and number, however the tag was written.
    #[inline]
    pub const fn is(&self, class: Class, number: u32) -> bool {
        self.number == number && self.class as u8 == class as u8
    }

    /// The element that `data` starts with and what follows, in the form of nearly every one on the wire: low tag, shortest length of
    /// one octet or of the one that `81` announces, all there. Of any other nothing is said: [`Reader`] reads it.
    #[inline(always)]
    pub(crate) fn usual(data: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (header, tag, len, form) = match *data {
            [tag, len @ 0..=0x7f, ..] => (2, tag, len, Form::Short),
            [tag, 0x81, len @ 0x80..=0xff, ..] => (3, tag, len, Form::Long(1)),
            _ => return None,
        };
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (raw, rest) = data.split_at_checked(header + usize::from(len))?;
        let (class, number, constructed) = (class(tag), u32::from(tag & 0x1f), tag & 0x20 != 0);
        let content = raw.get(header..)?;
        Some((Self { content, raw, number, class, constructed, form, canonical: true, identifier: 1 }, rest))
    }

    /// The elements inside. Offsets in errors count from the start of [`Tlv::content`].
    #[inline]
    pub const fn children(&self, layer: Layer) -> Reader<'a> {
        Reader::new(self.content, layer)
    }

    /// Octets of identifier and length.
    #[inline]
    pub const fn header_len(&self) -> usize {
        let length = if let Form::Long(octets) = self.form { octets as usize } else { 0 };
        self.identifier as usize + 1 + length
    }

    /// An INTEGER or ENUMERATED of up to eight octets, sign extended, leading octets tolerated.
    #[inline]
    pub fn integer(&self) -> Option<i64> {
        integer(self.content)
    }

    /// A number of this element that is one octet for [`crate::tcap::Opcode`] and errors, or any longer spelling of the same value.
    #[inline]
    pub fn octet(&self) -> Option<u8> {
        self.integer().and_then(|value| u8::try_from(value).ok())
    }
}

/// Two's complement of one to eight octets.
#[inline]
pub fn integer(content: &[u8]) -> Option<i64> {
    match *content {
        [one] => Some(i64::from(one.cast_signed())),
        [] => None,
        [first, ..] if content.len() <= 8 => {
            let sign = if first & 0x80 == 0 { 0 } else { -1 };
            Some(content.iter().fold(sign, |value, octet| value << 8 | i64::from(*octet)))
        }
        _ => None,
    }
}

/// Walks the elements of some contents, one after the other. After an error it ends.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    len: usize,
    layer: Layer,
    seen: Seen,
}

/// Forms that a walk has met: looked at once behind it, instead of at each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Seen {
    /// A tag or length that takes more octets than it needs.
    pub not_minimal: bool,
    /// An indefinite length.
    pub indefinite: bool,
}

impl<'a> Reader<'a> {
    /// A walk over `content`; `layer` is whose errors these are.
    #[inline]
    pub const fn new(content: &'a [u8], layer: Layer) -> Self {
        Self { rest: content, len: content.len(), layer, seen: Seen { not_minimal: false, indefinite: false } }
    }

    /// What was not read yet.
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Goes on with `rest`, an end of what was not read yet.
    #[inline(always)]
    pub(crate) const fn skip_to(&mut self, rest: &'a [u8]) {
        self.rest = rest;
    }

    /// Forms met so far.
    #[inline]
    pub const fn seen(&self) -> Seen {
        self.seen
    }

    /// Octets read so far.
    #[inline]
    pub const fn at(&self) -> usize {
        self.len - self.rest.len()
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Tlv<'a>, Error>;

    // Inlined by force: the element then stays in registers, and most of its fields are never computed.
    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some((element, rest)) = Tlv::usual(self.rest) {
            self.rest = rest;
            return Some(Ok(element));
        }
        if self.rest.is_empty() { None } else { Some(self.slow()) }
    }
}

impl<'a> Reader<'a> {
    #[inline(never)]
    pub(crate) fn slow(&mut self) -> Result<Tlv<'a>, Error> {
        let (at, data) = (self.at(), self.rest);
        self.rest = &[];
        let fail = |(offset, why): Fault| Error::new(self.layer, at + offset, why);
        let header = Header::read(data).map_err(fail)?;
        let start = header.len();
        let behind = data.get(start..).unwrap_or_default();
        let (length, tail) = match header.length {
            Some(length) => (length, 0),
            None => (end_of_contents(behind).map_err(|(offset, why)| fail((start + offset, why)))?, 2),
        };
        let whole = length.checked_add(start + tail).and_then(|whole| Some((whole, data.get(..whole)?)));
        let (Some(content), Some((whole, raw))) = (behind.get(..length), whole) else {
            return Err(fail((usize::from(header.identifier), Why::truncated(length, behind.len()))));
        };
        self.rest = data.get(whole..).unwrap_or_default();
        self.seen.not_minimal |= !header.canonical;
        self.seen.indefinite |= header.form == Form::Indefinite;
        Ok(Tlv {
            content,
            raw,
            number: header.number,
            class: header.class,
            constructed: header.constructed,
            form: header.form,
            canonical: header.canonical,
            identifier: header.identifier,
        })
    }
}

/// Offset within the element, and why: the reader adds layer and place.
type Fault = (usize, Why);

struct Header {
    class: Class,
    constructed: bool,
    number: u32,
    form: Form,
    canonical: bool,
    identifier: u8,
    /// `None` for the indefinite form.
    length: Option<usize>,
}

impl Header {
    fn len(&self) -> usize {
        let length = if let Form::Long(octets) = self.form { usize::from(octets) } else { 0 };
        usize::from(self.identifier) + 1 + length
    }

    fn read(data: &[u8]) -> Result<Self, Fault> {
        let (&tag, mut rest) = data.split_first().ok_or((0, Why::truncated(2, 0)))?;
        let (mut number, mut canonical, mut identifier) = (u32::from(tag & 0x1f), true, 1u8);
        if number == 0x1f {
            number = 0;
            loop {
                let (&octet, behind) =
                    rest.split_first().ok_or((usize::from(identifier), Why::truncated(data.len() + 1, data.len())))?;
                if identifier == 1 && octet == 0x80 {
                    canonical = false; // X.690 §8.1.2.4.2 c) forbids the pad; lenient receivers skip it.
                }
                if identifier > 15 || number >> 25 != 0 {
                    return Err((0, Why::Limit("tag number")));
                }
                number = number << 7 | u32::from(octet & 0x7f);
                identifier += 1;
                rest = behind;
                if octet & 0x80 == 0 {
                    break;
                }
            }
            canonical &= number >= 31;
        }
        let at = usize::from(identifier);
        let (&first, behind) = rest.split_first().ok_or((at, Why::truncated(at + 1, data.len())))?;
        let (form, length) = match first {
            0..=0x7f => (Form::Short, Some(usize::from(first))),
            0x80 if tag & 0x20 == 0 => return Err((at, Why::Malformed("indefinite length of a primitive"))),
            0x80 => (Form::Indefinite, None),
            0xff => return Err((at, Why::Malformed("reserved length octet ff"))),
            _ => {
                let count = first & 0x7f;
                let octets =
                    behind.get(..usize::from(count)).ok_or((at, Why::truncated(at + 1 + usize::from(count), data.len())))?;
                let value = octets.iter().try_fold(0usize, |value, octet| {
                    (value >> (usize::BITS - 8) == 0).then_some(value << 8 | usize::from(*octet))
                });
                let value = value.ok_or((at, Why::bad_length(usize::MAX)))?;
                canonical &= octets.first() != Some(&0) && value >= 0x80;
                (Form::Long(count), Some(value))
            }
        };
        Ok(Self { class: class(tag), constructed: tag & 0x20 != 0, number, form, canonical, identifier, length })
    }
}

/// As [`Tlv::usual`], but no more than tag octet, contents and what follows, for ways that know which octets usually come: the tag is to
/// be compared with one whose number is below 31.
#[inline(always)]
pub(crate) fn usual(data: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, len, behind) = match *data {
        [tag, len @ 0..=0x7f, ref behind @ ..] => (tag, len, behind),
        [tag, 0x81, len @ 0x80..=0xff, ref behind @ ..] => (tag, len, behind),
        _ => return None,
    };
    let (content, rest) = behind.split_at_checked(usize::from(len))?;
    Some((tag, content, rest))
}

/// Contents and what follows of a [`usual`] element with this tag octet.
#[inline(always)]
pub(crate) fn take(data: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    if data.first() != Some(&tag) {
        return None;
    }
    usual(data).map(|(_, content, rest)| (content, rest))
}

/// Octets before the `00 00` that ends contents of the indefinite form.
///
/// Definite elements are stepped over whole and only indefinite ones opened, so one walk is linear; [`MAX_DEPTH`] bounds the
/// opened ones, and with it what all walks of a nest cost together.
fn end_of_contents(data: &[u8]) -> Result<usize, Fault> {
    let (mut at, mut open) = (0usize, 1usize);
    loop {
        let rest = data.get(at..).unwrap_or_default();
        if let [0, 0, ..] = rest {
            open -= 1;
            if open == 0 {
                return Ok(at);
            }
            at += 2;
            continue;
        }
        if rest.is_empty() {
            return Err((at, Why::Missing("end-of-contents")));
        }
        let header = Header::read(rest).map_err(|(offset, why)| (at + offset, why))?;
        match header.length {
            Some(length) => {
                at = length
                    .checked_add(at + header.len())
                    .filter(|end| *end <= data.len())
                    .ok_or((at, Why::truncated(length, rest.len())))?;
            }
            None if open >= MAX_DEPTH => return Err((at, Why::Limit("BER nesting"))),
            None => {
                open += 1;
                at += header.len();
            }
        }
    }
}

#[inline]
const fn class(tag: u8) -> Class {
    match tag >> 6 {
        0 => Class::Universal,
        1 => Class::Application,
        2 => Class::Context,
        _ => Class::Private,
    }
}

/// The octets of an OCTET STRING: borrowed if primitive, else its pieces (X.690 §8.7.3, nested ones too) joined in `scratch`.
#[inline]
pub fn octets<'a>(tlv: &Tlv<'a>, scratch: &'a mut [u8], layer: Layer) -> Result<&'a [u8], Error> {
    if !tlv.constructed {
        return Ok(tlv.content);
    }
    let filled = joined(tlv, scratch, layer)?;
    Ok(scratch.get(..filled).unwrap_or_default())
}

/// The octets of an OCTET STRING that lie in one place: primitive, or constructed of one primitive piece.
pub(crate) fn in_one_piece<'a>(tlv: &Tlv<'a>) -> Option<&'a [u8]> {
    if !tlv.constructed {
        return Some(tlv.content);
    }
    let mut pieces = Reader::new(tlv.content, Layer::Map);
    match (pieces.next(), pieces.next()) {
        (Some(Ok(piece)), None) if !piece.constructed && piece.is(Class::Universal, universal::OCTET_STRING) => {
            Some(piece.content)
        }
        _ => None,
    }
}

/// Joins the pieces of a constructed OCTET STRING in `scratch` and says how many octets they fill of it.
pub(crate) fn joined(tlv: &Tlv<'_>, scratch: &mut [u8], layer: Layer) -> Result<usize, Error> {
    let mut filled = 0;
    join(tlv.content, scratch, &mut filled, 0, layer)?;
    Ok(filled)
}

fn join(pieces: &[u8], scratch: &mut [u8], filled: &mut usize, depth: usize, layer: Layer) -> Result<(), Error> {
    if depth >= MAX_DEPTH {
        return Err(Error::new(layer, 0, Why::Limit("BER nesting")));
    }
    let mut reader = Reader::new(pieces, layer);
    while let Some(piece) = reader.next() {
        let (piece, at) = (piece?, reader.at());
        if !piece.is(Class::Universal, universal::OCTET_STRING) {
            return Err(Error::new(layer, at, Why::Malformed("piece of an octet string")));
        }
        if piece.constructed {
            join(piece.content, scratch, filled, depth + 1, layer)?;
            continue;
        }
        let place = scratch.get_mut(*filled..).and_then(|free| free.get_mut(..piece.content.len()));
        let place = place.ok_or_else(|| Error::new(layer, at, Why::Limit("joined octet string")))?;
        place.copy_from_slice(piece.content);
        *filled += piece.content.len();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
