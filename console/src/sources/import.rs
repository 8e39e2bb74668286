//! One import of one source: read whole, kept, compared, and then it counts, or is held back.

use std::fs;
use std::path::Path;

use control::lists::{self, Format, Item, Lends as ListLends, MOST_PROBLEMS, Problem, Summary};
use dataplane::suffix::Suffixes;
use dataplane::verdict::Verdict;
use dataplane::verdicts::Layer;
use dataplane::verdicts::build::Rule;
use dataplane::verdicts::pattern::{Kind, Pattern};
use serde::Serialize;
use serde_json::json;

use super::place::{self, Bounded};
use super::{Lends, Settings, Source, normal, normal::Diff, two::Weight};
use crate::audit::Actor;
use crate::store::{Changed, Store};
use crate::{Error, Result, alarms, decide, time};

/// Versions of a source that are kept.
pub const KEPT: i64 = 10;
/// Lines that differ and are shown one by one.
const NAMED: usize = 20;
/// A list of which more than this share cannot be read is held back.
const MOST_BAD: f64 = 0.5;

/// What an import came to.
#[derive(Clone, Debug, Serialize)]
pub struct Imported {
    /// The source.
    pub source: String,
    /// The version, or the one that counts where nothing is new.
    pub version: Option<i64>,
    /// Whether anything is new.
    pub changed: bool,
    /// Entries, each once.
    pub entries: u64,
    /// Lines that could not be read.
    pub bad: u64,
    /// The first of them.
    pub problems: Vec<Problem>,
    /// What whoever wrote a line may have meant otherwise; the first of them.
    pub notes: Vec<String>,
    /// The formats that were read.
    pub format: String,
    /// What is new and what is gone.
    pub diff: Diff,
    /// Why it is held back.
    pub held: Option<String>,
}

/// A list that was read and stands in its place, before it counts.
struct Kept {
    sha256: String,
    entries: u64,
    summary: Summary,
    format: String,
    ends: Option<i64>,
    notes: Vec<String>,
}

impl Imported {
    /// The source was looked at, and nothing is new: what was held back before is still.
    pub(crate) fn nothing_new(source: &Source) -> Self {
        Self {
            source: source.settings.name.clone(),
            version: source.version,
            changed: false,
            entries: 0,
            bad: 0,
            problems: Vec::new(),
            notes: Vec::new(),
            format: "not modified".to_owned(),
            diff: Diff::default(),
            held: source.held.clone(),
        }
    }
}

/// Where an import stands.
pub struct At<'a> {
    /// The database.
    pub store: &'a Store,
    /// Where lists are kept.
    pub lists: &'a Path,
    /// What names are cut by.
    pub suffixes: &'a Suffixes,
    /// Where everybody has pages of their own.
    pub is_platform: &'a dyn Fn(&str) -> bool,
    /// Who imports.
    pub actor: &'a Actor,
}

/// Imports a file or folder that stands at `path` as the next version of the source. `force` lets it count whatever the limits say; what two
/// people have to agree to is held back all the same.
///
/// # Errors
/// It cannot be read, is no list, or nothing in it can be read: nothing was changed then.
pub fn import(at: &At<'_>, source: &Source, path: &Path, force: bool) -> Result<Imported> {
    let At { store, lists: lists_dir, suffixes, actor, .. } = *at;
    let settings = &source.settings;
    let Kept { sha256, entries, summary, format, ends, notes } = read(at, settings, path)?;
    let (count, last) = store.read(|state| {
        let versions = super::versions(state, &settings.name)?;
        let counts = versions.iter().find(|version| Some(version.id) == source.version).cloned();
        Ok((counts, versions.into_iter().next()))
    })?;
    let same = |version: &super::Version| version.sha256 == sha256;
    let mut imported = Imported {
        source: settings.name.clone(),
        version: source.version,
        changed: false,
        entries,
        bad: summary.bad,
        problems: summary.problems,
        notes,
        format,
        diff: Diff::default(),
        held: None,
    };
    // What was held stays held until a person says otherwise: the next look is no new version.
    let waits = |last: &super::Version| last.held.is_some() && same(last);
    if count.as_ref().is_some_and(same) || !force && last.as_ref().is_some_and(waits) {
        imported.held = last.filter(same).and_then(|last| last.held);
        return Ok(imported);
    }
    if count.is_none() && entries == 0 && !settings.lends.is_own() && !force {
        return Error::refused(format!("{}: not one entry in it", path.display()));
    }
    let mut weight = Weight::new(store, suffixes, settings.lends)?;
    let old = count.as_ref().map(|count| count.sha256.as_str());
    imported.diff = normal::diff(lists_dir, old, Some(&sha256), NAMED, |only, line| weight.see(only, line))?;
    let before = count.as_ref().map(|count| u64::try_from(count.entries).unwrap_or_default());
    imported.held = limits(settings, before, &imported, summary.entries).filter(|_| !force);
    imported.changed = true;
    let (by, name, read_as, counted) = (actor.clone(), settings.name.clone(), settings.lends, source.version);
    store.change(&by, "import", move |transaction| {
        let source = super::one(transaction, &name)?;
        if (source.settings.lends, source.version) != (read_as, counted) {
            return Error::refused(format!("{name} was changed while it was read: import it again"));
        }
        if let Some(why) = weight.why_two(transaction)? {
            imported.held = Some(imported.held.map_or_else(|| why.clone(), |held| format!("{why}; {held}")));
        }
        let int = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let problems = serde_json::to_string(&imported.problems).unwrap_or_default();
        let id: i64 = transaction.query_row(
            "INSERT INTO versions (source, sha256, imported, format, entries, bad, added, removed, ends, problems, held)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) RETURNING id",
            (
                &name, &sha256, time::now(), &imported.format, int(imported.entries), int(imported.bad),
                int(imported.diff.added), int(imported.diff.removed), ends, problems, &imported.held,
            ),
            |row| row.get(0),
        )?;
        let alarm = format!("source-{name}");
        match &imported.held {
            Some(why) => alarms::raise_in(transaction, &alarm, &format!("{name}: version {id} is held back: {why}"))?,
            None => {
                transaction.execute("UPDATE sources SET version = ?2 WHERE name = ?1", (&name, id))?;
                alarms::clear_in(transaction, &alarm)?;
            }
        }
        transaction.execute(
            "DELETE FROM versions WHERE source = ?1 AND id NOT IN (SELECT id FROM versions WHERE source = ?1 ORDER BY id DESC LIMIT ?2)
             AND id NOT IN (SELECT version FROM sources WHERE version IS NOT NULL)",
            (&name, KEPT),
        )?;
        let Imported { entries, bad, diff, held, .. } = &imported;
        let detail = json!({
            "version": id, "sha256": sha256, "entries": entries, "bad": bad, "added": diff.added, "removed": diff.removed, "held": held,
        });
        imported.version = Some(id);
        Ok(Changed { subject: name, detail, value: imported })
    })
}

fn limits(settings: &Settings, before: Option<u64>, new: &Imported, seen: u64) -> Option<String> {
    if seen > 0 && new.bad as f64 > MOST_BAD * seen as f64 {
        return Some(format!("{} of {seen} lines cannot be read: has the list another format now?", new.bad));
    }
    let before = before? as f64;
    let now = new.entries as f64;
    if now < before * settings.least_share {
        return Some(format!("{now} entries, of {before} before: less than {} of them", settings.least_share));
    }
    (before > 0.0 && now > before * settings.most_growth)
        .then(|| format!("{now} entries, {before} before: more than {} times as many", settings.most_growth))
}

/// What a `safe` line of our own says less than it seems to.
fn note(at: &At<'_>, rule: &Rule<'_>) -> Option<String> {
    if rule.verdict != Verdict::Safe || Pattern::kind_of(rule.pattern) != Kind::Host {
        return None;
    }
    let is_platform = || (at.is_platform)(rule.pattern).then(|| format!("{} is a platform", rule.pattern));
    let why = decide::is_everybodys(rule.pattern, at.suffixes).or_else(is_platform)?;
    Some(format!("{why}: safe holds for that page alone"))
}

fn read(at: &At<'_>, settings: &Settings, path: &Path) -> Result<Kept> {
    let own = settings.lends.is_own();
    let lends = ListLends {
        verdict: Some(settings.lends.verdict()).filter(|verdict| *verdict != Default::default()),
        platform: settings.lends == Lends::Platform,
        layer: if own { Layer::Local } else { Layer::Feed },
        // Both are the setting's, and lent when it is built.
        source: "",
        category: "",
    };
    let (mut lines, mut ends, mut notes) = (normal::Lines::default(), None::<i64>, Vec::new());
    let mut all: Option<Summary> = None;
    let mut formats: Vec<String> = Vec::new();
    for file in place::files(path)? {
        let mut give = |item: Item<'_>| match item {
            Item::Rule(rule) => {
                ends = ends.into_iter().chain(rule.expires.and_then(|end| i64::try_from(end).ok())).min();
                if own && notes.len() < NAMED {
                    notes.extend(note(at, &rule));
                }
                lines.rule(&rule, own);
            }
            Item::Rank(rank, host) => lines.rank(rank, host),
        };
        let most = u64::try_from(settings.most_octets).unwrap_or_default();
        let reader = Bounded::new(place::open(&file)?, most);
        let summary = lists::read(reader, lends, &mut give).map_err(Error::file(&file, "read"))?;
        fits(settings, summary.format).or_else(|why| Error::refused(format!("{}: {why}", file.display())))?;
        let name = format!("{:?}", summary.format).to_ascii_lowercase();
        if !formats.contains(&name) {
            formats.push(name);
        }
        match &mut all {
            None => all = Some(summary),
            Some(all) => {
                all.entries += summary.entries;
                all.rules += summary.rules;
                all.excepted += summary.excepted;
                all.bad += summary.bad;
                all.problems.extend(summary.problems);
                all.problems.truncate(MOST_PROBLEMS);
            }
        }
    }
    let summary = all.ok_or_else(|| Error::Refused(format!("{}: no file", path.display())))?;
    if summary.entries > 0 && summary.bad == summary.entries {
        let first = summary.problems.first().map(ToString::to_string).unwrap_or_default();
        return Error::refused(format!("{}: not one of {} lines can be read; {first}", path.display(), summary.entries));
    }
    let (sha256, entries) = lines.write(at.lists)?;
    Ok(Kept { sha256, entries, summary, format: formats.join(", "), ends, notes })
}

/// Whether a list of this format can be what the source is said to be.
fn fits(settings: &Settings, format: Format) -> Result<(), String> {
    match (settings.lends, format) {
        (Lends::Rank, Format::Ranked) | (Lends::Own, Format::Own) => Ok(()),
        (Lends::Rank, other) => Err(format!("a ranked list is rank,domain a line, this is {other:?}")),
        (Lends::Own, other) => {
            Err(format!("a list of our own begins with pattern,verdict,…; this is {other:?}, which says no verdict"))
        }
        (_, Format::Ranked) => {
            Err("a ranked list lends no verdict: popular is not safe. Add it with --rank, for triage".to_owned())
        }
        (_, Format::Own) => Err("a list in our own format says its verdicts itself: add it with --own".to_owned()),
        _ => Ok(()),
    }
}

/// Removes lists that no version points at. Not while an import runs.
///
/// # Errors
/// The database's, or the directory cannot be read.
pub fn sweep(store: &Store, lists_dir: &Path) -> Result<usize> {
    let known: std::collections::HashSet<String> = store.read(|state| {
        Ok(state
            .prepare_cached("SELECT DISTINCT sha256 FROM versions")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?)
    })?;
    let mut removed = 0;
    let Ok(folders) = fs::read_dir(lists_dir) else { return Ok(0) };
    for path in folders.filter_map(Result::ok).map(|entry| entry.path()) {
        let inside = fs::read_dir(&path).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
        for path in inside.chain(Some(path.clone()).filter(|path| path.is_file())) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_file() && !known.contains(&name) && fs::remove_file(&path).is_ok() {
                removed += 1;
            }
        }
    }
    Ok(removed)
}
