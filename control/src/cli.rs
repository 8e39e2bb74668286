//! The command line of `ztsms`, a file a command.
//!
//! Exit status: 0 done; 1 something failed or part of the input could not be read; 2 usage. Standard output is the result and nothing
//! else; a reader that goes away ends the program quietly.

mod args;
#[cfg(all(feature = "live", target_os = "linux"))]
mod check;
mod config;
mod explain;
mod fail;
mod generate;
#[cfg(all(feature = "live", target_os = "linux"))]
mod inline;
pub(crate) mod judge;
#[cfg(all(feature = "live", target_os = "linux"))]
mod lab;
mod near;
mod plan;
mod replay;
mod scan;
mod shell;
mod spool;
#[cfg(all(feature = "live", target_os = "linux"))]
mod stand;
#[cfg(unix)]
mod status;
#[cfg(all(feature = "live", target_os = "linux"))]
mod tap;
mod verdicts;
#[cfg(all(feature = "live", target_os = "linux"))]
mod voice;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use args::{Cli, Command};
pub use fail::Failure;
pub(crate) use fail::complain;
use near::nearest;

/// How long the end waits for a reader of standard error.
#[cfg(all(feature = "live", target_os = "linux"))]
const LAST_WORDS: std::time::Duration = std::time::Duration::from_secs(1);

/// How a command ended that did not fail outright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Everything was done.
    Well,
    /// Part of the input could not be read; what and why was said on standard error.
    InPart,
}

/// Runs one command line and returns its exit status.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output with status 0, anything else is usage. A closed pipe is no matter here.
            let said = error.render().to_string();
            if error.use_stderr() && said.chars().any(|c| c != '\n' && crate::terminal::is_hidden(c)) {
                // A name from elsewhere, on its way through somebody's script.
                said.lines().for_each(|line| drop(writeln!(io::stderr(), "{}", crate::terminal::shown(line))));
            } else {
                let _ = error.print();
            }
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let status = match run(cli) {
        Ok(Done::Well) => ExitCode::SUCCESS,
        Ok(Done::InPart) => ExitCode::from(1),
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            fail::complain(&failure);
            ExitCode::from(failure.status())
        }
    };
    #[cfg(all(feature = "live", target_os = "linux"))]
    voice::settle(LAST_WORDS);
    status
}

fn run(cli: Cli) -> Result<Done, Failure> {
    match cli.command {
        Command::Explain(args) => explain::run(&args, cli.color),
        Command::Generate(args) => generate::run(&args),
        Command::Replay(args) => replay::run(&args, cli.color),
        Command::Scan(args) => scan::run(&args, cli.color),
        Command::Verdicts(args) => verdicts::run(&args, cli.color),
        Command::Recipients(args) => {
            let count = crate::recipients::build(&args.list, &args.dir).map_err(judge::said)?;
            let table = args.dir.join(crate::recipients::FILE);
            writeln!(io::stdout(), "{}: {count} recipients", crate::terminal::shown(&table.to_string_lossy()))?;
            Ok(Done::Well)
        }
        Command::Plan(args) => plan::run(&args),
        Command::Spool(args) => spool::run(&args),
        #[cfg(unix)]
        Command::Status(args) => status::run(&args, cli.color),
        #[cfg(all(feature = "live", target_os = "linux"))]
        Command::Tap(args) => tap::run(&args),
        #[cfg(all(feature = "live", target_os = "linux"))]
        Command::Inline(args) => inline::run(&args),
        #[cfg(all(feature = "live", target_os = "linux"))]
        Command::Check(args) => check::run(&args),
        #[cfg(all(feature = "live", target_os = "linux"))]
        Command::Lab(args) => lab::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Completions { shell } => shell::completions(&mut Cli::command(), shell),
        Command::Man { dir } => shell::man(Cli::command(), &dir),
    }
}
