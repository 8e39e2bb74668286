//! `census`, `readiness`, `enforce`: on the way to acting.

use std::path::Path;

use clap::Args;
use serde_json::Value;

use super::Asks;
use crate::census::readiness::Ask;
use crate::command::{Census, Command};
use crate::{Error, Result, time};

#[derive(Args)]
pub(super) struct ReadinessArgs {
    /// Subscribers of the network; without it those who got a message in these days.
    #[arg(long, value_name = "N")]
    subscribers: Option<u64>,
    /// How many domains would be decided.
    #[arg(long, default_value_t = 100, value_name = "N")]
    domains: usize,
}

#[derive(Args)]
pub(super) struct Enforce {
    /// From now on at most this share of messages with links may be unknown: 0.15. Raised only with --force.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    most_unknown: Option<f64>,
    /// All the same, for this reason, which is kept and shown with your name.
    #[arg(long, value_name = "REASON")]
    force: Option<String>,
}

/// A share; what is no number between 0 and 1 would else be lost on its way to the desk.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("{text:?}: a share from 0 to 1, as 0.15"))
}

pub(super) fn read(at: &Asks<'_>, dir: &Path) -> Result<()> {
    let dir = std::path::absolute(dir).map_err(Error::file(dir, "find"))?;
    let shown = |seen: &Value| {
        format!(
            "{} records read, {} messages to phones counted; {} stretches were no block, {} records were strange\n",
            seen["records"], seen["messages"], seen["cuts"], seen["strange"]
        )
    };
    at.print(Command::Census(Census::Read(dir)), shown)
}

pub(super) fn readiness(at: &Asks<'_>, args: &ReadinessArgs) -> Result<()> {
    let ask = Ask { subscribers: args.subscribers, domains: args.domains };
    at.print(Command::Census(Census::Readiness(ask)), shown)
}

pub(super) fn enforce(at: &Asks<'_>, args: &Enforce) -> Result<()> {
    let command = Census::Enforce { most: args.most_unknown, forced: args.force.clone() };
    at.print(Command::Census(command), |answer| gate(&answer["gate"]))
}

fn percent(value: &Value) -> String {
    format!("{:.1} %", value.as_f64().unwrap_or_default() * 100.0)
}

fn gate(gate: &Value) -> String {
    if gate.is_null() {
        return "nobody has let filters act yet (`ztsms-console enforce`): those that follow this desk observe\n".to_owned();
    }
    let (who, when) = (gate["author"].as_str().unwrap_or_default(), time::shown(gate["time"].as_i64().unwrap_or_default()));
    let share =
        if gate["share"].is_null() { "nothing counted".to_owned() } else { format!("{} unknown", percent(&gate["share"])) };
    match gate["forced"].as_str() {
        Some(why) => format!("FORCED by {who} at {when} with {share} (at most {}): {why}\n", percent(&gate["most"])),
        None => format!("let act by {who} at {when} with {share} (at most {})\n", percent(&gate["most"])),
    }
}

/// A day of the census, counted from 1970.
fn day(value: &Value) -> String {
    time::shown(value.as_i64().unwrap_or_default() * 86_400).chars().take(10).collect()
}

fn raised(raised: &Value) -> String {
    match raised["author"].as_str() {
        Some(who) => format!(", RAISED by {who}: {}", raised["reason"].as_str().unwrap_or_default()),
        None => String::new(),
    }
}

fn shown(ready: &Value) -> String {
    if ready["with_links"] == 0 {
        let messages = &ready["messages"];
        return format!("{messages} messages counted and none with a link: nothing can be said\n{}", gate(&ready["gate"]));
    }
    let deciding = ready["deciding"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut out = format!(
        "{} days from {} to {}, {} messages to phones, {} with links\n\
         switched on today: {:.1} warnings for 1 000 subscribers a day ({} subscribers)\n\
         {} of messages with links are unknown ({} by the verdicts of then); at most {} may be{}\n\
         deciding these {} domains brings it to {}; {} messages hang on platforms, which takes paths\n",
        ready["days"],
        day(&ready["from"]),
        day(&ready["to"]),
        ready["messages"],
        ready["with_links"],
        ready["warnings"].as_f64().unwrap_or_default(),
        ready["subscribers"],
        percent(&ready["unknown_share"]),
        percent(&ready["unknown_share_then"]),
        percent(&ready["most_unknown"]),
        raised(&ready["raised"]),
        deciding.len(),
        percent(&ready["unknown_share_after"]),
        ready["on_platforms"],
    );
    if ready["beyond"].as_i64() > Some(0) {
        out += &format!("{} were counted without a row of their own: so much may be wrong above\n", ready["beyond"]);
    }
    out += &gate(&ready["gate"]);
    for one in deciding {
        out += &format!(
            "{:>10}  {}  to {} from {} senders since {}\n",
            one["messages"],
            one["domain"].as_str().unwrap_or_default(),
            one["recipients"],
            one["senders"],
            time::shown(one["first"].as_i64().unwrap_or_default())
        );
    }
    out
}
