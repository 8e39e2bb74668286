//! A cable would lose its carrier at both ends at once: what one port of a pair loses is carried to the other, and back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use dataplane::xdp::{Carrier, Error, Port};

use super::privileges;

/// Looked at so often. A loss is carried over within two looks.
const LOOK: Duration = Duration::from_millis(10);
/// What a port may take to find its carrier again after it was set up.
const TRAINING: Duration = Duration::from_secs(10);

/// Watches until it is dropped; then ports that it took down are up again, unless another watches from then on.
pub struct Watch {
    stop: Arc<AtomicBool>,
    keep: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Watches one pair, whose first port has this number. With `carry` a loss is carried over; without, only frames for a port without
    /// carrier are dropped. A port that is down was taken down so by the filter whose place this one takes.
    pub fn start(ports: [Port; 2], first: u32, carry: bool, carrier: Carrier) -> Result<Self, Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let keep = Arc::<AtomicBool>::default();
        let (flag, kept) = (Arc::clone(&stop), Arc::clone(&keep));
        let cut = match ports.each_ref().map(Port::is_up) {
            [true, false] if carry => Some(End::Second),
            [false, true] if carry => Some(End::First),
            _ => None,
        };
        let run = move || {
            privileges::keep_only(&["CAP_NET_ADMIN"]);
            let mut pair = Pair { ports, carrier, first, carry, cut, restored: None, gone: [false; 2] };
            while !flag.load(Ordering::Acquire) {
                pair.look();
                thread::sleep(LOOK);
            }
            if !kept.load(Ordering::Acquire) {
                pair.restore();
            }
        };
        let thread = thread::Builder::new().name("ztsms-carrier".to_owned()).spawn(run);
        let thread = thread.map_err(|error| Error::new(format_args!("cannot watch the carrier: {error}")))?;
        Ok(Self { stop, keep, thread: Some(thread) })
    }

    /// The next filter watches from here: a line that is dead is not announced in between.
    pub fn hand_over(&self) {
        self.keep.store(true, Ordering::Release);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A watcher that panicked has nothing left to restore.
            let _ = thread.join();
        }
    }
}

struct Pair {
    ports: [Port; 2],
    carrier: Carrier,
    first: u32,
    carry: bool,
    /// The port that we took down because the other lost its carrier.
    cut: Option<End>,
    /// The port that we set up again, and when: it may not have its carrier yet.
    restored: Option<(End, Instant)>,
    /// Ports whose interface was removed, or moved to another namespace. What has their name now has no program or no socket on it, whatever
    /// its carrier says. One with another name is none of them: it has both, and can be had again by the name that it had.
    gone: [bool; 2],
}

impl Pair {
    fn look(&mut self) {
        for (gone, port) in self.gone.iter_mut().zip(&self.ports) {
            *gone |= !port.is_there();
        }
        let [a, b] = &self.ports;
        let runs = |(port, gone): (&Port, bool)| !gone && port.is_here() && port.is_running().unwrap_or(false);
        let [a, b] = [(a, self.gone[0]), (b, self.gone[1])].map(runs);
        self.carrier.set(self.first, a);
        self.carrier.set(self.first + 1, b);
        if !self.carry {
            return;
        }
        if let Some(cut) = self.cut {
            if cut.other().of(a, b) {
                self.restore();
            }
            return;
        }
        if let Some((end, since)) = self.restored {
            if !self.is_broken() && !end.of(a, b) && since.elapsed() < TRAINING {
                return;
            }
            self.restored = None;
        }
        let cut = match (a, b) {
            (false, true) => End::Second,
            (true, false) => End::First,
            _ => return,
        };
        let done = self.port(cut).set_up(false);
        self.say(cut, "lost its carrier", "taken down with it", done);
        self.cut = Some(cut);
    }

    /// Whether an interface is gone: its way ends here until a filter is started anew.
    const fn is_broken(&self) -> bool {
        self.gone[0] || self.gone[1]
    }

    fn restore(&mut self) {
        let Some(cut) = self.cut else { return };
        // It may have gone since the last look.
        if self.is_broken() || !self.port(cut).is_here() || !self.port(cut.other()).is_there() {
            return;
        }
        self.cut = None;
        let done = self.port(cut).set_up(true);
        self.say(cut, "has its carrier", "set up again", done);
        self.restored = Some((cut, Instant::now()));
    }

    const fn port(&self, end: End) -> &Port {
        let [a, b] = &self.ports;
        match end {
            End::First => a,
            End::Second => b,
        }
    }

    fn say(&self, cut: End, what: &str, did: &str, done: Result<(), Error>) {
        let did = done.map_or_else(|error| error.to_string(), |()| did.to_owned());
        let (of, cut) = (&self.port(cut.other()).name, &self.port(cut).name);
        crate::cli::complain(&format_args!("{of} {what}: {cut} {did}"));
    }
}

/// One of a pair.
#[derive(Clone, Copy)]
enum End {
    First,
    Second,
}

impl End {
    const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    const fn of(self, a: bool, b: bool) -> bool {
        match self {
            Self::First => a,
            Self::Second => b,
        }
    }
}
