//! What can be typed to the live modes.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::Judge;

/// What `tap` and `inline` share.
#[derive(Args, Debug, Default)]
pub(in crate::cli) struct Wire {
    /// Configuration [default: ztsms.toml if it is here, else built in]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) config: Option<PathBuf>,
    /// Verdict directory, followed while the filter runs [default: the small built-in set]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) verdicts: Option<PathBuf>,
    /// Upgrade in place: the running filter leaves in good order, and this one takes its ports; failing open, no frame is lost
    #[arg(long)]
    pub(in crate::cli) take_over: bool,
    /// Take the filter off its ports: stop it, detach the program, remove what is pinned. An inline pair then carries nothing
    #[arg(long, conflicts_with = "take_over")]
    pub(in crate::cli) remove: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  ztsms tap --interface eth2
  ztsms tap --interface eth2,eth3                           the two fibres of a tap: one link
  ztsms tap --interface eth2,eth3 --interface eth4,eth5     two links")]
pub(in crate::cli) struct Tap {
    /// One interface, or the two that hold a link's two directions; may be given again for another link [default: `interface` in [wire]]
    #[arg(long, value_name = "IN[,OUT]", num_args = 1)]
    pub(in crate::cli) interface: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) wire: Wire,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  ztsms inline --between eth2 eth3 --config /etc/ztsms/ztsms.toml
  ztsms inline --between eth2 eth3 --take-over      a new version
  ztsms inline --pass                               no rewriting from now on, in every filter that runs here")]
pub(in crate::cli) struct Inline {
    /// The two ports; may be given again for another pair [default: `between` in [wire]]
    #[arg(long, value_names = ["A", "B"], num_args = 2)]
    pub(in crate::cli) between: Vec<String>,
    /// No rewriting from now on, at once, in the filter that runs (of --between, or all of them); its frames go on
    #[arg(long, conflicts_with_all = ["take_over", "remove"])]
    pub(in crate::cli) pass: bool,
    /// Take `--pass` back
    #[arg(long, conflicts_with_all = ["pass", "take_over", "remove"])]
    pub(in crate::cli) rewrite: bool,
    #[command(flatten)]
    pub(in crate::cli) wire: Wire,
}

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  ztsms check --between eth2 eth3")]
pub(in crate::cli) struct Check {
    /// The two ports of `inline`; may be given again [default: `between` in [wire]]
    #[arg(long, value_names = ["A", "B"], num_args = 2)]
    pub(in crate::cli) between: Vec<String>,
    /// The interfaces of `tap`; may be given again [default: `interface` in [wire]]
    #[arg(long, value_name = "IN[,OUT]", num_args = 1)]
    pub(in crate::cli) interface: Vec<String>,
    /// Configuration [default: ztsms.toml if it is here, else built in]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) config: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  ztsms lab                                  ten seconds of messages, live in the terminal; Ctrl-C ends it, and cleans up
  ztsms lab --messages 100000 --rate 5000 --json | tail -1")]
pub(in crate::cli) struct Lab {
    /// Short messages to send
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(in crate::cli) messages: u32,
    /// Messages a second
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(in crate::cli) rate: u32,
    /// Of all messages, the share that has a link
    #[arg(long, value_name = "SHARE", default_value_t = 0.25)]
    pub(in crate::cli) links: f64,
    /// Another seed, other messages
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(in crate::cli) seed: u64,
    /// One JSON object a second on standard output; the last one is the result
    #[arg(long)]
    pub(in crate::cli) json: bool,
    #[command(flatten)]
    pub(in crate::cli) judge: Judge,
}
