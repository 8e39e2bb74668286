//! Answers that were given lately, so that a caller who asks again under the same `id` hears the same: in memory only, for some minutes.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Answers are kept so long, or until as many octets of later ones came.
const KEPT: Duration = Duration::from_secs(600);
/// Octets of answers, in all.
const OCTETS: usize = 64 << 20;
/// Each with a lock of its own.
const SHARDS: usize = 16;

/// Who asked where under which name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Name {
    key: i64,
    route: &'static str,
    id: Box<str>,
}

struct Answer {
    at: Instant,
    print: u64,
    answer: Box<[u8]>,
}

/// What an answer takes beside its own octets and its name, which stands here twice.
const BESIDE: usize = 256;

fn octets(name: &Name, answer: &[u8]) -> usize {
    answer.len() + 2 * name.id.len() + BESIDE
}

#[derive(Default)]
struct Shard {
    answers: HashMap<Name, Answer>,
    order: VecDeque<(Instant, Name)>,
    octets: usize,
}

/// What is known under a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing.
    New,
    /// The answer, which was appended.
    Same,
    /// An answer to another question.
    Other,
}

/// The answers.
pub(super) struct Repeats {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    kept: Duration,
}

impl Repeats {
    pub(super) fn new() -> Self {
        Self { shards: Default::default(), hasher: RandomState::new(), kept: KEPT }
    }

    /// A fingerprint of a question, for [`Self::find`] and [`Self::keep`].
    pub(super) fn print(&self, question: &impl Hash) -> u64 {
        self.hasher.hash_one(question)
    }

    fn shard(&self, name: &Name) -> Option<&Mutex<Shard>> {
        let at = usize::try_from(self.hasher.hash_one(name) >> 32).unwrap_or(0) % SHARDS;
        self.shards.get(at)
    }

    /// Appends the answer that was given under this name, if there is one.
    pub(super) fn find(&self, (key, route, id): (i64, &'static str, &str), print: u64, out: &mut Vec<u8>) -> Known {
        let name = Name { key, route, id: id.into() };
        let Some(shard) = self.shard(&name) else { return Known::New };
        let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        match shard.answers.get(&name) {
            None => Known::New,
            Some(known) if known.at.elapsed() >= self.kept => Known::New,
            Some(known) if known.print != print => Known::Other,
            Some(known) => {
                out.extend_from_slice(&known.answer);
                Known::Same
            }
        }
    }

    /// Keeps an answer.
    pub(super) fn keep(&self, (key, route, id): (i64, &'static str, &str), print: u64, answer: &[u8]) {
        let name = Name { key, route, id: id.into() };
        let Some(shard) = self.shard(&name) else { return };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let more = octets(&name, answer);
        shard.let_go(more, self.kept);
        // Two at once under one name: the later stays.
        shard.forget(&name);
        let at = Instant::now();
        shard.octets += more;
        shard.order.push_back((at, name.clone()));
        shard.answers.insert(name, Answer { at, print, answer: answer.into() });
    }

    /// Forgets an answer: nothing of what it belonged to was done.
    pub(super) fn forget(&self, (key, route, id): (i64, &'static str, &str)) {
        let name = Name { key, route, id: id.into() };
        if let Some(shard) = self.shard(&name) {
            shard.lock().unwrap_or_else(PoisonError::into_inner).forget(&name);
        }
    }
}

impl Shard {
    /// Lets go of what is old, and of the oldest until `more` octets have room.
    fn let_go(&mut self, more: usize, kept: Duration) {
        while self.order.front().is_some_and(|(at, _)| at.elapsed() >= kept || self.octets + more > OCTETS / SHARDS)
            && let Some((at, name)) = self.order.pop_front()
        {
            // A later one of that name has its own place in the order.
            if self.answers.get(&name).is_some_and(|answer| answer.at == at) {
                self.forget(&name);
            }
        }
    }

    fn forget(&mut self, name: &Name) {
        if let Some(answer) = self.answers.remove(name) {
            self.octets -= octets(name, &answer.answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_keys_own_and_stands_for_one_question() {
        let repeats = Repeats::new();
        let (first, other) = (repeats.print(&"a question"), repeats.print(&"another"));
        repeats.keep((1, "scan", "x"), first, b"answer");
        let mut out = b"[".to_vec();
        assert_eq!(repeats.find((1, "scan", "x"), first, &mut out), Known::Same);
        assert_eq!(out, b"[answer");
        assert_eq!(repeats.find((1, "scan", "x"), other, &mut out), Known::Other);
        for name in [(2, "scan", "x"), (1, "verdicts", "x"), (1, "scan", "y")] {
            assert_eq!(repeats.find(name, first, &mut out), Known::New, "{name:?}");
        }
    }

    #[test]
    fn what_is_old_is_no_answer_whether_others_asked_since_or_not() {
        let repeats = Repeats { kept: Duration::from_millis(20), ..Repeats::new() };
        repeats.keep((1, "scan", "x"), 7, b"answer");
        std::thread::sleep(Duration::from_millis(30));
        for print in [7, 8] {
            assert_eq!(repeats.find((1, "scan", "x"), print, &mut Vec::new()), Known::New);
        }
        repeats.keep((1, "scan", "x"), 8, b"later");
        assert_eq!(repeats.find((1, "scan", "x"), 8, &mut Vec::new()), Known::Same);
        repeats.forget((1, "scan", "x"));
        assert_eq!(repeats.find((1, "scan", "x"), 8, &mut Vec::new()), Known::New);
        assert!(repeats.shards.iter().all(|shard| shard.lock().unwrap().octets == 0), "names are counted and given back");
    }

    #[test]
    fn octets_have_a_bound_and_the_oldest_goes_first() {
        let repeats = Repeats::new();
        let answer = vec![0; 1 << 20];
        (0..200).for_each(|n| repeats.keep((1, "scan", &n.to_string()), 0, &answer));
        let kept: usize = repeats.shards.iter().map(|shard| shard.lock().unwrap().octets).sum();
        assert!(kept <= OCTETS && kept > 0, "{kept}");
        let known = |n: usize| repeats.find((1, "scan", &n.to_string()), 0, &mut Vec::new()) == Known::Same;
        assert!(known(199) && (0..64).filter(|n| known(*n)).count() < 32);
    }
}
