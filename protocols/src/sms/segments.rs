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
use super::tables::{Tables, Written};

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

/// Counts the short messages of a text in the default alphabet, without shift tables.
pub fn segments(text: &str) -> Segments {
    let tables = Tables::default();
    if text.len() <= 160 && tables.writes_each_octet(text) {
        return Segments { alphabet: Alphabet::Gsm7, count: 1 };
    }
    let septets = text.chars().map(|c| tables.write(c).map(Written::septets));
    if septets.clone().all(|units| units.is_some()) {
        return Segments { alphabet: Alphabet::Gsm7, count: parts(septets.flatten(), 160, 153) };
    }
    Segments { alphabet: Alphabet::Ucs2, count: parts(text.chars().map(char::len_utf16), 70, 67) }
}

/// Parts of characters of so many units each: one where all fit `alone`, else as many as it takes with room for `part` each.
fn parts(characters: impl Iterator<Item = usize> + Clone, alone: usize, part: usize) -> usize {
    if characters.clone().sum::<usize>() <= alone {
        return 1;
    }
    let fill =
        |(count, used): (usize, usize), units| if used + units > part { (count + 1, units) } else { (count, used + units) };
    characters.fold((1, 0), fill).0
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
