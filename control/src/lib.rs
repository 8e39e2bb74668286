//! The control side of `ztsms`: commands, configuration, lists and the verdict builder.
//!
//! ```
//! use dataplane::suffix::Suffixes;
//!
//! // What `ztsms` knows without any file: platforms, and a few names for demonstration.
//! let suffixes = Suffixes::built_in();
//! let table = control::builtin::table(&suffixes)?;
//! assert!(table.snapshot().header().words > 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod build;
pub mod builtin;
pub mod cli;
pub mod clock;
pub mod config;
pub mod explains;
pub mod lists;
#[cfg(unix)]
pub mod live;
pub mod plan;
pub mod recipients;
pub mod record;
pub mod record_json;
pub mod spool;
pub mod summary;
pub mod terminal;
pub mod verdicts_cmd;
pub mod world;
