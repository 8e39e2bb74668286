//! What some records come to, and how it is added to what was counted before.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dataplane::suffix::Suffixes;
use rusqlite::{Connection, OptionalExtension as _};

use super::distinct::{Distinct, hash};
use super::record::Sms;
use super::used::Used;
use super::{DAYS, FORGOTTEN, MOST_A_DAY, MOST_DOMAINS};
use crate::Result;

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;
/// Unknown hosts of one message that are told apart; a message with more of them is counted as beyond.
const MOST_HOSTS: usize = 4;

#[derive(Debug, Default)]
struct Day {
    messages: i64,
    safe: i64,
    unknown: i64,
    dangerous: i64,
    from_phones: i64,
    copies: i64,
    beyond: i64,
    recipients: Distinct,
}

#[derive(Debug)]
struct Host {
    domain: String,
    messages: i64,
    first: i64,
    last: i64,
}

#[derive(Debug)]
struct Domain {
    first: i64,
    last: i64,
    messages: i64,
    recipients: Distinct,
    senders: Distinct,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    days: BTreeMap<i64, Day>,
    /// By day, host, verdict, reason.
    hosts: HashMap<(i64, String, String, String), Host>,
    /// By day and unknown hosts.
    open: HashMap<(i64, String), i64>,
    domains: HashMap<String, Domain>,
    used: Used,
    pub(super) strange: u64,
}

impl Counts {
    /// Takes one message, if it is one: whether it is counted.
    pub(super) fn take(&mut self, sms: &Sms, is_new: bool, suffixes: &Suffixes) -> bool {
        if !sms.is_message() || !sms.is_whole() {
            return false;
        }
        let seconds = sms.seconds();
        let day = self.days.entry(seconds.div_euclid(DAY)).or_default();
        if !is_new {
            day.copies += 1;
            return false;
        }
        if sms.direction != "mt" {
            day.from_phones += 1;
            return false;
        }
        day.messages += 1;
        match sms.verdict.as_str() {
            "safe" => day.safe += 1,
            "unknown" => day.unknown += 1,
            "dangerous" => day.dangerous += 1,
            _ => {}
        }
        let recipient = sms.recipient().map(hash);
        recipient.into_iter().for_each(|hash| day.recipients.add(hash));
        self.links(sms, seconds, recipient, suffixes);
        true
    }

    fn links(&mut self, sms: &Sms, seconds: i64, recipient: Option<u64>, suffixes: &Suffixes) {
        // Several links or readings of one host are one: the worst of them.
        let mut hosts: BTreeMap<&str, (&str, &str, &str)> = BTreeMap::new();
        for url in sms.urls.iter().filter(|url| url.counts()) {
            let host = url.host.as_deref().unwrap_or_default();
            let domain = url.registrable.as_deref().or_else(|| suffixes.registrable(host)).unwrap_or(host);
            let found = hosts.entry(host).or_insert((&url.verdict, &url.reason, domain));
            if rank(&url.verdict) > rank(found.0) {
                *found = (&url.verdict, &url.reason, domain);
            }
        }
        let day = seconds.div_euclid(DAY);
        let mut domains = BTreeSet::new();
        for (host, (verdict, reason, domain)) in &hosts {
            let key = (day, (*host).to_owned(), (*verdict).to_owned(), (*reason).to_owned());
            let new = || Host { domain: (*domain).to_owned(), messages: 0, first: seconds, last: seconds };
            let row = self.hosts.entry(key).or_insert_with(new);
            row.messages += 1;
            (row.first, row.last) = (row.first.min(seconds), row.last.max(seconds));
            domains.insert(*domain);
        }
        if let Some(sender) = sms.name() {
            // What hangs on a platform is not the platform's.
            let own = hosts.values().filter(|(verdict, reason, _)| *verdict != "dangerous" && *reason != "platform");
            let own: BTreeSet<&str> = own.map(|(.., domain)| *domain).filter(|domain| !suffixes.is_suffix(domain)).collect();
            own.into_iter().for_each(|domain| self.used.add(day, sender, domain));
        }
        for name in domains.into_iter().filter(|name| !name.is_empty()) {
            let new = || Domain {
                first: seconds,
                last: seconds,
                messages: 0,
                recipients: Distinct::default(),
                senders: Distinct::default(),
            };
            let domain = self.domains.entry(name.to_owned()).or_insert_with(new);
            domain.messages += 1;
            (domain.first, domain.last) = (domain.first.min(seconds), domain.last.max(seconds));
            recipient.into_iter().for_each(|hash| domain.recipients.add(hash));
            sms.sender().into_iter().for_each(|sender| domain.senders.add(hash(sender)));
        }
        if sms.verdict == "unknown" {
            let unknown: Vec<&str> = hosts.iter().filter(|(_, found)| found.0 == "unknown").map(|(host, _)| *host).collect();
            if unknown.len() > MOST_HOSTS {
                self.days.entry(day).or_default().beyond += 1;
            } else {
                *self.open.entry((day, unknown.join(" "))).or_default() += 1;
            }
        }
    }

    /// Adds it to what is kept, and forgets what is too old.
    pub(super) fn write(&mut self, transaction: &Connection) -> Result<()> {
        self.write_hosts(transaction)?;
        self.write_domains(transaction)?;
        for day in self.used.write(transaction)? {
            self.days.entry(day).or_default().beyond += 1;
        }
        for (day, counts) in &self.days {
            let sql = "SELECT recipients FROM census_days WHERE day = ?1";
            let kept: Option<Vec<u8>> = transaction.prepare_cached(sql)?.query_row([day], |row| row.get(0)).optional()?;
            let mut recipients = kept.as_deref().map(Distinct::of).unwrap_or_default();
            recipients.merge(&counts.recipients);
            let Day { messages, safe, unknown, dangerous, from_phones, copies, beyond, .. } = counts;
            transaction
                .prepare_cached(
                    "INSERT INTO census_days VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (day) DO UPDATE SET
                     messages = messages + ?2, safe = safe + ?3, unknown = unknown + ?4, dangerous = dangerous + ?5,
                     from_phones = from_phones + ?6, copies = copies + ?7, beyond = beyond + ?8, recipients = ?9",
                )?
                .execute((day, messages, safe, unknown, dangerous, from_phones, copies, beyond, recipients.to_octets()))?;
        }
        let newest: Option<i64> = transaction.query_row("SELECT max(day) FROM census_days", [], |row| row.get(0))?;
        if let Some(newest) = newest {
            for table in ["census_days", "census_hosts", "census_open"] {
                transaction.prepare_cached(&format!("DELETE FROM {table} WHERE day <= ?1"))?.execute([newest - DAYS])?;
            }
            if self.days.len() > 1 {
                transaction.execute("DELETE FROM census_domains WHERE last < ?1", [(newest - FORGOTTEN) * DAY])?;
            }
        }
        Ok(())
    }

    fn write_hosts(&mut self, transaction: &Connection) -> Result<()> {
        let mut rows: HashMap<(&'static str, i64), i64> = HashMap::new();
        let mut beyond: Vec<i64> = Vec::new();
        for ((day, host, verdict, reason), new) in &self.hosts {
            let sql = "UPDATE census_hosts SET messages = messages + ?5, first = min(first, ?6), last = max(last, ?7)
                WHERE day = ?1 AND host = ?2 AND verdict = ?3 AND reason = ?4";
            let done =
                transaction.prepare_cached(sql)?.execute((day, host, verdict, reason, new.messages, new.first, new.last))?;
            if done > 0 {
                continue;
            }
            if !has_room(transaction, &mut rows, "census_hosts", *day)? {
                beyond.push(*day);
                continue;
            }
            transaction.prepare_cached("INSERT INTO census_hosts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute((
                day,
                host,
                verdict,
                reason,
                &new.domain,
                new.messages,
                new.first,
                new.last,
            ))?;
        }
        for ((day, hosts), messages) in &self.open {
            let sql = "UPDATE census_open SET messages = messages + ?3 WHERE day = ?1 AND hosts = ?2";
            if transaction.prepare_cached(sql)?.execute((day, hosts, messages))? > 0 {
                continue;
            }
            if !has_room(transaction, &mut rows, "census_open", *day)? {
                beyond.push(*day);
                continue;
            }
            transaction.prepare_cached("INSERT INTO census_open VALUES (?1, ?2, ?3)")?.execute((day, hosts, messages))?;
        }
        beyond.into_iter().for_each(|day| self.days.entry(day).or_default().beyond += 1);
        Ok(())
    }

    fn write_domains(&mut self, transaction: &Connection) -> Result<()> {
        let mut count: i64 = transaction.query_row("SELECT count(*) FROM census_domains", [], |row| row.get(0))?;
        let mut beyond = Vec::new();
        for (name, new) in &self.domains {
            let sql = "SELECT recipients, senders FROM census_domains WHERE domain = ?1";
            let kept: Option<[Vec<u8>; 2]> =
                transaction.prepare_cached(sql)?.query_row([name], |row| Ok([row.get(0)?, row.get(1)?])).optional()?;
            if kept.is_none() {
                if count >= MOST_DOMAINS {
                    beyond.push(new.last.div_euclid(DAY));
                    continue;
                }
                count += 1;
            }
            let [mut recipients, mut senders] = kept.map(|kept| kept.map(|octets| Distinct::of(&octets))).unwrap_or_default();
            recipients.merge(&new.recipients);
            senders.merge(&new.senders);
            transaction
                .prepare_cached(
                    "INSERT INTO census_domains VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (domain) DO UPDATE SET
                     first = min(first, ?2), last = max(last, ?3), messages = messages + ?4, recipients = ?5, senders = ?6",
                )?
                .execute((name, new.first, new.last, new.messages, recipients.to_octets(), senders.to_octets()))?;
        }
        beyond.into_iter().for_each(|day| self.days.entry(day).or_default().beyond += 1);
        Ok(())
    }
}

/// Whether a day's table takes one more row.
fn has_room(
    transaction: &Connection,
    rows: &mut HashMap<(&'static str, i64), i64>,
    table: &'static str,
    day: i64,
) -> Result<bool> {
    let count = match rows.get_mut(&(table, day)) {
        Some(count) => count,
        None => {
            let sql = format!("SELECT count(*) FROM {table} WHERE day = ?1");
            let count = transaction.prepare_cached(&sql)?.query_row([day], |row| row.get(0))?;
            rows.entry((table, day)).or_insert(count)
        }
    };
    *count += 1;
    Ok(*count <= MOST_A_DAY)
}

fn rank(verdict: &str) -> u8 {
    match verdict {
        "safe" => 1,
        "unknown" => 2,
        "dangerous" => 3,
        _ => 0,
    }
}
