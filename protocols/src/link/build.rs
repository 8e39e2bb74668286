//! Headers of the link, IP and UDP, appended to a vector. Lengths of what comes behind are given: no header is patched afterwards.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{ETHERTYPE_IPV4, ETHERTYPE_IPV6, checksum, udp_checksum};

/// An Ethernet header with VLAN tags `(EtherType of the tag, tag control information)`, outermost first.
pub fn ethernet(out: &mut Vec<u8>, destination: [u8; 6], source: [u8; 6], tags: &[(u16, u16)], ethertype: u16) {
    out.extend_from_slice(&destination);
    out.extend_from_slice(&source);
    for (tag, control) in tags {
        out.extend_from_slice(&tag.to_be_bytes());
        out.extend_from_slice(&control.to_be_bytes());
    }
    out.extend_from_slice(&ethertype.to_be_bytes());
}

/// A cooked capture v1 header of a frame to this host.
pub fn cooked(out: &mut Vec<u8>, ethertype: u16) {
    // Packet type 0 (to us), ARPHRD 1 (Ethernet), address of six octets in a field of eight.
    out.extend_from_slice(&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
    out.extend_from_slice(&ethertype.to_be_bytes());
}

/// A cooked capture v2 header of a frame to this host on interface 1.
pub fn cooked2(out: &mut Vec<u8>, ethertype: u16) {
    out.extend_from_slice(&ethertype.to_be_bytes());
    out.extend_from_slice(&[0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]);
}

/// Fields of an IP header that a generator sets; the rest is fixed (time to live 64, no options).
#[derive(Clone, Copy, Debug)]
pub struct Ip {
    /// Source address.
    pub source: IpAddr,
    /// Destination address; of the same version as the source.
    pub destination: IpAddr,
    /// Protocol of the payload.
    pub protocol: u8,
    /// Identification (IPv4).
    pub id: u16,
}

/// The EtherType that goes with an address.
pub const fn ethertype(address: IpAddr) -> u16 {
    match address {
        IpAddr::V4(_) => ETHERTYPE_IPV4,
        IpAddr::V6(_) => ETHERTYPE_IPV6,
    }
}

/// An IP header in front of `payload_len` octets, of the version of the source address.
/// `None` and nothing appended when the addresses differ in version or the payload is too long for the length field.
#[must_use]
pub fn ip(out: &mut Vec<u8>, fields: &Ip, payload_len: usize) -> Option<()> {
    match (fields.source, fields.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => ipv4(out, fields, source, destination, payload_len),
        (IpAddr::V6(source), IpAddr::V6(destination)) => ipv6(out, fields, source, destination, payload_len),
        _ => None,
    }
}

fn ipv4(out: &mut Vec<u8>, fields: &Ip, source: Ipv4Addr, destination: Ipv4Addr, payload_len: usize) -> Option<()> {
    let [t0, t1] = u16::try_from(payload_len.checked_add(20)?).ok()?.to_be_bytes();
    let [i0, i1] = fields.id.to_be_bytes();
    let ([s0, s1, s2, s3], [d0, d1, d2, d3]) = (source.octets(), destination.octets());
    // Version 4, five words; do not fragment.
    let header = |c0, c1| [0x45, 0, t0, t1, i0, i1, 0x40, 0, 64, fields.protocol, c0, c1, s0, s1, s2, s3, d0, d1, d2, d3];
    let [c0, c1] = checksum(&header(0, 0)).to_be_bytes();
    out.extend_from_slice(&header(c0, c1));
    Some(())
}

fn ipv6(out: &mut Vec<u8>, fields: &Ip, source: Ipv6Addr, destination: Ipv6Addr, payload_len: usize) -> Option<()> {
    let [l0, l1] = u16::try_from(payload_len).ok()?.to_be_bytes();
    out.extend_from_slice(&[0x60, 0, 0, 0, l0, l1, fields.protocol, 64]);
    out.extend_from_slice(&source.octets());
    out.extend_from_slice(&destination.octets());
    Some(())
}

/// A UDP datagram with its checksum: header and `data`.
/// `None` and nothing appended when the data is too long for the length field.
#[must_use]
pub fn udp(out: &mut Vec<u8>, addresses: (IpAddr, IpAddr), ports: (u16, u16), data: &[u8]) -> Option<()> {
    let len = u16::try_from(data.len().checked_add(8)?).ok()?;
    let start = out.len();
    for word in [ports.0, ports.1, len, 0] {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out.extend_from_slice(data);
    let datagram = out.get_mut(start..)?;
    let sum = udp_checksum(addresses.0, addresses.1, datagram);
    datagram.get_mut(6..8)?.copy_from_slice(&sum.to_be_bytes());
    Some(())
}
