//! Captures of every kind, read back: what we wrote, what is compressed, cut and broken.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that fails should stop")]

mod common;

use std::io::{Cursor, Write};
use std::path::Path;

use common::{Kept, drain, sample};
use flate2::Compression;
use flate2::write::GzEncoder;
use pcaps::read::{Batch, Capture, Cause, ReadError};
use pcaps::write::PcapNg;
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// Reads frame by frame and in batches, which must say the same.
fn read(bytes: Vec<u8>) -> (Vec<Kept>, Vec<ReadError>) {
    let open = |bytes| Capture::new(Box::new(Cursor::new(bytes)), "memory");
    let (in_batches, told) = batches(open(bytes.clone()));
    let (frames, errors) = drain(open(bytes));
    assert_eq!(frames, in_batches);
    let words = |errors: &[ReadError]| errors.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(words(&errors), words(&told));
    (frames, errors)
}

fn batches(mut capture: Capture) -> (Vec<Kept>, Vec<ReadError>) {
    let (mut frames, mut errors, mut more) = (Vec::new(), Vec::new(), true);
    let mut batch = Batch::default();
    while more {
        capture.reuse(&mut batch);
        more = loop {
            match capture.fill(&mut batch) {
                Ok(more) => break more,
                Err(error) => errors.push(error),
            }
        };
        frames.extend(batch.frames().map(|frame| Kept::of(&frame)));
    }
    (frames, errors)
}

fn read_whole(bytes: Vec<u8>) -> Vec<Kept> {
    let (frames, errors) = read(bytes);
    assert!(errors.is_empty(), "{}", errors[0]);
    frames
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

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// Many frames, more than the buffer holds.
fn long(frames: u32) -> Vec<u8> {
    let mut out = PcapNg::new(Vec::new()).unwrap();
    out.interface(1).unwrap();
    for n in 0..frames {
        let bytes: Vec<u8> = (0..n % 300).map(|i| (i.wrapping_mul(n) >> 3) as u8).collect();
        out.packet(0, u64::from(n), &bytes, None).unwrap();
    }
    out.finish().unwrap()
}

#[test]
fn a_long_capture_comes_in_many_batches_without_a_frame_lost_at_their_ends() {
    let file = long(60_000);
    assert!(file.len() > 3 << 20);
    let frames = read_whole(file);
    assert_eq!(frames.len(), 60_000);
}

#[test]
fn gzip_and_zstandard_of_any_number_of_members_read_as_what_they_hold() {
    let file = long(20_000);
    let frames = read_whole(file.clone());
    assert_eq!(frames.len(), 20_000);
    let (first, second) = file.split_at(1_234_567);
    let skippable = [&[0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"xyz"].concat();
    for packed in [
        gz(&file),
        [gz(first), gz(second)].concat(),
        zst(&file),
        [skippable.clone(), zst(first), skippable, zst(b""), zst(second)].concat(),
    ] {
        let (found, errors) = read(packed);
        assert!(errors.is_empty(), "{}", errors[0]);
        assert!(found == frames);
    }
}

#[test]
fn a_cut_gzip_or_zstandard_stream_delivers_what_is_whole_and_is_named() {
    let file = long(20_000);
    let frames = read_whole(file.clone());
    for packed in [gz(&file), zst(&file)] {
        let (found, errors) = read(packed[..packed.len() * 9 / 10].to_vec());
        assert!(found.len() > 12_000, "only {} frames", found.len());
        assert!(found == frames[..found.len()]);
        assert!(matches!(&errors[..], [ReadError { cause: Cause::Compression { .. }, .. }]), "{errors:?}");
        assert_eq!(errors[0].frames, found.len() as u64);
    }
}

#[test]
fn a_wrong_zstandard_checksum_is_named() {
    let mut packed = zst(&sample());
    let last = packed.len() - 1;
    packed[last] ^= 1;
    let (frames, errors) = read(packed);
    assert_eq!(frames.len(), 3);
    assert!(errors[0].to_string().contains("checksum"), "{}", errors[0]);
}

#[test]
fn a_capture_cut_at_each_byte_delivers_the_whole_frames_and_says_how_much_is_missing() {
    for (file, ends) in
        [(sample(), vec![28, 60, 92, 152, 184, 228]), (classic([0xd4, 0xc3, 0xb2, 0xa1], false, 0), vec![24, 43, 69])]
    {
        assert_eq!(*ends.last().unwrap(), file.len());
        let whole = read_whole(file.clone());
        for cut in 0..file.len() {
            let (frames, errors) = read(file[..cut].to_vec());
            assert!(frames == whole[..frames.len()]);
            if ends.contains(&cut) {
                assert!(errors.is_empty(), "cut at {cut} is between two records");
                continue;
            }
            let [error] = &errors[..] else { panic!("cut at {cut}: {errors:?}") };
            match error.cause {
                Cause::Empty => assert_eq!(cut, 0),
                Cause::NotACapture(_) => assert!(cut < 4),
                Cause::Cut { whole, missing, .. } => {
                    // Of a record whose length was not reached, only the header is known to be missing.
                    let end = ends.iter().find(|&&end| end > cut).copied().unwrap() as u64;
                    assert_eq!(error.offset, ends.iter().rfind(|&&end| end <= cut).copied().unwrap_or(0) as u64);
                    assert_eq!(error.offset + whole - missing, cut as u64);
                    assert!(error.offset + whole <= end);
                }
                _ => panic!("cut at {cut}: {error}"),
            }
        }
    }
}

#[test]
fn a_sample_cut_at_each_byte_of_its_first_4_kb_ends_with_what_is_whole() {
    for name in ["samples/generated.pcapng", "samples/pycrate.pcapng"] {
        let file = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
        let whole = read_whole(file.clone());
        let mut before = 0;
        for cut in 1..4_096 {
            let (frames, errors) = read(file[..cut].to_vec());
            assert!(frames == whole[..frames.len()]);
            assert!(frames.len() == before || frames.len() == before + 1 && errors.is_empty(), "{name} cut at {cut}");
            assert!(errors.len() <= 1 && errors.iter().all(|e| matches!(e.cause, Cause::Cut { .. } | Cause::NotACapture(_))));
            before = frames.len();
        }
        assert!(before > 10);
    }
}

#[test]
fn messages_name_file_offset_cause_and_what_would_be_right() {
    let told = |bytes: &[u8]| read(bytes.to_vec()).1[0].to_string();
    assert_eq!(
        told(b""),
        "memory: offset 0, after 0 frames: is empty; a pcap or pcapng file is expected, which has at least 24 octets"
    );
    assert_eq!(
        told(b"\xff\xd8\xff\xe0 and the rest of an image"),
        "memory: offset 0, after 0 frames: is not a capture (a JPEG image); pcap or pcapng is expected, plain or in gzip or Zstandard"
    );
    assert!(told(b"some words, more than twenty-four of them").contains("looks like text"));
    assert!(told(b"snoop\0\0\0 and at least sixteen more octets").contains("editcap -F pcapng"));
    let cut = sample();
    assert_eq!(
        told(&cut[..200]),
        "memory: offset 184, after 2 frames: is cut: 28 of 44 octets of an enhanced packet block are missing; what came before was read"
    );
    let mut absurd = classic([0xd4, 0xc3, 0xb2, 0xa1], false, 0);
    absurd[24 + 8..24 + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(
        told(&absurd),
        "memory: offset 24, after 0 frames: a packet claims 4294967295 octets; at most 262144 are possible"
    );
    let directory = Capture::open(Path::new(env!("CARGO_MANIFEST_DIR"))).err().unwrap();
    assert!(directory.to_string().contains("is a directory; a pcap or pcapng file is expected"));
    let absent = Capture::open(Path::new("no/such/file")).err().unwrap();
    assert!(absent.to_string().starts_with("no/such/file: offset 0, after 0 frames: cannot be opened: "));
}

/// A pcapng block in either order.
fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let word = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let total = word(body.len() as u32 + 12);
    [&word(kind)[..], &total, &body, &total].concat()
}

fn section(big: bool) -> Vec<u8> {
    let magic = if big { [0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0] } else { [0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0] };
    block(big, 0x0a0d_0d0a, &[&magic[..], &[0xff; 8]].concat())
}

#[test]
fn sections_of_both_orders_old_and_simple_packets_and_odd_resolutions_are_read() {
    let big = |n: u32| n.to_be_bytes();
    // 2^-10 s, one second later; then 10^-12 s.
    let binary =
        [&[0, 105, 0, 0, 0, 0, 0, 4][..], &[0, 9, 0, 1, 0x8a, 0, 0, 0], &[0, 14, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1], &[0; 4]].concat();
    let pico = [&[0, 1, 0, 0, 0, 0, 0, 0][..], &[0, 9, 0, 1, 12, 0, 0, 0], &[0; 4]].concat();
    let old = [&[0, 1, 0, 7][..], &big(0), &big(5_000), &big(3), &big(3), b"old"].concat();
    let simple = [&big(9)[..], b"simp"].concat();
    let enhanced = [&big(0)[..], &big(0), &big(512), &big(4), &big(4), b"epb!"].concat();
    let file = [
        sample(),
        section(true),
        block(true, 1, &binary),
        block(true, 0x0000_0bad, b"of another program"),
        block(true, 1, &pico),
        block(true, 2, &old),
        block(true, 3, &simple),
        block(true, 6, &enhanced),
    ]
    .concat();
    let mut capture = Capture::new(Box::new(Cursor::new(file.clone())), "memory");
    while capture.next().unwrap().is_some() {}
    assert_eq!((capture.interfaces().len(), capture.skipped_blocks(), capture.frames()), (4, 1, 6));
    assert_eq!(capture.format(), "pcapng");
    let frames = read_whole(file);
    let seen =
        |n: usize| (frames[n].time_ns, frames[n].interface, frames[n].link_type, frames[n].original_len, &frames[n].bytes[..]);
    assert_eq!(seen(3), (Some(5), 3, 1, 3, &b"old"[..]));
    assert_eq!(seen(4), (None, 2, 105, 9, &b"simp"[..]));
    assert_eq!(seen(5), (Some(1_500_000_000), 2, 105, 4, &b"epb!"[..]));
}

#[test]
fn a_block_that_lies_about_its_inside_is_named_and_the_next_is_read() {
    let packet = |interface: u32, len: u32, bytes: &[u8]| {
        block(false, 6, &[&interface.to_le_bytes()[..], &[0; 8], &len.to_le_bytes(), &len.to_le_bytes(), bytes].concat())
    };
    let ethernet = block(false, 1, &[1, 0, 0, 0, 0, 0, 0, 0]);
    let file = [section(false), ethernet, packet(7, 4, b"lost"), packet(0, 999, b"lost"), packet(0, 4, b"here")].concat();
    let (frames, errors) = read(file);
    assert_eq!(frames.len(), 1);
    assert_eq!(frames[0].bytes, b"here");
    assert!(matches!(errors[0].cause, Cause::NoSuchInterface { named: 7, declared: 1 }));
    assert!(matches!(errors[1].cause, Cause::TooLong { len: 999, max: 4, .. }));
}

#[test]
fn a_skipped_block_of_any_length_is_passed_over_without_being_held() {
    let file = [
        section(false),
        block(false, 1, &[1, 0, 0, 0, 0, 0, 0, 0]),
        block(false, 0xbad, &vec![7; 5_000_000]),
        block(false, 3, &[2, 0, 0, 0, 8, 9]),
    ];
    let frames = read_whole(file.concat());
    assert_eq!(frames[0].bytes, [8, 9]);
    let mut cut = file.concat();
    cut.truncate(4_000_000);
    assert!(matches!(read(cut).1[0].cause, Cause::Cut { missing: 1_000_060, whole: 5_000_012, .. }));
}

#[test]
fn lengths_that_lie_end_reading_and_never_the_program() {
    for total in [0u32, 4, 11, 13, 0xffff_fffc, u32::MAX] {
        for at in [4, 28 + 4, 92 + 4] {
            let mut file = sample();
            file[at..at + 4].copy_from_slice(&total.to_le_bytes());
            let (_, errors) = read(file);
            assert_eq!(errors.len(), 1, "length {total} at {at}");
        }
    }
}

#[test]
fn reading_and_writing_again_changes_nothing() {
    let file = long(500);
    let mut capture = Capture::new(Box::new(Cursor::new(file.clone())), "memory");
    let mut out = PcapNg::new(Vec::new()).unwrap();
    while let Some(frame) = capture.next().unwrap() {
        out.frame(&frame, frame.bytes, None).unwrap();
    }
    assert!(out.finish().unwrap() == file);
}

proptest! {
    #[test]
    fn any_frames_written_are_read_back(
        frames in prop::collection::vec((0u32..3, any::<u64>(), prop::collection::vec(any::<u8>(), 0..400), 0u32..2_000, prop::option::of(".{0,40}")), 0..40),
    ) {
        let mut out = PcapNg::new(Vec::new()).unwrap();
        let links = [1u16, 113, 141];
        for link in links {
            out.interface(link).unwrap();
        }
        let mut kept = Vec::new();
        for (interface, time, bytes, more, comment) in frames {
            let original_len = bytes.len() as u32 + more;
            out.cut_packet(interface, time, &bytes, original_len, comment.as_deref()).unwrap();
            kept.push(Kept { time_ns: Some(time), interface, link_type: links[interface as usize].into(), original_len, bytes });
        }
        prop_assert_eq!(read_whole(out.finish().unwrap()), kept);
    }

    #[test]
    fn any_octets_behind_any_header_end_without_panic(start in 0usize..5, octets in prop::collection::vec(any::<u8>(), 0..600)) {
        let head = [vec![], sample(), classic([0xa1, 0xb2, 0x3c, 0x4d], true, 0), vec![0x1f, 0x8b, 8], vec![0x28, 0xb5, 0x2f, 0xfd]];
        read([head[start].clone(), octets].concat());
    }

    #[test]
    fn a_changed_octet_in_a_compressed_capture_never_panics(at in any::<prop::sample::Index>(), octet: u8, gzip: bool) {
        let mut file = if gzip { gz(&long(60)) } else { zst(&long(60)) };
        let at = at.index(file.len());
        file[at] = octet;
        read(file);
    }

    #[test]
    fn one_changed_octet_never_panics(at in 0usize..228, octet: u8) {
        let mut file = sample();
        file[at] = octet;
        read(file);
    }
}
