//! Arguments, results and numbers appended to a buffer.

use super::{Destination, Origination};
use crate::ber::{Class, push, push_constructed, push_integer, universal};

/// Appends digits as a TBCD string: an IMSI. What TBCD cannot say is left out.
pub fn push_tbcd(out: &mut Vec<u8>, digits: &str) {
    let mut nibbles = digits.chars().filter_map(|digit| match digit {
        '0'..='9' | 'a'..='c' => digit.to_digit(16).map(|value| if value > 9 { value + 2 } else { value }),
        '*' => Some(10),
        '#' => Some(11),
        _ => None,
    });
    while let Some(low) = nibbles.next() {
        let high = nibbles.next().unwrap_or(0x0f);
        out.push((high << 4 | low).to_le_bytes()[0]);
    }
}

/// Appends the octets of an AddressString: `head` is extension, nature and plan (`0x91`: international E.164).
pub fn push_address_string(out: &mut Vec<u8>, head: u8, digits: &str) {
    out.push(head);
    push_tbcd(out, digits);
}

fn addresses(out: &mut Vec<u8>, destination: Destination<'_>, origination: Origination<'_>) {
    match destination {
        Destination::Imsi(imsi) => push(out, Class::Context, 0, imsi.0),
        Destination::Lmsi(lmsi) => push(out, Class::Context, 1, lmsi),
        Destination::RoamingNumber(number) => push(out, Class::Context, 3, number.0),
        Destination::ServiceCentre(centre) => push(out, Class::Context, 4, centre.0),
        Destination::None => push(out, Class::Context, 5, &[]),
    }
    self::origination(out, origination);
}

fn origination(out: &mut Vec<u8>, origination: Origination<'_>) {
    match origination {
        Origination::Msisdn(msisdn) => push(out, Class::Context, 2, msisdn.0),
        Origination::ServiceCentre(centre) => push(out, Class::Context, 4, centre.0),
        Origination::None => push(out, Class::Context, 5, &[]),
    }
}

/// Appends the argument of forwardSM of version 1 or 2 (46): the two are alike on the wire.
pub fn push_forward_sm(
    out: &mut Vec<u8>,
    destination: Destination<'_>,
    origination: Origination<'_>,
    sm_rp_ui: &[u8],
    more_messages: bool,
) {
    push_constructed(out, Class::Universal, universal::SEQUENCE, |out| {
        addresses(out, destination, origination);
        push(out, Class::Universal, universal::OCTET_STRING, sm_rp_ui);
        if more_messages {
            push(out, Class::Universal, universal::NULL, &[]);
        }
    });
}

/// Appends the argument of mt-forwardSM of version 3 (44).
pub fn push_mt_forward_sm(
    out: &mut Vec<u8>,
    destination: Destination<'_>,
    origination: Origination<'_>,
    sm_rp_ui: &[u8],
    more_messages: bool,
) {
    push_forward_sm(out, destination, origination, sm_rp_ui, more_messages);
}

/// Appends the argument of mo-forwardSM of version 3 (46); `imsi` is TBCD.
pub fn push_mo_forward_sm(
    out: &mut Vec<u8>,
    destination: Destination<'_>,
    origination: Origination<'_>,
    sm_rp_ui: &[u8],
    imsi: Option<&[u8]>,
) {
    push_constructed(out, Class::Universal, universal::SEQUENCE, |out| {
        addresses(out, destination, origination);
        push(out, Class::Universal, universal::OCTET_STRING, sm_rp_ui);
        if let Some(imsi) = imsi {
            push(out, Class::Universal, universal::OCTET_STRING, imsi);
        }
    });
}

/// Appends the argument of mt-forwardSM-VGCS (21).
pub fn push_mt_forward_sm_vgcs(out: &mut Vec<u8>, asci_call_reference: &[u8], from: Origination<'_>, sm_rp_ui: &[u8]) {
    push_constructed(out, Class::Universal, universal::SEQUENCE, |out| {
        push(out, Class::Universal, universal::OCTET_STRING, asci_call_reference);
        origination(out, from);
        push(out, Class::Universal, universal::OCTET_STRING, sm_rp_ui);
    });
}

/// Appends the argument of sendRoutingInfoForSM (45); the numbers are octets of an AddressString.
pub fn push_routing_info_for_sm(out: &mut Vec<u8>, msisdn: &[u8], priority: bool, service_centre: &[u8]) {
    push_constructed(out, Class::Universal, universal::SEQUENCE, |out| {
        push(out, Class::Context, 0, msisdn);
        push(out, Class::Context, 1, &[if priority { 0xff } else { 0 }]);
        push(out, Class::Context, 2, service_centre);
    });
}

/// Appends the result of sendRoutingInfoForSM: TBCD and an AddressString.
pub fn push_routing_info_for_sm_result(out: &mut Vec<u8>, imsi: &[u8], network_node: &[u8]) {
    push_constructed(out, Class::Universal, universal::SEQUENCE, |out| {
        push(out, Class::Universal, universal::OCTET_STRING, imsi);
        push_constructed(out, Class::Context, 0, |out| push(out, Class::Context, 1, network_node));
    });
}

/// Appends the argument of reportSM-DeliveryStatus (47).
pub fn push_report_delivery_status(out: &mut Vec<u8>, msisdn: &[u8], service_centre: &[u8], outcome: u8) {
    push_constructed(out, Class::Universal, universal::SEQUENCE, |out| {
        push(out, Class::Universal, universal::OCTET_STRING, msisdn);
        push(out, Class::Universal, universal::OCTET_STRING, service_centre);
        push_integer(out, Class::Universal, universal::ENUMERATED, i64::from(outcome));
    });
}

/// Appends the argument of alertServiceCentre (64).
pub fn push_alert_service_centre(out: &mut Vec<u8>, msisdn: &[u8], service_centre: &[u8]) {
    push_constructed(out, Class::Universal, universal::SEQUENCE, |out| {
        push(out, Class::Universal, universal::OCTET_STRING, msisdn);
        push(out, Class::Universal, universal::OCTET_STRING, service_centre);
    });
}

/// Appends the parameter of the error sm-DeliveryFailure of version 2 or 3.
pub fn push_delivery_failure(out: &mut Vec<u8>, cause: u8) {
    push_constructed(out, Class::Universal, universal::SEQUENCE, |out| {
        push_integer(out, Class::Universal, universal::ENUMERATED, i64::from(cause));
    });
}
