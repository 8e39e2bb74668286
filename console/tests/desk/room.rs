//! A data directory, the binary, and a running `serve`.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use control::verdicts_cmd::{Found, lookup};
use dataplane::suffix::Suffixes;
use serde_json::Value;

pub(crate) struct Room {
    pub(crate) dir: PathBuf,
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A running `serve`, ended in order when dropped.
pub(crate) struct Serve {
    child: Child,
    pub(crate) address: String,
}

impl Drop for Serve {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let begun = Instant::now();
        while self.child.try_wait().is_ok_and(|done| done.is_none()) && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serve {
    /// SIGHUP: read the policy anew.
    #[allow(dead_code, reason = "for the tests of the API, which share this file")]
    pub(crate) fn hang_up(&self) {
        assert!(Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Room {
    /// An empty place.
    pub(crate) fn empty(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("ztsms-desk-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        Self { dir }
    }

    /// A place with a data directory that was opened once.
    pub(crate) fn new(name: &str) -> Self {
        let room = Self::empty(name);
        drop(room.serve());
        room
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(crate) fn list(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }

    /// A command of this directory, as a person types it.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ztsms-console"));
        command.arg("--data").arg(self.data()).args(args).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Done well; what was printed.
    pub(crate) fn well(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Refused; why.
    pub(crate) fn refused(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let text = self.well(&[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn serve(&self) -> Serve {
        self.serve_with(&[])
    }

    pub(crate) fn serve_with(&self, args: &[&str]) -> Serve {
        self.serve_as(args, |_| ())
    }

    /// With an environment of its own.
    pub(crate) fn serve_as(&self, args: &[&str], change: impl FnOnce(&mut Command)) -> Serve {
        let mut command = self.command(&[&["serve", "--listen", "127.0.0.1:0"], args].concat());
        change(&mut command);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("http://127.0.0.1:"), "{address}");
        Serve { child, address: address.trim().to_owned() }
    }

    /// What a filter that reads the files now says of a link.
    pub(crate) fn finds(&self, link: &str) -> Found {
        finds(&self.data().join("verdicts"), link)
    }

    pub(crate) fn says(&self, link: &str) -> &'static str {
        self.finds(link).verdict
    }
}

pub(crate) fn finds(verdicts: &Path, link: &str) -> Found {
    let suffixes = Suffixes::built_in();
    let table = control::build::open(verdicts, &suffixes).unwrap_or_else(|error| panic!("{error}"));
    lookup(&table, link, "", &suffixes)
}
