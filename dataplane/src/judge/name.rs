//! What names a text that comes in parts.

use protocols::map::{AddressString, Destination, Origination};
use protocols::sms::Concat;

use super::{Met, numbers};
use crate::join::parts::Parts;
use crate::join::table::Key;
use crate::lane::Joins;
use crate::policy::Direction;
use crate::world::World;

/// Digits of the longest IMSI and of the longest number: TS 23.003 §2.2, E.164 §6.
const DIGITS: usize = 15;

/// The name of a text that comes in parts, made of what is read: what no handset compares (fillers, spare bits, how a number was cut
/// into pieces, the width of a reference) does not part what belongs together. `digits` is written over.
pub(super) fn of(met: &Met<'_>, address: &str, digits: &mut String, concat: Concat, world: &World, joins: &Joins) -> Key {
    // MT: the recipient is the subscriber, as the frame or its dialogue names it; MO: the recipient is TP-DA and the originator is the
    // subscriber. Whom nothing names is who is meant in this dialogue, and in no other.
    let unnamed = match met.forward.destination {
        Destination::None => met.transaction.otid.unwrap_or_default(),
        _ => &[],
    };
    let (subscriber, is_imsi) = match (met.direction, met.forward.origination) {
        (Direction::Mo, Origination::Msisdn(msisdn)) => (msisdn.digits().0, false),
        _ => (met.imsi.unwrap_or_default(), true),
    };
    numbers::tbcd(subscriber, digits);
    let subscriber = match digits.as_bytes() {
        _ if is_imsi && world.network.is_correlation_id(digits) => &[],
        [] if is_imsi => met.lmsi.unwrap_or(unnamed),
        // What stands in the filler's place is no digit.
        digits => digits.get(..DIGITS).unwrap_or(digits),
    };
    let group = match met.centre {
        Some(centre) if !world.network.centre_groups.is_empty() => {
            let mut digits = [0u8; 24];
            let mut len = 0;
            for (room, digit) in digits.iter_mut().zip(AddressString(centre).digits().chars()) {
                *room = u8::try_from(u32::from(digit)).unwrap_or(b'?');
                len += 1;
            }
            let centre = core::str::from_utf8(digits.get(..len).unwrap_or_default()).unwrap_or_default();
            world.network.centre_group(centre)
        }
        _ => None,
    };
    let group = group.map_or([0xff, 0xff], u16::to_le_bytes);
    Parts::key(joins.secret, subscriber, address.as_bytes(), &group, concat.reference, concat.total)
}
