//! Spellings of one number that no handset tells apart: whom a message is for is read alike, and the parts of a text are joined.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[expect(dead_code, reason = "others count")]
mod common;

use dataplane::lane::{Frame, Lane, Setup};
use dataplane::policy::Preset;
use dataplane::record::{Listener, Sms};
use dataplane::verdict::Verdict;
use protocols::link::LinkType;
use protocols::map::{self, AddressString, Destination, Origination, Tbcd};
use protocols::sccp::{self, Address};
use protocols::sms::Timestamp;
use protocols::sms::encode::{self, Number, Part, Reference};
use protocols::tcap;

const IMSI: [u8; 8] = [0x00, 0x01, 0x01, 0x21, 0x43, 0x65, 0x87, 0xf9];
const NUMBER: Number<'static> = Number { text: "15550188002", ton: 1, npi: 1 };
const NAME: Number<'static> = Number { text: "MyBank", ton: 5, npi: 0 };

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = u8::try_from(content.len()).unwrap();
    let header: &[u8] = if len < 0x80 { &[tag, len] } else { &[tag, 0x81, len] };
    [header, content].concat()
}

/// A UDT with an mt-forwardSM: sm-RP-DA and the TPDU.
fn udt(to: &[u8], tpdu: &[u8]) -> Vec<u8> {
    let (mut invoke, mut begin) = (Vec::new(), Vec::new());
    let argument = element(0x30, &[to, &[0x84, 4, 0x91, 0x94, 0x51, 0x02], &element(4, tpdu)].concat());
    tcap::push_invoke(&mut invoke, 1, None, tcap::Opcode::Local(44), &argument);
    tcap::push_begin(&mut begin, &[0, 0, 0, 1], &[], &invoke);
    unit(&begin)
}

/// A UDT between two parties that are always the same.
fn unit(message: &[u8]) -> Vec<u8> {
    let (mut called, mut calling, mut unit) = (Vec::new(), Vec::new(), Vec::new());
    Address::push_e164(&mut called, "4915300000000", 8);
    Address::push_e164(&mut calling, "4915200000000", 8);
    sccp::push_udt(&mut unit, 1, true, &called, &calling, message).unwrap();
    unit
}

/// IMSI, parts seen, verdict and oddities of each message.
#[derive(Default)]
struct Heard(Vec<(Option<String>, u8, Verdict, Vec<&'static str>)>);

impl Listener for Heard {
    const TEXTS: bool = true;

    fn sms(&mut self, sms: &Sms<'_>) {
        let imsi = sms.imsi.map(|imsi| Tbcd(imsi).to_string());
        self.0.push((imsi, sms.parts, sms.verdict, sms.oddities().collect()));
    }
}

fn send(units: &[Vec<u8>]) -> Heard {
    let world = common::world(Preset::Warn, &[("evil-pay.top", Verdict::Dangerous)]);
    let (mut lane, mut heard) = (Lane::new(&Setup::default()), Heard::default());
    for (bytes, number) in units.iter().zip(1..) {
        let frame = Frame { number, time_ns: number, link_type: LinkType::Sccp, bytes, original_len: bytes.len() };
        lane.frame(&frame, &world, &mut heard);
    }
    heard
}

fn deliver(from: Number<'_>, part: &Part) -> Vec<u8> {
    encode::deliver(from, 0, &Timestamp::parse(&[0x62, 0x11, 0x42, 0, 0, 0, 0]).unwrap(), part)
}

/// Both parts of a text whose link is cut by their end, each with its reference.
fn parts(from: Number<'_>, [first, second]: [Reference; 2]) -> [Vec<u8>; 2] {
    // A reference of 16 bits leaves room for one septet less.
    let part = |reference, at: usize| {
        let before = if matches!(reference, Reference::Byte(_)) { 150 } else { 149 };
        let text = format!("{} evil-pay.top/x now", "x".repeat(before));
        deliver(from, &encode::message(&text, reference)[at])
    };
    [part(first, 0), part(second, 1)]
}

fn primitive(imsi: &[u8]) -> Vec<u8> {
    element(0x80, imsi)
}

/// The IMSI as an octet string of pieces that end at these places.
fn cut(ends: &[usize]) -> Vec<u8> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    for &end in ends {
        pieces.extend(element(4, &IMSI[start..end]));
        start = end;
    }
    element(0xa0, &pieces)
}

fn text(from: Number<'_>) -> Vec<u8> {
    deliver(from, &encode::message("Pay at evil-pay.top", Reference::Byte(1))[0])
}

#[test]
fn an_imsi_in_pieces_is_read_whole() {
    for ends in [&[8][..], &[3, 8], &[1, 1, 2, 3, 4, 5, 6, 7, 8], &[0, 8]] {
        let heard = send(&[udt(&cut(ends), &text(NUMBER))]).0;
        assert_eq!(heard[0].0.as_deref(), Some("001010123456789"), "{ends:?}");
        assert_eq!((heard[0].2, heard[0].3.is_empty()), (Verdict::Dangerous, true), "{ends:?}");
    }
}

#[test]
fn an_imsi_whose_pieces_make_none_is_none_and_the_record_says_so() {
    for to in [&[0xa0, 3, 4, 2, 0][..], &[0xa0, 2, 0x21, 0x43], &[0xa0, 3, 2, 1, 0x21]] {
        let heard = send(&[udt(to, &text(NUMBER))]).0;
        let told = (None, 1, Verdict::Dangerous, vec!["number in pieces that make none"]);
        assert_eq!(heard, [told], "{to:02x?}");
    }
    // One without digits is none either.
    assert_eq!(send(&[udt(&[0x80, 1, 0xff], &text(NUMBER))]).0[0].0, None);
}

#[test]
fn parts_are_joined_whatever_bits_differ_that_nobody_reads() {
    let bytes = [Reference::Byte(7), Reference::Byte(7)];
    let [first, second] = parts(NUMBER, bytes);
    let [_, wide] = parts(NUMBER, [Reference::Byte(7), Reference::Wide(7)]);
    // Octet 7 of the address field holds the last digit and the filler.
    let mut filled = second.clone();
    assert_eq!(filled[8], 0xf2);
    filled[8] = 0x02;
    let [first_named, mut named] = parts(NAME, bytes);
    named[8] |= 0xfc;
    let whole = primitive(&IMSI);
    let mut zero = IMSI;
    zero[7] &= 0x0f;
    let cases: [(&str, [Vec<u8>; 2]); 7] = [
        ("alike", [udt(&whole, &first), udt(&whole, &second)]),
        ("the width of the reference", [udt(&whole, &first), udt(&whole, &wide)]),
        ("the filler of TP-OA", [udt(&whole, &first), udt(&whole, &filled)]),
        ("the spare bits of a name", [udt(&whole, &first_named), udt(&whole, &named)]),
        ("pieces of the IMSI", [udt(&whole, &first), udt(&cut(&[3, 8]), &second)]),
        ("other pieces of the IMSI", [udt(&cut(&[8]), &first), udt(&cut(&[1, 3, 8]), &second)]),
        ("the filler of the IMSI", [udt(&whole, &first), udt(&primitive(&zero), &second)]),
    ];
    for (what, units) in cases {
        let heard = send(&units).0;
        assert_eq!((heard[1].1, heard[1].2), (2, Verdict::Dangerous), "{what}");
    }
}

#[test]
fn parts_that_a_handset_tells_apart_are_not_joined() {
    let bytes = [Reference::Byte(7), Reference::Byte(7)];
    let ([first, second], [_, named]) = (parts(NUMBER, bytes), parts(NAME, bytes));
    let [_, other] = parts(NUMBER, [Reference::Byte(7), Reference::Wide(0x0107)]);
    let (whole, mut another) = (primitive(&IMSI), IMSI);
    another[7] = 0xf8;
    let cases: [(&str, [Vec<u8>; 2]); 3] = [
        ("the sender", [udt(&whole, &first), udt(&whole, &named)]),
        ("the reference", [udt(&whole, &first), udt(&whole, &other)]),
        ("the recipient", [udt(&whole, &first), udt(&primitive(&another), &second)]),
    ];
    for (what, units) in cases {
        let heard = send(&units).0;
        assert_eq!(heard[1].1, 1, "{what}");
    }
}

/// A UDT of one message of a dialogue: forwardSM of version 2, behind which more follow or not. Both addresses are left out where nobody is
/// named (TS 29.002 §12.9: more messages to send).
fn in_dialogue(otid: u8, named: Option<Destination<'_>>, tpdu: &[u8], more: bool) -> Vec<u8> {
    let (mut argument, mut invoke, mut message) = (Vec::new(), Vec::new(), Vec::new());
    let centre = Origination::ServiceCentre(AddressString(&[0x91, 0x94, 0x51, 0x02]));
    let from = if named.is_some() { centre } else { Origination::None };
    map::push_forward_sm(&mut argument, named.unwrap_or(Destination::None), from, tpdu, more);
    tcap::push_invoke(&mut invoke, 1, None, tcap::Opcode::Local(46), &argument);
    tcap::push_continue(&mut message, &[0, 0, 0, otid], &[0, 0, 1, otid], &[], &invoke);
    unit(&message)
}

#[test]
fn a_message_that_names_nobody_is_for_whom_the_one_before_it_in_the_dialogue_was() {
    let [first, second] = parts(NUMBER, [Reference::Byte(7); 2]);
    let imsi = Destination::Imsi(Tbcd(&IMSI));
    let units = [
        in_dialogue(1, Some(imsi), &first, true),
        in_dialogue(1, None, &text(NUMBER), true),
        in_dialogue(1, None, &second, false),
    ];
    let heard = send(&units).0;
    let told = |heard: &(Option<String>, u8, Verdict, Vec<_>)| (heard.0.clone(), heard.1, heard.2);
    let whose = Some("001010123456789".to_owned());
    assert_eq!(told(&heard[1]), (whose.clone(), 1, Verdict::Dangerous));
    assert_eq!(told(&heard[2]), (whose, 2, Verdict::Dangerous));
    let lmsi = Destination::Lmsi(&[1, 2, 3, 4]);
    let units = [in_dialogue(1, Some(lmsi), &first, true), in_dialogue(1, None, &second, false)];
    assert_eq!(told(&send(&units).0[1]), (None, 2, Verdict::Dangerous));
}

#[test]
fn parts_that_name_nobody_are_joined_in_one_dialogue_alone() {
    let [first, second] = parts(NUMBER, [Reference::Byte(7); 2]);
    let joined = |dialogues: [u8; 2]| {
        let [one, other] = dialogues;
        send(&[in_dialogue(one, None, &first, true), in_dialogue(other, None, &second, false)]).0[1].1
    };
    assert_eq!([joined([1, 1]), joined([1, 2])], [2, 1]);
}
