//! Who sent a message from a phone: the number in sm-RP-OA, and never the one in TP-DA, which it is for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[expect(dead_code, reason = "others count")]
mod common;
#[expect(dead_code, reason = "others have more layers")]
#[path = "common/frames.rs"]
mod frames;
#[path = "common/phones.rs"]
mod phones;

use dataplane::lane::{Frame, Lane, Setup};
use dataplane::policy::{Policy, Preset, Protected, Source, Spec};
use dataplane::record::{Listener, Sms};
use dataplane::suffix::Suffixes;
use dataplane::verdict::{Reason, Verdict};
use dataplane::verdicts::build::{Builder, Rule};
use dataplane::verdicts::{Key, Snapshot, Table};
use dataplane::world::World;
use protocols::link::LinkType;

/// Of each message: TP-DA, what its link is worth and why, and whether it is one that is never touched.
#[derive(Default)]
struct Heard(Vec<(String, Verdict, Reason, bool)>);

impl Listener for Heard {
    const TEXTS: bool = true;

    fn sms(&mut self, sms: &Sms<'_>) {
        let url = sms.urls.iter().next().unwrap();
        self.0.push((sms.address.to_owned(), url.verdict, url.reason, sms.decision.rule.source == Source::NeverTouch));
    }
}

fn world() -> World {
    let (suffixes, key, mut builder) = (Suffixes::built_in(), Key::new(&[7; 16]), Builder::new());
    let rules = [("own.example", Verdict::Safe, "+4915100000001"), ("evil.example", Verdict::Dangerous, "")];
    for (pattern, verdict, senders) in rules {
        builder.add(&Rule { pattern, verdict, senders, source: "test", ..Rule::default() });
    }
    let snapshot = Snapshot::from_bytes(&builder.build(0, &key, &suffixes).unwrap().bytes).unwrap();
    let table = Table::new(snapshot, None, key, &suffixes).unwrap();
    let mut spec = Spec::preset(Preset::Warn);
    spec.protected.push(Protected { sender: "38080".into(), domains: vec!["bank.example".into()] });
    spec.never_touch.senders.push("4915100000009".into());
    World { table, policy: Policy::compile(spec).unwrap(), ..common::world(Preset::Warn, &[]) }
}

#[test]
fn a_message_from_a_phone_has_the_sender_that_sent_it_and_not_the_one_it_is_for() {
    let (world, mut lane, mut heard) = (world(), Lane::new(&Setup::default()), Heard::default());
    let [owner, other, spared] = ["4915100000001", "4915100000002", "4915100000009"];
    let cases = [
        // A phish that a subscriber forwards to a short code is no message of that code's.
        (Some(other), "38080", "nobody.example", (Verdict::Unknown, Reason::NoEntry, false)),
        (Some("38080"), other, "nobody.example", (Verdict::Dangerous, Reason::Impersonation, false)),
        (None, "38080", "nobody.example", (Verdict::Unknown, Reason::NoEntry, false)),
        (Some(owner), other, "own.example", (Verdict::Safe, Reason::Host, false)),
        (Some(other), owner, "own.example", (Verdict::Unknown, Reason::Sender, false)),
        (None, owner, "own.example", (Verdict::Unknown, Reason::Sender, false)),
        (Some(spared), other, "evil.example", (Verdict::Dangerous, Reason::Host, true)),
        (Some(other), spared, "evil.example", (Verdict::Dangerous, Reason::Host, false)),
    ];
    for ((from, to, host, expected), number) in cases.into_iter().zip(1..) {
        let bytes = &phones::from_phone(from, to, &format!("See https://{host}/x now"));
        let frame = Frame { number, time_ns: number, link_type: LinkType::Sccp, bytes, original_len: bytes.len() };
        lane.frame(&frame, &world, &mut heard);
        let (verdict, reason, is_spared) = expected;
        assert_eq!(heard.0.pop(), Some((to.to_owned(), verdict, reason, is_spared)), "{from:?} to {to}: {host}");
    }
}
