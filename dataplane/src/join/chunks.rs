//! SCTP user messages in several DATA or I-DATA chunks (RFC 9260 §6.9, RFC 8260 §2.1): B to E with consecutive TSN, or FSN within one MID.

use super::pieces::{Order, Pieces};
use super::pool::{Chain, Pool, Tag};
use super::table::{Key, Secret};

/// `marks`: first fragment.
pub const BEGIN: u32 = 1;
/// `marks`: last fragment.
pub const END: u32 = 2;

/// The order of chunks: by TSN, or by FSN.
pub struct BySequence;

impl Order for BySequence {
    const PIECE: usize = 2048;
    const MOST: usize = 64;

    fn first(pool: &Pool, chain: Chain, mut tag: Tag) -> Option<u32> {
        for _ in 0..chain.len() {
            if tag.marks & BEGIN != 0 {
                return Some(tag.place);
            }
            tag = pool.at(chain, tag.place.wrapping_sub(1))?.0;
        }
        None
    }

    fn next(tag: Tag, _: usize) -> Option<u32> {
        (tag.marks & END == 0).then(|| tag.place.wrapping_add(1))
    }

    fn contradicts(_: (Tag, usize), _: (Tag, usize)) -> bool {
        false
    }
}

/// Joins chunks.
pub type Chunks = Pieces<BySequence>;

/// The identity of a user message: the association's direction, its stream, and SSN or MID.
pub fn key(secret: Secret, association: u64, stream: u16, sequence: u32, unordered: bool) -> Key {
    secret.key(&[&association.to_le_bytes()], &[&stream.to_le_bytes(), &sequence.to_le_bytes(), &[u8::from(unordered)]])
}

#[cfg(test)]
mod tests {
    use super::super::pieces::Step;
    use super::super::table::Limits;
    use super::*;

    fn joiner() -> (Chunks, Vec<u8>) {
        (Chunks::new(Limits { entries: 16, octets: 1 << 16, age_ns: 100 }), Vec::with_capacity(4096))
    }

    #[test]
    fn chunks_join_by_tsn_over_its_wrap_and_a_repeated_last_one_is_answered_again() {
        let (mut chunks, mut out) = joiner();
        let key = key(Secret(1), 9, 1, 5, false);
        let mut put = |tsn: u32, marks, octets: &[u8]| {
            let step = chunks.join(key, 0, Tag { place: tsn, marks }, octets, &mut out);
            (step, out.clone())
        };
        put(u32::MAX, BEGIN, b"one ");
        put(1, END, b"three");
        assert_eq!(put(0, 0, b"two "), (Step::Whole { repeat: false, at: 4, marks: BEGIN }, b"one two three".to_vec()));
        assert_eq!(put(0, 0, b"two "), (Step::Whole { repeat: true, at: 4, marks: BEGIN }, b"one two three".to_vec()));
        assert_eq!(put(1, END, b"three").0, Step::Waiting { repeat: true });
    }

    #[test]
    fn the_copy_that_came_first_is_kept() {
        let (mut chunks, mut out) = joiner();
        let key = key(Secret(1), 9, 1, 5, false);
        chunks.join(key, 0, Tag { place: 7, marks: BEGIN }, b"good", &mut out);
        assert_eq!(
            chunks.join(key, 0, Tag { place: 7, marks: BEGIN }, b"evil", &mut out),
            Step::LetGo("differs from the piece that came first")
        );
        chunks.join(key, 0, Tag { place: 8, marks: END }, b"!", &mut out);
        assert_eq!(out, b"good!");
    }

    #[test]
    fn a_sequence_number_used_again_begins_anew() {
        let (mut chunks, mut out) = joiner();
        let key = key(Secret(1), 9, 1, 5, false);
        for base in [100, 200] {
            chunks.join(key, 0, Tag { place: base, marks: BEGIN }, b"a", &mut out);
            assert_eq!(
                chunks.join(key, 0, Tag { place: base + 1, marks: END }, b"b", &mut out),
                Step::Whole { repeat: false, at: 1, marks: BEGIN }
            );
        }
    }
}
