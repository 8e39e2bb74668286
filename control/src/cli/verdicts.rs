//! `ztsms verdicts`: from lists to a table, and what is in one.

use std::fmt::Write as _;
use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use dataplane::verdict::Verdict;

use super::args::{self, Build, Verdicts, VerdictsCommand};
use super::judge::{self, said};
use super::{Done, Failure, fail};
use crate::build::{self, ListReport, Source, What, overlay};
use crate::record_json::push_line;
use crate::terminal::{Colour, Paint, fitted, shown};
use crate::verdicts_cmd;

/// What to do where a desk publishes.
const DECIDE: &str = "decide there, with `ztsms-console decide PATTERN VERDICT --reason WHY`";

/// Lines of a list that are named one by one.
const NAMED_LINES: usize = 20;

/// Runs the command.
pub(super) fn run(args: &Verdicts, colour: Colour) -> Result<Done, Failure> {
    let paint = Paint(colour.on(&io::stdout()));
    let suffixes = |path: &Path| build::suffixes(Some(path)).map_err(said);
    match &args.command {
        VerdictsCommand::Build(lists) => build(lists),
        VerdictsCommand::Lookup { urls, verdicts, json } => lookup(urls, verdicts.as_deref(), *json, paint),
        VerdictsCommand::Stats { of, json } => {
            let suffixes = build::suffixes(of.path()).map_err(said)?;
            let table = judge::table(of.path(), &suffixes)?;
            print_stats(&verdicts_cmd::stats(&table), *json)
        }
        VerdictsCommand::Diff { old, new, top } => diff(old, new, *top, paint),
        VerdictsCommand::Verify { of } => {
            let verdicts = named(of)?;
            let stats = verdicts_cmd::verify(verdicts, &suffixes(verdicts)?).map_err(said)?;
            io::stdout().lock().write_all(b"every octet is as it was written\n")?;
            print_stats(&stats, false)
        }
        VerdictsCommand::Set { pattern, verdict, verdicts, note } => {
            is_no_desks(verdicts, DECIDE)?;
            let _alone = alone(verdicts)?;
            let verdict = match verdict.as_str() {
                "safe" => Verdict::Safe,
                "dangerous" => Verdict::Dangerous,
                _ => Verdict::Unknown,
            };
            if let Some(other) = overlay::rebind(verdicts, &suffixes(verdicts)?).map_err(said)? {
                fail::complain(&format_args!("decisions of snapshot {other:016x} are carried over to the one in force"));
            }
            overlay::decide(verdicts, pattern, verdict, note, &suffixes(verdicts)?).map_err(said)?;
            Ok(Done::Well)
        }
        VerdictsCommand::Unset { pattern, verdicts } => {
            is_no_desks(verdicts, DECIDE)?;
            let _alone = alone(verdicts)?;
            overlay::take_back(verdicts, pattern).map_err(said)?;
            Ok(Done::Well)
        }
        VerdictsCommand::Rollback { of } => {
            let verdicts = named(of)?;
            let _alone = alone(verdicts)?;
            print_stats(&verdicts_cmd::rollback(verdicts, &suffixes(verdicts)?).map_err(said)?, false)
        }
    }
}

/// A table that has to be named.
fn named(of: &args::Table) -> Result<&Path, Failure> {
    of.path().ok_or_else(|| Failure::Usage("which table? --verdicts DIR".to_owned()))
}

/// What a desk publishes is the desk's: it knows no other decisions, and its next one would wipe them away.
fn is_no_desks(dir: &Path, instead: &str) -> Result<(), Failure> {
    if !dir.join("verdicts.pub").exists() {
        return Ok(());
    }
    Err(Failure::Said(format!("{}: a desk publishes here (verdicts.pub): {instead}", dir.display())))
}

/// Waits until no other command writes in a directory, and holds it: of two that read and write the same decisions one would lose the other's.
fn alone(dir: &Path) -> Result<File, Failure> {
    let failed = |error| Failure::file(dir, "opened", error);
    let file = File::open(dir).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {
            fail::complain(&format_args!("{}: another command writes here: waiting for it", dir.display()));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.lock().map_err(failed)?;
    Ok(file)
}

fn print_stats(stats: &verdicts_cmd::Stats, json: bool) -> Result<Done, Failure> {
    let mut out = Vec::new();
    if json {
        push_line(&mut out, stats);
    } else {
        out.extend_from_slice(marked(&stats.to_string()).as_bytes());
    }
    io::stdout().lock().write_all(&out)?;
    Ok(Done::Well)
}

/// Names of lists come from files: each line as [`shown`].
fn marked(text: &str) -> String {
    text.lines().fold(String::new(), |out, line| out + &shown(line) + "\n")
}

fn build(args: &Build) -> Result<Done, Failure> {
    let groups = [
        (&args.own, What::Own),
        (&args.dangerous, What::Verdict(Verdict::Dangerous)),
        (&args.platform, What::Platform),
        (&args.safe, What::Verdict(Verdict::Safe)),
        (&args.rank, What::Rank),
    ];
    let sources: Vec<Source> =
        groups.into_iter().flat_map(|(paths, what)| paths.iter().map(move |path| Source { path: path.clone(), what })).collect();
    if sources.is_empty() {
        return Err(Failure::Usage(
            "nothing to build from: name a CSV of your own, or --dangerous, --platform, --safe".to_owned(),
        ));
    }
    is_no_desks(&args.output, "it builds itself, of what `ztsms-console import SOURCE` brings")?;
    let _alone = if args.output.exists() { Some(alone(&args.output)?) } else { None };
    // Reproducible builds: https://reproducible-builds.org/specs/source-date-epoch/
    let said_now = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let now = said_now.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
    let built = verdicts_cmd::build_with(&sources, &args.output, now, args.suffixes.as_deref(), args.force);
    let report = built.map_err(|error| {
        if let build::Error::Unfit(_, lists) = &error {
            lists.iter().for_each(name_bad_lines);
            return Failure::Said(format!(
                "{error}\nnothing was built, and what was in force stays: --force takes such lists as they are"
            ));
        }
        said(error)
    })?;
    let mut done = Done::Well;
    let mut out = String::new();
    for list in &report.lists {
        let summary = &list.summary;
        name_bad_lines(list);
        if summary.bad > 0 {
            done = Done::InPart;
        }
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{}: {:?}, {} entries, {} rules, {} not read{}",
            shown(&list.file),
            summary.format,
            summary.entries,
            summary.rules,
            summary.bad,
            if summary.excepted > 0 { format!(", {} excepted", summary.excepted) } else { String::new() }
        );
    }
    for remark in report.remarks.iter().take(NAMED_LINES) {
        fail::complain(&format_args!("{} of {}: {}", remark.pattern, remark.source, remark.what));
    }
    if report.remarks.len() > NAMED_LINES {
        fail::complain(&format_args!("{} more remarks like these", report.remarks.len() - NAMED_LINES));
    }
    out += &marked(&report.stats.to_string());
    io::stdout().lock().write_all(out.as_bytes())?;
    Ok(done)
}

fn name_bad_lines(list: &ListReport) {
    let summary = &list.summary;
    for problem in summary.problems.iter().take(NAMED_LINES) {
        match problem.line {
            0 => fail::complain(&format_args!("{}: {}", list.file, problem.why)),
            line => fail::complain(&format_args!("{}:{line}: {}", list.file, problem.why)),
        }
    }
    let named = summary.problems.len().min(NAMED_LINES) as u64;
    if summary.bad > named {
        fail::complain(&format_args!("{}: {} more lines could not be read", list.file, summary.bad - named));
    }
}

fn lookup(urls: &[String], verdicts: Option<&Path>, json: bool, paint: Paint) -> Result<Done, Failure> {
    let suffixes = &build::suffixes(verdicts).map_err(said)?;
    let table = judge::table(verdicts, suffixes)?;
    let (mut out, mut done) = (Vec::new(), Done::Well);
    for url in urls {
        let found = verdicts_cmd::lookup(&table, url, "", suffixes);
        if let Some(problem) = &found.problem {
            fail::complain(&format_args!("{url}: {problem}"));
            done = Done::InPart;
        }
        if json {
            push_line(&mut out, &found);
            continue;
        }
        if found.problem.is_some() {
            continue;
        }
        let verdict = match found.verdict {
            "dangerous" => paint.red(found.verdict),
            "safe" => paint.green(found.verdict),
            _ => paint.yellow(found.verdict),
        };
        let pad = 10usize.saturating_sub(found.verdict.len());
        let words = [found.entry.as_deref(), found.category.as_deref(), found.source.as_deref()];
        let words: Vec<&str> =
            std::iter::once(found.reason).chain(words.into_iter().flatten()).filter(|word| !word.is_empty()).collect();
        let line = format!("{verdict}{:pad$}{}\n{:10}{}\n", "", fitted(&found.url, 90), "", fitted(&words.join(", "), 90));
        out.extend_from_slice(line.as_bytes());
    }
    io::stdout().lock().write_all(&out)?;
    Ok(done)
}

fn diff(old: &Path, new: &Path, top: usize, paint: Paint) -> Result<Done, Failure> {
    let table = |path: &Path| judge::table(Some(path), &build::suffixes(Some(path)).map_err(said)?);
    let (old, new) = (table(old)?, table(new)?);
    let diff = verdicts_cmd::diff(&old, &new);
    let mut out = String::new();
    let lines = |out: &mut String, sign: &str, rows: &[(String, &'static str)], paint: &dyn Fn(&str) -> String| {
        for (pattern, verdict) in rows.iter().take(top) {
            let verdict = if *verdict == "none" { "platform" } else { verdict };
            *out += &paint(&format!("{sign} {verdict:<10}{}", fitted(pattern, 86)));
            out.push('\n');
        }
        if rows.len() > top {
            let _ = writeln!(out, "{sign} and {} more", rows.len() - top);
        }
    };
    lines(&mut out, "-", &diff.removed, &|line| paint.red(line));
    lines(&mut out, "+", &diff.added, &|line| paint.green(line));
    let _ = writeln!(out, "{} removed, {} added", diff.removed.len(), diff.added.len());
    io::stdout().lock().write_all(out.as_bytes())?;
    Ok(Done::Well)
}
