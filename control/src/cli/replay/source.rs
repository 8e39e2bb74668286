//! Frames of all captures, in batches: what one thread reads while another decodes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pcaps::read::{Capture, Frame, ReadError};

use super::super::fail;

/// Frames of a batch; one of short frames is full before its octets are.
const FRAMES: usize = 1024;

/// Octets of a batch.
const OCTETS: usize = 1 << 19;

/// Complaints about one capture that are said; the rest is counted.
const COMPLAINTS: u64 = 10;

/// Frames of one capture, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Which of the captures, from 0.
    pub(super) file: usize,
    /// The capture, as it was named.
    pub(super) name: Arc<str>,
    octets: Vec<u8>,
    frames: Vec<Kept>,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    number: u64,
    time_ns: Option<u64>,
    interface: u32,
    link_type: u32,
    original_len: u32,
    start: usize,
    end: usize,
}

impl Batch {
    fn push(&mut self, frame: &Frame<'_>) {
        let start = self.octets.len();
        self.octets.extend_from_slice(frame.bytes);
        self.frames.push(Kept {
            number: frame.number,
            time_ns: frame.time_ns,
            interface: frame.interface,
            link_type: frame.link_type,
            original_len: frame.original_len,
            start,
            end: self.octets.len(),
        });
    }

    fn is_full(&self) -> bool {
        self.frames.len() >= FRAMES || self.octets.len() >= OCTETS
    }

    /// The frames in order.
    pub(super) fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        self.frames.iter().map(|kept| Frame {
            number: kept.number,
            time_ns: kept.time_ns,
            interface: kept.interface,
            link_type: kept.link_type,
            original_len: kept.original_len,
            bytes: self.octets.get(kept.start..kept.end).unwrap_or_default(),
        })
    }

    fn reuse(&mut self, file: usize, name: &Arc<str>) {
        self.file = file;
        self.name = Arc::clone(name);
        self.octets.clear();
        self.frames.clear();
    }
}

/// How far reading is: for a progress bar.
#[derive(Debug, Default)]
pub(super) struct Far {
    /// Octets of the files.
    pub(super) octets: AtomicU64,
    /// Frames.
    pub(super) frames: AtomicU64,
}

/// Reads every capture and hands on its batches, until all are read or nobody wants more.
///
/// What cannot be read is said on standard error, with file, offset and cause; the rest goes on. Returns whether all could be read.
pub(super) fn read(files: &[PathBuf], far: &Far, mut hand_on: impl FnMut(Batch) -> Option<Batch>) -> bool {
    let mut all = true;
    let mut before = 0;
    let mut batch = Batch::default();
    for (file, path) in files.iter().enumerate() {
        let mut capture = match Capture::open(path) {
            Ok(capture) => capture,
            Err(error) => {
                fail::complain(&error);
                all = false;
                continue;
            }
        };
        let name: Arc<str> = path.to_string_lossy().into();
        let mut complaints = Complaints::default();
        loop {
            batch.reuse(file, &name);
            let ended = fill(&mut capture, &mut batch, &mut complaints);
            far.octets.store(before + capture.taken(), Ordering::Relaxed);
            far.frames.fetch_add(batch.frames.len() as u64, Ordering::Relaxed);
            match hand_on(batch) {
                Some(used) => batch = used,
                None => return all,
            }
            if ended {
                break;
            }
        }
        before += capture.taken();
        all &= complaints.seen == 0;
        complaints.end(&name);
    }
    all
}

/// Fills a batch; whether the capture has ended.
fn fill(capture: &mut Capture, batch: &mut Batch, complaints: &mut Complaints) -> bool {
    while !batch.is_full() {
        match capture.next() {
            Ok(Some(frame)) => batch.push(&frame),
            Ok(None) => return true,
            Err(error) => complaints.add(&error),
        }
    }
    false
}

#[derive(Debug, Default)]
struct Complaints {
    seen: u64,
}

impl Complaints {
    fn add(&mut self, error: &ReadError) {
        self.seen += 1;
        if self.seen <= COMPLAINTS {
            fail::complain(error);
        }
    }

    fn end(&self, name: &str) {
        if self.seen > COMPLAINTS {
            fail::complain(&format_args!("{name}: {} more like these", self.seen - COMPLAINTS));
        }
    }
}
