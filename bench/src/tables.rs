//! Verdict tables of many entries, written to files so that they are built once.

use std::path::{Path, PathBuf};

use dataplane::suffix::Suffixes;
use dataplane::verdict::Verdict;
use dataplane::verdicts::build::{Builder, Rule};
use dataplane::verdicts::{Key, Snapshot, Table};

/// The key of every table here: a result must be repeatable.
pub fn key() -> Key {
    Key::new(&[7; 16])
}

/// Builds a table of `entries` safe hosts at `path`.
pub fn write(path: &Path, entries: u32) {
    let mut builder = Builder::new();
    for host in 0..entries {
        builder.add(&Rule { pattern: &format!("host{host:08}.com"), verdict: Verdict::Safe, source: "bench", ..Rule::default() });
    }
    let built = builder.build(0, &key(), &Suffixes::built_in()).expect("a table of plain hosts is built");
    std::fs::write(path, &built.bytes).expect("the table is written");
}

/// Where the table of so many entries lies; built there if it is not yet.
pub fn cached(entries: u32) -> PathBuf {
    let path = std::env::temp_dir().join(format!("ztsms-bench-{entries}-{}.snapshot", dataplane::verdicts::FORMAT_VERSION));
    // A table of another version of the code does not open.
    if Snapshot::open(&path).is_err() {
        write(&path, entries);
    }
    path
}

/// Copies a table into memory.
pub fn load(path: &Path, suffixes: &Suffixes) -> Table {
    let snapshot = Snapshot::read_into_memory(path).expect("the table was just written");
    Table::new(snapshot, None, key(), suffixes).expect("key and suffixes are those it was built with")
}
