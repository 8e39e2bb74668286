//! The sieve: whether a message may hold a link at all. It never says no where [`Scanner::find`] finds something that
//! could act, and it says no to nearly everything else.
//!
//! First look (`simd.rs`): dots, colons and the like, by blocks. Second look, here, at each mark: is there a TLD
//! behind the dot, a slash behind the colon? Of real messages 77 % have a dot and some 3 % come through both.

use super::chars::{is_dot, is_label, is_latin, is_slash};
use super::schemes::is_app_scheme;
use super::tlds::is_common;
use super::units::{Septets, Ucs2, Units, Utf8};
use super::{Scanner, simd};

/// So much of a label a second look reads, in octets of UTF-8: more than any TLD. A longer label that is not ASCII
/// passes, since invisible characters may pad it.
const LABEL: usize = 64;

impl Scanner {
    /// Whether [`Scanner::find`] may find something in this UTF-8 text.
    pub fn may_link(&self, text: &[u8]) -> bool {
        bound(&Utf8(text), 0) || simd::octets(self.width, text, |at| self.look(&Utf8(text), at))
    }

    /// As [`Scanner::may_link`] for unpacked septets of the GSM default alphabet, of which only `@ _ $ ESC` and the
    /// national letters differ from ASCII.
    pub fn may_link_septets(&self, septets: &[u8]) -> bool {
        bound(&Septets(septets), 0) || simd::octets(self.width, septets, |at| self.look(&Septets(septets), at))
    }

    /// As [`Scanner::may_link`] for UCS2, big endian.
    pub fn may_link_ucs2(&self, be16: &[u8]) -> bool {
        bound(&Ucs2(be16), 0) || simd::units(self.width, be16, |at| self.look(&Ucs2(be16), at))
    }

    /// The second look, at a mark.
    #[inline(never)]
    fn look(&self, text: &impl Units, at: usize) -> bool {
        let Some((c, len)) = text.at(at) else { return false };
        let next = text.at(at + len).map(|(c, _)| c);
        match c {
            ':' | '\u{ff1a}' => next.is_some_and(is_slash) || next == Some(']') || app_before(text, at),
            ',' => next.is_some_and(|c| c.is_ascii_alphabetic() || !c.is_ascii()) && self.closed(text, at + len),
            'd' | 'D' => word_for_a_dot(text, at),
            '%' => escape(text, at),
            '\n' | '\r' => bound(text, at + len),
            c if is_dot(c) => self.dot_look(text, at, at + len, next),
            _ => false,
        }
    }

    fn dot_look(&self, text: &impl Units, at: usize, behind: usize, next: Option<char>) -> bool {
        let Some(next) = next else { return false };
        if is_label(next) {
            // Nearly always `word.Next` or a number: one reading, one place of the table.
            if let Some((key, len)) = text.short_label(behind) {
                let digits = key & 0x4040_4040_4040_4040 == 0;
                if !digits || text.at(behind + len).is_none_or(|(c, _)| c != '.') {
                    return !digits && self.tlds.has(key);
                }
            }
            let mut buffer = Label::default();
            let end = buffer.read(text, behind);
            return self.label_look(buffer.as_str(), text, end);
        }
        if next.is_whitespace() {
            let mut from = behind;
            for _ in 0..5 {
                match text.at(from) {
                    Some((c, len)) if c.is_whitespace() => from += len,
                    _ => break,
                }
            }
            // Nearly every dot ends a sentence: the first letter dismisses most.
            let Some((first, _)) = text.at(from).filter(|(c, _)| is_label(*c)) else { return false };
            return (first.is_ascii_alphabetic() || !first.is_ascii()) && self.closed(text, from);
        }
        matches!(next, ']' | ')' | '}' | '>') && text.before(at).is_some_and(|(c, _)| matches!(c, '[' | '(' | '{' | '<'))
    }

    /// Whether the label at `from` closes a host that a blank or a comma breaks: a TLD that is no word, or with a path.
    fn closed(&self, text: &impl Units, from: usize) -> bool {
        if let Some((key, len)) = text.short_label(from) {
            let path = text.at(from + len).is_some_and(|(c, _)| c == '/');
            let word = key.to_le_bytes();
            return word.get(..len).is_some_and(is_common) || (path && self.tlds.has(key));
        }
        // Nearly always a word of the next sentence: its end is looked for before it is read.
        let mut end = from;
        let mut behind = None;
        while let Some((c, len)) = text.at(end) {
            if !is_label(c) {
                behind = Some(c);
                break;
            }
            end += len;
        }
        let path = behind == Some('/');
        if !path && end - from > 6 {
            return false;
        }
        let mut buffer = Label::default();
        buffer.read(text, from);
        let label = buffer.as_str();
        is_common(label.as_bytes()) || (path && (self.tlds.cut(label) > 0 || (label.len() > LABEL - 4 && !label.is_ascii())))
    }

    /// Whether a label behind a dot is a TLD, or the second of four numbers.
    fn label_look(&self, label: &str, text: &impl Units, end: usize) -> bool {
        if label.bytes().all(|b| b.is_ascii_digit()) {
            let number = |from: usize| {
                let (c, len) = text.at(from)?;
                let mut at = from + len;
                let digits = text.at(at).filter(|(d, _)| c == '.' && d.is_ascii_digit())?;
                at += digits.1;
                while text.at(at).is_some_and(|(d, _)| d.is_ascii_digit()) {
                    at += 1;
                }
                Some(at)
            };
            return number(end).and_then(number).is_some();
        }
        if self.tlds.cut(label) > 0 || (label.len() > LABEL - 4 && !label.is_ascii()) {
            return true;
        }
        // Text of another script may be glued to it.
        let latin = label.split(|c| !is_latin(c)).next().unwrap_or_default();
        latin.len() < label.len() && !latin.is_empty() && self.tlds.cut(latin) > 0
    }
}

/// A label in UTF-8, on the stack.
struct Label {
    octets: [u8; LABEL],
    len: usize,
}

impl Default for Label {
    fn default() -> Self {
        Self { octets: [0; LABEL], len: 0 }
    }
}

impl Label {
    /// Reads the label at `from` and gives its end; one that is too long is cut and is no TLD.
    fn read(&mut self, text: &impl Units, from: usize) -> usize {
        let mut at = from;
        while let Some((c, len)) = text.at(at).filter(|(c, _)| is_label(*c)) {
            let Some(room) = self.octets.get_mut(self.len..self.len + c.len_utf8()) else { break };
            c.encode_utf8(room);
            self.len += c.len_utf8();
            at += len;
        }
        at
    }

    fn as_str(&self) -> &str {
        self.octets.get(..self.len).and_then(|octets| core::str::from_utf8(octets).ok()).unwrap_or_default()
    }
}

/// Whether the word before a colon is the scheme of an app.
fn app_before(text: &impl Units, colon: usize) -> bool {
    let mut word = [0_u8; 16];
    let mut from = word.len();
    let mut at = colon;
    while let Some((c, len)) = text.before(at) {
        if !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) {
            break;
        }
        let Some(slot) = from.checked_sub(1).and_then(|last| word.get_mut(last)) else { break };
        *slot = c as u8;
        from -= 1;
        at -= len;
    }
    let word = word.get(from..).unwrap_or_default();
    let letters = word.iter().position(u8::is_ascii_alphabetic).unwrap_or(word.len());
    is_app_scheme(word.get(letters..).unwrap_or_default())
}

/// Whether a line that begins at `at` may be a binding: `@host #code`.
fn bound(text: &impl Units, at: usize) -> bool {
    let Some(('@', len)) = text.at(at) else { return false };
    let mut from = at + len;
    while let Some((c, len)) = text.at(from).filter(|(c, _)| !matches!(c, '\n' | '\r')) {
        from += len;
        if c == ' ' {
            return text.at(from).is_some_and(|(c, _)| c == '#');
        }
    }
    false
}

/// ` dot `, `[dot]`, `(d0t)`.
fn word_for_a_dot(text: &impl Units, at: usize) -> bool {
    let before = text.before(at).is_some_and(|(c, _)| matches!(c, ' ' | '[' | '(' | '{'));
    before && text.at(at + 3).is_some_and(|(c, _)| matches!(c, ' ' | ']' | ')' | '}'))
}

/// `%3A` or `%253A`.
fn escape(text: &impl Units, at: usize) -> bool {
    let c = |i: usize| text.at(at + i).map_or(' ', |(c, _)| c.to_ascii_lowercase());
    matches!((c(1), c(2)), ('3', 'a') | ('2', '5'))
}
