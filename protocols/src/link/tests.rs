use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

const V4: (IpAddr, IpAddr) = (IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));
const V6: (IpAddr, IpAddr) =
    (IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2)));

fn packet((source, destination): (IpAddr, IpAddr), protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    build::ip(&mut out, &build::Ip { source, destination, protocol, id: 7 }, payload.len()).unwrap();
    out.extend_from_slice(payload);
    out
}

fn framed(tags: &[(u16, u16)], ethertype: u16, packet: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    build::ethernet(&mut out, [2; 6], [4; 6], tags, ethertype);
    out.extend_from_slice(packet);
    out
}

fn ip(link: LinkType, frame: &[u8]) -> Ip<'_> {
    match parse(link, frame) {
        Ok(Carried::Ip(ip)) => ip,
        other => panic!("{other:?}"),
    }
}

fn label(link: LinkType, frame: &[u8]) -> &'static str {
    parse(link, frame).unwrap_err().why.label()
}

#[test]
fn up_to_three_tags_of_any_kind_are_passed_and_a_fourth_is_named() {
    let packet = packet(V4, SCTP, b"sctp");
    let tags = [(0x88a8, 1), (0x9100, 2), (0x8100, 3), (0x8100, 4)];
    for count in 0..=3 {
        assert_eq!(ip(LinkType::Ethernet, &framed(&tags[..count], ETHERTYPE_IPV4, &packet)).payload, b"sctp", "{count} tags");
    }
    assert_eq!(label(LinkType::Ethernet, &framed(&tags, ETHERTYPE_IPV4, &packet)), "more than three VLAN tags");
}

#[test]
fn ethernet_padding_is_no_part_of_the_payload() {
    let mut frame = framed(&[], ETHERTYPE_IPV4, &packet(V4, SCTP, b"sctp"));
    frame.resize(60, 0xaa);
    assert_eq!(ip(LinkType::Ethernet, &frame).payload, b"sctp");
    let mut frame = framed(&[], ETHERTYPE_IPV6, &packet(V6, SCTP, b"sctp"));
    frame.resize(90, 0xaa);
    assert_eq!(ip(LinkType::Ethernet, &frame).payload, b"sctp");
}

#[test]
fn a_packet_that_the_capture_cut_is_marked() {
    let frame = framed(&[], ETHERTYPE_IPV4, &packet(V4, SCTP, b"sctp packet"));
    let cut = ip(LinkType::Ethernet, &frame[..frame.len() - 3]);
    assert_eq!((cut.payload, cut.cut), (&b"sctp pac"[..], true));
    assert!(!ip(LinkType::Ethernet, &frame).cut);
}

#[test]
fn every_link_type_leads_to_the_packet() {
    let packet = packet(V4, SCTP, b"sctp");
    let wrapped = |front: &[u8]| [front, &packet].concat();
    let (mut cooked, mut cooked2) = (Vec::new(), Vec::new());
    build::cooked(&mut cooked, ETHERTYPE_IPV4);
    build::cooked2(&mut cooked2, ETHERTYPE_IPV4);
    for (link, frame) in [
        (LinkType::LinuxSll, wrapped(&cooked)),
        (LinkType::LinuxSll2, wrapped(&cooked2)),
        (LinkType::RawIp, packet.clone()),
        (LinkType::Ipv4, packet.clone()),
        (LinkType::Null, wrapped(&[2, 0, 0, 0])),
        (LinkType::Null, wrapped(&[0, 0, 0, 2])),
        (LinkType::Loop, wrapped(&[0, 0, 0, 2])),
    ] {
        assert_eq!(ip(link, &frame).payload, b"sctp", "{link:?}");
        assert_eq!(LinkType::from_pcap(link.to_pcap()), Some(link));
        (0..frame.len() - packet.len() + 20)
            .for_each(|end| assert!(parse(link, &frame[..end]).is_err(), "{link:?} cut at {end}"));
    }
    assert_eq!(ip(LinkType::Ipv6, &self::packet(V6, SCTP, b"six")).payload, b"six");
    assert_eq!(parse(LinkType::Mtp3, &[0x83, 1]), Ok(Carried::Mtp3(&[0x83, 1])));
    assert_eq!(parse(LinkType::Sccp, &[9, 1]), Ok(Carried::Sccp(&[9, 1])));
    assert_eq!(LinkType::from_pcap(105), None);
    // Four octets of frame check sequence, said so in the upper bits of the field.
    assert_eq!(LinkType::from_pcap(0x4400_0001), Some(LinkType::Ethernet));
}

#[test]
fn mtp2_signal_units_are_told_apart_by_their_length_indicator() {
    let unit = |li: u8, behind: &[u8]| [&[0x80, 0x80, li], behind].concat();
    assert_eq!(label(LinkType::Mtp2, &unit(0, &[])), "MTP2 FISU");
    assert_eq!(label(LinkType::Mtp2, &unit(1, &[0])), "MTP2 LSSU");
    assert_eq!(label(LinkType::Mtp2, &unit(2, &[0, 0])), "MTP2 LSSU");
    let message: Vec<u8> = (0..70).collect();
    // Check bits behind a short unit are left out, as its length says; 63 stands for all there is.
    assert_eq!(parse(LinkType::Mtp2, &unit(10, &message[..12])), Ok(Carried::Mtp3(&message[..10])));
    assert_eq!(parse(LinkType::Mtp2, &unit(0xc0 | 63, &message)), Ok(Carried::Mtp3(&message[..])));
    assert_eq!(parse(LinkType::Mtp2, &unit(63, &message[..62])).unwrap_err().why, Why::truncated(63, 62));
    let with_header = [&[0, 0, 0, 1][..], &unit(10, &message[..10])].concat();
    assert_eq!(parse(LinkType::Mtp2WithPhdr, &with_header), Ok(Carried::Mtp3(&message[..10])));
    let annex_a = [&[0, 1, 0, 1, 1, 0, 1, 0, 70, 0][..], &message].concat();
    assert_eq!(parse(LinkType::Mtp2WithPhdr, &annex_a), Ok(Carried::Mtp3(&message[..])));
}

#[test]
fn what_is_not_ip_is_named() {
    for (ethertype, name) in [
        (0x0806, "ARP"),
        (0x0026, "802.3 frame"),
        (0x8847, "MPLS"),
        (0x8864, "PPPoE"),
        (0x88e5, "encrypted: MACsec"),
        (0x1234, "other EtherType"),
    ] {
        assert_eq!(label(LinkType::Ethernet, &framed(&[], ethertype, &[0; 46])), name);
    }
    for (protocol, name) in [
        (6, "TCP"),
        (1, "ICMP"),
        (47, "GRE tunnel"),
        (50, "encrypted: IPsec ESP"),
        (51, "encrypted: IPsec AH"),
        (99, "other IP protocol"),
    ] {
        let packet = packet(V4, protocol, &[0; 20]);
        let error = ip(LinkType::RawIp, &packet).sctp().unwrap_err();
        assert_eq!(error, Error::new(Layer::Ip, 20, Why::NotOurs(name)));
    }
}

#[test]
fn ipv4_options_belong_to_the_header() {
    let mut bytes = packet(V4, SCTP, b"\x07\x04\x04\x00sctp");
    bytes[0] = 0x46;
    let ip = ip(LinkType::Ipv4, &bytes);
    assert_eq!((ip.header.len(), ip.payload), (24, &b"sctp"[..]));
}

#[test]
fn ipv4_lengths_that_lie_are_named() {
    let good = packet(V4, SCTP, b"sctp");
    let with = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        Ip::v4(&bytes).map(|ip| (ip.payload.len(), ip.cut)).map_err(|error| error.why)
    };
    assert_eq!(with(3, 24), Ok((4, false)));
    assert_eq!(with(3, 23), Ok((3, false)));
    assert_eq!(with(3, 25), Ok((4, true)));
    assert_eq!(with(3, 20), Ok((0, false)));
    assert_eq!(with(3, 19), Err(Why::BadLength(19)));
    assert_eq!(with(3, 0), Err(Why::BadLength(0)));
    assert_eq!(with(0, 0x44), Err(Why::Malformed("IPv4 version or header length")));
    assert_eq!(with(0, 0x65), Err(Why::Malformed("IPv4 version or header length")));
    assert_eq!(with(0, 0x4f), Err(Why::truncated(60, 24)));
}

/// Hop-by-hop, routing, destination options, mobility, HIP and Shim6 of eight octets each, the second one of sixteen.
fn extended() -> Vec<u8> {
    let mut out = Vec::new();
    for (next, units) in [(43, 0), (60, 1), (135, 0), (139, 0), (140, 0), (SCTP, 0)] {
        out.extend_from_slice(&[next, units, 1, 4, 0, 0, 0, 0]);
        out.resize(out.len() + usize::from(units) * 8, 0);
    }
    out.extend_from_slice(b"sctp");
    out
}

#[test]
fn ipv6_extension_headers_are_walked_and_belong_to_the_header() {
    let bytes = packet(V6, 0, &extended());
    let ip = Ip::v6(&bytes).unwrap();
    assert_eq!((ip.protocol, ip.payload, ip.header.len()), (SCTP, &b"sctp"[..], 40 + 56));
    // Cut within the extension headers.
    (40..96).for_each(|end| assert!(Ip::v6(&bytes[..end]).is_err(), "cut at {end}"));
}

#[test]
fn ipv6_extension_headers_without_end_are_a_limit() {
    let chain = [60, 0, 1, 4, 0, 0, 0, 0].repeat(13);
    assert_eq!(Ip::v6(&packet(V6, 60, &chain)).unwrap_err().why, Why::Limit("IPv6 extension headers"));
}

#[test]
fn ipv6_jumbograms_are_named() {
    let mut bytes = packet(V6, 0, &[SCTP, 0, 0xc2, 4, 0, 1, 0, 0]);
    bytes[V6_PAYLOAD_LENGTH_AT..6].fill(0);
    assert_eq!(Ip::v6(&bytes).unwrap_err(), Error::new(Layer::Ip, 4, Why::NotOurs("IPv6 jumbogram")));
}

#[test]
fn ipv6_pieces_join_and_extension_headers_within_them_are_read_afterwards() {
    // Destination options, then SCTP: the part that was cut into pieces of 8 and 4 octets.
    let whole = [&[SCTP, 0, 1, 4, 0, 0, 0, 0][..], b"sctp"].concat();
    let piece = |word: u16, part: &[u8]| {
        let [w0, w1] = word.to_be_bytes();
        packet(V6, 44, &[&[60, 0, w0, w1, 0, 0, 1, 2], part].concat())
    };
    let (first, last) = (piece(1, &whole[..8]), piece(8, &whole[8..]));
    let (first, last) = (Ip::v6(&first).unwrap(), Ip::v6(&last).unwrap());
    assert_eq!(first.fragment, Some(Fragment { id: 0x102, offset: 0, more: true }));
    assert_eq!(last.fragment, Some(Fragment { id: 0x102, offset: 8, more: false }));
    assert_eq!((first.protocol, last.protocol, last.payload), (60, 60, &b"sctp"[..]));
    let joined = [first.payload, last.payload].concat();
    let joined = first.joined(&joined).unwrap();
    assert_eq!(joined.sctp().unwrap(), (Encapsulation::Plain, &b"sctp"[..]));
    // RFC 6946: a fragment header on a whole packet.
    let atomic = piece(0, &whole);
    assert_eq!(Ip::v6(&atomic).unwrap().sctp().unwrap().1, b"sctp");
}

#[test]
fn ipv4_pieces_have_offsets_in_octets() {
    let mut bytes = packet(V4, SCTP, b"sctp");
    bytes[6..8].copy_from_slice(&[0x20, 0x14]);
    assert_eq!(ip(LinkType::Ipv4, &bytes).fragment, Some(Fragment { id: 7, offset: 160, more: true }));
    bytes[6..8].copy_from_slice(&[0, 0]);
    assert_eq!(ip(LinkType::Ipv4, &bytes).fragment, None);
}

#[test]
fn sctp_in_udp_is_found_by_either_port_and_bounded_by_the_udp_length() {
    for (addresses, ports) in [(V4, (9899, 40000)), (V4, (40000, 9899)), (V6, (9899, 9899))] {
        let mut datagram = Vec::new();
        build::udp(&mut datagram, addresses, ports, b"sctp").unwrap();
        assert_eq!(udp_checksum(addresses.0, addresses.1, &datagram).to_be_bytes(), datagram[6..8]);
        datagram.push(0xaa);
        let packet = packet(addresses, UDP, &datagram);
        let (Encapsulation::Udp(udp), sctp) = ip(LinkType::RawIp, &packet).sctp().unwrap() else { panic!() };
        assert_eq!(((udp.source_port, udp.destination_port), sctp), (ports, &b"sctp"[..]));
        assert_eq!(udp.header[Udp::LENGTH_AT..Udp::CHECKSUM_AT], [0, 12]);
    }
}

#[test]
fn other_udp_ports_carry_sctp_where_the_operator_says_so() {
    let mut datagram = Vec::new();
    build::udp(&mut datagram, V4, (40000, 5000), b"sctp").unwrap();
    let packet = packet(V4, UDP, &datagram);
    let ip = ip(LinkType::RawIp, &packet);
    assert!(ip.sctp().is_err());
    assert_eq!(ip.sctp_by(&[9899, 5000]).unwrap().1, b"sctp");
}

#[test]
fn udp_that_is_not_ours_or_lies_is_named() {
    let label = |ports, data: &[u8], change: &dyn Fn(&mut Vec<u8>)| {
        let mut datagram = Vec::new();
        build::udp(&mut datagram, V4, ports, data).unwrap();
        change(&mut datagram);
        let packet = packet(V4, UDP, &datagram);
        ip(LinkType::RawIp, &packet).sctp().unwrap_err().why
    };
    assert_eq!(label((53, 53), b"", &|_| ()), Why::NotOurs("UDP of other ports than SCTP's"));
    assert_eq!(label((4500, 4500), b"", &|_| ()), Why::NotOurs("encrypted: IPsec in UDP"));
    assert_eq!(label((9899, 9899), &[22, 0xfe, 0xfd, 0], &|_| ()), Why::NotOurs("encrypted: DTLS"));
    assert_eq!(label((9899, 9899), b"sctp", &|datagram| datagram[5] = 13), Why::BadLength(13));
    assert_eq!(label((9899, 9899), b"sctp", &|datagram| datagram[5] = 7), Why::BadLength(7));
    assert_eq!(label((9899, 9899), b"sctp", &|datagram| datagram.truncate(7)), Why::truncated(8, 7));
}

#[test]
fn checksum_of_a_header_in_place_is_zero() {
    // The example of the IPv4 header checksum that textbooks work through: b861.
    let mut header = [0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0, 0, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7];
    assert_eq!(checksum(&header), 0xb861);
    header[V4_CHECKSUM_AT..12].copy_from_slice(&[0xb8, 0x61]);
    assert_eq!(checksum(&header), 0);
}

#[test]
fn addresses_of_two_versions_and_payloads_too_long_build_nothing() {
    let mut out = Vec::new();
    let mixed = build::Ip { source: V4.0, destination: V6.1, protocol: SCTP, id: 0 };
    assert_eq!(build::ip(&mut out, &mixed, 0), None);
    let long = build::Ip { source: V4.0, destination: V4.1, protocol: SCTP, id: 0 };
    assert_eq!(build::ip(&mut out, &long, 65516), None);
    assert_eq!(build::udp(&mut out, V4, (1, 2), &vec![0; 65528]), None);
    assert!(out.is_empty());
}

const LINKS: [LinkType; 12] = [
    LinkType::Ethernet,
    LinkType::LinuxSll,
    LinkType::LinuxSll2,
    LinkType::RawIp,
    LinkType::Ipv4,
    LinkType::Ipv6,
    LinkType::Null,
    LinkType::Loop,
    LinkType::Mtp2,
    LinkType::Mtp2WithPhdr,
    LinkType::Mtp3,
    LinkType::Sccp,
];

proptest! {
    #[test]
    fn what_is_built_reads_back(
        six: bool, tags in prop::collection::vec((prop::sample::select(vec![0x8100u16, 0x88a8, 0x9100]), any::<u16>()), 0..=3),
        protocol in 61u8.., payload in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let (source, destination) = if six { V6 } else { V4 };
        // Protocols from 61 on that are no extension header.
        let protocol = if matches!(protocol, 135 | 139 | 140) { SCTP } else { protocol };
        let frame = framed(&tags, build::ethertype(source), &packet((source, destination), protocol, &payload));
        let ip = ip(LinkType::Ethernet, &frame);
        prop_assert_eq!((ip.source, ip.destination, ip.protocol), (source, destination, protocol));
        prop_assert_eq!(ip.payload, &payload[..]);
        prop_assert_eq!((ip.fragment, ip.cut), (None, false));
        let header = crate::span::within(&frame, ip.header).unwrap();
        let body = crate::span::within(&frame, ip.payload).unwrap();
        prop_assert_eq!((header.start, header.end, body.end), (14 + 4 * tags.len(), body.start, frame.len()));
        if !six {
            prop_assert_eq!(checksum(ip.header), 0);
        }
    }

    #[test]
    fn no_bytes_panic(link in prop::sample::select(LINKS.to_vec()), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(Carried::Ip(ip)) = parse(link, &bytes) {
            prop_assert!(crate::span::within(&bytes, ip.payload).is_some());
            let _ = ip.sctp();
            let _ = ip.joined(&bytes);
        }
    }

    #[test]
    fn no_extension_headers_panic(next: u8, bytes in prop::collection::vec(prop::sample::select(vec![0u8, 1, 2, 43, 44, 51, 60, 132, 135]), 0..120)) {
        let packet = packet(V6, next, &bytes);
        if let Ok(ip) = Ip::v6(&packet) {
            prop_assert_eq!(ip.header.len() + ip.payload.len(), packet.len());
            let _ = ip.sctp();
        }
    }
}
