//! What the network says about a name, and what can be read from it without asking anybody: its age, and whom it looks like.

use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use ztsms_fetch::protocol::{Evidence, EvidenceOf, Outcome, Why};

use super::{Proposal, gather::Gather, likes::Brands, settings};
use crate::store::Store;
use crate::{Error, Result, time};

/// Evidence of one proposal that is kept besides the one that counts.
const KEPT: i64 = 30;

/// Everything that was found at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// When.
    pub collected: i64,
    /// What the network says.
    pub network: Evidence,
    /// Age of the registrable domain in days, by its registry.
    pub age_days: Option<i64>,
    /// Protected names and senders that it looks like, each with how.
    pub likes: Vec<String>,
    /// Why nobody could look: nothing of the above is from the network then.
    #[serde(default)]
    pub unseen: Option<String>,
}

impl Found {
    /// Whether the token was shown in the DNS, and on the site. `None`: nobody could look there.
    pub fn token(&self) -> [Option<bool>; 2] {
        let txt = self.network.txt.as_ref().and_then(|txt| match txt {
            Outcome::Ok(token) => Some(token.matches),
            Outcome::Failed(failure) => (failure.why == Why::Absent).then_some(false),
        });
        let file = self.network.well_known.as_ref().and_then(|file| match file {
            Outcome::Ok(file) => Some(file.token.matches),
            // A site that answers and has no such file, or sends elsewhere for it.
            Outcome::Failed(failure) => matches!(failure.why, Why::Absent | Why::Redirect).then_some(false),
        });
        [txt, file]
    }

    /// Whether the token was shown anywhere.
    pub fn shows_token(&self) -> bool {
        self.token().contains(&Some(true))
    }

    /// Whether the DNS was asked and knows no such name.
    pub fn is_nowhere(&self) -> bool {
        matches!(&self.network.dns, Some(Outcome::Failed(failure)) if failure.why == Why::NoSuchName)
    }

    /// Name servers by the DNS, where it could be asked.
    pub fn name_servers(&self) -> Option<&[String]> {
        self.network.dns.as_ref()?.ok()?.ns.ok().map(Vec::as_slice)
    }

    /// When it was registered, as the registry writes it.
    pub fn registered(&self) -> Option<&str> {
        self.network.registration.as_ref()?.ok()?.registered.as_deref()
    }

    /// The registrar, where the registry could be asked: its number at IANA, else its name.
    pub fn registrar(&self) -> Option<&str> {
        let registration = self.network.registration.as_ref()?.ok()?;
        registration.registrar_id.as_deref().or(registration.registrar.as_deref())
    }
}

/// Asks the network about a proposal, and keeps what it says.
///
/// # Errors
/// It could not be asked; the database's.
pub fn collect(store: &Store, gather: &impl Gather, proposal: &Proposal) -> Result<Found> {
    let (settings, brands) = store.read(|state| Ok((settings::read(state)?, Brands::read(state)?)))?;
    let network = gather.evidence(&EvidenceOf {
        host: proposal.host.clone(),
        registrable: Some(proposal.registrable.clone()),
        token: Some(proposal.token.clone()),
        rdap: Some(settings.rdap).filter(|url| !url.is_empty()),
        token_only: false,
    })?;
    let now = time::now();
    let age_days = network
        .registration
        .as_ref()
        .and_then(|outcome| outcome.ok()?.registered.as_deref().and_then(seconds))
        .map(|at| (now - at) / 86_400);
    let likes = brands.likes(&proposal.host);
    let found = Found { collected: now, network, age_days: age_days.filter(|days| *days >= 0), likes, unseen: None };
    keep(store, proposal.id, &found)?;
    Ok(found)
}

/// RFC 3339 as registries write it: with a zone as a rule, sometimes a day alone.
fn seconds(text: &str) -> Option<i64> {
    let day = || format!("{}T00:00:00Z", text.get(..10)?).parse().ok();
    text.parse().ok().or_else(day).map(jiff::Timestamp::as_second)
}

/// Writes down of these proposals that nobody could look, where there is no evidence of this week.
///
/// # Errors
/// The database's.
pub fn keep_unseen(store: &Store, proposals: &[Proposal], why: &str) -> Result<()> {
    let brands = store.read(|state| Brands::read(state))?;
    let (proposals, why, now) = (proposals.to_vec(), why.to_owned(), time::now());
    store.note(move |transaction| {
        for Proposal { id, host, .. } in &proposals {
            let fresh =
                newest(transaction, *id)?.filter(|(_, found)| found.unseen.is_none() && found.collected + super::FRESH > now);
            if fresh.is_none() {
                let likes = brands.likes(host);
                keep_in(transaction, *id, &Found { collected: now, likes, unseen: Some(why.clone()), ..Found::default() })?;
            }
        }
        Ok(())
    })
}

fn keep(store: &Store, id: i64, found: &Found) -> Result<()> {
    let found = found.clone();
    store.note(move |transaction| keep_in(transaction, id, &found))
}

fn keep_in(transaction: &Connection, id: i64, found: &Found) -> Result<()> {
    let text = serde_json::to_string(found).map_err(|error| Error::Refused(error.to_string()))?;
    let sql = "INSERT INTO evidence (proposal, collected, found) VALUES (?1, ?2, ?3)";
    transaction.prepare_cached(sql)?.execute((id, found.collected, text))?;
    transaction.prepare_cached("UPDATE proposals SET looked = ?2 WHERE id = ?1")?.execute((id, found.collected))?;
    // What an approval or a verdict stands on stays.
    let sql = "DELETE FROM evidence WHERE proposal = ?1
               AND id NOT IN (SELECT id FROM evidence WHERE proposal = ?1 ORDER BY id DESC LIMIT ?2)
               AND id NOT IN (SELECT evidence FROM approvals WHERE proposal = ?1)
               AND id NOT IN (SELECT baseline FROM proposals WHERE id = ?1 AND baseline IS NOT NULL)";
    transaction.prepare_cached(sql)?.execute((id, KEPT))?;
    Ok(())
}

/// The newest evidence of a proposal, and its number.
///
/// # Errors
/// The database's, or what is kept cannot be read.
pub fn newest(state: &Connection, id: i64) -> Result<Option<(i64, Found)>> {
    let sql = "SELECT id, found FROM evidence WHERE proposal = ?1 ORDER BY id DESC LIMIT 1";
    let row = state.prepare_cached(sql)?.query_row([id], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).optional()?;
    row.map(|(id, text)| Ok((id, read(&text)?))).transpose()
}

/// Days that a registrable domain is old at `now`, as far as any evidence about it says; the newest that says so.
///
/// # Errors
/// The database's, or what is kept cannot be read.
pub fn age_of(state: &Connection, registrable: &str, now: i64) -> Result<Option<i64>> {
    let sql =
        "SELECT found FROM evidence JOIN proposals ON proposals.id = proposal WHERE registrable = ?1 ORDER BY evidence.id DESC";
    let mut found = state.prepare_cached(sql)?;
    let mut rows = found.query([registrable])?;
    while let Some(row) = rows.next()? {
        let found = read(&row.get::<_, String>(0)?)?;
        if let Some(days) = found.age_days {
            return Ok(Some(days + (now - found.collected) / 86_400));
        }
    }
    Ok(None)
}

/// One by its number.
///
/// # Errors
/// The database's, or what is kept cannot be read.
pub fn one(state: &Connection, id: i64) -> Result<Found> {
    read(&state.query_row("SELECT found FROM evidence WHERE id = ?1", [id], |row| row.get::<_, String>(0))?)
}

fn read(text: &str) -> Result<Found> {
    serde_json::from_str(text).map_err(|error| Error::Refused(format!("evidence in console.db cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_write_time_in_several_ways() {
        for text in ["1990-12-31T00:00:00Z", "1990-12-31T01:00:00+01:00", "1990-12-31", "1990-12-31 00:00:00 CLST"] {
            assert_eq!(seconds(text), Some(662_601_600), "{text}");
        }
        assert_eq!(seconds("soon"), None);
    }
}
