//! From a lane's note to what is kept: a redacted `ztsms.sms.v1` for the spool, a `ztsms.work.v1` for what has to be looked at.

use std::hash::Hasher as _;
use std::sync::Arc;

use dataplane::live::{Kind, LinkNote, Noted, PartyNote, SmsNote};
use dataplane::policy::Direction;
use dataplane::record::{Found, action_name};
use dataplane::verdict::{Confidence, Verdict};
use protocols::map::{AddressString, Tbcd};
use protocols::sms::{self, Kind as TpduKind, Tpdu};
use serde::Serialize;
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use crate::record::{Concat, Party, Record, Redactor, SMS_SCHEMA, TpAddress, Url};
use crate::record_json::{self as json, hex};
use crate::spool::{mask, simhash};

/// What records are made with.
pub(super) struct Makes {
    pub(super) redactor: Redactor,
    /// Keys the content keys.
    pub(super) key: u128,
}

/// `ztsms.event.v1`: what explains a message without being one, redacted.
#[derive(Debug, Serialize)]
pub(super) struct EventRecord {
    schema: &'static str,
    #[serde(serialize_with = "json::time")]
    time: Option<u64>,
    #[serde(serialize_with = "json::shared")]
    file: Arc<str>,
    event: &'static str,
    otid: Option<String>,
    dtid: Option<String>,
    party: Party,
    msisdn: Option<String>,
    imsi: Option<String>,
    invoke_id: Option<i64>,
    outcome: Option<&'static str>,
}

/// `ztsms.work.v1`: what triage and redirects need. Sealed.
#[derive(Debug, Serialize)]
pub(super) struct WorkRecord {
    schema: &'static str,
    #[serde(serialize_with = "json::time")]
    time: Option<u64>,
    content_key: String,
    sender: Option<String>,
    /// Only where a page may have to write to them: a redirect.
    recipient: Option<String>,
    verdict: &'static str,
    action: String,
    /// The text masked: no numbers, no links, no greeted names.
    sketch: String,
    /// SimHash of it, 64 bits in hexadecimal; none for a text of a few words.
    simhash: Option<String>,
    urls: Vec<WorkUrl>,
}

#[derive(Debug, Serialize)]
struct WorkUrl {
    /// As the handset would open it.
    text: String,
    url: String,
    verdict: &'static str,
    reason: &'static str,
    /// The id that stands in its place.
    id: Option<String>,
}

impl Makes {
    /// The record of a short message, redacted.
    pub(super) fn sms(&self, noted: &Noted<'_>, sms: &SmsNote, file: &Arc<str>) -> Record {
        let mut record = full(noted, sms, file);
        record.content_key = Some(self.content_key(noted, sms));
        self.redactor.apply(&mut record);
        record
    }

    /// The same for copies by change-over, mirrors and the centre's retries, which repeat the TPDU to the same subscriber.
    fn content_key(&self, noted: &Noted<'_>, sms: &SmsNote) -> String {
        let mut hasher = SipHasher13::new_with_key(&self.key.to_le_bytes());
        let imsi = sms.imsi.map(|imsi| Tbcd(imsi.of(noted.octets)).to_string());
        // A correlation id is another for each try.
        let imsi = imsi.filter(|imsi| !noted.world.is_some_and(|world| world.network.is_correlation_id(imsi)));
        for part in [imsi.unwrap_or_default().as_bytes(), sms.tpdu.of(noted.octets)] {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
        hex(&hasher.finish128().as_bytes())
    }

    /// The record of an event; `None` for what is none.
    pub(super) fn event(&self, noted: &Noted<'_>, file: &Arc<str>) -> Option<EventRecord> {
        let octets = noted.octets;
        let number = |octets: &[u8]| self.redactor.number(&AddressString(octets).to_string());
        let party_of = |note: &PartyNote| {
            let mut party = party(note, octets);
            party.gt = party.gt.map(|gt| self.redactor.number(&gt));
            party
        };
        let mut record = EventRecord {
            schema: "ztsms.event.v1",
            time: Some(noted.note.place.time_ns),
            file: Arc::clone(file),
            event: "",
            otid: None,
            dtid: None,
            party: Party::default(),
            msisdn: None,
            imsi: None,
            invoke_id: None,
            outcome: None,
        };
        match &noted.note.kind {
            Kind::RoutingInfo { otid, calling, msisdn } => {
                record.event = "routing-info";
                record.otid = Some(hex(otid.of(octets)));
                record.party = party_of(calling);
                record.msisdn = Some(number(msisdn.of(octets)));
            }
            Kind::RoutingInfoResult { dtid, called, imsi } => {
                record.event = "routing-info-result";
                record.dtid = Some(hex(dtid.of(octets)));
                record.party = party_of(called);
                record.imsi = Some(self.redactor.imsi(&Tbcd(imsi.of(octets)).to_string()));
            }
            Kind::Outcome { dtid, called, invoke_id, outcome } => {
                record.event = "outcome";
                record.dtid = Some(hex(dtid.of(octets)));
                record.party = party_of(called);
                record.invoke_id = *invoke_id;
                record.outcome = Some(outcome);
            }
            Kind::Sms(_) | Kind::Unscanned { .. } => return None,
        }
        Some(record)
    }

    /// What has to be looked at: a message with a link that is not safe and counts, or one that was redirected.
    pub(super) fn work(&self, noted: &Noted<'_>, sms: &SmsNote) -> Option<WorkRecord> {
        let counts =
            |link: &&LinkNote| link.issued.is_some() || (link.verdict > Verdict::Safe && link.confidence != Confidence::Binding);
        let octets = noted.octets;
        let urls: Vec<WorkUrl> = noted
            .links
            .iter()
            .filter(counts)
            .map(|link| WorkUrl {
                text: link.text.text(octets).to_owned(),
                url: link.url.text(octets).to_owned(),
                verdict: link.verdict.name(),
                reason: link.reason.name(),
                id: link.issued.map(|id| id.as_str().to_owned()),
            })
            .collect();
        if urls.is_empty() {
            return None;
        }
        let redirected = urls.iter().any(|url| url.id.is_some());
        let imsi = sms.imsi.filter(|_| redirected).map(|imsi| Tbcd(imsi.of(octets)).to_string());
        let (observed, action) = action_name(&sms.decision);
        let links: Vec<&str> = noted.links.iter().map(|link| link.text.text(octets)).collect();
        let sketch = mask(&text(sms, octets), &links);
        Some(WorkRecord {
            schema: "ztsms.work.v1",
            time: Some(noted.note.place.time_ns),
            content_key: self.content_key(noted, sms),
            sender: (sms.direction == Direction::Mt).then(|| sms.address.text(octets).to_owned()),
            recipient: imsi,
            verdict: sms.verdict.name(),
            action: format!("{observed}{action}"),
            simhash: simhash(&sketch).map(|sum| format!("{sum:016x}")),
            sketch,
            urls,
        })
    }
}

fn tpdu<'o>(sms: &SmsNote, octets: &'o [u8]) -> Option<Tpdu<'o>> {
    let side = match sms.direction {
        Direction::Mt => sms::Direction::MobileTerminated,
        Direction::Mo => sms::Direction::MobileOriginated,
    };
    Tpdu::parse(sms.tpdu.of(octets), side).ok()
}

fn text(sms: &SmsNote, octets: &[u8]) -> String {
    let mut text = String::new();
    if let Some(tpdu) = tpdu(sms, octets).filter(|tpdu| tpdu.user_data.has_text()) {
        tpdu.user_data.text(&mut text);
    }
    text
}

fn party(note: &PartyNote, octets: &[u8]) -> Party {
    let PartyNote { gt, ssn, pc, tt, np, nai } = *note;
    Party { gt: gt.map(|gt| gt.text(octets).to_owned()), ssn, pc, tt, np, nai }
}

fn digits(octets: &[u8]) -> Option<String> {
    let digits = AddressString(octets).to_string();
    (!digits.is_empty()).then_some(digits)
}

fn full(noted: &Noted<'_>, sms: &SmsNote, file: &Arc<str>) -> Record {
    let Noted { note, links, octets, world } = *noted;
    let place = &note.place;
    let tpdu = tpdu(sms, octets);
    let (observed, action) = action_name(&sms.decision);
    let kind = tpdu.as_ref().map(|tpdu| tpdu.kind);
    let is_report = matches!(kind, Some(TpduKind::DeliverReport | TpduKind::SubmitReport));
    let mut why = world.map(|world| world.policy.why(&sms.decision).to_string()).unwrap_or_default();
    if let Some(held) = sms.held {
        why = format!("{why}, held back: {}", held.name());
    }
    let ud = tpdu.as_ref().map(|tpdu| &tpdu.user_data);
    Record {
        schema: SMS_SCHEMA,
        time: Some(place.time_ns),
        file: Arc::clone(file),
        frame: place.frame,
        chunk: place.chunk,
        transport: place.transport.name(),
        ni: place.label.map(|label| label.ni),
        opc: place.label.map(|label| label.opc),
        dpc: place.label.map(|label| label.dpc),
        sls: place.label.map(|label| label.sls),
        assoc: place.path,
        tsn: place.tsn,
        called: party(&sms.called, octets),
        calling: party(&sms.calling, octets),
        otid: sms.otid.map(|id| hex(id.of(octets))),
        dtid: sms.dtid.map(|id| hex(id.of(octets))),
        invoke_id: sms.invoke_id,
        operation: sms.operation,
        map_version: sms.map_version,
        imsi: sms.imsi.map(|imsi| Tbcd(imsi.of(octets)).to_string()),
        msisdn: sms.msisdn.and_then(|number| digits(number.of(octets))),
        service_centre: sms.service_centre.and_then(|number| digits(number.of(octets))),
        kind: kind.map_or("unknown", TpduKind::name),
        direction: match sms.direction {
            Direction::Mt => "mt",
            Direction::Mo => "mo",
        },
        address: tpdu.as_ref().filter(|_| !is_report).map(|tpdu| TpAddress {
            digits: sms.address.text(octets).to_owned(),
            ton: tpdu.address.ton,
            npi: tpdu.address.npi,
        }),
        pid: tpdu.as_ref().map_or(0, |tpdu| tpdu.pid),
        dcs: tpdu.as_ref().map_or(0, |tpdu| tpdu.dcs.0),
        scts: tpdu.as_ref().and_then(|tpdu| tpdu.scts.as_ref()).map(ToString::to_string),
        alphabet: tpdu.as_ref().filter(|tpdu| tpdu.udl_at.is_some()).map(|tpdu| tpdu.user_data.alphabet().name()),
        language: ud.and_then(|ud| ud.tables.locking.name().or(ud.tables.single.name())),
        concat: sms.concat.map(|part| Concat { reference: part.reference, total: part.total, seq: part.seq }),
        text: None,
        part_text: None,
        parts: sms.parts,
        urls: links.iter().map(|link| url(link, noted)).collect(),
        verdict: sms.verdict.name(),
        action: format!("{observed}{action}"),
        why,
        rewritten: None,
        problems: sms.problems.into_iter().filter(|name| !name.is_empty()).collect(),
        content_key: None,
    }
}

fn url(link: &LinkNote, noted: &Noted<'_>) -> Url {
    let octets = noted.octets;
    let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    let entry = link.entry.zip(noted.world).map(|(entry, world)| world.table.entry(entry));
    let place = |at: u32| (link.found == Found::Text && at != u32::MAX).then(|| usize::try_from(at).unwrap_or(usize::MAX));
    Url {
        text: named(link.text.text(octets)),
        start: place(link.start),
        end: place(link.end),
        url: link.url.text(octets).to_owned(),
        host: named(link.host.text(octets)),
        registrable: named(link.registrable.text(octets)),
        verdict: link.verdict.name(),
        reason: link.reason.name(),
        entry: entry.as_ref().map(|entry| entry.pattern.to_owned()),
        source: entry.as_ref().and_then(|entry| named(entry.source)),
        category: entry.as_ref().and_then(|entry| named(entry.category)).or_else(|| link.app.then(|| "app".to_owned())),
        confidence: link.confidence.name(),
        found: link.found.name(),
    }
}
