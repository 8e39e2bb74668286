//! Associations, one entry a direction: which addresses belong to it, and which TSNs were seen with which content.
//!
//! A direction is a verification tag, two ports and the addresses learned: from INIT, INIT ACK and ASCONF, or by use. A capture may
//! start in the middle, so an unknown direction is an entry at once. Tags may repeat between hosts: equal tag and ports without a
//! common address are two directions, unless the TSN continues the one that is known (a path that failed over before we looked).

use core::hash::{BuildHasher as _, Hasher as _};
use core::net::IpAddr;

use super::ip::octets;

/// TSNs remembered a direction: a power of two, some seconds of a busy link.
const WINDOW: usize = 1024;
/// Addresses kept a direction, both ends together.
const ADDRESSES: usize = 16;
/// Entries of a set.
const WAYS: usize = 4;
/// How far a TSN may lie from the last one to continue a direction that shows a new pair of addresses.
const NEAR: u32 = 4096;

/// What is known of a TSN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Not seen before, as far as the window reaches.
    First,
    /// The same TSN with the same content: a retransmission.
    Repeat,
    /// The same TSN with other content. The receiver keeps the copy that came first; both are judged.
    Differs,
}

/// What a packet shows of its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// SCTP source port.
    pub source_port: u16,
    /// SCTP destination port.
    pub destination_port: u16,
    /// Verification tag.
    pub verification_tag: u32,
    /// Its checksum does not hold: such packets are a direction of their own, so that none makes a sound one look like a repetition.
    pub damaged: bool,
}

struct Direction {
    name: u64,
    id: u64,
    last_tsn: u32,
    touched: u64,
    used: bool,
    /// The path that was seen last, and whose addresses are known: nearly every packet comes over it.
    path: Option<Flow>,
    addresses: [u64; ADDRESSES],
    next_address: usize,
}

impl Direction {
    fn knows(&self, source: u64, destination: u64) -> bool {
        self.addresses.iter().any(|&address| address == source || address == destination)
    }

    fn learn(&mut self, address: u64) {
        if !self.addresses.contains(&address) {
            if let Some(slot) = self.addresses.get_mut(self.next_address) {
                *slot = address;
            }
            self.next_address = (self.next_address + 1) % ADDRESSES;
            // It may have taken the place of one of the path's.
            self.path = None;
        }
    }
}

/// The table of directions.
pub struct Associations {
    directions: Box<[Direction]>,
    /// [`WINDOW`] digests of each direction. Those of directions that were never used are never touched.
    windows: Box<[u64]>,
    sets: u64,
    next_id: u64,
    /// Directions that made room for a newer one.
    pub evicted: u64,
    /// Directions begun.
    pub begun: u64,
}

impl Associations {
    /// Takes all its memory now: some 8 kB a direction.
    pub fn new(entries: usize) -> Self {
        let sets = entries.div_ceil(WAYS).next_power_of_two();
        let direction = || Direction {
            name: 0,
            id: 0,
            last_tsn: 0,
            touched: 0,
            used: false,
            path: None,
            addresses: [0; ADDRESSES],
            next_address: 0,
        };
        Self {
            directions: (0..sets * WAYS).map(|_| direction()).collect(),
            windows: vec![0; sets * WAYS * WINDOW].into(),
            sets: sets as u64,
            next_id: 1,
            evicted: 0,
            begun: 0,
        }
    }

    /// The direction of a flow, and the window that goes with it.
    fn direction(&mut self, flow: &Flow, tsn: Option<u32>, now: u64) -> Option<(&mut Direction, &mut [u64])> {
        let name = name(flow);
        let first = usize::try_from(name.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & (self.sets - 1)).unwrap_or(0) * WAYS;
        let set = self.directions.get_mut(first..first + WAYS)?;
        // Only a direction in use has a path.
        if let Some(way) = set.iter().position(|d| d.name == name && d.path.as_ref() == Some(flow)) {
            let direction = set.get_mut(way)?;
            direction.touched = now;
            return Some((direction, window(&mut self.windows, first + way)?));
        }
        let (source, destination) = (hash(flow.source), hash(flow.destination));
        let near = |d: &Direction| tsn.is_some_and(|tsn| tsn.wrapping_sub(d.last_tsn).wrapping_add(NEAR) < 2 * NEAR);
        let known = set
            .iter()
            .position(|d| d.used && d.name == name && d.knows(source, destination))
            .or_else(|| set.iter().position(|d| d.used && d.name == name && near(d)));
        let way = known.or_else(|| set.iter().enumerate().min_by_key(|(_, d)| (d.used, d.touched)).map(|(way, _)| way))?;
        let direction = set.get_mut(way)?;
        let window = window(&mut self.windows, first + way)?;
        if known.is_none() {
            self.evicted += u64::from(direction.used);
            self.begun += 1;
            direction.name = name;
            direction.id = self.next_id;
            direction.used = true;
            direction.path = None;
            direction.addresses = [0; ADDRESSES];
            direction.next_address = 0;
            window.fill(0);
            self.next_id += 1;
        }
        direction.learn(source);
        direction.learn(destination);
        direction.path = Some(*flow);
        direction.touched = now;
        Some((direction, window))
    }

    /// The number of the packet's direction, and whether this TSN was seen with this content.
    pub fn seen(&mut self, flow: &Flow, tsn: u32, content: &[u8], now: u64) -> (u64, Seen) {
        let Some((direction, window)) = self.direction(flow, Some(tsn), now) else { return (0, Seen::First) };
        direction.last_tsn = tsn;
        // The low bit tells a used slot from an empty one.
        let digest = u64::from(tsn) << 32 | digest(content) & 0xffff_ffff | 1;
        let id = direction.id;
        let Some(slot) = window.get_mut(tsn as usize % WINDOW) else { return (id, Seen::First) };
        let seen = if *slot == digest {
            Seen::Repeat
        } else if *slot >> 32 == u64::from(tsn) && *slot != 0 {
            Seen::Differs
        } else {
            *slot = digest;
            Seen::First
        };
        (id, seen)
    }

    /// An INIT or INIT ACK from `flow`: packets towards its sender will carry `initiate_tag`, to any of `addresses`.
    pub fn init(&mut self, flow: &Flow, initiate_tag: u32, addresses: impl Iterator<Item = IpAddr>, now: u64) {
        let back = Flow {
            source: flow.destination,
            destination: flow.source,
            source_port: flow.destination_port,
            destination_port: flow.source_port,
            verification_tag: initiate_tag,
            damaged: flow.damaged,
        };
        let Some((direction, _)) = self.direction(&back, None, now) else { return };
        addresses.take(ADDRESSES).for_each(|address| direction.learn(hash(address)));
    }

    /// An ASCONF from `flow` that adds `addresses` to its sender.
    pub fn add(&mut self, flow: &Flow, addresses: impl Iterator<Item = IpAddr>, now: u64) {
        let Some((direction, _)) = self.direction(flow, None, now) else { return };
        addresses.take(ADDRESSES).for_each(|address| direction.learn(hash(address)));
    }
}

/// A digest of some content. Not keyed: who forges a copy of another's TSN has it judged all the same, and recorded as a repetition.
#[inline]
fn digest(content: &[u8]) -> u64 {
    let mut hasher = foldhash::fast::FixedState::default().build_hasher();
    hasher.write(content);
    hasher.finish()
}

fn window(windows: &mut [u64], direction: usize) -> Option<&mut [u64]> {
    windows.get_mut(direction * WINDOW..(direction + 1) * WINDOW)
}

fn name(flow: &Flow) -> u64 {
    let name = u64::from(flow.verification_tag) << 32 | u64::from(flow.source_port) << 16 | u64::from(flow.destination_port);
    if flow.damaged { !name } else { name }
}

fn hash(address: IpAddr) -> u64 {
    let mut room = [0; 16];
    xxhash_rust::xxh3::xxh3_64(octets(address, &mut room)) | 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(source: u8, destination: u8) -> Flow {
        let address = |n| IpAddr::from([192, 0, 2, n]);
        Flow {
            source: address(source),
            destination: address(destination),
            source_port: 2905,
            destination_port: 2905,
            verification_tag: 77,
            damaged: false,
        }
    }

    #[test]
    fn a_retransmission_on_another_path_is_one_and_other_content_is_told_apart() {
        let mut associations = Associations::new(16);
        let (id, seen) = associations.seen(&flow(1, 2), 5, b"a", 0);
        assert_eq!(seen, Seen::First);
        assert_eq!(associations.seen(&flow(1, 3), 5, b"a", 0), (id, Seen::Repeat));
        assert_eq!(associations.seen(&flow(1, 2), 5, b"b", 0), (id, Seen::Differs));
        assert_eq!(associations.seen(&flow(1, 2), 6, b"a", 0), (id, Seen::First));
    }

    #[test]
    fn equal_tags_between_other_hosts_are_another_direction() {
        let mut associations = Associations::new(16);
        let (id, _) = associations.seen(&flow(1, 2), 5, b"a", 0);
        let (other, seen) = associations.seen(&flow(8, 9), 900_000, b"a", 0);
        assert!(other != id && seen == Seen::First);
    }

    #[test]
    fn addresses_of_init_tie_paths_that_share_no_address() {
        let mut associations = Associations::new(16);
        associations.init(&flow(2, 1), 77, [IpAddr::from([192, 0, 2, 4])].into_iter(), 0);
        let (id, _) = associations.seen(&flow(1, 2), 5, b"a", 0);
        assert_eq!(associations.seen(&flow(3, 4), 5, b"a", 0), (id, Seen::Repeat));
    }

    #[test]
    fn a_path_that_failed_over_unseen_goes_on_by_its_tsn() {
        let mut associations = Associations::new(16);
        let (id, _) = associations.seen(&flow(1, 2), u32::MAX, b"a", 0);
        assert_eq!(associations.seen(&flow(8, 9), 3, b"b", 0), (id, Seen::First));
    }
}
