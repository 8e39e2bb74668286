//! From a user message of SCTP, or a bare MSU, down to the components: one layer a function, each way out counted where it leaves.

use core::mem;

use protocols::map::{self, Destination, ForwardSm, Origination, RoutingInfoForSm, RoutingInfoForSmResult, Tbcd};
use protocols::sccp::{Address, Digits, GlobalTitle, Unitdata};
use protocols::sctp::Adaptation;
use protocols::tcap::{self, ApplicationContext, Component, Opcode};
use protocols::xua::Message;
use protocols::{Error, Layer, Why, m2pa, m2ua, m3ua, mtp3, sua};

use crate::carrier::{Carrier, Lay};
use crate::join::dialogues::{Dialogue, Octets};
use crate::join::pieces::Step;
use crate::join::pool::Tag;
use crate::join::segments;
use crate::judge::Met;
use crate::lane::{Lane, Way};
use crate::policy::Direction;
use crate::quiet::{Look, ROUTING_INFO};
use crate::record::{Event, Label, Listener};

pub(crate) mod odd;

/// SCCP among the service indicators, Q.704 §14.2.1.
const SI_SCCP: u8 = 3;

/// The two parties of an SCCP message or a CLDT.
#[derive(Clone, Copy)]
struct Parties<'a> {
    called: &'a Address<'a>,
    calling: &'a Address<'a>,
}

impl Lane {
    /// Every message of the adaptation layer in one user message: one, as the specifications have it, or several.
    pub(crate) fn messages<'c, L: Listener>(
        &mut self,
        bytes: &'c [u8],
        adaptation: Adaptation,
        carrier: &mut Carrier<'c>,
        way: &mut Way<'_, L>,
    ) {
        let messages = match adaptation {
            Adaptation::M3ua => m3ua::messages(bytes),
            Adaptation::M2ua => m2ua::messages(bytes),
            Adaptation::M2pa => m2pa::messages(bytes),
            Adaptation::Sua => sua::messages(bytes),
        };
        for message in messages {
            self.counters.messages.seen += 1;
            let message = match message {
                Ok(message) => message,
                Err(error) => {
                    self.leave_message(error, way);
                    continue;
                }
            };
            carrier.message = message.bytes;
            if let Err(error) = self.message(&message, adaptation, carrier, way) {
                self.misnamed(&message, adaptation, error, carrier, way);
            }
        }
    }

    /// One message of an adaptation layer. An error where it is none that carries a user part.
    #[inline(always)]
    fn message<'c, L: Listener>(
        &mut self,
        message: &Message<'c>,
        adaptation: Adaptation,
        carrier: &mut Carrier<'c>,
        way: &mut Way<'_, L>,
    ) -> Result<(), Error> {
        match adaptation {
            // By reference: it stays where it was written.
            Adaptation::M3ua => match &m3ua::Data::of(message) {
                Ok(data) => {
                    self.m3ua(data, carrier, way);
                    if data.may_go_on() {
                        self.further(message, carrier, way);
                    }
                }
                Err(error) => return Err(*error),
            },
            Adaptation::M2ua => self.msu(m2ua::Data::of(message)?.msu, carrier, way),
            Adaptation::M2pa => self.msu(m2pa::Data::of(message)?.msu, carrier, way),
            Adaptation::Sua => self.sua(&sua::Cldt::of(message)?, carrier, way),
        }
        Ok(())
    }

    /// The user parts of an M3UA message behind its first one.
    #[inline(never)]
    fn further<'c, L: Listener>(&mut self, message: &Message<'c>, carrier: &mut Carrier<'c>, way: &mut Way<'_, L>) {
        for data in m3ua::Data::further(message) {
            self.counters.messages.seen += 1;
            self.counters.oddities.add(Layer::M3ua, "more than one Protocol Data");
            self.m3ua(&data, carrier, way);
        }
    }

    /// A message that is none of the layer that its payload protocol identifier names. Receivers rarely look at the identifier: what
    /// is one of another layer, and has a user of SCCP, is read as that.
    #[inline(never)]
    fn misnamed<'c, L: Listener>(
        &mut self,
        message: &Message<'c>,
        adaptation: Adaptation,
        error: Error,
        carrier: &mut Carrier<'c>,
        way: &mut Way<'_, L>,
    ) {
        let named = odd::of_class(message.class);
        match named.filter(|&named| named != adaptation && odd::has_sccp(message, named, &way.world.network)) {
            Some(named) => {
                self.counters.oddities.add(Layer::Sctp, odd::PAYLOAD_PROTOCOL);
                way.place.transport = named.into();
                // It was read a moment ago.
                let _ = self.message(message, named, carrier, way);
                way.place.transport = adaptation.into();
            }
            None => self.leave_message(error, way),
        }
    }

    #[inline(never)]
    fn leave_message<L: Listener>(&mut self, error: Error, way: &mut Way<'_, L>) {
        if !matches!(error.why, Why::NotOurs(_)) {
            way.listener.unscanned(&way.place, error);
        }
        self.counters.messages.out.error(error);
    }

    fn m3ua<'c, L: Listener>(&mut self, data: &m3ua::Data<'c>, carrier: &mut Carrier<'c>, way: &mut Way<'_, L>) {
        way.place.label = Some(Label { ni: data.ni, opc: data.opc, dpc: data.dpc, sls: data.sls });
        carrier.payload = data.user_data;
        if data.si == SI_SCCP || self.is_sccp(data.user_data, Layer::M3ua, way) {
            self.sccp(data.user_data, carrier, way);
        } else {
            self.leave_message(Error::new(Layer::M3ua, 0, Why::NotOurs(mtp3::service_name(data.si))), way);
        }
    }

    /// Whether a user part is SCCP's whatever its service indicator says.
    #[inline(never)]
    fn is_sccp<L: Listener>(&mut self, user_data: &[u8], layer: Layer, way: &Way<'_, L>) -> bool {
        let is_sccp = odd::is_sccp(user_data, &way.world.network);
        if is_sccp {
            self.counters.oddities.add(layer, odd::SERVICE);
        }
        is_sccp
    }

    /// An MSU from SIO on: M2PA, M2UA, and captures of MTP2 and MTP3.
    pub(crate) fn msu<'c, L: Listener>(&mut self, msu: &'c [u8], carrier: &mut Carrier<'c>, way: &mut Way<'_, L>) {
        carrier.payload = msu;
        match mtp3::Msu::parse(msu, way.world.network.variant) {
            Ok(msu) => {
                way.place.label = Some(Label { ni: msu.ni, opc: msu.opc, dpc: msu.dpc, sls: msu.sls });
                if msu.si == SI_SCCP || self.is_sccp(msu.user_data, Layer::Mtp3, way) {
                    self.sccp(msu.user_data, carrier, way);
                } else {
                    self.leave_message(Error::new(Layer::Mtp3, 0, Why::NotOurs(mtp3::service_name(msu.si))), way);
                }
            }
            Err(error) => self.leave_message(error, way),
        }
    }

    fn sua<'c, L: Listener>(&mut self, cldt: &sua::Cldt<'c>, carrier: &mut Carrier<'c>, way: &mut Way<'_, L>) {
        way.place.label = None;
        carrier.payload = cldt.data;
        carrier.looked = None;
        let (called, calling) = (address(&cldt.destination), address(&cldt.source));
        let parties = Parties { called: &called, calling: &calling };
        match cldt.segmentation {
            Some(piece) if !(piece.first && piece.remaining == 0) => {
                let reference = (cldt.source.gt.map_or(&[][..], |gt| gt.digits), piece.reference, piece.first, piece.remaining);
                self.segment(cldt.data, reference, carrier, parties, way);
            }
            _ => self.tcap(cldt.data, carrier, parties, way),
        }
    }

    pub(crate) fn sccp<'c, L: Listener>(&mut self, message: &'c [u8], carrier: &mut Carrier<'c>, way: &mut Way<'_, L>) {
        carrier.sccp = message;
        carrier.looked = match self.look(message, carrier, way) {
            Look::Done => return,
            Look::Text(looked) => Some(looked),
            Look::Nothing => None,
        };
        // By reference, here and below: what a layer reads is large, and stays where it was written.
        match &Unitdata::parse(message, way.world.network.sccp()) {
            // The same data comes back: counted once, on its way out.
            Ok(unitdata) if unitdata.kind.is_service() => {
                self.leave_message(Error::new(Layer::Sccp, 0, Why::NotOurs(unitdata.kind.name())), way);
            }
            Ok(unitdata) => {
                let parties = Parties { called: &unitdata.called_party, calling: &unitdata.calling_party };
                match unitdata.segmentation {
                    Some(piece) if !(piece.first && piece.remaining == 0) => {
                        let reference = (unitdata.calling_party.raw, piece.local_reference, piece.first, piece.remaining);
                        self.segment(unitdata.data, reference, carrier, parties, way);
                    }
                    _ => self.tcap(unitdata.data, carrier, parties, way),
                }
            }
            Err(error) => self.leave_message(*error, way),
        }
    }

    /// One segment: originator, local reference, first, remaining.
    fn segment<L: Listener>(
        &mut self,
        data: &[u8],
        (originator, reference, first, remaining): (&[u8], u32, bool, u8),
        carrier: &Carrier<'_>,
        parties: Parties<'_>,
        way: &mut Way<'_, L>,
    ) {
        let key = segments::key(self.joins.secret, originator, reference);
        let tag = Tag { place: u32::from(remaining), marks: u32::from(first) * segments::FIRST };
        let mut buffer = mem::take(&mut self.buffers.segments);
        match self.joins.segments.join(key, self.now, tag, data, &mut buffer) {
            Step::Whole { at, .. } => {
                let lay = Lay { whole: &buffer, piece: data, at };
                self.tcap(&buffer, &mut Carrier { segments: Some(lay), ..*carrier }, parties, way);
            }
            Step::Waiting { repeat } => {
                let label = if repeat { "segment seen before" } else { "segment that waits for others" };
                self.counters.messages.out.add(Layer::Sccp, label);
            }
            Step::LetGo(why) => self.leave_message(Error::new(Layer::Sccp, 0, Why::Malformed(why)), way),
        }
        self.buffers.segments = buffer;
    }

    fn tcap<'c, L: Listener>(&mut self, data: &'c [u8], carrier: &mut Carrier<'c>, parties: Parties<'_>, way: &mut Way<'_, L>) {
        self.counters.messages.on += 1;
        self.counters.transactions.seen += 1;
        carrier.tcap = data;
        let message = tcap::Message::parse(data);
        let message = match &message {
            Ok(message) => message,
            Err(error) => {
                if !matches!(error.why, Why::NotOurs(_)) {
                    way.listener.unscanned(&way.place, *error);
                }
                return self.counters.transactions.out.error(*error);
            }
        };
        if !message.canonical() {
            message.marks.iter().for_each(|mark| self.counters.oddities.add(Layer::Tcap, mark.name()));
        }
        let (mut dialogue, mut more, mut count) = (None, false, 0);
        let mut components = message.components();
        loop {
            // Nearly every component is an invoke that has its usual form.
            if let Some(invoke) = &components.usual() {
                count += 1;
                self.counters.components.seen += 1;
                more |= self.invoke(invoke, message, &mut dialogue, carrier, parties, way);
                continue;
            }
            let Some(component) = &components.exact() else { break };
            count += 1;
            self.counters.components.seen += 1;
            match component {
                Ok(Component::Invoke(invoke)) => {
                    more |= self.invoke(invoke, message, &mut dialogue, carrier, parties, way);
                }
                Ok(other) => {
                    self.counters.components.out.add(Layer::Tcap, other.name());
                    outcome(other, message, parties, way);
                }
                Err(error) => {
                    way.listener.unscanned(&way.place, *error);
                    self.counters.components.out.error(*error);
                }
            }
        }
        if count > 0 {
            self.counters.transactions.on += 1;
        } else {
            self.counters.transactions.out.add(Layer::Tcap, bare(message.kind));
        }
        // Nearly every Begin says all in one frame: only what leaves something to a later message is remembered.
        if more || count == 0 && message.kind == tcap::Kind::Begin {
            let imsi = || Octets::new(reference(message).unwrap_or_default());
            self.open(message, dialogue.unwrap_or_else(|| Dialogue { imsi: imsi(), ..said(message) }), parties);
        }
        self.close(message, parties, way);
    }

    /// What is known of the dialogue that the message belongs to: what it says itself, else what the Begin said.
    fn dialogue(&mut self, message: &tcap::Message<'_>, parties: Parties<'_>) -> Dialogue {
        let said = said(message);
        if said.context.is_some() || !matches!(message.kind, tcap::Kind::Continue | tcap::Kind::End) {
            return said;
        }
        // This side's own transaction first: forwardSM goes the way of the Begin.
        let Self { joins, now, .. } = self;
        let mut find = |owner: &Address<'_>, id: Option<&[u8]>| joins.dialogues.find(identity(owner), id?, *now).copied();
        find(parties.calling, message.otid).or_else(|| find(parties.called, message.dtid)).unwrap_or(said)
    }

    fn open(&mut self, message: &tcap::Message<'_>, dialogue: Dialogue, parties: Parties<'_>) {
        if let (Some(otid), Some(_)) = (message.otid, dialogue.direction) {
            self.joins.dialogues.open(identity(parties.calling), otid, dialogue, self.now);
        }
    }

    /// An operation asked for. Whether more messages follow in the dialogue is the answer; what they may leave out is then in `dialogue`.
    fn invoke<L: Listener>(
        &mut self,
        invoke: &tcap::Invoke<'_>,
        message: &tcap::Message<'_>,
        dialogue: &mut Option<Dialogue>,
        carrier: &Carrier<'_>,
        parties: Parties<'_>,
        way: &mut Way<'_, L>,
    ) -> bool {
        let mut joined = mem::take(&mut self.buffers.argument);
        let dialogue = dialogue.get_or_insert_with(|| self.dialogue(message, parties));
        let more = self.argument(invoke, message, dialogue, carrier, parties, &mut joined, way);
        self.buffers.argument = joined;
        more
    }

    #[expect(clippy::too_many_arguments, reason = "what an operation was met in, and where its pieces are joined")]
    fn argument<L: Listener>(
        &mut self,
        invoke: &tcap::Invoke<'_>,
        message: &tcap::Message<'_>,
        dialogue: &mut Dialogue,
        carrier: &Carrier<'_>,
        parties: Parties<'_>,
        joined: &mut [u8],
        way: &mut Way<'_, L>,
    ) -> bool {
        let context = message.application_context().or(dialogue.context);
        let forward = ForwardSm::parse(invoke, context, joined);
        let forward = match &forward {
            Ok(forward) => forward,
            Err(error) => {
                let error = *error;
                if let Opcode::Local(ROUTING_INFO) = invoke.opcode {
                    routing_info(invoke, message, parties, way);
                }
                if !matches!(error.why, Why::NotOurs(_)) {
                    way.listener.unscanned(&way.place, error);
                }
                self.counters.components.out.error(error);
                return false;
            }
        };
        let (called_ssn, calling_ssn) = (parties.called.ssn, parties.calling.ssn);
        let (direction, _) = map::direction(forward, dialogue.direction, message.application_context(), called_ssn, calling_ssn);
        let imsi = match forward.destination {
            Destination::Imsi(imsi) => Some(imsi.0),
            _ => forward.imsi.map(|imsi| imsi.0).or_else(|| reference(message)).or_else(|| dialogue.imsi.get()),
        };
        let imsi = imsi.filter(|imsi| !Tbcd(imsi).is_empty());
        let lmsi = match forward.destination {
            Destination::Lmsi(lmsi) => Some(lmsi),
            _ => dialogue.lmsi.get(),
        };
        let centre = match forward.origination {
            Origination::ServiceCentre(centre) => Some(centre.0),
            _ => dialogue.centre.get(),
        };
        let met = Met {
            carrier,
            called_party: parties.called,
            calling_party: parties.calling,
            transaction: message,
            invoke,
            forward,
            map_version: map::version(context, forward, message.kind == tcap::Kind::Begin),
            imsi,
            lmsi,
            centre,
            direction,
        };
        match self.sms(&met, way) {
            Ok(()) => self.counters.components.on += 1,
            Err(error) => {
                way.listener.unscanned(&way.place, error);
                self.counters.components.out.error(error);
            }
        }
        if forward.more_messages {
            let [imsi, lmsi, centre] = [imsi, lmsi, centre].map(|known| Octets::new(known.unwrap_or_default()));
            *dialogue = Dialogue { direction: Some(direction), context, imsi, lmsi, centre, ..*dialogue };
        }
        forward.more_messages
    }

    /// End and Abort close the dialogue; a result without components is an outcome too.
    fn close<L: Listener>(&mut self, message: &tcap::Message<'_>, parties: Parties<'_>, way: &mut Way<'_, L>) {
        if !matches!(message.kind, tcap::Kind::End | tcap::Kind::Abort) {
            return;
        }
        let Some(dtid) = message.dtid else { return };
        // Whoever ends it may be either side: the transaction is its owner's.
        self.joins.dialogues.close(identity(parties.called), dtid);
        if message.kind == tcap::Kind::Abort {
            let event = Event::Outcome { dtid, called_party: parties.called, invoke_id: None, outcome: "aborted" };
            way.listener.event(&way.place, &event);
        }
    }
}

/// What names a party over load-shared links: its digits, else its address as it stands.
pub(crate) fn identity<'a>(address: &Address<'a>) -> &'a [u8] {
    address.gt.map_or(address.raw, |gt| gt.digits.octets())
}

/// What a message says of its own dialogue.
fn said(message: &tcap::Message<'_>) -> Dialogue {
    let context = message.application_context();
    Dialogue { context, direction: context.and_then(direction_of), ..Dialogue::default() }
}

/// The destination reference of map-open: an AddressString, whose first octet stands in front of the digits.
fn reference<'a>(message: &tcap::Message<'a>) -> Option<&'a [u8]> {
    message.destination_reference()?.get(1..)
}

pub(crate) fn direction_of(context: ApplicationContext) -> Option<Direction> {
    match (context.code, context.version) {
        (ApplicationContext::MT_RELAY, 2..) | (ApplicationContext::VGCS_RELAY, _) => Some(Direction::Mt),
        (ApplicationContext::MO_RELAY, 2..) => Some(Direction::Mo),
        _ => None,
    }
}

/// The name under which a message without components is counted.
pub(crate) const fn bare(kind: tcap::Kind) -> &'static str {
    match kind {
        tcap::Kind::Begin => "Begin without components",
        tcap::Kind::Continue => "Continue without components",
        tcap::Kind::End => "End without components",
        tcap::Kind::Abort => "Abort",
        tcap::Kind::Unidirectional => "Unidirectional without components",
    }
}

fn routing_info<L: Listener>(invoke: &tcap::Invoke<'_>, message: &tcap::Message<'_>, parties: Parties<'_>, way: &mut Way<'_, L>) {
    let (Some(otid), Some(argument)) = (message.otid, invoke.argument) else { return };
    if let Ok(asked) = RoutingInfoForSm::parse(&argument) {
        way.listener.event(&way.place, &Event::RoutingInfo { otid, calling_party: parties.calling, msisdn: asked.msisdn.0 });
    }
}

fn outcome<L: Listener>(component: &Component<'_>, message: &tcap::Message<'_>, parties: Parties<'_>, way: &mut Way<'_, L>) {
    let Some(dtid) = message.dtid else { return };
    let called_party = parties.called;
    let (invoke_id, outcome) = match component {
        Component::ReturnResult(result) => {
            if let (Some(Opcode::Local(ROUTING_INFO)), Some(parameter)) = (result.opcode, result.parameter)
                && let Ok(found) = RoutingInfoForSmResult::parse(&parameter)
            {
                let event = Event::RoutingInfoResult { dtid, called_party, imsi: found.imsi.0 };
                return way.listener.event(&way.place, &event);
            }
            (Some(result.invoke_id), "delivered")
        }
        Component::ReturnError(error) => match error.code {
            Opcode::Local(code) => (Some(error.invoke_id), map::error_name(code).unwrap_or("error")),
            Opcode::Global(_) => (Some(error.invoke_id), "error"),
        },
        Component::Reject(reject) => (reject.invoke_id, "rejected"),
        Component::Invoke(_) => return,
    };
    way.listener.event(&way.place, &Event::Outcome { dtid, called_party, invoke_id, outcome });
}

/// An address of SUA in the terms of SCCP.
fn address<'a>(sua: &sua::Address<'a>) -> Address<'a> {
    let title = |gt: sua::GlobalTitle<'a>| GlobalTitle {
        tt: Some(gt.tt),
        np: Some(gt.np),
        es: None,
        nai: Some(gt.nature),
        digits: Digits::new(gt.digits, gt.digit_count % 2 == 1),
    };
    Address {
        raw: sua.gt.map_or(&[], |gt| gt.digits),
        indicator: 0,
        gti: sua.gt.map_or(0, |gt| gt.indicator),
        pc: sua.pc,
        ssn: sua.ssn,
        gt: sua.gt.map(title),
        route_on_ssn: sua.routing_indicator == 2,
        malformed: false,
    }
}
