//! The sieve: whether a message may hold a link at all. It never says no where [`Scanner::find_with_care`] finds something that
//! could act, and it says no to nearly everything else.
//!
//! First look (`simd.rs`): dots, colons and the like, by blocks. A glance at the octets round each mark dismisses what prose is full of:
//! a dot before a blank, a dot between digits. Second look, at what is left: is there a TLD behind the dot, a slash behind the colon? Of
//! real messages 77 % have a dot and some 3 % come through all three.

use core::ops::ControlFlow::{self, Break, Continue};

use super::chars::{is_dot, is_label, is_latin, is_slash};
use super::glance::View;
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
        self.first_mark(text).is_some()
    }

    /// Where in this UTF-8 text [`Scanner::find`] may find the first, which [`Scanner::find_from`] is told; `None`: it finds nothing.
    pub fn first_mark(&self, text: &[u8]) -> Option<usize> {
        if text.first() == Some(&b'@') && bound(&Utf8(text), 0) {
            return Some(0);
        }
        let mut first = None;
        let _ = self.marks(text, 0, |at| {
            first = self.look(&Utf8(text), at).then_some(at);
            if first.is_some() { Break(()) } else { Continue(at) }
        });
        first
    }

    /// Whether [`Scanner::find`] may find something in this text, where it finds nothing in what stands before `start`: only what stands
    /// so near before it that it goes on in what follows is looked at again.
    ///
    /// What [`Scanner::look`] reads ends with the word behind a blank behind a dot, or with the first sign behind a blank: two words and
    /// the blanks between them. No slash far behind a word makes a difference.
    pub(crate) fn may_link_from(&self, text: &str, start: usize) -> bool {
        let before = text.as_bytes().get(..start).unwrap_or_default();
        let is_blank = |octet: &u8| matches!(octet, b' ' | b'\n' | b'\r');
        let mut from = before.len();
        for _ in 0..2 {
            let head = before.get(..from).unwrap_or_default();
            let word = head.iter().rposition(|octet| !is_blank(octet)).map_or(0, |last| last + 1);
            from = head.get(..word).unwrap_or_default().iter().rposition(is_blank).map_or(0, |blank| blank + 1);
        }
        self.may_link(text.as_bytes().get(from..).unwrap_or_default())
    }

    /// As [`Scanner::may_link`] for unpacked septets of the GSM default alphabet, of which only `@ _ $ ESC` and the
    /// national letters differ from ASCII.
    pub fn may_link_septets(&self, septets: &[u8]) -> bool {
        if septets.first() == Some(&0) && bound(&Septets(septets), 0) {
            return true;
        }
        let mut from = 0;
        while let Some(rest) = septets.get(from..).filter(|rest| !rest.is_empty()) {
            let marks = simd::marks(self.width, rest);
            let view = View { octets: rest, cut: false, slash: marks.slash || rest.len() > simd::PASS };
            let letter = |at: usize| rest.get(at).is_some_and(|&septet| is_letter(septet));
            if any_bit(marks.of(rest), |at| view.glance(at, letter) && self.look(&Septets(septets), from + at)) {
                return true;
            }
            from += simd::PASS;
        }
        false
    }

    /// As [`Scanner::may_link`] for UCS2, big endian.
    pub fn may_link_ucs2(&self, be16: &[u8]) -> bool {
        if be16.starts_with(&[0, b'@']) && bound(&Ucs2(be16), 0) {
            return true;
        }
        let mut from = 0;
        let mut narrow = simd::Narrow::new();
        while let Some(rest) = be16.get(2 * from..).filter(|rest| rest.len() >= 2) {
            narrow.fill(self.width, rest);
            let octets = narrow.octets();
            let marks = simd::marks(self.width, octets);
            let cut = octets.len() == simd::NARROWED;
            let view = View { octets, cut, slash: marks.slash || cut };
            let letter = |at: usize| {
                let unit = rest.get(2 * at..).and_then(|rest| rest.first_chunk()).map_or(0, |pair| u16::from_be_bytes(*pair));
                (0xc0..0x1600).contains(&unit)
            };
            if any_bit(marks.of(octets), |at| view.glance(at, letter) && self.look(&Ucs2(be16), from + at)) {
                return true;
            }
            if narrow.largest >= WIDE && self.wide_units(be16, rest, from) {
                return true;
            }
            from += simd::UNITS;
        }
        false
    }

    /// The dots and colons of other scripts among the code units of one pass.
    #[inline(never)]
    fn wide_units(&self, be16: &[u8], rest: &[u8], from: usize) -> bool {
        let pairs = rest.as_chunks::<2>().0;
        let wide = |pair: &[u8; 2]| matches!(u16::from_be_bytes(*pair), 0x2024 | 0x3002 | 0xff0e | 0xff1a | 0xff61);
        let mut marks = pairs.iter().take(simd::UNITS).enumerate().filter(|(_, pair)| wide(pair));
        marks.any(|(at, _)| self.look(&Ucs2(be16), from + at))
    }

    /// Calls `visit` with each mark of a UTF-8 text from `from` on that a glance does not dismiss, in order, until it breaks; what it gives
    /// back is how far it has read: no mark before that is of interest.
    #[inline]
    pub(super) fn marks(
        &self,
        text: &[u8],
        mut from: usize,
        mut visit: impl FnMut(usize) -> ControlFlow<(), usize>,
    ) -> ControlFlow<()> {
        let mut done = 0;
        while let Some(rest) = text.get(from..).filter(|rest| !rest.is_empty()) {
            let mut marks = simd::marks(self.width, rest);
            if marks.wide {
                wide_octets(rest, &mut marks.masks);
            }
            let view = View { octets: rest, cut: false, slash: marks.slash || rest.len() > simd::PASS };
            // U+00C0 to U+07FF: letters and marks, no blank among them.
            let letter = |at: usize| rest.get(at).is_some_and(|octet| (0xc3..=0xdf).contains(octet));
            let broken = any_bit(marks.of(rest), |at| {
                from + at >= done && view.glance(at, letter) && visit(from + at).map_continue(|until| done = until).is_break()
            });
            if broken {
                return Break(());
            }
            from += simd::PASS;
        }
        Continue(())
    }

    /// The second look, at a mark.
    #[inline(never)]
    pub(super) fn look(&self, text: &impl Units, at: usize) -> bool {
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

/// From this code unit on there are dots and colons of other scripts.
const WIDE: u16 = 0x2000;

/// Whether `what` says yes to one of the bits of some masks, asked in order.
#[inline(always)]
fn any_bit(masks: &[u32], mut what: impl FnMut(usize) -> bool) -> bool {
    for (block, &mask) in masks.iter().enumerate() {
        let mut mask = mask;
        while mask != 0 {
            if what(block * simd::BLOCK + mask.trailing_zeros() as usize) {
                return true;
            }
            mask &= mask - 1;
        }
    }
    false
}

/// Adds the first octets of the dots and colons of other scripts.
#[inline(never)]
fn wide_octets(text: &[u8], masks: &mut [u32]) {
    for (block, (octets, mask)) in text.chunks(simd::BLOCK).zip(masks).enumerate() {
        // A pass without a branch first: letters of most scripts begin otherwise.
        if !octets.iter().fold(false, |any, &octet| any | matches!(octet, 0xe2 | 0xe3 | 0xef)) {
            continue;
        }
        for at in (0..octets.len()).filter(|&at| octets.get(at).is_some_and(|octet| matches!(octet, 0xe2 | 0xe3 | 0xef))) {
            let from = block * simd::BLOCK + at;
            let wide = matches!(
                text.get(from..).and_then(|rest| rest.first_chunk()),
                Some([0xef, 0xbc | 0xbd, _] | [0xe3, 0x80, 0x82] | [0xe2, 0x80, 0xa4])
            );
            *mask |= u32::from(wide) << at;
        }
    }
}

/// A national letter of the default alphabet, or another sign of it that is not ASCII: no blank, not ESC.
fn is_letter(septet: u8) -> bool {
    matches!(septet, 0..=9 | 0x0b | 0x0c | 0x0e..=0x1a | 0x1c..=0x1f | 0x24 | 0x40 | 0x5b..=0x60 | 0x7b..=0x7f)
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
pub(super) fn bound(text: &impl Units, at: usize) -> bool {
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
