//! What each step of a frame's way costs: the frames, the steps, and how instructions are counted.
//!
//! The frames come from the builders of `protocols`, so that anybody can repeat the figures. `benches/steps.rs` tells nanoseconds,
//! `src/bin/counts.rs` instructions, `benches/latency.rs` a whole capture through one lane.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a bench that cannot make its input has nothing to measure"
)]

pub mod callgrind;
pub mod frames;
pub mod steps;
pub mod tables;
