//! Address fields, TS 23.040 §9.1.2.5: originator, destination and recipient of a TPDU.
//!
//! ```text
//! length in semi-octets | 1 TON3 NPI4 | ceil(length / 2) octets, low semi-octet first
//! ```
//! With type of number 5 the octets are GSM 7-bit text instead, of `length * 4 / 7` characters.

use core::fmt;

use super::gsm7;
use super::tables::Tables;
use crate::error::{Error, Layer, Why};

/// Type of number 5: the address is a name.
const ALPHANUMERIC: u8 = 5;

/// One address; borrowed, written out by [`fmt::Display`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Address<'a> {
    /// Semi-octets that count, as the length octet says.
    pub digits: u8,
    /// Type of number: 0 unknown, 1 international, 2 national, 3 network, 4 subscriber, 5 alphanumeric, 6 abbreviated, 7 reserved.
    pub ton: u8,
    /// Numbering plan: 1 is E.164.
    pub npi: u8,
    /// The octets behind the type of address. Empty in TPDUs that have no address.
    pub raw: &'a [u8],
}

impl<'a> Address<'a> {
    /// Reads the field at `at` of a TPDU; gives it and where the next one starts.
    ///
    /// Lengths beyond 20 semi-octets are read too: that a handset would refuse them is not for a reader to decide.
    #[inline]
    pub(super) fn parse(tpdu: &'a [u8], at: usize) -> Result<(Self, usize), Error> {
        let header = tpdu.get(at..).and_then(|rest| rest.first_chunk::<2>());
        let Some(&[digits, kind]) = header else {
            return Err(Error::new(Layer::Sms, at, Why::truncated(at + 2, tpdu.len())));
        };
        let (start, len) = (at + 2, usize::from(digits).div_ceil(2));
        let raw =
            tpdu.get(start..start + len).ok_or_else(|| Error::new(Layer::Sms, at, Why::truncated(start + len, tpdu.len())))?;
        Ok((Self { digits, ton: kind >> 4 & 7, npi: kind & 0x0f, raw }, start + len))
    }

    /// The address is a name in GSM 7-bit letters, not a number.
    pub const fn is_alphanumeric(&self) -> bool {
        self.ton == ALPHANUMERIC
    }

    /// Writes the number without a leading `+`, or the name. Allocates only what `out` does.
    pub fn write_text(&self, out: &mut impl fmt::Write) -> fmt::Result {
        if self.is_alphanumeric() {
            let mut septets = gsm7::BUFFER;
            let septets = gsm7::unpack(self.raw, 0, usize::from(self.digits) * 4 / 7, &mut septets);
            let tables = Tables::default();
            let mut rest = septets;
            while let Some(read) = gsm7::read(rest, tables) {
                out.write_char(read.character)?;
                rest = rest.get(usize::from(read.septets)..).unwrap_or_default();
            }
            return Ok(());
        }
        self.semi_octets().try_for_each(|digit| match digit {
            0x0..=0x9 => out.write_char(char::from(b'0' + digit)),
            0xa => out.write_char('*'),
            0xb => out.write_char('#'),
            0xc..=0xe => out.write_char(char::from(b'a' + digit - 0xc)),
            _ => Ok(()), // The filler, wherever it stands.
        })
    }

    /// Each semi-octet that the length counts, in order.
    pub fn semi_octets(&self) -> impl Iterator<Item = u8> + 'a {
        self.raw.iter().flat_map(|octet| [octet & 0x0f, octet >> 4]).take(usize::from(self.digits))
    }
}

/// As [`Address::write_text`].
impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_text(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(field: &[u8]) -> String {
        Address::parse(field, 0).unwrap().0.to_string()
    }

    #[test]
    fn digits_stars_hashes_and_letters_are_written_in_order() {
        assert_eq!(text(&[9, 0xe1, 0xba, 0xdc, 0xbe, 0x5a, 0xf1]), "*#abc#*51");
    }

    #[test]
    fn a_name_has_four_sevenths_as_many_characters_as_semi_octets() {
        assert_eq!(text(&[0x0d, 0xd0, 0xd0, 0xf7, 0x9c, 0x4e, 0x44, 0x32, 0x01]), "PostDHL");
        assert_eq!(text(&[0x14, 0xd0, 0xe1, 0x0d, 0x6f, 0xe3, 0xdb, 0xa0, 0x36, 0xa9, 0x4d, 0x19]), "a[]{}€");
    }

    #[test]
    fn an_empty_address_is_no_error() {
        assert_eq!(text(&[0, 0x80]), "");
        assert_eq!(text(&[0, 0xd0]), "");
    }

    #[test]
    fn address_cut_anywhere_is_an_error_with_its_offset() {
        let field = [0x0b, 0x91, 0x51, 0x55, 0x10, 0x77, 0x77, 0xf7];
        for end in 0..field.len() {
            assert_eq!(Address::parse(&field[..end], 0).unwrap_err().at, 0, "cut at {end}");
        }
        assert_eq!(Address::parse(&field, 0).unwrap().1, 8);
    }

    #[test]
    fn the_longest_length_octet_is_read() {
        let mut field = vec![0x21; 130];
        field[0] = 255;
        field[1] = 0x91;
        assert_eq!(text(&field).len(), 255);
        field[1] = 0xd0;
        assert_eq!(text(&field).chars().count(), 145);
    }
}
