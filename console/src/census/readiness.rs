//! What would happen if filters acted today, by the messages of the last days and the verdicts of now.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use control::verdicts_cmd::lookup;
use dataplane::suffix::Suffixes;
use dataplane::verdicts::Table;
use rusqlite::Connection;
use serde::Serialize;

use super::distinct::Distinct;
use super::gate::{self, Gate, Raised};
use super::share;
use crate::Result;

/// Days that are looked at.
pub const WINDOW: i64 = 7;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Ask {
    /// Subscribers of the network; none: those who got a message in these days.
    pub subscribers: Option<u64>,
    /// How many domains would be decided.
    pub domains: usize,
}

/// A domain that makes messages unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Open {
    /// The registrable domain.
    pub domain: String,
    /// Messages that deciding it, and those before it, would make known.
    pub messages: i64,
    /// Hosts of it.
    pub hosts: Vec<String>,
    /// Who got a link to it, over all days; an estimate above 64 (standard error 3.3 %).
    pub recipients: u64,
    /// Who sent one.
    pub senders: u64,
    /// First seen, Unix seconds.
    pub first: i64,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Readiness {
    /// Days that were counted.
    pub days: i64,
    /// The first and the last of them, days since 1970.
    pub from: i64,
    /// See `from`.
    pub to: i64,
    /// Messages to phones.
    pub messages: i64,
    /// Of these, with a link.
    pub with_links: i64,
    /// Of these, unknown by the verdicts of now.
    pub unknown: i64,
    /// `unknown` of `with_links`.
    pub unknown_share: f64,
    /// What the share was by the verdicts of then.
    pub unknown_share_then: f64,
    /// Unknown ones that no decision about a domain helps: on platforms, or without a host.
    pub on_platforms: i64,
    /// Dangerous by the verdicts of now.
    pub dangerous: i64,
    /// Subscribers that warnings are divided by.
    pub subscribers: u64,
    /// Warnings (unknown or dangerous) for 1 000 subscribers and a day.
    pub warnings: f64,
    /// Domains that would be decided, by what each brings.
    pub deciding: Vec<Open>,
    /// What the share would be then.
    pub unknown_share_after: f64,
    /// Counted, and without a row: what is said above may be wrong by as much.
    pub beyond: i64,
    /// Above this share filters are not let act.
    pub most_unknown: f64,
    /// Who raised that above what it is by itself, and why.
    pub raised: Option<Raised>,
    /// When they were last let act, and by whom.
    pub gate: Option<Gate>,
}

/// Looks at the last [`WINDOW`] days.
///
/// # Errors
/// The database's.
pub fn readiness(state: &Connection, table: &Table, suffixes: &Suffixes, ask: Ask) -> Result<Readiness> {
    let to: Option<i64> = state.query_row("SELECT max(day) FROM census_days", [], |row| row.get(0))?;
    let to = to.unwrap_or_default();
    let mut sum = [0_i64; 5];
    let (mut days, mut from, mut recipients) = (0, to, Distinct::default());
    let mut found = state.prepare_cached(
        "SELECT day, messages, safe, unknown, dangerous, beyond, recipients FROM census_days WHERE day > ?1 ORDER BY day DESC",
    )?;
    let mut rows = found.query([to - WINDOW])?;
    while let Some(row) = rows.next()? {
        from = row.get(0)?;
        days += 1;
        for (at, sum) in (1..).zip(&mut sum) {
            *sum += row.get::<_, i64>(at)?;
        }
        recipients.merge(&Distinct::of(&row.get::<_, Vec<u8>>(6)?));
    }
    let [messages, safe, unknown_then, mut dangerous, beyond] = sum;
    let with_links = safe + unknown_then + dangerous;
    // What was unknown then may have been decided since: it is judged again by its hosts.
    let mut judged: HashMap<String, (&'static str, String)> = HashMap::new();
    let mut judge = |host: &str| judged.entry(host.to_owned()).or_insert_with(|| judge(table, suffixes, host)).clone();
    let mut open: Vec<(Vec<Undecided>, i64)> = Vec::new();
    let mut decided = 0;
    let mut found = state.prepare_cached("SELECT hosts, sum(messages) FROM census_open WHERE day > ?1 GROUP BY hosts")?;
    let mut rows = found.query([to - WINDOW])?;
    while let Some(row) = rows.next()? {
        let (hosts, count): (String, i64) = (row.get(0)?, row.get(1)?);
        let now: Vec<_> = hosts.split(' ').map(|host| (host, judge(host))).collect();
        if now.iter().any(|(_, (verdict, _))| *verdict == "dangerous") {
            dangerous += count;
            decided += count;
        } else if !hosts.is_empty() && now.iter().all(|(_, (verdict, _))| *verdict == "safe") {
            decided += count;
        } else {
            let left = now.into_iter().filter(|(_, (verdict, _))| *verdict != "safe");
            open.push((left.map(|(host, (_, domain))| Undecided { host: host.to_owned(), domain }).collect(), count));
        }
    }
    let unknown = unknown_then - decided;
    let on_platforms = open.iter().filter(|(left, _)| left.iter().any(Undecided::is_platform)).map(|(_, count)| count).sum();
    let (mut deciding, brought) = best(&open, ask.domains);
    for one in &mut deciding {
        let sql = "SELECT recipients, senders, first FROM census_domains WHERE domain = ?1";
        let mut found = state.prepare_cached(sql)?;
        let mut rows = found.query([&one.domain])?;
        if let Some(row) = rows.next()? {
            one.recipients = Distinct::of(&row.get::<_, Vec<u8>>(0)?).count();
            one.senders = Distinct::of(&row.get::<_, Vec<u8>>(1)?).count();
            one.first = row.get(2)?;
        }
    }
    let subscribers = ask.subscribers.unwrap_or_else(|| recipients.count());
    let a_day = |count: i64| if days == 0 { 0.0 } else { count as f64 / days as f64 };
    let warnings = if subscribers == 0 { 0.0 } else { a_day(unknown + dangerous) * 1_000.0 / subscribers as f64 };
    Ok(Readiness {
        days,
        from,
        to,
        messages,
        with_links,
        unknown,
        unknown_share: share(unknown, with_links),
        unknown_share_then: share(unknown_then, with_links),
        on_platforms,
        dangerous,
        subscribers,
        warnings,
        deciding,
        unknown_share_after: share(unknown - brought, with_links),
        beyond,
        most_unknown: gate::most_unknown(state)?,
        raised: gate::raised(state)?,
        gate: gate::last(state)?,
    })
}

/// A host that makes a message unknown.
struct Undecided {
    host: String,
    /// What would be decided: its registrable domain, or itself where a platform hosts it; empty for a platform's own host.
    domain: String,
}

impl Undecided {
    fn is_platform(&self) -> bool {
        self.domain.is_empty()
    }
}

/// The verdict of a host now, and what would be decided about it.
fn judge(table: &Table, suffixes: &Suffixes, host: &str) -> (&'static str, String) {
    let found = lookup(table, host, "", suffixes);
    let own = host.is_empty() || suffixes.is_suffix(host) || table.is_platform(host);
    let domain = match (own, found.reason) {
        (true, _) => String::new(),
        (false, "platform") => host.to_owned(),
        (false, _) => suffixes.registrable(host).unwrap_or(host).to_owned(),
    };
    (found.verdict, domain)
}

/// The domains that make most messages known, each counted behind those before it: a message is known when all of its hosts are.
fn best(open: &[(Vec<Undecided>, i64)], most: usize) -> (Vec<Open>, i64) {
    let mut hosts: HashMap<String, BTreeSet<String>> = HashMap::new();
    let mut sets: BTreeMap<Vec<String>, i64> = BTreeMap::new();
    for (left, count) in open.iter().filter(|(left, _)| !left.iter().any(Undecided::is_platform)) {
        for Undecided { host, domain } in left {
            hosts.entry(domain.clone()).or_default().insert(host.clone());
        }
        let mut domains: Vec<String> = left.iter().map(|one| one.domain.clone()).collect();
        domains.sort();
        domains.dedup();
        *sets.entry(domains).or_default() += count;
    }
    // By all messages that each is in: a good order, and exact where messages have one domain, as nearly all have.
    let mut by_domain: HashMap<&str, i64> = HashMap::new();
    for (domains, count) in &sets {
        domains.iter().for_each(|domain| *by_domain.entry(domain).or_default() += count);
    }
    let mut order: Vec<(&str, i64)> = by_domain.into_iter().collect();
    order.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    order.truncate(most);
    let place: HashMap<&str, usize> = order.iter().enumerate().map(|(at, (domain, _))| (*domain, at)).collect();
    let mut brings = vec![0; order.len()];
    for (domains, count) in &sets {
        // The last of them to be decided is the one that makes the message known.
        let last = domains.iter().map(|domain| place.get(domain.as_str()).copied()).collect::<Option<Vec<_>>>();
        if let Some(brings) = last.and_then(|all| all.into_iter().max()).and_then(|at| brings.get_mut(at)) {
            *brings += count;
        }
    }
    let listed = order.iter().zip(&brings).map(|((domain, _), messages)| Open {
        domain: (*domain).to_owned(),
        messages: *messages,
        hosts: hosts.get(*domain).into_iter().flatten().take(10).cloned().collect(),
        recipients: 0,
        senders: 0,
        first: 0,
    });
    (listed.collect(), brings.iter().sum())
}
