//! What the policy decided, and why.

use super::room::Bound;
use crate::verdict::Verdict;
use core::fmt;

/// What to do with a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Leave it as it is.
    #[default]
    Pass,
    /// Put a label first in the text.
    Label,
    /// Put a notice in place of the text.
    Replace,
    /// Put `https://HOST/ID` in place of each link that is not safe.
    Redirect,
    /// Make the links dead in place: `.`, `/`, `:` and the like become spaces.
    Deaden,
    /// PID 40, type 0: the handset acknowledges and shows nothing.
    Silence,
    /// Refuse the message, so that its sender is told. Not on the wire: nothing there may be sent that did not come.
    Reject,
    /// Hold the message back, and tell the recipient by a message of the operator's own. Not on the wire either.
    Notify,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 8] =
        [Self::Pass, Self::Label, Self::Replace, Self::Redirect, Self::Deaden, Self::Silence, Self::Reject, Self::Notify];

    /// The name in records and policies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Label => "label",
            Self::Replace => "replace",
            Self::Redirect => "redirect",
            Self::Deaden => "deaden",
            Self::Silence => "silence",
            Self::Reject => "reject",
            Self::Notify => "notify",
        }
    }

    /// The action of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What to change in the TPDU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edit {
    /// Nothing: the message already is as the policy wants it.
    #[default]
    None,
    /// The text becomes [`Scratch::text`](super::Scratch::text).
    Text,
    /// Each character at the byte offsets [`Scratch::spots`](super::Scratch::spots) of the message's text becomes a space.
    Deaden,
}

/// Which part of the policy spoke.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The chains of the policy itself.
    #[default]
    Default,
    /// The rule of this number, in the order of the file.
    Rule(u16),
    /// The recipient's profile.
    Profile,
    /// The list of senders and IMSI ranges that are never touched.
    NeverTouch,
    /// A notice, a redirect or a label that this policy wrote before: left as it is.
    Own,
}

/// Which rule decided: with the policy at hand it prints as `why`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleRef {
    /// Which part of the policy spoke.
    pub source: Source,
    /// The verdict whose chain was walked.
    pub verdict: Verdict,
    /// Number of the form taken, from 1; 0 where the action has none.
    pub form: u8,
    /// The action of the chain that did not fit, with its form (0 where it has none), and the bound that stopped it.
    pub stopped: Option<(Action, u8, Bound)>,
    /// The text imitated a label.
    pub spoof: bool,
}

/// The decision about one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// What is done, or would be done when [`observe`](Self::observe) is set.
    pub action: Action,
    /// Nothing is to be changed: the rest says what would have been done.
    pub observe: bool,
    /// What the message is worth in the end: at least `unknown` where a label was imitated.
    pub verdict: Verdict,
    /// Which rule decided.
    pub rule: RuleRef,
    /// The bound that stopped the action before the one taken.
    pub bound: Option<Bound>,
    /// What changes.
    pub edit: Edit,
    /// A link that is not safe goes on without a mark: because the operator wrote so, or because nothing fitted.
    pub unwarned: bool,
}

impl Decision {
    /// Why a message with a link that is not safe was spared whatever its chain says: by a list, or because its recipient wished so.
    pub const fn spared(&self) -> Option<&'static str> {
        match self.rule.source {
            Source::NeverTouch => Some("never_touch"),
            Source::Profile if matches!(self.action, Action::Pass) && !self.unwarned && !self.observe => Some("profile off"),
            _ => None,
        }
    }
}

/// `why` for people, with the rule's name in it: made by [`Policy::why`](super::Policy::why).
#[derive(Clone, Copy, Debug)]
pub struct Explanation<'a> {
    pub(super) decision: Decision,
    pub(super) rule_name: Option<&'a str>,
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decision { action, rule, .. } = self.decision;
        match rule.source {
            Source::Default => {}
            Source::Rule(_) => write!(f, "{}: ", self.rule_name.unwrap_or("rule"))?,
            Source::Profile => f.write_str("profile: ")?,
            Source::NeverTouch => return f.write_str("never-touch"),
            Source::Own => f.write_str("already ours: ")?,
        }
        match rule.form {
            0 => write!(f, "{}/{action}", rule.verdict)?,
            form => write!(f, "{}/{form}", rule.verdict)?,
        }
        if rule.spoof {
            f.write_str(", label-spoof")?;
        }
        match rule.stopped {
            Some((Action::Label, form, bound)) => write!(f, ": form {form} {bound}"),
            Some((stopped, 0, bound)) => write!(f, ": {stopped} {bound}"),
            Some((stopped, form, bound)) => write!(f, ": {stopped} form {form} {bound}"),
            None => Ok(()),
        }
    }
}
