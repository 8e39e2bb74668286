//! A short message in the form that nearly every sender gives it, found by one walk from SCCP to the user data.
//!
//! ```text
//! UDT { Begin { otid, dialogue portion of map v2, v3?, components { invoke { id, 44 | 46, forwardSM } } } }
//!   forwardSM { sm-RP-DA, sm-RP-OA, sm-RP-UI { DELIVER | SUBMIT without a user data header } }
//! ```
//!
//! Every length is as short as it can be and ends where what holds it ends, so that nothing stands behind. What such a message says beside
//! its text is of no account to who only asks whether there is a link in it; any other form is for the layers, one by one. They are the
//! oracle: what is found here, they find.

use crate::ber;
use crate::map::Direction;
use crate::sms::Dcs;
use crate::tcap::ApplicationContext;

/// The address field of a TPDU, [`ShortMessage::name`], is alphanumeric with this type of number.
const ALPHANUMERIC: u8 = 5;

/// What [`short_message`] finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortMessage<'a> {
    /// To the phone whose IMSI sm-RP-DA has, or from the one whose MSISDN sm-RP-OA has.
    pub direction: Direction,
    /// The address if it is a name: its semi-octets, and the octets that hold its packed septets.
    pub name: Option<(u8, &'a [u8])>,
    /// TP-DCS.
    pub dcs: Dcs,
    /// TP-UDL, which says what `user_data` has to the octet.
    pub tp_udl: u8,
    /// TP-UD: text without a header.
    pub user_data: &'a [u8],
}

/// Finds the short message in a UDT of the usual form. `None` says nothing about it.
#[inline(always)]
pub fn short_message(sccp: &[u8]) -> Option<ShortMessage<'_>> {
    let &[0x09, _, called @ 1..=255, calling @ 1..=255, data @ 1..=255, ..] = sccp else { return None };
    let part = |pointer_at: usize, pointer: u8| {
        let (len, behind) = sccp.get(pointer_at + usize::from(pointer)..)?.split_first()?;
        behind.get(..usize::from(*len))
    };
    // The addresses have to be there, and that is all.
    let (_, _) = (part(2, called)?, part(3, calling)?);
    let (direction, tpdu) = forward(components(part(4, data)?)?)?;
    let (name, dcs, tp_udl, user_data) = match direction {
        Direction::Mt => deliver(tpdu)?,
        Direction::Mo => submit(tpdu)?,
    };
    let udl = usize::from(tp_udl);
    let octets = if dcs.in_septets() { (udl * 7).div_ceil(8) } else { udl };
    (user_data.len() == octets).then_some(ShortMessage { direction, name, dcs, tp_udl, user_data })
}

/// The components of a Begin.
#[inline(always)]
fn components(tcap: &[u8]) -> Option<&[u8]> {
    let (begin, []) = ber::take(tcap, 0x62)? else { return None };
    let [0x48, id @ 1..=4, rest @ ..] = begin else { return None };
    let mut rest = rest.get(usize::from(*id)..)?;
    if let [0x6b, len @ 0..=0x7f, behind @ ..] = rest {
        let (portion, behind) = behind.split_at_checked(usize::from(*len))?;
        ApplicationContext::usual(portion)?;
        rest = behind;
    }
    let (components, []) = ber::take(rest, 0x6c)? else { return None };
    Some(components)
}

/// The way and the TPDU of the one forwardSM among the components.
#[inline(always)]
fn forward(components: &[u8]) -> Option<(Direction, &[u8])> {
    let (invoke, []) = ber::take(components, 0xa1)? else { return None };
    let [2, 1, _, 2, 1, 44 | 46, argument @ ..] = invoke else { return None };
    let (argument, []) = ber::take(argument, 0x30)? else { return None };
    let (to, _, rest) = ber::usual(argument)?;
    let (from, _, rest) = ber::usual(rest)?;
    let direction = match (to, from) {
        (0x80, 0x82 | 0x84) => Direction::Mt,
        (0x84, 0x82) => Direction::Mo,
        _ => return None,
    };
    let (tpdu, []) = ber::take(rest, 4)? else { return None };
    Some((direction, tpdu))
}

/// Semi-octets, and the octets that hold them.
type Name<'a> = Option<(u8, &'a [u8])>;

/// Name, TP-DCS, TP-UDL, TP-UD.
type Fields<'a> = (Name<'a>, Dcs, u8, &'a [u8]);

/// TS 23.040 §9.2.2.1.
#[inline(always)]
fn deliver(tpdu: &[u8]) -> Option<Fields<'_>> {
    // TP-MTI 0, no TP-UDHI.
    let [first, rest @ ..] = tpdu else { return None };
    let (name, rest) = address(rest).filter(|_| first & 0x43 == 0)?;
    let (&[_, dcs, _, _, _, _, _, _, _, tp_udl], user_data) = rest.split_first_chunk()?;
    Some((name, Dcs(dcs), tp_udl, user_data))
}

/// TS 23.040 §9.2.2.2.
#[inline(always)]
fn submit(tpdu: &[u8]) -> Option<Fields<'_>> {
    let [first, _, rest @ ..] = tpdu else { return None };
    let (name, rest) = address(rest).filter(|_| first & 0x43 == 1)?;
    let (&[_, dcs], rest) = rest.split_first_chunk()?;
    let validity = match first >> 3 & 3 {
        0 => 0,
        2 => 1,
        _ => 7,
    };
    let (&tp_udl, user_data) = rest.get(validity..)?.split_first()?;
    Some((name, Dcs(dcs), tp_udl, user_data))
}

#[inline(always)]
fn address(field: &[u8]) -> Option<(Name<'_>, &[u8])> {
    let &[digits, kind, ref rest @ ..] = field else { return None };
    let (octets, rest) = rest.split_at_checked(usize::from(digits).div_ceil(2))?;
    Some(((kind >> 4 & 7 == ALPHANUMERIC).then_some((digits, octets)), rest))
}
