//! What both live modes do: start, stand until told to leave, and leave in good order.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use dataplane::live::{Setup, Worlds};
use dataplane::xdp::{Gone, Program};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

use super::args::Wire as Args;
use super::judge::said;
use super::{Done, Failure, complain};
use crate::config::Config;
use crate::live::admin::{self, Command};
use crate::live::lock::Locks;
use crate::live::status::Port;
use crate::live::{self, Control, Kind, Plan, Source, Start, Wire, privileges};

/// Between two looks at signals.
const LOOK: Duration = Duration::from_millis(10);
/// How often the status learns what the kernel counts.
const TELL: Duration = Duration::from_millis(100);
/// A filter that makes room writes what is in its rings first.
const LEAVES: Duration = Duration::from_secs(10);

/// Takes the filter off, or stands until told to leave.
pub(super) fn stand(plan: Plan, config: Config, args: &Args) -> Result<Done, Failure> {
    if args.remove {
        return remove(&plan);
    }
    if !args.take_over {
        Locks::are_free(&plan).map_err(said)?;
        let socket = &config.admin.socket;
        if admin::answers(socket) {
            return Err(Failure::Said(format!("{}: {} ([admin] socket)", socket.display(), admin::ANOTHER)));
        }
    }
    let shares = plan.shares().map_err(said)?;
    let samples_a_second = config.unscanned.a_second;
    let only_copies = plan.kind == Kind::Tap;
    let (mut start, worlds) = live::prepare(config, args.config.as_deref(), args.verdicts.clone(), only_copies).map_err(said)?;
    let (tell, reloaded) = mpsc::channel();
    start.reloaded = Some(tell);
    start.patience = if args.take_over { LEAVES } else { Duration::ZERO };
    let enforces = worlds.current().stage.enforces();
    let setup = Setup { samples_a_second, ..Setup::default() };
    let (mut sides, mut sources) = (Vec::new(), Vec::new());
    for share in &shares {
        let (side, notes) = worlds.channel(&setup);
        sides.push(side);
        sources.push(Source { name: plan.worker(share), core: share.core, side: notes });
    }
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1, SIGUSR2])?;
    let mut wire = Wire::open(&plan, sides, args.take_over).map_err(said)?;
    for choice in wire.choices() {
        complain(choice);
    }
    let control = match begin(start, worlds, sources) {
        Ok(control) => control,
        Err(error) => {
            wire.abandon();
            return Err(said(error));
        }
    };
    // What is left for this thread: the program's maps.
    privileges::keep_only(&["CAP_BPF"]);
    control.ready();
    complain(&format_args!(
        "{}: {}, {}",
        named(&plan),
        if only_copies { "watching" } else { "standing between" },
        if enforces { "rewriting" } else { "observing only" }
    ));
    let mut standing = plan;
    let mut told = Instant::now();
    let mut alive = true;
    'standing: while alive {
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
            renew(&mut standing, &mut wire, &config);
        }
        if told.elapsed() >= TELL {
            told = Instant::now();
            control.kernel(wire.counted());
        }
        alive = wire.is_alive();
        std::thread::sleep(LOOK);
    }
    tell_kernel(&wire);
    // That its lanes end is no trouble from now on.
    control.leaving();
    let closed = wire.close();
    // What is in the rings is written before it ends.
    drop(control);
    let several = closed.len() > 1;
    let mut gone = Vec::new();
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

/// Starts the control side from a thread without privileges, so that none of its threads has any: they read what others write.
fn begin(start: Start, worlds: Worlds, sources: Vec<Source>) -> Result<Control, live::Error> {
    std::thread::scope(|scope| {
        let begun = scope.spawn(|| {
            privileges::keep_only(&[]);
            Control::start(start, worlds, sources)
        });
        begun.join().unwrap_or_else(|_| Err(live::Error::Thread(std::io::Error::other("it broke down at its start"))))
    })
}

/// The lists that the program keeps in the kernel follow the configuration that was read again.
fn renew(standing: &mut Plan, wire: &mut Wire, config: &Config) {
    let before = standing.settings();
    standing.renew(config);
    if standing.settings() == before {
        return;
    }
    match wire.tell(standing) {
        Ok(()) => complain(&format_args!("{}: lists and `fail` are as the configuration says now", named(standing))),
        Err(error) => complain(&error),
    }
}

/// What the kernel counted, for whoever stopped the filter.
fn tell_kernel(wire: &Wire) {
    for Port { interface, kernel, .. } in wire.counted() {
        kernel.iter().filter(|(_, n)| **n > 0).for_each(|(cause, n)| complain(&format_args!("{interface}: {cause} {n}")));
    }
}

fn remove(plan: &Plan) -> Result<Done, Failure> {
    // Whoever runs leaves in good order first.
    let lock = Locks::take(plan, true).map_err(said)?;
    let name = plan.name();
    let was_there = Program::remove(&name).map_err(|error| said(format_args!("{name}: {error}")))?;
    drop(lock);
    for port in plan.interfaces().filter_map(|name| dataplane::xdp::Port::open(name).ok()) {
        // Gone is as good as reset.
        let _ = port.set_promiscuous(false);
    }
    complain(&format_args!("{}: {}", named(plan), if was_there { "the filter is off" } else { "there was no filter" }));
    Ok(Done::Well)
}
