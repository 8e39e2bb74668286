//! Where Android ends a link that begins with a scheme, if that is before the end of what a browser reads as the host.
//!
//! A browser takes all up to the next slash for user info and host, with any sign in it; Android's rule knows fewer signs and links what
//! stands before the first that it does not know. The two open different hosts, so both are read and the worse counts.
//!
//! Source: AOSP `Patterns.USER_INFO`, `RELAXED_DOMAIN_NAME`, `PORT_NUMBER`, `WORD_BOUNDARY`.

use super::chars::{is_dot, is_invisible, is_ucs, last_boundary};
use super::tail::{Tail, escapes, port_len};
use super::{Finder, Form, Link};
use crate::verdict::Confidence;

/// So many labels from its end on of a host that is refused are tried. Keeps the time linear.
const LABELS: usize = 8;

/// The most characters of a name and of a password in Android's user info.
const NAME: usize = 64;
const PASSWORD: usize = 25;

/// What Android links of the text behind a scheme and its slashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Where the host begins, behind the user info.
    pub(super) host: usize,
    /// Where it ends.
    pub(super) host_end: usize,
    /// Where the port ends.
    pub(super) end: usize,
}

impl Span {
    /// The span in `text`, without the path. `None`: the scheme begins no link.
    pub(super) fn read(text: &str) -> Option<Self> {
        user_info(text).and_then(|host| Self::from_host(text, host)).or_else(|| Self::from_host(text, 0))
    }

    fn from_host(text: &str, host: usize) -> Option<Self> {
        let greedy = host + host_len(text.get(host..)?);
        if greedy == host {
            return None;
        }
        let port = port_len(text.get(greedy..)?);
        if port > 0 || text.get(greedy..)?.starts_with(['/', '?']) {
            return Some(Self { host, host_end: greedy, end: greedy + port });
        }
        let host_end = last_boundary(text, host, greedy)?;
        Some(Self { host, host_end, end: host_end })
    }

    /// Whether the host may be one of the network's: a name with a dot in it, or a number.
    pub(super) fn resolves(&self, text: &str) -> bool {
        let host = text.get(self.host..self.host_end).unwrap_or_default().trim_end_matches(is_dot);
        host.contains(is_dot) || is_numeric(host)
    }
}

/// Whether a label may be a number to a browser, which makes ASCII digits of others: `３`, `①`.
pub(super) fn is_numeric(label: &str) -> bool {
    label.trim_start_matches(is_invisible).starts_with(char::is_numeric)
}

/// Whether an authority is read alike by all: letters and digits, single dots and hyphens between them, a dot behind them, a port. At a
/// hyphen behind them Android's host has ended.
#[inline]
pub(super) fn is_plain(authority: &[u8]) -> bool {
    let mut separated = true;
    for (at, octet) in authority.iter().enumerate() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => separated = false,
            b'.' if !separated => separated = true,
            b'-' if !separated && authority.get(at + 1).is_some_and(u8::is_ascii_alphanumeric) => separated = true,
            b':' => return authority.get(at + 1..).is_some_and(|port| port.iter().all(u8::is_ascii_digit)),
            // A sign that ends the host for all.
            b')' | b',' | b'!' | b'\'' | b';' | b']' => return !authority.contains(&b'@'),
            _ => return false,
        }
    }
    true
}

/// The length of user info with its `@` at the start of a text.
fn user_info(text: &str) -> Option<usize> {
    let name = info_len(text, NAME)?;
    let rest = text.get(name..)?;
    let password = rest.strip_prefix(':').and_then(|rest| info_len(rest, PASSWORD)).map_or(0, |len| 1 + len);
    rest.get(password..)?.starts_with('@').then_some(name + password + 1)
}

/// The length of one to `most` characters of user info, an escape being one.
fn info_len(text: &str, most: usize) -> Option<usize> {
    let mut at = 0;
    for _ in 0..most {
        match text.as_bytes().get(at) {
            Some(b'%') if escapes(text, at) => at += 3,
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9') => at += 1,
            Some(octet) if b"$-_.+!*'(),;?&=".contains(octet) => at += 1,
            _ => break,
        }
    }
    (at > 0).then_some(at)
}

/// The length of the longest host at the start of a text: labels begin and end with a letter, and a dot stands behind one of them.
fn host_len(text: &str) -> usize {
    let (mut end, mut inner) = (0, false);
    for (at, c) in text.char_indices() {
        if c.is_ascii_alphanumeric() || is_ucs(c) {
            (end, inner) = (at + c.len_utf8(), true);
        } else if c == '.' {
            // A second separator in a row, or a dot behind a hyphen: the label before is the last.
            if end != at || at == 0 {
                break;
            }
            inner = false;
        } else if !(matches!(c, '-' | '_') && inner) {
            break;
        }
    }
    end
}

impl<F: FnMut(&Link<'_>)> Finder<'_, '_, F> {
    /// A host that no browser takes, for one of its labels or for its port: what of it is registered, behind what is refused.
    #[inline(never)]
    pub(super) fn refused(
        &mut self,
        start: usize,
        (host_start, host_end): (usize, usize),
        how: (Form, Confidence),
        prefix: &str,
        tail: Tail,
    ) {
        let host = self.slice(host_start, host_end);
        let behind = self.slice(host_end, self.text.len());
        let path = (host_end + port_len(behind)).min(tail.trimmed.max(host_end));
        let end = tail.trimmed.max(path);
        // What ends in a number is an address or nothing: less of it would be another one.
        let numeric = host.rsplit(is_dot).next().is_some_and(is_numeric);
        let most = if numeric { 0 } else { LABELS };
        let mut dots = [0; LABELS];
        let mut count = 0;
        for (slot, (at, dot)) in dots.iter_mut().take(most).zip(host.rmatch_indices(is_dot).skip(1)) {
            *slot = at + dot.len();
            count += 1;
        }
        let labels = dots.iter().take(count).rev().copied();
        let whole = Some(0).filter(|_| path > host_end && host.contains(is_dot));
        for from in whole.into_iter().chain(labels) {
            self.scratch.candidate.clear();
            for part in [prefix, host.get(from..).unwrap_or_default(), self.slice(path, end)] {
                self.scratch.candidate.push_str(part);
            }
            if self.report_candidate((start, end), how) {
                return;
            }
        }
    }
}
