//! How a name comes to be `safe`: somebody proposes it, the network is asked about it, people look at what it says and agree.
//!
//! ```text
//! propose ──> open ──approve (one person, or two)──> verified ──> ended (expired, taken back)
//!              │ ^                                       │
//!           reject └───────────── reopen ──────────── suspended (token lost; registrar or name server changed; silent)
//! ```
//!
//! Only [`approve`] makes a verdict, and only people call it: nothing is safe by popularity, by a redirect or by a machine's guess. The
//! verdict is an ordinary [decision](crate::decide) with author, reason and end; the evidence that it was made by stays beside it.

mod approve;
pub mod bulk;
pub mod evidence;
pub mod gather;
mod likes;
pub(crate) mod needs;
mod room;
pub mod settings;
pub mod watch;

use dataplane::suffix::Suffixes;
use dataplane::verdicts::Table;
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::audit::Actor;
use crate::decide::{self, Checked};
use crate::store::{Changed, Store};
use crate::{Error, Result, time};
pub use approve::{Approved, Word, approve};
pub use needs::{Needs, needs};

/// A verdict holds at most so long: two years.
pub const LONGEST: i64 = 2 * 365 * 86_400;
/// Evidence older than this is collected again before anybody agrees to it: a week.
pub const FRESH: i64 = 7 * 86_400;

/// What is proposed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The name.
    pub host: String,
    /// What is below it too. Two people have to agree, and to say so.
    #[serde(default)]
    pub below: bool,
    /// For whom alone it holds.
    #[serde(default)]
    pub senders: Vec<String>,
    /// Category, free words.
    #[serde(default)]
    pub category: String,
    /// Why: who says that this is theirs.
    pub reason: String,
    /// For how long, in seconds.
    pub holds: i64,
}

/// A proposal as it stands in the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its number.
    pub id: i64,
    /// The name.
    pub host: String,
    /// Its registrable domain; below a platform the name that stands there.
    pub registrable: String,
    /// What is below it too.
    pub below: bool,
    /// For whom alone, separated by `|`.
    pub senders: String,
    /// Category.
    pub category: String,
    /// Why.
    pub reason: String,
    /// Who proposed it.
    pub author: String,
    /// When.
    pub proposed: i64,
    /// What its owner shows as `ztsms-verify=TOKEN`.
    pub token: String,
    /// How long a verdict holds, in seconds.
    pub holds: i64,
    /// `open`, `verified`, `suspended`, `rejected`, `ended`.
    pub state: String,
    /// Why it is in that state.
    pub why: String,
    /// Since when.
    pub changed: i64,
    /// The evidence that it was verified by.
    pub baseline: Option<i64>,
    /// When the network was last asked.
    pub looked: Option<i64>,
    /// Since when the network says nothing about its token.
    pub silent: Option<i64>,
    /// The register or the census that it came from in bulk; empty: by itself.
    pub origin: String,
}

impl Proposal {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            host: row.get("host")?,
            registrable: row.get("registrable")?,
            below: row.get("below")?,
            senders: row.get("senders")?,
            category: row.get("category")?,
            reason: row.get("reason")?,
            author: row.get("author")?,
            proposed: row.get("proposed")?,
            token: row.get("token")?,
            holds: row.get("holds")?,
            state: row.get("state")?,
            why: row.get("why")?,
            changed: row.get("changed")?,
            baseline: row.get("baseline")?,
            looked: row.get("looked")?,
            silent: row.get("silent")?,
            origin: row.get("origin")?,
        })
    }

    /// The patterns that its verdict is for: the name and its `www`, or the name and all below it.
    pub fn patterns(&self) -> Vec<String> {
        match (self.below, self.host.starts_with("www.")) {
            (true, _) => vec![self.host.clone()],
            (false, true) => vec![format!("={}", self.host)],
            (false, false) => vec![format!("={}", self.host), format!("=www.{}", self.host)],
        }
    }

    fn draft(&self, pattern: String, reason: &str) -> decide::Draft {
        decide::Draft {
            pattern,
            verdict: "safe".to_owned(),
            category: self.category.clone(),
            senders: self.senders.split('|').filter(|sender| !sender.is_empty()).map(str::to_owned).collect(),
            reason: format!("verified, proposal {}: {reason}", self.id),
            expires: Some(time::now() + self.holds),
        }
    }

    /// Its decisions, as [`decide::check`] lets them pass: no public suffix, no platform.
    fn checked(&self, reason: &str, table: &Table, suffixes: &Suffixes) -> Result<Vec<Checked>> {
        // A platform is found out by the name and what is below it, whatever the verdict is for.
        let whole = decide::check(&self.draft(self.host.clone(), reason), table, suffixes, time::now());
        whole.map_err(|why| match why {
            Error::Refused(why) if why.contains("is a platform") => {
                Error::Refused(format!("{why}. Platforms are marked, not verified: `ztsms-console decide @{}`", self.host))
            }
            other => other,
        })?;
        // Where everybody has a name, `www` is somebody's like any other.
        let own = |pattern: &String| !suffixes.is_suffix(pattern.trim_start_matches('='));
        self.patterns()
            .into_iter()
            .filter(own)
            .map(|pattern| decide::check(&self.draft(pattern, reason), table, suffixes, time::now()))
            .collect()
    }
}

/// Proposes a name. The token is what its owner is asked to show.
///
/// # Errors
/// It is no name, a public suffix or a platform; it is proposed or verified already; the database's.
pub fn propose(store: &Store, actor: &Actor, draft: &Draft, table: &Table, suffixes: &Suffixes) -> Result<Proposal> {
    let mut proposal = prepare(actor, draft, "", table, suffixes)?;
    store.change(actor, "propose", move |transaction| {
        if let Some(other) = standing(transaction, &proposal.host)? {
            return Error::refused(format!("{} is {} already: proposal {}", other.host, other.state, other.id));
        }
        proposal.id = insert(transaction, &proposal)?;
        // The token proves only by being shown: who reads the log could not use it.
        Ok(Changed { subject: proposal.host.clone(), detail: json!(proposal), value: proposal })
    })
}

/// A proposal that may be made, without a number yet.
fn prepare(actor: &Actor, draft: &Draft, origin: &str, table: &Table, suffixes: &Suffixes) -> Result<Proposal> {
    let host = ztsms_fetch::guard::ascii(&draft.host).map_err(|why| Error::Refused(why.to_string()))?;
    if let Some(sender) = draft.senders.iter().find(|sender| sender.contains('|')) {
        return Error::refused(format!("sender {sender:?}: a name or number without |"));
    }
    if !(86_400..=LONGEST).contains(&draft.holds) {
        return Error::refused("a verdict holds for a day at least and two years at most");
    }
    if draft.reason.trim().is_empty() {
        return Error::refused("a proposal has a reason: who says that the name is theirs");
    }
    let now = time::now();
    let proposal = Proposal {
        id: 0,
        registrable: owned(&host, table, suffixes).to_owned(),
        host,
        below: draft.below,
        senders: draft.senders.iter().map(|sender| sender.trim()).collect::<Vec<_>>().join("|"),
        category: draft.category.clone(),
        reason: draft.reason.trim().to_owned(),
        author: actor.name.clone(),
        proposed: now,
        token: token()?,
        holds: draft.holds,
        state: "open".to_owned(),
        why: "proposed".to_owned(),
        changed: now,
        baseline: None,
        looked: None,
        silent: None,
        origin: origin.to_owned(),
    };
    proposal.checked(&draft.reason, table, suffixes)?;
    Ok(proposal)
}

/// The name that somebody registered: the registrable domain, and below a platform, where it says nothing, the name that stands there.
fn owned<'h>(host: &'h str, table: &Table, suffixes: &Suffixes) -> &'h str {
    let parents = host.match_indices('.').filter_map(|(dot, _)| Some((dot, host.get(dot + 1..)?)));
    let mut below = parents.filter(|(_, parent)| table.is_platform(parent));
    let Some((dot, _)) = below.next() else { return suffixes.registrable(host).unwrap_or(host) };
    let start = host.get(..dot).and_then(|head| head.rfind('.')).map_or(0, |before| before + 1);
    host.get(start..).unwrap_or(host)
}

/// Writes it into the database. Returns its number.
fn insert(transaction: &Connection, p: &Proposal) -> Result<i64> {
    let sql = "INSERT INTO proposals (host, registrable, below, senders, category, reason, author, proposed, token, holds, state, why, changed, origin)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?8, ?13) RETURNING id";
    let row = (
        &p.host,
        &p.registrable,
        p.below,
        &p.senders,
        &p.category,
        &p.reason,
        &p.author,
        p.proposed,
        &p.token,
        p.holds,
        &p.state,
        &p.why,
        &p.origin,
    );
    Ok(transaction.prepare_cached(sql)?.query_row(row, |row| row.get(0))?)
}

/// 128 random bits in hexadecimal.
fn token() -> Result<String> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).map_err(|error| Error::Refused(format!("no random numbers: {error}")))?;
    Ok(control::record_json::hex(&octets))
}

/// Ends a proposal that is open or suspended.
///
/// # Errors
/// It is in another state; the database's.
pub fn reject(store: &Store, actor: &Actor, id: i64, why: &str) -> Result<Proposal> {
    let why = why.to_owned();
    store.change(actor, "reject", move |transaction| {
        let proposal = one(transaction, id)?;
        if !matches!(proposal.state.as_str(), "open" | "suspended") {
            return Error::refused(format!(
                "proposal {id} is {}: a verdict is taken back with `suspend` or `undo`",
                proposal.state
            ));
        }
        enter(transaction, id, "rejected", &why)?;
        let proposal = one(transaction, id)?;
        Ok(Changed { subject: proposal.host.clone(), detail: json!({ "reason": why, "proposal": id }), value: proposal })
    })
}

/// Takes the verdicts of a proposal out of force; nothing that they replaced comes back by it.
///
/// # Errors
/// It is not verified; the database's.
pub fn suspend(store: &Store, actor: &Actor, id: i64, why: &str) -> Result<Proposal> {
    let (author, why) = (actor.name.clone(), why.to_owned());
    store.change(actor, "suspend", move |transaction| {
        in_state(transaction, id, "verified")?;
        end_decisions(transaction, id, &author, &why)?;
        enter(transaction, id, "suspended", &why)?;
        let proposal = one(transaction, id)?;
        let raised =
            format!("{} is suspended and unknown now: {why}. `ztsms-console verify reopen {id}` or `reject`", proposal.host);
        crate::alarms::raise_in(transaction, &alarm(&proposal.host), &raised)?;
        Ok(Changed { subject: proposal.host.clone(), detail: json!({ "reason": why, "proposal": id }), value: proposal })
    })
}

/// Opens a proposal again: who agreed before has to agree anew, by new evidence.
///
/// # Errors
/// It is not suspended or ended, or another one stands for the name; the database's.
pub fn reopen(store: &Store, actor: &Actor, id: i64, why: &str) -> Result<Proposal> {
    let why = why.to_owned();
    store.change(actor, "reopen", move |transaction| {
        let proposal = one(transaction, id)?;
        if !matches!(proposal.state.as_str(), "suspended" | "ended") {
            return Error::refused(format!("proposal {id} is {}", proposal.state));
        }
        if let Some(other) = standing(transaction, &proposal.host)?.filter(|other| other.id != id) {
            return Error::refused(format!("{} is {} already: proposal {}", other.host, other.state, other.id));
        }
        transaction.execute("DELETE FROM approvals WHERE proposal = ?1", [id])?;
        enter(transaction, id, "open", &why)?;
        let proposal = one(transaction, id)?;
        Ok(Changed { subject: proposal.host.clone(), detail: json!({ "reason": why, "proposal": id }), value: proposal })
    })
}

/// The alarm of a name.
fn alarm(host: &str) -> String {
    format!("verify-{host}")
}

fn enter(transaction: &Connection, id: i64, state: &str, why: &str) -> Result<()> {
    let sql = "UPDATE proposals SET state = ?2, why = ?3, changed = ?4 WHERE id = ?1";
    transaction.execute(sql, (id, state, why, time::now()))?;
    let host: String = transaction.query_row("SELECT host FROM proposals WHERE id = ?1", [id], |row| row.get(0))?;
    crate::alarms::clear_in(transaction, &alarm(&host))
}

fn end_decisions(transaction: &Connection, id: i64, by: &str, why: &str) -> Result<usize> {
    let sql = "UPDATE decisions SET ended = ?2, ended_by = ?3, ended_why = ?4
               WHERE ended IS NULL AND id IN (SELECT decision FROM verified WHERE proposal = ?1)";
    Ok(transaction.execute(sql, (id, time::now(), by, why))?)
}

fn in_state(connection: &Connection, id: i64, state: &str) -> Result<Proposal> {
    let proposal = one(connection, id)?;
    if proposal.state == state {
        Ok(proposal)
    } else {
        Error::refused(format!("proposal {id} is {}, not {state}: {}", proposal.state, proposal.why))
    }
}

fn standing(connection: &Connection, host: &str) -> Result<Option<Proposal>> {
    let sql = "SELECT * FROM proposals WHERE host = ?1 AND state IN ('open', 'verified', 'suspended')";
    Ok(connection.prepare_cached(sql)?.query_row([host], Proposal::of).optional()?)
}

/// One by its number.
///
/// # Errors
/// There is none; the database's.
pub fn one(connection: &Connection, id: i64) -> Result<Proposal> {
    let found = connection.prepare_cached("SELECT * FROM proposals WHERE id = ?1")?.query_row([id], Proposal::of).optional()?;
    found.ok_or_else(|| Error::NotFound(format!("there is no proposal {id}: `ztsms-console verify list` lists them")))
}

/// Those in a state, or all, newest first.
///
/// # Errors
/// The database's.
pub fn list(connection: &Connection, state: Option<&str>, most: usize) -> Result<Vec<Proposal>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let sql = "SELECT * FROM proposals WHERE ?1 IS NULL OR state = ?1 ORDER BY id DESC LIMIT ?2";
    Ok(connection.prepare_cached(sql)?.query_map((state, most), Proposal::of)?.collect::<Result<_, _>>()?)
}
