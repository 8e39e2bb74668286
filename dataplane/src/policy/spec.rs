//! What an operator writes, before it is compiled: plain data, with the built-in `warn` as its default.

use super::chain::{Chains, Preset};
use super::redirect::RedirectKey;
use super::rules::{NeverTouch, Protected, Rule};
use super::template::TemplateError;
use super::words::{self, LanguageSpec};
use core::fmt;

/// A policy as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    /// Chains for messages to subscribers.
    pub mt: Chains,
    /// Chains for messages from subscribers.
    pub mo: Chains,
    /// Counts hosts for a census (preset `learn`).
    pub census: bool,
    /// `silence` may be used.
    pub silence: bool,
    /// Rules, the first that holds decides.
    pub rules: Vec<Rule>,
    /// Senders that carry their own hosts only.
    pub protected: Vec<Protected>,
    /// Who is never touched.
    pub never_touch: NeverTouch,
    /// The operator's name in labels; may be empty.
    pub brand: String,
    /// Language of labels, by code.
    pub language: String,
    /// The languages there are; a profile names one by its place here.
    pub languages: Vec<LanguageSpec>,
    /// Hosts that the templates' own words may link to.
    pub link_hosts: Vec<String>,
    /// Words beside the labels' own whose likeness is neutralised.
    pub likenesses: Vec<String>,
    /// Where redirects lead.
    pub pages: Option<Pages>,
}

/// Where redirects lead.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pages {
    /// Host of the holding pages.
    pub host: String,
    /// The secret that ids are made with.
    pub key: RedirectKey,
}

impl Spec {
    /// A preset with nothing else: MT as it says, MO observed.
    pub fn preset(preset: Preset) -> Self {
        Self {
            mt: preset.chains(),
            mo: Chains { observe: true, ..preset.chains() },
            census: preset == Preset::Learn,
            silence: false,
            rules: Vec::new(),
            protected: Vec::new(),
            never_touch: NeverTouch::default(),
            brand: String::new(),
            language: "en".into(),
            languages: words::shipped(),
            link_hosts: Vec::new(),
            likenesses: Vec::new(),
            pages: None,
        }
    }
}

impl Default for Spec {
    fn default() -> Self {
        Self::preset(Preset::Warn)
    }
}

/// What is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpecError {
    /// No such language.
    Language(String),
    /// The same language twice.
    Twice(String),
    /// More than a number can name.
    TooMany(&'static str),
    /// A template that cannot be read: language, place, cause.
    Template {
        /// Code of the language.
        language: String,
        /// `labels.unknown`, `notices.dangerous` and the like.
        place: &'static str,
        /// Number of the form, from 1.
        form: usize,
        /// What is wrong.
        cause: TemplateError,
    },
    /// The brand stands in every label, and reads as a link to this host.
    Brand(String),
    /// The brand stands in every label, and reads, alone or before a form for unknown or dangerous links, as these words do that are said
    /// of safe ones.
    BrandLikeSafe(String),
    /// A host that is none: what, and which.
    Host(&'static str, String),
    /// A name, or a head of one, that holds nothing, where every message would be meant.
    Empty {
        /// Which list, and whose.
        what: String,
        /// The list's key.
        key: &'static str,
        /// What stands there.
        value: String,
    },
    /// What can be read and never acts.
    Never {
        /// Which.
        what: String,
        /// Why it does not.
        why: &'static str,
    },
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Language(code) => {
                write!(f, "no language `{code}`: there are ")?;
                words::codes().enumerate().try_for_each(|(n, code)| write!(f, "{}{code}", if n == 0 { "" } else { ", " }))?;
                f.write_str(", and those that a [labels.languages.CODE] section gives")
            }
            Self::Twice(code) => write!(f, "language `{code}` stands twice"),
            Self::TooMany(what) => write!(f, "too many {what}"),
            Self::Template { language, place, form, cause } => {
                write!(f, "{place} of language `{language}`, form {form}: {cause}")
            }
            Self::Brand(host) => write!(f, "labels.brand: it reads as a link to `{host}`, which is not in link_hosts"),
            Self::BrandLikeSafe(words) => {
                write!(f, "labels.brand: with it a label reads as `{words}`, which is said of safe links")
            }
            Self::Empty { what, value, .. } => write!(f, "{what}: `{value}` is empty: leave it out, or say who is meant"),
            Self::Never { what, why } => write!(f, "{what}: {why}"),
            Self::Host(what, host) => write!(f, "{what}: `{host}` is not a host name in lower case, without scheme and path"),
        }
    }
}

impl core::error::Error for SpecError {}

/// Whether this can stand in `https://HOST/`.
pub(super) fn is_host(host: &str) -> bool {
    host.len() <= 253
        && host.contains('.')
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
        })
}
