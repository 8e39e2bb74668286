//! Classic pcap: a header of 24 octets, then records.
//!
//! ```text
//! magic 4 | version 2+2 | zone 4 | figures 4 | snap length 4 | FCS and link type 4
//! seconds 4 | micro- or nanoseconds 4 | captured length 4 | original length 4 | octets
//! ```
//! The magic tells octet order and unit. Kuznetzov's patched format has 8 more octets in each record header.

use super::error::{Cause, Kind};
use super::source::Source;
use super::{Found, Interface, MAX_PACKET, Order, Stop};

const HEADER: usize = 24;

pub(super) struct Pcap {
    order: Order,
    nanoseconds: bool,
    modified: bool,
    interface: Interface,
}

impl Pcap {
    /// Reads the file header.
    pub(super) fn start(source: &mut Source) -> Result<Self, Stop> {
        let Some(&header) = source.array::<HEADER>() else {
            let failure = source.failure();
            return Err(Stop::last(0, failure.unwrap_or_else(|| no_header(source.bytes()))));
        };
        let [m0, m1, m2, m3, a0, a1, i0, i1, _, _, _, _, _, _, _, _, s0, s1, s2, s3, t0, t1, t2, t3] = header;
        let Some((order, nanoseconds, modified)) = magic([m0, m1, m2, m3]) else {
            return Err(Stop::last(0, foreign(source.bytes())));
        };
        let (major, minor) = (order.u16([a0, a1]), order.u16([i0, i1]));
        if major != 2 {
            return Err(Stop::last(4, Cause::Version("pcap", major, minor)));
        }
        // The upper half says whether frames end in a check sequence; link types have 16 bits.
        let link_type = order.u32([t0, t1, t2, t3]) & 0xffff;
        source.advance(HEADER);
        let interface = Interface { link_type, snaplen: order.u32([s0, s1, s2, s3]) };
        Ok(Self { order, nanoseconds, modified, interface })
    }

    pub(super) const fn interface(&self) -> Interface {
        self.interface
    }

    pub(super) const fn name(&self) -> &'static str {
        match (self.modified, self.nanoseconds) {
            (true, _) => "pcap, modified (Kuznetzov)",
            (false, true) => "pcap, ns",
            (false, false) => "pcap, µs",
        }
    }

    pub(super) fn next(&mut self, source: &mut Source) -> Result<Option<Found>, Stop> {
        let head = if self.modified { 24 } else { 16 };
        let at = source.offset();
        if !source.want(head) {
            let have = source.bytes().len();
            return match source.failure() {
                Some(cause) => Err(Stop::last(at, cause)),
                None if have == 0 => Ok(None),
                None => Err(Stop::last(at, cut("a record header", head, have))),
            };
        }
        let Some(&[s0, s1, s2, s3, f0, f1, f2, f3, c0, c1, c2, c3, o0, o1, o2, o3]) = source.bytes().first_chunk() else {
            return Ok(None);
        };
        let (seconds, fraction) = (self.order.u32([s0, s1, s2, s3]), self.order.u32([f0, f1, f2, f3]));
        let (captured, original_len) = (self.order.u32([c0, c1, c2, c3]), self.order.u32([o0, o1, o2, o3]));
        if captured > MAX_PACKET {
            let (len, max) = (u64::from(captured), u64::from(MAX_PACKET));
            return Err(Stop::last(at, Cause::TooLong { part: "a packet", len, max }));
        }
        let len = captured as usize;
        let whole = head + len;
        if !source.want(whole) {
            let have = source.bytes().len();
            return Err(Stop::last(at, source.failure().unwrap_or_else(|| cut("a packet", whole, have))));
        }
        let unit = if self.nanoseconds { 1 } else { 1_000 };
        let time_ns = Some(u64::from(seconds) * 1_000_000_000 + u64::from(fraction) * unit);
        Ok(Some(Found { time_ns, interface: 0, link_type: self.interface.link_type, original_len, head, len, whole }))
    }
}

pub(super) const fn cut(part: &'static str, whole: usize, have: usize) -> Cause {
    Cause::Cut { part, whole: whole as u64, missing: whole.saturating_sub(have) as u64 }
}

/// Octet order, nanoseconds, modified.
const fn magic(octets: [u8; 4]) -> Option<(Order, bool, bool)> {
    let (order, value) = match octets {
        [0xa1, b1, b2, b3] => (Order::Big, [b1, b2, b3]),
        [b3, b2, b1, 0xa1] => (Order::Little, [b1, b2, b3]),
        _ => return None,
    };
    match value {
        [0xb2, 0xc3, 0xd4] => Some((order, false, false)),
        [0xb2, 0x3c, 0x4d] => Some((order, true, false)),
        [0xb2, 0xcd, 0x34] => Some((order, false, true)),
        _ => None,
    }
}

/// Fewer octets than a header: a capture that was cut, or none.
fn no_header(bytes: &[u8]) -> Cause {
    match bytes.first_chunk() {
        Some(&first) if magic(first).is_some() => cut("the file header", HEADER, bytes.len()),
        Some(_) => foreign(bytes),
        None => Cause::NotACapture(Kind::Short(bytes.len())),
    }
}

/// Names what is not a pcap, by its first octets.
fn foreign(bytes: &[u8]) -> Cause {
    let begins = |with: &[u8]| bytes.starts_with(with);
    let captures: [(&[u8], &'static str); 7] = [
        (b"snoop\0\0\0", "snoop"),
        (b"GMBU", "Microsoft Network Monitor"),
        (b"RTSS", "Microsoft Network Monitor"),
        (b"XCP\0", "Network Associates Sniffer"),
        (b"TRSNIFF data", "Network General Sniffer"),
        (&[0x1c, 0x00, 0x01, 0xac], "pcap as IXIA writes it"),
        (&[0x1c, 0x00, 0x01, 0xab], "pcap as IXIA writes it"),
    ];
    if let Some((_, kind)) = captures.into_iter().find(|(with, _)| begins(with)) {
        return Cause::OtherCapture(kind);
    }
    let others: [(&[u8], &'static str); 10] = [
        (&[0xff, 0xd8, 0xff], "a JPEG image"),
        (b"\x89PNG", "a PNG image"),
        (b"GIF8", "a GIF image"),
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive or an office document"),
        (b"BZh", "a bzip2 file: unpack it first"),
        (b"\xfd7zXZ", "an xz file: unpack it first"),
        (&[0x04, 0x22, 0x4d, 0x18], "an LZ4 file: unpack it first"),
        (b"\x7fELF", "a program"),
        (b"SQLite format 3", "an SQLite database"),
    ];
    if let Some((_, kind)) = others.into_iter().find(|(with, _)| begins(with)) {
        return Cause::NotACapture(Kind::Known(kind));
    }
    let first = bytes.get(..bytes.len().min(512)).unwrap_or_default();
    let is_text = first.iter().all(|&b| b >= 0x20 || matches!(b, b'\t' | b'\n' | b'\r'));
    Cause::NotACapture(match bytes.first_chunk() {
        _ if is_text => Kind::Known("it looks like text"),
        Some(&begins) => Kind::Begins(begins),
        None => Kind::Short(bytes.len()),
    })
}
