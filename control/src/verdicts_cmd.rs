//! What stands behind `ztsms verdicts …`: plain functions whose results can be printed and serialised.

use crate::build::{self, Error, ListReport, RemarkReport, Source};
use dataplane::canonical;
use dataplane::suffix::Suffixes;
use dataplane::verdict::Reason;
use dataplane::verdicts::{KeyScratch, OpenError, Snapshot, Table, is_app_package};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// What a snapshot holds.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    /// The snapshot's id.
    pub id: String,
    /// Entries.
    pub entries: u64,
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

/// What one snapshot says and another does not: pattern and verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Only in the new one.
    pub added: Vec<(String, &'static str)>,
    /// Only in the old one.
    pub removed: Vec<(String, &'static str)>,
}

/// `verdicts build`: reads the lists and puts the snapshot in force in `dir`, with the suffix list `list` beside it, else that of the program.
///
/// # Errors
/// What [`build::build`], [`build::read_suffixes`] and [`build::install`] say.
pub fn build(sources: &[Source], dir: &Path, now: u64, list: Option<&Path>) -> Result<BuildReport, Error> {
    let (suffixes, text) = list.map_or_else(|| Ok((Suffixes::built_in(), String::new())), build::read_suffixes)?;
    let suffixes = &suffixes;
    std::fs::create_dir_all(dir).map_err(|error| Error::Io(dir.to_owned(), error))?;
    let key = build::key_of(dir)?;
    let (built, lists, remarks) = build::build(sources, now, &key, suffixes)?;
    build::install(dir, &built.bytes)?;
    let beside = dir.join("suffixes");
    let written = match list {
        Some(_) => std::fs::write(&beside, text),
        None if beside.exists() => std::fs::remove_file(&beside),
        None => Ok(()),
    };
    written.map_err(|error| Error::Io(beside, error))?;
    let snapshot = Snapshot::from_bytes(&built.bytes).map_err(|why| Error::Refused(dir.to_owned(), why))?;
    Ok(BuildReport { stats: stats(&snapshot), lists, remarks })
}

/// `verdicts lookup`: what the table says of a link, with or without scheme.
pub fn lookup(table: &Table, link: &str, sender: &str, suffixes: &Suffixes) -> Found {
    let mut scratch = canonical::Scratch::default();
    let full = if canonical::has_scheme(link) { link.to_owned() } else { format!("http://{link}") };
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

/// Each entry and its verdict by name: one that has ended has none any more.
fn entries(snapshot: &Snapshot) -> impl Iterator<Item = (dataplane::verdicts::Entry<'_>, &'static str)> {
    let entries = snapshot.words().map(|(slot, word)| (snapshot.entry(slot), word.is_expired()));
    entries
        .filter(|(entry, _)| !entry.pattern.is_empty())
        .map(|(entry, expired)| (entry, if expired { Reason::Expired.name() } else { entry.verdict.name() }))
}

/// `verdicts stats`.
pub fn stats(snapshot: &Snapshot) -> Stats {
    let (mut verdicts, mut sources) = (BTreeMap::new(), BTreeMap::new());
    for (entry, verdict) in entries(snapshot) {
        *verdicts.entry(verdict).or_default() += 1;
        *sources.entry(entry.source.to_owned()).or_default() += 1;
    }
    let header = snapshot.header();
    Stats {
        id: format!("{:016x}", header.id),
        entries: header.entries,
        verdicts,
        sources,
        octets_per_word: snapshot.density().0,
        built: header.built,
    }
}

/// `verdicts diff`: from one snapshot to another, whatever their keys.
pub fn diff(old: &Snapshot, new: &Snapshot) -> Diff {
    let set = |snapshot| {
        entries(snapshot).map(|(e, verdict)| (e.pattern.to_owned(), verdict)).collect::<std::collections::BTreeSet<_>>()
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
    Ok(stats(table.snapshot()))
}

/// `verdicts rollback`: the snapshot before this one is in force again.
///
/// # Errors
/// There is none.
pub fn rollback(dir: &Path, suffixes: &Suffixes) -> Result<Stats, Error> {
    build::go_back(dir)?;
    verify(dir, suffixes)
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "snapshot {}: {} entries, {:.1} octets a word", self.id, self.entries, self.octets_per_word)?;
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
        let [old, new] = ["snapshot.1", "snapshot"].map(|name| Snapshot::open(&dir.join(name)).expect("opens"));
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
        let old = Snapshot::open(&dir.join("snapshot.1")).expect("kept");
        let changes = diff(&old, &Snapshot::open(&dir.join("snapshot")).expect("opens"));
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
