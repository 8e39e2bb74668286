//! `vectors.jsonl`: each one decodes as its record says, or is named as what it is.

use protocols::ber::Reader;
use protocols::map::{self, Direction, ForwardSm};
use protocols::sccp::{self, Unitdata, Variant};
use protocols::tcap::{Component, Invoke, Marks, Message, Opcode};
use protocols::{Layer, Why};

use super::{Vector, read_as_anything, vectors};

/// What tshark printed for the same octets, the first of several values.
fn tshark<'a>(vector: &'a Vector, field: &str) -> Option<&'a str> {
    vector.expect["tshark"][field].as_str()?.split('|').next()
}

fn of<'a>(all: &'a [Vector], layers: &'a [&str]) -> impl Iterator<Item = &'a Vector> {
    all.iter().filter(move |vector| layers.contains(&vector.layer.as_str()))
}

/// The service centre and the MSC of the generator's traffic.
const GENERATED: [&str; 2] = ["15550100001", "15550100002"];

#[test]
fn each_sccp_vector_is_read_or_named() {
    let (all, mut read, mut named) = (vectors(), 0, 0);
    for vector in of(&all, &["sccp"]) {
        let unitdata = match Unitdata::parse(&vector.data, Variant::Itu) {
            Ok(unitdata) => unitdata,
            Err(error) => {
                named += 1;
                // `addr_bin1` is a bare address that begins with 12, the type of an XUDTS.
                let bare = vector.note == "addr_bin1" && matches!(error.why, Why::Truncated { .. });
                assert!(bare || matches!(error.why, Why::NotOurs(_)), "{}: {error}", vector.note);
                continue;
            }
        };
        read += 1;
        let kind = format!("0x{:02x}", unitdata.kind.code());
        assert_eq!(tshark(vector, "sccp.message_type"), Some(kind.as_str()), "{}", vector.note);
        assert!(!unitdata.called_party.malformed && !unitdata.calling_party.malformed, "{}", vector.note);
        if let (Some(called), Some(calling)) = (unitdata.called_party.gt, unitdata.calling_party.gt) {
            let numbers = [called, calling].map(|title| title.digits.to_string());
            match vector.source.as_str() {
                "gen.py" => assert!(numbers.iter().all(|number| GENERATED.contains(&number.as_str())), "{numbers:?}"),
                "wmnsk/go-sccp" => assert_eq!(numbers, ["123456789012345", "9876543210"], "{}", vector.note),
                _ => {}
            }
        }
        let layout = sccp::layout(&vector.data).unwrap();
        assert_eq!(&vector.data[layout.data()], unitdata.data, "{}", vector.note);
        let mut copy = vector.data.clone();
        layout.resize(&mut copy, unitdata.data.len()).unwrap();
        assert_eq!(copy, vector.data, "{}: the same length changes nothing", vector.note);
    }
    assert!(all.is_empty() || (read, named) == (184, 33), "{read} read, {named} named");
}

#[test]
fn each_tcap_vector_has_the_transactions_and_operations_that_its_record_says() {
    let (all, mut read, mut operations) = (vectors(), 0, 0);
    for vector in of(&all, &["tcap"]) {
        let message = match Message::parse(&vector.data) {
            Ok(message) => message,
            Err(error) => {
                // A later segment of an XUDT, a UDTS's cut data, and jss7's message with bad syntax.
                let known = matches!(
                    (vector.note.as_str(), error.why),
                    ("pcapr.net capture", Why::NotOurs("not a TCAP message"))
                        | ("UDTS return" | "TCAPAbnormalTest.getMessageBadSyntax", Why::Truncated { .. })
                );
                assert!(known, "{}: {error}", vector.note);
                continue;
            }
        };
        read += 1;
        let hex = |id: Option<&[u8]>| id.map(|id| id.iter().map(|octet| format!("{octet:02x}")).collect::<String>());
        for (field, id) in [("tcap.otid", message.otid), ("tcap.dtid", message.dtid)] {
            if let Some(expected) = tshark(vector, field) {
                assert_eq!(hex(id).as_deref(), Some(expected), "{} {field}", vector.note);
            }
        }
        let codes: Vec<i64> = message.components().filter_map(|component| code(component.ok()?)).collect();
        match &vector.expect["op"] {
            serde_json::Value::Number(code) => assert_eq!(codes, [code.as_i64().unwrap()], "{}", vector.note),
            serde_json::Value::Array(expected) => {
                let expected: Vec<_> = expected.iter().map(|code| code.as_i64().unwrap()).collect();
                assert_eq!(codes, expected, "{}", vector.note);
            }
            _ => continue,
        }
        operations += 1;
    }
    assert!(all.is_empty() || (read, operations) == (266, 170), "{read} read, {operations} with operations");
}

fn code(component: Component<'_>) -> Option<i64> {
    let opcode = match component {
        Component::Invoke(invoke) => Some(invoke.opcode),
        Component::ReturnResult(result) => result.opcode,
        _ => None,
    };
    match opcode? {
        Opcode::Local(code) => Some(code),
        Opcode::Global(_) => None,
    }
}

#[test]
fn each_procedure_of_the_generator_has_its_direction_version_and_error() {
    let all = vectors();
    for vector in of(&all, &["tcap"]).filter(|vector| vector.source == "gen.py") {
        let Ok(message) = Message::parse(&vector.data) else { continue };
        let context = message.application_context();
        for component in message.components().map(Result::unwrap) {
            match component {
                Component::Invoke(invoke) => {
                    let mut scratch = [0; 255];
                    let Ok(forward) = ForwardSm::parse(&invoke, context, &mut scratch) else { continue };
                    let (direction, _) = map::direction(&forward, None, context, Some(8), Some(8));
                    match vector.expect["dir"].as_str() {
                        Some("mo") => assert_eq!(direction, Direction::Mo, "{}", vector.note),
                        Some(_) => assert_eq!(direction, Direction::Mt, "{}", vector.note),
                        None => {}
                    }
                    if let Some(version) = vector.expect["ver"].as_u64() {
                        let begin = message.kind == protocols::tcap::Kind::Begin;
                        assert_eq!(map::version(context, &forward, begin).map(u64::from), Some(version), "{}", vector.note);
                    }
                    assert_eq!(vector.expect["more"].as_bool().unwrap_or(forward.more_messages), forward.more_messages);
                }
                Component::ReturnError(error) => {
                    assert_eq!(error.code, Opcode::Local(vector.expect["error"].as_i64().unwrap()), "{}", vector.note);
                    let Opcode::Local(code) = error.code else { unreachable!() };
                    let name = map::error_name(code).unwrap();
                    assert!(vector.note.starts_with(&format!("FSM error {name}({code})")), "{} {name}", vector.note);
                }
                Component::ReturnResult(_) | Component::Reject(_) => {}
            }
        }
    }
}

/// An invoke of operation `code` around an argument.
fn invoke(code: i64, argument: &[u8]) -> Option<Invoke<'_>> {
    let argument = Reader::new(argument, Layer::Map).next()?.ok();
    Some(Invoke { invoke_id: 1, linked_id: None, opcode: Opcode::Local(code), argument, marks: Marks::none() })
}

#[test]
fn each_map_vector_of_a_forward_sm_has_its_tpdu() {
    let (all, mut read) = (vectors(), 0);
    for vector in of(&all, &["map"]) {
        let Some(code @ (44 | 46)) = vector.expect["op"].as_i64() else { continue };
        let mut scratch = [0; 255];
        let forward = ForwardSm::parse(&invoke(code, &vector.data).unwrap(), None, &mut scratch).unwrap();
        if let Some(tpdu) = vector.expect["tpdu"].as_str() {
            assert_eq!(forward.sm_rp_ui, super::unhex(tpdu), "{}", vector.note);
        }
        assert_eq!(forward.sm_rp_ui, forward.sm_rp_ui_element.content, "{}", vector.note);
        read += 1;
    }
    assert!(all.is_empty() || read == 133, "{read} read");
}

#[test]
fn each_routing_info_vector_has_its_numbers() {
    let (all, mut read) = (vectors(), 0);
    for vector in of(&all, &["map"]) {
        let element = Reader::new(&vector.data, Layer::Map).next().unwrap();
        if vector.expect["op"] == 45 {
            let routing = map::RoutingInfoForSm::parse(&element.unwrap()).unwrap();
            assert!(!routing.msisdn.digits().is_empty() && routing.service_centre.is_some(), "{}", vector.note);
            read += 1;
        } else if vector.note.starts_with("SendRoutingInfoForSMResponseTest.getEncoded") {
            let result = map::RoutingInfoForSmResult::parse(&element.unwrap()).unwrap();
            assert!(!result.imsi.is_empty() && result.network_node.is_some(), "{}", vector.note);
            read += 1;
        } else if vector.note.starts_with("ReportSMDeliveryStatusRequestTest") {
            let status = map::DeliveryStatus::parse(&element.unwrap()).unwrap();
            assert_eq!(status.outcome.is_none(), vector.note.ends_with("V1"), "{}", vector.note);
            read += 1;
        } else if vector.note.starts_with("AlertServiceCentreRequestTest") {
            let alert = map::AlertServiceCentre::parse(&element.unwrap()).unwrap();
            assert_eq!(alert.msisdn.to_string(), "29113123311", "{}", vector.note);
            read += 1;
        }
    }
    assert!(all.is_empty() || read == 15, "{read} read");
}

#[test]
fn no_argument_of_another_operation_or_application_is_taken_for_a_short_message() {
    let all = vectors();
    for vector in of(&all, &["cap", "map-any", "map"]) {
        let Some(Ok(element)) = Reader::new(&vector.data, Layer::Map).next() else { continue };
        let forward = matches!(vector.expect["op"].as_i64(), Some(44 | 46));
        assert!(forward || !ForwardSm::shaped(&element), "{}: {}", vector.layer, vector.note);
        if vector.layer == "cap" {
            // Even under the opcodes that CAP and MAP share.
            for code in [21, 44, 46] {
                let mut scratch = [0; 255];
                let invoke = invoke(code, &vector.data).unwrap();
                assert!(ForwardSm::parse(&invoke, None, &mut scratch).is_err(), "{code}: {}", vector.note);
            }
        }
        if vector.layer == "map-any" {
            let component = Component::parse(element).unwrap();
            if let Component::Invoke(invoke) = component {
                let mut scratch = [0; 255];
                let short_message = ForwardSm::parse(&invoke, None, &mut scratch).map(|_| ());
                match invoke.opcode {
                    Opcode::Local(46) => assert_eq!(short_message, Ok(())),
                    _ => assert!(matches!(short_message.unwrap_err().why, Why::NotOurs(_)), "{}", vector.note),
                }
            }
        }
    }
}

#[test]
fn no_vector_of_any_layer_whole_cut_or_with_an_octet_off_by_one_panics() {
    for vector in vectors() {
        let data = &vector.data;
        (0..=data.len()).for_each(|end| read_as_anything(&data[..end]));
        if !matches!(vector.layer.as_str(), "sccp" | "tcap" | "map" | "map-any" | "cap") {
            continue;
        }
        for at in 0..data.len() {
            for step in [1, 0xff, 0x80] {
                let mut other = data.clone();
                other[at] = other[at].wrapping_add(step);
                read_as_anything(&other);
            }
        }
    }
}
