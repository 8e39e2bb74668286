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

/// A character of a word, as `\b` has it.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Text without its last characters that are of no word.
pub(super) fn trim_to_word(text: &str) -> &str {
    text.trim_end_matches(|c: char| !is_word(c))
}
