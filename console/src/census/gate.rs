//! The gate before filters act: not while too many links are unknown. People who are warned of everything stop to read warnings.

use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::audit::Actor;
use crate::sources::{fact, set_fact};
use crate::store::{Changed, Store};
use crate::{Result, time};

/// The share of unknown among messages with links above which filters are not let act, unless somebody sets another.
pub const MOST_UNKNOWN: f64 = 0.15;
const FACT: &str = "most-unknown";
/// What stands in `DIR/observe` until somebody lets filters act for the first time.
pub const NOBODY_YET: &str = "nobody has let filters act yet: `ztsms-console enforce`";

/// One time that filters were let act.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// When, Unix seconds.
    pub time: i64,
    /// Who.
    pub author: String,
    /// The share of unknown then; none where nothing was counted yet.
    pub share: Option<f64>,
    /// The share that was allowed.
    pub most: f64,
    /// Why it was forced, if it was.
    pub forced: Option<String>,
}

/// The share above which filters are not let act.
///
/// # Errors
/// The database's.
pub fn most_unknown(state: &Connection) -> Result<f64> {
    Ok(fact(state, FACT)?.and_then(|text| text.parse().ok()).unwrap_or(MOST_UNKNOWN))
}

/// Who raised that share, and why: whoever raises it opens the gate by so much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// When, Unix seconds.
    pub time: i64,
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
}

/// Who raised the share that is allowed; none where it is not above [`MOST_UNKNOWN`].
///
/// # Errors
/// The database's.
pub fn raised(state: &Connection) -> Result<Option<Raised>> {
    if most_unknown(state)? <= MOST_UNKNOWN {
        return Ok(None);
    }
    let sql = "SELECT time, author, detail ->> 'reason' FROM audit
               WHERE verb = 'most-unknown' AND detail ->> 'reason' IS NOT NULL ORDER BY seq DESC LIMIT 1";
    let row = state
        .prepare_cached(sql)?
        .query_row([], |row| Ok(Raised { time: row.get(0)?, author: row.get(1)?, reason: row.get(2)? }));
    Ok(row.optional()?)
}

/// Sets it; `reason` where it is raised.
///
/// # Errors
/// The database's.
pub fn set_most_unknown(store: &Store, actor: &Actor, most: f64, reason: Option<String>) -> Result<()> {
    store.change(actor, "most-unknown", move |transaction| {
        let before = most_unknown(transaction)?;
        set_fact(transaction, FACT, &most.to_string())?;
        let detail = json!({ "before": before, "after": most, "reason": reason });
        Ok(Changed { subject: "all filters".to_owned(), detail, value: () })
    })
}

/// The last time that filters were let act.
///
/// # Errors
/// The database's.
pub fn last(state: &Connection) -> Result<Option<Gate>> {
    let sql = "SELECT time, author, share, most, forced FROM gates ORDER BY id DESC LIMIT 1";
    let row = state.prepare_cached(sql)?.query_row([], |row| {
        Ok(Gate { time: row.get(0)?, author: row.get(1)?, share: row.get(2)?, most: row.get(3)?, forced: row.get(4)? })
    });
    Ok(row.optional()?)
}

/// Writes down that filters are let act.
///
/// # Errors
/// The database's.
pub fn pass(store: &Store, actor: &Actor, share: Option<f64>, most: f64, forced: Option<String>) -> Result<Gate> {
    let gate = Gate { time: time::now(), author: actor.name.clone(), share, most, forced };
    let verb = if gate.forced.is_some() { "enforce-forced" } else { "enforce" };
    store.change(actor, verb, move |transaction| {
        let row = (gate.time, &gate.author, gate.share, gate.most, &gate.forced);
        transaction.execute("INSERT INTO gates (time, author, share, most, forced) VALUES (?1, ?2, ?3, ?4, ?5)", row)?;
        Ok(Changed { subject: "all filters".to_owned(), detail: json!(gate), value: gate.clone() })
    })
}
