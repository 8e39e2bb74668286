//! Whether a policy may do anything at all about a text, before anybody reads more of the message.

use super::compiled::Policy;
use super::decision::{Decision, RuleRef};
use super::facts::Direction;
use crate::verdict::Verdict;

impl Policy {
    /// Whether [`Policy::decide`] may come to anything but passing: by links, by the message's verdict, or by what its text imitates.
    #[inline]
    pub fn may_act(&self, message_links: usize, verdict: Verdict, text: &str) -> bool {
        message_links > 0 || verdict != Verdict::None || self.imitation.possible(text)
    }

    /// As [`Policy::may_act`] for a text without links that is all ASCII.
    #[inline]
    pub(crate) fn may_act_on_ascii(&self, text: &[u8]) -> bool {
        self.imitation.possible_ascii(text) && simdutf8::basic::from_utf8(text).is_ok_and(|text| self.imitation.possible(text))
    }

    /// As [`Policy::may_act`] for a text without links in septets of the default alphabet. It may say yes where that says no.
    pub(crate) fn may_act_on_septets(&self, septets: &[u8]) -> bool {
        self.imitation.possible_septets(septets)
    }

    /// The same for UCS2, big endian.
    pub(crate) fn may_act_on_ucs2(&self, be16: &[u8]) -> bool {
        self.imitation.possible_ucs2(be16)
    }

    /// What [`Policy::decide`] says of a message, whoever sent it to whom, whose links are all verified, all of them between `spans` of its
    /// text in ASCII: that it goes on as it is. `None` where it has to be asked.
    pub(crate) fn lets_verified_pass(
        &self,
        direction: Direction,
        text: &str,
        mut spans: impl Iterator<Item = (usize, usize)>,
    ) -> Option<Decision> {
        let chains = self.passes_verified(direction)?;
        if self.may_be_labelled(text) || self.imitation.may_be_beside_links(text.as_bytes(), &mut spans) {
            return None;
        }
        let verdict = Verdict::Safe;
        Some(Decision {
            observe: chains.observe,
            verdict,
            rule: RuleRef { verdict, ..RuleRef::default() },
            ..Decision::default()
        })
    }
}
