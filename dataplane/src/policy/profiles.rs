//! What a recipient asked for: five kinds and a language in six bits, keyed by IMSI or MSISDN.
//!
//! A table of recipients has the format of the verdict table: one word of 64 bits an entry, six bits of it free for what the entry
//! says, the rest a keyed fingerprint of [`Subscriber::key`]. One look-up a message; who is not in it has the policy's default.

mod table;

pub use table::{Recipients, Refused, build};

/// What is done for a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Not filtered: the message is neither looked at nor counted by link.
    Off = 0,
    /// Judged and recorded, never changed.
    Observe = 1,
    /// The preset `warn`.
    Warn = 2,
    /// The preset `quiet`.
    Quiet = 3,
    /// The preset `strict`.
    Strict = 4,
}

impl Kind {
    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [
            ("off", Self::Off),
            ("observe", Self::Observe),
            ("warn", Self::Warn),
            ("quiet", Self::Quiet),
            ("strict", Self::Strict),
        ];
        all.into_iter().find(|(known, _)| *known == name).map(|(_, kind)| kind)
    }
}

/// Number of a language in the policy's list, from 0. At most [`MAX_LANGUAGES`](Self::MAX_LANGUAGES) fit a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Language(pub u8);

impl Language {
    /// Languages that a profile can name.
    pub const MAX_LANGUAGES: u8 = 11;
}

/// A recipient's profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    /// What is done.
    pub kind: Kind,
    /// In which language; `None` is the policy's own.
    pub language: Option<Language>,
}

const SLOTS: u8 = Language::MAX_LANGUAGES + 1;
const _: () = assert!(5 * SLOTS <= 64, "kind and language share six bits");

impl Profile {
    /// The six bits in the table; `None` for a language beyond those that fit.
    pub const fn pack(self) -> Option<u8> {
        let slot = match self.language {
            None => 0,
            Some(Language(n)) if n < Language::MAX_LANGUAGES => n + 1,
            Some(_) => return None,
        };
        Some(self.kind as u8 * SLOTS + slot)
    }

    /// The profile in six bits of the table; `None` where they hold none.
    pub const fn unpack(bits: u8) -> Option<Self> {
        let kind = match bits / SLOTS {
            0 => Kind::Off,
            1 => Kind::Observe,
            2 => Kind::Warn,
            3 => Kind::Quiet,
            4 => Kind::Strict,
            _ => return None,
        };
        let language = match bits % SLOTS {
            0 => None,
            slot => Some(Language(slot - 1)),
        };
        Some(Self { kind, language })
    }
}

/// Whom a profile is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscriber<'a> {
    /// By IMSI, digits.
    Imsi(&'a str),
    /// By MSISDN, digits without `+`.
    Msisdn(&'a str),
}

impl Subscriber<'_> {
    /// What the table's keyed hash is taken of: one octet for the kind, then the digits. `None` beyond 20 digits.
    pub fn key<'b>(&self, buffer: &'b mut [u8; 21]) -> Option<&'b [u8]> {
        let (tag, digits) = match self {
            Self::Imsi(digits) => (b'I', digits),
            Self::Msisdn(digits) => (b'M', digits),
        };
        let (first, rest) = buffer.split_first_mut()?;
        *first = tag;
        rest.get_mut(..digits.len())?.copy_from_slice(digits.as_bytes());
        buffer.get(..=digits.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_bits_hold_every_profile_and_nothing_else() {
        let mut seen = 0;
        for bits in 0..64 {
            let Some(profile) = Profile::unpack(bits) else { continue };
            assert_eq!(profile.pack(), Some(bits));
            seen += 1;
        }
        assert_eq!(seen, 60);
        assert_eq!(Profile { kind: Kind::Warn, language: Some(Language(11)) }.pack(), None);
    }

    #[test]
    fn imsi_and_msisdn_of_the_same_digits_have_different_keys() {
        let (mut a, mut b) = ([0; 21], [0; 21]);
        assert_eq!(Subscriber::Imsi("20801").key(&mut a), Some(&b"I20801"[..]));
        assert_eq!(Subscriber::Msisdn("20801").key(&mut b), Some(&b"M20801"[..]));
        assert_eq!(Subscriber::Imsi("123456789012345678901").key(&mut a), None);
    }
}
