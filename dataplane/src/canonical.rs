//! Canonical form of a URL by the WHATWG rules, and Safe Browsing's further folding for keys.
//!
//! Two ways to the same result: a fast one for what nearly all links are (ASCII, nothing to encode, nothing to
//! resolve), which copies once and gives up at the first byte that needs a thought; and the general one, which is
//! the URL standard's state machine for special schemes. The crate `url` is the oracle of both.
//!
//! Departures from the standard, on purpose: user info and fragment go; `host` is without the final dot (`url` keeps
//! it); schemes that are not special are opaque, except `rtsp`, which handsets link and which has a host like any
//! other; a host of more than `MAX_IDN` characters that needs IDNA is refused (no such name resolves).

mod fast;
mod fold;
mod host;
mod path;

pub(crate) use fold::unescape;
pub use fold::{Folded, Folder, fold};

/// Version of these rules: it stands in a snapshot, so that builder and reader never differ.
pub const RULES_VERSION: u32 = 1;

/// What kind of host a URL has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostKind {
    /// A name, in ASCII (punycode), lower case, without a final dot.
    Domain,
    /// A dotted IPv4 address, whatever form it was written in.
    Ipv4,
    /// An IPv6 address in brackets.
    Ipv6,
    /// No host: `market:`, `tg:`, `mailto:` and the like.
    None,
}

/// A URL in canonical form: WHATWG serialisation, user info and fragment removed. Borrows the caller's scratch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canonical<'a> {
    /// The whole serialisation.
    pub url: &'a str,
    /// Scheme without the colon.
    pub scheme: &'a str,
    /// Host as it stands in `url`, without a final dot; empty where `kind` is [`HostKind::None`].
    pub host: &'a str,
    /// What the host is.
    pub kind: HostKind,
    /// Port, when it is not the scheme's own.
    pub port: Option<u16>,
    /// Path with its query, from the first `/` on (for URLs without a host: all behind the colon).
    pub path_and_query: &'a str,
}

/// Why a text is no URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bad {
    /// No scheme in front.
    NoScheme,
    /// The scheme asks for a host and there is none.
    NoHost,
    /// The host is no name and no address: a forbidden character, a label that IDNA refuses, a number too large.
    Host,
    /// The port is no number below 65536.
    Port,
    /// The host needs IDNA and is longer than any name can be.
    TooLong,
}

impl Bad {
    /// The name in counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoScheme => "no scheme",
            Self::NoHost => "no host",
            Self::Host => "bad host",
            Self::Port => "bad port",
            Self::TooLong => "host too long",
        }
    }
}

impl core::fmt::Display for Bad {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

impl core::error::Error for Bad {}

/// Buffers that [`parse`] writes to. Kept and used again, they make it free of allocation.
#[derive(Clone, Debug)]
pub struct Scratch {
    url: String,
    clean: String,
    host: host::Scratch,
}

/// What the buffers hold from the start: more than any text of 255 parts can ask for in ASCII.
const RESERVE: usize = 16 * 1024;

impl Default for Scratch {
    fn default() -> Self {
        Self { url: String::with_capacity(RESERVE), clean: String::with_capacity(RESERVE), host: host::Scratch::default() }
    }
}

impl Scratch {
    /// Buffers with room reserved.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Whether a link that somebody wrote names its scheme. A dot stands in none that a handset knows: `host.example:8080` has none,
/// `tg:resolve?domain=x` has.
pub fn has_scheme(link: &str) -> bool {
    link.split_once(':').is_some_and(|(scheme, _)| !scheme.contains(['.', '/', '[']))
}

/// The canonical form of `input`, which must begin with a scheme (white space and controls around it apart).
pub fn parse<'s>(input: &str, scratch: &'s mut Scratch) -> Result<Canonical<'s>, Bad> {
    let parts = parts(input, scratch)?;
    Ok(parts.of(scratch))
}

/// As [`parse`], but only where the parts lie: the scratch can be used again when there are none.
pub(crate) fn parts(input: &str, scratch: &mut Scratch) -> Result<Parts, Bad> {
    match fast::fast(input, &mut scratch.url) {
        Some(parts) => Ok(parts),
        None => general(input, scratch),
    }
}

/// The canonical form of parts that need no change but the host's case: ASCII without a sign that is encoded, no number as last label, no
/// `xn--`, no dot segment. `tail` begins with a slash or is empty.
pub(crate) fn assemble<'s>(scheme: &'static str, host: &str, tail: &str, scratch: &'s mut Scratch) -> Canonical<'s> {
    fast::write(scheme, host, tail, &mut scratch.url).of(scratch)
}

/// Where the parts of the serialisation lie.
pub(crate) struct Parts {
    scheme_end: u32,
    host_start: u32,
    host_end: u32,
    path_start: u32,
    port: Option<u16>,
    kind: HostKind,
}

impl Parts {
    /// The parts in the scratch that they were read into.
    pub(crate) fn of(self, scratch: &Scratch) -> Canonical<'_> {
        let url = scratch.url.as_str();
        let at = |from: u32, to: u32| url.get(from as usize..to as usize).unwrap_or_default();
        Canonical {
            url,
            scheme: at(0, self.scheme_end),
            host: at(self.host_start, self.host_end),
            kind: self.kind,
            port: self.port,
            path_and_query: at(self.path_start, url.len() as u32),
        }
    }
}

/// Schemes with a host of the network's names, and their own ports. All but `rtsp` are special in the standard.
const WITH_HOST: [(&str, u16); 6] = [("https", 443), ("http", 80), ("ftp", 21), ("wss", 443), ("ws", 80), ("rtsp", 554)];

/// Whether a label of `host` begins with `xn--` (any case).
fn ace(host: &[u8]) -> bool {
    host.windows(4).any(|w| matches!(w, [b'x' | b'X', b'n' | b'N', b'-', b'-']))
}

/// The standard's state machine, for everything else.
fn general(input: &str, scratch: &mut Scratch) -> Result<Parts, Bad> {
    let Scratch { url: out, clean, host: host_scratch } = scratch;
    let input = input.trim_matches(|c: char| c <= ' ');
    let input = if input.bytes().any(|b| matches!(b, b'\t' | b'\n' | b'\r')) {
        clean.clear();
        clean.extend(input.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')));
        clean.as_str()
    } else {
        input
    };
    let (scheme, rest) = split_scheme(input).ok_or(Bad::NoScheme)?;
    out.clear();
    out.push_str(scheme);
    out.make_ascii_lowercase();
    let scheme_end = out.len() as u32;
    let Some(&(_, own_port)) = WITH_HOST.iter().find(|(name, _)| name == out) else {
        return Ok(opaque(rest, scheme_end, out));
    };
    out.push_str("://");
    let rest = rest.trim_start_matches(['/', '\\']);
    let end = rest.bytes().position(|b| matches!(b, b'/' | b'\\' | b'?' | b'#')).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end).ok_or(Bad::Host)?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, behind)| behind);
    let (name, port) = split_port(authority);
    if name.is_empty() {
        return Err(Bad::NoHost);
    }
    let host_start = out.len() as u32;
    let kind = host::write(name, host_scratch, out)?;
    let whole = out.len();
    // The root alone has no name but its dot.
    let name = out.get(host_start as usize..).unwrap_or_default();
    let dots = usize::from(kind == HostKind::Domain && name.ends_with('.') && name.len() > 1);
    let port = port_number(port)?.filter(|&port| port != own_port);
    if let Some(port) = port {
        out.push(':');
        path::push_decimal(u32::from(port), out);
    }
    let path_start = out.len() as u32;
    path::write(tail, out);
    Ok(Parts { scheme_end, host_start, host_end: (whole - dots) as u32, path_start, port, kind })
}

/// `scheme:` by the standard: a letter, then letters, digits, `+`, `-`, `.`.
fn split_scheme(input: &str) -> Option<(&str, &str)> {
    let colon = input.bytes().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')))?;
    let (scheme, rest) = input.split_at_checked(colon)?;
    let rest = rest.strip_prefix(':')?;
    scheme.as_bytes().first().filter(|b| b.is_ascii_alphabetic()).map(|_| (scheme, rest))
}

/// A scheme without a host of ours: the rest stays as it is, only what is not printable ASCII is encoded.
fn opaque(rest: &str, scheme_end: u32, out: &mut String) -> Parts {
    out.push(':');
    let path_start = out.len() as u32;
    // What ends in spaces once its fragment is gone would lose them to the next reader.
    let rest = rest.split('#').next().unwrap_or_default().trim_end_matches(' ');
    path::encode(rest, path::CONTROL, out);
    Parts { scheme_end, host_start: 0, host_end: 0, path_start, port: None, kind: HostKind::None }
}

/// The host, and what stands behind the first colon outside brackets.
fn split_port(authority: &str) -> (&str, &str) {
    let mut inside = false;
    for (at, b) in authority.bytes().enumerate() {
        match b {
            b'[' => inside = true,
            b']' => inside = false,
            b':' if !inside => {
                return (authority.get(..at).unwrap_or_default(), authority.get(at + 1..).unwrap_or_default());
            }
            _ => {}
        }
    }
    (authority, "")
}

fn port_number(digits: &str) -> Result<Option<u16>, Bad> {
    digits.bytes().try_fold(None, |port: Option<u16>, b| {
        let digit = b.is_ascii_digit().then(|| u16::from(b - b'0')).ok_or(Bad::Port)?;
        Ok(Some(port.unwrap_or(0).checked_mul(10).and_then(|p| p.checked_add(digit)).ok_or(Bad::Port)?))
    })
}

#[cfg(test)]
mod tests;
