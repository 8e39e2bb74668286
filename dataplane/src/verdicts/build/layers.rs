//! Precedence: one rule a pattern, and no feed's rule where a local decision covers it. What is left is settled by "most specific wins",
//! which is what look-ups do.

use super::{BuildError, Builder, Counts, Happened, Held, Remark, host_of, parents, path_parents};
use crate::suffix::Suffixes;
use crate::verdict::Verdict;
use crate::verdicts::Layer;
use crate::verdicts::keys::{Key, Place};
use crate::verdicts::pattern::Kind;
use core::cmp::Reverse;
use std::collections::HashMap;

/// A rule that stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) place: Place,
    pub(super) held: Held,
    pub(super) expired: bool,
    /// `safe` for certain senders.
    pub(super) bound: bool,
}

/// The rules that stand, in the order of their places.
pub(super) fn settle(
    builder: &mut Builder,
    now: u64,
    key: &Key,
    suffixes: &Suffixes,
    counts: &mut Counts,
    remarks: &mut Vec<Remark>,
) -> Result<Vec<Kept>, BuildError> {
    let mut kept: Vec<Kept> = Vec::with_capacity(builder.rules.len());
    for held in &builder.rules {
        let origin = builder.origin_of(held);
        let expired = origin.expires.is_some_and(|end| end <= now);
        let bound = held.verdict == Verdict::Safe && !origin.senders.is_empty();
        kept.push(Kept { place: key.pattern(builder.pattern(held)), held: *held, expired, bound });
    }
    builder.rules = Vec::new();
    // Best first at each place: in force, local, worst, bound to senders, of the highest priority; then whatever makes the order one.
    kept.sort_unstable_by(|a, b| {
        let best = |k: &Kept| (Reverse(k.held.layer), Reverse(k.held.verdict), Reverse(k.bound), Reverse(k.held.priority));
        let rank = |k: &Kept| (k.place, k.expired, best(k));
        rank(a).cmp(&rank(b)).then_with(|| builder.origin_of(&a.held).cmp(builder.origin_of(&b.held)))
    });
    one_a_place(builder, &mut kept, counts, remarks)?;
    below_local(builder, &mut kept, suffixes, counts, remarks);
    for one in &kept {
        let count = match (one.held.kind, one.held.verdict) {
            _ if one.expired => &mut counts.expired,
            (Kind::Platform, _) => &mut counts.platforms,
            (_, Verdict::Safe) => &mut counts.safe,
            (_, Verdict::Dangerous) => &mut counts.dangerous,
            _ => &mut counts.unknown,
        };
        *count += 1;
    }
    Ok(kept)
}

/// Leaves the best at each place, where it stands: at ten million rules a copy is half a gigabyte.
fn one_a_place(
    builder: &mut Builder,
    kept: &mut Vec<Kept>,
    counts: &mut Counts,
    remarks: &mut Vec<Remark>,
) -> Result<(), BuildError> {
    let mut failed = None;
    kept.dedup_by(|one, first| {
        if first.place != one.place || failed.is_some() {
            return false;
        }
        let (won, lost) = (builder.pattern(&first.held), builder.pattern(&one.held));
        if won != lost {
            failed = Some(BuildError::Collision(won.to_owned(), lost.to_owned()));
            return false;
        }
        counts.beaten += 1;
        if alarms(first, one) {
            let source = builder.origin_of(&one.held).source.to_string();
            remarks.push(Remark { pattern: lost.to_owned(), source, what: Happened::DangerousBelowLocalSafe(won.to_owned()) });
        }
        if first.bound && one.bound && first.held.layer == one.held.layer && !first.expired && !one.expired {
            // Two lines that bind the same pattern to different senders: it holds for either's.
            first.held.origin = join_senders(builder, &first.held, &one.held);
        }
        true
    });
    failed.map_or(Ok(()), Err)
}

fn join_senders(builder: &mut Builder, a: &Held, b: &Held) -> u32 {
    let mut origin = builder.origin_of(a).clone();
    let more = &builder.origin_of(b).senders;
    let both: std::collections::BTreeSet<&str> = origin.senders.split('|').chain(more.split('|')).collect();
    origin.senders = both.into_iter().collect::<Vec<_>>().join("|").into();
    builder.origins.push(origin);
    u32::try_from(builder.origins.len() - 1).unwrap_or(u32::MAX)
}

fn alarms(won: &Kept, lost: &Kept) -> bool {
    let safe = won.held.layer == Layer::Local && won.held.verdict == Verdict::Safe && !won.expired;
    safe && lost.held.layer == Layer::Feed && lost.held.verdict == Verdict::Dangerous && !lost.expired
}

/// Leaves out the feeds' rules that local decisions cover.
fn below_local(builder: &Builder, kept: &mut Vec<Kept>, suffixes: &Suffixes, counts: &mut Counts, remarks: &mut Vec<Remark>) {
    let local: HashMap<&str, Kept> = kept
        .iter()
        .filter(|one| one.held.layer == Layer::Local && one.held.kind != Kind::Platform && !one.expired)
        .map(|one| (builder.pattern(&one.held), *one))
        .collect();
    let mut platforms: HashMap<&str, Layer> = HashMap::new();
    let owned = kept.iter().filter(|one| one.held.kind == Kind::Platform && one.held.layer == Layer::Local && !one.expired);
    platforms.extend(owned.map(|one| (host_of(builder.pattern(&one.held), Kind::Platform), Layer::Local)));
    let locals = platforms.clone();
    for one in kept.iter().filter(|one| one.held.kind == Kind::Platform && !one.expired) {
        let pattern = builder.pattern(&one.held);
        let host = host_of(pattern, Kind::Platform);
        let covered = one.held.layer == Layer::Feed
            && covering(pattern, Kind::Platform, host, &local, &locals, suffixes)
                .is_some_and(|l| l.held.verdict != Verdict::Safe);
        if !covered {
            platforms.insert(host, one.held.layer);
        }
    }
    kept.retain(|one| {
        let (pattern, kind) = (builder.pattern(&one.held), one.held.kind);
        let host = host_of(pattern, kind);
        if kind == Kind::Platform && !one.expired {
            let stands = platforms.contains_key(host);
            counts.covered += u64::from(!stands);
            return stands;
        }
        let cover = if one.held.layer == Layer::Local || local.is_empty() {
            None
        } else {
            covering(pattern, kind, host, &local, &platforms, suffixes)
        };
        let Some(cover) = cover else { return true };
        counts.covered += 1;
        if alarms(cover, one) {
            let what = Happened::DangerousBelowLocalSafe(builder.pattern(&cover.held).to_owned());
            remarks.push(Remark { pattern: pattern.to_owned(), source: builder.origin_of(&one.held).source.to_string(), what });
        }
        false
    });
}

/// The local decision that covers a pattern, if one does. `safe` reaches below neither a platform nor a public suffix, and nothing
/// reaches below what the operator calls a platform: the nearer of two local lines counts.
fn covering<'k>(
    pattern: &str,
    kind: Kind,
    host: &str,
    local: &'k HashMap<&str, Kept>,
    platforms: &HashMap<&str, Layer>,
    suffixes: &Suffixes,
) -> Option<&'k Kept> {
    if kind == Kind::Scheme {
        return scheme_parents(pattern).find_map(|parent| local.get(parent));
    }
    if kind == Kind::Path
        && let Some(found) = path_parents(pattern, host).into_iter().find_map(|prefix| local.get(prefix))
    {
        return Some(found);
    }
    let own = |name: &str| platforms.get(name) == Some(&Layer::Local);
    if kind == Kind::Path && own(host) {
        return None;
    }
    let reaches = |found: &&Kept, boundary: bool| !boundary || found.held.verdict != Verdict::Safe;
    let mut boundary = kind == Kind::Path && platforms.contains_key(host) || kind == Kind::Platform;
    // What is said of a host and what is below is not covered by what is said of the host alone.
    let alone = if kind == Kind::Host { None } else { local.get(format!("={host}").as_str()) };
    if let Some(found) = [alone, local.get(host)].into_iter().flatten().find(|found| reaches(found, boundary)) {
        return Some(found);
    }
    let registrable = suffixes.registrable(host).map_or(host.len(), str::len);
    boundary |= platforms.contains_key(host);
    let mut below = host;
    for name in parents(host) {
        if own(core::mem::replace(&mut below, name)) {
            return None;
        }
        boundary |= name.len() < registrable || platforms.contains_key(name);
        if let Some(found) = local.get(name).filter(|found| !own(name) && reaches(found, boundary)) {
            return Some(found);
        }
    }
    None
}

/// What covers a link without a host, nearest first.
fn scheme_parents(pattern: &str) -> impl Iterator<Item = &str> {
    let cut = |at: Option<usize>| at.and_then(|at| pattern.get(..at));
    let scheme = pattern.find(':').and_then(|at| pattern.get(..=at));
    [cut(pattern.find('&')), cut(pattern.find('?')), scheme].into_iter().flatten().filter(move |parent| *parent != pattern)
}
