//! The highest rate at which none is lost and none goes by in the kernel.

use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use control::live::lab::Nets;
use dataplane::xdp::{Cause, Kernel};

use super::line::{Result, Said, Standing, What, frames, send};

/// Each rate is a twentieth above the one before.
const FIRST: f64 = 20_000.0;
const STEP: f64 = 1.05;
const RATES: u32 = 80;
const TIME: Duration = Duration::from_secs(1);
/// A machine that stands still for a moment is not what is looked for: a rate holds when it does once.
const TRIES: usize = 3;

fn rate(n: u32) -> u64 {
    (FIRST * STEP.powi(n.cast_signed())) as u64
}

fn arrived(nets: &Nets) -> u64 {
    let out = nets.command('b', "ip").args(["-s", "-j", "link", "show", "b0"]).output();
    let all: Option<serde_json::Value> = out.ok().and_then(|out| serde_json::from_slice(&out.stdout).ok());
    all.and_then(|all| all.pointer("/0/stats64/rx/packets")?.as_u64()).unwrap_or(0)
}

/// What came of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    Whole,
    Short,
    /// The sender did not come to nine tenths of it.
    NotOffered,
}

fn once(what: What, rate: u64) -> Result<Came> {
    let nets = Nets::new("limit")?;
    let all = frames(300)?;
    let (sent, elapsed, unscanned, came) = thread::scope(|scope| {
        let run = || -> Said<(u64, Duration, u64, u64)> {
            nets.enter('f').map_err(|error| error.to_string())?;
            let standing = Standing::new(&nets, what)?;
            let kernel = Kernel::open(&standing.name).map_err(|error| error.to_string())?;
            let before = arrived(&nets);
            let over = AtomicBool::new(false);
            let (sent, elapsed) = thread::scope(|scope| {
                let sending = scope.spawn(|| {
                    let begin = Instant::now();
                    (send(&nets, all, rate, &over), begin.elapsed())
                });
                thread::sleep(TIME);
                over.store(true, std::sync::atomic::Ordering::Relaxed);
                sending.join()
            })
            .map_err(|_| "the sender broke down")?;
            thread::sleep(Duration::from_millis(200));
            let port = kernel.port(0);
            let unscanned = Cause::ALL.iter().zip(port).filter(|(cause, _)| cause.is_unscanned()).map(|(_, n)| n).sum();
            let came = arrived(&nets) - before;
            standing.stop();
            Ok((sent, elapsed, unscanned, came))
        };
        scope.spawn(run).join()
    })
    .map_err(|_| "a thread broke down")??;
    Ok(if unscanned > 0 || came < sent {
        Came::Short
    } else if (sent as f64) < 0.9 * rate as f64 * elapsed.as_secs_f64() {
        Came::NotOffered
    } else {
        Came::Whole
    })
}

fn holds(what: What, rate: u64) -> Result<Came> {
    let mut came = Came::Short;
    for _ in 0..TRIES {
        came = once(what, rate)?;
        if came != Came::Short {
            break;
        }
    }
    Ok(came)
}

pub(crate) fn run() -> Result<()> {
    println!("\nhighest rate of 300 octets without loss, and none by the kernel");
    // Both are looked for in turns: which number holds, and the least that does not.
    let mut found = [(What::Bare, 0, RATES, true), (What::Inline, 0, RATES, true)];
    while found.iter().any(|(_, low, high, _)| high - low > 1) {
        for (what, low, high, offered) in &mut found {
            let middle = low.midpoint(*high);
            match holds(*what, rate(middle))? {
                _ if *high - *low <= 1 => {}
                Came::Whole => *low = middle,
                Came::Short => (*high, *offered) = (middle, true),
                Came::NotOffered => (*high, *offered) = (middle, false),
            }
        }
    }
    for (what, low, _, offered) in found {
        let more = if offered { "" } else { ", and the sender comes to no more" };
        println!("{:12}  {} frames/s{more}", what.name(), rate(low));
    }
    Ok(())
}
