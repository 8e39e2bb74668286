//! The API from outside: the real binary, asked over HTTP.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::expect_used, reason = "a test may panic")]

#[path = "../desk/room.rs"]
#[allow(dead_code, reason = "shared with the desk's tests")]
mod room;

#[path = "../../../fetch/tests/network/world.rs"]
mod world;

mod asks;
mod document;
mod fuzzed;
mod keys;
mod links;
mod nested;
mod reports;
mod same;
mod scan;
