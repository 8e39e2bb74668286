//! What changed since the snapshot was built.

use super::*;

#[test]
fn a_short_link_is_safe_by_its_target_at_exactly_its_spelling_and_dangerous_with_all_below_it() {
    let suffixes = Suffixes::built_in();
    let table = table(&[rule("@sho.rt", Verdict::None, Feed), rule("sho.rt/good/bad", Dangerous, Feed)]);
    let overlay = Overlay::new(table.snapshot().id(), 8);
    let table = Table { overlay: overlay.into(), ..table };
    let of = |pattern, verdict| Rule { source: EXPANSION, ..rule(pattern, verdict, Local) };
    for rule in [of("sho.rt/good", Safe), of("sho.rt/q?id=1", Safe), of("sho.rt/evil", Dangerous)] {
        table.overlay.set(&rule, table.snapshot(), &key(), &suffixes).expect("room");
    }
    for (url, verdict, reason) in [
        ("https://sho.rt/good", Safe, Reason::Expansion),
        ("http://user@sho.rt/good#part", Safe, Reason::Expansion),
        ("https://sho.rt/q?id=1", Safe, Reason::Expansion),
        ("https://sho.rt/good/", Unknown, Reason::Platform),
        ("https://sho.rt/good/x", Unknown, Reason::Platform),
        ("https://sho.rt/good?to=x", Unknown, Reason::Platform),
        ("https://sho.rt/%67ood", Unknown, Reason::Platform),
        ("https://sho.rt:8080/good", Unknown, Reason::Platform),
        ("https://sho.rt/GOOD", Unknown, Reason::Platform),
        ("https://sho.rt/good/bad", Dangerous, Reason::Path),
        ("https://sho.rt/evil?x=1", Dangerous, Reason::Expansion),
        ("https://sho.rt/evil/x", Dangerous, Reason::Expansion),
    ] {
        let found = judge_once(&table, url, "");
        assert_eq!((found.verdict, found.reason), (verdict, reason), "{url}");
    }
    let exact = |url: &str| {
        let mut scratch = canonical::Scratch::default();
        let url = canonical::parse(url, &mut scratch).expect("a URL");
        table.finish_exact_dangerous(table.begin(&url, &suffixes), &url, &mut KeyScratch::default()).is_some()
    };
    assert!(exact("https://sho.rt/evil") && !exact("https://sho.rt/good"));
}

#[test]
fn overlay_changes_what_the_snapshot_says() {
    let suffixes = Suffixes::built_in();
    let table = table(&[
        rule("bank.example", Safe, Local),
        rule("evil.example/x", Dangerous, Feed),
        rule("was.example", Dangerous, Feed),
        rule("google.example", Safe, Local),
        rule("@docs.google.example", Verdict::None, Feed),
    ]);
    let overlay = Overlay::new(table.snapshot().id(), 64);
    let set = |pattern, verdict, layer| overlay.set(&rule(pattern, verdict, layer), table.snapshot(), &key(), &suffixes);
    assert_eq!(set("login.bank.example", Dangerous, Feed), Err(NotTaken::LocalStands));
    assert_eq!(set("docs.google.example/x", Dangerous, Feed), Ok(()), "a local safe does not reach below a platform");
    assert_eq!(set("new.example/a/b", Dangerous, Feed), Ok(()));
    assert_eq!(set("deep.sub.fresh.example", Dangerous, Feed), Ok(()));
    assert_eq!(set("evil.example", Safe, Local), Ok(()));
    assert_eq!(set("was.example", Verdict::None, Local), Ok(()));
    assert_eq!(set("@plat.example", Verdict::None, Feed), Ok(()));
    assert_eq!(overlay.len(), 6);
    let other = Table {
        snapshot: Snapshot::from_bytes(&built(&[]).bytes).expect("opens").into(),
        overlay: Overlay::new(0, 0).into(),
        key: key(),
        suspended: Arc::default(),
    };
    assert!(matches!(
        overlay.set(&rule("a.example", Safe, Feed), other.snapshot(), &key(), &suffixes),
        Err(NotTaken::OtherSnapshot(..))
    ));
    let table = Table { overlay: overlay.into(), ..table };
    for (url, verdict, reason) in [
        ("https://new.example/a/b/c", Dangerous, Reason::Path),
        ("https://new.example/a", Unknown, Reason::NoEntry),
        ("https://a.deep.sub.fresh.example/", Dangerous, Reason::Parent),
        ("https://evil.example/x", Safe, Reason::Host),
        ("https://was.example/", Unknown, Reason::Expired),
        ("https://x.plat.example/", Unknown, Reason::Platform),
        ("https://docs.google.example/x", Dangerous, Reason::Path),
        ("https://bank.example/", Safe, Reason::Host),
    ] {
        let found = judge(&table, url);
        assert_eq!((found.0, found.1), (verdict, reason), "{url}");
    }
}

#[test]
fn platform_of_the_operators_own_stops_every_local_decision_above_it() {
    let suffixes = Suffixes::built_in();
    let own = [rule("x.example", Dangerous, Local), rule("@x.example", Verdict::None, Local), rule("a.x.example", Safe, Feed)];
    let of_a_feed =
        [rule("x.example", Dangerous, Local), rule("@x.example", Verdict::None, Feed), rule("a.x.example", Safe, Feed)];
    for (rules, below, reason) in [(&own, Safe, Reason::Host), (&of_a_feed, Dangerous, Reason::Parent)] {
        let table = table(rules);
        assert_eq!(judge(&table, "https://x.example/").0, Dangerous, "its own page");
        let found = judge(&table, "https://a.x.example/");
        assert_eq!((found.0, found.1), (below, reason));
        let overlay = Overlay::new(table.snapshot().id(), 8);
        let set = overlay.set(&rule("b.x.example", Dangerous, Feed), table.snapshot(), &key(), &suffixes);
        assert_eq!(set, if below == Safe { Ok(()) } else { Err(NotTaken::LocalStands) });
    }
}

#[test]
fn local_decision_in_the_overlay_covers_no_feed_below_a_platform() {
    let rules = [rule("@docs.google.example", Verdict::None, Feed), rule("docs.google.example/x", Dangerous, Feed)];
    let table = table(&rules);
    let overlay = Overlay::new(table.snapshot().id(), 8);
    let set = overlay.set(&rule("google.example", Safe, Local), table.snapshot(), &key(), &Suffixes::built_in());
    assert_eq!(set, Ok(()));
    let table = Table { overlay: overlay.into(), ..table };
    assert_eq!(judge(&table, "https://google.example/").0, Safe);
    assert_eq!(judge(&table, "https://docs.google.example/x").0, Dangerous);
    assert_eq!(judge(&table, "https://docs.google.example/y").1, Reason::Platform);
}

#[test]
fn what_the_operator_forbids_in_the_overlay_reaches_below_a_feeds_platform_of_that_name() {
    let table = table(&[rule("@host.example", Verdict::None, Feed), rule("@own.example", Verdict::None, Local)]);
    let overlay = Overlay::new(table.snapshot().id(), 8);
    for name in ["host.example", "own.example"] {
        overlay.set(&rule(name, Dangerous, Local), table.snapshot(), &key(), &Suffixes::built_in()).expect("room");
    }
    let table = Table { overlay: overlay.into(), ..table };
    let says = |url: &str| judge(&table, url).0;
    assert_eq!(["http://host.example/x", "http://a.host.example/"].map(says), [Dangerous, Dangerous]);
    assert_eq!(["http://own.example/", "http://a.own.example/"].map(says), [Dangerous, Unknown]);
}

#[test]
fn full_overlay_says_so_and_keeps_what_it_has() {
    let suffixes = Suffixes::built_in();
    let snapshot = Snapshot::from_bytes(&built(&[]).bytes).expect("opens");
    let overlay = Overlay::new(snapshot.id(), 100);
    let hosts = many(101);
    let taken =
        hosts.iter().take_while(|host| overlay.set(&rule(host, Dangerous, Feed), &snapshot, &key(), &suffixes).is_ok()).count();
    assert_eq!(taken, 100);
    assert!(
        hosts[..100].iter().all(|host| overlay.find(key().hash(host)).is_some_and(|(n, _)| overlay.entry(n).pattern == host))
    );
}

#[test]
fn readers_beside_the_writer_see_whole_entries_only() {
    let suffixes = Suffixes::built_in();
    let snapshot = Snapshot::from_bytes(&built(&[]).bytes).expect("opens");
    let overlay = Overlay::new(snapshot.id(), 20_000);
    let table = Table { overlay: overlay.into(), snapshot: snapshot.into(), key: key(), suspended: Arc::default() };
    let hosts = many(200);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = 0;
                    while seen < 20_000 {
                        for host in &hosts {
                            if let Some((n, word)) = table.overlay.find(key().hash(host)) {
                                let entry = table.overlay.entry(n);
                                assert_eq!(entry.pattern, host, "an entry of another key");
                                assert!(matches!(word.verdict(), Dangerous | Safe));
                                // Safe is only ever written for BANK: no moment may let another sender through.
                                let found = judge_once(&table, &format!("https://{host}/"), "OTHER");
                                assert_ne!(found.verdict, Safe);
                                seen += 1;
                            }
                        }
                    }
                })
            })
            .collect();
        for round in 0..100 {
            for host in &hosts {
                let safe = Rule { senders: "BANK", ..rule(host, Safe, Local) };
                let rule = if round % 2 == 0 { rule(host, Dangerous, Local) } else { safe };
                table.overlay.set(&rule, &table.snapshot, &key(), &suffixes).expect("room");
            }
        }
        readers.into_iter().for_each(|reader| reader.join().expect("no reader fails"));
    });
}
