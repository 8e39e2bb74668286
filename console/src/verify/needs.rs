//! How many people have to agree, and why.

use control::verdicts_cmd::lookup;
use dataplane::suffix::Suffixes;
use dataplane::verdict::Verdict;
use dataplane::verdicts::Table;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::evidence::Found;
use super::{Proposal, settings};
use crate::Result;

/// A name younger than this has two people look at it.
pub(crate) const YOUNG_DAYS: i64 = 90;

/// Who has to agree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// So many people in all, with whoever proposed it.
    pub people: usize,
    /// Why it is two.
    pub why: Vec<String>,
    /// Who has agreed.
    pub agreed: Vec<String>,
    /// How many more have to agree.
    pub missing: usize,
}

/// What is said now that a verdict would take the place of: that the name is dangerous, and by whom.
pub(super) fn against(host: &str, table: &Table, suffixes: &Suffixes) -> Option<String> {
    let now = lookup(table, host, "", suffixes);
    let (entry, source) = (now.entry.unwrap_or_default(), now.source.unwrap_or_default());
    (now.verdict == Verdict::Dangerous.name()).then(|| format!("{host} is dangerous now, by {entry} of {source}"))
}

/// Two people are whoever proposed it and another one who agrees, or two others; in bulk, and where nobody could look, two who agree. One
/// person may agree to his own proposal.
///
/// # Errors
/// The database's.
pub fn needs(state: &Connection, proposal: &Proposal, found: &Found, against: Option<String>) -> Result<Needs> {
    let mut why: Vec<String> = against.into_iter().collect();
    if found.is_nowhere() {
        why.push(format!("{} does not exist in the DNS", proposal.host));
    }
    if settings::read(state)?.people > 1 {
        why.push("the settings say two".to_owned());
    }
    match found.age_days {
        Some(days) if days < YOUNG_DAYS => why.push(format!("{} is {days} days old", proposal.registrable)),
        Some(_) => {}
        None => why.push(format!("nobody knows how old {} is", proposal.registrable)),
    }
    why.extend(found.likes.iter().cloned());
    if let Some(trouble) = &found.unseen {
        why.push(format!("nobody could look: {trouble}"));
    }
    if !proposal.origin.is_empty() {
        why.push(format!("it was proposed in bulk, by {}", proposal.origin));
    }
    if proposal.below {
        why.push("what is below it is covered too".to_owned());
    }
    let mut agreed = state.prepare_cached("SELECT author FROM approvals WHERE proposal = ?1 ORDER BY approved, author")?;
    let agreed: Vec<String> = agreed.query_map([proposal.id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let people: usize = if why.is_empty() { 1 } else { 2 };
    let others = agreed.iter().filter(|author| **author != proposal.author).count();
    let missing = match (people, others, agreed.len()) {
        // Who proposes many at once has looked at none, and who proposes one has not said that nobody need look.
        (_, _, agreed) if !proposal.origin.is_empty() || found.unseen.is_some() => people.saturating_sub(agreed),
        (1, _, 1..) | (_, 1.., _) => 0,
        _ => 1,
    };
    Ok(Needs { people, why, agreed, missing })
}
