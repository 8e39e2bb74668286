//! Observe first: for whom a decision is carried out. For all others it is only recorded.

use core::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use crate::policy::profiles::Subscriber;

/// Why a decision was recorded and not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The configuration does not say `enforce = true`.
    Observing,
    /// The recipient is not in the stage.
    Stage,
    /// The breaker returned this domain, or everything, to observe.
    Breaker,
    /// `--pass`.
    Pass,
    /// Transmit rings are nearly full: rewriting is given up before a frame is.
    Pressure,
}

impl Held {
    /// The name in `why` and in counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observing => "observing",
            Self::Stage => "stage",
            Self::Breaker => "breaker",
            Self::Pass => "pass",
            Self::Pressure => "tx pressure",
        }
    }
}

/// Parts of a whole: stages are given in hundredths of a per cent.
const WHOLE: u64 = 10_000;

/// For whom decisions are carried out. Immutable; swapped with the world.
#[derive(Clone, Debug)]
pub struct Stage {
    enforce: bool,
    share: u16,
    key: u128,
    recipients: Box<[u64]>,
    domains: Box<[u64]>,
    tripped: bool,
}

impl Default for Stage {
    fn default() -> Self {
        Self::observe()
    }
}

impl Stage {
    /// Nothing is carried out.
    pub fn observe() -> Self {
        Self { enforce: false, share: 0, key: 0, recipients: Box::default(), domains: Box::default(), tripped: false }
    }

    /// Everything is carried out.
    pub fn all() -> Self {
        Self { enforce: true, share: 10_000, ..Self::observe() }
    }

    /// Carried out for that share of recipients, in hundredths of a per cent of their keyed hashes, and for those listed.
    pub fn new<'a>(enforce: bool, share: u16, key: u128, recipients: impl IntoIterator<Item = Subscriber<'a>>) -> Self {
        let mut all: Vec<u64> = recipients.into_iter().filter_map(|one| fingerprint(key, one)).collect();
        all.sort_unstable();
        all.dedup();
        Self { enforce, share, key, recipients: all.into(), ..Self::observe() }
    }

    /// The same with these registrable domains, or everything, returned to observe.
    #[must_use]
    pub fn held_back<'a>(&self, domains: impl IntoIterator<Item = &'a str>, everything: bool) -> Self {
        let mut domains: Vec<u64> = domains.into_iter().map(|domain| hash(self.key, domain.as_bytes())).collect();
        domains.sort_unstable();
        Self { domains: domains.into(), tripped: everything, ..self.clone() }
    }

    /// Whether anything at all may be carried out.
    pub const fn enforces(&self) -> bool {
        self.enforce
    }

    /// Hundredths of a per cent of recipients.
    pub const fn share(&self) -> u16 {
        self.share
    }

    /// Why a decision for this recipient about links of these domains is only recorded; `None` when it is carried out.
    pub fn holds<'a>(&self, recipient: Option<Subscriber<'_>>, domains: impl IntoIterator<Item = &'a str>) -> Option<Held> {
        if !self.enforce {
            return Some(Held::Observing);
        }
        if self.tripped || (!self.domains.is_empty() && domains.into_iter().any(|domain| self.is_held(domain))) {
            return Some(Held::Breaker);
        }
        (!self.includes(recipient)).then_some(Held::Stage)
    }

    fn is_held(&self, domain: &str) -> bool {
        self.domains.binary_search(&hash(self.key, domain.as_bytes())).is_ok()
    }

    /// Whether a recipient is in the stage. One who cannot be told is in the last stage only.
    fn includes(&self, recipient: Option<Subscriber<'_>>) -> bool {
        if u64::from(self.share) >= WHOLE {
            return true;
        }
        let Some(print) = recipient.and_then(|one| fingerprint(self.key, one)) else { return false };
        print % WHOLE < u64::from(self.share) || self.recipients.binary_search(&print).is_ok()
    }
}

fn fingerprint(key: u128, of: Subscriber<'_>) -> Option<u64> {
    of.key(&mut [0; 21]).map(|octets| hash(key, octets))
}

fn hash(key: u128, octets: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new_with_key(&key.to_le_bytes());
    hasher.write(octets);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share_of(stage: &Stage) -> usize {
        let imsi = |n: usize| format!("20801{n:010}");
        (0..20_000).filter(|&n| stage.holds(Some(Subscriber::Imsi(&imsi(n))), []).is_none()).count()
    }

    #[test]
    fn a_stage_holds_about_its_share_and_each_stage_holds_the_one_before() {
        let stage = |share| Stage::new(true, share, 7, []);
        let counts = [0, 100, 1000, 5000, 10_000].map(|share| share_of(&stage(share)));
        assert_eq!((counts[0], counts[4]), (0, 20_000));
        assert!(
            (100..300).contains(&counts[1]) && (1800..2200).contains(&counts[2]) && (9700..10_300).contains(&counts[3]),
            "{counts:?}"
        );
        let (one, ten) = (stage(100), stage(1000));
        for n in 0..20_000 {
            let imsi = format!("20801{n:010}");
            let who = Some(Subscriber::Imsi(&imsi));
            assert!(one.holds(who, []).is_some() || ten.holds(who, []).is_none(), "{imsi} fell out of a wider stage");
        }
    }

    #[test]
    fn listed_recipients_are_in_whatever_the_share() {
        let stage = Stage::new(true, 0, 7, [Subscriber::Imsi("208010000000001"), Subscriber::Msisdn("33600000001")]);
        let holds = |who| stage.holds(Some(who), []);
        assert_eq!(holds(Subscriber::Imsi("208010000000001")), None);
        assert_eq!(holds(Subscriber::Msisdn("33600000001")), None);
        assert_eq!(holds(Subscriber::Imsi("33600000001")), Some(Held::Stage));
        assert_eq!(stage.holds(None, []), Some(Held::Stage));
        assert_eq!(Stage::observe().holds(None, []), Some(Held::Observing));
    }

    #[test]
    fn a_domain_that_the_breaker_returned_is_only_observed_and_the_others_are_not() {
        let stage = Stage::all().held_back(["a.example", "b.example"], false);
        assert_eq!(stage.holds(None, ["c.example"]), None);
        assert_eq!(stage.holds(None, ["c.example", "b.example"]), Some(Held::Breaker));
        assert_eq!(Stage::all().held_back([], true).holds(None, []), Some(Held::Breaker));
    }
}
