//! Socket options that the library does not ask for.

use std::io;
use std::os::fd::RawFd;

const XDP_OPTIONS: i32 = 8;
const ZERO_COPY: u32 = 1;
const SO_PREFER_BUSY_POLL: i32 = 69;
const SO_BUSY_POLL_BUDGET: i32 = 70;

/// Binding falls back to copying without a word: the socket knows.
pub(super) fn is_zero_copy(fd: RawFd) -> bool {
    let (mut flags, mut len) = (0_u32, 4);
    // SAFETY: the option is 4 octets, as is `flags`; both live through the call.
    let done = unsafe { libc::getsockopt(fd, libc::SOL_XDP, XDP_OPTIONS, (&raw mut flags).cast(), &raw mut len) };
    done == 0 && flags & ZERO_COPY != 0
}

pub(super) fn busy_poll(fd: RawFd, microseconds: u32) -> io::Result<()> {
    for (option, value) in [(SO_PREFER_BUSY_POLL, 1), (libc::SO_BUSY_POLL, microseconds), (SO_BUSY_POLL_BUDGET, 64)] {
        // SAFETY: each option is 4 octets, as is `value`, which lives through the call.
        if unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, option, (&raw const value).cast(), 4) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Lets the kernel poll the device.
pub(super) fn receive(fd: RawFd) {
    // SAFETY: no memory is handed over.
    unsafe { libc::recvfrom(fd, core::ptr::null_mut(), 0, libc::MSG_DONTWAIT, core::ptr::null_mut(), core::ptr::null_mut()) };
}
