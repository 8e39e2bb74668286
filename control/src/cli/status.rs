//! `ztsms status`: what a running filter says of itself.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use super::args::Status as Args;
use super::judge::said;
use super::{Done, Failure};
use crate::config;
use crate::live::admin::{Command, ask, ask_within};
use crate::record_json::push_line;
use crate::terminal::{Colour, Paint, shown};

/// How long an answer of what is done at once may take.
const ANSWERS: Duration = Duration::from_secs(2);

/// The socket that is asked: the one named, else the configuration's.
pub(super) fn socket(named: Option<&PathBuf>, config: Option<&PathBuf>) -> Result<PathBuf, Failure> {
    match named {
        Some(path) => Ok(path.clone()),
        None => Ok(config::load(config.map(PathBuf::as_path)).map_err(said)?.admin.socket),
    }
}

/// Runs the command.
pub(super) fn run(args: &Args, colour: Colour) -> Result<Done, Failure> {
    let socket = socket(args.socket.as_ref(), args.config.as_ref())?;
    let command = match (args.reset_breaker, args.rollback) {
        (true, _) => Command::ResetBreaker,
        (_, true) => Command::Rollback,
        _ if args.reload => Command::Reload,
        _ if args.pass => Command::Pass,
        _ if args.unpass => Command::Unpass,
        _ => Command::Status,
    };
    // What is done at once is answered at once; a configuration and a snapshot are read first.
    let answer = match command {
        Command::Reload | Command::Rollback => ask(&socket, command),
        _ => ask_within(&socket, command, ANSWERS),
    };
    let answer = answer.map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ": no filter is running here",
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                ": the filter does not answer within 2 s: assume that it goes on as before"
            }
            _ => "",
        };
        Failure::Said(format!("{}: {error}{hint}", socket.display()))
    })?;
    let mut out = Vec::new();
    if args.json || command != Command::Status {
        push_line(&mut out, &answer);
    } else {
        people(&answer, Paint(colour.on(&io::stdout())), &mut out)?;
    }
    io::stdout().lock().write_all(&out)?;
    Ok(Done::Well)
}

fn number(status: &Value, at: &str) -> u64 {
    status.pointer(at).and_then(Value::as_u64).unwrap_or_default()
}

fn text<'s>(status: &'s Value, at: &str) -> &'s str {
    status.pointer(at).and_then(Value::as_str).unwrap_or_default()
}

fn flag(status: &Value, at: &str) -> bool {
    status.pointer(at).and_then(Value::as_bool).unwrap_or_default()
}

/// `a 1, b 2`, those that are not 0.
fn counts(of: Option<&Map<String, Value>>) -> String {
    let named = of.into_iter().flatten().filter(|(_, n)| n.as_u64() != Some(0));
    let all: Vec<String> = named.map(|(name, n)| format!("{name} {n}")).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

fn micros(ns: u64) -> String {
    format!("{}.{:01} µs", ns / 1000, ns % 1000 / 100)
}

fn people(status: &Value, paint: Paint, out: &mut Vec<u8>) -> io::Result<()> {
    let map = |at: &str| status.pointer(at).and_then(Value::as_object);
    let mode = match (flag(status, "/mode/enforce"), flag(status, "/mode/pass"), flag(status, "/mode/breaker_all")) {
        (false, ..) => paint.yellow("observes"),
        (_, true, _) => paint.yellow("passes everything, by command"),
        (_, _, true) => paint.red("observes: the breaker returned everything"),
        _ => paint.green("enforces"),
    };
    let percent = status.pointer("/mode/stage_percent").and_then(Value::as_f64).unwrap_or_default();
    let up = number(status, "/time").saturating_sub(number(status, "/started"));
    writeln!(out, "{} {}, {mode}, stage {percent} %, up {up} s", text(status, "/name"), text(status, "/version"))?;
    for alarm in status.get("alarms").and_then(Value::as_array).into_iter().flatten() {
        let what = format!("alarm {}: {}", text(alarm, "/name"), text(alarm, "/what"));
        writeln!(out, "{}", paint.red(&shown(&what)))?;
    }
    writeln!(
        out,
        "verdicts   snapshot {}, {} entries, {} decisions since, {}; policy {}; world {}",
        text(status, "/verdicts/snapshot"),
        number(status, "/verdicts/entries"),
        number(status, "/verdicts/overlay"),
        // What is built in, or empty until a directory has been read, has no age.
        status
            .pointer("/verdicts/age_s")
            .and_then(Value::as_u64)
            .map_or_else(|| "of no directory".to_owned(), |age_s| format!("{age_s} s old")),
        text(status, "/verdicts/policy"),
        number(status, "/verdicts/world"),
    )?;
    writeln!(
        out,
        "frames     {}, of them {} decoded, {} rewritten, {} as two",
        number(status, "/levels/frames/seen"),
        number(status, "/levels/frames/on"),
        number(status, "/rewritten_frames"),
        number(status, "/split_packets"),
    )?;
    let latency = ["p50", "p90", "p99", "p99_9", "max"].map(|at| micros(number(status, &format!("/latency_ns/{at}"))));
    let [p50, p90, p99, p99_9, max] = latency;
    writeln!(out, "latency    p50 {p50}, p90 {p90}, p99 {p99}, p99.9 {p99_9}, max {max}")?;
    writeln!(out, "messages   {}; {}", number(status, "/levels/sms/on"), counts(map("/sms_verdicts")))?;
    writeln!(out, "links      {}", counts(map("/urls")))?;
    writeln!(out, "actions    {}", counts(map("/actions")))?;
    writeln!(out, "held back  {}", counts(map("/held")))?;
    writeln!(out, "unfit      {}", shown(&counts(map("/unfit"))))?;
    for (name, of) in map("/levels").into_iter().flatten() {
        let left = counts(of.get("out").and_then(Value::as_object));
        if left != "none" {
            writeln!(out, "left {name}: {}", shown(&left))?;
        }
    }
    for (name, labels) in map("/gauges").into_iter().flatten() {
        writeln!(out, "{name:<10} {}", counts(labels.as_object()))?;
    }
    for worker in status.get("workers").and_then(Value::as_array).into_iter().flatten() {
        let ring =
            worker.get("notes").and_then(Value::as_array).map(|ring| ring.iter().map(Value::to_string).collect::<Vec<_>>());
        let core = worker.get("core").and_then(Value::as_u64).map(|core| format!(" on core {core}")).unwrap_or_default();
        let [frames, lapses] = ["/counts/frames", "/counts/heartbeat lapses"].map(|at| number(worker, at));
        writeln!(
            out,
            "worker {}{core}: {frames} frames, {lapses} heartbeat lapses, notes {}",
            shown(text(worker, "/name")),
            ring.unwrap_or_default().join(" of ")
        )?;
        for queue in worker.get("queues").and_then(Value::as_array).into_iter().flatten() {
            let [received, sent] = ["/received", "/sent"].map(|at| number(queue, at));
            let (interface, queue_number) = (number(queue, "/interface"), number(queue, "/queue"));
            let dropped = queue.get("dropped").cloned().unwrap_or_default();
            writeln!(out, "  interface {interface} queue {queue_number}: {received} received, {sent} sent, dropped {dropped}")?;
        }
    }
    for port in status.get("ports").and_then(Value::as_array).into_iter().flatten() {
        let (interface, unscanned) = (text(port, "/interface"), number(port, "/unscanned"));
        let kernel = counts(port.get("kernel").and_then(Value::as_object));
        writeln!(out, "port {}: {unscanned} unscanned; in the kernel {kernel}", shown(interface))?;
    }
    writeln!(out, "lost       {}", counts(map("/lost")))?;
    for name in ["spool", "work"] {
        if let Some(sink) = status.get(name).filter(|sink| !sink.is_null()) {
            let [written, slow, refused] = ["/written", "/lost_slow", "/lost_refused"].map(|at| number(sink, at));
            writeln!(out, "{name:<10} {written} written, {slow} lost to a slow disk, {refused} refused")?;
        }
    }
    let covered = status.pointer("/covered/share").and_then(Value::as_f64);
    let covered = covered.map_or_else(|| "not known".to_owned(), |share| format!("{:.1} %", share * 100.0));
    writeln!(out, "covered    {} forwardSM, share {covered}", number(status, "/covered/forward_sm"))?;
    for missing in status.pointer("/plan/missing").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        writeln!(out, "{}", paint.dim(&format!("plan does not say {missing}")))?;
    }
    Ok(())
}
