//! What a lane publishes: counters, latencies and how its queues are, copied whole into a triple buffer.

use crate::counters::Counters;
use crate::join::table::Counts;

use super::Buckets;

/// Queues of one worker: a filter has 16 ports of at most 64 each, and one worker may have all of them.
const QUEUES: usize = 1024;
/// Named counts beside the counters.
const GAUGES: usize = 96;

/// One queue of one interface, as its rings are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// The interface's index in the system.
    pub interface: u32,
    /// Number of the queue.
    pub queue: u32,
    /// Descriptors in each ring and its size: receive, transmit, fill, completion.
    pub rings: [(u32, u32); 4],
    /// Frames received.
    pub received: u64,
    /// Frames sent.
    pub sent: u64,
    /// Frames that the kernel dropped for want of room, each once, by XDP_STATISTICS: receive ring full, others.
    pub dropped: [u64; 2],
    /// How often it found the fill ring empty, by the same: attempts, and no count of frames.
    pub fill_empty: u64,
}

/// Counts and levels under names that the worker gives: everything that has no field of its own.
#[derive(Clone, Copy, Debug)]
pub struct Gauges {
    named: [(&'static str, &'static str, u64); GAUGES],
    len: usize,
}

impl Default for Gauges {
    fn default() -> Self {
        Self { named: [("", "", 0); GAUGES], len: 0 }
    }
}

impl Gauges {
    /// Sets what stands under `name` (a metric's, `frames_out`) and `label` (`forwarded`). Beyond the last place nothing is kept.
    pub fn set(&mut self, name: &'static str, label: &'static str, value: u64) {
        let known = self.named.iter_mut().take(self.len).find(|(n, l, _)| *n == name && *l == label);
        match known {
            Some((_, _, old)) => *old = value,
            None => {
                if let Some(free) = self.named.get_mut(self.len) {
                    *free = (name, label, value);
                    self.len += 1;
                }
            }
        }
    }

    /// All of them, in the order in which they were first set.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + '_ {
        self.named.iter().take(self.len).copied()
    }

    /// What stands there; 0 where nothing does.
    pub fn of(&self, name: &str, label: &str) -> u64 {
        self.iter().find(|(n, l, _)| *n == name && *l == label).map_or(0, |(_, _, value)| value)
    }
}

/// What did not find room on its way to the control side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Short messages and events without a note.
    pub notes: u64,
    /// Links beyond those that a note holds.
    pub links: u64,
    /// Notes with a field left out because it was too long.
    pub cut: u64,
    /// Frames not sampled, by the limit or for want of room.
    pub samples: u64,
}

/// A place for each queue, taken at the start.
#[derive(Clone, Debug)]
struct Queues(Box<[Queue]>);

impl Default for Queues {
    fn default() -> Self {
        Self(vec![Queue::default(); QUEUES].into_boxed_slice())
    }
}

/// The state of one worker at one moment.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Time of the newest frame or of the clock, nanoseconds since 1970.
    pub time_ns: u64,
    /// How often the lane published: one that stands still is one that hangs.
    pub published: u64,
    /// The world in use.
    pub world: u64,
    /// Of the lane.
    pub counters: Counters,
    /// What became of joined things.
    pub joins: [(&'static str, Counts); 5],
    /// Time from reception to transmission of a frame, or as near to it as the worker can tell.
    pub latency: Buckets,
    /// Decisions recorded and not carried out, by cause: observing, stage, breaker, pass, pressure.
    pub held: [u64; 5],
    /// Notes that did not find room.
    pub lost: Lost,
    /// How full the ring of notes is, and its size.
    pub notes: (u32, u32),
    /// The worker's queues.
    queues: Queues,
    /// How many of them there are.
    queue_count: usize,
    /// The worker's own counts.
    pub gauges: Gauges,
}

impl State {
    /// The queues that there are.
    pub fn queues(&self) -> &[Queue] {
        self.queues.0.get(..self.queue_count).unwrap_or_default()
    }

    /// Sets queue `n` of the worker.
    pub fn set_queue(&mut self, n: usize, queue: Queue) {
        if let Some(place) = self.queues.0.get_mut(n) {
            *place = queue;
            self.queue_count = self.queue_count.max(n + 1);
        }
    }
}
