//! Lists by others and by ourselves: where each comes from, what it lends, when it is fetched again, and which version of it counts.
//!
//! An import is all or nothing: the list is read whole, kept in one spelling under its SHA-256 ([`normal`]), compared with the version
//! that counts, and then counts by one row of the database. Going back is that row again.

pub(crate) mod fetched;
pub mod import;
pub mod normal;
mod place;
mod protected;
mod two;

use std::path::Path;

use dataplane::suffix::Suffixes;
use dataplane::verdict::Verdict;
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use place::Place;
pub use protected::{Protected, named, protected};

use crate::audit::Actor;
use crate::brakes::{self, What};
use crate::publish::{DECIDED, followed};
use crate::store::{Changed, Store};
use crate::{Error, Result, time};

/// What the entries of a source are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lends {
    /// A feed whose entries are safe.
    Safe,
    /// A feed whose entries are dangerous.
    Dangerous,
    /// A feed whose entries are unknown, whatever stands above them.
    Unknown,
    /// Platforms.
    Platform,
    /// A list of our own in our own format: each line has its verdict, and counts as local.
    Own,
    /// A ranked list: no verdict, orders triage.
    Rank,
}

impl Lends {
    /// The verdict that is lent; `None` for platforms, ranks, and our own lists.
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Safe => Verdict::Safe,
            Self::Dangerous => Verdict::Dangerous,
            Self::Unknown => Verdict::Unknown,
            Self::Platform | Self::Own | Self::Rank => Verdict::None,
        }
    }

    /// Whether its lines are local decisions.
    pub const fn is_own(self) -> bool {
        matches!(self, Self::Own)
    }

    fn name(self) -> String {
        // A unit variant is its name.
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// What the operator says of a source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Its name: what records and labels call it.
    pub name: String,
    /// A file, a folder, or an `http(s)://` address.
    pub place: String,
    /// What it lends.
    pub lends: Lends,
    /// Category of its entries.
    pub category: String,
    /// Of sources that say the same of one pattern, the highest is named, with its category and end. It makes no verdict.
    pub priority: u8,
    /// Seconds between two looks; 0: only when told.
    pub every: i64,
    /// Seconds after the last good look for which it counts; none: for ever.
    pub ttl: Option<i64>,
    /// A version with less than this share of the entries that count is held back.
    pub least_share: f64,
    /// A version with more than this many times the entries that count is held back.
    pub most_growth: f64,
    /// Octets of the list, unpacked, beyond which it is refused.
    pub most_octets: i64,
    /// Under which licence it may be used.
    pub licence: String,
}

/// A source as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// What the operator says of it.
    #[serde(flatten)]
    pub settings: Settings,
    /// The version that counts.
    pub version: Option<i64>,
    /// Why it does not count.
    pub suspended: Option<String>,
    /// When it was last looked at with success.
    pub checked: Option<i64>,
    /// What went wrong at the last look.
    pub trouble: Option<String>,
    /// Entity tag of its last answer.
    pub etag: Option<String>,
    /// `Last-Modified` of its last answer.
    pub modified: Option<String>,
    /// Why its newest version does not count until somebody says so.
    pub held: Option<String>,
}

/// One import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its number.
    pub id: i64,
    /// Sum of its normalised list.
    pub sha256: String,
    /// When, Unix seconds.
    pub imported: i64,
    /// The formats that it was read as.
    pub format: String,
    /// Entries, each once.
    pub entries: i64,
    /// Lines that could not be read.
    pub bad: i64,
    /// Entries that the version before had not.
    pub added: i64,
    /// Entries that only the version before had.
    pub removed: i64,
    /// Whether some of its entries end.
    pub ends: Option<i64>,
    /// The first lines that could not be read.
    pub problems: Value,
    /// Why it does not count until somebody says so.
    pub held: Option<String>,
}

/// What a build takes of a source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Counting {
    /// Its name.
    pub name: String,
    /// What it lends.
    pub lends: Lends,
    /// Category.
    pub category: String,
    /// Priority.
    pub priority: u8,
    /// The list.
    pub sha256: String,
    /// Changes with time where entries end: hours since 1970.
    pub hour: Option<i64>,
    /// It is out of force: suspended, or not looked at within its time. Nothing becomes safe by its silence.
    pub muted: bool,
}

const COLUMNS: &str = "name, place, lends, category, priority, every, ttl, least_share, most_growth, most_octets, licence, version, suspended, checked, trouble, etag, modified,
    (SELECT held FROM versions WHERE source = sources.name AND id > coalesce(sources.version, 0) ORDER BY id DESC LIMIT 1)";

fn lends(text: &str) -> rusqlite::Result<Lends> {
    serde_json::from_value(Value::String(text.to_owned()))
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, Box::new(error)))
}

impl Source {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let settings = Settings {
            name: row.get(0)?,
            place: row.get(1)?,
            lends: lends(&row.get::<_, String>(2)?)?,
            category: row.get(3)?,
            priority: row.get(4)?,
            every: row.get(5)?,
            ttl: row.get(6)?,
            least_share: row.get(7)?,
            most_growth: row.get(8)?,
            most_octets: row.get(9)?,
            licence: row.get(10)?,
        };
        Ok(Self {
            settings,
            version: row.get(11)?,
            suspended: row.get(12)?,
            checked: row.get(13)?,
            trouble: row.get(14)?,
            etag: row.get(15)?,
            modified: row.get(16)?,
            held: row.get(17)?,
        })
    }
}

impl Version {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let problems: String = row.get(9)?;
        Ok(Self {
            id: row.get(0)?,
            sha256: row.get(1)?,
            imported: row.get(2)?,
            format: row.get(3)?,
            entries: row.get(4)?,
            bad: row.get(5)?,
            added: row.get(6)?,
            removed: row.get(7)?,
            ends: row.get(8)?,
            problems: serde_json::from_str(&problems).unwrap_or_default(),
            held: row.get(10)?,
        })
    }
}

const VERSION: &str = "id, sha256, imported, format, entries, bad, added, removed, ends, problems, held";

/// All sources, by name.
///
/// # Errors
/// The database's.
pub fn all(state: &Connection) -> Result<Vec<Source>> {
    let mut found = state.prepare_cached(&format!("SELECT {COLUMNS} FROM sources ORDER BY name"))?;
    Ok(found.query_map([], Source::of)?.collect::<Result<_, _>>()?)
}

/// One by its name.
///
/// # Errors
/// There is none; the database's.
pub fn one(state: &Connection, name: &str) -> Result<Source> {
    let mut found = state.prepare_cached(&format!("SELECT {COLUMNS} FROM sources WHERE name = ?1"))?;
    let found = found.query_row([name], Source::of).optional()?;
    found.ok_or_else(|| Error::NotFound(format!("there is no source {name:?}: `ztsms-console feed list` lists them")))
}

/// The imports of a source, newest first.
///
/// # Errors
/// The database's.
pub fn versions(state: &Connection, name: &str) -> Result<Vec<Version>> {
    let mut found = state.prepare_cached(&format!("SELECT {VERSION} FROM versions WHERE source = ?1 ORDER BY id DESC"))?;
    Ok(found.query_map([name], Version::of)?.collect::<Result<_, _>>()?)
}

/// What a build takes at this time: sources that have a version. Those that are suspended or were not looked at for too long are muted.
///
/// # Errors
/// The database's.
pub fn counting(state: &Connection, now: i64) -> Result<Vec<Counting>> {
    let mut found = state.prepare_cached(
        "SELECT s.name, s.lends, s.category, s.priority, v.sha256, v.ends,
                s.suspended IS NOT NULL OR s.ttl IS NOT NULL AND coalesce(s.checked + s.ttl <= ?1, TRUE)
         FROM sources s JOIN versions v ON v.id = s.version WHERE s.lends <> 'rank' ORDER BY s.name",
    )?;
    let row = |row: &Row<'_>| {
        let ends: Option<i64> = row.get(5)?;
        Ok(Counting {
            name: row.get(0)?,
            lends: lends(&row.get::<_, String>(1)?)?,
            category: row.get(2)?,
            priority: row.get(3)?,
            sha256: row.get(4)?,
            hour: ends.map(|_| now / 3600),
            muted: row.get(6)?,
        })
    };
    Ok(found.query_map([now], row)?.collect::<Result<_, _>>()?)
}

/// A small fact of the database.
///
/// # Errors
/// The database's.
pub fn fact(state: &Connection, name: &str) -> Result<Option<String>> {
    Ok(state.prepare_cached("SELECT value FROM facts WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()?)
}

/// Writes a small fact.
pub(crate) fn set_fact(state: &Connection, name: &str, value: &str) -> Result<()> {
    state.execute("INSERT INTO facts VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", (name, value))?;
    Ok(())
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
}

/// Adds a source, or changes what is said of it. Nothing is fetched; where it lends something else than before, nothing of it counts until it
/// is imported anew.
///
/// # Errors
/// A setting that makes no sense; the database's.
pub fn set(store: &Store, actor: &Actor, settings: Settings) -> Result<Source> {
    if !is_name(&settings.name) {
        return Error::refused(format!("source name {:?}: 1 to 64 letters, digits, - _ .", settings.name));
    }
    if settings.name == DECIDED || followed(&settings.name).is_some() {
        return Error::refused(format!("source name {:?} is the desk's own", settings.name));
    }
    Place::parse(&settings.place)?;
    if !(0.0..=1.0).contains(&settings.least_share) || settings.most_growth.is_nan() || settings.most_growth < 1.0 {
        return Error::refused("limits: the least share lies in 0 to 1, the most growth is 1 or more");
    }
    if settings.every < 0 || settings.ttl.is_some_and(|ttl| ttl <= 0 || ttl <= settings.every) {
        return Error::refused("a source's time to live is longer than the time between two looks");
    }
    store.change(actor, "source-set", move |transaction| {
        let before = transaction
            .prepare(&format!("SELECT {COLUMNS} FROM sources WHERE name = ?1"))?
            .query_row([&settings.name], Source::of)
            .optional()?;
        if before.as_ref().is_some_and(|before| before.settings.lends.is_own() != settings.lends.is_own()) {
            return Error::refused("whether a list is our own is part of what was imported: remove the source and add it again");
        }
        // What was read as one thing is never another: it is read anew, by the limits and the rule of two of what it is now.
        if before.as_ref().is_some_and(|before| before.settings.lends != settings.lends) {
            transaction.execute("UPDATE sources SET version = NULL WHERE name = ?1", [&settings.name])?;
            transaction.execute("DELETE FROM versions WHERE source = ?1", [&settings.name])?;
            crate::alarms::clear_in(transaction, &format!("source-{}", settings.name))?;
        }
        let s = &settings;
        transaction.execute(
            "INSERT INTO sources (name, place, lends, category, priority, every, ttl, least_share, most_growth, most_octets, licence, added)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (name) DO UPDATE SET place = ?2, lends = ?3, category = ?4, priority = ?5, every = ?6, ttl = ?7,
             least_share = ?8, most_growth = ?9, most_octets = ?10, licence = ?11, etag = NULL, modified = NULL",
            (
                &s.name, &s.place, s.lends.name(), &s.category, s.priority, s.every, s.ttl, s.least_share, s.most_growth,
                s.most_octets, &s.licence, time::now(),
            ),
        )?;
        let after = one(transaction, &s.name)?;
        let before = before.map(|before| before.settings);
        Ok(Changed { subject: s.name.clone(), detail: json!({ "before": before, "after": after.settings }), value: after })
    })
}

/// Takes a source away, with its history.
///
/// # Errors
/// There is none; it is a list of ours that keeps names from being safe, and two people have to agree to that; the database's.
pub fn remove(store: &Store, lists: &Path, suffixes: &Suffixes, actor: &Actor, name: &str) -> Result<()> {
    let name = name.to_owned();
    let (source, versions) = store.read(|state| Ok((one(state, &name)?, versions(state, &name)?)))?;
    let mut weight = two::Weight::new(store, suffixes, source.settings.lends)?;
    if let Some(counts) = versions.iter().find(|version| Some(version.id) == source.version) {
        // A list that cannot be read is built into nothing any more.
        let _ = normal::diff(lists, Some(&counts.sha256), None, 0, |only, line| weight.see(only, line));
    }
    store.change(actor, "source-remove", move |transaction| {
        let before = one(transaction, &name)?;
        if before.version != source.version {
            return Error::refused(format!("{name} was changed at this moment: look at it again"));
        }
        if let Some(why) = weight.why_two(transaction)? {
            return Error::refused(format!("{why}: import {name} without them, and have another person accept that first"));
        }
        transaction.execute("DELETE FROM versions WHERE source = ?1", [&name])?;
        transaction.execute("DELETE FROM sources WHERE name = ?1", [&name])?;
        Ok(Changed { subject: name, detail: json!({ "before": before }), value: () })
    })
}

/// Suspends a source: it does not count until it is resumed. `why` `None` resumes it. What follows without a person (`expansion`, `live`) is
/// one of that name.
///
/// # Errors
/// There is none; the database's.
pub fn suspend(store: &Store, actor: &Actor, name: &str, why: Option<String>) -> Result<()> {
    let name = name.to_owned();
    let verb = if why.is_some() { "source-suspend" } else { "source-resume" };
    store.change(actor, verb, move |transaction| {
        if why.is_none() {
            brakes::meant(transaction, &What::Source(name.clone()))?;
        }
        if followed(&name).is_some() {
            let (fact_name, before) = (format!("suspended-{name}"), suspended(transaction, &name)?);
            match &why {
                Some(why) => set_fact(transaction, &fact_name, why)?,
                None => drop(transaction.execute("DELETE FROM facts WHERE name = ?1", [fact_name])?),
            }
            return Ok(Changed { subject: name, detail: json!({ "before": before, "after": why }), value: () });
        }
        let before = one(transaction, &name)?;
        transaction.execute("UPDATE sources SET suspended = ?2 WHERE name = ?1", (&name, &why))?;
        Ok(Changed { subject: name, detail: json!({ "before": before.suspended, "after": why }), value: () })
    })
}

/// Why what follows without a person is suspended, if it is.
///
/// # Errors
/// The database's.
pub fn suspended(state: &Connection, name: &str) -> Result<Option<String>> {
    fact(state, &format!("suspended-{name}"))
}

/// Makes another version count: the one before (`to` `None`), or the one of that number. The one that counted is held, so that the
/// next look does not bring it back.
///
/// # Errors
/// There is none, or another person has to say so; the database's.
pub fn go_to(store: &Store, lists: &Path, suffixes: &Suffixes, actor: &Actor, name: &str, to: Option<i64>) -> Result<Version> {
    let name = name.to_owned();
    let by = actor.name.clone();
    let (source, versions) = store.read(|state| Ok((one(state, &name)?, versions(state, &name)?)))?;
    let sum = |id: Option<i64>| versions.iter().find(|version| Some(version.id) == id).map(|version| version.sha256.clone());
    let found = match to {
        Some(id) => versions.iter().find(|version| version.id == id),
        None => versions.iter().find(|version| source.version.is_some_and(|now| version.id < now) && version.held.is_none()),
    };
    let Some(version) = found.cloned() else {
        return Error::refused(format!("{name} has no such version: `ztsms-console feed history {name}` lists them"));
    };
    let mut weight = two::Weight::new(store, suffixes, source.settings.lends)?;
    normal::diff(lists, sum(source.version).as_deref(), Some(&version.sha256), 0, |only, line| weight.see(only, line))?;
    store.change(actor, "source-version", move |transaction| {
        let now = one(transaction, &name)?;
        let kept = "SELECT 1 FROM versions WHERE source = ?1 AND id = ?2";
        if (now.version, now.settings.lends) != (source.version, source.settings.lends)
            || !transaction.prepare_cached(kept)?.exists((&name, version.id))?
        {
            return Error::refused(format!("{name} was changed at this moment: look at it again"));
        }
        if source.version == Some(version.id) {
            return Error::refused(format!("version {} of {name} counts already", version.id));
        }
        weight.may(transaction, &name, version.id, &by)?;
        if let Some(left) = source.version.filter(|left| *left > version.id) {
            let why = format!("gone back from by {by}");
            transaction.execute("UPDATE versions SET held = ?2 WHERE id = ?1", (left, why))?;
        }
        transaction.execute("UPDATE versions SET held = NULL WHERE id = ?1", [version.id])?;
        transaction.execute("UPDATE sources SET version = ?2 WHERE name = ?1", (&name, version.id))?;
        crate::alarms::clear_in(transaction, &format!("source-{name}"))?;
        let detail = json!({ "before": source.version, "after": version.id });
        Ok(Changed { subject: name, detail, value: version })
    })
}

#[cfg(test)]
mod tests;
