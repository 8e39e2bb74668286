//! A filter on the wire: which ports, who holds them, how it starts and leaves.
//!
//! ```text
//! ztsms tap, inline ─▶ plan ─▶ lock each port ─▶ program, sockets, attach ─▶ worker ─▶ beats ─▶ bound
//!        SIGTERM, Ctrl-C: unbound ─▶ drained ─▶ gone; program and link stay, and frames go on in the kernel
//! ```

pub mod carrier;
pub mod lab;
pub mod lock;
pub mod plan;
pub mod wire;

pub use plan::{Kind, Plan};
pub use wire::Wire;
