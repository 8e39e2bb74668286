//! Names that no feed may call dangerous: those that people named, the hosts of protected senders, and those that a decision calls safe.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::Result;

/// How far a name is protected: as far as what is said of it reaches ([`dataplane::verdicts`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// Its own page: on a platform `=host` says nothing of what others put below it.
    Page,
    /// The host with its paths (`=host`).
    Host,
    /// What is below it too.
    Below,
}

/// The protected names, by name.
#[derive(Clone, Debug, Default)]
pub struct Protected(HashMap<String, Reach>);

/// The protected names: `host` with what is below it, `=host` without.
///
/// # Errors
/// The database's.
pub fn protected(state: &Connection) -> Result<Vec<String>> {
    let mut found = state.prepare_cached(
        "SELECT host FROM protected UNION SELECT hosts FROM senders UNION
         SELECT pattern FROM decisions WHERE ended IS NULL AND verdict = 'safe' AND instr(pattern, '/') = 0",
    )?;
    let found = found.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    let mut names: Vec<String> = found.iter().flat_map(|names| names.split(' ')).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

impl Protected {
    /// Of what [`protected`] returns. `is_platform` says of a host whether everybody has pages there.
    pub fn of(names: &[String], is_platform: impl Fn(&str) -> bool) -> Self {
        let mut all = HashMap::new();
        for name in names {
            let (host, reach) = match name.strip_prefix('=') {
                Some(host) if is_platform(host) => (host, Reach::Page),
                Some(host) => (host, Reach::Host),
                None => (name.as_str(), Reach::Below),
            };
            let known = all.entry(host.to_owned()).or_insert(reach);
            *known = reach.max(*known);
        }
        Self(all)
    }

    /// The protected name that a verdict about a pattern's key string would speak of.
    pub fn spoken_of(&self, pattern: &str) -> Option<&str> {
        let mut parts = pattern.trim_start_matches('=').splitn(2, '/');
        let (host, has_path) = (parts.next().unwrap_or_default(), parts.next().is_some());
        let reaches = |name: &str, least: Reach| self.0.get_key_value(name).filter(|(_, reach)| **reach >= least);
        let parents = host.match_indices('.').filter_map(|(dot, _)| host.get(dot + 1..));
        let of_host = reaches(host, if has_path { Reach::Host } else { Reach::Page });
        of_host.or_else(|| parents.into_iter().find_map(|name| reaches(name, Reach::Below))).map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_protected_as_far_as_what_is_said_of_it_reaches() {
        let names = ["bank.example", "=exact.example", "=docs.example", "=both.example", "both.example"].map(str::to_owned);
        let protected = Protected::of(&names, |host| host == "docs.example");
        for (pattern, name) in [
            ("bank.example", Some("bank.example")),
            ("=bank.example", Some("bank.example")),
            ("a.bank.example/x", Some("bank.example")),
            ("notbank.example", None),
            ("example", None),
            ("exact.example", Some("exact.example")),
            ("exact.example/login", Some("exact.example")),
            ("sub.exact.example", None),
            ("docs.example", Some("docs.example")),
            ("docs.example/forms/7", None),
            ("sub.both.example", Some("both.example")),
        ] {
            assert_eq!(protected.spoken_of(pattern), name, "{pattern}");
        }
    }
}
