//! What was made of the last chunk of a user message in several chunks, kept for as long as it may be repeated.
//!
//! A message in one chunk is a pure function of that chunk and the world. One in several is not: what completes it depends on what came
//! before, and worlds change in between. Its repetition carries what its first copy carried, whatever the world says by now; where that is
//! no longer known, the chunk as it was sent.

/// Chunks that are kept. Each is changed in place: nobody else's octets grow.
const KEPT: usize = 1024;
/// Octets of a chunk: what an Ethernet frame holds.
const MOST: usize = 1500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Of {
    association: u64,
    tsn: u32,
}

/// A ring: the newest push the oldest out.
#[derive(Debug)]
pub struct Answers {
    of: Vec<(Of, usize)>,
    octets: Vec<u8>,
    next: usize,
}

impl Default for Answers {
    /// Takes all its memory now.
    fn default() -> Self {
        Self { of: Vec::with_capacity(KEPT), octets: vec![0; KEPT * MOST], next: 0 }
    }
}

impl Answers {
    /// The chunk of this number left like this. Whether it found room: one that is longer than any frame does not.
    pub fn keep(&mut self, association: u64, tsn: u32, chunk: &[u8]) -> bool {
        let begin = self.next * MOST;
        let Some(room) = self.octets.get_mut(begin..begin + MOST).and_then(|room| room.get_mut(..chunk.len())) else {
            return false;
        };
        room.copy_from_slice(chunk);
        let entry = (Of { association, tsn }, chunk.len());
        match self.of.get_mut(self.next) {
            Some(old) => *old = entry,
            None => self.of.push(entry),
        }
        self.next = (self.next + 1) % KEPT;
        true
    }

    /// How the chunk of this number left, if it was changed and is still known. Looked through from end to end: only a repetition asks.
    pub fn of(&self, association: u64, tsn: u32) -> Option<&[u8]> {
        let wanted = Of { association, tsn };
        let (at, (_, len)) = self.of.iter().enumerate().find(|(_, (of, _))| *of == wanted)?;
        self.octets.get(at * MOST..at * MOST + len)
    }
}

#[test]
fn the_newest_are_known_and_push_the_oldest_out() {
    let mut answers = Answers::default();
    for tsn in 0..KEPT as u32 + 10 {
        assert!(answers.keep(7, tsn, &tsn.to_be_bytes()));
    }
    assert_eq!(answers.of(7, 9), None);
    assert_eq!(answers.of(7, 10), Some(&10_u32.to_be_bytes()[..]));
    assert_eq!(answers.of(7, KEPT as u32 + 9), Some(&(KEPT as u32 + 9).to_be_bytes()[..]));
    assert_eq!(answers.of(8, 10), None);
    assert!(!answers.keep(7, 1, &[0; MOST + 1]) && answers.keep(7, 1, &[1; MOST]));
    assert_eq!(answers.of(7, 1), Some(&[1; MOST][..]));
}
