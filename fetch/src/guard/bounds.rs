//! How long and how much.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::protocol::{Failure, Limits, Why};

/// What one request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Octets of a body, as it came and as it is unpacked.
    pub body_octets: u64,
    /// From the first step to the last octet.
    pub total: Duration,
    /// Without a single octet; for a head: until it is whole.
    pub idle: Duration,
    /// Octets unpacked from one octet packed.
    pub ratio: u32,
}

impl Bounds {
    /// One step of a short link, one page of evidence.
    pub const STEP: Self =
        Self { body_octets: 256 << 10, total: Duration::from_secs(10), idle: Duration::from_secs(5), ratio: 50 };

    /// A list: ten million names.
    pub const LIST: Self =
        Self { body_octets: 1 << 30, total: Duration::from_secs(600), idle: Duration::from_secs(20), ratio: 100 };

    /// These, where a request asks for less.
    #[must_use]
    pub fn at_most(self, limits: Limits) -> Self {
        let time = |own: Duration, asked: Option<u64>| asked.map_or(own, |ms| own.min(Duration::from_millis(ms)));
        Self {
            body_octets: limits.body_octets.map_or(self.body_octets, |octets| octets.min(self.body_octets)),
            total: time(self.total, limits.total_ms),
            idle: time(self.idle, limits.idle_ms),
            ratio: limits.ratio.map_or(self.ratio, |ratio| ratio.min(self.ratio)),
        }
    }

    /// Starts the clock.
    pub fn start(self) -> Clock {
        Clock { end: Instant::now() + self.total, bounds: self }
    }
}

/// Bounds and when they end.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    end: Instant,
    bounds: Bounds,
}

impl Clock {
    /// The bounds it was started with.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Waits for something to happen before the idle time and the whole time are over.
    pub async fn wait<T>(&self, what: &str, future: impl Future<Output = T>) -> Result<T, Failure> {
        let idle = Instant::now() + self.bounds.idle;
        timeout_at(idle.min(self.end), future).await.map_err(|_| {
            if idle < self.end {
                Failure::new(Why::Idle, format_args!("{what}: nothing for {} ms", self.bounds.idle.as_millis()))
            } else {
                Failure::new(Why::Time, format_args!("{what}: more than {} ms in all", self.bounds.total.as_millis()))
            }
        })
    }
}
