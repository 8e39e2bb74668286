//! What arrived in one look, and how it is added to what waits.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dataplane::suffix::Suffixes;
use rusqlite::{Connection, OptionalExtension as _};

use super::work::Work;
use super::{HOUR, KEPT, MOST, MOST_LINKS, campaign};
use crate::Result;
use crate::census::distinct::{Distinct, hash};

/// A host in texts of one sum.
#[derive(Debug, Default)]
struct Host {
    domain: String,
    platform: bool,
    first: i64,
    last: i64,
    kinds: i64,
    deliveries: Distinct,
    links: BTreeMap<String, i64>,
    hours: BTreeMap<i64, i64>,
}

/// Texts of one sum.
#[derive(Debug, Default)]
struct Group {
    sketch: String,
    last: i64,
    hosts: HashMap<String, Host>,
    hours: BTreeMap<i64, i64>,
}

#[derive(Debug, Default)]
pub(super) struct Arrived {
    groups: BTreeMap<Option<u64>, Group>,
    /// Links of which nothing is said, as they are opened.
    links: BTreeSet<String>,
}

impl Arrived {
    /// Takes a message, if something in it is unknown: whether it is.
    pub(super) fn take(&mut self, work: Work, suffixes: &Suffixes) -> bool {
        let unknown: Vec<_> =
            work.urls.iter().filter(|url| url.verdict == "unknown").filter_map(|url| Some((url.host()?, url))).collect();
        if unknown.is_empty() {
            return false;
        }
        let (seconds, key, kind) = (work.seconds(), hash(&work.content_key), work.kind());
        let hour = seconds.div_euclid(HOUR);
        let group = self.groups.entry(work.simhash()).or_default();
        if group.sketch.is_empty() {
            group.sketch.clone_from(&work.sketch);
        }
        group.last = group.last.max(seconds);
        *group.hours.entry(hour).or_default() += 1;
        let mut counted = BTreeSet::new();
        for (name, url) in unknown {
            if matches!(url.reason.as_str(), "platform" | "no-entry") {
                self.links.insert(url.url.clone());
            }
            let host = group.hosts.entry(name.to_owned()).or_insert_with(|| Host {
                domain: suffixes.registrable(name).unwrap_or(name).to_owned(),
                first: seconds,
                ..Host::default()
            });
            host.platform |= url.reason == "platform";
            (host.first, host.last) = (host.first.min(seconds), host.last.max(seconds));
            host.kinds |= kind;
            host.deliveries.add(key);
            if host.links.len() < MOST_LINKS || host.links.contains_key(&url.link()) {
                *host.links.entry(url.link()).or_default() += 1;
            }
            // Several links or readings of one host are one message.
            if counted.insert(name) {
                *host.hours.entry(hour).or_default() += 1;
            }
        }
        true
    }

    /// Takes out the links of which nothing is said.
    pub(super) fn take_links(&mut self) -> BTreeSet<String> {
        core::mem::take(&mut self.links)
    }

    /// Adds it to what waits, and forgets what is old or too much.
    pub(super) fn write(self, transaction: &Connection, now: i64) -> Result<()> {
        for (simhash, group) in self.groups {
            let campaign = simhash.map(|sum| campaign::of(transaction, sum, &group.sketch, group.last)).transpose()?;
            let campaign = campaign.unwrap_or_default();
            hours(transaction, "", campaign, &group.hours)?;
            for (name, host) in group.hosts {
                hours(transaction, &name, campaign, &host.hours)?;
                one(transaction, &name, campaign, host)?;
            }
        }
        forget(transaction, now)
    }
}

fn hours(transaction: &Connection, host: &str, campaign: i64, hours: &BTreeMap<i64, i64>) -> Result<()> {
    let sql = "INSERT INTO triage_hours VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET messages = messages + ?4";
    for (hour, messages) in hours {
        transaction.prepare_cached(sql)?.execute((host, campaign, hour, messages))?;
    }
    Ok(())
}

fn one(transaction: &Connection, name: &str, campaign: i64, new: Host) -> Result<()> {
    let sql = "SELECT deliveries, links FROM triage WHERE host = ?1 AND campaign = ?2";
    let kept: Option<(Vec<u8>, String)> =
        transaction.prepare_cached(sql)?.query_row((name, campaign), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (octets, text) = kept.unwrap_or_default();
    let (mut deliveries, mut links) = (Distinct::of(&octets), links(&text));
    deliveries.merge(&new.deliveries);
    for (link, count) in new.links {
        if links.len() < MOST_LINKS || links.contains_key(&link) {
            *links.entry(link).or_default() += count;
        }
    }
    let links = serde_json::to_string(&links).unwrap_or_default();
    transaction
        .prepare_cached(
            "INSERT INTO triage (host, campaign, domain, platform, first, last, kinds, deliveries, links)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO UPDATE SET platform = platform | ?4, first = min(first, ?5),
             last = max(last, ?6), kinds = kinds | ?7, deliveries = ?8, links = ?9",
        )?
        .execute((
            name,
            campaign,
            &new.domain,
            new.platform,
            new.first,
            new.last,
            new.kinds,
            deliveries.to_octets(),
            links,
        ))?;
    Ok(())
}

/// Links with their counts, as they are kept.
pub(super) fn links(text: &str) -> BTreeMap<String, i64> {
    serde_json::from_str(text).unwrap_or_default()
}

fn forget(transaction: &Connection, now: i64) -> Result<()> {
    let old = now - KEPT;
    transaction.prepare_cached("DELETE FROM triage WHERE last < ?1")?.execute([old])?;
    transaction.prepare_cached("DELETE FROM triage_hours WHERE hour < ?1")?.execute([old.div_euclid(HOUR)])?;
    transaction.prepare_cached("DELETE FROM campaigns WHERE last < ?1")?.execute([old])?;
    for (table, key) in [("triage", "(host, campaign)"), ("campaigns", "id")] {
        let count: i64 = transaction.prepare_cached(&format!("SELECT count(*) FROM {table}"))?.query_row([], |row| row.get(0))?;
        if count > MOST {
            let columns = key.trim_matches(['(', ')']);
            let sql = format!("DELETE FROM {table} WHERE {key} IN (SELECT {columns} FROM {table} ORDER BY last LIMIT ?1)");
            transaction.prepare_cached(&sql)?.execute([count - MOST])?;
        }
    }
    Ok(())
}
