//! A list in its one spelling: what an import keeps of a source, under the SHA-256 of its octets.
//!
//! ```text
//! pattern ⇥ verdict ⇥ category ⇥ senders ⇥ source ⇥ expires ⇥ note     fields at the end that are empty are left out
//! ```
//!
//! Lines are sorted and each stands once, so that two versions are compared by walking both. A list by others is patterns alone: what
//! they lend is the source's setting and counts when it is built. A ranked list is `host ⇥ rank`.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use control::record_json::hex;
use dataplane::verdict::Verdict;
use dataplane::verdicts::build::Rule;
use sha2::{Digest as _, Sha256};

use crate::{Error, Result};

/// Collects lines. Each takes its octets and 12 more.
#[derive(Debug, Default)]
pub struct Lines {
    text: String,
    ends: Vec<(u64, u32)>,
}

impl Lines {
    /// Takes a rule of a list; what the source lends is left out unless `own`.
    pub fn rule(&mut self, rule: &Rule<'_>, own: bool) {
        let start = self.text.len();
        self.text.push_str(rule.pattern);
        if own {
            let verdict = if rule.verdict == Verdict::None { "" } else { rule.verdict.name() };
            let ends = rule.expires.map(|end| end.to_string()).unwrap_or_default();
            for field in [verdict, rule.category, rule.senders, rule.source, &ends, rule.note] {
                self.text.push('\t');
                self.text.extend(field.chars().map(|c| if c.is_control() { ' ' } else { c }));
            }
            self.text.truncate(start + self.text.get(start..).unwrap_or_default().trim_end_matches('\t').len());
        }
        self.end(start);
    }

    /// Takes a rank.
    pub fn rank(&mut self, rank: u64, host: &str) {
        let start = self.text.len();
        self.text.push_str(host);
        self.text.push('\t');
        self.text.push_str(&rank.to_string());
        self.end(start);
    }

    fn end(&mut self, start: usize) {
        self.ends.push((start as u64, u32::try_from(self.text.len() - start).unwrap_or(u32::MAX)));
    }

    fn line(&self, (start, len): (u64, u32)) -> &str {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        self.text.get(start..start.saturating_add(len as usize)).unwrap_or_default()
    }

    /// Puts the lines in order and writes them below `dir` under their sum; what stands there already is left. Returns the sum, and how
    /// many lines there are, each once.
    ///
    /// # Errors
    /// The directory cannot be written: nothing of it stays.
    pub fn write(mut self, dir: &Path) -> Result<(String, u64)> {
        let mut ends = core::mem::take(&mut self.ends);
        ends.sort_unstable_by(|a, b| self.line(*a).cmp(self.line(*b)));
        ends.dedup_by(|a, b| self.line(*a) == self.line(*b));
        fs::create_dir_all(dir).map_err(Error::file(dir, "make"))?;
        let new = dir.join(format!("new.{}", std::process::id()));
        let written = self.write_to(&new, &ends);
        let sum = written.and_then(|sum| {
            let path = path(dir, &sum);
            let folder = path.parent().unwrap_or(dir);
            fs::create_dir_all(folder)?;
            fs::rename(&new, &path)?;
            // The names are on the disk before a version points at them.
            File::open(folder)?.sync_all()?;
            File::open(dir)?.sync_all()?;
            Ok(sum)
        });
        if sum.is_err() {
            // What is left of it is in nobody's way.
            let _ = fs::remove_file(&new);
        }
        Ok((sum.map_err(Error::file(&new, "write"))?, ends.len() as u64))
    }

    fn write_to(&self, path: &Path, ends: &[(u64, u32)]) -> io::Result<String> {
        let (mut file, mut sum) = (BufWriter::with_capacity(1 << 20, File::create(path)?), Sha256::new());
        for end in ends {
            let line = self.line(*end);
            sum.update(line);
            sum.update("\n");
            file.write_all(line.as_bytes())?;
            file.write_all(b"\n")?;
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(hex(&sum.finalize()))
    }
}

/// Where a list of that sum stands.
pub fn path(dir: &Path, sum: &str) -> PathBuf {
    dir.join(sum.get(..2).unwrap_or("00")).join(sum)
}

/// Reads a list line by line, without its line breaks, and compares its sum at the end: a list that was changed is an error.
///
/// # Errors
/// The file cannot be read or is not what was imported.
pub fn each(dir: &Path, sum: &str, mut give: impl FnMut(&str)) -> Result<()> {
    let path = path(dir, sum);
    let mut read = BufReader::with_capacity(1 << 20, File::open(&path).map_err(Error::file(&path, "read"))?);
    let (mut line, mut made) = (String::new(), Sha256::new());
    loop {
        line.clear();
        if read.read_line(&mut line).map_err(Error::file(&path, "read"))? == 0 {
            break;
        }
        made.update(&line);
        give(line.strip_suffix('\n').unwrap_or(&line));
    }
    if hex(&made.finalize()) != sum {
        return Error::refused(format!("{}: not what was imported: its sum is another. Import the source again", path.display()));
    }
    Ok(())
}

/// A line of a list as a rule. What it does not say itself is taken from `lends`. Whose line it is, and with whom it is suspended, is not for the
/// line to say: its `source` is a note.
pub fn rule<'l>(line: &'l str, lends: &Rule<'l>) -> Rule<'l> {
    let Some((pattern, rest)) = line.split_once('\t') else { return Rule { pattern: line, ..*lends } };
    let mut fields = rest.split('\t');
    let mut field = || fields.next().unwrap_or_default();
    let verdict = field();
    let verdict = [Verdict::Safe, Verdict::Dangerous, Verdict::Unknown].into_iter().find(|v| v.name() == verdict);
    let [category, senders, source, ends, note] = [field(), field(), field(), field(), field()];
    let or = |own: &'l str, lent: &'l str| if own.is_empty() { lent } else { own };
    Rule {
        pattern,
        verdict: verdict.unwrap_or(lends.verdict),
        category: or(category, lends.category),
        senders,
        source: lends.source,
        expires: ends.parse().ok().or(lends.expires),
        note: or(note, source),
        ..*lends
    }
}

/// What one list has and another has not: counts, and the first lines of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Diff {
    /// Lines only in the new one.
    pub added: u64,
    /// Lines only in the old one.
    pub removed: u64,
    /// The first of those added.
    pub first_added: Vec<String>,
    /// The first of those removed.
    pub first_removed: Vec<String>,
}

/// Which of two lists has a line that the other has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// The old one.
    Old,
    /// The new one.
    New,
}

/// Compares two lists; an old one that is none is empty. `each` is told of every line that one of them has alone.
///
/// # Errors
/// A file cannot be read.
pub fn diff(dir: &Path, old: Option<&str>, new: Option<&str>, named: usize, mut each: impl FnMut(Only, &str)) -> Result<Diff> {
    let open = |sum: Option<&str>| -> Result<Box<dyn Iterator<Item = io::Result<String>>>> {
        let Some(sum) = sum else { return Ok(Box::new(core::iter::empty())) };
        let path = path(dir, sum);
        let file = File::open(&path).map_err(Error::file(&path, "read"))?;
        Ok(Box::new(BufReader::with_capacity(1 << 20, file.take(u64::MAX)).lines()))
    };
    let failed = |error| Error::File(dir.to_owned(), "compare lists in", error);
    let mut diff = Diff::default();
    if old == new {
        return Ok(diff);
    }
    let (mut olds, mut news) = (open(old)?, open(new)?);
    let (mut a, mut b) = (olds.next().transpose().map_err(failed)?, news.next().transpose().map_err(failed)?);
    loop {
        let order = match (&a, &b) {
            (None, None) => return Ok(diff),
            (Some(_), None) => core::cmp::Ordering::Less,
            (None, Some(_)) => core::cmp::Ordering::Greater,
            (Some(old), Some(new)) => old.cmp(new),
        };
        if order.is_lt() {
            each(Only::Old, a.as_deref().unwrap_or_default());
            diff.removed += 1;
            diff.first_removed.extend(a.take().filter(|_| diff.first_removed.len() < named));
        }
        if order.is_gt() {
            each(Only::New, b.as_deref().unwrap_or_default());
            diff.added += 1;
            diff.first_added.extend(b.take().filter(|_| diff.first_added.len() < named));
        }
        if order.is_le() {
            a = olds.next().transpose().map_err(failed)?;
        }
        if order.is_ge() {
            b = news.next().transpose().map_err(failed)?;
        }
    }
}
