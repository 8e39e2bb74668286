//! Every complete block of a segment, and where something is missing.

use std::io;
use std::path::{Path, PathBuf};

use super::block::{self, BadBlock, Block};
use super::{Kind, SEGMENT_HEADER, SecretKey};

/// A stretch of a segment that is no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// First octet.
    pub at: usize,
    /// How many.
    pub octets: usize,
    /// Why.
    pub why: BadBlock,
}

/// What reading comes to: a record, or a stretch that was left.
#[derive(Clone, Copy, Debug)]
pub enum Read<'a> {
    /// One record: its number in its writer's count, and its octets.
    Record(u64, &'a [u8]),
    /// Octets that are no block.
    Cut(Cut),
}

/// How much there was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Whole blocks.
    pub blocks: u64,
    /// Their records.
    pub records: u64,
    /// Stretches left.
    pub cuts: u64,
    /// Octets up to the end of the last whole block: where a follower goes on.
    pub end: usize,
}

/// Reads one segment.
pub fn read(octets: &[u8], key: Option<&SecretKey>, mut give: impl FnMut(Read<'_>)) -> (Option<Kind>, Report) {
    let kind = block::segment_kind(octets);
    let head = octets.len().min(SEGMENT_HEADER);
    if let Err(why) = kind {
        give(Read::Cut(Cut { at: 0, octets: head, why }));
    }
    let mut report = blocks(octets, head, key, give);
    report.cuts += u64::from(kind.is_err());
    (kind.ok(), report)
}

/// Reads the blocks from `at` on, where one begins: whoever follows a segment goes on at the [`Report::end`] of the time before.
pub fn blocks(octets: &[u8], at: usize, key: Option<&SecretKey>, mut give: impl FnMut(Read<'_>)) -> Report {
    let mut report = Report { end: at, ..Report::default() };
    let mut at = at;
    let cut = |report: &mut Report, at, octets, why, give: &mut dyn FnMut(Read<'_>)| {
        report.cuts += 1;
        give(Read::Cut(Cut { at, octets, why }));
    };
    while let Some(rest) = octets.get(at..).filter(|rest| !rest.is_empty()) {
        let why = match Block::parse(rest) {
            Ok(block) => {
                let mut number = block.first;
                let opened = block.open(key, |record| {
                    give(Read::Record(number, record));
                    number += 1;
                    report.records += 1;
                });
                if let Err(why) = opened {
                    cut(&mut report, at, block.len, why, &mut give);
                }
                report.blocks += 1;
                at += block.len;
                report.end = at;
                continue;
            }
            Err(why) => why,
        };
        // The next place where a whole block stands; a magic inside of one that is damaged has no right sum.
        let mut skip = 0;
        let next = loop {
            let Some(found) = rest.get(skip..).and_then(block::next_magic) else { break rest.len() };
            skip += found;
            if rest.get(skip..).is_some_and(|rest| Block::parse(rest).is_ok()) {
                break skip;
            }
        };
        cut(&mut report, at, next, why, &mut give);
        at += next;
    }
    report
}

/// The segments of a directory, oldest first; a file is itself alone.
///
/// # Errors
/// The directory cannot be read.
pub fn segments(path: &Path, kind: Kind) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == kind.ending()) {
            found.push(path);
        }
    }
    // Names begin with the time of creation, in as many digits as there can be.
    found.sort();
    Ok(found)
}
