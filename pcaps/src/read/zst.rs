//! Zstandard (RFC 8878) as a stream of any number of frames, skippable ones too. `ruzstd` decodes one frame; this goes on to the next,
//! compares its checksum, and of a frame that is cut delivers every block that is whole.

use std::io::{self, BufRead, BufReader, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// RFC 8878 §3.1.1.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// An empty raw block with the last-block bit (§3.1.1.2), and four octets for a checksum: what a frame that was cut is closed with.
const CLOSE: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

pub(super) struct ZstDecoder<R> {
    from: BufReader<R>,
    decoder: FrameDecoder,
    /// A frame's header was read, and not all of what it holds was delivered.
    inside: bool,
    /// To be returned when what was decoded before has been delivered.
    failed: Option<io::Error>,
}

impl<R: Read> ZstDecoder<R> {
    pub(super) fn is_zst(magic: &[u8]) -> bool {
        magic.starts_with(&MAGIC) || is_skippable(magic)
    }

    pub(super) fn new(from: R) -> Self {
        Self { from: BufReader::with_capacity(1 << 18, from), decoder: FrameDecoder::new(), inside: false, failed: None }
    }

    /// Begins the next frame; `false` at the end of the file.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.from.fill_buf()?.is_empty() {
            let mut magic = [0; 4];
            self.from.read_exact(&mut magic)?;
            if !is_skippable(&magic) {
                self.decoder.reset((&magic[..]).chain(&mut self.from)).map_err(io::Error::other)?;
                self.inside = true;
                return Ok(true);
            }
            let mut len = [0; 4];
            self.from.read_exact(&mut len)?;
            let len = u64::from(u32::from_le_bytes(len));
            if io::copy(&mut (&mut self.from).take(len), &mut io::sink())? < len {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(false)
    }

    fn decode(&mut self, octets: usize) {
        while self.decoder.can_collect() < octets && !self.decoder.is_finished() && self.failed.is_none() {
            let strategy = BlockDecodingStrategy::UptoBlocks(1);
            if let Err(error) = self.decoder.decode_blocks(&mut self.from, strategy) {
                // Only what was cut is closed: a block that is wrong inside may have left wrong octets behind it.
                let cut = matches!(self.from.fill_buf(), Ok(rest) if rest.is_empty());
                if cut {
                    let _closed = self.decoder.decode_blocks(&CLOSE[..], BlockDecodingStrategy::All);
                }
                self.failed = Some(io::Error::other(error));
            }
        }
    }

    fn end(&mut self) -> io::Result<()> {
        self.inside = false;
        match (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum()) {
            (Some(said), Some(found)) if said != found => {
                Err(io::Error::new(io::ErrorKind::InvalidData, format!("checksum {found:08x}, but the frame says {said:08x}")))
            }
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for ZstDecoder<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while !buf.is_empty() {
            if !self.inside && !self.begin()? {
                return Ok(0);
            }
            self.decode(buf.len());
            let len = self.decoder.read(buf)?;
            if len > 0 {
                return Ok(len);
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            self.end()?;
        }
        Ok(0)
    }
}

/// §3.1.2: frames that hold no data of the stream.
fn is_skippable(magic: &[u8]) -> bool {
    matches!(magic, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}
