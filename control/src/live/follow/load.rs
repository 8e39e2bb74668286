//! One snapshot of the directory, read and checked, away from the thread that follows.

use std::path::PathBuf;
use std::sync::Arc;

use dataplane::suffix::Suffixes;
use dataplane::verdicts::{OpenError, Refused, Snapshot};

use super::{Terms, changes};
use crate::build::{self, signed::What};

pub(super) struct Load {
    pub(super) dir: PathBuf,
    pub(super) suffixes: Suffixes,
    pub(super) terms: Terms,
    pub(super) present: Option<Arc<Snapshot>>,
    pub(super) taken: Vec<u64>,
    pub(super) shunned: Vec<u64>,
    /// What stood there last was refused: one that is known is read whole too, before anybody says that all is well.
    pub(super) doubted: bool,
}

impl Load {
    /// The snapshot, if it is another and may be taken.
    pub(super) fn read(&self) -> Result<Option<Snapshot>, String> {
        let path = self.dir.join("snapshot");
        let said = |error: OpenError| format!("{}: {error}", path.display());
        // Nearly always it is another; where it is not, its header says so before the rest is read.
        let known = |id| self.present.as_ref().is_some_and(|present| present.id() == id) || self.shunned.contains(&id);
        if !self.doubted && known(Snapshot::open(&path).map_err(said)?.id()) {
            return Ok(None);
        }
        let snapshot = Snapshot::read_into_memory(&path).map_err(said)?;
        let id = snapshot.id();
        if !self.doubted && self.shunned.contains(&id) {
            return Ok(None);
        }
        self.check(&snapshot, false)?;
        if known(id) {
            return Ok(None);
        }
        if let (Some(present), limit @ 1..) = (&self.present, self.terms.limits.snapshot_entries) {
            let changes = changes::of_snapshots(present, &snapshot);
            if changes > limit && !self.taken.contains(&id) {
                return Err(format!("{}: {changes} entries changed, the limit is {limit}", path.display()));
            }
        }
        Ok(Some(snapshot))
    }

    /// Whether a snapshot is whole, fits this program and the key, and is signed. One that this filter kept was signed when it was taken.
    pub(super) fn check(&self, snapshot: &Snapshot, kept: bool) -> Result<(), String> {
        let said = |error: build::Error| error.to_string();
        let refused = |why: Refused| format!("{}: {why}", self.dir.display());
        snapshot.verify().map_err(refused)?;
        if !kept {
            let key = build::read_key(&self.dir).map_err(said)?;
            snapshot.fits(key.check(), dataplane::canonical::RULES_VERSION.into(), self.suffixes.id()).map_err(refused)?;
            if let Some(verifier) = &self.terms.verifier {
                // An older one is what going back is for; decisions stand in the overlay, whose number is held against the last.
                verifier.check(&self.dir, What::Snapshot, snapshot.octets()).map_err(said)?;
            }
        }
        Ok(())
    }
}
