//! The program on an interface: by a link that is pinned and updated, or by a new one.

use std::fs;
use std::path::{Path, PathBuf};

use aya::programs::ProgramError;
use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::xdp::{XdpLink, XdpMode};

use super::bpffs::{link_pin, pinned_as};
use super::error::{Error, chain, errno};
use super::port::{Port, name_of};
use super::program::{Program, pins, xdp};
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

/// Begins the name of a pinned link on its way to another name.
const MOVED: &str = "moved-";

impl Program {
    /// Gives each port the pinned link that leads to it, where ports had one another's names when they were pinned.
    pub fn straighten<'p>(&self, ports: impl Iterator<Item = &'p Port>) -> Result<(), Error> {
        let files = fs::read_dir(&self.dir).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
        let links: Vec<(PathBuf, u32)> = files.filter_map(|path| leads_to(&path).map(|index| (path, index))).collect();
        let mut moved = Vec::new();
        for port in ports {
            let path = self.dir.join(link_pin(&port.name));
            let here = || links.iter().filter(|(_, index)| *index == port.index);
            if let Some((link, _)) = here().next()
                && here().all(|(link, _)| *link != path)
            {
                let on_its_way = self.dir.join(format!("{MOVED}{}", pinned_as(&port.name)));
                moved.push((link, on_its_way, path));
            }
        }
        let rename = |from: &Path, to: &Path| {
            let failed = |error| Error::within(&self.dir, format_args!("name {} anew", from.display()), &error);
            if from == to { Ok(()) } else { fs::rename(from, to).map_err(failed) }
        };
        // All are out of the way before one is where another was.
        moved.iter().try_for_each(|(link, on_its_way, _)| rename(link, on_its_way))?;
        moved.iter().try_for_each(|(_, on_its_way, path)| rename(on_its_way, path))
    }

    /// Puts the program on an interface: the pinned link is updated, or a new one made and pinned.
    pub fn attach(&mut self, port: &Port) -> Result<Attached, Error> {
        let path = self.dir.join(link_pin(&port.name));
        let program = xdp(&mut self.bpf)?;
        let mut strayed = None;
        if let Ok(link) = PinnedLink::from_pin(&path) {
            let leads = leads_to(&path);
            if leads.is_none_or(|index| index == port.index)
                && let Ok(link) = XdpLink::try_from(FdLink::from(link))
            {
                match program.attach_to_link(link) {
                    Ok(id) => {
                        // The pin keeps it; that our own handle closes changes nothing.
                        drop(program.take_link(id));
                        return Ok(Attached { mode: None, strayed });
                    }
                    // The link is on this port: one that is made anew would find it there.
                    Err(error) if leads.is_some() => return Err(refused(port, &error)),
                    Err(_) => {}
                }
            }
            // The interface was removed and made anew, so that the link leads nowhere, or was renamed, and another has its name now.
            strayed = leads.filter(|&index| index != 0).map(|index| name_of(index).unwrap_or_else(|| index.to_string()));
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
        // What leads elsewhere stays until there is something in its place.
        let _ = fs::remove_file(&path);
        let failed = |error| Error::new(format_args!("cannot pin the link of {}: {}", port.name, chain(&error)));
        link.pin(&path).map_err(failed)?;
        self.made.push(path);
        Ok(Attached { mode: Some(mode), strayed })
    }

    /// Whether it is on an interface: nothing but its pinned link keeps it there.
    pub fn is_on(&self, port: &Port) -> bool {
        let path = self.dir.join(link_pin(&port.name));
        leads_to(&path).map_or_else(|| path.exists(), |index| index == port.index)
    }

    /// Puts it back on an interface that has lost it. Where all that was pinned is gone the filter was taken off for good.
    pub fn attach_again(&mut self, port: &Port) -> Result<(), Error> {
        if !self.dir.exists() {
            return Err(Error::new(format_args!("{} is gone", self.dir.display())));
        }
        self.attach(port).map(drop)
    }
}

/// The filter of this network namespace that has a link on this interface, whatever the link is named.
fn pinned_on(index: u32) -> Option<String> {
    let here = format!("@{}", super::namespace().ok()?);
    let files = |dir: &Path| fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let dir = files(&pins(""))
        .filter(|dir| dir.to_string_lossy().ends_with(&here))
        .find(|dir| files(dir).any(|file| leads_to(&file) == Some(index)))?;
    Some(dir.file_name()?.to_string_lossy().into_owned())
}

fn refused(port: &Port, error: &ProgramError) -> Error {
    let name = &port.name;
    match errno(error) {
        Some(libc::EBUSY | libc::EEXIST) if let Some(other) = pinned_on(port.index) => Error::new(format_args!(
            "{name} has the XDP program of the filter that is pinned as {other}, by a name that it had then: `--remove` with the interfaces of \
             that filter takes it off"
        )),
        // A generic one is there already, where a native one would have been busy.
        Some(libc::EBUSY | libc::EEXIST) => Error::new(format_args!(
            "{name} has an XDP program of somebody else (`ip link show {name}`, `bpftool net`): it stays; take it off first"
        )),
        Some(libc::ERANGE | libc::EINVAL) => Error::new(format_args!(
            "{name}: its driver takes no XDP program at this MTU, or with receive offloads that join frames: lower the MTU, or \
             `ethtool -K {name} lro off`"
        )),
        Some(libc::ENOSPC) => Error::new(format_args!(
            "{name} has too few queues for an XDP program (a veth: fewer to receive than its peer has to transmit): more to receive by \
             `ethtool -L {name} rx N`, or fewer to transmit at its peer"
        )),
        _ => Error::new(format_args!("cannot attach to {name}: {}", chain(error))),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::io;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;
    use crate::xdp::alone;

    const PROG_LOAD: i32 = 5;
    const OBJ_PIN: i32 = 6;
    const LINK_CREATE: i32 = 28;
    const PROG_TYPE_XDP: u64 = 6;
    const ATTACH_XDP: u64 = 37;

    /// `bpf(2)` with the words of its attributes, and what it returns.
    fn bpf(command: i32, attributes: &[u64]) -> u64 {
        // SAFETY: the kernel reads as many octets as it is told; what they point to lives through the call.
        let done = unsafe { libc::syscall(libc::SYS_bpf, command, attributes.as_ptr(), size_of_val(attributes)) };
        u64::try_from(done).unwrap_or_else(|_| panic!("{command}: {}", io::Error::last_os_error()))
    }

    /// Pins a link on an interface whose program was loaded for no type of attachment: one that was loaded for XDP cannot take its place.
    fn pin_other(index: u32, path: &Path) {
        // r0 = XDP_PASS; exit.
        let (code, path) = ([0x2_0000_00b7_u64, 0x95], CString::new(path.as_os_str().as_bytes()).unwrap());
        let program = bpf(PROG_LOAD, &[PROG_TYPE_XDP | 2 << 32, code.as_ptr() as u64, c"".as_ptr() as u64, 0, 0, 0]);
        let link = bpf(LINK_CREATE, &[program | u64::from(index) << 32, ATTACH_XDP]);
        bpf(OBJ_PIN, &[path.as_ptr() as u64, link]);
    }

    #[test]
    fn why_the_link_of_this_very_port_is_not_updated_is_said_and_no_other_name_is_given_as_the_cause() {
        alone::between("update", |name| {
            let (mut program, port) = (Program::load(name).unwrap(), Port::open("v0").unwrap());
            pin_other(port.index, &program.dir.join(link_pin("v0")));
            let error = program.attach(&port).unwrap_err().to_string();
            assert!(error.contains("v0: its driver takes no XDP program") && !error.contains("--remove"), "{error}");
        });
    }
}
