//! What the builders of the layers below SCCP make, read by tshark: addresses, sums, chunks, labels, nothing malformed.

#![allow(clippy::unwrap_used, reason = "helpers of tests: clippy.toml excuses only the tests themselves")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::Command;

use protocols::link::{self, LinkType, SCTP, UDP, build};
use protocols::mtp3::{Msu, Variant};
use protocols::sctp::{Builder, Data, Init};
use protocols::{m2pa, m2ua, m3ua, sua};

/// UDT between two subsystems 8, with a Begin that holds its transaction id alone.
const UDT: [u8; 20] = [0x09, 0, 3, 5, 7, 2, 0x42, 8, 2, 0x42, 8, 8, 0x62, 6, 0x48, 4, 0, 0, 0, 1];
const V4: (IpAddr, IpAddr) = (IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));
const V6: (IpAddr, IpAddr) =
    (IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2)));

fn msu(variant: Variant) -> Vec<u8> {
    let mut out = Vec::new();
    Msu { ni: 2, priority: 0, si: 3, opc: 4721, dpc: 2057, sls: 3, user_data: &UDT, variant }.push(&mut out);
    out
}

fn data(ppid: u32, tsn: u32, payload: &[u8]) -> Data<'_> {
    Data {
        tsn,
        stream: 1,
        sequence: 0,
        fsn: None,
        ppid: Some(ppid),
        begin: true,
        end: true,
        unordered: false,
        immediate: false,
        interleaved: false,
        payload,
    }
}

fn m3ua() -> Vec<u8> {
    let mut out = Vec::new();
    m3ua::Data {
        opc: 4721,
        dpc: 2057,
        si: 3,
        ni: 2,
        mp: 0,
        sls: 3,
        network_appearance: Some(1),
        routing_context: Some(2),
        correlation_id: Some(3),
        user_data: &UDT,
        message: &[],
    }
    .push(&mut out);
    out
}

fn sctp(ports: (u16, u16), fill: impl FnOnce(&mut Builder<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut builder = Builder::new(&mut out, ports.0, ports.1, 0x1122_3344);
    fill(&mut builder);
    builder.finish();
    out
}

fn ip((source, destination): (IpAddr, IpAddr), protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    build::ip(&mut out, &build::Ip { source, destination, protocol, id: 1 }, payload.len()).unwrap();
    out.extend_from_slice(payload);
    out
}

fn ethernet(tags: &[(u16, u16)], addresses: (IpAddr, IpAddr), protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    build::ethernet(&mut out, [2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2], tags, build::ethertype(addresses.0));
    out.extend_from_slice(&ip(addresses, protocol, payload));
    out
}

/// tshark's reading of frames of one link type, a line a frame; `None` where there is no tshark.
fn tshark(name: &str, link: LinkType, frames: &[Vec<u8>], options: &[&str], fields: &str) -> Option<Vec<String>> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 0x0004_0000, link.to_pcap()] {
        file.extend_from_slice(&word.to_be_bytes());
    }
    for frame in frames {
        let len = u32::try_from(frame.len()).unwrap();
        for word in [0, 0, len, len] {
            file.extend_from_slice(&word.to_be_bytes());
        }
        file.extend_from_slice(frame);
    }
    std::fs::write(&path, file).unwrap();
    let output = Command::new("tshark")
        .args(["-o", "sctp.checksum:CRC-32C", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"])
        .args(options)
        .args(["-o", "sctp.tsn_analysis:FALSE", "-T", "fields", "-E", "aggregator=|", "-r"])
        .arg(&path)
        .args(fields.split_whitespace().chain(["_ws.malformed"]).flat_map(|field| ["-e", field]))
        .output();
    let Ok(output) = output else {
        eprintln!("skipped: tshark is not here");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| line.trim_end().replace('\t', " ")).collect())
}

#[test]
fn ip_udp_and_sctp_of_ours_have_good_sums_and_the_fields_that_were_given() {
    let init = Init {
        ack: false,
        initiate_tag: 0xdead_beef,
        a_rwnd: 65535,
        outbound_streams: 10,
        inbound_streams: 20,
        initial_tsn: 1000,
        parameters: &[],
    };
    let plain = sctp((2905, 2906), |packet| {
        packet.data(&data(3, 1000, &m3ua())).unwrap();
    });
    let bundle = sctp((2905, 2906), |packet| {
        packet.sack(999, 65535).heartbeat(7).data(&Data { interleaved: true, ..data(3, 1001, &m3ua()) }).unwrap();
    });
    let opening = sctp((2905, 2906), |packet| {
        packet.init(&init, &[V4.0, V4.1]).unwrap();
    });
    let mut datagram = Vec::new();
    build::udp(&mut datagram, V6, (9899, 9899), &plain).unwrap();
    let frames = [
        ethernet(&[], V4, SCTP, &plain),
        ethernet(&[(0x88a8, 1), (0x8100, 2)], V6, SCTP, &bundle),
        ethernet(&[], V4, SCTP, &opening),
        ethernet(&[(0x8100, 3)], V6, UDP, &datagram),
    ];
    let Some(lines) = tshark(
        "lower_ip.pcap",
        LinkType::Ethernet,
        &frames,
        &[],
        "ip.src ipv6.src ip.checksum.status udp.checksum.status sctp.srcport sctp.dstport sctp.verification_tag sctp.checksum.status
         sctp.chunk_type sctp.data_tsn_raw sctp.init_initiate_tag sctp.init_initial_tsn sctp.parameter_ipv4_address
         m3ua.protocol_data_opc m3ua.protocol_data_dpc m3ua.protocol_data_sls sccp.message_type tcap.otid",
    ) else {
        return;
    };
    let expected = [
        "192.0.2.1  1  2905 2906 0x11223344 1 0 1000    4721 2057 3 0x09 00000001",
        " 2001:db8::1   2905 2906 0x11223344 1 3|4|64 1001    4721 2057 3 0x09 00000001",
        "192.0.2.1  1  2905 2906 0x11223344 1 1  0xdeadbeef 1000 192.0.2.1|192.0.2.2",
        " 2001:db8::1  1 2905 2906 0x11223344 1 0 1000    4721 2057 3 0x09 00000001",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn m2pa_m2ua_and_sua_of_ours_lead_tshark_to_tcap() {
    let (mut m2pa, mut m2ua, mut sua) = (Vec::new(), Vec::new(), Vec::new());
    let msu = msu(Variant::Itu);
    m2pa::Data { bsn: 5, fsn: 6, priority: 0, msu: &msu, message: &[] }.push(&mut m2pa);
    m2ua::Data { interface: Some(9), correlation_id: None, msu: &msu, message: &[] }.push(&mut m2ua);
    let address = |ssn| sua::Address {
        routing_indicator: 1,
        ssn: Some(ssn),
        pc: Some(2057),
        gt: Some(sua::GlobalTitle { indicator: 4, digit_count: 5, tt: 0, np: 1, nature: 4, digits: &[0x21, 0x43, 0x05] }),
    };
    sua::Cldt { source: address(6), destination: address(8), routing_context: Some(2), data: &UDT[12..], ..sua::Cldt::default() }
        .push(&mut sua);
    let frames: Vec<_> = [(5, &m2pa, 3565), (2, &m2ua, 2904), (4, &sua, 14001)]
        .into_iter()
        .map(|(ppid, payload, port)| {
            let packet = sctp((port, port), |packet| {
                packet.data(&data(ppid, 1, payload)).unwrap();
            });
            ip(V4, SCTP, &packet)
        })
        .collect();
    let Some(lines) = tshark(
        "lower_adaptation.pcap",
        LinkType::RawIp,
        &frames,
        &[],
        "sctp.checksum.status m2pa.bsn m2pa.fsn m2ua.interface_identifier_int mtp3.opc mtp3.dpc mtp3.sls
         sua.source.global_title_digits sua.source.ssn sua.destination.ssn sua.destination.point_code tcap.otid",
    ) else {
        return;
    };
    let expected = ["1 5 6  4721 2057 3     00000001", "1   9 4721 2057 3     00000001", "1       12345 6 8 2057 00000001"];
    assert_eq!(lines, expected);
}

#[test]
fn cooked_captures_and_captures_of_mtp_are_read_as_tshark_reads_them() {
    let packet = ip(
        V4,
        SCTP,
        &sctp((2905, 2906), |packet| {
            packet.data(&data(3, 1000, &m3ua())).unwrap();
        }),
    );
    let (mut cooked, mut cooked2) = (Vec::new(), Vec::new());
    build::cooked(&mut cooked, link::ETHERTYPE_IPV4);
    build::cooked2(&mut cooked2, link::ETHERTYPE_IPV4);
    let msu = msu(Variant::Itu);
    // BSN, FSN, length indicator.
    let mtp2 = [&[0x81, 0x82, u8::try_from(msu.len()).unwrap()], &msu[..]].concat();
    let with_header = [&[0, 0, 0, 1], &mtp2[..]].concat();
    for (name, link, frame, protocols) in [
        ("lower_sll.pcap", LinkType::LinuxSll, [&cooked[..], &packet].concat(), "sll:ethertype:ip:sctp:m3ua:sccp:tcap"),
        ("lower_sll2.pcap", LinkType::LinuxSll2, [&cooked2[..], &packet].concat(), "sll:ethertype:ip:sctp:m3ua:sccp:tcap"),
        ("lower_null.pcap", LinkType::Null, [&[2, 0, 0, 0], &packet[..]].concat(), "null:ip:sctp:m3ua:sccp:tcap"),
        ("lower_mtp2.pcap", LinkType::Mtp2, mtp2, "mtp2:mtp3:sccp:tcap"),
        ("lower_mtp2_phdr.pcap", LinkType::Mtp2WithPhdr, with_header, "mtp2:mtp3:sccp:tcap"),
        ("lower_mtp3.pcap", LinkType::Mtp3, msu.clone(), "mtp3:sccp:tcap"),
        ("lower_sccp.pcap", LinkType::Sccp, UDT.to_vec(), "sccp:tcap"),
    ] {
        let read = link::parse(link, &frame).unwrap();
        let ours = match read {
            link::Carried::Ip(ip) => m3ua::Data::parse(&ip.sctp().unwrap().1[28..]).unwrap().user_data,
            link::Carried::Mtp3(message) => Msu::parse(message, Variant::Itu).unwrap().user_data,
            link::Carried::Sccp(message) => message,
        };
        assert_eq!(ours, UDT, "{name}");
        let Some(lines) = tshark(name, link, std::slice::from_ref(&frame), &[], "frame.protocols tcap.otid") else { return };
        assert_eq!(lines, [format!("{protocols} 00000001")], "{name}");
    }
}

#[test]
fn ansi_and_chinese_labels_of_ours_are_what_tshark_reads_when_told_so() {
    for (variant, standard, fields) in [
        (Variant::Ansi, "mtp3.standard:ANSI", "mtp3.ansi_opc mtp3.ansi_dpc mtp3.sls"),
        (Variant::China, "mtp3.standard:Chinese ITU", "mtp3.chinese_opc mtp3.chinese_dpc mtp3.sls"),
    ] {
        let mut frame = Vec::new();
        // B-ISUP, which tshark leaves alone: an SCCP message of ITU is malformed by ANSI's rules.
        Msu { ni: 2, priority: 1, si: 9, opc: 0x0a_0b0c, dpc: 0x01_0203, sls: 5, user_data: b"user", variant }.push(&mut frame);
        let name = format!("lower_{variant:?}.pcap");
        let Some(lines) = tshark(&name, LinkType::Mtp3, &[frame], &["-o", standard], fields) else { return };
        assert_eq!(lines, ["10-11-12|658188|0xa0b0c 1-2-3|66051|0x10203 5"]);
    }
}
