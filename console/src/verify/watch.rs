//! What is looked at again every day: a token that is gone, another registrar, other name servers.

use std::sync::Arc;
use std::time::Duration;

use super::evidence::{self, Found};
use super::gather::{Fetcher, Gather};
use super::{Proposal, alarm, end_decisions, enter, suspend};
use crate::audit::{Actor, CONSOLE};
use crate::desk::Desk;
use crate::schedule::{self, Schedule};
use crate::store::Changed;
use crate::{Result, alarms, time};
use serde_json::json;

/// Between two looks at a name that is verified.
pub const DAY: i64 = 86_400;
/// A name about which the network says nothing for so long is suspended.
pub const SILENT: i64 = 7 * DAY;
/// Between two rounds of the watch.
const ROUND: Duration = Duration::from_secs(1);

fn watcher() -> Actor {
    Actor::console("verification")
}

/// What a look found out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// As it was.
    Stands,
    /// Its token was there, is seen nowhere now, and where it was nobody could look.
    Silent,
    /// What it was verified by has changed.
    Lost(String),
}

/// Compares with what the name was verified by. What could not be asked then or now says nothing.
pub(super) fn compare(baseline: &Found, now: &Found) -> Look {
    if let (Some(before), Some(after)) = (baseline.name_servers(), now.name_servers())
        && before != after
    {
        return Look::Lost(format!("its name servers changed from {} to {}", before.join(" "), after.join(" ")));
    }
    if let (Some(before), Some(after)) = (baseline.registrar(), now.registrar())
        && before != after
    {
        return Look::Lost(format!("its registrar changed from {before} to {after}"));
    }
    if let (Some(before), Some(after)) = (baseline.registered(), now.registered())
        && before != after
    {
        return Look::Lost(format!("it was registered anew: at {after}, before at {before}"));
    }
    if now.is_nowhere() && !baseline.is_nowhere() {
        return Look::Lost("it is not in the DNS any more".to_owned());
    }
    if !baseline.shows_token() || now.shows_token() {
        return Look::Stands;
    }
    // Nowhere now. Where it stood before: is it gone, or could nobody look?
    let where_it_was = baseline.token().into_iter().zip(now.token()).filter(|(before, _)| *before == Some(true));
    if where_it_was.into_iter().all(|(_, after)| after == Some(false)) {
        Look::Lost("its owner does not show the token any more".to_owned())
    } else {
        Look::Silent
    }
}

/// Looks at one verified name now. Suspends it where what it was verified by has changed.
///
/// # Errors
/// The network could not be asked; the database's.
pub fn look(desk: &Desk, gather: &impl Gather, proposal: &Proposal) -> Result<()> {
    let store = desk.store();
    let Some(baseline) = proposal.baseline else { return Ok(()) };
    let baseline = store.read(|state| evidence::one(state, baseline))?;
    let found = evidence::collect(store, gather, proposal)?;
    if baseline.unseen.is_some() {
        // People agreed without: from here on it is watched by what is there now.
        let id = proposal.id;
        return store.note(move |transaction| {
            let sql = "UPDATE proposals SET baseline = (SELECT max(id) FROM evidence WHERE proposal = ?1) WHERE id = ?1";
            transaction.execute(sql, [id])?;
            Ok(())
        });
    }
    let look = compare(&baseline, &found);
    if let Look::Lost(why) = &look {
        suspend(store, &watcher(), proposal.id, why)?;
        return desk.publish_decisions();
    }
    let (id, now) = (proposal.id, time::now());
    let since = if look == Look::Silent { Some(proposal.silent.unwrap_or(now)) } else { None };
    store.note(move |transaction| {
        transaction.execute("UPDATE proposals SET silent = ?2 WHERE id = ?1", (id, since))?;
        Ok(())
    })?;
    match since {
        Some(since) if now - since >= SILENT => {
            suspend(store, &watcher(), id, &format!("nobody could look for its token since {}", time::shown(since)))?;
            desk.publish_decisions()
        }
        Some(since) => alarms::raise(
            store,
            &alarm(&proposal.host),
            &format!("nobody can look for the token of {} since {}", proposal.host, time::shown(since)),
        ),
        None => alarms::clear(store, &alarm(&proposal.host)),
    }
}

/// Begins, on a thread of its own: it waits for the network.
///
/// # Errors
/// No thread could be made.
pub fn start(desk: Arc<Desk>) -> Result<Schedule> {
    // What goes wrong is an alarm already.
    schedule::every("verify", ROUND, move || drop(round(&desk)))
}

/// One round: puts states right, and looks at one name that is due.
///
/// # Errors
/// The network could not be asked; the database's.
pub fn round(desk: &Desk) -> Result<()> {
    settle(desk)?;
    let now = time::now();
    let due = desk.store().read(|state| {
        let sql = "SELECT id FROM proposals WHERE state = 'verified' AND (looked IS NULL OR looked <= ?1 OR looked > ?2) ORDER BY looked LIMIT 1";
        let id = state.prepare_cached(sql)?.query_map((now - DAY, now + DAY), |row| row.get(0))?.next().transpose()?;
        id.map(|id: i64| super::one(state, id)).transpose()
    })?;
    let Some(proposal) = due else { return Ok(()) };
    let looked = look(desk, &Fetcher::of(desk), &proposal);
    match &looked {
        Ok(()) => alarms::clear(desk.store(), "verify")?,
        Err(why) => {
            alarms::raise(desk.store(), "verify", &format!("names that are verified cannot be looked at: {why}"))?;
            // Not this one again before the others had their turn.
            desk.store().note(move |transaction| {
                transaction.execute("UPDATE proposals SET looked = ?2 WHERE id = ?1", (proposal.id, now - DAY + 600))?;
                Ok(())
            })?;
        }
    }
    looked
}

/// A proposal whose verdicts are all out of force has ended; one whose verdict an undo brought back is watched again, or taken out again.
fn settle(desk: &Desk) -> Result<()> {
    const IN_FORCE: &str = "EXISTS (SELECT 1 FROM verified JOIN decisions ON decisions.id = decision WHERE proposal = proposals.id AND ended IS NULL)";
    let wrong = desk.store().read(|state| {
        let sql = format!(
            "SELECT id, state FROM proposals WHERE state = 'verified' AND NOT {IN_FORCE}
             UNION ALL SELECT id, state FROM proposals WHERE state IN ('ended', 'suspended', 'rejected') AND {IN_FORCE}"
        );
        let mut wrong = state.prepare_cached(&sql)?;
        Ok(wrong.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<Vec<(i64, String)>, _>>()?)
    })?;
    let any = !wrong.is_empty();
    for (id, state) in wrong {
        desk.store().change(&watcher(), "settle", move |transaction| {
            let (to, why) = match state.as_str() {
                "verified" => ("ended", "its verdicts ended: expired, or taken back"),
                "ended" => ("verified", "its verdict stands again"),
                _ => {
                    end_decisions(transaction, id, CONSOLE, "its proposal is not verified any more")?;
                    (state.as_str(), "its verdict was taken out again")
                }
            };
            enter(transaction, id, to, why)?;
            let proposal = super::one(transaction, id)?;
            Ok(Changed { subject: proposal.host, detail: json!({ "from": state, "to": to, "reason": why }), value: () })
        })?;
    }
    if any { desk.publish_decisions() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ztsms_fetch::protocol::{Failure, Outcome, Token, Why};

    fn found(txt: Option<Outcome<Token>>) -> Found {
        let mut found = Found::default();
        found.network.txt = txt;
        found
    }

    #[test]
    fn a_token_that_is_gone_is_lost_and_one_that_nobody_could_look_for_is_not() {
        let shown = || Some(Outcome::Ok(Token { matches: true, tokens: vec!["x".into()] }));
        let other = || Some(Outcome::Ok(Token { matches: false, tokens: vec!["y".into()] }));
        let failed = |why| Some(Outcome::Failed(Failure::new(why, "")));
        let baseline = found(shown());
        let mut on_the_site = found(failed(Why::Absent));
        on_the_site.network.well_known = Some(Outcome::Ok(ztsms_fetch::protocol::WellKnown {
            token: Token { matches: true, tokens: vec![] },
            url: String::new(),
        }));
        assert_eq!(compare(&baseline, &found(shown())), Look::Stands);
        assert!(matches!(compare(&baseline, &found(failed(Why::Absent))), Look::Lost(_)));
        assert!(matches!(compare(&baseline, &found(other())), Look::Lost(_)));
        assert_eq!(compare(&baseline, &found(failed(Why::Dns))), Look::Silent);
        assert_eq!(compare(&baseline, &on_the_site), Look::Stands, "it moved from the DNS to the site");
        let mut down = found(failed(Why::Absent));
        down.network.well_known = Some(Outcome::Failed(Failure::new(Why::Connect, "")));
        assert_eq!(compare(&on_the_site, &down), Look::Silent, "a site that is down has lost nothing");
        down.network.well_known = Some(Outcome::Failed(Failure::new(Why::Absent, "")));
        assert!(matches!(compare(&on_the_site, &down), Look::Lost(_)));
        assert_eq!(compare(&found(other()), &found(failed(Why::Absent))), Look::Stands, "it was not verified by a token");
    }

    #[test]
    fn a_name_that_lapsed_or_was_registered_anew_is_lost_with_no_token_too() {
        let registered = |at: &str| {
            let mut found = Found::default();
            let registration = serde_json::json!({ "ok": { "domain": "a.example", "registered": at, "registrar": "R", "name_servers": [], "status": [] } });
            found.network.registration = Some(serde_json::from_value(registration).unwrap());
            found
        };
        let (before, after) = (registered("2011-01-01T00:00:00Z"), registered("2026-11-01T00:00:00Z"));
        assert_eq!(compare(&before, &before.clone()), Look::Stands);
        assert!(matches!(compare(&before, &after), Look::Lost(why) if why.contains("registered anew")));
        let mut gone = before.clone();
        gone.network.dns = Some(Outcome::Failed(Failure::new(Why::NoSuchName, "")));
        assert!(matches!(compare(&before, &gone), Look::Lost(why) if why.contains("not in the DNS")));
    }
}
