//! Who sent a message. The TPDU says so of one to a phone (TP-OA); that of one from a phone names the recipient alone (TP-DA), and its
//! originator's number is sm-RP-OA's.

use protocols::map::Origination;
use protocols::sms::Tpdu;

use super::{Met, numbers};
use crate::policy::{Direction, SenderKind};

/// The sender as people read it; `address` is TP-OA or TP-DA. Empty where the frame names none: nobody is protected by that name, and nothing
/// is bound to it.
#[inline]
pub(super) fn of<'a>(met: &Met<'_>, address: &'a str, msisdn: &'a mut String) -> &'a str {
    match (met.direction, met.forward.origination) {
        (Direction::Mt, _) => return address,
        (Direction::Mo, Origination::Msisdn(number)) => numbers::tbcd(number.digits().0, msisdn),
        (Direction::Mo, _) => msisdn.clear(),
    }
    msisdn
}

/// What kind of address that is.
pub(super) fn kind(met: &Met<'_>, tpdu: &Tpdu<'_>) -> SenderKind {
    let number = match (met.direction, met.forward.origination) {
        (Direction::Mt, _) if tpdu.address.is_alphanumeric() => return SenderKind::Alphanumeric,
        (Direction::Mt, _) => tpdu.address.ton,
        (Direction::Mo, Origination::Msisdn(number)) => number.nai(),
        (Direction::Mo, _) => return SenderKind::Other,
    };
    // International, of TS 23.040 §9.1.2.5 as of TS 29.002 §17.7.8.
    if number == 1 { SenderKind::International } else { SenderKind::Other }
}
