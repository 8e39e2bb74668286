//! Two texts under one part number: which of them a handset keeps, nobody knows, so the worse one counts, and it is what a notice names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[expect(dead_code, reason = "others count")]
mod common;
#[expect(dead_code, reason = "others have more layers")]
#[path = "common/frames.rs"]
mod frames;

use dataplane::lane::{Frame, Lane, Setup};
use dataplane::policy::Preset;
use dataplane::record::{Listener, Sms};
use dataplane::verdict::Verdict;
use protocols::link::LinkType;
use protocols::sms::Timestamp;
use protocols::sms::encode::{self, Number, Reference};

/// What each message is worth, and what it became.
#[derive(Default)]
struct Heard(Vec<(Verdict, Option<String>)>);

impl Listener for Heard {
    const TEXTS: bool = true;

    fn sms(&mut self, sms: &Sms<'_>) {
        self.0.push((sms.verdict, sms.rewritten.map(str::to_owned)));
    }
}

/// A UDT with one part of a text whose link is cut by the end of its first part.
fn part(link: &str, at: usize) -> Vec<u8> {
    let text = format!("{} http://{link}/x bye", "x".repeat(143));
    let tpdu = &encode::message(&text, Reference::Byte(1))[at];
    let scts = Timestamp::parse(&[0x62, 0x11, 0x42, 0, 0, 0, 0]).unwrap();
    frames::udt(&encode::deliver(Number { text: "15550166001", ton: 1, npi: 1 }, 0, &scts, tpdu))
}

#[test]
fn a_notice_names_the_host_of_the_copy_that_made_the_message_dangerous() {
    let world = common::world(Preset::Warn, &[("evil.com", Verdict::Dangerous)]);
    for [first, then] in [["evil.com", "okil.com"], ["okil.com", "evil.com"]] {
        let (mut lane, mut heard) = (Lane::new(&Setup::default()), Heard::default());
        for (bytes, number) in [part(first, 0), part(then, 0), part("evil.com", 1)].iter().zip(1..) {
            let frame = Frame { number, time_ns: number, link_type: LinkType::Sccp, bytes, original_len: bytes.len() };
            lane.frame(&frame, &world, &mut heard);
        }
        let (verdict, became) = heard.0.last().unwrap();
        let became = became.as_deref().unwrap_or_default();
        assert!(*verdict == Verdict::Dangerous && became.contains("evil(.)com") && !became.contains("okil"), "{became}");
    }
}
