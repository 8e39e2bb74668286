//! The lane's side. Nothing here allocates, waits or frees.

use core::sync::atomic::Ordering;
use std::sync::Arc;

use arc_swap::ArcSwap;
use protocols::map::{ForwardSm, Origination};
use protocols::{Error, link::LinkType};
use rtrb::Producer;
use triple_buffer::Input;

use super::note::{self, Kind, LinkNote, Octets, Said, Slip, SmsNote};
use super::stage::Held;
use super::state::{Lost, State};
use super::worlds::Flags;
use super::{Buckets, Cell, Live};
use crate::lane::{Frame, Lane};
use crate::policy::profiles::Subscriber;
use crate::policy::{Direction, Message};
use crate::record::{Event, Listener, Place, Sms, Unread, Url, Urls};

/// Where notes go.
pub(super) struct Rings {
    pub(super) notes: Producer<Slip>,
    pub(super) links: Producer<LinkNote>,
    pub(super) cells: Producer<Cell>,
}

/// What one worker holds. It is the [`Listener`] of its lane.
pub struct LaneSide {
    cell: Arc<ArcSwap<Live>>,
    current: Arc<Live>,
    flags: Arc<Flags>,
    pass: bool,
    pressed: bool,
    rings: Rings,
    input: Input<State>,
    octets: Octets,
    held_now: Option<Held>,
    held: [u64; 5],
    lost: Lost,
    latency: Buckets,
    published: u64,
    unscanned: Option<(Place, Error)>,
    samples_a_second: u32,
    samples: (u64, u32),
}

const SECOND: u64 = 1_000_000_000;

impl LaneSide {
    pub(super) fn new(
        cell: Arc<ArcSwap<Live>>,
        flags: Arc<Flags>,
        rings: Rings,
        input: Input<State>,
        samples_a_second: u32,
    ) -> Self {
        let current = cell.load_full();
        Self {
            cell,
            current,
            flags,
            pass: false,
            pressed: false,
            rings,
            input,
            octets: Octets::new(),
            held_now: None,
            held: [0; 5],
            lost: Lost::default(),
            latency: Buckets::default(),
            published: 0,
            unscanned: None,
            samples_a_second,
            samples: (0, 0),
        }
    }

    /// The world for the batch that begins now, and the flags that hold for it. Once a batch.
    ///
    /// A thread's first call takes memory, so that it comes before the first frame. What is given up here is never freed here: the control side holds each world until nobody else does.
    pub fn world(&mut self) -> Arc<Live> {
        let now = self.cell.load();
        if now.number != self.current.number {
            self.current = Arc::clone(&now);
        }
        self.pass = self.flags.pass.load(Ordering::Acquire);
        Arc::clone(&self.current)
    }

    /// Whether nothing is to be rewritten in this batch.
    pub const fn pass(&self) -> bool {
        self.pass
    }

    /// Transmit rings are nearly full: until told otherwise nothing is rewritten.
    pub const fn set_pressure(&mut self, pressed: bool) {
        self.pressed = pressed;
    }

    /// Takes one frame through the lane, with this side listening, and samples it where it was not understood.
    pub fn frame(&mut self, lane: &mut Lane, frame: &Frame<'_>, world: &Live) {
        lane.frame(frame, world, self);
        if let Some((place, why)) = self.unscanned.take() {
            self.sample(frame.bytes, frame.link_type, frame.original_len, place, why);
        }
    }

    /// So many frames took so long each.
    #[inline]
    pub fn took(&mut self, ns: u64, frames: u64) {
        self.latency.add_many(ns, frames);
    }

    /// Publishes the lane's counters; `fill` adds queues and gauges. Often enough is ten times a second.
    pub fn publish(&mut self, lane: &mut Lane, time_ns: u64, fill: impl FnOnce(&mut State)) {
        let state = self.input.input_buffer_mut();
        self.published += 1;
        state.published = self.published;
        state.time_ns = time_ns;
        state.world = self.current.number;
        state.counters.clone_from(lane.counters());
        state.joins = lane.joins();
        state.latency.clone_from(&self.latency);
        state.held = self.held;
        state.lost = self.lost;
        let size = self.rings.notes.buffer().capacity();
        let short = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        state.notes = (short(size - self.rings.notes.slots()), short(size));
        fill(state);
        self.input.publish();
    }

    fn sample(&mut self, bytes: &[u8], link_type: LinkType, original_len: usize, place: Place, why: Error) {
        let second = place.time_ns / SECOND;
        if self.samples.0 != second {
            self.samples = (second, 0);
        }
        if self.samples.1 >= self.samples_a_second {
            self.lost.samples += 1;
            return;
        }
        self.samples.1 += 1;
        self.octets.clear();
        let frame = self.octets.put_front(bytes);
        let original_len = u32::try_from(original_len).unwrap_or(u32::MAX);
        let kind = Kind::Unscanned { why, link_type, original_len, frame };
        self.lost.samples += u64::from(!self.push(place, Said::Note(kind), [].into_iter()));
    }

    /// Everything of a note, or nothing of it.
    fn push(&mut self, place: Place, said: Said, links: impl ExactSizeIterator<Item = LinkNote>) -> bool {
        let Self { rings: Rings { notes, links: link_ring, cells }, octets, current, lost, .. } = self;
        let (cell_count, link_count) = (octets.cell_count(), links.len());
        if notes.is_full() || link_ring.slots() < link_count || cells.slots() < cell_count {
            return false;
        }
        lost.cut += u64::from(octets.cut);
        // The note comes last: who sees it sees what goes with it.
        if let Ok(room) = cells.write_chunk_uninit(cell_count) {
            room.fill_from_iter(octets.cells());
        }
        if let Ok(room) = link_ring.write_chunk_uninit(link_count) {
            room.fill_from_iter(links);
        }
        let links = u16::try_from(link_count).unwrap_or_default();
        notes.push(Slip { place, world: current.number, said, octets: octets.len(), links }).is_ok()
    }

    /// Whom a stage is about: the recipient of an MT message, the originator of an MO one, as far as the frame names them.
    fn holds(&self, message: &Message<'_>, forward: &ForwardSm<'_>) -> Option<Held> {
        if self.pass {
            return Some(Held::Pass);
        }
        if self.pressed {
            return Some(Held::Pressure);
        }
        let mut digits = Digits::default();
        let subscriber = match (message.imsi, message.direction, forward.origination) {
            (Some(imsi), _, _) => Some(Subscriber::Imsi(imsi)),
            (None, Direction::Mo, Origination::Msisdn(number)) => digits.of(number.digits().chars()).map(Subscriber::Msisdn),
            _ => None,
        };
        let domains = message.links.iter().filter(|link| link.acts()).map(|link| link.registrable);
        self.current.stage.holds(subscriber, domains)
    }
}

/// A number on the stack.
#[derive(Default)]
struct Digits {
    octets: [u8; 20],
}

impl Digits {
    fn of(&mut self, digits: impl Iterator<Item = char>) -> Option<&str> {
        let mut len = 0;
        for digit in digits {
            *self.octets.get_mut(len)? = u8::try_from(u32::from(digit)).ok()?;
            len += 1;
        }
        core::str::from_utf8(self.octets.get(..len)?).ok()
    }
}

impl Listener for LaneSide {
    const TEXTS: bool = true;
    const UNREAD: bool = true;

    fn observes(&mut self, message: &Message<'_>, forward: &ForwardSm<'_>) -> bool {
        self.held_now = self.holds(message, forward);
        self.held_now.is_some()
    }

    fn has_work(&self) -> bool {
        !self.rings.notes.is_full() && self.rings.links.slots() >= note::LINKS && self.rings.cells.slots() >= note::OCTETS / 64
    }

    fn sms(&mut self, sms: &Sms<'_>) {
        let held = self.held_now.take();
        if sms.repeat {
            return;
        }
        if let Some(count) = held.and_then(|held| self.held.get_mut(held as usize)) {
            *count += 1;
        }
        self.octets.clear();
        let octets = &mut self.octets;
        let note = SmsNote::of(octets, sms, held);
        let kept = sms.urls.len().min(note::LINKS);
        self.lost.links += u64::from(note.more_links);
        let mut links = links(octets, sms.urls, sms.text.unwrap_or_default());
        for issued in sms.issued {
            if let Some(link) = links.get_mut(issued.link) {
                link.issued = Some(issued.id);
            }
        }
        let pushed = self.push(*sms.place, Said::Note(Kind::Sms(note)), links.into_iter().take(kept));
        self.lost.notes += u64::from(!pushed);
    }

    fn unread(&mut self, place: &Place, message: &Unread<'_>) {
        self.octets.clear();
        let Unread { sccp, urls, decision, .. } = *message;
        // What a sender put behind a UDT may be longer than the room.
        self.octets.put(sccp.get(..UDT).unwrap_or(sccp));
        let said = Said::Unread(self.octets.len(), decision);
        let pushed = if urls.is_empty() {
            self.push(*place, said, [].into_iter())
        } else {
            let links = links(&mut self.octets, urls, urls.text);
            self.push(*place, said, links.into_iter().take(urls.len()))
        };
        self.lost.notes += u64::from(!pushed);
    }

    fn event(&mut self, place: &Place, event: &Event<'_>) {
        self.octets.clear();
        let octets = &mut self.octets;
        let kind = match *event {
            Event::RoutingInfo { otid, calling_party, msisdn } => {
                Kind::RoutingInfo { otid: octets.put(otid), calling: octets.party(calling_party), msisdn: octets.put(msisdn) }
            }
            Event::RoutingInfoResult { dtid, called_party, imsi } => {
                Kind::RoutingInfoResult { dtid: octets.put(dtid), called: octets.party(called_party), imsi: octets.put(imsi) }
            }
            Event::Outcome { dtid, called_party, invoke_id, outcome } => {
                Kind::Outcome { dtid: octets.put(dtid), called: octets.party(called_party), invoke_id, outcome }
            }
        };
        let pushed = self.push(*place, Said::Note(kind), [].into_iter());
        self.lost.notes += u64::from(!pushed);
    }

    fn unscanned(&mut self, place: &Place, why: Error) {
        self.unscanned.get_or_insert((*place, why));
    }
}

const NO_LINK: LinkNote = LinkNote {
    text: note::NOWHERE,
    start: 0,
    end: 0,
    url: note::NOWHERE,
    host: note::NOWHERE,
    registrable: note::NOWHERE,
    verdict: crate::verdict::Verdict::None,
    reason: crate::verdict::Reason::NoEntry,
    entry: None,
    app: false,
    confidence: crate::verdict::Confidence::High,
    found: crate::record::Found::Text,
    issued: None,
};

/// Octets of the longest UDT: three parts of 255, their lengths, the pointers to them.
const UDT: usize = 5 + 3 * 256;

const _: () = assert!(crate::quiet::FEW <= note::LINKS, "a message that goes unread has no link without a note");

/// As many links as a note has room for.
fn links(octets: &mut Octets, urls: Urls<'_>, text: &str) -> [LinkNote; note::LINKS] {
    let mut links = [NO_LINK; note::LINKS];
    for (to, from) in links.iter_mut().zip(urls.iter()) {
        *to = link(octets, &from, text);
    }
    links
}

fn link(octets: &mut Octets, url: &Url<'_>, text: &str) -> LinkNote {
    let code_points = |at: usize| text.get(..at).map_or(0, |front| u32::try_from(front.chars().count()).unwrap_or(u32::MAX));
    LinkNote {
        text: octets.put(url.text.as_bytes()),
        start: if url.elsewhere { u32::MAX } else { code_points(url.start) },
        end: if url.elsewhere { u32::MAX } else { code_points(url.end) },
        url: octets.put(url.url.as_bytes()),
        host: octets.put(url.host.as_bytes()),
        registrable: octets.put(url.registrable.as_bytes()),
        verdict: url.verdict,
        reason: url.reason,
        entry: url.entry,
        app: url.app,
        confidence: url.confidence,
        found: url.found,
        issued: None,
    }
}
