//! Octets that lie, at each layer of a frame, in one capture: none ends the program, each is counted under the layer that saw it.

use super::{Room, frames, lines, shared, ztsms};

const ETHERNET: usize = 14;
const SCTP: usize = ETHERNET + 20;

/// A frame with one octet changed and a checksum that holds, so that what lies behind it is reached.
fn lying(frame: &[u8], at: usize, octet: u8) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[at] = octet;
    let end = ETHERNET + usize::from(u16::from_be_bytes([frame[16], frame[17]]));
    if let Some(packet) = frame.get_mut(SCTP..end).filter(|packet| packet.len() >= 12) {
        protocols::sctp::seal(packet);
    }
    frame
}

#[test]
fn every_octet_of_a_frame_may_lie_and_each_layer_says_so() {
    let room = Room::new("lying");
    let whole = frames::deliver("BANK", "Pay at http://evil.example/x now", 1);
    let values = |octet: u8| [0, 1, 0x7f, 0x80, 0xff, octet.wrapping_add(1), octet.wrapping_sub(1)];
    let all: Vec<Vec<u8>> =
        (ETHERNET..whole.len()).flat_map(|at| values(whole[at]).map(|octet| lying(&whole, at, octet))).collect();
    let file = room.holding("lying.pcapng", &frames::capture(&all));
    let out = room.file("out.pcapng");
    let unscanned = room.file("unscanned.pcapng");
    let ran = ztsms(&["replay", "--write", &out, "--unscanned", &unscanned, &file]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.starts_with(&format!("{} frames in 1 capture", thousands(all.len()))), "{}", ran.out);
    // The comment of each frame says who saw it; what is no IP at all carries no signalling, and is counted only.
    let comments = String::from_utf8_lossy(&std::fs::read(&unscanned).unwrap()).into_owned();
    assert!(ran.out.contains(" IP: "), "{}", ran.out);
    for layer in ["SCTP", "M3UA", "SCCP", "TCAP", "MAP", "SMS"] {
        assert!(comments.contains(&format!("{layer} byte ")), "{layer} is in no comment: {}", ran.out);
    }
    assert_eq!(ztsms(&["replay", "--json", &out]).status, 0, "what is written is read");
}

fn thousands(n: usize) -> String {
    if n < 1000 { n.to_string() } else { format!("{},{:03}", n / 1000, n % 1000) }
}

#[test]
fn ten_thousand_nested_tags_and_lengths_of_4_gb_are_named_and_what_follows_is_read() {
    let room = Room::new("deep");
    let nested = |head: &[u8], tag: [u8; 2]| [head, &tag.repeat(10_000)].concat();
    let begin = [0x62, 0x80, 0x48, 4, 0, 0, 0, 1];
    let messages = [
        nested(&begin, [0x6c, 0x80]),
        nested(&[&begin[..], &[0x6c, 0x80, 0xa1, 0x80, 2, 1, 1, 2, 1, 44]].concat(), [0x30, 0x80]),
        nested(&[&begin[..], &[0x6b, 0x80]].concat(), [0x28, 0x80]),
        nested(
            &[&begin[..], &[0x6c, 0x80, 0xa1, 0x80, 2, 1, 1, 2, 1, 44, 0x30, 0x80, 0x80, 1, 0, 0x84, 1, 0]].concat(),
            [0x24, 0x80],
        ),
        frames::begin(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
        frames::begin(&[0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        vec![0x62, 0x84, 0xff, 0xff, 0xff, 0xff, 0x48, 4, 0, 0, 0, 1],
        [&begin[..], &[0x6c, 0x84, 0xff, 0xff, 0xff, 0xff]].concat(),
    ];
    let last = frames::deliver("BANK", "Pay at http://evil.example/x now", 99);
    let all: Vec<Vec<u8>> = messages.iter().zip(1..).map(|(message, tsn)| frames::around(message, tsn)).chain([last]).collect();
    let file = room.holding("deep.pcapng", &frames::capture(&all));
    let ran = ztsms(&["replay", "--json", &file]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(lines(&ran.out).len(), 1, "the message behind them is read");
    for counted in ["4 TCAP: BER nesting", "4 TCAP: truncated"] {
        assert!(ran.err.contains(counted), "{counted}: {}", ran.err);
    }
    for frame in 1..=messages.len() {
        let ran = ztsms(&["explain", &format!("{file}:{frame}")]);
        assert_eq!(ran.status, 1, "{frame}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains("! TCAP at octet") || ran.out.contains("! MAP at octet"), "{frame}: {}", ran.out);
    }
}

#[test]
fn frames_that_the_capture_cut_are_named_as_such() {
    let room = Room::new("snaplen");
    let whole = frames::deliver("BANK", "Pay at http://evil.example/x now", 1);
    let mut out = pcaps::write::PcapNg::new(Vec::new()).unwrap();
    out.interface(1).unwrap();
    for end in 0..whole.len() {
        out.cut_packet(0, 1_790_000_000_000_000_000, &whole[..end], whole.len() as u32, None).unwrap();
    }
    let file = room.holding("snaplen.pcapng", &out.finish().unwrap());
    let written = room.file("out.pcapng");
    let ran = ztsms(&["replay", "--write", &written, &file]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.contains("frames that the capture cut short"), "{}", ran.out);
    // Nobody may change what he did not see whole.
    assert!(!ran.out.contains("would leave changed"), "{}", ran.out);
}

#[test]
fn published_captures_of_broken_and_foreign_sctp_are_counted_under_their_reasons() {
    for (name, words) in [
        ("OISF_suricata-verify__tests_sctp-pkt-too-small_input.pcap", "1 SCTP: truncated"),
        ("OISF_suricata-verify__tests_sctp-max-chunks_sctp-max-chunks.pcap", "16,143 SCTP: ABORT"),
        ("the-tcpdump-group_tcpdump__tests_isup.pcap", "6 packets with a wrong checksum, never changed"),
        ("ntop_nDPI__tests_cfgs_default_pcap_sctp.cap", "1 SCTP: H.248"),
    ] {
        let Some(file) = shared(&format!("ss7/pcaps/{name}")) else { return };
        let ran = ztsms(&["replay", &file]);
        assert_eq!(ran.status, 0, "{name}: {}", ran.err);
        assert!(ran.out.contains(words) && ran.out.contains("No short message was found."), "{name}: {}", ran.out);
    }
}
