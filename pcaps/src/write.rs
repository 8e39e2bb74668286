//! pcapng out. The same calls give the same octets: no clock, no host name, no program name.
//!
//! One section; each interface counts time in nanoseconds; each packet is an Enhanced Packet Block, with a comment where one is given.

use std::io::{self, BufWriter, Write};

use crate::read::Frame;

/// The longest comment that an option can hold.
const MAX_COMMENT: usize = 65_535;

/// A pcapng file being written.
pub struct PcapNg<W: Write> {
    out: BufWriter<W>,
    block: Vec<u8>,
    interfaces: u32,
    /// Interface and link type of a frame that was read, and where it goes.
    ports: Vec<(u32, u32, u32)>,
}

impl<W: Write> PcapNg<W> {
    /// Writes the section header.
    pub fn new(out: W) -> io::Result<Self> {
        let mut this = Self {
            out: BufWriter::with_capacity(1 << 18, out),
            block: Vec::with_capacity(2048),
            interfaces: 0,
            ports: Vec::new(),
        };
        this.begin(0x0a0d_0d0a);
        this.block.extend_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
        this.block.extend_from_slice(&[1, 0, 0, 0]);
        this.block.extend_from_slice(&u64::MAX.to_le_bytes()); // section length: not given
        this.end()?;
        Ok(this)
    }

    /// Declares an interface and returns its number.
    pub fn interface(&mut self, link_type: u16) -> io::Result<u32> {
        self.begin(1);
        self.block.extend_from_slice(&u32::from(link_type).to_le_bytes());
        self.block.extend_from_slice(&[0; 4]); // snap length: no limit
        self.block.extend_from_slice(&[9, 0, 1, 0, 9, 0, 0, 0]); // if_tsresol: 10⁻⁹ s
        self.block.extend_from_slice(&[0; 4]);
        self.end()?;
        self.interfaces += 1;
        Ok(self.interfaces - 1)
    }

    /// Writes a packet that was captured whole.
    pub fn packet(&mut self, interface: u32, time_ns: u64, bytes: &[u8], comment: Option<&str>) -> io::Result<()> {
        self.cut_packet(interface, time_ns, bytes, len_u32(bytes)?, comment)
    }

    /// Writes a packet of which the capture kept `bytes` of `original_len` octets.
    pub fn cut_packet(
        &mut self,
        interface: u32,
        time_ns: u64,
        bytes: &[u8],
        original_len: u32,
        comment: Option<&str>,
    ) -> io::Result<()> {
        self.begin(6);
        self.block.extend_from_slice(&interface.to_le_bytes());
        let [l0, l1, l2, l3, h0, h1, h2, h3] = time_ns.to_le_bytes();
        self.block.extend_from_slice(&[h0, h1, h2, h3, l0, l1, l2, l3]);
        self.block.extend_from_slice(&len_u32(bytes)?.to_le_bytes());
        self.block.extend_from_slice(&original_len.to_le_bytes());
        self.padded(bytes);
        if let Some(comment) = comment {
            let comment = comment.get(..comment.floor_char_boundary(MAX_COMMENT)).unwrap_or_default().as_bytes();
            self.block.extend_from_slice(&[1, 0]);
            self.block.extend_from_slice(&u16::try_from(comment.len()).unwrap_or(u16::MAX).to_le_bytes());
            self.padded(comment);
            self.block.extend_from_slice(&[0; 4]);
        }
        self.end()
    }

    /// Writes a frame that was read, with `bytes` in place of its own: same time, an interface of the same link type, and as much longer
    /// or shorter on the wire as `bytes` are. A frame without a time gets 0.
    ///
    /// Interfaces are declared as they first appear, so that files with several of them keep them apart.
    pub fn frame(&mut self, frame: &Frame<'_>, bytes: &[u8], comment: Option<&str>) -> io::Result<()> {
        let known =
            self.ports.iter().find(|(interface, link_type, _)| (*interface, *link_type) == (frame.interface, frame.link_type));
        let interface = match known {
            Some(&(_, _, interface)) => interface,
            None => {
                let link_type = u16::try_from(frame.link_type).map_err(|_| {
                    io::Error::new(io::ErrorKind::InvalidInput, format!("link type {} has no place in pcapng", frame.link_type))
                })?;
                let interface = self.interface(link_type)?;
                self.ports.push((frame.interface, frame.link_type, interface));
                interface
            }
        };
        let not_captured = frame.original_len.saturating_sub(len_u32(frame.bytes)?);
        let original_len = len_u32(bytes)?.saturating_add(not_captured);
        self.cut_packet(interface, frame.time_ns.unwrap_or(0), bytes, original_len, comment)
    }

    /// Writes out what is buffered.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes out what is buffered and returns the writer.
    pub fn finish(self) -> io::Result<W> {
        self.out.into_inner().map_err(io::IntoInnerError::into_error)
    }

    fn begin(&mut self, kind: u32) {
        self.block.clear();
        self.block.extend_from_slice(&kind.to_le_bytes());
        self.block.extend_from_slice(&[0; 4]);
    }

    fn padded(&mut self, bytes: &[u8]) {
        self.block.extend_from_slice(bytes);
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }

    fn end(&mut self) -> io::Result<()> {
        let total = u32::try_from(self.block.len() + 4).map_err(|_| too_long())?.to_le_bytes();
        if let Some(place) = self.block.get_mut(4..8) {
            place.copy_from_slice(&total);
        }
        self.block.extend_from_slice(&total);
        self.out.write_all(&self.block)
    }
}

fn len_u32(bytes: &[u8]) -> io::Result<u32> {
    u32::try_from(bytes.len()).map_err(|_| too_long())
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "a packet of 4 GiB or more has no place in pcapng")
}
