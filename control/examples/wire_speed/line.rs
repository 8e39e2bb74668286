//! Two cables with something between them: devmap redirect, a bare forwarder, the filter, or nothing of ours.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use control::config;
use control::live::lab::{Nets, frame, messages, renumber};
use dataplane::lane;
use dataplane::live::{self, Stage};
use dataplane::scan::Scanner;
use dataplane::suffix::Suffixes;
use dataplane::world::{Network, World};
use dataplane::xdp::{
    Handle, Inspect, Judging, Line, Nothing, Peer, Port, Program, Raw, Report, Rings, Settings, Setup, Want, start,
};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;
/// What crosses a thread.
pub(crate) type Said<T> = std::result::Result<T, String>;

/// What stands between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Devmap,
    Bare,
    Inline,
    Tap,
}

impl What {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Devmap => "devmap alone",
            Self::Bare => "bare AF_XDP",
            Self::Inline => "inline",
            Self::Tap => "tap",
        }
    }
}

fn world() -> Result<World> {
    let suffixes = Suffixes::built_in();
    let table = control::builtin::table(&suffixes)?;
    let policy = config::load_with(None, [])?.policy;
    Ok(World { scanner: Scanner::default(), suffixes, table, policy, network: Network::default() })
}

/// Frames of about these many octets, TSNs aside; a quarter of the messages has a link.
pub(crate) fn frames(octets: usize) -> Result<Vec<Vec<u8>>> {
    let all = messages(4000, 1, 0.25, &world()?)?;
    let payloads: Vec<&[u8]> = all.iter().map(|message| message.sent.as_slice()).collect();
    Ok(match octets {
        64 => vec![frame(&[&[1, 0, 3, 3, 0, 0, 0, 8]], 1)],
        300 => payloads.iter().map(|payload| frame(&[*payload], 1)).collect(),
        _ => payloads.chunks_exact(6).map(|six| frame(six, 1)).filter(|frame| frame.len() <= 1514).collect(),
    })
}

/// Opens an end of the wire from a thread of its own, so that this one stays where it is.
pub(crate) fn raw(nets: &Nets, which: char, interface: &str) -> Said<Raw> {
    nets.enter(which).map_err(|error| error.to_string())?;
    Raw::open(interface).map_err(|error| error.to_string())
}

/// Sends until told to stop, at this rate or, at 0, as fast as it can. How many frames the line took.
pub(crate) fn send(nets: &Nets, mut frames: Vec<Vec<u8>>, pace: u64, stop: &AtomicBool) -> u64 {
    let _ = (dataplane::pin::to_core(0), dataplane::pin::first());
    let Ok(raw) = raw(nets, 'a', "a0") else { return 0 };
    let (mut sent, mut tsn) = (0_u64, 1_u32);
    let begin = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        for frame in &mut frames {
            renumber(frame, tsn);
            tsn = tsn.wrapping_add(1);
            sent += u64::from(raw.send(frame).is_ok());
            // Paced: bursts of a batch, so that what the worker spends is a frame's and not that of looking for one.
            if pace > 0 && sent.is_multiple_of(64) {
                let due = Duration::from_nanos(sent * 1_000_000_000 / pace);
                thread::sleep(due.saturating_sub(begin.elapsed()));
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        }
    }
    sent
}

/// What a worker waits at before each batch, and how many frames it has worked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    pub(crate) is_shut: Arc<AtomicBool>,
    pub(crate) worked: Arc<AtomicU64>,
}

/// Whoever looks at frames, behind a gate.
struct Gated<I> {
    inner: I,
    gate: Gate,
}

impl<I: Inspect> Inspect for Gated<I> {
    fn begin(&mut self, time_ns: u64) {
        while self.gate.is_shut.load(Ordering::Acquire) {
            thread::sleep(Duration::from_micros(50));
        }
        self.inner.begin(time_ns);
    }
    fn pressure(&mut self, tight: bool) {
        self.inner.pressure(tight);
    }
    #[inline]
    fn frame(&mut self, bytes: &[u8]) {
        self.inner.frame(bytes);
    }
    fn changed(&self) -> impl Iterator<Item = &[u8]> {
        self.inner.changed()
    }
    fn took(&mut self, ns: u64, frames: u64) {
        self.inner.took(ns, frames);
        self.gate.worked.fetch_add(frames, Ordering::Release);
    }
    fn publish(&mut self, time_ns: u64, report: &Report<'_>) {
        self.inner.publish(time_ns, report);
    }
}

/// What stands, until it is stopped.
pub(crate) struct Standing {
    pub(crate) name: String,
    pub(crate) gate: Gate,
    program: Program,
    handle: Option<Handle>,
    notes: Option<Notes>,
}

/// The control side of a filter: takes the notes and reads them, as often as the real one does, and writes no records.
struct Notes {
    over: Arc<AtomicBool>,
    thread: thread::JoinHandle<u64>,
}

/// What was counted while something stood.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stood {
    /// Frames that it changed.
    pub(crate) rewritten: u64,
    /// Messages whose note found no room.
    pub(crate) lost: u64,
}

impl Standing {
    /// Puts it between `a1` and `b1`; the calling thread is in their namespace.
    pub(crate) fn new(nets: &Nets, what: What) -> Said<Self> {
        let text = |error: dataplane::xdp::Error| error.to_string();
        let name = format!("speed{}", nets.suffix());
        let forward = what != What::Tap;
        let mut program = Program::load(&name).map_err(text)?;
        program.configure(&Settings { heartbeat_ns: 1_000_000_000, ..Settings::default() }).map_err(text)?;
        let ports = [Port::open("a1").map_err(text)?, Port::open("b1").map_err(text)?];
        for (n, port) in (0..).zip(&ports) {
            program.port(n, port, if forward { Peer::Port(n ^ 1) } else { Peer::Stack }).map_err(text)?;
        }
        let want = Want { ports: &ports, first: 0, forward, rings: Rings::default() };
        let line = if what == What::Devmap { None } else { Some(Line::new(&want, &program).map_err(text)?) };
        for port in &ports {
            program.attach(port).map_err(text)?;
        }
        let core = dataplane::pin::cores().last().copied();
        let setup = Setup { number: None, core, heartbeat_ns: 1_000_000_000, spin: false, settled: || () };
        let (mut notes, gate) = (None, Gate::default());
        let handle = match (what, line) {
            (What::Bare, Some(line)) => {
                let inspect = Gated { inner: Nothing, gate: gate.clone() };
                Some(start(vec![line], inspect, setup, &mut program).map_err(text)?)
            }
            (_, Some(line)) => {
                let (judging, taken) = judging().map_err(|error| error.to_string())?;
                notes = Some(taken);
                let inspect = Gated { inner: judging, gate: gate.clone() };
                Some(start(vec![line], inspect, setup, &mut program).map_err(text)?)
            }
            (_, None) => None,
        };
        Ok(Self { name, gate, program, handle, notes })
    }

    /// Takes it away.
    pub(crate) fn stop(mut self) -> Stood {
        let counts = self.handle.as_mut().and_then(|handle| {
            handle.leave(&mut self.program);
            handle.left().ok()
        });
        self.program.undo();
        let lost = self.notes.take().and_then(|notes| {
            notes.over.store(true, Ordering::Relaxed);
            notes.thread.join().ok()
        });
        Stood { rewritten: counts.map_or(0, |counts| counts.rewritten), lost: lost.unwrap_or_default() }
    }
}

fn judging() -> Result<(Judging, Notes)> {
    let worlds = live::Worlds::new(world()?, Stage::all());
    let (side, mut control) = worlds.channel(&live::Setup::default());
    let over = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&over);
    let thread = thread::Builder::new().name("ztsms-control".to_owned()).spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            if control.drain(1024, &worlds, |_| {}) == 0 {
                thread::sleep(Duration::from_millis(2));
            }
        }
        control.state().lost.notes
    })?;
    Ok((Judging::new(&lane::Setup::default(), side), Notes { over, thread }))
}

/// Runs this beside a sender, on a thread in the namespace between.
pub(crate) fn between<T: Send>(
    frames: Vec<Vec<u8>>,
    pace: u64,
    run: impl FnOnce(&Nets, &Arc<AtomicBool>) -> Said<T> + Send,
) -> Result<T> {
    let nets = Nets::new("speed")?;
    let stop = Arc::new(AtomicBool::new(false));
    let result = thread::scope(|scope| {
        let sending = scope.spawn(|| send(&nets, frames, pace, &stop));
        let running = scope.spawn(|| {
            nets.enter('f').map_err(|error| error.to_string())?;
            run(&nets, &stop)
        });
        let result = running.join();
        stop.store(true, Ordering::Relaxed);
        let _ = sending.join();
        result
    });
    Ok(result.map_err(|_| "a thread broke down")??)
}
