//! Hosts without a scheme: a run of host characters whose last label is a TLD, or four numbers.
//!
//! Source: AOSP `Patterns.AUTOLINK_WEB_URL` (`STRICT_HOST_NAME`, `IP_ADDRESS`, `WORD_BOUNDARY`) and
//! `Linkify.sUrlMatchFilter` (nothing behind an `@`), read without regard to case since iOS and others do so.

use super::chars::{begins_word, hangs, is_blank, is_boundary, is_dot, is_host, is_invisible, is_label, is_latin, is_word};
use super::tail::Tail;
use super::tlds::{is_apple, is_common};
use super::{Finder, Form, Link};
use crate::verdict::Confidence::{self, High, Low};

/// The longest local part of an address of mail.
const LOCAL: usize = 64;

/// The longest label, in characters.
const LABEL: usize = 63;

/// So many characters from the host of mail on Android looks for a blank or the end of the text.
const MAIL: usize = 255;

/// So many octets of signs where a word begins may be of a host.
const SIGNS: usize = 64;

/// A run of host characters without an empty label or one that a hyphen breaks.
struct Piece {
    start: usize,
    /// Where its last TLD ends.
    end: Option<usize>,
    until: usize,
    /// Where the whole run ends.
    right: usize,
    /// Labels that end in a digit.
    numbers: u32,
    /// Whether `.` stands before one of its TLDs.
    dotted: bool,
    strict: Strict,
}

/// What Android reads of a piece: no dot but `.` parts its labels, none of them begins or ends with `_` or is too long, and the first is not
/// right behind `://`. Mostly the piece itself.
#[derive(Clone, Copy, Default)]
struct Strict {
    /// Where it begins, if the piece does not begin there.
    start: Option<usize>,
    /// Where its last TLD ends.
    end: Option<usize>,
    labels: u32,
}

impl Strict {
    /// It begins within a label, or else behind it.
    fn from(within: Option<usize>, behind: usize) -> Self {
        Self { start: Some(within.unwrap_or(behind)), end: None, labels: u32::from(within.is_some()) }
    }
}

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
        // An address: a local part, `@`, a host. The host of `user@host` alone is no link either. No local part is of other than ASCII to
        // Android: what stands before it is a run of its own.
        if rest.starts_with('@') && !run.ends_with('.') && self.is_mail_host(rest.get(1..).unwrap_or_default()) {
            let local = run.bytes().rev().take_while(u8::is_ascii).count();
            if local == run.len() && local <= LOCAL {
                return right;
            }
            if local > 0 && local < run.len() {
                return self.run(left, right - local).max(right);
            }
        }
        let confidence = if before == Some('@') { Low } else { High };
        let mail = before == Some('@')
            && self.slice(0, left).chars().rev().nth(1).is_some_and(|c| is_label(c) || matches!(c, '+' | '\'' | '"' | '.'));
        if before == Some('@') {
            self.behind_at = Some((left, mail));
        }
        if left < self.android_until && !matches!(before, Some('(' | '[' | '{' | ')' | ']' | '}')) {
            return if mail { right + mail_tail(rest) } else { self.glued_runs(left, right, confidence, true) };
        }
        if mail {
            return self.segments(left, right, High, false).max(right + mail_tail(rest));
        }
        if run.ends_with(is_dot) {
            self.spaced_after(left, right);
        }
        // What does not begin right behind the `@` is a link like any other.
        let resume = self.segments(left, right, High, false);
        if run.is_ascii() {
            return resume;
        }
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

    /// Whether a text begins with a host that mail can go to: labels in ASCII that begin and end with no sign, the last of them a TLD,
    /// none too long, and the end of the text or a blank not far. To Android no other makes mail of what stands before the `@`.
    fn is_mail_host(&self, text: &str) -> bool {
        let end = text.find(|c| !is_host(c)).unwrap_or(text.len());
        let host = text.get(..end).unwrap_or_default();
        let sign = |c| matches!(c, '-' | '_');
        for (i, label) in host.split('.').enumerate() {
            if label.is_empty() || !label.is_ascii() || label.starts_with(sign) {
                return false;
            }
            if i > 0 && self.tlds.cut(label) > 0 {
                return is_near_end(text);
            }
            if label.ends_with(sign) || label.len() > LABEL {
                return false;
            }
        }
        false
    }

    /// The pieces of a run between empty labels and labels that end or begin with a hyphen.
    fn segments(&mut self, left: usize, right: usize, confidence: Confidence, glued: bool) -> usize {
        let run = self.slice(left, right);
        let (mut start, mut best, mut labels, mut numbers) = (left, None, 0, 0);
        let (mut strict, mut dotted, mut after_dot) = (Strict::default(), false, true);
        let mut resume = right;
        let mut at = left;
        // Of Android's label: where it begins, and its characters.
        let (mut label_at, mut length) = (left, 0);
        for piece in run.split_inclusive(is_dot) {
            let label = piece.strip_suffix(is_dot).unwrap_or(piece);
            let last = piece.len() == label.len();
            let lead = if labels == 0 { self.lead(label) } else { 0 };
            let body = label.get(lead..).unwrap_or_default();
            let hyphen = labels > 0 && body.starts_with('-');
            let cut = if labels > 0 && !hyphen && !body.is_empty() { self.tlds.cut(body) } else { 0 };
            let ends_in_dot = piece.ends_with('.');
            numbers += u32::from(body.as_bytes().last().is_some_and(u8::is_ascii_digit));
            if cut > 0 {
                best = Some(at + lead + cut);
                dotted |= after_dot;
            }
            let ends = cut > 0 && after_dot && strict.labels > 0 && android_ends(self.slice(at + lead, self.text.len()), cut);
            if after_dot || labels == 0 {
                (label_at, length) = (at + label.len() - body.trim_start_matches('-').len(), 0);
            }
            length += self.slice(label_at.max(at), at + label.len()).chars().count() + usize::from(label_at < at);
            let long = length > LABEL;
            if body.is_empty() || hyphen || (body.ends_with('-') && !last) {
                if ends {
                    strict.end = best;
                }
                let ended = Piece { start, end: best.take(), until: at + label.len(), right, numbers, dotted, strict };
                resume = resume.max(self.flush(ended, confidence, glued));
                numbers = 0;
                if body.is_empty() && !label.is_ascii() {
                    resume = resume.max(self.signs_alone(at, right, confidence, glued));
                }
                start = at + label.len() - label.trim_start_matches('-').len();
                labels = u32::from(hyphen && !body.ends_with('-'));
                (strict, dotted) = (Strict { labels, ..Strict::default() }, false);
                if long && labels > 0 {
                    strict = self.begun_within(label_at, at + label.len(), at + piece.len());
                }
                (at, after_dot) = (at + piece.len(), ends_in_dot);
                continue;
            }
            if labels == 0 {
                start = at + lead;
            }
            let scheme = labels == 0 && lead == 0 && at >= 3 && self.slice(at - 3, at) == "://";
            let line = body.starts_with('_') && (labels == 0 || after_dot) || body.ends_with('_') && ends_in_dot;
            if scheme || line || long {
                if ends {
                    strict.end = best;
                }
                resume = resume.max(self.strict(start, strict, (right, confidence, glued)));
                strict = if long && !(body.ends_with('_') && ends_in_dot) {
                    self.begun_within(label_at, at + label.len(), at + piece.len())
                } else {
                    let within = if body.ends_with('_') && ends_in_dot { None } else { word_within(body) };
                    Strict::from(within.map(|n| at + lead + n), at + piece.len())
                };
            } else if after_dot || strict.labels == 0 {
                if ends {
                    strict.end = best;
                }
                strict.labels += 1;
            }
            labels += 1;
            (at, after_dot) = (at + piece.len(), ends_in_dot);
        }
        resume.max(self.flush(Piece { start, end: best, until: right, right, numbers, dotted, strict }, confidence, glued))
    }

    /// Android's reading from within a label that is too long, or from behind it.
    #[inline(never)]
    fn begun_within(&self, from: usize, end: usize, behind: usize) -> Strict {
        let label = self.slice(from, end);
        let first = label.char_indices().rev().nth(LABEL).map_or(0, |(at, _)| at);
        let within = label.get(first..).and_then(word_within).map(|at| from + first + at);
        Strict::from(within, behind)
    }

    /// Reports a piece of a run, if a TLD was found in it, and the dotted addresses behind that.
    fn flush(&mut self, piece: Piece, confidence: Confidence, glued: bool) -> usize {
        let Piece { start, end, until, right, numbers, dotted, strict } = piece;
        let told = self.told_at == Some(start) && strict.start.is_some();
        let end = end.filter(|_| !told);
        // Android knows no dot but `.`: where only others stand before a TLD, no handset is known to link it.
        let sure = if dotted { confidence } else { Low };
        let as_read = self.token_until;
        let alike = strict.start.is_none() && strict.end == end;
        let mut resume = end.map_or(right, |end| self.bare(start, end, end == right, sure, glued, alike));
        if !alike {
            let token_until = self.token_until;
            self.token_until = as_read;
            let own = self.strict(start, strict, (right, confidence, glued));
            resume = if told || strict.end == end {
                own
            } else {
                // No path of this host is one to Android: a link may begin in it.
                self.token_until = token_until;
                right
            };
        }
        // The last of the four may have something behind it.
        if numbers < 3 {
            return resume;
        }
        let from = end.filter(|_| alike).unwrap_or(start);
        resume.max(self.quads(from, until, right, confidence, glued))
    }

    /// Reports Android's own reading of a piece that begins at `start`, if a TLD was found in it.
    #[inline(never)]
    fn strict(&mut self, start: usize, strict: Strict, (right, confidence, glued): (usize, Confidence, bool)) -> usize {
        let Some(end) = strict.end else { return right };
        self.bare(strict.start.unwrap_or(start), end, end == right, confidence, glued, true)
    }

    /// The dotted addresses between `from` and `until` that begin and end where a word may.
    #[inline(never)]
    fn quads(&mut self, from: usize, until: usize, right: usize, confidence: Confidence, glued: bool) -> usize {
        let (mut at, mut resume) = (from, right);
        while let Some(begin) = self.slice(at, until).find(|c: char| c.is_ascii_digit()).map(|offset| at + offset) {
            let text = self.slice(begin, until);
            let after = |len: usize| text.get(len..).and_then(|rest| rest.chars().next());
            let before = self.slice(0, begin).chars().next_back();
            let len = quad(text).filter(|&len| !before.is_some_and(begins_word) && !after(len).is_some_and(is_word));
            // Right behind a scheme it is none to Android: another one, or a link in its path, may begin in it.
            let android = !self.slice(0, begin).ends_with("://");
            let end = begin + len.unwrap_or_default();
            let number = text.bytes().take_while(u8::is_ascii_digit).count();
            at = begin + len.filter(|_| android).unwrap_or(number);
            if len.is_none() || self.told_at == Some(begin) {
                continue;
            }
            let end = self.bare(begin, end, end == right, confidence, glued, android);
            resume = if android { resume.max(end) } else { resume };
        }
        resume
    }

    /// What of a first label is no part of it: hyphens, characters of no word, and marks that hang on what is before the label.
    fn lead(&self, label: &str) -> usize {
        let word = |c: char| begins_word(c) || !is_invisible(c) && super::tlds::needs_mapping(c);
        label.len() - label.trim_start_matches(|c| !word(c)).len()
    }

    /// A host from `start` to `end`, with its path if it is the whole of its run. `android`: it is a link to Android too.
    fn bare(&mut self, start: usize, end: usize, whole: bool, confidence: Confidence, glued: bool, android: bool) -> usize {
        let confidence = match self.behind_at {
            Some((at, mail)) if at == start => {
                if mail {
                    return end;
                }
                Low
            }
            _ => confidence,
        };
        let how = (Form::Bare, confidence);
        let path = self.text.get(end..).is_some_and(|rest| rest.starts_with(['/', ':', '?', '#']));
        let www = self.slice(start, end).get(..4).is_some_and(|head| head.eq_ignore_ascii_case("www."));
        let label = self.slice(start, end).rsplit(is_dot).next().unwrap_or_default();
        let how = if path || www || tappable_case(label) { how } else { (Form::Bare, how.1.min(Low)) };
        let signs = if glued { None } else { self.signs_before(start) };
        if !whole {
            if let Some(from) = signs {
                self.report((from, end), how, "http://", self.slice(from, end));
            }
            if !self.report((start, end), how, "http://", self.slice(start, end)) {
                self.refused(start, (start, end), how, "http://", Tail::ends(end));
            }
            return end;
        }
        let tail = if android { self.tail(end, glued) } else { self.tail_but_for_android(end) };
        if let Some(from) = signs {
            self.readings(from, from, how, "http://", tail);
        }
        if !self.readings(start, start, how, "http://", tail) {
            self.refused(start, (start, end), how, "http://", tail);
        }
        self.nested(start, end, tail.whole());
        tail.resume
    }

    /// A name of signs alone under a TLD, at the head of a text, or of a line, or behind a word, with what of signs stands above it.
    #[inline(never)]
    fn signs_alone(&mut self, at: usize, right: usize, confidence: Confidence, glued: bool) -> usize {
        let begins = at == 0 || self.slice(0, at).ends_with(|c| c == '\n' || is_word(c));
        let start = if begins { Some(at) } else { self.signs_before(at) };
        let Some(start) = start else { return right };
        let run = self.slice(at, right);
        let (signs, rest) = run.split_once(is_dot).unwrap_or_default();
        let cut = self.tlds.cut(rest.split(is_dot).next().unwrap_or_default());
        let end = right - rest.len() + cut;
        if cut == 0 || signs.chars().all(is_invisible) {
            return right;
        }
        let confidence = if run.get(signs.len()..).is_some_and(|dot| dot.starts_with('.')) { confidence } else { Low };
        self.bare(start, end, end == right, confidence, glued, true)
    }

    /// Where the signs before `start` begin that Android takes into a host: at the beginning of the text, or where a word ends, as that of a
    /// port's digits does.
    fn signs_before(&self, start: usize) -> Option<usize> {
        let head = self.slice(0, start);
        let other = |c: char| !is_host(c) || begins_word(c);
        let near = head.char_indices().rev().take_while(|&(at, c)| start - at <= SIGNS && !other(c));
        let from = near.last()?.0;
        let (before, signs) = (self.slice(0, from), head.get(from..)?);
        let begins = before.is_empty() || before.ends_with(begins_word);
        let named =
            !signs.starts_with(|c: char| c.is_ascii() || is_dot(c)) && !signs.chars().all(|c| is_invisible(c) || is_dot(c));
        (begins && named).then_some(from)
    }
}

/// Whether a blank or the end of the text follows where Android looks for one behind the `@` of mail.
fn is_near_end(text: &str) -> bool {
    let blank = text.chars().take(MAIL + 1).find(|c| c.is_whitespace());
    blank.map_or_else(|| text.chars().nth(MAIL).is_none(), is_blank)
}

/// Whether Android ends a host at the TLD that is `cut` octets at the head of a text: it is spelt as the list has it, in lower case, and a word
/// ends there.
fn android_ends(text: &str, cut: usize) -> bool {
    let (tld, behind) = (text.get(..cut).unwrap_or_default(), text.get(cut..).and_then(|rest| rest.chars().next()));
    let other = |c: char| c.is_ascii_uppercase() || !c.is_ascii() && super::tlds::needs_mapping(c);
    let goes_on = behind.is_some_and(|c| is_word(c) || hangs(c));
    !goes_on && (tld.starts_with("xn--") || !tld.chars().any(other))
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

/// Where in a label a word begins or ends behind its first character: there Android may begin a link, and not where the label does.
fn word_within(label: &str) -> Option<usize> {
    let begins = |&(at, next): &(usize, char)| !matches!(next, '-' | '_') && is_boundary(label, at);
    label.char_indices().skip(1).find(begins).map(|(at, _)| at)
}

/// The length of a dotted address at the start of `text`: four numbers below 256, the first of them not 0; Android takes 000 to 199 too.
fn quad(text: &str) -> Option<usize> {
    let mut at = 0;
    for i in 0..4 {
        let rest = text.get(at..)?;
        let rest = if i == 0 { rest } else { rest.strip_prefix('.')? };
        let digits = rest.get(..rest.bytes().take(4).take_while(u8::is_ascii_digit).count())?;
        if digits.len() > 3 || digits.parse::<u8>().is_err() || i == 0 && digits.len() < 3 && digits.starts_with('0') {
            return None;
        }
        at += usize::from(i > 0) + digits.len();
    }
    Some(at)
}
