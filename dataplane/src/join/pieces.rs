//! What IP fragments, SCTP chunks and SCCP segments have in common: pieces of one whole, in any order, repeated, or never complete.

use super::pool::{Chain, Pool, Tag};
use super::table::{Counts, Key, Limits, Table, Value};

/// How the pieces of one layer follow each other.
pub trait Order {
    /// Octets that one piece may have.
    const PIECE: usize;
    /// Pieces that a whole may have.
    const MOST: usize;
    /// The place of the whole's first piece, if it is here. `tag` is the piece in hand.
    fn first(pool: &Pool, chain: Chain, tag: Tag) -> Option<u32>;
    /// The place behind a piece of `len` octets; `None` behind the last one.
    fn next(tag: Tag, len: usize) -> Option<u32>;
    /// Whether two different pieces cannot belong to one whole.
    fn contradicts(one: (Tag, usize), other: (Tag, usize)) -> bool;
    /// Whether a piece ends what came under its identity before, if that had such a piece too.
    fn begins(_: Tag) -> bool {
        false
    }
}

#[derive(Default)]
struct Waiting {
    chain: Chain,
    /// The place of the piece that made it whole. Its repetition is answered as it was, any other's passes.
    completed_by: Option<u32>,
}

impl Value for Waiting {
    fn is_complete(&self) -> bool {
        self.completed_by.is_some()
    }
}

/// What one more piece came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The whole lies in the caller's buffer; `repeat` when this very piece completed it before.
    Whole {
        /// A retransmission of the completing piece.
        repeat: bool,
        /// Octet of the whole where the piece in hand begins.
        at: usize,
        /// `marks` of the whole's first piece.
        marks: u32,
    },
    /// More pieces are awaited, or a piece already here was repeated.
    Waiting {
        /// The piece was here before.
        repeat: bool,
    },
    /// Not kept, for this reason; counted in the table.
    LetGo(&'static str),
}

/// Joins the pieces of one layer.
pub struct Pieces<O> {
    table: Table<Waiting>,
    pool: Pool,
    order: core::marker::PhantomData<O>,
}

impl<O: Order> Pieces<O> {
    /// Takes all its memory now.
    pub fn new(limits: Limits) -> Self {
        Self { table: Table::new(limits), pool: Pool::new(limits.octets, O::PIECE), order: core::marker::PhantomData }
    }

    /// What became of the entries.
    pub const fn counts(&self) -> &Counts {
        &self.table.counts
    }

    /// Counts what never became whole. Called once, at the end of the source.
    pub fn finish(&mut self) {
        self.table.finish();
    }

    /// Adds a piece. On [`Step::Whole`] the whole lies in `out`, which never grows beyond its capacity.
    pub fn join(&mut self, key: Key, now: u64, tag: Tag, piece: &[u8], out: &mut Vec<u8>) -> Step {
        let Self { table, pool, .. } = self;
        let (entry, counts) = table.entry(key, now, |old| pool.free(old.chain));
        let other = |(begun, octets): (Tag, &[u8])| O::begins(begun) && (begun != tag || octets != piece);
        if O::begins(tag) && entry.completed_by.is_none() && pool.pieces(entry.chain).any(other) {
            pool.free(core::mem::take(&mut entry.chain));
            counts.contradicted += 1;
        }
        if let Some((_, known)) = pool.at(entry.chain, tag.place) {
            if known == piece {
                let completed = entry.completed_by == Some(tag.place);
                let whole = if completed { assemble::<O>(pool, entry.chain, tag, out) } else { None };
                return whole.map_or(Step::Waiting { repeat: true }, |(at, marks)| Step::Whole { repeat: true, at, marks });
            }
            if entry.completed_by.is_none() {
                // RFC 9260 §6.9 and every IP stack: the receiver keeps the copy that came first.
                counts.contradicted += 1;
                return Step::LetGo("differs from the piece that came first");
            }
        }
        if entry.completed_by.take().is_some() {
            // The same identity begins anew: a reference or sequence number was used again.
            pool.free(core::mem::take(&mut entry.chain));
        }
        let clash = pool.pieces(entry.chain).any(|(other, octets)| O::contradicts((tag, piece.len()), (other, octets.len())));
        if clash || entry.chain.len() >= O::MOST {
            pool.free(core::mem::take(&mut entry.chain));
            counts.contradicted += 1;
            return Step::LetGo(if clash { "pieces overlap" } else { "too many pieces" });
        }
        if !pool.push(&mut entry.chain, tag, piece) {
            counts.no_room += 1;
            return Step::LetGo("no room for the piece");
        }
        let Some((at, marks)) = assemble::<O>(pool, entry.chain, tag, out) else { return Step::Waiting { repeat: false } };
        entry.completed_by = Some(tag.place);
        counts.completed += 1;
        Step::Whole { repeat: false, at, marks }
    }
}

/// Puts the pieces in order into `out`, and says where `own` begins in it, with the first piece's marks; `None` while one is missing.
fn assemble<O: Order>(pool: &Pool, chain: Chain, own: Tag, out: &mut Vec<u8>) -> Option<(usize, u32)> {
    out.clear();
    let mut place = O::first(pool, chain, own)?;
    let first = pool.at(chain, place)?.0.marks;
    let mut at = 0;
    for _ in 0..chain.len() {
        let (tag, octets) = pool.at(chain, place)?;
        if place == own.place {
            at = out.len();
        }
        if out.len() + octets.len() > out.capacity() {
            return None;
        }
        out.extend_from_slice(octets);
        let Some(next) = O::next(tag, octets.len()) else { return Some((at, first)) };
        place = next;
    }
    None
}
