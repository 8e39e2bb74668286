//! A host by the URL standard: percent-decoded, IDNA (UTS 46, not transitional), IPv4 in every numeric form, IPv6.

use core::net::{Ipv4Addr, Ipv6Addr};

use idna::uts46::{AsciiDenyList, ErrorPolicy, Hyphens, ProcessingSuccess, Uts46};

use super::{Bad, HostKind, ace, path::push_decimal};

/// A host that needs IDNA may have so many characters after mapping: DNS knows 253, and below that `idna` keeps to
/// the stack.
pub(super) const MAX_IDN: usize = 253;

#[derive(Clone, Debug)]
pub(super) struct Scratch {
    decoded: Vec<u8>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self { decoded: Vec::with_capacity(super::RESERVE) }
    }
}

/// Appends the canonical host and says what it is.
pub(super) fn write(host: &str, scratch: &mut Scratch, out: &mut String) -> Result<HostKind, Bad> {
    if let Some(inside) = host.strip_prefix('[') {
        let address = inside.strip_suffix(']').ok_or(Bad::Host)?.parse().map_err(|_| Bad::Host)?;
        push_ipv6(address, out);
        return Ok(HostKind::Ipv6);
    }
    decode(host.as_bytes(), &mut scratch.decoded);
    let start = out.len();
    to_ascii(&scratch.decoded, out)?;
    let name = out.get(start..).unwrap_or_default();
    if name.is_empty() {
        return Err(Bad::Host);
    }
    if !ends_in_a_number(name) {
        return Ok(HostKind::Domain);
    }
    let address = ipv4(name).ok_or(Bad::Host)?;
    out.truncate(start);
    for (i, octet) in address.octets().into_iter().enumerate() {
        if i > 0 {
            out.push('.');
        }
        push_decimal(u32::from(octet), out);
    }
    Ok(HostKind::Ipv4)
}

/// Percent-decodes once; what is no valid escape stays.
pub(super) fn decode(bytes: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut rest = bytes;
    loop {
        rest = match rest {
            [b'%', high, low, behind @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex(*high) << 4 | hex(*low));
                behind
            }
            [first, behind @ ..] => {
                out.push(*first);
                behind
            }
            [] => return,
        };
    }
}

/// The value of a hexadecimal digit (0 for anything else).
pub(super) fn hex(digit: u8) -> u8 {
    char::from(digit).to_digit(16).unwrap_or(0) as u8
}

/// Domain to ASCII, appended. Plain ASCII names without `xn--` need no IDNA: only case and the forbidden characters.
fn to_ascii(name: &[u8], out: &mut String) -> Result<(), Bad> {
    if name.is_ascii() && !ace(name) {
        if !name.iter().all(|&b| allowed(b)) {
            return Err(Bad::Host);
        }
        out.extend(name.iter().map(|b| char::from(b.to_ascii_lowercase())));
        return Ok(());
    }
    if weight(name) > MAX_IDN {
        return Err(Bad::TooLong);
    }
    let start = out.len();
    let keep = |_: &[char], _: &[char], _: bool| false;
    let done = Uts46::new().process(name, AsciiDenyList::URL, Hyphens::Allow, ErrorPolicy::FailFast, keep, out, None);
    match done.map_err(|_| Bad::Host)? {
        ProcessingSuccess::Passthrough => out.extend(name.iter().map(|&b| char::from(b))),
        ProcessingSuccess::WroteToSink => {}
    }
    // What is written is read again: as long as it may be, it has its own form.
    let written = out.get(start..).unwrap_or_default().as_bytes();
    if ace(written) && weight(written) > MAX_IDN { Err(Bad::TooLong) } else { Ok(()) }
}

/// The standard's forbidden domain code points, turned round, for ASCII.
fn allowed(b: u8) -> bool {
    b > b' '
        && b < 0x7f
        && !matches!(b, b'%' | b'#' | b'/' | b':' | b'<' | b'>' | b'?' | b'@' | b'[' | b'\\' | b']' | b'^' | b'|')
}

/// An upper bound of the characters that mapping makes of a name: a few compatibility characters become up to 18.
fn weight(name: &[u8]) -> usize {
    name.iter()
        .map(|&b| match b {
            0x80..=0xbf => 0,
            0xef => 18,       // U+F000..: U+FDFA alone becomes 18
            0xe3 => 6,        // U+3000..: U+3300.. become up to 6
            0xc2..=0xf4 => 4, // the rest at most 4
            _ => 1,
        })
        .sum()
}

/// Whether the last label makes the whole an IPv4 address or a failure.
fn ends_in_a_number(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or_default();
    !last.is_empty() && (last.bytes().all(|b| b.is_ascii_digit()) || number(last).is_some())
}

/// One part of an IPv4 address: decimal, octal (0…), hexadecimal (0x…). `None` where it is no number; too large is
/// the largest.
fn number(part: &str) -> Option<u32> {
    let (digits, radix) = match part.as_bytes() {
        [] => return None,
        [b'0', b'x' | b'X', ..] => (part.get(2..)?, 16),
        [b'0', _, ..] => (part.get(1..)?, 8),
        _ => (part, 10),
    };
    digits
        .chars()
        .try_fold(0_u64, |sum, c| Some((sum * u64::from(radix) + u64::from(c.to_digit(radix)?)).min(1 << 32)))
        .map(|value| u32::try_from(value).unwrap_or(u32::MAX))
}

/// Whether a part is above 32 bits, which [`number`] cannot tell from its largest value.
fn too_large(part: &str) -> bool {
    let (digits, radix) = match part.as_bytes() {
        [b'0', b'x' | b'X', ..] => (part.get(2..).unwrap_or_default(), 16),
        [b'0', _, ..] => (part.get(1..).unwrap_or_default(), 8),
        _ => (part, 10),
    };
    let digits = digits.trim_start_matches('0');
    !digits.is_empty() && u32::from_str_radix(digits, radix).is_err()
}

/// One to four numbers; the last fills all octets that are left.
fn ipv4(name: &str) -> Option<Ipv4Addr> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let parts = name.split('.').count();
    if parts > 4 {
        return None;
    }
    let mut address = 0_u64;
    for (i, part) in name.split('.').enumerate() {
        let value = u64::from(number(part).filter(|_| !too_large(part))?);
        let octets = if i + 1 == parts { 4 - i } else { 1 };
        if value >= 1 << (8 * octets) {
            return None;
        }
        let shift = 8 * (4 - i - octets);
        address |= value << shift;
    }
    u32::try_from(address).ok().map(Ipv4Addr::from)
}

/// In brackets, lower case, the first longest run of two or more zero pieces as `::`, never with a dotted tail.
fn push_ipv6(address: Ipv6Addr, out: &mut String) {
    let pieces = address.segments();
    let (mut best, mut run) = (0..0, 0..0);
    for (i, &piece) in pieces.iter().enumerate() {
        run = if piece == 0 { if run.end == i && !run.is_empty() { run.start..i + 1 } else { i..i + 1 } } else { 0..0 };
        if run.len() > best.len() {
            best = run.clone();
        }
    }
    if best.len() < 2 {
        best = 8..8;
    }
    out.push('[');
    for (i, &piece) in pieces.iter().enumerate() {
        if best.contains(&i) {
            if i == best.start {
                out.push_str(if i == 0 { "::" } else { ":" });
            }
            continue;
        }
        let mut leading = true;
        for shift in [12, 8, 4, 0] {
            let nibble = u32::from(piece >> shift & 15);
            leading &= nibble == 0 && shift > 0;
            if !leading {
                out.extend(char::from_digit(nibble, 16));
            }
        }
        if i < 7 {
            out.push(':');
        }
    }
    out.push(']');
}
