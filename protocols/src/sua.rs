//! SUA Connectionless Data Transfer (CLDT), RFC 3868 §3.3.1: what SCCP carries, with addresses as parameters.
//!
//! ```text
//! version | reserved | class=7 | type=1 | message length 4
//! Source Address 0102, Destination Address 0103:  routing indicator 2 | address indicator 2 | parameters
//!   Global Title 8001:  reserved 3 | GTI 1 | number of digits 1 | TT 1 | numbering plan 1 | nature 1 | digits, low half first
//!   Point Code 8002:    number 4          Subsystem Number 8003:  reserved 3 | SSN 1
//! Segmentation 0117:  first 1 bit, remaining 7 bits | reference 3
//! Data 010b:          what an SCCP user sent: here TCAP
//! ```

use crate::error::{Error, Layer, Why};
use crate::xua::{self, Message, Messages, Parameter, Parameters, ROUTING_CONTEXT};

const SOURCE_ADDRESS: u16 = 0x0102;
const DESTINATION_ADDRESS: u16 = 0x0103;
const DATA: u16 = 0x010b;
const NETWORK_APPEARANCE: u16 = 0x010d;
const PROTOCOL_CLASS: u16 = 0x0115;
const SEQUENCE_CONTROL: u16 = 0x0116;
const SEGMENTATION: u16 = 0x0117;
const GLOBAL_TITLE: u16 = 0x8001;
const POINT_CODE: u16 = 0x8002;
const SUBSYSTEM_NUMBER: u16 = 0x8003;

/// Connectionless data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cldt<'a> {
    /// Who sent it: SCCP's calling party.
    pub source: Address<'a>,
    /// To whom: SCCP's called party.
    pub destination: Address<'a>,
    /// Protocol class: 0 or 1 in the lower bits, return on error in the uppermost.
    pub protocol_class: u8,
    /// Sequence control.
    pub sequence_control: u32,
    /// Set for a piece of a message.
    pub segmentation: Option<Segmentation>,
    /// Network Appearance.
    pub network_appearance: Option<u32>,
    /// The first Routing Context.
    pub routing_context: Option<u32>,
    /// What an SCCP user sent.
    pub data: &'a [u8],
    /// The whole message, as its length counts it. Empty in a `Cldt` made for [`Cldt::push`].
    pub message: &'a [u8],
}

/// An address of SUA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Address<'a> {
    /// 1 route on global title, 2 on SSN and point code, 3 on host name, 4 on SSN and IP address.
    pub routing_indicator: u16,
    /// Subsystem number.
    pub ssn: Option<u8>,
    /// Point code.
    pub pc: Option<u32>,
    /// Global title.
    pub gt: Option<GlobalTitle<'a>>,
}

/// A global title of SUA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalTitle<'a> {
    /// Global title indicator as of SCCP.
    pub indicator: u8,
    /// Number of digits: of the last octet one or both halves count.
    pub digit_count: u8,
    /// Translation type.
    pub tt: u8,
    /// Numbering plan.
    pub np: u8,
    /// Nature of address.
    pub nature: u8,
    /// Digits, two an octet, the lower half first.
    pub digits: &'a [u8],
}

/// Which piece of which message, RFC 3868 §3.10.23.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segmentation {
    /// The first piece.
    pub first: bool,
    /// Pieces that follow.
    pub remaining: u8,
    /// What the pieces of one message share, 24 bits.
    pub reference: u32,
}

/// Every message in one SCTP user message.
pub const fn messages(bytes: &[u8]) -> Messages<'_> {
    Messages::new(Layer::Sua, bytes)
}

impl<'a> Cldt<'a> {
    /// Reads the message that `bytes` start with. Any other class and type is [`Why::NotOurs`] with its name.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::of(&Message::parse(Layer::Sua, bytes)?)
    }

    /// Reads a message of [`messages`].
    pub fn of(message: &Message<'a>) -> Result<Self, Error> {
        if (message.class, message.kind) != (7, 1) {
            return Err(message.error(2, Why::NotOurs(name(message.class, message.kind))));
        }
        let mut cldt = Self { message: message.bytes, ..Self::default() };
        let (mut source, mut destination, mut data) = (None, None, None);
        for parameter in message.parameters() {
            let parameter = match parameter {
                Ok(parameter) => parameter,
                // What stands behind the user data takes nothing away from it.
                Err(_) if data.is_some() => break,
                Err(error) => return Err(error),
            };
            match parameter.tag {
                SOURCE_ADDRESS => source = source.or(Some(Address::parse(&parameter)?)),
                DESTINATION_ADDRESS => destination = destination.or(Some(Address::parse(&parameter)?)),
                DATA => data = data.or(Some(parameter.value)),
                PROTOCOL_CLASS => cldt.protocol_class = parameter.value.get(3).copied().unwrap_or_default(),
                SEQUENCE_CONTROL => cldt.sequence_control = parameter.number().unwrap_or_default(),
                SEGMENTATION => cldt.segmentation = Some(segmentation(&parameter)?),
                NETWORK_APPEARANCE => cldt.network_appearance = cldt.network_appearance.or_else(|| parameter.number()),
                ROUTING_CONTEXT => cldt.routing_context = cldt.routing_context.or_else(|| parameter.number()),
                _ => {}
            }
        }
        let missing = |what| message.error(message.bytes.len(), Why::Missing(what));
        cldt.data = data.ok_or_else(|| missing("SUA Data"))?;
        cldt.source = source.ok_or_else(|| missing("SUA Source Address"))?;
        cldt.destination = destination.ok_or_else(|| missing("SUA Destination Address"))?;
        Ok(cldt)
    }

    /// Appends the message.
    pub fn push(&self, out: &mut Vec<u8>) {
        xua::build(out, 7, 1, |out| {
            for (tag, value) in [
                (NETWORK_APPEARANCE, self.network_appearance),
                (ROUTING_CONTEXT, self.routing_context),
                (PROTOCOL_CLASS, Some(u32::from(self.protocol_class))),
            ] {
                if let Some(value) = value {
                    xua::number(out, tag, value);
                }
            }
            self.source.push(out, SOURCE_ADDRESS);
            self.destination.push(out, DESTINATION_ADDRESS);
            xua::number(out, SEQUENCE_CONTROL, self.sequence_control);
            if let Some(Segmentation { first, remaining, reference }) = self.segmentation {
                let octet = u32::from(first) << 7 | u32::from(remaining & 0x7f);
                xua::number(out, SEGMENTATION, octet << 24 | reference & 0x00ff_ffff);
            }
            xua::parameter(out, DATA, |out| out.extend_from_slice(self.data));
        });
    }
}

fn segmentation(parameter: &Parameter<'_>) -> Result<Segmentation, Error> {
    let Some(&[octet, r0, r1, r2]) = parameter.value.first_chunk() else {
        return Err(Error::new(Layer::Sua, parameter.at + 4, Why::truncated(4, parameter.value.len())));
    };
    Ok(Segmentation { first: octet & 0x80 != 0, remaining: octet & 0x7f, reference: u32::from_be_bytes([0, r0, r1, r2]) })
}

impl<'a> Address<'a> {
    fn parse(parameter: &Parameter<'a>) -> Result<Self, Error> {
        let at = parameter.at + xua::PARAMETER_HEADER_LEN;
        let Some((&[r0, r1, _, _], parts)) = parameter.value.split_first_chunk() else {
            return Err(Error::new(Layer::Sua, at, Why::truncated(4, parameter.value.len())));
        };
        let mut address = Self { routing_indicator: u16::from_be_bytes([r0, r1]), ..Self::default() };
        for part in Parameters::new(Layer::Sua, parts, at + 4) {
            let part = part?;
            match part.tag {
                GLOBAL_TITLE => address.gt = Some(GlobalTitle::parse(&part)?),
                POINT_CODE => address.pc = part.number(),
                SUBSYSTEM_NUMBER => address.ssn = part.value.get(3).copied(),
                _ => {}
            }
        }
        Ok(address)
    }

    fn push(&self, out: &mut Vec<u8>, tag: u16) {
        xua::parameter(out, tag, |out| {
            out.extend_from_slice(&self.routing_indicator.to_be_bytes());
            // §3.10.2: bit 1 SSN, bit 2 point code, bit 3 global title.
            let indicator = u8::from(self.ssn.is_some()) | u8::from(self.pc.is_some()) << 1 | u8::from(self.gt.is_some()) << 2;
            out.extend_from_slice(&[0, indicator]);
            if let Some(gt) = self.gt {
                xua::parameter(out, GLOBAL_TITLE, |out| {
                    out.extend_from_slice(&[0, 0, 0, gt.indicator, gt.digit_count, gt.tt, gt.np, gt.nature]);
                    out.extend_from_slice(gt.digits);
                });
            }
            if let Some(pc) = self.pc {
                xua::number(out, POINT_CODE, pc);
            }
            if let Some(ssn) = self.ssn {
                xua::number(out, SUBSYSTEM_NUMBER, u32::from(ssn));
            }
        });
    }
}

impl<'a> GlobalTitle<'a> {
    fn parse(parameter: &Parameter<'a>) -> Result<Self, Error> {
        let Some((&[_, _, _, indicator, digit_count, tt, np, nature], digits)) = parameter.value.split_first_chunk() else {
            return Err(Error::new(Layer::Sua, parameter.at + 4, Why::truncated(8, parameter.value.len())));
        };
        // A length that counts the padding is seen: the number of digits says where they end.
        let octets = usize::from(digit_count).div_ceil(2);
        Ok(Self { indicator, digit_count, tt, np, nature, digits: digits.get(..octets).unwrap_or(digits) })
    }
}

/// What a message of this class and type is called.
pub const fn name(class: u8, kind: u8) -> &'static str {
    match (class, kind) {
        (0, _) => "SUA management",
        (2, _) => "SUA signalling network management",
        (3, _) => "SUA ASP state",
        (4, _) => "SUA ASP traffic",
        (7, 1) => "SUA CLDT",
        (7, 2) => "SUA CLDR",
        (8, _) => "SUA connection-oriented message",
        (9, _) => "SUA routing key management",
        _ => "SUA message of unknown class or type",
    }
}
