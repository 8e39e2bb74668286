//! A list of ten million entries imported, built and in force, and then one decision, as a filter sees it. What `docs/performance.md` says of
//! the desk is measured by this: `cargo run --release -p ztsms-console --example ten_million [ENTRIES]`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a measurement may end early")]

use std::io::{BufWriter, Write as _};
use std::time::{Duration, Instant};

use console::audit::Actor;
use console::command::{Command, Decide, Source};
use console::decide::Draft;
use console::desk::Desk;
use console::sources::{Lends, Settings};
use control::build::signed::Verifier;
use control::live::follow::{Follow, News, Terms};
use control::verdicts_cmd::lookup;
use dataplane::suffix::Suffixes;

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().replace("VmHWM:", "").trim().to_owned()
}

/// Looks every 10 ms, as a filter does by default, until a link has this verdict.
fn until(follow: &mut Follow, link: &str, verdict: &str) {
    let suffixes = Suffixes::built_in();
    let mut is = false;
    while !is {
        follow.look(|news| match news {
            News::Table(table, _) => is = lookup(&table, link, "", &suffixes).verdict == verdict,
            News::Refused(_, why) => eprintln!("refused: {why}"),
            _ => {}
        });
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn main() {
    let count: u64 = std::env::args().nth(1).map_or(10_000_000, |n| n.parse().expect("a number of entries"));
    let dir = std::env::temp_dir().join(format!("ztsms-ten-million-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let list = dir.join("list.txt");
    let mut out = BufWriter::new(std::fs::File::create(&list).unwrap());
    let mut seed = 4711u64;
    for n in 0..count {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (name, tld) = (seed >> 24, ["com", "net", "top", "shop", "co.uk", "de", "xyz", "site"][(seed >> 61) as usize]);
        match n % 10 {
            0 => writeln!(out, "http://pay{name:x}.{tld}/p/{:x}", seed >> 40).unwrap(),
            1..=3 => writeln!(out, "www.login{name:x}.{tld}").unwrap(),
            _ => writeln!(out, "post{name:x}.{tld}").unwrap(),
        }
    }
    writeln!(out, "last.list.example").unwrap();
    out.into_inner().unwrap().sync_all().unwrap();
    let desk = Desk::open(&dir.join("data")).unwrap();
    let actor = Actor { name: "measurement".to_owned(), via: "example".to_owned() };
    let settings = Settings {
        name: "list".to_owned(),
        place: list.display().to_string(),
        lends: Lends::Dangerous,
        category: "phishing".to_owned(),
        priority: 0,
        every: 0,
        ttl: None,
        least_share: 0.5,
        most_growth: 10.0,
        most_octets: 4 << 30,
        licence: String::new(),
    };
    desk.obey(&actor, Command::Source(Source::Set(settings))).unwrap();
    let verdicts = desk.publisher().dir().to_owned();
    let begun = Instant::now();
    let imported = desk.obey(&actor, Command::Source(Source::Import { name: "list".to_owned(), force: false })).unwrap();
    println!(
        "{} entries imported, built and published: {:.1} s, {} of memory",
        imported["entries"],
        begun.elapsed().as_secs_f64(),
        memory()
    );
    // The filter is another process; here its table comes on top.
    let terms = Terms { verifier: Some(Verifier::from_file(&verdicts.join("verdicts.pub")).unwrap()), ..Terms::default() };
    let mut follow = Follow::new(&verdicts, Suffixes::built_in(), terms);
    let reading = Instant::now();
    until(&mut follow, "last.list.example", "dangerous");
    println!("read, its signature checked and in force in a filter: {:.1} s more", reading.elapsed().as_secs_f64());
    let mut times: Vec<Duration> = (0..20)
        .map(|n| {
            let pattern = format!("evil{n}.example");
            let decided = Instant::now();
            let draft = Draft {
                pattern: pattern.clone(),
                verdict: "dangerous".to_owned(),
                reason: "measured".to_owned(),
                ..Draft::default()
            };
            desk.obey(&actor, Command::Decide(Decide::Set(draft))).unwrap();
            until(&mut follow, &pattern, "dangerous");
            decided.elapsed()
        })
        .collect();
    times.sort();
    println!("a decision to a filter's table: median {:?}, longest {:?}", times[10], times[19]);
    drop(desk);
    std::fs::remove_dir_all(&dir).unwrap();
}
