//! Which adaptation layer a user message holds: payload protocol identifier first, then port.

/// An adaptation layer of SIGTRAN that carries SCCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Adaptation {
    /// RFC 4666.
    M3ua,
    /// RFC 3331.
    M2ua,
    /// RFC 4165.
    M2pa,
    /// RFC 3868.
    Sua,
}

impl Adaptation {
    /// The name that records and counters hold.
    pub const fn name(self) -> &'static str {
        match self {
            Self::M3ua => "m3ua",
            Self::M2ua => "m2ua",
            Self::M2pa => "m2pa",
            Self::Sua => "sua",
        }
    }

    /// Its payload protocol identifier.
    pub const fn ppid(self) -> u32 {
        match self {
            Self::M2ua => 2,
            Self::M3ua => 3,
            Self::Sua => 4,
            Self::M2pa => 5,
        }
    }

    /// Its registered port.
    pub const fn port(self) -> u16 {
        match self {
            Self::M2ua => 2904,
            Self::M3ua => 2905,
            Self::M2pa => 3565,
            Self::Sua => 14001,
        }
    }

    const fn of_ppid(ppid: u32) -> Option<Self> {
        match ppid {
            2 => Some(Self::M2ua),
            3 => Some(Self::M3ua),
            4 => Some(Self::Sua),
            5 => Some(Self::M2pa),
            _ => None,
        }
    }

    const fn of_port(port: u16) -> Option<Self> {
        match port {
            2904 => Some(Self::M2ua),
            2905 => Some(Self::M3ua),
            3565 => Some(Self::M2pa),
            14001 => Some(Self::Sua),
            _ => None,
        }
    }
}

/// The adaptation layer of a user message.
///
/// Some stacks send the identifier in host order, so it is read both ways. Zero and numbers that name no application known here fall
/// back on the ports, the destination's first: receivers rarely look at the identifier.
#[inline]
pub fn adaptation(ppid: u32, source_port: u16, destination_port: u16) -> Option<Adaptation> {
    match Adaptation::of_ppid(ppid) {
        Some(named) => Some(named),
        None => otherwise(ppid, source_port, destination_port),
    }
}

#[inline(never)]
fn otherwise(ppid: u32, source_port: u16, destination_port: u16) -> Option<Adaptation> {
    let named = Adaptation::of_ppid(ppid.swap_bytes());
    let other = ppid_name(ppid).or_else(|| ppid_name(ppid.swap_bytes()));
    if named.is_some() || other.is_some() {
        return named;
    }
    adaptation_of_ports(source_port, destination_port)
}

/// The adaptation layer whose registered port one of these is, the destination's first.
const fn adaptation_of_ports(source_port: u16, destination_port: u16) -> Option<Adaptation> {
    match Adaptation::of_port(destination_port) {
        None => Adaptation::of_port(source_port),
        named => named,
    }
}

/// What a payload protocol identifier stands for in IANA's registry, of those seen beside SIGTRAN.
pub const fn ppid_name(ppid: u32) -> Option<&'static str> {
    Some(match ppid {
        1 => "IUA",
        2 => "M2UA",
        3 => "M3UA",
        4 => "SUA",
        5 => "M2PA",
        6 => "V5UA",
        7 => "H.248",
        8 => "BICC",
        10 => "DUA",
        18 => "S1AP",
        19 => "RUA",
        20 => "HNBAP",
        21..=23 => "ForCES",
        24 => "SBc-AP",
        25 => "NBAP",
        27 => "X2AP",
        29 => "LCS-AP",
        31 => "SABP",
        46 => "Diameter",
        47 => "Diameter in DTLS",
        50 | 51 | 53..=57 => "WebRTC",
        60 => "NGAP",
        61 => "XnAP",
        62 => "F1AP",
        _ => return None,
    })
}
