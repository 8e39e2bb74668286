//! Real SCTP peers on both sides.

use std::time::{Duration, Instant};

use control::live::lab::{Ledger, Message, Receiver, Sender, helper, messages};

use super::{Lab, common, lab};

const LATE: Duration = Duration::from_secs(20);

/// Messages with links, as the filter's own policy would leave them.
pub(super) fn some(n: usize, seed: u64) -> Vec<Message> {
    let world = common::world(control::config::load_with(None, []).unwrap().policy);
    messages(n, seed, 0.25, &world).unwrap()
}

/// What came of a flow.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) duplicated: u64,
    pub(super) out_of_order: u64,
    pub(super) unknown: u64,
    pub(super) rewritten: u64,
    pub(super) passed: u64,
}

impl Flow {
    /// Each exactly once, in order, with a text that is its own.
    pub(super) fn is_whole(&self) {
        assert_eq!((self.received, self.duplicated, self.out_of_order, self.unknown), (self.sent, 0, 0, 0), "{self:?}");
    }
}

/// Sends all at this rate; meanwhile something happens.
pub(super) fn flow(lab: &Lab, all: &[Message], rate: u64, mut meanwhile: impl FnMut(Duration) + Send) -> Flow {
    let receiver = Receiver::listen(&lab.nets).unwrap();
    let mut sender = Sender::connect(&lab.nets).unwrap();
    let begin = Instant::now();
    let mut ledger = Ledger::new(all);
    let over = std::sync::atomic::AtomicBool::new(false);
    let over = &over;
    std::thread::scope(|scope| {
        let sending = scope.spawn(move || {
            for (n, message) in (0..).zip(all) {
                let due = Duration::from_nanos(n * 1_000_000_000 / rate);
                std::thread::sleep(due.saturating_sub(begin.elapsed()));
                sender.send(&message.sent).unwrap();
            }
            sender.finish(LATE)
        });
        let meanwhile = scope.spawn(move || {
            while !over.load(std::sync::atomic::Ordering::Acquire) {
                meanwhile(begin.elapsed());
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let mut last = Instant::now();
        while ledger.received() < all.len() as u64 && last.elapsed() < LATE {
            if let Some((_, octets)) = receiver.next(Duration::from_millis(50)) {
                last = Instant::now();
                ledger.arrive(&octets);
            }
        }
        over.store(true, std::sync::atomic::Ordering::Release);
        while let Some((_, octets)) = receiver.next(Duration::from_millis(200)) {
            ledger.arrive(&octets);
        }
        meanwhile.join().unwrap();
        sending.join().unwrap();
    });
    receiver.finish(Duration::from_secs(1));
    Flow {
        sent: all.len() as u64,
        received: ledger.received(),
        duplicated: ledger.duplicated(),
        out_of_order: ledger.out_of_order,
        unknown: ledger.unknown,
        rewritten: ledger.rewritten,
        passed: ledger.passed,
    }
}

/// The helper is built by `make test`; a bare `cargo test` may do without.
pub(super) fn there_are_peers() -> bool {
    let found = helper();
    if let Err(error) = &found {
        assert!(std::env::var_os("CI").is_none(), "{error}");
        println!("{error}: not run");
    }
    found.is_ok()
}

#[test]
fn every_message_arrives_once_in_order_and_with_the_right_text() {
    if !there_are_peers() {
        return;
    }
    let Some(lab) = lab("peers") else { return };
    let filter = lab.inline();
    let all = some(5000, 1);
    let flow = flow(&lab, &all, 2000, |_| ());
    println!("{flow:?}");
    flow.is_whole();
    let to_change = all.iter().filter(|message| message.changes()).count() as u64;
    assert!(to_change > 800, "{to_change}");
    assert_eq!((flow.rewritten + flow.passed, flow.unknown), (to_change, 0));
    // A heartbeat may lapse on a machine that is busy elsewhere: what went by then is counted.
    assert!(flow.passed <= lab.unscanned(), "{flow:?}, unscanned {}", lab.unscanned());
    filter.stop();
}

#[test]
fn observing_changes_nothing() {
    if !there_are_peers() {
        return;
    }
    let Some(lab) = super::lab_with("observe", "[live]\nenforce = false\n") else { return };
    let filter = lab.inline();
    let flow = flow(&lab, &some(500, 2), 1000, |_| ());
    flow.is_whole();
    assert_eq!(flow.rewritten, 0);
    filter.stop();
}
