//! IP fragments (RFC 791 §3.2, RFC 8200 §4.5). Overlapping fragments end the datagram (RFC 5722, and Linux for IPv4 alike).

use core::net::IpAddr;

use super::pieces::{Order, Pieces, Step};
use super::pool::{Chain, Pool, Tag};
use super::table::{Key, Limits, Secret};

/// `marks` of a fragment with more behind it.
const MORE: u32 = 1;

/// The order of fragments: by octet offset.
pub struct ByOffset;

impl Order for ByOffset {
    const PIECE: usize = 2048;
    const MOST: usize = 64;

    fn first(_: &Pool, _: Chain, _: Tag) -> Option<u32> {
        Some(0)
    }

    fn next(tag: Tag, len: usize) -> Option<u32> {
        (tag.marks & MORE != 0).then(|| tag.place.wrapping_add(u32::try_from(len).unwrap_or(u32::MAX)))
    }

    fn contradicts(one: (Tag, usize), other: (Tag, usize)) -> bool {
        let end = |(tag, len): (Tag, usize)| u64::from(tag.place) + len as u64;
        u64::from(one.0.place) < end(other) && u64::from(other.0.place) < end(one)
    }
}

/// Joins IP fragments.
pub struct Fragments {
    pieces: Pieces<ByOffset>,
    secret: Secret,
}

/// What names a datagram.
#[derive(Clone, Copy, Debug)]
pub struct Datagram {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// Protocol of the payload.
    pub protocol: u8,
    /// Identification.
    pub id: u32,
}

impl Fragments {
    /// Takes all its memory now.
    pub fn new(limits: Limits, secret: Secret) -> Self {
        Self { pieces: Pieces::new(limits), secret }
    }

    /// The table behind, for counters.
    pub const fn pieces(&mut self) -> &mut Pieces<ByOffset> {
        &mut self.pieces
    }

    /// Adds a fragment of `payload` at `offset` octets.
    pub fn join(&mut self, of: Datagram, offset: u32, more: bool, payload: &[u8], now: u64, out: &mut Vec<u8>) -> Step {
        let (mut source, mut destination) = ([0; 16], [0; 16]);
        let (source, destination) = (octets(of.source, &mut source), octets(of.destination, &mut destination));
        let key: Key = self.secret.key(&[source, destination], &[&[of.protocol], &of.id.to_le_bytes()]);
        self.pieces.join(key, now, Tag { place: offset, marks: u32::from(more) * MORE }, payload, out)
    }
}

/// The octets of an address, in `room`.
pub(crate) fn octets(address: IpAddr, room: &mut [u8; 16]) -> &[u8] {
    match address {
        IpAddr::V4(v4) => {
            let (head, _) = room.split_at_mut(4);
            head.copy_from_slice(&v4.octets());
            head
        }
        IpAddr::V6(v6) => {
            *room = v6.octets();
            room
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF: Datagram = Datagram {
        source: IpAddr::V4(core::net::Ipv4Addr::LOCALHOST),
        destination: IpAddr::V4(core::net::Ipv4Addr::BROADCAST),
        protocol: 132,
        id: 7,
    };

    fn joiner() -> (Fragments, Vec<u8>) {
        (Fragments::new(Limits { entries: 16, octets: 1 << 16, age_ns: 100 }, Secret(1)), Vec::with_capacity(65536))
    }

    #[test]
    fn fragments_join_in_any_order() {
        let (mut ip, mut out) = joiner();
        assert_eq!(ip.join(OF, 16, false, b"end", 0, &mut out), Step::Waiting { repeat: false });
        assert_eq!(ip.join(OF, 0, true, b"01234567", 0, &mut out), Step::Waiting { repeat: false });
        assert_eq!(ip.join(OF, 0, true, b"01234567", 0, &mut out), Step::Waiting { repeat: true });
        assert_eq!(ip.join(OF, 8, true, b"89abcdef", 0, &mut out), Step::Whole { repeat: false, at: 8, marks: 1 });
        assert_eq!(out, b"0123456789abcdefend");
    }

    #[test]
    fn an_overlap_ends_the_datagram_and_is_counted() {
        let (mut ip, mut out) = joiner();
        ip.join(OF, 0, true, b"01234567", 0, &mut out);
        assert_eq!(ip.join(OF, 4, false, b"evil", 0, &mut out), Step::LetGo("pieces overlap"));
        assert_eq!(ip.pieces().counts().contradicted, 1);
    }

    #[test]
    fn late_fragments_do_not_meet() {
        let (mut ip, mut out) = joiner();
        ip.join(OF, 0, true, b"01234567", 0, &mut out);
        assert_eq!(ip.join(OF, 8, false, b"x", 101, &mut out), Step::Waiting { repeat: false });
        assert_eq!(ip.pieces().counts().timed_out, 1);
        ip.pieces().finish();
        assert_eq!(ip.pieces().counts().unfinished, 1);
    }
}
