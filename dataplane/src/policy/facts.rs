//! What the policy is told about a message. Everything is borrowed: nothing is kept after the decision.

use super::profiles::{Language, Profile};
use crate::verdict::{Confidence, Reason, Verdict};

pub use protocols::map::Direction;

/// What kind of address the sender has (TS 23.040 §9.1.2.5, type of number).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SenderKind {
    /// A name: GSM 7-bit text in place of a number.
    Alphanumeric,
    /// A number in international form.
    International,
    /// Any other number, a short code among them.
    #[default]
    Other,
}

impl SenderKind {
    /// A sender as people write it: without its `+`, and what kind of address it is.
    pub fn of(written: &str) -> (&str, Self) {
        let digits = written.strip_prefix('+').unwrap_or(written);
        let is_number = |signs: &str| digits.chars().all(|c| c.is_ascii_digit() || signs.contains(c));
        match () {
            () if digits.is_empty() => (written, Self::Other),
            () if is_number("") && digits.len() < written.len() => (digits, Self::International),
            () if is_number("*#") => (digits, Self::Other),
            () => (written, Self::Alphanumeric),
        }
    }
}

/// One link, or one reading of it, as scan and verdict table left it.
#[derive(Clone, Copy, Debug)]
pub struct LinkFacts<'a> {
    /// First byte of the link in [`Message::text`]; for a link that began in an earlier part, 0.
    pub start: usize,
    /// Byte behind the link in [`Message::text`].
    pub end: usize,
    /// Canonical host; empty where the link has none (`whatsapp:`).
    pub host: &'a str,
    /// Registrable domain of the host, or the host itself where there is none.
    pub registrable: &'a str,
    /// What the link is worth.
    pub verdict: Verdict,
    /// Which rule said so.
    pub reason: Reason,
    /// Category of the entry; empty where there is none, and where no rule asks for it ([`asks_category`](super::Policy::asks_category)).
    pub category: &'a str,
    /// How sure the scan is.
    pub confidence: Confidence,
    /// Whether any of the link stands in this TPDU; if not, `start` and `end` mean nothing.
    pub in_this_part: bool,
    /// Whether some of the link stands in another part of the text.
    pub crosses_parts: bool,
}

impl LinkFacts<'_> {
    /// Whether the link counts: tappable, or an exact dangerous entry behind a defanged form. A binding never does.
    pub fn acts(&self) -> bool {
        match self.confidence {
            Confidence::High => true,
            Confidence::Low => {
                let exact = matches!(self.reason, Reason::Exact | Reason::Host | Reason::Path | Reason::Expansion);
                exact && self.verdict == Verdict::Dangerous
            }
            Confidence::Binding => false,
        }
    }
}

/// One short message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Which way it goes.
    pub direction: Direction,
    /// TP-OA (MT) or the originator's MSISDN (MO) as people read it: a name, or digits, without `+`. Empty where it is not known.
    pub sender: &'a str,
    /// What the sender's address is.
    pub sender_kind: SenderKind,
    /// Called global title: digits, empty where there is none, and where no rule asks for it ([`asks_titles`](super::Policy::asks_titles)).
    pub called_gt: &'a str,
    /// Calling global title, as `called_gt`.
    pub calling_gt: &'a str,
    /// Originating point code, where the transport has one.
    pub opc: Option<u32>,
    /// Destination point code, where the transport has one.
    pub dpc: Option<u32>,
    /// IMSI of the recipient (MT) or the originator (MO), where the frame names one.
    pub imsi: Option<&'a str>,
    /// What the table of recipients says, where one is loaded and holds this one.
    pub profile: Option<Profile>,
    /// The language that whoever asks wants, before the profile's.
    pub language: Option<Language>,
    /// Every link of the whole text, in the order found, bindings and low-confidence ones too.
    pub links: &'a [LinkFacts<'a>],
    /// The sender's name, where it reads as a link that counts: no link of the text, and the message is no better.
    pub sender_link: Option<&'a LinkFacts<'a>>,
    /// The link of an earlier copy of the text, where it makes the message worse than what stands there now: what a label has to name.
    pub copy_link: Option<&'a LinkFacts<'a>>,
    /// Another part of the text stands before this one.
    pub continues: bool,
    /// Another part of the text stands behind this one.
    pub continued: bool,
    /// What the whole message is worth; may be worse than its links, never better.
    pub verdict: Verdict,
    /// The text of this TPDU.
    pub text: &'a str,
}

impl<'a> Message<'a> {
    /// What stands before words of ours that begin this part: they must not run on from what another part ends with.
    pub(super) const fn before(&self) -> &'static str {
        if self.continues { "\n" } else { "" }
    }

    /// What stands behind a notice that another part follows.
    pub(super) const fn behind(&self) -> &'static str {
        if self.continued { " " } else { "" }
    }

    /// A message with a text and links and nothing else known: what `ztsms scan` has. Fill in the rest with `..`.
    pub fn new(text: &'a str, links: &'a [LinkFacts<'a>]) -> Self {
        Self {
            direction: Direction::Mt,
            sender: "",
            sender_kind: SenderKind::Other,
            called_gt: "",
            calling_gt: "",
            opc: None,
            dpc: None,
            imsi: None,
            profile: None,
            language: None,
            sender_link: None,
            copy_link: None,
            continues: false,
            continued: false,
            verdict: links.iter().filter(|link| link.acts()).map(|link| link.verdict).max().unwrap_or(Verdict::None),
            links,
            text,
        }
    }
}
