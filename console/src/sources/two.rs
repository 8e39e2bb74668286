//! What one person alone does not bring into force by a list: that names are safe, where two have to agree to that or where a name is known to
//! be young. Asked at the moment at which a version would count, of what it lends then.

use std::collections::{HashMap, HashSet};

use dataplane::suffix::Suffixes;
use dataplane::verdict::Verdict;
use rusqlite::Connection;

use super::Lends;
use super::normal::Only;
use crate::store::Store;
use crate::verify::{evidence, needs::YOUNG_DAYS};
use crate::{Error, Result, decide, time};

/// What a version says beside the one that counts, as far as it makes something safe.
pub(super) struct Weight {
    lends: Lends,
    suffixes: Suffixes,
    /// Registrable domains that were ever proposed: of no other does the desk know the age.
    proposed: HashSet<String>,
    asked: HashSet<String>,
    safe: u64,
    freed: u64,
}

impl Weight {
    /// Of a list that lends this.
    ///
    /// # Errors
    /// The database's.
    pub(super) fn new(store: &Store, suffixes: &Suffixes, lends: Lends) -> Result<Self> {
        let proposed = store.read(|state| {
            let mut found = state.prepare_cached("SELECT DISTINCT registrable FROM proposals")?;
            Ok(found.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })?;
        Ok(Self { lends, suffixes: suffixes.clone(), proposed, asked: HashSet::new(), safe: 0, freed: 0 })
    }

    /// Takes a line that only one of the two has.
    pub(super) fn see(&mut self, only: Only, line: &str) {
        let mut fields = line.split('\t');
        let (pattern, verdict) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        let is_safe = self.lends == Lends::Safe || self.lends.is_own() && verdict == Verdict::Safe.name();
        match only {
            Only::New if is_safe => {
                self.safe += 1;
                let host = pattern.trim_start_matches(['=', '@']).split('/').next().unwrap_or_default();
                let registrable = self.suffixes.registrable(host).unwrap_or(host);
                if self.proposed.contains(registrable) {
                    self.asked.insert(registrable.to_owned());
                }
            }
            // What a line kept from being safe may be by another one above it.
            Only::Old if !is_safe && self.lends.is_own() => self.freed += 1,
            _ => {}
        }
    }

    /// Why two people have to agree that it counts, if they have to.
    ///
    /// # Errors
    /// The database's.
    pub(super) fn why_two(&self, state: &Connection) -> Result<Option<String>> {
        if decide::needs_two(state)? {
            let safe = (self.safe > 0).then(|| format!("{} new entries are safe", self.safe));
            let freed = (self.freed > 0).then(|| format!("{} lines that are not safe go", self.freed));
            let all: Vec<String> = safe.into_iter().chain(freed).collect();
            return Ok((!all.is_empty()).then(|| format!("{}, and two people have to agree to that", all.join(", "))));
        }
        let now = time::now();
        let ages = self.asked.iter().map(|name| Ok((name, evidence::age_of(state, name, now)?)));
        let ages: HashMap<_, _> = ages.collect::<Result<_>>()?;
        let young = ages.into_iter().filter_map(|(name, days)| days.filter(|days| *days < YOUNG_DAYS).map(|days| (name, days)));
        Ok(young.min().map(|(name, days)| format!("{name} is {days} days old, and two people have to agree that it is safe")))
    }

    /// Refuses what takes two where this person set the source or imported the version.
    ///
    /// # Errors
    /// It takes another person; the database's.
    pub(super) fn may(&self, state: &Connection, name: &str, version: i64, by: &str) -> Result<()> {
        let Some(why) = self.why_two(state)? else { return Ok(()) };
        let one = |sql: &str| -> Result<bool> { Ok(state.prepare_cached(sql)?.exists((name, by, version))?) };
        let set = "SELECT 1 FROM (SELECT author FROM audit WHERE verb = 'source-set' AND subject = ?1 ORDER BY seq DESC LIMIT 1)
                   WHERE author = ?2 AND ?3 = ?3";
        let imported = "SELECT 1 FROM audit WHERE verb = 'import' AND subject = ?1 AND author = ?2
                        AND json_extract(detail, '$.version') = ?3";
        let did = match (one(set)?, one(imported)?) {
            (true, _) => "set",
            (_, true) => "imported",
            _ => return Ok(()),
        };
        Error::refused(format!("you have {did} {name}: another person has to accept it ({why})"))
    }
}
