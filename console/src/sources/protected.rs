//! Names that no feed may call dangerous: those that people named, the hosts of protected senders, those that a decision calls safe, and
//! those that the most used senders carry ([`crate::census::used`]).

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

/// The protected names, by name, and the names above those that people named.
#[derive(Clone, Debug, Default)]
pub struct Protected {
    names: HashMap<String, Reach>,
    above: HashMap<String, String>,
}

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
    Ok(each(&found))
}

/// Those of them that people named, themselves or as the host of a sender: no feed's word about a name above reaches them either. What is said
/// above a name that a decision calls safe does not reach it anyway.
///
/// # Errors
/// The database's.
pub fn named(state: &Connection) -> Result<Vec<String>> {
    let mut found = state.prepare_cached("SELECT host FROM protected UNION SELECT hosts FROM senders")?;
    let found = found.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    Ok(each(&found))
}

fn each(rows: &[String]) -> Vec<String> {
    let mut names: Vec<String> = rows.iter().flat_map(|names| names.split(' ')).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl Protected {
    /// Of what [`protected`] returns. `is_platform` says of a host whether everybody has pages there.
    pub fn of(names: &[String], is_platform: impl Fn(&str) -> bool) -> Self {
        let mut all = HashMap::new();
        for name in names {
            let (host, reach) = match name.strip_prefix('=') {
                Some(host) if is_platform(host) => (host, Reach::Page),
                Some(host) => (host, Reach::Host),
                // Nobody may name one; of a platform that a sender uses most its own page is meant.
                None if is_platform(name) => (name.as_str(), Reach::Page),
                None => (name.as_str(), Reach::Below),
            };
            let known = all.entry(host.to_owned()).or_insert(reach);
            *known = reach.max(*known);
        }
        Self { names: all, above: HashMap::new() }
    }

    /// With the names above [`named`] ones, as far as a feed's word reaches down: not from or past a name that `stops` it, a public suffix or
    /// a platform.
    #[must_use]
    pub fn with_above(mut self, named: &[String], stops: impl Fn(&str) -> bool) -> Self {
        for name in named.iter().filter(|name| !stops(name)) {
            let above = name.match_indices('.').filter_map(|(dot, _)| name.get(dot + 1..));
            for parent in above.take_while(|parent| !stops(parent)) {
                self.above.entry(parent.to_owned()).or_insert_with(|| name.clone());
            }
        }
        self
    }

    /// The protected name that a verdict about a pattern's key string would speak of.
    pub fn spoken_of(&self, pattern: &str) -> Option<&str> {
        let mut parts = pattern.trim_start_matches('=').splitn(2, '/');
        let (host, has_path) = (parts.next().unwrap_or_default(), parts.next().is_some());
        let reaches = |name: &str, least: Reach| self.names.get_key_value(name).filter(|(_, reach)| **reach >= least);
        let parents = host.match_indices('.').filter_map(|(dot, _)| host.get(dot + 1..));
        let of_host = reaches(host, if has_path { Reach::Host } else { Reach::Page });
        let found = of_host.or_else(|| parents.into_iter().find_map(|name| reaches(name, Reach::Below)));
        let speaks_of_all_below = !has_path && !pattern.starts_with('=');
        let below = || self.above.get(host).filter(|_| speaks_of_all_below);
        found.map(|(name, _)| name).or_else(below).map(String::as_str)
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

    #[test]
    fn what_is_said_of_a_name_above_a_named_one_speaks_of_it_up_to_a_suffix_or_a_platform() {
        let names = ["portal.gov.test", "pay.x.site.example", "shop.co.test", "192.0.2.7"].map(str::to_owned);
        let stops = |host: &str| ["test", "co.test", "example", "site.example"].contains(&host);
        let protected = Protected::of(&names, |_| false).with_above(&names, stops);
        for (pattern, name) in [
            ("gov.test", Some("portal.gov.test")),
            ("=gov.test", None),
            ("gov.test/login", None),
            ("other.gov.test", None),
            ("test", None),
            ("co.test", None),
            ("x.site.example", Some("pay.x.site.example")),
            ("site.example", None),
        ] {
            assert_eq!(protected.spoken_of(pattern), name, "{pattern}");
        }
    }
}
