//! A set-associative table of fixed size: the one shape of every join.

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128_with_seed};

/// How much a table may hold, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries, rounded up to a power of two of sets times [`WAYS`].
    pub entries: usize,
    /// Octets that wait in the pool beside the table (0 where the table needs none).
    pub octets: usize,
    /// Age at which an entry is let go, in nanoseconds of capture time.
    pub age_ns: u64,
}

/// Entries that share a set.
pub const WAYS: usize = 8;

/// Who an entry belongs to and which it is: keyed hashes, so that nobody outside can aim at another's set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// Hash of the origin: whoever could flood the table. In a full set the origin that holds most of it makes room.
    pub origin: u64,
    /// Hash of the whole identity; chooses the set.
    pub id: u128,
}

impl Key {
    /// The word that stands for the key among the tags of its set; never 0.
    #[inline]
    const fn tag(self) -> u32 {
        tag(self.id)
    }
}

#[inline]
const fn tag(id: u128) -> u32 {
    (id >> 96) as u32 | 1
}

/// The secret that the tables' hashes are keyed with.
///
/// The hash is XXH3 with a seed of 64 bits for each half: no cryptographic one, but who does not know the seeds cannot tell which
/// identities share a set. If somebody could, [`Table`] would still have the origin that fills a set make room there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Secret(pub u128);

impl Secret {
    /// A key from the parts of an identity, those that name the origin first.
    #[inline]
    pub fn key(self, origin: &[&[u8]], rest: &[&[u8]]) -> Key {
        let [low, high] = self.seeds();
        let mut identity = Identity::default();
        origin.iter().for_each(|part| identity.put(part, low));
        let origin = xxh3_64_with_seed(identity.octets(), low);
        rest.iter().for_each(|part| identity.put(part, low));
        Key { origin, id: xxh3_128_with_seed(identity.octets(), high) }
    }

    /// [`Key::id`] alone: enough to look for an entry.
    #[inline]
    pub fn id(self, origin: &[&[u8]], rest: &[&[u8]]) -> u128 {
        let [low, high] = self.seeds();
        let mut identity = Identity::default();
        origin.iter().chain(rest).for_each(|part| identity.put(part, low));
        xxh3_128_with_seed(identity.octets(), high)
    }

    /// Another one: that a key under it is one under this is as likely as that two identities share a key.
    pub const fn other(self) -> Self {
        Self(!self.0)
    }

    const fn seeds(self) -> [u64; 2] {
        [self.0 as u64, (self.0 >> 64) as u64]
    }
}

/// The parts of an identity behind each other, each with its length before it: that keeps ("ab", "c") and ("a", "bc") apart.
struct Identity {
    octets: [u8; IDENTITY],
    len: usize,
}

/// Room for an identity: two numbers and what tells one from another under them.
const IDENTITY: usize = 64;

impl Default for Identity {
    fn default() -> Self {
        Self { octets: [0; IDENTITY], len: 0 }
    }
}

impl Identity {
    fn octets(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }

    #[inline]
    fn put(&mut self, part: &[u8], seed: u64) {
        if !self.push(part) {
            self.digest(part, seed);
        }
    }

    #[inline]
    fn push(&mut self, part: &[u8]) -> bool {
        let end = self.len + 1 + part.len();
        let (Ok(len), Some([first, room @ ..])) = (u8::try_from(part.len()), self.octets.get_mut(self.len..end)) else {
            return false;
        };
        *first = len;
        copy(part, room);
        self.len = end;
        true
    }

    /// No room: hashes stand for what was there and for the part. A length of 255 tells them from parts.
    #[inline(never)]
    fn digest(&mut self, part: &[u8], seed: u64) {
        let hashes = [xxh3_128_with_seed(self.octets(), seed), xxh3_128_with_seed(part, seed)];
        self.len = 0;
        for hash in hashes {
            self.push(&hash.to_le_bytes());
        }
        let end = self.len + 1;
        if let Some(mark) = self.octets.get_mut(self.len) {
            *mark = u8::MAX;
            self.len = end;
        }
    }
}

/// Copies a few octets in two overlapping moves.
#[inline]
fn copy(from: &[u8], to: &mut [u8]) {
    if let (Some(head), Some(tail)) = (from.first_chunk::<8>(), from.last_chunk::<8>())
        && from.len() <= 16
        && from.len() == to.len()
    {
        if let Some(room) = to.first_chunk_mut() {
            *room = *head;
        }
        if let Some(room) = to.last_chunk_mut() {
            *room = *tail;
        }
    } else if let (&[a, b, c, d], [e, f, g, h]) = (from, &mut *to) {
        (*e, *f, *g, *h) = (a, b, c, d);
    } else {
        to.copy_from_slice(from);
    }
}

/// What became of a table's entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entries begun.
    pub begun: u64,
    /// Entries completed.
    pub completed: u64,
    /// Incomplete entries that made room for a newer one of the same set.
    pub evicted: u64,
    /// Incomplete entries that passed the time limit.
    pub timed_out: u64,
    /// Pieces for which the pool had no room.
    pub no_room: u64,
    /// Entries whose pieces contradict each other (overlap, another length, another first piece).
    pub contradicted: u64,
    /// Entries still incomplete when the source ended.
    pub unfinished: u64,
}

/// A value that a table keeps.
pub trait Value: Default {
    /// Whether the entry waits for nothing any more: letting it go loses nothing.
    fn is_complete(&self) -> bool;
}

struct Slot<V> {
    key: Key,
    /// Capture time of the last touch.
    touched: u64,
    value: V,
}

/// The tags of a set: 0 is a free slot. All in half a cache line, so that what is not here costs no look at the slots.
type Tags = [u32; WAYS];

/// The table.
pub struct Table<V> {
    tags: Box<[Tags]>,
    /// Where in `slots` each way's slot lies, counted from 1; 0 where it never needed one.
    places: Box<[Tags]>,
    /// Has room for all from the start, and grows into it: memory that no entry ever needed is never touched.
    slots: Vec<Slot<V>>,
    held: usize,
    age_ns: u64,
    /// What became of entries.
    pub counts: Counts,
}

impl<V: Value> Table<V> {
    /// Takes all its memory now.
    pub fn new(limits: Limits) -> Self {
        let sets = limits.entries.div_ceil(WAYS).next_power_of_two();
        Self {
            tags: vec![[0; WAYS]; sets].into(),
            places: vec![[0; WAYS]; sets].into(),
            slots: Vec::with_capacity(sets * WAYS),
            held: 0,
            age_ns: limits.age_ns,
            counts: Counts::default(),
        }
    }

    /// Whether it holds nothing: then no key need be made to look for it.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// The set of a key.
    #[inline]
    fn set(&self, id: u128) -> usize {
        id as usize & (self.tags.len() - 1)
    }

    /// The slot of a way; `None` where it is free.
    #[inline]
    fn slot(&mut self, set: usize, way: usize) -> Option<&mut Slot<V>> {
        if *self.tags.get(set)?.get(way)? == 0 {
            return None;
        }
        let place = *self.places.get(set)?.get(way)?;
        self.slots.get_mut((place as usize).wrapping_sub(1))
    }

    /// The way of a key in its set.
    #[inline]
    fn way(&mut self, set: usize, id: u128) -> Option<usize> {
        let tags = self.tags.get(set)?;
        let mut ways = 0u32;
        for (way, &known) in tags.iter().enumerate() {
            ways |= u32::from(known == tag(id)) << way;
        }
        while ways != 0 {
            let way = ways.trailing_zeros() as usize;
            if self.slot(set, way).is_some_and(|slot| slot.key.id == id) {
                return Some(way);
            }
            ways &= ways - 1;
        }
        None
    }

    /// The entry of the key with this id, unless its time has passed.
    #[inline]
    pub fn find(&mut self, id: u128, now: u64) -> Option<&mut V> {
        let set = self.set(id);
        let way = self.way(set, id)?;
        let age_ns = self.age_ns;
        let slot = self.slot(set, way)?;
        (now.saturating_sub(slot.touched) <= age_ns).then_some(&mut slot.value)
    }

    /// The entry of `key`, made now if there is none, and the counters for what the caller does with it.
    /// What it displaces goes to `let_go` first, which frees what that one holds.
    #[expect(clippy::indexing_slicing, reason = "`set` is below the number of sets, `way` below WAYS, a place within the slots")]
    pub fn entry(&mut self, key: Key, now: u64, let_go: impl FnOnce(V)) -> (&mut V, &mut Counts) {
        let set = self.set(key.id);
        let known = self.way(set, key.id);
        let Self { tags, places, slots, held, age_ns, counts } = self;
        let (tags, places) = (&mut tags[set], &mut places[set]);
        let stale = |slot: &Slot<V>| now.saturating_sub(slot.touched) > *age_ns;
        let free = || tags.iter().position(|&tag| tag == 0);
        let way = known.or_else(free).unwrap_or_else(|| {
            let all = places.map(|place| slots.get((place as usize).wrapping_sub(1)));
            all.iter()
                .position(|slot| slot.is_some_and(stale))
                .unwrap_or_else(|| victim(all.iter().copied().flatten(), key.origin))
        });
        let (tag, place) = (&mut tags[way], &mut places[way]);
        let is_free = *tag == 0;
        if *place == 0 {
            // The vector has its whole capacity from the start: this does not allocate.
            slots.push(Slot { key, touched: now, value: V::default() });
            *place = slots.len() as u32;
        }
        let slot = &mut slots[*place as usize - 1];
        if is_free {
            *held += 1;
            counts.begun += 1;
        } else if known.is_none() || stale(slot) {
            let cause = if stale(slot) { &mut counts.timed_out } else { &mut counts.evicted };
            *cause += u64::from(!slot.value.is_complete());
            let_go(core::mem::take(&mut slot.value));
            counts.begun += 1;
        }
        *tag = key.tag();
        slot.key = key;
        slot.touched = now;
        (&mut slot.value, counts)
    }

    /// Takes the entry out.
    #[inline]
    pub fn remove(&mut self, id: u128) -> Option<V> {
        let set = self.set(id);
        let way = self.way(set, id)?;
        let value = core::mem::take(&mut self.slot(set, way)?.value);
        *self.tags.get_mut(set)?.get_mut(way)? = 0;
        self.held -= 1;
        Some(value)
    }

    /// Counts what is still incomplete. Called once, when the source has ended.
    pub fn finish(&mut self) {
        for set in 0..self.tags.len() {
            for way in 0..WAYS {
                let open = self.slot(set, way).is_some_and(|slot| !slot.value.is_complete());
                self.counts.unfinished += u64::from(open);
            }
        }
    }
}

/// Which entry of a full set makes room: a complete one, else the oldest of the origin that holds most of the set, the newcomer counted.
/// A flooder thus evicts its own wherever it is the one that fills the set.
fn victim<'s, V: Value + 's>(set: impl Iterator<Item = &'s Slot<V>> + Clone, newcomer: u64) -> usize {
    let held = |origin: u64| set.clone().filter(|slot| slot.key.origin == origin).count() + usize::from(origin == newcomer);
    let rank = |slot: &Slot<V>| {
        let of = slot.key.origin;
        (!slot.value.is_complete(), core::cmp::Reverse(held(of)), of != newcomer, slot.touched)
    };
    set.clone().enumerate().min_by_key(|(_, slot)| rank(slot)).map_or(0, |(way, _)| way)
}

/// Names that may be in a table, counted by a cheap hash of a part of them: nearly all that are not are dismissed without a key.
#[derive(Clone, Debug)]
pub struct Present {
    counts: Box<[u16]>,
}

/// Places of [`Present`]: some of those that a network has open fit each.
const PLACES: usize = 1 << 15;

impl Default for Present {
    fn default() -> Self {
        Self { counts: vec![0; PLACES].into() }
    }
}

impl Present {
    /// The place of a name.
    #[inline]
    pub fn place(name: &[u8]) -> u16 {
        let mixed = |octets: u64| octets.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hash = match *name {
            [a, b, c, d] => mixed(u64::from(u32::from_le_bytes([a, b, c, d]))),
            _ => name.iter().fold(1, |hash, &octet| mixed(hash ^ u64::from(octet))),
        };
        (hash >> 49) as u16
    }

    /// Whether a name of this place may be there.
    #[inline]
    pub fn may_hold(&self, place: u16) -> bool {
        self.counts.get(usize::from(place)).is_some_and(|&count| count > 0)
    }

    /// One more, or one less. A place that ever was full stays so.
    #[inline]
    pub fn count(&mut self, place: u16, more: bool) {
        if let Some(count) = self.counts.get_mut(usize::from(place)).filter(|count| **count < u16::MAX) {
            *count = if more { *count + 1 } else { count.saturating_sub(1) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_may_be_there_until_it_is_taken_out() {
        let mut present = Present::default();
        for n in 0..1000u32 {
            let place = Present::place(&n.to_be_bytes()[usize::from(n % 2 == 0)..]);
            assert!(usize::from(place) < PLACES);
            present.count(place, true);
            assert!(present.may_hold(place));
        }
        (0..1000u32).for_each(|n| present.count(Present::place(&n.to_be_bytes()[usize::from(n % 2 == 0)..]), false));
        assert!((0..PLACES).all(|place| !present.may_hold(place as u16)));
    }

    #[derive(Default, Debug, PartialEq)]
    struct Number(u32, bool);
    impl Value for Number {
        fn is_complete(&self) -> bool {
            self.1
        }
    }

    const LIMITS: Limits = Limits { entries: 64, octets: 0, age_ns: 1000 };

    fn key(origin: u32, id: u32) -> Key {
        Secret(7).key(&[&origin.to_le_bytes()], &[&id.to_le_bytes()])
    }

    #[test]
    fn a_flooder_evicts_only_its_own() {
        let mut table = Table::<Number>::new(LIMITS);
        let victims: Vec<Key> = (0..8).map(|origin| key(origin, 1_000_000 + origin)).collect();
        for &victim in &victims {
            *table.entry(victim, 1, drop).0 = Number(42, false);
        }
        for id in 0..100_000 {
            table.entry(key(99, id), 2, drop);
        }
        for &victim in &victims {
            assert_eq!(table.find(victim.id, 3), Some(&mut Number(42, false)));
        }
        assert_eq!(table.counts.begun - table.counts.evicted, LIMITS.entries as u64);
    }

    #[test]
    fn one_origin_may_fill_the_table_when_nobody_else_needs_it() {
        let mut table = Table::<Number>::new(Limits { entries: 4096, ..LIMITS });
        for id in 0..1024 {
            table.entry(key(1, id), 1, drop);
        }
        assert_eq!(table.counts.evicted, 0);
    }

    #[test]
    fn an_entry_past_its_time_is_gone_and_counted_once() {
        let mut table = Table::<Number>::new(LIMITS);
        table.entry(key(1, 1), 0, drop).0.0 = 5;
        assert!(table.find(key(1, 1).id, 1000).is_some());
        assert!(table.find(key(1, 1).id, 1001).is_none() && !table.is_empty());
        assert_eq!(table.entry(key(1, 1), 1001, |old| assert_eq!(old.0, 5)).0.0, 0);
        assert_eq!((table.counts.timed_out, table.counts.begun), (1, 2));
        let id = key(1, 1).id;
        assert!(table.remove(id).is_some() && table.remove(id).is_none() && table.is_empty());
    }

    #[test]
    fn complete_entries_make_room_first() {
        let mut table = Table::<Number>::new(Limits { entries: WAYS, ..LIMITS });
        for id in 0..WAYS as u32 {
            *table.entry(key(1, id), u64::from(id), drop).0 = Number(id, id == 5);
        }
        table.entry(key(1, 99), 50, |old| assert_eq!(old, Number(5, true)));
        assert_eq!(table.counts.evicted, 0);
    }

    #[test]
    fn parts_of_a_key_do_not_run_into_each_other() {
        assert_ne!(Secret(1).key(&[b"ab", b"c"], &[]), Secret(1).key(&[b"a", b"bc"], &[]));
        assert_ne!(Secret(1).key(&[b"a"], &[]).origin, Secret(2).key(&[b"a"], &[]).origin);
        assert_ne!(Secret(1).key(&[b"a"], &[]).id, Secret(1 << 64 | 1).key(&[b"a"], &[]).id);
    }

    #[test]
    fn long_parts_count_to_their_last_octet_and_do_not_run_into_each_other() {
        let (long, mut other) = ([7u8; 300], [7u8; 300]);
        other[299] = 8;
        let key = |origin: &[&[u8]], rest: &[&[u8]]| Secret(5).key(origin, rest);
        let keys = [
            key(&[&long], &[b"x"]),
            key(&[&other], &[b"x"]),
            key(&[&long], &[b"y"]),
            key(&[&long[..120], &long[..120]], &[b"x"]),
            key(&[&long[..119], &long[..121]], &[b"x"]),
        ];
        assert_eq!(Secret(5).id(&[&long], &[b"x"]), keys[0].id);
        for (n, one) in keys.iter().enumerate() {
            keys[n + 1..].iter().for_each(|other| assert_ne!(one.id, other.id));
        }
        assert_ne!(keys[0].origin, keys[1].origin);
        assert_eq!(keys[0].origin, keys[2].origin);
    }
}
