//! What a word looks like, rather than what it is: letters of other scripts, other cases, digits and accents that read the same fold to
//! one letter; spaces, punctuation and invisible characters fall away.
//!
//! The table is our own and short: what GSM 7-bit (Greek capitals, accents, `$ @ € £`) and UCS2 texts use to look like Latin, after
//! the lists of Unicode UTS #39 where the two overlap. `l`, `1`, `|` and `i` are one letter: no font tells `I` from `l`.

/// Longest skeleton kept, in characters.
pub(super) const MAX: usize = 48;

/// What one character looks like; `None` for what is not seen or does not count.
#[inline]
pub(super) fn fold(c: char) -> Option<char> {
    match ASCII.get(c as usize) {
        Some(0) => None,
        Some(&folded) => Some(char::from(folded)),
        None => fold_wide(c),
    }
}

/// [`fold`] of ASCII; 0 for what does not count.
static ASCII: [u8; 128] = {
    let mut table = [0; 128];
    let mut octet = 0;
    while octet < 128 {
        #[expect(clippy::indexing_slicing, reason = "in a constant, within its bounds")]
        {
            table[octet as usize] = fold_ascii(octet);
        }
        octet += 1;
    }
    table
};

const fn fold_ascii(c: u8) -> u8 {
    match c {
        b'1' | b'l' | b'L' | b'|' => b'i',
        b'a'..=b'z' | b'2' | b'6' => c,
        b'A'..=b'Z' => c.to_ascii_lowercase(),
        b'0' => b'o',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        b'8' => b'b',
        b'9' => b'g',
        _ => 0,
    }
}

fn fold_wide(c: char) -> Option<char> {
    Some(match c {
        'À'..='Å' | 'à'..='å' | 'Ā'..='ą' | 'Α' | 'α' | 'а' | 'А' | 'Λ' | 'Δ' | 'ɑ' | 'ạ' | 'ả' | 'ª' | 'Æ' | 'æ' => {
            'a'
        }
        'ß' | 'Β' | 'β' | 'В' | 'в' | 'Ь' | 'ь' => 'b',
        'Ç' | 'ç' | 'Ć'..='č' | 'С' | 'с' | 'Ϲ' | '¢' | '©' => 'c',
        'Ď'..='đ' | 'Ð' | 'ԁ' | 'ԃ' => 'd',
        'È'..='Ë' | 'è'..='ë' | 'Ē'..='ě' | 'Ε' | 'ε' | 'Е' | 'е' | 'Ё' | 'ё' | 'Є' | 'є' | 'Σ' | 'Ξ' | 'ẹ' => {
            'e'
        }
        'Ƒ' | 'ƒ' | 'Ғ' | 'ғ' => 'f',
        'Ĝ'..='ģ' | 'ԍ' | 'ɡ' => 'g',
        'Ĥ'..='ħ' | 'Η' | 'Н' | 'н' | 'һ' | 'Һ' => 'h',
        'Ì'..='Ï' | 'ì'..='ï' | 'Ĩ'..='ı' | 'Ι' | 'ι' | 'І' | 'і' | 'Ї' | 'ї' | 'Ӏ' | 'ӏ' | 'Ĺ'..='ł' | '¡' | '¦' => {
            'i'
        }
        'Ĵ' | 'ĵ' | 'Ј' | 'ј' => 'j',
        'Ķ'..='ĸ' | 'Κ' | 'κ' | 'К' | 'к' => 'k',
        'Μ' | 'М' | 'м' => 'm',
        'Ñ' | 'ñ' | 'Ń'..='ŋ' | 'Ν' | 'η' | 'Π' | 'П' | 'п' | 'И' | 'и' => 'n',
        'Ò'..='Ö' | 'Ø' | 'ò'..='ö' | 'ø' | 'Ō'..='œ' | 'Ο' | 'ο' | 'О' | 'о' | 'Ω' | 'Φ' | 'Θ' | 'θ' | 'σ' | '°' | 'º' => {
            'o'
        }
        'Ρ' | 'ρ' | 'Р' | 'р' => 'p',
        'ԛ' => 'q',
        'Ŕ'..='ř' | 'Г' | 'г' | 'Γ' | 'Я' | 'я' => 'r',
        'Ś'..='š' | 'Ѕ' | 'ѕ' | 'ș' | 'Ș' => 's',
        'Ţ'..='ŧ' | 'Τ' | 'τ' | 'Т' | 'т' | 'ț' | 'Ț' => 't',
        'Ù'..='Ü' | 'ù'..='ü' | 'Ũ'..='ų' | 'υ' | 'μ' | 'µ' | 'Ц' => 'u',
        'ν' | 'Ѵ' | 'ѵ' => 'v',
        'Ŵ' | 'ŵ' | 'ω' | 'Ԝ' | 'ԝ' | 'Ψ' | 'Ш' | 'ш' => 'w',
        'Χ' | 'χ' | 'Х' | 'х' | '×' => 'x',
        'Ý' | 'ý' | 'ÿ' | 'Ŷ'..='Ÿ' | 'Υ' | 'γ' | 'У' | 'у' | 'Ү' | 'ү' | '¥' => 'y',
        'Ź'..='ž' | 'Ζ' => 'z',
        '€' | '£' => 'e',
        '§' => 's',
        '\u{180}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => return accented(c),
        // Full width: U+FF01 to U+FF5E are ASCII 21 to 7E.
        '\u{ff01}'..='\u{ff5e}' => return char::from_u32(u32::from(c) - 0xfee0).and_then(fold),
        // Letters in circles, squares and boxes.
        'Ⓐ'..='Ⓩ' => return letter(c, 'Ⓐ'),
        'ⓐ'..='ⓩ' => return letter(c, 'ⓐ'),
        '\u{249c}'..='\u{24b5}' => return letter(c, '\u{249c}'),
        '\u{1f110}'..='\u{1f129}' => return letter(c, '\u{1f110}'),
        '\u{1f130}'..='\u{1f149}' => return letter(c, '\u{1f130}'),
        '\u{1f150}'..='\u{1f169}' => return letter(c, '\u{1f150}'),
        '\u{1f170}'..='\u{1f189}' => return letter(c, '\u{1f170}'),
        '\u{1f1e6}'..='\u{1f1ff}' => return letter(c, '\u{1f1e6}'),
        // Mathematical letters: thirteen alphabets of 26 capitals and 26 small ones.
        '\u{1d400}'..='\u{1d6a3}' => {
            let n = ((u32::from(c) - 0x1d400) % 52 % 26) as u8;
            return fold(char::from(b'a' + n));
        }
        // Capitals of Cherokee and of Lisu; the small letters of Cherokee are the same in small.
        '\u{13a0}'..='\u{13f5}' => return cherokee(c),
        '\u{ab70}'..='\u{abbf}' => return char::from_u32(u32::from(c) - 0xab70 + 0x13a0).and_then(cherokee),
        '\u{a4d0}'..='\u{a4f7}' => return lisu(c),
        'ᴀ' => 'a',
        'ʙ' => 'b',
        'ᴄ' => 'c',
        'ᴅ' => 'd',
        'ᴇ' => 'e',
        'ꜰ' => 'f',
        'ɢ' => 'g',
        'ʜ' => 'h',
        'ɪ' | 'ʟ' => 'i',
        'ᴋ' => 'k',
        'ᴍ' => 'm',
        'ɴ' => 'n',
        'ᴏ' => 'o',
        'ᴘ' => 'p',
        'ʀ' => 'r',
        'ꜱ' => 's',
        'ᴛ' => 't',
        'ᴜ' => 'u',
        'ᴠ' => 'v',
        'ᴡ' => 'w',
        'ʏ' => 'y',
        'ᴢ' => 'z',
        // Combining marks hang on the letter before them; the rest of what is neither letter nor digit is punctuation or invisible.
        '\u{300}'..='\u{36f}' => return None,
        _ if c.is_alphanumeric() => c,
        _ => return None,
    })
}

/// Letters of Cherokee by what they look like, as UTS #39 has them.
fn cherokee(c: char) -> Option<char> {
    let like = match c {
        'Ꭰ' | 'Ꮷ' => 'd',
        'Ꭱ' | 'Ꮢ' => 'r',
        'Ꭲ' => 't',
        'Ꭵ' | 'Ꮖ' | 'Ꮮ' => 'i',
        'Ꭹ' | 'Ꮍ' => 'y',
        'Ꭺ' | 'Ꮞ' => 'a',
        'Ꭻ' => 'j',
        'Ꭼ' => 'e',
        'Ꮃ' | 'Ꮤ' => 'w',
        'Ꮇ' => 'm',
        'Ꮋ' | 'Ꮒ' => 'h',
        'Ꮐ' | 'Ᏻ' => 'g',
        'Ꮓ' => 'z',
        'Ꮟ' | 'Ᏼ' => 'b',
        'Ꮥ' | 'Ꮪ' => 's',
        'Ꮩ' => 'v',
        'Ꮯ' => 'c',
        'Ꮲ' => 'p',
        'Ꮶ' => 'k',
        'Ꮾ' => '6',
        'Ꮎ' => 'o',
        _ => c,
    };
    Some(like)
}

/// Letters of Lisu, which are Latin capitals upright and turned: the upright ones.
fn lisu(c: char) -> Option<char> {
    const UPRIGHT: [char; 40] = [
        'b', 'p', 'd', 'd', 't', '\0', 'g', 'k', '\0', 'j', 'c', '\0', 'z', 'f', '\0', 'm', 'n', 'i', 's', 'r', '\0', '\0', 'v',
        'h', '\0', '\0', 'w', 'x', 'y', '\0', 'a', '\0', 'e', '\0', 'i', 'o', 'u', '\0', '\0', '\0',
    ];
    let like = UPRIGHT.get((u32::from(c) - 0xa4d0) as usize).copied().filter(|&letter| letter != '\0');
    Some(like.unwrap_or(c))
}

/// Letters with accents of Latin Extended-B and Additional, by ranges: what is left of them without.
fn accented(c: char) -> Option<char> {
    /// Where a letter's range ends; the next begins behind it.
    const B: [(u32, char); 34] = [
        (0x1cc, '\0'),
        (0x1ce, 'a'),
        (0x1d0, 'i'),
        (0x1d2, 'o'),
        (0x1dc, 'u'),
        (0x1dd, 'e'),
        (0x1e3, 'a'),
        (0x1e7, 'g'),
        (0x1e9, 'k'),
        (0x1ed, 'o'),
        (0x1ef, 'z'),
        (0x1f0, 'j'),
        (0x1f3, '\0'),
        (0x1f5, 'g'),
        (0x1f7, '\0'),
        (0x1f9, 'n'),
        (0x1fd, 'a'),
        (0x1ff, 'o'),
        (0x203, 'a'),
        (0x207, 'e'),
        (0x20b, 'i'),
        (0x20f, 'o'),
        (0x213, 'r'),
        (0x217, 'u'),
        (0x219, 's'),
        (0x21b, 't'),
        (0x21d, '\0'),
        (0x21f, 'h'),
        (0x225, '\0'),
        (0x227, 'a'),
        (0x229, 'e'),
        (0x231, 'o'),
        (0x233, 'y'),
        (0x24f, '\0'),
    ];
    const ADDITIONAL: [(u32, char); 40] = [
        (0x1e01, 'a'),
        (0x1e07, 'b'),
        (0x1e09, 'c'),
        (0x1e13, 'd'),
        (0x1e1d, 'e'),
        (0x1e1f, 'f'),
        (0x1e21, 'g'),
        (0x1e2b, 'h'),
        (0x1e2f, 'i'),
        (0x1e35, 'k'),
        (0x1e3d, 'i'),
        (0x1e43, 'm'),
        (0x1e4b, 'n'),
        (0x1e53, 'o'),
        (0x1e57, 'p'),
        (0x1e5f, 'r'),
        (0x1e69, 's'),
        (0x1e71, 't'),
        (0x1e7b, 'u'),
        (0x1e7f, 'v'),
        (0x1e89, 'w'),
        (0x1e8d, 'x'),
        (0x1e8f, 'y'),
        (0x1e95, 'z'),
        (0x1e96, 'h'),
        (0x1e97, 't'),
        (0x1e98, 'w'),
        (0x1e99, 'y'),
        (0x1e9a, 'a'),
        (0x1e9d, 's'),
        (0x1e9e, 'b'),
        (0x1e9f, '\0'),
        (0x1eb7, 'a'),
        (0x1ec7, 'e'),
        (0x1ecb, 'i'),
        (0x1ee3, 'o'),
        (0x1ef1, 'u'),
        (0x1ef9, 'y'),
        (0x1efb, 'i'),
        (0x1eff, '\0'),
    ];
    let ranges: &[(u32, char)] = if c < '\u{1e00}' { &B } else { &ADDITIONAL };
    let at = ranges.partition_point(|&(last, _)| last < u32::from(c));
    match ranges.get(at) {
        Some(&(_, letter)) if letter != '\0' => Some(letter),
        _ => c.is_alphanumeric().then_some(c),
    }
}

fn letter(c: char, first: char) -> Option<char> {
    let n = u8::try_from(u32::from(c).checked_sub(u32::from(first))?).ok()?;
    fold(char::from(b'a'.checked_add(n)?))
}

/// The skeleton of a text, cut at [`MAX`] characters: fixed room, no heap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Skeleton {
    chars: [char; MAX],
    /// Byte behind each character in the source.
    ends: [u16; MAX],
    len: usize,
}

impl Skeleton {
    /// The skeleton of what stands at the head of `text`.
    pub(super) fn of(text: &str) -> Self {
        Self::of_chars(text.char_indices())
    }

    /// The skeleton of characters with their offsets; the caller may have changed some of them.
    pub(super) fn of_chars(chars: impl Iterator<Item = (usize, char)>) -> Self {
        let mut skeleton = Self { chars: ['\0'; MAX], ends: [0; MAX], len: 0 };
        for (at, c) in chars {
            let Some(folded) = fold(c) else { continue };
            let (Some(slot), Some(end)) = (skeleton.chars.get_mut(skeleton.len), skeleton.ends.get_mut(skeleton.len)) else {
                break;
            };
            *slot = folded;
            *end = u16::try_from(at + c.len_utf8()).unwrap_or(u16::MAX);
            skeleton.len += 1;
        }
        skeleton
    }

    /// The folded characters.
    pub(super) fn chars(&self) -> &[char] {
        self.chars.get(..self.len).unwrap_or_default()
    }

    /// Byte behind the first `count` characters in the source.
    pub(super) fn end_of(&self, count: usize) -> usize {
        count.checked_sub(1).and_then(|last| self.ends.get(last)).map_or(0, |&end| usize::from(end))
    }
}

/// What a name looks like, for comparing: two that a reader takes for one have the same. Cut at 48 characters.
pub fn looks_like(name: &str) -> String {
    Skeleton::of(name).chars().iter().collect()
}

/// The skeleton of a whole name, for keeping.
pub(super) fn owned(text: &str) -> Vec<char> {
    Skeleton::of(text).chars().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skeleton(text: &str) -> String {
        owned(text).into_iter().collect()
    }

    #[test]
    fn what_looks_alike_has_one_skeleton() {
        for likeness in [
            "PayPal",
            "PAYPAL",
            "Pay-Pal",
            "PayPaI",
            "P4yPa1",
            "РауРаӏ",
            "ＰａｙＰａｌ",
            "Pây Pål",
            "𝐏𝐚𝐲𝐏𝐚𝐥",
            "Ⓟⓐⓨⓟⓐⓛ",
            "P\u{200b}ay.pal",
            "P\u{1ea1}\u{1ef5}P\u{1e01}\u{1e3b}",
            "\u{1e56}\u{1ce}yp\u{203}l",
            "ᏢᎪᎽᏢᎪᏞ",
            "ꮲꭺᎩꮲꭺꮮ",
            "ꓑꓮꓬꓑꓮꓡ",
        ] {
            assert_eq!(skeleton(likeness), "paypai", "{likeness}");
        }
        assert_ne!(skeleton("PayPal"), skeleton("PayPower"));
    }

    #[test]
    fn other_scripts_stay_what_they_are() {
        assert_eq!(skeleton("رابط آمن"), "رابطآمن");
        assert!(!skeleton("सुरक्षित").is_empty());
    }

    #[test]
    fn the_end_of_a_skeleton_is_told_in_bytes_of_the_source() {
        let text = "[ѕаfе] x";
        let found = Skeleton::of(text);
        assert_eq!(found.chars().get(..4), Some(&['s', 'a', 'f', 'e'][..]));
        assert_eq!(&text[..found.end_of(4)], "[ѕаfе");
    }
}
