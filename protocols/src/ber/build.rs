//! The way back: identifiers, lengths and whole elements appended to a buffer, and a length field put right in place.

use super::{Class, Form};

/// The octets of one length field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    octets: [u8; Self::MAX],
    len: u8,
}

impl Length {
    /// The longest field that is written or kept: the first octet and eight more.
    pub const MAX: usize = 9;

    /// The field as it goes on the wire.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// A length field for `length` octets of contents that had the form `was`.
///
/// It keeps its number of octets where the new length fits (a long form that was longer than needed stays so), grows by as little as
/// needed where not, and an indefinite one stays as it is. `None`: a form of more octets than [`Length::MAX`], which nobody needs.
pub fn length(was: Form, length: usize) -> Option<Length> {
    let mut octets = [0u8; Length::MAX];
    let significant = length.to_be_bytes();
    let skip = significant.iter().take_while(|octet| **octet == 0).count();
    let minimal = significant.get(skip..).unwrap_or_default();
    let long = match was {
        Form::Indefinite => {
            octets[0] = 0x80;
            return Some(Length { octets, len: 1 });
        }
        Form::Short if length < 0x80 => 0,
        Form::Short => minimal.len(),
        Form::Long(count) => minimal.len().max(usize::from(count)),
    };
    if long == 0 {
        octets[0] = u8::try_from(length).ok()?;
        return Some(Length { octets, len: 1 });
    }
    octets[0] = 0x80 | u8::try_from(long).ok()?;
    octets.get_mut(1 + long - minimal.len()..=long)?.copy_from_slice(minimal);
    Some(Length { octets, len: u8::try_from(long + 1).ok()? })
}

/// Appends identifier and shortest length for `len` octets of contents to come.
pub fn push_header(out: &mut Vec<u8>, class: Class, constructed: bool, number: u32, len: usize) {
    let lead = (class as u8) << 6 | if constructed { 0x20 } else { 0 };
    match u8::try_from(number) {
        Ok(low) if low < 31 => out.push(lead | low),
        _ => {
            out.push(lead | 0x1f);
            for shift in [28, 21, 14, 7] {
                if number >> shift != 0 {
                    out.push(0x80 | (number >> shift & 0x7f).to_le_bytes()[0]);
                }
            }
            out.push((number & 0x7f).to_le_bytes()[0]);
        }
    }
    if let Some(field) = length(Form::Short, len) {
        out.extend_from_slice(field.as_slice());
    }
}

/// Appends a primitive element.
pub fn push(out: &mut Vec<u8>, class: Class, number: u32, content: &[u8]) {
    push_header(out, class, false, number, content.len());
    out.extend_from_slice(content);
}

/// Appends a constructed element whose contents `fill` appends.
pub fn push_constructed(out: &mut Vec<u8>, class: Class, number: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    fill(out);
    let len = out.len() - start;
    push_header(out, class, true, number, len);
    // The header was appended behind its contents: turn the two around.
    if let Some(element) = out.get_mut(start..) {
        element.rotate_left(len);
    }
}

/// Appends a primitive element with the shortest two's complement of `value`.
pub fn push_integer(out: &mut Vec<u8>, class: Class, number: u32, value: i64) {
    let octets = value.to_be_bytes();
    let mut minimal = octets.as_slice();
    while let [0, second, ..] | [0xff, second, ..] = minimal
        && (second & 0x80 == 0) == (minimal.first() == Some(&0))
    {
        minimal = minimal.get(1..).unwrap_or_default();
    }
    push(out, class, number, minimal);
}
