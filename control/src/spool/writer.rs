//! Segments of one directory: appended to, ended by size and age, deleted by total size and age.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::block::segment_header;
use super::{Kind, SEGMENT_HEADER, segments};
use crate::clock::Clock;

/// What a directory may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one segment.
    pub segment_octets: u64,
    /// Age at which a segment is ended.
    pub segment_age: Duration,
    /// Octets of all.
    pub total_octets: u64,
    /// Age at which a segment is deleted.
    pub keep: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            segment_octets: 64 << 20,
            segment_age: Duration::from_secs(3600),
            total_octets: 8 << 30,
            keep: Duration::from_secs(14 * 24 * 3600),
        }
    }
}

/// The segment being written.
struct Open {
    file: File,
    path: PathBuf,
    len: u64,
    created: SystemTime,
}

/// The writing side of a directory.
pub struct Segments {
    dir: PathBuf,
    kind: Kind,
    limits: Limits,
    open: Option<Open>,
    /// Segments that were deleted by the limits.
    pub deleted: u64,
    clock: Clock,
}

impl Segments {
    /// Makes the directory if it is not there. The first block begins a new segment.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn new(dir: &Path, kind: Kind, limits: Limits) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self { dir: dir.to_owned(), kind, limits, open: None, deleted: 0, clock: Clock::default() })
    }

    /// Appends one block, all of it or nothing.
    ///
    /// # Errors
    /// The disk is full, or the like: what was there is as it was.
    pub fn append(&mut self, block: &[u8]) -> io::Result<()> {
        let now = self.clock.system();
        let Limits { segment_octets, segment_age, .. } = self.limits;
        let old = |open: &Open| now.duration_since(open.created).is_ok_and(|age| age >= segment_age);
        if self.open.as_ref().is_some_and(|open| open.len + block.len() as u64 > segment_octets || old(open)) {
            self.end();
        }
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                self.tidy();
                let open = self.create(now)?;
                self.open.insert(open)
            }
        };
        match open.file.write_all(block) {
            Ok(()) => {
                open.len += block.len() as u64;
                Ok(())
            }
            Err(error) => {
                // What was written of it goes again, and the next block takes its place. Where that fails, or the file can grow no more, another
                // segment is begun; an empty one is not left behind.
                let restored = open.file.set_len(open.len).is_ok();
                if open.len <= SEGMENT_HEADER as u64 {
                    let _ = fs::remove_file(&open.path);
                    self.open = None;
                } else if !restored || error.kind() == io::ErrorKind::FileTooLarge {
                    self.open = None;
                }
                Err(error)
            }
        }
    }

    /// Puts what was written on the disk.
    ///
    /// # Errors
    /// The disk's.
    pub fn sync(&mut self) -> io::Result<()> {
        self.open.as_ref().map_or(Ok(()), |open| open.file.sync_data())
    }

    /// Ends the segment.
    pub fn end(&mut self) {
        self.open = None;
    }

    /// Deletes what is too old or too much, oldest first, never the one that is being written. A wall clock that jumps makes nothing old.
    pub fn tidy(&mut self) {
        let now = self.clock.system();
        let Ok(found) = segments(&self.dir, self.kind) else { return };
        let current = self.open.as_ref().map(|open| open.path.clone());
        let sizes: Vec<u64> = found.iter().map(|path| fs::metadata(path).map_or(0, |meta| meta.len())).collect();
        let mut total: u64 = sizes.iter().sum();
        for (path, size) in found.iter().zip(sizes) {
            if Some(path) == current.as_ref() {
                continue;
            }
            let old =
                created(path).and_then(|created| now.duration_since(created).ok()).is_some_and(|age| age > self.limits.keep);
            if (old || total > self.limits.total_octets) && fs::remove_file(path).is_ok() {
                total -= size;
                self.deleted += 1;
            }
        }
    }

    fn create(&self, now: SystemTime) -> io::Result<Open> {
        let mut ns = u64::try_from(now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()).unwrap_or(u64::MAX);
        loop {
            let path = self.dir.join(format!("{ns:020}.{}", self.kind.ending()));
            let mut options = OpenOptions::new();
            options.append(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
            let mut file = match options.open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    ns += 1;
                    continue;
                }
                file => file?,
            };
            if let Err(error) = file.write_all(&segment_header(self.kind, ns)) {
                let _ = fs::remove_file(&path);
                return Err(error);
            }
            return Ok(Open { file, path, len: SEGMENT_HEADER as u64, created: now });
        }
    }
}

/// When a segment was begun, by its name.
fn created(path: &Path) -> Option<SystemTime> {
    let ns: u64 = path.file_stem()?.to_str()?.parse().ok()?;
    UNIX_EPOCH.checked_add(Duration::from_nanos(ns))
}
