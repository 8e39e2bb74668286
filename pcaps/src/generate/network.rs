//! The link: SCTP associations between two ends, and the tap that sees both directions.
//!
//! What is to be sent waits in a queue by time. Each association bundles, acknowledges, loses and sends again; the capture gets what passes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use protocols::link::build::{Ip, ethernet, ethertype, ip};
use protocols::sctp;

use super::rng::Rng;
use super::{Mix, Summary};
use crate::write::PcapNg;

const ETHERNET: u16 = 1;
const SCTP: u8 = 132;
const PORT: u16 = 2_905;
pub(super) const M3UA: u32 = 3;
/// Octets of chunks in a packet, so that no packet passes an MTU of 1 500 over IPv6 either.
const ROOM: usize = 1_400;
const RWND: u32 = 131_072;
/// A chunk waits this long for another at most.
const PATIENCE_NS: u64 = 2_000_000;
const HEARTBEAT_NS: u64 = 30_000_000_000;
/// RFC 9260 §3.2.
const HEARTBEAT_ACK: u8 = 5;

/// One DATA chunk with what a retransmission repeats.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Chunk {
    tsn: u32,
    stream: u16,
    ssn: u16,
    ppid: u32,
    payload: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A message to be sent.
    Unit { outward: bool, sls: u8, payload: Vec<u8> },
    /// A chunk to be sent again.
    Again { association: usize, outward: bool, chunk: Chunk, lost: bool },
}

/// One direction of an association.
struct Side {
    source: IpAddr,
    destination: IpAddr,
    tag: u32,
    tsn: u32,
    /// Next stream sequence number, a stream each.
    ssn: [u16; 4],
    ip_id: u16,
    held: Vec<Chunk>,
    held_len: usize,
    held_since: u64,
    /// Sent, and not seen by the other end.
    lost: Vec<u32>,
    /// Packets with DATA that the other end has not acknowledged yet.
    to_acknowledge: u32,
}

impl Side {
    fn new(source: IpAddr, destination: IpAddr, tag: u32, tsn: u32) -> Self {
        let held = Vec::new();
        Self {
            source,
            destination,
            tag,
            tsn,
            ssn: [0; 4],
            ip_id: 0,
            held,
            held_len: 0,
            held_since: 0,
            lost: vec![],
            to_acknowledge: 0,
        }
    }

    /// What the other end acknowledges: all up to the first that it misses.
    fn acknowledged(&self) -> u32 {
        self.lost.iter().copied().min().unwrap_or_else(|| self.tsn.wrapping_sub(1)).wrapping_sub(u32::from(!self.lost.is_empty()))
    }

    fn chunk(&mut self, stream: u16, ppid: u32, payload: Vec<u8>) -> Chunk {
        let tsn = self.tsn;
        self.tsn = self.tsn.wrapping_add(1);
        let ssn = self.ssn.get_mut(usize::from(stream)).map_or(0, |next| std::mem::replace(next, next.wrapping_add(1)));
        Chunk { tsn, stream, ssn, ppid, payload }
    }
}

struct Association {
    vlan: Option<u16>,
    /// From the near end, from the far end.
    sides: [Side; 2],
}

pub(super) struct Network<W: Write> {
    out: PcapNg<W>,
    rng: Rng,
    bundles: f64,
    retransmissions: f64,
    losses: f64,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    scheduled: u64,
    associations: Vec<Association>,
    last_ns: u64,
    heartbeat_ns: u64,
    pub(super) made: Summary,
    packet: Vec<u8>,
    frame: Vec<u8>,
}

impl<W: Write> Network<W> {
    pub(super) fn new(mut out: PcapNg<W>, seed: u64, mix: &Mix) -> io::Result<Self> {
        // Two fibres of a tap: what leaves the near end, what leaves the far end.
        out.interface(ETHERNET)?;
        out.interface(ETHERNET)?;
        let mut rng = Rng::new(seed ^ 0x6e65_7477_6f72_6b00);
        let v4 = |a: u8, b: u8| (IpAddr::V4(Ipv4Addr::new(192, 0, 2, a)), IpAddr::V4(Ipv4Addr::new(198, 51, 100, b)));
        let v6 = |a: u16, b: u16| {
            let of = |n| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n));
            (of(a), of(b))
        };
        let paths = [(v4(1, 1), None), (v4(2, 2), Some(210)), (v6(0x11, 0x21), None), (v4(4, 4), None)];
        let mut word = || u32::try_from(rng.next() >> 32).unwrap_or(1);
        let associations = paths
            .into_iter()
            .map(|((near, far), vlan)| Association {
                vlan,
                sides: [Side::new(near, far, word(), word()), Side::new(far, near, word(), word())],
            })
            .collect();
        Ok(Self {
            out,
            rng,
            bundles: mix.bundles,
            retransmissions: mix.retransmissions,
            losses: mix.losses,
            queue: BinaryHeap::new(),
            scheduled: 0,
            associations,
            last_ns: mix.start_ns,
            heartbeat_ns: mix.start_ns,
            made: Summary::default(),
            packet: Vec::with_capacity(2_048),
            frame: Vec::with_capacity(2_048),
        })
    }

    /// A message to be sent at `due`, towards the far end if `outward`.
    pub(super) fn schedule(&mut self, due: u64, outward: bool, sls: u8, payload: Vec<u8>) {
        self.push(due, Event::Unit { outward, sls, payload });
    }

    fn push(&mut self, due: u64, event: Event) {
        self.scheduled += 1;
        self.queue.push(Reverse((due, self.scheduled, event)));
    }

    /// Sends what is due up to `now`.
    pub(super) fn run_until(&mut self, now: u64) -> io::Result<()> {
        while let Some(Reverse((due, ..))) = self.queue.peek()
            && *due <= now
        {
            let Some(Reverse((due, _, event))) = self.queue.pop() else { break };
            self.release(due.saturating_sub(PATIENCE_NS))?;
            self.heartbeats(due)?;
            match event {
                Event::Unit { outward, sls, payload } => {
                    let association = usize::from(sls) % self.associations.len().max(1);
                    let Some(side) = self.side(association, outward) else { continue };
                    let chunk = side.chunk(1 + u16::from(sls >> 2 & 1), M3UA, payload);
                    self.hold(due, association, outward, chunk)?;
                }
                Event::Again { association, outward, chunk, lost } => {
                    if let Some(side) = self.side(association, outward) {
                        side.lost.retain(|&tsn| tsn != chunk.tsn);
                    }
                    self.made.retransmissions += u64::from(!lost);
                    self.transmit(due, association, outward, &[chunk], None)?;
                }
            }
        }
        Ok(())
    }

    /// Sends all that is left and closes the capture; the counts of `planned` and of what was sent together.
    pub(super) fn finish(mut self, planned: Summary) -> io::Result<Summary> {
        while !self.queue.is_empty() || self.associations.iter().any(|a| a.sides.iter().any(|side| !side.held.is_empty())) {
            self.run_until(u64::MAX)?;
            self.release(u64::MAX)?;
        }
        let Summary { frames, octets, chunks, bundles, retransmissions, losses, .. } = self.made;
        self.out.finish()?;
        Ok(Summary { frames, octets, chunks, bundles, retransmissions, losses, ..planned })
    }

    fn side(&mut self, association: usize, outward: bool) -> Option<&mut Side> {
        self.associations.get_mut(association)?.sides.get_mut(usize::from(!outward))
    }

    /// Keeps a chunk for another to join it, or sends it with what was kept.
    fn hold(&mut self, now: u64, association: usize, outward: bool, chunk: Chunk) -> io::Result<()> {
        let wait = self.rng.chance(self.bundles);
        let Some(side) = self.side(association, outward) else { return Ok(()) };
        let len = chunk.payload.len() + 20;
        if side.held_len + len > ROOM {
            self.flush(now, association, outward)?;
        }
        let Some(side) = self.side(association, outward) else { return Ok(()) };
        if side.held.is_empty() {
            side.held_since = now;
        }
        side.held_len += len;
        side.held.push(chunk);
        if wait { Ok(()) } else { self.flush(now, association, outward) }
    }

    /// Sends what has been kept since before `then`.
    fn release(&mut self, then: u64) -> io::Result<()> {
        for association in 0..self.associations.len() {
            for outward in [true, false] {
                let due = |side: &mut Side| (!side.held.is_empty() && side.held_since <= then).then_some(side.held_since);
                if let Some(since) = self.side(association, outward).and_then(due) {
                    self.flush(since + PATIENCE_NS, association, outward)?;
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self, now: u64, association: usize, outward: bool) -> io::Result<()> {
        let Some(side) = self.side(association, outward) else { return Ok(()) };
        let chunks = std::mem::take(&mut side.held);
        side.held_len = 0;
        if chunks.is_empty() {
            return Ok(());
        }
        if self.rng.chance(self.losses) {
            self.made.losses += 1;
            for chunk in chunks {
                let due = now + self.rng.between(300_000_000, 1_000_000_000);
                if let Some(side) = self.side(association, outward) {
                    side.lost.push(chunk.tsn);
                }
                self.push(due, Event::Again { association, outward, chunk, lost: true });
            }
            return Ok(());
        }
        self.transmit(now, association, outward, &chunks, None)?;
        if self.rng.chance(self.retransmissions) {
            for chunk in chunks {
                let due = now + self.rng.between(200_000_000, 1_000_000_000);
                self.push(due, Event::Again { association, outward, chunk, lost: false });
            }
        }
        Ok(())
    }

    /// One packet with DATA, an acknowledgement of the other direction in front where one is due.
    fn transmit(
        &mut self,
        now: u64,
        association: usize,
        outward: bool,
        chunks: &[Chunk],
        comment: Option<&str>,
    ) -> io::Result<()> {
        let cumulative = self.side(association, !outward).and_then(|other| {
            (other.to_acknowledge > 0).then(|| {
                other.to_acknowledge = 0;
                other.acknowledged()
            })
        });
        self.made.chunks += chunks.len() as u64;
        self.made.bundles += u64::from(chunks.len() > 1);
        self.packet(now, association, outward, comment, |packet| {
            if let Some(cumulative) = cumulative {
                packet.sack(cumulative, RWND);
            }
            for chunk in chunks {
                let Chunk { tsn, stream, ssn, ppid, payload } = chunk;
                let fits = packet.data(&sctp::Data {
                    tsn: *tsn,
                    stream: *stream,
                    sequence: u32::from(*ssn),
                    fsn: None,
                    ppid: Some(*ppid),
                    begin: true,
                    end: true,
                    unordered: false,
                    immediate: false,
                    interleaved: false,
                    payload,
                });
                debug_assert!(fits.is_some(), "chunks are shorter than a packet");
            }
        })?;
        let Some(side) = self.side(association, outward) else { return Ok(()) };
        side.to_acknowledge += 1;
        if side.to_acknowledge >= 2 {
            side.to_acknowledge = 0;
            let cumulative = side.acknowledged();
            self.packet(now + 40_000, association, !outward, None, |packet| {
                packet.sack(cumulative, RWND);
            })?;
        }
        Ok(())
    }

    /// Chunks of no stream: control, or garbage.
    pub(super) fn control(&mut self, now: u64, association: usize, outward: bool, kind: u8, value: &[u8]) -> io::Result<()> {
        self.packet(now, association, outward, None, |packet| {
            let _fits = packet.chunk(kind, 0, &[value]);
        })
    }

    fn heartbeats(&mut self, now: u64) -> io::Result<()> {
        if now < self.heartbeat_ns {
            return Ok(());
        }
        self.heartbeat_ns = now + HEARTBEAT_NS;
        for association in 0..self.associations.len() {
            // Heartbeat Info parameter (RFC 9260 §3.3.5): type 1, length 12, eight octets of the sender's own.
            let info = [&[0, 1, 0, 12][..], &self.rng.next().to_be_bytes()].concat();
            self.control(now, association, true, sctp::kind::HEARTBEAT, &info)?;
            self.control(now + 60_000, association, false, HEARTBEAT_ACK, &info)?;
        }
        Ok(())
    }

    /// Sends one chunk in its own packet, under a comment.
    pub(super) fn data(
        &mut self,
        now: u64,
        association: usize,
        outward: bool,
        ppid: u32,
        payload: Vec<u8>,
        comment: &str,
    ) -> io::Result<()> {
        let Some(side) = self.side(association, outward) else { return Ok(()) };
        let chunk = side.chunk(1, ppid, payload);
        self.transmit(now, association, outward, &[chunk], Some(comment))
    }

    fn packet(
        &mut self,
        now: u64,
        association: usize,
        outward: bool,
        comment: Option<&str>,
        fill: impl FnOnce(&mut sctp::Builder<'_>),
    ) -> io::Result<()> {
        let mut packet = std::mem::take(&mut self.packet);
        packet.clear();
        let tag = self.side(association, outward).map_or(0, |side| side.tag);
        let mut builder = sctp::Builder::new(&mut packet, PORT, PORT, tag);
        fill(&mut builder);
        builder.finish();
        let written = self.datagram(now, association, outward, SCTP, &packet, comment);
        self.packet = packet;
        written
    }

    /// An IP packet between the two ends of an association.
    pub(super) fn datagram(
        &mut self,
        now: u64,
        association: usize,
        outward: bool,
        protocol: u8,
        payload: &[u8],
        comment: Option<&str>,
    ) -> io::Result<()> {
        let vlan = self.associations.get(association).and_then(|association| association.vlan);
        let Some(side) = self.side(association, outward) else { return Ok(()) };
        side.ip_id = side.ip_id.wrapping_add(1);
        let fields = Ip { source: side.source, destination: side.destination, protocol, id: side.ip_id };
        let mut frame = std::mem::take(&mut self.frame);
        frame.clear();
        let tags = vlan.map(|id| (0x8100, id));
        let (near, far) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
        let (to, from) = if outward { (far, near) } else { (near, far) };
        ethernet(&mut frame, to, from, tags.as_slice(), ethertype(fields.source));
        let headed = ip(&mut frame, &fields, payload.len());
        frame.extend_from_slice(payload);
        let written = if headed.is_some() { self.emit(now, outward, &mut frame, comment) } else { Ok(()) };
        self.frame = frame;
        written
    }

    /// Gives a frame to the capture, no two at the same time.
    pub(super) fn emit(&mut self, now: u64, outward: bool, frame: &mut Vec<u8>, comment: Option<&str>) -> io::Result<()> {
        // Ethernet pads to 60 octets and the check sequence.
        frame.resize(frame.len().max(60), 0);
        self.last_ns = now.max(self.last_ns + 1_000);
        self.made.frames += 1;
        self.made.octets += frame.len() as u64;
        self.out.packet(u32::from(!outward), self.last_ns, frame, comment)
    }
}
