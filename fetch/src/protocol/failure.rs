//! What came of it, and why not.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `{"ok":…}` or `{"failed":…}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome<T> {
    /// Done.
    Ok(T),
    /// Not done.
    Failed(Failure),
}

impl<T> Outcome<T> {
    /// As the standard library has it.
    pub fn into_result(self) -> Result<T, Failure> {
        match self {
            Self::Ok(value) => Ok(value),
            Self::Failed(failure) => Err(failure),
        }
    }

    /// The value, where there is one.
    pub fn ok(&self) -> Option<&T> {
        match self {
            Self::Ok(value) => Some(value),
            Self::Failed(_) => None,
        }
    }
}

impl<T> From<Result<T, Failure>> for Outcome<T> {
    fn from(result: Result<T, Failure>) -> Self {
        match result {
            Ok(value) => Self::Ok(value),
            Err(failure) => Self::Failed(failure),
        }
    }
}

/// Why something was not done. The detail is for people and holds no more of a URL than its host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// For programs.
    pub why: Why,
    /// For people.
    pub detail: String,
    /// When to ask again, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

impl Failure {
    /// A failure without a time to ask again.
    pub fn new(why: Why, detail: impl fmt::Display) -> Self {
        Self { why, detail: detail.to_string(), retry_after_s: None }
    }

    /// The same, to be asked again after so many seconds.
    #[must_use]
    pub fn after(mut self, retry_after_s: u64) -> Self {
        self.retry_after_s = Some(retry_after_s);
        self
    }

    /// The same, with where it happened in front.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.detail = format!("{place}: {}", self.detail);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.detail)
    }
}

impl std::error::Error for Failure {}

/// Reasons, as programs read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The request is not understood.
    Request,
    /// This part of the fetcher is not switched on.
    Off,
    /// Too many requests wait.
    Busy,
    /// The budget of this platform, of this provider or of all is used up.
    Budget,
    /// No set of platforms was given yet, or another one than the request names.
    Platforms,
    /// Not a URL.
    Url,
    /// Neither `http` nor `https`.
    Scheme,
    /// A port other than 80 and 443.
    Port,
    /// User information in a URL.
    UserInfo,
    /// An address in place of a name, in whatever notation.
    Literal,
    /// Not a name that the Internet could have: no dot, or a label that is none.
    Name,
    /// Every address of the name is one that nobody may be sent to.
    Forbidden,
    /// There is no such name, or it has no address.
    NoSuchName,
    /// The name servers did not answer, or not well.
    Dns,
    /// Nobody could be reached, or the connection broke.
    Connect,
    /// No secure connection: the certificate or the handshake.
    Tls,
    /// What came back is not HTTP, or broke off.
    Http,
    /// The head of the answer is too long.
    Head,
    /// The body is too long.
    Size,
    /// Packed so tightly that it can only be meant to harm.
    Bomb,
    /// Packed in a way that was not asked for, or damaged.
    Encoding,
    /// Nothing came for too long.
    Idle,
    /// It took too long in all.
    Time,
    /// An HTTP status that is no use.
    Status,
    /// A page for people where a list was expected.
    Html,
    /// An archive where a list was expected.
    Archive,
    /// A redirect that leads nowhere, or from `https` to `http`.
    Redirect,
    /// A redirect back to where one has been.
    Loop,
    /// More redirects than are followed.
    Hops,
    /// A platform that answered without saying where the link leads.
    NoTarget,
    /// A platform without a recipe: it is not fetched.
    NoRecipe,
    /// What was looked for is not there.
    Absent,
    /// What is there cannot be read.
    Unreadable,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
