//! The glance: what the octets round a mark say, before anybody reads a label. It dismisses what prose is full of.

use super::tlds::COMMON;

/// The octets round a mark, as far as ASCII goes: all that is asked of the rest is whether it may be of a label.
pub(super) struct View<'v> {
    pub(super) octets: &'v [u8],
    /// Whether the text goes on behind the octets.
    pub(super) cut: bool,
    /// Whether there may be a slash somewhere.
    pub(super) slash: bool,
}

impl View<'_> {
    #[inline(always)]
    fn get(&self, at: usize) -> u8 {
        self.octets.get(at).copied().unwrap_or(0)
    }

    /// Whether a mark needs a second look. `letter` says of an octet that is no ASCII whether it surely is no blank.
    #[inline(always)]
    pub(super) fn glance(&self, at: usize, letter: impl Fn(usize) -> bool) -> bool {
        // Nearly always the next sentence, a number, or `do`.
        match self.octets.get(at..).and_then(|octets| octets.first_chunk()) {
            Some(&[b'.', b' ', first, second]) => match BEGINS.get(usize::from(first)) {
                Some(Begins::Nothing) => return false,
                Some(Begins::Word) if !self.slash => return common_pair(first, second),
                _ => {}
            },
            Some(&[b'.', b'0'..=b'9', ..]) => return self.numbers(at + 1),
            Some(&[b'D' | b'd', _, third, _]) if third | 0x20 != b't' => return false,
            _ => {}
        }
        self.long_glance(at, letter)
    }

    #[inline(never)]
    fn long_glance(&self, at: usize, letter: impl Fn(usize) -> bool) -> bool {
        let next = self.get(at + 1);
        match self.get(at) {
            b'.' if next == b' ' => match self.get(at + 2) {
                b'a'..=b'z' | b'A'..=b'Z' => self.closes(at + 2),
                b'0'..=b'9' | b'!'..=b'#' | b'%'..=b'/' | b':'..=b'?' => false,
                b' ' => true,
                _ if at + 2 >= self.octets.len() => self.cut,
                _ => self.slash || !letter(at + 2),
            },
            b'.' if next.is_ascii_digit() => self.numbers(at + 1),
            b'.' => at + 1 < self.octets.len() || self.cut,
            // A time, mostly: no scheme of an app ends in a digit.
            b':' if next.is_ascii_digit() => !at.checked_sub(1).is_some_and(|before| self.get(before).is_ascii_digit()),
            b':' => !matches!(next, b'\n' | b'\r'),
            b',' if next.is_ascii_alphabetic() => self.closes(at + 1),
            b',' => self.slash,
            b'd' | b'D' => {
                // `[` and `{` are ESC with `<` and `(` in the default alphabet.
                let before = at.checked_sub(1).map_or(b' ', |before| self.get(before));
                (self.get(at + 2) | 0x20 == b't' || self.cut) && matches!(before, b' ' | b'(' | b'[' | b'{' | b'<')
            }
            b'%' => matches!((next, self.get(at + 2)), (b'3', b'a' | b'A') | (b'2', b'5')),
            _ => true,
        }
    }

    /// Whether the word at `from` may close a host that a blank or a comma breaks.
    #[inline(always)]
    fn closes(&self, from: usize) -> bool {
        let common = common_pair(self.get(from), self.get(from + 1));
        if common || !self.slash {
            return common;
        }
        let word = self.octets.get(from..).unwrap_or_default();
        match word.iter().find(|octet| !octet.is_ascii_alphanumeric()) {
            Some(b'\n' | b'\r' | b' '..=b'#' | b'%'..=b',' | b'.' | b':'..=b'?') => false,
            Some(_) => true,
            None => self.cut,
        }
    }

    /// Whether the digits at `from` end in a dot and more digits: an address has them behind its first dot. No TLD begins with a digit.
    #[inline(always)]
    fn numbers(&self, from: usize) -> bool {
        let mut end = from;
        while self.get(end).is_ascii_digit() {
            end += 1;
        }
        self.get(end) == b'.' && self.get(end + 1).is_ascii_digit() || self.cut && end + 1 >= self.octets.len()
    }
}

/// What an octet behind a dot and a blank begins.
#[derive(Clone, Copy)]
enum Begins {
    Word,
    /// What is of no label, or begins none that is a TLD.
    Nothing,
    /// Another alphabet's letter, another blank, the first half of a sign: to be asked.
    Else,
}

// Built when compiled: an index out of range would not compile.
#[allow(clippy::indexing_slicing)]
static BEGINS: [Begins; 256] = {
    let mut table = [Begins::Else; 256];
    let mut i = 0x21;
    while i < 0x7b {
        table[i] = match i as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => Begins::Word,
            b'!'..=b'#' | b'%'..=b'?' => Begins::Nothing,
            _ => Begins::Else,
        };
        i += 1;
    }
    table
};

/// The first two letters of the words that close a host wherever they stand, a row for each first one.
// Built when compiled: an index out of range would not compile.
#[allow(clippy::indexing_slicing)]
const PAIRS: [u32; 32] = {
    let mut rows = [0; 32];
    let mut i = 0;
    while i < COMMON.len() {
        rows[COMMON[i][0] as usize & 31] |= 1 << (COMMON[i][1] & 31);
        i += 1;
    }
    rows
};

/// Whether one of [`COMMON`] may begin with these letters.
#[inline(always)]
fn common_pair(first: u8, second: u8) -> bool {
    PAIRS.get(usize::from(first & 31)).is_some_and(|row| row >> (second & 31) & 1 != 0)
}
