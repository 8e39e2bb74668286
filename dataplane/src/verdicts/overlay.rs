//! What changed since the snapshot: the same words in the same buckets, one writer, readers that never wait.
//!
//! Slots are only ever filled, never handed to another key; what is taken back stays as a word that says nothing. When the overlay is full
//! the writer builds a new snapshot.

use super::build::Rule;
use super::keys::{Key, Place, Word};
use super::pattern::{Kind, Pattern};
use super::slots::{Full, Line, SLOTS, Slots};
use super::{Entry, Layer, Snapshot};
use crate::suffix::Suffixes;
use crate::verdict::Verdict;
use std::sync::{Mutex, OnceLock};

/// The table of changes. Readers share it; writers take turns.
#[derive(Debug)]
pub struct Overlay {
    snapshot_id: u64,
    slots: Slots,
    entries: Box<[OnceLock<Stored>]>,
    writer: Mutex<usize>,
}

const _: () = assert!(size_of::<Line>() == 64);

#[derive(Debug)]
struct Stored {
    pattern: String,
    verdict: Verdict,
    category: String,
    source: String,
    senders: String,
    note: String,
    expires: Option<u64>,
    layer: Layer,
}

/// Why a rule was not taken into an overlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// No room: build a new snapshot.
    Full,
    /// A feed's rule where a local decision of the snapshot stands.
    LocalStands,
    /// Made for another snapshot: the overlay's, the one given.
    OtherSnapshot(u64, u64),
}

impl core::fmt::Display for NotTaken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Full => f.write_str("the overlay is full: build a new snapshot"),
            Self::LocalStands => f.write_str("a local decision stands there"),
            Self::OtherSnapshot(ours, theirs) => write!(f, "overlay of snapshot {ours:016x}, this is snapshot {theirs:016x}"),
        }
    }
}

impl core::error::Error for NotTaken {}

impl Overlay {
    /// An empty overlay of that snapshot with room for `entries` changes of hosts with a label or two below their registrable domain. All its
    /// memory is taken here.
    pub fn new(snapshot_id: u64, entries: usize) -> Self {
        Self::with_words(snapshot_id, entries, entries * 3)
    }

    /// The same with room for so many words: a change takes its own and one for each name above it, up to its registrable domain.
    pub fn with_words(snapshot_id: u64, entries: usize, words: usize) -> Self {
        // Load 0.6 as in the snapshot.
        let lines = (words * 10).div_ceil(6 * SLOTS);
        Self {
            snapshot_id,
            slots: Slots::new(lines),
            entries: (0..entries).map(|_| OnceLock::new()).collect(),
            writer: Mutex::new(0),
        }
    }

    /// The snapshot whose changes these are.
    pub const fn snapshot_id(&self) -> u64 {
        self.snapshot_id
    }

    /// Whether nothing has changed.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Entries in it, those replaced since included.
    pub fn len(&self) -> usize {
        self.entries.iter().take_while(|entry| entry.get().is_some()).count()
    }

    /// The word of a key, with the number of its entry.
    #[inline]
    pub fn find(&self, place: Place) -> Option<(u32, Word)> {
        self.slots.find(place)
    }

    /// Takes a rule: in one step for readers, the nodes that lead to it first. `rule.verdict` `None` (no platform) takes the pattern's
    /// entry back: what the snapshot said of it no longer counts. Ended rules are the caller's to leave out.
    ///
    /// # Errors
    /// No room, a feed's rule under a local decision of the snapshot, or another snapshot.
    pub fn set(&self, rule: &Rule<'_>, snapshot: &Snapshot, key: &Key, suffixes: &Suffixes) -> Result<(), NotTaken> {
        if snapshot.id() != self.snapshot_id {
            return Err(NotTaken::OtherSnapshot(self.snapshot_id, snapshot.id()));
        }
        let kind = Pattern::kind_of(rule.pattern);
        let name = rule.pattern.trim_start_matches(['=', '@']);
        let host = if kind == Kind::Path { name.split('/').next().unwrap_or(name) } else { name };
        if rule.layer == Layer::Feed && local_covers(rule.pattern, host, snapshot, key) {
            return Err(NotTaken::LocalStands);
        }
        // A poisoned lock is a writer that panicked between two whole steps: what it published is complete.
        let mut used = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(entry) = self.entries.get(*used) else { return Err(NotTaken::Full) };
        let stored = Stored {
            pattern: rule.pattern.trim_start_matches('@').to_owned(),
            verdict: rule.verdict,
            category: rule.category.to_owned(),
            source: rule.source.to_owned(),
            senders: rule.senders.to_owned(),
            note: rule.note.to_owned(),
            expires: rule.expires,
            layer: rule.layer,
        };
        if entry.set(stored).is_err() {
            return Err(NotTaken::Full);
        }
        *used += 1;
        let number = u32::try_from(*used).map_err(|_| NotTaken::Full)?;
        let bound = rule.verdict == Verdict::Safe && !rule.senders.is_empty();
        let taken_back = rule.verdict == Verdict::None && kind != Kind::Platform;
        let cold = if bound || taken_back { Word::COLD } else { 0 };
        // A suffix covers what is below it only by a local word that is not `safe`, as in the snapshot.
        let alone =
            kind == Kind::Host && suffixes.is_suffix(host) && (rule.layer == Layer::Feed || rule.verdict == Verdict::Safe);
        let flags = cold | if alone { Word::EXACT } else { 0 };
        let root = suffixes.registrable(host).unwrap_or(host);
        let depth = host.len() - root.len();
        let parents = host.match_indices('.').map(|(dot, _)| dot + 1).filter(|&at| kind != Kind::Scheme && at <= depth);
        for parent in parents.filter_map(|at| host.get(at..)) {
            self.publish(key.hash(parent), Verdict::None, Word::FINER, 0)?;
        }
        match kind {
            Kind::Platform => self.publish(key.hash(host), Verdict::None, Word::PLATFORM, 0)?,
            Kind::Exact | Kind::Path => self.publish(key.hash(host), Verdict::None, Word::FINER, 0)?,
            Kind::Host | Kind::Scheme => {}
        }
        self.publish(key.pattern(rule.pattern), rule.verdict, flags, number)
    }

    /// Writes one word: a node's flags are added to what stands there, an entry's verdict replaces it.
    fn publish(&self, place: Place, verdict: Verdict, flags: u64, number: u32) -> Result<(), NotTaken> {
        let structure = Word::FINER | Word::PLATFORM;
        let make = |old: Word| match number {
            0 => Word::new(place.tag(), old.verdict(), old.0 & 15 | flags),
            _ => Word::new(place.tag(), verdict, flags | old.0 & structure),
        };
        self.slots.publish(place, number, make).map_err(|Full| NotTaken::Full)
    }

    /// An entry by its number; an empty one for a number that is none.
    pub fn entry(&self, number: u32) -> Entry<'_> {
        let stored = self.entries.get(number as usize).and_then(OnceLock::get);
        stored.map_or_else(Entry::default, |s| Entry {
            pattern: &s.pattern,
            verdict: s.verdict,
            category: &s.category,
            source: &s.source,
            senders: &s.senders,
            expires: s.expires,
            note: &s.note,
            layer: s.layer,
        })
    }
}

/// Whether a local decision of the snapshot stands at the pattern or above it. `safe` does not reach below a platform, and nothing reaches
/// below what the operator calls one.
fn local_covers(pattern: &str, host: &str, snapshot: &Snapshot, key: &Key) -> bool {
    let path = pattern.len() > host.len() && pattern.starts_with(host);
    let (mut platform, mut own) = (false, false);
    let mut local = |text: &str, below: bool| {
        // No pattern's host has a label that begins with a sign, so that a host is no other pattern.
        let Some((slot, word)) = snapshot.find(key.pattern(text)) else { return false };
        let above = own;
        if word.has(Word::PLATFORM) && text != pattern {
            platform = true;
            let apart = || snapshot.find(key.hash_all(Kind::Platform, &[text])).map(|(slot, _)| slot);
            let entry = if word.says() { apart() } else { Some(slot) };
            own |= entry.is_some_and(|slot| snapshot.entry(slot).layer == Layer::Local);
        }
        let stopped = above || own && (below || path) || below && word.has(Word::EXACT);
        let says = word.says() && !word.is_expired() && !stopped;
        says && !(platform && word.verdict() == Verdict::Safe) && snapshot.entry(slot).layer == Layer::Local
    };
    if local(pattern, false)
        || pattern.rmatch_indices('/').any(|(at, _)| at > host.len() && pattern.get(..at).is_some_and(|p| local(p, false)))
    {
        return true;
    }
    let parents = host.match_indices('.').filter_map(|(dot, _)| host.get(dot + 1..));
    // The host's own word goes first: it says whether this is a platform.
    local(host, false) || local(&format!("={host}"), false) || { parents }.any(|name| local(name, true))
}
