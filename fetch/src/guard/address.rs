//! Addresses that nobody may be sent to. IANA's special-purpose registries (RFC 6890 and its updates), and what cloud hosts add.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, len: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), len)
}

const fn v6(head: [u16; 4], len: u8) -> Ipv6Net {
    let [a, b, c, d] = head;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), len)
}

/// IPv4: what is not listed is the Internet. The more telling name stands first.
const V4: [(Ipv4Net, &str); 22] = [
    (v4(169, 254, 169, 254, 32), "metadata of a cloud host"),
    (v4(100, 100, 100, 200, 32), "metadata of a cloud host"),
    (v4(168, 63, 129, 16, 32), "metadata of a cloud host"),
    (v4(192, 0, 0, 192, 32), "metadata of a cloud host"),
    (v4(0, 0, 0, 0, 8), "this network"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "shared behind a carrier's NAT"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "protocol assignments"),
    (v4(192, 0, 2, 0, 24), "documentation"),
    (v4(192, 31, 196, 0, 24), "AS112"),
    (v4(192, 52, 193, 0, 24), "automatic multicast tunnels"),
    (v4(192, 88, 99, 0, 24), "6to4 relays"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(192, 175, 48, 0, 24), "AS112"),
    (v4(198, 18, 0, 0, 15), "benchmarks"),
    (v4(198, 51, 100, 0, 24), "documentation"),
    (v4(203, 0, 113, 0, 24), "documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(240, 0, 0, 0, 4), "reserved or broadcast"),
];

/// IPv6: only 2000::/3 is the Internet at all; what is listed outside of it has its name from here.
const V6: [(Ipv6Net, &str); 19] = [
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "loopback"),
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), "no address"),
    (Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), "IPv4, mapped"),
    (Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96), "IPv4, translated"),
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 96), "IPv4, compatible"),
    (v6([0x64, 0xff9b, 0, 0], 96), "NAT64"),
    (v6([0x64, 0xff9b, 1, 0], 48), "local NAT64"),
    (v6([0x100, 0, 0, 0], 64), "discarded"),
    (v6([0xfd00, 0xec2, 0, 0], 64), "metadata of a cloud host"),
    (v6([0xfc00, 0, 0, 0], 7), "private (unique local)"),
    (v6([0xfe80, 0, 0, 0], 10), "link-local"),
    (v6([0xfec0, 0, 0, 0], 10), "site-local"),
    (v6([0xff00, 0, 0, 0], 8), "multicast"),
    (v6([0x2001, 0, 0, 0], 32), "Teredo"),
    (v6([0x2001, 0, 0, 0], 23), "protocol assignments"),
    (v6([0x2001, 0xdb8, 0, 0], 32), "documentation"),
    (v6([0x2002, 0, 0, 0], 16), "6to4"),
    (v6([0x2620, 0x4f, 0x8000, 0], 48), "AS112"),
    (v6([0x3fff, 0, 0, 0], 20), "documentation"),
];

const INTERNET: Ipv6Net = v6([0x2000, 0, 0, 0], 3);

/// What this address is, if it is not simply the Internet.
pub fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => V4.iter().find(|(net, _)| net.contains(&address)).map(|(_, name)| *name),
        IpAddr::V6(address) => match V6.iter().find(|(net, _)| net.contains(&address)) {
            Some((_, name)) => Some(name),
            None if !INTERNET.contains(&address) => Some("outside of the Internet's range"),
            None => None,
        },
    }
}

/// Which addresses may be reached: the Internet, without those that the operator forbids and those of this machine.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The operator's own networks, never reached.
    pub forbidden: Vec<IpNet>,
    /// Reached in spite of being special or our own. For a laboratory: whoever names one opens it to everybody who can make a link.
    pub dangerously_allowed: Vec<IpNet>,
}

impl Rules {
    /// Why this address may not be reached. `ours` are the addresses of this machine's interfaces.
    pub fn why_not(&self, address: IpAddr, ours: &[IpAddr]) -> Option<&'static str> {
        if self.forbidden.iter().any(|net| net.contains(&address)) {
            return Some("forbidden by the operator");
        }
        if self.dangerously_allowed.iter().any(|net| net.contains(&address)) {
            return None;
        }
        special(address).or_else(|| ours.contains(&address).then_some("an address of this machine"))
    }
}

/// The addresses of this machine's interfaces, as they are now.
pub fn ours() -> std::io::Result<Vec<IpAddr>> {
    Ok(if_addrs::get_if_addrs()?.iter().map(if_addrs::Interface::ip).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_range_is_named_and_its_neighbours_are_not() {
        let named = [
            ("0.1.2.3", "this network"),
            ("10.255.255.255", "private"),
            ("100.64.0.0", "shared behind a carrier's NAT"),
            ("100.127.255.255", "shared behind a carrier's NAT"),
            ("100.100.100.200", "metadata of a cloud host"),
            ("127.8.8.8", "loopback"),
            ("168.63.129.16", "metadata of a cloud host"),
            ("169.254.169.254", "metadata of a cloud host"),
            ("169.254.0.1", "link-local"),
            ("172.31.255.255", "private"),
            ("192.0.0.8", "protocol assignments"),
            ("192.88.99.1", "6to4 relays"),
            ("192.168.0.1", "private"),
            ("198.19.255.255", "benchmarks"),
            ("203.0.113.7", "documentation"),
            ("239.255.255.255", "multicast"),
            ("255.255.255.255", "reserved or broadcast"),
            ("::", "no address"),
            ("::1", "loopback"),
            ("::7f00:1", "IPv4, compatible"),
            ("::ffff:8.8.8.8", "IPv4, mapped"),
            ("::ffff:0:8.8.8.8", "IPv4, translated"),
            ("64:ff9b::8.8.8.8", "NAT64"),
            ("64:ff9b:1::a00:1", "local NAT64"),
            ("100::1", "discarded"),
            ("2001::1", "Teredo"),
            ("2001:2::1", "protocol assignments"),
            ("2001:db8::1", "documentation"),
            ("2002:7f00:1::", "6to4"),
            ("3fff::1", "documentation"),
            ("fd00:ec2::254", "metadata of a cloud host"),
            ("fd12::1", "private (unique local)"),
            ("fe80::1", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
            ("4000::1", "outside of the Internet's range"),
            ("5f00::1", "outside of the Internet's range"),
        ];
        for (address, name) in named {
            assert_eq!(special(address.parse().unwrap()), Some(name), "{address}");
        }
        let internet = [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2000::1",
            "2001:200::1",
            "2003::1",
            "2606:4700::1111",
            "3ffe::1",
            "3fff:1000::1",
        ];
        for address in internet {
            assert_eq!(special(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn the_operator_forbids_first_and_a_laboratory_opens_only_what_it_names() {
        let rules = Rules {
            forbidden: vec!["9.9.9.0/24".parse().unwrap()],
            dangerously_allowed: vec!["127.0.0.1/32".parse().unwrap(), "9.9.0.0/16".parse().unwrap()],
        };
        let why = |address: &str| rules.why_not(address.parse().unwrap(), &["11.1.1.1".parse().unwrap()]);
        assert_eq!(why("9.9.9.9"), Some("forbidden by the operator"));
        assert_eq!(why("127.0.0.1"), None);
        assert_eq!(why("127.0.0.2"), Some("loopback"));
        assert_eq!(why("11.1.1.1"), Some("an address of this machine"));
        assert_eq!(why("11.1.1.2"), None);
    }

    #[test]
    fn this_machine_knows_its_own_addresses() {
        assert!(ours().unwrap().contains(&"127.0.0.1".parse().unwrap()));
    }
}
