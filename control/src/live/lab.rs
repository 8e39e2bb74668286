//! The laboratory: a sender, a receiver and room for a filter between them, each in a network namespace of its own.
//!
//! ```text
//! NAME-a  a0 192.0.2.1 ══ a1  NAME-f  b1 ══ b0 192.0.2.2  NAME-b
//!         usrsctp ────────▶   filter  ────────▶   usrsctp
//! ```
//!
//! Sender and receiver are real SCTP peers (`tools/lab/peer.c`): handshake, acknowledgements, repetitions. The fixture of the tests too.

mod nets;
mod peers;
mod traffic;

pub use nets::Nets;
pub use peers::{Counted, Receiver, Sender, helper};
pub use traffic::{Arrival, Ledger, Message, frame, messages, renumber};
