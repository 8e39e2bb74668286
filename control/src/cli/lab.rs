//! `ztsms lab`: messages leave a real sender, pass the filter and arrive, changed where they should be; live in the terminal.

use std::io::{self, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use dataplane::live::{self, ControlSide, LaneSide, Stage, Worlds};
use dataplane::xdp::{self, Cause, Kernel};
use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::args::Lab;
use super::judge::{self, said};
use super::{Done, Failure, complain};
use crate::config;
use crate::live::lab::{Arrival, Ledger, Message, Nets, Receiver, Sender, helper, messages};
use crate::live::{Plan, Wire};
use crate::terminal::shown;

/// Changed messages that are shown in full.
const SHOWN: u32 = 6;
/// What may still be on its way when the last message was sent, and repetitions of it.
const LATE: Duration = Duration::from_secs(10);

/// Runs the command.
pub(super) fn run(args: &Lab) -> Result<Done, Failure> {
    if !(0.0..=1.0).contains(&args.links) {
        return Err(Failure::Usage(format!("--links {}: a share is from 0 to 1", args.links)));
    }
    if !dataplane::pin::is_root() {
        return Err(Failure::Said("the laboratory needs root: it makes network namespaces".to_owned()));
    }
    helper().map_err(said)?;
    let signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let world = judge::world(&args.judge)?;
    let all = messages(args.messages as usize, args.seed, args.links, &world)?;
    let nets = Nets::new("lab").map_err(said)?;
    let worlds = Worlds::new(world, Stage::all());
    let (side, control) = worlds.channel(&live::Setup::default());
    let filter = Filter::start(&nets, side).map_err(said)?;
    let receiver = Receiver::listen(&nets).map_err(said)?;
    let sender = Sender::connect(&nets).map_err(said)?;
    let kernel = Kernel::open(&filter.name).map_err(said)?;
    let mut lab = Laboratory {
        args,
        ledger: Ledger::new(&all),
        all: &all,
        kernel,
        control,
        worlds,
        latencies: Vec::with_capacity(all.len()),
        shown: 0,
        sent_at: all.iter().map(|_| AtomicU64::new(0)).collect(),
        begin: Instant::now(),
    };
    let (sent, retransmitted) = lab.flow(sender, receiver, signals)?;
    drop(filter);
    drop(nets);
    lab.end(sent, retransmitted)
}

/// The filter, on a thread that lives in the namespace between the two.
struct Filter {
    name: String,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Filter {
    fn start(nets: &Nets, side: LaneSide) -> Result<Self, xdp::Error> {
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = mpsc::channel::<()>();
        let space = std::fs::File::open(format!("/run/netns/{}", nets.of('f'))).map_err(xdp::Error::new)?;
        let thread = thread::spawn(move || {
            let kind = Some(rustix::thread::LinkNameSpaceType::Network);
            let entered = rustix::thread::move_into_link_name_space(std::os::fd::AsFd::as_fd(&space), kind);
            let between = ["a1".to_owned(), "b1".to_owned()];
            let opened = entered.map_err(xdp::Error::new).and_then(|()| {
                let plan = Plan::inline(&between, &config::Config::default())?;
                Wire::open(&plan, vec![side], false)
            });
            match opened {
                Ok(mut wire) => {
                    wire.stands();
                    let _ = tell.send(Ok((wire.name().to_owned(), wire.choices().to_vec())));
                    // Ends when the other side goes away, however it does.
                    let _ = stopped.recv();
                    wire.close();
                }
                Err(error) => {
                    let _ = tell.send(Err(error));
                }
            }
        });
        let (name, choices) = told.recv().map_err(|_| xdp::Error::new("the filter did not start"))??;
        choices.iter().for_each(complain);
        Ok(Self { name, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Laboratory<'m> {
    args: &'m Lab,
    all: &'m [Message],
    ledger: Ledger<'m>,
    kernel: Kernel,
    control: ControlSide,
    worlds: Worlds,
    latencies: Vec<u64>,
    shown: u32,
    sent_at: Vec<AtomicU64>,
    begin: Instant,
}

impl Laboratory<'_> {
    /// Sends and receives until everything arrived or somebody ends it. Messages sent, and chunks repeated.
    fn flow(&mut self, sender: Sender, receiver: Receiver, mut signals: Signals) -> Result<(u64, u64), Failure> {
        let stop = AtomicBool::new(false);
        let sent = AtomicU64::new(0);
        let counted = Mutex::new(0);
        let (all, rate, begin) = (self.all, self.args.rate, self.begin);
        let sent_at = std::mem::take(&mut self.sent_at);
        thread::scope(|scope| {
            let sending = scope.spawn(|| {
                let mut sender = sender;
                for (n, (message, at)) in (0_u64..).zip(all.iter().zip(&sent_at)) {
                    let due = Duration::from_nanos(n * 1_000_000_000 / u64::from(rate));
                    thread::sleep(due.saturating_sub(begin.elapsed()));
                    at.store(nanos(begin.elapsed()), Ordering::Release);
                    if stop.load(Ordering::Acquire) || sender.send(&message.sent).is_err() {
                        break;
                    }
                    sent.fetch_add(1, Ordering::AcqRel);
                }
                if let Ok(mut counted) = counted.lock() {
                    *counted = sender.finish(LATE).retransmitted;
                }
            });
            let mut told = Instant::now();
            let mut last_arrival = Instant::now();
            loop {
                if signals.pending().next().is_some() {
                    stop.store(true, Ordering::Release);
                }
                if let Some((at, octets)) = receiver.next(Duration::from_millis(20)) {
                    last_arrival = Instant::now();
                    self.arrive(at, &octets, &sent_at)?;
                }
                let all_sent = sent.load(Ordering::Acquire);
                let is_over = sending.is_finished() && (self.ledger.received() >= all_sent || last_arrival.elapsed() > LATE / 5);
                if told.elapsed() > Duration::from_secs(1) {
                    told = Instant::now();
                    self.tell(all_sent)?;
                }
                if is_over {
                    break;
                }
            }
            // What arrives after the last was expected is there twice.
            while let Some((at, octets)) = receiver.next(Duration::from_millis(100)) {
                self.arrive(at, &octets, &sent_at)?;
            }
            receiver.finish(Duration::from_millis(200));
            Ok::<(), Failure>(())
        })?;
        Ok((sent.into_inner(), counted.into_inner().unwrap_or_default()))
    }

    fn arrive(&mut self, at: Instant, octets: &Vec<u8>, sent_at: &[AtomicU64]) -> Result<(), Failure> {
        let arrival = self.ledger.arrive(octets);
        if let Arrival::Unchanged(n) | Arrival::Rewritten(n) | Arrival::Passed(n) = arrival
            && let Some(sent) = sent_at.get(n)
        {
            self.latencies.push(nanos(at - self.begin).saturating_sub(sent.load(Ordering::Acquire)));
        }
        let Arrival::Rewritten(n) = arrival else { return Ok(()) };
        self.shown += 1;
        if self.args.json || self.shown > SHOWN {
            return Ok(());
        }
        let Some(Message { text, rewritten_text: Some(rewritten), .. }) = self.all.get(n) else { return Ok(()) };
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "sent      {}", shown(text))?;
        Ok(writeln!(stdout, "arrived   {}\n", shown(rewritten))?)
    }

    fn unscanned(&self) -> u64 {
        let sum = |port| -> u64 {
            Cause::ALL.iter().zip(self.kernel.port(port)).filter(|(cause, _)| cause.is_unscanned()).map(|(_, n)| n).sum()
        };
        sum(0) + sum(1)
    }

    fn line(&mut self, sent: u64, retransmitted: Option<u64>) -> serde_json::Value {
        self.control.drain(usize::MAX, &self.worlds, |_| {});
        let filter: Vec<(u64, u64)> = self.control.state().latency.iter().collect();
        self.latencies.sort_unstable();
        let received = self.ledger.received();
        json!({
            "sent": sent,
            "received": received,
            "lost": sent.saturating_sub(received),
            "duplicated": self.ledger.duplicated(),
            "out_of_order": self.ledger.out_of_order,
            "rewritten": self.ledger.rewritten,
            "passed": self.ledger.passed,
            "unknown": self.ledger.unknown,
            "unscanned": self.unscanned(),
            "retransmitted": retransmitted,
            "latency_us": {
                "p50": of_sorted(&self.latencies, 0.5) / 1000,
                "p99": of_sorted(&self.latencies, 0.99) / 1000,
                "p99.9": of_sorted(&self.latencies, 0.999) / 1000,
            },
            "filter_us": { "p50": of_buckets(&filter, 0.5) / 1000, "p99.9": of_buckets(&filter, 0.999) / 1000 },
        })
    }

    fn tell(&mut self, sent: u64) -> Result<(), Failure> {
        let line = self.line(sent, None);
        let mut stdout = io::stdout().lock();
        if self.args.json {
            writeln!(stdout, "{line}")?;
        } else {
            writeln!(stdout, "{}", told(&line))?;
        }
        Ok(stdout.flush()?)
    }

    fn end(mut self, sent: u64, retransmitted: u64) -> Result<Done, Failure> {
        let line = self.line(sent, Some(retransmitted));
        let mut stdout = io::stdout().lock();
        if self.args.json {
            writeln!(stdout, "{line}")?;
        } else {
            writeln!(stdout, "{}", told(&line))?;
            writeln!(stdout, "sender and receiver: usrsctp; {retransmitted} chunks sent again")?;
        }
        let whole = line.get("lost").and_then(serde_json::Value::as_u64) == Some(0) && self.ledger.unknown == 0;
        Ok(if whole { Done::Well } else { Done::InPart })
    }
}

fn told(line: &serde_json::Value) -> String {
    let n = |path: &str| line.pointer(path).and_then(serde_json::Value::as_u64).unwrap_or_default();
    format!(
        "{} sent, {} received, {} rewritten, {} lost, {} duplicated, {} unscanned; end to end p50 {} us, p99.9 {} us; filter p50 {} us",
        n("/sent"),
        n("/received"),
        n("/rewritten"),
        n("/lost"),
        n("/duplicated"),
        n("/unscanned"),
        n("/latency_us/p50"),
        n("/latency_us/p99.9"),
        n("/filter_us/p50"),
    )
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The value that this share of all does not exceed.
fn of_sorted(sorted: &[u64], share: f64) -> u64 {
    sorted.get(rank(sorted.len() as u64, share)).copied().unwrap_or_default()
}

fn of_buckets(buckets: &[(u64, u64)], share: f64) -> u64 {
    let total: u64 = buckets.iter().map(|(_, n)| n).sum();
    let mut left = rank(total, share) as u64;
    for (ns, n) in buckets {
        if left < *n {
            return *ns;
        }
        left -= n;
    }
    0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rank among counts for people"
)]
fn rank(total: u64, share: f64) -> usize {
    (total.saturating_sub(1) as f64 * share) as usize
}
