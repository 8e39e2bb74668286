//! Why a capture could not be read: which file, where, the cause, and what would be right.

use std::io;

/// Reading a capture ended, or stumbled, here.
#[derive(Debug, thiserror::Error)]
#[error("{file}: offset {offset}, after {frames} frame{}: {cause}", if *.frames == 1 { "" } else { "s" })]
pub struct ReadError {
    /// The file's name as given.
    pub file: String,
    /// Octet of the capture at which the damaged part begins; in a compressed file, of what it unpacks to.
    pub offset: u64,
    /// Frames delivered before.
    pub frames: u64,
    /// What is wrong.
    #[source]
    pub cause: Cause,
}

/// What is wrong with a capture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The file could not be opened.
    #[error("cannot be opened: {0}")]
    Open(#[source] io::Error),
    /// The system failed while reading.
    #[error("cannot be read: {0}")]
    Read(#[source] io::Error),
    /// A directory.
    #[error("is a directory; a pcap or pcapng file is expected")]
    Directory,
    /// No octet at all.
    #[error("is empty; a pcap or pcapng file is expected, which has at least 24 octets")]
    Empty,
    /// Some other kind of file.
    #[error("is not a capture ({0}); pcap or pcapng is expected, plain or in gzip or Zstandard")]
    NotACapture(Kind),
    /// A capture of a kind that is not read.
    #[error("is a capture of a kind that is not read ({0}); `editcap -F pcapng IN OUT` makes one that is")]
    OtherCapture(&'static str),
    /// The file ends inside a header, record or block.
    #[error("is cut: {missing} of {whole} octets of {part} are missing; what came before was read")]
    Cut {
        /// Header, record or block.
        part: &'static str,
        /// Octets that it should have.
        whole: u64,
        /// Octets that are not there.
        missing: u64,
    },
    /// A length that no capture has.
    #[error("{part} claims {len} octets; at most {max} are possible")]
    TooLong {
        /// What claims it.
        part: &'static str,
        /// The claim.
        len: u64,
        /// The bound.
        max: u64,
    },
    /// A length that cannot hold what must be there.
    #[error("{part} claims {len} octets; it needs at least {min}")]
    TooShort {
        /// What claims it.
        part: &'static str,
        /// The claim.
        len: u64,
        /// The least.
        min: u64,
    },
    /// The length at the end of a block is not the length at its beginning.
    #[error("a block says {first} octets at its beginning and {last} at its end; both must be the same multiple of 4")]
    LengthsDiffer {
        /// At its beginning.
        first: u32,
        /// At its end.
        last: u32,
    },
    /// A packet of an interface that was not declared.
    #[error("a packet names interface {named}, but its section declares {declared}; the packet was passed over")]
    NoSuchInterface {
        /// Its number in the section.
        named: u32,
        /// Interfaces of the section.
        declared: usize,
    },
    /// More interfaces than are believed.
    #[error("declares more than {0} interfaces")]
    TooManyInterfaces(usize),
    /// A section header with a byte-order magic of neither order.
    #[error("a section header has the byte-order magic {0:#010x}; it must be 0x1a2b3c4d in one order or the other")]
    ByteOrder(u32),
    /// A version of the format that has another layout.
    #[error("is {0} version {1}.{2}, which is not read")]
    Version(&'static str, u16, u16),
    /// The compression around the capture is damaged or cut.
    #[error("its {kind} stream is damaged or cut: {error}; what came before was read")]
    Compression {
        /// gzip or Zstandard.
        kind: &'static str,
        /// What the decompressor says.
        #[source]
        error: io::Error,
    },
}

/// What a file that is no capture looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A kind known by its first octets.
    Known(&'static str),
    /// Known by nothing: its first octets.
    Begins([u8; 4]),
    /// Shorter than any header.
    Short(usize),
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(kind) => f.write_str(kind),
            Self::Begins([a, b, c, d]) => write!(f, "it begins with {a:02x} {b:02x} {c:02x} {d:02x}"),
            Self::Short(1) => f.write_str("it has 1 octet"),
            Self::Short(len) => write!(f, "it has {len} octets"),
        }
    }
}
