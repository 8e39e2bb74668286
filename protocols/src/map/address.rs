//! Numbers as MAP writes them, TS 29.002 §17.7.8: TBCD strings and AddressStrings.

use core::fmt::{self, Write as _};

/// Digits two an octet, low nibble first, `f` as filler: an IMSI, or what stands behind the first octet of an [`AddressString`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Tbcd<'a>(pub &'a [u8]);

impl<'a> Tbcd<'a> {
    /// The digits up to the first filler: `0` to `9`, `*`, `#`, `a`, `b`, `c`.
    pub fn chars(self) -> impl Iterator<Item = char> + use<'a> {
        const SIGNS: [char; 15] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'a', 'b', 'c'];
        let nibbles = self.0.iter().flat_map(|octet| [octet & 0x0f, octet >> 4]);
        nibbles.map_while(|nibble| SIGNS.get(usize::from(nibble)).copied())
    }

    /// Whether there is no digit.
    pub fn is_empty(self) -> bool {
        self.chars().next().is_none()
    }
}

impl fmt::Display for Tbcd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars().try_for_each(|digit| f.write_char(digit))
    }
}

/// A number with its nature and plan: MSISDN, service centre, node. Displays as its digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct AddressString<'a>(pub &'a [u8]);

impl<'a> AddressString<'a> {
    fn head(self) -> u8 {
        self.0.first().copied().unwrap_or(0)
    }

    /// The extension bit: set where no further octet of the kind follows, as always.
    pub fn extension(self) -> bool {
        self.head() & 0x80 != 0
    }

    /// Nature of address: 1 is international, 2 national.
    pub fn nai(self) -> u8 {
        self.head() >> 4 & 7
    }

    /// Numbering plan: 1 is E.164, 6 E.212.
    pub fn npi(self) -> u8 {
        self.head() & 0x0f
    }

    /// The digits behind the first octet.
    pub fn digits(self) -> Tbcd<'a> {
        Tbcd(self.0.get(1..).unwrap_or_default())
    }
}

impl fmt::Display for AddressString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digits().fmt(f)
    }
}
