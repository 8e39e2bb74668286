//! What must hold whatever octets come: one module a target, called by libFuzzer (`tools/fuzz`) and, over the corpora kept in
//! `fuzz/corpus`, by an ordinary test (`tests/replay.rs`).
//!
//! A target asserts more than that nothing panics: what was read is all there, what is written back is read as the same, another
//! reader agrees, the counters' sums hold.

use std::sync::OnceLock;

use dataplane::suffix::Suffixes;

pub mod ber;
pub mod canonical;
pub mod frame;
pub mod lists;
pub mod rewrite;
pub mod scan;
pub mod seeds;
pub mod snapshot;
pub mod tpdu;
mod way;

/// The body of a target.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub const TARGETS: [(&str, Target); 8] = [
    ("ber", ber::run),
    ("canonical", canonical::run),
    ("frame", frame::run),
    ("lists", lists::run),
    ("rewrite", rewrite::run),
    ("scan", scan::run),
    ("snapshot", snapshot::run),
    ("tpdu", tpdu::run),
];

/// The suffix list that ships, read once.
fn suffixes() -> &'static Suffixes {
    static SUFFIXES: OnceLock<Suffixes> = OnceLock::new();
    SUFFIXES.get_or_init(Suffixes::built_in)
}
