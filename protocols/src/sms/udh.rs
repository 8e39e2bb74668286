//! The user data header, TS 23.040 §9.2.3.24: information elements in front of the text.
//!
//! ```text
//! UDHL | IEI, IEDL, data | IEI, IEDL, data | ...        UDHL counts the octets behind itself
//! ```
//! Of elements that may not be repeated, or that exclude each other, the last counts.

use super::tables::Language;

/// A header whose lengths all fit. Only then may its elements be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Udh<'a> {
    octets: &'a [u8],
}

/// One information element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Information Element Identifier.
    pub id: u8,
    /// Its data, without identifier and length.
    pub data: &'a [u8],
}

/// Which part of how many this message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concat {
    /// Reference that the parts share: 8 or 16 bits.
    pub reference: u16,
    /// The reference has 16 bits (IE 08).
    pub wide: bool,
    /// Number of parts, at least 1.
    pub total: u8,
    /// This part, from 1 to `total`.
    pub seq: u8,
}

/// Application ports, IE 04 (8 bits) or 05 (16 bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ports {
    /// Where the handset delivers it: 2948 is WAP push.
    pub destination: u16,
    /// Where it came from.
    pub source: u16,
    /// 16-bit ports (IE 05).
    pub wide: bool,
}

/// A link of IE 21: its title and address stand in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hyperlink {
    /// Character of the text at which the title starts.
    pub position: u16,
    /// Characters of the title; the address follows it.
    pub title: u8,
    /// Characters of the address.
    pub url: u8,
}

impl<'a> Udh<'a> {
    /// Reads the octets behind UDHL; `None` if an element does not end where they end: then the whole header is ignored.
    pub(super) fn parse(octets: &'a [u8]) -> Option<Self> {
        let mut rest = octets;
        while let [_, len, data @ ..] = rest {
            rest = data.get(usize::from(*len)..)?;
        }
        rest.is_empty().then_some(Self { octets })
    }

    /// The octets behind UDHL.
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The elements in order.
    pub fn elements(&self) -> Elements<'a> {
        Elements { rest: self.octets }
    }

    /// The last element of this identifier.
    pub fn last(&self, id: u8) -> Option<&'a [u8]> {
        self.elements().filter(|element| element.id == id).last().map(|element| element.data)
    }

    /// The part this is. An element with total 0, part 0 or part above total is as if it were not there (§9.2.3.24.1).
    pub fn concat(&self) -> Option<Concat> {
        let read = |element: Element<'a>| match (element.id, element.data) {
            (0x00, &[reference, total, seq, ..]) => Some(Concat { reference: reference.into(), wide: false, total, seq }),
            (0x08, &[high, low, total, seq, ..]) => {
                Some(Concat { reference: u16::from_be_bytes([high, low]), wide: true, total, seq })
            }
            _ => None,
        };
        self.elements().filter_map(read).filter(|concat| concat.seq > 0 && concat.seq <= concat.total).last()
    }

    /// The ports that it is addressed to.
    pub fn ports(&self) -> Option<Ports> {
        let read = |element: Element<'a>| match (element.id, element.data) {
            (0x04, &[destination, source, ..]) => {
                Some(Ports { destination: destination.into(), source: source.into(), wide: false })
            }
            (0x05, &[d0, d1, s0, s1, ..]) => {
                Some(Ports { destination: u16::from_be_bytes([d0, d1]), source: u16::from_be_bytes([s0, s1]), wide: true })
            }
            _ => None,
        };
        self.elements().filter_map(read).last()
    }

    /// Language of the locking shift table (IE 25).
    pub fn locking(&self) -> Language {
        self.language(0x25)
    }

    /// Language of the single shift table (IE 24).
    pub fn single(&self) -> Language {
        self.language(0x24)
    }

    fn language(&self, id: u8) -> Language {
        self.last(id).and_then(<[u8]>::first).map_or(Language::Default, |identifier| Language::from_identifier(*identifier))
    }

    /// It carries SIM toolkit security headers (70 to 7f): for the card alone.
    pub fn has_sim_toolkit(&self) -> bool {
        self.elements().any(|element| matches!(element.id, 0x70..=0x7f))
    }

    /// Octets of the e-mail header in front of an e-mail's text (IE 20).
    pub fn email_header(&self) -> Option<u8> {
        self.last(0x20).and_then(<[u8]>::first).copied()
    }

    /// The hyperlinks (IE 21).
    pub fn hyperlinks(&self) -> impl Iterator<Item = Hyperlink> + 'a {
        self.elements().filter(|element| element.id == 0x21).filter_map(|element| match *element.data {
            [p0, p1, title, url, ..] => Some(Hyperlink { position: u16::from_be_bytes([p0, p1]), title, url }),
            _ => None,
        })
    }

    /// The address that replies go to (IE 22), an address field without its own reader's checks.
    pub fn reply_address(&self) -> Option<super::Address<'a>> {
        super::Address::parse(self.last(0x22)?, 0).ok().map(|(address, _)| address)
    }

    /// It sets a message waiting indication (IE 01).
    pub fn has_message_waiting(&self) -> bool {
        self.last(0x01).is_some()
    }
}

/// The elements of a header.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let [id, len, data @ ..] = self.rest else { return None };
        let (data, rest) = data.split_at_checked(usize::from(*len))?;
        self.rest = rest;
        Some(Element { id: *id, data })
    }
}

impl Element<'_> {
    /// What TS 23.040 calls it, for people.
    pub const fn name(&self) -> &'static str {
        match self.id {
            0x00 => "concatenation, 8-bit reference",
            0x01 => "special message indication",
            0x04 => "application ports, 8 bits",
            0x05 => "application ports, 16 bits",
            0x06 => "SMSC control parameters",
            0x07 => "UDH source",
            0x08 => "concatenation, 16-bit reference",
            0x09 => "wireless control message protocol",
            0x0a => "text formatting",
            0x0b => "predefined sound",
            0x0c => "user-defined sound",
            0x0d => "predefined animation",
            0x0e => "large animation",
            0x0f => "small animation",
            0x10 => "large picture",
            0x11 => "small picture",
            0x12 => "variable picture",
            0x13 => "user prompt",
            0x14 => "extended object",
            0x15 => "reused extended object",
            0x16 => "compression control",
            0x17 => "object distribution",
            0x18 => "standard WVG object",
            0x19 => "character size WVG object",
            0x1a => "extended object data request",
            0x1b..=0x1f => "reserved for EMS",
            0x20 => "e-mail header",
            0x21 => "hyperlink",
            0x22 => "reply address",
            0x23 => "enhanced voice mail",
            0x24 => "national language single shift",
            0x25 => "national language locking shift",
            0x70..=0x7f => "(U)SIM toolkit security",
            0x80..=0x9f => "SME to SME",
            0xc0..=0xdf => "SC specific",
            _ => "reserved",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concat(octets: &[u8]) -> Option<(u16, u8, u8)> {
        Udh::parse(octets).unwrap().concat().map(|concat| (concat.reference, concat.total, concat.seq))
    }

    #[test]
    fn a_header_is_used_only_if_its_last_element_ends_with_it() {
        let header = [0x00, 3, 90, 2, 1, 0x24, 1, 6];
        assert_eq!(Udh::parse(&header).unwrap().elements().count(), 2);
        for end in (1..header.len()).filter(|end| *end != 5) {
            assert_eq!(Udh::parse(&header[..end]), None, "cut at {end}");
        }
        for (at, len) in [(1, 2), (1, 4), (6, 0), (6, 2), (6, 255)] {
            let mut bad = header;
            bad[at] = len;
            assert!(Udh::parse(&bad).is_none_or(|udh| udh.concat().is_none()), "length {len} at {at}");
        }
        assert_eq!(Udh::parse(&[]).unwrap().elements().count(), 0);
    }

    #[test]
    fn of_several_concatenations_the_last_that_is_possible_counts() {
        assert_eq!(concat(&[0x00, 3, 9, 2, 1, 0x08, 4, 1, 2, 3, 3]), Some((0x0102, 3, 3)));
        assert_eq!(concat(&[0x08, 4, 1, 2, 3, 3, 0x00, 3, 9, 2, 1]), Some((9, 2, 1)));
        assert_eq!(concat(&[0x00, 3, 9, 2, 1, 0x00, 3, 9, 2, 0]), Some((9, 2, 1)));
        for impossible in [[9, 0, 0], [9, 0, 1], [9, 2, 0], [9, 2, 3]] {
            assert_eq!(concat(&[&[0x00, 3], &impossible[..]].concat()), None, "{impossible:?}");
        }
    }

    #[test]
    fn languages_are_independent_and_a_reserved_one_is_the_default() {
        let udh = Udh::parse(&[0x25, 1, 6, 0x24, 1, 4]).unwrap();
        assert_eq!((udh.locking(), udh.single()), (Language::Hindi, Language::Bengali));
        let udh = Udh::parse(&[0x25, 1, 99, 0x24, 0]).unwrap();
        assert_eq!((udh.locking(), udh.single()), (Language::Default, Language::Default));
    }

    #[test]
    fn other_elements_are_found() {
        let udh =
            Udh::parse(&[0x20, 1, 40, 0x21, 4, 0, 10, 5, 20, 0x22, 4, 4, 0x91, 0x21, 0x43, 0x01, 2, 0x80, 1, 0x70, 0]).unwrap();
        assert_eq!(udh.email_header(), Some(40));
        assert_eq!(udh.hyperlinks().collect::<Vec<_>>(), [Hyperlink { position: 10, title: 5, url: 20 }]);
        assert_eq!(udh.reply_address().unwrap().to_string(), "1234");
        assert!(udh.has_message_waiting() && udh.has_sim_toolkit());
        assert_eq!(udh.ports(), None);
    }
}
