//! From the lanes' plain buckets to percentiles.

use dataplane::live::Buckets;
use hdrhistogram::Histogram;
use serde::Serialize;

/// Percentiles in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// Frames.
    pub count: u64,
    /// Half took at most this.
    pub p50: u64,
    /// Nine in ten.
    pub p90: u64,
    /// 99 in a hundred.
    pub p99: u64,
    /// 999 in a thousand.
    pub p99_9: u64,
    /// The longest.
    pub max: u64,
}

/// Percentiles of the buckets of all lanes.
pub(super) fn of<'a>(all: impl Iterator<Item = &'a Buckets>) -> Percentiles {
    let Ok(mut histogram) = Histogram::<u64>::new(2) else { return Percentiles::default() };
    for (ns, count) in all.flat_map(Buckets::iter).filter(|&(_, count)| count > 0) {
        // It resizes itself and takes any value.
        let _ = histogram.record_n(ns.max(1), count);
    }
    if histogram.is_empty() {
        return Percentiles::default();
    }
    let at = |q| histogram.value_at_quantile(q);
    Percentiles { count: histogram.len(), p50: at(0.5), p90: at(0.9), p99: at(0.99), p99_9: at(0.999), max: histogram.max() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_an_eighth_of_what_was_measured() {
        let mut buckets = Buckets::default();
        (1..=1000).for_each(|us| buckets.add(us * 1000));
        let found = of([&buckets].into_iter());
        assert_eq!(found.count, 1000);
        for (found, exact) in [(found.p50, 500_000), (found.p99, 990_000), (found.max, 1_000_000)] {
            assert!(found >= exact && found <= exact + exact / 7, "{found} for {exact}");
        }
        assert_eq!(of([].into_iter()), Percentiles::default());
    }
}
