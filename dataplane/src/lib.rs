//! The way of a frame: decode, join, find the URLs, ask for verdicts, choose an action, rewrite. Owns the only hot loop.

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
mod packet;
pub mod record;
pub mod rewrite;
pub mod world;
