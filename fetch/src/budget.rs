//! How often somebody may be asked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::protocol::{Failure, Why};

/// Those who are counted, at most. Beyond, whoever has his full budget again is forgotten; if nobody has, nobody new is asked.
const KEYS: usize = 20_000;

/// The rest of one that asks for one the first time.
const FIRST_REST: Duration = Duration::from_secs(10);

/// A bucket for each who is asked, and one for all.
#[derive(Debug)]
pub(crate) struct Budgets {
    buckets: Mutex<HashMap<String, Bucket>>,
    all: Mutex<Bucket>,
}

/// Fills by and by, up to what may go at once.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    per_minute: u32,
    filled: Instant,
    /// Times in a row that it asked for a rest.
    refused: u32,
}

impl Bucket {
    fn new(per_minute: u32) -> Self {
        Self { tokens: Self::burst(per_minute), per_minute, filled: Instant::now(), refused: 0 }
    }

    /// A quarter of a minute's worth may go at once.
    fn burst(per_minute: u32) -> f64 {
        (f64::from(per_minute) / 4.0).max(1.0)
    }

    fn take(&mut self, per_minute: u32) -> Result<(), f64> {
        let now = Instant::now();
        let rate = f64::from(per_minute) / 60.0;
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        (self.per_minute, self.filled) = (per_minute, self.filled.max(now));
        self.tokens = (self.tokens + since * rate).min(Self::burst(per_minute));
        if self.filled > now {
            return Err((self.filled - now).as_secs_f64());
        }
        if self.tokens < 1.0 {
            return Err((1.0 - self.tokens) / rate.max(1e-6));
        }
        self.tokens -= 1.0;
        Ok(())
    }

    fn is_full(&self) -> bool {
        let since = Instant::now().saturating_duration_since(self.filled).as_secs_f64();
        self.filled <= Instant::now() && self.tokens + since * f64::from(self.per_minute) / 60.0 >= Self::burst(self.per_minute)
    }
}

impl Budgets {
    /// So many a minute in all.
    pub(crate) fn new(all_per_minute: u32) -> Self {
        Self { buckets: Mutex::new(HashMap::new()), all: Mutex::new(Bucket::new(all_per_minute)) }
    }

    /// Takes one, of this one's budget and of all. Nothing is ever waited for here.
    pub(crate) fn take(&self, key: &str, per_minute: u32) -> Result<(), Failure> {
        let short = |whose: &str, wait: f64| {
            // Whole seconds, rounded up; a wait is never so long that it does not fit.
            let seconds = Duration::try_from_secs_f64(wait.ceil()).map_or(3600, |wait| wait.as_secs());
            Failure::new(Why::Budget, format_args!("the budget of {whose} is used up")).after(seconds.max(1))
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= KEYS && !buckets.contains_key(key) {
            buckets.retain(|_, bucket| !bucket.is_full());
            if buckets.len() >= KEYS {
                return Err(short("all", 60.0));
            }
        }
        let bucket = buckets.entry(key.to_owned()).or_insert_with(|| Bucket::new(per_minute));
        bucket.take(per_minute).map_err(|wait| short(key, wait))?;
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let per_minute = all.per_minute;
        all.take(per_minute).map_err(|wait| {
            bucket.tokens += 1.0;
            short("all", wait)
        })
    }

    /// Nothing more of this one for so long: it asked for that.
    pub(crate) fn rest(&self, key: &str, time: Duration) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(key) {
            bucket.filled = Instant::now() + time;
        }
    }

    /// This one asked for a rest of `time`, about one thing. Whoever can make it say so about his own shall not stop it for all: it rests
    /// shortly, and four times as long with each further time in a row, up to `time`.
    pub(crate) fn refused(&self, key: &str, time: Duration) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        // What was asked before it began to rest says nothing new.
        if let Some(bucket) = buckets.get_mut(key).filter(|bucket| bucket.filled <= now) {
            bucket.filled = now + FIRST_REST.saturating_mul(4_u32.saturating_pow(bucket.refused)).min(time);
            bucket.refused = bucket.refused.saturating_add(1);
        }
    }

    /// This one answered.
    pub(crate) fn answered(&self, key: &str) {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(key) {
            bucket.refused = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_budget_is_used_up_filled_by_and_by_and_one_s_own() {
        let budgets = Budgets::new(1000);
        let taken = |key: &str| (0..1000).take_while(|_| budgets.take(key, 40).is_ok()).count();
        assert_eq!(taken("a.example"), 10);
        let failure = budgets.take("a.example", 40).unwrap_err();
        assert_eq!((failure.why, failure.retry_after_s), (Why::Budget, Some(2)));
        assert_eq!(taken("b.example"), 10);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(taken("a.example"), 2);
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(taken("a.example"), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn all_together_have_one_budget_too() {
        let budgets = Budgets::new(40);
        let taken = (0..100).filter(|n| budgets.take(&format!("{n}.example"), 40).is_ok()).count();
        assert_eq!(taken, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_a_rest_has_it_shortly_at_first_and_longer_each_time_in_a_row() {
        let budgets = Budgets::new(1000);
        let rests = |most: u64| {
            budgets.take("a.example", 60).unwrap();
            budgets.refused("a.example", Duration::from_secs(most));
            // Asked before the rest began.
            budgets.refused("a.example", Duration::from_secs(most));
            budgets.take("a.example", 60).unwrap_err().retry_after_s.unwrap()
        };
        for rest in [10, 40, 100, 100] {
            assert_eq!(rests(100), rest);
            tokio::time::advance(Duration::from_secs(rest - 5)).await;
            assert_eq!(budgets.take("a.example", 60).unwrap_err().retry_after_s, Some(5));
            tokio::time::advance(Duration::from_secs(6)).await;
        }
        budgets.answered("a.example");
        assert_eq!(rests(100), 10, "it has answered since");
        tokio::time::advance(Duration::from_secs(11)).await;
        budgets.answered("a.example");
        assert_eq!(rests(3), 3, "never longer than it asks for");
    }
}
