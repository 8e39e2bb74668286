//! Counters for every way out. At each level what came in equals what went on plus what left, and a test holds the sums together.

use core::fmt;

use protocols::{Error, Layer};

use crate::policy::Direction;
use crate::verdict::Verdict;

/// Distinct ways out that one level keeps apart; what is beyond counts as `other`.
const WAYS_OUT: usize = 96;

/// Places of the shortcut from a label's address to its way.
const SHORTCUTS: usize = 64;

/// Ways out of one level, by layer and reason.
#[derive(Clone)]
pub struct Tally {
    ways: [(Layer, &'static str, u64); WAYS_OUT],
    len: usize,
    other: u64,
    /// Which way a label of this address was found to be: a label is a constant, so it has the same address nearly every time.
    shortcuts: [u8; SHORTCUTS],
}

impl Default for Tally {
    fn default() -> Self {
        Self { ways: [(Layer::Link, "", 0); WAYS_OUT], len: 0, other: 0, shortcuts: [u8::MAX; SHORTCUTS] }
    }
}

/// What was counted; where its labels lie is of no account.
impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Tally {
    /// One more left this way.
    #[inline]
    pub fn add(&mut self, layer: Layer, label: &'static str) {
        self.add_many(layer, label, 1);
    }

    /// So many more left this way.
    #[inline]
    pub fn add_many(&mut self, layer: Layer, label: &'static str, n: u64) {
        let shortcut = self.shortcuts.get(shortcut(layer, label)).copied().unwrap_or(u8::MAX);
        match self.ways.get_mut(usize::from(shortcut)) {
            Some((known, name, count)) if *known == layer && core::ptr::eq(*name, label) => *count += n,
            _ => self.search(layer, label, n),
        }
    }

    #[inline(never)]
    fn search(&mut self, layer: Layer, label: &'static str, n: u64) {
        let known = self.ways.iter().take(self.len).position(|(l, name, _)| *l == layer && *name == label);
        let way = known.unwrap_or(self.len);
        let Some((found, name, count)) = self.ways.get_mut(way) else {
            self.other += n;
            return;
        };
        // Equal labels of other addresses take turns, which costs a search each.
        (*found, *name) = (layer, label);
        *count += n;
        self.len = self.len.max(way + 1);
        if let (Some(place), Ok(way)) = (self.shortcuts.get_mut(shortcut(layer, label)), u8::try_from(way)) {
            *place = way;
        }
    }

    /// An error's layer and reason.
    pub fn error(&mut self, error: Error) {
        self.add(error.layer, error.why.label());
    }

    /// All ways, in the order in which they were first taken.
    pub fn iter(&self) -> impl Iterator<Item = (Layer, &'static str, u64)> {
        let other = (self.other > 0).then_some((Layer::Link, "other", self.other));
        self.ways.iter().take(self.len).copied().chain(other)
    }

    /// All that left.
    pub fn sum(&self) -> u64 {
        self.iter().map(|(_, _, n)| n).sum()
    }

    /// How many left this way.
    pub fn of(&self, layer: Layer, label: &str) -> u64 {
        self.iter().filter(|&(l, name, _)| l == layer && name == label).map(|(_, _, n)| n).sum()
    }

    fn merge(&mut self, from: &Self) {
        for (layer, label, n) in from.iter() {
            self.add_many(layer, label, n);
        }
    }
}

/// The place of a label's shortcut.
#[inline]
fn shortcut(layer: Layer, label: &'static str) -> usize {
    let address = label.as_ptr() as usize;
    (address ^ address >> 6 ^ label.len() ^ (layer as usize) << 2) % SHORTCUTS
}

/// One level: what came in, what went on to the next level, what left here.
#[derive(Clone, Debug, Default)]
pub struct Level {
    /// Came in.
    pub seen: u64,
    /// Went on.
    pub on: u64,
    /// Left, by reason.
    pub out: Tally,
}

impl Level {
    /// Whether the sums agree.
    pub fn agrees(&self) -> bool {
        self.seen == self.on + self.out.sum()
    }
}

/// Everything that is counted on the way of a frame.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Frames; they go on as SCTP packets or bare MTP messages.
    pub frames: Level,
    /// Octets of those frames.
    pub octets: u64,
    /// SCTP chunks; they go on as user messages of a signalling adaptation.
    pub chunks: Level,
    /// Messages of M3UA, M2PA, M2UA, SUA, MTP3, SCCP; they go on as TCAP messages.
    pub messages: Level,
    /// TCAP messages; they go on when they hold components.
    pub transactions: Level,
    /// Components; they go on as short messages.
    pub components: Level,
    /// Short messages; they go on when a record was made of them.
    pub sms: Level,
    /// Short messages by verdict, in the order none, safe, unknown, dangerous.
    pub verdicts: [u64; 4],
    /// Short messages by direction: to phones (MT), from phones (MO).
    pub directions: [u64; 2],
    /// Short messages that are parts of longer texts.
    pub in_parts: u64,
    /// URLs by verdict, each with the parts of its text that it stands in, in the same order (`none` counts bindings and low-confidence forms that nothing is known of).
    pub urls: [u64; 4],
    /// Short messages by what was done, see [`crate::policy::Action`].
    pub actions: Tally,
    /// Short messages that would have been changed and were not, by the bound that stopped it.
    pub unfit: Tally,
    /// Unknown links that passed unmarked because the operator wrote so.
    pub unwarned: u64,
    /// Frames that left changed.
    pub rewritten_frames: u64,
    /// Packets that left as two because they outgrew the MTU.
    pub split_packets: u64,
    /// Packets that left as they came because changed they would have outgrown the MTU, even as two.
    pub outgrown_packets: u64,
    /// Messages that repeat one seen before (same TSN, same content).
    pub retransmitted: u64,
    /// Chunks that carry another content under a TSN seen before.
    pub differing_copies: u64,
    /// Packets by their SCTP checksum: good, bad, zero.
    pub sums: [u64; 3],
    /// Frames that the capture cut short of their length.
    pub cut: u64,
    /// Oddities that were read all the same, by name.
    pub oddities: Tally,
}

impl Counters {
    /// Whether the sums agree at every level.
    pub fn agree(&self) -> bool {
        [&self.frames, &self.chunks, &self.messages, &self.transactions, &self.components, &self.sms]
            .into_iter()
            .all(Level::agrees)
    }

    /// A short message that was judged: counted once, and by itself where it repeats one.
    #[inline]
    pub(crate) fn message(&mut self, direction: Direction, verdict: Verdict, action: &'static str, repeat: bool) {
        if repeat {
            self.sms.out.add(Layer::Sms, "seen before");
            return;
        }
        self.sms.on += 1;
        if let Some(count) = self.verdicts.get_mut(verdict as usize) {
            *count += 1;
        }
        let [mt, mo] = &mut self.directions;
        *if direction == Direction::Mt { mt } else { mo } += 1;
        self.actions.add(Layer::Sms, action);
    }

    /// Adds another lane's.
    pub fn merge(&mut self, from: &Self) {
        for (to, from) in [
            (&mut self.frames, &from.frames),
            (&mut self.chunks, &from.chunks),
            (&mut self.messages, &from.messages),
            (&mut self.transactions, &from.transactions),
            (&mut self.components, &from.components),
            (&mut self.sms, &from.sms),
        ] {
            to.seen += from.seen;
            to.on += from.on;
            to.out.merge(&from.out);
        }
        for (to, from) in
            [(&mut self.actions, &from.actions), (&mut self.unfit, &from.unfit), (&mut self.oddities, &from.oddities)]
        {
            to.merge(from);
        }
        for (to, from) in self.verdicts.iter_mut().chain(&mut self.urls).zip(from.verdicts.iter().chain(&from.urls)) {
            *to += from;
        }
        for (to, from) in self.sums.iter_mut().zip(from.sums) {
            *to += from;
        }
        for (to, from) in self.directions.iter_mut().zip(from.directions) {
            *to += from;
        }
        self.in_parts += from.in_parts;
        self.octets += from.octets;
        self.unwarned += from.unwarned;
        self.rewritten_frames += from.rewritten_frames;
        self.split_packets += from.split_packets;
        self.outgrown_packets += from.outgrown_packets;
        self.retransmitted += from.retransmitted;
        self.differing_copies += from.differing_copies;
        self.cut += from.cut;
    }
}

#[cfg(test)]
mod tests {
    use protocols::Why;

    use super::*;

    #[test]
    fn a_level_agrees_when_all_that_came_in_went_on_or_left() {
        let mut level = Level { seen: 3, on: 1, ..Level::default() };
        level.out.error(Error::new(Layer::Sctp, 2, Why::truncated(4, 1)));
        assert!(!level.agrees());
        level.out.error(Error::new(Layer::Sctp, 9, Why::truncated(400, 1)));
        assert!(level.agrees());
        assert_eq!(level.out.of(Layer::Sctp, "truncated"), 2);
    }

    #[test]
    fn equal_labels_are_one_way_wherever_they_lie_and_layers_stay_apart() {
        let mut tally = Tally::default();
        let copies: Vec<&'static str> = (0..8).map(|_| &*Box::leak(String::from("Abort").into_boxed_str())).collect();
        for _ in 0..10 {
            copies.iter().for_each(|label| tally.add(Layer::Tcap, label));
            copies.iter().for_each(|label| tally.add_many(Layer::Sctp, label, 2));
        }
        let ways: Vec<_> = tally.iter().collect();
        assert_eq!(ways, [(Layer::Tcap, "Abort", 80), (Layer::Sctp, "Abort", 160)]);
    }

    #[test]
    fn nothing_is_lost_when_the_ways_run_out() {
        let mut tally = Tally::default();
        let names: Vec<&'static str> = (0..200).map(|n| &*Box::leak(format!("way {n}").into_boxed_str())).collect();
        names.iter().for_each(|name| tally.add(Layer::Map, name));
        assert_eq!(tally.sum(), 200);
    }
}
