//! UCS2 text, in practice UTF-16BE, to UTF-8 (RFC 3629 §3): without a branch for each code unit.
//!
//! ```text
//! 0000 to 007f   0xxxxxxx
//! 0080 to 07ff   110xxxxx 10xxxxxx
//! 0800 to ffff   1110xxxx 10xxxxxx 10xxxxxx      but for surrogates
//! ```
//! What the text holds of it says which way it goes; one with surrogates goes character by character. The octets are checked once, as a
//! whole, before they become text: that costs less than a push for each character.

use super::problems::Problems;

/// Code units that are written, checked and appended together: more than one message has.
const STRETCH: usize = 128;
/// Code units whose places in the output are told by one check.
const GROUP: usize = 8;
/// Octets that a group may take, and behind each place in it room for a store of four; a power of two and four.
const WINDOW: usize = 32 + 4;

/// The code units of UTF-16BE; an odd last octet is left out.
pub(super) fn code_units(octets: &[u8]) -> impl Iterator<Item = u16> + '_ {
    octets.as_chunks().0.iter().map(|unit| u16::from_be_bytes(*unit))
}

/// Appends the text. Half a surrogate pair is shown as U+FFFD.
pub(super) fn push_text(octets: &[u8], out: &mut String) -> Problems {
    let mut problems = Problems::NONE.with(Problems::ODD_OCTET, octets.len() % 2 == 1);
    let mut rest = octets.as_chunks::<2>().0;
    while !rest.is_empty() {
        let (units, behind) = rest.split_at_checked(STRETCH).unwrap_or((rest, &[]));
        let done = push_two(units, out).or_else(|| push_three(units, out));
        rest = behind;
        if done.is_none() {
            rest = push_each(units, behind, out, &mut problems);
        }
    }
    problems
}

/// The octets of each code unit below 0800, the first one in the low bits; gives all bits that any code unit has.
///
/// A function of its own that branches nowhere: so the compiler does eight in a vector register.
#[inline(never)]
fn words_of_two(units: &[[u8; 2]], words: &mut [u16; STRETCH]) -> u16 {
    let mut any = 0;
    for (word, unit) in words.iter_mut().zip(units) {
        let unit = u16::from_be_bytes(*unit);
        any |= unit;
        let two = 0x80c0 | unit >> 6 | (unit & 0x3f) << 8;
        *word = if unit < 0x80 { unit } else { two };
    }
    any
}

/// The octets of each code unit that is no surrogate, the first one in the low bits, and in the high ones how many they are; says
/// whether any is a surrogate. As [`words_of_two`].
#[inline(never)]
fn words_of_three(units: &[[u8; 2]], words: &mut [u32; STRETCH]) -> bool {
    let mut surrogates = 0;
    for (word, unit) in words.iter_mut().zip(units) {
        let unit = u32::from(u16::from_be_bytes(*unit));
        surrogates |= u32::from(unit & 0xf800 == 0xd800);
        let two = 0x0200_80c0 | unit >> 6 | (unit & 0x3f) << 8;
        let three = 0x0380_80e0 | unit >> 12 | (unit & 0x0fc0) << 2 | (unit & 0x3f) << 16;
        *word = if unit < 0x80 {
            0x0100_0000 | unit
        } else if unit < 0x800 {
            two
        } else {
            three
        };
    }
    surrogates != 0
}

/// Appends code units, if all of them are below 0800.
#[inline(always)]
fn push_two(units: &[[u8; 2]], out: &mut String) -> Option<()> {
    let mut words = [0; STRETCH];
    if words_of_two(units, &mut words) >= 0x800 {
        return None;
    }
    let (mut utf8, mut len) = ([0; 2 * STRETCH + WINDOW], 0);
    for group in words.as_chunks::<GROUP>().0.get(..units.len().div_ceil(GROUP))? {
        let window: &mut [u8; WINDOW] = utf8.get_mut(len..)?.first_chunk_mut()?;
        let mut at = 0;
        for word in group {
            // The remainder is what the compiler cannot know: it is below 16.
            *window.get_mut(at % 32..)?.first_chunk_mut()? = word.to_le_bytes();
            // Two octets have the high bit of the second one set.
            at += 1 + usize::from(word >> 15);
        }
        len += at;
    }
    push_checked(&utf8, len, units.len(), out)
}

/// Appends code units, if none of them is a surrogate.
#[inline(never)]
fn push_three(units: &[[u8; 2]], out: &mut String) -> Option<()> {
    let mut words = [1 << 24; STRETCH];
    if words_of_three(units, &mut words) {
        return None;
    }
    let (mut utf8, mut len) = ([0; 3 * STRETCH + WINDOW], 0);
    for group in words.as_chunks::<GROUP>().0.get(..units.len().div_ceil(GROUP))? {
        let window: &mut [u8; WINDOW] = utf8.get_mut(len..)?.first_chunk_mut()?;
        let mut at = 0;
        for word in group {
            // As above: it is below 24.
            *window.get_mut(at % 32..)?.first_chunk_mut()? = word.to_le_bytes();
            at += (word >> 24) as usize;
        }
        len += at;
    }
    push_checked(&utf8, len, units.len(), out)
}

/// Appends what was written of whole groups, without the zeros, an octet each, that filled up the last one. That it is UTF-8 is checked.
#[inline(always)]
fn push_checked(utf8: &[u8], len: usize, units: usize, out: &mut String) -> Option<()> {
    let fill = units.next_multiple_of(GROUP) - units;
    out.push_str(simdutf8::basic::from_utf8(utf8.get(..len.checked_sub(fill)?)?).ok()?);
    Some(())
}

/// Appends any code units character by character, and gives what follows: `behind`, less the half of a pair that begins last in `units`.
#[inline(never)]
fn push_each<'a>(units: &'a [[u8; 2]], behind: &'a [[u8; 2]], out: &mut String, problems: &mut Problems) -> &'a [[u8; 2]] {
    let mut left = units.len();
    for read in char::decode_utf16(units.iter().chain(behind).map(|unit| u16::from_be_bytes(*unit))) {
        let character = read.unwrap_or_else(|_| {
            *problems |= Problems::LONE_SURROGATE;
            char::REPLACEMENT_CHARACTER
        });
        out.push(character);
        let taken = character.len_utf16();
        if taken >= left {
            return behind.get(taken - left..).unwrap_or_default();
        }
        left -= taken;
    }
    behind
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Character by character, as the standard library does it.
    fn plainly(octets: &[u8]) -> (String, Problems) {
        let mut problems = Problems::NONE.with(Problems::ODD_OCTET, octets.len() % 2 == 1);
        let text = char::decode_utf16(code_units(octets)).map(|read| {
            read.unwrap_or_else(|_| {
                problems |= Problems::LONE_SURROGATE;
                char::REPLACEMENT_CHARACTER
            })
        });
        (text.collect(), problems)
    }

    fn by_blocks(octets: &[u8]) -> (String, Problems) {
        let mut text = "before".to_owned();
        let problems = push_text(octets, &mut text);
        (text.strip_prefix("before").unwrap().to_owned(), problems)
    }

    #[test]
    fn every_code_unit_alone_and_in_any_place_of_a_block_reads_as_the_standard_library_reads_it() {
        for unit in 0..=u16::MAX {
            let [high, low] = unit.to_be_bytes();
            let at = usize::from(unit) % 17;
            let mut octets = [0, b'a'].repeat(17);
            octets[at * 2..at * 2 + 2].copy_from_slice(&[high, low]);
            assert_eq!(by_blocks(&octets), plainly(&octets), "{unit:04x} at {at}");
            assert_eq!(by_blocks(&[high, low]), plainly(&[high, low]), "{unit:04x} alone");
        }
    }

    #[test]
    fn more_than_a_message_may_hold_is_read_all_the_same() {
        for unit in [[0x20, 0xac], [0x04, 0x30], [0, b'a'], [0xd8, 0x3d]] {
            let octets = unit.repeat(1000);
            assert_eq!(by_blocks(&octets), plainly(&octets));
        }
    }

    proptest! {
        #[test]
        fn text_by_blocks_is_text_by_characters(
            units in prop::collection::vec(prop_oneof![
                0x20_u16..0x7f, 0x20_u16..0x7f, 0x400_u16..0x500, 0x7f_u16..0x802, 0x4e00_u16..0x4e10, 0xd7fe_u16..0xe002,
                prop::sample::select(vec![0xd83d, 0xdce6, 0xfffd, 0xffff]), any::<u16>()
            ], 0..150),
            runs in 1_usize..12, odd in any::<bool>()
        ) {
            // Runs of the same kind of unit, so that each way of a block is gone.
            let mut octets: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes().repeat(runs)).collect();
            octets.truncate(if odd { 255 } else { 140 });
            prop_assert_eq!(by_blocks(&octets), plainly(&octets));
            let mixed: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            prop_assert_eq!(by_blocks(&mixed), plainly(&mixed));
        }
    }
}
