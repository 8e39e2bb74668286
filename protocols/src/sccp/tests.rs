use super::*;

/// go-sccp's "UDT-2Bytes-PartyAddress".
const UDT: [u8; 12] = [9, 0x81, 3, 5, 7, 2, 0x42, 6, 2, 0x42, 7, 0];

/// go-sccp's "XUDT/with optionals", with shorter addresses.
const XUDT: [u8; 25] = [0x11, 0x81, 2, 4, 6, 8, 0x0a, 2, 0x42, 6, 2, 0x42, 7, 2, 0xde, 0xad, 0x10, 4, 0xc2, 1, 2, 3, 0x12, 1, 2];

/// jss7's "getDataLudt1", its data cut to two octets.
const LUDT: [u8; 30] =
    [0x13, 1, 0x0a, 7, 0, 8, 0, 0x0b, 0, 0x0d, 0, 2, 0x42, 8, 4, 0x43, 1, 0, 6, 2, 0, 0x0b, 0x0c, 0x10, 4, 0x80, 1, 0, 0, 0];

#[test]
fn a_connection_oriented_message_is_named() {
    for (code, name) in [(1, "SCCP connection request"), (6, "SCCP data form 1"), (0x10, "SCCP inactivity test")] {
        assert_eq!(Unitdata::parse(&[code, 1, 2, 3, 2, 2], Variant::Itu).unwrap_err().why, Why::NotOurs(name));
    }
    let error = Unitdata::parse(&[0x77, 0], Variant::Itu).unwrap_err();
    assert_eq!(error.to_string(), "SCCP byte 0: not read: unknown SCCP message type");
}

#[test]
fn management_is_named_and_a_short_message_to_subsystem_1_is_not_taken_for_it() {
    let mut management = [9, 0, 3, 5, 7, 2, 0x42, 1, 2, 0x42, 1, 5, 3, 8, 2, 0, 0];
    assert_eq!(Unitdata::parse(&management, Variant::Itu).unwrap().management(), Some("SCCP management: subsystem status test"));
    management[12] = 0x62;
    assert_eq!(Unitdata::parse(&management, Variant::Itu).unwrap().management(), None);
}

#[test]
fn optional_parts_are_read_with_or_without_their_end() {
    let unitdata = Unitdata::parse(&XUDT, Variant::Itu).unwrap();
    let segmentation = Segmentation { first: true, class: 1, remaining: 2, local_reference: 0x01_0203 };
    assert_eq!((unitdata.segmentation, unitdata.importance), (Some(segmentation), Some(2)));
    assert_eq!((unitdata.hop_counter, unitdata.data), (Some(2), &[0xde, 0xad][..]));
    let closed = [&XUDT[..], &[0]].concat();
    assert_eq!(Unitdata::parse(&closed, Variant::Itu).unwrap(), unitdata);
}

#[test]
fn pointers_of_two_octets_count_from_their_second_least_significant_first() {
    let unitdata = Unitdata::parse(&LUDT, Variant::Itu).unwrap();
    assert_eq!((unitdata.kind, unitdata.called_party.ssn, unitdata.calling_party.pc), (Kind::Ludt, Some(8), Some(1)));
    assert_eq!(unitdata.data, [0x0b, 0x0c]);
    assert_eq!(unitdata.segmentation.map(|segmentation| segmentation.local_reference), Some(0x01_0000));
}

#[test]
fn a_service_message_has_a_cause_and_no_class() {
    let mut message = UDT;
    message[..2].copy_from_slice(&[0x0a, 1]);
    let unitdata = Unitdata::parse(&message, Variant::Itu).unwrap();
    assert!(unitdata.kind.is_service() && !unitdata.return_on_error);
    assert_eq!((unitdata.return_cause, unitdata.class), (Some(1), 0));
}

#[test]
fn a_message_cut_anywhere_is_an_error_and_never_a_panic() {
    for message in [&UDT[..], &XUDT, &LUDT[..29]] {
        for end in 0..message.len() {
            // Between two optional parameters the end of the message may be meant.
            let between = message == XUDT && end == 22;
            assert_eq!(Unitdata::parse(&message[..end], Variant::Itu).is_ok(), between, "cut at {end}");
            let _ = layout(&message[..end]);
        }
        assert!(Unitdata::parse(message, Variant::Itu).is_ok());
    }
}

#[test]
fn a_pointer_or_length_that_lies_is_named_with_its_offset() {
    let cases = [
        (2, 0, "SCCP byte 2: malformed: SCCP pointer of zero"),
        (3, 9, "SCCP byte 3: truncated: 13 octets needed, 12 present"),
        (5, 9, "SCCP byte 5: truncated: 9 octets needed, 6 present"),
        (11, 1, "SCCP byte 11: truncated: 1 octets needed, 0 present"),
    ];
    for (at, value, error) in cases {
        let mut message = UDT;
        message[at] = value;
        assert_eq!(Unitdata::parse(&message, Variant::Itu).unwrap_err().to_string(), error);
    }
    let mut message = XUDT;
    message[17] = 3;
    assert_eq!(Unitdata::parse(&message, Variant::Itu).unwrap_err().to_string(), "SCCP byte 17: bad length 3");
    message[17] = 9;
    assert_eq!(Unitdata::parse(&message, Variant::Itu).unwrap_err().to_string(), "SCCP byte 17: bad length 9");
}

/// An address as people read it: indicator, point code, SSN, and the title's fields and digits.
fn told(raw: &[u8], variant: Variant) -> String {
    let Address { gti, pc, ssn, gt, malformed, .. } = Address::parse(raw, variant);
    let title = gt.map(|GlobalTitle { tt, np, es, nai, digits }| format!(" tt {tt:?} np {np:?} es {es:?} nai {nai:?} {digits}"));
    let malformed = if malformed { " malformed" } else { "" };
    format!("gti {gti} pc {pc:?} ssn {ssn:?}{}{malformed}", title.unwrap_or_default()).replace("Some", "").replace("None", "-")
}

#[test]
fn each_global_title_indicator_is_read_and_unknown_ones_stay_visible() {
    let itu: [(&[u8], &str); 9] = [
        (&[0x42, 8], "gti 0 pc - ssn (8)"),
        (&[0x43, 0xd0, 7, 8], "gti 0 pc (2000) ssn (8)"),
        (&[0x06, 8, 0x84, 0x21, 0x03], "gti 1 pc - ssn (8) tt - np - es - nai (4) 123"),
        (&[0x0a, 8, 9, 0x21, 0x43], "gti 2 pc - ssn (8) tt (9) np - es - nai - 1234"),
        (&[0x0e, 8, 9, 0x11, 0x21, 0x03], "gti 3 pc - ssn (8) tt (9) np (1) es (1) nai - 123"),
        (&[0x12, 8, 0, 0x12, 4, 0x21, 0xba], "gti 4 pc - ssn (8) tt (0) np (1) es (2) nai (4) 12ab"),
        (&[0x10, 0, 0x11, 4, 0x21, 0x03], "gti 4 pc - ssn - tt (0) np (1) es (1) nai (4) 123"),
        (&[0x3e, 8, 1, 2, 3], "gti 15 pc - ssn (8)"),
        (&[], "gti 0 pc - ssn -"),
    ];
    itu.iter().for_each(|(raw, text)| assert_eq!(told(raw, Variant::Itu), *text));
    let ansi: [(&[u8], &str); 3] = [
        (&[0xc3, 8, 3, 2, 1], "gti 0 pc (66051) ssn (8)"),
        (&[0x85, 8, 9, 0x11, 0x21, 0x03], "gti 1 pc - ssn (8) tt (9) np (1) es (1) nai - 123"),
        (&[0x89, 8, 9, 0x21, 0x43], "gti 2 pc - ssn (8) tt (9) np - es - nai - 1234"),
    ];
    ansi.iter().for_each(|(raw, text)| assert_eq!(told(raw, Variant::Ansi), *text));
    assert_eq!(told(&[0x43, 3, 2, 1, 8], Variant::China), "gti 0 pc (66051) ssn (8)");
}

#[test]
fn an_address_that_promises_more_than_it_has_is_marked_and_does_not_hide_the_message() {
    assert_eq!(told(&[0x43, 0xd0], Variant::Itu), "gti 0 pc - ssn - malformed");
    assert_eq!(told(&[0x12, 8, 0], Variant::Itu), "gti 4 pc - ssn (8) malformed");
    let message = [9, 0, 3, 4, 6, 1, 0x12, 2, 0x42, 8, 1, 0x62];
    let unitdata = Unitdata::parse(&message, Variant::Itu).unwrap();
    assert!(unitdata.called_party.malformed && unitdata.data == [0x62]);
}

#[test]
fn the_layout_moves_what_stands_behind_the_data_and_nothing_else() {
    let places = layout(&XUDT).unwrap();
    assert_eq!((places.length_at, places.data(), places.max_data()), (13, 14..16, 255));
    let mut message = XUDT.to_vec();
    places.resize(&mut message, 5).unwrap();
    message.splice(places.data(), [1, 2, 3, 4, 5]);
    let unitdata = Unitdata::parse(&message, Variant::Itu).unwrap();
    assert_eq!((unitdata.data, unitdata.importance), (&[1u8, 2, 3, 4, 5][..], Some(2)));
    let mut same = XUDT;
    assert_eq!(places.resize(&mut same, 256), None);
    // 254 octets fit the length, but not the pointer to the optional part behind them.
    assert_eq!((places.resize(&mut same, 254), same), (None, XUDT));
}

#[test]
fn a_layout_is_refused_where_parts_overlap_the_data() {
    let mut message = UDT;
    message[2] = 8; // the called party begins at the calling party's end: inside the data's length octet
    message[10] = 1;
    assert_eq!(layout(&message[..12]).unwrap_err().why, Why::Malformed("SCCP parts overlap"));
}
