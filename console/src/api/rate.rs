//! So many messages a second: the leaky bucket of ITU-T I.371 (GCRA), one number and no lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// A limit.
#[derive(Debug)]
pub(super) struct Rate {
    /// Nanoseconds that one message takes; 0: no limit.
    each_ns: u64,
    /// How far ahead of time the bucket may be: a second's worth, and never less than the largest request.
    ahead_ns: u64,
    begun: Instant,
    /// When the bucket is empty, in nanoseconds since `begun`.
    empty: AtomicU64,
}

impl Rate {
    /// So many a second (0: no limit), of which `burst` at once at the least.
    pub(super) fn new(a_second: u32, burst: u32) -> Self {
        let each_ns = 1_000_000_000u64.checked_div(a_second.into()).unwrap_or(0);
        let ahead_ns = each_ns.saturating_mul(a_second.max(burst).into());
        Self { each_ns, ahead_ns, begun: Instant::now(), empty: AtomicU64::new(0) }
    }

    /// Takes `count` messages, all or none.
    ///
    /// # Errors
    /// There are too many: the nanoseconds until there is room.
    pub(super) fn take(&self, count: usize) -> Result<(), u64> {
        if self.each_ns == 0 {
            return Ok(());
        }
        let now = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.take_at(count, now)
    }

    fn take_at(&self, count: usize, now: u64) -> Result<(), u64> {
        let takes = self.each_ns.saturating_mul(count as u64);
        let later = |empty: u64| {
            let later = empty.max(now).saturating_add(takes);
            (later <= now.saturating_add(self.ahead_ns)).then_some(later)
        };
        match self.empty.fetch_update(Relaxed, Relaxed, later) {
            Ok(_) => Ok(()),
            Err(empty) => Err(empty.max(now).saturating_add(takes).saturating_sub(now.saturating_add(self.ahead_ns))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_second_holds_what_was_said_and_says_when_there_is_room_again() {
        let rate = Rate::new(10, 1);
        assert_eq!((0..12).filter(|_| rate.take_at(1, 0).is_ok()).count(), 10);
        assert_eq!(rate.take_at(1, 0), Err(SECOND / 10));
        assert_eq!(rate.take_at(1, SECOND / 10), Ok(()));
        assert!(rate.take_at(2, SECOND / 5).is_err(), "all or none");
        assert_eq!(rate.take_at(10, 9 * SECOND), Ok(()), "what was not used is not saved beyond a second");
        assert!(rate.take_at(1, 9 * SECOND).is_err());
    }

    #[test]
    fn the_largest_request_goes_through_at_the_lowest_rate_and_none_is_no_limit() {
        let rate = Rate::new(1, 1000);
        assert_eq!(rate.take_at(1000, 0), Ok(()));
        assert_eq!(rate.take_at(1, 0), Err(SECOND));
        assert!((0..100).all(|_| Rate::new(0, 1000).take(1_000_000).is_ok()));
    }
}
