//! Steps from an empty file to this version's shape. A step that stands in a release is never changed: add one at the end.

use rusqlite::{Connection, TransactionBehavior};

use crate::{Error, Result};

/// Each step once, in this order, by name.
const STEPS: [(&str, &str); 11] = [
    ("001-core", include_str!("001-core.sql")),
    ("002-api", include_str!("002-api.sql")),
    ("010-verify", include_str!("010-verify.sql")),
    ("020-census", include_str!("020-census.sql")),
    ("021-triage", include_str!("021-triage.sql")),
    ("022-links", include_str!("022-links.sql")),
    ("023-bulk", include_str!("023-bulk.sql")),
    ("024-rules", include_str!("024-rules.sql")),
    ("025-live", include_str!("025-live.sql")),
    ("026-tries", include_str!("026-tries.sql")),
    ("027-senders", include_str!("027-senders.sql")),
];

/// Brings the file to the present shape.
///
/// # Errors
/// The file is damaged, or knows a step that this program does not.
pub(super) fn run(connection: &mut Connection) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY) STRICT")?;
    let done: Vec<String> =
        transaction.prepare("SELECT name FROM migrations")?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if let Some(later) = done.iter().find(|name| !STEPS.iter().any(|(known, _)| known == name)) {
        return Err(Error::Refused(format!("console.db is of a later version (step {later}): use that version's ztsms-console")));
    }
    for (name, step) in STEPS.iter().filter(|(name, _)| !done.iter().any(|done| done == name)) {
        transaction.execute_batch(step)?;
        transaction.execute("INSERT INTO migrations (name) VALUES (?1)", [name])?;
    }
    transaction.commit()?;
    Ok(())
}
