//! From verdicts to an action: chains by verdict, rules on sender, network and recipient, labels in words that people read.
//!
//! A decision is a pure function of message, policy and verdicts: no lock, no clock, no heap once warm.

mod chain;
mod checks;
mod compiled;
mod deaden;
mod decide;
mod decision;
mod facts;
mod imitation;
mod may_act;
pub mod profiles;
pub mod redirect;
mod room;
mod rules;
mod signs;
mod skeleton;
mod spec;
mod template;
pub mod words;

pub use chain::{Chains, Preset};
pub use compiled::Policy;
pub use decision::{Action, Decision, Edit, Explanation, RuleRef, Source};
pub use facts::{Direction, LinkFacts, Message, SenderKind};
pub use room::{Bound, Room, Unbounded};
pub use rules::{ImsiRange, NeverTouch, Protected, Rule};
pub use skeleton::looks_like;
pub use spec::{Pages, Spec, SpecError};
pub use template::{TemplateError, check_template};

use redirect::Issued;

/// What a decision writes into. Taken once and used again: after the first messages nothing is allocated.
#[derive(Clone, Debug)]
pub struct Scratch {
    /// The new text, for [`Edit::Text`].
    pub text: String,
    /// Byte offsets of the characters to overwrite with a space, ascending, for [`Edit::Deaden`].
    pub spots: Vec<usize>,
    /// The ids in the new text, for [`Action::Redirect`].
    pub issued: Vec<Issued>,
    /// Hosts and the like as templates write them.
    names: String,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            text: String::with_capacity(4096),
            spots: Vec::with_capacity(1024),
            issued: Vec::with_capacity(64),
            names: String::with_capacity(4096),
        }
    }
}

impl Scratch {
    fn clear(&mut self) {
        self.text.clear();
        self.spots.clear();
        self.issued.clear();
    }
}
