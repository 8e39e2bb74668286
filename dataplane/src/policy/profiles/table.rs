//! The table of recipients: the words and buckets of the verdict table, one look-up a message.
//!
//! ```text
//! header   256 octets: magic "ZTSRECP\n" | version u32 | reach u32 | key check | entries | buckets | sum of the buckets (u64 each)
//!          | 11 codes of languages, 16 octets each | zeros | sum of all before
//! buckets  (buckets + reach) × 64: 8 words, 58 bits of fingerprint and the 6 of the profile; 0 is an empty slot
//! ```
//!
//! Little endian. A key lies in its home bucket or, where that is full, in one of the next `reach`. The digits themselves are not in it:
//! who has not the key that lies beside the file learns how many recipients it holds, and nothing of whom.

use super::{Language, Profile, Subscriber};
use crate::verdicts::Key;
use crate::verdicts::keys::Place;
use core::fmt;
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: &[u8; 8] = b"ZTSRECP\n";
const VERSION: u32 = 1;
const HEADER: usize = 256;
const SLOTS: usize = 8;
const CODE: usize = 16;
const CODES_AT: usize = 48;
const PROFILE_BITS: u32 = 6;

/// One cache line.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Bucket([u64; SLOTS]);

/// Why a table is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Something else, or another version of the format.
    NotATable,
    /// Not as long as it says, or an octet is not as it was written.
    Damaged,
    /// Made with another key than the one beside it.
    Key,
    /// It names a language that the policy has not.
    Language(String),
    /// More than eleven languages, or a code of more than sixteen octets.
    Languages,
    /// The same subscriber twice.
    Twice(String),
    /// Not one to twenty digits.
    Digits(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotATable => f.write_str("not a table of recipients that this program reads"),
            Self::Damaged => f.write_str("damaged: a sum or the length does not hold"),
            Self::Key => f.write_str("made with another key than the one beside it"),
            Self::Language(code) => write!(f, "names the language `{code}`, which the policy has not"),
            Self::Languages => f.write_str("at most 11 languages of 16 octets have a place"),
            Self::Twice(digits) => write!(f, "`{digits}` stands twice"),
            Self::Digits(digits) => write!(f, "`{digits}` is not 1 to 20 digits"),
        }
    }
}

impl core::error::Error for Refused {}

/// A table ready for look-ups.
#[derive(Clone)]
pub struct Recipients {
    key: Key,
    lines: Box<[Bucket]>,
    buckets: u64,
    reach: u32,
    entries: u64,
    languages: [Option<Language>; Language::MAX_LANGUAGES as usize],
    id: u64,
}

impl fmt::Debug for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipients({} entries, {:016x})", self.entries, self.id)
    }
}

impl Recipients {
    /// Reads a table; `language` numbers the codes that it names.
    ///
    /// # Errors
    /// Whatever is not as [`build`] wrote it, another key, or a language that there is not.
    pub fn read(file: &[u8], key: Key, language: impl Fn(&str) -> Option<Language>) -> Result<Self, Refused> {
        let (header, body) = file.split_first_chunk::<HEADER>().ok_or(Refused::NotATable)?;
        if !header.starts_with(MAGIC) || number(header, 8) & 0xffff_ffff != u64::from(VERSION) {
            return Err(Refused::NotATable);
        }
        let id = number(header, HEADER - 8);
        let reach = number(header, 8) >> 32;
        let [check, entries, buckets, sum] = [16, 24, 32, 40].map(|at| number(header, at));
        let lines = buckets.checked_add(reach).and_then(|lines| lines.checked_mul(64));
        let whole = id == xxh3_64(header.get(..HEADER - 8).unwrap_or_default()) && lines == Some(body.len() as u64);
        if !whole || buckets == 0 || sum != xxh3_64(body) {
            return Err(Refused::Damaged);
        }
        if check != key.check() {
            return Err(Refused::Key);
        }
        let mut languages = [None; Language::MAX_LANGUAGES as usize];
        let codes = header.get(CODES_AT..).unwrap_or_default().chunks(CODE);
        for (slot, code) in languages.iter_mut().zip(codes) {
            let code = core::str::from_utf8(code).unwrap_or_default().trim_end_matches('\0');
            if !code.is_empty() {
                *slot = Some(language(code).ok_or_else(|| Refused::Language(code.to_owned()))?);
            }
        }
        let words = |line: &[u8; 64]| Bucket(core::array::from_fn(|slot| number(line, slot * 8)));
        let lines = body.as_chunks::<64>().0.iter().map(words).collect();
        Ok(Self { key, lines, buckets, reach: reach as u32, entries, languages, id })
    }

    /// What a subscriber asked for.
    pub fn find(&self, subscriber: &Subscriber<'_>) -> Option<Profile> {
        let mut buffer = [0; 21];
        let place = self.key.hash(core::str::from_utf8(subscriber.key(&mut buffer)?).ok()?);
        let home = usize::try_from(place.bucket(self.buckets)).ok()?;
        for line in self.lines.get(home..=home + self.reach as usize)? {
            if let Some(word) = line.0.iter().find(|&&word| word >> PROFILE_BITS == place.tag()) {
                let profile = Profile::unpack((word & 0x3f) as u8)?;
                let language = profile.language.and_then(|Language(n)| *self.languages.get(usize::from(n))?);
                return Some(Profile { language, ..profile });
            }
            if line.0.contains(&0) {
                return None;
            }
        }
        None
    }

    /// Recipients in it.
    pub const fn len(&self) -> u64 {
        self.entries
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Tells this table from all others.
    pub const fn id(&self) -> u64 {
        self.id
    }
}

/// The octets of a table. A profile names its language by its place in `codes`. The same entries and key give the same octets.
///
/// # Errors
/// A subscriber that stands twice or is not digits, and more languages than fit.
pub fn build(entries: &[(Subscriber<'_>, Profile)], codes: &[&str], key: &Key) -> Result<Vec<u8>, Refused> {
    if codes.len() > usize::from(Language::MAX_LANGUAGES) || codes.iter().any(|code| code.len() > CODE) {
        return Err(Refused::Languages);
    }
    let mut words: Vec<(Place, u64, &str)> = Vec::with_capacity(entries.len());
    for (subscriber, profile) in entries {
        let (Subscriber::Imsi(digits) | Subscriber::Msisdn(digits)) = *subscriber;
        let mut buffer = [0; 21];
        let text = subscriber.key(&mut buffer).and_then(|key| core::str::from_utf8(key).ok());
        let text = text.filter(|_| !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit()));
        let place = key.hash(text.ok_or_else(|| Refused::Digits(digits.to_owned()))?);
        words.push((place, place.tag() << PROFILE_BITS | u64::from(profile.pack().ok_or(Refused::Languages)?), digits));
    }
    words.sort_unstable();
    if let Some([(.., digits), _]) = words.array_windows().find(|[(a, ..), (b, ..)]| a == b) {
        return Err(Refused::Twice((*digits).to_owned()));
    }
    // Six of ten slots in use, as in the verdict table.
    let buckets = (words.len() as u64 * 10).div_ceil(6 * SLOTS as u64).max(1);
    let mut lines = vec![Bucket::default(); usize::try_from(buckets).unwrap_or(usize::MAX)];
    let mut reach = 0;
    for (place, word, _) in &words {
        let home = usize::try_from(place.bucket(buckets)).unwrap_or(usize::MAX);
        let free = lines.iter_mut().skip(home).flat_map(|line| line.0.iter_mut()).position(|slot| {
            let free = *slot == 0;
            if free {
                *slot = *word;
            }
            free
        });
        let line = free.map_or(lines.len() - home, |slot| slot / SLOTS);
        if free.is_none() {
            lines.push(Bucket([*word, 0, 0, 0, 0, 0, 0, 0]));
        }
        reach = reach.max(line);
    }
    lines.resize(lines.len().max(usize::try_from(buckets).unwrap_or(usize::MAX) + reach), Bucket::default());
    // What was pushed behind the last home bucket is part of every reach.
    let reach = lines.len() as u64 - buckets;
    let body: Vec<u8> = lines.iter().flat_map(|line| line.0).flat_map(u64::to_le_bytes).collect();
    let mut out = Vec::with_capacity(HEADER + body.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&u32::try_from(reach).unwrap_or(u32::MAX).to_le_bytes());
    for field in [key.check(), words.len() as u64, buckets, xxh3_64(&body)] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    for code in codes {
        out.extend_from_slice(code.as_bytes());
        out.resize(out.len().next_multiple_of(CODE), 0);
    }
    out.resize(HEADER - 8, 0);
    let sum = xxh3_64(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out.extend_from_slice(&body);
    Ok(out)
}

/// Eight octets at `at`, 0 beyond the end.
fn number(octets: &[u8], at: usize) -> u64 {
    octets.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |octets| u64::from_le_bytes(*octets))
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    const CODES: [&str; 2] = ["fr", "tr"];

    fn language(code: &str) -> Option<Language> {
        [("tr", 8), ("fr", 2)].into_iter().find(|(known, _)| *known == code).map(|(_, n)| Language(n))
    }

    #[test]
    fn every_recipient_is_found_with_its_profile_and_nobody_else() {
        let key = Key::new(&[7; 16]);
        let digits: Vec<String> = (0..5000).map(|n| format!("20801{n:010}")).collect();
        let kinds = [Kind::Off, Kind::Observe, Kind::Warn, Kind::Quiet, Kind::Strict];
        let asked = |n: usize| Profile { kind: kinds[n % 5], language: [None, Some(Language(0)), Some(Language(1))][n % 3] };
        let entries: Vec<_> = digits.iter().enumerate().map(|(n, digits)| (Subscriber::Imsi(digits), asked(n))).collect();
        let file = build(&entries, &CODES, &key).unwrap();
        let mut shuffled = entries.clone();
        shuffled.reverse();
        assert_eq!(build(&shuffled, &CODES, &key).unwrap(), file, "the same for any order");
        let table = Recipients::read(&file, key, language).unwrap();
        assert_eq!(table.len(), 5000);
        for (n, digits) in digits.iter().enumerate() {
            let expected = Profile { language: [None, Some(Language(2)), Some(Language(8))][n % 3], ..asked(n) };
            assert_eq!(table.find(&Subscriber::Imsi(digits)), Some(expected), "{digits}");
            assert_eq!(table.find(&Subscriber::Msisdn(digits)), None);
        }
    }

    #[test]
    fn what_is_not_as_it_was_written_is_refused() {
        let key = Key::new(&[7; 16]);
        let warn = Profile { kind: Kind::Warn, language: Some(Language(0)) };
        let file = build(&[(Subscriber::Msisdn("33600000001"), warn)], &CODES, &key).unwrap();
        let read = |file: &[u8], key: &Key| Recipients::read(file, key.clone(), language).map(|table| table.len());
        assert_eq!(read(&file, &key), Ok(1));
        assert_eq!(read(&file, &Key::new(&[8; 16])), Err(Refused::Key));
        assert_eq!(Recipients::read(&file, key.clone(), |_| None).unwrap_err(), Refused::Language("fr".into()));
        (0..file.len()).for_each(|len| assert!(read(&file[..len], &key).is_err(), "cut at {len}"));
        for at in 0..file.len() {
            let mut bad = file.clone();
            bad[at] ^= 1;
            assert!(read(&bad, &key).is_err(), "octet {at}");
        }
        for (digits, refused) in [("", Refused::Digits(String::new())), ("+33", Refused::Digits("+33".into()))] {
            assert_eq!(build(&[(Subscriber::Imsi(digits), warn)], &CODES, &key), Err(refused));
        }
        let twice = [(Subscriber::Imsi("1"), warn), (Subscriber::Imsi("1"), Profile { kind: Kind::Off, language: None })];
        assert_eq!(build(&twice, &CODES, &key), Err(Refused::Twice("1".into())));
    }
}
