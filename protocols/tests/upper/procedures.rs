//! `gen_procedures.pcap`: each of its procedures by name, read from the frames of another hand's encoder.

use protocols::map::{self, ForwardSm};
use protocols::sccp::{Segmentation, Unitdata, Variant};
use protocols::tcap::{Component, Message, Opcode, Problem};

use super::shared;

/// The SCCP message in an Ethernet, IPv4, SCTP, M3UA frame of the generator, which puts one DATA chunk with a routing context in each.
fn sccp(frame: &[u8]) -> &[u8] {
    let m3ua = &frame[14 + 20 + 12 + 16..];
    let data = &m3ua[8 + 8..];
    assert_eq!(data[..2], [2, 0x10], "Protocol Data behind the routing context");
    let len = usize::from(u16::from_be_bytes([data[2], data[3]]));
    &data[16..len]
}

pub(super) fn frames(pcap: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut frames) = (&pcap[24..], Vec::new());
    let little = pcap[0] == 0xd4 || pcap[0] == 0x4d;
    while rest.len() > 16 {
        let octets = [rest[8], rest[9], rest[10], rest[11]];
        let len = if little { u32::from_le_bytes(octets) } else { u32::from_be_bytes(octets) } as usize;
        frames.push(&rest[16..16 + len]);
        rest = &rest[16 + len..];
    }
    frames
}

/// What one message asks for or answers, a word or two a component.
fn tell(data: &[u8]) -> String {
    let message = match Message::parse(data) {
        Ok(message) => message,
        Err(error) => return error.to_string(),
    };
    let context = message.application_context();
    let mut words = vec![message.kind.name().to_owned()];
    words.extend(context.map(|context| format!("{}.v{}", context.code, context.version)));
    if let Some(dialogue) = message.dialogue() {
        words.extend(dialogue.result.map(|result| format!("result {result}")));
        words.extend(dialogue.map.map(|map| format!("{map:?}")));
        words.extend(dialogue.destination_reference.map(|to| format!("to {}", map::AddressString(to))));
    }
    words.extend(message.p_abort.map(|cause| format!("P-Abort {cause}")));
    let mut marks = message.marks;
    for component in message.components() {
        match component.unwrap() {
            Component::Invoke(invoke) => {
                let mut scratch = [0; 255];
                words.push(match ForwardSm::parse(&invoke, context, &mut scratch) {
                    Ok(forward) => {
                        marks.merge(forward.marks);
                        let (direction, evidence) = map::direction(&forward, None, context, Some(8), Some(8));
                        let joined = if forward.joined { " joined" } else { "" };
                        let ui = forward.sm_rp_ui.len();
                        format!("invoke {} {} by {}, {ui} octets{joined}", invoke.opcode, direction.name(), evidence.name())
                    }
                    Err(error) => format!("invoke {} {}", invoke.opcode, error.why.label()),
                });
            }
            Component::ReturnResult(result) => words.push(match (result.opcode, result.parameter) {
                (Some(Opcode::Local(45)), Some(parameter)) => {
                    let result = map::RoutingInfoForSmResult::parse(&parameter).unwrap();
                    format!("result imsi {} node {}", result.imsi, result.network_node.unwrap())
                }
                _ => "result".to_owned(),
            }),
            Component::ReturnError(error) => {
                let Opcode::Local(code) = error.code else { panic!("global error") };
                let cause = error.parameter.and_then(|parameter| match code {
                    map::DELIVERY_FAILURE => map::delivery_failure_cause(&parameter).and_then(map::delivery_failure_name),
                    _ => None,
                });
                words.push(format!("error {} {}", map::error_name(code).unwrap(), cause.unwrap_or_default()).trim().to_owned());
            }
            Component::Reject(reject) => {
                assert_eq!(reject.problem, Some(Problem::Invoke(0)));
                words.push("reject".to_owned());
            }
        }
    }
    words.extend(marks.iter().map(|mark| format!("[{}]", mark.name())));
    words.join("; ")
}

/// The text of a procedure's frames: segments joined by reference and place, however they came.
fn tell_frames(frames: &[&[u8]]) -> String {
    let mut segments: Vec<(Segmentation, &[u8])> = Vec::new();
    let mut kind = "";
    for frame in frames {
        let unitdata = Unitdata::parse(sccp(frame), Variant::Itu).unwrap();
        kind = unitdata.kind.name();
        match unitdata.segmentation {
            Some(segmentation) => segments.push((segmentation, unitdata.data)),
            None => return format!("{kind} {}", tell(unitdata.data)),
        }
    }
    segments.sort_by_key(|(segmentation, _)| u8::MAX - segmentation.remaining);
    assert!(segments[0].0.first && segments.iter().filter(|(segmentation, _)| segmentation.first).count() == 1);
    let whole: Vec<u8> = segments.iter().flat_map(|(_, data)| data.iter().copied()).collect();
    format!("{kind}/{} {}", segments.len(), tell(&whole))
}

#[test]
fn each_procedure_is_what_its_name_says() {
    let Some(pcap) = shared("ss7/pcaps/gen_procedures.pcap") else { return };
    let index: serde_json::Value = serde_json::from_slice(&shared("ss7/pcaps/gen_procedures.index.json").unwrap()).unwrap();
    let (frames, mut from, mut told) = (frames(&pcap), 0, Vec::new());
    for entry in index.as_array().unwrap() {
        let last = usize::try_from(entry["frame"].as_u64().unwrap()).unwrap();
        told.push(format!("{}\n    {}", entry["note"].as_str().unwrap(), tell_frames(&frames[from..last])));
        from = last;
    }
    let expected = include_str!("procedures.txt");
    if std::env::var_os("UPDATE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/upper/procedures.txt");
        std::fs::write(path, told.join("\n") + "\n").unwrap();
        return;
    }
    let expected: Vec<_> = expected.lines().collect();
    assert_eq!(told.join("\n").lines().collect::<Vec<_>>(), expected);
}
