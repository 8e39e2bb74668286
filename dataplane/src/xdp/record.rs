//! The record of each queue that program and worker share by `mmap`: heartbeat and credits one way, what was taken the other.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::sync::Arc;

use super::error::Error;

/// `struct queue` of the program.
#[repr(C)]
struct Shared {
    beat_ns: AtomicU64,
    granted: AtomicU64,
    pad: [u64; 6],
    taken: AtomicU64,
    pad2: [u64; 7],
}

const _: () = assert!(size_of::<Shared>() == 128);

/// The mapped records of all queues.
struct Map {
    at: NonNull<Shared>,
    len: usize,
}

// SAFETY: what is mapped is atomics, and the mapping stays until the last holder is gone.
unsafe impl Send for Map {}
// SAFETY: as above.
unsafe impl Sync for Map {}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: mapped by `Records::map` with this length; nothing refers to it any more.
        unsafe { libc::munmap(self.at.as_ptr().cast(), self.len * size_of::<Shared>()) };
    }
}

/// All records.
#[derive(Clone)]
pub(super) struct Records(Arc<Map>);

impl Records {
    /// Maps the array of `len` records behind `fd`.
    pub(super) fn map(fd: BorrowedFd<'_>, len: usize) -> Result<Self, Error> {
        let (rights, octets) = (libc::PROT_READ | libc::PROT_WRITE, len * size_of::<Shared>());
        // SAFETY: a new mapping where the kernel likes.
        let at = unsafe { libc::mmap(core::ptr::null_mut(), octets, rights, libc::MAP_SHARED, fd.as_raw_fd(), 0) };
        let at = (at != libc::MAP_FAILED).then(|| NonNull::new(at.cast())).flatten();
        let at = at.ok_or_else(|| Error::last("map the records of the queues"))?;
        Ok(Self(Arc::new(Map { at, len })))
    }

    /// The record of one queue.
    pub(super) fn of(&self, key: u32) -> Record {
        let at = (key as usize).min(self.0.len.saturating_sub(1));
        Record { map: self.clone(), at }
    }
}

/// One queue's record.
pub(super) struct Record {
    map: Records,
    at: usize,
}

impl Record {
    fn shared(&self) -> &Shared {
        // SAFETY: `Records::of` keeps `at` within the mapping, which lives as long as `map`; all zeroes and all else are valid atomics.
        unsafe { self.map.0.at.add(self.at).as_ref() }
    }

    /// A socket is bound anew: nothing granted, nothing taken.
    pub(super) fn reset(&self) {
        let shared = self.shared();
        shared.granted.store(0, Ordering::Release);
        shared.beat_ns.store(0, Ordering::Release);
        shared.taken.store(0, Ordering::Release);
    }

    /// The worker is there.
    #[inline]
    pub(super) fn beat(&self, now_ns: u64) {
        self.shared().beat_ns.store(now_ns, Ordering::Release);
    }

    /// So many frames have found room, or will.
    #[inline]
    pub(super) fn grant(&self, total: u64) {
        self.shared().granted.store(total, Ordering::Release);
    }

    /// Frames that still have a credit.
    #[cfg(test)]
    pub(super) fn left(&self) -> u64 {
        let Shared { granted, taken, .. } = self.shared();
        granted.load(Ordering::Acquire) - taken.load(Ordering::Acquire)
    }
}
