//! How much changes from one state of the directory to the next: what the limits of the configuration are about.

use std::collections::HashMap;

use dataplane::policy::Protected;
use dataplane::verdicts::{Entry, Overlay, Snapshot};
use xxhash_rust::xxh3::xxh3_64;

/// Decisions and protected senders, each as the sum of what it is about and the sum of what it says.
#[derive(Debug, Default)]
pub(super) struct Decisions(HashMap<u64, u64>);

impl Decisions {
    pub(super) fn of(overlay: Option<&Overlay>, senders: &[Protected]) -> Self {
        let mut all = HashMap::new();
        let numbers = 1..=overlay.map_or(0, |overlay| u32::try_from(overlay.len()).unwrap_or(u32::MAX));
        let mut text = String::new();
        for entry in overlay.into_iter().flat_map(|overlay| numbers.clone().map(|n| overlay.entry(n - 1))) {
            let about = xxh3_64(entry.pattern.as_bytes());
            all.insert(about, says(&entry, &mut text));
        }
        for one in senders {
            let about = xxh3_64(format!("\0{}", one.sender).as_bytes());
            all.insert(about, xxh3_64(one.domains.join("\0").as_bytes()));
        }
        Self(all)
    }

    /// How many are new, say something else, or are gone.
    pub(super) fn differ_from(&self, before: &Self) -> u64 {
        let fresh = self.0.iter().filter(|(about, says)| before.0.get(about) != Some(says)).count();
        let gone = before.0.keys().filter(|about| !self.0.contains_key(about)).count();
        (fresh + gone) as u64
    }
}

fn says(entry: &Entry<'_>, text: &mut String) -> u64 {
    text.clear();
    for part in [entry.pattern, "\0", entry.verdict.name(), "\0", entry.senders] {
        text.push_str(part);
    }
    xxh3_64(text.as_bytes())
}

/// Entries that one snapshot has and the other has not, or has otherwise: the larger side.
pub(super) fn of_snapshots(old: &Snapshot, new: &Snapshot) -> u64 {
    let (old, new) = (prints(old), prints(new));
    let (mut a, mut b) = (old.iter().peekable(), new.iter().peekable());
    let (mut removed, mut added) = (0, 0);
    loop {
        match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if x == y => {
                a.next();
                b.next();
            }
            (Some(x), Some(y)) if x < y => {
                removed += 1;
                a.next();
            }
            (_, Some(_)) => {
                added += 1;
                b.next();
            }
            (Some(_), None) => {
                removed += 1;
                a.next();
            }
            (None, None) => return u64::max(removed, added),
        }
    }
}

fn prints(snapshot: &Snapshot) -> Vec<u64> {
    let mut text = String::new();
    let mut print = |(slot, _)| {
        let entry = snapshot.entry(slot);
        (!entry.pattern.is_empty()).then(|| says(&entry, &mut text))
    };
    let mut prints: Vec<u64> = snapshot.words().filter_map(&mut print).collect();
    prints.sort_unstable();
    prints
}
