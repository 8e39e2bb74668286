//! A provider of verdicts that is asked at the time.

use serde::{Deserialize, Serialize};

/// Asks one provider about one host, or about all whose hash begins so.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// Where the provider listens: `https`, asked by POST.
    pub provider: String,
    /// What is asked. Never a path, a query, a text or a number.
    pub question: Question,
    /// Sent as `Authorization: Bearer`; not kept, not logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<String>,
    /// Questions a minute to this provider, at most. Absent: 600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<u32>,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("provider", &self.provider).field("question", &self.question).finish_non_exhaustive()
    }
}

/// What a provider is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// A host, in ASCII.
    Host(String),
    /// The first 4 to 16 octets of a SHA-256, in lower-case hexadecimal.
    Prefix(String),
}

/// What it said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveAnswer {
    /// `safe`, `dangerous`, `unknown`; absent when it was asked by prefix.
    #[serde(default)]
    pub verdict: Option<String>,
    /// The provider's word for it.
    #[serde(default)]
    pub category: Option<String>,
    /// Whole hashes that begin as asked.
    #[serde(default)]
    pub matches: Vec<Match>,
    /// For how many seconds it may be remembered.
    pub ttl_s: u64,
    /// Not asked now, but remembered.
    #[serde(default)]
    pub remembered: bool,
}

/// One whole hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// SHA-256 in lower-case hexadecimal.
    pub hash: String,
    /// `safe`, `dangerous`, `unknown`.
    pub verdict: String,
    /// The provider's word for it.
    #[serde(default)]
    pub category: Option<String>,
}
