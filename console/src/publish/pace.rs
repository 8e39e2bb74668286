//! Filters take so many changed decisions a minute and refuse all beyond: a desk that was taken over shall not rewrite a country. Many at
//! once, as when a register is approved, are therefore handed over minute by minute, the newest first, so that one urgent decision does
//! not wait behind ten thousand.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use dataplane::verdicts::Table;
use xxhash_rust::xxh3::xxh3_64;

use crate::decide::Decision;

/// Changes a minute: below the 1 000 that a filter takes by default (`[live.limits] overlay_a_minute`).
const A_MINUTE: usize = 900;
/// Of these, kept for the few that somebody decides while many wait.
const RESERVE: usize = 100;
/// As many new ones at once are a few.
const FEW: usize = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// What was published, and how much of it lately.
#[derive(Debug, Default)]
pub(super) struct Pace {
    said: HashMap<String, u64>,
    lately: VecDeque<(Instant, usize)>,
    /// The newest decision that was met, published or waiting.
    newest: i64,
}

fn sum(verdict: &str, senders: &str) -> u64 {
    xxh3_64(format!("{verdict}\0{senders}").as_bytes())
}

fn of(decision: &Decision) -> u64 {
    sum(decision.verdict().name(), &decision.senders)
}

impl Pace {
    /// As it stands in the files that filters have.
    pub(super) fn of_table(table: &Table) -> Self {
        let overlay = table.overlay();
        let numbers = 0..u32::try_from(overlay.len()).unwrap_or(u32::MAX);
        let said = numbers.map(|n| overlay.entry(n)).map(|e| (e.pattern.to_owned(), sum(e.verdict.name(), e.senders))).collect();
        Self { said, ..Self::default() }
    }

    /// Leaves in `decisions` what may be published at `now`. Returns how many wait. Only patterns about which nothing is published wait; what is
    /// taken back or changed does not.
    pub(super) fn take(&mut self, decisions: &mut Vec<Decision>, now: Instant) -> usize {
        self.lately.retain(|(at, _)| now.duration_since(*at) < MINUTE);
        let key = |decision: &Decision| decision.pattern.trim_start_matches('@').to_owned();
        let next: HashMap<String, u64> = decisions.iter().map(|decision| (key(decision), of(decision))).collect();
        let gone = self.said.keys().filter(|pattern| !next.contains_key(*pattern)).count();
        let changed = next.iter().filter(|(pattern, says)| self.said.get(*pattern).is_some_and(|said| said != *says)).count();
        let mut new: Vec<i64> = decisions.iter().filter(|d| !self.said.contains_key(&key(d))).map(|d| d.id).collect();
        let used: usize = self.lately.iter().map(|(_, n)| n).sum();
        let spent = used + gone + changed;
        let fresh = new.iter().filter(|id| **id > self.newest).count();
        let few = if fresh <= FEW { fresh.min(A_MINUTE.saturating_sub(spent)) } else { 0 };
        let waiting = new.len().saturating_sub((A_MINUTE - RESERVE).saturating_sub(spent).max(few));
        if waiting > 0 {
            // The oldest wait.
            new.sort_unstable();
            let first = new.get(waiting).copied().unwrap_or(i64::MAX);
            decisions.retain(|decision| self.said.contains_key(&key(decision)) || decision.id >= first);
        }
        self.newest = self.newest.max(new.iter().copied().max().unwrap_or_default());
        let count = gone + changed + new.len() - waiting;
        if count > 0 {
            self.lately.push_back((now, count));
        }
        self.said = decisions.iter().map(|decision| (key(decision), of(decision))).collect();
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decisions(ids: std::ops::Range<i64>) -> Vec<Decision> {
        let one = |id: i64| {
            serde_json::json!({
                "id": id, "pattern": format!("d{id}.example"), "verdict": "safe", "category": "", "senders": "", "reason": "x",
                "author": "ada", "decided": 0, "expires": null, "replaces": null, "ended": null, "ended_by": null, "ended_why": null,
            })
        };
        ids.map(|id| serde_json::from_value(one(id)).unwrap()).collect()
    }

    #[test]
    fn many_at_once_are_handed_over_by_the_minute_and_the_newest_never_wait() {
        let (mut pace, begun) = (Pace::default(), Instant::now());
        let at = |seconds| begun + Duration::from_secs(seconds);
        let mut all = decisions(0..2_000);
        assert_eq!(pace.take(&mut all, at(0)), 1_200);
        assert_eq!((all.len(), all[0].id), (800, 1_200));
        // One more a second later has its place in the reserve; what waits has not.
        let mut all = decisions(0..2_001);
        assert_eq!(pace.take(&mut all, at(1)), 1_200);
        assert!(all.iter().any(|decision| decision.id == 2_000));
        let mut all = decisions(0..2_001);
        assert_eq!(pace.take(&mut all, at(70)), 400);
        // Taken back at once, whatever waits.
        let mut all = decisions(0..1_000);
        pace.take(&mut all, at(61));
        assert!(all.iter().all(|decision| decision.id < 1_000));
        let mut all = decisions(0..1_000);
        assert_eq!(pace.take(&mut all, at(200)), 0);
        assert_eq!(all.len(), 1_000);
    }
}
