//! Every frame from one port to the other by AF_PACKET: with its faults, the bad line that this kernel has no queueing discipline for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Lab;

/// Of a thousand frames, how many suffer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    pub(super) lost: u64,
    pub(super) doubled: u64,
    /// Sent behind the one that follows.
    pub(super) overtaken: u64,
}

/// Forwards until it is dropped.
pub(super) struct Relay {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Relay {
    /// Between two ports of one namespace.
    pub(super) fn start(lab: &Lab, which: char, a: &str, b: &str, faults: Faults) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        for (seed, from, to) in [(1_u64, a, b), (2, b, a)] {
            let (from, to) = (lab.raw(which, from), lab.raw(which, to));
            let stop = Arc::clone(&stop);
            threads.push(std::thread::spawn(move || {
                // xorshift: the same line in every run.
                let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut held: Option<Vec<u8>> = None;
                while !stop.load(Ordering::Acquire) {
                    let Some(frame) = from.receive(Duration::from_millis(5)) else {
                        held.take().map(|frame| to.send(&frame));
                        continue;
                    };
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    let fate = random % 1000;
                    let (lost, doubled) = (faults.lost, faults.lost + faults.doubled);
                    // An interface that is down takes nothing, as a cable would.
                    if fate < lost {
                    } else if fate < doubled {
                        let _ = to.send(&frame).and_then(|()| to.send(&frame));
                    } else if fate < doubled + faults.overtaken && held.is_none() {
                        held = Some(frame);
                        continue;
                    } else {
                        let _ = to.send(&frame);
                    }
                    held.take().map(|frame| to.send(&frame));
                }
            }));
        }
        Self { stop, threads }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// A bad line between the filter and its far end: room for a relay, in a namespace of its own.
pub(super) struct BadLine<'l>(&'l Lab);

impl<'l> BadLine<'l> {
    /// The cable from `b1` now ends at the relay, and a new `b1` begins there.
    pub(super) fn insert(lab: &'l Lab) -> Self {
        lab.nets.add('r').unwrap();
        let r = lab.nets.of('r');
        lab.nets.ip('f', &["link", "set", "b1", "down", "netns", &r, "name", "q1"]).unwrap();
        lab.nets.ip('r', &["link", "set", "q1", "up"]).unwrap();
        lab.nets.cable(('r', "r1"), ('f', "b1")).unwrap();
        Self(lab)
    }

    /// The line from now on: each begins with the same faults.
    pub(super) fn with(&self, faults: Faults) -> Relay {
        Relay::start(self.0, 'r', "q1", "r1", faults)
    }
}

impl Drop for BadLine<'_> {
    fn drop(&mut self) {
        let (nets, f) = (&self.0.nets, self.0.nets.of('f'));
        nets.ip('r', &["link", "del", "r1"]).unwrap();
        nets.ip('r', &["link", "set", "q1", "down", "netns", &f, "name", "b1"]).unwrap();
        nets.ip('f', &["link", "set", "b1", "up"]).unwrap();
        nets.remove('r');
    }
}
