//! SCTP packets, chunks and user data: RFC 9260 §3, I-DATA of RFC 8260 §2.1, AUTH of RFC 4895, addresses of RFC 5061.
//!
//! ```text
//! source port 2 | destination port 2 | verification tag 4 | CRC32c 4 (least significant octet first)
//! chunk: type 1 | flags 1 | length 2 (these four octets counted, padding not) | value | padding to 4 octets
//! DATA   type 0:  TSN 4 | stream 2 | SSN 2 | PPID 4 | user data
//! I-DATA type 64: TSN 4 | stream 2 | reserved 2 | MID 4 | PPID (first fragment) or FSN (others) 4 | user data
//! ```
//!
//! [`Packet`], [`Chunk`] and [`Data`] borrow the packet. The walk over the chunks is bounded by the packet: a length that lies ends it
//! with an error.
//!
//! ```
//! use protocols::sctp::{Builder, Packet, Sum};
//!
//! let mut bytes = Vec::new();
//! let mut packet = Builder::new(&mut bytes, 2905, 2905, 0x1122_3344);
//! packet.sack(999, 65535).heartbeat(7);
//! packet.finish();
//!
//! let packet = Packet::parse(&bytes)?;
//! assert_eq!(packet.sum(), Sum::Good);
//! let names: Result<Vec<_>, _> = packet.chunks().map(|chunk| Ok(chunk?.name())).collect();
//! assert_eq!(names?, ["SACK", "HEARTBEAT"]);
//! # Ok::<_, protocols::Error>(())
//! ```

mod build;
mod control;
mod ppid;

pub use build::{Builder, seal};
pub use control::{AddressUse, Addresses, Asconf, AsconfAddresses, Init};
pub use ppid::{Adaptation, adaptation, ppid_name};

use crate::error::{Error, Layer, Why};

/// Octets of the common header.
pub const HEADER_LEN: usize = 12;
/// Octet of the checksum in a packet.
pub const CHECKSUM_AT: usize = 8;
/// Octet of the length in a chunk (two octets; header counted, padding not).
pub const CHUNK_LENGTH_AT: usize = 2;
/// Octets of a DATA chunk in front of its user data.
pub const DATA_HEADER_LEN: usize = 16;
/// Octets of an I-DATA chunk in front of its user data.
pub const I_DATA_HEADER_LEN: usize = 20;

/// Chunk types.
pub mod kind {
    /// Payload data.
    pub const DATA: u8 = 0;
    /// Initiation.
    pub const INIT: u8 = 1;
    /// Initiation acknowledgement.
    pub const INIT_ACK: u8 = 2;
    /// Selective acknowledgement.
    pub const SACK: u8 = 3;
    /// Heartbeat request.
    pub const HEARTBEAT: u8 = 4;
    /// Abort.
    pub const ABORT: u8 = 6;
    /// Shutdown.
    pub const SHUTDOWN: u8 = 7;
    /// Shutdown complete.
    pub const SHUTDOWN_COMPLETE: u8 = 14;
    /// Authentication, RFC 4895: what stands behind it is covered by its code.
    pub const AUTH: u8 = 15;
    /// Payload data with message identifier, RFC 8260.
    pub const I_DATA: u8 = 64;
    /// Padding, RFC 4820.
    pub const PAD: u8 = 132;
    /// Address configuration change, RFC 5061.
    pub const ASCONF: u8 = 193;
}

/// One SCTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// Verification tag.
    pub verification_tag: u32,
    /// The checksum as it stands, most significant octet the last one on the wire.
    pub checksum: u32,
    /// The whole packet.
    pub bytes: &'a [u8],
}

/// What a packet's checksum is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sum {
    /// CRC32c of the packet.
    Good,
    /// Neither CRC32c nor zero.
    Bad,
    /// Zero and CRC32c is not: offloaded to the network card, or agreed on by RFC 9653.
    Zero,
}

impl<'a> Packet<'a> {
    /// Reads the common header.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let Some((&[s0, s1, d0, d1, t0, t1, t2, t3, c0, c1, c2, c3], _)) = bytes.split_first_chunk() else {
            return Err(Error::new(Layer::Sctp, 0, Why::truncated(HEADER_LEN, bytes.len())));
        };
        Ok(Self {
            source_port: u16::from_be_bytes([s0, s1]),
            destination_port: u16::from_be_bytes([d0, d1]),
            verification_tag: u32::from_be_bytes([t0, t1, t2, t3]),
            checksum: u32::from_le_bytes([c0, c1, c2, c3]),
            bytes,
        })
    }

    /// Checks the checksum over the packet.
    pub fn sum(&self) -> Sum {
        match self.checksum {
            stored if stored == crc32c(self.bytes) => Sum::Good,
            0 => Sum::Zero,
            _ => Sum::Bad,
        }
    }

    /// Every chunk in order. The first error ends the walk.
    pub const fn chunks(&self) -> Chunks<'a> {
        Chunks { packet: self.bytes, at: HEADER_LEN }
    }
}

/// RFC 9260 §6.8: CRC32c with the checksum field taken as zero.
///
/// One pass over the packet as it stands: the register starts with what cancels the field when it comes to it.
#[inline]
fn crc32c(packet: &[u8]) -> u32 {
    let Some((&[_, _, _, _, _, _, _, _, c0, c1, c2, c3], _)) = packet.split_first_chunk() else {
        return 0;
    };
    crc32c::crc32c_append(eight_octets_back(u32::from_le_bytes([c0, c1, c2, c3])), packet)
}

/// The value that a register of CRC32c turns from into `value` by eight octets of zero.
#[inline]
fn eight_octets_back(value: u32) -> u32 {
    /// The same for each nibble of `value` alone: the sum of CRC is exclusive or, and so is that of its steps back.
    const NIBBLES: [[u32; 16]; 8] = {
        let mut table = [[0; 16]; 8];
        let mut place = 0;
        while place < 8 {
            let mut nibble = 0;
            while nibble < 16 {
                let (mut register, mut bit) = ((nibble as u32) << (4 * place), 0);
                while bit < 64 {
                    // A step on is a shift to the right, and the polynomial if a one falls out: bit 31 says if it did.
                    register = if register >> 31 == 0 { register << 1 } else { (register ^ 0x82f6_3b78) << 1 | 1 };
                    bit += 1;
                }
                #[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
                {
                    table[place][nibble] = register;
                }
                nibble += 1;
            }
            place += 1;
        }
        table
    };
    let mut back = 0;
    for (place, nibbles) in NIBBLES.iter().enumerate() {
        let nibble = value >> (4 * place) & 0xf;
        back ^= nibbles.get(nibble as usize).copied().unwrap_or_default();
    }
    back
}

/// The walk over the chunks of a packet.
#[derive(Clone, Debug)]
pub struct Chunks<'a> {
    packet: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<Chunk<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at;
        let rest = self.packet.get(at..).filter(|rest| !rest.is_empty())?;
        self.at = usize::MAX;
        let Some((&[kind, flags, l0, l1], _)) = rest.split_first_chunk() else {
            return Some(Err(Error::new(Layer::Sctp, at, Why::truncated(4, rest.len()))));
        };
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        if len < 4 {
            return Some(Err(Error::new(Layer::Sctp, at + CHUNK_LENGTH_AT, Why::bad_length(len))));
        }
        let Some(body) = rest.get(..len) else {
            return Some(Err(Error::new(Layer::Sctp, at + CHUNK_LENGTH_AT, Why::truncated(len, rest.len()))));
        };
        // The last chunk may come without its padding: the next `get` is then out of range and ends the walk.
        self.at = at + len.next_multiple_of(4);
        Some(Ok(Chunk { kind, flags, at, body }))
    }
}

/// One chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// Chunk type, see [`kind`].
    pub kind: u8,
    /// Chunk flags.
    pub flags: u8,
    /// Octet of the packet at which the chunk starts.
    pub at: usize,
    /// The whole chunk, header included, without padding.
    pub body: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// User data, if this is DATA or I-DATA.
    #[inline]
    pub fn data(&self) -> Option<Result<Data<'a>, Error>> {
        match self.kind {
            kind::DATA => Some(self.plain()),
            kind::I_DATA => Some(self.interleaved()),
            _ => None,
        }
    }

    /// What the specifications call this type of chunk.
    pub const fn name(&self) -> &'static str {
        match self.kind {
            kind::DATA => "DATA",
            kind::INIT => "INIT",
            kind::INIT_ACK => "INIT ACK",
            kind::SACK => "SACK",
            kind::HEARTBEAT => "HEARTBEAT",
            5 => "HEARTBEAT ACK",
            kind::ABORT => "ABORT",
            kind::SHUTDOWN => "SHUTDOWN",
            8 => "SHUTDOWN ACK",
            9 => "ERROR",
            10 => "COOKIE ECHO",
            11 => "COOKIE ACK",
            12 => "ECNE",
            13 => "CWR",
            kind::SHUTDOWN_COMPLETE => "SHUTDOWN COMPLETE",
            kind::AUTH => "AUTH",
            kind::I_DATA => "I-DATA",
            128 => "ASCONF-ACK",
            130 => "RE-CONFIG",
            kind::PAD => "PAD",
            192 => "FORWARD TSN",
            kind::ASCONF => "ASCONF",
            194 => "I-FORWARD-TSN",
            _ => "other chunk",
        }
    }

    #[inline]
    fn plain(&self) -> Result<Data<'a>, Error> {
        let Some((&[_, _, _, _, t0, t1, t2, t3, i0, i1, n0, n1, p0, p1, p2, p3], payload)) = self.body.split_first_chunk() else {
            return Err(self.short(DATA_HEADER_LEN));
        };
        let data = self.fields([t0, t1, t2, t3], [i0, i1], payload)?;
        Ok(Data { sequence: u32::from(u16::from_be_bytes([n0, n1])), ppid: Some(u32::from_be_bytes([p0, p1, p2, p3])), ..data })
    }

    fn interleaved(&self) -> Result<Data<'a>, Error> {
        let Some((&[_, _, _, _, t0, t1, t2, t3, i0, i1, _, _, m0, m1, m2, m3, x0, x1, x2, x3], payload)) =
            self.body.split_first_chunk()
        else {
            return Err(self.short(I_DATA_HEADER_LEN));
        };
        let data = self.fields([t0, t1, t2, t3], [i0, i1], payload)?;
        let word = u32::from_be_bytes([x0, x1, x2, x3]);
        // RFC 8260 §2.1: the first fragment has the PPID and an FSN of zero that is not sent.
        let (ppid, fsn) = if data.begin { (Some(word), None) } else { (None, Some(word)) };
        Ok(Data { sequence: u32::from_be_bytes([m0, m1, m2, m3]), ppid, fsn, interleaved: true, ..data })
    }

    fn fields(&self, tsn: [u8; 4], stream: [u8; 2], payload: &'a [u8]) -> Result<Data<'a>, Error> {
        // RFC 9260 §6.2: a receiver aborts on a DATA chunk without user data.
        if payload.is_empty() {
            return Err(Error::new(Layer::Sctp, self.at + CHUNK_LENGTH_AT, Why::Malformed("DATA without user data")));
        }
        Ok(Data {
            tsn: u32::from_be_bytes(tsn),
            stream: u16::from_be_bytes(stream),
            sequence: 0,
            fsn: None,
            ppid: None,
            begin: self.flags & 0x02 != 0,
            end: self.flags & 0x01 != 0,
            unordered: self.flags & 0x04 != 0,
            immediate: self.flags & 0x08 != 0,
            interleaved: false,
            payload,
        })
    }

    fn short(&self, need: usize) -> Error {
        Error::new(Layer::Sctp, self.at, Why::truncated(need, self.body.len()))
    }
}

/// User data of a DATA or I-DATA chunk: a message, or a fragment of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// Transmission sequence number.
    pub tsn: u32,
    /// Stream identifier.
    pub stream: u16,
    /// Stream sequence number (16 bits; DATA) or message identifier (32 bits; I-DATA).
    pub sequence: u32,
    /// Fragment sequence number; I-DATA only, and there not in the first fragment.
    pub fsn: Option<u32>,
    /// Payload protocol identifier as it stands on the wire, most significant octet first; not in later fragments of I-DATA.
    pub ppid: Option<u32>,
    /// B: first fragment of a message.
    pub begin: bool,
    /// E: last fragment of a message.
    pub end: bool,
    /// U: to be delivered unordered.
    pub unordered: bool,
    /// I: to be acknowledged at once.
    pub immediate: bool,
    /// I-DATA.
    pub interleaved: bool,
    /// User data, without padding.
    pub payload: &'a [u8],
}

#[cfg(test)]
mod tests;
