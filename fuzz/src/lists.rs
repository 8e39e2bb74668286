//! Lists: every line is counted, those that cannot be read have a reason, and what is given on builds.

use control::lists::{self, Item, Lends};
use dataplane::verdict::Verdict;
use dataplane::verdicts::Layer;
use dataplane::verdicts::build::Builder;
use dataplane::verdicts::pattern::{Buffers, Pattern};
use dataplane::verdicts::{Key, Snapshot};

use crate::suffixes;

/// The target: a file of any format.
pub fn run(bytes: &[u8]) {
    for (verdict, platform) in [(Some(Verdict::Dangerous), false), (None, true), (None, false)] {
        let lends = Lends { verdict, platform, layer: Layer::Feed, source: "list", category: "c" };
        read(bytes, lends);
    }
}

fn read(bytes: &[u8], lends: Lends<'_>) {
    let (mut builder, mut buffers) = (Builder::new(), Buffers::default());
    let (mut rules, mut ranks) = (0, 0);
    let mut give = |item: Item<'_>| match item {
        Item::Rule(rule) => {
            rules += 1;
            assert!(!rule.pattern.is_empty());
            let again = Pattern::parse(rule.pattern, &mut buffers).map(|pattern| pattern.key);
            assert_eq!(again.as_deref(), Ok(rule.pattern), "a normalised pattern stays as it is");
            builder.add(&rule);
        }
        Item::Rank(_, domain) => {
            ranks += 1;
            assert!(!domain.is_empty());
        }
    };
    // A list of ours with a column that nobody knows is none: nothing of it counts.
    let summary = match lists::read(bytes, lends, &mut give) {
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => return,
        summary => summary.expect("a slice is always read"),
    };
    assert_eq!(summary.rules, rules);
    assert!(summary.bad <= summary.entries && summary.bad >= summary.problems.len() as u64, "{summary:?}");
    assert!(
        summary.problems.iter().all(|problem| (problem.line > 0 || problem.why.starts_with("entry ")) && !problem.why.is_empty())
    );
    assert!(rules + ranks <= 2 * summary.entries, "{summary:?}: {rules} rules, {ranks} ranks");
    let key = Key::new(b"0123456789abcdef");
    if let Ok(built) = builder.build(1, &key, suffixes()) {
        assert!(Snapshot::from_bytes(&built.bytes).is_ok_and(|snapshot| snapshot.verify().is_ok()));
    }
}
