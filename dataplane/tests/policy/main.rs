//! The policy against texts: decisions, forms, and that deciding twice changes nothing.

#![allow(clippy::unwrap_used, reason = "a policy that does not compile fails the test")]

use dataplane::policy::{
    Action, Bound, Chains, Decision, Direction, Edit, ImsiRange, LinkFacts, Message, Pages, Policy, Preset, Protected, Room,
    Rule, Scratch, Spec, Unbounded, profiles, redirect::RedirectKey, words,
};
use dataplane::verdict::{Confidence, Reason, Verdict};

mod any_text;
mod decisions;
mod refused;

/// Characters that GSM 7-bit writes with one septet, and those of its extension, with two: a toy, with the tables of the tests' own words.
fn septets(text: &str) -> Result<usize, char> {
    text.chars().try_fold(0, |sum, c| match c {
        '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Ok(sum + 2),
        ' '..='Z' | 'a'..='z' | '\n' | '_' => Ok(sum + 1),
        _ if "@£$¥èéùìòÇØøÅåÆæßÉÄÖÑÜ§äöñüà".contains(c) => Ok(sum + 1),
        _ => Err(c),
    })
}

/// 160 septets, or 70 UCS2 characters for a text that GSM 7-bit cannot write.
struct Toy {
    ucs2: bool,
    same_length: Option<usize>,
}

impl Toy {
    fn of(text: &str, same_length: bool) -> Self {
        Self { ucs2: septets(text).is_err(), same_length: same_length.then(|| text.chars().count()) }
    }
}

impl Room for Toy {
    fn fits(&mut self, text: &str) -> Result<(), Bound> {
        if self.same_length.is_some_and(|len| len != text.chars().count()) {
            return Err(Bound::SameLengthOnly);
        }
        let (need, room) = match septets(text) {
            Ok(need) => (need, 160),
            Err(c) if !self.ucs2 => return Err(Bound::Characters(c)),
            Err(_) => (text.encode_utf16().count(), 70),
        };
        if need > room { Err(Bound::UserData { need, room }) } else { Ok(()) }
    }
}

/// What a table would say: `good.*` is safe, `evil.*` is dangerous, the pages' host and the rest are unknown.
fn verdict_of(host: &str) -> Verdict {
    match host {
        _ if host.starts_with("good.") => Verdict::Safe,
        _ if host.starts_with("evil.") => Verdict::Dangerous,
        _ => Verdict::Unknown,
    }
}

/// A naive finder: words with a dot between letters and a known end, and their defanged forms.
fn links(text: &str) -> Vec<(usize, usize, String, Confidence)> {
    let mut found = Vec::new();
    let mut at = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let start = at;
        at += word.len();
        let word = word.trim_end().trim_end_matches(['.', ':', ',', ')']);
        let bare = word.split_once("://").map_or(word, |(_, rest)| rest);
        let bare_host = bare.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        let low = bare_host.contains("(.)");
        let host = bare_host.replace("(.)", ".");
        let known = [".com", ".example", ".test", ".net"].iter().any(|end| host.ends_with(end) && host.len() > end.len());
        if known && host.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-') {
            found.push((start, start + word.len(), host, if low { Confidence::Low } else { Confidence::High }));
        } else if word.contains("://") && !bare_host.is_empty() {
            found.push((start, start + word.len(), host, Confidence::High));
        }
    }
    found
}

fn with_facts<T>(text: &str, then: impl FnOnce(&[LinkFacts<'_>]) -> T) -> T {
    let found = links(text);
    let facts: Vec<_> = found
        .iter()
        .map(|(start, end, host, confidence)| LinkFacts {
            start: *start,
            end: *end,
            host,
            registrable: host,
            verdict: verdict_of(host),
            reason: if verdict_of(host) == Verdict::Unknown { Reason::NoEntry } else { Reason::Exact },
            category: if host.starts_with("app.") { "app" } else { "" },
            confidence: *confidence,
            in_this_part: true,
            crosses_parts: false,
        })
        .collect();
    then(&facts)
}

/// The decision, and the text that a subscriber would see.
fn apply(policy: &Policy, text: &str, same_length: bool, sender: &str) -> (Decision, String) {
    with_facts(text, |facts| {
        let mut scratch = Scratch::default();
        let message = Message { sender, ..Message::new(text, facts) };
        let decision = policy.decide(&message, &mut scratch, &mut Toy::of(text, same_length));
        let after = match decision.edit {
            Edit::None => text.to_owned(),
            Edit::Text => scratch.text.clone(),
            Edit::Deaden => text.char_indices().map(|(at, c)| if scratch.spots.contains(&at) { ' ' } else { c }).collect(),
        };
        (decision, after)
    })
}

fn warn() -> Policy {
    Policy::default()
}

fn spec_with(unknown: &[Action], pages: bool) -> Spec {
    let mut spec = Spec::default();
    spec.mt.unknown = unknown.to_vec();
    spec.pages = pages.then(|| Pages { host: "go.carrier.example".into(), key: RedirectKey([9; 16]) });
    spec
}
