//! SUA Connectionless Data Transfer (CLDT) of RFC 3868: what SCCP carries, with addresses as parameters.
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

/// Which piece of which message, the Segmentation parameter of RFC 3868.
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
            // Source and Destination Address: bit 1 SSN, bit 2 point code, bit 3 global title.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Written by hand, the layout above: to SSN 8 behind a global title of five digits, from a point code with SSN 6.
    const CLDT: [u8; 92] = [
        1, 0, 7, 1, 0, 0, 0, 92, // common header
        0, 6, 0, 8, 0, 0, 0, 7, // Routing Context
        1, 0x15, 0, 8, 0, 0, 0, 0x81, // Protocol Class
        1, 2, 0, 24, 0, 2, 0, 3, 0x80, 2, 0, 8, 0, 0, 0x12, 0x34, 0x80, 3, 0, 8, 0, 0, 0, 6, // Source Address
        1, 3, 0, 24, 0, 1, 0, 4, 0x80, 1, 0, 15, 0, 0, 0, 4, 5, 1, 2, 3, 0x21, 0x43, 0x05, 0, // Destination Address
        1, 0x16, 0, 8, 0, 0, 0, 5, // Sequence Control
        1, 0x0b, 0, 9, b't', b'c', b'a', b'p', b'!', 0, 0, 0, // Data
    ];

    fn expected() -> Cldt<'static> {
        Cldt {
            source: Address { routing_indicator: 2, ssn: Some(6), pc: Some(0x1234), gt: None },
            destination: Address {
                routing_indicator: 1,
                ssn: None,
                pc: None,
                gt: Some(GlobalTitle { indicator: 4, digit_count: 5, tt: 1, np: 2, nature: 3, digits: &[0x21, 0x43, 0x05] }),
            },
            protocol_class: 0x81,
            sequence_control: 5,
            segmentation: None,
            network_appearance: None,
            routing_context: Some(7),
            data: b"tcap!",
            message: &CLDT,
        }
    }

    #[test]
    fn a_message_written_by_hand_reads_and_builds_alike() {
        assert_eq!(Cldt::parse(&CLDT), Ok(expected()));
        let mut built = Vec::new();
        expected().push(&mut built);
        assert_eq!(built, CLDT);
    }

    #[test]
    fn message_cut_anywhere_is_an_error_and_never_a_panic() {
        (0..CLDT.len()).for_each(|end| assert!(Cldt::parse(&CLDT[..end]).is_err(), "cut at {end}"));
    }

    #[test]
    fn lengths_that_lie_are_named_with_their_offset() {
        for (at, value, offset, why) in [
            (7, 7, 4, Why::BadLength(7)),
            (7, 93, 4, Why::truncated(93, 92)),
            (11, 3, 10, Why::BadLength(3)),
            (27, 7, 28, Why::truncated(4, 3)),
            (35, 99, 34, Why::BadLength(99)),
            (59, 11, 60, Why::truncated(8, 7)),
            (59, 17, 58, Why::BadLength(17)),
            (83, 13, 82, Why::BadLength(13)),
        ] {
            let mut bad = CLDT;
            bad[at] = value;
            assert_eq!(Cldt::parse(&bad), Err(Error::new(Layer::Sua, offset, why)), "octet {at}");
        }
    }

    #[test]
    fn digits_end_where_their_number_says_though_the_length_counts_padding() {
        let mut padded = CLDT;
        padded[59] = 16;
        assert_eq!(Cldt::parse(&padded).unwrap(), Cldt { message: &padded, ..expected() });
    }

    #[test]
    fn pieces_say_which_they_are() {
        let segmentation = Some(Segmentation { first: true, remaining: 2, reference: 0x0a_0b0c });
        let mut built = Vec::new();
        Cldt { segmentation, ..expected() }.push(&mut built);
        assert!(built.windows(8).any(|octets| octets == [1, 0x17, 0, 8, 0x82, 0x0a, 0x0b, 0x0c]));
        assert_eq!(Cldt::parse(&built).unwrap().segmentation, segmentation);
    }

    #[test]
    fn mandatory_parameters_are_missed_by_name() {
        for (at, what) in [(25, "SUA Source Address"), (49, "SUA Destination Address"), (81, "SUA Data")] {
            let mut bad = CLDT;
            bad[at] = 0xee;
            assert_eq!(Cldt::parse(&bad), Err(Error::new(Layer::Sua, 92, Why::Missing(what))));
        }
    }

    #[test]
    fn other_messages_are_not_ours_by_name() {
        for (class, kind, expected) in [
            (7, 2, "SUA CLDR"),
            (8, 1, "SUA connection-oriented message"),
            (3, 1, "SUA ASP state"),
            (4, 1, "SUA ASP traffic"),
            (2, 1, "SUA signalling network management"),
            (0, 1, "SUA management"),
            (9, 1, "SUA routing key management"),
            (7, 3, "SUA message of unknown class or type"),
        ] {
            let mut message = CLDT;
            (message[2], message[3]) = (class, kind);
            assert_eq!(Cldt::parse(&message).unwrap_err().why, Why::NotOurs(expected));
        }
    }

    fn address() -> impl Strategy<Value = (Option<u8>, Option<u32>, Option<Vec<u8>>, u16)> {
        (any::<Option<u8>>(), any::<Option<u32>>(), prop::option::of(prop::collection::vec(any::<u8>(), 0..12)), any::<u16>())
    }

    proptest! {
        #[test]
        fn what_is_built_reads_back(
            source in address(), destination in address(), data in prop::collection::vec(any::<u8>(), 0..300), sequence_control: u32,
            protocol_class: u8, optional: (Option<u32>, Option<u32>, Option<(bool, u8, u32)>)
        ) {
            fn borrowed((ssn, pc, gt, routing_indicator): &(Option<u8>, Option<u32>, Option<Vec<u8>>, u16)) -> Address<'_> {
                let gt = gt.as_deref().map(|digits| GlobalTitle {
                    indicator: 4, digit_count: u8::try_from(digits.len() * 2).unwrap(), tt: 0, np: 1, nature: 4, digits,
                });
                Address { routing_indicator: *routing_indicator, ssn: *ssn, pc: *pc, gt }
            }
            let (network_appearance, routing_context, segmentation) = optional;
            let cldt = Cldt {
                source: borrowed(&source), destination: borrowed(&destination), protocol_class, sequence_control,
                segmentation: segmentation.map(|(first, remaining, reference)| {
                    Segmentation { first, remaining: remaining & 0x7f, reference: reference & 0x00ff_ffff }
                }),
                network_appearance, routing_context, data: &data, message: &[],
            };
            let mut built = Vec::new();
            cldt.push(&mut built);
            prop_assert_eq!(Cldt::parse(&built), Ok(Cldt { message: &built, ..cldt }));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(prop::sample::select(vec![0u8, 1, 2, 3, 4, 8, 11, 12, 0x17, 0x80, 255]), 0..100)) {
            let _ = Cldt::parse(&bytes);
            let _ = Cldt::parse(&[&[1, 0, 7, 1, 0, 0, 0, u8::try_from(bytes.len() + 8).unwrap()], &bytes[..]].concat());
        }
    }
}
