//! M3UA Payload Data (DATA), RFC 4666 §3.3.1: a routing label and the user part behind it.
//!
//! ```text
//! version | reserved | class=1 | type=1 | message length        §3.1: length counts these 8 octets
//! tag | length | value | padding to 4 octets                    §3.2: length leaves padding out
//! Protocol Data 0210: OPC 4 | DPC 4 | SI 1 | NI 1 | MP 1 | SLS 1 | user part
//! ```
//!
//! [`Data`] borrows the frame and is checked once: after `parse` no access fails or panics.
//!
//! ```
//! use protocols::m3ua;
//!
//! let message = [
//!     1, 0, 1, 1, 0, 0, 0, 28, // DATA
//!     2, 0x10, 0, 20, 0, 0, 0x12, 0x71, 0, 0, 0x08, 0x09, 3, 2, 0, 3, 9, 0, 3, 5, // Protocol Data
//! ];
//! let data = m3ua::Data::parse(&message)?;
//! assert_eq!((data.opc, data.dpc, data.si, data.user_data), (4721, 2057, 3, &[9, 0, 3, 5][..]));
//! assert_eq!(m3ua::Data::parse(&[1, 0, 3, 3, 0, 0, 0, 8]).unwrap_err().to_string(), "M3UA byte 2: not read: M3UA BEAT");
//! # Ok::<_, protocols::Error>(())
//! ```

use crate::error::{Error, Layer, Why};
use crate::xua::{self, CORRELATION_ID, Message, Messages, ROUTING_CONTEXT};

const NETWORK_APPEARANCE: u16 = 0x0200;
const PROTOCOL_DATA: u16 = 0x0210;

/// Octets of the Protocol Data value in front of the user part.
pub const LABEL_LEN: usize = 12;

/// DATA with its mandatory Protocol Data parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// Originating point code, right-aligned: 14 bits (ITU) or 24 bits (ANSI, China).
    pub opc: u32,
    /// Destination point code, as `opc`.
    pub dpc: u32,
    /// Service indicator: 3 is SCCP.
    pub si: u8,
    /// Network indicator.
    pub ni: u8,
    /// Message priority.
    pub mp: u8,
    /// Signalling link selection.
    pub sls: u8,
    /// Network Appearance.
    pub network_appearance: Option<u32>,
    /// The first Routing Context.
    pub routing_context: Option<u32>,
    /// Correlation Id.
    pub correlation_id: Option<u32>,
    /// The user part, without padding.
    pub user_data: &'a [u8],
    /// The whole message, as its length counts it. Empty in a `Data` made for [`Data::push`].
    pub message: &'a [u8],
}

/// Every message in one SCTP user message: a second one is against the specification, and seen.
pub const fn messages(bytes: &[u8]) -> Messages<'_> {
    Messages::new(Layer::M3ua, bytes)
}

impl<'a> Data<'a> {
    /// Reads the message that `bytes` start with. Any other class and type is [`Why::NotOurs`]: passed unread, counted by its name.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::of(&Message::parse(Layer::M3ua, bytes)?)
    }

    /// Reads a message of [`messages`].
    #[inline(always)]
    pub fn of(message: &Message<'a>) -> Result<Self, Error> {
        match Self::usual(message) {
            Some(data) => Ok(data),
            None => Self::exact(message),
        }
    }

    /// DATA with its parameters in the order of §3.3.1, Protocol Data the last one. Any other is [`Data::exact`]'s.
    #[inline(always)]
    pub(crate) fn usual(message: &Message<'a>) -> Option<Self> {
        if (message.class, message.kind) != (1, 1) {
            return None;
        }
        let (mut rest, mut numbers) = (message.body(), [None; 2]);
        for (tag, number) in [NETWORK_APPEARANCE, ROUTING_CONTEXT].into_iter().zip(&mut numbers) {
            if let Some((&[t0, t1, 0, 8, n0, n1, n2, n3], behind)) = rest.split_first_chunk()
                && u16::from_be_bytes([t0, t1]) == tag
            {
                (*number, rest) = (Some(u32::from_be_bytes([n0, n1, n2, n3])), behind);
            }
        }
        let [network_appearance, routing_context] = numbers;
        let &[t0, t1, l0, l1, ..] = rest else { return None };
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        // With its padding or without; what else stands behind is another parameter.
        if u16::from_be_bytes([t0, t1]) != PROTOCOL_DATA || rest.len() > len.next_multiple_of(4) {
            return None;
        }
        let data = Self::label(rest.get(xua::PARAMETER_HEADER_LEN..len)?)?;
        Some(Self { network_appearance, routing_context, message: message.bytes, ..data })
    }

    #[inline(never)]
    pub(crate) fn exact(message: &Message<'a>) -> Result<Self, Error> {
        if (message.class, message.kind) != (1, 1) {
            return Err(message.error(2, Why::NotOurs(name(message.class, message.kind))));
        }
        let mut data = None;
        let (mut network_appearance, mut routing_context, mut correlation_id) = (None, None, None);
        // Parameters may come in any order (§3.2); of a repeated one the first counts.
        for parameter in message.parameters() {
            let parameter = match parameter {
                Ok(parameter) => parameter,
                // What stands behind the user part takes nothing away from it.
                Err(_) if data.is_some() => break,
                Err(error) => return Err(error),
            };
            match parameter.tag {
                PROTOCOL_DATA if data.is_none() => {
                    let label = Self::label(parameter.value);
                    data = Some(
                        label.ok_or_else(|| message.error(parameter.at + 4, Why::truncated(LABEL_LEN, parameter.value.len())))?,
                    );
                }
                NETWORK_APPEARANCE => network_appearance = network_appearance.or_else(|| parameter.number()),
                ROUTING_CONTEXT => routing_context = routing_context.or_else(|| parameter.number()),
                CORRELATION_ID => correlation_id = correlation_id.or_else(|| parameter.number()),
                _ => {}
            }
        }
        let data = data.ok_or_else(|| message.error(message.bytes.len(), Why::Missing("Protocol Data")))?;
        Ok(Self { network_appearance, routing_context, correlation_id, message: message.bytes, ..data })
    }

    /// Whether so much stands behind the user part that it may be another one.
    #[inline(always)]
    pub fn may_go_on(&self) -> bool {
        let (message, user_data) = (self.message.as_ptr_range(), self.user_data.as_ptr_range());
        (message.end as usize).wrapping_sub(user_data.end as usize) >= LABEL_LEN
    }

    /// What the Protocol Data parameters say that stand behind a message's first one. It has one (§3.3.1): what receivers
    /// make of another one, they do not agree on.
    pub fn further(message: &Message<'a>) -> impl Iterator<Item = Self> + use<'a> {
        let whole = message.bytes;
        message
            .parameters()
            .map_while(Result::ok)
            .filter(|parameter| parameter.tag == PROTOCOL_DATA)
            .skip(1)
            .filter_map(move |parameter| Some(Self { message: whole, ..Self::label(parameter.value)? }))
    }

    #[inline(always)]
    fn label(value: &'a [u8]) -> Option<Self> {
        let (&[o0, o1, o2, o3, d0, d1, d2, d3, si, ni, mp, sls], user_data) = value.split_first_chunk()?;
        Some(Self {
            opc: u32::from_be_bytes([o0, o1, o2, o3]),
            dpc: u32::from_be_bytes([d0, d1, d2, d3]),
            si,
            ni,
            mp,
            sls,
            network_appearance: None,
            routing_context: None,
            correlation_id: None,
            user_data,
            message: &[],
        })
    }

    /// Appends the message. The user part is at most 65 519 octets.
    pub fn push(&self, out: &mut Vec<u8>) {
        xua::build(out, 1, 1, |out| {
            for (tag, value) in [(NETWORK_APPEARANCE, self.network_appearance), (ROUTING_CONTEXT, self.routing_context)] {
                if let Some(value) = value {
                    xua::number(out, tag, value);
                }
            }
            xua::parameter(out, PROTOCOL_DATA, |out| {
                out.extend_from_slice(&self.opc.to_be_bytes());
                out.extend_from_slice(&self.dpc.to_be_bytes());
                out.extend_from_slice(&[self.si, self.ni, self.mp, self.sls]);
                out.extend_from_slice(self.user_data);
            });
            if let Some(value) = self.correlation_id {
                xua::number(out, CORRELATION_ID, value);
            }
        });
    }
}

/// Appends a message other than DATA: parameters as tag and value.
pub fn push_management(out: &mut Vec<u8>, class: u8, kind: u8, parameters: &[(u16, &[u8])]) {
    xua::build(out, class, kind, |out| {
        for (tag, value) in parameters {
            xua::parameter(out, *tag, |out| out.extend_from_slice(value));
        }
    });
}

/// What §3.1.2 calls a message of this class and type.
pub const fn name(class: u8, kind: u8) -> &'static str {
    match (class, kind) {
        (0, 0) => "M3UA ERR",
        (0, 1) => "M3UA NTFY",
        (1, 1) => "M3UA DATA",
        (2, 1) => "M3UA DUNA",
        (2, 2) => "M3UA DAVA",
        (2, 3) => "M3UA DAUD",
        (2, 4) => "M3UA SCON",
        (2, 5) => "M3UA DUPU",
        (2, 6) => "M3UA DRST",
        (3, 1) => "M3UA ASPUP",
        (3, 2) => "M3UA ASPDN",
        (3, 3) => "M3UA BEAT",
        (3, 4) => "M3UA ASPUP ACK",
        (3, 5) => "M3UA ASPDN ACK",
        (3, 6) => "M3UA BEAT ACK",
        (4, 1) => "M3UA ASPAC",
        (4, 2) => "M3UA ASPIA",
        (4, 3) => "M3UA ASPAC ACK",
        (4, 4) => "M3UA ASPIA ACK",
        (9, 1) => "M3UA REG REQ",
        (9, 2) => "M3UA REG RSP",
        (9, 3) => "M3UA DEREG REQ",
        (9, 4) => "M3UA DEREG RSP",
        _ => "M3UA message of unknown class or type",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Written by hand from §3.3.1: Routing Context, Protocol Data with five octets of user part, three of padding, Correlation Id.
    const DATA: [u8; 48] = [
        1, 0, 1, 1, 0, 0, 0, 48, // common header
        0, 6, 0, 8, 0, 0, 0, 7, // Routing Context
        2, 0x10, 0, 21, 0, 0, 0x12, 0x34, 0, 0, 0x21, 0x43, 3, 2, 1, 9, b'h', b'e', b'l', b'l', b'o', 0, 0,
        0, // Protocol Data
        0, 0x13, 0, 8, 0, 0, 0, 5, // Correlation Id
    ];

    fn expected() -> Data<'static> {
        Data {
            opc: 0x1234,
            dpc: 0x2143,
            si: 3,
            ni: 2,
            mp: 1,
            sls: 9,
            network_appearance: None,
            routing_context: Some(7),
            correlation_id: Some(5),
            user_data: b"hello",
            message: &DATA,
        }
    }

    #[test]
    fn a_message_written_by_hand_reads_and_builds_alike() {
        assert_eq!(Data::parse(&DATA), Ok(expected()));
        let mut built = Vec::new();
        expected().push(&mut built);
        assert_eq!(built, DATA);
    }

    #[test]
    fn message_cut_anywhere_is_an_error_and_never_a_panic() {
        (0..DATA.len()).for_each(|end| assert!(Data::parse(&DATA[..end]).is_err(), "cut at {end}"));
    }

    #[test]
    fn parameter_length_beyond_or_below_is_named_with_its_offset() {
        for len in [0, 3, 99] {
            let mut bad = DATA;
            bad[19] = len;
            assert_eq!(Data::parse(&bad).unwrap_err().to_string(), format!("M3UA byte 18: bad length {len}"));
        }
        let mut short = DATA;
        short[19] = 15;
        assert_eq!(Data::parse(&short).unwrap_err().to_string(), "M3UA byte 20: truncated: 12 octets needed, 11 present");
    }

    #[test]
    fn protocol_data_length_off_by_one_changes_the_user_part_alone() {
        // One less, and the octet left out is read as the start of the next parameter.
        for (len, user_data, correlation_id) in [(20, &b"hell"[..], None), (22, b"hello\0", Some(5))] {
            let mut changed = DATA;
            changed[19] = len;
            let data = Data::parse(&changed).unwrap();
            assert_eq!((data.user_data, data.correlation_id), (user_data, correlation_id));
        }
    }

    #[test]
    fn parameters_come_in_any_order_and_what_is_broken_behind_the_user_part_does_not_matter() {
        let reordered = [&DATA[..8], &DATA[40..], &DATA[16..40], &DATA[8..16]].concat();
        assert_eq!(Data::parse(&reordered).unwrap(), Data { message: &reordered, ..expected() });
        let mut broken = DATA;
        broken[43] = 3;
        assert_eq!(Data::parse(&broken).unwrap(), Data { message: &broken, correlation_id: None, ..expected() });
    }

    #[test]
    fn final_padding_may_be_absent_or_not_counted() {
        // The same message without its Correlation Id: 40 octets, 37 without padding.
        let mut bytes = DATA[..40].to_vec();
        for (len, present) in [(40, 40), (37, 40), (37, 37), (38, 39)] {
            bytes[7] = len;
            let data = Data::parse(&bytes[..present]).unwrap();
            assert_eq!(data.user_data, b"hello", "length {len}, {present} present");
        }
        bytes[7] = 36;
        assert_eq!(Data::parse(&bytes).unwrap_err().why, Why::BadLength(21));
    }

    #[test]
    fn data_without_protocol_data_says_so() {
        let mut message = Vec::new();
        push_management(&mut message, 1, 1, &[(ROUTING_CONTEXT, &[0, 0, 0, 7])]);
        assert_eq!(Data::parse(&message).unwrap_err().to_string(), "M3UA byte 16: Protocol Data is missing");
    }

    #[test]
    fn management_messages_are_not_ours_by_name() {
        let mut names = std::collections::BTreeSet::new();
        for (class, kinds) in [(0, 0..=1), (2, 1..=6), (3, 1..=6), (4, 1..=4), (9, 1..=4)] {
            for kind in kinds {
                let mut message = Vec::new();
                push_management(&mut message, class, kind, &[(4, b"info")]);
                let error = Data::parse(&message).unwrap_err();
                let Why::NotOurs(name) = error.why else { panic!("{error}") };
                assert!(names.insert(name), "{name} twice");
            }
        }
        assert!(names.contains("M3UA ASPUP") && names.contains("M3UA BEAT") && names.contains("M3UA DUNA"));
        assert!(!names.contains(name(1, 9)));
    }

    #[test]
    fn two_messages_in_one_chunk_are_both_read() {
        let both = [DATA, DATA].concat();
        let read: Vec<_> = messages(&both).map(|message| Data::of(&message.unwrap()).unwrap()).collect();
        assert_eq!(read, [expected(), expected()]);
    }

    proptest! {
        #[test]
        fn what_is_built_reads_back(
            label: (u32, u32, u8, u8, u8, u8), optional: (Option<u32>, Option<u32>, Option<u32>), user_data in prop::collection::vec(any::<u8>(), 0..300)
        ) {
            let (opc, dpc, si, ni, mp, sls) = label;
            let (network_appearance, routing_context, correlation_id) = optional;
            let data = Data { opc, dpc, si, ni, mp, sls, network_appearance, routing_context, correlation_id, user_data: &user_data, message: &[] };
            let mut built = Vec::new();
            data.push(&mut built);
            prop_assert_eq!(Data::parse(&built), Ok(Data { message: &built, ..data }));
            prop_assert_eq!(built.len() % 4, 0);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(prop::sample::select(vec![0u8, 1, 2, 4, 6, 8, 12, 16, 0x10, 0x13, 255]), 0..100)) {
            let framed = [&[1, 0, 1, 1, 0, 0, 0, u8::try_from(bytes.len() + 8).unwrap()], &bytes[..]].concat();
            for input in [&bytes, &framed] {
                if let Ok(data) = Data::parse(input) {
                    prop_assert!(crate::span::within(input, data.user_data).is_some());
                }
                prop_assert!(messages(input).count() <= input.len());
            }
        }
    }
}
