//! Where records go: directories and keys, opened before anything is taken.

use std::path::PathBuf;
use std::time::Duration;

use super::super::keys;
use super::super::unscanned::Samples;
use super::{Error, Running, now};
use crate::config::Config;
use crate::spool::{ConsoleKey, Limits, Segments, Sink};

const MIB: u64 = 1 << 20;

/// Opens what the configuration keeps records in.
pub(super) fn sinks(config: &Config) -> Result<(Option<Sink>, Option<Sink>), Error> {
    let (spool, work) = (&config.spool, &config.work);
    let (block, flush) = (spool.block_kib.max(1) * 1024, Duration::from_millis(spool.flush_ms.max(1)));
    let limits = Limits {
        segment_octets: spool.segment_mib.max(1) * MIB,
        segment_age: Duration::from_secs(spool.segment_minutes.max(1) * 60),
        total_octets: spool.total_mib * MIB,
        keep: Duration::from_secs(spool.keep_days * 24 * 3600),
    };
    let open = |dir: &PathBuf, kind, limits, key, section| {
        let segments = Segments::new(dir, kind, limits).map_err(|error| Error::Directory(dir.clone(), error, section))?;
        Sink::new(segments, key, block, flush).map_err(Error::Thread)
    };
    let spool = spool.dir.as_ref().map(|dir| open(dir, crate::spool::Kind::Spool, limits, None, "[spool] dir")).transpose()?;
    let Some(dir) = &work.dir else { return Ok((spool, None)) };
    let path = work.console_key_file.as_deref().ok_or(Error::NoConsoleKey)?;
    let key = ConsoleKey::from_file(path).map_err(|error| Error::Key(keys::of(path, &error), "[work] console_key_file"))?;
    let limits = Limits {
        // Whole segments are deleted: short ones, so that none is kept much longer than it may be.
        segment_age: Duration::from_secs(600),
        total_octets: work.total_mib * MIB,
        keep: Duration::from_secs(work.keep_hours * 3600),
        ..limits
    };
    let work = open(dir, crate::spool::Kind::Work, limits, Some(key), "[work] dir")?;
    Ok((spool, Some(work)))
}

/// Where samples go.
pub(super) fn samples(config: &Config) -> Result<Option<Samples>, Error> {
    let unscanned = &config.unscanned;
    let begin = |path: &PathBuf| Samples::new(path, unscanned.total_mib * MIB).map_err(Error::Thread);
    unscanned.file.as_ref().map(begin).transpose()
}

impl Running {
    /// What a disk says is an alarm.
    pub(super) fn hear_disks(&mut self) {
        let spool = self.spool.as_ref().map(Sink::counts);
        let work = self.work.as_ref().map(Sink::counts);
        let samples = self.samples.as_ref().map(Samples::counts);
        for (alarm, counts) in [("spool", spool), ("work", work), ("samples", samples)] {
            let trouble = counts.map(|counts| counts.trouble()).filter(|trouble| !trouble.is_empty());
            self.alarms.set(alarm, trouble, now());
        }
    }
}
