//! Safe Browsing's further folding, for keys: what differs in spelling and not in where it leads gets one key.
//!
//! Source: Safe Browsing v4, "URLs and Hashing", canonicalization: unescape until nothing is left to unescape,
//! collapse dots of the host and slashes of the path, resolve `/./` and `/../`, escape what is not printable, `#`
//! and `%`. The port is left out, as there.

use super::{Canonical, host::hex, path::push_percent};

/// What keys are made of. Borrows the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Folded<'a> {
    /// Host without leading, trailing and repeated dots; empty for a URL without one.
    pub host: &'a str,
    /// Path, beginning with `/` (for a URL without a host: all behind the colon, up to the query).
    pub path: &'a str,
    /// Query without its question mark, if there is one that is not empty.
    pub query: Option<&'a str>,
}

/// Buffers of [`fold`], kept and used again.
#[derive(Clone, Debug)]
pub struct Folder {
    bytes: Vec<u8>,
    out: String,
}

impl Default for Folder {
    fn default() -> Self {
        Self { bytes: Vec::with_capacity(super::RESERVE), out: String::with_capacity(3 * super::RESERVE) }
    }
}

impl Folder {
    /// Buffers with room reserved.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Folds a canonical URL into the parts that keys are made of.
pub fn fold<'f>(url: &Canonical<'_>, folder: &'f mut Folder) -> Folded<'f> {
    let Folder { bytes, out } = folder;
    out.clear();
    for label in url.host.split('.').filter(|label| !label.is_empty()) {
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(label);
    }
    let host_end = out.len();
    let (path, query) = url.path_and_query.split_once('?').unwrap_or((url.path_and_query, ""));
    unescape(path.as_bytes(), bytes);
    if url.kind == super::HostKind::None {
        escape(bytes, out)
    } else {
        clean(bytes, out)
    }
    let path_end = out.len();
    unescape(query.as_bytes(), bytes);
    escape(bytes, out);
    let out = out.as_str();
    Folded {
        host: out.get(..host_end).unwrap_or_default(),
        path: out.get(host_end..path_end).unwrap_or_default(),
        query: out.get(path_end..).filter(|query| !query.is_empty()),
    }
}

/// Unescapes until nothing is left, in one pass: an escape that completes another one collapses at once. The order
/// does not matter, since no two escapes overlap.
pub(super) fn unescape(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    for &b in text {
        out.push(b);
        while let [.., b'%', high, low] = out.as_slice() {
            if !(high.is_ascii_hexdigit() && low.is_ascii_hexdigit()) {
                break;
            }
            let byte = hex(*high) << 4 | hex(*low);
            out.truncate(out.len() - 3);
            out.push(byte);
        }
    }
}

/// Appends a path with slashes collapsed and dot segments resolved.
fn clean(path: &[u8], out: &mut String) {
    let base = out.len();
    let mut open = true; // ends in a slash
    for segment in path.split(|&b| b == b'/') {
        open = match segment {
            b"" | b"." => true,
            b".." => {
                let cut = out.get(base..).and_then(|path| path.rfind('/')).unwrap_or_default();
                out.truncate(base + cut);
                true
            }
            _ => {
                out.push('/');
                escape(segment, out);
                false
            }
        };
    }
    if open {
        out.push('/');
    }
}

fn escape(bytes: &[u8], out: &mut String) {
    for &b in bytes {
        if b <= b' ' || b >= 0x7f || b == b'#' || b == b'%' {
            push_percent(b, out);
        } else {
            out.push(char::from(b));
        }
    }
}
