//! What one person may not say alone: that a name is safe, where two have to agree or where the name is known to be young.

use dataplane::verdict::Verdict;
use rusqlite::Connection;

use super::Checked;
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
    if super::verdict(&checked.draft.verdict) != Some(Verdict::Safe) {
        return Ok(());
    }
    let why = if needs_two(state)? {
        "the settings say so".to_owned()
    } else if let Some(days) = evidence::age_of(state, &checked.registrable, time::now())?.filter(|days| *days < YOUNG_DAYS) {
        format!("{} is {days} days old", checked.registrable)
    } else {
        return Ok(());
    };
    let host = checked.pattern.key.trim_start_matches('=').split('/').next().unwrap_or_default();
    Error::refused(format!(
        "two people have to agree that {} is safe ({why}): `ztsms-console verify propose {host}`. What feeds call dangerous is only \
         unknown at once by `decide {} unknown`",
        checked.pattern.key, checked.pattern.key
    ))
}
