//! Who asks the network: `ztsms-fetch`, since the console itself never goes out.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use ztsms_fetch::client::Client;
use ztsms_fetch::protocol::{Evidence, EvidenceOf};

use super::{Proposal, evidence};
use crate::desk::Desk;
use crate::schedule::{self, Schedule};
use crate::{Error, Result, time};

/// Names that are looked into side by side, and at most in one round.
const AT_ONCE: usize = 8;
const ROUND: i64 = 1_000;
/// Where nobody could look, it is tried again after so long, seconds.
const AGAIN: i64 = 600;

/// Time that all the evidence about a name may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// Whoever can collect evidence.
pub trait Gather {
    /// What the network says.
    ///
    /// # Errors
    /// It could not be asked at all.
    fn evidence(&self, of: &EvidenceOf) -> Result<Evidence>;
}

/// The fetcher behind a socket.
#[derive(Clone, Debug)]
pub struct Fetcher {
    /// Where it listens.
    pub socket: PathBuf,
}

impl Fetcher {
    /// The one of a desk.
    pub fn of(desk: &Desk) -> Self {
        Self { socket: desk.fetch().to_owned() }
    }

    fn connect(&self) -> Result<Client> {
        let no = |error| Error::Refused(format!("{}: {error} (does ztsms-fetch run?)", self.socket.display()));
        Client::connect(&self.socket).map_err(no)
    }
}

impl Gather for Fetcher {
    fn evidence(&self, of: &EvidenceOf) -> Result<Evidence> {
        let no = |why: String| Error::Refused(format!("{}: {why}", self.socket.display()));
        let client = &mut self.connect()?;
        client.patience(PATIENCE).map_err(|error| no(error.to_string()))?;
        client.evidence(of).map_err(|error| no(error.to_string()))?.into_result().map_err(|failure| no(failure.to_string()))
    }
}

/// Looks into open proposals of which nothing is known, many side by side. Returns how many that were; of those where nobody could look,
/// that is what is known.
///
/// # Errors
/// The database's.
pub fn open(desk: &Desk) -> Result<usize> {
    let due = desk.store().read(|state| {
        let sql = "SELECT id FROM proposals p WHERE state = 'open' AND (looked IS NULL OR looked <= ?1 AND NOT EXISTS
                   (SELECT 1 FROM evidence e WHERE e.proposal = p.id AND json_extract(e.found, '$.unseen') IS NULL)) ORDER BY id LIMIT ?2";
        let mut ids = state.prepare_cached(sql)?;
        let ids = ids.query_map((time::now() - AGAIN, ROUND), |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
        ids.into_iter().map(|id| super::one(state, id)).collect::<Result<Vec<Proposal>>>()
    })?;
    if due.is_empty() {
        return Ok(0);
    }
    let fetcher = Fetcher::of(desk);
    if let Err(why) = fetcher.connect() {
        evidence::keep_unseen(desk.store(), &due, &why.to_string())?;
        return Ok(due.len());
    }
    let next = AtomicUsize::new(0);
    let look = || {
        while let Some(proposal) = due.get(next.fetch_add(1, Relaxed)) {
            if let Err(why) = evidence::collect(desk.store(), &fetcher, proposal) {
                evidence::keep_unseen(desk.store(), core::slice::from_ref(proposal), &why.to_string())?;
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(look)).collect();
        all.into_iter().try_for_each(|one| one.join().unwrap_or(Err(Error::Stopping)))
    })?;
    Ok(due.len())
}

/// Looks into what is proposed in bulk while `serve` runs.
///
/// # Errors
/// No thread could be made.
pub fn start(desk: Arc<Desk>) -> Result<Schedule> {
    // What could not be written is looked into again.
    schedule::every("gather", Duration::from_secs(1), move || drop(open(&desk)))
}
