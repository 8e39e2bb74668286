//! The spool: records that outlive whoever wrote them, in files that are only ever appended to.
//!
//! ```text
//! segment  = "ZTSPOOL1" | kind (1) | 0 (7) | created, ns since 1970 (8) | XXH3-64 of these 24 (8), then blocks
//! block    = "ZTB1" | codec (1) | 0 (3) | stored octets (4) | plain octets (4) | records (4) | number of the first record (8) | 0 (4)
//!            | XXH3-64 of these 32 and of what is stored (8) | what is stored
//! plain    = for each record: octets (4) | one JSON object
//! ```
//!
//! Numbers are little-endian. A block is written by one call, so that whoever is killed leaves at most one that is cut; a reader takes every
//! block whose sum is right and says where and how much it left. A writer begins a new segment and never goes on in an old one.

mod block;
mod reader;
mod sealed;
mod sink;
mod sketch;
mod writer;

pub use block::{BadBlock, Block, Codec, HEADER, Plain, SEGMENT_HEADER};
pub use reader::{Cut, Read, Report, blocks, read, segments};
pub use sealed::{ConsoleKey, NotAKey, SecretKey, new_secret_key, secret_key};
pub use sink::{Counts, Sink};
pub use sketch::{mask, simhash};
pub use writer::{Limits, Segments};

/// What a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Redacted records.
    Spool,
    /// What triage and redirects need, sealed.
    Work,
}

impl Kind {
    /// The ending of its files.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Spool => "spool",
            Self::Work => "work",
        }
    }

    const fn octet(self) -> u8 {
        match self {
            Self::Spool => b's',
            Self::Work => b'w',
        }
    }
}
