//! What tests of whole lanes share.

use dataplane::counters::{Counters, Tally};
use dataplane::policy::{Policy, Preset, Spec};
use dataplane::scan::Scanner;
use dataplane::suffix::Suffixes;
use dataplane::verdict::Verdict;
use dataplane::verdicts::build::{Builder, Rule};
use dataplane::verdicts::{Key, Snapshot, Table};
use dataplane::world::{Network, World};

/// A world of these rules. Messages from subscribers are changed too: more ways are taken than by default.
pub(crate) fn world(preset: Preset, rules: &[(&str, Verdict)]) -> World {
    let (suffixes, key) = (Suffixes::built_in(), Key::new(&[7; 16]));
    let mut builder = Builder::new();
    for (pattern, verdict) in rules {
        builder.add(&Rule { pattern, verdict: *verdict, source: "test", ..Rule::default() });
    }
    let snapshot = Snapshot::from_bytes(&builder.build(0, &key, &suffixes).unwrap().bytes).unwrap();
    let table = Table::new(snapshot, None, key, &suffixes).unwrap();
    let mut spec = Spec::preset(preset);
    spec.mo = spec.mt.clone();
    let policy = Policy::compile(spec).unwrap();
    World { scanner: Scanner::default(), suffixes, table, policy, network: Network::default() }
}

/// All that was counted, in order.
pub(crate) fn counted(counters: &Counters) -> String {
    let ways = |tally: &Tally| {
        let mut ways: Vec<_> = tally.iter().collect();
        ways.sort_unstable();
        ways
    };
    let Counters { frames, chunks, messages, transactions, components, sms, .. } = counters;
    let levels = [frames, chunks, messages, transactions, components, sms].map(|level| (level.seen, level.on, ways(&level.out)));
    let tallies = [&counters.actions, &counters.unfit, &counters.oddities].map(ways);
    let of_texts = (counters.verdicts, counters.directions, counters.in_parts, counters.urls, counters.unwarned);
    format!("{levels:?} {tallies:?} {of_texts:?} {} {}", counters.rewritten_frames, counters.retransmitted)
}
