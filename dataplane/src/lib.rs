//! The way of a frame: decode, join, find the URLs, ask for verdicts, choose an action, rewrite. Owns the only hot loop.
//!
//! ```
//! use dataplane::scan::{Scanner, Scratch};
//!
//! let mut found = Vec::new();
//! let mut scratch = Scratch::default();
//! Scanner::default().find("Pay at HTTP://Bit.ly/x now", &mut scratch, |link| found.push(link.url.url.to_owned()));
//! assert_eq!(found, ["http://bit.ly/x"]);
//! ```

pub mod verdict;

pub mod canonical;
pub mod scan;
pub mod suffix;
pub mod verdicts;

pub mod policy;

mod carrier;
pub mod counters;
mod decide;
mod fit;
pub mod join;
mod judge;
pub mod lane;
pub mod live;
mod packet;
mod quiet;
pub mod record;
pub mod rewrite;
pub mod world;

pub use judge::texts;

#[cfg(all(feature = "live", target_os = "linux"))]
#[allow(unsafe_code, reason = "cores and priorities are asked for by system calls")]
pub mod pin;
#[cfg(all(feature = "live", target_os = "linux"))]
#[allow(unsafe_code, reason = "rings shared with the kernel, maps and sockets: each block says who guarantees what")]
pub mod xdp;
