//! The time of a frame from one far end to the other, one at a time: what each way adds is the difference.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use control::live::lab::{Nets, renumber};

use super::line::{Result, Said, Standing, What, frames, raw};

const FRAMES: usize = 10_000;
const A_SECOND: u64 = 2000;

/// Nanoseconds of each frame, sorted.
fn measure(what: What) -> Result<Vec<u64>> {
    let nets = Nets::new("latency")?;
    let mut all = frames(300)?;
    all.truncate(FRAMES);
    let sent_at = AtomicU64::new(0);
    let begin = Instant::now();
    let now = || u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let times = thread::scope(|scope| -> Said<Vec<u64>> {
        let standing = scope
            .spawn(|| {
                nets.enter('f').map_err(|error| error.to_string())?;
                Standing::new(&nets, what)
            })
            .join()
            .map_err(|_| "a thread broke down")??;
        let far = scope.spawn(|| raw(&nets, 'b', "b0")).join().map_err(|_| "a thread broke down")??;
        let near = scope.spawn(|| raw(&nets, 'a', "a0")).join().map_err(|_| "a thread broke down")??;
        let (sent, mut all) = (&sent_at, all);
        scope.spawn(move || {
            thread::sleep(Duration::from_millis(500));
            let begin = Instant::now();
            for (n, tsn) in (0..FRAMES as u64).zip(1..) {
                let at = n as usize % all.len();
                let Some(frame) = all.get_mut(at) else { return };
                renumber(frame, tsn);
                thread::sleep(Duration::from_nanos(n * 1_000_000_000 / A_SECOND).saturating_sub(begin.elapsed()));
                sent.store(now(), Ordering::Release);
                // What the line does not take is missing at the end.
                let _ = near.send(frame);
            }
        });
        let mut times = Vec::with_capacity(FRAMES);
        while let Some(frame) = far.receive(Duration::from_secs(2)) {
            // The far kernels say something on their own as well.
            if frame.get(6..10) == Some(&[2, 0xaa, 0x5a, 0x54]) {
                times.push(now().saturating_sub(sent.load(Ordering::Acquire)));
            }
        }
        standing.stop();
        Ok(times)
    });
    let mut times = times?;
    if times.len() < FRAMES {
        return Err(format!("only {} of {FRAMES} frames arrived", times.len()).into());
    }
    times.sort_unstable();
    Ok(times)
}

pub(crate) fn run() -> Result<()> {
    println!("\n{FRAMES} frames of 300 octets at {A_SECOND} a second, from one far end to the other");
    println!("what              p50 ns    p99 ns  p99.9 ns");
    for what in [What::Devmap, What::Bare, What::Inline, What::Bare, What::Inline] {
        let times = measure(what)?;
        let at = |share: f64| times.get(((times.len() - 1) as f64 * share) as usize).copied().unwrap_or_default();
        println!("{:16}  {:6}  {:8}  {:8}", what.name(), at(0.5), at(0.99), at(0.999));
    }
    Ok(())
}
