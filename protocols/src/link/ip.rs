//! IPv4 (RFC 791), IPv6 (RFC 8200) with its extension headers, and UDP that carries SCTP (RFC 6951).
//!
//! The IP length bounds the packet: what Ethernet pads behind it is no part of [`Ip::payload`].

use core::net::IpAddr;

use etherparse::err::{ipv4, ipv6};
use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};

use crate::error::{Error, Layer, Why};

/// IP protocol number of SCTP.
pub const SCTP: u8 = 132;
/// IP protocol number of UDP.
pub const UDP: u8 = 17;
/// UDP port of SCTP in UDP, RFC 6951 §8.
pub const SCTP_IN_UDP: u16 = 9899;

/// Octet of the total length in an IPv4 header (two octets, header included).
pub const V4_TOTAL_LENGTH_AT: usize = 2;
/// Octet of the header checksum in an IPv4 header.
pub const V4_CHECKSUM_AT: usize = 10;
/// Octet of the payload length in an IPv6 header (two octets, extension headers included, the fixed 40 octets not).
pub const V6_PAYLOAD_LENGTH_AT: usize = 4;

/// More than a sender may put into one packet (RFC 8200 §4.1 names seven places).
const MAX_EXTENSION_HEADERS: usize = 12;

/// One IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ip<'a> {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// The IP header with options and extension headers: all octets in front of [`Self::payload`].
    pub header: &'a [u8],
    /// What the payload is; of an IPv6 fragment, the header that its original packet goes on with.
    pub protocol: u8,
    /// The payload, bounded by the IP length.
    pub payload: &'a [u8],
    /// Set for a piece of a packet; an IPv6 packet in one "fragment" is whole (RFC 6946).
    pub fragment: Option<Fragment>,
    /// The capture ended before the IP length did.
    pub cut: bool,
}

/// Which piece of which packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fragment {
    /// Identification: 16 bits in IPv4, 32 in IPv6.
    pub id: u32,
    /// Octets of the payload in front of this piece.
    pub offset: u32,
    /// More pieces come behind this one.
    pub more: bool,
}

/// What SCTP lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encapsulation<'a> {
    /// IP protocol 132.
    Plain,
    /// UDP, RFC 6951.
    Udp(Udp<'a>),
}

/// A UDP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udp<'a> {
    /// The eight octets: ports, length, checksum.
    pub header: &'a [u8; 8],
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
}

impl Udp<'_> {
    /// Octet of the length in the header (two octets, header included).
    pub const LENGTH_AT: usize = 4;
    /// Octet of the checksum in the header; zero there stands for none.
    pub const CHECKSUM_AT: usize = 6;
}

impl<'a> Ip<'a> {
    /// Reads an IPv4 packet.
    #[inline]
    pub fn v4(bytes: &'a [u8]) -> Result<Self, Error> {
        match Self::v4_usual(bytes) {
            Some(ip) => Ok(ip),
            None => Self::v4_exact(bytes),
        }
    }

    /// A packet without options that is no fragment and all there. Any other is [`Ip::v4_exact`]'s.
    #[inline(always)]
    pub(crate) fn v4_usual(bytes: &'a [u8]) -> Option<Self> {
        let (header, behind) = bytes.split_at_checked(20)?;
        let &[0x45, _, t0, t1, _, _, f0, f1, _, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = header else { return None };
        // More fragments, fragment offset.
        if u16::from_be_bytes([f0, f1]) & 0x3fff != 0 {
            return None;
        }
        let payload = behind.get(..usize::from(u16::from_be_bytes([t0, t1])).checked_sub(20)?)?;
        let (source, destination) = (IpAddr::from([s0, s1, s2, s3]), IpAddr::from([d0, d1, d2, d3]));
        Some(Self { source, destination, header, protocol, payload, fragment: None, cut: false })
    }

    /// A packet with nothing between its header and SCTP, and all there. Any other is [`Ip::v6`]'s.
    #[inline(always)]
    pub(crate) fn v6_usual(bytes: &'a [u8]) -> Option<Self> {
        let (header, behind) = bytes.split_at_checked(40)?;
        let (&[version, _, _, _, l0, l1, SCTP, _], addresses) = header.split_first_chunk()? else { return None };
        let (source, destination) = addresses.split_first_chunk::<16>()?;
        let payload = behind.get(..usize::from(u16::from_be_bytes([l0, l1])))?;
        let (source, destination) = (IpAddr::from(*source), IpAddr::from(*destination.first_chunk::<16>()?));
        let ip = Self { source, destination, header, protocol: SCTP, payload, fragment: None, cut: false };
        (version >> 4 == 6).then_some(ip)
    }

    #[inline(never)]
    pub(crate) fn v4_exact(bytes: &'a [u8]) -> Result<Self, Error> {
        let slice = Ipv4HeaderSlice::from_slice(bytes).map_err(|error| match error {
            ipv4::HeaderSliceError::Len(len) => Error::new(Layer::Ip, 0, Why::truncated(len.required_len, len.len)),
            ipv4::HeaderSliceError::Content(_) => Error::new(Layer::Ip, 0, Why::Malformed("IPv4 version or header length")),
        })?;
        let total = usize::from(slice.total_len());
        let (header, behind) = bytes.split_at_checked(slice.slice().len()).unwrap_or_default();
        let Some(len) = total.checked_sub(header.len()) else {
            return Err(Error::new(Layer::Ip, V4_TOTAL_LENGTH_AT, Why::bad_length(total)));
        };
        let offset = u32::from(slice.fragments_offset().value()) * 8;
        let more = slice.more_fragments();
        Ok(Self {
            source: IpAddr::V4(slice.source_addr()),
            destination: IpAddr::V4(slice.destination_addr()),
            header,
            protocol: slice.protocol().0,
            payload: behind.get(..len).unwrap_or(behind),
            fragment: (more || offset != 0).then(|| Fragment { id: u32::from(slice.identification()), offset, more }),
            cut: behind.len() < len,
        })
    }

    /// Reads an IPv6 packet and its extension headers as far as a fragment header, if it is a piece.
    pub fn v6(bytes: &'a [u8]) -> Result<Self, Error> {
        let slice = Ipv6HeaderSlice::from_slice(bytes).map_err(|error| match error {
            ipv6::HeaderSliceError::Len(len) => Error::new(Layer::Ip, 0, Why::truncated(len.required_len, len.len)),
            ipv6::HeaderSliceError::Content(_) => Error::new(Layer::Ip, 0, Why::Malformed("IPv6 version")),
        })?;
        let len = usize::from(slice.payload_length());
        if len == 0 && slice.next_header().0 == 0 {
            return Err(Error::new(Layer::Ip, V6_PAYLOAD_LENGTH_AT, Why::NotOurs("IPv6 jumbogram")));
        }
        let (_, behind) = bytes.split_at_checked(slice.slice().len()).unwrap_or_default();
        let body = behind.get(..len).unwrap_or(behind);
        let walk = extensions(slice.next_header().0, body).map_err(|e| e.moved(40))?;
        Ok(Self {
            source: IpAddr::V6(slice.source_addr()),
            destination: IpAddr::V6(slice.destination_addr()),
            header: bytes.get(..40 + body.len() - walk.payload.len()).unwrap_or_default(),
            protocol: walk.protocol,
            payload: walk.payload,
            fragment: walk.fragment,
            cut: behind.len() < len,
        })
    }

    /// The packet that this first piece belongs to, its payload joined by the caller: extension headers that stood in it are read.
    ///
    /// [`Self::header`] stays the one of the piece; nothing in a joined packet can be rewritten in place.
    pub fn joined(self, payload: &'a [u8]) -> Result<Self, Error> {
        let (protocol, payload) = match self.source {
            IpAddr::V4(_) => (self.protocol, payload),
            IpAddr::V6(_) => {
                let walk = extensions(self.protocol, payload)?;
                if walk.fragment.is_some() {
                    return Err(Error::new(Layer::Ip, 0, Why::Malformed("fragment within fragments")));
                }
                (walk.protocol, walk.payload)
            }
        };
        Ok(Self { protocol, payload, fragment: None, ..self })
    }

    /// The SCTP packet within, and what it lies in.
    ///
    /// In a packet that the capture cut short this is what is there: the sum of it is bad and its last chunk is truncated.
    #[inline(always)]
    pub fn sctp(&self) -> Result<(Encapsulation<'a>, &'a [u8]), Error> {
        self.sctp_by(&[SCTP_IN_UDP])
    }

    /// The same where these UDP ports carry SCTP.
    #[inline(always)]
    pub fn sctp_by(&self, udp_ports: &[u16]) -> Result<(Encapsulation<'a>, &'a [u8]), Error> {
        if self.protocol == SCTP && self.fragment.is_none() {
            return Ok((Encapsulation::Plain, self.payload));
        }
        self.other(udp_ports)
    }

    #[inline(never)]
    fn other(&self, udp_ports: &[u16]) -> Result<(Encapsulation<'a>, &'a [u8]), Error> {
        if self.fragment.is_some() {
            return Err(self.error(Why::Missing("the other IP fragments")));
        }
        match self.protocol {
            UDP => self.udp(udp_ports),
            other => Err(self.error(Why::NotOurs(protocol_name(other)))),
        }
    }

    fn udp(&self, ports: &[u16]) -> Result<(Encapsulation<'a>, &'a [u8]), Error> {
        let Some((header, data)) = self.payload.split_first_chunk::<8>() else {
            return Err(Error::new(Layer::Udp, 0, Why::truncated(8, self.payload.len())));
        };
        let &[s0, s1, d0, d1, l0, l1, _, _] = header;
        let (source_port, destination_port) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
        if !ports.contains(&source_port) && !ports.contains(&destination_port) {
            let name = match (source_port, destination_port) {
                (500 | 4500, _) | (_, 500 | 4500) => "encrypted: IPsec in UDP",
                _ => "UDP of other ports than SCTP's",
            };
            return Err(Error::new(Layer::Udp, 0, Why::NotOurs(name)));
        }
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        let bounded = len.checked_sub(8).and_then(|len| if self.cut { data.get(..len).or(Some(data)) } else { data.get(..len) });
        let Some(packet) = bounded else {
            return Err(Error::new(Layer::Udp, Udp::LENGTH_AT, Why::bad_length(len)));
        };
        // A DTLS record (RFC 6347 §4.1) where SCTP ports would stand: content type 20-25, version fe ff or fe fd.
        if let [20..=25, 0xfe, 0xfd | 0xff, ..] = *packet {
            return Err(Error::new(Layer::Udp, 8, Why::NotOurs("encrypted: DTLS")));
        }
        Ok((Encapsulation::Udp(Udp { header, source_port, destination_port }), packet))
    }

    fn error(&self, why: Why) -> Error {
        Error::new(Layer::Ip, self.header.len(), why)
    }
}

struct Walk<'a> {
    protocol: u8,
    payload: &'a [u8],
    fragment: Option<Fragment>,
}

/// RFC 8200 §4: hop-by-hop 0, routing 43, fragment 44, destination options 60, mobility 135, HIP 139, Shim6 140, all with the next
/// header in their first octet. AH and ESP end the walk: what they protect is not read.
fn extensions(mut protocol: u8, body: &[u8]) -> Result<Walk<'_>, Error> {
    let mut rest = body;
    for _ in 0..MAX_EXTENSION_HEADERS {
        let at = body.len() - rest.len();
        match protocol {
            0 | 43 | 60 | 135 | 139 | 140 => {
                let Some(&[next, units]) = rest.first_chunk() else {
                    return Err(Error::new(Layer::Ip, at, Why::truncated(8, rest.len())));
                };
                // The length leaves out the first eight octets.
                let len = (usize::from(units) + 1) * 8;
                rest = rest.get(len..).ok_or_else(|| Error::new(Layer::Ip, at + 1, Why::truncated(len, rest.len())))?;
                protocol = next;
            }
            44 => {
                let Some((&[next, _, o0, o1, i0, i1, i2, i3], behind)) = rest.split_first_chunk() else {
                    return Err(Error::new(Layer::Ip, at, Why::truncated(8, rest.len())));
                };
                let word = u16::from_be_bytes([o0, o1]);
                let (offset, more) = (u32::from(word & !7), word & 1 == 1);
                (protocol, rest) = (next, behind);
                if more || offset != 0 {
                    let id = u32::from_be_bytes([i0, i1, i2, i3]);
                    return Ok(Walk { protocol, payload: rest, fragment: Some(Fragment { id, offset, more }) });
                }
            }
            _ => return Ok(Walk { protocol, payload: rest, fragment: None }),
        }
    }
    Err(Error::new(Layer::Ip, body.len() - rest.len(), Why::Limit("IPv6 extension headers")))
}

const fn protocol_name(protocol: u8) -> &'static str {
    match protocol {
        1 | 58 => "ICMP",
        2 => "IGMP",
        4 | 41 => "IP in IP",
        6 => "TCP",
        47 => "GRE tunnel",
        50 => "encrypted: IPsec ESP",
        51 => "encrypted: IPsec AH",
        59 => "IPv6 without next header",
        89 => "OSPF",
        103 => "PIM",
        112 => "VRRP",
        _ => "other IP protocol",
    }
}

/// The Internet checksum (RFC 1071) of `bytes`: of an IPv4 header, the value for its checksum field when that field is zero in `bytes`,
/// and zero when the field is in place and right.
pub fn checksum(bytes: &[u8]) -> u16 {
    !fold(sum(0, bytes))
}

/// The checksum for `udp` (header and data, its checksum field taken as zero) between these addresses; never zero, which stands for none.
pub fn udp_checksum(source: IpAddr, destination: IpAddr, udp: &[u8]) -> u16 {
    let mut total = u64::from(UDP) + u64::try_from(udp.len()).unwrap_or(u64::MAX >> 1);
    for address in [source, destination] {
        total = match address {
            IpAddr::V4(address) => sum(total, &address.octets()),
            IpAddr::V6(address) => sum(total, &address.octets()),
        };
    }
    let (ports, data) = udp.split_at_checked(Udp::CHECKSUM_AT).unwrap_or((udp, &[]));
    match !fold(sum(sum(total, ports), data.get(2..).unwrap_or_default())) {
        0 => 0xffff,
        sum => sum,
    }
}

fn sum(start: u64, bytes: &[u8]) -> u64 {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let total = pairs.iter().fold(start, |total, &pair| total + u64::from(u16::from_be_bytes(pair)));
    odd.first().map_or(total, |&last| total + (u64::from(last) << 8))
}

#[expect(clippy::cast_possible_truncation, reason = "folded to 16 bits by the loop")]
const fn fold(mut total: u64) -> u16 {
    while total > 0xffff {
        total = (total >> 16) + (total & 0xffff);
    }
    total as u16
}
