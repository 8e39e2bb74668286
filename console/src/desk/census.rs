//! The census' room: reading a spool, readiness, the gate.

use serde_json::{Value, json};

use super::{Desk, value};
use crate::audit::Actor;
use crate::census::readiness::{Ask, Readiness, readiness};
use crate::census::{self, gate};
use crate::command::Census;
use crate::publish;
use crate::{Error, Result, time};

/// A census whose last day lies further back says nothing of what filters see now.
const FRESH_DAYS: i64 = 2;

impl Desk {
    pub(super) fn census(&self, actor: &Actor, command: Census) -> Result<Value> {
        match command {
            Census::Read(dir) => {
                if !dir.is_dir() {
                    return Error::refused(format!("{}: no folder with segments of a filter's [spool]", dir.display()));
                }
                value(census::Census::new(&dir).look(self)?)
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

    /// Lets filters act, if not too much is unknown or somebody forces it. A limit that is raised is forced too: by who raises it, with a
    /// reason. One that is lowered holds whatever becomes of the rest.
    fn enforce(&self, actor: &Actor, most: Option<f64>, forced: Option<String>) -> Result<Value> {
        if forced.as_ref().is_some_and(|why| why.trim().is_empty()) {
            return Error::refused("whoever forces it says why");
        }
        let before = self.store.read(|state| gate::most_unknown(state))?;
        let raises = most.is_some_and(|most| most > before);
        if let Some(most) = most {
            if !(0.0..=1.0).contains(&most) {
                return Error::refused(format!("{most}: a share from 0 to 1, as 0.15"));
            }
            if raises && forced.is_none() {
                return Error::refused(format!(
                    "at most {:.1} % may be unknown, and whoever raises that says why, under his name: --force REASON",
                    before * 100.0
                ));
            }
            if most < before {
                gate::set_most_unknown(&self.store, actor, most, None)?;
            }
        }
        let ready = self.readiness(Ask { subscribers: None, domains: 0 })?;
        let share = (ready.with_links > 0).then_some(ready.unknown_share);
        let old = time::now().div_euclid(86_400) - ready.to;
        if share.is_some() && old > FRESH_DAYS && forced.is_none() {
            return Error::refused(format!(
                "the last day that was counted is {old} days ago: what filters see now nobody knows. Follow a spool (`serve --spool DIR`), \
                 or --force REASON"
            ));
        }
        let fits = share.is_some_and(|share| share <= ready.most_unknown) && old <= FRESH_DAYS;
        if !fits && forced.is_none() {
            return Error::refused(match share {
                None => "no message with a link was counted yet: let a filter with preset learn write its spool, and follow it (`serve --spool DIR`)"
                    .to_owned(),
                Some(share) => format!(
                    "{:.1} % of messages with links are unknown, and at most {:.1} % may be{}: `ztsms-console readiness` says which domains \
                     to decide; --force REASON does it all the same, under your name",
                    share * 100.0,
                    ready.most_unknown * 100.0,
                    if most.is_some() { " from now on" } else { "" },
                ),
            });
        }
        if let (Some(most), true) = (most, raises) {
            gate::set_most_unknown(&self.store, actor, most, forced.clone())?;
        }
        // Forced is what would not have passed without it.
        let gate = gate::pass(&self.store, actor, share, most.unwrap_or(before), forced.filter(|_| !fits))?;
        self.observe(actor, None)?;
        Ok(json!({ "gate": gate }))
    }

    /// Why filters that follow the directory observe though no person says so: as long as nobody has let them act.
    ///
    /// # Errors
    /// The database's.
    pub(super) fn held(&self) -> Result<Option<String>> {
        let passed = self.store.read(|state| gate::last(state))?.is_some();
        Ok((!passed).then(|| gate::NOBODY_YET.to_owned()))
    }

    /// Holds them at the start, and finishes what a process that was killed left between its word and the file.
    pub(crate) fn hold(&self) -> Result<()> {
        match (self.publisher.observing(), self.held()?) {
            (None, Some(why)) => publish::observe(self.publisher.dir(), Some(&why)),
            (Some(why), None) if why == gate::NOBODY_YET => publish::observe(self.publisher.dir(), None),
            _ => Ok(()),
        }
    }
}
