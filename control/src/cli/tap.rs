//! `ztsms tap`: frames of a mirror port or of an optical tap, looked at and left alone.

use super::args::Tap;
use super::judge::said;
use super::stand::{configuration, stand};
use super::{Done, Failure};
use crate::live::Plan;

/// Runs the command.
pub(super) fn run(args: &Tap) -> Result<Done, Failure> {
    let config = configuration(&args.wire, &args.interface)?;
    let plan = Plan::tap(&args.interface, &config).map_err(said)?;
    stand(plan, config, &args.wire)
}
