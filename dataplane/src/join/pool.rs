//! Blocks of fixed size for the pieces that wait. Memory is taken once; a chain of blocks belongs to one entry of one table.

/// Pieces in a chain, newest last. The default is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    first: u32,
    last: u32,
    len: u32,
}

const NONE: u32 = u32::MAX;

impl Default for Chain {
    fn default() -> Self {
        Self { first: NONE, last: NONE, len: 0 }
    }
}

impl Chain {
    /// Number of pieces.
    pub const fn len(self) -> usize {
        self.len as usize
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// What is known of a piece beside its octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    /// Where it belongs: TSN, FSN, octet offset, sequence number.
    pub place: u32,
    /// The join's own marks.
    pub marks: u32,
}

/// A block's next one in its chain, its length, and its tag's place and marks. An array, so that all of them come zeroed from the
/// system and what is never used is never touched.
type Head = [u32; 4];

/// The pool: `blocks` pieces of at most `size` octets.
pub struct Pool {
    octets: Box<[u8]>,
    heads: Box<[Head]>,
    size: usize,
    /// The first of the blocks that were used and given back.
    free: u32,
    /// The first of the blocks that were never used.
    fresh: u32,
}

impl Pool {
    /// Takes `octets` octets in blocks of `size`.
    pub fn new(octets: usize, size: usize) -> Self {
        // As many as a `u32` counts, the last of which stands for none.
        let blocks = (octets / size).clamp(1, NONE as usize);
        Self { octets: vec![0; blocks * size].into(), heads: vec![[0; 4]; blocks].into(), size, free: NONE, fresh: 0 }
    }

    /// Octets that one piece may have.
    pub const fn piece(&self) -> usize {
        self.size
    }

    /// Appends a piece; `false` when it is too large or the pool is full.
    #[must_use]
    pub fn push(&mut self, chain: &mut Chain, tag: Tag, piece: &[u8]) -> bool {
        let block = if self.free == NONE { self.fresh } else { self.free };
        let at = block as usize * self.size;
        let (Some(head), Some(room)) = (self.heads.get_mut(block as usize), self.octets.get_mut(at..at + self.size)) else {
            return false;
        };
        let (Some(room), Ok(len)) = (room.get_mut(..piece.len()), u32::try_from(piece.len())) else { return false };
        room.copy_from_slice(piece);
        if self.free == NONE {
            self.fresh += 1;
        } else {
            [self.free, ..] = *head;
        }
        *head = [NONE, len, tag.place, tag.marks];
        match self.heads.get_mut(chain.last as usize) {
            Some([next, ..]) => *next = block,
            None => chain.first = block,
        }
        chain.last = block;
        chain.len += 1;
        true
    }

    /// The pieces, oldest first.
    pub fn pieces(&self, chain: Chain) -> impl Iterator<Item = (Tag, &[u8])> {
        let mut block = chain.first;
        core::iter::from_fn(move || {
            let &[next, len, place, marks] = self.heads.get(block as usize)?;
            let at = block as usize * self.size;
            block = next;
            Some((Tag { place, marks }, self.octets.get(at..at + len as usize)?))
        })
    }

    /// The piece at `place`.
    pub fn at(&self, chain: Chain, place: u32) -> Option<(Tag, &[u8])> {
        self.pieces(chain).find(|(tag, _)| tag.place == place)
    }

    /// Gives a chain's blocks back.
    pub fn free(&mut self, chain: Chain) {
        let Some([next, ..]) = self.heads.get_mut(chain.last as usize) else { return };
        *next = self.free;
        self.free = chain.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_back_and_no_piece_is_mixed_with_another() {
        let mut pool = Pool::new(64, 16);
        for round in 0..10u8 {
            let (mut a, mut b) = (Chain::default(), Chain::default());
            assert!(pool.push(&mut a, Tag { place: 1, marks: 0 }, &[round; 16]));
            assert!(pool.push(&mut b, Tag { place: 7, marks: 0 }, &[99; 3]));
            assert!(pool.push(&mut a, Tag { place: 2, marks: 5 }, &[round + 1; 2]));
            assert_eq!(pool.at(a, 2), Some((Tag { place: 2, marks: 5 }, &[round + 1; 2][..])));
            assert_eq!(pool.pieces(a).map(|(_, p)| p.len()).collect::<Vec<_>>(), [16, 2]);
            assert_eq!(pool.pieces(b).count(), 1);
            pool.free(a);
            pool.free(b);
        }
    }

    #[test]
    fn a_full_pool_and_a_large_piece_are_refused() {
        let mut pool = Pool::new(32, 16);
        let mut chain = Chain::default();
        assert!(!pool.push(&mut chain, Tag::default(), &[0; 17]));
        assert!(pool.push(&mut chain, Tag::default(), &[0; 16]));
        assert!(pool.push(&mut chain, Tag::default(), &[]));
        assert!(!pool.push(&mut chain, Tag::default(), &[]));
        pool.free(chain);
        assert!(pool.push(&mut Chain::default(), Tag::default(), &[1]));
    }

    #[test]
    fn an_empty_chain_frees_nothing() {
        let mut pool = Pool::new(16, 16);
        pool.free(Chain::default());
        assert!(pool.push(&mut Chain::default(), Tag::default(), &[1]));
        assert!(!pool.push(&mut Chain::default(), Tag::default(), &[1]));
    }
}
