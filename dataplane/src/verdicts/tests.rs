//! What the table says of links: by rule, beside an overlay, against a naive reading of the precedence rules, and after damage.

use super::build::{Builder, Built, Happened, Rule};
use super::*;
use crate::canonical;

mod file;
mod naive;
mod overlay;

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

fn many(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("host{n}.example")).collect()
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
    for path in ["AbCd", "AbCd/", "AbC%64", "AbCd/..;x/../", "AbCd/100%25", "AbCd/100%25/x", "AbCd?u=%2541%5c..;/"] {
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
        "AbCd/x;y",
        "x/..%2fAbCd",
        "x%2F..%2fAbCd",
    ] {
        assert_eq!(verdict(path), Verdict::Unknown, "{path}");
        let path = path.replace("AbCd", "Evil").replace("AbC", "Evi").replace("64", "6c").replace("%34", "%63");
        let leaves = path.contains("/..%2f") && !path.ends_with("Evil") || path.contains("%252e");
        assert!(leaves || verdict(&path) == Verdict::Dangerous, "{path}");
    }
}

#[test]
fn what_is_said_of_a_path_is_not_evaded_by_one_that_a_server_may_take_for_it() {
    let table = table(&[
        rule("bank.example", Safe, Local),
        rule("bank.example/open", Dangerous, Local),
        rule("bank.example/a;b", Safe, Local),
        rule("shop.example/a", Safe, Local),
        rule("shop.example/a/open", Dangerous, Local),
        rule("calm.example", Safe, Local),
        rule("www.calm.example/open", Dangerous, Local),
        rule("sites.example/view/ours", Safe, Local),
    ]);
    for (link, verdict) in [
        ("bank.example/open;x?u=1", Unknown),
        ("bank.example/open%3bx", Unknown),
        ("bank.example/;/open", Unknown),
        ("bank.example/x%5c..%5copen?u=1", Unknown),
        ("bank.example/x%2f..%2fopen", Dangerous),
        ("bank.example/x%2fopen", Unknown),
        ("bank.example/%256fpen", Dangerous),
        ("bank.example/x/..;/y", Unknown),
        ("bank.example/a;b", Safe),
        ("bank.example/a;b/", Safe),
        ("bank.example/100%25?u=;%2f", Safe),
        ("shop.example/a/open;x", Unknown),
        ("shop.example/a/x", Safe),
        ("calm.example/open;x%5c", Unknown),
        ("www.calm.example/open;x", Unknown),
        ("app.calm.example/open;x%5c%2f", Safe),
        ("sites.example/view/evil/..%2fours", Unknown),
        ("sites.example/view%2fours", Unknown),
        ("sites.example/view/ours", Safe),
    ] {
        assert_eq!(judge(&table, &format!("https://{link}")).0, verdict, "{link}");
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
            && is_app_package("/get?f=a.xapk&x=1")
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
fn host_that_begins_with_an_equals_sign_is_not_what_a_list_says_with_one() {
    let table = table(&[rule("=bank.example", Safe, Local), rule("bank.example", Unknown, Local), rule("=com", Safe, Local)]);
    assert_eq!(judge(&table, "https://bank.example/").0, Safe);
    for url in ["https://=bank.example/", "https://a.=bank.example/", "https://=com/", "https://a.b.=com/"] {
        assert_eq!(judge(&table, url).1, Reason::NoEntry, "{url}");
    }
    assert_eq!(judge(&table, "https://=a.bank.example/").1, Reason::Parent, "names above such a label count");
}
