//! `ztsms completions` and `ztsms man`: made from the definitions that parse the command line.

use std::io::{self, Write as _};
use std::path::Path;

use super::{Done, Failure};

/// Completions for one shell, on standard output.
pub(super) fn completions(command: &mut clap::Command, shell: clap_complete::Shell) -> Result<Done, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "ztsms", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(Done::Well)
}

/// A page for the program and for each of its commands, as `DIR/ztsms.1`, `DIR/ztsms-replay.1` and so on.
pub(super) fn man(command: clap::Command, dir: &Path) -> Result<Done, Failure> {
    std::fs::create_dir_all(dir).map_err(|error| Failure::file(dir, "create", error))?;
    clap_mangen::generate_to(command, dir).map_err(|error| Failure::file(dir, "write", error))?;
    Ok(Done::Well)
}
