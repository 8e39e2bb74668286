//! A worker that judges: one [`Lane`], and its side of the seam to the control thread.

use std::sync::Arc;

use protocols::link::LinkType;

use super::worker::{Inspect, Report};
use crate::lane::{Frame, Lane, Setup};
use crate::live::{LaneSide, Live};

/// See the module.
pub struct Judging {
    lane: Lane,
    side: LaneSide,
    live: Arc<Live>,
    number: u64,
    time_ns: u64,
}

impl Judging {
    /// Takes the lane's memory.
    pub fn new(setup: &Setup, mut side: LaneSide) -> Self {
        let live = side.world();
        Self { lane: Lane::new(setup), side, live, number: 0, time_ns: 0 }
    }
}

impl Inspect for Judging {
    fn begin(&mut self, time_ns: u64) {
        self.time_ns = time_ns;
        self.live = self.side.world();
    }

    fn pressure(&mut self, tight: bool) {
        self.side.set_pressure(tight);
    }

    #[inline]
    fn frame(&mut self, bytes: &[u8]) {
        self.number += 1;
        let frame =
            Frame { number: self.number, time_ns: self.time_ns, link_type: LinkType::Ethernet, bytes, original_len: bytes.len() };
        self.side.frame(&mut self.lane, &frame, &self.live);
    }

    fn changed(&self) -> impl Iterator<Item = &[u8]> {
        self.lane.changed()
    }

    fn took(&mut self, ns: u64, frames: u64) {
        self.side.took(ns, frames);
    }

    fn publish(&mut self, time_ns: u64, report: &Report<'_>) {
        self.side.publish(&mut self.lane, time_ns, |state| {
            for (at, queue) in report.queues.iter().enumerate() {
                state.set_queue(at, *queue);
            }
            for (label, count) in report.counts.named() {
                state.gauges.set("worker", label, count);
            }
        });
    }
}
