//! Formats with columns: our own, URLhaus', PhishTank's.

use super::{Format, Sink, shown};
use dataplane::verdict::Verdict;
use dataplane::verdicts::build::Rule;
use dataplane::verdicts::pattern::{Kind, Pattern};

const OWN: [&str; 7] = ["pattern", "verdict", "category", "senders", "source", "expires", "note"];

/// Where each column of our own format stands, by the header, and how many it has.
#[derive(Default)]
pub(super) struct Columns(Option<([Option<usize>; 7], usize)>);

/// Reads one line; quoted fields do not span lines.
///
/// # Errors
/// A header of our own format with a column that is not known: an end that is not read would be no end.
pub(super) fn line(text: &str, number: u64, format: Format, columns: &mut Columns, sink: &mut Sink<'_>) -> Result<(), String> {
    if text.starts_with('#') {
        return Ok(());
    }
    let Some(fields) = split(text) else {
        sink.summary.entries += 1;
        sink.bad(number, "a quote that does not close".to_owned());
        return Ok(());
    };
    let field = |n: usize| fields.get(n).map_or("", |field| field.trim());
    match (format, columns.0) {
        (Format::Own, None) => columns.0 = Some(header(&fields)?),
        (Format::Own, Some((at, count))) => {
            sink.summary.entries += 1;
            let beyond = fields.iter().skip(count).any(|field| !field.trim().is_empty());
            let taken = if beyond {
                Err(format!("{} fields, and the first line names {count} columns", fields.len()))
            } else {
                own(at.map(|n| n.map_or("", field)), sink)
            };
            if let Err(why) = taken {
                sink.bad(number, why);
            }
        }
        (Format::Urlhaus, _) if field(0) == "id" => {}
        (Format::Urlhaus, _) => sink.entry(field(2), number),
        _ if field(0) == "phish_id" => {}
        _ => sink.entry(field(1), number),
    }
    Ok(())
}

/// The columns that a first line names.
fn header(fields: &[String]) -> Result<([Option<usize>; 7], usize), String> {
    let names: Vec<String> = fields.iter().map(|field| field.trim().to_ascii_lowercase()).collect();
    if let [one] = names.as_slice()
        && one.contains([';', '\t'])
    {
        return Err(format!("column {}: columns are parted by commas, as in pattern,verdict", shown(one)));
    }
    let count = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    let names = names.get(..count).unwrap_or_default();
    for (n, name) in names.iter().enumerate() {
        if !OWN.contains(&name.as_str()) {
            return Err(format!("column {}: known are {}", shown(name), OWN.join(", ")));
        }
        if names.iter().take(n).any(|before| before == name) {
            return Err(format!("column {} stands twice", shown(name)));
        }
    }
    Ok((OWN.map(|name| names.iter().position(|field| field == name)), count))
}

fn own([text, verdict, category, senders, source, expires, note]: [&str; 7], sink: &mut Sink<'_>) -> Result<(), String> {
    let read = if sink.of_keys { Pattern::parse } else { Pattern::written };
    let pattern = read(text, &mut sink.buffers).map_err(|why| format!("pattern {}: {why}", shown(text)))?;
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
    let names = senders.split(['|', ';']).map(str::trim).filter(|s| !s.is_empty()).collect::<Vec<_>>().join("|");
    // Without a name it would be safe for everyone.
    if names.is_empty() && !senders.is_empty() {
        return Err(format!("senders {}: no name in it, `|` and `;` part names", shown(senders)));
    }
    let expires = if expires.is_empty() {
        None
    } else {
        Some(ends(expires).ok_or_else(|| format!("expires {}: 2026-12-31 or 2026-12-31T18:00:00Z", shown(expires)))?)
    };
    let source = if source.is_empty() { sink.lends.source } else { source };
    let layer = sink.lends.layer;
    let rule = Rule { pattern: &pattern.key, verdict, category, source, layer, senders: &names, expires, note, priority: 0 };
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
