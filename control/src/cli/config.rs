//! `ztsms config`: the commented default, or what is wrong with a configuration.

use std::io::{self, Write as _};
use std::path::Path;

use super::args::{Config, ConfigCommand};
use super::judge::said;
use super::{Done, Failure};
use crate::config;

/// Runs the command.
pub(super) fn run(args: &Config) -> Result<Done, Failure> {
    let mut stdout = io::stdout().lock();
    match &args.command {
        None => stdout.write_all(config::DEFAULT.as_bytes())?,
        Some(ConfigCommand::Check { file }) => {
            let file = file.as_deref().unwrap_or(Path::new("ztsms.toml"));
            let config = config::load(Some(file)).map_err(said)?;
            for source in &config.sources {
                writeln!(stdout, "{}: read", crate::terminal::shown(&source.to_string_lossy()))?;
            }
            let wrong = crate::live::files::wrong(&config);
            if !wrong.is_empty() {
                return Err(Failure::Said(wrong.join("\n")));
            }
            writeln!(stdout, "nothing is wrong with it")?;
        }
    }
    Ok(Done::Well)
}
