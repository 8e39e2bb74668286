//! The Public Suffix List that the crate `psl` compiles in, asked once for suffix and registrable domain.
//!
//! `psl` is generic over how labels are read, so that whoever calls it makes its 7 500 functions anew: this crate is here to do that once.

use psl::{Psl as _, Type};

/// How a host ends, in octets from its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The public suffix; 0 where there is none.
    pub suffix: usize,
    /// The suffix and one label more; 0 where there is none.
    pub registrable: usize,
    /// Whether the suffix is of the private section.
    pub private: bool,
}

/// Labels from the end.
struct Labels<'h> {
    rest: Option<&'h [u8]>,
    /// Where the last label begins and ends.
    start: usize,
    end: usize,
}

impl<'h> Iterator for Labels<'h> {
    type Item = &'h [u8];

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let host = self.rest?;
        // Octet by octet: labels are short, and a vector search costs more to begin.
        let start = host.iter().rposition(|&octet| octet == b'.').map_or(0, |dot| dot + 1);
        self.rest = start.checked_sub(1).and_then(|dot| host.get(..dot));
        (self.start, self.end) = (start, host.len());
        host.get(start..)
    }
}

/// How a host in canonical form (lower case, punycode, no final dot) ends.
pub fn find(host: &[u8]) -> Found {
    let mut labels = Labels { rest: Some(host), start: host.len(), end: host.len() };
    let info = psl::List.find(&mut labels);
    let private = info.typ == Some(Type::Private);
    let Some(end) = host.len().checked_sub(info.len + 1).filter(|_| info.len > 0) else {
        return Found { suffix: if info.len <= host.len() { info.len } else { 0 }, registrable: 0, private };
    };
    // Mostly that label is the one read last, to see whether it belongs to the suffix; where a rule lies deeper, `psl` has read further.
    let start = if labels.end == end {
        labels.start
    } else {
        host.get(..end).and_then(|front| front.iter().rposition(|&octet| octet == b'.')).map_or(0, |dot| dot + 1)
    };
    let registrable = if start < end { host.len() - start } else { 0 };
    Found { suffix: info.len, registrable, private }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffix_and_registrable_domain_are_those_of_the_crate() {
        for host in [
            "com",
            "a.com",
            "b.a.com",
            "co.uk",
            "x.co.uk",
            "y.x.co.uk",
            "github.io",
            "u.github.io",
            "a.u.github.io",
            "localhost",
            "a.localhost",
            "x.ck",
            "y.x.ck",
            "www.ck",
            "a.www.ck",
            "city.kawasaki.jp",
            "a.b.kawasaki.jp",
            "amazonaws.com",
            "x.amazonaws.com",
            "s3.amazonaws.com",
            "a.b.salesforce.com",
            "www.windows.net",
            "x.typeform.com",
            "xn--p1ai",
            "a.xn--p1ai",
        ] {
            let found = find(host.as_bytes());
            let tail = |octets: usize| Some(&host[host.len() - octets..]).filter(|_| octets > 0);
            assert_eq!(tail(found.suffix), psl::suffix_str(host), "{host}");
            assert_eq!(tail(found.registrable), psl::domain_str(host), "{host}");
        }
        assert!(find(b"a.github.io").private && !find(b"a.co.uk").private);
    }

    #[test]
    fn odd_hosts_have_no_registrable_domain() {
        for host in ["", ".", "a..com", "..", ".com"] {
            assert_eq!(find(host.as_bytes()).registrable, 0, "{host}");
        }
    }
}
