//! Text back to TP-User-Data: in the alphabet, the tables and behind the header that the message already has.
//!
//! Nothing here changes a coding scheme: GSM 7-bit stays GSM 7-bit, so that a text never needs more parts than before. The header stays byte
//! for byte, its fill bits too. [`refit`] writes a whole text, [`edit`] replaces pieces and copies the units between them as they
//! stand, [`prepend`] moves them behind a text without reading them ([`Front`] knows what is too long for it), [`overwrite`] changes single
//! characters without moving any other bit. [`splice`] puts the result into the TPDU.

mod build;
mod front;

use core::fmt;
use core::ops::Range;

pub use build::{Number, Part, Reference, deliver, message, message_in, submit};
pub use front::{Front, prepend};

use super::dcs::Alphabet;
use super::gsm7;
use super::tables::{ESC, Tables, Written};
use super::user_data::{MAX_OCTETS, MAX_SEPTETS, UserData};
use super::{Tpdu, Units};

/// TP-UDL and TP-UD, as they go into a TPDU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ud {
    /// TP-UDL: septets or octets, header included.
    pub tp_udl: u8,
    octets: [u8; MAX_OCTETS],
    len: u8,
}

impl Default for Ud {
    fn default() -> Self {
        Self { tp_udl: 0, octets: [0; MAX_OCTETS], len: 0 }
    }
}

impl Ud {
    /// TP-UD.
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// Why a text does not go into a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoFit {
    /// The message's tables do not have this character.
    Character(char),
    /// It takes `need` units (septets or octets) where there is room for `room`.
    Long {
        /// Units called for.
        need: usize,
        /// Units to be had.
        room: usize,
    },
    /// The message has no text: compressed, or data for a program.
    NoText,
    /// Places that are not the message's, overlap or are out of order.
    Places,
}

impl fmt::Display for NoFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character(character) => write!(f, "no {character:?} in the tables of this message"),
            Self::Long { need, room } => write!(f, "{need} units needed, room for {room}"),
            Self::NoText => f.write_str("no text in this message"),
            Self::Places => f.write_str("places that are not this message's"),
        }
    }
}

impl core::error::Error for NoFit {}

/// Units of text (septets for GSM 7-bit, else octets) that fit behind this message's header: none where the header claims more octets than
/// there are, since it would take in what is written behind it.
pub fn room(user_data: &UserData<'_>) -> usize {
    let is_cut = user_data.header().first().is_some_and(|udhl| usize::from(*udhl) + 1 > user_data.octets.len());
    match user_data.alphabet() {
        _ if is_cut => 0,
        Alphabet::Gsm7 => MAX_SEPTETS.saturating_sub(user_data.header_septets()),
        Alphabet::EightBit | Alphabet::Ucs2 => MAX_OCTETS.saturating_sub(user_data.header_octets()),
    }
}

/// Septets that a text takes in these tables; `None` if a character of it is in neither.
pub fn septets_needed(text: &str, tables: Tables) -> Option<usize> {
    text.chars().map(|character| tables.write(character).map(Written::septets)).sum()
}

/// Writes `text` in place of the message's text.
///
/// # Errors
/// [`NoFit`] says what stands in the way; `out` is then not to be used.
pub fn refit(user_data: &UserData<'_>, text: &str, out: &mut Ud) -> Result<(), NoFit> {
    let mut body = Body::of(user_data)?;
    body.write_all(text)?;
    body.finish(user_data, out)
}

/// One replacement: these units, as [`UserData::units`] gives them, become this text. An empty range inserts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<'t> {
    /// Units of the text that go.
    pub units: Range<u8>,
    /// What comes in their place.
    pub text: &'t str,
}

/// Replaces pieces of the message's text; all units between them stay as they are, also those that no text could be written back to
/// (half a surrogate pair, empty places of a table).
///
/// # Errors
/// As [`refit`]; [`NoFit::Places`] for changes that overlap, are out of order, or start or end within a character.
pub fn edit(user_data: &UserData<'_>, changes: &[Change<'_>], out: &mut Ud) -> Result<(), NoFit> {
    let mut body = Body::of(user_data)?;
    let mut septets = gsm7::BUFFER;
    let old = match user_data.alphabet() {
        Alphabet::Gsm7 => user_data.septets(&mut septets),
        Alphabet::EightBit | Alphabet::Ucs2 => user_data.body(),
    };
    let mut at = 0;
    for change in changes {
        if change.units.start > change.units.end || !is_boundary(user_data.units(), &change.units) {
            return Err(NoFit::Places);
        }
        let (start, end) = (usize::from(change.units.start), usize::from(change.units.end));
        body.copy(old.get(at..start).ok_or(NoFit::Places)?);
        body.write_all(change.text)?;
        at = end;
    }
    // A lone ESC at the end, or half a UCS2 character, would swallow what was written in front of it.
    let read_end = user_data.units().last().map_or(0, |(units, _)| usize::from(units.end));
    let keeps_rest = changes.last().is_none_or(|change| usize::from(change.units.end) < read_end);
    body.copy(old.get(at..if keeps_rest { old.len() } else { read_end }).ok_or(NoFit::Places)?);
    body.finish(user_data, out)
}

/// Both ends are where a character starts, or where the last one ends.
fn is_boundary(units: Units<'_>, range: &Range<u8>) -> bool {
    let (mut start, mut end) = (range.start == 0, range.end == 0);
    for (unit, _) in units {
        start |= unit.start == range.start || unit.end == range.start;
        end |= unit.start == range.end || unit.end == range.end;
    }
    start && end
}

/// Changes single characters in place: each edit names the first unit of a character, as [`UserData::units`] gives it, and what comes there.
/// No other bit moves, TP-UDL stays what it is, right or wrong. Of a character that took two septets (or a surrogate pair) the second
/// half becomes a space. 8-bit data can be changed whether it has text or not: so are links in a WAP push.
///
/// # Errors
/// [`NoFit::Long`] for a character longer than what it replaces; else as [`refit`].
pub fn overwrite(user_data: &UserData<'_>, edits: impl IntoIterator<Item = (u8, char)>, out: &mut Ud) -> Result<(), NoFit> {
    if user_data.dcs.is_compressed() {
        return Err(NoFit::NoText);
    }
    start(user_data, user_data.octets.len(), out)?;
    out.tp_udl = user_data.tp_udl;
    let mut septets = gsm7::BUFFER;
    let septets = if user_data.alphabet() == Alphabet::Gsm7 { user_data.septets(&mut septets) } else { &[] };
    let body = out.octets.get_mut(user_data.header_octets()..usize::from(out.len)).unwrap_or_default();
    body.copy_from_slice(user_data.body());
    for (at, character) in edits {
        let at = usize::from(at);
        match user_data.alphabet() {
            Alphabet::Gsm7 => {
                let has_two = match septets.get(at..).ok_or(NoFit::Places)? {
                    [ESC, _, ..] => true,
                    [ESC] | [] => return Err(NoFit::Places),
                    _ => false,
                };
                let (first, second) = match user_data.tables.write(character).ok_or(NoFit::Character(character))? {
                    Written::Base(septet) => (septet, SPACE),
                    Written::Extension(_) if !has_two => return Err(NoFit::Long { need: 2, room: 1 }),
                    Written::Extension(septet) => (ESC, septet),
                };
                set_septet(body, user_data.fill_bits(), at, first);
                if has_two {
                    set_septet(body, user_data.fill_bits(), at + 1, second);
                }
            }
            Alphabet::EightBit => {
                *body.get_mut(at).ok_or(NoFit::Places)? = latin1(character).ok_or(NoFit::Character(character))?;
            }
            Alphabet::Ucs2 => overwrite_ucs2(body, at, character)?,
        }
    }
    Ok(())
}

/// The space, in every base table.
const SPACE: u8 = 0x20;

fn overwrite_ucs2(body: &mut [u8], at: usize, character: char) -> Result<(), NoFit> {
    let unit = body.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<2>()).ok_or(NoFit::Places)?;
    let is_high = (0xd8..0xdc).contains(&unit[0]);
    let mut units = [0; 2];
    let units = character.encode_utf16(&mut units);
    *unit = units.first().copied().unwrap_or_default().to_be_bytes();
    let next = body.get_mut(at + 2..).and_then(|rest| rest.first_chunk_mut::<2>());
    match (next.filter(|next| is_high && (0xdc..0xe0).contains(&next[0])), units) {
        (Some(next), [_, low]) => *next = low.to_be_bytes(),
        (Some(next), _) => *next = u16::from(SPACE).to_be_bytes(),
        (None, [_, _]) => return Err(NoFit::Long { need: 4, room: 2 }),
        (None, _) => {}
    }
    Ok(())
}

/// Puts one septet at its place among packed ones.
fn set_septet(octets: &mut [u8], fill: u32, at: usize, septet: u8) {
    let bit = fill as usize + at * 7;
    let shift = bit % 8;
    for (octet, (value, mask)) in octets
        .iter_mut()
        .skip(bit / 8)
        .zip((u16::from(septet) << shift).to_le_bytes().into_iter().zip((0x7f_u16 << shift).to_le_bytes()))
    {
        *octet = *octet & !mask | value;
    }
}

const fn latin1(character: char) -> Option<u8> {
    if (character as u32) < 0x100 { Some(character as u8) } else { None }
}

/// Writes the TPDU with other user data: everything in front of TP-UDL stays. Octets behind the old user data, which TP-UDL does not count,
/// stay when the length does, and go when it changes. `None` without user data, or when `out` is too short.
pub fn splice<'o>(octets: &[u8], tpdu: &Tpdu<'_>, user_data: &Ud, out: &'o mut [u8]) -> Option<&'o [u8]> {
    let udl_at = tpdu.udl_at?;
    let old = tpdu.user_data.octets.len();
    let behind = if old == user_data.octets().len() { octets.get(udl_at + 1 + old..)? } else { &[] };
    let pieces = [octets.get(..udl_at)?, &[user_data.tp_udl], user_data.octets(), behind];
    let mut at = 0;
    for piece in pieces {
        out.get_mut(at..at + piece.len())?.copy_from_slice(piece);
        at += piece.len();
    }
    out.get(..at)
}

/// A text being written: septets one an octet, or octets.
struct Body {
    alphabet: Alphabet,
    tables: Tables,
    units: [u8; MAX_SEPTETS],
    need: usize,
    room: usize,
}

impl Body {
    fn of(user_data: &UserData<'_>) -> Result<Self, NoFit> {
        check(user_data)?;
        let (alphabet, tables) = (user_data.alphabet(), user_data.tables);
        Ok(Self { alphabet, tables, units: [0; MAX_SEPTETS], need: 0, room: room(user_data) })
    }

    /// Counts beyond the room too, so that an error can say what is needed.
    fn copy(&mut self, units: &[u8]) {
        if let Some(to) = self.units.get_mut(self.need..self.need + units.len()) {
            to.copy_from_slice(units);
        }
        self.need += units.len();
    }

    fn write_all(&mut self, text: &str) -> Result<(), NoFit> {
        if is_as_it_is(text, self.alphabet, self.tables) {
            self.copy(text.as_bytes());
            return Ok(());
        }
        text.chars().try_for_each(|character| self.write(character))
    }

    fn write(&mut self, character: char) -> Result<(), NoFit> {
        match self.alphabet {
            Alphabet::Gsm7 => match self.tables.write(character).ok_or(NoFit::Character(character))? {
                Written::Base(septet) => self.copy(&[septet]),
                Written::Extension(septet) => self.copy(&[ESC, septet]),
            },
            Alphabet::EightBit => self.copy(&[latin1(character).ok_or(NoFit::Character(character))?]),
            Alphabet::Ucs2 => {
                let mut units = [0; 2];
                character.encode_utf16(&mut units).iter().for_each(|unit| self.copy(&unit.to_be_bytes()));
            }
        }
        Ok(())
    }

    fn finish(&self, user_data: &UserData<'_>, out: &mut Ud) -> Result<(), NoFit> {
        let (need, room) = (self.need, self.room);
        let units = self.units.get(..need).filter(|_| need <= room).ok_or(NoFit::Long { need, room })?;
        let header = user_data.header_octets();
        let (udl, len) = match self.alphabet {
            Alphabet::Gsm7 => {
                let udl = user_data.header_septets() + need;
                (udl, (udl * 7).div_ceil(8))
            }
            Alphabet::EightBit | Alphabet::Ucs2 => (header + need, header + need),
        };
        start(user_data, len, out)?;
        out.tp_udl = u8::try_from(udl).map_err(|_| NoFit::Long { need, room })?;
        let body = out.octets.get_mut(header..len).unwrap_or_default();
        if self.alphabet == Alphabet::Gsm7 {
            // The fill bits are the sender's: they share the first octet with the text.
            if let Some(first) = body.first_mut() {
                *first = user_data.body().first().copied().unwrap_or_default();
            }
            gsm7::pack(units, user_data.fill_bits(), body);
        } else {
            body.copy_from_slice(units);
        }
        Ok(())
    }
}

/// Whether there is a text that another can take the place of.
fn check(user_data: &UserData<'_>) -> Result<(), NoFit> {
    let has_none = !user_data.has_text() && !user_data.body().is_empty() || user_data.dcs.is_compressed();
    if has_none { Err(NoFit::NoText) } else { Ok(()) }
}

/// Whether the octets of `text` are its units, one each.
fn is_as_it_is(text: &str, alphabet: Alphabet, tables: Tables) -> bool {
    match alphabet {
        Alphabet::Gsm7 => tables.is_latin() && is_same_in_gsm7(text.as_bytes()),
        Alphabet::EightBit => text.is_ascii(),
        Alphabet::Ucs2 => false,
    }
}

/// Whether each octet of a text is a character that is one septet of every Latin base table: letters, digits and most signs of ASCII.
pub fn is_plain(text: &str) -> bool {
    text.bytes().all(|octet| octet == b'_' || is_same_in_gsm7(&[octet]))
}

/// Whether every octet is a character that each Latin base table has at the place of its ASCII code: blocks without a branch, which the
/// compiler makes vector code of. What is left behind them is looked at with some of the last block again.
fn is_same_in_gsm7(text: &[u8]) -> bool {
    const LANES: usize = 16;
    let other = |octet: u8| {
        let letter = (octet | 0x20).wrapping_sub(b'a') < 26;
        let sign = (octet.wrapping_sub(0x20) < 0x20) & (octet != b'$');
        u8::from(!(letter | sign | (octet == b'\n') | (octet == b'\r')))
    };
    let Some(last) = text.last_chunk::<LANES>() else { return text.iter().all(|&octet| other(octet) == 0) };
    let is_same = |block: &[u8; LANES]| block.iter().fold(0, |any, &octet| any | other(octet)) == 0;
    text.as_chunks().0.iter().all(is_same) && is_same(last)
}

/// Copies the header and sets the length.
fn start(user_data: &UserData<'_>, len: usize, out: &mut Ud) -> Result<(), NoFit> {
    let long = NoFit::Long { need: len, room: MAX_OCTETS };
    let header = user_data.header();
    out.len = u8::try_from(len).ok().filter(|len| usize::from(*len) <= MAX_OCTETS).ok_or(long)?;
    out.octets.get_mut(..header.len()).ok_or(long)?.copy_from_slice(header);
    Ok(())
}
