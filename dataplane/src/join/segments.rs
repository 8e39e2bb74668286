//! SCCP segments (Q.714 §4.1.1.2.3): calling party and local reference name the whole; the remaining count orders its pieces.

use super::pieces::{Order, Pieces};
use super::pool::{Chain, Pool, Tag};
use super::table::{Key, Secret};

/// `marks`: the first segment.
pub const FIRST: u32 = 1;

/// The order of segments: the remaining count, downward.
pub struct ByRemaining;

impl Order for ByRemaining {
    const PIECE: usize = 256;
    const MOST: usize = 16;

    fn first(pool: &Pool, chain: Chain, _: Tag) -> Option<u32> {
        pool.pieces(chain).find(|(tag, _)| tag.marks & FIRST != 0).map(|(tag, _)| tag.place)
    }

    fn next(tag: Tag, _: usize) -> Option<u32> {
        tag.place.checked_sub(1)
    }

    fn contradicts(one: (Tag, usize), other: (Tag, usize)) -> bool {
        // Q.714 §4.1.1.2.3: the first segment has the highest count.
        let first_and_higher = |a: Tag, b: Tag| a.marks & FIRST != 0 && b.place > a.place;
        first_and_higher(one.0, other.0) || first_and_higher(other.0, one.0)
    }

    /// Another first segment: the reference is used again, and what is left of the message before will not come.
    fn begins(tag: Tag) -> bool {
        tag.marks & FIRST != 0
    }
}

/// Joins segments.
pub type Segments = Pieces<ByRemaining>;

/// The identity of a segmented message. STPs share load: no link or association in it.
pub fn key(secret: Secret, calling_party: &[u8], local_reference: u32) -> Key {
    secret.key(&[calling_party], &[&local_reference.to_le_bytes()])
}

#[cfg(test)]
mod tests {
    use super::super::pieces::Step;
    use super::super::table::Limits;
    use super::*;

    #[test]
    fn segments_join_out_of_order_and_another_first_begins_anew() {
        let mut segments = Segments::new(Limits { entries: 16, octets: 1 << 14, age_ns: 100 });
        let mut out = Vec::with_capacity(4096);
        let key = key(Secret(1), b"caller", 0x010203);
        let mut put = |remaining, marks, octets: &[u8]| {
            (segments.join(key, 0, Tag { place: remaining, marks }, octets, &mut out), out.clone())
        };
        put(0, 0, b"three");
        put(2, FIRST, b"one ");
        assert_eq!(put(1, 0, b"two "), (Step::Whole { repeat: false, at: 4, marks: FIRST }, b"one two three".to_vec()));
        put(1, FIRST, b"lost ");
        put(1, FIRST, b"new ");
        assert_eq!(put(0, 0, b"whole"), (Step::Whole { repeat: false, at: 4, marks: FIRST }, b"new whole".to_vec()));
        put(1, FIRST, b"lost");
        put(2, FIRST, b"a");
        assert_eq!(put(3, 0, b"more than it said").0, Step::LetGo("pieces overlap"));
    }

    #[test]
    fn a_single_segment_is_whole_at_once() {
        let mut segments = Segments::new(Limits { entries: 16, octets: 1 << 14, age_ns: 100 });
        let mut out = Vec::with_capacity(4096);
        assert_eq!(
            segments.join(key(Secret(1), b"c", 1), 0, Tag { place: 0, marks: FIRST }, b"x", &mut out),
            Step::Whole { repeat: false, at: 0, marks: FIRST }
        );
    }
}
