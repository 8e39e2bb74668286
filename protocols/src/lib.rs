//! Bytes to meaning and back, one file a layer, bottom up.
//!
//! Views borrow the frame and are checked once: after `parse` no access fails or panics. Nothing here allocates on the way in,
//! reads a clock or does I/O. Each layer has a builder beside its view; rewriting, the generator and the tests use the same ones.

pub mod error;
pub mod span;

pub mod link;

pub mod sctp;

pub mod xua;

pub mod m2pa;
pub mod m2ua;
pub mod m3ua;
pub mod mtp3;
pub mod sua;

pub mod sccp;

pub mod ber;
pub mod map;
pub mod tcap;

pub mod sms;

pub use error::{Error, Layer, Why};
