//! Numbers as text: the usual ones in a few instructions, any other by its own `Display`.

use core::fmt::Write as _;

use protocols::map::Tbcd;
use protocols::sccp::Digits;
use protocols::sms;

/// Octets of the longest usual number: an E.164 number has 15 digits, an IMSI too, TP-OA up to 20 semi-octets.
const OCTETS: usize = 12;

/// Signs of semi-octets, TS 23.040 §9.1.2.3 and TS 29.002 §17.7.8; 0 is the filler.
const SIGNS: &[u8; 16] = b"0123456789*#abc\0";
/// Signs of a global title, whose codes above 9 have no common meaning.
const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";

/// Writes an IMSI or what else is TBCD: up to the first filler.
pub(super) fn tbcd(octets: &[u8], out: &mut String) {
    out.clear();
    if written(octets, 2 * octets.len(), SIGNS, out).is_none() {
        let _ = write!(out, "{}", Tbcd(octets));
    }
}

/// Writes the number or name of TP-OA or TP-DA.
pub(super) fn address(address: &sms::Address<'_>, out: &mut String) {
    out.clear();
    let count = usize::from(address.digits);
    if !address.is_alphanumeric() {
        match written(address.raw, count, SIGNS, out) {
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
    if written(digits.octets(), digits.len(), HEXADECIMAL, out).is_none() {
        let _ = write!(out, "{digits}");
    }
}

/// Writes so many signs, or up to the first filler, and says how many; `None`, and nothing written, where the number is longer than usual.
#[inline]
fn written(octets: &[u8], count: usize, signs: &[u8; 16], out: &mut String) -> Option<usize> {
    let mut room = [0u8; 2 * OCTETS];
    let (pairs, _) = room.as_chunks_mut::<2>();
    if octets.len() > pairs.len() {
        return None;
    }
    let sign = |nibble: u8| signs.get(usize::from(nibble & 0x0f)).copied().unwrap_or(0);
    for (pair, &octet) in pairs.iter_mut().zip(octets) {
        *pair = [sign(octet), sign(octet >> 4)];
    }
    let text = core::str::from_utf8(room.get(..count)?).ok()?;
    let text = text.find('\0').and_then(|end| text.get(..end)).unwrap_or(text);
    out.push_str(text);
    Some(text.len())
}

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
