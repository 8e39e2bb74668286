//! Whether a new text fits into its TPDU and all that stands around it, and the changes that put it there.

use protocols::sms::encode::{self, Change, Front, NoFit as NoText, Ud};
use protocols::sms::{Alphabet, Kind, Tpdu, UserData, wap};
use protocols::span;

use crate::carrier::{Carrier, Stop};
use crate::judge::Met;
use crate::policy::redirect::Issued;
use crate::policy::{Bound, Room};
use crate::record::Place;
use crate::rewrite::{Changes, Mark, NoFit};
use crate::world::Network;

/// Octets that a TPDU may have: 140 of user data behind at most 24 of header.
const TPDU: usize = 256;

/// A space: septet in every table that has one there, octet in Latin-1, low octet in UCS2.
const SPACE: u8 = 0x20;

/// PID 40: a short message of type 0, TS 23.040 §9.2.3.9.
const TYPE_0: u8 = 0x40;

/// One message, asked about and then changed: what fitted last is already written down when the policy has decided for it.
pub(crate) struct Fit<'f, 'a> {
    met: &'f Met<'a>,
    tpdu: &'f Tpdu<'a>,
    /// Its text as decoded.
    text: &'f str,
    /// The push that it is, or is a part of.
    push: Option<Push<'f>>,
    network: &'f Network,
    place: &'f Place,
    changes: &'f mut Changes,
    ud: &'f mut Ud,
    left: &'f mut String,
    /// Where the changes of this message begin.
    mark: Mark,
    /// Which change of this message is written down.
    kept: Kept,
    /// The record of a redirect would find its place.
    has_work: bool,
    /// Why this message is never touched.
    untouchable: Option<&'static str>,
}

/// The octets of a WAP push, joined as far as they have come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Push<'f> {
    pub(crate) octets: &'f [u8],
    /// Where those begin that this message holds.
    pub(crate) start: usize,
}

/// A change that fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Nothing,
    Text,
    Silence,
}

impl From<Stop> for Bound {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Field(NoFit::Field { .. }) => Self::Sccp,
            Stop::Field(NoFit::Changes) => Self::Untouchable,
            Stop::Sif(need, max) => Self::Sif { need, max },
            Stop::Mtu => Self::Mtu,
            Stop::Pieces => Self::SameLengthOnly,
        }
    }
}

impl<'f, 'a> Fit<'f, 'a> {
    pub(crate) fn new(
        (met, tpdu, text, push): (&'f Met<'a>, &'f Tpdu<'a>, &'f str, Option<Push<'f>>),
        network: &'f Network,
        place: &'f Place,
        changes: &'f mut Changes,
        (ud, left): (&'f mut Ud, &'f mut String),
        has_work: bool,
    ) -> Self {
        let mark = changes.mark();
        let vgcs = met.forward.vgcs.then_some("VGCS");
        let untouchable = met.carrier.frozen.or(vgcs).or_else(|| tpdu.untouchable());
        Self { met, tpdu, text, push, network, place, changes, ud, left, mark, kept: Kept::Nothing, has_work, untouchable }
    }

    /// Why this message is never touched, whatever the policy says (DOMAIN: "Never touched").
    pub(crate) const fn untouchable(&self) -> Option<&'static str> {
        self.untouchable
    }

    fn touchable(&self) -> Result<(), Bound> {
        self.untouchable().map_or(Ok(()), |_| Err(Bound::Untouchable))
    }

    /// Writes down that `text` comes in place of the message's own.
    pub(crate) fn put_text(&mut self, text: &str) -> Result<(), Bound> {
        if self.kept == Kept::Text { Ok(()) } else { self.fits(text) }
    }

    /// Writes down the type 0.
    pub(crate) fn put_silence(&mut self) -> Result<(), Bound> {
        if self.kept == Kept::Silence { Ok(()) } else { self.fits_silence() }
    }

    /// Takes back what fitted: the policy decided for something else, or only observes.
    pub(crate) fn take_back(&mut self) {
        if self.kept != Kept::Nothing {
            self.changes.back_to(self.mark);
            self.kept = Kept::Nothing;
        }
    }

    /// Adds the changes that put `text` in place of the message's own.
    fn change_text(&mut self, text: &str) -> Result<(), Bound> {
        // A text put in front leaves every unit of the old one as it is, also those that no character stands for.
        if let Some(front) = text.strip_suffix(self.text) {
            return self.change_front(front);
        }
        self.may_grow()?;
        anew(&self.tpdu.user_data, self.text, text, self.ud)?;
        self.put_user_data()
    }

    /// Adds the changes that put `front` before the message's own text.
    fn change_front(&mut self, front: &str) -> Result<(), Bound> {
        self.may_grow()?;
        encode::prepend(&self.tpdu.user_data, front, self.ud)?;
        self.put_user_data()
    }

    /// Whether a text of another length can come in place of the message's own.
    fn may_grow(&self) -> Result<(), Bound> {
        self.touchable()?;
        if self.push.is_some() {
            return Err(Bound::Push);
        }
        if self.met.carrier.is_joined() {
            return Err(Bound::SameLengthOnly);
        }
        if self.tpdu.first.udhi() && self.tpdu.user_data.header_octets() == 0 {
            // A header is announced and none is there: the first octet of any text would be read as its length.
            return Err(Bound::Untouchable);
        }
        Ok(())
    }

    /// Adds the changes that put `self.ud` in place of the message's user data.
    fn put_user_data(&mut self) -> Result<(), Bound> {
        let forward = self.met.forward;
        if forward.joined {
            let mut octets = [0; TPDU];
            let tpdu = encode::splice(forward.sm_rp_ui, self.tpdu, self.ud, &mut octets).ok_or(Bound::Untouchable)?;
            return self.put_tpdu(tpdu);
        }
        let (carrier, element) = (self.met.carrier, forward.sm_rp_ui_element.content);
        let (tpdu, udl_at) = (carrier.place(forward.sm_rp_ui)?, self.tpdu.udl_at.ok_or(Bound::Untouchable)?);
        let (old, new) = (self.tpdu.user_data.octets.len(), self.ud.octets());
        let start = tpdu.start + udl_at;
        // Octets behind the old user data, which TP-UDL does not count, stay when the length does, and go when it changes.
        let end = if old == new.len() { start + 1 + old } else { tpdu.end };
        self.changes.replace_by(start..end, [&[self.ud.tp_udl], new]).map_err(Stop::from)?;
        Ok(carrier.fields(element, self.place.transport, self.changes)?)
    }

    /// Adds the changes that put a TPDU in place of the message's own.
    fn put_tpdu(&mut self, tpdu: &[u8]) -> Result<(), Bound> {
        let forward = self.met.forward;
        let carrier = self.met.carrier;
        let element = forward.sm_rp_ui_element.content;
        let place = carrier.place(element)?;
        if forward.joined {
            // A constructed octet string stays one: of a single piece now (X.690 §8.7.3).
            let mut piece = [0; TPDU + 3];
            let len = u8::try_from(tpdu.len()).map_err(|_| Bound::Untouchable)?;
            let header: &[u8] = if len < 0x80 { &[0x04, len] } else { &[0x04, 0x81, len] };
            let (head, tail) = piece.split_at_mut(header.len());
            head.copy_from_slice(header);
            tail.get_mut(..tpdu.len()).ok_or(Bound::Untouchable)?.copy_from_slice(tpdu);
            let piece = piece.get(..header.len() + tpdu.len()).unwrap_or_default();
            self.changes.replace(place, piece).map_err(Stop::from)?;
        } else {
            self.changes.replace(place, tpdu).map_err(Stop::from)?;
        }
        Ok(carrier.fields(element, self.place.transport, self.changes)?)
    }

    /// Adds the changes that blank the characters at these places of the text, as far as they lie in the frame in hand. Same-length,
    /// octet by octet, so that user data longer than the 140 octets of the specification is no way out.
    ///
    /// Leaves the text as it then reads in `left`, and says whether every place was reached.
    pub(crate) fn blank(&mut self, spots: &[usize], left: &mut String) -> Result<bool, Bound> {
        self.take_back();
        self.touchable()?;
        let (carrier, user_data) = (self.met.carrier, &self.tpdu.user_data);
        if user_data.alphabet() == Alphabet::Gsm7 && user_data.tables.base(SPACE) != Some(' ') {
            return Err(Bound::Characters(' '));
        }
        let mut octets = [0u8; 256];
        let octets = octets.get_mut(..user_data.octets.len()).ok_or(Bound::Untouchable)?;
        octets.copy_from_slice(user_data.octets);
        if let Some(push) = self.push {
            let (reached, all) = self.blank_push(push, spots, octets, left)?;
            return self.put_blanked(octets, reached || spots.is_empty(), all);
        }
        let (mut at, mut reached, mut all) = (0, 0usize, true);
        let mut wanted = spots.iter().copied().peekable();
        left.clear();
        for (units, character) in user_data.units() {
            let start = at;
            at += character.len_utf8();
            while wanted.next_if(|&spot| spot < start).is_some() {}
            let hit = wanted.next_if_eq(&start).is_some();
            let here = hit && (!carrier.is_joined() || units.clone().all(|unit| reaches(carrier, user_data, unit)));
            all &= hit == here;
            if here {
                reached += 1;
                // A character of two septets, or of a surrogate pair, leaves two spaces.
                let spaces = if user_data.alphabet() == Alphabet::Ucs2 { units.len() / 2 } else { units.len() };
                left.extend(core::iter::repeat_n(' ', spaces));
                units.for_each(|unit| put_space(octets, user_data, unit));
            } else {
                left.push(character);
            }
        }
        self.put_blanked(octets, reached > 0 || spots.is_empty(), all)
    }

    /// As [`Fit::blank`] for a push, into a copy of this message's user data: whether any place was reached, and whether each was.
    fn blank_push(&self, push: Push<'_>, spots: &[usize], octets: &mut [u8], left: &mut String) -> Result<(bool, bool), Bound> {
        let (carrier, user_data) = (self.met.carrier, &self.tpdu.user_data);
        let header = user_data.header_octets();
        let (mut reached, mut all) = (false, true);
        left.clear();
        let is_read = wap::deaden(push.octets, self.text, spots, left, |at, octet| {
            let place = at.checked_sub(push.start).map(|at| header + at);
            let here = place.and_then(|place| Some((octets.get_mut(place)?, user_data.octets.get(place..=place)?)));
            match here.filter(|(_, old)| !carrier.is_joined() || carrier.locate(old).is_some()) {
                Some((here, _)) => (*here, reached) = (octet, true),
                None => all = false,
            }
        });
        if is_read { Ok((reached, all)) } else { Err(Bound::Push) }
    }

    /// Adds the changes that put user data of the same length in place of the message's own.
    fn put_blanked(&mut self, octets: &[u8], reached: bool, all: bool) -> Result<bool, Bound> {
        if !reached {
            return Err(Bound::EarlierPiece);
        }
        let (carrier, user_data) = (self.met.carrier, &self.tpdu.user_data);
        if self.met.forward.joined {
            // A constructed octet string lies in scratch: it is written anew, of one piece.
            return if carrier.is_joined() { Err(Bound::SameLengthOnly) } else { self.put_octets(octets).map(|()| all) };
        }
        for (old, new) in user_data.octets.chunks(1).zip(octets.iter()) {
            if old != [*new] {
                let place = carrier.locate(old).ok_or(Bound::SameLengthOnly)?;
                self.changes.replace(place..place + 1, &[*new]).map_err(Stop::from)?;
            }
        }
        Ok(all)
    }

    /// The TPDU with user data of the same length in place of its own.
    fn put_octets(&mut self, octets: &[u8]) -> Result<(), Bound> {
        let tpdu = self.met.forward.sm_rp_ui;
        let place = span::within(tpdu, self.tpdu.user_data.octets).ok_or(Bound::Untouchable)?;
        let mut new = [0u8; TPDU];
        let new = new.get_mut(..tpdu.len()).ok_or(Bound::Untouchable)?;
        new.copy_from_slice(tpdu);
        new.get_mut(place).ok_or(Bound::Untouchable)?.copy_from_slice(octets);
        self.put_tpdu(new)
    }

    /// Adds the change that makes the message one of type 0.
    fn change_pid(&mut self) -> Result<(), Bound> {
        self.touchable()?;
        // DELIVER: PID, DCS, SCTS of seven, UDL (TS 23.040 §9.2.2.1).
        let pid_at =
            self.tpdu.udl_at.and_then(|udl| udl.checked_sub(9)).filter(|_| self.tpdu.kind == Kind::Deliver).ok_or(Bound::Off)?;
        let pid = self.met.forward.sm_rp_ui.get(pid_at..=pid_at).ok_or(Bound::Untouchable)?;
        let place = self.met.carrier.locate(pid).ok_or(Bound::SameLengthOnly)?;
        Ok(self.changes.replace(place..place + 1, &[TYPE_0]).map_err(Stop::from)?)
    }

    /// Tries changes, and keeps them as `kept` where they fit.
    fn trial(&mut self, kept: Kept, change: impl FnOnce(&mut Self) -> Result<(), Bound>) -> Result<(), Bound> {
        self.take_back();
        let result = change(self).and_then(|()| self.settled());
        if result.is_ok() && kept != Kept::Nothing {
            self.kept = kept;
        } else {
            self.changes.back_to(self.mark);
        }
        result
    }

    fn settled(&mut self) -> Result<(), Bound> {
        let carrier = self.met.carrier;
        self.changes.settle(carrier.base).map_err(Stop::from)?;
        let network = self.network;
        let max_sif = network.max_sif(self.place.label);
        Ok(carrier.bounds(self.place.transport, network.label_len(), max_sif, network.mtu, self.changes)?)
    }
}

/// Writes a text that keeps the end of the old one: those units stay as they are, also where no text could be written back to them. So a
/// label that is looked at again needs the room that it needed when it was put there.
fn anew(user_data: &UserData<'_>, old: &str, text: &str, out: &mut Ud) -> Result<(), NoText> {
    let same = old.chars().rev().zip(text.chars().rev()).take_while(|(old, new)| old == new);
    let kept: usize = same.map(|(c, _)| c.len_utf8()).sum();
    let mut at = 0;
    let first = user_data.units().find_map(|(units, c)| {
        let here = at;
        at += c.len_utf8();
        (here == old.len() - kept && kept > 0).then_some(units.start)
    });
    match (first, text.get(..text.len() - kept)) {
        (Some(first), Some(text)) => encode::edit(user_data, &[Change { units: 0..first, text }], out),
        _ => encode::refit(user_data, text, out),
    }
}

/// The octets of user data that a unit of text (septet, or octet) lies in.
fn octets_of(user_data: &UserData<'_>, unit: u8) -> core::ops::Range<usize> {
    let header = user_data.header_octets();
    match user_data.alphabet() {
        Alphabet::Gsm7 => {
            let bit = header * 8 + user_data.fill_bits() as usize + usize::from(unit) * 7;
            bit / 8..(bit + 6) / 8 + 1
        }
        Alphabet::EightBit | Alphabet::Ucs2 => header + usize::from(unit)..header + usize::from(unit) + 1,
    }
}

/// Whether all octets of a unit of text lie in the frame in hand.
fn reaches(carrier: &Carrier<'_>, user_data: &UserData<'_>, unit: u8) -> bool {
    let mut octets = user_data.octets.get(octets_of(user_data, unit)).unwrap_or_default().chunks(1);
    octets.all(|octet| carrier.locate(octet).is_some())
}

/// Writes a space over one unit of text: a septet, an octet of Latin-1, an octet of a UCS2 code unit.
fn put_space(octets: &mut [u8], user_data: &UserData<'_>, unit: u8) {
    let places = octets_of(user_data, unit);
    match user_data.alphabet() {
        Alphabet::Gsm7 => {
            let bit = user_data.header_octets() * 8 + user_data.fill_bits() as usize + usize::from(unit) * 7;
            let (mask, value) = ((0x7f_u16) << (bit % 8), u16::from(SPACE) << (bit % 8));
            for (octet, shift) in octets.get_mut(places).unwrap_or_default().iter_mut().zip([0, 8]) {
                let [mask, _] = (mask >> shift).to_le_bytes();
                let [value, _] = (value >> shift).to_le_bytes();
                *octet = (*octet & !mask) | value;
            }
        }
        Alphabet::EightBit => octets.get_mut(places).unwrap_or_default().fill(SPACE),
        // Most significant octet first.
        Alphabet::Ucs2 => octets.get_mut(places).unwrap_or_default().fill(if unit.is_multiple_of(2) { 0 } else { SPACE }),
    }
}

impl Room for Fit<'_, '_> {
    fn fits(&mut self, text: &str) -> Result<(), Bound> {
        self.trial(Kept::Text, |fit| fit.change_text(text))
    }

    fn fits_in_front(&mut self, front: &str) -> Option<Result<(), Bound>> {
        Some(self.trial(Kept::Text, |fit| fit.change_front(front)))
    }

    fn front(&mut self) -> Option<Front> {
        self.take_back();
        self.may_grow().ok().and_then(|()| Front::of(&self.tpdu.user_data))
    }

    fn fits_in_place(&mut self, spots: &[usize]) -> Result<(), Bound> {
        let mut left = core::mem::take(self.left);
        let result = self.trial(Kept::Nothing, |fit| fit.blank(spots, &mut left).map(drop));
        *self.left = left;
        result
    }

    fn reserve(&mut self, _issued: &[Issued]) -> Result<(), Bound> {
        if self.has_work { Ok(()) } else { Err(Bound::NoWork) }
    }

    fn fits_silence(&mut self) -> Result<(), Bound> {
        self.trial(Kept::Silence, Self::change_pid)
    }
}
