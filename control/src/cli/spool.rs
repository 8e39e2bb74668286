//! `ztsms spool`: what a filter has written down.

use std::fs;
use std::io::{self, BufWriter, Write as _};

use serde_json::Value;

use super::args::{Spool, SpoolCommand};
use super::judge::said;
use super::{Done, Failure, fail};
use crate::record_json::push_line;
use crate::spool::{Kind, Read, read, secret_key, segments};
use crate::terminal::shown;

/// Runs the command.
pub(super) fn run(args: &Spool) -> Result<Done, Failure> {
    match &args.command {
        SpoolCommand::Cat { paths, json, all, work_key } => {
            let key = work_key
                .as_ref()
                .map(|path| {
                    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, "read", error))?;
                    secret_key(text.trim()).map_err(|error| Failure::Said(format!("{}: {error}", path.display())))
                })
                .transpose()?;
            let kind = if key.is_some() { Kind::Work } else { Kind::Spool };
            let mut out = BufWriter::new(io::stdout().lock());
            let mut done = Done::Well;
            for path in paths {
                for segment in segments(path, kind).map_err(|error| Failure::file(path, "read", error))? {
                    let octets = fs::read(&segment).map_err(|error| Failure::file(&segment, "read", error))?;
                    let mut result = Ok(());
                    let (_, report) = read(&octets, key.as_ref(), |item| match item {
                        Read::Record(_, record) if result.is_ok() => result = print(&mut out, record, *json, *all),
                        Read::Record(..) => {}
                        Read::Cut(cut) => {
                            fail::complain(&format_args!(
                                "{}: {} octets from {}: {}",
                                segment.display(),
                                cut.octets,
                                cut.at,
                                cut.why
                            ));
                        }
                    });
                    result?;
                    if report.cuts > 0 {
                        done = Done::InPart;
                    }
                }
            }
            out.flush()?;
            Ok(done)
        }
        SpoolCommand::Keygen { out } => {
            let secret = crate::spool::new_secret_key();
            let public = crate::spool::ConsoleKey::of(&secret).to_hex();
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(out).map_err(|error| Failure::file(out, "create", error))?;
            writeln!(file, "{}", crate::record_json::hex(&secret.to_bytes()))
                .map_err(|error| Failure::file(out, "write", error))?;
            writeln!(io::stdout().lock(), "{public}")?;
            Ok(Done::Well)
        }
    }
}

/// One record: as it is for machines; for people, when, from whom, which links, what was done.
fn print(out: &mut impl io::Write, record: &[u8], json: bool, all: bool) -> Result<(), Failure> {
    let value: Value = serde_json::from_slice(record).map_err(said)?;
    let is_event = value.get("schema").and_then(Value::as_str) == Some("ztsms.event.v1");
    if is_event && !all {
        return Ok(());
    }
    if json {
        let mut line = Vec::new();
        push_line(&mut line, &value);
        return out.write_all(&line).map_err(Failure::Output);
    }
    let text = |at: &str| value.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let hosts: Vec<String> = value
        .get("urls")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|url| url.get("host").or_else(|| url.get("url")).and_then(Value::as_str).map(|host| shown(host).into_owned()))
        .collect();
    let what = if is_event { text("/event") } else { text("/operation") };
    let line = [text("/time"), what, text("/verdict"), text("/action"), text("/outcome"), hosts.join(" ")];
    let line: Vec<&str> = line.iter().map(String::as_str).filter(|field| !field.is_empty()).collect();
    writeln!(out, "{}", shown(&line.join("  "))).map_err(Failure::Output)
}
