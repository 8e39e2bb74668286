//! Where the instructions of a mix go, by what a frame carries: callgrind over the generator's traffic, each class through a function of
//! its own.
//!
//! `cargo run --release -p ztsms-bench --bin classes`
#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a tool for developers, which has nothing to measure without its input"
)]

use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode};

use dataplane::counters::Counters;
use dataplane::lane::{Frame, Lane, Setup};
use dataplane::policy::{Policy, Preset, Spec};
use dataplane::record::{Listener, Silent, Sms};
use dataplane::scan::Scanner;
use dataplane::suffix::Suffixes;
use dataplane::world::{Network, World};
use pcaps::generate::{Mix, generate};
use pcaps::read::Capture;
use protocols::link::LinkType;
use protocols::sms::Alphabet;
use protocols::tcap::Kind;
use ztsms_bench::tables;

const MESSAGES: u64 = 4_000;
/// Entries of the verdict table.
const HOSTS: u32 = 10_000;

/// Wants no text, and no first look either.
struct Layers;

impl Listener for Layers {
    const TEXTS: bool = false;
    const UNREAD: bool = false;
    fn sms(&mut self, _: &Sms<'_>) {}
}

type Class = fn(&mut Lane, &Frame<'_>, &World);

/// One function a class and way, so that callgrind counts each by itself. `black_box` keeps the compiler from making one of them.
macro_rules! classes {
    ($table:ident $listener:ident $($name:ident $number:literal)*) => {
        $(#[inline(never)]
        fn $name(lane: &mut Lane, frame: &Frame<'_>, world: &World) {
            black_box($number);
            lane.frame(frame, world, &mut $listener);
        })*
        const $table: [(&str, Class); 27] = [$((stringify!($name), $name)),*];
    };
}

classes! { LOOKED Silent
    look_a 0 look_b 1 look_c 2 look_d 3 look_e 4 look_f 5 look_g 6 look_h 7 look_i 8 look_j 9 look_k 10 look_l 11 look_m 12 look_n 13
    look_o 14 look_p 15 look_q 16 look_r 17 look_s 18 look_t 19 look_u 20 look_v 21 look_w 22 look_x 23 look_y 24 look_z 25 look_rest 26
}

classes! { READ Layers
    read_a 0 read_b 1 read_c 2 read_d 3 read_e 4 read_f 5 read_g 6 read_h 7 read_i 8 read_j 9 read_k 10 read_l 11 read_m 12 read_n 13
    read_o 14 read_p 15 read_q 16 read_r 17 read_s 18 read_t 19 read_u 20 read_v 21 read_w 22 read_x 23 read_y 24 read_z 25 read_rest 26
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--child", table] => child(Path::new(table)),
        [] => match measured() {
            Ok(()) => {}
            Err(error) => {
                eprintln!("classes: {error}");
                return ExitCode::FAILURE;
            }
        },
        _ => {
            eprintln!("usage: classes");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// What the frame at hand carried.
#[derive(Default)]
struct Told(Vec<String>);

impl Listener for Told {
    const TEXTS: bool = true;

    fn sms(&mut self, sms: &Sms<'_>) {
        let text = sms.part_text.unwrap_or_default();
        let mut what = match sms.tpdu.dcs.alphabet() {
            Alphabet::Gsm7 if text.is_ascii() => "septets, ASCII",
            Alphabet::Gsm7 => "septets",
            Alphabet::EightBit => "8-bit",
            Alphabet::Ucs2 => "UCS2",
        }
        .to_owned();
        if sms.concat.is_some() {
            what.push_str(", part");
        }
        if !sms.urls.is_empty() {
            what.push_str(", link, ");
            what.push_str(sms.decision.action.name());
        }
        if sms.transaction.kind != Kind::Begin {
            what.push_str(", in a Continue");
        }
        self.0.push(what);
    }
}

/// What became of a frame, by what it added to the counters, and what was told of it.
fn class(before: &Counters, after: &Counters, told: &mut Told) -> String {
    let data = (after.messages.seen - before.messages.seen).max(after.chunks.on - before.chunks.on);
    if data > 1 {
        told.0.clear();
        return "several messages".to_owned();
    }
    let mut names: Vec<String> = told.0.drain(..).collect();
    let levels = |counters: &Counters| {
        let Counters { frames, chunks, messages, transactions, components, sms, .. } = counters;
        [frames, chunks, messages, transactions, components, sms].map(|level| level.out.iter().collect::<Vec<_>>())
    };
    for (before, after) in levels(before).iter().zip(&levels(after)) {
        for way in after.iter().filter(|way| !before.contains(way)) {
            names.push(way.1.to_owned());
        }
    }
    names.join(" + ")
}

fn child(table: &Path) {
    let suffixes = Suffixes::built_in();
    let world = World {
        scanner: Scanner::default(),
        table: tables::load(table, &suffixes),
        suffixes,
        policy: Policy::compile(Spec::preset(Preset::Warn)).expect("a preset compiles"),
        network: Network::default(),
    };
    let mut out = Vec::new();
    let _summary = generate(MESSAGES, 1, &Mix::default(), &mut out).expect("memory takes it");
    let mut capture = Capture::new(Box::new(std::io::Cursor::new(out)), "generated");
    let mut frames = Vec::new();
    while let Some(frame) = capture.next().expect("a whole capture") {
        let Some(link_type) = LinkType::from_pcap(frame.link_type) else { continue };
        frames.push((frame.time_ns.unwrap_or_default(), link_type, frame.original_len as usize, frame.bytes.to_vec()));
    }
    let frame = |number: usize| {
        let (time_ns, link_type, original_len, bytes) = &frames[number];
        Frame { number: number as u64 + 1, time_ns: *time_ns, link_type: *link_type, bytes, original_len: *original_len }
    };

    let (mut lane, mut told) = (Lane::new(&Setup::default()), Told::default());
    let mut names: Vec<String> = Vec::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for number in 0..frames.len() {
        let before = lane.counters().clone();
        lane.frame(&frame(number), &world, &mut told);
        let name = class(&before, lane.counters(), &mut told);
        *counts.entry(name.clone()).or_default() += 1;
        names.push(name);
    }
    let mut order: Vec<(&String, &usize)> = counts.iter().collect();
    order.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
    let last = LOOKED.len() - 1;
    let place: HashMap<&String, usize> = order.iter().enumerate().map(|(n, (name, _))| (*name, n.min(last))).collect();
    for (n, (name, count)) in order.iter().enumerate() {
        println!("{} {count} {name}", LOOKED[n.min(last)].0.trim_start_matches("look_"));
    }
    for classes in [LOOKED, READ] {
        let mut lane = Lane::new(&Setup::default());
        for number in 0..frames.len() {
            black_box(classes[place[&names[number]]].1)(&mut lane, &frame(number), &world);
        }
    }
}

fn measured() -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let out = std::env::temp_dir().join(format!("ztsms-classes-{}.out", std::process::id()));
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--quiet", "--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .arg("--child")
        .arg(tables::cached(HOSTS));
    let run = valgrind.output().map_err(|error| format!("valgrind: {error}"))?;
    let log = String::from_utf8_lossy(&run.stderr);
    let profile = std::fs::read_to_string(&out).map_err(|error| format!("{}: {error}\n{log}", out.display()))?;
    let _ = std::fs::remove_file(&out);
    let costs = costs(&profile);
    let told = String::from_utf8_lossy(&run.stdout);
    let mut rows: HashMap<&str, (u64, Vec<&str>)> = HashMap::new();
    for (class, rest) in told.lines().filter_map(|line| line.split_once(' ')) {
        let Some((count, name)) = rest.split_once(' ') else { continue };
        let row = rows.entry(class).or_default();
        row.0 += count.parse::<u64>().unwrap_or_default();
        row.1.push(name);
    }
    let cost = |way: &str, class: &str| costs.get(&*format!("{way}_{class}")).copied().unwrap_or_default();
    let sum = |way: &str| rows.keys().map(|class| cost(way, class)).sum::<u64>() as f64;
    let (looked, read) = (sum("look"), sum("read"));
    let frames = rows.values().map(|(count, _)| count).sum::<u64>() as f64;
    println!("{frames} frames, {:.0} instructions a frame; layer by layer {:.0}", looked / frames, read / frames);
    println!("frames, share of them, instructions each, share of all, each layer by layer");
    let mut order: Vec<&str> = rows.keys().copied().collect();
    order.sort_by_key(|class| std::cmp::Reverse(cost("look", class)));
    for class in order {
        let (count, names) = &rows[class];
        let (count, cost, read) = (*count as f64, cost("look", class) as f64, cost("read", class) as f64);
        let name = if names.len() > 1 { format!("{} others, like {}", names.len(), names[0]) } else { names.concat() };
        println!(
            "{count:>6} {:>5.1} % {:>7.0} {:>5.1} % {:>7.0}  {name}",
            count / frames * 100.0,
            cost / count,
            cost / looked * 100.0,
            read / count
        );
    }
    Ok(())
}

/// The instructions of each class, calls included: callgrind writes what a call cost on the line behind `calls=`.
fn costs(profile: &str) -> HashMap<&str, u64> {
    let mut costs = HashMap::new();
    let (mut called, mut next) = ("", false);
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("cfn=") {
            called = name.rsplit("::").next().unwrap_or(name);
        } else if line.starts_with("calls=") {
            next = true;
        } else if std::mem::take(&mut next) && (called.starts_with("look_") || called.starts_with("read_")) {
            let cost = line.rsplit(' ').next().and_then(|cost| cost.parse::<u64>().ok()).unwrap_or_default();
            *costs.entry(called).or_default() += cost;
        }
    }
    costs
}
