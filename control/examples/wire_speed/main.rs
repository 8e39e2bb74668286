//! What the filter costs on the wire, as ratios in one run on veth: devmap redirect alone, a bare AF_XDP forwarder of the same rings and
//! settings, and the filter between the same two ports; then the time that each adds to a frame, and other people's readers beside the tap.
//!
//! `cargo run --release -p ztsms --example wire_speed [SECONDS [ROUNDS [FRAMES A SECOND]]]`, as root.
//!
//! Without a rate the sender offers as much as it can, which on veth is less than what the worker takes; so the worker is also let loose on full
//! rings. What the worker does not take goes by in the kernel and is not counted as its own.
//! Filter and forwarder take turns, and medians of their rounds are compared. CPU is the worker's thread, system calls included.

#[cfg(all(feature = "live", target_os = "linux"))]
mod beside;
#[cfg(all(feature = "live", target_os = "linux"))]
mod full;
#[cfg(all(feature = "live", target_os = "linux"))]
mod latency;
#[cfg(all(feature = "live", target_os = "linux"))]
mod limit;
#[cfg(all(feature = "live", target_os = "linux"))]
mod line;
#[cfg(all(feature = "live", target_os = "linux"))]
mod rates;

#[cfg(all(feature = "live", target_os = "linux"))]
use std::time::Duration;

#[cfg(all(feature = "live", target_os = "linux"))]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number = |n: usize| std::env::args().nth(n).and_then(|n| n.parse().ok());
    let (seconds, rounds, pace) = (number(1).unwrap_or(2), number(2).unwrap_or(5), number(3).unwrap_or(0));
    rates::run(Duration::from_secs(seconds), rounds as usize, pace)?;
    full::run(40 * rounds as usize)?;
    limit::run()?;
    latency::run()?;
    beside::run(seconds, if pace > 0 { pace } else { 20_000 })
}

#[cfg(not(all(feature = "live", target_os = "linux")))]
fn main() {}
