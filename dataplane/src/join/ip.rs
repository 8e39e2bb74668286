//! IP fragments (RFC 791 §3.2, RFC 8200 §4.5). Overlapping fragments end the datagram (RFC 5722, and Linux for IPv4 alike).

use core::net::IpAddr;

use super::pieces::{Order, Pieces, Step};
use super::pool::{Chain, Pool, Tag};
use super::table::{Key, Limits, Secret};

/// `marks` of a fragment with more behind it. Its protocol stands above.
const MORE: u32 = 1;
const PROTOCOL: u32 = 8;

/// What a whole is, by the marks of its first fragment.
pub const fn protocol(marks: u32) -> u8 {
    (marks >> PROTOCOL) as u8
}

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
    /// Protocol of the payload, which names a datagram of IPv4 alone: fragments of one IPv6 packet may differ in it, and that of the first
    /// counts (RFC 8200 §4.5).
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
        let protocol = if of.source.is_ipv4() { of.protocol } else { 0 };
        let key: Key = self.secret.key(&[source, destination], &[&[protocol], &of.id.to_le_bytes()]);
        let marks = (u32::from(more) * MORE) | (u32::from(of.protocol) << PROTOCOL);
        self.pieces.join(key, now, Tag { place: offset, marks }, payload, out)
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
        assert_eq!(
            ip.join(OF, 8, true, b"89abcdef", 0, &mut out),
            Step::Whole { repeat: false, at: 8, marks: MORE | 132 << PROTOCOL }
        );
        assert_eq!(out, b"0123456789abcdefend");
    }

    #[test]
    fn a_packet_of_ipv6_is_what_its_first_fragment_says_and_a_datagram_of_ipv4_is_named_by_it() {
        let of = |protocol| Datagram { protocol, source: IpAddr::from([1; 16]), destination: IpAddr::from([2; 16]), ..OF };
        for order in [[(17, 8, false), (132, 0, true)], [(132, 0, true), (17, 8, false)]] {
            let (mut ip, mut out) = joiner();
            let steps = order.map(|(protocol, offset, more)| ip.join(of(protocol), offset, more, b"01234567", 0, &mut out));
            let Step::Whole { marks, .. } = steps[1] else { panic!("{steps:?}") };
            assert_eq!((protocol(marks), out.len()), (132, 16));
        }
        let (mut ip, mut out) = joiner();
        ip.join(OF, 0, true, b"01234567", 0, &mut out);
        assert_eq!(ip.join(Datagram { protocol: 17, ..OF }, 8, false, b"x", 0, &mut out), Step::Waiting { repeat: false });
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
