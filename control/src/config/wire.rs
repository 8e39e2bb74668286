//! `[wire]`: how frames come off the wire, and what happens where they cannot be looked at.

use std::net::IpAddr;

use serde::Deserialize;

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
    /// The interfaces of `tap` where `--interface` names none: one, or the two that hold a link's two directions.
    pub interface: Vec<String>,
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
    /// Threads that look at frames.
    pub workers: Workers,
    /// Loss of carrier on one port is carried to the other.
    pub carry_carrier: bool,
    /// Only SCTP with one of these ports; empty: any.
    pub only_ports: Vec<u16>,
    /// Only SCTP from or to one of these prefixes; empty: any.
    pub only_prefixes: Vec<Prefix>,
}

impl Wire {
    /// The same without what can change while a filter runs.
    pub(crate) fn but_what_can_change(&self) -> Self {
        Self { fail: Fail::Open, only_ports: Vec::new(), only_prefixes: Vec::new(), ..self.clone() }
    }
}

impl Default for Wire {
    fn default() -> Self {
        Self {
            between: Vec::new(),
            interface: Vec::new(),
            fail: Fail::Open,
            heartbeat_ms: Milliseconds(50),
            ring: Ring(2048),
            huge_pages: true,
            busy_poll_us: 0,
            spin: false,
            core: None,
            workers: Workers(1),
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

/// One: it takes every queue of every pair, and what is joined (parts of a text, dialogues) is joined in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct Workers(pub u32);

impl TryFrom<u32> for Workers {
    type Error = String;
    fn try_from(workers: u32) -> Result<Self, String> {
        let hint = "workers: there is one, which takes every queue of every pair, so that parts of a text meet. For pairs of another \
                    network start another filter";
        (workers == 1).then_some(Self(workers)).ok_or_else(|| format!("{workers} {hint}"))
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

/// An address and how many bits of it count.
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
        if bits <= most { Ok(Self(address, bits)) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_an_address_with_or_without_its_bits() {
        let read = |text: &str| Prefix::try_from(text.to_owned());
        assert_eq!(read("192.0.2.7"), Ok(Prefix(IpAddr::from([192, 0, 2, 7]), 32)));
        assert_eq!(read("2001:db8::/32").map(|prefix| prefix.1), Ok(32));
        for wrong in ["192.0.2.0/33", "192.0.2/24", "2001:db8::/129", "example/8", "1.2.3.4/"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
