//! Messages appended to a buffer: what the generator sends and the tests read back.

use super::{Address, Kind, Segmentation};

impl Address<'_> {
    /// An ITU address of E.164 digits (GTI 4, translation type 0, international), routed on the global title.
    pub fn push_e164(out: &mut Vec<u8>, digits: &str, ssn: u8) {
        let odd = digits.len() % 2 == 1;
        out.extend_from_slice(&[0x12, ssn, 0, if odd { 0x11 } else { 0x12 }, 4]);
        push_nibbles(out, digits, 0);
    }

    /// An ITU address of subsystem number and, if given, point code, routed on these.
    pub fn push_ssn(out: &mut Vec<u8>, ssn: u8, pc: Option<u16>) {
        out.push(0x42 | u8::from(pc.is_some()));
        if let Some(pc) = pc {
            out.extend_from_slice(&(pc & 0x3fff).to_le_bytes());
        }
        out.push(ssn);
    }
}

/// Appends digits two an octet, low nibble first, with `filler` behind an odd number. What is no hexadecimal digit is left out.
pub(crate) fn push_nibbles(out: &mut Vec<u8>, digits: &str, filler: u8) {
    let mut nibbles = digits.chars().filter_map(|digit| digit.to_digit(16)?.to_le_bytes().first().copied());
    while let Some(low) = nibbles.next() {
        out.push(nibbles.next().unwrap_or(filler) << 4 | low);
    }
}

/// Appends a UDT. `None`, and nothing appended, if a part is longer than its length octet or pointer can tell.
pub fn push_udt(out: &mut Vec<u8>, class: u8, return_on_error: bool, called: &[u8], calling: &[u8], data: &[u8]) -> Option<()> {
    let fixed = [Kind::Udt.code(), class_octet(class, return_on_error)];
    short(out, &fixed, 3, [called, calling, data], &[])
}

/// Appends an XUDT with what it has of segmentation and importance. `None` as in [`push_udt`].
#[expect(clippy::too_many_arguments, reason = "the message's own fields, in its order")]
pub fn push_xudt(
    out: &mut Vec<u8>,
    class: u8,
    return_on_error: bool,
    hop_counter: u8,
    called: &[u8],
    calling: &[u8],
    data: &[u8],
    segmentation: Option<Segmentation>,
    importance: Option<u8>,
) -> Option<()> {
    let fixed = [Kind::Xudt.code(), class_octet(class, return_on_error), hop_counter];
    short(out, &fixed, 4, [called, calling, data], &optional(segmentation, importance))
}

/// The XUDT messages that carry `data` in segments of at most `size` octets. `None` if more than 16 would be needed, which is what
/// the four bits of [`Segmentation::remaining`] can tell, or a part does not fit.
pub fn xudt_segments(
    class: u8,
    hop_counter: u8,
    called: &[u8],
    calling: &[u8],
    data: &[u8],
    size: usize,
    local_reference: u32,
) -> Option<Vec<Vec<u8>>> {
    let pieces = data.chunks(size.max(1));
    let count = pieces.len();
    if count > 16 {
        return None;
    }
    let message = |(index, piece): (usize, &[u8])| {
        let remaining = u8::try_from(count - 1 - index).ok()?;
        let segmentation = Segmentation { first: index == 0, class: class & 1, remaining, local_reference };
        let mut out = Vec::new();
        push_xudt(&mut out, class, false, hop_counter, called, calling, piece, Some(segmentation), None)?;
        Some(out)
    };
    pieces.enumerate().map(message).collect()
}

/// Appends a LUDT. `None` as in [`push_udt`].
pub fn push_ludt(
    out: &mut Vec<u8>,
    class: u8,
    hop_counter: u8,
    called: &[u8],
    calling: &[u8],
    data: &[u8],
    segmentation: Option<Segmentation>,
) -> Option<()> {
    let optional = optional(segmentation, None);
    let (called_len, calling_len) = (u8::try_from(called.len()).ok()?, u8::try_from(calling.len()).ok()?);
    let data_len = u16::try_from(data.len()).ok()?;
    let targets = [11, 12 + called.len(), 13 + called.len() + calling.len()];
    let end = targets[2] + 2 + data.len();
    let mut pointers = [0u8; 8];
    let optional_at = (!optional.is_empty()).then_some(end);
    for (index, (place, target)) in
        pointers.chunks_exact_mut(2).zip(targets.map(Some).into_iter().chain([optional_at])).enumerate()
    {
        if let Some(target) = target {
            place.copy_from_slice(&u16::try_from(target - (3 + 2 * index + 1)).ok()?.to_le_bytes());
        }
    }
    out.extend_from_slice(&[Kind::Ludt.code(), class & 0x0f, hop_counter]);
    out.extend_from_slice(&pointers);
    out.push(called_len);
    out.extend_from_slice(called);
    out.push(calling_len);
    out.extend_from_slice(calling);
    out.extend_from_slice(&data_len.to_le_bytes());
    out.extend_from_slice(data);
    out.extend_from_slice(&optional);
    Some(())
}

const fn class_octet(class: u8, return_on_error: bool) -> u8 {
    class & 0x0f | if return_on_error { 0x80 } else { 0 }
}

fn optional(segmentation: Option<Segmentation>, importance: Option<u8>) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(Segmentation { first, class, remaining, local_reference }) = segmentation {
        let [_, r0, r1, r2] = local_reference.to_be_bytes();
        out.extend_from_slice(&[0x10, 4, u8::from(first) << 7 | (class & 1) << 6 | remaining & 0x0f, r0, r1, r2]);
    }
    if let Some(importance) = importance {
        out.extend_from_slice(&[0x12, 1, importance & 7]);
    }
    if !out.is_empty() {
        out.push(0);
    }
    out
}

fn short(out: &mut Vec<u8>, fixed: &[u8], pointers: usize, parts: [&[u8]; 3], optional: &[u8]) -> Option<()> {
    let mut body = Vec::with_capacity(600);
    let mut values = [0u8; 4];
    for (index, (part, value)) in parts.iter().zip(&mut values).enumerate() {
        *value = u8::try_from(pointers - index + body.len()).ok()?;
        body.push(u8::try_from(part.len()).ok()?);
        body.extend_from_slice(part);
    }
    if !optional.is_empty() {
        values[3] = u8::try_from(pointers - 3 + body.len()).ok()?;
        body.extend_from_slice(optional);
    }
    out.extend_from_slice(fixed);
    out.extend_from_slice(values.get(..pointers)?);
    out.extend_from_slice(&body);
    Some(())
}
