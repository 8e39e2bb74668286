//! What was odd about a message that could be read all the same: a set of marks, `Copy`, named for records and counters.

use core::fmt;
use core::ops::{BitOr, BitOrAssign};

/// A set of oddities; empty for a message as the specifications want it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Problems(u16);

impl Problems {
    /// Nothing odd.
    pub const NONE: Self = Self(0);
    /// TP-UDL asks for more than the octets that are there: what is there was taken.
    pub const UDL_BEYOND_OCTETS: Self = Self(1);
    /// TP-UDL above 160 septets or 140 octets: all of it was read.
    pub const UDL_OVER_LIMIT: Self = Self(1 << 1);
    /// Octets behind the user data that TP-UDL does not count: not read.
    pub const TRAILING_OCTETS: Self = Self(1 << 2);
    /// Lengths of the user data header that do not fit: the header was ignored, the text starts behind it.
    pub const BAD_UDH: Self = Self(1 << 3);
    /// Half of a surrogate pair, shown as U+FFFD.
    pub const LONE_SURROGATE: Self = Self(1 << 4);
    /// A last octet that is half a UCS2 character: ignored.
    pub const ODD_OCTET: Self = Self(1 << 5);
    /// ESC with nothing behind it: ignored.
    pub const ESC_AT_END: Self = Self(1 << 6);
    /// ESC before a septet that the extension table does not have: read from the base table.
    pub const UNKNOWN_ESC: Self = Self(1 << 7);
    /// A septet that its table leaves empty: shown as a space.
    pub const EMPTY_PLACE: Self = Self(1 << 8);
    /// A coding scheme that the specification keeps for later: read as the default alphabet.
    pub const RESERVED_DCS: Self = Self(1 << 9);
    /// TP-MTI 3: read as DELIVER, as a handset does (TS 23.040 §9.2.3.1).
    pub const RESERVED_MTI: Self = Self(1 << 10);
    /// A time stamp that is no date.
    pub const BAD_TIME: Self = Self(1 << 11);
    /// An address longer than the 20 semi-octets of TS 23.040 §9.1.2.5.
    pub const LONG_ADDRESS: Self = Self(1 << 12);

    const NAMES: [(Self, &'static str); 13] = [
        (Self::UDL_BEYOND_OCTETS, "TP-UDL beyond the octets present"),
        (Self::UDL_OVER_LIMIT, "TP-UDL over 160 septets or 140 octets"),
        (Self::TRAILING_OCTETS, "octets behind the user data"),
        (Self::BAD_UDH, "user data header with bad lengths"),
        (Self::LONE_SURROGATE, "lone surrogate"),
        (Self::ODD_OCTET, "odd last octet"),
        (Self::ESC_AT_END, "ESC at the end"),
        (Self::UNKNOWN_ESC, "unknown ESC"),
        (Self::EMPTY_PLACE, "septet without a character"),
        (Self::RESERVED_DCS, "reserved data coding scheme"),
        (Self::RESERVED_MTI, "reserved message type"),
        (Self::BAD_TIME, "impossible time stamp"),
        (Self::LONG_ADDRESS, "address over 20 semi-octets"),
    ];

    /// Nothing odd.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// All of `other` are in it.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The set, with `what` if `so`.
    #[must_use]
    #[inline]
    pub const fn with(self, what: Self, so: bool) -> Self {
        Self(self.0 | (what.0 * so as u16))
    }

    /// The names of those in it, fit for counters.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let names: &[_] = if self.is_empty() { &[] } else { &Self::NAMES };
        names.iter().filter(move |(mark, _)| self.contains(*mark)).map(|(_, name)| *name)
    }
}

impl BitOr for Problems {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Problems {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, name) in self.names().enumerate() {
            if n > 0 {
                f.write_str(", ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_has_its_own_bit_and_name() {
        let all = Problems::NAMES.iter().fold(Problems::NONE, |all, (mark, _)| {
            assert!(!all.contains(*mark));
            all | *mark
        });
        assert_eq!(all.names().count(), Problems::NAMES.len());
        assert_eq!((Problems::ODD_OCTET | Problems::BAD_UDH).to_string(), "user data header with bad lengths, odd last octet");
    }
}
