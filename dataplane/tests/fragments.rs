//! Each fragment of an IPv6 packet names what the packet goes on with, and its receiver believes the first one (RFC 8200 §4.5): what the others
//! say hides nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[expect(dead_code, reason = "others count")]
mod common;
#[path = "common/frames.rs"]
mod frames;

use dataplane::lane::{Frame, Lane, Setup};
use dataplane::policy::Preset;
use dataplane::record::{Listener, Sms};
use dataplane::verdict::Verdict;
use protocols::link::{self, LinkType, build};
use protocols::sms::Timestamp;
use protocols::sms::encode::{self, Number, Reference};

#[derive(Default)]
struct Heard(Vec<Verdict>);

impl Listener for Heard {
    const TEXTS: bool = true;

    fn sms(&mut self, sms: &Sms<'_>) {
        self.0.push(sms.verdict);
    }
}

/// A message with a dangerous link, in two fragments that name these.
fn fragments(named: [u8; 2]) -> [Vec<u8>; 2] {
    let scts = Timestamp::parse(&[0x62, 0x11, 0x42, 0, 0, 0, 0]).unwrap();
    let number = Number { text: "15550166001", ton: 1, npi: 1 };
    let part = &encode::message("Pay at http://evil.com/x", Reference::Byte(1))[0];
    let message = frames::m3ua(3, &frames::udt(&encode::deliver(number, 0, &scts, part)));
    let whole = frames::frame(2905, 3, 1, (true, true), &message);
    // Behind Ethernet and IPv4.
    let packet = &whole[34..];
    let cut = packet.len() / 16 * 8;
    let offset = u16::try_from(cut).unwrap();
    [(named[0], 1, &packet[..cut]), (named[1], offset, &packet[cut..])].map(|(next, word, piece)| {
        let [w0, w1] = word.to_be_bytes();
        let payload = [&[next, 0, w0, w1, 0, 0, 0, 9], piece].concat();
        let (source, destination, mut bytes) = ([1; 16].into(), [2; 16].into(), Vec::new());
        build::ethernet(&mut bytes, [2; 6], [4; 6], &[], link::ETHERTYPE_IPV6);
        build::ip(&mut bytes, &build::Ip { source, destination, protocol: 44, id: 0 }, payload.len()).unwrap();
        [bytes, payload].concat()
    })
}

fn heard(frames: &[Vec<u8>]) -> Vec<Verdict> {
    let world = common::world(Preset::Warn, &[("evil.com", Verdict::Dangerous)]);
    let (mut lane, mut heard) = (Lane::new(&Setup::default()), Heard::default());
    for (bytes, number) in frames.iter().zip(1..) {
        let frame = Frame { number, time_ns: number, link_type: LinkType::Ethernet, bytes, original_len: bytes.len() };
        lane.frame(&frame, &world, &mut heard);
    }
    assert!(lane.counters().agree());
    heard.0
}

#[test]
fn a_later_fragment_that_says_that_it_is_of_something_else_is_joined_all_the_same() {
    for later in [link::SCTP, link::UDP, 59, 60] {
        let [first, last] = fragments([link::SCTP, later]);
        assert_eq!(heard(&[first.clone(), last.clone()]), [Verdict::Dangerous], "{later}");
        assert_eq!(heard(&[last, first]), [Verdict::Dangerous], "{later}");
    }
    assert_eq!(heard(&fragments([link::UDP, link::SCTP])), []);
}
