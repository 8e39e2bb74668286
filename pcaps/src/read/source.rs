//! One buffer in front of the file, filled in large pieces; gzip and Zstandard are taken off on the way.
//!
//! Frames of a batch stay in the buffer that they were read into: when the next one needs more octets, that buffer is put aside with
//! them and another one goes on with the rest.

use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::error::Cause;
use super::zst::ZstDecoder;

/// Larger than any block that is held; large enough that a system call costs nothing beside the frames it brings.
const BUFFER: usize = 1 << 20;

/// Octets that are asked for at a time: they are still in the cache of the processor when frames are taken out of them.
const PIECE: usize = 1 << 18;

const _: () = assert!(BUFFER >= 2 * super::MAX_BLOCK as usize);

/// Counts what is taken from the file itself.
struct Counted {
    from: Box<dyn Read + Send>,
    taken: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = loop {
            match self.from.read(buf) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.taken.fetch_add(len as u64, Ordering::Relaxed);
        Ok(len)
    }
}

/// What stands between the buffer and the file.
enum Reader {
    Plain(Counted),
    Gzip(Box<MultiGzDecoder<BufReader<Peeked>>>),
    Zst(Box<ZstDecoder<Peeked>>),
    /// Being exchanged.
    None,
}

/// A file whose first octets were looked at.
type Peeked = io::Chain<Cursor<Vec<u8>>, Counted>;

impl Reader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(from) => from.read(buf),
            Self::Gzip(from) => from.read(buf),
            Self::Zst(from) => from.read(buf),
            Self::None => Ok(0),
        }
    }
}

/// The buffer: `bytes()` is what is there, `want(n)` asks for more, `advance(n)` passes over what was used.
pub(super) struct Source {
    reader: Reader,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Octet of the unpacked capture at `start`.
    offset: u64,
    ended: bool,
    failure: Option<io::Error>,
    /// Frames of the batch at hand lie in the buffer: it must not be written to.
    kept: bool,
    /// The buffer with the frames of the batch at hand, when another one has taken its place.
    aside: Option<Vec<u8>>,
    /// A buffer that was used before.
    spare: Vec<u8>,
}

impl Source {
    pub(super) fn new(from: Box<dyn Read + Send>, taken: Arc<AtomicU64>) -> Self {
        let reader = Reader::Plain(Counted { from, taken });
        Self {
            reader,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            offset: 0,
            ended: false,
            failure: None,
            kept: false,
            aside: None,
            spare: Vec::new(),
        }
    }

    /// Gives a buffer that is not needed any more.
    pub(super) fn give(&mut self, buffer: Vec<u8>) {
        self.spare = buffer;
    }

    /// Keeps what is in the buffer for the batch at hand.
    pub(super) const fn keep(&mut self) {
        self.kept = true;
    }

    /// Octet of the buffer at which [`Source::bytes`] begins.
    pub(super) const fn start(&self) -> usize {
        self.start
    }

    /// Whether the buffer with the frames of the batch was put aside.
    pub(super) const fn is_aside(&self) -> bool {
        self.aside.is_some()
    }

    /// The buffer with the frames of the batch.
    pub(super) fn take_kept(&mut self) -> Vec<u8> {
        if self.kept {
            self.put_aside();
        }
        self.aside.take().unwrap_or_default()
    }

    fn put_aside(&mut self) {
        let mut next = std::mem::take(&mut self.spare);
        if next.len() != BUFFER {
            next = vec![0; BUFFER];
        }
        let rest = self.buffer.get(self.start..self.end).unwrap_or_default();
        if let Some(room) = next.get_mut(..rest.len()) {
            room.copy_from_slice(rest);
        }
        (self.start, self.end) = (0, rest.len());
        self.aside = Some(std::mem::replace(&mut self.buffer, next));
        self.kept = false;
    }

    /// What has been read and not been passed over.
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// The first `n` octets, or fewer at the end.
    pub(super) fn bytes_of(&mut self, n: usize) -> &[u8] {
        self.want(n);
        let bytes = self.bytes();
        bytes.get(..n).unwrap_or(bytes)
    }

    /// The first `N` octets.
    pub(super) fn array<const N: usize>(&mut self) -> Option<&[u8; N]> {
        if self.want(N) { self.bytes().first_chunk() } else { None }
    }

    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Are `n` octets there? Reads until they are, or until the end.
    #[inline]
    pub(super) fn want(&mut self, n: usize) -> bool {
        self.end - self.start >= n || self.fill(n)
    }

    #[cold]
    fn fill(&mut self, n: usize) -> bool {
        debug_assert!(n <= BUFFER, "no caller asks for more than a block");
        if self.ended {
            return false;
        }
        if self.kept {
            self.put_aside();
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < n && !self.ended {
            let until = BUFFER.min(self.end + PIECE);
            let Some(room) = self.buffer.get_mut(self.end..until) else { break };
            match self.reader.read(room) {
                Ok(0) => self.ended = true,
                Ok(len) => self.end += len,
                Err(error) => {
                    self.ended = true;
                    self.failure = Some(error);
                }
            }
        }
        self.end >= n
    }

    /// Passes over `n` octets that are there.
    #[inline]
    pub(super) fn advance(&mut self, n: usize) {
        let n = n.min(self.end - self.start);
        self.start += n;
        self.offset += n as u64;
    }

    /// Passes over `n` octets, there or yet to be read; returns how many were found.
    pub(super) fn skip(&mut self, n: u64) -> u64 {
        let mut left = n;
        while left > 0 && self.want(1) {
            let step = usize::try_from(left).unwrap_or(usize::MAX).min(self.end - self.start);
            self.advance(step);
            left -= step as u64;
        }
        n - left
    }

    /// Why no more octets came, where it was not simply the end.
    pub(super) fn failure(&mut self) -> Option<Cause> {
        let error = self.failure.take()?;
        Some(match self.wrapping() {
            Some(kind) => Cause::Compression { kind, error },
            None => Cause::Read(error),
        })
    }

    /// The compression that was taken off.
    pub(super) const fn wrapping(&self) -> Option<&'static str> {
        match self.reader {
            Reader::Gzip(_) => Some("gzip"),
            Reader::Zst(_) => Some("Zstandard"),
            Reader::Plain(_) | Reader::None => None,
        }
    }

    /// Called once, before anything was passed over: puts a decompressor in between where the first octets ask for one.
    pub(super) fn unwrap_compression(&mut self) {
        let magic = self.bytes_of(4);
        let gzip = magic.starts_with(&[0x1f, 0x8b]);
        if !gzip && !ZstDecoder::<Peeked>::is_zst(magic) {
            return;
        }
        let peeked = self.bytes().to_vec();
        let Reader::Plain(file) = std::mem::replace(&mut self.reader, Reader::None) else { return };
        let file = Cursor::new(peeked).chain(file);
        self.reader = if gzip {
            Reader::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, file))))
        } else {
            Reader::Zst(Box::new(ZstDecoder::new(file)))
        };
        (self.start, self.end, self.ended) = (0, 0, self.failure.is_some());
    }
}
