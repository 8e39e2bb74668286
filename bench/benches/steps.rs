//! Nanoseconds a step, beside what others have for it: `cargo bench -p ztsms-bench --bench steps [NAME]`.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "criterion makes items; a bench that cannot make its input has nothing to measure"
)]

use std::hint::black_box;
use std::time::Duration;

use aho_corasick::AhoCorasick;
use asn1_rs::{Any, BerParser, Input};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use dataplane::canonical;
use dataplane::scan::{Scanner, Scratch};
use dataplane::suffix::Suffixes;
use protocols::link::{self, LinkType};
use protocols::{ber, m3ua, sccp, sctp};
use ztsms_bench::frames::{self, Kind};
use ztsms_bench::steps::{Bench, STEPS, Size};
use ztsms_bench::tables;

/// Some 5 MB of frames a kind: not what the first caches hold, as on a link.
const SIZE: Size = Size { frames: 16_384, links: 65_536, hosts: 1_000_000 };

/// The steps of the way, and the way as a whole.
fn steps(c: &mut Criterion) {
    let table = tables::cached(SIZE.hosts);
    let mut bench = Bench::new(SIZE, |suffixes| tables::load(&table, suffixes));
    let [plain, linked] = bench.octets();
    println!("frames of {plain} octets without a link, {linked} with one");
    let mut group = c.benchmark_group("step");
    for (name, what, step) in STEPS {
        group.bench_function(format!("{name} ({what})"), |b| b.iter(|| black_box(step)(black_box(&mut bench))));
    }
    group.finish();
}

/// A look-up by table size, listed and not: one at a time, and eight whose lines are asked for first.
fn table(c: &mut Criterion) {
    let suffixes = Suffixes::built_in();
    let mut group = c.benchmark_group("table");
    for hosts in [10_000_u32, 1_000_000, 10_000_000] {
        let table = tables::load(&tables::cached(hosts), &suffixes);
        let key = tables::key();
        for (what, listed) in [("hit", true), ("miss", false)] {
            let names: Vec<String> = (0..131_072_u32)
                .map(|number| frames::link(listed, number, hosts).split('/').nth(2).expect("a host").to_owned())
                .collect();
            let mut at = 0;
            let mut next = || {
                at = (at + 1) % names.len();
                names.get(at).map_or("", String::as_str)
            };
            group.throughput(Throughput::Elements(1));
            group.bench_function(format!("{hosts} {what}"), |b| {
                b.iter(|| table.snapshot().find(key.hash(black_box(next()))));
            });
            group.throughput(Throughput::Elements(8));
            group.bench_function(format!("{hosts} {what}, eight at once"), |b| {
                b.iter(|| {
                    let places = [(); 8].map(|()| {
                        let place = key.hash(black_box(next()));
                        table.snapshot().prefetch(place);
                        place
                    });
                    places.map(|place| table.snapshot().find(place).is_some())
                });
            });
        }
    }
    group.finish();
}

/// What public crates take for the same input.
fn beside(c: &mut Criterion) {
    let frame = frames::frames(Kind::Plain, 1, 1).remove(0);
    let link = "https://host00002617.com/track/7f3a";
    let texts = [("no link", Kind::Plain.text(0, 1)), ("a link", Kind::Unlisted.text(0, 1))];

    let mut group = c.benchmark_group("beside: link and IP");
    group.bench_function("ours", |b| b.iter(|| link::parse(LinkType::Ethernet, black_box(&frame)).is_ok()));
    group.bench_function("etherparse SlicedPacket", |b| {
        b.iter(|| etherparse::SlicedPacket::from_ethernet(black_box(&frame)).is_ok());
    });
    group.finish();

    let Ok(link::Carried::Ip(ip)) = link::parse(LinkType::Ethernet, &frame) else { return };
    let (_, packet) = ip.sctp().expect("SCTP");
    let chunk = sctp::Packet::parse(packet).expect("a packet").chunks().next().expect("a chunk").expect("whole");
    let payload = chunk.data().expect("DATA").expect("whole").payload;
    let user_part = m3ua::Data::parse(payload).expect("M3UA").user_data;
    let tcap = sccp::Unitdata::parse(user_part, sccp::Variant::Itu).expect("UDT").data;
    let mut group = c.benchmark_group("beside: BER, every element of the TCAP message");
    group.bench_function("ours", |b| b.iter(|| walk(black_box(tcap))));
    group.bench_function("asn1-rs", |b| b.iter(|| walk_asn1(black_box(tcap))));
    group.finish();
    assert_eq!(walk(tcap), walk_asn1(tcap), "both see the same elements");

    let scanner = Scanner::default();
    let schemes = [
        "http://", "https://", "hxxp", "://", "www.", ".com", ".net", ".org", ".info", ".biz", ".ru", ".xyz", ".top", ".link",
        ".ly", ".me",
    ];
    let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(schemes).expect("an automaton");
    let finder = linkify::LinkFinder::new();
    let mut scratch = Scratch::new();
    for (what, text) in &texts {
        let mut group = c.benchmark_group(format!("beside: scan, {what}"));
        group.bench_function("ours: sieve", |b| b.iter(|| scanner.may_link(black_box(text.as_bytes()))));
        group.bench_function("ours: sieve, then find", |b| {
            b.iter(|| {
                let mut found = 0;
                if scanner.may_link(black_box(text.as_bytes())) {
                    scanner.find(text, &mut scratch, |link| found += link.url.host.len());
                }
                found
            });
        });
        group.bench_function("aho-corasick, 16 patterns", |b| b.iter(|| automaton.is_match(black_box(text.as_str()))));
        group.bench_function("linkify", |b| b.iter(|| finder.links(black_box(text)).count()));
        group.bench_function("memcpy", |b| {
            let mut copy = vec![0; text.len()];
            b.iter(|| copy.copy_from_slice(black_box(text.as_bytes())));
        });
        group.finish();
    }

    let mut canonical = canonical::Scratch::new();
    let mut group = c.benchmark_group("beside: canonical form");
    group.bench_function("ours", |b| b.iter(|| canonical::parse(black_box(link), &mut canonical).is_ok()));
    group.bench_function("url", |b| b.iter(|| url::Url::parse(black_box(link)).is_ok()));
    group.finish();

    let suffixes = Suffixes::built_in();
    let mut group = c.benchmark_group("beside: registrable domain");
    group.bench_function("ours", |b| b.iter(|| suffixes.registrable(black_box("www.shop.host00002617.co.uk"))));
    group.bench_function("psl", |b| b.iter(|| psl::domain_str(black_box("www.shop.host00002617.co.uk"))));
    group.finish();

    let mut group = c.benchmark_group("beside: CRC32c of the packet");
    let whole = sctp::Packet::parse(packet).expect("a packet");
    group.bench_function("ours", |b| b.iter(|| black_box(&whole).sum()));
    group.bench_function("memcpy", |b| {
        b.iter_batched_ref(|| vec![0; packet.len()], |copy| copy.copy_from_slice(black_box(packet)), BatchSize::SmallInput);
    });
    group.finish();
}

/// Elements, primitive ones and constructed ones, of a BER element and all below it.
fn walk(octets: &[u8]) -> usize {
    let mut count = 0;
    for element in ber::Reader::new(octets, protocols::Layer::Tcap).map_while(Result::ok) {
        count += 1 + if element.constructed { walk(element.content) } else { 0 };
    }
    count
}

fn walk_asn1(mut octets: &[u8]) -> usize {
    let mut count = 0;
    while let Ok((rest, element)) = Any::parse_ber(Input::from(octets)) {
        count += 1 + if element.header.constructed() { walk_asn1(element.data.as_bytes2()) } else { 0 };
        octets = rest.as_bytes2();
        if octets.is_empty() {
            break;
        }
    }
    count
}

fn configured() -> Criterion {
    // The median of many short runs: a machine that others use disturbs a long one.
    Criterion::default().sample_size(50).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_millis(1000))
}

criterion_group! { name = all; config = configured(); targets = steps, beside, table }
criterion_main!(all);
