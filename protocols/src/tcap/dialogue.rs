//! The dialogue portion of Q.773: who speaks which application context, and what became of the dialogue.
//!
//! ```text
//! 6b { 28 { 06 0.0.17.773.1.1.1  a0 { 60 AARQ | 61 AARE | 64 ABRT } } }     unidirectional: …773.1.2.1, 60 AUDT
//!   AARQ { 80 version?  a1 { 06 context }  be { user information }? }
//!   AARE { 80 version?  a1 { 06 context }  a2 { 02 result }  a3 { a1|a2 { 02 diagnostic } }  be? }
//!   ABRT { 80 source  be? }
//!   user information { 28 { 06 0.4.0.0.1.1.1.1  a0 { a0 map-open { 80 destination, 81 origination }? | … } } }
//! ```

use super::{Mark, Marks};
use crate::ber::{self, Class, Reader, Tlv, universal};
use crate::error::Layer;

/// 0.4.0.0.1.0: the arc of MAP's application contexts.
const CONTEXT_ARC: [u8; 5] = [4, 0, 0, 1, 0];

/// 0.4.0.0.1.1.1.1: map-DialogueAS.
const MAP_DIALOGUE: [u8; 7] = [4, 0, 0, 1, 1, 1, 1];

/// An application context of MAP: 0.4.0.0.1.0.code.version, TS 29.002 §17.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ApplicationContext {
    /// 20 gateway, 21 MO relay, 23 alert, 24 mwd management, 25 MT relay, 41 VGCS relay, …
    pub code: u8,
    /// 1 to 3, in what is known.
    pub version: u8,
}

impl ApplicationContext {
    /// shortMsgGateway, with sendRoutingInfoForSM.
    pub const GATEWAY: u8 = 20;
    /// shortMsgMO-Relay; in version 1 the relay of both directions.
    pub const MO_RELAY: u8 = 21;
    /// shortMsgAlert.
    pub const ALERT: u8 = 23;
    /// mwdMngt.
    pub const MWD: u8 = 24;
    /// shortMsgMT-Relay.
    pub const MT_RELAY: u8 = 25;
    /// shortMsgMT-Relay-VGCS.
    pub const VGCS_RELAY: u8 = 41;

    /// Reads the octets of an object identifier: code and version of MAP's arc, with or without further arcs.
    #[inline]
    pub const fn parse(oid: &[u8]) -> Option<Self> {
        match *oid {
            [4, 0, 0, 1, 0, code @ 0..0x80, version @ 0..0x80, ..] => Some(Self { code, version }),
            _ => None,
        }
    }

    /// The context in the contents of a dialogue portion that opens or answers nearly every dialogue of MAP, octet for octet: a request
    /// of version 1 and nothing else, or a response that accepts it. Any other is [`Dialogue::parse`]'s.
    #[inline(always)]
    pub(crate) fn usual(portion: &[u8]) -> Option<Self> {
        const REQUEST: [u8; 28] =
            [0x28, 28, 6, 7, 0, 0x11, 0x86, 5, 1, 1, 1, 0xa0, 17, 0x60, 15, 0x80, 2, 7, 0x80, 0xa1, 9, 6, 7, 4, 0, 0, 1, 0];
        match portion.split_first_chunk() {
            Some((head, &[code @ 0..0x80, version @ 0..0x80])) if *head == REQUEST => Some(Self { code, version }),
            _ => Self::usual_response(portion),
        }
    }

    #[inline(never)]
    fn usual_response(portion: &[u8]) -> Option<Self> {
        const RESPONSE: [u8; 28] =
            [0x28, 40, 6, 7, 0, 0x11, 0x86, 5, 1, 1, 1, 0xa0, 29, 0x61, 27, 0x80, 2, 7, 0x80, 0xa1, 9, 6, 7, 4, 0, 0, 1, 0];
        const ACCEPTED: [u8; 12] = [0xa2, 3, 2, 1, 0, 0xa3, 5, 0xa1, 3, 2, 1, 0];
        match portion.split_first_chunk() {
            Some((head, &[code @ 0..0x80, version @ 0..0x80, ref tail @ ..])) if *head == RESPONSE && *tail == ACCEPTED => {
                Some(Self { code, version })
            }
            _ => None,
        }
    }

    /// The octets of its object identifier.
    pub const fn octets(self) -> [u8; 7] {
        let [a, b, c, d, e] = CONTEXT_ARC;
        [a, b, c, d, e, self.code, self.version]
    }

    /// The specification's name, without the version.
    pub const fn name(self) -> &'static str {
        match self.code {
            1 => "networkLocUp",
            2 => "locationCancellation",
            3 => "roamingNumberEnquiry",
            5 => "locationInfoRetrieval",
            10 => "reset",
            13 => "infoRetrieval",
            14 => "interVlrInfoRetrieval",
            16 => "subscriberDataMngt",
            19 => "networkUnstructuredSs",
            Self::GATEWAY => "shortMsgGateway",
            Self::MO_RELAY => "shortMsgMO-Relay",
            Self::ALERT => "shortMsgAlert",
            Self::MWD => "mwdMngt",
            Self::MT_RELAY => "shortMsgMT-Relay",
            26 => "imsiRetrieval",
            27 => "msPurging",
            28 => "subscriberInfoEnquiry",
            29 => "anyTimeEnquiry",
            32 => "gprsLocationUpdate",
            Self::VGCS_RELAY => "shortMsgMT-Relay-VGCS",
            _ => "unknown application context",
        }
    }
}

/// Which dialogue PDU it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DialoguePdu {
    /// Request (AARQ), and the unidirectional AUDT, which has the same tag.
    Request,
    /// Response (AARE).
    Response,
    /// Abort (ABRT).
    Abort,
}

/// The choice of map-DialogueAS that the user information holds, TS 29.002 §17.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MapDialogue {
    /// map-open.
    Open,
    /// map-accept.
    Accept,
    /// map-close.
    Close,
    /// map-refuse, with its reason.
    Refuse(Option<u8>),
    /// map-userAbort.
    UserAbort,
    /// map-providerAbort, with its reason.
    ProviderAbort(Option<u8>),
}

/// One dialogue portion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialogue<'a> {
    /// Request, response or abort.
    pub pdu: DialoguePdu,
    /// The octets of the application context's name.
    pub application_context_name: Option<&'a [u8]>,
    /// The same, if it is one of MAP's.
    pub application_context: Option<ApplicationContext>,
    /// AARE: 0 accepted, 1 rejected.
    pub result: Option<u8>,
    /// AARE: diagnostic of the user (2: the application context is not supported) or, if that is missing, of the provider.
    pub diagnostic: Option<u8>,
    /// ABRT: 0 by the user, 1 by the provider.
    pub abort_source: Option<u8>,
    /// Contents of the user information.
    pub user_information: Option<&'a [u8]>,
    /// What MAP says in the user information.
    pub map: Option<MapDialogue>,
    /// map-open: an AddressString, the IMSI's stand-in where the message names an LMSI. One that came in pieces is not known.
    pub destination_reference: Option<&'a [u8]>,
    /// map-open: an AddressString.
    pub origination_reference: Option<&'a [u8]>,
    /// What is not as a strict encoder would have written it.
    pub(crate) marks: Marks,
}

/// The first element inside that has this tag.
#[inline]
fn find<'a>(content: &'a [u8], class: Class, number: u32) -> Option<Tlv<'a>> {
    Reader::new(content, Layer::Tcap).map_while(Result::ok).find(|element| element.is(class, number))
}

impl<'a> Dialogue<'a> {
    const fn none(pdu: DialoguePdu) -> Self {
        Self {
            pdu,
            application_context_name: None,
            application_context: None,
            result: None,
            diagnostic: None,
            abort_source: None,
            user_information: None,
            map: None,
            destination_reference: None,
            origination_reference: None,
            marks: Marks::none(),
        }
    }

    /// Reads the contents of a dialogue portion; `None` if there is no dialogue PDU in it.
    pub(crate) fn parse(portion: &'a [u8]) -> Option<Self> {
        let external = find(portion, Class::Universal, universal::EXTERNAL)?;
        let pdu = find(external.content, Class::Context, 0)?.children(Layer::Tcap).next()?.ok()?;
        let mut dialogue = Self::none(match (pdu.class, pdu.number) {
            (Class::Application, 0) => DialoguePdu::Request,
            (Class::Application, 1) => DialoguePdu::Response,
            (Class::Application, 4) => DialoguePdu::Abort,
            _ => return None,
        });
        dialogue.marks.merge(Marks::of(&external));
        dialogue.marks.merge(Marks::of(&pdu));
        let abort = dialogue.pdu == DialoguePdu::Abort;
        for field in pdu.children(Layer::Tcap).map_while(Result::ok) {
            if field.class != Class::Context {
                continue;
            }
            match field.number {
                0 if abort => dialogue.abort_source = field.octet(),
                1 if !abort => dialogue.context(&field),
                2 => dialogue.result = first(&field).and_then(|value| value.octet()),
                3 => dialogue.diagnostic = first(&field).and_then(|source| first(&source)).and_then(|value| value.octet()),
                30 => dialogue.user_information(&field),
                _ => {}
            }
        }
        Some(dialogue)
    }

    #[inline]
    fn context(&mut self, field: &Tlv<'a>) {
        let Some(oid) = first(field).filter(|oid| oid.is(Class::Universal, universal::OBJECT_IDENTIFIER)) else { return };
        self.marks.merge(Marks::of(field));
        self.marks.merge(Marks::of(&oid));
        self.application_context_name = Some(oid.content);
        self.application_context = ApplicationContext::parse(oid.content);
        self.marks.set_if(Mark::LongContext, oid.content.len() > 7 && self.application_context.is_some());
    }

    fn user_information(&mut self, field: &Tlv<'a>) {
        self.user_information = Some(field.content);
        let Some(external) = find(field.content, Class::Universal, universal::EXTERNAL) else { return };
        let named = |oid: Tlv<'_>| oid.content == MAP_DIALOGUE;
        if !find(external.content, Class::Universal, universal::OBJECT_IDENTIFIER).is_some_and(named) {
            return;
        }
        let pdu = find(external.content, Class::Context, 0).and_then(|single| first(&single));
        let Some(pdu) = pdu.filter(|pdu| pdu.class == Class::Context) else { return };
        let reason = |class, number| find(pdu.content, class, number).and_then(|reason| reason.octet());
        self.map = match pdu.number {
            0 => {
                let reference = |number| find(pdu.content, Class::Context, number).and_then(|found| ber::in_one_piece(&found));
                (self.destination_reference, self.origination_reference) = (reference(0), reference(1));
                Some(MapDialogue::Open)
            }
            1 => Some(MapDialogue::Accept),
            2 => Some(MapDialogue::Close),
            3 => Some(MapDialogue::Refuse(reason(Class::Universal, universal::ENUMERATED))),
            4 => Some(MapDialogue::UserAbort),
            5 => Some(MapDialogue::ProviderAbort(reason(Class::Universal, universal::ENUMERATED))),
            _ => None,
        };
    }
}

#[inline]
fn first<'a>(element: &Tlv<'a>) -> Option<Tlv<'a>> {
    element.children(Layer::Tcap).next()?.ok()
}
