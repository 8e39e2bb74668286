//! Gates over suites of other hands: what a handset makes tappable is found, what none does is not.
//!
//! Departures stand one a line in `departures/*.tsv`: the suite's id or text, and the reason.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // helpers of tests

use std::collections::{BTreeSet, HashMap};
use std::fs;

use dataplane::canonical;
use dataplane::scan::{Form, Link, Scanner, Scratch};
use dataplane::verdict::Confidence;
use serde_json::Value;

/// One reading, owned.
#[derive(Clone, Debug)]
struct Found {
    start: usize,
    end: usize,
    confidence: Confidence,
    url: String,
    form: Form,
}

fn find(scanner: &Scanner, scratch: &mut Scratch, text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut careful = Vec::new();
    scanner.find_with_care(text, scratch, |link: &Link<'_>| {
        assert_eq!(text.get(link.start..link.end), Some(link.as_written));
        let (start, end) = (link.start, link.end);
        careful.push(format!("{link:?}"));
        found.push(Found { start, end, confidence: link.confidence, url: link.url.url.to_owned(), form: link.form });
    });
    let mut hasty = Vec::new();
    scanner.find(text, scratch, |link: &Link<'_>| hasty.push(format!("{link:?}")));
    assert_eq!(hasty, careful, "{text:?}");
    found
}

/// The lines of a data file; none, with a word, where the folder is absent.
fn lines(name: &str) -> Vec<Value> {
    let path = format!("{}/../../shared/data/{name}", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = fs::read_to_string(path) else {
        println!("skipped: ../shared/data is not here");
        return Vec::new();
    };
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Departures by key; a line is `key<TAB>reason`, the key as Rust would escape it.
fn departures(name: &str) -> HashMap<String, String> {
    let path = format!("{}/tests/departures/{name}.tsv", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).unwrap();
    let split = |line: &str| line.split_once('\t').map(|(key, why)| (key.to_owned(), why.to_owned())).unwrap();
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(split).collect()
}

fn strings(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().map(|s| s.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_evasion_is_found_and_nothing_besides() {
    let (scanner, mut scratch) = (Scanner::default(), Scratch::new());
    let departs = departures("evasions");
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for case in lines("links/evasions.jsonl") {
        let id = case["id"].as_str().unwrap();
        let text = case["text"].as_str().unwrap();
        let mut found = find(&scanner, &mut scratch, text);
        if let Some(sender) = case["sender"].as_str() {
            found.extend(find(&scanner, &mut scratch, sender));
        }
        let urls: BTreeSet<String> = found.iter().map(|link| link.url.clone()).collect();
        let mut expect = strings(&case["expect_urls"]);
        expect.extend(strings(&case["other_indicators"]));
        let also = strings(&case["also_lookup"]);
        for missing in expect.difference(&urls) {
            wrong.push(format!("{id}: {text:?} misses {missing}; found {urls:?}"));
        }
        for extra in urls.iter().filter(|url| !expect.contains(*url) && !also.contains(*url)) {
            let key = format!("{id} {extra}");
            if departs.contains_key(&key) {
                used.insert(key);
            } else {
                wrong.push(format!("{key}\textra in {text:?}; {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{} wrong", wrong.join("\n"), wrong.len());
    assert!(used.is_empty() || used.len() == departs.len(), "departures that are none: {departs:?}");
}

/// The canonical form of what another school found, as that text would be opened.
fn opened(written: &str) -> Option<String> {
    let mut scratch = canonical::Scratch::new();
    let spelt = if written.starts_with("//") { format!("http:{written}") } else { written.to_owned() };
    let schemed = spelt.contains("://");
    let spelt = if schemed { spelt } else { format!("http://{spelt}") };
    canonical::parse(&spelt, &mut scratch).ok().map(|url| url.url.to_owned())
}

/// Every link of another school is found, or departs for a reason; prints what we find besides.
fn school(name: &str) {
    let (scanner, mut scratch) = (Scanner::default(), Scratch::new());
    let departs = departures(name);
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    let (mut links, mut more) = (0, 0);
    for case in lines(&format!("links/{name}.jsonl")) {
        let text = case["text"].as_str().unwrap();
        let found = find(&scanner, &mut scratch, text);
        let theirs = strings(&case["urls"]);
        for written in &theirs {
            let mail =
                written.contains('@') && !written.contains("://") && !written.contains('/') || written.starts_with("mailto:");
            let Some(url) = opened(written).filter(|_| !mail && !written.to_lowercase().starts_with("mailto:")) else { continue };
            links += 1;
            if found.iter().any(|link| link.url == url) {
                continue;
            }
            let key = written.escape_debug().to_string();
            if departs.contains_key(&key) {
                used.insert(key);
            } else {
                let urls: Vec<_> = found.iter().map(|link| &link.url).collect();
                wrong.push(format!("{key}\tin {text:?}: {url} not in {urls:?}"));
            }
        }
        more += usize::from(theirs.is_empty() && found.iter().any(|link| link.confidence == Confidence::High));
    }
    println!("{name}: {links} links, {} not found; {more} texts with a link that they do not see", wrong.len() + used.len());
    assert!(wrong.is_empty(), "{}\n{} wrong", wrong.join("\n"), wrong.len());
    assert!(links == 0 || used.len() == departs.len(), "departures that are none: {departs:?} {used:?}");
}

#[test]
fn links_of_the_twitter_suite_are_found() {
    school("twitter_extract");
}

#[test]
fn links_of_the_linkify_it_suite_are_found() {
    school("linkify_it");
}

#[test]
fn links_of_the_robinst_suite_are_found() {
    school("robinst_linkify");
}

#[test]
fn links_under_every_tld_of_the_twitter_suite_are_found() {
    school("twitter_tlds");
}

#[test]
fn bare_names_that_android_or_apple_links_are_found_under_every_tld() {
    let (scanner, mut scratch) = (Scanner::default(), Scratch::new());
    let dir = format!("{}/../../shared/data/links/linkability", env!("CARGO_MANIFEST_DIR"));
    let Ok(tables) = fs::read_dir(dir) else {
        println!("skipped: ../shared/data is not here");
        return;
    };
    let mut count = 0;
    for table in tables {
        for line in fs::read_to_string(table.unwrap().path()).unwrap().lines().filter(|line| line.ends_with(",true")) {
            let zone = line.split(',').next().unwrap();
            for text in [format!("example.{zone}"), format!("see EXAMPLE.{}/a now", zone.to_uppercase())] {
                let found = find(&scanner, &mut scratch, &text);
                assert!(found.iter().any(|link| link.confidence == Confidence::High), "{text}");
                assert!(scanner.may_link(text.as_bytes()), "{text}");
            }
            count += 1;
        }
    }
    println!("{count} pairs of handset and TLD");
    for line in
        fs::read_to_string(format!("{}/../../shared/data/links/iana_tlds.txt", env!("CARGO_MANIFEST_DIR"))).unwrap().lines()
    {
        let text = format!("example.{}", line.to_lowercase());
        assert!(line.starts_with('#') || !find(&scanner, &mut scratch, &text).is_empty(), "{text}");
    }
}

/// The TLDs that the tables of handsets of this maker say are linked.
fn linked(maker: &str) -> BTreeSet<String> {
    let dir = format!("{}/../../shared/data/links/linkability", env!("CARGO_MANIFEST_DIR"));
    let tables = fs::read_dir(dir).into_iter().flatten().map(|table| table.unwrap());
    let tables = tables.filter(|table| table.file_name().to_string_lossy().starts_with(maker));
    let lines = tables.flat_map(|table| fs::read_to_string(table.path()).unwrap().lines().map(str::to_owned).collect::<Vec<_>>());
    lines.filter(|line| line.ends_with(",true")).map(|line| line.split(',').next().unwrap().to_owned()).collect()
}

/// Recall and precision over real messages, by Android's own rule.
fn corpus(name: &str) {
    let (scanner, mut scratch) = (Scanner::default(), Scratch::new());
    let (mut links, mut missed, mut ours, mut wrong) = (0, 0, 0, 0);
    let apple = linked("apple");
    for case in lines(&format!("sms/{name}.jsonl")) {
        let text = case["text"].as_str().unwrap();
        let found = find(&scanner, &mut scratch, text);
        assert!(found.is_empty() || scanner.may_link(text.as_bytes()), "the sieve dismisses {text:?}: {found:?}");
        let mut theirs = Vec::new();
        let mut from = 0;
        for written in case["urls"].as_array().unwrap().iter().map(|url| url.as_str().unwrap()) {
            let start = text[from..].find(written).map_or(0, |at| from + at);
            from = start + written.len();
            theirs.push(start..from);
            links += 1;
            let url = opened(written);
            let same = |link: &&Found| link.confidence == Confidence::High && Some(&link.url) == url.as_ref();
            if !found.iter().any(|link| same(&link) && link.start <= start && link.end + 1 >= start) {
                missed += 1;
                println!("missed {written:?} in {text:?}: {found:?}");
            }
        }
        // Apple's handsets link capitals too, under the TLDs of their tables.
        let capitals = |link: &Found| {
            let host = text[link.start..link.end].split('/').next().unwrap();
            let zone = host.rsplit('.').next().unwrap();
            zone.chars().all(char::is_uppercase) && apple.contains(&zone.to_lowercase())
        };
        let mut spans = BTreeSet::new();
        for link in found.iter().filter(|link| link.confidence == Confidence::High && link.form != Form::Nested) {
            if !spans.insert(link.start) {
                continue;
            }
            ours += 1;
            if !theirs.iter().any(|span| link.start < span.end && span.start < link.end) && !capitals(link) {
                wrong += 1;
                println!("no handset links {:?} ({:?}) in {text:?}", link.url, link.form);
            }
        }
    }
    if links == 0 {
        return;
    }
    let (recall, precision) = (1.0 - f64::from(missed) / f64::from(links), 1.0 - f64::from(wrong) / f64::from(ours));
    println!("{name}: recall {recall:.5} ({missed} of {links} missed), precision {precision:.5} ({wrong} of {ours} false)");
    assert!(recall >= 0.999 && precision >= 0.99, "{name}: recall {recall:.5}, precision {precision:.5}");
}

#[test]
fn the_links_of_the_uci_messages_are_found_and_no_others() {
    corpus("uci");
}

#[test]
fn the_links_of_the_mendeley_messages_are_found_and_no_others() {
    corpus("mendeley5971");
}
