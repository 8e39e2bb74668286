//! Latencies in plain buckets: the lane adds one, the control side makes percentiles of them.
//!
//! Log-linear: eight steps for each power of two, so a bucket's width is at most an eighth of its value.

/// Powers of two that are kept apart; what took longer than 2^36 ns (68 s) is in the last bucket.
const POWERS: usize = 36;
const STEPS: usize = 8;
/// How many buckets there are.
pub const BUCKETS: usize = (POWERS - 2) * STEPS;

/// Counts by nanoseconds.
#[derive(Clone, Debug)]
pub struct Buckets {
    counts: [u64; BUCKETS],
}

impl Default for Buckets {
    fn default() -> Self {
        Self { counts: [0; BUCKETS] }
    }
}

impl Buckets {
    /// One more that took so long.
    #[inline]
    pub fn add(&mut self, ns: u64) {
        self.add_many(ns, 1);
    }

    /// So many more that took so long each: a batch is timed whole.
    #[inline]
    pub fn add_many(&mut self, ns: u64, n: u64) {
        if let Some(count) = self.counts.get_mut(bucket(ns)) {
            *count += n;
        }
    }

    /// The longest time that falls into each bucket, in nanoseconds, and how many did.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.counts.iter().enumerate().map(|(n, &count)| (upper(n), count))
    }

    /// How many were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

const fn bucket(ns: u64) -> usize {
    if ns < STEPS as u64 {
        return ns as usize;
    }
    let power = ns.ilog2() as usize;
    let step = (ns >> (power - 3)) as usize & (STEPS - 1);
    let at = (power - 2) * STEPS + step;
    if at < BUCKETS { at } else { BUCKETS - 1 }
}

const fn upper(bucket: usize) -> u64 {
    if bucket < STEPS {
        return bucket as u64;
    }
    let (power, step) = (bucket / STEPS + 2, bucket % STEPS);
    (((STEPS + step + 1) as u64) << (power - 3)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_falls_into_the_first_bucket_that_reaches_it_and_none_is_an_eighth_too_wide() {
        for ns in (0..5000).chain((13..36).flat_map(|p| [(1 << p) - 1, 1 << p, (1 << p) + (1 << (p - 2))])) {
            let at = bucket(ns);
            assert!(upper(at) >= ns && (at == 0 || upper(at - 1) < ns), "{ns} in {at}");
            assert!(upper(at) - ns <= ns / 8, "{ns}: {}", upper(at));
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }
}
