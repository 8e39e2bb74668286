//! What both live modes do: start, stand until told to leave, and leave in good order.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use dataplane::live::Setup;
use dataplane::xdp::{Gone, Program};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

use super::args::Wire as Args;
use super::judge::said;
use super::{Done, Failure, complain, voice};
use crate::config::{self, Config};
use crate::live::admin::{self, Command};
use crate::live::before::Before;
use crate::live::lock::{self, Locks, Starting};
use crate::live::status::Port;
use crate::live::{self, Control, Kind, Plan, Prepared, Source, Wire, privileges, wire};

/// Between two looks at signals.
const LOOK: Duration = Duration::from_millis(10);
/// How often the status learns what the kernel counts.
const TELL: Duration = Duration::from_millis(100);
/// A filter that makes room writes what is in its rings first.
const LEAVES: Duration = Duration::from_secs(10);

/// How long a running filter may take to say something of itself.
const ANSWERS: Duration = Duration::from_secs(2);

/// The configuration. Who takes a filter off and says of which ports needs none, and one that is broken is not in the way.
pub(super) fn configuration(args: &Args, named: &[String]) -> Result<Config, Failure> {
    if args.remove && !named.is_empty() { Ok(Config::default()) } else { config::load(args.config.as_deref()).map_err(said) }
}

/// Takes the filter off, or stands until told to leave.
pub(super) fn stand(plan: Plan, config: Config, args: &Args) -> Result<Done, Failure> {
    if args.remove {
        return remove(&plan);
    }
    voice::begin().map_err(|error| Failure::Said(format!("no thread: {error}")))?;
    if !args.take_over {
        Locks::are_free(&plan).map_err(said)?;
    }
    let socket = &config.admin.socket;
    if admin::answers(socket) && !(args.take_over && is_replaced(&plan, socket)) {
        return Err(Failure::Said(format!("{}: {} ([admin] socket)", socket.display(), admin::ANOTHER)));
    }
    let shares = plan.shares().map_err(said)?;
    let samples_a_second = config.unscanned.a_second;
    let only_copies = plan.kind == Kind::Tap;
    let mtu = wire::mtu(&plan).map_err(said)?;
    let prepared = live::prepare(config, args.config.as_deref(), args.verdicts.clone(), only_copies, mtu);
    let (mut start, worlds) = prepared.map_err(said)?;
    let (tell, reloaded) = mpsc::channel();
    start.reloaded = Some(tell);
    if args.take_over {
        start.patience = LEAVES;
        start.freed = metrics_of(plan.interfaces(), start.config.admin.metrics.map(|address| address.0));
    }
    let enforces = worlds.current().stage.enforces();
    let setup = Setup { samples_a_second, ..Setup::default() };
    let (mut sides, mut sources) = (Vec::new(), Vec::new());
    for share in &shares {
        let (side, notes) = worlds.channel(&setup);
        sides.push(side);
        sources.push(Source { name: plan.worker(share), core: share.core, side: notes });
    }
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1, SIGUSR2])?;
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&lock::TOLD_TO_END))?;
    }
    // A running filter is told to leave once everything else has been tried.
    let prepared = unprivileged(|| Prepared::new(start, worlds, sources)).map_err(said)?;
    let mut wire = Wire::open(&plan, sides, args.take_over).map_err(said)?;
    for choice in wire.choices() {
        complain(choice);
    }
    let control = match unprivileged(|| Control::begin(prepared)) {
        Ok(control) => control,
        Err(error) => {
            wire.abandon();
            return Err(said(error));
        }
    };
    // What is left for this thread: the program's maps.
    privileges::keep_only(&["CAP_BPF"]);
    wire.stands();
    control.ready();
    complain(&format_args!(
        "{}: {}, {}",
        named(&plan),
        if only_copies { "watching" } else { "standing between" },
        if enforces { "rewriting" } else { "observing only" }
    ));
    let mut standing = plan;
    let mut told = Instant::now();
    let mut ended = None;
    let mut lists = None;
    'standing: while ended.is_none() {
        for signal in signals.pending() {
            let command = match signal {
                SIGUSR1 => Command::Pass,
                SIGUSR2 => Command::Unpass,
                _ => break 'standing,
            };
            if let Err(why) = control.command(command) {
                complain(&format_args!("{why}"));
            }
        }
        if let Some(config) = reloaded.try_iter().last() {
            lists = renew(&mut standing, &mut wire, &config);
        }
        if told.elapsed() >= TELL {
            told = Instant::now();
            let mut told = wire.told();
            told.troubles.extend(lists.clone().map(|why| ("lists", why)));
            control.tell(told);
        }
        if !wire.is_alive() {
            break;
        }
        if let Some(port) = wire.made_anew() {
            ended = Some(format!("{port} was removed and made anew: a new start puts the filter on it"));
        } else if !control.is_alive() {
            ended = Some("a thread of the control side broke down: nothing would be recorded or obeyed".to_owned());
        }
        std::thread::sleep(LOOK);
    }
    tell_kernel(&wire);
    // That its lanes end is no trouble from now on.
    control.leaving();
    let closed = wire.close();
    // What is in the rings is written before it ends.
    drop(control);
    let several = closed.len() > 1;
    let mut gone: Vec<String> = ended.into_iter().collect();
    for (name, counts) in closed {
        match counts {
            Ok(counts) => {
                let worker = if several { format!("worker {name}") } else { "worker".to_owned() };
                counts.named().iter().for_each(|(what, count)| complain(&format_args!("{worker}: {what} {count}")));
            }
            Err(Gone::BrokeDown) => gone.push(format!("{name}: the worker broke down; frames go by in the kernel")),
            Err(Gone::Hangs) => gone.push(format!("{name}: the worker hangs and was left behind; frames go by in the kernel")),
        }
    }
    if gone.is_empty() { Ok(Done::Well) } else { Err(Failure::Said(gone.join("; "))) }
}

/// Every interface of a filter, for people.
fn named(plan: &Plan) -> String {
    plan.lines.iter().map(|line| line.join(" - ")).collect::<Vec<_>>().join(", ")
}

/// Whether the filter that answers at this socket is one that the new one takes over from.
fn is_replaced(plan: &Plan, socket: &Path) -> bool {
    let status = admin::ask_within(socket, Command::Status, LEAVES).ok();
    let id = status.and_then(|status| status.get("pid").and_then(serde_json::Value::as_i64));
    // One that does not say who it is may be it, and hang.
    id.is_none_or(|id| Locks::holders(plan.interfaces()).iter().any(|holder| i64::from(holder.id.as_raw_nonzero().get()) == id))
}

/// The addresses of metrics that the filters of these ports have, as they say; one that hangs and says nothing may have the one that is `wanted`.
pub(super) fn metrics_of<'i>(interfaces: impl IntoIterator<Item = &'i String>, wanted: Option<SocketAddr>) -> Vec<SocketAddr> {
    let holders = Locks::holders(interfaces);
    let ask = |socket: &Path| match admin::ask_within(socket, Command::Status, ANSWERS) {
        Ok(status) => status.get("metrics")?.as_str()?.parse().ok(),
        Err(_) => wanted,
    };
    holders.iter().filter_map(|holder| ask(holder.socket.as_deref()?)).collect()
}

/// Starts the control side from a thread without privileges, so that none of its threads has any: they read what others write.
fn unprivileged<T: Send>(does: impl FnOnce() -> Result<T, live::Error> + Send) -> Result<T, live::Error> {
    std::thread::scope(|scope| {
        let begun = scope.spawn(|| {
            privileges::keep_only(&[]);
            does()
        });
        begun.join().unwrap_or_else(|_| Err(live::Error::Thread(std::io::Error::other("it broke down at its start"))))
    })
}

/// The lists that the program keeps in the kernel follow the configuration that was read again. What went wrong with that.
fn renew(standing: &mut Plan, wire: &mut Wire, config: &Config) -> Option<String> {
    standing.renew(config);
    match wire.tell(standing) {
        Ok(true) => {
            complain(&format_args!("{}: lists and `fail` are as the configuration says now", named(standing)));
            None
        }
        Ok(false) => None,
        Err(error) => Some(format!("what the program in the kernel goes by may be old: {error}")),
    }
}

/// What the kernel counted, for whoever stopped the filter.
fn tell_kernel(wire: &Wire) {
    for Port { interface, kernel, .. } in wire.counted() {
        kernel.iter().filter(|(_, n)| **n > 0).for_each(|(cause, n)| complain(&format_args!("{interface}: {cause} {n}")));
    }
}

fn remove(plan: &Plan) -> Result<Done, Failure> {
    let name = plan.name();
    // A start comes to its end first. One that hangs keeps nobody from this way out.
    let (_alone, starts) = match Starting::begin() {
        Ok(alone) => (Some(alone), None),
        Err(error) => (None, Some(error)),
    };
    if !dataplane::xdp::pins(&name).exists() {
        // What is pinned by other names on these interfaces runs as another filter: it goes on, untouched.
        wire::of_no_other(plan).map_err(said)?;
        // Ports that are gone may have a filter all the same; where nobody has or had one, they never were.
        if !lock::is_held(plan, &[]) {
            plan.interfaces().try_for_each(|name| dataplane::xdp::Port::open(name).map(drop)).map_err(said)?;
        }
    }
    // Whoever runs leaves in good order first. One that does not leaves no way but this: the program goes, the process stands without it.
    let (locks, hangs) = match Locks::take_off(plan) {
        Ok(locks) => (Some(locks), starts),
        Err(error) => (None, Some(error)),
    };
    let was_there = Program::remove(&name).map_err(|error| said(format_args!("{name}: {error}")))?;
    for port in plan.interfaces().filter_map(|name| dataplane::xdp::Port::open(name).ok()) {
        // Where there was no filter nobody changed it, whatever one that never stood has written.
        match was_there.then(|| lock::was(&port.name).and_then(|before| Before::parse(&before))) {
            Some(Some(before)) => before.put_back(&port),
            // Nobody knows how it was.
            Some(None) => Before::as_new(plan.kind, &port),
            None => {}
        }
    }
    if let Some(mut locks) = locks {
        plan.interfaces().for_each(|name| drop(locks.remember(name, "")));
    }
    if let Some(error) = hangs {
        let off = if was_there { "the filter is off all the same" } else { "there was no filter pinned" };
        return Err(Failure::Said(format!("{error}. {}: {off}", named(plan))));
    }
    complain(&format_args!("{}: {}", named(plan), if was_there { "the filter is off" } else { "there was no filter" }));
    Ok(Done::Well)
}
