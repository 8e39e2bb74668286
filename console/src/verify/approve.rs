//! Agreeing to a proposal, by the evidence there is.

use dataplane::suffix::Suffixes;
use dataplane::verdicts::Table;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{FRESH, Needs, Proposal, enter, evidence, in_state, needs, one, watch};
use crate::audit::Actor;
use crate::decide::Decision;
use crate::store::{Changed, Store};
use crate::{Error, Result, time};

/// What somebody says who agrees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// Why.
    pub reason: String,
    /// To what is below the name too.
    pub below: bool,
    /// Although nobody could look.
    pub unseen: bool,
}

/// What an approval came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// The proposal as it stands now.
    pub proposal: Proposal,
    /// Who has to agree, and why so many.
    pub needs: Needs,
    /// The verdicts, when everybody has agreed.
    pub decisions: Vec<Decision>,
}

/// Agrees to a proposal by the evidence there is. When as many have agreed as have to, its verdicts are in force.
///
/// # Errors
/// It is not open; there is no fresh evidence; one agrees to what is below, or to what nobody could look at, without saying so; what may not
/// be safe; the database's.
pub fn approve(store: &Store, actor: &Actor, id: i64, word: &Word, table: &Table, suffixes: &Suffixes) -> Result<Approved> {
    let (mut reason, below, unseen) = (word.reason.trim().to_owned(), word.below, word.unseen);
    if reason.is_empty() {
        return Error::refused("an approval has a reason: who reads it in a year must know why");
    }
    if unseen {
        reason += " (unseen)";
    }
    let proposal = store.read(|state| one(state, id))?;
    let checked = proposal.checked(&reason, table, suffixes)?;
    let against = needs::against(&proposal.host, table, suffixes);
    let author = actor.name.clone();
    store.change(actor, "approve", move |transaction| {
        let proposal = in_state(transaction, id, "open")?;
        if proposal.below && !below {
            return Error::refused(format!(
                "proposal {id} covers what is below {} too: agree to that with --below",
                proposal.host
            ));
        }
        let Some((evidence, found)) =
            evidence::newest(transaction, id)?.filter(|(_, found)| found.collected + FRESH > time::now())
        else {
            return Error::refused(format!("there is no evidence of this week: `ztsms-console verify collect {id}` first"));
        };
        if let Some(why) = found.unseen.as_ref().filter(|_| !unseen) {
            return Error::refused(format!(
                "nobody could look at {} ({why}): two people agree to that with --unseen",
                proposal.host
            ));
        }
        let now = time::now();
        let void = void(transaction, id, &found)?;
        let sql = "INSERT INTO approvals VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (proposal, author) DO UPDATE SET approved = ?3, reason = ?4, evidence = ?5";
        transaction.execute(sql, (id, &author, now, &reason, evidence))?;
        let needs = needs(transaction, &proposal, &found, against)?;
        let mut decisions = Vec::new();
        if needs.missing == 0 {
            for checked in &checked {
                let (decision, _) = checked.write(transaction, &author)?;
                transaction.execute("INSERT INTO verified VALUES (?1, ?2)", (decision.id, id))?;
                decisions.push(decision);
            }
            let sql = "UPDATE proposals SET baseline = ?2, silent = NULL WHERE id = ?1";
            transaction.execute(sql, (id, evidence))?;
            enter(transaction, id, "verified", &reason)?;
        }
        let approved = Approved { proposal: one(transaction, id)?, needs, decisions };
        Ok(Changed {
            subject: approved.proposal.host.clone(),
            detail: json!({ "approved": approved, "evidence": evidence, "void": void }),
            value: approved,
        })
    })
}

/// Takes back what was agreed to by evidence that does not hold any more: whoever agreed has to look again. Returns who that is.
fn void(transaction: &Connection, id: i64, now: &evidence::Found) -> Result<Vec<String>> {
    let mut agreed = transaction.prepare_cached("SELECT author, evidence FROM approvals WHERE proposal = ?1")?;
    let agreed = agreed.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<Vec<(String, i64)>, _>>()?;
    let mut void = Vec::new();
    for (author, by) in agreed {
        if matches!(watch::compare(&evidence::one(transaction, by)?, now), watch::Look::Lost(_)) {
            transaction.execute("DELETE FROM approvals WHERE proposal = ?1 AND author = ?2", (id, &author))?;
            void.push(author);
        }
    }
    Ok(void)
}
