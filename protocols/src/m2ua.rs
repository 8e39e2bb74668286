//! M2UA Data, RFC 3331 §3.3.1.1: an MTP3 message between a signalling gateway and its media gateway controller.
//!
//! ```text
//! version | spare | class=6 | type=1 | message length 4
//! Interface Identifier 0001 (number) or 0003 (text); Protocol Data 0300: SIO 1 | SIF; Correlation Id 0013
//! ```

use crate::error::{Error, Layer, Why};
use crate::xua::{self, CORRELATION_ID, Message, Messages};

const INTERFACE_IDENTIFIER: u16 = 0x0001;
const PROTOCOL_DATA: u16 = 0x0300;
const PROTOCOL_DATA_TTC: u16 = 0x0301;

/// Data with its Protocol Data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// Interface Identifier, if it is a number.
    pub interface: Option<u32>,
    /// Correlation Id.
    pub correlation_id: Option<u32>,
    /// The MTP3 message: SIO, routing label, user data ([`crate::mtp3::Msu::parse`]).
    pub msu: &'a [u8],
    /// The whole message, as its length counts it. Empty in a `Data` made for [`Data::push`].
    pub message: &'a [u8],
}

/// Every message in one SCTP user message.
pub const fn messages(bytes: &[u8]) -> Messages<'_> {
    Messages::new(Layer::M2ua, bytes)
}

impl<'a> Data<'a> {
    /// Reads the message that `bytes` start with. Any other class and type is [`Why::NotOurs`] with its name.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::of(&Message::parse(Layer::M2ua, bytes)?)
    }

    /// Reads a message of [`messages`].
    pub fn of(message: &Message<'a>) -> Result<Self, Error> {
        if (message.class, message.kind) != (6, 1) {
            return Err(message.error(2, Why::NotOurs(name(message.class, message.kind))));
        }
        let (mut interface, mut correlation_id, mut msu) = (None, None, None);
        for parameter in message.parameters() {
            let parameter = match parameter {
                Ok(parameter) => parameter,
                // What stands behind the user part takes nothing away from it.
                Err(_) if msu.is_some() => break,
                Err(error) => return Err(error),
            };
            match parameter.tag {
                PROTOCOL_DATA => msu = msu.or(Some(parameter.value)),
                PROTOCOL_DATA_TTC => return Err(message.error(parameter.at, Why::NotOurs("M2UA Protocol Data of TTC"))),
                INTERFACE_IDENTIFIER => interface = interface.or_else(|| parameter.number()),
                CORRELATION_ID => correlation_id = correlation_id.or_else(|| parameter.number()),
                _ => {}
            }
        }
        let msu = msu.ok_or_else(|| message.error(message.bytes.len(), Why::Missing("Protocol Data")))?;
        Ok(Self { interface, correlation_id, msu, message: message.bytes })
    }

    /// Appends the message.
    pub fn push(&self, out: &mut Vec<u8>) {
        xua::build(out, 6, 1, |out| {
            if let Some(interface) = self.interface {
                xua::number(out, INTERFACE_IDENTIFIER, interface);
            }
            xua::parameter(out, PROTOCOL_DATA, |out| out.extend_from_slice(self.msu));
            if let Some(value) = self.correlation_id {
                xua::number(out, CORRELATION_ID, value);
            }
        });
    }
}

/// What a message of this class and type is called. Classes 0, 3 and 4 are those of M3UA.
pub const fn name(class: u8, kind: u8) -> &'static str {
    match (class, kind) {
        (0, _) => "M2UA management",
        (3, _) => "M2UA ASP state",
        (4, _) => "M2UA ASP traffic",
        (6, 1) => "M2UA Data",
        (6, 15) => "M2UA Data Acknowledge",
        (6, _) => "M2UA link message",
        (10, _) => "M2UA interface identifier management",
        _ => "M2UA message of unknown class or type",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Written by hand from §3.3.1.1: interface 1, an MTP3 message of seven octets, one of padding.
    const DATA: [u8; 28] = [1, 0, 6, 1, 0, 0, 0, 28, 0, 1, 0, 8, 0, 0, 0, 1, 3, 0, 0, 11, 0x83, 1, 2, 3, 4, 9, 9, 0];

    #[test]
    fn a_message_written_by_hand_reads_and_builds_alike() {
        let data = Data::parse(&DATA).unwrap();
        assert_eq!((data.interface, data.correlation_id, data.msu), (Some(1), None, &DATA[20..27]));
        let mut built = Vec::new();
        data.push(&mut built);
        assert_eq!(built, DATA);
    }

    #[test]
    fn message_cut_anywhere_is_an_error_and_never_a_panic() {
        (0..DATA.len()).for_each(|end| assert!(Data::parse(&DATA[..end]).is_err(), "cut at {end}"));
    }

    #[test]
    fn other_messages_and_data_of_ttc_are_not_ours_by_name() {
        for (class, kind, expected) in [
            (6, 15, "M2UA Data Acknowledge"),
            (6, 2, "M2UA link message"),
            (3, 1, "M2UA ASP state"),
            (4, 1, "M2UA ASP traffic"),
            (0, 1, "M2UA management"),
            (10, 1, "M2UA interface identifier management"),
            (99, 1, "M2UA message of unknown class or type"),
        ] {
            let mut message = DATA;
            (message[2], message[3]) = (class, kind);
            assert_eq!(Data::parse(&message).unwrap_err().why, Why::NotOurs(expected));
        }
        let mut ttc = DATA;
        ttc[17] = 1;
        assert_eq!(Data::parse(&ttc).unwrap_err(), Error::new(Layer::M2ua, 16, Why::NotOurs("M2UA Protocol Data of TTC")));
        ttc[17] = 9;
        assert_eq!(Data::parse(&ttc).unwrap_err(), Error::new(Layer::M2ua, 28, Why::Missing("Protocol Data")));
    }

    #[test]
    fn lengths_off_by_one_cut_the_message_or_are_errors() {
        let parse = |at: usize, value: u8| {
            let mut changed = DATA;
            changed[at] = value;
            Data::parse(&changed).map(|data| data.msu.len()).map_err(|error| (error.at, error.why))
        };
        assert_eq!(parse(19, 10), Ok(6));
        assert_eq!(parse(19, 12), Ok(8));
        assert_eq!(parse(19, 13), Err((18, Why::BadLength(13))));
        assert_eq!(parse(7, 27), Ok(7));
        assert_eq!(parse(7, 26), Err((18, Why::BadLength(11))));
        assert_eq!(parse(7, 29), Err((4, Why::truncated(29, 28))));
    }

    proptest! {
        #[test]
        fn what_is_built_reads_back(interface: Option<u32>, correlation_id: Option<u32>, msu in prop::collection::vec(any::<u8>(), 0..300)) {
            let data = Data { interface, correlation_id, msu: &msu, message: &[] };
            let mut built = Vec::new();
            data.push(&mut built);
            prop_assert_eq!(Data::parse(&built), Ok(Data { message: &built, ..data }));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(prop::sample::select(vec![0u8, 1, 3, 4, 8, 12, 0x13, 255]), 0..60)) {
            let _ = Data::parse(&bytes);
            let _ = Data::parse(&[&[1, 0, 6, 1, 0, 0, 0, u8::try_from(bytes.len() + 8).unwrap()], &bytes[..]].concat());
        }
    }
}
