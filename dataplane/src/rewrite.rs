//! From a changed TPDU outward: every length, pointer and pad above it is put right, bottom up.
//!
//! Works on one SCTP chunk (or one bare MTP message) at a time and knows nothing of its neighbours, so that a retransmission in another
//! bundle becomes the same octets. All octets outside the changed spans stay.

use core::ops::Range;

/// How a field holds a length or a distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// One octet.
    One,
    /// Two octets, most significant first (M3UA, SUA, SCTP).
    Two,
    /// Two octets, least significant first (LUDT, Q.713 §4.18).
    TwoLittle,
    /// Four octets, most significant first.
    Four,
    /// BER length octets, this many of them, the first included. They grow when the value outgrows their form (X.690 §8.1.3).
    Ber(u8),
    /// MTP2 length indicator: six bits, 63 stands for all that is longer (Q.703 §2.3.3).
    Indicator,
}

/// A field that counts the octets of `covers`, or the distance over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Octet where the field stands.
    pub at: usize,
    /// Its form.
    pub width: Width,
    /// The octets that its value grows and shrinks with.
    pub covers: Range<usize>,
    /// Octets of padding behind `covers`, for fields whose element is padded to four.
    pub pad: Option<usize>,
}

/// One change: the octets of `range` become `octets`.
#[derive(Clone, Debug, Default)]
struct Edit {
    range: Range<usize>,
    octets: Range<usize>,
}

/// Why a change cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoFit {
    /// A length field cannot hold the new length: this many octets, at most so many.
    Field {
        /// Octets that it would have to hold.
        need: usize,
        /// What it can hold.
        max: usize,
    },
    /// More changes in one chunk than there is room for.
    Changes,
}

/// The changes of one chunk. Reused: no heap once warm.
#[derive(Debug)]
pub struct Changes {
    edits: Vec<Edit>,
    fields: Vec<Field>,
    order: Vec<usize>,
    octets: Vec<u8>,
}

const EDITS: usize = 1024;
const OCTETS: usize = 32 * 1024;

impl Default for Changes {
    fn default() -> Self {
        Self {
            edits: Vec::with_capacity(EDITS),
            fields: Vec::with_capacity(EDITS),
            order: Vec::with_capacity(EDITS),
            octets: Vec::with_capacity(OCTETS),
        }
    }
}

impl Changes {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.edits.clear();
        self.fields.clear();
        self.octets.clear();
    }

    /// Whether there is nothing to do.
    pub const fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The place to go back to with [`Changes::back_to`], when a change turns out not to fit.
    pub const fn mark(&self) -> (usize, usize, usize) {
        (self.edits.len(), self.fields.len(), self.octets.len())
    }

    /// Takes back what was added since `mark`.
    pub fn back_to(&mut self, mark: (usize, usize, usize)) {
        self.edits.truncate(mark.0);
        self.fields.truncate(mark.1);
        self.octets.truncate(mark.2);
    }

    /// The octets of `range` become `octets`.
    pub fn replace(&mut self, range: Range<usize>, octets: &[u8]) -> Result<(), NoFit> {
        let start = self.octets.len();
        if self.edits.len() >= EDITS || start + octets.len() > OCTETS {
            return Err(NoFit::Changes);
        }
        self.octets.extend_from_slice(octets);
        self.edits.push(Edit { range, octets: start..self.octets.len() });
        Ok(())
    }

    /// A field above a change. The same field named twice (two messages in one chunk) counts once.
    pub fn field(&mut self, field: Field) -> Result<(), NoFit> {
        if self.fields.iter().any(|known| known.at == field.at) {
            return Ok(());
        }
        if self.fields.len() >= EDITS {
            return Err(NoFit::Changes);
        }
        self.fields.push(field);
        Ok(())
    }

    /// By how much the octets of `range` grow or shrink.
    pub fn growth(&self, range: &Range<usize>) -> isize {
        let within = |edit: &&Edit| edit.range.start >= range.start && edit.range.end <= range.end;
        let by = |edit: &Edit| edit.octets.len().cast_signed() - edit.range.len().cast_signed();
        self.edits.iter().filter(within).map(by).sum()
    }

    /// Adds the changes of all length fields, innermost first, so that growth of an inner field counts in the outer ones.
    pub fn settle(&mut self, old: &[u8]) -> Result<(), NoFit> {
        // Inner fields cover a range within the outer one's: shorter first is inner first.
        let mut order = core::mem::take(&mut self.order);
        order.clear();
        order.extend(0..self.fields.len());
        order.sort_unstable_by_key(|&index| {
            self.fields.get(index).map(|field| (field.covers.len(), core::cmp::Reverse(field.at)))
        });
        let settled = order.iter().try_for_each(|&index| self.settle_one(old, index));
        self.order = order;
        settled
    }

    fn settle_one(&mut self, old: &[u8], index: usize) -> Result<(), NoFit> {
        if let Some(Field { at, width, covers, pad }) = self.fields.get(index).cloned() {
            let growth = self.growth(&covers);
            if growth == 0 {
                return Ok(());
            }
            self.length(old, at, width, growth)?;
            if let Some(pad) = pad {
                // RFC 4666 §3.2: the parameter is padded to four, its length does not say so.
                let len = old_len(old, at, width).saturating_add_signed(growth);
                self.replace(covers.end..covers.end + pad, [0u8; 4].get(..len.next_multiple_of(4) - len).unwrap_or_default())?;
            }
        }
        Ok(())
    }

    fn length(&mut self, old: &[u8], at: usize, width: Width, growth: isize) -> Result<(), NoFit> {
        let len = old_len(old, at, width).saturating_add_signed(growth);
        let wide = u32::try_from(len).unwrap_or(u32::MAX);
        let fits = |max: usize| if len <= max { Ok(()) } else { Err(NoFit::Field { need: len, max }) };
        let [b0, b1, b2, b3] = wide.to_be_bytes();
        match width {
            Width::One => fits(255).and_then(|()| self.replace(at..at + 1, &[b3])),
            Width::Two => fits(0xffff).and_then(|()| self.replace(at..at + 2, &[b2, b3])),
            Width::TwoLittle => fits(0xffff).and_then(|()| self.replace(at..at + 2, &[b3, b2])),
            Width::Four => self.replace(at..at + 4, &[b0, b1, b2, b3]),
            Width::Indicator => {
                let spare = old.get(at).copied().unwrap_or(0) & 0xc0;
                self.replace(at..at + 1, &[spare | b3.min(63).max(if wide > 63 { 63 } else { 0 })])
            }
            Width::Ber(octets) => {
                fits(0xffff)?;
                let range = at..at + usize::from(octets);
                match octets {
                    1 if len < 0x80 => self.replace(range, &[b3]),
                    0..=2 if len < 0x100 => self.replace(range, &[0x81, b3]),
                    0..=3 => self.replace(range, &[0x82, b2, b3]),
                    // A form with leading zeros keeps its size.
                    4..=9 => {
                        let count = octets - 1;
                        let mut field = [0x80 | count, 0, 0, 0, 0, 0, 0, 0, 0];
                        if let Some(tail) = field.get_mut(usize::from(octets) - 3..usize::from(octets)) {
                            tail.copy_from_slice(&[b1, b2, b3]);
                        }
                        self.replace(range, field.get(..usize::from(octets)).unwrap_or_default())
                    }
                    _ => Err(NoFit::Field { need: len, max: 0xffff }),
                }
            }
        }
    }

    /// Writes `old` with all changes into `out` (appended, never beyond its capacity).
    pub fn apply(&mut self, old: &[u8], out: &mut Vec<u8>) -> Result<(), NoFit> {
        self.edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        let mut at = 0;
        for edit in &self.edits {
            let (Some(kept), Some(new)) = (old.get(at..edit.range.start), self.octets.get(edit.octets.clone())) else {
                return Err(NoFit::Changes); // two changes overlap: cannot happen, and must not go out if it does
            };
            append(out, kept)?;
            append(out, new)?;
            at = edit.range.end;
        }
        append(out, old.get(at..).ok_or(NoFit::Changes)?)
    }
}

fn append(out: &mut Vec<u8>, octets: &[u8]) -> Result<(), NoFit> {
    if out.len() + octets.len() > out.capacity() {
        return Err(NoFit::Changes);
    }
    out.extend_from_slice(octets);
    Ok(())
}

/// What a field says before the change.
fn old_len(old: &[u8], at: usize, width: Width) -> usize {
    let octets = |n: usize| old.get(at..at + n).unwrap_or_default();
    let big = |octets: &[u8]| octets.iter().fold(0usize, |sum, &octet| sum << 8 | usize::from(octet));
    match width {
        Width::One => big(octets(1)),
        Width::Two => big(octets(2)),
        Width::Four => big(octets(4)),
        Width::TwoLittle => old.get(at + 1).map_or(0, |&o| usize::from(o)) << 8 | big(octets(1)),
        Width::Indicator => big(octets(1)) & 0x3f,
        Width::Ber(1) => big(octets(1)) & 0x7f,
        Width::Ber(n) => big(octets(usize::from(n)).get(1..).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `30 L 04 L text`, with the text replaced.
    fn nested(text: &[u8], new: &[u8]) -> Vec<u8> {
        let mut old = vec![0x30, 2 + text.len() as u8, 0x04, text.len() as u8];
        old.extend_from_slice(text);
        let mut changes = Changes::default();
        changes.replace(4..old.len(), new).unwrap();
        changes.field(Field { at: 1, width: Width::Ber(1), covers: 2..old.len(), pad: None }).unwrap();
        changes.field(Field { at: 3, width: Width::Ber(1), covers: 4..old.len(), pad: None }).unwrap();
        changes.settle(&old).unwrap();
        let mut out = Vec::with_capacity(4096);
        changes.apply(&old, &mut out).unwrap();
        out
    }

    #[test]
    fn a_length_that_outgrows_its_form_lengthens_the_levels_above() {
        assert_eq!(nested(b"abc", b"x"), b"\x30\x03\x04\x01x");
        let long = nested(b"abc", &[7; 126]);
        assert_eq!(long[..5], [0x30, 0x81, 128, 0x04, 126]);
        let longer = nested(b"abc", &[7; 128]);
        assert_eq!(longer[..6], [0x30, 0x81, 131, 0x04, 0x81, 128]);
        assert_eq!(nested(b"abc", &[7; 300])[..8], [0x30, 0x82, 1, 48, 0x04, 0x82, 1, 44]);
    }

    #[test]
    fn padding_follows_the_new_length_and_the_message_counts_it() {
        // A parameter of 4 + 3 octets, padded by one, in a message whose length counts the pad.
        let old = [1, 0, 1, 1, 0, 0, 0, 16, 2, 0x10, 0, 7, b'a', b'b', b'c', 0];
        for (new, len, param, padded) in [(&b"abcd"[..], 16, 8, 16), (b"abcde", 20, 9, 20), (b"", 12, 4, 12)] {
            let mut changes = Changes::default();
            changes.replace(12..15, new).unwrap();
            changes.field(Field { at: 10, width: Width::Two, covers: 8..15, pad: Some(1) }).unwrap();
            changes.field(Field { at: 4, width: Width::Four, covers: 0..16, pad: None }).unwrap();
            changes.settle(&old).unwrap();
            let mut out = Vec::with_capacity(64);
            changes.apply(&old, &mut out).unwrap();
            assert_eq!((out[7], out[11], out.len()), (len, param, padded));
        }
    }

    #[test]
    fn a_pointer_moves_with_the_part_before_its_target() {
        // Two pointers: one to the data at 2, one to a part behind it at 5.
        let old = [2, 4, 0, 0, 0, 9];
        let mut changes = Changes::default();
        changes.replace(3..5, &[1, 2, 3]).unwrap();
        changes.field(Field { at: 0, width: Width::One, covers: 0..2, pad: None }).unwrap();
        changes.field(Field { at: 1, width: Width::One, covers: 1..5, pad: None }).unwrap();
        changes.settle(&old).unwrap();
        let mut out = Vec::with_capacity(64);
        changes.apply(&old, &mut out).unwrap();
        assert_eq!(out, [2, 5, 0, 1, 2, 3, 9]);
    }

    #[test]
    fn a_length_octet_that_overflows_is_refused_with_its_numbers() {
        let old = [250; 251];
        let mut changes = Changes::default();
        changes.replace(1..1, &[0; 6]).unwrap();
        changes.field(Field { at: 0, width: Width::One, covers: 1..251, pad: None }).unwrap();
        assert_eq!(changes.settle(&old), Err(NoFit::Field { need: 256, max: 255 }));
    }
}
