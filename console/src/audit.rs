//! The audit log: who did what, from where, each line bound to the one before by SHA-256.
//!
//! `hash = SHA-256(hash of the line before ‖ JSON array [seq, time, author, via, verb, subject, detail])`, 32 zero octets before the first.
//! The database refuses to change or delete a line; whoever writes the file itself can only be found out by a head that was kept
//! elsewhere: each new head goes to the log, and [`verify`] takes such heads as anchors.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{Error, Result, time};

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The name: of the user, of the key, `console` where nobody asked.
    pub name: String,
    /// From where: `command line`, `admin socket`, `api`, `schedule`.
    pub via: String,
}

/// The name of the console itself.
pub const CONSOLE: &str = "console";

impl Actor {
    /// The console itself, by its clock or its brakes.
    pub fn console(via: &str) -> Self {
        Self { name: CONSOLE.to_owned(), via: via.to_owned() }
    }
}

/// The end of the log: all that stands before it hangs on this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last line, from 1.
    pub seq: i64,
    /// Its hash.
    pub hash: [u8; 32],
}

impl core::fmt::Display for Head {
    /// `SEQ:HASH`, as `audit verify --anchor` takes it.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}:{}", self.seq, control::record_json::hex(&self.hash))
    }
}

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Its number.
    pub seq: i64,
    /// When, Unix seconds.
    pub time: i64,
    /// Who.
    pub author: String,
    /// From where.
    pub via: String,
    /// What was done.
    pub verb: String,
    /// To what.
    pub subject: String,
    /// Before, after, reason.
    pub detail: Value,
    /// Its hash, hexadecimal.
    pub hash: String,
}

fn hash(before: &[u8; 32], line: &Value) -> [u8; 32] {
    Sha256::new().chain_update(before).chain_update(line.to_string()).finalize().into()
}

/// The end of the log; `None` while it is empty.
///
/// # Errors
/// The database's.
pub fn head(connection: &Connection) -> Result<Option<Head>> {
    let mut last = connection.prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?;
    Ok(last.query_row([], |row| Ok(Head { seq: row.get(0)?, hash: row.get(1)? })).optional()?)
}

/// Adds a line inside the transaction that it tells of.
pub(crate) fn append(connection: &Connection, actor: &Actor, verb: &str, subject: &str, detail: &Value) -> Result<Head> {
    let before = head(connection)?.unwrap_or(Head { seq: 0, hash: [0; 32] });
    let (seq, now) = (before.seq + 1, time::now());
    let hash = hash(&before.hash, &json!([seq, now, actor.name, actor.via, verb, subject, detail]));
    let mut insert = connection.prepare_cached("INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    insert.execute((seq, now, &actor.name, &actor.via, verb, subject, detail.to_string(), hash))?;
    Ok(Head { seq, hash })
}

fn each(connection: &Connection, from: i64, mut give: impl FnMut(Line, [u8; 32]) -> Result<bool>) -> Result<()> {
    let mut lines = connection.prepare("SELECT * FROM audit WHERE seq >= ?1 ORDER BY seq")?;
    let mut rows = lines.query([from])?;
    while let Some(row) = rows.next()? {
        let (detail, hash): (String, [u8; 32]) = (row.get(6)?, row.get(7)?);
        let line = Line {
            seq: row.get(0)?,
            time: row.get(1)?,
            author: row.get(2)?,
            via: row.get(3)?,
            verb: row.get(4)?,
            subject: row.get(5)?,
            detail: serde_json::from_str(&detail).unwrap_or(Value::String(detail)),
            hash: control::record_json::hex(&hash),
        };
        if !give(line, hash)? {
            break;
        }
    }
    Ok(())
}

/// Up to `count` lines from number `from` on.
///
/// # Errors
/// The database's.
pub fn lines(connection: &Connection, from: i64, count: usize) -> Result<Vec<Line>> {
    let mut found = Vec::new();
    each(connection, from, |line, _| {
        found.push(line);
        Ok(found.len() < count)
    })?;
    Ok(found)
}

/// Reads the whole log: every line is bound to the one before, none is missing, and each anchor (`SEQ:HASH`) stands in it.
///
/// # Errors
/// The first line that does not hold, or an anchor that is not met.
pub fn verify(connection: &Connection, anchors: &[String]) -> Result<Option<Head>> {
    let mut before = Head { seq: 0, hash: [0; 32] };
    let same = |anchor: &String| anchor.trim().to_ascii_lowercase();
    let mut unmet: HashSet<String> = anchors.iter().map(same).collect();
    each(connection, 0, |line, kept| {
        if line.seq != before.seq + 1 {
            return Error::refused(format!(
                "audit line {} is missing: the one after {} is {}",
                before.seq + 1,
                before.seq,
                line.seq
            ));
        }
        let Line { seq, time, author, via, verb, subject, detail, .. } = &line;
        let made = hash(&before.hash, &json!([seq, time, author, via, verb, subject, detail]));
        if made != kept {
            return Error::refused(format!(
                "audit line {seq} is not as it was written: its hash does not follow from the line before"
            ));
        }
        before = Head { seq: line.seq, hash: made };
        if !unmet.is_empty() {
            unmet.remove(&before.to_string());
        }
        Ok(true)
    })?;
    match anchors.iter().find(|anchor| unmet.contains(&same(anchor))) {
        Some(anchor) => Error::refused(format!(
            "the log holds together and ends at {before}, but anchor {} is not in it: it was cut or written anew",
            anchor.trim()
        )),
        None => Ok((before.seq > 0).then_some(before)),
    }
}
