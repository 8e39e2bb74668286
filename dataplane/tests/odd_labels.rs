//! Payload protocol identifiers and service indicators that say something else are no way past the filter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[expect(dead_code, reason = "others count")]
mod common;
#[path = "common/frames.rs"]
mod frames;

use dataplane::lane::{Frame, Lane, Setup};
use dataplane::policy::Preset;
use dataplane::record::{Listener, Sms, Transport};
use dataplane::verdict::Verdict;
use frames::m3ua;
use protocols::link::LinkType;
use protocols::sms::Timestamp;
use protocols::sms::encode::{self, Number, Reference};
use protocols::{Layer, m2pa};

/// A UDT with one mt-forwardSM that has a dangerous link.
fn udt() -> Vec<u8> {
    let scts = Timestamp::parse(&[0x62, 0x11, 0x42, 0, 0, 0, 0]).unwrap();
    let part = &encode::message("Pay at http://evil.com/x", Reference::Byte(1))[0];
    frames::udt(&encode::deliver(Number { text: "15550166001", ton: 1, npi: 1 }, 0, &scts, part))
}

/// MTP3 of ITU in M2PA.
fn m2pa(si: u8, user_data: &[u8]) -> Vec<u8> {
    let (mut message, msu) = (Vec::new(), [&[0x80 | si, 1, 0x40, 0, 0x50], user_data].concat());
    m2pa::Data { bsn: 0, fsn: 1, priority: 0, msu: &msu, message: &[] }.push(&mut message);
    message
}

fn frame(port: u16, ppid: u32, payload: &[u8]) -> Vec<u8> {
    frames::frame(port, ppid, 1, (true, true), payload)
}

type Messages = Vec<(Verdict, Transport)>;
type Oddities = Vec<(Layer, &'static str, u64)>;

#[derive(Default)]
struct Heard(Messages);

impl Listener for Heard {
    const TEXTS: bool = true;

    fn sms(&mut self, sms: &Sms<'_>) {
        self.0.push((sms.verdict, sms.place.transport));
    }
}

/// What was heard of a frame, how many went on in its place, and its oddities.
fn send(bytes: &[u8]) -> (Messages, usize, Oddities) {
    let world = common::world(Preset::Warn, &[("evil.com", Verdict::Dangerous)]);
    let (mut lane, mut heard) = (Lane::new(&Setup::default()), Heard::default());
    lane.frame(
        &Frame { number: 1, time_ns: 1, link_type: LinkType::Ethernet, bytes, original_len: bytes.len() },
        &world,
        &mut heard,
    );
    assert!(lane.counters().agree());
    (heard.0, lane.changed().count(), lane.counters().oddities.iter().collect())
}

const PAYLOAD: (Layer, &str, u64) = (Layer::Sctp, "another payload protocol's identifier", 1);

#[test]
fn what_is_sccp_is_read_on_any_port_under_any_payload_protocol_identifier() {
    let (of_m3ua, of_m2pa) = (m3ua(3, &udt()), m2pa(3, &udt()));
    for (message, transport, own) in [(&of_m3ua, Transport::M3ua, (3, 2905)), (&of_m2pa, Transport::M2pa, (5, 3565))] {
        for port in [2905, 3565, 3868, 4000] {
            for ppid in [0, 46, 47, 1, 18, 2, 3, 4, 5, 99, 46 << 24, 4 << 24] {
                let (heard, changed, odd) = send(&frame(port, ppid, message));
                assert_eq!((heard, changed), (vec![(Verdict::Dangerous, transport)], 1), "{port} {ppid}");
                // An identifier in host order is known by its port, as one that says nothing is.
                let known = ppid == own.0 || (port == own.1 && [0, 99].contains(&ppid));
                assert_eq!(odd, if known { vec![] } else { vec![PAYLOAD] }, "{port} {ppid}");
            }
        }
    }
}

#[test]
fn another_protocol_stays_what_it_is() {
    // Diameter, on its own port and on M3UA's.
    let diameter = [&[1, 0, 0, 20, 0x80, 0, 1, 24][..], &[0; 12]].concat();
    for (port, ppid, payload) in [(3868, 46, &diameter), (2905, 46, &diameter), (4000, 0, &diameter)] {
        assert_eq!(send(&frame(port, ppid, payload)), (vec![], 0, vec![]), "{port} {ppid}");
    }
    // Management messages of M2UA on M3UA's port.
    assert_eq!(send(&frame(2905, 2, &[1, 0, 3, 3, 0, 0, 0, 8])), (vec![], 0, vec![]));
}

#[test]
fn a_clean_sccp_message_is_read_under_any_service_indicator() {
    for si in [0, 1, 5, 13] {
        let odd = |layer| vec![(layer, "SCCP under another service indicator", 1)];
        let heard = |transport| vec![(Verdict::Dangerous, transport)];
        assert_eq!(send(&frame(2905, 3, &m3ua(si, &udt()))), (heard(Transport::M3ua), 1, odd(Layer::M3ua)), "{si}");
        assert_eq!(send(&frame(3565, 5, &m2pa(si, &udt()))), (heard(Transport::M2pa), 1, odd(Layer::Mtp3)), "{si}");
        // An IAM of ISUP whose circuit has the number of a UDT.
        let isup = [9, 0, 1, 0, 0x60, 1, 0x0a, 0, 2, 6, 4, 3, 0x10, 0x21, 0x43, 0];
        assert_eq!(send(&frame(2905, 3, &m3ua(si, &isup))), (vec![], 0, vec![]), "{si}");
    }
    let service = [&[0x0a][..], &udt()[1..]].concat();
    assert_eq!(send(&frame(2905, 3, &m3ua(5, &service))), (vec![], 0, vec![]));
}

#[test]
fn each_of_several_protocol_data_parameters_is_read() {
    let harmless = encode::message("hi", Reference::Byte(1));
    let scts = Timestamp::parse(&[0x62, 0x11, 0x42, 0, 0, 0, 0]).unwrap();
    let tpdu = encode::deliver(Number { text: "15550166001", ton: 1, npi: 1 }, 0, &scts, &harmless[0]);
    let (first, second) = (m3ua(3, &frames::udt(&tpdu)), m3ua(3, &udt()));
    for parts in [[&first, &second], [&second, &first]] {
        let mut both = [parts[0].as_slice(), &parts[1][8..]].concat();
        let len = u32::try_from(both.len()).unwrap();
        both[4..8].copy_from_slice(&len.to_be_bytes());
        let (mut heard, changed, odd) = send(&frame(2905, 3, &both));
        heard.sort_by_key(|(verdict, _)| *verdict);
        assert_eq!(heard, [(Verdict::None, Transport::M3ua), (Verdict::Dangerous, Transport::M3ua)]);
        assert_eq!((changed, odd), (1, vec![(Layer::M3ua, "more than one Protocol Data", 1)]));
    }
}
