//! What a list excepts from itself: AdBlock's `@@||host^` and `$badfilter`, a zone's `rpz-passthru`. Such a list blocks nothing until all of it is read, since
//! an exception may stand anywhere.

use super::Sink;
use dataplane::verdicts::build::Rule;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::mem;

/// How an entry blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// The host, and what is below it as far as the format says so.
    Host,
    /// The same where AdBlock says that a document is meant.
    Document,
    /// A zone's `*.host`.
    Below,
    /// AdBlock's `$important`: no exception reaches it but one of its kind.
    Important,
}

impl Block {
    const fn sign(self) -> char {
        match self {
            Self::Host => ' ',
            Self::Document => '$',
            Self::Below => '*',
            Self::Important => '!',
        }
    }
}

/// How far an exception reaches.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reach {
    /// The host itself.
    pub(super) itself: bool,
    /// What is below it and not listed by its own name.
    pub(super) below: bool,
    /// What is below it and listed by its own name.
    pub(super) named: bool,
    /// What is [`Block::Important`] too.
    pub(super) important: bool,
}

/// What waits.
#[derive(Default)]
pub(super) struct Held {
    /// A key and a sign a line: a list of a million hosts waits in few octets.
    blocks: String,
    /// By host, with the line.
    exceptions: BTreeMap<String, (u64, Reach)>,
    /// Entries that are taken back, as they stand in `blocks`.
    cancelled: HashSet<String>,
}

impl Sink<'_> {
    /// An entry that an exception may take back.
    pub(super) fn block(&mut self, text: &str, line: u64, how: Block) {
        let Some(key) = self.key(text, line) else { return };
        self.held.blocks.push_str(&key);
        self.held.blocks.extend([how.sign(), '\n']);
    }

    /// Takes back the entries that say just this, wherever they stand.
    pub(super) fn cancel(&mut self, text: &str, line: u64, how: Block) {
        match super::pattern(text, self.lends.platform, &mut self.buffers) {
            Err(why) => {
                self.summary.entries += 1;
                self.bad(line, format!("{}: {why}", super::shown(text)));
            }
            Ok(pattern) => {
                self.held.cancelled.insert(format!("{}{}", pattern.key, how.sign()));
            }
        }
    }

    /// An exception.
    pub(super) fn except(&mut self, text: &str, line: u64, reach: Reach) {
        match super::pattern(text, false, &mut self.buffers) {
            Err(why) => {
                self.summary.entries += 1;
                self.bad(line, format!("{}: {why}", super::shown(text)));
            }
            Ok(pattern) => {
                let (at, all) = self.held.exceptions.entry(host_of(&pattern.key).to_owned()).or_default();
                *at = line;
                all.itself |= reach.itself;
                all.below |= reach.below;
                all.named |= reach.named;
                all.important |= reach.important;
            }
        }
    }

    /// Gives on what is not excepted, and says which exceptions could not be kept whole.
    pub(super) fn settle(&mut self) {
        let Held { blocks, exceptions, cancelled } = mem::take(&mut self.held);
        let reaches = |host: &str, how: &str| exceptions.get(host).filter(|(_, reach)| how != "!" || reach.important);
        // Names above an exception, and whether they are blocked.
        let mut above: HashMap<&str, bool> = exceptions.keys().flat_map(|host| parents(host)).map(|name| (name, false)).collect();
        let mut said: BTreeMap<u64, String> = BTreeMap::new();
        for block in blocks.lines() {
            if cancelled.contains(block) {
                self.summary.excepted += 1;
                continue;
            }
            let Some((key, how)) = block.len().checked_sub(1).and_then(|at| block.split_at_checked(at)) else { continue };
            let host = host_of(key);
            let excepted = match reaches(host, how) {
                Some((_, reach)) if reach.itself && (reach.below || how != "*") => true,
                Some((line, reach)) if reach.itself => {
                    said.insert(*line, format!("{host}: excepted without what is below it, and taken out with that"));
                    true
                }
                Some((_, reach)) if reach.below && how == "*" => true,
                Some((_, reach)) if reach.below && key == host => {
                    self.give(&format!("={host}"));
                    continue;
                }
                _ => parents(host).any(|name| reaches(name, how).is_some_and(|(_, reach)| reach.named)),
            };
            if excepted {
                self.summary.excepted += 1;
                continue;
            }
            if let Some(blocked) = above.get_mut(host) {
                *blocked = true;
            }
            self.give(key);
        }
        for (host, (line, _)) in &exceptions {
            if let Some(name) = parents(host).find(|name| above.get(name).copied().unwrap_or_default()) {
                said.insert(*line, format!("{host}: excepted, and {name} above it is listed: it counts as that"));
            }
        }
        for (line, why) in said {
            self.summary.entries += 1;
            self.bad(line, why);
        }
    }

    fn give(&mut self, key: &str) {
        self.rule(&Rule { pattern: key, ..self.lent() });
    }
}

fn host_of(key: &str) -> &str {
    key.trim_start_matches(['=', '@']).split('/').next().unwrap_or_default()
}

fn parents(host: &str) -> impl Iterator<Item = &str> {
    host.match_indices('.').filter_map(|(dot, _)| host.get(dot + 1..))
}
