//! From rules to the octets of a snapshot. No I/O, no clock: the same rules, time and key give the same file, in whatever order they come.

mod layers;
mod write;

use super::format::Header;
use super::keys::{Key, MAX_SEGMENTS};
use super::pattern::{Kind, MAX_PATTERN, Pattern};
use super::{Layer, keys};
use crate::suffix::Suffixes;
use crate::verdict::Verdict;
use std::collections::HashMap;

/// One line of a list, its pattern normalised by [`Pattern::parse`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule<'r> {
    /// The key string of a [`Pattern`].
    pub pattern: &'r str,
    /// What it says; not looked at for a platform.
    pub verdict: Verdict,
    /// Category, free words.
    pub category: &'r str,
    /// Which list.
    pub source: &'r str,
    /// Who says it.
    pub layer: Layer,
    /// Of rules of one layer that say the same of one pattern, the highest stands. It makes no verdict.
    pub priority: u8,
    /// For whom alone a `safe` holds, separated by `|`.
    pub senders: &'r str,
    /// When it ends, Unix seconds.
    pub expires: Option<u64>,
    /// A note.
    pub note: &'r str,
}

/// A rule that was not built in as it was written, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The rule's pattern.
    pub pattern: String,
    /// Its source.
    pub source: String,
    /// What happened.
    pub what: Happened,
}

/// What happened to a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A feed calls dangerous what this local `safe` covers: for triage, with an alarm.
    DangerousBelowLocalSafe(String),
    /// Its path is deeper than look-ups follow: it holds for exactly this path, not for what is below.
    DeepPath,
    /// No verdict and no platform.
    NoVerdict,
    /// Longer than a pattern may be.
    TooLong,
}

/// What was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The file's octets.
    pub bytes: Vec<u8>,
    /// Its header.
    pub header: Header,
    /// Rules for triage and rules that were not taken as written.
    pub remarks: Vec<Remark>,
    /// How many of each.
    pub counts: Counts,
}

/// What became of the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rules given.
    pub rules: u64,
    /// Entries by verdict: safe, unknown, dangerous.
    pub safe: u64,
    /// As `safe`.
    pub unknown: u64,
    /// As `safe`.
    pub dangerous: u64,
    /// Platforms.
    pub platforms: u64,
    /// Entries that have ended: they only explain an `unknown`.
    pub expired: u64,
    /// Rules that another one of the same pattern beats.
    pub beaten: u64,
    /// Feeds' rules that a local decision covers.
    pub covered: u64,
}

/// Why nothing was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// Two patterns have one fingerprint under this key (one chance in 10⁹ at 100 M entries): another key helps.
    Collision(String, String),
    /// More distinct origins or longer strings than the format counts.
    TooMany(&'static str),
    /// A bucket overflowed beyond all bounds: not seen with an honest key.
    Overfull,
}

impl core::fmt::Display for BuildError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Collision(a, b) => write!(f, "{a:?} and {b:?} have the same fingerprint under this key: build with a new key"),
            Self::TooMany(what) => write!(f, "more {what} than the format can count"),
            Self::Overfull => f.write_str("the table overflowed: build with a new key"),
        }
    }
}

impl core::error::Error for BuildError {}

/// Collects rules. Each takes its pattern's octets and 32 more.
#[derive(Debug, Default)]
pub struct Builder {
    text: String,
    rules: Vec<Held>,
    origins: Vec<Origin>,
    origin_numbers: HashMap<Origin, u32>,
    remarks: Vec<Remark>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    at: u64,
    origin: u32,
    len: u16,
    kind: Kind,
    verdict: Verdict,
    layer: Layer,
    priority: u8,
}

/// What many rules share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Origin {
    category: Box<str>,
    source: Box<str>,
    senders: Box<str>,
    note: Box<str>,
    expires: Option<u64>,
}

impl Builder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Rules held.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Takes a rule. What cannot be taken becomes a remark.
    pub fn add(&mut self, rule: &Rule<'_>) {
        let kind = Pattern::kind_of(rule.pattern);
        let refused = match u16::try_from(rule.pattern.len()) {
            _ if kind != Kind::Platform && rule.verdict == Verdict::None => Err(Happened::NoVerdict),
            Ok(len) if rule.pattern.len() <= MAX_PATTERN => Ok(len),
            _ => Err(Happened::TooLong),
        };
        if kind == Kind::Path && rule.pattern.split('?').next().unwrap_or_default().matches('/').count() > MAX_SEGMENTS {
            self.remark(rule.pattern, rule.source, Happened::DeepPath);
        }
        match refused {
            Err(what) => self.remark(rule.pattern, rule.source, what),
            Ok(len) => {
                let origin = self.origin(rule);
                let verdict = if kind == Kind::Platform { Verdict::None } else { rule.verdict };
                let (at, layer, priority) = (self.text.len() as u64, rule.layer, rule.priority);
                self.rules.push(Held { at, origin, len, kind, verdict, layer, priority });
                self.text.push_str(rule.pattern);
            }
        }
    }

    fn remark(&mut self, pattern: &str, source: &str, what: Happened) {
        self.remarks.push(Remark { pattern: pattern.to_owned(), source: source.to_owned(), what });
    }

    fn origin(&mut self, rule: &Rule<'_>) -> u32 {
        // Rules come list by list: most have the origin of the one before.
        let same = |o: &Origin| {
            (&*o.category, &*o.source, &*o.senders, &*o.note, o.expires)
                == (rule.category, rule.source, rule.senders, rule.note, rule.expires)
        };
        let last = self.rules.last().map(|held| held.origin);
        if let Some(last) = last.filter(|&n| self.origins.get(n as usize).is_some_and(same)) {
            return last;
        }
        let [category, source, senders, note] = [rule.category, rule.source, rule.senders, rule.note].map(Box::from);
        let origin = Origin { category, source, senders, note, expires: rule.expires };
        *self.origin_numbers.entry(origin).or_insert_with_key(|origin| {
            self.origins.push(origin.clone());
            u32::try_from(self.origins.len() - 1).unwrap_or(u32::MAX)
        })
    }

    fn pattern(&self, held: &Held) -> &str {
        let at = usize::try_from(held.at).unwrap_or(usize::MAX);
        self.text.get(at..at.saturating_add(held.len.into())).unwrap_or_default()
    }

    fn origin_of(&self, held: &Held) -> &Origin {
        static NONE: std::sync::LazyLock<Origin> = std::sync::LazyLock::new(Origin::default);
        self.origins.get(held.origin as usize).unwrap_or(&NONE)
    }

    /// Builds the snapshot as of `now` (Unix seconds): what has ended by then is marked so.
    ///
    /// # Errors
    /// Two patterns with one fingerprint, or more than the format counts.
    pub fn build(mut self, now: u64, key: &Key, suffixes: &Suffixes) -> Result<Built, BuildError> {
        let mut counts = Counts { rules: self.rules.len() as u64, ..Counts::default() };
        let mut remarks = core::mem::take(&mut self.remarks);
        let kept = layers::settle(&mut self, now, key, suffixes, &mut counts, &mut remarks)?;
        remarks.sort_by(|a, b| (&a.pattern, &a.source).cmp(&(&b.pattern, &b.source)));
        let (bytes, header) = write::write(&self, &kept, now, key, suffixes)?;
        Ok(Built { bytes, header, remarks, counts })
    }
}

/// The host of a key string.
fn host_of(pattern: &str, kind: Kind) -> &str {
    let name = pattern.trim_start_matches(['=', '@']);
    if kind == Kind::Path { name.split('/').next().unwrap_or(name) } else { name }
}

/// The names above a host, nearest first.
fn parents(host: &str) -> impl Iterator<Item = &str> {
    let named = !host.starts_with('[') && host.parse::<core::net::Ipv4Addr>().is_err();
    host.match_indices('.').filter(move |_| named).filter_map(|(dot, _)| host.get(dot + 1..))
}

/// What covers a path pattern on its own host, nearest first: the same prefixes that a look-up asks for.
fn path_parents<'p>(pattern: &'p str, host: &str) -> Vec<&'p str> {
    let path = pattern.get(host.len()..).unwrap_or_default();
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut prefixes: Vec<_> = keys::path_keys(path).filter_map(|prefix| pattern.get(..host.len() + prefix.len())).collect();
    prefixes.reverse();
    if query.is_none() && prefixes.first().is_some_and(|own| own.len() == pattern.len()) {
        prefixes.remove(0);
    }
    prefixes
}
