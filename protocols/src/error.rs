//! What a layer could not read: which layer, at which byte, and why. `Copy`, no strings made at run time: a reason is a counter label too.

use core::fmt;

/// The layer that gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// Ethernet, VLAN, cooked capture, MTP2.
    Link,
    /// IPv4 or IPv6 and extension headers.
    Ip,
    /// UDP that carries SCTP (RFC 6951).
    Udp,
    /// SCTP, RFC 9260.
    Sctp,
    /// M3UA, RFC 4666.
    M3ua,
    /// M2UA, RFC 3331.
    M2ua,
    /// M2PA, RFC 4165.
    M2pa,
    /// MTP3 routing label, Q.704.
    Mtp3,
    /// SUA, RFC 3868.
    Sua,
    /// SCCP, Q.713.
    Sccp,
    /// TCAP, Q.773.
    Tcap,
    /// MAP, TS 29.002.
    Map,
    /// Short message TPDU, TS 23.040.
    Sms,
}

impl Layer {
    /// The name that people and counters see.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Ip => "IP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
            Self::M3ua => "M3UA",
            Self::M2ua => "M2UA",
            Self::M2pa => "M2PA",
            Self::Mtp3 => "MTP3",
            Self::Sua => "SUA",
            Self::Sccp => "SCCP",
            Self::Tcap => "TCAP",
            Self::Map => "MAP",
            Self::Sms => "SMS",
        }
    }
}

/// Why it gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// `need` octets were called for, `have` are there.
    Truncated {
        /// Octets called for.
        need: u32,
        /// Octets present.
        have: u32,
    },
    /// A length field that cannot be right.
    BadLength(u32),
    /// A mandatory part is not there.
    Missing(&'static str),
    /// Well formed, but not something that this program reads: passed unread, counted by this name.
    NotOurs(&'static str),
    /// Malformed in a way that no length names.
    Malformed(&'static str),
    /// Beyond a bound of this program (nesting, number of parts).
    Limit(&'static str),
}

impl Why {
    /// [`Why::Truncated`] from lengths in memory.
    pub const fn truncated(need: usize, have: usize) -> Self {
        Self::Truncated { need: saturate(need), have: saturate(have) }
    }

    /// [`Why::BadLength`] from a length in memory.
    pub const fn bad_length(len: usize) -> Self {
        Self::BadLength(saturate(len))
    }

    /// A stable label for counters: no numbers in it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Truncated { .. } => "truncated",
            Self::BadLength(_) => "bad length",
            Self::Missing(what) | Self::NotOurs(what) | Self::Malformed(what) | Self::Limit(what) => what,
        }
    }
}

/// An error of one layer: where in that layer's bytes, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Error {
    /// The layer that gave up.
    pub layer: Layer,
    /// Octet within the bytes that the layer was given.
    pub at: u32,
    /// The reason.
    pub why: Why,
}

impl Error {
    /// An error at octet `at` of the layer's input.
    pub const fn new(layer: Layer, at: usize, why: Why) -> Self {
        Self { layer, at: saturate(at), why }
    }

    /// The same error seen from bytes that start `by` octets earlier.
    #[must_use]
    pub const fn moved(self, by: usize) -> Self {
        Self { at: self.at.saturating_add(saturate(by)), ..self }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped on the line before")]
const fn saturate(n: usize) -> u32 {
    if n > u32::MAX as usize { u32::MAX } else { n as u32 }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} byte {}: ", self.layer.name(), self.at)?;
        match self.why {
            Why::Truncated { need, have } => write!(f, "truncated: {need} octets needed, {have} present"),
            Why::BadLength(len) => write!(f, "bad length {len}"),
            Why::Missing(what) => write!(f, "{what} is missing"),
            Why::NotOurs(what) => write!(f, "not read: {what}"),
            Why::Malformed(what) => write!(f, "malformed: {what}"),
            Why::Limit(what) => write!(f, "limit reached: {what}"),
        }
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_layer_byte_and_reason() {
        let error = Error::new(Layer::M3ua, 4, Why::truncated(12, 3)).moved(8);
        assert_eq!(error.to_string(), "M3UA byte 12: truncated: 12 octets needed, 3 present");
    }

    #[test]
    fn lengths_beyond_32_bits_are_clamped() {
        assert_eq!(Why::bad_length(usize::MAX), Why::BadLength(u32::MAX));
    }
}
