//! From what the pipeline lends to what is kept.

use std::collections::HashSet;
use std::sync::Arc;

use dataplane::policy::Direction;
use dataplane::record::{self as lent, Found, Sms, action_name};
use dataplane::world::World;
use protocols::map::{AddressString, Destination, Origination, Tbcd};
use protocols::sccp::Address;
use protocols::sms::Kind;

use super::{Concat, Party, Record, SMS_SCHEMA, TpAddress, Url};
use crate::record_json::hex;

/// What the pipeline does not know about a message.
#[derive(Clone, Debug)]
pub struct Beside {
    /// The capture, as it was named.
    pub file: Arc<str>,
    /// The frame has no time.
    pub timeless: bool,
    /// MSISDN that an SRI-SM gave for this IMSI.
    pub msisdn: Option<String>,
}

impl Record {
    /// Keeps what `sms` says.
    pub fn of(sms: &Sms<'_>, world: &World, beside: Beside) -> Self {
        let place = sms.place;
        let tpdu = sms.tpdu;
        let (observed, action) = action_name(sms.decision);
        Self {
            schema: SMS_SCHEMA,
            time: (!beside.timeless).then_some(place.time_ns),
            file: beside.file,
            frame: place.frame,
            chunk: place.chunk,
            transport: place.transport.name(),
            ni: place.label.map(|label| label.ni),
            opc: place.label.map(|label| label.opc),
            dpc: place.label.map(|label| label.dpc),
            sls: place.label.map(|label| label.sls),
            assoc: place.path,
            tsn: place.tsn,
            called: party(sms.called_party),
            calling: party(sms.calling_party),
            otid: sms.transaction.otid.map(hex),
            dtid: sms.transaction.dtid.map(hex),
            invoke_id: sms.invoke.invoke_id,
            operation: sms.operation,
            map_version: sms.map_version,
            imsi: sms.imsi.map(|imsi| Tbcd(imsi).to_string()),
            msisdn: originator(sms).or(beside.msisdn),
            service_centre: service_centre(sms),
            kind: tpdu.kind.name(),
            direction: direction_name(sms.direction),
            address: (!matches!(tpdu.kind, Kind::DeliverReport | Kind::SubmitReport)).then(|| TpAddress {
                digits: sms.address.to_owned(),
                ton: tpdu.address.ton,
                npi: tpdu.address.npi,
            }),
            pid: tpdu.pid,
            dcs: tpdu.dcs.0,
            scts: tpdu.scts.map(|scts| scts.to_string()),
            alphabet: tpdu.udl_at.map(|_| tpdu.user_data.alphabet().name()),
            language: tpdu.user_data.tables.locking.name().or(tpdu.user_data.tables.single.name()),
            concat: sms.concat.map(|part| Concat { reference: part.reference, total: part.total, seq: part.seq }),
            text: sms.text.map(str::to_owned),
            part_text: sms.part_text.map(str::to_owned),
            parts: sms.parts,
            urls: urls(sms, world),
            verdict: sms.verdict.name(),
            action: format!("{observed}{action}"),
            why: world.policy.why(sms.decision).to_string(),
            rewritten: sms.rewritten.map(str::to_owned),
            problems: sms.oddities().collect(),
            content_key: None,
        }
    }
}

impl<'a, S: From<&'a str>> Url<S> {
    /// What `url`, found in `text`, says.
    pub fn of(url: &lent::Url<'a>, text: &str, world: &'a World) -> Self {
        let in_text = url.found == Found::Text && !url.elsewhere;
        let named = |name: &'a str| (!name.is_empty()).then(|| S::from(name));
        let entry = url.entry.map(|entry| world.table.entry(entry));
        Self {
            text: Some(url.text.into()),
            start: in_text.then(|| code_points(text, url.start)),
            end: in_text.then(|| code_points(text, url.end)),
            url: url.url.into(),
            host: named(url.host),
            registrable: named(url.registrable),
            verdict: url.verdict.name(),
            reason: url.reason.name(),
            entry: entry.as_ref().map(|entry| entry.pattern.into()),
            source: entry.as_ref().and_then(|entry| named(entry.source)),
            category: entry.as_ref().and_then(|entry| named(entry.category)).or_else(|| url.app.then(|| "app".into())),
            confidence: url.confidence.name(),
            found: url.found.name(),
        }
    }
}

/// The links of a message. One that other parts of its text hold many times is told once: each of those has a record of its own, and a
/// text of 255 parts would have all of its links in every one.
fn urls(sms: &Sms<'_>, world: &World) -> Vec<Url> {
    let mut elsewhere = HashSet::new();
    let told = sms.urls.iter().filter(|url| !url.elsewhere || elsewhere.insert((url.url, url.text)));
    told.map(|url| Url::of(&url, sms.text.unwrap_or_default(), world)).collect()
}

/// Code points in front of octet `at`.
fn code_points(text: &str, at: usize) -> usize {
    text.get(..at).map_or(0, |front| front.chars().count())
}

fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Mt => "mt",
        Direction::Mo => "mo",
    }
}

fn party(address: &Address<'_>) -> Party {
    let gt = address.gt.as_ref();
    Party {
        gt: gt.map(|gt| gt.digits.to_string()),
        ssn: address.ssn,
        pc: address.pc,
        tt: gt.and_then(|gt| gt.tt),
        np: gt.and_then(|gt| gt.np),
        nai: gt.and_then(|gt| gt.nai),
    }
}

fn originator(sms: &Sms<'_>) -> Option<String> {
    match sms.forward.origination {
        Origination::Msisdn(number) => digits(number),
        _ => None,
    }
}

fn service_centre(sms: &Sms<'_>) -> Option<String> {
    match (sms.forward.destination, sms.forward.origination) {
        (Destination::ServiceCentre(number), _) | (_, Origination::ServiceCentre(number)) => digits(number),
        _ => None,
    }
}

fn digits(number: AddressString<'_>) -> Option<String> {
    let digits = number.to_string();
    (!digits.is_empty()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_code_points_and_not_octets() {
        let text = "à é http://x.test";
        let at = text.find("http").unwrap();
        assert_eq!((at, code_points(text, at)), (6, 4));
        assert_eq!(code_points(text, text.len()), text.chars().count());
    }
}
