//! Time as the desk writes it: Unix seconds in tables, RFC 3339 for people.

/// Unix seconds now, by the desk's clock.
pub fn now() -> i64 {
    crate::clock::now_ms().div_euclid(1_000)
}

/// The same for what counts from 1970 only.
pub fn now_unsigned() -> u64 {
    u64::try_from(now()).unwrap_or_default()
}

/// Unix seconds for people, in UTC; the number itself where it is no time.
pub fn shown(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// When something ends: `2026-12-31` (the whole day counts), `2026-12-31T18:00:00Z`, or from now on `90d`, `12h`, `30m`, `45s`.
///
/// # Errors
/// It is none of these; the text says what would be.
pub fn end(text: &str, now: i64) -> Result<i64, String> {
    let wrong = || format!("{text:?} is no time: 2026-12-31, 2026-12-31T18:00:00Z, or 90d, 12h, 30m from now");
    let text = text.trim();
    if let Some(seconds) = duration(text) {
        return now.checked_add(seconds).filter(|end| *end <= jiff::Timestamp::MAX.as_second()).ok_or_else(wrong);
    }
    control::clock::end(text).ok_or_else(wrong)
}

/// Seconds of `90d`, `12h`, `30m`, `45s`; `None` for anything else, zero too.
pub fn duration(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let each = match unit {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        's' => 1,
        _ => return None,
    };
    let count: i64 = text.get(..text.len() - 1)?.parse().ok().filter(|count| *count > 0)?;
    count.checked_mul(each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_days_instants_or_so_long_from_now() {
        assert_eq!(end("1970-01-02", 5), Ok(2 * 86_400));
        assert_eq!(end("1970-01-01T00:01:00Z", 5), Ok(60));
        assert_eq!(end("2h", 5), Ok(7_205));
        for wrong in ["soon", "", "0d", "-1d", "9223372036854775807d", "99999999999d", "2027-01-01T12:00", "2026-13-01", "é"] {
            assert!(end(wrong, 5).is_err(), "{wrong}");
        }
    }
}
