//! What is said on the socket: one JSON object a line, asked and answered in turn.
//!
//! ```text
//! → {"id":"7","ask":{"do":"expand","url":"https://sho.rt/x"}}
//! ← {"id":"7","answer":{"ok":{"hops":[…],"target":{…}}}}
//! ← {"id":"7","answer":{"failed":{"why":"budget","detail":"…","retry_after_s":12}}}
//! ```
//!
//! A connection carries one request at a time; who wants several at once opens several. A connection that is closed while its request
//! runs ends the request. A line is at most [`REQUEST_OCTETS`] long, an answer [`ANSWER_OCTETS`].
//!
//! The body of a feed follows an answer with `"body":true`, and is not JSON: pieces, each an unsigned 32-bit big-endian length and
//! that many octets, at most [`PIECE_OCTETS`]. A length of zero ends them, and one more line in the form above says how it ended. **Only
//! that last line makes the body valid**: it carries length and digest, or the failure that cut the body short.

mod evidence;
mod expand;
mod failure;
mod live;

use serde::{Deserialize, Serialize};

pub use evidence::{Certificate, Dns, Evidence, EvidenceOf, Front, FrontHop, Registration, Soa, Token, WellKnown};
pub use expand::{Expand, Expanded, Hop, How, Method, Platform, Platforms, PlatformsSet, Target};
pub use failure::{Failure, Outcome, Why};
pub use live::{Live, LiveAnswer, Match, Question};

/// The longest request, in octets.
pub const REQUEST_OCTETS: usize = 4 << 20;
/// The longest answer line, in octets.
pub const ANSWER_OCTETS: usize = 1 << 20;
/// The largest piece of a body, in octets.
pub const PIECE_OCTETS: usize = 256 << 10;

/// One line from the client.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Comes back with the answer; at most 64 octets.
    #[serde(default)]
    pub id: String,
    /// What is asked.
    pub ask: Ask,
}

/// What can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Ask {
    /// What is switched on, and what was done so far: [`Status`].
    Status,
    /// Sets the platforms and their recipes: [`PlatformsSet`].
    Platforms(Platforms),
    /// Follows a short link from platform to platform: [`Expanded`].
    Expand(Expand),
    /// Fetches a list: [`Fetched`], and its body.
    Feed(Feed),
    /// Collects what the network says about a name: [`Evidence`].
    Evidence(EvidenceOf),
    /// Asks a provider of verdicts: [`LiveAnswer`].
    Live(Live),
}

/// One line back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer<T> {
    /// The request's.
    #[serde(default)]
    pub id: String,
    /// What came of it.
    pub answer: Outcome<T>,
}

/// Fetches one list. Only a body that is new, whole, within its limits and no page for people comes back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// Where it is: `http` or `https`.
    pub url: String,
    /// The `ETag` of the copy that one has: sent as `If-None-Match`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Its `Last-Modified`, as it came: sent as `If-Modified-Since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// Tighter limits than the fetcher's own. Looser ones are cut to those.
    #[serde(default)]
    pub limits: Limits,
}

impl Feed {
    /// A first fetch of this URL within the fetcher's limits.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }
}

/// Limits of one fetch. What is absent is the fetcher's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Octets of the body once unpacked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_octets: Option<u64>,
    /// Time from the request to the last octet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_ms: Option<u64>,
    /// Time without a single octet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_ms: Option<u64>,
    /// Octets unpacked from one octet packed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<u32>,
}

/// A list that was fetched: the answer before its body, and again, complete, behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// A body follows. Always false in the line behind a body, and where the server said 304.
    pub body: bool,
    /// The server said that nothing has changed (304).
    pub unchanged: bool,
    /// Where the body came from in the end.
    pub url: String,
    /// URLs that redirected, in order.
    pub redirects: Vec<String>,
    /// `ETag`, to be kept.
    pub etag: Option<String>,
    /// `Last-Modified`, to be kept as it is.
    pub last_modified: Option<String>,
    /// `Content-Type`, as the server said it.
    pub content_type: Option<String>,
    /// It was packed by gzip, in transfer or as a file, and came unpacked.
    pub unpacked: bool,
    /// Octets of the body; 0 before it.
    pub octets: u64,
    /// SHA-256 of the body in hexadecimal; empty before it.
    pub sha256: String,
}

/// What the fetcher is and has done since it was started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its version.
    pub version: String,
    /// What is switched on: of `expand`, `feed`, `evidence`, `live`.
    pub on: Vec<String>,
    /// Version of the set of platforms, when it has one.
    pub platforms: Option<String>,
    /// Requests that run.
    pub running: u64,
    /// Requests that wait for their turn.
    pub waiting: u64,
    /// Requests answered with `ok`.
    pub answered: u64,
    /// Requests answered with `failed`, by reason.
    pub failed: std::collections::BTreeMap<Why, u64>,
    /// Connections made to the outside.
    pub connections: u64,
    /// Steps of short links and answers of providers that came from memory.
    pub remembered: u64,
}
