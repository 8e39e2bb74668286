//! The words that every part of the data plane shares: verdict, reason, confidence.

use core::fmt;

/// What a URL, or a message, is worth. Ordered: the worst is the greatest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Verdict {
    /// The message holds no URL.
    #[default]
    None = 0,
    /// Verified.
    Safe = 1,
    /// Not verified, hence not trusted.
    Unknown = 2,
    /// Known to be bad.
    Dangerous = 3,
}

impl Verdict {
    /// The name in records, lists and policies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Safe => "safe",
            Self::Unknown => "unknown",
            Self::Dangerous => "dangerous",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Which rule gave the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// An entry for exactly this host (and no path).
    Exact,
    /// An entry for this host and a prefix of the path.
    Path,
    /// An entry for this host that covers what is below it.
    Host,
    /// An entry for a host above this one.
    Parent,
    /// A platform: what is below it stands for itself, and nothing says what this is.
    Platform,
    /// The entry has ended.
    Expired,
    /// Nothing is known.
    NoEntry,
    /// The verdict is that of the expanded target.
    Expansion,
    /// `safe` holds for other senders only.
    Sender,
    /// A protected sender, or one that looks like it, with a host that is not its own.
    Impersonation,
    /// The text imitates one of our labels.
    LabelSpoof,
}

impl Reason {
    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Path => "path",
            Self::Host => "host",
            Self::Parent => "parent",
            Self::Platform => "platform",
            Self::Expired => "expired",
            Self::NoEntry => "no-entry",
            Self::Expansion => "expansion",
            Self::Sender => "sender",
            Self::Impersonation => "impersonation",
            Self::LabelSpoof => "label-spoof",
        }
    }
}

/// How sure the scan is that a handset makes the span tappable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Confidence {
    /// `@host #code`: a binding of a one-time code to a site. Never judged.
    Binding,
    /// `dot com`, `[.]`, spaces: acts only on an exact dangerous entry.
    Low,
    /// A handset links it, or its plain defanged form.
    High,
}

impl Confidence {
    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Binding => "binding",
            Self::Low => "low",
            Self::High => "high",
        }
    }
}
