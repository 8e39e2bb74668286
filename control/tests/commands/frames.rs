//! Frames of our own making, whole at every layer: for what no published capture holds.

use std::net::IpAddr;

use pcaps::write::PcapNg;
use protocols::link::{self, build};
use protocols::sms::Timestamp;
use protocols::sms::encode::{self, Number, Reference};
use protocols::tcap::{self, ApplicationContext, Opcode};
use protocols::{m3ua, map, sccp, sctp};

/// A capture of these frames, Ethernet, a second between two.
pub(super) fn capture(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut out = PcapNg::new(Vec::new()).unwrap();
    out.interface(1).unwrap();
    for (bytes, second) in frames.iter().zip(1_790_000_000..) {
        out.packet(0, second * 1_000_000_000, bytes, None).unwrap();
    }
    out.finish().unwrap()
}

/// A DELIVER of this text in an mt-forwardSM: the first, where it takes several.
pub(super) fn deliver(sender: &str, text: &str, tsn: u32) -> Vec<u8> {
    delivers(sender, text, tsn).swap_remove(0)
}

/// The DELIVERs that this text takes, each in an mt-forwardSM.
pub(super) fn delivers(sender: &str, text: &str, tsn: u32) -> Vec<Vec<u8>> {
    let scts = Timestamp::parse(&[0x62, 0x11, 0x42, 0, 0, 0, 0]).unwrap();
    let frame = |(part, tsn): (encode::Part, u32)| {
        around(&begin(&forward(&encode::deliver(Number { text: sender, ton: 5, npi: 0 }, 0, &scts, &part))), tsn)
    };
    encode::message(text, Reference::Byte(7)).into_iter().zip(tsn..).map(frame).collect()
}

/// The argument of an mt-forwardSM.
pub(super) fn forward(tpdu: &[u8]) -> Vec<u8> {
    let (mut imsi, mut argument) = (Vec::new(), Vec::new());
    map::push_tbcd(&mut imsi, "001010000000001");
    let centre = map::AddressString(&[0x91, 0x51, 0x55, 0x01]);
    let (to, from) = (map::Destination::Imsi(map::Tbcd(&imsi)), map::Origination::ServiceCentre(centre));
    map::push_mt_forward_sm(&mut argument, to, from, tpdu, false);
    argument
}

/// A TCAP Begin that invokes mt-forwardSM with this argument.
pub(super) fn begin(argument: &[u8]) -> Vec<u8> {
    let (mut invoke, mut dialogue, mut message) = (Vec::new(), Vec::new(), Vec::new());
    tcap::push_invoke(&mut invoke, 1, None, Opcode::Local(44), argument);
    tcap::push_dialogue_request(&mut dialogue, ApplicationContext { code: 25, version: 3 }, &[]);
    tcap::push_begin(&mut message, &[0, 0, 0, 1], &dialogue, &invoke);
    message
}

/// Everything below TCAP: LUDT where the message is too long for UDT.
pub(super) fn around(message: &[u8], tsn: u32) -> Vec<u8> {
    let (mut called, mut calling, mut unit) = (Vec::new(), Vec::new(), Vec::new());
    sccp::Address::push_e164(&mut called, "15550100002", 8);
    sccp::Address::push_e164(&mut calling, "15550100001", 8);
    if sccp::push_udt(&mut unit, 1, true, &called, &calling, message).is_none() {
        unit.clear();
        sccp::push_ludt(&mut unit, 1, 15, &called, &calling, message, None).unwrap();
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
    let mut payload = Vec::new();
    label.push(&mut payload);
    sctp_frame(&payload, tsn)
}

/// One DATA chunk with an M3UA payload, in SCTP, IPv4 and Ethernet.
pub(super) fn sctp_frame(payload: &[u8], tsn: u32) -> Vec<u8> {
    let (mut packet, mut bytes) = (Vec::new(), Vec::new());
    let chunk = sctp::Data {
        tsn,
        stream: 1,
        sequence: 0,
        fsn: None,
        ppid: Some(3),
        begin: true,
        end: true,
        unordered: true,
        immediate: false,
        interleaved: false,
        payload,
    };
    let mut builder = sctp::Builder::new(&mut packet, 2905, 2905, 9);
    builder.data(&chunk).unwrap();
    builder.finish();
    let (source, destination): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
    build::ethernet(&mut bytes, [2; 6], [4; 6], &[], link::ETHERTYPE_IPV4);
    build::ip(&mut bytes, &build::Ip { source, destination, protocol: link::SCTP, id: 1 }, packet.len()).unwrap();
    bytes.extend_from_slice(&packet);
    bytes
}
