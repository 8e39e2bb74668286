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

#[derive(Clone, Copy)]
struct Head {
    next: u32,
    len: u32,
    tag: Tag,
}

/// The pool: `blocks` pieces of at most `size` octets.
pub struct Pool {
    octets: Box<[u8]>,
    heads: Box<[Head]>,
    size: usize,
    free: u32,
}

impl Pool {
    /// Takes `octets` octets in blocks of `size`.
    pub fn new(octets: usize, size: usize) -> Self {
        let blocks = (octets / size).max(1);
        let next = |block: usize| u32::try_from(block + 1).ok().filter(|&n| (n as usize) < blocks).unwrap_or(NONE);
        let heads = (0..blocks).map(|block| Head { next: next(block), len: 0, tag: Tag::default() }).collect();
        Self { octets: vec![0; blocks * size].into_boxed_slice(), heads, size, free: 0 }
    }

    /// Octets that one piece may have.
    pub const fn piece(&self) -> usize {
        self.size
    }

    /// Appends a piece; `false` when it is too large or the pool is full.
    #[must_use]
    pub fn push(&mut self, chain: &mut Chain, tag: Tag, piece: &[u8]) -> bool {
        let block = self.free;
        let at = block as usize * self.size;
        let (Some(head), Some(room)) = (self.heads.get_mut(block as usize), self.octets.get_mut(at..at + self.size)) else {
            return false;
        };
        let (Some(room), Ok(len)) = (room.get_mut(..piece.len()), u32::try_from(piece.len())) else { return false };
        room.copy_from_slice(piece);
        self.free = head.next;
        *head = Head { next: NONE, len, tag };
        match self.heads.get_mut(chain.last as usize) {
            Some(last) => last.next = block,
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
            let head = self.heads.get(block as usize)?;
            let at = block as usize * self.size;
            block = head.next;
            Some((head.tag, self.octets.get(at..at + head.len as usize)?))
        })
    }

    /// The piece at `place`.
    pub fn at(&self, chain: Chain, place: u32) -> Option<(Tag, &[u8])> {
        self.pieces(chain).find(|(tag, _)| tag.place == place)
    }

    /// Gives a chain's blocks back.
    pub fn free(&mut self, chain: Chain) {
        let Some(last) = self.heads.get_mut(chain.last as usize) else { return };
        last.next = self.free;
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
