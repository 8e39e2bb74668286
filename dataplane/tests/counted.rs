//! What is counted of a text in parts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[expect(dead_code, reason = "others count all")]
mod common;
#[expect(dead_code, reason = "others have more layers")]
#[path = "common/frames.rs"]
mod frames;

use dataplane::lane::{Frame, Lane, Setup};
use dataplane::policy::Preset;
use dataplane::record::Silent;
use protocols::link::LinkType;
use protocols::sms::Timestamp;
use protocols::sms::encode::{self, Number, Reference};

#[test]
fn a_link_is_counted_with_the_part_that_it_stands_in_and_not_with_those_beside_it() {
    let world = common::world(Preset::Warn, &[]);
    let scts = Timestamp::parse(&[0x62, 0x11, 0x42, 0, 0, 0, 0]).unwrap();
    let text = format!("See https://nobody.example/x now {}", "and so on ".repeat(30));
    let deliver = |part| encode::deliver(Number { text: "15550166001", ton: 1, npi: 1 }, 0, &scts, part);
    let parts: Vec<_> = encode::message(&text, Reference::Byte(1)).iter().map(|part| frames::udt(&deliver(part))).collect();
    for (order, verdicts) in [([0, 1, 2], [0, 0, 3, 0]), ([2, 1, 0], [2, 0, 1, 0])] {
        let mut lane = Lane::new(&Setup::default());
        for (bytes, number) in order.iter().map(|&at: &usize| &parts[at]).zip(1..) {
            let frame = Frame { number, time_ns: number, link_type: LinkType::Sccp, bytes, original_len: bytes.len() };
            lane.frame(&frame, &world, &mut Silent);
        }
        lane.finish();
        assert_eq!((lane.counters().urls, lane.counters().verdicts), ([0, 0, 1, 0], verdicts), "{order:?}");
    }
}
