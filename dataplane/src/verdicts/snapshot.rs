//! The immutable table: one file, one cache line a key.
//!
//! A bucket is one cache line of 8 words. A key lies in its home bucket or, where that was full, in one of the next `reach` ones. A full
//! bucket that sent a key on says so by the order of its first two words (ascending; else descending), so that a look-up that misses
//! reads a second line only then. See `docs/verdicts.md`.

use super::format::{self, HEADER, Header, LINE, Layout, ORIGIN, RECORD, Refused, SLOTS, slice, word32, word64};
use super::keys::{Place, Word};
use super::{Entry, Layer, map, regular};
use crate::verdict::Verdict;
use std::io::Read as _;
use std::path::Path;
use xxhash_rust::xxh3::Xxh3;

/// An open snapshot.
#[derive(Debug)]
pub struct Snapshot {
    bytes: Bytes,
    header: Header,
    layout: Layout,
}

#[derive(Debug)]
enum Bytes {
    Owned(map::Memory),
    Mapped(memmap2::Mmap),
}

impl Bytes {
    #[inline]
    fn get(&self) -> &[u8] {
        match self {
            Self::Owned(memory) => memory.get(),
            Self::Mapped(map) => map,
        }
    }
}

/// Why a snapshot file could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The file could not be read.
    Io(std::io::Error),
    /// It was read and is not to be trusted.
    Refused(Refused),
}

impl core::fmt::Display for OpenError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Refused(why) => why.fmt(f),
        }
    }
}

impl core::error::Error for OpenError {}

impl From<std::io::Error> for OpenError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Refused> for OpenError {
    fn from(why: Refused) -> Self {
        Self::Refused(why)
    }
}

impl Snapshot {
    /// Maps a snapshot file: for desk use. Nobody may shorten the file meanwhile (writers here rename and never do).
    ///
    /// # Errors
    /// The file cannot be read, or its header or size is not right. The body is checked by [`Self::verify`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let file = regular::open(path)?;
        let len = file.metadata()?.len();
        if len < HEADER as u64 {
            let mut start = Vec::new();
            (&file).take(HEADER as u64).read_to_end(&mut start)?;
            return Err(Header::parse(&start, len).err().unwrap_or(Refused::NotASnapshot).into());
        }
        let map = map::map(&file)?;
        let header = Header::parse(&map, map.len() as u64)?;
        Ok(Self { layout: header.layout(), header, bytes: Bytes::Mapped(map) })
    }

    /// Reads a snapshot file into memory of our own, in huge pages where the kernel gives them: for a filter, which a file cut behind its
    /// back must not stop.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn read_into_memory(path: &Path) -> Result<Self, OpenError> {
        let mut file = regular::open(path)?;
        let len = file.metadata()?.len();
        let mut start = Vec::new();
        (&file).take(HEADER as u64).read_to_end(&mut start)?;
        let header = Header::parse(&start, len)?;
        let mut memory = memory(len)?;
        let octets = memory.get_mut();
        octets.get_mut(..HEADER).ok_or(Refused::NotASnapshot)?.copy_from_slice(&start);
        file.read_exact(octets.get_mut(HEADER..).unwrap_or_default())?;
        Ok(Self::of(memory, header))
    }

    /// A snapshot of its octets, which are copied to where cache lines begin.
    ///
    /// # Errors
    /// Header or size are not right.
    pub fn from_bytes(file: &[u8]) -> Result<Self, Refused> {
        let header = Header::parse(file, file.len() as u64)?;
        let mut memory = memory(file.len() as u64)?;
        memory.get_mut().copy_from_slice(file);
        Ok(Self::of(memory, header))
    }

    pub(super) fn of(memory: map::Memory, header: Header) -> Self {
        Self { layout: header.layout(), header, bytes: Bytes::Owned(memory) }
    }

    /// What the header says.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The whole file, as it is held: what a signature is checked against.
    pub fn octets(&self) -> &[u8] {
        self.bytes.get()
    }

    /// Tells this snapshot from all others.
    pub const fn id(&self) -> u64 {
        self.header.id
    }

    /// Reads the whole body and compares its checksum.
    ///
    /// # Errors
    /// [`Refused::Body`] where one bit is not as it was written.
    pub fn verify(&self) -> Result<(), Refused> {
        let mut sum = Xxh3::new();
        sum.update(self.bytes.get().get(HEADER..).unwrap_or_default());
        if sum.digest() == self.header.body_sum { Ok(()) } else { Err(Refused::Body) }
    }

    /// Whether the snapshot was made with this key, these rules and this suffix list.
    ///
    /// # Errors
    /// The first that differs.
    pub const fn fits(&self, key_check: u64, rules_version: u64, suffix_id: u64) -> Result<(), Refused> {
        if self.header.key_check != key_check {
            Err(Refused::Key)
        } else if self.header.rules_version != rules_version {
            Err(Refused::Rules(self.header.rules_version, rules_version))
        } else if self.header.suffix_id != suffix_id {
            Err(Refused::SuffixList(self.header.suffix_id, suffix_id))
        } else {
            Ok(())
        }
    }

    #[inline]
    fn line(&self, bucket: u64) -> Option<&[[u8; 8]; SLOTS as usize]> {
        let lines = self.bytes.get().get(HEADER..)?.as_chunks::<{ LINE as usize }>().0;
        lines.get(bucket as usize)?.as_chunks::<8>().0.try_into().ok()
    }

    /// Begins to load the line of a key.
    #[inline]
    pub fn prefetch(&self, place: Place) {
        if let Some(line) = self.line(place.bucket(self.header.buckets)) {
            map::prefetch(line.as_flattened());
        }
    }

    /// The word of a key, with its slot.
    #[inline]
    pub fn find(&self, place: Place) -> Option<(u64, Word)> {
        let home = place.bucket(self.header.buckets);
        for bucket in home..=home + u64::from(self.header.reach) {
            let words = self.line(bucket)?;
            // All eight are compared before one branch: in which slot a key lies cannot be foreseen.
            let mut equal = 0;
            for (slot, word) in words.iter().enumerate() {
                equal |= u32::from(Word(u64::from_le_bytes(*word)).is(place.tag())) << slot;
            }
            if equal != 0 {
                let slot = equal.trailing_zeros();
                let word = words.get(slot as usize)?;
                return Some((bucket * SLOTS + u64::from(slot), Word(u64::from_le_bytes(*word))));
            }
            if !sent_on(words) {
                return None;
            }
        }
        None
    }

    /// Every word in use, with its slot.
    pub fn words(&self) -> impl Iterator<Item = (u64, Word)> {
        let body = slice(self.bytes.get(), self.layout.buckets, self.layout.records - self.layout.buckets);
        let words = body.as_chunks::<8>().0.iter().map(|word| Word(u64::from_le_bytes(*word)));
        (0..).zip(words).filter(|(_, word)| word.0 != 0)
    }

    /// What stands behind a slot. A slot without an entry gives an empty one.
    pub fn entry(&self, slot: u64) -> Entry<'_> {
        let bytes = self.bytes.get();
        let record = self.layout.records + slot * RECORD;
        let (pattern, origin, kind) = (word64(bytes, record), word32(bytes, record + 8), word32(bytes, record + 12));
        let origin = self.layout.origins + u64::from(origin) * ORIGIN;
        let text = |at: u64, len: u64| core::str::from_utf8(slice(bytes, self.layout.strings + at, len)).unwrap_or_default();
        let field = |n: u64| text(word32(bytes, origin + n * 8).into(), word32(bytes, origin + n * 8 + 4).into());
        let (verdict, layer) = (kind.to_le_bytes()[0], kind.to_le_bytes()[1]);
        Entry {
            pattern: text(pattern & PATTERN_AT, pattern >> 48),
            verdict: VERDICTS.get(usize::from(verdict)).copied().unwrap_or_default(),
            category: field(0),
            source: field(1),
            senders: field(2),
            note: field(3),
            expires: Some(word64(bytes, origin + 32)).filter(|&end| end != 0),
            layer: if layer == Layer::Local as u8 { Layer::Local } else { Layer::Feed },
        }
    }

    /// Octets of the hot part for each word, and how full it is.
    pub fn density(&self) -> (f64, f64) {
        let octets = (self.layout.records - self.layout.buckets) as f64;
        (octets / self.header.words.max(1) as f64, self.header.words as f64 * 8.0 / octets.max(1.0))
    }

    /// Where the kernel holds the octets: for `stats`.
    pub const fn is_mapped(&self) -> bool {
        matches!(self.bytes, Bytes::Mapped(_))
    }

    /// Octets that the kernel keeps in huge pages, by `/proc/self/smaps`; `None` where there is none to ask. For `status`.
    pub fn huge_octets(&self) -> Option<u64> {
        map::huge(self.bytes.get())
    }

    /// The version of the file format.
    pub const fn format_version() -> u32 {
        format::FORMAT_VERSION
    }
}

pub(super) fn memory(len: u64) -> Result<map::Memory, Refused> {
    usize::try_from(len).ok().and_then(|len| map::Memory::zeroed(len).ok()).ok_or(Refused::Memory(len))
}

pub(super) const PATTERN_AT: u64 = (1 << 48) - 1;
const VERDICTS: [Verdict; 4] = [Verdict::None, Verdict::Safe, Verdict::Unknown, Verdict::Dangerous];

/// Whether a bucket is full and sent a key on: its first two words ascend.
#[inline]
fn sent_on(words: &[[u8; 8]; SLOTS as usize]) -> bool {
    let [first, second, .., last] = words;
    u64::from_le_bytes(*last) != 0 && u64::from_le_bytes(*first) < u64::from_le_bytes(*second)
}
