//! A provider of verdicts that is asked about unknown hosts, for operators that hold a contract with one: told a host or the beginning of its
//! hash, and nothing else. Its answer is evidence for triage; its `dangerous` counts only where the settings say so, its `safe` never.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use ztsms_fetch::guard;
use ztsms_fetch::protocol::{Failure, Live, LiveAnswer, Question, Why};

use super::ask::{REST, ROUND, Resting, connect, wait};
use super::queue::{MOST, PATIENCE};
use crate::desk::Desk;
use crate::schedule::{Schedule, every};
use crate::sources::fetched::typed;
use crate::store::Store;
use crate::{Error, Result, alarms, time};

/// Octets of a hash that are told.
const PREFIX: usize = 4;
/// A provider that says nothing of use is asked again after so long, seconds.
const LEAST: i64 = 300;
/// Whoever took a host to ask about it has so long; then another does.
const CLAIM: i64 = 120;
const ALARM: &str = "live";

/// What is told of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Asks {
    /// The first four octets of its SHA-256.
    #[default]
    Prefix,
    /// The host itself.
    Host,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    url: String,
    bearer_file: Option<std::path::PathBuf>,
    #[serde(default)]
    ask: Asks,
    #[serde(default)]
    dangerous: bool,
    per_minute: Option<u32>,
}

/// How a provider is asked.
#[derive(Clone)]
pub struct Provider {
    url: String,
    bearer: Option<String>,
    asks: Asks,
    lends: bool,
    per_minute: Option<u32>,
}

impl Provider {
    /// Of a file, TOML: `url`; and `bearer_file`, `ask` (`prefix` or `host`), `dangerous`, `per_minute`.
    ///
    /// # Errors
    /// It cannot be read; the line or the field that is wrong, and what would be right.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::file(path, "read"))?;
        let wrong = |why: &str| Error::Refused(format!("{}: {}", path.display(), why.trim_end()));
        let File { url, bearer_file, ask, dangerous, per_minute } =
            toml::from_str(&text).map_err(|why| wrong(&why.to_string()))?;
        if !url.starts_with("https://") {
            return Err(wrong("url: a provider is asked over https:// only"));
        }
        typed(&url).map_err(|why| wrong(&format!("url: {why}")))?;
        if per_minute == Some(0) {
            return Err(wrong("per_minute is 1 at least"));
        }
        let bearer = bearer_file.map(|file| std::fs::read_to_string(&file).map_err(Error::file(&file, "read"))).transpose()?;
        Ok(Self { url, bearer: bearer.map(|text| text.trim().to_owned()), asks: ask, lends: dangerous, per_minute })
    }

    /// What is asked of a host, and its whole hash.
    fn question(&self, host: &str) -> (Question, String) {
        let hash = control::record_json::hex(&Sha256::digest(host));
        let told = hash.get(..2 * PREFIX).unwrap_or_default().to_owned();
        (if self.asks == Asks::Host { Question::Host(host.to_owned()) } else { Question::Prefix(told) }, hash)
    }
}

/// The host of a link in canonical form, where it is a name.
fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
    guard::ascii(rest.split(['/', '?', '#', ':']).next()?).ok()
}

/// What a provider calls dangerous, where that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its number.
    pub id: i64,
    /// The host.
    pub host: String,
    /// The provider's word for it.
    pub category: String,
    /// Until when, Unix seconds.
    pub ends: i64,
}

/// Begins to ask.
///
/// # Errors
/// No thread could be made.
pub fn start(desk: &Arc<Desk>, provider: Provider) -> Result<Schedule> {
    let (desk, resting) = (Arc::clone(desk), Resting::default());
    // A second start would be a fault of the program: the first provider stands.
    let _ = desk.links().live.set(provider);
    every("live", ROUND, move || {
        // The database's trouble is said by whoever else meets it.
        while resting.is_over() && round(&desk, &resting).unwrap_or_default() {}
    })
}

fn round(desk: &Desk, resting: &Resting) -> Result<bool> {
    let (links, store, now) = (desk.links(), desk.store(), time::now());
    let Some(provider) = links.live.get() else { return Ok(false) };
    links.write_down(store, now)?;
    let Some((id, host)) = claim(store, now)? else { return Ok(false) };
    let (question, hash) = provider.question(&host);
    let said = connect(desk.fetch()).and_then(|mut client| {
        let Provider { url, bearer, per_minute, .. } = provider.clone();
        let live = Live { provider: url, question, bearer, per_minute };
        client.live(&live).map_err(|error| Error::Refused(error.to_string()))
    });
    let now = time::now();
    let trouble = match said.map(ztsms_fetch::protocol::Outcome::into_result) {
        Ok(Ok(answer)) => {
            let seconds = i64::try_from(answer.ttl_s).unwrap_or(LEAST).max(1);
            let (verdict, category) = of(answer, &hash);
            let counts = provider.lends && verdict == "dangerous";
            keep(store, id, Ok((verdict, category)), provider.lends, now + seconds)?;
            // Behind its commit: whoever publishes reads what is there then.
            links.note_changed(counts);
            None
        }
        Ok(Err(Failure { why: Why::Off, detail, .. })) => Some(detail),
        Ok(Err(failure)) if matches!(failure.why, Why::Budget | Why::Busy) => {
            let until = now + wait(&failure);
            // One provider has one budget: all who wait, wait for it.
            store.note(move |transaction| {
                transaction.execute("UPDATE live_hosts SET due = ?1 WHERE due < ?1 OR id = ?2", (until, id))?;
                Ok(())
            })?;
            return Ok(true);
        }
        Ok(Err(failure)) => {
            keep(store, id, Err(failure.why.to_string()), false, now + LEAST)?;
            Some(failure.to_string())
        }
        Err(why) => Some(why.to_string()),
    };
    match trouble {
        None => alarms::clear(store, ALARM)?,
        Some(why) => {
            resting.rest(now + REST);
            alarms::raise(store, ALARM, &format!("the provider of verdicts is not asked: {why}"))?;
        }
    }
    Ok(true)
}

/// What an answer says of the host with this hash.
fn of(answer: LiveAnswer, hash: &str) -> (String, String) {
    let hit = answer.matches.into_iter().find(|hit| hit.hash == hash).map(|hit| (hit.verdict, hit.category));
    let (verdict, category) = hit.or(answer.verdict.map(|verdict| (verdict, answer.category))).unwrap_or_default();
    // No hash begins so, or another host's does.
    let verdict = if verdict.is_empty() { "unknown".to_owned() } else { verdict };
    (verdict, category.unwrap_or_default())
}

/// Writes hosts down that are not known yet. Returns how many had no room.
pub(super) fn add(transaction: &Connection, urls: &[String], now: i64) -> Result<u64> {
    let mut room = MOST - transaction.query_row("SELECT count(*) FROM live_hosts", [], |row| row.get::<_, i64>(0))?;
    let mut left_out = 0;
    for host in urls.iter().filter_map(|url| host(url)) {
        // What has ended and is not forgotten yet is asked about anew.
        transaction.prepare_cached("DELETE FROM live_hosts WHERE host = ?1 AND ends <= ?2")?.execute((&host, now))?;
        if transaction.prepare_cached("UPDATE live_hosts SET seen = ?2 WHERE host = ?1")?.execute((&host, now))? > 0 {
            continue;
        }
        if room <= 0 {
            left_out += 1;
            continue;
        }
        transaction.prepare_cached("INSERT INTO live_hosts (host, seen, due) VALUES (?1, ?2, ?2)")?.execute((&host, now))?;
        room -= 1;
    }
    Ok(left_out)
}

fn claim(store: &Store, now: i64) -> Result<Option<(i64, String)>> {
    let due = "SELECT id FROM live_hosts WHERE due <= ?1 ORDER BY due, id LIMIT 1";
    if store.read(|state| Ok(state.prepare_cached(due)?.query_row([now], |row| row.get::<_, i64>(0)).optional()?))?.is_none() {
        return Ok(None);
    }
    store.note(move |transaction| {
        let sql = format!("UPDATE live_hosts SET due = ?2 WHERE id = ({due}) RETURNING id, host");
        Ok(transaction.prepare_cached(&sql)?.query_row((now, now + CLAIM), |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    })
}

fn keep(store: &Store, id: i64, said: Result<(String, String), String>, lends: bool, ends: i64) -> Result<()> {
    store.note(move |transaction| {
        let (verdict, category, why) = match said {
            Ok((verdict, category)) => (Some(verdict), category, None),
            Err(why) => (None, String::new(), Some(why)),
        };
        let sql = "UPDATE live_hosts SET due = NULL, verdict = ?2, category = ?3, why = ?4, lends = ?5, ends = ?6 WHERE id = ?1";
        transaction.execute(sql, (id, verdict, category, why, lends, ends))?;
        Ok(())
    })
}

/// Forgets what has ended, and what nobody asked about in time. Returns whether one that counted was among them.
pub(super) fn forget(store: &Store, now: i64) -> Result<bool> {
    let any = "SELECT EXISTS (SELECT 1 FROM live_hosts WHERE ends <= ?1) OR EXISTS (SELECT 1 FROM live_hosts WHERE due IS NOT NULL AND seen < ?2)";
    if !store.read(|state| Ok(state.prepare_cached(any)?.query_row((now, now - PATIENCE), |row| row.get::<_, bool>(0))?))? {
        return Ok(false);
    }
    store.note(move |transaction| {
        let counted = "SELECT EXISTS (SELECT 1 FROM live_hosts WHERE ends <= ?1 AND lends AND verdict = 'dangerous')";
        let counted = transaction.query_row(counted, [now], |row| row.get(0))?;
        let sql = "DELETE FROM live_hosts WHERE ends <= ?1 OR due IS NOT NULL AND seen < ?2";
        transaction.execute(sql, (now, now - PATIENCE))?;
        Ok(counted)
    })
}

/// What is called dangerous and counts.
///
/// # Errors
/// The database's.
pub fn said(state: &Connection, now: i64) -> Result<Vec<Said>> {
    let sql = "SELECT id, host, category, ends FROM live_hosts WHERE lends AND verdict = 'dangerous' AND ends > ?1 ORDER BY host";
    let mut found = state.prepare_cached(sql)?;
    let row = |row: &rusqlite::Row<'_>| Ok(Said { id: row.get(0)?, host: row.get(1)?, category: row.get(2)?, ends: row.get(3)? });
    Ok(found.query_map([now], row)?.collect::<Result<_, _>>()?)
}

/// What the provider says of a host, for people.
///
/// # Errors
/// The database's.
pub fn word(state: &Connection, host: &str) -> Result<Option<String>> {
    let sql = "SELECT trim(verdict || ' ' || category) FROM live_hosts WHERE host = ?1 AND verdict IS NOT NULL";
    Ok(state.prepare_cached(sql)?.query_row([host], |row| row.get(0)).optional()?)
}

/// Hosts that wait, and hosts of which the provider has said something.
///
/// # Errors
/// The database's.
pub fn counts(state: &Connection) -> Result<(i64, i64)> {
    let sql = "SELECT count(due), count(verdict) FROM live_hosts";
    Ok(state.prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ztsms_fetch::protocol::Match;

    fn provider(text: &str) -> Result<Provider> {
        let path = std::env::temp_dir().join(format!("ztsms-live-{}-{}.toml", std::process::id(), text.len()));
        std::fs::write(&path, text).unwrap();
        let read = Provider::read(&path);
        std::fs::remove_file(path).unwrap();
        read
    }

    #[test]
    fn a_provider_is_told_four_octets_of_a_hash_unless_the_operator_says_the_host() {
        let question = |text: &str| provider(text).unwrap().question("evil.example").0;
        let url = "url = \"https://provider.example/ask\"\n";
        assert!(matches!(question(url), Question::Prefix(told) if told.len() == 8));
        assert_eq!(question(&format!("{url}ask = \"host\"")), Question::Host("evil.example".to_owned()));
        assert!(!provider(url).unwrap().lends, "evidence, until the operator says more");
        let why = |text: &str| provider(text).err().unwrap().to_string();
        assert!(why("url = \"http://provider.example/\"").contains("https:// only"));
        assert!(why(&format!("{url}lends = true")).contains("line 2"));
        assert_eq!(host("https://user.example:8443/x"), Some("user.example".to_owned()));
        assert_eq!(host("https://192.0.2.1/x"), None);
    }

    #[test]
    fn of_several_hashes_the_hosts_own_counts() {
        let hit = |hash: &str, verdict: &str| Match { hash: hash.to_owned(), verdict: verdict.to_owned(), category: None };
        let answer = |matches| LiveAnswer { verdict: None, category: None, matches, ttl_s: 60, remembered: false };
        assert_eq!(of(answer(vec![hit("aa", "dangerous"), hit("ab", "safe")]), "ab").0, "safe");
        assert_eq!(of(answer(vec![hit("aa", "dangerous")]), "ab").0, "unknown");
    }
}
