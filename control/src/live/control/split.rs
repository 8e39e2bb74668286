//! Whether short messages between the same two points come by more than one worker. Parts of one text may then fall on either, and each worker
//! joins its own: the operator is told which workers should be one.

use std::collections::HashMap;
use std::sync::Arc;

use dataplane::record::Label;

/// Pairs of points that are remembered. Those beyond are not looked at: one that is split is among the first of a busy network.
const PAIRS: usize = 4096;

/// What was seen of each pair of points.
#[derive(Debug, Default)]
pub(super) struct Split {
    seen: HashMap<(u8, u32, u32), Arc<str>>,
    /// The first that came by two workers, in words.
    found: Option<String>,
}

impl Split {
    /// A short message with this label came by this worker.
    pub(super) fn note(&mut self, worker: &Arc<str>, label: Label) {
        let Label { ni, opc, dpc, .. } = label;
        if self.found.is_some() {
            return;
        }
        let points = (ni, opc.min(dpc), opc.max(dpc));
        match self.seen.get(&points) {
            Some(first) if first != worker => {
                self.found = Some(format!(
                    "messages between points {} and {} come by {first} and by {worker}: parts of a text that come by both do not meet. \
                     `worker_of` in [wire] gives both to one worker",
                    points.1, points.2
                ));
            }
            Some(_) => {}
            None if self.seen.len() < PAIRS => {
                self.seen.insert(points, Arc::clone(worker));
            }
            None => {}
        }
    }

    /// What to say of it.
    pub(super) const fn found(&self) -> Option<&String> {
        self.found.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_that_come_by_two_workers_are_told_once_and_others_never() {
        let (a, b): (Arc<str>, Arc<str>) = ("a1-b1".into(), "c1-d1".into());
        let label = |opc, dpc| Label { ni: 2, opc, dpc, sls: 0 };
        let mut split = Split::default();
        for n in 0..2 * PAIRS as u32 {
            split.note(&a, label(2 * n, 2 * n + 1));
            split.note(&a, label(2 * n + 1, 2 * n));
        }
        split.note(&b, label(2 * PAIRS as u32 + 2, 1));
        assert_eq!((split.found(), split.seen.len()), (None, PAIRS));
        // The answers' direction is the same pair of points.
        split.note(&b, label(11, 10));
        let said = split.found().unwrap();
        assert!(said.contains("points 10 and 11 come by a1-b1 and by c1-d1") && said.contains("`worker_of`"), "{said}");
    }
}
