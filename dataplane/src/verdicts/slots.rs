//! The words of an overlay: one writer, readers that never wait.
//!
//! A word is published with `Release` when all it leads to is in place, and read with `Acquire`. Slots are only ever filled, never handed
//! to another key. The atomics come from the module above: those of `core` here, those of `loom` in `tests/overlay_orders.rs`, which
//! tries every order in which threads can meet.

use super::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use super::keys::{Place, Word};

/// Words of one bucket: a cache line.
pub(super) const SLOTS: usize = 8;
/// Buckets beyond the home one that a key may lie in.
const REACH: usize = 16;

/// Words by key, each with the number of its entry.
#[derive(Debug)]
pub(super) struct Slots {
    lines: Box<[Line]>,
    /// For each slot the number of its entry, plus one.
    entries_of: Box<[AtomicU32]>,
    words: AtomicUsize,
}

#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Line([AtomicU64; SLOTS]);

/// No free slot within reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Slots {
    /// So many buckets, all empty.
    pub(super) fn new(lines: usize) -> Self {
        Self {
            lines: (0..lines).map(|_| Line::default()).collect(),
            entries_of: (0..lines * SLOTS).map(|_| AtomicU32::new(0)).collect(),
            words: AtomicUsize::new(0),
        }
    }

    /// Whether no word was published yet.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.words.load(Ordering::Acquire) == 0
    }

    /// The word of a key, with the number of its entry.
    #[inline]
    pub(super) fn find(&self, place: Place) -> Option<(u32, Word)> {
        if self.is_empty() {
            return None;
        }
        let (slot, word) = self.slot(place).ok()?;
        // The entry's number is stored before the word: a reader that sees the word sees its entry, or a later one of the same key.
        let entry = self.entries_of.get(slot)?.load(Ordering::Acquire);
        Some((entry.wrapping_sub(1), word))
    }

    /// Where a key lies; else the first free slot of its buckets, if there is one.
    fn slot(&self, place: Place) -> Result<(usize, Word), Option<usize>> {
        let home = usize::try_from(place.bucket(self.lines.len() as u64)).unwrap_or_default();
        for step in 0..REACH.min(self.lines.len()) {
            let bucket = (home + step) % self.lines.len();
            let Some(line) = self.lines.get(bucket) else { break };
            for (n, word) in line.0.iter().enumerate() {
                let word = Word(word.load(Ordering::Acquire));
                if word.is(place.tag()) {
                    return Ok((bucket * SLOTS + n, word));
                }
                if word.0 == 0 {
                    return Err(Some(bucket * SLOTS + n));
                }
            }
        }
        Err(None)
    }

    /// Writes one word, by one writer at a time: `make` gives it from the word that stood there, `number` is its entry's plus one, or 0
    /// where the entry stays.
    pub(super) fn publish(&self, place: Place, number: u32, make: impl FnOnce(Word) -> Word) -> Result<(), Full> {
        let (at, old) = match self.slot(place) {
            Ok(found) => found,
            Err(free) => (free.ok_or(Full)?, Word(0)),
        };
        let (Some(line), Some(entry)) = (self.lines.get(at / SLOTS), self.entries_of.get(at)) else { return Err(Full) };
        let Some(word) = line.0.get(at % SLOTS) else { return Err(Full) };
        if number != 0 {
            entry.store(number, Ordering::Release);
        }
        word.store(make(old).0, Ordering::Release);
        self.words.fetch_add(usize::from(old.0 == 0), Ordering::AcqRel);
        Ok(())
    }
}
