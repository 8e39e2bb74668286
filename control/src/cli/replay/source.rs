//! Frames of all captures, in batches: what one thread reads while another decodes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dataplane::lane;
use pcaps::read::{self, Capture, Frame};
use protocols::link::LinkType;
use protocols::sctp::Sum;

use super::super::fail::{self, Complaints};

/// Frames of one capture, in the buffer that they were read into.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Which of the captures, from 0.
    pub(super) file: usize,
    /// The capture, as it was named.
    pub(super) name: Arc<str>,
    read: read::Batch,
    /// What the checksums are worth, frame by frame, if somebody looked.
    sums: Vec<Option<Sum>>,
}

impl Batch {
    /// The frames in order, with what is known of their checksums.
    pub(super) fn frames(&self) -> impl Iterator<Item = (Frame<'_>, Option<Sum>)> {
        let sums = self.sums.iter().copied().chain(std::iter::repeat(None));
        self.read.frames().zip(sums)
    }

    /// Looks at the checksums: work that a thread beside the lane's can do.
    pub(super) fn sum(&mut self) {
        let sum = |frame: Frame<'_>| lane::sum(LinkType::from_pcap(frame.link_type)?, frame.bytes);
        self.sums.clear();
        self.sums.extend(self.read.frames().map(sum));
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
            batch.file = file;
            batch.name = Arc::clone(&name);
            capture.reuse(&mut batch.read);
            let more = fill(&mut capture, &mut batch.read, &mut complaints);
            far.octets.store(before + capture.taken(), Ordering::Relaxed);
            far.frames.fetch_add(batch.read.len() as u64, Ordering::Relaxed);
            match hand_on(batch) {
                Some(used) => batch = used,
                None => return all,
            }
            if !more {
                break;
            }
        }
        before += capture.taken();
        all &= complaints.seen == 0;
        complaints.end(&name);
    }
    all
}

/// Fills a batch; whether there may be more.
fn fill(capture: &mut Capture, batch: &mut read::Batch, complaints: &mut Complaints) -> bool {
    loop {
        match capture.fill(batch) {
            Ok(more) => return more,
            Err(error) => complaints.add(&error),
        }
    }
}
