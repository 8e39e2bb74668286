//! One filter a port: a locked file for each interface, with the holder's process id in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dataplane::xdp::Error;
use rustix::process::{Pid, Signal, kill_process};

use super::plan::{Plan, namespace};

const DIR: &str = "/run/ztsms";
/// An ordered stop takes its drain and no more.
const LEAVES: Duration = Duration::from_secs(5);

/// Held as long as the filter is there; the system lets go of it however the process ends.
#[derive(Debug)]
pub struct Locks {
    _held: Vec<File>,
}

fn path(interface: &str) -> PathBuf {
    Path::new(DIR).join(format!("{interface}{}.lock", namespace()))
}

fn failed(path: &Path, doing: &str, error: &std::io::Error) -> Error {
    Error::new(format_args!("{}: cannot {doing}: {error}", path.display()))
}

fn try_lock(path: &Path) -> Result<Option<File>, Error> {
    let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let mut file = options.map_err(|error| failed(path, "open", &error))?;
    match file.try_lock() {
        Ok(()) => {
            let id = std::process::id();
            let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{id}"));
            written.map_err(|error| failed(path, "write", &error))?;
            Ok(Some(file))
        }
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(path, "lock", &error)),
    }
}

fn named(holder: Option<Pid>) -> String {
    holder.map_or_else(|| "unknown".to_owned(), |id| id.as_raw_nonzero().to_string())
}

fn taken(interface: &str, holder: Option<Pid>) -> Error {
    let id = named(holder);
    Error::new(format_args!(
        "{interface} has a filter already (process {id}): `--take-over` puts this one in its place, `--remove` takes it away"
    ))
}

/// Who holds the lock of an interface.
fn holder(path: &Path) -> Option<Pid> {
    let mut file = File::open(path).ok()?;
    match file.try_lock_shared() {
        Ok(()) => None,
        Err(_) => {
            let mut text = String::new();
            file.read_to_string(&mut text).ok()?;
            Pid::from_raw(text.trim().parse().ok()?)
        }
    }
}

impl Locks {
    /// Whether nobody holds the lock of any interface, or who does. Nothing is taken.
    pub fn are_free(plan: &Plan) -> Result<(), Error> {
        plan.interfaces().try_for_each(|interface| match holder(&path(interface)) {
            Some(id) => Err(taken(interface, Some(id))),
            None => Ok(()),
        })
    }

    /// Takes the lock of every interface. With `take_over` whoever holds one is asked to leave, and waited for.
    pub fn take(plan: &Plan, take_over: bool) -> Result<Self, Error> {
        let dir = Path::new(DIR);
        fs::create_dir_all(dir).map_err(|error| failed(dir, "make", &error))?;
        let mut held = Vec::new();
        for interface in plan.interfaces() {
            let path = path(interface);
            held.push(match try_lock(&path)? {
                Some(file) => file,
                None => Self::wait(interface, &path, take_over)?,
            });
        }
        Ok(Self { _held: held })
    }

    fn wait(interface: &str, path: &Path, take_over: bool) -> Result<File, Error> {
        let holder = holder(path);
        if !take_over {
            return Err(taken(interface, holder));
        }
        if let Some(id) = holder {
            // Gone in the meantime is what is wanted.
            let _ = kill_process(id, Signal::TERM);
        }
        let started = Instant::now();
        while started.elapsed() < LEAVES {
            if let Some(file) = try_lock(path)? {
                return Ok(file);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(Error::new(format_args!(
            "{interface}: process {} does not leave; it goes on, and nothing was changed",
            named(holder)
        )))
    }

    /// Asks the filter of each interface, or of all where none is named, to do this. How many were asked.
    pub fn tell(interfaces: &[String], signal: Signal) -> usize {
        let here = namespace();
        let paths: Vec<PathBuf> = if interfaces.is_empty() {
            let entries = fs::read_dir(DIR).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
            let of_here = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().ends_with(&here);
            entries.filter(of_here).collect()
        } else {
            interfaces.iter().map(|interface| path(interface)).collect()
        };
        let mut holders: Vec<Pid> = paths.iter().filter_map(|path| holder(path)).collect();
        holders.sort_unstable_by_key(|id| id.as_raw_nonzero());
        holders.dedup();
        holders.into_iter().filter(|&id| kill_process(id, signal).is_ok()).count()
    }
}
