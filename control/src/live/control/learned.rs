//! What the verdict directory says goes in: a table, senders, what is out of force, and whether anything is carried out.

use std::sync::PoisonError;

use dataplane::live::Stage;
use dataplane::policy::Protected;
use dataplane::verdicts::Table;
use dataplane::world::{Network, World};

use super::super::follow::{self, News};
use super::{Running, now};
use crate::build::suspended::Suspended;

impl Running {
    pub(super) fn learn(&mut self, news: News) {
        match news {
            News::Table(table, _) => self.swap(*table),
            News::Senders(senders) => self.protect(senders),
            News::Observe(why) => self.observe(why),
            News::Suspended(suspended) => self.suspend(suspended),
            News::Refused(alarm, why) => self.alarms.raise(alarm, why, now()),
            News::Well(alarm) => self.alarms.clear(alarm),
        }
    }

    /// A world with another table, else the same.
    pub(super) fn swap(&mut self, table: Table) {
        let current = self.worlds.current();
        let world = self.world(table, current.network.clone());
        self.worlds.set(world, current.stage.clone());
    }

    /// The world with this table by the configuration, and by what the console protects and has suspended.
    pub(super) fn world(&self, table: Table, network: Network) -> World {
        let World { scanner, suffixes, .. } = &*self.worlds.current().world;
        // No configuration says what the ports carry.
        let mtu = self.told.lock().unwrap_or_else(PoisonError::into_inner).mtu.unwrap_or(network.mtu);
        let network = Network { mtu, ..network };
        let policy = self.suspended.policy(self.config.policy.clone().with_protected(&self.senders));
        World { scanner: scanner.clone(), suffixes: suffixes.clone(), table: self.suspended.table(table), policy, network }
    }

    /// The console takes sources and rules out of force, or puts them back.
    fn suspend(&mut self, suspended: Suspended) {
        let said = (!suspended.is_empty()).then(|| format!("out of force: {}", suspended.to_text().trim().replace('\n', ", ")));
        self.alarms.set("suspended", said, now());
        self.alarms.clear(follow::SUSPENDED_ALARM);
        self.suspended = suspended;
        self.swap(self.worlds.current().table.share());
    }

    /// The stage that holds now: the configuration's, without what the breaker and the console return to observe.
    pub(super) fn held(&self) -> Stage {
        if self.observed.is_some() {
            return Stage::observe();
        }
        self.stage.held_back(self.breaker.domains.iter().map(|domain| &**domain), self.breaker.all)
    }

    /// The console puts every filter into observe, or lets them act again.
    fn observe(&mut self, why: Option<String>) {
        self.alarms.set("observe", why.as_ref().map(|why| format!("the console put all filters into observe: {why}")), now());
        self.observed = why;
        self.worlds.set_stage(self.held());
    }

    /// Protected senders beside those of the configuration.
    fn protect(&mut self, senders: Vec<Protected>) {
        self.senders = senders;
        self.swap(self.worlds.current().table.share());
    }
}
