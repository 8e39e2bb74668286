//! Records on standard output: formatted by several workers, written in the order in which they came.
//!
//! A permit is taken for each batch and given back when it was written, so that one slow batch does not let others pile up behind it.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::thread::{Scope, ScopedJoinHandle};

use crossbeam::channel::{Receiver, Sender, bounded};

use crate::record::{Record, Redactor};
use crate::record_json::push_line;

/// Where records go.
pub(super) enum Output<'scope> {
    /// Nowhere: nobody asked for them.
    None,
    /// Formatted here and now.
    Here(Vec<u8>),
    /// Formatted by workers.
    Workers {
        /// Number of the next batch.
        next: u64,
        work: Sender<(u64, Vec<Record>)>,
        permits: Receiver<()>,
        writer: ScopedJoinHandle<'scope, io::Result<()>>,
    },
}

impl<'scope> Output<'scope> {
    /// Formats with `workers` threads, or on this one if there is one alone.
    pub(super) fn new<'env>(scope: &'scope Scope<'scope, 'env>, workers: usize, redactor: Option<&'env Redactor>) -> Self {
        if workers <= 1 {
            return Self::Here(Vec::new());
        }
        let permitted = workers * 4;
        let (work, jobs) = bounded::<(u64, Vec<Record>)>(permitted);
        let (done, lines) = bounded(permitted);
        let (give_back, permits) = bounded(permitted);
        for _ in 0..permitted {
            // There is room for all of them.
            let _ = give_back.send(());
        }
        for _ in 0..workers {
            let (jobs, done) = (jobs.clone(), done.clone());
            scope.spawn(move || {
                for (number, records) in jobs {
                    let mut out = Vec::with_capacity(records.len() * 1024);
                    format(records, redactor, &mut out);
                    if done.send((number, out)).is_err() {
                        return;
                    }
                }
            });
        }
        let writer = scope.spawn(move || write_in_order(&lines, &give_back));
        Self::Workers { next: 0, work, permits, writer }
    }

    /// Hands on the records of a batch.
    pub(super) fn batch(&mut self, records: Vec<Record>, redactor: Option<&Redactor>) -> io::Result<()> {
        match self {
            Self::None => Ok(()),
            Self::Here(out) => {
                out.clear();
                format(records, redactor, out);
                io::stdout().lock().write_all(out)
            }
            Self::Workers { next, work, permits, .. } => {
                // Either fails only when the writer has gone, whose error `finish` returns.
                if permits.recv().is_err() || work.send((*next, records)).is_err() {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                *next += 1;
                Ok(())
            }
        }
    }

    /// Waits until all is written.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Workers { work, permits, writer, .. } => {
                drop((work, permits));
                writer.join().unwrap_or_else(|_| Err(io::Error::other("the writer failed")))
            }
            _ => io::stdout().lock().flush(),
        }
    }
}

fn format(records: Vec<Record>, redactor: Option<&Redactor>, out: &mut Vec<u8>) {
    for mut record in records {
        if let Some(redactor) = redactor {
            redactor.apply(&mut record);
        }
        push_line(out, &record);
    }
}

fn write_in_order(lines: &Receiver<(u64, Vec<u8>)>, give_back: &Sender<()>) -> io::Result<()> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    let mut stdout = io::stdout().lock();
    for (number, out) in lines {
        early.insert(number, out);
        while let Some(out) = early.remove(&next) {
            stdout.write_all(&out)?;
            next += 1;
            // The other side is gone at the end, when no more permits are wanted.
            let _ = give_back.send(());
        }
    }
    stdout.flush()
}
