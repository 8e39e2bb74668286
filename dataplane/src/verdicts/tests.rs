//! The table against a naive reading of the precedence rules, and against damage.

use super::build::{Builder, Built, Happened, Rule};
use super::pattern::{Buffers, Kind, Pattern};
use super::*;
use crate::canonical;
use proptest::prelude::*;

const NOW: u64 = 1_000_000;

fn key() -> Key {
    Key::new(b"0123456789abcdef")
}

fn rule(pattern: &str, verdict: Verdict, layer: Layer) -> Rule<'_> {
    Rule { pattern, verdict, layer, source: if layer == Layer::Local { "own" } else { "feed" }, ..Rule::default() }
}

fn built(rules: &[Rule<'_>]) -> Built {
    let mut builder = Builder::new();
    rules.iter().for_each(|rule| builder.add(rule));
    builder.build(NOW, &key(), &Suffixes::built_in()).expect("a snapshot")
}

fn table(rules: &[Rule<'_>]) -> Table {
    let snapshot = Snapshot::from_bytes(&built(rules).bytes).expect("what was built opens");
    Table::new(snapshot, None, key(), &Suffixes::built_in()).expect("a table")
}

/// Judges once: for tests where the overlay changes meanwhile.
fn judge_once(table: &Table, url: &str, sender: &str) -> Judgement {
    let mut scratch = canonical::Scratch::default();
    let url = canonical::parse(url, &mut scratch).expect("a URL");
    table.judge(&url, is_app_package(url.path_and_query), sender, &Suffixes::built_in(), &mut KeyScratch::default())
}

fn judge_for(table: &Table, url: &str, sender: &str) -> (Verdict, Reason, String) {
    let found = judge_once(table, url, sender);
    let mut scratch = canonical::Scratch::default();
    let url = canonical::parse(url, &mut scratch).expect("a URL");
    let pending = table.begin(&url, &Suffixes::built_in());
    let app = is_app_package(url.path_and_query);
    assert_eq!(found, table.finish_with_care(pending, &url, app, sender, &mut KeyScratch::default()), "at once and with care");
    (found.verdict, found.reason, found.entry.map_or(String::new(), |at| table.entry(at).pattern.to_owned()))
}

fn judge(table: &Table, url: &str) -> (Verdict, Reason, String) {
    judge_for(table, url, "")
}

use Layer::{Feed, Local};
use Verdict::{Dangerous, Safe, Unknown};

#[test]
fn most_specific_pattern_wins_and_says_by_which_rule() {
    let table = table(&[
        rule("bank.example", Safe, Feed),
        rule("evil.bank.example", Dangerous, Feed),
        rule("=www.shop.example", Safe, Feed),
        rule("shop.example/scam", Dangerous, Feed),
        rule("=host.example", Dangerous, Feed),
        rule("host.example", Safe, Feed),
        rule("192.0.2.1", Dangerous, Feed),
        rule("tg:resolve?domain=scam", Dangerous, Feed),
    ]);
    for (url, verdict, reason, entry) in [
        ("https://bank.example/x", Safe, Reason::Host, "bank.example"),
        ("https://a.b.bank.example/", Safe, Reason::Parent, "bank.example"),
        ("https://evil.bank.example/", Dangerous, Reason::Host, "evil.bank.example"),
        ("https://x.evil.bank.example/", Dangerous, Reason::Parent, "evil.bank.example"),
        ("https://www.shop.example/a", Safe, Reason::Exact, "=www.shop.example"),
        ("https://x.www.shop.example/", Unknown, Reason::NoEntry, ""),
        ("https://shop.example/scam?x", Dangerous, Reason::Path, "shop.example/scam"),
        ("https://shop.example//%73cam/a", Dangerous, Reason::Path, "shop.example/scam"),
        ("https://shop.example/scammer", Unknown, Reason::NoEntry, ""),
        ("https://host.example/", Dangerous, Reason::Exact, "=host.example"),
        ("https://a.host.example/", Safe, Reason::Parent, "host.example"),
        ("http://3221225985/x", Dangerous, Reason::Host, "192.0.2.1"),
        ("tg:resolve?domain=scam&start=1", Dangerous, Reason::Exact, "tg:resolve?domain=scam"),
        ("tg:resolve?domain=other", Unknown, Reason::NoEntry, ""),
        ("https://nobody.example/", Unknown, Reason::NoEntry, ""),
    ] {
        assert_eq!(judge(&table, url), (verdict, reason, entry.to_owned()), "{url}");
    }
}

#[test]
fn platforms_and_public_suffixes_lend_no_trust() {
    let table = table(&[
        rule("google.example", Safe, Local),
        rule("@docs.google.example", Verdict::None, Feed),
        rule("docs.google.example/d/ours", Safe, Local),
        rule("=bit.ly", Safe, Feed),
        rule("@bit.ly", Verdict::None, Feed),
        rule("github.io", Safe, Local),
        rule("duckdns.org", Dangerous, Local),
        rule("netlify.app", Dangerous, Feed),
    ]);
    for (url, verdict, reason, entry) in [
        ("https://docs.google.example/forms/x", Unknown, Reason::Platform, "docs.google.example"),
        ("https://x.docs.google.example/", Unknown, Reason::Platform, "docs.google.example"),
        ("https://docs.google.example/d/ours", Safe, Reason::Path, "docs.google.example/d/ours"),
        ("https://mail.google.example/", Safe, Reason::Parent, "google.example"),
        ("https://bit.ly/", Safe, Reason::Exact, "=bit.ly"),
        ("https://bit.ly/abc", Unknown, Reason::Platform, "bit.ly"),
        ("https://someone.github.io/", Unknown, Reason::Platform, ""),
        ("https://github.io/", Safe, Reason::Exact, "github.io"),
        ("https://someone.duckdns.org/", Dangerous, Reason::Parent, "duckdns.org"),
        ("https://someone.netlify.app/", Unknown, Reason::Platform, ""),
    ] {
        assert_eq!(judge(&table, url), (verdict, reason, entry.to_owned()), "{url}");
    }
}

#[test]
fn path_that_servers_read_in_different_ways_is_not_safe_and_stays_dangerous() {
    let [good, bad] = [("bit.ly/AbCd", Verdict::Safe), ("bit.ly/Evil", Verdict::Dangerous)];
    let rules = [("@bit.ly", Verdict::None), good, bad].map(|(pattern, verdict)| rule(pattern, verdict, Layer::Local));
    let table = table(&rules);
    let verdict = |path: &str| judge(&table, &format!("https://bit.ly/{path}")).0;
    for path in ["AbCd", "AbCd/", "AbC%64", "AbCd/x;y", "AbCd/..;x/../", "AbCd/100%25", "AbCd/100%25/x", "AbCd?u=%2541%5c..;/"] {
        assert_eq!(verdict(path), Verdict::Safe, "{path}");
    }
    for path in [
        "AbCd/..%5cx",
        "AbCd/%2e%2e%5Cx",
        "AbCd/x%5cy",
        "AbCd/..;/x",
        "AbCd/%2e.;a=b/x",
        "AbCd/..%3b/x",
        "AbC%2564",
        "AbC%252564",
        "AbC%2%3564",
        "AbC%25%36%34",
        "AbCd/..%2fx",
        "AbCd/%252e%252e/x",
        "AbCd/%255c",
    ] {
        assert_eq!(verdict(path), Verdict::Unknown, "{path}");
        let path = path.replace("AbCd", "Evil").replace("AbC", "Evi").replace("64", "6c").replace("%34", "%63");
        let leaves = path.contains("%2f") || path.contains("%252e");
        assert!(leaves || verdict(&path) == Verdict::Dangerous, "{path}");
    }
}

#[test]
fn local_decisions_beat_feeds_and_raise_an_alarm() {
    let rules = [
        rule("bank.example", Safe, Local),
        rule("login.bank.example", Dangerous, Feed),
        rule("bank.example/x", Dangerous, Feed),
        rule("=shop.example", Safe, Local),
        rule("sub.shop.example", Dangerous, Feed),
    ];
    let remarks = built(&rules).remarks;
    let alarms: Vec<_> =
        remarks.iter().filter(|r| matches!(r.what, Happened::DangerousBelowLocalSafe(_))).map(|r| &*r.pattern).collect();
    assert_eq!(alarms, ["bank.example/x", "login.bank.example"]);
    let table = table(&rules);
    assert_eq!(judge(&table, "https://login.bank.example/").0, Safe);
    assert_eq!(judge(&table, "https://bank.example/x").0, Safe);
    assert_eq!(judge(&table, "https://sub.shop.example/").0, Dangerous, "=host covers no subdomain");
}

#[test]
fn safe_for_certain_senders_is_unknown_from_others() {
    let table = table(&[Rule { senders: "BANK|+49123", ..rule("bank.example", Safe, Local) }]);
    assert_eq!(judge_for(&table, "https://bank.example/", "BANK").0, Safe);
    assert_eq!(judge_for(&table, "https://bank.example/", "49123").0, Safe);
    for other in ["Bank", "", "BANK2", "+"] {
        assert_eq!(judge_for(&table, "https://bank.example/", other), (Unknown, Reason::Sender, "bank.example".to_owned()));
    }
}

#[test]
fn of_sources_that_say_the_same_the_highest_priority_is_named_and_makes_no_verdict() {
    let from = |source, priority, verdict| Rule { source, priority, ..rule("evil.example", verdict, Feed) };
    let named = |rules: &[Rule<'_>]| {
        let table = table(rules);
        let found = judge_once(&table, "https://evil.example/", "");
        (found.verdict, table.entry(found.entry.expect("an entry")).source.to_owned())
    };
    let all = [from("first", 1, Dangerous), from("second", 9, Dangerous), from("third", 5, Dangerous), from("calm", 200, Safe)];
    assert_eq!(named(&all), (Dangerous, "second".to_owned()));
    let ended = Rule { expires: Some(NOW), ..all[1] };
    assert_eq!(named(&[all[0], ended, all[2]]), (Dangerous, "third".to_owned()), "one that has ended is not named");
    assert_eq!(named(&[from("feed", 255, Safe), rule("evil.example", Dangerous, Local)]), (Dangerous, "own".to_owned()));
}

#[test]
fn ended_entry_covers_nothing_and_explains_the_unknown() {
    let ended = |pattern, verdict, layer| Rule { expires: Some(NOW), ..rule(pattern, verdict, layer) };
    let table = table(&[
        ended("old.example", Safe, Local),
        rule("top.example", Dangerous, Feed),
        ended("sub.top.example", Safe, Local),
        ended("again.example", Safe, Local),
        rule("again.example", Dangerous, Feed),
        Rule { expires: Some(NOW + 1), ..rule("yet.example", Safe, Local) },
    ]);
    assert_eq!(judge(&table, "https://old.example/"), (Unknown, Reason::Expired, "old.example".to_owned()));
    assert_eq!(judge(&table, "https://sub.top.example/").0, Dangerous);
    assert_eq!(judge(&table, "https://again.example/").0, Dangerous);
    assert_eq!(judge(&table, "https://yet.example/").0, Safe);
}

#[test]
fn low_confidence_links_act_on_an_exact_dangerous_entry_only() {
    let table = table(&[rule("evil.example", Dangerous, Feed), rule("bank.example", Safe, Feed)]);
    let exact = |url: &str| {
        let mut scratch = canonical::Scratch::default();
        let url = canonical::parse(url, &mut scratch).expect("a URL");
        let pending = table.begin(&url, &Suffixes::built_in());
        table.finish_exact_dangerous(pending, &url, &mut KeyScratch::default()).map(|found| found.verdict)
    };
    assert_eq!(exact("http://evil.example/"), Some(Dangerous));
    assert_eq!(exact("http://a.evil.example/"), None);
    assert_eq!(exact("http://bank.example/"), None);
}

#[test]
fn app_packages_are_marked_where_the_host_is_not_safe() {
    assert!(
        is_app_package("/a/App.APK?x=1")
            && is_app_package("/a%2eap%6B")
            && !is_app_package("%6B")
            && is_app_package("/p.mobileconfig")
            && !is_app_package("/apk")
            && !is_app_package("/é")
    );
    let table = table(&[rule("bank.example", Safe, Feed)]);
    for (url, app) in [("https://bank.example/a.apk", false), ("https://x.example/a.apk", true), ("https://x.example/a", false)] {
        let mut scratch = canonical::Scratch::default();
        let url = canonical::parse(url, &mut scratch).expect("a URL");
        let package = is_app_package(url.path_and_query);
        assert_eq!(table.judge(&url, package, "", &Suffixes::built_in(), &mut KeyScratch::default()).app, app);
    }
}

/// Precedence read straight from its definition: every rule is tried on the link, nothing is looked up.
fn naive(rules: &[Rule<'_>], host: &str, path: &str) -> (Verdict, Option<String>) {
    let suffixes = Suffixes::built_in();
    let above = |x: &str, y: &str| x != y && y.ends_with(x) && y[..y.len() - x.len()].ends_with('.');
    let at_or_above = |x: &str, y: &str| x == y || above(x, y);
    let name = |r: &Rule<'_>| r.pattern.trim_start_matches(['=', '@']).split('/').next().unwrap().to_owned();
    let kind = |r: &Rule<'_>| Pattern::kind_of(r.pattern);
    let own = |r: &&Rule<'_>| kind(r) == Kind::Platform && r.layer == Local;
    let platform = |y: &Rule<'_>| {
        let forbidden = |l: &Rule<'_>| {
            // What lies below a platform of the operator's stands for itself, whatever a wider line says.
            if rules.iter().filter(own).any(|p| at_or_above(&name(l), &name(p)) && above(&name(p), &name(y))) {
                return false;
            }
            let covers = match kind(l) {
                Kind::Host => at_or_above(&name(l), &name(y)),
                Kind::Exact => name(l) == name(y),
                _ => false,
            };
            l.layer == Local && l.verdict != Safe && covers
        };
        kind(y) == Kind::Platform && (y.layer == Local || !rules.iter().any(forbidden))
    };
    let platforms: Vec<String> = rules.iter().filter(|r| platform(r)).map(name).filter(|y| at_or_above(y, host)).collect();
    let applies = |r: &&Rule<'_>| {
        let x = name(r);
        let reach = match kind(r) {
            Kind::Host => at_or_above(&x, host),
            Kind::Exact => x == host,
            Kind::Path => {
                let prefix = &r.pattern[x.len()..];
                return x == host && (path == prefix || path.starts_with(&format!("{prefix}/")));
            }
            _ => false,
        };
        let blocked = platforms.iter().any(|y| above(&x, y) || (x == *y && !(host == y && path == "/")));
        let suffix = suffixes.is_suffix(&x) && x != host && !(r.layer == Local && r.verdict != Safe);
        reach && !blocked && !suffix
    };
    let found: Vec<&Rule<'_>> = rules.iter().filter(applies).collect();
    let local = found.iter().any(|r| r.layer == Local);
    let specificity = |r: &&&Rule<'_>| (kind(r) == Kind::Path, kind(r) == Kind::Exact, r.pattern.len(), r.verdict);
    let best = found.iter().filter(|r| !local || r.layer == Local).max_by_key(specificity);
    best.map_or((Unknown, None), |r| (r.verdict, Some(r.pattern.to_owned())))
}

fn hosts() -> impl Strategy<Value = String> {
    let root = prop::sample::select(vec!["x.com", "y.com", "github.io", "u.github.io", "com", "co.uk", "z.co.uk"]);
    (prop::collection::vec(prop::sample::select(vec!["a", "b"]), 0..3), root)
        .prop_map(|(labels, root)| labels.iter().rev().fold(root.to_owned(), |host, label| format!("{label}.{host}")))
}

fn patterns() -> impl Strategy<Value = String> {
    let path = prop::collection::vec(prop::sample::select(vec!["p", "q"]), 1..3);
    (hosts(), path, 0..4).prop_map(|(host, path, kind)| match kind {
        0 => host,
        1 => format!("={host}"),
        2 => format!("@{host}"),
        _ => format!("{host}/{}", path.join("/")),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn table_says_what_the_precedence_rules_say(
        lines in prop::collection::vec((patterns(), 1..4u8, any::<bool>()), 0..14),
        links in prop::collection::vec((hosts(), prop::collection::vec(prop::sample::select(vec!["p", "q"]), 0..3)), 1..8),
    ) {
        let verdicts = [Verdict::None, Safe, Unknown, Dangerous];
        let rules: Vec<Rule<'_>> = lines.iter().map(|(pattern, verdict, local)| {
            let verdict = if pattern.starts_with('@') { Verdict::None } else { verdicts[usize::from(*verdict)] };
            rule(pattern, verdict, if *local { Local } else { Feed })
        }).collect();
        let table = table(&rules);
        for (host, path) in links {
            let path = format!("/{}", path.join("/"));
            let (verdict, reason, entry) = judge(&table, &format!("https://{host}{path}"));
            let (want, by) = naive(&rules, &host, &path);
            prop_assert_eq!(verdict, want, "{}{} by {:?}, table {} {:?}", host, path, by, entry, reason);
            if let Some(by) = by {
                prop_assert_eq!(entry, by);
            }
        }
    }

    #[test]
    fn order_of_rules_does_not_change_the_file(lines in prop::collection::vec((patterns(), 1..4u8, any::<bool>(), "[a-c]{0,2}"), 0..20)) {
        let verdicts = [Verdict::None, Safe, Unknown, Dangerous];
        let rules: Vec<Rule<'_>> = lines.iter().map(|(pattern, verdict, local, note)| {
            Rule { note, ..rule(pattern, verdicts[usize::from(*verdict)], if *local { Local } else { Feed }) }
        }).collect();
        let mut turned = rules.clone();
        turned.reverse();
        prop_assert_eq!(built(&rules).bytes, built(&turned).bytes);
    }
}

fn many(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("host{n}.example")).collect()
}

#[test]
fn every_key_is_found_and_the_file_is_small() {
    for count in [0, 1, 7, 9, 100, 5_000, 200_000] {
        let hosts = many(count);
        let built = built(&hosts.iter().map(|host| rule(host, Dangerous, Feed)).collect::<Vec<_>>());
        let snapshot = Snapshot::from_bytes(&built.bytes).expect("opens");
        snapshot.verify().expect("whole");
        assert!(
            hosts
                .iter()
                .all(|host| snapshot.find(key().hash(host)).is_some_and(|(slot, _)| snapshot.entry(slot).pattern == host))
        );
        assert!((0..10_000).all(|n| snapshot.find(key().hash(&format!("no{n}.example"))).is_none()));
        assert_eq!(snapshot.words().count(), count);
        assert!(snapshot.header().reach <= 8, "reach {}", snapshot.header().reach);
        if count >= 5_000 {
            let (octets, load) = snapshot.density();
            assert!(octets <= 13.4 && load > 0.59 && load < 0.61, "{octets} octets an entry at load {load}");
        }
    }
}

#[test]
fn one_flipped_bit_is_refused_in_the_header_and_found_in_the_body() {
    let file = built(&[rule("bank.example", Safe, Feed), rule("evil.example", Dangerous, Feed)]).bytes;
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut bad = file.clone();
            bad[at] ^= 1 << bit;
            match Snapshot::from_bytes(&bad) {
                Ok(snapshot) => assert!(at >= 4096 && snapshot.verify() == Err(Refused::Body), "byte {at} bit {bit}"),
                Err(_) => assert!(at < 4096, "byte {at}"),
            }
        }
    }
}

#[test]
fn file_cut_or_grown_anywhere_is_refused() {
    let file = built(&[rule("bank.example", Safe, Feed)]).bytes;
    assert!((0..file.len()).all(|end| Snapshot::from_bytes(&file[..end]).is_err()));
    let grown = [file.as_slice(), &[0]].concat();
    assert_eq!(Snapshot::from_bytes(&grown).unwrap_err(), Refused::Size(file.len() as u64, grown.len() as u64));
}

#[test]
fn mapped_file_and_memory_say_the_same() {
    let path = std::env::temp_dir().join(format!("ztsms-verdicts-{}", std::process::id()));
    std::fs::write(&path, built(&[rule("bank.example", Safe, Feed)]).bytes).expect("a temporary file");
    let (mapped, read) = (Snapshot::open(&path).expect("maps"), Snapshot::read_into_memory(&path).expect("reads"));
    std::fs::write(path.with_extension("cut"), b"ZTSVERD\n").expect("a temporary file");
    let cut = Snapshot::open(&path.with_extension("cut"));
    std::fs::remove_file(&path).expect("removes");
    std::fs::remove_file(path.with_extension("cut")).expect("removes");
    assert!(mapped.is_mapped() && !read.is_mapped() && mapped.verify().is_ok());
    assert_eq!(mapped.find(key().hash("bank.example")), read.find(key().hash("bank.example")));
    assert!(matches!(cut, Err(OpenError::Refused(Refused::Size(4096, 8)))));
}

#[test]
fn table_of_another_key_or_suffix_list_is_refused() {
    let bytes = built(&[rule("bank.example", Safe, Feed)]).bytes;
    let open = || Snapshot::from_bytes(&bytes).expect("opens");
    let refused = |key: Key, overlay| Table::new(open(), overlay, key, &Suffixes::built_in()).err();
    assert_eq!(refused(Key::new(&[0; 16]), None), Some(Refused::Key));
    assert_eq!(refused(key(), Some(Overlay::new(1, 8))), Some(Refused::Overlay(1, open().id())));
    assert_eq!(open().fits(key().check(), 0, 0), Err(Refused::Rules(canonical::RULES_VERSION.into(), 0)));
    assert!(matches!(open().fits(key().check(), canonical::RULES_VERSION.into(), 0), Err(Refused::SuffixList(_, 0))));
}

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
fn what_a_suspended_source_calls_dangerous_is_unknown_and_nothing_else_changes() {
    let other = Rule { source: "other", ..rule("worse.example", Dangerous, Feed) };
    let table = table(&[
        rule("evil.example", Dangerous, Feed),
        rule("bank.example", Safe, Feed),
        other,
        rule("own.example", Dangerous, Local),
    ]);
    let says = |table: &Table| {
        ["http://evil.example/x", "http://bank.example/", "http://worse.example/", "http://own.example/"]
            .map(|url| judge_once(table, url, "").verdict)
    };
    assert_eq!(says(&table), [Dangerous, Safe, Dangerous, Dangerous]);
    let table = table.without_sources(&["feed".to_owned()]);
    assert_eq!(says(&table.share()), [Unknown, Safe, Dangerous, Dangerous]);
    let found = judge_once(&table, "http://evil.example/x", "");
    assert_eq!((found.reason, found.entry.map(|at| table.entry(at).source)), (Reason::Host, Some("feed")), "whose word it was");
    assert_eq!(says(&table.without_sources(&[])), [Dangerous, Safe, Dangerous, Dangerous]);
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
fn host_that_begins_with_an_equals_sign_is_not_what_a_list_says_with_one() {
    let table = table(&[rule("=bank.example", Safe, Local), rule("bank.example", Unknown, Local), rule("=com", Safe, Local)]);
    assert_eq!(judge(&table, "https://bank.example/").0, Safe);
    for url in ["https://=bank.example/", "https://a.=bank.example/", "https://=com/", "https://a.b.=com/"] {
        assert_eq!(judge(&table, url).1, Reason::NoEntry, "{url}");
    }
    assert_eq!(judge(&table, "https://=a.bank.example/").1, Reason::Parent, "names above such a label count");
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

proptest! {
    #[test]
    fn no_text_makes_the_pattern_reader_panic(text in "\\PC{0,40}") {
        let _ = Pattern::parse(&text, &mut Buffers::default());
    }
}
