//! Unpacking gzip without being harmed by it.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;

use super::Bounds;
use crate::protocol::{Failure, Why};

/// Octets that are unpacked at a time: at DEFLATE's best (1 : 1032) they become about half a megabyte.
const STEP: usize = 512;
/// A ratio means little before so many octets: a list may begin with a long comment.
const FREE_OCTETS: u64 = 1 << 20;

/// A body that is being unpacked.
#[derive(Debug)]
pub(crate) struct Unpack {
    decoder: MultiGzDecoder<Out>,
    packed: u64,
}

/// What was unpacked and not yet taken.
#[derive(Debug)]
struct Out {
    octets: Vec<u8>,
    total: u64,
    bounds: Bounds,
}

impl Write for Out {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.total += octets.len() as u64;
        if self.total > self.bounds.body_octets {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.octets.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Unpack {
    /// Nothing yet.
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { decoder: MultiGzDecoder::new(Out { octets: Vec::new(), total: 0, bounds }), packed: 0 }
    }

    /// Takes octets as they came and gives what they say so far.
    pub(crate) fn push(&mut self, packed: &[u8]) -> Result<Bytes, Failure> {
        for step in packed.chunks(STEP) {
            self.packed += step.len() as u64;
            self.decoder.write_all(step).map_err(|error| self.failure(&error))?;
            let out = self.decoder.get_ref();
            if out.total > FREE_OCTETS && out.total / self.packed.max(1) > u64::from(out.bounds.ratio) {
                let detail = format!("{} octets became {}: more than {} from one", self.packed, out.total, out.bounds.ratio);
                return Err(Failure::new(Why::Bomb, detail));
            }
        }
        Ok(Bytes::from(std::mem::take(&mut self.decoder.get_mut().octets)))
    }

    /// The rest, when nothing more comes. What is cut short or fails its check is an error.
    pub(crate) fn finish(mut self) -> Result<Bytes, Failure> {
        self.decoder.try_finish().map_err(|error| self.failure(&error))?;
        Ok(Bytes::from(std::mem::take(&mut self.decoder.get_mut().octets)))
    }

    fn failure(&self, error: &io::Error) -> Failure {
        if error.kind() == io::ErrorKind::FileTooLarge {
            let most = self.decoder.get_ref().bounds.body_octets;
            return Failure::new(Why::Size, format_args!("more than {most} octets unpacked"));
        }
        Failure::new(Why::Encoding, format_args!("damaged gzip after {} octets: {error}", self.packed))
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn pack(octets: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(octets).unwrap();
        packer.finish().unwrap()
    }

    fn unpack(packed: &[u8], bounds: Bounds) -> Result<Vec<u8>, Failure> {
        let mut unpack = Unpack::new(bounds);
        let mut all = Vec::new();
        for piece in packed.chunks(7000) {
            all.extend_from_slice(&unpack.push(piece)?);
        }
        all.extend_from_slice(&unpack.finish()?);
        Ok(all)
    }

    fn list() -> Vec<u8> {
        (0..200_000_u32).flat_map(|n| format!("host-{:08x}.example\n", n.wrapping_mul(2_654_435_761)).into_bytes()).collect()
    }

    #[test]
    fn a_list_comes_out_as_it_went_in_in_one_member_or_two() {
        let (list, two) = (list(), [pack(b"a.example\n"), pack(b"b.example\n")].concat());
        assert_eq!(unpack(&pack(&list), Bounds::LIST).unwrap(), list);
        assert_eq!(unpack(&two, Bounds::LIST).unwrap(), b"a.example\nb.example\n");
    }

    #[test]
    fn a_bomb_is_refused_long_before_it_is_unpacked() {
        let bomb = pack(&vec![0; 64 << 20]);
        let mut unpack = Unpack::new(Bounds::LIST);
        assert_eq!(unpack.push(&bomb).unwrap_err().why, Why::Bomb);
        assert!(unpack.decoder.get_ref().total < 3 << 20, "{} octets", unpack.decoder.get_ref().total);
    }

    #[test]
    fn what_is_too_long_cut_short_or_damaged_is_an_error() {
        let packed = pack(&list());
        let small = Bounds { body_octets: 1 << 20, ..Bounds::LIST };
        assert_eq!(unpack(&packed, small).unwrap_err().why, Why::Size);
        for end in [5, 100, packed.len() / 2, packed.len() - 1] {
            assert_eq!(unpack(&packed[..end], Bounds::LIST).unwrap_err().why, Why::Encoding, "cut at {end}");
        }
        let mut damaged = packed.clone();
        let last = damaged.len() - 6;
        damaged[last] ^= 1;
        assert_eq!(unpack(&damaged, Bounds::LIST).unwrap_err().why, Why::Encoding);
    }
}
