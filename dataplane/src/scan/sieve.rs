//! The sieve: whether a message may hold a link at all.

use super::Scanner;

impl Scanner {
    /// Whether [`Scanner::find`] may find something in this UTF-8 text. So far every text passes.
    pub fn may_link(&self, _text: &[u8]) -> bool {
        true
    }

    /// As [`Scanner::may_link`] for unpacked septets of the GSM default alphabet.
    pub fn may_link_septets(&self, _septets: &[u8]) -> bool {
        true
    }

    /// As [`Scanner::may_link`] for UCS2, big endian.
    pub fn may_link_ucs2(&self, _be16: &[u8]) -> bool {
        true
    }
}
