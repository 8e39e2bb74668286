//! SCCP connectionless messages, Q.713 §4.10, §4.11, §4.18 to §4.21: UDT, XUDT, LUDT and their service messages.
//!
//! ```text
//! UDT    09 | class              | pointers: called, calling, data            1 octet each
//! XUDT   11 | class | hop        | pointers: called, calling, data, optional  1 octet each
//! LUDT   13 | class | hop        | the same                                   2 octets each, least significant first
//! …S     0a, 12, 14 with the return cause in place of the class
//! ```
//!
//! A one-octet pointer counts from itself, a two-octet one from its second octet. Parts may stand in any order and with gaps, so
//! nothing is assumed of where they are. [`Unitdata`] borrows the message and is checked once; an address that cannot be read does
//! not hide the message: it says so in [`Address::malformed`].
//!
//! ```
//! use protocols::sccp::{Kind, Unitdata, Variant};
//! let udt = [9, 0x81, 3, 5, 7, 2, 0x42, 6, 2, 0x42, 7, 2, 0x62, 0];
//! let unitdata = Unitdata::parse(&udt, Variant::Itu).unwrap();
//! assert_eq!((unitdata.kind, unitdata.class, unitdata.return_on_error), (Kind::Udt, 1, true));
//! assert_eq!((unitdata.called_party.ssn, unitdata.data), (Some(6), &[0x62, 0][..]));
//! ```

mod address;
mod build;
mod layout;

pub use address::{Address, Digits, GlobalTitle};
pub use build::{push_ludt, push_udt, push_xudt, xudt_segments};
pub use layout::{Layout, Part, Pointer, layout};

use crate::error::{Error, Layer, Why};

/// Largest data of UDT and XUDT: one length octet.
pub const MAX_SHORT_DATA: usize = 255;

/// Whose address format it is: nothing on the wire says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Variant {
    /// Q.713: 14-bit point codes, point code before SSN.
    #[default]
    Itu,
    /// T1.112: 24-bit point codes, SSN before point code, other indicators.
    Ansi,
    /// Q.713 with the 24-bit point codes of China.
    China,
}

/// The connectionless message types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Unitdata, 09.
    Udt,
    /// Unitdata service, 0a: a UDT that comes back.
    Udts,
    /// Extended unitdata, 11.
    Xudt,
    /// Extended unitdata service, 12.
    Xudts,
    /// Long unitdata, 13.
    Ludt,
    /// Long unitdata service, 14.
    Ludts,
}

impl Kind {
    /// The specification's short name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udt => "UDT",
            Self::Udts => "UDTS",
            Self::Xudt => "XUDT",
            Self::Xudts => "XUDTS",
            Self::Ludt => "LUDT",
            Self::Ludts => "LUDTS",
        }
    }

    /// Returned data: counted, never rewritten, never counted as a message of its own.
    pub const fn is_service(self) -> bool {
        matches!(self, Self::Udts | Self::Xudts | Self::Ludts)
    }

    /// The message type octet.
    pub const fn code(self) -> u8 {
        match self {
            Self::Udt => 0x09,
            Self::Udts => 0x0a,
            Self::Xudt => 0x11,
            Self::Xudts => 0x12,
            Self::Ludt => 0x13,
            Self::Ludts => 0x14,
        }
    }

    #[inline]
    fn read(code: u8) -> Result<Self, Why> {
        Ok(match code {
            0x09 => Self::Udt,
            0x0a => Self::Udts,
            0x11 => Self::Xudt,
            0x12 => Self::Xudts,
            0x13 => Self::Ludt,
            0x14 => Self::Ludts,
            0x01 => return Err(Why::NotOurs("SCCP connection request")),
            0x02 => return Err(Why::NotOurs("SCCP connection confirm")),
            0x03 => return Err(Why::NotOurs("SCCP connection refused")),
            0x04 => return Err(Why::NotOurs("SCCP released")),
            0x05 => return Err(Why::NotOurs("SCCP release complete")),
            0x06 => return Err(Why::NotOurs("SCCP data form 1")),
            0x07 => return Err(Why::NotOurs("SCCP data form 2")),
            0x08 => return Err(Why::NotOurs("SCCP data acknowledgement")),
            0x0b => return Err(Why::NotOurs("SCCP expedited data")),
            0x0c => return Err(Why::NotOurs("SCCP expedited data acknowledgement")),
            0x0d => return Err(Why::NotOurs("SCCP reset request")),
            0x0e => return Err(Why::NotOurs("SCCP reset confirmation")),
            0x0f => return Err(Why::NotOurs("SCCP protocol data unit error")),
            0x10 => return Err(Why::NotOurs("SCCP inactivity test")),
            _ => return Err(Why::NotOurs("unknown SCCP message type")),
        })
    }

    /// Octets before the pointers, and their number and width.
    #[inline]
    const fn shape(self) -> (usize, usize, usize) {
        match self {
            Self::Udt | Self::Udts => (2, 3, 1),
            Self::Xudt | Self::Xudts => (3, 4, 1),
            Self::Ludt | Self::Ludts => (3, 4, 2),
        }
    }
}

/// The segmentation parameter, Q.713 §3.17.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segmentation {
    /// This is the first segment.
    pub first: bool,
    /// Protocol class that the sender was asked for: 0 or 1.
    pub class: u8,
    /// Segments still to come: 0 to 15.
    pub remaining: u8,
    /// What the segments of one message share: 24 bits.
    pub local_reference: u32,
}

/// One connectionless message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unitdata<'a> {
    /// Message type.
    pub kind: Kind,
    /// Protocol class, 0 or 1; 0 in a service message, which has none.
    pub class: u8,
    /// The sender wants undeliverable data back.
    pub return_on_error: bool,
    /// Why a service message comes back, Q.713 §3.12.
    pub return_cause: Option<u8>,
    /// Hop counter of XUDT and LUDT. Zero is on the wire, and passes.
    pub hop_counter: Option<u8>,
    /// Who it is for.
    pub called_party: Address<'a>,
    /// Who it is from.
    pub calling_party: Address<'a>,
    /// User data: TCAP, or a piece of it if [`Unitdata::segmentation`] is there and more than one piece was sent.
    pub data: &'a [u8],
    /// Segmentation, if the message has it.
    pub segmentation: Option<Segmentation>,
    /// Importance, Q.713 §3.19.
    pub importance: Option<u8>,
}

impl<'a> Unitdata<'a> {
    /// Reads one message. Connection-oriented messages are [`Why::NotOurs`] by name.
    #[inline(always)]
    pub fn parse(message: &'a [u8], variant: Variant) -> Result<Self, Error> {
        match Self::usual(message, variant) {
            Some(unitdata) => Ok(unitdata),
            None => Self::exact(message, variant),
        }
    }

    /// A UDT whose parts are all there. Any other message is [`Unitdata::exact`]'s.
    #[inline(always)]
    pub(crate) fn usual(message: &'a [u8], variant: Variant) -> Option<Self> {
        let &[0x09, second, called @ 1..=255, calling @ 1..=255, data @ 1..=255, ..] = message else { return None };
        let part = |pointer_at: usize, pointer: u8| {
            let (len, behind) = message.get(pointer_at + usize::from(pointer)..)?.split_first()?;
            behind.get(..usize::from(*len))
        };
        Some(Self {
            kind: Kind::Udt,
            class: second & 0x0f,
            return_on_error: second & 0x80 != 0,
            return_cause: None,
            hop_counter: None,
            called_party: Address::parse(part(2, called)?, variant),
            calling_party: Address::parse(part(3, calling)?, variant),
            data: part(4, data)?,
            segmentation: None,
            importance: None,
        })
    }

    #[inline(never)]
    pub(crate) fn exact(message: &'a [u8], variant: Variant) -> Result<Self, Error> {
        let parts = Parts::find(message)?;
        let [called, calling, data, optional] = parts.at;
        let called_party = Address::parse(parts.short(message, called)?, variant);
        let calling_party = Address::parse(parts.short(message, calling)?, variant);
        let data = if parts.width == 2 { parts.long(message, data)? } else { parts.short(message, data)? };
        let service = parts.kind.is_service();
        let mut unitdata = Self {
            kind: parts.kind,
            class: if service { 0 } else { parts.second & 0x0f },
            return_on_error: !service && parts.second & 0x80 != 0,
            return_cause: service.then_some(parts.second),
            hop_counter: parts.hop_counter,
            called_party,
            calling_party,
            data,
            segmentation: None,
            importance: None,
        };
        if optional != 0 {
            unitdata.optional(message, optional)?;
        }
        Ok(unitdata)
    }

    /// What it is if it is SCCP's own management (Q.713 §5): to subsystem 1, and no TCAP.
    pub fn management(&self) -> Option<&'static str> {
        if self.called_party.ssn != Some(1) {
            return None;
        }
        Some(match self.data.first()? {
            1 => "SCCP management: subsystem allowed",
            2 => "SCCP management: subsystem prohibited",
            3 => "SCCP management: subsystem status test",
            4 => "SCCP management: subsystem out of service request",
            5 => "SCCP management: subsystem out of service grant",
            6 => "SCCP management: subsystem congested",
            _ => return None,
        })
    }

    /// The optional part: name, length, contents, until a name of zero (or the end, where a peer left it out).
    fn optional(&mut self, message: &'a [u8], start: usize) -> Result<(), Error> {
        let mut rest = message.get(start..).unwrap_or_default();
        while let Some((&[name, len], behind)) = rest.split_first_chunk() {
            if name == 0 {
                break;
            }
            let at = message.len() - rest.len();
            let Some((content, after)) = behind.split_at_checked(usize::from(len)) else {
                return Err(Error::new(Layer::Sccp, at + 1, Why::bad_length(usize::from(len))));
            };
            match (name, content) {
                (0x10, &[head, r0, r1, r2, ..]) => {
                    self.segmentation = Some(Segmentation {
                        first: head & 0x80 != 0,
                        class: head >> 6 & 1,
                        remaining: head & 0x0f,
                        local_reference: u32::from_be_bytes([0, r0, r1, r2]),
                    });
                }
                (0x10, _) => return Err(Error::new(Layer::Sccp, at + 1, Why::bad_length(usize::from(len)))),
                (0x12, &[importance, ..]) => self.importance = Some(importance & 7),
                _ => {}
            }
            rest = after;
        }
        match rest {
            [name, ..] if *name != 0 => Err(Error::new(Layer::Sccp, message.len() - 1, Why::truncated(2, 1))),
            _ => Ok(()),
        }
    }
}

/// Where the parts of a message begin, each at its length octet; zero for an optional part that is not there.
struct Parts {
    kind: Kind,
    /// Class or return cause.
    second: u8,
    hop_counter: Option<u8>,
    /// Octets of a pointer, and of the data's length.
    width: usize,
    /// Octets before the first pointer.
    fixed: usize,
    /// Called, calling, data, optional.
    at: [usize; 4],
}

impl Parts {
    fn find(message: &[u8]) -> Result<Self, Error> {
        let error = |at, why| Error::new(Layer::Sccp, at, why);
        let &[code, second, ..] = message else {
            return Err(error(0, Why::truncated(5, message.len())));
        };
        let kind = Kind::read(code).map_err(|why| error(0, why))?;
        let (fixed, count, width) = kind.shape();
        let mut at = [0usize; 4];
        let mut index = 0;
        while index < count {
            let here = fixed + index * width;
            let pointer = message.get(here..);
            let (value, target) = match (width, pointer) {
                (1, Some(&[value, ..])) => (value.into(), here + usize::from(value)),
                (2, Some(&[low, high, ..])) => {
                    let value = u16::from_le_bytes([low, high]);
                    (value, here + 1 + usize::from(value))
                }
                _ => return Err(error(here, Why::truncated(fixed + count * width, message.len()))),
            };
            // Only the optional part may be absent.
            if value == 0 && index != 3 {
                return Err(error(here, Why::Malformed("SCCP pointer of zero")));
            }
            if value != 0 {
                if target >= message.len() {
                    return Err(error(here, Why::truncated(target + 1, message.len())));
                }
                if let Some(place) = at.get_mut(index) {
                    *place = target;
                }
            }
            index += 1;
        }
        let hop_counter = if fixed == 3 { message.get(2).copied() } else { None };
        Ok(Self { kind, second, hop_counter, width, fixed, at })
    }

    #[inline(always)]
    fn short<'a>(&self, message: &'a [u8], at: usize) -> Result<&'a [u8], Error> {
        let part = message.get(at..).and_then(|part| part.split_first());
        let (len, behind) = part.map_or((0, &[][..]), |(len, behind)| (usize::from(*len), behind));
        behind.get(..len).ok_or_else(|| Error::new(Layer::Sccp, at, Why::truncated(len, behind.len())))
    }

    fn long<'a>(&self, message: &'a [u8], at: usize) -> Result<&'a [u8], Error> {
        let Some((&len, behind)) = message.get(at..).and_then(|part| part.split_first_chunk()) else {
            return Err(Error::new(Layer::Sccp, at, Why::truncated(at + 2, message.len())));
        };
        let len = usize::from(u16::from_le_bytes(len));
        behind.get(..len).ok_or_else(|| Error::new(Layer::Sccp, at, Why::truncated(len, behind.len())))
    }
}

#[cfg(test)]
mod tests;
