//! A packet put together again from changed chunks: common header, chunks, pads, UDP and IP lengths and sums, CRC32c.

use core::ops::Range;

use protocols::link::{self, Ip, checksum, udp_checksum};
use protocols::sctp::{self, CHUNK_LENGTH_AT, Chunk, HEADER_LEN, Packet};
use protocols::span;

use crate::rewrite::Changes;

/// One changed chunk.
#[derive(Clone, Debug)]
struct Changed {
    /// The old chunk in its packet, padding included where it is there.
    old: Range<usize>,
    /// The new one in `octets`, padded.
    new: Range<usize>,
}

/// The packets that go on in place of one frame. Reused: no heap once warm.
#[derive(Debug)]
pub(crate) struct Packets {
    chunks: Vec<Changed>,
    octets: Vec<u8>,
    sctp: Vec<u8>,
    out: Vec<u8>,
    ends: Vec<usize>,
}

/// How a packet with changed chunks leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Built {
    /// As one packet.
    Whole,
    /// As two, cut at a chunk.
    Split,
    /// As it came: it outgrew the MTU, and no cut makes two that fit.
    Outgrown,
}

const OCTETS: usize = 128 * 1024;
const CHUNKS: usize = 4096;

impl Default for Packets {
    fn default() -> Self {
        Self {
            chunks: Vec::with_capacity(CHUNKS),
            octets: Vec::with_capacity(OCTETS),
            sctp: Vec::with_capacity(OCTETS),
            out: Vec::with_capacity(2 * OCTETS),
            ends: Vec::with_capacity(2),
        }
    }
}

impl Packets {
    pub(crate) fn clear(&mut self) {
        self.chunks.clear();
        self.octets.clear();
        self.out.clear();
        self.ends.clear();
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(crate) const fn has_chunks(&self) -> bool {
        !self.chunks.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut at = 0;
        self.ends.iter().filter_map(move |&end| self.out.get(core::mem::replace(&mut at, end)..end))
    }

    /// The frame of a bare link, changed. Left alone when the changes cannot be made (which was asked before).
    pub(crate) fn bare(&mut self, frame: &[u8], changes: &mut Changes) {
        if changes.settle(frame).and_then(|()| changes.apply(frame, &mut self.out)).is_ok() {
            self.ends.push(self.out.len());
        } else {
            self.out.clear();
        }
    }

    /// One chunk, changed: its own length is put right, its TSN, stream and order are not touched. As it leaves; nothing where it stays.
    pub(crate) fn chunk(&mut self, chunk: &Chunk<'_>, changes: &mut Changes) -> &[u8] {
        let start = self.octets.len();
        if changes.settle(chunk.body).and_then(|()| changes.apply(chunk.body, &mut self.octets)).is_err()
            || self.chunks.len() >= CHUNKS
        {
            self.octets.truncate(start);
            return &[];
        }
        let len = self.octets.len() - start;
        let length = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
        if let Some(field) = self.octets.get_mut(start + CHUNK_LENGTH_AT..start + CHUNK_LENGTH_AT + 2) {
            field.copy_from_slice(&length);
        }
        self.octets.extend([0u8; 3].get(..len.next_multiple_of(4) - len).unwrap_or_default());
        self.leaves(chunk, start);
        self.octets.get(start..start + len).unwrap_or_default()
    }

    /// One chunk, as it left before.
    pub(crate) fn chunk_as(&mut self, chunk: &Chunk<'_>, octets: &[u8]) {
        let start = self.octets.len();
        self.octets.extend_from_slice(octets);
        self.octets.extend([0u8; 3].get(..octets.len().next_multiple_of(4) - octets.len()).unwrap_or_default());
        self.leaves(chunk, start);
    }

    /// The last chunk goes on as it came after all.
    pub(crate) fn take_back(&mut self) {
        self.chunks.pop();
    }

    fn leaves(&mut self, chunk: &Chunk<'_>, start: usize) {
        let old = chunk.at..chunk.at + chunk.body.len().next_multiple_of(4);
        self.chunks.push(Changed { old, new: start..self.octets.len() });
    }

    /// The frame with its changed chunks; as two packets, cut at a chunk, where it outgrew the MTU. A packet that no leg carries is never
    /// made: its copies would be lost too, each as long as the first.
    pub(crate) fn build(&mut self, frame: &[u8], ip: &Ip<'_>, udp: Option<&[u8]>, packet: &Packet<'_>, mtu: usize) -> Built {
        let mut sctp = core::mem::take(&mut self.sctp);
        sctp.clear();
        let mut at = 0;
        for changed in &self.chunks {
            sctp.extend_from_slice(packet.bytes.get(at..changed.old.start).unwrap_or_default());
            sctp.extend_from_slice(self.octets.get(changed.new.clone()).unwrap_or_default());
            at = changed.old.end.min(packet.bytes.len());
        }
        sctp.extend_from_slice(packet.bytes.get(at..).unwrap_or_default());
        let room = mtu.saturating_sub(ip.header.len() + udp.map_or(0, <[u8]>::len));
        let built = if sctp.len() <= room || sctp.len() <= packet.bytes.len() {
            self.emit(frame, ip, udp, packet, &[&sctp]);
            Built::Whole
        } else if let Some((head, tail)) = boundary(&sctp, room).map(|cut| sctp.split_at(cut))
            && HEADER_LEN + tail.len() <= room
        {
            self.emit(frame, ip, udp, packet, &[head]);
            // The same common header: for the receiver two packets of one association.
            self.emit(frame, ip, udp, packet, &[head.get(..HEADER_LEN).unwrap_or_default(), tail]);
            Built::Split
        } else {
            Built::Outgrown
        };
        self.sctp = sctp;
        built
    }

    /// One frame: everything in front of the SCTP packet as it was but for lengths and sums.
    fn emit(&mut self, frame: &[u8], ip: &Ip<'_>, udp: Option<&[u8]>, packet: &Packet<'_>, sctp: &[&[u8]]) {
        let (Some(header), Some(payload)) = (span::within(frame, ip.header), span::within(frame, ip.payload)) else { return };
        let start = self.out.len();
        let (ip_at, udp_at) = (start + header.start, start + header.end);
        let sctp_at = udp_at + udp.map_or(0, <[u8]>::len);
        self.out.extend_from_slice(frame.get(..header.end).unwrap_or_default());
        self.out.extend_from_slice(udp.unwrap_or_default());
        sctp.iter().for_each(|octets| self.out.extend_from_slice(octets));
        let end = self.out.len();
        // A zero checksum stays one: an offloading host or RFC 9653.
        if let (true, Some(packet)) = (packet.checksum != 0, self.out.get_mut(sctp_at..)) {
            sctp::seal(packet);
        }
        if udp.is_some() {
            self.seal_udp(udp_at, ip);
        }
        self.seal_ip(ip_at, udp_at, end, ip);
        // What stood behind the IP packet (Ethernet padding) stays behind it, as far as the frame becomes no longer by it: one that a port
        // was just wide enough for would be lost.
        let grown = (self.out.len() - start).saturating_sub(payload.end);
        let behind = frame.get(payload.end..).unwrap_or_default();
        self.out.extend_from_slice(behind.get(..behind.len().saturating_sub(grown)).unwrap_or_default());
        self.ends.push(self.out.len());
    }

    fn seal_udp(&mut self, at: usize, ip: &Ip<'_>) {
        let Some(udp) = self.out.get_mut(at..) else { return };
        let length = u16::try_from(udp.len()).unwrap_or(u16::MAX).to_be_bytes();
        let had_sum = udp.get(link::Udp::CHECKSUM_AT..link::Udp::CHECKSUM_AT + 2) != Some(&[0, 0]);
        if let Some(field) = udp.get_mut(link::Udp::LENGTH_AT..link::Udp::LENGTH_AT + 4) {
            field.copy_from_slice(&[length[0], length[1], 0, 0]);
        }
        if had_sum {
            let sum = udp_checksum(ip.source, ip.destination, udp).to_be_bytes();
            if let Some(field) = udp.get_mut(link::Udp::CHECKSUM_AT..link::Udp::CHECKSUM_AT + 2) {
                field.copy_from_slice(&sum);
            }
        }
    }

    fn seal_ip(&mut self, at: usize, payload_at: usize, end: usize, ip: &Ip<'_>) {
        let is_v4 = ip.source.is_ipv4();
        // RFC 791 counts the header in the length, RFC 8200 the extension headers only.
        let (field, len) = if is_v4 { (2, end - at) } else { (4, end - at - 40) };
        let length = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
        let Some(header) = self.out.get_mut(at..payload_at) else { return };
        if let Some(field) = header.get_mut(field..field + 2) {
            field.copy_from_slice(&length);
        }
        if is_v4 {
            if let Some(field) = header.get_mut(10..12) {
                field.copy_from_slice(&[0, 0]);
            }
            let sum = checksum(header).to_be_bytes();
            if let Some(field) = header.get_mut(10..12) {
                field.copy_from_slice(&sum);
            }
        }
    }
}

/// The last chunk boundary within `room`, if there is one behind the first chunk.
fn boundary(sctp: &[u8], room: usize) -> Option<usize> {
    let packet = Packet::parse(sctp).ok()?;
    packet.chunks().map_while(Result::ok).map(|chunk| chunk.at).take_while(|&at| at <= room).last().filter(|&at| at > HEADER_LEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(len: usize) -> Vec<u8> {
        let mut chunk = vec![7; len.next_multiple_of(4)];
        let [high, low] = u16::try_from(len).expect("short").to_be_bytes();
        chunk.splice(..4, [0, 3, high, low]);
        chunk
    }

    /// A packet of two chunks, of which one grows by 40 octets: how it leaves, and how long each packet's IP is.
    fn leaves(lens: [usize; 2], grows: usize, mtu: usize) -> (Built, Vec<usize>) {
        leaves_padded(lens, grows, mtu, 0)
    }

    fn leaves_padded(lens: [usize; 2], grows: usize, mtu: usize, padding: usize) -> (Built, Vec<usize>) {
        let mut sctp = vec![0x0b, 0x59, 0x0b, 0x59, 0, 0, 0, 7, 0, 0, 0, 0];
        lens.iter().for_each(|&len| sctp.extend(chunk(len)));
        sctp::seal(&mut sctp);
        let total = u16::try_from(20 + sctp.len()).expect("short").to_be_bytes();
        let ip = [0x45, 0, total[0], total[1], 0, 1, 0x40, 0, 64, 132, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
        let frame = [&[0; 14][..], &ip, &sctp, &vec![0; padding]].concat();
        let ip = Ip::v4(frame.get(14..).expect("an IP packet")).expect("an IP packet");
        let packet = Packet::parse(ip.payload).expect("an SCTP packet");
        let mut packets = Packets::default();
        let changed = packet.chunks().map_while(Result::ok).nth(grows).expect("a chunk");
        packets.chunk_as(&changed, &chunk(changed.body.len() + 40));
        let built = packets.build(&frame, &ip, None, &packet, mtu);
        (built, packets.iter().map(|frame| frame.len() - 14).collect())
    }

    #[test]
    fn padding_makes_no_frame_longer_than_its_packet_does() {
        let padded = |padding| leaves_padded([100, 200], 1, 1500, padding).1;
        let (was, grown) = (20 + 12 + 300, 20 + 12 + 340);
        assert_eq!(padded(0), [grown]);
        assert_eq!(padded(16), [grown]);
        assert_eq!(padded(1100), [was + 1100]);
    }

    #[test]
    fn no_packet_is_made_that_is_longer_than_the_mtu() {
        assert_eq!(leaves([1200, 200], 1, 1500), (Built::Whole, vec![20 + 12 + 1440]));
        assert_eq!(leaves([1200, 200], 1, 1400), (Built::Split, vec![20 + 12 + 1200, 20 + 12 + 240]));
        // The first chunk alone outgrows it: there is nothing to cut at.
        assert_eq!(leaves([1360, 32], 0, 1400), (Built::Outgrown, Vec::new()));
        // Nor does a rest fit that is as long.
        assert_eq!(leaves([32, 1360], 1, 1400), (Built::Outgrown, Vec::new()));
    }
}
