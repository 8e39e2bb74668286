//! The fast way: `http://host/path?query` in plain ASCII, each octet looked up once.

use super::{HostKind, Parts, ace};

/// An octet of a host or of path and query that needs no thought.
const HOST: u8 = 1;
const PATH: u8 = 2;
/// Asks for a second look at the host: `xn--` needs one, a capital is written small.
const HYPHEN: u8 = 4;
const CAPITAL: u8 = 8;
/// A slash; and, one bit higher, what may begin a dot segment behind it.
const SLASH: u8 = 16;
const DOT: u8 = 32;

// Built when compiled: an index out of range would not compile.
#[allow(clippy::indexing_slicing)]
static CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = b'!' as usize;
    while i < 0x7f {
        let b = i as u8;
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_') {
            table[i] |= HOST;
        }
        if !matches!(b, b'"' | b'#' | b'<' | b'>' | b'\'' | b'\\' | b'^' | b'`' | b'{' | b'}') {
            table[i] |= PATH;
        }
        table[i] |= match b {
            b'-' => HYPHEN,
            b'A'..=b'Z' => CAPITAL,
            b'/' => SLASH,
            b'.' | b'%' => DOT,
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

/// The canonical form; `None` where the general way must look.
pub(super) fn fast(input: &str, out: &mut String) -> Option<Parts> {
    let bytes = input.as_bytes();
    // The first eight octets as a number, the letters in lower case.
    let head = u64::from_le_bytes(*bytes.first_chunk()?);
    let (scheme, from) = if head | 0x20_2020_2020 == HTTPS {
        ("https", 8)
    } else if (head | 0x2020_2020) << 8 == HTTP << 8 {
        ("http", 7)
    } else {
        return None;
    };
    let rest = input.get(from..)?;
    let (mut len, mut label, mut seen) = (0, 0, 0);
    let octets = rest.as_bytes();
    while let Some(&b) = octets.get(len) {
        let class = class(b);
        if class & HOST == 0 {
            break;
        }
        seen |= class;
        len += 1;
        label = if b == b'.' { len } else { label };
    }
    // No last label, or one that may be a number of an address.
    if octets.get(label..len)?.first().is_none_or(u8::is_ascii_digit) {
        return None;
    }
    let (host, tail) = rest.split_at_checked(len)?;
    if seen & HYPHEN != 0 && ace(host.as_bytes()) {
        return None;
    }
    if !matches!(octets.get(len), None | Some(b'/' | b'?')) {
        return None;
    }
    let (mut before, mut all, mut dot) = (0, PATH, 0);
    for &b in tail.as_bytes() {
        let class = class(b);
        all &= class;
        // A segment that begins with a dot, or with what may be an encoded one, may be a dot segment. (So may none of a query.)
        dot |= before << 1 & class;
        before = class & SLASH;
    }
    if all & PATH == 0 || dot & DOT != 0 {
        return None;
    }
    let small = head == HTTPS || head << 8 == HTTP << 8;
    if seen & CAPITAL != 0 || !tail.starts_with('/') || !small {
        return Some(write(scheme, host, tail, out));
    }
    out.clear();
    out.push_str(input);
    Some(parts(scheme, len))
}

const HTTPS: u64 = u64::from_le_bytes(*b"https://");
const HTTP: u64 = u64::from_le_bytes(*b"http://\0");

/// Writes what [`super::assemble`] says.
pub(super) fn write(scheme: &'static str, host: &str, tail: &str, out: &mut String) -> Parts {
    out.clear();
    out.reserve(scheme.len() + host.len() + tail.len() + 4);
    out.push_str(scheme);
    out.push_str("://");
    let from = out.len();
    out.push_str(host);
    if let Some(host) = out.get_mut(from..) {
        host.make_ascii_lowercase();
    }
    if !tail.starts_with('/') {
        out.push('/');
    }
    out.push_str(tail);
    parts(scheme, host.len())
}

fn parts(scheme: &str, host: usize) -> Parts {
    let (scheme, host) = (scheme.len() as u32, host as u32);
    let end = scheme + 3 + host;
    Parts { scheme_end: scheme, host_start: scheme + 3, host_end: end, path_start: end, port: None, kind: HostKind::Domain }
}
