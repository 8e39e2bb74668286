//! Where a thread runs: its core, and that it goes before others.

use std::io;

/// Binds the calling thread to one core.
pub fn to_core(core: usize) -> io::Result<()> {
    // SAFETY: all zeroes is an empty set.
    let mut set: libc::cpu_set_t = unsafe { core::mem::zeroed() };
    if core >= 8 * size_of::<libc::cpu_set_t>() {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    // SAFETY: `core` is within the set.
    unsafe { libc::CPU_SET(core, &mut set) };
    // SAFETY: a set of ours, and its size; 0 is the calling thread.
    let done = unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether a thread of this process may be bound to this core: one that is there, is online, and is in the process's set of cores. It is tried, on
/// a thread of its own, since a core that was set apart (`isolcpus`) may be used and is in no list.
pub fn may_use(core: usize) -> bool {
    std::thread::spawn(move || to_core(core).is_ok()).join().unwrap_or(false)
}

/// The cores that the calling thread may run on.
pub fn cores() -> Vec<usize> {
    // SAFETY: all zeroes is an empty set.
    let mut set: libc::cpu_set_t = unsafe { core::mem::zeroed() };
    // SAFETY: a set of ours, and its size; 0 is the calling thread.
    if unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) } != 0 {
        return Vec::new();
    }
    // SAFETY: every number asked for is within the set.
    (0..8 * size_of::<libc::cpu_set_t>()).filter(|&core| unsafe { libc::CPU_ISSET(core, &set) }).collect()
}

/// The calling thread goes before those of ordinary programs. Whether it was allowed.
pub fn first() -> bool {
    // SAFETY: no memory is handed over. On Linux 0 is the calling thread.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, -20) == 0 }
}

/// Whether this process may do what root may.
pub fn is_root() -> bool {
    // SAFETY: no memory is handed over, and it cannot fail.
    unsafe { libc::geteuid() == 0 }
}
