//! The XDP program and its maps: loaded, pinned, attached by a link that is updated and never detached.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd as _, RawFd};
use std::path::{Path, PathBuf};

use aya::maps::lpm_trie::{Key, LpmTrie};
use aya::maps::xdp::DevMap;
use aya::maps::{Array, HashMap, Map, MapData, PerCpuArray, XskMap};
use aya::programs::Xdp;
use aya::{Ebpf, EbpfLoader};

use super::bpffs::bpffs;
use super::error::{Error, chain};
use super::port::Port;
use super::record::Records;
use crate::world::{LISTED_PORTS, LISTED_PREFIXES, masked};

/// Version of the maps' layout: part of where they are pinned, so that two versions never share one.
pub const ABI: &str = "1";
/// Ports that one program serves.
const PORTS: u32 = 16;
/// Queues of one port.
pub const QUEUES: u32 = 64;
/// Ways that a frame may go in the kernel.
pub const CAUSES: usize = 8;

/// The object that clang made.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/ztsms.bpf.o"));

const MAPS: [&str; 10] = [
    "ports",
    "settings",
    "sockets",
    "peers",
    "queues",
    "counters",
    "udp_ports",
    "only_ports",
    "only_prefixes4",
    "only_prefixes6",
];

/// What became of a frame in the kernel, in the program's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Cause {
    /// Handed to the socket of its queue.
    ToSocket,
    /// No SCTP, or outside the lists of ports and prefixes.
    NotOurs,
    /// For us, and no socket is bound.
    NoSocket,
    /// For us, and the worker's heartbeat is too old.
    Stale,
    /// For us, and the worker has no room.
    NoCredit,
    /// For us, and longer than a chunk.
    TooLong,
    /// Of those four: dropped, since the filter fails closed.
    Closed,
    /// Kept free.
    Unused,
}

impl Cause {
    /// All, in the program's order.
    pub const ALL: [Self; CAUSES] =
        [Self::ToSocket, Self::NotOurs, Self::NoSocket, Self::Stale, Self::NoCredit, Self::TooLong, Self::Closed, Self::Unused];

    /// The name in counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ToSocket => "to socket",
            Self::NotOurs => "not ours",
            Self::NoSocket => "no socket",
            Self::Stale => "heartbeat too old",
            Self::NoCredit => "no credit",
            Self::TooLong => "too long",
            Self::Closed => "dropped, fail closed",
            Self::Unused => "unused",
        }
    }

    /// Whether a frame that was for us went by, or was dropped, unscanned.
    pub const fn is_unscanned(self) -> bool {
        matches!(self, Self::NoSocket | Self::Stale | Self::NoCredit | Self::TooLong)
    }
}

/// What the program is told. Changeable while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// A worker whose heartbeat is older is passed by.
    pub heartbeat_ns: u64,
    /// Unscanned frames are dropped and not passed.
    pub fail_closed: bool,
    /// UDP ports that carry SCTP (RFC 6951).
    pub udp_ports: Vec<u16>,
    /// Only SCTP with one of these ports; empty: any.
    pub only_ports: Vec<u16>,
    /// Only SCTP from or to one of these prefixes; empty: any.
    pub only_prefixes: Vec<(IpAddr, u8)>,
}

impl Default for Settings {
    fn default() -> Self {
        let heartbeat_ns = 50_000_000;
        Self { heartbeat_ns, fail_closed: false, udp_ports: Vec::new(), only_ports: Vec::new(), only_prefixes: Vec::new() }
    }
}

/// `struct settings` of the program.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawSettings {
    heartbeat_ns: u64,
    fail_closed: u32,
    max_len: u32,
    by_port: u32,
    by_prefix: u32,
}

/// `struct port` of the program.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawPort {
    index: u32,
    peer: u32,
}

// SAFETY: integers without padding between or behind them, for which any octets are a value.
unsafe impl aya::Pod for RawSettings {}
// SAFETY: as above.
unsafe impl aya::Pod for RawPort {}

/// Where a port's other frames go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// To the port of this number.
    Port(u32),
    /// To the system's own network stack: a tap.
    Stack,
}

/// Where everything of the filter `name` is pinned.
pub fn pins(name: &str) -> PathBuf {
    Path::new("/sys/fs/bpf/ztsms").join(ABI).join(name)
}

/// The program, loaded.
pub struct Program {
    pub(super) bpf: Ebpf,
    pub(super) dir: PathBuf,
    /// Links that this process made: taken back where the start fails.
    pub(super) made: Vec<PathBuf>,
    /// Whether the pins were made by this process.
    fresh: bool,
}

impl Program {
    /// Loads the program over the maps that are pinned for `name`, or over new ones.
    pub fn load(name: &str) -> Result<Self, Error> {
        bpffs()?;
        let dir = pins(name);
        let fresh = !dir.join("queues").exists();
        fs::create_dir_all(&dir).map_err(|error| Error::within(&dir, format_args!("make {}", dir.display()), &error))?;
        let mut loader = EbpfLoader::new();
        for map in MAPS {
            loader.map_pin_path(map, dir.join(map));
        }
        let failed = |error: &dyn std::error::Error| Error::new(format_args!("cannot load the XDP program: {}", chain(error)));
        let loaded = loader.load(OBJECT).map_err(|error| failed(&error)).and_then(|mut bpf| {
            xdp(&mut bpf)?.load().map_err(|error| failed(&error))?;
            Ok(bpf)
        });
        match loaded {
            Ok(bpf) => Ok(Self { bpf, dir, made: Vec::new(), fresh }),
            Err(error) => {
                if fresh {
                    let _ = fs::remove_dir_all(&dir);
                }
                Err(error)
            }
        }
    }

    /// Whether links and maps of an earlier run were there.
    pub const fn is_fresh(&self) -> bool {
        self.fresh
    }

    fn map<'a, T: TryFrom<&'a mut Map>>(&'a mut self, name: &'static str) -> Result<T, Error> {
        let map = self.bpf.map_mut(name).and_then(|map| T::try_from(map).ok());
        map.ok_or_else(|| Error::new(format_args!("the XDP program has no map `{name}` of the kind expected")))
    }

    /// Tells the program how to act. Whole lists are replaced entry by entry: what stays is never absent. A list that does not fit changes
    /// nothing.
    pub fn set(&mut self, settings: &Settings, max_len: u32) -> Result<(), Error> {
        fits(settings)?;
        // A list that becomes empty names nothing while it is emptied, and nothing would be ours: that it counts ends first.
        let before: Array<_, RawSettings> = self.map("settings")?;
        if let Ok(mut raw) = before.get(&0, 0)
            && raw.heartbeat_ns != 0
        {
            raw.by_port &= u32::from(!settings.only_ports.is_empty());
            raw.by_prefix &= u32::from(!settings.only_prefixes.is_empty());
            self.write(raw)?;
        }
        self.ports("only_ports", &settings.only_ports)?;
        self.ports("udp_ports", &settings.udp_ports)?;
        self.prefixes::<4>("only_prefixes4", settings)?;
        self.prefixes::<16>("only_prefixes6", settings)?;
        let raw = RawSettings {
            heartbeat_ns: settings.heartbeat_ns,
            fail_closed: u32::from(settings.fail_closed),
            max_len,
            by_port: u32::from(!settings.only_ports.is_empty()),
            by_prefix: u32::from(!settings.only_prefixes.is_empty()),
        };
        self.write(raw)
    }

    fn write(&mut self, raw: RawSettings) -> Result<(), Error> {
        let mut map: Array<_, RawSettings> = self.map("settings")?;
        map.set(0, raw, 0).map_err(|error| Error::new(format_args!("cannot write the program's settings: {}", chain(&error))))
    }

    fn ports(&mut self, name: &'static str, ports: &[u16]) -> Result<(), Error> {
        let failed = |error: &dyn std::error::Error| Error::new(format_args!("cannot write the list of ports: {}", chain(error)));
        let mut map: HashMap<_, u16, u8> = self.map(name)?;
        let wanted: Vec<u16> = ports.iter().map(|port| port.to_be()).collect();
        let old: Vec<u16> = map.keys().filter_map(Result::ok).filter(|port| !wanted.contains(port)).collect();
        // New ones first, so that there is no moment without any; where both do not fit at once, the old ones go first.
        let remove_first = old.len() + wanted.len() > LISTED_PORTS;
        if remove_first {
            old.iter().try_for_each(|port| map.remove(port)).map_err(|error| failed(&error))?;
        }
        wanted.iter().try_for_each(|port| map.insert(port, 1, 0)).map_err(|error| failed(&error))?;
        if remove_first { Ok(()) } else { old.iter().try_for_each(|port| map.remove(port)).map_err(|error| failed(&error)) }
    }

    fn prefixes<const N: usize>(&mut self, name: &'static str, settings: &Settings) -> Result<(), Error>
    where
        [u8; N]: aya::Pod,
    {
        let failed =
            |error: &dyn std::error::Error| Error::new(format_args!("cannot write the list of prefixes: {}", chain(error)));
        let octets = |address: &IpAddr| match address {
            IpAddr::V4(v4) => <[u8; N]>::try_from(v4.octets().as_slice()).ok(),
            IpAddr::V6(v6) => <[u8; N]>::try_from(v6.octets().as_slice()).ok(),
        };
        // The kernel has one place for all that are the same within their bits: what is one there is to be one here.
        let wanted: Vec<([u8; N], u32)> = settings
            .only_prefixes
            .iter()
            .filter_map(|(address, bits)| Some((masked(octets(address)?, (*bits).into()), u32::from(*bits))))
            .collect();
        let mut map: LpmTrie<_, [u8; N], u8> = self.map(name)?;
        let is_wanted = |key: &Key<[u8; N]>| wanted.contains(&(masked(key.data(), key.prefix_len()), key.prefix_len()));
        let old: Vec<Key<[u8; N]>> = map.keys().filter_map(Result::ok).filter(|key| !is_wanted(key)).collect();
        let remove_first = old.len() + wanted.len() > LISTED_PREFIXES;
        if remove_first {
            old.iter().try_for_each(|key| map.remove(key)).map_err(|error| failed(&error))?;
        }
        for (address, bits) in &wanted {
            map.insert(&Key::new(*bits, *address), 1, 0).map_err(|error| failed(&error))?;
        }
        if remove_first { Ok(()) } else { old.iter().try_for_each(|key| map.remove(key)).map_err(|error| failed(&error)) }
    }

    /// Forgets interfaces that are no ports any more: one that was removed and made anew has another index.
    pub fn forget_others(&mut self, indexes: &[u32]) -> Result<(), Error> {
        let failed = |error| Error::new(format_args!("cannot forget ports that are gone: {}", chain(&error)));
        let mut ports: HashMap<_, u32, RawPort> = self.map("ports")?;
        let gone: Vec<u32> = ports.keys().filter_map(Result::ok).filter(|index| !indexes.contains(index)).collect();
        gone.iter().try_for_each(|index| ports.remove(index)).map_err(failed)
    }

    /// Port `number` is this interface.
    pub fn port(&mut self, number: u32, port: &Port, peer: Peer) -> Result<(), Error> {
        let failed =
            |error: &dyn std::error::Error| Error::new(format_args!("cannot set up port {}: {}", port.name, chain(error)));
        if number >= PORTS {
            return Err(Error::new(format_args!("more than {PORTS} ports")));
        }
        let mut peers: DevMap<_> = self.map("peers")?;
        peers.set(number, port.index, None, 0).map_err(|error| failed(&error))?;
        let peer = match peer {
            Peer::Port(other) => other,
            Peer::Stack => PORTS,
        };
        let mut ports: HashMap<_, u32, RawPort> = self.map("ports")?;
        ports.insert(port.index, RawPort { index: number, peer }, 0).map_err(|error| failed(&error))
    }

    /// Pins the program itself, for whoever looks.
    pub fn pin(&mut self) -> Result<(), Error> {
        let path = self.dir.join("program");
        let _ = fs::remove_file(&path);
        xdp(&mut self.bpf)?.pin(&path).map_err(|error| Error::new(format_args!("cannot pin the program: {}", chain(&error))))
    }

    /// The start failed: what this process attached and pinned goes.
    pub fn undo(mut self) {
        for link in self.made.drain(..) {
            let _ = fs::remove_file(link);
        }
        if self.fresh {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }

    /// Takes everything of the filter `name` off the interfaces. Whether there was anything.
    pub fn remove(name: &str) -> io::Result<bool> {
        match fs::remove_dir_all(pins(name)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Binds a socket to a queue of the program.
    pub(super) fn bind(&mut self, key: u32, fd: RawFd) -> Result<(), Error> {
        let failed = |error| Error::new(format_args!("cannot bind a socket to the program: {}", chain(&error)));
        let mut sockets: XskMap<_> = self.map("sockets")?;
        sockets.set(key, fd, 0).map_err(failed)
    }

    /// Takes the socket of a queue out of the program.
    pub(super) fn unbind(&mut self, key: u32) {
        if let Ok(mut sockets) = self.map::<XskMap<_>>("sockets") {
            // Not there is as good as taken out.
            let _ = sockets.unset(key);
        }
    }

    pub(super) fn records(&self) -> Result<Records, Error> {
        let Some(Map::Array(data)) = self.bpf.map("queues") else {
            return Err(Error::new("the XDP program has no records of queues"));
        };
        Records::map(data.fd().as_fd(), (PORTS * QUEUES) as usize)
    }
}

/// Whether the kernel's lists hold those of the settings.
fn fits(settings: &Settings) -> Result<(), Error> {
    let Settings { only_ports, udp_ports, only_prefixes, .. } = settings;
    let v4 = only_prefixes.iter().filter(|(address, _)| address.is_ipv4()).count();
    for (what, n, most) in [
        ("SCTP ports", only_ports.len(), LISTED_PORTS),
        ("UDP ports", udp_ports.len(), LISTED_PORTS),
        ("IPv4 prefixes", v4, LISTED_PREFIXES),
        ("IPv6 prefixes", only_prefixes.len() - v4, LISTED_PREFIXES),
    ] {
        if n > most {
            return Err(Error::new(format_args!("a list of {n} {what} is too long: the kernel's holds {most}")));
        }
    }
    Ok(())
}

pub(super) fn xdp(bpf: &mut Ebpf) -> Result<&mut Xdp, Error> {
    let program = bpf.program_mut("ztsms").and_then(|program| <&mut Xdp>::try_from(program).ok());
    program.ok_or_else(|| Error::new("the object holds no XDP program"))
}

/// What the kernel counted, read from the pinned maps: it is there whether or not a worker runs.
pub struct Kernel {
    counters: PerCpuArray<MapData, u64>,
}

impl Kernel {
    /// Opens the counters of the filter `name`.
    pub fn open(name: &str) -> Result<Self, Error> {
        let path = pins(name).join("counters");
        let failed = |error: &dyn std::error::Error| Error::new(format_args!("{}: {}", path.display(), chain(error)));
        let map = MapData::from_pin(&path).and_then(Map::from_map_data).map_err(|error| failed(&error))?;
        Ok(Self { counters: PerCpuArray::try_from(map).map_err(|error| failed(&error))? })
    }

    /// Frames of port `number` by cause, over all cores.
    pub fn port(&self, number: u32) -> [u64; CAUSES] {
        let mut all = [0; CAUSES];
        for (cause, n) in (0..).zip(&mut all) {
            *n = self.counters.get(&(number * 16 + cause), 0).map_or(0, |values| values.iter().sum());
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_written_with_the_same_sizes() {
        let text = include_str!("bpf/ztsms.bpf.c");
        let sizes = [("PORTS", PORTS as usize), ("QUEUES", QUEUES as usize)];
        for (name, size) in sizes.into_iter().chain([("LISTED_PORTS", LISTED_PORTS), ("LISTED_PREFIXES", LISTED_PREFIXES)]) {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("#define {name} "))).expect("a definition");
            assert_eq!(line.split_whitespace().next(), Some(&*size.to_string()), "{name}");
        }
    }
}
