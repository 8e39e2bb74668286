//! How many different ones: exact up to 64, then estimated by a HyperLogLog of 1 024 registers (standard error 1.04 / √1024 = 3.3 %). At
//! most 1 KiB each, and two can be put together.

use sha2::{Digest as _, Sha256};

/// Kept one by one so far.
const EXACT: usize = 64;
const REGISTERS: usize = 1_024;
const INDEX_BITS: u32 = 10;

/// The hash that things are counted by. Always the same: what is kept is compared over restarts.
pub fn hash(thing: &str) -> u64 {
    let sum: [u8; 32] = Sha256::digest(thing.as_bytes()).into();
    sum.first_chunk().map_or(0, |octets| u64::from_le_bytes(*octets))
}

/// A count of different things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distinct {
    /// Their hashes, in order.
    Few(Vec<u64>),
    /// Registers.
    Many(Box<[u8; REGISTERS]>),
}

impl Default for Distinct {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Distinct {
    /// Takes one by its hash.
    pub fn add(&mut self, hash: u64) {
        match self {
            Self::Few(few) => {
                if let Err(at) = few.binary_search(&hash) {
                    few.insert(at, hash);
                }
                if few.len() > EXACT {
                    let mut registers = Box::new([0; REGISTERS]);
                    few.iter().for_each(|hash| register(&mut registers, *hash));
                    *self = Self::Many(registers);
                }
            }
            Self::Many(registers) => register(registers, hash),
        }
    }

    /// Takes all that another counted.
    pub fn merge(&mut self, other: &Self) {
        match (&mut *self, other) {
            (_, Self::Few(few)) => few.iter().for_each(|hash| self.add(*hash)),
            (Self::Many(mine), Self::Many(theirs)) => {
                mine.iter_mut().zip(theirs.iter()).for_each(|(mine, theirs)| *mine = (*mine).max(*theirs));
            }
            (Self::Few(_), Self::Many(_)) => {
                let few = core::mem::replace(self, other.clone());
                self.merge(&few);
            }
        }
    }

    /// How many.
    pub fn count(&self) -> u64 {
        match self {
            Self::Few(few) => few.len() as u64,
            Self::Many(registers) => {
                let m = REGISTERS as f64;
                let sum: f64 = registers.iter().map(|rank| (-f64::from(*rank)).exp2()).sum();
                let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
                let empty = registers.iter().filter(|rank| **rank == 0).count();
                // Flajolet et al.: below 2.5 m the empty registers say more.
                let count = if raw <= 2.5 * m && empty > 0 { m * (m / empty as f64).ln() } else { raw };
                count.round() as u64
            }
        }
    }

    /// As it is kept: hashes of eight octets each, or the registers.
    pub fn to_octets(&self) -> Vec<u8> {
        match self {
            Self::Few(few) => few.iter().flat_map(|hash| hash.to_le_bytes()).collect(),
            Self::Many(registers) => registers.to_vec(),
        }
    }

    /// What [`Distinct::to_octets`] made. The lengths tell which it is: 64 hashes are 512 octets at most.
    pub fn of(octets: &[u8]) -> Self {
        match <[u8; REGISTERS]>::try_from(octets) {
            Ok(registers) => Self::Many(Box::new(registers)),
            Err(_) => Self::Few(octets.chunks_exact(8).filter_map(|c| c.first_chunk()).map(|c| u64::from_le_bytes(*c)).collect()),
        }
    }
}

fn register(registers: &mut [u8; REGISTERS], hash: u64) {
    let index = usize::try_from(hash >> (u64::BITS - INDEX_BITS)).unwrap_or_default();
    // 1 to 55: the guard bit ends a run of zeros.
    let rank = u8::try_from(((hash << INDEX_BITS) | (1 << (INDEX_BITS - 1))).leading_zeros() + 1).unwrap_or(u8::MAX);
    if let Some(kept) = registers.get_mut(index) {
        *kept = (*kept).max(rank);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_exact_and_many_are_within_four_standard_errors() {
        let mut distinct = Distinct::default();
        let mut n = 0;
        for upto in [1_u64, 10, 64, 100, 1_000, 5_000, 20_000, 100_000] {
            while n < upto {
                distinct.add(hash(&n.to_string()));
                distinct.add(hash(&(n / 2).to_string()));
                n += 1;
            }
            let error = distinct.count().abs_diff(upto) as f64 / upto as f64;
            assert!(if upto <= 64 { error == 0.0 } else { error < 0.13 }, "{upto}: {}", distinct.count());
            assert_eq!(Distinct::of(&distinct.to_octets()), distinct);
        }
    }

    #[test]
    fn what_two_counted_is_what_one_would_have() {
        let of = |range: core::ops::Range<u64>| {
            let mut distinct = Distinct::default();
            range.for_each(|n| distinct.add(hash(&n.to_string())));
            distinct
        };
        for (one, two, both) in
            [(0..10, 5..20, 0..20), (0..10, 0..900, 0..900), (0..900, 5..20, 0..900), (0..700, 300..2_000, 0..2_000)]
        {
            let mut merged = of(one);
            merged.merge(&of(two));
            assert_eq!(merged, of(both));
        }
    }
}
