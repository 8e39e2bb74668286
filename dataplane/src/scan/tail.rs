//! Where a link ends: port, path, query, and what of it is punctuation of the sentence.

use super::chars::{hangs, is_android_path, is_invisible, is_latin, is_stop, is_word, last_boundary};
use super::{Finder, Form, Link};
use crate::verdict::Confidence;

/// The ends that a link has to different readers, all counted in bytes of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    /// Up to a blank or a quote, without the sentence's punctuation and unbalanced brackets.
    pub(super) trimmed: usize,
    /// As Android cuts it: its own characters, back to the last one of a word, or the end of the text.
    pub(super) android: usize,
    /// Up to the first character of another script than the link's.
    latin: usize,
    /// Whether U+FF0F stands for a slash somewhere.
    wide: bool,
    /// Where the scan goes on.
    pub(super) resume: usize,
}

impl Tail {
    /// The end of its longest reading. Where the scan goes on lies before it behind a character that ends other readings.
    pub(super) fn whole(&self) -> usize {
        self.trimmed.max(self.android).max(self.resume)
    }

    /// That of a link which ends at `at` to all.
    pub(super) const fn ends(at: usize) -> Self {
        Self { trimmed: at, android: at, latin: at, wide: false, resume: at }
    }
}

impl<F: FnMut(&Link<'_>)> Finder<'_, '_, F> {
    /// The ends of a link whose host ends at `at`.
    pub(super) fn tail(&mut self, at: usize, only_latin: bool) -> Tail {
        let text = self.text;
        let from = at + port_len(text.get(at..).unwrap_or_default());
        let rest = text.get(from..).unwrap_or_default();
        let wide = rest.starts_with('\u{ff0f}');
        if !rest.starts_with(['/', '?', '#', '\\']) && !wide {
            return Tail { wide, ..Tail::ends(from) };
        }
        // No fragment without a path, to Android: the link ends here and another may begin.
        let fragment = rest.starts_with('#');
        // Each text is read once to the end of the token and once to Android's end; inside both, only what is glued
        // there is new. So the time stays linear.
        let (fresh, android_fresh) = (from >= self.token_until, from >= self.android_until);
        let latin_only = only_latin || !(fresh || android_fresh);
        let of_android = |at, c| is_android_path(c) && (c != '%' || escapes(rest, at));
        let stop = |at, c| is_stop(c) || (latin_only && !is_latin(c)) || (!fresh && (fragment || !of_android(at, c)));
        let run = rest.get(..extent(rest, stop)).unwrap_or_default();
        let trimmed = trim(run);
        let latin = run.find(|c| !is_latin(c)).and_then(|cut| run.get(..cut)).map_or(trimmed, trim);
        let mut android = trimmed.len();
        let mut resume = run.len();
        if !latin_only {
            self.token_until = self.token_until.max(from + run.len());
            resume = resume.min(run.find(|c| !is_latin(c)).unwrap_or(resume));
        }
        if !latin_only && android_fresh {
            let end = if fragment { 0 } else { android_len(rest) };
            self.android_until = from + end;
            resume = resume.min(end);
            // `\b|$`: at the end of the text all stays, before it only up to the end of a word.
            android = last_boundary(rest, 0, end).unwrap_or(0);
        }
        Tail {
            trimmed: from + trimmed.len(),
            android: from + android,
            latin: from + latin.len(),
            wide: wide || run.contains('\u{ff0f}'),
            resume: from + resume,
        }
    }

    /// The ends of what is a link to others than Android: how far it reads, and that nothing begins inside, is not said.
    pub(super) fn tail_but_for_android(&mut self, at: usize) -> Tail {
        let from = at + port_len(self.slice(at, self.text.len()));
        if from < self.token_until {
            if from < self.latin_until {
                return Tail::ends(from);
            }
            let tail = self.tail(at, true);
            self.latin_until = tail.resume;
            return tail;
        }
        let until = self.android_until;
        let tail = self.tail(at, false);
        self.android_until = until;
        Tail { android: tail.trimmed, ..tail }
    }

    /// Reports a link that begins at `start` and whose body begins at `body`, with each of its ends.
    pub(super) fn readings(&mut self, start: usize, body: usize, how: (Form, Confidence), prefix: &str, tail: Tail) -> bool {
        let mut found = false;
        // Nearly always the ends are one: what was read is not read again.
        found |= self.report((start, tail.trimmed), how, prefix, self.slice(body, tail.trimmed));
        if tail.latin != tail.trimmed {
            found |= self.report((start, tail.latin), how, prefix, self.slice(body, tail.latin));
        }
        if tail.android != tail.trimmed && tail.android != tail.latin {
            found |= self.report((start, tail.android), how, prefix, self.slice(body, tail.android));
        }
        self.unescaped((start, tail.trimmed), body, how, prefix);
        if tail.wide {
            self.scratch.candidate.clear();
            self.scratch.candidate.push_str(prefix);
            let written = self.slice(body, tail.trimmed);
            self.scratch.candidate.extend(written.chars().map(|c| if c == '\u{ff0f}' { '/' } else { c }));
            found |= self.report_candidate((start, tail.trimmed), how);
            let host = written.find('\u{ff0f}').unwrap_or(written.len());
            found |= self.report((start, body + host), how, prefix, self.slice(body, body + host));
        }
        found
    }
}

impl<F: FnMut(&Link<'_>)> Finder<'_, '_, F> {
    /// The reading with needless escapes undone: `%6c` is an `l` to every server (RFC 3986 §6.2.2.2).
    fn unescaped(&mut self, span: (usize, usize), body: usize, how: (Form, Confidence), prefix: &str) {
        let mut rest = self.slice(body, span.1);
        if !rest.contains('%') {
            return;
        }
        self.scratch.candidate.clear();
        self.scratch.candidate.push_str(prefix);
        let mut changed = false;
        while let Some(at) = rest.find('%') {
            let escape = rest.get(at + 1..at + 3).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
            let byte = escape.and_then(|hex| u8::from_str_radix(hex, 16).ok());
            let plain = byte.filter(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'~'));
            let len = if plain.is_some() { 3 } else { 1 };
            self.scratch.candidate.push_str(rest.get(..at).unwrap_or_default());
            self.scratch.candidate.push(plain.map_or('%', char::from));
            changed |= plain.is_some();
            rest = rest.get(at + len..).unwrap_or_default();
        }
        self.scratch.candidate.push_str(rest);
        if changed {
            self.report_candidate(span, how);
        }
    }
}

/// The length of `:` and one to five digits, if they stand there and nothing of their word behind them.
pub(super) fn port_len(text: &str) -> usize {
    let Some(digits) = text.strip_prefix(':') else { return 0 };
    let len = digits.bytes().take_while(u8::is_ascii_digit).count();
    let ends = || !digits.get(len..).is_some_and(|behind| behind.starts_with(|c| is_word(c) || hangs(c)));
    if (1..=5).contains(&len) && ends() { len + 1 } else { 0 }
}

/// Whether the `%` at `at` is followed by two digits of an escape.
pub(super) fn escapes(text: &str, at: usize) -> bool {
    text.as_bytes().get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
}

/// The length of what Android takes for a path and query at the start of a text.
fn android_len(text: &str) -> usize {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(|c| c == '%' || !is_android_path(c))).map(|at| from + at) {
        if !(text.as_bytes().get(at) == Some(&b'%') && escapes(text, at)) {
            return at;
        }
        from = at + 3;
    }
    text.len()
}

/// The length of `text` up to a character that stops it, or a closing bracket that was not opened in it.
fn extent(text: &str, stop: impl Fn(usize, char) -> bool) -> usize {
    let (mut round, mut square, mut curly) = (0, 0, 0);
    for (at, c) in text.char_indices() {
        let depth = match c {
            '(' | ')' => &mut round,
            '[' | ']' => &mut square,
            '{' | '}' => &mut curly,
            _ if stop(at, c) => return at,
            _ => continue,
        };
        *depth += if matches!(c, '(' | '[' | '{') { 1 } else { -1 };
        if *depth < 0 || stop(at, c) {
            return at;
        }
    }
    text.len()
}

/// Without what ends a sentence rather than a link.
fn trim(run: &str) -> &str {
    run.trim_end_matches(|c: char| match c {
        '.' | ',' | '!' | '?' | ':' | ';' | '\'' | '*' | '|' | '(' | '[' | '{' => true,
        _ => is_punctuation(c) || is_invisible(c),
    })
}

/// Punctuation of other scripts and typesetting: quotes, dashes, ideographic stops.
fn is_punctuation(c: char) -> bool {
    matches!(c, '\u{a1}'..='\u{bf}' | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{3001}'..='\u{3020}' | '\u{ff01}'..='\u{ff0f}'
        | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}' | '\u{60c}' | '\u{61b}' | '\u{61f}' | '\u{6d4}' | '\u{964}')
}
