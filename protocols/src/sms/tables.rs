//! The alphabets of TS 23.038 as tables of 128 characters, all of them in the Basic Multilingual Plane, and the way back.
//!
//! A national language acts in two ways that do not depend on each other: a *locking* table replaces the default alphabet,
//! a *single shift* table replaces the extension behind ESC (TS 23.040 §9.2.3.24, IEs 24 and 25).

mod locking;
mod shift;

pub(super) use locking::GSM;
pub(super) use shift::EXTENSION;

/// What each of the 128 septets stands for; [`RESERVED`] where the specification gives no character.
pub(super) type Table = [u16; 128];

/// No character here. No table of TS 23.038 holds U+0000.
pub(super) const RESERVED: u16 = 0;

/// The escape septet: the next one is of the extension or single shift table.
pub(super) const ESC: u8 = 0x1b;

/// National Language Identifier, TS 23.038 §6.2.1.2.4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// The default alphabet or its extension: no identifier, a reserved one, or one that has no such table.
    #[default]
    Default,
    /// 1.
    Turkish,
    /// 2: has a single shift table only.
    Spanish,
    /// 3.
    Portuguese,
    /// 4.
    Bengali,
    /// 5.
    Gujarati,
    /// 6.
    Hindi,
    /// 7.
    Kannada,
    /// 8.
    Malayalam,
    /// 9.
    Oriya,
    /// 10.
    Punjabi,
    /// 11.
    Tamil,
    /// 12.
    Telugu,
    /// 13.
    Urdu,
}

impl Language {
    /// All of them, each at the place of its identifier.
    pub const ALL: [Self; 14] = [
        Self::Default,
        Self::Turkish,
        Self::Spanish,
        Self::Portuguese,
        Self::Bengali,
        Self::Gujarati,
        Self::Hindi,
        Self::Kannada,
        Self::Malayalam,
        Self::Oriya,
        Self::Punjabi,
        Self::Tamil,
        Self::Telugu,
        Self::Urdu,
    ];

    /// The language of an identifier; a reserved one falls back to the default alphabet.
    pub fn from_identifier(identifier: u8) -> Self {
        Self::ALL.get(usize::from(identifier)).copied().unwrap_or_default()
    }

    /// The identifier as information elements carry it.
    pub const fn identifier(self) -> u8 {
        self as u8
    }

    /// Its English name in small letters; `None` for the default alphabet.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Default => return None,
            Self::Turkish => "turkish",
            Self::Spanish => "spanish",
            Self::Portuguese => "portuguese",
            Self::Bengali => "bengali",
            Self::Gujarati => "gujarati",
            Self::Hindi => "hindi",
            Self::Kannada => "kannada",
            Self::Malayalam => "malayalam",
            Self::Oriya => "oriya",
            Self::Punjabi => "punjabi",
            Self::Tamil => "tamil",
            Self::Telugu => "telugu",
            Self::Urdu => "urdu",
        })
    }

    fn locking(self) -> &'static Table {
        match self {
            // Identifier 2 has no locking table: the default alphabet stands.
            Self::Default | Self::Spanish => &locking::DEFAULT,
            Self::Turkish => &locking::TURKISH,
            Self::Portuguese => &locking::PORTUGUESE,
            Self::Bengali => &locking::BENGALI,
            Self::Gujarati => &locking::GUJARATI,
            Self::Hindi => &locking::HINDI,
            Self::Kannada => &locking::KANNADA,
            Self::Malayalam => &locking::MALAYALAM,
            Self::Oriya => &locking::ORIYA,
            Self::Punjabi => &locking::PUNJABI,
            Self::Tamil => &locking::TAMIL,
            Self::Telugu => &locking::TELUGU,
            Self::Urdu => &locking::URDU,
        }
    }

    fn single(self) -> &'static Table {
        match self {
            Self::Default => &shift::DEFAULT,
            Self::Turkish => &shift::TURKISH,
            Self::Spanish => &shift::SPANISH,
            Self::Portuguese => &shift::PORTUGUESE,
            Self::Bengali => &shift::BENGALI,
            Self::Gujarati => &shift::GUJARATI,
            Self::Hindi => &shift::HINDI,
            Self::Kannada => &shift::KANNADA,
            Self::Malayalam => &shift::MALAYALAM,
            Self::Oriya => &shift::ORIYA,
            Self::Punjabi => &shift::PUNJABI,
            Self::Tamil => &shift::TAMIL,
            Self::Telugu => &shift::TELUGU,
            Self::Urdu => &shift::URDU,
        }
    }
}

/// The pair of tables that one message is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tables {
    /// Language of the base table.
    pub locking: Language,
    /// Language of the extension table.
    pub single: Language,
}

/// How a character is written: one septet, or one behind ESC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// One septet of the base table.
    Base(u8),
    /// ESC and one septet of the extension table.
    Extension(u8),
}

impl Written {
    /// Septets that it takes.
    pub const fn septets(self) -> usize {
        match self {
            Self::Base(_) => 1,
            Self::Extension(_) => 2,
        }
    }
}

impl Tables {
    /// The tables of a locking and a single shift language.
    pub const fn new(locking: Language, single: Language) -> Self {
        Self { locking, single }
    }

    /// The base table differs from the default alphabet in places that a Latin text does not use: letters, digits and most signs are the same.
    pub(super) fn is_latin(self) -> bool {
        self.locking <= Language::Portuguese
    }

    /// The character of a septet without ESC; `None` where the table has none, and for ESC itself.
    pub fn base(self, septet: u8) -> Option<char> {
        character(self.locking.locking(), septet)
    }

    /// The character of a septet behind ESC; `None` where the table has none.
    pub fn extension(self, septet: u8) -> Option<char> {
        character(self.single.single(), septet)
    }

    /// Whether every octet of a text is a character of one septet, as far as that can be told without the tables.
    pub(super) fn writes_each_octet(self, text: &str) -> bool {
        self.is_latin() && text.bytes().all(|octet| same_as_ascii(octet.into()))
    }

    /// How a character is written in these tables, the shorter way first; `None` if it is in neither.
    pub fn write(self, character: char) -> Option<Written> {
        let code = u16::try_from(u32::from(character)).ok().filter(|code| *code != RESERVED)?;
        if self.is_latin() && same_as_ascii(code) {
            return u8::try_from(code).ok().map(Written::Base);
        }
        position(self.locking.locking(), code)
            .map(Written::Base)
            .or_else(|| position(self.single.single(), code).map(Written::Extension))
    }
}

/// Characters that every Latin base table has at the place of their ASCII code.
fn same_as_ascii(code: u16) -> bool {
    matches!(code, 0x61..=0x7a | 0x41..=0x5a | 0x20..=0x23 | 0x25..=0x3f | 0x0a | 0x0d)
}

fn character(table: &Table, septet: u8) -> Option<char> {
    let code = *table.get(usize::from(septet))?;
    if code == RESERVED { None } else { char::from_u32(u32::from(code)) }
}

fn position(table: &Table, code: u16) -> Option<u8> {
    u8::try_from(table.iter().position(|at| *at == code)?).ok()
}

/// `table` with some places changed: how the specification's tables are best read, since most differ little.
const fn changed(mut table: Table, changes: &[(u8, char)]) -> Table {
    let mut n = 0;
    while n < changes.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
        let (septet, character) = changes[n];
        table = place(table, septet as usize, character as u32);
        n += 1;
    }
    table
}

/// `table` with the characters of `text` from `septet` on.
const fn run(mut table: Table, septet: usize, text: &str) -> Table {
    let (octets, mut at, mut place_at) = (text.as_bytes(), 0, septet);
    while at < octets.len() {
        let (code, len) = decode(octets, at);
        table = place(table, place_at, code);
        at += len;
        place_at += 1;
    }
    table
}

/// `table` with one place filled.
const fn place(mut table: Table, septet: usize, code: u32) -> Table {
    assert!(code <= 0xffff, "no table of TS 23.038 leaves the Basic Multilingual Plane");
    #[expect(clippy::cast_possible_truncation, clippy::indexing_slicing, reason = "evaluated when compiled, checked above")]
    {
        table[septet] = code as u16;
    }
    table
}

/// The character at an octet of UTF-8 text, and its octets: `str::chars` is not const.
#[expect(clippy::indexing_slicing, reason = "evaluated when compiled, from string literals")]
const fn decode(octets: &[u8], at: usize) -> (u32, usize) {
    let first = octets[at] as u32;
    if first < 0x80 {
        (first, 1)
    } else if first < 0xe0 {
        ((first & 0x1f) << 6 | (octets[at + 1] as u32 & 0x3f), 2)
    } else {
        ((first & 0x0f) << 12 | (octets[at + 1] as u32 & 0x3f) << 6 | (octets[at + 2] as u32 & 0x3f), 3)
    }
}
