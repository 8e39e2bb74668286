//! One view of text in UTF-8, septets and UCS2, for the second look of the sieve: characters at and before a unit.

/// A text as units: octets, septets, code units.
pub(super) trait Units {
    /// The character that begins at unit `at`, and its length in units.
    fn at(&self, at: usize) -> Option<(char, usize)>;
    /// The character that ends before unit `at`, and its length in units.
    fn before(&self, at: usize) -> Option<(char, usize)>;
    /// The label at `at` as a number, and its length, if it is of ASCII letters and digits, at most eight, and what
    /// ends it is no part of any label. `None` says nothing.
    fn short_label(&self, _at: usize) -> Option<(u64, usize)> {
        None
    }
}

/// As [`Units::short_label`], for UTF-8 and septets: where they differ it gives up.
fn short_label(octets: &[u8], at: usize) -> Option<(u64, usize)> {
    let (mut key, mut len) = (0, 0);
    for &b in octets.get(at..)?.iter().take(9) {
        match b {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' if len < 8 => {
                key |= u64::from(b | 0x20) << (8 * len);
                len += 1;
            }
            b'\n' | b'\r' | b' '..=b'#' | b'%'..=b',' | b'.' | b'/' | b':'..=b'?' => return Some((key, len)),
            _ => return None,
        }
    }
    Some((key, len))
}

/// UTF-8; what is broken shows as U+FFFD.
pub(super) struct Utf8<'a>(pub(super) &'a [u8]);

impl Units for Utf8<'_> {
    fn short_label(&self, at: usize) -> Option<(u64, usize)> {
        short_label(self.0, at)
    }

    fn at(&self, at: usize) -> Option<(char, usize)> {
        let &first = self.0.get(at)?;
        if first < 0x80 {
            return Some((char::from(first), 1));
        }
        let len = if first >= 0xf0 { 4 } else { 3 - usize::from(first < 0xe0) };
        let c = self.0.get(at..at + len).and_then(|bytes| core::str::from_utf8(bytes).ok()).and_then(|text| text.chars().next());
        Some(c.map_or((char::REPLACEMENT_CHARACTER, 1), |c| (c, len)))
    }

    fn before(&self, at: usize) -> Option<(char, usize)> {
        let len = (1..=4).find(|&len| at.checked_sub(len).and_then(|from| self.0.get(from)).is_some_and(|b| b & 0xc0 != 0x80))?;
        self.at(at - len)
    }
}

/// Unpacked septets of the GSM default alphabet with its extension (TS 23.038 §6.2.1).
pub(super) struct Septets<'a>(pub(super) &'a [u8]);

/// The default alphabet; U+001B stands for ESC.
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

fn gsm(septet: u8) -> char {
    match septet {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b' ' | b'.' => char::from(septet),
        _ => GSM.chars().nth(usize::from(septet)).unwrap_or(' '),
    }
}

impl Units for Septets<'_> {
    fn short_label(&self, at: usize) -> Option<(u64, usize)> {
        short_label(self.0, at)
    }

    fn at(&self, at: usize) -> Option<(char, usize)> {
        let &septet = self.0.get(at)?;
        if septet != 0x1b {
            return Some((gsm(septet), 1));
        }
        let Some(&behind) = self.0.get(at + 1) else { return Some((' ', 1)) };
        let c = match behind {
            0x14 => '^',
            0x28 => '{',
            0x29 => '}',
            0x2f => '\\',
            0x3c => '[',
            0x3d => '~',
            0x3e => ']',
            0x40 => '|',
            0x65 => '€',
            0x1b | 0x0a | 0x0d => ' ',
            other => gsm(other),
        };
        Some((c, 2))
    }

    fn before(&self, at: usize) -> Option<(char, usize)> {
        if at >= 2 && self.0.get(at - 2) == Some(&0x1b) {
            return self.at(at - 2);
        }
        self.at(at.checked_sub(1)?)
    }
}

/// UTF-16, big endian; an odd last octet is ignored, a lone surrogate shows as U+FFFD.
pub(super) struct Ucs2<'a>(pub(super) &'a [u8]);

impl Ucs2<'_> {
    fn unit(&self, at: usize) -> Option<u16> {
        let &[high, low] = self.0.get(2 * at..2 * at + 2)?.first_chunk()?;
        Some(u16::from_be_bytes([high, low]))
    }
}

impl Units for Ucs2<'_> {
    fn at(&self, at: usize) -> Option<(char, usize)> {
        let unit = self.unit(at)?;
        if let Some(c) = char::from_u32(u32::from(unit)) {
            return Some((c, 1));
        }
        let pair = [unit, self.unit(at + 1).unwrap_or_default()];
        Some(char::decode_utf16(pair).next().and_then(Result::ok).map_or((char::REPLACEMENT_CHARACTER, 1), |c| (c, 2)))
    }

    fn before(&self, at: usize) -> Option<(char, usize)> {
        let low = self.unit(at.checked_sub(1)?)?;
        if (0xdc00..0xe000).contains(&low) && at >= 2 { self.at(at - 2) } else { self.at(at - 1) }
    }
}
