//! What the operator says about verification, kept in the database.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::audit::Actor;
use crate::sources::{fact, fetched::typed, set_fact};
use crate::store::{Changed, Store};
use crate::{Error, Result};

/// Settings in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// People who have to agree: 1 or 2. Names that ask for two have two whatever this says.
    pub people: usize,
    /// Base URL of the RDAP service; empty: no registration is asked for, and no name counts as old.
    pub rdap: String,
}

/// Settings to be changed; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// As [`Settings::people`].
    pub people: Option<usize>,
    /// As [`Settings::rdap`].
    pub rdap: Option<String>,
}

/// The settings.
///
/// # Errors
/// The database's.
pub fn read(state: &Connection) -> Result<Settings> {
    Ok(Settings {
        people: fact(state, "verify-people")?.and_then(|text| text.parse().ok()).unwrap_or(1),
        rdap: fact(state, "verify-rdap")?.unwrap_or_default(),
    })
}

/// The settings, in a reading of the store.
pub(crate) fn read_in(state: &rusqlite::Transaction<'_>) -> Result<Settings> {
    read(state)
}

/// Who asked for one person to be enough, while two are.
const LESS: &str = "verify-people-less";

/// Changes some of them. That one person is enough again is said by two: by one who asks for it, and by another.
///
/// # Errors
/// A setting that makes no sense, or that another person has to say too; the database's.
pub fn set(store: &Store, actor: &Actor, change: Change) -> Result<Settings> {
    if change.people.is_some_and(|people| !(1..=2).contains(&people)) {
        return Error::refused("one person or two have to agree");
    }
    if change.rdap.as_ref().is_some_and(|url| !url.is_empty() && !url.starts_with("https://")) {
        return Error::refused("an RDAP service is asked over https:// only");
    }
    change.rdap.iter().filter(|url| !url.is_empty()).try_for_each(|url| typed(url))?;
    let by = actor.name.clone();
    let asked = store.change(actor, "verify-settings", move |transaction| {
        let before = read(transaction)?;
        if before.people > 1
            && change.people == Some(1)
            && fact(transaction, LESS)?.is_none_or(|first| first == by || first.is_empty())
        {
            set_fact(transaction, LESS, &by)?;
            let detail = json!({ "before": before, "asked": change });
            return Ok(Changed { subject: "verification".to_owned(), detail, value: None });
        }
        set_fact(transaction, LESS, "")?;
        let facts = [("verify-people", change.people.map(|n| n.to_string())), ("verify-rdap", change.rdap)];
        for (name, value) in facts {
            if let Some(value) = value {
                set_fact(transaction, name, &value)?;
            }
        }
        let after = read(transaction)?;
        Ok(Changed {
            subject: "verification".to_owned(),
            detail: json!({ "before": before, "after": after }),
            value: Some(after),
        })
    })?;
    asked.ok_or_else(|| Error::Refused("two people have to agree: it is written down that you ask for one, and another person has to say the same (`verify settings --people 1`)".to_owned()))
}
