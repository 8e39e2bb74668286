//! The census: which hosts stand in the network's messages, how often, to how many, since when. Made from the redacted records of the
//! filter's spool, so that nobody's number and no text is in it.
//!
//! A message counts once, when its last part has arrived, and only on its way to a phone: one from a phone comes again on its way to the
//! other. Copies (change-over, mirrors, two filters of a mated pair, the centre's retries) have one content key and count once while it is
//! remembered, whatever spool they come by. Every table has an
//! end: what would be beyond is counted as `beyond` and has no row.

mod counts;
pub mod distinct;
pub mod follow;
pub mod gate;
pub mod live;
pub mod readiness;
mod record;
pub(crate) mod used;

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use control::spool::Kind;
use rusqlite::Connection;
use serde::Serialize;

use crate::desk::Desk;
use crate::{Error, Result};
use counts::Counts;
use follow::Place;
use record::Sms;

/// Days that are kept, day by day.
pub const DAYS: i64 = 35;
/// A domain that was not seen so many days is forgotten.
pub const FORGOTTEN: i64 = 90;
/// Rows of a day in each table.
pub const MOST_A_DAY: i64 = 50_000;
/// Domains.
pub const MOST_DOMAINS: i64 = 200_000;
/// Content keys remembered: a filter's copies come within minutes.
const REMEMBERED: usize = 1 << 18;

/// One second's reading, or an import's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Records read.
    pub records: u64,
    /// Messages among them that were counted.
    pub messages: u64,
    /// Stretches of segments that were no block.
    pub cuts: u64,
    /// Records that were not what they should be.
    pub strange: u64,
}

/// Content keys of late: what has one of them was seen before, by whatever spool. One reading at a time.
#[derive(Debug, Default)]
pub struct Copies {
    keys: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Copies {
    fn is_new(&mut self, key: u64) -> bool {
        if !self.keys.insert(key) {
            return false;
        }
        self.order.push_back(key);
        if self.order.len() > REMEMBERED
            && let Some(old) = self.order.pop_front()
        {
            self.keys.remove(&old);
        }
        true
    }

    /// Forgets the last ones: they were not counted.
    fn forget(&mut self, count: usize) {
        for _ in 0..count {
            self.order.pop_back().map(|key| self.keys.remove(&key));
        }
    }
}

/// Follows one spool.
#[derive(Debug)]
pub struct Census {
    dir: PathBuf,
}

impl Census {
    /// Of the spool in `dir`.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Reads what was written since, segment by segment, and returns how much that was.
    ///
    /// # Errors
    /// The spool cannot be read, or the database not written: what was not counted is read again.
    pub fn look(&self, desk: &Desk) -> Result<Seen> {
        let (store, suffixes) = (desk.store(), desk.publisher().suffixes());
        follow::is_of(&self.dir, Kind::Spool)?;
        let mut copies = desk.copies().lock().unwrap_or_else(PoisonError::into_inner);
        let stream = follow::stream("spool", &self.dir);
        let mut place = store.read(|state| Place::load(state, &stream))?;
        let mut seen = Seen::default();
        loop {
            let (mut counts, mut fresh) = (Counts::default(), 0);
            let before = place.clone();
            let mut each = |octets: &[u8]| match Sms::parse(octets) {
                Some(Ok(sms)) => {
                    let new = sms.key().is_none_or(|key| {
                        let is_new = copies.is_new(key);
                        fresh += usize::from(is_new);
                        is_new
                    });
                    seen.messages += u64::from(counts.take(&sms, new, suffixes));
                }
                // An event of the signalling: no message.
                None => {}
                Some(Err(())) => counts.strange += 1,
            };
            let done = follow::look(&self.dir, Kind::Spool, None, &mut place, &mut each).map_err(Error::file(&self.dir, "read"));
            let done = done.inspect_err(|_| copies.forget(fresh))?;
            seen.strange += counts.strange;
            seen.records += place.records - before.records;
            seen.cuts += place.cuts - before.cuts;
            if place != before {
                place.strange += counts.strange;
                let (stream, place) = (stream.clone(), place.clone());
                let noted = store.note(move |transaction| {
                    counts.write(transaction)?;
                    place.save(transaction, &stream)
                });
                noted.inspect_err(|_| copies.forget(fresh))?;
            }
            if done {
                return Ok(seen);
            }
        }
    }
}

/// The lines of `/metrics`.
///
/// # Errors
/// The database's.
pub fn metrics(state: &Connection) -> Result<String> {
    use core::fmt::Write as _;
    let mut out = String::new();
    let sums =
        "SELECT coalesce(sum(messages), 0), coalesce(sum(safe), 0), coalesce(sum(unknown), 0), coalesce(sum(dangerous), 0),
        coalesce(sum(copies), 0), coalesce(sum(beyond), 0) FROM census_days WHERE day > (SELECT max(day) FROM census_days) - 7";
    let [messages, safe, unknown, dangerous, copies, beyond] = state.prepare_cached(sums)?.query_row([], |row| {
        let mut all = [0_i64; 6];
        all.iter_mut().enumerate().try_for_each(|(at, to)| row.get(at).map(|value| *to = value))?;
        Ok(all)
    })?;
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# HELP ztsms_census_messages Messages to phones of the last seven days that were counted.");
    let _ = writeln!(out, "# TYPE ztsms_census_messages gauge");
    for (verdict, count) in
        [("none", messages - safe - unknown - dangerous), ("safe", safe), ("unknown", unknown), ("dangerous", dangerous)]
    {
        let _ = writeln!(out, "ztsms_census_messages{{verdict=\"{verdict}\"}} {count}");
    }
    let links = safe + unknown + dangerous;
    if links > 0 {
        let _ = writeln!(out, "# HELP ztsms_census_unknown_share Share of messages with links whose verdict was unknown.");
        let _ = writeln!(out, "# TYPE ztsms_census_unknown_share gauge\nztsms_census_unknown_share {}", share(unknown, links));
    }
    let _ = writeln!(out, "# TYPE ztsms_census_copies gauge\nztsms_census_copies {copies}");
    let _ = writeln!(out, "# TYPE ztsms_census_beyond gauge\nztsms_census_beyond {beyond}");
    let mut followed = state.prepare_cached("SELECT stream, records, cuts, strange, gone FROM followed ORDER BY stream")?;
    let rows = followed
        .query_map([], |row| Ok((row.get::<_, String>(0)?, [row.get::<_, i64>(1)?, row.get(2)?, row.get(3)?, row.get(4)?])))?;
    let _ = writeln!(out, "# TYPE ztsms_followed counter");
    for row in rows {
        let (stream, counts) = row?;
        let stream = stream.replace(['\\', '"', '\n'], "_");
        for (what, count) in ["records", "cuts", "strange", "gone"].iter().zip(counts) {
            let _ = writeln!(out, "ztsms_followed{{stream=\"{stream}\",what=\"{what}\"}} {count}");
        }
    }
    if let Some(gate) = gate::last(state)? {
        let _ = writeln!(
            out,
            "# HELP ztsms_console_enforce_forced Whether filters were let act above the set share of unknown, and by whom."
        );
        let by = gate.author.replace(['\\', '"', '\n'], "_");
        let forced = u8::from(gate.forced.is_some());
        let _ = writeln!(out, "# TYPE ztsms_console_enforce_forced gauge\nztsms_console_enforce_forced{{by=\"{by}\"}} {forced}");
    }
    Ok(out)
}

/// One count as a share of another; 0 of none.
pub(crate) fn share(part: i64, of: i64) -> f64 {
    // Counts of messages: far below 2^52.
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}

#[cfg(test)]
mod tests;
