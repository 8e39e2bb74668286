//! Frames a second, and the worker's CPU time for each.

use std::thread;
use std::time::{Duration, Instant};

use dataplane::xdp::{Cause, Kernel};

use super::line::{Result, Said, Standing, What, between, frames};

struct Measured {
    worker: f64,
    kernel: f64,
    cpu_ns: f64,
    rewritten: u64,
}

/// CPU time of every thread of this name, in clock ticks of 10 ms.
pub(crate) fn cpu_ms(name: &str) -> u64 {
    let mut sum = 0;
    for entry in std::fs::read_dir("/proc/self/task").into_iter().flatten().filter_map(|entry| entry.ok()) {
        let text = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((head, rest)) = text.rsplit_once(") ") else { continue };
        if head.ends_with(name) {
            let field = |n: usize| rest.split(' ').nth(n).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
            sum += 10 * (field(11) + field(12));
        }
    }
    sum
}

fn measure(octets: usize, seconds: u64, pace: u64, what: What) -> Result<Measured> {
    between(frames(octets)?, pace, |nets, _| -> Said<Measured> {
        let standing = Standing::new(nets, what)?;
        thread::sleep(Duration::from_millis(500));
        let kernel = Kernel::open(&standing.name).map_err(|error| error.to_string())?;
        let counts = || {
            let port = kernel.port(0);
            let by = Cause::ALL.iter().zip(port).filter(|(cause, _)| cause.is_unscanned());
            (port.first().copied().unwrap_or_default(), by.map(|(_, n)| n).sum::<u64>())
        };
        let (begin, cpu, before) = (Instant::now(), cpu_ms("ztsms-lane"), counts());
        thread::sleep(Duration::from_secs(seconds));
        let (elapsed, cpu, after) = (begin.elapsed().as_secs_f64(), cpu_ms("ztsms-lane") - cpu, counts());
        let taken = (after.0 - before.0) as f64;
        Ok(Measured {
            worker: taken / elapsed,
            kernel: (after.1 - before.1) as f64 / elapsed,
            cpu_ns: cpu as f64 * 1e6 / taken.max(1.0),
            rewritten: standing.stop(),
        })
    })
}

pub(crate) fn run(seconds: u64, pace: u64) -> Result<()> {
    println!("octets  what              worker/s  by kernel/s  CPU ns/frame  rewritten");
    for octets in [64, 300, 1400] {
        let (mut bare, mut bare_cpu) = (0.0, 0.0);
        for what in [What::Devmap, What::Bare, What::Inline, What::Bare, What::Inline, What::Bare, What::Inline, What::Tap] {
            let m = measure(octets, seconds, pace, what)?;
            if what == What::Bare {
                (bare, bare_cpu) = (m.worker, m.cpu_ns);
            }
            let ratio = if what == What::Inline {
                format!("  {:.2} of bare by rate, {:.2} by CPU", m.worker / bare, bare_cpu / m.cpu_ns)
            } else {
                String::new()
            };
            println!(
                "{octets:6}  {:16}  {:8.0}  {:11.0}  {:12.0}  {:9}{ratio}",
                what.name(),
                m.worker,
                m.kernel,
                m.cpu_ns,
                m.rewritten
            );
        }
    }
    Ok(())
}
