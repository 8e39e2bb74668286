//! Rules of filters' policies, by name: out of force, or acting again.

use serde_json::{Value, json};

use super::{Desk, value};
use crate::audit::Actor;
use crate::brakes::{self, What};
use crate::command::Rule;
use crate::publish::suspended_rules;
use crate::store::Changed;
use crate::{Error, Result, time};

impl Desk {
    pub(super) fn rule(&self, actor: &Actor, command: Rule) -> Result<Value> {
        let author = actor.name.clone();
        match command {
            Rule::Suspend { name, why } => {
                if name.trim().is_empty() || why.trim().is_empty() {
                    return Error::refused("a rule has a name, and who suspends it says why");
                }
                if brakes::is_chain(&name) {
                    return Error::refused(format!(
                        "{name} is a chain of the policy and no rule: `ztsms-console observe` stops it, and all else"
                    ));
                }
                self.store.change(actor, "rule-suspend", move |transaction| {
                    let sql = "INSERT INTO suspended_rules VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE SET why = ?2, author = ?3";
                    transaction.execute(sql, (&name, &why, author, time::now()))?;
                    Ok(Changed { subject: name, detail: json!({ "reason": why }), value: () })
                })?;
                self.publish_decisions()?;
            }
            Rule::Resume(name) => {
                self.store.change(actor, "rule-resume", move |transaction| {
                    let resumed = transaction.execute("DELETE FROM suspended_rules WHERE name = ?1", [&name])? > 0;
                    // A chain is only raised, and its alarm is what a person answers.
                    if !brakes::meant(transaction, &What::Rule(name.clone()))? && !resumed {
                        return Err(Error::NotFound(format!("rule {name:?} is not suspended")));
                    }
                    Ok(Changed { subject: name, detail: Value::Null, value: () })
                })?;
                self.publish_decisions()?;
            }
            Rule::List => {}
        }
        value(self.store.read(suspended_rules)?)
    }
}
