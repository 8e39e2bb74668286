//! The way of all frames through one lane, in order.

use std::fs::File;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam::channel::bounded;
use dataplane::counters::Counters;
use dataplane::join::table::Counts;
use dataplane::lane::{Frame, Lane, Setup};
use dataplane::world::World;
use pcaps::read;
use pcaps::write::PcapNg;
use protocols::link::LinkType;
use protocols::sctp::Sum;

use super::super::Failure;
use super::super::args::Replay;
use super::super::fail;
use super::listen::Listen;
use super::output::Output;
use super::progress::Progress;
use super::same::is_one;
use super::source::{self, Batch, Far};
use crate::explains::Explains;
use crate::record::Redactor;
use crate::summary::Summary;

/// Batches that are read ahead.
const READ_AHEAD: usize = 4;

/// A capture that begins this much after the one before is another one: no retransmission comes so late.
const APART_NS: u64 = 3_600_000_000_000;

/// What is asked for.
pub(super) struct Job<'a> {
    pub(super) args: &'a Replay,
    pub(super) world: &'a World,
    pub(super) setup: &'a Setup,
    pub(super) redactor: Option<&'a Redactor>,
    pub(super) threads: usize,
}

/// What came of it.
pub(super) struct Ended {
    pub(super) counters: Counters,
    pub(super) joins: Vec<(&'static str, Counts)>,
    pub(super) explains: Explains,
    pub(super) summary: Summary,
    /// Something could not be read.
    pub(super) in_part: bool,
}

/// Runs the job, with texts only where records are wanted.
pub(super) fn run(job: &Job<'_>) -> Result<Ended, Failure> {
    if job.args.json { threads::<true>(job) } else { threads::<false>(job) }
}

fn threads<const TEXTS: bool>(job: &Job<'_>) -> Result<Ended, Failure> {
    let files = &job.args.files;
    let far = Far::default();
    let progress = Progress::new(files, job.args.json);
    let mut way = Way::<TEXTS>::new(job)?;
    std::thread::scope(|scope| {
        let mut output = if TEXTS { Output::new(scope, job.threads, job.redactor) } else { Output::None };
        let mut result = Ok(());
        let all = if job.threads == 1 {
            source::read(files, &far, |batch| {
                result = way.batch(&batch, &mut output);
                progress.show(&far);
                result.is_ok().then_some(batch)
            })
        } else {
            let (send, batches) = bounded::<Batch>(READ_AHEAD);
            let (give_back, used) = bounded::<Batch>(READ_AHEAD + 2);
            let far = &far;
            let reader = scope.spawn(move || {
                source::read(files, far, |mut batch| {
                    batch.sum();
                    send.send(batch).ok()?;
                    Some(used.try_recv().unwrap_or_default())
                })
            });
            for batch in batches {
                result = way.batch(&batch, &mut output);
                progress.show(far);
                if result.is_err() {
                    break;
                }
                // A full channel only means that the batch is not used again.
                let _ = give_back.try_send(batch);
            }
            drop(give_back);
            reader.join().unwrap_or(false)
        };
        drop(progress);
        // The writer's own error says more than that it went away.
        output.finish()?;
        result?;
        way.end(!all)
    })
}

/// Where frames are written to, and the file's name for errors.
struct Written {
    path: PathBuf,
    out: PcapNg<File>,
}

impl Written {
    /// Whether a capture may be written there.
    fn check(path: &Path, inputs: &[PathBuf]) -> Result<(), Failure> {
        if path.as_os_str() == "-" {
            return Err(Failure::Usage("a capture is written to a file: standard output is for the result".to_owned()));
        }
        if inputs.iter().any(|input| is_one(input, path)) {
            return Err(Failure::Usage(format!("{} is read and would be written over", path.display())));
        }
        Ok(())
    }

    fn new(path: &Path) -> Result<Self, Failure> {
        let file = File::create(path).map_err(|error| Failure::file(path, "create", error))?;
        let out = PcapNg::new(file).map_err(|error| Failure::file(path, "write", error))?;
        Ok(Self { path: path.to_owned(), out })
    }

    fn frame(&mut self, frame: &read::Frame<'_>, bytes: &[u8], comment: Option<&str>) -> Result<(), Failure> {
        self.out.frame(frame, bytes, comment).map_err(|error| Failure::file(&self.path, "write", error))
    }

    fn finish(self) -> Result<(), Failure> {
        self.out.finish().map(drop).map_err(|error| Failure::file(&self.path, "write", error))
    }
}

/// The lane and all that hangs on it.
struct Way<'a, const TEXTS: bool> {
    job: &'a Job<'a>,
    lane: Lane,
    listen: Listen<'a, TEXTS>,
    written: Option<Written>,
    unscanned: Option<Written>,
    /// Counters of the lanes before this one.
    counters: Counters,
    joins: Vec<(&'static str, Counts)>,
    /// Which of the captures is at hand.
    file: usize,
    last_time: u64,
}

impl<'a, const TEXTS: bool> Way<'a, TEXTS> {
    fn new(job: &'a Job<'a>) -> Result<Self, Failure> {
        let (write, unscanned) = (job.args.write.as_deref(), job.args.unscanned.as_deref());
        // All is looked at before anything is opened: a file that is opened for writing is empty.
        for path in write.into_iter().chain(unscanned) {
            Written::check(path, &job.args.files)?;
        }
        if write.zip(unscanned).is_some_and(|(write, unscanned)| is_one(write, unscanned)) {
            return Err(Failure::Usage("--write and --unscanned are two files".to_owned()));
        }
        Ok(Self {
            job,
            lane: Lane::new(job.setup),
            listen: Listen::new(job.world, job.redactor, job.args.files.len()),
            written: write.map(Written::new).transpose()?,
            unscanned: unscanned.map(Written::new).transpose()?,
            counters: Counters::default(),
            joins: Vec::new(),
            file: 0,
            last_time: 0,
        })
    }

    fn batch(&mut self, batch: &Batch, output: &mut Output<'_>) -> Result<(), Failure> {
        self.listen.file = Arc::clone(&batch.name);
        for (frame, sum) in batch.frames() {
            if batch.file != self.file {
                self.file = batch.file;
                self.next_capture(frame.time_ns);
            }
            self.frame(&frame, sum)?;
        }
        if TEXTS {
            output.batch(mem::take(&mut self.listen.records), self.job.redactor)?;
        }
        Ok(())
    }

    /// Captures that follow each other (a ring of files) are one; what begins before the last one ended, or long after, is another.
    fn next_capture(&mut self, time_ns: Option<u64>) {
        let follows = time_ns.is_some_and(|time| time >= self.last_time && time - self.last_time <= APART_NS);
        if !follows {
            self.end_lane();
            self.lane = Lane::new(self.job.setup);
            self.listen.explains.forget();
            self.last_time = 0;
        }
    }

    fn frame(&mut self, frame: &read::Frame<'_>, sum: Option<Sum>) -> Result<(), Failure> {
        let Some(link_type) = LinkType::from_pcap(frame.link_type) else {
            let seen = self.listen.summary.foreign.entry(frame.link_type).or_default();
            *seen += 1;
            if *seen == 1 {
                let (file, number, link_type) = (&self.listen.file, frame.number, frame.link_type);
                fail::complain(&format_args!("{file}: frame {number}: link type {link_type} is not read, passed on as it is"));
            }
            return self.write(frame, false);
        };
        if let Some(time) = frame.time_ns {
            self.last_time = self.last_time.max(time);
            self.listen.summary.time(time);
        }
        self.listen.timeless = frame.time_ns.is_none();
        let lent = Frame {
            number: frame.number,
            // A frame without a time is as old as the one before it.
            time_ns: frame.time_ns.unwrap_or(self.last_time),
            link_type,
            bytes: frame.bytes,
            original_len: frame.original_len as usize,
        };
        self.lane.frame_summed(&lent, sum, self.job.world, &mut self.listen);
        self.write(frame, true)
    }

    /// `taken`: the lane took this frame, so that what it says of changes is about it.
    fn write(&mut self, frame: &read::Frame<'_>, taken: bool) -> Result<(), Failure> {
        if let Some(written) = &mut self.written {
            let mut changed = false;
            for packet in self.lane.changed().filter(|_| taken) {
                changed = true;
                written.frame(frame, packet, None)?;
            }
            if !changed {
                written.frame(frame, frame.bytes, None)?;
            }
        }
        if !self.listen.unscanned.is_empty() {
            if let Some(unscanned) = &mut self.unscanned {
                let why: Vec<String> = self.listen.unscanned.iter().map(ToString::to_string).collect();
                let comment = format!("{}, frame {}: {}", self.listen.file, frame.number, why.join("; "));
                unscanned.frame(frame, frame.bytes, Some(&comment))?;
            }
            self.listen.unscanned.clear();
        }
        Ok(())
    }

    fn end_lane(&mut self) {
        self.lane.finish();
        self.counters.merge(self.lane.counters());
        for (name, counts) in self.lane.joins() {
            match self.joins.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => add(sum, &counts),
                None => self.joins.push((name, counts)),
            }
        }
    }

    fn end(mut self, unread: bool) -> Result<Ended, Failure> {
        self.end_lane();
        for written in [self.written.take(), self.unscanned.take()].into_iter().flatten() {
            written.finish()?;
        }
        let Listen { summary, explains, .. } = self.listen;
        let in_part = unread || !summary.foreign.is_empty();
        Ok(Ended { counters: self.counters, joins: self.joins, explains, summary, in_part })
    }
}

fn add(sum: &mut Counts, counts: &Counts) {
    sum.begun += counts.begun;
    sum.completed += counts.completed;
    sum.evicted += counts.evicted;
    sum.timed_out += counts.timed_out;
    sum.no_room += counts.no_room;
    sum.contradicted += counts.contradicted;
    sum.unfinished += counts.unfinished;
}
