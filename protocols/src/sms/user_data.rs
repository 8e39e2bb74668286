//! TP-User-Data, TS 23.040 §9.2.3.24: a header perhaps, and text in one of three alphabets.
//!
//! TP-UDL counts septets for GSM 7-bit, header and fill bits included, and octets for all else. What it promises and what is there need
//! not agree: what both cover is read, and [`UserData::problems`] says the rest.

use core::ops::Range;

use super::dcs::{Alphabet, Coding, Dcs};
use super::gsm7::{self, SEPTETS};
use super::problems::Problems;
use super::tables::{Language, Tables};
use super::ucs2::{self, code_units};
use super::udh::Udh;

/// Most septets that a user data field may have.
pub const MAX_SEPTETS: usize = 160;

/// Most octets that a user data field may have.
pub const MAX_OCTETS: usize = 140;

/// The user data of one TPDU. TPDUs without any have an empty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserData<'a> {
    /// TP-UDL as it stands.
    pub tp_udl: u8,
    /// TP-UD: the octets that TP-UDL covers, as far as they are there.
    pub octets: &'a [u8],
    /// The coding of its text.
    pub dcs: Dcs,
    /// The header; `None` without one, and when its lengths do not fit.
    pub udh: Option<Udh<'a>>,
    /// The tables that GSM 7-bit text is written in.
    pub tables: Tables,
    /// What lengths, header and coding scheme have odd. What the text has odd, [`UserData::text`] says.
    pub problems: Problems,
    header_octets: u8,
}

impl Default for UserData<'_> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<'a> UserData<'a> {
    /// That of a TPDU without any.
    pub(super) const EMPTY: Self = Self {
        tp_udl: 0,
        octets: &[],
        dcs: Dcs(0),
        udh: None,
        tables: Tables::new(Language::Default, Language::Default),
        problems: Problems::NONE,
        header_octets: 0,
    };

    /// Reads what stands behind TP-UDL. Nothing makes this fail: see [`Problems`].
    #[inline(always)]
    pub fn parse(tp_udl: u8, field: &'a [u8], udhi: bool, dcs: Dcs) -> Self {
        let udl = usize::from(tp_udl);
        let Coding { in_septets, is_reserved } = dcs.coding();
        let promised = if in_septets { (udl * 7).div_ceil(8) } else { udl };
        let octets = field.get(..promised).unwrap_or(field);

        let (udh, header_octets, tables) =
            if udhi { Self::split(octets) } else { (None, 0, Tables::new(Language::Default, Language::Default)) };

        let problems = Problems::NONE
            .with(Problems::UDL_BEYOND_OCTETS, promised > field.len())
            .with(Problems::UDL_OVER_LIMIT, udl > if in_septets { MAX_SEPTETS } else { MAX_OCTETS })
            .with(Problems::TRAILING_OCTETS, promised < field.len())
            .with(Problems::BAD_UDH, udhi && udh.is_none())
            .with(Problems::RESERVED_DCS, is_reserved);
        Self { tp_udl, octets, dcs, udh, tables, problems, header_octets }
    }

    /// The header of user data that has one, the octets that it takes, and the tables that it asks for.
    #[inline(never)]
    fn split(octets: &'a [u8]) -> (Option<Udh<'a>>, u8, Tables) {
        let header = octets.first().map(|udhl| usize::from(*udhl) + 1);
        let udh = header.and_then(|len| Udh::parse(octets.get(1..len)?));
        let header_octets = header.unwrap_or(0).min(octets.len());
        let tables = udh.map_or_else(Tables::default, |udh| Tables::new(udh.locking(), udh.single()));
        (udh, u8::try_from(header_octets).unwrap_or(u8::MAX), tables)
    }

    /// The alphabet of its text.
    pub const fn alphabet(&self) -> Alphabet {
        self.dcs.alphabet()
    }

    /// The header as it stands, UDHL included, well formed or not; empty without one.
    pub fn header(&self) -> &'a [u8] {
        self.octets.get(..self.header_octets()).unwrap_or_default()
    }

    /// The octets behind the header: packed septets from bit [`UserData::fill_bits`] on, or the text itself.
    pub fn body(&self) -> &'a [u8] {
        self.octets.get(self.header_octets()..).unwrap_or_default()
    }

    /// Octets of the header, UDHL included.
    pub const fn header_octets(&self) -> usize {
        self.header_octets as usize
    }

    /// Septets that the header takes, its fill bits included.
    pub const fn header_septets(&self) -> usize {
        (self.header_octets() * 8).div_ceil(7)
    }

    /// Bits that bring the text behind a header to a septet's boundary, 0 to 6.
    pub const fn fill_bits(&self) -> u32 {
        fill_bits(self.header_octets())
    }

    /// Unpacks the text of a GSM 7-bit message, an octet a septet.
    pub fn septets<'o>(&self, out: &'o mut [u8; SEPTETS]) -> &'o [u8] {
        gsm7::unpack(self.body(), self.fill_bits(), self.text_septets(), out)
    }

    /// Septets of text that TP-UDL promises.
    pub fn text_septets(&self) -> usize {
        usize::from(self.tp_udl).saturating_sub(self.header_septets())
    }

    /// It can be read as text. Compressed text cannot; 8-bit data only when every octet is a printable Latin-1 character, and neither
    /// a port nor a SIM toolkit header says that it is meant for a program.
    pub fn has_text(&self) -> bool {
        !self.dcs.is_compressed()
            && match self.alphabet() {
                Alphabet::Gsm7 | Alphabet::Ucs2 => true,
                Alphabet::EightBit => {
                    let for_program = self.udh.is_some_and(|udh| udh.ports().is_some() || udh.has_sim_toolkit());
                    !for_program && !self.body().is_empty() && self.body().iter().all(|octet| is_printable_latin1(*octet))
                }
            }
    }

    /// Appends the text, if it has any (see [`UserData::has_text`]), and says what was odd about it.
    ///
    /// Allocates nothing when `out` has room: three octets a septet or two UCS2 octets are always enough.
    pub fn text(&self, out: &mut String) -> Problems {
        if self.dcs.coding().in_septets {
            let mut septets = gsm7::BUFFER;
            let count = self.septets(&mut septets).len();
            return gsm7::push_text(&septets, count, self.tables, out);
        }
        if !self.has_text() {
            return Problems::NONE;
        }
        if self.alphabet() == Alphabet::Ucs2 {
            return ucs2::push_text(self.body(), out);
        }
        out.extend(self.body().iter().map(|octet| char::from(*octet)));
        Problems::NONE
    }

    /// Each character with the septets (GSM 7-bit) or octets (else) of the text that it takes. Empty when there is no text.
    pub fn units(&self) -> Units<'a> {
        let (mut septets, mut len) = (gsm7::BUFFER, self.body().len());
        if !self.has_text() {
            len = 0;
        } else if self.alphabet() == Alphabet::Gsm7 {
            len = self.septets(&mut septets).len();
        }
        Units { alphabet: self.alphabet(), body: self.body(), septets, len, at: 0, tables: self.tables }
    }

    /// Half of a surrogate pair at the end of UCS2 text, whose other half the next part may start with.
    pub fn trailing_surrogate(&self) -> Option<u16> {
        self.ucs2().last().filter(|unit| (0xd800..0xdc00).contains(unit))
    }

    /// Half of a surrogate pair at the start of UCS2 text, whose other half the part before may end with.
    pub fn leading_surrogate(&self) -> Option<u16> {
        self.ucs2().next().filter(|unit| (0xdc00..0xe000).contains(unit))
    }

    fn ucs2(&self) -> impl Iterator<Item = u16> + 'a {
        let body = if self.alphabet() == Alphabet::Ucs2 && !self.dcs.is_compressed() { self.body() } else { &[] };
        code_units(body)
    }
}

/// Bits between a header of this many octets and the next septet's boundary.
pub(super) const fn fill_bits(header_octets: usize) -> u32 {
    // An octet is one bit more than a septet: one octet more, one bit less, and 6 is -1 of 7.
    (header_octets * 6 % 7) as u32
}

/// What a text holds: no control characters but those of lines and tabs, which 8-bit data for programs is full of.
const fn is_printable_latin1(octet: u8) -> bool {
    matches!(octet, 0x20..=0x7e | 0xa0..=0xff | b'\n' | b'\r' | b'\t')
}

/// See [`UserData::units`].
#[derive(Clone, Debug)]
pub struct Units<'a> {
    alphabet: Alphabet,
    body: &'a [u8],
    septets: [u8; SEPTETS],
    len: usize,
    at: usize,
    tables: Tables,
}

impl Iterator for Units<'_> {
    type Item = (Range<u8>, char);

    fn next(&mut self) -> Option<Self::Item> {
        let (character, taken) = match self.alphabet {
            Alphabet::Gsm7 => {
                let read = gsm7::read(self.septets.get(self.at..self.len)?, self.tables)?;
                (read.character, usize::from(read.septets))
            }
            Alphabet::EightBit => (char::from(*self.body.get(self.at..self.len)?.first()?), 1),
            Alphabet::Ucs2 => {
                let units = code_units(self.body.get(self.at..self.len)?).take(2);
                let character = char::decode_utf16(units).next()?.unwrap_or(char::REPLACEMENT_CHARACTER);
                (character, character.len_utf16() * 2)
            }
        };
        let start = u8::try_from(self.at).ok()?;
        self.at += taken;
        Some((start..u8::try_from(self.at).ok()?, character))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tp_udl: u8, field: &[u8], udhi: bool, dcs: u8) -> (String, Problems) {
        let user_data = UserData::parse(tp_udl, field, udhi, Dcs(dcs));
        let mut out = String::new();
        let problems = user_data.text(&mut out);
        (out, problems | user_data.problems)
    }

    #[test]
    fn the_length_is_trusted_against_a_phantom_at_sign() {
        // Seven septets in seven octets leave seven zero bits, which an eighth septet would make an `@`.
        let field = [0x61, 0xf1, 0x98, 0x5c, 0x36, 0x9f, 0x01];
        assert_eq!(read(7, &field, false, 0), ("abcdefg".into(), Problems::NONE));
        assert_eq!(read(8, &field, false, 0), ("abcdefg@".into(), Problems::NONE));
        assert_eq!(read(6, &field, false, 0), ("abcdef".into(), Problems::TRAILING_OCTETS));
        assert_eq!(read(9, &field, false, 0), ("abcdefg@".into(), Problems::UDL_BEYOND_OCTETS));
    }

    #[test]
    fn text_starts_behind_a_header_that_is_ignored() {
        let good = [0x05, 0x00, 0x03, 9, 2, 1, b'a', b'b'];
        assert_eq!(read(8, &good, true, 4), ("ab".into(), Problems::NONE));
        let mut bad = good;
        bad[2] = 9;
        assert_eq!(read(8, &bad, true, 4), ("ab".into(), Problems::BAD_UDH));
        bad[0] = 99;
        assert_eq!(read(8, &bad, true, 4), (String::new(), Problems::BAD_UDH));
        assert_eq!(read(0, &[], true, 0), (String::new(), Problems::BAD_UDH));
    }

    #[test]
    fn ucs2_is_read_as_utf_16_and_its_halves_are_kept_visible() {
        assert_eq!(read(4, &[0xd8, 0x3d, 0xdc, 0xe6], false, 8), ("📦".into(), Problems::NONE));
        assert_eq!(read(3, &[0x00, 0x61, 0x00], false, 8), ("a".into(), Problems::ODD_OCTET));
        let field = [0xdc, 0xe6, 0x00, 0x61, 0xd8, 0x3d];
        assert_eq!(read(6, &field, false, 8), ("\u{fffd}a\u{fffd}".into(), Problems::LONE_SURROGATE));
        let user_data = UserData::parse(6, &field, false, Dcs(8));
        assert_eq!((user_data.leading_surrogate(), user_data.trailing_surrogate()), (Some(0xdce6), Some(0xd83d)));
        let user_data = UserData::parse(4, &[0xd8, 0x3d, 0xdc, 0xe6], false, Dcs(8));
        assert_eq!((user_data.leading_surrogate(), user_data.trailing_surrogate()), (None, None));
    }

    #[test]
    fn eight_bit_data_is_text_only_when_printable_and_not_for_a_program() {
        assert_eq!(read(4, b"a\xe9\n.", false, 4).0, "aé\n.");
        for (field, udhi) in [(&b"a\x00"[..], false), (b"a\x85", false), (b"", false), (b"\x04\x04\x02\x09\x09text", true)] {
            assert!(!UserData::parse(u8::try_from(field.len()).unwrap(), field, udhi, Dcs(4)).has_text(), "{field:?}");
        }
    }

    #[test]
    fn more_than_a_message_may_hold_is_read_all_the_same() {
        let field = vec![0x55; 224];
        let (text, problems) = read(255, &field, false, 0);
        assert_eq!((text.chars().count(), problems), (255, Problems::UDL_OVER_LIMIT));
        assert_eq!(UserData::parse(255, &field, false, Dcs(0)).units().count(), 255);
    }

    #[test]
    fn text_allocates_nothing_where_there_is_room() {
        let field = vec![0x1b; 140];
        let mut out = String::with_capacity(480);
        let before = (out.as_ptr(), out.capacity());
        UserData::parse(160, &field, false, Dcs(0)).text(&mut out);
        UserData::parse(140, &[0x4e; 140], false, Dcs(8)).text(&mut out);
        assert_eq!((out.as_ptr(), out.capacity()), before);
    }
}
