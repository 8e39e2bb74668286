//! Samples of what was not understood, in a pcapng that is begun anew when it is full; the one before is kept as `FILE.1`.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use pcaps::write::PcapNg;
use protocols::Error;

/// The file being written.
pub(super) struct Samples {
    path: PathBuf,
    most: u64,
    out: Option<PcapNg<File>>,
    interfaces: HashMap<u16, u32>,
    octets: u64,
    /// Frames written.
    pub(super) written: u64,
}

impl Samples {
    /// Nothing is opened before the first frame.
    pub(super) fn new(path: &Path, most: u64) -> Self {
        Self { path: path.to_owned(), most, out: None, interfaces: HashMap::new(), octets: 0, written: 0 }
    }

    /// Writes one frame.
    pub(super) fn put(&mut self, time_ns: u64, link_type: u16, bytes: &[u8], original_len: u32, why: Error) -> io::Result<()> {
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
        let interface = match self.interfaces.get(&link_type) {
            Some(&known) => known,
            None => {
                let new = out.interface(link_type)?;
                self.interfaces.insert(link_type, new);
                new
            }
        };
        out.cut_packet(interface, time_ns, bytes, original_len, Some(&why.to_string()))?;
        out.flush()?;
        // What stands around a packet: 32 octets, its comment, padding.
        self.octets += bytes.len() as u64 + 128;
        self.written += 1;
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

    #[test]
    fn the_file_is_bounded_and_says_why_each_frame_is_in_it() {
        let path = std::env::temp_dir().join(format!("ztsms-unscanned-{}.pcapng", std::process::id()));
        let mut samples = Samples::new(&path, 4_000);
        for n in 0..100 {
            samples.put(n, 1, &[7; 60], 90, Error::new(Layer::Sctp, 2, Why::truncated(4, 1))).unwrap();
        }
        assert_eq!(samples.written, 100);
        for path in [path.clone(), samples.before()] {
            let size = std::fs::metadata(&path).unwrap().len();
            assert!((300..8_000).contains(&size), "{size} octets");
            let mut capture = pcaps::read::Capture::open(&path).unwrap();
            let frame = capture.next().unwrap().unwrap();
            assert_eq!((frame.bytes.len(), frame.original_len), (60, 90));
            std::fs::remove_file(&path).unwrap();
        }
    }
}
