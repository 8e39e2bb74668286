//! Response policy zones (draft-vixie-dnsop-dns-rpz-00) as master files (RFC 1035 §5.1) or as `dig AXFR` prints them.
//!
//! ```text
//! rpz.example.          SOA …               the zone's name, which is taken off each owner; a relative owner ends where $ORIGIN says
//! evil.example          CNAME .             §3.1: no such name        CNAME *.   §3.2: no data        CNAME rpz-drop.   §3.4
//! *.evil.example        CNAME .             what is below it
//! good.evil.example     CNAME rpz-passthru. §3.3: an exception
//! ```

use super::excepted::{Block, Reach};
use super::{Sink, lines, shown};

/// How far a zone is read.
#[derive(Default)]
pub(super) struct Zone {
    /// Its name, without the final dot.
    name: Option<String>,
    /// What relative names end with; empty at the root.
    origin: Option<String>,
    /// The last owner: a line that begins with a blank is about it too.
    owner: String,
    /// Parentheses that are open: the record goes on in the next line (RFC 1035 §5.1).
    open: i32,
}

/// What every zone has, signed ones too, and what says nothing of a name.
const SILENT: [&str; 7] = ["SOA", "NS", "RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY"];

/// Reads one line. `indented`: it began with a blank.
pub(super) fn line(text: &str, indented: bool, number: u64, zone: &mut Zone, sink: &mut Sink<'_>) {
    if lines::is_comment(text) {
        return;
    }
    let (record, open) = uncommented(text);
    let words: Vec<&str> = record.split_whitespace().collect();
    // A parenthesis that nobody closes takes no record of a name with it, and no directive.
    if zone.open > 0 && !text.starts_with('$') && !words.iter().any(|word| is_type(word)) {
        zone.open += open;
        return;
    }
    zone.open = open;
    let Some((first, rest)) = words.split_first() else { return };
    let mut bad = |why| {
        sink.summary.entries += 1;
        sink.bad(number, format!("{}: {why}", shown(text)));
    };
    if let Some(directive) = first.strip_prefix('$') {
        return match (directive.to_ascii_uppercase().as_str(), rest.first()) {
            ("ORIGIN", Some(origin)) => zone.begin(origin),
            ("TTL", _) => {}
            ("INCLUDE", _) => bad("another file is not looked into: give it as a list of its own"),
            ("GENERATE", _) => bad("names that are counted up are not made: list each"),
            _ => bad("no directive that is known"),
        };
    }
    let rest = if indented && (is_before_type(first) || is_type(first)) {
        words.as_slice()
    } else {
        zone.owner = (*first).to_owned();
        rest
    };
    let mut rest = rest.iter().skip_while(|word| is_before_type(word));
    let kind = rest.next().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
    let found = match (kind.as_str(), rest.next()) {
        ("SOA", _) => return zone.name = zone.whole(&zone.owner).filter(|name| !name.is_empty()),
        (kind, _) if SILENT.contains(&kind) => return,
        ("CNAME" | "A" | "AAAA", Some(data)) => zone.trigger().map(|name| name.map(|name| (policy(&kind, data, &name), name))),
        // The zone's own records say nothing of a name.
        (kind, _) => zone.trigger().and_then(|name| if name.is_some() { Err(unread(kind)) } else { Ok(None) }),
    };
    let why = match found {
        // The zone's own address, and what is no record of a name.
        Ok(None) => return,
        Ok(Some((Ok(policy), name))) => {
            let below = name.starts_with("*.");
            return match policy {
                Policy::Block => sink.block(&name, number, if below { Block::Below } else { Block::Host }),
                Policy::Pass => sink.except(&name, number, Reach { itself: !below, below, ..Reach::default() }),
            };
        }
        Ok(Some((Err(why), _))) | Err(why) => why,
    };
    bad(why);
}

fn unread(kind: &str) -> &'static str {
    if is_type(kind) { "an answer of its own, nothing that blocks" } else { "no record" }
}

/// A line without its comment, and how many more parentheses it opens than it closes: those in quotes are text.
fn uncommented(text: &str) -> (&str, i32) {
    let (mut quoted, mut open) = (false, 0);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ';' if !quoted => return (text.get(..at).unwrap_or_default(), open),
            '(' if !quoted => open += 1,
            ')' if !quoted => open -= 1,
            _ => {}
        }
    }
    (text, open)
}

enum Policy {
    Block,
    Pass,
}

fn policy(kind: &str, data: &str, name: &str) -> Result<Policy, &'static str> {
    let data = data.to_ascii_lowercase();
    if kind != "CNAME" {
        return if lines::is_nowhere(&data) { Ok(Policy::Block) } else { Err("an answer of its own, nothing that blocks") };
    }
    match data.trim_end_matches('.') {
        "" | "*" | "rpz-drop" => Ok(Policy::Block),
        "rpz-passthru" => Ok(Policy::Pass),
        "rpz-tcp-only" => Err("asks for TCP, nothing that blocks"),
        // Before `rpz-passthru` that was the exception.
        itself if itself.eq_ignore_ascii_case(name) => Ok(Policy::Pass),
        _ => Err("an answer of its own: a walled garden, or a search that is made safe"),
    }
}

/// A time to live or a class.
fn is_before_type(word: &str) -> bool {
    let class = ["IN", "CH", "HS"].iter().any(|class| word.eq_ignore_ascii_case(class));
    class || word.starts_with(|c: char| c.is_ascii_digit()) && word.bytes().all(|octet| octet.is_ascii_alphanumeric())
}

fn is_type(word: &str) -> bool {
    let others = ["CNAME", "A", "AAAA", "TXT", "DNAME", "MX", "SRV", "PTR", "HINFO", "NAPTR", "CAA", "SVCB", "HTTPS"];
    SILENT.iter().chain(&others).any(|kind| word.eq_ignore_ascii_case(kind))
}

impl Zone {
    fn begin(&mut self, origin: &str) {
        self.origin = self.whole(origin);
        // Without an SOA record the first origin is all that names the zone.
        if self.name.is_none() {
            self.name = self.origin.clone().filter(|name| !name.is_empty());
        }
    }

    /// A name with what a relative one leaves out; `None` where nothing says what that is.
    fn whole(&self, name: &str) -> Option<String> {
        match (name, name.strip_suffix('.'), &self.origin) {
            ("@", _, origin) => origin.clone(),
            (_, Some(whole), _) => Some(whole.to_owned()),
            (_, None, Some(origin)) if !origin.is_empty() => Some(format!("{name}.{origin}")),
            (_, None, _) => Some(name.to_owned()),
        }
    }

    /// What the owner asks to be matched: a name, `*.` and a name; `None` for the zone itself.
    fn trigger(&self) -> Result<Option<String>, &'static str> {
        let Some(whole) = self.whole(&self.owner) else { return Ok(None) };
        let name = match &self.name {
            None => whole.as_str(),
            Some(zone) if whole.eq_ignore_ascii_case(zone) => return Ok(None),
            Some(zone) => {
                let at = whole.len().checked_sub(zone.len()).filter(|at| whole.is_char_boundary(*at));
                let parts = at.map(|at| whole.split_at(at)).filter(|(_, end)| end.eq_ignore_ascii_case(zone));
                match parts.and_then(|(name, _)| name.strip_suffix('.')) {
                    Some(name) => name,
                    // Relative, and no origin was said: to the zone.
                    None if self.origin.is_none() && !self.owner.ends_with('.') => &whole,
                    None => return Err("stands outside of its zone"),
                }
            }
        };
        // Triggers on addresses, clients and name servers are about answers and not about names in a text.
        let about_answers = |label: &str| label.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("rpz-")) && label.len() > 4;
        if name.rsplit('.').take(2).any(about_answers) {
            return Err("a trigger that is not a name");
        }
        Ok(Some(name.to_owned()))
    }
}
