//! Finds the URLs of a text: a superset of what Android and iOS make tappable, and the evasions that a reader undoes.
//!
//! Four steps, each for what the one before lets through:
//! 1. The sieve, also on its own as [`Scanner::may_link`] and its sisters: one look at a message, nearly all end here (`scan/sieve.rs`).
//! 2. Recognition at the sieve's own marks, where they hold nothing but links of the usual form between blanks (`scan/simple.rs`).
//! 3. Else anchors, by one automaton: dots, colons, defanged dots, words for a dot (`scan/automata.rs`);
//! 4. and exact recognition round each: `hosts` (no scheme), `schemes`, `loose` (low confidence), `nested` (a URL inside a URL),
//!    `bindings`. [`Scanner::find_with_care`] is these two alone, and the oracle of the two before.
//!
//! Every anchor lies in one span and the scan goes on behind it, so the time is linear in the text.

use protocols::sms::{Problems, Tables, UserData};

use crate::canonical::{self, Canonical, HostKind};
use crate::verdict::Confidence;
use crate::verdicts::is_app_package;

mod authority;
mod automata;
mod bindings;
mod chars;
mod glance;
mod hosts;
mod loose;
mod nested;
mod schemes;
mod septets;
mod sieve;
mod simd;
mod simple;
mod tail;
mod tlds;
mod units;

pub(crate) use chars::begins_word;
pub(crate) use septets::{Room, Unpacked};

pub use schemes::is_app_scheme;

use automata::{Anchor, Anchors};
use tlds::Tlds;

/// Which rule found a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// A scheme and a host: `https://host/path`.
    Scheme,
    /// A host with a known TLD, or a dotted address, without a scheme.
    Bare,
    /// `hxxp://`, `host[.]tld`, `http%3A%2F%2Fhost`.
    Defanged,
    /// A word for the dot: `host dot com`.
    Words,
    /// A blank or a comma beside or instead of the dot: `host. com`.
    Spaced,
    /// A URL inside another one: a redirector's parameter, a cache's path.
    Nested,
    /// `@host #123456` in the last line.
    Binding,
    /// A scheme without a host of the network's names: `market:`, `whatsapp:`, `tel:`.
    NoHost,
    /// Written from right to left behind a mark of direction.
    Reversed,
}

impl Form {
    /// The name in counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheme => "scheme",
            Self::Bare => "bare",
            Self::Defanged => "defanged",
            Self::Words => "words",
            Self::Spaced => "spaced",
            Self::Nested => "nested",
            Self::Binding => "binding",
            Self::NoHost => "no-host",
            Self::Reversed => "reversed",
        }
    }
}

/// One reading of one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// Where it begins in the text, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// How sure it is that a handset makes it tappable.
    pub confidence: Confidence,
    /// What it opens.
    pub url: Canonical<'a>,
    /// Whether it leads to an app package or a profile: `.apk`, `.mobileconfig` and the like.
    pub app: bool,
    /// The span as it stands in the text.
    pub as_written: &'a str,
    /// Which rule found it.
    pub form: Form,
}

/// Buffers of one scan, kept and used again: with them a scan asks for no memory.
#[derive(Clone, Debug)]
pub struct Scratch {
    canonical: canonical::Scratch,
    candidate: String,
    spare: String,
    bytes: Vec<u8>,
    seen: Vec<(usize, u64)>,
}

impl Default for Scratch {
    fn default() -> Self {
        const ROOM: usize = 16 * 1024;
        Self {
            canonical: canonical::Scratch::new(),
            candidate: String::with_capacity(ROOM),
            spare: String::with_capacity(ROOM),
            bytes: Vec::with_capacity(ROOM),
            seen: Vec::with_capacity(64),
        }
    }
}

impl Scratch {
    /// Buffers with room reserved.
    pub fn new() -> Self {
        Self::default()
    }
}

/// The scan with its TLDs and automata. Built once, read by all.
#[derive(Clone, Debug)]
pub struct Scanner {
    tlds: Tlds,
    id: u64,
    anchors: Anchors,
    width: simd::Width,
}

impl Default for Scanner {
    /// With the TLDs of the root zone as the crate `tld` ships them.
    fn default() -> Self {
        Self::new(tld::TLD.iter().copied())
    }
}

impl Scanner {
    /// A scanner for these TLDs (ASCII, punycode for those of other scripts, any case).
    pub fn new<'a>(tlds: impl Iterator<Item = &'a str>) -> Self {
        let tlds = Tlds::new(tlds);
        Self { id: tlds.id(), tlds, anchors: Anchors::new(), width: simd::Width::detect() }
    }

    /// Tells scanners of other TLDs apart; never 0.
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    /// The text of user data in septets, without a header.
    #[inline(always)]
    pub(crate) fn unpack<'r>(&self, tp_udl: u8, user_data: &[u8], room: &'r mut Room) -> Option<Unpacked<'r>> {
        septets::read(self.width, tp_udl, user_data, room)
    }

    /// Appends the text of user data, as [`UserData::text`] does and says: in one pass where it is ASCII in septets.
    pub(crate) fn text(&self, user_data: &UserData<'_>, room: &mut Room, out: &mut String) -> Problems {
        if user_data.dcs.in_septets() && user_data.tables == Tables::default() {
            let (fill, len) = (user_data.fill_bits(), user_data.text_septets());
            if let Some(Unpacked::Ascii(text)) = septets::read_from(self.width, fill, len, user_data.body(), room)
                && let Ok(text) = simdutf8::basic::from_utf8(text)
            {
                out.push_str(text);
                return Problems::NONE;
            }
        }
        user_data.text(out)
    }

    /// Calls `visit` once for each reading of each link in `text`, in the order of the text. It asks the sieve itself.
    pub fn find(&self, text: &str, scratch: &mut Scratch, visit: impl FnMut(&Link<'_>)) {
        self.find_from(text, 0, scratch, visit);
    }

    /// As [`Self::find`], for a text of which [`Self::first_mark`] said that nothing hangs before `mark`.
    pub fn find_from(&self, text: &str, mark: usize, scratch: &mut Scratch, mut visit: impl FnMut(&Link<'_>)) {
        let mut simple = simple::Simple::default();
        if self.simple(text, mark, &mut simple) {
            simple.each(text, &mut scratch.canonical, visit);
        } else {
            self.find_with_care(text, scratch, &mut visit);
        }
    }

    /// Whether [`Self::find`] gets by without the automaton: no mark but of nothing or of links of the usual form. For measurements.
    pub fn is_simple(&self, text: &str) -> bool {
        self.simple(text, 0, &mut simple::Simple::default())
    }

    /// As [`Self::find`], by the automaton over the whole text: nothing is dismissed and nothing done in haste.
    #[inline(never)]
    pub fn find_with_care(&self, text: &str, scratch: &mut Scratch, visit: impl FnMut(&Link<'_>)) {
        scratch.seen.clear();
        let mut finder = Finder {
            tlds: &self.tlds,
            text,
            scratch,
            visit,
            token_until: 0,
            opaque_until: 0,
            android_until: 0,
            latin_until: 0,
            schemed_until: 0,
            behind_at: None,
            told_at: None,
        };
        let end = finder.binding();
        let body = text.get(..end).unwrap_or_default();
        finder.text = body;
        let mut done = 0;
        for (start, behind, anchor) in self.anchors.of(body) {
            if start < done {
                continue;
            }
            let next = match anchor {
                Anchor::Dot => finder.dot(start, behind, done),
                Anchor::Colon => finder.colon(start, behind),
                Anchor::Bracketed => finder.joined(start, behind, Form::Defanged),
                Anchor::Word => finder.joined(start, behind, Form::Words),
                Anchor::Comma => finder.joined(start, behind, Form::Spaced),
                Anchor::Escaped => finder.escaped(start),
            };
            done = done.max(next);
        }
    }
}

/// One scan under way.
struct Finder<'t, 's, F> {
    tlds: &'t Tlds,
    text: &'t str,
    scratch: &'s mut Scratch,
    visit: F,
    /// Up to here a span was read to the end of its token.
    token_until: usize,
    /// Up to here a span inside another was read to the first character of another script.
    latin_until: usize,
    /// Up to here the last host behind a scheme was read as Android does: no scheme begins inside.
    schemed_until: usize,
    /// Up to here a link without a host was read: no second one begins inside.
    opaque_until: usize,
    /// Up to here a span was read as Android cuts it: inside it only what is glued to another script is new.
    android_until: usize,
    /// The last run right behind an `@`, and whether that is of an address of mail: a host that begins there is no link to Android.
    behind_at: Option<(usize, bool)>,
    /// Where the last host begins that was told with a scheme that is none to Android.
    told_at: Option<usize>,
}

/// Looks like a dot, and NFKC makes one of it.
const ONE_DOT_LEADER: char = '\u{2024}';

impl<'t, F: FnMut(&Link<'_>)> Finder<'t, '_, F> {
    fn slice(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Reports `prefix` + `body` as what the span opens, if it is a URL and was not reported for this start.
    fn report(&mut self, span: (usize, usize), how: (Form, Confidence), prefix: &str, body: &str) -> bool {
        self.scratch.candidate.clear();
        self.scratch.candidate.push_str(prefix);
        self.scratch.candidate.push_str(body);
        self.report_candidate(span, how)
    }

    /// Reports what stands in the scratch's `candidate`.
    fn report_candidate(&mut self, (start, end): (usize, usize), (form, confidence): (Form, Confidence)) -> bool {
        let as_written = self.slice(start, end);
        let Scratch { canonical, candidate, seen, .. } = &mut *self.scratch;
        // Refused for what no eye sees: some handsets strip it.
        let parts = match canonical::parts(candidate, canonical) {
            Ok(parts) => parts,
            Err(_) => {
                if candidate.is_ascii() || !candidate.chars().any(|c| chars::is_invisible(c) || c == ONE_DOT_LEADER) {
                    return false;
                }
                candidate.retain(|c| !chars::is_invisible(c));
                while let Some(at) = candidate.find(ONE_DOT_LEADER) {
                    candidate.replace_range(at..at + ONE_DOT_LEADER.len_utf8(), ".");
                }
                let Ok(parts) = canonical::parts(candidate, canonical) else { return false };
                parts
            }
        };
        let url = parts.of(canonical);
        if url.kind == HostKind::None && form != Form::NoHost {
            return false;
        }
        let hash = xxhash_rust::xxh3::xxh3_64(url.url.as_bytes());
        if seen.iter().rev().take_while(|(at, _)| *at == start).any(|(_, known)| *known == hash) {
            return true;
        }
        if seen.last().is_some_and(|(at, _)| *at != start) {
            seen.clear();
        }
        seen.push((start, hash));
        let app = is_app_package(url.path_and_query);
        (self.visit)(&Link { start, end, confidence, url, app, as_written, form });
        true
    }
}

#[cfg(test)]
mod tests;
