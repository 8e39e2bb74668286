//! Live operation without a wire: a real lane on a thread of its own reads generated traffic; everything behind it is what runs in production.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod room;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use control::build::overlay;
use control::live::admin::{Command, ask};
use dataplane::suffix::Suffixes;
use dataplane::verdict::Verdict;
use room::{Room, until};
use serde_json::Value;

fn number(status: &Value, at: &str) -> u64 {
    status.pointer(at).and_then(Value::as_u64).unwrap_or_else(|| panic!("{at} in {status}"))
}

#[test]
fn records_reach_the_spool_redacted_and_the_status_counts_the_same() {
    let room = Room::new("records");
    let live = room.start("enforce = true", 3_000);
    live.finish_traffic();
    let lanes = live.counters();
    until("all records are written", || {
        let status = room.status();
        number(&status, "/spool/written") >= lanes.sms.on && number(&status, "/levels/sms/on") == lanes.sms.on
    });
    let status = room.status();
    assert_eq!(number(&status, "/lost/notes"), 0);
    assert_eq!(number(&status, "/levels/frames/seen"), lanes.frames.seen);
    assert!(number(&status, "/rewritten_frames") > 100 && number(&status, "/latency_ns/p99") > 0);
    assert!(number(&status, &["", "work", "written"].join("/")) > 100);
    drop(live);
    let spool = room.records("spool");
    let sms: Vec<&Value> = spool.iter().filter(|record| record["schema"] == "ztsms.sms.v1").collect();
    assert_eq!(sms.len() as u64, lanes.sms.on);
    let keys: std::collections::HashSet<_> = sms.iter().map(|record| record["content_key"].as_str().unwrap()).collect();
    assert!(keys.len() > sms.len() * 9 / 10, "{} keys of {} messages", keys.len(), sms.len());
    for record in &sms {
        assert!(record["text"].is_null() && record["part_text"].is_null() && record["rewritten"].is_null());
        let imsi = record["imsi"].as_str();
        assert!(imsi.is_none_or(|imsi| imsi.starts_with('~')), "{record}");
        for url in record["urls"].as_array().unwrap() {
            assert!(url["text"].is_null() && url["url"].as_str().unwrap().matches('/').count() <= 3, "{url}");
        }
    }
    assert!(spool.iter().any(|record| record["schema"] == "ztsms.event.v1"));
    room.holds("ztsms.sms.v1.json", sms.into_iter());
    room.holds("ztsms.event.v1.json", spool.iter().filter(|record| record["schema"] == "ztsms.event.v1"));
    let work = room.records("work");
    assert!(work.iter().any(|record| record["urls"][0]["url"].as_str().unwrap().len() > 20));
    room.holds("ztsms.work.v1.json", work.iter());
    room.holds("ztsms.status.v1.json", std::iter::once(&status));
}

#[test]
fn without_enforce_nothing_is_changed_and_the_records_say_what_would_have_been() {
    let room = Room::new("observe");
    let live = room.start("", 1_000);
    live.finish_traffic();
    assert_eq!(live.counters().rewritten_frames, 0);
    let status = room.status();
    assert_eq!((&status["mode"]["enforce"], number(&status, "/rewritten_frames")), (&Value::Bool(false), 0));
    drop(live);
    let labelled = room.records("spool").iter().filter(|record| record["action"] == "observe:label").count();
    assert!(labelled > 50, "{labelled} labels observed");
    let why = room.records("spool").into_iter().find(|record| {
        // What comes from phones is observed by the policy itself.
        record["action"] == "observe:label" && record["direction"] == "mt"
    });
    let why = why.unwrap();
    assert!(why["why"].as_str().unwrap().ends_with(", held back: observing"), "{why}");
}

#[test]
fn a_decision_acts_within_50_ms_and_pass_within_100_ms() {
    let room = Room::new("quick");
    room.build(&["bank.example,safe"]);
    let live = room.start("enforce = true", 0);
    until("the directory is followed", || live.worlds_seen() > 1);
    let suffixes = Suffixes::built_in();
    let mut decisions: Vec<Duration> = Vec::new();
    for n in 0..11 {
        let before = live.worlds_seen();
        overlay::decide(&room.path("verdicts"), &format!("evil{n}.example"), Verdict::Dangerous, "", &suffixes).unwrap();
        let decided = Instant::now();
        until("the lane has another world", || live.worlds_seen() > before);
        decisions.push(live.last_change().saturating_duration_since(decided));
    }
    let mut passes: Vec<Duration> = Vec::new();
    for n in 0..10 {
        let command = if n % 2 == 0 { Command::Pass } else { Command::Unpass };
        let asked = Instant::now();
        ask(&room.path("sock"), command).unwrap();
        until("the lane obeys", || live.passes() == (n % 2 == 0));
        passes.push(live.last_change().saturating_duration_since(asked));
    }
    decisions.sort();
    passes.sort();
    println!("decision to lane: median {:?}, longest {:?}", decisions[5], decisions[10]);
    println!("pass to lane: median {:?}, longest {:?}", passes[5], passes[9]);
    // The median: a shared machine may stop a thread for longer than any of this takes.
    assert!(decisions[5] < Duration::from_millis(50), "{decisions:?}");
    assert!(passes[5] < Duration::from_millis(100), "{passes:?}");
}

#[test]
fn observe_in_the_directory_stops_all_rewriting_within_a_second_and_taken_away_it_goes_on() {
    let room = Room::new("told-to-observe");
    room.build(&["bank.example,safe"]);
    let live = room.start("enforce = true", 0);
    until("something is rewritten", || number(&room.status(), "/rewritten_frames") > 0);
    let told = Instant::now();
    fs::write(room.path("verdicts").join("observe"), "ada: complaints\n").unwrap();
    until("it is said", || room.status()["mode"]["enforce"] == false);
    assert!(told.elapsed() < Duration::from_secs(1), "{:?}", told.elapsed());
    println!("told to observe: {:?}", told.elapsed());
    let alarms = room.status()["alarms"].to_string();
    assert!(alarms.contains("ada: complaints"), "{alarms}");
    // What was at work when it was said is done.
    std::thread::sleep(Duration::from_millis(100));
    let count = |at: &str| number(&room.status(), at);
    let (rewritten, seen) = (count("/rewritten_frames"), count("/levels/sms/seen"));
    until("more messages pass", || count("/levels/sms/seen") > seen + 500);
    assert_eq!(count("/rewritten_frames"), rewritten);
    fs::remove_file(room.path("verdicts").join("observe")).unwrap();
    until("it acts again", || count("/rewritten_frames") > rewritten);
    drop(live);
}

#[test]
fn rollback_by_the_socket_puts_the_snapshot_before_in_force() {
    let room = Room::new("rollback");
    room.build(&["bank.example,safe"]);
    let live = room.start("", 0);
    let snapshot = || room.status()["verdicts"]["snapshot"].as_str().unwrap().to_owned();
    until("the directory is followed", || number(&room.status(), "/verdicts/entries") == 1);
    let first = snapshot();
    room.build(&["bank.example,dangerous", "a.example,safe"]);
    until("the second is in force", || snapshot() != first);
    let answer = ask(&room.path("sock"), Command::Rollback).unwrap();
    assert_eq!(answer["snapshot"], first.as_str());
    until("the first is in force again", || snapshot() == first);
    assert!(ask(&room.path("sock"), Command::Rollback).unwrap_err().to_string().contains("no earlier snapshot"));
    drop(live);
}

#[test]
fn an_absent_directory_is_an_alarm_and_everything_is_unknown() {
    let room = Room::new("absent");
    let live = room.start("enforce = true", 500);
    live.finish_traffic();
    until("the alarm is raised", || room.status()["alarms"].to_string().contains("verdicts-refused"));
    let status = room.status();
    assert_eq!((number(&status, "/sms_verdicts/safe"), number(&status, "/sms_verdicts/dangerous")), (0, 0));
    assert_eq!((&status["verdicts"]["built"], &status["verdicts"]["age_s"]), (&Value::Null, &Value::Null));
    room.holds("ztsms.status.v1.json", std::iter::once(&status));
    room.build(&["bank.example,safe"]);
    until("the alarm is cleared", || !room.status()["alarms"].to_string().contains("verdicts-refused"));
    assert_eq!(number(&room.status(), "/verdicts/entries"), 1);
}

#[test]
fn the_breaker_returns_one_domain_then_all_to_observe_until_it_is_reset() {
    let room = Room::new("breaker");
    let live =
        room.start("enforce = true\n[live.breaker]\nminimum = 200\nrewritten_percent = 5.0\ndomain_percent = 100.0", 4_000);
    until("everything is returned", || room.status()["mode"]["breaker_all"] == Value::Bool(true));
    assert!(room.status()["alarms"].to_string().contains("everything returned to observe"));
    live.finish_traffic();
    let held = number(&room.status(), "/held/breaker");
    assert!(held > 20, "{held} held back");
    ask(&room.path("sock"), Command::ResetBreaker).unwrap();
    until("reset", || room.status()["mode"]["breaker_all"] == Value::Bool(false));
    until("the alarm is cleared", || !room.status()["alarms"].to_string().contains("everything returned"));
}

#[test]
fn the_configuration_is_read_again_whole_or_not_at_all() {
    let room = Room::new("reload");
    let live = room.start("", 0);
    let text = fs::read_to_string(room.path("ztsms.toml")).unwrap();
    let file = |text: String| fs::write(room.path("ztsms.toml"), text).unwrap();
    file(text.replace("[live]\n", "[live]\nenforce = true\nstage_percent = 10.0\n").replace("flush_ms = 20", "flush_ms = 30"));
    let answer = ask(&room.path("sock"), Command::Reload).unwrap();
    assert_eq!(answer["needs_restart"], serde_json::json!(["[spool]"]));
    until("enforced by stage", || room.status()["mode"]["stage_percent"] == 10.0 && room.status()["mode"]["enforce"] == true);
    until("the lane has it", || Some(live.worlds_seen()) == answer["world"].as_u64());
    // The key of the stage stays that of the directory that counts until then.
    file(text.replace("[live]\n", "[live]\nenforce = true\nstage_percent = 10.0\n").replace("/state\"", "/elsewhere\""));
    let answer = ask(&room.path("sock"), Command::Reload).unwrap();
    assert!(answer["needs_restart"].to_string().contains("state_dir"), "{answer}");
    assert!(room.path("state/stage.key").exists() && !room.path("elsewhere").exists());
    file(text.replace("[live]\n", "[live]\nenforse = true\n"));
    assert!(ask(&room.path("sock"), Command::Reload).unwrap_err().to_string().contains("enforce"));
    until("the alarm is raised", || room.status()["alarms"].to_string().contains("config"));
    assert_eq!(room.status()["mode"]["enforce"], true);
}

#[test]
fn the_socket_is_for_its_group_and_a_second_instance_is_refused() {
    let room = Room::new("second");
    let live = room.start("", 0);
    let mode = fs::metadata(room.path("sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    assert!(room.try_start("", 0).err().unwrap().to_string().contains("another filter answers here"));
    let mut stream = std::os::unix::net::UnixStream::connect(room.path("sock")).unwrap();
    stream.write_all(b"nonsense\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("not a question"), "{answer}");
    drop(live);
    assert!(!room.path("sock").exists(), "nothing is left behind");
}

#[test]
fn prometheus_reads_what_the_status_says() {
    let room = Room::new("metrics");
    let port = 20_000 + u16::try_from(std::process::id() % 20_000).unwrap();
    let live = room.start(&format!("enforce = true\n[admin]\nmetrics = \"127.0.0.1:{port}\""), 1_000);
    live.finish_traffic();
    let lanes = live.counters();
    let mut text = String::new();
    until("the scrape has everything", || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        text.clear();
        stream.read_to_string(&mut text).unwrap();
        text.contains(&format!("ztsms_frames_total{{result=\"decoded\"}} {}\n", lanes.frames.on))
    });
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    for line in text.split("\r\n\r\n").nth(1).unwrap().lines().filter(|line| !line.starts_with('#') && line.contains(' ')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("ztsms_") || name.starts_with("process_"), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

#[test]
fn frames_that_are_not_understood_are_sampled_into_a_bounded_file() {
    let room = Room::new("unscanned");
    let live = room.start(&format!("[unscanned]\nfile = {:?}\na_second = 50", room.path("unscanned.pcapng")), 2_000);
    live.finish_traffic();
    until("a sample is written", || fs::metadata(room.path("unscanned.pcapng")).is_ok_and(|meta| meta.len() > 300));
    drop(live);
    let mut capture = pcaps::read::Capture::open(&room.path("unscanned.pcapng")).unwrap();
    let mut frames = 0;
    while let Ok(Some(_)) = capture.next() {
        frames += 1;
    }
    assert!(frames > 0);
}

/// Long, and a measurement: `cargo test -p ztsms --test live -- --ignored --nocapture`.
#[test]
#[ignore = "ten million entries, twice a second, for ten seconds"]
fn swapping_ten_million_entries_does_not_hold_up_a_frame() {
    let quiet = room::swaps(Duration::from_secs(5), None);
    let swapping = room::swaps(Duration::from_secs(10), Some(10_000_000));
    println!("p50 {:?} p99.9 {:?} longest {:?} of {} frames, no swap", quiet.p50, quiet.p99_9, quiet.longest, quiet.frames);
    println!(
        "p50 {:?} p99.9 {:?} longest {:?} of {} frames, {} swaps of 10 000 000 entries",
        swapping.p50, swapping.p99_9, swapping.longest, swapping.frames, swapping.swaps
    );
    assert!(swapping.swaps > 3);
    // Twice, and ten microseconds for what the scheduler does: a lane that waited for a table would take a thousand times as long.
    assert!(swapping.p99_9 < quiet.p99_9 * 2 + Duration::from_micros(10));
}
