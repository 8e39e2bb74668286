//! Each layer has a short way for the form that it usually comes in: what goes that way is what the exact walk makes of it, on every
//! vector of other hands, on a whole frame of ours, and on both damaged in any way.

use proptest::prelude::*;

use crate::ber::{Reader, Tlv};
use crate::error::{Error, Layer, Why};
use crate::link::{self, Carried, Ip, LinkType};
use crate::map::forward::Fields;
use crate::map::{self, AddressString, Destination, Origination, Tbcd};
use crate::sccp::{self, Address, Unitdata, Variant};
use crate::sms::{self, Tpdu};
use crate::tcap::{self, ApplicationContext, Component, Dialogue, Message, Opcode};
use crate::usual::{self, Usual};
use crate::{m3ua, sctp, xua};

/// An MT-forwardSM from the Ethernet header down, written with the builders.
fn frame(context: bool, routing_context: Option<u32>) -> Vec<u8> {
    let (mut argument, mut components, mut dialogue, mut tcap) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (imsi, centre) = (Tbcd(&[0x00, 0x01, 0x01, 0x21, 0x43]), AddressString(&[0x91, 0x51, 0x55, 0xf0]));
    let tpdu = [&[4, 5, 0x81, 0x44, 0x47, 0xf1, 0, 0, 0x62, 0x11, 0x32, 0x71, 0x95, 0x85, 0x40, 160][..], &[0x55; 140]].concat();
    map::push_mt_forward_sm(&mut argument, Destination::Imsi(imsi), Origination::ServiceCentre(centre), &tpdu, false);
    tcap::push_invoke(&mut components, 1, None, Opcode::Local(44), &argument);
    if context {
        tcap::push_dialogue_request(&mut dialogue, ApplicationContext { code: 25, version: 3 }, &[]);
    }
    tcap::push_begin(&mut tcap, &[0, 0, 0, 7], &dialogue, &components);
    let (mut called, mut calling, mut message, mut user, mut packet) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    Address::push_e164(&mut called, "33600000001", 8);
    Address::push_e164(&mut calling, "33600000002", 8);
    sccp::push_udt(&mut message, 0, false, &called, &calling, &tcap).unwrap();
    m3ua::Data {
        opc: 1,
        dpc: 2,
        si: 3,
        ni: 2,
        mp: 0,
        sls: 4,
        network_appearance: None,
        routing_context,
        correlation_id: None,
        user_data: &message,
        message: &[],
    }
    .push(&mut user);
    let mut builder = sctp::Builder::new(&mut packet, 2905, 2905, 7);
    builder.heartbeat(9);
    builder.finish();
    let mut bytes = Vec::new();
    link::build::ethernet(&mut bytes, [2; 6], [4; 6], &[], link::ETHERTYPE_IPV4);
    let (source, destination) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
    let ip = link::build::Ip { source, destination, protocol: link::SCTP, id: 0 };
    link::build::ip(&mut bytes, &ip, packet.len() + user.len()).unwrap();
    // The SCTP packet is of no account here; the user message stands where no padding hides it.
    bytes.extend_from_slice(&packet);
    bytes.extend_from_slice(&user);
    bytes
}

/// How often each short way was gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Gone {
    link: usize,
    m3ua: usize,
    sccp: usize,
    address: usize,
    tcap: usize,
    context: usize,
    invoke: usize,
    forward: usize,
    element: usize,
    short_message: usize,
    continued: usize,
    answer: usize,
    result: usize,
    query: usize,
    opening: usize,
}

impl Gone {
    /// Reads `data` both ways as each layer, and what lies in it.
    fn compare(&mut self, data: &[u8]) {
        self.link(data);
        self.m3ua(data);
        self.sccp(data);
        self.tcap(data);
        self.elements(data, 0);
    }

    fn link(&mut self, frame: &[u8]) {
        if let Some(ip) = link::usual(frame) {
            self.link += 1;
            assert_eq!(link::exact(LinkType::Ethernet, frame), Ok(Carried::Ip(ip)));
        }
        if let Some(ip) = Ip::v4_usual(frame) {
            assert_eq!(Ip::v4_exact(frame), Ok(ip));
        }
    }

    fn m3ua(&mut self, bytes: &[u8]) {
        let Ok(message) = xua::Message::parse(Layer::M3ua, bytes) else { return };
        if let Some(data) = m3ua::Data::usual(&message) {
            self.m3ua += 1;
            assert_eq!(m3ua::Data::exact(&message), Ok(data));
            self.sccp(data.user_data);
        }
    }

    /// The walk over all layers at once, beside the layers.
    fn looked(&mut self, message: &[u8]) {
        let Some(looked) = usual::look(message) else { return };
        let unitdata = Unitdata::exact(message, Variant::Itu).unwrap();
        assert_eq!((unitdata.kind, unitdata.segmentation), (sccp::Kind::Udt, None));
        let message = Message::exact(unitdata.data).unwrap();
        assert!(message.canonical());
        let mut components = Vec::new();
        let mut walk = message.components();
        while let Some(component) = walk.exact() {
            components.push(component.unwrap());
        }
        match looked {
            Usual::ShortMessage(short) => {
                assert_eq!((unitdata.calling_party.raw, message.otid), (short.calling, Some(short.otid)));
                self.short_message(&short, &message, &components);
            }
            Usual::Answer(answer) => {
                let result = answer.result.map(|result| {
                    self.result += 1;
                    let [Component::ReturnResult(exact)] = &components[..] else { panic!("{components:?}") };
                    assert!(exact.last && Component::ReturnResult(*exact).name() == Component::RESULT);
                    assert_eq!(exact.opcode, result.imsi.map(|_| Opcode::Local(45)));
                    let found = exact.parameter.map(|parameter| map::RoutingInfoForSmResult::parse(&parameter).unwrap().imsi.0);
                    assert_eq!((exact.invoke_id, found), (result.invoke_id, result.imsi));
                });
                self.answer += usize::from(result.is_none());
                assert_eq!(result.is_none(), components.is_empty());
                assert_eq!(message.kind, if answer.ends { tcap::Kind::End } else { tcap::Kind::Continue });
                assert_eq!((unitdata.called_party.raw, message.dtid), (answer.called, Some(answer.dtid)));
            }
            Usual::Opening(opening) => {
                self.opening += 1;
                assert_eq!((message.kind, components.len()), (tcap::Kind::Begin, 0));
                assert_eq!((unitdata.calling_party.raw, message.otid), (opening.calling, Some(opening.otid)));
                assert_eq!(message.application_context(), opening.context);
                assert_eq!(message.destination_reference(), None);
                assert!(message.dialogue().is_none_or(|dialogue| dialogue.destination_reference.is_none()));
            }
            Usual::Query(query) => {
                self.query += 1;
                let [Component::Invoke(invoke)] = &components[..] else { panic!("{components:?}") };
                let argument = invoke.argument.unwrap();
                assert_eq!((message.kind, invoke.opcode), (tcap::Kind::Begin, Opcode::Local(45)));
                assert_eq!((unitdata.calling_party.raw, message.otid), (query.calling, Some(query.otid)));
                assert_eq!(map::RoutingInfoForSm::parse(&argument).unwrap().msisdn.0, query.msisdn);
                let forward = map::ForwardSm::parse(invoke, message.application_context(), &mut []);
                assert_eq!(forward.unwrap_err(), Error::new(Layer::Map, 0, Why::NotOurs(map::operation_name(45).unwrap())));
            }
        }
    }

    fn short_message(&mut self, short: &usual::ShortMessage<'_>, message: &Message<'_>, components: &[Component<'_>]) {
        let gone = if short.begins { &mut self.short_message } else { &mut self.continued };
        *gone += 1;
        assert_eq!(message.kind, if short.begins { tcap::Kind::Begin } else { tcap::Kind::Continue });
        assert!(message.otid.is_some() && message.dtid.is_some() != short.begins);
        let [Component::Invoke(invoke)] = components else { panic!("{components:?}") };
        assert_eq!(invoke.invoke_id, short.invoke_id);
        let mut scratch = [0; 512];
        let forward = map::ForwardSm::parse(invoke, message.application_context(), &mut scratch).unwrap();
        assert!(!forward.more_messages && forward.imsi.is_none() && forward.marks.is_empty());
        assert_eq!(map::direction(&forward, None, message.application_context(), None, None).0, short.direction);
        let (side, kind) = match short.direction {
            map::Direction::Mt => (sms::Direction::MobileTerminated, sms::Kind::Deliver),
            map::Direction::Mo => (sms::Direction::MobileOriginated, sms::Kind::Submit),
        };
        // The octets that a date of SUBMIT, or an address, has are not read here and cannot be wrong there.
        let tpdu = Tpdu::parse(forward.sm_rp_ui, side).unwrap();
        assert_eq!((tpdu.kind, tpdu.dcs, tpdu.user_data.tp_udl), (kind, short.dcs, short.tp_udl));
        assert_eq!((tpdu.user_data.octets, tpdu.user_data.udh), (short.user_data, None));
        assert_eq!(tpdu.user_data.header_octets(), 0);
        assert_eq!(tpdu.address, short.address);
    }

    fn sccp(&mut self, message: &[u8]) {
        self.looked(message);
        for variant in [Variant::Itu, Variant::Ansi, Variant::China] {
            assert_eq!(Address::parse(message, variant), Address::exact(message, variant));
            let Ok(exact) = Unitdata::exact(message, variant) else {
                assert_eq!(Unitdata::usual(message, variant), None);
                continue;
            };
            for party in [exact.called_party, exact.calling_party] {
                self.address += 1;
                assert_eq!(Address::exact(party.raw, variant), party);
            }
            if let Some(unitdata) = Unitdata::usual(message, variant) {
                self.sccp += 1;
                assert_eq!(exact, unitdata);
            }
            self.tcap(exact.data);
        }
    }

    fn tcap(&mut self, data: &[u8]) {
        let exact = Message::exact(data);
        if let Some(message) = Message::usual(data) {
            self.tcap += 1;
            assert_eq!(exact, Ok(message));
            assert_eq!(exact.map(|exact| exact.application_context()), Ok(message.application_context()));
        }
        let Ok(message) = exact else { return };
        let (mut usual, mut exact) = (message.components(), message.components());
        loop {
            let component = exact.exact();
            if let Some(invoke) = usual.clone().usual() {
                self.invoke += 1;
                assert_eq!(component, Some(Ok(Component::Invoke(invoke))));
            }
            assert_eq!(usual.next(), component);
            match component {
                Some(Ok(Component::Invoke(invoke))) => invoke.argument.iter().for_each(|argument| self.forward(argument)),
                Some(_) => {}
                None => break,
            }
        }
    }

    fn forward(&mut self, argument: &Tlv<'_>) {
        let Some(usual) = Fields::usual(argument).filter(|_| argument.number == 16 && argument.raw.first() == Some(&0x30)) else {
            return;
        };
        self.forward += 1;
        let exact = Fields::read(argument, false, &mut [].as_mut_slice()).unwrap();
        let all = |fields: &Fields<'_>| {
            let mut behind = fields.behind;
            let left = behind.by_ref().map(|element| element.ok().map(|element| element.raw.to_vec())).collect::<Vec<_>>();
            (format!("{:?} {:?}", fields.destination, fields.origination), fields.marks, left, behind.seen())
        };
        assert_eq!((usual.sm_rp_ui, all(&usual)), (exact.sm_rp_ui, all(&exact)));
    }

    fn elements(&mut self, data: &[u8], depth: usize) {
        let mut rest = data;
        while let Some((element, behind)) = Tlv::usual(rest) {
            self.element += 1;
            let mut exact = Reader::new(rest, Layer::Tcap);
            assert_eq!(exact.slow(), Ok(element));
            assert_eq!((exact.rest(), exact.seen()), (behind, crate::ber::Seen::default()));
            if let Some(context) = ApplicationContext::usual(element.content) {
                self.context += 1;
                let dialogue = Dialogue::parse(element.content).unwrap();
                assert_eq!(dialogue.application_context, Some(context));
                assert!(dialogue.marks.is_empty());
            }
            if depth < 8 {
                self.forward(&element);
                self.elements(element.content, depth + 1);
            }
            rest = behind;
        }
    }
}

/// The octets of every vector, if they are here.
fn vectors() -> Vec<Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/ss7/vectors.jsonl");
    let Ok(file) = std::fs::read_to_string(path) else {
        println!("skipped: ../shared/data is not here");
        return Vec::new();
    };
    let unhex = |hex: &str| (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
    let read = |line: &str| unhex(serde_json::from_str::<serde_json::Value>(line).unwrap()["hex"].as_str().unwrap());
    file.lines().map(read).collect()
}

/// What is damaged: frames of ours and all that is in them, and the vectors.
fn bases() -> Vec<Vec<u8>> {
    let mut bases = vectors();
    for (context, routing_context) in [(true, Some(1)), (true, None), (false, Some(1))] {
        let frame = frame(context, routing_context);
        // Each layer on its own as well, so that damage above it does not hide it.
        let user = frame.windows(4).position(|octets| octets == [1, 0, 1, 1]).unwrap();
        let udt = frame.windows(3).position(|octets| octets == [9, 0, 3]).unwrap();
        let begin = frame.windows(2).position(|octets| octets == [0x62, 0x81]).unwrap();
        bases.extend([&frame[..], &frame[user..], &frame[udt..], &frame[begin..]].map(<[u8]>::to_vec));
    }
    bases.extend(dialogue());
    bases.extend(wrapped());
    bases
}

#[test]
fn each_short_way_is_gone_and_tells_what_the_exact_walk_tells() {
    let mut gone = Gone::default();
    let ours = frame(true, Some(1));
    gone.compare(&ours);
    gone.compare(&ours[ours.windows(4).position(|octets| octets == [1, 0, 1, 1]).unwrap()..]);
    let Gone { link, m3ua, sccp, address, tcap, invoke, forward, short_message, .. } = gone;
    assert!([link, m3ua, sccp, address, tcap, invoke, forward, short_message].iter().all(|times| *times > 0), "{gone:?}");
    let vectors = vectors();
    vectors.iter().for_each(|vector| gone.compare(vector));
    assert!(
        vectors.is_empty()
            || (gone.sccp > 100 && gone.tcap > 100 && gone.context > 20 && gone.forward > 100 && gone.short_message > 10),
        "{gone:?}"
    );
}

/// UDTs of a whole dialogue, and of a question before it.
fn dialogue() -> [Vec<u8>; 7] {
    let udt = |tcap: &dyn Fn(&mut Vec<u8>)| {
        let (mut called, mut calling, mut message, mut data) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        tcap(&mut data);
        Address::push_e164(&mut called, "33600000001", 8);
        Address::push_e164(&mut calling, "33600000002", 8);
        sccp::push_udt(&mut message, 0, false, &called, &calling, &data).unwrap();
        message
    };
    let (mut query, mut found, mut argument) = (Vec::new(), Vec::new(), Vec::new());
    let (number, imsi) = ([0x91, 0x33, 0x16, 0x32, 0x54], Tbcd(&[0x00, 0x01, 0x01, 0x21, 0x43]));
    map::push_routing_info_for_sm(&mut query, &number, true, &number);
    map::push_routing_info_for_sm_result(&mut found, imsi.0, &number);
    let tpdu =
        [&[4, 5, 0x81, 0x44, 0x47, 0xf1, 0, 8, 0x62, 0x11, 0x32, 0x71, 0x95, 0x85, 0x40, 4][..], &[4, 0x30, 4, 0x31]].concat();
    let centre = AddressString(&number);
    map::push_mt_forward_sm(&mut argument, Destination::Imsi(imsi), Origination::ServiceCentre(centre), &tpdu, false);
    let component = |push: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        push(&mut out);
        out
    };
    let asked = component(&|out| tcap::push_invoke(out, 1, None, Opcode::Local(45), &query));
    let told = component(&|out| tcap::push_result(out, 1, 45, &found));
    let sent = component(&|out| tcap::push_invoke(out, 1, None, Opcode::Local(44), &argument));
    let done = component(&|out| tcap::push_result(out, 1, 44, &[]));
    let asking = component(&|out| tcap::push_dialogue_request(out, ApplicationContext { code: 25, version: 3 }, &[]));
    let accepted = component(&|out| tcap::push_dialogue_response(out, ApplicationContext { code: 25, version: 3 }, 0, 0));
    let (ours, theirs) = ([0, 0, 0, 7], [0x70, 0, 0, 7]);
    [
        udt(&|out| tcap::push_begin(out, &ours, &[], &asked)),
        udt(&|out| tcap::push_end(out, &ours, &[], &told)),
        udt(&|out| tcap::push_begin(out, &ours, &asking, &[])),
        udt(&|out| tcap::push_continue(out, &theirs, &ours, &accepted, &[])),
        udt(&|out| tcap::push_continue(out, &ours, &theirs, &[], &sent)),
        udt(&|out| tcap::push_end(out, &ours, &accepted, &done)),
        udt(&|out| tcap::push_end(out, &ours, &[], &[])),
    ]
}

#[test]
fn all_that_a_dialogue_says_is_found_by_one_walk() {
    let mut gone = Gone::default();
    dialogue().iter().for_each(|message| gone.compare(message));
    let Gone { query, result, answer, continued, opening, .. } = gone;
    assert_eq!((query, result, answer, continued, opening), (1, 2, 2, 1, 1));
}

/// A packet in each of the ways that end in [`link::usual`].
fn wrapped() -> Vec<Vec<u8>> {
    let (v4, v6): ([std::net::IpAddr; 2], [std::net::IpAddr; 2]) =
        (["192.0.2.1", "192.0.2.2"].map(|at| at.parse().unwrap()), ["2001:db8::1", "2001:db8::2"].map(|at| at.parse().unwrap()));
    let mut frames = Vec::new();
    for ([source, destination], tags) in [(v4, &[][..]), (v4, &[(0x8100, 210)]), (v6, &[]), (v6, &[(0x8100, 210)])] {
        let mut frame = Vec::new();
        link::build::ethernet(&mut frame, [2; 6], [4; 6], tags, link::build::ethertype(source));
        link::build::ip(&mut frame, &link::build::Ip { source, destination, protocol: link::SCTP, id: 0 }, 40).unwrap();
        frame.extend([7; 40]);
        frames.push(frame);
    }
    frames
}

#[test]
fn a_tag_and_either_ip_are_read_the_short_way_too() {
    let mut gone = Gone::default();
    wrapped().iter().for_each(|frame| gone.link(frame));
    assert_eq!(gone.link, 4);
}

#[test]
fn a_dialogue_that_is_accepted_is_read_the_short_way_too() {
    let (mut response, context) = (Vec::new(), ApplicationContext { code: 25, version: 3 });
    tcap::push_dialogue_response(&mut response, context, 0, 0);
    let portion = Reader::new(&response, Layer::Tcap).next().unwrap().unwrap().content;
    assert_eq!(ApplicationContext::usual(portion), Some(context));
    assert_eq!(Dialogue::parse(portion).unwrap().application_context, Some(context));
}

proptest! {
    #[test]
    fn damage_of_any_kind_is_seen_alike_by_both_ways(
        base in any::<prop::sample::Index>(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..6_u8), 0..4)
    ) {
        thread_local!(static BASES: Vec<Vec<u8>> = bases());
        let mut data = BASES.with(|bases| base.get(bases).clone());
        for (at, octet, how) in damage {
            let at = if data.is_empty() { break } else { at.index(data.len()) };
            match how {
                // Most that is read lies in front.
                0 => data[at] = octet,
                1 => data[at / 4] = octet,
                2 => data[at / 2] ^= 1 << (octet % 8),
                3 => data.insert(at, octet),
                4 => drop(data.remove(at)),
                _ => data.truncate(at),
            }
        }
        Gone::default().compare(&data);
    }
}
