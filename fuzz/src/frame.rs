//! Frames through a whole lane: sums agree, what goes on changed is read again, and a second pass changes nothing more.

use dataplane::record::{Found, Listener, Sms};
use protocols::link::LinkType;

use crate::way::{self, Wire};

/// Frames of one input: enough for joins, few enough to be fast.
const FRAMES: usize = 8;

const LINKS: [LinkType; 12] = [
    LinkType::Ethernet,
    LinkType::LinuxSll,
    LinkType::LinuxSll2,
    LinkType::RawIp,
    LinkType::Ipv4,
    LinkType::Ipv6,
    LinkType::Null,
    LinkType::Loop,
    LinkType::Mtp2,
    LinkType::Mtp2WithPhdr,
    LinkType::Mtp3,
    LinkType::Sccp,
];

/// Looks at everything, keeps little.
#[derive(Default)]
struct Looks {
    sms: u64,
    repeats: u64,
}

impl Listener for Looks {
    const TEXTS: bool = true;
    fn sms(&mut self, sms: &Sms<'_>) {
        self.sms += 1;
        self.repeats += u64::from(sms.repeat);
        let text = sms.text.unwrap_or_default();
        for url in sms.urls.iter() {
            let source = if url.found == Found::Sender { sms.address } else { text };
            assert!(
                url.elsewhere
                    || matches!(url.found, Found::Push | Found::Copy)
                    || source.get(url.start..url.end) == Some(url.text),
                "{url:?}"
            );
            assert!(url.url.contains(url.host));
        }
        assert!(sms.rewritten.is_none() || sms.part_text.is_some());
        assert!(sms.parts <= sms.concat.map_or(1, |concat| concat.total), "{} parts of {:?}", sms.parts, sms.concat);
        let _ = format!("{:?}{:?}{:?}", sms.called_party, sms.transaction, sms.invoke);
    }
}

/// The target. First octet: which policy (two bits), whether checksums are made to hold (one), then frames: link type, seconds since
/// the one before, length in two octets, octets.
pub fn run(bytes: &[u8]) {
    let Some((&head, rest)) = bytes.split_first() else { return };
    let wires = frames(head & 4 != 0, rest);
    let (world, nothing) = way::world(head);
    let (mut lane, mut looks) = (way::lane(), Looks::default());
    let mut second = Vec::new();
    for (number, wire) in wires.iter().enumerate() {
        let out = way::take(&mut lane, number, wire, world, &mut looks);
        if out.is_empty() {
            second.push(wire.clone());
            continue;
        }
        assert!(!nothing, "a policy that does nothing changes nothing");
        way::holds(wire, &out);
        second.extend(out.into_iter().map(|bytes| Wire { bytes, ..wire.clone() }));
    }
    lane.finish();
    assert!(lane.counters().agree());
    let counters = lane.counters();
    assert_eq!(counters.frames.seen, wires.len() as u64);
    assert_eq!(
        looks.sms,
        counters.sms.seen - counters.sms.out.iter().filter(|(_, name, _)| *name != "seen before").map(|(_, _, n)| n).sum::<u64>()
    );
    // Joins forget, and copies that differ make another text of the same parts: then a second pass is another story.
    let differs = counters.differing_copies > 0 || counters.oddities.sum() > 0 || looks.repeats > 0;
    let changed = counters.rewritten_frames;
    if changed == 0 || differs {
        return;
    }
    let mut lane = way::lane();
    for (number, wire) in second.iter().enumerate() {
        let out = way::take(&mut lane, number, wire, world, &mut Looks::default());
        assert!(out.is_empty(), "frame {number} is changed again");
    }
}

fn frames(seal: bool, mut rest: &[u8]) -> Vec<Wire> {
    let (mut wires, mut time_ns) = (Vec::new(), 0);
    while let Some((&[link, seconds, l0, l1], behind)) = rest.split_first_chunk()
        && wires.len() < FRAMES
    {
        let len = usize::from(u16::from_be_bytes([l0, l1])).min(behind.len());
        let (frame, behind) = behind.split_at(len);
        rest = behind;
        time_ns += u64::from(seconds) * 1_000_000_000;
        let link_type = LINKS[usize::from(link) % LINKS.len()];
        let mut bytes = frame.to_vec();
        if seal {
            way::seal(link_type, &mut bytes);
        }
        wires.push(Wire { link_type, time_ns, bytes });
    }
    wires
}

/// An input of these frames, for the seeds.
pub fn input(head: u8, frames: &[(LinkType, &[u8])]) -> Vec<u8> {
    let mut out = vec![head];
    for (link_type, bytes) in frames {
        let link = LINKS.iter().position(|link| link == link_type).unwrap_or(0);
        let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
        out.extend_from_slice(&[link as u8, 0, len[0], len[1]]);
        out.extend_from_slice(bytes);
    }
    out
}
