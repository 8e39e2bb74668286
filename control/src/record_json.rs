//! How the fields of a record are written as JSON.

use std::fmt::{self, Write as _};
use std::io;
use std::net::{IpAddr, SocketAddr};

use serde::{Serialize, Serializer};
use serde_json::ser::{Formatter, Serializer as Writer};

use crate::terminal::is_hidden;

/// Appends one object and a line break. What no terminal may get raw is escaped: a record is read on terminals too, and is the same JSON.
pub fn push_line(out: &mut Vec<u8>, object: &impl Serialize) {
    // Neither a Vec nor these types can fail: no map has keys that are not strings.
    let _ = object.serialize(&mut Writer::with_formatter(&mut *out, Escaping));
    out.push(b'\n');
}

/// JSON without a space, as `serde_json` writes it, but with `\uXXXX` for what [`crate::terminal::shown`] would mark.
#[derive(Debug)]
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.is_ascii() && !fragment.contains('\u{7f}') {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|&(_, c)| is_hidden(c)) {
            let (plain, from) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = from.get(c.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }
}

/// Nanoseconds since 1970 as RFC 3339 with nine decimals.
pub(crate) fn time<S: Serializer>(time_ns: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    match time_ns {
        Some(time_ns) => serializer.collect_str(&Rfc3339(*time_ns)),
        None => serializer.serialize_none(),
    }
}

/// A name that many records share.
pub(crate) fn shared<S: Serializer>(name: &std::sync::Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(name)
}

/// `192.0.2.1:2905-192.0.2.2:2905`.
pub(crate) fn association<S: Serializer>(ends: &Option<[(IpAddr, u16); 2]>, serializer: S) -> Result<S::Ok, S::Error> {
    match ends {
        Some([from, to]) => serializer.collect_str(&format_args!("{}-{}", SocketAddr::from(*from), SocketAddr::from(*to))),
        None => serializer.serialize_none(),
    }
}

/// A time in UTC: `2026-11-23T18:00:00.123456789Z`.
#[derive(Clone, Copy, Debug)]
pub struct Rfc3339(pub u64);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(time_ns) = *self;
        let (seconds, nanos) = (time_ns / 1_000_000_000, time_ns % 1_000_000_000);
        let (year, month, day) = civil(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
    }
}

/// Year, month and day of a day since 1970-01-01, by eras of 400 years (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468; // days since 0000-03-01
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Octets in hexadecimal.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut out, octet| {
        let _ = write!(out, "{octet:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_has_nine_decimals_and_ends_in_z() {
        assert_eq!(Rfc3339(0).to_string(), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(Rfc3339(1_795_456_800_123_456_789).to_string(), "2026-11-23T18:00:00.123456789Z");
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_read_back_as_it_was() {
        let text = "a\u{1b}]0;x\u{7} \u{9b}31m \u{202e}moc \u{7f}\u{ad}é你😀\u{e0041}\u{f0000}\u{a0}\n";
        let mut out = Vec::new();
        push_line(&mut out, &text);
        let line = String::from_utf8(out).unwrap();
        assert_eq!(line.trim_end_matches('\n').chars().find(|&c| is_hidden(c)), None, "{line}");
        assert!(line.contains(r"\u202emoc \u007f\u00adé你😀\udb40\udc41"), "{line}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }

    proptest! {
        #[test]
        fn every_text_is_read_back_as_it_was_and_shows_nothing_hidden(text in "\\PC{0,30}|.{0,30}") {
            let mut out = Vec::new();
            push_line(&mut out, &text);
            let line = String::from_utf8(out).unwrap();
            prop_assert!(!line.trim_end_matches('\n').chars().any(is_hidden), "{}", line);
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }

        #[test]
        fn every_time_is_the_one_that_jiff_writes(time_ns: u64) {
            let jiff = jiff::Timestamp::from_nanosecond(i128::from(time_ns)).unwrap();
            prop_assert_eq!(Rfc3339(time_ns).to_string(), jiff.strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string());
        }
    }
}
