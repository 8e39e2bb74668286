//! A filter's spool, followed: what is appended after now.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use control::spool::{Kind, Read, SEGMENT_HEADER, read, segments};

use crate::{Error, Result};

/// Octets of one segment that are read at a time.
const TURN: u64 = 16 << 20;

pub(super) struct Follow {
    dir: PathBuf,
    /// How far each segment has been read.
    at: HashMap<PathBuf, u64>,
}

impl Follow {
    /// What stands there already is past.
    pub(super) fn from_now_on(dir: &Path) -> Self {
        let length = |path: PathBuf| path.metadata().ok().map(|meta| (path, meta.len()));
        let at = segments(dir, Kind::Spool).unwrap_or_default().into_iter().filter_map(length).collect();
        Self { dir: dir.to_owned(), at }
    }

    /// Hands over what was appended since the last look.
    pub(super) fn look(&mut self, mut give: impl FnMut(&[u8])) -> Result<()> {
        let found = segments(&self.dir, Kind::Spool).map_err(Error::file(&self.dir, "read"))?;
        self.at.retain(|path, _| found.contains(path));
        for path in found {
            let at = self.at.entry(path.clone()).or_default();
            // One that the filter just deleted is past as well.
            let Ok(mut file) = File::open(&path) else { continue };
            let mut octets = Vec::new();
            let failed = || Error::file(&path, "read");
            file.by_ref().take(SEGMENT_HEADER as u64).read_to_end(&mut octets).map_err(failed())?;
            let from = (*at).max(octets.len() as u64);
            file.seek(SeekFrom::Start(from)).map_err(failed())?;
            if file.take(TURN).read_to_end(&mut octets).map_err(failed())? == 0 {
                continue;
            }
            let (_, report) = read(&octets, None, |item| {
                if let Read::Record(_, record) = item {
                    give(record);
                }
            });
            *at = from + (report.end.saturating_sub(SEGMENT_HEADER)) as u64;
        }
        Ok(())
    }
}
