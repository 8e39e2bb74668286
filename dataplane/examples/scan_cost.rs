//! What the sieve and the scan cost a message, over files of `{"text":…}` lines:
//! `cargo run --release -p ztsms-dataplane --example scan_cost -- FILE.jsonl…`
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a tool for developers

use std::hint::black_box;
use std::time::Instant;

use dataplane::canonical;
use dataplane::scan::{Scanner, Scratch};

/// Best of eleven rounds, in ns an item.
fn cost<T>(items: &[T], mut work: impl FnMut(&T)) -> f64 {
    let rounds = (0..11).map(|_| {
        let start = Instant::now();
        items.iter().for_each(&mut work);
        start.elapsed().as_secs_f64() * 1e9 / items.len().max(1) as f64
    });
    rounds.fold(f64::INFINITY, f64::min)
}

fn main() {
    let scanner = Scanner::default();
    let mut scratch = Scratch::new();
    for file in std::env::args().skip(1) {
        let lines = std::fs::read_to_string(&file).unwrap();
        let texts = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let texts: Vec<String> = texts.map(|value| value["text"].as_str().unwrap().to_owned()).collect();
        let mut urls = Vec::new();
        let (with, without): (Vec<String>, Vec<String>) = texts.into_iter().partition(|text| {
            let before = urls.len();
            scanner.find(text, &mut scratch, |link| urls.push(link.url.url.to_owned()));
            urls.len() > before
        });
        for (name, texts) in [("without", &without), ("with", &with)] {
            let octets: usize = texts.iter().map(String::len).sum();
            let passed = texts.iter().filter(|text| scanner.may_link(text.as_bytes())).count();
            let wide: Vec<Vec<u8>> = texts.iter().map(|text| text.encode_utf16().flat_map(u16::to_be_bytes).collect()).collect();
            let sieve = cost(texts, |text| {
                black_box(scanner.may_link(text.as_bytes()));
            });
            let septets = cost(texts, |text| {
                black_box(scanner.may_link_septets(text.as_bytes()));
            });
            let ucs2 = cost(&wide, |text| {
                black_box(scanner.may_link_ucs2(text));
            });
            let find = cost(texts, |text| {
                scanner.find_with_care(text, &mut scratch, |link| {
                    black_box(link.url.url.len());
                })
            });
            let both = cost(texts, |text| {
                scanner.find(text, &mut scratch, |link| {
                    black_box(link.url.url.len());
                });
            });
            let hasty = texts.iter().filter(|text| scanner.is_simple(text)).count();
            println!(
                "{file} {name}: {} messages of {} octets, {passed} pass; ns: sieve {sieve:.1}, septets {septets:.1}, ucs2 {ucs2:.1}, automaton and recognition {find:.1}, all together {both:.1} ({hasty} without the automaton)",
                texts.len(),
                octets / texts.len().max(1)
            );
        }
        let mut canonical = canonical::Scratch::new();
        let parse = cost(&urls, |url| {
            black_box(canonical::parse(url, &mut canonical).is_ok());
        });
        println!("{file}: canonical form of {} links: {parse:.1} ns", urls.len());
    }
}
