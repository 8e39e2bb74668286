//! pcapng: blocks, each with its length at both ends.
//!
//! ```text
//! type 4 | total length 4 | body, padded to 4 | total length 4
//! 0a0d0d0a section: byte-order magic, version, length; options      00000001 interface: link type, snap length; options
//! 00000006 enhanced packet   00000003 simple packet   00000002 packet (obsolete)    all others are passed over and counted
//! ```

use super::error::Cause;
use super::pcap::cut;
use super::source::Source;
use super::{Found, Interface, MAX_BLOCK, MAX_INTERFACES, MAX_PACKET, Order, Stop};

const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// Type, length, length again.
const FRAMING: usize = 12;

pub(super) fn is_pcapng(bytes: &[u8]) -> bool {
    bytes.starts_with(&SECTION)
}

/// How an interface's ticks become nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// Ticks times this.
    Times(u64),
    /// Ticks divided by this (finer than nanoseconds).
    Over(u64),
    /// Ticks of 2⁻ⁿ s.
    Binary(u32),
}

impl Unit {
    /// Option if_tsresol: a power of ten, or of two with the top bit.
    fn of(resolution: u8) -> Self {
        let n = u32::from(resolution & 0x7f);
        match (resolution & 0x80 != 0, 10u64.checked_pow(n.abs_diff(9))) {
            (true, _) => Self::Binary(n),
            (false, Some(factor)) if n <= 9 => Self::Times(factor),
            (false, Some(factor)) => Self::Over(factor),
            (false, None) => Self::Over(u64::MAX),
        }
    }

    fn nanoseconds(self, ticks: u64) -> Option<u64> {
        match self {
            Self::Times(factor) => ticks.checked_mul(factor),
            Self::Over(factor) => Some(ticks / factor),
            Self::Binary(bits) => u64::try_from((u128::from(ticks) * 1_000_000_000).checked_shr(bits).unwrap_or(0)).ok(),
        }
    }
}

/// What the packets of one interface need.
#[derive(Clone, Copy, Debug)]
struct Port {
    link_type: u32,
    snaplen: u32,
    unit: Unit,
    /// Option if_tsoffset, in nanoseconds.
    shift_ns: i128,
}

impl Port {
    fn time(&self, high: u32, low: u32) -> Option<u64> {
        let time = self.unit.nanoseconds(u64::from(high) << 32 | u64::from(low))?;
        if self.shift_ns == 0 { Some(time) } else { u64::try_from(i128::from(time) + self.shift_ns).ok() }
    }
}

/// State of the section being read.
#[derive(Default)]
pub(super) struct PcapNg {
    order: Option<Order>,
    ports: Vec<Port>,
    /// Interfaces of the sections before.
    base: u32,
}

impl PcapNg {
    pub(super) fn next(
        &mut self,
        source: &mut Source,
        interfaces: &mut Vec<Interface>,
        skipped: &mut u64,
    ) -> Result<Option<Found>, Stop> {
        loop {
            let at = source.offset();
            if !source.want(FRAMING) {
                let have = source.bytes().len();
                return match source.failure() {
                    Some(cause) => Err(Stop::last(at, cause)),
                    None if have == 0 => Ok(None),
                    None => Err(Stop::last(at, cut("a block header", FRAMING, have))),
                };
            }
            let Some(&[k0, k1, k2, k3, l0, l1, l2, l3, m0, m1, m2, m3]) = source.bytes().first_chunk() else { return Ok(None) };
            if [k0, k1, k2, k3] == SECTION {
                self.order = Some(
                    order([m0, m1, m2, m3])
                        .ok_or_else(|| Stop::last(at + 8, Cause::ByteOrder(u32::from_be_bytes([m0, m1, m2, m3]))))?,
                );
            }
            let order = self.order.unwrap_or(Order::Little);
            let (kind, total) = (order.u32([k0, k1, k2, k3]), order.u32([l0, l1, l2, l3]));
            let (part, min) = match kind {
                0x0a0d_0d0a => ("a section header", 28),
                1 => ("an interface description", 20),
                6 => ("an enhanced packet block", 32),
                2 => ("a packet block", 32),
                3 => ("a simple packet block", 16),
                _ => ("a block", 12),
            };
            let len = u64::from(total);
            if len < min {
                return Err(Stop::last(at, Cause::TooShort { part, len, min }));
            }
            if min == 12 {
                pass_over(source, at, total, order)?;
                *skipped += 1;
                continue;
            }
            if total > MAX_BLOCK {
                return Err(Stop::last(at, Cause::TooLong { part, len, max: u64::from(MAX_BLOCK) }));
            }
            let whole = total as usize;
            if !source.want(whole) {
                let have = source.bytes().len();
                return Err(Stop::last(at, source.failure().unwrap_or_else(|| cut(part, whole, have))));
            }
            let block = source.bytes().get(..whole).unwrap_or_default();
            if let Some(&last) = block.last_chunk() {
                same_length(at, total, order.u32(last))?;
            }
            let body = block.get(8..whole - 4).unwrap_or_default();
            let result = match kind {
                0x0a0d_0d0a => self.section(order, body, interfaces).map(|()| None),
                1 => self.interface(order, body, interfaces).map(|()| None),
                _ => self.packet(kind, order, body, whole).map(Some),
            };
            match result {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => source.advance(whole),
                Err(cause) => {
                    source.advance(whole);
                    let goes_on = !matches!(cause, Cause::Version(..) | Cause::TooManyInterfaces(_));
                    return Err(Stop { offset: at, cause, goes_on });
                }
            }
        }
    }

    fn section(&mut self, order: Order, body: &[u8], interfaces: &[Interface]) -> Result<(), Cause> {
        self.ports.clear();
        self.base = u32::try_from(interfaces.len()).unwrap_or(u32::MAX);
        let &[_, _, _, _, a0, a1, i0, i1, ..] = body else { return Ok(()) };
        match (order.u16([a0, a1]), order.u16([i0, i1])) {
            (1, _) => Ok(()),
            (major, minor) => Err(Cause::Version("pcapng", major, minor)),
        }
    }

    fn interface(&mut self, order: Order, body: &[u8], interfaces: &mut Vec<Interface>) -> Result<(), Cause> {
        let Some((&[t0, t1, _, _, s0, s1, s2, s3], options)) = body.split_first_chunk() else { return Ok(()) };
        if interfaces.len() >= MAX_INTERFACES {
            return Err(Cause::TooManyInterfaces(MAX_INTERFACES));
        }
        let (link_type, snaplen) = (u32::from(order.u16([t0, t1])), order.u32([s0, s1, s2, s3]));
        let mut port = Port { link_type, snaplen, unit: Unit::of(6), shift_ns: 0 };
        for (code, value) in Options(order, options) {
            match (code, value) {
                (9, &[resolution, ..]) => port.unit = Unit::of(resolution),
                (14, &[a, b, c, d, e, f, g, h]) => {
                    let octets = [a, b, c, d, e, f, g, h];
                    let seconds = if order == Order::Big { i64::from_be_bytes(octets) } else { i64::from_le_bytes(octets) };
                    port.shift_ns = i128::from(seconds) * 1_000_000_000;
                }
                _ => {}
            }
        }
        self.ports.push(port);
        interfaces.push(Interface { link_type, snaplen });
        Ok(())
    }

    fn packet(&self, kind: u32, order: Order, body: &[u8], whole: usize) -> Result<Found, Cause> {
        let word = |at: usize| body.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |&b| order.u32(b));
        let half = |at: usize| body.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |&b| u32::from(order.u16(b)));
        let named = match kind {
            6 => word(0),
            2 => half(0),
            _ => 0,
        };
        let declared = self.ports.len();
        let port = self.ports.get(named as usize).ok_or(Cause::NoSuchInterface { named, declared })?;
        let (head, captured, original_len, time_ns) = if kind == 3 {
            let (original, snap) = (word(0), if port.snaplen == 0 { u32::MAX } else { port.snaplen });
            // No captured length here: the block ends in up to three octets of padding, and only the least of these bounds is right.
            let room = u32::try_from(body.len().saturating_sub(4)).unwrap_or(u32::MAX);
            (4, original.min(snap).min(room), original, None)
        } else {
            (20, word(12), word(16), port.time(word(4), word(8)))
        };
        let room = body.len().saturating_sub(head).min(MAX_PACKET as usize);
        let len = captured as usize;
        if len > room {
            return Err(Cause::TooLong { part: "a packet", len: u64::from(captured), max: room as u64 });
        }
        let interface = self.base.saturating_add(named);
        Ok(Found { time_ns, interface, link_type: port.link_type, original_len, head: 8 + head, len, whole })
    }
}

fn order(magic: [u8; 4]) -> Option<Order> {
    match magic {
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(Order::Big),
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(Order::Little),
        _ => None,
    }
}

/// A block that nobody here reads, of any length, without holding it.
fn pass_over(source: &mut Source, at: u64, total: u32, order: Order) -> Result<(), Stop> {
    let found = source.skip(u64::from(total) - 4);
    let Some(&last) = source.array::<4>() else {
        let missing = u64::from(total).saturating_sub(found + source.bytes().len() as u64);
        let cause = source.failure().unwrap_or(Cause::Cut { part: "a block", whole: u64::from(total), missing });
        return Err(Stop::last(at, cause));
    };
    same_length(at, total, order.u32(last))?;
    source.advance(4);
    Ok(())
}

fn same_length(at: u64, first: u32, last: u32) -> Result<(), Stop> {
    if first != last || !first.is_multiple_of(4) {
        return Err(Stop::last(at, Cause::LengthsDiffer { first, last }));
    }
    Ok(())
}

/// Options of a block: code, length, value padded to 4. What does not fit ends them.
struct Options<'a>(Order, &'a [u8]);

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[c0, c1, l0, l1], rest) = self.1.split_first_chunk()?;
        let (code, len) = (self.0.u16([c0, c1]), usize::from(self.0.u16([l0, l1])));
        let value = rest.get(..len)?;
        self.1 = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        (code != 0).then_some((code, value))
    }
}
