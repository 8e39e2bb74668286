//! Septets, TS 23.038 §6.1.2.1: seven octets hold eight, the first in the low bits.
//!
//! Unpacking works on 64-bit words: seven octets become eight in three steps of shift and mask, and fill bits behind a header cost one more
//! shift of the load. The alphabet map costs more than that (a 128-entry table octet by octet takes several times as long), so texts
//! that are ASCII but for `@ $ _` go through a chain of selects that the compiler turns into vector code.

use super::problems::Problems;
use super::tables::{ESC, Tables};

/// Room for the 255 septets that a TP-UDL can ask for, in whole blocks.
pub const SEPTETS: usize = 8 * BLOCK;

/// A buffer for [`unpack`].
pub(super) const BUFFER: [u8; SEPTETS] = [0; SEPTETS];

/// How many septets at a time are tried as plain ASCII.
const BLOCK: usize = 32;

/// Unpacks at most `count` septets of `octets` from bit `fill` (0 to 6) on, and gives them as octets of `out`.
///
/// Fewer are given when the octets do not hold so many.
pub(super) fn unpack<'o>(octets: &[u8], fill: u32, count: usize, out: &'o mut [u8; SEPTETS]) -> &'o [u8] {
    let bits = (octets.len() * 8).saturating_sub(fill as usize);
    let count = count.min(bits / 7).min(SEPTETS);
    let (eights, _) = out.as_chunks_mut::<8>();
    let mut done = 0;
    // Each word holds an eighth octet: the one that the fill bits push the last septet into.
    for (eight, seven) in eights.iter_mut().zip(octets.windows(8).step_by(7)) {
        *eight = spread(word(seven) >> fill).to_le_bytes();
        done += 1;
    }
    if let (Some(eight), Some(rest)) = (eights.get_mut(done), octets.get(done * 7..)) {
        *eight = spread(tail(rest, octets) >> fill).to_le_bytes();
    }
    out.get(..count).unwrap_or_default()
}

/// The last octets of `all`, fewer than a word: read as a whole word that ends with them, if there are so many.
fn tail(rest: &[u8], all: &[u8]) -> u64 {
    match all.last_chunk() {
        Some(word) => u64::from_le_bytes(*word).checked_shr(64 - rest.len() as u32 * 8).unwrap_or_default(),
        None => word(rest),
    }
}

/// At most eight octets, the first in the low bits.
fn word(octets: &[u8]) -> u64 {
    if let Some(whole) = octets.first_chunk() {
        return u64::from_le_bytes(*whole);
    }
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
        let word = gather(word(eight)) << fill | carry;
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
pub(super) fn read(septets: &[u8], tables: Tables) -> Option<Read> {
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

/// Appends the text of the first `count` of `septets` to `out`.
pub(super) fn push_text(septets: &[u8; SEPTETS], count: usize, tables: Tables, out: &mut String) -> Problems {
    let count = count.min(SEPTETS);
    let mut ascii = BUFFER;
    let plain = if tables.is_latin() { to_ascii(septets, count, &mut ascii) } else { 0 };
    let is_plain = |block: usize| plain >> block & 1 != 0;

    let mut problems = Problems::NONE;
    let mut at = 0;
    while at < count {
        let mut block = at / BLOCK;
        if is_plain(block) {
            while is_plain(block) {
                block += 1;
            }
            let end = (block * BLOCK).min(count);
            out.push_str(ascii.get(at..end).and_then(|run| core::str::from_utf8(run).ok()).unwrap_or_default());
            at = end;
        } else {
            // To the end of the block character by character; an ESC that stands last takes a septet of the next one.
            let end = ((block + 1) * BLOCK).min(count);
            while at < end {
                let Some(read) = septets.get(at..count).and_then(|rest| read(rest, tables)) else {
                    return problems | Problems::ESC_AT_END;
                };
                out.push(read.character);
                problems |= read.problems;
                at += usize::from(read.septets);
            }
        }
    }
    problems
}

/// Writes the ASCII of each block that has nothing else; gives a bit for each that has not.
fn to_ascii(septets: &[u8; SEPTETS], count: usize, ascii: &mut [u8; SEPTETS]) -> u32 {
    let (from, to) = (septets.as_chunks::<BLOCK>().0, ascii.as_chunks_mut::<BLOCK>().0);
    let mut plain = 0;
    for (n, (from, to)) in from.iter().zip(to).enumerate().take(count.div_ceil(BLOCK)) {
        let mut others = [0; BLOCK];
        for ((from, to), other) in from.iter().zip(to).zip(&mut others) {
            (*to, *other) = octet_to_ascii(*from);
        }
        plain |= u32::from(others.iter().fold(0, |any, other| any | other) == 0) << n;
    }
    plain
}

/// One septet of a Latin table in ASCII, and not zero if it is not ASCII there (ESC is none either).
///
/// Sums and comparisons without a branch: the compiler does a vector register of them at a time.
const fn octet_to_ascii(septet: u8) -> (u8, u8) {
    let (at, dollar, underscore) = ((septet == 0x00) as u8, (septet == 0x02) as u8, (septet == 0x11) as u8);
    let ascii = septet ^ (at * 0x40) ^ (dollar * (0x02 ^ 0x24)) ^ (underscore * (0x11 ^ 0x5f));
    let letter = (septet | 0x20).wrapping_sub(0x61) < 26;
    let sign = (septet.wrapping_sub(0x20) < 0x20) & (septet != 0x24);
    let plain = (letter | sign | (septet == 0x0a) | (septet == 0x0d)) as u8 | at | dollar | underscore;
    (ascii, plain ^ 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::tables::Language;

    /// Bit by bit, as the specification tells it.
    fn unpack_plainly(octets: &[u8], fill: usize, count: usize) -> Vec<u8> {
        let bit = |at: usize| octets[at / 8] >> (at % 8) & 1;
        (0..count.min((octets.len() * 8).saturating_sub(fill) / 7))
            .map(|septet| (0..7).map(|n| bit(fill + septet * 7 + n) << n).sum())
            .collect()
    }

    #[test]
    fn unpacking_by_words_is_unpacking_by_bits() {
        let octets: Vec<u8> = (0..224_u32).map(|n| (n * 167 + 13) as u8).collect();
        for len in 0..=octets.len() {
            for fill in 0..7 {
                for count in [0, 1, len, len * 8 / 7, 255] {
                    let mut out = [0xff; SEPTETS];
                    let ours = unpack(&octets[..len], fill, count, &mut out);
                    assert_eq!(ours, unpack_plainly(&octets[..len], fill as usize, count), "{len} {fill} {count}");
                }
            }
        }
    }

    #[test]
    fn packing_undoes_unpacking_and_keeps_the_fill_bits() {
        let septets: Vec<u8> = (0..160_u32).map(|n| (n * 37 + 5) as u8 & 0x7f).collect();
        for len in 0..=septets.len() {
            for fill in 0..7 {
                let mut octets = [0xff; 150];
                let written = pack(&septets[..len], fill, &mut octets).unwrap();
                assert_eq!(written, (len * 7 + fill as usize).div_ceil(8));
                assert!(written == 0 || u32::from(octets[0]).trailing_ones() >= fill);
                assert_eq!(unpack(&octets[..written], fill, len, &mut [0; SEPTETS]), &septets[..len], "{len} {fill}");
                assert_eq!(octets[written], 0xff, "nothing behind is touched");
            }
        }
        assert_eq!(pack(&septets, 0, &mut [0; 139]), None);
    }

    #[test]
    fn what_is_taken_for_ascii_is_what_every_latin_table_has_there() {
        for septet in 0..0x80 {
            let (ascii, other) = octet_to_ascii(septet);
            for language in [Language::Default, Language::Turkish, Language::Spanish, Language::Portuguese] {
                let table = Tables::new(language, Language::Default).base(septet);
                assert!(other != 0 || table == Some(char::from(ascii)), "{septet:#04x} {language:?}");
            }
            let in_default = Tables::default().base(septet).filter(char::is_ascii).is_some();
            assert_eq!(other == 0, in_default, "{septet:#04x} is left to the slow way without need");
        }
    }

    #[test]
    fn an_escape_may_stand_last_in_a_block() {
        for at in BLOCK - 3..BLOCK + 3 {
            let mut septets = [b'a'; SEPTETS];
            septets[at] = ESC;
            septets[at + 1] = 0x65;
            let mut out = String::new();
            assert_eq!(push_text(&septets, 100, Tables::default(), &mut out), Problems::NONE);
            assert_eq!(out, format!("{}€{}", "a".repeat(at), "a".repeat(98 - at)));
        }
    }

    #[test]
    fn escapes_that_mean_nothing_are_marked() {
        let text = |septets: &[u8]| {
            let (mut all, mut out) = (BUFFER, String::new());
            all[..septets.len()].copy_from_slice(septets);
            let problems = push_text(&all, septets.len(), Tables::new(Language::Hindi, Language::Default), &mut out);
            (out, problems)
        };
        assert_eq!(text(&[b'a', ESC]), ("a".into(), Problems::ESC_AT_END));
        assert_eq!(text(&[ESC, ESC, b'b']), (" b".into(), Problems::UNKNOWN_ESC));
        assert_eq!(text(&[ESC, b'c']), ("c".into(), Problems::UNKNOWN_ESC));
        let tamil = Tables::new(Language::Tamil, Language::Default);
        let mut out = String::new();
        assert_eq!(push_text(&BUFFER, 1, tamil, &mut out), Problems::EMPTY_PLACE);
        assert_eq!(out, " ");
    }
}
