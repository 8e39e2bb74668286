//! The first look of the sieve: one pass over 32 octets at a time that marks where a link may hang.
//!
//! Two classes decide, that of an octet and that of the one behind it. On x86-64 with AVX2, chosen when the scanner is built, each class
//! is two shuffles by nibble; elsewhere plain loops over fixed blocks, which the compiler turns into vector code. UCS2 is narrowed to
//! octets first. The choice and the loads and stores are the only `unsafe` here. The oracle is [`octet`], asked octet by octet, in the tests.

/// How many octets a block has.
pub(super) const BLOCK: usize = 32;
/// Blocks of one pass.
const BLOCKS: usize = 8;
/// Octets of one pass.
pub(super) const PASS: usize = BLOCK * BLOCKS;
/// Code units of one pass.
pub(super) const UNITS: usize = 128;
/// Code units that are narrowed at once: a pass, and what a glance may want to see behind it.
pub(super) const NARROWED: usize = UNITS + BLOCK;
/// What stands for every code unit that is not ASCII.
pub(super) const OTHER: u8 = 0x7f;

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

/// What one pass saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// A bit for each octet of each block.
    pub(super) masks: [u32; BLOCKS],
    /// Whether there is a slash.
    pub(super) slash: bool,
    /// Whether an octet begins a character of three or more in UTF-8: dots and colons of other scripts are among them.
    pub(super) wide: bool,
}

impl Marks {
    /// The masks of the blocks that `text` has.
    #[inline(always)]
    pub(super) fn of(&self, text: &[u8]) -> &[u32] {
        self.masks.get(..text.len().div_ceil(BLOCK)).unwrap_or(&self.masks)
    }
}

/// Marks the first [`PASS`] octets of `text`.
#[inline]
pub(super) fn marks(width: Width, text: &[u8]) -> Marks {
    match width {
        Width::Baseline => marks_in_blocks(text),
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        // SAFETY: `Avx2` is only made by `detect`, on a machine that has it.
        Width::Avx2 => unsafe { marks_avx2(text) },
    }
}

/// UTF-16, big endian, as octets: ASCII stays, all else is [`OTHER`].
#[derive(Clone, Debug)]
pub(super) struct Narrow {
    octets: [u8; NARROWED],
    len: usize,
    /// The largest code unit.
    pub(super) largest: u16,
}

impl Narrow {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { octets: [0; NARROWED], len: 0, largest: 0 }
    }

    /// Narrows the first [`NARROWED`] code units; an odd last octet is ignored.
    #[inline]
    pub(super) fn fill(&mut self, width: Width, units: &[u8]) {
        let pairs = units.as_chunks::<2>().0;
        let pairs = pairs.get(..NARROWED).unwrap_or(pairs);
        (self.len, self.largest) = (pairs.len(), 0);
        match width {
            Width::Baseline => self.units(pairs),
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            // SAFETY: as above.
            Width::Avx2 => unsafe { self.units_avx2(pairs) },
        }
    }

    #[inline]
    pub(super) fn octets(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }

    #[inline]
    fn units(&mut self, pairs: &[[u8; 2]]) {
        for (to, pair) in self.octets.iter_mut().zip(pairs) {
            let unit = u16::from_be_bytes(*pair);
            self.largest = self.largest.max(unit);
            *to = unit.min(OTHER.into()) as u8;
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn units_avx2(&mut self, pairs: &[[u8; 2]]) {
        let mut at = 0;
        let mut largest = 0;
        while let Some(block) = pairs.get(at..).and_then(|rest| rest.first_chunk::<BLOCK>()) {
            largest = largest.max(self.block_avx2(block, at));
            at += BLOCK;
        }
        // The rest overlaps what is done, where there is enough of that.
        match pairs.last_chunk::<BLOCK>() {
            Some(block) if at < pairs.len() => largest = largest.max(self.block_avx2(block, pairs.len() - BLOCK)),
            Some(_) => {}
            None => {
                let mut block = [[0; 2]; BLOCK];
                block.iter_mut().zip(pairs).for_each(|(to, pair)| *to = *pair);
                largest = self.block_avx2(&block, 0);
            }
        }
        self.largest = largest;
    }

    /// Narrows a block to its place; gives a code unit that is no smaller than its largest in the highest octet.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    #[inline]
    #[allow(unsafe_code)] // its loads and its store
    fn block_avx2(&mut self, block: &[[u8; 2]; BLOCK], at: usize) -> u16 {
        use core::arch::x86_64::*;
        let Some(to) = self.octets.get_mut(at..).and_then(|to| to.first_chunk_mut::<BLOCK>()) else { return u16::MAX };
        let (first, second) = block.split_at(BLOCK / 2);
        debug_assert!(first.len() == BLOCK / 2 && second.len() == BLOCK / 2);
        // SAFETY: each half of the block is 16 pairs: 32 octets. Unaligned.
        let (first, second) = unsafe { (_mm256_loadu_si256(first.as_ptr().cast()), _mm256_loadu_si256(second.as_ptr().cast())) };
        let turn = _mm256_broadcastsi128_si256(_mm_setr_epi8(1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
        let (first, second) = (_mm256_shuffle_epi8(first, turn), _mm256_shuffle_epi8(second, turn));
        let most = _mm256_set1_epi16(i16::from(OTHER as i8));
        let packed = _mm256_packus_epi16(_mm256_min_epu16(first, most), _mm256_min_epu16(second, most));
        // Packing works by halves: the middle two quarters change places.
        let packed = _mm256_permute4x64_epi64::<0b11_01_10_00>(packed);
        // SAFETY: `to` is 32 octets. Unaligned.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), packed) };
        let largest = _mm256_max_epu16(first, second);
        // Only whether there is one from U+2000 on is asked.
        let high = _mm256_cmpeq_epi16(_mm256_srli_epi16::<13>(largest), _mm256_setzero_si256());
        if _mm256_movemask_epi8(high) == -1 { 0x1fff } else { u16::MAX }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)] // its loads
fn marks_avx2(text: &[u8]) -> Marks {
    use core::arch::x86_64::*;
    let load = |octets: &[u8; BLOCK]| {
        // SAFETY: 32 octets, unaligned.
        unsafe { _mm256_loadu_si256(octets.as_ptr().cast()) }
    };
    let table = |table: &[u8; 16]| {
        // SAFETY: 16 octets, unaligned.
        unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast())) }
    };
    let (low, high) = (table(&HERE.0), table(&HERE.1));
    let (low_behind, high_behind) = (table(&BEHIND.0), table(&BEHIND.1));
    let (nibble, other, zero, slash) =
        (_mm256_set1_epi8(15), _mm256_set1_epi8(OTHER as i8), _mm256_setzero_si256(), _mm256_set1_epi8(b'/' as i8));
    let (mut slashes, mut highest) = (zero, zero);
    let mut pass = |c: __m256i, n: __m256i| {
        slashes = _mm256_or_si256(slashes, _mm256_cmpeq_epi8(c, slash));
        highest = _mm256_max_epu8(highest, c);
        // A shuffle gives 0 for an index from 0x80 on: what is not ASCII carries no mark of this pass.
        let here = _mm256_and_si256(
            _mm256_shuffle_epi8(low, c),
            _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16::<4>(c), nibble)),
        );
        let n = _mm256_min_epu8(n, other);
        let behind = _mm256_and_si256(
            _mm256_shuffle_epi8(low_behind, n),
            _mm256_shuffle_epi8(high_behind, _mm256_and_si256(_mm256_srli_epi16::<4>(n), nibble)),
        );
        !_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(here, behind), zero)) as u32
    };
    let mut marks = Marks::default();
    // Blocks with an octet behind them.
    let whole = text.len().saturating_sub(1) / BLOCK;
    for (block, mask) in marks.masks.iter_mut().take(whole).enumerate() {
        debug_assert!(block * BLOCK + BLOCK < text.len());
        // SAFETY: `block` is below `whole`, so that the 33 octets from `block * BLOCK` on lie in the text. Unaligned.
        let (c, n) = unsafe {
            let at = text.as_ptr().add(block * BLOCK);
            (_mm256_loadu_si256(at.cast()), _mm256_loadu_si256(at.add(1).cast()))
        };
        *mask = pass(c, n);
    }
    if let (Some(mask), Some(rest @ [_, ..])) = (marks.masks.get_mut(whole), text.get(whole * BLOCK..)) {
        // The last block overlaps the one before, where there is one. Behind the end stands a 0.
        let mut alone = [0; BLOCK];
        let (block, shift) = match text.last_chunk::<BLOCK>() {
            Some(block) => (block, BLOCK - rest.len()),
            None => {
                alone.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                (&alone, 0)
            }
        };
        let c = load(block);
        let n = _mm256_alignr_epi8::<1>(_mm256_permute2x128_si256::<0x81>(c, c), c);
        *mask = pass(c, n) >> shift;
    }
    marks.slash = _mm256_movemask_epi8(slashes) != 0;
    marks.wide = _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(highest, _mm256_set1_epi8(0xe0_u8 as i8)), highest)) != 0;
    marks
}

fn marks_in_blocks(text: &[u8]) -> Marks {
    let mut marks = Marks::default();
    let mut rest = text;
    for mask in &mut marks.masks {
        let mut window = [0; BLOCK + 1];
        match rest.first_chunk::<{ BLOCK + 1 }>() {
            Some(whole) => window = *whole,
            None => window.iter_mut().zip(rest).for_each(|(to, from)| *to = *from),
        }
        let [block @ .., _] = &window;
        let [_, behind @ ..] = &window;
        let mut hit = [0_u8; BLOCK];
        for ((hit, &c), &n) in hit.iter_mut().zip(block).zip(behind) {
            *hit = u8::from(octet(c, n));
        }
        *mask = bits(&hit);
        marks.slash |= block.iter().fold(false, |any, &c| any | (c == b'/'));
        marks.wide |= block.iter().fold(false, |any, &c| any | (c >= 0xe0));
        rest = rest.get(BLOCK..).unwrap_or_default();
        if rest.is_empty() {
            break;
        }
    }
    marks
}

/// Eight octets of 0 or 1 make eight bits by one multiplication.
#[inline(always)]
fn bits(hit: &[u8; BLOCK]) -> u32 {
    hit.as_chunks::<8>().0.iter().rev().fold(0, |mask, eight| {
        let bits = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask << 8 | bits as u32
    })
}

/// Whether a link may hang on the octet `c`, with the one behind it (0 behind the end): a dot but before punctuation that no host goes on
/// behind, a colon but before a blank, a comma before what may be a letter, `do` or `d0`, `%` before a digit, the end of a line before `@`
/// (0 in the default alphabet). Letters beyond ASCII lie elsewhere in septets than in UTF-8: whatever is no sign of both may be one.
#[inline(always)]
fn octet(c: u8, n: u8) -> bool {
    let n = if n > OTHER { OTHER } else { n };
    let digit = n.wrapping_sub(b'0') < 10;
    let quiet = (n.wrapping_sub(b'!') < 8)
        | (n.wrapping_sub(b'*') < 3)
        | (n == b'.')
        | (n == b'/')
        | (n.wrapping_sub(b':') < 4)
        | (n == b'?');
    ((c == b'.') & !quiet)
        | ((c == b':') & (n != b' '))
        | ((c == b',') & (n >= 0x40))
        | ((c | 0x20 == b'd') & ((n | 0x20 == b'o') | (n == b'0') | (n == b'?') | (n | 0x20 == b'`')))
        | ((c == b'%') & (digit | (n == b'>')))
        | (((c == b'\n') | (c == b'\r')) & ((n == b'@') | (n == 0)))
}

/// The classes as two tables by nibble, low and high: an octet is of each class that both name.
type Classes = ([u8; 16], [u8; 16]);

/// `.` is of the classes 0, 6 and 7, `:` of 1 and 4, `,` of 2, `d` of 3, `%` of 7, the end of a line of 5.
const HERE: Classes = classes([
    (0b1100_0001, 1 << 0xe, 1 << 2),
    (0b0001_0010, 1 << 0xa, 1 << 3),
    (0b0000_0100, 1 << 0xc, 1 << 2),
    (0b0000_1000, 1 << 4, 1 << 4 | 1 << 6),
    (0b1000_0000, 1 << 5 | 1 << 0xe, 1 << 2),
    (0b0010_0000, 1 << 0xa | 1 << 0xd, 1),
    (0, 0, 0),
    (0, 0, 0),
]);

/// What each class needs behind it.
const BEHIND: Classes = classes([
    (1 << 0, 0xffff, 0b1111_0011),
    (1 << 1, 0xffff, 0b1111_1011),
    (1 << 2, 0xffff, 0b1111_0000),
    (1 << 3, 1 << 0 | 1 << 0xf, 1 << 3 | 1 << 4 | 1 << 6),
    (1 << 4, 0xfffe, 1 << 2),
    (1 << 5, 1, 1 << 0 | 1 << 4),
    (1 << 6, 1 << 0 | 1 << 9 | 1 << 0xd, 1 << 2),
    (1 << 7, 0x3ff | 1 << 0xe, 1 << 3),
]);

/// Each row: classes, the low nibbles and the high nibbles that they have, as bits.
// Built when compiled: an index out of range would not compile.
#[allow(clippy::indexing_slicing)]
const fn classes(rows: [(u8, u16, u16); 8]) -> Classes {
    let mut tables = ([0; 16], [0; 16]);
    let mut i = 0;
    while i < 8 * 16 {
        let ((class, low, high), nibble) = (rows[i / 16], i % 16);
        if low >> nibble & 1 != 0 {
            tables.0[nibble] |= class;
        }
        if high >> nibble & 1 != 0 {
            tables.1[nibble] |= class;
        }
        i += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(text: &[u8]) -> Marks {
        let at = |i: usize| text.get(i).copied().unwrap_or(0);
        let mut marks = Marks::default();
        for i in (0..text.len().min(PASS)).filter(|&i| octet(at(i), at(i + 1))) {
            marks.masks[i / BLOCK] |= 1 << (i % BLOCK);
        }
        let seen = &text[..text.len().min(PASS)];
        marks.slash = seen.contains(&b'/');
        marks.wide = seen.iter().any(|&c| c >= 0xe0);
        marks
    }

    #[test]
    fn every_pair_of_octets_has_the_mark_that_its_classes_say() {
        for pair in 0..=u16::MAX {
            let text = pair.to_be_bytes();
            for width in [Width::Baseline, Width::detect()] {
                assert_eq!(marks(width, &text), naive(&text), "{text:02x?} {width:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_width_marks_what_the_naive_pass_marks(
            text in "[ a.,:;/!(?)=*\n@\0dDoO0tT%23\u{3002}\u{ff0e}é\u{2024}]{0,150}",
            octets in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            for text in [text.as_bytes(), &octets] {
                for width in [Width::Baseline, Width::detect()] {
                    prop_assert_eq!(marks(width, text), naive(text));
                }
            }
        }

        #[test]
        fn every_width_narrows_alike(units in prop::collection::vec(prop_oneof![any::<u16>(), 0..0x90_u16], 0..330), odd in any::<bool>()) {
            let mut octets: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            octets.extend(odd.then_some(7));
            let seen = &units[..units.len().min(NARROWED)];
            let expect: Vec<u8> = seen.iter().map(|&unit| if unit < 0x7f { unit as u8 } else { OTHER }).collect();
            for width in [Width::Baseline, Width::detect()] {
                let mut narrow = Narrow::new();
                narrow.fill(width, &octets);
                prop_assert_eq!(narrow.octets(), &expect);
                prop_assert_eq!(narrow.largest >= 0x2000, seen.iter().any(|&unit| unit >= 0x2000));
            }
        }
    }
}
