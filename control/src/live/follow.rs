//! Follows a verdict directory on a thread of its own: what changed is read, checked against the limits, and handed over as a table.
//!
//! The console writes the directory and cannot be trusted beyond the limits of the root-owned configuration. A snapshot is read into memory,
//! aside so that decisions do not wait for it, and checked to the last octet before anything sees it; an overlay is read whole, so that a
//! change is in force whole. Where the configuration names the console's public key, what it did not sign is refused, and so is an older
//! overlay than one that was in force. The last three snapshots are kept in the filter's own state directory: to go back to, and to begin with when the directory cannot be read.

mod changes;
mod kept;
mod load;
mod observe;
mod sequence;

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use dataplane::policy::Protected;
use dataplane::suffix::Suffixes;
use dataplane::verdicts::{Snapshot, Table};

use crate::build::signed::{Verifier, What};
use crate::build::suspended::Suspended;
use crate::build::{self, overlay, senders};
use crate::clock::Clock;
use crate::config::live::ChangeLimits;
use changes::Decisions;
use kept::Kept;
use load::Load;
pub use observe::{Observe, Suspensions, follow as follow_observe};
use sequence::Sequence;

/// Snapshots that this process took and would take again.
const REMEMBERED: usize = 16;
/// An overlay that could not be read is tried again: it may have been read while it was written.
const AGAIN: Duration = Duration::from_secs(1);

/// What changed.
pub enum News {
    /// This table is to be in force.
    Table(Box<Table>, &'static str),
    /// These protected senders are, beside those of the configuration.
    Senders(Vec<Protected>),
    /// Everything is only observed, and why; or no longer.
    Observe(Option<String>),
    /// These sources and rules are out of force, and no others.
    Suspended(Suspended),
    /// Something was refused, and why; what was in force stays so.
    Refused(&'static str, String),
    /// All is well with this again.
    Well(&'static str),
}

/// Alarms of the directory.
pub const SNAPSHOT_ALARM: &str = "verdicts-refused";
/// The overlay could not be taken.
pub const OVERLAY_ALARM: &str = "overlay-refused";
/// What is suspended could not be read.
pub const SUSPENDED_ALARM: &str = "suspended-refused";
/// What is in force could not be kept.
pub const KEPT_ALARM: &str = "verdicts-kept";
/// The wall clock jumped.
pub const CLOCK_ALARM: &str = "clock";

fn off(seconds: i64) -> String {
    let way = if seconds > 0 { "ahead of" } else { "behind" };
    format!("the wall clock jumped and is {} s {way} this filter's time: no decision and no record ends by it", seconds.abs())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    len: u64,
    inode: u64,
}

fn stamp(path: &Path) -> Option<Stamp> {
    let meta = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let inode = 0;
    Some(Stamp { modified: meta.modified().ok(), len: meta.len(), inode })
}

/// What a filter's configuration says of the directory.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// The largest change that is taken.
    pub limits: ChangeLimits,
    /// The console's key: what it did not sign is refused.
    pub verifier: Option<Verifier>,
    /// Where the last snapshots are kept; none: they are not.
    pub state_dir: Option<PathBuf>,
}

/// What [`SNAPSHOT_ALARM`] stands for: it is over when none of them is so.
#[derive(Clone, Copy, Debug, Default)]
struct Refusals {
    snapshot: bool,
    key: bool,
}

/// The following side.
pub struct Follow {
    dir: PathBuf,
    suffixes: Suffixes,
    terms: Terms,
    kept: Option<Kept>,
    sequence: Sequence,
    snapshot: Option<Arc<Snapshot>>,
    /// Of the snapshot, the overlay, the senders.
    seen: [Option<Option<Stamp>>; 3],
    loading: Option<JoinHandle<Result<Option<Snapshot>, String>>>,
    tried: Instant,
    failing: bool,
    /// Whether the directory's snapshot, or its key, is refused as it stands.
    refused: Refusals,
    taken: VecDeque<u64>,
    /// Snapshots that were gone back from: not taken again while one is the directory's.
    shunned: Vec<u64>,
    changes: VecDeque<(Instant, u64)>,
    /// What was accepted last, and its octets.
    decisions: Option<Decisions>,
    accepted: Option<String>,
    senders: Vec<Protected>,
    /// When the first of the decisions ends, Unix seconds.
    next_end: Option<u64>,
    clock: Clock,
    /// As [`Clock::jumped`] at the last look.
    jumped: Option<i64>,
}

impl Follow {
    /// Nothing is read yet.
    pub fn new(dir: &Path, suffixes: Suffixes, terms: Terms) -> Self {
        let kept = terms.state_dir.as_ref().map(|state| Kept::new(state));
        let sequence = |verifier: &Verifier| Sequence::of(verifier.public(), terms.state_dir.as_deref());
        Self {
            dir: dir.to_owned(),
            suffixes,
            sequence: terms.verifier.as_ref().map(sequence).unwrap_or_default(),
            snapshot: None,
            seen: [None; 3],
            loading: None,
            tried: Instant::now(),
            failing: false,
            refused: Refusals::default(),
            taken: VecDeque::new(),
            shunned: kept.as_ref().map(Kept::shunned).unwrap_or_default(),
            changes: VecDeque::new(),
            decisions: None,
            accepted: None,
            senders: Vec::new(),
            next_end: None,
            clock: Clock::default(),
            jumped: None,
            terms,
            kept,
        }
    }

    /// Looks once; hands over what changed since the last time. Cheap when nothing did. A snapshot is read aside: it is in force at the first
    /// look after it was read.
    pub fn look(&mut self, mut give: impl FnMut(News)) {
        let now = ["snapshot", "overlay", "senders"].map(|name| stamp(&self.dir.join(name)));
        let again = self.failing && self.tried.elapsed() >= AGAIN;
        let changed = |n: usize| self.seen.get(n).zip(now.get(n)).is_some_and(|(seen, now)| *seen != Some(*now));
        let (snapshot_changed, decisions_changed) = (changed(0), changed(1) || changed(2));
        let seconds = self.clock.seconds();
        let jumped = self.clock.jumped();
        if jumped.is_some() != self.jumped.is_some() {
            give(jumped.map_or(News::Well(CLOCK_ALARM), |by| News::Refused(CLOCK_ALARM, off(by))));
        }
        self.jumped = jumped;
        let ended = self.next_end.is_some_and(|end| seconds >= end);
        if (snapshot_changed || again && self.snapshot.is_none()) && self.loading.is_none() {
            self.seen[0] = Some(now[0]);
            self.begin_to_load(&mut give);
        }
        let loaded = self.loaded(&mut give);
        if let Some(trouble) = self.kept.as_mut().and_then(Kept::trouble) {
            give(trouble.map_or(News::Well(KEPT_ALARM), |why| News::Refused(KEPT_ALARM, why)));
        }
        if !(decisions_changed || loaded || again || ended) {
            return;
        }
        (self.seen[1], self.seen[2]) = (Some(now[1]), Some(now[2]));
        (self.tried, self.failing) = (Instant::now(), false);
        self.decide(if loaded { "snapshot" } else { "overlay" }, &mut give);
    }

    /// Whether a snapshot is being read.
    pub fn is_loading(&self) -> bool {
        self.loading.is_some()
    }

    /// Goes back to the snapshot before the present one, and stays there until the directory has another.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn go_back(&mut self, mut give: impl FnMut(News)) -> Result<u64, String> {
        let present = self.snapshot.as_ref().map(|snapshot| snapshot.id());
        let own = self.kept.as_ref().map(Kept::snapshots).unwrap_or_default();
        let theirs = (1..=build::KEPT).map(|n| self.dir.join(format!("snapshot.{n}")));
        for (path, ours) in own.into_iter().map(|path| (path, true)).chain(theirs.map(|path| (path, false))) {
            let Ok(snapshot) = Snapshot::read_into_memory(&path) else { continue };
            if Some(snapshot.id()) == present || self.shunned.contains(&snapshot.id()) {
                continue;
            }
            self.load().check(&snapshot, ours)?;
            let id = snapshot.id();
            self.shunned.extend(present);
            if let Some(kept) = &self.kept {
                kept.shun(&self.shunned);
            }
            self.take(Arc::new(snapshot));
            self.decide("rollback", &mut give);
            return Ok(id);
        }
        Err(format!("{}: no earlier snapshot to go back to", self.dir.display()))
    }

    fn load(&self) -> Load {
        Load {
            dir: self.dir.clone(),
            suffixes: self.suffixes.clone(),
            terms: self.terms.clone(),
            present: self.snapshot.clone(),
            taken: self.taken.iter().copied().collect(),
            shunned: self.shunned.clone(),
            doubted: self.refused.snapshot,
        }
    }

    /// What was refused is so no longer.
    fn well(&mut self, give: &mut impl FnMut(News)) {
        if !self.refused.snapshot && !self.refused.key {
            give(News::Well(SNAPSHOT_ALARM));
        }
    }

    fn begin_to_load(&mut self, give: &mut impl FnMut(News)) {
        let load = self.load();
        match std::thread::Builder::new().name("snapshot".to_owned()).spawn(move || load.read()) {
            Ok(thread) => self.loading = Some(thread),
            Err(error) => {
                self.failing = true;
                give(News::Refused(SNAPSHOT_ALARM, format!("{}: no thread to read it: {error}", self.dir.display())));
            }
        }
    }

    /// Takes a snapshot that has been read; whether there was one. Where the directory has none to begin with, the last kept one serves.
    fn loaded(&mut self, give: &mut impl FnMut(News)) -> bool {
        let Some(thread) = self.loading.take_if(|thread| thread.is_finished()) else { return false };
        let read = thread.join().unwrap_or_else(|_| Err("reading a snapshot failed in itself".to_owned()));
        let was_refused = core::mem::replace(&mut self.refused.snapshot, read.is_err());
        match read {
            Ok(Some(snapshot)) => {
                let snapshot = Arc::new(snapshot);
                // Another one: what was gone back from is past.
                let shunned = !core::mem::take(&mut self.shunned).is_empty();
                if let Some(kept) = &mut self.kept {
                    if shunned {
                        kept.shun(&[]);
                    }
                    kept.keep(Arc::clone(&snapshot), &self.dir);
                }
                self.take(snapshot);
                self.well(give);
                return true;
            }
            // The one in force again, or the one that was gone back from: nothing stands there that is refused.
            Ok(None) if was_refused => self.well(give),
            Ok(None) => {}
            Err(why) => {
                self.failing = self.dir.join("snapshot").exists();
                give(News::Refused(SNAPSHOT_ALARM, why));
            }
        }
        let first = if self.snapshot.is_none() { self.kept.as_ref().and_then(|kept| kept.newest(&self.shunned)) } else { None };
        let Some(snapshot) = first.filter(|snapshot| self.load().check(snapshot, true).is_ok()) else { return false };
        self.take(Arc::new(snapshot));
        true
    }

    fn take(&mut self, snapshot: Arc<Snapshot>) {
        if !self.taken.contains(&snapshot.id()) {
            self.taken.push_back(snapshot.id());
            if self.taken.len() > REMEMBERED {
                self.taken.pop_front();
            }
        }
        self.snapshot = Some(snapshot);
    }

    /// Puts the snapshot in force with what was decided since.
    fn decide(&mut self, cause: &'static str, give: &mut impl FnMut(News)) {
        let Some(snapshot) = self.snapshot.clone() else { return };
        let dir = self.dir.clone();
        let key = build::read_key(&dir).or_else(|error| self.kept.as_ref().and_then(Kept::key).ok_or(error));
        let key = match key {
            Ok(key) => key,
            Err(error) => {
                (self.failing, self.refused.key) = (true, true);
                return give(News::Refused(SNAPSHOT_ALARM, error.to_string()));
            }
        };
        let now = self.clock.seconds();
        let parse = |text: &str| overlay::parse(&dir, text, now, &snapshot, &key, &self.suffixes);
        let read = overlay::text(&dir).and_then(|text| {
            let number = self.signed(What::Overlay, text.as_deref())?;
            let parsed = text.as_deref().map(parse).transpose()?;
            let senders = senders::text(&dir)?;
            let numbers = [number, self.signed(What::Senders, senders.as_deref())?];
            let senders = senders.map_or_else(|| Ok(Vec::new()), |text| senders::parse(&dir, &text))?;
            Ok((text, parsed, senders, numbers))
        });
        let (text, parsed, senders, numbers) = match read {
            Ok(read) => read,
            Err(error) => {
                self.failing = true;
                give(News::Refused(OVERLAY_ALARM, error.to_string()));
                // A new snapshot is in force all the same, with what was accepted last, as far as it fits.
                if cause == "overlay" {
                    return;
                }
                let text = self.accepted.clone().or_else(|| self.kept.as_ref().and_then(Kept::overlay));
                let parsed = text.as_deref().and_then(|text| parse(text).ok());
                (text, parsed, self.senders.clone(), self.sequence.last())
            }
        };
        let (overlay, next_end) = parsed.map_or((None, None), |(overlay, next)| (Some(overlay), next));
        let decisions = Decisions::of(overlay.as_ref(), &senders);
        if let Err(why) = self.within_a_minute(&decisions) {
            self.failing = true;
            return give(News::Refused(OVERLAY_ALARM, why));
        }
        match Table::new(Arc::clone(&snapshot), overlay, key, &self.suffixes) {
            Ok(table) => {
                if !self.failing {
                    give(News::Well(OVERLAY_ALARM));
                }
                if core::mem::take(&mut self.refused.key) {
                    self.well(give);
                }
                (self.decisions, self.accepted, self.next_end) = (Some(decisions), text, next_end);
                self.sequence.took(numbers);
                if self.senders != senders {
                    self.senders.clone_from(&senders);
                    give(News::Senders(senders));
                }
                give(News::Table(Box::new(table), cause));
                if let Some((kept, text)) = self.kept.as_ref().zip(self.accepted.as_ref()) {
                    kept.keep_overlay(text);
                }
            }
            Err(why) => {
                (self.failing, self.refused.key) = (true, true);
                give(News::Refused(SNAPSHOT_ALARM, why.to_string()));
            }
        }
    }

    /// The number of a file, which is signed and no older than what was in force; 0 where no signature is asked for.
    fn signed(&self, what: What, text: Option<&str>) -> Result<u64, build::Error> {
        let Some(verifier) = &self.terms.verifier else { return Ok(0) };
        let number = text.map(|text| verifier.check(&self.dir, what, text.as_bytes())).transpose()?;
        self.sequence.check(&self.dir, what, number)?;
        Ok(number.unwrap_or_default())
    }

    /// Decisions that are made, changed or taken away count, whatever snapshot they stand on. The first ones of a filter that kept none are
    /// measured by nothing.
    fn within_a_minute(&mut self, decisions: &Decisions) -> Result<(), String> {
        let now = self.clock.seconds();
        let kept = || {
            let (kept, snapshot) = (self.kept.as_ref()?, self.snapshot.as_ref()?);
            let key = kept.key()?;
            let text = kept.overlay()?;
            let (overlay, _) = overlay::parse(&self.dir, &text, now, snapshot, &key, &self.suffixes).ok()?;
            Some(Decisions::of(Some(&overlay), &[]))
        };
        let Some(before) = self.decisions.take().or_else(kept) else { return Ok(()) };
        let fresh = decisions.differ_from(&before);
        self.decisions = Some(before);
        self.changes.retain(|(at, _)| at.elapsed() < Duration::from_secs(60));
        let minute: u64 = self.changes.iter().map(|(_, n)| n).sum();
        let limit = self.terms.limits.overlay_a_minute;
        if limit > 0 && minute + fresh > limit && fresh > 0 {
            return Err(format!("{}: {} decisions within a minute, the limit is {limit}", self.dir.display(), minute + fresh));
        }
        self.changes.push_back((Instant::now(), fresh));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
