//! Rules: the first whose every condition holds decides which chains speak. And the list of those that nothing ever touches.

use super::chain::Chains;
use super::facts::{Direction, LinkFacts, Message};
use super::skeleton::{self, Skeleton};
use crate::verdict::Verdict;
use core::ops::RangeInclusive;

/// One rule. An empty condition holds always; of the values in a condition one is enough.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// What `why` calls it.
    pub name: String,
    /// Direction; `None` is both.
    pub direction: Option<Direction>,
    /// Senders, letter by letter.
    pub sender: Vec<String>,
    /// Heads of senders.
    pub sender_prefix: Vec<String>,
    /// Senders that look like one of these.
    pub sender_like: Vec<String>,
    /// Heads of the calling global title.
    pub calling_gt: Vec<String>,
    /// Heads of the called global title.
    pub called_gt: Vec<String>,
    /// Originating point codes.
    pub opc: Vec<u32>,
    /// Destination point codes.
    pub dpc: Vec<u32>,
    /// IMSI ranges.
    pub imsi: Vec<ImsiRange>,
    /// Categories of a link's entry.
    pub category: Vec<String>,
    /// Hosts of a link, and what is below them.
    pub domain: Vec<String>,
    /// The message counts as at least this.
    pub treat_as: Option<Verdict>,
    /// Language of labels and notices, by code.
    pub language: Option<String>,
    /// The chains that speak.
    pub chains: Chains,
}

impl Rule {
    /// A rule without conditions.
    pub fn new(name: &str, chains: Chains) -> Self {
        Self {
            name: name.to_owned(),
            chains,
            direction: None,
            sender: Vec::new(),
            sender_prefix: Vec::new(),
            sender_like: Vec::new(),
            calling_gt: Vec::new(),
            called_gt: Vec::new(),
            opc: Vec::new(),
            dpc: Vec::new(),
            imsi: Vec::new(),
            category: Vec::new(),
            domain: Vec::new(),
            treat_as: None,
            language: None,
        }
    }
}

/// Subscribers by IMSI: digits, left-aligned in fifteen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImsiRange {
    first: u64,
    last: u64,
}

impl ImsiRange {
    /// Reads `208011234567890`, `20801*` or `208010000000000-208010000999999`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some((first, last)) = text.split_once('-') {
            let range = Self { first: aligned(first, 0)?, last: aligned(last, 9)? };
            return (range.first <= range.last).then_some(range);
        }
        match text.strip_suffix('*') {
            Some(prefix) if !prefix.is_empty() => Some(Self { first: aligned(prefix, 0)?, last: aligned(prefix, 9)? }),
            _ => aligned(text, 0).map(|imsi| Self { first: imsi, last: imsi }),
        }
    }

    /// First and last IMSI, fifteen digits each.
    pub fn bounds(self) -> [String; 2] {
        [self.first, self.last].map(|imsi| format!("{imsi:015}"))
    }

    fn range(self) -> RangeInclusive<u64> {
        self.first..=self.last
    }
}

/// An IMSI has at most fifteen digits (E.212); shorter ones are filled from the right.
fn aligned(digits: &str, fill: u64) -> Option<u64> {
    if digits.is_empty() || digits.len() > 15 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value = digits.bytes().fold(0, |value, b| value * 10 + u64::from(b - b'0'));
    Some((digits.len()..15).fold(value, |value, _| value * 10 + fill))
}

/// A rule with its skeletons made.
#[derive(Clone, Debug)]
pub(super) struct CompiledRule {
    pub(super) rule: Rule,
    pub(super) language: Option<usize>,
    likes: Vec<Vec<char>>,
}

impl CompiledRule {
    pub(super) fn new(rule: Rule, language: Option<usize>) -> Self {
        let like = |name: &String| lookalike(&skeleton::owned(name)).collect();
        Self { likes: rule.sender_like.iter().map(like).collect(), rule, language }
    }

    /// Whether every condition holds. `links` are those that count.
    pub(super) fn holds<'a>(&self, message: &Message<'_>, links: impl Iterator<Item = &'a LinkFacts<'a>> + Clone) -> bool {
        let rule = &self.rule;
        let any_prefix =
            |list: &[String], value: &str| list.is_empty() || list.iter().any(|head| value.starts_with(head.as_str()));
        rule.direction.is_none_or(|direction| direction == message.direction)
            && (rule.sender.is_empty() || rule.sender.iter().any(|sender| sender == message.sender))
            && any_prefix(&rule.sender_prefix, message.sender)
            && (self.likes.is_empty() || looks_like(&self.likes, message.sender))
            && any_prefix(&rule.calling_gt, message.calling_gt)
            && any_prefix(&rule.called_gt, message.called_gt)
            && (rule.opc.is_empty() || message.opc.is_some_and(|opc| rule.opc.contains(&opc)))
            && (rule.dpc.is_empty() || message.dpc.is_some_and(|dpc| rule.dpc.contains(&dpc)))
            && (rule.imsi.is_empty() || message.imsi.is_some_and(|imsi| in_ranges(&rule.imsi, imsi)))
            && (rule.category.is_empty() || links.clone().any(|link| rule.category.iter().any(|name| name == link.category)))
            && (rule.domain.is_empty() || links.clone().any(|link| rule.domain.iter().any(|domain| below(link.host, domain))))
    }
}

fn looks_like(likes: &[Vec<char>], sender: &str) -> bool {
    let skeleton = Skeleton::of(sender);
    likes.iter().any(|like| like.iter().copied().eq(lookalike(skeleton.chars())))
}

fn in_ranges(ranges: &[ImsiRange], imsi: &str) -> bool {
    aligned(imsi, 0).is_some_and(|imsi| ranges.iter().any(|range| range.range().contains(&imsi)))
}

/// Whether `host` is `domain` or lies below it.
pub(super) fn below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Who is never touched, whatever the policy: emergency, government, machines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NeverTouch {
    /// Senders, letter by letter.
    pub senders: Vec<String>,
    /// Heads of senders.
    pub sender_prefixes: Vec<String>,
    /// IMSI ranges.
    pub imsi: Vec<ImsiRange>,
}

impl NeverTouch {
    /// Nobody is named.
    pub(super) const fn is_empty(&self) -> bool {
        self.senders.is_empty() && self.sender_prefixes.is_empty() && self.imsi.is_empty()
    }

    /// Whether the message is one of theirs.
    pub(super) fn covers(&self, message: &Message<'_>) -> bool {
        self.senders.iter().any(|sender| sender == message.sender)
            || self.sender_prefixes.iter().any(|head| message.sender.starts_with(head.as_str()))
            || (!self.imsi.is_empty() && message.imsi.is_some_and(|imsi| in_ranges(&self.imsi, imsi)))
    }
}

/// A sender whose links lead to its own hosts and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Protected {
    /// The sender as it writes itself.
    pub sender: String,
    /// Its own hosts, and what is below them.
    pub domains: Vec<String>,
}

/// The protected senders, by what they look like.
#[derive(Clone, Debug, Default)]
pub(super) struct ProtectedSenders(Vec<(Vec<char>, Protected)>);

impl ProtectedSenders {
    pub(super) fn new(protected: &[Protected]) -> Self {
        Self(protected.iter().map(|entry| (lookalike(Skeleton::of(&entry.sender).chars()).collect(), entry.clone())).collect())
    }

    /// Whether a sender that is protected, or reads like one, carries a host that is not its own.
    pub(super) fn impersonated(&self, sender: &str, host: &str) -> bool {
        if self.0.is_empty() || sender.is_empty() {
            return false;
        }
        // Digits fold to letters: a short code is only ever itself.
        let number = sender.bytes().all(|b| b.is_ascii_digit() || b == b'+');
        let skeleton = Skeleton::of(sender);
        let mut ours = self.0.iter().filter(|(like, entry)| {
            entry.sender == sender
                || (!number
                    && !entry.sender.bytes().all(|b| b.is_ascii_digit() || b == b'+')
                    && !like.is_empty()
                    && like.iter().copied().eq(lookalike(skeleton.chars())))
        });
        let mut known = false;
        ours.all(|(_, entry)| {
            known = true;
            !entry.domains.iter().any(|domain| below(host, domain))
        }) && known
    }
}

/// Pairs that read as one letter in the fonts of handsets: `rn` and `m`, `vv` and `w`.
fn lookalike(chars: &[char]) -> impl Iterator<Item = char> + '_ {
    let mut at = 0;
    core::iter::from_fn(move || {
        let c = *chars.get(at)?;
        let (folded, step) = match (c, chars.get(at + 1)) {
            ('r', Some('n')) => ('m', 2),
            ('v', Some('v')) => ('w', 2),
            _ => (c, 1),
        };
        at += step;
        Some(folded)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Preset;

    #[test]
    fn a_protected_name_in_any_spelling_may_only_carry_its_own_hosts() {
        let senders = ProtectedSenders::new(&[
            Protected { sender: "Amazon".into(), domains: vec!["amazon.com".into(), "amzn.to".into()] },
            Protected { sender: "38080".into(), domains: vec!["bank.example".into()] },
        ]);
        for name in ["Amazon", "AMAZON", "Arnazon", "Am4z0n", "Аmаzоn", "A-M-A-Z-O-N"] {
            assert!(senders.impersonated(name, "evil.com"), "{name}");
            assert!(!senders.impersonated(name, "www.amazon.com"), "{name}");
            assert!(senders.impersonated(name, "notamazon.com"), "{name}");
        }
        assert!(!senders.impersonated("Amazonas", "evil.com"));
        assert!(senders.impersonated("38080", "evil.com"));
        assert!(!senders.impersonated("EBOBO", "evil.com"), "a name that folds like the digits is not the short code");
    }

    #[test]
    fn imsi_ranges_are_read_in_three_ways() {
        for (text, inside, outside) in [
            ("20801*", "208011234567890", "208021234567890"),
            ("208010000000000-208010000999999", "208010000555555", "208010001000000"),
            ("208011234567890", "208011234567890", "208011234567891"),
        ] {
            let range = ImsiRange::parse(text).unwrap();
            assert!(in_ranges(&[range], inside) && !in_ranges(&[range], outside), "{text}");
        }
        for bad in ["", "*", "2080x", "1234567890123456", "3-2", "208-"] {
            assert_eq!(ImsiRange::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_condition_of_a_rule_must_hold_and_one_value_of_each_is_enough() {
        let mut rule = Rule::new("bank", Preset::Strict.chains());
        rule.sender_like = vec!["Bank".into()];
        rule.called_gt = vec!["336".into(), "337".into()];
        let rule = CompiledRule::new(rule, None);
        let message = Message { sender: "B4NK", called_gt: "33700000001", ..Message::new("", &[]) };
        assert!(rule.holds(&message, [].iter()));
        assert!(!rule.holds(&Message { called_gt: "4470", ..message }, [].iter()));
        assert!(!rule.holds(&Message { sender: "Shop", ..message }, [].iter()));
    }
}
