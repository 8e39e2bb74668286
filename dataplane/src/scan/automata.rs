//! The anchors: every place where a link may be, found by one pass of one automaton.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// What an anchor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// A dot, or what the browser takes for one.
    Dot,
    /// A colon, also in its full width or in brackets: a scheme may stand before it.
    Colon,
    /// A dot in brackets.
    Bracketed,
    /// A word for a dot.
    Word,
    /// A comma.
    Comma,
    /// `%3A%2F%2F`.
    Escaped,
}

/// Pattern and meaning. Sources: published defanging tools (`[.]`, `(.)`, `{.}`, `[dot]`, `(dot)`, `[:]`), real
/// smishing (`dot com`), UTS 46 for the dots. The longest begins first, so order settles only ties.
const PATTERNS: [(&str, Anchor); 22] = [
    (".", Anchor::Dot),
    ("\u{3002}", Anchor::Dot),
    ("\u{ff0e}", Anchor::Dot),
    ("\u{ff61}", Anchor::Dot),
    ("\u{2024}", Anchor::Dot),
    (":", Anchor::Colon),
    ("\u{ff1a}", Anchor::Colon),
    ("[:]", Anchor::Colon),
    ("[.]", Anchor::Bracketed),
    ("(.)", Anchor::Bracketed),
    ("{.}", Anchor::Bracketed),
    ("<.>", Anchor::Bracketed),
    ("[dot]", Anchor::Bracketed),
    ("(dot)", Anchor::Bracketed),
    ("{dot}", Anchor::Bracketed),
    ("[d0t]", Anchor::Bracketed),
    ("(d0t)", Anchor::Bracketed),
    (" dot ", Anchor::Word),
    (" d0t ", Anchor::Word),
    (",", Anchor::Comma),
    ("%3a%2f%2f", Anchor::Escaped),
    ("%253a%252f%252f", Anchor::Escaped),
];

#[derive(Clone, Debug)]
pub(super) struct Anchors {
    automaton: Option<AhoCorasick>,
}

impl Anchors {
    pub(super) fn new() -> Self {
        // The patterns are constant and few: building cannot fail, and a test says so.
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostFirst)
            .kind(Some(AhoCorasickKind::DFA))
            .build(PATTERNS.map(|(pattern, _)| pattern))
            .ok();
        Self { automaton }
    }

    /// Start, end and kind of each anchor of `text`.
    pub(super) fn of<'t>(&'t self, text: &'t str) -> impl Iterator<Item = (usize, usize, Anchor)> + 't {
        self.automaton.iter().flat_map(move |automaton| automaton.find_iter(text)).filter_map(|found| {
            let (_, anchor) = PATTERNS.get(found.pattern().as_usize())?;
            Some((found.start(), found.end(), *anchor))
        })
    }
}

#[test]
fn the_automaton_of_the_anchors_can_be_built() {
    assert!(Anchors::new().automaton.is_some());
}
