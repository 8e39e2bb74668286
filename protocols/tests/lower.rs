//! The layers below SCCP against captures and vectors of other hands. The data lies beside the project and is never part of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests: clippy.toml excuses only the tests themselves"
)]

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use packet_dissector_core::dissector::{DispatchHint, Dissector};
use packet_dissector_core::packet::DissectBuffer;
use packet_dissector_m3ua::M3uaDissector;
use protocols::link::{Carried, Encapsulation, LinkType};
use protocols::mtp3::{Msu, Variant};
use protocols::sctp::{Adaptation, Packet, Sum, adaptation};
use protocols::span::within;
use protocols::{Error, Why, link, m2pa, m2ua, m3ua, sua};

fn data() -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/ss7"));
    if !path.is_dir() {
        eprintln!("skipped: ../shared/data is not here");
        return None;
    }
    Some(path.to_path_buf())
}

/// A pcap file of either order as link type and frames: enough for the captures given.
fn pcap(path: &Path) -> (LinkType, Vec<Vec<u8>>) {
    let bytes = std::fs::read(path).unwrap();
    let little = matches!(bytes[..4], [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1]);
    let number = |at: usize| {
        let octets = bytes[at..at + 4].try_into().unwrap();
        if little { u32::from_le_bytes(octets) } else { u32::from_be_bytes(octets) }
    };
    let link = LinkType::from_pcap(number(20)).unwrap();
    let (mut at, mut frames) = (24, Vec::new());
    while at < bytes.len() {
        let len = number(at + 8) as usize;
        frames.push(bytes[at + 16..at + 16 + len].to_vec());
        at += 16 + len;
    }
    (link, frames)
}

fn captures(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(folder.join("pcaps"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pcap" || extension == "cap"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 10, "captures of other hands");
    paths
}

/// What carries SCCP, read out of one SCTP user message.
#[derive(Debug, PartialEq)]
enum Unit {
    Sccp { opc: u32, dpc: u32, si: u8, ni: u8, sls: u8, first_octet: Option<u8>, len: usize },
    Cldt { source_ssn: Option<u8>, data_len: usize },
    Not(Error),
}

fn units(layer: Adaptation, message: &[u8]) -> Vec<Unit> {
    let of_msu = |msu: &[u8]| match Msu::parse(msu, Variant::Itu) {
        Ok(msu) => Unit::Sccp {
            opc: msu.opc,
            dpc: msu.dpc,
            si: msu.si,
            ni: msu.ni,
            sls: msu.sls,
            first_octet: msu.user_data.first().copied(),
            len: msu.user_data.len(),
        },
        Err(error) => Unit::Not(error),
    };
    let walk = |messages: protocols::xua::Messages<'_>, read: &dyn Fn(&protocols::xua::Message<'_>) -> Unit| {
        messages.map(|message| message.map_or_else(Unit::Not, |message| read(&message))).collect()
    };
    match layer {
        Adaptation::M3ua => walk(m3ua::messages(message), &|message| match m3ua::Data::of(message) {
            Ok(data) => Unit::Sccp {
                opc: data.opc,
                dpc: data.dpc,
                si: data.si,
                ni: data.ni,
                sls: data.sls,
                first_octet: data.user_data.first().copied(),
                len: data.user_data.len(),
            },
            Err(error) => Unit::Not(error),
        }),
        Adaptation::M2pa => walk(m2pa::messages(message), &|m| m2pa::Data::of(m).map_or_else(Unit::Not, |data| of_msu(data.msu))),
        Adaptation::M2ua => walk(m2ua::messages(message), &|m| m2ua::Data::of(m).map_or_else(Unit::Not, |data| of_msu(data.msu))),
        Adaptation::Sua => walk(sua::messages(message), &|m| {
            sua::Cldt::of(m).map_or_else(Unit::Not, |cldt| Unit::Cldt { source_ssn: cldt.source.ssn, data_len: cldt.data.len() })
        }),
    }
}

/// The SCTP packet of a frame that is whole.
fn packet(link: LinkType, frame: &[u8]) -> Result<Packet<'_>, Error> {
    match link::parse(link, frame)? {
        Carried::Ip(ip) => Packet::parse(ip.sctp()?.1),
        other => panic!("no IP in this capture: {other:?}"),
    }
}

/// Everything that can be read out of a frame, for effect: it must not panic.
fn exhaust(link: LinkType, frame: &[u8]) {
    let Ok(packet) = packet(link, frame) else { return };
    std::hint::black_box(packet.sum());
    for chunk in packet.chunks().map_while(Result::ok) {
        if let Some(Ok(init)) = chunk.init() {
            std::hint::black_box(init.addresses().count());
        }
        if let Some(Ok(asconf)) = chunk.asconf() {
            std::hint::black_box(asconf.addresses().count());
        }
        let Some(Ok(data)) = chunk.data() else { continue };
        for layer in [Adaptation::M3ua, Adaptation::M2pa, Adaptation::M2ua, Adaptation::Sua] {
            std::hint::black_box(units(layer, data.payload));
        }
    }
}

#[test]
fn every_lower_layer_frame_reads_as_its_note_says() {
    let Some(folder) = data() else { return };
    let (link, frames) = pcap(&folder.join("pcaps/gen_lower.pcap"));
    assert_eq!(frames.len(), 46);
    let (mut plain, mut not_ours) = (0, Vec::new());
    for (number, frame) in (1..).zip(&frames) {
        let Carried::Ip(ip) = link::parse(link, frame).unwrap() else { panic!("frame {number}") };
        assert!(!ip.cut, "frame {number}");
        if let 35 | 36 = number {
            let fragment = ip.fragment.unwrap();
            assert_eq!((fragment.offset > 0, fragment.more), (number == 36, number == 35));
            assert_eq!(ip.sctp().unwrap_err().why, Why::Missing("the other IP fragments"));
            continue;
        }
        let (encapsulation, bytes) = ip.sctp().unwrap();
        assert_eq!(encapsulation, Encapsulation::Plain);
        let packet = Packet::parse(bytes).unwrap();
        let sum = match number {
            28 => Sum::Bad,
            29 => Sum::Zero,
            _ => Sum::Good,
        };
        assert_eq!(packet.sum(), sum, "frame {number}");
        for chunk in packet.chunks() {
            let Some(data) = chunk.unwrap().data() else { continue };
            let data = data.unwrap();
            assert_eq!((data.unordered, data.immediate), (number == 20, number == 21), "frame {number}");
            assert_eq!(data.interleaved, (30..=32).contains(&number), "frame {number}");
            if !(data.begin && data.end) {
                assert!([22, 23, 24, 31, 32].contains(&number), "frame {number} is in fragments");
                assert_eq!(data.fsn, (number == 32).then_some(1), "frame {number}");
                continue;
            }
            let layer = adaptation(data.ppid.unwrap(), packet.source_port, packet.destination_port).unwrap();
            let units = units(layer, data.payload);
            assert_eq!(units.len(), if number == 45 { 2 } else { 1 }, "frame {number}");
            for unit in units {
                match unit {
                    Unit::Sccp { si, first_octet, .. } => {
                        plain += 1;
                        assert_eq!((si, first_octet), (if number == 46 { 5 } else { 3 }, Some(0x09)), "frame {number}");
                    }
                    Unit::Cldt { source_ssn, data_len } => {
                        plain += 1;
                        assert_eq!((source_ssn, data_len > 100), (Some(8), true), "frame {number}");
                    }
                    Unit::Not(error) => not_ours.push((number, error.why.label())),
                }
            }
        }
    }
    assert_eq!(not_ours, [(41, "M3UA ASPUP"), (42, "M3UA ASPAC"), (43, "M3UA BEAT")]);
    // 46 frames less 3 of management, 2 IP fragments and 5 with SCTP fragments; and 2, 1, 1 and 1 more units in 16, 18, 38 and 45.
    assert_eq!(plain, 41);
}

#[test]
fn ip_fragments_of_the_capture_join_to_a_packet_with_a_good_sum() {
    let Some(folder) = data() else { return };
    let (link, frames) = pcap(&folder.join("pcaps/gen_lower.pcap"));
    let piece = |frame| match link::parse(link, frame) {
        Ok(Carried::Ip(ip)) => ip,
        other => panic!("{other:?}"),
    };
    let (first, last) = (piece(&frames[34]), piece(&frames[35]));
    assert_eq!(first.fragment.unwrap().id, last.fragment.unwrap().id);
    assert_eq!(first.payload.len(), last.fragment.unwrap().offset as usize);
    let whole = [first.payload, last.payload].concat();
    let joined = first.joined(&whole).unwrap();
    assert_eq!(Packet::parse(joined.sctp().unwrap().1).unwrap().sum(), Sum::Good);
}

#[test]
fn thousands_of_chunks_are_all_walked() {
    let Some(folder) = data() else { return };
    let (link, frames) = pcap(&folder.join("pcaps/OISF_suricata-verify__tests_sctp-max-chunks_sctp-max-chunks.pcap"));
    let packet = packet(link, &frames[0]).unwrap();
    // As many as tshark 4.0.17 counts.
    assert_eq!(packet.chunks().filter(Result::is_ok).count(), 16143);
}

#[test]
fn no_capture_cut_anywhere_panics() {
    let Some(folder) = data() else { return };
    for path in captures(&folder) {
        let (link, frames) = pcap(&path);
        for frame in frames.iter().filter(|frame| frame.len() < 2000) {
            (0..=frame.len()).for_each(|end| exhaust(link, &frame[..end]));
        }
        frames.iter().filter(|frame| frame.len() >= 2000).for_each(|frame| exhaust(link, frame));
    }
}

#[test]
fn no_changed_octet_of_a_lower_layer_frame_panics() {
    let Some(folder) = data() else { return };
    let (link, frames) = pcap(&folder.join("pcaps/gen_lower.pcap"));
    for mut frame in frames {
        for at in 0..frame.len() {
            let original = frame[at];
            for changed in [original.wrapping_sub(1), original.wrapping_add(1), 0, 0x7f, 0xff] {
                frame[at] = changed;
                exhaust(link, &frame);
            }
            frame[at] = original;
        }
    }
}

#[test]
fn vectors_of_frames_and_m3ua_read_or_are_named() {
    let Some(folder) = data() else { return };
    let text = std::fs::read_to_string(folder.join("vectors.jsonl")).unwrap();
    let (mut frames, mut data_messages, mut management, mut refused) = (0, 0, 0, Vec::new());
    for line in text.lines() {
        let vector: serde_json::Value = serde_json::from_str(line).unwrap();
        let hex = vector["hex"].as_str().unwrap();
        let bytes: Vec<u8> = (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
        // Any bytes at any layer.
        exhaust(LinkType::Ethernet, &bytes);
        for layer in [Adaptation::M3ua, Adaptation::M2pa, Adaptation::M2ua, Adaptation::Sua] {
            std::hint::black_box(units(layer, &bytes));
        }
        let expected = &vector["expect"]["tshark"];
        match vector["layer"].as_str().unwrap() {
            "frame" => {
                frames += 1;
                let Ok(Carried::Ip(ip)) = link::parse(LinkType::Ethernet, &bytes) else { panic!("{hex}") };
                assert!(ip.fragment.is_some() || ip.sctp().is_ok(), "{hex}");
            }
            "m3ua" => match m3ua::Data::parse(&bytes) {
                Ok(data) => {
                    data_messages += 1;
                    assert_eq!(expected["m3ua.message_class"], "1", "{hex}");
                    let sccp = expected["sccp.message_type"].as_str().unwrap();
                    assert_eq!(sccp, format!("0x{:02x}", data.user_data[0]), "{hex}");
                    let mut buffer = DissectBuffer::new();
                    let oracle = M3uaDissector.dissect(&bytes, &mut buffer, 0).unwrap();
                    assert_eq!(oracle.embedded_payload, within(&bytes, data.user_data), "{hex}");
                    assert_eq!(oracle.next, DispatchHint::ByMtp3ServiceIndicator(data.si), "{hex}");
                }
                Err(Error { why: Why::NotOurs(name), .. }) => {
                    management += 1;
                    let (class, kind) = (bytes[2], bytes[3]);
                    assert_eq!(expected["m3ua.message_class"], class.to_string(), "{hex}");
                    assert_eq!(expected["m3ua.message_type"], kind.to_string(), "{hex}");
                    assert_eq!(name == "M3UA message of unknown class or type", !matches!(class, 0..=4 | 9), "{hex}");
                }
                Err(error) => refused.push((error.to_string(), hex[..8].to_owned())),
            },
            _ => {}
        }
    }
    assert_eq!((frames, data_messages, management), (45, 53, 61), "{refused:?}");
    // Sub-structures of jSS7's tests: a common header without its message, parameters without a header, payloads.
    refused.sort();
    let refused: Vec<_> = refused.iter().map(|(error, start)| (error.as_str(), start.as_str())).collect();
    let expected = [
        ("M3UA byte 0: malformed: version", "00020000"),
        ("M3UA byte 0: malformed: version", "00060008"),
        ("M3UA byte 0: malformed: version", "09000305"),
        ("M3UA byte 0: malformed: version", "909c010c"),
        ("M3UA byte 0: truncated: 8 octets needed, 4 present", "01020304"),
        ("M3UA byte 0: truncated: 8 octets needed, 5 present", "01020304"),
        ("M3UA byte 4: truncated: 264 octets needed, 8 present", "01000101"),
    ];
    assert_eq!(refused, expected);
}

/// What is compared with tshark for a frame, as tshark prints it.
fn ours(link: LinkType, frame: &[u8]) -> Option<String> {
    let Ok(packet) = packet(link, frame) else { return None };
    let (mut kinds, mut tsns, mut streams, mut ppids, mut labels) = (vec![], vec![], vec![], vec![], vec![]);
    let (mut inits, mut init_acks, mut addresses) = (vec![], vec![], vec![]);
    let mut whole = true;
    for chunk in packet.chunks() {
        let chunk = chunk.ok()?;
        kinds.push(chunk.kind.to_string());
        if let Some(init) = chunk.init() {
            let init = init.ok()?;
            let tags = if init.ack { &mut init_acks } else { &mut inits };
            tags.push(format!("0x{:08x}\t{}", init.initiate_tag, init.initial_tsn));
            addresses.extend(init.addresses().filter(IpAddr::is_ipv4).map(|address| address.to_string()));
        }
        let Some(data) = chunk.data() else { continue };
        let data = data.ok()?;
        tsns.push(data.tsn.to_string());
        streams.push(format!("0x{:04x}", data.stream));
        ppids.extend(data.ppid.map(|ppid| ppid.to_string()));
        whole &= data.begin && data.end;
        let layer = data.ppid.and_then(|ppid| adaptation(ppid, packet.source_port, packet.destination_port));
        // Of two M3UA messages in one chunk tshark reads the first.
        if let Some(Unit::Sccp { opc, dpc, si, sls, .. }) = layer.and_then(|layer| units(layer, data.payload).into_iter().next())
        {
            labels.push((layer == Some(Adaptation::M3ua), format!("{opc} {dpc} {sls} {si}")));
        }
    }
    let m3ua: Vec<_> = labels.into_iter().filter_map(|(is_m3ua, label)| is_m3ua.then_some(label)).collect();
    Some(
        [
            packet.source_port.to_string(),
            packet.destination_port.to_string(),
            format!("0x{:08x}", packet.verification_tag),
            u8::from(packet.sum() == Sum::Good).to_string(),
            kinds.join("|"),
            tsns.join("|"),
            streams.join("|"),
            ppids.join("|"),
            addresses.join("|"),
            inits.pop().unwrap_or_else(|| "\t".to_owned()),
            init_acks.pop().unwrap_or_else(|| "\t".to_owned()),
            if whole { m3ua.join("|") } else { "in fragments".to_owned() },
        ]
        .join("\t"),
    )
}

#[test]
fn tshark_reads_the_same_ports_tags_sums_chunks_and_labels() {
    let Some(folder) = data() else { return };
    let mut compared = 0;
    for path in captures(&folder) {
        let output = Command::new("tshark")
            .args(["-o", "ip.defragment:FALSE", "-o", "sctp.reassembly:FALSE", "-o", "sctp.tsn_analysis:FALSE"])
            .args(["-o", "sctp.checksum:CRC-32C", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|", "-r"])
            .arg(&path)
            .args(
                "sctp.srcport sctp.dstport sctp.verification_tag sctp.checksum.status sctp.chunk_type sctp.data_tsn_raw sctp.data_sid \
                 sctp.data_payload_proto_id sctp.parameter_ipv4_address sctp.init_initiate_tag sctp.init_initial_tsn \
                 sctp.initack_initiate_tag sctp.initack_initial_tsn m3ua.protocol_data_opc m3ua.protocol_data_dpc m3ua.protocol_data_sls m3ua.protocol_data_si"
                    .split_whitespace()
                    .flat_map(|field| ["-e", field]),
            )
            .output();
        let Ok(output) = output else {
            eprintln!("skipped: tshark is not here");
            return;
        };
        let text = String::from_utf8(output.stdout).unwrap();
        let (link, frames) = pcap(&path);
        assert_eq!(text.lines().count(), frames.len(), "{}", path.display());
        for (number, (frame, line)) in (1..).zip(frames.iter().zip(text.lines())) {
            let Some(ours) = ours(link, frame) else { continue };
            let fields: Vec<_> = line.split('\t').collect();
            let (front, label) = fields.split_at(13);
            // tshark prints all OPCs, then all DPCs: turn columns into labels.
            let columns: Vec<Vec<_>> = label.iter().map(|column| column.split('|').collect()).collect();
            let labels: Vec<_> = (0..columns[0].len())
                .map(|row| columns.iter().map(|column| column[row]).collect::<Vec<_>>().join(" ").trim().to_owned())
                .collect();
            let (ours, our_labels) = ours.rsplit_once('\t').unwrap();
            assert_eq!(ours, front.join("\t"), "{} frame {number}", path.display());
            if our_labels != "in fragments" {
                assert_eq!(our_labels, labels.join("|"), "{} frame {number}", path.display());
            }
            compared += 1;
        }
    }
    assert!(compared >= 490, "{compared} frames compared");
}
