//! What a character is to a linker, and to the browser behind it.
//!
//! Source: AOSP `android.util.Patterns` (`UCS_CHAR`, `LABEL_CHAR`, `PATH_AND_QUERY`, `USER_INFO`): labels hold
//! ASCII letters and digits and everything from U+00A0 on but blanks, private use and the specials. UTS 46 says
//! which of them the browser maps to a dot or drops. Unicode's properties are those that IDNA brings along.

use icu_properties::props::{GeneralCategory, GraphemeExtend};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Dots that UTS 46 maps to `.`, and the one dot leader, which NFKC does.
pub(super) fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{2024}')
}

/// Slashes: a browser takes `\` for `/`; a reader takes U+FF0F for one.
pub(super) fn is_slash(c: char) -> bool {
    matches!(c, '/' | '\\' | '\u{ff0f}')
}

/// A tag, a selector and what is kept for more of them: of no host and no path to Android, and dropped by IDNA.
fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0000}'..='\u{e0fff}')
}

/// A character beyond ASCII that Android takes into a host or a path.
pub(super) fn is_ucs(c: char) -> bool {
    c > '\u{a0}'
        && !matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{ffff}' | '\u{ff0f}' | '\u{ff1a}' | '\u{f0000}'..)
        && !is_tag(c)
        && u32::from(c) & 0xfffe != 0xfffe
        && !c.is_whitespace()
}

/// A character of a host's label.
pub(super) fn is_label(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || (is_ucs(c) && !is_dot(c)) || is_tag(c)
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
        || is_invisible(c) && !is_tag(c)
        || matches!(c, '\u{c0}'..='\u{24f}' | '\u{300}'..='\u{36f}' | '\u{1e00}'..='\u{1eff}' | '\u{2460}'..='\u{24ff}'
            | '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' | '\u{1d400}'..='\u{1d7ff}')
            && (is_word(c) || is_number(c))
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

/// A character of a word, as ICU's `\w` and `\b` have it: letters, marks, decimal digits, connectors and the two joiners.
pub(super) fn is_word(c: char) -> bool {
    use GeneralCategory::{ConnectorPunctuation, DecimalNumber, EnclosingMark, NonspacingMark, SpacingMark};
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    let of_word = || matches!(category(c), NonspacingMark | SpacingMark | EnclosingMark | DecimalNumber | ConnectorPunctuation);
    c.is_alphabetic() || matches!(c, '\u{200c}' | '\u{200d}') || of_word()
}

/// A number that is no decimal digit (general category No): `²`, `½`, `①`. It stands between two words, though a browser may make a
/// digit of it.
pub(super) fn is_number(c: char) -> bool {
    !c.is_ascii() && category(c) == GeneralCategory::OtherNumber
}

/// A character that hangs on the one before it: ICU's `\b` is never before it and looks through it (`RegexMatcher::isWordBoundary`).
pub(super) fn hangs(c: char) -> bool {
    !c.is_ascii() && (CodePointSetData::new::<GraphemeExtend>().contains(c) || category(c) == GeneralCategory::Format)
}

/// A character that a word begins with: of one, and not hanging on what is before it.
pub(crate) fn begins_word(c: char) -> bool {
    is_word(c) && !hangs(c)
}

/// White space, as ICU's `\s` has it.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{b}' | '\u{85}')
}

/// Whether a text ends within a word, to ICU's `\b`.
pub(super) fn ends_in_word(text: &str) -> bool {
    text.chars().rev().find(|&c| !hangs(c)).is_some_and(is_word)
}

/// `\b|$`: whether a word begins or ends at `at`, or the text does.
pub(super) fn is_boundary(text: &str, at: usize) -> bool {
    let (before, behind) = text.split_at_checked(at).unwrap_or((text, ""));
    behind.chars().next().is_none_or(|c| !hangs(c) && ends_in_word(before) != is_word(c))
}

/// The last boundary from `end` back, behind `from`.
pub(super) fn last_boundary(text: &str, from: usize, end: usize) -> Option<usize> {
    let inside = text.get(from..end)?.char_indices().rev().map(|(at, _)| from + at).take_while(|&at| at > from);
    core::iter::once(end).chain(inside).find(|&at| is_boundary(text, at))
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
        for c in "aZ9_é中рｃ１\u{660}Ⅳⓐª𝟐\u{345}\u{301}\u{483}\u{488}\u{93f}＿\u{203f}\u{200d}".chars() {
            assert!(is_word(c), "{c:?}");
        }
        for c in "²³¹½①⒈⑴⓪❶㉑🄀 .-。．€×÷⒜\u{1d6c1}\u{200b}\u{2060}".chars() {
            assert!(!is_word(c), "{c:?}");
        }
    }

    #[test]
    fn what_hangs_is_told_from_what_it_hangs_on() {
        for c in "\u{345}\u{64b}\u{941}\u{e31}\u{5b0}\u{483}\u{20dd}\u{ad}\u{200b}\u{2060}\u{fe0f}\u{e0001}".chars() {
            assert!(hangs(c), "{c:?}");
        }
        for c in "aé中рｃ１Ⅳⓐª\u{93f}\u{e01}ا\u{1f130}＿".chars() {
            assert!(!hangs(c), "{c:?}");
        }
    }
}
