//! Time that nothing ends by when somebody sets the clock.
//!
//! A wall clock is set by people, by NTP, by a board without a battery. What a person decided until a day, and records that are kept for
//! weeks, must not end because it was set: time goes on by a clock that never jumps, and a wall that leaves it by more than [`SLACK_MS`] at
//! one look is not followed.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The wall is followed without a word as long as it is no further off at any look, milliseconds: what NTP slews, and a leap second.
pub const SLACK_MS: i64 = 30_000;

/// What the kept time is ahead of a steady clock from now on, and by how much the wall has left it; all in milliseconds. A wall that was not
/// left further than [`SLACK_MS`] is followed.
pub const fn follow(wall: i64, steady: i64, ahead: i64) -> (i64, i64) {
    let off = wall - (steady + ahead);
    if off.abs() <= SLACK_MS { (wall - steady, 0) } else { (ahead, off) }
}

/// Milliseconds since 1970 by the wall clock.
pub fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// When something ends, seconds since 1970: a day (`2026-12-31`) when it is over in UTC, or an instant with its zone (RFC 3339).
pub fn end(text: &str) -> Option<i64> {
    // A date and time without a zone is neither, though it begins with a day.
    let is_day = text.len() == "2026-12-31".len();
    let instant = match text.parse::<jiff::civil::Date>().ok().filter(|_| is_day) {
        Some(day) => format!("{}T00:00:00Z", day.tomorrow().ok()?).parse::<jiff::Timestamp>(),
        None => text.parse::<jiff::Timestamp>(),
    };
    instant.ok().map(jiff::Timestamp::as_second)
}

/// The time of one thread of a process. It begins with what the wall says.
#[derive(Clone, Debug)]
pub struct Clock {
    begun: Instant,
    ahead: i64,
    off: i64,
}

impl Default for Clock {
    fn default() -> Self {
        Self::begun_at(wall_ms())
    }
}

impl Clock {
    /// One whose time is `now`, milliseconds since 1970.
    pub(crate) fn begun_at(now: i64) -> Self {
        Self { begun: Instant::now(), ahead: now, off: 0 }
    }

    fn steady(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Looks at the wall; milliseconds since 1970. To be asked every few seconds: a wall that goes wrong by less in between is followed.
    pub fn now_ms(&mut self) -> i64 {
        let steady = self.steady();
        (self.ahead, self.off) = follow(wall_ms(), steady, self.ahead);
        steady.saturating_add(self.ahead)
    }

    /// The same in seconds.
    pub fn seconds(&mut self) -> u64 {
        u64::try_from(self.now_ms() / 1_000).unwrap_or_default()
    }

    /// The same as the system's type.
    pub fn system(&mut self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(self.now_ms()).unwrap_or_default())
    }

    /// Seconds that the wall was ahead at the last look, where it has jumped.
    pub const fn jumped(&self) -> Option<i64> {
        if self.off == 0 { None } else { Some(self.off / 1_000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn a_wall_that_drifts_is_followed_and_one_that_jumps_is_not() {
        let (mut ahead, mut wall) = (1_000 * DAY, 1_000 * DAY);
        for minute in 1..=600 {
            // A second fast every minute: ten minutes in ten hours, and never a jump.
            wall += 61_000;
            let (next, off) = follow(wall, minute * 60_000, ahead);
            assert_eq!((off, next + minute * 60_000), (0, wall));
            ahead = next;
        }
        for jump in [400 * DAY, -400 * DAY, SLACK_MS + 1, -SLACK_MS - 1] {
            assert_eq!(follow(wall + jump, 36_000_000, ahead), (ahead, jump), "time goes on as it was");
            assert_eq!(follow(wall + 5_000, 36_005_000, ahead).1, 0, "put right, it is followed again");
        }
    }

    #[test]
    fn a_day_ends_when_it_is_over_and_an_instant_in_its_zone() {
        assert_eq!(end("1970-01-02"), Some(2 * 86_400));
        assert_eq!(end("1970-01-02T00:00:00Z"), Some(86_400));
        assert_eq!(end("1970-01-02T05:00:00+05:00"), Some(86_400));
        for wrong in ["1970-01-02T12:00", "1970-01-02 12:00", "1970-01-02T12:00:00", "19700102", "1970-13-01", ""] {
            assert_eq!(end(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_clock_begins_with_the_wall_and_goes_on_without_it() {
        let mut clock = Clock::default();
        assert!((clock.now_ms() - wall_ms()).abs() < 1_000 && clock.jumped().is_none(), "{clock:?}");
        // As if the wall had been set back by a day since.
        let mut clock = Clock::begun_at(wall_ms() + DAY);
        let (was, jumped) = (clock.now_ms(), clock.jumped());
        assert!((was - wall_ms() - DAY).abs() < 1_000, "{was}");
        assert!(jumped.is_some_and(|seconds| (seconds + 86_400).abs() <= 1), "{jumped:?}");
    }
}
