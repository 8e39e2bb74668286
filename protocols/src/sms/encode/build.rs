//! TPDUs from plain text, as a service centre or a handset makes them: for the generator and for tests. This is not the hot path, it allocates.

use crate::sms::dcs::Dcs;
use crate::sms::gsm7;
use crate::sms::tables::{ESC, Language, Tables, Written};
use crate::sms::time::{Timestamp, Validity};
use crate::sms::user_data::{MAX_OCTETS, MAX_SEPTETS, fill_bits};

/// What ties the parts of a long text together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// IE 00.
    Byte(u8),
    /// IE 08.
    Wide(u16),
}

/// The user data of one part and what the TPDU around it must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// TP-DCS: 00 or 08.
    pub dcs: Dcs,
    /// TP-UDHI: a header stands in front of the text.
    pub udhi: bool,
    /// TP-UDL.
    pub tp_udl: u8,
    /// TP-UD.
    pub user_data: Vec<u8>,
}

/// An address as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<'t> {
    /// Digits, `*`, `#`, `a` to `c`; a name when `ton` is 5.
    pub text: &'t str,
    /// Type of number.
    pub ton: u8,
    /// Numbering plan.
    pub npi: u8,
}

/// `text` in as few parts as it takes: in the default alphabet if that has all its characters, else in UCS2.
///
/// No part splits a character. Gives at most 255 parts, and none at all for a text that takes more.
pub fn message(text: &str, reference: Reference) -> Vec<Part> {
    message_in(text, Tables::default(), reference)
}

/// As [`message`], in these tables; every part names the languages in its header.
pub fn message_in(text: &str, tables: Tables, reference: Reference) -> Vec<Part> {
    let septets: Option<Vec<Vec<u8>>> = text
        .chars()
        .map(|character| {
            tables.write(character).map(|written| match written {
                Written::Base(septet) => vec![septet],
                Written::Extension(septet) => vec![ESC, septet],
            })
        })
        .collect();
    let languages = languages(tables);
    match septets {
        Some(characters) => parts(&characters, &languages, reference, MAX_SEPTETS, |len| (len * 8).div_ceil(7), gsm7_part),
        None => {
            let characters: Vec<Vec<u8>> = text
                .chars()
                .map(|character| character.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()).collect())
                .collect();
            parts(&characters, &[], reference, MAX_OCTETS, |len| len, ucs2_part)
        }
    }
}

/// IEs 24 and 25 for the languages that are not the default.
fn languages(tables: Tables) -> Vec<u8> {
    let element = |id, language: Language| match language {
        Language::Default => vec![],
        _ => vec![id, 1, language.identifier()],
    };
    [element(0x25, tables.locking), element(0x24, tables.single)].concat()
}

fn parts(
    characters: &[Vec<u8>],
    languages: &[u8],
    reference: Reference,
    limit: usize,
    header_units: fn(usize) -> usize,
    part: fn(&[u8], &[u8]) -> Part,
) -> Vec<Part> {
    let with_length = |elements: &[u8]| match u8::try_from(elements.len()) {
        Ok(len) if len > 0 => [&[len], elements].concat(),
        _ => vec![],
    };
    let alone = with_length(languages);
    let all = characters.concat();
    if all.len() + header_units(alone.len()) <= limit {
        return vec![part(&alone, &all)];
    }
    let concat = |total: u8, seq: u8| match reference {
        Reference::Byte(reference) => vec![0x00, 3, reference, total, seq],
        Reference::Wide(reference) => {
            let [high, low] = reference.to_be_bytes();
            vec![0x08, 4, high, low, total, seq]
        }
    };
    let header_len = 1 + concat(0, 0).len() + languages.len();
    let room = limit - header_units(header_len);
    let mut bodies: Vec<Vec<u8>> = vec![vec![]];
    for character in characters {
        match bodies.last_mut() {
            Some(body) if body.len() + character.len() <= room => body.extend(character),
            _ => bodies.push(character.clone()),
        }
    }
    let Ok(total) = u8::try_from(bodies.len()) else { return vec![] };
    (1..=total).zip(&bodies).map(|(seq, body)| part(&with_length(&[&concat(total, seq), languages].concat()), body)).collect()
}

fn gsm7_part(header: &[u8], septets: &[u8]) -> Part {
    let udl = (header.len() * 8).div_ceil(7) + septets.len();
    let mut user_data = header.to_vec();
    user_data.resize((udl * 7).div_ceil(8), 0);
    gsm7::pack(septets, fill_bits(header.len()), user_data.get_mut(header.len()..).unwrap_or_default());
    Part { dcs: Dcs(0x00), udhi: !header.is_empty(), tp_udl: u8::try_from(udl).unwrap_or(u8::MAX), user_data }
}

fn ucs2_part(header: &[u8], octets: &[u8]) -> Part {
    let user_data = [header, octets].concat();
    let tp_udl = u8::try_from(user_data.len()).unwrap_or(u8::MAX);
    Part { dcs: Dcs(0x08), udhi: !header.is_empty(), tp_udl, user_data }
}

/// A DELIVER that waits for no other. What cannot be written in an address (a letter in a number) is left out.
pub fn deliver(originator: Number<'_>, pid: u8, scts: &Timestamp, part: &Part) -> Vec<u8> {
    let first = 0x04 | if part.udhi { 0x40 } else { 0 };
    [&[first], &*address(originator), &[pid, part.dcs.0], &scts.octets(), &[part.tp_udl], &part.user_data].concat()
}

/// A SUBMIT.
pub fn submit(message_reference: u8, destination: Number<'_>, pid: u8, validity: Validity, part: &Part) -> Vec<u8> {
    let (format, period) = match validity {
        Validity::Enhanced(octets) => (0x08, octets.to_vec()),
        Validity::Relative(octet) => (0x10, vec![octet]),
        Validity::Absolute(Some(time)) => (0x18, time.octets().to_vec()),
        Validity::None | Validity::Absolute(None) => (0x00, vec![]),
    };
    let first = 0x01 | format | if part.udhi { 0x40 } else { 0 };
    [&[first, message_reference], &*address(destination), &[pid, part.dcs.0], &period, &[part.tp_udl], &part.user_data].concat()
}

/// The address field: at most 20 semi-octets, or 11 septets of a name.
fn address(number: Number<'_>) -> Vec<u8> {
    let kind = 0x80 | number.ton << 4 & 0x70 | number.npi & 0x0f;
    if number.ton == 5 {
        let tables = Tables::default();
        let mut septets = vec![];
        for written in number.text.chars().filter_map(|character| tables.write(character)) {
            if septets.len() + written.septets() > 11 {
                break;
            }
            match written {
                Written::Base(septet) => septets.push(septet),
                Written::Extension(septet) => septets.extend([ESC, septet]),
            }
        }
        let mut packed = vec![0; (septets.len() * 7).div_ceil(8)];
        gsm7::pack(&septets, 0, &mut packed);
        let semi_octets = (septets.len() * 7).div_ceil(4);
        return [&[u8::try_from(semi_octets).unwrap_or(u8::MAX), kind], &*packed].concat();
    }
    let digit = |character: char| match character {
        '0'..='9' | 'a'..='c' => {
            character.to_digit(16).and_then(|digit| u8::try_from(digit).ok()).map(|digit| digit + u8::from(digit > 9) * 2)
        }
        '*' => Some(0x0a),
        '#' => Some(0x0b),
        _ => None,
    };
    let digits: Vec<u8> = number.text.chars().filter_map(digit).take(20).collect();
    let packed = digits.chunks(2).map(|pair| match *pair {
        [low, high] => high << 4 | low,
        [low] => 0xf0 | low,
        _ => 0xff,
    });
    [u8::try_from(digits.len()).unwrap_or(u8::MAX), kind].into_iter().chain(packed).collect()
}
