//! A set-associative table of fixed size: the one shape of every join.

use core::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher13};

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

/// The secret that the tables' hashes are keyed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Secret(pub u128);

impl Secret {
    /// A key from the parts of an identity, those that name the origin first.
    pub fn key(self, origin: &[&[u8]], rest: &[&[u8]]) -> Key {
        let seed = self.0.to_le_bytes();
        let mut hasher = SipHasher13::new_with_key(&seed);
        let mut feed = |parts: &[&[u8]]| {
            for part in parts {
                hasher.write_usize(part.len()); // keeps ("ab", "c") and ("a", "bc") apart
                hasher.write(part);
            }
            hasher.finish128()
        };
        let origin = feed(origin).h1;
        Key { origin, id: feed(rest).as_u128() }
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
    /// Capture time of the last touch; `None` is a free slot.
    touched: Option<u64>,
    value: V,
}

/// The table.
pub struct Table<V> {
    slots: Box<[Slot<V>]>,
    sets: u64,
    age_ns: u64,
    /// What became of entries.
    pub counts: Counts,
}

impl<V: Value> Table<V> {
    /// Takes all its memory now.
    pub fn new(limits: Limits) -> Self {
        let sets = limits.entries.div_ceil(WAYS).next_power_of_two();
        let slots = (0..sets * WAYS).map(|_| Slot { key: Key::default(), touched: None, value: V::default() }).collect();
        Self { slots, sets: sets as u64, age_ns: limits.age_ns, counts: Counts::default() }
    }

    fn set(&mut self, key: Key) -> &mut [Slot<V>] {
        set(&mut self.slots, self.sets, key)
    }

    /// The entry of `key`, unless its time has passed.
    pub fn find(&mut self, key: Key, now: u64) -> Option<&mut V> {
        let age_ns = self.age_ns;
        let slot = self.set(key).iter_mut().find(|slot| slot.key == key && slot.touched.is_some())?;
        (now.saturating_sub(slot.touched?) <= age_ns).then_some(&mut slot.value)
    }

    /// The entry of `key`, made now if there is none, and the counters for what the caller does with it.
    /// What it displaces goes to `let_go` first, which frees what that one holds.
    pub fn entry(&mut self, key: Key, now: u64, let_go: impl FnOnce(V)) -> (&mut V, &mut Counts) {
        let Self { slots, sets, age_ns, counts } = self;
        let set = set(slots, *sets, key);
        let stale = |slot: &Slot<V>| slot.touched.is_none_or(|touched| now.saturating_sub(touched) > *age_ns);
        let known = set.iter().position(|slot| slot.touched.is_some() && slot.key == key);
        let way = known
            .or_else(|| set.iter().position(|slot| slot.touched.is_none()))
            .or_else(|| set.iter().position(stale))
            .unwrap_or_else(|| victim(set, key.origin));
        #[expect(clippy::indexing_slicing, reason = "`way` is a position within the set, which has WAYS slots")]
        let slot = &mut set[way];
        if known.is_none() || stale(slot) {
            if slot.touched.is_some() {
                let cause = if stale(slot) { &mut counts.timed_out } else { &mut counts.evicted };
                *cause += u64::from(!slot.value.is_complete());
                let_go(core::mem::take(&mut slot.value));
            }
            counts.begun += 1;
            slot.key = key;
        }
        slot.touched = Some(now);
        (&mut slot.value, counts)
    }

    /// Takes the entry out.
    pub fn remove(&mut self, key: Key) -> Option<V> {
        let slot = self.set(key).iter_mut().find(|slot| slot.key == key && slot.touched.is_some())?;
        slot.touched = None;
        Some(core::mem::take(&mut slot.value))
    }

    /// Counts what is still incomplete. Called once, when the source has ended.
    pub fn finish(&mut self) {
        let open = self.slots.iter().filter(|slot| slot.touched.is_some() && !slot.value.is_complete()).count();
        self.counts.unfinished += open as u64;
    }
}

/// Which entry of a full set makes room: a complete one, else the oldest of the origin that holds most of the set, the newcomer counted.
/// A flooder thus evicts its own wherever it is the one that fills the set.
fn victim<V: Value>(set: &[Slot<V>], newcomer: u64) -> usize {
    let held = |origin: u64| set.iter().filter(|slot| slot.key.origin == origin).count() + usize::from(origin == newcomer);
    let rank = |slot: &Slot<V>| {
        let of = slot.key.origin;
        (!slot.value.is_complete(), core::cmp::Reverse(held(of)), of != newcomer, slot.touched)
    };
    set.iter().enumerate().min_by_key(|(_, slot)| rank(slot)).map_or(0, |(way, _)| way)
}

fn set<V>(slots: &mut [Slot<V>], sets: u64, key: Key) -> &mut [Slot<V>] {
    let low = u64::try_from(key.id & u128::from(sets - 1)).unwrap_or(0);
    let first = usize::try_from(low).unwrap_or(0) * WAYS;
    slots.get_mut(first..first + WAYS).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(table.find(victim, 3), Some(&mut Number(42, false)));
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
        assert!(table.find(key(1, 1), 1000).is_some());
        assert!(table.find(key(1, 1), 1001).is_none());
        assert_eq!(table.entry(key(1, 1), 1001, |old| assert_eq!(old.0, 5)).0.0, 0);
        assert_eq!((table.counts.timed_out, table.counts.begun), (1, 2));
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
    }
}
