//! From key strings to the place and the fingerprint that stand for them in a table.
//!
//! A key string is a pattern as lists write it: `host` (what is said of it and what is below), `=host` (of it alone), `host/path`,
//! `@host` (that it is a platform), `scheme:id` for links without a host. What is hashed is the kind and the string without its sign, so
//! that none of these can be mistaken for another, whatever signs a host of a link begins with.
//!
//! The hash is SipHash-1-3 with 128 bits of result and a secret key of 128 bits (`sip.rs`). Seeded xxh3 would be 7 ns a key cheaper, but it
//! is no keyed function by design: whoever can register names and see our verdicts could look for one that collides with a safe name.

use super::pattern::{Kind, Pattern};
use super::sip::Sip;

/// Paths are looked up by at most this many of their first segments, besides the whole path: a link cannot make a look-up long.
pub const MAX_SEGMENTS: usize = 8;

/// The secret of a verdict database. It lies beside the snapshot, never in it.
#[derive(Clone)]
pub struct Key {
    /// For each kind of pattern what the hash is once it has read the secret and the kind.
    kinds: [Sip; 6],
}

impl Key {
    /// A key of 16 secret octets.
    pub fn new(secret: &[u8; 16]) -> Self {
        let mut kind = 0;
        let kinds = [(); 6].map(|()| {
            let mut sip = Sip::new(secret);
            sip.block(kind);
            kind += 1;
            sip
        });
        Self { kinds }
    }

    #[inline]
    fn kind(&self, kind: u8) -> Sip {
        let [none, ..] = &self.kinds;
        *self.kinds.get(usize::from(kind)).unwrap_or(none)
    }

    /// Says whether a snapshot was made with this key without telling the key.
    pub fn check(&self) -> u64 {
        self.kind(0).finish(b"\0ztsms verdict key").0
    }

    /// Where a host stands, for itself and what is below.
    #[inline]
    pub fn hash(&self, host: &str) -> Place {
        Place::new(self.kind(Kind::Host as u8).finish(host.as_bytes()))
    }

    /// Where a pattern stands.
    pub fn pattern(&self, pattern: &str) -> Place {
        let kind = Pattern::kind_of(pattern);
        let sign = usize::from(matches!(kind, Kind::Exact | Kind::Platform));
        Place::new(self.kind(kind as u8).finish(pattern.as_bytes().get(sign..).unwrap_or_default()))
    }

    /// Where what is made of these pieces stands, without a sign in front.
    #[inline]
    pub fn hash_all(&self, kind: Kind, pieces: &[&str]) -> Place {
        let Some((last, first)) = pieces.split_last() else { return Place::new(self.kind(kind as u8).finish(&[])) };
        let mut sip = self.kind(kind as u8);
        first.iter().for_each(|piece| sip.write(piece.as_bytes()));
        Place::new(sip.finish(last.as_bytes()))
    }
}

impl core::fmt::Debug for Key {
    /// A key is never printed.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Key(secret)")
    }
}

/// Bucket and fingerprint of a key string: from different bits of its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Chooses the bucket, whatever their number.
    spot: u64,
    /// 58 bits, never 0: 0 is an empty slot.
    tag: u64,
}

impl Place {
    #[inline]
    fn new((spot, rest): (u64, u64)) -> Self {
        Self { spot, tag: (rest >> Word::FLAG_BITS).max(1) }
    }

    /// The home bucket among `buckets`.
    #[inline]
    pub const fn bucket(self, buckets: u64) -> u64 {
        ((self.spot as u128 * buckets as u128) >> 64) as u64
    }

    /// The fingerprint, 58 bits.
    #[inline]
    pub const fn tag(self) -> u64 {
        self.tag
    }
}

/// One slot: 58 bits of fingerprint, 2 of verdict, 4 of flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Word(pub u64);

impl Word {
    const FLAG_BITS: u32 = 6;
    const VERDICT_SHIFT: u32 = 4;
    /// More specific rules exist: hosts below, `=host`, or paths.
    pub const FINER: u64 = 8;
    /// Covers the host alone, not what is below it.
    pub const EXACT: u64 = 4;
    /// What is below stands for itself.
    pub const PLATFORM: u64 = 2;
    /// With a verdict: `safe` for the senders in the cold part only. Without: an entry that has ended.
    pub const COLD: u64 = 1;

    /// A word of its parts.
    pub const fn new(tag: u64, verdict: crate::verdict::Verdict, flags: u64) -> Self {
        Self(tag << Self::FLAG_BITS | (verdict as u64) << Self::VERDICT_SHIFT | flags & 15)
    }

    /// Whether this is the word of that fingerprint.
    #[inline]
    pub const fn is(self, tag: u64) -> bool {
        self.0 >> Self::FLAG_BITS == tag
    }

    /// The fingerprint.
    pub const fn tag(self) -> u64 {
        self.0 >> Self::FLAG_BITS
    }

    /// Whether a flag is set.
    #[inline]
    pub const fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    /// What it says; `None`: nothing by itself.
    #[inline]
    pub const fn verdict(self) -> crate::verdict::Verdict {
        use crate::verdict::Verdict;
        match self.0 >> Self::VERDICT_SHIFT & 3 {
            0 => Verdict::None,
            1 => Verdict::Safe,
            2 => Verdict::Unknown,
            _ => Verdict::Dangerous,
        }
    }

    /// An entry that has ended.
    #[inline]
    pub const fn is_expired(self) -> bool {
        self.0 & (3 << Self::VERDICT_SHIFT | Self::COLD) == Self::COLD
    }

    /// Whether it says anything of its own host: a verdict, or that one has ended.
    #[inline]
    pub const fn says(self) -> bool {
        self.0 & (3 << Self::VERDICT_SHIFT | Self::COLD) != 0
    }
}

/// The prefixes under which a path is looked up, shortest first, without their final `/`: by segments (at most [`MAX_SEGMENTS`]), then the
/// whole. The root path has none.
pub fn path_keys(path: &str) -> impl Iterator<Item = &str> {
    let trimmed = path.trim_end_matches('/');
    let inner = trimmed.char_indices().skip(1).filter(|&(_, c)| c == '/').map(|(at, _)| at).take(MAX_SEGMENTS);
    let inner = inner.filter_map(move |at| trimmed.get(..at)).filter(|prefix| !prefix.ends_with('/'));
    inner.chain((!trimmed.is_empty()).then_some(trimmed))
}

/// Whether this is the path of the host's own page, with nothing behind it.
#[inline]
pub fn is_root(path_and_query: &str) -> bool {
    path_and_query.bytes().all(|c| c == b'/')
}

/// In how many ways servers read one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// In one.
    One,
    /// With `;`, behind which some leave a segment's rest out, and with it what makes another path of it.
    Parameters,
    /// With a slash or backslash that was escaped, `..;`, which some take for `..`, or what was escaped twice, which most unescape once.
    Several,
}

/// How servers read a path, as it stands in a link.
pub(super) fn reading(path_and_query: &str) -> Reading {
    let hex = |octet: &u8| char::from(*octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let escaped = |rest: &[u8]| match rest {
        [b'%', high, low, ..] => hex(high).zip(hex(low)).map(|(high, low)| high << 4 | low),
        _ => None,
    };
    let path = path_and_query.split('?').next().unwrap_or_default();
    let (mut rest, mut last, mut found) = (path.as_bytes(), [0; 3], Reading::One);
    while let Some(&first) = rest.first() {
        let (octet, behind) = escaped(rest).map_or((first, 1), |octet| (octet, 3));
        let [_, before, previous] = last;
        last = [before, previous, octet];
        if octet == b'\\' || octet == b'/' && behind == 3 || last == *b"..;" || escaped(&last).is_some() {
            return Reading::Several;
        }
        if octet == b';' {
            found = Reading::Parameters;
        }
        rest = rest.get(behind..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Verdict;

    #[test]
    fn path_keys_go_from_short_to_whole() {
        let keys = |path| path_keys(path).collect::<Vec<_>>();
        assert_eq!(keys("/"), Vec::<&str>::new());
        assert_eq!(keys("/a/b/c.php"), ["/a", "/a/b", "/a/b/c.php"]);
        assert_eq!(keys("/a/"), ["/a"]);
        assert_eq!(keys(&"/x".repeat(50)).len(), MAX_SEGMENTS + 1);
    }

    #[test]
    fn word_gives_back_what_it_was_made_of() {
        for verdict in [Verdict::None, Verdict::Safe, Verdict::Unknown, Verdict::Dangerous] {
            for flags in 0..16 {
                let word = Word::new((1 << 58) - 1, verdict, flags);
                assert!(
                    word.is((1 << 58) - 1)
                        && word.verdict() == verdict
                        && (0..4).all(|b| word.has(1 << b) == (flags & 1 << b != 0))
                );
            }
        }
        assert!(Word::new(1, Verdict::None, Word::COLD).is_expired() && !Word::new(1, Verdict::Safe, Word::COLD).is_expired());
    }

    #[test]
    fn a_host_that_begins_with_a_sign_is_not_the_pattern_with_that_sign() {
        let key = Key::new(&[1; 16]);
        let places =
            ["=a.example", "@a.example"].map(|pattern| [key.pattern(pattern), key.hash(pattern), key.hash(&pattern[1..])]);
        let mut all: Vec<Place> =
            places.into_iter().flatten().chain([key.pattern("a.example/=b"), key.pattern("a:example")]).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 7, "only the host itself stands twice");
    }

    #[test]
    fn keys_depend_on_the_secret_and_halves_hash_as_the_whole() {
        let [a, b] = [[1; 16], [2; 16]].map(|secret| Key::new(&secret));
        assert_ne!(a.hash("bank.example"), b.hash("bank.example"));
        assert_eq!(a.pattern("bank.example/login"), a.hash_all(Kind::Path, &["bank.example", "/login"]));
        assert_eq!(a.pattern("bank.example"), a.hash("bank.example"));
        assert_ne!(a.check(), b.check());
        assert_eq!(format!("{a:?}"), "Key(secret)");
    }
}
