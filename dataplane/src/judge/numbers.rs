//! Numbers as text: the usual ones in a few instructions, any other by its own `Display`.

use core::fmt::Write as _;

use protocols::map::Tbcd;
use protocols::sccp::Digits;
use protocols::sms;

/// Octets of the longest usual number: an E.164 number has 15 digits, an IMSI too, TP-OA up to 20 semi-octets.
const OCTETS: usize = 16;

/// The two signs of each octet, the first one low. Where the first is the filler there are none, where the second is one there is one: such
/// pairs are below [`WHOLE`].
type Pairs = [u16; 256];
const WHOLE: u16 = 0x100;

/// Signs of semi-octets, TS 23.040 §9.1.2.3 and TS 29.002 §17.7.8; 0 is the filler.
static SIGNS: Pairs = pairs(b"0123456789*#abc\0");
/// Signs of a global title, whose codes above 9 have no common meaning.
static HEXADECIMAL: Pairs = pairs(b"0123456789abcdef");

const fn pairs(signs: &[u8; 16]) -> Pairs {
    let mut pairs = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        #[expect(clippy::indexing_slicing, reason = "in a constant, within its bounds")]
        {
            let first = signs[octet & 15] as u16;
            pairs[octet] = if first == 0 { 0 } else { first | (signs[octet >> 4] as u16) << 8 };
        }
        octet += 1;
    }
    pairs
}

/// Writes an IMSI or what else is TBCD: up to the first filler.
pub(super) fn tbcd(octets: &[u8], out: &mut String) {
    out.clear();
    if written(octets, 2 * octets.len(), &SIGNS, out).is_none() {
        let _ = write!(out, "{}", Tbcd(octets));
    }
}

/// Writes the number or name of TP-OA or TP-DA.
pub(super) fn address(address: &sms::Address<'_>, out: &mut String) {
    out.clear();
    let count = usize::from(address.digits);
    if !address.is_alphanumeric() {
        match written(address.raw, count, &SIGNS, out) {
            Some(signs) if signs == count => return,
            // A filler where a digit should be is passed over.
            _ => out.clear(),
        }
    }
    let _ = address.write_text(out);
}

/// Writes the digits of a global title.
pub(super) fn title(digits: &Digits<'_>, out: &mut String) {
    out.clear();
    if written(digits.octets(), digits.len(), &HEXADECIMAL, out).is_none() {
        let _ = write!(out, "{digits}");
    }
}

/// Writes so many signs, or up to the first filler, and says how many; `None`, and nothing written, where the number is longer than usual.
#[inline]
fn written(octets: &[u8], count: usize, pairs: &Pairs, out: &mut String) -> Option<usize> {
    let mut room = Room([0; 2 * OCTETS]);
    let (places, _) = room.0.as_chunks_mut::<2>();
    if octets.len() > places.len() {
        return None;
    }
    let mut len = 0;
    for (place, &octet) in places.iter_mut().zip(octets) {
        let pair = pairs.get(usize::from(octet)).copied().unwrap_or(0);
        *place = pair.to_le_bytes();
        if pair < WHOLE {
            len += usize::from(pair != 0);
            break;
        }
        len += 2;
    }
    // Nothing but ASCII, zeros behind it included, which is told fastest of whole blocks.
    let text = core::str::from_utf8(&room.0).ok()?.get(..len.min(count))?;
    out.push_str(text);
    Some(text.len())
}

/// Where blocks of eight begin.
#[repr(align(8))]
struct Room([u8; 2 * OCTETS]);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use protocols::sms::{Direction, Tpdu};

    use super::*;

    proptest! {
        #[test]
        fn every_number_reads_as_its_display_writes_it(octets in prop::collection::vec(any::<u8>(), 0..20), odd: bool) {
            let mut out = String::from("before");
            tbcd(&octets, &mut out);
            prop_assert_eq!(&out, &Tbcd(&octets).to_string());
            let digits = Digits::new(&octets, odd);
            title(&digits, &mut out);
            prop_assert_eq!(&out, &digits.to_string());
        }

        #[test]
        fn every_address_of_a_tpdu_reads_as_its_display_writes_it(kind: u8, octets in prop::collection::vec(any::<u8>(), 0..14)) {
            let digits = u8::try_from(octets.len() * 2).unwrap();
            for digits in [digits, digits.saturating_sub(1)] {
                let mut deliver = vec![0x04, digits, kind];
                deliver.extend(&octets);
                deliver.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
                let tpdu = Tpdu::parse(&deliver, Direction::MobileTerminated).unwrap();
                let mut out = String::from("before");
                address(&tpdu.address, &mut out);
                prop_assert_eq!(&out, &tpdu.address.to_string());
            }
        }
    }
}
