use super::*;
use crate::ber::{Reader, Tlv};
use crate::tcap::{ApplicationContext, Invoke, Mark, Marks, Opcode};
use crate::{Error, Layer, Why};

fn element(data: &[u8]) -> Tlv<'_> {
    Reader::new(data, Layer::Map).next().unwrap().unwrap()
}

fn invoke(code: i64, argument: &[u8]) -> Invoke<'_> {
    Invoke { invoke_id: 1, linked_id: None, opcode: Opcode::Local(code), argument: Some(element(argument)), marks: Marks::none() }
}

/// Reads an argument under an opcode and gives what `tell` finds in it.
fn with<T>(code: i64, argument: &[u8], tell: impl FnOnce(&ForwardSm<'_>) -> T) -> Result<T, Error> {
    let mut scratch = [0; 255];
    ForwardSm::parse(&invoke(code, argument), None, &mut scratch).map(|forward| tell(&forward))
}

const IMSI: [u8; 4] = [0x80, 2, 0x21, 0x43];
const LMSI: [u8; 3] = [0x81, 1, 9];
const ROAMING: [u8; 4] = [0x83, 2, 0x91, 0x21];
const CENTRE: [u8; 4] = [0x84, 2, 0x91, 0x65];
const MSISDN: [u8; 4] = [0x82, 2, 0x91, 0x43];
const NOBODY: [u8; 2] = [0x85, 0];
const UI: [u8; 3] = [4, 1, 0x77];

fn argument(parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

#[test]
fn numbers_come_back_as_they_were_written() {
    let mut octets = Vec::new();
    push_address_string(&mut octets, 0x91, "15550100001");
    let number = AddressString(&octets);
    assert_eq!((number.to_string().as_str(), number.nai(), number.npi()), ("15550100001", 1, 1));
    assert!(number.extension());
    let mut octets = Vec::new();
    push_tbcd(&mut octets, "01*#ab");
    assert_eq!(Tbcd(&octets).to_string(), "01*#ab");
    assert_eq!((Tbcd(&[0x21, 0xf3, 0x99]).to_string(), AddressString(&[]).to_string()), ("123".to_owned(), String::new()));
}

#[test]
fn each_choice_of_destination_and_origination_is_read() {
    let imsi = Destination::Imsi(Tbcd(&[0x21, 0x43]));
    let centre = AddressString(&[0x91, 0x65]);
    let cases: [(&[u8], &[u8], Destination<'_>, Origination<'_>); 6] = [
        (&IMSI, &CENTRE, imsi, Origination::ServiceCentre(centre)),
        (&LMSI, &CENTRE, Destination::Lmsi(&[9]), Origination::ServiceCentre(centre)),
        (&ROAMING, &CENTRE, Destination::RoamingNumber(AddressString(&[0x91, 0x21])), Origination::ServiceCentre(centre)),
        (&CENTRE, &MSISDN, Destination::ServiceCentre(centre), Origination::Msisdn(AddressString(&[0x91, 0x43]))),
        (&CENTRE, &CENTRE, Destination::ServiceCentre(centre), Origination::ServiceCentre(centre)),
        (&NOBODY, &NOBODY, Destination::None, Origination::None),
    ];
    for (to, from, destination, origination) in cases {
        let argument = argument(&[to, from, &UI]);
        let read = with(46, &argument, |forward| {
            assert_eq!((forward.destination, forward.origination), (destination, origination));
            (forward.sm_rp_ui.to_vec(), forward.marks.is_empty())
        });
        assert_eq!(read, Ok((vec![0x77], true)));
    }
}

#[test]
fn octet_strings_behind_the_text_are_the_senders_imsi_in_an_mo_and_a_time_in_an_mt() {
    let argument = argument(&[&CENTRE, &MSISDN, &UI, &[5, 0], &[4, 2, 0x10, 0x32]]);
    let tell = |forward: &ForwardSm<'_>| (forward.more_messages, forward.imsi.map(|imsi| imsi.to_string()));
    assert_eq!(with(46, &argument, tell), Ok((true, Some("0123".to_owned()))));
    assert_eq!(with(44, &argument, tell), Ok((true, None)));
}

#[test]
fn a_group_call_has_its_reference_in_the_destinations_place() {
    let call = argument(&[&[4, 2, 0xaa, 0xbb], &CENTRE, &UI]);
    assert_eq!(with(21, &call, |forward| (forward.sm_rp_ui.to_vec(), forward.vgcs)), Ok((vec![0x77], true)));
    // The shape of another forwardSM under the same code is read as that.
    let other = argument(&[&IMSI, &CENTRE, &UI]);
    assert_eq!(with(21, &other, |forward| (forward.sm_rp_ui.to_vec(), forward.vgcs)), Ok((vec![0x77], false)));
}

#[test]
fn an_argument_of_that_shape_is_a_short_message_under_any_code_and_says_so() {
    let argument = argument(&[&IMSI, &CENTRE, &UI]);
    for code in [0, 45, 99, -1] {
        let read = with(code, &argument, |forward| (forward.operation, forward.marks.has(Mark::OddOperation)));
        assert_eq!(read, Ok((None, true)), "{code}");
    }
    let global = Invoke { opcode: Opcode::Global(&[4, 0, 1]), ..invoke(0, &argument) };
    assert_eq!(ForwardSm::parse(&global, None, &mut []).unwrap().sm_rp_ui, [0x77]);
}

#[test]
fn other_operations_are_named() {
    let routing = [0x30, 9, 0x80, 1, 0x91, 0x81, 1, 0xff, 0x82, 1, 0x91];
    assert_eq!(with(45, &routing, |_| ()).unwrap_err().why, Why::NotOurs("sendRoutingInfoForSM"));
    assert_eq!(with(99, &routing, |_| ()).unwrap_err().why, Why::NotOurs("unknown operation"));
    let bare = Invoke { argument: None, ..invoke(46, &routing) };
    assert_eq!(ForwardSm::parse(&bare, None, &mut []).unwrap_err().why, Why::Missing("argument"));
    // CAP's operations of the same number, under CAP's context.
    let cap = Some(ApplicationContext { code: 50, version: 1 });
    let error = ForwardSm::parse(&invoke(46, &routing), cap, &mut []).unwrap_err();
    assert_eq!(error.why, Why::NotOurs("operation of another application"));
    assert_eq!(with(46, &routing, |_| ()).unwrap_err().to_string(), "MAP byte 11: sm-RP-UI is missing");
}

#[test]
fn an_address_written_as_a_constructed_octet_string_is_the_same_address() {
    let argument = argument(&[&[0xa0, 4, 4, 2, 0x21, 0x43], &[0xa4, 4, 4, 2, 0x91, 0x65], &UI]);
    let read = with(44, &argument, |forward| {
        assert_eq!(forward.destination, Destination::Imsi(Tbcd(&[0x21, 0x43])));
        assert_eq!(forward.origination, Origination::ServiceCentre(AddressString(&[0x91, 0x65])));
    });
    assert_eq!(read, Ok(()));
    assert!(ForwardSm::shaped(&element(&argument)));
}

#[test]
fn a_number_in_pieces_is_joined_however_it_was_cut() {
    let imsi: [&[u8]; 4] = [
        &[0xa0, 10, 4, 2, 0, 1, 4, 4, 0x21, 0x43, 0x65, 0xf7],
        &[0xa0, 0x80, 4, 1, 0, 0x24, 0x80, 4, 1, 1, 4, 0, 0, 0, 4, 4, 0x21, 0x43, 0x65, 0xf7, 0, 0],
        &[0xa0, 14, 4, 0x84, 0, 0, 0, 1, 0, 4, 5, 1, 0x21, 0x43, 0x65, 0xf7],
        &[0xa0, 24, 4, 1, 0, 4, 1, 1, 4, 1, 0x21, 4, 0, 4, 0, 4, 0, 4, 1, 0x43, 4, 1, 0x65, 4, 1, 0xf7],
    ];
    for imsi in imsi {
        let argument = argument(&[imsi, &[0xa4, 7, 4, 1, 0x91, 4, 2, 0x65, 0x87], &[0x24, 7, 4, 2, 1, 2, 4, 1, 3]]);
        assert!(ForwardSm::shaped(&element(&argument)), "{imsi:02x?}");
        let read = with(44, &argument, |forward| {
            assert_eq!(forward.destination, Destination::Imsi(Tbcd(&[0, 1, 0x21, 0x43, 0x65, 0xf7])));
            assert_eq!(forward.origination, Origination::ServiceCentre(AddressString(&[0x91, 0x65, 0x87])));
            (forward.sm_rp_ui.to_vec(), forward.marks.has(Mark::BrokenAddress))
        });
        assert_eq!(read, Ok((vec![1, 2, 3], false)));
    }
    let argument = argument(&[&CENTRE, &MSISDN, &[0x24, 3, 4, 1, 1], &[0x24, 6, 4, 1, 0x10, 4, 1, 0x32]]);
    let tell = |forward: &ForwardSm<'_>| (forward.sm_rp_ui.to_vec(), forward.imsi.map(|imsi| imsi.to_string()));
    assert_eq!(with(46, &argument, tell), Ok((vec![1], Some("0123".to_owned()))));
}

#[test]
fn a_number_whose_pieces_make_none_is_not_known_and_says_so() {
    let long = [&[0xa0, 26, 4, 12][..], &[0x11; 12], &[4, 10], &[0x11; 10]].concat();
    let broken: [&[u8]; 4] = [&[0xa0, 2, 0x21, 0x43], &[0xa0, 3, 2, 1, 0x21], &[0xa0, 3, 4, 2, 0x21], &long];
    for imsi in broken {
        let argument = argument(&[imsi, &CENTRE, &UI]);
        let tell = |forward: &ForwardSm<'_>| (forward.destination == Destination::Imsi(Tbcd(&[])), forward.sm_rp_ui.to_vec());
        assert_eq!(with(44, &argument, tell), Ok((true, vec![0x77])), "{imsi:02x?}");
        assert_eq!(with(44, &argument, |forward| forward.marks.has(Mark::BrokenAddress)), Ok(true), "{imsi:02x?}");
    }
    let nobody = argument(&[&[0xa5, 2, 5, 0], &CENTRE, &UI]);
    assert_eq!(with(44, &nobody, |forward| forward.marks.is_empty()), Ok(true));
}

#[test]
fn a_text_in_pieces_is_joined_and_one_longer_than_the_scratch_is_a_limit() {
    let argument = argument(&[&IMSI, &CENTRE, &[0x24, 7, 4, 2, 1, 2, 4, 1, 3]]);
    assert_eq!(with(44, &argument, |forward| (forward.sm_rp_ui.to_vec(), forward.joined)), Ok((vec![1, 2, 3], true)));
    let error = ForwardSm::parse(&invoke(44, &argument), None, &mut [0; 2]).unwrap_err();
    assert_eq!(error.why, Why::Limit("joined octet string"));
}

#[test]
fn an_argument_cut_anywhere_is_an_error_or_has_the_text_and_never_panics() {
    let whole = argument(&[&IMSI, &CENTRE, &UI, &[5, 0]]);
    for end in 0..whole.len() - 2 {
        let mut cut = whole[..end + 2].to_vec();
        cut[1] = u8::try_from(end).unwrap();
        let read = with(44, &cut, |forward| forward.sm_rp_ui.to_vec());
        assert_eq!(read.is_ok(), end >= IMSI.len() + CENTRE.len() + UI.len(), "cut at {end}");
    }
}

#[test]
fn direction_is_decided_in_one_order() {
    use Direction::{Mo, Mt};
    let context = |code, version| Some(ApplicationContext { code, version });
    let decide = |to: &[u8], from: &[u8], code, dialogue, context, ssn: (u8, u8)| {
        let argument = argument(&[to, from, &UI]);
        with(code, &argument, |forward| direction(forward, dialogue, context, Some(ssn.0), Some(ssn.1))).unwrap()
    };
    // The addresses, against all else.
    assert_eq!(decide(&IMSI, &CENTRE, 46, Some(Mo), context(21, 3), (8, 7)), (Mt, Evidence::Addresses));
    assert_eq!(decide(&LMSI, &NOBODY, 46, Some(Mo), context(21, 3), (8, 7)), (Mt, Evidence::Addresses));
    assert_eq!(decide(&CENTRE, &MSISDN, 44, Some(Mt), context(25, 3), (7, 8)), (Mo, Evidence::Addresses));
    // Neither: the dialogue's, else MT.
    assert_eq!(decide(&NOBODY, &NOBODY, 46, Some(Mo), context(25, 3), (7, 8)), (Mo, Evidence::Dialogue));
    assert_eq!(decide(&NOBODY, &NOBODY, 46, None, context(21, 3), (8, 7)), (Mt, Evidence::NoAddresses));
    // One that does not tell: the context, but not version 1's relay of both ways.
    assert_eq!(decide(&CENTRE, &CENTRE, 46, Some(Mt), context(21, 2), (7, 8)), (Mo, Evidence::Context));
    assert_eq!(decide(&CENTRE, &CENTRE, 46, Some(Mo), context(25, 2), (8, 7)), (Mt, Evidence::Context));
    assert_eq!(decide(&CENTRE, &CENTRE, 46, None, context(21, 1), (7, 8)), (Mt, Evidence::Subsystem));
    assert_eq!(decide(&CENTRE, &CENTRE, 46, None, None, (8, 149)), (Mo, Evidence::Subsystem));
    assert_eq!(decide(&CENTRE, &CENTRE, 46, None, None, (8, 8)), (Mo, Evidence::Operation));
    assert_eq!(decide(&ROAMING, &CENTRE, 46, None, None, (8, 8)), (Mt, Evidence::Operation));
    assert_eq!(decide(&CENTRE, &CENTRE, 44, None, None, (8, 8)), (Mt, Evidence::Operation));
}

#[test]
fn the_version_is_the_contexts_or_what_the_operation_tells() {
    let plain = argument(&[&IMSI, &CENTRE, &UI]);
    let with_imsi = argument(&[&CENTRE, &MSISDN, &UI, &[4, 1, 0x21]]);
    let second = Some(ApplicationContext { code: 25, version: 2 });
    let told = |code, argument: &[u8], context, begin| with(code, argument, |forward| version(context, forward, begin)).unwrap();
    assert_eq!(told(46, &plain, second, true), Some(2));
    assert_eq!(told(44, &plain, None, true), Some(3));
    assert_eq!(told(46, &plain, None, true), Some(1));
    assert_eq!(told(46, &plain, None, false), None);
    assert_eq!(told(46, &with_imsi, None, false), Some(3));
}

#[test]
fn failures_tell_their_cause_in_either_version() {
    let first = element(&[0x0a, 1, 4]);
    let third = [0x30, 6, 0x0a, 1, 4, 4, 1, 0];
    for parameter in [first, element(&third)] {
        assert_eq!(delivery_failure_cause(&parameter).and_then(delivery_failure_name), Some("sc-Congestion"));
    }
    assert_eq!(absent_subscriber_diagnostic(&element(&[0x30, 3, 2, 1, 1])), Some(1));
    assert_eq!((error_name(6), error_name(32), error_name(250)), (Some("absentSubscriberSM"), Some("sm-DeliveryFailure"), None));
}

#[test]
fn what_surrounds_a_short_message_comes_back() {
    let (mut routing, mut status, mut alert) = (Vec::new(), Vec::new(), Vec::new());
    push_routing_info_for_sm(&mut routing, &[0x91, 0x21], true, &[0x91, 0x65]);
    push_report_delivery_status(&mut status, &[0x91, 0x21], &[0x91, 0x65], 1);
    push_alert_service_centre(&mut alert, &[0x91, 0x21], &[0x91, 0x65]);
    let (msisdn, centre) = (AddressString(&[0x91, 0x21]), AddressString(&[0x91, 0x65]));
    let routing = RoutingInfoForSm::parse(&element(&routing)).unwrap();
    assert_eq!(routing, RoutingInfoForSm { msisdn, priority: true, service_centre: Some(centre) });
    let status = DeliveryStatus::parse(&element(&status)).unwrap();
    assert_eq!(status, DeliveryStatus { msisdn, service_centre: centre, outcome: Some(1) });
    let alert = AlertServiceCentre::parse(&element(&alert)).unwrap();
    assert_eq!(alert, AlertServiceCentre { msisdn, service_centre: centre });
    assert_eq!(RoutingInfoForSm::parse(&element(&[0x30, 0])).unwrap_err().why, Why::Missing("msisdn"));
}

#[test]
fn a_number_around_a_short_message_is_read_in_one_piece_and_never_guessed_of_several() {
    let one = [0x30, 6, 0x24, 4, 4, 2, 0x21, 0x43];
    assert_eq!(RoutingInfoForSmResult::parse(&element(&one)).unwrap().imsi, Tbcd(&[0x21, 0x43]));
    let several = [0x30, 11, 0x24, 6, 4, 1, 0x21, 4, 1, 0x43, 4, 1, 0x65];
    assert_eq!(RoutingInfoForSmResult::parse(&element(&several)).unwrap_err().why, Why::Malformed("number in pieces"));
    let asked = [0x30, 8, 0xa0, 6, 4, 1, 0x91, 4, 1, 0x43];
    assert_eq!(RoutingInfoForSm::parse(&element(&asked)).unwrap_err().why, Why::Malformed("number in pieces"));
}

#[test]
fn each_operation_has_one_code_and_a_name_by_its_version() {
    for code in 0..=255 {
        let Some(operation) = Operation::from_code(code) else { continue };
        assert_eq!(i64::from(operation.code()), code);
        assert_eq!(operation_name(code), Some(operation.name(None)));
    }
    assert_eq!((Operation::ForwardSm.name(Some(3)), Operation::ForwardSm.name(Some(1))), ("mo-forwardSM", "forwardSM"));
}
