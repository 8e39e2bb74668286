//! One short message, event or sampled frame on its way to the control side: a head of fixed size that is copied, and octets beside it.
//! A message that the lane did not read goes as it came; the control side reads it.

use protocols::map::{Destination, Origination};
use protocols::sccp::Address;
use protocols::sms::Concat;
use protocols::{Error, link::LinkType};

use super::CELL;
use super::stage::Held;
use crate::policy::redirect::RedirectId;
use crate::policy::{Decision, Direction};
use crate::record::{Found, Place, Sms};
use crate::verdict::{Confidence, Reason, Verdict};
use crate::verdicts::EntryRef;

/// Octets of one note.
pub(super) const OCTETS: usize = 2048;
/// Links of one note.
pub(super) const LINKS: usize = 16;
/// Oddities of one note.
const PROBLEMS: usize = 4;

/// Where a field lies in a note's octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    at: u16,
    len: u16,
}

impl Span {
    /// The field.
    pub fn of<'o>(&self, octets: &'o [u8]) -> &'o [u8] {
        let at = usize::from(self.at);
        octets.get(at..at + usize::from(self.len)).unwrap_or_default()
    }

    /// The field, as text.
    pub fn text<'o>(&self, octets: &'o [u8]) -> &'o str {
        core::str::from_utf8(self.of(octets)).unwrap_or_default()
    }
}

pub(super) const NOWHERE: Span = Span { at: 0, len: 0 };

/// The head.
#[derive(Clone, Copy, Debug)]
pub struct Note {
    /// Where it was met.
    pub place: Place,
    /// The world that judged it.
    pub world: u64,
    /// What it is.
    pub kind: Kind,
}

/// What lies in the ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slip {
    pub(super) place: Place,
    /// Number of the world that judged it.
    pub(super) world: u64,
    /// What it is.
    pub(super) said: Said,
    /// Octets and links that go with it.
    pub(super) octets: u16,
    pub(super) links: u16,
}

/// What a slip is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Said {
    /// A note.
    Note(Kind),
    /// A short message that was not read: as many octets are its SCCP message, and this was decided.
    Unread(u16, Decision),
}

/// What a note is about.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all notes are short messages")]
pub enum Kind {
    /// A short message.
    Sms(SmsNote),
    /// [`crate::record::Event::RoutingInfo`].
    RoutingInfo {
        /// Originating transaction id.
        otid: Span,
        /// Calling party.
        calling: PartyNote,
        /// MSISDN: address octet and semi-octets.
        msisdn: Span,
    },
    /// [`crate::record::Event::RoutingInfoResult`].
    RoutingInfoResult {
        /// Destination transaction id.
        dtid: Span,
        /// Called party.
        called: PartyNote,
        /// IMSI: semi-octets.
        imsi: Span,
    },
    /// [`crate::record::Event::Outcome`].
    Outcome {
        /// Destination transaction id.
        dtid: Span,
        /// Called party.
        called: PartyNote,
        /// Invoke id.
        invoke_id: Option<i64>,
        /// `delivered`, or the error's name.
        outcome: &'static str,
    },
    /// A frame that was not understood, sampled.
    Unscanned {
        /// Why.
        why: Error,
        /// How it is wrapped.
        link_type: LinkType,
        /// Octets on the wire.
        original_len: u32,
        /// The frame, or the front of it.
        frame: Span,
    },
}

/// An SCCP address.
#[derive(Clone, Copy, Debug, Default)]
pub struct PartyNote {
    /// Digits of the global title.
    pub gt: Option<Span>,
    /// Subsystem number.
    pub ssn: Option<u8>,
    /// Point code.
    pub pc: Option<u32>,
    /// Translation type.
    pub tt: Option<u8>,
    /// Numbering plan.
    pub np: Option<u8>,
    /// Nature of address.
    pub nai: Option<u8>,
}

/// A short message.
#[derive(Clone, Copy, Debug)]
pub struct SmsNote {
    /// SCCP called party.
    pub called: PartyNote,
    /// SCCP calling party.
    pub calling: PartyNote,
    /// Originating transaction id.
    pub otid: Option<Span>,
    /// Destination transaction id.
    pub dtid: Option<Span>,
    /// Invoke id.
    pub invoke_id: i64,
    /// Name of the operation.
    pub operation: &'static str,
    /// MAP version.
    pub map_version: Option<u8>,
    /// IMSI: semi-octets.
    pub imsi: Option<Span>,
    /// The originator's MSISDN: address octet and semi-octets.
    pub msisdn: Option<Span>,
    /// The service centre: address octet and semi-octets.
    pub service_centre: Option<Span>,
    /// MO or MT.
    pub direction: Direction,
    /// The TPDU as it came.
    pub tpdu: Span,
    /// TP-OA or TP-DA as people read it.
    pub address: Span,
    /// Which part of which text.
    pub concat: Option<Concat>,
    /// Parts seen.
    pub parts: u8,
    /// The worst of the links.
    pub verdict: Verdict,
    /// What was decided.
    pub decision: Decision,
    /// Why it was only recorded, where the policy itself does not observe.
    pub held: Option<Held>,
    /// The text was changed.
    pub rewritten: bool,
    /// Oddities; empty names fill up.
    pub problems: [&'static str; PROBLEMS],
    /// Links that the note has no place for.
    pub more_links: u16,
}

impl SmsNote {
    /// Keeps what `sms` says, its links aside.
    pub(super) fn of(octets: &mut Octets, sms: &Sms<'_>, held: Option<Held>) -> Self {
        let tpdu = octets.put(sms.forward.sm_rp_ui);
        let service_centre = match (sms.forward.destination, sms.forward.origination) {
            (Destination::ServiceCentre(number), _) | (_, Origination::ServiceCentre(number)) => Some(octets.put(number.0)),
            _ => None,
        };
        let msisdn = match sms.forward.origination {
            Origination::Msisdn(number) => Some(octets.put(number.0)),
            _ => None,
        };
        Self {
            called: octets.party(sms.called_party),
            calling: octets.party(sms.calling_party),
            otid: sms.transaction.otid.map(|id| octets.put(id)),
            dtid: sms.transaction.dtid.map(|id| octets.put(id)),
            invoke_id: sms.invoke.invoke_id,
            operation: sms.operation,
            map_version: sms.map_version,
            imsi: sms.imsi.map(|imsi| octets.put(imsi)),
            msisdn,
            service_centre,
            direction: sms.direction,
            tpdu,
            address: octets.put(sms.address.as_bytes()),
            concat: sms.concat,
            parts: sms.parts,
            verdict: sms.verdict,
            decision: *sms.decision,
            held,
            rewritten: sms.rewritten.is_some(),
            problems: problems(sms.oddities()),
            more_links: u16::try_from(sms.urls.len().saturating_sub(LINKS)).unwrap_or(u16::MAX),
        }
    }
}

/// One link of a short message.
#[derive(Clone, Copy, Debug)]
pub struct LinkNote {
    /// As written.
    pub text: Span,
    /// First code point in the text; `u32::MAX` where some of it stands in another part.
    pub start: u32,
    /// The code point behind it.
    pub end: u32,
    /// Canonical form.
    pub url: Span,
    /// Canonical host.
    pub host: Span,
    /// Registrable domain.
    pub registrable: Span,
    /// What it is worth.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The entry that said so, in the table of the note's world.
    pub entry: Option<EntryRef>,
    /// An app package.
    pub app: bool,
    /// How sure the scan is.
    pub confidence: Confidence,
    /// Where it was found.
    pub found: Found,
    /// The id that stands in its place, where it was redirected.
    pub issued: Option<RedirectId>,
}

impl LinkNote {
    /// Its octets lie elsewhere: so many less or more stand before them.
    pub(super) fn move_by(&mut self, octets: isize) {
        for span in [&mut self.text, &mut self.url, &mut self.host, &mut self.registrable] {
            span.at = u16::try_from(usize::from(span.at).saturating_add_signed(octets)).unwrap_or(u16::MAX);
        }
    }
}

/// Octets being gathered for one note.
pub(super) struct Octets {
    octets: [u8; OCTETS],
    len: usize,
    /// Something found no room.
    pub(super) cut: bool,
}

impl Octets {
    pub(super) const fn new() -> Self {
        Self { octets: [0; OCTETS], len: 0, cut: false }
    }

    pub(super) const fn clear(&mut self) {
        self.len = 0;
        self.cut = false;
    }

    /// Takes a field, or nothing of it.
    pub(super) fn put(&mut self, field: &[u8]) -> Span {
        let Some(room) = self.octets.get_mut(self.len..self.len + field.len()) else {
            self.cut = true;
            return Span::default();
        };
        room.copy_from_slice(field);
        let at = self.len;
        self.len += field.len();
        self.span(at)
    }

    /// Takes the front of a field that may be longer than the room.
    pub(super) fn put_front(&mut self, field: &[u8]) -> Span {
        self.put(field.get(..field.len().min(OCTETS - self.len)).unwrap_or_default())
    }

    fn span(&self, at: usize) -> Span {
        let short = |n: usize| u16::try_from(n).unwrap_or_default();
        Span { at: short(at), len: short(self.len - at) }
    }

    pub(super) fn party(&mut self, address: &Address<'_>) -> PartyNote {
        let gt = address.gt.as_ref();
        let digits = gt.map(|gt| {
            let (at, room) = (self.len, self.octets.get_mut(self.len..).unwrap_or_default().as_chunks_mut().0);
            let pairs = room.iter_mut().zip(gt.digits.octets());
            let written = pairs.map(|(pair, octet)| *pair = [octet & 15, octet >> 4].map(digit)).count();
            self.cut |= written < gt.digits.octets().len();
            self.len += gt.digits.len().min(2 * written);
            self.span(at)
        });
        PartyNote {
            gt: digits,
            ssn: address.ssn,
            pc: address.pc,
            tt: gt.and_then(|gt| gt.tt),
            np: gt.and_then(|gt| gt.np),
            nai: gt.and_then(|gt| gt.nai),
        }
    }

    pub(super) fn len(&self) -> u16 {
        u16::try_from(self.len).unwrap_or(u16::MAX)
    }

    pub(super) const fn cell_count(&self) -> usize {
        self.len.div_ceil(CELL)
    }

    /// All of them.
    pub(super) fn all(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }

    /// The octets in whole cells.
    pub(super) fn cells(&self) -> impl Iterator<Item = super::Cell> + '_ {
        self.octets.as_chunks().0.iter().take(self.cell_count()).copied()
    }
}

/// As [`protocols::sccp::Digits::chars`] has it.
fn digit(nibble: u8) -> u8 {
    b"0123456789abcdef".get(usize::from(nibble)).copied().unwrap_or_default()
}

/// The first few names.
fn problems(all: impl Iterator<Item = &'static str>) -> [&'static str; PROBLEMS] {
    let mut kept = [""; PROBLEMS];
    kept.iter_mut().zip(all).for_each(|(to, from)| *to = from);
    kept
}
