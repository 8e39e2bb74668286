//! Everything that a decision depends on beside the message itself, behind one pointer: taken once a batch, swapped whole.

use protocols::{link, mtp3, sccp};

use crate::policy::Policy;
use crate::record::Label;
use crate::scan::Scanner;
use crate::suffix::Suffixes;
use crate::verdicts::Table;

/// Ports that a list of ports in the kernel holds.
pub const LISTED_PORTS: usize = 256;
/// Prefixes that a list of prefixes in the kernel holds, of each version of IP.
pub const LISTED_PREFIXES: usize = 1024;

/// What the first `bits` of an address say, the others 0: prefixes that are the same so are one.
pub fn masked<const N: usize>(mut octets: [u8; N], bits: u32) -> [u8; N] {
    let mut left = bits;
    for octet in &mut octets {
        let kept = left.min(8);
        *octet &= !(0xff_u8.checked_shr(kept).unwrap_or(0));
        left -= kept;
    }
    octets
}

/// What the operator says of the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Which MTP3 and SCCP is spoken: nothing on the wire says so.
    pub variant: mtp3::Variant,
    /// Octets of SIF that every leg behind can carry: 272 where one is MTP2 or plain M2PA (Q.704 §2.3, RFC 4165). Where no link set says
    /// otherwise.
    pub max_sif: usize,
    /// Link sets with a bound of their own.
    pub link_sets: Vec<LinkSet>,
    /// Octets of an IP packet that every leg can carry.
    pub mtu: usize,
    /// First and last IMSI of ranges that hold MT correlation ids (TS 23.040 §C): a new one for each message, so no part of a text's name.
    pub correlation_ids: Vec<(Box<str>, Box<str>)>,
    /// Service centres that answer for each other: a part's group is part of its text's name.
    pub centre_groups: Vec<Vec<Box<str>>>,
    /// UDP ports that carry SCTP, RFC 6951.
    pub udp_ports: Vec<u16>,
}

/// A link set by the point codes at its ends; one that is left out holds for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkSet {
    /// Originating point code.
    pub opc: Option<u32>,
    /// Destination point code.
    pub dpc: Option<u32>,
    /// Octets of SIF.
    pub max_sif: usize,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            variant: mtp3::Variant::Itu,
            max_sif: 272,
            link_sets: Vec::new(),
            mtu: 1500,
            correlation_ids: Vec::new(),
            centre_groups: Vec::new(),
            udp_ports: vec![link::SCTP_IN_UDP],
        }
    }
}

impl Network {
    /// The SCCP that goes with the MTP3: China's is ITU's with the 24-bit point codes of its MTP3.
    pub const fn sccp(&self) -> sccp::Variant {
        match self.variant {
            mtp3::Variant::Itu => sccp::Variant::Itu,
            mtp3::Variant::China => sccp::Variant::China,
            mtp3::Variant::Ansi => sccp::Variant::Ansi,
        }
    }

    /// Octets of the routing label, which the SIF counts.
    pub const fn label_len(&self) -> usize {
        self.variant.header_len() - 1
    }

    /// Octets of SIF that a message with this routing label may have: of the link sets that hold, the narrowest.
    pub fn max_sif(&self, label: Option<Label>) -> usize {
        let holds = |set: &&LinkSet| {
            label
                .is_some_and(|label| set.opc.is_none_or(|code| code == label.opc) && set.dpc.is_none_or(|code| code == label.dpc))
        };
        self.link_sets.iter().filter(holds).map(|set| set.max_sif).min().unwrap_or(self.max_sif)
    }

    /// Whether an IMSI is a correlation id.
    pub fn is_correlation_id(&self, imsi: &str) -> bool {
        self.correlation_ids.iter().any(|(first, last)| imsi.len() == first.len() && *imsi >= **first && *imsi <= **last)
    }

    /// The number of the group that a service centre belongs to, if the operator named one.
    pub fn centre_group(&self, centre: &str) -> Option<u16> {
        let group = self.centre_groups.iter().position(|group| group.iter().any(|member| **member == *centre))?;
        u16::try_from(group).ok()
    }
}

/// One state of the world.
pub struct World {
    /// Finds the URLs.
    pub scanner: Scanner,
    /// Public suffixes.
    pub suffixes: Suffixes,
    /// Verdicts.
    pub table: Table,
    /// From verdict to action.
    pub policy: Policy,
    /// The operator's network.
    pub network: Network,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_prefix_the_octets_behind_its_bits_are_nothing() {
        let of = |bits| masked([10, 0xff, 7, 9], bits);
        assert_eq!([of(0), of(7), of(9), of(31)], [[0; 4], [10, 0, 0, 0], [10, 0x80, 0, 0], [10, 0xff, 7, 8]]);
        assert_eq!([of(32), of(40)], [[10, 0xff, 7, 9]; 2]);
        assert_eq!(masked([0xff; 16], 121)[15], 0x80);
    }

    #[test]
    fn the_addresses_of_sccp_have_the_point_codes_of_the_mtp3_below() {
        let read = |variant, raw: &[u8]| {
            let network = Network { variant, ..Network::default() };
            let address = sccp::Address::parse(raw, network.sccp());
            (address.pc, address.ssn)
        };
        assert_eq!(read(mtp3::Variant::Itu, &[0x43, 0xd0, 7, 8]), (Some(2000), Some(8)));
        assert_eq!(read(mtp3::Variant::China, &[0x43, 3, 2, 1, 8]), (Some(0x01_0203), Some(8)));
        assert_eq!(read(mtp3::Variant::Ansi, &[0xc3, 8, 3, 2, 1]), (Some(0x01_0203), Some(8)));
    }

    #[test]
    fn of_the_link_sets_that_hold_the_narrowest_bounds_a_message() {
        let set = |opc, dpc, max_sif| LinkSet { opc, dpc, max_sif };
        let link_sets = vec![set(Some(1), None, 4095), set(Some(1), Some(2), 1000), set(None, Some(9), 200)];
        let network = Network { link_sets, ..Network::default() };
        let between = |opc, dpc| network.max_sif(Some(Label { opc, dpc, ..Label::default() }));
        assert_eq!([between(1, 3), between(1, 2), between(2, 1), between(1, 9), between(5, 9)], [4095, 1000, 272, 200, 200]);
        assert_eq!(network.max_sif(None), 272);
    }
}
