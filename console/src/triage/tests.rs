use std::fs;

use control::spool::{ConsoleKey, Limits, Plain, Segments, mask, new_secret_key, simhash};
use dataplane::suffix::Suffixes;
use serde_json::{Value, json};

use super::*;
use crate::audit::Actor;
use crate::command::{Command, Protect};
use crate::triage::decide::Order;

struct Place {
    dir: PathBuf,
    desk: Arc<Desk>,
    triage: Triage,
    segments: Segments,
    public: ConsoleKey,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn place(name: &str) -> Place {
    let dir = std::env::temp_dir().join(format!("ztsms-triage-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    let desk = Desk::open(&dir.join("desk")).unwrap();
    let key = new_secret_key();
    let public = ConsoleKey::of(&key);
    let segments = Segments::new(&dir.join("work"), Kind::Work, Limits::default()).unwrap();
    let triage = Triage::new(&dir.join("work"), key);
    Place { dir, desk, triage, segments, public, number: 0 }
}

impl Place {
    /// Messages as the filter writes them: each to another subscriber, from this sender, with this text and its link.
    fn arrive(&mut self, count: u64, at: i64, sender: &str, text: &str, link: &str, reason: &str) {
        let mut plain = Plain::default();
        for _ in 0..count {
            self.number += 1;
            let sketch = mask(&text.replace("LINK", link), &[link]);
            let sum = simhash(&sketch).map(|sum| format!("{sum:016x}"));
            let url = format!("https://{link}");
            let record = json!({ "schema": "ztsms.work.v1", "time": jiff::Timestamp::from_second(at).unwrap().to_string(),
                "content_key": format!("{:032x}", self.number), "sender": sender, "recipient": null, "verdict": "unknown",
                "action": "label", "sketch": sketch, "simhash": sum,
                "urls": [{ "text": link, "url": url, "verdict": "unknown", "reason": reason, "id": null }] });
            plain.push(record.to_string().as_bytes());
        }
        self.segments.append(&plain.finish(self.number, Some(&self.public))).unwrap();
    }

    fn look(&self) -> u64 {
        self.triage.look(&self.desk).unwrap()
    }

    fn obey(&self, command: Command) -> Result<Value> {
        self.desk.obey(&Actor { name: "ada".to_owned(), via: "test".to_owned() }, command)
    }

    fn ask(&self, command: crate::command::Triage) -> Result<Value> {
        self.obey(Command::Triage(command))
    }

    fn list(&self) -> Vec<Value> {
        serde_json::from_value(self.ask(crate::command::Triage::List { all: false, most: 99 }).unwrap()).unwrap()
    }

    fn decide(&self, target: &str, verdict: &str) -> Result<Value> {
        let (target, verdict) = (target.to_owned(), verdict.to_owned());
        let order = Order { target, verdict, reason: "a test".to_owned(), expires: None };
        self.ask(crate::command::Triage::Decide(order))
    }
}

const PARCEL: &str = "Your parcel 4711 waits at customs, pay 1.99 EUR here: LINK";

#[test]
fn a_campaign_that_moves_hosts_keeps_its_group_and_is_decided_at_once() {
    let mut place = place("moves");
    let now = time::now();
    place.arrive(30, now, "33612345678", PARCEL, "fee-one.example/p?id=1", "no-entry");
    place.arrive(20, now, "33612345679", &PARCEL.replace("4711", "99"), "fee-two.test/x", "no-entry");
    place.arrive(10, now, "33612345680", PARCEL, "bit.ly/3xAmPle?s=2", "platform");
    place.arrive(
        40,
        now,
        "Bistro",
        "Your table for two is booked tonight at eight, see the menu: LINK",
        "menu.example/m",
        "no-entry",
    );
    assert_eq!((place.look(), place.look()), (100, 0));
    let shown = place.ask(crate::command::Triage::Show("fee-one.example".to_owned())).unwrap();
    let id = shown["campaigns"][0]["id"].as_i64().unwrap();
    assert_eq!(shown["campaigns"].as_array().unwrap().len(), 1);
    assert_eq!(shown["campaigns"][0]["sketch"], "Your parcel # waits at customs, pay #.# EUR here: @");
    assert_eq!(shown["campaigns"][0]["hosts"].as_object().unwrap().len(), 3, "{shown}");
    let target = format!("#{id}");
    let effect = place.ask(crate::command::Triage::Effect(target.clone())).unwrap();
    assert_eq!(effect["messages"], 60);
    assert_eq!(effect["patterns"], json!(["bit.ly/3xAmPle", "fee-one.example", "fee-two.test"]));
    assert!(place.decide(&target, "safe").unwrap_err().to_string().contains("not of a text"));
    assert_eq!(place.decide(&target, "dangerous").unwrap().as_array().unwrap().len(), 3);
    let table = place.desk.publisher().table().unwrap();
    let says = |link: &str| control::verdicts_cmd::lookup(&table, link, "", &Suffixes::built_in()).verdict;
    assert_eq!(["bit.ly/3xAmPle", "x.fee-one.example", "fee-two.test/y"].map(says), ["dangerous"; 3]);
    assert_eq!(["bit.ly/other", "menu.example"].map(says), ["unknown"; 2]);
    // Decided, they wait no more; the platform's page is no word about the platform.
    let left: Vec<Value> = place.list().into_iter().map(|group| group["domain"].clone()).collect();
    assert_eq!(left, [json!("menu.example"), json!("bit.ly")]);
    // Taken back, it waits again.
    let decision = place.desk.store().read(|s| decide_id(s, "fee-two.test")).unwrap();
    place.obey(Command::Decide(crate::command::Decide::Undo { id: decision, reason: "a test".to_owned() })).unwrap();
    assert!(place.list().iter().any(|group| group["domain"] == "fee-two.test"));
}

fn decide_id(state: &rusqlite::Transaction<'_>, pattern: &str) -> Result<i64> {
    Ok(crate::decide::at(state, pattern)?.unwrap().id)
}

#[test]
fn likeness_reports_and_growth_come_first_and_decide_nothing() {
    let mut place = place("ranks");
    let now = time::now();
    let (sender, hosts) = ("ExBank".to_owned(), vec!["exbank.example".to_owned()]);
    place.obey(Command::Protect(Protect::Sender { sender, hosts })).unwrap();
    place.arrive(9, now - 5 * 3_600, "Shop", "short LINK", "steady.example", "no-entry");
    place.arrive(9, now, "Shop", "short LINK", "grows.example", "no-entry");
    place.arrive(9, now, "Shop", "short LINK", "secure-exb4nk.test", "no-entry");
    place.arrive(2, now, "Shop", "short LINK", "exbank.example.evil.test", "no-entry");
    place.arrive(9, now - 5 * 3_600, "Shop", "short LINK", "reported.example", "no-entry");
    place.look();
    for reporter in ["a", "b", "c", "a"] {
        let report = move |transaction: &rusqlite::Transaction<'_>| {
            let sql = "INSERT INTO reports (time, key, print, reporter) VALUES (?1, 1, x'', ?2)";
            transaction.execute(sql, (now, reporter))?;
            let sql = "INSERT INTO report_links VALUES (?1, 'reported.example', 'reported.example', '', 'unknown', 'no-entry')";
            transaction.execute(sql, [transaction.last_insert_rowid()])?;
            Ok(())
        };
        place.desk.store().note(report).unwrap();
    }
    let list = place.list();
    let of = |domain: &str| list.iter().find(|group| group["domain"] == domain).unwrap();
    let first: Vec<_> = list.iter().take(2).map(|group| &group["domain"]).collect();
    assert_eq!(first, [&json!("secure-exb4nk.test"), &json!("evil.test")]);
    assert_eq!((&of("evil.test")["like"], &of("steady.example")["like"]), (&json!("ExBank"), &Value::Null));
    assert_eq!(of("reported.example")["reports"], 3);
    let place_of = |domain: &str| list.iter().position(|group| group["domain"] == domain).unwrap();
    assert!(place_of("grows.example") < place_of("steady.example"));
    assert!(place_of("reported.example") < place_of("steady.example"));
    let decisions = place.desk.store().read(|state| crate::decide::list(state, true, 9)).unwrap();
    assert!(decisions.is_empty(), "nothing decides but people");
    place.decide("steady.example", "later").unwrap();
    assert!(!place.list().iter().any(|group| group["domain"] == "steady.example"));
    assert_eq!(place.ask(crate::command::Triage::Effect("grows.example".to_owned())).unwrap()["messages"], 9);
}

#[test]
fn what_is_sealed_for_another_is_said_and_read_once_the_right_key_is_here() {
    let mut place = place("sealed");
    place.arrive(3, time::now(), "Shop", PARCEL, "one.example", "no-entry");
    let other = Triage::new(&place.dir.join("work"), new_secret_key());
    let why = other.look(&place.desk).unwrap_err().to_string();
    assert!(why.contains("another key"), "{why}");
    assert_eq!(place.look(), 3);
}
