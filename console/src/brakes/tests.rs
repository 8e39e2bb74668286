use super::*;
use crate::command::Brake;

fn record(verdict: &str, entry: &str, source: &str) -> Vec<u8> {
    format!(
        r#"{{"schema":"ztsms.sms.v1","verdict":"{verdict}","why":"{verdict}/1","urls":[{{"verdict":"{verdict}","entry":"{entry}","source":"{source}"}}]}}"#
    )
    .into_bytes()
}

/// A minute of `messages`, of which these many are dangerous by this entry of this source.
fn minute(brakes: &mut Brakes, from: u64, messages: u64, acted: &[(&str, &str, u64)]) -> Vec<What> {
    let mut tripped = Vec::new();
    for second in from..from + 60 {
        for (entry, source, count) in acted {
            // Spread over the minute.
            let due = |second: u64| (second - from) * count / 60;
            (due(second)..due(second + 1)).for_each(|_| brakes.count(second, &record("dangerous", entry, source)));
        }
        (0..messages / 60).for_each(|_| brakes.count(second, &record("unknown", "", "")));
        tripped.extend(brakes.judge(second).into_iter().map(|one| one.what));
    }
    tripped
}

#[test]
fn an_entry_beyond_half_a_per_cent_is_suspended_once_and_its_source_is_not() {
    let mut brakes = Brakes::new(Limits::default());
    let tripped = minute(&mut brakes, 0, 6_000, &[("shop.example", "feed", 60), ("evil.example", "feed", 6)]);
    assert_eq!(tripped, [What::Entry("shop.example".to_owned())]);
    assert_eq!(minute(&mut brakes, 60, 6_000, &[("shop.example", "feed", 60), ("evil.example", "feed", 6)]), []);
}

#[test]
fn a_source_whose_many_entries_go_beyond_it_together_is_suspended() {
    let mut brakes = Brakes::new(Limits::default());
    let names: Vec<String> = (0..20).map(|n| format!("h{n}.example")).collect();
    let acted: Vec<(&str, &str, u64)> = names.iter().map(|name| (name.as_str(), "feed", 6)).collect();
    let tripped = minute(&mut brakes, 0, 6_000, &acted);
    assert!(
        tripped.contains(&What::Source("feed".to_owned())) && tripped.iter().all(|one| !matches!(one, What::Entry(_))),
        "{tripped:?}"
    );
}

#[test]
fn ten_times_the_usual_is_beyond_and_the_usual_is_not() {
    let limits = Limits { share: 0.5, ..Limits::default() };
    let mut brakes = Brakes::new(limits);
    for n in 0..20 {
        assert_eq!(minute(&mut brakes, n * 60, 60_000, &[("evil.example", "feed", 20)]), [], "minute {n}");
    }
    let tripped = minute(&mut brakes, 20 * 60, 60_000, &[("evil.example", "feed", 600)]);
    assert!(tripped.contains(&What::Entry("evil.example".to_owned())), "{tripped:?}");
}

#[test]
fn parts_of_which_another_has_the_link_trip_no_rule_and_a_chain_is_none() {
    let mut brakes = Brakes::new(Limits::default());
    for second in 0..60 {
        let none = br#"{"verdict":"dangerous","why":"none/pass","urls":[]}"#;
        (0..20).for_each(|_| brakes.count(second, none));
        (0..80).for_each(|_| brakes.count(second, &record("unknown", "", "")));
        assert_eq!(brakes.judge(second), []);
    }
    assert!(is_chain("dangerous") && is_chain("none") && !is_chain("shops"));
}

#[test]
fn few_messages_and_what_is_no_message_are_not_judged() {
    let mut brakes = Brakes::new(Limits::default());
    assert_eq!(minute(&mut brakes, 0, 600, &[("shop.example", "feed", 300)]), []);
    brakes.count(70, b"{\"schema\":\"ztsms.event.v1\"}");
    brakes.count(70, b"half a li");
    assert_eq!(brakes.window().0, 900);
}

#[test]
fn what_follows_from_decisions_is_suspended_and_resumed_like_a_list() {
    let dir = std::env::temp_dir().join(format!("ztsms-brakes-follow-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let desk = Desk::open(&dir).unwrap();
    let ada = Actor { name: "ada".to_owned(), via: "test".to_owned() };
    desk.store()
        .note(|transaction| {
            let sql = "INSERT INTO short_links (link, url, platform, seen, target, host, editable, ends)
                       VALUES ('sho.example/x', '', 'sho.example', 0, 'https://evil.example/', 'evil.example', 1, 99999999999)";
            Ok(transaction.execute(sql, [])?)
        })
        .unwrap();
    let draft = Draft {
        pattern: "evil.example".to_owned(),
        verdict: "dangerous".to_owned(),
        reason: "a test".to_owned(),
        ..Draft::default()
    };
    desk.obey(&ada, Command::Decide(Decide::Set(draft))).unwrap();
    // As whoever reads the files now.
    let says = |link: &str| {
        let suffixes = desk.publisher().suffixes();
        let found =
            control::verdicts_cmd::lookup(&control::build::open(desk.publisher().dir(), suffixes).unwrap(), link, "", suffixes);
        (found.verdict, found.reason)
    };
    assert_eq!(says("sho.example/x"), ("dangerous", "expansion"));
    brake(&desk, &Tripped { what: What::Source("expansion".to_owned()), why: "a test".to_owned() }).unwrap();
    assert_eq!((says("sho.example/x").0, says("evil.example").0), ("unknown", "dangerous"));
    assert!(desk.store().read(|state| alarms::all(state)).unwrap().iter().any(|alarm| alarm.name == "brake-source-expansion"));
    desk.obey(&ada, Command::Source(Source::Suspend { name: "expansion".to_owned(), why: None })).unwrap();
    assert_eq!(says("sho.example/x").0, "dangerous");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn what_a_person_lets_act_again_is_raised_no_more_and_not_suspended_again_after_a_restart() {
    let dir = std::env::temp_dir().join(format!("ztsms-brakes-meant-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let desk = Desk::open(&dir).unwrap();
    let ada = Actor { name: "ada".to_owned(), via: "test".to_owned() };
    let brake = |what: &What| brake(&desk, &Tripped { what: what.clone(), why: "a test".to_owned() }).unwrap();
    let raised =
        || desk.store().read(|state| alarms::all(state)).unwrap().into_iter().map(|alarm| alarm.name).collect::<Vec<_>>();
    let draft = |verdict: &str| {
        let (pattern, verdict, reason) = ("fine.example".to_owned(), verdict.to_owned(), "it is meant".to_owned());
        Decide::Set(Draft { pattern, verdict, reason, ..Draft::default() })
    };
    let [undone, decided, source, rule, chain] = [
        What::Entry("shop.example".to_owned()),
        What::Entry("fine.example".to_owned()),
        What::Source("expansion".to_owned()),
        What::Rule("by name".to_owned()),
        What::Rule("dangerous".to_owned()),
    ];
    for what in [&undone, &decided, &source, &rule, &chain] {
        brake(what);
        assert_eq!(raised(), [what.alarm()]);
        let answer = match what {
            What::Entry(pattern) if *what == undone => {
                let id = desk.store().read(|state| crate::decide::at(state, pattern)).unwrap().unwrap().id;
                Command::Decide(Decide::Undo { id, reason: "it is meant".to_owned() })
            }
            What::Entry(_) => Command::Decide(draft("dangerous")),
            What::Source(name) => Command::Source(Source::Suspend { name: name.clone(), why: None }),
            What::Rule(name) => Command::Rule(Rule::Resume(name.clone())),
        };
        desk.obey(&ada, answer).unwrap();
        assert_eq!(raised(), Vec::<String>::new(), "{what:?}");
    }
    let all = desk.store().read(|state| all_meant(state)).unwrap();
    assert_eq!(all, [undone, decided, source, rule, chain].into());
    // As the next process begins.
    let mut brakes = Brakes::new(Limits::default());
    brakes.leave_alone(all);
    let both = [("shop.example", "feed", 60), ("evil.example", "feed", 60)];
    assert_eq!(minute(&mut brakes, 0, 6_000, &both), [What::Entry("evil.example".to_owned())]);
    // Until somebody says that it is to be watched again; what tripped and was not meant trips once.
    let again = |name: &str| {
        desk.obey(&ada, Command::Brake(Brake::Again { name: name.to_owned(), reason: "it was a mistake".to_owned() }))
    };
    again("entry shop.example").unwrap();
    assert!(again("entry shop.example").unwrap_err().to_string().contains("brake list"));
    brakes.leave_alone(desk.store().read(|state| all_meant(state)).unwrap());
    assert_eq!(minute(&mut brakes, 60, 6_000, &both), [What::Entry("shop.example".to_owned())]);
    // A decision at a pattern that no brake had touched says nothing of brakes.
    desk.obey(&ada, Command::Decide(draft("unknown"))).unwrap();
    assert_eq!(desk.store().read(|state| all_meant(state)).unwrap().len(), 4);
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn what_people_decided_is_judged_one_by_one_and_is_no_source() {
    let mut brakes = Brakes::new(Limits::default());
    let names: Vec<String> = (0..20).map(|n| format!("h{n}.example")).collect();
    let acted: Vec<(&str, &str, u64)> = names.iter().map(|name| (name.as_str(), DECIDED, 6)).collect();
    assert_eq!(minute(&mut brakes, 0, 6_000, &acted), [What::Rule("dangerous".to_owned())], "the chain is raised");
    let mut others = Brakes::new(Limits::default());
    for n in 0..2_000 {
        let said = if n < 60 { ("dangerous", "impersonation") } else { ("unknown", "no-entry") };
        let record = format!(
            r#"{{"verdict":"{0}","why":"{0}/1","address":{{"digits":"GovInfo"}},"urls":[{{"verdict":"{0}","reason":"{1}"}}]}}"#,
            said.0, said.1
        );
        others.count(0, record.as_bytes());
    }
    let tripped = others.judge(0);
    assert!(tripped.len() == 1 && tripped[0].why.contains("60 as if from the protected sender GovInfo"), "{tripped:?}");
    let tripped = minute(&mut brakes, 60, 6_000, &[("shop.example", DECIDED, 60)]);
    assert_eq!(tripped, [What::Entry("shop.example".to_owned())]);
}
