//! Signs that a label stands by: brackets, check marks, ends of lines and clauses; and one fast pass that tells whether a text has any.
//!
//! Nearly every message has none. The pass has no branch, so that the compiler makes vector code of it.

/// An end of line is in the text.
pub(super) const BREAK: u8 = 0x01;
/// An opening ASCII bracket is in the text.
pub(super) const BRACKET: u8 = 0x02;
/// A character beyond ASCII is in the text.
pub(super) const WIDE: u8 = 0x80;

/// What a text has, by its octets: [`BREAK`] (an end of line, perhaps), [`BRACKET`], [`WIDE`]. Nothing in most texts, and that is told
/// fastest.
#[inline]
pub(super) fn look(text: &[u8]) -> u8 {
    #[cfg(target_arch = "x86_64")]
    if text.len() >= WIDTH && std::arch::is_x86_feature_detected!("avx2") {
        #[allow(unsafe_code)]
        // SAFETY: the line above says that this machine has it.
        let (any, wide) = unsafe { any_avx2(text) };
        return if any { classes(text) } else { u8::from(wide) * WIDE };
    }
    classes(text)
}

/// Octets of an AVX2 register.
#[cfg(target_arch = "x86_64")]
const WIDTH: usize = 32;

/// Whether a text has a bracket or an end of line, and whether it leaves ASCII.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)] // its loads
fn any_avx2(text: &[u8]) -> (bool, bool) {
    use core::arch::x86_64::*;
    let load = |block: &[u8; WIDTH]| {
        // SAFETY: a block has the 32 octets that are read. Unaligned.
        unsafe { _mm256_loadu_si256(block.as_ptr().cast()) }
    };
    let (mut any, mut all) = (_mm256_setzero_si256(), _mm256_setzero_si256());
    let mut take = |octets: __m256i| {
        let masked = |mask: u8, value: u8| {
            _mm256_cmpeq_epi8(_mm256_and_si256(octets, _mm256_set1_epi8(mask as i8)), _mm256_set1_epi8(value as i8))
        };
        // `(`, `*` and LF differ in two bits only, `[` and `{` in one.
        let either = _mm256_or_si256(masked(0xdd, 0x08), masked(0xdf, 0x5b));
        let single = _mm256_or_si256(masked(0xff, b'<'), masked(0xff, b'\r'));
        any = _mm256_or_si256(any, _mm256_or_si256(either, single));
        all = _mm256_or_si256(all, octets);
    };
    let (blocks, rest) = text.as_chunks::<WIDTH>();
    blocks.iter().for_each(|block| take(load(block)));
    // What is left behind the blocks is looked at with some of the last block again: a set does not mind.
    if let (false, Some(last)) = (rest.is_empty(), text.last_chunk()) {
        take(load(last));
    }
    (_mm256_testz_si256(any, any) == 0, _mm256_movemask_epi8(all) != 0)
}

fn classes(text: &[u8]) -> u8 {
    let Some(last) = text.last_chunk() else { return text.iter().fold(0, |seen, &octet| seen | class(octet)) };
    // What is left behind the blocks is looked at with some of the last block again: a set does not mind.
    let mut seen = [0; LANES];
    for block in text.as_chunks::<LANES>().0.iter().chain(core::iter::once(last)) {
        for (seen, &octet) in seen.iter_mut().zip(block) {
            *seen |= class(octet);
        }
    }
    seen.iter().fold(0, |all, seen| all | seen)
}

/// Octets looked at together: a vector register.
const LANES: usize = 16;

const fn class(octet: u8) -> u8 {
    (octet & WIDE) | (is_break(octet) as u8 * BREAK) | (is_bracket(octet) as u8 * BRACKET)
}

/// Whether a text in septets of the default alphabet has an end of line or an opening bracket: what an escape makes one has the same septet.
pub(super) fn any_septets(septets: &[u8]) -> bool {
    septets.iter().fold(false, |any, septet| any | matches!(septet, b'\n' | b'\r' | b'(' | b'*' | b'<'))
}

/// Right-to-left override: what follows is shown turned round.
pub(super) const OVERRIDE: char = '\u{202e}';

/// Whether a text in UCS2, big endian, may have an end of line, an opening bracket, a check mark or an override.
pub(super) fn any_ucs2(be16: &[u8]) -> bool {
    // Without a branch, and as the octets lie: the upper one of a unit is the lower one of the number.
    let (mut any, mut wide) = (false, false);
    for unit in be16.as_chunks().0 {
        let unit = u16::from_le_bytes(*unit);
        any |= (unit & 0xf8ff == 0x0800)
            | (unit & 0xfdff == 0x2800)
            | (unit == 0x3c00)
            | (unit & 0xdfff == 0x5b00)
            | (unit == 0xab00);
        wide |= unit & 0xe0 != 0;
    }
    any || wide && characters(be16).any(|c| c >= '\u{2000}' && (is_open(c) || is_check(c) || c == OVERRIDE))
}

/// The characters of a text in UCS2, big endian.
pub(super) fn characters(be16: &[u8]) -> impl Iterator<Item = char> {
    let units = be16.as_chunks().0.iter().map(|unit| u16::from_be_bytes(*unit));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
}

/// The next octet from `from` on that is an end of line or the first of what may be an opening bracket or a check mark.
pub(super) fn next(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = text.get(at..)?;
        match rest.first_chunk::<LANES>() {
            Some(block) if !block.iter().fold(false, |seen, &octet| seen | may_be(octet)) => at += LANES,
            _ => return rest.iter().position(|&octet| may_be(octet)).map(|n| at + n),
        }
    }
}

const fn is_break(octet: u8) -> bool {
    octet & 0xf8 == 0x08
}

/// `(` `*` `<` `[` `{`.
const fn is_bracket(octet: u8) -> bool {
    (octet & 0xfd == 0x28) | (octet == 0x3c) | (octet & 0xdf == 0x5b)
}

/// Breaks, brackets, and the first octets of all that [`is_open`] and [`is_check`] name beyond ASCII: c2, e2, e3, ef, f0.
const fn may_be(octet: u8) -> bool {
    is_break(octet) | is_bracket(octet) | (octet == 0xc2) | (octet & 0xfe == 0xe2) | (octet.wrapping_add(1) & 0xfe == 0xf0)
}

pub(super) const fn is_open(c: char) -> bool {
    matches!(
        c,
        '[' | '('
            | '<'
            | '{'
            | '*'
            | '«'
            | '‹'
            | '【'
            | '〔'
            | '「'
            | '『'
            | '《'
            | '〈'
            | '［'
            | '（'
            | '｛'
            | '＜'
            | '❲'
            | '⟦'
            | '⟨'
    )
}

pub(super) const fn is_close(c: char) -> bool {
    matches!(
        c,
        ']' | ')'
            | '>'
            | '}'
            | '*'
            | '»'
            | '›'
            | '】'
            | '〕'
            | '」'
            | '』'
            | '》'
            | '〉'
            | '］'
            | '）'
            | '｝'
            | '＞'
            | '❳'
            | '⟧'
            | '⟩'
    )
}

pub(super) const fn is_check(c: char) -> bool {
    matches!(c, '✓' | '✔' | '☑' | '✅' | '🗹' | '🔒' | '🔐' | '🔏' | '🛡' | '🟢' | '🆗' | '☺' | '√' | '✪')
}

pub(super) fn is_clause_end(c: char) -> bool {
    matches!(
        c,
        '.' | '!'
            | '?'
            | ';'
            | ','
            | ':'
            | '\n'
            | '\r'
            | '|'
            | '-'
            | '–'
            | '—'
            | '>'
            | '→'
            | '。'
            | '！'
            | '？'
            | '：'
            | '،'
            | '।'
    ) || is_close(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sign_is_overlooked() {
        for c in '\0'..=char::MAX {
            let mut units = [0; 2];
            let be16: Vec<u8> =
                "ab".encode_utf16().chain(c.encode_utf16(&mut units).iter().copied()).flat_map(u16::to_be_bytes).collect();
            let sign = is_open(c) || is_check(c) || matches!(c, '\n' | '\r');
            assert!(any_ucs2(&be16) == (sign || c == OVERRIDE) || is_break(c as u8) && c < ' ', "{c:?}");
            let text = format!("{}{c}", "abcdefghijklmnopqrs");
            if is_open(c) || is_check(c) || matches!(c, '\n' | '\r') {
                assert_eq!(next(text.as_bytes(), 0), Some(19), "{c:?}");
                let long = format!("{text}{text}");
                let shown = |seen: u8| seen & if c.is_ascii() { BREAK | BRACKET } else { WIDE };
                assert_eq!(shown(look(long.as_bytes())), shown(classes(long.as_bytes())), "{c:?}");
            }
            let seen = look(text.as_bytes());
            assert_eq!(seen & WIDE != 0, !c.is_ascii(), "{c:?}");
            assert!(!c.is_ascii() || (seen & BRACKET != 0) == is_open(c), "{c:?}");
            assert!(!matches!(c, '\n' | '\r') || seen & BREAK != 0, "{c:?}");
        }
    }
}
