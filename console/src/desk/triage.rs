//! The room of triage.

use serde_json::{Value, json};

use super::{Desk, value};
use crate::audit::Actor;
use crate::command::Triage;
use crate::triage::{decide, rank};
use crate::{Error, Result, time};

impl Desk {
    pub(super) fn triage(&self, actor: &Actor, command: Triage) -> Result<Value> {
        let (suffixes, now) = (self.publisher.suffixes(), time::now());
        match command {
            Triage::List { all, most } => value(self.store.read(|state| rank::list(state, suffixes, now, all, most))?),
            Triage::Show(target) => self.store.read(|state| {
                let id = target.strip_prefix('#').and_then(|number| number.parse::<i64>().ok());
                let domain = suffixes.registrable(&target).unwrap_or(&target);
                let campaigns = rank::campaigns(state, if id.is_some() { None } else { Some(domain) }, id, now)?;
                let groups = rank::list(state, suffixes, now, true, usize::MAX)?;
                let group = groups.into_iter().find(|group| id.is_none() && group.domain == domain);
                if campaigns.is_empty() && group.is_none() {
                    return Err(Error::NotFound(format!("nothing of {target} was seen in the last two days")));
                }
                Ok(json!({ "group": group, "campaigns": campaigns }))
            }),
            Triage::Effect(target) => {
                let table = self.publisher.table()?;
                value(self.store.read(|state| decide::effect(state, &table, suffixes, &target, now))?)
            }
            Triage::Decide(order) => {
                let table = self.publisher.table()?;
                let decisions = decide::decide(&self.store, actor, order, &table, suffixes)?;
                self.publish_decisions()?;
                value(decisions)
            }
        }
    }
}
