//! What the filter costs on the wire, as ratios in one run on veth: devmap redirect alone, a bare AF_XDP forwarder of the same rings and
//! settings, and the filter between the same two ports; then the time that each adds to a frame, and other people's readers beside the tap.
//!
//! `cargo run --release -p ztsms --example wire_speed [SECONDS [FRAMES A SECOND]]`, as root.
//!
//! Without a rate the sender offers as much as it can, on virtual cards often less than what the worker takes: then rates say little. With
//! one it sends bursts of a batch, and the worker's CPU time a frame is what to compare. What the worker does not take goes by in the
//! kernel and is not counted as its own.

#[cfg(all(feature = "live", target_os = "linux"))]
mod beside;
#[cfg(all(feature = "live", target_os = "linux"))]
mod latency;
#[cfg(all(feature = "live", target_os = "linux"))]
mod line;
#[cfg(all(feature = "live", target_os = "linux"))]
mod rates;

#[cfg(all(feature = "live", target_os = "linux"))]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number = |n: usize| std::env::args().nth(n).and_then(|n| n.parse().ok());
    let (seconds, pace) = (number(1).unwrap_or(3), number(2).unwrap_or(0));
    rates::run(seconds, pace)?;
    latency::run()?;
    beside::run(seconds, if pace > 0 { pace } else { 20_000 })
}

#[cfg(not(all(feature = "live", target_os = "linux")))]
fn main() {}
