//! MAP dialogues: which TCAP messages they take, with what in them.

use protocols::map::{
    AddressString, Destination, Origination, Tbcd, push_delivery_failure, push_forward_sm, push_mo_forward_sm,
    push_mt_forward_sm, push_routing_info_for_sm, push_routing_info_for_sm_result,
};
use protocols::tcap::{
    ApplicationContext, Opcode, push_begin, push_continue, push_dialogue_request, push_dialogue_response, push_end, push_invoke,
    push_result, push_return_error,
};

use super::network::Network;
use super::rng::Rng;
use super::wire::{Node, Service, units};
use super::{Mix, Way};

/// sendRoutingInfoForSM, TS 29.002 §17.5.
const ROUTING: i64 = 45;
/// Errors, TS 29.002 §17.6: absentSubscriberSM came with version 3.
const ABSENT_SUBSCRIBER_SM: i64 = 6;
const ABSENT_SUBSCRIBER: i64 = 27;
const UNKNOWN_SUBSCRIBER: i64 = 1;
const DELIVERY_FAILURE: i64 = 32;

const MS: u64 = 1_000_000;

/// One dialogue from its first message to its last.
pub(super) struct Dialogue<'a> {
    /// Who opens it.
    pub(super) from: &'a Node,
    pub(super) to: &'a Node,
    /// The opener is on the near side of the link.
    pub(super) outward: bool,
    pub(super) context: u8,
    pub(super) version: u8,
    /// Its Invokes, in order.
    pub(super) invokes: &'a [Vec<u8>],
    /// What each is answered by.
    pub(super) answers: &'a [Vec<u8>],
    pub(super) number: u32,
}

impl Dialogue<'_> {
    /// Puts its messages into the network, the first at `start`; returns when the last goes.
    pub(super) fn run(&self, start: u64, rng: &mut Rng, mix: &Mix, network: &mut Network<impl std::io::Write>) -> u64 {
        let (ours, theirs) = (self.number.to_be_bytes(), (self.number ^ 0x7000_0000).to_be_bytes());
        let context = ApplicationContext { code: self.context, version: self.version };
        let (mut open, mut accept) = (Vec::new(), Vec::new());
        if self.version > 1 {
            push_dialogue_request(&mut open, context, &[]);
            push_dialogue_response(&mut accept, context, 0, 0);
        }
        let sls = u8::try_from(rng.below(16)).unwrap_or(0);
        let mut now = start;
        let mut tcap = Vec::with_capacity(256);
        let plain = if rng.chance(mix.extended) { Service::Xudt } else { Service::Udt };
        let mut send = |now: u64, back: bool, service: Service, data: &[u8]| {
            let (from, to) = if back { (self.to, self.from) } else { (self.from, self.to) };
            let units = units(from, to, sls, service, data);
            let sent = !units.is_empty();
            for (n, unit) in (0..).zip(units) {
                network.schedule(now + n * 200_000, self.outward != back, sls, unit);
            }
            sent
        };
        if let ([invoke], [answer]) = (self.invokes, self.answers) {
            push_begin(&mut tcap, &ours, &open, invoke);
            let asked = self.version > 1 && rng.chance(mix.empty_begin);
            let segmented = Service::Segments { reference: self.number & 0x00ff_ffff };
            if !asked && (send(now, false, plain, &tcap) || rng.chance(mix.segmented) && send(now, false, segmented, &tcap)) {
                tcap.clear();
                push_end(&mut tcap, &ours, &accept, answer);
                now += rng.between(20 * MS, 400 * MS);
                send(now, true, plain, &tcap);
                return now;
            }
            tcap.clear();
        }
        push_begin(&mut tcap, &ours, &open, &[]);
        send(now, false, plain, &tcap);
        tcap.clear();
        push_continue(&mut tcap, &theirs, &ours, &accept, &[]);
        now += rng.between(10 * MS, 40 * MS);
        send(now, true, plain, &tcap);
        let last = self.invokes.len().saturating_sub(1);
        for (n, (invoke, answer)) in self.invokes.iter().zip(self.answers).enumerate() {
            tcap.clear();
            push_continue(&mut tcap, &ours, &theirs, &[], invoke);
            now += rng.between(5 * MS, 20 * MS);
            // A short message of full length leaves no room for XUDT's own fields.
            if !send(now, false, plain, &tcap) {
                let fits = send(now, false, Service::Udt, &tcap);
                debug_assert!(fits, "any TPDU fits in a Continue without dialogue portion");
            }
            tcap.clear();
            if n == last {
                push_end(&mut tcap, &ours, &[], answer);
            } else {
                push_continue(&mut tcap, &theirs, &ours, &[], answer);
            }
            now += rng.between(20 * MS, 400 * MS);
            send(now, true, plain, &tcap);
        }
        now
    }
}

/// The Invoke of a forwardSM. `subscriber` is the IMSI (TBCD) of an MT, the MSISDN (AddressString) of an MO.
pub(super) fn forward(way: Way, version: u8, id: i8, subscriber: &[u8], centre: &[u8], tpdu: &[u8], more: bool) -> Vec<u8> {
    let (destination, origination) = match way {
        Way::Mt => (Destination::Imsi(Tbcd(subscriber)), Origination::ServiceCentre(AddressString(centre))),
        Way::Mo => (Destination::ServiceCentre(AddressString(centre)), Origination::Msisdn(AddressString(subscriber))),
    };
    let mut argument = Vec::with_capacity(200);
    match (way, version) {
        (Way::Mt, 3) => push_mt_forward_sm(&mut argument, destination, origination, tpdu, more),
        (Way::Mo, 3) => push_mo_forward_sm(&mut argument, destination, origination, tpdu, None),
        _ => push_forward_sm(&mut argument, destination, origination, tpdu, more),
    }
    let mut invoke = Vec::with_capacity(argument.len() + 16);
    push_invoke(&mut invoke, id, None, Opcode::Local(operation(way, version)), &argument);
    invoke
}

const fn operation(way: Way, version: u8) -> i64 {
    match (way, version) {
        (Way::Mt, 3) => 44,
        _ => 46,
    }
}

/// How a delivery went.
pub(super) fn outcome(rng: &mut Rng, way: Way, version: u8, id: i8, fails: bool) -> Vec<u8> {
    let mut answer = Vec::new();
    if !fails {
        push_result(&mut answer, id, operation(way, version), &[]);
    } else if way == Way::Mt && rng.chance(0.6) {
        let code = if version == 3 { ABSENT_SUBSCRIBER_SM } else { ABSENT_SUBSCRIBER };
        push_return_error(&mut answer, id, code, &[]);
    } else if version > 1 {
        let mut parameter = Vec::new();
        push_delivery_failure(&mut parameter, if way == Way::Mt { 0 } else { 4 });
        push_return_error(&mut answer, id, DELIVERY_FAILURE, &parameter);
    } else {
        push_return_error(&mut answer, id, UNKNOWN_SUBSCRIBER, &[]);
    }
    answer
}

/// The routing query and its answer.
pub(super) fn routing(msisdn: &[u8], imsi: &[u8], centre: &[u8], node: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut argument, mut result) = (Vec::new(), Vec::new());
    push_routing_info_for_sm(&mut argument, msisdn, true, centre);
    push_routing_info_for_sm_result(&mut result, imsi, node);
    let (mut invoke, mut answer) = (Vec::new(), Vec::new());
    push_invoke(&mut invoke, 1, None, Opcode::Local(ROUTING), &argument);
    push_result(&mut answer, 1, ROUTING, &result);
    (invoke, answer)
}
