//! What the ports carry bounds what a message may grow to: a frame that outgrows them would be lost, and so would each copy of it.

use std::time::Duration;

use control::live::lab::frame;

use super::flow::some;
use super::standing::until;
use super::{Lab, arrivals, frames, lab};

const QUIET: Duration = Duration::from_millis(300);
const ALL: [(char, &str); 4] = [('a', "a0"), ('f', "a1"), ('f', "b1"), ('b', "b0")];

fn set(lab: &Lab, mtu: &str) {
    for (space, interface) in ALL {
        lab.nets.ip(space, &["link", "set", interface, "mtu", mtu]).unwrap();
    }
}

/// Packets of messages that are changed, each nearly as long as 1 400 octets of IP.
fn full() -> Vec<Vec<u8>> {
    let all = some(4000, 13);
    let changing: Vec<&[u8]> = all.iter().filter(|message| message.changes()).map(|message| message.sent.as_slice()).collect();
    let mut full: Vec<Vec<u8>> = changing
        .chunks(2)
        .flat_map(|pair| (2..8).map(move |n| pair.iter().cycle().take(n).copied().collect::<Vec<_>>()))
        .map(|messages| frame(&messages, 1))
        .filter(|frame| (1374..=1414).contains(&frame.len()))
        .collect();
    full.truncate(40);
    assert!(full.len() > 10, "{}", full.len());
    for (n, frame) in (0..).zip(&mut full) {
        frames::renumber_all(frame, 1000 + (n << 4));
    }
    full
}

/// Sends them all; what arrives holds every message of them, in packets that the wire carries. How many were changed.
fn arrive(lab: &Lab, sent: &[Vec<u8>]) -> usize {
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    let mut changed = 0;
    for frame in sent {
        a.send(frame).unwrap();
        let came = arrivals(&b, Duration::from_millis(50));
        assert!(came.iter().all(|frame| frame.len() <= 1414), "{:?}", came.iter().map(Vec::len).collect::<Vec<_>>());
        let numbers = |frames: &[Vec<u8>]| frames.iter().flat_map(|frame| frames::numbers(frame)).collect::<Vec<u32>>();
        assert_eq!(numbers(&came), numbers(std::slice::from_ref(frame)), "a packet of {} octets", frame.len());
        changed += usize::from(came != [frame.clone()]);
    }
    changed
}

#[test]
fn a_message_grows_no_further_than_the_ports_carry() {
    let Some(lab) = lab("mtu") else { return };
    set(&lab, "1400");
    let filter = lab.inline();
    let full = full();
    let changed = arrive(&lab, &full);
    assert!(changed > full.len() / 2, "{changed} of {}", full.len());
    filter.stop();
}

#[test]
fn an_mtu_that_is_changed_while_it_runs_is_followed_and_one_that_differs_is_raised() {
    let Some(lab) = lab("mtu-follow") else { return };
    let filter = lab.inline();
    let world = || lab.status()["verdicts"]["world"].as_u64().unwrap();
    let before = world();
    set(&lab, "1400");
    until("a world of the smaller MTU", || world() > before);
    assert!(arrive(&lab, &full()) > 0);
    let alarm = || lab.status()["alarms"].to_string();
    assert!(!alarm().contains("MTU"), "{}", alarm());
    lab.nets.ip('f', &["link", "set", "b1", "mtu", "1300"]).unwrap();
    until("an alarm", || alarm().contains("b1 1300"));
    lab.nets.ip('f', &["link", "set", "b1", "mtu", "1400"]).unwrap();
    until("no alarm", || !alarm().contains("MTU"));
    filter.stop();
}

#[test]
fn two_ports_of_different_mtu_are_no_pair() {
    let Some(lab) = lab("mtu-pair") else { return };
    lab.nets.ip('f', &["link", "set", "b1", "mtu", "1400"]).unwrap();
    let (status, said) = lab.fails(&["inline", "--between", "a1", "b1"]);
    assert!(status == 1 && said.contains("a1 has MTU 1500 and b1 1400") && said.contains("ip link set b1 mtu 1500"), "{said}");
    lab.nothing_is_left();
    let out = lab.command(&["check", "--between", "a1", "b1"]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.code() == Some(1) && said.contains("a1 has MTU 1500 and b1 1400"), "{said}");
    // What only looks on forwards nothing.
    lab.filter(&["tap", "--interface", "a1,b1"]).stop();
    assert_eq!(lab.fails(&["tap", "--interface", "a1,b1", "--remove"]).0, 0);
    std::thread::sleep(QUIET);
}
