//! What the desk does about verification.

use serde_json::{Value, json};

use super::bulk::{self, Bulk};
use super::gather::{self, Fetcher};
use super::{Proposal, Word, evidence, needs, settings};
use crate::audit::Actor;
use crate::census::readiness::Ask;
use crate::command::Verify;
use crate::desk::{Desk, value};
use crate::{Error, Result};

impl Desk {
    pub(crate) fn verify(&self, actor: &Actor, command: Verify) -> Result<Value> {
        let store = self.store();
        match command {
            Verify::Propose(draft) => {
                let proposal = super::propose(store, actor, &draft, &*self.publisher().table()?, self.publisher().suffixes())?;
                // What the network says comes by itself; that it says nothing now is no reason not to propose.
                let trouble = self.collect(&proposal).err().map(|why| why.to_string());
                self.shown(proposal.id, trouble)
            }
            Verify::Collect(id) => {
                let proposal = store.read(|state| super::one(state, id))?;
                self.collect(&proposal)?;
                self.shown(id, None)
            }
            Verify::Bulk(from) => {
                let (table, suffixes) = (self.publisher().table()?, self.publisher().suffixes());
                let (origin, entries) = match from {
                    Bulk::Register { origin, text } => (origin, bulk::register(&text)?),
                    Bulk::Census(domains) => ("census".to_owned(), self.first_of_census(domains)?),
                };
                value(bulk::propose(store, actor, &origin, entries, (&table, suffixes))?)
            }
            Verify::CollectOpen => {
                let mut all = 0;
                loop {
                    let looked = gather::open(self)?;
                    all += looked;
                    if looked == 0 {
                        break Ok(json!({ "looked_into": all }));
                    }
                }
            }
            Verify::Approve { id, reason, below, unseen } => {
                let (table, word) = (self.publisher().table()?, Word { reason, below, unseen });
                let approved = super::approve(store, actor, id, &word, &table, self.publisher().suffixes())?;
                if !approved.decisions.is_empty() {
                    self.publish_decisions()?;
                }
                value(approved)
            }
            Verify::Reject { id, reason } => value(super::reject(store, actor, id, &reason)?),
            Verify::Suspend { id, reason } => {
                let proposal = super::suspend(store, actor, id, &reason)?;
                self.publish_decisions()?;
                value(proposal)
            }
            Verify::Reopen { id, reason } => {
                let proposal = super::reopen(store, actor, id, &reason)?;
                let trouble = self.collect(&proposal).err().map(|why| why.to_string());
                self.shown(id, trouble)
            }
            Verify::List { state, most } => value(store.read(|s| super::list(s, state.as_deref(), most))?),
            Verify::Show(id) => self.shown(id, None),
            Verify::Settings(change) if change == settings::Change::default() => value(store.read(settings::read_in)?),
            Verify::Settings(change) => value(settings::set(store, actor, change)?),
        }
    }

    fn collect(&self, proposal: &Proposal) -> Result<evidence::Found> {
        if !matches!(proposal.state.as_str(), "open" | "verified" | "suspended") {
            return Error::refused(format!("proposal {} is {}", proposal.id, proposal.state));
        }
        let found = evidence::collect(self.store(), &Fetcher::of(self), proposal);
        if let (Err(why), "open") = (&found, proposal.state.as_str()) {
            evidence::keep_unseen(self.store(), core::slice::from_ref(proposal), &why.to_string())?;
        }
        found
    }

    /// The hosts of the domains that deciding would bring most.
    fn first_of_census(&self, domains: usize) -> Result<Vec<bulk::Entry>> {
        let ready = self.readiness(Ask { subscribers: None, domains })?;
        let entry = |one: &str, host: &String| bulk::Entry {
            host: host.clone(),
            owner: format!("seen under {one}"),
            ..bulk::Entry::default()
        };
        Ok(ready.deciding.iter().flat_map(|one| one.hosts.iter().map(|host| entry(&one.domain, host))).collect())
    }

    fn shown(&self, id: i64, trouble: Option<String>) -> Result<Value> {
        let table = self.publisher().table()?;
        self.store().read(|state| {
            let proposal = super::one(state, id)?;
            let against = needs::against(&proposal.host, &table, self.publisher().suffixes());
            let found = evidence::newest(state, id)?.map(|(_, found)| found);
            let needs = super::needs(state, &proposal, &found.clone().unwrap_or_default(), against)?;
            let mut approvals = state.prepare_cached("SELECT author, approved, reason FROM approvals WHERE proposal = ?1 ORDER BY approved")?;
            let approvals = approvals.query_map([id], |row| {
                Ok(json!({ "author": row.get::<_, String>(0)?, "approved": row.get::<_, i64>(1)?, "reason": row.get::<_, String>(2)? }))
            })?;
            let approvals = approvals.collect::<Result<Vec<_>, _>>()?;
            Ok(json!({
                "patterns": proposal.patterns(), "proposal": proposal, "evidence": found, "token_shown": found.as_ref().map(evidence::Found::shows_token),
                "needs": needs, "approvals": approvals, "trouble": trouble,
            }))
        })
    }
}
