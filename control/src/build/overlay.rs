//! `DIR/overlay`: decisions since the snapshot was built, in our own list format behind a line that names the snapshot.
//!
//! Lines are only ever appended; a later one replaces an earlier one of the same pattern. The next build takes the file as one more list.

use super::{Error, at};
use crate::lists::{self, Item, Lends};
use dataplane::suffix::Suffixes;
use dataplane::verdict::Verdict;
use dataplane::verdicts::build::Rule;
use dataplane::verdicts::pattern::{BadPattern, Buffers, Pattern};
use dataplane::verdicts::{Key, Layer, Overlay, Refused, Snapshot};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const NAMES: &str = "# overlay of snapshot ";
const COLUMNS: &str = "pattern,verdict,category,senders,source,expires,note";

/// The overlay of a verdict directory, if it has one.
///
/// # Errors
/// It is of another snapshot, a line is not readable, or a decision is not taken: nothing is left out silently.
pub fn read(dir: &Path, snapshot: &Snapshot, key: &Key, suffixes: &Suffixes) -> Result<Option<Overlay>, Error> {
    let path = dir.join("overlay");
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(at(&path))?,
    };
    let id = text.lines().next().and_then(|line| line.strip_prefix(NAMES));
    let id = id.and_then(|id| u64::from_str_radix(id.trim(), 16).ok()).ok_or_else(|| Error::NotAnOverlay(path.clone()))?;
    if id != snapshot.id() {
        return Err(Error::Refused(path, Refused::Overlay(id, snapshot.id())));
    }
    let overlay = Overlay::new(id, text.lines().count());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut refused = None;
    let mut give = |item: Item<'_>| {
        let Item::Rule(rule) = item else { return };
        if rule.expires.is_some_and(|end| end <= now) || refused.is_some() {
            return;
        }
        if let Err(why) = overlay.set(&rule, snapshot, key, suffixes) {
            refused = Some(Error::NotTaken(path.clone(), rule.pattern.to_owned(), why));
        }
    };
    let lends = Lends { verdict: None, platform: false, layer: Layer::Local, source: "overlay", category: "" };
    let summary = lists::read(text.as_bytes(), lends, &mut give).map_err(at(&path))?;
    if let Some(problem) = summary.problems.into_iter().next() {
        return Err(Error::OverlayLine(path, problem.line, problem.why));
    }
    refused.map_or(Ok(Some(overlay)), Err)
}

/// Appends one decision to the overlay of the snapshot in force.
///
/// # Errors
/// No pattern; the directory cannot be read or written; its overlay is of another snapshot. Nothing is written then.
pub fn decide(dir: &Path, pattern: &str, verdict: Verdict, note: &str, suffixes: &Suffixes) -> Result<(), Error> {
    let path = dir.join("overlay");
    let bad = |why: BadPattern| Error::OverlayLine(path.clone(), 0, format!("{pattern:?}: {why}"));
    let pattern = Pattern::parse(pattern, &mut Buffers::default()).map_err(bad)?.key;
    let table = super::open(dir, suffixes)?;
    let rule = Rule { pattern: &pattern, verdict, layer: Layer::Local, ..Rule::default() };
    let trial = Overlay::new(table.snapshot().id(), 1);
    let not_taken = |why| Error::NotTaken(path.clone(), pattern.clone(), why);
    trial.set(&rule, table.snapshot(), &super::read_key(dir)?, suffixes).map_err(not_taken)?;
    let head = if path.exists() { String::new() } else { format!("{NAMES}{:016x}\n{COLUMNS}\n", table.snapshot().id()) };
    let line = format!("{head}{},{},,,decided,,{}\n", quoted(&pattern), verdict.name(), quoted(note));
    let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(at(&path))?;
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(at(&path))
}

fn quoted(field: &str) -> String {
    let plain: String = field.chars().filter(|c| !c.is_control()).collect();
    format!("\"{}\"", plain.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::{Source, What, open, open_any};
    use crate::verdicts_cmd::{build, lookup};

    #[test]
    fn decision_counts_until_another_snapshot_is_in_force() {
        let dir = std::env::temp_dir().join(format!("ztsms-overlay-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("a directory");
        let (own, suffixes) = (dir.join("own.csv"), Suffixes::built_in());
        fs::write(&own, "pattern,verdict\nbank.example,safe\n").expect("writes");
        let says = |link: &str| lookup(&open(&dir, &suffixes).expect("opens"), link, "", &suffixes).verdict;
        build(&[Source { path: own.clone(), what: What::Own }], &dir, 1, &suffixes).expect("builds");
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
        fs::write(dir.join("overlay"), &overlay).expect("writes");
        fs::write(&own, "pattern,verdict\nbank.example,dangerous\n").expect("writes");
        build(&[Source { path: own, what: What::Own }], &dir, 1, &suffixes).expect("builds");
        let refused = open(&dir, &suffixes).expect_err("of another snapshot").to_string();
        fs::remove_dir_all(&dir).expect("removes");
        assert!(refused.contains("overlay of snapshot"), "{refused}");
    }
}
