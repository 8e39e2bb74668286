//! SCCP, TCAP and MAP, as a tree.

use protocols::ber::{Reader, Tlv};
use protocols::map::{self, Destination, ForwardSm, Origination};
use protocols::sccp::{Address, Unitdata};
use protocols::tcap::{self, Component, Dialogue, DialoguePdu, Opcode};
use protocols::{Layer, sms};

use super::elements::elements;
use super::tpdu;
use super::tree::{Input, Node};
use crate::record_json::hex;

/// An SCCP message.
pub(super) fn sccp_message(input: Input<'_>, bytes: &[u8]) -> Node {
    let unit = match Unitdata::parse(bytes, input.sccp()) {
        Ok(unit) => unit,
        Err(error) => return input.failed("SCCP", bytes, error),
    };
    let mut node = input.node(format!("SCCP {}", unit.kind.name()), bytes);
    let second = match unit.return_cause {
        Some(cause) => input.field("return cause", bytes, 1, 1, cause),
        None => {
            let back = if unit.return_on_error { ", return on error" } else { "" };
            input.field("protocol class", bytes, 1, 1, format_args!("{}{back}", unit.class))
        }
    };
    node.push(second);
    if let Some(hops) = unit.hop_counter {
        node.push(input.field("hop counter", bytes, 2, 1, hops));
    }
    node.push(address(input, "called party", &unit.called_party));
    node.push(address(input, "calling party", &unit.calling_party));
    if let Some(importance) = unit.importance {
        node.push(input.node("importance", bytes.get(..0).unwrap_or_default()).with(importance));
    }
    if let Some(piece) = unit.segmentation {
        let first = if piece.first { "first, " } else { "" };
        let value = format!("{first}{} to come, reference {:06x}", piece.remaining, piece.local_reference);
        node.push(input.node("segmentation", bytes.get(..0).unwrap_or_default()).with(value));
        if !piece.first || piece.remaining > 0 {
            node.push(input.raw("piece of a TCAP message (its other pieces are in other messages)", unit.data));
            return node;
        }
    }
    node.push(tcap_message_of(input, unit.data, Some(&unit)));
    node
}

fn address(input: Input<'_>, name: &str, address: &Address<'_>) -> Node {
    let mut node = input.node(name, address.raw);
    let route = if address.route_on_ssn { "SSN" } else { "GT" };
    let mut value = format!("route on {route}");
    if let Some(ssn) = address.ssn {
        value += &format!(", SSN {ssn} ({})", ssn_name(ssn));
    }
    if let Some(pc) = address.pc {
        value += &format!(", PC {pc}");
    }
    if let Some(gt) = &address.gt {
        value += &format!(", GT {}", gt.digits);
        let fields = [("TT", gt.tt), ("plan", gt.np), ("encoding", gt.es), ("nature", gt.nai)];
        let fields: Vec<String> = fields.into_iter().filter_map(|(name, n)| Some(format!("{name} {}", n?))).collect();
        value += &format!(" ({})", fields.join(", "));
    } else if address.gti != 0 {
        value += &format!(", GT of unknown indicator {}", address.gti);
    }
    if address.malformed {
        node.unread("the indicator promises more than there is");
    }
    node.with(value)
}

const fn ssn_name(ssn: u8) -> &'static str {
    match ssn {
        0 => "unknown",
        5 => "MAP",
        6 => "HLR",
        7 => "VLR",
        8 => "MSC",
        9 => "EIR",
        10 => "AuC",
        146 => "CAP",
        147 => "gsmSCF",
        148 => "SIWF",
        149 => "SGSN",
        150 => "GGSN",
        _ => "other",
    }
}

/// A TCAP message given bare.
pub(super) fn tcap_message(input: Input<'_>, bytes: &[u8]) -> Node {
    tcap_message_of(input, bytes, None)
}

fn tcap_message_of(input: Input<'_>, bytes: &[u8], unit: Option<&Unitdata<'_>>) -> Node {
    let message = match tcap::Message::parse(bytes) {
        Ok(message) => message,
        Err(error) => {
            let mut node = input.failed("TCAP", bytes, error);
            elements(input, &mut node, bytes, 0);
            return node;
        }
    };
    let mut node = input.node(format!("TCAP {}", message.kind.name()), bytes);
    for mark in message.marks.iter().filter(|mark| *mark != tcap::Mark::Indefinite) {
        node.problem(mark.name());
    }
    for (name, id) in [("originating transaction", message.otid), ("destination transaction", message.dtid)] {
        if let Some(id) = id {
            node.push(input.node(name, id).with(hex(id)));
        }
    }
    if let Some(cause) = message.p_abort {
        node.push(input.node("P-Abort cause", bytes.get(..0).unwrap_or_default()).with(cause));
    }
    if let Some(dialogue) = message.dialogue() {
        node.push(dialogue_portion(input, &dialogue));
    }
    let ssns = unit.map(|unit| (unit.called_party.ssn, unit.calling_party.ssn)).unwrap_or_default();
    for item in message.components() {
        match item {
            Ok(item) => node.push(component(input, &message, &item, ssns)),
            Err(error) => node.wrong(input, bytes, error),
        }
    }
    node
}

fn dialogue_portion(input: Input<'_>, dialogue: &Dialogue<'_>) -> Node {
    let name = match dialogue.pdu {
        DialoguePdu::Request => "dialogue request (AARQ)",
        DialoguePdu::Response => "dialogue response (AARE)",
        DialoguePdu::Abort => "dialogue abort (ABRT)",
    };
    let mut node = input.node(name, &[]);
    if let Some(octets) = dialogue.application_context_name {
        let value = match dialogue.application_context {
            Some(context) => {
                format!("{}.v{} (0.4.0.0.1.0.{}.{})", context.name(), context.version, context.code, context.version)
            }
            None => format!("not MAP: {}", hex(octets)),
        };
        node.push(input.node("application context", octets).with(value));
    }
    let numbers = [("result", dialogue.result), ("diagnostic", dialogue.diagnostic), ("abort source", dialogue.abort_source)];
    for (name, number) in numbers {
        if let Some(number) = number {
            node.push(input.node(name, &[]).with(number));
        }
    }
    if let Some(octets) = dialogue.user_information {
        let mut information = input.node("user information", octets);
        if let Some(map) = dialogue.map {
            information = information.with(format_args!("map-dialogue {map:?}"));
        }
        let references = [
            ("destination reference", dialogue.destination_reference),
            ("origination reference", dialogue.origination_reference),
        ];
        for (name, octets) in references {
            if let Some(octets) = octets {
                information.push(input.node(name, octets).with(map::AddressString(octets)));
            }
        }
        if dialogue.map.is_none() {
            elements(input, &mut information, octets, 0);
        }
        node.push(information);
    }
    node
}

fn code_name(opcode: Opcode<'_>, name: impl Fn(i64) -> Option<&'static str>) -> String {
    match opcode {
        Opcode::Local(code) => format!("{code} ({})", name(code).unwrap_or("unknown")),
        Opcode::Global(_) => opcode.to_string(),
    }
}

fn component(input: Input<'_>, message: &tcap::Message<'_>, item: &Component<'_>, ssns: (Option<u8>, Option<u8>)) -> Node {
    let mut node = input.node(item.name(), &[]);
    match item {
        Component::Invoke(invoke) => {
            let id = invoke.linked_id.map_or_else(String::new, |linked| format!(", linked to {linked}"));
            node.push(input.node("invoke id", &[]).with(format_args!("{}{id}", invoke.invoke_id)));
            node.push(input.node("operation", &[]).with(code_name(invoke.opcode, map::operation_name)));
            if let Some(argument) = &invoke.argument {
                node.push(operation(input, message, invoke, argument, ssns));
            }
        }
        Component::ReturnResult(result) => {
            node.push(input.node("invoke id", &[]).with(result.invoke_id));
            if let Some(opcode) = result.opcode {
                node.push(input.node("operation", &[]).with(code_name(opcode, map::operation_name)));
            }
            if let Some(parameter) = &result.parameter {
                let mut shown = input.node("parameter", parameter.raw);
                if result.opcode == Some(Opcode::Local(45))
                    && let Ok(found) = map::RoutingInfoForSmResult::parse(parameter)
                {
                    shown.push(input.node("IMSI", found.imsi.0).with(found.imsi));
                    if let Some(node_number) = found.network_node {
                        shown.push(input.node("network node", node_number.0).with(node_number));
                    }
                    if let Some(lmsi) = found.lmsi {
                        shown.push(input.raw("LMSI", lmsi));
                    }
                }
                elements(input, &mut shown, parameter.raw, 0);
                node.push(shown);
            }
        }
        Component::ReturnError(error) => {
            node.push(input.node("invoke id", &[]).with(error.invoke_id));
            node.push(input.node("error", &[]).with(code_name(error.code, map::error_name)));
            if let Some(parameter) = &error.parameter {
                let mut shown = input.node("parameter", parameter.raw);
                if error.code == Opcode::Local(map::DELIVERY_FAILURE)
                    && let Some(cause) = map::delivery_failure_cause(parameter)
                {
                    let name = map::delivery_failure_name(cause).unwrap_or("unknown");
                    shown.push(input.node("cause", &[]).with(format_args!("{cause} ({name})")));
                }
                elements(input, &mut shown, parameter.raw, 0);
                node.push(shown);
            }
        }
        Component::Reject(reject) => {
            let id = reject.invoke_id.map_or_else(|| "none".to_owned(), |id| id.to_string());
            node.push(input.node("invoke id", &[]).with(id));
            if let Some(problem) = reject.problem {
                node.push(input.node("problem", &[]).with(format_args!("{problem:?}")));
            }
        }
    }
    node
}

/// An argument, as a forwardSM if it has that shape.
fn operation(
    input: Input<'_>,
    message: &tcap::Message<'_>,
    invoke: &tcap::Invoke<'_>,
    argument: &Tlv<'_>,
    (called_ssn, calling_ssn): (Option<u8>, Option<u8>),
) -> Node {
    let context = message.application_context();
    let mut scratch = [0; 512];
    match ForwardSm::parse(invoke, context, &mut scratch) {
        Ok(forward) => {
            let (direction, evidence) = map::direction(&forward, None, context, called_ssn, calling_ssn);
            let version = map::version(context, &forward, message.kind == tcap::Kind::Begin);
            let mut node = forward_sm(input, argument, &forward, direction, version);
            node.push(input.node("direction", &[]).with(format_args!("{}, by {}", direction.name(), evidence.name())));
            node
        }
        Err(error) => {
            let mut node = input.node("argument", argument.raw);
            if !matches!(error.why, protocols::Why::NotOurs(_)) {
                node.wrong(input, argument.raw, error);
            }
            known_argument(input, &mut node, invoke.opcode, argument);
            elements(input, &mut node, argument.raw, 0);
            node
        }
    }
}

fn known_argument(input: Input<'_>, node: &mut Node, opcode: Opcode<'_>, argument: &Tlv<'_>) {
    match opcode {
        Opcode::Local(45) => {
            if let Ok(asked) = map::RoutingInfoForSm::parse(argument) {
                node.push(input.node("MSISDN", asked.msisdn.0).with(asked.msisdn));
                if let Some(centre) = asked.service_centre {
                    node.push(input.node("service centre", centre.0).with(centre));
                }
            }
        }
        Opcode::Local(47) => {
            if let Ok(status) = map::DeliveryStatus::parse(argument) {
                node.push(input.node("MSISDN", status.msisdn.0).with(status.msisdn));
                node.push(input.node("service centre", status.service_centre.0).with(status.service_centre));
            }
        }
        Opcode::Local(49 | 64) => {
            if let Ok(alert) = map::AlertServiceCentre::parse(argument) {
                node.push(input.node("MSISDN", alert.msisdn.0).with(alert.msisdn));
                node.push(input.node("service centre", alert.service_centre.0).with(alert.service_centre));
            }
        }
        _ => {}
    }
}

fn forward_sm(
    input: Input<'_>,
    argument: &Tlv<'_>,
    forward: &ForwardSm<'_>,
    direction: map::Direction,
    version: Option<u8>,
) -> Node {
    let name = forward.operation.map_or("shaped like a forwardSM", |operation| operation.name(version));
    let mut node = input.node(name, argument.raw);
    for mark in forward.marks.iter().filter(|mark| *mark != tcap::Mark::Indefinite) {
        node.problem(mark.name());
    }
    node.push(match forward.destination {
        Destination::Imsi(imsi) => input.node("sm-RP-DA: IMSI", imsi.0).with(imsi),
        Destination::Lmsi(lmsi) => input.raw("sm-RP-DA: LMSI", lmsi),
        Destination::RoamingNumber(number) => input.node("sm-RP-DA: roaming number", number.0).with(number),
        Destination::ServiceCentre(number) => input.node("sm-RP-DA: service centre", number.0).with(number),
        Destination::None => input.node("sm-RP-DA: none", &[]),
    });
    node.push(match forward.origination {
        Origination::Msisdn(number) => input.node("sm-RP-OA: MSISDN", number.0).with(number),
        Origination::ServiceCentre(number) => input.node("sm-RP-OA: service centre", number.0).with(number),
        Origination::None => input.node("sm-RP-OA: none", &[]),
    });
    let direction = match direction {
        map::Direction::Mt => sms::Direction::MobileTerminated,
        map::Direction::Mo => sms::Direction::MobileOriginated,
    };
    node.push(tpdu::tpdu(input, forward.sm_rp_ui, direction));
    if forward.more_messages {
        node.push(input.node("moreMessagesToSend", &[]));
    }
    if let Some(imsi) = forward.imsi {
        node.push(input.node("IMSI", imsi.0).with(imsi));
    }
    node
}

/// A MAP argument given bare: a forwardSM if it has that shape, else its elements.
pub(super) fn map_argument(input: Input<'_>, bytes: &[u8], direction: Option<map::Direction>) -> Node {
    let argument = match Reader::new(bytes, Layer::Map).next() {
        Some(Ok(argument)) => argument,
        Some(Err(error)) => return input.failed("MAP argument", bytes, error),
        None => return input.node("MAP argument", bytes),
    };
    // Nothing but the argument is there, so an invoke is put around it that says as little as one can.
    let opcode = Opcode::Local(if direction == Some(map::Direction::Mo) { 46 } else { 44 });
    let invoke = tcap::Invoke { invoke_id: 0, linked_id: None, opcode, argument: Some(argument), marks: tcap::Marks::default() };
    let mut scratch = [0; 512];
    match ForwardSm::parse(&invoke, None, &mut scratch) {
        Ok(forward) => {
            let known = direction.unwrap_or_else(|| map::direction(&forward, None, None, None, None).0);
            forward_sm(input, &argument, &ForwardSm { operation: None, ..forward }, known, None)
        }
        Err(_) => {
            let mut node = input.node("MAP argument", bytes);
            elements(input, &mut node, bytes, 0);
            node
        }
    }
}
