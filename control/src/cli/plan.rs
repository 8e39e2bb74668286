//! `ztsms plan`: the plan of the network, checked and shown.

use std::io::{self, Write as _};

use super::args::{Plan as Args, PlanCommand};
use super::judge::said;
use super::{Done, Failure};
use crate::config;
use crate::plan::Plan;
use crate::terminal::shown;

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Done, Failure> {
    let mut out = io::stdout().lock();
    match &args.command {
        PlanCommand::Check { file } => {
            let plan = Plan::read(file).map_err(said)?;
            plan.missing().into_iter().try_for_each(|what| writeln!(out, "not said: {what}"))?;
            writeln!(out, "{}: nothing is wrong with it", file.display())?;
        }
        PlanCommand::Show { config } => {
            let plan = config::load(config.as_deref()).map_err(said)?.plan.loaded;
            if plan.is_none() {
                writeln!(out, "no plan: [plan] names no file")?;
            }
            let text = plan.unwrap_or_default().to_string();
            text.lines().try_for_each(|line| writeln!(out, "{}", shown(line)))?;
        }
    }
    Ok(Done::Well)
}
