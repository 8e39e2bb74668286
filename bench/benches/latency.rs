//! Latency of a lane, frame by frame, over the generator's mix or a capture of yours:
//! `cargo bench -p ztsms-bench --bench latency [-- FILE]`.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a tool for developers")]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use dataplane::lane::{Frame, Lane, Setup};
use dataplane::policy::{Policy, Preset, Spec};
use dataplane::record::Silent;
use dataplane::scan::Scanner;
use dataplane::suffix::Suffixes;
use dataplane::world::{Network, World};
use hdrhistogram::Histogram;
use pcaps::generate::{Mix, generate};
use pcaps::read::Capture;
use protocols::link::LinkType;
use ztsms_bench::tables;

const MESSAGES: u64 = 100_000;
const ROUNDS: usize = 5;

fn main() {
    let file = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let capture = file.map_or_else(generated, |file| Capture::open(Path::new(&file)).expect("a capture"));
    let frames = frames(capture);
    let octets: usize = frames.iter().map(|(.., bytes)| bytes.len()).sum();
    let world = world();
    println!(
        "{} frames, {} octets on average, table of 1 M entries, best of {ROUNDS} rounds",
        frames.len(),
        octets / frames.len().max(1)
    );

    let whole = (0..ROUNDS).map(|_| through(&frames, &world, |_| ())).min_by_key(|(took, _)| *took);
    let (took, messages) = whole.expect("rounds");
    let each = |count: u64| took.as_secs_f64() * 1e9 / count.max(1) as f64;
    println!(
        "{took:.3?} in all: {:.0} ns a frame, {:.0} ns a short message ({messages})",
        each(frames.len() as u64),
        each(messages)
    );
    let copied = (0..ROUNDS).map(|_| copy(&frames)).min().expect("rounds");
    println!("{copied:.3?} to copy the same frames: the lane takes {:.1} times that", took.as_secs_f64() / copied.as_secs_f64());

    let mut histogram = Histogram::<u64>::new_with_bounds(1, 1_000_000_000, 3).expect("three figures");
    let _ = through(&frames, &world, |took| histogram.saturating_record(nanoseconds(took)));
    let mut clock = Histogram::<u64>::new_with_bounds(1, 1_000_000_000, 3).expect("three figures");
    (0..1_000_000).for_each(|_| clock.saturating_record(nanoseconds(Instant::now().elapsed())));
    for (what, histogram) in [("frame", &histogram), ("clock alone", &clock)] {
        let at = |quantile| histogram.value_at_quantile(quantile);
        println!("{what}: p50 {} p90 {} p99 {} p99.9 {} max {} ns", at(0.5), at(0.9), at(0.99), at(0.999), histogram.max());
    }
}

fn generated() -> Capture {
    let mut out = Vec::new();
    let _summary = generate(MESSAGES, 1, &Mix::default(), &mut out).expect("memory takes it");
    Capture::new(Box::new(std::io::Cursor::new(out)), "generated")
}

type Kept = (u64, LinkType, usize, Vec<u8>);

fn frames(mut capture: Capture) -> Vec<Kept> {
    let mut frames = Vec::new();
    while let Some(frame) = capture.next().expect("a whole capture") {
        let Some(link_type) = LinkType::from_pcap(frame.link_type) else { continue };
        frames.push((frame.time_ns.unwrap_or_default(), link_type, frame.original_len as usize, frame.bytes.to_vec()));
    }
    frames
}

fn world() -> World {
    let suffixes = Suffixes::built_in();
    World {
        scanner: Scanner::default(),
        table: tables::load(&tables::cached(1_000_000), &suffixes),
        suffixes,
        policy: Policy::compile(Spec::preset(Preset::Warn)).expect("a preset compiles"),
        network: Network::default(),
    }
}

/// All frames through a new lane: the time it took, and the short messages seen.
fn through(frames: &[Kept], world: &World, mut each: impl FnMut(Duration)) -> (Duration, u64) {
    let mut lane = Lane::new(&Setup::default());
    let start = Instant::now();
    let mut last = start;
    for (number, (time_ns, link_type, original_len, bytes)) in (1..).zip(frames) {
        let frame = Frame { number, time_ns: *time_ns, link_type: *link_type, bytes, original_len: *original_len };
        lane.frame(&frame, world, &mut Silent);
        black_box(lane.changed().next());
        if size_of_val(&each) > 0 {
            let now = Instant::now();
            each(now - last);
            last = Instant::now();
        }
    }
    (start.elapsed(), lane.counters().sms.seen)
}

fn copy(frames: &[Kept]) -> Duration {
    let mut copy = vec![0; 1 << 16];
    let start = Instant::now();
    for (.., bytes) in frames {
        if let Some(copy) = copy.get_mut(..bytes.len()) {
            copy.copy_from_slice(bytes);
        }
        black_box(&mut copy);
    }
    start.elapsed()
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
