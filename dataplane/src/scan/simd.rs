//! The first look of the sieve: one pass over 32 octets or 16 code units at a time that marks where a link may be.
//!
//! Plain loops over fixed blocks, which the compiler turns into vector code, for the baseline of the target and for
//! UCS2; for octets on x86-64 with AVX2, chosen when the scanner is built, the same by intrinsics. That choice and their
//! loads are the only `unsafe` here. The oracle is the same question asked octet by octet, in the tests.

/// How many units a block has.
pub(super) const BLOCK: usize = 32;
/// A block with the two units behind it, which its last questions need.
pub(super) const WINDOW: usize = BLOCK + 2;

/// Which code the first look runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// What every machine of the target has.
    Baseline,
    /// AVX2. Made by [`Width::detect`] alone.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Width {
    /// The widest that this machine has.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Self::Avx2;
        }
        Self::Baseline
    }
}

/// Runs `look` over the blocks of octets whose mask is not empty, until it says yes.
pub(super) fn octets(width: Width, text: &[u8], look: impl FnMut(usize) -> bool) -> bool {
    match width {
        Width::Baseline => octets_in_blocks(text, look),
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        // SAFETY: `Avx2` is only made by `detect`, on a machine that has it.
        Width::Avx2 => unsafe { octets_avx2(text, look) },
    }
}

/// As [`octets`] for UTF-16 in big endian.
pub(super) fn units(width: Width, text: &[u8], look: impl FnMut(usize) -> bool) -> bool {
    match width {
        Width::Baseline => units_in_blocks(text, look),
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        // SAFETY: as above.
        Width::Avx2 => unsafe { units_avx2(text, look) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn octets_avx2(text: &[u8], mut look: impl FnMut(usize) -> bool) -> bool {
    let mut at = 0;
    let mut rest = text;
    while let Some(window) = rest.first_chunk::<WINDOW>() {
        if marked(octet_mask_avx2(window), at, &mut look) {
            return true;
        }
        at += BLOCK;
        rest = rest.get(BLOCK..).unwrap_or_default();
    }
    while !rest.is_empty() {
        let mut window = [0; WINDOW];
        window.get_mut(..rest.len()).unwrap_or_default().copy_from_slice(rest);
        if marked(octet_mask_avx2(&window), at, &mut look) {
            return true;
        }
        at += BLOCK;
        rest = rest.get(BLOCK..).unwrap_or_default();
    }
    false
}

/// What [`octet_mask`] gives, by comparisons of 32 octets.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
#[allow(unsafe_code)] // its loads
fn octet_mask_avx2(window: &[u8; WINDOW]) -> u32 {
    use core::arch::x86_64::*;
    let load = |from: usize| {
        debug_assert!(from + BLOCK <= WINDOW);
        // SAFETY: called with 0, 1 and 2, and `WINDOW` is `BLOCK` + 2: the 32 octets lie in the window. Unaligned.
        unsafe { _mm256_loadu_si256(window.as_ptr().add(from).cast()) }
    };
    let (c, n, n2) = (load(0), load(1), load(2));
    let is = |v, octet: u8| _mm256_cmpeq_epi8(v, _mm256_set1_epi8(octet as i8));
    let or = |a, b| _mm256_or_si256(a, b);
    let and = |a, b| _mm256_and_si256(a, b);
    // `first <= v <= last`, unsigned.
    let within = |v, first: u8, last: u8| {
        let from = _mm256_sub_epi8(v, _mm256_set1_epi8(first as i8));
        _mm256_cmpeq_epi8(_mm256_min_epu8(from, _mm256_set1_epi8((last - first) as i8)), from)
    };
    let small = |v| or(v, _mm256_set1_epi8(0x20));
    let (c_small, n_small) = (small(c), small(n));
    let quiet = or(
        within(n, b'!', b'('),
        or(within(n, b'*', b','), or(within(n, b':', b'='), or(is(n, b'?'), or(is(n, b'.'), is(n, b'/'))))),
    );
    let dot = _mm256_andnot_si256(quiet, is(c, b'.'));
    let blank = or(is(n, b' '), or(is(n, b'\n'), is(n, b'\r')));
    let colon = _mm256_andnot_si256(blank, is(c, b':'));
    let comma = and(is(c, b','), or(within(n_small, b'a', b'z'), within(n, 0x80, 0xff)));
    let word = and(is(c_small, b'd'), and(or(is(n_small, b'o'), is(n, b'0')), is(small(n2), b't')));
    let escape = and(is(c, b'%'), or(is(n, b'3'), is(n, b'2')));
    let line = and(or(is(c, b'\n'), is(c, b'\r')), or(is(n, b'@'), is(n, 0)));
    let mut hit = or(or(or(dot, colon), or(comma, word)), or(escape, line));
    if _mm256_movemask_epi8(c) != 0 {
        let wide = or(
            and(is(c, 0xef), or(is(n, 0xbc), is(n, 0xbd))),
            or(and(is(c, 0xe3), and(is(n, 0x80), is(n2, 0x82))), and(is(c, 0xe2), and(is(n, 0x80), is(n2, 0xa4)))),
        );
        hit = or(hit, wide);
    }
    _mm256_movemask_epi8(hit) as u32
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn units_avx2(text: &[u8], look: impl FnMut(usize) -> bool) -> bool {
    units_in_blocks(text, look)
}

#[inline(always)]
fn octets_in_blocks(text: &[u8], mut look: impl FnMut(usize) -> bool) -> bool {
    let mut at = 0;
    let mut rest = text;
    while let Some(window) = rest.first_chunk::<WINDOW>() {
        if marked(octet_mask(window), at, &mut look) {
            return true;
        }
        at += BLOCK;
        rest = rest.get(BLOCK..).unwrap_or_default();
    }
    // The last block, with nothing behind it: at most two rounds, since a window is longer than a block.
    while !rest.is_empty() {
        let mut window = [0; WINDOW];
        window.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        if marked(octet_mask(&window), at, &mut look) {
            return true;
        }
        at += BLOCK;
        rest = rest.get(BLOCK..).unwrap_or_default();
    }
    false
}

#[inline(always)]
fn units_in_blocks(text: &[u8], mut look: impl FnMut(usize) -> bool) -> bool {
    let mut at = 0;
    let mut rest = text;
    while rest.len() >= 2 {
        let mut window = [0_u16; WINDOW];
        let pairs = rest.as_chunks::<2>().0;
        match pairs.first_chunk::<WINDOW>() {
            Some(pairs) => window.iter_mut().zip(pairs).for_each(|(to, pair)| *to = u16::from_be_bytes(*pair)),
            None => window.iter_mut().zip(pairs).for_each(|(to, pair)| *to = u16::from_be_bytes(*pair)),
        }
        if marked(unit_mask(&window), at, &mut look) {
            return true;
        }
        at += BLOCK;
        rest = rest.get(2 * BLOCK..).unwrap_or_default();
    }
    false
}

#[inline(always)]
fn marked(mut mask: u32, at: usize, look: &mut impl FnMut(usize) -> bool) -> bool {
    while mask != 0 {
        if look(at + mask.trailing_zeros() as usize) {
            return true;
        }
        mask &= mask - 1;
    }
    false
}

/// One bit for each octet where [`octet`] says yes.
#[inline(always)]
fn octet_mask(window: &[u8; WINDOW]) -> u32 {
    let [_, next @ ..] = window;
    let [_, _, next2 @ ..] = window;
    let mut hit = [0_u8; BLOCK];
    for (((hit, &c), &n), &n2) in hit.iter_mut().zip(window).zip(next).zip(next2) {
        *hit = u8::from(octet(c, n, n2));
    }
    bits(&hit)
}

#[inline(always)]
fn unit_mask(window: &[u16; WINDOW]) -> u32 {
    let [_, next @ ..] = window;
    let [_, _, next2 @ ..] = window;
    let mut hit = [0_u8; BLOCK];
    for (((hit, &c), &n), &n2) in hit.iter_mut().zip(window).zip(next).zip(next2) {
        *hit = u8::from(unit(c, n, n2));
    }
    bits(&hit)
}

/// Eight octets of 0 or 1 make eight bits by one multiplication.
#[inline(always)]
fn bits(hit: &[u8; BLOCK]) -> u32 {
    hit.as_chunks::<8>().0.iter().rev().fold(0, |mask, eight| {
        let bits = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask << 8 | bits as u32
    })
}

/// Whether a link may hang on the octet `c`, with the two behind it: a dot but before punctuation that no host goes on
/// behind, a colon but before a blank, a comma before a letter, `dot` or `d0t`, `%3` or `%2`, the first octet of a wide
/// dot or colon in UTF-8, the end of a line before `@` (0 in the default alphabet). The same for septets: their letters
/// beyond ASCII lie elsewhere.
#[inline(always)]
fn octet(c: u8, n: u8, n2: u8) -> bool {
    let letter = (n | 0x20).wrapping_sub(b'a') < 26;
    let quiet = matches!(n, b'!'..=b'(' | b'*'..=b',' | b'.' | b'/' | b':'..=b'=' | b'?');
    ((c == b'.') & !quiet)
        | ((c == b':') & !matches!(n, b' ' | b'\n' | b'\r'))
        | (matches!(c, b'\n' | b'\r') & ((n == b'@') | (n == 0)))
        | ((c == b',') & (letter | (n >= 0x80)))
        | ((c | 0x20 == b'd') & ((n | 0x20 == b'o') | (n == b'0')) & (n2 | 0x20 == b't'))
        | ((c == b'%') & ((n == b'3') | (n == b'2')))
        | ((c == 0xef) & ((n == 0xbc) | (n == 0xbd)))
        | ((c == 0xe3) & (n == 0x80) & (n2 == 0x82))
        | ((c == 0xe2) & (n == 0x80) & (n2 == 0xa4))
}

/// As [`octet`] for a code unit.
#[inline(always)]
fn unit(c: u16, n: u16, n2: u16) -> bool {
    let letter = (n | 0x20).wrapping_sub(0x61) < 26;
    (c == 0x2e)
        | (c == 0x3a)
        | (((c == 0x0a) | (c == 0x0d)) & (n == 0x40))
        | ((c == 0x2c) & (letter | (n >= 0x80)))
        | ((c | 0x20 == 0x64) & ((n | 0x20 == 0x6f) | (n == 0x30)) & (n2 | 0x20 == 0x74))
        | ((c == 0x25) & ((n == 0x33) | (n == 0x32)))
        | (c == 0xff0e)
        | (c == 0xff61)
        | (c == 0xff1a)
        | (c == 0x3002)
        | (c == 0x2024)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(text: &[u8]) -> Vec<usize> {
        let at = |i: usize| text.get(i).copied().unwrap_or(0);
        (0..text.len()).filter(|&i| octet(at(i), at(i + 1), at(i + 2))).collect()
    }

    proptest! {
        #[test]
        fn every_width_marks_what_the_naive_pass_marks(text in "[ a.,:;/!(?)=*\n@\0dDoO0tT%23\u{3002}\u{ff0e}é\u{2024}]{0,120}") {
            for width in [Width::Baseline, Width::detect()] {
                let mut marks = Vec::new();
                octets(width, text.as_bytes(), |at| { marks.push(at); false });
                prop_assert_eq!(&marks, &naive(text.as_bytes()));
                let wide: Vec<u16> = text.encode_utf16().collect();
                let octets: Vec<u8> = wide.iter().flat_map(|unit| unit.to_be_bytes()).collect();
                let mut marks = Vec::new();
                units(width, &octets, |at| { marks.push(at); false });
                let at = |i: usize| wide.get(i).copied().unwrap_or(0);
                let expect: Vec<usize> = (0..wide.len()).filter(|&i| unit(at(i), at(i + 1), at(i + 2))).collect();
                prop_assert_eq!(marks, expect);
            }
        }
    }
}
