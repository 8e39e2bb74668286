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
    /// That of nine bits, least significant octet first: 511 stands for all that is longer (Q.703 Annex A).
    Extended,
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

/// A length, a pointer or a pad that keeps its size: written over the old one.
#[derive(Clone, Copy, Debug)]
struct Over {
    at: usize,
    octets: [u8; 4],
    len: u8,
}

impl Over {
    fn octets(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// The changes of one chunk. Reused: no heap once warm.
#[derive(Debug)]
pub struct Changes {
    /// What was asked for.
    edits: Vec<Edit>,
    fields: Vec<Field>,
    /// Where the first of `fields` stands.
    first: usize,
    octets: Vec<u8>,
    /// Octets of `edits`; what is behind them belongs to `cuts`.
    own: usize,
    /// What [`Changes::settle`] made of it: all that moves octets, by place, and all fields that stay where they are.
    cuts: Vec<Edit>,
    /// From the first of `cuts` to the last, and by how much all of them grow.
    moved: Range<usize>,
    grown: isize,
    overs: Vec<Over>,
    /// Where the first of `cuts` and `overs` stands.
    lowest: usize,
    order: Vec<u64>,
    is_settled: bool,
}

/// The place to go back to when a change turns out not to fit.
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize, usize, usize);

const EDITS: usize = 1024;
/// Within every range.
const NOWHERE: Range<usize> = Range { start: usize::MAX, end: 0 };
const OCTETS: usize = 32 * 1024;

impl Default for Changes {
    fn default() -> Self {
        Self {
            edits: Vec::with_capacity(EDITS),
            fields: Vec::with_capacity(EDITS),
            first: usize::MAX,
            octets: Vec::with_capacity(OCTETS),
            own: 0,
            // Each edit may move octets, and each field with its pad.
            cuts: Vec::with_capacity(3 * EDITS),
            moved: NOWHERE,
            grown: 0,
            overs: Vec::with_capacity(2 * EDITS),
            lowest: usize::MAX,
            order: Vec::with_capacity(EDITS),
            is_settled: false,
        }
    }
}

impl Changes {
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.back_to(Mark(0, 0, 0));
    }

    /// Whether there is nothing to do.
    pub const fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The place to go back to with [`Changes::back_to`].
    pub const fn mark(&self) -> Mark {
        Mark(self.edits.len(), self.fields.len(), self.own)
    }

    /// Takes back what was added since `mark`.
    pub fn back_to(&mut self, mark: Mark) {
        self.edits.truncate(mark.0);
        self.fields.truncate(mark.1);
        self.first = self.fields.iter().map(|field| field.at).min().unwrap_or(usize::MAX);
        self.octets.truncate(mark.2);
        self.own = mark.2;
        self.is_settled = false;
    }

    /// The octets of `range` become `octets`.
    pub fn replace(&mut self, range: Range<usize>, octets: &[u8]) -> Result<(), NoFit> {
        self.replace_by(range, [octets])
    }

    /// The octets of `range` become those of `pieces`, one behind the other.
    pub fn replace_by<const N: usize>(&mut self, range: Range<usize>, pieces: [&[u8]; N]) -> Result<(), NoFit> {
        self.is_settled = false;
        self.octets.truncate(self.own);
        let start = self.own;
        let end = start + pieces.iter().map(|piece| piece.len()).sum::<usize>();
        if self.edits.len() >= EDITS || end > OCTETS {
            return Err(NoFit::Changes);
        }
        pieces.iter().for_each(|piece| self.octets.extend_from_slice(piece));
        self.edits.push(Edit { range, octets: start..end });
        self.own = end;
        Ok(())
    }

    /// A field above a change. The same field named twice (two messages in one chunk) counts once.
    pub fn field(&mut self, field: Field) -> Result<(), NoFit> {
        self.is_settled = false;
        // Outward from a message each lies in front of all before.
        if field.at >= self.first && self.fields.iter().any(|known| known.at == field.at) {
            return Ok(());
        }
        if self.fields.len() >= EDITS {
            return Err(NoFit::Changes);
        }
        self.first = self.first.min(field.at);
        self.fields.push(field);
        Ok(())
    }

    /// By how much the octets of `range` grow or shrink, once settled.
    pub fn growth(&self, range: &Range<usize>) -> isize {
        let within = |inner: &Range<usize>| inner.start >= range.start && inner.end <= range.end;
        // Nearly every field covers all that moves.
        if within(&self.moved) {
            return self.grown;
        }
        self.cuts.iter().filter(|cut| within(&cut.range)).map(Edit::growth).sum()
    }

    /// Works out all length fields, innermost first, so that growth of an inner field counts in the outer ones. Changes nothing that was
    /// asked for: more may be added, or taken back, and settled again.
    pub fn settle(&mut self, old: &[u8]) -> Result<(), NoFit> {
        if self.is_settled {
            return Ok(());
        }
        self.octets.truncate(self.own);
        self.cuts.clear();
        self.overs.clear();
        (self.moved, self.grown, self.lowest) = (NOWHERE, 0, usize::MAX);
        for n in 0..self.edits.len() {
            if let Some(edit) = self.edits.get(n).filter(|edit| edit.growth() != 0) {
                let edit = edit.clone();
                self.cut(edit)?;
            }
        }
        if !self.cuts.is_empty() {
            let mut order = core::mem::take(&mut self.order);
            self.innermost_first(&mut order);
            let index = |n| order.get(n).map_or(n, |&key| (key & INDEX) as usize);
            let settled = (0..self.fields.len()).try_for_each(|n| self.settle_one(old, index(n)));
            self.order = order;
            settled?;
        }
        self.is_settled = true;
        Ok(())
    }

    /// Inner fields cover a range within the outer one's: shorter first is inner first, and of two alike the one that stands further in.
    /// Those of one message nearly always come so: then `order` stays empty.
    fn innermost_first(&self, order: &mut Vec<u64>) {
        order.clear();
        if self.fields.is_sorted_by_key(|field| (field.covers.len(), core::cmp::Reverse(field.at))) {
            return;
        }
        // A frame has at most 2^16 octets or so, a capture at most 2^18.
        let capped = |value: usize, bits: u32| (value as u64).min((1 << bits) - 1);
        let key = |(n, field): (usize, &Field)| {
            capped(field.covers.len(), 27) << 37 | (((1 << 27) - 1) - capped(field.at, 27)) << 10 | n as u64
        };
        order.extend(self.fields.iter().enumerate().map(key));
        order.reverse();
        if !order.is_sorted() {
            order.sort_unstable();
        }
    }

    #[inline]
    fn settle_one(&mut self, old: &[u8], index: usize) -> Result<(), NoFit> {
        let Some(&Field { at, width, ref covers, pad }) = self.fields.get(index) else { return Ok(()) };
        let (growth, end) = (self.growth(covers), covers.end);
        if growth == 0 {
            return Ok(());
        }
        let len = old_len(old, at, width, covers.len()).saturating_add_signed(growth);
        let Written { octets, len: new, skip, was } = length(old, at, width, len)?;
        self.put(at + skip, was, octets, new)?;
        match pad {
            // RFC 4666 §3.2: the parameter is padded to four, its length does not say so.
            Some(pad) => self.put(end, pad, [0; 4], len.next_multiple_of(4) - len),
            None => Ok(()),
        }
    }

    /// `len` of `octets` come in place of `old` octets at `at`.
    #[inline]
    fn put(&mut self, at: usize, old: usize, octets: [u8; 4], len: usize) -> Result<(), NoFit> {
        let over = Over { at, octets, len: len.min(4) as u8 };
        if len != old {
            return self.put_longer(over, old);
        }
        // From field to field it goes outward, so that nearly each lies in front of all before. Two fields in one place: only octets that
        // lie about their layout have that.
        let is_free = at + len <= self.lowest || self.is_free(&over);
        if !is_free || self.overs.len() >= 2 * EDITS {
            return Err(NoFit::Changes);
        }
        self.lowest = self.lowest.min(at);
        self.overs.push(over);
        Ok(())
    }

    #[inline(never)]
    fn is_free(&self, over: &Over) -> bool {
        let (at, end) = (over.at, over.at + usize::from(over.len));
        let apart = |start: usize, stop: usize| end <= start || at >= stop || end == at;
        self.cuts.iter().all(|cut| apart(cut.range.start, cut.range.end))
            && self.overs.iter().all(|over| apart(over.at, over.at + usize::from(over.len)))
    }

    /// A field that takes another number of octets than the `old` ones.
    #[inline(never)]
    fn put_longer(&mut self, over: Over, old: usize) -> Result<(), NoFit> {
        let start = self.octets.len();
        let end = start + usize::from(over.len);
        if end > OCTETS {
            return Err(NoFit::Changes);
        }
        self.octets.extend_from_slice(over.octets());
        self.cut(Edit { range: over.at..over.at + old, octets: start..end })
    }

    /// Keeps what moves octets in order of place; of two insertions at one place the later comes behind.
    fn cut(&mut self, edit: Edit) -> Result<(), NoFit> {
        let key = |edit: &Edit| (edit.range.start, edit.range.end);
        let place = self.cuts.iter().rposition(|known| key(known) <= key(&edit)).map_or(0, |before| before + 1);
        let (before, behind) = (place.checked_sub(1).and_then(|n| self.cuts.get(n)), self.cuts.get(place));
        let free = before.is_none_or(|cut| cut.range.end <= edit.range.start)
            && behind.is_none_or(|cut| edit.range.end <= cut.range.start);
        if !free || self.cuts.len() >= 3 * EDITS {
            return Err(NoFit::Changes);
        }
        self.moved = self.moved.start.min(edit.range.start)..self.moved.end.max(edit.range.end);
        self.grown += edit.growth();
        self.lowest = self.lowest.min(edit.range.start);
        self.cuts.insert(place, edit);
        Ok(())
    }

    /// Writes `old` with all changes into `out` (appended, never beyond its capacity).
    pub fn apply(&mut self, old: &[u8], out: &mut Vec<u8>) -> Result<(), NoFit> {
        self.settle(old)?;
        let base = out.len();
        if base + old.len().saturating_add_signed(self.grown) > out.capacity() {
            return Err(NoFit::Changes);
        }
        let mut at = 0;
        for cut in &self.cuts {
            let (Some(kept), Some(new)) = (old.get(at..cut.range.start), self.octets.get(cut.octets.clone())) else {
                return Err(NoFit::Changes); // two changes overlap: cannot happen, and must not go out if it does
            };
            out.extend_from_slice(kept);
            out.extend_from_slice(new);
            at = cut.range.end;
        }
        out.extend_from_slice(old.get(at..).ok_or(NoFit::Changes)?);
        let written = out.get_mut(base..).unwrap_or_default();
        for edit in self.edits.iter().filter(|edit| edit.growth() == 0) {
            overwrite(&self.cuts, written, edit.range.start, self.octets.get(edit.octets.clone()).unwrap_or_default())?;
        }
        self.overs.iter().try_for_each(|over| overwrite(&self.cuts, written, over.at, over.octets()))
    }
}

/// Low bits of a key of the order, which hold the number of a field.
const INDEX: u64 = EDITS as u64 - 1;

impl Edit {
    fn growth(&self) -> isize {
        self.octets.len().cast_signed() - self.range.len().cast_signed()
    }
}

/// Writes octets over those that stood at `at` before anything moved.
fn overwrite(cuts: &[Edit], written: &mut [u8], at: usize, octets: &[u8]) -> Result<(), NoFit> {
    let moved: isize = cuts.iter().take_while(|cut| cut.range.end <= at).map(Edit::growth).sum();
    let at = at.saturating_add_signed(moved);
    match (written.get_mut(at..at + octets.len()).ok_or(NoFit::Changes)?, octets) {
        // An octet or two, nearly always: a call to copy them would cost more.
        ([to], [from]) => *to = *from,
        ([high, low], [first, last]) => (*high, *low) = (*first, *last),
        (to, from) => to.copy_from_slice(from),
    }
    Ok(())
}

/// A field's new octets: `len` of them in place of `was`, `skip` octets behind its first.
struct Written {
    octets: [u8; 4],
    len: usize,
    skip: usize,
    was: usize,
}

/// A field of this width that says `len`.
#[inline]
fn length(old: &[u8], at: usize, width: Width, len: usize) -> Result<Written, NoFit> {
    let wide = u32::try_from(len).unwrap_or(u32::MAX);
    let [_, b1, b2, b3] = wide.to_be_bytes();
    let max = match width {
        Width::One => 255,
        Width::Two | Width::TwoLittle | Width::Ber(_) => 0xffff,
        Width::Four | Width::Indicator | Width::Extended => usize::MAX,
    };
    if len > max || matches!(width, Width::Ber(10..)) {
        return Err(NoFit::Field { need: len, max });
    }
    let (octets, len, skip, was) = match width {
        Width::One => ([b3, 0, 0, 0], 1, 0, 1),
        Width::Two => ([b2, b3, 0, 0], 2, 0, 2),
        Width::TwoLittle => ([b3, b2, 0, 0], 2, 0, 2),
        Width::Four => (wide.to_be_bytes(), 4, 0, 4),
        Width::Indicator => {
            let spare = old.get(at).copied().unwrap_or(0) & 0xc0;
            ([spare | if wide > 63 { 63 } else { b3 }, 0, 0, 0], 1, 0, 1)
        }
        Width::Extended => {
            let spare = old.get(at + 1).copied().unwrap_or(0) & 0xfe;
            let [low, high] = u16::try_from(len).unwrap_or(511).min(511).to_le_bytes();
            ([low, spare | high, 0, 0], 2, 0, 2)
        }
        Width::Ber(1) if len < 0x80 => ([b3, 0, 0, 0], 1, 0, 1),
        Width::Ber(octets @ 0..=2) if len < 0x100 => ([0x81, b3, 0, 0], 2, 0, usize::from(octets)),
        Width::Ber(octets @ 0..=3) => ([0x82, b2, b3, 0], 3, 0, usize::from(octets)),
        // A form with leading zeros keeps its size, and its zeros.
        Width::Ber(octets) => ([b1, b2, b3, 0], 3, usize::from(octets) - 3, 3),
    };
    Ok(Written { octets, len, skip, was })
}

/// What a field says before the change; `covered` octets where it may say no more than that they are many.
#[inline]
fn old_len(old: &[u8], at: usize, width: Width, covered: usize) -> usize {
    let [b0, b1, b2, b3] = old.get(at..).and_then(|rest| rest.first_chunk().copied()).unwrap_or_else(|| {
        let mut octets = [0; 4];
        octets.iter_mut().zip(old.get(at..).unwrap_or_default()).for_each(|(to, from)| *to = *from);
        octets
    });
    let two = |high: u8, low: u8| usize::from(u16::from_be_bytes([high, low]));
    match width {
        Width::One => usize::from(b0),
        Width::Two => two(b0, b1),
        Width::Four => two(b0, b1) << 16 | two(b2, b3),
        Width::TwoLittle => two(b1, b0),
        Width::Indicator | Width::Extended => covered,
        Width::Ber(0 | 1) => usize::from(b0 & 0x7f),
        Width::Ber(2) => usize::from(b1),
        Width::Ber(3) => two(b1, b2),
        Width::Ber(octets) => {
            let octets = old.get(at + 1..at + usize::from(octets)).unwrap_or_default();
            octets.iter().fold(0, |sum, &octet| sum << 8 | usize::from(octet))
        }
    }
}

#[cfg(test)]
mod tests;
