//! Triage of the unknown: what the filter's sealed `work` stream shows, grouped by registrable domain and by campaign, in the order in which
//! people should look at it.
//!
//! A score only orders. Nothing here decides but a person, and subscribers' reports weigh in beside the rest. What is kept has whole links
//! and masked texts in it: it is forgotten two days after it was last seen.

mod arrive;
mod campaign;
pub mod decide;
pub mod rank;
mod work;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use control::spool::{Kind, SecretKey, secret_key};

use crate::census::follow::{self, Place};
use crate::census::live::follow;
use crate::desk::Desk;
use crate::schedule::Schedule;
use crate::{Error, Result, time};
use arrive::Arrived;
use work::Work;

/// Kept so long after it was last seen, seconds.
pub const KEPT: i64 = 2 * 86_400;
/// Hosts of campaigns, and campaigns; the ones that were not seen for longest make room.
pub const MOST: i64 = 20_000;
/// Links of one host in one campaign that are counted one by one.
pub const MOST_LINKS: usize = 32;
pub(crate) const HOUR: i64 = 3_600;

/// Follows one `work` stream.
pub struct Triage {
    dir: PathBuf,
    key: SecretKey,
    looking: Mutex<()>,
}

impl Triage {
    /// Of the stream in `dir`, sealed to the public half of `key`.
    pub fn new(dir: &Path, key: SecretKey) -> Self {
        Self { dir: dir.to_owned(), key, looking: Mutex::default() }
    }

    /// Reads what was written since. Returns how many messages that was.
    ///
    /// # Errors
    /// The stream cannot be read or is sealed for another key, or the database not written: nothing of it is lost then.
    pub fn look(&self, desk: &Desk) -> Result<u64> {
        let (store, suffixes) = (desk.store(), desk.publisher().suffixes());
        let _looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        follow::is_of(&self.dir, Kind::Work)?;
        let stream = follow::stream("work", &self.dir);
        let mut place = store.read(|state| Place::load(state, &stream))?;
        let mut messages = 0;
        loop {
            let (mut arrived, before) = (Arrived::default(), place.clone());
            let mut strange = 0;
            let mut each = |octets: &[u8]| match serde_json::from_slice::<Work>(octets) {
                Ok(work) => messages += u64::from(arrived.take(work, suffixes)),
                Err(_) => strange += 1,
            };
            let key = Some(&self.key);
            let done = follow::look(&self.dir, Kind::Work, key, &mut place, &mut each).map_err(Error::file(&self.dir, "read"))?;
            if place != before {
                place.strange += strange;
                let (stream, place) = (stream.clone(), place.clone());
                let (links, now) = (arrived.take_links(), time::now());
                store.note(move |transaction| {
                    arrived.write(transaction, now)?;
                    place.save(transaction, &stream)
                })?;
                links.iter().for_each(|url| desk.links().offer(url));
            }
            if done {
                return Ok(messages);
            }
        }
    }
}

/// Follows a stream while `serve` runs; `key` is a file with the secret key, as `ztsms spool keygen` makes one.
///
/// # Errors
/// The key cannot be read, or no thread be made.
pub fn start(desk: &Arc<Desk>, dir: &Path, key: &Path) -> Result<Schedule> {
    let dir = std::path::absolute(dir).map_err(Error::file(dir, "find"))?;
    let text = std::fs::read_to_string(key).map_err(Error::file(key, "read"))?;
    let secret = secret_key(text.trim()).map_err(|why| Error::Refused(format!("{}: {why}", key.display())))?;
    // Sealed backups take it along.
    let path = std::path::absolute(key).map_err(Error::file(key, "find"))?.display().to_string();
    desk.store().note(move |transaction| crate::sources::set_fact(transaction, crate::backup::WORK_KEY_FACT, &path))?;
    let triage = Triage::new(&dir, secret);
    let look = move |desk: &Desk| triage.look(desk).map(drop);
    follow(desk, format!("work-{}", dir.display()), look)
}

#[cfg(test)]
mod tests;
