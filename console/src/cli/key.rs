//! `key`: keys of the API.

use serde_json::Value;

use super::args::{KeyCommand as Args, KeyCreate};
use super::{Asks, print};
use crate::api::keys::{KeyCommand, Scope, Settings};
use crate::command::Command;
use crate::{Error, Result, time};

pub(super) fn run(at: &Asks<'_>, command: &Args) -> Result<()> {
    match command {
        Args::Create(args) => at.print(Command::Key(KeyCommand::Create(settings(args)?)), print::key),
        Args::List => at.print(Command::Key(KeyCommand::List), keys),
        Args::Revoke { id, reason } => {
            let revoke = KeyCommand::Revoke { id: *id, reason: reason.clone() };
            at.print(Command::Key(revoke), |answer| format!("key {} does not hold any more\n", answer["revoked"]))
        }
        Args::Rotate { id, overlap, expires } => {
            let seconds = time::duration(overlap).or((overlap == "0").then_some(0));
            let overlap = seconds.ok_or_else(|| Error::Refused(format!("{overlap:?}: 45s, 30m, 1h, 7d, or 0")))?;
            let rotate = KeyCommand::Rotate { id: *id, overlap, expires: end(expires.as_deref())? };
            at.print(Command::Key(rotate), print::key)
        }
    }
}

fn end(text: Option<&str>) -> Result<Option<i64>> {
    text.map(|text| time::end(text, time::now())).transpose().map_err(Error::Refused)
}

fn settings(args: &KeyCreate) -> Result<Settings> {
    let scope = |name: &String| {
        Scope::parse(name).ok_or_else(|| Error::Refused(format!("no scope {name:?}: scan, verdicts, reports, read")))
    };
    let network = |text: &String| {
        let network = text.parse().or_else(|_| text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from));
        network.map_err(|_| Error::Refused(format!("{text:?} is no network: 192.0.2.0/24, 2001:db8::/32, or one address")))
    };
    Ok(Settings {
        name: args.name.clone(),
        scopes: args.scopes.iter().map(scope).collect::<Result<_>>()?,
        networks: args.networks.iter().map(network).collect::<Result<_>>()?,
        senders: args.senders.clone(),
        rate: args.rate,
        expires: end(args.expires.as_deref())?,
    })
}

fn keys(answer: &Value) -> String {
    let rows: String = answer.as_array().into_iter().flatten().map(print::key_line).collect();
    if rows.is_empty() { "no keys yet\n".to_owned() } else { rows }
}
