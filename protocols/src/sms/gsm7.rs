//! Septets, TS 23.038 §6.1.2.1: seven octets hold eight, the first in the low bits.
//!
//! Unpacking works on 64-bit words: seven octets become eight in three steps of shift and mask, and fill bits behind a header cost one more
//! shift of the load. The alphabet map costs more than that (a 128-entry table octet by octet takes several times as long), so texts
//! that are ASCII but for `@ $ _` go through a chain of selects that the compiler turns into vector code.

use super::problems::Problems;
use super::tables::{ESC, GSM, Language, Tables};

/// Room for the 255 septets that a TP-UDL can ask for, in whole blocks.
pub const SEPTETS: usize = 8 * BLOCK;

/// A buffer for [`unpack`].
pub(super) const BUFFER: [u8; SEPTETS] = [0; SEPTETS];

/// Octets that four words of septets come from.
const QUAD: usize = 28;

/// How many septets at a time are tried as plain ASCII.
const BLOCK: usize = 32;

/// How many septets, at most `count`, `octets` hold from bit `fill` on.
pub(super) fn count(octets: &[u8], fill: u32, count: usize) -> usize {
    count.min((octets.len() * 8).saturating_sub(fill as usize) / 7).min(SEPTETS)
}

/// Unpacks at most `count` septets of `octets` from bit `fill` (0 to 6) on, and gives them as octets of `out`.
///
/// Fewer are given when the octets do not hold so many.
pub(super) fn unpack<'o>(octets: &[u8], fill: u32, count: usize, out: &'o mut [u8; SEPTETS]) -> &'o [u8] {
    let count = self::count(octets, fill, count);
    let Some(eights) = out.as_chunks_mut().0.get_mut(..count.div_ceil(32) * 4) else { return &[] };
    let mut rest = octets;
    for quad in eights.as_chunks_mut().0 {
        let mut last = [0; QUAD];
        let (packed, behind) = rest.split_first_chunk().unwrap_or_else(|| {
            last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            (&last, &[])
        });
        // Each word holds an eighth octet: the one that the fill bits push the last septet into.
        let at =
            |start: usize| packed.get(start..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u64::from_le_bytes(*word));
        let next = u64::from(behind.first().copied().unwrap_or_default());
        *quad = [at(0), at(7), at(14), at(20) >> 8 | next << 56].map(|word| (word >> fill).to_le_bytes());
        rest = behind;
    }
    spread_all(eights);
    out.get(..count).unwrap_or_default()
}

/// At most eight octets, the first in the low bits.
pub(super) fn word(octets: &[u8]) -> u64 {
    if let Some(whole) = octets.first_chunk() {
        return u64::from_le_bytes(*whole);
    }
    octets.iter().rev().fold(0, |word, octet| word << 8 | u64::from(*octet))
}

/// [`spread`] of every word. A function of its own: so the compiler does two or more in a vector register.
#[inline(never)]
fn spread_all(eights: &mut [[u8; 8]]) {
    for eight in eights {
        *eight = spread(u64::from_le_bytes(*eight)).to_le_bytes();
    }
}

/// Moves the low 56 bits into eight groups of seven, an octet each: to move bits up by `n` is to add them `2^n - 1` times.
const fn spread(word: u64) -> u64 {
    let word = word & 0x00ff_ffff_ffff_ffff;
    let word = word + (word & 0x00ff_ffff_f000_0000) * 15;
    let word = word + (word & 0x0fff_c000_0fff_c000) * 3;
    word + (word & 0x3f80_3f80_3f80_3f80)
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

/// Appends the characters of the default alphabet up to the first ESC, of a block at most; how many is the answer.
#[inline]
fn push_characters(septets: &[u8], out: &mut String) -> usize {
    /// The UTF-8 of each septet and, behind it, how many octets that is; none for ESC.
    const UTF8: [[u8; 4]; 128] = {
        let mut table = [[0; 4]; 128];
        let mut septet = 0;
        while septet < 128 {
            #[expect(clippy::indexing_slicing, reason = "evaluated when compiled, below 128")]
            if septet != ESC as usize {
                let code = GSM[septet];
                table[septet] = match code {
                    0..0x80 => [code as u8, 0, 0, 1],
                    0x80..0x800 => [0xc0 | (code >> 6) as u8, 0x80 | (code & 0x3f) as u8, 0, 2],
                    _ => [0xe0 | (code >> 12) as u8, 0x80 | (code >> 6 & 0x3f) as u8, 0x80 | (code & 0x3f) as u8, 3],
                };
            }
            septet += 1;
        }
        table
    };
    let mut utf8 = [0; 3 * BLOCK + 1];
    let (mut len, mut count) = (0, 0);
    for &septet in septets.iter().take(BLOCK) {
        let octets = UTF8.get(usize::from(septet & 0x7f)).copied().unwrap_or_default();
        let [.., size] = octets;
        let (1.., Some(room)) = (size, utf8.get_mut(len..len + 4)) else { break };
        // What lies behind the character is written over by the next one.
        room.copy_from_slice(&octets);
        len += usize::from(size);
        count += 1;
    }
    out.push_str(utf8.get(..len).and_then(|utf8| simdutf8::basic::from_utf8(utf8).ok()).unwrap_or_default());
    count
}

/// The first character of `septets`; `None` at the end, and for an ESC that stands there alone.
#[inline]
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
    let latin = tables.is_latin();
    if latin && is_ascii_as_is(septets, count) {
        push_ascii(septets.get(..count).unwrap_or_default(), out);
        return Problems::NONE;
    }
    push_blocks(septets, count, tables, out)
}

/// As [`push_text`], block by block.
fn push_blocks(septets: &[u8; SEPTETS], count: usize, tables: Tables, out: &mut String) -> Problems {
    let (blocks, _) = septets.as_chunks::<BLOCK>();
    let latin = tables.is_latin();
    let is_default = tables.locking == Language::Default;
    let mut problems = Problems::NONE;
    let mut at = 0;
    while at < count {
        let block = at / BLOCK;
        let end = ((block + 1) * BLOCK).min(count);
        if latin && let Some(ascii) = blocks.get(block).and_then(to_ascii) {
            push_ascii(ascii.get(at % BLOCK..at % BLOCK + end - at).unwrap_or_default(), out);
            at = end;
            continue;
        }
        // To the end of the block character by character; an ESC that stands last takes a septet of the next one.
        while at < end {
            let simple = if is_default { push_characters(septets.get(at..end).unwrap_or_default(), out) } else { 0 };
            at += simple;
            if at == end {
                break;
            }
            let Some(read) = septets.get(at..count).and_then(|rest| read(rest, tables)) else {
                return problems | Problems::ESC_AT_END;
            };
            out.push(read.character);
            problems |= read.problems;
            at += usize::from(read.septets);
        }
    }
    problems
}

/// Appends octets that are all ASCII. The check, which cannot fail, costs less than a push for each character.
#[inline(always)]
fn push_ascii(ascii: &[u8], out: &mut String) {
    out.push_str(simdutf8::basic::from_utf8(ascii).unwrap_or_default());
}

/// Each of the first `count` septets of a Latin table is the ASCII of its character: letters, digits and most signs, but none of
/// `@ $ _` and no line feed.
#[inline(always)]
fn is_ascii_as_is(septets: &[u8; SEPTETS], count: usize) -> bool {
    let (words, _) = septets.as_chunks::<8>();
    let (whole, rest) = (count / 8, count % 8);
    let all = words.get(..whole).unwrap_or_default().iter().fold(EACH, |all, word| all & as_is(u64::from_le_bytes(*word)));
    let last = words.get(whole).map_or(0, |word| u64::from_le_bytes(*word));
    // Of the last word the septets that count.
    let all = all & (as_is(last) | EACH.checked_shl(rest as u32 * 8).unwrap_or_default());
    all & EACH == EACH
}

/// The high bit of each octet.
const EACH: u64 = 0x8080_8080_8080_8080;

/// Sets the high bit of each octet that is its own ASCII, of eight septets. No sum leaves its octet.
#[inline(always)]
const fn as_is(septets: u64) -> u64 {
    const ONES: u64 = EACH >> 7;
    // Folds capitals onto small letters: of what is left from 60 on, 60 and 7b to 7f are others than letters.
    let folded = septets | (ONES * 0x20);
    let not_control = septets + ONES * 0x60;
    let not_dollar = (septets ^ (ONES * 0x24)) + ONES * 0x7f;
    let not_60 = (folded ^ (ONES * 0x60)) + ONES * 0x7f;
    let above_z = folded + ONES * 0x05;
    not_control & not_dollar & not_60 & !above_z
}

/// The ASCII of a block that has nothing else, by a Latin table.
fn to_ascii(septets: &[u8; BLOCK]) -> Option<[u8; BLOCK]> {
    let (mut ascii, mut others) = ([0; BLOCK], [0; BLOCK]);
    for ((from, to), other) in septets.iter().zip(&mut ascii).zip(&mut others) {
        (*to, *other) = octet_to_ascii(*from);
    }
    others.iter().all(|other| *other == 0).then_some(ascii)
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
    fn what_is_taken_as_it_is_is_its_own_ascii() {
        for septet in 0..0x80 {
            let (ascii, other) = octet_to_ascii(septet);
            let as_it_is = other == 0 && ascii == septet && !matches!(septet, b'\n' | b'\r');
            for at in 0..24 {
                let mut septets = [b'a'; SEPTETS];
                septets[at] = septet;
                for count in [at, at + 1, 24] {
                    assert_eq!(is_ascii_as_is(&septets, count), at >= count || as_it_is, "{septet:#04x} at {at} of {count}");
                }
            }
        }
    }

    #[test]
    fn text_in_one_stroke_is_text_by_blocks_is_text_by_characters() {
        for seed in 0..2000_u32 {
            // Mostly letters, so that whole blocks have nothing else; then what the blocks stumble over.
            let octet = |n: u32| (n ^ seed).wrapping_mul(0x9e37_79b9).rotate_left(9) >> 16;
            let rare = [0, 2, 0x11, 0x0a, ESC, 0x24, 0x40, 0x60, 0x7f, 5];
            let septet = |n: u32| match octet(n) % (2 + seed % 200) {
                0 => rare[octet(n + 999) as usize % rare.len()],
                _ => b'a' + (octet(n + 7) % 26) as u8,
            };
            let mut septets = BUFFER;
            (0_u32..).zip(&mut septets).for_each(|(n, to)| *to = septet(n));
            let count = octet(4711) as usize % 161;
            for tables in [
                Tables::default(),
                Tables::new(Language::Turkish, Language::Spanish),
                Tables::new(Language::Urdu, Language::Hindi),
            ] {
                let (mut whole, mut blocks, mut plain, mut rest) =
                    (String::new(), String::new(), String::new(), &septets[..count]);
                let problems = push_text(&septets, count, tables, &mut whole);
                assert_eq!(push_blocks(&septets, count, tables, &mut blocks), problems);
                let mut all = Problems::NONE;
                while let Some(read) = read(rest, tables) {
                    plain.push(read.character);
                    all |= read.problems;
                    rest = &rest[usize::from(read.septets)..];
                }
                all = all.with(Problems::ESC_AT_END, !rest.is_empty());
                assert_eq!((&whole, &blocks, problems), (&plain, &plain, all), "{seed} {count}");
            }
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
