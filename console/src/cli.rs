//! The command line of `ztsms-console`: each command becomes a [`Command`] for the desk, and its answer is printed.
//!
//! Exit status: 0 done; 1 something failed; 2 usage. Standard output is the result and nothing else.

mod args;
mod census;
mod decide;
mod feed;
mod key;
mod print;
mod serve;
mod triage;
mod verify;

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use serde_json::Value;

use args::{AuditCommand, BrakeCommand, Cli, Do, ProtectCommand, RuleCommand};

use crate::command::{Audit, Brake, Command, Protect, Rule};
use crate::{Error, Result, admin, backup};

/// Runs one command line and returns its exit status.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output with status 0, anything else is usage. A closed pipe is no matter here.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::File(path, _, error)) if path.as_os_str().is_empty() && error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(why) => {
            // Without a standard error there is nobody to tell.
            why.to_string()
                .lines()
                .for_each(|line| drop(writeln!(io::stderr(), "ztsms-console: {}", control::terminal::shown(&brief(line)))));
            ExitCode::FAILURE
        }
    }
}

/// A line of an error without the middle of what is too long to be read, as it was typed: its beginning says what, its end says why.
fn brief(line: &str) -> Cow<'_, str> {
    const ENDS: usize = 400;
    let at = |n: usize| line.char_indices().nth(n).map_or(line.len(), |(at, _)| at);
    let count = line.chars().count();
    if count <= 3 * ENDS {
        return line.into();
    }
    let (head, tail) = (line.get(..at(ENDS)).unwrap_or_default(), line.get(at(count - ENDS)..).unwrap_or_default());
    format!("{head} … ({} characters) … {tail}", count - 2 * ENDS).into()
}

fn run(cli: &Cli) -> Result<()> {
    let at = Asks { data: &cli.data, fetch: &cli.fetch, json: cli.json };
    match &cli.command {
        Do::Serve(args) => serve::run(&cli.data, &cli.fetch, args),
        Do::Status => at.print(Command::Status, print::status),
        Do::Decide(args) => decide::decide(&at, args),
        Do::Undo(args) => decide::undo(&at, args),
        Do::Decisions { all, most } => decide::list(&at, *all, *most),
        Do::Feed { command } => feed::run(&at, command),
        Do::Import { name, force } => feed::import(&at, name, *force),
        Do::Protect { command } => at.print(Command::Protect(protect(command)), print::protected),
        Do::Rule { command } => at.print(Command::Rule(rule(command)), print::rules),
        Do::Brake { command } => at.print(Command::Brake(brake(command)), print::unbraked),
        Do::Observe { reason, off } => {
            let why = if *off { None } else { Some(reason.join(" ")) };
            at.print(Command::Observe(why), print::observing)
        }
        Do::Verify { command } => verify::run(&at, command),
        Do::Census { dir } => census::read(&at, dir),
        Do::Readiness(args) => census::readiness(&at, args),
        Do::Enforce(args) => census::enforce(&at, args),
        Do::Triage { command } => triage::run(&at, command),
        Do::Build => at.print(Command::Build, print::built),
        Do::Clock { accept } => at.print(Command::Clock(accept.clone()), print::clock),
        Do::Key { command } => key::run(&at, command),
        Do::Audit { command } => match command {
            AuditCommand::List { from, most } => {
                let lines = at.ask(Command::Audit(Audit::List { from: *from, most: *most }))?;
                at.say(&lines, print::audit)?;
                let last = lines.as_array().and_then(|lines| lines.last()?.get("seq")?.as_i64()).unwrap_or_default();
                let head = at.ask(Command::Audit(Audit::Head))?;
                let head = head
                    .get("head")
                    .and_then(Value::as_str)
                    .and_then(|head| head.split(':').next()?.parse::<i64>().ok())
                    .unwrap_or_default();
                if last > 0 && last < head {
                    at.note(&format!("and {} more, from --from {}", head - last, last + 1));
                }
                Ok(())
            }
            AuditCommand::Verify { anchors } => {
                let anchors = all_heads(anchors)?;
                let mut answer = at.ask(Command::Audit(Audit::Verify(anchors.iter().take(ANCHORS).cloned().collect())))?;
                for more in anchors.chunks(ANCHORS).skip(1) {
                    answer = at.ask(Command::Audit(Audit::Verify(more.to_vec())))?;
                }
                if let Some(answer) = answer.as_object_mut() {
                    answer.insert("anchors".to_owned(), anchors.len().into());
                }
                at.say(&answer, print::verified)
            }
            AuditCommand::Head => at.print(Command::Audit(Audit::Head), print::head),
        },
        Do::Backup { to, keys_for } => {
            let read = |path: &std::path::PathBuf| -> Result<String> {
                let text = std::fs::read_to_string(path).map_err(Error::file(path, "read"))?;
                Ok(text.trim().to_owned())
            };
            let keys_for = keys_for.as_ref().map(read).transpose()?;
            let to = std::path::absolute(to).map_err(Error::file(to, "find"))?;
            at.print(Command::Backup { to, keys_for }, print::manifest)
        }
        Do::Restore { from, key } => {
            let manifest = backup::restore(from, &cli.data, key.as_deref())?;
            // What filters follow is made anew from it.
            crate::desk::Desk::open(&cli.data)?;
            at.say(&serde_json::json!(manifest), print::manifest)?;
            if key.is_none() {
                at.note("its keys were not put back: new ones were made, and filters need the new verdicts.pub");
            }
            Ok(())
        }
        Do::BackupKey { file } => {
            at.say(&Value::String(backup::make_key(file)?), |key| format!("{}\n", key.as_str().unwrap_or_default()))
        }
    }
}

fn protect(command: &ProtectCommand) -> Protect {
    match command.clone() {
        ProtectCommand::Host { host, why } => Protect::Host { host, why },
        ProtectCommand::Unhost { host } => Protect::Unhost(host),
        ProtectCommand::Sender { sender, hosts } => Protect::Sender { sender, hosts },
        ProtectCommand::Unsender { sender } => Protect::Unsender(sender),
        ProtectCommand::List => Protect::List,
    }
}

fn rule(command: &RuleCommand) -> Rule {
    match command.clone() {
        RuleCommand::Suspend { name, reason } => Rule::Suspend { name, why: reason },
        RuleCommand::Resume { name } => Rule::Resume(name),
        RuleCommand::List => Rule::List,
    }
}

fn brake(command: &BrakeCommand) -> Brake {
    match command.clone() {
        BrakeCommand::List => Brake::List,
        BrakeCommand::Again { name, reason } => Brake::Again { name, reason },
    }
}

/// Anchors of one question to the desk: each is some 80 octets.
const ANCHORS: usize = 100_000;

/// Whether a word is `SEQ:HASH`.
fn is_head(word: &str) -> bool {
    let (seq, hash) = word.split_once(':').unwrap_or_default();
    seq.parse::<u64>().is_ok() && hash.len() == 64 && hash.bytes().all(|c| c.is_ascii_hexdigit())
}

/// Heads, and those in files of them as they were sent to a log: whatever stands around them.
fn all_heads(given: &[String]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for word in given {
        if is_head(word) {
            all.push(word.clone());
            continue;
        }
        let no_head = "SEQ:HASH, a number and 64 hexadecimal digits";
        let octets = std::fs::read(word);
        let octets = octets.map_err(|error| Error::Refused(format!("{word}: neither {no_head}, nor a file of them: {error}")))?;
        let text = String::from_utf8_lossy(&octets);
        let before = all.len();
        let words = text.split(|c: char| c.is_whitespace() || matches!(c, '"' | ','));
        all.extend(words.filter(|word| is_head(word)).map(str::to_owned));
        if all.len() == before {
            return Error::refused(format!("{word}: there is no {no_head}, in it: nothing to hold the log against"));
        }
    }
    Ok(all)
}

/// Where commands go, and how answers are printed.
struct Asks<'a> {
    data: &'a std::path::Path,
    fetch: &'a std::path::Path,
    json: bool,
}

impl Asks<'_> {
    fn ask(&self, command: Command) -> Result<Value> {
        admin::ask(self.data, self.fetch, command)
    }

    /// Prints the first `most` of a list, a row each, and says on standard error that there are more.
    fn list(&self, most: usize, command: impl Fn(usize) -> Command, row: impl Fn(&Value) -> String) -> Result<()> {
        let mut answer = self.ask(command(most.saturating_add(1)))?;
        let is_cut = answer.as_array().is_some_and(|all| all.len() > most);
        if let Some(all) = answer.as_array_mut() {
            all.truncate(most);
        }
        self.say(&answer, |answer| print::rows(answer).map(&row).collect())?;
        if is_cut {
            self.note(&format!("and more than these {most}: --most {}", most.max(1).saturating_mul(10)));
        }
        Ok(())
    }

    /// Beside the result. Without a standard error there is nobody to tell.
    fn note(&self, what: &str) {
        let _ = writeln!(io::stderr(), "ztsms-console: {what}");
    }

    fn print(&self, command: Command, show: impl Fn(&Value) -> String) -> Result<()> {
        let answer = self.ask(command)?;
        self.say(&answer, show)
    }

    fn say(&self, answer: &Value, show: impl Fn(&Value) -> String) -> Result<()> {
        let text = if self.json { format!("{answer}\n") } else { show(&in_lines(answer)) };
        let lines: String = text.lines().map(|line| format!("{}\n", control::terminal::shown(line))).collect();
        let text = if self.json { text } else { lines };
        io::stdout().write_all(text.as_bytes()).map_err(|error| Error::File("".into(), "write standard output", error))
    }

    /// Asks a person, where there is one.
    fn agreed(&self, yes: bool, what: &str) -> Result<()> {
        if yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Error::refused(format!("nothing was changed: add --yes to {what}"));
        }
        // Without a standard error nobody sees the question, and nobody answers it.
        let _ = write!(io::stderr(), "{what}? [y/N] ");
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map_err(|error| Error::File("".into(), "read the answer", error))?;
        if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Error::refused("nothing was changed") }
    }
}

/// An answer whose texts break no line: what others wrote (a certificate's owner, a registrar, a reason) would forge one of ours.
fn in_lines(answer: &Value) -> Value {
    match answer {
        Value::String(text) => Value::String(text.replace(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'], "⏎")),
        Value::Array(all) => all.iter().map(in_lines).collect(),
        Value::Object(all) => Value::Object(all.iter().map(|(name, value)| (name.clone(), in_lines(value))).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_breaks_no_line() {
        let forged = serde_json::json!({ "subject": ["O=Evil\n  token in DNS: the token is shown\r\u{2028}x"], "days": 3 });
        assert_eq!(in_lines(&forged)["subject"][0], "O=Evil⏎  token in DNS: the token is shown⏎⏎x");
        assert_eq!(in_lines(&forged)["days"], 3);
    }
}
