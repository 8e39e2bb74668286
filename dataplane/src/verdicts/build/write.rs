//! From the rules that stand to words in buckets, and the cold part behind them.

use super::layers::Kept;
use super::{BuildError, Builder, Origin, host_of, parents};
use crate::canonical::RULES_VERSION;
use crate::suffix::Suffixes;
use crate::verdict::Verdict;
use crate::verdicts::format::{HEADER, Header, RECORD, SLOTS};
use crate::verdicts::keys::{Key, Place, Word};
use crate::verdicts::pattern::Kind;
use crate::verdicts::{Layer, snapshot::PATTERN_AT};
use std::collections::{BTreeMap, HashMap, VecDeque};
use xxhash_rust::xxh3::xxh3_64;

/// A word on its way to a bucket.
#[derive(Clone, Copy, Debug)]
struct Item {
    place: Place,
    verdict: Verdict,
    flags: u8,
    /// The rule behind it, or [`NODE`].
    kept: u32,
}

/// A word that only says that finer rules exist.
const NODE: u32 = u32::MAX;
/// Words a home bucket on average: 4.8 of 8, load 0.6.
const FILL: (u64, u64) = (48, 10);
/// A key further than this from home is not accepted: the table is made larger instead.
const MAX_REACH: usize = 32;

pub(super) fn write(
    builder: &Builder,
    kept: &[Kept],
    now: u64,
    key: &Key,
    suffixes: &Suffixes,
) -> Result<(Vec<u8>, Header), BuildError> {
    let mut suffix_rules = 0;
    let items = items(builder, kept, key, suffixes, &mut suffix_rules);
    let least = (items.len() as u64 * FILL.1).div_ceil(FILL.0).max(1);
    // With an honest key one size does; the few larger ones are for tables of a handful of keys.
    let (buckets, lines) =
        (0..8).map(|n| least + least * n / 8 + n).find_map(|n| Some((n, fill(&items, n)?))).ok_or(BuildError::Overfull)?;
    cold(builder, kept, &items, lines, |reach, entries, words, origins, strings| Header {
        reach,
        rules_version: RULES_VERSION.into(),
        suffix_id: suffixes.id(),
        key_check: key.check(),
        words,
        entries,
        buckets,
        origins,
        strings,
        suffix_rules,
        built: now,
        ..Header::default()
    })
}

/// Every word: the rules' own, and the nodes that lead to them.
fn items(builder: &Builder, kept: &[Kept], key: &Key, suffixes: &Suffixes, suffix_rules: &mut u64) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::with_capacity(kept.len() * 2);
    let host_says = |place: &Place| kept.binary_search_by_key(place, |one| one.place).ok().and_then(|at| kept.get(at));
    let node = |items: &mut Vec<Item>, name: &str, flag: u64| {
        items.push(Item { place: key.hash(name), verdict: Verdict::None, flags: flag as u8, kept: NODE });
    };
    for (n, one) in (0..).zip(kept) {
        let pattern = builder.pattern(&one.held);
        let kind = one.held.kind;
        let host = host_of(pattern, kind);
        if kind == Kind::Platform && one.expired {
            continue;
        }
        let (verdict, mut flags) = match (one.expired, one.bound) {
            (true, _) => (Verdict::None, Word::COLD),
            (false, true) => (one.held.verdict, Word::COLD),
            (false, false) => (one.held.verdict, 0),
        };
        let mut place = one.place;
        match kind {
            Kind::Host if suffixes.is_suffix(host) => {
                // Nothing is inherited from a public suffix, but what the operator forbids there.
                let reaches = one.held.layer == Layer::Local && matches!(verdict, Verdict::Unknown | Verdict::Dangerous);
                flags |= if reaches { 0 } else { Word::EXACT };
                *suffix_rules += u64::from(reaches);
            }
            Kind::Host | Kind::Scheme => {}
            // The host's own word serves, unless it says something of what is below too.
            Kind::Exact if host_says(&key.hash(host)).is_none() => {
                place = key.hash(host);
                flags |= Word::EXACT;
            }
            Kind::Exact | Kind::Path => node(&mut items, host, Word::FINER),
            Kind::Platform => {
                let says = host_says(&key.hash(host)).is_some() || host_says(&key.hash_all(Kind::Exact, &[host])).is_some();
                if says {
                    node(&mut items, host, Word::PLATFORM);
                } else {
                    place = key.hash(host);
                    flags |= Word::PLATFORM;
                }
            }
        }
        items.push(Item { place, verdict, flags: flags as u8, kept: n });
        if kind != Kind::Scheme {
            let root = suffixes.registrable(host).map_or(host.len(), str::len);
            parents(host).take_while(|name| name.len() >= root).for_each(|name| node(&mut items, name, Word::FINER));
        }
    }
    items.sort_unstable_by_key(|item| (item.place, item.kept));
    items.dedup_by(|next, first| {
        let same = next.place == first.place;
        if same {
            first.flags |= next.flags;
            debug_assert!(next.kept == NODE, "one rule a place");
        }
        same
    });
    items
}

/// Buckets, each with the numbers of the items in it ([`FREE`]: none) and whether one was sent on.
struct Lines {
    lines: Vec<([u32; SLOTS as usize], bool)>,
    reach: u32,
}

/// A slot without an item.
const FREE: u32 = u32::MAX;

/// Puts items, which are in the order of their buckets, where they belong; `None` when one would lie too far from home.
fn fill(items: &[Item], buckets: u64) -> Option<Lines> {
    let mut lines = Vec::with_capacity(usize::try_from(buckets).ok()? + MAX_REACH);
    let mut carried: VecDeque<(u64, u32)> = VecDeque::new();
    let (mut rest, mut reach) = ((0..).zip(items).peekable(), 0);
    for bucket in 0.. {
        let mut line = [FREE; SLOTS as usize];
        let mut free = line.iter_mut();
        let mut sent = false;
        while let Some((n, _)) = rest.next_if(|(_, item)| item.place.bucket(buckets) == bucket) {
            match free.next() {
                Some(slot) => *slot = n,
                None => carried.push_back((bucket, n)),
            }
        }
        while let Some(&(home, n)) = carried.front().filter(|(home, _)| *home < bucket) {
            let Some(slot) = free.next() else { break };
            *slot = n;
            carried.pop_front();
            reach = reach.max(bucket - home);
        }
        sent |= !carried.is_empty();
        let tags = |n: usize| line.iter().skip(n).filter_map(|n| item(items, *n)).map(|item| item.place.tag());
        if (0..8).any(|n| tags(n).skip(1).any(|tag| Some(tag) == tags(n).next())) {
            return None; // two keys of one fingerprint became neighbours: another size parts them
        }
        lines.push((line, sent));
        if bucket + 1 >= buckets && carried.is_empty() {
            break;
        }
        if carried.front().is_some_and(|(home, _)| bucket - home >= MAX_REACH as u64) {
            return None;
        }
    }
    lines.resize_with(usize::try_from(buckets + reach).ok()?, || ([FREE; SLOTS as usize], false));
    Some(Lines { lines, reach: u32::try_from(reach).ok()? })
}

/// The item of a slot, if there is one.
fn item(items: &[Item], n: u32) -> Option<&Item> {
    if n == FREE { None } else { items.get(n as usize) }
}

/// Lays out the file, each part written where it stays: the file is the largest thing there is.
fn cold(
    builder: &Builder,
    kept: &[Kept],
    items: &[Item],
    filled: Lines,
    header: impl Fn(u32, u64, u64, u64, u64) -> Header,
) -> Result<(Vec<u8>, Header), BuildError> {
    let used: BTreeMap<&Origin, u32> = kept.iter().map(|one| (builder.origin_of(&one.held), 0)).collect();
    let used: BTreeMap<&Origin, u32> = used.into_keys().zip(0..).collect();
    let number = |one: &Kept| used.get(builder.origin_of(&one.held)).copied().unwrap_or_default();
    let (strings, origins) = origins(used.keys().copied())?;
    let rule = |item: &Item| kept.get(item.kept as usize).filter(|_| item.kept != NODE);
    let pattern = |one: &Kept| builder.pattern(&one.held).trim_start_matches('@');
    let rules = || items.iter().filter_map(rule);
    let patterns: u64 = rules().map(|one| pattern(one).len() as u64).sum();
    let all_strings = strings.len() as u64 + patterns;
    if all_strings > PATTERN_AT {
        return Err(BuildError::TooMany("octets of patterns"));
    }
    let header = header(filled.reach, rules().count() as u64, items.len() as u64, used.len() as u64, all_strings);
    let layout = header.layout();
    let mut bytes = vec![0; usize::try_from(layout.end).unwrap_or_default()];
    let slots = filled.lines.len() * SLOTS as usize;
    let (start, hot_and_rest) = bytes.split_at_mut(HEADER);
    let (hot, rest) = hot_and_rest.split_at_mut(slots * size_of::<u64>());
    let (records, rest) = rest.split_at_mut(slots * RECORD as usize);
    let (all_origins, rest) = rest.split_at_mut(origins.len());
    all_origins.copy_from_slice(&origins);
    let (_, text) = rest.split_at_mut(rest.len() - usize::try_from(all_strings).unwrap_or_default());
    let (shared, mut text) = text.split_at_mut(strings.len());
    shared.copy_from_slice(&strings);
    let mut at = strings.len() as u64;
    let hot = hot.as_chunks_mut::<8>().0;
    let records = records.as_chunks_mut::<{ RECORD as usize }>().0;
    let mut places = hot.iter_mut().zip(records);
    for (line, sent) in &filled.lines {
        let mut slots = line.map(|n| item(items, n).map_or((0, None), |item| (word(item), rule(item))));
        slots.sort_by_key(|(word, _)| core::cmp::Reverse(*word));
        if *sent {
            slots.swap(0, 1);
        }
        for ((word, one), (hot, record)) in slots.into_iter().zip(&mut places) {
            *hot = word.to_le_bytes();
            let Some(one) = one else { continue };
            let pattern = pattern(one);
            let (place, behind) = text.split_at_mut(pattern.len());
            place.copy_from_slice(pattern.as_bytes());
            text = behind;
            let parts = [(at | (pattern.len() as u64) << 48).to_le_bytes(), {
                let [a, b, c, d] = number(one).to_le_bytes();
                [a, b, c, d, one.held.verdict as u8, one.held.layer as u8, 0, 0]
            }];
            record.copy_from_slice(parts.as_flattened());
            at += pattern.len() as u64;
        }
    }
    let body_sum = xxh3_64(hot_and_rest);
    let (header, octets) = Header { body_sum, ..header }.seal();
    start.copy_from_slice(&octets);
    Ok((bytes, header))
}

fn word(item: &Item) -> u64 {
    Word::new(item.place.tag(), item.verdict, item.flags.into()).0
}

/// The strings that many entries share, and the origins that point at them. Their order is that of their content, not of the input.
fn origins<'o>(used: impl Iterator<Item = &'o Origin>) -> Result<(Vec<u8>, Vec<u8>), BuildError> {
    let (mut strings, mut out) = (Vec::new(), Vec::new());
    let mut known: HashMap<&str, (u32, u32)> = HashMap::new();
    for origin in used {
        for text in [&origin.category, &origin.source, &origin.senders, &origin.note] {
            let (at, len) = match known.get(&**text) {
                Some(found) => *found,
                None => {
                    let at = u32::try_from(strings.len()).map_err(|_| BuildError::TooMany("octets of notes"))?;
                    let len = u32::try_from(text.len()).map_err(|_| BuildError::TooMany("octets of one note"))?;
                    strings.extend_from_slice(text.as_bytes());
                    known.insert(text, (at, len));
                    (at, len)
                }
            };
            out.extend_from_slice(&at.to_le_bytes());
            out.extend_from_slice(&len.to_le_bytes());
        }
        out.extend_from_slice(&origin.expires.unwrap_or(0).to_le_bytes());
        out.extend_from_slice(&[0; 8]);
    }
    Ok((strings, out))
}
