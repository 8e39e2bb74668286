//! The order in which people should look: by who got it, how fast it grows, who sends it, how new the name is, whom it looks like, who
//! reported it. The score orders, and says nothing of the name.

use std::collections::{BTreeMap, BTreeSet};

use dataplane::policy::looks_like;
use dataplane::suffix::Suffixes;
use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;

use super::arrive::links;
use super::{HOUR, KEPT};
use crate::Result;
use crate::census::distinct::Distinct;
use crate::decide::is_at_or_below;
use crate::expand::{live, queue};

/// A name shorter than this looks like too much.
const SHORTEST_NAME: usize = 4;
/// Days after which a name is no longer new.
const NEW_DAYS: i64 = 3;
/// Hosts of a domain that are shown.
const HOSTS: usize = 10;
/// Hosts of a campaign that are shown.
const SHOWN: i64 = 1_000;
/// Campaigns of a domain that are shown.
const CAMPAIGNS: usize = 100;

/// One registrable domain that waits.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Group {
    /// Its name.
    pub domain: String,
    /// Its hosts that were seen, at most ten.
    pub hosts: Vec<String>,
    /// Hosts of it that are not shown.
    pub more_hosts: usize,
    /// A platform: what it hosts stands for itself, and is decided path by path.
    pub platform: bool,
    /// The campaigns that its texts are of; 0: texts that say too little.
    pub campaigns: Vec<i64>,
    /// Different deliveries, an estimate above 64 (standard error 3.3 %).
    pub deliveries: u64,
    /// Messages in the last 24 hours, by the hour.
    pub day: i64,
    /// Messages in the hour that runs and the one before.
    pub hour: i64,
    /// Messages in the two hours before these.
    pub before: i64,
    /// `name`, `short-code`, `number`, `phone`.
    pub senders: Vec<&'static str>,
    /// First seen, Unix seconds: here or by the census.
    pub first: i64,
    /// Last seen.
    pub last: i64,
    /// The protected name that it looks like.
    pub like: Option<String>,
    /// Different subscribers who reported it.
    pub reports: u64,
    /// Hosts that its short links lead to, at most ten, the latest first.
    pub leads: Vec<String>,
    /// What a provider says of its hosts, where it was asked.
    pub provider: BTreeMap<String, String>,
    /// What it is ordered by.
    pub score: f64,
}

/// A campaign: texts that look alike, whatever hosts they name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Campaign {
    /// Its number.
    pub id: i64,
    /// The masked text that it began with.
    pub sketch: String,
    /// Its hosts with their links and how often each was seen.
    pub hosts: BTreeMap<String, BTreeMap<String, i64>>,
    /// Hosts of it that are not shown.
    pub more: i64,
    /// Where its short links lead: the host, or in brackets why none is known.
    pub leads: BTreeMap<String, String>,
    /// Messages in the last 24 hours, by the hour.
    pub day: i64,
    /// First seen, Unix seconds.
    pub first: i64,
    /// Last seen.
    pub last: i64,
}

/// Names that nobody else may look like: hosts and senders that are protected.
struct Names(Vec<(String, String)>);

impl Names {
    fn read(state: &Connection, suffixes: &Suffixes) -> Result<Self> {
        let mut all = Vec::new();
        let mut found = state.prepare_cached("SELECT host FROM protected UNION SELECT sender FROM senders ORDER BY 1")?;
        let mut rows = found.query([])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let skeleton = looks_like(main_label(&name, suffixes));
            if skeleton.chars().count() >= SHORTEST_NAME {
                all.push((name, skeleton));
            }
        }
        Ok(Self(all))
    }

    /// The protected name that a host looks like and does not belong to.
    fn like(&self, host: &str, suffixes: &Suffixes) -> Option<&str> {
        let suffix = suffixes.suffix(host).map_or(0, str::len);
        let skeleton = looks_like(host.get(..host.len() - suffix).unwrap_or(host));
        let found = self.0.iter().find(|(name, like)| skeleton.contains(like) && !is_at_or_below(host, name));
        found.map(|(name, _)| name.as_str())
    }
}

/// `bank` of `www.bank.example`; a sender is itself.
fn main_label<'n>(name: &'n str, suffixes: &Suffixes) -> &'n str {
    if !name.contains('.') {
        return name;
    }
    suffixes.registrable(name).and_then(|domain| domain.split('.').next()).unwrap_or(name)
}

/// What waits, by score; with `all` also what is decided or put off.
///
/// # Errors
/// The database's.
pub fn list(state: &Connection, suffixes: &Suffixes, now: i64, all: bool, most: usize) -> Result<Vec<Group>> {
    let names = Names::read(state, suffixes)?;
    let mut groups: BTreeMap<String, (Group, Distinct, i64, BTreeSet<String>)> = BTreeMap::new();
    let mut found = state.prepare_cached(
        "SELECT t.host, t.campaign, t.domain, t.platform, t.first, t.last, t.kinds, t.deliveries FROM triage t
         LEFT JOIN decisions d ON d.id = t.decision WHERE ?1 OR
         ((t.decision IS NULL OR d.ended IS NOT NULL) AND (t.later IS NULL OR t.later <= ?2))",
    )?;
    let mut rows = found.query((all, now))?;
    while let Some(row) = rows.next()? {
        let (host, campaign, domain): (String, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (group, deliveries, kinds, hosts) = groups.entry(domain.clone()).or_default();
        (group.first, group.last) = if group.domain.is_empty() {
            (row.get(4)?, row.get(5)?)
        } else {
            (group.first.min(row.get(4)?), group.last.max(row.get(5)?))
        };
        group.domain = domain;
        group.platform |= row.get::<_, bool>(3)?;
        if !group.campaigns.contains(&campaign) {
            group.campaigns.push(campaign);
        }
        *kinds |= row.get::<_, i64>(6)?;
        deliveries.merge(&Distinct::of(&row.get::<_, Vec<u8>>(7)?));
        let [day, recent, before] = hours(state, &host, campaign, now)?;
        (group.day, group.hour, group.before) = (group.day + day, group.hour + recent, group.before + before);
        if group.like.is_none() {
            group.like = names.like(&host, suffixes).map(str::to_owned);
        }
        hosts.insert(host);
    }
    let mut out = Vec::new();
    for (mut group, deliveries, kinds, hosts) in groups.into_values() {
        let sql = "SELECT first FROM census_domains WHERE domain = ?1";
        let counted: Option<i64> = state.prepare_cached(sql)?.query_row([&group.domain], |row| row.get(0)).optional()?;
        group.first = group.first.min(counted.unwrap_or(i64::MAX));
        // Of the HTTP API. Whoever reports a name twice counts once; who does not say who he is does not count.
        let sql = "SELECT count(DISTINCT reporter) FROM report_links JOIN reports ON reports.id = report WHERE registrable = ?1 AND time >= ?2";
        let reports: i64 = state.prepare_cached(sql)?.query_row((&group.domain, now - KEPT), |row| row.get(0))?;
        group.reports = u64::try_from(reports).unwrap_or_default();
        group.leads = queue::hosts(state, &group.domain)?;
        group.deliveries = deliveries.count();
        group.more_hosts = hosts.len().saturating_sub(HOSTS);
        group.hosts = hosts.into_iter().take(HOSTS).collect();
        for host in &group.hosts {
            if let Some(word) = live::word(state, host)? {
                group.provider.insert(host.clone(), word);
            }
        }
        let kind = |(bit, name): (i64, &'static str)| (kinds & bit != 0).then_some(name);
        group.senders = [(1, "name"), (2, "short-code"), (4, "number"), (8, "phone")].into_iter().filter_map(kind).collect();
        group.score = score(&group, now);
        out.push(group);
    }
    out.sort_by(|one, other| other.score.total_cmp(&one.score).then_with(|| one.domain.cmp(&other.domain)));
    out.truncate(most);
    Ok(out)
}

/// Tenfold deliveries weigh as much as growth to the tenfold, or as ten reports; a likeness as much as a hundredfold.
fn score(group: &Group, now: i64) -> f64 {
    // Counts: far below 2^52.
    let log = |n: f64| (1.0 + n).log10() * 10.0;
    let growth = (group.hour as f64 + 1.0) / (group.before as f64 + 1.0);
    let new = now - group.first < NEW_DAYS * 86_400;
    let by_number = group.senders.iter().any(|kind| matches!(*kind, "number" | "phone"));
    log(group.deliveries as f64)
        + growth.log10().max(0.0) * 10.0
        + log(group.reports as f64)
        + if group.like.is_some() { 20.0 } else { 0.0 }
        + if new { 5.0 } else { 0.0 }
        // Firms send by name or short code.
        + if by_number { 3.0 } else { 0.0 }
}

/// Messages of a host in a campaign (host empty: of the campaign): in 24 hours, in the newest two, in the two before.
pub(super) fn hours(state: &Connection, host: &str, campaign: i64, now: i64) -> Result<[i64; 3]> {
    let hour = now.div_euclid(HOUR);
    let sql = "SELECT coalesce(sum(messages), 0), coalesce(sum(messages) FILTER (WHERE hour > ?3 - 2), 0),
        coalesce(sum(messages) FILTER (WHERE hour <= ?3 - 2 AND hour > ?3 - 4), 0)
        FROM triage_hours WHERE host = ?1 AND campaign = ?2 AND hour > ?3 - 24";
    Ok(state.prepare_cached(sql)?.query_row((host, campaign, hour), |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?)
}

/// The campaigns of a registrable domain, or the one of a number, with their links: the latest, and how many there are besides.
///
/// # Errors
/// The database's.
pub fn campaigns(state: &Connection, domain: Option<&str>, id: Option<i64>, now: i64) -> Result<(Vec<Campaign>, usize)> {
    let sql = "SELECT DISTINCT c.id, c.sketch, c.first, c.last FROM campaigns c JOIN triage t ON t.campaign = c.id
        WHERE (?1 IS NULL OR t.domain = ?1) AND (?2 IS NULL OR c.id = ?2) ORDER BY c.last DESC";
    let mut found = state.prepare_cached(sql)?;
    let rows = found.query_map((domain, id), |row| {
        let (hosts, leads) = Default::default();
        Ok(Campaign {
            id: row.get(0)?,
            sketch: row.get(1)?,
            hosts,
            more: 0,
            leads,
            day: 0,
            first: row.get(2)?,
            last: row.get(3)?,
        })
    })?;
    let mut campaigns = rows.collect::<Result<Vec<_>, _>>()?;
    let more = campaigns.len().saturating_sub(CAMPAIGNS);
    campaigns.truncate(CAMPAIGNS);
    for campaign in &mut campaigns {
        campaign.day = hours(state, "", campaign.id, now)?[0];
        let sql = "SELECT count(*) FROM triage WHERE campaign = ?1";
        let all: i64 = state.prepare_cached(sql)?.query_row([campaign.id], |row| row.get(0))?;
        campaign.more = (all - SHOWN).max(0);
        let mut found = state.prepare_cached("SELECT host, links FROM triage WHERE campaign = ?1 ORDER BY last DESC LIMIT ?2")?;
        let mut rows = found.query([campaign.id, SHOWN])?;
        while let Some(row) = rows.next()? {
            let links = links(&row.get::<_, String>(1)?);
            for link in links.keys() {
                if let Some(host) = queue::leads(state, link)? {
                    campaign.leads.insert(link.clone(), host);
                }
            }
            campaign.hosts.insert(row.get(0)?, links);
        }
    }
    Ok((campaigns, more))
}
