//! What stands between a text and the wire: the policy proposes, the room disposes.

use super::redirect::Issued;
use core::fmt;
use protocols::sms::encode::{Front, NoFit};

/// Which bound an edit would break. `Copy`, without strings: a counter label too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bound {
    /// The message's alphabet and its shift tables cannot write this character.
    Characters(char),
    /// TP-UD holds 140 octets: 160 septets, fewer behind a header.
    UserData {
        /// Units (septets in GSM 7-bit, octets otherwise) the text would take.
        need: usize,
        /// Units there are.
        room: usize,
    },
    /// SIF of the MSU on a link set with a leg over MTP2.
    Sif {
        /// Octets the SIF would take.
        need: usize,
        /// Octets allowed (`max_sif`).
        max: usize,
    },
    /// 255 octets of SCCP user data.
    Sccp,
    /// The MTU of the packet.
    Mtu,
    /// The message lies in several SCTP or SCCP pieces: only a change of equal length is possible.
    SameLengthOnly,
    /// All that would be made dead lies in pieces of the message that have gone on.
    EarlierPiece,
    /// The edit would stand behind an autofill code.
    Autofill,
    /// A redirect was asked for and no pages host is set.
    NoPagesHost,
    /// The ring of `work` records has no place: no redirect without its record.
    NoWork,
    /// Part of the link stands in another part of the text.
    CrossesParts,
    /// The link is one that no handset opens: there is nothing to redirect.
    NotTappable,
    /// More short messages than whoever asked allows.
    Segments {
        /// Short messages the text would take.
        need: usize,
        /// Short messages allowed.
        max: usize,
    },
    /// Nothing on the wire can do this: only who asks by the API can.
    OnTheWire,
    /// There is no form for this verdict.
    NoForm,
    /// The action is switched off.
    Off,
    /// A WAP push is no text of a person: its links can be made dead in place, and no words of ours stand in it.
    Push,
    /// The bad link is the sender's name, and nothing in the text can be made dead for it.
    Sender,
    /// Nothing can be changed here at all (AUTH, bad sum, never-touch list of the network).
    Untouchable,
}

impl Bound {
    /// The name for counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Characters(_) => "characters",
            Self::UserData { .. } => "user-data",
            Self::Sif { .. } => "sif",
            Self::Sccp => "sccp",
            Self::Mtu => "mtu",
            Self::SameLengthOnly => "same-length",
            Self::EarlierPiece => "earlier-piece",
            Self::Autofill => "autofill",
            Self::NoPagesHost => "no-pages-host",
            Self::NoWork => "no-work",
            Self::CrossesParts => "crosses-parts",
            Self::NotTappable => "not-tappable",
            Self::Segments { .. } => "segments",
            Self::OnTheWire => "on-the-wire",
            Self::NoForm => "no-form",
            Self::Off => "off",
            Self::Push => "wap-push",
            Self::Sender => "sender",
            Self::Untouchable => "untouchable",
        }
    }
}

impl From<NoFit> for Bound {
    fn from(nofit: NoFit) -> Self {
        match nofit {
            NoFit::Character(character) => Self::Characters(character),
            NoFit::Long { need, room } => Self::UserData { need, room },
            NoFit::NoText | NoFit::Places => Self::Untouchable,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Characters(c) => write!(f, "cannot be written in the message's alphabet (U+{:04X})", u32::from(c)),
            Self::UserData { need, room } => write!(f, "needs {need} of {room} units of user data"),
            Self::Sif { max, .. } => write!(f, "exceeds {max} octets of SIF"),
            Self::Sccp => f.write_str("exceeds 255 octets of SCCP data"),
            Self::Mtu => f.write_str("exceeds the MTU"),
            Self::SameLengthOnly => f.write_str("changes the length of a message in several pieces"),
            Self::EarlierPiece => f.write_str("comes too late for a link in an earlier piece"),
            Self::Autofill => f.write_str("would stand behind an autofill code"),
            Self::NoPagesHost => f.write_str("has no pages host"),
            Self::NoWork => f.write_str("has no place for its work record"),
            Self::CrossesParts => f.write_str("needs a link that lies in one part"),
            Self::NotTappable => f.write_str("needs a link that a handset opens"),
            Self::Segments { need, max } => write!(f, "takes {need} short messages of {max}"),
            Self::OnTheWire => f.write_str("cannot be done on the wire"),
            Self::NoForm => f.write_str("has no form for this verdict"),
            Self::Off => f.write_str("is switched off"),
            Self::Sender => f.write_str("has no link in the text to make dead"),
            Self::Push => f.write_str("does not stand in a WAP push"),
            Self::Untouchable => f.write_str("may not touch this frame"),
        }
    }
}

/// Whether a change can go on the wire. Must be a function of the message and the text asked about, and nothing else:
/// [`Policy::decide`](super::Policy::decide) is idempotent only then.
pub trait Room {
    /// Whether the TPDU, and all around it, can hold `text` in place of its own. The message's own text always fits.
    fn fits(&mut self, text: &str) -> Result<(), Bound>;

    /// As [`Room::fits`] for `front` with the message's own text behind it, before anybody writes the two together; `None`: only the whole
    /// can be asked about.
    fn fits_in_front(&mut self, _front: &str) -> Option<Result<(), Bound>> {
        None
    }

    /// By how many characters alone [`Room::fits_in_front`] would turn a front down; `None`: it has to be asked.
    fn front(&mut self) -> Option<Front> {
        None
    }

    /// Whether the characters at these byte offsets of the message's own text can each be overwritten with a space.
    fn fits_in_place(&mut self, _spots: &[usize]) -> Result<(), Bound> {
        Ok(())
    }

    /// Asked last, when a redirect fits: takes the places of the `work` records of these ids, all or none.
    fn reserve(&mut self, _issued: &[Issued]) -> Result<(), Bound> {
        Ok(())
    }

    /// Whether the PID may be set to type 0 (`silence`).
    fn fits_silence(&mut self) -> Result<(), Bound> {
        Ok(())
    }

    /// Whether the message can be refused or held back (`reject`, `notify`): not on the wire.
    fn fits_off_the_wire(&mut self) -> Result<(), Bound> {
        Err(Bound::OnTheWire)
    }
}

/// A room without walls: what `ztsms scan` uses, where there is no frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unbounded;

impl Room for Unbounded {
    fn fits(&mut self, _text: &str) -> Result<(), Bound> {
        Ok(())
    }
}
