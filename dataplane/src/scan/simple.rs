//! Links of the usual form, recognised where the sieve left a mark: `https://host/path` and `host.tld/path` in ASCII, between blanks.
//!
//! What is not surely read by all handsets in the same one way is not of this form, and then the whole text is read with care instead.
//! So this is a short cut and no second opinion: a property test holds the two together.

use core::ops::ControlFlow::{Break, Continue};

use super::hosts::tappable_case;
use super::units::Utf8;
use super::{Form, Link, Scanner, sieve};
use crate::canonical::{self, Canonical, HostKind};
use crate::verdict::Confidence::{High, Low};
use crate::verdicts::is_app_package;

/// No name is longer; what is, is read with care, and nothing here takes longer for it.
const NAME: usize = 253;

/// More links than a text of one message holds: what has more is read with care.
const LINKS: usize = 8;

/// The links of a text that has none but simple ones.
#[derive(Debug, Default)]
pub(super) struct Simple {
    spans: [Span; LINKS],
    count: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: usize,
    host: usize,
    path: usize,
    end: usize,
    scheme: Scheme,
    /// The text is its own canonical form.
    plain: bool,
    /// There is a dot in the path: perhaps the name of a file.
    dotted: bool,
    /// Written as a sentence that begins without a blank: no handset links it.
    low: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Scheme {
    #[default]
    None,
    Http,
    Https,
}

impl Scanner {
    /// Whether every mark of `text` from `mark` on is of nothing or of a simple link; those are put into `found`.
    #[inline]
    pub(super) fn simple(&self, text: &str, mark: usize, found: &mut Simple) -> bool {
        let octets = text.as_bytes();
        if octets.first() == Some(&b'@') && sieve::bound(&Utf8(octets), 0) {
            return false;
        }
        let mut floor = 0;
        let all = self.marks(octets, mark, |at| {
            let link = match octets.get(at) {
                Some(b':') => with_scheme(octets, at),
                Some(b'.') => self.bare(octets, at, floor),
                _ => None,
            };
            match link {
                Some((span, resume)) => {
                    let Some(slot) = found.spans.get_mut(found.count) else { return Break(()) };
                    *slot = span;
                    found.count += 1;
                    floor = resume;
                    Continue(resume)
                }
                None if self.look(&Utf8(octets), at) => Break(()),
                None => Continue(at),
            }
        });
        all.is_continue()
    }

    /// A host without a scheme that has a dot at `dot` and begins at `floor` or behind.
    fn bare(&self, text: &[u8], dot: usize, floor: usize) -> Option<(Span, usize)> {
        let from = floor.max(dot.saturating_sub(NAME));
        let start = from + text.get(from..dot)?.iter().rposition(|&octet| class(octet) & HOST == 0).map_or(0, |at| at + 1);
        if start == from && from > 0 || start > from && !matches!(text.get(start - 1), Some(b' ' | b'\n' | b'\r')) {
            return None;
        }
        // A dot before the blank may be of the host too, to a reader.
        let before = text.get(..start)?.iter().rev().take(5).find(|octet| !octet.is_ascii_whitespace());
        if before.is_some_and(|&octet| octet == b'.' || !octet.is_ascii()) {
            return None;
        }
        let mut host = Host::read(text, start)?;
        if host.seen & STOP != 0 {
            // The dot of the sentence, if nothing behind it can be of the host to a reader: the sieve looks at the next word alone.
            host.end -= 1;
            if host.label == start || !sentence_begins(text.get(host.end + 1..)?) {
                return None;
            }
        }
        let label = text.get(host.label..host.end)?;
        if !self.tlds.letters(label) {
            return None;
        }
        let (end, seen, resume) = path(text, &host)?;
        // Android takes no TLD in capitals: there the host ends at one before, or a link begins in what is no path to it.
        let capital = host.seen & CAPITAL != 0 && label.iter().any(u8::is_ascii_uppercase);
        if capital && (end > host.end || text.get(start..host.label.saturating_sub(1))?.contains(&b'.')) {
            return None;
        }
        let www = || text.get(start..start + 4).is_some_and(|head| head.eq_ignore_ascii_case(b"www."));
        let low = host.seen & CAPITAL != 0 && end == host.end && !tappable_case(core::str::from_utf8(label).ok()?) && !www();
        let dotted = seen & DOT != 0;
        Some((Span { start, host: start, path: host.end, end, scheme: Scheme::None, plain: false, dotted, low }, resume))
    }
}

const HTTP: u32 = u32::from_le_bytes(*b"http");
const TTPS: u32 = u32::from_le_bytes(*b"ttps");
const SMALL: u32 = 0x2020_2020;

/// `http` or `https` before the colon, two slashes and a host behind it.
fn with_scheme(text: &[u8], colon: usize) -> Option<(Span, usize)> {
    let from = colon + 3;
    if text.get(colon..from)? != b"://" {
        return None;
    }
    // The four letters before the colon, and one before those, as numbers; small letters have a bit that capitals have not.
    let four = |at: usize| text.get(at..).and_then(|text| text.first_chunk()).map(|four| u32::from_le_bytes(*four));
    let (https, http) = (colon.checked_sub(5).and_then(four), colon.checked_sub(4).and_then(four)?);
    let (start, small, scheme) = match https {
        Some(https) if (https | SMALL, http | SMALL) == (HTTP, TTPS) => (colon - 5, https == HTTP && http == TTPS, Scheme::Https),
        _ if http | SMALL == HTTP => (colon - 4, http == HTTP, Scheme::Http),
        _ => return None,
    };
    let host = Host::read(text, from).filter(|host| host.seen & STOP == 0)?;
    if !text.get(host.label).is_some_and(u8::is_ascii_alphabetic) {
        return None;
    }
    let (end, seen, resume) = path(text, &host)?;
    // Glued to a word it is no scheme to Android, which may begin a link within what stands behind it.
    let glued = text.get(..start)?.last().is_some_and(|&octet| !octet.is_ascii() || class(octet) & WORD != 0);
    if glued {
        let several = text.get(from..host.end)?.iter().filter(|&&octet| class(octet) & SEPARATOR != 0).count() > 1;
        if several || text.get(host.end..resume)?.iter().any(|octet| matches!(octet, b'.' | b',')) {
            return None;
        }
    }
    let plain = small && host.seen & CAPITAL == 0 && end > host.end;
    let dotted = seen & DOT != 0;
    Some((Span { start, host: from, path: host.end, end, scheme, plain, dotted, low: false }, resume))
}

const HOST: u8 = 1;
const PATH: u8 = 2;
/// A dot or a hyphen: no two of them side by side, none first or last. So there is no `xn--` either.
const SEPARATOR: u8 = 4;
const CAPITAL: u8 = 8;
const DOT: u8 = 16;
const SLASH: u8 = 32;
const EQUALS: u8 = 64;
/// No end of a sentence: a letter, a digit, `_`.
const WORD: u8 = 128;

// Built when compiled: an index out of range would not compile.
#[allow(clippy::indexing_slicing)]
static CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 128 {
        let b = i as u8;
        table[i] = match b {
            b'a'..=b'z' | b'0'..=b'9' => HOST | PATH | WORD,
            b'A'..=b'Z' => HOST | PATH | WORD | CAPITAL,
            b'-' => HOST | PATH | SEPARATOR,
            b'.' => HOST | PATH | SEPARATOR | DOT,
            b'_' => PATH | WORD,
            b'/' => PATH | SLASH,
            b'=' => PATH | EQUALS,
            b'?' | b'&' | b'~' | b'+' | b',' | b'!' => PATH,
            _ => 0,
        };
        i += 1;
    }
    table
};

#[inline(always)]
fn class(octet: u8) -> u8 {
    CLASSES.get(usize::from(octet)).copied().unwrap_or(0)
}

/// Of a host: that it ends in a dot.
const STOP: u8 = SLASH;

/// A host of letters, digits, hyphens and dots, and what ends it.
struct Host {
    /// Where its last label begins.
    label: usize,
    end: usize,
    /// The classes of its octets, and [`STOP`].
    seen: u8,
}

impl Host {
    #[inline]
    fn read(text: &[u8], from: usize) -> Option<Self> {
        let (mut at, mut seen, mut before, mut beside) = (from, 0, SEPARATOR, 0);
        let most = text.get(..text.len().min(from + NAME))?;
        while let Some(&octet) = most.get(at) {
            let class = class(octet);
            if class & HOST == 0 {
                break;
            }
            seen |= class;
            beside |= before & class;
            before = class;
            at += 1;
        }
        // Of two separators side by side there is no host; of a last one, if it is a dot.
        if beside & SEPARATOR != 0 || at == from || at == from + NAME || before & (SEPARATOR | DOT) == SEPARATOR {
            return None;
        }
        seen |= if before & DOT != 0 { STOP } else { 0 };
        let name = text.get(from..at - usize::from(before & DOT != 0))?;
        // A label that is too long is none to Android.
        if name.len() > 63 && name.split(|&octet| octet == b'.').any(|label| label.len() > 63) {
            return None;
        }
        let label = name.iter().rposition(|&octet| octet == b'.').map_or(from, |dot| from + dot + 1);
        Some(Self { label, end: at, seen })
    }
}

/// Whether a sentence begins behind a dot, with a word that ends before any dot or slash.
fn sentence_begins(behind: &[u8]) -> bool {
    let [b' ' | b'\n' | b'\r', word @ ..] = behind else { return false };
    let end = word.iter().position(|&octet| class(octet) & (HOST | DOT) != HOST).unwrap_or(word.len());
    end > 0 && matches!(word.get(end..), Some([] | [b' ' | b'\n' | b'\r' | b',' | b'!', ..] | [b'.'] | [b'.', b' ', ..]))
}

/// Where a link ends whose host is read, the classes seen behind the host, and where to go on.
#[inline]
fn path(text: &[u8], host: &Host) -> Option<(usize, u8, usize)> {
    let rest = text.get(host.end..)?;
    match rest {
        [] | [b' ' | b'\n' | b'\r', ..] | [b'.' | b',' | b'!', b' ' | b'\n' | b'\r', ..] => return Some((host.end, 0, host.end)),
        [b'/', ..] => {}
        _ => return None,
    }
    let (mut len, mut seen, mut before, mut dots, mut doubled) = (0, 0, 0, 0, 0);
    while let Some(&octet) = rest.get(len) {
        let class = class(octet);
        if class & PATH == 0 {
            break;
        }
        seen |= class;
        // A segment that begins with a dot may be one that is resolved; a file's name does not.
        dots |= before >> 1 & class & DOT;
        doubled |= before & class & SLASH;
        before = class;
        len += 1;
    }
    let run = rest.get(..len)?;
    let whole = len == rest.len();
    if dots != 0 || !whole && !matches!(rest.get(len), Some(b' ' | b'\n' | b'\r')) {
        return None;
    }
    let end = match run {
        [b'/'] => len,
        [.., last] if class(*last) & WORD != 0 => len,
        // The sentence's own sign: not of the link to any reader, but at the end of the text Android takes it.
        [.., last, b'.' | b',' | b'!'] if class(*last) & WORD != 0 && !whole => len - 1,
        _ => return None,
    };
    // A value with a dot may be a host, so may what stands behind two slashes, and the path of a cache or a proxy may hold one.
    let valued = seen & EQUALS != 0 && run.iter().skip_while(|&&octet| octet != b'=').any(|&octet| octet == b'.');
    if valued || doubled != 0 || run.starts_with(b"/amp/") || proxy(text.get(host.label.saturating_sub(11)..host.end)?) {
        return None;
    }
    Some((host.end + end, seen, host.end + len))
}

/// Whether a host may be a cache or a proxy that carries another host: `translate.goog`, `ampproject.org`.
#[inline]
fn proxy(end: &[u8]) -> bool {
    let tail = |name: &[u8]| {
        end.len().checked_sub(name.len()).and_then(|at| end.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(name))
    };
    tail(b".goog") || tail(b"ampproject.org")
}

impl Simple {
    /// Tells each link.
    #[inline]
    pub(super) fn each(&self, text: &str, scratch: &mut canonical::Scratch, mut visit: impl FnMut(&Link<'_>)) {
        for span in self.spans.iter().take(self.count) {
            let slice = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
            let (host, tail) = (slice(span.host, span.path), slice(span.path, span.end));
            let (scheme, form) = match span.scheme {
                Scheme::None => ("http", Form::Bare),
                Scheme::Http => ("http", Form::Scheme),
                Scheme::Https => ("https", Form::Scheme),
            };
            let as_written = slice(span.start, span.end);
            let url = if span.plain {
                Canonical { url: as_written, scheme, host, kind: HostKind::Domain, port: None, path_and_query: tail }
            } else {
                canonical::assemble(scheme, host, tail, scratch)
            };
            let app = span.dotted && is_app_package(url.path_and_query);
            let confidence = if span.low { Low } else { High };
            visit(&Link { start: span.start, end: span.end, confidence, url, app, as_written, form });
        }
    }
}
