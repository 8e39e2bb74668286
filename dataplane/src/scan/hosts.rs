//! Hosts without a scheme: a run of host characters whose last label is a TLD, or four numbers.
//!
//! Source: AOSP `Patterns.AUTOLINK_WEB_URL` (`STRICT_HOST_NAME`, `IP_ADDRESS`, `WORD_BOUNDARY`) and
//! `Linkify.sUrlMatchFilter` (nothing behind an `@`), read without regard to case since iOS and others do so.

use super::chars::{is_dot, is_host, is_label, is_latin};
use super::tlds::{is_apple, is_common};
use super::{Finder, Form, Link};
use crate::verdict::Confidence::{self, High, Low};

impl<F: FnMut(&Link<'_>)> Finder<'_, '_, F> {
    /// A dot at `at`, ending at `behind`; `floor` is where the last span ended. Gives where to go on.
    pub(super) fn dot(&mut self, at: usize, behind: usize, floor: usize) -> usize {
        let before = self.slice(floor, at);
        let left = floor + before.trim_end_matches(is_host).len();
        let rest = self.slice(behind, self.text.len());
        let right = behind + rest.find(|c| !is_host(c)).unwrap_or(rest.len());
        if left == at {
            self.spaced_before(at, behind, right);
        }
        if right == behind && left == at {
            return behind;
        }
        self.run(left, right)
    }

    /// A run of host characters with at least one dot.
    pub(super) fn run(&mut self, left: usize, right: usize) -> usize {
        let run = self.slice(left, right);
        let before = self.slice(0, left).chars().next_back();
        let rest = self.slice(right, self.text.len());
        // An address: a local part, `@`, a host. The host of `user@host` alone is no link either.
        if rest.starts_with('@') && self.is_mail_host(rest.get(1..).unwrap_or_default()) {
            return right;
        }
        let confidence = match before {
            Some('@') => match self.slice(0, left).chars().rev().nth(1) {
                Some(c) if is_label(c) || matches!(c, '+' | '\'' | '"' | '.') => return right + mail_tail(rest),
                _ => Low,
            },
            _ => High,
        };
        if left < self.android_until && !matches!(before, Some('(' | '[' | '{' | ')' | ']' | '}')) {
            return self.glued_runs(left, right, confidence, true);
        }
        if run.ends_with(is_dot) {
            self.spaced_after(left, right);
        }
        if run.is_ascii() {
            return self.segments(left, right, confidence, false);
        }
        let resume = self.segments(left, right, confidence, false);
        if run.chars().any(|c| !is_latin(c)) {
            self.glued_runs(left, right, confidence, false);
        }
        resume
    }

    /// The Latin pieces of a run that holds other scripts; inside a link only those that another script precedes.
    fn glued_runs(&mut self, left: usize, right: usize, confidence: Confidence, inside: bool) -> usize {
        let mut start = left;
        let mut resume = right;
        for part in self.slice(left, right).split_inclusive(|c| !is_latin(c)) {
            let own = part.trim_end_matches(|c| !is_latin(c));
            if own.contains(is_dot) && (start > left || !inside) {
                resume = resume.max(self.segments(start, start + own.len(), confidence, true));
            }
            start += part.len();
        }
        resume
    }

    /// Whether a text begins with a host that mail can go to.
    fn is_mail_host(&self, text: &str) -> bool {
        let end = text.find(|c| !is_host(c)).unwrap_or(text.len());
        let host = text.get(..end).unwrap_or_default();
        host.split(is_dot).skip(1).any(|label| self.tlds.cut(label) > 0)
    }

    /// The pieces of a run between empty labels and labels that end or begin with a hyphen.
    fn segments(&mut self, left: usize, right: usize, confidence: Confidence, glued: bool) -> usize {
        let run = self.slice(left, right);
        let (mut start, mut best, mut labels) = (left, None, 0);
        let mut resume = right;
        let mut at = left;
        for piece in run.split_inclusive(is_dot) {
            let label = piece.strip_suffix(is_dot).unwrap_or(piece);
            let last = piece.len() == label.len();
            let lead = if labels == 0 { self.lead(label, at) } else { 0 };
            let body = label.get(lead..).unwrap_or_default();
            let hyphen = labels > 0 && body.starts_with('-');
            if body.is_empty() || hyphen || (body.ends_with('-') && !last) {
                resume = resume.max(self.flush(start, best.take(), right, confidence, glued));
                start = at + label.len() - label.trim_start_matches('-').len();
                labels = u32::from(hyphen && !body.ends_with('-'));
                at += piece.len();
                continue;
            }
            if labels == 0 {
                start = at + lead;
            } else {
                let cut = self.tlds.cut(body);
                best = if cut > 0 { Some(at + lead + cut) } else { best };
            }
            labels += 1;
            if labels == 4 && best.is_none() {
                best = quad(self.slice(start, at + label.len())).map(|len| start + len);
            }
            at += piece.len();
        }
        resume.max(self.flush(start, best, right, confidence, glued))
    }

    /// Reports a piece of a run, if a TLD was found in it.
    fn flush(&mut self, start: usize, end: Option<usize>, right: usize, confidence: Confidence, glued: bool) -> usize {
        end.map_or(right, |end| self.bare(start, end, end == right, confidence, glued))
    }

    /// What of a first label is no part of it: hyphens, and characters of no word unless the text begins there.
    fn lead(&self, label: &str, at: usize) -> usize {
        let word = |c: char| c.is_alphanumeric() || c == '_' || super::chars::is_invisible(c) || super::tlds::needs_mapping(c);
        let body = if at == 0 { label.trim_start_matches('-') } else { label.trim_start_matches(|c| !word(c)) };
        label.len() - body.len()
    }

    fn bare(&mut self, start: usize, end: usize, whole: bool, confidence: Confidence, glued: bool) -> usize {
        let how = (Form::Bare, if self.slice(start, end).contains('\u{2024}') { Low } else { confidence });
        let path = self.text.get(end..).is_some_and(|rest| rest.starts_with(['/', ':', '?', '#']));
        let www = self.slice(start, end).get(..4).is_some_and(|head| head.eq_ignore_ascii_case("www."));
        let label = self.slice(start, end).rsplit(is_dot).next().unwrap_or_default();
        let how = if path || www || tappable_case(label) { how } else { (Form::Bare, how.1.min(Low)) };
        if !whole {
            self.report((start, end), how, "http://", self.slice(start, end));
            return end;
        }
        let tail = self.tail(end, glued);
        self.readings(start, start, how, "http://", tail);
        self.nested(start, end, tail.whole());
        tail.resume
    }
}

/// Whether a TLD in this case is linked: Android's are in lower case; iOS takes capitals of the TLDs it knows, and
/// a capital alone begins the next sentence (`article.Call`) unless the TLD is no word.
pub(super) fn tappable_case(label: &str) -> bool {
    !label.bytes().any(|b| b.is_ascii_uppercase())
        || is_common(label.as_bytes())
        || (!label.bytes().any(|b| b.is_ascii_lowercase()) && is_apple(label.as_bytes()))
}

/// What follows the host of an e-mail address and still belongs to it: nothing, but a path is skipped.
fn mail_tail(rest: &str) -> usize {
    if rest.starts_with('/') { 1 } else { 0 }
}

/// The length of a dotted address at the start of `text`: four numbers below 256.
fn quad(text: &str) -> Option<usize> {
    let mut parts = text.split('.');
    let fine =
        |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()) && part.parse::<u8>().is_ok();
    let first = parts.next().filter(|part| fine(part) && !part.starts_with('0'))?;
    let len = parts.by_ref().take(3).try_fold(first.len(), |len, part| fine(part).then(|| len + 1 + part.len()))?;
    (text.bytes().filter(|&b| b == b'.').count() >= 3).then_some(len)
}
