//! WAP pushes: their links are made dead in place, in one message or several, and `tshark` reads what goes on as a push still.

use protocols::sms::encode::{self, Number, Part};
use protocols::sms::{Dcs, Timestamp};

use super::frames::{around, begin, capture, forward};
use super::{Room, ztsms};

/// A Service Indication with `http://www.` and `.com/` as tokens, when `tokens`; else the link is one string.
fn indication(host: &str, tokens: bool) -> Vec<u8> {
    let mut push = vec![0x01, 0x06, 0x01, 0xae, 0x02, 0x05, 0x6a, 0x00, 0x45, 0xc6];
    push.push(if tokens { 0x0d } else { 0x0c });
    push.push(0x03);
    push.extend(host.bytes().chain([0]));
    if tokens {
        push.extend([0x85, 0x03]);
        push.extend(b"invoice/4711\0");
    }
    push.extend([0x01, 0x03]);
    push.extend(b"You have mail\0\x01\x01");
    push
}

/// A DELIVER with 8-bit data for port 2948, a part of several where `part` says of how many and which.
fn deliver(body: &[u8], part: Option<(u8, u8)>, tsn: u32) -> Vec<u8> {
    let mut user_data = vec![6, 0x05, 4, 0x0b, 0x84, 0x23, 0xf0];
    if let Some((total, seq)) = part {
        user_data.extend([0x00, 3, 77, total, seq]);
        user_data[0] += 5;
    }
    user_data.extend_from_slice(body);
    let tp_udl = user_data.len().try_into().unwrap();
    let part = Part { dcs: Dcs(4), udhi: true, tp_udl, user_data };
    let scts = Timestamp::parse(&[0x62, 0x11, 0x42, 0, 0, 0, 0]).unwrap();
    let tpdu = encode::deliver(Number { text: "15550166001", ton: 1, npi: 1 }, 0, &scts, &part);
    around(&begin(&forward(&tpdu)), tsn)
}

/// The records of a capture, and those of what goes on in its place, which `tshark` has to read as pushes.
fn there_and_back(room: &Room, name: &str, frames: &[Vec<u8>]) -> [Vec<serde_json::Value>; 2] {
    let (before, after) = (room.holding(&format!("{name}.pcapng"), &capture(frames)), room.file(&format!("{name}-out.pcapng")));
    let records = |ran: super::Ran| {
        assert_eq!(ran.status, 0, "{}", ran.err);
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<serde_json::Value>>()
    };
    let first = records(ztsms(&["replay", "--json", &before, "--write", &after]));
    let shown = std::process::Command::new("tshark")
        .args([
            "-r",
            &after,
            "-o",
            "sctp.checksum:CRC-32C",
            "-T",
            "fields",
            "-e",
            "sctp.checksum.status",
            "-e",
            "_ws.malformed",
            "-e",
            "wsp.TID",
        ])
        .output()
        .expect("tshark is installed");
    for line in String::from_utf8_lossy(&shown.stdout).lines() {
        assert!(line.starts_with("1\t\t"), "{name}: {line:?}");
    }
    [first, records(ztsms(&["replay", "--json", &after]))]
}

#[test]
fn a_dangerous_link_of_a_push_is_made_dead_in_place() {
    let room = Room::new("push");
    let host = "parcel-fee.test/p?id=83JS";
    let [before, after] = there_and_back(&room, "one", &[deliver(&indication(host, false), None, 1)]);
    assert_eq!((&before[0]["verdict"], &before[0]["action"]), (&"dangerous".into(), &"deaden".into()));
    assert_eq!(before[0]["why"], "dangerous/deaden: replace form 3 does not stand in a WAP push");
    assert_eq!(before[0]["rewritten"], format!("{}\nYou have mail", " ".repeat(host.len())));
    assert_eq!((&after[0]["verdict"], &after[0]["text"]), (&"none".into(), &before[0]["rewritten"]));
}

#[test]
fn tokens_of_a_push_hide_no_link() {
    let room = Room::new("push-tokens");
    let [before, after] = there_and_back(&room, "tokens", &[deliver(&indication("pay-here-now", true), None, 1)]);
    assert_eq!(before[0]["urls"][0]["url"], "http://www.pay-here-now.com/invoice/4711");
    assert_eq!((&before[0]["verdict"], &before[0]["action"]), (&"unknown".into(), &"deaden".into()));
    assert_eq!(after[0]["verdict"], "none", "{}", after[0]["text"]);
}

#[test]
fn a_push_in_two_messages_is_dead_when_both_have_gone_on() {
    let room = Room::new("push-parts");
    let push = indication("parcel-fee.test/p?id=83JS", false);
    // The first part has no more than the beginning of the host.
    for cut in [16, 20, 30] {
        let (first, second) = push.split_at(cut);
        let frames = [deliver(first, Some((2, 1)), 1), deliver(second, Some((2, 2)), 2)];
        let [before, after] = there_and_back(&room, &format!("cut-{cut}"), &frames);
        assert_eq!((&before[1]["verdict"], &before[1]["action"]), (&"dangerous".into(), &"deaden".into()), "{cut}");
        assert_ne!(after[1]["verdict"], "dangerous", "{cut}: {}", after[1]["text"]);
        let text = after[1]["text"].as_str().unwrap();
        assert!(!text.contains("fee.test") && text.ends_with("You have mail"), "{cut}: {text:?}");
    }
}

#[test]
fn a_notification_of_a_multimedia_message_keeps_its_address() {
    let room = Room::new("push-mms");
    let push = b"\x01\x06\x01\xbe\x8c\x82\x83http://mmsc.example/1\0";
    let [before, after] = there_and_back(&room, "mms", &[deliver(push, None, 1)]);
    assert_eq!((&before[0]["verdict"], &before[0]["action"]), (&"unknown".into(), &"pass".into()));
    assert_eq!(after[0]["text"], before[0]["text"]);
}
