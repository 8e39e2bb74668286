//! Parts of a text (TS 23.040 §9.2.3.24.1). Nothing is held: each part is judged with those that came before it.
//!
//! A link that reaches over parts is seen by the part that completes it. A repeated part is judged as it was the first time: with the
//! parts that had come by then, since a retransmission must carry the same bytes.

use super::pool::{Chain, Pool, Tag};
use super::table::{Counts, Key, Limits, Secret, Table, Value};

/// Octets of UTF-8 that one part may decode to: 160 characters of three octets (the euro sign, Indic letters).
const PART: usize = 512;

/// Which part of which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Parts in all.
    pub total: u8,
    /// This one, from 1.
    pub seq: u8,
}

/// Code units of a surrogate pair that was cut by the end of a part: the halves at the part's two ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Halves {
    /// A low surrogate at the start.
    pub leading: Option<u16>,
    /// A high surrogate at the end.
    pub trailing: Option<u16>,
}

#[derive(Default)]
struct Text {
    /// In the order of arrival.
    chain: Chain,
    whole: bool,
    contradicted: bool,
    /// A link may hang in what has come.
    marked: bool,
    /// The scanner that looked at all of it.
    scanner: u64,
}

impl Value for Text {
    fn is_complete(&self) -> bool {
        self.whole
    }
}

/// Where a part stands in the joined text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// Octet in the joined text where this part starts.
    pub start: usize,
    /// Octet behind its end.
    pub end: usize,
    /// Distinct parts seen, this one included.
    pub seen: u8,
    /// Every part is here and the joined text is the whole text.
    pub whole: bool,
    /// The part had come before.
    pub repeat: bool,
    /// Another text came under the same reference and sequence number: the earlier copies deserve a look too ([`Parts::earlier`]).
    pub contradicted: bool,
    /// The part could not be kept: it stands alone.
    pub alone: bool,
    /// A link may hang in what had come before: see [`Parts::mark`].
    pub marked: bool,
}

/// Joins parts.
pub struct Parts {
    table: Table<Text>,
    pool: Pool,
    scanner: u64,
}

impl Parts {
    /// Takes all its memory now.
    pub fn new(limits: Limits) -> Self {
        Self { table: Table::new(limits), pool: Pool::new(limits.octets, PART), scanner: 0 }
    }

    /// The number of the scanner that looks at what is joined from now on: of what another one saw nothing is known.
    pub const fn under(&mut self, scanner: u64) -> &mut Self {
        self.scanner = scanner;
        self
    }

    /// What became of the texts.
    pub const fn counts(&self) -> &Counts {
        &self.table.counts
    }

    /// Counts the texts that lack parts. Called once, at the end of the source.
    pub fn finish(&mut self) {
        self.table.finish();
    }

    /// The identity of a text: recipient (empty within a correlation-id range), originator, service-centre group, reference and total.
    pub fn key(secret: Secret, recipient: &[u8], originator: &[u8], group: &[u8], reference: u16, total: u8) -> Key {
        let [low, high] = reference.to_le_bytes();
        secret.key(&[originator], &[recipient, group, &[low, high, total]])
    }

    /// Adds a part and leaves in `out` the text of the unbroken run of parts around it. `out` never grows beyond its capacity.
    pub fn join(&mut self, key: Key, now: u64, part: Part, text: &str, halves: Halves, out: &mut String) -> Joined {
        let Self { table, pool, scanner } = self;
        let (entry, counts) = table.entry(key, now, |old| pool.free(old.chain));
        let place = u32::from(part.seq);
        let tag = Tag { place, marks: marks(halves) };
        let mut come = pool.pieces(entry.chain).position(|(known, octets)| known == tag && octets == text.as_bytes());
        if come.is_none() && entry.chain.len() >= 2 * usize::from(part.total) {
            // Every part came twice, differently: nobody's text any more.
            pool.free(core::mem::take(&mut entry.chain));
            (entry.contradicted, entry.marked) = (false, false);
        }
        let repeat = come.is_some();
        if come.is_none() {
            let differs = pool.at(entry.chain, place).is_some();
            if differs && entry.whole {
                // The reference is used again for the next text.
                pool.free(core::mem::take(&mut entry.chain));
                (entry.contradicted, entry.marked) = (false, false);
            } else if differs {
                entry.contradicted = true;
                counts.contradicted += 1;
            }
            entry.whole = false;
            if entry.chain.is_empty() {
                entry.scanner = *scanner;
            }
            if !pool.push(&mut entry.chain, tag, text.as_bytes()) {
                counts.no_room += 1;
                out.clear();
                push(out, text);
                return Joined { end: out.len(), seen: 1, alone: true, ..Joined::default() };
            }
            come = Some(entry.chain.len() - 1);
        }
        let arrived = come.unwrap_or(0) + 1;
        let mut joined = run(pool, entry.chain, arrived, part, false, out);
        joined.repeat = repeat;
        joined.contradicted = entry.contradicted;
        joined.marked = entry.marked || entry.scanner != *scanner;
        if joined.whole && !repeat && !entry.whole {
            entry.whole = true;
            counts.completed += 1;
        }
        joined
    }

    /// A link may hang in the text: from now on each part that comes is looked at together with all others.
    pub fn mark(&mut self, key: Key, now: u64) {
        if let Some(entry) = self.table.find(key.id, now) {
            entry.marked = true;
        }
    }

    /// The run around the part once more, with the copy that came first wherever two came under one number.
    pub fn earlier(&mut self, key: Key, now: u64, part: Part, out: &mut String) -> Joined {
        let Self { table, pool, .. } = self;
        let Some(entry) = table.find(key.id, now) else { return Joined::default() };
        run(pool, entry.chain, entry.chain.len(), part, true, out)
    }
}

/// The text of the unbroken run of parts around `part` among the first `arrived` pieces.
fn run(pool: &Pool, chain: Chain, arrived: usize, part: Part, earlier: bool, out: &mut String) -> Joined {
    // The last copy of each number that had arrived (the first one for `earlier`).
    let copy = |seq: u8| {
        let mut copies = pool.pieces(chain).take(arrived).filter(move |(tag, _)| tag.place == u32::from(seq));
        if earlier { copies.next() } else { copies.last() }
    };
    let mut present = [false; 256];
    // Nearly always they come in their order: then the chain is the run.
    let (mut in_order, mut before) = (true, None);
    for (tag, _) in pool.pieces(chain).take(arrived) {
        if let Some(slot) = present.get_mut(tag.place as usize) {
            *slot = true;
        }
        in_order &= before.map_or(tag.place > 0, |before| tag.place == before + 1) && tag.place <= u32::from(part.total);
        before = Some(tag.place);
    }
    let here = |seq: u8| present.get(usize::from(seq)).is_some_and(|&p| p);
    let mut first = part.seq;
    while first > 1 && here(first - 1) {
        first -= 1;
    }
    let mut last = part.seq;
    while last < part.total && here(last + 1) {
        last += 1;
    }
    out.clear();
    let mut joined = Joined::default();
    let mut high = None;
    let mut add = |(tag, octets): (Tag, &[u8])| {
        let halves = halves(tag.marks);
        let mut text = simdutf8::basic::from_utf8(octets).unwrap_or_default();
        let is_own = tag.place == u32::from(part.seq);
        if is_own {
            joined.start = out.len();
        }
        if let (Some(high), Some(low)) = (high, halves.leading)
            && let Some(Ok(whole)) = char::decode_utf16([high, low]).next()
        {
            // Each half was shown as U+FFFD: the pair takes the place of both.
            out.pop();
            text = text.strip_prefix('\u{fffd}').unwrap_or(text);
            if out.len() + whole.len_utf8() <= out.capacity() {
                out.push(whole);
            }
            joined.start = joined.start.min(out.len().saturating_sub(whole.len_utf8()));
        }
        push(out, text);
        if is_own {
            joined.end = out.len();
        }
        high = halves.trailing;
    };
    if in_order {
        pool.pieces(chain).take(arrived).for_each(&mut add);
    } else {
        (first..=last).map_while(copy).for_each(&mut add);
    }
    joined.seen = u8::try_from(present.iter().filter(|&&p| p).count()).unwrap_or(u8::MAX);
    joined.whole = first == 1 && last == part.total;
    joined
}

fn push(out: &mut String, text: &str) {
    if out.len() + text.len() <= out.capacity() {
        out.push_str(text);
    }
}

fn marks(halves: Halves) -> u32 {
    u32::from(halves.leading.unwrap_or(0)) | u32::from(halves.trailing.unwrap_or(0)) << 16
}

fn halves(marks: u32) -> Halves {
    let half = |bits: u32| u16::try_from(bits & 0xffff).ok().filter(|&unit| unit != 0);
    Halves { leading: half(marks), trailing: half(marks >> 16) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> (Parts, Key, String) {
        let limits = Limits { entries: 16, octets: 1 << 16, age_ns: 100 };
        (Parts::new(limits), Parts::key(Secret(3), b"imsi", b"sender", b"", 7, 3), String::with_capacity(4096))
    }

    #[test]
    fn parts_out_of_order_join_and_the_last_to_come_has_the_whole_text() {
        let (mut parts, key, mut out) = parts();
        let mut put = |seq, text| {
            let joined = parts.join(key, 0, Part { total: 3, seq }, text, Halves::default(), &mut out);
            (out.clone(), joined.start..joined.end, joined.seen, joined.whole, joined.repeat)
        };
        assert_eq!(put(3, "three"), ("three".into(), 0..5, 1, false, false));
        assert_eq!(put(1, "one "), ("one ".into(), 0..4, 2, false, false));
        assert_eq!(put(2, "two "), ("one two three".into(), 4..8, 3, true, false));
        // A repetition sees what it saw the first time.
        assert_eq!(put(1, "one "), ("one ".into(), 0..4, 2, false, true));
        assert_eq!(put(2, "two "), ("one two three".into(), 4..8, 3, true, true));
    }

    #[test]
    fn a_reference_used_again_begins_a_new_text() {
        let (mut parts, key, mut out) = parts();
        for text in ["a", "b"] {
            for seq in 1..=3 {
                let joined = parts.join(key, 0, Part { total: 3, seq }, text, Halves::default(), &mut out);
                assert_eq!(joined.whole, seq == 3);
            }
            assert_eq!(out, text.repeat(3));
        }
        assert_eq!(parts.counts().completed, 2);
    }

    #[test]
    fn two_copies_of_a_part_are_both_looked_at() {
        let (mut parts, key, mut out) = parts();
        let mut put = |seq, text| parts.join(key, 0, Part { total: 3, seq }, text, Halves::default(), &mut out);
        put(1, "evil.c");
        put(1, "good.n");
        assert!(put(2, "om/x").contradicted);
        assert_eq!(out, "good.nom/x");
        parts.earlier(key, 0, Part { total: 3, seq: 2 }, &mut out);
        assert_eq!(out, "evil.com/x");
    }

    #[test]
    fn a_mark_stays_with_its_text_and_goes_with_it() {
        let (mut parts, key, mut out) = parts();
        let mut put = |parts: &mut Parts, seq, text: &str| {
            parts.join(key, 0, Part { total: 3, seq }, text, Halves::default(), &mut out).marked
        };
        assert!(!put(&mut parts, 1, "a"));
        parts.mark(key, 0);
        assert!(put(&mut parts, 2, "b") && put(&mut parts, 3, "c") && put(&mut parts, 1, "a"));
        // The next text under the same reference.
        assert!(!put(&mut parts, 1, "d"));
        assert!(put(parts.under(1), 2, "e") && !put(parts.under(0), 2, "e"));
    }

    #[test]
    fn a_surrogate_pair_cut_by_the_parts_is_one_character_again() {
        let (mut parts, key, mut out) = parts();
        parts.join(key, 0, Part { total: 3, seq: 1 }, "a\u{fffd}", Halves { leading: None, trailing: Some(0xd83d) }, &mut out);
        let joined = parts.join(
            key,
            0,
            Part { total: 3, seq: 2 },
            "\u{fffd}b",
            Halves { leading: Some(0xde00), trailing: None },
            &mut out,
        );
        assert_eq!(out, "a😀b");
        assert_eq!((joined.start, joined.end), (1, 6));
    }

    #[test]
    fn a_full_pool_leaves_the_part_alone() {
        let mut parts = Parts::new(Limits { entries: 16, octets: 512, age_ns: 100 });
        let (key, mut out) = (Parts::key(Secret(3), b"imsi", b"sender", b"", 7, 2), String::with_capacity(4096));
        parts.join(key, 0, Part { total: 2, seq: 1 }, "one", Halves::default(), &mut out);
        let joined = parts.join(key, 0, Part { total: 2, seq: 2 }, "two", Halves::default(), &mut out);
        assert!(joined.alone && out == "two" && parts.counts().no_room == 1);
    }
}
