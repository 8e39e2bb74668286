//! What happens to single frames when the filter is stopped, replaced, told to pass, fails closed, or loses a cable.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dataplane::xdp::Cause;

use super::flow::{Usrsctp, flow, some, there_are_peers};
use super::frames;
use super::standing::until;
use super::takeover::far_end;
use super::{Filter, Lab, arrivals, lab, lab_with, signal};

#[test]
fn an_ordered_stop_a_start_and_an_upgrade_in_place_lose_no_frame() {
    let Some(lab) = lab("upgrade") else { return };
    let mut filter = Some(lab.inline());
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    const FRAMES: u32 = 6000;
    let came = std::thread::scope(|scope| {
        let sending = scope.spawn(|| {
            let begin = Instant::now();
            for n in 0..FRAMES {
                std::thread::sleep((Duration::from_micros(500) * n).saturating_sub(begin.elapsed()));
                a.send(&frames::numbered(n)).unwrap();
            }
        });
        let receiving = scope.spawn(|| arrivals(&b, Duration::from_secs(2)));
        std::thread::sleep(Duration::from_millis(500));
        // Stopped and started.
        filter.take().map(Filter::stop);
        filter = Some(lab.inline());
        std::thread::sleep(Duration::from_millis(300));
        // Replaced, twice: the old one leaves by itself.
        for _ in 0..2 {
            let new = lab.filter(&["inline", "--between", "a1", "b1", "--take-over"]);
            let mut old = filter.replace(new).unwrap();
            assert!(old.child.wait().unwrap().success());
        }
        sending.join().unwrap();
        receiving.join().unwrap()
    });
    let mut numbers: Vec<u32> = came.iter().map(|frame| frames::number(frame)).collect();
    numbers.sort_unstable();
    let missing = (0..FRAMES).filter(|n| numbers.binary_search(n).is_err()).count();
    assert_eq!((missing, numbers.len()), (0, FRAMES as usize), "unscanned {:?}", lab.kernel());
    assert!(lab.of(Cause::ToSocket) > 0 && lab.of(Cause::NoSocket) > 0, "{:?}", lab.kernel());
}

#[test]
fn pass_stops_rewriting_at_once_and_rewrite_takes_it_back() {
    if !there_are_peers() {
        return;
    }
    let Some(lab) = lab("pass-flag") else { return };
    let filter = lab.inline();
    let tell = |flag: &str| assert!(lab.command(&["inline", flag]).status().unwrap().success());
    let all = some(400, 5);
    let before = flow(&lab, &Usrsctp, &all[..100], 1000, |_| ());
    tell("--pass");
    std::thread::sleep(Duration::from_millis(100));
    let passed = flow(&lab, &Usrsctp, &all[100..300], 1000, |_| ());
    tell("--rewrite");
    std::thread::sleep(Duration::from_millis(100));
    let after = flow(&lab, &Usrsctp, &all[300..], 1000, |_| ());
    for flow in [&before, &passed, &after] {
        flow.is_whole();
    }
    assert!(before.rewritten > 0 && passed.rewritten == 0 && after.rewritten > 0, "{before:?} {passed:?} {after:?}");
    filter.stop();
}

#[test]
fn where_it_fails_closed_nothing_goes_by_unscanned() {
    let Some(lab) = lab_with("closed", "[wire]\nfail = \"closed\"\n") else { return };
    let filter = lab.inline();
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    let quiet = Duration::from_millis(300);
    a.send(&frames::numbered(1)).unwrap();
    assert_eq!(arrivals(&b, quiet).len(), 1);
    filter.kill();
    (2..12).for_each(|n| a.send(&frames::numbered(n)).unwrap());
    assert_eq!(arrivals(&b, quiet).len(), 0);
    assert_eq!((lab.of(Cause::NoSocket), lab.of(Cause::Closed)), (10, 10));
    // What is not ours is not the filter's to drop.
    a.send(&frames::arp()).unwrap();
    assert_eq!(arrivals(&b, quiet).len(), 1);
    let filter = lab.inline();
    a.send(&frames::numbered(12)).unwrap();
    assert_eq!(arrivals(&b, quiet).len(), 1);
    filter.stop();
}

#[test]
fn loss_of_carrier_is_carried_to_the_other_port_and_back() {
    let Some(lab) = lab("carrier") else { return };
    let filter = lab.inline();
    let far = far_end(&lab);
    let after = |up: bool| {
        let begin = Instant::now();
        while far.is_running() != Some(up) {
            assert!(begin.elapsed() < Duration::from_secs(5), "never {}", if up { "up" } else { "down" });
            std::thread::sleep(Duration::from_micros(500));
        }
        begin.elapsed()
    };
    after(true);
    for _ in 0..3 {
        lab.nets.ip('a', &["link", "set", "a0", "down"]).unwrap();
        let down = after(false);
        lab.nets.ip('a', &["link", "set", "a0", "up"]).unwrap();
        let up = after(true);
        println!("down after {down:?}, up after {up:?}");
        // 10 ms between two looks; the rest is what a busy machine adds.
        assert!(down < Duration::from_millis(200) && up < Duration::from_millis(200), "{down:?} {up:?}");
    }
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    std::thread::sleep(Duration::from_millis(50));
    a.send(&frames::numbered(1)).unwrap();
    assert_eq!(arrivals(&b, Duration::from_millis(300)).len(), 1);
    filter.stop();
}

#[test]
fn an_upgrade_in_place_announces_no_dead_line() {
    let Some(lab) = lab("dead-line") else { return };
    let mut filter = lab.inline();
    let far = far_end(&lab);
    let until_far = |up: bool| until("the far end sees it", || far.is_running() == Some(up));
    until_far(true);
    lab.nets.ip('a', &["link", "set", "a0", "down"]).unwrap();
    until_far(false);
    let stop = AtomicBool::new(false);
    let announced = std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut announced = 0;
            while !stop.load(Ordering::Acquire) {
                announced += u32::from(far.is_running() != Some(false));
                std::thread::sleep(Duration::from_micros(500));
            }
            announced
        });
        for _ in 0..2 {
            let new = lab.filter(&["inline", "--between", "a1", "b1", "--take-over"]);
            let mut old = std::mem::replace(&mut filter, new);
            assert!(old.child.wait().unwrap().success());
            std::thread::sleep(Duration::from_millis(200));
        }
        stop.store(true, Ordering::Release);
        watching.join().unwrap()
    });
    assert_eq!(announced, 0);
    lab.nets.ip('a', &["link", "set", "a0", "up"]).unwrap();
    until_far(true);
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    std::thread::sleep(Duration::from_millis(50));
    a.send(&frames::numbered(1)).unwrap();
    assert_eq!((arrivals(&b, Duration::from_millis(300)).len(), lab.of(Cause::ToSocket)), (1, 1));
    // Whoever leaves to nobody leaves the port up.
    lab.nets.ip('a', &["link", "set", "a0", "down"]).unwrap();
    until_far(false);
    filter.stop();
    until_far(true);
}

#[test]
fn an_upgrade_in_place_that_fails_or_is_told_to_end_on_a_dead_line_leaves_no_port_down() {
    let Some(lab) = lab("dead-ended") else { return };
    let far = far_end(&lab);
    let until_far = |up: bool| until("the far end sees it", || far.is_running() == Some(up));
    let lock = format!("/run/ztsms/a1{}.lock", lab.nets.suffix());
    let is_announced = || fs::read_to_string(&lock).is_ok_and(|text| text.lines().count() > 3);
    // Told to end at about the time when the old one leaves, and from when that one has left it all to it.
    for after in [Some(0), Some(2), Some(5), Some(10), Some(20), Some(40), None] {
        let mut filter = lab.inline();
        lab.nets.ip('a', &["link", "set", "a0", "down"]).unwrap();
        until_far(false);
        if after.is_none() {
            signal(&filter.id(), "STOP");
        }
        let new = lab.command(&["inline", "--between", "a1", "b1", "--take-over"]).spawn().unwrap();
        let id = new.id().to_string();
        until("it is announced", is_announced);
        if let Some(after) = after {
            std::thread::sleep(Duration::from_millis(after));
            signal(&id, "TERM");
        } else {
            // What it needs next goes while it waits.
            std::thread::sleep(Duration::from_millis(100));
            signal(&id, "STOP");
            let counters = dataplane::xdp::pins(&format!("inline-a1-b1{}", lab.nets.suffix())).join("counters");
            fs::remove_file(counters).unwrap();
            signal(&filter.id(), "CONT");
        }
        assert!(filter.child.wait().unwrap().success());
        if after.is_none() {
            assert_eq!(far.is_running(), Some(false), "the next one watches");
            signal(&id, "CONT");
        }
        let out = new.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        println!("{after:?}: {} {said}", out.status);
        assert!(after.is_some() || out.status.code() == Some(1) && said.contains("counters"), "{said}");
        until_far(true);
        lab.nets.ip('a', &["link", "set", "a0", "up"]).unwrap();
    }
    lab.remove();
    lab.nothing_is_left();
}

#[test]
fn a_veth_with_fewer_queues_than_its_peer_is_told_what_to_change() {
    let Some(lab) = lab("few-queues") else { return };
    lab.nets.ip('f', &["link", "del", "a1"]).unwrap();
    let there = lab.nets.of('a');
    let one = ["link", "add", "a1", "numrxqueues", "1", "numtxqueues", "1"];
    let two = ["type", "veth", "peer", "name", "a0", "numrxqueues", "2", "numtxqueues", "2", "netns", &there];
    lab.nets.ip('f', &[&one[..], &two].concat()).unwrap();
    lab.nets.ip('a', &["link", "set", "a0", "up"]).unwrap();
    let (status, said) = lab.fails(&["inline", "--between", "a1", "b1"]);
    assert!(status == 1 && said.contains("a1 has too few queues") && said.contains("ethtool -L a1"), "{said}");
    lab.nothing_is_left();
}

#[test]
fn observing_changes_nothing() {
    if !there_are_peers() {
        return;
    }
    let Some(lab) = lab_with("observe", "[live]\nenforce = false\n") else { return };
    let filter = lab.inline();
    let flow = flow(&lab, &Usrsctp, &some(500, 2), 1000, |_| ());
    flow.is_whole();
    assert_eq!(flow.rewritten, 0);
    filter.stop();
}

/// The near end of a cable anew, with so many queues.
fn with_queues(lab: &Lab, (which, far): (char, &str), near: &str, queues: &str) {
    lab.nets.ip('f', &["link", "del", near]).unwrap();
    let queues = ["numrxqueues", queues, "numtxqueues", queues];
    let there = lab.nets.of(which);
    let add = [&["link", "add", near], &queues[..], &["type", "veth", "peer", "name", far, "netns", &there]].concat();
    lab.nets.ip('f', &add).unwrap();
    lab.nets.ip(which, &["link", "set", far, "up"]).unwrap();
    lab.nets.ip('f', &["link", "set", near, "up"]).unwrap();
}

#[test]
fn queues_that_change_in_number_under_a_filter_are_an_alarm_that_says_what_to_do() {
    let Some(lab) = lab("queues") else { return };
    with_queues(&lab, ('a', "a0"), "a1", "4");
    let set = |queues: &[&str]| {
        let done = lab.nets.command('f', "ethtool").args(["-L", "a1"]).args(queues).status();
        assert!(done.unwrap().success(), "{queues:?}");
    };
    set(&["rx", "2", "tx", "2"]);
    let mut filter = lab.inline();
    set(&["rx", "4"]);
    filter.wait_for("alarm: queues: a1 has 4 receive and 2 transmit queues, and had 2 and 2");
    set(&["rx", "2"]);
    filter.wait_for("cleared: queues");
    set(&["rx", "3"]);
    filter.wait_for("alarm: queues");
    let new = lab.filter(&["inline", "--between", "a1", "b1", "--take-over"]);
    assert!(filter.child.wait().unwrap().success());
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(lab.status()["alarms"].as_array().map(Vec::len), Some(0), "{}", lab.status()["alarms"]);
    new.stop();
    lab.remove();
}

#[test]
fn every_queue_of_a_worker_is_seen_however_many_there_are() {
    let Some(lab) = lab_with("many-queues", "[wire]\nring = 64\n") else { return };
    with_queues(&lab, ('a', "a0"), "a1", "40");
    with_queues(&lab, ('b', "b0"), "b1", "40");
    let filter = lab.inline();
    let queues = || lab.status()["workers"][0]["queues"].as_array().map_or(0, Vec::len);
    super::standing::until("all of them are there", || queues() >= 80);
    assert_eq!(queues(), 80);
    filter.stop();
    lab.remove();
}
