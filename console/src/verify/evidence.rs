//! What the network says about a name, and what can be read from it without asking anybody: its age, and whom it looks like.

use idna::domain_to_unicode;
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};
use unicode_security::skeleton;
use ztsms_fetch::protocol::{Evidence, EvidenceOf, Outcome, Why};

use super::{Proposal, gather::Gather, settings};
use crate::store::Store;
use crate::{Error, Result, sources, time};

/// Names that a name looks like, as many as are told.
const LIKES: usize = 10;
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
    /// Protected names that it looks like, each with how.
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

    /// Name servers by the DNS, where it could be asked.
    pub fn name_servers(&self) -> Option<&[String]> {
        self.network.dns.as_ref()?.ok()?.ns.ok().map(Vec::as_slice)
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
    let (settings, protected) = store.read(|state| Ok((settings::read(state)?, sources::protected(state)?)))?;
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
    let likes = likes(&proposal.registrable, &protected);
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
    let protected = store.read(|state| sources::protected(state))?;
    let (proposals, why, now) = (proposals.to_vec(), why.to_owned(), time::now());
    store.note(move |transaction| {
        for Proposal { id, registrable, .. } in &proposals {
            let fresh =
                newest(transaction, *id)?.filter(|(_, found)| found.unseen.is_none() && found.collected + super::FRESH > now);
            if fresh.is_none() {
                let likes = likes(registrable, &protected);
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

/// Protected names that a domain looks like. It orders what people look at, and asks for a second pair of eyes; it decides nothing.
fn likes(domain: &str, protected: &[String]) -> Vec<String> {
    let (label, shown) = shape(domain);
    let mut found = Vec::new();
    for other in protected.iter().filter(|other| *other != domain && !is_below(other, domain) && !is_below(domain, other)) {
        let (brand, _) = shape(other);
        let how = if label == brand {
            "reads like"
        } else if brand.chars().count() >= 4 && label.split(['-', '_']).any(|piece| piece == brand) {
            "carries the name of"
        } else if brand.chars().count() >= 5 && one_apart(&label, &brand) {
            "is one letter away from"
        } else {
            continue;
        };
        found.push(format!("{shown} {how} {other}"));
    }
    found.truncate(LIKES);
    found
}

/// The first label as it looks (UTS 39, case folded), and the whole name as people see it.
fn shape(name: &str) -> (String, String) {
    let (shown, _) = domain_to_unicode(name);
    let label = shown.split('.').next().unwrap_or_default().to_lowercase();
    (skeleton(&label).collect::<String>().to_lowercase(), shown)
}

fn is_below(name: &str, above: &str) -> bool {
    name.strip_suffix(above).is_some_and(|head| head.ends_with('.'))
}

/// One character put in, left out or changed, or two neighbours in each other's place.
fn one_apart(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    let same = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let rest = |of: &[char], at: usize| of.get(at..).unwrap_or_default().to_vec();
    match long.len() - short.len() {
        0 => {
            let swapped = short.get(same) == long.get(same + 1) && short.get(same + 1) == long.get(same);
            same < short.len()
                && (rest(short, same + 1) == rest(long, same + 1) || swapped && rest(short, same + 2) == rest(long, same + 2))
        }
        1 => rest(short, same) == rest(long, same + 1),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_a_protected_one_is_told() {
        let protected = ["paypal.com", "bank.example", "sparkasse.de"].map(str::to_owned);
        for (domain, how) in [
            ("paypa1.com", "reads like paypal.com"),
            ("xn--pypal-4ve.com", "reads like paypal.com"),
            ("paypal.top", "reads like paypal.com"),
            ("bank-login.example", "carries the name of bank.example"),
            ("sparkase.de", "is one letter away from sparkasse.de"),
            ("sparkases.de", "is one letter away from sparkasse.de"),
            ("sparrkasse.de", "is one letter away from sparkasse.de"),
        ] {
            assert!(
                likes(domain, &protected).iter().any(|like| like.ends_with(how)),
                "{domain}: {:?}",
                likes(domain, &protected)
            );
        }
        for domain in ["paypal.com", "bakery.example", "www.paypal.com", "embankment.example", "sparen.de"] {
            assert_eq!(likes(domain, &protected), Vec::<String>::new(), "{domain}");
        }
    }

    #[test]
    fn registries_write_time_in_several_ways() {
        for text in ["1990-12-31T00:00:00Z", "1990-12-31T01:00:00+01:00", "1990-12-31", "1990-12-31 00:00:00 CLST"] {
            assert_eq!(seconds(text), Some(662_601_600), "{text}");
        }
        assert_eq!(seconds("soon"), None);
    }
}
