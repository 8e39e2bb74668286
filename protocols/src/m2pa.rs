//! M2PA User Data of RFC 4165: an MTP3 message between two signalling points.
//!
//! ```text
//! version | spare | class=11 | type=1 | message length 4
//! unused 1 | BSN 3 | unused 1 | FSN 3
//! priority 1 | SIO 1 | SIF                                       none of these in an acknowledgement
//! ```

use crate::error::{Error, Layer, Why};
use crate::xua::{self, Message, Messages};

/// Octets in front of the MTP3 message, the common header included.
pub const MSU_AT: usize = 17;

/// User Data that carries a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data<'a> {
    /// Backward sequence number, 24 bits.
    pub bsn: u32,
    /// Forward sequence number, 24 bits.
    pub fsn: u32,
    /// The octet in front of the SIO: priority in its two upper bits.
    pub priority: u8,
    /// The MTP3 message: SIO, routing label, user data ([`crate::mtp3::Msu::parse`]).
    pub msu: &'a [u8],
    /// The whole message, as its length counts it. Empty in a `Data` made for [`Data::push`].
    pub message: &'a [u8],
}

/// Every message in one SCTP user message.
pub const fn messages(bytes: &[u8]) -> Messages<'_> {
    Messages::new(Layer::M2pa, bytes)
}

impl<'a> Data<'a> {
    /// Reads the message that `bytes` start with. Acknowledgements and Link Status are [`Why::NotOurs`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::of(&Message::parse(Layer::M2pa, bytes)?)
    }

    /// Reads a message of [`messages`].
    pub fn of(message: &Message<'a>) -> Result<Self, Error> {
        match (message.class, message.kind) {
            (11, 1) => {}
            (11, 2) => return Err(message.error(2, Why::NotOurs("M2PA Link Status"))),
            _ => return Err(message.error(2, Why::NotOurs("M2PA message of unknown class or type"))),
        }
        let Some((&[_, b0, b1, b2, _, f0, f1, f2], data)) = message.body().split_first_chunk() else {
            return Err(message.error(xua::HEADER_LEN, Why::truncated(8, message.body().len())));
        };
        let Some((&priority, msu)) = data.split_first() else {
            return Err(message.error(16, Why::NotOurs("M2PA acknowledgement")));
        };
        let (bsn, fsn) = (u32::from_be_bytes([0, b0, b1, b2]), u32::from_be_bytes([0, f0, f1, f2]));
        Ok(Self { bsn, fsn, priority, msu, message: message.bytes })
    }

    /// Appends the message. Sequence numbers are cut to 24 bits.
    pub fn push(&self, out: &mut Vec<u8>) {
        xua::build(out, 11, 1, |out| {
            for number in [self.bsn, self.fsn] {
                out.extend_from_slice(&(number & 0x00ff_ffff).to_be_bytes());
            }
            out.push(self.priority);
            out.extend_from_slice(self.msu);
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Written by hand, the layout above: BSN 1, FSN 2, priority 0, an MTP3 message of seven octets, not padded.
    const DATA: [u8; 24] = [1, 0, 11, 1, 0, 0, 0, 24, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0x83, 1, 2, 3, 4, 9, 9];

    #[test]
    fn a_message_written_by_hand_reads_and_builds_alike() {
        let data = Data::parse(&DATA).unwrap();
        assert_eq!((data.bsn, data.fsn, data.priority, data.msu), (1, 2, 0, &DATA[MSU_AT..]));
        let mut built = Vec::new();
        data.push(&mut built);
        assert_eq!(built, DATA);
    }

    #[test]
    fn message_cut_anywhere_is_an_error_and_never_a_panic() {
        (0..DATA.len()).for_each(|end| assert!(Data::parse(&DATA[..end]).is_err(), "cut at {end}"));
    }

    #[test]
    fn acknowledgements_and_link_status_are_not_ours_by_name() {
        let mut acknowledgement = DATA[..16].to_vec();
        acknowledgement[7] = 16;
        assert_eq!(Data::parse(&acknowledgement).unwrap_err().why, Why::NotOurs("M2PA acknowledgement"));
        acknowledgement[3] = 2;
        assert_eq!(Data::parse(&acknowledgement).unwrap_err().why, Why::NotOurs("M2PA Link Status"));
        acknowledgement[2] = 1;
        assert_eq!(Data::parse(&acknowledgement).unwrap_err().why, Why::NotOurs("M2PA message of unknown class or type"));
    }

    #[test]
    fn length_off_by_one_cuts_the_message_or_is_an_error() {
        let mut changed = DATA;
        changed[7] = 23;
        assert_eq!(Data::parse(&changed).unwrap().msu, &DATA[MSU_AT..23]);
        changed[7] = 25;
        assert_eq!(Data::parse(&changed).unwrap_err(), Error::new(Layer::M2pa, 4, Why::truncated(25, 24)));
        changed[7] = 15;
        assert_eq!(Data::parse(&changed).unwrap_err(), Error::new(Layer::M2pa, 8, Why::truncated(8, 7)));
    }

    proptest! {
        #[test]
        fn what_is_built_reads_back(bsn in 0u32..1 << 24, fsn in 0u32..1 << 24, priority: u8, msu in prop::collection::vec(any::<u8>(), 0..300)) {
            let data = Data { bsn, fsn, priority, msu: &msu, message: &[] };
            let mut built = Vec::new();
            data.push(&mut built);
            prop_assert_eq!(Data::parse(&built), Ok(Data { message: &built, ..data }));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = Data::parse(&bytes);
            let _ = Data::parse(&[&[1, 0, 11, 1, 0, 0, 0, u8::try_from(bytes.len() + 8).unwrap()], &bytes[..]].concat());
        }
    }
}
