//! The census' room: reading a spool, readiness, the gate.

use serde_json::{Value, json};

use super::{Desk, value};
use crate::audit::Actor;
use crate::census::readiness::{Ask, Readiness, readiness};
use crate::census::{self, gate};
use crate::command::Census;
use crate::{Error, Result};

impl Desk {
    pub(super) fn census(&self, actor: &Actor, command: Census) -> Result<Value> {
        let suffixes = self.publisher.suffixes();
        match command {
            Census::Read(dir) => {
                if !dir.is_dir() {
                    return Error::refused(format!("{}: no folder with segments of a filter's [spool]", dir.display()));
                }
                value(census::Census::new(&dir).look(&self.store, suffixes)?)
            }
            Census::Readiness(ask) => value(self.readiness(ask)?),
            Census::Enforce { most, forced } => self.enforce(actor, most, forced),
        }
    }

    /// What would happen if filters acted today.
    ///
    /// # Errors
    /// Nothing is published yet; the database's.
    pub fn readiness(&self, ask: Ask) -> Result<Readiness> {
        let table = self.publisher.table()?;
        self.store.read(|state| readiness(state, &table, self.publisher.suffixes(), ask))
    }

    /// Lets filters act, if not too much is unknown or somebody forces it.
    fn enforce(&self, actor: &Actor, most: Option<f64>, forced: Option<String>) -> Result<Value> {
        if let Some(most) = most {
            if !(0.0..=1.0).contains(&most) {
                return Error::refused(format!("{most}: a share from 0 to 1, as 0.15"));
            }
            gate::set_most_unknown(&self.store, actor, most)?;
        }
        if forced.as_ref().is_some_and(|why| why.trim().is_empty()) {
            return Error::refused("whoever forces it says why");
        }
        let ready = self.readiness(Ask { subscribers: None, domains: 0 })?;
        let share = (ready.with_links > 0).then_some(ready.unknown_share);
        let fits = share.is_some_and(|share| share <= ready.most_unknown);
        if !fits && forced.is_none() {
            return Error::refused(match share {
                None => "no message with a link was counted yet: let a filter with preset learn write its spool, and follow it (`serve --spool DIR`)"
                    .to_owned(),
                Some(share) => format!(
                    "{:.1} % of messages with links are unknown, and at most {:.1} % may be: `ztsms-console readiness` says which domains \
                     to decide; --force REASON does it all the same, under your name",
                    share * 100.0,
                    ready.most_unknown * 100.0
                ),
            });
        }
        // Forced is what would not have passed.
        let gate = gate::pass(&self.store, actor, share, ready.most_unknown, forced.filter(|_| !fits))?;
        self.observe(actor, None)?;
        Ok(json!({ "gate": gate }))
    }

    /// Whether filters may be let act again by taking `observe` back alone.
    pub(super) fn may_act(&self) -> Result<()> {
        let ready = self.readiness(Ask { subscribers: None, domains: 0 })?;
        if ready.gate.is_some() || ready.with_links == 0 || ready.unknown_share <= ready.most_unknown {
            return Ok(());
        }
        Error::refused(format!(
            "{:.1} % of messages with links are unknown, and nobody has let filters act yet: `ztsms-console enforce`",
            ready.unknown_share * 100.0
        ))
    }
}
