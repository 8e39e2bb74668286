//! What `tap` and `inline` begin with on the control side.

use std::path::{Path, PathBuf};

use dataplane::live::Worlds;
use dataplane::scan::Scanner;
use dataplane::suffix::Suffixes;
use dataplane::verdicts::build::Builder;
use dataplane::verdicts::{Key, Snapshot, Table};
use dataplane::world::World;

use super::{Error, Start};
use crate::cli::judge::network;
use crate::config;

/// Reads the configuration and makes the worlds. Until the verdict directory has been read everything is `unknown`; `verdicts` takes the place of
/// the configuration's directory.
///
/// # Errors
/// The configuration is wrong, or a key cannot be read or made.
pub fn prepare(path: Option<&Path>, verdicts: Option<PathBuf>) -> Result<(Start, Worlds), Error> {
    let config = config::load(path).map_err(Box::new)?;
    let suffixes = Suffixes::built_in();
    let key = Key::new(&[0; 16]);
    let said = |error: &dyn std::fmt::Display| Error::Empty(error.to_string());
    let nothing = Builder::new().build(0, &key, &suffixes).map_err(|error| said(&error))?;
    let snapshot = Snapshot::from_bytes(&nothing.bytes).map_err(|error| said(&error))?;
    let table = Table::new(snapshot, None, key, &suffixes).map_err(|error| said(&error))?;
    let world =
        World { scanner: Scanner::default(), suffixes, table, policy: config.policy.clone(), network: network(&config.network) };
    let path = path.map(Path::to_owned);
    let again = move || {
        let config = config::load(path.as_deref()).map_err(|error| error.to_string())?;
        let network = network(&config.network);
        Ok((config, network))
    };
    let verdicts = verdicts.or_else(|| config.live.verdicts.clone());
    let start = Start { config, verdicts, reload: Some(Box::new(again)) };
    let worlds = start.worlds(world)?;
    Ok((start, worlds))
}
