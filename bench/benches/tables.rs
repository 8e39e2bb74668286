//! A whole message by the size of the table: `cargo bench -p ztsms-bench --bench tables [-- 10000 1000000 10000000 100000000]`.
//!
//! Frame to verdict, one lane, each message with a link to another host than the ones before it: first hosts of the table, then others.
#![allow(clippy::expect_used, clippy::print_stdout, reason = "a tool for developers")]

use std::hint::black_box;
use std::time::Instant;

use dataplane::lane::{Frame, Lane, Setup};
use dataplane::policy::{Policy, Preset, Spec};
use dataplane::record::Silent;
use dataplane::scan::Scanner;
use dataplane::suffix::Suffixes;
use dataplane::verdicts::{Key, synthetic};
use dataplane::world::{Network, World};
use protocols::link::LinkType;
use ztsms_bench::frames::frame_with;

/// Messages of one kind: their keys lie on more lines than the last cache holds.
const MESSAGES: u32 = 1 << 18;
const ROUNDS: usize = 5;

fn main() {
    let asked: Vec<u64> = std::env::args().filter_map(|count| count.parse().ok()).collect();
    let mut first = [None; 2];
    for count in if asked.is_empty() { vec![10_000, 1_000_000] } else { asked } {
        let suffixes = Suffixes::built_in();
        let table = synthetic::table(count, Key::new(&[7; 16]), &suffixes).expect("a table");
        let policy = Policy::compile(Spec::preset(Preset::Quiet)).expect("a preset compiles");
        let world = World { scanner: Scanner::default(), suffixes, table, policy, network: Network::default() };
        for ((what, from), first) in [("hit", 0), ("miss", count)].into_iter().zip(&mut first) {
            let mut name = String::new();
            let frames: Vec<Vec<u8>> = (0..MESSAGES)
                .map(|n| {
                    synthetic::host(from + u64::from(n) * 2_654_435_761 % count, &mut name);
                    frame_with(&format!("Your parcel waits. Please confirm your address: https://{name}/a/b Your post office"), n)
                })
                .collect();
            let cost = (0..ROUNDS).map(|_| round(&frames, &world)).fold(f64::INFINITY, f64::min);
            let first = *first.get_or_insert(cost);
            println!("{count} entries, {what}: {cost:.0} ns a message, {:.2} of the first", cost / first);
        }
    }
}

/// All frames through a new lane, ns a frame.
fn round(frames: &[Vec<u8>], world: &World) -> f64 {
    let mut lane = Lane::new(&Setup::default());
    let start = Instant::now();
    for (number, bytes) in (1..).zip(frames) {
        let frame = Frame { number, time_ns: number, link_type: LinkType::Ethernet, bytes, original_len: bytes.len() };
        lane.frame(&frame, world, &mut Silent);
        black_box(lane.changed().next());
    }
    let took = start.elapsed();
    assert_eq!(lane.counters().urls.iter().sum::<u64>(), frames.len() as u64, "every message has its link");
    took.as_secs_f64() * 1e9 / frames.len() as f64
}
