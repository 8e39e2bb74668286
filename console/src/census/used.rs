//! Domains that the most used sender names carry: what a feed says against one waits for a person, as with any protected name.
//!
//! A domain counts by its days, so that no flood of one evening makes one; and by its share of what the name sends, so that a few messages in
//! a well-known name do not.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::FORGOTTEN;
use crate::Result;

/// Sender names that are looked at, by messages with links.
const SENDERS: i64 = 100;
/// Days on which a domain has to have been carried.
const SEEN_DAYS: i64 = 7;
/// Per cent of a name's messages with links that it has to be in.
const SHARE: i64 = 10;
/// Pairs of name and domain that are kept.
const MOST: i64 = 100_000;

/// Messages by day, name and domain.
#[derive(Debug, Default)]
pub(super) struct Used(BTreeMap<(i64, String, String), i64>);

impl Used {
    pub(super) fn add(&mut self, day: i64, sender: &str, domain: &str) {
        *self.0.entry((day, sender.to_owned(), domain.to_owned())).or_default() += 1;
    }

    /// Adds it to what is kept. Returns the days of pairs that there was no room for.
    pub(super) fn write(&self, transaction: &Connection) -> Result<Vec<i64>> {
        let Some(newest) = self.0.keys().map(|(day, ..)| *day).max() else { return Ok(Vec::new()) };
        transaction.prepare_cached("DELETE FROM census_senders WHERE last < ?1")?.execute([newest - FORGOTTEN])?;
        let count = || -> Result<i64> { Ok(transaction.query_row("SELECT count(*) FROM census_senders", [], |row| row.get(0))?) };
        let (mut rows, mut beyond) = (count()?, Vec::new());
        // Days in their order: each is told from the one before.
        for ((day, sender, domain), messages) in &self.0 {
            let sql = "UPDATE census_senders SET messages = messages + ?4, days = days + (last < ?3), last = max(last, ?3)
                       WHERE sender = ?1 AND domain = ?2";
            if transaction.prepare_cached(sql)?.execute((sender, domain, day, messages))? > 0 {
                continue;
            }
            if rows >= MOST {
                // Names made for one day go first.
                transaction.prepare_cached("DELETE FROM census_senders WHERE days = 1 AND last < ?1")?.execute([newest])?;
                rows = count()?;
            }
            if rows >= MOST {
                beyond.push(*day);
                continue;
            }
            let sql = "INSERT INTO census_senders VALUES (?1, ?2, ?3, 1, ?4)";
            rows += i64::try_from(transaction.prepare_cached(sql)?.execute((sender, domain, messages, day))?).unwrap_or_default();
        }
        Ok(beyond)
    }
}

/// The domains, in order.
///
/// # Errors
/// The database's.
pub(crate) fn domains(state: &Connection) -> Result<Vec<String>> {
    let sql = "SELECT DISTINCT domain FROM census_senders JOIN
                   (SELECT sender, sum(messages) AS sent FROM census_senders GROUP BY sender ORDER BY sent DESC, sender LIMIT ?1) USING (sender)
               WHERE days >= ?2 AND messages * 100 >= sent * ?3 ORDER BY domain";
    let mut found = state.prepare_cached(sql)?;
    Ok(found.query_map((SENDERS, SEEN_DAYS, SHARE), |row| row.get(0))?.collect::<Result<_, _>>()?)
}
