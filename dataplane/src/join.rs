//! Joins that can change bytes: IP fragments, SCTP chunks, SCCP segments, parts of a text; and the two memories that they lean on,
//! associations (which TSN was seen) and open dialogues (direction and destination reference).
//!
//! Contract, the same for each:
//!
//! * memory is taken at start: [`table::Table`] has a fixed number of entries, [`pool::Pool`] a fixed number of octets;
//! * an entry ends with its time limit, measured by the running maximum of capture time, never by a clock;
//! * in a full set the origin that holds most of it makes room, so a flooder evicts only its own;
//! * whatever is let go before it was complete is counted in [`table::Counts`].

pub mod answers;
pub mod associations;
pub mod chunks;
pub mod dialogues;
pub mod ip;
pub mod parts;
pub mod pieces;
pub mod pool;
pub mod segments;
pub mod table;
