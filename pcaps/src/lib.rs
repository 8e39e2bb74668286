//! Captures in and out, and a generator of synthetic SMS signalling.
//!
//! ```
//! use pcaps::{read::Capture, write::PcapNg};
//!
//! let mut out = PcapNg::new(Vec::new())?;
//! let ethernet = out.interface(1)?;
//! out.packet(ethernet, 1_000, b"a frame", None)?;
//! let file = out.finish()?;
//!
//! let mut capture = Capture::new(Box::new(std::io::Cursor::new(file)), "memory");
//! let frame = capture.next()?.expect("one frame was written");
//! assert_eq!((frame.number, frame.time_ns, frame.bytes), (1, Some(1_000), &b"a frame"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod generate;
pub mod read;
pub mod write;
