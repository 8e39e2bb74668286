//! A receiver throws a packet away whose checksum does not hold, and gets all of it again: such a packet is no way to have what follows it
//! taken for something else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[expect(dead_code, reason = "others count")]
mod common;
#[path = "common/frames.rs"]
mod frames;

use dataplane::lane::{Frame, Lane, Setup};
use dataplane::policy::Preset;
use dataplane::record::{Listener, Sms};
use dataplane::verdict::Verdict;
use protocols::link::LinkType;
use protocols::sccp;
use protocols::sms::Timestamp;
use protocols::sms::encode::{self, Number, Reference};

/// Frame and verdict of each message.
#[derive(Default)]
struct Heard(Vec<(u64, Verdict)>);

impl Listener for Heard {
    const TEXTS: bool = true;

    fn sms(&mut self, sms: &Sms<'_>) {
        self.0.push((sms.place.frame, sms.verdict));
    }
}

/// What the frames are worth, and which of them leave changed.
fn send(frames: &[Vec<u8>]) -> (Vec<(u64, Verdict)>, Vec<u64>) {
    let world = common::world(Preset::Warn, &[("evil.com", Verdict::Dangerous), ("evil-pay.top", Verdict::Dangerous)]);
    let (mut lane, mut heard, mut changed) = (Lane::new(&Setup::default()), Heard::default(), Vec::new());
    for (bytes, number) in frames.iter().zip(1..) {
        let frame = Frame { number, time_ns: number, link_type: LinkType::Ethernet, bytes, original_len: bytes.len() };
        lane.frame(&frame, &world, &mut heard);
        changed.extend((lane.changed().count() > 0).then_some(number));
    }
    assert!(lane.counters().agree());
    (heard.0, changed)
}

fn tpdus(text: &str) -> Vec<Vec<u8>> {
    let scts = Timestamp::parse(&[0x62, 0x11, 0x42, 0, 0, 0, 0]).unwrap();
    let number = Number { text: "15550166001", ton: 1, npi: 1 };
    encode::message(text, Reference::Byte(1)).iter().map(|part| encode::deliver(number, 0, &scts, part)).collect()
}

/// The same with one bit of its last octets turned round.
fn damaged(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let at = frame.len() - 6;
    frame[at] ^= 0x10;
    frame
}

fn whole(tsn: u32, user_data: &[u8]) -> Vec<u8> {
    frames::frame(2905, 3, tsn, (true, true), &frames::m3ua(3, user_data))
}

/// The last of the frames comes damaged first: all that holds is worth what it is worth without that copy, and leaves as it does.
fn as_without(frames: &[Vec<u8>]) {
    let (heard, changed) = send(frames);
    assert_eq!(heard.last().unwrap().1, Verdict::Dangerous);
    let (last, before) = frames.split_last().unwrap();
    for copy in [damaged(last), {
        let mut wrong = last.clone();
        wrong[43] ^= 1;
        wrong
    }] {
        let (with, with_changed) = send(&[before, &[copy, last.clone()]].concat());
        let place = frames.len() as u64;
        let sound = |number: &u64| *number != place;
        let moved = |number: u64| if number > place { number - 1 } else { number };
        let with: Vec<_> =
            with.into_iter().filter(|(number, _)| sound(number)).map(|(number, verdict)| (moved(number), verdict)).collect();
        assert_eq!(with, heard);
        assert_eq!(with_changed.into_iter().map(moved).collect::<Vec<_>>(), changed);
    }
}

#[test]
fn a_damaged_part_of_a_text_completes_nothing() {
    let parts = tpdus(&format!("{} evil-pay.top/x now", "x".repeat(150)));
    assert_eq!(parts.len(), 2);
    as_without(&[whole(1, &frames::udt(&parts[0])), whole(2, &frames::udt(&parts[1]))]);
}

#[test]
fn a_damaged_segment_completes_nothing() {
    let ([called, calling], begin) = (frames::parties(), frames::begin(&tpdus("Pay at http://evil.com/x")[0]));
    let segments = sccp::xudt_segments(1, 15, &called, &calling, &begin, 60, 7).unwrap();
    as_without(&segments.iter().zip(1..).map(|(segment, tsn)| whole(tsn, segment)).collect::<Vec<_>>());
}

#[test]
fn a_damaged_piece_of_a_user_message_completes_nothing() {
    let message = frames::m3ua(3, &frames::udt(&tpdus("Pay at http://evil.com/x")[0]));
    let (head, tail) = message.split_at(message.len() / 2);
    as_without(&[frames::frame(2905, 3, 1, (true, false), head), frames::frame(2905, 3, 2, (false, true), tail)]);
}

#[test]
fn a_capture_of_a_host_that_leaves_its_sums_to_the_card_is_read_all_the_same() {
    let parts = tpdus(&format!("{} evil-pay.top/x now", "x".repeat(150)));
    let frames: Vec<_> = parts.iter().zip(1..).map(|(part, tsn)| damaged(&whole(tsn, &frames::udt(part)))).collect();
    assert_eq!(send(&frames).0.last(), Some(&(2, Verdict::Dangerous)));
}
