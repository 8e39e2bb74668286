use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

const MESSAGE: Data<'static> = Data {
    tsn: 77,
    stream: 3,
    sequence: 9,
    fsn: None,
    ppid: Some(3),
    begin: true,
    end: true,
    unordered: false,
    immediate: false,
    interleaved: false,
    payload: b"user data",
};

/// Written by hand from RFC 9260 §3.1 and §3.3.1, padded; sealed by [`seal`].
const PACKET: [u8; 40] = [
    0x0b, 0x59, 0x0b, 0x5a, 0x11, 0x22, 0x33, 0x44, 0, 0, 0, 0, // common header
    0, 3, 0, 25, 0, 0, 0, 77, 0, 3, 0, 9, 0, 0, 0, 3, b'u', b's', b'e', b'r', b' ', b'd', b'a', b't', b'a', 0, 0, 0,
];

fn walk(packet: &[u8]) -> Vec<Result<Chunk<'_>, Error>> {
    Packet::parse(packet).unwrap().chunks().collect()
}

fn only(packet: &[u8]) -> Result<Data<'_>, Error> {
    walk(packet)[0].unwrap().data().unwrap()
}

#[test]
fn a_packet_written_by_hand_reads_and_builds_alike() {
    let packet = Packet::parse(&PACKET).unwrap();
    assert_eq!((packet.source_port, packet.destination_port, packet.verification_tag), (2905, 2906, 0x1122_3344));
    assert_eq!(only(&PACKET), Ok(MESSAGE));
    let mut built = Vec::new();
    let mut builder = Builder::new(&mut built, 2905, 2906, 0x1122_3344);
    builder.data(&MESSAGE).unwrap();
    builder.finish();
    assert_eq!(Packet::parse(&built).unwrap().sum(), Sum::Good);
    built[CHECKSUM_AT..HEADER_LEN].fill(0);
    assert_eq!(built, PACKET);
}

#[test]
fn sums_are_good_bad_or_zero() {
    let sum = |packet: &[u8]| Packet::parse(packet).unwrap().sum();
    let mut packet = PACKET;
    assert_eq!(sum(&packet), Sum::Zero);
    seal(&mut packet);
    assert_eq!(sum(&packet), Sum::Good);
    for at in 0..packet.len() {
        packet[at] ^= 0x10;
        assert_eq!(sum(&packet), Sum::Bad, "octet {at}");
        packet[at] ^= 0x10;
    }
}

#[test]
fn too_short_a_packet_is_not_sealed() {
    let mut short = [1; 11];
    seal(&mut short);
    assert_eq!(short, [1; 11]);
}

#[test]
fn the_sum_is_crc32c_as_its_catalogue_checks_it() {
    // "123456789" has CRC-32C e3069283 (RFC 3720 and every catalogue of CRCs).
    assert_eq!(::crc32c::crc32c(b"123456789"), 0xe306_9283);
}

#[test]
fn packet_cut_anywhere_ends_with_an_error_and_never_a_panic() {
    (0..12).for_each(|end| assert!(Packet::parse(&PACKET[..end]).is_err(), "cut at {end}"));
    assert!(walk(&PACKET[..12]).is_empty());
    (13..37).for_each(|end| assert!(walk(&PACKET[..end])[0].is_err(), "cut at {end}"));
}

#[test]
fn last_padding_may_be_absent() {
    (37..=40).for_each(|end| assert_eq!(only(&PACKET[..end]), Ok(MESSAGE)));
}

#[test]
fn chunk_length_off_is_named_with_its_offset_and_ends_the_walk() {
    for (len, why) in
        [(0, Why::BadLength(0)), (3, Why::BadLength(3)), (29, Why::truncated(29, 28)), (255, Why::truncated(255, 28))]
    {
        let mut packet = PACKET;
        packet[15] = len;
        assert_eq!(walk(&packet), [Err(Error::new(Layer::Sctp, 14, why))]);
    }
    let mut packet = PACKET;
    packet[15] = 24;
    let short = walk(&packet);
    assert_eq!(short[0].unwrap().data().unwrap().unwrap().payload, b"user dat");
    assert_eq!(short[1].unwrap_err().why, Why::BadLength(0), "what is left over reads as a chunk");
}

#[test]
fn data_without_user_data_is_named() {
    let mut packet = PACKET;
    packet[15] = 16;
    assert_eq!(only(&packet).unwrap_err().why, Why::Malformed("DATA without user data"));
    packet[15] = 15;
    assert_eq!(only(&packet).unwrap_err(), Error::new(Layer::Sctp, 12, Why::truncated(16, 15)));
}

#[test]
fn only_the_first_fragment_of_i_data_has_an_identifier_and_only_later_ones_a_number() {
    let first = Data { interleaved: true, sequence: 0x0001_0002, end: false, ..MESSAGE };
    let later = Data { begin: false, end: true, ppid: None, fsn: Some(1), tsn: 78, ..first };
    let mut packet = Vec::new();
    let mut builder = Builder::new(&mut packet, 1, 2, 3);
    builder.data(&first).unwrap().data(&later).unwrap();
    builder.finish();
    let read: Vec<_> = walk(&packet).into_iter().map(|chunk| chunk.unwrap().data().unwrap().unwrap()).collect();
    assert_eq!(read, [first, later]);
}

#[test]
fn control_chunks_come_with_their_names_and_fields() {
    let addresses = [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let init = Init {
        ack: true,
        initiate_tag: 0xdead_beef,
        a_rwnd: 65535,
        outbound_streams: 10,
        inbound_streams: 20,
        initial_tsn: 1000,
        // A state cookie of one octet, to be padded.
        parameters: &[0, 7, 0, 5, 0xaa],
    };
    let mut packet = Vec::new();
    let mut builder = Builder::new(&mut packet, 2905, 2905, 1);
    builder.init(&init, &addresses).unwrap().sack(999, 65535).heartbeat(42);
    for kind in [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 128, 130, 132, 192, 194, 77] {
        builder.chunk(kind, 0, &[]).unwrap();
    }
    builder.finish();
    let chunks: Vec<_> = walk(&packet).into_iter().map(Result::unwrap).collect();
    let names: Vec<_> = chunks.iter().map(Chunk::name).collect();
    assert_eq!(
        names.join(", "),
        "INIT ACK, SACK, HEARTBEAT, HEARTBEAT ACK, ABORT, SHUTDOWN, SHUTDOWN ACK, ERROR, COOKIE ECHO, COOKIE ACK, ECNE, CWR, \
         SHUTDOWN COMPLETE, AUTH, ASCONF-ACK, RE-CONFIG, PAD, FORWARD TSN, I-FORWARD-TSN, other chunk"
    );
    let read = chunks[0].init().unwrap().unwrap();
    assert_eq!((read.ack, read.initiate_tag, read.initial_tsn), (true, 0xdead_beef, 1000));
    assert_eq!((read.a_rwnd, read.outbound_streams, read.inbound_streams), (65535, 10, 20));
    assert_eq!(read.addresses().collect::<Vec<_>>(), addresses);
    assert!(chunks[1].init().is_none() && chunks[1].data().is_none() && chunks[1].asconf().is_none());
}

#[test]
fn asconf_names_addresses_and_what_for() {
    // Written by hand from RFC 5061 §4.1.1 and §4.2: look-up address, add one, delete one, make one primary.
    let value = [
        &[0, 0, 0, 1][..],
        &[0, 5, 0, 8, 192, 0, 2, 1],
        &[0xc0, 1, 0, 16, 0, 0, 0, 1, 0, 5, 0, 8, 192, 0, 2, 2],
        &[0xc0, 2, 0, 16, 0, 0, 0, 2, 0, 5, 0, 8, 192, 0, 2, 3],
        &[0xc0, 4, 0, 16, 0, 0, 0, 3, 0, 5, 0, 8, 192, 0, 2, 4],
    ]
    .concat();
    let mut packet = Vec::new();
    let mut builder = Builder::new(&mut packet, 1, 2, 3);
    builder.chunk(kind::ASCONF, 0, &[&value]).unwrap();
    builder.finish();
    let asconf = walk(&packet)[0].unwrap().asconf().unwrap().unwrap();
    let named: Vec<_> = asconf.addresses().map(|(purpose, address)| (purpose, address.to_string())).collect();
    let expected = [
        (AddressUse::Lookup, "192.0.2.1".to_owned()),
        (AddressUse::Add, "192.0.2.2".to_owned()),
        (AddressUse::Delete, "192.0.2.3".to_owned()),
        (AddressUse::Primary, "192.0.2.4".to_owned()),
    ];
    assert_eq!((asconf.serial, named), (1, expected.to_vec()));
}

#[test]
fn identifier_comes_first_then_the_port() {
    use Adaptation::{M2pa, M2ua, M3ua, Sua};
    for (ppid, ports, expected) in [
        (3, (1, 2), Some(M3ua)),
        (2, (2905, 2905), Some(M2ua)),
        (5, (1, 2), Some(M2pa)),
        (4, (1, 2), Some(Sua)),
        (0x0300_0000, (1, 2), Some(M3ua)),
        (0, (2905, 40000), Some(M3ua)),
        (0, (40000, 2904), Some(M2ua)),
        (0, (3565, 3565), Some(M2pa)),
        (0, (14001, 14001), Some(Sua)),
        (0, (2905, 14001), Some(Sua)),
        (0, (1, 2), None),
        (0x4242, (2905, 2905), Some(M3ua)),
        (46, (2905, 2905), None),
        (47, (2905, 2905), None),
        (0x2e00_0000, (2905, 2905), None),
    ] {
        assert_eq!(adaptation(ppid, ports.0, ports.1), expected, "{ppid} {ports:?}");
    }
    assert_eq!((ppid_name(46), ppid_name(47)), (Some("Diameter"), Some("Diameter in DTLS")));
    for layer in [M3ua, M2ua, M2pa, Sua] {
        assert_eq!(adaptation(layer.ppid(), 0, 0), Some(layer));
        assert_eq!(adaptation(0, 0, layer.port()), Some(layer));
    }
}

#[test]
fn user_data_too_long_for_its_chunk_appends_nothing() {
    let mut packet = Vec::new();
    let mut builder = Builder::new(&mut packet, 1, 2, 3);
    let long = vec![0; 65520];
    assert!(builder.data(&Data { payload: &long, ..MESSAGE }).is_none());
    builder.finish();
    assert_eq!(packet.len(), HEADER_LEN);
}

prop_compose! {
    fn message()(
        tsn: u32, stream: u16, sequence: u32, word: u32, flags: [bool; 5], payload in prop::collection::vec(any::<u8>(), 1..200)
    ) -> (Data<'static>, Vec<u8>) {
        let [begin, end, unordered, immediate, interleaved] = flags;
        let later = interleaved && !begin;
        let data = Data {
            tsn,
            stream,
            sequence: if interleaved { sequence } else { sequence & 0xffff },
            fsn: later.then_some(word),
            ppid: (!later).then_some(word),
            begin, end, unordered, immediate, interleaved,
            payload: &[],
        };
        (data, payload)
    }
}

proptest! {
    #[test]
    fn what_is_built_reads_back(messages in prop::collection::vec(message(), 0..6), ports: (u16, u16), tag: u32) {
        let mut packet = vec![0xee; 3];
        let mut builder = Builder::new(&mut packet, ports.0, ports.1, tag);
        for (data, payload) in &messages {
            builder.data(&Data { payload, ..*data }).unwrap();
        }
        builder.finish();
        let packet = Packet::parse(&packet[3..]).unwrap();
        prop_assert_eq!((packet.source_port, packet.destination_port, packet.verification_tag, packet.sum()), (ports.0, ports.1, tag, Sum::Good));
        let chunks: Vec<_> = packet.chunks().map(Result::unwrap).collect();
        prop_assert_eq!(chunks.len(), messages.len());
        for (chunk, (data, payload)) in chunks.iter().zip(&messages) {
            prop_assert_eq!(chunk.data().unwrap().unwrap(), Data { payload, ..*data });
            prop_assert_eq!(&packet.bytes[chunk.at..chunk.at + chunk.body.len()], chunk.body);
        }
    }

    #[test]
    fn no_bytes_panic_and_the_walk_ends(bytes in prop::collection::vec(prop::sample::select(vec![0u8, 1, 3, 4, 5, 8, 16, 20, 64, 193, 255]), 0..300)) {
        let Ok(packet) = Packet::parse(&bytes) else { return Ok(()) };
        packet.sum();
        let mut seen = 0;
        for chunk in packet.chunks().map_while(Result::ok) {
            seen += 1;
            let _ = (chunk.data(), chunk.name());
            if let Some(Ok(init)) = chunk.init() {
                prop_assert!(init.addresses().count() <= bytes.len());
            }
            if let Some(Ok(asconf)) = chunk.asconf() {
                prop_assert!(asconf.addresses().count() <= bytes.len());
            }
        }
        prop_assert!(seen * 4 <= bytes.len());
    }
}

proptest! {
    #[test]
    fn the_sum_in_one_pass_is_the_sum_of_the_packet_with_its_field_zero(mut packet in proptest::collection::vec(any::<u8>(), 12..400)) {
        let one_pass = super::crc32c(&packet);
        packet[8..12].fill(0);
        prop_assert_eq!(one_pass, crc32c::crc32c(&packet));
    }
}
