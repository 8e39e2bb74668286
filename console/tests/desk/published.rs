//! What is published, as the filter reads it: by its own follower and its own replay.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use control::build::signed::Verifier;
use control::live::follow::{Follow, News, Observe, Suspensions, Terms};
use control::verdicts_cmd::lookup;
use dataplane::suffix::Suffixes;
use dataplane::verdicts::Table;
use serde_json::Value;

use super::room::Room;
use super::whole::post;

/// A filter's following side, as its configuration has it by default, with the console's key.
struct Filter {
    follow: Follow,
    table: Option<Box<Table>>,
    refused: Vec<String>,
}

impl Filter {
    fn new(verdicts: &Path) -> Self {
        let verifier = Some(Verifier::from_file(&verdicts.join("verdicts.pub")).unwrap());
        let terms = Terms { verifier, ..Terms::default() };
        Self { follow: Follow::new(verdicts, Suffixes::built_in(), terms), table: None, refused: Vec::new() }
    }

    /// Looks every 10 ms until a link has this verdict.
    fn until(&mut self, link: &str, verdict: &str) {
        let begun = Instant::now();
        let suffixes = Suffixes::built_in();
        loop {
            let (table, refused) = (&mut self.table, &mut self.refused);
            self.follow.look(|news| match news {
                News::Table(new, _) => *table = Some(new),
                News::Refused(_, why) => refused.push(why),
                _ => {}
            });
            if self.table.as_ref().is_some_and(|table| lookup(table, link, "", &suffixes).verdict == verdict) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{link} never {verdict}: {:?}", self.refused);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_decision_and_its_undoing_are_in_force_within_a_second_each_and_no_build_loses_one() {
    let room = Room::empty("quick");
    let _serve = room.serve();
    let list = room.list("list.txt", (0..20_000).map(|n| format!("h{n}.list.example\n")).collect::<String>());
    room.well(&["feed", "set", "list", &list, "--dangerous"]);
    let mut filter = Filter::new(&room.data().join("verdicts"));
    filter.until("bit.ly", "unknown");
    let mut times = Vec::new();
    for n in 1..=10 {
        let name = format!("evil{n}.example");
        let begun = Instant::now();
        room.well(&["decide", &name, "dangerous", "--reason", "a test", "--yes"]);
        filter.until(&name, "dangerous");
        times.push(begun.elapsed());
        if n % 2 == 0 {
            let begun = Instant::now();
            room.well(&["undo", &n.to_string(), "--reason", "a test", "--yes"]);
            filter.until(&name, "unknown");
            times.push(begun.elapsed());
        }
        if n == 5 {
            // A build in between, while the filter follows.
            room.well(&["import", "list"]);
            filter.until("h7.list.example", "dangerous");
            filter.until("evil3.example", "dangerous");
        }
    }
    times.sort();
    println!("decision to the filter's table: median {:?}, longest {:?}", times[times.len() / 2], times[times.len() - 1]);
    assert!(times[times.len() / 2] < Duration::from_secs(1), "{times:?}");
    assert_eq!(filter.refused, Vec::<String>::new(), "at no moment was there something to refuse");
}

#[test]
fn observe_reaches_a_filter_within_a_second() {
    let room = Room::empty("observe");
    let _serve = room.serve();
    let mut observe = Observe::new(&room.data().join("verdicts"));
    assert!(matches!(observe.look(), Some(News::Observe(Some(why))) if why.contains("nobody has let filters act")));
    room.well(&["enforce", "--force", "a test"]);
    assert!(matches!(observe.look(), Some(News::Observe(None))));
    let begun = Instant::now();
    room.well(&["observe", "too", "many", "complaints"]);
    assert!(matches!(observe.look(), Some(News::Observe(Some(why))) if why.ends_with(": too many complaints")));
    println!("observe, from the command to the filter: {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(room.well(&["status"]).contains("ALL FILTERS OBSERVE"));
    room.well(&["observe", "--off"]);
    assert!(matches!(observe.look(), Some(News::Observe(None))));
    let verbs: Vec<Value> = room.json(&["audit", "list"]).as_array().unwrap().iter().map(|line| line["verb"].clone()).collect();
    assert_eq!(verbs, ["enforce-forced", "act", "observe", "act"]);
}

/// What `ztsms` with these arguments prints as objects, in a process of its own, since it prints.
pub(crate) fn ztsms(args: &[&str]) -> Vec<Value> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "published::ztsms_itself", "--ignored", "--nocapture"])
        .env("ZTSMS_ARGS", [&["ztsms"], args].concat().join("\n"))
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn replay(verdicts: &Path) -> Vec<Value> {
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps/samples/generated.pcapng");
    ztsms(&["replay", "--json", "--verdicts", &verdicts.display().to_string(), &capture.display().to_string()])
}

#[test]
#[ignore = "the `ztsms` program for the other tests here"]
fn ztsms_itself() {
    let Ok(args) = std::env::var("ZTSMS_ARGS") else { return };
    control::cli::main(args.lines().map(Into::into));
}

#[test]
fn safe_for_listed_senders_and_protected_senders_hold_in_a_replay() {
    let room = Room::new("senders");
    let verdicts = room.data().join("verdicts");
    let links = |from: &str, host: &str| -> Vec<(String, String)> {
        let all = replay(&verdicts);
        assert!(all.len() > 100, "{} messages", all.len());
        let of = all.iter().filter(|sms| sms["address"]["digits"] == from);
        let urls = of.flat_map(|sms| sms["urls"].as_array().unwrap().clone()).filter(|url| url["host"] == host);
        urls.map(|url| (url["verdict"].as_str().unwrap().to_owned(), url["reason"].as_str().unwrap().to_owned())).collect()
    };
    let all = |found: &[(String, String)], verdict: &str, reason: &str| {
        assert!(!found.is_empty() && found.iter().all(|(v, r)| (v.as_str(), r.as_str()) == (verdict, reason)), "{found:?}");
    };
    all(&links("GovInfo", "www.gov.example"), "unknown", "no-entry");
    room.well(&["decide", "gov.example", "safe", "--sender", "GovInfo", "--reason", "registered", "--yes"]);
    all(&links("GovInfo", "www.gov.example"), "safe", "parent");
    all(&links("DrMolar", "www.gov.example"), "unknown", "sender");
    room.well(&["protect", "sender", "ExBank", "bank.example"]);
    all(&links("ExBank", "www.gov.example"), "dangerous", "impersonation");
    all(&links("GovInfo", "www.gov.example"), "safe", "parent");
    room.well(&["protect", "unsender", "ExBank"]);
    all(&links("ExBank", "www.gov.example"), "unknown", "sender");
}

/// Records as a filter writes them: so many short messages, of which some were replaced for an entry of a source.
fn spool(dir: &Path, messages: u64, acted: u64, entry: &str, source: &str) {
    spool_of(dir, messages, acted, &|_| (entry.to_owned(), source.to_owned(), "dangerous/1"));
}

/// The same, each of those that acted by an entry, a source and a `why` of its own.
fn spool_of(dir: &Path, messages: u64, acted: u64, by: &dyn Fn(u64) -> (String, String, &'static str)) {
    let limits = control::spool::Limits {
        segment_octets: 1 << 20,
        segment_age: Duration::from_secs(60),
        total_octets: 1 << 24,
        keep: Duration::from_secs(3600),
    };
    let mut segments = control::spool::Segments::new(dir, control::spool::Kind::Spool, limits).unwrap();
    let mut plain = control::spool::Plain::default();
    for n in 0..messages {
        let unknown = || (String::new(), String::new(), "unknown/1");
        let (verdict, (entry, source, why)) = if n < acted { ("dangerous", by(n)) } else { ("unknown", unknown()) };
        let url = serde_json::json!({ "verdict": verdict, "entry": entry, "source": source });
        let record = serde_json::json!({ "schema": "ztsms.sms.v1", "verdict": verdict, "why": why, "urls": [url] });
        plain.push(record.to_string().as_bytes());
    }
    segments.append(&plain.finish(0, None)).unwrap();
    segments.sync().unwrap();
}

/// Waits until the status says all of this: an alarm is raised once the suspension is done.
fn raised(room: &Room, says: &[&str]) {
    let begun = Instant::now();
    loop {
        let status = room.well(&["status"]);
        if says.iter().all(|part| status.contains(part)) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{says:?} in {status}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_brake_suspends_an_entry_that_acts_on_too_many_messages_and_a_person_undoes_it() {
    let room = Room::empty("brakes");
    let list = room.list("list.txt", "popular.example\nevil.example\n");
    let spools = room.path("spool");
    std::fs::create_dir_all(&spools).unwrap();
    // What was before is past.
    spool(&spools, 2_000, 500, "evil.example", "list");
    let _serve = room.serve_with(&["--spool", &spools.display().to_string()]);
    room.well(&["feed", "set", "list", &list, "--dangerous"]);
    room.well(&["import", "list"]);
    assert_eq!(["popular.example", "evil.example"].map(|link| room.says(link)), ["dangerous", "dangerous"]);
    // The first look of the brakes is behind.
    std::thread::sleep(Duration::from_millis(1_200));
    spool(&spools, 2_000, 20, "popular.example", "list");
    let begun = Instant::now();
    while room.says("www.popular.example") != "unknown" {
        assert!(begun.elapsed() < Duration::from_secs(20), "never suspended");
        std::thread::sleep(Duration::from_millis(50));
    }
    println!("brake: {:?} after the messages were written down", begun.elapsed());
    assert_eq!(room.says("evil.example"), "dangerous", "and nothing else is");
    raised(&room, &["ALARM brake-entry-popular.example", "20 of 2000 messages"]);
    let id = room.json(&["decisions"])[0]["id"].to_string();
    room.well(&["undo", &id, "--reason", "it is what it is", "--yes"]);
    assert_eq!(room.says("www.popular.example"), "dangerous");
}

#[test]
fn a_source_that_the_brake_suspends_is_out_of_force_at_once_though_no_snapshot_can_be_built() {
    let room = Room::empty("brake-source");
    let names: String = (0..50).map(|n| format!("h{n}.example\n")).collect();
    let (list, other) = (room.list("list.txt", names), room.list("other.txt", "evil.example\n"));
    let spools = room.path("spool");
    std::fs::create_dir_all(&spools).unwrap();
    let _serve = room.serve_with(&["--spool", &spools.display().to_string()]);
    for (name, file) in [("list", &list), ("other", &other)] {
        room.well(&["feed", "set", name, file, "--dangerous"]);
        room.well(&["import", name]);
    }
    assert_eq!(["h7.example", "evil.example"].map(|link| room.says(link)), ["dangerous", "dangerous"]);
    let snapshot = std::fs::read(room.data().join("verdicts/snapshot")).unwrap();
    // No build from here on: the entries of the other source are gone.
    std::fs::remove_dir_all(room.data().join("lists")).unwrap();
    let mut suspensions = Suspensions::new(&room.data().join("verdicts"));
    std::thread::sleep(Duration::from_millis(1_200));
    spool_of(&spools, 2_000, 50, &|n| (format!("h{n}.example"), "list".to_owned(), "dangerous/1"));
    let begun = Instant::now();
    while room.says("h7.example") != "unknown" {
        assert!(begun.elapsed() < Duration::from_secs(20), "never out of force");
        std::thread::sleep(Duration::from_millis(50));
    }
    println!("source: {:?} after the messages were written down", begun.elapsed());
    assert_eq!(room.says("evil.example"), "dangerous", "and nothing else is");
    assert!(matches!(suspensions.look(), Some(News::Suspended(all)) if all.sources == ["list"]), "as a filter is told");
    assert_eq!(std::fs::read(room.data().join("verdicts/snapshot")).unwrap(), snapshot, "the snapshot is the one before");
    raised(&room, &["ALARM brake-source-list"]);
}

#[test]
fn a_rule_that_the_brake_suspends_only_observes_at_once_until_a_person_resumes_it() {
    let room = Room::empty("brake-rule");
    let spools = room.path("spool");
    std::fs::create_dir_all(&spools).unwrap();
    let policy = room.list("ztsms.toml", "[[policy.rules]]\nname = \"shops\"\nsender = [\"Shop\"]\ntreat_as = \"dangerous\"\n");
    let serve = room.serve_with(&["--spool", &spools.display().to_string(), "--policy", &policy]);
    let key = room.well(&["key", "create", "--scope", "scan"]);
    let scan = || {
        let text = serde_json::json!({ "text": "See https://new.example/", "sender": "Shop" });
        post(&serve.address, "/api/v1/scan", key.trim(), &text)["action"].as_str().unwrap().to_owned()
    };
    assert_eq!(scan(), "replace");
    std::thread::sleep(Duration::from_millis(1_200));
    // Every entry and source of its own: nothing but the rule is the cause.
    spool_of(&spools, 2_000, 50, &|n| (format!("e{n}.example"), format!("list{n}"), "shops: dangerous/1"));
    let begun = Instant::now();
    while scan() != "observe:replace" {
        assert!(begun.elapsed() < Duration::from_secs(20), "never suspended");
        std::thread::sleep(Duration::from_millis(50));
    }
    raised(&room, &["RULE shops ONLY OBSERVES", "50 of 2000 messages", "ALARM brake-rule-shops"]);
    room.well(&["rule", "resume", "shops"]);
    let begun = Instant::now();
    while scan() != "replace" {
        assert!(begun.elapsed() < Duration::from_secs(20), "never resumed");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(room.refused(&["rule", "resume", "shops"]).contains("not suspended"));
}
