//! One block: some records, compressed, under one sum.

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::Kind;
use super::sealed::{ConsoleKey, SecretKey};

/// Octets in front of what a block stores.
pub const HEADER: usize = 40;
/// Octets in front of a segment's blocks.
pub const SEGMENT_HEADER: usize = 32;
const MAGIC: &[u8; 4] = b"ZTB1";
const SEGMENT_MAGIC: &[u8; 8] = b"ZTSPOOL1";
/// Nothing that we write is longer; a length beyond is a lie.
const LONGEST: usize = 64 << 20;

/// How a block's records are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// LZ4 block format.
    Lz4 = 1,
    /// The same, in a sealed box of the console's key.
    Sealed = 2,
}

/// Records that become a block.
#[derive(Clone, Debug, Default)]
pub struct Plain {
    octets: Vec<u8>,
    records: u32,
}

impl Plain {
    /// Takes one record.
    pub fn push(&mut self, record: &[u8]) {
        let len = u32::try_from(record.len()).unwrap_or(u32::MAX);
        self.octets.extend_from_slice(&len.to_le_bytes());
        self.octets.extend_from_slice(record);
        self.records += 1;
    }

    /// Records so far.
    pub const fn records(&self) -> u32 {
        self.records
    }

    /// Octets so far.
    pub const fn len(&self) -> usize {
        self.octets.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The block, whole; the first of its records has number `first`.
    pub fn finish(&self, first: u64, seal: Option<&ConsoleKey>) -> Vec<u8> {
        let packed = lz4_flex::block::compress(&self.octets);
        let (codec, stored) = match seal {
            None => (Codec::Lz4, packed),
            Some(key) => (Codec::Sealed, key.seal(&packed)),
        };
        let short = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        let mut block = Vec::with_capacity(HEADER + stored.len());
        block.extend_from_slice(MAGIC);
        block.extend_from_slice(&[codec as u8, 0, 0, 0]);
        block.extend_from_slice(&short(stored.len()));
        block.extend_from_slice(&short(self.octets.len()));
        block.extend_from_slice(&self.records.to_le_bytes());
        block.extend_from_slice(&first.to_le_bytes());
        block.extend_from_slice(&[0; 4]);
        block.extend_from_slice(&sum(&block, &stored).to_le_bytes());
        block.extend_from_slice(&stored);
        block
    }
}

fn sum(head: &[u8], stored: &[u8]) -> u64 {
    let mut sum = Xxh3::new();
    sum.update(head);
    sum.update(stored);
    sum.digest()
}

/// A block as it lies in a segment, its sum checked.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// How it is stored.
    pub codec: Codec,
    /// Records in it.
    pub records: u32,
    /// Number of the first.
    pub first: u64,
    /// Octets in the segment, header included.
    pub len: usize,
    plain_len: usize,
    stored: &'a [u8],
}

/// Why octets are no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBlock {
    /// They end before the block does.
    #[error("cut short")]
    Short,
    /// They do not begin as a block does, or their sum is wrong.
    #[error("not as it was written")]
    Damaged,
    /// Sealed, and the key is not here or another's.
    #[error("sealed for another key")]
    Sealed,
}

fn word32(octets: &[u8], at: usize) -> Option<usize> {
    let octets = octets.get(at..at + 4)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*octets)).ok()
}

fn word64(octets: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*octets.get(at..at + 8)?.first_chunk()?))
}

impl<'a> Block<'a> {
    /// The block at the front of `octets`.
    ///
    /// # Errors
    /// It is cut or damaged.
    pub fn parse(octets: &'a [u8]) -> Result<Self, BadBlock> {
        let known = octets.len().min(MAGIC.len());
        if octets.get(..known) != MAGIC.get(..known) {
            return Err(BadBlock::Damaged);
        }
        let head = octets.get(..HEADER).ok_or(BadBlock::Short)?;
        let [len, plain_len, records] = [8, 12, 16].map(|at| word32(head, at).unwrap_or(usize::MAX));
        if len > LONGEST || plain_len > LONGEST {
            return Err(BadBlock::Damaged);
        }
        let stored = octets.get(HEADER..HEADER + len).ok_or(BadBlock::Short)?;
        if word64(head, 32) != Some(sum(head.get(..32).unwrap_or_default(), stored)) {
            return Err(BadBlock::Damaged);
        }
        let codec = match head.get(4) {
            Some(1) => Codec::Lz4,
            Some(2) => Codec::Sealed,
            _ => return Err(BadBlock::Damaged),
        };
        let records = u32::try_from(records).unwrap_or(u32::MAX);
        Ok(Self { codec, records, first: word64(head, 20).unwrap_or_default(), len: HEADER + len, plain_len, stored })
    }

    /// Its records, one after the other.
    ///
    /// # Errors
    /// It is sealed and `key` does not open it, or what is inside is no block of ours.
    pub fn open(&self, key: Option<&SecretKey>, mut give: impl FnMut(&[u8])) -> Result<(), BadBlock> {
        let opened;
        let packed = match (self.codec, key) {
            (Codec::Lz4, _) => self.stored,
            (Codec::Sealed, None) => return Err(BadBlock::Sealed),
            (Codec::Sealed, Some(key)) => {
                opened = super::sealed::open(key, self.stored).ok_or(BadBlock::Sealed)?;
                &opened
            }
        };
        let plain = lz4_flex::block::decompress(packed, self.plain_len).map_err(|_| BadBlock::Damaged)?;
        let mut rest = plain.as_slice();
        while !rest.is_empty() {
            let len = word32(rest, 0).ok_or(BadBlock::Damaged)?;
            give(rest.get(4..4 + len).ok_or(BadBlock::Damaged)?);
            rest = rest.get(4 + len..).unwrap_or_default();
        }
        Ok(())
    }
}

/// What stands at the front of a segment.
pub(super) fn segment_header(kind: Kind, created_ns: u64) -> [u8; SEGMENT_HEADER] {
    let mut head = [0; SEGMENT_HEADER];
    let parts = SEGMENT_MAGIC.iter().copied().chain([kind.octet(), 0, 0, 0, 0, 0, 0, 0]).chain(created_ns.to_le_bytes());
    head.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    let sum = xxh3_64(head.get(..24).unwrap_or_default());
    head.iter_mut().skip(24).zip(sum.to_le_bytes()).for_each(|(to, from)| *to = from);
    head
}

/// The kind of a segment by its front, if it is one and whole.
pub(super) fn segment_kind(octets: &[u8]) -> Result<Kind, BadBlock> {
    let known = octets.len().min(SEGMENT_MAGIC.len());
    if octets.get(..known) != SEGMENT_MAGIC.get(..known) {
        return Err(BadBlock::Damaged);
    }
    let head = octets.get(..SEGMENT_HEADER).ok_or(BadBlock::Short)?;
    if word64(head, 24) != Some(xxh3_64(head.get(..24).unwrap_or_default())) {
        return Err(BadBlock::Damaged);
    }
    match head.get(8) {
        Some(b's') => Ok(Kind::Spool),
        Some(b'w') => Ok(Kind::Work),
        _ => Err(BadBlock::Damaged),
    }
}

/// Where a next block may begin, behind the first octet.
pub(super) fn next_magic(octets: &[u8]) -> Option<usize> {
    octets.windows(MAGIC.len()).skip(1).position(|window| window == MAGIC).map(|at| at + 1)
}
