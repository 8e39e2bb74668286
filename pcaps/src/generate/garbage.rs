//! Frames that are no short message: other protocols, damage, nonsense. Each carries a comment that says what it is.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

use protocols::link::build::{ethernet, udp};
use protocols::{m3ua, sccp, sctp};

use super::network::{M3UA, Network};
use super::rng::Rng;
use super::wire::unit;

const UDP: u8 = 17;
const SCTP: u8 = 132;
/// Diameter in SCTP.
const DIAMETER: u32 = 46;
const ISUP: u8 = 5;

impl<W: Write> Network<W> {
    /// Writes one such frame at `now`.
    pub(super) fn garbage(&mut self, now: u64, rng: &mut Rng) -> io::Result<()> {
        let outward = rng.chance(0.5);
        let nonsense: Vec<u8> = (0..rng.between(8, 120)).flat_map(|_| rng.next().to_le_bytes().first().copied()).collect();
        match rng.below(9) {
            0 => {
                let mut frame = Vec::new();
                ethernet(&mut frame, [0xff; 6], [2, 0, 0, 0, 0, 1], &[], 0x0806);
                // Who has 192.0.2.1? Tell 192.0.2.9 (RFC 826).
                frame
                    .extend_from_slice(&[0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 192, 0, 2, 9, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1]);
                self.emit(now, outward, &mut frame, Some("garbage: ARP"))
            }
            1 => {
                let of = |host| IpAddr::V4(Ipv4Addr::new(192, 0, 2, host));
                let mut datagram = Vec::new();
                // The addresses are those of the first association: the sum covers them.
                let (near, far) = (of(1), IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)));
                let addresses = if outward { (near, far) } else { (far, near) };
                let made = udp(&mut datagram, addresses, (5_060, 40_000), &nonsense);
                debug_assert!(made.is_some(), "shorter than a datagram");
                self.datagram(now, 0, outward, UDP, &datagram, Some("garbage: UDP"))
            }
            2 => {
                let mut packet = Vec::new();
                let mut builder = sctp::Builder::new(&mut packet, 2_905, 2_905, 1);
                builder.heartbeat(rng.next());
                builder.finish();
                if let Some(octet) = packet.get_mut(9) {
                    *octet ^= 0x5a;
                }
                self.datagram(now, 0, outward, SCTP, &packet, Some("garbage: SCTP with a wrong checksum"))
            }
            3 => {
                let mut packet = Vec::new();
                let mut builder = sctp::Builder::new(&mut packet, 2_905, 2_905, 1);
                let _fits = builder.chunk(sctp::kind::DATA, 3, &[&[0; 12], &nonsense]);
                builder.finish();
                if let Some(octet) = packet.get_mut(sctp::HEADER_LEN + 2) {
                    *octet = 0x7f;
                }
                sctp::seal(&mut packet);
                self.datagram(now, 0, outward, SCTP, &packet, Some("garbage: a DATA chunk longer than its packet"))
            }
            4 => self.data(now, 1, outward, M3UA, nonsense, "garbage: nonsense where M3UA should be"),
            5 => self.data(now, 1, outward, DIAMETER, nonsense, "garbage: nonsense where Diameter should be"),
            6 => {
                self.data(now, 2, outward, M3UA, unit(4_721, 2_057, 1, ISUP, &nonsense), "garbage: nonsense where ISUP should be")
            }
            7 => {
                let mut beat = Vec::new();
                // BEAT, RFC 4666 §3.5.5: Heartbeat Data is parameter 9.
                m3ua::push_management(&mut beat, 3, 3, &[(9, &nonsense)]);
                self.data(now, 3, outward, M3UA, beat, "garbage: M3UA heartbeat")
            }
            _ => {
                // A Begin that says it is longer than it is.
                let tcap = [&[0x62, 0x81, 0xff, 0x48, 4][..], &nonsense].concat();
                let (mut address, mut udt) = (Vec::new(), Vec::new());
                sccp::Address::push_e164(&mut address, "15550100001", 8);
                let made = sccp::push_udt(&mut udt, 0, false, &address, &address, &tcap);
                debug_assert!(made.is_some(), "shorter than a unitdata");
                self.data(now, 3, outward, M3UA, unit(4_721, 2_057, 1, 3, &udt), "garbage: a TCAP Begin that ends early")
            }
        }
    }
}
