//! Readers of verdict lists: a format a file, told apart by content. They stream (JSON apart) with bounded lines; what cannot be read is
//! named with its line and reason, counted, and the rest goes on.

mod csv;
mod excepted;
mod json;
mod lines;
mod zone;

use dataplane::scan::is_app_scheme;
use dataplane::verdict::Verdict;
use dataplane::verdicts::Layer;
use dataplane::verdicts::build::Rule;
use dataplane::verdicts::pattern::{BadPattern, Buffers, Kind, Pattern, fanged};
use serde::Serialize;
use std::fmt;
use std::io::{self, BufRead, Read};

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Our own: `pattern,verdict,category,senders,source,expires,note`.
    Own,
    /// Hosts or URLs a line, wildcards (`*.host`, `.host`) too; OpenPhish's feed is one.
    Plain,
    /// `/etc/hosts` and what blocks by it.
    Hosts,
    /// dnsmasq's `address=/host/…`.
    Dnsmasq,
    /// unbound's `local-zone: "host" …`.
    Unbound,
    /// `||host^`.
    AdBlock,
    /// A response policy zone.
    Rpz,
    /// URLhaus' CSV.
    Urlhaus,
    /// PhishTank's CSV.
    PhishTankCsv,
    /// PhishTank's JSON.
    PhishTankJson,
    /// A MISP warning list.
    Misp,
    /// `rank,domain`: no verdict, orders triage.
    Ranked,
}

/// What a source lends to entries that carry no verdict of their own.
#[derive(Clone, Copy, Debug)]
pub struct Lends<'s> {
    /// The verdict; `None`: lines without their own are not taken.
    pub verdict: Option<Verdict>,
    /// The entries are platforms.
    pub platform: bool,
    /// Whose list it is; our own format is the operator's.
    pub layer: Layer,
    /// Name of the list.
    pub source: &'s str,
    /// Category of its entries; our own format has its own.
    pub category: &'s str,
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Line from 1; 0 in JSON, where `why` names the entry.
    pub line: u64,
    /// What was wrong.
    pub why: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        f.write_str(&self.why)
    }
}

/// What reading a list came to.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// How it was read.
    pub format: Format,
    /// Lines or entries seen, comments and empty ones apart.
    pub entries: u64,
    /// Rules given on.
    pub rules: u64,
    /// Entries that the list itself excepts.
    pub excepted: u64,
    /// How many could not be read.
    pub bad: u64,
    /// The first [`MOST_PROBLEMS`] of them.
    pub problems: Vec<Problem>,
}

/// Problems that are kept one by one; all are counted.
pub const MOST_PROBLEMS: usize = 100;
/// Octets of the longest line that is read.
pub const LONGEST_LINE: usize = 64 * 1024;
/// JSON is read whole: no larger than this.
const LARGEST_JSON: u64 = 512 << 20;

/// What comes out of a list.
#[derive(Clone, Copy, Debug)]
pub enum Item<'i> {
    /// A rule for the builder.
    Rule(Rule<'i>),
    /// A rank, for triage.
    Rank(u64, &'i str),
}

/// Hands each entry on and keeps count.
pub(crate) struct Sink<'s> {
    lends: Lends<'s>,
    give: &'s mut dyn FnMut(Item<'_>),
    buffers: Buffers,
    held: excepted::Held,
    /// Problems are counted by entries: such a list has no lines.
    by_entry: bool,
    /// Patterns are key strings that were written here, and each is taken as it stands.
    of_keys: bool,
    summary: Summary,
}

/// Reads a list of any format.
///
/// # Errors
/// The reader's own, and a first line of our own format that names a column which is not known; what is in the other lines never is one.
pub fn read(reader: impl Read, lends: Lends<'_>, give: &mut dyn FnMut(Item<'_>)) -> io::Result<Summary> {
    read_as(reader, lends, false, give)
}

/// The same of what this program or the console wrote: an overlay of before is not lost for a pattern that would be refused today.
pub(crate) fn read_keys(reader: impl Read, lends: Lends<'_>, give: &mut dyn FnMut(Item<'_>)) -> io::Result<Summary> {
    read_as(reader, lends, true, give)
}

fn read_as(reader: impl Read, lends: Lends<'_>, of_keys: bool, give: &mut dyn FnMut(Item<'_>)) -> io::Result<Summary> {
    let mut reader = io::BufReader::with_capacity(LONGEST_LINE, reader);
    let format = detect(&String::from_utf8_lossy(fill(&mut reader)?));
    let summary = Summary { format, entries: 0, rules: 0, excepted: 0, bad: 0, problems: Vec::new() };
    let (buffers, held) = (Buffers::default(), excepted::Held::default());
    let mut sink = Sink { lends, give, buffers, held, by_entry: false, of_keys, summary };
    match format {
        Format::Misp | Format::PhishTankJson => json::read(reader.take(LARGEST_JSON), format, &mut sink),
        _ => each_line(&mut reader, format, &mut sink)?,
    }
    sink.settle();
    Ok(sink.summary)
}

/// The first octets without taking them. A pipe may give few at a time: the first answer decides.
fn fill<R: Read>(reader: &mut io::BufReader<R>) -> io::Result<&[u8]> {
    loop {
        match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(_) => return Ok(reader.buffer()),
        }
    }
}

/// The format by the first lines that say anything.
pub fn detect(start: &str) -> Format {
    let start = start.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with('{') {
        return Format::Misp;
    }
    if start.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['{', ']'])) {
        return Format::PhishTankJson;
    }
    start.lines().take(500).find_map(lines::format_of).unwrap_or(Format::Plain)
}

fn each_line(reader: &mut impl BufRead, format: Format, sink: &mut Sink<'_>) -> io::Result<()> {
    let (mut line, mut number) = (Vec::new(), 0);
    let (mut columns, mut zone) = (csv::Columns::default(), zone::Zone::default());
    loop {
        line.clear();
        let read = reader.by_ref().take(LONGEST_LINE as u64 + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        number += 1;
        if read > LONGEST_LINE {
            sink.summary.entries += 1;
            sink.bad(number, format!("longer than {LONGEST_LINE} octets"));
            skip_line(reader)?;
            continue;
        }
        let Ok(text) = core::str::from_utf8(&line) else {
            sink.summary.entries += 1;
            sink.bad(number, "not UTF-8".to_owned());
            continue;
        };
        let indented = text.starts_with([' ', '\t']);
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            continue;
        }
        match format {
            Format::Own | Format::Urlhaus | Format::PhishTankCsv => csv::line(text, number, format, &mut columns, sink)
                .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, format!("line {number}: {why}")))?,
            Format::Ranked => lines::ranked(text, number, sink),
            Format::Rpz => zone::line(text, indented, number, &mut zone, sink),
            _ => lines::line(text, number, format, sink),
        }
    }
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        let (used, done) = match buffer.iter().position(|&c| c == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        reader.consume(used);
        if done {
            return Ok(());
        }
    }
}

impl<'s> Sink<'s> {
    fn bad(&mut self, line: u64, why: String) {
        self.summary.bad += 1;
        if self.summary.problems.len() < MOST_PROBLEMS {
            let entry = |why| Problem { line: 0, why: format!("entry {line}: {why}") };
            self.summary.problems.push(if self.by_entry { entry(why) } else { Problem { line, why } });
        }
    }

    /// An entry of a list that carries no verdicts: a host, a URL.
    fn entry(&mut self, text: &str, line: u64) {
        if let Some(key) = self.key(text, line) {
            self.rule(&Rule { pattern: &key, ..self.lent() });
        }
    }

    /// The key string of an entry, which is counted.
    fn key(&mut self, text: &str, line: u64) -> Option<String> {
        self.summary.entries += 1;
        let Lends { verdict, platform, .. } = self.lends;
        if verdict.is_none() && !platform {
            self.bad(line, "no verdict of its own, and none was lent".to_owned());
            return None;
        }
        match pattern(text, platform, &mut self.buffers) {
            Err(why) => {
                self.bad(line, format!("{}: {why}", shown(text)));
                None
            }
            Ok(pattern) => Some(pattern.key),
        }
    }

    /// What the list lends to a pattern.
    fn lent(&self) -> Rule<'s> {
        let Lends { verdict, platform, layer, source, category } = self.lends;
        let verdict = verdict.filter(|_| !platform).unwrap_or_default();
        Rule { verdict, category, source, layer, ..Rule::default() }
    }

    fn rule(&mut self, rule: &Rule<'_>) {
        self.summary.rules += 1;
        (self.give)(Item::Rule(*rule));
    }
}

/// An entry as lists by others write it.
fn pattern(text: &str, platform: bool, buffers: &mut Buffers) -> Result<Pattern, BadPattern> {
    let text = &*fanged(text);
    let text = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
    if text.starts_with(['=', '@']) {
        return Err(BadPattern::NotAHost);
    }
    let pattern = match Pattern::written(text, buffers) {
        // A platform is a host, whatever is said of its paths.
        Err(BadPattern::Wildcard) if platform => Pattern::parse(text, buffers),
        pattern => pattern,
    }?;
    // `note: this` is no link; of an unknown scheme one is found in a text by its slashes only.
    let opens = |(scheme, rest): (&str, &str)| rest.starts_with("//") || is_app_scheme(scheme.as_bytes());
    if pattern.kind == Kind::Scheme && !text.split_once(':').is_some_and(opens) {
        return Err(BadPattern::NotAHost);
    }
    if !platform {
        return Ok(pattern);
    }
    let host = pattern.key.trim_start_matches('=').split('/').next().unwrap_or_default();
    if pattern.kind == Kind::Scheme { Err(BadPattern::NotAHost) } else { Pattern::parse(&format!("@{host}"), buffers) }
}

/// A piece of a list as it may be shown: short, without controls.
fn shown(text: &str) -> String {
    let cut: String = text.chars().take(80).collect();
    format!("{cut:?}")
}

#[cfg(test)]
mod tests;
