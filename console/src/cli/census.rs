//! `census`, `readiness`, `enforce`, `propose`, `candidates`, `agree`, `refuse`: on the way to acting.

use std::path::{Path, PathBuf};

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
    /// From now on at most this share of messages with links may be unknown: 0.15.
    #[arg(long, value_name = "SHARE")]
    most_unknown: Option<f64>,
    /// All the same, for this reason, which is kept and shown with your name.
    #[arg(long, value_name = "REASON")]
    force: Option<String>,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("from").required(true))]
pub(super) struct Propose {
    /// A register: CSV with columns `host` and, of these, `owner`, `category`, `senders` (separated by `|`).
    #[arg(group = "from")]
    register: Option<PathBuf>,
    /// The hosts of so many domains that the census names first.
    #[arg(long, group = "from", value_name = "N")]
    census: Option<usize>,
}

#[derive(Args)]
pub(super) struct Candidates {
    /// Also those that were approved or refused.
    #[arg(long)]
    all: bool,
    /// How many, newest first.
    #[arg(long, default_value_t = 50, value_name = "N")]
    most: usize,
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

pub(super) fn propose(at: &Asks<'_>, args: &Propose) -> Result<()> {
    let command = match (&args.register, args.census) {
        (Some(file), _) => {
            let text = std::fs::read_to_string(file).map_err(Error::file(file, "read"))?;
            let origin = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
            Census::ProposeRegister { origin, text }
        }
        (None, domains) => Census::ProposeTop(domains.unwrap_or_default()),
    };
    let shown = |done: &Value| {
        format!("{} names wait for two people (`ztsms-console candidates`); {} were known\n", done["added"], done["known"])
    };
    at.print(Command::Census(command), shown)
}

pub(super) fn candidates(at: &Asks<'_>, args: &Candidates) -> Result<()> {
    at.print(Command::Census(Census::Candidates { all: args.all, most: args.most }), rows)
}

pub(super) fn agree(at: &Asks<'_>, ids: &[i64]) -> Result<()> {
    at.print(Command::Census(Census::Agree(ids.to_vec())), rows)
}

pub(super) fn refuse(at: &Asks<'_>, id: i64, why: &str) -> Result<()> {
    at.print(Command::Census(Census::Refuse { id, why: why.to_owned() }), row)
}

fn rows(answer: &Value) -> String {
    answer.as_array().into_iter().flatten().map(row).collect()
}

fn row(one: &Value) -> String {
    let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
    let mut out = format!("#{} {} {}", one["id"], text("host"), text("state"));
    for (name, words) in [
        ("owner", "owner "),
        ("category", "category "),
        ("senders", "for "),
        ("origin", "from "),
        ("author", "by "),
        ("first", "agreed: "),
        ("second", "and "),
        ("why", "because: "),
    ] {
        if !text(name).is_empty() {
            out += &format!(", {words}{}", text(name));
        }
    }
    out + "\n"
}

fn percent(value: &Value) -> String {
    format!("{:.1} %", value.as_f64().unwrap_or_default() * 100.0)
}

fn gate(gate: &Value) -> String {
    if gate.is_null() {
        return "nobody has let filters act yet (`ztsms-console enforce`); each acts as its own configuration says\n".to_owned();
    }
    let (who, when) = (gate["author"].as_str().unwrap_or_default(), time::shown(gate["time"].as_i64().unwrap_or_default()));
    let share =
        if gate["share"].is_null() { "nothing counted".to_owned() } else { format!("{} unknown", percent(&gate["share"])) };
    match gate["forced"].as_str() {
        Some(why) => format!("FORCED by {who} at {when} with {share} (at most {}): {why}\n", percent(&gate["most"])),
        None => format!("let act by {who} at {when} with {share} (at most {})\n", percent(&gate["most"])),
    }
}

fn shown(ready: &Value) -> String {
    if ready["with_links"] == 0 {
        let messages = &ready["messages"];
        return format!("{messages} messages counted and none with a link: nothing can be said\n{}", gate(&ready["gate"]));
    }
    let deciding = ready["deciding"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut out = format!(
        "{} days, {} messages to phones, {} with links\n\
         switched on today: {:.1} warnings for 1 000 subscribers a day ({} subscribers)\n\
         {} of messages with links are unknown ({} by the verdicts of then); at most {} may be\n\
         deciding these {} domains brings it to {}; {} messages hang on platforms, which takes paths\n",
        ready["days"],
        ready["messages"],
        ready["with_links"],
        ready["warnings"].as_f64().unwrap_or_default(),
        ready["subscribers"],
        percent(&ready["unknown_share"]),
        percent(&ready["unknown_share_then"]),
        percent(&ready["most_unknown"]),
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
