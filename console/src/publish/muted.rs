//! Sources that are out of force: what they kept from being safe is unknown as long as they are, and nothing else of them is built.
//!
//! A pattern of theirs takes a line only where something safe above it would reach it now; where another list calls it dangerous, by itself or by
//! a name above, that stands.

use std::collections::HashMap;
use std::path::Path;

use dataplane::verdict::Verdict;
use dataplane::verdicts::Layer;
use dataplane::verdicts::build::{Builder, Rule};
use dataplane::verdicts::pattern::{Kind, Pattern};

use super::build::lends;
use crate::Result;
use crate::sources::{Counting, normal};

/// What lists in force say at a pattern, each layer the worst.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    feed: Verdict,
    local: Verdict,
}

impl Said {
    fn of(&mut self, layer: Layer) -> &mut Verdict {
        if layer == Layer::Local { &mut self.local } else { &mut self.feed }
    }

    fn add(&mut self, rule: &Rule<'_>) {
        let said = self.of(rule.layer);
        *said = rule.verdict.max(*said);
    }
}

/// A pattern of a source out of force, and what kept it from being safe.
struct Silent<'s> {
    pattern: String,
    source: &'s Counting,
}

/// The patterns that something safe may reach, and what lists in force say of them and above them.
#[derive(Default)]
pub(super) struct Muted<'s> {
    silent: Vec<Silent<'s>>,
    said: HashMap<String, Said>,
    now: u64,
}

impl<'s> Muted<'s> {
    /// Of the sources that are out of force. `is_protected`: a feed's `dangerous` of this was never in force.
    ///
    /// # Errors
    /// A list cannot be read.
    pub(super) fn of(counting: &'s [Counting], lists: &Path, now: u64, is_protected: impl Fn(&str) -> bool) -> Result<Self> {
        let mut muted = Self { now, ..Self::default() };
        if !counting.iter().any(|source| source.muted) {
            return Ok(muted);
        }
        let mut safe: HashMap<String, Said> = HashMap::new();
        for source in counting.iter().filter(|source| !source.muted) {
            if !source.lends.is_own() && source.lends.verdict() != Verdict::Safe {
                continue;
            }
            let lends = lends(source);
            normal::each(lists, &source.sha256, |line| {
                let rule = normal::rule(line, &lends);
                if rule.verdict == Verdict::Safe && muted.is_on(&rule) {
                    safe.entry(rule.pattern.to_owned()).or_default().add(&rule);
                }
            })?;
        }
        if safe.is_empty() {
            return Ok(muted);
        }
        for source in counting.iter().filter(|source| source.muted) {
            let lends = lends(source);
            normal::each(lists, &source.sha256, |line| {
                let rule = normal::rule(line, &lends);
                let never = rule.layer == Layer::Feed && rule.verdict == Verdict::Dangerous && is_protected(rule.pattern);
                // Of a platform: nothing from above reaches its host and what is below.
                let pattern = rule.pattern.trim_start_matches('@');
                if rule.verdict == Verdict::Safe
                    || never
                    || !muted.is_on(&rule)
                    || !above(pattern).any(|at| safe.contains_key(&at))
                {
                    return;
                }
                muted.said.extend(above(pattern).map(|at| (at, Said::default())));
                muted.silent.push(Silent { pattern: pattern.to_owned(), source });
            })?;
        }
        Ok(muted)
    }

    fn is_on(&self, rule: &Rule<'_>) -> bool {
        rule.expires.is_none_or(|end| end > self.now)
    }

    /// Takes a rule of a source in force.
    pub(super) fn see(&mut self, rule: &Rule<'_>) {
        if self.said.is_empty() || rule.verdict == Verdict::None || !self.is_on(rule) {
            return;
        }
        if let Some(said) = self.said.get_mut(rule.pattern) {
            said.add(rule);
        }
    }

    /// Adds a line of each pattern that would be safe by its source's silence.
    pub(super) fn add_to(self, builder: &mut Builder) {
        for Silent { pattern, source } in &self.silent {
            // A local line covers what feeds say below it, however near.
            let said = |layer| {
                let mut found = above(pattern).map(|at| *self.said.get(&at).copied().unwrap_or_default().of(layer));
                found.find(|verdict| *verdict != Verdict::None)
            };
            let (layer, verdict) = match (said(Layer::Local), said(Layer::Feed)) {
                (Some(verdict), _) => (Layer::Local, verdict),
                (None, Some(verdict)) => (Layer::Feed, verdict),
                (None, None) => continue,
            };
            if verdict == Verdict::Safe {
                builder.add(&Rule { pattern, verdict: Verdict::Unknown, layer: layer.min(lends(source).layer), ..lends(source) });
            }
        }
    }
}

/// A pattern, and the patterns whose word reaches it, nearest first.
fn above(pattern: &str) -> impl Iterator<Item = String> + '_ {
    let kind = Pattern::kind_of(pattern);
    let name = pattern.trim_start_matches('=');
    let scheme = || {
        let cuts = [pattern.find('&'), pattern.find('?'), pattern.find(':').map(|at| at + 1)];
        cuts.into_iter().flatten().filter_map(|at| pattern.get(..at))
    };
    let (host, mut all) = match kind {
        Kind::Scheme => ("", core::iter::once(pattern).chain(scheme()).map(str::to_owned).collect()),
        _ => (name.split('/').next().unwrap_or_default(), vec![pattern.to_owned()]),
    };
    if kind == Kind::Path {
        let mut path = name;
        while let Some(at) = path.rfind(['/', '?']) {
            path = path.get(..at).unwrap_or_default();
            all.push(if path.len() == host.len() { format!("={host}") } else { path.to_owned() });
        }
    }
    if !host.is_empty() && kind != Kind::Host {
        all.push(host.to_owned());
    }
    if host.parse::<core::net::Ipv4Addr>().is_err() && !host.starts_with('[') {
        all.extend(host.match_indices('.').filter_map(|(dot, _)| host.get(dot + 1..)).map(str::to_owned));
    }
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use super::above;

    #[test]
    fn what_reaches_a_pattern_stands_nearest_first() {
        for (pattern, want) in [
            ("a.b.example", "a.b.example b.example example"),
            ("=b.example", "=b.example b.example example"),
            (
                "b.example/x/y?q=1/2",
                "b.example/x/y?q=1/2 b.example/x/y?q=1 b.example/x/y b.example/x =b.example b.example example",
            ),
            ("192.0.2.7", "192.0.2.7"),
            ("tg:resolve?domain=x&y=1", "tg:resolve?domain=x&y=1 tg:resolve?domain=x tg:resolve tg:"),
        ] {
            assert_eq!(above(pattern).collect::<Vec<_>>().join(" "), want, "{pattern}");
        }
    }
}
