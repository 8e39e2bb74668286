//! Messages in the form that nearly every sender gives them, found by one walk from SCCP to what they say.
//!
//! ```text
//! UDT { Begin { otid, dialogue portion of map v2, v3?, components { invoke { id, 44 | 46, forwardSM } } } }
//! UDT { Continue { otid, dtid, components { invoke { id, 44 | 46, forwardSM } } } }
//!   forwardSM { sm-RP-DA, sm-RP-OA, sm-RP-UI { DELIVER | SUBMIT without a user data header } }
//! UDT { End { dtid, dialogue portion?, components { returnResultLast { id, (operation, parameter)? } }? } }
//! UDT { Begin { otid, dialogue portion?, components { invoke { id, 45, sendRoutingInfoForSM } }? } }
//! ```
//!
//! Every length is as short as it can be and ends where what holds it ends, so that nothing stands behind. What a short message says
//! beside its text is of no account to who only asks whether there is a link in it; any other form is for the layers, one by one. They
//! are the oracle: what is found here, they find.

use crate::ber;
use crate::map::Direction;
use crate::sms::{Address, Dcs};
use crate::tcap::ApplicationContext;

/// What [`look`] finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usual<'a> {
    /// A short message.
    ShortMessage(ShortMessage<'a>),
    /// How an operation went, or that a dialogue goes on or ends.
    Answer(Answer<'a>),
    /// A sendRoutingInfoForSM that opens its dialogue.
    Query(Query<'a>),
    /// A Begin that asks for nothing yet.
    Opening(Opening<'a>),
}

/// A short message whose dialogue nothing else is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortMessage<'a> {
    /// It opens its dialogue, so that nothing outside it has a say.
    pub begins: bool,
    /// The SCCP calling party, whose transaction it is.
    pub calling: &'a [u8],
    /// Originating transaction.
    pub otid: &'a [u8],
    /// The invocation.
    pub invoke_id: i64,
    /// To the phone whose IMSI sm-RP-DA has, or from the one whose MSISDN sm-RP-OA has.
    pub direction: Direction,
    /// TP-OA or TP-DA.
    pub address: Address<'a>,
    /// TP-DCS.
    pub dcs: Dcs,
    /// TP-UDL, which says what `user_data` has to the octet.
    pub tp_udl: u8,
    /// TP-UD: text without a header.
    pub user_data: &'a [u8],
}

/// An End or Continue that asks for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// It is an End.
    pub ends: bool,
    /// The SCCP called party, whose transaction it is.
    pub called: &'a [u8],
    /// Destination transaction.
    pub dtid: &'a [u8],
    /// Its one component, a returnResultLast, if it has one.
    pub result: Option<Outcome<'a>>,
}

/// A result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// The invocation that it answers.
    pub invoke_id: i64,
    /// Of sendRoutingInfoForSM: the IMSI.
    pub imsi: Option<&'a [u8]>,
}

/// A sendRoutingInfoForSM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// The SCCP calling party, whose transaction it is.
    pub calling: &'a [u8],
    /// Originating transaction.
    pub otid: &'a [u8],
    /// MSISDN: address octet and semi-octets.
    pub msisdn: &'a [u8],
}

/// A Begin without components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening<'a> {
    /// The SCCP calling party, whose transaction it is.
    pub calling: &'a [u8],
    /// Originating transaction.
    pub otid: &'a [u8],
    /// What its dialogue portion says, which is all that stands there.
    pub context: Option<ApplicationContext>,
}

/// Looks at a UDT. `None` says nothing about it.
#[inline(always)]
pub fn look(sccp: &[u8]) -> Option<Usual<'_>> {
    let &[0x09, _, called @ 1..=255, calling @ 1..=255, data @ 1..=255, ..] = sccp else { return None };
    let part = |pointer_at: usize, pointer: u8| {
        let (len, behind) = sccp.get(pointer_at + usize::from(pointer)..)?.split_first()?;
        behind.get(..usize::from(*len))
    };
    let (called, calling) = (part(2, called)?, part(3, calling)?);
    let (tag, message, []) = ber::usual(part(4, data)?)? else { return None };
    match tag {
        0x62 => begin(message, calling),
        0x64 => go_on(message, called, None),
        0x65 => {
            let (otid, rest) = transaction(message, 0x48)?;
            go_on(rest, called, Some((calling, otid)))
        }
        _ => None,
    }
}

/// A transaction's id, and what follows.
#[inline(always)]
fn transaction(message: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    match message {
        [found, len @ 1..=4, rest @ ..] if *found == tag => rest.split_at_checked(usize::from(*len)),
        _ => None,
    }
}

/// The context of a dialogue portion, if there is one, and what follows.
#[inline(always)]
fn dialogue(message: &[u8]) -> Option<(Option<ApplicationContext>, &[u8])> {
    match message {
        [0x6b, len @ 0..=0x7f, behind @ ..] => {
            let (portion, behind) = behind.split_at_checked(usize::from(*len))?;
            Some((Some(ApplicationContext::usual(portion)?), behind))
        }
        _ => Some((None, message)),
    }
}

/// An invoke that nothing follows: its id, its code, its argument.
#[inline(always)]
fn invoke(components: &[u8]) -> Option<(u8, u8, &[u8])> {
    let (invoke, []) = ber::take(components, 0xa1)? else { return None };
    let [2, 1, id, 2, 1, code, argument @ ..] = invoke else { return None };
    let (argument, []) = ber::take(argument, 0x30)? else { return None };
    Some((*id, *code, argument))
}

#[inline(always)]
fn begin<'a>(message: &'a [u8], calling: &'a [u8]) -> Option<Usual<'a>> {
    let (otid, rest) = transaction(message, 0x48)?;
    let (context, rest) = dialogue(rest)?;
    if rest.is_empty() {
        return Some(Usual::Opening(Opening { calling, otid, context }));
    }
    let (components, []) = ber::take(rest, 0x6c)? else { return None };
    match invoke(components)? {
        (id, 44 | 46, argument) => short_message(argument, true, (calling, otid), id),
        (_, 45, argument) => Some(Usual::Query(Query { calling, otid, msisdn: msisdn(argument)? })),
        _ => None,
    }
}

/// A Continue, whose calling party has this transaction, or an End, from its destination transaction on.
#[inline(always)]
fn go_on<'a>(message: &'a [u8], called: &'a [u8], continues: Option<(&'a [u8], &'a [u8])>) -> Option<Usual<'a>> {
    let ends = continues.is_none();
    let (dtid, rest) = transaction(message, 0x49)?;
    let (_, rest) = dialogue(rest)?;
    if rest.is_empty() {
        return Some(Usual::Answer(Answer { ends, called, dtid, result: None }));
    }
    let (components, []) = ber::take(rest, 0x6c)? else { return None };
    if let [0xa2, ..] = components {
        return Some(Usual::Answer(Answer { ends, called, dtid, result: Some(outcome(components)?) }));
    }
    match (invoke(components)?, continues) {
        ((id, 44 | 46, argument), Some(owner)) => short_message(argument, false, owner, id),
        _ => None,
    }
}

/// A returnResultLast that nothing follows.
#[inline(always)]
fn outcome(components: &[u8]) -> Option<Outcome<'_>> {
    let (result, []) = ber::take(components, 0xa2)? else { return None };
    let [2, 1, id, rest @ ..] = result else { return None };
    let invoke_id = i64::from(id.cast_signed());
    if rest.is_empty() {
        return Some(Outcome { invoke_id, imsi: None });
    }
    let (sequence, []) = ber::take(rest, 0x30)? else { return None };
    let [2, 1, 45, parameter @ ..] = sequence else { return None };
    // imsi, locationInfoWithLMSI { networkNode-Number }
    let (parameter, []) = ber::take(parameter, 0x30)? else { return None };
    let (imsi, rest) = ber::take(parameter, 4)?;
    let (location, []) = ber::take(rest, 0xa0)? else { return None };
    let (_, []) = ber::take(location, 0x81)? else { return None };
    Some(Outcome { invoke_id, imsi: Some(imsi) })
}

/// The MSISDN of a sendRoutingInfoForSM: msisdn, sm-RP-PRI, serviceCentreAddress.
#[inline(always)]
fn msisdn(argument: &[u8]) -> Option<&[u8]> {
    let (msisdn, rest) = ber::take(argument, 0x80)?;
    let (_, rest) = ber::take(rest, 0x81)?;
    let (_, []) = ber::take(rest, 0x82)? else { return None };
    Some(msisdn)
}

/// The short message of a forwardSM.
#[inline(always)]
fn short_message<'a>(
    argument: &'a [u8],
    begins: bool,
    (calling, otid): (&'a [u8], &'a [u8]),
    invoke_id: u8,
) -> Option<Usual<'a>> {
    let (to, _, rest) = ber::usual(argument)?;
    let (from, _, rest) = ber::usual(rest)?;
    let direction = match (to, from) {
        (0x80, 0x82 | 0x84) => Direction::Mt,
        (0x84, 0x82) => Direction::Mo,
        _ => return None,
    };
    let (tpdu, []) = ber::take(rest, 4)? else { return None };
    let (address, dcs, tp_udl, user_data) = match direction {
        Direction::Mt => deliver(tpdu)?,
        Direction::Mo => submit(tpdu)?,
    };
    let udl = usize::from(tp_udl);
    let octets = if dcs.in_septets() { (udl * 7).div_ceil(8) } else { udl };
    let invoke_id = i64::from(invoke_id.cast_signed());
    let message = ShortMessage { begins, calling, otid, invoke_id, direction, address, dcs, tp_udl, user_data };
    (user_data.len() == octets).then_some(Usual::ShortMessage(message))
}

/// TP-OA or TP-DA, TP-DCS, TP-UDL, TP-UD.
type Fields<'a> = (Address<'a>, Dcs, u8, &'a [u8]);

/// TS 23.040 §9.2.2.1.
#[inline(always)]
fn deliver(tpdu: &[u8]) -> Option<Fields<'_>> {
    // TP-MTI 0, no TP-UDHI.
    let [first, rest @ ..] = tpdu else { return None };
    let (address, rest) = address(rest).filter(|_| first & 0x43 == 0)?;
    let (&[_, dcs, _, _, _, _, _, _, _, tp_udl], user_data) = rest.split_first_chunk()?;
    Some((address, Dcs(dcs), tp_udl, user_data))
}

/// TS 23.040 §9.2.2.2.
#[inline(always)]
fn submit(tpdu: &[u8]) -> Option<Fields<'_>> {
    let [first, _, rest @ ..] = tpdu else { return None };
    let (address, rest) = address(rest).filter(|_| first & 0x43 == 1)?;
    let (&[_, dcs], rest) = rest.split_first_chunk()?;
    let validity = match first >> 3 & 3 {
        0 => 0,
        2 => 1,
        _ => 7,
    };
    let (&tp_udl, user_data) = rest.get(validity..)?.split_first()?;
    Some((address, Dcs(dcs), tp_udl, user_data))
}

#[inline(always)]
fn address(field: &[u8]) -> Option<(Address<'_>, &[u8])> {
    let &[digits, kind, ref rest @ ..] = field else { return None };
    let (raw, rest) = rest.split_at_checked(usize::from(digits).div_ceil(2))?;
    Some((Address { digits, ton: kind >> 4 & 7, npi: kind & 0x0f, raw }, rest))
}
