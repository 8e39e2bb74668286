//! What several tests of captures share.

use pcaps::read::{Capture, Frame, ReadError};
use pcaps::write::PcapNg;

/// A frame that outlives the capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) time_ns: Option<u64>,
    pub(crate) interface: u32,
    pub(crate) link_type: u32,
    pub(crate) original_len: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Kept {
    pub(crate) fn of(frame: &Frame<'_>) -> Self {
        Self {
            time_ns: frame.time_ns,
            interface: frame.interface,
            link_type: frame.link_type,
            original_len: frame.original_len,
            bytes: frame.bytes.to_vec(),
        }
    }
}

pub(crate) fn drain(mut capture: Capture) -> (Vec<Kept>, Vec<ReadError>) {
    let (mut frames, mut errors) = (Vec::new(), Vec::new());
    loop {
        match capture.next() {
            Ok(Some(frame)) => {
                assert_eq!(frame.number, frames.len() as u64 + 1);
                frames.push(Kept::of(&frame));
            }
            Ok(None) => return (frames, errors),
            Err(error) => errors.push(error),
        }
    }
}

/// Three frames, the last of them cut by the snap length.
pub(crate) fn sample() -> Vec<u8> {
    let mut out = PcapNg::new(Vec::new()).unwrap();
    let (ethernet, mtp3) = (out.interface(1).unwrap(), out.interface(141).unwrap());
    out.packet(ethernet, 1_700_000_000_123_456_789, b"first", Some("a comment")).unwrap();
    out.packet(mtp3, 1_700_000_000_123_456_790, b"", None).unwrap();
    out.cut_packet(ethernet, 1_700_000_001_000_000_000, b"third, cut", 1_500, None).unwrap();
    out.finish().unwrap()
}
