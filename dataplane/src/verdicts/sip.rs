//! SipHash-1-3 with 128 bits of result, for octets that are at hand whole. The crate `siphasher` is its oracle: it keeps what is written
//! in pieces for a hasher of any use, which costs as much again as the hash of a host.

/// The state between two blocks, and the octets that fill none yet.
#[derive(Clone, Copy)]
pub(super) struct Sip {
    v: [u64; 4],
    /// The last octets, the first of them lowest.
    tail: u64,
    /// How many: below eight.
    held: u32,
    octets: u64,
}

impl Sip {
    pub(super) fn new(secret: &[u8; 16]) -> Self {
        let key = u128::from_le_bytes(*secret);
        let (k0, k1) = (key as u64, (key >> 64) as u64);
        let v = [
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ];
        Self { v, tail: 0, held: 0, octets: 0 }
    }

    /// Eight octets, which stand where a block begins.
    #[inline(always)]
    pub(super) fn block(&mut self, block: u64) {
        self.octets += 8;
        self.absorb(block);
    }

    #[inline(always)]
    fn absorb(&mut self, block: u64) {
        let [_, _, _, v3] = &mut self.v;
        *v3 ^= block;
        self.round();
        let [v0, ..] = &mut self.v;
        *v0 ^= block;
    }

    #[inline(always)]
    fn round(&mut self) {
        let [mut v0, mut v1, mut v2, mut v3] = self.v;
        v0 = v0.wrapping_add(v1);
        v2 = v2.wrapping_add(v3);
        v1 = v1.rotate_left(13) ^ v0;
        v3 = v3.rotate_left(16) ^ v2;
        v0 = v0.rotate_left(32);
        v2 = v2.wrapping_add(v1);
        v0 = v0.wrapping_add(v3);
        v1 = v1.rotate_left(17) ^ v2;
        v3 = v3.rotate_left(21) ^ v0;
        v2 = v2.rotate_left(32);
        self.v = [v0, v1, v2, v3];
    }

    /// More octets.
    #[inline]
    pub(super) fn write(&mut self, octets: &[u8]) {
        self.octets += octets.len() as u64;
        let (blocks, rest) = octets.as_chunks::<8>();
        if self.held == 0 {
            blocks.iter().for_each(|block| self.absorb(u64::from_le_bytes(*block)));
        } else {
            let shift = 8 * self.held;
            for block in blocks {
                let block = u64::from_le_bytes(*block);
                self.absorb(self.tail | block << shift);
                self.tail = block >> (64 - shift);
            }
        }
        for &octet in rest {
            self.tail |= u64::from(octet) << (8 * self.held);
            self.held += 1;
            if self.held == 8 {
                self.absorb(self.tail);
                (self.tail, self.held) = (0, 0);
            }
        }
    }

    /// The last octets, and the result.
    #[inline]
    pub(super) fn finish(mut self, octets: &[u8]) -> (u64, u64) {
        if self.held == 0 {
            self.octets += octets.len() as u64;
            let (blocks, rest) = octets.as_chunks::<8>();
            blocks.iter().for_each(|block| self.absorb(u64::from_le_bytes(*block)));
            // The rest lies at the end of the last eight octets, where there are so many.
            self.tail = match octets.last_chunk::<8>() {
                Some(last) if !rest.is_empty() => u64::from_le_bytes(*last) >> (64 - 8 * rest.len()),
                Some(_) => 0,
                None => rest.iter().rev().fold(0, |tail, &octet| tail << 8 | u64::from(octet)),
            };
        } else {
            self.write(octets);
        }
        self.absorb(self.octets << 56 | self.tail);
        let [_, _, v2, _] = &mut self.v;
        *v2 ^= 0xee;
        let first = self.three_rounds();
        let [_, v1, ..] = &mut self.v;
        *v1 ^= 0xdd;
        (first, self.three_rounds())
    }

    #[inline(always)]
    fn three_rounds(&mut self) -> u64 {
        self.round();
        self.round();
        self.round();
        let [v0, v1, v2, v3] = self.v;
        v0 ^ v1 ^ v2 ^ v3
    }
}

#[cfg(test)]
mod tests {
    use core::hash::Hasher as _;

    use proptest::prelude::*;
    use siphasher::sip128::{Hasher128 as _, SipHasher13};

    use super::*;

    proptest! {
        #[test]
        fn the_hash_is_that_of_the_crate(
            secret in any::<[u8; 16]>(),
            block in any::<Option<u64>>(),
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..5),
        ) {
            let (mut ours, mut theirs) = (Sip::new(&secret), SipHasher13::new_with_key(&secret));
            if let Some(block) = block {
                ours.block(block);
                theirs.write(&block.to_le_bytes());
            }
            pieces.iter().for_each(|piece| theirs.write(piece));
            let (last, first) = pieces.split_last().expect("one at least");
            first.iter().for_each(|piece| ours.write(piece));
            prop_assert_eq!(ours.finish(last), theirs.finish128().as_u64());
        }
    }
}
