//! The world that `scan`, `replay` and the console's API judge by, out of a verdict directory and a policy.

use std::path::Path;

use dataplane::policy::Policy;
use dataplane::scan::Scanner;
use dataplane::suffix::Suffixes;
use dataplane::verdicts::Table;
use dataplane::world::{Network, World};

use crate::build::{self, Error, senders, suspended};
use crate::builtin;

/// What is in force in a verdict directory, or of a snapshot alone; without one the built-in set.
///
/// # Errors
/// A file cannot be read or is refused.
pub fn open(verdicts: Option<&Path>, policy: Policy, network: Network) -> Result<World, Error> {
    open_as_of(verdicts, build::unix_seconds(), policy, network)
}

/// The same as of `now`, Unix seconds: decisions that have ended by then are left out.
///
/// # Errors
/// As [`open`].
pub fn open_as_of(verdicts: Option<&Path>, now: u64, policy: Policy, network: Network) -> Result<World, Error> {
    let suffixes = build::suffixes(verdicts)?;
    let table = verdicts.map_or_else(|| Ok(builtin::table(&suffixes)?), |path| build::open_as_of(path, now, &suffixes))?;
    let dir = verdicts.filter(|path| path.is_dir());
    let senders = dir.map(senders::read).transpose()?;
    let suspended = dir.map(suspended::read).transpose()?;
    let policy = suspended.unwrap_or_default().policy(policy.with_protected(&senders.unwrap_or_default()));
    Ok(World { scanner: Scanner::default(), suffixes, table, policy, network })
}

/// The verdict table that `path` names; the built-in set without one.
///
/// # Errors
/// As [`open`].
pub fn table(path: Option<&Path>, suffixes: &Suffixes) -> Result<Table, Error> {
    path.map_or_else(|| Ok(builtin::table(suffixes)?), |path| build::open(path, suffixes))
}
