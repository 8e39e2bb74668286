//! What explains a message without being one, joined in the order of the capture: which IMSI an MSISDN has (SRI-SM), and what became
//! of a message (result, error, abort). Every memory is bounded; the oldest is forgotten.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use dataplane::record::{Event, Sms};
use dataplane::verdict::Verdict;
use protocols::map::AddressString;
use protocols::sccp::Address;

/// Open SRI-SM and forwardSM remembered: more than a national network has open at a time.
const OPEN: usize = 1 << 16;

/// Subscribers whose MSISDN is remembered.
const SUBSCRIBERS: usize = 1 << 18;

/// A transaction as its owner names it: digits or octets of the address, transaction id.
type Transaction = (Box<[u8]>, Box<[u8]>);

/// See the module.
#[derive(Debug)]
pub struct Explains {
    asked: Bounded<Transaction, String>,
    msisdns: Bounded<Box<[u8]>, String>,
    open: Bounded<Transaction, Vec<(i64, Verdict)>>,
    outcomes: Vec<(&'static str, [u64; 4])>,
}

impl Default for Explains {
    fn default() -> Self {
        Self { asked: Bounded::new(OPEN), msisdns: Bounded::new(SUBSCRIBERS), open: Bounded::new(OPEN), outcomes: Vec::new() }
    }
}

impl Explains {
    /// Takes up one event.
    pub fn event(&mut self, event: &Event<'_>) {
        match *event {
            Event::RoutingInfo { otid, calling_party, msisdn } => {
                self.asked.put(transaction(calling_party, otid), AddressString(msisdn).to_string());
            }
            Event::RoutingInfoResult { dtid, called_party, imsi } => {
                if let Some(msisdn) = self.asked.take(&transaction(called_party, dtid)) {
                    self.msisdns.put(imsi.into(), msisdn);
                }
            }
            Event::Outcome { dtid, called_party, invoke_id, outcome } => self.outcome(dtid, called_party, invoke_id, outcome),
        }
    }

    /// Remembers a message until its outcome is seen.
    pub fn sms(&mut self, sms: &Sms<'_>) {
        if let Some(otid) = sms.transaction.otid {
            let key = transaction(sms.calling_party, otid);
            let open = (sms.invoke.invoke_id, sms.verdict);
            match self.open.get_mut(&key) {
                Some(messages) if messages.len() < 16 => messages.push(open),
                Some(_) => {}
                None => self.open.put(key, vec![open]),
            }
        }
    }

    /// The MSISDN that an SRI-SM gave for this IMSI (semi-octets).
    pub fn msisdn(&self, imsi: &[u8]) -> Option<&str> {
        self.msisdns.get(imsi).map(String::as_str)
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
        let key = transaction(called, dtid);
        let Some(messages) = self.open.get_mut(&key) else { return };
        let ended: Vec<Verdict> = match invoke_id {
            None => messages.drain(..).map(|(_, verdict)| verdict).collect(),
            Some(id) => messages.extract_if(.., |(open, _)| *open == id).map(|(_, verdict)| verdict).collect(),
        };
        if messages.is_empty() {
            self.open.take(&key);
        }
        for verdict in ended {
            let place = match self.outcomes.iter().position(|(name, _)| *name == outcome) {
                Some(place) => place,
                None => {
                    self.outcomes.push((outcome, [0; 4]));
                    self.outcomes.len() - 1
                }
            };
            if let Some(count) = self.outcomes.get_mut(place).and_then(|(_, counts)| counts.get_mut(verdict as usize)) {
                *count += 1;
            }
        }
    }
}

fn transaction(party: &Address<'_>, id: &[u8]) -> Transaction {
    (party.gt.map_or(party.raw, |gt| gt.digits.octets()).into(), id.into())
}

/// A map that forgets its oldest entry when it is full.
#[derive(Debug)]
struct Bounded<K, V> {
    limit: usize,
    map: HashMap<K, V>,
    /// Keys in the order they came; some may be gone.
    order: VecDeque<K>,
}

impl<K: Hash + Eq + Clone, V> Bounded<K, V> {
    fn new(limit: usize) -> Self {
        Self { limit, map: HashMap::new(), order: VecDeque::new() }
    }

    fn put(&mut self, key: K, value: V) {
        if self.map.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        // Keys that were taken stand in `order` until they come to its front, so it is bounded too.
        while self.order.len() > self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.map.remove(&oldest);
        }
    }

    fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.map.get(key)
    }

    fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.map.get_mut(key)
    }

    fn take(&mut self, key: &K) -> Option<V> {
        self.map.remove(key)
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
        assert_eq!((explains.msisdn(&[0x02, 0x10]), explains.msisdn(&[0x55])), (Some("3361"), None));
    }

    #[test]
    fn a_full_memory_forgets_its_oldest_entry() {
        let mut map = Bounded::new(2);
        (0..5).for_each(|n: u32| map.put(n, n));
        assert_eq!((map.get(&2), map.get(&3), map.get(&4)), (None, Some(&3), Some(&4)));
        (0..1000).for_each(|n: u32| {
            map.put(n, n);
            map.take(&n);
        });
        assert!(map.order.len() <= 3 && map.map.is_empty());
    }
}
