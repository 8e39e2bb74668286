//! Signatures beside the files of a verdict directory: Ed25519 by the console's key, checked by a filter whose root-owned configuration
//! names the public half.
//!
//! ```text
//! DIR/snapshot.sig, overlay.sig, senders.sig     a line for each version that may be met: SHA-256 of its octets, its number, signature
//! ```
//!
//! Numbers of one file grow, and are signed with it: a filter takes no overlay and no senders of a lower number than it took before, so that
//! an old file put back with its old signature is no news. They are Unix seconds, or the number before and one more where that is greater: a
//! desk that was restored from a backup goes on above what it had signed.
//!
//! A file and its signature cannot be replaced in one step. So the signatures of the next version and of those before it are written first,
//! then the file: at every moment what stands there is signed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use dataplane::verdicts::regular;

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
    /// Its name in the directory.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Overlay => "overlay",
            Self::Senders => "senders",
        }
    }

    fn message(self, sum: &[u8; 32], number: u64) -> Vec<u8> {
        [b"ztsms verdicts 2 ", self.name().as_bytes(), b"\n", sum, &number.to_be_bytes()[..]].concat()
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
        let path = dir.join(format!("{}.sig", what.name()));
        let new = dir.join(format!("{}.sig.new", what.name()));
        let before = fs::read_to_string(&path).unwrap_or_default();
        let last = before.lines().filter_map(Line::parse).map(|line| line.number).max().unwrap_or_default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let number = now.max(last.saturating_add(1));
        let signature = self.0.sign(&what.message(&sum, number));
        let sum = hex(&sum);
        let first = format!("{sum} {number} {}", hex(&signature.to_bytes()));
        let mut lines = vec![first.as_str()];
        lines.extend(before.lines().filter(|line| !line.starts_with(&sum)).take(LINES - 1));
        let write = || {
            let mut file = File::create(&new)?;
            lines.iter().try_for_each(|line| writeln!(file, "{line}"))?;
            file.sync_all()?;
            fs::rename(&new, &path)
        };
        write().map_err(at(&path))
    }
}

/// A line of a signature file.
struct Line<'l> {
    sum: &'l str,
    number: u64,
    signature: &'l str,
}

impl<'l> Line<'l> {
    fn parse(line: &'l str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (sum, number, signature) = (words.next()?, words.next()?, words.next()?);
        Some(Self { sum, number: number.parse().ok()?, signature })
    }
}

/// The console's public key, as the filter knows it.
#[derive(Clone, Debug)]
pub struct Verifier(VerifyingKey);

impl Verifier {
    /// The key, as a file holds it.
    pub fn public(&self) -> String {
        hex(self.0.as_bytes())
    }

    /// The key that a file of 64 hexadecimal digits holds.
    ///
    /// # Errors
    /// It cannot be read or holds no key.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        VerifyingKey::from_bytes(&octets(path)?).map(Self).map_err(|_| Error::SigningKey(path.to_owned()))
    }

    /// The number under which these very octets are signed: the highest, if there are several.
    ///
    /// # Errors
    /// The directory holds no signature of them.
    pub fn check(&self, dir: &Path, what: What, octets: &[u8]) -> Result<u64, Error> {
        let sum: [u8; 32] = Sha256::digest(octets).into();
        let path = dir.join(format!("{}.sig", what.name()));
        let text = regular::text(&path).map_err(at(&path))?;
        let shown = hex(&sum);
        let holds = |line: &Line<'_>| {
            let signature = from_hex::<64>(line.signature).map(|octets| Signature::from_bytes(&octets));
            signature.is_some_and(|signature| self.0.verify_strict(&what.message(&sum, line.number), &signature).is_ok())
        };
        let lines = text.lines().filter_map(Line::parse).filter(|line| line.sum == shown);
        lines.filter(holds).map(|line| line.number).max().ok_or_else(|| Error::NotSigned(dir.join(what.name())))
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
        let one = verifier.check(&dir, What::Overlay, b"one").expect("the one before may still stand there");
        let two = verifier.check(&dir, What::Overlay, b"two").unwrap();
        assert!(one < two, "{one} {two}");
        signer.sign(&dir, What::Overlay, b"one").unwrap();
        assert!(verifier.check(&dir, What::Overlay, b"one").unwrap() > two, "said again it is news");
        let text = fs::read_to_string(dir.join("overlay.sig")).unwrap();
        fs::write(dir.join("overlay.sig"), text.replace(&two.to_string(), "9999999999")).unwrap();
        assert!(verifier.check(&dir, What::Overlay, b"two").is_err(), "the number is signed");
        fs::write(dir.join("overlay.sig"), text).unwrap();
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
