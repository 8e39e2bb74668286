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
        self.ask(crate::command::Triage::Decide(order(target, verdict)))
    }

    fn effect(&self, target: &str, verdict: &str) -> Result<Value> {
        self.ask(crate::command::Triage::Effect(order(target, verdict)))
    }

    /// Domains that wait.
    fn waiting(&self) -> Vec<String> {
        self.list().iter().map(|group| group["domain"].as_str().unwrap().to_owned()).collect()
    }
}

fn order(target: &str, verdict: &str) -> Order {
    Order { target: target.to_owned(), verdict: verdict.to_owned(), reason: "a test".to_owned(), expires: None }
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
    let effect = place.effect(&target, "dangerous").unwrap();
    assert_eq!(effect["messages"], 60);
    assert_eq!(effect["patterns"], json!(["bit.ly/3xAmPle", "fee-one.example", "fee-two.test"]));
    assert!(place.decide(&target, "safe").unwrap_err().to_string().contains("not of a text"));
    assert_eq!(place.decide(&target, "dangerous").unwrap()["decisions"].as_array().unwrap().len(), 3);
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
    assert_eq!(place.effect("grows.example", "safe").unwrap()["messages"], 9);
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

#[test]
fn the_effect_is_what_the_table_would_say_and_nothing_waits_less_than_is_decided() {
    let mut place = place("effect");
    let now = time::now();
    for n in 0..22 {
        place.arrive(1, now, "Shop", "short LINK", &format!("bit.ly/p{n}"), "platform");
    }
    place.arrive(3, now, "Shop", "short LINK", "bit.ly", "platform");
    place.arrive(8, now, "Post", "a LINK", "post.example/d4tpsW", "no-entry");
    place.arrive(5, now, "Post", "a LINK", "post.example/other", "no-entry");
    place.arrive(7, now, "Shop", "short LINK", "mail.google.com/maps", "no-entry");
    place.arrive(6, now, "Shop", "short LINK", "docs.google.com/form", "platform");
    assert_eq!(place.look(), 51);
    let messages = |target: &str, verdict: &str| place.effect(target, verdict).unwrap()["messages"].as_i64().unwrap();
    // A platform's own page alone, and the whole of it.
    assert_eq!((messages("=bit.ly", "dangerous"), messages("bit.ly", "dangerous")), (3, 25));
    assert_eq!((messages("bit.ly/p7", "dangerous"), messages("POST.example/d4tpsW", "dangerous")), (1, 8));
    // `safe` from above passes no platform.
    assert_eq!((messages("google.com", "safe"), messages("google.com", "dangerous")), (7, 13));
    assert_eq!(messages("post.example", "unknown"), 0);
    // What would be refused is refused before.
    let effect = |target: &str, verdict: &str| place.effect(target, verdict).unwrap_err().to_string();
    assert!(effect("bit.ly", "safe").contains("is a platform") && effect("@bit.ly", "dangerous").contains("a platform has no"));
    assert!(effect("bit.ly", "bogus").contains("later") && effect("#999", "dangerous").contains("no campaign"));
    assert!(effect("#x", "dangerous").contains("as #12"));
    let past = Order { expires: Some(now - 1), ..order("post.example", "dangerous") };
    assert!(place.ask(crate::command::Triage::Effect(past)).unwrap_err().to_string().contains("would have ended"));
    let end = Order { expires: Some(now + 60), ..order("post.example", "later") };
    assert!(place.ask(crate::command::Triage::Decide(end)).unwrap_err().to_string().contains("a day"));
    // The page decided, its platform waits on.
    place.decide("=bit.ly", "dangerous").unwrap();
    place.decide("google.com", "safe").unwrap();
    let shown = place.ask(crate::command::Triage::Show("BIT.ly.".to_owned())).unwrap();
    assert_eq!(shown["group"]["domain"], "bit.ly");
    let mut waiting = place.waiting();
    waiting.sort();
    assert_eq!(waiting, ["bit.ly", "google.com", "post.example"], "docs.google.com is not decided");
    assert_eq!(place.list().iter().find(|group| group["domain"] == "google.com").unwrap()["hosts"], json!(["docs.google.com"]));
}

#[test]
fn later_puts_off_what_it_names_and_nothing_beside_it() {
    let mut place = place("later");
    let now = time::now();
    let other = "Your table for two is booked tonight at eight, see the menu: LINK";
    place.arrive(8, now, "33612345678", PARCEL, "post.example/d4tpsW", "no-entry");
    place.arrive(5, now, "Bistro", other, "post.example/menu", "no-entry");
    place.arrive(5, now, "Bistro", other, "post.example/more", "no-entry");
    place.arrive(4, now, "33612345678", PARCEL, "fee.example/x", "no-entry");
    place.look();
    let day = |domain: &str| place.list().iter().find(|group| group["domain"] == domain).map(|group| group["day"].clone());
    assert_eq!((day("post.example"), day("fee.example")), (Some(json!(18)), Some(json!(4))));
    // Of a host's texts those alone that have no other page.
    place.decide("post.example/d4tpsW", "later").unwrap();
    assert_eq!((day("post.example"), day("fee.example")), (Some(json!(10)), Some(json!(4))));
    assert!(place.decide("post.example/menu", "later").unwrap_err().to_string().contains("other links"));
    let shown = place.ask(crate::command::Triage::Show("fee.example".to_owned())).unwrap();
    let effect = place.effect(&format!("#{}", shown["campaigns"][0]["id"]), "later").unwrap();
    assert_eq!((&effect["messages"], &effect["hosts"]), (&json!(0), &json!(["fee.example", "post.example"])));
    place.decide(&format!("#{}", shown["campaigns"][0]["id"]), "later").unwrap();
    assert_eq!((day("post.example"), day("fee.example")), (Some(json!(10)), None), "the other campaign waits on");
    place.decide("post.example", "later").unwrap();
    assert_eq!(day("post.example"), None);
}

#[test]
fn what_is_left_of_a_campaign_of_many_hosts_is_said_and_decided_next() {
    let mut place = place("many");
    let now = time::now();
    for n in 0..1_100 {
        place.arrive(1, now, "33612345678", PARCEL, &format!("h{n}.example/x"), "no-entry");
    }
    place.look();
    let shown = place.ask(crate::command::Triage::Show("h0.example".to_owned())).unwrap();
    assert_eq!((shown["campaigns"].as_array().unwrap().len(), &shown["campaigns"][0]["more"]), (1, &json!(100)));
    let target = format!("#{}", shown["campaigns"][0]["id"]);
    let effect = place.effect(&target, "dangerous").unwrap();
    assert_eq!((&effect["messages"], &effect["left"]), (&json!(1_000), &json!(100)));
    assert_eq!(place.decide(&target, "dangerous").unwrap()["left"], 100);
    let effect = place.effect(&target, "dangerous").unwrap();
    assert_eq!((&effect["left"], effect["patterns"].as_array().unwrap().len()), (&json!(0), 1_000));
    place.decide(&target, "dangerous").unwrap();
    assert_eq!(place.waiting(), Vec::<String>::new());
}
