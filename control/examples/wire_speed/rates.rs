//! Frames a second as a sender offers them, and the worker's CPU time for each.

use std::thread;
use std::time::{Duration, Instant};

use dataplane::xdp::{Cause, Kernel};

use super::line::{Result, Said, Standing, What, between, frames};

/// What one run came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    /// Frames a second through the worker, and by the kernel because the worker had no room.
    worker: f64,
    kernel: f64,
    /// CPU of the worker and of the control side, nanoseconds a frame.
    cpu_ns: f64,
    control_ns: f64,
    /// The worker's CPU time over time.
    busy: f64,
    rewritten: u64,
    lost: u64,
}

/// CPU time of every thread of this name, nanoseconds: what `CLOCK_THREAD_CPUTIME_ID` tells each.
pub(crate) fn cpu_ns(name: &str) -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().filter_map(|entry| entry.ok());
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    let own = tasks.map(|task| task.path()).filter(|task| read(task.join("comm")).trim() == name);
    own.filter_map(|task| read(task.join("schedstat")).split(' ').next()?.parse::<u64>().ok()).sum()
}

/// The first 15 octets are a thread's name.
pub(crate) const LANE: &str = "ztsms-lane";
const CONTROL: &str = "ztsms-control";

pub(crate) fn measure(octets: usize, time: Duration, pace: u64, what: What) -> Result<Measured> {
    between(frames(octets)?, pace, |nets, _| -> Said<Measured> {
        let standing = Standing::new(nets, what)?;
        thread::sleep(Duration::from_millis(500));
        let kernel = Kernel::open(&standing.name).map_err(|error| error.to_string())?;
        let counts = || {
            let port = kernel.port(0);
            let by = Cause::ALL.iter().zip(port).filter(|(cause, _)| cause.is_unscanned());
            let handed = port.first().copied().unwrap_or_default();
            [handed, by.map(|(_, n)| n).sum::<u64>(), cpu_ns(LANE), cpu_ns(CONTROL)].map(|n| n as f64)
        };
        let (begin, before) = (Instant::now(), counts());
        thread::sleep(time);
        let (elapsed, after) = (begin.elapsed().as_secs_f64(), counts());
        let mut differences = after.iter().zip(before).map(|(after, before)| after - before);
        let mut next = || differences.next().unwrap_or_default();
        let (taken, by_kernel, cpu, control) = (next(), next(), next(), next());
        let stood = standing.stop();
        Ok(Measured {
            worker: taken / elapsed,
            kernel: by_kernel / elapsed,
            cpu_ns: cpu / taken.max(1.0),
            control_ns: control / taken.max(1.0),
            busy: cpu / elapsed / 1e9,
            rewritten: stood.rewritten,
            lost: stood.lost,
        })
    })
}

/// The one in the middle.
pub(crate) fn median(all: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = all.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn line(octets: usize, what: What, m: &Measured) {
    let Measured { worker, kernel, cpu_ns, control_ns, busy, rewritten, lost } = m;
    let name = what.name();
    println!(
        "{octets:6}  {name:12}  {worker:8.0}  {kernel:11.0}  {cpu_ns:12.0}  {:4.0}  {control_ns:10.0}  {rewritten:9}  {lost:10}",
        100.0 * busy
    );
}

pub(crate) fn run(time: Duration, rounds: usize, pace: u64) -> Result<()> {
    println!("octets  what          worker/s  by kernel/s  CPU ns/frame  busy  control ns  rewritten  notes lost");
    for octets in [64, 300, 1400] {
        line(octets, What::Devmap, &measure(octets, time, pace, What::Devmap)?);
        let (mut bare, mut inline) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            // Each goes first as often as the other.
            let mut turns = [(What::Bare, &mut bare), (What::Inline, &mut inline)];
            if round % 2 == 1 {
                turns.reverse();
            }
            for (what, all) in turns {
                let m = measure(octets, time, pace, what)?;
                line(octets, what, &m);
                all.push(m);
            }
        }
        let ratio = |of: fn(&Measured) -> f64| median(inline.iter().map(of)) / median(bare.iter().map(of));
        println!(
            "{octets:6}  inline over bare, medians of {rounds}: {:.2} by frames a second, {:.2} by CPU",
            ratio(|m| m.worker),
            1.0 / ratio(|m| m.cpu_ns)
        );
        line(octets, What::Tap, &measure(octets, time, pace, What::Tap)?);
    }
    Ok(())
}
