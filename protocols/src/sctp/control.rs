//! What control chunks say about the addresses of an association: INIT and INIT ACK (RFC 9260 §3.3.2), ASCONF (RFC 5061 §4.1).

use core::net::IpAddr;

use super::{Chunk, kind};
use crate::error::{Error, Layer, Why};

/// INIT or INIT ACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Init<'a> {
    /// INIT ACK rather than INIT.
    pub ack: bool,
    /// The verification tag of what the other side will send.
    pub initiate_tag: u32,
    /// Advertised receiver window credit, octets.
    pub a_rwnd: u32,
    /// Streams that the sender wants to send on.
    pub outbound_streams: u16,
    /// Streams that the sender takes at most.
    pub inbound_streams: u16,
    /// The first TSN that the sender will use.
    pub initial_tsn: u32,
    /// Optional parameters.
    pub parameters: &'a [u8],
}

impl<'a> Init<'a> {
    /// The addresses that the sender lists besides the one that the packet came from.
    pub const fn addresses(&self) -> Addresses<'a> {
        Addresses { parameters: self.parameters }
    }
}

/// ASCONF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asconf<'a> {
    /// Serial number.
    pub serial: u32,
    /// Address parameter and what is asked for.
    pub parameters: &'a [u8],
}

impl<'a> Asconf<'a> {
    /// Each address named, and what for.
    pub const fn addresses(&self) -> AsconfAddresses<'a> {
        AsconfAddresses { parameters: self.parameters }
    }
}

/// What an address in ASCONF is named for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressUse {
    /// It tells which association the chunk belongs to.
    Lookup,
    /// Add it.
    Add,
    /// Delete it.
    Delete,
    /// Make it primary.
    Primary,
}

impl<'a> Chunk<'a> {
    /// The fields of INIT and INIT ACK.
    pub fn init(&self) -> Option<Result<Init<'a>, Error>> {
        if self.kind != kind::INIT && self.kind != kind::INIT_ACK {
            return None;
        }
        let Some((&[_, _, _, _, t0, t1, t2, t3, w0, w1, w2, w3, o0, o1, i0, i1, n0, n1, n2, n3], parameters)) =
            self.body.split_first_chunk()
        else {
            return Some(Err(Error::new(Layer::Sctp, self.at, Why::truncated(20, self.body.len()))));
        };
        Some(Ok(Init {
            ack: self.kind == kind::INIT_ACK,
            initiate_tag: u32::from_be_bytes([t0, t1, t2, t3]),
            a_rwnd: u32::from_be_bytes([w0, w1, w2, w3]),
            outbound_streams: u16::from_be_bytes([o0, o1]),
            inbound_streams: u16::from_be_bytes([i0, i1]),
            initial_tsn: u32::from_be_bytes([n0, n1, n2, n3]),
            parameters,
        }))
    }

    /// The fields of ASCONF.
    pub fn asconf(&self) -> Option<Result<Asconf<'a>, Error>> {
        if self.kind != kind::ASCONF {
            return None;
        }
        let Some((&[_, _, _, _, s0, s1, s2, s3], parameters)) = self.body.split_first_chunk() else {
            return Some(Err(Error::new(Layer::Sctp, self.at, Why::truncated(8, self.body.len()))));
        };
        Some(Ok(Asconf { serial: u32::from_be_bytes([s0, s1, s2, s3]), parameters }))
    }
}

/// One parameter and what is behind it: type, value. `None` at the end and where a length lies.
fn parameter(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (&[t0, t1, l0, l1], _) = bytes.split_first_chunk()?;
    let len = usize::from(u16::from_be_bytes([l0, l1]));
    let value = bytes.get(4..len)?;
    Some((u16::from_be_bytes([t0, t1]), value, bytes.get(len.next_multiple_of(4)..).unwrap_or_default()))
}

fn address(kind: u16, value: &[u8]) -> Option<IpAddr> {
    match kind {
        5 => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        6 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        _ => None,
    }
}

/// The IPv4 and IPv6 address parameters of INIT and INIT ACK; a length that lies ends them.
#[derive(Clone, Debug)]
pub struct Addresses<'a> {
    parameters: &'a [u8],
}

impl Iterator for Addresses<'_> {
    type Item = IpAddr;

    fn next(&mut self) -> Option<IpAddr> {
        while let Some((kind, value, behind)) = parameter(self.parameters) {
            self.parameters = behind;
            if let Some(address) = address(kind, value) {
                return Some(address);
            }
        }
        self.parameters = &[];
        None
    }
}

/// The addresses of ASCONF; a length that lies ends them.
#[derive(Clone, Debug)]
pub struct AsconfAddresses<'a> {
    parameters: &'a [u8],
}

impl Iterator for AsconfAddresses<'_> {
    type Item = (AddressUse, IpAddr);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some((kind, value, behind)) = parameter(self.parameters) {
            self.parameters = behind;
            let wanted = match kind {
                5 | 6 => address(kind, value).map(|address| (AddressUse::Lookup, address)),
                0xc001 => nested(value).map(|address| (AddressUse::Add, address)),
                0xc002 => nested(value).map(|address| (AddressUse::Delete, address)),
                0xc004 => nested(value).map(|address| (AddressUse::Primary, address)),
                _ => None,
            };
            if wanted.is_some() {
                return wanted;
            }
        }
        self.parameters = &[];
        None
    }
}

/// RFC 5061 §4.2: a correlation id of four octets, then one address parameter.
fn nested(value: &[u8]) -> Option<IpAddr> {
    let (kind, value, _) = parameter(value.get(4..)?)?;
    address(kind, value)
}
