//! What a captured frame is wrapped in, down to the IP packet, the MTP3 message or the SCCP message that it carries.
//!
//! ```text
//! Ethernet      destination 6 | source 6 | EtherType 2 | up to three tags of 4 octets (8100, 88a8, 9100)
//! cooked v1     packet type 2 | ARPHRD 2 | address length 2 | address 8 | EtherType 2
//! cooked v2     EtherType 2 | reserved 2 | interface 4 | ARPHRD 2 | packet type 1 | address length 1 | address 8
//! MTP2 (Q.703)  BIB, BSN 1 | FIB, FSN 1 | LI 1 | SIO 1 | SIF
//! ```
//!
//! [`parse`] borrows the frame. What is well formed and carries none of the three is [`Why::NotOurs`] with its name.
//!
//! ```
//! use protocols::link::{self, Carried, LinkType, build};
//!
//! let (source, destination) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
//! let mut frame = Vec::new();
//! build::ethernet(&mut frame, [2; 6], [4; 6], &[(0x8100, 100)], link::ETHERTYPE_IPV4);
//! build::ip(&mut frame, &build::Ip { source, destination, protocol: link::SCTP, id: 0 }, 4).unwrap();
//! frame.extend_from_slice(b"sctp");
//!
//! let Carried::Ip(ip) = link::parse(LinkType::Ethernet, &frame)? else { unreachable!() };
//! assert_eq!((ip.source, ip.sctp()?.1), (source, &b"sctp"[..]));
//! # Ok::<_, protocols::Error>(())
//! ```

pub mod build;
mod ip;

pub use ip::{
    Encapsulation, Fragment, Ip, SCTP, SCTP_IN_UDP, UDP, Udp, V4_CHECKSUM_AT, V4_TOTAL_LENGTH_AT, V6_PAYLOAD_LENGTH_AT, checksum,
    udp_checksum,
};

use crate::error::{Error, Layer, Why};

/// How a capture wraps its frames; the registry of link types is tcpdump.org's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkType {
    /// `LINKTYPE_ETHERNET`, 1.
    Ethernet,
    /// `LINKTYPE_LINUX_SLL`, 113: cooked capture v1.
    LinuxSll,
    /// `LINKTYPE_LINUX_SLL2`, 276: cooked capture v2.
    LinuxSll2,
    /// `LINKTYPE_RAW`, 101, and the `DLT_RAW` of old captures, 12 and 14: the version tells which IP.
    RawIp,
    /// `LINKTYPE_IPV4`, 228.
    Ipv4,
    /// `LINKTYPE_IPV6`, 229.
    Ipv6,
    /// `LINKTYPE_NULL`, 0: BSD loopback, address family in the order of the host that captured.
    Null,
    /// `LINKTYPE_LOOP`, 108: OpenBSD loopback, address family in network order.
    Loop,
    /// `LINKTYPE_MTP2`, 140.
    Mtp2,
    /// `LINKTYPE_MTP2_WITH_PHDR`, 139: four octets in front (sent, annex A, link number).
    Mtp2WithPhdr,
    /// `LINKTYPE_MTP3`, 141.
    Mtp3,
    /// `LINKTYPE_SCCP`, 142.
    Sccp,
}

impl LinkType {
    /// The link type of a pcap header or pcapng interface block; `None` for those not read here.
    ///
    /// The upper bits of the field of a pcap header hold the length of the frame check sequence and are left out.
    pub const fn from_pcap(number: u32) -> Option<Self> {
        Some(match number & 0xffff {
            0 => Self::Null,
            1 => Self::Ethernet,
            12 | 14 | 101 => Self::RawIp,
            108 => Self::Loop,
            113 => Self::LinuxSll,
            139 => Self::Mtp2WithPhdr,
            140 => Self::Mtp2,
            141 => Self::Mtp3,
            142 => Self::Sccp,
            228 => Self::Ipv4,
            229 => Self::Ipv6,
            276 => Self::LinuxSll2,
            _ => return None,
        })
    }

    /// The number that a capture file holds for it.
    pub const fn to_pcap(self) -> u32 {
        match self {
            Self::Null => 0,
            Self::Ethernet => 1,
            Self::RawIp => 101,
            Self::Loop => 108,
            Self::LinuxSll => 113,
            Self::Mtp2WithPhdr => 139,
            Self::Mtp2 => 140,
            Self::Mtp3 => 141,
            Self::Sccp => 142,
            Self::Ipv4 => 228,
            Self::Ipv6 => 229,
            Self::LinuxSll2 => 276,
        }
    }
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried<'a> {
    /// An IP packet.
    Ip(Ip<'a>),
    /// An MTP3 message: SIO, routing label, user data ([`crate::mtp3::Msu::parse`]).
    Mtp3(&'a [u8]),
    /// An SCCP message.
    Sccp(&'a [u8]),
}

/// EtherType of IPv4.
pub const ETHERTYPE_IPV4: u16 = 0x0800;
/// EtherType of IPv6.
pub const ETHERTYPE_IPV6: u16 = 0x86dd;
/// The most VLAN tags that are read in one frame.
pub const MAX_TAGS: usize = 3;

/// Reads one frame down to what it carries.
#[inline(always)]
pub fn parse(link: LinkType, frame: &[u8]) -> Result<Carried<'_>, Error> {
    if link == LinkType::Ethernet
        && let Some(ip) = usual(frame)
    {
        return Ok(Carried::Ip(ip));
    }
    exact(link, frame)
}

/// Ethernet with at most one tag and the usual form of IPv4 or IPv6. Any other frame is [`exact`]'s.
#[inline(always)]
pub(crate) fn usual(frame: &[u8]) -> Option<Ip<'_>> {
    let (&[.., t0, t1], behind) = frame.split_first_chunk::<14>()?;
    match ([t0, t1], behind) {
        ([0x08, 0x00], packet) => Ip::v4_usual(packet),
        ([0x86, 0xdd], packet) => Ip::v6_usual(packet),
        ([0x81, 0x00], [_, _, 0x08, 0x00, packet @ ..]) => Ip::v4_usual(packet),
        ([0x81, 0x00], [_, _, 0x86, 0xdd, packet @ ..]) => Ip::v6_usual(packet),
        _ => None,
    }
}

#[inline(never)]
pub(crate) fn exact(link: LinkType, frame: &[u8]) -> Result<Carried<'_>, Error> {
    match link {
        LinkType::Ethernet => ethernet(frame),
        LinkType::LinuxSll => cooked(frame),
        LinkType::LinuxSll2 => cooked2(frame),
        LinkType::RawIp => raw(frame, 0),
        LinkType::Ipv4 => Ip::v4(frame).map(Carried::Ip),
        LinkType::Ipv6 => Ip::v6(frame).map(Carried::Ip),
        LinkType::Null | LinkType::Loop => loopback(frame),
        LinkType::Mtp2 => mtp2(frame, 0),
        LinkType::Mtp2WithPhdr => mtp2(frame, 4),
        LinkType::Mtp3 => Ok(Carried::Mtp3(frame)),
        LinkType::Sccp => Ok(Carried::Sccp(frame)),
    }
}

#[inline]
fn ethernet(frame: &[u8]) -> Result<Carried<'_>, Error> {
    let Some((&[.., t0, t1], _)) = frame.split_first_chunk::<14>() else {
        return Err(Error::new(Layer::Link, 0, Why::truncated(14, frame.len())));
    };
    network(u16::from_be_bytes([t0, t1]), frame, 14)
}

fn cooked(frame: &[u8]) -> Result<Carried<'_>, Error> {
    let Some((&[_, _, h0, h1, .., t0, t1], _)) = frame.split_first_chunk::<16>() else {
        return Err(Error::new(Layer::Link, 0, Why::truncated(16, frame.len())));
    };
    hardware(u16::from_be_bytes([h0, h1]), 2)?;
    network(u16::from_be_bytes([t0, t1]), frame, 16)
}

fn cooked2(frame: &[u8]) -> Result<Carried<'_>, Error> {
    let Some((&[t0, t1, _, _, _, _, _, _, h0, h1, ..], _)) = frame.split_first_chunk::<20>() else {
        return Err(Error::new(Layer::Link, 0, Why::truncated(20, frame.len())));
    };
    hardware(u16::from_be_bytes([h0, h1]), 8)?;
    network(u16::from_be_bytes([t0, t1]), frame, 20)
}

/// For these ARPHRD values the protocol field of a cooked frame is not an EtherType.
fn hardware(arphrd: u16, at: usize) -> Result<(), Error> {
    let name = match arphrd {
        778 => "GRE tunnel",
        801..=803 => "802.11 frame",
        824 => "netlink",
        _ => return Ok(()),
    };
    Err(Error::new(Layer::Link, at, Why::NotOurs(name)))
}

/// What stands at `at`, behind an EtherType that ends there.
#[inline]
fn network(mut ethertype: u16, frame: &[u8], mut at: usize) -> Result<Carried<'_>, Error> {
    for _ in 0..=MAX_TAGS {
        let rest = frame.get(at..).unwrap_or_default();
        match ethertype {
            ETHERTYPE_IPV4 => return Ip::v4(rest).map(Carried::Ip).map_err(|e| e.moved(at)),
            ETHERTYPE_IPV6 => return Ip::v6(rest).map(Carried::Ip).map_err(|e| e.moved(at)),
            0x8100 | 0x88a8 | 0x9100 => {
                let Some((&[_, _, t0, t1], _)) = rest.split_first_chunk() else {
                    return Err(Error::new(Layer::Link, at, Why::truncated(4, rest.len())));
                };
                ethertype = u16::from_be_bytes([t0, t1]);
                at += 4;
            }
            other => return Err(Error::new(Layer::Link, at - 2, Why::NotOurs(ethertype_name(other)))),
        }
    }
    Err(Error::new(Layer::Link, at - 2, Why::Limit("more than three VLAN tags")))
}

const fn ethertype_name(ethertype: u16) -> &'static str {
    match ethertype {
        0..=0x05ff => "802.3 frame",
        0x0806 => "ARP",
        0x8847 | 0x8848 => "MPLS",
        0x8863 | 0x8864 => "PPPoE",
        0x888e => "802.1X",
        0x88cc => "LLDP",
        0x88e5 => "encrypted: MACsec",
        0x88f7 => "PTP",
        _ => "other EtherType",
    }
}

fn raw(frame: &[u8], at: usize) -> Result<Carried<'_>, Error> {
    let rest = frame.get(at..).unwrap_or_default();
    match rest.first().map(|octet| octet >> 4) {
        Some(4) => Ip::v4(rest).map(Carried::Ip).map_err(|e| e.moved(at)),
        Some(6) => Ip::v6(rest).map(Carried::Ip).map_err(|e| e.moved(at)),
        Some(_) => Err(Error::new(Layer::Ip, at, Why::Malformed("IP version"))),
        None => Err(Error::new(Layer::Ip, at, Why::truncated(1, 0))),
    }
}

fn loopback(frame: &[u8]) -> Result<Carried<'_>, Error> {
    // The families in question are below 256, so the order of the octets does not matter: one of them is set.
    let family = match frame.first_chunk() {
        Some(&[family, 0, 0, 0] | &[0, 0, 0, family]) => family,
        Some(_) => 0,
        None => return Err(Error::new(Layer::Link, 0, Why::truncated(4, frame.len()))),
    };
    match family {
        // IPv6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on Darwin.
        2 | 10 | 24 | 28 | 30 => raw(frame, 4),
        _ => Err(Error::new(Layer::Link, 0, Why::NotOurs("other address family"))),
    }
}

/// Q.703 §2.3: the length indicator counts the octets behind it up to the check bits; 63 stands for 63 and more.
fn mtp2(frame: &[u8], at: usize) -> Result<Carried<'_>, Error> {
    let signal_unit = frame.get(at..).unwrap_or_default();
    let annex_a = at > 0 && frame.get(1) == Some(&1);
    // Q.703 Annex A: extended sequence numbers and a length indicator of nine bits, least significant octet first.
    let (len, behind, most) = match *signal_unit {
        [_, _, _, _, l0, l1, ref behind @ ..] if annex_a => (usize::from(u16::from_le_bytes([l0, l1]) & 0x1ff), behind, 0x1ff),
        [_, _, li, ref behind @ ..] if !annex_a => (usize::from(li & 0x3f), behind, 0x3f),
        _ => return Err(Error::new(Layer::Link, at, Why::truncated(if annex_a { 6 } else { 3 }, signal_unit.len()))),
    };
    let start = frame.len() - behind.len();
    match len {
        0 => Err(Error::new(Layer::Link, start - 1, Why::NotOurs("MTP2 FISU"))),
        1 | 2 => Err(Error::new(Layer::Link, start - 1, Why::NotOurs("MTP2 LSSU"))),
        // Check bits, where captured, stay at the end: the layers above have lengths of their own.
        _ if len == most && behind.len() >= most => Ok(Carried::Mtp3(behind)),
        _ => match behind.get(..len) {
            Some(message) => Ok(Carried::Mtp3(message)),
            None => Err(Error::new(Layer::Link, start, Why::truncated(len, behind.len()))),
        },
    }
}

#[cfg(test)]
mod tests;
