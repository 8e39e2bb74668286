//! URLs inside URLs: the target of a redirector, the page behind a cache.
//!
//! Sources: open redirectors as lists of them name their parameters; AMP Cache URL format (`/c/s/host/path`);
//! Google Translate's proxy hosts (`-` for `.`, `--` for `-`).

use super::authority::is_numeric;
use super::chars::{is_dot, is_host};
use super::{Finder, Form, Link};
use crate::canonical::unescape;
use crate::verdict::Confidence::{self, High};

/// Parameters whose value is a target even without a scheme.
const TARGETS: [&str; 24] = [
    "url",
    "u",
    "q",
    "link",
    "target",
    "dest",
    "destination",
    "to",
    "go",
    "goto",
    "next",
    "continue",
    "redirect",
    "redirect_uri",
    "redirect_url",
    "redir",
    "return",
    "returnurl",
    "return_to",
    "out",
    "r",
    "l",
    "uri",
    "adurl",
];

/// So many URLs in one piece are read to its end; further ones each up to the next. Keeps the time linear.
const DEEP: usize = 8;
/// Octets of one of the further ones that has no slashes.
const AUTHORITY: usize = 512;

impl<F: FnMut(&Link<'_>)> Finder<'_, '_, F> {
    /// What the link from `start` to `end` leads on to; its host ends at `body`.
    pub(super) fn nested(&mut self, start: usize, body: usize, end: usize) {
        let inner = self.slice(body, end);
        if inner.len() < 5 {
            return;
        }
        self.proxied(start, body, end);
        if inner.contains([':', '=', '%', '\\']) || inner.contains("//") {
            self.inside((start, end), body, High);
        }
    }

    /// URLs in the pieces of the text from `body` to the span's end.
    pub(super) fn inside(&mut self, span: (usize, usize), body: usize, confidence: Confidence) {
        let inner = self.slice(body, span.1);
        let mut bytes = core::mem::take(&mut self.scratch.bytes);
        for piece in inner.split(['&', '?', '#', ';']) {
            let named = piece.split_once('=').filter(|(name, _)| TARGETS.iter().any(|target| name.eq_ignore_ascii_case(target)));
            if named.is_none() && !piece.contains([':', '%', '\\']) && !piece.contains("//") {
                continue;
            }
            unescape(piece.as_bytes(), &mut bytes);
            // A browser takes these out of any URL before it reads it.
            bytes.retain(|octet| !matches!(octet, b'\t' | b'\n' | b'\r'));
            // Escapes of no UTF-8 hide nothing in front of them.
            let text = match core::str::from_utf8(&bytes) {
                Ok(text) => text,
                Err(bad) => bytes.get(..bad.valid_up_to()).and_then(|good| core::str::from_utf8(good).ok()).unwrap_or_default(),
            };
            let value = named.and_then(|_| text.split_once('=')).map(|(_, value)| value);
            let found = self.urls_in(span, text, value, confidence);
            if let (false, Some(value)) = (found, value) {
                let value = value.trim_start_matches(|c: char| matches!(c, '/' | '\\' | '+' | '@') || c.is_whitespace());
                if self.tops(value.split('@').next().unwrap_or_default()) {
                    self.report(span, (Form::Nested, confidence), "http://", value);
                }
            }
        }
        self.scratch.bytes = bytes;
    }

    /// Every URL of an unescaped piece, as a browser takes it: `https:` with any slashes behind it or none, and two slashes alone. Where the
    /// scheme or the slashes are wanting, only before a host with a known TLD or a dotted address; at the head of a `target` before any number.
    fn urls_in(&mut self, span: (usize, usize), text: &str, target: Option<&str>, confidence: Confidence) -> bool {
        let head = target.map(|value| text.len() - value.trim_start_matches(|c: char| c == '+' || c.is_whitespace()).len());
        let (mut any, mut count, mut from) = (false, 0, 0);
        while let Some(at) = text.get(from..).and_then(|rest| rest.find([':', '/', '\\'])).map(|at| from + at) {
            let behind = text.get(at..).unwrap_or_default();
            let run = behind.strip_prefix(':').unwrap_or(behind);
            let rest = run.trim_start_matches(['/', '\\']);
            let (slashes, scheme) = (run.len() - rest.len(), scheme_before(text, at).filter(|_| run.len() < behind.len()));
            let start = at - scheme.map_or(0, |prefix| prefix.len() - "://".len());
            from = text.len() - rest.len();
            if scheme.is_none() && slashes < 2 {
                continue;
            }
            count += 1;
            // Further ones end where the next begins, or soon.
            let rest = if count <= DEEP {
                rest
            } else if slashes == 0 {
                rest.get(..rest.floor_char_boundary(AUTHORITY)).unwrap_or_default()
            } else {
                let next = rest.as_bytes().windows(2).position(|pair| matches!(pair, [b':' | b'/' | b'\\', b'/' | b'\\']));
                rest.get(..next.unwrap_or(rest.len())).unwrap_or_default()
            };
            if scheme.is_none() || slashes == 0 {
                let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
                let host = authority.rsplit('@').next().unwrap_or_default();
                let number = || host.rsplit(is_dot).next().is_some_and(is_numeric);
                let known = self.tops(host) || head == Some(start) && number();
                if !known {
                    continue;
                }
            }
            any |= self.report(span, (Form::Nested, confidence), scheme.unwrap_or("http://"), rest);
        }
        any
    }

    /// Whether a text begins with a host that has a known TLD, or with a dotted address.
    fn tops(&self, text: &str) -> bool {
        let host = text.get(..text.find(|c| !is_host(c)).unwrap_or(text.len())).unwrap_or_default();
        let host = host.strip_suffix(is_dot).unwrap_or(host);
        let whole = |label: &str| !label.is_empty() && self.tlds.cut(label) == label.len();
        let named = host.contains(is_dot) && !host.starts_with(is_dot) && host.rsplit(is_dot).next().is_some_and(whole);
        let bracketed = || text.strip_prefix('[')?.split_once(']')?.0.parse::<core::net::Ipv6Addr>().ok();
        named || host.parse::<core::net::Ipv4Addr>().is_ok() || bracketed().is_some()
    }

    /// Caches and proxies that carry the host in their own host or path.
    fn proxied(&mut self, start: usize, body: usize, end: usize) {
        let (host, inner) = (self.slice(start, body), self.slice(body, end));
        if let Some(label) = strip_suffix_ci(host, ".translate.goog") {
            let label = label.rsplit(['/', '@']).next().unwrap_or_default();
            let (path, query) = inner.split_once('?').unwrap_or((inner, ""));
            self.scratch.candidate.clear();
            self.scratch.candidate.push_str("https://");
            let mut parts = label.split("--").peekable();
            while let Some(part) = parts.next() {
                self.scratch.candidate.extend(part.chars().map(|c| if c == '-' { '.' } else { c }));
                if parts.peek().is_some() {
                    self.scratch.candidate.push('-');
                }
            }
            self.scratch.candidate.push_str(path);
            let own = query.split('&').filter(|pair| !pair.starts_with("_x_tr") && !pair.is_empty());
            for (i, pair) in own.enumerate() {
                self.scratch.candidate.push(if i == 0 { '?' } else { '&' });
                self.scratch.candidate.push_str(pair);
            }
            self.report_candidate((start, end), (Form::Nested, High));
        }
        let amp = if strip_suffix_ci(host, "cdn.ampproject.org").is_some() {
            ["/c/", "/v/", "/a/", "/i/"].iter().find_map(|kind| inner.strip_prefix(kind))
        } else {
            inner.strip_prefix("/amp/").filter(|_| host.contains("google."))
        };
        if let Some(target) = amp {
            let (prefix, target) = target.strip_prefix("s/").map_or(("http://", target), |target| ("https://", target));
            self.report((start, end), (Form::Nested, High), prefix, target);
        }
    }
}

/// The scheme that ends before a colon, if it is one with a host.
fn scheme_before(text: &str, colon: usize) -> Option<&'static str> {
    [("https", "https://"), ("http", "http://"), ("ftp", "ftp://")].into_iter().find_map(|(name, prefix)| {
        let spelt = text.get(colon.checked_sub(name.len())?..colon)?;
        spelt.eq_ignore_ascii_case(name).then_some(prefix)
    })
}

fn strip_suffix_ci<'t>(text: &'t str, suffix: &str) -> Option<&'t str> {
    let at = text.len().checked_sub(suffix.len())?;
    text.get(at..).filter(|tail| tail.eq_ignore_ascii_case(suffix))?;
    text.get(..at)
}
