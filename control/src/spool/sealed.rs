//! `work` is sealed to the console's public key: the filter, and whoever takes its disk, cannot read what it wrote.
//!
//! Sealed boxes as libsodium's `crypto_box_seal` makes them (X25519, XSalsa20-Poly1305, BLAKE2b), one a block.

use std::path::Path;

use crypto_box::PublicKey;
use crypto_box::aead::OsRng;

pub use crypto_box::SecretKey;

/// The console's public key.
#[derive(Clone, Debug)]
pub struct ConsoleKey(PublicKey);

/// A file that holds no key.
#[derive(Debug, thiserror::Error)]
#[error("not a key of 64 hexadecimal digits")]
pub struct NotAKey;

impl ConsoleKey {
    /// The public half of `secret`.
    pub fn of(secret: &SecretKey) -> Self {
        Self(secret.public_key())
    }

    /// A key of 64 hexadecimal digits.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, NotAKey> {
        octets(text).map(|octets| Self(PublicKey::from_bytes(octets))).ok_or(NotAKey)
    }

    /// The key that a file holds.
    ///
    /// # Errors
    /// It cannot be read or holds none.
    pub fn from_file(path: &Path) -> std::io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        Self::parse(text.trim()).map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
    }

    /// What only the secret half opens. Empty where the key is one that nothing can be sealed for.
    pub fn seal(&self, plain: &[u8]) -> Vec<u8> {
        self.0.seal(&mut OsRng, plain).unwrap_or_default()
    }

    /// In hexadecimal.
    pub fn to_hex(&self) -> String {
        hex(self.0.as_bytes())
    }
}

/// A new secret key.
pub fn new_secret_key() -> SecretKey {
    SecretKey::generate(&mut OsRng)
}

/// A secret key of 64 hexadecimal digits, with or without `secret ` in front.
///
/// # Errors
/// It is none.
pub fn secret_key(text: &str) -> Result<SecretKey, NotAKey> {
    octets(text.strip_prefix("secret ").unwrap_or(text)).map(SecretKey::from_bytes).ok_or(NotAKey)
}

pub(super) fn open(key: &SecretKey, sealed: &[u8]) -> Option<Vec<u8>> {
    key.unseal(sealed).ok()
}

fn octets(text: &str) -> Option<[u8; 32]> {
    let (high, low) = text.split_at_checked(32)?;
    if low.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut octets = [0; 32];
    let halves = [high, low].map(|half| u128::from_str_radix(half, 16).unwrap_or_default().to_be_bytes());
    octets.iter_mut().zip(halves.concat()).for_each(|(to, from)| *to = from);
    Some(octets)
}

fn hex(octets: &[u8]) -> String {
    crate::record_json::hex(octets)
}
