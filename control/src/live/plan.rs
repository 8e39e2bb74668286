//! What is asked for: which interfaces, and how they belong together.

use std::path::PathBuf;

use dataplane::xdp::{self, Error, Settings};
use xxhash_rust::xxh3::xxh3_128;

use crate::config::{self, Config, Fail};

/// Which way of standing on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Looks on.
    Tap,
    /// Stands between.
    Inline,
}

/// Pairs, or links of a tap, in one filter.
const LINES: usize = 8;

/// Octets of the ports' names in that of a filter: a file's name has 255.
const LONGEST: usize = 200;

/// A filter to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its kind.
    pub kind: Kind,
    /// Interfaces that share memory: two of a pair, or those of a tap.
    pub lines: Vec<Vec<String>>,
    /// How it takes frames off the wire.
    pub wire: config::Wire,
    /// UDP ports that carry SCTP.
    pub udp_ports: Vec<u16>,
    /// Limits of the tables that join pieces.
    pub joins: config::Joins,
    /// Where it is asked and commanded.
    pub socket: PathBuf,
}

impl Plan {
    /// The links of a tap, `IN` or `IN,OUT` each: these, or where there are none those of the configuration.
    pub fn tap(links: &[String], config: &Config) -> Result<Self, Error> {
        let links = if links.is_empty() {
            config.wire.interface.0.clone()
        } else {
            links.iter().map(|link| link.split(',').map(str::to_owned).collect()).collect()
        };
        if links.is_empty() {
            return Err(Error::new("which interface? `--interface IN[,OUT]`, or `interface` in [wire]"));
        }
        if links.iter().any(|link| !(1..=2).contains(&link.len())) {
            return Err(Error::new(
                "a link has two directions: one interface, or two (another link is another `--interface`, or a list of its own in [wire])",
            ));
        }
        if links.len() > LINES {
            return Err(Error::new(format_args!("more than {LINES} links in one tap: start another")));
        }
        Self::new(Kind::Tap, links, config)
    }

    /// The ports of each pair, one behind the other: these, or where there are none those of the configuration.
    pub fn inline(between: &[String], config: &Config) -> Result<Self, Error> {
        let between = if between.is_empty() { &config.wire.between } else { between };
        if between.is_empty() || between.len() % 2 == 1 {
            let n = between.len();
            return Err(Error::new(format_args!(
                "between which two ports? {n} are named by `--between A B` or `between` in [wire]: two of each pair"
            )));
        }
        if between.len() > 2 * LINES {
            return Err(Error::new(format_args!("more than {LINES} pairs in one filter: start another")));
        }
        let mut plan = Self::new(Kind::Inline, between.chunks(2).map(<[String]>::to_vec).collect(), config)?;
        plan.turn(|name| xdp::pins(name).exists());
        Ok(plan)
    }

    /// Turns pairs round where a filter is pinned so: the two ports of a pair are equals, in whatever order somebody names them.
    fn turn(&mut self, is_pinned: impl Fn(&str) -> bool) {
        let pairs = self.lines.len();
        for turned in 0..1_u32 << pairs {
            let mut other = self.clone();
            let lines = other.lines.iter_mut().enumerate().filter(|(at, _)| turned >> at & 1 == 1);
            lines.for_each(|(_, line)| line.reverse());
            if is_pinned(&other.name()) {
                *self = other;
                return;
            }
        }
    }

    fn new(kind: Kind, lines: Vec<Vec<String>>, config: &Config) -> Result<Self, Error> {
        let plan = Self {
            kind,
            lines,
            wire: config.wire.clone(),
            udp_ports: config.network.udp_ports.clone(),
            joins: config.joins,
            socket: std::path::absolute(&config.admin.socket).unwrap_or_else(|_| config.admin.socket.clone()),
        };
        let mut all: Vec<&String> = plan.interfaces().collect();
        all.sort_unstable();
        // A name becomes part of paths.
        if let Some(name) = all.iter().find(|name| !config::is_interface(name)) {
            return Err(Error::new(format_args!("`{name}` cannot be an interface")));
        }
        if let Some([twice, _]) = all.array_windows().find(|[a, b]| a == b) {
            return Err(Error::new(format_args!("{twice} is named twice")));
        }
        Ok(plan)
    }

    /// Takes over what may change while a filter runs: the lists, and what happens where nobody can look.
    pub fn renew(&mut self, config: &Config) {
        self.wire.fail = config.wire.fail;
        self.wire.only_ports.clone_from(&config.wire.only_ports);
        self.wire.only_prefixes.clone_from(&config.wire.only_prefixes);
        self.udp_ports.clone_from(&config.network.udp_ports);
    }

    /// Every interface: the place of its line, and its number in the program, which has two for each line.
    pub fn ports(&self) -> impl Iterator<Item = (usize, u32, &String)> {
        let lines = (0..).zip((0..).step_by(2)).zip(&self.lines);
        lines.flat_map(|((at, first), line)| (first..).zip(line).map(move |(number, port)| (at, number, port)))
    }

    /// Every interface.
    pub fn interfaces(&self) -> impl Iterator<Item = &String> {
        self.lines.iter().flatten()
    }

    /// What it is pinned and told apart under.
    pub fn name(&self) -> String {
        let kind = if self.kind == Kind::Tap { "tap" } else { "inline" };
        let all: Vec<String> = self.interfaces().map(|interface| xdp::pinned_as(interface)).collect();
        let mut ports = all.join("-");
        if ports.len() > LONGEST {
            // No name of an interface is as long as these digits are.
            ports = format!("{}-{:032x}", all.len(), xxh3_128(ports.as_bytes()));
        }
        format!("{kind}-{ports}{}", namespace())
    }

    /// What the program is told.
    pub fn settings(&self) -> Settings {
        let config::Wire { fail, heartbeat_ms, only_ports, only_prefixes, .. } = &self.wire;
        Settings {
            heartbeat_ns: u64::from(heartbeat_ms.0) * 1_000_000,
            fail_closed: *fail == Fail::Closed,
            udp_ports: self.udp_ports.clone(),
            only_ports: only_ports.clone(),
            only_prefixes: only_prefixes.iter().map(|prefix| (prefix.0, prefix.1)).collect(),
        }
    }
}

/// Names of interfaces repeat in other network namespaces: which one this is belongs to the name.
pub(super) fn namespace() -> String {
    // A kernel that does not say is too old for a filter.
    xdp::namespace().map_or_else(|_| String::new(), |cookie| format!("@{cookie}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_filters_have_one_name_and_none_has_a_name_that_cannot_be_pinned() {
        let name = |between: &[&str]| {
            let between: Vec<String> = between.iter().map(|&port| port.to_owned()).collect();
            Plan::inline(&between, &Config::default()).expect("a plan").name()
        };
        assert_eq!(name(&["a1", "b1"]), format!("inline-a1-b1{}", namespace()));
        assert_ne!(name(&["p-q", "r"]), name(&["p", "q-r"]));
        assert_ne!(name(&["v.1", "v.2"]), name(&["v_1", "v_2"]));
        assert!(!name(&["v.1", "v.2"]).contains('.'));
        let many: Vec<String> = (0..16).map(|n| format!("enp129s0f{n}.4{n:02}")).collect();
        let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
        let long = name(&many);
        many.swap(0, 1);
        assert!(long.len() <= 255 && long != name(&many), "{long}");
    }

    #[test]
    fn pairs_are_turned_the_way_that_is_pinned_and_stay_as_they_are_named_where_none_is() {
        let between = ["a", "b", "c", "d"].map(str::to_owned);
        let turned = |pinned: &str| {
            let mut plan = Plan::inline(&between, &Config::default()).expect("a plan");
            plan.turn(|name| name.starts_with(pinned));
            plan.lines.concat().concat()
        };
        assert_eq!([turned("none"), turned("inline-a-b-d-c"), turned("inline-b-a-d-c")], ["abcd", "abdc", "badc"]);
        // Which pair is the first decides which worker has it: that is no matter of taste.
        assert_eq!(turned("inline-c-d-a-b"), "abcd");
    }
}
