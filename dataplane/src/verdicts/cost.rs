//! What a look-up costs: `cargo test --release -p ztsms-dataplane --lib look_up_cost -- --ignored --nocapture`.

use super::build::{Builder, Rule};
use super::{Key, KeyScratch, Snapshot, Table};
use crate::canonical;
use crate::suffix::Suffixes;
use crate::verdict::Verdict;
use std::time::Instant;

#[test]
#[ignore = "a measurement, for a quiet machine and a release build"]
fn look_up_cost() {
    let (suffixes, key) = (Suffixes::built_in(), Key::new(&[7; 16]));
    for count in [10_000_u64, 1_000_000] {
        let start = Instant::now();
        let mut builder = Builder::new();
        (0..count).for_each(|n| {
            builder.add(&Rule { pattern: &format!("host{n}.com"), verdict: Verdict::Dangerous, ..Rule::default() })
        });
        let built = builder.build(0, &key, &suffixes).expect("builds");
        let snapshot = Snapshot::from_bytes(&built.bytes).expect("opens");
        println!(
            "{count}: built in {:?}, {:?} octets a word and load, reach {}",
            start.elapsed(),
            snapshot.density(),
            snapshot.header().reach
        );
        let table = Table::new(snapshot, None, key.clone(), &suffixes).expect("a table");
        for (what, name) in [("hit", "host"), ("miss", "none")] {
            const LINKS: u64 = 200_000;
            let hosts: Vec<String> = (0..LINKS).map(|n| format!("{name}{}.com", n * 2_654_435_761 % count)).collect();
            let start = Instant::now();
            let found = hosts.iter().filter(|host| table.snapshot.find(table.key.hash(host)).is_some()).count();
            let find = start.elapsed().as_nanos() as f64 / LINKS as f64;
            let (mut scratch, mut keys) = (canonical::Scratch::default(), KeyScratch::default());
            let urls: Vec<String> = hosts.iter().map(|host| format!("https://{host}/a/b")).collect();
            let mut parse = 0;
            let start = Instant::now();
            let mut dangerous = 0;
            for url in &urls {
                let before = Instant::now();
                let url = canonical::parse(url, &mut scratch).expect("a URL");
                parse += before.elapsed().as_nanos();
                dangerous += u64::from(table.judge(&url, false, "", &suffixes, &mut keys).verdict == Verdict::Dangerous);
            }
            let judge = (start.elapsed().as_nanos() - parse) as f64 / LINKS as f64;
            println!(
                "  {what}: hash and find {find:.0} ns, judge {judge:.0} ns with the clock's own cost ({found} found, {dangerous} dangerous)"
            );
        }
    }
}
