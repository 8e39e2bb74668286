//! A person decides about what waits: a domain, a host, a path, or a whole campaign; the effect is shown first.

use std::collections::{BTreeSet, HashSet};

use control::verdicts_cmd::lookup;
use dataplane::verdicts::Table;
use dataplane::verdicts::pattern::{Buffers, Kind, Pattern};
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{MOST_LINKS, arrive, rank};
use crate::audit::Actor;
use crate::decide::{self, Checked, Decision, Draft};
use crate::publish::{DECIDED, Line, Publisher};
use crate::store::{Changed, Store};
use crate::{Error, Result, time};

/// Put off so long: it comes back a day later.
pub const LATER: i64 = 86_400;
/// Patterns that one campaign's decision may make: the rest is said, and decided by the next one.
const MOST_PATTERNS: usize = 1_000;

/// What is to be decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// A pattern (`host` and what is below, `=host`, `host/path`), or `#12`: a campaign.
    pub target: String,
    /// `safe`, `dangerous`, `unknown`, `later`.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// When it ends, Unix seconds.
    pub expires: Option<i64>,
}

/// What a decision would change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// Patterns that would be decided.
    pub patterns: Vec<String>,
    /// Unknown messages of the last 24 hours (by the hour) that it would have changed, by the table as it would be. Of pages at most as many
    /// as their links were counted.
    pub messages: i64,
    /// Hosts that wait and are covered, or have pages that are.
    pub hosts: Vec<String>,
    /// Patterns of the campaign that are more than one decision takes.
    pub left: usize,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Done {
    /// The decisions that were made.
    pub decisions: Vec<Decision>,
    /// As of the effect.
    pub left: usize,
}

enum Target {
    Campaign(i64),
    Pattern(Pattern),
}

impl Target {
    fn parse(text: &str) -> Result<Self> {
        match campaign(text)? {
            Some(id) => Ok(Self::Campaign(id)),
            None => pattern(text).map(Self::Pattern),
        }
    }
}

/// The number of a campaign, as `#12`; none for what does not begin so.
pub(crate) fn campaign(text: &str) -> Result<Option<i64>> {
    let Some(number) = text.trim().strip_prefix('#') else { return Ok(None) };
    let number = number.parse().ok().filter(|number| *number > 0);
    number.map(Some).ok_or_else(|| Error::Refused(format!("campaign {text:?}: # and its number, as #12")))
}

pub(crate) fn pattern(text: &str) -> Result<Pattern> {
    Pattern::parse(text, &mut Buffers::default()).map_err(|why| Error::Refused(format!("pattern {text:?}: {why}")))
}

/// The host of a pattern.
pub(crate) fn host(key: &str) -> &str {
    key.trim_start_matches(['=', '@']).split('/').next().unwrap_or_default()
}

/// A host in a campaign.
struct Row {
    host: String,
    campaign: i64,
    links: Vec<(String, i64)>,
}

impl Row {
    /// Those of a campaign, the latest first, or all.
    fn read(state: &Connection, campaign: Option<i64>) -> Result<Vec<Self>> {
        let sql = "SELECT host, campaign, links FROM triage WHERE ?1 IS NULL OR campaign = ?1 ORDER BY last DESC, host";
        let mut found = state.prepare_cached(sql)?;
        let rows = found.query_map([campaign], |row| {
            let links = arrive::links(&row.get::<_, String>(2)?).into_iter().collect();
            Ok(Self { host: row.get(0)?, campaign: row.get(1)?, links })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Its pages as patterns.
    fn pages(&self) -> impl Iterator<Item = String> {
        let bare = |(link, _): &(String, i64)| link.split('?').next().filter(|link| link.contains('/')).map(str::to_owned);
        self.links.iter().filter_map(bare)
    }
}

/// A decision before it is made: what it says, what that changes, and what waits no more then.
struct Plan {
    effect: Effect,
    checked: Vec<Checked>,
    /// Hosts that wait no more, by the pattern that covers all of them.
    covered: Vec<(String, String)>,
    /// What `later` puts off.
    put_off: Vec<(String, i64)>,
}

/// What a decision about this would have changed.
///
/// # Errors
/// Whatever [`decide()`] refuses.
pub fn effect(state: &Connection, publisher: &Publisher, order: &Order, now: i64) -> Result<Effect> {
    plan(state, publisher, order, now).map(|plan| plan.effect)
}

fn plan(state: &Connection, publisher: &Publisher, order: &Order, now: i64) -> Result<Plan> {
    let (table, later) = (publisher.table()?, order.verdict == "later");
    if later && order.expires.is_some() {
        return Error::refused("later is for a day: it has no other end");
    }
    // Put off is what `dangerous` would reach.
    let verdict = if later { "dangerous" } else { &order.verdict };
    if decide::verdict(verdict).is_none() {
        return Error::refused(format!("verdict {verdict:?}: safe, dangerous, unknown or later"));
    }
    let target = Target::parse(&order.target)?;
    let is_campaign = matches!(target, Target::Campaign(_));
    let (rows, patterns, left) = match target {
        Target::Campaign(_) if verdict == "safe" => {
            return Error::refused("safe is said of a name, not of a text: decide its hosts one by one");
        }
        Target::Campaign(id) => {
            let sql = "SELECT 1 FROM campaigns WHERE id = ?1";
            if state.prepare_cached(sql)?.query_row([id], |_| Ok(())).optional()?.is_none() {
                return Err(Error::NotFound(format!("there is no campaign #{id}: `triage list` names them")));
            }
            let rows = Row::read(state, Some(id))?;
            let (patterns, left) = of_campaign(state, publisher, &table, &rows, verdict)?;
            (rows, patterns, left)
        }
        Target::Pattern(pattern) => {
            let mut rows = Row::read(state, None)?;
            rows.retain(|row| spoken_of(&pattern, &row.host));
            (rows, vec![pattern.key], 0)
        }
    };
    if patterns.is_empty() && !later {
        return Error::refused("nothing of it can be decided: it names platforms alone, and no page of one");
    }
    let reason = if is_campaign { format!("{} (campaign {})", order.reason, order.target) } else { order.reason.clone() };
    let draft = |pattern: &String| Draft {
        pattern: pattern.clone(),
        verdict: verdict.to_owned(),
        reason: reason.clone(),
        expires: order.expires,
        ..Draft::default()
    };
    let check = |pattern: &String| decide::check(&draft(pattern), &table, publisher.suffixes(), now);
    let checked: Vec<Checked> = patterns.iter().map(check).collect::<Result<_>>()?;
    if !later {
        checked.iter().try_for_each(|checked| decide::may_alone(state, checked))?;
    }
    let line = |checked: &Checked| Line {
        id: i64::MAX,
        pattern: checked.pattern.key.clone(),
        verdict: decide::verdict(verdict).unwrap_or_default(),
        category: String::new(),
        senders: String::new(),
        source: DECIDED,
        expires: order.expires,
        note: String::new(),
    };
    let trial = publisher.trial(state, checked.iter().map(line).collect())?;
    let mut plan = Plan { effect: Effect { left, ..Effect::default() }, checked, covered: Vec::new(), put_off: Vec::new() };
    let mut hosts = BTreeSet::new();
    let keys: HashSet<&str> = plan.checked.iter().map(|checked| checked.pattern.key.as_str()).collect();
    for row in &rows {
        let day = rank::hours(state, &row.host, row.campaign, now)?[0];
        let after = |link: &str| lookup(&trial, link, "", publisher.suffixes());
        let by_this = |link: &str| after(link).entry.filter(|entry| keys.contains(entry.as_str()));
        let changes =
            |link: &str| lookup(&table, link, "", publisher.suffixes()).verdict == "unknown" && after(link).verdict != "unknown";
        // Whatever page of it comes next.
        let other = format!("http://{}/a-path-of-it", row.host);
        if let Some(pattern) = by_this(&other) {
            plan.effect.messages += if changes(&other) { day } else { 0 };
            plan.covered.push((row.host.clone(), pattern));
            plan.put_off.push((row.host.clone(), row.campaign));
        } else {
            let pages: Vec<_> = row.links.iter().filter(|(link, _)| by_this(link).is_some()).collect();
            if pages.is_empty() && !(later && is_campaign) {
                continue;
            }
            let changed: i64 = pages.iter().filter(|(link, _)| changes(link)).map(|(_, count)| count).sum();
            plan.effect.messages += changed.min(day);
            if is_campaign || pages.len() == row.links.len() && pages.len() < MOST_LINKS {
                plan.put_off.push((row.host.clone(), row.campaign));
            }
        }
        hosts.insert(row.host.clone());
    }
    plan.effect.hosts = hosts.into_iter().collect();
    if later {
        if plan.put_off.is_empty() {
            return Error::refused(format!(
                "nothing of {} waits that has no other links beside it: put off its host, or a campaign",
                order.target
            ));
        }
        plan.checked.clear();
        (plan.effect.messages, plan.effect.left) = (0, 0);
        plan.effect.hosts = plan.put_off.iter().map(|(host, _)| host.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    } else {
        plan.effect.patterns = plan.checked.iter().map(|checked| checked.pattern.key.clone()).collect();
    }
    Ok(plan)
}

/// The patterns of a campaign's decision, those first of which nobody has said so yet, and how many are left.
fn of_campaign(
    state: &Connection,
    publisher: &Publisher,
    table: &Table,
    rows: &[Row],
    verdict: &str,
) -> Result<(Vec<String>, usize)> {
    let (mut fresh, mut said) = (Vec::new(), Vec::new());
    for row in rows {
        // On a platform only these very pages are of the campaign.
        let is_platform = publisher.suffixes().is_suffix(&row.host) || table.is_platform(&row.host);
        let patterns: Vec<String> = if is_platform { row.pages().collect() } else { vec![row.host.clone()] };
        for pattern in patterns {
            let standing = decide::at(state, &pattern)?;
            if standing.is_some_and(|standing| standing.verdict == verdict) { &mut said } else { &mut fresh }.push(pattern);
        }
    }
    let left = fresh.len().saturating_sub(MOST_PATTERNS);
    fresh.append(&mut said);
    let mut seen = HashSet::new();
    fresh.retain(|pattern| seen.insert(pattern.clone()));
    fresh.truncate(MOST_PATTERNS);
    Ok((fresh, left))
}

/// Whether a pattern may say something of a host or its pages.
fn spoken_of(pattern: &Pattern, host: &str) -> bool {
    let name = self::host(&pattern.key);
    host == name || pattern.kind == Kind::Host && decide::is_at_or_below(host, name)
}

/// Decides, all of it or nothing. `later` makes no decision: what waits comes back after a day.
///
/// # Errors
/// What [`decide::check`] refuses, and `safe` for a campaign.
pub fn decide(store: &Store, actor: &Actor, order: Order, publisher: &Publisher) -> Result<Done> {
    let now = time::now();
    let plan = store.read(|state| plan(state, publisher, &order, now))?;
    let author = actor.name.clone();
    store.change(actor, "triage", move |transaction| {
        let Plan { effect, checked, covered, put_off } = plan;
        let mut decisions = Vec::new();
        for checked in &checked {
            decide::may_alone(transaction, checked)?;
            decisions.push(checked.write(transaction, &author)?.0);
        }
        // A page says nothing of what else its host has.
        for (host, pattern) in &covered {
            if let Some(decision) = decisions.iter().find(|decision| decision.pattern == *pattern) {
                let sql = "UPDATE triage SET decision = ?2, later = NULL WHERE host = ?1";
                transaction.prepare_cached(sql)?.execute((host, decision.id))?;
            }
        }
        if checked.is_empty() {
            for (host, campaign) in &put_off {
                let sql = "UPDATE triage SET later = ?3 WHERE host = ?1 AND campaign = ?2";
                transaction.prepare_cached(sql)?.execute((host, campaign, now + LATER))?;
            }
        }
        let ids: Vec<i64> = decisions.iter().map(|decision| decision.id).collect();
        let left = effect.left;
        let detail = json!({ "verdict": order.verdict, "reason": order.reason, "decisions": ids, "effect": effect });
        Ok(Changed { subject: order.target, detail, value: Done { decisions, left } })
    })
}
