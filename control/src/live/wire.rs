//! A filter that stands: program, sockets, workers, carrier.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use dataplane::lane;
use dataplane::live::LaneSide;
use dataplane::world::Network;
use dataplane::xdp::{
    self, Cause, Counts, Error, Gone, Handle, Inspect, Judging, Kernel, Line, Peer, Port, Program, Rings, Setup, Want,
};

use super::before::Before;
use super::carrier::Watch;
use super::control::Told;
use super::lock::{self, Locks, Starting};
use super::placement;
use super::plan::{Kind, Plan};
use super::privileges;
use super::shares::Share;
use super::status;

/// See the module. Dropped without [`Wire::close`] it leaves as a crash would: the kernel forwards by itself.
pub struct Wire {
    program: Program,
    kernel: Kernel,
    workers: Vec<Worker>,
    watches: Vec<Watch>,
    locks: Locks,
    name: String,
    /// Each port: its number in the program, its interface, its worker.
    ports: Vec<(u32, String, String)>,
    choices: Vec<String>,
    /// The ports once more, for whoever looks at them, and how they were.
    looks: Vec<Vec<Port>>,
    /// Receive and transmit queues of each when their sockets were made.
    queues: Vec<(u32, u32)>,
    before: Vec<Before>,
    /// When ports were last seen without the program, and what became of that.
    lost: Option<(Instant, String)>,
    /// Interfaces that were seen to be gone.
    left: BTreeSet<u32>,
    kind: Kind,
    /// Where one port of a pair has no carrier, the other is kept down.
    carries: bool,
    settings: Option<xdp::Settings>,
    /// Held until it stands.
    alone: Option<Starting>,
}

/// One worker: its interfaces, and the thread.
struct Worker {
    name: String,
    handle: Handle,
}

/// Links for XDP, shared memory between two devices, and bounded loops.
const KERNEL: (u32, u32) = (5, 15);

/// Whether this kernel is new enough, or what it lacks.
pub fn kernel() -> Result<String, Error> {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version < KERNEL {
        let (major, minor) = KERNEL;
        return Err(Error::new(format_args!("kernel {release} is too old: {major}.{minor} or later is needed")));
    }
    Ok(release)
}

/// The ports of each line, opened and looked over; nothing is changed.
pub fn ports(plan: &Plan) -> Result<Vec<Vec<Port>>, Error> {
    privileges::suffice().map_err(Error::new)?;
    kernel()?;
    plan.lines.iter().map(|line| line.iter().map(|name| Port::open(name)).collect()).collect()
}

impl Wire {
    /// Opens it, with a side for each worker: what fails leaves nothing behind. No other filter starts here until this one [`stands`](Self::stands).
    pub fn open(plan: &Plan, sides: Vec<LaneSide>, take_over: bool) -> Result<Self, Error> {
        let judging = |side| Judging::new(&lane::Setup { secret: secret(), ..plan.joins.setup() }, side);
        Self::with(plan, sides.into_iter().map(judging).collect(), take_over)
    }

    /// The same for whoever else looks at the frames: [`xdp::Nothing`] makes a bare forwarder, which a filter is compared with.
    pub fn with<I: Inspect + Send + 'static>(plan: &Plan, inspects: Vec<I>, take_over: bool) -> Result<Self, Error> {
        let shares = plan.shares()?;
        if inspects.len() != shares.len() {
            return Err(Error::new(format_args!("{} workers, and {} to look at their frames", shares.len(), inspects.len())));
        }
        let (ports, looks) = (ports(plan)?, ports(plan)?);
        let name = plan.name();
        // Whatever can be wrong is found, and lane and program are ready, before a running filter is asked to leave.
        ports.iter().try_for_each(|line| xdp::Line::fits(line, plan.kind == Kind::Inline))?;
        // From here to the end nobody else loads, pins or takes back what is pinned.
        let alone = Starting::begin()?;
        // Where nobody is to be waited for, the ports are held before anything is loaded.
        let free = if take_over { None } else { Some(Locks::take(plan)?) };
        let swept = Program::sweep(&name, lock::is_locked);
        of_no_other(plan)?;
        let mut program = Program::load(&name)?;
        let before: Vec<Before> = ports.iter().flatten().map(Before::of).collect();
        if take_over {
            lock::announce(plan);
        }
        let mut told = Vec::new();
        let opened = free.map_or_else(|| Locks::take_over(plan, &mut told), Ok).and_then(|mut locks| {
            if program.is_fresh() {
                for (port, before) in ports.iter().flatten().zip(&before) {
                    locks.remember(&port.name, &before.text())?;
                }
            }
            let mut choices =
                swept.into_iter().map(|name| format!("{name}: left pinned, its interfaces are gone: removed")).collect();
            let kernel = Kernel::open(&name)?;
            let workers = set_up(plan, &ports, shares.iter().zip(inspects), &mut program, &mut choices)?;
            Ok((locks, kernel, workers, choices))
        });
        match opened {
            Ok((locks, kernel, workers, choices)) => {
                let worker = |line| shares.iter().find(|share| share.lines.contains(&line)).map(|share| plan.worker(share));
                let numbered = plan.ports().map(|(line, number, port)| (number, port.clone(), worker(line).unwrap_or_default()));
                let ports_of = numbered.collect();
                let mut wire = Self {
                    program,
                    kernel,
                    workers,
                    watches: Vec::new(),
                    locks,
                    name,
                    ports: ports_of,
                    choices,
                    queues: looks.iter().flatten().map(Port::queues).collect(),
                    looks,
                    before,
                    lost: None,
                    left: BTreeSet::new(),
                    kind: plan.kind,
                    carries: plan.kind == Kind::Inline && plan.wire.carry_carrier,
                    settings: Some(plan.settings()),
                    alone: Some(alone),
                };
                match wire.watch(plan, &shares, ports) {
                    Ok(()) => Ok(wire),
                    Err(error) => {
                        wire.abandon();
                        Err(error)
                    }
                }
            }
            Err(error) => {
                // From here on whoever leaves does so to nobody.
                lock::withdraw(plan);
                if !lock::is_held(plan, &told) {
                    // What was left down for this one to watch is watched by nobody.
                    looks.iter().filter_map(|line| cut(plan, line)).for_each(|port| drop(port.set_up(true)));
                }
                undo(program, &looks, &before);
                Err(error)
            }
        }
    }

    fn watch(&mut self, plan: &Plan, shares: &[Share], ports: Vec<Vec<Port>>) -> Result<(), Error> {
        if plan.kind == Kind::Tap {
            return Ok(());
        }
        for ((at, first), line) in (0..).zip((0..).step_by(2)).zip(ports) {
            let worker = shares.iter().zip(&self.workers).find(|(share, _)| share.lines.contains(&at));
            if let (Ok(pair), Some((_, worker))) = (<[Port; 2]>::try_from(line), worker) {
                self.watches.push(Watch::start(pair, first, plan.wire.carry_carrier, worker.handle.carrier())?);
            }
        }
        Ok(())
    }

    /// Every choice that was made, a line each.
    pub fn choices(&self) -> &[String] {
        &self.choices
    }

    /// What it is pinned under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether any of its workers runs. Where one does not, the frames of its ports go by in the kernel.
    pub fn is_alive(&self) -> bool {
        self.workers.iter().any(|worker| worker.handle.is_alive())
    }

    /// What the kernel counts: each port, whose it is, and what became of its frames.
    pub fn counted(&self) -> Vec<status::Port> {
        let port = |(number, interface, worker): &(u32, String, String)| {
            let counts = Cause::ALL.iter().zip(self.kernel.port(*number));
            let unscanned = counts.clone().filter(|(cause, _)| cause.is_unscanned()).map(|(_, n)| n).sum();
            status::Port {
                interface: interface.clone(),
                worker: worker.clone(),
                kernel: counts.filter(|(cause, _)| **cause != Cause::Unused).map(|(cause, n)| (cause.name(), n)).collect(),
                unscanned,
            }
        };
        self.ports.iter().map(port).collect()
    }

    /// The lists of ports and prefixes, and what happens where nobody can look, as the configuration says now. Whether that is
    /// something new.
    pub fn tell(&mut self, plan: &Plan) -> Result<bool, Error> {
        let settings = plan.settings();
        if self.settings.as_ref() == Some(&settings) {
            return Ok(false);
        }
        // Until all of it is written nobody knows what counts.
        self.settings = None;
        self.program.configure(&settings)?;
        self.settings = Some(settings);
        Ok(true)
    }

    /// The start is done: another filter may start here.
    pub fn stands(&mut self) {
        self.alone = None;
    }

    /// The start failed elsewhere, before it stood: what this process attached and pinned goes, and nothing else.
    pub fn abandon(mut self) {
        self.watches.clear();
        leave(&mut self.workers, &mut self.program);
        undo(self.program, &self.looks, &self.before);
    }

    /// What it says of itself now.
    pub fn told(&mut self) -> Told {
        let (mut ports, mut mtus) = (Vec::new(), Vec::new());
        for line in &self.looks {
            let (here, gone): (Vec<&Port>, Vec<&Port>) = line.iter().partition(|port| port.is_here());
            if gone.is_empty() {
                mtus.extend(xdp::Line::fits(line, self.kind == Kind::Inline).err().map(|error| error.to_string()));
                continue;
            }
            let how = |port: &Port| if port.is_there() { "has another name" } else { "is gone" };
            ports.extend(gone.iter().map(|port| format!("{} {}", port.name, how(port))));
            let kept = here.iter().filter(|_| self.carries);
            ports.extend(kept.map(|port| format!("{} is down until it is back", port.name)));
        }
        let said = [("port", ports), ("mtu", mtus)].into_iter().filter(|(_, said)| !said.is_empty());
        let mut troubles: BTreeMap<_, _> = said.map(|(name, said)| (name, said.join("; "))).collect();
        troubles.extend(self.other_queues().map(|why| ("queues", why)));
        troubles.extend(self.without_program().map(|why| ("program", why)));
        Told { ports: self.counted(), mtu: mtu_of(self.looks.iter().flatten()).ok(), troubles }
    }

    /// Ports that somebody took the program off get it back; what became of that within the last minute.
    fn without_program(&mut self) -> Option<String> {
        let mut lost = Vec::new();
        for port in self.looks.iter().flatten().filter(|port| port.is_there()) {
            if !self.program.is_on(port) {
                let name = &port.name;
                lost.push(match self.program.attach_again(port) {
                    Ok(()) => format!("{name} had lost its XDP program, and has it again"),
                    Err(error) => format!("{name} has lost its XDP program ({error}): nothing that comes by it goes on"),
                });
            }
        }
        if !lost.is_empty() {
            self.lost = Some((Instant::now(), lost.join("; ")));
        }
        self.lost.as_ref().filter(|(at, _)| at.elapsed() < Told::STANDS).map(|(_, what)| what.clone())
    }

    /// A port that has not the queues any more whose sockets are there.
    fn other_queues(&self) -> Option<String> {
        let mut ports = self.looks.iter().flatten().zip(&self.queues).filter(|(port, _)| port.is_here());
        let (port, (receive, transmit)) = ports.find(|(port, queues)| port.queues() != **queues)?;
        let (name, now) = (&port.name, port.queues());
        Some(format!(
            "{name} has {} receive and {} transmit queues, and had {receive} and {transmit} when the sockets were made: what comes by others \
             goes by unscanned, or is lost. `--take-over` makes them anew, or give {name} the queues that it had (`ethtool -L`)",
            now.0, now.1
        ))
    }

    /// An interface that was removed and made anew, or was in another namespace for a while: nothing of the filter works on it, and only a new
    /// start puts it there.
    pub fn made_anew(&mut self) -> Option<&str> {
        let all = || self.looks.iter().flatten();
        self.left.extend(all().filter(|port| !port.is_there()).map(|port| port.index));
        let is_another = |port: &&Port| port.is_named() && (!port.is_here() || self.left.contains(&port.index));
        all().find(is_another).map(|port| &*port.name)
    }

    /// The orderly way out: frames go by in the kernel from now on, what lies in the rings is worked. Each worker's counts, or why it has none.
    pub fn close(mut self) -> Vec<(String, Result<Counts, Gone>)> {
        if self.locks.have_a_successor() {
            self.watches.iter().for_each(Watch::hand_over);
        }
        self.watches.clear();
        leave(&mut self.workers, &mut self.program)
    }
}

/// The port of a pair that is down while the other has no carrier: the filter before this one took it down, and it stays so until there is one.
fn cut<'p>(plan: &Plan, line: &'p [Port]) -> Option<&'p Port> {
    let ([a, b], true, Kind::Inline) = (line, plan.wire.carry_carrier, plan.kind) else { return None };
    let is_dead = |port: &Port, other: &Port| !port.is_up() && other.is_up() && other.is_running() == Some(false);
    [(a, b), (b, a)].into_iter().find(|(port, other)| is_dead(port, other)).map(|(port, _)| port)
}

/// Octets of an IP packet that every port of a filter carries. What lies behind them carries no more than everywhere.
pub fn mtu(plan: &Plan) -> Result<usize, Error> {
    mtu_of(ports(plan)?.iter().flatten())
}

fn mtu_of<'p>(ports: impl Iterator<Item = &'p Port>) -> Result<usize, Error> {
    let mut least = Network::default().mtu;
    for port in ports {
        least = least.min(port.mtu()? as usize);
    }
    Ok(least)
}

/// What this start attached and pinned goes, and where nothing stood before the ports are as they were.
fn undo(program: Program, ports: &[Vec<Port>], before: &[Before]) {
    let fresh = program.is_fresh();
    program.undo();
    if fresh {
        before.iter().zip(ports.iter().flatten()).for_each(|(before, port)| before.put_back(port));
    }
}

/// Whether no port has a link of another filter of ours, which a running one would have to leave in vain.
pub fn of_no_other(plan: &Plan) -> Result<(), Error> {
    let (name, interfaces) = (plan.name(), plan.interfaces().map(String::as_str).collect::<Vec<_>>());
    let others = Program::pinned(&interfaces)?;
    let Some((other, links)) = others.into_iter().find(|(other, _)| *other != name) else { return Ok(()) };
    let shared = links.iter().find(|link| interfaces.contains(&link.as_str())).map_or("", |link| link.as_str());
    let command = if other.starts_with("tap-") { "tap" } else { "inline" };
    Err(Error::new(format_args!(
        "{shared} has an XDP program of another filter, pinned as {other}: `ztsms {command} … --remove` with its interfaces ({}) takes it off",
        links.join(", ")
    )))
}

/// All at once: none waits for another to drain.
fn leave(workers: &mut Vec<Worker>, program: &mut Program) -> Vec<(String, Result<Counts, Gone>)> {
    workers.iter_mut().for_each(|worker| worker.handle.leave(program));
    workers.drain(..).map(|mut worker| (worker.name, worker.handle.left())).collect()
}

/// The joins' hashes are keyed anew in each run: what subscribers send cannot choose its place.
fn secret() -> u128 {
    use std::hash::{BuildHasher as _, RandomState};
    let half = || u128::from(RandomState::new().hash_one(0));
    (half() << 64) | half()
}

fn set_up<'s, I: Inspect + Send + 'static>(
    plan: &Plan,
    ports: &[Vec<Port>],
    shares: impl ExactSizeIterator<Item = (&'s Share, I)>,
    program: &mut Program,
    choices: &mut Vec<String>,
) -> Result<Vec<Worker>, Error> {
    program.configure(&plan.settings())?;
    let wire = &plan.wire;
    let rings = Rings {
        size: wire.ring.0,
        huge_pages: wire.huge_pages,
        busy_poll_us: (wire.busy_poll_us > 0).then_some(wire.busy_poll_us),
    };
    program.forget_others(&ports.iter().flatten().map(|port| port.index).collect::<Vec<_>>())?;
    let mut lines = Vec::new();
    let mut first = 0;
    for line in ports {
        // Only what stood before has taken a port down.
        let cut = if program.is_fresh() { None } else { cut(plan, line).map(|port| port.index) };
        for (number, port) in (first..).zip(line) {
            Before::prepare(plan.kind, port, cut == Some(port.index))?;
            let peer = if plan.kind == Kind::Tap { Peer::Stack } else { Peer::Port(number ^ 1) };
            program.port(number, port, peer)?;
        }
        let want = Want { ports: line, first, forward: plan.kind == Kind::Inline, rings };
        let line = Line::new(&want, program)?;
        choices.extend(line.choices.iter().cloned());
        lines.push(Some(line));
        first += 2;
    }
    program.straighten(ports.iter().flatten())?;
    for port in ports.iter().flatten() {
        let attached = program.attach(port)?;
        let how = attached.mode.map_or("link updated, never detached", |mode| mode.name());
        choices.push(format!("{}: {how}", port.name));
        choices.extend(attached.strayed.map(|other| format!("{}: its link led to {other}: it is off that one", port.name)));
    }
    program.pin()?;
    let heartbeat_ns = u64::from(wire.heartbeat_ms.0) * 1_000_000;
    let fail = if plan.settings().fail_closed { "closed" } else { "open" };
    let idle = if wire.spin { "never sleeps" } else { "sleeps when idle" };
    let ms = wire.heartbeat_ms.0;
    let several = shares.len() > 1;
    let mut workers = Vec::new();
    let mut placed: Vec<(&Port, Option<usize>)> = Vec::new();
    for (number, (share, inspect)) in (1..).zip(shares) {
        placed.extend(share.lines.iter().filter_map(|&at| ports.get(at)).flatten().map(|port| (port, share.core)));
        let own = share.lines.iter().filter_map(|&at| lines.get_mut(at)?.take()).collect();
        let number = several.then_some(number);
        let setup = Setup { number, core: share.core, heartbeat_ns, spin: wire.spin, settled: || privileges::keep_only(&[]) };
        match xdp::start(own, inspect, setup, program) {
            Ok(handle) => workers.push(Worker { name: plan.worker(share), handle }),
            Err(error) => {
                leave(&mut workers, program);
                return Err(error);
            }
        }
        choices.push(format!("worker{}: {}", number.map(|number| format!(" {number}")).unwrap_or_default(), plan.says(share)));
    }
    choices.extend(placement::hints_here(placed.into_iter()).into_iter().map(|hint| format!("better: {hint}")));
    choices.push(format!("heartbeat {ms} ms, fails {fail}, {idle}"));
    Ok(workers)
}
