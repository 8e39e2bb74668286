//! Messages from one end of the wire to the other, whoever the ends are, and what came of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use control::live::lab::{Arrival, Counted, Ledger, Message, Receiver, Sender, helper, messages};
use dataplane::world::World;

use super::{Lab, common};

const USRSCTP_RATE: u64 = 2000;
/// How long the last messages may take.
const LATE: Duration = Duration::from_secs(20);

/// One end that sends.
pub(super) trait Sends: Send {
    fn send(&mut self, message: &[u8]);
    /// Waits until everything was acknowledged.
    fn finish(self: Box<Self>) -> Counted;
}

/// One end that receives.
pub(super) trait Receives {
    fn next(&self, timeout: Duration) -> Option<Vec<u8>>;
    fn finish(self: Box<Self>);
}

/// Both ends of an association.
pub(super) trait Ends {
    fn listen(&self, lab: &Lab) -> Box<dyn Receives>;
    fn connect(&self, lab: &Lab) -> Box<dyn Sends>;
    /// What is sent and what arrives, as these ends tell one message from another.
    fn carry(&self, all: Vec<Message>) -> Vec<Message> {
        all
    }
    /// Messages a second that they carry without repeating any.
    fn rate(&self) -> u64 {
        USRSCTP_RATE
    }
}

/// usrsctp on both sides.
pub(super) struct Usrsctp;

impl Sends for Sender {
    fn send(&mut self, message: &[u8]) {
        Self::send(self, message).unwrap();
    }
    fn finish(self: Box<Self>) -> Counted {
        Self::finish(*self, LATE)
    }
}

impl Receives for Receiver {
    fn next(&self, timeout: Duration) -> Option<Vec<u8>> {
        Self::next(self, timeout).map(|(_, octets)| octets)
    }
    fn finish(self: Box<Self>) {
        Self::finish(*self, Duration::from_secs(1));
    }
}

impl Ends for Usrsctp {
    fn listen(&self, lab: &Lab) -> Box<dyn Receives> {
        Box::new(Receiver::listen(&lab.nets).unwrap())
    }
    fn connect(&self, lab: &Lab) -> Box<dyn Sends> {
        Box::new(Sender::connect(&lab.nets).unwrap())
    }
}

/// The same at the ends of the second pair.
pub(super) struct Second;

impl Ends for Second {
    fn listen(&self, lab: &Lab) -> Box<dyn Receives> {
        Box::new(Receiver::listen_in(&lab.nets, 'd').unwrap())
    }
    fn connect(&self, lab: &Lab) -> Box<dyn Sends> {
        Box::new(Sender::connect_from(&lab.nets, 'c').unwrap())
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

/// Messages, a quarter of them with links, as the filter's own policy would leave them.
pub(super) fn some(n: usize, seed: u64) -> Vec<Message> {
    some_in(n, seed, &common::world(control::config::load_with(None, []).unwrap().policy))
}

/// The same in this world.
pub(super) fn some_in(n: usize, seed: u64, world: &World) -> Vec<Message> {
    messages(n, seed, 0.25, world).unwrap()
}

/// So many messages for these ends in `make test`; `ZTSMS_WIRE_MESSAGES` of them, 100 000 in `make prove`.
pub(super) fn count(ends: &dyn Ends, few: usize) -> usize {
    let asked = std::env::var("ZTSMS_WIRE_MESSAGES").ok();
    let few = few * ends.rate() as usize / USRSCTP_RATE as usize;
    asked.map_or(few, |n| n.parse().expect("ZTSMS_WIRE_MESSAGES is a number"))
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
    pub(super) to_change: u64,
    pub(super) retransmitted: u64,
    /// The first few that nobody sent, in hexadecimal: `ztsms explain` reads them.
    pub(super) strange: Vec<String>,
}

/// Of messages that nobody sent.
const SHOWN: usize = 4;

impl Flow {
    /// Each exactly once, in order, with a text that is its own.
    pub(super) fn is_whole(&self) {
        assert!(self.strange.is_empty(), "nobody sent {:#?}: {self:?}", self.strange);
        assert_eq!((self.received, self.duplicated, self.out_of_order, self.unknown), (self.sent, 0, 0, 0), "{self:?}");
        assert_eq!(self.rewritten + self.passed, self.to_change, "{self:?}");
    }
}

/// Sends all at this rate; meanwhile something happens.
pub(super) fn flow(lab: &Lab, ends: &dyn Ends, all: &[Message], rate: u64, mut meanwhile: impl FnMut(Duration) + Send) -> Flow {
    let receiver = ends.listen(lab);
    let mut sender = ends.connect(lab);
    let (mut ledger, mut strange) = (Ledger::new(all), Vec::new());
    // Behind the ledger: that of 100 000 messages takes its time, and what is due happens at once.
    let begin = Instant::now();
    let over = AtomicBool::new(false);
    let over = &over;
    let counted = std::thread::scope(|scope| {
        let sending = scope.spawn(move || {
            for (n, message) in (0..).zip(all) {
                let due = Duration::from_nanos(n * 1_000_000_000 / rate);
                std::thread::sleep(due.saturating_sub(begin.elapsed()));
                sender.send(&message.sent);
            }
            sender.finish()
        });
        let meanwhile = scope.spawn(move || {
            while !over.load(Ordering::Acquire) {
                meanwhile(begin.elapsed());
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        let mut last = Instant::now();
        while ledger.received() < all.len() as u64 && last.elapsed() < LATE {
            if let Some(octets) = receiver.next(Duration::from_millis(50)) {
                last = Instant::now();
                if ledger.arrive(&octets) == Arrival::Unknown && strange.len() < SHOWN {
                    strange.push(octets.iter().map(|octet| format!("{octet:02x}")).collect());
                }
            }
        }
        over.store(true, Ordering::Release);
        while let Some(octets) = receiver.next(Duration::from_millis(200)) {
            ledger.arrive(&octets);
        }
        meanwhile.join().unwrap();
        sending.join().unwrap()
    });
    receiver.finish();
    Flow {
        sent: all.len() as u64,
        received: ledger.received(),
        duplicated: ledger.duplicated(),
        out_of_order: ledger.out_of_order,
        unknown: ledger.unknown,
        rewritten: ledger.rewritten,
        passed: ledger.passed,
        to_change: all.iter().filter(|message| message.changes()).count() as u64,
        retransmitted: counted.retransmitted,
        strange,
    }
}
