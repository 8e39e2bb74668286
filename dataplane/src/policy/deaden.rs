//! Links made dead in place: every character that could make a handset link what is left becomes a space.
//!
//! A handset links three things: a scheme with `:` behind it, a dot between a name and a top-level domain (or four numbers), and `@` in
//! an address. So dots of every kind, `/`, `\`, `:`, `@` and `%` (which may hide one of them) go, in the link and in all that is glued
//! to it up to the next white space: what stood before the link may else link with what is left of it. The digits of a numeric host go
//! too, since `192 0 2 1` reads as a telephone number. Of a link that lies over two parts nothing stays in this one: the handset would
//! join the rest to what the other part holds.

use super::facts::LinkFacts;
use super::signs::{is_close, is_open};
use core::ops::Range;

/// What was walked for the links before: those of one token share it, and where they lie over one another they are read once. Keeps the
/// time linear.
#[derive(Default)]
pub(super) struct Walked {
    /// What was walked from white space to white space.
    token: Range<usize>,
    /// What was walked as the inside of links, by what goes there: brackets, digits too, everything.
    inside: [Range<usize>; 3],
}

/// Adds to `out` the offsets of the characters to blank for one link, in any order: see [`in_order`].
pub(super) fn spots(text: &str, link: &LinkFacts<'_>, from: usize, walked: &mut Walked, out: &mut Vec<usize>) {
    if !link.in_this_part {
        return;
    }
    if !(walked.token.start <= link.start && link.end <= walked.token.end) {
        let (Some(before), Some(behind)) = (text.get(..link.start), text.get(link.end..)) else { return };
        let start = before
            .rfind(char::is_whitespace)
            .map_or(0, |at| at + before.get(at..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8));
        let end = link.end + behind.find(char::is_whitespace).unwrap_or(behind.len());
        walk(text, start.max(from)..end, out, opens);
        walked.token = start..end;
    }
    let numeric =
        !link.host.is_empty() && (link.host.starts_with('[') || link.host.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    let [brackets, digits, all] = &mut walked.inside;
    let inside = link.start.max(from)..link.end;
    // What imitates a label may stand within the link: dead, it would be read as text.
    let sign = |c| is_open(c) || is_close(c);
    if link.crosses_parts {
        walk(text, new_in(all, inside), out, |_| true);
    } else if numeric {
        walk(text, new_in(digits, inside), out, |c| sign(c) || c.is_ascii_hexdigit());
    } else {
        walk(text, new_in(brackets, inside), out, sign);
    }
}

/// The offsets ascending, each once.
pub(super) fn in_order(out: &mut Vec<usize>) {
    out.sort_unstable();
    out.dedup();
}

fn walk(text: &str, range: Range<usize>, out: &mut Vec<usize>, goes: impl Fn(char) -> bool) {
    let start = range.start;
    for (at, c) in text.get(range).unwrap_or_default().char_indices() {
        if c != ' ' && goes(c) {
            if out.len() == out.capacity() {
                in_order(out);
            }
            out.push(start + at);
        }
    }
}

/// What of a range lies behind the one before it, if they meet; that one is then both.
fn new_in(before: &mut Range<usize>, range: Range<usize>) -> Range<usize> {
    if !(before.start..=before.end).contains(&range.start) {
        *before = range.clone();
        return range;
    }
    let new = before.end..range.end.max(before.end);
    before.end = new.end;
    new
}

/// Characters that a link is made of.
const fn opens(c: char) -> bool {
    matches!(c, '.' | '/' | ':' | '\\' | '@' | '%')
        // Dots that a browser or a resolver takes for one (UTS #46), and those that look it.
        || matches!(c, '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{2024}' | '\u{fe52}' | '\u{2027}' | '\u{30fb}' | '\u{b7}' | '\u{2022}')
        || matches!(c, '\u{ff0f}' | '\u{2044}' | '\u{2215}' | '\u{ff1a}' | '\u{a789}' | '\u{2236}' | '\u{ff20}' | '\u{ff05}' | '\u{ff3c}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Confidence, Reason, Verdict};

    fn deaden(text: &str, link: &str, host: &str, crosses_parts: bool) -> String {
        let start = text.find(link).unwrap();
        let facts = LinkFacts {
            start,
            end: start + link.len(),
            host,
            registrable: host,
            verdict: Verdict::Unknown,
            reason: Reason::NoEntry,
            category: "",
            confidence: Confidence::High,
            in_this_part: true,
            crosses_parts,
        };
        let mut out = Vec::new();
        spots(text, &facts, 0, &mut Walked::default(), &mut out);
        in_order(&mut out);
        text.char_indices().map(|(at, c)| if out.contains(&at) { ' ' } else { c }).collect()
    }

    #[test]
    fn nothing_that_opens_a_link_stays() {
        for (text, link, host, dead) in [
            ("go http://a.evil.com/x?y=b.c now", "http://a.evil.com/x?y=b.c", "a.evil.com", "go http   a evil com x?y=b c now"),
            ("pay.Now:evil.com,ok", "evil.com", "evil.com", "pay Now evil com,ok"),
            ("http://192.0.2.1/a1", "http://192.0.2.1/a1", "192.0.2.1", "http                "),
            ("http://me@evil%2ecom", "http://me@evil%2ecom", "evil.com", "http   me evil 2ecom"),
            ("evil。com и", "evil。com", "evil.com", "evil com и"),
            ("http://evil.com/x[SAFE]", "http://evil.com/x[SAFE]", "evil.com", "http   evil com x SAFE "),
            ("whatsapp://send?text=a.b", "whatsapp://send?text=a.b", "", "whatsapp   send?text=a b"),
        ] {
            assert_eq!(deaden(text, link, host, false).trim_end(), dead.trim_end(), "{text}");
        }
    }

    #[test]
    fn of_a_link_over_two_parts_nothing_stays_here() {
        assert_eq!(deaden("om/abc now", "om/abc", "evil.com", true), "       now");
    }

    #[test]
    fn many_links_in_one_token_are_read_once() {
        let time = |octets: usize| {
            let text = "http://1.2.3.4/a(b)c.d".repeat(octets / 22);
            // Each leads on to the end of the token, as targets in a target do.
            let links = (0..text.len() / 22).map(|n| LinkFacts {
                start: n * 22,
                end: text.len(),
                host: "1.2.3.4",
                registrable: "1.2.3.4",
                verdict: Verdict::Unknown,
                reason: Reason::NoEntry,
                category: "",
                confidence: Confidence::High,
                in_this_part: true,
                crosses_parts: false,
            });
            let (mut out, mut walked) = (Vec::new(), Walked::default());
            let start = std::time::Instant::now();
            links.for_each(|link| spots(&text, &link, 0, &mut walked, &mut out));
            in_order(&mut out);
            let passed = start.elapsed();
            let dead = |(_, c): &(usize, char)| opens(*c) || matches!(c, '(' | ')') || c.is_ascii_hexdigit();
            assert!(text.char_indices().filter(dead).map(|(at, _)| at).eq(out.iter().copied()));
            passed
        };
        // Four times would be quadratic, and took seconds before; small times are noise.
        let (half, whole) = (time(64_000), time(128_000));
        assert!(whole < half * 3 || whole.as_millis() < 200, "{half:?} for half, {whole:?} for all");
    }
}
