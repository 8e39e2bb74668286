//! The Public Suffix List: where one owner's names end and another's begin.
//!
//! The list is the crate `psl`'s, compiled in, private section too (`github.io` is a suffix, so that nobody inherits trust from it), or
//! a file that the operator gives. Rules as <https://publicsuffix.org/list/> has them, with its default rule `*` for names that are not
//! listed. Hosts come in canonical form: lower case, punycode, no final dot.

use publicsuffix::{List, Psl as _, Type};
use suffixes::Found;
use xxhash_rust::xxh3::xxh3_64;

/// A suffix list and what identifies it.
#[derive(Clone, Debug)]
pub struct Suffixes {
    source: Source,
    id: u64,
}

#[derive(Clone, Debug)]
enum Source {
    BuiltIn,
    File(Box<List>),
}

/// Why a suffix list file was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadList {
    /// A rule that the format does not know: its line, from 1.
    Rule(usize),
    /// Fewer rules than any whole list has: an error page or a cut file would make every second name a stranger's.
    TooShort(usize),
}

impl core::fmt::Display for BadList {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Rule(line) => write!(f, "suffix list line {line}: not a rule"),
            Self::TooShort(rules) => write!(f, "suffix list has {rules} rules, a whole one has thousands"),
        }
    }
}

impl core::error::Error for BadList {}

/// How a host divides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split<'h> {
    /// Suffix and one label more; `None` for a suffix itself.
    pub registrable: Option<&'h str>,
    /// The public suffix; empty for what is no name.
    pub suffix: &'h str,
    /// Whether the suffix is of the private section.
    pub private: bool,
}

/// The list had 9 000 rules in 2026 and 6 000 ten years before.
const FEWEST_RULES: usize = 1_000;

impl Suffixes {
    /// The list that is compiled in.
    pub fn built_in() -> Self {
        Self { source: Source::BuiltIn, id: xxh3_64(built_in_version().as_bytes()) }
    }

    /// The list in `text`, in the format of `public_suffix_list.dat`.
    ///
    /// # Errors
    /// A line that is no rule, or a list too short to be one.
    pub fn from_file(text: &str) -> Result<Self, BadList> {
        let rules = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("//")).count();
        if rules < FEWEST_RULES {
            return Err(BadList::TooShort(rules));
        }
        let list: List = text.parse().map_err(|_| BadList::Rule(first_bad_line(text)))?;
        Ok(Self { source: Source::File(Box::new(list)), id: xxh3_64(text.as_bytes()) })
    }

    /// Tells lists apart: a snapshot is built for one and refused with another.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// The registrable domain of a host: its public suffix and one label more. `None` for a suffix itself and for what is no name.
    #[inline]
    pub fn registrable<'h>(&self, host: &'h str) -> Option<&'h str> {
        end(host, self.find(host).registrable)
    }

    /// Whether the host is a public suffix itself.
    pub fn is_suffix(&self, host: &str) -> bool {
        self.suffix(host).is_some_and(|suffix| suffix.len() == host.len())
    }

    /// Whether the host's suffix is of the private section: a company's platform, whose customers stand for themselves.
    #[inline]
    pub fn is_private(&self, host: &str) -> bool {
        self.find(host).private
    }

    /// The public suffix of a host, itself included.
    #[inline]
    pub fn suffix<'h>(&self, host: &'h str) -> Option<&'h str> {
        end(host, self.find(host).suffix)
    }

    /// All answers by one search: the registrable domain, and the public suffix with whether it is of the private section.
    #[inline]
    pub fn split<'h>(&self, host: &'h str) -> Split<'h> {
        let Found { suffix, registrable, private } = self.find(host);
        Split { registrable: end(host, registrable), suffix: end(host, suffix).unwrap_or_default(), private }
    }

    #[inline]
    fn find(&self, host: &str) -> Found {
        let octets = host.as_bytes();
        if matches!(octets, [] | [b'.', ..] | [.., b'.']) {
            return Found::default();
        }
        match &self.source {
            Source::BuiltIn => suffixes::find(octets),
            Source::File(list) => list.suffix(octets).map_or_else(Found::default, |found| {
                let suffix = found.as_bytes().len();
                Found { suffix, registrable: above(octets, suffix), private: found.typ() == Some(Type::Private) }
            }),
        }
    }
}

/// So many octets of a host's end; `None` for none.
#[inline]
fn end(host: &str, octets: usize) -> Option<&str> {
    host.len().checked_sub(octets).and_then(|at| host.get(at..)).filter(|_| octets > 0)
}

/// Octets of a suffix and the label before it; 0 where there is none.
fn above(host: &[u8], suffix: usize) -> usize {
    let before = host.len().checked_sub(suffix + 1).and_then(|end| host.get(..end));
    let label = before.and_then(|before| before.rsplit(|&octet| octet == b'.').next()).unwrap_or_default();
    if label.is_empty() { 0 } else { suffix + 1 + label.len() }
}

/// Version of the crate whose list is compiled in, from the lockfile that chose it: each release is one state of the list.
fn built_in_version() -> &'static str {
    const LOCK: &str = include_str!("../../Cargo.lock");
    let version = LOCK.split_once("name = \"psl\"\nversion = \"").and_then(|(_, rest)| rest.split('"').next());
    version.unwrap_or("unlocked")
}

/// The first line that alone is no list.
fn first_bad_line(text: &str) -> usize {
    let bad = |line: &str| {
        let alone = format!("// ===BEGIN ICANN DOMAINS===\n{line}");
        !line.is_empty() && !line.starts_with("//") && alone.parse::<List>().is_err()
    };
    text.lines().position(bad).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/");

    fn data(path: &str) -> Option<String> {
        let text = std::fs::read_to_string(format!("{DATA}{path}")).ok();
        if text.is_none() {
            println!("skipped: ../shared/data is not here");
        }
        text
    }

    fn both() -> Option<[Suffixes; 2]> {
        let list = data("lists/public_suffix_list.dat")?;
        Some([Suffixes::built_in(), Suffixes::from_file(&list).expect("the published list")])
    }

    #[test]
    fn registrable_domain_is_suffix_and_one_label() {
        let list = Suffixes::built_in();
        for (host, want) in [
            ("www.bank.example", Some("bank.example")),
            ("a.b.co.uk", Some("b.co.uk")),
            ("co.uk", None),
            ("user.github.io", Some("user.github.io")),
            ("github.io", None),
            ("localhost", None),
            ("", None),
            (".com", None),
            ("a..com", None),
            ("com.", None),
        ] {
            assert_eq!(list.registrable(host), want, "{host}");
        }
        assert!(list.is_suffix("github.io") && list.is_suffix("com") && !list.is_suffix("bank.com"));
        assert!(list.is_private("x.github.io") && !list.is_private("x.com"));
    }

    #[test]
    fn the_lists_own_vectors_hold_for_both_readers() {
        let (Some(lists), Some(lines), Some(original)) = (both(), data("links/psl.jsonl"), data("links/test_psl.txt")) else {
            return;
        };
        let mut vectors: Vec<(String, Option<String>)> = Vec::new();
        for line in lines.lines() {
            let vector: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            let text = |name: &str| vector.get(name).and_then(|v| v.as_str()).map(str::to_owned);
            vectors.extend(text("host").map(|host| (host, text("registrable"))));
        }
        for line in original.lines().filter(|line| line.starts_with("checkPublicSuffix('")) {
            let mut quoted = line.split('\'');
            let (_, host, _, want) = (quoted.next(), quoted.next(), quoted.next(), quoted.next());
            vectors.push((host.expect("a host").to_owned(), want.map(str::to_owned)));
        }
        assert!(vectors.len() > 140, "{} vectors", vectors.len());
        for (host, want) in vectors {
            // Canonical hosts are lower case and punycode: what the vectors test besides is the host parser's work, not the list's.
            let Ok(host) = idna::domain_to_ascii(&host) else { continue };
            let want = want.map(|want| idna::domain_to_ascii(&want).expect("a name"));
            for list in &lists {
                assert_eq!(list.registrable(&host), want.as_deref(), "{host} in {:x}", list.id());
            }
        }
    }

    #[test]
    fn compiled_list_and_file_agree_on_real_hosts() {
        let (Some([built_in, file]), Some(hosts)) = (both(), data("lists/domains-ACTIVE2.txt")) else { return };
        let differ: std::collections::BTreeSet<_> = hosts
            .lines()
            .filter(|host| built_in.registrable(host) != file.registrable(host))
            .map(|host| built_in.suffix(host).max(file.suffix(host)))
            .collect();
        // The two are of different days: a rule added between them shows here, a wrong reader would show by the hundred.
        assert!(differ.len() < 10, "suffixes that differ: {differ:?}");
    }

    #[test]
    fn a_list_that_is_no_list_is_refused() {
        assert_eq!(Suffixes::from_file("<html>404</html>").unwrap_err(), BadList::TooShort(1));
        assert_eq!(Suffixes::from_file(&list("a..b\n")).unwrap_err(), BadList::Rule(2002));
    }

    fn list(last: &str) -> String {
        let rules = (0..2000).map(|n| format!("tld{n}\n"));
        ["// ===BEGIN ICANN DOMAINS===\n".to_owned()].into_iter().chain(rules).chain([last.to_owned()]).collect()
    }

    #[test]
    fn lists_are_told_apart_by_their_bytes() {
        let [a, b] = ["x\n", "y\n"].map(|last| Suffixes::from_file(&list(last)).expect("a list").id());
        assert_ne!(a, b);
        assert_ne!(built_in_version(), "unlocked");
    }
}
