//! `ztsms replay`: captures in, a verdict for every link in every short message out.
//!
//! Frames are read in order, taken through one lane in order, and what is said about them is formatted by as many workers as asked for
//! and written in order: so the output is the same for every number of threads, and memory does not grow with the capture.

mod lane;
mod listen;
mod output;
mod progress;
mod same;
mod source;

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use super::args::Replay;
use super::{Done, Failure, fail, judge};
use crate::record::Redactor;
use crate::summary::End;
use crate::terminal::{Colour, Paint};

/// Runs the command.
pub(super) fn run(args: &Replay, colour: Colour) -> Result<Done, Failure> {
    let started = Instant::now();
    let (world, setup) = judge::world_and_setup(&args.judge)?;
    let redactor = match &args.redact_key {
        Some(path) => Some(Redactor::from_file(path).map_err(|error| Failure::file(path, "read", error))?),
        None => args.redact.then(Redactor::new),
    };
    let threads = args.threads.map(usize::from).or_else(|| std::thread::available_parallelism().map(usize::from).ok());
    let job = lane::Job { args, world: &world, setup: &setup, redactor: redactor.as_ref(), threads: threads.unwrap_or(1) };
    let end = lane::run(&job)?;

    let what = End { counters: &end.counters, joins: &end.joins, explains: &end.explains };
    if args.json {
        let paint = Paint(colour.on(&std::io::stderr()));
        // Without a standard error there is nobody to tell.
        let _ = std::io::stderr().lock().write_all(end.summary.page(&what, paint, args.top).as_bytes());
    } else {
        let paint = Paint(colour.on(&std::io::stdout()));
        std::io::stdout().lock().write_all(end.summary.page(&what, paint, args.top).as_bytes())?;
    }
    if std::io::stderr().is_terminal() {
        let (seconds, octets) = (started.elapsed().as_secs_f64(), end.counters.octets);
        let frames = end.counters.frames.seen;
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let (rate, megabytes) = (frames as f64 / seconds.max(1e-9), octets as f64 / 1e6);
        fail::complain(&format_args!("{frames} frames, {megabytes:.1} MB in {seconds:.2} s, {rate:.0} frames a second"));
    }
    Ok(if end.in_part { Done::InPart } else { Done::Well })
}
