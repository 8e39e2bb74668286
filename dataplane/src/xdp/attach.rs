//! The program on an interface: by a link that is pinned and updated, or by a new one.

use std::fs;
use std::io;

use aya::programs::ProgramError;
use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::xdp::{XdpLink, XdpMode};

use super::bpffs::link_pin;
use super::error::{Error, chain};
use super::port::{Port, name_of};
use super::program::{Program, xdp};
use super::stale::leads_to;

/// How the program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the driver.
    Native,
    /// In the stack, with a copy of each frame: the driver knows no XDP.
    Generic,
}

impl Mode {
    /// The name people know.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native XDP",
            Self::Generic => "generic XDP (the driver has no native one)",
        }
    }
}

/// What attaching did.
#[derive(Clone, Debug)]
pub struct Attached {
    /// How; `None` where a link that was there was updated.
    pub mode: Option<Mode>,
    /// The link that was pinned for it led to another interface, which this is: it is off that one.
    pub strayed: Option<String>,
}

impl Program {
    /// Puts the program on an interface: the pinned link is updated, or a new one made and pinned.
    pub fn attach(&mut self, port: &Port) -> Result<Attached, Error> {
        let path = self.dir.join(link_pin(&port.name));
        let program = xdp(&mut self.bpf)?;
        let mut strayed = None;
        if let Ok(link) = PinnedLink::from_pin(&path) {
            let leads = leads_to(&path);
            let link = XdpLink::try_from(FdLink::from(link));
            if leads.is_none_or(|index| index == port.index)
                && let Some(id) = link.ok().and_then(|link| program.attach_to_link(link).ok())
            {
                // The pin keeps it; that our own handle closes changes nothing.
                drop(program.take_link(id));
                return Ok(Attached { mode: None, strayed });
            }
            // The interface was removed and made anew, so that the link leads nowhere, or was renamed, and another has its name now.
            strayed = leads.filter(|&index| index != 0).map(|index| name_of(index).unwrap_or_else(|| index.to_string()));
            let _ = fs::remove_file(&path);
        }
        let (id, mode) = match program.attach_to_if_index(port.index, XdpMode::Driver) {
            Ok(id) => (id, Mode::Native),
            Err(error) => match program.attach_to_if_index(port.index, XdpMode::Skb) {
                Ok(id) if errno(&error) == Some(libc::EOPNOTSUPP) => (id, Mode::Generic),
                _ => return Err(refused(port, &error)),
            },
        };
        let link = program.take_link(id).map_err(|error| refused(port, &error))?;
        let link = FdLink::try_from(link).map_err(|_| Error::new("this kernel has no links for XDP: 5.15 or later is needed"))?;
        let failed = |error| Error::new(format_args!("cannot pin the link of {}: {}", port.name, chain(&error)));
        link.pin(&path).map_err(failed)?;
        self.made.push(path);
        Ok(Attached { mode: Some(mode), strayed })
    }
}

fn errno(error: &(dyn std::error::Error + 'static)) -> Option<i32> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(code) = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return Some(code);
        }
        next = error.source();
    }
    None
}

fn refused(port: &Port, error: &ProgramError) -> Error {
    let name = &port.name;
    match errno(error) {
        // A generic one is there already, where a native one would have been busy.
        Some(libc::EBUSY | libc::EEXIST) => Error::new(format_args!(
            "{name} has an XDP program of somebody else (`ip link show {name}`, `bpftool net`): it stays; take it off first"
        )),
        Some(libc::ERANGE | libc::EINVAL) => Error::new(format_args!(
            "{name}: its driver takes no XDP program at this MTU, or with receive offloads that join frames: lower the MTU, or \
             `ethtool -K {name} lro off`"
        )),
        _ => Error::new(format_args!("cannot attach to {name}: {}", chain(error))),
    }
}
