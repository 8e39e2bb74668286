//! The top-level domains, in ASCII and in their own script, found without regard to case.

use core::hash::{Hash as _, Hasher as _};

use super::chars;

/// TLDs that left the root zone and that handsets in use still link. Source: the linkability tables of Android 16
/// and the root zone.
const RETIRED: [&str; 2] = ["helsinki", "juniper"];

/// Words that stand for a TLD even after a blank or a comma: they are no words of their own in running text.
pub(super) const COMMON: [&[u8]; 14] =
    [b"com", b"net", b"org", b"info", b"biz", b"xyz", b"top", b"vip", b"club", b"online", b"shop", b"site", b"icu", b"app"];

/// TLDs that Apple's data detectors link without a scheme (iOS 14 to 26, as measured by linking `example.TLD`).
const APPLE: &str = "\
    ae ai ar at au be bg bid biz bo br bs ca cc ch cl club cm cn co com cx cz de dk edu ee es eu fi fm \
    fr gdn gl google gov gr hk hn hr hu id ie il in info io ir is it jo jp kr la lc li link lk loan lt \
    lu lv ly ma me ms mx my net nl no nz online org ph pk pl pn pt pw ro rs ru sa se sg si site sk so \
    social st tech th tm tn to tr tt tv tw ua uk us uy va vip vn wang win xin xyz za";

const SLOTS: usize = 8192;

/// A set of labels. Up to eight octets they are a number in an open table; longer ones are in order.
#[derive(Clone, Debug)]
pub(super) struct Tlds {
    short: Vec<u64>,
    long: Vec<Box<[u8]>>,
}

impl Tlds {
    /// From names in ASCII (punycode, any case). What is longer than a label or empty is left out, and what begins with a digit: no TLD
    /// does (RFC 3696 §2), and the sieve takes a digit behind a dot for a number.
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut tlds = Self { short: vec![0; SLOTS], long: Vec::new() };
        for name in names.chain(RETIRED) {
            let name = name.trim_matches('.').to_ascii_lowercase();
            if name.starts_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            let (unicode, fine) = idna::domain_to_unicode(&name);
            tlds.insert(name.as_bytes());
            if fine.is_ok() && unicode != name {
                tlds.insert(unicode.as_bytes());
            }
        }
        tlds.long.sort();
        tlds.long.dedup();
        tlds
    }

    /// A hash of them all; never 0.
    pub(super) fn id(&self) -> u64 {
        let mut hasher = xxhash_rust::xxh3::Xxh3::new();
        (&self.short, &self.long).hash(&mut hasher);
        hasher.finish() | 1
    }

    fn insert(&mut self, name: &[u8]) {
        match packed(name) {
            Some(0) => {}
            Some(key) => {
                // Half full at most: a longer list of short names goes to the ordered part.
                let slot =
                    (0..32).map(|step| slot(key, step)).find(|&at| matches!(self.short.get(at), Some(&k) if k == 0 || k == key));
                match slot.and_then(|at| self.short.get_mut(at)) {
                    Some(place) => *place = key,
                    None => self.long.push(name.into()),
                }
            }
            None => self.long.push(name.into()),
        }
    }

    /// Whether `label` is a TLD, or has the form of one in punycode (Android: `xn--` and word characters).
    pub(super) fn known(&self, label: &[u8]) -> bool {
        if let Some(key) = packed(label) {
            for step in 0..32 {
                match self.short.get(slot(key, step)) {
                    Some(&found) if found == key && key != 0 => return true,
                    Some(0) | None => break,
                    Some(_) => {}
                }
            }
            if key == 0 || label.is_ascii() {
                return false;
            }
        }
        if label.len() > 63 * 4 {
            return false;
        }
        if label.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"xn--")) {
            return label.len() > 4;
        }
        let folded = |name: &[u8]| {
            let ours = label.iter().map(u8::to_ascii_lowercase);
            name.iter().copied().cmp(ours)
        };
        self.long.binary_search_by(|name| folded(name)).is_ok()
    }

    /// Whether a name of at most eight octets in lower case, as a number, is a TLD.
    pub(super) fn has(&self, key: u64) -> bool {
        let found =
            (0..32).map(|step| self.short.get(slot(key, step)).copied().unwrap_or(0)).find(|&found| found == key || found == 0);
        key != 0 && found == Some(key)
    }

    /// Whether a label of ASCII letters is a TLD of at most eight; what is longer, or has anything else in it, is none here.
    pub(super) fn letters(&self, label: &[u8]) -> bool {
        let mut key = 0;
        for &octet in label.iter().rev() {
            key = key << 8 | u64::from(octet | 0x20);
        }
        label.len() <= 8 && label.iter().all(u8::is_ascii_alphabetic) && self.has(key)
    }

    /// How much of `label` (a whole label, behind a dot) is a TLD that a handset would stop at: all of it, or up to
    /// a hyphen or to characters of no word. 0 where nothing is.
    pub(super) fn cut(&self, label: &str) -> usize {
        if label.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("xn--")) {
            return punycode(label);
        }
        if self.known(label.as_bytes()) {
            return label.len();
        }
        let within = |c: char| c == '_' || !c.is_ascii() && (chars::is_latin(c) || chars::is_invisible(c));
        let inner = |c: char| (c.is_alphanumeric() || within(c)) && !chars::is_number(c);
        let word = label.split(|c: char| !inner(c)).next();
        let word = word.unwrap_or_default();
        if word.len() < label.len() && self.known(word.as_bytes()) {
            return word.len();
        }
        if label.is_ascii() || !label.chars().any(needs_mapping) {
            return 0;
        }
        self.mapped(label)
    }

    /// As [`Self::cut`] for a label whose characters IDNA maps to others (full-width, circled, invisible).
    fn mapped(&self, label: &str) -> usize {
        let mut plain = [0_u8; 64];
        let mut len = 0;
        for c in label.chars().filter(|&c| !chars::is_invisible(c)) {
            let mut bytes = [0; 4];
            let c = ascii_of(c);
            for b in c.encode_utf8(&mut bytes).bytes() {
                let Some(slot) = plain.get_mut(len) else { return 0 };
                *slot = b;
                len += 1;
            }
        }
        if plain.get(..len).is_some_and(|plain| self.known(plain)) { label.len() } else { 0 }
    }
}

/// How much of a label that begins with `xn--` is a TLD to Android, which knows none by its letters (`PUNYCODE_TLD`: `xn\-\-[\w\-]{0,58}\w`).
fn punycode(label: &str) -> usize {
    const MOST: usize = 59;
    let form = label.char_indices().skip(4).take(MOST).take_while(|&(_, c)| c == '-' || chars::is_word(c));
    let ends = form.filter(|&(_, c)| c != '-').map(|(at, c)| at + c.len_utf8());
    ends.filter(|&end| chars::is_boundary(label, end)).last().unwrap_or(0)
}

/// Characters that IDNA turns into something else that may spell a TLD.
pub(super) fn needs_mapping(c: char) -> bool {
    chars::is_invisible(c) || ascii_of(c) != c || (!c.is_ascii() && c.is_uppercase())
}

/// The ASCII letter or digit that NFKC makes of a compatibility character; others stay.
fn ascii_of(c: char) -> char {
    let (base, first, count) = match c {
        '\u{ff10}'..='\u{ff19}' => ('0', 0xff10, 10),
        '\u{ff21}'..='\u{ff3a}' => ('a', 0xff21, 26),
        '\u{ff41}'..='\u{ff5a}' => ('a', 0xff41, 26),
        '\u{24b6}'..='\u{24cf}' => ('a', 0x24b6, 26),
        '\u{24d0}'..='\u{24e9}' => ('a', 0x24d0, 26),
        '\u{1d400}'..='\u{1d6a3}' => ('a', 0x1d400, 26),
        '\u{1d7ce}'..='\u{1d7ff}' => ('0', 0x1d7ce, 10),
        _ => return c.to_lowercase().next().unwrap_or(c),
    };
    char::from_u32(u32::from(base) + (u32::from(c) - first) % count).unwrap_or(c)
}

/// Whether a word stands for a TLD wherever it is.
pub(super) fn is_common(word: &[u8]) -> bool {
    (3..=6).contains(&word.len()) && COMMON.iter().any(|name| name.eq_ignore_ascii_case(word))
}

/// Up to eight octets as a number, ASCII letters in lower case.
fn packed(label: &[u8]) -> Option<u64> {
    if label.len() > 8 {
        return None;
    }
    let mut octets = [0; 8];
    octets.iter_mut().zip(label).for_each(|(to, from)| *to = from.to_ascii_lowercase());
    Some(u64::from_le_bytes(octets))
}

fn slot(key: u64, step: usize) -> usize {
    ((key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50) as usize + step) % SLOTS
}

/// Whether Apple's handsets link names under this TLD.
pub(super) fn is_apple(label: &[u8]) -> bool {
    APPLE.split(' ').any(|name| name.as_bytes().eq_ignore_ascii_case(label))
}
