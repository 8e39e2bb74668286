//! `[wire]`: how frames come off the wire, and what happens where they cannot be looked at.

use std::net::IpAddr;

use dataplane::world::{LISTED_PORTS, LISTED_PREFIXES, masked};
use serde::Deserialize;

use super::shares;

/// What happens to frames that nobody can look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fail {
    /// They go on, unscanned and counted.
    #[default]
    Open,
    /// They are dropped and counted.
    Closed,
}

/// How frames come off the wire.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wire {
    /// The ports of `inline` where `--between` names none: two of each pair, one pair behind the other.
    pub between: Vec<String>,
    /// The links of `tap` where `--interface` names none: of each one interface, or the two that hold its two directions.
    pub interface: Links,
    /// What happens to frames that nobody can look at.
    pub fail: Fail,
    /// A worker that has not told of itself for so long is passed by.
    pub heartbeat_ms: Milliseconds,
    /// Descriptors in each ring.
    pub ring: Ring,
    /// Huge pages where there are some.
    pub huge_pages: bool,
    /// Microseconds for which the kernel polls the device before it sleeps; 0: not at all.
    pub busy_poll_us: u32,
    /// The worker never sleeps: the least latency, at a core's cost.
    pub spin: bool,
    /// The core that the worker is pinned to; without it the last one allowed.
    pub core: Option<usize>,
    /// The core of each of several workers.
    pub cores: Cores,
    /// Threads that look at frames, each at pairs (for a tap: links) of its own.
    pub workers: Workers,
    /// The worker of each pair, from 1; empty: neighbours together, as evenly as may be.
    pub worker_of: Vec<u32>,
    /// Loss of carrier on one port is carried to the other.
    pub carry_carrier: bool,
    /// Only SCTP with one of these ports; empty: any.
    pub only_ports: Vec<u16>,
    /// Only SCTP from or to one of these prefixes; empty: any.
    pub only_prefixes: Vec<Prefix>,
}

impl Wire {
    /// What is wrong with it that no single value shows.
    pub(crate) fn check(&self, udp_ports: &[u16]) -> Result<(), String> {
        let (v4, v6): (Vec<&Prefix>, Vec<&Prefix>) = self.only_prefixes.iter().partition(|prefix| prefix.0.is_ipv4());
        for (what, n, most) in [
            ("wire.only_ports", self.only_ports.len(), LISTED_PORTS),
            ("network.udp_ports", udp_ports.len(), LISTED_PORTS),
            ("wire.only_prefixes, IPv4", v4.len(), LISTED_PREFIXES),
            ("wire.only_prefixes, IPv6", v6.len(), LISTED_PREFIXES),
        ] {
            if n > most {
                return Err(format!("{what}: {n} in the list, and the kernel's holds {most}"));
            }
        }
        if self.only_ports.contains(&0) {
            return Err("wire.only_ports: 0 is no port".to_owned());
        }
        if self.between.len() % 2 == 1 {
            return Err(format!("wire.between: {} ports, and each pair has two", self.between.len()));
        }
        let links = self.interface.0.iter().flatten();
        for (what, names) in [("wire.between", self.between.iter().collect::<Vec<_>>()), ("wire.interface", links.collect())] {
            for (at, name) in names.iter().enumerate() {
                if !is_interface(name) {
                    return Err(format!("{what}: `{name}` cannot be an interface"));
                }
                if names.iter().take(at).any(|before| before == name) {
                    return Err(format!("{what}: {name} is named twice"));
                }
            }
        }
        if self.interface.0.iter().any(|link| !(1..=2).contains(&link.len())) {
            return Err("wire.interface: a link has one interface, or the two of its directions".to_owned());
        }
        // Whatever cores the machine has, and however many pairs there are where nobody says whose they are.
        let workers = self.workers.0 as usize;
        let lines = if self.worker_of.is_empty() { workers } else { self.worker_of.len() };
        shares::deal(self, lines, "pair", &(0..workers).collect::<Vec<_>>(), |_| true).map(drop)
    }

    /// The same without what can change while a filter runs.
    pub(crate) fn but_what_can_change(&self) -> Self {
        Self { fail: Fail::Open, only_ports: Vec::new(), only_prefixes: Vec::new(), ..self.clone() }
    }
}

/// Whether the kernel would name an interface so: 15 octets, no slash, no blank.
pub(crate) fn is_interface(name: &str) -> bool {
    (1..16).contains(&name.len()) && !name.contains(|c: char| c == '/' || c.is_whitespace())
}

impl Default for Wire {
    fn default() -> Self {
        Self {
            between: Vec::new(),
            interface: Links::default(),
            fail: Fail::Open,
            heartbeat_ms: Milliseconds(50),
            ring: Ring(2048),
            huge_pages: true,
            busy_poll_us: 0,
            spin: false,
            core: None,
            cores: Cores::default(),
            workers: Workers(1),
            worker_of: Vec::new(),
            carry_carrier: true,
            only_ports: Vec::new(),
            only_prefixes: Vec::new(),
        }
    }
}

/// An age of a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct Milliseconds(pub u32);

impl TryFrom<u32> for Milliseconds {
    type Error = String;
    fn try_from(ms: u32) -> Result<Self, String> {
        let hint = "is not an age from 5 to 10000 milliseconds";
        (5..=10_000).contains(&ms).then_some(Self(ms)).ok_or_else(|| format!("{ms} {hint}"))
    }
}

/// Links that a tap looks at: `["eth2", "eth3"]` is one of two directions, `[["eth2", "eth3"], ["eth4"]]` are two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub struct Links(pub Vec<Vec<String>>);

impl TryFrom<toml::Value> for Links {
    type Error = String;
    fn try_from(value: toml::Value) -> Result<Self, String> {
        let wrong = "is a list of interfaces, one or the two of a link, or a list of such lists";
        let names = |value: toml::Value| value.try_into::<Vec<String>>().map_err(|_| wrong.to_owned());
        let toml::Value::Array(all) = value else { return Err(wrong.to_owned()) };
        if all.iter().any(toml::Value::is_array) {
            return all.into_iter().map(names).collect::<Result<_, _>>().map(Self);
        }
        let one = names(toml::Value::Array(all))?;
        Ok(Self(if one.is_empty() { Vec::new() } else { vec![one] }))
    }
}

/// A core for each worker, none for two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<usize>")]
pub struct Cores(pub Vec<usize>);

impl TryFrom<Vec<usize>> for Cores {
    type Error = String;
    fn try_from(cores: Vec<usize>) -> Result<Self, String> {
        let twice = cores.iter().enumerate().find(|(at, core)| cores.iter().take(*at).any(|before| before == *core));
        match twice {
            Some((_, core)) => Err(format!(
                "core {core} is named twice: two workers on it would wait for each other; name another, or ask for fewer"
            )),
            None => Ok(Self(cores)),
        }
    }
}

/// How many threads look at frames: a pair belongs to one whole, and what is joined (parts of a text, dialogues) is joined within one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct Workers(pub u32);

impl TryFrom<u32> for Workers {
    type Error = String;
    fn try_from(workers: u32) -> Result<Self, String> {
        let hint = "workers: from 1 to 8, each with a pair of its own";
        (1..=8).contains(&workers).then_some(Self(workers)).ok_or_else(|| format!("{workers} {hint}"))
    }
}

/// A ring's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct Ring(pub u32);

impl TryFrom<u32> for Ring {
    type Error = String;
    fn try_from(size: u32) -> Result<Self, String> {
        let fits = size.is_power_of_two() && (64..=16_384).contains(&size);
        fits.then_some(Self(size)).ok_or_else(|| format!("{size} is not a power of two from 64 to 16384"))
    }
}

/// An address and how many bits of it count; the others are 0, as the kernel's list has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Prefix(pub IpAddr, pub u8);

impl TryFrom<String> for Prefix {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let (address, bits) = text.split_once('/').map_or((text.as_str(), None), |(address, bits)| (address, Some(bits)));
        let wrong = || format!("`{text}` is not an address or a prefix (`192.0.2.0/24`, `2001:db8::/32`)");
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| wrong())?;
        if bits > most {
            return Err(wrong());
        }
        let masked: IpAddr = match address {
            IpAddr::V4(v4) => masked(v4.octets(), bits.into()).into(),
            IpAddr::V6(v6) => masked(v6.octets(), bits.into()).into(),
        };
        if masked == address {
            Ok(Self(address, bits))
        } else {
            Err(format!("`{text}` has bits set behind the first {bits}: `{masked}/{bits}`, or a longer prefix"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_interfaces_is_one_link_and_a_list_of_lists_is_one_for_each() {
        let read =
            |text: &str| toml::from_str::<Wire>(text).map(|wire| wire.interface.0).map_err(|error| error.message().to_owned());
        assert_eq!(read("interface = []"), Ok(Vec::new()));
        assert_eq!(read("interface = [\"a\", \"b\"]"), Ok(vec![vec!["a".to_owned(), "b".to_owned()]]));
        assert_eq!(
            read("interface = [[\"a\", \"b\"], [\"c\"]]"),
            Ok(vec![vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]])
        );
        for wrong in ["\"a\"", "[1]", "[[\"a\"], \"b\"]", "[[[\"a\"]]]"] {
            assert!(read(&format!("interface = {wrong}")).unwrap_err().contains("a list of interfaces"), "{wrong}");
        }
    }

    #[test]
    fn lists_that_the_kernel_does_not_hold_and_ports_that_cannot_be_are_refused() {
        let list = |n: usize| (1..=n).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
        let prefixes = |n: usize| (0..n).map(|n| format!("\"10.{}.{}.0/24\"", n / 256, n % 256)).collect::<Vec<_>>().join(", ");
        let check = |text: &str| toml::from_str::<Wire>(text).expect("a table").check(&[9899]);
        assert_eq!(check(&format!("only_ports = [{}]\nonly_prefixes = [{}]", list(256), prefixes(1024))), Ok(()));
        for (text, says) in [
            (format!("only_ports = [{}]", list(257)), "257"),
            (format!("only_prefixes = [{}]", prefixes(1025)), "1025"),
            ("only_ports = [0]".to_owned(), "0 is no port"),
            ("between = [\"a\"]".to_owned(), "each pair has two"),
            ("between = [\"a\", \"a\"]".to_owned(), "a is named twice"),
            ("between = [\"a\", \"\"]".to_owned(), "cannot be an interface"),
            ("interface = [\"a/b\"]".to_owned(), "cannot be an interface"),
            ("interface = [[\"a\", \"b\", \"c\"]]".to_owned(), "the two of its directions"),
            ("worker_of = [0]".to_owned(), "names worker 0"),
            ("core = 1\ncores = [0]".to_owned(), "leave one away"),
            ("workers = 2\nworker_of = [1, 1]".to_owned(), "worker 2 has no pair"),
        ] {
            let said = check(&text).expect_err(&text);
            assert!(said.contains(says), "{said}");
        }
        assert!(Wire::default().check(&[1; 257]).is_err());
    }

    #[test]
    fn a_prefix_is_an_address_with_or_without_its_bits() {
        let read = |text: &str| Prefix::try_from(text.to_owned());
        assert_eq!(read("192.0.2.7"), Ok(Prefix(IpAddr::from([192, 0, 2, 7]), 32)));
        assert_eq!(read("2001:db8::/32").map(|prefix| prefix.1), Ok(32));
        assert_eq!(read("0.0.0.0/0").map(|prefix| prefix.1), Ok(0));
        for wrong in ["192.0.2.0/33", "192.0.2/24", "2001:db8::/129", "example/8", "1.2.3.4/"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        // Which of the two is wrong only who wrote it knows.
        for (wrong, says) in
            [("10.1.0.0/8", "`10.0.0.0/8`"), ("2001:db8::1/32", "`2001:db8::/32`"), ("10.0.0.1/0", "`0.0.0.0/0`")]
        {
            assert!(read(wrong).is_err_and(|said| said.contains(says)), "{wrong}");
        }
    }
}
