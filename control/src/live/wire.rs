//! A filter that stands: program, sockets, worker, carrier.

use std::fs;

use dataplane::lane;
use dataplane::live::LaneSide;
use dataplane::pin;
use dataplane::xdp::{self, Counts, Error, Handle, Inspect, Judging, Kernel, Line, Peer, Port, Program, Rings, Setup, Want};

use super::carrier::Watch;
use super::lock::Locks;
use super::placement;
use super::plan::{Kind, Plan};
use super::privileges;

/// See the module. Dropped without [`Wire::close`] it leaves as a crash would: the kernel forwards by itself.
pub struct Wire {
    program: Program,
    handle: Handle,
    watches: Vec<Watch>,
    _locks: Locks,
    name: String,
    interfaces: Vec<String>,
    choices: Vec<String>,
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
    /// Opens it: what fails leaves nothing behind.
    pub fn open(plan: &Plan, side: LaneSide, take_over: bool) -> Result<Self, Error> {
        Self::with(plan, Judging::new(&lane::Setup { secret: secret(), ..plan.joins.setup() }, side), take_over)
    }

    /// The same for whoever else looks at the frames: [`xdp::Nothing`] makes a bare forwarder, which a filter is compared with.
    pub fn with(plan: &Plan, inspect: impl Inspect + Send + 'static, take_over: bool) -> Result<Self, Error> {
        let ports = ports(plan)?;
        let name = plan.name();
        // Lane and program are ready before a running filter is asked to leave.
        let mut program = Program::load(&name)?;
        let opened = Locks::take(plan, take_over).and_then(|locks| {
            let mut choices = Vec::new();
            let handle = set_up(plan, &ports, inspect, &mut program, &mut choices)?;
            Ok((locks, handle, choices))
        });
        match opened {
            Ok((locks, handle, choices)) => {
                let interfaces = plan.interfaces().cloned().collect();
                let mut wire = Self { program, handle, watches: Vec::new(), _locks: locks, name, interfaces, choices };
                wire.watch(plan, ports)?;
                Ok(wire)
            }
            Err(error) => {
                program.undo();
                Err(error)
            }
        }
    }

    fn watch(&mut self, plan: &Plan, ports: Vec<Vec<Port>>) -> Result<(), Error> {
        if plan.kind == Kind::Tap {
            return Ok(());
        }
        for (first, line) in (0..).step_by(2).zip(ports) {
            if let Ok(pair) = <[Port; 2]>::try_from(line) {
                self.watches.push(Watch::start(pair, first, plan.wire.carry_carrier, self.handle.carrier())?);
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

    /// Its interfaces, in the order of their numbers.
    pub fn interfaces(&self) -> &[String] {
        &self.interfaces
    }

    /// Whether its worker runs.
    pub fn is_alive(&self) -> bool {
        self.handle.is_alive()
    }

    /// What the kernel counts.
    pub fn kernel(&self) -> Result<Kernel, Error> {
        Kernel::open(&self.name)
    }

    /// The lists of ports and prefixes, and what happens where nobody can look, as the configuration says now.
    pub fn tell(&mut self, plan: &Plan) -> Result<(), Error> {
        self.program.configure(&plan.settings())
    }

    /// The start failed elsewhere: what this process attached and pinned goes, and nothing else.
    pub fn abandon(mut self) {
        self.watches.clear();
        self.handle.stop(&mut self.program);
        self.program.undo();
    }

    /// The orderly way out: frames go by in the kernel from now on, what lies in the rings is worked. The worker's counts.
    pub fn close(mut self) -> Option<Counts> {
        self.watches.clear();
        self.handle.stop(&mut self.program)
    }
}

/// The joins' hashes are keyed anew in each run: what subscribers send cannot choose its place.
fn secret() -> u128 {
    use std::hash::{BuildHasher as _, RandomState};
    let half = || u128::from(RandomState::new().hash_one(0));
    (half() << 64) | half()
}

fn set_up(
    plan: &Plan,
    ports: &[Vec<Port>],
    inspect: impl Inspect + Send + 'static,
    program: &mut Program,
    choices: &mut Vec<String>,
) -> Result<Handle, Error> {
    program.configure(&plan.settings())?;
    let wire = &plan.wire;
    let rings = Rings {
        size: wire.ring.0,
        huge_pages: wire.huge_pages,
        busy_poll_us: (wire.busy_poll_us > 0).then_some(wire.busy_poll_us),
    };
    let mut lines = Vec::new();
    let mut first = 0;
    for line in ports {
        for (number, port) in (first..).zip(line) {
            prepare(plan.kind, port)?;
            let peer = if plan.kind == Kind::Tap { Peer::Stack } else { Peer::Port(number ^ 1) };
            program.port(number, port, peer)?;
        }
        let want = Want { ports: line, first, forward: plan.kind == Kind::Inline, rings };
        let line = Line::new(&want, program)?;
        choices.extend(line.choices.iter().cloned());
        lines.push(line);
        first += 2;
    }
    for port in ports.iter().flatten() {
        let how = program.attach(port)?.mode.map_or("link updated, never detached", |mode| mode.name());
        choices.push(format!("{}: {how}", port.name));
    }
    program.pin()?;
    let core = wire.core.or_else(|| pin::cores().last().copied());
    let heartbeat_ns = u64::from(wire.heartbeat_ms.0) * 1_000_000;
    let fail = if plan.settings().fail_closed { "closed" } else { "open" };
    let core_said = core.map_or_else(|| "unpinned".to_owned(), |core| format!("core {core}"));
    let idle = if wire.spin { "never sleeps" } else { "sleeps when idle" };
    let ms = wire.heartbeat_ms.0;
    let hints = placement::hints_here(ports.iter().flatten(), core);
    choices.extend(hints.into_iter().map(|hint| format!("better: {hint}")));
    choices.push(format!("worker: {core_said}, {idle}; heartbeat {ms} ms, fails {fail}"));
    xdp::start(lines, inspect, Setup { core, heartbeat_ns, spin: wire.spin, settled: || privileges::keep_only(&[]) }, program)
}

/// Up, and for a pair: every frame whatever its address, and nothing of our own on the line.
fn prepare(kind: Kind, port: &Port) -> Result<(), Error> {
    if kind == Kind::Inline {
        let path = format!("/proc/sys/net/ipv6/conf/{}/disable_ipv6", port.name);
        // Without IPv6 in the kernel there is nothing to turn off.
        let _ = fs::write(path, "1");
    }
    port.set_promiscuous(true)?;
    if port.is_up() { Ok(()) } else { port.set_up(true) }
}
