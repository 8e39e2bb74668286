//! A short message TPDU, as a tree.

use protocols::sms::{Alphabet, Direction, Kind, Tpdu, Validity};
use protocols::span;

use super::tree::{Input, Node};
use crate::record_json::hex;

/// One TPDU.
pub(super) fn tpdu(input: Input<'_>, bytes: &[u8], direction: Direction) -> Node {
    let tpdu = match Tpdu::parse(bytes, direction) {
        Ok(tpdu) => tpdu,
        Err(error) => return input.failed("SMS TPDU", bytes, error),
    };
    let mut node = input.node(format!("SMS-{}", tpdu.kind.name().to_uppercase()), bytes);
    let mut text = String::new();
    let problems = tpdu.problems | tpdu.user_data.text(&mut text);
    for problem in problems.names() {
        node.problem(problem);
    }
    node.push(first_octet(input, &tpdu, bytes));
    if let Some(reference) = tpdu.message_reference {
        node.push(input.field("TP-MR", bytes, 1, 1, reference));
    }
    fields(input, &mut node, &tpdu);
    if tpdu.udl_at.is_some() {
        node.push(user_data(input, &tpdu, bytes, &text));
    }
    if let Some(why) = tpdu.untouchable() {
        node.push(input.node("never rewritten", &[]).with(why));
    }
    node
}

fn first_octet(input: Input<'_>, tpdu: &Tpdu<'_>, bytes: &[u8]) -> Node {
    let first = tpdu.first;
    let mut flags = vec![format!("TP-MTI {}", first.mti())];
    let deliver = tpdu.kind == Kind::Deliver;
    let named = [
        (deliver && first.more_messages(), "more messages"),
        (deliver && first.loop_prevention(), "loop prevention"),
        (tpdu.kind == Kind::Submit && first.reject_duplicates(), "reject duplicates"),
        (first.status_report(), "status report"),
        (first.udhi(), "header in the user data"),
        (first.reply_path(), "reply path"),
    ];
    flags.extend(named.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned()));
    input.field("first octet", bytes, 0, 1, flags.join(", "))
}

fn fields(input: Input<'_>, node: &mut Node, tpdu: &Tpdu<'_>) {
    let has_address = !matches!(tpdu.kind, Kind::DeliverReport | Kind::SubmitReport);
    if has_address {
        let mut digits = String::new();
        // Writing to a String cannot fail.
        let _ = tpdu.address.write_text(&mut digits);
        let name = if tpdu.kind == Kind::Deliver { "TP-OA" } else { "TP-DA" };
        let value = format!("{digits} (type {}, plan {})", tpdu.address.ton, tpdu.address.npi);
        node.push(input.node(name, tpdu.address.raw).with(value));
    }
    node.push(input.node("TP-PID", &[]).with(format_args!("{:#04x}", tpdu.pid)));
    let class = tpdu.dcs.class().map_or_else(String::new, |class| format!(", class {class}"));
    let compressed = if tpdu.dcs.is_compressed() { ", compressed" } else { "" };
    let value = format!("{:#04x} ({}{class}{compressed})", tpdu.dcs.0, tpdu.dcs.alphabet().name());
    node.push(input.node("TP-DCS", &[]).with(value));
    for (name, time) in [("TP-SCTS", tpdu.scts), ("TP-DT", tpdu.discharge_time)] {
        if let Some(time) = time {
            node.push(input.node(name, &[]).with(time));
        }
    }
    match tpdu.validity {
        Validity::None => {}
        Validity::Relative(_) => {
            let minutes = tpdu.validity.relative_minutes().unwrap_or_default();
            node.push(input.node("TP-VP", &[]).with(format_args!("{minutes} minutes")));
        }
        Validity::Absolute(Some(time)) => node.push(input.node("TP-VP", &[]).with(time)),
        Validity::Absolute(None) => node.push(input.node("TP-VP", &[]).with("no date")),
        Validity::Enhanced(octets) => node.push(input.node("TP-VP", &[]).with(format_args!("enhanced {}", hex(&octets)))),
    }
    if let Some(status) = tpdu.status {
        node.push(input.node("status", &[]).with(format_args!("{status:#04x}")));
    }
}

fn user_data(input: Input<'_>, tpdu: &Tpdu<'_>, bytes: &[u8], text: &str) -> Node {
    let data = &tpdu.user_data;
    let mut node = input.node("TP-UD", data.octets);
    let unit = if data.alphabet() == Alphabet::Gsm7 && !tpdu.dcs.is_compressed() { "septets" } else { "octets" };
    node.push(input.field("TP-UDL", bytes, tpdu.udl_at.unwrap_or_default(), 1, format_args!("{} {unit}", data.tp_udl)));
    if let Some(udh) = &data.udh {
        let mut header = input.node("header", data.header());
        for element in udh.elements() {
            header.push(information_element(input, data.header(), &element));
        }
        node.push(header);
    } else if !data.header().is_empty() {
        node.push(input.raw("header, ignored", data.header()));
    }
    for (name, language) in [("locking shift", data.tables.locking), ("single shift", data.tables.single)] {
        if let Some(language) = language.name() {
            node.push(input.node(name, &[]).with(language));
        }
    }
    if data.fill_bits() > 0 && data.alphabet() == Alphabet::Gsm7 && data.header_octets() > 0 {
        node.push(input.node("fill bits", &[]).with(data.fill_bits()));
    }
    match data.has_text() {
        true => node.push(input.node("text", data.body()).with(text)),
        false => node.push(input.raw("data without text", data.body())),
    }
    node
}

fn information_element(input: Input<'_>, header: &[u8], element: &protocols::sms::Element<'_>) -> Node {
    let octets = span::within(header, element.data)
        .and_then(|place| header.get(place.start.checked_sub(2)?..place.end))
        .unwrap_or(element.data);
    let value = match (element.id, element.data) {
        (0x00, [reference, total, part, ..]) => format!("part {part} of {total}, reference {reference}"),
        (0x08, [high, low, total, part, ..]) => {
            format!("part {part} of {total}, reference {}", u16::from_be_bytes([*high, *low]))
        }
        (0x04, [to, from, ..]) => format!("to {to}, from {from}"),
        (0x05, [t0, t1, f0, f1, ..]) => format!("to {}, from {}", u16::from_be_bytes([*t0, *t1]), u16::from_be_bytes([*f0, *f1])),
        _ => hex(element.data),
    };
    input.node(format!("{:02x} {}", element.id, element.name()), octets).with(value)
}
