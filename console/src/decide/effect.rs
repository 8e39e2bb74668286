//! What a decision would change, before it is made.

use control::verdicts_cmd::{Found, lookup};
use dataplane::suffix::Suffixes;
use dataplane::verdict::Verdict;
use dataplane::verdicts::pattern::{Kind, Pattern};
use dataplane::verdicts::{Entry, Layer, Table};
use serde::Serialize;

/// Entries that are listed one by one; all are counted.
const LISTED: usize = 20;

/// A feed's entry at or below a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// Its pattern.
    pub pattern: String,
    /// What it says.
    pub verdict: &'static str,
    /// Whose it is.
    pub source: String,
}

/// What a decision at a pattern touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// Key string of the pattern.
    pub pattern: String,
    /// What a link to it gets now.
    pub now: Found,
    /// Feeds' entries that a decision here beats, or that count again when it is undone.
    pub covers: u64,
    /// The first of them.
    pub entries: Vec<Covered>,
}

/// What a decision at this pattern beats, and what its link gets now. Reads the whole table: a second for ten million entries.
pub fn effect(table: &Table, pattern: &Pattern, suffixes: &Suffixes) -> Effect {
    let name = pattern.key.trim_start_matches(['=', '@']);
    let mut effect =
        Effect { pattern: pattern.key.clone(), now: lookup(table, name, "", suffixes), covers: 0, entries: Vec::new() };
    let snapshot = table.snapshot();
    for (slot, _) in snapshot.words() {
        let entry = snapshot.entry(slot);
        if entry.layer == Layer::Feed && !entry.pattern.is_empty() && is_below(&entry, pattern) {
            effect.covers += 1;
            if effect.entries.len() < LISTED {
                let verdict = if entry.verdict == Verdict::None { "platform" } else { entry.verdict.name() };
                effect.entries.push(Covered { pattern: entry.pattern.to_owned(), verdict, source: entry.source.to_owned() });
            }
        }
    }
    effect
}

/// Whether a host is this name or below it.
pub(crate) fn is_at_or_below(host: &str, name: &str) -> bool {
    host.strip_suffix(name).is_some_and(|head| head.is_empty() || head.ends_with('.'))
}

fn is_below(entry: &Entry<'_>, pattern: &Pattern) -> bool {
    let (key, name) = (pattern.key.as_str(), pattern.key.trim_start_matches(['=', '@']));
    let theirs = entry.pattern.trim_start_matches('=');
    let host = theirs.split('/').next().unwrap_or_default();
    match pattern.kind {
        Kind::Host => is_at_or_below(host, name),
        // A platform's entry is of its kind only; `host` says something of what is below too and is not beaten by `=host`.
        Kind::Exact => host == name && (theirs.len() > host.len() || entry.pattern.starts_with('=')),
        Kind::Path => theirs.strip_prefix(key).is_some_and(|tail| tail.is_empty() || tail.starts_with(['/', '?'])),
        Kind::Platform => host == name && entry.verdict == Verdict::None,
        Kind::Scheme => theirs.starts_with(key),
    }
}
