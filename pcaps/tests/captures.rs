//! Captures of every kind, read back: what other programs wrote, what we wrote, and what is broken.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that fails should stop")]

use std::io::Cursor;

use pcaps::read::{Capture, ReadError};
use pcaps::write::PcapNg;

/// A frame that outlives the capture.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    time_ns: Option<u64>,
    interface: u32,
    link_type: u32,
    original_len: u32,
    bytes: Vec<u8>,
}

fn drain(mut capture: Capture) -> (Vec<Kept>, Vec<ReadError>) {
    let (mut frames, mut errors) = (Vec::new(), Vec::new());
    loop {
        match capture.next() {
            Ok(Some(frame)) => {
                assert_eq!(frame.number, frames.len() as u64 + 1);
                frames.push(Kept {
                    time_ns: frame.time_ns,
                    interface: frame.interface,
                    link_type: frame.link_type,
                    original_len: frame.original_len,
                    bytes: frame.bytes.to_vec(),
                });
            }
            Ok(None) => return (frames, errors),
            Err(error) => errors.push(error),
        }
    }
}

fn read(bytes: Vec<u8>) -> (Vec<Kept>, Vec<ReadError>) {
    drain(Capture::new(Box::new(Cursor::new(bytes)), "memory"))
}

fn read_whole(bytes: Vec<u8>) -> Vec<Kept> {
    let (frames, errors) = read(bytes);
    assert!(errors.is_empty(), "{}", errors[0]);
    frames
}

/// Three frames, the last of them cut by the snap length.
fn sample() -> Vec<u8> {
    let mut out = PcapNg::new(Vec::new()).unwrap();
    let (ethernet, mtp3) = (out.interface(1).unwrap(), out.interface(141).unwrap());
    out.packet(ethernet, 1_700_000_000_123_456_789, b"first", Some("a comment")).unwrap();
    out.packet(mtp3, 1_700_000_000_123_456_790, b"", None).unwrap();
    out.cut_packet(ethernet, 1_700_000_001_000_000_000, b"third, cut", 1_500, None).unwrap();
    out.finish().unwrap()
}

fn classic(magic: [u8; 4], big: bool, extra: usize) -> Vec<u8> {
    let word = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let half = |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let mut file = magic.to_vec();
    file.extend_from_slice(&[half(2), half(4)].concat());
    file.extend_from_slice(&[word(0), word(0), word(65_535), word(0x1400_0001)].concat());
    for (n, bytes) in [&b"one"[..], b"number two"].iter().enumerate() {
        file.extend_from_slice(&[word(1_700_000_000), word(n as u32 + 5), word(bytes.len() as u32), word(99)].concat());
        file.extend_from_slice(&vec![0xee; extra]);
        file.extend_from_slice(bytes);
    }
    file
}

#[test]
fn what_was_written_is_read_back() {
    let frames = read_whole(sample());
    let kept = |time_ns, interface, link_type, original_len, bytes: &[u8]| Kept {
        time_ns: Some(time_ns),
        interface,
        link_type,
        original_len,
        bytes: bytes.to_vec(),
    };
    let expected = [
        kept(1_700_000_000_123_456_789, 0, 1, 5, b"first"),
        kept(1_700_000_000_123_456_790, 1, 141, 0, b""),
        kept(1_700_000_001_000_000_000, 0, 1, 1_500, b"third, cut"),
    ];
    assert_eq!(frames, expected);
}

#[test]
fn classic_pcap_is_read_in_both_orders_and_units_and_as_modified() {
    for (magic, big, unit, extra) in [
        ([0xd4, 0xc3, 0xb2, 0xa1], false, 1_000, 0),
        ([0xa1, 0xb2, 0xc3, 0xd4], true, 1_000, 0),
        ([0x4d, 0x3c, 0xb2, 0xa1], false, 1, 0),
        ([0xa1, 0xb2, 0x3c, 0x4d], true, 1, 0),
        ([0x34, 0xcd, 0xb2, 0xa1], false, 1_000, 8),
        ([0xa1, 0xb2, 0xcd, 0x34], true, 1_000, 8),
    ] {
        let frames = read_whole(classic(magic, big, extra));
        assert_eq!(frames.iter().map(|f| f.bytes.as_slice()).collect::<Vec<_>>(), [&b"one"[..], b"number two"]);
        assert_eq!(frames[1].time_ns, Some(1_700_000_000_000_000_000 + 6 * unit), "magic {magic:02x?}");
        assert!(frames.iter().all(|f| f.link_type == 1 && f.original_len == 99), "the FCS bits are no part of the link type");
    }
}
