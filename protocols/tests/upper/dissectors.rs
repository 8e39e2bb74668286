//! SCCP and TCAP beside the dissectors of the `packet-dissector` family, field by field: every vector, and every message in the captures
//! of the generator. Where both differ the reason stands here, with how often it is met.

use std::collections::BTreeMap;

use packet_dissector_core::dissector::Dissector;
use packet_dissector_core::field::{Field, FieldValue};
use packet_dissector_core::packet::DissectBuffer;
use packet_dissector_sccp::SccpDissector;
use packet_dissector_tcap as theirs;
use protocols::link::{self, Carried, LinkType};
use protocols::sccp::{Address, Unitdata, Variant};
use protocols::sctp::Packet;
use protocols::tcap::{Component, DialoguePdu, Message, Opcode, Problem};
use protocols::{Why, m3ua};

use super::{procedures, shared, vectors};

/// What was compared, and where both differ.
#[derive(Debug, Default)]
struct Found {
    alike: usize,
    apart: BTreeMap<String, usize>,
}

impl Found {
    fn apart(&mut self, what: impl Into<String>) {
        *self.apart.entry(what.into()).or_default() += 1;
    }

    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, ours: T, theirs: T) {
        if ours == theirs { self.alike += 1 } else { self.apart(format!("{what}: {ours:?}, theirs {theirs:?}")) }
    }

    fn compare(&self, expected: &[(&str, usize)]) {
        let apart: Vec<_> = self.apart.iter().map(|(what, times)| (what.as_str(), *times)).collect();
        assert_eq!(apart, expected);
    }
}

/// SCCP messages of captures whose frames are Ethernet, IPv4, SCTP and M3UA.
fn captured() -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    for name in ["gen_procedures", "gen_lower", "gen_tpdu_all"] {
        let Some(pcap) = shared(&format!("ss7/pcaps/{name}.pcap")) else { continue };
        for frame in procedures::frames(&pcap) {
            let Ok(Carried::Ip(ip)) = link::parse(LinkType::Ethernet, frame) else { continue };
            let Ok(packet) = ip.sctp().and_then(|(_, bytes)| Packet::parse(bytes)) else { continue };
            for data in packet.chunks().map_while(Result::ok).filter_map(|chunk| chunk.data()?.ok()) {
                if data.begin && data.end && data.ppid == Some(3) {
                    let read = m3ua::messages(data.payload).filter_map(|message| m3ua::Data::of(&message.ok()?).ok());
                    messages.extend(read.filter(|data| data.si == 3).map(|data| data.user_data.to_vec()));
                }
            }
        }
    }
    messages
}

fn of_layer(layer: &str) -> Vec<Vec<u8>> {
    vectors().into_iter().filter(|vector| vector.layer == layer).map(|vector| vector.data).collect()
}

fn number(fields: &[Field<'_>], name: &str) -> Option<u32> {
    match fields.iter().find(|field| field.name() == name)?.value {
        FieldValue::U8(value) => Some(value.into()),
        FieldValue::U16(value) => Some(value.into()),
        FieldValue::U32(value) => Some(value),
        _ => None,
    }
}

fn address(found: &mut Found, buffer: &DissectBuffer<'_>, name: &str, ours: &Address<'_>) {
    let container = buffer.fields().iter().find(|field| field.name() == name);
    let Some(FieldValue::Object(range)) = container.map(|field| &field.value) else {
        found.apart(format!("{name} is not there"));
        return;
    };
    let fields = buffer.nested_fields(range);
    let gt = ours.gt;
    found.same("SSN", ours.ssn.map(u32::from), number(fields, "ssn"));
    found.same("point code", ours.pc, number(fields, "point_code"));
    found.same("indicator", Some(u32::from(ours.gti)), number(fields, "global_title_indicator"));
    found.same("translation type", gt.and_then(|gt| gt.tt).map(u32::from), number(fields, "translation_type"));
    found.same("numbering plan", gt.and_then(|gt| gt.np).map(u32::from), number(fields, "numbering_plan"));
    found.same("encoding scheme", gt.and_then(|gt| gt.es).map(u32::from), number(fields, "encoding_scheme"));
    found.same("nature", gt.and_then(|gt| gt.nai).map(u32::from), number(fields, "nature_of_address"));
    let digits = fields.iter().find(|field| field.name() == "digits").and_then(|field| match &field.value {
        FieldValue::Scratch(range) => {
            Some(String::from_utf8_lossy(&buffer.scratch()[range.start as usize..range.end as usize]).into_owned())
        }
        _ => None,
    });
    found.same("digits", gt.map(|gt| gt.digits.to_string()), digits);
}

fn sccp(found: &mut Found, message: &[u8]) {
    let mut buffer = DissectBuffer::new();
    let theirs = SccpDissector.dissect(message, &mut buffer, 0);
    match (Unitdata::parse(message, Variant::Itu), theirs) {
        (Err(error), _) if matches!(error.why, Why::NotOurs(_)) => {}
        (Err(_), Err(_)) => found.alike += 1,
        (Err(error), Ok(_)) => found.apart(format!("they read it: {error}")),
        (Ok(_), Err(error)) => found.apart(format!("we read it: {error}")),
        (Ok(ours), Ok(_)) => {
            let fields = buffer.fields();
            found.same("type", Some(u32::from(ours.kind.code())), number(fields, "message_type"));
            found.same("hop counter", ours.hop_counter.map(u32::from), number(fields, "hop_counter"));
            found.same("return cause", ours.return_cause.map(u32::from), number(fields, "return_cause"));
            found.same("importance", ours.importance.map(u32::from), number(fields, "importance"));
            if !ours.kind.is_service() {
                found.same("class", Some(u32::from(ours.class)), number(fields, "protocol_class"));
            }
            address(found, &buffer, "called_party_address", &ours.called_party);
            address(found, &buffer, "calling_party_address", &ours.calling_party);
            let data = fields.iter().find(|field| field.name() == "data").map(|field| &message[field.range.clone()]);
            found.same("data", Some(ours.data), data);
        }
    }
}

#[test]
fn sccp_is_what_packet_dissector_sccp_reads() {
    let (vectors, captured, mut found) = (of_layer("sccp"), captured(), Found::default());
    vectors.iter().chain(&captured).for_each(|message| sccp(&mut found, message));
    if vectors.is_empty() {
        return;
    }
    assert!(found.alike > 3_000, "{}", found.alike);
    // Of a global title with a translation type alone Q.713 leaves the signals to that type: they show octets, and we the digits that
    // they are wherever it was seen.
    found.compare(&[(r#"digits: Some("444444"), theirs None"#, 2), (r#"digits: Some("555555"), theirs None"#, 2)]);
}

fn code(data: &[u8], code: &theirs::Code) -> (Option<i64>, Vec<u8>) {
    match code {
        theirs::Code::Local(value) => (Some(value.value.into()), Vec::new()),
        theirs::Code::Global(range) => (None, data[range.clone()].to_vec()),
    }
}

fn our_code(code: Opcode<'_>) -> (Option<i64>, Vec<u8>) {
    match code {
        Opcode::Local(value) => (Some(value), Vec::new()),
        Opcode::Global(oid) => (None, oid.to_vec()),
    }
}

fn component(found: &mut Found, data: &[u8], ours: &Component<'_>, theirs: &theirs::Component) {
    let id = theirs.invoke_id.as_ref().map(|id| i64::from(id.value));
    let parameter = theirs.parameter.clone().map(|range| data[range].to_vec());
    let (kind, invoke_id, codes, raw) = match ours {
        Component::Invoke(invoke) => {
            let linked = theirs.linked_id.as_ref().map(|id| i64::from(id.value));
            found.same("linked id", invoke.linked_id, linked);
            let codes = (Some(our_code(invoke.opcode)), theirs.opcode.as_ref().map(|theirs| code(data, theirs)));
            (1, Some(invoke.invoke_id), codes, invoke.argument.map(|argument| argument.raw))
        }
        Component::ReturnResult(result) => {
            let codes = (result.opcode.map(our_code), theirs.opcode.as_ref().map(|theirs| code(data, theirs)));
            (if result.last { 2 } else { 7 }, Some(result.invoke_id), codes, result.parameter.map(|parameter| parameter.raw))
        }
        Component::ReturnError(error) => {
            let codes = (Some(our_code(error.code)), theirs.error_code.as_ref().map(|theirs| code(data, theirs)));
            (3, Some(error.invoke_id), codes, error.parameter.map(|parameter| parameter.raw))
        }
        Component::Reject(reject) => {
            let problem = reject.problem.map(|problem| match problem {
                Problem::General(code) => (0, i64::from(code)),
                Problem::Invoke(code) => (1, i64::from(code)),
                Problem::ReturnResult(code) => (2, i64::from(code)),
                Problem::ReturnError(code) => (3, i64::from(code)),
            });
            found.same("problem", problem, theirs.problem.as_ref().map(|(kind, code)| (*kind, i64::from(code.value))));
            (4, reject.invoke_id, (None, None), None)
        }
    };
    found.same("component", kind, theirs.kind);
    found.same("invoke id", invoke_id, id);
    found.same("code", codes.0, codes.1);
    found.same("parameter", raw.map(<[u8]>::to_vec), parameter);
}

fn tcap(found: &mut Found, data: &[u8]) {
    let (ours, theirs) = match (Message::parse(data), theirs::Message::parse(data)) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (Err(_), Err(_)) => {
            found.alike += 1;
            return;
        }
        (Err(error), Ok(_)) => return found.apart(format!("they read it: {error}")),
        (Ok(_), Err(error)) => return found.apart(format!("we read it: {error}")),
    };
    found.same(
        "kind",
        Some(ours.kind.name()),
        ["", "Unidirectional", "Begin", "", "End", "Continue", "", "Abort"].get(usize::from(theirs.message_type)).copied(),
    );
    let octets = |range: &Option<std::ops::Range<usize>>| range.clone().map(|range| data[range].to_vec());
    found.same("originating transaction", ours.otid.map(<[u8]>::to_vec), octets(&theirs.otid));
    found.same("destination transaction", ours.dtid.map(<[u8]>::to_vec), octets(&theirs.dtid));
    found.same("P-Abort cause", ours.p_abort.map(i32::from), theirs.p_abort_cause.as_ref().map(|cause| cause.value));
    let pdu = theirs.dialogue.as_ref().and_then(|dialogue| dialogue.pdu.as_ref());
    let dialogue = ours.dialogue();
    let tag = dialogue.map(|dialogue| match dialogue.pdu {
        DialoguePdu::Request => 0,
        DialoguePdu::Response => 1,
        DialoguePdu::Abort => 4,
    });
    found.same("dialogue PDU", tag, pdu.map(|pdu| pdu.tag));
    if let (Some(dialogue), Some(pdu)) = (dialogue, pdu) {
        let name = dialogue.application_context_name.map(<[u8]>::to_vec);
        found.same("application context", name, octets(&pdu.application_context_name));
        found.same("result", dialogue.result.map(i32::from), pdu.result.as_ref().map(|result| result.value));
        found.same("diagnostic", dialogue.diagnostic.map(i32::from), pdu.diagnostic.as_ref().map(|(_, cause)| cause.value));
        found.same("abort source", dialogue.abort_source.map(i32::from), pdu.abort_source.as_ref().map(|source| source.value));
    }
    let (mut ours, mut theirs) = (ours.components(), theirs.components());
    loop {
        match (ours.next(), theirs.next()) {
            (Some(Ok(ours)), Some(theirs)) => component(found, data, &ours, &theirs),
            (Some(Err(error)), _) => found.apart(format!("a component that we cannot read: {}", error.why.label())),
            (Some(Ok(_)), None) => found.apart("a component that they do not see"),
            (None, Some(_)) => found.apart("a component that we do not see"),
            (None, None) => break,
        }
    }
}

#[test]
fn tcap_is_what_packet_dissector_tcap_reads() {
    let (vectors, mut found) = (of_layer("tcap"), Found::default());
    let captured = captured();
    let carried = captured.iter().filter_map(|message| Unitdata::parse(message, Variant::Itu).ok());
    let carried = carried.filter(|unit| unit.segmentation.is_none_or(|piece| piece.first && piece.remaining == 0));
    vectors.iter().map(Vec::as_slice).chain(carried.map(|unit| unit.data)).for_each(|data| tcap(&mut found, data));
    if vectors.is_empty() {
        return;
    }
    assert!(found.alike > 3_000, "{}", found.alike);
    found.compare(&[
        // They read the first of two component portions; receivers that read both would be reached past a filter that does not.
        ("a component that they do not see", 2),
        // An element cut short before any component (`getMessageBadSyntax`): they keep what stands in front of it, we refuse the message.
        ("they read it: TCAP byte 6: truncated: 2 octets needed, 1 present", 1),
    ]);
}
