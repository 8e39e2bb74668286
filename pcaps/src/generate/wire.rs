//! From a TCAP message down to the M3UA messages that carry it, by the builders of `protocols`.

use protocols::m3ua;
use protocols::map::push_address_string;
use protocols::sccp::{self, Address};

/// Octets of a signalling information field (Q.703 §2.3.8); the routing label takes four of them.
const MAX_SIF: usize = 272;
const LABEL: usize = 4;
/// What one segment holds, so that the label, the addresses and the options fit beside it.
const SEGMENT: usize = 150;
const HOPS: u8 = 15;

/// A signalling point with one application.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Point code, 14 bits.
    pub(super) pc: u32,
    /// Its SCCP address.
    pub(super) address: Vec<u8>,
    /// Its number as MAP writes it.
    pub(super) number: Vec<u8>,
}

impl Node {
    pub(super) fn new(pc: u32, digits: &str, ssn: u8) -> Self {
        let (mut address, mut number) = (Vec::new(), Vec::new());
        Address::push_e164(&mut address, digits, ssn);
        push_address_string(&mut number, 0x91, digits);
        Self { pc, address, number }
    }
}

/// The service that SCCP is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Udt,
    /// XUDT, whole.
    Xudt,
    /// XUDT in segments.
    Segments {
        reference: u32,
    },
}

/// The M3UA messages that carry `data`, or none where it does not fit.
pub(super) fn units(from: &Node, to: &Node, sls: u8, service: Service, data: &[u8]) -> Vec<Vec<u8>> {
    let (called, calling) = (&to.address[..], &from.address[..]);
    let mut sccp = Vec::with_capacity(MAX_SIF);
    let made = match service {
        Service::Udt => sccp::push_udt(&mut sccp, 0, false, called, calling, data),
        Service::Xudt => sccp::push_xudt(&mut sccp, 0, false, HOPS, called, calling, data, None, None),
        Service::Segments { reference } => {
            let segments = sccp::xudt_segments(1, HOPS, called, calling, data, SEGMENT, reference).unwrap_or_default();
            return segments.iter().map(|segment| unit(from.pc, to.pc, sls, 3, segment)).collect();
        }
    };
    if made.is_none() || LABEL + sccp.len() > MAX_SIF {
        return Vec::new();
    }
    vec![unit(from.pc, to.pc, sls, 3, &sccp)]
}

/// One M3UA DATA message.
pub(super) fn unit(opc: u32, dpc: u32, sls: u8, si: u8, user_data: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(user_data.len() + 40);
    m3ua::Data {
        opc,
        dpc,
        si,
        ni: 2,
        mp: 0,
        sls,
        network_appearance: None,
        routing_context: Some(77),
        correlation_id: None,
        user_data,
        message: &[],
    }
    .push(&mut message);
    message
}
