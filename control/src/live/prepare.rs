//! What `tap` and `inline` begin with on the control side.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use dataplane::live::Worlds;
use dataplane::scan::Scanner;
use dataplane::suffix::Suffixes;
use dataplane::verdicts::build::Builder;
use dataplane::verdicts::{Key, Snapshot, Table};
use dataplane::world::{Network, World};

use super::{Error, Reload, Start, files};
use crate::cli::judge::network;
use crate::config::{self, Config};
use crate::{build, builtin};

/// Makes the worlds that a configuration asks for. With a verdict directory everything is `unknown` until it has been read, without one the
/// built-in set holds, as everywhere else. `mtu` is what every port carries. `path` is where the configuration is read again, `verdicts` takes the place of its directory. Where
/// only copies are seen nothing can be carried out, now or after a reload.
///
/// # Errors
/// A table or a key cannot be made.
pub fn prepare(
    mut config: Config,
    path: Option<&Path>,
    verdicts: Option<PathBuf>,
    only_copies: bool,
    mtu: usize,
) -> Result<(Start, Worlds), Error> {
    config.live.enforce &= !only_copies;
    let verdicts = verdicts.or_else(|| config.live.verdicts.clone());
    verdicts.as_deref().map_or(Ok(()), files::is_no_file).map_err(Error::NoDirectory)?;
    let suffixes = build::suffixes(verdicts.as_deref()).map_err(|error| Error::Empty(error.to_string()))?;
    let table = if verdicts.is_some() {
        nothing(&suffixes)?
    } else {
        builtin::table(&suffixes).map_err(|error| Error::Empty(error.to_string()))?
    };
    let network_of = move |config: &Config| Network { mtu, ..network(&config.network) };
    let world =
        World { scanner: Scanner::default(), suffixes, table, policy: config.policy.clone(), network: network_of(&config) };
    let path = path.map(Path::to_owned);
    let again = move || {
        let mut config = config::load(path.as_deref()).map_err(|error| error.to_string())?;
        config.live.enforce &= !only_copies;
        let network = network_of(&config);
        Ok((config, network))
    };
    let hangup = Arc::<AtomicBool>::default();
    // From here on a hangup ends nobody. Where it cannot be asked for, `ztsms status --reload` remains.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::clone(&hangup));
    let reload = Some(Box::new(again) as Reload);
    let start = Start { config, verdicts, reload, reloaded: None, hangup, patience: Duration::ZERO, freed: Vec::new() };
    let worlds = start.worlds(world)?;
    Ok((start, worlds))
}

/// A table that knows nothing.
fn nothing(suffixes: &Suffixes) -> Result<Table, Error> {
    let key = Key::new(&[0; 16]);
    let said = |error: &dyn std::fmt::Display| Error::Empty(error.to_string());
    let nothing = Builder::new().build(0, &key, suffixes).map_err(|error| said(&error))?;
    let snapshot = Snapshot::from_bytes(&nothing.bytes).map_err(|error| said(&error))?;
    Table::new(snapshot, None, key, suffixes).map_err(|error| said(&error))
}
