//! `verify …`: how a name comes to be safe.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;

use super::Asks;
use super::print::{decision, rows, text, when};
use crate::command::{Command, Verify};
use crate::verify::{Draft, bulk::Bulk, settings::Change};
use crate::{Error, Result, time};

#[derive(Subcommand)]
pub(super) enum VerifyCommand {
    /// Propose a name, about which the network is asked at once, or many, which `serve` looks into side by side.
    #[command(
        after_help = "Example: ztsms-console verify propose bank.example --reason 'letter of 12 May, ticket 4711'; ztsms-console verify propose --register banks.csv"
    )]
    Propose(Propose),
    /// Proposals, newest first.
    List {
        /// Those in this state only.
        #[arg(long, value_parser = ["open", "verified", "suspended", "rejected", "ended"])]
        state: Option<String>,
        /// How many.
        #[arg(long, default_value_t = 50, value_name = "N")]
        most: usize,
    },
    /// A proposal with its evidence, and who has to agree.
    Show {
        /// Its number.
        id: i64,
    },
    /// Ask the network about it again, now.
    Collect {
        /// Its number; without one, all that are open and were not looked into yet.
        id: Option<i64>,
    },
    /// Agree to proposals. When everybody has who has to, the verdict is in force.
    #[command(
        after_help = "Example: ztsms-console verify approve 7 --reason 'the token is theirs; called back on the number of their letterhead'"
    )]
    Approve {
        /// Their numbers.
        #[arg(required = true)]
        ids: Vec<i64>,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Agree to what is below the name too, where that is proposed.
        #[arg(long)]
        below: bool,
        /// Agree although nobody could look: the network could not be asked. Two people have to, and say so.
        #[arg(long)]
        unseen: bool,
    },
    /// End a proposal that is open or suspended.
    Reject(Because),
    /// Take its verdict out of force: the name is unknown then.
    Suspend(Because),
    /// Open one that is suspended or has ended: everybody has to agree anew.
    Reopen(Because),
    /// What the operator says about it; without an option, what is in force.
    #[command(after_help = "Example: ztsms-console verify settings --people 2 --rdap https://rdap.example/")]
    Settings {
        /// People who have to agree: 1 or 2.
        #[arg(long, value_name = "N")]
        people: Option<usize>,
        /// RDAP service, from which the age of names is known; empty: none.
        #[arg(long, value_name = "URL")]
        rdap: Option<String>,
    },
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(super) struct Propose {
    /// The name. The verdict is for it and its www alone.
    #[arg(group = "what", requires = "reason")]
    host: Option<String>,
    /// All names of a register: CSV with columns `host` and, of these, `owner`, `category`, `senders` (separated by `|`).
    #[arg(long, group = "what", value_name = "FILE", conflicts_with_all = ["below", "reason", "senders", "category"])]
    register: Option<PathBuf>,
    /// The hosts of so many domains that the census names first.
    #[arg(long, group = "what", value_name = "N", conflicts_with_all = ["below", "reason", "senders", "category"])]
    census: Option<usize>,
    /// For all that is below it too: two people have to agree, and say so.
    #[arg(long)]
    below: bool,
    /// Why: who says that it is theirs.
    #[arg(long)]
    reason: Option<String>,
    /// It holds for this sender only; may be repeated.
    #[arg(long = "sender", value_name = "SENDER")]
    senders: Vec<String>,
    /// Category, free words.
    #[arg(long, default_value = "", hide_default_value = true)]
    category: String,
    /// How long the verdict holds.
    #[arg(long, default_value = "365d", value_name = "TIME")]
    holds: String,
}

#[derive(Args)]
pub(super) struct Because {
    /// Its number.
    id: i64,
    /// Why.
    #[arg(long)]
    reason: String,
}

pub(super) fn run(at: &Asks<'_>, command: &VerifyCommand) -> Result<()> {
    let ask = |command, show: &dyn Fn(&Value) -> String| at.print(Command::Verify(command), show);
    let because = |Because { id, reason }: &Because| (*id, reason.clone());
    match command {
        VerifyCommand::Propose(args) => {
            let Some(host) = &args.host else { return ask(Verify::Bulk(bulk(args)?), &proposed) };
            let holds = time::duration(&args.holds).ok_or_else(|| Error::Refused(format!("{:?}: 90d, 365d", args.holds)))?;
            let draft = Draft {
                host: host.clone(),
                below: args.below,
                senders: args.senders.clone(),
                category: args.category.clone(),
                reason: args.reason.clone().unwrap_or_default(),
                holds,
            };
            ask(Verify::Propose(draft), &shown)
        }
        VerifyCommand::List { state, most } => {
            at.list(*most, |most| Command::Verify(Verify::List { state: state.clone(), most }), proposal)
        }
        VerifyCommand::Show { id } => ask(Verify::Show(*id), &shown),
        VerifyCommand::Collect { id: Some(id) } => ask(Verify::Collect(*id), &shown),
        VerifyCommand::Collect { id: None } => {
            ask(Verify::CollectOpen, &|answer| format!("{} proposals were looked into\n", answer["looked_into"]))
        }
        VerifyCommand::Approve { ids, reason, below, unseen } => ids.iter().try_for_each(|id| {
            ask(Verify::Approve { id: *id, reason: reason.clone(), below: *below, unseen: *unseen }, &approved)
        }),
        VerifyCommand::Reject(args) => {
            let (id, reason) = because(args);
            ask(Verify::Reject { id, reason }, &proposal)
        }
        VerifyCommand::Suspend(args) => {
            let (id, reason) = because(args);
            ask(Verify::Suspend { id, reason }, &proposal)
        }
        VerifyCommand::Reopen(args) => {
            let (id, reason) = because(args);
            ask(Verify::Reopen { id, reason }, &shown)
        }
        VerifyCommand::Settings { people, rdap } => {
            let change = Change { people: *people, rdap: rdap.clone() };
            ask(Verify::Settings(change), &|s| {
                let rdap = s["rdap"].as_str().filter(|url| !url.is_empty()).unwrap_or("none: no name counts as old");
                format!("people {}\nrdap {rdap}\n", s["people"])
            })
        }
    }
}

fn bulk(args: &Propose) -> Result<Bulk> {
    let Some(file) = &args.register else { return Ok(Bulk::Census(args.census.unwrap_or_default())) };
    let text = std::fs::read_to_string(file).map_err(Error::file(file, "read"))?;
    let origin = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    Ok(Bulk::Register { origin, text })
}

fn proposed(done: &Value) -> String {
    let suspended = match done["suspended"].as_u64() {
        None | Some(0) => String::new(),
        Some(n) => format!(", {n} of them suspended (`verify reopen`)"),
    };
    format!(
        "{} names are proposed and wait for two people (`verify list --state open`); {} were known{suspended}. `serve` looks into them, or `verify collect`\n",
        done["added"], done["known"]
    )
}

fn proposal(p: &Value) -> String {
    let below = if p["below"] == true { " and all below it" } else { "" };
    format!(
        "#{} {}{below}: {} since {} ({}), proposed by {}: {}\n",
        p["id"],
        text(&p["host"]),
        text(&p["state"]),
        when(&p["changed"]),
        text(&p["why"]),
        text(&p["author"]),
        text(&p["reason"])
    )
}

fn needs(needs: &Value) -> String {
    let why: Vec<String> = rows(&needs["why"]).map(text).collect();
    let agreed: Vec<String> = rows(&needs["agreed"]).map(text).collect();
    let people = if needs["people"] == 2 { "two people have to agree" } else { "one person has to agree" };
    let mut out = people.to_owned();
    if !why.is_empty() {
        out += &format!(" ({})", why.join("; "));
    }
    if !agreed.is_empty() {
        out += &format!(", agreed: {}", agreed.join(", "));
    }
    if needs["missing"] == 0 { out + "\n" } else { format!("{out}; {} more\n", needs["missing"]) }
}

fn approved(answer: &Value) -> String {
    proposal(&answer["proposal"]) + &needs(&answer["needs"]) + &rows(&answer["decisions"]).map(decision).collect::<String>()
}

/// `found` by `ok`, or why not.
fn piece(name: &str, outcome: &Value, ok: impl Fn(&Value) -> String) -> String {
    match (outcome.get("ok"), outcome.get("failed")) {
        (Some(found), _) => format!("  {name}: {}\n", ok(found)),
        (_, Some(failed)) => format!("  {name}: NO ({}: {})\n", text(&failed["why"]), text(&failed["detail"])),
        _ => format!("  {name}: not asked\n"),
    }
}

fn words(list: &Value) -> String {
    rows(list).map(text).collect::<Vec<_>>().join(" ")
}

fn shown(answer: &Value) -> String {
    let p = &answer["proposal"];
    let mut out = proposal(p) + &format!("  for {}\n", words(&answer["patterns"]));
    out += &format!(
        "  its owner shows: ztsms-verify={} (TXT at {} or _ztsms.{}, or a line of https://{}/.well-known/ztsms.txt)\n",
        text(&p["token"]),
        text(&p["host"]),
        text(&p["host"]),
        text(&p["host"])
    );
    if let Some(why) = answer["trouble"].as_str() {
        out += &format!("  THE NETWORK COULD NOT BE ASKED: {why}\n");
    }
    let found = &answer["evidence"];
    if found.is_null() {
        return out + "  no evidence yet\n";
    }
    if let Some(why) = found["unseen"].as_str() {
        out += &format!("  NOBODY COULD LOOK at {}: {why}\n", when(&found["collected"]));
        for like in rows(&found["likes"]) {
            out += &format!("  LOOK TWICE: {}\n", text(like));
        }
        return out + "  agreeing takes --unseen; " + &needs(&answer["needs"]);
    }
    let network = &found["network"];
    out += &format!("  evidence of {}:\n", when(&found["collected"]));
    let token = |t: &Value| {
        if t["matches"] == true { "the token is shown".to_owned() } else { format!("OTHER tokens: {}", words(&t["tokens"])) }
    };
    out += &piece("token in DNS", &network["txt"], token);
    out += &piece("token on the site", &network["well_known"], token);
    out += &piece("DNS", &network["dns"], |dns| {
        let mut all = format!("{} {}", words(&dns["a"]), words(&dns["aaaa"])).trim().to_owned();
        for (label, list) in [
            ("by way of", &dns["cname"]),
            ("name servers", dns.pointer("/ns/ok").unwrap_or(&Value::Null)),
            ("FORBIDDEN", &dns["forbidden"]),
        ] {
            if rows(list).next().is_some() {
                all += &format!(", {label} {}", words(list));
            }
        }
        all
    });
    out += &piece("certificate", &network["certificate"], |c| {
        let verified = match c.pointer("/verified/failed/detail").and_then(Value::as_str) {
            Some(why) => format!("NOT VERIFIED ({why})"),
            None => "verified".to_owned(),
        };
        format!(
            "{verified}, for {}, subject {}, by {}, until {}",
            words(&c["names"]),
            text(&c["subject"]),
            text(&c["issuer"]),
            when(&c["not_after"])
        )
    });
    out += &piece("front page", &network["front"], |front| {
        rows(&front["hops"]).map(|hop| format!("{} ({})", text(&hop["url"]), hop["status"])).collect::<Vec<_>>().join(" -> ")
    });
    out += &piece("registration", &network["registration"], |r| {
        format!(
            "{} of {}, registrar {}, name servers {}",
            text(&r["domain"]),
            text(&r["registered"]),
            text(&r["registrar"]),
            words(&r["name_servers"])
        )
    });
    for like in rows(&found["likes"]) {
        out += &format!("  LOOK TWICE: {}\n", text(like));
    }
    out + "  " + &needs(&answer["needs"])
}
