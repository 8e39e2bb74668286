//! Whether a new text fits into its TPDU and all that stands around it, and the changes that put it there.

use protocols::sms::encode::{self, Change, NoFit as NoText, Ud};
use protocols::sms::{Alphabet, Kind, Tpdu, UserData};

use crate::carrier::{Carrier, Stop};
use crate::judge::Met;
use crate::policy::redirect::Issued;
use crate::policy::{Bound, Room};
use crate::record::Transport;
use crate::rewrite::{Changes, NoFit};
use crate::world::Network;

/// Octets that a TPDU may have: 140 of user data behind at most 24 of header.
pub(crate) const TPDU: usize = 256;

/// PID 40: a short message of type 0, TS 23.040 §9.2.3.9.
const TYPE_0: u8 = 0x40;

/// One message, asked about and then changed.
pub(crate) struct Fit<'f, 'a> {
    pub(crate) met: &'f Met<'a>,
    pub(crate) tpdu: &'f Tpdu<'a>,
    /// Its text as decoded.
    pub(crate) text: &'f str,
    pub(crate) network: &'f Network,
    pub(crate) transport: Transport,
    pub(crate) changes: &'f mut Changes,
    pub(crate) ud: &'f mut Ud,
    pub(crate) octets: &'f mut [u8; TPDU],
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

fn bound(nofit: NoText) -> Bound {
    match nofit {
        NoText::Character(character) => Bound::Characters(character),
        NoText::Long { need, room } => Bound::UserData { need, room },
        NoText::NoText | NoText::Places => Bound::Untouchable,
    }
}

impl Fit<'_, '_> {
    /// Why this message is never touched, whatever the policy says (DOMAIN: "Never touched").
    pub(crate) fn untouchable(&self) -> Option<&'static str> {
        let vgcs = self.met.forward.vgcs.then_some("VGCS");
        self.met.carrier.frozen.or(vgcs).or_else(|| self.tpdu.untouchable())
    }

    fn touchable(&self) -> Result<(), Bound> {
        self.untouchable().map_or(Ok(()), |_| Err(Bound::Untouchable))
    }

    /// Adds the changes that put `text` in place of the message's own.
    pub(crate) fn put_text(&mut self, text: &str) -> Result<(), Bound> {
        self.touchable()?;
        if self.met.carrier.is_joined() {
            return Err(Bound::SameLengthOnly);
        }
        // A text put in front leaves every unit of the old one as it is, also those that no character stands for.
        let front = text.strip_suffix(self.text);
        let written = match front {
            Some(front) => encode::edit(&self.tpdu.user_data, &[Change { units: 0..0, text: front }], self.ud),
            None => encode::refit(&self.tpdu.user_data, text, self.ud),
        };
        written.map_err(bound)?;
        self.put_user_data()
    }

    /// Adds the changes that put `self.ud` in place of the message's user data.
    fn put_user_data(&mut self) -> Result<(), Bound> {
        let forward = self.met.forward;
        let tpdu = encode::splice(forward.sm_rp_ui, self.tpdu, self.ud, self.octets).ok_or(Bound::Untouchable)?;
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
        Ok(carrier.fields(element, self.transport, self.changes)?)
    }

    /// Adds the changes that blank the characters at these places of the text, as far as they lie in the frame in hand.
    pub(crate) fn blank(&mut self, spots: &[usize]) -> Result<(), Bound> {
        self.touchable()?;
        let (mut at, mut wanted) = (0, spots.iter().copied().peekable());
        let (carrier, user_data) = (self.met.carrier, &self.tpdu.user_data);
        let reachable = |unit: u8| !carrier.is_joined() || reaches(carrier, user_data, unit);
        let units = user_data.units().filter_map(|(units, character)| {
            let start = at;
            at += character.len_utf8();
            while wanted.next_if(|&spot| spot < start).is_some() {}
            wanted.next_if_eq(&start)?;
            reachable(units.start).then_some((units.start, ' '))
        });
        encode::overwrite(user_data, units, self.ud).map_err(bound)?;
        if self.met.forward.joined {
            return if self.met.carrier.is_joined() { Err(Bound::SameLengthOnly) } else { self.put_user_data() };
        }
        let mut changed = false;
        for (at, &new) in self.ud.octets().iter().enumerate() {
            let Some(old) = user_data.octets.get(at..=at) else { continue };
            if old != [new] {
                let place = self.met.carrier.locate(old).ok_or(Bound::SameLengthOnly)?;
                self.changes.replace(place..place + 1, &[new]).map_err(Stop::from)?;
                changed = true;
            }
        }
        if changed || spots.is_empty() { Ok(()) } else { Err(Bound::SameLengthOnly) }
    }

    /// Adds the change that makes the message one of type 0.
    pub(crate) fn put_silence(&mut self) -> Result<(), Bound> {
        self.touchable()?;
        // DELIVER: PID, DCS, SCTS of seven, UDL (TS 23.040 §9.2.2.1).
        let pid_at =
            self.tpdu.udl_at.and_then(|udl| udl.checked_sub(9)).filter(|_| self.tpdu.kind == Kind::Deliver).ok_or(Bound::Off)?;
        let pid = self.met.forward.sm_rp_ui.get(pid_at..=pid_at).ok_or(Bound::Untouchable)?;
        let place = self.met.carrier.locate(pid).ok_or(Bound::SameLengthOnly)?;
        Ok(self.changes.replace(place..place + 1, &[TYPE_0]).map_err(Stop::from)?)
    }

    /// Tries changes and takes them back.
    fn trial(&mut self, change: impl FnOnce(&mut Self) -> Result<(), Bound>) -> Result<(), Bound> {
        let mark = self.changes.mark();
        let result = change(self).and_then(|()| self.settled());
        self.changes.back_to(mark);
        result
    }

    fn settled(&mut self) -> Result<(), Bound> {
        let carrier = self.met.carrier;
        self.changes.settle(carrier.base).map_err(Stop::from)?;
        let network = self.network;
        Ok(carrier.bounds(self.transport, network.label_len(), network.max_sif, network.mtu, self.changes)?)
    }
}

/// Whether all octets of a unit of text lie in the frame in hand.
fn reaches(carrier: &Carrier<'_>, user_data: &UserData<'_>, unit: u8) -> bool {
    let header = user_data.header_octets();
    let octets = match user_data.alphabet() {
        Alphabet::Gsm7 => {
            let bit = header * 8 + user_data.fill_bits() as usize + usize::from(unit) * 7;
            bit / 8..(bit + 6) / 8 + 1
        }
        Alphabet::EightBit => header + usize::from(unit)..header + usize::from(unit) + 1,
        Alphabet::Ucs2 => header + usize::from(unit)..header + usize::from(unit) + 2,
    };
    let mut octets = user_data.octets.get(octets).unwrap_or_default().chunks(1);
    octets.all(|octet| carrier.locate(octet).is_some())
}

impl Room for Fit<'_, '_> {
    fn fits(&mut self, text: &str) -> Result<(), Bound> {
        self.trial(|fit| fit.put_text(text))
    }

    fn fits_in_place(&mut self, spots: &[usize]) -> Result<(), Bound> {
        self.trial(|fit| fit.blank(spots))
    }

    fn reserve(&mut self, _issued: &[Issued]) -> Result<(), Bound> {
        Ok(())
    }

    fn fits_silence(&mut self) -> Result<(), Bound> {
        self.trial(Self::put_silence)
    }
}
