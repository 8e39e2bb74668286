//! Follows a verdict directory on a thread of its own: what changed is read, checked against the limits, and handed over as a table.
//!
//! The console writes the directory and cannot be trusted beyond the limits of the root-owned configuration. A snapshot is read into memory and
//! checked to the last octet before anything sees it; an overlay is read whole, so that a change is in force whole.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use dataplane::suffix::Suffixes;
use dataplane::verdicts::{OpenError, Overlay, Refused, Snapshot, Table};
use xxhash_rust::xxh3::xxh3_64;

use crate::build;
use crate::config::live::ChangeLimits;

/// Snapshots that this process took and would take again.
const REMEMBERED: usize = 16;
/// An overlay that could not be read is tried again: it may have been read while it was written.
const AGAIN: Duration = Duration::from_secs(1);

/// What changed.
pub enum News {
    /// This table is to be in force.
    Table(Box<Table>, &'static str),
    /// Something was refused, and why; what was in force stays so.
    Refused(&'static str, String),
    /// All is well with this again.
    Well(&'static str),
}

/// Alarms of the directory.
pub const SNAPSHOT_ALARM: &str = "verdicts-refused";
/// The overlay could not be taken.
pub const OVERLAY_ALARM: &str = "overlay-refused";

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

/// The following side.
pub struct Follow {
    dir: PathBuf,
    suffixes: Suffixes,
    limits: ChangeLimits,
    snapshot: Option<Arc<Snapshot>>,
    seen: [Option<Option<Stamp>>; 2],
    tried: Instant,
    failing: bool,
    taken: VecDeque<u64>,
    /// Snapshots that were gone back from: not taken again while one is the directory's.
    shunned: Vec<u64>,
    decisions: VecDeque<(Instant, u64)>,
    overlay_lines: u64,
}

impl Follow {
    /// Nothing is read yet.
    pub fn new(dir: &Path, suffixes: Suffixes, limits: ChangeLimits) -> Self {
        Self {
            dir: dir.to_owned(),
            suffixes,
            limits,
            snapshot: None,
            seen: [None, None],
            tried: Instant::now(),
            failing: false,
            taken: VecDeque::new(),
            shunned: Vec::new(),
            decisions: VecDeque::new(),
            overlay_lines: 0,
        }
    }

    /// Looks once; hands over what changed since the last time. Cheap when nothing did.
    pub fn look(&mut self, mut give: impl FnMut(News)) {
        let now = [stamp(&self.dir.join("snapshot")), stamp(&self.dir.join("overlay"))];
        let again = self.failing && self.tried.elapsed() >= AGAIN;
        let [snapshot_seen, overlay_seen] = self.seen;
        let snapshot_changed = snapshot_seen != Some(now[0]);
        if !snapshot_changed && overlay_seen == Some(now[1]) && !again {
            return;
        }
        self.seen = now.map(Some);
        self.tried = Instant::now();
        self.failing = false;
        if snapshot_changed {
            match self.read_snapshot(&self.dir.join("snapshot")) {
                Ok(Some(snapshot)) => {
                    // Another one: what was gone back from is past.
                    self.shunned.clear();
                    self.take(snapshot);
                    give(News::Well(SNAPSHOT_ALARM));
                }
                Ok(None) => {}
                Err(why) => {
                    self.failing = now[0].is_some();
                    give(News::Refused(SNAPSHOT_ALARM, why));
                }
            }
        }
        self.overlay(if snapshot_changed { "snapshot" } else { "overlay" }, &mut give);
    }

    /// Goes back to the snapshot before the present one, and stays there until the directory has another.
    ///
    /// # Errors
    /// There is none, or it cannot be read.
    pub fn go_back(&mut self, give: impl FnMut(News)) -> Result<u64, String> {
        let present = self.snapshot.as_ref().map(|snapshot| snapshot.id());
        for n in 1..=build::KEPT {
            let path = self.dir.join(format!("snapshot.{n}"));
            let Ok(snapshot) = Snapshot::read_into_memory(&path) else { continue };
            if Some(snapshot.id()) == present || self.shunned.contains(&snapshot.id()) {
                continue;
            }
            self.check(&snapshot)?;
            let id = snapshot.id();
            self.shunned.extend(present);
            self.take(snapshot);
            let mut give = give;
            self.overlay("rollback", &mut give);
            return Ok(id);
        }
        Err(format!("{}: no earlier snapshot to go back to", self.dir.display()))
    }

    fn take(&mut self, snapshot: Snapshot) {
        if !self.taken.contains(&snapshot.id()) {
            self.taken.push_back(snapshot.id());
            if self.taken.len() > REMEMBERED {
                self.taken.pop_front();
            }
        }
        self.snapshot = Some(Arc::new(snapshot));
        self.overlay_lines = 0;
    }

    /// The snapshot, if it is another and may be taken.
    fn read_snapshot(&self, path: &Path) -> Result<Option<Snapshot>, String> {
        let said = |error: OpenError| format!("{}: {error}", path.display());
        let snapshot = Snapshot::read_into_memory(path).map_err(said)?;
        let id = snapshot.id();
        if self.snapshot.as_ref().is_some_and(|present| present.id() == id) || self.shunned.contains(&id) {
            return Ok(None);
        }
        self.check(&snapshot)?;
        if let (Some(present), limit @ 1..) = (&self.snapshot, self.limits.snapshot_entries) {
            let changes = changes(present, &snapshot);
            if changes > limit && !self.taken.contains(&id) {
                return Err(format!("{}: {changes} entries changed, the limit is {limit}", path.display()));
            }
        }
        Ok(Some(snapshot))
    }

    fn check(&self, snapshot: &Snapshot) -> Result<(), String> {
        let key = build::read_key(&self.dir).map_err(|error| error.to_string())?;
        let refused = |why: Refused| format!("{}: {why}", self.dir.display());
        snapshot.verify().map_err(refused)?;
        snapshot.fits(key.check(), dataplane::canonical::RULES_VERSION.into(), self.suffixes.id()).map_err(refused)
    }

    /// Puts the snapshot in force with what was decided since.
    fn overlay(&mut self, cause: &'static str, give: &mut impl FnMut(News)) {
        let Some(snapshot) = self.snapshot.clone() else { return };
        let read = build::read_key(&self.dir)
            .and_then(|key| build::overlay::read(&self.dir, &snapshot, &key, &self.suffixes).map(|overlay| (key, overlay)));
        let (key, overlay) = match read {
            Ok((key, overlay)) => (key, overlay),
            Err(error) => {
                self.failing = true;
                give(News::Refused(OVERLAY_ALARM, error.to_string()));
                // A new snapshot is in force all the same, without what was decided about another.
                let Ok(key) = build::read_key(&self.dir) else { return };
                if cause == "overlay" {
                    return;
                }
                (key, None)
            }
        };
        if let Err(why) = self.within_a_minute(overlay.as_ref()) {
            give(News::Refused(OVERLAY_ALARM, why));
            self.failing = true;
            return;
        }
        match Table::new(snapshot, overlay, key, &self.suffixes) {
            Ok(table) => {
                if !self.failing {
                    give(News::Well(OVERLAY_ALARM));
                }
                give(News::Table(Box::new(table), cause));
            }
            Err(why) => give(News::Refused(SNAPSHOT_ALARM, why.to_string())),
        }
    }

    fn within_a_minute(&mut self, overlay: Option<&Overlay>) -> Result<(), String> {
        let lines = overlay.map_or(0, Overlay::len) as u64;
        let fresh = lines.saturating_sub(self.overlay_lines);
        self.decisions.retain(|(at, _)| at.elapsed() < Duration::from_secs(60));
        let minute: u64 = self.decisions.iter().map(|(_, n)| n).sum();
        let limit = self.limits.overlay_a_minute;
        if limit > 0 && minute + fresh > limit && self.overlay_lines + minute > 0 {
            return Err(format!("{}: {} decisions within a minute, the limit is {limit}", self.dir.display(), minute + fresh));
        }
        self.decisions.push_back((Instant::now(), fresh));
        self.overlay_lines = lines;
        Ok(())
    }
}

/// Entries that one snapshot has and the other has not, or has otherwise: the larger side.
fn changes(old: &Snapshot, new: &Snapshot) -> u64 {
    let (old, new) = (prints(old), prints(new));
    let (mut a, mut b) = (old.iter().peekable(), new.iter().peekable());
    let (mut removed, mut added) = (0, 0);
    loop {
        match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if x == y => {
                a.next();
                b.next();
            }
            (Some(x), Some(y)) if x < y => {
                removed += 1;
                a.next();
            }
            (_, Some(_)) => {
                added += 1;
                b.next();
            }
            (Some(_), None) => {
                removed += 1;
                a.next();
            }
            (None, None) => return u64::max(removed, added),
        }
    }
}

fn prints(snapshot: &Snapshot) -> Vec<u64> {
    let mut text = String::new();
    let print = |(slot, _)| {
        let entry = snapshot.entry(slot);
        text.clear();
        for part in [entry.pattern, "\0", entry.verdict.name(), "\0", entry.senders] {
            text.push_str(part);
        }
        (!entry.pattern.is_empty()).then(|| xxh3_64(text.as_bytes()))
    };
    let mut prints: Vec<u64> = snapshot.words().filter_map(print).collect();
    prints.sort_unstable();
    prints
}

#[cfg(test)]
#[path = "follow/tests.rs"]
mod tests;
