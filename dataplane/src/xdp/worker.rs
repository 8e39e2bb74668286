//! The thread that works the queues: batches in, batches out, a heartbeat each round.
//!
//! No allocation, lock, log or system call in a round beyond the wake-ups of the kernel; a round without a frame sleeps until one comes,
//! a fifth of the heartbeat's age at most.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::os::fd::RawFd;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::clock::{monotonic_ns, realtime_ns};
use super::error::Error;
use super::program::Program;
use super::sockets::{self, Line};
use crate::live::Queue as Level;
use crate::pin;

/// Whoever looks at frames.
pub trait Inspect {
    /// A batch begins at this time of day.
    fn begin(&mut self, time_ns: u64);
    /// Whether the transmit ring is nearly full: rewriting is given up before a frame is.
    fn pressure(&mut self, tight: bool);
    /// One frame.
    fn frame(&mut self, bytes: &[u8]);
    /// What goes on in place of the last frame: nothing where it goes on as it is, two packets at most.
    fn changed(&self) -> impl Iterator<Item = &[u8]>;
    /// So many frames took so long each, from reception to transmission.
    fn took(&mut self, ns: u64, frames: u64);
    /// Ten times a second.
    fn publish(&mut self, time_ns: u64, report: &Report<'_>);
}

/// Looks at nothing: a forwarder with the same rings, to compare with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Inspect for Nothing {
    fn begin(&mut self, _: u64) {}
    fn pressure(&mut self, _: bool) {}
    fn frame(&mut self, _: &[u8]) {}
    fn changed(&self) -> impl Iterator<Item = &[u8]> {
        core::iter::empty()
    }
    fn took(&mut self, _: u64, _: u64) {}
    fn publish(&mut self, _: u64, _: &Report<'_>) {}
}

/// What the worker counts itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rounds of the loop.
    pub rounds: u64,
    /// Frames taken out of the receive rings.
    pub frames: u64,
    /// Frames that left changed.
    pub rewritten: u64,
    /// Of those, as two packets.
    pub second: u64,
    /// Frames that would have left changed and did not, for want of a spare chunk.
    pub no_spare: u64,
    /// Frames thrown away after the heartbeat lapsed.
    pub thrown_away: u64,
    /// How often it lapsed.
    pub lapses: u64,
    /// Batches that met a transmit ring nearly full.
    pub tight: u64,
    /// Frames for a port that has no carrier.
    pub no_carrier: u64,
}

impl Counts {
    /// All, by the name in counters.
    pub const fn named(&self) -> [(&'static str, u64); 9] {
        [
            ("rounds", self.rounds),
            ("frames", self.frames),
            ("rewritten", self.rewritten),
            ("second packets", self.second),
            ("no spare chunk", self.no_spare),
            ("thrown away after a lapse", self.thrown_away),
            ("heartbeat lapses", self.lapses),
            ("transmit ring nearly full", self.tight),
            ("no carrier", self.no_carrier),
        ]
    }
}

/// What is published.
pub struct Report<'a> {
    /// The worker's counts.
    pub counts: &'a Counts,
    /// Its queues.
    pub queues: &'a [Level],
}

/// How the worker runs.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Its number where there are several, which its thread's name ends in.
    pub number: Option<usize>,
    /// The core that it is pinned to.
    pub core: Option<usize>,
    /// The age at which its heartbeat has lapsed.
    pub heartbeat_ns: u64,
    /// Never sleeps.
    pub spin: bool,
    /// What the thread does once it is where it belongs, before its first round: it gives up its privileges.
    pub settled: fn(),
}

/// What the worker and its keeper share.
#[derive(Debug, Default)]
struct Flags {
    stop: AtomicBool,
    /// A bit for each port without carrier.
    down: AtomicU32,
    rounds: AtomicU64,
}

/// The keeper's side of a worker.
pub struct Handle {
    thread: Option<JoinHandle<Counts>>,
    flags: Arc<Flags>,
    sockets: Vec<(u32, RawFd)>,
    /// When it was told to leave.
    told: Option<Instant>,
}

/// Why a worker has no last counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// Its thread ended by itself.
    BrokeDown,
    /// It did not leave when it was told to.
    Hangs,
}

/// What carrier watching tells a worker.
#[derive(Clone)]
pub struct Carrier(Arc<Flags>);

impl Carrier {
    /// The port of this number has a carrier, or none: frames for one without are dropped, as a cable would.
    pub fn set(&self, port: u32, up: bool) {
        let bit = 1 << (port & 31);
        if up {
            self.0.down.fetch_and(!bit, Ordering::Release)
        } else {
            self.0.down.fetch_or(bit, Ordering::Release)
        };
    }
}

const SECOND: u64 = 1_000_000_000;
const PUBLISH_NS: u64 = SECOND / 10;
/// What may still be on its way to a socket that was taken out.
const DRAIN_NS: u64 = SECOND / 20;
/// A receiver that never takes its frames keeps nobody from leaving.
const LEAVE_NS: u64 = SECOND / 2;
/// Nor does a worker that hangs: its sockets end with the process.
const HANGS: Duration = Duration::from_secs(2);

/// Starts the worker and, once it beats, lets the program hand frames to it.
pub fn start<I: Inspect + Send + 'static>(
    lines: Vec<Line>,
    inspect: I,
    setup: Setup,
    program: &mut Program,
) -> Result<Handle, Error> {
    let flags = Arc::new(Flags::default());
    let sockets: Vec<_> = lines.iter().flat_map(Line::sockets).collect();
    let shared = Arc::clone(&flags);
    let run = move || Worker::new(lines, inspect, setup, shared).run();
    let name = setup.number.map_or_else(|| "ztsms-lane".to_owned(), |number| format!("ztsms-lane-{number}"));
    let thread = thread::Builder::new().name(name).spawn(run);
    let thread = thread.map_err(|error| Error::system("start the worker", &error))?;
    let mut handle = Handle { thread: Some(thread), flags, sockets, told: None };
    let started = Instant::now();
    while handle.flags.rounds.load(Ordering::Acquire) == 0 {
        if !handle.is_alive() || started.elapsed() > Duration::from_secs(10) {
            return Err(Error::new("the worker did not start"));
        }
        thread::sleep(Duration::from_millis(1));
    }
    if let Err(error) = handle.bind(program) {
        handle.leave(program);
        // What it counted until then is of no use.
        let _ = handle.left();
        return Err(error);
    }
    Ok(handle)
}

impl Handle {
    fn bind(&self, program: &mut Program) -> Result<(), Error> {
        self.sockets.iter().try_for_each(|&(key, fd)| program.bind(key, fd))
    }

    /// Whether the thread runs.
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// For whoever watches the carrier.
    pub fn carrier(&self) -> Carrier {
        Carrier(Arc::clone(&self.flags))
    }

    /// The orderly way out: new frames go by in the kernel, what lies in the rings is worked, then the sockets close.
    pub fn leave(&mut self, program: &mut Program) {
        self.sockets.iter().for_each(|&(key, _)| program.unbind(key));
        self.flags.stop.store(true, Ordering::Release);
        self.told = Some(Instant::now());
    }

    /// The last counts of a worker that was told to [`Handle::leave`].
    ///
    /// # Errors
    /// It has none: it broke down before, or hangs and is left behind.
    pub fn left(&mut self) -> Result<Counts, Gone> {
        let Some(thread) = self.thread.take() else { return Err(Gone::BrokeDown) };
        while !thread.is_finished() {
            if self.told.is_none_or(|told| told.elapsed() > HANGS) {
                return Err(Gone::Hangs);
            }
            thread::sleep(Duration::from_millis(1));
        }
        thread.join().map_err(|_| Gone::BrokeDown)
    }
}

struct Worker<I> {
    lines: Vec<Line>,
    inspect: I,
    setup: Setup,
    flags: Arc<Flags>,
    counts: Counts,
    levels: Vec<Level>,
    polled: Vec<libc::pollfd>,
}

impl<I: Inspect> Worker<I> {
    fn new(lines: Vec<Line>, inspect: I, setup: Setup, flags: Arc<Flags>) -> Self {
        let poll = |(_, fd)| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let polled: Vec<_> = lines.iter().flat_map(Line::sockets).map(poll).collect();
        Self { inspect, setup, flags, counts: Counts::default(), levels: Vec::with_capacity(polled.len()), polled, lines }
    }

    fn run(mut self) -> Counts {
        if let Some(core) = self.setup.core {
            // A core that went away since it was asked for: any other does.
            let _ = pin::to_core(core);
        }
        let _ = pin::first();
        (self.setup.settled)();
        let (mut last, mut published) = (monotonic_ns(), 0);
        let (mut stopping, mut quiet): (Option<u64>, u64) = (None, 0);
        loop {
            let now = monotonic_ns();
            if now.saturating_sub(last) > self.setup.heartbeat_ns {
                self.lapsed();
            }
            last = now;
            self.lines.iter().for_each(|line| line.beat(now));
            let frames = self.round();
            self.counts.rounds += 1;
            self.flags.rounds.store(self.counts.rounds, Ordering::Release);
            if frames > 0 {
                self.counts.frames += frames;
                self.inspect.took(monotonic_ns() - now, frames);
            }
            if now.saturating_sub(published) > PUBLISH_NS {
                self.publish();
                published = now;
            }
            if self.flags.stop.load(Ordering::Acquire) {
                let since = *stopping.get_or_insert(now);
                quiet = if frames > 0 || quiet == 0 { now } else { quiet };
                let sent = self.lines.iter().all(|line| line.in_flight() == 0);
                if (now - quiet > DRAIN_NS && sent) || now - since > LEAVE_NS {
                    self.publish();
                    return self.counts;
                }
            }
            if frames == 0 {
                self.idle(stopping.is_some());
            }
        }
    }

    /// One batch of every queue.
    fn round(&mut self) -> u64 {
        let Self { lines, inspect, counts, flags, .. } = self;
        let down = flags.down.load(Ordering::Acquire);
        inspect.begin(realtime_ns());
        let mut frames = 0;
        for line in lines {
            for at in 0..line.len() {
                frames += line.serve(at, down, inspect, counts) as u64;
            }
        }
        frames
    }

    fn lapsed(&mut self) {
        self.counts.lapses += 1;
        self.counts.thrown_away += self.lines.iter_mut().map(Line::throw_away).sum::<u64>();
    }

    fn publish(&mut self) {
        let Self { lines, levels, inspect, counts, .. } = self;
        levels.clear();
        lines.iter_mut().for_each(|line| line.levels(|level| levels.push(level)));
        inspect.publish(realtime_ns(), &Report { counts, queues: levels });
    }

    fn idle(&mut self, stopping: bool) {
        self.lines.iter_mut().for_each(Line::nudge);
        if self.setup.spin {
            core::hint::spin_loop();
            return;
        }
        let most = i32::try_from(self.setup.heartbeat_ns / 5_000_000).unwrap_or(10).max(1);
        let timeout = if stopping { 1 } else { most };
        let len = self.polled.len() as libc::nfds_t;
        // SAFETY: an array of ours and its length. Whatever it returns, the next round looks.
        unsafe { libc::poll(self.polled.as_mut_ptr(), len, timeout) };
    }
}

impl Program {
    /// As [`Program::set`], with the longest frame that the sockets take.
    pub fn configure(&mut self, settings: &super::Settings) -> Result<(), Error> {
        self.set(settings, sockets::max_len())
    }
}
