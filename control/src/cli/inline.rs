//! `ztsms inline`: between two ports, changing what subscribers receive; and what both live modes share.

use std::time::Duration;

use dataplane::live::{Setup, Stage};
use dataplane::xdp::{Cause, Program};
use rustix::process::Signal;
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

use super::args::{Inline, Wire as Args};
use super::judge::said;
use super::{Done, Failure, complain};
use crate::config::{self, Config};
use crate::live::admin::Command;
use crate::live::lock::Locks;
use crate::live::{self, Control, Plan, Source, Wire};

/// Between two looks at signals.
const LOOK: Duration = Duration::from_millis(10);

/// Which of the two live modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Tap,
    Inline,
}

/// Runs the command.
pub(super) fn run(args: &Inline) -> Result<Done, Failure> {
    for (asked, signal, done) in [
        (args.pass, Signal::USR1, "nothing is rewritten any more; `--rewrite` takes that back"),
        (args.rewrite, Signal::USR2, "rewriting again, as far as the configuration says"),
    ] {
        if asked {
            return match Locks::tell(&args.between, signal) {
                0 => Err(Failure::Said("no filter runs here".to_owned())),
                told => {
                    complain(&format_args!("{told} filter(s): {done}"));
                    Ok(Done::Well)
                }
            };
        }
    }
    let config = config::load(args.wire.config.as_deref()).map_err(said)?;
    let plan = Plan::inline(&args.between, &config).map_err(said)?;
    stand(&plan, config, &args.wire, Mode::Inline)
}

/// Takes the filter off, or stands until told to leave.
pub(super) fn stand(plan: &Plan, config: Config, args: &Args, mode: Mode) -> Result<Done, Failure> {
    if args.remove {
        return remove(plan);
    }
    let samples_a_second = config.unscanned.a_second;
    let (start, mut worlds) = live::prepare(config, args.config.as_deref(), args.verdicts.clone()).map_err(said)?;
    if mode == Mode::Tap {
        // A tap sees copies: whatever it would change is gone already.
        worlds.set_stage(Stage::observe());
    }
    let enforces = worlds.current().stage.enforces();
    let (side, notes) = worlds.channel(&Setup { samples_a_second, ..Setup::default() });
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGUSR1, SIGUSR2])?;
    let wire = Wire::open(plan, side, args.take_over).map_err(said)?;
    for choice in wire.choices() {
        complain(choice);
    }
    let source = Source { name: wire.interfaces().join("-"), side: notes };
    // It reads the configuration again at SIGHUP by itself.
    let control = match Control::start(start, worlds, vec![source]) {
        Ok(control) => control,
        Err(error) => {
            // In good order, as at any stop.
            wire.close();
            return Err(said(error));
        }
    };
    control.ready();
    complain(&format_args!(
        "{}: {}, {}",
        wire.interfaces().join(" - "),
        if mode == Mode::Tap { "watching" } else { "standing between" },
        if enforces { "rewriting" } else { "observing only" }
    ));
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
        alive = wire.is_alive();
        std::thread::sleep(LOOK);
    }
    tell(&wire);
    let interfaces = wire.interfaces().join(" - ");
    let closed = wire.close();
    // What is in the rings is written before it ends.
    drop(control);
    let Some(counts) = closed else {
        return Err(Failure::Said(format!("{interfaces}: the worker broke down; frames go by in the kernel")));
    };
    for (name, count) in counts.named() {
        complain(&format_args!("worker: {name} {count}"));
    }
    Ok(Done::Well)
}

/// What the kernel counted, for whoever stopped the filter.
fn tell(wire: &Wire) {
    let Ok(kernel) = wire.kernel() else { return };
    for (number, interface) in (0..).zip(wire.interfaces()) {
        let counts = kernel.port(number);
        for (cause, count) in Cause::ALL.iter().zip(counts).filter(|(_, count)| *count > 0) {
            complain(&format_args!("{interface}: {} {count}", cause.name()));
        }
    }
}

fn remove(plan: &Plan) -> Result<Done, Failure> {
    // Whoever runs leaves in good order first.
    let interfaces: Vec<String> = plan.interfaces().cloned().collect();
    let lock = Locks::take(plan, true).map_err(said)?;
    let name = plan.name();
    let was_there = Program::remove(&name).map_err(|error| said(format_args!("{name}: {error}")))?;
    drop(lock);
    for port in interfaces.iter().filter_map(|name| dataplane::xdp::Port::open(name).ok()) {
        // Gone is as good as reset.
        let _ = port.set_promiscuous(false);
    }
    let interfaces = interfaces.join(" - ");
    complain(&format_args!("{interfaces}: {}", if was_there { "the filter is off" } else { "there was no filter" }));
    Ok(Done::Well)
}
