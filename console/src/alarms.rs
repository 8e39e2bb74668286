//! What is wrong now and somebody should look at: raised and cleared, kept over restarts.

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
