use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use control::spool::{Kind, Limits, Plain, Segments};
use serde_json::{Value, json};

use super::*;
use crate::audit::Actor;
use crate::command::{Command, Decide};
use crate::desk::Desk;

const DAY_ONE: i64 = 20_000 * 86_400;

struct Place {
    dir: PathBuf,
    desk: Arc<Desk>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn place(name: &str) -> Place {
    let dir = std::env::temp_dir().join(format!("ztsms-census-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    let desk = Desk::open(&dir.join("desk")).unwrap();
    Place { dir, desk }
}

fn record(at: i64, n: u64, hosts: &[(&str, &str)]) -> Value {
    let worst = ["dangerous", "unknown", "safe"].into_iter().find(|verdict| hosts.iter().any(|(_, said)| said == verdict));
    let urls: Vec<Value> = hosts
        .iter()
        .map(|(host, verdict)| {
            json!({ "host": host, "registrable": host, "verdict": verdict,
                "reason": if *host == "bit.ly" { "platform" } else { "no-entry" }, "confidence": "high" })
        })
        .collect();
    json!({ "schema": "ztsms.sms.v1", "time": jiff::Timestamp::from_second(at).unwrap().to_string(), "type": "deliver",
        "direction": "mt", "imsi": format!("~{:016x}", n % 100), "address": { "digits": "ExBank", "ton": 5 }, "concat": null,
        "parts": 1, "urls": urls, "verdict": worst.unwrap_or("none"), "content_key": format!("{n:016x}{n:016x}") })
}

impl Place {
    fn ask(&self, who: &str, command: crate::command::Census) -> Result<Value> {
        self.desk.obey(&Actor { name: who.to_owned(), via: "test".to_owned() }, Command::Census(command))
    }

    fn ready(&self, domains: usize) -> Value {
        self.ask("ada", crate::command::Census::Readiness(readiness::Ask { subscribers: Some(1_000), domains })).unwrap()
    }

    fn segments(&self) -> Segments {
        Segments::new(&self.dir.join("spool"), Kind::Spool, Limits::default()).unwrap()
    }

    fn read(&self) -> Value {
        self.ask("ada", crate::command::Census::Read(self.dir.join("spool"))).unwrap()
    }
}

fn block(first: u64, records: &[Value]) -> Vec<u8> {
    let mut plain = Plain::default();
    records.iter().for_each(|record| plain.push(record.to_string().as_bytes()));
    plain.finish(first, None)
}

/// 100 messages: 10 safe, 60 to one unknown host, 20 to a platform, 10 to two unknown hosts at once.
fn hundred(at: i64) -> Vec<Value> {
    (0..100)
        .map(|n| match n {
            0..10 => record(at, n, &[("bank.example", "safe")]),
            10..70 => record(at, n, &[("shop.example", "unknown")]),
            70..90 => record(at, n, &[("bit.ly", "unknown")]),
            _ => record(at, n, &[("shop.example", "unknown"), ("map.example", "unknown")]),
        })
        .collect()
}

#[test]
fn every_record_is_counted_once_whatever_is_cut_damaged_or_read_again() {
    let place = place("once");
    let mut segments = place.segments();
    let all = hundred(DAY_ONE);
    let (one, two) = all.split_at(40);
    segments.append(&block(0, one)).unwrap();
    assert_eq!(place.read()["messages"], 40);
    assert_eq!(place.read()["records"], 0);
    // A block that is being written is waited for.
    let (whole, path) = (block(40, two), fs::read_dir(place.dir.join("spool")).unwrap().next().unwrap().unwrap().path());
    let append = |octets: &[u8]| {
        std::io::Write::write_all(&mut fs::OpenOptions::new().append(true).open(&path).unwrap(), octets).unwrap();
    };
    append(&whole[..100]);
    assert_eq!((&place.read()["messages"], &place.read()["cuts"]), (&json!(0), &json!(0)));
    append(&whole[100..]);
    assert_eq!(place.read()["messages"], 60);
    // One that its writer never finished is counted as a cut once the next segment is there; copies count apart.
    append(&whole[..100]);
    std::thread::sleep(std::time::Duration::from_millis(2));
    let mut next = place.segments();
    let five: Vec<Value> = (100..105).map(|n| record(DAY_ONE, n, &[("bank.example", "safe")])).collect();
    next.append(&block(100, &five)).unwrap();
    next.append(&block(105, &[json!({ "schema": "ztsms.event.v1" }), json!({ "schema": "ztsms.sms.v1" })])).unwrap();
    let seen = place.read();
    assert_eq!((&seen["messages"], &seen["cuts"], &seen["strange"]), (&json!(5), &json!(1), &json!(1)));
    let ready = place.ready(10);
    assert_eq!((&ready["messages"], &ready["with_links"], &ready["unknown"]), (&json!(105), &json!(105), &json!(90)));
}

#[test]
fn copies_count_once_by_whatever_spool_they_come_and_however_it_is_named() {
    let place = place("copies");
    let mut segments = place.segments();
    let all = hundred(DAY_ONE);
    segments.append(&block(0, &all)).unwrap();
    segments.append(&block(100, &all)).unwrap();
    assert_eq!(place.read()["messages"], 100);
    let copies = || {
        let sql = "SELECT copies FROM census_days";
        place.desk.store().read(|s| Ok(s.query_row(sql, [], |r| r.get::<_, i64>(0))?)).unwrap()
    };
    assert_eq!(copies(), 100);
    let read = |dir: &str| place.ask("ada", crate::command::Census::Read(place.dir.join(dir)));
    // The same folder by another name has nothing new.
    std::os::unix::fs::symlink(place.dir.join("spool"), place.dir.join("link")).unwrap();
    for dir in ["link", "./spool", "desk/../spool"] {
        let seen = read(dir).unwrap();
        assert_eq!((&seen["records"], copies()), (&json!(0), 100), "{dir}");
    }
    // The other filter of a mated pair saw the same.
    let mut other = Segments::new(&place.dir.join("other"), Kind::Spool, Limits::default()).unwrap();
    other.append(&block(0, &all)).unwrap();
    let seen = read("other").unwrap();
    assert_eq!((&seen["records"], &seen["messages"], copies()), (&json!(100), &json!(0), 200));
    assert_eq!(place.ready(0)["messages"], 100);
    // What could not be written down is no copy when it comes again.
    let mut seen = Copies::default();
    assert!(seen.is_new(1) && seen.is_new(2) && !seen.is_new(2));
    seen.forget(1);
    assert!(seen.is_new(2) && !seen.is_new(1));
    // A folder of the other stream is no spool that nothing came by.
    Segments::new(&place.dir.join("work"), Kind::Work, Limits::default()).unwrap().append(&block(0, &all)).unwrap();
    assert!(read("work").unwrap_err().to_string().contains("[work]"));
}

#[test]
fn readiness_says_what_deciding_brings_and_the_gate_holds_until_it_is_so_or_somebody_forces_it() {
    let place = place("ready");
    place.segments().append(&block(0, &hundred(crate::time::now().div_euclid(86_400) * 86_400))).unwrap();
    assert!(place.ask("ada", crate::command::Census::Enforce { most: None, forced: None }).is_err(), "nothing counted");
    place.read();
    let ready = place.ready(10);
    assert_eq!((&ready["unknown_share"], &ready["on_platforms"], &ready["warnings"]), (&json!(0.9), &json!(20), &json!(90.0)));
    // shop.example alone brings 60, and map.example behind it the 10 with both.
    let deciding: Vec<_> = ready["deciding"].as_array().unwrap().iter().map(|one| (&one["domain"], &one["messages"])).collect();
    assert_eq!(deciding, [(&json!("shop.example"), &json!(60)), (&json!("map.example"), &json!(10))]);
    assert_eq!(ready["unknown_share_after"], 0.2);
    // 70, and above 64 it is an estimate.
    assert!((66..=74).contains(&ready["deciding"][0]["recipients"].as_u64().unwrap()), "{ready}");
    let obey = |command| place.desk.obey(&Actor { name: "ada".to_owned(), via: "test".to_owned() }, command);
    let refused = |most| {
        let said = place.ask("ada", crate::command::Census::Enforce { most, forced: None }).unwrap_err().to_string();
        (said, place.ready(0)["most_unknown"].as_f64().unwrap())
    };
    let (said, most) = refused(None);
    assert!(said.contains("90.0 %") && said.contains("15.0 %") && most == 0.15, "{said}");
    // Whoever raises what is allowed says why, and a limit that is lowered holds.
    let (said, most) = refused(Some(1.0));
    assert!(said.contains("--force") && most == 0.15, "{said}");
    let (said, most) = refused(Some(0.1));
    assert!(said.contains("10.0 % may be from now on") && most == 0.1, "{said}");
    assert!(refused(Some(0.15)).0.contains("--force"));
    assert_eq!(refused(Some(f64::NAN)).1, 0.1);
    // Nobody has let filters act: they observe, whatever a person takes back.
    let observing = || place.desk.publisher().observing();
    assert_eq!(observing().as_deref(), Some(gate::NOBODY_YET));
    obey(Command::Observe(Some("learning".to_owned()))).unwrap();
    assert_eq!(observing().as_deref(), Some("ada: learning"));
    assert!(obey(Command::Observe(Some(" ".to_owned()))).is_err());
    obey(Command::Observe(None)).unwrap();
    assert_eq!(observing().as_deref(), Some(gate::NOBODY_YET), "the other way around the gate");
    place.ask("bob", crate::command::Census::Enforce { most: None, forced: Some("staff only".to_owned()) }).unwrap();
    let gate = &place.ready(0)["gate"];
    assert_eq!((&gate["author"], &gate["forced"], &gate["share"]), (&json!("bob"), &json!("staff only"), &json!(0.9)));
    let lines = place.desk.store().read(|state| metrics(state)).unwrap();
    assert!(lines.contains("ztsms_console_enforce_forced{by=\"bob\"} 1"), "{lines}");
    assert!(observing().is_none());
    // Once passed, it is passed.
    obey(Command::Observe(Some("complaints".to_owned()))).unwrap();
    obey(Command::Observe(None)).unwrap();
    assert!(observing().is_none());
    // Decided, the share falls at once, by the verdicts of now.
    for host in ["shop.example", "map.example"] {
        let draft = decide_safe(host);
        obey(Command::Decide(Decide::Set(draft))).unwrap();
    }
    assert_eq!(place.ready(0)["unknown_share"], 0.2);
    let enforce = |most: Option<f64>, forced: Option<&str>| {
        let command = crate::command::Census::Enforce { most, forced: forced.map(str::to_owned) };
        place.ask("eve", command).map(|passed| passed["gate"].clone())
    };
    let gate = enforce(Some(0.2), Some("a quiet region")).unwrap();
    assert_eq!((&gate["forced"], &gate["most"]), (&json!("a quiet region"), &json!(0.2)), "raised and passed in one act");
    // Whoever comes after that passes, and it stays to be seen who raised it.
    let gate = enforce(None, None).unwrap();
    let raised = &place.ready(0)["raised"];
    assert_eq!((&gate["forced"], &raised["author"], &raised["reason"]), (&Value::Null, &json!("eve"), &json!("a quiet region")));
    assert!(enforce(Some(0.15), None).is_err());
    assert_eq!(place.ready(0)["raised"], Value::Null);
    // What was counted long ago says nothing of today.
    let back = "UPDATE census_days SET day = day - 5; UPDATE census_open SET day = day - 5";
    place.desk.store().note(|transaction| Ok(transaction.execute_batch(back)?)).unwrap();
    let said = enforce(Some(0.2), Some("a quiet region")).map(|gate| gate["forced"].clone());
    assert_eq!(said.unwrap(), "a quiet region");
    assert!(enforce(None, None).unwrap_err().to_string().contains("5 days ago"));
}

#[test]
fn what_the_most_used_names_carry_on_many_days_no_feed_calls_dangerous_without_a_person() {
    let place = place("used");
    let day = |n: i64| DAY_ONE + n * 86_400;
    let from = |at: i64, n: u64, ton: u8, sender: &str, host: &str, verdict: &str| {
        let mut record = record(at, n, &[(host, verdict)]);
        record["address"] = json!({ "digits": sender, "ton": ton });
        record
    };
    let mut all = Vec::new();
    for n in 0..8 {
        let at = |k: u64| (day(n), n as u64 * 1_000 + k);
        (0..20).for_each(|k| all.push(from(at(k).0, at(k).1, 5, "ExBank", "www.exbank.test", "unknown")));
        // Once in a well-known name, by a number, dangerous already, on a platform, or all on one day.
        all.push(from(at(20).0, at(20).1, 5, "ExBank", "once.test", "unknown"));
        all.push(from(at(21).0, at(21).1, 1, "15550001", "number.test", "unknown"));
        all.push(from(at(22).0, at(22).1, 5, "ExShop", "bad.test", "dangerous"));
        all.push(from(at(23).0, at(23).1, 5, "ExShop", "bit.ly", "unknown"));
        (0..6).filter(|_| n == 7).for_each(|k| all.push(from(at(30 + k).0, at(30 + k).1, 5, "Flood", "flood.test", "unknown")));
    }
    let domains = || place.desk.store().read(|state| used::domains(state)).unwrap();
    let (week, rest) = all.split_at(all.iter().position(|record| record["time"] == all.last().unwrap()["time"]).unwrap() - 24);
    place.segments().append(&block(0, week)).unwrap();
    place.read();
    assert_eq!(domains(), Vec::<String>::new(), "six days are not enough");
    place.segments().append(&block(week.len() as u64, rest)).unwrap();
    place.read();
    assert_eq!(domains(), ["www.exbank.test"]);
    let list = place.dir.join("feed.txt");
    fs::write(&list, "www.exbank.test\nonce.test\nflood.test\n").unwrap();
    let settings = serde_json::from_value(json!({
        "name": "feed", "place": list, "lends": "dangerous", "category": "", "priority": 0, "every": 0, "ttl": null,
        "least_share": 0.5, "most_growth": 10.0, "most_octets": 1_000_000, "licence": "",
    }));
    let obey = |command| place.desk.obey(&Actor { name: "ada".to_owned(), via: "test".to_owned() }, command).unwrap();
    obey(Command::Source(crate::command::Source::Set(settings.unwrap())));
    obey(Command::Source(crate::command::Source::Import { name: "feed".to_owned(), force: false }));
    let conflicts = obey(Command::Source(crate::command::Source::Conflicts));
    assert_eq!((conflicts.as_array().unwrap().len(), &conflicts[0]["pattern"]), (1, &json!("www.exbank.test")));
    let suffixes = place.desk.publisher().suffixes();
    let table = control::build::open(place.desk.publisher().dir(), suffixes).unwrap();
    let says = |link: &str| control::verdicts_cmd::lookup(&table, link, "", suffixes).verdict;
    assert_eq!(["www.exbank.test", "once.test", "flood.test"].map(says), ["unknown", "dangerous", "dangerous"]);
}

#[test]
fn a_new_desk_holds_its_filters_and_a_start_finishes_what_was_killed() {
    let place = place("holds");
    let path = place.desk.publisher().dir().join("observe");
    assert_eq!(fs::read_to_string(&path).unwrap().trim(), gate::NOBODY_YET);
    assert!(!crate::publish::observes(place.desk.publisher().dir()), "who asks the API acts by himself");
    place.ask("ada", crate::command::Census::Enforce { most: None, forced: Some("a lab".to_owned()) }).unwrap();
    assert!(!path.exists());
    // Killed between the word and the file.
    fs::write(&path, gate::NOBODY_YET).unwrap();
    place.desk.hold().unwrap();
    assert!(!path.exists());
    fs::write(&path, "ada: complaints").unwrap();
    place.desk.hold().unwrap();
    assert!(path.exists() && crate::publish::observes(place.desk.publisher().dir()));
}

fn decide_safe(host: &str) -> crate::decide::Draft {
    crate::decide::Draft {
        pattern: host.to_owned(),
        verdict: "safe".to_owned(),
        reason: "a test".to_owned(),
        ..crate::decide::Draft::default()
    }
}
