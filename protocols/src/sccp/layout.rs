//! Where the lengths and pointers of a message lie, for rewriting its data.

use core::ops::Range;

use super::{Kind, Parts};
use crate::error::{Error, Layer, Why};

/// A part that a pointer leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Called party address.
    Called,
    /// Calling party address.
    Calling,
    /// Data.
    Data,
    /// Optional part.
    Optional,
}

/// One pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// Which part it leads to.
    pub part: Part,
    /// Offset of its first octet.
    pub at: usize,
    /// Octets: 1, or 2 with the least significant first.
    pub width: usize,
    /// Offset of the part's length octet (of the first parameter's name for the optional part); `None` if the part is absent.
    pub target: Option<usize>,
}

impl Pointer {
    /// The octets that make this pointer lead to `target`, if it reaches: [`Pointer::width`] of them count.
    pub fn octets(&self, target: usize) -> Option<[u8; 2]> {
        let from = self.at + self.width - 1;
        let value = u16::try_from(target.checked_sub(from)?).ok()?;
        (self.width == 2 || value <= 0xff).then(|| value.to_le_bytes())
    }
}

/// Lengths and pointers of one message, by offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Message type.
    pub kind: Kind,
    /// The data's length field: one octet, or two with the least significant first (LUDT).
    pub length_at: usize,
    /// Octets of that field.
    pub length_width: usize,
    data: (usize, usize),
    pointers: [Pointer; 4],
    count: usize,
}

impl Layout {
    /// The data, without its length.
    pub const fn data(&self) -> Range<usize> {
        self.data.0..self.data.1
    }

    /// Called, calling, data, and for all but UDT and UDTS optional.
    pub fn pointers(&self) -> &[Pointer] {
        self.pointers.get(..self.count).unwrap_or_default()
    }

    /// Largest data that the length field can tell.
    pub const fn max_data(&self) -> usize {
        if self.length_width == 2 { 0xffff } else { 0xff }
    }

    /// Puts data length and pointers of `message` right for data of `len` octets, which the caller has put in (or is about to put
    /// in) place of the old: parts behind the data move with its end. `None`, and nothing changed, if a field cannot tell it.
    pub fn resize(&self, message: &mut [u8], len: usize) -> Option<()> {
        if len > self.max_data() {
            return None;
        }
        let moved = |target: usize| if target >= self.data.1 { target - self.data.1 + self.data.0 + len } else { target };
        let mut fields = [(0usize, [0u8; 2], 0usize); 4];
        for (pointer, field) in self.pointers().iter().zip(&mut fields) {
            if let Some(target) = pointer.target {
                *field = (pointer.at, pointer.octets(moved(target))?, pointer.width);
            }
        }
        let length = u16::try_from(len).ok()?.to_le_bytes();
        let mut put = |at: usize, octets: [u8; 2], width: usize| {
            let place = message.get_mut(at..at + width)?;
            place.copy_from_slice(octets.get(..width)?);
            Some(())
        };
        put(self.length_at, length, self.length_width)?;
        fields.iter().try_for_each(|(at, octets, width)| put(*at, *octets, *width))
    }
}

/// Finds lengths and pointers. A message whose parts overlap the data is refused: moving one would change the other.
pub fn layout(message: &[u8]) -> Result<Layout, Error> {
    let parts = Parts::find(message)?;
    let [called, calling, data_at, optional] = parts.at;
    let data_len = if parts.width == 2 { parts.long(message, data_at)?.len() } else { parts.short(message, data_at)?.len() };
    let data = (data_at + parts.width, data_at + parts.width + data_len);
    let overlaps = |at: usize, end: usize| at < data.1 && end > data_at;
    for at in [called, calling] {
        if overlaps(at, at + 1 + parts.short(message, at)?.len()) {
            return Err(Error::new(Layer::Sccp, at, Why::Malformed("SCCP parts overlap")));
        }
    }
    if optional != 0 && optional < data.1 && overlaps(optional, optional_end(message, optional)) {
        return Err(Error::new(Layer::Sccp, optional, Why::Malformed("SCCP parts overlap")));
    }
    let names = [Part::Called, Part::Calling, Part::Data, Part::Optional];
    let mut index = 0;
    let pointers = names.map(|part| {
        let target = parts.at.get(index).copied().filter(|target| *target != 0);
        let pointer = Pointer { part, at: parts.fixed + index * parts.width, width: parts.width, target };
        index += 1;
        pointer
    });
    let (_, count, _) = parts.kind.shape();
    Ok(Layout { kind: parts.kind, length_at: data_at, length_width: parts.width, data, pointers, count })
}

/// Offset behind the optional part, its closing zero included.
fn optional_end(message: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(&[name, len]) = message.get(at..).and_then(|rest| rest.first_chunk()) {
        if name == 0 {
            return at + 1;
        }
        at += 2 + usize::from(len);
    }
    message.len()
}
