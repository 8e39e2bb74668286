//! What a character is to a linker, and to the browser behind it.
//!
//! Source: AOSP `android.util.Patterns` (`UCS_CHAR`, `LABEL_CHAR`, `PATH_AND_QUERY`, `USER_INFO`): labels hold
//! ASCII letters and digits and everything from U+00A0 on but blanks, private use and the specials. UTS 46 says
//! which of them the browser maps to a dot or drops.

/// Dots that UTS 46 maps to `.`, and the one dot leader, which NFKC does.
pub(super) fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{2024}')
}

/// Slashes: a browser takes `\` for `/`; a reader takes U+FF0F for one.
pub(super) fn is_slash(c: char) -> bool {
    matches!(c, '/' | '\\' | '\u{ff0f}')
}

/// A character beyond ASCII that Android takes into a host or a path.
pub(super) fn is_ucs(c: char) -> bool {
    c > '\u{a0}'
        && !matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{ffff}' | '\u{ff0f}' | '\u{ff1a}')
        && !c.is_whitespace()
}

/// A character of a host's label.
pub(super) fn is_label(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || (is_ucs(c) && !is_dot(c))
}

/// A character of a host: of a label, or a dot.
pub(super) fn is_host(c: char) -> bool {
    is_label(c) || is_dot(c)
}

/// Ends any link: blanks, controls, quotes and angle brackets.
pub(super) fn is_stop(c: char) -> bool {
    c <= ' ' || c == '\u{7f}' || matches!(c, '"' | '<' | '>' | '`') || ('\u{80}'..='\u{a0}').contains(&c) || c.is_whitespace()
}

/// A character of Android's path and query; `%` is one only as an escape.
pub(super) fn is_android_path(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        ';' | '/' | '?' | ':' | '@' | '&' | '=' | '#' | '~' | '-' | '.' | '+' | '!' | '*' | '\'' | '(' | ')' | ',' | '_'
        | '$' | '%' => true,
        _ => is_ucs(c),
    }
}

/// What IDNA drops or refuses and no eye sees: soft hyphen, joiners, marks of direction.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// A character that a Latin host may hold: ASCII, accented letters, marks, what is not seen, and what NFKC makes
/// ASCII. Everything else next to a Latin host may be text glued to it.
pub(super) fn is_latin(c: char) -> bool {
    c.is_ascii()
        || is_dot(c)
        || is_invisible(c)
        || matches!(c, '\u{c0}'..='\u{24f}' | '\u{300}'..='\u{36f}' | '\u{1e00}'..='\u{1eff}' | '\u{2460}'..='\u{24ff}'
            | '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' | '\u{1d400}'..='\u{1d7ff}')
}

/// A character of a word, as ICU's `\b` has it: letters, decimal digits and `_`.
pub(super) fn is_word(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() || c == '_' } else { c.is_alphanumeric() && !is_number(c) }
}

/// A number that is no decimal digit (general category No): `²`, `½`, `①`. It stands between two words, though a browser may make a
/// digit of it.
pub(super) fn is_number(c: char) -> bool {
    let at = NUMBERS.partition_point(|&(_, last)| last < u32::from(c));
    !c.is_ascii() && NUMBERS.get(at).is_some_and(|&(first, _)| first <= u32::from(c))
}

/// Unicode 17, general category No: first and last of each range.
const NUMBERS: [(u32, u32); 72] = [
    (0xb2, 0xb3),
    (0xb9, 0xb9),
    (0xbc, 0xbe),
    (0x9f4, 0x9f9),
    (0xb72, 0xb77),
    (0xbf0, 0xbf2),
    (0xc78, 0xc7e),
    (0xd58, 0xd5e),
    (0xd70, 0xd78),
    (0xf2a, 0xf33),
    (0x1369, 0x137c),
    (0x17f0, 0x17f9),
    (0x19da, 0x19da),
    (0x2070, 0x2070),
    (0x2074, 0x2079),
    (0x2080, 0x2089),
    (0x2150, 0x215f),
    (0x2189, 0x2189),
    (0x2460, 0x249b),
    (0x24ea, 0x24ff),
    (0x2776, 0x2793),
    (0x2cfd, 0x2cfd),
    (0x3192, 0x3195),
    (0x3220, 0x3229),
    (0x3248, 0x324f),
    (0x3251, 0x325f),
    (0x3280, 0x3289),
    (0x32b1, 0x32bf),
    (0xa830, 0xa835),
    (0x10107, 0x10133),
    (0x10175, 0x10178),
    (0x1018a, 0x1018b),
    (0x102e1, 0x102fb),
    (0x10320, 0x10323),
    (0x10858, 0x1085f),
    (0x10879, 0x1087f),
    (0x108a7, 0x108af),
    (0x108fb, 0x108ff),
    (0x10916, 0x1091b),
    (0x109bc, 0x109bd),
    (0x109c0, 0x109cf),
    (0x109d2, 0x109ff),
    (0x10a40, 0x10a48),
    (0x10a7d, 0x10a7e),
    (0x10a9d, 0x10a9f),
    (0x10aeb, 0x10aef),
    (0x10b58, 0x10b5f),
    (0x10b78, 0x10b7f),
    (0x10ba9, 0x10baf),
    (0x10cfa, 0x10cff),
    (0x10e60, 0x10e7e),
    (0x10f1d, 0x10f26),
    (0x10f51, 0x10f54),
    (0x10fc5, 0x10fcb),
    (0x11052, 0x11065),
    (0x111e1, 0x111f4),
    (0x1173a, 0x1173b),
    (0x118ea, 0x118f2),
    (0x11c5a, 0x11c6c),
    (0x11fc0, 0x11fd4),
    (0x16b5b, 0x16b61),
    (0x16e80, 0x16e96),
    (0x1d2c0, 0x1d2d3),
    (0x1d2e0, 0x1d2f3),
    (0x1d360, 0x1d378),
    (0x1e8c7, 0x1e8cf),
    (0x1ec71, 0x1ecab),
    (0x1ecad, 0x1ecaf),
    (0x1ecb1, 0x1ecb4),
    (0x1ed01, 0x1ed2d),
    (0x1ed2f, 0x1ed3d),
    (0x1f100, 0x1f10c),
];

/// A letter that hangs on the one before it: `\b` looks through it. The standard library has no property for these, but escapes them.
pub(super) fn is_mark(c: char) -> bool {
    c >= '\u{300}' && c.is_alphabetic() && c.escape_debug().len() > 1
}

/// White space, as ICU's `\s` has it.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{b}' | '\u{85}')
}

/// Whether a text ends within a word, to ICU's `\b`: it looks through what is not seen and what hangs on another character.
pub(super) fn ends_in_word(text: &str) -> bool {
    let hangs = |c| is_invisible(c) || is_mark(c) || matches!(c, '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20f0}');
    text.chars().rev().find(|&c| !hangs(c)).is_some_and(is_word)
}

/// Text without its last characters that are of no word.
pub(super) fn trim_to_word(text: &str) -> &str {
    text.trim_end_matches(|c: char| !is_word(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_icu_takes_for_words() {
        for c in "aZ9_é中рｃ１\u{660}Ⅳⓐª𝟐\u{345}".chars() {
            assert!(is_word(c), "{c:?}");
        }
        for c in "²³¹½①⒈⑴⓪❶㉑🄀 .-。．€\u{301}\u{200b}".chars() {
            assert!(!is_word(c), "{c:?}");
        }
    }

    #[test]
    fn marks_are_told_from_the_letters_that_they_hang_on() {
        for c in "\u{345}\u{64b}\u{941}\u{e31}\u{5b0}".chars() {
            assert!(is_mark(c), "{c:?}");
        }
        for c in "aé中рｃ１Ⅳⓐª\u{93f}\u{e01}ا\u{1f130}".chars() {
            assert!(!is_mark(c), "{c:?}");
        }
    }
}
