//! The orders in which the overlay's writer and its readers can meet, tried by `loom` on the very source of the words.
#![allow(unsafe_code)] // a cell that loom watches
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may panic")]

use dataplane::verdict::Verdict;
use dataplane::verdicts::{Key, keys};
use keys::{Place, Word};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{self, AtomicBool, Ordering};
use loom::thread;

#[path = "../src/verdicts/slots.rs"]
#[allow(dead_code, unreachable_pub, reason = "as the library uses it")]
mod slots;

use slots::Slots;

/// What a word leads to, written once: as `OnceLock`, whose contents loom can see being read and written.
struct Once {
    set: AtomicBool,
    entry: UnsafeCell<Option<Stored>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stored {
    key: u64,
    verdict: Verdict,
    bound: bool,
}

// SAFETY: written before `set` is released, read after it was acquired; loom fails the test where that is not so.
unsafe impl Sync for Once {}

impl Once {
    fn new() -> Self {
        Self { set: AtomicBool::new(false), entry: UnsafeCell::new(None) }
    }

    fn set(&self, stored: Stored) {
        // SAFETY: one writer, and readers wait for `set`.
        self.entry.with_mut(|entry| unsafe { *entry = Some(stored) });
        self.set.store(true, Ordering::Release);
    }

    fn get(&self) -> Option<Stored> {
        // SAFETY: nobody writes once `set` is seen.
        self.set.load(Ordering::Acquire).then(|| self.entry.with(|entry| unsafe { *entry }))?
    }
}

struct Table {
    slots: Slots,
    entries: Vec<Once>,
}

impl Table {
    fn new(entries: usize) -> Self {
        // One bucket, so that keys lie side by side.
        Self { slots: Slots::new(1), entries: (0..entries).map(|_| Once::new()).collect() }
    }

    /// As `Overlay::set`: the entry, the node above, then the word.
    fn set(&self, number: usize, parent: Place, place: Place, verdict: Verdict, bound: bool) {
        self.entries[number].set(Stored { key: place.tag(), verdict, bound });
        let finer = |old: Word| Word::new(parent.tag(), old.verdict(), old.0 & 15 | Word::FINER);
        self.slots.publish(parent, 0, finer).unwrap();
        let flags = if bound { Word::COLD } else { 0 };
        let word = |old: Word| Word::new(place.tag(), verdict, flags | old.0 & Word::FINER);
        self.slots.publish(place, u32::try_from(number + 1).unwrap(), word).unwrap();
    }

    /// What a reader makes of a key, and what must hold of it whenever it looks.
    fn read(&self, parent: Place, place: Place) -> Option<Verdict> {
        let (number, word) = self.slots.find(place)?;
        assert!(word.is(place.tag()));
        let entry = self.entries[number as usize].get().expect("a word that is seen leads to its entry");
        assert_eq!(entry.key, place.tag(), "an entry of another key");
        let (_, above) = self.slots.find(parent).expect("the node above is there before what it leads to");
        assert!(above.has(Word::FINER), "a look-up from above would stop short of it");
        // Bound to senders: the entry is asked too, and may be newer than the word.
        if word.verdict() == Verdict::Safe && word.has(Word::COLD) && !(entry.verdict == Verdict::Safe && entry.bound) {
            return Some(Verdict::Unknown);
        }
        Some(word.verdict())
    }
}

/// Threads are interrupted at most twice where they need not be: what loom's authors found to show nearly all faults.
fn every_order(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

fn places() -> (Place, Place, Place) {
    let key = Key::new(&[7; 16]);
    (key.hash("bank.example"), key.hash("login.bank.example"), key.hash("other.example"))
}

#[test]
fn a_word_that_is_seen_leads_to_its_entry_and_its_parent_in_whatever_order() {
    every_order(|| {
        let table = Arc::new(Table::new(2));
        let (parent, place, other) = places();
        let writer = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                table.set(0, parent, place, Verdict::Dangerous, false);
                table.set(1, parent, other, Verdict::Safe, false);
            })
        };
        let first = table.read(parent, place);
        let second = table.read(parent, place);
        assert!(first.is_none() || second == first, "what was seen once stays");
        assert!(matches!(table.read(parent, other), None | Some(Verdict::Safe)));
        writer.join().unwrap();
        assert_eq!((table.read(parent, place), table.read(parent, other)), (Some(Verdict::Dangerous), Some(Verdict::Safe)));
    });
}

#[test]
fn a_verdict_that_changes_is_the_old_or_the_new_one_and_never_a_mixture() {
    every_order(|| {
        let table = Arc::new(Table::new(3));
        let (parent, place, _) = places();
        table.set(0, parent, place, Verdict::Dangerous, false);
        let writer = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                table.set(1, parent, place, Verdict::Safe, true);
                table.set(2, parent, place, Verdict::Dangerous, false);
            })
        };
        assert!(table.read(parent, place).is_some(), "it never disappears");
        // A safe that is bound to senders is never read as one that holds for all: the word says so itself.
        if let Some((_, word)) = table.slots.find(place) {
            assert!(word.verdict() != Verdict::Safe || word.has(Word::COLD));
        }
        writer.join().unwrap();
        assert_eq!(table.read(parent, place), Some(Verdict::Dangerous));
    });
}
