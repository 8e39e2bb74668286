//! The desk from outside: the real binary, its real directory, and the filter's own code to read what it publishes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::expect_used, reason = "a test may panic")]

mod bad_lists;
mod clocks;
mod fetched;
mod followed;
mod killed;
mod published;
mod quality;
mod room;
mod scheduled;
mod whole;
