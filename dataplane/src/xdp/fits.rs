//! Whether ports can be one line: found before anything is taken.

use super::error::Error;
use super::port::Port;
use super::program::QUEUES;
use super::sockets::{Line, MTU, ROOM};

impl Line {
    /// Whether these ports can be one line; nothing is taken or changed.
    pub fn fits(ports: &[Port], forward: bool) -> Result<(), Error> {
        for port in ports {
            let (mtu, queues) = (port.mtu()?, port.queues().0);
            if mtu > MTU {
                let name = &port.name;
                return Err(Error::new(format_args!(
                    "{name}: MTU {mtu} is too large: a frame has to fit {ROOM} octets. `ip link set {name} mtu {MTU}`"
                )));
            }
            if queues > QUEUES {
                let name = &port.name;
                return Err(Error::new(format_args!(
                    "{name} has {queues} queues and {QUEUES} can be scanned; a frame of another queue would go by unscanned. \
                     `ethtool -L {name} combined {QUEUES}`"
                )));
            }
        }
        if let ([a, b], true) = (ports, forward) {
            let (a_mtu, b_mtu) = (a.mtu()?, b.mtu()?);
            if a_mtu != b_mtu {
                let (narrow, wide) = if a_mtu < b_mtu { (a, b) } else { (b, a) };
                return Err(Error::new(format_args!(
                    "{} has MTU {a_mtu} and {} {b_mtu}: what is longer than the smaller would end here. Give both the same: `ip link set {} \
                     mtu {}`",
                    a.name,
                    b.name,
                    narrow.name,
                    wide.mtu()?
                )));
            }
        }
        Ok(())
    }
}
