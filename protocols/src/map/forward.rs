//! forwardSM in all its names, and which way it goes.

use super::{AddressString, Operation, Tbcd};
use crate::ber::{self, Class, Reader, Tlv, universal};
use crate::error::{Error, Layer, Why};
use crate::tcap::{ApplicationContext, Invoke, Mark, Marks, Opcode};

/// sm-RP-DA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination<'a> {
    /// The subscriber.
    Imsi(Tbcd<'a>),
    /// The subscriber's local number in the visited VLR; map-open may name the IMSI.
    Lmsi(&'a [u8]),
    /// Version 1 only.
    RoamingNumber(AddressString<'a>),
    /// The service centre: a message from a phone.
    ServiceCentre(AddressString<'a>),
    /// noSM-RP-DA, or nothing at all.
    None,
}

/// sm-RP-OA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origination<'a> {
    /// The subscriber: a message from a phone.
    Msisdn(AddressString<'a>),
    /// The service centre.
    ServiceCentre(AddressString<'a>),
    /// noSM-RP-OA, or nothing at all.
    None,
}

/// A short message on its way, of any version and either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForwardSm<'a> {
    /// What the opcode says; `None` where the argument has a forwardSM's shape under another code: see [`ForwardSm::shaped`].
    pub operation: Option<Operation>,
    /// sm-RP-DA.
    pub destination: Destination<'a>,
    /// sm-RP-OA.
    pub origination: Origination<'a>,
    /// The short message TPDU.
    pub sm_rp_ui: &'a [u8],
    /// It came in pieces and lies in the scratch, not in the frame: it can only be changed piece by piece.
    pub joined: bool,
    /// The element that holds it.
    pub sm_rp_ui_element: Tlv<'a>,
    /// The service centre has more for this subscriber.
    pub more_messages: bool,
    /// The sender's IMSI, which version 3 may put behind an MO.
    pub imsi: Option<Tbcd<'a>>,
    /// A group call's message, read by position as mt-forwardSM-VGCS.
    pub vgcs: bool,
    /// What is not as a strict encoder would have written it, of argument and invoke.
    pub marks: Marks,
}

/// The argument, field by field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    pub(crate) destination: Destination<'a>,
    pub(crate) origination: Origination<'a>,
    pub(crate) sm_rp_ui: Tlv<'a>,
    pub(crate) behind: Reader<'a>,
    pub(crate) marks: Marks,
}

impl<'a> Fields<'a> {
    /// An argument as nearly every sender writes it: a destination, an origination and sm-RP-UI, each in one piece and with the
    /// shortest lengths. Any other is [`Fields::read`]'s.
    #[inline(always)]
    pub(crate) fn usual(argument: &Tlv<'a>) -> Option<Self> {
        let (to, octets, rest) = ber::usual(argument.content)?;
        let destination = match to {
            0x80 => Destination::Imsi(Tbcd(octets)),
            0x84 => Destination::ServiceCentre(AddressString(octets)),
            _ => return None,
        };
        let (from, octets, rest) = ber::usual(rest)?;
        let origination = match from {
            0x82 => Origination::Msisdn(AddressString(octets)),
            0x84 => Origination::ServiceCentre(AddressString(octets)),
            _ => return None,
        };
        let mut behind = Reader::new(rest, Layer::Map);
        let sm_rp_ui = if rest.first() == Some(&4) { behind.next()?.ok()? } else { return None };
        Some(Self { destination, origination, sm_rp_ui, behind, marks: Marks::none() })
    }

    /// sm-RP-UI is the first octet string behind the addresses; in VGCS asciCallReference is an octet string in the destination's place.
    #[inline(never)]
    pub(crate) fn read(argument: &Tlv<'a>, vgcs: bool, scratch: &mut &'a mut [u8]) -> Result<Self, Error> {
        let header = argument.header_len();
        let fail = |at: usize, why| Error::new(Layer::Map, header + at, why);
        if !argument.is(Class::Universal, universal::SEQUENCE) || !argument.constructed {
            return Err(Error::new(Layer::Map, 0, Why::Malformed("argument is not a sequence")));
        }
        let mut reader = argument.children(Layer::Map);
        let (mut to, mut from, mut marks) = (Destination::None, Origination::None, Marks::none());
        // In a group call asciCallReference is in the destination's place.
        let (mut group_call, mut has_to, mut has_from) = (vgcs, vgcs, false);
        while let Some(field) = reader.next() {
            let field = field.map_err(|error| error.moved(header))?;
            match (field.class, field.number) {
                (Class::Universal, universal::OCTET_STRING) if group_call => group_call = false,
                (Class::Universal, universal::OCTET_STRING) => {
                    marks.set_if(Mark::NoAddress, !has_to || !has_from);
                    return Ok(Self { destination: to, origination: from, sm_rp_ui: field, behind: reader, marks });
                }
                (Class::Context, 0 | 1 | 3..=5) if !has_to && !has_from => {
                    (to, has_to) = (destination(field.number, number(&field, scratch, &mut marks)), true);
                }
                (Class::Context, 2 | 4 | 5) if !has_from => {
                    (from, has_from) = (origination(field.number, number(&field, scratch, &mut marks)), true);
                }
                _ => marks.set(Mark::Unknown),
            }
        }
        Err(fail(argument.content.len(), Why::Missing("sm-RP-UI")))
    }
}

/// Octets of the longest number: maxAddressLength, TS 29.002 §17.7.8.
const NUMBER: usize = 20;

/// The octets of a number. The pieces of a constructed one are joined at the front of `scratch`, which is what is left behind them;
/// of pieces that make none nothing is taken, and the mark says so.
#[inline]
fn number<'a>(field: &Tlv<'a>, scratch: &mut &'a mut [u8], marks: &mut Marks) -> &'a [u8] {
    if field.constructed { in_pieces(field, scratch, marks) } else { field.content }
}

#[inline(never)]
fn in_pieces<'a>(field: &Tlv<'a>, scratch: &mut &'a mut [u8], marks: &mut Marks) -> &'a [u8] {
    let room = scratch.len().min(NUMBER);
    let joined = ber::joined(field, scratch.get_mut(..room).unwrap_or_default(), Layer::Map);
    marks.set_if(Mark::BrokenAddress, joined.is_err() && field.number != NOBODY);
    take(scratch, joined.unwrap_or(0))
}

/// So many octets off the front of `scratch`.
fn take<'a>(scratch: &mut &'a mut [u8], octets: usize) -> &'a [u8] {
    let (taken, left) = core::mem::take(scratch).split_at_mut_checked(octets).unwrap_or_default();
    *scratch = left;
    taken
}

impl<'a> ForwardSm<'a> {
    /// Reads the short message out of an invoke of operation 44, 46 or 21, or of one whose argument has that shape.
    ///
    /// `scratch` takes what came in pieces, sm-RP-UI and the numbers; 320 octets hold any that is legal. Another operation is
    /// [`Why::NotOurs`] by name, and so is another application's that shares the opcode (`context` says which it is).
    #[inline(always)]
    pub fn parse(invoke: &Invoke<'a>, context: Option<ApplicationContext>, mut scratch: &'a mut [u8]) -> Result<Self, Error> {
        let operation = match invoke.opcode {
            Opcode::Local(code @ (21 | 44 | 46)) => Operation::from_code(code),
            _ => None,
        };
        let Some(argument) = invoke.argument else {
            return Err(operation.map_or_else(|| other(invoke.opcode), |_| Error::new(Layer::Map, 0, Why::Missing("argument"))));
        };
        let vgcs = operation == Some(Operation::MtForwardSmVgcs) && !Self::shaped(&argument);
        if operation.is_none() && !Self::shaped(&argument) {
            return Err(other(invoke.opcode));
        }
        let usual = if argument.is(Class::Universal, universal::SEQUENCE) && argument.constructed && !vgcs {
            Fields::usual(&argument)
        } else {
            None
        };
        let fields = match usual.map_or_else(|| Fields::read(&argument, vgcs, &mut scratch), Ok) {
            Ok(fields) => fields,
            Err(_) if context.is_some_and(foreign) => {
                return Err(Error::new(Layer::Map, 0, Why::NotOurs("operation of another application")));
            }
            Err(error) => return Err(error),
        };
        let Fields { sm_rp_ui: element, behind, mut marks, .. } = fields;
        marks.merge(invoke.marks);
        marks.set_if(Mark::Constructed, element.constructed);
        marks.set_if(Mark::OddOperation, operation.is_none());
        let sm_rp_ui = if element.constructed {
            let filled = ber::joined(&element, scratch, Layer::Map)?;
            take(&mut scratch, filled)
        } else {
            element.content
        };
        let mut forward = Self {
            operation,
            destination: fields.destination,
            origination: fields.origination,
            sm_rp_ui,
            joined: element.constructed,
            sm_rp_ui_element: element,
            more_messages: false,
            imsi: None,
            vgcs,
            marks,
        };
        forward.behind(behind, &mut scratch);
        Ok(forward)
    }

    /// What may follow sm-RP-UI. Nothing there is needed to judge the text, so nothing there is an error.
    #[inline(always)]
    fn behind(&mut self, mut fields: Reader<'a>, scratch: &mut &'a mut [u8]) {
        for field in fields.by_ref() {
            let Ok(field) = field else {
                self.marks.set(Mark::BrokenTail);
                break;
            };
            match (field.class, field.number) {
                (Class::Universal, universal::NULL) => self.more_messages = true,
                // In an MT the octet string is smDeliveryStartTime.
                (Class::Universal, universal::OCTET_STRING)
                    if self.imsi.is_none() && self.operation == Some(Operation::ForwardSm) =>
                {
                    self.imsi = Some(Tbcd(number(&field, scratch, &mut self.marks)));
                }
                _ => {}
            }
        }
        // The walk that began with the addresses.
        self.marks.merge(Marks::seen(fields.seen()));
    }

    /// Whether an argument looks like a forwardSM whatever its operation says: destination, origination and an octet string in front.
    ///
    /// Opcode 46 carried as another number, or by a global code, still reaches a phone where a box on the way is lenient.
    #[inline]
    pub fn shaped(argument: &Tlv<'_>) -> bool {
        if !argument.is(Class::Universal, universal::SEQUENCE) || !argument.constructed {
            return false;
        }
        let mut reader = argument.children(Layer::Map);
        let mut next = || reader.next().and_then(Result::ok);
        let number = |field: &Tlv<'_>| {
            field.content.len() <= NUMBER || field.constructed && ber::joined(field, &mut [0; NUMBER], Layer::Map).is_ok()
        };
        let context = |field: &Tlv<'_>| field.class == Class::Context && number(field);
        next().is_some_and(|field| context(&field) && matches!(field.number, 0 | 1 | 3..=5))
            && next().is_some_and(|field| context(&field) && matches!(field.number, 2 | 4 | 5))
            && next().is_some_and(|field| field.is(Class::Universal, universal::OCTET_STRING))
    }
}

fn other(opcode: Opcode<'_>) -> Error {
    let name = match opcode {
        Opcode::Local(code) => super::operation_name(code).unwrap_or("unknown operation"),
        Opcode::Global(_) => "operation with a global code",
    };
    Error::new(Layer::Map, 0, Why::NotOurs(name))
}

/// A context under which 21, 44 and 46 may be operations of CAP or INAP.
const fn foreign(context: ApplicationContext) -> bool {
    context.code >= 50
}

/// noSM-RP-DA and noSM-RP-OA.
const NOBODY: u32 = 5;

#[inline]
fn destination(choice: u32, octets: &[u8]) -> Destination<'_> {
    match choice {
        0 => Destination::Imsi(Tbcd(octets)),
        1 => Destination::Lmsi(octets),
        3 => Destination::RoamingNumber(AddressString(octets)),
        4 => Destination::ServiceCentre(AddressString(octets)),
        _ => Destination::None,
    }
}

#[inline]
fn origination(choice: u32, octets: &[u8]) -> Origination<'_> {
    match choice {
        2 => Origination::Msisdn(AddressString(octets)),
        4 => Origination::ServiceCentre(AddressString(octets)),
        _ => Origination::None,
    }
}

/// Which way a short message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To a phone.
    Mt,
    /// From a phone.
    Mo,
}

impl Direction {
    /// The lower-case abbreviation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mt => "mt",
            Self::Mo => "mo",
        }
    }
}

/// What a [`Direction`] was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Evidence {
    /// The choice of sm-RP-DA or sm-RP-OA.
    Addresses,
    /// Neither address is there; earlier messages of the dialogue said it.
    Dialogue,
    /// Neither address is there and nothing is known of the dialogue: only an MT may leave both out.
    NoAddresses,
    /// The application context.
    Context,
    /// A subsystem number.
    Subsystem,
    /// Nothing of the above; the opcode, or else the safer guess, which is MT.
    Operation,
}

impl Evidence {
    /// A label for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Addresses => "sm-RP-DA, sm-RP-OA",
            Self::Dialogue => "dialogue",
            Self::NoAddresses => "no addresses",
            Self::Context => "application context",
            Self::Subsystem => "subsystem number",
            Self::Operation => "operation code",
        }
    }
}

/// MO or MT, in the one order that is used everywhere: the addresses; where both are left out the dialogue's direction, else MT; the
/// application context (21 and 25 of versions 2 and 3: in version 1, 21 relays both ways); a subsystem number of VLR or SGSN.
#[inline]
pub fn direction(
    forward: &ForwardSm<'_>,
    dialogue: Option<Direction>,
    context: Option<ApplicationContext>,
    called_ssn: Option<u8>,
    calling_ssn: Option<u8>,
) -> (Direction, Evidence) {
    match (&forward.destination, &forward.origination) {
        (Destination::Imsi(_) | Destination::Lmsi(_), _) => return (Direction::Mt, Evidence::Addresses),
        (_, Origination::Msisdn(_)) => return (Direction::Mo, Evidence::Addresses),
        (Destination::None, Origination::None) => {
            return dialogue.map_or((Direction::Mt, Evidence::NoAddresses), |known| (known, Evidence::Dialogue));
        }
        _ => {}
    }
    match context {
        Some(ApplicationContext { code: ApplicationContext::MT_RELAY, version: 2.. }) => {
            return (Direction::Mt, Evidence::Context);
        }
        Some(ApplicationContext { code: ApplicationContext::MO_RELAY, version: 2.. }) => {
            return (Direction::Mo, Evidence::Context);
        }
        Some(ApplicationContext { code: ApplicationContext::VGCS_RELAY, .. }) => return (Direction::Mt, Evidence::Context),
        _ => {}
    }
    match (called_ssn, calling_ssn) {
        (Some(VLR | SGSN), _) => return (Direction::Mt, Evidence::Subsystem),
        (_, Some(VLR | SGSN)) => return (Direction::Mo, Evidence::Subsystem),
        _ => {}
    }
    match (forward.operation, &forward.destination) {
        (Some(Operation::ForwardSm) | None, Destination::ServiceCentre(_)) => (Direction::Mo, Evidence::Operation),
        _ => (Direction::Mt, Evidence::Operation),
    }
}

const VLR: u8 = 7;
const SGSN: u8 = 149;

/// The MAP version: the application context's, else what the operation itself tells. Version 1 has no dialogue portion, so in a
/// `begin` without one operation 46 is of version 1; in a later message without one only the dialogue's first could tell.
pub fn version(context: Option<ApplicationContext>, forward: &ForwardSm<'_>, begin: bool) -> Option<u8> {
    match (context, forward.operation) {
        (Some(context), _) => Some(context.version),
        (None, Some(Operation::MtForwardSm | Operation::MtForwardSmVgcs)) => Some(3),
        (None, Some(Operation::ForwardSm)) if forward.imsi.is_some() => Some(3),
        (None, Some(Operation::ForwardSm)) if begin => Some(1),
        _ => None,
    }
}
