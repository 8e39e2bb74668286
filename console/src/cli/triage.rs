//! `triage`: what waits, in the order in which people should look.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Asks, print};
use crate::command::{Command, Triage};
use crate::triage::decide::Order;
use crate::{Error, Result, time};

#[derive(Subcommand)]
pub(super) enum TriageCommand {
    /// Registrable domains that wait, the first to look at first.
    #[command(after_help = "Example: ztsms-console triage list --most 20")]
    List {
        /// Also what is decided or put off.
        #[arg(long)]
        all: bool,
        /// How many.
        #[arg(long, default_value_t = 50, value_name = "N")]
        most: usize,
    },
    /// One domain, or a campaign (#12), with masked texts and links.
    #[command(after_help = "Example: ztsms-console triage show parcel-fee.test")]
    Show {
        /// A domain, or # and the number of a campaign.
        target: String,
    },
    /// Decide; what it would have changed is shown first.
    #[command(
        after_help = "Example: ztsms-console triage decide '#12' dangerous --reason 'parcel fraud, ticket 4711' --expires 30d"
    )]
    Decide(Decide),
}

#[derive(Args)]
pub(super) struct Decide {
    /// `host` (and what is below), `=host`, `host/path`, or # and the number of a campaign.
    target: String,
    /// safe, dangerous, unknown, or later (it comes back in a day).
    verdict: String,
    /// Why.
    #[arg(long)]
    reason: String,
    /// When it ends: 2026-12-31, 2026-12-31T18:00:00Z, or 90d, 12h from now.
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Do it without asking.
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(at: &Asks<'_>, command: &TriageCommand) -> Result<()> {
    match command {
        TriageCommand::List { all, most } => at.list(*most, |most| Command::Triage(Triage::List { all: *all, most }), group),
        TriageCommand::Show { target } => at.print(Command::Triage(Triage::Show(target.clone())), shown),
        TriageCommand::Decide(args) => decide(at, args),
    }
}

fn decide(at: &Asks<'_>, args: &Decide) -> Result<()> {
    let expires = args.expires.as_deref().map(|text| time::end(text, time::now())).transpose().map_err(Error::Refused)?;
    let (target, verdict, reason) = (args.target.clone(), args.verdict.clone(), args.reason.clone());
    let order = Order { target, verdict, reason, expires };
    if !args.yes {
        at.print(Command::Triage(Triage::Effect(order.clone())), effect)?;
        at.agreed(false, "decide")?;
    }
    let done = |answer: &Value| {
        let decisions: String = rows(&answer["decisions"]).map(print::decision).collect();
        let done = if decisions.is_empty() { "put off for a day\n".to_owned() } else { decisions };
        match left(answer) {
            left if left.is_empty() => done,
            left => format!("{done}{left}\n"),
        }
    };
    at.print(Command::Triage(Triage::Decide(order)), done)
}

/// What one decision about a campaign did not take.
fn left(answer: &Value) -> String {
    match answer["left"].as_u64() {
        None | Some(0) => String::new(),
        Some(left) => format!("{left} MORE OF IT ARE LEFT: say it again for them"),
    }
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn words(value: &Value) -> String {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    rows(value).map(word).collect::<Vec<_>>().join(" ")
}

fn group(group: &Value) -> String {
    let mut out = format!(
        "{:>6.1}  {}  {} in 24 h, {} in the last hours, to {}, from {}",
        group["score"].as_f64().unwrap_or_default(),
        group["domain"].as_str().unwrap_or_default(),
        group["day"],
        group["hour"],
        group["deliveries"],
        words(&group["senders"]),
    );
    if let Some(like) = group["like"].as_str() {
        out += &format!(", LOOKS LIKE {like}");
    }
    if group["reports"].as_u64() > Some(0) {
        out += &format!(", {} reports", group["reports"]);
    }
    if group["platform"] == true {
        out += ", a platform";
    }
    if rows(&group["leads"]).next().is_some() {
        out += &format!(", leads to {}", words(&group["leads"]));
    }
    for (host, word) in group["provider"].as_object().into_iter().flatten() {
        out += &format!(", the provider calls {host} {}", word.as_str().unwrap_or_default());
    }
    let campaigns = rows(&group["campaigns"]).filter_map(Value::as_i64).filter(|id| *id > 0).map(|id| format!(" #{id}"));
    let campaigns: String = campaigns.collect();
    if !campaigns.is_empty() {
        out += &format!(", campaigns{campaigns}");
    }
    out + "\n"
}

fn shown(answer: &Value) -> String {
    let mut out = String::new();
    if !answer["group"].is_null() {
        out += &group(&answer["group"]);
        let more = match answer.pointer("/group/more_hosts").and_then(Value::as_u64) {
            None | Some(0) => String::new(),
            Some(more) => format!(" and {more} more"),
        };
        out += &format!("  hosts {}{more}\n", answer.pointer("/group/hosts").map(words).unwrap_or_default());
    }
    for campaign in rows(&answer["campaigns"]) {
        out += &format!("#{} {} in 24 h: {}\n", campaign["id"], campaign["day"], campaign["sketch"].as_str().unwrap_or_default());
        for (_, links) in campaign["hosts"].as_object().into_iter().flatten() {
            for (link, count) in links.as_object().into_iter().flatten() {
                let leads = campaign["leads"]
                    .get(link)
                    .and_then(Value::as_str)
                    .map(|host| format!("  leads to {host}"))
                    .unwrap_or_default();
                out += &format!("  {count:>8}  {link}{leads}\n");
            }
        }
        if campaign["more"].as_i64() > Some(0) {
            out += &format!("  and {} hosts more\n", campaign["more"]);
        }
    }
    if answer["more_campaigns"].as_u64() > Some(0) {
        out += &format!("and {} campaigns more, older ones\n", answer["more_campaigns"]);
    }
    out
}

fn effect(effect: &Value) -> String {
    if rows(&effect["patterns"]).next().is_none() {
        return format!("would be put off for a day: {}\n", words(&effect["hosts"]));
    }
    let left = match left(effect) {
        left if left.is_empty() => left,
        left => format!("; {left}"),
    };
    format!("would have changed {} messages in 24 h; decides {}{left}\n", effect["messages"], words(&effect["patterns"]))
}
