//! The set that ships with the program: well-known platforms, each with the page of its service as source, and a demonstration set of
//! reserved names. It is built in memory at start.

use crate::lists::{self, Item, Lends};
use dataplane::suffix::Suffixes;
use dataplane::verdicts::build::{BuildError, Builder};
use dataplane::verdicts::{Key, Layer, Refused, Snapshot, Table};

const PLATFORMS: &str = include_str!("builtin/platforms.csv");
const DEMONSTRATION: &str = include_str!("builtin/demonstration.csv");
/// No secret: what this set says is public. Databases of an operator have a key of their own.
const KEY: &[u8; 16] = b"ztsms built-in 1";

/// Why the built-in set could not be made: a fault of the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The builder refused it.
    #[error("the built-in verdicts cannot be built: {0}")]
    Build(#[from] BuildError),
    /// The snapshot was refused.
    #[error("the built-in verdicts cannot be opened: {0}")]
    Open(#[from] Refused),
}

/// Adds the built-in rules to a builder, below whatever lists say.
pub fn add_to(builder: &mut Builder) {
    add(builder, &[(PLATFORMS, "platforms"), (DEMONSTRATION, "demonstration")]);
}

/// Adds the platforms alone: what a database of an operator begins with.
pub fn add_platforms_to(builder: &mut Builder) {
    add(builder, &[(PLATFORMS, "platforms")]);
}

fn add(builder: &mut Builder, lists: &[(&str, &str)]) {
    for (text, source) in lists.iter().copied() {
        let lends = Lends { verdict: None, platform: false, layer: Layer::Feed, source, category: "" };
        let mut give = |item: Item<'_>| {
            if let Item::Rule(rule) = item {
                builder.add(&rule);
            }
        };
        // A slice is always read; that each line is good is a test.
        let _ = lists::read(text.as_bytes(), lends, &mut give);
    }
}

/// The built-in set as a table.
///
/// # Errors
/// None that a test of this module would not have met.
pub fn table(suffixes: &Suffixes) -> Result<Table, Error> {
    let mut builder = Builder::new();
    add_to(&mut builder);
    let key = Key::new(KEY);
    let built = builder.build(0, &key, suffixes)?;
    Ok(Table::new(Snapshot::from_bytes(&built.bytes)?, None, key, suffixes)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dataplane::verdict::Verdict;

    #[test]
    fn every_line_is_good_and_names_its_source() {
        for text in [PLATFORMS, DEMONSTRATION] {
            let lends = Lends { verdict: None, platform: false, layer: Layer::Feed, source: "", category: "" };
            let mut give = |item: Item<'_>| {
                assert!(matches!(item, Item::Rule(rule) if !rule.source.is_empty() && !rule.category.is_empty()))
            };
            let summary = lists::read(text.as_bytes(), lends, &mut give).expect("a slice");
            assert_eq!(summary.bad, 0, "{:?}", summary.problems);
        }
    }

    #[test]
    fn demonstration_names_are_reserved_ones() {
        let names = DEMONSTRATION.lines().skip(2).filter_map(|line| line.split([',', '/']).next());
        names.for_each(|name| assert!(name.ends_with(".example") || name.ends_with(".test"), "{name}"));
    }

    #[test]
    fn table_is_there_at_start() {
        let suffixes = Suffixes::built_in();
        let table = table(&suffixes).expect("the built-in set");
        let (mut scratch, mut keys) = Default::default();
        for (link, verdict) in [
            ("https://bit.ly/x", Verdict::Unknown),
            ("https://bank.example/", Verdict::Safe),
            ("http://a.evil.example/", Verdict::Dangerous),
        ] {
            let url = dataplane::canonical::parse(link, &mut scratch).expect("a URL");
            assert_eq!(table.judge(&url, false, "", &suffixes, &mut keys).verdict, verdict, "{link}");
        }
    }
}
