//! What the desk's verdicts are worth, on real lists: nothing is safe that was not listed, exactly.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use console::audit::Actor;
use console::census::readiness::Ask;
use console::command::{Census, Command, Verify};
use console::desk::Desk;
use console::verify::bulk::Bulk;
use control::spool::{Kind, Limits, Plain, Segments};
use control::verdicts_cmd::lookup;
use dataplane::suffix::Suffixes;
use serde_json::{Value, json};

use super::published::ztsms;
use super::room::Room;

fn lists() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/lists");
    if dir.is_dir() {
        return Some(dir);
    }
    println!("skipped: ../shared/data/lists is not here");
    None
}

/// Names of a warning list, without the dot that some begin with.
fn names(path: &Path) -> Vec<String> {
    let list: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let name = |value: &Value| value.as_str().unwrap().trim_start_matches('.').to_lowercase();
    list["list"].as_array().unwrap().iter().map(name).collect()
}

/// The host of a line of a phishing list: a name, an address, or a whole link.
fn host(line: &str) -> &str {
    let rest = line.split_once("://").map_or(line, |(_, rest)| rest);
    rest.split(['/', '?', '#', ':']).next().unwrap_or_default()
}

#[test]
fn no_host_of_the_phishing_lists_is_safe_but_those_that_are_listed_exactly() {
    let Some(lists) = lists() else { return };
    let room = Room::new("false-safe");
    let safe: BTreeSet<String> =
        ["bank-website.json", "tranco10k.json"].iter().flat_map(|name| names(&lists.join(name))).collect();
    let exact: String = safe.iter().map(|name| format!("={name},safe,,,approved,,\n")).collect();
    let exact = room.list("approved.csv", format!("pattern,verdict,category,senders,source,expires,note\n{exact}"));
    room.well(&["feed", "set", "approved", &exact, "--own"]);
    room.well(&["import", "approved"]);
    let suffixes = Suffixes::built_in();
    let table = control::build::open(&room.data().join("verdicts"), &suffixes).unwrap();
    let says = |link: &str| lookup(&table, link, "", &suffixes);
    let approved = safe.iter().filter(|name| says(name).verdict == "safe").count();
    // Names that are suffixes or platforms, or no names at all, are not safe by a list either.
    assert!(approved > 10_000, "{approved} of {} approved names are safe", safe.len());
    let (mut asked, mut listed, mut below, mut wrong) = (0, 0, 0, Vec::new());
    for file in ["domains-ACTIVE2.txt", "links-INACTIVE1.txt", "IPs-ACTIVE.txt"] {
        for line in fs::read_to_string(lists.join(file)).unwrap().lines().map(str::trim).filter(|line| !line.is_empty()) {
            let host = host(line).to_lowercase();
            asked += 1;
            let parents = host.match_indices('.').filter_map(|(at, _)| host.get(at + 1..));
            below += usize::from(!safe.contains(&host) && parents.into_iter().any(|parent| safe.contains(parent)));
            for link in [line, host.as_str()] {
                let found = says(link);
                match (found.verdict == "safe", safe.contains(&host)) {
                    (true, false) => wrong.push(format!("{file}: {link} by {:?}", found.entry)),
                    (true, true) => listed += 1,
                    _ => {}
                }
            }
        }
    }
    println!(
        "{approved} of {} names approved as =host; {asked} lines of phishing lists: {below} below an approved name, {} false safe, \
         {listed} answers safe because the very host is approved",
        safe.len(),
        wrong.len()
    );
    assert!(asked > 50_000 && below > 1_000, "{asked} asked, {below} below");
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Short messages a day, subscribers, domains decided at the end of each day, and names that nobody has seen before, of those not on a list.
const MESSAGES: u64 = 3_000;
const SUBSCRIBERS: u64 = 1_000;
const DECIDED: usize = 100;
const NEW: f64 = 0.10;
/// 2026-10-01, in days since 1970.
const FIRST_DAY: i64 = 20_727;

/// A number in [0, 1) out of a text, always the same.
fn chance(text: &str) -> f64 {
    // 32 bits: exact.
    (console::census::distinct::hash(text) >> 32) as f64 / f64::from(u32::MAX)
}

/// Traffic has its names by Zipf's law, and the generator draws them evenly: each unknown name that is no platform's becomes one of a ranked
/// list with a chance of 1 / rank, or one that is new this day. Verdict and reason are then the table's of this day.
fn renamed(sms: &mut Value, day: i64, ranked: &[String], says: &impl Fn(&str) -> (&'static str, &'static str)) {
    let mut worst = 0;
    for url in sms["urls"].as_array_mut().unwrap() {
        let host = url["host"].as_str().unwrap_or_default().to_owned();
        if url["verdict"] == "unknown" && url["reason"] == "no-entry" {
            let draw = chance(&format!("{day} {host}"));
            let name = if chance(&host) < NEW {
                format!("new{:x}.example", console::census::distinct::hash(&format!("{day} {host}")))
            } else {
                // Of n names, rank n^draw has a chance of 1 / rank.
                let rank = (ranked.len() as f64).powf(draw).floor() as usize;
                ranked[rank.min(ranked.len()) - 1].clone()
            };
            let (verdict, reason) = says(&name);
            url["registrable"] = Suffixes::built_in().registrable(&name).map_or(Value::Null, |domain| json!(domain));
            (url["host"], url["verdict"], url["reason"]) = (json!(name), json!(verdict), json!(reason));
        }
        let rank = ["none", "safe", "unknown", "dangerous"].iter().position(|verdict| url["verdict"] == *verdict).unwrap();
        worst = worst.max(rank);
    }
    sms["verdict"] = json!(["none", "safe", "unknown", "dangerous"][worst]);
}

#[test]
#[ignore = "a measurement of minutes: share of unknown over a generated month"]
fn month() {
    let Some(lists) = lists() else { return };
    let room = Room::empty("month");
    let desk = Desk::open(&room.data()).unwrap();
    let ranked = names(&lists.join("tranco10k.json"));
    let obey = |desk: &Arc<Desk>, who: &str, command: Census| {
        desk.obey(&Actor { name: who.to_owned(), via: "test".to_owned() }, Command::Census(command)).unwrap()
    };
    // Nobody can look into a generated month: there is no fetcher.
    let verify = |who: &str, command: Verify| {
        desk.obey(&Actor { name: who.to_owned(), via: "test".to_owned() }, Command::Verify(command)).unwrap()
    };
    let (spool, suffixes) = (room.path("spool"), Suffixes::built_in());
    let mut segments = Segments::new(&spool, Kind::Spool, Limits::default()).unwrap();
    let mut number = 0;
    let (mut warnings, mut falsely, mut of_days) = (HashMap::<String, Vec<u32>>::new(), 0_u64, Vec::new());
    for day in 0..30_i64 {
        let start = jiff::Timestamp::from_second((FIRST_DAY + day) * 86_400).unwrap();
        let mix = room.list("mix.toml", format!("start = \"{start}\"\nsubscribers = {SUBSCRIBERS}\n"));
        let capture = room.path("day.pcapng").display().to_string();
        let (count, seed) = (MESSAGES.to_string(), (day + 1).to_string());
        ztsms(&["generate", &capture, "--messages", &count, "--seed", &seed, "--mix", &mix]);
        let mut all = ztsms(&["replay", "--json", &capture]);
        assert!(all.len() > 2_000, "{} records", all.len());
        let table = desk.publisher().table().unwrap();
        let says = |host: &str| {
            let found = lookup(&table, host, "", &suffixes);
            (found.verdict, found.reason)
        };
        let mut plain = Plain::default();
        let (mut links, mut unknown) = (0_u32, 0_u32);
        for sms in &mut all {
            renamed(sms, day, &ranked, &says);
            let whole = sms["concat"].is_null() || sms["parts"].as_u64() >= sms["concat"]["total"].as_u64();
            if sms["direction"] == "mt" && whole {
                let verdict = sms["verdict"].as_str().unwrap();
                links += u32::from(verdict != "none");
                unknown += u32::from(verdict == "unknown");
                let days = warnings.entry(sms["imsi"].as_str().unwrap_or_default().to_owned()).or_insert_with(|| vec![0; 30]);
                days[usize::try_from(day).unwrap()] += u32::from(matches!(verdict, "unknown" | "dangerous"));
                let phish = sms["urls"].as_array().unwrap().iter().any(|url| url["verdict"] == "dangerous");
                falsely += u64::from(verdict == "unknown" && !phish);
            }
            plain.push(sms.to_string().as_bytes());
        }
        segments.append(&plain.finish(number, None)).unwrap();
        number += all.len() as u64;
        obey(&desk, "ada", Census::Read(spool.clone()));
        of_days.push(f64::from(unknown) / f64::from(links));
        // At the end of the day the most frequent ones are decided, by two people.
        verify("ada", Verify::Bulk(Bulk::Census(DECIDED)));
        verify("ada", Verify::CollectOpen);
        let waiting = verify("ada", Verify::List { state: Some("open".to_owned()), most: 10_000 });
        let ids: Vec<i64> = waiting.as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect();
        for who in ["ada", "bob"] {
            for &id in &ids {
                verify(who, Verify::Approve { id, reason: "a test".to_owned(), below: false, unseen: true });
            }
        }
    }
    let mut sums: Vec<u32> = warnings.values().map(|days| days.iter().sum()).collect();
    sums.sort_unstable();
    let percentile = |share: f64| sums[((sums.len() - 1) as f64 * share) as usize];
    println!("{MESSAGES} messages a day to {SUBSCRIBERS} subscribers, {DECIDED} domains decided at the end of each day");
    let shares: Vec<String> = of_days.iter().map(|share| format!("{:.1}", share * 100.0)).collect();
    println!("unknown, % of messages with links, by what was decided the days before: {}", shares.join(" "));
    let all: u32 = sums.iter().sum();
    println!(
        "warnings a subscriber in 30 days: p50 {}, p99 {}, of {all} in all {falsely} for links that are not on the list of dangerous ones",
        percentile(0.5),
        percentile(0.99)
    );
    let ready = desk.readiness(Ask { subscribers: Some(SUBSCRIBERS), domains: DECIDED }).unwrap();
    println!(
        "readiness, last 7 days by the verdicts of now: {:.1} % unknown ({} of {}, {} on platforms), {:.1} warnings for 1 000 subscribers a day; \
         {} domains more: {:.1} %",
        ready.unknown_share * 100.0,
        ready.unknown,
        ready.with_links,
        ready.on_platforms,
        ready.warnings,
        ready.deciding.len(),
        ready.unknown_share_after * 100.0
    );
    let begun = Instant::now();
    let draft = console::decide::Draft {
        pattern: "evil.example".to_owned(),
        verdict: "dangerous".to_owned(),
        reason: "a test".to_owned(),
        ..console::decide::Draft::default()
    };
    let actor = Actor { name: "ada".to_owned(), via: "test".to_owned() };
    desk.obey(&actor, Command::Decide(console::command::Decide::Set(draft))).unwrap();
    let took = begun.elapsed();
    let count = "SELECT count(*) FROM decisions WHERE ended IS NULL";
    let count: i64 = desk.store().read(|state| Ok(state.query_row(count, [], |row| row.get(0))?)).unwrap();
    println!("one decision among {count} in force: {:.0} ms until it is published", took.as_secs_f64() * 1e3);
    assert!(of_days[29] < of_days[0], "deciding helps");
}
