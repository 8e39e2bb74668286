//! One filter a port: a locked file for each interface. In it, a line each: the holder's process id, its administration socket, how the
//! interface was before it became a port, and the process id of whoever is about to take its place.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use dataplane::xdp::Error;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::plan::{Plan, namespace};

const DIR: &str = "/run/ztsms";
/// An ordered stop takes its drain and no more.
const LEAVES: Duration = Duration::from_secs(5);

/// Set when whoever waits for a port is told to end.
pub static TOLD_TO_END: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// A start takes as long as the filters that it replaces take to leave and to give their socket up, and little more.
const STARTS: Duration = Duration::from_secs(20);

/// Held while a filter starts, until it stands or has failed, and while one is taken off: of two in one network namespace the second waits for
/// the first, and finds what is pinned whole.
#[derive(Debug)]
pub struct Starting {
    _file: File,
}

impl Starting {
    /// Waits until no other filter is about to start here, or is taken off.
    pub fn begin() -> Result<Self, Error> {
        let begun = Instant::now();
        while begun.elapsed() < STARTS {
            if let Some(alone) = Self::alone()? {
                return Ok(alone);
            }
            if TOLD_TO_END.load(Ordering::Relaxed) {
                return Err(Error::new("told to end while it waited for another filter to start here, or to be taken off"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let id = fs::read_to_string(Self::path()).unwrap_or_default();
        let id = if id.is_empty() { "unknown" } else { &id };
        Err(Error::new(format_args!(
            "process {id} starts a filter here, or takes one off, and has not come to an end within {} s: it hangs, or is stopped. \
             `kill -9 {id}` ends it, then start this one again",
            STARTS.as_secs()
        )))
    }

    /// The same where there is none; nothing is waited for.
    fn alone() -> Result<Option<Self>, Error> {
        let (dir, path) = (Path::new(DIR), Self::path());
        fs::create_dir_all(dir).map_err(|error| failed(dir, "make", &error))?;
        let options = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let mut file = options.map_err(|error| failed(&path, "open", &error))?;
        match file.try_lock() {
            Ok(()) => {
                let written = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
                written.map_err(|error| failed(&path, "write", &error))?;
                Ok(Some(Self { _file: file }))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(&path, "lock", &error)),
        }
    }

    /// Without the ending that the locks of interfaces have.
    fn path() -> PathBuf {
        Path::new(DIR).join(format!("starting{}", namespace()))
    }
}

/// Held as long as the filter is there; the system lets go of it however the process ends.
#[derive(Debug)]
pub struct Locks {
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    interface: String,
    file: File,
    path: PathBuf,
    by: By,
    before: String,
}

/// Whose a lock is, as it says itself.
#[derive(Clone, Debug)]
struct By {
    /// The filter's process; 0 where a filter is taken off: nobody is to signal that one.
    id: u32,
    socket: PathBuf,
}

impl By {
    fn filter(plan: &Plan) -> Self {
        Self { id: std::process::id(), socket: plan.socket.clone() }
    }
}

/// A filter that holds a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process.
    pub id: Pid,
    /// Where it is asked; an older version does not say.
    pub socket: Option<PathBuf>,
}

fn path(interface: &str) -> PathBuf {
    path_in(interface, &namespace())
}

fn path_in(interface: &str, namespace: &str) -> PathBuf {
    Path::new(DIR).join(format!("{interface}{namespace}.lock"))
}

fn failed(path: &Path, doing: &str, error: &std::io::Error) -> Error {
    Error::new(format_args!("{}: cannot {doing}: {error}", path.display()))
}

fn try_lock(interface: &str, path: &Path, by: &By) -> Result<Option<Held>, Error> {
    let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let mut file = options.map_err(|error| failed(path, "open", &error))?;
    match file.try_lock() {
        Ok(()) => {
            let mut text = String::new();
            // What cannot be read was not written by a filter.
            let _ = file.read_to_string(&mut text);
            let before = text.lines().nth(2).unwrap_or_default().to_owned();
            let mut held = Held { interface: interface.to_owned(), file, path: path.to_owned(), by: by.clone(), before };
            held.write()?;
            Ok(Some(held))
        }
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(path, "lock", &error)),
    }
}

impl Held {
    fn write(&mut self) -> Result<(), Error> {
        let Self { file, path, by, before, .. } = self;
        let text = format!("{}\n{}\n{before}\n", by.id, by.socket.display());
        let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes()));
        written.map_err(|error| failed(path, "write", &error))
    }
}

fn named(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| "unknown".to_owned(), |holder| holder.id.as_raw_nonzero().to_string())
}

fn taken(interface: &str, holder: Option<&Holder>) -> Error {
    let id = named(holder);
    Error::new(format_args!(
        "{interface} has a filter already (process {id}): `--take-over` puts this one in its place, `--remove` takes it away"
    ))
}

/// How an interface was before a filter made it a port, as the last one wrote it, whoever holds its lock now.
pub fn was(interface: &str) -> Option<String> {
    let text = fs::read_to_string(path(interface)).ok()?;
    text.lines().nth(2).filter(|before| !before.is_empty()).map(str::to_owned)
}

/// Whether anybody holds the lock of an interface in this namespace.
pub fn is_locked(interface: &str, namespace: &str) -> bool {
    File::open(path_in(interface, namespace)).is_ok_and(|file| file.try_lock_shared().is_err())
}

/// Who holds the lock of an interface.
fn holder(path: &Path) -> Option<Holder> {
    let mut file = File::open(path).ok()?;
    match file.try_lock_shared() {
        Ok(()) => None,
        Err(_) => {
            let mut text = String::new();
            file.read_to_string(&mut text).ok()?;
            let mut lines = text.lines();
            let id = Pid::from_raw(lines.next()?.trim().parse().ok()?)?;
            Some(Holder { id, socket: lines.next().filter(|socket| !socket.is_empty()).map(PathBuf::from) })
        }
    }
}

/// Says to whoever holds a port of this plan that this process takes its place.
pub fn announce(plan: &Plan) {
    say(plan, std::process::id());
}

/// Says that it does not after all.
pub fn withdraw(plan: &Plan) {
    say(plan, 0);
}

/// Whether a filter that nobody has `told` to leave holds a port of this plan.
pub fn is_held(plan: &Plan, told: &[Holder]) -> bool {
    plan.interfaces().filter_map(|interface| holder(&path(interface))).any(|holder| !told.contains(&holder))
}

fn say(plan: &Plan, id: u32) {
    for path in plan.interfaces().map(|interface| path(interface)).filter(|path| holder(path).is_some()) {
        // Where it cannot be said the holder leaves as if for good.
        let file = OpenOptions::new().append(true).open(path);
        let _ = file.and_then(|mut file| writeln!(file, "{id}"));
    }
}

impl Locks {
    /// Whether a process that is there has said that it takes this one's place.
    pub fn have_a_successor(&self) -> bool {
        let is_there = |held: &Held| {
            let text = fs::read_to_string(&held.path).ok()?;
            let next = Pid::from_raw(text.lines().skip(3).last()?.parse().ok()?)?;
            Some(test_kill_process(next) != Err(Errno::SRCH))
        };
        self.held.iter().any(|held| is_there(held).unwrap_or(false))
    }

    /// Whether nobody holds the lock of any interface, or who does. Nothing is taken.
    pub fn are_free(plan: &Plan) -> Result<(), Error> {
        plan.interfaces().try_for_each(|interface| match holder(&path(interface)) {
            Some(holder) => Err(taken(interface, Some(&holder))),
            None => Ok(()),
        })
    }

    /// Takes the lock of every interface, for a filter, where nobody has one.
    pub fn take(plan: &Plan) -> Result<Self, Error> {
        Self::take_by(plan, &By::filter(plan), None)
    }

    /// The same, where whoever holds one is asked to leave, and waited for. Who was asked is `told`.
    pub fn take_over(plan: &Plan, told: &mut Vec<Holder>) -> Result<Self, Error> {
        Self::take_by(plan, &By::filter(plan), Some(told))
    }

    /// The same for whoever takes the filter off.
    pub fn take_off(plan: &Plan) -> Result<Self, Error> {
        Self::take_by(plan, &By { id: 0, socket: PathBuf::new() }, Some(&mut Vec::new()))
    }

    fn take_by(plan: &Plan, by: &By, mut told: Option<&mut Vec<Holder>>) -> Result<Self, Error> {
        let dir = Path::new(DIR);
        fs::create_dir_all(dir).map_err(|error| failed(dir, "make", &error))?;
        let mut held = Vec::new();
        // In one order, whoever takes them: two that wait for one another would do so for good.
        let mut interfaces: Vec<&String> = plan.interfaces().collect();
        interfaces.sort_unstable();
        for interface in interfaces {
            let path = path(interface);
            held.push(match try_lock(interface, &path, by)? {
                Some(file) => file,
                None => Self::wait(interface, &path, by, told.as_deref_mut())?,
            });
        }
        Ok(Self { held })
    }

    fn wait(interface: &str, path: &Path, by: &By, mut told: Option<&mut Vec<Holder>>) -> Result<Held, Error> {
        let started = Instant::now();
        let mut last: Option<Holder> = None;
        while started.elapsed() < LEAVES {
            if let Some(file) = try_lock(interface, path, by)? {
                return Ok(file);
            }
            // Nobody is one who only looked whether it is held, or has not written yet who it is.
            match (holder(path), told.as_deref_mut()) {
                (Some(holder), None) => return Err(taken(interface, Some(&holder))),
                (Some(holder), Some(told)) if last.as_ref() != Some(&holder) => {
                    // Gone in the meantime is what is wanted.
                    let _ = kill_process(holder.id, Signal::TERM);
                    told.push(holder.clone());
                    last = Some(holder);
                }
                _ => {}
            }
            if TOLD_TO_END.load(Ordering::Relaxed) {
                let id = named(last.as_ref());
                return Err(Error::new(format_args!(
                    "{interface}: told to end while it waited for process {id}, which was told to leave and does so when it can"
                )));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let id = named(last.as_ref());
        Err(Error::new(format_args!(
            "{interface}: process {id} was told to leave and has not within {} s: it hangs, or is stopped. `kill -9 {id}` ends it (its \
             frames go by in the kernel), then start this one again",
            LEAVES.as_secs()
        )))
    }

    /// Remembers how an interface was, beyond this process: whoever takes the filter off puts it back.
    pub fn remember(&mut self, interface: &str, before: &str) -> Result<(), Error> {
        let Some(held) = self.held.iter_mut().find(|held| held.interface == interface) else { return Ok(()) };
        before.clone_into(&mut held.before);
        held.write()
    }

    /// Who holds these interfaces, or any of this network namespace where none is named; each once.
    pub fn holders<'i>(interfaces: impl IntoIterator<Item = &'i String>) -> Vec<Holder> {
        let here = namespace();
        let mut paths: Vec<PathBuf> = interfaces.into_iter().map(|interface| path(interface)).collect();
        if paths.is_empty() {
            let entries = fs::read_dir(DIR).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
            let of_here = |path: &PathBuf| {
                path.extension().is_some_and(|ending| ending == "lock")
                    && path.file_stem().unwrap_or_default().to_string_lossy().ends_with(&here)
            };
            paths.extend(entries.filter(of_here));
        }
        let mut holders: Vec<Holder> = paths.iter().filter_map(|path| holder(path)).collect();
        holders.sort_unstable_by_key(|holder| holder.id.as_raw_nonzero());
        holders.dedup();
        holders
    }
}
