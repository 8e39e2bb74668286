//! One implementation: the API says what `ztsms scan` and `ztsms replay` say, on messages of real people.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::asks::Asks;
use super::room::Room;

/// Texts of the public corpora, where they are.
fn texts() -> Option<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/sms");
    let mut all = Vec::new();
    for name in ["uci.jsonl", "mendeley5971.jsonl"] {
        let file = fs::read_to_string(root.join(name)).ok()?;
        let text = |line: &str| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned();
        all.extend(file.lines().map(text));
    }
    Some(all)
}

/// The filter's own program, built beside this one.
fn ztsms() -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_BIN_EXE_ztsms-console")).with_file_name("ztsms");
    program.exists().then_some(program)
}

#[test]
fn the_api_says_what_scan_says_of_every_message_of_the_corpora() {
    let (Some(texts), Some(ztsms)) = (texts(), ztsms()) else {
        println!("skipped: no ../shared/data/sms, or no ztsms beside ztsms-console");
        return;
    };
    let room = Room::empty("api-same");
    let serve = room.serve();
    let asks = Asks::new(&room, &serve, &["--scope", "scan"]);
    for (pattern, verdict) in [("bit.ly", "dangerous"), ("=www.google.com", "safe"), ("paypal.com", "safe")] {
        room.well(&["decide", pattern, verdict, "--reason", "a test", "--yes"]);
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    let lines: Vec<String> = texts.iter().map(|text| text.replace(['\n', '\r'], " ")).collect();
    let input = room.list("texts", lines.join("\n") + "\n");
    let verdicts = room.data().join("verdicts").display().to_string();
    let output = Command::new(ztsms)
        .args(["scan", "--json", "--verdicts", &verdicts])
        .stdin(fs::File::open(input).unwrap())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let said: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(said.len(), lines.len());
    let mut linked = 0;
    for (lines, said) in lines.chunks(1000).zip(said.chunks(1000)) {
        let batch: Vec<Value> = lines.iter().map(|text| json!({ "text": text, "profile": "off" })).collect();
        let answers = asks.well("/api/v1/scan", Value::from(batch));
        for (answer, said) in answers.as_array().unwrap().iter().zip(said) {
            assert_eq!((&answer["urls"], &answer["verdict"]), (&said["urls"], &said["verdict"]), "{said}");
            linked += usize::from(answer["verdict"] != "none");
        }
    }
    assert!(linked > 300, "{linked}");
}

#[test]
fn the_api_decides_as_replay_does_where_the_message_has_room() {
    let Some(ztsms) = ztsms() else {
        println!("skipped: no ztsms beside ztsms-console");
        return;
    };
    let room = Room::empty("api-replay");
    let serve = room.serve();
    let asks = Asks::new(&room, &serve, &["--scope", "scan"]);
    let verdicts = room.data().join("verdicts").display().to_string();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps/samples/generated.pcapng");
    let output = Command::new(ztsms).args(["replay", "--json", "--verdicts", &verdicts]).arg(sample).output().unwrap();
    let records = String::from_utf8(output.stdout).unwrap();
    let mut compared = 0;
    for record in records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        // One message, to a subscriber, with a text: what a caller would ask about.
        if !record["concat"].is_null() || record["direction"] != "mt" || record["text"].is_null() {
            continue;
        }
        let digits = record["address"]["digits"].as_str().unwrap();
        let sender = if record["address"]["ton"] == 1 { format!("+{digits}") } else { digits.to_owned() };
        let answer = asks.well("/api/v1/scan", json!({ "text": record["text"], "sender": sender, "imsi": record["imsi"] }));
        assert_eq!((&answer["urls"], &answer["verdict"]), (&record["urls"], &record["verdict"]), "{record}");
        // A caller has room that the wire has not: where the first form went on the wire, it is the same.
        if !record["why"].as_str().unwrap().contains(':') {
            assert_eq!((&answer["action"], &answer["why"]), (&record["action"], &record["why"]), "{record}");
            let on_the_wire = if record["rewritten"].is_null() { &record["text"] } else { &record["rewritten"] };
            assert_eq!(&answer["deliver"], on_the_wire, "{record}");
            compared += 1;
        }
    }
    assert!(compared > 50, "{compared}");
}
