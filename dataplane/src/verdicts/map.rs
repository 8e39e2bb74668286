//! The only `unsafe` of the verdict table: mapping a file, and asking for a cache line ahead of time.
#![allow(unsafe_code)]

use memmap2::Mmap;
use std::fs::File;

/// Maps a file for reading.
///
/// For desk use: whoever shortens the file while it is mapped stops this process with SIGBUS. A live filter reads the file into memory
/// (`Snapshot::read_into_memory`), and writers replace files by renaming, which leaves the mapped one whole.
pub(super) fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: the map is private to us and only read as octets, so that any content is valid. Its length cannot change under us: the
    // verdict directory's files are written once under another name and renamed into place, never written in place or cut.
    unsafe { Mmap::map(file) }
}

/// Begins to load the cache line that holds `bytes`' first octet; nothing else happens.
#[inline]
pub(super) fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing as far as the program can see and never faults; the address is that of a live slice besides.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(bytes.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    core::hint::black_box(bytes.first());
}
