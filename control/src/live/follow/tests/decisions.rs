use super::*;

#[test]
fn an_overlay_of_another_snapshot_or_half_a_line_changes_nothing_until_it_is_whole() {
    let mut at = Directory::new("half", ChangeLimits::default());
    at.build(&["bank.example,safe"]);
    at.decide("evil.example", Verdict::Dangerous);
    at.look();
    let overlay = at.dir.join("overlay");
    let whole = fs::read_to_string(&overlay).unwrap();
    fs::write(&overlay, format!("{whole}\"half")).unwrap();
    at.look();
    assert_eq!(at.says("evil.example"), "dangerous");
    fs::write(&overlay, format!("{whole}half.example,safe,,,decided,,\n")).unwrap();
    at.look();
    assert_eq!(at.says("half.example"), "safe");
    let (head, rest) = whole.split_once('\n').unwrap();
    let (id, last) = head.split_at(head.len() - 1);
    fs::write(&overlay, format!("{id}{}\n{rest}", if last == "0" { 1 } else { 0 })).unwrap();
    at.look();
    assert!(at.refused.last().unwrap().contains("overlay of snapshot"), "{:?}", at.refused);
    assert_eq!(at.says("half.example"), "safe");
}

#[test]
fn protected_senders_follow_and_count_against_the_limit() {
    let mut at = Directory::new("senders", ChangeLimits { snapshot_entries: 0, overlay_a_minute: 2 });
    at.build(&["bank.example,safe"]);
    at.look();
    let protect = |names: &[&str]| {
        let one = |name: &&str| Protected { sender: (*name).to_owned(), domains: vec!["bank.example".to_owned()] };
        senders::write(&at.dir, &senders::to_text(&names.iter().map(one).collect::<Vec<_>>())).unwrap();
    };
    protect(&["MyBank"]);
    let dir = at.dir.clone();
    at.look();
    assert_eq!(at.senders.len(), 1);
    let text =
        senders::to_text(&["A", "B"].map(|name| Protected { sender: name.to_owned(), domains: vec!["x.example".to_owned()] }));
    senders::write(&dir, &text).unwrap();
    at.look();
    assert_eq!(at.senders[0].sender, "MyBank", "two more and one less are three changes");
    fs::remove_file(dir.join("senders")).unwrap();
    at.look();
    assert!(at.senders.is_empty());
}

#[test]
fn a_decision_ends_by_itself_whatever_became_of_the_console() {
    let mut at = Directory::new("ends", ChangeLimits::default());
    at.build(&["bank.example,safe"]);
    let id = Snapshot::open(&at.dir.join("snapshot")).unwrap().id();
    let ends = unix_seconds() + 2;
    let rule = dataplane::verdicts::build::Rule {
        pattern: "evil.example",
        verdict: Verdict::Dangerous,
        layer: dataplane::verdicts::Layer::Local,
        expires: Some(ends),
        ..Default::default()
    };
    overlay::write(&at.dir, &overlay::to_text(&[7, id], &[rule])).unwrap();
    at.look();
    assert_eq!(at.says("evil.example"), "dangerous");
    while unix_seconds() < ends {
        std::thread::sleep(Duration::from_millis(50));
    }
    at.look();
    assert_eq!(at.says("evil.example"), "unknown");
}

#[test]
fn a_decision_does_not_end_because_the_wall_clock_was_set() {
    let mut at = Directory::new("jumps", ChangeLimits::default());
    at.build(&["bank.example,safe"]);
    let id = Snapshot::open(&at.dir.join("snapshot")).unwrap().id();
    let rule = dataplane::verdicts::build::Rule {
        pattern: "evil.example",
        verdict: Verdict::Dangerous,
        layer: dataplane::verdicts::Layer::Local,
        // By the wall it has ended.
        expires: Some(unix_seconds() - 3_600),
        ..Default::default()
    };
    // A filter that began when it was two days ago; then the wall was set.
    at.follow.clock = Clock::begun_at(crate::clock::wall_ms() - 172_800_000);
    overlay::write(&at.dir, &overlay::to_text(&[7, id], &[rule])).unwrap();
    at.look();
    assert_eq!(at.says("evil.example"), "dangerous");
    assert!(at.refused.iter().any(|why| why.contains("ahead of this filter's time")), "{:?}", at.refused);
    at.follow.clock = Clock::default();
    at.look();
    assert_eq!(at.says("evil.example"), "unknown");
}
