//! Style as a test: what a reader of this project may rely on, held for every file of the workspace.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

/// Every crate with those of this project that it may use, and those besides for its tests.
const CRATES: [(&str, &[&str], &[&str]); 8] = [
    ("protocols", &[], &[]),
    ("dataplane", &["protocols"], &["pcaps"]),
    ("pcaps", &["protocols"], &[]),
    ("control", &["protocols", "dataplane", "pcaps"], &[]),
    ("fetch", &[], &[]),
    ("console", &["control", "dataplane", "fetch"], &["pcaps"]),
    ("bench", &["protocols", "dataplane", "pcaps", "control"], &[]),
    ("fuzz", &["protocols", "dataplane", "pcaps", "control"], &[]),
];

/// Lines of a file beyond which it is to be split. Tests may be longer: they are lists.
const LINES: usize = 500;

/// Where `unsafe` may stand: the map of a snapshot, intrinsics, what counts allocations, and what loom watches.
const UNSAFE: [&str; 9] = [
    "dataplane/src/verdicts/",
    "dataplane/src/policy/signs",
    "dataplane/src/scan/septets",
    "dataplane/src/scan/simd",
    "dataplane/src/xdp/",
    "dataplane/src/pin.rs",
    "dataplane/tests/no_heap.rs",
    "dataplane/tests/no_heap_scan.rs",
    "dataplane/tests/overlay_orders.rs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of each file with one of these endings, by its path from the root.
fn files(endings: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = CRATES.iter().map(|(name, ..)| root().join(name)).collect();
    folders.extend([root().join("docs"), root().join("tools")]);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.ends_with("target") && !name.starts_with("fuzz/corpus") {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(String, String)> {
    let found = files(&[".rs"]);
    assert!(found.len() > 100, "{} files", found.len());
    found
}

fn is_test(name: &str) -> bool {
    name.contains("/tests/") || name.ends_with("/tests.rs") || name.ends_with("_tests.rs")
}

/// A line without its comment and without what stands in quotes, roughly: enough to look for a word of the language.
fn code(line: &str) -> String {
    let quoted = line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
    quoted.split("//").next().unwrap_or_default().to_owned()
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_file_is_longer_than_a_reader_keeps_in_mind() {
    let long = |(name, text): &(String, String)| {
        let lines = text.lines().count();
        (lines > LINES && !is_test(name)).then(|| format!("{name}: {lines} lines, at most {LINES}"))
    };
    none(&sources().iter().filter_map(long).collect::<Vec<_>>());
}

#[test]
fn every_file_says_first_what_it_is() {
    let bare = |(name, text): &(String, String)| (!is_test(name) && !text.starts_with("//!")).then(|| name.clone());
    none(&sources().iter().filter_map(bare).collect::<Vec<_>>());
}

#[test]
fn unsafe_stands_only_where_it_was_agreed_and_says_who_guarantees_what() {
    let mut wrong = Vec::new();
    let mut met = 0;
    for (name, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let code = code(line);
            let word = code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe");
            if !word {
                continue;
            }
            met += 1;
            if !UNSAFE.iter().any(|place| name.starts_with(place)) {
                wrong.push(format!("{name}:{}: no `unsafe` here", at + 1));
            }
            // A function of an `unsafe impl` has its contract from the trait.
            let asks = code.contains("unsafe {") || code.contains("unsafe impl");
            let above = lines.get(at.saturating_sub(6)..at).unwrap_or_default();
            if asks && !above.iter().any(|line| line.contains("SAFETY:")) {
                wrong.push(format!("{name}:{}: no SAFETY line above", at + 1));
            }
        }
    }
    assert!(met > 0, "the search finds the `unsafe` that there is");
    none(&wrong);
}

#[test]
fn nothing_is_left_to_be_done() {
    let macros = ["todo", "unimplemented", "dbg"].map(|name| format!("{name}!"));
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        for (at, line) in text.lines().enumerate() {
            let code = code(line);
            if macros.iter().any(|name| code.contains(name)) || line.contains("To be written") && !line.contains("line.contains")
            {
                wrong.push(format!("{name}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    none(&wrong);
}

#[test]
fn nothing_names_a_machine_that_it_was_made_on() {
    let homes = ["root", "home", "work", "Users"].map(|folder| format!("/{folder}/"));
    let mut wrong = Vec::new();
    for (name, text) in files(&[".rs", ".toml", ".md", ".py", ".sh", ".json", ".csv"]) {
        for (at, line) in text.lines().enumerate() {
            let named = homes.iter().any(|home| {
                line.match_indices(home.as_str()).any(|(start, _)| {
                    // A path of a machine starts there; one of a URL or of a crate has something in front.
                    line[..start].chars().next_back().is_none_or(|c| c.is_whitespace() || "\"'`(=:".contains(c))
                })
            });
            if named {
                wrong.push(format!("{name}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    none(&wrong);
}

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    for (name, may, tests) in CRATES {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let mut section = "";
        for line in manifest.lines() {
            if line.starts_with('[') {
                section = line.trim();
                continue;
            }
            let key = line.split(['.', '=', ' ']).next().unwrap_or_default();
            let key = if key == "ztsms" { "control" } else { key };
            if !CRATES.iter().any(|(other, ..)| *other == key) {
                continue;
            }
            let fine = match section {
                "[dependencies]" => may.contains(&key),
                "[dev-dependencies]" => may.contains(&key) || tests.contains(&key),
                _ => true,
            };
            if !fine {
                wrong.push(format!("{name} uses {key} in {section}"));
            }
        }
    }
    none(&wrong);
}

#[test]
fn every_crate_has_the_lints_and_only_two_have_their_own() {
    for (name, ..) in CRATES {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        if ["dataplane", "fuzz"].contains(&name) {
            assert!(manifest.contains("unsafe_code = \"deny\"") && manifest.contains("missing_docs = \"warn\""), "{name}");
        } else {
            assert!(manifest.contains("[lints]\nworkspace = true"), "{name}");
        }
    }
}
