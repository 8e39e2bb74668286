use protocols::link::{self, build};

use super::*;
use crate::xdp::{Peer, Raw, Settings, alone, monotonic_ns};

fn frame() -> Vec<u8> {
    let (source, destination, mut frame) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into(), Vec::new());
    build::ethernet(&mut frame, [2; 6], [4; 6], &[], link::ETHERTYPE_IPV4);
    build::ip(&mut frame, &build::Ip { source, destination, protocol: link::SCTP, id: 0 }, 16).unwrap();
    frame.extend_from_slice(&[0; 16]);
    frame
}

#[test]
fn a_frame_without_a_chunk_is_one_drop_and_gives_one_credit_back() {
    alone::between("drops", |name| {
        let (size, over) = (64_u64, 10);
        let mut program = Program::load(name).unwrap();
        let ports = [Port::open("v0").unwrap()];
        program.configure(&Settings { heartbeat_ns: 60_000_000_000, ..Settings::default() }).unwrap();
        program.port(0, &ports[0], Peer::Stack).unwrap();
        let rings = Rings { size: 64, huge_pages: false, busy_poll_us: None };
        let mut line = Line::new(&Want { ports: &ports, first: 0, forward: false, rings }, &program).unwrap();
        program.attach(&ports[0]).unwrap();
        line.sockets().into_iter().for_each(|(key, fd)| program.bind(key, fd).unwrap());
        line.beat(monotonic_ns());
        let left = |line: &Line| line.queues[0].record.left();
        assert_eq!(left(&line), size);
        // More than there is room for.
        let sent = size + over;
        line.queues[0].record.grant(sent);
        let far = Raw::open("v1").unwrap();
        (0..sent).for_each(|_| far.send(&frame()).unwrap());
        let (mut seen, end) = (Level::default(), Instant::now() + Duration::from_secs(5));
        while seen.dropped.iter().sum::<u64>() < over && Instant::now() < end {
            line.levels(|level| seen = level);
        }
        assert_eq!((seen.dropped, seen.fill_empty, left(&line)), ([0, over], over, 0));
        assert_eq!(line.throw_away(), size);
        assert_eq!(left(&line), size);
        // In copy mode the kernel is never to be told that there are chunks.
        assert!(!line.is_zero_copy() && !line.queues[0].fill.needs_wakeup());
    });
}
