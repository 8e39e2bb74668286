//! One lane: frames in, frames out, everything in between on one thread. The list of a frame's way reads from here downward:
//! frame and chunk in this file, `decide` from message to component, `judge` from text to action, [`crate::rewrite`] back out.
//!
//! All memory is taken by [`Lane::new`]. [`Lane::frame`] allocates nothing, blocks nowhere and does not panic.

use core::mem;

use protocols::link::{self, Carried, Encapsulation, LinkType};
use protocols::sctp::{self, Adaptation, Chunk, Packet, Sum};
use protocols::{Error, Layer, Why};

use crate::carrier::{Carrier, Lay};
use crate::counters::Counters;
use crate::decide::odd;
use crate::join::answers::Answers;
use crate::join::associations::{Associations, Flow, Seen};
use crate::join::chunks::{self, Chunks};
use crate::join::dialogues::Dialogues;
use crate::join::ip::{Datagram, Fragments, protocol};
use crate::join::parts::Parts;
use crate::join::pieces::Step;
use crate::join::pool::Tag;
use crate::join::segments::Segments;
use crate::join::table::{Limits, Secret};
use crate::judge;
use crate::packet::{Built, Packets};
use crate::record::{Listener, Place, Transport};
use crate::rewrite::Changes;
use crate::scan::Room;
use crate::world::{Network, World};

/// How much each join may hold. The defaults serve a national network's signalling on one lane.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Directions of associations.
    pub associations: usize,
    /// IP fragments.
    pub fragments: Limits,
    /// SCTP chunks.
    pub chunks: Limits,
    /// SCCP segments.
    pub segments: Limits,
    /// Parts of texts.
    pub parts: Limits,
    /// Open dialogues.
    pub dialogues: Limits,
    /// Keys the hashes of all tables: from the system's randomness where a network is watched, fixed where a result must be repeatable.
    pub secret: u128,
}

const SECOND: u64 = 1_000_000_000;

impl Default for Setup {
    fn default() -> Self {
        Self {
            associations: 256,
            // RFC 8200 §4.5: 60 seconds.
            fragments: Limits { entries: 256, octets: 1 << 20, age_ns: 60 * SECOND },
            // A message waits for its chunks as long as SCTP repeats them: 10 tries.
            chunks: Limits { entries: 1024, octets: 4 << 20, age_ns: 60 * SECOND },
            // Q.714 §4.1.1.2.3: 10 to 20 seconds.
            segments: Limits { entries: 4096, octets: 2 << 20, age_ns: 20 * SECOND },
            parts: Limits { entries: 16384, octets: 16 << 20, age_ns: 3600 * SECOND },
            dialogues: Limits { entries: 16384, octets: 0, age_ns: 120 * SECOND },
            secret: 0,
        }
    }
}

/// One frame of a source.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its number in the source, from 1.
    pub number: u64,
    /// Capture time, nanoseconds since 1970 UTC.
    pub time_ns: u64,
    /// How it is wrapped.
    pub link_type: LinkType,
    /// Its octets.
    pub bytes: &'a [u8],
    /// Octets it had on the wire.
    pub original_len: usize,
}

/// The joins.
pub(crate) struct Joins {
    pub(crate) associations: Associations,
    pub(crate) fragments: Fragments,
    pub(crate) chunks: Chunks,
    /// How the last chunks of messages in several left.
    answers: Answers,
    pub(crate) segments: Segments,
    pub(crate) parts: Parts,
    pub(crate) dialogues: Dialogues,
    /// Keys what the packet at hand joins.
    pub(crate) secret: Secret,
    /// That of packets that hold.
    sound: Secret,
}

impl Joins {
    /// A receiver throws a damaged packet away, and gets all of it again: its pieces join each other's alone, and nothing that a sound
    /// packet joins is completed, contradicted or let go by them.
    fn keep_apart(&mut self, damaged: bool) {
        self.secret = if damaged { self.sound.other() } else { self.sound };
        self.dialogues.under(self.secret);
    }
}

/// Buffers that joined pieces lie in while they are read.
pub(crate) struct Buffers {
    datagram: Vec<u8>,
    message: Vec<u8>,
    pub(crate) segments: Vec<u8>,
    /// A MAP argument whose octet string came in pieces.
    pub(crate) argument: Vec<u8>,
}

/// A lane. See the module.
pub struct Lane {
    pub(crate) joins: Joins,
    pub(crate) buffers: Buffers,
    pub(crate) scratch: judge::Scratch,
    /// The text of a message at which only a first look is taken.
    pub(crate) septets: Room,
    pub(crate) changes: Changes,
    packets: Packets,
    pub(crate) counters: Counters,
    /// The running maximum of capture time.
    pub(crate) now: u64,
    /// What is known of the checksum of the packet at hand.
    sum: Option<Sum>,
}

/// What the checksum of a frame's packet is worth, looked at ahead of its lane: no more than a plain SCTP packet that is all there.
pub fn sum(link_type: LinkType, bytes: &[u8]) -> Option<Sum> {
    match link::parse(link_type, bytes) {
        Ok(Carried::Ip(ip)) if !ip.cut && ip.fragment.is_none() && ip.protocol == link::SCTP => {
            Some(Packet::parse(ip.payload).ok()?.sum())
        }
        _ => None,
    }
}

/// What the pipeline passes down beside the octets: what listens, what the world is, and where we are.
pub(crate) struct Way<'w, L> {
    pub(crate) world: &'w World,
    pub(crate) listener: &'w mut L,
    pub(crate) place: Place,
}

/// A SCTP or IP whole is bounded by what IP can carry.
const WHOLE: usize = 65_536;

impl Lane {
    /// Takes all its memory.
    pub fn new(setup: &Setup) -> Self {
        let secret = Secret(setup.secret);
        Self {
            joins: Joins {
                associations: Associations::new(setup.associations),
                fragments: Fragments::new(setup.fragments, secret),
                chunks: Chunks::new(setup.chunks),
                answers: Answers::default(),
                segments: Segments::new(setup.segments),
                parts: Parts::new(setup.parts),
                dialogues: Dialogues::new(setup.dialogues, secret),
                secret,
                sound: secret,
            },
            buffers: Buffers {
                datagram: Vec::with_capacity(WHOLE),
                message: Vec::with_capacity(WHOLE),
                segments: Vec::with_capacity(16 * 256),
                // 255 octets hold any TPDU that SCCP can carry in one message; in several pieces the argument is bounded alike.
                argument: vec![0; 512],
            },
            scratch: judge::Scratch::default(),
            septets: [0; _],
            changes: Changes::default(),
            packets: Packets::default(),
            counters: Counters::default(),
            now: 0,
            sum: None,
        }
    }

    /// Takes one frame all its way. What goes on in its place is in [`Lane::changed`]; empty where the frame goes on as it is.
    pub fn frame<L: Listener>(&mut self, frame: &Frame<'_>, world: &World, listener: &mut L) {
        self.frame_summed(frame, None, world, listener);
    }

    /// The same for a frame whose checksum another thread may have looked at: `sum` is what [`sum`] said of it.
    pub fn frame_summed<L: Listener>(&mut self, frame: &Frame<'_>, sum: Option<Sum>, world: &World, listener: &mut L) {
        self.sum = sum;
        self.packets.clear();
        self.joins.keep_apart(false);
        self.now = self.now.max(frame.time_ns);
        self.counters.frames.seen += 1;
        self.counters.octets += frame.bytes.len() as u64;
        let place = Place { frame: frame.number, time_ns: frame.time_ns, ..Place::default() };
        let mut way = Way { world, listener, place };
        match link::parse(frame.link_type, frame.bytes).and_then(|carried| self.carried(frame, carried, &mut way)) {
            Ok(()) => self.counters.frames.on += 1,
            Err(error) => {
                if !matches!(error.why, Why::NotOurs(_)) {
                    way.listener.unscanned(&way.place, error);
                }
                self.counters.frames.out.error(error);
            }
        }
        self.counters.rewritten_frames += u64::from(!self.packets.is_empty());
    }

    /// The packets that go on in place of the last frame: none where it goes on unchanged, two where it outgrew the MTU.
    pub fn changed(&self) -> impl Iterator<Item = &[u8]> {
        self.packets.iter()
    }

    /// Counts what never became whole. Called once, at the end of the source.
    pub fn finish(&mut self) {
        self.joins.fragments.pieces().finish();
        self.joins.chunks.finish();
        self.joins.segments.finish();
        self.joins.parts.finish();
        self.joins.dialogues.finish();
    }

    /// The counters so far.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What became of joined things: name and counts.
    pub fn joins(&mut self) -> [(&'static str, crate::join::table::Counts); 5] {
        [
            ("IP fragments", *self.joins.fragments.pieces().counts()),
            ("SCTP chunks", *self.joins.chunks.counts()),
            ("SCCP segments", *self.joins.segments.counts()),
            ("parts of texts", *self.joins.parts.counts()),
            ("dialogues", *self.joins.dialogues.counts()),
        ]
    }

    fn carried<'f, L: Listener>(&mut self, frame: &Frame<'f>, carried: Carried<'f>, way: &mut Way<'_, L>) -> Result<(), Error> {
        match carried {
            Carried::Ip(ip) => self.ip(frame, ip, way),
            Carried::Mtp3(msu) => {
                let is_mtp2 = matches!(frame.link_type, LinkType::Mtp2 | LinkType::Mtp2WithPhdr);
                way.place.transport = if is_mtp2 { Transport::Mtp2 } else { Transport::Mtp3 };
                self.bare(frame, way, |lane, carrier, way| lane.msu(msu, carrier, way));
                Ok(())
            }
            Carried::Sccp(message) => {
                way.place.transport = Transport::Sccp;
                self.bare(frame, way, |lane, carrier, way| lane.sccp(message, carrier, way));
                Ok(())
            }
        }
    }

    /// A frame of MTP2, MTP3 or SCCP alone: one message, and the frame itself is what changes.
    fn bare<'f, L: Listener>(
        &mut self,
        frame: &Frame<'f>,
        way: &mut Way<'_, L>,
        read: impl FnOnce(&mut Self, &mut Carrier<'f>, &mut Way<'_, L>),
    ) {
        let cut = frame.bytes.len() < frame.original_len;
        self.counters.cut += u64::from(cut);
        let mut carrier = Carrier::new(frame.bytes, cut.then_some("cut by the capture"));
        self.counters.messages.seen += 1;
        read(self, &mut carrier, way);
        if !self.changes.is_empty() {
            let Self { changes, packets, .. } = self;
            packets.bare(frame.bytes, changes);
            changes.clear();
        }
    }

    fn ip<L: Listener>(&mut self, frame: &Frame<'_>, ip: link::Ip<'_>, way: &mut Way<'_, L>) -> Result<(), Error> {
        let Some(fragment) = ip.fragment else { return self.packet(frame, &ip, None, way) };
        let mut buffer = mem::take(&mut self.buffers.datagram);
        let of = Datagram { source: ip.source, destination: ip.destination, protocol: ip.protocol, id: fragment.id };
        let result = match self.joins.fragments.join(of, fragment.offset, fragment.more, ip.payload, self.now, &mut buffer) {
            // The checksum of what is joined stands in the first fragment, which has gone on.
            Step::Whole { marks, .. } => {
                let first = link::Ip { protocol: protocol(marks), ..ip };
                first.joined(&buffer).and_then(|whole| self.packet(frame, &whole, Some("IP fragments"), way))
            }
            Step::Waiting { .. } => Err(Error::new(Layer::Ip, 0, Why::NotOurs("fragment that waits for others"))),
            Step::LetGo(why) => Err(Error::new(Layer::Ip, 0, Why::Malformed(why))),
        };
        self.buffers.datagram = buffer;
        result
    }

    fn packet<L: Listener>(
        &mut self,
        frame: &Frame<'_>,
        ip: &link::Ip<'_>,
        mut frozen: Option<&'static str>,
        way: &mut Way<'_, L>,
    ) -> Result<(), Error> {
        let (encapsulation, bytes) = ip.sctp_by(&way.world.network.udp_ports)?;
        let packet = Packet::parse(bytes)?;
        let mut damaged = false;
        if ip.cut {
            self.counters.cut += 1;
            frozen = frozen.or(Some("cut by the capture"));
        } else {
            let sum = self.sum.take().unwrap_or_else(|| packet.sum());
            let [good, bad, zero] = &mut self.counters.sums;
            *match sum {
                Sum::Good => good,
                Sum::Bad => bad,
                Sum::Zero => zero,
            } += 1;
            // A new sum would launder the damage.
            if sum == Sum::Bad {
                frozen = frozen.or(Some("bad checksum"));
                damaged = true;
                self.joins.keep_apart(true);
            }
        }
        let flow = Flow {
            source: ip.source,
            destination: ip.destination,
            source_port: packet.source_port,
            destination_port: packet.destination_port,
            verification_tag: packet.verification_tag,
            damaged,
        };
        way.place.path = Some([(flow.source, flow.source_port), (flow.destination, flow.destination_port)]);
        for (index, chunk) in packet.chunks().enumerate() {
            self.counters.chunks.seen += 1;
            way.place.chunk = u32::try_from(index).unwrap_or(u32::MAX);
            match chunk.and_then(|chunk| self.chunk(&chunk, &flow, &mut frozen, way)) {
                Ok(()) => self.counters.chunks.on += 1,
                Err(error) => {
                    if !matches!(error.why, Why::NotOurs(_)) {
                        way.listener.unscanned(&way.place, error);
                    }
                    self.counters.chunks.out.error(error);
                }
            }
        }
        if self.packets.has_chunks() {
            let udp = match encapsulation {
                Encapsulation::Plain => None,
                Encapsulation::Udp(udp) => Some(udp.header.as_slice()),
            };
            match self.packets.build(frame.bytes, ip, udp, &packet, way.world.network.mtu) {
                Built::Whole => {}
                Built::Split => self.counters.split_packets += 1,
                Built::Outgrown => self.counters.outgrown_packets += 1,
            }
        }
        Ok(())
    }

    /// One chunk. `Ok` when it went on as a user message.
    fn chunk<L: Listener>(
        &mut self,
        chunk: &Chunk<'_>,
        flow: &Flow,
        frozen: &mut Option<&'static str>,
        way: &mut Way<'_, L>,
    ) -> Result<(), Error> {
        let Some(data) = chunk.data() else {
            self.control(chunk, flow, frozen)?;
            return Err(Error::new(Layer::Sctp, chunk.at, Why::NotOurs(chunk.name())));
        };
        let data = data?;
        way.place.tsn = Some(data.tsn);
        let (association, seen) = self.joins.associations.seen(flow, data.tsn, data.payload, self.now);
        self.counters.retransmitted += u64::from(seen == Seen::Repeat);
        self.counters.differing_copies += u64::from(seen == Seen::Differs);
        let mut carrier = Carrier::new(chunk.body, *frozen);
        carrier.repeat = seen == Seen::Repeat;
        let alone = data.begin && data.end;
        if alone {
            self.user_message(data.payload, data.ppid, flow, &mut carrier, way)?;
        } else {
            let mut buffer = mem::take(&mut self.buffers.message);
            let result = self.piece(&data, association, flow, &carrier, &mut buffer, way);
            self.buffers.message = buffer;
            result?;
            if carrier.repeat {
                self.changes.clear();
                let Self { joins, packets, .. } = self;
                joins.answers.of(association, data.tsn).into_iter().for_each(|octets| packets.chunk_as(chunk, octets));
                return Ok(());
            }
        }
        if !self.changes.is_empty() {
            let Self { changes, packets, joins, .. } = self;
            let octets = packets.chunk(chunk, changes);
            changes.clear();
            if !alone && !joins.answers.keep(association, data.tsn, octets) {
                // Its repetition could not be the same.
                packets.take_back();
            }
        }
        Ok(())
    }

    /// A chunk that holds a piece of a user message, RFC 9260 §6.9.
    fn piece<L: Listener>(
        &mut self,
        data: &sctp::Data<'_>,
        association: u64,
        flow: &Flow,
        carrier: &Carrier<'_>,
        buffer: &mut Vec<u8>,
        way: &mut Way<'_, L>,
    ) -> Result<(), Error> {
        // An unordered DATA chunk has no sequence number that means anything (§3.3.1); a MID always does (RFC 8260 §2.1).
        let sequence = if data.unordered && !data.interleaved { 0 } else { data.sequence };
        let key = chunks::key(self.joins.secret, association, data.stream, sequence, data.unordered);
        let place = if data.interleaved { data.fsn.unwrap_or(0) } else { data.tsn };
        let flags = (u32::from(data.begin) * chunks::BEGIN) | (u32::from(data.end) * chunks::END);
        let marks = flags | (data.ppid.unwrap_or(0) << 8);
        match self.joins.chunks.join(key, self.now, Tag { place, marks }, data.payload, buffer) {
            Step::Whole { at, marks, .. } => {
                let lay = Lay { whole: buffer, piece: data.payload, at };
                // The identifiers in use fit 24 bits; one in host order does not, and falls back on the port.
                let ppid = Some(marks >> 8);
                self.user_message(buffer, ppid, flow, &mut Carrier { chunks: Some(lay), ..*carrier }, way)
            }
            Step::Waiting { repeat: false } => Err(Error::new(Layer::Sctp, 0, Why::NotOurs("piece that waits for others"))),
            Step::Waiting { repeat: true } => Err(Error::new(Layer::Sctp, 0, Why::NotOurs("piece seen before"))),
            Step::LetGo(why) => Err(Error::new(Layer::Sctp, 0, Why::Malformed(why))),
        }
    }

    fn user_message<'c, L: Listener>(
        &mut self,
        bytes: &'c [u8],
        ppid: Option<u32>,
        flow: &Flow,
        carrier: &mut Carrier<'c>,
        way: &mut Way<'_, L>,
    ) -> Result<(), Error> {
        let ppid = ppid.unwrap_or(0);
        let Some(adaptation) = sctp::adaptation(ppid, flow.source_port, flow.destination_port)
            .or_else(|| self.by_content(bytes, &way.world.network))
        else {
            return Err(Error::new(Layer::Sctp, 0, Why::NotOurs(sctp::ppid_name(ppid).unwrap_or("unknown payload protocol"))));
        };
        way.place.transport = adaptation.into();
        self.messages(bytes, adaptation, carrier, way);
        Ok(())
    }

    /// What holds SCCP is read, whatever another protocol's identifier says of it.
    #[inline(never)]
    fn by_content(&mut self, bytes: &[u8], network: &Network) -> Option<Adaptation> {
        let found = odd::of_content(bytes, network)?;
        self.counters.oddities.add(Layer::Sctp, odd::PAYLOAD_PROTOCOL);
        Some(found)
    }

    /// What a control chunk tells: addresses, and that what follows is covered by an HMAC.
    fn control(&mut self, chunk: &Chunk<'_>, flow: &Flow, frozen: &mut Option<&'static str>) -> Result<(), Error> {
        if chunk.kind == sctp::kind::AUTH {
            *frozen = frozen.or(Some("AUTH"));
        }
        if let Some(init) = chunk.init() {
            let init = init?;
            self.joins.associations.init(flow, init.initiate_tag, init.addresses(), self.now);
        }
        if let Some(asconf) = chunk.asconf() {
            let added = asconf?.addresses().filter_map(|address| match address {
                (sctp::AddressUse::Add, address) => Some(address),
                _ => None,
            });
            self.joins.associations.add(flow, added, self.now);
        }
        Ok(())
    }
}
