//! The fetcher against real name servers and sites, and against those that mean harm, in a small Internet of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod evidence;
mod expand;
mod feed;
mod guard;
mod live;
mod program;
mod socket;
mod world;
