//! One line of the overlay: what a person decided, or what follows from it without one.

use dataplane::verdict::Verdict;
use dataplane::verdicts::build::Rule;
use dataplane::verdicts::{EXPANSION, Entry, Layer};

use crate::decide::Decision;

/// Source of what people decided.
pub const DECIDED: &str = "decided";

/// Source of what a provider said.
pub const LIVE: &str = "live";

/// Sources of what follows from decisions and lists without a person.
pub const FOLLOW: [&str; 2] = [EXPANSION, LIVE];

/// The source of that name among them.
pub fn followed(source: &str) -> Option<&'static str> {
    FOLLOW.into_iter().find(|name| *name == source)
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Orders lines that wait for their minute: those of small numbers wait. A decision's own number.
    pub id: i64,
    /// Key string of the pattern.
    pub pattern: String,
    /// What it says; `None` for a platform.
    pub verdict: Verdict,
    /// Category.
    pub category: String,
    /// Senders of a `safe`, separated by `|`.
    pub senders: String,
    /// [`DECIDED`], or what it follows from.
    pub source: &'static str,
    /// When it ends by itself, Unix seconds.
    pub expires: Option<i64>,
    /// For whoever reads the file.
    pub note: String,
}

impl Line {
    /// Of a decision.
    pub fn decided(decision: Decision) -> Self {
        Self {
            id: decision.id,
            verdict: decision.verdict(),
            pattern: decision.pattern,
            category: decision.category,
            senders: decision.senders,
            source: DECIDED,
            expires: decision.expires,
            note: format!("{} #{}", decision.author, decision.id),
        }
    }

    /// Of an entry that filters have.
    pub fn published(entry: &Entry<'_>, source: &'static str) -> Self {
        Self {
            id: 0,
            pattern: entry.pattern.to_owned(),
            verdict: entry.verdict,
            category: entry.category.to_owned(),
            senders: entry.senders.to_owned(),
            source,
            expires: entry.expires.and_then(|end| i64::try_from(end).ok()),
            note: entry.note.to_owned(),
        }
    }

    /// As the overlay is written.
    pub fn rule(&self) -> Rule<'_> {
        Rule {
            pattern: &self.pattern,
            verdict: self.verdict,
            category: &self.category,
            source: self.source,
            layer: Layer::Local,
            senders: &self.senders,
            expires: self.expires.and_then(|end| u64::try_from(end).ok()),
            note: &self.note,
            ..Rule::default()
        }
    }
}
