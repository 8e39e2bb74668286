//! Eleven thousand real messages, packed by another hand's encoder with their parts shuffled, come back text for text, with every link.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use common::{Own, replay, scratch, shared, world};
use dataplane::policy::Policy;
use dataplane::verdict::Verdict;
use serde_json::Value;

/// Text and links of each message, by IMSI.
type Expected = HashMap<String, (String, Vec<String>)>;

/// The capture and what it holds by IMSI; `None` where data or encoder are absent.
fn capture(name: &str, pad: bool) -> Option<(std::path::PathBuf, Expected)> {
    let (script, messages) = (shared("ss7/make_capture.py")?, shared(&format!("sms/{name}.jsonl"))?);
    let Ok(python) = std::env::var("ZTSMS_PYTHON") else {
        println!("skipped: ZTSMS_PYTHON names no Python with pycrate (make test sets it up)");
        return None;
    };
    let kind = if pad { "padded" } else { "plain" };
    let (pcap, expect) = (scratch(&format!("{name}-{kind}.pcap")), scratch(&format!("{name}-{kind}.jsonl")));
    let mut command = Command::new(python);
    command.arg(script).arg(messages).arg(&pcap).arg(&expect).env("PYTHONDONTWRITEBYTECODE", "1");
    if pad {
        command.arg("--pad");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some((pcap, expectations(&expect)))
}

fn expectations(file: &Path) -> Expected {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entry = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        let urls = record["urls"].as_array().unwrap().iter().map(text).collect();
        (text(&record["imsi"]), (text(&record["text"]), urls))
    };
    std::fs::read_to_string(file).unwrap().lines().map(entry).collect()
}

/// The last record of each IMSI that shows the whole text.
fn wholes(records: &[Own]) -> HashMap<&str, &Own> {
    records.iter().filter(|record| record.whole).map(|record| (record.imsi.as_str(), record)).collect()
}

#[test]
fn every_text_comes_back_with_every_link_that_handsets_make_tappable() {
    for name in ["uci", "mendeley5971"] {
        let Some((pcap, expected)) = capture(name, false) else { return };
        let replayed = replay(&pcap, &world(Policy::default()), None);
        let wholes = wholes(&replayed.keeper.records);
        assert!(replayed.keeper.unscanned.is_empty(), "{:?}", &replayed.keeper.unscanned[..10]);
        let (mut links, mut missed) = (0, Vec::new());
        for (imsi, (text, urls)) in &expected {
            let record = wholes.get(imsi.as_str()).unwrap_or_else(|| panic!("{name}: {imsi} is missing: {text}"));
            assert_eq!(record.text.as_ref(), Some(text), "{name} {imsi}");
            links += urls.len();
            missed.extend(
                urls.iter().filter(|url| {
                    !record.urls.iter().any(|found| found.text.contains(url.trim_end_matches(['.', ',', '!', ')'])))
                }),
            );
        }
        println!("{name}: {} messages, {links} links, {} missed: {missed:?}", expected.len(), missed.len());
        assert!(missed.len() * 1000 <= links, "{missed:?}");
    }
}

#[test]
fn a_message_padded_to_160_with_an_unknown_link_never_leaves_unchanged_under_warn() {
    for name in ["uci", "mendeley5971"] {
        let Some((pcap, expected)) = capture(name, true) else { return };
        let replayed = replay(&pcap, &world(Policy::default()), None);
        let (mut changed, mut seen) = (0, 0);
        for record in &replayed.keeper.records {
            seen += 1;
            if record.verdict >= Verdict::Unknown {
                changed += 1;
                assert!(record.rewritten.is_some(), "{name}: {record:#?}");
            }
        }
        println!("{name}: {seen} padded messages, {changed} with a link that is not safe, all changed");
        assert!(changed >= expected.len() * 9 / 10, "{changed} of {}", expected.len());
    }
}
