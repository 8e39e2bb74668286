//! Filters take so many changed decisions a minute and refuse all beyond: a desk that was taken over shall not rewrite a country. Many at
//! once, as when a register is approved, are therefore handed over minute by minute, the newest first, so that one urgent decision does
//! not wait behind ten thousand. What follows from decisions without a person (short links) has a share of its own.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use dataplane::verdict::Verdict;
use dataplane::verdicts::{Entry, Table};
use xxhash_rust::xxh3::xxh3_64;

use super::line::{Line, followed};

/// Changes a minute: below the 1 000 that a filter takes by default (`[live.limits] overlay_a_minute`).
const A_MINUTE: usize = 900;
/// Of these, kept for the few that somebody decides while many wait.
const RESERVE: usize = 100;
/// Of these, at most for what follows from decisions.
const FOLLOWS: usize = 300;
/// As many new ones at once are a few.
const FEW: usize = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// What was published, and how much of it lately.
#[derive(Debug, Default)]
pub(super) struct Pace {
    said: HashMap<String, u64>,
    follows: BTreeMap<String, Line>,
    /// When, how many, and how many of them followed from decisions.
    lately: VecDeque<(Instant, usize, usize)>,
    /// The newest decision that was met, published or waiting.
    newest: i64,
}

fn sum(verdict: Verdict, senders: &str) -> u64 {
    xxh3_64(format!("{}\0{senders}", verdict.name()).as_bytes())
}

fn key(line: &Line) -> String {
    line.pattern.trim_start_matches('@').to_owned()
}

impl Pace {
    /// As it stands in the files that filters have.
    pub(super) fn of_table(table: &Table) -> Self {
        let overlay = table.overlay();
        let numbers = 0..u32::try_from(overlay.len()).unwrap_or(u32::MAX);
        let (follows, decided): (Vec<_>, Vec<_>) =
            numbers.map(|n| overlay.entry(n)).partition(|entry| followed(entry.source).is_some());
        let line = |e: &Entry<'_>| Some((e.pattern.to_owned(), Line::published(e, followed(e.source)?)));
        Self {
            said: decided.iter().map(|e| (e.pattern.to_owned(), sum(e.verdict, e.senders))).collect(),
            follows: follows.iter().filter_map(line).collect(),
            ..Self::default()
        }
    }

    /// What was taken at `now` was not published: filters still have what the files say.
    pub(super) fn back(&mut self, files: Self, now: Instant) {
        (self.said, self.follows) = (files.said, files.follows);
        self.lately.retain(|(at, ..)| *at != now);
    }

    /// Changes of the last minute, and those of them that followed.
    fn used(&mut self, now: Instant) -> (usize, usize) {
        self.lately.retain(|(at, ..)| now.duration_since(*at) < MINUTE);
        self.lately.iter().fold((0, 0), |(all, follow), (_, n, m)| (all + n, follow + m))
    }

    /// Leaves in `decisions` what may be published at `now`. Returns how many wait. Only patterns about which nothing is published wait; what is
    /// taken back or changed does not.
    pub(super) fn take(&mut self, decisions: &mut Vec<Line>, now: Instant) -> usize {
        let (used, _) = self.used(now);
        let next: HashMap<String, u64> = decisions.iter().map(|line| (key(line), sum(line.verdict, &line.senders))).collect();
        let gone = self.said.keys().filter(|pattern| !next.contains_key(*pattern)).count();
        let changed = next.iter().filter(|(pattern, says)| self.said.get(*pattern).is_some_and(|said| said != *says)).count();
        let mut new: Vec<i64> = decisions.iter().filter(|line| !self.said.contains_key(&key(line))).map(|line| line.id).collect();
        let spent = used + gone + changed;
        let fresh = new.iter().filter(|id| **id > self.newest).count();
        let few = if fresh <= FEW { fresh.min(A_MINUTE.saturating_sub(spent)) } else { 0 };
        let waiting = new.len().saturating_sub((A_MINUTE - RESERVE).saturating_sub(spent).max(few));
        if waiting > 0 {
            // The oldest wait.
            new.sort_unstable();
            let first = new.get(waiting).copied().unwrap_or(i64::MAX);
            decisions.retain(|line| self.said.contains_key(&key(line)) || line.id >= first);
        }
        self.newest = self.newest.max(new.iter().copied().max().unwrap_or_default());
        let count = gone + changed + new.len() - waiting;
        if count > 0 {
            self.lately.push_back((now, count, 0));
        }
        self.said = decisions.iter().map(|line| (key(line), sum(line.verdict, &line.senders))).collect();
        waiting
    }

    /// Adds to the decisions what follows from them, as much of it as may change at `now`: the rest stays as it was published. What is no
    /// longer safe goes first, what is dangerous second. Returns how many changes wait.
    pub(super) fn follow(&mut self, lines: &mut Vec<Line>, want: Vec<Line>, now: Instant) -> usize {
        let (used, follow) = self.used(now);
        let mut want: BTreeMap<String, Line> = want.into_iter().map(|line| (line.pattern.clone(), line)).collect();
        let says = |line: Option<&Line>| line.map(|line| line.verdict);
        let all: HashSet<String> = want.keys().chain(self.follows.keys()).cloned().collect();
        let mut changes = Vec::new();
        for pattern in all {
            let (is, will) = (says(self.follows.get(&pattern)), says(want.get(&pattern)));
            if is != will {
                let rank = if is == Some(Verdict::Safe) { 0 } else { 1 + u8::from(will != Some(Verdict::Dangerous)) };
                changes.push((rank, pattern));
            } else if let Some(line) = want.remove(&pattern) {
                // Its end may be another.
                self.follows.insert(pattern, line);
            }
        }
        changes.sort_unstable();
        let urgent = changes.iter().filter(|(rank, _)| *rank == 0).count();
        let left = A_MINUTE.saturating_sub(used);
        let may = left.min(FOLLOWS.saturating_sub(follow).max(urgent));
        let count = changes.len().min(may);
        for (_, pattern) in changes.iter().take(count) {
            match want.remove(pattern) {
                Some(line) => drop(self.follows.insert(pattern.clone(), line)),
                None => drop(self.follows.remove(pattern)),
            }
        }
        if count > 0 {
            self.lately.push_back((now, count, count));
        }
        lines.extend(self.follows.values().filter(|line| !self.said.contains_key(&line.pattern)).cloned());
        changes.len() - count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: i64, pattern: String, verdict: Verdict) -> Line {
        let (category, senders, note) = Default::default();
        Line { id, pattern, verdict, category, senders, source: dataplane::verdicts::EXPANSION, expires: None, note }
    }

    fn decisions(ids: std::ops::Range<i64>) -> Vec<Line> {
        ids.map(|id| line(id, format!("d{id}.example"), Verdict::Safe)).collect()
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

    #[test]
    fn what_could_not_be_published_is_as_if_it_had_not_been_tried() {
        let (mut pace, begun) = (Pace::default(), Instant::now());
        let at = |seconds| begun + Duration::from_secs(seconds);
        for seconds in 0..5 {
            assert_eq!(pace.take(&mut decisions(0..500), at(seconds)), 0, "a try that failed uses nothing up");
            pace.back(Pace::default(), at(seconds));
        }
        assert_eq!(pace.take(&mut decisions(0..500), at(6)), 0);
        assert_eq!(pace.take(&mut decisions(0..1_000), at(7)), 200, "one that did not does");
    }

    #[test]
    fn what_follows_has_its_share_of_a_minute_and_what_is_no_longer_safe_goes_first() {
        let (mut pace, begun) = (Pace::default(), Instant::now());
        let at = |seconds| begun + Duration::from_secs(seconds);
        let links = |ids: std::ops::Range<i64>, verdict| ids.map(move |id| line(id, format!("sho.rt/{id:04}"), verdict));
        let follow = |pace: &mut Pace, want: Vec<Line>, seconds| {
            let mut lines = Vec::new();
            let waiting = pace.follow(&mut lines, want, at(seconds));
            (waiting, lines.len(), lines.iter().filter(|line| line.verdict == Verdict::Safe).count())
        };
        let all = || links(0..100, Verdict::Safe).chain(links(100..500, Verdict::Dangerous)).collect::<Vec<_>>();
        assert_eq!(follow(&mut pace, all(), 0), (200, 300, 0), "the dangerous ones first");
        assert_eq!(follow(&mut pace, all(), 70), (0, 500, 100));
        // The share of this minute is used up, but nothing stays safe that is not.
        assert_eq!(follow(&mut pace, links(100..700, Verdict::Dangerous).collect(), 80), (200, 400, 0));
        assert_eq!(follow(&mut pace, Vec::new(), 140), (100, 100, 0), "what is only unknown now has time");
        // Decisions have what is left, and beat what follows at their pattern.
        let mut decided = vec![line(1, "sho.rt/0100".to_owned(), Verdict::Unknown)];
        assert_eq!(pace.take(&mut decided, at(141)), 0);
        pace.follow(&mut decided, Vec::new(), at(141));
        assert_eq!(decided.iter().filter(|line| line.pattern == "sho.rt/0100").count(), 1);
    }
}
