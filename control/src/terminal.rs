//! What strangers wrote, made fit for a terminal; and whether this terminal shows colours.
//!
//! A text message may hold escape sequences that move the cursor or set the window's title, marks that turn the direction of writing,
//! and characters that nobody sees. None of them reaches a terminal as it is: [`shown`] puts a visible mark in the place of each.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::IsTerminal;

/// `text` with a mark in place of every character that is not seen as itself: `⟨ESC⟩`, `⟨U+202E⟩`. A line break becomes `⏎`.
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push_shown(&mut out, c);
    }
    Cow::Owned(out)
}

/// As [`shown`], cut to `columns` columns with `…` at the end.
pub fn fitted(text: &str, columns: usize) -> String {
    let shown = shown(text);
    if width(&shown) <= columns {
        return shown.into_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in shown.chars() {
        used += columns_of(c);
        if used >= columns {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// `text`, as [`shown`], in lines of at most `columns` columns, broken at spaces where there are any; at most `lines` of them.
pub fn wrapped(text: &str, columns: usize, lines: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    let text = shown(text);
    for word in text.split_inclusive(' ') {
        if used + width(word.trim_end()) > columns && used > 0 {
            out.push(std::mem::take(&mut line));
            used = 0;
        }
        for c in word.chars() {
            if used + columns_of(c) > columns && c != ' ' {
                out.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += columns_of(c);
        }
    }
    out.push(line);
    for line in &mut out {
        line.truncate(line.trim_end().len());
    }
    if out.len() > lines {
        out.truncate(lines);
        if let Some(last) = out.last_mut() {
            *last = fitted(&format!("{last}…"), columns);
            if !last.ends_with('…') {
                last.push('…');
            }
        }
    }
    out
}

/// Columns that `text` takes: East Asian wide characters and emoji two, combining marks none. An estimate, as terminals differ.
pub fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

fn push_shown(out: &mut String, c: char) {
    match c {
        '\n' => out.push('⏎'),
        '\r' => out.push('␍'),
        '\t' => out.push('␉'),
        '\u{1b}' => out.push_str("⟨ESC⟩"),
        '\0' => out.push_str("⟨NUL⟩"),
        c if is_hidden(c) => {
            // Writing to a String cannot fail.
            let _ = write!(out, "⟨U+{:04X}⟩", u32::from(c));
        }
        c => out.push(c),
    }
}

/// Whether a terminal would not show this character as itself: controls, marks of direction, invisible and format characters, private
/// use, variation selectors, tags, surrogates' stand-ins, spaces other than the space.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xa0 | 0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x1680 | 0x17b4 | 0x17b5 | 0x180b..=0x180f
            | 0x2000..=0x200f | 0x2028..=0x202f | 0x205f..=0x206f | 0x3000 | 0x3164 | 0xffa0
            | 0xd800..=0xf8ff | 0xfe00..=0xfe0f | 0xfeff | 0xfff0..=0xfffb | 0xfffe | 0xffff
            | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe_0000..=0x10_ffff)
}

fn columns_of(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f | 0x483..=0x489 | 0x591..=0x5bd | 0x610..=0x61a | 0x64b..=0x65f | 0x93c | 0x94d | 0x20d0..=0x20ff => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Whether colours are wanted on a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set or the terminal is `dumb`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Colour {
    /// Whether `stream` gets colours.
    pub fn on(self, stream: &impl IsTerminal) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let said_no = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
                stream.is_terminal() && !said_no && !dumb
            }
        }
    }
}

/// Puts on colours, or does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paint(pub bool);

impl Paint {
    /// Dangerous.
    pub fn red(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// Unknown.
    pub fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// Safe.
    pub fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// Headings.
    pub fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What matters less.
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_an_attacker_wrote_is_shown_as_marks() {
        assert_eq!(shown("\x1b]0;owned\x07\x1b[2J"), "⟨ESC⟩]0;owned⟨U+0007⟩⟨ESC⟩[2J");
        assert_eq!(shown("pay\u{202e}moc.knab"), "pay⟨U+202E⟩moc.knab");
        assert_eq!(shown("a\nb\r\tc"), "a⏎b␍␉c");
        assert_eq!(shown("\u{9b}31m \u{e0041}\u{feff}\u{200b}"), "⟨U+009B⟩31m ⟨U+E0041⟩⟨U+FEFF⟩⟨U+200B⟩");
        assert!(matches!(shown("Grüße, 你好 €"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_long_text_is_cut_and_wrapped_within_its_columns() {
        assert_eq!(fitted("abcdef", 4), "abc…");
        assert_eq!(fitted("你好你好", 5), "你好…");
        assert_eq!(wrapped("one two three four", 9, 9), ["one two", "three", "four"]);
        assert_eq!(wrapped("abcdefghij", 4, 2), ["abcd", "efg…"]);
        assert_eq!(wrapped("", 4, 2), [""]);
    }

    proptest! {
        #[test]
        fn nothing_that_moves_a_cursor_comes_through(text in "\\PC*|[\\x00-\\x20\\x7f-\\x9f\u{202a}-\u{202e}a-z]*", columns in 2..40usize) {
            prop_assert!(!shown(&text).chars().any(is_hidden));
            prop_assert!(width(&fitted(&text, columns)) <= columns);
            for line in wrapped(&text, columns, 3) {
                prop_assert!(width(&line) <= columns, "{line:?}");
            }
        }
    }
}
