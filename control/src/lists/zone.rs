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
}

/// Reads one line. `indented`: it began with a blank.
pub(super) fn line(text: &str, indented: bool, number: u64, zone: &mut Zone, sink: &mut Sink<'_>) {
    if lines::is_comment(text) {
        return;
    }
    let words: Vec<&str> = text.split(';').next().unwrap_or_default().split_whitespace().collect();
    let Some((first, rest)) = words.split_first() else { return };
    if let Some(directive) = first.strip_prefix('$') {
        if let (true, Some(origin)) = (directive.eq_ignore_ascii_case("ORIGIN"), rest.first()) {
            zone.begin(origin);
        }
        return;
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
        ("CNAME" | "A" | "AAAA", Some(data)) => zone.trigger().map(|name| name.map(|name| (policy(&kind, data, &name), name))),
        _ => return,
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
    sink.summary.entries += 1;
    sink.bad(number, format!("{}: {why}", shown(text)));
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
    ["SOA", "NS", "CNAME", "A", "AAAA", "TXT"].iter().any(|kind| word.eq_ignore_ascii_case(kind))
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
