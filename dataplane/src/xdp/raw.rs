//! Whole frames in and out of an interface by AF_PACKET: for the laboratory's far ends and for tests, never for a filter.

use core::mem;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::time::Duration;

use super::error::Error;
use super::port::Port;

/// One interface, every frame. Those that this machine sends itself are left out.
#[derive(Debug)]
pub struct Raw {
    fd: OwnedFd,
}

const PACKET_AUXDATA: i32 = 8;
const PACKET_QDISC_BYPASS: i32 = 20;
const VLAN_VALID: u32 = 1 << 4;
const VLAN_TPID_VALID: u32 = 1 << 6;

/// `struct tpacket_auxdata`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Auxiliary {
    status: u32,
    len: u32,
    snaplen: u32,
    mac: u16,
    net: u16,
    vlan_tci: u16,
    vlan_tpid: u16,
}

impl Raw {
    /// Opens an interface of the calling thread's network namespace.
    pub fn open(name: &str) -> Result<Self, Error> {
        let port = Port::open(name)?;
        let doing = || format!("open {name} for whole frames");
        let all = i32::from((libc::ETH_P_ALL as u16).to_be());
        // SAFETY: no memory is handed over.
        let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, all) };
        if fd < 0 {
            return Err(Error::last(doing()));
        }
        // SAFETY: just opened, nobody else's.
        let raw = Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } };
        for option in [PACKET_AUXDATA, PACKET_QDISC_BYPASS] {
            let on = 1_i32;
            // SAFETY: both options are 4 octets, as is `on`, which lives through the call.
            unsafe { libc::setsockopt(fd, libc::SOL_PACKET, option, (&raw const on).cast(), 4) };
        }
        let room = 16 << 20_i32;
        // SAFETY: as above.
        unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, (&raw const room).cast(), 4) };
        // SAFETY: all zeroes is a valid address of this family.
        let mut address: libc::sockaddr_ll = unsafe { mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = port.index.cast_signed();
        // SAFETY: an address of ours and its size.
        let done = unsafe { libc::bind(fd, (&raw const address).cast(), size_of::<libc::sockaddr_ll>() as u32) };
        if done == 0 { Ok(raw) } else { Err(Error::last(doing())) }
    }

    /// Sends one frame.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        // SAFETY: octets of ours and their number.
        let sent = unsafe { libc::send(self.fd.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// The next frame that arrives in time, as it was on the wire: a tag that the kernel took off is put back.
    pub fn receive(&self, timeout: Duration) -> Option<Vec<u8>> {
        let end = std::time::Instant::now() + timeout;
        loop {
            let left = end.saturating_duration_since(std::time::Instant::now());
            let mut poll = libc::pollfd { fd: self.fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            let ms = i32::try_from(left.as_millis()).unwrap_or(i32::MAX);
            // SAFETY: one entry of ours.
            if unsafe { libc::poll(&raw mut poll, 1, ms) } <= 0 {
                return None;
            }
            if let Some(frame) = self.read() {
                return Some(frame);
            }
        }
    }

    fn read(&self) -> Option<Vec<u8>> {
        let mut frame = vec![0_u8; 65_536];
        let mut control = [0_u64; 16];
        // SAFETY: all zeroes is a valid address and a valid header.
        let (mut from, mut header): (libc::sockaddr_ll, libc::msghdr) = unsafe { (mem::zeroed(), mem::zeroed()) };
        let mut piece = libc::iovec { iov_base: frame.as_mut_ptr().cast(), iov_len: frame.len() };
        header.msg_name = (&raw mut from).cast();
        header.msg_namelen = size_of::<libc::sockaddr_ll>() as u32;
        header.msg_iov = &raw mut piece;
        header.msg_iovlen = 1;
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = size_of_val(&control);
        // SAFETY: everything that the header names is ours, of the size it says, and lives through the call.
        let n = unsafe { libc::recvmsg(self.fd.as_raw_fd(), &raw mut header, libc::MSG_DONTWAIT) };
        frame.truncate(usize::try_from(n).ok()?);
        if from.sll_pkttype == libc::PACKET_OUTGOING {
            return None;
        }
        // SAFETY: the kernel filled the header; the macros stay within the control octets that it names, and an auxiliary record is
        // what this type of message holds.
        let auxiliary = unsafe {
            let first = libc::CMSG_FIRSTHDR(&raw const header);
            (!first.is_null() && (*first).cmsg_type == PACKET_AUXDATA)
                .then(|| libc::CMSG_DATA(first).cast::<Auxiliary>().read_unaligned())
        };
        if let Some(tag) = auxiliary.filter(|auxiliary| auxiliary.status & VLAN_VALID != 0 && frame.len() >= 12) {
            let tpid = if tag.status & VLAN_TPID_VALID != 0 { tag.vlan_tpid } else { 0x8100 };
            let octets = [tpid.to_be_bytes(), tag.vlan_tci.to_be_bytes()].concat();
            frame.splice(12..12, octets);
        }
        Some(frame)
    }
}
