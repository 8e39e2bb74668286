//! Names that somebody would have safe, in bulk: from a register (banks, government, the operator's registered senders with their hosts) or
//! from the census. Two people agree to each; then it is a [decision](crate::decide) about `=host` and its `www`. Nothing here is safe by
//! how often it is seen: that only puts it in front of people.

use dataplane::suffix::Suffixes;
use dataplane::verdicts::Table;
use dataplane::verdicts::pattern::{Buffers, Kind, Pattern};
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::audit::Actor;
use crate::decide::{self, Draft};
use crate::store::{Changed, Store};
use crate::{Error, Result, time};

/// Candidates that wait at most.
const MOST_OPEN: i64 = 50_000;
/// Lines of one register.
const MOST_LINES: usize = 20_000;

/// One name of a register.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The host; a path, a port or a scheme in front of it is refused.
    pub host: String,
    /// Whose it is.
    #[serde(default)]
    pub owner: String,
    /// Category: `bank`, `government`.
    #[serde(default)]
    pub category: String,
    /// For whom alone it would be safe, separated by `|`; empty: for everybody.
    #[serde(default)]
    pub senders: String,
}

/// A name that waits for two people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its number.
    pub id: i64,
    /// The host.
    pub host: String,
    /// Whose it is, by whoever proposed it.
    pub owner: String,
    /// Category.
    pub category: String,
    /// Senders, separated by `|`.
    pub senders: String,
    /// The register, or `census`.
    pub origin: String,
    /// Who proposed it.
    pub author: String,
    /// When.
    pub proposed: i64,
    /// Who agreed first.
    pub first: Option<String>,
    /// Who agreed second.
    pub second: Option<String>,
    /// `open`, `approved`, `refused`.
    pub state: String,
    /// Why it is in that state.
    pub why: String,
}

impl Candidate {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            host: row.get(1)?,
            owner: row.get(2)?,
            category: row.get(3)?,
            senders: row.get(4)?,
            origin: row.get(5)?,
            author: row.get(6)?,
            proposed: row.get(7)?,
            first: row.get(8)?,
            second: row.get(9)?,
            state: row.get(10)?,
            why: row.get(11)?,
        })
    }

    /// What it becomes: the name and its `www`, nothing below.
    fn drafts(&self, by: &str, suffixes: &Suffixes) -> Vec<Draft> {
        let www = format!("www.{}", self.host);
        // Where everybody has a name, `www` is somebody's like any other.
        let has_www = !self.host.starts_with("www.") && !suffixes.is_suffix(&www);
        let names = core::iter::once(self.host.clone()).chain(has_www.then_some(www));
        let senders: Vec<String> = self.senders.split('|').filter(|sender| !sender.is_empty()).map(str::to_owned).collect();
        let reason =
            format!("{} ({}), agreed by {} and {by}", self.owner, self.origin, self.first.as_deref().unwrap_or_default());
        names
            .map(|name| Draft {
                pattern: format!("={name}"),
                verdict: "safe".to_owned(),
                category: self.category.clone(),
                senders: senders.clone(),
                reason: reason.trim().to_owned(),
                expires: None,
            })
            .collect()
    }
}

/// What became of a register.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    /// Names that wait now.
    pub added: usize,
    /// Names that were waiting, or are safe already.
    pub known: usize,
}

/// Reads a register: CSV with a first line that names its columns, `host` and of `owner`, `category`, `senders` what there is.
///
/// # Errors
/// The line and what is wrong with it. All or nothing: no name is left out in silence.
pub fn register(text: &str) -> Result<Vec<Entry>> {
    let mut lines = (1..).zip(text.trim_start_matches('\u{feff}').lines()).filter(|(_, line)| !line.trim().is_empty());
    let (_, head) =
        lines.next().ok_or_else(|| Error::Refused("an empty register: its first line names the columns".to_owned()))?;
    let columns = fields(head);
    let known = ["host", "owner", "category", "senders"];
    if let Some(other) = columns.iter().find(|name| !known.contains(&name.trim())) {
        return Error::refused(format!("line 1: column {other:?}; there are {}", known.join(", ")));
    }
    if !columns.iter().any(|name| name.trim() == "host") {
        return Error::refused("line 1: no column is named host");
    }
    let mut entries = Vec::new();
    for (number, line) in lines {
        let mut entry = Entry::default();
        let values = fields(line);
        if values.len() != columns.len() {
            return Error::refused(format!("line {number}: {} fields, the first line names {}", values.len(), columns.len()));
        }
        for (column, value) in columns.iter().zip(values) {
            let to = match column.trim() {
                "host" => &mut entry.host,
                "owner" => &mut entry.owner,
                "category" => &mut entry.category,
                _ => &mut entry.senders,
            };
            *to = value.trim().to_owned();
        }
        entry.host = host(&entry.host).map_err(|why| Error::Refused(format!("line {number}: {why}")))?;
        entries.push(entry);
        if entries.len() > MOST_LINES {
            return Error::refused(format!(
                "more than {MOST_LINES} names in one register: a list of that size is a source (`feed set --safe`)"
            ));
        }
    }
    Ok(entries)
}

/// The fields of a line; one in quotes may hold commas, and a quote as two.
fn fields(line: &str) -> Vec<String> {
    let (mut out, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(core::mem::take(&mut field)),
            _ => field.push(c),
        }
    }
    out.push(field);
    out
}

fn host(text: &str) -> Result<String, String> {
    let pattern = Pattern::parse(text, &mut Buffers::default()).map_err(|why| format!("host {text:?}: {why}"))?;
    if pattern.kind == Kind::Host { Ok(pattern.key) } else { Err(format!("host {text:?}: a host alone, like bank.example")) }
}

/// Proposes names; what may never be safe is refused, and nothing of it is proposed then.
///
/// # Errors
/// Why not.
pub fn propose(
    store: &Store,
    actor: &Actor,
    origin: &str,
    entries: Vec<Entry>,
    table: &Table,
    suffixes: &Suffixes,
) -> Result<Proposed> {
    let mut fresh = Vec::new();
    let mut done = Proposed::default();
    for entry in entries {
        let host = host(&entry.host).map_err(Error::Refused)?;
        if control::verdicts_cmd::lookup(table, &host, "", suffixes).verdict == "safe" {
            done.known += 1;
            continue;
        }
        let senders = entry.senders.split('|').filter(|sender| !sender.is_empty()).map(str::to_owned).collect();
        let (pattern, reason) = (format!("={host}"), "to be agreed".to_owned());
        let draft = Draft { pattern, verdict: "safe".to_owned(), senders, reason, ..Draft::default() };
        decide::check(&draft, table, suffixes, time::now())?;
        fresh.push(Entry { host, ..entry });
    }
    let (author, origin) = (actor.name.clone(), origin.to_owned());
    store.change(actor, "propose", move |transaction| {
        let mut open: i64 =
            transaction.query_row("SELECT count(*) FROM candidates WHERE state = 'open'", [], |row| row.get(0))?;
        for Entry { host, owner, category, senders } in &fresh {
            let sql = "INSERT INTO candidates (host, owner, category, senders, origin, author, proposed, state, why)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'open', '') ON CONFLICT DO NOTHING";
            let row = (host, owner, category, senders, &origin, &author, time::now());
            let added = transaction.prepare_cached(sql)?.execute(row)?;
            (done.added, done.known) = (done.added + added, done.known + 1 - added);
            open += i64::from(added > 0);
            if open > MOST_OPEN {
                return Error::refused(format!("{MOST_OPEN} names wait for people already"));
            }
        }
        Ok(Changed { subject: origin, detail: json!(done), value: done })
    })
}

/// Agrees to one for somebody. The second person's word makes it a decision; whoever agreed first may not be the second.
///
/// # Errors
/// There is none, it is not open, the same person agreed before, or the decision is refused.
pub fn agree(store: &Store, actor: &Actor, id: i64, table: &Table, suffixes: &Suffixes) -> Result<Candidate> {
    let candidate = store.read(|state| one(state, id))?;
    let by = actor.name.clone();
    let checked = candidate.drafts(&by, suffixes).into_iter().map(|draft| decide::check(&draft, table, suffixes, time::now()));
    let checked = checked.collect::<Result<Vec<_>>>()?;
    store.change(actor, "agree", move |transaction| {
        // As it is now: another may have agreed meanwhile.
        let now = open(transaction, id)?;
        let mut decisions = Vec::new();
        match &now.first {
            None => {
                transaction.execute("UPDATE candidates SET first = ?2 WHERE id = ?1", (id, &by))?;
            }
            Some(first) if *first == by => {
                return Error::refused(format!("{by} agreed to {} already: a second person has to", now.host));
            }
            Some(first) if candidate.first.as_ref() != Some(first) => {
                return Error::refused(format!("{first} agreed to {} at this very moment: look again", now.host));
            }
            Some(_) => {
                for checked in &checked {
                    decisions.push(checked.write(transaction, &by)?.0);
                }
                transaction.execute("UPDATE candidates SET second = ?2, state = 'approved' WHERE id = ?1", (id, &by))?;
            }
        }
        let after = one(transaction, id)?;
        Ok(Changed { subject: after.host.clone(), detail: json!({ "candidate": after, "decisions": decisions }), value: after })
    })
}

/// Refuses one for somebody: one person is enough.
///
/// # Errors
/// There is none, or it is not open.
pub fn refuse(store: &Store, actor: &Actor, id: i64, why: &str) -> Result<Candidate> {
    if why.trim().is_empty() {
        return Error::refused("a refusal has a reason");
    }
    let why = why.trim().to_owned();
    store.change(actor, "refuse", move |transaction| {
        open(transaction, id)?;
        transaction.execute("UPDATE candidates SET state = 'refused', why = ?2 WHERE id = ?1", (id, &why))?;
        let after = one(transaction, id)?;
        Ok(Changed { subject: after.host.clone(), detail: json!(after), value: after })
    })
}

fn one(state: &Connection, id: i64) -> Result<Candidate> {
    let found = state.prepare_cached("SELECT * FROM candidates WHERE id = ?1")?.query_row([id], Candidate::of).optional()?;
    found.ok_or_else(|| Error::NotFound(format!("there is no candidate {id}: `ztsms-console candidates` lists them")))
}

fn open(state: &Connection, id: i64) -> Result<Candidate> {
    let candidate = one(state, id)?;
    if candidate.state == "open" {
        Ok(candidate)
    } else {
        Error::refused(format!("candidate {id} ({}) is {} already", candidate.host, candidate.state))
    }
}

/// Those that wait, or all, newest first.
///
/// # Errors
/// The database's.
pub fn list(state: &Connection, all: bool, most: usize) -> Result<Vec<Candidate>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut found = state.prepare_cached("SELECT * FROM candidates WHERE ?1 OR state = 'open' ORDER BY id DESC LIMIT ?2")?;
    Ok(found.query_map((all, most), Candidate::of)?.collect::<Result<_, _>>()?)
}
