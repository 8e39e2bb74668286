//! `DIR/overlay`: decisions since the snapshot was built, in our own list format behind a line that names the snapshots it fits.
//!
//! `ztsms verdicts set` only ever appends; a later line replaces an earlier one of the same pattern. A build, and going back, has the first line
//! name the snapshot that comes beside those that are there ([`carry`]). The console writes the file whole, by renaming, and names the snapshots before and after a change in its first line, so that
//! its decisions hold at every moment, with either, and after going back.

use super::{Error, at};
use crate::lists::{self, Item, Lends};
use dataplane::suffix::Suffixes;
use dataplane::verdict::Verdict;
use dataplane::verdicts::build::Rule;
use dataplane::verdicts::pattern::{Buffers, Pattern};
use dataplane::verdicts::regular;
use dataplane::verdicts::{Key, Layer, Overlay, Refused, Snapshot};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

const NAMES: &str = "# overlay of snapshot ";
const COLUMNS: &str = "pattern,verdict,category,senders,source,expires,note";

/// The snapshots that a first line names; `None` where it names none.
fn named(line: &str) -> Option<Vec<u64>> {
    let ids = line.strip_prefix(NAMES)?.split_whitespace().map(|id| u64::from_str_radix(id, 16).ok());
    ids.collect::<Option<Vec<u64>>>().filter(|ids| !ids.is_empty())
}

/// Writes the whole overlay by renaming.
///
/// # Errors
/// The directory cannot be written; the overlay is as it was.
pub fn write(dir: &Path, text: &str) -> Result<(), Error> {
    replace(dir, text)
}

/// The octets of an overlay: these decisions, for any of these snapshots. All are local, and each pattern is a key string.
pub fn to_text(snapshots: &[u64], rules: &[Rule<'_>]) -> String {
    let mut text = NAMES.trim_end().to_owned();
    // Writing to a String cannot fail.
    snapshots.iter().for_each(|id| text.push_str(&format!(" {id:016x}")));
    let _ = writeln!(text, "\n{COLUMNS}");
    for rule in rules {
        let verdict = if rule.verdict == Verdict::None { "" } else { rule.verdict.name() };
        let ends = rule.expires.and_then(|end| i64::try_from(end).ok()).and_then(|end| jiff::Timestamp::from_second(end).ok());
        let ends = ends.map(|end| end.to_string()).unwrap_or_default();
        let [pattern, category, senders, source, note] =
            [rule.pattern, rule.category, rule.senders, rule.source, rule.note].map(quoted);
        let _ = writeln!(text, "{pattern},{verdict},{category},{senders},{source},{ends},{note}");
    }
    text
}

/// The overlay of a verdict directory as of `now` (Unix seconds), if it has one.
///
/// # Errors
/// It is of another snapshot, a line is not readable, or a decision is not taken: nothing is left out silently.
pub fn read(dir: &Path, now: u64, snapshot: &Snapshot, key: &Key, suffixes: &Suffixes) -> Result<Option<Overlay>, Error> {
    Ok(self::text(dir)?.map(|text| parse(dir, &text, now, snapshot, key, suffixes)).transpose()?.map(|(overlay, _)| overlay))
}

/// The overlay's octets, if there is one.
///
/// # Errors
/// It cannot be read.
pub fn text(dir: &Path) -> Result<Option<String>, Error> {
    let path = dir.join("overlay");
    match regular::text(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        text => text.map(Some).map_err(at(&path)),
    }
}

/// Reads an overlay's octets: the overlay as of `now`, and when the first of its decisions ends, Unix seconds.
///
/// # Errors
/// As [`read`].
pub fn parse(
    dir: &Path,
    text: &str,
    now: u64,
    snapshot: &Snapshot,
    key: &Key,
    suffixes: &Suffixes,
) -> Result<(Overlay, Option<u64>), Error> {
    let path = dir.join("overlay");
    let ids = text.lines().next().and_then(named).ok_or_else(|| Error::NotAnOverlay(path.clone()))?;
    if !ids.contains(&snapshot.id()) {
        return Err(Error::Refused(path, Refused::Overlay(ids.first().copied().unwrap_or_default(), snapshot.id())));
    }
    let words = text.lines().map(|line| words(line.split(',').next().unwrap_or_default())).sum();
    let overlay = Overlay::with_words(snapshot.id(), text.lines().count(), words);
    let (mut refused, mut next) = (None, None::<u64>);
    let mut give = |item: Item<'_>| {
        let Item::Rule(rule) = item else { return };
        if rule.expires.is_some_and(|end| end <= now) || refused.is_some() {
            return;
        }
        next = next.into_iter().chain(rule.expires).min();
        if let Err(why) = overlay.set(&rule, snapshot, key, suffixes) {
            refused = Some(Error::NotTaken(path.clone(), rule.pattern.to_owned(), why));
        }
    };
    let lends = Lends { verdict: None, platform: false, layer: Layer::Local, source: "overlay", category: "" };
    let summary = lists::read_keys(text.as_bytes(), lends, &mut give).map_err(at(&path))?;
    if let Some(problem) = summary.problems.into_iter().next() {
        return Err(Error::OverlayLine(path, problem.line, problem.why));
    }
    refused.map_or(Ok((overlay, next)), Err)
}

/// Words of the table that a pattern takes at most: its own, its host's, and those of the names above.
fn words(pattern: &str) -> usize {
    3 + pattern.matches('.').count()
}

/// Appends one decision to the overlay of the snapshot in force.
///
/// # Errors
/// No pattern; the directory cannot be read or written; its overlay is of another snapshot. Nothing is written then.
pub fn decide(dir: &Path, pattern: &str, verdict: Verdict, note: &str, suffixes: &Suffixes) -> Result<(), Error> {
    let path = dir.join("overlay");
    let pattern = Pattern::written(pattern, &mut Buffers::default()).map_err(|why| Error::Pattern(pattern.to_owned(), why))?.key;
    let table = super::open(dir, suffixes)?;
    let rule = Rule { pattern: &pattern, verdict, layer: Layer::Local, ..Rule::default() };
    let trial = Overlay::with_words(table.snapshot().id(), 1, words(&pattern));
    let not_taken = |why| Error::NotTaken(path.clone(), pattern.clone(), why);
    trial.set(&rule, table.snapshot(), &super::read_key(dir)?, suffixes).map_err(not_taken)?;
    let head = if path.exists() { String::new() } else { format!("{NAMES}{:016x}\n{COLUMNS}\n", table.snapshot().id()) };
    let line = format!("{head}{},{},,,decided,,{}\n", quoted(&pattern), verdict.name(), quoted(note));
    let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(at(&path))?;
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(at(&path))
}

/// Writes the overlay anew by renaming: a reader sees the old one or the new one.
fn replace(dir: &Path, text: &str) -> Result<(), Error> {
    let (new, path) = (dir.join("overlay.new"), dir.join("overlay"));
    let write = || {
        let mut file = fs::File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        fs::File::open(dir)?.sync_all()
    };
    write().map_err(at(&path))
}

/// Carries the decisions of an overlay that was made for another snapshot over to the one in force; returns that other's id.
///
/// # Errors
/// The directory cannot be read or written.
pub fn rebind(dir: &Path, suffixes: &Suffixes) -> Result<Option<u64>, Error> {
    let path = dir.join("overlay");
    let snapshot = dir.join("snapshot");
    let id = Snapshot::open(&snapshot).map_err(|error| Error::Open(snapshot, error))?.id();
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(at(&path))?,
    };
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let of = named(first).ok_or_else(|| Error::NotAnOverlay(path.clone()))?;
    if of.contains(&id) {
        return Ok(None);
    }
    let of = of.first().copied().unwrap_or_default();
    replace(dir, &format!("{NAMES}{id:016x}\n{rest}"))?;
    // What cannot be carried over is said now and not by a filter at night.
    super::open(dir, suffixes).map(|_| Some(of))
}

/// Lets the decisions hold with the snapshot that is about to be in force too. The one in force and those kept stay named, so that the directory
/// can be read at every moment, and after going back. Returns the overlay as of `now`, with that snapshot; `None` without decisions.
///
/// # Errors
/// The overlay cannot be read with that snapshot, or not be written: it is as it was.
pub fn carry(dir: &Path, now: u64, next: &Snapshot, key: &Key, suffixes: &Suffixes) -> Result<Option<Overlay>, Error> {
    let Some(text) = self::text(dir)? else { return Ok(None) };
    let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let of = named(first).ok_or_else(|| Error::NotAnOverlay(dir.join("overlay")))?;
    if of.contains(&next.id()) {
        return parse(dir, &text, now, next, key, suffixes).map(|(overlay, _)| Some(overlay));
    }
    let mut ids = vec![next.id()];
    for id in super::kept(dir) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let ids: String = ids.iter().map(|id| format!(" {id:016x}")).collect();
    let text = format!("{}{ids}\n{rest}", NAMES.trim_end());
    let (overlay, _) = parse(dir, &text, now, next, key, suffixes)?;
    replace(dir, &text)?;
    Ok(Some(overlay))
}

/// Takes every decision about a pattern out of the overlay.
///
/// # Errors
/// No pattern, none decided about, or the directory cannot be read or written.
pub fn take_back(dir: &Path, pattern: &str) -> Result<(), Error> {
    let path = dir.join("overlay");
    let buffers = &mut Buffers::default();
    // What was decided before it would be refused, or read in another way, is taken back too.
    let [written, plain] = [Pattern::written, Pattern::parse].map(|read| read(pattern, buffers).map(|pattern| pattern.key));
    if let (Err(_), Err(why)) = (&written, &plain) {
        return Err(Error::Pattern(pattern.to_owned(), *why));
    }
    let keys = [written, plain];
    let not_decided = || Error::NotDecided(path.clone(), pattern.to_owned());
    let text = self::text(dir)?.ok_or_else(not_decided)?;
    let line_of = |line: &&str| {
        keys.iter().flatten().any(|key| line.starts_with(&format!("{},", quoted(key))) || line.starts_with(&format!("{key},")))
    };
    let kept: String = text.lines().filter(|line| !line_of(line)).map(|line| format!("{line}\n")).collect();
    if kept.len() == text.len() {
        return Err(not_decided());
    }
    replace(dir, &kept)
}

fn quoted(field: &str) -> String {
    let plain: String = field.chars().filter(|c| !c.is_control()).collect();
    format!("\"{}\"", plain.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::{Source, What, open, open_any};
    use crate::verdicts_cmd::{build, lookup, rollback};

    #[test]
    fn decision_taken_back_is_gone_and_one_of_another_snapshot_is_carried_over() {
        let dir = std::env::temp_dir().join(format!("ztsms-overlay-back-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("a directory");
        let (own, suffixes) = (dir.join("own.csv"), Suffixes::built_in());
        let build_with = |verdict: &str| {
            fs::write(&own, format!("pattern,verdict\nbank.example,{verdict}\n")).expect("writes");
            build(&[Source { path: own.clone(), what: What::Own }], &dir, 1, None).expect("builds");
        };
        let says = |link: &str| lookup(&open(&dir, &suffixes).expect("opens"), link, "", &suffixes).verdict;
        build_with("safe");
        decide(&dir, "bank.example", Verdict::Dangerous, "", &suffixes).expect("decides");
        decide(&dir, "evil.example", Verdict::Dangerous, "", &suffixes).expect("decides");
        assert_eq!(["bank.example", "evil.example"].map(says), ["dangerous", "dangerous"]);
        take_back(&dir, "BANK.example").expect("takes back");
        assert_eq!(["bank.example", "evil.example"].map(says), ["safe", "dangerous"]);
        assert!(take_back(&dir, "bank.example").is_err());
        decide(&dir, "192.0.2.7/32", Verdict::Dangerous, "", &suffixes).expect("decides");
        assert_eq!(says("http://192.0.2.7/x"), "dangerous");
        take_back(&dir, "192.0.2.7/32").expect("takes back");
        assert_eq!(says("http://192.0.2.7/x"), "unknown");
        assert_eq!(rebind(&dir, &suffixes).expect("reads"), None);
        build_with("unknown");
        assert_eq!(["bank.example", "evil.example"].map(says), ["unknown", "dangerous"], "a build carries over");
        rollback(&dir, &suffixes).expect("goes back");
        assert_eq!(["bank.example", "evil.example"].map(says), ["safe", "dangerous"], "and so does going back");
        // As one of before a build by another program: it names its own snapshot alone.
        let text = fs::read_to_string(dir.join("overlay")).expect("reads");
        let (_, rest) = text.split_once('\n').expect("a first line");
        fs::write(dir.join("overlay"), format!("{NAMES}{:016x}\n{rest}", 7)).expect("writes");
        assert!(open(&dir, &suffixes).is_err());
        assert_eq!(rebind(&dir, &suffixes).expect("carries over"), Some(7));
        assert_eq!(["bank.example", "evil.example"].map(says), ["safe", "dangerous"]);
        fs::remove_dir_all(&dir).expect("removes");
    }

    #[test]
    fn decision_counts_until_another_snapshot_is_in_force() {
        let dir = std::env::temp_dir().join(format!("ztsms-overlay-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("a directory");
        let (own, suffixes) = (dir.join("own.csv"), Suffixes::built_in());
        fs::write(&own, "pattern,verdict\nbank.example,safe\n").expect("writes");
        let says = |link: &str| lookup(&open(&dir, &suffixes).expect("opens"), link, "", &suffixes).verdict;
        build(&[Source { path: own.clone(), what: What::Own }], &dir, 1, None).expect("builds");
        decide(&dir, "evil.bank.example", Verdict::Dangerous, "said, \"so\"", &suffixes).expect("decides");
        decide(&dir, "Shop.example/a,b", Verdict::Dangerous, "", &suffixes).expect("decides");
        decide(&dir, "shop.example/a,b", Verdict::Safe, "", &suffixes).expect("decides");
        assert_eq!(["bank.example", "evil.bank.example/x", "shop.example/a,b"].map(says), ["safe", "dangerous", "safe"]);
        assert!(decide(&dir, "a b", Verdict::Safe, "", &suffixes).is_err());

        let table = open_any(&own, 1, &suffixes).expect("a list is built in memory");
        assert_eq!(lookup(&table, "bank.example", "", &suffixes).verdict, "safe");
        fs::write(&own, "a.example\nb.example\n").expect("writes");
        assert!(matches!(open_any(&own, 1, &suffixes), Err(Error::NoVerdicts(_))));

        let overlay = fs::read_to_string(dir.join("overlay")).expect("reads");
        fs::write(dir.join("overlay"), format!("{overlay}broken\n")).expect("writes");
        assert!(matches!(open(&dir, &suffixes), Err(Error::OverlayLine(_, 6, _))));
        fs::write(&own, "pattern,verdict\nbank.example,dangerous\n").expect("writes");
        let sources = [Source { path: own, what: What::Own }];
        assert!(
            matches!(build(&sources, &dir, 1, None), Err(Error::OverlayLine(_, 6, _))),
            "what cannot be carried over stops a build"
        );
        fs::write(dir.join("overlay"), overlay.replacen(NAMES, &format!("{NAMES}7\n# "), 1)).expect("writes");
        let refused = open(&dir, &suffixes).expect_err("of another snapshot").to_string();
        fs::remove_dir_all(&dir).expect("removes");
        assert!(refused.contains("overlay of snapshot"), "{refused}");
    }
}
