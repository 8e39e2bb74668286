//! The worker at its limit: its receive ring is filled while it waits, and then it works without a pause. What the sender, the kernel before it
//! and the other core do does not count.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use control::live::lab::{Nets, renumber};

use super::line::{Result, Said, Standing, What, frames, raw};
use super::rates::{LANE, cpu_ns, median};

/// Less than a ring holds.
const FRAMES: usize = 1920;

/// Nanoseconds of the worker's CPU and of time for each frame, burst by burst.
fn measure(octets: usize, what: What, bursts: usize) -> Result<Vec<(f64, f64)>> {
    let nets = Nets::new("full")?;
    let mut all = frames(octets)?;
    let run = || -> Said<Vec<(f64, f64)>> {
        let near = thread::scope(|scope| scope.spawn(|| raw(&nets, 'a', "a0")).join()).map_err(|_| "a thread broke down")??;
        nets.enter('f').map_err(|error| error.to_string())?;
        let standing = Standing::new(&nets, what)?;
        let gate = &standing.gate;
        let (mut tsn, mut times) = (1_u32, Vec::new());
        let (mut sent, mut at) = (0, 0);
        for _ in 0..bursts {
            gate.is_shut.store(true, Ordering::Release);
            thread::sleep(Duration::from_millis(12));
            for _ in 0..FRAMES {
                at = (at + 1) % all.len();
                let Some(frame) = all.get_mut(at) else { break };
                renumber(frame, tsn);
                tsn = tsn.wrapping_add(1);
                sent += u64::from(near.send(frame).is_ok());
            }
            let (before, worked) = (cpu_ns(LANE), gate.worked.load(Ordering::Acquire));
            let begin = Instant::now();
            gate.is_shut.store(false, Ordering::Release);
            while gate.worked.load(Ordering::Acquire) < sent && begin.elapsed() < Duration::from_millis(200) {
                thread::sleep(Duration::from_micros(20));
            }
            let elapsed = begin.elapsed();
            let frames = gate.worked.load(Ordering::Acquire) - worked;
            // What the far kernels say on their own, or what did not fit, is the next burst's.
            sent = worked + frames;
            if frames as usize >= FRAMES * 9 / 10 {
                times.push(((cpu_ns(LANE) - before) as f64 / frames as f64, elapsed.as_nanos() as f64 / frames as f64));
            }
        }
        standing.stop();
        Ok(times)
    };
    Ok(thread::scope(|scope| scope.spawn(run).join()).map_err(|_| "a thread broke down")??)
}

pub(crate) fn run(bursts: usize) -> Result<()> {
    println!("\nfull rings of {FRAMES} frames, {bursts} times each in four turns; medians");
    println!("octets  what          CPU ns/frame  frames a second of CPU  of time");
    for octets in [64, 300, 1400] {
        let (mut bare, mut inline) = (Vec::new(), Vec::new());
        for _ in 0..4 {
            bare.extend(measure(octets, What::Bare, bursts / 4)?);
            inline.extend(measure(octets, What::Inline, bursts / 4)?);
        }
        let mut cpu = [0.0; 2];
        for (place, (what, all)) in cpu.iter_mut().zip([(What::Bare, &bare), (What::Inline, &inline)]) {
            let elapsed = median(all.iter().map(|(_, elapsed)| *elapsed));
            *place = median(all.iter().map(|(cpu, _)| *cpu));
            println!("{octets:6}  {:12}  {:12.0}  {:22.0}  {:7.0}", what.name(), *place, 1e9 / *place, 1e9 / elapsed);
        }
        let [bare, inline] = cpu;
        println!("{octets:6}  inline over bare: {:.2}", bare / inline);
    }
    Ok(())
}
