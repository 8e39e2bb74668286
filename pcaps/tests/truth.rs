//! Every message that the generator tells of is in its capture once, letter for letter: read back through the layers of `protocols`,
//! with all that is bundled, lost, sent twice, segmented, shuffled or in national tables.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails should stop")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use pcaps::generate::{Mix, Way, generate_with};
use pcaps::read::Capture;
use protocols::link::{self, Carried, LinkType};
use protocols::map::{Destination, ForwardSm, Origination};
use protocols::sccp::{Unitdata, Variant};
use protocols::sms::{Direction, Tpdu};
use protocols::tcap::{Component, Message};
use protocols::{m3ua, sctp};

/// What ties the parts of one text together: way, subscriber, originator or recipient, reference, total.
type Key = (bool, String, String, Option<u16>, u8);

#[derive(Default)]
struct Segments {
    /// How many come after the first, once that was seen.
    after_first: Option<u8>,
    /// By how many are still to come: the last one first.
    pieces: BTreeMap<u8, Vec<u8>>,
}

#[derive(Default)]
struct Reader {
    seen: HashSet<(IpAddr, IpAddr, u32)>,
    segments: HashMap<u32, Segments>,
    parts: HashMap<Key, BTreeMap<u8, String>>,
    texts: HashMap<(bool, String, String, String), u32>,
}

impl Reader {
    /// `None` for whatever is no short message.
    fn frame(&mut self, frame: &[u8]) -> Option<()> {
        let Carried::Ip(ip) = link::parse(LinkType::Ethernet, frame).ok()? else { return None };
        let (_, bytes) = ip.sctp().ok()?;
        let packet = sctp::Packet::parse(bytes).ok()?;
        if packet.sum() != sctp::Sum::Good {
            return None;
        }
        for chunk in packet.chunks() {
            let Some(Ok(data)) = chunk.ok()?.data() else { continue };
            if self.seen.insert((ip.source, ip.destination, data.tsn)) {
                self.user_message(data.payload);
            }
        }
        Some(())
    }

    fn user_message(&mut self, payload: &[u8]) -> Option<()> {
        let data = m3ua::Data::parse(payload).ok()?;
        let unit = Unitdata::parse(data.user_data, Variant::Itu).ok()?;
        let Some(segmentation) = unit.segmentation else { return self.tcap(unit.data) };
        let Segments { after_first, pieces } = self.segments.entry(segmentation.local_reference).or_default();
        if segmentation.first {
            *after_first = Some(segmentation.remaining);
        }
        pieces.insert(segmentation.remaining, unit.data.to_vec());
        if pieces.len() < usize::from((*after_first)?) + 1 {
            return None;
        }
        let whole: Vec<u8> = pieces.values().rev().flatten().copied().collect();
        self.tcap(&whole)
    }

    fn tcap(&mut self, data: &[u8]) -> Option<()> {
        let message = Message::parse(data).ok()?;
        for component in message.components() {
            let Ok(Component::Invoke(invoke)) = component else { continue };
            let mut scratch = [0; 255];
            let Ok(forward) = ForwardSm::parse(&invoke, message.application_context(), &mut scratch) else { continue };
            self.short_message(&forward);
        }
        Some(())
    }

    fn short_message(&mut self, forward: &ForwardSm<'_>) {
        let (mt, subscriber) = match (forward.destination, forward.origination) {
            (Destination::Imsi(imsi), _) => (true, imsi.to_string()),
            (_, Origination::Msisdn(msisdn)) => (false, msisdn.to_string()),
            other => panic!("the generator makes no {other:?}"),
        };
        let direction = if mt { Direction::MobileTerminated } else { Direction::MobileOriginated };
        let tpdu = Tpdu::parse(forward.sm_rp_ui, direction).unwrap();
        let address = tpdu.address.to_string();
        let mut text = String::new();
        tpdu.user_data.text(&mut text);
        let concat = tpdu.user_data.udh.and_then(|udh| udh.concat());
        let (reference, total, seq) = concat.map_or((None, 1, 1), |concat| (Some(concat.reference), concat.total, concat.seq));
        let key = (mt, subscriber, address, reference, total);
        let parts = self.parts.entry(key.clone()).or_default();
        assert!(parts.insert(seq, text).is_none(), "part {seq} of {key:?} came twice");
        if parts.len() == usize::from(total) {
            let text = parts.values().cloned().collect();
            self.parts.remove(&key);
            *self.texts.entry((mt, key.1, key.2, text)).or_default() += 1;
        }
    }
}

#[test]
fn every_message_of_the_truth_is_in_the_capture_once() {
    let rough = Mix {
        concatenated: 0.3,
        bundles: 0.4,
        retransmissions: 0.05,
        losses: 0.05,
        shuffled: 0.5,
        segmented: 0.5,
        eight_bit: 0.1,
        version_1: 0.1,
        garbage: 0.05,
        ..Mix::default()
    };
    for (seed, mix) in [(1, Mix::default()), (2, rough)] {
        let (mut out, mut meant) = (Vec::new(), Vec::new());
        let summary = generate_with(3_000, seed, &mix, &mut out, |truth| {
            meant.push((truth.way == Way::Mt, truth.subscriber.to_owned(), truth.address.to_owned(), truth.text.to_owned()));
        });
        assert_eq!(summary.unwrap().messages, meant.len() as u64);
        let mut reader = Reader::default();
        let mut capture = Capture::new(Box::new(std::io::Cursor::new(out)), "memory");
        while let Some(frame) = capture.next().unwrap() {
            reader.frame(frame.bytes);
        }
        for key in meant {
            let count = reader.texts.get_mut(&key).unwrap_or_else(|| panic!("missing: {key:?}"));
            *count -= 1;
            if *count == 0 {
                reader.texts.remove(&key);
            }
        }
        assert!(reader.texts.is_empty(), "not meant: {:?}", reader.texts.keys().next());
        assert!(reader.parts.is_empty(), "unfinished: {:?}", reader.parts.keys().next());
    }
}
