//! A text put in front of a message's own: the bits behind it move up, and nobody reads what they mean.

use super::{Body, MAX_OCTETS, NoFit, Ud, check, is_as_it_is, room, start};
use crate::sms::dcs::Alphabet;
use crate::sms::gsm7;
use crate::sms::tables::ESC;
use crate::sms::user_data::UserData;

/// Whole words for what is moved, and the octet that the last one pushes out.
const ROOM: usize = MAX_OCTETS + 2 * 8;

/// Writes `front` in front of the message's text, of which every unit stays as it is: what [`edit`](super::edit) does for one insertion at 0.
///
/// # Errors
/// As [`refit`](super::refit).
pub fn prepend(user_data: &UserData<'_>, front: &str, out: &mut Ud) -> Result<(), NoFit> {
    check(user_data)?;
    let (alphabet, room) = (user_data.alphabet(), room(user_data));
    let mut body;
    let (units, written) = if is_as_it_is(front, alphabet, user_data.tables) {
        (front.as_bytes(), front.len())
    } else {
        body = Body::of(user_data)?;
        body.write_all(front)?;
        (body.units.get(..body.need).unwrap_or_default(), body.need)
    };
    let kept = kept(user_data);
    let need = written + kept;
    if need > room {
        return Err(NoFit::Long { need, room });
    }
    if alphabet == Alphabet::Gsm7 {
        return shifted(user_data, units, kept, out);
    }
    let header = user_data.header_octets();
    start(user_data, header + need, out)?;
    out.tp_udl = out.len;
    let (new, old) = out.octets.get_mut(header..header + need).unwrap_or_default().split_at_mut(written);
    new.copy_from_slice(units);
    old.copy_from_slice(user_data.body().get(..kept).unwrap_or_default());
    Ok(())
}

/// What there is in front of a message's text, before anybody writes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Front {
    /// Units of the message's text, which stay.
    kept: usize,
    /// Units that there are for both.
    room: usize,
    /// Units of a [plain](super::is_plain) character.
    each: usize,
}

impl Front {
    /// `None` where there is no text, and where its tables write plain characters in their own way.
    pub fn of(user_data: &UserData<'_>) -> Option<Self> {
        check(user_data).ok()?;
        let each = match user_data.alphabet() {
            Alphabet::Gsm7 if !user_data.tables.is_latin() => return None,
            Alphabet::Gsm7 | Alphabet::EightBit => 1,
            Alphabet::Ucs2 => 2,
        };
        Some(Self { kept: kept(user_data), room: room(user_data), each })
    }

    /// What [`prepend`] says of so many plain characters.
    ///
    /// # Errors
    /// [`NoFit::Long`].
    pub const fn takes(&self, characters: usize) -> Result<(), NoFit> {
        let &Self { kept, room, each } = self;
        let need = characters * each + kept;
        if need > room { Err(NoFit::Long { need, room }) } else { Ok(()) }
    }
}

/// Units of the old text. A lone ESC, or half a UCS2 character, is no text: it would swallow what was written in front of it.
fn kept(user_data: &UserData<'_>) -> usize {
    let body = user_data.body();
    match user_data.alphabet() {
        Alphabet::Gsm7 => {
            let count = gsm7::count(body, user_data.fill_bits(), user_data.text_septets());
            let lone = || gsm7::unpack(body, user_data.fill_bits(), 1, &mut gsm7::BUFFER.clone()).first() == Some(&ESC);
            if count == 1 && lone() { 0 } else { count }
        }
        Alphabet::Ucs2 if body.len() == 1 => 0,
        Alphabet::EightBit | Alphabet::Ucs2 => body.len(),
    }
}

/// The septets packed behind the header, and behind them the old ones, a word at a time.
fn shifted(user_data: &UserData<'_>, septets: &[u8], kept: usize, out: &mut Ud) -> Result<(), NoFit> {
    let (fill, old) = (user_data.fill_bits(), user_data.body());
    let header = user_data.header_octets();
    let udl = user_data.header_septets() + septets.len() + kept;
    let len = (udl * 7).div_ceil(8);
    let mut octets = [0; ROOM];
    // The fill bits are the sender's: they share the first octet with the text.
    let fill_mask = (1_u64 << fill) - 1;
    octets[0] = old.first().copied().unwrap_or_default() & fill_mask as u8;
    gsm7::pack(septets, fill, &mut octets);
    let (at, shift) = (septets.len() * 7 / 8, septets.len() as u32 * 7 % 8);
    let first = octets.get(at..).and_then(|to| to.first_chunk()).map_or(0, |word| u64::from_le_bytes(*word));
    let (mut carry, mut mask) = (first, !fill_mask);
    let mut behind = [0; ROOM];
    let moved = old.len().min(if kept == 0 { 0 } else { MAX_OCTETS });
    behind.get_mut(..moved).unwrap_or_default().copy_from_slice(old.get(..moved).unwrap_or_default());
    // One word more than there are octets, for what the last one pushes out.
    let (to, from) = (octets.get_mut(at..).unwrap_or_default().as_chunks_mut().0, behind.as_chunks().0);
    for (to, from) in to.iter_mut().zip(from).take(moved.div_ceil(8) + 1) {
        let word = u64::from_le_bytes(*from) & mask;
        *to = (word << shift | carry).to_le_bytes();
        (carry, mask) = (word >> 1 >> (63 - shift), u64::MAX);
    }
    start(user_data, len, out)?;
    out.tp_udl = u8::try_from(udl).unwrap_or(u8::MAX);
    let body = out.octets.get_mut(header..len).unwrap_or_default();
    body.copy_from_slice(octets.get(..body.len()).unwrap_or_default());
    if let (Some(last), spare @ 1..) = (body.last_mut(), len * 8 - udl * 7) {
        *last &= 0xff >> spare;
    }
    Ok(())
}
