//! M3UA Payload Data (DATA), RFC 4666 §3.3.1: a routing label and the user part behind it.
//!
//! ```text
//! version | reserved | class=1 | type=1 | message length        §3.1: length counts these 8 octets
//! tag | length | value | padding to 4 octets                    §3.2: length leaves padding out
//! Protocol Data 0210: OPC 4 | DPC 4 | SI 1 | NI 1 | MP 1 | SLS 1 | user part
//! ```
//!
//! [`Data`] borrows the frame and is checked once: after `parse` no access fails or panics.

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
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::of(&Message::parse(Layer::M3ua, bytes)?)
    }

    /// Reads a message of [`messages`].
    pub fn of(message: &Message<'a>) -> Result<Self, Error> {
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
