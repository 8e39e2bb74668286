//! Times: TP-Service-Centre-Time-Stamp (TS 23.040 §9.2.3.11) and the three forms of TP-Validity-Period (§9.2.3.12).

use core::fmt;

/// Year, month, day, hour, minute, second and the zone that they are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timestamp {
    /// In full. The two digits on the wire stand for 1990 to 2089: no short message is older.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// Quarters of an hour between local time and GMT.
    pub zone_quarters: i8,
}

impl Timestamp {
    /// Reads seven octets of swapped semi-octets; `None` if they are no date (nothing else depends on them).
    #[inline]
    pub fn parse(octets: &[u8; 7]) -> Option<Self> {
        // Seven pairs of digits at once, an octet each: tens in the low semi-octet, units in the high one. No sum leaves its octet.
        let [a, b, c, d, e, f, zone] = *octets;
        // Two overlapping words. Bit 3 of the zone's octet is the sign, which leaves three bits for the tens.
        let (low, high) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([d, e, f, zone]));
        let packed = (u64::from(low) | u64::from(high) << 24) & !(0x08 << 48);
        let (tens, units) = (packed & (EACH * 0x0f), (packed >> 4) & (EACH * 0x0f));
        let not_digits = (tens + EACH * 0x76) | (units + EACH * 0x76);
        let values = tens * 10 + units;
        let above = values + (EACH * 0x7f - MOST);
        let below = (values | (EACH * 0x80)) - LEAST;
        if (not_digits | above | !below) & (EACH * 0x80) != 0 {
            return None;
        }
        let [year, month, day, hour, minute, second, quarters, _] = values.to_le_bytes();
        let quarters = quarters.cast_signed();
        Some(Self {
            year: u16::from(year) + if year < 90 { 2000 } else { 1900 },
            month,
            day,
            hour,
            minute,
            second,
            zone_quarters: if zone & 0x08 == 0 { quarters } else { -quarters },
        })
    }

    /// The octets that [`Timestamp::parse`] reads.
    pub fn octets(&self) -> [u8; 7] {
        let year = u8::try_from(self.year % 100).unwrap_or_default();
        let zone = swapped(self.zone_quarters.unsigned_abs()) | if self.zone_quarters < 0 { 0x08 } else { 0 };
        [
            swapped(year),
            swapped(self.month),
            swapped(self.day),
            swapped(self.hour),
            swapped(self.minute),
            swapped(self.second),
            zone,
        ]
    }
}

/// ISO 8601 with the zone, as in `2026-11-23T17:59:58+01:00`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.zone_quarters < 0 { '-' } else { '+' };
        let quarters = self.zone_quarters.unsigned_abs();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{sign}{:02}:{:02}",
            self.year,
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second,
            quarters / 4,
            quarters % 4 * 15
        )
    }
}

/// How long the service centre is to try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validity {
    /// The field is absent.
    #[default]
    None,
    /// One octet, read by [`Validity::relative_minutes`].
    Relative(u8),
    /// A point in time; `None` if the octets are no date.
    Absolute(Option<Timestamp>),
    /// Seven octets, the first of which says what the others are.
    Enhanced([u8; 7]),
}

impl Validity {
    /// Minutes that a relative period stands for (§9.2.3.12.1).
    pub fn relative_minutes(self) -> Option<u32> {
        let Self::Relative(value) = self else { return None };
        let value = u32::from(value);
        Some(match value {
            0..=143 => (value + 1) * 5,
            144..=167 => 12 * 60 + (value - 143) * 30,
            168..=196 => (value - 166) * 24 * 60,
            _ => (value - 192) * 7 * 24 * 60,
        })
    }
}

/// A one in each octet.
const EACH: u64 = 0x0101_0101_0101_0101;

/// Month and day count from one.
const LEAST: u64 = u64::from_le_bytes([0, 1, 1, 0, 0, 0, 0, 0]);
/// Year, month, day, hour, minute, second, quarters of an hour; an octet that is not there.
const MOST: u64 = u64::from_le_bytes([99, 12, 31, 23, 59, 59, 79, 0]);

fn swapped(value: u8) -> u8 {
    ((value % 10) << 4) | (value / 10 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_stamp_reads_as_iso_8601_with_its_zone() {
        let time = Timestamp::parse(&[0x62, 0x11, 0x32, 0x71, 0x95, 0x85, 0x40]).unwrap();
        assert_eq!(time.to_string(), "2026-11-23T17:59:58+01:00");
        assert_eq!(time.octets(), [0x62, 0x11, 0x32, 0x71, 0x95, 0x85, 0x40]);
    }

    #[test]
    fn the_sign_of_the_zone_is_bit_3() {
        let time = Timestamp::parse(&[0x11, 0x70, 0x02, 0x12, 0x22, 0x22, 0x2b]).unwrap();
        assert_eq!(time.to_string(), "2011-07-20T21:22:22-08:00");
        assert_eq!(time.octets()[6], 0x2b);
    }

    #[test]
    fn octets_that_are_no_date_give_none() {
        for (at, octet) in [(0, 0xa0), (1, 0x00), (1, 0x31), (2, 0x00), (2, 0x23), (3, 0x42), (4, 0x06), (5, 0x06), (6, 0xf0)] {
            let mut octets = [0x62, 0x11, 0x32, 0x71, 0x95, 0x85, 0x40];
            octets[at] = octet;
            assert_eq!(Timestamp::parse(&octets), None, "octet {at} is {octet:02x}");
        }
    }

    /// Digit by digit, as the specification tells it.
    fn plainly(octets: &[u8; 7]) -> Option<Timestamp> {
        let pair = |octet: u8| (octet & 15 < 10 && octet >> 4 < 10).then_some((octet & 15) * 10 + (octet >> 4));
        let [year, month, day, hour, minute, second] =
            [octets[0], octets[1], octets[2], octets[3], octets[4], octets[5]].map(|octet| pair(octet).unwrap_or(255));
        let quarters = i8::try_from(pair(octets[6] & 0xf7)?).unwrap();
        let valid = year < 100 && (1..13).contains(&month) && (1..32).contains(&day) && hour < 24 && minute < 60 && second < 60;
        let year = u16::from(year) + if year < 90 { 2000 } else { 1900 };
        let zone_quarters = if octets[6] & 8 == 0 { quarters } else { -quarters };
        valid.then_some(Timestamp { year, month, day, hour, minute, second, zone_quarters })
    }

    #[test]
    fn seven_pairs_at_once_are_seven_pairs_one_by_one() {
        for first in [0x62, 0x09, 0x00] {
            for at in 0..7 {
                for other in 0..7 {
                    for octet in 0..=255 {
                        let mut octets = [first, 0x11, 0x32, 0x71, 0x95, 0x85, 0x40];
                        octets[other] = octet ^ 0x5a;
                        octets[at] = octet;
                        assert_eq!(Timestamp::parse(&octets), plainly(&octets), "{octets:02x?}");
                    }
                }
            }
        }
    }

    #[test]
    fn relative_validity_has_four_ranges() {
        for (value, minutes) in
            [(0, 5), (143, 720), (144, 750), (167, 1440), (168, 2 * 1440), (196, 30 * 1440), (197, 5 * 10080), (255, 63 * 10080)]
        {
            assert_eq!(Validity::Relative(value).relative_minutes(), Some(minutes), "{value}");
        }
        assert_eq!(Validity::None.relative_minutes(), None);
    }
}
