//! Texts that imitate a label: `[SAFE]`, `Verified link: …`, `✔ checked`, in any spelling, language and script that reads alike.
//!
//! A word in a sentence is no imitation. It has to stand where a label would:
//! - at the head of the text or of a line: a phrase (`verified link`), or a word with `:` or a check mark behind it (`Safe: …`);
//! - in brackets, which hold a word and nothing else, or a phrase with anything around it;
//! - behind a check mark;
//! - next to a link, as the whole clause before it or behind it.
//!
//! Nearly every message is dismissed by the two letters at the head of each line, and by having no bracket.

use super::facts::LinkFacts;
use super::skeleton::{Skeleton, fold};
use core::ops::Range;

/// Rounds of neutralising: each blanks at least one character of a text of at most 160.
const ROUNDS: usize = 160;
/// How far a bracket or a clause reaches, in characters.
const REACH: usize = 40;

#[derive(Clone, Debug)]
struct Likeness {
    skeleton: Box<[char]>,
    /// More than one word: speaks for itself at the head of a line.
    phrase: bool,
}

/// The words of our labels, by what they look like.
#[derive(Clone, Debug)]
pub(super) struct Imitation {
    likenesses: Vec<Likeness>,
    /// For a first letter (a–z), the second letters that go on.
    second: [u32; 26],
}

impl Imitation {
    pub(super) fn new(words: &[&str]) -> Self {
        let mut likenesses: Vec<_> = words
            .iter()
            .map(|text| Likeness {
                skeleton: Skeleton::of(text).chars().into(),
                phrase: text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count() > 1,
            })
            .filter(|likeness| likeness.skeleton.len() >= 2)
            .collect();
        // Longest first: what is blanked is the whole phrase.
        likenesses.sort_by(|a, b| b.skeleton.len().cmp(&a.skeleton.len()).then_with(|| a.skeleton.cmp(&b.skeleton)));
        likenesses.dedup_by(|a, b| a.skeleton == b.skeleton);
        let mut second = [0; 26];
        for likeness in &likenesses {
            if let [first, next, ..] = *likeness.skeleton
                && let (Some(slot), Some(bit)) = (index(first).and_then(|n| second.get_mut(n)), index(next))
            {
                *slot |= 1 << bit;
            }
        }
        Self { likenesses, second }
    }

    /// Whether a text without links holds an imitation.
    pub(super) fn possible(&self, text: &str) -> bool {
        self.find(&View { text, base: 0, spots: &[] }, core::iter::empty()).is_some()
    }

    /// Whether the two first letters go on to one of our words.
    fn starts(&self, text: &str) -> bool {
        let mut letters = text.chars().filter_map(fold);
        match (letters.next(), letters.next()) {
            (Some(first), Some(next)) => match (index(first), index(next)) {
                (Some(first), Some(next)) => self.second.get(first).is_some_and(|bits| bits >> next & 1 == 1),
                _ => first as u32 >= 0x80,
            },
            _ => false,
        }
    }

    /// Adds to `spots` the offsets (from the head of `text`, plus `base`) of all that must become a space.
    pub(super) fn neutralise<'l>(
        &self,
        text: &str,
        base: usize,
        links: impl Iterator<Item = &'l LinkFacts<'l>> + Clone,
        spots: &mut Vec<usize>,
    ) {
        for _ in 0..ROUNDS {
            let view = View { text, base, spots };
            let Some(range) = self.find(&view, links.clone()) else { return };
            for (at, _) in text.char_indices().filter(|(at, _)| range.contains(at)) {
                if blankable(&View { text, base, spots }, at, links.clone())
                    && let Err(place) = spots.binary_search(&(base + at))
                {
                    spots.insert(place, base + at);
                }
            }
        }
    }

    fn find<'l>(&self, view: &View<'_>, links: impl Iterator<Item = &'l LinkFacts<'l>> + Clone) -> Option<Range<usize>> {
        // A range with nothing left to blank (all of it is a link, `safe.link`) is no imitation.
        let open = |range: &Range<usize>| {
            view.chars_from(range.start).any(|(at, _)| range.contains(&at) && blankable(view, at, links.clone()))
        };
        let found =
            if view.spots.is_empty() && view.text.is_ascii() { self.in_ascii(view, open) } else { self.in_any(view, open) };
        if found.is_some() {
            return found;
        }
        links.clone().filter(|link| link.in_this_part).find_map(|link| {
            let (start, end) = (link.start.checked_sub(view.base)?, link.end.checked_sub(view.base)?);
            self.before_link(view, start).filter(open).or_else(|| self.behind_link(view, end).filter(open))
        })
    }

    /// In ASCII heads of lines and brackets are found many bytes at a time, and most heads are dismissed by their two first letters.
    fn in_ascii(&self, view: &View<'_>, open: impl Fn(&Range<usize>) -> bool) -> Option<Range<usize>> {
        let bytes = view.text.as_bytes();
        let mut brackets = memchr::memchr3_iter(b'[', b'(', b'<', bytes).chain(memchr::memchr2_iter(b'{', b'*', bytes));
        // Brackets first: what is in them is blanked with them.
        brackets.find_map(|at| self.in_brackets(view, at, '[').filter(&open)).or_else(|| {
            let breaks = memchr::memchr2_iter(b'\n', b'\r', bytes).map(|at| at + 1);
            core::iter::once(0).chain(breaks).find_map(|at| {
                let line = view.text.get(at..).filter(|line| self.starts(line))?;
                let lead = line.find(|c: char| fold(c).is_some())?;
                self.at_head(view, at + lead).filter(&open)
            })
        })
    }

    fn in_any(&self, view: &View<'_>, open: impl Fn(&Range<usize>) -> bool) -> Option<Range<usize>> {
        let mut line_head = true;
        view.chars_from(0).find_map(|(at, c)| {
            let found = if line_head && fold(c).is_some() {
                line_head = false;
                self.at_head(view, at)
            } else if is_open(c) {
                self.in_brackets(view, at, c)
            } else if is_check(c) {
                self.behind_mark(view, at, at + c.len_utf8())
            } else {
                line_head |= matches!(c, '\n' | '\r');
                None
            };
            found.filter(&open)
        })
    }

    /// A phrase at the head of a line, or a word with `:` or a check mark behind it.
    fn at_head(&self, view: &View<'_>, at: usize) -> Option<Range<usize>> {
        let (end, phrase) = self.likeness_at(view, at)?;
        let mut next = view.chars_from(end).map(|(_, c)| c).skip_while(|c| c.is_whitespace());
        let label = phrase
            || match next.next() {
                // `safe :)` is a smile.
                Some(':' | '：') => {
                    !next.next().is_some_and(|c| matches!(c, ')' | '(' | '-' | '*' | '/' | 'D' | 'P' | 'p' | 'd' | ']' | '['))
                }
                Some(c) => c == '|' || is_check(c) || is_close(c),
                None => false,
            };
        label.then_some(at..end)
    }

    fn in_brackets(&self, view: &View<'_>, at: usize, open: char) -> Option<Range<usize>> {
        let from = at + open.len_utf8();
        let (close, c) = view.chars_from(from).take(REACH).find(|&(_, c)| is_close(c) || c == '\n')?;
        let inside = Skeleton::of_chars(view.chars_from(from).take_while(|&(at, _)| at < close));
        let like = self.likenesses.iter().any(|likeness| match likeness.phrase {
            true => {
                likeness.skeleton.len() >= 8
                    && inside.chars().windows(likeness.skeleton.len()).any(|part| part == &*likeness.skeleton)
            }
            false => inside.chars() == &*likeness.skeleton,
        });
        like.then(|| at..close + c.len_utf8())
    }

    fn behind_mark(&self, view: &View<'_>, at: usize, from: usize) -> Option<Range<usize>> {
        self.likeness_at(view, from).map(|(end, _)| at..end)
    }

    /// The clause that ends where a link starts: `… Verified: http://…`.
    fn before_link(&self, view: &View<'_>, link: usize) -> Option<Range<usize>> {
        let head = view.text.get(..link)?;
        let mut start = link;
        let mut words = false;
        for (at, raw) in head.char_indices().rev().take(REACH) {
            let c = view.seen(at, raw);
            // The clause's own end (`:`, `-`, `>`) stands between it and the link.
            if is_clause_end(c) && words {
                break;
            }
            words |= fold(c).is_some();
            start = at;
        }
        self.is_likeness(view, start..link)
    }

    /// The clause that starts where a link ends: `http://… - verified`.
    fn behind_link(&self, view: &View<'_>, link: usize) -> Option<Range<usize>> {
        let mut end = link;
        let mut words = false;
        for (at, c) in view.chars_from(link).take(REACH) {
            if is_clause_end(c) && words || c == '\n' {
                break;
            }
            words |= fold(c).is_some();
            end = at + c.len_utf8();
        }
        self.is_likeness(view, link..end)
    }

    fn is_likeness(&self, view: &View<'_>, range: Range<usize>) -> Option<Range<usize>> {
        if !view.text.get(range.start..).is_some_and(|clause| self.starts(clause)) && view.spots.is_empty() {
            return None;
        }
        let skeleton = Skeleton::of_chars(view.chars_from(range.start).take_while(|&(at, _)| at < range.end));
        self.likenesses.iter().any(|likeness| skeleton.chars() == &*likeness.skeleton).then_some(range)
    }

    /// The longest of our words that stands at `at` and ends where a word ends: its end, and whether it is a phrase.
    fn likeness_at(&self, view: &View<'_>, at: usize) -> Option<(usize, bool)> {
        let skeleton = Skeleton::of_chars(view.chars_from(at));
        let first = skeleton.chars().first()?;
        self.likenesses.iter().filter(|likeness| likeness.skeleton.first() == Some(first)).find_map(|likeness| {
            let end = skeleton.end_of(likeness.skeleton.len());
            let next = view.chars_from(end).next();
            let whole = next.is_none_or(|(_, c)| !c.is_alphanumeric());
            (whole && skeleton.chars().starts_with(&likeness.skeleton)).then_some((end, likeness.phrase))
        })
    }
}

/// A text in which some characters are already blanked.
struct View<'a> {
    text: &'a str,
    base: usize,
    spots: &'a [usize],
}

impl View<'_> {
    fn chars_from(&self, from: usize) -> impl Iterator<Item = (usize, char)> + '_ {
        self.text.get(from..).unwrap_or_default().char_indices().map(move |(at, c)| (from + at, self.seen(from + at, c)))
    }

    fn seen(&self, at: usize, c: char) -> char {
        if !self.spots.is_empty() && self.spots.binary_search(&(self.base + at)).is_ok() { ' ' } else { c }
    }
}

/// Whether the character at `at` may become a space: links keep their own, so that they are judged as they will be read.
fn blankable<'l>(view: &View<'_>, at: usize, mut links: impl Iterator<Item = &'l LinkFacts<'l>>) -> bool {
    let seen = view.chars_from(at).next().is_some_and(|(_, c)| c != ' ' && c != '\n');
    seen && !links.any(|link| link.in_this_part && (link.start..link.end).contains(&(view.base + at)))
}

fn index(c: char) -> Option<usize> {
    c.is_ascii_lowercase().then(|| usize::from(c as u8 - b'a'))
}

const fn is_open(c: char) -> bool {
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

const fn is_close(c: char) -> bool {
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

const fn is_check(c: char) -> bool {
    matches!(c, '✓' | '✔' | '☑' | '✅' | '🗹' | '🔒' | '🔐' | '🔏' | '🛡' | '🟢' | '🆗' | '☺' | '√' | '✪')
}

fn is_clause_end(c: char) -> bool {
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
    use crate::policy::words;

    fn neutralised(text: &str) -> String {
        let link = text.find("http").map(|start| {
            let end = text[start..].find(char::is_whitespace).map_or(text.len(), |len| start + len);
            LinkFacts {
                start,
                end,
                host: "x.example",
                registrable: "x.example",
                verdict: crate::verdict::Verdict::Unknown,
                reason: crate::verdict::Reason::NoEntry,
                category: "",
                confidence: crate::verdict::Confidence::High,
                in_this_part: true,
                crosses_parts: false,
            }
        });
        let imitation = Imitation::new(&words::likenesses().collect::<Vec<_>>());
        let mut spots = Vec::new();
        if link.is_some() || imitation.possible(text) {
            imitation.neutralise(text, 0, link.iter(), &mut spots);
        }
        text.char_indices().map(|(at, c)| if spots.contains(&at) { ' ' } else { c }).collect()
    }

    #[test]
    fn likenesses_of_a_label_are_blanked() {
        for (text, left) in [
            ("[SAFE] http://x.example", "       http://x.example"),
            ("[S A F E] hello", "          hello"),
            ("Hello [ѕаfе] friend", "Hello        friend"),
            ("Hello (5AFE) friend", "Hello        friend"),
            ("【安全】hi [Safe link] x", "【安全】hi             x"),
            ("Verified link: http://x.example", "             : http://x.example"),
            ("V.e.r.i.f.i.e.d  L1NK http://x.example", "                 http://x.example"),
            ("Good day\nVERIFIED LINK good(.)com:\nhttp://x.example", "Good day\n              good(.)com:\nhttp://x.example"),
            ("✔ checked http://x.example", "          http://x.example"),
            ("Your parcel ✅ Verified", "Your parcel           "),
            ("Safe: http://x.example", ": http://x.example"),
            ("Pay now. Verified link - http://x.example", "Pay now.                 http://x.example"),
            ("http://x.example (verified)", "http://x.example           "),
            ("http://x.example - safe link", "http://x.example            "),
            ("[GEPRÜFTER LINK] x", "                 x"),
            ("رابط موثوق: http://x.example", "         : http://x.example"),
            ("[SA[SAFE]FE] x", "             x"),
        ] {
            let found = neutralised(text);
            let squeeze = |s: &str| s.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(squeeze(&found), squeeze(left), "{text}");
            assert_eq!(found.chars().count(), text.chars().count(), "{text}");
            assert_eq!(neutralised(&found), found, "{text}");
        }
    }

    #[test]
    fn a_word_in_a_sentence_is_no_imitation() {
        for text in [
            "Drive safe, see you soon",
            "Safe journey!",
            "Are you safe?",
            "Your account is verified. Thank you",
            "Use this secure link http://x.example",
            "I checked (twice) and it is ok",
            "Safely home now",
            "Ok :) see you at 8",
            "Safe :) home now",
            "It is safe. http://x.example/very/safe",
            "Sicher, ich komme",
            "Please click the verified link to go on: http://x.example",
        ] {
            assert_eq!(neutralised(text), text);
        }
    }
}
