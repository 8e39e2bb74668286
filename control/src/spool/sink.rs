//! The way to the disk: records are gathered into blocks and handed to a thread of its own. A disk that is slow or full costs records, which
//! are counted, and never makes anybody wait.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};
use std::{io, mem};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};

use super::block::Plain;
use super::sealed::ConsoleKey;
use super::writer::Segments;

/// Blocks that wait for the disk.
const WAITING: usize = 64;
/// How often what was written is put on the disk, and old segments are looked for.
const SYNC: Duration = Duration::from_secs(1);
const TIDY: Duration = Duration::from_secs(60);
const MINUTE: Duration = Duration::from_secs(60);

/// What became of the records.
#[derive(Debug, Default)]
pub struct Counts {
    /// Records written.
    pub written: AtomicU64,
    /// Blocks written.
    pub blocks: AtomicU64,
    /// Octets written.
    pub octets: AtomicU64,
    /// Records lost because the disk was slow: the queue was full.
    pub lost_slow: AtomicU64,
    /// Records lost because the disk refused.
    pub lost_refused: AtomicU64,
    /// Segments deleted by the limits.
    pub deleted: AtomicU64,
    refused: Mutex<Option<Refused>>,
}

/// What the disk said when it refused.
#[derive(Debug)]
struct Refused {
    why: String,
    at: Instant,
    /// It took something since.
    took: bool,
}

impl Counts {
    /// What the disk said when it last refused; empty once that is over for a minute: a full one still takes small blocks.
    pub fn trouble(&self) -> String {
        self.trouble_at(Instant::now())
    }

    fn trouble_at(&self, now: Instant) -> String {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let stands = |refused: &&Refused| !refused.took || now.duration_since(refused.at) < MINUTE;
        refused.as_ref().filter(stands).map(|refused| refused.why.clone()).unwrap_or_default()
    }

    /// Records that were lost.
    pub fn lost(&self) -> u64 {
        self.lost_slow.load(Relaxed) + self.lost_refused.load(Relaxed)
    }

    /// What the disk said.
    pub(crate) fn note(&self, result: &io::Result<()>) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = result {
            *refused = Some(Refused { why: error.to_string(), at: Instant::now(), took: false });
        } else if let Some(refused) = &mut *refused {
            refused.took = true;
        }
    }
}

/// Takes records.
pub struct Sink {
    plain: Plain,
    since: Option<Instant>,
    block_octets: usize,
    flush: Duration,
    send: Option<Sender<Plain>>,
    writer: Option<JoinHandle<()>>,
    counts: Arc<Counts>,
}

impl Sink {
    /// Begins the thread. A block is ended at `block_octets` or after `flush`.
    ///
    /// # Errors
    /// No thread could be made.
    pub fn new(segments: Segments, seal: Option<ConsoleKey>, block_octets: usize, flush: Duration) -> io::Result<Self> {
        let (send, receive) = bounded(WAITING);
        let counts = Arc::new(Counts::default());
        let theirs = Arc::clone(&counts);
        let writer = Builder::new().name("spool".to_owned()).spawn(move || write(&receive, segments, seal.as_ref(), &theirs))?;
        let (send, writer) = (Some(send), Some(writer));
        Ok(Self { plain: Plain::default(), since: None, block_octets, flush, send, writer, counts })
    }

    /// Takes one record.
    pub fn put(&mut self, record: &[u8]) {
        self.plain.push(record);
        self.since.get_or_insert_with(Instant::now);
        if self.plain.len() >= self.block_octets {
            self.flush();
        }
    }

    /// Ends the block if it is old enough.
    pub fn tick(&mut self) {
        if self.since.is_some_and(|since| since.elapsed() >= self.flush) {
            self.flush();
        }
    }

    /// Ends the block.
    pub fn flush(&mut self) {
        self.since = None;
        if self.plain.is_empty() {
            return;
        }
        let block = mem::take(&mut self.plain);
        let sent = self.send.as_ref().map(|send| send.try_send(block));
        if let Some(Err(TrySendError::Full(block) | TrySendError::Disconnected(block))) = sent {
            self.counts.lost_slow.fetch_add(block.records().into(), Relaxed);
        }
    }

    /// What became of the records.
    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }
}

impl Drop for Sink {
    /// Writes what is left.
    fn drop(&mut self) {
        self.flush();
        self.send = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing more to write.
            let _ = writer.join();
        }
    }
}

fn write(blocks: &Receiver<Plain>, mut segments: Segments, seal: Option<&ConsoleKey>, counts: &Counts) {
    let mut number = 0;
    let (mut synced, mut tidied, mut dirty) = (Instant::now(), Instant::now(), false);
    loop {
        let block = match blocks.recv_timeout(SYNC) {
            Ok(block) => Some(block),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        if let Some(plain) = block {
            let octets = plain.finish(number, seal);
            let records = u64::from(plain.records());
            number += records;
            let result = segments.append(&octets);
            match &result {
                Ok(()) => {
                    counts.written.fetch_add(records, Relaxed);
                    counts.blocks.fetch_add(1, Relaxed);
                    counts.octets.fetch_add(octets.len() as u64, Relaxed);
                    dirty = true;
                }
                Err(_) => {
                    counts.lost_refused.fetch_add(records, Relaxed);
                }
            }
            counts.note(&result);
        }
        if dirty && synced.elapsed() >= SYNC {
            counts.note(&segments.sync());
            (synced, dirty) = (Instant::now(), false);
        }
        if tidied.elapsed() >= TIDY {
            segments.tidy();
            tidied = Instant::now();
        }
        counts.deleted.store(segments.deleted, Relaxed);
    }
    counts.note(&segments.sync());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_refused_is_in_trouble_for_a_minute_whatever_it_took_since() {
        let (counts, begun) = (Counts::default(), Instant::now());
        counts.note(&Ok(()));
        assert_eq!(counts.trouble(), "");
        counts.note(&Err(io::Error::other("full")));
        let at = |seconds| counts.trouble_at(begun + Duration::from_secs(seconds));
        assert_eq!([at(1), at(100)], ["full", "full"]);
        counts.note(&Ok(()));
        assert_eq!([at(1), at(59), at(100)], ["full", "full", ""]);
    }
}
