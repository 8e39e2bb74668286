//! One network interface: what it is, how many queues it has, and its carrier. Asked by `ioctl`, so that the answer is that of the
//! thread's own network namespace whatever is mounted on `/sys`.

use core::ffi::c_char;
use core::mem;
use std::ffi::CString;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use super::error::Error;

/// An interface by name.
#[derive(Debug)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its index.
    pub index: u32,
    socket: OwnedFd,
}

/// `ethtool -l` and `ethtool -i`.
const GET_CHANNELS: u32 = 0x3c;
const GET_DRIVER: u32 = 0x03;
/// The carrier itself. `IFF_RUNNING` follows it by up to a second.
const GET_LINK: u32 = 0x0a;

/// `ethtool -k`, as far as it is asked for here.
const GET_FLAGS: u32 = 0x25;
const GET_GRO: u32 = 0x2b;
const FLAG_RXVLAN: u32 = 1 << 8;
const FLAG_LRO: u32 = 1 << 15;

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Value {
    cmd: u32,
    data: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Channels {
    cmd: u32,
    max: [u32; 4],
    /// Receive, transmit, other, combined.
    count: [u32; 4],
}

#[repr(C)]
struct Driver {
    cmd: u32,
    driver: [u8; 32],
    rest: [u8; 160],
}

/// The name of the interface of this index.
pub(super) fn name_of(index: u32) -> Option<String> {
    let mut name = [0_u8; libc::IF_NAMESIZE];
    // SAFETY: the call writes a name and its end, at most `IF_NAMESIZE` octets.
    let found = unsafe { libc::if_indextoname(index, name.as_mut_ptr().cast()) };
    let end = name.iter().position(|octet| *octet == 0)?;
    (!found.is_null()).then(|| String::from_utf8_lossy(name.get(..end).unwrap_or_default()).into_owned())
}

impl Port {
    /// Looks it up.
    pub fn open(name: &str) -> Result<Self, Error> {
        let wrong = || Error::new(format_args!("no such interface: {name} (`ip link` lists those that are here)"));
        if name.is_empty() || name.len() >= libc::IFNAMSIZ {
            return Err(wrong());
        }
        let c_name = CString::new(name).map_err(|_| wrong())?;
        // SAFETY: a string with its end.
        let index = unsafe { libc::if_nametoindex(c_name.as_ptr()) };
        if index == 0 {
            return Err(wrong());
        }
        // SAFETY: no memory is handed over.
        let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
        if socket < 0 {
            return Err(Error::last("open a socket"));
        }
        // SAFETY: just opened, nobody else's.
        Ok(Self { name: name.to_owned(), index, socket: unsafe { OwnedFd::from_raw_fd(socket) } })
    }

    fn request(&self) -> libc::ifreq {
        // SAFETY: all zeroes is a valid `ifreq`: integers, and a union of them.
        let mut request: libc::ifreq = unsafe { mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(self.name.as_bytes()) {
            *to = c_char::from_ne_bytes([*from]);
        }
        request
    }

    fn call(&self, what: libc::Ioctl, request: &mut libc::ifreq) -> bool {
        // SAFETY: every request used here takes an `ifreq`, which is ours and lives through the call.
        unsafe { libc::ioctl(self.socket.as_raw_fd(), what, request) == 0 }
    }

    fn ethtool<T>(&self, of: &mut T) -> bool {
        let mut request = self.request();
        request.ifr_ifru.ifru_data = core::ptr::from_mut(of).cast();
        self.call(libc::SIOCETHTOOL as libc::Ioctl, &mut request)
    }

    /// Whether the name is still that of the interface that was opened. One that was removed and made anew is another, with nothing attached.
    pub fn is_here(&self) -> bool {
        let mut request = self.request();
        self.call(libc::SIOCGIFINDEX as libc::Ioctl, &mut request) && {
            // SAFETY: the kernel has filled this field of the union.
            u32::try_from(unsafe { request.ifr_ifru.ifru_ifindex }) == Ok(self.index)
        }
    }

    /// Whether the interface that was opened is in this namespace, whatever its name is now. What is attached to it works as before.
    pub fn is_there(&self) -> bool {
        let mut request = self.request();
        let Ok(index) = i32::try_from(self.index) else { return false };
        request.ifr_ifru.ifru_ifindex = index;
        self.call(libc::SIOCGIFNAME as libc::Ioctl, &mut request)
    }

    /// Whether an interface has the name, the one that was opened or another.
    pub fn is_named(&self) -> bool {
        self.flags().is_some()
    }

    /// Octets of payload in a frame.
    pub fn mtu(&self) -> Result<u32, Error> {
        let mut request = self.request();
        if !self.call(libc::SIOCGIFMTU as libc::Ioctl, &mut request) {
            return Err(Error::last(format_args!("read the MTU of {}", self.name)));
        }
        // SAFETY: the kernel has filled this field of the union.
        Ok(u32::try_from(unsafe { request.ifr_ifru.ifru_mtu }).unwrap_or(0))
    }

    /// Receive and transmit queues in use.
    pub fn queues(&self) -> (u32, u32) {
        let mut channels = Channels { cmd: GET_CHANNELS, ..Channels::default() };
        if !self.ethtool(&mut channels) {
            // A driver without channels has one queue.
            return (1, 1);
        }
        let [receive, transmit, _, combined] = channels.count;
        ((receive + combined).max(1), (transmit + combined).max(1))
    }

    /// Receive offloads that change what a filter sees, where they are on: the tag kept aside, frames joined. By the names of `ethtool -K`.
    pub fn offloads(&self) -> Vec<&'static str> {
        let ask = |cmd| {
            let mut value = Value { cmd, data: 0 };
            if self.ethtool(&mut value) { value.data } else { 0 }
        };
        let (flags, gro) = (ask(GET_FLAGS), ask(GET_GRO));
        let all = [("rxvlan", flags & FLAG_RXVLAN), ("lro", flags & FLAG_LRO), ("gro", gro)];
        all.into_iter().filter(|(_, on)| *on != 0).map(|(name, _)| name).collect()
    }

    /// The driver's name.
    pub fn driver(&self) -> String {
        let mut driver = Driver { cmd: GET_DRIVER, driver: [0; 32], rest: [0; 160] };
        if !self.ethtool(&mut driver) {
            return "unknown".to_owned();
        }
        String::from_utf8_lossy(&driver.driver).trim_end_matches('\0').to_owned()
    }

    /// Flags as in `ip link`.
    fn flags(&self) -> Option<i32> {
        let mut request = self.request();
        self.call(libc::SIOCGIFFLAGS as libc::Ioctl, &mut request).then(|| {
            // SAFETY: the kernel has filled this field of the union.
            i32::from(unsafe { request.ifr_ifru.ifru_flags })
        })
    }

    /// Whether it is up and has a carrier; `None` where it is gone.
    pub fn is_running(&self) -> Option<bool> {
        let is_up = self.flags()? & libc::IFF_UP != 0;
        let mut value = Value { cmd: GET_LINK, data: 0 };
        Some(is_up && self.ethtool(&mut value) && value.data != 0)
    }

    /// Whether it was set up, carrier or not.
    pub fn is_up(&self) -> bool {
        self.flags().is_some_and(|flags| flags & libc::IFF_UP != 0)
    }

    /// Whether it was told to take frames for whatever address.
    pub fn is_promiscuous(&self) -> bool {
        self.flags().is_some_and(|flags| flags & libc::IFF_PROMISC != 0)
    }

    fn set(&self, on: i32, off: i32) -> Result<(), Error> {
        let doing = || format!("set the flags of {}", self.name);
        let flags = self.flags().ok_or_else(|| Error::last(doing()))?;
        let mut request = self.request();
        // The kernel takes the low 16 bits.
        #[expect(clippy::cast_possible_truncation, reason = "a short by the system's own definition")]
        let short = ((flags | on) & !off) as i16;
        request.ifr_ifru.ifru_flags = short;
        if self.call(libc::SIOCSIFFLAGS as libc::Ioctl, &mut request) { Ok(()) } else { Err(Error::last(doing())) }
    }

    /// Up or down, as `ip link set`.
    pub fn set_up(&self, up: bool) -> Result<(), Error> {
        if up { self.set(libc::IFF_UP, 0) } else { self.set(0, libc::IFF_UP) }
    }

    /// Takes frames for whatever address, or no longer.
    pub fn set_promiscuous(&self, on: bool) -> Result<(), Error> {
        if on { self.set(libc::IFF_PROMISC, 0) } else { self.set(0, libc::IFF_PROMISC) }
    }
}
