//! `ztsms scan`: texts in, their links and verdicts out.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, Write as _};

use dataplane::policy::SenderKind;
use dataplane::record::Found;
use dataplane::texts::{Ends, Messages, Texts};
use dataplane::verdict::Reason;

use super::args::Scan;
use super::judge;
use super::{Done, Failure, fail};
use crate::record::{SCAN_SCHEMA, Scanned, Url};
use crate::record_json::push_line;
use crate::terminal::{Colour, Paint, fitted, shown, wrapped};

/// Octets of the longest line that is read: thousands of texts long.
const LONGEST_LINE: u64 = 1 << 20;

const COLUMNS: usize = 100;

/// Runs the command.
pub(super) fn run(args: &Scan, colour: Colour) -> Result<Done, Failure> {
    let world = judge::world(&args.judge)?;
    let mut texts = Texts::default();
    let paint = Paint(colour.on(&io::stdout()));
    // A name may hold a link.
    let (sender, sender_kind) = SenderKind::of(args.sender.as_deref().unwrap_or_default());
    let ends = Ends { sender, sender_kind, ..Ends::default() };
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    let mut out = Vec::new();
    let mut one = |text: &str| {
        out.clear();
        let worst = texts.judge(&world, text, &ends);
        // What a text imitates is the policy's to know, as in `replay`.
        let decision = texts.decide(&world, text, &ends, worst, &mut Messages::new(1, 1));
        let (verdict, reason) = (decision.verdict.max(worst), decision.rule.spoof.then(|| Reason::LabelSpoof.name()));
        let urls = texts.urls(text, ends.sender).iter().map(|url| Url::of(&url, text, &world)).collect();
        let scanned = Scanned { schema: SCAN_SCHEMA, text: text.to_owned(), urls, verdict: verdict.name(), reason };
        if args.json {
            push_line(&mut out, &scanned);
        } else {
            out.extend_from_slice(page(&scanned, paint).as_bytes());
        }
        stdout.write_all(&out)
    };
    let mut done = Done::Well;
    if args.text.is_empty() {
        done = lines(&mut one)?;
    } else {
        args.text.iter().try_for_each(|text| one(text))?;
    }
    stdout.flush()?;
    Ok(done)
}

/// Every line of standard input. One that is too long or no UTF-8 is named with its number, and the rest goes on.
fn lines(one: &mut impl FnMut(&str) -> io::Result<()>) -> Result<Done, Failure> {
    let mut stdin = io::stdin().lock();
    let (mut line, mut number, mut done) = (Vec::new(), 0u64, Done::Well);
    loop {
        line.clear();
        number += 1;
        let read = io::Read::take(&mut stdin, LONGEST_LINE).read_until(b'\n', &mut line);
        let read = read.map_err(|error| Failure::file("standard input".as_ref(), "read", error))?;
        if read == 0 {
            return Ok(done);
        }
        let whole = line.ends_with(b"\n") || (read as u64) < LONGEST_LINE;
        if !whole {
            fail::complain(&format_args!("standard input: line {number}: longer than {LONGEST_LINE} octets, left out"));
            done = Done::InPart;
            io::BufRead::skip_until(&mut stdin, b'\n')
                .map_err(|error| Failure::file("standard input".as_ref(), "read", error))?;
            continue;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        match std::str::from_utf8(text) {
            Ok(text) => one(text)?,
            Err(error) => {
                let at = error.valid_up_to() + 1;
                fail::complain(&format_args!("standard input: line {number}: octet {at} is no UTF-8; read as far as it can be"));
                done = Done::InPart;
                one(&String::from_utf8_lossy(text))?;
            }
        }
    }
}

fn page(scanned: &Scanned, paint: Paint) -> String {
    let mut out = String::new();
    let verdict = coloured(paint, scanned.verdict, scanned.verdict);
    let mut lines = wrapped(&scanned.text, COLUMNS - 11, usize::MAX).into_iter();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{verdict}{:pad$}{}", "", lines.next().unwrap_or_default(), pad = 11 - scanned.verdict.len());
    for line in lines {
        let _ = writeln!(out, "{:11}{line}", "");
    }
    if let Some(reason) = scanned.reason {
        let _ = writeln!(out, "{:12}{}", "", paint.dim(&format!("{reason}: it imitates a label")));
    }
    for url in &scanned.urls {
        let name = coloured(paint, url.verdict, url.verdict);
        let pad = 10usize.saturating_sub(url.verdict.len());
        let _ = writeln!(out, "  {name}{:pad$}{}", "", fitted(&url.url, COLUMNS - 12));
        let _ = writeln!(out, "{:12}{}", "", paint.dim(&fitted(&why(url), COLUMNS - 12)));
    }
    out
}

fn why(url: &Url) -> String {
    let mut why = url.reason.to_owned();
    if let Some(entry) = &url.entry {
        let _ = write!(why, ": {}", shown(entry));
    }
    let from: Vec<&str> = [url.category.as_deref(), url.source.as_deref()].into_iter().flatten().collect();
    if !from.is_empty() {
        let _ = write!(why, " ({})", from.join(", "));
    }
    if url.confidence != "high" {
        let _ = write!(why, ", {} confidence", url.confidence);
    }
    if url.found == Found::Sender.name() {
        why.push_str(", in the sender's name");
    }
    why
}

fn coloured(paint: Paint, verdict: &str, text: &str) -> String {
    match verdict {
        "dangerous" => paint.red(text),
        "unknown" => paint.yellow(text),
        "safe" => paint.green(text),
        _ => text.to_owned(),
    }
}
