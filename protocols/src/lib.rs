//! Bytes to meaning and back, one file a layer, bottom up.
//!
//! Views borrow the frame and are checked once: after `parse` no access fails or panics. Nothing here allocates on the way in,
//! reads a clock or does I/O. Each layer has a builder beside its view; rewriting, the generator and the tests use the same ones.
//!
//! ```
//! use protocols::sms::{Direction, Tpdu};
//!
//! // SMS-DELIVER from +1 555 012 3456: "Hi", GSM 7-bit.
//! let octets = [0x04, 0x0b, 0x91, 0x51, 0x55, 0x10, 0x32, 0x54, 0xf6, 0, 0, 0x62, 0x11, 0x32, 0x81, 0x63, 0, 0, 2, 0xc8, 0x34];
//! let tpdu = Tpdu::parse(&octets, Direction::MobileTerminated)?;
//! let mut text = String::new();
//! tpdu.user_data.text(&mut text);
//! assert_eq!((tpdu.address.to_string().as_str(), text.as_str()), ("15550123456", "Hi"));
//! # Ok::<(), protocols::Error>(())
//! ```

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

pub mod usual;

pub use error::{Error, Layer, Why};

#[cfg(test)]
mod usual_tests;
