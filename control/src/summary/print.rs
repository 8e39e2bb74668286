//! The page itself: at most 100 columns, no line that says only zeros.

use std::fmt::Write as _;
use std::sync::Arc;

use dataplane::counters::{Level, Tally};
use dataplane::policy::Direction;
use dataplane::verdict::Verdict;

use super::{End, Example, Host, Hosts, Summary};
use crate::record_json::Rfc3339;
use crate::terminal::{Paint, fitted, shown, wrapped};

const COLUMNS: usize = 100;

/// Lines of a text that are shown.
const TEXT_LINES: usize = 3;

/// Reasons that are listed; the rest is summed up.
const REASONS: usize = 8;

pub(super) fn page(summary: &Summary, end: &End<'_>, paint: Paint, top: usize) -> String {
    let mut page = Page { out: String::new(), paint, files: summary.captures > 1 };
    page.head(summary, end);
    page.hosts("DANGEROUS", &summary.dangerous, Verdict::Dangerous, top);
    page.hosts("UNKNOWN", &summary.unknown, Verdict::Unknown, top);
    page.done(end);
    page.not_read(summary, end);
    page.beside(summary, end);
    page.out
}

struct Page {
    out: String,
    paint: Paint,
    /// Whether a message must say which capture it is from.
    files: bool,
}

impl Page {
    fn line(&mut self, line: impl AsRef<str>) {
        self.out.push_str(line.as_ref().trim_end());
        self.out.push('\n');
    }

    fn head(&mut self, summary: &Summary, end: &End<'_>) {
        let frames = end.counters.frames.seen + summary.foreign.values().sum::<u64>();
        let mut head = format!("{} in {}", plural(frames, "frame"), plural(summary.captures as u64, "capture"));
        if let Some((first, last)) = summary.times {
            let (first, last) = (Rfc3339(first).to_string(), Rfc3339(last).to_string());
            let second = |time: &str| time.get(..19).unwrap_or_default().replace('T', " ");
            let same_day = first.get(..10) == last.get(..10);
            let last = if same_day { last.get(11..19).unwrap_or_default().to_owned() } else { second(&last) };
            let _ = write!(head, ", {} to {last} UTC", second(&first));
        }
        let head = self.paint.bold(&head);
        self.line(head);
        self.line("");

        let counters = end.counters;
        let [mt, mo] = counters.directions;
        if mt + mo == 0 {
            self.line("No short message was found.");
            return;
        }
        let parts = match counters.in_parts {
            0 => String::new(),
            1 => "; 1 is a part of a longer text".to_owned(),
            parts => format!("; {} are parts of longer texts", count(parts)),
        };
        let messages = s(mt + mo, "short message");
        self.line(format!("{:>11} {messages}: {}{parts}", count(mt + mo), direction_counts(mt, mo)));
        let [_, safe, unknown, dangerous] = counters.verdicts;
        let unknown = unknown.saturating_sub(summary.imitations);
        self.links([safe, unknown, dangerous]);
        if summary.imitations > 0 {
            let what = "without a link, with what imitates a label";
            self.line(format!("{:>11} {what}", count(summary.imitations)));
        }
    }

    fn links(&mut self, [safe, unknown, dangerous]: [u64; 3]) {
        let with_links = safe + unknown + dangerous;
        if with_links == 0 {
            self.line(format!("{:>11} with links", "none"));
            return;
        }
        self.line(format!("{:>11} with links:", count(with_links)));
        let paint = self.paint;
        let rows = [
            (dangerous, paint.red("dangerous "), "known to be bad"),
            (unknown, paint.yellow("unknown   "), "nobody has verified it, so it is not trusted"),
            (safe, paint.green("safe      "), "verified"),
        ];
        for (n, name, meaning) in rows.into_iter().filter(|(n, ..)| *n > 0) {
            self.line(format!("{:>15} {name}  {}", count(n), paint.dim(meaning)));
        }
    }

    fn hosts(&mut self, title: &str, hosts: &Hosts, verdict: Verdict, top: usize) {
        let sorted = hosts.sorted();
        if sorted.is_empty() {
            return;
        }
        self.line("");
        let listed = if sorted.len() > top { format!(", the first {top}") } else { String::new() };
        let title = if verdict == Verdict::Dangerous { self.paint.red(title) } else { self.paint.yellow(title) };
        let (n, messages) = (plural(sorted.len() as u64, "host"), plural(hosts.messages, "message"));
        self.line(format!("{title}  {n} in {messages}{listed}"));
        let mut seen: Vec<(Arc<str>, u64, u32)> = Vec::new();
        for (name, host) in sorted.iter().take(top) {
            self.host(name, host, &mut seen);
        }
        let rest = sorted.len().saturating_sub(top);
        if rest > 0 {
            self.line("");
            let all = sorted.len();
            self.line(format!("  and {} more: --top {all} lists them all, --json every message", plural(rest as u64, "host")));
        }
        if hosts.beyond > 0 {
            self.line(format!("  and {} with hosts beyond the {} that are kept", plural(hosts.beyond, "link"), super::MAX_HOSTS));
        }
    }

    fn host(&mut self, name: &str, host: &Host, seen: &mut Vec<(Arc<str>, u64, u32)>) {
        let messages = if host.messages > 1 { format!("  {}", plural(host.messages, "message")) } else { String::new() };
        let why = self.paint.dim(&fitted(&host.why, 60));
        let name = self.paint.bold(&fitted(name, 70));
        self.line("");
        self.line(format!("  {name}{messages}  {why}"));
        for example in &host.examples {
            let id = (example.file.clone(), example.frame, example.chunk);
            let again = seen.contains(&id);
            seen.push(id);
            self.example(example, again);
        }
        let more = host.messages.saturating_sub(host.examples.len() as u64);
        if more > 0 {
            let more = self.paint.dim(&format!("and {} more", plural(more, "message")));
            self.line(format!("    {more}"));
        }
    }

    fn example(&mut self, example: &Example, again: bool) {
        let file = if self.files { format!(" of {}", fitted(&base_name(&example.file), 30)) } else { String::new() };
        let part = example.part.map_or_else(String::new, |(part, total)| format!(", part {part} of {total}"));
        let way = if example.direction == Direction::Mt { "MT" } else { "MO" };
        let people = format!("{} → {}", fitted(&example.from, 20), fitted(&example.to, 20));
        let above = if again { ", shown above" } else { "" };
        self.line(format!("    {way}  {people}  frame {}{file}{part}{above}", example.frame));
        if again {
            return;
        }
        match &example.was {
            Some(was) => self.text("was", was),
            None => self.line("      was  (not shown)"),
        }
        match &example.now {
            Some(now) => self.text("now", now),
            None if example.was.is_some() => self.line(format!("      now  {}", self.paint.dim("as it is"))),
            None => {}
        }
        let done = self.paint.dim(&fitted(&format!("{}: {}", example.action, example.why), COLUMNS - 11));
        self.line(format!("           {done}"));
    }

    fn text(&mut self, label: &str, text: &str) {
        for (n, line) in wrapped(text, COLUMNS - 11, TEXT_LINES).into_iter().enumerate() {
            let label = if n == 0 { label } else { "" };
            self.line(format!("      {label:<3}  {line}"));
        }
    }

    fn done(&mut self, end: &End<'_>) {
        let counters = end.counters;
        self.tally("What was done", &counters.actions);
        self.tally("Not marked although a link in it is not safe, because of", &counters.unfit);
        if counters.unwarned > 0 {
            self.line(format!(
                "{:>11} {} went on without a mark although a link in it is not safe",
                count(counters.unwarned),
                s(counters.unwarned, "message")
            ));
        }
        let linked = |counts: &[u64; 4]| counts.iter().skip(2).sum::<u64>();
        let outcomes: Vec<_> = end.explains.outcomes().iter().filter(|(_, counts)| linked(counts) > 0).collect();
        if outcomes.is_empty() {
            return;
        }
        self.line("");
        self.line("What the network answered to the unknown and dangerous ones in this capture");
        for (name, counts) in outcomes {
            self.line(format!("{:>11} {name}", count(linked(counts))));
        }
    }

    fn tally(&mut self, title: &str, tally: &Tally) {
        let mut ways: Vec<_> = tally.iter().collect();
        ways.sort_by_key(|(_, _, n)| std::cmp::Reverse(*n));
        if ways.is_empty() {
            return;
        }
        self.line("");
        self.line(title);
        for (_, name, n) in ways {
            let meaning = self.paint.dim(meaning(name));
            self.line(format!("{:>11} {name:<10} {meaning}", count(n)));
        }
    }

    /// What was not understood, and what was seen that is no short message.
    fn not_read(&mut self, summary: &Summary, end: &End<'_>) {
        let damage = summary.not_understood.iter();
        let mut damage: Vec<_> = damage.map(|((layer, why), n)| (*n, format!("{}: {why}", layer.name()))).collect();
        let foreign = summary.foreign.iter();
        damage.extend(
            foreign.map(|(link_type, n)| (*n, format!("{} of link type {link_type}, which is not read", s(*n, "frame")))),
        );
        self.reasons("Not understood, and passed on as it was (--unscanned FILE keeps the frames)", damage);
        let counters = end.counters;
        let levels = [&counters.frames, &counters.chunks, &counters.messages, &counters.transactions, &counters.components];
        let passed: Vec<_> = levels.into_iter().flat_map(|level| ways_out(level, summary)).collect();
        self.reasons("Seen beside short messages, and passed on", passed);
    }

    fn reasons(&mut self, title: &str, mut reasons: Vec<(u64, String)>) {
        if reasons.is_empty() {
            return;
        }
        reasons.sort_by(|(a, why_a), (b, why_b)| b.cmp(a).then_with(|| why_a.cmp(why_b)));
        self.line("");
        self.line(title);
        for (n, why) in reasons.iter().take(REASONS) {
            self.line(format!("{:>11} {}", count(*n), fitted(why, COLUMNS - 12)));
        }
        let rest = reasons.get(REASONS..).unwrap_or_default();
        if !rest.is_empty() {
            let sum = rest.iter().map(|(n, _)| n).sum();
            self.line(format!("{:>11} for {}", count(sum), plural(rest.len() as u64, "other reason")));
        }
    }

    fn beside(&mut self, summary: &Summary, end: &End<'_>) {
        let counters = end.counters;
        let [_, bad, zero] = counters.sums;
        let note = |n, what, of_it: &str| (n, format!("{}{of_it}", s(n, what)));
        let mut notes: Vec<(u64, String)> = vec![
            note(counters.rewritten_frames, "frame", " would leave changed"),
            note(counters.split_packets, "packet", " would leave as two, having outgrown the MTU"),
            note(counters.outgrown_packets, "packet", " would leave as it came, having outgrown the MTU even as two"),
            note(summary.repeats.max(counters.retransmitted), "retransmission", ", each message counted once"),
            note(counters.differing_copies, "TSN", " that came again with other content"),
            note(bad, "packet", " with a wrong checksum, never changed"),
            note(zero, "packet", " with a checksum of zero"),
            note(counters.cut, "frame", " that the capture cut short"),
        ];
        // Open dialogues are no loss: they only tell a direction.
        for (name, counts) in end.joins.iter().filter(|(name, _)| *name != "dialogues") {
            let let_go = counts.evicted + counts.timed_out + counts.no_room + counts.contradicted;
            notes.push((let_go, format!("{name} let go before they were whole")));
            notes.push((counts.unfinished, format!("{name} still incomplete at the end")));
        }
        notes.retain(|(n, _)| *n > 0);
        if notes.is_empty() {
            return;
        }
        self.line("");
        self.line("Besides");
        for (n, what) in notes {
            self.line(format!("{:>11} {what}", count(n)));
        }
    }
}

/// What an action does, or a bound that stopped it, for whom it is new.
fn meaning(action: &str) -> &'static str {
    match action {
        "pass" => "left as it is",
        "label" => "a warning stands first in the text",
        "replace" => "a notice in place of the text",
        "redirect" => "the link leads to a page of the network's first",
        "deaden" => "the link made dead in place",
        "silence" => "the phone shows nothing",
        "observe" => "left as it is; --json says what would have been done",
        "characters" => "no mark can be written in the message's alphabet",
        "user-data" | "sif" | "sccp" | "mtu" => "no room for a mark",
        "same-length" => "the message came in pieces, whose lengths stay",
        "earlier-piece" => "the link left with an earlier piece of the message",
        "crosses-parts" => "the link lies in more parts than one",
        "sender" => "the link is the sender's name, and the text has none",
        _ => "",
    }
}

/// Ways out of a level that are not damage.
fn ways_out(level: &Level, summary: &Summary) -> Vec<(u64, String)> {
    let damage = |layer, why| summary.not_understood.contains_key(&(layer, why));
    let ways = level.out.iter().filter(|(layer, why, _)| !damage(*layer, why));
    ways.map(|(layer, why, n)| (n, format!("{}: {why}", layer.name()))).collect()
}

fn direction_counts(mt: u64, mo: u64) -> String {
    let parts = [(mt, "to phones (MT)"), (mo, "from phones (MO)")];
    let parts: Vec<String> = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", count(n))).collect();
    parts.join(", ")
}

fn base_name(file: &str) -> String {
    let name = std::path::Path::new(file).file_name().map_or(file.into(), |name| name.to_string_lossy());
    shown(&name).into_owned()
}

/// `1 frame`, `2 frames`.
fn plural(n: u64, what: &str) -> String {
    format!("{} {}", count(n), s(n, what))
}

/// `frame` for one, `frames` for any other number.
fn s(n: u64, what: &str) -> String {
    format!("{what}{}", if n == 1 { "" } else { "s" })
}

/// `1,234,567`.
fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(plural(1, "frame"), "1 frame");
    }
}
