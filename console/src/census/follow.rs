//! Follows a directory of segments that a filter appends to, from where it was left.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use control::spool::{Kind, Read, SEGMENT_HEADER, SecretKey, blocks, segments};
use rusqlite::{Connection, OptionalExtension as _};

use crate::{Error, Result};

/// Octets that are read at once: more than the longest block.
const AT_ONCE: u64 = 96 << 20;

/// The name of a stream in the database: the same by whatever way its directory is named.
pub fn stream(kind: &str, dir: &Path) -> String {
    // One that is not there yet has nothing to be counted twice.
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    format!("{kind} {}", dir.display())
}

/// Whether a directory is one of such segments, or of none yet.
///
/// # Errors
/// It is not there, cannot be read, or has segments of the other kind alone.
pub fn is_of(dir: &Path, kind: Kind) -> Result<()> {
    std::fs::read_dir(dir).map_err(Error::file(dir, "read"))?;
    let has = |kind| -> Result<bool> { Ok(!segments(dir, kind).map_err(Error::file(dir, "read"))?.is_empty()) };
    let (ours, other, theirs) = match kind {
        Kind::Spool => ("[spool]", Kind::Work, "[work]"),
        Kind::Work => ("[work]", Kind::Spool, "[spool]"),
    };
    if !has(kind)? && has(other)? {
        return Error::refused(format!("{}: segments of a filter's {theirs}, not of its {ours}", dir.display()));
    }
    Ok(())
}

/// Where a follower stands, and what it met on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// File name of the segment; empty at the beginning.
    pub segment: String,
    /// Octets of it that were read.
    pub octets: u64,
    /// Records so far.
    pub records: u64,
    /// Stretches that were no block.
    pub cuts: u64,
    /// Records that were not what they should be.
    pub strange: u64,
    /// Segments that were gone before the next look.
    pub gone: u64,
}

impl Place {
    /// Behind all that a directory has now.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn end(dir: &Path, kind: Kind) -> io::Result<Self> {
        let found = segments(dir, kind)?;
        let Some(last) = found.last() else { return Ok(Self::default()) };
        let segment = last.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { segment, octets: last.metadata()?.len(), ..Self::default() })
    }

    /// Where a stream was left.
    ///
    /// # Errors
    /// The database's.
    pub fn load(state: &Connection, stream: &str) -> Result<Self> {
        let sql = "SELECT segment, octets, records, cuts, strange, gone FROM followed WHERE stream = ?1";
        let place = state.prepare_cached(sql)?.query_row([stream], |row| {
            let n = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
            Ok(Self { segment: row.get(0)?, octets: n(1)?, records: n(2)?, cuts: n(3)?, strange: n(4)?, gone: n(5)? })
        });
        Ok(place.optional()?.unwrap_or_default())
    }

    /// Remembers it, in the transaction that holds what was read.
    ///
    /// # Errors
    /// The database's.
    pub fn save(&self, transaction: &Connection, stream: &str) -> Result<()> {
        let [octets, records, cuts, strange, gone] =
            [self.octets, self.records, self.cuts, self.strange, self.gone].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        transaction.execute(
            "INSERT OR REPLACE INTO followed (stream, segment, octets, records, cuts, strange, gone)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (stream, &self.segment, octets, records, cuts, strange, gone),
        )?;
        Ok(())
    }
}

/// Reads on in one segment, or goes to the next one. Returns whether there is nothing more for now.
///
/// A block that is cut at the end of the newest segment may be one that is being written: it is waited for.
///
/// # Errors
/// The directory or the segment cannot be read. A directory that is not there yet has nothing.
pub fn look(dir: &Path, kind: Kind, key: Option<&SecretKey>, place: &mut Place, give: &mut dyn FnMut(&[u8])) -> io::Result<bool> {
    if !dir.is_dir() {
        return Ok(true);
    }
    let found = segments(dir, kind)?;
    let names: Vec<String> =
        found.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned()).collect();
    let Some(at) = names.iter().position(|name| *name >= place.segment) else { return Ok(true) };
    let (Some(name), Some(path)) = (names.get(at), found.get(at)) else { return Ok(true) };
    if *name != place.segment {
        place.gone += u64::from(!place.segment.is_empty());
        (place.segment, place.octets) = (name.clone(), 0);
    }
    let head = u64::try_from(SEGMENT_HEADER).unwrap_or(u64::MAX);
    let from = place.octets.max(head);
    let mut file = match File::open(path) {
        // Deleted by its writer's limits meanwhile: the next look goes on.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    file.seek(SeekFrom::Start(from))?;
    let mut octets = Vec::new();
    file.take(AT_ONCE).read_to_end(&mut octets)?;
    let mut sealed = 0;
    let report = blocks(&octets, 0, key, |read| match read {
        Read::Record(_, record) => give(record),
        Read::Cut(cut) => sealed += u64::from(cut.why == control::spool::BadBlock::Sealed),
    });
    place.records += report.records;
    // What is left behind the last block is looked at again, and counted when the segment is done with.
    let tail = report.end < octets.len();
    place.cuts += report.cuts.saturating_sub(u64::from(tail));
    if sealed > 0 && sealed == report.blocks {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "sealed for another key: the filter's console_key_file is not ours",
        ));
    }
    place.octets = from + u64::try_from(report.end).unwrap_or(u64::MAX);
    if report.end > 0 && tail {
        return Ok(false);
    }
    match names.get(at + 1) {
        None => Ok(true),
        Some(next) => {
            place.cuts += u64::from(tail);
            (place.segment, place.octets) = (next.clone(), 0);
            Ok(false)
        }
    }
}
