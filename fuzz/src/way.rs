//! The way of frames as the targets take it: worlds by preset, small tables, and what holds of a frame that went on changed.

use std::sync::OnceLock;

use dataplane::join::table::Limits;
use dataplane::lane::{Frame, Lane, Setup};
use dataplane::policy::{Action, Policy, Preset, Spec};
use dataplane::record::Listener;
use dataplane::scan::Scanner;
use dataplane::suffix::Suffixes;
use dataplane::world::{Network, World};
use protocols::link::{self, Carried, Ip, LinkType};
use protocols::sctp::{Packet, Sum};
use protocols::span::within;

/// One frame of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wire {
    pub(crate) link_type: LinkType,
    pub(crate) time_ns: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Presets that change messages, and one whose chains are empty.
const WORLDS: usize = 4;

/// A world by number. The last one's policy does nothing at all.
pub(crate) fn world(number: u8) -> (&'static World, bool) {
    static ALL: OnceLock<Vec<World>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let mut specs = [Preset::Warn, Preset::Strict, Preset::Quiet, Preset::Warn].map(Spec::preset);
        for spec in &mut specs {
            spec.mo = spec.mt.clone();
            spec.brand = "ACME".into();
        }
        let last = &mut specs[WORLDS - 1];
        for chains in [&mut last.mt, &mut last.mo] {
            [&mut chains.safe, &mut chains.unknown, &mut chains.dangerous]
                .into_iter()
                .for_each(|chain| *chain = vec![Action::Pass]);
        }
        specs.into_iter().map(of).collect()
    });
    let number = usize::from(number) % WORLDS;
    (&all[number], number == WORLDS - 1)
}

fn of(spec: Spec) -> World {
    let suffixes = Suffixes::built_in();
    let table = control::builtin::table(&suffixes).unwrap();
    World { scanner: Scanner::default(), suffixes, table, policy: Policy::compile(spec).unwrap(), network: Network::default() }
}

/// A lane whose tables are soon full, so that every eviction is met.
pub(crate) fn lane() -> Lane {
    let few = |entries, octets| Limits { entries, octets, age_ns: 1_000_000_000 };
    Lane::new(&Setup {
        associations: 16,
        fragments: few(16, 16 << 10),
        chunks: few(16, 16 << 10),
        segments: few(16, 16 << 10),
        parts: few(16, 16 << 10),
        dialogues: few(16, 0),
        secret: 7,
    })
}

/// Takes one frame its way and gives what goes on.
pub(crate) fn take<L: Listener>(lane: &mut Lane, number: usize, wire: &Wire, world: &World, listener: &mut L) -> Vec<Vec<u8>> {
    let Wire { link_type, time_ns, ref bytes } = *wire;
    let frame = Frame { number: number as u64 + 1, time_ns, link_type, bytes, original_len: bytes.len() };
    lane.frame(&frame, world, listener);
    assert!(lane.counters().agree(), "{:#?}", lane.counters());
    lane.changed().map(<[u8]>::to_vec).collect()
}

/// Writes the checksum that belongs there, so that changed octets are not dismissed for it.
pub(crate) fn seal(link_type: LinkType, bytes: &mut [u8]) {
    let place = match sctp(link_type, bytes) {
        Some((_, packet)) => within(bytes, packet.bytes),
        None => None,
    };
    if let Some(place) = place {
        protocols::sctp::seal(&mut bytes[place]);
    }
}

fn sctp(link_type: LinkType, bytes: &[u8]) -> Option<(Ip<'_>, Packet<'_>)> {
    let Ok(Carried::Ip(ip)) = link::parse(link_type, bytes) else { return None };
    if ip.fragment.is_some() || ip.cut {
        return None;
    }
    let (_, bytes) = ip.sctp().ok()?;
    Some((ip, Packet::parse(bytes).ok()?))
}

/// The chunks of a packet: type, flags, and the fields in front of the payload.
fn chunks(packet: &Packet<'_>) -> Vec<(u8, u8, Option<u32>, Option<u32>)> {
    let one = |chunk: protocols::sctp::Chunk<'_>| {
        let data = chunk.data().and_then(Result::ok);
        (chunk.kind, chunk.flags, data.map(|data| data.tsn), data.and_then(|data| data.ppid))
    };
    packet.chunks().map_while(Result::ok).map(one).collect()
}

/// What holds of every frame that went on as others.
pub(crate) fn holds(wire: &Wire, out: &[Vec<u8>]) {
    assert!(out.len() <= 2);
    let Some((ip, packet)) = sctp(wire.link_type, &wire.bytes) else {
        assert!(out.len() == 1, "a bare message goes on as one");
        assert!(link::parse(wire.link_type, &out[0]).is_ok());
        return;
    };
    assert_ne!(packet.sum(), Sum::Bad, "a bad sum is never made good");
    let mut all = Vec::new();
    for bytes in out {
        let (new_ip, new) = sctp(wire.link_type, bytes).expect("what goes on is read");
        assert_eq!((new_ip.source, new_ip.destination), (ip.source, ip.destination));
        assert_eq!((new.source_port, new.destination_port), (packet.source_port, packet.destination_port));
        assert_eq!(new.verification_tag, packet.verification_tag);
        assert_ne!(new.sum(), Sum::Bad, "what goes on has a sum that holds");
        assert!(packet.sum() != Sum::Good || new.sum() == Sum::Good);
        assert!(bytes.len() <= wire.bytes.len().max(1500 + 64), "{} octets of {}", bytes.len(), wire.bytes.len());
        all.extend(chunks(&new));
    }
    assert_eq!(all, chunks(&packet), "no chunk more, no chunk less, each with its TSN");
}
