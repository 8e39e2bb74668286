//! Instructions of each step, beside those committed in `bench/counts.toml`: exit 1 where one left its band of 3 %.
//!
//! `cargo run --release -p ztsms-bench --bin counts`; with `--update` the file is written anew.
#![allow(clippy::print_stdout, reason = "a tool for developers")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use ztsms_bench::callgrind::{SIZE, child, count};
use ztsms_bench::tables;

/// What may change without a word, either way: a step that became cheaper is written down too, or the next loss hides in it.
const BAND: f64 = 0.03;
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/counts.toml");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--child", table] => {
            child(Path::new(table));
            Ok(true)
        }
        [] => measured().and_then(|counts| compare(&counts)),
        ["--update"] => measured().and_then(|counts| write(&counts).map(|()| true)),
        _ => Err("usage: counts [--update]".to_owned()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("counts: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measured() -> Result<Vec<(&'static str, f64)>, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let table = tables::cached(SIZE.hosts);
    let table = table.to_str().ok_or("the directory of temporary files has a name that is no UTF-8")?;
    count(&program, &["--child", table])
}

fn write(counts: &[(&str, f64)]) -> Result<(), String> {
    let mut text = String::from(
        "# Instructions a step, by callgrind: cargo run --release -p ztsms-bench --bin counts -- --update\n\
         # Callgrind sees what it can run: AVX2 and CRC32c in hardware, no AVX-512. Another compiler or libc gives other numbers.\n",
    );
    let _ = writeln!(text, "rustc = \"{}\"\n\n[instructions]", rustc());
    for (name, count) in counts {
        let _ = writeln!(text, "{name} = {count:.1}");
    }
    std::fs::write(FILE, text).map_err(|error| format!("{FILE}: {error}"))?;
    println!("{} steps written to bench/counts.toml", counts.len());
    Ok(())
}

fn compare(counts: &[(&str, f64)]) -> Result<bool, String> {
    let text = std::fs::read_to_string(FILE).map_err(|error| format!("{FILE}: {error}"))?;
    let file: toml::Table = text.parse().map_err(|error| format!("{FILE}: {error}"))?;
    let was = file.get("instructions").and_then(toml::Value::as_table).ok_or("counts.toml has no table `instructions`")?;
    let made = file.get("rustc").and_then(toml::Value::as_str).unwrap_or_default();
    if made != rustc() {
        println!("note: bench/counts.toml was made by {made}, this is {}", rustc());
    }
    println!("{:<14} {:>9} {:>9} {:>8}", "step", "was", "is", "%");
    let mut within = true;
    for (name, is) in counts {
        let was = was.get(*name).and_then(toml::Value::as_float);
        let change = was.map(|was| (is - was) / was.max(f64::MIN_POSITIVE));
        let good = change.is_some_and(|change| change.abs() <= BAND);
        within &= good;
        let percent = change.map_or("new".to_owned(), |change| format!("{:+.1}", change * 100.0));
        let was = was.map_or("-".to_owned(), |was| format!("{was:.1}"));
        println!("{name:<14} {was:>9} {is:>9.1} {percent:>8}{}", if good { "" } else { "  beyond 3 %" });
    }
    for name in was.keys().filter(|name| counts.iter().all(|(known, _)| known != name)) {
        println!("{name:<14} is in bench/counts.toml and no step any more");
        within = false;
    }
    if !within {
        println!("where the change is meant: cargo run --release -p ztsms-bench --bin counts -- --update");
    }
    Ok(within)
}

/// The compiler's version, or nothing where there is none to ask.
fn rustc() -> String {
    let run = Command::new("rustc").arg("--version").output().ok();
    run.and_then(|run| String::from_utf8(run.stdout).ok()).unwrap_or_default().trim().to_owned()
}
