use super::*;

/// go-sccp's "UDT-2Bytes-PartyAddress".
const UDT: [u8; 12] = [9, 0x81, 3, 5, 7, 2, 0x42, 6, 2, 0x42, 7, 0];

#[test]
fn a_connection_oriented_message_is_named() {
    let error = Unitdata::parse(&[1, 1, 2, 3, 2, 2], Variant::Itu).unwrap_err();
    assert_eq!(error.to_string(), "SCCP byte 0: not read: SCCP connection request");
}

#[test]
fn a_message_cut_anywhere_is_an_error_and_never_a_panic() {
    (0..UDT.len()).for_each(|end| assert!(Unitdata::parse(&UDT[..end], Variant::Itu).is_err(), "cut at {end}"));
    assert!(Unitdata::parse(&UDT, Variant::Itu).is_ok());
}
