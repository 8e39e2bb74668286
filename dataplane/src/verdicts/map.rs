//! Where the octets of a table lie. The only `unsafe` of the verdict table: mapping a file, and asking for a cache line ahead of time.
#![allow(unsafe_code)]

use memmap2::{Mmap, MmapMut};
use std::fs::File;

/// The larger page of x86-64 and of aarch64 with 4 KiB pages.
const HUGE: usize = 2 << 20;

/// Zeroed memory of our own. From 2 MiB on it begins where a huge page may begin, and huge pages are asked for: a look-up then misses the
/// cache once and not the translation too. Pages that are never touched take no memory.
#[derive(Debug)]
pub(super) struct Memory {
    map: MmapMut,
    at: usize,
    len: usize,
}

impl Memory {
    pub(super) fn zeroed(len: usize) -> std::io::Result<Self> {
        if len < HUGE {
            return Ok(Self { map: MmapMut::map_anon(len.max(1))?, at: 0, len });
        }
        let whole = len.checked_add(HUGE).ok_or(std::io::ErrorKind::OutOfMemory)?;
        let map = MmapMut::map_anon(whole)?;
        let at = map.as_ptr().align_offset(HUGE).min(HUGE);
        // A kernel that refuses costs speed and nothing else.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(Self { map, at, len })
    }

    #[inline]
    pub(super) fn get(&self) -> &[u8] {
        self.map.get(self.at..self.at + self.len).unwrap_or_default()
    }

    pub(super) fn get_mut(&mut self) -> &mut [u8] {
        self.map.get_mut(self.at..self.at + self.len).unwrap_or_default()
    }
}

/// How many octets of the mapping that holds `bytes` the kernel keeps in huge pages; `None` where it does not say.
pub(super) fn huge(bytes: &[u8]) -> Option<u64> {
    let smaps = std::fs::read_to_string("/proc/self/smaps").ok()?;
    let address = bytes.as_ptr() as usize;
    let mut within = false;
    let mut octets = None;
    for line in smaps.lines() {
        let first = line.split(' ').next()?;
        if let Some((from, to)) = first.split_once('-') {
            let number = |text| usize::from_str_radix(text, 16).ok();
            within = number(from)? <= address && address < number(to)?;
        } else if within && matches!(first, "AnonHugePages:" | "FilePmdMapped:") {
            let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
            octets = Some(octets.unwrap_or(0) + kib * 1024);
        }
    }
    octets
}

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
