//! What the way of a frame tells whoever listens: one [`Sms`] a short message, and the [`Event`]s that explain it.
//!
//! Everything is borrowed and gone after the call: a listener keeps what it needs. The pipeline never waits for one.

use core::net::IpAddr;
use core::ops::Range;

use protocols::map::ForwardSm;
use protocols::sccp::Address;
use protocols::sms::{Concat, Problems, Tpdu};
use protocols::tcap;
use protocols::{Error, sctp};

use crate::policy::redirect::Issued;
use crate::policy::{self, Action, Decision, Direction};
use crate::verdict::{Confidence, Reason, Verdict};
use crate::verdicts::EntryRef;

/// What carried the message below SCCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// M3UA over SCTP.
    #[default]
    M3ua,
    /// M2PA over SCTP.
    M2pa,
    /// M2UA over SCTP.
    M2ua,
    /// SUA over SCTP.
    Sua,
    /// A capture of an MTP2 link.
    Mtp2,
    /// A capture of MTP3.
    Mtp3,
    /// A capture of bare SCCP.
    Sccp,
}

impl Transport {
    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::M3ua => "m3ua",
            Self::M2pa => "m2pa",
            Self::M2ua => "m2ua",
            Self::Sua => "sua",
            Self::Mtp2 => "mtp2",
            Self::Mtp3 => "mtp3",
            Self::Sccp => "sccp",
        }
    }
}

impl From<sctp::Adaptation> for Transport {
    fn from(adaptation: sctp::Adaptation) -> Self {
        match adaptation {
            sctp::Adaptation::M3ua => Self::M3ua,
            sctp::Adaptation::M2pa => Self::M2pa,
            sctp::Adaptation::M2ua => Self::M2ua,
            sctp::Adaptation::Sua => Self::Sua,
        }
    }
}

/// Where a message was met: the frame and what lay below SCCP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// Number of the frame in its source, from 1.
    pub frame: u64,
    /// Nanoseconds since 1970, UTC.
    pub time_ns: u64,
    /// Number of the chunk in the packet, from 0.
    pub chunk: u32,
    /// What carried it.
    pub transport: Transport,
    /// Network indicator, OPC, DPC, SLS, where there is a routing label.
    pub label: Option<Label>,
    /// Source and destination with their ports, where there is IP.
    pub path: Option<[(IpAddr, u16); 2]>,
    /// TSN of the DATA chunk.
    pub tsn: Option<u32>,
}

/// The MTP3 routing label, Q.704 §2.2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// Network indicator.
    pub ni: u8,
    /// Originating point code.
    pub opc: u32,
    /// Destination point code.
    pub dpc: u32,
    /// Signalling link selection.
    pub sls: u8,
}

/// Where in the message a URL was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Found {
    /// In the text.
    #[default]
    Text,
    /// In an alphanumeric sender.
    Sender,
    /// In a WAP push.
    Push,
    /// In an earlier copy of this part or of one beside it: another text came under the same number.
    Copy,
}

impl Found {
    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Sender => "sender",
            Self::Push => "push",
            Self::Copy => "copy",
        }
    }
}

/// One URL, or one reading of it, and its verdict.
#[derive(Clone, Copy, Debug)]
pub struct Url<'a> {
    /// As written in the message.
    pub text: &'a str,
    /// First octet in the message's text (UTF-8), as the record has it.
    pub start: usize,
    /// Octet behind it.
    pub end: usize,
    /// Some of it stands in another part, which the message's text has not: `start` and `end` mean nothing.
    pub elsewhere: bool,
    /// Canonical form.
    pub url: &'a str,
    /// Canonical host; empty where there is none.
    pub host: &'a str,
    /// Registrable domain; empty where there is none.
    pub registrable: &'a str,
    /// What it is worth.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The entry that said so.
    pub entry: Option<EntryRef>,
    /// An app package.
    pub app: bool,
    /// How sure the scan is.
    pub confidence: Confidence,
    /// Where it was found.
    pub found: Found,
}

/// One URL as the scan left it: where it lies in the text (one of an earlier copy: in the arena), and where its canonical form lies in the arena.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) url: (usize, usize),
    pub(crate) host: (usize, usize),
    pub(crate) registrable: (usize, usize),
    pub(crate) verdict: Verdict,
    pub(crate) reason: Reason,
    pub(crate) entry: Option<EntryRef>,
    pub(crate) app: bool,
    pub(crate) confidence: Confidence,
    pub(crate) found: Found,
}

impl Slot {
    /// Whether the link counts: see [`policy::LinkFacts::acts`].
    pub(crate) fn acts(&self) -> bool {
        match self.confidence {
            Confidence::High => true,
            Confidence::Low => self.verdict == Verdict::Dangerous,
            Confidence::Binding => false,
        }
    }

    /// Whether some of the link stands in this part of the text that was scanned.
    pub(crate) fn is_in(&self, part: &Range<usize>) -> bool {
        matches!(self.found, Found::Text | Found::Push) && self.start < part.end && self.end > part.start
    }
}

/// The URLs of a message, in the order found; each is put together when it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Urls<'a> {
    pub(crate) slots: &'a [Slot],
    /// The text that was scanned.
    pub(crate) text: &'a str,
    pub(crate) address: &'a str,
    /// Holds the canonical forms.
    pub(crate) arena: &'a str,
    /// Where the text of the message lies in the one that was scanned.
    pub(crate) shown: (usize, usize),
}

impl<'a> Urls<'a> {
    /// None.
    pub(crate) const NONE: Self = Self { slots: &[], text: "", address: "", arena: "", shown: (0, 0) };

    /// How many.
    pub const fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Url<'a>> + Clone + use<'a> {
        let Self { slots, text, address, arena, shown } = *self;
        slots.iter().map(move |slot| {
            let span = |(start, end): (usize, usize)| arena.get(start..end).unwrap_or_default();
            let source = match slot.found {
                Found::Sender => address,
                Found::Copy => arena,
                Found::Text | Found::Push => text,
            };
            let elsewhere = slot.found == Found::Text && (slot.start < shown.0 || slot.end > shown.1);
            let skipped = if slot.found == Found::Text && !elsewhere { shown.0 } else { 0 };
            Url {
                text: source.get(slot.start..slot.end).unwrap_or_default(),
                start: slot.start - skipped,
                end: slot.end - skipped,
                elsewhere,
                url: span(slot.url),
                host: span(slot.host),
                registrable: span(slot.registrable),
                verdict: slot.verdict,
                reason: slot.reason,
                entry: slot.entry,
                app: slot.app,
                confidence: slot.confidence,
                found: slot.found,
            }
        })
    }
}

/// One short message, decoded, judged and acted upon.
#[derive(Clone, Copy, Debug)]
pub struct Sms<'a> {
    /// Where it was met.
    pub place: &'a Place,
    /// SCCP called party.
    pub called_party: &'a Address<'a>,
    /// SCCP calling party.
    pub calling_party: &'a Address<'a>,
    /// The TCAP message around it.
    pub transaction: &'a tcap::Message<'a>,
    /// The component.
    pub invoke: &'a tcap::Invoke<'a>,
    /// The MAP argument.
    pub forward: &'a ForwardSm<'a>,
    /// The operation's name.
    pub operation: &'static str,
    /// MAP version, where the dialogue or the argument tells.
    pub map_version: Option<u8>,
    /// IMSI, from the argument or the dialogue's destination reference: semi-octets.
    pub imsi: Option<&'a [u8]>,
    /// MO or MT.
    pub direction: Direction,
    /// The TPDU.
    pub tpdu: &'a Tpdu<'a>,
    /// The sender or recipient in TP-OA or TP-DA, as people read it.
    pub address: &'a str,
    /// Which part of which text.
    pub concat: Option<Concat>,
    /// Parts seen so far, this one included.
    pub parts: u8,
    /// The text of this TPDU; `None` where it has none that can be shown.
    pub part_text: Option<&'a str>,
    /// The whole text on the last part to arrive, else that of this TPDU.
    pub text: Option<&'a str>,
    /// Every URL.
    pub urls: Urls<'a>,
    /// The worst of the URLs, or `unknown` where a label was imitated.
    pub verdict: Verdict,
    /// What was done, or would have been.
    pub decision: &'a Decision,
    /// Ids that stand in place of links, where it was redirected.
    pub issued: &'a [Issued],
    /// The text that goes on in place of `part_text`.
    pub rewritten: Option<&'a str>,
    /// What was odd about the TPDU and its text; [`Sms::oddities`] has the rest too.
    pub problems: Problems,
    /// Seen before: recorded once, so a listener of records ignores it.
    pub repeat: bool,
}

impl Sms<'_> {
    /// All that was odd about the message, by name: its TPDU, its argument, what lay around them.
    pub fn oddities(&self) -> impl Iterator<Item = &'static str> {
        let marks = self.forward.marks.iter().chain(self.transaction.marks.iter());
        self.problems.names().chain(marks.map(tcap::Mark::name))
    }
}

/// A short message that goes on as it is, and of which no more was read than its text and its links.
#[derive(Clone, Copy, Debug)]
pub struct Unread<'a> {
    /// The SCCP message, a UDT with one component. For who wants [`Listener::TEXTS`] it says all: in a lane of its own it comes to an
    /// [`Sms`] with these links.
    pub sccp: &'a [u8],
    /// The SCCP calling party, whose transaction it is.
    pub calling_party: &'a [u8],
    /// Originating transaction id.
    pub otid: &'a [u8],
    /// The component.
    pub invoke_id: i64,
    /// Every URL: none, or a few that are all verified.
    pub urls: Urls<'a>,
    /// What was decided: nothing without a link, else that it passes.
    pub decision: Decision,
}

/// What explains a message without being one: joined by whoever keeps records, in the order of the capture.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// `sendRoutingInfoForSM`: an MSISDN is asked for under this transaction.
    RoutingInfo {
        /// Originating transaction id.
        otid: &'a [u8],
        /// Calling party.
        calling_party: &'a Address<'a>,
        /// MSISDN: address octet and semi-octets.
        msisdn: &'a [u8],
    },
    /// Its result: the IMSI.
    RoutingInfoResult {
        /// Destination transaction id.
        dtid: &'a [u8],
        /// Called party.
        called_party: &'a Address<'a>,
        /// IMSI: semi-octets.
        imsi: &'a [u8],
    },
    /// A result or an error of a forwardSM, or the end of its dialogue.
    Outcome {
        /// Destination transaction id.
        dtid: &'a [u8],
        /// Called party.
        called_party: &'a Address<'a>,
        /// Invoke id.
        invoke_id: Option<i64>,
        /// `delivered`, or the error's name.
        outcome: &'static str,
    },
}

/// Whoever listens to a lane.
pub trait Listener {
    /// Whether the text of every message is wanted; if not, a message without a link is told only where the policy minds it, as it does
    /// an imitated label.
    const TEXTS: bool;
    /// Whether a first look is taken at each message: a short message that it lets go stays unread, and is told by [`Listener::unread`]
    /// alone.
    const UNREAD: bool = !Self::TEXTS;
    /// Whether a decision to change this message is only to be recorded: live operation observes first, then acts by stage.
    fn observes(&mut self, _message: &policy::Message<'_>, _forward: &ForwardSm<'_>) -> bool {
        false
    }
    /// Whether a record of what a redirect needs would find its place.
    fn has_work(&self) -> bool {
        true
    }
    /// A short message, in the order of the source. Repetitions come too, marked as such.
    fn sms(&mut self, sms: &Sms<'_>);
    /// A short message that was not read, for the first time.
    fn unread(&mut self, _place: &Place, _message: &Unread<'_>) {}
    /// Something that explains a message.
    fn event(&mut self, _place: &Place, _event: &Event<'_>) {}
    /// A frame carried signalling that was not understood, for this reason.
    fn unscanned(&mut self, _place: &Place, _why: Error) {}
}

/// A listener that counts nothing and keeps nothing: the counters say enough.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Listener for Silent {
    const TEXTS: bool = false;
    fn sms(&mut self, _: &Sms<'_>) {}
}

/// The record's name of an action, as it was done or only observed.
pub fn action_name(decision: &Decision) -> (&'static str, &'static str) {
    let observed = decision.observe && decision.action != Action::Pass;
    (if observed { "observe:" } else { "" }, decision.action.name())
}
