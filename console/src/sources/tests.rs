use super::*;
use crate::command::{Command, Decide, Protect, Source as Sourced, Verify};
use crate::desk::Desk;
use crate::verify::settings::Change;
use control::verdicts_cmd::{Found, lookup};
use std::path::PathBuf;
use std::sync::Arc;

struct Place {
    dir: PathBuf,
    desk: Arc<Desk>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn place(name: &str) -> Place {
    let dir = std::env::temp_dir().join(format!("ztsms-sources-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let desk = Desk::open(&dir).unwrap();
    Place { dir, desk }
}

impl Place {
    fn obey(&self, who: &str, command: Command) -> Result<Value> {
        self.desk.obey(&Actor { name: who.to_owned(), via: "test".to_owned() }, command)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.join(name), text).unwrap();
    }

    /// Sets a source by the name of its file.
    fn set(&self, who: &str, name: &str, lends: &str) -> Result<Value> {
        let settings = json!({
            "name": name, "place": self.dir.join(name), "lends": lends, "category": "", "priority": 0, "every": 0, "ttl": null,
            "least_share": 0.0, "most_growth": 10.0, "most_octets": 1_000_000, "licence": "",
        });
        self.obey(who, Command::Source(Sourced::Set(serde_json::from_value(settings).unwrap())))
    }

    fn import(&self, who: &str, name: &str) -> Result<Value> {
        self.obey(who, Command::Source(Sourced::Import { name: name.to_owned(), force: false }))
    }

    /// Why the newest import of it is held back.
    fn held(&self, who: &str, name: &str) -> String {
        self.import(who, name).unwrap()["held"].as_str().unwrap_or_default().to_owned()
    }

    fn list(&self, name: &str, lends: &str, text: &str) {
        self.write(name, text);
        self.set("ada", name, lends).unwrap();
        self.import("ada", name).unwrap();
    }

    fn accept(&self, who: &str, name: &str) -> Result<Value> {
        let versions = self.desk.store().read(|state| versions(state, name)).unwrap();
        self.to(who, name, versions.first().map(|version| version.id))
    }

    fn to(&self, who: &str, name: &str, to: Option<i64>) -> Result<Value> {
        self.obey(who, Command::Source(Sourced::Version { name: name.to_owned(), to }))
    }

    fn suspend(&self, name: &str, why: Option<&str>) {
        let why = why.map(str::to_owned);
        self.obey("ada", Command::Source(Sourced::Suspend { name: name.to_owned(), why })).unwrap();
    }

    fn two_people(&self) {
        self.obey("ada", Command::Verify(Verify::Settings(Change { people: Some(2), rdap: None }))).unwrap();
    }

    fn finds(&self, link: &str) -> Found {
        let publisher = self.desk.publisher();
        let table = control::build::open(publisher.dir(), publisher.suffixes()).unwrap();
        lookup(&table, link, "", publisher.suffixes())
    }

    fn says(&self, link: &str) -> &'static str {
        self.finds(link).verdict
    }
}

fn refused(done: Result<Value>) -> String {
    done.unwrap_err().to_string()
}

const HALF_READ: &str = "login-bank.test\n!! x y\n?? a b\n** b c\n";

#[test]
fn what_was_read_as_one_thing_does_not_count_as_another_until_it_is_read_anew() {
    let at = place("turned");
    at.two_people();
    at.write("lst", HALF_READ);
    at.set("ada", "lst", "dangerous").unwrap();
    assert!(at.held("ada", "lst").contains("cannot be read"));
    at.set("ada", "lst", "safe").unwrap();
    assert!(refused(at.accept("ada", "lst")).contains("no such version"));
    // Read anew it is held for both reasons, whoever forces it.
    let held = at.held("ada", "lst");
    assert!(held.contains("1 new entries are safe") && held.contains("cannot be read"), "{held}");
    assert!(refused(at.accept("ada", "lst")).contains("another person"));
    assert_eq!(at.says("https://login-bank.test/"), "unknown");
    at.accept("bob", "lst").unwrap();
    assert_eq!(at.says("https://login-bank.test/"), "safe");
    // A ranked list is no list of names that are dangerous.
    at.list("top", "rank", "1,google.com\n2,wikipedia.org\n");
    at.set("ada", "top", "dangerous").unwrap();
    assert_eq!(at.says("https://google.com/"), "unknown");
    assert!(refused(at.import("ada", "top")).contains("popular is not safe"));
    // What counted and was turned is read again where nothing is new in it.
    at.list("bad", "dangerous", "evil.example\n");
    at.set("ada", "bad", "unknown").unwrap();
    at.set("ada", "bad", "dangerous").unwrap();
    assert_eq!(at.says("https://evil.example/"), "unknown");
    at.import("ada", "bad").unwrap();
    assert_eq!(at.says("https://evil.example/"), "dangerous");
}

#[test]
fn who_accepts_is_asked_when_it_would_count_and_has_neither_set_nor_imported_it() {
    let at = place("moment");
    at.write("good", HALF_READ);
    at.set("ada", "good", "safe").unwrap();
    assert!(!at.held("ada", "good").contains("two people"));
    at.two_people();
    assert!(refused(at.accept("ada", "good")).contains("you have set good"));
    // Whoever brings in what another has set does not agree to it either.
    at.write("good", "login-bank.test\nmore-bank.test\n");
    assert!(at.held("bob", "good").contains("2 new entries are safe"));
    assert!(refused(at.accept("bob", "good")).contains("you have imported good"));
    at.accept("eve", "good").unwrap();
    let first = at.desk.store().read(|state| one(state, "good")).unwrap().version;
    // Going back to what was safe is no other thing.
    at.write("good", "login-bank.test\n");
    assert_eq!(at.held("ada", "good"), "");
    assert_eq!(at.says("https://more-bank.test/"), "unknown");
    assert!(refused(at.to("ada", "good", first)).contains("another person"));
    at.to("eve", "good", first).unwrap();
    assert_eq!(at.says("https://more-bank.test/"), "safe");
}

#[test]
fn lines_that_kept_names_from_being_safe_leave_a_list_of_ours_by_two_people() {
    let at = place("leave");
    let text = "pattern,verdict\nbuilder.example,safe\n@builder.example,\nbank2.example,safe\npay.bank2.example,dangerous\n";
    at.list("own", "own", text);
    at.two_people();
    let links = ["https://evil.builder.example/", "https://pay.bank2.example/"];
    at.write("own", "pattern,verdict\nbuilder.example,safe\nbank2.example,safe\n");
    assert!(at.held("ada", "own").contains("2 lines that are not safe go"));
    assert_eq!(links.map(|link| at.says(link)), ["unknown", "dangerous"]);
    assert!(refused(at.accept("ada", "own")).contains("another person"));
    at.accept("bob", "own").unwrap();
    assert_eq!(links.map(|link| at.says(link)), ["safe", "safe"]);
    // What was safe leaves by one person.
    at.write("own", "pattern,verdict\nbank2.example,safe\n");
    assert_eq!(at.held("ada", "own"), "");
    // Nor do they leave with their list.
    let remove = |name: &str| at.obey("ada", Command::Source(Sourced::Remove(name.to_owned())));
    at.list("more", "own", "pattern,verdict\npay.bank2.example,dangerous\n");
    assert!(refused(remove("more")).contains("1 lines that are not safe go"));
    assert_eq!(at.says(links[1]), "dangerous");
    at.write("more", "pattern,verdict\n");
    at.import("ada", "more").unwrap();
    at.accept("bob", "more").unwrap();
    remove("more").unwrap();
    remove("own").unwrap();
}

#[test]
fn a_name_that_is_known_to_be_young_is_safe_by_no_list_of_one_person() {
    let at = place("young");
    let young = |days: i64| {
        let found = json!({ "collected": time::now(), "network": ztsms_fetch::protocol::Evidence::default(), "age_days": days, "likes": [] });
        move |transaction: &rusqlite::Transaction<'_>| -> Result<()> {
            transaction.execute(
                "INSERT INTO proposals (host, registrable, below, senders, category, reason, author, proposed, token, holds, state, why, changed)
                 VALUES ('young.example', 'young.example', 0, '', '', '', 'ada', 0, '', 1, 'rejected', '', 0)",
                [],
            )?;
            transaction.execute(
                "INSERT INTO evidence (proposal, collected, found) VALUES (last_insert_rowid(), 0, ?1)",
                [found.to_string()],
            )?;
            Ok(())
        }
    };
    at.desk.store().note(young(2)).unwrap();
    at.write("own", "pattern,verdict\n=www.young.example,safe\nold.example,safe\n");
    at.write("good", "young.example\n");
    for (name, lends) in [("own", "own"), ("good", "safe")] {
        at.set("ada", name, lends).unwrap();
        assert!(at.held("ada", name).contains("young.example is 2 days old"), "{name}");
        assert!(refused(at.accept("ada", name)).contains("another person"), "{name}");
        assert_eq!(at.says("https://www.young.example/"), "unknown", "{name}");
    }
    at.accept("bob", "own").unwrap();
    assert_eq!(at.says("https://www.young.example/"), "safe");
    // What is known to be old is not young.
    at.desk.store().note(young(90)).unwrap();
    at.accept("ada", "good").unwrap();
}

#[test]
fn nothing_is_safe_by_the_silence_of_a_source_that_is_out_of_force() {
    let at = place("silence");
    let evil = "https://evil.big.example/";
    at.list("good", "safe", "big.example\nalone.example\n");
    at.list("bad", "dangerous", "evil.big.example\nbig.example/phish\nother.example\n");
    at.list("places", "platform", "pages.big.example\n");
    let links =
        [evil, "https://big.example/phish/x", "https://x.pages.big.example/", "https://big.example/", "https://other.example/"];
    let says = || links.map(|link| at.says(link));
    assert_eq!(says(), ["dangerous", "dangerous", "unknown", "safe", "dangerous"]);
    let was = at.desk.store().read(|state| one(state, "bad")).unwrap();
    for name in ["bad", "places"] {
        at.suspend(name, Some("a test"));
    }
    assert_eq!(says(), ["unknown", "unknown", "unknown", "safe", "unknown"]);
    assert_eq!(at.finds(evil).source.as_deref(), Some("bad"));
    assert_eq!(at.finds("https://other.example/").entry, None, "what nothing safe reaches is not built");
    // What another list calls dangerous above it is dangerous still.
    at.list("worse", "dangerous", "evil.big.example\n");
    assert_eq!(at.says(evil), "dangerous");
    at.write("bad", "x.evil.big.example\n");
    at.import("ada", "bad").unwrap();
    assert_eq!(at.says("https://x.evil.big.example/"), "dangerous");
    for name in ["bad", "places"] {
        at.suspend(name, None);
    }
    at.to("ada", "bad", was.version).unwrap();
    assert_eq!(says(), ["dangerous", "dangerous", "unknown", "safe", "dangerous"]);
    // Nor by that of one that was not looked at in time.
    at.obey("ada", Command::Source(Sourced::Remove("worse".into()))).unwrap();
    let late = "UPDATE sources SET ttl = 60, checked = 1 WHERE name = 'bad'";
    at.desk.store().note(move |state| Ok(state.execute(late, [])?)).unwrap();
    at.desk.catch_up().unwrap();
    assert_eq!(says(), ["unknown", "unknown", "unknown", "safe", "unknown"]);
}

#[test]
fn a_list_of_ours_that_is_suspended_makes_nothing_safe_and_keeps_no_other_from_being_dangerous() {
    let at = place("own-silence");
    at.list("good", "safe", "big.example\n");
    at.list("ours", "own", "pattern,verdict\nour.example,safe\n");
    at.list("more", "own", "pattern,verdict\npay.our.example,dangerous\nevil.big.example,dangerous\nfine.example,safe\n");
    at.list("bad", "dangerous", "x.evil.big.example\n");
    at.suspend("more", Some("a test"));
    let links = ["pay.our.example", "evil.big.example", "x.evil.big.example", "fine.example"];
    assert_eq!(links.map(|link| at.says(link)), ["unknown", "unknown", "dangerous", "unknown"]);
}

#[test]
fn what_a_line_of_ours_calls_its_source_does_not_suspend_it() {
    let at = place("whose");
    at.list("f", "dangerous", "bad.example\n");
    at.list("own", "own", "pattern,verdict,category,senders,source,expires,note\nmine.example,dangerous,,,f,,\n");
    at.suspend("f", Some("a test"));
    assert_eq!(["mine.example", "bad.example"].map(|link| at.says(link)), ["dangerous", "unknown"]);
    assert_eq!(at.finds("mine.example").source.as_deref(), Some("own"));
}

#[test]
fn no_feed_calls_a_named_host_dangerous_by_a_name_above_it() {
    let at = place("above");
    for command in [
        Protect::Host { host: "portal.gov.test".into(), why: "g".into() },
        Protect::Host { host: "www.bank.example".into(), why: "b".into() },
        Protect::Host { host: "www.docs.google.com".into(), why: "below a platform".into() },
        Protect::Sender { sender: "ExBank".into(), hosts: vec!["pay.exbank.test".into()] },
    ] {
        at.obey("ada", Command::Protect(command)).unwrap();
    }
    let draft = json!({ "pattern": "=ok.bulk.test", "verdict": "safe", "category": "", "senders": [], "reason": "a test", "expires": null });
    at.obey("ada", Command::Decide(Decide::Set(serde_json::from_value(draft).unwrap()))).unwrap();
    at.list("f", "dangerous", "gov.test\nbank.example\nexbank.test\nwww.gov.test\ngoogle.com\nbulk.test\n");
    let links = [
        "portal.gov.test",
        "www.bank.example",
        "pay.exbank.test",
        "www.gov.test",
        "x.google.com",
        "ok.bulk.test",
        "evil.bulk.test",
    ];
    let says = ["unknown", "unknown", "unknown", "dangerous", "dangerous", "safe", "dangerous"];
    assert_eq!(links.map(|link| at.says(link)), says);
    let conflicts = at.obey("ada", Command::Source(Sourced::Conflicts)).unwrap();
    let listed: Vec<String> =
        conflicts.as_array().unwrap().iter().map(|c| format!("{} {}", c["pattern"], c["protected"]).replace('"', "")).collect();
    assert_eq!(listed, ["bank.example www.bank.example", "exbank.test pay.exbank.test", "gov.test portal.gov.test"]);
}

#[test]
fn a_safe_line_that_holds_for_one_page_says_so_and_an_unknown_column_is_no_list() {
    let at = place("notes");
    at.write(
        "own",
        "pattern,verdict\ncom,safe\ngithub.io,safe\nbit.ly,safe\n=bit.ly,safe\nfine.example,safe\nduckdns.org,dangerous\n",
    );
    at.set("ada", "own", "own").unwrap();
    let imported = at.import("ada", "own").unwrap();
    let notes: Vec<&str> = imported["notes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(notes.len(), 3, "{notes:?}");
    for (note, why) in notes.iter().zip(["com is a public suffix", "github.io is a public suffix", "bit.ly is a platform"]) {
        assert!(note.starts_with(why) && note.ends_with("that page alone"), "{note}");
    }
    at.write("own", "pattern,verdict,expire\nq2.example,safe,2020-01-01\n");
    let said = refused(at.import("ada", "own"));
    assert!(said.contains("line 1: column \"expire\": known are pattern, verdict"), "{said}");
    assert_eq!(at.says("q2.example"), "unknown");
}

#[test]
fn an_address_at_a_port_that_nobody_goes_to_is_told() {
    let at = place("port");
    for (place, note) in
        [("https://host.example:8443/x", "port 8443"), ("https://host.example/x", ""), ("http://host.example:443/", "")]
    {
        let settings = json!({
            "name": "c", "place": place, "lends": "dangerous", "category": "", "priority": 0, "every": 0, "ttl": null,
            "least_share": 0.5, "most_growth": 10.0, "most_octets": 1_000_000, "licence": "",
        });
        let set = at.obey("ada", Command::Source(Sourced::Set(serde_json::from_value(settings).unwrap()))).unwrap();
        assert!(set["note"].as_str().unwrap_or_default().starts_with(note) && set["note"].is_null() == note.is_empty(), "{set}");
    }
}
