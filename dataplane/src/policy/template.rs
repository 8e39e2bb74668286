//! Templates: text with `{verdict} {brand} {host} {domain} {sender} {link}` in it, compiled once, written into the caller's scratch.
//!
//! What a message brings with it is made harmless on the way in: `evil.com` is written `evil(.)com`, which no handset links, and a
//! sender or a link keeps only characters that every alphabet has. An empty value takes the one space behind it along.

use core::fmt;
use protocols::sms::encode;

/// A placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Verdict,
    Brand,
    Host,
    Domain,
    Sender,
    Link,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    Slot(Slot),
}

/// One form of a label or a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
    /// Characters of its own words, where they are [plain](encode::is_plain): nothing is shorter, whatever it names.
    least: Option<usize>,
}

/// What goes into a template.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Values<'a> {
    /// The verdict in the template's language.
    pub(super) verdict: &'a str,
    /// The operator's name.
    pub(super) brand: &'a str,
    /// Host of the worst link.
    pub(super) host: &'a str,
    /// Registrable domain of the worst link.
    pub(super) domain: &'a str,
    /// Who sent it.
    pub(super) sender: &'a str,
    /// The worst link as it stands in the text.
    pub(super) link: &'a str,
}

impl Values<'_> {
    fn of(&self, slot: Slot) -> &str {
        match slot {
            Slot::Verdict => self.verdict,
            Slot::Brand => self.brand,
            Slot::Host => self.host,
            Slot::Domain => self.domain,
            Slot::Sender => self.sender,
            Slot::Link => self.link,
        }
    }

    /// How many characters a value is written with, where they are plain.
    fn characters(&self, slot: Slot) -> Option<usize> {
        let value = self.of(slot);
        match slot {
            Slot::Verdict | Slot::Brand => encode::is_plain(value).then_some(value.len()),
            Slot::Host | Slot::Domain => defanged_ascii(value),
            Slot::Sender | Slot::Link => defanged_ascii(without_scheme(value)),
        }
    }
}

/// Values for several forms: what a message brings with it is made harmless once, when a form first asks.
pub(super) struct Once<'v, 'b> {
    values: &'v Values<'v>,
    names: &'b mut String,
    /// Where host, domain, sender and link lie in `names`.
    spans: [Option<(usize, usize)>; 4],
}

impl Values<'_> {
    /// The values, written into `names` as forms ask for them.
    pub(super) fn once<'v, 'b>(&'v self, names: &'b mut String) -> Once<'v, 'b> {
        names.clear();
        Once { values: self, names, spans: [None; 4] }
    }
}

impl Once<'_, '_> {
    fn of(&mut self, slot: Slot) -> &str {
        let value = self.values.of(slot);
        let (span, value) = match (slot, &mut self.spans) {
            (Slot::Verdict | Slot::Brand, _) => return value,
            (Slot::Host, [host, ..]) => (host, value),
            (Slot::Domain, [_, domain, ..]) => (domain, value),
            (Slot::Sender, [_, _, sender, _]) => (sender, without_scheme(value)),
            (Slot::Link, [.., link]) => (link, without_scheme(value)),
        };
        let (start, end) = *span.get_or_insert_with(|| {
            let start = self.names.len();
            defang(value, self.names);
            (start, self.names.len())
        });
        self.names.get(start..end).unwrap_or_default()
    }
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// `{name}` that is none of ours.
    UnknownPlaceholder(String),
    /// `{` without `}`.
    Open,
    /// Nothing in it.
    Empty,
    /// A link in the words themselves, to a host that `labels.link_hosts` does not name.
    Link(String),
    /// It reads as what is said of a verified link.
    LikeSafe(String),
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPlaceholder(name) => {
                write!(
                    f,
                    "`{{{name}}}` is not a placeholder: they are {{verdict}} {{brand}} {{host}} {{domain}} {{sender}} {{link}}"
                )
            }
            Self::Open => f.write_str("a `{` is not closed"),
            Self::Empty => f.write_str("a form may not be empty"),
            Self::LikeSafe(words) => write!(f, "it reads as `{words}`, which is said of safe links"),
            Self::Link(host) => write!(f, "the text holds a link to `{host}`, which is not in link_hosts"),
        }
    }
}

/// Whether a form can be read, for whoever reads a configuration: [`Policy::compile`](super::Policy::compile) says it again.
pub fn check_template(source: &str) -> Result<(), TemplateError> {
    Template::parse(source).map(|_| ())
}

impl Template {
    /// Reads one form.
    pub(super) fn parse(source: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut rest = source;
        while let Some((text, behind)) = rest.split_once('{') {
            let (name, behind) = behind.split_once('}').ok_or(TemplateError::Open)?;
            let slot = match name {
                "verdict" => Slot::Verdict,
                "brand" => Slot::Brand,
                "host" => Slot::Host,
                "domain" => Slot::Domain,
                "sender" => Slot::Sender,
                "link" => Slot::Link,
                _ => return Err(TemplateError::UnknownPlaceholder(name.to_owned())),
            };
            if !text.is_empty() {
                pieces.push(Piece::Text(text.into()));
            }
            pieces.push(Piece::Slot(slot));
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        if pieces.is_empty() { Err(TemplateError::Empty) } else { Ok(Self { least: least(&pieces), pieces }) }
    }

    /// What the form says of any message: without what a message brings with it.
    pub(super) fn words(&self, verdict: &str, brand: &str) -> String {
        let (mut words, values) = (String::new(), Values { verdict, brand, ..Values::default() });
        self.write(&mut values.once(&mut String::new()), &mut words);
        words.trim().trim_end_matches([':', ' ']).to_owned()
    }

    /// Writes the form behind what `out` holds.
    pub(super) fn write(&self, values: &mut Once<'_, '_>, out: &mut String) {
        let mut swallow = false;
        for piece in &self.pieces {
            let part = match piece {
                Piece::Text(text) if swallow => text.strip_prefix(' ').unwrap_or(text),
                Piece::Text(text) => text,
                Piece::Slot(slot) => values.of(*slot),
            };
            out.push_str(part);
            swallow = part.is_empty() && matches!(piece, Piece::Slot(_));
        }
    }

    /// How few characters [`Self::write`] may write, where all of them are [plain](encode::is_plain).
    pub(super) const fn least(&self) -> Option<usize> {
        self.least
    }

    /// How many characters [`Self::write`] writes with these values, where all of them are plain.
    pub(super) fn characters(&self, values: &Values<'_>) -> Option<usize> {
        self.least?;
        let (mut characters, mut swallow) = (0, false);
        for piece in &self.pieces {
            let len = match piece {
                Piece::Text(text) => text.len() - usize::from(swallow && text.starts_with(' ')),
                Piece::Slot(slot) => values.characters(*slot)?,
            };
            characters += len;
            swallow = len == 0 && matches!(piece, Piece::Slot(_));
        }
        Some(characters)
    }

    /// The first octet of what the form writes with these values; `None` where the message has a say in it.
    pub(super) fn first_octet(&self, values: &Values<'_>) -> Option<u8> {
        let mut swallow = false;
        for piece in &self.pieces {
            let part = match piece {
                Piece::Text(literal) if swallow => literal.strip_prefix(' ').unwrap_or(literal),
                Piece::Text(literal) => literal,
                Piece::Slot(slot @ (Slot::Verdict | Slot::Brand)) => values.of(*slot),
                Piece::Slot(_) => return None,
            };
            match part.as_bytes().first() {
                Some(&octet) => return Some(octet),
                None => swallow = true,
            }
        }
        None
    }

    /// Whether `text` may begin with this form: its words up to the first host agree.
    pub(super) fn may_head(&self, text: &str, values: &Values<'_>) -> bool {
        let mut rest = text;
        let mut swallow = false;
        for piece in &self.pieces {
            let part = match piece {
                Piece::Text(literal) if swallow => literal.strip_prefix(' ').unwrap_or(literal),
                Piece::Text(literal) => literal,
                Piece::Slot(slot @ (Slot::Verdict | Slot::Brand)) => values.of(*slot),
                Piece::Slot(_) => return true,
            };
            swallow = part.is_empty();
            let Some(behind) = rest.strip_prefix(part) else { return false };
            rest = behind;
        }
        true
    }

    /// Whether `text` is, from first to last, this form with some host (and the other values given) in it.
    pub(super) fn matches(&self, text: &str, values: &Values<'_>) -> bool {
        let mut rest = text;
        let mut swallow = false;
        for piece in &self.pieces {
            match piece {
                Piece::Text(literal) => {
                    let literal = if swallow { literal.strip_prefix(' ').unwrap_or(literal) } else { literal };
                    let Some(behind) = rest.strip_prefix(literal) else { return false };
                    rest = behind;
                    swallow = false;
                }
                Piece::Slot(slot @ (Slot::Verdict | Slot::Brand)) => {
                    let value = values.of(*slot);
                    let Some(behind) = rest.strip_prefix(value) else { return false };
                    rest = behind;
                    swallow = value.is_empty();
                }
                Piece::Slot(Slot::Sender) => {
                    let Some(behind) = strip_defanged(rest, without_scheme(values.sender)) else { return false };
                    swallow = behind.len() == rest.len();
                    rest = behind;
                }
                Piece::Slot(Slot::Host | Slot::Domain | Slot::Link) => {
                    let behind = skip_defanged(rest);
                    swallow = behind.len() == rest.len();
                    rest = behind;
                }
            }
        }
        rest.is_empty()
    }

    /// The words up to the first placeholder: what an imitation would copy.
    pub(super) fn head(&self) -> Option<&str> {
        self.pieces.iter().find_map(|piece| match piece {
            Piece::Text(text) if text.chars().any(char::is_alphanumeric) => Some(text.as_ref()),
            _ => None,
        })
    }

    /// A host written out in the template's own words that `allowed` does not name.
    pub(super) fn foreign_link(&self, allowed: &[String]) -> Option<String> {
        self.pieces.iter().find_map(|piece| {
            let Piece::Text(text) = piece else { return None };
            foreign_link(text, allowed)
        })
    }
}

/// See [`Template::least`]: behind each placeholder a space may go too.
fn least(pieces: &[Piece]) -> Option<usize> {
    let (mut least, mut swallow) = (0, false);
    for piece in pieces {
        match piece {
            Piece::Text(text) if !encode::is_plain(text) => return None,
            Piece::Text(text) => least += text.len() - usize::from(swallow && text.starts_with(' ')),
            Piece::Slot(_) => {}
        }
        swallow = matches!(piece, Piece::Slot(_));
    }
    Some(least)
}

/// The first link in some words of the operator's, to a host that is not among these.
pub(super) fn foreign_link(text: &str, allowed: &[String]) -> Option<String> {
    text.split_whitespace().find_map(|word| {
        let host = without_scheme(word).split(['/', ':', '?', '#']).next()?.trim_end_matches(['.', ',', ')', '!']);
        let inner_dot = host.char_indices().any(|(at, c)| {
            let before = host.get(..at).and_then(|s| s.chars().next_back());
            let after = host.get(at + c.len_utf8()..).and_then(|s| s.chars().next());
            c == '.' && before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric)
        });
        let linked = inner_dot || word.contains("://");
        (linked && !allowed.iter().any(|ours| ours.eq_ignore_ascii_case(host))).then(|| host.to_owned())
    })
}

/// A set of octets: the first ones of forms. Nearly every text is none of ours by its first octet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Firsts([u64; 4]);

impl Firsts {
    /// No form.
    pub(super) const NONE: Self = Self([0; 4]);

    /// Adds a form's first octet; every octet, where it has no certain one.
    pub(super) fn add(&mut self, first: Option<u8>) {
        match first {
            Some(octet) => {
                if let Some(word) = self.0.get_mut(usize::from(octet >> 6)) {
                    *word |= 1 << (octet & 63);
                }
            }
            None => self.0 = [u64::MAX; 4],
        }
    }

    /// Whether a text may be, or begin with, one of the forms.
    pub(super) fn may_start(&self, text: &str) -> bool {
        text.as_bytes()
            .first()
            .is_none_or(|&octet| self.0.get(usize::from(octet >> 6)).is_some_and(|word| word >> (octet & 63) & 1 == 1))
    }
}

fn without_scheme(link: &str) -> &str {
    link.split_once("://").map_or(link, |(_, rest)| rest)
}

/// Writes a host, a sender or a link so that no handset links it and no alphabet lacks it: `evil.com` is `evil(.)com`.
fn defang(value: &str, out: &mut String) {
    if let Some(ascii) = ascii(value) {
        let mut from = 0;
        for (at, octet) in ascii.bytes().enumerate() {
            let written = written(octet);
            if written != 1 {
                out.push_str(ascii.get(from..at).unwrap_or_default());
                out.push_str(if written == 0 { "" } else { DOT });
                from = at + 1;
            }
        }
        return out.push_str(ascii.get(from..).unwrap_or_default());
    }
    for c in value.chars().take(MAX_VALUE) {
        match c {
            _ if is_dot(c) => out.push_str(DOT),
            _ if is_plain(c) => out.push(c),
            _ => {}
        }
    }
}

/// How many characters [`defang`] writes of a value in ASCII; `None` of any other.
fn defanged_ascii(value: &str) -> Option<usize> {
    Some(ascii(value)?.bytes().map(|octet| usize::from(written(octet))).sum())
}

/// As much of a value in ASCII as is written.
fn ascii(value: &str) -> Option<&str> {
    value.get(..value.len().min(MAX_VALUE)).filter(|_| value.is_ascii())
}

/// How many characters an octet of ASCII is written with: itself, [`DOT`] or none.
#[inline]
fn written(octet: u8) -> u8 {
    static WRITTEN: [u8; 256] = {
        let mut table = [0; 256];
        let mut octet = 0;
        while octet < 128 {
            let c = octet as u8 as char;
            #[expect(clippy::indexing_slicing, reason = "in a constant, within its bounds")]
            {
                table[octet] = if is_dot(c) { DOT.len() as u8 } else { is_plain(c) as u8 };
            }
            octet += 1;
        }
        table
    };
    WRITTEN.get(usize::from(octet)).copied().unwrap_or_default()
}

/// What stands for a dot.
const DOT: &str = "(.)";

/// Takes what [`defang`] makes of `value` off the head of `text`.
fn strip_defanged<'a>(mut text: &'a str, value: &str) -> Option<&'a str> {
    for c in value.chars().take(MAX_VALUE) {
        if is_dot(c) {
            text = text.strip_prefix(DOT)?;
        } else if is_plain(c) {
            text = text.strip_prefix(c)?;
        }
    }
    Some(text)
}

const fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

const fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | ' ')
}

/// No value is longer: DNS allows a host 253 characters, and no message holds one that long.
const MAX_VALUE: usize = 253;

/// Steps over what [`defang`] can have written.
fn skip_defanged(mut text: &str) -> &str {
    loop {
        if let Some(behind) = text.strip_prefix(DOT) {
            text = behind;
        } else if let Some(behind) = text.strip_prefix(|c: char| c != ' ' && is_plain(c)) {
            text = behind;
        } else {
            return text;
        }
    }
}

#[cfg(test)]
mod tests;
