//! Patterns as lists write them, to the key strings that tables are made of. Builder and reader use the same canonical form.

use crate::canonical::{self, Folder, HostKind, Scratch};
use core::net::{IpAddr, Ipv6Addr};
use std::borrow::Cow;

/// A pattern in its one spelling.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    /// The key string: `host`, `=host`, `host/path`, `@host`, `scheme:id`.
    pub key: String,
    /// What it covers.
    pub kind: Kind,
}

/// What a pattern covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// A host and what is below it.
    Host = 1,
    /// A host alone.
    Exact = 2,
    /// A path of a host and what is below it.
    Path = 3,
    /// A platform.
    Platform = 4,
    /// Links of one scheme without a host, by id or all.
    Scheme = 5,
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPattern {
    /// Nothing there.
    Empty,
    /// The URL rules refuse it.
    Url(canonical::Bad),
    /// Not a name: white space, a wildcard in the middle.
    NotAHost,
    /// Longer than [`MAX_PATTERN`].
    TooLong,
    /// `=` or `@` with a path.
    PathNotAllowed,
    /// A final `*`, which would stand for itself.
    Wildcard,
    /// More than one address.
    Range,
}

/// Octets of the longest key string.
pub const MAX_PATTERN: usize = 4096;

impl core::fmt::Display for BadPattern {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Empty => f.write_str("nothing there"),
            Self::Url(bad) => write!(f, "{bad}"),
            Self::NotAHost => f.write_str("not a host name or address"),
            Self::Wildcard => f.write_str("no link ends with `*`: host/path covers all that is below it, write it without `*`"),
            Self::Range => f.write_str("a range of addresses: only single ones can be listed, each for itself"),
            Self::TooLong => write!(f, "longer than {MAX_PATTERN} octets"),
            Self::PathNotAllowed => f.write_str("= and @ take a host without a path"),
        }
    }
}

impl core::error::Error for BadPattern {}

/// Buffers for reading patterns, kept and used again.
#[derive(Debug, Default)]
pub struct Buffers {
    text: String,
    scratch: Scratch,
    folder: Folder,
}

impl Pattern {
    /// Reads `host`, `=host`, `host/path`, `@host`, `scheme:id`, or a whole URL (scheme, user info, port and fragment are left out; a URL
    /// without a path is the host alone).
    ///
    /// # Errors
    /// What the URL rules do not take as a host, and what they take only by reading something else into it.
    pub fn parse(text: &str, buffers: &mut Buffers) -> Result<Self, BadPattern> {
        let text = text.trim();
        let (marker, rest) = match text.as_bytes().first() {
            None => return Err(BadPattern::Empty),
            Some(b'=') => (Kind::Exact, &text[1..]),
            Some(b'@') => (Kind::Platform, &text[1..]),
            Some(_) => (Kind::Host, text),
        };
        if rest.len() > MAX_PATTERN {
            return Err(BadPattern::TooLong);
        }
        let full = scheme(rest).is_some();
        buffers.text.clear();
        if !full {
            check_bare(rest)?;
            buffers.text.push_str("http://");
        }
        buffers.text.push_str(rest);
        let url = canonical::parse(&buffers.text, &mut buffers.scratch).map_err(BadPattern::Url)?;
        if url.kind == HostKind::None {
            return Ok(Self { key: opaque(&url, &mut buffers.folder), kind: Kind::Scheme }).and_then(bounded);
        }
        let folded = canonical::fold(&url, &mut buffers.folder);
        // Empty labels, which folding drops and a look-up does not, and what no name that is registered has.
        let odd = url.kind == HostKind::Domain && folded.host.contains(is_odd);
        if folded.host != url.host || folded.host.split('.').any(str::is_empty) || odd {
            return Err(BadPattern::NotAHost);
        }
        let path = folded.path.trim_end_matches('/');
        let has_path = !path.is_empty() || folded.query.is_some();
        let (key, kind) = match marker {
            Kind::Exact | Kind::Platform if has_path => return Err(BadPattern::PathNotAllowed),
            Kind::Exact => (format!("={}", folded.host), marker),
            Kind::Platform => (format!("@{}", folded.host), marker),
            _ => match (has_path, folded.query) {
                (false, _) if full => (format!("={}", folded.host), Kind::Exact),
                (false, _) => (folded.host.to_owned(), Kind::Host),
                (true, None) => (format!("{}{path}", folded.host), Kind::Path),
                (true, Some(query)) => (format!("{}{}?{query}", folded.host, folded.path), Kind::Path),
            },
        };
        bounded(Self { key, kind })
    }

    /// [`Self::parse`] of what a list or a person writes, [`fanged`]: what would be taken for a path and match nothing is refused. A range of
    /// one address is that address; one of IPv6 needs no brackets. A `*` within a path stands for itself, as it does in links that are listed.
    ///
    /// # Errors
    /// Also a final `*` and a range of addresses.
    pub fn written(text: &str, buffers: &mut Buffers) -> Result<Self, BadPattern> {
        let text = &*fanged(text.trim());
        let (sign, host) = text.split_at(usize::from(text.starts_with(['=', '@'])));
        if host.parse::<Ipv6Addr>().is_ok() {
            return Self::parse(&format!("{sign}[{host}]"), buffers);
        }
        if let Some((address, bits)) = text.rsplit_once('/')
            && let (Ok(ip), Ok(bits)) = (address.parse::<IpAddr>(), bits.parse::<u8>())
        {
            return match (ip, bits) {
                (IpAddr::V4(_), 32) => Self::parse(address, buffers),
                (IpAddr::V6(_), 128) => Self::parse(&format!("[{address}]"), buffers),
                (IpAddr::V4(_), 33..) => Self::parse(text, buffers),
                _ => Err(BadPattern::Range),
            };
        }
        let pattern = Self::parse(text, buffers)?;
        if text.ends_with('*') && !text.contains('#') { Err(BadPattern::Wildcard) } else { Ok(pattern) }
    }

    /// Which kind a key string is of.
    pub fn kind_of(key: &str) -> Kind {
        match key.as_bytes().first() {
            Some(b'=') => Kind::Exact,
            Some(b'@') => Kind::Platform,
            Some(b'[') => {
                if key.contains('/') {
                    Kind::Path
                } else {
                    Kind::Host
                }
            }
            _ => match key.bytes().find(|b| matches!(b, b'/' | b':')) {
                Some(b'/') => Kind::Path,
                Some(_) => Kind::Scheme,
                None => Kind::Host,
            },
        }
    }
}

/// What was defanged for people to read (`hxxp://evil[.]example`) as it is meant.
pub fn fanged(text: &str) -> Cow<'_, str> {
    let scheme =
        text.split_once("://").filter(|(scheme, _)| matches!(&*scheme.to_ascii_lowercase(), "hxxp" | "hxxps" | "h**p" | "h**ps"));
    let brackets = ["[.]", "(.)", "[dot]", "[:]"];
    let bracketed = text.contains(['[', '(']) && brackets.iter().any(|form| text.contains(form));
    if scheme.is_none() && !bracketed {
        return Cow::Borrowed(text);
    }
    let whole = match scheme {
        Some((scheme, rest)) => format!("http{}://{rest}", if scheme.len() > 4 { "s" } else { "" }),
        None => text.to_owned(),
    };
    let whole = brackets.iter().take(3).fold(whole, |text, form| text.replace(form, "."));
    Cow::Owned(whole.replace("[:]", ":"))
}

fn bounded(pattern: Pattern) -> Result<Pattern, BadPattern> {
    if pattern.key.len() > MAX_PATTERN { Err(BadPattern::TooLong) } else { Ok(pattern) }
}

/// The scheme of a text that has one: letters first, and no dot, so that `host.example:8080` has none. A key string is read as what it
/// was made of: `tel:0900123` is no host with a port.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let letters = scheme.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-'))
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    letters.then_some(scheme)
}

/// The URL parser is made to find a host in anything; a line of a list that is none must not become one.
fn check_bare(text: &str) -> Result<(), BadPattern> {
    let host = text.split(['/', '?', '#']).next().unwrap_or_default();
    let bad =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '%' | '*' | '@' | '\\' | '<' | '>' | '^' | '|' | ',' | '"');
    if host.is_empty() || host.contains(bad) { Err(BadPattern::NotAHost) } else { Ok(()) }
}

/// What the URL rules let stand in a host and no name on the network has: `=` and `@` mean something of their own in a key string.
fn is_odd(c: char) -> bool {
    !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
}

/// Key string of a link without a host: the scheme, and all behind it without leading slashes and final slash.
pub(super) fn opaque(url: &canonical::Canonical<'_>, folder: &mut Folder) -> String {
    let folded = canonical::fold(url, folder);
    let id = folded.path.trim_matches('/');
    match folded.query {
        Some(query) => format!("{}:{id}?{query}", url.scheme),
        None => format!("{}:{id}", url.scheme),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_spelling_has_its_key() {
        let mut buffers = Buffers::default();
        for (text, want) in [
            ("Bank.Example", Ok("bank.example")),
            ("=bank.example.", Ok("=bank.example")),
            ("@bit.ly", Ok("@bit.ly")),
            ("bank.example/Login/", Ok("bank.example/Login")),
            ("bank.example:8080/x", Ok("bank.example/x")),
            ("bank.example/?q=1", Ok("bank.example/?q=1")),
            ("http://bank.example", Ok("=bank.example")),
            ("https://u:p@bank.example:444/a//b/../c#f", Ok("bank.example/a/c")),
            ("192.0.2.1", Ok("192.0.2.1")),
            ("http://[2001:db8::1]/x", Ok("[2001:db8::1]/x")),
            ("tg://resolve?domain=bank", Ok("tg:resolve?domain=bank")),
            ("whatsapp:", Ok("whatsapp:")),
            ("tel:0900123", Ok("tel:0900123")),
            ("bas://2.exam", Ok("bas:2.exam")),
            ("bücher.example", Ok("xn--bcher-kva.example")),
            ("%20bank.example", Err(BadPattern::NotAHost)),
            ("a b.example", Err(BadPattern::NotAHost)),
            ("=bank.example/x", Err(BadPattern::PathNotAllowed)),
            ("", Err(BadPattern::Empty)),
            ("*.bank.example", Err(BadPattern::NotAHost)),
            ("==bank.example", Err(BadPattern::NotAHost)),
            ("http://=bank.example/x", Err(BadPattern::NotAHost)),
            ("a.=bank.example", Err(BadPattern::NotAHost)),
            ("bank..example", Err(BadPattern::NotAHost)),
            (".bank.example", Err(BadPattern::NotAHost)),
            ("https://./", Err(BadPattern::NotAHost)),
            ("https://a.exa*mple/x", Err(BadPattern::NotAHost)),
        ] {
            let pattern = Pattern::parse(text, &mut buffers);
            assert_eq!(pattern.as_ref().map(|p| p.key.as_str()).map_err(|e| *e), want, "{text}");
            if let Ok(pattern) = pattern {
                assert_eq!(Pattern::kind_of(&pattern.key), pattern.kind, "{text}");
                // Overlays are written in key strings, and read as lists are.
                assert_eq!(Pattern::parse(&pattern.key, &mut buffers), Ok(pattern), "{text}");
            }
        }
    }

    #[test]
    fn what_would_match_nothing_is_refused_where_somebody_writes_it() {
        let mut buffers = Buffers::default();
        let (wild, range) = (Err(BadPattern::Wildcard), Err(BadPattern::Range));
        for (text, want) in [
            ("w1.example/*", wild),
            ("w2.example/a* ", wild),
            ("w3.example/login?*", wild),
            ("https://w4.example/jp/*", wild),
            ("tg://resolve?domain=*", wild),
            ("10.0.0.0/8", range),
            ("1.2.3.0/24", range),
            ("2001:db8::/32", range),
            ("fe80::/10", range),
            ("1.2.3.4/32", Ok("1.2.3.4")),
            ("2001:db8::1/128", Ok("[2001:db8::1]")),
            ("1.2.3.4/24/x", Ok("1.2.3.4/24/x")),
            ("1.2.3.4/99", Ok("1.2.3.4/99")),
            ("http://1.2.3.4/24", Ok("1.2.3.4/24")),
            ("w5.example/*/x", Ok("w5.example/*/x")),
            ("*.w6.example", Err(BadPattern::NotAHost)),
            ("@bit.ly/*", Err(BadPattern::PathNotAllowed)),
            ("w7.example/a", Ok("w7.example/a")),
            ("2001:db8::1", Ok("[2001:db8::1]")),
            ("=fe80::1", Ok("=[fe80::1]")),
            ("2001:db8::g", Err(BadPattern::Url(canonical::Bad::Port))),
            ("hxxp://evil[.]example", Ok("=evil.example")),
            ("=evil(.)example", Ok("=evil.example")),
            ("https://evil[.]example/[x]", Ok("evil.example/[x]")),
        ] {
            let pattern = Pattern::written(text, &mut buffers);
            assert_eq!(pattern.as_ref().map(|p| p.key.as_str()).map_err(|e| *e), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_pattern_reader_panic(text in "\\PC{0,40}") {
            let _ = Pattern::parse(&text, &mut Buffers::default());
        }
    }
}
