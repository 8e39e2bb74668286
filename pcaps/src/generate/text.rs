//! Texts: templates of our own with variable parts, in several languages and alphabets, with or without a link.

use protocols::sms::Tables;

use super::languages::{Phrases, phrases};
use super::rng::Rng;
use super::{Intent, Mix};

/// A language of the templates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// GSM 7-bit.
    #[default]
    English,
    /// GSM 7-bit.
    German,
    /// GSM 7-bit.
    French,
    /// GSM 7-bit.
    Italian,
    /// GSM 7-bit with the Turkish national tables.
    Turkish,
    /// UCS2.
    Greek,
    /// UCS2.
    Russian,
    /// UCS2, right to left.
    Arabic,
    /// UCS2.
    Hindi,
    /// UCS2.
    Chinese,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::English,
        Self::German,
        Self::French,
        Self::Italian,
        Self::Turkish,
        Self::Greek,
        Self::Russian,
        Self::Arabic,
        Self::Hindi,
        Self::Chinese,
    ];

    /// Its ISO 639-1 code, as a mix file names it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Italian => "it",
            Self::Turkish => "tr",
            Self::Greek => "el",
            Self::Russian => "ru",
            Self::Arabic => "ar",
            Self::Hindi => "hi",
            Self::Chinese => "zh",
        }
    }

    /// The language with this code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// Its weight in [`Mix::default`].
    pub const fn usual_weight(self) -> f64 {
        match self {
            Self::English => 0.40,
            Self::German | Self::French => 0.15,
            Self::Italian => 0.10,
            Self::Turkish | Self::Hindi | Self::Greek => 0.03,
            Self::Russian => 0.05,
            Self::Arabic | Self::Chinese => 0.03,
        }
    }

    /// The tables in which its texts are written.
    pub(super) fn tables(self) -> Tables {
        match self {
            Self::Turkish => Tables::new(protocols::sms::Language::Turkish, protocols::sms::Language::Turkish),
            _ => Tables::default(),
        }
    }

    const fn is_latin(self) -> bool {
        matches!(self, Self::English | Self::German | Self::French | Self::Italian)
    }
}

const SAFE: [&str; 3] = ["bank.example", "post.example", "www.gov.example"];
const DANGEROUS: [&str; 3] = ["secure-bank.example", "parcel-fee.test", "login-verify.example"];
const PLATFORMS: [&str; 6] = ["bit.ly", "tinyurl.com", "is.gd", "t.me", "forms.gle", "cutt.ly"];
const WORDS: [&str; 16] = [
    "garden", "north", "lamp", "river", "studio", "bakery", "cycle", "cloud", "market", "violin", "harbour", "pixel", "maple",
    "clinic", "school", "atlas",
];
const NAMES: [&str; 12] = ["Anna", "Ben", "Chloe", "Deniz", "Emil", "Fatma", "Giulia", "Hugo", "Ida", "Jonas", "Kim", "Lena"];
const FIRMS: [&str; 8] = ["ExBank", "Post", "GovInfo", "Trattoria", "DrMolar", "Metro24", "Tickets", "GreenPower"];
const EMOJI: [&str; 6] = ["🙂", "🎉", "👍", "📦", "❤️", "🍕"];

/// A text and what stands in it.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) language: Language,
    /// The tables that it is written in.
    pub(super) tables: Tables,
    pub(super) whole: String,
    /// Its link as it stands there; empty without one.
    pub(super) link: String,
    pub(super) intent: Option<Intent>,
    /// From a firm: its sender is a name.
    pub(super) firm: bool,
}

impl Text {
    /// Makes the next text in the place of the last.
    pub(super) fn make(&mut self, rng: &mut Rng, mix: &Mix, person: bool) {
        self.language = language(rng, mix);
        self.tables = self.language.tables();
        self.intent = rng.chance(mix.links).then(|| intent(rng, mix));
        self.firm = !person && rng.chance(if self.intent.is_some() { 0.8 } else { 0.5 });
        self.link.clear();
        if let Some(intent) = self.intent {
            link(&mut self.link, rng, mix, intent);
        }
        let emoji = self.language.is_latin() && rng.chance(mix.emoji);
        let phrases = phrases(self.language);
        if rng.chance(mix.concatenated) {
            self.long(rng, phrases, emoji);
        } else {
            self.short(rng, phrases, emoji);
        }
    }

    fn short(&mut self, rng: &mut Rng, phrases: &Phrases, emoji: bool) {
        let link = self.intent.is_some();
        for _ in 0..6 {
            self.whole.clear();
            let template = rng.pick(if link { phrases.with_link } else { phrases.plain });
            self.fill(rng, template);
            if emoji {
                self.whole.push_str(rng.pick(&EMOJI));
            }
            if self.room() >= 0 {
                return;
            }
        }
        self.whole.clear();
        self.whole.push_str(if link { &self.link } else { "ok" });
    }

    /// Sentences until one message does not hold it, the link in a random place among them.
    fn long(&mut self, rng: &mut Rng, phrases: &Phrases, emoji: bool) {
        self.whole.clear();
        let mut link = self.intent.is_some();
        let more = i64::try_from(rng.below(300)).unwrap_or(0);
        while self.room() + more >= 0 || self.room() >= 0 || link {
            if !self.whole.is_empty() {
                self.whole.push(' ');
            }
            let now = link && (rng.chance(0.3) || self.room() + more < 0);
            link &= !now;
            let template = rng.pick(if now { phrases.with_link } else { phrases.plain });
            self.fill(rng, template);
        }
        if emoji {
            self.whole.push_str(rng.pick(&EMOJI));
        }
    }

    /// What is left of one message: septets, or UTF-16 units where the alphabet lacks a character.
    fn room(&self) -> i64 {
        let header = if self.language == Language::Turkish { 8 } else { 0 };
        let septets = self.whole.chars().try_fold(0, |sum, c| self.tables.write(c).map(|written| sum + written.septets() as i64));
        match septets {
            Some(septets) => 160 - header - septets,
            None => 70 - self.whole.encode_utf16().count() as i64,
        }
    }

    /// Puts a template's variable parts in.
    fn fill(&mut self, rng: &mut Rng, template: &str) {
        let mut rest = template;
        while let Some((before, (name, after))) =
            rest.split_once('{').and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
        {
            self.whole.push_str(before);
            rest = after;
            match name {
                "link" => self.whole.push_str(&self.link),
                "name" => self.whole.push_str(rng.pick(&NAMES)),
                "firm" => self.whole.push_str(rng.pick(&FIRMS)),
                "time" => {
                    digits(&mut self.whole, rng.between(7, 22), 2);
                    self.whole.push(':');
                    digits(&mut self.whole, rng.below(12) * 5, 2);
                }
                "code" => digits(&mut self.whole, rng.below(1_000_000), 6),
                "sum" => {
                    digits(&mut self.whole, rng.between(1, 400), 1);
                    self.whole.push('.');
                    digits(&mut self.whole, rng.below(100), 2);
                }
                _ => digits(&mut self.whole, rng.between(2, 60), 1),
            }
        }
        self.whole.push_str(rest);
    }
}

/// Who a message says it is from.
pub(super) fn sender(out: &mut String, rng: &mut Rng, firm: bool) {
    out.clear();
    if firm {
        out.push_str(rng.pick(&FIRMS));
    } else {
        out.push_str("1555");
        digits(out, rng.below(10_000_000), 7);
    }
}

pub(super) fn digits(out: &mut String, mut n: u64, width: usize) {
    let mut octets = [b'0'; 20];
    let mut len = 0;
    for octet in octets.iter_mut().rev() {
        if n == 0 && len >= width {
            break;
        }
        *octet = b'0' + u8::try_from(n % 10).unwrap_or(0);
        n /= 10;
        len += 1;
    }
    out.push_str(octets.get(20 - len..).and_then(|octets| std::str::from_utf8(octets).ok()).unwrap_or_default());
}

fn language(rng: &mut Rng, mix: &Mix) -> Language {
    let total: f64 = mix.languages.iter().map(|(_, weight)| weight).sum();
    let mut left = total;
    for &(language, weight) in &mix.languages {
        if rng.chance(weight / left) {
            return language;
        }
        left -= weight;
    }
    mix.languages.last().map_or(Language::English, |(language, _)| *language)
}

fn intent(rng: &mut Rng, mix: &Mix) -> Intent {
    if rng.chance(mix.dangerous) {
        Intent::Dangerous
    } else if rng.chance(mix.safe) {
        Intent::Safe
    } else {
        Intent::Unknown
    }
}

/// A link to a host of that kind. Names that end in `.example` and `.test` are links only with a scheme; platforms also stand bare.
fn link(out: &mut String, rng: &mut Rng, mix: &Mix, intent: Intent) {
    let platform = intent == Intent::Unknown && rng.chance(mix.platforms);
    let shout = !platform && rng.chance(0.03);
    if !platform || rng.chance(0.6) {
        out.push_str(if rng.chance(0.85) { "https://" } else { "http://" });
    }
    match intent {
        Intent::Safe => out.push_str(rng.pick(&SAFE)),
        Intent::Dangerous => {
            if rng.chance(0.2) {
                out.push_str(rng.pick(&WORDS));
                out.push('.');
            }
            out.push_str(rng.pick(&DANGEROUS));
        }
        Intent::Unknown if platform => out.push_str(rng.pick(&PLATFORMS)),
        Intent::Unknown => {
            out.push_str(rng.pick(&WORDS));
            out.push('-');
            out.push_str(rng.pick(&WORDS));
            digits(out, rng.below(1_000), 1);
            out.push_str(if rng.chance(0.8) { ".example" } else { ".test" });
        }
    }
    if shout {
        out.make_ascii_uppercase();
    }
    if platform || rng.chance(0.8) {
        out.push('/');
        for _ in 0..rng.between(3, 9) {
            out.push(char::from(rng.pick(b"abcdefghijkmnpqrstuvwxyz23456789ABCDEFGHJKLMNPQRSTUVWXYZ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_hold_their_links_and_take_as_many_parts_as_they_should() {
        let mut text = Text::default();
        for (concatenated, parts) in [(0.0, 1..=1), (1.0, 2..=8)] {
            let mix = Mix { concatenated, links: 0.6, ..Mix::default() };
            let mut rng = Rng::new(3);
            for _ in 0..3_000 {
                text.make(&mut rng, &mix, false);
                assert!(text.whole.contains(&text.link), "{text:?}");
                assert_eq!(text.link.is_empty(), text.intent.is_none());
                let reference = protocols::sms::encode::Reference::Byte(1);
                let made = protocols::sms::encode::message_in(&text.whole, text.tables, reference);
                assert!(parts.contains(&made.len()), "{} parts: {text:?}", made.len());
            }
        }
    }

    #[test]
    fn numbers_have_the_width_that_was_asked_for() {
        let mut out = String::new();
        for (n, width) in [(0, 1), (7, 3), (1_234, 2), (u64::MAX, 1)] {
            digits(&mut out, n, width);
            out.push(' ');
        }
        assert_eq!(out, "0 007 1234 18446744073709551615 ");
    }
}
