//! A TPDU of any content in a frame that is whole at every layer below: what the policy makes of it is read back as the listener was
//! told, within every bound, and a second pass changes nothing.

use core::net::IpAddr;

use dataplane::record::{Listener, Sms};
use protocols::link::{self, LinkType, build};
use protocols::sctp::{self, Packet};
use protocols::sms::encode::{self, Number, Reference};
use protocols::sms::{Timestamp, Tpdu};
use protocols::tcap::{self, ApplicationContext, Opcode};
use protocols::{m3ua, map, sccp};

use crate::way::{self, Wire};

const SIF: usize = 272;

/// What one pass said of the one message.
#[derive(Default)]
struct Told {
    text: Option<String>,
    rewritten: Option<String>,
    tpdu: Vec<u8>,
    untouchable: bool,
    sms: usize,
}

impl Listener for Told {
    const TEXTS: bool = true;
    fn sms(&mut self, sms: &Sms<'_>) {
        self.sms += 1;
        self.text = sms.part_text.map(String::from);
        self.rewritten = sms.rewritten.map(String::from);
        self.tpdu = sms.forward.sm_rp_ui.to_vec();
        self.untouchable = sms.tpdu.untouchable().is_some();
    }
}

/// The target. Octets: policy (2 bits), shape of what is around (bits 2 to 4), MO (5), a text instead of a TPDU (6); then the TPDU or text.
pub fn run(bytes: &[u8]) {
    let Some((&head, rest)) = bytes.split_first() else { return };
    let tpdu = if head & 0x40 == 0 { rest.get(..176).unwrap_or(rest).to_vec() } else { written(rest, head) };
    let Some(wire) = frame(&tpdu, head) else { return };
    let (world, nothing) = way::world(head);
    let mut told = Told::default();
    let out = way::take(&mut way::lane(), 0, &wire, world, &mut told);
    if out.is_empty() {
        return;
    }
    assert!(!nothing, "a policy that does nothing changes nothing");
    assert!(!told.untouchable, "never touched: {tpdu:02x?}");
    way::holds(&wire, &out);
    let [new] = out.as_slice() else { panic!("one message never outgrows the MTU") };
    let new = Wire { bytes: new.clone(), ..wire.clone() };
    let mut again = Told::default();
    let more = way::take(&mut way::lane(), 0, &new, world, &mut again);
    assert_eq!((told.sms, again.sms), (1, 1));
    assert_eq!(again.text, told.rewritten, "what was told is what is read");
    assert!(more.is_empty(), "changed again: {:?} became {:?}, then {:?}", told.text, told.rewritten, again.rewritten);
    bounds(&wire, &new);
    around(&told.tpdu, &again.tpdu, head & 0x20 != 0);
}

/// Nothing in front of TP-UDL changes, and the alphabet stays or becomes UCS2.
fn around(old: &[u8], new: &[u8], mo: bool) {
    let direction = if mo { protocols::sms::Direction::MobileOriginated } else { protocols::sms::Direction::MobileTerminated };
    let (before, after) = (Tpdu::parse(old, direction).unwrap(), Tpdu::parse(new, direction).unwrap());
    assert_eq!(before.dcs, after.dcs, "the coding stays");
    assert_eq!((before.kind, before.pid, before.address.raw), (after.kind, after.pid, after.address.raw));
    assert_eq!(before.user_data.header(), after.user_data.header());
    assert!(after.user_data.octets.len() <= before.user_data.octets.len().max(140));
}

fn sif(wire: &Wire) -> usize {
    let Ok(link::Carried::Ip(ip)) = link::parse(wire.link_type, &wire.bytes) else { panic!("a frame") };
    let packet = Packet::parse(ip.sctp().unwrap().1).unwrap();
    let payload = packet.chunks().find_map(|chunk| Some(chunk.unwrap().data()?.unwrap().payload)).unwrap();
    m3ua::Data::parse(payload).unwrap().user_data.len() + 4
}

fn bounds(old: &Wire, new: &Wire) {
    let (before, after) = (sif(old), sif(new));
    assert!(after <= SIF.max(before), "{before} octets of SIF became {after}");
}

/// A DELIVER or SUBMIT of this text, its first part if it takes several.
fn written(text: &[u8], head: u8) -> Vec<u8> {
    let text = String::from_utf8_lossy(text.get(..512).unwrap_or(text));
    let Some(part) = encode::message(&text, Reference::Byte(7)).into_iter().next() else { return Vec::new() };
    let scts = Timestamp::parse(&[0x62, 0x11, 0x42, 0, 0, 0, 0]).unwrap();
    if head & 0x20 == 0 {
        let sender =
            if head & 0x80 == 0 { Number { text: "491520001", ton: 1, npi: 1 } } else { Number { text: "Bank", ton: 5, npi: 0 } };
        encode::deliver(sender, 0, &scts, &part)
    } else {
        encode::submit(1, Number { text: "491520002", ton: 1, npi: 1 }, 0, protocols::sms::Validity::Relative(167), &part)
    }
}

/// The frame around a TPDU; `None` when it does not fit.
fn frame(tpdu: &[u8], head: u8) -> Option<Wire> {
    let (mo, shape) = (head & 0x20 != 0, head >> 2 & 7);
    let (mut imsi, mut argument, mut invoke, mut dialogue, mut message) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    map::push_tbcd(&mut imsi, "262010000000001");
    let (centre, subscriber) = (map::AddressString(&[0x91, 0x94, 0x51, 0x02]), map::AddressString(&[0x91, 0x94, 0x51, 0x42]));
    if mo {
        let (to, from) = (map::Destination::ServiceCentre(centre), map::Origination::Msisdn(subscriber));
        map::push_mo_forward_sm(&mut argument, to, from, tpdu, None);
    } else {
        let (to, from) = (map::Destination::Imsi(map::Tbcd(&imsi)), map::Origination::ServiceCentre(centre));
        map::push_mt_forward_sm(&mut argument, to, from, tpdu, shape & 1 != 0);
    }
    tcap::push_invoke(&mut invoke, 1, None, Opcode::Local(if mo { 46 } else { 44 }), &argument);
    if shape & 1 != 0 {
        let code = if mo { ApplicationContext::MO_RELAY } else { 25 };
        tcap::push_dialogue_request(&mut dialogue, ApplicationContext { code, version: 3 }, &[]);
    }
    tcap::push_begin(&mut message, &[0, 0, 0, 1], &dialogue, &invoke);
    let (mut called, mut calling, mut unit, mut data) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    sccp::Address::push_e164(&mut called, "4915300000000", 8);
    sccp::Address::push_e164(&mut calling, "4915200000000", 8);
    match shape >> 1 {
        0 | 1 => sccp::push_udt(&mut unit, 1, true, &called, &calling, &message)?,
        2 => sccp::push_xudt(&mut unit, 1, true, 15, &called, &calling, &message, None, None)?,
        _ => sccp::push_ludt(&mut unit, 1, 15, &called, &calling, &message, None)?,
    }
    let label = m3ua::Data {
        opc: 1,
        dpc: 2,
        si: 3,
        ni: 2,
        mp: 0,
        sls: 5,
        user_data: &unit,
        network_appearance: None,
        routing_context: Some(1),
        correlation_id: None,
        message: &[],
    };
    label.push(&mut data);
    let (mut packet, mut bytes) = (Vec::new(), Vec::new());
    let chunk = sctp::Data {
        tsn: 77,
        stream: 1,
        sequence: 3,
        fsn: None,
        ppid: Some(3),
        begin: true,
        end: true,
        unordered: false,
        immediate: false,
        interleaved: false,
        payload: &data,
    };
    let mut builder = sctp::Builder::new(&mut packet, 2905, 2905, 9);
    builder.data(&chunk)?;
    builder.finish();
    let (source, destination): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
    build::ethernet(&mut bytes, [2; 6], [4; 6], &[], link::ETHERTYPE_IPV4);
    build::ip(&mut bytes, &build::Ip { source, destination, protocol: link::SCTP, id: 1 }, packet.len())?;
    bytes.extend_from_slice(&packet);
    Some(Wire { link_type: LinkType::Ethernet, time_ns: 1, bytes })
}
