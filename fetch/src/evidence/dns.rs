//! Addresses, aliases, name servers, tokens.

use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use super::{BOUNDS, tokens};
use crate::guard::{Clock, Guard, address};
use crate::protocol::{Dns, Failure, Soa, Token, Why};

/// Records of one kind that are told, at most.
const RECORDS: usize = 32;

async fn ask(guard: &Guard, host: &str, kind: RecordType, clock: &Clock) -> Result<Vec<Record>, Failure> {
    clock.wait("asking the name servers", guard.names().records(host, kind)).await?
}

/// No record is an answer too: an empty one.
fn or_none(result: Result<Vec<Record>, Failure>) -> Result<Vec<Record>, Failure> {
    match result {
        Err(failure) if failure.why == Why::NoSuchName => Ok(Vec::new()),
        other => other,
    }
}

/// What the DNS says about the name, and about the domain that it belongs to.
pub(super) async fn records(guard: &Guard, host: &str, registrable: &str) -> Result<Dns, Failure> {
    let clock = BOUNDS.start();
    let (a, aaaa, ns, soa) = tokio::join!(
        ask(guard, host, RecordType::A, &clock),
        ask(guard, host, RecordType::AAAA, &clock),
        ask(guard, registrable, RecordType::NS, &clock),
        ask(guard, registrable, RecordType::SOA, &clock),
    );
    if let (Err(failure), Err(_)) = (&a, &aaaa) {
        return Err(failure.clone());
    }
    let (a, aaaa) = (or_none(a)?, or_none(aaaa)?);
    let aliases = if a.is_empty() { &aaaa } else { &a };
    let cname = aliases.iter().filter_map(|record| match &record.data {
        RData::CNAME(alias) => Some(text(alias)),
        _ => None,
    });
    let mut dns = Dns {
        a: a.iter().filter_map(|record| if let RData::A(a) = &record.data { Some(a.0) } else { None }).take(RECORDS).collect(),
        aaaa: aaaa
            .iter()
            .filter_map(|record| if let RData::AAAA(a) = &record.data { Some(a.0) } else { None })
            .take(RECORDS)
            .collect(),
        forbidden: Vec::new(),
        cname: cname.take(RECORDS).collect(),
        ns: ns.map(|records| name_servers(&records)).into(),
        soa: soa.and_then(|records| authority(&records)).into(),
    };
    let ours = address::ours().unwrap_or_default();
    let all = dns.a.iter().map(|a| (*a).into()).chain(dns.aaaa.iter().map(|a| (*a).into()));
    dns.forbidden = all.filter_map(|a| guard.rules().why_not(a, &ours).map(|why| format!("{a}: {why}"))).collect();
    Ok(dns)
}

/// Tokens at the name and at `_ztsms.` below it: a name that is an alias has no TXT of its own.
pub(super) async fn token(guard: &Guard, host: &str, expected: Option<&str>) -> Result<Token, Failure> {
    let clock = BOUNDS.start();
    let below = format!("_ztsms.{host}");
    let (at, below) = tokio::join!(ask(guard, host, RecordType::TXT, &clock), ask(guard, &below, RecordType::TXT, &clock));
    let broken = [&at, &below].into_iter().filter_map(|result| result.as_ref().err()).find(|f| f.why != Why::NoSuchName).cloned();
    let records: Vec<Record> = [at, below].into_iter().filter_map(Result::ok).flatten().collect();
    let texts: Vec<String> = records
        .iter()
        .filter_map(|record| match &record.data {
            // The pieces of one record are one text (RFC 7208 §3.3 says so for its own, and everybody does it).
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        })
        .collect();
    let found = tokens(texts.iter().map(String::as_str), expected);
    match broken {
        _ if found.matches => Ok(found),
        Some(failure) => Err(failure),
        None if found.tokens.is_empty() => {
            Err(Failure::new(Why::Absent, format_args!("no TXT record ztsms-verify= at {host} or _ztsms.{host}")))
        }
        None => Ok(found),
    }
}

fn name_servers(records: &[Record]) -> Vec<String> {
    let mut names: Vec<String> =
        records.iter().filter_map(|record| if let RData::NS(ns) = &record.data { Some(text(&ns.0)) } else { None }).collect();
    names.sort();
    names.truncate(RECORDS);
    names
}

fn authority(records: &[Record]) -> Result<Soa, Failure> {
    let soa = records.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(Soa { mname: text(&soa.mname), rname: text(&soa.rname), serial: soa.serial }),
        _ => None,
    });
    soa.ok_or_else(|| Failure::new(Why::NoSuchName, "no SOA"))
}

fn text(name: &Name) -> String {
    let text = name.to_ascii().to_ascii_lowercase();
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}
