//! SCCP, TCAP and MAP against vectors of other hands, an oracle of their BER, and what we build ourselves.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

#[path = "upper/build.rs"]
mod build;
#[path = "upper/dissectors.rs"]
mod dissectors;
#[path = "upper/oracle.rs"]
mod oracle;
#[path = "upper/procedures.rs"]
mod procedures;
#[path = "upper/vectors.rs"]
mod vectors;

use protocols::sccp::{Unitdata, Variant};
use protocols::tcap::{Component, Message};
use protocols::{map, sccp};

/// A file of the shared test data, or `None` and a line that says so.
fn shared(path: &str) -> Option<Vec<u8>> {
    let read = std::fs::read(format!("{}/../../shared/data/{path}", env!("CARGO_MANIFEST_DIR"))).ok();
    if read.is_none() {
        println!("skipped: ../shared/data is not here");
    }
    read
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// One line of `vectors.jsonl`.
struct Vector {
    layer: String,
    data: Vec<u8>,
    expect: serde_json::Value,
    source: String,
    note: String,
}

fn vectors() -> Vec<Vector> {
    let Some(file) = shared("ss7/vectors.jsonl") else { return Vec::new() };
    let read = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        Vector {
            layer: text("layer"),
            data: unhex(&text("hex")),
            expect: value["expect"].clone(),
            source: text("source"),
            note: text("note"),
        }
    };
    String::from_utf8(file).unwrap().lines().map(read).collect()
}

/// Reads octets as every layer there is: what random and damaged input is put through.
fn read_as_anything(data: &[u8]) {
    for variant in [Variant::Itu, Variant::Ansi, Variant::China] {
        let _ = Unitdata::parse(data, variant).map(|unitdata| unitdata.called_party.gt.map(|gt| gt.digits.to_string()));
    }
    if let Ok(layout) = sccp::layout(data) {
        let mut copy = data.to_vec();
        let _ = layout.resize(&mut copy, layout.data().len() + 1);
    }
    let _ = Message::parse(data).map(|message| {
        let _ = message.dialogue();
        message.components().for_each(|component| read_component(component.ok(), message.application_context()));
    });
    for element in protocols::ber::Reader::new(data, protocols::Layer::Map) {
        let Ok(element) = element else { break };
        read_component(Component::parse(element).ok(), None);
        for code in [21, 44, 46, 4711] {
            let opcode = protocols::tcap::Opcode::Local(code);
            let marks = protocols::tcap::Marks::none();
            let argument = Some(element);
            let invoke = protocols::tcap::Invoke { invoke_id: 1, linked_id: None, opcode, argument, marks };
            read_component(Some(Component::Invoke(invoke)), None);
        }
        let _ = map::RoutingInfoForSm::parse(&element);
        let _ = map::RoutingInfoForSmResult::parse(&element);
        let _ = map::DeliveryStatus::parse(&element);
        let _ = map::AlertServiceCentre::parse(&element);
        let _ = (map::delivery_failure_cause(&element), map::absent_subscriber_diagnostic(&element));
    }
    let mut levels = protocols::ber::Trail::default();
    let _ = protocols::ber::trail(data, data.len() / 2..data.len() / 2 + 1, protocols::Layer::Tcap, &mut levels);
}

fn read_component(component: Option<Component<'_>>, context: Option<protocols::tcap::ApplicationContext>) {
    let mut scratch = [0; 255];
    if let Some(Component::Invoke(invoke)) = component
        && let Ok(forward) = map::ForwardSm::parse(&invoke, context, &mut scratch)
    {
        let _ = (map::direction(&forward, None, context, None, None), map::version(context, &forward, true));
        let _ = format!("{:?} {:?}", forward.destination, forward.imsi.map(|imsi| imsi.to_string()));
    }
}
