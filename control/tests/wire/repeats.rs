//! A message in several chunks that is sent again carries what its first copy carried, whatever the world says by then.

use control::live::lab::Message;
use dataplane::lane::{Frame, Lane, Setup};
use dataplane::record::Silent;
use dataplane::world::World;
use protocols::link::{self, Carried, LinkType};
use protocols::sctp::Packet;

use super::common;
use super::flow::some;

fn world(preset: &str) -> World {
    let set = [("ZTSMS__POLICY__PRESET".to_owned(), preset.to_owned())];
    common::world(control::config::load_with(None, set).unwrap().policy)
}

/// A packet with these chunks of one user message: begin, end, number, octets.
fn packet(chunks: &[(bool, bool, u32, &[u8])]) -> Vec<u8> {
    let mut sctp = vec![0x0b, 0x59, 0x0b, 0x59, 0, 0, 0, 7, 0, 0, 0, 0];
    for &(begin, end, tsn, octets) in chunks {
        sctp.extend_from_slice(&[0, u8::from(begin) << 1 | u8::from(end)]);
        sctp.extend_from_slice(&(16 + octets.len() as u16).to_be_bytes());
        sctp.extend_from_slice(&tsn.to_be_bytes());
        sctp.extend_from_slice(&[0, 1, 0, 9, 0, 0, 0, 3]);
        sctp.extend_from_slice(octets);
        sctp.resize(sctp.len().next_multiple_of(4), 0);
    }
    protocols::sctp::seal(&mut sctp);
    let mut ip = vec![0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 132, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    ip[2..4].copy_from_slice(&(20 + sctp.len() as u16).to_be_bytes());
    let sum = link::checksum(&ip).to_be_bytes();
    ip[10..12].copy_from_slice(&sum);
    [&[2, 0xaa, 0x5a, 0x54, 0, 2, 2, 0xaa, 0x5a, 0x54, 0, 1, 8, 0][..], &ip, &sctp].concat()
}

/// What goes on in place of a packet.
fn passes(lane: &mut Lane, world: &World, bytes: &[u8]) -> Vec<u8> {
    let frame = Frame { number: 1, time_ns: 1, link_type: LinkType::Ethernet, bytes, original_len: bytes.len() };
    lane.frame(&frame, world, &mut Silent);
    let changed: Vec<Vec<u8>> = lane.changed().map(<[u8]>::to_vec).collect();
    assert!(changed.len() < 2);
    changed.into_iter().next().unwrap_or_else(|| bytes.to_vec())
}

/// The body of the chunk with this number.
fn chunk(frame: &[u8], tsn: u32) -> Vec<u8> {
    let Ok(Carried::Ip(ip)) = link::parse(LinkType::Ethernet, frame) else { panic!("no IP") };
    let packet = Packet::parse(ip.sctp().unwrap().1).unwrap();
    let all = packet.chunks().map(Result::unwrap);
    let found = all.into_iter().find(|chunk| chunk.data().is_some_and(|data| data.unwrap().tsn == tsn)).unwrap();
    found.body.to_vec()
}

#[test]
fn a_message_in_two_chunks_is_repeated_as_it_first_went_on_whatever_the_world_says_by_then() {
    let (acts, observes) = (world("warn"), world("observe"));
    let mut changed_at_first = 0;
    let all = some(400, 21);
    for Message { sent, .. } in all.iter().filter(|message| message.changes()).take(20) {
        let (head, tail) = sent.split_at(60);
        let (first, last) = (packet(&[(true, false, 10, head)]), packet(&[(false, true, 11, tail)]));
        let both = packet(&[(true, false, 10, head), (false, true, 11, tail)]);
        for (then, by_now) in [(&acts, &observes), (&observes, &acts)] {
            let mut lane = Lane::new(&Setup::default());
            assert_eq!(passes(&mut lane, then, &first), first, "what has gone is never waited for");
            let went = passes(&mut lane, then, &last);
            changed_at_first += u32::from(went != last);
            // Alone, and bundled with the piece in front of it.
            assert_eq!(passes(&mut lane, by_now, &last), went);
            assert_eq!(passes(&mut lane, by_now, &first), first);
            let again = passes(&mut lane, by_now, &both);
            assert_eq!(chunk(&again, 11), chunk(&went, 11));
            assert_eq!(chunk(&again, 10), chunk(&first, 10));
        }
    }
    assert!(changed_at_first > 5, "{changed_at_first}");
}
