//! Frames as a national link carries them: Ethernet, IPv4, SCTP, M3UA, UDT, Begin, mt-forwardSM of version 3.

use core::net::{IpAddr, Ipv4Addr};

use protocols::link::build::{Ip, ethernet, ethertype, ip};
use protocols::map::{AddressString, Destination, Origination, Tbcd, push_address_string, push_mt_forward_sm, push_tbcd};
use protocols::sms::encode::{Number, Reference, deliver, message};
use protocols::sms::{Timestamp, encode};
use protocols::tcap::{ApplicationContext, Opcode, push_begin, push_dialogue_request, push_invoke};
use protocols::{m3ua, sccp, sctp};

/// 160 characters without a link, with the dots that most messages have.
pub const PLAIN: &str = "Dear customer, your parcel no. 4711 left our depot at 12.30 today. It arrives tomorrow between 9 and 12 o'clock. \
Please keep your ID card ready. Thank you, post";

/// 70 characters of UCS2 without a link.
pub const WIDE: &str = "Уважаемый клиент ваш заказ 4711 прибудет завтра с 9 до 12. Спасибо вам";

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 160 septets without a link.
    Plain,
    /// Some 130 septets with a link to a host of the table.
    Linked,
    /// The same to a host that no list knows.
    Unlisted,
    /// 70 characters of UCS2 without a link.
    Wide,
    /// Parts of texts of 300 characters, without a link.
    Parts,
}

impl Kind {
    /// The text of the message with this number.
    pub fn text(self, number: u32, hosts: u32) -> String {
        match self {
            Self::Plain => PLAIN.to_owned(),
            Self::Linked | Self::Unlisted => {
                let link = link(self == Self::Linked, number, hosts);
                format!(
                    "Your parcel could not be delivered. Please confirm your address within 24 hours: {link} Thank you, your post office"
                )
            }
            Self::Wide => WIDE.to_owned(),
            Self::Parts => format!("{PLAIN} {}", &PLAIN[..139]),
        }
    }
}

/// The link of the message with this number: to one of the `hosts` listed, or to one that is not.
pub fn link(listed: bool, number: u32, hosts: u32) -> String {
    // Knuth's multiplier spreads the messages over the table: neighbours are no neighbours there.
    let host = number.wrapping_mul(2_654_435_761) % hosts.max(1);
    let name = if listed { "host" } else { "none" };
    format!("https://{name}{host:08}.com/track/7f3a")
}

/// `count` frames of one kind, TSNs in order.
pub fn frames(kind: Kind, count: u32, hosts: u32) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let mut number = 0;
    while frames.len() < count as usize {
        let reference = Reference::Wide(u16::try_from(number % 0x1_0000).unwrap_or_default());
        for part in message(&kind.text(number, hosts), reference) {
            let tsn = u32::try_from(frames.len()).expect("few frames");
            frames.push(frame(&part, number, tsn));
        }
        number += 1;
    }
    frames.truncate(count as usize);
    frames
}

/// A frame with this text, which fits into one message.
pub fn frame_with(text: &str, number: u32) -> Vec<u8> {
    let parts = message(text, Reference::Byte(0));
    let [part] = parts.as_slice() else { panic!("{} parts", parts.len()) };
    frame(part, number, number)
}

fn frame(part: &encode::Part, number: u32, tsn: u32) -> Vec<u8> {
    let tpdu = deliver(Number { text: "38000", ton: 3, npi: 1 }, 0, &SENT, part);
    frame_of(1, &user_message(&tpdu, number), tsn)
}

const SENT: Timestamp = Timestamp { year: 2026, month: 11, day: 23, hour: 18, minute: 0, second: 0, zone_quarters: 4 };

/// The M3UA message with one TPDU in a Begin.
fn user_message(tpdu: &[u8], number: u32) -> Vec<u8> {
    let (mut imsi, mut centre, mut argument) = (vec![], vec![], vec![]);
    push_tbcd(&mut imsi, &format!("20801{number:010}"));
    push_address_string(&mut centre, 0x91, "33600000002");
    push_mt_forward_sm(
        &mut argument,
        Destination::Imsi(Tbcd(&imsi)),
        Origination::ServiceCentre(AddressString(&centre)),
        tpdu,
        false,
    );
    let (mut invoke, mut dialogue, mut tcap) = (vec![], vec![], vec![]);
    push_invoke(&mut invoke, 1, None, Opcode::Local(44), &argument);
    push_dialogue_request(&mut dialogue, ApplicationContext { code: ApplicationContext::MT_RELAY, version: 3 }, &[]);
    push_begin(&mut tcap, &number.to_be_bytes(), &dialogue, &invoke);
    let (mut called, mut calling, mut udt, mut out) = (vec![], vec![], vec![], vec![]);
    sccp::Address::push_e164(&mut called, "33600000001", 8);
    sccp::Address::push_e164(&mut calling, "33600000002", 8);
    sccp::push_udt(&mut udt, 0, false, &called, &calling, &tcap).expect("a UDT holds it");
    assert!(udt.len() + 4 <= 272, "a frame that no link with MTP2 carries: {}", udt.len());
    let data = m3ua::Data {
        opc: 4721,
        dpc: 2057,
        si: 3,
        ni: 2,
        mp: 0,
        sls: 3,
        network_appearance: None,
        routing_context: Some(77),
        correlation_id: None,
        user_data: &udt,
        message: &[],
    };
    data.push(&mut out);
    out
}

fn frame_of(stream: u16, payload: &[u8], tsn: u32) -> Vec<u8> {
    let mut packet = vec![];
    let mut builder = sctp::Builder::new(&mut packet, 2905, 2905, 0x1122_3344);
    let data = sctp::Data {
        tsn,
        stream,
        sequence: tsn & 0xffff,
        fsn: None,
        ppid: Some(3),
        begin: true,
        end: true,
        unordered: false,
        immediate: false,
        interleaved: false,
        payload,
    };
    let _builder = builder.data(&data).expect("a chunk holds it");
    builder.finish();
    let address = |host| IpAddr::V4(Ipv4Addr::new(192, 0, 2, host));
    let fields = Ip { source: address(1), destination: address(2), protocol: 132, id: 7 };
    let mut frame = vec![];
    ethernet(&mut frame, [2, 0, 0, 0, 0, 2], [2, 0, 0, 0, 0, 1], &[], ethertype(fields.source));
    ip(&mut frame, &fields, packet.len()).expect("a packet holds it");
    frame.extend_from_slice(&packet);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_message_fills_160_septets_and_a_wide_one_70_characters() {
        assert_eq!(PLAIN.len(), 160);
        assert_eq!(WIDE.chars().count(), 70);
        assert_eq!(message(WIDE, Reference::Byte(0)).len(), 1);
        assert_eq!(message(&Kind::Parts.text(0, 1), Reference::Byte(0)).len(), 2);
    }

    #[test]
    fn every_frame_has_its_own_tsn() {
        let frames = frames(Kind::Linked, 3, 1000);
        let tsns: Vec<_> = frames.iter().map(|frame| frame[14 + 20 + 12 + 4..][..4].to_vec()).collect();
        assert_eq!(tsns, [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 2]]);
    }
}
