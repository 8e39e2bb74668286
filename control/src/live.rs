//! The control side of live operation: one thread that owns the writing side of the world and takes what the lanes say.
//!
//! ```text
//! follow    the verdict directory, read and judged on a thread of its own ──▶ control ──▶ worlds ──▶ every lane
//! lanes     notes ──▶ control ──▶ records ──▶ spool, work (a thread each)     state ──▶ status, metrics
//! admin     socket and loopback HTTP, a thread each: questions are answered from the last status, commands go to control
//! ```

pub mod admin;
pub mod alarms;
pub mod breaker;
mod control;
pub mod follow;
mod histogram;
mod keys;
pub mod metrics;
mod prepare;
pub mod privileges;
mod records;
pub mod stage;
pub mod status;
mod unscanned;

pub use control::{Control, Error, Reload, Source, Start};
pub use prepare::prepare;
pub use status::Status;
