//! What people decide, in one SQLite file: one thread writes, any number read.
//!
//! [`Store::change`] is the one way to change something: a transaction and its line of the audit log are committed together, to the disk,
//! or neither is. [`Store::note`] writes what follows from changes and the world (alarms, times of fetches) without an audit line.

mod migrations;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use serde_json::Value;

use crate::audit::{self, Actor, Head};
use crate::{Error, Result, alarms};

type Job = Box<dyn FnOnce(&mut Connection) + Send>;
/// Told of each new head of the audit log.
pub type Sink = Box<dyn Fn(&Head) -> Result<()> + Send + Sync>;
/// The alarm that one of them fails.
const ALARM: &str = "audit-log";

#[derive(Default)]
struct Sinks {
    all: Vec<Sink>,
    /// The alarm may be raised, by this process or one before.
    raised: bool,
}

impl Sinks {
    /// A sink that fails is no reason to refuse what was done, which others were told of: an alarm says so.
    fn tell(&mut self, connection: &Connection, head: &Head) {
        let failed = self.all.iter().fold(None, |failed, sink| sink(head).err().or(failed));
        let done = match &failed {
            Some(why) => alarms::raise_in(connection, ALARM, &format!("the audit log's head {} was not told: {why}", head.seq)),
            None if self.raised => alarms::clear_in(connection, ALARM),
            None => return,
        };
        // Without room for the alarm it is tried again with the next head.
        self.raised = failed.is_some() || done.is_err();
    }
}

/// Readers kept open.
const READERS: usize = 8;
/// A reader waits so long for a checkpoint that is in its way.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a change did, for the audit log and for whoever asked.
pub struct Changed<T> {
    /// What was changed: a pattern, a source.
    pub subject: String,
    /// Before, after, reason: whatever tells a reader of the log what happened. No secret, no personal data.
    pub detail: Value,
    /// For the caller.
    pub value: T,
}

/// The database.
pub struct Store {
    path: PathBuf,
    jobs: Option<Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    readers: Mutex<Vec<Connection>>,
    sinks: Arc<Mutex<Sinks>>,
}

impl Store {
    /// Opens or makes `DIR/console.db` and brings it to this version's shape. The caller holds the directory's lock.
    ///
    /// # Errors
    /// It cannot be opened, is damaged, or is of a later version.
    pub fn open(path: &Path) -> Result<Self> {
        let mut writer = Connection::open(path)?;
        writer.busy_timeout(PATIENCE)?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        // Committed is on the disk: a decision that was answered is not lost with the power.
        writer.pragma_update(None, "synchronous", "FULL")?;
        writer.pragma_update(None, "foreign_keys", true)?;
        migrations::run(&mut writer)?;
        let (jobs, next) = channel::<Job>();
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || {
            next.into_iter().for_each(|job| job(&mut writer));
        });
        let writer = thread.map_err(Error::file(path, "start a thread for"))?;
        let sinks = Arc::new(Mutex::new(Sinks::default()));
        Ok(Self { path: path.to_owned(), jobs: Some(jobs), writer: Some(writer), readers: Mutex::default(), sinks })
    }

    /// Every new head of the audit log is handed to this too, after its commit.
    pub fn add_sink(&self, sink: Sink) {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner).all.push(sink);
    }

    /// Hands the present head to every sink: of what was done without them they know by it.
    ///
    /// # Errors
    /// The database's.
    pub fn tell_head(&self) -> Result<()> {
        let sinks = Arc::clone(&self.sinks);
        self.write(move |connection| {
            if let Some(head) = audit::head(connection)? {
                let mut sinks = sinks.lock().unwrap_or_else(PoisonError::into_inner);
                sinks.raised = true;
                sinks.tell(connection, &head);
            }
            Ok(())
        })
    }

    /// Changes something: `change` runs in a transaction, and its line of the audit log is part of it.
    ///
    /// # Errors
    /// `change`'s own, or the database's: nothing was changed then.
    pub fn change<T: Send + 'static>(
        &self,
        actor: &Actor,
        verb: &'static str,
        change: impl FnOnce(&Transaction<'_>) -> Result<Changed<T>> + Send + 'static,
    ) -> Result<T> {
        let (actor, sinks) = (actor.clone(), Arc::clone(&self.sinks));
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let Changed { subject, detail, value } = change(&transaction)?;
            let head = audit::append(&transaction, &actor, verb, &subject, &detail)?;
            transaction.commit()?;
            sinks.lock().unwrap_or_else(PoisonError::into_inner).tell(connection, &head);
            Ok(value)
        })
    }

    /// Writes down what nobody decided: a transaction without an audit line.
    ///
    /// # Errors
    /// `note`'s own, or the database's: nothing was written then.
    pub fn note<T: Send + 'static>(&self, note: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static) -> Result<T> {
        self.write(move |connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = note(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
    }

    fn write<T: Send + 'static>(&self, job: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static) -> Result<T> {
        let (answer, result) = channel();
        let job: Job = Box::new(move |connection| drop(answer.send(job(connection))));
        self.jobs.as_ref().ok_or(Error::Stopping)?.send(job).map_err(|_| Error::Stopping)?;
        // No answer: the job panicked, and with it the thread.
        result.recv().map_err(|_| Error::Stopping)?
    }

    /// Reads the state as of now: what `read` sees does not change meanwhile.
    ///
    /// # Errors
    /// `read`'s own, or the database's.
    pub fn read<T>(&self, read: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = kept.map_or_else(|| self.reader(), Ok)?;
        let value = {
            let transaction = reader.transaction()?;
            read(&transaction)?
        };
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS {
            readers.push(reader);
        }
        Ok(value)
    }

    fn reader(&self) -> Result<Connection> {
        let reader = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        reader.busy_timeout(PATIENCE)?;
        Ok(reader)
    }

    /// A consistent copy of the database while it is in use.
    ///
    /// # Errors
    /// `to` exists or cannot be written.
    pub fn copy_to(&self, to: &Path) -> Result<()> {
        let reader = self.reader()?;
        reader.execute("VACUUM INTO ?1", [to.to_string_lossy()])?;
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // What was asked for is written first; one that panicked has said so.
            let _ = writer.join();
        }
    }
}

#[cfg(test)]
mod tests;
