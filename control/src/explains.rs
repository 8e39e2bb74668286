//! What explains a message without being one, joined in the order of the capture: which IMSI an MSISDN has (SRI-SM), and what became
//! of a message (result, error, abort). Every memory is bounded; the oldest is forgotten.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};

use dataplane::join::table::{Present, Secret};
use dataplane::record::{Event, Sms};
use dataplane::verdict::Verdict;
use protocols::map::AddressString;
use protocols::sccp::Address;

/// Open SRI-SM and forwardSM remembered: more than a national network has open at a time.
const OPEN: usize = 1 << 16;

/// Subscribers whose MSISDN is remembered.
const SUBSCRIBERS: usize = 1 << 18;

/// Messages of one transaction that may wait for their outcome.
const WAITING: usize = 16;

/// See the module.
#[derive(Debug)]
pub struct Explains {
    /// Keys the hashes by which everything is remembered: of 128 bits, so that none is met twice.
    secret: Secret,
    asked: Bounded<Number>,
    msisdns: Bounded<Number>,
    open: Bounded<Open>,
    /// Transactions in `open`: nearly all outcomes are of messages without a link, which nobody waits for.
    present: Present,
    outcomes: Vec<(&'static str, [u64; 4])>,
}

impl Default for Explains {
    fn default() -> Self {
        Self {
            secret: Secret(random()),
            asked: Bounded::new(OPEN),
            msisdns: Bounded::new(SUBSCRIBERS),
            open: Bounded::new(OPEN),
            present: Present::default(),
            outcomes: Vec::new(),
        }
    }
}

impl Explains {
    /// Takes up one event.
    pub fn event(&mut self, event: &Event<'_>) {
        match *event {
            Event::RoutingInfo { otid, calling_party, msisdn } => {
                let key = self.transaction(calling_party, otid);
                self.asked.put(key, Number::new(msisdn));
            }
            Event::RoutingInfoResult { dtid, called_party, imsi } => {
                let key = self.transaction(called_party, dtid);
                if let Some(msisdn) = self.asked.take(key) {
                    self.msisdns.put(self.subscriber(imsi), msisdn);
                }
            }
            Event::Outcome { dtid, called_party, invoke_id, outcome } => self.outcome(dtid, called_party, invoke_id, outcome),
        }
    }

    /// Remembers a message until its outcome is seen.
    pub fn sms(&mut self, sms: &Sms<'_>) {
        if let Some(otid) = sms.transaction.otid {
            self.awaits(sms.calling_party, otid, sms.invoke.invoke_id, sms.verdict);
        }
    }

    /// The same of a message of which no more is known.
    pub fn awaits(&mut self, calling_party: &Address<'_>, otid: &[u8], invoke_id: i64, verdict: Verdict) {
        let key = self.transaction(calling_party, otid);
        let open = (invoke_id, verdict);
        match self.open.get_mut(key) {
            Some(Open { more, .. }) if more.len() + 1 < WAITING => more.push(open),
            Some(_) => {}
            None => {
                let place = Present::place(otid);
                self.present.count(place, true);
                let forgotten = self.open.put(key, Open { first: Some(open), more: Vec::new(), place });
                forgotten.into_iter().for_each(|old| self.present.count(old.place, false));
            }
        }
    }

    /// The MSISDN that an SRI-SM gave for this IMSI (semi-octets).
    pub fn msisdn(&self, imsi: &[u8]) -> Option<AddressString<'_>> {
        self.msisdns.get(self.subscriber(imsi)).map(Number::address)
    }

    /// Outcomes seen, each with how many messages of each verdict (none, safe, unknown, dangerous) met it.
    pub fn outcomes(&self) -> &[(&'static str, [u64; 4])] {
        &self.outcomes
    }

    /// Forgets transactions and subscribers, and keeps the outcomes: another capture begins.
    pub fn forget(&mut self) {
        *self = Self { outcomes: std::mem::take(&mut self.outcomes), ..Self::default() };
    }

    fn outcome(&mut self, dtid: &[u8], called: &Address<'_>, invoke_id: Option<i64>, outcome: &'static str) {
        if !self.present.may_hold(Present::place(dtid)) {
            return;
        }
        let key = self.transaction(called, dtid);
        let Some(messages) = self.open.get_mut(key) else { return };
        let ends = |&(open, _): &(i64, Verdict)| invoke_id.is_none_or(|id| id == open);
        let mut ended = [0; 4];
        let mut end = |(_, verdict): (i64, Verdict)| {
            if let Some(count) = ended.get_mut(verdict as usize) {
                *count += 1;
            }
        };
        messages.first.take_if(|first| ends(first)).into_iter().for_each(&mut end);
        messages.more.extract_if(.., |message| ends(message)).for_each(end);
        if messages.first.is_none() && messages.more.is_empty() {
            self.present.count(messages.place, false);
            self.open.take(key);
        }
        if ended == [0; 4] {
            return;
        }
        let place = self.outcomes.iter().position(|(name, _)| *name == outcome).unwrap_or_else(|| {
            self.outcomes.push((outcome, [0; 4]));
            self.outcomes.len() - 1
        });
        let counts = self.outcomes.get_mut(place).map(|(_, counts)| counts);
        counts.into_iter().flatten().zip(ended).for_each(|(count, ended)| *count += ended);
    }

    /// A transaction as its owner names it: digits or octets of the address, transaction id.
    fn transaction(&self, party: &Address<'_>, id: &[u8]) -> u128 {
        self.secret.id(&[party.gt.map_or(party.raw, |gt| gt.digits.octets())], &[id])
    }

    fn subscriber(&self, imsi: &[u8]) -> u128 {
        self.secret.id(&[imsi], &[])
    }
}

/// 128 random bits, from where the standard library has its own.
pub(crate) fn random() -> u128 {
    let random = RandomState::new();
    u128::from(random.hash_one(0)) << 64 | u128::from(random.hash_one(1))
}

/// An AddressString of MAP has at most 20 octets (TS 29.002 §17.7.8); of a longer one the rest is left out.
#[derive(Clone, Copy, Debug)]
struct Number {
    octets: [u8; Self::OCTETS],
    len: u8,
}

impl Number {
    const OCTETS: usize = 23;

    fn new(number: &[u8]) -> Self {
        let mut octets = [0; Self::OCTETS];
        octets.iter_mut().zip(number).for_each(|(room, &octet)| *room = octet);
        Self { octets, len: u8::try_from(number.len().min(Self::OCTETS)).unwrap_or(0) }
    }

    fn address(&self) -> AddressString<'_> {
        AddressString(self.octets.get(..usize::from(self.len)).unwrap_or_default())
    }
}

/// Messages of one transaction whose outcome is awaited: invoke id and verdict. Nearly always one.
#[derive(Debug, Default)]
struct Open {
    first: Option<(i64, Verdict)>,
    more: Vec<(i64, Verdict)>,
    /// Where its transaction is counted.
    place: u16,
}

/// A map by keyed hashes that forgets its oldest entry when it is full.
#[derive(Debug)]
struct Bounded<V> {
    limit: usize,
    map: HashMap<u128, V, BuildHasherDefault<Low>>,
    /// Keys in the order they came; some may be gone.
    order: VecDeque<u128>,
}

/// A key is a hash already: its low half serves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Low(u64);

impl Hasher for Low {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.0 = self.0.rotate_left(8) ^ u64::from(byte));
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

impl<V> Bounded<V> {
    fn new(limit: usize) -> Self {
        Self { limit, map: HashMap::default(), order: VecDeque::new() }
    }

    /// Puts a value in, and says which ones made room or were replaced.
    fn put(&mut self, key: u128, value: V) -> Option<V> {
        let mut forgotten = None;
        if self.map.insert(key, value).is_none() {
            self.order.push_back(key);
        }
        // Keys that were taken stand in `order` until they come to its front, so it is bounded too.
        while self.order.len() > self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            forgotten = forgotten.or(self.map.remove(&oldest));
        }
        forgotten
    }

    fn get(&self, key: u128) -> Option<&V> {
        self.map.get(&key)
    }

    fn get_mut(&mut self, key: u128) -> Option<&mut V> {
        self.map.get_mut(&key)
    }

    fn take(&mut self, key: u128) -> Option<V> {
        self.map.remove(&key)
    }
}

#[cfg(test)]
mod tests {
    use protocols::sccp::Variant;

    use super::*;

    fn address(octets: &[u8]) -> Address<'_> {
        Address::parse(octets, Variant::Itu)
    }

    #[test]
    fn an_imsi_has_the_msisdn_that_its_sri_sm_asked_for() {
        let mut explains = Explains::default();
        let centre = address(&[0x12, 8, 0, 0x11, 4, 0x33, 6]);
        explains.event(&Event::RoutingInfo { otid: &[1], calling_party: &centre, msisdn: &[0x91, 0x33, 0x16] });
        assert_eq!(explains.msisdn(&[0x02, 0x10]), None);
        explains.event(&Event::RoutingInfoResult { dtid: &[2], called_party: &centre, imsi: &[0x55] });
        explains.event(&Event::RoutingInfoResult { dtid: &[1], called_party: &centre, imsi: &[0x02, 0x10] });
        let digits = |imsi: &[u8]| explains.msisdn(imsi).map(|number| number.to_string());
        assert_eq!((digits(&[0x02, 0x10]), digits(&[0x55])), (Some("3361".into()), None));
    }

    #[test]
    fn each_message_of_a_transaction_meets_its_own_outcome_and_an_abort_ends_the_rest() {
        let mut explains = Explains::default();
        let centre = address(&[0x12, 8, 0, 0x11, 4, 0x33, 6]);
        let key = explains.transaction(&centre, &[1]);
        let more = vec![(2, Verdict::None), (3, Verdict::Safe)];
        explains.present.count(Present::place(&[1]), true);
        explains.open.put(key, Open { first: Some((1, Verdict::Unknown)), more, place: Present::place(&[1]) });
        let outcome = |explains: &mut Explains, invoke_id, outcome| {
            explains.event(&Event::Outcome { dtid: &[1], called_party: &centre, invoke_id, outcome });
        };
        outcome(&mut explains, Some(2), "delivered");
        outcome(&mut explains, Some(2), "delivered");
        assert_eq!(explains.outcomes(), [("delivered", [1, 0, 0, 0])]);
        outcome(&mut explains, None, "aborted");
        outcome(&mut explains, None, "aborted");
        assert_eq!(explains.outcomes(), [("delivered", [1, 0, 0, 0]), ("aborted", [0, 1, 1, 0])]);
        assert!(explains.open.map.is_empty() && !explains.present.may_hold(Present::place(&[1])));
    }

    #[test]
    fn a_full_memory_forgets_its_oldest_entry() {
        let mut map = Bounded::new(2);
        let forgotten: Vec<_> = (0..5).filter_map(|n: u128| map.put(n, n)).collect();
        assert_eq!(forgotten, [0, 1, 2]);
        assert_eq!((map.get(2), map.get(3), map.get(4)), (None, Some(&3), Some(&4)));
        (0..1000).for_each(|n: u128| {
            map.put(n, n);
            map.take(n);
        });
        assert!(map.order.len() <= 3 && map.map.is_empty());
    }
}
