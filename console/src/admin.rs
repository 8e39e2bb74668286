//! The admin socket: one line of JSON asks, one line answers. Mode 0660: who may write to it may decide. The author of what is done is
//! the user whose process it is, as the kernel says.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use crate::audit::Actor;
use crate::command::Command;
use crate::desk::Desk;
use crate::{Error, Result, publish};

/// Octets of a question.
const LONGEST: usize = 16 << 20;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Done(Value),
    Error(String),
}

/// The socket of a data directory.
pub fn path(dir: &Path) -> PathBuf {
    dir.join("admin.sock")
}

/// How long a directory is waited for whose holder does not answer: it starts or stops, or is a command that works there for a moment.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long one is waited for that answers.
const DYING: Duration = Duration::from_secs(1);

/// A data directory as it was found.
enum Found {
    /// Its console answers.
    Runs(StdStream),
    /// It is ours.
    Ours(Arc<Desk>),
}

fn find(dir: &Path, fetch: &Path, patience: Duration) -> Result<Found> {
    let begun = Instant::now();
    loop {
        if let Ok(stream) = StdStream::connect(path(dir)) {
            return Ok(Found::Runs(stream));
        }
        match Desk::open_with(dir, fetch) {
            Err(Error::Held(_)) if begun.elapsed() < patience => thread::sleep(Duration::from_millis(20)),
            desk => return desk.map(Found::Ours),
        }
    }
}

/// Opens a data directory for good.
///
/// # Errors
/// Another process holds it; it cannot be read or written.
pub(crate) fn hold(dir: &Path, fetch: &Path) -> Result<Arc<Desk>> {
    // The socket of a process that was killed answers until the last of it is gone.
    let begun = Instant::now();
    loop {
        match find(dir, fetch, PATIENCE)? {
            Found::Ours(desk) => return Ok(desk),
            Found::Runs(_) if begun.elapsed() < DYING => thread::sleep(Duration::from_millis(20)),
            Found::Runs(_) => return Err(Error::Held(dir.to_owned())),
        }
    }
}

/// Asks the running console of a directory; where there is none, takes the directory and does it here, with `ztsms-fetch` at `fetch`.
///
/// # Errors
/// What the desk says.
pub fn ask(dir: &Path, fetch: &Path, command: Command) -> Result<Value> {
    if !path(dir).exists() && !dir.join("console.db").exists() {
        return Error::refused(format!("{}: no data directory yet; `ztsms-console serve --data` makes one", dir.display()));
    }
    let me = fs::metadata("/proc/self").map_or(0, |meta| meta.uid());
    let actor = Actor { name: user(me), via: "command line".to_owned() };
    // Stopping waits for nobody, and for no database.
    let patience = if matches!(command, Command::Observe(Some(_))) { Duration::ZERO } else { PATIENCE };
    let desk = match (find(dir, fetch, patience), &command) {
        (Ok(Found::Runs(stream)), _) => return told(stream, &command),
        (Ok(Found::Ours(desk)), _) => desk,
        (Err(trouble), Command::Observe(Some(why))) => {
            let (why, verdicts) = (format!("{}: {why}", actor.name), dir.join("verdicts"));
            publish::observe(&verdicts, Some(&why))?;
            return Ok(json!({ "observing": why, "unsaid": trouble.to_string() }));
        }
        (Err(trouble), _) => return Err(trouble),
    };
    desk.store().add_sink(Box::new(|head| {
        // Without a standard error there is nobody to tell.
        let _ = writeln!(io::stderr(), "ztsms-console: audit {head}");
        Ok(())
    }));
    desk.obey(&actor, command)
}

fn told(mut stream: StdStream, command: &Command) -> Result<Value> {
    let mut line = serde_json::to_vec(command).map_err(|error| Error::Told(error.to_string()))?;
    line.push(b'\n');
    if line.len() > LONGEST {
        return Err(Error::Told(format!("{} octets are too many for one question: {LONGEST} at most", line.len())));
    }
    let said = |error: io::Error| Error::Told(format!("the running console did not answer: {error}"));
    stream.write_all(&line).map_err(said)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).map_err(said)?;
    match serde_json::from_str(&answer) {
        Ok(Answer::Done(value)) => Ok(value),
        Ok(Answer::Error(why)) => Err(Error::Told(why)),
        Err(_) => {
            Err(Error::Told("the running console went away before it answered: look what was done, and ask again".to_owned()))
        }
    }
}

/// The socket, bound. What a process that is gone left behind is removed: the directory's lock is held.
///
/// # Errors
/// It cannot be bound.
pub fn bind(dir: &Path) -> Result<UnixListener> {
    let path = path(dir);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::File(path, "remove", error)),
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(Error::file(&path, "bind"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o660)).map_err(Error::file(&path, "set the mode of"))?;
    Ok(listener)
}

/// Answers until dropped, each question by itself: a build that takes a minute is in nobody's way.
pub async fn serve(listener: UnixListener, desk: Arc<Desk>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(answer(stream, Arc::clone(&desk)))),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn answer(mut stream: UnixStream, desk: Arc<Desk>) {
    let answer = match question(&mut stream).await {
        Err(why) => Answer::Error(why),
        Ok((actor, command)) => match tokio::task::spawn_blocking(move || desk.obey(&actor, command)).await {
            Ok(Ok(value)) => Answer::Done(value),
            Ok(Err(why)) => Answer::Error(why.to_string()),
            Err(_) => Answer::Error("a fault of the program: see its log".to_owned()),
        },
    };
    let mut line = serde_json::to_vec(&answer).unwrap_or_default();
    line.push(b'\n');
    // Who hangs up before the answer has it no more.
    let _ = stream.write_all(&line).await;
}

async fn question(stream: &mut UnixStream) -> Result<(Actor, Command), String> {
    let peer = stream.peer_cred().map_err(|error| error.to_string())?;
    let mut line = String::new();
    let mut reader = tokio::io::BufReader::new(stream.take(LONGEST as u64));
    reader.read_line(&mut line).await.map_err(|error| error.to_string())?;
    let command = serde_json::from_str(&line).map_err(|error| format!("not a command of this version: {error}"))?;
    Ok((Actor { name: user(peer.uid()), via: "admin socket".to_owned() }, command))
}

/// The name of a user of this machine; its number where it has none.
fn user(id: u32) -> String {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    });
    found.unwrap_or_else(|| format!("uid {id}"))
}
