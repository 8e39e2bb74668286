//! Redirect ids: a keyed hash of message and link, with a keyed check of its own, so that a link of ours is known for ours by itself.
//!
//! ```text
//! ID = 16 characters of 0-9A-Za-z: 11 of SipHash-2-4(key, message, link), 64 bits; 5 of SipHash-2-4(key, those 11) mod 62^5
//! ```
//!
//! The same message and link give the same id, so a retransmission gets the same text. Who has not the key guesses the check once in
//! 9·10⁸ tries, and wins a link to a page that says "unknown link".

use siphasher::sip128::{Hasher128, SipHasher24};

/// Characters of an id.
pub const ID_CHARACTERS: usize = 16;
const BODY: usize = 11;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The id of one redirected link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RedirectId([u8; ID_CHARACTERS]);

/// An id that stands in the new text, and the link (by number in [`Message::links`](super::Message::links)) that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The id.
    pub id: RedirectId,
    /// Which link.
    pub link: usize,
}

/// The secret that ids are made with.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RedirectKey(pub [u8; 16]);

impl core::fmt::Debug for RedirectKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RedirectKey(..)")
    }
}

impl RedirectKey {
    /// The id for a link of a message: `parts` are whatever names the two, in a fixed order.
    pub fn id(&self, parts: &[&[u8]]) -> RedirectId {
        let mut id = [0; ID_CHARACTERS];
        let (body, check) = id.split_at_mut(BODY);
        write_base62(self.hash(b'i', parts), body);
        write_base62(self.hash(b'c', &[body]), check);
        RedirectId(id)
    }

    /// Whether this is an id that this key made.
    pub fn made(&self, id: &str) -> bool {
        let Some((body, check)) = id.as_bytes().split_at_checked(BODY) else { return false };
        let mut expected = [0; ID_CHARACTERS - BODY];
        write_base62(self.hash(b'c', &[body]), &mut expected);
        check == expected
    }

    fn hash(&self, purpose: u8, parts: &[&[u8]]) -> u64 {
        use core::hash::Hasher;
        let mut hasher = SipHasher24::new_with_key(&self.0);
        hasher.write(&[purpose]);
        for part in parts {
            // Length first: ("ab", "c") and ("a", "bc") must differ.
            hasher.write(&(part.len() as u64).to_le_bytes());
            hasher.write(part);
        }
        hasher.finish128().h1
    }
}

fn write_base62(mut value: u64, out: &mut [u8]) {
    for digit in out {
        *digit = DIGITS.get((value % 62) as usize).copied().unwrap_or(b'0');
        value /= 62;
    }
}

impl RedirectId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: RedirectKey = RedirectKey([7; 16]);

    #[test]
    fn an_id_is_known_by_its_key_alone() {
        let id = KEY.id(&[b"message", b"link"]);
        assert_eq!(id.as_str().len(), ID_CHARACTERS);
        assert!(KEY.made(id.as_str()));
        assert!(!RedirectKey([8; 16]).made(id.as_str()));
        for at in 0..ID_CHARACTERS {
            let mut forged = id.as_str().to_owned().into_bytes();
            forged[at] = if forged[at] == b'z' { b'y' } else { b'z' };
            assert!(!KEY.made(core::str::from_utf8(&forged).unwrap()), "character {at}");
        }
        assert!(!KEY.made("") && !KEY.made("short") && !KEY.made(&format!("{}x", id.as_str())));
    }

    #[test]
    fn the_same_message_and_link_give_the_same_id_and_others_do_not() {
        assert_eq!(KEY.id(&[b"a", b"b"]), KEY.id(&[b"a", b"b"]));
        assert_ne!(KEY.id(&[b"a", b"b"]), KEY.id(&[b"ab", b""]));
    }
}
