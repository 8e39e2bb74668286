//! Frames of a capture, one at a time, in constant memory: pcap and pcapng, plain or in gzip or Zstandard, from a file or a pipe.
//!
//! What a file is, is told by its first octets and never by its name. [`Capture::next`] lends each frame from one buffer;
//! [`Capture::fill`] leaves many in the buffer that they were read into. Whatever can be read is delivered first; then the error says
//! where reading ended and why. After an error the next call goes on behind the damage
//! where the file's own lengths allow it (a pcapng block that lies about its inside), and otherwise returns `None`.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

mod error;
mod pcap;
mod pcapng;
mod source;
mod zst;

pub use error::{Cause, ReadError};
use source::Source;

/// The longest packet that is believed, in octets: the largest that capture programs write for these links.
pub const MAX_PACKET: u32 = 262_144;

/// The longest pcapng block that is held in memory, in octets. Blocks that are skipped may have any length.
const MAX_BLOCK: u32 = 2 * MAX_PACKET;

/// More interfaces than any capture has; each costs a few octets of memory.
const MAX_INTERFACES: usize = 65_536;

/// One frame, lent until the next is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its place among the packets of the file, from 1.
    pub number: u64,
    /// Capture time in nanoseconds since 1970, UTC. `None` where the file has none (pcapng Simple Packet Blocks, times before 1970).
    pub time_ns: Option<u64>,
    /// Interface, counted from 0 over all sections of the file.
    pub interface: u32,
    /// The link type of the interface as captures number them: 1 is Ethernet, 113 Linux cooked v1, 141 MTP3.
    pub link_type: u32,
    /// Length on the wire; above `bytes.len()` where the capture cut the frame (snap length).
    pub original_len: u32,
    /// The octets captured.
    pub bytes: &'a [u8],
}

impl Frame<'_> {
    /// The capture kept less than was on the wire.
    pub fn is_cut(&self) -> bool {
        self.original_len as usize > self.bytes.len()
    }
}

/// An interface that a capture declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Link type, as in [`Frame::link_type`].
    pub link_type: u32,
    /// Longest frame that it keeps; 0 is no limit.
    pub snaplen: u32,
}

/// Where a frame lies in the buffer, and what stands beside it.
struct Found {
    time_ns: Option<u64>,
    interface: u32,
    link_type: u32,
    original_len: u32,
    /// Octets before the frame that belong to it (record or block header).
    head: usize,
    len: usize,
    /// Octets of the whole record or block.
    whole: usize,
}

/// Frames in the buffer that they were read into: what one thread reads while another takes them on.
#[derive(Debug, Default)]
pub struct Batch {
    octets: Vec<u8>,
    frames: Vec<Kept>,
}

/// A frame in a batch.
#[derive(Clone, Copy, Debug)]
struct Kept {
    number: u64,
    time_ns: Option<u64>,
    interface: u32,
    link_type: u32,
    original_len: u32,
    start: u32,
    len: u32,
}

impl Batch {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The frames in order.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        self.frames.iter().map(|kept| Frame {
            number: kept.number,
            time_ns: kept.time_ns,
            interface: kept.interface,
            link_type: kept.link_type,
            original_len: kept.original_len,
            bytes: self.octets.get(kept.start as usize..(kept.start + kept.len) as usize).unwrap_or_default(),
        })
    }
}

enum Format {
    /// Not looked at yet.
    New,
    Pcap(pcap::Pcap),
    PcapNg(pcapng::PcapNg),
}

/// A capture being read.
pub struct Capture {
    source: Source,
    format: Format,
    /// Nothing more to read.
    done: bool,
    name: String,
    frames: u64,
    size: Option<u64>,
    taken: Arc<AtomicU64>,
    interfaces: Vec<Interface>,
    skipped_blocks: u64,
    /// Octets of the record lent last, passed over when the next is asked for.
    lent: usize,
    /// The first frame of the next batch: reading it took the batch at hand to its end.
    early: Option<Kept>,
}

impl Capture {
    /// Opens a file; `-` is standard input.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        if path.as_os_str() == "-" {
            return Ok(Self::new(Box::new(std::io::stdin()), "standard input"));
        }
        let name = path.display().to_string();
        let failed = |cause| ReadError { file: name.clone(), offset: 0, frames: 0, cause };
        let file = File::open(path).map_err(|error| failed(Cause::Open(error)))?;
        let about = file.metadata().map_err(|error| failed(Cause::Open(error)))?;
        if about.is_dir() {
            return Err(failed(Cause::Directory));
        }
        let mut capture = Self::new(Box::new(file), &name);
        capture.size = about.is_file().then_some(about.len());
        Ok(capture)
    }

    /// Reads from anything; `name` stands in errors.
    pub fn new(from: Box<dyn Read + Send>, name: &str) -> Self {
        let taken = Arc::new(AtomicU64::new(0));
        Self {
            source: Source::new(from, Arc::clone(&taken)),
            format: Format::New,
            done: false,
            name: name.to_owned(),
            frames: 0,
            size: None,
            taken,
            interfaces: Vec::new(),
            skipped_blocks: 0,
            lent: 0,
            early: None,
        }
    }

    /// The next frame; `None` at the end.
    #[expect(clippy::should_implement_trait, reason = "an Iterator cannot lend from its own buffer")]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, ReadError> {
        let Some(kept) = self.take()? else { return Ok(None) };
        let Kept { number, time_ns, interface, link_type, original_len, start, len } = kept;
        let start = start as usize - self.source.start();
        let bytes = self.source.bytes().get(start..start + len as usize).unwrap_or_default();
        Ok(Some(Frame { number, time_ns, interface, link_type, original_len, bytes }))
    }

    /// Adds frames to `batch` until what was read of the file is used up; whether there may be more. Before the next batch goes
    /// [`Capture::reuse`].
    ///
    /// After an error the next call goes on with the same batch.
    pub fn fill(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        loop {
            let Some(kept) = self.take()? else {
                batch.octets = self.source.take_kept();
                return Ok(false);
            };
            if self.source.is_aside() {
                batch.octets = self.source.take_kept();
                self.early = Some(kept);
                return Ok(true);
            }
            self.source.keep();
            batch.frames.push(kept);
        }
    }

    /// Empties a batch, whose buffer is used again.
    pub fn reuse(&mut self, batch: &mut Batch) {
        batch.frames.clear();
        self.source.give(std::mem::take(&mut batch.octets));
    }

    /// The next frame, in the source's buffer.
    fn take(&mut self) -> Result<Option<Kept>, ReadError> {
        if let Some(kept) = self.early.take() {
            return Ok(Some(kept));
        }
        if self.done {
            return Ok(None);
        }
        self.source.advance(std::mem::take(&mut self.lent));
        let found = match &mut self.format {
            Format::Pcap(pcap) => pcap.next(&mut self.source),
            Format::PcapNg(pcapng) => pcapng.next(&mut self.source, &mut self.interfaces, &mut self.skipped_blocks),
            Format::New => self.start(),
        };
        let found = match found {
            Ok(Some(found)) => found,
            Ok(None) => {
                self.done = true;
                return Ok(None);
            }
            Err(stop) => return Err(self.stopped(stop)),
        };
        self.frames += 1;
        self.lent = found.whole;
        let Found { time_ns, interface, link_type, original_len, head, len, .. } = found;
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let (start, len) = (place(self.source.start() + head), place(len));
        Ok(Some(Kept { number: self.frames, time_ns, interface, link_type, original_len, start, len }))
    }

    /// What the file is, in words, once the first frame was asked for: `pcap, ns`, `pcapng in gzip`.
    pub fn format(&self) -> String {
        let format = match &self.format {
            Format::Pcap(pcap) => pcap.name(),
            Format::PcapNg(_) => "pcapng",
            Format::New => "unknown",
        };
        match self.source.wrapping() {
            Some(wrapping) => format!("{format} in {wrapping}"),
            None => format.to_owned(),
        }
    }

    /// The interfaces seen so far, over all sections.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// Frames delivered so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// pcapng blocks that hold no packet and no interface (names, statistics, secrets, those of other programs), passed over.
    pub fn skipped_blocks(&self) -> u64 {
        self.skipped_blocks
    }

    /// Size of the file as it lies on disk, where it is a file.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Octets taken from the file as it lies on disk: for a progress bar beside [`Capture::size`].
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Tells what the file is and reads its header; the first frame with it.
    fn start(&mut self) -> Result<Option<Found>, Stop> {
        self.source.unwrap_compression();
        if !self.source.want(1) {
            return Err(self.source.failure().map_or(Stop::last(0, Cause::Empty), |cause| Stop::last(0, cause)));
        }
        if pcapng::is_pcapng(self.source.bytes_of(4)) {
            let mut format = pcapng::PcapNg::default();
            let found = format.next(&mut self.source, &mut self.interfaces, &mut self.skipped_blocks);
            self.format = Format::PcapNg(format);
            return found;
        }
        let mut format = pcap::Pcap::start(&mut self.source)?;
        self.interfaces.push(format.interface());
        let found = format.next(&mut self.source);
        self.format = Format::Pcap(format);
        found
    }

    fn stopped(&mut self, stop: Stop) -> ReadError {
        if !stop.goes_on {
            self.done = true;
        }
        ReadError { file: self.name.clone(), offset: stop.offset, frames: self.frames, cause: stop.cause }
    }
}

/// Reading could not go on at `offset` of the (unpacked) capture.
struct Stop {
    offset: u64,
    cause: Cause,
    /// The next block can still be found.
    goes_on: bool,
}

impl Stop {
    const fn last(offset: u64, cause: Cause) -> Self {
        Self { offset, cause, goes_on: false }
    }
}

/// Octet order of a file's own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Order {
    const fn u16(self, b: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(b),
            Self::Big => u16::from_be_bytes(b),
        }
    }

    const fn u32(self, b: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(b),
            Self::Big => u32::from_be_bytes(b),
        }
    }
}
