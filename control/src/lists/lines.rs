//! Formats of one host a line: plain, hosts, dnsmasq, unbound, AdBlock, ranks.

use super::excepted::{Block, Reach};
use super::{Format, Item, Sink, shown};

/// What a line tells of its file's format; `None` for comments and lines that say nothing.
pub(super) fn format_of(line: &str) -> Option<Format> {
    let line = line.trim();
    let lower = line.to_ascii_lowercase();
    if lower.starts_with("pattern,verdict") || names_our_columns(&lower) {
        return Some(Format::Own);
    }
    if lower.starts_with("phish_id,url,") {
        return Some(Format::PhishTankCsv);
    }
    if lower.starts_with("# id,dateadded,url") || lower.starts_with("id,dateadded,url") || is_urlhaus(line) {
        return Some(Format::Urlhaus);
    }
    if lower.starts_with("[adblock") || line.starts_with("||") || line.starts_with("@@||") {
        return Some(Format::AdBlock);
    }
    if line.is_empty() || is_comment(line) {
        return None;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let ranked = line
        .split_once(',')
        .is_some_and(|(rank, name)| rank.parse::<u64>().is_ok() && name.contains('.') && !name.contains([',', '/']));
    Some(match words.as_slice() {
        ["$TTL" | "$ORIGIN", ..] => Format::Rpz,
        words if words.len() > 2 && words.iter().any(|word| is_of_zones(word)) => Format::Rpz,
        [address, _, ..] if address.parse::<core::net::IpAddr>().is_ok() => Format::Hosts,
        ["local-zone:" | "local-data:" | "server:", ..] => Format::Unbound,
        _ if dnsmasq(line).is_some() => Format::Dnsmasq,
        _ if ranked => Format::Ranked,
        _ => Format::Plain,
    })
}

/// Whether a first line means ours, in whatever order, and whatever parts its columns.
fn names_our_columns(lower: &str) -> bool {
    let names = || lower.split([',', ';', '\t']).map(|name| name.trim().trim_matches('"'));
    names().any(|name| name == "pattern") && names().any(|name| name == "verdict")
}

fn is_of_zones(word: &str) -> bool {
    ["SOA", "CNAME"].iter().any(|kind| word.eq_ignore_ascii_case(kind))
}

fn is_urlhaus(line: &str) -> bool {
    let mut fields = line.split("\",\"");
    let (id, date, url) =
        (fields.next().unwrap_or_default(), fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
    id.strip_prefix('"').is_some_and(|id| id.parse::<u64>().is_ok()) && date.len() == 19 && url.contains("://")
}

pub(super) fn is_comment(line: &str) -> bool {
    line.starts_with(['#', ';', '!']) || line.starts_with("//")
}

/// Hosts of `address=/host/…`, `server=/host/host/…`, `local=/host/`, and what stands behind the last slash.
fn dnsmasq(line: &str) -> Option<(&str, &str)> {
    let (option, value) = line.split_once('=')?;
    let known = ["address", "server", "local"].contains(&option.trim().trim_start_matches("--"));
    let value = value.trim().strip_prefix('/').filter(|_| known)?;
    Some(value.rsplit_once('/').unwrap_or((value, "")))
}

/// An address that nobody answers at: a name that has it is blocked.
pub(super) fn is_nowhere(address: &str) -> bool {
    address.parse::<core::net::IpAddr>().is_ok_and(|address| address.is_unspecified() || address.is_loopback())
}

/// Reads one line.
pub(super) fn line(text: &str, number: u64, format: Format, sink: &mut Sink<'_>) {
    if is_comment(text) {
        return;
    }
    let text = if format == Format::AdBlock { text } else { text.split(" #").next().unwrap_or(text).trim() };
    let found = match format {
        Format::Hosts => return hosts(text, number, sink),
        Format::Dnsmasq => match dnsmasq(text) {
            None => Err("not address=/host/"),
            Some((hosts, at)) if blocks(text, at) => return hosts.split('/').for_each(|host| sink.entry(host, number)),
            Some(_) => Err("an answer or another server, nothing that blocks"),
        },
        Format::Unbound => match unbound(text) {
            None => return,
            Some(host) => host,
        },
        Format::AdBlock => match adblock(text, number, sink) {
            Ok(()) => return,
            Err(why) => Err(why),
        },
        _ => Ok(text),
    };
    match found {
        Ok(host) => sink.entry(host, number),
        Err(why) => {
            sink.summary.entries += 1;
            sink.bad(number, format!("{}: {why}", shown(text)));
        }
    }
}

/// `address name name…`: blocked by an address that nobody answers at. The names that every hosts file has for its own machine are none of
/// ours.
fn hosts(text: &str, number: u64, sink: &mut Sink<'_>) {
    const OWN: [&str; 12] = [
        "localhost",
        "localhost.localdomain",
        "local",
        "broadcasthost",
        "0.0.0.0",
        "ip6-localhost",
        "ip6-loopback",
        "ip6-localnet",
        "ip6-mcastprefix",
        "ip6-allnodes",
        "ip6-allrouters",
        "ip6-allhosts",
    ];
    let words: Vec<&str> = text.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
    let (address, names) = words.split_first().map_or(("", &[][..]), |(address, names)| (*address, names));
    let own = |name: &str| OWN.contains(&name);
    if !names.is_empty() && names.iter().all(|name| own(name)) {
        return;
    }
    if is_nowhere(address) && !names.is_empty() {
        return names.iter().filter(|name| !own(name)).for_each(|name| sink.entry(name, number));
    }
    let is_address = address.parse::<core::net::IpAddr>().is_ok();
    let why = match (is_address, names) {
        (false, _) => "no address in front",
        (true, []) => "an address without a name",
        (true, _) => "an answer, nothing that blocks",
    };
    sink.summary.entries += 1;
    sink.bad(number, format!("{}: {why}", shown(text)));
}

/// Whether a line of dnsmasq lets nobody reach its hosts: `address` with nothing, `#` or an address of nobody, `server` and `local` with
/// nothing. `server=/host/#` is an exception, `server=/host/address` sends its questions elsewhere.
fn blocks(line: &str, at: &str) -> bool {
    let is_address = line.trim_start_matches("--").starts_with("address");
    at.is_empty() || is_address && (at == "#" || is_nowhere(at))
}

/// `None` for what says nothing.
fn unbound(text: &str) -> Option<Result<&str, &'static str>> {
    /// Types of a local zone that answer no question, or say that there is no such name.
    const BLOCK: [&str; 9] = [
        "deny",
        "refuse",
        "static",
        "inform_deny",
        "always_refuse",
        "always_nxdomain",
        "always_nodata",
        "always_deny",
        "always_null",
    ];
    let (key, value) = text.split_once(':')?;
    let value = value.trim();
    let mut words = value.split(['"', '\'', ' ', '\t']).filter(|word| !word.is_empty());
    let name = words.next().map(|name| name.trim_end_matches('.')).filter(|name| !name.is_empty());
    let last = words.next_back().unwrap_or_default();
    Some(match (key.trim(), name) {
        ("server", _) => return None,
        ("local-zone" | "local-data", None) => Err("not local-zone: \"host\" type or local-data: \"host …\""),
        // What such a zone answers stands in its local-data.
        ("local-zone", Some(_)) if matches!(last, "redirect" | "inform_redirect") => return None,
        ("local-zone", Some(name)) if BLOCK.contains(&last) => Ok(name),
        ("local-zone", Some(_)) => Err("a type of zone that blocks nothing"),
        ("local-data", Some(name)) if is_nowhere(last) => Ok(name),
        ("local-data", Some(_)) => Err("an answer, nothing that blocks"),
        _ => Err("not local-zone: \"host\" type or local-data: \"host …\""),
    })
}

/// What a filter of AdBlock is about, by its options.
enum About {
    /// A message's link, and how it blocks that.
    Link(Block),
    /// Cases that a message does not have.
    Other,
}

/// One filter of AdBlock. Options narrow most to cases that a message does not have.
fn adblock(text: &str, number: u64, sink: &mut Sink<'_>) -> Result<(), &'static str> {
    const OTHER: &str = "not ||host^: other filters have no host to key by";
    if text.starts_with('[') {
        return Ok(());
    }
    let exception = text.strip_prefix("@@");
    let rest = exception.unwrap_or(text).strip_prefix("||").and_then(|rest| rest.split_once('^'));
    let (host, options) = rest.filter(|(host, _)| !host.contains(['/', '*'])).ok_or(OTHER)?;
    let options = if options.is_empty() { "" } else { options.strip_prefix('$').ok_or(OTHER)? };
    let options = || options.split(',').filter(|option| !option.is_empty());
    let about = about(options().filter(|option| *option != "badfilter"));
    match (exception, about, options().any(|option| option == "badfilter")) {
        (None, About::Link(how), true) => sink.cancel(host, number, how),
        (Some(_), _, true) => return Err("takes back an exception (badfilter), which holds all the same"),
        (None, About::Other, true) => return Err("takes back a filter (badfilter) of cases that a message does not have"),
        (Some(_), About::Other, _) => return Err("its options except cases that a message does not have"),
        (None, About::Other, _) => return Err("its options narrow it to cases that a message does not have"),
        (Some(_), About::Link(how), _) => {
            sink.except(host, number, Reach { itself: true, below: true, named: true, important: how == Block::Important });
        }
        (None, About::Link(how), _) => sink.block(host, number, how),
    }
    Ok(())
}

/// Types of content are as good as each other: a link is a document, whatever stands beside that.
fn about<'o>(options: impl Iterator<Item = &'o str>) -> About {
    const OTHER_TYPES: [&str; 18] = [
        "popup",
        "popunder",
        "subdocument",
        "frame",
        "script",
        "image",
        "stylesheet",
        "css",
        "object",
        "xmlhttprequest",
        "xhr",
        "websocket",
        "webrtc",
        "font",
        "media",
        "ping",
        "beacon",
        "other",
    ];
    let (mut important, mut document, mut other) = (false, false, false);
    for option in options {
        match option {
            "important" => important = true,
            "all" | "document" | "doc" => document = true,
            option if OTHER_TYPES.contains(&option) => other = true,
            _ => return About::Other,
        }
    }
    match (important, document, other) {
        (_, false, true) => About::Other,
        (true, ..) => About::Link(Block::Important),
        (false, true, _) => About::Link(Block::Document),
        (false, false, false) => About::Link(Block::Host),
    }
}

/// `rank,domain`.
pub(super) fn ranked(text: &str, number: u64, sink: &mut Sink<'_>) {
    if is_comment(text) {
        return;
    }
    sink.summary.entries += 1;
    match text.split_once(',').and_then(|(rank, name)| Some((rank.trim().parse().ok()?, name.trim()))) {
        Some((rank, name)) if !name.is_empty() => (sink.give)(Item::Rank(rank, name)),
        _ => sink.bad(number, format!("{}: not rank,domain", shown(text))),
    }
}
