//! What whoever holds the wire says of it, and what of that is an alarm.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::super::status::Port;
use super::{Running, now};

/// What whoever holds the wire says of it.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// What the kernel counts, port by port.
    pub ports: Vec<Port>,
    /// Octets of an IP packet that every port carries; none: where there are no ports.
    pub mtu: Option<usize>,
    /// What is wrong with it, by the alarm's name.
    pub troubles: BTreeMap<&'static str, String>,
}

/// The alarms that whoever holds the wire may raise.
const ALARMS: [&str; 5] = ["mtu", "port", "queues", "program", "lists"];

impl Told {
    /// An alarm of something that happened stands for so long after the last time.
    pub const STANDS: Duration = Duration::from_secs(60);
}

/// What the kernel counts of frames that nobody looked at while a worker was there. `no socket` is none of it: a start, a stop and an upgrade
/// have some.
const UNSCANNED: [&str; 3] = ["heartbeat too old", "no credit", "too long"];
const RINGS: [&str; 2] = ["receive ring full", "dropped otherwise"];

/// Counts that should stand still.
#[derive(Debug)]
pub(super) struct Rising<const N: usize> {
    /// As they were; none before the first look. What was counted before is the past: the kernel's counts outlive a filter.
    seen: Option<[u64; N]>,
    /// When each last rose.
    rose: [Option<Instant>; N],
}

impl<const N: usize> Default for Rising<N> {
    fn default() -> Self {
        Self { seen: None, rose: [None; N] }
    }
}

impl<const N: usize> Rising<N> {
    /// Which of them rose within the last minute.
    fn look(&mut self, counts: [u64; N], at: Instant) -> [bool; N] {
        let seen = self.seen.replace(counts).unwrap_or(counts);
        for ((rose, n), before) in self.rose.iter_mut().zip(counts).zip(seen) {
            if n > before {
                *rose = Some(at);
            }
        }
        self.rose.map(|rose| rose.is_some_and(|rose| at.saturating_duration_since(rose) < Told::STANDS))
    }
}

/// The names of those that rose. How many is for the counters to say: words that change would be said anew each time.
fn named<const N: usize>(names: [&str; N], rose: [bool; N]) -> Option<String> {
    let named: Vec<&str> = names.into_iter().zip(rose).filter(|(_, rose)| *rose).map(|(name, _)| name).collect();
    (!named.is_empty()).then(|| named.join(", "))
}

impl Running {
    /// Takes in what whoever holds the wire says of it.
    pub(super) fn hear(&mut self) {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for name in ALARMS {
            self.alarms.set(name, told.troubles.get(name).cloned(), now());
        }
        if told.mtu.is_some_and(|mtu| mtu != self.worlds.current().network.mtu) {
            self.swap(self.worlds.current().table.share());
        }
        if told.ports.is_empty() || self.leaving.load(Relaxed) {
            return;
        }
        let sum = |cause: &str| told.ports.iter().filter_map(|port| port.kernel.get(cause)).sum::<u64>();
        let mut dropped = [0; 2];
        for lane in &mut self.lanes {
            for queue in lane.side.state().queues() {
                dropped.iter_mut().zip(queue.dropped).for_each(|(sum, n)| *sum += n);
            }
        }
        let at = Instant::now();
        let (unscanned, rings) = &mut self.rising;
        let unscanned = named(UNSCANNED, unscanned.look(UNSCANNED.map(sum), at));
        let rings = named(RINGS, rings.look(dropped, at));
        let said =
            unscanned.map(|causes| format!("frames went by unscanned, or were dropped so, within the last minute: {causes}"));
        self.alarms.set("unscanned", said, now());
        let said = rings.map(|causes| format!("the kernel dropped frames at the rings within the last minute: {causes}"));
        self.alarms.set("rings", said, now());
    }
}

#[cfg(test)]
mod tests {
    use super::super::Control;
    use super::*;

    #[test]
    fn what_rises_is_named_for_a_minute_and_what_was_there_before_is_not() {
        let (mut rising, begun) = (Rising::default(), Instant::now());
        let mut look = |counts, seconds| named(UNSCANNED, rising.look(counts, begun + Duration::from_secs(seconds)));
        assert_eq!(look([7, 0, 9], 0), None);
        assert_eq!(look([7, 0, 9], 1), None);
        assert_eq!(look([8, 0, 9], 2).as_deref(), Some("heartbeat too old"));
        assert_eq!(look([8, 5, 9], 50).as_deref(), Some("heartbeat too old, no credit"));
        assert_eq!(look([8, 5, 9], 62).as_deref(), Some("no credit"));
        assert_eq!(look([8, 5, 9], 110), None);
    }

    #[test]
    fn a_thread_of_the_control_side_that_ends_by_itself_is_seen() {
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || assert!(wait.recv().is_err()));
        let control = Control {
            stop: Default::default(),
            leaving: Default::default(),
            orders: crossbeam::channel::unbounded().0,
            latest: Default::default(),
            told: Default::default(),
            threads: vec![thread],
        };
        assert!(control.is_alive());
        drop(go);
        let begun = Instant::now();
        while control.is_alive() && begun.elapsed() < Duration::from_secs(5) {
            std::thread::yield_now();
        }
        assert!(!control.is_alive());
    }
}
