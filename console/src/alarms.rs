//! What is wrong now and somebody should look at: raised and cleared, kept over restarts.

use std::path::Path;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::store::Store;
use crate::{Result, time};

/// One alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its name: `source-openphish`, `clock`, `publish`.
    pub name: String,
    /// What is wrong, for people.
    pub text: String,
    /// Since when, Unix seconds.
    pub since: i64,
}

/// Raises an alarm, or says anew what is wrong.
///
/// # Errors
/// The database's.
pub fn raise(store: &Store, name: &str, text: &str) -> Result<()> {
    let (name, text) = (name.to_owned(), text.to_owned());
    store.note(move |transaction| raise_in(transaction, &name, &text))
}

/// Clears an alarm, if it was raised.
///
/// # Errors
/// The database's.
pub fn clear(store: &Store, name: &str) -> Result<()> {
    if store.read(|state| Ok(state.prepare_cached("SELECT 1 FROM alarms WHERE name = ?1")?.exists([name])?))? {
        let name = name.to_owned();
        store.note(move |transaction| clear_in(transaction, &name))?;
    }
    Ok(())
}

pub(crate) fn raise_in(transaction: &Connection, name: &str, text: &str) -> Result<()> {
    transaction.execute(
        "INSERT INTO alarms VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET text = ?2",
        (name, text, time::now()),
    )?;
    Ok(())
}

pub(crate) fn clear_in(transaction: &Connection, name: &str) -> Result<()> {
    transaction.execute("DELETE FROM alarms WHERE name = ?1", [name])?;
    Ok(())
}

/// All of them, oldest first.
///
/// # Errors
/// The database's.
pub fn all(state: &Connection) -> Result<Vec<Alarm>> {
    let mut found = state.prepare_cached("SELECT name, text, since FROM alarms ORDER BY since, name")?;
    let row = |row: &rusqlite::Row<'_>| Ok(Alarm { name: row.get(0)?, text: row.get(1)?, since: row.get(2)? });
    Ok(found.query_map([], row)?.collect::<Result<_, _>>()?)
}

/// Octets that changes take beside a snapshot.
const ROOM: u64 = 1 << 20;

/// All of them, and `disk` where a data directory has no room for another snapshot: a full disk takes no alarm.
///
/// # Errors
/// The database's.
pub fn now(state: &Connection, dir: &Path) -> Result<Vec<Alarm>> {
    let mut all = all(state)?;
    let snapshot = std::fs::metadata(dir.join("verdicts/snapshot")).map_or(0, |meta| meta.len());
    // Where nobody can say how much is free, the next change does.
    let free = rustix::fs::statvfs(dir).map_or(u64::MAX, |of| of.f_bavail.saturating_mul(of.f_frsize));
    if free < ROOM + snapshot {
        let text = format!(
            "{}: {free} octets are free: the next snapshot takes {snapshot}, and what finds no room is refused",
            dir.display()
        );
        all.push(Alarm { name: "disk".to_owned(), text, since: time::now() });
    }
    Ok(all)
}
