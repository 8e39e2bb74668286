//! What the policy costs a message, over files of `{"text":…}` lines; `once` in place of a file name goes over each message once, for
//! instruction counts: `cargo run --release -p ztsms-dataplane --example policy_cost -- [once] FILE.jsonl…`
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a tool for developers

use std::hint::black_box;
use std::time::Instant;

use dataplane::policy::{LinkFacts, Message, Policy, Scratch, Unbounded};
use dataplane::scan::{Scanner, Scratch as ScanScratch};
use dataplane::verdict::{Confidence, Reason, Verdict};

/// Best of `rounds`, in ns an item.
fn cost<T>(rounds: usize, items: &[T], mut work: impl FnMut(&T)) -> f64 {
    let rounds = (0..rounds).map(|_| {
        let start = Instant::now();
        items.iter().for_each(&mut work);
        start.elapsed().as_secs_f64() * 1e9 / items.len().max(1) as f64
    });
    rounds.fold(f64::INFINITY, f64::min)
}

#[inline(never)]
fn decide_without_link(policy: &Policy, message: &Message<'_>, scratch: &mut Scratch) {
    black_box(policy.decide(message, scratch, &mut Unbounded));
}

#[inline(never)]
fn decide_with_link(policy: &Policy, message: &Message<'_>, scratch: &mut Scratch) {
    black_box(policy.decide(message, scratch, &mut Unbounded));
}

fn main() {
    let (scanner, policy) = (Scanner::default(), Policy::default());
    let (mut scan, mut scratch) = (ScanScratch::new(), Scratch::default());
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let once = files.iter().any(|file| file == "once");
    files.retain(|file| file != "once");
    let rounds = if once { 1 } else { 21 };
    for file in files {
        let lines = std::fs::read_to_string(&file).unwrap();
        let texts = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let (mut with, mut ascii, mut wide) = (Vec::new(), Vec::new(), Vec::new());
        for text in texts.map(|value| value["text"].as_str().unwrap().to_owned()) {
            let mut found = None;
            scanner.find(&text, &mut scan, |link| {
                found = found.or((link.confidence == Confidence::High).then_some((link.start, link.end)));
            });
            match found {
                Some(place) => with.push((text, place)),
                None if text.is_ascii() => ascii.push(text),
                None => wide.push(text),
            }
        }
        for (name, texts) in [("ASCII without", &ascii), ("wide without", &wide)] {
            let ns = cost(rounds, texts, |text| decide_without_link(&policy, &Message::new(text, &[]), &mut scratch));
            println!("{file} {name}: {} messages, {ns:.1} ns", texts.len());
        }
        let with: Vec<(&str, [LinkFacts<'_>; 1])> =
            with.iter().map(|(text, (start, end))| (text.as_str(), [facts(*start, *end)])).collect();
        let ns = cost(rounds, &with, |(text, links)| decide_with_link(&policy, &Message::new(text, links), &mut scratch));
        println!("{file} with: {} messages, {ns:.1} ns", with.len());
    }
}

fn facts(start: usize, end: usize) -> LinkFacts<'static> {
    LinkFacts {
        start,
        end,
        host: "www.example.net",
        registrable: "example.net",
        verdict: Verdict::Unknown,
        reason: Reason::NoEntry,
        category: "",
        confidence: Confidence::High,
        in_this_part: true,
        crosses_parts: false,
    }
}
