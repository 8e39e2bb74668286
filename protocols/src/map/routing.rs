//! What stands around a forwardSM: where to send it, what became of it, who is there again.

use super::{AddressString, Tbcd};
use crate::ber::{self, Class, Tlv, universal};
use crate::error::{Error, Layer, Why};

/// Argument of sendRoutingInfoForSM, TS 29.002 §12.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoutingInfoForSm<'a> {
    /// Whose place is asked for.
    pub msisdn: AddressString<'a>,
    /// sm-RP-PRI: ask even if messages are waiting.
    pub priority: bool,
    /// Who asks.
    pub service_centre: Option<AddressString<'a>>,
}

/// Result of sendRoutingInfoForSM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoutingInfoForSmResult<'a> {
    /// The subscriber, or under home routing a correlation id in the same place.
    pub imsi: Tbcd<'a>,
    /// The serving node.
    pub network_node: Option<AddressString<'a>>,
    /// The subscriber's local number there.
    pub lmsi: Option<&'a [u8]>,
}

/// Argument of reportSM-DeliveryStatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryStatus<'a> {
    /// Who was not reached.
    pub msisdn: AddressString<'a>,
    /// By whom.
    pub service_centre: AddressString<'a>,
    /// 0 memory exceeded, 1 absent, 2 successful transfer. Version 1 leaves it out.
    pub outcome: Option<u8>,
}

/// Argument of alertServiceCentre, with or without result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertServiceCentre<'a> {
    /// Who is there again.
    pub msisdn: AddressString<'a>,
    /// Who wanted to know.
    pub service_centre: AddressString<'a>,
}

fn sequence(element: &Tlv<'_>) -> Result<(), Error> {
    let so = element.is(Class::Universal, universal::SEQUENCE) && element.constructed;
    if so { Ok(()) } else { Err(Error::new(Layer::Map, 0, Why::Malformed("parameter is not a sequence"))) }
}

const fn missing(what: &'static str) -> Error {
    Error::new(Layer::Map, 0, Why::Missing(what))
}

/// A number that is not in one piece is not known: better no word of it than a wrong one.
fn number<'a>(field: &Tlv<'a>) -> Result<&'a [u8], Error> {
    ber::in_one_piece(field).ok_or(Error::new(Layer::Map, 0, Why::Malformed("number in pieces")))
}

impl<'a> RoutingInfoForSm<'a> {
    /// Reads the argument.
    pub fn parse(argument: &Tlv<'a>) -> Result<Self, Error> {
        sequence(argument)?;
        let (mut msisdn, mut priority, mut service_centre) = (None, false, None);
        for field in argument.children(Layer::Map) {
            let field = field?;
            match (field.class, field.number) {
                (Class::Context, 0) => msisdn = Some(AddressString(number(&field)?)),
                (Class::Context, 1) => priority = field.content.first().is_some_and(|octet| *octet != 0),
                (Class::Context, 2) => service_centre = Some(AddressString(field.content)),
                _ => {}
            }
        }
        Ok(Self { msisdn: msisdn.ok_or(missing("msisdn"))?, priority, service_centre })
    }
}

impl<'a> RoutingInfoForSmResult<'a> {
    /// Reads the result's parameter, of version 2 or 3, and the MSC number of version 1.
    pub fn parse(parameter: &Tlv<'a>) -> Result<Self, Error> {
        sequence(parameter)?;
        let (mut imsi, mut network_node, mut lmsi) = (None, None, None);
        for field in parameter.children(Layer::Map) {
            let field = field?;
            match (field.class, field.number, field.constructed) {
                (Class::Universal, universal::OCTET_STRING, _) if imsi.is_none() => imsi = Some(Tbcd(number(&field)?)),
                (Class::Universal, universal::OCTET_STRING, _) => lmsi = Some(field.content),
                (Class::Context, 0, true) => {
                    for inner in field.children(Layer::Map) {
                        let inner = inner?;
                        match (inner.class, inner.number) {
                            (Class::Context, 1) => network_node = Some(AddressString(inner.content)),
                            (Class::Universal, universal::OCTET_STRING) => lmsi = Some(inner.content),
                            _ => {}
                        }
                    }
                }
                (Class::Context, 1, false) => network_node = Some(AddressString(field.content)),
                _ => {}
            }
        }
        Ok(Self { imsi: imsi.ok_or(missing("imsi"))?, network_node, lmsi })
    }
}

/// The octet strings at the head of a sequence, and the first ENUMERATED.
fn two_addresses<'a>(argument: &Tlv<'a>) -> Result<(AddressString<'a>, AddressString<'a>, Option<u8>), Error> {
    sequence(argument)?;
    let (mut addresses, mut count, mut outcome) = ([None; 2], 0usize, None);
    for field in argument.children(Layer::Map) {
        let field = field?;
        if field.is(Class::Universal, universal::OCTET_STRING) {
            if let Some(slot) = addresses.get_mut(count) {
                *slot = Some(AddressString(field.content));
            }
            count += 1;
        } else if field.is(Class::Universal, universal::ENUMERATED) && outcome.is_none() {
            outcome = field.octet();
        }
    }
    let [msisdn, service_centre] = addresses;
    Ok((msisdn.ok_or(missing("msisdn"))?, service_centre.ok_or(missing("serviceCentreAddress"))?, outcome))
}

impl<'a> DeliveryStatus<'a> {
    /// Reads the argument.
    pub fn parse(argument: &Tlv<'a>) -> Result<Self, Error> {
        let (msisdn, service_centre, outcome) = two_addresses(argument)?;
        Ok(Self { msisdn, service_centre, outcome })
    }
}

impl<'a> AlertServiceCentre<'a> {
    /// Reads the argument.
    pub fn parse(argument: &Tlv<'a>) -> Result<Self, Error> {
        let (msisdn, service_centre, _) = two_addresses(argument)?;
        Ok(Self { msisdn, service_centre })
    }
}

/// The cause in the parameter of sm-DeliveryFailure: bare in version 1, in a sequence since.
pub fn delivery_failure_cause(parameter: &Tlv<'_>) -> Option<u8> {
    if parameter.is(Class::Universal, universal::ENUMERATED) {
        return parameter.octet();
    }
    let mut fields = parameter.children(Layer::Map).map_while(Result::ok);
    fields.find(|field| field.is(Class::Universal, universal::ENUMERATED)).and_then(|cause| cause.octet())
}

/// The diagnostic in the parameter of absentSubscriberSM.
pub fn absent_subscriber_diagnostic(parameter: &Tlv<'_>) -> Option<u8> {
    let mut fields = parameter.children(Layer::Map).map_while(Result::ok);
    fields.find(|field| field.is(Class::Universal, universal::INTEGER)).and_then(|diagnostic| diagnostic.octet())
}
