//! Canonical form of a URL by the WHATWG rules, and Safe Browsing's further folding for keys.

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
    /// Host as it stands in `url`; empty where `kind` is [`HostKind::None`].
    pub host: &'a str,
    /// What the host is.
    pub kind: HostKind,
    /// Port, when it is not the scheme's own.
    pub port: Option<u16>,
    /// Path with its query, from the first `/` on (for URLs without a host: all behind the colon).
    pub path_and_query: &'a str,
}
