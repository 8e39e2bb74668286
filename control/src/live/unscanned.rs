//! Samples of what was not understood, in a pcapng that is begun anew when it is full; the one before is kept as `FILE.1`. A thread of its own
//! writes it: a disk that is slow or full costs samples, which are counted, and never makes anybody wait.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{Builder, JoinHandle};

use crossbeam::channel::{Sender, bounded};
use pcaps::write::PcapNg;
use protocols::Error;

use crate::spool::Counts;

/// Samples that wait for the disk.
const WAITING: usize = 64;

/// One frame.
struct Sample {
    time_ns: u64,
    link_type: u16,
    bytes: Vec<u8>,
    original_len: u32,
    why: Error,
}

/// Takes samples.
pub(super) struct Samples {
    send: Option<Sender<Sample>>,
    writer: Option<JoinHandle<()>>,
    counts: Arc<Counts>,
}

impl Samples {
    /// Begins the thread. Nothing is opened before the first frame.
    pub(super) fn new(path: &Path, most: u64) -> io::Result<Self> {
        let mut files = Files::new(path, most);
        Self::through(move |sample| files.put(sample))
    }

    fn through(mut write: impl FnMut(&Sample) -> io::Result<()> + Send + 'static) -> io::Result<Self> {
        let (send, receive) = bounded::<Sample>(WAITING);
        let counts = Arc::new(Counts::default());
        let theirs = Arc::clone(&counts);
        let run = move || {
            for sample in receive {
                let result = write(&sample);
                let count = if result.is_ok() { &theirs.written } else { &theirs.lost_refused };
                count.fetch_add(1, Relaxed);
                theirs.note(&result);
            }
        };
        let writer = Builder::new().name("samples".to_owned()).spawn(run)?;
        Ok(Self { send: Some(send), writer: Some(writer), counts })
    }

    /// Takes one frame.
    pub(super) fn put(&self, time_ns: u64, link_type: u16, bytes: &[u8], original_len: u32, why: Error) {
        let sample = Sample { time_ns, link_type, bytes: bytes.to_vec(), original_len, why };
        if self.send.as_ref().is_none_or(|send| send.try_send(sample).is_err()) {
            self.counts.lost_slow.fetch_add(1, Relaxed);
        }
    }

    /// What became of the samples.
    pub(super) fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }
}

impl Drop for Samples {
    /// Writes what is left.
    fn drop(&mut self) {
        self.send = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing more to write.
            let _ = writer.join();
        }
    }
}

/// The file being written.
struct Files {
    path: PathBuf,
    most: u64,
    out: Option<PcapNg<File>>,
    interfaces: HashMap<u16, u32>,
    octets: u64,
}

impl Files {
    fn new(path: &Path, most: u64) -> Self {
        Self { path: path.to_owned(), most, out: None, interfaces: HashMap::new(), octets: 0 }
    }

    /// Writes one frame.
    fn put(&mut self, sample: &Sample) -> io::Result<()> {
        let Sample { time_ns, link_type, bytes, original_len, why } = sample;
        if self.octets + bytes.len() as u64 > self.most {
            self.end()?;
        }
        let out = match &mut self.out {
            Some(out) => out,
            None => {
                // What a former process left is kept as one that is full.
                if self.path.exists() {
                    std::fs::rename(&self.path, self.before())?;
                }
                self.octets = 0;
                self.interfaces.clear();
                self.out.insert(PcapNg::new(File::create(&self.path)?)?)
            }
        };
        let interface = match self.interfaces.get(link_type) {
            Some(&known) => known,
            None => {
                let new = out.interface(*link_type)?;
                self.interfaces.insert(*link_type, new);
                new
            }
        };
        out.cut_packet(interface, *time_ns, bytes, *original_len, Some(&why.to_string()))?;
        out.flush()?;
        // What stands around a packet: 32 octets, its comment, padding.
        self.octets += bytes.len() as u64 + 128;
        Ok(())
    }

    fn before(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".1");
        name.into()
    }

    fn end(&mut self) -> io::Result<()> {
        self.out.take().map_or(Ok(()), |out| out.finish().map(drop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocols::{Layer, Why};

    fn why() -> Error {
        Error::new(Layer::Sctp, 2, Why::truncated(4, 1))
    }

    #[test]
    fn the_file_is_bounded_and_says_why_each_frame_is_in_it() {
        let path = std::env::temp_dir().join(format!("ztsms-unscanned-{}.pcapng", std::process::id()));
        let mut files = Files::new(&path, 4_000);
        for time_ns in 0..100 {
            files.put(&Sample { time_ns, link_type: 1, bytes: vec![7; 60], original_len: 90, why: why() }).unwrap();
        }
        for path in [path.clone(), files.before()] {
            let size = std::fs::metadata(&path).unwrap().len();
            assert!((300..8_000).contains(&size), "{size} octets");
            let mut capture = pcaps::read::Capture::open(&path).unwrap();
            let frame = capture.next().unwrap().unwrap();
            assert_eq!((frame.bytes.len(), frame.original_len), (60, 90));
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn a_disk_that_stalls_or_refuses_costs_samples_that_are_counted_and_nobody_waits() {
        let (go, stalled) = bounded(0);
        let samples = Samples::through(move |_| stalled.recv().unwrap_or(Ok(()))).unwrap();
        let (counts, all) = (samples.counts(), WAITING as u64 + 10);
        (0..all).for_each(|n| samples.put(n, 1, &[7; 60], 60, why()));
        // One may be in the writer's hands.
        assert!((9..=10).contains(&counts.lost_slow.load(Relaxed)), "{counts:?}");
        go.send(Err(io::Error::other("full"))).unwrap();
        drop(go);
        drop(samples);
        assert_eq!((counts.lost_refused.load(Relaxed), counts.trouble().as_str()), (1, "full"));
        assert_eq!(counts.written.load(Relaxed) + counts.lost(), all);

        let samples = Samples::new(Path::new("/proc/nowhere/samples.pcapng"), 4_000).unwrap();
        samples.put(0, 1, &[7; 60], 60, why());
        let counts = samples.counts();
        drop(samples);
        assert!(counts.lost() == 1 && !counts.trouble().is_empty(), "{counts:?}");
    }
}
