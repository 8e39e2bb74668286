//! From a proposal to a verdict and back, with real name servers, sites and a registry in a small Internet of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "../../../fetch/tests/network/world.rs"]
mod world;

mod example;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use console::audit::Actor;
use console::command::{Command, Decide, Verify};
use console::desk::Desk;
use console::verify::bulk::Bulk;
use console::verify::settings::Change;
use console::verify::{Draft, watch};
use console::{Error, Result, alarms, decide, time};
use control::verdicts_cmd::lookup;
use serde_json::Value;
use world::World;
use ztsms_fetch::guard::{self, Guard};
use ztsms_fetch::serve::{self, Service};

const YEAR: i64 = 365 * 86_400;

/// A desk, and the Internet that it asks.
struct Place {
    desk: Arc<Desk>,
    world: World,
}

/// A bank, an insurer and a registry; the desk's fetcher stands in the box.
fn place() -> Option<Place> {
    let mut world = World::new()?;
    world.zone("bank.example.", "@ A 11.0.0.2\nwww A 11.0.0.2");
    world.zone("young.example.", "@ A 11.0.0.2");
    world.zone("odd.example.", "@ A 11.0.0.2");
    world.zone("example.", "rdap A 11.0.0.3");
    world.knot();
    let certificate = world.certificate(&["bank.example", "young.example", "odd.example", "rdap.example"]);
    world.nginx(&format!(
        "server {{ listen 11.0.0.2:443 ssl; {certificate} }} server {{ listen 11.0.0.3:443 ssl; {certificate} root {}/rdap; }}",
        world.dir().display()
    ));
    fs::create_dir_all(world.dir().join("www/.well-known")).unwrap();
    fs::create_dir_all(world.dir().join("rdap/domain")).unwrap();
    let socket = fetcher(&world);
    let desk = Desk::open_with(&world.dir().join("desk"), &socket).unwrap();
    let place = Place { desk, world };
    place.registered("bank.example", "2001-02-03T00:00:00Z", "Registrar One");
    let change = Change { people: Some(1), rdap: Some("https://rdap.example/".into()) };
    place.verify("ada", Verify::Settings(change)).unwrap();
    Some(place)
}

/// The fetcher as a library, inside.
fn fetcher(world: &World) -> PathBuf {
    let socket = world.fresh("fetch.sock");
    let options = guard::Options {
        resolvers: vec!["11.0.0.53:53".parse().unwrap()],
        roots: vec![world.authority()],
        ..guard::Options::default()
    };
    let (at, inside) = (socket.clone(), tokio::runtime::Builder::new_current_thread);
    world.within("box", move || {
        // A thread that is started in a namespace stays there.
        thread::spawn(move || {
            inside().enable_all().build().unwrap().block_on(async {
                let options = (
                    Guard::new(options).unwrap(),
                    serve::Options {
                        on: vec!["evidence".into()],
                        connections: 8,
                        at_once: 8,
                        lists_at_once: 1,
                        waiting: 8,
                        expand_per_minute: 1,
                        live_per_minute: 1,
                        jitter: Duration::ZERO,
                    },
                );
                let listener = tokio::net::UnixListener::bind(at).unwrap();
                serve::serve(listener, Arc::new(Service::new(options.0, options.1))).await
            })
        });
    });
    while !socket.exists() {
        thread::sleep(Duration::from_millis(5));
    }
    socket
}

impl Place {
    fn verify(&self, who: &str, command: Verify) -> Result<Value> {
        self.desk.obey(&Actor { name: who.into(), via: "test".into() }, Command::Verify(command))
    }

    fn propose(&self, who: &str, host: &str) -> Result<Value> {
        let draft = Draft { host: host.into(), reason: "their letter".into(), holds: YEAR, ..Draft::default() };
        self.verify(who, Verify::Propose(draft))
    }

    fn approve(&self, who: &str, id: i64) -> Result<Value> {
        self.verify(who, Verify::Approve { id, reason: "called back".into(), below: false, unseen: false })
    }

    /// Proposed by Ada, proved by its owner, agreed to by both.
    fn verified(&self, host: &str) -> i64 {
        let shown = self.propose("ada", host).unwrap();
        let id = id(&shown);
        self.shows(shown.pointer("/proposal/token").and_then(Value::as_str).unwrap());
        self.verify("ada", Verify::Collect(id)).unwrap();
        self.approve("ada", id).unwrap();
        if self.state(id) == "open" {
            self.approve("bob", id).unwrap();
        }
        assert_eq!((self.state(id).as_str(), self.says(host)), ("verified", "safe"));
        id
    }

    /// The owner puts a token on the site.
    fn shows(&self, token: &str) {
        fs::write(self.world.dir().join("www/.well-known/ztsms.txt"), format!("ztsms-verify={token}\n")).unwrap();
    }

    fn registered(&self, domain: &str, when: &str, registrar: &str) {
        let record = format!(
            r#"{{"ldhName":"{domain}","events":[{{"eventAction":"registration","eventDate":"{when}"}}],
                "entities":[{{"roles":["registrar"],"handle":"{registrar}"}}]}}"#
        );
        fs::write(self.world.dir().join("rdap/domain").join(domain), record).unwrap();
    }

    fn says(&self, link: &str) -> &'static str {
        // As the filter reads it: from the files.
        let (dir, suffixes) = (self.desk.publisher().dir(), self.desk.publisher().suffixes());
        lookup(&control::build::open(dir, suffixes).unwrap(), link, "", suffixes).verdict
    }

    fn state(&self, id: i64) -> String {
        let shown = self.verify("ada", Verify::Show(id)).unwrap();
        shown.pointer("/proposal/state").and_then(Value::as_str).unwrap().to_owned()
    }

    /// The watch looks now, as if a day had gone by.
    fn a_day_later(&self) -> Result<()> {
        self.desk.store().note(|t| Ok(t.execute("UPDATE proposals SET looked = looked - 90000", [])?)).unwrap();
        watch::round(&self.desk)
    }

    fn alarms(&self) -> Vec<String> {
        let all = self.desk.store().read(|state| alarms::all(state)).unwrap();
        all.into_iter().map(|alarm| alarm.text).collect()
    }

    fn decide(&self, pattern: &str, verdict: &str) -> i64 {
        let draft = decide::Draft {
            pattern: pattern.into(),
            verdict: verdict.into(),
            reason: "a test".into(),
            ..decide::Draft::default()
        };
        let actor = Actor { name: "eve".into(), via: "test".into() };
        id_of(&self.desk.obey(&actor, Command::Decide(Decide::Set(draft))).unwrap())
    }

    fn undo(&self, id: i64) {
        let actor = Actor { name: "eve".into(), via: "test".into() };
        self.desk.obey(&actor, Command::Decide(Decide::Undo { id, reason: "a test".into() })).unwrap();
    }
}

fn id(shown: &Value) -> i64 {
    id_of(&shown["proposal"])
}

fn id_of(value: &Value) -> i64 {
    value["id"].as_i64().unwrap()
}

fn refused<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result.unwrap_err() {
        Error::Refused(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_name_is_safe_when_its_owner_has_proved_it_and_a_person_has_agreed() {
    let Some(at) = place() else { return };
    let shown = at.propose("ada", "Bank.Example.").unwrap();
    let (number, token) = (id(&shown), shown.pointer("/proposal/token").unwrap().as_str().unwrap().to_owned());
    assert_eq!((token.len(), &shown["trouble"]), (32, &Value::Null));
    assert_eq!(shown["patterns"], serde_json::json!(["=bank.example", "=www.bank.example"]));
    assert_eq!(shown["token_shown"], false);
    assert_eq!(shown.pointer("/evidence/network/dns/ok/a/0").unwrap(), "11.0.0.2");
    assert!(shown.pointer("/evidence/age_days").unwrap().as_i64().unwrap() > 9000);
    assert_eq!(shown.pointer("/needs/people").unwrap(), 1);
    assert_eq!(at.says("bank.example"), "unknown", "evidence makes no verdict");
    assert!(refused(at.propose("bob", "bank.example")).contains("is open already"));

    at.shows(&token);
    let shown = at.verify("ada", Verify::Collect(number)).unwrap();
    assert_eq!((&shown["token_shown"], at.says("bank.example")), (&Value::Bool(true), "unknown"));
    let approved = at.approve("bob", number).unwrap();
    assert_eq!(approved["decisions"].as_array().unwrap().len(), 2);
    for (link, verdict) in [
        ("https://bank.example/pay", "safe"),
        ("www.bank.example", "safe"),
        ("login.bank.example", "unknown"),
        ("a.www.bank.example", "unknown"),
        ("bank.example.evil.example", "unknown"),
    ] {
        assert_eq!(at.says(link), verdict, "{link}");
    }
    let decision = &approved["decisions"][0];
    assert_eq!(
        (decision["author"].as_str(), decision["reason"].as_str()),
        (Some("bob"), Some("verified, proposal 1: called back"))
    );
    let ends = decision["expires"].as_i64().unwrap();
    assert!((ends - time::now() - YEAR).abs() < 60);

    // Its day comes: unknown again, and the proposal has ended.
    assert_eq!(decide::expire(at.desk.store(), ends + 60).unwrap(), 2);
    watch::round(&at.desk).unwrap();
    assert_eq!((at.says("bank.example"), at.state(number).as_str()), ("unknown", "ended"));
}

#[test]
fn a_young_name_one_of_unknown_age_one_that_looks_like_another_and_what_is_below_have_two_people() {
    let Some(at) = place() else { return };
    let yesterday = time::shown(time::now() - 86_400);
    at.registered("young.example", &yesterday, "Registrar One");
    let draft = |host: &str, below| Draft { host: host.into(), reason: "theirs".into(), holds: YEAR, below, ..Draft::default() };
    for (host, below, why) in
        [("young.example", false, "1 days old"), ("odd.example", false, "nobody knows how old"), ("bank.example", true, "below")]
    {
        let shown = at.verify("ada", Verify::Propose(draft(host, below))).unwrap();
        let number = id(&shown);
        assert_eq!(shown.pointer("/needs/people").unwrap(), 2, "{host}");
        assert!(shown.pointer("/needs/why").unwrap().to_string().contains(why), "{shown}");
        let approve = |who: &str| at.verify(who, Verify::Approve { id: number, reason: "seen".into(), below, unseen: false });
        for _ in 0..2 {
            let once = approve("ada").unwrap();
            assert_eq!(
                (once.pointer("/needs/missing").unwrap().as_i64(), at.says(host)),
                (Some(1), "unknown"),
                "one who agrees twice is one"
            );
        }
        if below {
            assert!(refused(at.approve("bob", number)).contains("--below"));
        }
        approve("bob").unwrap();
        assert_eq!(at.says(host), "safe", "{host}");
    }
    assert_eq!(at.says("login.bank.example"), "safe", "what is below was agreed to");
    // A name of which the desk knows that it is young is safe by nobody alone.
    let alone = decide::Draft {
        pattern: "=www2.young.example".into(),
        verdict: "safe".into(),
        reason: "a test".into(),
        ..decide::Draft::default()
    };
    let actor = Actor { name: "eve".into(), via: "test".into() };
    assert!(refused(at.desk.obey(&actor, Command::Decide(Decide::Set(alone)))).contains("young.example is 1 days old"));
    // What Ada agreed to has changed before Bob looks: her word does not count any more.
    at.registered("young.test", &yesterday, "Registrar One");
    let changed = id(&at.propose("ada", "young.test").unwrap());
    at.approve("bob", changed).unwrap();
    assert_eq!(at.state(changed), "verified", "Ada proposed, Bob agreed: two");
    at.registered("later.test", &yesterday, "Registrar One");
    let changed = id(&at.propose("eve", "later.test").unwrap());
    at.verify("ada", Verify::Reject { id: changed, reason: "twice".into() }).unwrap();
    let changed = id(&at.propose("eve", "later.test").unwrap());
    at.approve("eve", changed).unwrap();
    at.registered("later.test", &yesterday, "Registrar Two");
    at.verify("eve", Verify::Collect(changed)).unwrap();
    let approved = at.approve("bob", changed).unwrap();
    assert_eq!(approved.pointer("/needs/agreed").unwrap().to_string(), "[\"bob\"]", "by other evidence than Eve's");
    // `bank.example` is safe and so protected: who looks like it is looked at twice, however old.
    at.registered("bank-pay.test", "2001-01-01T00:00:00Z", "R");
    let like = at.propose("ada", "bank-pay.test").unwrap();
    assert!(like.pointer("/needs/why").unwrap().to_string().contains("carries the name of bank.example"), "{like}");
}

#[test]
fn a_verdict_is_suspended_when_what_it_stands_on_is_gone() {
    let Some(mut at) = place() else { return };
    let number = at.verified("bank.example");
    let token = fs::read_to_string(at.world.dir().join("www/.well-known/ztsms.txt")).unwrap();
    at.a_day_later().unwrap();
    assert_eq!(at.state(number), "verified", "nothing has changed");

    let again = |at: &Place| {
        at.verify("ada", Verify::Reopen { id: number, reason: "looked into it".into() }).unwrap();
        assert_eq!(at.says("bank.example"), "unknown", "open is not verified");
        at.approve("ada", number).unwrap();
        assert_eq!(at.says("bank.example"), "safe");
    };
    let suspended = |at: &Place, why: &str| {
        assert_eq!((at.state(number).as_str(), at.says("bank.example")), ("suspended", "unknown"), "{why}");
        assert!(at.alarms().iter().any(|alarm| alarm.contains(why)), "{:?}", at.alarms());
    };
    fs::write(at.world.dir().join("www/.well-known/ztsms.txt"), "ztsms-verify=somebody-else\n").unwrap();
    at.a_day_later().unwrap();
    suspended(&at, "does not show the token");
    fs::write(at.world.dir().join("www/.well-known/ztsms.txt"), &token).unwrap();
    again(&at);
    assert!(at.alarms().is_empty(), "{:?}", at.alarms());

    at.registered("bank.example", "2001-02-03T00:00:00Z", "Registrar Two");
    at.a_day_later().unwrap();
    suspended(&at, "registrar changed from Registrar One to Registrar Two");
    again(&at);

    at.world.rezone("bank.example.", "@ A 11.0.0.2\n@ NS ns.elsewhere.example.");
    at.a_day_later().unwrap();
    suspended(&at, "name servers changed from ns1.bank.example ns2.bank.example to ns.elsewhere.example");
    again(&at);

    // The site is out of reach: an alarm, and after a week without a word suspended.
    at.world.rezone("bank.example.", "@ A 11.0.0.19\n@ NS ns.elsewhere.example.");
    at.a_day_later().unwrap();
    assert_eq!(
        (at.state(number).as_str(), at.says("bank.example")),
        ("verified", "safe"),
        "a site that is down has lost nothing"
    );
    assert!(at.alarms()[0].contains("nobody can look for the token"));
    at.desk.store().note(|t| Ok(t.execute("UPDATE proposals SET silent = silent - 8 * 86400", [])?)).unwrap();
    at.a_day_later().unwrap();
    suspended(&at, "nobody could look for its token since");
    assert!(refused(at.verify("ada", Verify::Suspend { id: number, reason: "again".into() })).contains("is suspended"));
    at.verify("ada", Verify::Reject { id: number, reason: "sold".into() }).unwrap();
    assert_eq!(at.state(number), "rejected");
    let log = at.desk.store().read(|state| console::audit::lines(state, 1, 100)).unwrap();
    let verbs: Vec<&str> = log.iter().map(|line| line.verb.as_str()).collect();
    assert_eq!(verbs.iter().filter(|verb| **verb == "suspend").count(), 4, "{verbs:?}");
    assert!(log.iter().any(|line| line.verb == "suspend" && line.author == "console"));
}

#[test]
fn suffixes_platforms_and_names_that_are_none_are_refused_with_the_reason() {
    let Some(at) = place() else { return };
    for (host, why) in [
        ("co.uk", "public suffix"),
        ("github.io", "public suffix"),
        ("duckdns.org", "public suffix"),
        ("127.1", "address"),
        ("localhost", "no name"),
        ("bank.example/path", "no name"),
    ] {
        assert!(refused(at.propose("ada", host)).contains(why), "{host}: {}", refused(at.propose("ada", host)));
    }
    at.decide("@odd.example", "");
    at.desk.obey(&Actor { name: "eve".into(), via: "test".into() }, Command::Build).unwrap();
    let why = refused(at.propose("ada", "odd.example"));
    assert!(why.contains("is a platform") && why.contains("decide @odd.example"), "{why}");
    let forever = Draft { host: "bank.example".into(), reason: "x".into(), holds: 5 * YEAR, ..Draft::default() };
    assert!(refused(at.verify("ada", Verify::Propose(forever))).contains("two years"));
    let mute = Draft { host: "bank.example".into(), reason: " ".into(), holds: YEAR, ..Draft::default() };
    assert!(refused(at.verify("ada", Verify::Propose(mute))).contains("reason"));
}

#[test]
fn nobody_agrees_without_evidence_and_a_fetcher_that_is_away_is_said() {
    let Some(Place { desk, world }) = place() else { return };
    drop(desk);
    let at = Place { desk: Desk::open_with(&world.dir().join("desk"), "/nowhere/fetch.sock".as_ref()).unwrap(), world };
    let shown = at.propose("ada", "bank.example").unwrap();
    assert!(shown["trouble"].as_str().unwrap().contains("does ztsms-fetch run?"), "{shown}");
    assert!(refused(at.approve("bob", id(&shown))).contains("with --unseen"));
    assert!(refused(at.verify("ada", Verify::Collect(id(&shown)))).contains("/nowhere/fetch.sock"));
    assert!(
        refused(at.verify("ada", Verify::Settings(Change { people: Some(0), ..Change::default() })))
            .contains("one person or two")
    );
}

#[test]
fn what_a_person_decides_besides_is_respected_and_no_undo_brings_a_suspended_verdict_back() {
    let Some(at) = place() else { return };
    let number = at.verified("bank.example");
    let (first, second) = (at.decide("=bank.example", "dangerous"), at.decide("=www.bank.example", "dangerous"));
    watch::round(&at.desk).unwrap();
    assert_eq!((at.state(number).as_str(), at.says("bank.example")), ("ended", "dangerous"));
    at.undo(first);
    watch::round(&at.desk).unwrap();
    assert_eq!(
        (at.state(number).as_str(), at.says("bank.example")),
        ("verified", "safe"),
        "it stands again, and is watched again"
    );
    let third = at.decide("=bank.example", "dangerous");
    at.verify("bob", Verify::Suspend { id: number, reason: "phished".into() }).unwrap();
    assert_eq!(at.says("bank.example"), "dangerous");
    at.undo(second);
    assert_eq!(at.says("www.bank.example"), "unknown", "not for a moment");
    watch::round(&at.desk).unwrap();
    assert_eq!((at.state(number).as_str(), at.says("www.bank.example")), ("suspended", "unknown"));
    at.verify("bob", Verify::Reopen { id: number, reason: "look again".into() }).unwrap();
    at.undo(third);
    assert_eq!((at.state(number).as_str(), at.says("bank.example")), ("open", "unknown"), "people have not agreed again");
}

#[test]
fn the_command_line_tells_a_person_what_was_found_and_who_has_to_agree() {
    let Some(at) = place() else { return };
    let (data, socket) = (at.desk.dir().to_owned(), at.desk.fetch().to_owned());
    let Place { desk, world } = at;
    drop(desk);
    let run = |args: &[&str]| {
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_ztsms-console"))
            .arg("--data")
            .arg(&data)
            .arg("--fetch")
            .arg(&socket)
            .arg("verify")
            .args(args)
            .output()
            .unwrap();
        (out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr))
    };
    let (ok, shown) = run(&["propose", "bank.example", "--reason", "their letter"]);
    assert!(ok, "{shown}");
    for part in [
        "#1 bank.example: open since",
        "for =bank.example =www.bank.example",
        "ztsms-verify=",
        "token on the site: NO (absent:",
        "DNS: 11.0.0.2, name servers ns1.bank.example ns2.bank.example",
        "certificate: verified, for bank.example",
        "O=Example Bank",
        "front page: https://bank.example/ (403)",
        "registration: bank.example of 2001-02-03T00:00:00Z, registrar Registrar One",
        "one person has to agree",
    ] {
        assert!(shown.contains(part), "{part:?} in\n{shown}");
    }
    let (ok, approved) = run(&["approve", "1", "--reason", "called back"]);
    assert!(ok && approved.contains("#1 bank.example: verified") && approved.contains("=www.bank.example safe"), "{approved}");
    let (ok, again) = run(&["approve", "1", "--reason", "called back"]);
    assert!(!ok && again.contains("proposal 1 is verified, not open"), "{again}");
    let (_, list) = run(&["list", "--state", "verified"]);
    assert!(list.starts_with("#1 bank.example: verified"), "{list}");
    let (_, settings) = run(&["settings"]);
    assert!(settings.contains("people 1\nrdap https://rdap.example/\n"), "{settings}");
    drop(world);
}

#[test]
fn names_proposed_in_bulk_are_looked_into_side_by_side_and_two_people_agree_however_old_they_are() {
    let Some(at) = place() else { return };
    at.registered("young.example", &time::shown(time::now() - 86_400), "Registrar One");
    let text = "host,owner,category,senders\nbank.example,Bank,bank,\nyoung.example,Young,,\nodd.example,Odd,,\n";
    let register = Bulk::Register { origin: "banks.csv".into(), text: text.into() };
    assert_eq!(at.verify("ada", Verify::Bulk(register)).unwrap()["added"], 3);
    assert_eq!(at.verify("ada", Verify::CollectOpen).unwrap()["looked_into"], 3);
    for (id, host, why) in
        [(1, "bank.example", "in bulk, by banks.csv"), (2, "young.example", "1 days old"), (3, "odd.example", "nobody knows")]
    {
        let shown = at.verify("bob", Verify::Show(id)).unwrap();
        assert_eq!(
            (&shown["evidence"]["unseen"], shown.pointer("/evidence/network/dns/ok/a/0").unwrap()),
            (&Value::Null, &Value::from("11.0.0.2"))
        );
        assert!(shown.pointer("/needs/why").unwrap().to_string().contains(why), "{shown}");
        // Whoever proposed them all has agreed to none of them yet.
        assert_eq!(at.approve("bob", id).unwrap().pointer("/needs/missing").unwrap(), 1);
        assert_eq!(at.says(host), "unknown");
        at.approve("ada", id).unwrap();
        assert_eq!((at.says(host), at.state(id).as_str()), ("safe", "verified"), "watched from now on");
    }
    assert_eq!(at.verify("ada", Verify::CollectOpen).unwrap()["looked_into"], 0);
}

#[test]
fn a_name_agreed_to_unseen_is_watched_once_somebody_can_look() {
    let Some(Place { desk, world }) = place() else { return };
    let (dir, socket) = (desk.dir().to_owned(), desk.fetch().to_owned());
    drop(desk);
    let at = Place { desk: Desk::open_with(&dir, "/nowhere/fetch.sock".as_ref()).unwrap(), world };
    let id = id(&at.propose("ada", "bank.example").unwrap());
    let approve = |who: &str| at.verify(who, Verify::Approve { id, reason: "their letter".into(), below: false, unseen: true });
    assert_eq!(
        approve("bob").unwrap().pointer("/needs/missing").unwrap(),
        1,
        "who proposed it has not said that nobody need look"
    );
    approve("ada").unwrap();
    assert_eq!(at.says("bank.example"), "safe");
    let Place { desk, world } = at;
    drop(desk);
    let mut at = Place { desk: Desk::open_with(&dir, &socket).unwrap(), world };
    at.a_day_later().unwrap();
    assert_eq!(at.state(id), "verified");
    at.world.rezone("bank.example.", "@ A 11.0.0.2\n@ NS ns.elsewhere.example.");
    at.a_day_later().unwrap();
    assert_eq!((at.state(id).as_str(), at.says("bank.example")), ("suspended", "unknown"));
}
