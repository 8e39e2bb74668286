//! What one person may not say alone: that a name is safe, where two have to agree or where the name is known to be young.

use dataplane::suffix::Suffixes;
use dataplane::verdict::Verdict;
use rusqlite::Connection;

use super::{Checked, Decision};
use crate::verify::{evidence, needs::YOUNG_DAYS, settings};
use crate::{Error, Result, time};

/// Whether the settings say that two people have to agree to a `safe`.
///
/// # Errors
/// The database's.
pub(crate) fn needs_two(state: &Connection) -> Result<bool> {
    Ok(settings::read(state)?.people > 1)
}

/// Refuses a `safe` that one person decides, where that takes two. What two agreed to ([`crate::verify::approve`]) is not asked.
///
/// # Errors
/// It takes two, and what to do; the database's.
pub(crate) fn may_alone(state: &Connection, checked: &Checked) -> Result<()> {
    let Some(why) = why_two(state, &checked.draft.verdict, &checked.registrable)? else { return Ok(()) };
    let (key, host) = (&checked.pattern.key, host_of(&checked.pattern.key));
    Error::refused(format!(
        "two people have to agree that {key} is safe ({why}): `ztsms-console verify propose {host}`. What feeds call dangerous is only \
         unknown at once by `decide {key} unknown`"
    ))
}

/// Refuses that one person takes another's word back where a `safe` would stand again that he may not say alone.
///
/// # Errors
/// As [`may_alone`].
pub(super) fn may_bring_back(state: &Connection, before: &Decision) -> Result<()> {
    let agreed = state.prepare_cached("SELECT 1 FROM verified WHERE decision = ?1")?.exists([before.id])?;
    let host = host_of(&before.pattern);
    let registrable = Suffixes::built_in().registrable(host).unwrap_or(host).to_owned();
    let Some(why) = why_two(state, &before.verdict, &registrable)?.filter(|_| !agreed) else { return Ok(()) };
    Error::refused(format!(
        "{} would be safe again, and two people have to agree to that ({why}): `ztsms-console verify propose {host}`. Whoever decided \
         otherwise can take his own word back",
        before.pattern
    ))
}

fn host_of(key: &str) -> &str {
    key.trim_start_matches('=').split('/').next().unwrap_or_default()
}

/// Why it takes two, if it does.
fn why_two(state: &Connection, verdict: &str, registrable: &str) -> Result<Option<String>> {
    if super::verdict(verdict) != Some(Verdict::Safe) {
        return Ok(None);
    }
    if needs_two(state)? {
        return Ok(Some("the settings say so".to_owned()));
    }
    let age = evidence::age_of(state, registrable, time::now())?.filter(|days| *days < YOUNG_DAYS);
    Ok(age.map(|days| format!("{registrable} is {days} days old")))
}
