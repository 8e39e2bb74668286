//! `ztsms tap`: frames of a mirror port or of an optical tap, looked at and left alone.

use super::args::Tap;
use super::judge::said;
use super::stand::stand;
use super::{Done, Failure};
use crate::config;
use crate::live::Plan;

/// Runs the command.
pub(super) fn run(args: &Tap) -> Result<Done, Failure> {
    let config = config::load(args.wire.config.as_deref()).map_err(said)?;
    let plan = Plan::tap(&args.interface, &config).map_err(said)?;
    stand(plan, config, &args.wire)
}
