//! The desk of `ztsms`: where verdicts come from, who decided them, and the verdict directory that filters follow.
//!
//! One data directory, one SQLite file for what people decide, one way in: a [`command::Command`] that [`desk::Desk::obey`] carries out,
//! whether it came over the admin socket of a running `serve` or from a command line that holds the directory's lock itself.
//!
//! ```text
//! DIR/lock          held by whoever may change anything        DIR/admin.sock   commands for a running `serve`, mode 0660
//! DIR/console.db    decisions, sources, audit log (SQLite, WAL) DIR/keys/        secrets, mode 0600, never in a plain backup
//! DIR/lists/        normalised lists by their SHA-256           DIR/verdicts/    what filters follow
//! ```

pub mod admin;
pub mod alarms;
pub mod api;
pub mod audit;
pub mod backup;
pub mod brakes;
pub mod census;
pub mod cli;
pub mod clock;
pub mod command;
pub mod decide;
pub mod desk;
pub mod error;
pub mod expand;
pub mod publish;
pub mod schedule;
pub mod sources;
pub mod store;
pub mod time;
pub mod triage;
pub mod verify;
pub mod web;

pub use error::{Error, Result};
