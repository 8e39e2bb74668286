//! What a verdict costs with so many entries: `cargo run --release -p ztsms-dataplane --example table_cost -- 10000 1000000 10000000`.
//! With `ROUNDS=n` in front it runs n rounds and nothing else, for `valgrind --tool=callgrind`: the difference of two counts, divided.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a tool for developers

use dataplane::canonical::{Canonical, HostKind};
use dataplane::scan::{Scanner, Scratch};
use dataplane::suffix::Suffixes;
use dataplane::verdicts::{Key, KeyScratch, Table, synthetic};
use std::hint::black_box;
use std::time::Instant;

/// Links of one kind: more than the last cache holds lines of.
const LINKS: u64 = 1 << 18;
/// What stands round the link of a message.
const BEFORE: &str = "Your parcel could not be delivered. Please confirm your address within 24 hours:";
const BEHIND: &str = "Thank you, your post office";
/// Look-ups under way at once.
const BATCH: usize = 8;

/// Best of five rounds, in ns a link.
fn cost(links: usize, mut round: impl FnMut()) -> f64 {
    let rounds = (0..5).map(|_| {
        let start = Instant::now();
        round();
        start.elapsed().as_secs_f64() * 1e9 / links as f64
    });
    rounds.fold(f64::INFINITY, f64::min)
}

fn canonical(url: &str) -> Canonical<'_> {
    let host = &url[8..url.len() - 4];
    Canonical { url, scheme: "https", host, kind: HostKind::Domain, port: None, path_and_query: &url[url.len() - 4..] }
}

fn main() {
    let (suffixes, key) = (Suffixes::built_in(), Key::new(&[7; 16]));
    let (scanner, mut scan) = (Scanner::default(), Scratch::new());
    let rounds: Option<u64> = std::env::var("ROUNDS").ok().map(|n| n.parse().unwrap());
    for count in std::env::args().skip(1).map(|count| count.parse::<u64>().unwrap()) {
        let start = Instant::now();
        let table: Table = synthetic::table(count, key.clone(), &suffixes).unwrap();
        println!("{count} entries: filled in {:.1?}, {:?} octets in huge pages", start.elapsed(), table.snapshot().huge_octets());
        for (what, from) in [("hit", 0), ("miss", count)] {
            let mut name = String::new();
            let links = if rounds.is_some() { 1000 } else { LINKS };
            let urls: Vec<String> = (0..links)
                .map(|n| {
                    synthetic::host(from + n * 2_654_435_761 % count, &mut name);
                    format!("https://{name}/a/b")
                })
                .collect();
            let urls: Vec<Canonical<'_>> = urls.iter().map(|url| canonical(url)).collect();
            let mut keys = KeyScratch::default();
            if let Some(rounds) = rounds {
                (0..rounds).for_each(|_| {
                    urls.iter().for_each(|url| {
                        black_box(table.judge(url, false, "", &suffixes, &mut keys));
                    })
                });
                continue;
            }
            let split = cost(urls.len(), || urls.iter().for_each(|url| _ = black_box(suffixes.split(url.host))));
            let hash = cost(urls.len(), || urls.iter().for_each(|url| _ = black_box(key.hash(url.host))));
            let find = cost(urls.len(), || urls.iter().for_each(|url| _ = black_box(table.snapshot().find(key.hash(url.host)))));
            let one = cost(urls.len(), || {
                urls.iter().for_each(|url| _ = black_box(table.judge(url, false, "", &suffixes, &mut keys)));
            });
            let batched = cost(urls.len(), || {
                for batch in urls.as_chunks::<BATCH>().0 {
                    let pending = batch.each_ref().map(|url| table.begin(url, &suffixes));
                    for (url, pending) in batch.iter().zip(pending) {
                        black_box(table.finish(pending, url, false, "", &mut keys));
                    }
                }
            });
            println!(
                "  {what}: judge {one:.0} ns, {batched:.0} in batches of {BATCH}; of it split {split:.0}, hash {hash:.0}, hash and find {find:.0}"
            );
            let texts: Vec<String> = urls.iter().map(|url| format!("{BEFORE} {} {BEHIND}", url.url)).collect();
            let whole = cost(urls.len(), || {
                for (texts, batch) in texts.as_chunks::<BATCH>().0.iter().zip(urls.as_chunks::<BATCH>().0) {
                    let pending = texts.each_ref().map(|text| {
                        let mut pending = None;
                        scanner.find(text, &mut scan, |link| pending = Some(table.begin(&link.url, &suffixes)));
                        pending.unwrap()
                    });
                    for (url, pending) in batch.iter().zip(pending) {
                        black_box(table.finish(pending, url, false, "", &mut keys));
                    }
                }
            });
            println!("  {what}: text to verdict, in batches of {BATCH} messages with a link: {whole:.0} ns a message");
        }
    }
}
