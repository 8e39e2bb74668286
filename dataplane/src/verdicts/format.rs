//! The snapshot file: a header of 4 096 octets, then four parts, each at a multiple of 64. Little endian throughout.
//!
//! ```text
//! header   magic "ZTSVERD\n" | version | reach | then the u64 fields of [`Header`] in order | zeros | checksum of all before
//! buckets  (buckets + reach) × 64: 8 words of 8 octets        the hot part: one cache line a key
//! records  one of 16 for each slot: pattern at (48 bits) and length (16) | origin (32) | verdict (8) | layer (8) | 0
//! origins  48 each: category, source, senders, note as (at u32, length u32), end as Unix seconds (u64, 0: none), 0
//! strings  UTF-8
//! ```

use xxhash_rust::xxh3::xxh3_64;

pub(super) const HEADER: usize = 4096;
pub(super) const LINE: u64 = 64;
pub(super) const SLOTS: u64 = 8;
pub(super) const RECORD: u64 = 16;
pub(super) const ORIGIN: u64 = 48;
const MAGIC: &[u8; 8] = b"ZTSVERD\n";
/// Version of the file format: 1 hashed a pattern with its sign, 2 hashes its kind.
pub const FORMAT_VERSION: u32 = 2;

/// What the header says. Every size follows from it, so that a file of another length is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Buckets beyond the home one that a look-up may have to read.
    pub reach: u32,
    /// Tells snapshots apart: a hash of all the rest.
    pub id: u64,
    /// Version of the canonical rules that keys were made by.
    pub rules_version: u64,
    /// Identity of the suffix list that keys were made by.
    pub suffix_id: u64,
    /// [`super::Key::check`] of the key.
    pub key_check: u64,
    /// Words in use: entries, and the nodes that only say that finer rules exist.
    pub words: u64,
    /// Entries.
    pub entries: u64,
    /// Home buckets.
    pub buckets: u64,
    /// Origins: distinct sets of category, source, senders, end and note.
    pub origins: u64,
    /// Octets of strings.
    pub strings: u64,
    /// Local rules for whole public suffixes.
    pub suffix_rules: u64,
    /// When it was built, Unix seconds: what had ended by then is marked so.
    pub built: u64,
    /// Checksum of all behind the header.
    pub body_sum: u64,
}

/// Why a file was not taken as a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not a snapshot at all.
    NotASnapshot,
    /// Another version of the format.
    Version(u32),
    /// The header's checksum does not hold.
    Header,
    /// The file is not as long as the header says: octets wanted, octets there.
    Size(u64, u64),
    /// The body's checksum does not hold.
    Body,
    /// Made with another key.
    Key,
    /// Made with other canonical rules: theirs, ours.
    Rules(u64, u64),
    /// Made with another suffix list: theirs, ours.
    SuffixList(u64, u64),
    /// An overlay of another snapshot: the overlay's, this one's.
    Overlay(u64, u64),
    /// The system gives no memory for so many octets.
    Memory(u64),
}

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotASnapshot => f.write_str("not a verdict snapshot"),
            Self::Version(theirs) => write!(f, "snapshot of format {theirs}, this program reads {FORMAT_VERSION}"),
            Self::Header => f.write_str("damaged: the header's checksum does not hold"),
            Self::Size(want, have) => write!(f, "cut or grown: {want} octets by its header, {have} in the file"),
            Self::Body => f.write_str("damaged: the body's checksum does not hold"),
            Self::Key => f.write_str("made with another key than the one beside it"),
            Self::Rules(theirs, ours) => {
                write!(f, "made by version {theirs} of the canonical rules, this program has {ours}: build again")
            }
            Self::SuffixList(theirs, ours) => {
                write!(f, "made with suffix list {theirs:016x}, this program has {ours:016x}: build again")
            }
            Self::Memory(octets) => write!(f, "the system gives no memory for {octets} octets"),
            Self::Overlay(theirs, ours) => write!(f, "overlay of snapshot {theirs:016x}, this is snapshot {ours:016x}"),
        }
    }
}

impl core::error::Error for Refused {}

impl Header {
    /// The u64 fields, in order.
    const fn fields(&mut self) -> [&mut u64; 12] {
        let Self {
            reach: _,
            id,
            rules_version,
            suffix_id,
            key_check,
            words,
            entries,
            buckets,
            origins,
            strings,
            suffix_rules,
            built,
            body_sum,
        } = self;
        [id, rules_version, suffix_id, key_check, words, entries, buckets, origins, strings, suffix_rules, built, body_sum]
    }

    /// The header's octets, with `id` and checksum set.
    pub(super) fn seal(mut self) -> (Self, Vec<u8>) {
        self.id = 0;
        self.id = xxh3_64(&self.octets());
        let mut octets = self.octets();
        octets.extend_from_slice(&xxh3_64(&octets).to_le_bytes());
        (self, octets)
    }

    fn octets(mut self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        out.extend_from_slice(&self.reach.to_le_bytes());
        self.fields().iter().for_each(|field| out.extend_from_slice(&field.to_le_bytes()));
        out.resize(HEADER - 8, 0);
        out
    }

    /// Reads and checks the header of a file of `len` octets.
    ///
    /// # Errors
    /// Any octet that is not as it was written, and any length but the right one.
    pub fn parse(file: &[u8], len: u64) -> Result<Self, Refused> {
        let Some(start) = file.get(..HEADER) else {
            let ours = file.starts_with(MAGIC);
            return Err(if ours { Refused::Size(HEADER as u64, file.len() as u64) } else { Refused::NotASnapshot });
        };
        if !start.starts_with(MAGIC) {
            return Err(Refused::NotASnapshot);
        }
        let (body, sum) = start.split_last_chunk::<8>().ok_or(Refused::NotASnapshot)?;
        if xxh3_64(body) != u64::from_le_bytes(*sum) {
            return Err(Refused::Header);
        }
        let version = word32(body, 8);
        if version != FORMAT_VERSION {
            return Err(Refused::Version(version));
        }
        let mut header = Self { reach: word32(body, 12), ..Self::default() };
        for (n, field) in (0..).zip(header.fields()) {
            *field = word64(body, 16 + 8 * n);
        }
        let want = header.layout().end;
        if want != len {
            return Err(Refused::Size(want, len));
        }
        Ok(header)
    }

    /// Where each part begins.
    pub(super) fn layout(&self) -> Layout {
        let lines = self.buckets.saturating_add(u64::from(self.reach));
        let buckets = HEADER as u64;
        let records = buckets.saturating_add(lines.saturating_mul(LINE));
        let origins = records.saturating_add(lines.saturating_mul(SLOTS * RECORD));
        let strings =
            origins.saturating_add(self.origins.saturating_mul(ORIGIN)).checked_next_multiple_of(LINE).unwrap_or(u64::MAX);
        Layout { buckets, records, origins, strings, end: strings.saturating_add(self.strings) }
    }
}

/// Where each part of the file begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) buckets: u64,
    pub(super) records: u64,
    pub(super) origins: u64,
    pub(super) strings: u64,
    pub(super) end: u64,
}

/// The octets from `at` on; none where the file ends before.
pub(super) fn slice(bytes: &[u8], at: u64, len: u64) -> &[u8] {
    let range = usize::try_from(at).ok().zip(at.checked_add(len).and_then(|end| usize::try_from(end).ok()));
    range.and_then(|(at, end)| bytes.get(at..end)).unwrap_or_default()
}

/// Eight octets at `at`, 0 beyond the end.
pub(super) fn word64(bytes: &[u8], at: u64) -> u64 {
    slice(bytes, at, 8).first_chunk().map_or(0, |octets| u64::from_le_bytes(*octets))
}

/// Four octets at `at`, 0 beyond the end.
pub(super) fn word32(bytes: &[u8], at: u64) -> u32 {
    slice(bytes, at, 4).first_chunk().map_or(0, |octets| u32::from_le_bytes(*octets))
}
