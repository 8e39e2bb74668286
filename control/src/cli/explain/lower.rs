//! Link, IP, SCTP, the adaptation layers and the routing label, as a tree.

use protocols::link::{self, Carried, Encapsulation, Ip, LinkType};
use protocols::sctp::{self, Adaptation, Sum};
use protocols::{Layer, m2pa, m2ua, m3ua, mtp3, sua, xua};

use super::tree::{Input, Node};
use super::upper;

/// A frame.
pub(super) fn frame(input: Input<'_>, link_type: LinkType, bytes: &[u8]) -> Node {
    let mut node = input.node("frame", bytes).with(format_args!("{} octets, {link_type:?}", bytes.len()));
    match link::parse(link_type, bytes) {
        Ok(Carried::Ip(ip)) => ip_packet(input, &mut node, bytes, &ip),
        Ok(Carried::Mtp3(msu)) => {
            before(input, &mut node, "link header", bytes, msu);
            node.push(mtp3_message(input, msu));
        }
        Ok(Carried::Sccp(message)) => node.push(upper::sccp_message(input, message)),
        Err(error) => node.wrong(input, bytes, error),
    }
    node
}

/// What stands in front of `inner`.
fn before(input: Input<'_>, node: &mut Node, name: &str, outer: &[u8], inner: &[u8]) {
    let len = protocols::span::within(outer, inner).map_or(0, |place| place.start);
    if len > 0 {
        node.push(input.raw(name, outer.get(..len).unwrap_or_default()));
    }
}

fn ip_packet(input: Input<'_>, node: &mut Node, frame: &[u8], ip: &Ip<'_>) {
    before(input, node, "link header", frame, ip.header);
    let name = if ip.source.is_ipv4() { "IPv4" } else { "IPv6" };
    let mut layer =
        input.node(name, ip.header).with(format_args!("{} to {}, protocol {}", ip.source, ip.destination, ip.protocol));
    if ip.cut {
        layer.unread("the capture ends before the packet does");
    }
    let fragment = ip.fragment;
    if let Some(piece) = fragment {
        let more = if piece.more { "more follow" } else { "the last" };
        layer.push(input.node("fragment", ip.header).with(format_args!("{:#x} at {}, {more}", piece.id, piece.offset)));
    }
    node.push(layer);
    if fragment.is_some() {
        node.push(input.raw("piece of an IP packet (its other pieces are in other frames)", ip.payload));
        return;
    }
    match ip.sctp() {
        Ok((around, packet)) => {
            if let Encapsulation::Udp(udp) = around {
                let value = format!("{} to {}, RFC 6951", udp.source_port, udp.destination_port);
                node.push(input.node("UDP", udp.header).with(value));
            }
            node.push(sctp_packet(input, packet));
        }
        Err(error) => node.push(input.failed("payload", ip.payload, error)),
    }
}

/// An SCTP packet.
pub(super) fn sctp_packet(input: Input<'_>, bytes: &[u8]) -> Node {
    let packet = match sctp::Packet::parse(bytes) {
        Ok(packet) => packet,
        Err(error) => return input.failed("SCTP", bytes, error),
    };
    let mut node = input.node("SCTP", bytes).with(format_args!("{} to {}", packet.source_port, packet.destination_port));
    node.push(input.field("verification tag", bytes, 4, 4, format_args!("{:#010x}", packet.verification_tag)));
    let mut sum = input.field("checksum", bytes, 8, 4, format_args!("{:#010x}", packet.checksum));
    match packet.sum() {
        Sum::Good => sum = sum.with(format_args!("{:#010x}, CRC32c is right", packet.checksum)),
        Sum::Zero => sum.problem("zero: offloaded to the network card, or RFC 9653"),
        Sum::Bad => sum.problem("CRC32c is wrong: such a packet is never rewritten"),
    }
    node.push(sum);
    for (number, chunk) in packet.chunks().enumerate() {
        match chunk {
            Ok(chunk) => node.push(sctp_chunk(input, number, &packet, &chunk)),
            Err(error) => node.wrong(input, bytes, error),
        }
    }
    node
}

fn sctp_chunk(input: Input<'_>, number: usize, packet: &sctp::Packet<'_>, chunk: &sctp::Chunk<'_>) -> Node {
    let mut node = input.node(format!("chunk {number}: {}", chunk.name()), chunk.body);
    let data = match chunk.data() {
        None => return node.with(format_args!("flags {:02x}", chunk.flags)),
        Some(Err(error)) => {
            node.wrong(input, packet.bytes, error);
            return node;
        }
        Some(Ok(data)) => data,
    };
    let flags = [(data.immediate, 'I'), (data.unordered, 'U'), (data.begin, 'B'), (data.end, 'E')];
    let flags: String = flags.into_iter().filter_map(|(set, name)| set.then_some(name)).collect();
    node.push(input.field("flags", chunk.body, 1, 1, flags));
    node.push(input.field("TSN", chunk.body, 4, 4, data.tsn));
    node.push(input.field("stream", chunk.body, 8, 2, data.stream));
    let at = if data.interleaved { (12, 4) } else { (10, 2) };
    node.push(input.field(if data.interleaved { "message id" } else { "sequence" }, chunk.body, at.0, at.1, data.sequence));
    let at = if data.interleaved { 16 } else { 12 };
    if let Some(fsn) = data.fsn {
        node.push(input.field("fragment sequence", chunk.body, at, 4, fsn));
    }
    let adaptation = data.ppid.and_then(|ppid| sctp::adaptation(ppid, packet.source_port, packet.destination_port));
    if let Some(ppid) = data.ppid {
        let name = adaptation.map(Adaptation::name).or(sctp::ppid_name(ppid)).unwrap_or("not ours");
        node.push(input.field("PPID", chunk.body, at, 4, format_args!("{ppid} ({name})")));
    }
    if !(data.begin && data.end) {
        node.push(input.raw("piece of a message (its other pieces are in other chunks)", data.payload));
        return node;
    }
    match adaptation {
        Some(adaptation) => adaptation_messages(input, &mut node, adaptation, data.payload),
        None => node.push(input.raw("user message, not read", data.payload)),
    }
    node
}

/// Every message of one adaptation layer in one user message.
fn adaptation_messages(input: Input<'_>, node: &mut Node, adaptation: Adaptation, payload: &[u8]) {
    let layer = match adaptation {
        Adaptation::M3ua => Layer::M3ua,
        Adaptation::M2ua => Layer::M2ua,
        Adaptation::M2pa => Layer::M2pa,
        Adaptation::Sua => Layer::Sua,
    };
    for message in xua::Messages::new(layer, payload) {
        match message {
            Ok(message) => node.push(xua_message(input, &message)),
            Err(error) => node.push(input.failed(layer.name(), payload, error)),
        }
    }
}

/// M3UA messages given bare.
pub(super) fn m3ua_messages(input: Input<'_>, bytes: &[u8]) -> Node {
    let mut node = input.node("user message", bytes);
    adaptation_messages(input, &mut node, Adaptation::M3ua, bytes);
    node
}

fn xua_message(input: Input<'_>, message: &xua::Message<'_>) -> Node {
    let name = match message.layer {
        Layer::M3ua => m3ua::name(message.class, message.kind),
        Layer::M2ua => m2ua::name(message.class, message.kind),
        Layer::Sua => sua::name(message.class, message.kind),
        _ => "M2PA",
    };
    let mut node = input.node(name, message.bytes);
    node.push(input.field("class, type", message.bytes, 2, 2, format_args!("{}, {}", message.class, message.kind)));
    node.push(input.field("length", message.bytes, xua::LENGTH_AT, 4, message.bytes.len()));
    if message.layer == Layer::M2pa {
        m2pa_data(input, &mut node, message);
        return node;
    }
    for parameter in message.parameters() {
        match parameter {
            Ok(parameter) => node.push(input.raw(parameter_name(message.layer, parameter.tag), parameter.value)),
            Err(error) => node.wrong(input, message.bytes, error),
        }
    }
    match message.layer {
        Layer::M3ua if (message.class, message.kind) == (1, 1) => match m3ua::Data::of(message) {
            Ok(data) => {
                let label = format!("NI {} OPC {} DPC {} SLS {} priority {}", data.ni, data.opc, data.dpc, data.sls, data.mp);
                let octets = protocols::span::within(message.bytes, data.user_data).map_or(0, |place| place.start);
                node.push(input.field("routing label", message.bytes, octets.saturating_sub(12), 12, label));
                node.push(user_part(input, data.si, data.user_data));
            }
            Err(error) => node.wrong(input, message.bytes, error),
        },
        Layer::M2ua if (message.class, message.kind) == (6, 1) => match m2ua::Data::of(message) {
            Ok(data) => node.push(mtp3_message(input, data.msu)),
            Err(error) => node.wrong(input, message.bytes, error),
        },
        Layer::Sua if (message.class, message.kind) == (7, 1) => match sua::Cldt::of(message) {
            Ok(cldt) => {
                node.push(sua_address(input, "destination (called party)", message.bytes, &cldt.destination));
                node.push(sua_address(input, "source (calling party)", message.bytes, &cldt.source));
                match cldt.segmentation {
                    Some(piece) if piece.remaining > 0 || !piece.first => {
                        node.push(input.raw("piece of a TCAP message (its other pieces are elsewhere)", cldt.data));
                    }
                    _ => node.push(upper::tcap_message(input, cldt.data)),
                }
            }
            Err(error) => node.wrong(input, message.bytes, error),
        },
        _ => {}
    }
    node
}

fn m2pa_data(input: Input<'_>, node: &mut Node, message: &xua::Message<'_>) {
    match m2pa::Data::of(message) {
        Ok(data) => {
            node.push(input.field("BSN", message.bytes, 9, 3, data.bsn));
            node.push(input.field("FSN", message.bytes, 13, 3, data.fsn));
            node.push(input.field("priority", message.bytes, 16, 1, data.priority >> 6));
            node.push(mtp3_message(input, data.msu));
        }
        Err(error) => node.wrong(input, message.bytes, error),
    }
}

const fn parameter_name(layer: Layer, tag: u16) -> &'static str {
    match (layer, tag) {
        (_, 0x0001) => "Interface Identifier",
        (_, 0x0003) => "Interface Identifier (text)",
        (_, 0x0004) => "INFO String",
        (_, 0x0006) => "Routing Context",
        (_, 0x0007) => "Diagnostic Information",
        (_, 0x0009) => "Heartbeat Data",
        (_, 0x000b) => "Traffic Mode Type",
        (_, 0x000c) => "Error Code",
        (_, 0x000d) => "Status",
        (_, 0x0011) => "ASP Identifier",
        (_, 0x0012) => "Affected Point Code",
        (_, 0x0013) => "Correlation Id",
        (Layer::M3ua, 0x0200) => "Network Appearance",
        (Layer::M3ua, 0x0210) => "Protocol Data",
        (Layer::M2ua, 0x0300) => "Protocol Data",
        (Layer::Sua, 0x0102) => "Source Address",
        (Layer::Sua, 0x0103) => "Destination Address",
        (Layer::Sua, 0x010b) => "Data",
        (Layer::Sua, 0x010d) => "Network Appearance",
        (Layer::Sua, 0x0115) => "Protocol Class",
        (Layer::Sua, 0x0116) => "Sequence Control",
        (Layer::Sua, 0x0117) => "Segmentation",
        _ => "other parameter",
    }
}

fn sua_address(input: Input<'_>, name: &str, message: &[u8], address: &sua::Address<'_>) -> Node {
    let mut value = format!("routing {}", address.routing_indicator);
    if let Some(ssn) = address.ssn {
        value += &format!(", SSN {ssn}");
    }
    if let Some(pc) = address.pc {
        value += &format!(", PC {pc}");
    }
    let octets = address.gt.map_or(message.get(..0).unwrap_or_default(), |gt| gt.digits);
    if let Some(gt) = address.gt {
        let digits = protocols::sccp::Digits::new(gt.digits, gt.digit_count % 2 == 1);
        value += &format!(", GT {digits} (TT {}, plan {}, nature {})", gt.tt, gt.np, gt.nature);
    }
    input.node(name, octets).with(value)
}

/// An MTP3 message.
fn mtp3_message(input: Input<'_>, bytes: &[u8]) -> Node {
    let msu = match mtp3::Msu::parse(bytes, input.variant) {
        Ok(msu) => msu,
        Err(error) => return input.failed("MTP3", bytes, error),
    };
    let mut node = input.node("MTP3", bytes);
    let service = format!("NI {}, SI {} ({})", msu.ni, msu.si, mtp3::service_name(msu.si));
    node.push(input.field("service information", bytes, 0, 1, service));
    let label = format_args!("OPC {} DPC {} SLS {}", msu.opc, msu.dpc, msu.sls).to_string();
    node.push(input.field("routing label", bytes, 1, input.variant.header_len() - 1, label));
    node.push(user_part(input, msu.si, msu.user_data));
    node
}

fn user_part(input: Input<'_>, si: u8, user_data: &[u8]) -> Node {
    // An SI other than 3 is no reason not to look: some boxes do not look at it either.
    match protocols::sccp::Unitdata::parse(user_data, input.sccp()) {
        Err(_) if si != 3 => input.raw(format!("user part: {}", mtp3::service_name(si)), user_data),
        _ => upper::sccp_message(input, user_data),
    }
}
