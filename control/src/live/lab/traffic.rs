//! What is sent, and the ledger of what arrived.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Cursor};

use dataplane::lane::{Frame, Lane, Setup};
use dataplane::record::{Listener, Sms};
use dataplane::world::World;
use pcaps::generate::{Mix, generate};
use pcaps::read::Capture;
use protocols::link::{self, Carried, LinkType};
use protocols::sctp::Packet;

/// One M3UA message with one short message in it.
#[derive(Clone, Debug)]
pub struct Message {
    /// As it is sent.
    pub sent: Vec<u8>,
    /// As it arrives where a filter rewrites; the same where it leaves it.
    pub rewritten: Vec<u8>,
    /// Its text.
    pub text: String,
    /// The text that arrives in its place.
    pub rewritten_text: Option<String>,
}

impl Message {
    /// Whether a filter changes it.
    pub fn changes(&self) -> bool {
        self.sent != self.rewritten
    }
}

/// Short messages to subscribers, each in one piece.
fn mix(links: f64) -> Mix {
    let mut mix = Mix { links, mt: 1.0, ..Mix::default() };
    let zero = [
        "concatenated",
        "routing",
        "empty_begin",
        "segmented",
        "errors",
        "bundles",
        "retransmissions",
        "losses",
        "garbage",
        "version_1",
    ];
    for (name, share) in mix.shares() {
        if zero.contains(&name) {
            *share = 0.0;
        }
    }
    mix
}

#[derive(Default)]
struct Seen {
    messages: u32,
    text: String,
    rewritten: Option<String>,
}

impl Listener for Seen {
    const TEXTS: bool = true;
    fn sms(&mut self, sms: &Sms<'_>) {
        self.messages += 1;
        self.text = sms.text.unwrap_or_default().to_owned();
        self.rewritten = sms.rewritten.map(str::to_owned);
    }
}

/// The payloads of DATA chunks with an M3UA message.
fn payloads(frame: &[u8], mut take: impl FnMut(&[u8])) {
    let Ok(Carried::Ip(ip)) = link::parse(LinkType::Ethernet, frame) else { return };
    let Ok((_, bytes)) = ip.sctp() else { return };
    let Ok(packet) = Packet::parse(bytes) else { return };
    for data in packet.chunks().map_while(Result::ok).filter_map(|chunk| chunk.data()).flatten() {
        if data.begin && data.end && data.ppid == Some(3) {
            take(data.payload);
        }
    }
}

/// So many different messages, of which this share has a link, as a filter in this world would leave them.
pub fn messages(n: usize, seed: u64, links: f64, world: &World) -> io::Result<Vec<Message>> {
    let mut capture = Vec::new();
    generate(n as u64 + 16, seed, &mix(links), &mut capture)?;
    let mut reader = Capture::new(Box::new(Cursor::new(capture)), "laboratory");
    let mut lane = Lane::new(&Setup::default());
    let mut all: Vec<Message> = Vec::with_capacity(n);
    let mut known = std::collections::HashSet::new();
    while let Some(frame) = reader.next().map_err(io::Error::other)? {
        if all.len() >= n {
            break;
        }
        let mut sent = Vec::new();
        payloads(frame.bytes, |payload| sent = payload.to_vec());
        if sent.is_empty() || !known.insert(sent.clone()) {
            continue;
        }
        let bytes = frame.bytes;
        let of = Frame { number: 1, time_ns: 0, link_type: LinkType::Ethernet, bytes, original_len: bytes.len() };
        let mut seen = Seen::default();
        lane.frame(&of, world, &mut seen);
        if seen.messages != 1 {
            continue;
        }
        let mut rewritten = sent.clone();
        if let Some(packet) = lane.changed().next() {
            payloads(packet, |payload| rewritten = payload.to_vec());
        }
        all.push(Message { sent, rewritten, text: seen.text, rewritten_text: seen.rewritten });
    }
    if all.len() < n { Err(io::Error::other(format!("only {} of {n} messages were made", all.len()))) } else { Ok(all) }
}

/// What a message that arrived is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// As it was sent, and as it should be.
    Unchanged(usize),
    /// As a filter should leave it.
    Rewritten(usize),
    /// As it was sent though it should have been changed: it went by unscanned.
    Passed(usize),
    /// None that was sent.
    Unknown,
}

/// Which messages arrived, how often, and in which order.
pub struct Ledger<'m> {
    messages: &'m [Message],
    by_hash: HashMap<u64, usize>,
    state: RandomState,
    arrived: Vec<u32>,
    last: Option<usize>,
    /// Messages behind one that was sent after them.
    pub out_of_order: u64,
    /// Messages that arrived as a filter should leave them.
    pub rewritten: u64,
    /// Messages that should have been changed and were not.
    pub passed: u64,
    /// Messages that nobody sent.
    pub unknown: u64,
}

impl<'m> Ledger<'m> {
    /// For these messages, in the order in which they are sent.
    pub fn new(messages: &'m [Message]) -> Self {
        let state = RandomState::new();
        let mut by_hash = HashMap::with_capacity(2 * messages.len());
        for (at, message) in messages.iter().enumerate() {
            by_hash.insert(state.hash_one(&message.sent), at);
            by_hash.insert(state.hash_one(&message.rewritten), at);
        }
        let arrived = vec![0; messages.len()];
        Self { messages, by_hash, state, arrived, last: None, out_of_order: 0, rewritten: 0, passed: 0, unknown: 0 }
    }

    /// One arrived.
    pub fn arrive(&mut self, octets: &Vec<u8>) -> Arrival {
        let at = self.by_hash.get(&self.state.hash_one(octets)).copied();
        let found = at.and_then(|at| Some((at, self.messages.get(at)?)));
        let Some((at, message)) = found.filter(|(_, message)| *octets == message.sent || *octets == message.rewritten) else {
            self.unknown += 1;
            return Arrival::Unknown;
        };
        if let Some(count) = self.arrived.get_mut(at) {
            *count += 1;
        }
        self.out_of_order += u64::from(self.last.is_some_and(|last| last > at));
        self.last = Some(at);
        if !message.changes() {
            Arrival::Unchanged(at)
        } else if *octets == message.rewritten {
            self.rewritten += 1;
            Arrival::Rewritten(at)
        } else {
            self.passed += 1;
            Arrival::Passed(at)
        }
    }

    /// Different messages that arrived.
    pub fn received(&self) -> u64 {
        self.arrived.iter().filter(|count| **count > 0).count() as u64
    }

    /// Messages that arrived once more.
    pub fn duplicated(&self) -> u64 {
        self.arrived.iter().map(|count| u64::from(count.saturating_sub(1))).sum()
    }
}

/// An Ethernet frame with these M3UA messages, a DATA chunk each, from this TSN on.
pub fn frame(messages: &[&[u8]], tsn: u32) -> Vec<u8> {
    let mut sctp = vec![0x0b, 0x59, 0x0b, 0x59, 0, 0, 0, 7, 0, 0, 0, 0];
    for (tsn, message) in (tsn..).zip(messages) {
        let len = u16::try_from(16 + message.len()).unwrap_or(u16::MAX);
        sctp.extend_from_slice(&[0, 3]);
        sctp.extend_from_slice(&len.to_be_bytes());
        sctp.extend_from_slice(&tsn.to_be_bytes());
        // Stream 0; the stream's sequence number follows the TSN.
        sctp.extend_from_slice(&[0, 0, tsn.to_be_bytes()[2], tsn.to_be_bytes()[3], 0, 0, 0, 3]);
        sctp.extend_from_slice(message);
        sctp.resize(sctp.len().next_multiple_of(4), 0);
    }
    protocols::sctp::seal(&mut sctp);
    let len = u16::try_from(20 + sctp.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut ip = [0x45, 0, len[0], len[1], 0, 1, 0x40, 0, 64, 132, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    let sum = link::checksum(&ip).to_be_bytes();
    ip[10..12].copy_from_slice(&sum);
    let ethernet = [2, 0xaa, 0x5a, 0x54, 0, 2, 2, 0xaa, 0x5a, 0x54, 0, 1, 8, 0];
    [&ethernet[..], &ip, &sctp].concat()
}

/// Gives a frame of [`frame`] with one message another TSN.
pub fn renumber(frame: &mut [u8], tsn: u32) {
    if let Some(sctp) = frame.get_mut(34..) {
        if let Some(field) = sctp.get_mut(16..20) {
            field.copy_from_slice(&tsn.to_be_bytes());
        }
        protocols::sctp::seal(sctp);
    }
}
