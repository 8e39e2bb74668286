//! What is told to whoever asks.

use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use super::super::admin::Latest;
use super::super::status::{Covered, Mode, PlanStatus, SCHEMA, SinkStatus, Status, Verdicts};
use super::{Running, now};
use crate::plan::Plan;
use crate::spool::Sink;

impl Running {
    /// It rewrites: by its stage, and nobody has told it to observe.
    pub(super) fn enforces(&self) -> bool {
        self.stage.enforces() && self.observed.is_none()
    }

    pub(super) fn publish(&mut self, latest: &Latest) {
        let states: Vec<_> =
            self.lanes.iter_mut().map(|lane| (lane.name.to_string(), lane.core, lane.side.state().clone())).collect();
        let world = self.worlds.current();
        let header = world.table.snapshot().header();
        let time = now();
        let built = (header.built > 0).then_some(header.built);
        let (rewritten, all) = self.breaker.window();
        let mut status = Status {
            schema: SCHEMA,
            name: self.config.live.name.clone(),
            version: env!("CARGO_PKG_VERSION"),
            pid: std::process::id(),
            metrics: self.config.admin.metrics.map(|address| address.0),
            started: self.started,
            time,
            mode: Mode {
                enforce: self.enforces(),
                stage_percent: f64::from(self.stage.share()) / 100.0,
                pass: self.worlds.pass(),
                breaker_all: self.breaker.all,
                breaker_domains: self.breaker.domains.len(),
                last_minute: [rewritten, all],
            },
            verdicts: Verdicts {
                snapshot: format!("{:016x}", header.id),
                built,
                age_s: built.map(|built| time.saturating_sub(built)),
                entries: header.entries,
                overlay: world.table.overlay().len(),
                policy: format!("{:016x}", world.policy.id()),
                suffixes: format!("{:016x}", world.suffixes.id()),
                world: world.number,
            },
            spool: self.spool.as_ref().map(sink_status),
            work: self.work.as_ref().map(sink_status),
            plan: PlanStatus {
                loaded: self.plan.is_some(),
                missing: self.plan.as_ref().map_or_else(Plan::all_missing, Plan::missing),
            },
            alarms: self.alarms.standing().to_vec(),
            alarms_raised: self.alarms.raised,
            ..Status::default()
        };
        status.lanes(&states);
        let lost = self.samples.as_ref().map_or(0, |samples| samples.counts().lost());
        *status.lost.entry("samples").or_default() += lost;
        status.ports.clone_from(&self.told.lock().unwrap_or_else(PoisonError::into_inner).ports);
        status.covered = self.covered(status.covered.forward_sm, time);
        latest.set(status);
    }

    fn covered(&self, forward_sm: u64, time: u64) -> Covered {
        let seconds = time.saturating_sub(self.started);
        let a_day = self.plan.as_ref().and_then(|plan| plan.forward_sm_a_day);
        let expected = a_day.map(|n| u64::try_from(u128::from(n) * u128::from(seconds) / 86_400).unwrap_or(u64::MAX));
        let share = expected.filter(|&n| n > 0 && seconds >= 600).map(|n| forward_sm as f64 / n as f64);
        Covered { forward_sm, expected, share }
    }
}

fn sink_status(sink: &Sink) -> SinkStatus {
    let counts = sink.counts();
    SinkStatus {
        written: counts.written.load(Relaxed),
        octets: counts.octets.load(Relaxed),
        lost_slow: counts.lost_slow.load(Relaxed),
        lost_refused: counts.lost_refused.load(Relaxed),
        deleted: counts.deleted.load(Relaxed),
        trouble: counts.trouble(),
    }
}
