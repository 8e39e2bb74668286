//! Frames off the wire and back: the XDP program, its maps, the sockets and the thread that works them.
//!
//! ```text
//! port A ─▶ XDP program ─── not SCTP, nobody there, too old, no room ──▶ port B        in the kernel
//!                └── SCTP ──▶ socket of the queue ─▶ worker ─▶ socket ──▶ port B        one UMEM, the descriptor moves
//! ```
//!
//! What outlives the process is pinned under `/sys/fs/bpf/ztsms/ABI/NAME/`: the program, the maps and a link for each port. A worker
//! that is there again is put into the maps; nothing is ever detached but by [`Program::remove`].

#[cfg(test)]
mod alone;
mod attach;
mod bpffs;
mod clock;
mod error;
mod fits;
mod judging;
mod port;
mod program;
mod raw;
mod record;
mod sockets;
mod stale;
mod worker;

pub use attach::{Attached, Mode};
pub use bpffs::{bpffs_is_mounted, pinned_as};
pub use clock::{monotonic_ns, realtime_ns};
pub use error::Error;
pub use judging::Judging;
pub use port::Port;
pub use program::{ABI, CAUSES, Cause, Kernel, Peer, Program, QUEUES, Settings, pins};
pub use raw::Raw;
pub use sockets::{BATCH, Line, MTU, Rings, Want};
pub use stale::namespace;
pub use worker::{Carrier, Counts, Gone, Handle, Inspect, Nothing, Report, Setup, start};
