//! Texts that imitate a label: `[SAFE]`, `Verified link: …`, `✔ checked`, in any spelling, language and script that reads alike.
//!
//! A word in a sentence is no imitation. It has to stand where a label would:
//! - at the head of the text or of a line: a phrase (`verified link`), or a word with `:` or a check mark behind it (`Safe: …`);
//! - in brackets, which hold a word and nothing else, or a phrase with anything around it;
//! - behind a check mark;
//! - next to a link, as the whole clause before it or behind it;
//! - anywhere in what an override turns round (`imitation/turned.rs`).
//!
//! Nearly every message is dismissed by the two letters at the head of each line, and by having no bracket.

mod turned;

use super::facts::LinkFacts;
use super::signs::{self, is_check, is_clause_end, is_close, is_open};
use super::skeleton::{Skeleton, fold};
use core::ops::Range;
use protocols::sms::Tables;

/// Rounds of neutralising: each blanks at least one character of a text of at most 160.
const ROUNDS: usize = 160;
/// How far a bracket or a clause reaches, in characters.
const REACH: usize = 40;
/// So far on from a place its first letters are looked for, in characters. Keeps the time linear.
const LOOK: usize = 512;
/// Fewest letters of a phrase that counts within brackets with other words around it.
const PHRASE: usize = 8;

#[derive(Clone, Debug)]
struct Likeness {
    skeleton: Box<[char]>,
    /// More than one word: speaks for itself at the head of a line.
    phrase: bool,
}

/// Pairs of neighbouring letters.
#[derive(Clone, Debug, Default)]
struct Pairs {
    /// For a first letter (a–z), the second letters that go with it.
    latin: [u32; 26],
    /// Those that are not both a–z.
    others: Vec<[char; 2]>,
}

impl Pairs {
    fn add(&mut self, pair: [char; 2]) {
        match pair.map(index) {
            [Some(first), Some(next)] => {
                if let Some(slot) = self.latin.get_mut(first) {
                    *slot |= 1 << next;
                }
            }
            _ => self.others.push(pair),
        }
    }

    fn has(&self, pair: [char; 2]) -> bool {
        match pair.map(index) {
            [Some(first), Some(next)] => self.latin.get(first).is_some_and(|bits| bits >> next & 1 == 1),
            _ => self.others.contains(&pair),
        }
    }
}

/// Sets of four letters, by a hash of 12 bits; what is not a–z counts as being there.
#[derive(Clone, Debug)]
struct Fours([u64; 64]);

impl Fours {
    fn place(four: &[char; 4]) -> Option<(usize, u32)> {
        let mut all = 0u32;
        for &letter in four {
            all = all << 5 | index(letter)? as u32;
        }
        let hash = all.wrapping_mul(0x9e37_79b1) >> 20;
        Some(((hash >> 6) as usize, hash & 63))
    }

    fn add(&mut self, four: &[char; 4]) {
        if let Some((word, bit)) = Self::place(four)
            && let Some(word) = self.0.get_mut(word)
        {
            *word |= 1 << bit;
        }
    }

    fn may_have(&self, four: &[char; 4]) -> bool {
        Self::place(four).is_none_or(|(word, bit)| self.0.get(word).is_some_and(|word| word >> bit & 1 == 1))
    }
}

fn index(c: char) -> Option<usize> {
    c.is_ascii_lowercase().then(|| usize::from(c as u8 - b'a'))
}

/// How words begin at one of their ends.
#[derive(Clone, Debug)]
struct Ends {
    /// The two letters there, the outermost first.
    pairs: Pairs,
    /// Those of words that have fewer than four letters.
    short: Pairs,
    /// The four letters of all others, where they are a–z.
    fours: Fours,
}

impl Ends {
    fn of(words: impl Iterator<Item = [Option<char>; 4]>) -> Self {
        let mut ends = Self { pairs: Pairs::default(), short: Pairs::default(), fours: Fours([0; 64]) };
        for word in words {
            let [Some(first), Some(next), third, fourth] = word else { continue };
            ends.pairs.add([first, next]);
            match third.zip(fourth) {
                Some((third, fourth)) => ends.fours.add(&[first, next, third, fourth]),
                None => ends.short.add([first, next]),
            }
        }
        ends
    }

    /// Whether letters may go on to one of the words: four of them tell nearly all others.
    #[inline]
    fn may_go_on(&self, text: impl Iterator<Item = char>) -> bool {
        let mut letters = text.filter_map(fold);
        let Some(pair) = letters.next().zip(letters.next()).map(|(first, next)| [first, next]) else { return false };
        self.pairs.has(pair) && self.go_on_with(pair, letters)
    }

    /// The same of the letters behind two that are such.
    #[inline(never)]
    fn go_on_with(&self, [first, next]: [char; 2], mut letters: impl Iterator<Item = char>) -> bool {
        let four = letters.next().zip(letters.next()).map(|(third, fourth)| [first, next, third, fourth]);
        four.is_some_and(|four| self.fours.may_have(&four)) || self.short.has([first, next])
    }
}

/// The words of our labels, by what they look like.
#[derive(Clone, Debug)]
pub(super) struct Imitation {
    /// By first letter, the longest first.
    likenesses: Vec<Likeness>,
    /// How they start.
    heads: Ends,
    /// How they end, from the last letter back.
    tails: Ends,
}

impl Imitation {
    pub(super) fn new(words: &[&str]) -> Self {
        let without_umlauts = words.iter().filter_map(|text| without_umlauts(text));
        let mut likenesses: Vec<_> = words
            .iter()
            .map(|text| (*text).to_owned())
            .chain(without_umlauts)
            .map(|text| Likeness {
                skeleton: Skeleton::of(&text).chars().into(),
                phrase: text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count() > 1,
            })
            .filter(|likeness| likeness.skeleton.len() >= 2)
            .collect();
        // Longest first: what is blanked is the whole phrase.
        let order = |likeness: &Likeness| (likeness.skeleton.first().copied(), core::cmp::Reverse(likeness.skeleton.len()));
        likenesses.sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.skeleton.cmp(&b.skeleton)));
        likenesses.dedup_by(|a, b| a.skeleton == b.skeleton);
        let four = |letters: &mut dyn Iterator<Item = char>| [(); 4].map(|()| letters.next());
        let heads = Ends::of(likenesses.iter().map(|likeness| four(&mut likeness.skeleton.iter().copied())));
        let tails = Ends::of(likenesses.iter().map(|likeness| four(&mut likeness.skeleton.iter().rev().copied())));
        Self { likenesses, heads, tails }
    }

    /// Whether a text without links holds an imitation.
    pub(super) fn possible(&self, text: &str) -> bool {
        self.possible_ascii(text.as_bytes()) && self.find(&View { text, base: 0, spots: &[] }, core::iter::empty()).is_some()
    }

    /// The same without looking twice: what has signs (being no ASCII is one) or a head like one of our words may be one.
    #[inline]
    pub(super) fn possible_ascii(&self, text: &[u8]) -> bool {
        // Without a sign only the head of the text may be one.
        signs::look(text) != 0 || self.starts_ascii(text)
    }

    /// Whether an ASCII text with links at these places may hold an imitation: no sign, no head like one of our words, and nothing like
    /// one next to a link.
    #[inline]
    pub(super) fn may_be_beside_links(&self, text: &[u8], links: &mut impl Iterator<Item = (usize, usize)>) -> bool {
        self.possible_ascii(text) || links.any(|(start, end)| self.is_near_ascii(text, start, end))
    }

    /// As [`Self::possible_ascii`] for septets of the default alphabet.
    pub(super) fn possible_septets(&self, septets: &[u8]) -> bool {
        let mut escaped = false;
        let letters = septets.iter().map_while(|&septet| {
            let letter = Tables::default().base(septet);
            escaped |= letter.is_none();
            letter
        });
        // An escape among the first letters makes another one of the septet behind it.
        signs::any_septets(septets) || self.starts_as(letters) || escaped
    }

    /// As [`Self::possible_ascii`] for UCS2, big endian.
    pub(super) fn possible_ucs2(&self, be16: &[u8]) -> bool {
        signs::any_ucs2(be16) || self.starts_as(signs::characters(be16))
    }

    /// Whether the first letters of an ASCII text go on to one of our words.
    #[inline]
    fn starts_ascii(&self, text: &[u8]) -> bool {
        self.starts_as(text.iter().map(|&octet| char::from(octet)))
    }

    /// Whether the first letters of a text go on to one of our words.
    #[inline]
    fn starts_as(&self, text: impl Iterator<Item = char>) -> bool {
        self.heads.may_go_on(text)
    }

    /// Whether the letters next to a link are such as our words end or start with.
    fn is_near_ascii(&self, text: &[u8], start: usize, end: usize) -> bool {
        let before = text.get(..start).unwrap_or_default().iter().rev().take(REACH).map(|&octet| char::from(octet));
        self.tails.may_go_on(before) || self.starts_ascii(text.get(end..).unwrap_or_default())
    }

    /// Whether the two first letters go on to one of our words.
    fn starts(&self, view: &View<'_>, from: usize) -> bool {
        two(view.chars_from(from).map(|(_, c)| c)).is_some_and(|pair| self.heads.pairs.has(pair))
    }

    /// The likenesses that may stand at the head of these letters.
    fn near(&self, letters: &[char]) -> &[Likeness] {
        let Some(&pair) = letters.first_chunk::<2>().filter(|pair| self.heads.pairs.has(**pair)) else { return &[] };
        let first = pair.first();
        let start = self.likenesses.partition_point(|likeness| likeness.skeleton.first() < first);
        let rest = self.likenesses.get(start..).unwrap_or_default();
        rest.get(..rest.partition_point(|likeness| likeness.skeleton.first() <= first)).unwrap_or_default()
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

    /// The first of our words in a form of the operator's own. Brackets count where they begin with it: `[UNVERIFIED LINK]` holds
    /// `verified link` and says something else.
    pub(super) fn in_form(&self, form: &str) -> Option<Range<usize>> {
        let view = View { text: form, base: 0, spots: &[] };
        let begins = |range: &Range<usize>| {
            let is_bracket = view.chars_from(range.start).next().is_some_and(|(_, c)| is_open(c));
            !is_bracket || first_letter(&view, range.start).is_some_and(|at| self.likeness_at(&view, at).is_some())
        };
        self.in_any(&view, begins).or_else(|| self.turned_round(&view, begins))
    }

    fn find<'l>(&self, view: &View<'_>, links: impl Iterator<Item = &'l LinkFacts<'l>> + Clone) -> Option<Range<usize>> {
        // A range with nothing left to blank (all of it is a link, `safe.link`) is no imitation.
        let open = |range: &Range<usize>| {
            view.chars_from(range.start).any(|(at, _)| range.contains(&at) && blankable(view, at, links.clone()))
        };
        let seen = signs::look(view.text.as_bytes());
        let is_ascii = view.spots.is_empty() && seen & signs::WIDE == 0;
        let found = if is_ascii {
            self.in_ascii(view, seen, open)
        } else {
            self.in_any(view, open).or_else(|| self.turned_round(view, open))
        };
        if found.is_some() {
            return found;
        }
        links.clone().filter(|link| link.in_this_part).find_map(|link| {
            let (start, end) = (link.start.checked_sub(view.base)?, link.end.checked_sub(view.base)?);
            if is_ascii && !self.is_near_ascii(view.text.as_bytes(), start, end) {
                return None;
            }
            self.before_link(view, start).filter(open).or_else(|| self.behind_link(view, end).filter(open))
        })
    }

    /// In ASCII heads of lines and brackets are found many bytes at a time, and most heads are dismissed by their two first letters.
    #[inline]
    fn in_ascii(&self, view: &View<'_>, seen: u8, open: impl Fn(&Range<usize>) -> bool) -> Option<Range<usize>> {
        let bytes = view.text.as_bytes();
        // Brackets first: what is in them is blanked with them.
        if seen & signs::BRACKET != 0 {
            let mut brackets = memchr::memchr3_iter(b'[', b'(', b'<', bytes).chain(memchr::memchr2_iter(b'{', b'*', bytes));
            if let Some(found) = brackets.find_map(|at| self.in_brackets(view, at, '[').filter(&open)) {
                return Some(found);
            }
        }
        let at_line = |at: usize| {
            let near = bytes.get(at..bytes.len().min(at + LOOK))?;
            let letter = self.starts_ascii(near).then(|| first_letter(view, at))??;
            self.at_head(view, letter).filter(&open)
        };
        at_line(0).or_else(|| {
            let lines = if seen & signs::BREAK == 0 { &[] } else { view.text.as_bytes() };
            memchr::memchr2_iter(b'\n', b'\r', lines).find_map(|at| at_line(at + 1))
        })
    }

    fn in_any(&self, view: &View<'_>, open: impl Fn(&Range<usize>) -> bool) -> Option<Range<usize>> {
        let at_line = |letter: usize| self.starts(view, letter).then(|| self.at_head(view, letter).filter(&open))?;
        let mut head = first_letter(view, 0);
        let mut from = 0;
        while let Some(at) = signs::next(view.text.as_bytes(), from) {
            if let Some(letter) = head.take_if(|letter| *letter < at)
                && let Some(found) = at_line(letter)
            {
                return Some(found);
            }
            let (_, c) = view.chars_from(at).next()?;
            from = at + 1;
            let found = if is_open(c) {
                self.in_brackets(view, at, c)
            } else if is_check(c) {
                self.behind_mark(view, at, at + c.len_utf8())
            } else {
                if matches!(c, '\n' | '\r') && head.is_none() {
                    head = first_letter(view, from);
                }
                None
            };
            if let Some(found) = found.filter(&open) {
                return Some(found);
            }
        }
        head.and_then(at_line)
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
        // A word fills the brackets, a phrase is of eight letters or more: few brackets hold so many, or start as a word does.
        if close - from < PHRASE && !self.starts(view, from) {
            return None;
        }
        let inside = Skeleton::of_chars(view.chars_from(from).take_while(|&(at, _)| at < close));
        let letters = inside.chars();
        let is_word = self.near(letters).iter().any(|likeness| !likeness.phrase && letters == &*likeness.skeleton);
        let has_phrase = |letters: &[char]| {
            let mut near = self.near(letters).iter().filter(|likeness| likeness.phrase && likeness.skeleton.len() >= PHRASE);
            near.any(|likeness| letters.starts_with(&likeness.skeleton))
        };
        let like = is_word || (0..letters.len()).any(|at| letters.get(at..).is_some_and(has_phrase));
        like.then(|| at..close + c.len_utf8())
    }

    fn behind_mark(&self, view: &View<'_>, at: usize, from: usize) -> Option<Range<usize>> {
        self.likeness_at(view, from).map(|(end, _)| at..end)
    }

    /// The clause that ends where a link starts: `… Verified: http://…`.
    fn before_link(&self, view: &View<'_>, link: usize) -> Option<Range<usize>> {
        let head = view.text.get(..link)?;
        // The clause ends as one of our words does.
        let tail = head.char_indices().rev().take(REACH).map(|(at, raw)| view.seen(at, raw));
        if !self.tails.may_go_on(tail) {
            return None;
        }
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
        if !self.starts(view, link) {
            return None;
        }
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
        if !self.starts(view, range.start) {
            return None;
        }
        let skeleton = Skeleton::of_chars(view.chars_from(range.start).take_while(|&(at, _)| at < range.end));
        let letters = skeleton.chars();
        self.near(letters).iter().any(|likeness| letters == &*likeness.skeleton).then_some(range)
    }

    /// The longest of our words that stands at `at` and ends where a word ends: its end, and whether it is a phrase.
    fn likeness_at(&self, view: &View<'_>, at: usize) -> Option<(usize, bool)> {
        // Four letters tell nearly all other words: the skeleton is made for the few that are left.
        let mut letters = letters(view.chars_from(at).map(|(_, c)| c));
        let head = [(); 4].map(|()| letters.next().unwrap_or_default());
        if !self.near(&head).iter().any(|likeness| likeness.skeleton.iter().zip(&head).all(|(a, b)| a == b)) {
            return None;
        }
        let skeleton = Skeleton::of_chars(view.chars_from(at));
        self.near(skeleton.chars()).iter().find_map(|likeness| {
            let end = skeleton.end_of(likeness.skeleton.len());
            let next = view.chars_from(end).next();
            let whole = next.is_none_or(|(_, c)| !c.is_alphanumeric());
            (whole && skeleton.chars().starts_with(&likeness.skeleton)).then_some((end, likeness.phrase))
        })
    }
}

/// German as it is written where there are no umlauts: `GEPRUEFT`. `None` where that is the same.
fn without_umlauts(text: &str) -> Option<String> {
    let pairs = [("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("Ä", "AE"), ("Ö", "OE"), ("Ü", "UE"), ("ß", "ss")];
    let written = pairs.iter().fold(text.to_owned(), |text, (umlaut, pair)| text.replace(umlaut, pair));
    (written != text).then_some(written)
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

/// The letters of what is near.
#[inline]
fn letters(chars: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    chars.take(LOOK).filter_map(fold)
}

/// The first two letters.
fn two(chars: impl Iterator<Item = char>) -> Option<[char; 2]> {
    let mut letters = letters(chars);
    Some([letters.next()?, letters.next()?])
}

/// Where the first letter from `from` on stands, if it is near.
fn first_letter(view: &View<'_>, from: usize) -> Option<usize> {
    view.chars_from(from).take(LOOK).find(|&(_, c)| fold(c).is_some()).map(|(at, _)| at)
}

/// Whether the character at `at` may become a space: links keep their own, so that they are judged as they will be read.
fn blankable<'l>(view: &View<'_>, at: usize, mut links: impl Iterator<Item = &'l LinkFacts<'l>>) -> bool {
    let seen = view.chars_from(at).next().is_some_and(|(_, c)| c != ' ' && c != '\n');
    seen && !links.any(|link| link.in_this_part && (link.start..link.end).contains(&(view.base + at)))
}

#[cfg(test)]
mod tests;
