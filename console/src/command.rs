//! Everything that can be asked of the desk, as it goes over the admin socket. One variant a room; a room's own commands are its own.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::keys::KeyCommand;
use crate::{Error, Result, census, decide, sources, triage, verify};

/// One question or order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// What is in force, what is wrong, how much there is.
    Status,
    /// Decisions.
    Decide(Decide),
    /// Lists.
    Source(Source),
    /// Protected names and senders.
    Protect(Protect),
    /// Rules of filters' policies.
    Rule(Rule),
    /// Brakes.
    Brake(Brake),
    /// All filters into observe (with the reason), or acting again.
    Observe(Option<String>),
    /// What the network carries, and whether filters may act.
    Census(Census),
    /// What is unknown and waits for people.
    Triage(Triage),
    /// Keys of the API.
    Key(KeyCommand),
    /// The audit log.
    Audit(Audit),
    /// A snapshot of everything that counts, now.
    Build,
    /// A backup.
    Backup {
        /// The file to be written, the whole path.
        to: std::path::PathBuf,
        /// Public key, 64 hexadecimal digits, that keys are sealed for; none: they are left out.
        keys_for: Option<String>,
    },
    /// Names that are to be safe.
    Verify(Verify),
    /// The desk's time and the wall clock's; with a reason the wall clock's is taken.
    Clock(Option<String>),
}

impl Command {
    /// Refuses words that have control characters: they stand in lines that people read, and a line break would forge another one. Refuses
    /// a reason without words.
    ///
    /// # Errors
    /// The words.
    pub fn check_words(&self) -> Result<()> {
        fn unsaid(value: &Value) -> bool {
            let is_empty = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
            match value {
                Value::Array(all) => all.iter().any(unsaid),
                Value::Object(all) => {
                    all.iter().any(|(name, value)| matches!(name.as_str(), "reason" | "why") && is_empty(value) || unsaid(value))
                }
                _ => false,
            }
        }
        fn odd(value: &Value) -> Option<&str> {
            match value {
                Value::String(text) => Some(text.as_str()).filter(|text| text.chars().any(char::is_control)),
                Value::Array(all) => all.iter().find_map(odd),
                Value::Object(all) => all.values().find_map(odd),
                _ => None,
            }
        }
        // A register is read line by line, and names the one that is wrong.
        if matches!(self, Self::Verify(Verify::Bulk(_))) {
            return Ok(());
        }
        let value = serde_json::to_value(self).map_err(|error| Error::Refused(error.to_string()))?;
        if unsaid(&value) || matches!(self, Self::Clock(Some(why)) if why.trim().is_empty()) {
            return Error::refused("a reason has words: who reads it in a year must know why");
        }
        odd(&value).map_or(Ok(()), |text| Error::refused(format!("{text:?}: one line, without control characters")))
    }
}

/// Of decisions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decide {
    /// What a decision at this pattern would beat, and what a link gets now.
    Effect(String),
    /// Decides.
    Set(decide::Draft),
    /// Takes a decision back.
    Undo {
        /// Its number.
        id: i64,
        /// Why.
        reason: String,
    },
    /// Those in force, or all.
    List {
        /// Ended ones too.
        all: bool,
        /// How many, newest first.
        most: usize,
    },
    /// One by its number.
    Show(i64),
}

/// Of sources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Adds or changes one.
    Set(sources::Settings),
    /// Takes one away.
    Remove(String),
    /// All.
    List,
    /// The versions of one.
    History(String),
    /// Looks now, and builds.
    Import {
        /// Which.
        name: String,
        /// Whatever the limits say.
        force: bool,
    },
    /// Another version counts.
    Version {
        /// Of which source.
        name: String,
        /// Which version; none: the one before.
        to: Option<i64>,
    },
    /// Does not count, or counts again (`why` none).
    Suspend {
        /// Which.
        name: String,
        /// Why.
        why: Option<String>,
    },
    /// Feeds' entries that were left out because they call a protected name dangerous.
    Conflicts,
}

/// Of protected names and senders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protect {
    /// No feed calls this host, or what is below it, dangerous without a person.
    Host {
        /// The host.
        host: String,
        /// Why: own brand, government, a register.
        why: String,
    },
    /// No longer.
    Unhost(String),
    /// This sender carries links to these hosts and to no other.
    Sender {
        /// The sender as it is shown.
        sender: String,
        /// Its hosts, and what is below them.
        hosts: Vec<String>,
    },
    /// No longer.
    Unsender(String),
    /// Both lists.
    List,
}

/// Of rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// It only observes, in every filter and for the API.
    Suspend {
        /// Its name in the policy.
        name: String,
        /// Why.
        why: String,
    },
    /// It acts again.
    Resume(String),
    /// Those that are suspended.
    List,
}

/// Of brakes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Brake {
    /// What no brake suspends, for a person let it act.
    List,
    /// Brakes watch it again.
    Again {
        /// As the list names it: `entry bank.example`, `source phish`, `rule shops`.
        name: String,
        /// Why.
        reason: String,
    },
}

/// Of the census.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Census {
    /// Reads what is new in the spool of this folder.
    Read(std::path::PathBuf),
    /// What would happen if filters acted today.
    Readiness(census::readiness::Ask),
    /// Lets filters act.
    Enforce {
        /// From now on the share of unknown that is allowed.
        most: Option<f64>,
        /// Why it is forced.
        forced: Option<String>,
    },
}

/// Of triage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Triage {
    /// Registrable domains, the first to look at first.
    List {
        /// Also what is decided or put off.
        all: bool,
        /// How many.
        most: usize,
    },
    /// A domain, or a campaign (`#12`).
    Show(String),
    /// What a decision would have changed.
    Effect(triage::decide::Order),
    /// Decides.
    Decide(triage::decide::Order),
}

/// Of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audit {
    /// Lines from this number on.
    List {
        /// First line.
        from: i64,
        /// How many.
        most: usize,
    },
    /// Every line is as it was written, and each anchor stands in the log.
    Verify(Vec<String>),
    /// The end of the log.
    Head,
}

/// Of names that are to be safe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verify {
    /// Proposes one, and asks the network about it.
    Propose(verify::Draft),
    /// Proposes many.
    Bulk(verify::bulk::Bulk),
    /// Asks the network again.
    Collect(i64),
    /// Asks the network about all that are open and were not looked into.
    CollectOpen,
    /// Agrees.
    Approve {
        /// To which proposal.
        id: i64,
        /// Why.
        reason: String,
        /// To what is below the name too.
        below: bool,
        /// Although nobody could look.
        #[serde(default)]
        unseen: bool,
    },
    /// Ends one that is open or suspended.
    Reject {
        /// Which.
        id: i64,
        /// Why.
        reason: String,
    },
    /// Takes its verdicts out of force.
    Suspend {
        /// Which.
        id: i64,
        /// Why.
        reason: String,
    },
    /// Opens one that is suspended or has ended.
    Reopen {
        /// Which.
        id: i64,
        /// Why.
        reason: String,
    },
    /// Those in a state, or all.
    List {
        /// `open`, `verified`, `suspended`, `rejected`, `ended`.
        state: Option<String>,
        /// How many, newest first.
        most: usize,
    },
    /// One with its evidence, and who has to agree.
    Show(i64),
    /// What the operator says about it; nothing in it: what is in force.
    Settings(verify::settings::Change),
}
