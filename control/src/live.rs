//! The control side of live operation: one thread that owns the writing side of the world and takes what the lanes say.
//!
//! ```text
//! follow    the verdict directory, read and judged on a thread of its own ──▶ control ──▶ worlds ──▶ every lane
//! lanes     notes ──▶ control ──▶ records ──▶ spool, work (a thread each)     state ──▶ status, metrics
//! admin     socket and loopback HTTP, a thread each: questions are answered from the last status, commands go to control
//! ```
//!
//! On Linux, with the feature `live`, the filter on the wire: which ports, who holds them, how it starts and leaves.
//!
//! ```text
//! ztsms tap, inline ─▶ plan, shares ─▶ lock each port ─▶ program, sockets, attach ─▶ each worker ─▶ beats ─▶ bound
//!        SIGTERM, Ctrl-C: unbound ─▶ drained ─▶ gone; program and link stay, and frames go on in the kernel
//! ```

pub mod admin;
pub mod alarms;
#[cfg(all(feature = "live", target_os = "linux"))]
pub mod before;
pub mod breaker;
#[cfg(all(feature = "live", target_os = "linux"))]
pub mod carrier;
mod control;
pub mod files;
pub mod follow;
mod histogram;
mod keys;
#[cfg(all(feature = "live", target_os = "linux"))]
pub mod lab;
#[cfg(all(feature = "live", target_os = "linux"))]
pub mod lock;
pub mod metrics;
#[cfg(all(feature = "live", target_os = "linux"))]
pub mod placement;
#[cfg(all(feature = "live", target_os = "linux"))]
pub mod plan;
mod prepare;
pub mod privileges;
mod records;
#[cfg(all(feature = "live", target_os = "linux"))]
pub mod shares;
pub mod stage;
pub mod status;
mod unscanned;
#[cfg(all(feature = "live", target_os = "linux"))]
pub mod wire;

pub use control::{Control, Error, Prepared, Reload, Source, Start, Told};
#[cfg(all(feature = "live", target_os = "linux"))]
pub use plan::{Kind, Plan};
pub use prepare::prepare;
pub use status::Status;
#[cfg(all(feature = "live", target_os = "linux"))]
pub use wire::Wire;
