//! Frames around a short message, layer by layer.

use std::net::IpAddr;

use protocols::link::{self, build};
use protocols::sccp::{self, Address};
use protocols::{m3ua, map, sctp, tcap};

/// The called and the calling party.
pub(crate) fn parties() -> [Vec<u8>; 2] {
    ["4915300000000", "4915200000000"].map(|digits| {
        let mut party = Vec::new();
        Address::push_e164(&mut party, digits, 8);
        party
    })
}

/// A Begin with an mt-forwardSM.
pub(crate) fn begin(tpdu: &[u8]) -> Vec<u8> {
    let (mut argument, mut invoke, mut begin) = (Vec::new(), Vec::new(), Vec::new());
    let (imsi, centre) = (map::Tbcd(&[0x62, 0x02, 0x01, 0x00]), map::AddressString(&[0x91, 0x94, 0x51, 0x02]));
    map::push_mt_forward_sm(&mut argument, map::Destination::Imsi(imsi), map::Origination::ServiceCentre(centre), tpdu, false);
    tcap::push_invoke(&mut invoke, 1, None, tcap::Opcode::Local(44), &argument);
    tcap::push_begin(&mut begin, &[0, 0, 0, 1], &[], &invoke);
    begin
}

/// A UDT with an mt-forwardSM.
pub(crate) fn udt(tpdu: &[u8]) -> Vec<u8> {
    let ([called, calling], mut unit) = (parties(), Vec::new());
    sccp::push_udt(&mut unit, 1, true, &called, &calling, &begin(tpdu)).unwrap();
    unit
}

/// M3UA DATA.
pub(crate) fn m3ua(si: u8, user_data: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    let (network_appearance, routing_context, correlation_id) = (None, None, None);
    let label = m3ua::Data {
        opc: 1,
        dpc: 2,
        si,
        ni: 2,
        mp: 0,
        sls: 5,
        user_data,
        network_appearance,
        routing_context,
        correlation_id,
        message: &[],
    };
    label.push(&mut message);
    message
}

/// An Ethernet frame with one DATA chunk: whether it begins and ends its user message.
pub(crate) fn frame(port: u16, ppid: u32, tsn: u32, (begin, end): (bool, bool), payload: &[u8]) -> Vec<u8> {
    let (mut packet, mut bytes) = (Vec::new(), Vec::new());
    let chunk = sctp::Data {
        tsn,
        stream: 1,
        sequence: 0,
        fsn: None,
        ppid: Some(ppid),
        begin,
        end,
        unordered: false,
        immediate: false,
        interleaved: false,
        payload,
    };
    let mut builder = sctp::Builder::new(&mut packet, port, port, 9);
    builder.data(&chunk).unwrap();
    builder.finish();
    let (source, destination): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
    build::ethernet(&mut bytes, [2; 6], [4; 6], &[], link::ETHERTYPE_IPV4);
    build::ip(&mut bytes, &build::Ip { source, destination, protocol: link::SCTP, id: 1 }, packet.len()).unwrap();
    bytes.extend_from_slice(&packet);
    bytes
}
