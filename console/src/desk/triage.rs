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
                let id = decide::campaign(&target)?;
                let pattern = id.is_none().then(|| decide::pattern(&target)).transpose()?;
                let host = pattern.as_ref().map_or(target.as_str(), |pattern| decide::host(&pattern.key));
                let domain = suffixes.registrable(host).unwrap_or(host);
                let (campaigns, more) = rank::campaigns(state, if id.is_some() { None } else { Some(domain) }, id, now)?;
                let groups = rank::list(state, suffixes, now, true, usize::MAX)?;
                let group = groups.into_iter().find(|group| id.is_none() && group.domain == domain);
                if campaigns.is_empty() && group.is_none() {
                    return Err(Error::NotFound(format!("nothing of {target} was seen in the last two days")));
                }
                Ok(json!({ "group": group, "campaigns": campaigns, "more_campaigns": more }))
            }),
            Triage::Effect(order) => value(self.store.read(|state| decide::effect(state, &self.publisher, &order, now))?),
            Triage::Decide(order) => {
                let done = decide::decide(&self.store, actor, order, &self.publisher)?;
                self.publish_decisions()?;
                value(done)
            }
        }
    }
}
