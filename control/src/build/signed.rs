//! Signatures beside the files of a verdict directory: Ed25519 by the console's key, checked by a filter whose root-owned configuration
//! names the public half.
//!
//! ```text
//! DIR/snapshot.sig, overlay.sig, senders.sig     a line for each version that may be met: SHA-256 of its octets, signature, in hexadecimal
//! ```
//!
//! A file and its signature cannot be replaced in one step. So the signatures of the next version and of those before it are written first,
//! then the file: at every moment what stands there is signed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::{Error, at};
use crate::record_json::hex;

/// Lines of a signature file: this version, and those that a reader may still meet.
const LINES: usize = 8;

/// What is signed, so that a signature of one file is none of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// `snapshot`, and those kept.
    Snapshot,
    /// `overlay`.
    Overlay,
    /// `senders`.
    Senders,
}

impl What {
    const fn name(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Overlay => "overlay",
            Self::Senders => "senders",
        }
    }

    fn message(self, sum: &[u8; 32]) -> Vec<u8> {
        [b"ztsms verdicts 1 ", self.name().as_bytes(), b"\n", sum].concat()
    }
}

/// The console's secret key.
pub struct Signer(SigningKey);

impl Signer {
    /// The key that a file of 64 hexadecimal digits holds; made, for its owner's eyes alone, where there is none.
    ///
    /// # Errors
    /// It cannot be read or made, or holds no key.
    pub fn read_or_make(path: &Path) -> Result<Self, Error> {
        if !path.exists() {
            let mut secret = [0; 32];
            File::open("/dev/urandom").and_then(|mut random| io::Read::read_exact(&mut random, &mut secret)).map_err(at(path))?;
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(path).map_err(at(path))?;
            writeln!(file, "{}", hex(&secret)).and_then(|()| file.sync_all()).map_err(at(path))?;
        }
        octets(path).map(|secret| Self(SigningKey::from_bytes(&secret)))
    }

    /// The public half, as a filter's `verdicts_key_file` holds it.
    pub fn public(&self) -> String {
        hex(self.0.verifying_key().as_bytes())
    }

    /// Signs the next version of a file, before it is put in its place. What stood in the signature file before stays, as far as it is
    /// not too old.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn sign(&self, dir: &Path, what: What, octets: &[u8]) -> Result<(), Error> {
        let sum: [u8; 32] = Sha256::digest(octets).into();
        let signature = self.0.sign(&what.message(&sum));
        let first = format!("{} {}", hex(&sum), hex(&signature.to_bytes()));
        let path = dir.join(format!("{}.sig", what.name()));
        let new = dir.join(format!("{}.sig.new", what.name()));
        let before = fs::read_to_string(&path).unwrap_or_default();
        let mut lines = vec![first.as_str()];
        lines.extend(before.lines().filter(|line| *line != first).take(LINES - 1));
        let write = || {
            let mut file = File::create(&new)?;
            lines.iter().try_for_each(|line| writeln!(file, "{line}"))?;
            file.sync_all()?;
            fs::rename(&new, &path)
        };
        write().map_err(at(&path))
    }
}

/// The console's public key, as the filter knows it.
#[derive(Clone, Debug)]
pub struct Verifier(VerifyingKey);

impl Verifier {
    /// The key that a file of 64 hexadecimal digits holds.
    ///
    /// # Errors
    /// It cannot be read or holds no key.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        VerifyingKey::from_bytes(&octets(path)?).map(Self).map_err(|_| Error::SigningKey(path.to_owned()))
    }

    /// Whether the directory holds a signature of these very octets.
    ///
    /// # Errors
    /// It holds none.
    pub fn check(&self, dir: &Path, what: What, octets: &[u8]) -> Result<(), Error> {
        let sum: [u8; 32] = Sha256::digest(octets).into();
        let path = dir.join(format!("{}.sig", what.name()));
        let text = fs::read_to_string(&path).map_err(at(&path))?;
        let shown = hex(&sum);
        let signed = text.lines().filter_map(|line| line.split_once(' ')).filter(|(of, _)| *of == shown).any(|(_, signature)| {
            let signature = from_hex::<64>(signature.trim()).map(|octets| Signature::from_bytes(&octets));
            signature.is_some_and(|signature| self.0.verify_strict(&what.message(&sum), &signature).is_ok())
        });
        if signed { Ok(()) } else { Err(Error::NotSigned(dir.join(what.name()))) }
    }
}

fn octets(path: &Path) -> Result<[u8; 32], Error> {
    let text = fs::read_to_string(path).map_err(at(path))?;
    from_hex(text.trim()).ok_or_else(|| Error::SigningKey(path.to_owned()))
}

fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if text.len() != N * 2 || !text.is_ascii() {
        return None;
    }
    for (n, octet) in out.iter_mut().enumerate() {
        *octet = u8::from_str_radix(text.get(n * 2..n * 2 + 2)?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_is_taken_and_nothing_else() {
        let dir = std::env::temp_dir().join(format!("ztsms-signed-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        let signer = Signer::read_or_make(&dir.join("secret")).unwrap();
        fs::write(dir.join("public"), signer.public()).unwrap();
        let verifier = Verifier::from_file(&dir.join("public")).unwrap();
        assert!(verifier.check(&dir, What::Overlay, b"one").is_err(), "no signature at all");
        signer.sign(&dir, What::Overlay, b"one").unwrap();
        signer.sign(&dir, What::Overlay, b"two").unwrap();
        assert!(verifier.check(&dir, What::Overlay, b"one").is_ok(), "the one before may still stand there");
        assert!(verifier.check(&dir, What::Overlay, b"two").is_ok());
        assert!(verifier.check(&dir, What::Overlay, b"three").is_err());
        fs::copy(dir.join("overlay.sig"), dir.join("snapshot.sig")).unwrap();
        assert!(verifier.check(&dir, What::Snapshot, b"two").is_err(), "a signature of one file is none of another");
        let other = Signer::read_or_make(&dir.join("other")).unwrap();
        other.sign(&dir, What::Senders, b"two").unwrap();
        assert!(verifier.check(&dir, What::Senders, b"two").is_err(), "another key");
        (0..20).for_each(|n: u8| signer.sign(&dir, What::Overlay, &[n]).unwrap());
        assert!(verifier.check(&dir, What::Overlay, b"one").is_err(), "too old");
        assert!(matches!(Verifier::from_file(&dir.join("overlay.sig")), Err(Error::SigningKey(_))));
        fs::remove_dir_all(&dir).unwrap();
    }
}
