//! The seam between one worker and the control side: what a lane is told, and what it tells, without a lock, a wait or the heap.
//!
//! ```text
//! control  ── world, stage (swapped whole) ──▶  lane     taken once a batch, valid for the batch
//!          ── pass ──────────────────────────▶           no rewriting from now on
//!          ◀── notes (three rings) ───────────           one a short message; full: counted, dropped
//!          ◀── state (triple buffer) ─────────           counters, latencies, queues, when the lane likes
//! ```
//!
//! One [`Worlds`] serves all workers. A lane never frees a world: [`Worlds`] keeps each until every lane has let go of it.

mod buckets;
mod control_side;
mod lane_side;
mod note;
mod reader;
mod stage;
mod state;
mod worlds;

use rtrb::RingBuffer;
use triple_buffer::TripleBuffer;

pub use buckets::{BUCKETS, Buckets};
pub use control_side::{ControlSide, Noted};
pub use lane_side::LaneSide;
pub use note::{Kind, LinkNote, Note, PartyNote, SmsNote, Span};
pub use stage::{Held, Stage};
pub use state::{Gauges, Lost, Queue, State};
pub use worlds::{Live, Worlds};

/// How much each ring holds. All memory is taken by [`Worlds::channel`].
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Notes on their way to the control side.
    pub notes: usize,
    /// Links of those notes.
    pub links: usize,
    /// Cells of 64 octets for texts, numbers and sampled frames.
    pub cells: usize,
    /// Sampled frames a second.
    pub samples_a_second: u32,
}

impl Default for Setup {
    fn default() -> Self {
        // A second at 8 000 messages a second: longer than any write that the control side waits for on a sound disk.
        Self { notes: 8192, links: 8192, cells: 65_536, samples_a_second: 10 }
    }
}

/// A cell of the ring of octets.
type Cell = [u8; CELL];
const CELL: usize = 64;

impl Worlds {
    /// Makes both sides for one more worker.
    pub fn channel(&self, setup: &Setup) -> (LaneSide, ControlSide) {
        let (notes, notes_out) = RingBuffer::new(setup.notes);
        let (links, links_out) = RingBuffer::new(setup.links);
        let (cells, cells_out) = RingBuffer::new(setup.cells);
        let (input, output) = TripleBuffer::new(&State::default()).split();
        let rings = lane_side::Rings { notes, links, cells };
        (
            LaneSide::new(self.cell(), self.flags(), rings, input, setup.samples_a_second),
            ControlSide::new(notes_out, links_out, cells_out, output),
        )
    }
}

#[cfg(test)]
mod tests;
