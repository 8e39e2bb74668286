//! One function a step, on the same frames: each takes its input from the step before, made once at the start, and writes all that it
//! reads to memory, as the lane has it: a result that nobody looks at would be optimised away.

use core::hint::black_box;

use dataplane::canonical::{self, Canonical, HostKind};
use dataplane::lane::{Frame, Lane, Setup};
use dataplane::policy::{self, Bound, LinkFacts, Message, Policy, Preset, Room, Spec};
use dataplane::record::Silent;
use dataplane::rewrite::{Changes, Field, Width};
use dataplane::scan::{self, Scanner};
use dataplane::suffix::Suffixes;
use dataplane::verdict::{Confidence, Reason, Verdict};
use dataplane::verdicts::{KeyScratch, Table};
use dataplane::world::{Network, World};
use protocols::link::{self, Carried, LinkType};
use protocols::m3ua;
use protocols::map::ForwardSm;
use protocols::sccp::{self, Unitdata};
use protocols::sctp::Packet;
use protocols::sms::encode::{self, Front, Ud};
use protocols::sms::{Direction, Tpdu, UserData};
use protocols::tcap::{self, Component, Invoke};

use crate::frames::{self, Kind};

/// How much input is made. More of it than the caches hold tells what a busy link costs.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Frames of each kind. Above 1 024, the lane's window of TSNs, so that a frame that comes round is no retransmission.
    pub frames: u32,
    /// Links of each kind.
    pub links: u32,
    /// Entries of the table.
    pub hosts: u32,
}

/// Frames or links, one after the other, over and over.
pub struct Ring<T> {
    items: Vec<T>,
    at: usize,
}

impl<T> Ring<T> {
    /// Starts at the first.
    pub const fn new(items: Vec<T>) -> Self {
        Self { items, at: 0 }
    }

    /// The next one.
    #[inline(always)]
    fn turn(&mut self) -> &T {
        self.at += 1;
        if self.at >= self.items.len() {
            self.at = 0;
        }
        &self.items[self.at]
    }
}

/// One message taken apart, each layer on its own.
struct Sample {
    frame: &'static [u8],
    packet: Packet<'static>,
    user_message: &'static [u8],
    sccp: &'static [u8],
    tcap: &'static [u8],
    invoke: Invoke<'static>,
    rp_ui: &'static [u8],
    user_data: UserData<'static>,
    text: &'static str,
    /// Where its link starts, if it has one.
    link: usize,
}

impl Sample {
    fn new(frame: Vec<u8>) -> Self {
        let frame: &'static [u8] = Box::leak(frame.into_boxed_slice());
        let packet = packet(frame);
        let data = packet.chunks().find_map(|chunk| chunk.ok()?.data()?.ok()).expect("DATA");
        let sccp = m3ua::Data::parse(data.payload).expect("M3UA").user_data;
        let tcap = Unitdata::parse(sccp, sccp::Variant::Itu).expect("UDT").data;
        let message = tcap::Message::parse(tcap).expect("TCAP");
        let Some(Ok(Component::Invoke(invoke))) = message.components().next() else { panic!("an Invoke") };
        let scratch = Box::leak(Box::new([0; 512]));
        let rp_ui = ForwardSm::parse(&invoke, message.application_context(), scratch).expect("forwardSM").sm_rp_ui;
        let user_data = Tpdu::parse(rp_ui, Direction::MobileTerminated).expect("DELIVER").user_data;
        let mut text = String::new();
        let _problems = user_data.text(&mut text);
        Self {
            frame,
            packet,
            user_message: data.payload,
            sccp,
            tcap,
            invoke,
            rp_ui,
            user_data,
            link: text.find("https").unwrap_or_default(),
            text: text.leak(),
        }
    }
}

#[inline(always)]
fn packet(frame: &[u8]) -> Packet<'_> {
    let Ok(Carried::Ip(ip)) = link::parse(LinkType::Ethernet, frame) else { panic!("IP") };
    let (_, sctp) = ip.sctp().expect("SCTP");
    Packet::parse(sctp).expect("a common header")
}

/// A lane with its world and its frames.
struct Line {
    lane: Lane,
    world: World,
    frames: Ring<Vec<u8>>,
    number: u64,
}

impl Line {
    fn new(preset: Preset, table: Table, frames: Vec<Vec<u8>>) -> Self {
        let world = World {
            scanner: Scanner::default(),
            suffixes: Suffixes::built_in(),
            table,
            policy: Policy::compile(Spec::preset(preset)).expect("a preset compiles"),
            network: Network::default(),
        };
        Self { lane: Lane::new(&Setup::default()), world, frames: Ring::new(frames), number: 0 }
    }

    #[inline(always)]
    fn run(&mut self) {
        self.number += 1;
        let bytes = self.frames.turn();
        let frame = Frame {
            number: self.number,
            time_ns: self.number * 1000,
            link_type: LinkType::Ethernet,
            bytes,
            original_len: bytes.len(),
        };
        self.lane.frame(&frame, &self.world, &mut Silent);
        black_box(self.lane.changed().next());
    }
}

/// Whether a text fits into the user data in hand, as the lane asks it.
struct Inside<'u> {
    user_data: &'u UserData<'static>,
    text: &'u str,
    ud: &'u mut Ud,
}

impl Room for Inside<'_> {
    fn fits(&mut self, text: &str) -> Result<(), Bound> {
        let written = match text.strip_suffix(self.text) {
            Some(front) => encode::prepend(self.user_data, front, self.ud),
            None => encode::refit(self.user_data, text, self.ud),
        };
        written.map_err(|_| Bound::UserData { need: 0, room: 0 })
    }

    fn fits_in_front(&mut self, front: &str) -> Option<Result<(), Bound>> {
        Some(encode::prepend(self.user_data, front, self.ud).map_err(|_| Bound::UserData { need: 0, room: 0 }))
    }

    fn front(&mut self) -> Option<Front> {
        Front::of(self.user_data)
    }
}

/// Everything that the steps read and write.
pub struct Bench {
    plain: Sample,
    linked: Sample,
    wide: Sample,
    lines: [Line; 6],
    copies: [Ring<Vec<u8>>; 2],
    copy: Vec<u8>,
    urls: [Ring<Canonical<'static>>; 2],
    scan: scan::Scratch,
    canonical: canonical::Scratch,
    keys: KeyScratch,
    policy: policy::Scratch,
    ud: Ud,
    label: &'static str,
    changes: Changes,
    text: String,
    out: Vec<u8>,
    joined: [u8; 512],
}

/// A step: its name in `counts.toml`, what it is, and the function.
pub type Step = (&'static str, &'static str, fn(&mut Bench));

/// Every step, bottom up. The first does nothing: it is what the call itself costs.
pub const STEPS: [Step; 31] = [
    ("call", "the call alone", |_| ()),
    ("memcpy", "memcpy of the frame", |b| memcpy(b, 0)),
    ("link_ip", "Ethernet, IPv4", link_ip),
    ("sctp", "SCTP header, chunks", sctp_chunks),
    ("crc32c", "CRC32c", |b| {
        black_box(black_box(&b.plain.packet).sum());
    }),
    ("m3ua", "M3UA", |b| {
        let data = m3ua::Data::parse(black_box(b.plain.user_message));
        black_box(&data);
    }),
    ("sccp", "SCCP with addresses", |b| {
        let unitdata = Unitdata::parse(black_box(b.plain.sccp), sccp::Variant::Itu);
        black_box(&unitdata);
    }),
    ("tcap", "TCAP with dialogue and components", tcap_components),
    ("map", "MAP", map_forward),
    ("tpdu", "TPDU", |b| {
        let tpdu = Tpdu::parse(black_box(b.plain.rp_ui), Direction::MobileTerminated);
        black_box(&tpdu);
    }),
    ("text_gsm7", "text, 160 septets", |b| text(&mut b.text, &b.plain)),
    ("text_ucs2", "text, 70 of UCS2", |b| text(&mut b.text, &b.wide)),
    ("sieve", "sieve, no link", |b| sieve(b.lines[0].world.scanner.may_link(black_box(b.plain.text.as_bytes())))),
    ("sieve_ucs2", "sieve, no link, UCS2", |b| {
        sieve(b.lines[0].world.scanner.may_link_ucs2(black_box(b.wide.user_data.body())));
    }),
    ("sieve_link", "sieve, a link", |b| sieve(b.lines[0].world.scanner.may_link(black_box(b.linked.text.as_bytes())))),
    ("find", "find the link, canonical form included", |b| {
        b.lines[0].world.scanner.find(black_box(b.linked.text), &mut b.scan, |link| {
            black_box(link.url.host.len());
        });
    }),
    ("canonical", "canonical form", |b| {
        black_box(canonical::parse(black_box("https://host00002617.com/track/7f3a"), &mut b.canonical).is_ok());
    }),
    ("registrable", "registrable domain", |b| {
        black_box(b.lines[0].world.suffixes.registrable(black_box("host00002617.com")));
    }),
    ("judge_hit", "verdict, listed", |b| judge(b, 0)),
    ("judge_miss", "verdict, not listed", |b| judge(b, 1)),
    ("decide_plain", "policy, no link", |b| decide(b, false)),
    ("decide_label", "policy, unknown link: a label that fits", |b| decide(b, true)),
    ("label", "label written into the user data", label),
    ("lengths", "lengths and pads above it", lengths),
    ("lane_plain", "frame to verdict, no link", |b| b.lines[0].run()),
    ("lane_wide", "frame to verdict, no link, UCS2", |b| b.lines[1].run()),
    ("lane_parts", "frame to verdict, no link, parts of a text", |b| b.lines[2].run()),
    ("lane_link", "frame to verdict, listed link", |b| b.lines[3].run()),
    ("lane_observe", "frame to decision, unknown link, nothing changed", |b| b.lines[4].run()),
    ("lane_label", "frame to frame, unknown link, labelled", |b| b.lines[5].run()),
    ("memcpy_link", "memcpy of the frame with a link", |b| memcpy(b, 1)),
];

impl Bench {
    /// Makes all input. `table` gives a table of `size.hosts` entries, again each time.
    pub fn new(size: Size, table: impl Fn(&Suffixes) -> Table) -> Self {
        let Size { frames, links, hosts } = size;
        let many = |kind| frames::frames(kind, frames, hosts);
        let sample = |kind| Sample::new(frames::frames(kind, 1, hosts).remove(0));
        let urls = |listed| Ring::new((0..links).map(|number| url(frames::link(listed, number, hosts))).collect());
        let line = |preset, kind| Line::new(preset, table(&Suffixes::built_in()), many(kind));
        let mut bench = Self {
            plain: sample(Kind::Plain),
            linked: sample(Kind::Unlisted),
            wide: sample(Kind::Wide),
            lines: [
                line(Preset::Warn, Kind::Plain),
                line(Preset::Warn, Kind::Wide),
                line(Preset::Warn, Kind::Parts),
                line(Preset::Quiet, Kind::Linked),
                line(Preset::Observe, Kind::Unlisted),
                line(Preset::Warn, Kind::Unlisted),
            ],
            copies: [Ring::new(many(Kind::Plain)), Ring::new(many(Kind::Linked))],
            copy: vec![0; 2048],
            urls: [urls(true), urls(false)],
            scan: scan::Scratch::new(),
            canonical: canonical::Scratch::new(),
            keys: KeyScratch::default(),
            policy: policy::Scratch::default(),
            ud: Ud::default(),
            label: "",
            changes: Changes::default(),
            text: String::with_capacity(4096),
            out: Vec::with_capacity(4096),
            joined: [0; 512],
        };
        decide(&mut bench, true);
        let front = bench.policy.text.strip_suffix(bench.linked.text).expect("the label stands in front");
        bench.label = front.to_owned().leak();
        bench.proves();
        bench
    }

    /// The frames do what the names of the steps say.
    fn proves(&mut self) {
        for line in &mut self.lines {
            (0..8).for_each(|_| line.run());
        }
        let of = |line: &Line| (line.lane.counters().sms.seen, line.lane.counters().rewritten_frames);
        let was = self.lines.each_ref().map(of);
        assert_eq!(was, [(8, 0), (8, 0), (8, 0), (8, 0), (8, 0), (8, 8)], "messages seen, frames rewritten");
        let verdict = |listed: usize| {
            let world = &self.lines[0].world;
            let url = &self.urls[listed].items[0];
            world.table.judge(url, false, "", &world.suffixes, &mut KeyScratch::default()).verdict
        };
        assert_eq!([verdict(0), verdict(1)], [Verdict::Safe, Verdict::Unknown], "listed, not listed");
    }

    /// Octets of the frames with and without link.
    pub fn octets(&self) -> [usize; 2] {
        self.copies.each_ref().map(|ring| ring.items[0].len())
    }
}

fn url(link: String) -> Canonical<'static> {
    let url: &'static str = link.leak();
    let rest = url.strip_prefix("https://").expect("made with it");
    let (host, _) = rest.split_once('/').expect("made with a path");
    Canonical { url, scheme: "https", host, kind: HostKind::Domain, port: None, path_and_query: &rest[host.len()..] }
}

fn memcpy(b: &mut Bench, which: usize) {
    let frame = b.copies[which].turn();
    b.copy[..frame.len()].copy_from_slice(black_box(frame));
    black_box(&mut b.copy);
}

fn link_ip(b: &mut Bench) {
    let Ok(Carried::Ip(ip)) = link::parse(LinkType::Ethernet, black_box(b.plain.frame)) else { return };
    black_box(ip.sctp().is_ok());
}

fn sctp_chunks(b: &mut Bench) {
    let Ok(packet) = Packet::parse(black_box(b.plain.packet.bytes)) else { return };
    for chunk in packet.chunks() {
        black_box(chunk.is_ok_and(|chunk| chunk.data().is_some_and(|data| data.is_ok())));
    }
}

fn tcap_components(b: &mut Bench) {
    let Ok(message) = tcap::Message::parse(black_box(b.plain.tcap)) else { return };
    for component in message.components() {
        black_box(&component);
    }
    black_box(&message);
}

fn map_forward(b: &mut Bench) {
    let forward = ForwardSm::parse(black_box(&b.plain.invoke), None, &mut b.joined);
    black_box(&forward);
}

fn text(out: &mut String, sample: &Sample) {
    out.clear();
    black_box(black_box(&sample.user_data).text(out));
    black_box(out.len());
}

fn sieve(may_link: bool) {
    black_box(may_link);
}

fn judge(b: &mut Bench, which: usize) {
    let World { table, suffixes, .. } = &b.lines[0].world;
    let url = b.urls[which].turn();
    black_box(table.judge(black_box(url), false, "38000", suffixes, &mut b.keys).verdict);
}

fn decide(b: &mut Bench, linked: bool) {
    let sample = if linked { &b.linked } else { &b.plain };
    let start = sample.link;
    let host = b.urls[1].items[0].host;
    let facts = [LinkFacts {
        start,
        end: start + 36,
        host,
        registrable: host,
        verdict: Verdict::Unknown,
        reason: Reason::NoEntry,
        category: "",
        confidence: Confidence::High,
        in_this_part: true,
        crosses_parts: false,
    }];
    let message =
        Message { sender: "38000", called_gt: "33600000001", ..Message::new(sample.text, if linked { &facts } else { &[] }) };
    let mut room = Inside { user_data: &sample.user_data, text: sample.text, ud: &mut b.ud };
    // Two lines have the policy `warn`; the last one's is asked, whose frames it labels.
    black_box(b.lines[5].world.policy.decide(black_box(&message), &mut b.policy, &mut room));
}

fn label(b: &mut Bench) {
    let done = encode::prepend(&b.linked.user_data, black_box(b.label), &mut b.ud);
    black_box(done.is_ok());
}

/// The length fields of one MT-forwardSM over UDT and M3UA: ten, six of them of BER.
fn lengths(b: &mut Bench) {
    let base = b.linked.user_message;
    let (changes, out) = (&mut b.changes, &mut b.out);
    changes.clear();
    out.clear();
    let end = base.len().saturating_sub(4);
    let _ = changes.replace(end - 100..end, &[0; 112]);
    for level in 0..10 {
        let at = 20 + 8 * level;
        let width = if level < 4 { Width::Two } else { Width::Ber(2) };
        let _ = changes.field(Field { at, width, covers: at + 4..end, pad: None });
    }
    black_box(changes.settle(base).and_then(|()| changes.apply(base, out)).is_ok());
}
