//! MTP3 messages, Q.704 §2.2 and §14.2: service information octet, routing label, user part.
//!
//! ```text
//! ITU    SIO 1 | DPC 14 bits, OPC 14 bits, SLS 4 bits in 4 octets, least significant octet first
//! ANSI   SIO 1 | DPC 3 | OPC 3 | SLS 1       point codes least significant octet (member) first
//! China  as ANSI, of the SLS octet the lower 4 bits
//! ```
//!
//! Nothing in a message says which of them it is: that is configured.

use crate::error::{Error, Layer, Why};

/// Whose point codes a link uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Variant {
    /// 14 bits.
    #[default]
    Itu,
    /// 24 bits, SLS of 8 bits.
    Ansi,
    /// 24 bits, SLS of 4 bits; SCCP as of ITU.
    China,
}

impl Variant {
    /// Octets in front of the user part: SIO and routing label.
    pub const fn header_len(self) -> usize {
        match self {
            Self::Itu => 5,
            Self::Ansi | Self::China => 8,
        }
    }
}

/// A message signal unit from its service information octet on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Msu<'a> {
    /// Network indicator, 2 bits.
    pub ni: u8,
    /// The two spare bits of the sub-service field: priority in national networks.
    pub priority: u8,
    /// Service indicator: 3 is SCCP.
    pub si: u8,
    /// Originating point code.
    pub opc: u32,
    /// Destination point code.
    pub dpc: u32,
    /// Signalling link selection.
    pub sls: u8,
    /// The user part.
    pub user_data: &'a [u8],
    /// Whose routing label it was read as.
    pub variant: Variant,
}

impl<'a> Msu<'a> {
    /// Reads a message with the routing label of `variant`.
    pub fn parse(bytes: &'a [u8], variant: Variant) -> Result<Self, Error> {
        let parsed = match variant {
            Variant::Itu => bytes.split_first_chunk().map(|(&[sio, l0, l1, l2, l3], user_data)| {
                let label = u32::from_le_bytes([l0, l1, l2, l3]);
                Self { sls: l3 >> 4, dpc: label & 0x3fff, opc: (label >> 14) & 0x3fff, ..Self::sio(sio, user_data, variant) }
            }),
            Variant::Ansi | Variant::China => {
                bytes.split_first_chunk().map(|(&[sio, d0, d1, d2, o0, o1, o2, s], user_data)| Self {
                    sls: if matches!(variant, Variant::China) { s & 0x0f } else { s },
                    dpc: u32::from_le_bytes([d0, d1, d2, 0]),
                    opc: u32::from_le_bytes([o0, o1, o2, 0]),
                    ..Self::sio(sio, user_data, variant)
                })
            }
        };
        parsed.ok_or_else(|| Error::new(Layer::Mtp3, 0, Why::truncated(variant.header_len(), bytes.len())))
    }

    const fn sio(sio: u8, user_data: &'a [u8], variant: Variant) -> Self {
        Self { ni: sio >> 6, priority: (sio >> 4) & 3, si: sio & 0x0f, opc: 0, dpc: 0, sls: 0, user_data, variant }
    }

    /// Appends the message. Fields too wide for the variant are cut to their bits.
    pub fn push(&self, out: &mut Vec<u8>) {
        out.push((self.ni & 3) << 6 | (self.priority & 3) << 4 | (self.si & 0x0f));
        match self.variant {
            Variant::Itu => {
                let label = self.dpc & 0x3fff | (self.opc & 0x3fff) << 14 | u32::from(self.sls & 0x0f) << 28;
                out.extend_from_slice(&label.to_le_bytes());
            }
            Variant::Ansi | Variant::China => {
                for code in [self.dpc, self.opc] {
                    let [c0, c1, c2, _] = code.to_le_bytes();
                    out.extend_from_slice(&[c0, c1, c2]);
                }
                out.push(if matches!(self.variant, Variant::China) { self.sls & 0x0f } else { self.sls });
            }
        }
        out.extend_from_slice(self.user_data);
    }
}

/// What a service indicator stands for, Q.704 §14.2.1.
pub const fn service_name(si: u8) -> &'static str {
    match si {
        0 => "MTP3 signalling network management",
        1 | 2 => "MTP3 signalling network testing",
        3 => "SCCP",
        4 => "TUP",
        5 => "ISUP",
        6 | 7 => "DUP",
        9 => "B-ISUP",
        10 => "satellite ISUP",
        12 => "AAL type 2",
        13 => "BICC",
        14 => "gateway control",
        _ => "other MTP3 user",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn itu_label_of_a_known_message() {
        // NI 2, SCCP; DPC 2057, OPC 4721, SLS 3: by hand, 2057 = 0x0809, 4721 = 0x1271.
        let bytes = [0x83, 0x09, 0x48, 0x9c, 0x34, b'u'];
        let msu = Msu::parse(&bytes, Variant::Itu).unwrap();
        let expected = Msu { ni: 2, priority: 0, si: 3, opc: 4721, dpc: 2057, sls: 3, user_data: b"u", variant: Variant::Itu };
        assert_eq!(msu, expected);
        let mut built = Vec::new();
        msu.push(&mut built);
        assert_eq!(built, bytes);
    }

    #[test]
    fn ansi_and_chinese_labels_have_codes_of_three_octets_least_significant_first() {
        // DPC 3-2-1 (network, cluster, member), OPC 6-5-4, SLS 0x1f; national network, priority 1.
        let bytes = [0x93, 1, 2, 3, 4, 5, 6, 0x1f, b'u'];
        let ansi = Msu::parse(&bytes, Variant::Ansi).unwrap();
        assert_eq!((ansi.ni, ansi.priority, ansi.si), (2, 1, 3));
        assert_eq!((ansi.dpc, ansi.opc, ansi.sls, ansi.user_data), (0x03_0201, 0x06_0504, 0x1f, &b"u"[..]));
        let china = Msu::parse(&bytes, Variant::China).unwrap();
        assert_eq!((china.dpc, china.opc, china.sls), (ansi.dpc, ansi.opc, 0x0f));
    }

    #[test]
    fn label_cut_anywhere_is_an_error() {
        for variant in [Variant::Itu, Variant::Ansi, Variant::China] {
            let whole = [0; 8];
            let len = variant.header_len();
            for end in 0..len {
                let error = Msu::parse(&whole[..end], variant).unwrap_err();
                assert_eq!(error, Error::new(Layer::Mtp3, 0, Why::truncated(len, end)));
            }
            assert_eq!(Msu::parse(&whole[..len], variant).unwrap().user_data, b"");
        }
    }

    #[test]
    fn each_service_has_its_name() {
        assert_eq!((service_name(3), service_name(5), service_name(8)), ("SCCP", "ISUP", "other MTP3 user"));
    }

    proptest! {
        #[test]
        fn what_is_built_reads_back(
            variant in prop::sample::select(vec![Variant::Itu, Variant::Ansi, Variant::China]), octets: (u8, u8), codes: (u32, u32),
            user_data in prop::collection::vec(any::<u8>(), 0..50)
        ) {
            let (mask, sls_mask) = match variant {
                Variant::Itu => (0x3fff, 0x0f),
                Variant::Ansi => (0x00ff_ffff, 0xff),
                Variant::China => (0x00ff_ffff, 0x0f),
            };
            let (sio, sls) = octets;
            let msu = Msu {
                ni: sio >> 6, priority: (sio >> 4) & 3, si: sio & 0x0f, opc: codes.0 & mask, dpc: codes.1 & mask, sls: sls & sls_mask,
                user_data: &user_data, variant,
            };
            let mut built = Vec::new();
            msu.push(&mut built);
            prop_assert_eq!(Msu::parse(&built, variant), Ok(msu));
        }
    }
}
