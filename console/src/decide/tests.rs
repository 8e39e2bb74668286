use super::*;
use crate::desk::Desk;
use control::verdicts_cmd::lookup;
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

fn actor() -> Actor {
    Actor { name: "ada".to_owned(), via: "test".to_owned() }
}

fn place(name: &str) -> Place {
    let dir = std::env::temp_dir().join(format!("ztsms-decide-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let desk = Desk::open(&dir).unwrap();
    Place { dir, desk }
}

impl Place {
    fn decide(&self, pattern: &str, verdict: &str) -> Result<Decision> {
        let draft =
            Draft { pattern: pattern.to_owned(), verdict: verdict.to_owned(), reason: "a test".to_owned(), ..Draft::default() };
        let command = crate::command::Command::Decide(crate::command::Decide::Set(draft));
        self.desk.obey(&actor(), command).map(|value| serde_json::from_value(value).unwrap())
    }

    fn undo(&self, id: i64) -> Result<()> {
        let reason = "a test".to_owned();
        self.desk.obey(&actor(), crate::command::Command::Decide(crate::command::Decide::Undo { id, reason })).map(drop)
    }

    /// Sets a source that nobody looks at by itself.
    fn source(&self, name: &str, lends: &str, place: &std::path::Path) {
        let settings = serde_json::from_value(serde_json::json!({
            "name": name, "place": place, "lends": lends, "category": "", "priority": 0, "every": 0, "ttl": null,
            "least_share": 0.5, "most_growth": 10.0, "most_octets": 1_000_000, "licence": "",
        }));
        let command = crate::command::Command::Source(crate::command::Source::Set(settings.unwrap()));
        self.desk.obey(&actor(), command).unwrap();
    }

    fn says(&self, link: &str) -> &'static str {
        // As the filter reads it: from the files.
        let table = control::build::open(self.desk.publisher().dir(), self.desk.publisher().suffixes()).unwrap();
        lookup(&table, link, "", self.desk.publisher().suffixes()).verdict
    }
}

#[test]
fn what_one_person_may_not_say_he_may_not_bring_back_either() {
    let at = place("back");
    let people = |people| {
        crate::command::Command::Verify(crate::command::Verify::Settings(crate::verify::settings::Change {
            people: Some(people),
            rdap: None,
        }))
    };
    let safe = at.decide("p.example", "safe").unwrap();
    let other = Actor { name: "eve".to_owned(), via: "test".to_owned() };
    let draft = Draft {
        pattern: "p.example".to_owned(),
        verdict: "dangerous".to_owned(),
        reason: "phishing".to_owned(),
        ..Draft::default()
    };
    at.desk.obey(&other, crate::command::Command::Decide(crate::command::Decide::Set(draft))).unwrap();
    at.desk.obey(&actor(), people(2)).unwrap();
    let standing = || at.desk.store().read(|state| super::at(state, "p.example")).unwrap().unwrap();
    assert!(at.undo(standing().id).unwrap_err().to_string().contains("two people have to agree to that"));
    assert_eq!((at.says("p.example"), safe.verdict.as_str()), ("dangerous", "safe"));
    // Her own word she may take back: it was as it is then.
    let undo = crate::command::Decide::Undo { id: standing().id, reason: "a mistake".to_owned() };
    at.desk.obey(&other, crate::command::Command::Decide(undo)).unwrap();
    assert_eq!(at.says("p.example"), "safe");
}

#[test]
fn a_platform_is_one_whatever_else_is_decided_and_a_scheme_leads_anywhere() {
    let at = place("platform-still");
    for verdict in ["dangerous", "unknown"] {
        at.decide("bit.ly", verdict).unwrap();
        assert!(at.decide("bit.ly", "safe").unwrap_err().to_string().contains("is a platform"), "{verdict}");
    }
    for scheme in ["intent:", "javascript:", "tel:"] {
        assert!(at.decide(scheme, "safe").unwrap_err().to_string().contains("may lead anywhere"), "{scheme}");
    }
    at.decide("tel:+441632960000", "safe").unwrap();
}

#[test]
fn a_number_to_be_called_is_decided_about_and_is_in_no_other_decisions_way() {
    let at = place("number");
    at.decide("tel:0900123456", "dangerous").unwrap();
    at.decide("evil.example", "dangerous").unwrap();
    assert_eq!(
        ["tel:0900123456", "tel:0900123457", "evil.example"].map(|link| at.says(link)),
        ["dangerous", "unknown", "dangerous"]
    );
}

#[test]
fn a_decision_is_in_the_files_and_undone_gives_back_what_stood_there() {
    let at = place("undo");
    assert_eq!(at.says("evil.example"), "unknown");
    let first = at.decide("Evil.example", "dangerous").unwrap();
    assert_eq!((first.pattern.as_str(), at.says("www.evil.example/x")), ("evil.example", "dangerous"));
    let second = at.decide("evil.example", "unknown").unwrap();
    assert_eq!((second.replaces, at.says("evil.example")), (Some(first.id), "unknown"));
    assert!(at.undo(first.id).unwrap_err().to_string().contains("not in force"));
    at.undo(second.id).unwrap();
    assert_eq!(at.says("evil.example"), "dangerous");
    at.undo(first.id).unwrap();
    assert_eq!(at.says("evil.example"), "unknown");
    assert!(matches!(at.undo(99), Err(Error::NotFound(_))));
}

#[test]
fn what_no_list_may_say_is_refused_with_the_reason() {
    let at = place("refused");
    for (pattern, verdict, why) in [
        ("co.uk", "safe", "public suffix"),
        ("=github.io", "safe", "public suffix"),
        ("bit.ly", "safe", "is a platform"),
        ("a b", "safe", "not a host"),
        ("a.example", "fine", "safe, dangerous or unknown"),
        ("@a.example", "safe", "no verdict of its own"),
    ] {
        let said = at.decide(pattern, verdict).unwrap_err().to_string();
        assert!(said.contains(why), "{pattern}: {said}");
    }
    assert!(at.decide("=bit.ly", "safe").is_ok());
    assert!(at.decide("duckdns.org", "dangerous").is_ok(), "the operator may forbid what is below a suffix");
    assert_eq!(at.says("x.duckdns.org"), "dangerous");
}

#[test]
fn a_decision_that_has_ended_is_taken_out() {
    let at = place("ended");
    let draft =
        Draft { pattern: "evil.example".into(), verdict: "dangerous".into(), reason: "for now".into(), ..Draft::default() };
    let now = time::now();
    let draft = Draft { expires: Some(now + 3600), ..draft };
    at.desk.obey(&actor(), crate::command::Command::Decide(crate::command::Decide::Set(draft))).unwrap();
    assert_eq!(at.says("evil.example"), "dangerous");
    assert_eq!(expire(at.desk.store(), now + 3599).unwrap(), 0);
    assert_eq!(expire(at.desk.store(), now + 3600).unwrap(), 1);
    at.desk.publisher().decisions(at.desk.store()).unwrap();
    assert_eq!(at.says("evil.example"), "unknown");
}

#[test]
fn what_a_passing_decision_took_the_place_of_stands_again_when_that_ends() {
    let at = place("chain");
    let now = time::now();
    let lasting = at.decide("evil.example", "dangerous").unwrap();
    let draft = |verdict: &str, seconds| Draft {
        pattern: "evil.example".into(),
        verdict: verdict.into(),
        reason: "for now".into(),
        expires: Some(now + seconds),
        ..Draft::default()
    };
    let set = |draft| at.desk.obey(&actor(), crate::command::Command::Decide(crate::command::Decide::Set(draft))).unwrap();
    let stands = || at.desk.store().read(|state| super::at(state, "evil.example")).unwrap().map(|found| found.id);
    set(draft("unknown", 60));
    assert_eq!(at.says("evil.example"), "unknown");
    assert_eq!(expire(at.desk.store(), now + 60).unwrap(), 1);
    at.desk.publisher().decisions(at.desk.store()).unwrap();
    assert_eq!((at.says("evil.example"), stands()), ("dangerous", Some(lasting.id)));
    // Of two that passed only the lasting one is left behind a third.
    set(draft("unknown", 60));
    set(draft("unknown", 3600));
    let last = stands().unwrap();
    let end = "UPDATE decisions SET expires = ?2 WHERE id = ?1";
    at.desk.store().note(move |state| Ok(state.execute(end, (last - 1, now))?)).unwrap();
    let shown = at.desk.obey(&actor(), crate::command::Command::Decide(crate::command::Decide::Show(last))).unwrap();
    assert_eq!(shown["stands_again"]["id"], lasting.id);
    at.undo(last).unwrap();
    assert_eq!((at.says("evil.example"), stands()), ("dangerous", Some(lasting.id)));
    // What was taken back by a person stays so.
    at.undo(lasting.id).unwrap();
    let new = at.decide("evil.example", "unknown").unwrap();
    at.undo(new.id).unwrap();
    assert_eq!(stands(), None);
}

#[test]
fn where_two_people_have_to_agree_one_calls_nothing_safe() {
    use crate::command::{Command, Source, Triage, Verify};
    use crate::verify::settings::Change;
    let at = place("two");
    let as_other = |command| at.desk.obey(&Actor { name: "bob".to_owned(), via: "test".to_owned() }, command);
    let people = |people| Command::Verify(Verify::Settings(Change { people: Some(people), rdap: None }));
    at.desk.obey(&actor(), people(2)).unwrap();
    for pattern in ["bank.example", "=bank.example", "docs.google.com/our-form"] {
        let said = at.decide(pattern, "safe").unwrap_err().to_string();
        assert!(said.contains("two people have to agree") && said.contains("verify propose"), "{said}");
    }
    let order = crate::triage::decide::Order {
        target: "=bank.example".into(),
        verdict: "safe".into(),
        reason: "a test".into(),
        expires: None,
    };
    assert!(at.desk.obey(&actor(), Command::Triage(Triage::Decide(order))).unwrap_err().to_string().contains("two people"));
    assert!(at.decide("bank.example", "unknown").is_ok() && at.decide("evil.example", "dangerous").is_ok());
    // Nor does a list of ours that one person has set.
    let list = at.dir.join("own.csv");
    std::fs::write(&list, "pattern,verdict\nbank.test,safe\nbad.test,dangerous\n").unwrap();
    at.source("own", "own", &list);
    let import = |force| at.desk.obey(&actor(), Command::Source(Source::Import { name: "own".into(), force })).unwrap();
    for force in [false, true] {
        let held = import(force);
        assert!(held["held"].as_str().unwrap().contains("1 new entries are safe"), "{held}");
        assert_eq!((at.says("bank.test"), at.says("bad.test")), ("unknown", "unknown"));
    }
    let newest = at.desk.store().read(|state| crate::sources::versions(state, "own")).unwrap()[0].id;
    let accept = || Command::Source(Source::Version { name: "own".into(), to: Some(newest) });
    assert!(at.desk.obey(&actor(), accept()).unwrap_err().to_string().contains("another person"));
    as_other(accept()).unwrap();
    assert_eq!((at.says("bank.test"), at.says("bad.test")), ("safe", "dangerous"));
    // What is not safe needs nobody else.
    std::fs::write(&list, "pattern,verdict\nbank.test,safe\nbad.test,dangerous\nworse.test,dangerous\n").unwrap();
    assert_eq!((import(false)["held"].as_str(), at.says("worse.test")), (None, "dangerous"));
    // One person asks for less, another says so too.
    for _ in 0..2 {
        assert!(at.desk.obey(&actor(), people(1)).unwrap_err().to_string().contains("another person"));
        assert!(at.decide("=bank.example", "safe").is_err());
    }
    as_other(people(1)).unwrap();
    assert!(at.decide("=bank.example", "safe").is_ok());
}

#[test]
fn a_safe_name_is_protected_from_feeds_as_far_as_it_is_safe() {
    use crate::command::{Command, Protect, Source};
    let at = place("protected");
    for pattern in ["=exact.example", "whole.example", "=bit.ly"] {
        at.decide(pattern, "safe").unwrap();
    }
    let sender = |host: &str| Protect::Sender { sender: "ExBank".into(), hosts: vec![host.into()] };
    at.desk.obey(&actor(), Command::Protect(sender("exbank.example"))).unwrap();
    let list = at.dir.join("bad.txt");
    let bad = [
        "exact.example",
        "exact.example/p",
        "sub.exact.example",
        "sub.whole.example",
        "bit.ly/phish",
        "exbank.example",
        "=bit.ly",
    ];
    std::fs::write(&list, bad.map(|name| format!("http://{}\n", name.trim_start_matches('='))).concat()).unwrap();
    at.source("bad", "dangerous", &list);
    at.desk.obey(&actor(), Command::Source(Source::Import { name: "bad".into(), force: false })).unwrap();
    let says = [
        ("exact.example", "safe"),
        ("exact.example/p", "safe"),
        ("sub.exact.example", "dangerous"),
        ("sub.whole.example", "safe"),
        ("bit.ly/phish", "dangerous"),
        ("bit.ly", "safe"),
        ("exbank.example", "unknown"),
    ];
    assert_eq!(says.map(|(link, _)| (link, at.says(link))), says);
    for (host, why) in [("co.uk", "public suffix"), ("github.io", "public suffix"), ("bit.ly", "platform")] {
        let named = Protect::Host { host: host.into(), why: "a test".into() };
        for command in [named, sender(host)] {
            let said = at.desk.obey(&actor(), Command::Protect(command)).unwrap_err().to_string();
            assert!(said.contains(why), "{host}: {said}");
        }
    }
}

#[test]
fn words_that_would_forge_a_line_and_ranges_of_addresses_are_refused() {
    let at = place("words");
    let draft = |pattern: &str, reason: &str| Draft {
        pattern: pattern.into(),
        verdict: "dangerous".into(),
        reason: reason.into(),
        ..Draft::default()
    };
    let set = |draft| at.desk.obey(&actor(), crate::command::Command::Decide(crate::command::Decide::Set(draft)));
    let said = set(draft("evil.example", "x\n#99 bank.example safe, by alice")).unwrap_err().to_string();
    assert!(said.contains("one line"), "{said}");
    assert!(set(draft("1.2.3.0/24", "a range")).unwrap_err().to_string().contains("range of addresses"));
    assert!(set(draft("1.2.3.4/x", "a page")).is_ok());
    for address in ["[::1]", "1.2.3.4"] {
        assert!(at.decide(address, "safe").is_ok(), "{address} is its own domain");
    }
}

#[test]
fn a_deep_host_and_long_words_never_keep_other_decisions_from_filters() {
    let at = place("deep");
    let deep = |n: usize| format!("={}evil.example", (0..n).map(|n| format!("l{n}.")).collect::<String>());
    for labels in [15, 20, 30, 60] {
        at.decide(&deep(labels), "dangerous").unwrap();
        assert_eq!(at.says(deep(labels).trim_start_matches('=')), "dangerous", "{labels} labels");
    }
    let draft = Draft { pattern: "x.example".into(), verdict: "safe".into(), reason: "a test".into(), ..Draft::default() };
    let long = "x".repeat(20_000);
    for draft in [Draft { category: long.clone(), ..draft.clone() }, Draft { senders: vec![long], ..draft }] {
        let command = crate::command::Command::Decide(crate::command::Decide::Set(draft));
        assert!(at.desk.obey(&actor(), command).unwrap_err().to_string().contains("16384 at most"));
    }
    at.decide("last.example", "dangerous").unwrap();
    assert_eq!(at.says("last.example"), "dangerous");
}
