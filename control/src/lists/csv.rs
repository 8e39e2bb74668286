//! Formats with columns: our own, URLhaus', PhishTank's.

use super::{Format, Sink, shown};
use dataplane::verdict::Verdict;
use dataplane::verdicts::build::Rule;
use dataplane::verdicts::pattern::{Kind, Pattern};

const OWN: [&str; 7] = ["pattern", "verdict", "category", "senders", "source", "expires", "note"];

/// Where each column of our own format stands, by the header.
#[derive(Default)]
pub(super) struct Columns(Option<[Option<usize>; 7]>);

/// Reads one line; quoted fields do not span lines.
pub(super) fn line(text: &str, number: u64, format: Format, columns: &mut Columns, sink: &mut Sink<'_>) {
    if text.starts_with('#') {
        return;
    }
    let Some(fields) = split(text) else {
        sink.summary.entries += 1;
        return sink.bad(number, "a quote that does not close".to_owned());
    };
    let field = |n: usize| fields.get(n).map_or("", |field| field.trim());
    match (format, columns.0) {
        (Format::Own, None) => {
            let at = |name: &str| fields.iter().position(|field| field.trim().eq_ignore_ascii_case(name));
            columns.0 = Some(OWN.map(at));
        }
        (Format::Own, Some(at)) => {
            sink.summary.entries += 1;
            if let Err(why) = own(at.map(|n| n.map_or("", field)), sink) {
                sink.bad(number, why);
            }
        }
        (Format::Urlhaus, _) if field(0) == "id" => {}
        (Format::Urlhaus, _) => sink.entry(field(2), number),
        _ if field(0) == "phish_id" => {}
        _ => sink.entry(field(1), number),
    }
}

fn own([text, verdict, category, senders, source, expires, note]: [&str; 7], sink: &mut Sink<'_>) -> Result<(), String> {
    let pattern =
        Pattern::parse(&super::fanged(text), &mut sink.buffers).map_err(|why| format!("pattern {}: {why}", shown(text)))?;
    let verdict = match verdict.to_ascii_lowercase().as_str() {
        "safe" => Verdict::Safe,
        "unknown" => Verdict::Unknown,
        "dangerous" => Verdict::Dangerous,
        "" if pattern.kind == Kind::Platform => Verdict::None,
        "" => sink.lends.verdict.ok_or("verdict is missing: safe, dangerous or unknown")?,
        _ => return Err(format!("verdict {}: safe, dangerous or unknown", shown(verdict))),
    };
    if !senders.is_empty() && verdict != Verdict::Safe {
        return Err("senders go with safe only".to_owned());
    }
    let senders = senders.split(['|', ';']).map(str::trim).filter(|s| !s.is_empty()).collect::<Vec<_>>().join("|");
    let expires = if expires.is_empty() {
        None
    } else {
        Some(ends(expires).ok_or_else(|| format!("expires {}: 2026-12-31 or 2026-12-31T18:00:00Z", shown(expires)))?)
    };
    let source = if source.is_empty() { sink.lends.source } else { source };
    let layer = sink.lends.layer;
    let rule = Rule { pattern: &pattern.key, verdict, category, source, layer, senders: &senders, expires, note, priority: 0 };
    sink.rule(&rule);
    Ok(())
}

fn ends(text: &str) -> Option<u64> {
    u64::try_from(crate::clock::end(text)?).ok().map(|end| end.max(1))
}

/// Fields of one line, RFC 4180; `None` where a quote does not close.
fn split(text: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let field = fields.last_mut()?;
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => field.push(c),
        }
    }
    (!quoted).then_some(fields)
}
