//! Links that wait to be asked about, and where those lead that were.

use rusqlite::{Connection, OptionalExtension as _};

use super::recipes::Recipes;
use crate::Result;
use crate::store::Store;

/// Links that are kept, waiting or known.
pub const MOST: i64 = 20_000;
/// A link that nobody has asked about for so long is forgotten, seconds: its message is old.
pub const PATIENCE: i64 = 2 * 86_400;
/// Whoever took a link to ask about it has so long; then another does.
const CLAIM: i64 = 120;

/// A link that its platform wants to be asked about later waits at least so long the first time, seconds.
const LATER: i64 = 60;
/// So often it is asked about again.
const TRIES: i64 = 6;

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// They wait for their turn.
    pub waiting: i64,
    /// It is known where they lead.
    pub known: i64,
    /// They lead nowhere that could be found.
    pub without_target: i64,
}

/// A link whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Its number.
    pub id: i64,
    /// What is asked.
    pub url: String,
    /// On which platform.
    pub platform: String,
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its number.
    pub id: i64,
    /// Its key string.
    pub link: String,
    /// The first URL on no platform.
    pub target: String,
    /// Its owner may change that.
    pub editable: bool,
    /// Until when this holds, Unix seconds.
    pub ends: i64,
}

/// Writes links down that are on a platform and not known yet. Returns how many had no room.
///
/// # Errors
/// The database's.
pub fn add(transaction: &Connection, recipes: &Recipes, urls: &[String], now: i64) -> Result<u64> {
    let links: Vec<_> = urls.iter().filter_map(|url| Some((url, recipes.link(url)?))).collect();
    if links.is_empty() {
        return Ok(0);
    }
    let mut room = MOST - transaction.query_row("SELECT count(*) FROM short_links", [], |row| row.get::<_, i64>(0))?;
    let mut left_out = 0;
    for (url, link) in links {
        // What has ended and is not forgotten yet is asked about anew.
        let ended = "DELETE FROM short_links WHERE link = ?1 AND ends <= ?2";
        transaction.prepare_cached(ended)?.execute((&link.key, now))?;
        let seen = "UPDATE short_links SET seen = max(seen, ?2) WHERE link = ?1";
        if transaction.prepare_cached(seen)?.execute((&link.key, now))? > 0 {
            continue;
        }
        if room <= 0 {
            left_out += 1;
            continue;
        }
        let sql = "INSERT INTO short_links (link, url, platform, seen, due) VALUES (?1, ?2, ?3, ?4, ?4)";
        transaction.prepare_cached(sql)?.execute((&link.key, url, link.platform, now))?;
        room -= 1;
    }
    Ok(left_out)
}

/// Takes the link that waits for longest, if one's turn has come.
///
/// # Errors
/// The database's.
pub fn claim(store: &Store, now: i64) -> Result<Option<Claimed>> {
    let due = "SELECT id FROM short_links WHERE due <= ?1 ORDER BY due, id LIMIT 1";
    if store.read(|state| Ok(state.prepare_cached(due)?.query_row([now], |row| row.get::<_, i64>(0)).optional()?))?.is_none() {
        return Ok(None);
    }
    store.note(move |transaction| {
        let sql = format!("UPDATE short_links SET due = ?2 WHERE id = ({due}) RETURNING id, url, platform");
        let row = |row: &rusqlite::Row<'_>| Ok(Claimed { id: row.get(0)?, url: row.get(1)?, platform: row.get(2)? });
        Ok(transaction.prepare_cached(&sql)?.query_row((now, now + CLAIM), row).optional()?)
    })
}

/// Puts a link off, and with `all` every other one of its platform that is due before.
///
/// # Errors
/// The database's.
pub fn put_off(store: &Store, claimed: &Claimed, until: i64, all: bool) -> Result<()> {
    let Claimed { id, platform, .. } = claimed.clone();
    store.note(move |transaction| {
        transaction.execute("UPDATE short_links SET due = ?2 WHERE id = ?1", (id, until))?;
        if all {
            let sql = "UPDATE short_links SET due = ?2 WHERE platform = ?1 AND due < ?2";
            transaction.execute(sql, (platform, until))?;
        }
        Ok(())
    })
}

/// A platform answered that it wants this link later, in `ttl` seconds: it waits as long at least, and twice as long each time. Returns whether
/// it waits: after six times it is given up, until it comes again.
///
/// # Errors
/// The database's.
pub fn refused(store: &Store, id: i64, (now, ttl): (i64, i64), why: String) -> Result<bool> {
    let waits = store.note(move |transaction| {
        let sql = "UPDATE short_links SET due = ?2 + max(?3, ?4 << tries), tries = tries + 1 WHERE id = ?1 AND tries < ?5";
        Ok(transaction.execute(sql, (id, now, ttl, LATER, TRIES))? > 0)
    })?;
    if !waits {
        keep(store, id, Err(why), true, (now, now + ttl.max(LATER << TRIES)))?;
    }
    Ok(waits)
}

/// Where a way ended: the target with its host, or why there is none.
pub type End = Result<(String, Option<String>), String>;

/// Keeps where a link leads until it ends.
///
/// # Errors
/// The database's.
pub fn keep(store: &Store, id: i64, end: End, editable: bool, (now, ends): (i64, i64)) -> Result<()> {
    store.note(move |transaction| {
        let (target, host, why) = match end {
            Ok((target, host)) => (Some(target), host, None),
            Err(why) => (None, None, Some(why)),
        };
        let sql = "UPDATE short_links SET due = NULL, target = ?2, host = ?3, why = ?4, editable = ?5, asked = ?6, ends = ?7 WHERE id = ?1";
        transaction.execute(sql, (id, target, host, why, editable, now, ends))?;
        Ok(())
    })
}

/// Forgets what has ended, and what nobody asked about in time. Returns whether a known one was among them.
///
/// # Errors
/// The database's.
pub fn forget(store: &Store, now: i64) -> Result<bool> {
    let any = "SELECT EXISTS (SELECT 1 FROM short_links WHERE ends <= ?1) OR EXISTS (SELECT 1 FROM short_links WHERE due IS NOT NULL AND seen < ?2)";
    if !store.read(|state| Ok(state.prepare_cached(any)?.query_row((now, now - PATIENCE), |row| row.get::<_, bool>(0))?))? {
        return Ok(false);
    }
    store.note(move |transaction| {
        let ended = transaction.execute("DELETE FROM short_links WHERE ends <= ?1", [now])?;
        transaction.execute("DELETE FROM short_links WHERE due IS NOT NULL AND seen < ?1", [now - PATIENCE])?;
        Ok(ended > 0)
    })
}

/// Those whose target is known and has not ended.
///
/// # Errors
/// The database's.
pub fn known(state: &Connection, now: i64) -> Result<Vec<Known>> {
    let sql = "SELECT id, link, target, editable, ends FROM short_links WHERE target IS NOT NULL AND ends > ?1 ORDER BY link";
    let mut found = state.prepare_cached(sql)?;
    let row = |row: &rusqlite::Row<'_>| {
        Ok(Known { id: row.get(0)?, link: row.get(1)?, target: row.get(2)?, editable: row.get(3)?, ends: row.get(4)? })
    };
    Ok(found.query_map([now], row)?.collect::<Result<_, _>>()?)
}

/// Where a link leads, for people: the host, or in brackets why none is known.
///
/// # Errors
/// The database's.
pub fn leads(state: &Connection, link: &str) -> Result<Option<String>> {
    let sql = "SELECT coalesce(host, '(' || coalesce(why, 'no host') || ')') FROM short_links WHERE link = ?1 AND due IS NULL";
    Ok(state.prepare_cached(sql)?.query_row([link], |row| row.get(0)).optional()?)
}

/// The hosts that links of a registrable domain lead to, at most ten, the latest first.
///
/// # Errors
/// The database's.
pub fn hosts(state: &Connection, domain: &str) -> Result<Vec<String>> {
    let sql = "SELECT host FROM short_links WHERE (platform = ?1 OR platform LIKE '%.' || ?1) AND host IS NOT NULL
               GROUP BY host ORDER BY max(asked) DESC LIMIT 10";
    let mut found = state.prepare_cached(sql)?;
    Ok(found.query_map([domain], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// How many there are.
///
/// # Errors
/// The database's.
pub fn counts(state: &Connection) -> Result<Counted> {
    let sql = "SELECT count(due), count(target), count(why) FROM short_links";
    let row = |row: &rusqlite::Row<'_>| Ok(Counted { waiting: row.get(0)?, known: row.get(1)?, without_target: row.get(2)? });
    Ok(state.prepare_cached(sql)?.query_row([], row)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_is_wanted_later_waits_twice_as_long_each_time_and_is_given_up() {
        let dir = std::env::temp_dir().join(format!("ztsms-queue-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let store = Store::open(&dir.join("console.db")).unwrap();
        let recipes = Recipes::shipped().unwrap();
        let links = ["https://bit.ly/limited", "https://bit.ly/other"].map(str::to_owned);
        store.note(move |transaction| add(transaction, &recipes, &links, 0)).unwrap();
        let mut now = 0;
        for waits in [100, 120, 240, 480, 960, 1920] {
            let claimed = claim(&store, now).unwrap().unwrap();
            assert!(claimed.url.ends_with("/limited"), "{claimed:?}");
            assert!(refused(&store, claimed.id, (now, 100), "budget".to_owned()).unwrap());
            let other = claim(&store, now).unwrap().unwrap();
            put_off(&store, &other, now + waits, false).unwrap();
            assert_eq!(claim(&store, now + waits - 1).unwrap(), None, "so long at least");
            now += waits;
        }
        let claimed = claim(&store, now).unwrap().unwrap();
        assert!(!refused(&store, claimed.id, (now, 100), "budget".to_owned()).unwrap());
        assert_eq!(store.read(|state| leads(state, "bit.ly/limited")).unwrap().as_deref(), Some("(budget)"));
        drop(store);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
