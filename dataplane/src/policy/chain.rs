//! Chains of actions, one a verdict, and the presets made of them.

use super::decision::Action::{self, Deaden, Label, Pass, Redirect, Replace};
use crate::verdict::Verdict;
use core::fmt;

/// What to do, by verdict; the first action that fits is taken. No chain holds more than eight: one of each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Chains {
    /// For a message whose links are all verified.
    pub safe: Vec<Action>,
    /// For a message with a link that is not verified.
    pub unknown: Vec<Action>,
    /// For a message with a link known to be bad.
    pub dangerous: Vec<Action>,
    /// Nothing is changed: the decision says what would have been done.
    pub observe: bool,
}

impl Chains {
    /// Whether no verdict has any action but `pass`.
    pub fn is_empty(&self) -> bool {
        [&self.safe, &self.unknown, &self.dangerous].into_iter().flatten().all(|&action| action == Action::Pass)
    }

    /// The chain of a verdict; a message without links has none.
    pub fn of(&self, verdict: Verdict) -> &[Action] {
        match verdict {
            Verdict::None => &[],
            Verdict::Safe => &self.safe,
            Verdict::Unknown => &self.unknown,
            Verdict::Dangerous => &self.dangerous,
        }
    }
}

/// A set of chains with a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Preset {
    /// Observe, with a census of hosts: the first weeks of a network.
    Learn,
    /// `safe` and `unknown` labelled, `dangerous` replaced.
    #[default]
    Warn,
    /// As `warn`, but `safe` passes unlabelled.
    Quiet,
    /// What is not `safe` is replaced.
    Strict,
    /// As `warn`, but nothing is changed.
    Observe,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 5] = [Self::Learn, Self::Warn, Self::Quiet, Self::Strict, Self::Observe];

    /// The name in policies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Learn => "learn",
            Self::Warn => "warn",
            Self::Quiet => "quiet",
            Self::Strict => "strict",
            Self::Observe => "observe",
        }
    }

    /// The preset of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// Its chains. `replace` is followed by `deaden`: a message in several pieces can only be changed in place.
    pub fn chains(self) -> Chains {
        let safe = if self == Self::Quiet { vec![Pass] } else { vec![Label, Pass] };
        let unknown = if self == Self::Strict { vec![Replace, Deaden] } else { vec![Label, Redirect, Deaden] };
        Chains { safe, unknown, dangerous: vec![Replace, Deaden], observe: matches!(self, Self::Learn | Self::Observe) }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
