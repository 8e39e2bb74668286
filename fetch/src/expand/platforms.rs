//! The set of platforms, and which of them a host belongs to.

use std::collections::HashMap;

use crate::guard;
use crate::protocol::{Failure, Platform, Platforms, PlatformsSet, Why};

/// Platforms in a set, at most.
const PLATFORMS: usize = 100_000;

/// A set in force.
#[derive(Debug)]
pub(super) struct Set {
    /// What the client calls it.
    pub(super) version: String,
    by_host: HashMap<String, Platform>,
}

impl Set {
    /// All of them or none: what is wrong with one is said.
    pub(super) fn new(given: Platforms) -> Result<Self, Failure> {
        let wrong = |what: String| Failure::new(Why::Request, what);
        if given.platforms.len() > PLATFORMS {
            return Err(wrong(format!("{} platforms, at most {PLATFORMS}", given.platforms.len())));
        }
        let mut by_host = HashMap::with_capacity(given.platforms.len());
        for platform in given.platforms {
            let host = guard::ascii(&platform.host).map_err(|failure| failure.at("platform"))?;
            if platform.per_minute == Some(0) || platform.ttl_s == Some(0) {
                return Err(wrong(format!("platform {host}: per_minute and ttl_s are 1 at least")));
            }
            if by_host.insert(host.clone(), Platform { host: host.clone(), ..platform }).is_some() {
                return Err(wrong(format!("platform {host} stands twice")));
            }
        }
        Ok(Self { version: given.version, by_host })
    }

    /// What is told about it.
    pub(super) fn described(&self) -> PlatformsSet {
        let recipes = self.by_host.values().filter(|platform| platform.how.is_some()).count();
        PlatformsSet { version: self.version.clone(), platforms: self.by_host.len(), recipes }
    }

    /// The platform that a host is, or is below: the one that is nearest.
    pub(super) fn of(&self, host: &str) -> Option<&Platform> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let below = host.match_indices('.').map(|(dot, _)| &host[dot + 1..]);
        std::iter::once(host).chain(below).find_map(|host| self.by_host.get(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{How, Method};

    fn platform(host: &str) -> Platform {
        Platform {
            host: host.into(),
            how: Some(How::Location),
            method: Method::Get,
            editable: false,
            per_minute: None,
            ttl_s: None,
        }
    }

    #[test]
    fn the_nearest_platform_counts_and_what_only_looks_alike_is_none() {
        let platforms = ["sho.rt", "own.sho.rt", "Bücher.example"].map(platform).to_vec();
        let set = Set::new(Platforms { version: "1".into(), platforms }).unwrap();
        let of = |host| set.of(host).map(|platform| platform.host.as_str());
        assert_eq!(of("sho.rt"), Some("sho.rt"));
        assert_eq!(of("a.b.own.sho.rt"), Some("own.sho.rt"));
        assert_eq!(of("a.sho.rt."), Some("sho.rt"));
        assert_eq!(of("xn--bcher-kva.example"), Some("xn--bcher-kva.example"));
        for none in ["notsho.rt", "sho.rt.evil.example", "rt", ""] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn a_set_with_something_wrong_is_refused_whole() {
        let why = |platforms: Vec<Platform>| Set::new(Platforms { version: String::new(), platforms }).unwrap_err().to_string();
        assert!(why(vec![platform("a.example"), platform("A.example.")]).contains("a.example stands twice"));
        assert!(why(vec![platform("com")]).contains("no name"));
        assert!(why(vec![platform("127.1")]).contains("address"));
        assert!(why(vec![Platform { per_minute: Some(0), ..platform("a.example") }]).contains("1 at least"));
    }
}
