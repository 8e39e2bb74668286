//! How many short messages a text takes when it is written anew: TS 23.040 §9.2.3.24.1, TS 23.038 §6.2.1.
//!
//! ```text
//!                 alone          as a part, behind the header of six octets (UDHL, IEI 00, IEDL, reference, total, number)
//! GSM 7-bit       160 septets    153 septets: (140 - 6) · 8 / 7, and one fill bit
//! UCS2             70 units       67 units
//! ```
//! A character is never divided: neither ESC and the septet behind it, nor the two halves of a surrogate pair. So a text of 306 septets may
//! take three parts.

use super::dcs::Alphabet;
use super::tables::{EXTENSION, GSM, RESERVED, Tables};

/// Parts that a text can have: their number is one octet.
pub const MOST_PARTS: usize = 255;

/// What a text takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// GSM 7-bit where the default alphabet and its extension have every character, else UCS2.
    pub alphabet: Alphabet,
    /// Short messages, from 1.
    pub count: usize,
}

/// Septets of the characters below U+0400 in the default alphabet and its extension; 0: they are in neither.
const SEPTETS: [u8; 0x400] = {
    let (mut septets, mut at) = ([0; 0x400], 0);
    while at < 128 {
        #[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
        {
            // The shorter way first: what the base table has is not looked for in the extension.
            let (base, behind) = (GSM[at] as usize, EXTENSION[at] as usize);
            if base != RESERVED as usize {
                septets[base] = 1;
            }
            if behind < septets.len() && behind != RESERVED as usize && septets[behind] == 0 {
                septets[behind] = 2;
            }
        }
        at += 1;
    }
    septets
};

/// Septets of a character in the default alphabet and its extension, which hold one character beyond U+0400.
fn septets(character: char) -> Option<usize> {
    match SEPTETS.get(character as usize) {
        Some(0) => None,
        Some(septets) => Some(usize::from(*septets)),
        None => (character == '€').then_some(2),
    }
}

/// Counts the short messages of a text in the default alphabet, without shift tables.
pub fn segments(text: &str) -> Segments {
    if text.len() <= 160 && Tables::default().writes_each_octet(text) {
        return Segments { alphabet: Alphabet::Gsm7, count: 1 };
    }
    if let Some(count) = parts(text.chars().map(septets), 160, 153) {
        return Segments { alphabet: Alphabet::Gsm7, count };
    }
    let count = parts(text.chars().map(|c| Some(c.len_utf16())), 70, 67).unwrap_or_default();
    Segments { alphabet: Alphabet::Ucs2, count }
}

/// Parts of characters of so many units each: one where all fit `alone`, else as many as it takes with room for `part` each. `None` where
/// one of them cannot be written.
fn parts(mut characters: impl Iterator<Item = Option<usize>>, alone: usize, part: usize) -> Option<usize> {
    let (all, count, _) = characters.try_fold((0, 1, 0), |(all, count, used), units| {
        let units = units?;
        let (count, used) = if used + units > part { (count + 1, units) } else { (count, used + units) };
        Some((all + units, count, used))
    })?;
    Some(if all <= alone { 1 } else { count })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::encode;
    use super::*;

    fn of(text: &str) -> (&'static str, usize) {
        let Segments { alphabet, count } = segments(text);
        (alphabet.name(), count)
    }

    #[test]
    fn a_text_takes_as_many_messages_as_the_specification_leaves_room_for() {
        for (text, expected) in [
            (String::new(), ("gsm7", 1)),
            ("a".repeat(160), ("gsm7", 1)),
            ("a".repeat(161), ("gsm7", 2)),
            ("a".repeat(306), ("gsm7", 2)),
            ("a".repeat(307), ("gsm7", 3)),
            ("a".repeat(39_015), ("gsm7", 255)),
            // The default alphabet's own letters: one septet each.
            ("é@£Ω".repeat(40), ("gsm7", 1)),
            // The extension table: two septets each.
            ("€".repeat(80), ("gsm7", 1)),
            ("€".repeat(80) + "a", ("gsm7", 2)),
            // 153 is odd: a part holds 76 of them and one septet stays free.
            ("€".repeat(152), ("gsm7", 2)),
            ("€".repeat(153), ("gsm7", 3)),
            ("a".repeat(152) + "€" + &"a".repeat(151), ("gsm7", 2)),
            ("a".repeat(152) + "€" + &"a".repeat(152), ("gsm7", 3)),
            ("`".to_owned() + &"a".repeat(69), ("ucs2", 1)),
            ("ж".repeat(70), ("ucs2", 1)),
            ("ж".repeat(71), ("ucs2", 2)),
            ("ж".repeat(134), ("ucs2", 2)),
            ("ж".repeat(135), ("ucs2", 3)),
            // Surrogate pairs: two units each, and 67 is odd.
            ("😀".repeat(35), ("ucs2", 1)),
            ("😀".repeat(36), ("ucs2", 2)),
            ("😀".repeat(66), ("ucs2", 2)),
            ("😀".repeat(67), ("ucs2", 3)),
        ] {
            assert_eq!(of(&text), expected, "{} characters, {:?} first", text.chars().count(), text.chars().next());
        }
    }

    #[test]
    fn every_character_takes_the_septets_that_the_tables_say() {
        let tables = Tables::default();
        for c in '\0'..=char::MAX {
            assert_eq!(septets(c), tables.write(c).map(super::super::tables::Written::septets), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn the_encoder_makes_as_many_parts(text in "[a-c€\\[é]{0,470}|[a€ж😀]{0,220}|\\PC{0,90}") {
            let made = encode::message(&text, encode::Reference::Byte(7));
            let Segments { alphabet, count } = segments(&text);
            prop_assert_eq!(made.len(), count);
            prop_assert!(made.iter().all(|part| part.dcs.alphabet() == alphabet));
        }
    }
}
