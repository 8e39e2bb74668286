//! Packed septets of the GSM default alphabet straight to ASCII, where all of them are that, which most texts are, else unpacked.
//!
//! TS 23.038 §6.1.2.1: seven octets hold eight septets, the first in the low bits. On x86-64 with AVX2 thirty-two come out of
//! twenty-eight octets at once; elsewhere `protocols` unpacks and maps them, which is the oracle here too.

use protocols::sms::{Dcs, MAX_OCTETS, MAX_SEPTETS, UserData};

use super::simd::{BLOCK, Width};

/// Octets of the longest text of one TPDU, in whole blocks.
const ROOM: usize = MAX_SEPTETS.next_multiple_of(BLOCK);

/// Octets that a block of septets comes from.
const PACKED: usize = BLOCK / 8 * 7;

/// What [`read`] writes into.
pub(crate) type Room = [u8; ROOM];

/// A text in septets, an octet each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unpacked<'r> {
    /// All of it is ASCII, and so is what stands here.
    Ascii(&'r [u8]),
    /// Something is not: these are the septets.
    Septets(&'r [u8]),
}

/// The text of user data without a header, of `tp_udl` septets; `None` where it is longer than it may be.
///
/// `user_data` has just the octets that `tp_udl` asks for.
#[inline(always)]
pub(super) fn read<'r>(width: Width, tp_udl: u8, user_data: &[u8], room: &'r mut Room) -> Option<Unpacked<'r>> {
    let len = usize::from(tp_udl);
    if len > MAX_SEPTETS || user_data.len() != (len * 7).div_ceil(8) {
        return None;
    }
    let as_is = match width {
        Width::Baseline => plainly(tp_udl, user_data, room),
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        // SAFETY: `Avx2` is only made by `Width::detect`, on a machine that has it.
        Width::Avx2 => unsafe { avx2(user_data, len, room) },
    };
    let text = room.get_mut(..len)?;
    Some(if as_is { Unpacked::Ascii(text) } else { moved(text) })
}

/// As [`read`], for septets that begin so many bits above the lowest of the first octet: those behind a header.
pub(super) fn read_from<'r>(width: Width, fill: u32, len: usize, octets: &[u8], room: &'r mut Room) -> Option<Unpacked<'r>> {
    let tp_udl = u8::try_from(len).ok()?;
    if fill == 0 {
        return read(width, tp_udl, octets, room);
    }
    let mut old = [0; MAX_OCTETS + 1];
    if octets.len() != (len * 7 + fill as usize).div_ceil(8) {
        return None;
    }
    old.get_mut(..octets.len()).filter(|old| old.len() <= MAX_OCTETS)?.copy_from_slice(octets);
    let mut moved = [0; MAX_OCTETS];
    for (to, pair) in moved.iter_mut().zip(old.array_windows()) {
        *to = (u16::from_le_bytes(*pair) >> fill) as u8;
    }
    read(width, tp_udl, moved.get(..(len * 7).div_ceil(8))?, room)
}

/// Unpacks the septets; whether each is its own ASCII.
fn plainly(tp_udl: u8, user_data: &[u8], room: &mut Room) -> bool {
    let mut septets = [0; protocols::sms::SEPTETS];
    let septets = UserData::parse(tp_udl, user_data, false, Dcs(0)).septets(&mut septets);
    room.iter_mut().zip(septets).for_each(|(to, from)| *to = *from);
    septets.iter().all(|&septet| ascii(septet) == Some(septet))
}

/// Puts `@ $ _` in their ASCII places, if all is ASCII then.
#[inline(never)]
fn moved(septets: &mut [u8]) -> Unpacked<'_> {
    if !septets.iter().all(|&septet| ascii(septet).is_some()) {
        return Unpacked::Septets(septets);
    }
    septets.iter_mut().for_each(|octet| *octet = ascii(*octet).unwrap_or_default());
    Unpacked::Ascii(septets)
}

/// As [`plainly`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
#[allow(unsafe_code)] // its loads and its stores
fn avx2(user_data: &[u8], len: usize, room: &mut Room) -> bool {
    use core::arch::x86_64::*;
    // Septet j of eight lies in the octets 7j/8 and 7j/8 + 1, and comes up by so many bits that it ends below bit 15. The upper half of a
    // register was loaded from two octets before its first one.
    let first = _mm256_setr_epi8(0, 1, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 2, 3, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9);
    let second = _mm256_add_epi8(first, _mm256_set1_epi8(7));
    let up = _mm256_broadcastsi128_si256(_mm_setr_epi16(1 << 8, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7));
    let (seven, nibble, none) = (_mm256_set1_epi8(0x7f), _mm256_set1_epi8(15), _mm256_setzero_si256());
    let table = |table: &[u8; 16]| {
        // SAFETY: 16 octets, unaligned.
        unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast())) }
    };
    let (low, high) = (table(&AS_IS.0), table(&AS_IS.1));
    let unpack = |packed: &[u8; PACKED]| {
        // SAFETY: of the 28 octets those from 0 to 15 and from 12 to 27 are read. Unaligned.
        let (front, back) = unsafe { (_mm_loadu_si128(packed.as_ptr().cast()), _mm_loadu_si128(packed.as_ptr().add(12).cast())) };
        let packed = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(front), back);
        let eights = |shuffle| _mm256_srli_epi16::<8>(_mm256_mullo_epi16(_mm256_shuffle_epi8(packed, shuffle), up));
        _mm256_and_si256(_mm256_packus_epi16(eights(first), eights(second)), seven)
    };
    // All ones for each septet that is not its own ASCII.
    let other = |septets: __m256i| {
        let row = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16::<4>(septets), nibble));
        _mm256_cmpeq_epi8(_mm256_and_si256(_mm256_shuffle_epi8(low, septets), row), none)
    };
    let (blocks, rest) = user_data.as_chunks::<PACKED>();
    let mut rooms = room.as_chunks_mut::<BLOCK>().0.iter_mut();
    let mut others = none;
    for (packed, to) in blocks.iter().zip(&mut rooms) {
        let septets = unpack(packed);
        others = _mm256_or_si256(others, other(septets));
        // SAFETY: `to` is 32 octets. Unaligned.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), septets) };
    }
    let mut mask = _mm256_movemask_epi8(others);
    if let (false, Some(to)) = (rest.is_empty(), rooms.next()) {
        let mut packed = [0; PACKED];
        packed.get_mut(..rest.len()).unwrap_or_default().copy_from_slice(rest);
        let septets = unpack(&packed);
        // SAFETY: as above.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), septets) };
        let behind = u32::MAX.checked_shl((len % BLOCK) as u32).unwrap_or(0);
        mask |= _mm256_movemask_epi8(other(septets)) & !behind.cast_signed();
    }
    mask == 0
}

/// The ASCII character that a septet of the default alphabet is.
const fn ascii(septet: u8) -> Option<u8> {
    match septet {
        b'\n' | b'\r' | b' '..=b'#' | b'%'..=b'?' | b'A'..=b'Z' | b'a'..=b'z' => Some(septet),
        0x00 => Some(b'@'),
        0x02 => Some(b'$'),
        0x11 => Some(b'_'),
        _ => None,
    }
}

/// Which septets are their own ASCII, as two tables by nibble: those that both tables have a bit in common for, a bit a row.
const AS_IS: ([u8; 16], [u8; 16]) = {
    let (mut low, mut high) = ([0_u8; 16], [0_u8; 16]);
    let mut row = 0;
    while row < 8 {
        let mut column = 0;
        while column < 16 {
            let septet = row << 4 | column;
            if let Some(code) = ascii(septet)
                && code == septet
            {
                #[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
                {
                    low[column as usize] |= 1 << row;
                    high[row as usize] |= 1 << row;
                }
            }
            column += 1;
        }
        row += 1;
    }
    (low, high)
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(tp_udl: u8, user_data: &[u8]) -> bool {
        let parsed = UserData::parse(tp_udl, user_data, false, Dcs(0));
        let mut text = String::new();
        let problems = parsed.text(&mut text);
        let read = [Width::Baseline, Width::detect()].map(|width| {
            let mut room = [0xff; ROOM];
            match read(width, tp_udl, user_data, &mut room) {
                Some(Unpacked::Ascii(ascii)) => Some(ascii.to_vec()),
                Some(Unpacked::Septets(septets)) => {
                    assert_eq!(septets, parsed.septets(&mut [0; protocols::sms::SEPTETS]));
                    None
                }
                None => {
                    assert!(usize::from(tp_udl) > MAX_SEPTETS);
                    None
                }
            }
        });
        for ascii in &read {
            // What has an escape may be ASCII as well, and takes the long way.
            let escaped = text.bytes().any(|octet| b"[]{}^~|\\\x0c".contains(&octet));
            let short =
                text.is_ascii() && !escaped && problems.names().next().is_none() && parsed.problems.names().next().is_none();
            assert_eq!(ascii.as_deref(), short.then_some(text.as_bytes()), "{text:?}");
        }
        read.iter().all(Option::is_some)
    }

    #[test]
    fn each_septet_alone_is_what_the_tables_say() {
        let ascii = (0..0x80).filter(|&septet| septet != 0x1b && check(1, &[septet])).count();
        assert_eq!(ascii, 26 + 26 + 10 + 21 + 2 + 3);
    }

    proptest! {
        #[test]
        fn septets_behind_a_header_come_out_as_alone(user_data in prop::collection::vec(any::<u8>(), 1..150), header in 0..9_u8, less in 0..3_u8) {
            let mut user_data = user_data;
            user_data.insert(0, header.min((user_data.len() - 1) as u8));
            let tp_udl = ((user_data.len() * 8 / 7).min(255) as u8).saturating_sub(less);
            let parsed = UserData::parse(tp_udl, &user_data, true, Dcs(0));
            let mut septets = [0; protocols::sms::SEPTETS];
            let septets = parsed.septets(&mut septets);
            for width in [Width::Baseline, Width::detect()] {
                let mut room = [0xff; ROOM];
                match read_from(width, parsed.fill_bits(), parsed.text_septets(), parsed.body(), &mut room) {
                    Some(Unpacked::Septets(found)) => prop_assert_eq!(found, septets),
                    Some(Unpacked::Ascii(found)) => {
                        let ascii: Option<Vec<u8>> = septets.iter().map(|&septet| ascii(septet)).collect();
                        prop_assert_eq!(Some(found.to_vec()), ascii);
                    }
                    None => prop_assert!(parsed.text_septets() > MAX_SEPTETS || parsed.body().len() > MAX_OCTETS || less > 0 || user_data.len() > MAX_OCTETS),
                }
            }
        }

        #[test]
        fn what_is_ascii_comes_out_and_nothing_else(text in "[ -~\n\r]{0,170}", user_data in prop::collection::vec(any::<u8>(), 0..150)) {
            let mut septets = Vec::new();
            let mut ud = protocols::sms::encode::Ud::default();
            let empty = UserData::parse(0, &[], false, Dcs(0));
            if protocols::sms::encode::refit(&empty, &text, &mut ud).is_ok() {
                septets.extend_from_slice(ud.octets());
                check(ud.tp_udl, &septets);
            }
            let udl = (user_data.len() * 8 / 7).min(255) as u8;
            check(udl, user_data.get(..(usize::from(udl) * 7).div_ceil(8)).unwrap_or_default());
        }
    }
}
