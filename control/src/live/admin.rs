//! The administration socket: one line of JSON asks, one line answers. Mode 0660: who may write to it may stop rewriting.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam::channel::{Sender, bounded};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Status;

/// What can be asked and commanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// The status.
    Status,
    /// No rewriting from now on.
    Pass,
    /// Rewriting again.
    Unpass,
    /// The snapshot before this one.
    Rollback,
    /// The configuration again, all or nothing; what only a start can change says so.
    Reload,
    /// What the breaker returned to observe acts again.
    ResetBreaker,
}

#[derive(Serialize, Deserialize)]
struct Ask {
    command: Command,
}

/// A command on its way to the control thread, with the place for its answer.
pub(super) struct Order {
    pub(super) command: Command,
    pub(super) answer: Sender<Result<Value, String>>,
}

/// The last status, for whoever asks.
#[derive(Default)]
pub(super) struct Latest(Mutex<Arc<Status>>);

impl Latest {
    pub(super) fn set(&self, status: Status) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(status);
    }

    pub(super) fn status(&self) -> Arc<Status> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How long an answer may take: going back reads a snapshot.
const PATIENCE: Duration = Duration::from_secs(30);
/// Nobody keeps the socket by saying nothing.
const SILENCE: Duration = Duration::from_secs(2);
/// Octets of a question.
const LONGEST: u64 = 4096;

/// What is said where one answers already.
pub(crate) const ANOTHER: &str = "another filter answers here: give this one a socket of its own";

/// Whether a filter answers there.
pub(crate) fn answers(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}

/// Asks a running filter.
///
/// # Errors
/// There is none, or it says why not.
pub fn ask(socket: &Path, command: Command) -> io::Result<Value> {
    ask_within(socket, command, PATIENCE)
}

/// The same, for whoever cannot wait so long.
///
/// # Errors
/// There is none, it says why not, or nothing in time.
pub fn ask_within(socket: &Path, command: Command, patience: Duration) -> io::Result<Value> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let mut line = serde_json::to_vec(&Ask { command })?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    let value: Value = serde_json::from_str(&answer)?;
    match value.get("error").and_then(Value::as_str) {
        Some(error) => Err(io::Error::other(error.to_owned())),
        None => Ok(value),
    }
}

/// Whether a socket can stand there, once whoever answers there is gone: its directory is made, and this thread may make files in it.
pub(super) fn may_be_bound(path: &Path) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(dir)?;
    is_no_other(path)?;
    // Rights are more than a mode tells: what can be made and taken away again can be made.
    let trial = dir.join(format!(".ztsms-{}", std::process::id()));
    match fs::OpenOptions::new().write(true).create_new(true).open(&trial) {
        Ok(_) => fs::remove_file(trial),
        // Somebody else has made one.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether nothing but a socket is there, and the path is none that no socket can have. Nothing is made.
pub(super) fn is_no_other(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt as _;
    if SocketAddr::from_pathname(path).is_err() {
        let octets = path.as_os_str().len();
        let why = format!("no socket can have this path: it has {octets} octets, and may have 107 and no NUL");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    match fs::symlink_metadata(path) {
        Ok(there) if !there.file_type().is_socket() => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, "what stands there is no socket, and stays"))
        }
        _ => Ok(()),
    }
}

/// The socket, bound; its file goes when this does.
pub(super) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Binds it. What a process that is gone left behind is removed; one that answers is another filter, which may take so long to leave.
    pub(super) fn bind(path: &Path, patience: Duration) -> io::Result<Self> {
        may_be_bound(path)?;
        let begun = Instant::now();
        while answers(path) {
            if begun.elapsed() >= patience {
                return Err(io::Error::new(io::ErrorKind::AddrInUse, ANOTHER));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Answers until told to stop, a thread a question: none waits for another.
    pub(super) fn serve(self, orders: Sender<Order>, latest: Arc<Latest>, stop: Arc<AtomicBool>) -> io::Result<JoinHandle<()>> {
        Builder::new().name("admin".to_owned()).spawn(move || {
            while !stop.load(Relaxed) {
                match self.listener.accept() {
                    Ok((stream, _)) => {
                        let (orders, latest) = (orders.clone(), Arc::clone(&latest));
                        // Who cannot be answered asks again.
                        let _ = Builder::new().name("answer".to_owned()).spawn(move || answer(stream, &orders, &latest));
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(10)),
                }
            }
        })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn answer(mut stream: UnixStream, orders: &Sender<Order>, latest: &Latest) {
    let answer = question(&stream).and_then(|command| match command {
        Command::Status => serde_json::to_value(&*latest.status()).map_err(|error| error.to_string()),
        command => {
            let (answer, receive) = bounded(1);
            let sent = orders.send(Order { command, answer });
            sent.map_err(|_| "stopping".to_owned())?;
            receive.recv_timeout(PATIENCE).map_err(|_| "no answer in time".to_owned())?
        }
    });
    let value = answer.unwrap_or_else(|error| json!({ "error": error }));
    // Who hangs up before the answer has it no more.
    let _ = writeln!(stream, "{value}");
}

fn question(stream: &UnixStream) -> Result<Command, String> {
    let said = |error: io::Error| error.to_string();
    stream.set_nonblocking(false).and_then(|()| stream.set_read_timeout(Some(SILENCE))).map_err(said)?;
    let mut line = String::new();
    BufReader::new(stream.take(LONGEST)).read_line(&mut line).map_err(said)?;
    serde_json::from_str::<Ask>(&line).map(|ask| ask.command).map_err(|error| format!("not a question: {error}"))
}
