//! What a message lies in, from the chunk down: enough to put every length right again, and to find a single octet of joined text in the frame.

use core::ops::Range;

use protocols::ber::{self, Trail};
use protocols::{Layer, sccp, span};

use crate::quiet::Looked;
use crate::record::Transport;
use crate::rewrite::{Changes, Field, NoFit, Width};

/// Joined octets, and where the piece in hand lies in them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lay<'a> {
    /// All pieces, joined in a buffer.
    pub(crate) whole: &'a [u8],
    /// The piece, where it came from.
    pub(crate) piece: &'a [u8],
    /// Octet of `whole` where it begins.
    pub(crate) at: usize,
}

/// What a message lies in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carrier<'a> {
    /// What changes apply to: one SCTP chunk, or the frame of a bare link.
    pub(crate) base: &'a [u8],
    /// Why nothing may be changed.
    pub(crate) frozen: Option<&'static str>,
    /// A retransmission: recorded before.
    pub(crate) repeat: bool,
    /// Set when the user message came in several chunks.
    pub(crate) chunks: Option<Lay<'a>>,
    /// Set when the SCCP data came in several segments.
    pub(crate) segments: Option<Lay<'a>>,
    /// The message of the adaptation layer.
    pub(crate) message: &'a [u8],
    /// What that message carries: MSU, user part, or SUA's data.
    pub(crate) payload: &'a [u8],
    /// The SCCP message.
    pub(crate) sccp: &'a [u8],
    /// The TCAP message.
    pub(crate) tcap: &'a [u8],
    /// What a first look at the SCCP message has read of it.
    pub(crate) looked: Option<Looked>,
}

/// What a service indicator's SIF may grow to, and the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A length field is too small.
    Field(NoFit),
    /// SIF: octets needed, octets allowed.
    Sif(usize, usize),
    /// The chunk alone outgrows the MTU.
    Mtu,
    /// The octets lie in joined pieces.
    Pieces,
}

impl From<NoFit> for Stop {
    fn from(nofit: NoFit) -> Self {
        Self::Field(nofit)
    }
}

/// IPv6, UDP and SCTP headers: what stands around a chunk at most. A constant, so that the answer depends on the chunk alone.
const AROUND: usize = 40 + 8 + 12;

impl<'a> Carrier<'a> {
    /// A carrier whose changes apply to `base`.
    pub(crate) const fn new(base: &'a [u8], frozen: Option<&'static str>) -> Self {
        Self {
            base,
            frozen,
            repeat: false,
            chunks: None,
            segments: None,
            message: &[],
            payload: &[],
            sccp: &[],
            tcap: &[],
            looked: None,
        }
    }

    /// Whether the message came in pieces, so that only octets of the piece in hand can be changed, and none added.
    pub(crate) const fn is_joined(&self) -> bool {
        self.chunks.is_some() || self.segments.is_some()
    }

    /// Where one octet of the message lies in `base`; `None` when it came with another piece.
    pub(crate) fn locate(&self, octet: &[u8]) -> Option<usize> {
        let mut octet = octet;
        for lay in [self.segments, self.chunks].into_iter().flatten() {
            if let Some(place) = span::within(lay.whole, octet) {
                octet = lay.piece.get(place.start.checked_sub(lay.at)?..)?.get(..1)?;
            }
        }
        span::within(self.base, octet).map(|place| place.start)
    }

    /// The place of a slice in `base`.
    pub(crate) fn place(&self, slice: &[u8]) -> Result<Range<usize>, Stop> {
        span::within(self.base, slice).ok_or(Stop::Pieces)
    }

    /// Adds every field that counts the octets of `target`: the trail of the way in, outward.
    pub(crate) fn fields(&self, target: &[u8], transport: Transport, changes: &mut Changes) -> Result<(), Stop> {
        let tcap = self.place(self.tcap)?;
        let inner = span::within(self.tcap, target).ok_or(Stop::Pieces)?;
        let mut trail = Trail::default();
        ber::trail(self.tcap, inner.clone(), Layer::Tcap, &mut trail).map_err(|_| Stop::Field(NoFit::Changes))?;
        // A trail that ends elsewhere leaves lengths as they were.
        if trail.levels().last().is_none_or(|own| own.content_at != inner.start || own.content_len != inner.len()) {
            return Err(Stop::Field(NoFit::Changes));
        }
        // Innermost first, as they are settled.
        for level in trail.levels().iter().rev() {
            if level.form == ber::Form::Indefinite {
                continue;
            }
            let content = tcap.start + level.content_at;
            changes.field(Field {
                at: tcap.start + level.at,
                width: Width::Ber(level.octets),
                covers: content..content + level.content_len,
                pad: None,
            })?;
        }
        if transport != Transport::Sua {
            self.sccp_fields(changes)?;
        }
        self.adaptation_fields(transport, changes)
    }

    /// The data's length and the pointers that reach over it, Q.713 §1.5.
    fn sccp_fields(&self, changes: &mut Changes) -> Result<(), Stop> {
        let base = self.place(self.sccp)?.start;
        let layout = sccp::layout(self.sccp).map_err(|_| Stop::Field(NoFit::Changes))?;
        let data = layout.data();
        let width = if layout.length_width == 2 { Width::TwoLittle } else { Width::One };
        changes.field(Field { at: base + layout.length_at, width, covers: base + data.start..base + data.end, pad: None })?;
        for pointer in layout.pointers() {
            let Some(target) = pointer.target.filter(|&target| target >= data.end) else { continue };
            let width = if pointer.width == 2 { Width::TwoLittle } else { Width::One };
            changes.field(Field {
                at: base + pointer.at,
                width,
                covers: base + pointer.at + pointer.width..base + target,
                pad: None,
            })?;
        }
        Ok(())
    }

    fn adaptation_fields(&self, transport: Transport, changes: &mut Changes) -> Result<(), Stop> {
        if matches!(transport, Transport::Mtp3 | Transport::Sccp) {
            return Ok(());
        }
        let payload = self.place(self.payload)?;
        match transport {
            Transport::M3ua => self.parameter(payload.start.saturating_sub(4 + protocols::m3ua::LABEL_LEN), payload.end, changes),
            Transport::M2ua | Transport::Sua => self.parameter(payload.start.saturating_sub(4), payload.end, changes),
            Transport::M2pa => self.message_length(changes),
            Transport::Mtp2 => {
                // Behind the four octets of `LINKTYPE_MTP2_WITH_PHDR` a header of Q.703 Annex A has six, any other three.
                let (width, octets) = if payload.start == 10 { (Width::Extended, 2) } else { (Width::Indicator, 1) };
                Ok(changes.field(Field { at: payload.start.saturating_sub(octets), width, covers: payload, pad: None })?)
            }
            Transport::Mtp3 | Transport::Sccp => Ok(()),
        }
    }

    /// A parameter of M3UA, M2UA or SUA that starts at `at`, and the message around it.
    fn parameter(&self, at: usize, end: usize, changes: &mut Changes) -> Result<(), Stop> {
        let missing = (end - at).next_multiple_of(4) - (end - at);
        let message_end = self.place(self.message)?.end;
        // RFC 4666 §3.1.4: the length of some peers' messages leaves the final pad out, though it is there; some have none at all.
        let present =
            self.base.get(end..end + missing).filter(|pad| message_end >= end + missing || pad.iter().all(|&octet| octet == 0));
        changes.field(Field { at: at + 2, width: Width::Two, covers: at..end, pad: Some(present.map_or(0, <[u8]>::len)) })?;
        self.message_length(changes)
    }

    /// The length of the common header: four octets at the fifth.
    fn message_length(&self, changes: &mut Changes) -> Result<(), Stop> {
        let message = self.place(self.message)?;
        Ok(changes.field(Field { at: message.start + 4, width: Width::Four, covers: message, pad: None })?)
    }

    /// Whether what was settled keeps within what the network carries.
    pub(crate) fn bounds(
        &self,
        transport: Transport,
        label_len: usize,
        max_sif: usize,
        mtu: usize,
        changes: &Changes,
    ) -> Result<(), Stop> {
        let whole = 0..self.base.len();
        let grown = self.base.len().saturating_add_signed(changes.growth(&whole));
        if grown + AROUND > mtu && grown > self.base.len() {
            return Err(Stop::Mtu);
        }
        // What came in pieces is changed octet for octet, and most of it lies elsewhere.
        if self.is_joined() || matches!(transport, Transport::Sua | Transport::Sccp) {
            return Ok(());
        }
        let sccp = self.place(self.sccp)?;
        let old = self.sccp.len() + label_len;
        let new = old.saturating_add_signed(changes.growth(&sccp));
        // What came in larger than the bound has no MTP2 leg behind it: it may keep its size.
        if new > max_sif.max(old) { Err(Stop::Sif(new, max_sif)) } else { Ok(()) }
    }
}
