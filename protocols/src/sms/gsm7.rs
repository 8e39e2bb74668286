//! Septets, TS 23.038 §6.1.2.1: seven octets hold eight, the first in the low bits.
//!
//! Unpacking works on 64-bit words: seven octets become eight in three steps of shift and mask, and fill bits behind a header cost one more
//! shift of the load. The alphabet map costs more than that (a 128-entry table octet by octet takes several times as long), so texts
//! that are ASCII but for `@ $ _` go through a chain of selects that the compiler turns into vector code.

use super::problems::Problems;
use super::tables::{ESC, Tables};

/// Room for the 255 septets that a TP-UDL can ask for, and whole words behind them.
pub const SEPTETS: usize = 264;

/// A buffer for [`unpack`].
pub(super) const BUFFER: [u8; SEPTETS] = [0; SEPTETS];

/// How many septets at a time are tried as plain ASCII.
const BLOCK: usize = 32;

/// Unpacks at most `count` septets of `octets` from bit `fill` (0 to 6) on, and gives them as octets of `out`.
///
/// Fewer are given when the octets do not hold so many.
pub(super) fn unpack<'o>(octets: &[u8], fill: u32, count: usize, out: &'o mut [u8; SEPTETS]) -> &'o [u8] {
    let bits = (octets.len() * 8).saturating_sub(fill as usize);
    let count = count.min(bits / 7).min(SEPTETS - 8);
    let mut rest = octets;
    for eight in out.chunks_exact_mut(8).take(count.div_ceil(8)) {
        let word = match rest.first_chunk::<8>() {
            Some(word) => u64::from_le_bytes(*word),
            None => tail(rest),
        };
        eight.copy_from_slice(&spread(word >> fill).to_le_bytes());
        rest = rest.get(7..).unwrap_or_default();
    }
    out.get(..count).unwrap_or_default()
}

/// The last octets, fewer than a word.
fn tail(octets: &[u8]) -> u64 {
    octets.iter().rev().fold(0, |word, octet| word << 8 | u64::from(*octet))
}

/// Moves the low 56 bits into eight groups of seven, an octet each.
const fn spread(word: u64) -> u64 {
    let word = word & 0x0000_0000_0fff_ffff | (word & 0x00ff_ffff_f000_0000) << 4;
    let word = word & 0x0000_3fff_0000_3fff | (word & 0x0fff_c000_0fff_c000) << 2;
    word & 0x007f_007f_007f_007f | (word & 0x3f80_3f80_3f80_3f80) << 1
}

/// The inverse of [`spread`]: the low seven bits of each octet, next to each other.
const fn gather(word: u64) -> u64 {
    let word = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let word = word & 0x0000_3fff_0000_3fff | (word & 0x3fff_0000_3fff_0000) >> 2;
    word & 0x0000_0000_0fff_ffff | (word & 0x0fff_ffff_0000_0000) >> 4
}

/// Packs septets from bit `fill` (0 to 6) of `out` on, whose first octet keeps its low `fill` bits; gives the octets written.
///
/// `None` when `out` is too short. Spare bits at the end are zero.
pub(super) fn pack(septets: &[u8], fill: u32, out: &mut [u8]) -> Option<usize> {
    let len = (septets.len() * 7 + fill as usize).div_ceil(8);
    let out = out.get_mut(..len)?;
    let mut carry = u64::from(out.first().copied().unwrap_or_default()) & ((1 << fill) - 1);
    let mut rest = out;
    for eight in septets.chunks(8) {
        let word = gather(tail(eight)) << fill | carry;
        let (now, later) = rest.split_at_mut(rest.len().min(7));
        let octets = word.to_le_bytes();
        for (to, from) in now.iter_mut().zip(octets) {
            *to = from;
        }
        carry = word >> 56;
        rest = later;
    }
    if let Some(last) = rest.first_mut() {
        *last = carry as u8;
    }
    Some(len)
}

/// One character of a text and what was odd about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) character: char,
    pub(super) septets: u8,
    pub(super) problems: Problems,
}

/// The first character of `septets`; `None` at the end, and for an ESC that stands there alone.
pub(super) fn read(septets: &[u8], tables: &Tables) -> Option<Read> {
    let base = |septet| match tables.base(septet) {
        Some(character) => (character, Problems::NONE),
        None => (' ', Problems::EMPTY_PLACE),
    };
    match *septets {
        [ESC] | [] => None,
        // Kept for another extension table: a space (TS 23.038 §6.2.1.1, note 1).
        [ESC, ESC, ..] => Some(Read { character: ' ', septets: 2, problems: Problems::UNKNOWN_ESC }),
        [ESC, septet, ..] => Some(match tables.extension(septet) {
            Some(character) => Read { character, septets: 2, problems: Problems::NONE },
            None => {
                let (character, problems) = base(septet);
                Read { character, septets: 2, problems: problems | Problems::UNKNOWN_ESC }
            }
        }),
        [septet, ..] => {
            let (character, problems) = base(septet);
            Some(Read { character, septets: 1, problems })
        }
    }
}

/// Appends the text of `septets` to `out`.
pub(super) fn push_text(septets: &[u8], tables: &Tables, out: &mut String) -> Problems {
    let mut problems = Problems::NONE;
    let mut at = 0;
    while let Some(rest) = septets.get(at..).filter(|rest| !rest.is_empty()) {
        let block = rest.get(..BLOCK).unwrap_or(rest);
        if tables.is_latin() && push_ascii(block, out) {
            at += block.len();
            continue;
        }
        // Up to the end of this block character by character, one septet beyond it when an ESC stands last.
        let mut done = 0;
        while done < block.len() {
            let Some(read) = rest.get(done..).and_then(|rest| read(rest, tables)) else {
                return problems | Problems::ESC_AT_END;
            };
            out.push(read.character);
            problems |= read.problems;
            done += usize::from(read.septets);
        }
        at += done;
    }
    problems
}

/// Appends a block if each septet of it is an ASCII character, and says whether it did.
fn push_ascii(block: &[u8], out: &mut String) -> bool {
    let mut ascii = [0; BLOCK];
    let mut plain = true;
    for (to, septet) in ascii.iter_mut().zip(block) {
        let (octet, is_plain) = ascii_of(*septet);
        *to = octet;
        plain &= is_plain;
    }
    if !plain {
        return false;
    }
    match ascii.get(..block.len()).map(core::str::from_utf8) {
        Some(Ok(text)) => {
            out.push_str(text);
            true
        }
        _ => false,
    }
}

/// The octet that a septet of a Latin table is in ASCII, and whether it is any. Written so that it becomes compares and selects.
const fn ascii_of(septet: u8) -> (u8, bool) {
    let letter = (septet >= 0x41 && septet <= 0x5a) | (septet >= 0x61 && septet <= 0x7a);
    let sign = septet >= 0x20 && septet <= 0x3f && septet != 0x24;
    let moved = (septet == 0x00) | (septet == 0x02) | (septet == 0x11);
    let line = (septet == 0x0a) | (septet == 0x0d);
    let octet = match septet {
        0x00 => b'@',
        0x02 => b'$',
        0x11 => b'_',
        _ => septet,
    };
    (octet, letter | sign | moved | line)
}
