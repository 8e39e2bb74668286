//! A capture in any form gives the same records: compressed, from a pipe, with other headers, several interfaces, blocks of strangers.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use pcaps::read::Capture;
use pcaps::write::PcapNg;

use super::{PYCRATE, Room, root, sample, ztsms, ztsms_with};

fn gz(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn zst(octets: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(octets, ruzstd::encoding::CompressionLevel::Fastest)
}

/// Time and octets of every frame of a sample.
pub(super) fn frames(path: &str) -> Vec<(u64, Vec<u8>)> {
    let mut capture = Capture::open(&root().join(path)).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = capture.next().unwrap() {
        frames.push((frame.time_ns.unwrap(), frame.bytes.to_vec()));
    }
    frames
}

/// A classic capture, big endian, with nanoseconds.
pub(super) fn classic(frames: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    let mut file = words(&[0xa1b2_3c4d, 0x0002_0004, 0, 0, 65_535, 1]);
    for (time, bytes) in frames {
        let len = bytes.len() as u32;
        file.extend(words(&[(time / 1_000_000_000) as u32, (time % 1_000_000_000) as u32, len, len]));
        file.extend_from_slice(bytes);
    }
    file
}

/// Frames by turns on two interfaces, a block that nobody knows behind each.
fn two_interfaces(frames: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut file = Vec::new();
    for (number, (time, bytes)) in frames.iter().enumerate() {
        let mut out = PcapNg::new(Vec::new()).unwrap();
        let interfaces = [out.interface(1).unwrap(), out.interface(1).unwrap()];
        out.packet(interfaces[number % 2], *time, bytes, Some("a remark")).unwrap();
        file.extend(out.finish().unwrap());
        file.extend([0xad, 0x0b, 0, 0x40, 16, 0, 0, 0, 1, 2, 3, 4, 16, 0, 0, 0]);
    }
    file
}

#[test]
fn compressed_piped_and_otherwise_written_captures_give_the_same_records() {
    let room = Room::new("forms");
    let plain = ztsms(&["replay", "--json", PYCRATE]);
    assert!(plain.status == 0 && plain.out.lines().count() > 70, "{}", plain.err);
    let (whole, frames) = (sample(PYCRATE), frames(PYCRATE));
    let forms = [
        ("x.pcapng.gz", gz(&whole)),
        ("x.pcapng.zst", zst(&whole)),
        // What a file is called does not matter.
        ("x.pcap", zst(&classic(&frames))),
        ("ns.pcap", classic(&frames)),
        ("two.pcapng", two_interfaces(&frames)),
    ];
    for (name, octets) in forms {
        let file = room.holding(name, &octets);
        for (by, ran) in
            [(file.as_str(), ztsms(&["replay", "--json", &file])), ("-", ztsms_with(&["replay", "--json", "-"], &octets))]
        {
            assert_eq!(ran.status, 0, "{name}: {}", ran.err);
            let named = plain.out.replace(&format!("\"file\":\"{PYCRATE}\""), &format!("\"file\":\"{by}\""));
            assert!(ran.out == named, "{name} by {by}");
        }
    }
}

#[test]
fn a_cut_compressed_capture_gives_what_is_whole_and_is_named() {
    let room = Room::new("cut-forms");
    let records = |file: &str| ztsms(&["replay", "--json", file]);
    let all = records(PYCRATE).out.lines().count();
    for (name, octets) in [("x.gz", gz(&sample(PYCRATE))), ("x.zst", zst(&sample(PYCRATE)))] {
        let ran = records(&room.holding(name, &octets[..octets.len() / 2]));
        assert_eq!(ran.status, 1, "{name}: {}", ran.err);
        assert!(ran.err.contains(&format!("{name}: offset ")) && !ran.err.contains("panicked"), "{}", ran.err);
        let found = ran.out.lines().count();
        assert!(found < all, "{name}: {found} of {all}");
    }
}
