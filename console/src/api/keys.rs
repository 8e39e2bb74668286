//! Keys of the API: 256 random bits each, shown once. What is kept is their SHA-256.
//!
//! ```text
//! ztsms_12_5f0c…e1     number of the key, and 64 hexadecimal digits
//! ```

mod change;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use arc_swap::ArcSwap;
use ipnet::IpNet;
use rusqlite::Row;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::problem::{Kind, Problem};
use super::rate::Rate;
use crate::store::Store;
use crate::{Result, time};

pub use change::KeyCommand;

/// How every key begins.
const PREFIX: &str = "ztsms_";
/// Octets of a key.
const OCTETS: usize = 32;

/// What is no hexadecimal digit.
const NO_DIGIT: u8 = 0x10;
/// The value of each octet as a hexadecimal digit.
const DIGITS: [u8; 256] = {
    let (mut digits, mut value) = ([NO_DIGIT; 256], 0);
    while value < 16 {
        #[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
        {
            digits[b"0123456789abcdef"[value] as usize] = value as u8;
            digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        }
        value += 1;
    }
    digits
};

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// `POST /api/v1/scan`.
    Scan,
    /// `POST /api/v1/verdicts`.
    Verdicts,
    /// `POST /api/v1/reports`.
    Reports,
    /// `GET /api/v1/reports`: what was reported.
    Read,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Scan, Self::Verdicts, Self::Reports, Self::Read];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::Verdicts => "verdicts",
            Self::Reports => "reports",
            Self::Read => "read",
        }
    }

    /// The scope of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// What is said of a key when it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// For people.
    pub name: String,
    /// At least one.
    pub scopes: Vec<Scope>,
    /// Networks that it may be used from; none: any.
    pub networks: Vec<IpNet>,
    /// Senders that it may ask about, letter by letter or up to a `*`; none: any.
    pub senders: Vec<String>,
    /// Messages a second; 0: no limit.
    pub rate: u32,
    /// When it ends, Unix seconds.
    pub expires: Option<i64>,
}

/// A key in use.
pub struct Key {
    /// Its number.
    pub id: i64,
    /// What was said of it.
    pub settings: Settings,
    hash: [u8; OCTETS],
    revoked: Option<i64>,
    /// Used last, Unix seconds; 0: never.
    used: Arc<AtomicI64>,
    rate: Arc<Rate>,
}

impl Key {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let words = |text: String| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let settings = Settings {
            name: row.get("name")?,
            scopes: words(row.get("scopes")?).iter().filter_map(|name| Scope::parse(name)).collect(),
            // They were written from networks.
            networks: words(row.get("networks")?).iter().filter_map(|network| network.parse().ok()).collect(),
            senders: serde_json::from_str(&row.get::<_, String>("senders")?).unwrap_or_default(),
            rate: row.get("rate")?,
            expires: row.get("expires")?,
        };
        let used: Option<i64> = row.get("used")?;
        Ok(Self {
            id: row.get("id")?,
            hash: row.get("hash")?,
            revoked: row.get("revoked")?,
            used: Arc::new(AtomicI64::new(used.unwrap_or(0))),
            rate: Arc::new(Rate::new(settings.rate, u32::try_from(super::body::MOST).unwrap_or(u32::MAX))),
            settings,
        })
    }

    /// Whether it may be used for this, now, from there.
    fn check(&self, scope: Scope, from: IpAddr, now: i64) -> Result<(), Problem> {
        if self.revoked.is_some() {
            return Err(Problem::new(Kind::Unauthenticated, "the key was revoked"));
        }
        if self.settings.expires.is_some_and(|end| end <= now) {
            return Err(Problem::new(Kind::Unauthenticated, "the key has ended"));
        }
        if !self.settings.scopes.contains(&scope) {
            return Err(Problem::new(Kind::Forbidden, format!("the key lacks the scope {}", scope.name())));
        }
        let from = from.to_canonical();
        if !self.settings.networks.is_empty() && !self.settings.networks.iter().any(|network| network.contains(&from)) {
            return Err(Problem::new(Kind::Forbidden, "the key may not be used from this address"));
        }
        Ok(())
    }

    /// Whether it may ask about this sender.
    pub(super) fn may_ask_about(&self, sender: &str) -> bool {
        let covers = |limit: &String| match limit.strip_suffix('*') {
            Some(head) => sender.starts_with(head),
            None => sender == limit,
        };
        self.settings.senders.is_empty() || self.settings.senders.iter().any(covers)
    }

    /// Takes so many messages of its rate.
    ///
    /// # Errors
    /// There are too many at once.
    pub(super) fn take(&self, messages: usize) -> Result<(), Problem> {
        self.rate.take(messages).map_err(|nanoseconds| {
            let detail = format!("the key may ask about {} messages a second", self.settings.rate);
            Problem { again: Some(nanoseconds.div_ceil(1_000_000_000)), ..Problem::new(Kind::Rate, detail) }
        })
    }
}

/// All keys, as requests find them.
pub struct Keys(ArcSwap<HashMap<i64, Arc<Key>>>);

impl Keys {
    /// Reads them.
    ///
    /// # Errors
    /// The database's.
    pub fn open(store: &Store) -> Result<Self> {
        let keys = Self(ArcSwap::default());
        keys.read(store)?;
        Ok(keys)
    }

    /// Reads them anew: from now on requests are held against these.
    fn read(&self, store: &Store) -> Result<()> {
        let before = self.0.load();
        let read: Vec<Key> = store.read(|state| {
            let mut found = state.prepare_cached("SELECT * FROM keys")?;
            Ok(found.query_map([], Key::of)?.collect::<Result<_, _>>()?)
        })?;
        let went_on = |mut key: Key| {
            if let Some(before) = before.get(&key.id) {
                (key.used, key.rate) = (Arc::clone(&before.used), Arc::clone(&before.rate));
            }
            (key.id, Arc::new(key))
        };
        self.0.store(Arc::new(read.into_iter().map(went_on).collect()));
        Ok(())
    }

    /// The key of an `Authorization` header, if it may be used for this.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn admit(&self, authorization: Option<&[u8]>, scope: Scope, from: IpAddr) -> Result<Arc<Key>, Problem> {
        let none = |why: &str| Problem::new(Kind::Unauthenticated, why);
        let header = authorization.ok_or_else(|| none("Authorization: Bearer KEY is missing"))?;
        let (scheme, token) = header.split_at_checked(7).ok_or_else(|| none("Authorization: Bearer KEY"))?;
        if !scheme.eq_ignore_ascii_case(b"bearer ") {
            return Err(none("Authorization: Bearer KEY"));
        }
        let token = core::str::from_utf8(token).map(str::trim).map_err(|_| none("this is no key"))?;
        let (id, secret) = parse(token).ok_or_else(|| none("this is no key"))?;
        let hash: [u8; OCTETS] = Sha256::digest(secret).into();
        let keys = self.0.load();
        // A key of no number is compared too: how long an answer takes tells nobody which numbers there are.
        let key = keys.get(&id);
        let same = words(hash).ct_eq(&words(key.map_or([0; OCTETS], |key| key.hash)));
        let key = key.filter(|_| same.into()).ok_or_else(|| none("there is no such key"))?;
        let now = time::now();
        key.check(scope, from, now)?;
        // Written seldom: a line of memory that every request writes is one that all wait for.
        if key.used.load(Relaxed) != now {
            key.used.store(now, Relaxed);
        }
        Ok(Arc::clone(key))
    }

    /// Writes down when each was used last.
    ///
    /// # Errors
    /// The database's.
    pub fn write_uses(&self, store: &Store) -> Result<()> {
        let uses: Vec<(i64, i64)> = self.0.load().values().map(|key| (key.id, key.used.load(Relaxed))).collect();
        let uses: Vec<_> = uses.into_iter().filter(|(_, used)| *used > 0).collect();
        if uses.is_empty() {
            return Ok(());
        }
        store.note(move |transaction| {
            let mut update = transaction.prepare_cached("UPDATE keys SET used = ?2 WHERE id = ?1 AND used IS NOT ?2")?;
            uses.into_iter().try_for_each(|used| update.execute(used).map(drop))?;
            Ok(())
        })
    }
}

/// A hash in as many steps as it takes to compare it, however far it is the same.
fn words(hash: [u8; OCTETS]) -> [u64; OCTETS / 8] {
    let (words, _) = hash.as_chunks::<8>();
    core::array::from_fn(|at| words.get(at).copied().map_or(0, u64::from_ne_bytes))
}

/// Number and octets of a key.
fn parse(token: &str) -> Option<(i64, [u8; OCTETS])> {
    let (id, digits) = token.strip_prefix(PREFIX)?.split_once('_')?;
    let id = id.parse().ok().filter(|_| id.bytes().all(|c| c.is_ascii_digit()))?;
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if pairs.len() != OCTETS || !rest.is_empty() {
        return None;
    }
    let (mut secret, mut wrong) = ([0; OCTETS], 0);
    for (octet, pair) in secret.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| DIGITS.get(usize::from(digit)).copied().unwrap_or(NO_DIGIT));
        *octet = high << 4 | low;
        wrong |= high | low;
    }
    (wrong < NO_DIGIT).then_some((id, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_number_and_sixty_four_digits_and_nothing_else() {
        let digits = "5f".repeat(32);
        assert_eq!(parse(&format!("ztsms_12_{digits}")), Some((12, [0x5f; 32])));
        let odd = ["", "ztsms_", "ztsms_12_", "12_", "ztsms_+1_", "ztsms_-1_"].map(|head| format!("{head}{digits}"));
        let tails = [format!("ztsms_12_{digits}0"), format!("ztsms_12_{}", &digits[2..]), format!("ztsms_12_{}zz", &digits[2..])];
        odd.iter().chain(&tails).filter(|token| !token.starts_with("ztsms_12_5f") || tails.contains(token)).for_each(|token| {
            assert_eq!(parse(token), None, "{token}");
        });
    }
}
