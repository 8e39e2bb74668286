//! `ztsms inline`: between two ports, changing what subscribers receive.

use rustix::process::Signal;

use super::args::Inline;
use super::judge::said;
use super::stand::stand;
use super::{Done, Failure, complain};
use crate::config;
use crate::live::Plan;
use crate::live::lock::Locks;

/// Runs the command.
pub(super) fn run(args: &Inline) -> Result<Done, Failure> {
    for (asked, signal, done) in [
        (args.pass, Signal::USR1, "nothing is rewritten any more; `--rewrite` takes that back"),
        (args.rewrite, Signal::USR2, "rewriting again, as far as the configuration says"),
    ] {
        if asked {
            return match Locks::tell(&args.between, signal) {
                0 => Err(Failure::Said("no filter runs here".to_owned())),
                told => {
                    complain(&format_args!("{told} filter(s): {done}"));
                    Ok(Done::Well)
                }
            };
        }
    }
    let config = config::load(args.wire.config.as_deref()).map_err(said)?;
    let plan = Plan::inline(&args.between, &config).map_err(said)?;
    stand(plan, config, &args.wire)
}
