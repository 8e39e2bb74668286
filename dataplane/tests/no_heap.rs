//! From its first frame on a lane asks for no memory, whatever listens and whatever comes.
#![allow(unsafe_code)] // a counting allocator
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;

use dataplane::lane::{Frame, Lane, Setup};
use dataplane::live::{self, Stage, Worlds};
use dataplane::policy::Preset;
use dataplane::record::{Listener, Silent, Sms};
use dataplane::verdict::Verdict;
use dataplane::world::World;
use pcaps::generate::{Mix, generate};
use pcaps::read::Capture;
use protocols::link::LinkType;
use protocols::sccp::{self, Address};
use protocols::sms::Timestamp;
use protocols::sms::encode::{self, Number, Reference};
use protocols::{map, tcap};

struct Counting;

thread_local!(static COUNT: Cell<usize> = const { Cell::new(0) });

fn one_more() {
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        one_more();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        one_more();
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Wants every text and keeps none.
struct Reads(usize);

impl Listener for Reads {
    const TEXTS: bool = true;
    fn sms(&mut self, sms: &Sms<'_>) {
        self.0 += sms.text.map_or(0, str::len) + sms.rewritten.map_or(0, str::len) + sms.urls.len();
    }
}

fn world(preset: Preset) -> World {
    let rules = [
        ("bank.example", Verdict::Safe),
        ("parcel.example", Verdict::Dangerous),
        ("@bit.ly", Verdict::None),
        ("dangerous.example", Verdict::Dangerous),
        ("com", Verdict::Safe),
    ];
    common::world(preset, &rules)
}

/// What went through: frames, short messages, changed frames.
#[derive(Default)]
struct Through {
    frames: u64,
    sms: u64,
    rewritten: u64,
}

/// Gives all that was counted, in order.
fn replay<L: Listener>(name: &str, mut capture: Capture, world: &World, mut listener: L, through: &mut Through) -> String {
    let mut lane = Lane::new(&Setup::default());
    while let Ok(Some(frame)) = capture.next() {
        let Some(link_type) = LinkType::from_pcap(frame.link_type) else { continue };
        let frame = Frame {
            number: frame.number,
            time_ns: frame.time_ns.unwrap_or(0),
            link_type,
            bytes: frame.bytes,
            original_len: frame.original_len as usize,
        };
        let before = COUNT.get();
        lane.frame(&frame, world, &mut listener);
        let octets: usize = lane.changed().map(<[u8]>::len).sum();
        assert_eq!(COUNT.get() - before, 0, "{name}, frame {}, TEXTS {}, {octets} octets changed", frame.number, L::TEXTS);
    }
    let before = COUNT.get();
    lane.finish();
    assert_eq!(COUNT.get() - before, 0, "{name}, at its end");
    let counters = lane.counters();
    assert!(counters.agree(), "{name}: {counters:#?}");
    through.frames += counters.frames.seen;
    through.sms += counters.sms.seen;
    through.rewritten += counters.rewritten_frames;
    common::counted(counters)
}

/// Hands its notes to a control side that never takes one: full rings ask for no memory either.
fn live(name: &str, mut capture: Capture, world: World, through: &mut Through) {
    let worlds = Worlds::new(world, Stage::all());
    let (mut side, _control) = worlds.channel(&live::Setup { notes: 512, ..live::Setup::default() });
    let mut lane = Lane::new(&Setup::default());
    // The first look of a thread takes its place among the readers.
    drop(side.world());
    while let Ok(Some(frame)) = capture.next() {
        let Some(link_type) = LinkType::from_pcap(frame.link_type) else { continue };
        let frame = Frame {
            number: frame.number,
            time_ns: frame.time_ns.unwrap_or(0),
            link_type,
            bytes: frame.bytes,
            original_len: frame.original_len as usize,
        };
        let before = COUNT.get();
        let world = side.world();
        side.frame(&mut lane, &frame, &world);
        side.took(1, 1);
        side.publish(&mut lane, frame.time_ns, |_| {});
        drop(world);
        assert_eq!(COUNT.get() - before, 0, "{name}, frame {}, live", frame.number);
    }
    through.rewritten += lane.counters().rewritten_frames;
}

/// Under every preset, once with each listener.
fn every_way(name: &str, open: impl Fn() -> Capture) -> Through {
    let mut through = Through::default();
    for preset in [Preset::Warn, Preset::Strict, Preset::Learn] {
        let world = world(preset);
        let quietly = replay(name, open(), &world, Silent, &mut through);
        let aloud = replay(name, open(), &world, Reads(0), &mut through);
        // Where no text is wanted most messages take a shorter way.
        assert_eq!(quietly, aloud, "{name}: what is counted depends on who listens");
        live(name, open(), world, &mut through);
    }
    through
}

fn folder(path: &Path) -> Through {
    let mut all = Through::default();
    let Ok(entries) = std::fs::read_dir(path) else {
        println!("skipped: {} is not here", path.display());
        return all;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        let is_capture = path.extension().is_some_and(|kind| kind == "pcap" || kind == "pcapng" || kind == "cap");
        if is_capture {
            let one = every_way(&path.display().to_string(), || Capture::open(&path).unwrap());
            all.frames += one.frames;
            all.sms += one.sms;
            all.rewritten += one.rewritten;
        }
    }
    all
}

#[test]
fn captures_that_ship_ask_for_no_memory_from_the_first_frame_on() {
    let all = folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps/samples"));
    assert!(all.sms > 600 && all.rewritten > 100, "{} messages, {} changed", all.sms, all.rewritten);
}

#[test]
fn captures_of_other_hands_ask_for_no_memory_from_the_first_frame_on() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/ss7/pcaps");
    let all = folder(&path);
    assert!(all.frames == 0 || all.sms > 600, "{} messages in {} frames", all.sms, all.frames);
}

#[test]
fn traffic_full_of_links_asks_for_no_memory_from_the_first_frame_on() {
    let mix = Mix {
        links: 0.9,
        concatenated: 0.4,
        shuffled: 0.5,
        segmented: 0.4,
        emoji: 0.2,
        bundles: 0.4,
        garbage: 0.1,
        ..Mix::default()
    };
    let mut file = Vec::new();
    generate(3_000, 11, &mix, &mut file).unwrap();
    let all = every_way("generated", || Capture::new(Box::new(std::io::Cursor::new(file.clone())), "generated"));
    assert!(all.rewritten > 3_000, "{} changed", all.rewritten);
}

/// A UDT with one mt-forwardSM.
fn mt_message(tpdu: &[u8], otid: u8) -> Vec<u8> {
    let (mut imsi, mut argument, mut invoke, mut begin) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut called, mut calling, mut unit) = (Vec::new(), Vec::new(), Vec::new());
    map::push_tbcd(&mut imsi, "262010000000001");
    let centre = map::AddressString(&[0x91, 0x94, 0x51, 0x02]);
    map::push_mt_forward_sm(
        &mut argument,
        map::Destination::Imsi(map::Tbcd(&imsi)),
        map::Origination::ServiceCentre(centre),
        tpdu,
        false,
    );
    tcap::push_invoke(&mut invoke, 1, None, tcap::Opcode::Local(44), &argument);
    tcap::push_begin(&mut begin, &[0, 0, 0, otid], &[], &invoke);
    Address::push_e164(&mut called, "4915300000000", 8);
    Address::push_e164(&mut calling, "4915200000000", 8);
    sccp::push_udt(&mut unit, 1, true, &called, &calling, &begin).unwrap();
    unit
}

#[test]
fn text_of_many_parts_full_of_links_asks_for_no_memory() {
    let text: String = (0..3_000).map(|n| format!("a{n}.com ")).collect();
    let parts = encode::message(&text, Reference::Byte(9));
    assert!(parts.len() > 150, "{} parts", parts.len());
    let number = Number { text: "4915200000001", ton: 1, npi: 1 };
    let scts = Timestamp::parse(&[0x62, 0x11, 0x42, 0, 0, 0, 0]).unwrap();
    let world = world(Preset::Warn);
    let mut lane = Lane::new(&Setup::default());
    let mut listener = Reads(0);
    for (number_of, part) in (1..).zip(&parts) {
        let tpdu = encode::deliver(number, 0, &scts, part);
        let bytes = mt_message(&tpdu, number_of);
        let frame =
            Frame { number: number_of.into(), time_ns: 0, link_type: LinkType::Sccp, bytes: &bytes, original_len: bytes.len() };
        let before = COUNT.get();
        lane.frame(&frame, &world, &mut listener);
        assert_eq!(COUNT.get() - before, 0, "part {number_of} of {}", parts.len());
    }
    assert_eq!(lane.counters().sms.seen, parts.len() as u64);
    assert!(listener.0 > text.len());
}
