//! What stands behind `ztsms verdicts …`: plain functions whose results can be printed and serialised.

use crate::build::{self, Error, ListReport, RemarkReport, Source, overlay};
use dataplane::canonical;
use dataplane::suffix::Suffixes;
use dataplane::verdict::{Reason, Verdict};
use dataplane::verdicts::pattern::fanged;
use dataplane::verdicts::{Entry, KeyScratch, OpenError, Snapshot, Table, is_app_package};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::net::Ipv6Addr;
use std::path::Path;

/// What a table holds: a snapshot, and what was decided since.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    /// The snapshot's id.
    pub id: String,
    /// Entries.
    pub entries: u64,
    /// How many of them were decided since it was built.
    pub decisions: u64,
    /// Entries by verdict (`none`: platforms; `expired`: those that have ended).
    pub verdicts: BTreeMap<&'static str, u64>,
    /// Entries by list.
    pub sources: BTreeMap<String, u64>,
    /// Octets of the hot part for each word in it.
    pub octets_per_word: f64,
    /// When it was built, Unix seconds.
    pub built: u64,
}

/// What a build came to.
#[derive(Clone, Debug, Serialize)]
pub struct BuildReport {
    /// What was built.
    pub stats: Stats,
    /// List by list.
    pub lists: Vec<ListReport>,
    /// For triage, by rank.
    pub remarks: Vec<RemarkReport>,
}

/// The verdict of one link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Canonical form; as it was given where it is no URL.
    pub url: String,
    /// Verdict.
    pub verdict: &'static str,
    /// Which rule gave it.
    pub reason: &'static str,
    /// The entry's pattern.
    pub entry: Option<String>,
    /// Its list.
    pub source: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// Why it is no URL.
    pub problem: Option<String>,
}

/// What one table says and another does not: pattern and verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Only in the new one.
    pub added: Vec<(String, &'static str)>,
    /// Only in the old one.
    pub removed: Vec<(String, &'static str)>,
}

/// `verdicts build`: reads the lists and puts the snapshot in force in `dir`, with the suffix list `list` beside it, else that of the program. What was
/// decided since the last build is carried over.
///
/// # Errors
/// What [`build::build`], [`build::read_suffixes`], [`overlay::carry`] and [`build::install`] say, and [`Error::Unfit`]: what was in force stays.
pub fn build(sources: &[Source], dir: &Path, now: u64, list: Option<&Path>) -> Result<BuildReport, Error> {
    build_with(sources, dir, now, list, false)
}

/// The same; `force` takes lists of which nothing, or not even half, can be read.
///
/// # Errors
/// As [`build()`].
pub fn build_with(sources: &[Source], dir: &Path, now: u64, list: Option<&Path>, force: bool) -> Result<BuildReport, Error> {
    let (suffixes, text) = list.map_or_else(|| Ok((Suffixes::built_in(), String::new())), build::read_suffixes)?;
    let suffixes = &suffixes;
    std::fs::create_dir_all(dir).map_err(|error| Error::Io(dir.to_owned(), error))?;
    let key = build::key_of(dir)?;
    let (built, lists, remarks) = build::build(sources, now, &key, suffixes)?;
    let unfit: Vec<String> = if force {
        Vec::new()
    } else {
        sources.iter().zip(&lists).filter_map(|(source, list)| build::unfit(source, &list.summary)).collect()
    };
    if !unfit.is_empty() {
        return Err(Error::Unfit(unfit, lists));
    }
    let refused = |why| Error::Refused(dir.to_owned(), why);
    let snapshot = Snapshot::from_bytes(&built.bytes).map_err(refused)?;
    let overlay = overlay::carry(dir, now, &snapshot, &key, suffixes)?;
    build::install(dir, &built.bytes)?;
    let beside = dir.join("suffixes");
    let written = match list {
        Some(_) => std::fs::write(&beside, text),
        None if beside.exists() => std::fs::remove_file(&beside),
        None => Ok(()),
    };
    written.map_err(|error| Error::Io(beside, error))?;
    let table = Table::new(snapshot, overlay, key, suffixes).map_err(refused)?;
    Ok(BuildReport { stats: stats(&table), lists, remarks })
}

/// `verdicts lookup`: what the table says of a link, with or without scheme, as lists write it.
pub fn lookup(table: &Table, link: &str, sender: &str, suffixes: &Suffixes) -> Found {
    let mut scratch = canonical::Scratch::default();
    let link = &*fanged(link);
    let full = match link.parse::<Ipv6Addr>() {
        Ok(_) => format!("http://[{link}]"),
        Err(_) if canonical::has_scheme(link) => link.to_owned(),
        Err(_) => format!("http://{link}"),
    };
    match canonical::parse(&full, &mut scratch) {
        Err(bad) => Found {
            url: link.to_owned(),
            verdict: "none",
            reason: "no-entry",
            entry: None,
            source: None,
            category: None,
            problem: Some(bad.to_string()),
        },
        Ok(url) => {
            let found = table.judge(&url, is_app_package(url.path_and_query), sender, suffixes, &mut KeyScratch::default());
            let entry = found.entry.map(|at| table.entry(at));
            let category = entry.map(|e| e.category.to_owned()).filter(|_| !found.app).or(found.app.then(|| "app".to_owned()));
            Found {
                url: url.url.to_owned(),
                verdict: found.verdict.name(),
                reason: found.reason.name(),
                entry: entry.map(|e| e.pattern.to_owned()),
                source: entry.map(|e| e.source.to_owned()),
                category,
                problem: None,
            }
        }
    }
}

/// A pattern, and whether it is a platform's: of one host both may stand in a table.
type Named<'t> = (&'t str, bool);

fn name_of<'t>(entry: &Entry<'t>) -> Named<'t> {
    (entry.pattern, entry.verdict == Verdict::None)
}

/// What was decided since the snapshot was built, the last of each pattern.
fn decided(table: &Table) -> HashMap<Named<'_>, Entry<'_>> {
    let overlay = table.overlay();
    let entries = (0..overlay.len()).filter_map(|n| u32::try_from(n).ok()).map(|n| overlay.entry(n));
    entries.map(|entry| (name_of(&entry), entry)).collect()
}

/// Each entry and its verdict by name: one that has ended has none any more. A decision stands in the place of what the snapshot says of its pattern.
fn entries<'t>(table: &'t Table, decided: &HashMap<Named<'t>, Entry<'t>>) -> impl Iterator<Item = (Entry<'t>, &'static str)> {
    let snapshot = table.snapshot();
    let entries = snapshot.words().map(|(slot, word)| (snapshot.entry(slot), word.is_expired()));
    entries
        .filter(|(entry, _)| !entry.pattern.is_empty() && !decided.contains_key(&name_of(entry)))
        .map(|(entry, expired)| (entry, if expired { Reason::Expired.name() } else { entry.verdict.name() }))
        .chain(decided.values().map(|entry| (*entry, entry.verdict.name())))
}

/// `verdicts stats`.
pub fn stats(table: &Table) -> Stats {
    let decided = decided(table);
    let (mut verdicts, mut sources) = (BTreeMap::new(), BTreeMap::new());
    for (entry, verdict) in entries(table, &decided) {
        *verdicts.entry(verdict).or_default() += 1;
        *sources.entry(entry.source.to_owned()).or_default() += 1;
    }
    let header = table.snapshot().header();
    Stats {
        id: format!("{:016x}", header.id),
        entries: verdicts.values().sum(),
        decisions: decided.len() as u64,
        verdicts,
        sources,
        octets_per_word: table.snapshot().density().0,
        built: header.built,
    }
}

/// `verdicts diff`: from one table to another, whatever their keys.
pub fn diff(old: &Table, new: &Table) -> Diff {
    let set = |table| {
        let decided = decided(table);
        entries(table, &decided).map(|(entry, verdict)| (entry.pattern.to_owned(), verdict)).collect::<BTreeSet<_>>()
    };
    let (old, new) = (set(old), set(new));
    Diff { added: new.difference(&old).cloned().collect(), removed: old.difference(&new).cloned().collect() }
}

/// `verdicts verify`: header, body, key, rules and suffix list of the snapshot in force.
///
/// # Errors
/// The first that does not hold.
pub fn verify(dir: &Path, suffixes: &Suffixes) -> Result<Stats, Error> {
    let table = build::open(dir, suffixes)?;
    let file = if dir.is_dir() { dir.join("snapshot") } else { dir.to_owned() };
    table.snapshot().verify().map_err(|why| Error::Open(file, OpenError::Refused(why)))?;
    Ok(stats(&table))
}

/// `verdicts rollback`: the snapshot before this one is in force again, with what was decided since.
///
/// # Errors
/// There is none, it is refused, or [`overlay::carry`]'s: what was in force stays.
pub fn rollback(dir: &Path, suffixes: &Suffixes) -> Result<Stats, Error> {
    let key = build::read_key(dir)?;
    let before = build::before(dir, &key, suffixes)?;
    overlay::carry(dir, build::unix_seconds(), &before, &key, suffixes)?;
    build::go_back(dir)?;
    build::open(dir, suffixes).map(|table| stats(&table))
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "snapshot {}: {} entries, {:.1} octets a word", self.id, self.entries, self.octets_per_word)?;
        if self.decisions > 0 {
            writeln!(f, "  {:>10} decided beside the snapshot", self.decisions)?;
        }
        self.verdicts
            .iter()
            .try_for_each(|(verdict, n)| writeln!(f, "  {n:>10} {}", if *verdict == "none" { "platform" } else { verdict }))?;
        self.sources.iter().try_for_each(|(source, n)| writeln!(f, "  {n:>10} from {source}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::What;

    /// The snapshot before the one in force, and that.
    fn tables(dir: &Path) -> [Table; 2] {
        ["snapshot.1", "snapshot"].map(|name| build::open(&dir.join(name), &Suffixes::built_in()).expect("opens"))
    }

    #[test]
    fn an_entry_that_has_ended_is_counted_and_compared_as_that() {
        let dir = std::env::temp_dir().join(format!("ztsms-ended-{}", std::process::id()));
        let own = dir.join("own.csv");
        std::fs::create_dir_all(&dir).expect("a directory");
        let rows = "pattern,verdict,expires\na.example,safe,\nb.example,safe,2020-01-01\nc.example/x,dangerous,2020-01-01\n";
        std::fs::write(&own, rows).expect("writes");
        let sources = [Source { path: own, what: What::Own }];
        let (before, after) = (1_500_000_000, 1_600_000_000);
        let stats = [before, after].map(|now| build(&sources, &dir, now, None).expect("builds").stats);
        assert_eq!(stats[0].verdicts, BTreeMap::from([("safe", 2), ("dangerous", 1)]));
        assert_eq!(stats[1].verdicts, BTreeMap::from([("safe", 1), ("expired", 2)]));
        let [old, new] = tables(&dir);
        let added = [("b.example".to_owned(), "expired"), ("c.example/x".to_owned(), "expired")];
        assert_eq!(diff(&old, &new).added, added);
        std::fs::remove_dir_all(&dir).expect("removes");
    }

    #[test]
    fn build_look_up_verify_and_go_back() {
        let dir = std::env::temp_dir().join(format!("ztsms-build-{}", std::process::id()));
        let own = dir.join("own.csv");
        std::fs::create_dir_all(&dir).expect("a directory");
        let suffixes = Suffixes::built_in();
        let sources = [Source { path: own.clone(), what: What::Own }];
        let mut ids = Vec::new();
        for verdict in ["safe", "dangerous"] {
            std::fs::write(&own, format!("pattern,verdict\nbank.example,{verdict}\nbroken line,safe\n")).expect("writes");
            let report = build(&sources, &dir, 1, None).expect("builds");
            assert_eq!(report.lists[0].summary.bad, 1);
            ids.push(report.stats.id);
            let table = build::open(&dir, &suffixes).expect("opens");
            assert_eq!(lookup(&table, "www.bank.example/x", "", &suffixes).verdict, verdict);
        }
        let [old, new] = tables(&dir);
        let changes = diff(&old, &new);
        assert_eq!(
            (changes.added, changes.removed),
            (vec![("bank.example".to_owned(), "dangerous")], vec![("bank.example".to_owned(), "safe")])
        );
        assert_eq!(rollback(&dir, &suffixes).expect("goes back").id, ids[0]);
        assert!(matches!(rollback(&dir, &suffixes), Err(Error::NoEarlier(_))));
        std::fs::write(dir.join("key"), "00").expect("writes");
        assert!(matches!(verify(&dir, &suffixes), Err(Error::Key(_))));
        std::fs::remove_dir_all(&dir).expect("removes");
    }
}
