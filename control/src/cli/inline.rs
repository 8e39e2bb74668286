//! `ztsms inline`: between two ports, changing what subscribers receive.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Signal, kill_process};
use serde_json::Value;

use super::args::Inline;
use super::judge::said;
use super::stand::{configuration, stand};
use super::{Done, Failure, complain};
use crate::live::Plan;
use crate::live::admin::{Command, ask_within};
use crate::live::lock::{Holder, Locks};

/// Runs the command.
pub(super) fn run(args: &Inline) -> Result<Done, Failure> {
    if args.pass || args.rewrite {
        return tell(&args.between, args.pass);
    }
    let config = configuration(&args.wire, &args.between)?;
    let plan = Plan::inline(&args.between, &config).map_err(said)?;
    stand(plan, config, &args.wire)
}

/// How long a filter may take to do as it was told.
const OBEYS: Duration = Duration::from_secs(1);

/// Tells every filter of these ports (of all, where none is named) to pass everything, or to rewrite again; what each then says of itself is
/// what is said here.
fn tell(between: &[String], pass: bool) -> Result<Done, Failure> {
    let holders = Locks::holders(between);
    if holders.is_empty() {
        return Err(Failure::Said("no filter runs here".to_owned()));
    }
    let (signal, command) = if pass { (Signal::USR1, Command::Pass) } else { (Signal::USR2, Command::Unpass) };
    let without: Vec<&str> = between.iter().filter(|name| Locks::holders([*name]).is_empty()).map(String::as_str).collect();
    let mut troubles = Vec::new();
    if !without.is_empty() {
        troubles.push(format!("no filter runs at {}", without.join(", ")));
    }
    for holder in &holders {
        let id = holder.id.as_raw_nonzero();
        let told = match (kill_process(holder.id, signal), &holder.socket) {
            // A member of the filter's group signals nobody, and may command it where it is asked.
            (Err(Errno::PERM), Some(socket)) => ask_within(socket, command, OBEYS).map(drop).map_err(|error| at(socket, &error)),
            (sent, _) => sent.map_err(|error| error.to_string()),
        };
        match told.and_then(|()| obeyed(holder, pass)) {
            Ok(()) if pass => complain(&format_args!("process {id}: nothing is rewritten any more; `--rewrite` takes that back")),
            Ok(()) => complain(&format_args!("process {id}: rewriting again, as far as the configuration says")),
            Err(why) => {
                troubles.push(format!("process {id} was told, and {why}: assume that it goes on as before (`ztsms status`)"))
            }
        }
    }
    if troubles.is_empty() { Ok(Done::Well) } else { Err(Failure::Said(troubles.join("; "))) }
}

fn at(socket: &Path, error: &io::Error) -> String {
    format!("does not answer at {}: {error}", socket.display())
}

/// Waits until a filter says that it does as it was told.
fn obeyed(holder: &Holder, pass: bool) -> Result<(), String> {
    let socket = holder.socket.as_ref().ok_or("is of a version that does not say where it can be asked")?;
    let begun = Instant::now();
    loop {
        let left = OBEYS.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err("does not say within a second that it did".to_owned());
        }
        match ask_within(socket, Command::Status, left) {
            Ok(status) if status.pointer("/mode/pass").and_then(Value::as_bool) == Some(pass) => return Ok(()),
            Ok(_) => std::thread::sleep(Duration::from_millis(10)),
            Err(error) => return Err(at(socket, &error)),
        }
    }
}
