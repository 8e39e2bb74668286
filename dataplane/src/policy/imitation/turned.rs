//! Words behind a right-to-left override (UAX #9, X4), which a handset shows turned round: `KNIL DEIFIREV` reads `VERIFIED LINK`.
//!
//! Nobody writes Latin letters so but to hide them: our words are blanked wherever they stand there, up to the end of the line. Where an
//! override within others really ends is not asked.

use super::super::signs::OVERRIDE;
use super::super::skeleton::Skeleton;
use super::{Imitation, LOOK, View};
use core::ops::Range;

impl Imitation {
    /// The first of our words in what an override turns round that `open` takes.
    pub(super) fn turned_round(&self, view: &View<'_>, open: impl Fn(&Range<usize>) -> bool) -> Option<Range<usize>> {
        let mut behind = 0;
        view.text.split_inclusive(['\n', '\r']).find_map(|line| {
            let start = behind;
            behind += line.len();
            // Of overrides on one line the first turns all.
            let from = start + line.find(OVERRIDE)? + OVERRIDE.len_utf8();
            let end = start + line.trim_end_matches(['\n', '\r']).len();
            self.in_turned(view, from..end, &open)
        })
    }

    fn in_turned(&self, view: &View<'_>, run: Range<usize>, open: impl Fn(&Range<usize>) -> bool) -> Option<Range<usize>> {
        let from_end = |end: usize| {
            let text = view.text.get(run.start..end).unwrap_or_default();
            text.char_indices().rev().map(|(at, c)| (run.start + at, view.seen(run.start + at, c)))
        };
        let mut inside = false;
        from_end(run.end).find_map(|(at, c)| {
            let begins = !inside && c.is_alphanumeric();
            inside = c.is_alphanumeric();
            let end = at + view.text.get(at..)?.chars().next()?.len_utf8();
            if !begins || !self.heads.may_go_on(from_end(end).take(LOOK).map(|(_, c)| c)) {
                return None;
            }
            let skeleton = Skeleton::of_chars(from_end(end));
            self.near(skeleton.chars()).iter().find_map(|likeness| {
                if !skeleton.chars().starts_with(&likeness.skeleton) {
                    return None;
                }
                let last = view.text.get(..skeleton.end_of(likeness.skeleton.len()))?.char_indices().next_back()?.0;
                let whole = from_end(last).next().is_none_or(|(_, c)| !c.is_alphanumeric());
                Some(last..end).filter(|range| whole && open(range))
            })
        })
    }
}
