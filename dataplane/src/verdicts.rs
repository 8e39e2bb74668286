//! The verdict table: what lists say of a link, in one cache line for nearly all links.
//!
//! A [`Snapshot`] is an immutable file, an [`Overlay`] holds what changed since; a [`Table`] is both. Keys are fingerprints under a secret
//! [`Key`] that lies beside the file. How a verdict is found, the format and the odds of a false match are in `docs/verdicts.md`.

pub mod build;
#[cfg(test)]
mod cost;
mod format;
mod judge;
pub mod keys;
mod map;
mod overlay;
pub mod pattern;
pub mod regular;
mod sip;
mod slots;
mod snapshot;
pub mod synthetic;
#[cfg(test)]
mod tests;

use core::sync::atomic;

pub use format::{FORMAT_VERSION, Header, Refused};
pub use judge::{Pending, is_app_package};
pub use keys::Key;
pub use overlay::{NotTaken, Overlay};
pub use snapshot::{OpenError, Snapshot};

use crate::canonical::{Folder, RULES_VERSION};
use crate::suffix::Suffixes;
use crate::verdict::{Reason, Verdict};
use std::sync::Arc;

/// Source of an overlay's entry that says of a short link what its target is worth. `safe` holds for exactly that link.
pub const EXPANSION: &str = "expansion";

/// Who said it. Local decisions beat feeds on what they cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Layer {
    /// A list by others.
    #[default]
    Feed = 0,
    /// The operator.
    Local = 1,
}

/// An entry as it was written, from the cold part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry<'t> {
    /// The pattern (a platform's without its `@`).
    pub pattern: &'t str,
    /// What it says; `None` for a platform.
    pub verdict: Verdict,
    /// Category, free words.
    pub category: &'t str,
    /// Which list.
    pub source: &'t str,
    /// For whom alone a `safe` holds, separated by `|`; empty: for all.
    pub senders: &'t str,
    /// When it ends, Unix seconds.
    pub expires: Option<u64>,
    /// Whatever its author noted.
    pub note: &'t str,
    /// Who said it.
    pub layer: Layer,
}

impl Entry<'_> {
    /// Whether a `safe` holds for this sender: as written, case and all; a number with or without its `+`.
    pub fn holds_for(&self, sender: &str) -> bool {
        let plain = |s: &str| s.strip_prefix('+').unwrap_or(s).len();
        let tail = |s: &'_ str| s.len() - plain(s);
        let bare = sender.get(tail(sender)..).unwrap_or_default();
        self.senders.is_empty() || self.senders.split('|').any(|s| !bare.is_empty() && s.get(tail(s)..) == Some(bare))
    }
}

/// Points at an entry of the table that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryRef {
    /// A slot of the snapshot.
    Snapshot(u64),
    /// An entry of the overlay.
    Overlay(u32),
}

/// What the table says of one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The rule that gave it.
    pub reason: Reason,
    /// The entry behind it, if there is one.
    pub entry: Option<EntryRef>,
    /// An app package on a host that is not safe: category `app`.
    pub app: bool,
    /// Octets of the host's end that are its registrable domain; 0 where it has none.
    pub registrable_octets: u32,
}

impl Judgement {
    /// The registrable domain of the host that was judged: found on the way, so that nobody searches twice.
    pub fn registrable<'h>(&self, host: &'h str) -> Option<&'h str> {
        judge::tail(host, self.registrable_octets)
    }
}

/// Buffers of a look-up, kept and used again.
#[derive(Debug, Default)]
pub struct KeyScratch {
    folder: Folder,
}

/// Snapshot and overlay under one key.
#[derive(Debug)]
pub struct Table {
    snapshot: Arc<Snapshot>,
    overlay: Arc<Overlay>,
    key: Key,
    /// Sources whose `dangerous` does not count.
    suspended: Arc<[Box<str>]>,
}

impl Table {
    /// Joins a snapshot with its overlay, or with an empty one.
    ///
    /// # Errors
    /// The snapshot was made with another key, other rules or another suffix list, or the overlay belongs to another snapshot.
    pub fn new(
        snapshot: impl Into<Arc<Snapshot>>,
        overlay: Option<Overlay>,
        key: Key,
        suffixes: &Suffixes,
    ) -> Result<Self, Refused> {
        let snapshot = snapshot.into();
        snapshot.fits(key.check(), RULES_VERSION.into(), suffixes.id())?;
        let overlay = overlay.unwrap_or_else(|| Overlay::new(snapshot.id(), 0));
        if overlay.snapshot_id() != snapshot.id() {
            return Err(Refused::Overlay(overlay.snapshot_id(), snapshot.id()));
        }
        Ok(Self { snapshot, overlay: overlay.into(), key, suspended: Arc::default() })
    }

    /// The immutable part.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The same table again: both parts are shared.
    #[must_use]
    pub fn share(&self) -> Self {
        let (snapshot, overlay, suspended) = (Arc::clone(&self.snapshot), Arc::clone(&self.overlay), Arc::clone(&self.suspended));
        Self { snapshot, overlay, key: self.key.clone(), suspended }
    }

    /// The table in which what these sources call dangerous is unknown, whatever was suspended before.
    #[must_use]
    pub fn without_sources(mut self, sources: &[String]) -> Self {
        self.suspended = sources.iter().map(|source| source.as_str().into()).collect();
        self
    }

    /// What changed since.
    pub fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// What stands behind a reference of this table.
    pub fn entry(&self, at: EntryRef) -> Entry<'_> {
        match at {
            EntryRef::Snapshot(slot) => self.snapshot.entry(slot),
            EntryRef::Overlay(n) => self.overlay.entry(n),
        }
    }
}
