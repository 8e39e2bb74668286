//! What passes byte for byte, and what is changed.

use std::path::Path;
use std::time::Duration;

use dataplane::lane::{Frame, Lane, Setup};
use dataplane::record::Silent;
use dataplane::xdp::Cause;
use pcaps::read::Capture;
use pcaps::write::PcapNg;
use protocols::link::LinkType;

use super::common;
use super::{arrivals, lab};

/// Source address of every frame that a test makes.
pub(super) const SOURCE: [u8; 6] = [2, 0xaa, 0x5a, 0x54, 0, 1];
const TARGET: [u8; 6] = [2, 0xaa, 0x5a, 0x54, 0, 2];
const QUIET: Duration = Duration::from_millis(400);

fn ethernet(to: [u8; 6], kinds: &[[u8; 4]], kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut frame = [to, SOURCE].concat();
    kinds.iter().for_each(|tag| frame.extend_from_slice(tag));
    frame.extend_from_slice(&kind.to_be_bytes());
    frame.extend_from_slice(payload);
    frame.resize(frame.len().max(60), 0);
    frame
}

fn ipv4(protocol: u8, flags: u16, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let words = 5 + options.len() / 4;
    let mut packet = vec![0x40 | words as u8, 0, 0, 0, 0x12, 0x34, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    packet.extend_from_slice(options);
    packet.extend_from_slice(payload);
    let len = packet.len() as u16;
    packet[2..4].copy_from_slice(&len.to_be_bytes());
    packet[6..8].copy_from_slice(&flags.to_be_bytes());
    let sum = protocols::link::checksum(&packet[..4 * words]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet
}

fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&(payload.len() as u16).to_be_bytes());
    packet.extend_from_slice(&[next, 64]);
    for last in [1, 2] {
        packet.extend_from_slice(&[0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    packet.extend_from_slice(payload);
    packet
}

/// An SCTP packet with a HEARTBEAT: for the worker, and nothing to change.
fn heartbeat() -> Vec<u8> {
    let mut packet = vec![0x0b, 0x59, 0x0b, 0x59, 0, 0, 0, 7, 0, 0, 0, 0, 4, 0, 0, 12, 0, 1, 0, 8, 1, 2, 3, 4];
    protocols::sctp::seal(&mut packet);
    packet
}

/// Frames that have nothing for us, by name.
fn others() -> Vec<(&'static str, Vec<u8>)> {
    let slow = [1, 0x80, 0xc2, 0, 0, 2];
    let tag = |kind: u16, id: u8| [(kind >> 8) as u8, kind as u8, 0x20, id];
    let udp = [0x13, 0x88, 0x13, 0x89, 0, 40, 0, 0].into_iter().chain(0..32).collect::<Vec<u8>>();
    vec![
        (
            "ARP",
            ethernet(
                [255; 6],
                &[],
                0x0806,
                &[0, 1, 8, 0, 6, 4, 0, 1, 2, 0xaa, 0x5a, 0x54, 0, 1, 192, 0, 2, 9, 0, 0, 0, 0, 0, 0, 192, 0, 2, 8],
            ),
        ),
        (
            "ND",
            ethernet(
                [0x33, 0x33, 0, 0, 0, 1],
                &[],
                0x86dd,
                &ipv6(58, &[135, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]),
            ),
        ),
        ("LLDP", ethernet([1, 0x80, 0xc2, 0, 0, 0x0e], &[], 0x88cc, &[2, 7, 4, 2, 0xaa, 0x5a, 0x54, 0, 1, 0, 0])),
        ("LACP", ethernet(slow, &[], 0x8809, &[1, 1, 1, 20])),
        ("pause", ethernet([1, 0x80, 0xc2, 0, 0, 1], &[], 0x8808, &[0, 1, 0xff, 0xff])),
        ("STP", ethernet([1, 0x80, 0xc2, 0, 0, 0], &[], 39, &[0x42, 0x42, 3, 0, 0, 0])),
        ("PTP", ethernet([1, 0x1b, 0x19, 0, 0, 0], &[], 0x88f7, &[0, 2, 0, 44])),
        ("UDP, BFD's port", ethernet(TARGET, &[], 0x0800, &ipv4(17, 0, &[], &udp))),
        ("UDP with options", ethernet(TARGET, &[], 0x0800, &ipv4(17, 0, &[1, 1, 1, 0], &udp))),
        ("first UDP fragment", ethernet(TARGET, &[], 0x0800, &ipv4(17, 0x2000, &[], &udp))),
        ("later UDP fragment", ethernet(TARGET, &[], 0x0800, &ipv4(17, 5, &[], &udp))),
        ("one tag", ethernet(TARGET, &[tag(0x8100, 7)], 0x0800, &ipv4(17, 0, &[], &udp))),
        ("two tags", ethernet(TARGET, &[tag(0x88a8, 7), tag(0x8100, 8)], 0x0800, &ipv4(17, 0, &[], &udp))),
        ("three tags", ethernet(TARGET, &[tag(0x88a8, 7), tag(0x8100, 8), tag(0x8100, 9)], 0x86dd, &ipv6(17, &udp))),
        ("IPv6, hop-by-hop", ethernet(TARGET, &[], 0x86dd, &ipv6(0, &[&[17, 0, 1, 4, 0, 0, 0, 0], &udp[..]].concat()))),
        ("garbage", ethernet(TARGET, &[], 0x0800, &[0xff; 46])),
        ("lying lengths", ethernet(TARGET, &[], 0x86dd, &[0x60, 0, 0, 0, 0xff, 0xff, 0, 64])),
        ("1500 octets", ethernet(TARGET, &[], 0x88b5, &[0x5a; 1500])),
    ]
}

/// Frames with SCTP in which nothing is to be changed.
fn ours() -> Vec<(&'static str, Vec<u8>)> {
    let tag = |kind: u16, id: u8| [(kind >> 8) as u8, kind as u8, 0x20, id];
    let sctp = heartbeat();
    let fragment = [&[132, 0, 0, 1, 0, 0, 0, 9][..], &sctp].concat();
    let later = [&[132, 0, 0, 0x40, 0, 0, 0, 9][..], &sctp].concat();
    let behind_options = [&[60, 0, 0, 0x40, 0, 0, 0, 9][..], &sctp].concat();
    let hop = [&[132, 0, 1, 4, 0, 0, 0, 0][..], &sctp].concat();
    // Each names the next; of the last 132.
    let chain = |headers: &[u8]| {
        let next = headers.iter().skip(1).copied().chain([132]);
        [next.flat_map(|next| [next, 0, 1, 4, 0, 0, 0, 0]).collect::<Vec<u8>>(), sctp.clone()].concat()
    };
    vec![
        ("SCTP", ethernet(TARGET, &[], 0x0800, &ipv4(132, 0, &[], &sctp))),
        ("SCTP with options", ethernet(TARGET, &[], 0x0800, &ipv4(132, 0, &[1, 1, 1, 0], &sctp))),
        ("first fragment", ethernet(TARGET, &[], 0x0800, &ipv4(132, 0x2000, &[], &sctp))),
        ("later fragment", ethernet(TARGET, &[], 0x0800, &ipv4(132, 3, &[], &sctp))),
        ("one tag", ethernet(TARGET, &[tag(0x8100, 7)], 0x0800, &ipv4(132, 0, &[], &sctp))),
        ("three tags", ethernet(TARGET, &[tag(0x88a8, 7), tag(0x8100, 8), tag(0x8100, 9)], 0x0800, &ipv4(132, 0, &[], &sctp))),
        ("IPv6", ethernet(TARGET, &[], 0x86dd, &ipv6(132, &sctp))),
        ("IPv6, hop-by-hop", ethernet(TARGET, &[], 0x86dd, &ipv6(0, &hop))),
        ("IPv6, mobility, HIP, Shim6", ethernet(TARGET, &[], 0x86dd, &ipv6(135, &chain(&[135, 139, 140])))),
        ("IPv6, six headers", ethernet(TARGET, &[], 0x86dd, &ipv6(60, &chain(&[60; 6])))),
        ("IPv6, more headers than the kernel walks", ethernet(TARGET, &[], 0x86dd, &ipv6(60, &chain(&[60; 7])))),
        ("IPv6, more headers than the worker walks", ethernet(TARGET, &[], 0x86dd, &ipv6(60, &chain(&[60; 20])))),
        ("IPv6, first fragment", ethernet(TARGET, &[], 0x86dd, &ipv6(44, &fragment))),
        ("IPv6, later fragment", ethernet(TARGET, &[], 0x86dd, &ipv6(44, &later))),
        ("IPv6, later fragment behind options", ethernet(TARGET, &[], 0x86dd, &ipv6(44, &behind_options))),
        (
            "encapsulated in UDP",
            ethernet(TARGET, &[], 0x0800, &ipv4(17, 0, &[], &[&[0x26, 0xab, 0x26, 0xab, 0, 32, 0, 0][..], &sctp].concat())),
        ),
        ("damaged", ethernet(TARGET, &[], 0x0800, &ipv4(132, 0, &[], &sctp[..20]))),
    ]
}

#[test]
fn what_has_no_message_passes_byte_for_byte_both_ways_and_only_sctp_leaves_the_kernel() {
    let Some(lab) = lab("pass") else { return };
    let filter = lab.inline();
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    let (others, ours) = (others(), ours());
    for (from, to) in [(&a, &b), (&b, &a)] {
        for set in [&others, &ours] {
            for (name, frame) in set {
                from.send(frame).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            let came = arrivals(to, QUIET);
            for (name, frame) in set {
                assert_eq!(came.iter().filter(|one| *one == frame).count(), 1, "{name} did not pass once and unchanged");
            }
            assert_eq!(came.len(), set.len());
        }
    }
    assert_eq!(lab.of(Cause::ToSocket), 2 * ours.len() as u64, "{:?}", lab.kernel());
    assert_eq!(lab.unscanned(), 0);
    let said = filter.stop();
    assert!(said.iter().any(|line| line.contains(&format!("frames {}", 2 * ours.len()))), "{said:#?}");
}

#[test]
fn what_is_rewritten_is_what_replay_writes_and_opens_clean_in_tshark() {
    let Some(lab) = lab("rewrite") else { return };
    let mut file = Vec::new();
    let mix = pcaps::generate::Mix { links: 0.5, garbage: 0.0, ..pcaps::generate::Mix::default() };
    pcaps::generate::generate(400, 5, &mix, &mut file).unwrap();
    let mut capture = Capture::new(Box::new(std::io::Cursor::new(file)), "generated");
    let world = common::world(control::config::load_with(None, []).unwrap().policy);
    let mut lane = Lane::new(&Setup::default());
    let (mut sent, mut expected) = (Vec::new(), Vec::new());
    while let Some(frame) = capture.next().unwrap() {
        let mut bytes = frame.bytes.to_vec();
        bytes[6..12].copy_from_slice(&SOURCE);
        let of = Frame {
            number: frame.number,
            time_ns: frame.time_ns.unwrap(),
            link_type: LinkType::Ethernet,
            bytes: &bytes,
            original_len: bytes.len(),
        };
        lane.frame(&of, &world, &mut Silent);
        let before = expected.len();
        expected.extend(lane.changed().map(<[u8]>::to_vec));
        if expected.len() == before {
            expected.push(bytes.clone());
        }
        sent.push(bytes);
    }
    let changed = sent.iter().filter(|frame| !expected.contains(frame)).count();
    assert!(changed > 50, "only {changed} of {} frames are to be changed", sent.len());

    let filter = lab.inline();
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    let mut came = Vec::new();
    for some in sent.chunks(50) {
        some.iter().for_each(|frame| a.send(frame).unwrap());
        came.extend(arrivals(&b, Duration::from_millis(100)));
    }
    came.extend(arrivals(&b, QUIET));
    assert_eq!(came.len(), expected.len());
    let differ = came.iter().zip(&expected).filter(|(came, expected)| came != expected).count();
    assert_eq!(differ, 0, "frames that differ from what replay writes");
    filter.stop();

    let path = common::scratch("wire.pcapng");
    let mut out = PcapNg::new(std::fs::File::create(&path).unwrap()).unwrap();
    let interface = out.interface(1).unwrap();
    came.iter().for_each(|frame| out.packet(interface, 0, frame, None).unwrap());
    out.finish().unwrap();
    clean(&path, changed);
}

/// No frame is malformed, and every checksum is right.
fn clean(path: &Path, changed: usize) {
    let filter = "_ws.malformed or sctp.checksum.status == \"Bad\" or ip.checksum.status == \"Bad\"";
    let out = std::process::Command::new("tshark")
        .args(["-r", &path.to_string_lossy(), "-o", "sctp.checksum:CRC32C", "-o", "ip.check_checksum:TRUE", "-Y", filter])
        .output()
        .unwrap();
    let wrong = String::from_utf8_lossy(&out.stdout);
    assert!(
        out.status.success() && wrong.trim().is_empty(),
        "of {changed} changed frames:\n{wrong}{}",
        String::from_utf8_lossy(&out.stderr)
    );
}

/// An SCTP frame with a number that [`number`] reads.
pub(super) fn numbered(n: u32) -> Vec<u8> {
    let mut packet = vec![0x0b, 0x59, 0x0b, 0x59, 0, 0, 0, 7, 0, 0, 0, 0, 4, 0, 0, 12, 0, 1, 0, 8];
    packet.extend_from_slice(&n.to_be_bytes());
    protocols::sctp::seal(&mut packet);
    ethernet(TARGET, &[], 0x0800, &ipv4(132, 0, &[], &packet))
}

/// The number in it.
pub(super) fn number(frame: &[u8]) -> u32 {
    u32::from_be_bytes(frame[54..58].try_into().unwrap())
}

/// Gives the DATA chunks of an SCTP packet over IPv4 numbers from this one on.
pub(super) fn renumber_all(frame: &mut [u8], tsn: u32) {
    let sctp = &mut frame[34..];
    let mut at = 12;
    for tsn in tsn.. {
        if at + 8 > sctp.len() {
            break;
        }
        let len = usize::from(u16::from_be_bytes([sctp[at + 2], sctp[at + 3]]));
        sctp[at + 4..at + 8].copy_from_slice(&tsn.to_be_bytes());
        at += len.next_multiple_of(4).max(4);
    }
    protocols::sctp::seal(sctp);
}

/// The numbers of the DATA chunks of an SCTP packet over IPv4.
pub(super) fn numbers(frame: &[u8]) -> Vec<u32> {
    let ip_len = usize::from(u16::from_be_bytes([frame[16], frame[17]]));
    let sctp = &frame[34..14 + ip_len];
    let (mut at, mut all) = (12, Vec::new());
    while at + 8 <= sctp.len() {
        let len = usize::from(u16::from_be_bytes([sctp[at + 2], sctp[at + 3]]));
        all.push(u32::from_be_bytes(sctp[at + 4..at + 8].try_into().unwrap()));
        at += len.next_multiple_of(4).max(4);
    }
    all
}

/// SCTP that is none: lengths that lie, chunks without end, octets by chance, each down to the shortest frame that there is.
pub(super) fn garbage() -> Vec<Vec<u8>> {
    let mut all = vec![ethernet(TARGET, &[], 0x0800, &ipv4(132, 0, &[], &heartbeat()[..12]))];
    for lie in [0_u16, 1, 3, 4, 15, 0x7fff, 0xffff] {
        let mut chunk = heartbeat();
        chunk[14..16].copy_from_slice(&lie.to_be_bytes());
        all.push(ethernet(TARGET, &[], 0x0800, &ipv4(132, 0, &[], &chunk)));
        protocols::sctp::seal(&mut chunk);
        all.push(ethernet(TARGET, &[], 0x0800, &ipv4(132, 0, &[], &chunk)));
        let mut packet = ipv4(132, 0, &[], &heartbeat());
        packet[2..4].copy_from_slice(&lie.to_be_bytes());
        all.push(ethernet(TARGET, &[], 0x0800, &packet));
        let mut packet = ipv6(132, &heartbeat());
        packet[4..6].copy_from_slice(&lie.to_be_bytes());
        all.push(ethernet(TARGET, &[], 0x86dd, &packet));
    }
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for len in (0..1400).step_by(35) {
        let octets = std::iter::repeat_with(|| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 56) as u8
        });
        all.push(ethernet(TARGET, &[], 0x0800, &ipv4(132, 0, &[], &octets.take(len).collect::<Vec<u8>>())));
    }
    all
}

/// Nothing of ours.
pub(super) fn arp() -> Vec<u8> {
    others().remove(0).1
}
