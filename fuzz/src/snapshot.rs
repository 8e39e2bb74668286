//! A snapshot: any other octets than those built are refused, or harm nothing; a list becomes a table that answers for it.

use std::cell::RefCell;
use std::sync::OnceLock;

use dataplane::canonical;
use dataplane::suffix::Suffixes;
use dataplane::verdict::Verdict;
use dataplane::verdicts::build::{Builder, Rule};
use dataplane::verdicts::pattern::{Buffers, Pattern};
use dataplane::verdicts::{EntryRef, Key, KeyScratch, Layer, Snapshot, Table};

use crate::suffixes;

/// Links that every table is asked for.
const LINKS: [&str; 6] = [
    "https://bank.example/",
    "https://a.b.parcel.example/x/y?z",
    "http://192.0.2.1/",
    "https://x.github.io/a",
    "tg:resolve?domain=scam",
    "https://com/",
];

fn key() -> Key {
    Key::new(b"0123456789abcdef")
}

fn good() -> &'static [u8] {
    static GOOD: OnceLock<Vec<u8>> = OnceLock::new();
    GOOD.get_or_init(|| {
        let mut builder = Builder::new();
        for (pattern, verdict) in [
            ("bank.example", Verdict::Safe),
            ("=parcel.example", Verdict::Dangerous),
            ("parcel.example/x", Verdict::Unknown),
            ("@github.io", Verdict::None),
            ("com", Verdict::Dangerous),
            ("192.0.2.1", Verdict::Dangerous),
        ] {
            builder.add(&Rule { pattern, verdict, source: "list", category: "c", senders: "BANK", ..Rule::default() });
        }
        builder.build(1, &key(), suffixes()).unwrap().bytes
    })
}

/// The target. First octet even: a list of edits (place of two octets, value) to a good file. Odd: rules, a line each.
pub fn run(bytes: &[u8]) {
    match bytes.split_first() {
        Some((kind, rest)) if kind & 1 == 0 => edited(rest),
        Some((_, rest)) => built(&String::from_utf8_lossy(rest)),
        None => {}
    }
}

/// Octets that lie: first as they are, then under checksums that hold, so that what lies behind them is reached.
fn edited(edits: &[u8]) {
    let mut file = good().to_vec();
    for edit in edits.chunks_exact(3) {
        match usize::from(u16::from_be_bytes([edit[0], edit[1]])) {
            place if place < file.len() => file[place] = edit[2],
            // Beyond the end: cut or lengthened.
            place if place & 1 == 0 => file.truncate(usize::from(edit[2]) * 16),
            _ => file.resize(file.len() + usize::from(edit[2]), 0),
        }
    }
    let same = file == good();
    let opened = Snapshot::from_bytes(&file);
    assert!(!same || opened.is_ok());
    let Ok(snapshot) = opened else { return };
    assert_eq!(snapshot.verify().is_ok(), same, "one changed octet is always seen by verify");
    all_entries(&snapshot);
    if let Ok(table) = Table::new(snapshot, None, key(), suffixes()) {
        ask(&table);
    }
}

/// Whatever an entry's words say, it is read within the file.
fn all_entries(snapshot: &Snapshot) {
    for (slot, _) in snapshot.words() {
        let entry = snapshot.entry(slot);
        let _ = (entry.pattern.len(), entry.source.len(), entry.category.len(), entry.holds_for("BANK"));
    }
    let _ = snapshot.density();
}

fn ask(table: &Table) {
    thread_local!(static BUFFERS: RefCell<(canonical::Scratch, KeyScratch)> = RefCell::default());
    BUFFERS.with_borrow_mut(|(scratch, keys)| {
        for link in LINKS {
            let url = canonical::parse(link, scratch).unwrap();
            let found = table.judge(&url, false, "BANK", suffixes(), keys);
            assert_ne!(found.verdict, Verdict::None);
            if let Some(entry) = found.entry {
                let _ = table.entry(entry).pattern.len();
            }
            let _ = table.finish_exact_dangerous(table.begin(&url, suffixes()), &url, keys);
        }
    });
}

/// Rules as patterns: each one that the parser takes is found again, by `=host`, with what it said.
fn built(lines: &str) {
    let suffixes: &Suffixes = suffixes();
    let (mut builder, mut buffers) = (Builder::new(), Buffers::default());
    let mut patterns = Vec::new();
    for line in lines.lines().take(32) {
        let (layer, text) = line.strip_prefix('!').map_or((Layer::Feed, line), |rest| (Layer::Local, rest));
        let Ok(pattern) = Pattern::parse(text, &mut buffers) else { continue };
        let verdict = [Verdict::Safe, Verdict::Unknown, Verdict::Dangerous][text.len() % 3];
        builder.add(&Rule { pattern: &pattern.key, verdict, source: "list", layer, ..Rule::default() });
        patterns.push(pattern.key);
    }
    let Ok(built) = builder.build(1, &key(), suffixes) else { return };
    let snapshot = Snapshot::from_bytes(&built.bytes).expect("what was built opens");
    assert!(snapshot.verify().is_ok());
    let table = Table::new(snapshot, None, key(), suffixes).expect("what was built fits its own key");
    ask(&table);
    thread_local!(static BUFFERS: RefCell<(canonical::Scratch, KeyScratch)> = RefCell::default());
    BUFFERS.with_borrow_mut(|(scratch, keys)| {
        for pattern in patterns.iter().filter(|pattern| !pattern.contains(['/', ':']) && !pattern.starts_with('@')) {
            let host = pattern.trim_start_matches('=');
            let Ok(url) = canonical::parse(&format!("http://{host}/"), scratch) else { continue };
            if url.host != host {
                continue;
            }
            let found = table.judge(&url, false, "", suffixes, keys);
            let entry = found.entry.map(|at: EntryRef| table.entry(at).pattern.to_owned());
            assert!(entry.is_some(), "{pattern:?} is in the list, and {host} is not found: {found:?}");
        }
    });
}
