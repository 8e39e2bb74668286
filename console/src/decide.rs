//! Local decisions: who said what of which pattern, why, and until when. They beat every feed at their pattern and below.
//!
//! A decision is published in the overlay and never built into a snapshot: taken back, what feeds say of it counts again at once. What a
//! decision replaced at the same pattern stands again when it is undone, or ends by itself.

mod alone;
mod effect;

use dataplane::suffix::Suffixes;
use dataplane::verdict::Verdict;
use dataplane::verdicts::pattern::{Buffers, Kind, Pattern};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use alone::{may_alone, needs_two};
pub(crate) use effect::is_at_or_below;
pub use effect::{Covered, Effect, effect};

use crate::audit::{Actor, CONSOLE};
use crate::brakes::{self, What};
use crate::store::{Changed, Store};
use crate::{Error, Result, time};

/// Decisions in force at most: the filter reads them all at each change. More belong in a list of our own (`feed set NAME FILE --own`).
pub const MOST: i64 = 200_000;
/// Octets of a decision's pattern, category and senders: a line of the overlay, which its reader bounds at
/// [`control::lists::LONGEST_LINE`], whatever is quoted.
const MOST_OCTETS: usize = 16 * 1024;
/// Why a decision ended that another one took the place of.
const REPLACED: &str = "another decision at the same pattern";

/// What can be said of a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The pattern, in any spelling that [`Pattern::written`] takes.
    pub pattern: String,
    /// `safe`, `dangerous`, `unknown`; empty for a platform (`@host`).
    pub verdict: String,
    /// Category, free words.
    #[serde(default)]
    pub category: String,
    /// For whom alone a `safe` holds.
    #[serde(default)]
    pub senders: Vec<String>,
    /// Why.
    pub reason: String,
    /// When it ends, Unix seconds.
    #[serde(default)]
    pub expires: Option<i64>,
}

/// A decision as it stands in the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Its number.
    pub id: i64,
    /// Key string of its pattern.
    pub pattern: String,
    /// `safe`, `dangerous`, `unknown`, or `platform`.
    pub verdict: String,
    /// Category.
    pub category: String,
    /// Senders of a `safe`, separated by `|`.
    pub senders: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub author: String,
    /// When, Unix seconds.
    pub decided: i64,
    /// When it ends by itself.
    pub expires: Option<i64>,
    /// The decision that stood there before.
    pub replaces: Option<i64>,
    /// When it ended; `None`: in force.
    pub ended: Option<i64>,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// Why.
    pub ended_why: Option<String>,
}

impl Decision {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            pattern: row.get(1)?,
            verdict: row.get(2)?,
            category: row.get(3)?,
            senders: row.get(4)?,
            reason: row.get(5)?,
            author: row.get(6)?,
            decided: row.get(7)?,
            expires: row.get(8)?,
            replaces: row.get(9)?,
            ended: row.get(10)?,
            ended_by: row.get(11)?,
            ended_why: row.get(12)?,
        })
    }

    /// What it says; `None` for a platform.
    pub fn verdict(&self) -> Verdict {
        verdict(&self.verdict).unwrap_or_default()
    }
}

pub(crate) fn verdict(text: &str) -> Option<Verdict> {
    [Verdict::Safe, Verdict::Dangerous, Verdict::Unknown].into_iter().find(|verdict| verdict.name() == text)
}

/// A draft that may be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The pattern in its one spelling.
    pub pattern: Pattern,
    /// The registrable domain of its host; the host where it has none.
    registrable: String,
    draft: Draft,
}

/// Why a host belongs to nobody alone, if it is a public suffix.
pub(crate) fn is_everybodys(host: &str, suffixes: &Suffixes) -> Option<String> {
    // An address is its own domain (`[::1]` has no label that a list could know).
    let is_suffix = !host.starts_with('[') && suffixes.is_suffix(host);
    let why = if suffixes.is_private(host) { "whoever likes has a name there" } else { "everybody registers names there" };
    is_suffix.then(|| format!("{host} is a public suffix: {why}"))
}

/// Reads a draft: the pattern is brought to its one spelling, and what no list may say is refused with the reason.
///
/// # Errors
/// What is wrong, and what would be right.
pub fn check(draft: &Draft, table: &dataplane::verdicts::Table, suffixes: &Suffixes, now: i64) -> Result<Checked> {
    let pattern = Pattern::written(&draft.pattern, &mut Buffers::default())
        .map_err(|why| Error::Refused(format!("pattern {:?}: {why}", draft.pattern)))?;
    let host = pattern.key.trim_start_matches(['=', '@']).split('/').next().unwrap_or_default().to_owned();
    let said = verdict(&draft.verdict);
    if pattern.kind == Kind::Platform {
        if !draft.verdict.is_empty() && draft.verdict != "platform" {
            return Error::refused(format!(
                "{}: a platform has no verdict of its own; decide about ={host} beside it",
                pattern.key
            ));
        }
    } else if said.is_none() {
        return Error::refused(format!("verdict {:?}: safe, dangerous or unknown", draft.verdict));
    }
    if matches!(pattern.kind, Kind::Host | Kind::Exact)
        && said == Some(Verdict::Safe)
        && let Some(why) = is_everybodys(&host, suffixes)
    {
        return Error::refused(format!("{why}, and none of them would be safe by this"));
    }
    if pattern.kind == Kind::Host && said == Some(Verdict::Safe) && table.is_platform(&host) {
        return Error::refused(format!(
            "{host} is a platform: what it hosts stands for itself. Say ={host} for its own page, or a path of it"
        ));
    }
    if pattern.kind == Kind::Scheme && said == Some(Verdict::Safe) && pattern.key.ends_with(':') {
        return Error::refused(format!("{} may lead anywhere: say which, as tel:+441632960000", pattern.key));
    }
    if !draft.senders.is_empty() && said != Some(Verdict::Safe) {
        return Error::refused("senders go with safe only");
    }
    if let Some(sender) = draft.senders.iter().find(|sender| sender.trim().is_empty() || sender.contains(['|', ';', '\n'])) {
        return Error::refused(format!("sender {sender:?}: a name or number without | and ;"));
    }
    if draft.reason.trim().is_empty() {
        return Error::refused("a decision has a reason: who reads it in a year must know why");
    }
    let octets = pattern.key.len() + draft.category.len() + draft.senders.iter().map(|sender| sender.len() + 1).sum::<usize>();
    if octets > MOST_OCTETS {
        return Error::refused(format!(
            "pattern, category and senders have {octets} octets, {MOST_OCTETS} at most: filters read them as one line"
        ));
    }
    // As a list's line says it would be read.
    let bits = pattern.key.strip_prefix(&format!("{host}/")).is_some_and(|tail| tail.parse::<u8>().is_ok());
    if bits && host.parse::<std::net::Ipv4Addr>().is_ok() {
        return Error::refused(format!("{}: a range of addresses has no verdict, an address has", draft.pattern));
    }
    if draft.expires.is_some_and(|end| end <= now) {
        return Error::refused(format!("it would have ended at {}", time::shown(draft.expires.unwrap_or_default())));
    }
    let registrable = suffixes.registrable(&host).unwrap_or(&host).to_owned();
    Ok(Checked { pattern, registrable, draft: draft.clone() })
}

impl Checked {
    /// Writes it into the database, in the transaction of a change. Returns the decision, and the one that it replaces.
    ///
    /// # Errors
    /// The database's, or too many in force.
    pub fn write(&self, transaction: &Transaction<'_>, author: &str) -> Result<(Decision, Option<Decision>)> {
        let now = time::now();
        let before = at(transaction, &self.pattern.key)?;
        if before.is_none()
            && transaction
                .query_row("SELECT count(*) FROM decisions WHERE ended IS NULL", [], |row| row.get(0))
                .map(|n: i64| n >= MOST)?
        {
            return Error::refused(format!(
                "{MOST} decisions are in force, and no more than that may be: put lasting ones into a list of your own (`feed set NAME FILE --own`)"
            ));
        }
        if let Some(before) = &before {
            end(transaction, before.id, author, REPLACED, now)?;
        }
        if author != CONSOLE {
            brakes::meant(transaction, &What::Entry(self.pattern.key.clone()))?;
        }
        let draft = &self.draft;
        let said = if self.pattern.kind == Kind::Platform { "platform" } else { &draft.verdict };
        let senders = draft.senders.iter().map(|sender| sender.trim()).collect::<Vec<_>>().join("|");
        let id = transaction.query_row(
            "INSERT INTO decisions (pattern, verdict, category, senders, reason, author, decided, expires, replaces)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id",
            (
                &self.pattern.key,
                said,
                &draft.category,
                senders,
                draft.reason.trim(),
                author,
                now,
                draft.expires,
                before.as_ref().map(|d| d.id),
            ),
            |row| row.get(0),
        )?;
        Ok((one(transaction, id)?, before))
    }
}

fn end(connection: &Connection, id: i64, by: &str, why: &str, now: i64) -> Result<()> {
    connection.execute("UPDATE decisions SET ended = ?2, ended_by = ?3, ended_why = ?4 WHERE id = ?1", (id, now, by, why))?;
    Ok(())
}

/// What stands again at its pattern once a decision ends: the last one before it that another took the place of, has not ended by its own
/// time since, and whose proposal was not taken out, nor waits for people again.
fn below(connection: &Connection, decision: &Decision, now: i64) -> Result<Option<Decision>> {
    let sql = "SELECT 1 FROM verified JOIN proposals ON proposals.id = proposal
               WHERE decision = ?1 AND state NOT IN ('verified', 'ended')";
    let mut next = decision.replaces;
    while let Some(id) = next {
        let before = one(connection, id)?;
        let was_replaced = before.ended_why.as_deref() == Some(REPLACED);
        let is_on = was_replaced && before.expires.is_none_or(|end| end > now);
        if is_on && !connection.prepare_cached(sql)?.exists([id])? {
            return Ok(Some(before));
        }
        next = before.replaces;
    }
    Ok(None)
}

/// Ends a decision and lets stand again what it had taken the place of, which is returned as it stands.
fn take_out(connection: &Connection, decision: &Decision, by: &str, why: &str, now: i64) -> Result<Option<Decision>> {
    end(connection, decision.id, by, why, now)?;
    let Some(before) = below(connection, decision, now)? else { return Ok(None) };
    connection.execute("UPDATE decisions SET ended = NULL, ended_by = NULL, ended_why = NULL WHERE id = ?1", [before.id])?;
    one(connection, before.id).map(Some)
}

/// What would stand again if a decision in force were taken back.
///
/// # Errors
/// There is none of that number, or it is not in force; the database's.
pub fn would_stand(connection: &Connection, id: i64, now: i64) -> Result<Option<Decision>> {
    below(connection, &in_force_still(connection, id)?, now)
}

fn in_force_still(connection: &Connection, id: i64) -> Result<Decision> {
    let decision = one(connection, id)?;
    match decision.ended {
        Some(ended) => Error::refused(format!("decision {id} is not in force: it ended at {}", time::shown(ended))),
        None => Ok(decision),
    }
}

/// Decides. In force as soon as it is published.
///
/// # Errors
/// A `safe` that one person may not say alone; the database's.
pub fn decide(store: &Store, actor: &Actor, checked: Checked) -> Result<Decision> {
    let author = actor.name.clone();
    store.change(actor, "decide", move |transaction| {
        may_alone(transaction, &checked)?;
        let (decision, before) = checked.write(transaction, &author)?;
        let subject = decision.pattern.clone();
        Ok(Changed { subject, detail: json!({ "before": before, "after": decision }), value: decision })
    })
}

/// Takes a decision back: what it took the place of stands again, if that has not ended meanwhile. Both as they are then.
///
/// # Errors
/// There is none of that number, or it is not in force; what stands again is a `safe` that one person may not say alone; the database's.
pub fn undo(store: &Store, actor: &Actor, id: i64, why: &str) -> Result<(Decision, Option<Decision>)> {
    let (author, why) = (actor.name.clone(), why.to_owned());
    store.change(actor, "undo", move |transaction| {
        let decision = in_force_still(transaction, id)?;
        let before = take_out(transaction, &decision, &author, &why, time::now())?;
        // Who takes his own word back changes nothing but that.
        if let Some(before) = before.as_ref().filter(|_| decision.author != author) {
            alone::may_bring_back(transaction, before)?;
        }
        brakes::meant(transaction, &What::Entry(decision.pattern.clone()))?;
        let subject = decision.pattern.clone();
        let detail = json!({ "before": decision, "after": before, "reason": why });
        Ok(Changed { subject, detail, value: (one(transaction, id)?, before) })
    })
}

/// Ends what has expired: what it took the place of stands again. Returns how many.
///
/// # Errors
/// The database's.
pub fn expire(store: &Store, now: i64) -> Result<usize> {
    let due = store.read(|state| {
        let mut due = state.prepare_cached("SELECT * FROM decisions WHERE ended IS NULL AND expires <= ?1")?;
        Ok(due.query_map([now], Decision::of)?.collect::<Result<Vec<_>, _>>()?)
    })?;
    let count = due.len();
    for decision in due {
        store.change(&Actor::console("schedule"), "expire", move |transaction| {
            let after = take_out(transaction, &decision, CONSOLE, "expired", now)?;
            Ok(Changed { subject: decision.pattern, detail: json!({ "decision": decision.id, "after": after }), value: () })
        })?;
    }
    Ok(count)
}

/// One by its number.
///
/// # Errors
/// There is none; the database's.
pub fn one(connection: &Connection, id: i64) -> Result<Decision> {
    let found = connection.prepare_cached("SELECT * FROM decisions WHERE id = ?1")?.query_row([id], Decision::of).optional()?;
    found.ok_or_else(|| Error::NotFound(format!("there is no decision {id}: `ztsms-console decisions` lists them")))
}

/// The one in force at this very pattern.
///
/// # Errors
/// The database's.
pub fn at(connection: &Connection, pattern: &str) -> Result<Option<Decision>> {
    let mut found = connection.prepare_cached("SELECT * FROM decisions WHERE pattern = ?1 AND ended IS NULL")?;
    Ok(found.query_row([pattern], Decision::of).optional()?)
}

/// Those in force, or all, newest first.
///
/// # Errors
/// The database's.
pub fn list(connection: &Connection, all: bool, most: usize) -> Result<Vec<Decision>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut found = connection.prepare_cached("SELECT * FROM decisions WHERE ?1 OR ended IS NULL ORDER BY id DESC LIMIT ?2")?;
    Ok(found.query_map((all, most), Decision::of)?.collect::<Result<_, _>>()?)
}

/// What the overlay is made of: every decision in force, by pattern.
pub(crate) fn in_force(connection: &Connection) -> Result<Vec<Decision>> {
    let mut found = connection.prepare_cached("SELECT * FROM decisions WHERE ended IS NULL ORDER BY pattern")?;
    Ok(found.query_map([], Decision::of)?.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests;
