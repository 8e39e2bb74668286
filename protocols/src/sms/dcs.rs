//! TP-Data-Coding-Scheme, TS 23.038 §4: alphabet, class and what else its groups say.
//!
//! ```text
//! 00xx  general                         bit 5 compressed, bit 4 "bits 1-0 are a class", bits 3-2 alphabet
//! 01xx  general, marked for deletion    the same
//! 1000..1011  reserved                  read as the default alphabet
//! 1100  message waiting, discard        default alphabet; bit 3 indication on or off, bits 1-0 its kind
//! 1101  message waiting, store          the same
//! 1110  message waiting, store          the same in UCS2
//! 1111  coding and class                bit 2: 8-bit, bits 1-0 class
//! ```

/// How the text behind it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Alphabet {
    /// GSM 7-bit default alphabet, or the national tables in its place.
    #[default]
    Gsm7,
    /// Octets whose meaning the application knows.
    EightBit,
    /// UCS2, in practice UTF-16BE.
    Ucs2,
}

impl Alphabet {
    /// The name in records: `gsm7`, `8bit`, `ucs2`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gsm7 => "gsm7",
            Self::EightBit => "8bit",
            Self::Ucs2 => "ucs2",
        }
    }
}

/// What waits, by the message waiting groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageWaiting {
    /// Group 1100: the handset may throw the text away.
    pub discard: bool,
    /// The indication is to be set; else cleared.
    pub active: bool,
    /// 0 voice mail, 1 fax, 2 e-mail, 3 other.
    pub kind: u8,
}

/// The octet itself; its methods read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dcs(pub u8);

impl Dcs {
    /// The alphabet; every reserved coding is the default alphabet (§4).
    pub const fn alphabet(self) -> Alphabet {
        match self.0 >> 4 {
            0x0..=0x7 => match self.0 >> 2 & 3 {
                1 => Alphabet::EightBit,
                2 => Alphabet::Ucs2,
                _ => Alphabet::Gsm7,
            },
            0xe => Alphabet::Ucs2,
            0xf if self.0 & 0x04 != 0 => Alphabet::EightBit,
            _ => Alphabet::Gsm7,
        }
    }

    /// Message class: 0 shown at once, 1 handset, 2 SIM, 3 terminal equipment.
    pub const fn class(self) -> Option<u8> {
        match self.0 >> 4 {
            0x0..=0x7 if self.0 & 0x10 != 0 => Some(self.0 & 3),
            0xf => Some(self.0 & 3),
            _ => None,
        }
    }

    /// The text is compressed (TS 23.042): it cannot be read here.
    pub const fn is_compressed(self) -> bool {
        self.0 < 0x80 && self.0 & 0x20 != 0
    }

    /// Group 01xx: the handset deletes the message once it was read.
    pub const fn is_marked_for_deletion(self) -> bool {
        self.0 & 0xc0 == 0x40
    }

    /// The indication of groups 1100 to 1110.
    pub const fn message_waiting(self) -> Option<MessageWaiting> {
        match self.0 >> 4 {
            group @ 0xc..=0xe => Some(MessageWaiting { discard: group == 0xc, active: self.0 & 8 != 0, kind: self.0 & 3 }),
            _ => None,
        }
    }

    /// A coding that the specification keeps for later: a reserved group, alphabet or bit.
    pub const fn is_reserved(self) -> bool {
        match self.0 >> 4 {
            0x0..=0x7 => self.0 & 0x0c == 0x0c,
            0x8..=0xb => true,
            0xc..=0xe => self.0 & 0x04 != 0,
            _ => self.0 & 0x08 != 0,
        }
    }
}

/// What reading user data asks of a coding scheme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Coding {
    /// The length counts septets: GSM 7-bit, not compressed.
    pub(super) in_septets: bool,
    /// As [`Dcs::is_reserved`].
    pub(super) is_reserved: bool,
}

/// That of every scheme, read from its methods when compiled.
const CODINGS: [Coding; 256] = {
    let mut table = [Coding { in_septets: false, is_reserved: false }; 256];
    let mut octet = 0;
    while octet < 256 {
        #[expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "evaluated when compiled, below 256")]
        {
            let dcs = Dcs(octet as u8);
            let in_septets = matches!(dcs.alphabet(), Alphabet::Gsm7) && !dcs.is_compressed();
            table[octet] = Coding { in_septets, is_reserved: dcs.is_reserved() };
        }
        octet += 1;
    }
    table
};

impl Dcs {
    /// Lengths count septets: GSM 7-bit text that is not compressed.
    #[inline]
    pub fn in_septets(self) -> bool {
        self.coding().in_septets
    }

    #[inline]
    pub(super) fn coding(self) -> Coding {
        CODINGS.get(usize::from(self.0)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_has_the_alphabet_of_its_row() {
        for (dcs, alphabet) in [
            (0x00, Alphabet::Gsm7),
            (0x04, Alphabet::EightBit),
            (0x08, Alphabet::Ucs2),
            (0x0c, Alphabet::Gsm7),
            (0x18, Alphabet::Ucs2),
            (0x48, Alphabet::Ucs2),
            (0x74, Alphabet::EightBit),
            (0x80, Alphabet::Gsm7),
            (0xb8, Alphabet::Gsm7),
            (0xc8, Alphabet::Gsm7),
            (0xd8, Alphabet::Gsm7),
            (0xe0, Alphabet::Ucs2),
            (0xf0, Alphabet::Gsm7),
            (0xf4, Alphabet::EightBit),
            (0xfb, Alphabet::Gsm7),
        ] {
            assert_eq!(Dcs(dcs).alphabet(), alphabet, "{dcs:02x}");
        }
    }

    #[test]
    fn a_class_counts_only_where_bit_4_or_the_group_says_so() {
        for (dcs, class) in [(0x02, None), (0x12, Some(2)), (0x51, Some(1)), (0x92, None), (0xc2, None), (0xf6, Some(2))] {
            assert_eq!(Dcs(dcs).class(), class, "{dcs:02x}");
        }
    }

    #[test]
    fn compression_and_deletion_are_of_the_general_groups_alone() {
        assert!(Dcs(0x20).is_compressed() && Dcs(0x68).is_compressed());
        assert!(!Dcs(0xa0).is_compressed() && !Dcs(0xf0).is_compressed());
        assert!(Dcs(0x40).is_marked_for_deletion() && !Dcs(0x80).is_marked_for_deletion() && !Dcs(0xc0).is_marked_for_deletion());
    }

    #[test]
    fn message_waiting_tells_discard_from_store() {
        assert_eq!(Dcs(0xc8).message_waiting(), Some(MessageWaiting { discard: true, active: true, kind: 0 }));
        assert_eq!(Dcs(0xd2).message_waiting(), Some(MessageWaiting { discard: false, active: false, kind: 2 }));
        assert_eq!(Dcs(0xf0).message_waiting(), None);
    }
}
