//! `POST /api/v1/reports`: what subscribers report (7726). `GET` there: what was reported, by name, for triage.
//!
//! A report weighs in and never decides: nothing here writes a verdict. Kept are the hosts of its links (the path too where the host is a
//! platform, never a query), pseudonyms of reporter and sender under a key of this console, and no text.

use control::record::Url;
use dataplane::policy::SenderKind;
use dataplane::record as lent;
use dataplane::texts::Ends;
use dataplane::verdict::{Reason, Verdict};
use rusqlite::{OptionalExtension as _, Transaction};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::body::{self, Asked, Text, check};
use super::counters::Tally;
use super::keys::Key;
use super::problem::{Kind, Problem};
use super::scan::{self, check_id, check_sender, is_number, sender};
use super::{Answered, Api, with_texts};
use crate::{Result, time};

/// Seconds that a report is kept.
const KEPT: i64 = 90 * 86_400;
/// Reports kept at most: the oldest go.
const MOST: i64 = 1_000_000;
/// Links kept of one report.
const LINKS: usize = 64;

/// What a subscriber reports.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportRequest)]
pub(super) struct Request<'a> {
    /// The text that was reported. It is judged and not kept.
    #[serde(borrow)]
    #[schema(value_type = String, max_length = 39015)]
    text: Text<'a>,
    /// Whom the text was from. A name is kept; of a number a pseudonym is.
    #[schema(value_type = Option<String>, max_length = 64)]
    sender: Option<Text<'a>>,
    /// Who reports: digits in international form. A pseudonym is kept.
    #[schema(value_type = Option<String>, pattern = r"^\+?[0-9]{1,20}$")]
    reporter: Option<Text<'a>>,
    /// The caller's name for this report. The same name with the same content is the same report.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128)]
    id: Option<Text<'a>>,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: Option<&'a str>,
    report: i64,
    repeat: bool,
    urls: Vec<Url<&'a str>>,
    verdict: &'static str,
}

/// What is kept.
struct Kept {
    client: Option<String>,
    print: [u8; 32],
    reporter: Option<String>,
    sender: Option<String>,
    links: Vec<[String; 5]>,
}

/// A keyed hash of a report: the key is a secret of this console.
fn print(secret: &[u8; 32], one: &Request<'_>) -> [u8; 32] {
    let mut hasher = Sha256::new().chain_update(secret);
    for field in [Some(&one.text), one.sender.as_ref(), one.reporter.as_ref()] {
        let octets = field.map_or(&b""[..], |text| text.as_str().as_bytes());
        hasher.update((octets.len() as u64 + u64::from(field.is_some())).to_be_bytes());
        hasher.update(octets);
    }
    hasher.finalize().into()
}

/// Host, registrable domain, path, verdict, reason of a link.
fn link(url: &lent::Url<'_>) -> [String; 5] {
    let behind = url.url.split_once(url.host).map_or("", |(_, rest)| rest);
    let path = behind.find('/').and_then(|at| behind.get(at..)).unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    // Where a platform's name says nothing, the path is the name.
    let path = if url.reason == Reason::Platform { path } else { "" };
    [url.host, url.registrable, path, url.verdict.name(), url.reason.name()].map(str::to_owned)
}

/// Keeps the reports of one request, all or none.
pub(super) fn answer(api: &Api, key: &Key, octets: &[u8]) -> core::result::Result<Answered, Problem> {
    let asked: Asked<Request<'_>> = body::parse(octets)?;
    let objects = asked.all();
    objects.iter().enumerate().try_for_each(|(number, one)| {
        let pointer = |field: &str| asked.pointer(number, field);
        check(pointer, "text", Some(&one.text), 39_015, ("", |_| true))?;
        check_sender(pointer, one.sender.as_ref(), key)?;
        let number = ("1 to 20 digits, with or without + in front", is_number as fn(&str) -> bool);
        check(pointer, "reporter", one.reporter.as_ref(), 21, number)?;
        check_id(pointer, one.id.as_ref())
    })?;
    key.take(objects.len())?;
    let state = api.live.now();
    let world = &state.world;
    let mut tally = Tally::default();
    let judge = |one: &Request<'_>, give: &mut dyn FnMut(&mut dyn Iterator<Item = lent::Url<'_>>, Verdict)| {
        let (sender, sender_kind) = sender(one.sender.as_ref());
        let ends = Ends { sender, sender_kind, ..Ends::default() };
        with_texts(|texts| {
            let verdict = texts.judge(world, one.text.as_str(), &ends);
            give(&mut texts.urls(one.text.as_str(), sender).iter(), verdict);
        });
    };
    let (mut kept, mut all) = (Vec::with_capacity(objects.len()), 0);
    for (number, one) in objects.iter().enumerate() {
        let mut links = Vec::new();
        judge(one, &mut |urls, _| {
            links.extend(urls.inspect(|_| all += 1).filter(|url| !url.host.is_empty()).map(|url| link(&url)));
        });
        if all > scan::LINKS {
            return Err(scan::too_many().of(|field| asked.pointer(number, field)));
        }
        links.sort();
        links.dedup();
        links.truncate(LINKS);
        let (from, kind) = sender(one.sender.as_ref());
        let pseudonym = |number: &Text<'_>| api.redactor.number(number.as_str().trim_start_matches('+'));
        kept.push(Kept {
            client: one.id.as_ref().map(|id| id.as_str().to_owned()),
            print: print(&api.secret, one),
            reporter: one.reporter.as_ref().map(pseudonym),
            sender: (!from.is_empty()).then(|| api.redactor.address(from, kind == SenderKind::Alphanumeric)),
            links,
        });
    }
    let by = key.id;
    let stored = api.desk.store().note(move |transaction| {
        let mut numbers = Vec::with_capacity(kept.len());
        for one in kept {
            match store(transaction, by, &one)? {
                Some(number) => numbers.push(number),
                // Nothing of this request is kept: the transaction is not committed.
                None => return Err(crate::Error::Conflict(numbers.len())),
            }
        }
        let now = time::now();
        let gone = "DELETE FROM reports WHERE time < ?1 OR id <= (SELECT max(id) FROM reports) - ?2";
        transaction.execute(gone, (now - KEPT, MOST))?;
        Ok(numbers)
    });
    let numbers = stored.map_err(|error| match error {
        crate::Error::Conflict(at) => Problem {
            field: Some(asked.pointer(at, "id")),
            ..Problem::new(Kind::Conflict, "reported before with another content")
        },
        other => other.into(),
    })?;
    let body = asked.answer(|at, one, out| {
        let (report, repeat) = numbers.get(at).copied().unwrap_or_default();
        judge(one, &mut |urls, verdict| {
            tally.repeats += u64::from(repeat);
            tally.verdict(verdict);
            let found: Vec<lent::Url<'_>> = urls.collect();
            let urls = found.iter().map(|url| Url::<&str>::of(url, one.text.as_str(), world)).collect();
            let id = one.id.as_ref().map(Text::as_str);
            body::write(&Answer { id, report, repeat, urls, verdict: verdict.name() }, out);
        });
        Ok(())
    })?;
    Ok(Answered { body, objects: objects.len(), tally })
}

/// Number of the report, and whether it was there before; `None`: another of that name was.
fn store(transaction: &Transaction<'_>, key: i64, one: &Kept) -> Result<Option<(i64, bool)>> {
    if let Some(client) = &one.client {
        let mut found = transaction.prepare_cached("SELECT id, print FROM reports WHERE key = ?1 AND client = ?2")?;
        let found = found.query_row((key, client), |row| Ok((row.get(0)?, row.get::<_, [u8; 32]>(1)?))).optional()?;
        if let Some((number, print)) = found {
            return Ok((print == one.print).then_some((number, true)));
        }
    }
    let sql = "INSERT INTO reports (time, key, client, print, reporter, sender) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = transaction.prepare_cached(sql)?;
    insert.execute((time::now(), key, &one.client, one.print, &one.reporter, &one.sender))?;
    let number = transaction.last_insert_rowid();
    let mut insert = transaction.prepare_cached("INSERT INTO report_links VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for [host, registrable, path, verdict, reason] in &one.links {
        let name = if registrable.is_empty() { host } else { registrable };
        insert.execute((number, host, name, path, verdict, reason))?;
    }
    Ok(Some((number, false)))
}

/// What is asked of the reports.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "for the document: parsed by name")]
pub(super) struct Asks {
    /// Reports from this time on, RFC 3339; without it those of the last day.
    #[param(required = false, value_type = String, format = DateTime)]
    since: Option<String>,
    /// Names at most.
    #[param(required = false, minimum = 1, maximum = 1000)]
    most: Option<u16>,
}

/// A name, and who reported it.
#[derive(Serialize, ToSchema)]
#[schema(as = Reported)]
pub(super) struct Reported {
    /// Registrable domain, or the host itself where it has none.
    name: String,
    /// Reports with a link to it.
    #[schema(minimum = 0)]
    reports: i64,
    /// Different people among the reporters: the first thing to order triage by.
    #[schema(minimum = 0)]
    reporters: i64,
    /// First report, RFC 3339.
    first: String,
    /// Last report, RFC 3339.
    last: String,
    /// What a link to its start page is worth now.
    #[schema(value_type = super::openapi::Verdict)]
    verdict: &'static str,
}

/// Unix seconds of a time of RFC 3339. The last hours of the year 9999 are beyond what can be counted here: the last instant that is not.
fn instant(text: &str) -> Option<i64> {
    let time = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let parts = jiff::fmt::temporal::Pieces::parse(text).ok()?;
        (parts.time().is_some() && parts.to_numeric_offset().is_some()).then_some(jiff::Timestamp::MAX)
    });
    time.map(jiff::Timestamp::as_second)
}

/// The names reported since, those of most reporters first.
pub(super) fn reported(api: &Api, query: &str) -> core::result::Result<Vec<u8>, Problem> {
    let (mut since, mut most) = (time::now() - 86_400, 100u16);
    for (name, value) in form_urlencoded(query) {
        match name.as_str() {
            "since" => {
                since = instant(&value).ok_or_else(|| Problem::field("since", "a time of RFC 3339, 2026-12-31T18:00:00Z"))?;
            }
            "most" => {
                let count = value.parse().ok().filter(|count| (1..=1000).contains(count));
                most = count.ok_or_else(|| Problem::field("most", "from 1 to 1000"))?;
            }
            other => return Err(Problem::field(other, "there are since and most")),
        }
    }
    let state = api.live.now();
    let mut names: Vec<Reported> = api.desk.store().read(|state| {
        let mut found = state.prepare_cached(
            "SELECT registrable, count(DISTINCT report), count(DISTINCT reporter), min(time), max(time)
             FROM report_links JOIN reports ON reports.id = report WHERE time >= ?1
             GROUP BY registrable ORDER BY 3 DESC, 2 DESC, 1 LIMIT ?2",
        )?;
        let row = |row: &rusqlite::Row<'_>| {
            let shown = |at| row.get(at).map(time::shown);
            let (name, reports, reporters) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Reported { name, reports, reporters, first: shown(3)?, last: shown(4)?, verdict: Verdict::Unknown.name() })
        };
        Ok(found.query_map((since, most), row)?.collect::<core::result::Result<_, _>>()?)
    })?;
    with_texts(|texts| {
        for name in &mut names {
            if let Ok(verdict) = texts.judge_url(&state.world, &format!("http://{}/", name.name), "") {
                name.verdict = verdict.name();
            }
        }
    });
    let mut out = Vec::new();
    body::write(&names, &mut out);
    Ok(out)
}

/// Names and values of a query.
fn form_urlencoded(query: &str) -> impl Iterator<Item = (String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect::<Vec<_>>().into_iter()
}
