//! Low confidence: no handset links these, a reader who is told to may type them. They act only on an exact
//! dangerous entry.
//!
//! Sources: defanging conventions of threat reports (`[.]`, `(dot)`), smishing collections (`host. com`, `dot com`).

use super::chars::{is_dot, is_host, is_label, is_latin, trim_to_word};
use super::tlds::is_common;
use super::{Finder, Form, Link};
use crate::verdict::Confidence::Low;

/// How far back a host is looked for, and how many dots in brackets one host may have.
const BACK: usize = 256;
const DOTS: usize = 10;

impl<'t, F: FnMut(&Link<'_>)> Finder<'t, '_, F> {
    /// The host characters right before `at`, blanks between apart; never beyond [`BACK`].
    fn word_before(&self, at: usize) -> (usize, &'t str) {
        let from = (at.saturating_sub(BACK)..at).find(|&from| self.text.is_char_boundary(from)).unwrap_or(at);
        let before = self.slice(from, at);
        let trimmed = before.trim_end_matches(' ');
        let word = trimmed.get(trimmed.trim_end_matches(is_host).len()..).unwrap_or_default();
        let start = from + trimmed.len() - word.len();
        let lead = word.len() - word.trim_start_matches(|c: char| is_dot(c) || c == '-').len();
        (start + lead, word.get(lead..).unwrap_or_default())
    }

    /// Whether `word`, which ends at `end`, closes a host: a word that is a TLD and nothing else, or one that a
    /// path follows.
    fn closes(&self, word: &str, end: usize, any: bool) -> bool {
        let mut rest = self.text.get(end..).unwrap_or_default().chars();
        let path = rest.next() == Some('/') && rest.next().is_some_and(is_label);
        let label = word.rsplit(is_dot).next().unwrap_or_default();
        is_common(label.as_bytes()) || ((any || path) && self.tlds.cut(label) == label.len() && !label.is_empty())
    }

    /// `host. com`, where the dot that ends at `behind` is the last character of a run that begins at `left`.
    pub(super) fn spaced_after(&mut self, left: usize, behind: usize) {
        let rest = self.slice(behind, self.text.len());
        let next = rest.trim_start_matches(char::is_whitespace);
        let gap = rest.len() - next.len();
        if !(1..=4).contains(&gap) {
            return;
        }
        let from = behind + gap;
        let word = next.get(..next.find(|c| !is_host(c)).unwrap_or(next.len())).unwrap_or_default();
        let word = word.trim_end_matches(is_dot);
        let host = self.slice(left, behind);
        let host_end = left + host.trim_end_matches(is_dot).len();
        if host_end > left && self.closes(word, from + word.len(), false) {
            self.glue((left, left, host_end), from, from + word.len(), "http://", (Form::Spaced, Low));
        }
    }

    /// `host .com` and `host . com`, where the dot lies from `at` to `behind` and the run behind it ends at `right`.
    pub(super) fn spaced_before(&mut self, at: usize, behind: usize, right: usize) {
        let (start, host) = self.word_before(at);
        if host.is_empty() || start + host.len() == at || at - start - host.len() > 2 {
            return;
        }
        let rest = self.slice(behind, self.text.len());
        let gap = rest.len() - rest.trim_start_matches(' ').len();
        let (from, end) = if right > behind {
            (behind, right)
        } else {
            let next = rest.get(gap..).unwrap_or_default();
            (behind + gap, behind + gap + next.find(|c| !is_host(c)).unwrap_or(next.len()))
        };
        let word = self.slice(from, end).trim_end_matches(is_dot);
        if gap <= 2 && self.closes(word, from + word.len(), gap == 0) {
            self.glue((start, start, start + host.len()), from, from + word.len(), "http://", (Form::Spaced, Low));
        }
    }

    /// A separator that stands for a dot, from `at` to `behind`. Gives where to go on.
    pub(super) fn joined(&mut self, at: usize, behind: usize, form: Form) -> usize {
        let (start, host) = self.word_before(at);
        let tight = form == Form::Spaced;
        if host.is_empty() || (tight && start + host.len() != at) {
            return behind;
        }
        self.scratch.spare.clear();
        self.scratch.spare.push_str(host);
        let mut from = behind;
        let mut end = behind;
        for _ in 0..DOTS {
            let rest = self.slice(from, self.text.len());
            let next = if tight { rest } else { rest.trim_start_matches(' ') };
            let run = next.get(..next.find(|c| !is_host(c)).unwrap_or(next.len())).unwrap_or_default();
            // A symbol, or text of another script, may be glued to it.
            let glued = run.find(|c| !is_latin(c)).filter(|_| run.starts_with(|c: char| c.is_ascii())).unwrap_or(run.len());
            let run = if tight { run.trim_end_matches(is_dot) } else { trim_to_word(run.get(..glued).unwrap_or_default()) };
            if run.is_empty() || rest.len() - next.len() > 2 {
                break;
            }
            self.scratch.spare.push('.');
            self.scratch.spare.push_str(run);
            end = self.text.len() - next.len() + run.len();
            match separator(form, self.text.get(end..).unwrap_or_default()) {
                Some(len) => from = end + len,
                None => break,
            }
        }
        let spare = core::mem::take(&mut self.scratch.spare);
        if end > behind && self.closes(&spare, end, form == Form::Defanged) {
            self.glue_spare((start, end), &spare, form);
        }
        self.scratch.spare = spare;
        behind
    }

    fn glue_spare(&mut self, (start, end): (usize, usize), host: &str, form: Form) {
        let until = (self.token_until, self.android_until);
        let tail = self.tail(end, false);
        (self.token_until, self.android_until) = until;
        let rest = self.slice(end, tail.resume.max(end));
        let rest = rest.trim_end_matches(['.', ',', '!', '?', ')', ';', ':', '\'']);
        self.scratch.candidate.clear();
        for part in ["http://", host, rest] {
            self.scratch.candidate.push_str(part);
        }
        self.report_candidate((start, end + rest.len()), (form, Low));
    }

    /// `http%3A%2F%2Fhost`: an address that something encoded, from the scheme on.
    pub(super) fn escaped(&mut self, at: usize) -> usize {
        let (start, _) = self.word_before(at);
        let rest = self.slice(at, self.text.len());
        let end = at + rest.find(super::chars::is_stop).unwrap_or(rest.len());
        self.inside((start, end), start, Low);
        end
    }
}

/// The length of another separator of the same kind at the start of `text`.
fn separator(form: Form, text: &str) -> Option<usize> {
    let kinds: &[&str] = match form {
        Form::Defanged => &["[.]", "(.)", "{.}", "<.>", "[dot]", "(dot)", "{dot}", "."],
        Form::Words => &[" dot ", " d0t "],
        _ => &[","],
    };
    let fits = |kind: &&&str| text.get(..kind.len()).is_some_and(|head| head.eq_ignore_ascii_case(kind));
    kinds.iter().find(fits).map(|kind| kind.len())
}
