//! The program as people and scripts meet it: what it prints, what it writes, how it ends.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic; outside of #[test] functions clippy does not see that this is one"
)]

mod bad_octets;
mod explain;
mod forms;
mod frames;
mod help;
mod hostile;
mod lists;
mod misuse;
mod pages;
mod pushes;
mod replay;
mod scan;
mod schema;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run came to.
#[derive(Debug)]
struct Ran {
    status: i32,
    out: String,
    err: String,
    octets: Vec<u8>,
}

/// Runs `ztsms` in the root of the project, so that names in its output are the same everywhere.
fn ztsms(args: &[&str]) -> Ran {
    ztsms_with(args, b"")
}

fn ztsms_with(args: &[&str], stdin: &[u8]) -> Ran {
    let mut child = command(args).stdin(Stdio::piped()).spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let stdin = stdin.to_vec();
    // A program that does not read its input closes the pipe: no matter.
    let writer = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("the writer ends");
    Ran {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
        octets: output.stdout,
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ztsms"));
    command.args(args).current_dir(root()).env_remove("NO_COLOR").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of the shared test data; without it the test says so and passes.
fn shared(name: &str) -> Option<String> {
    let path = root().join("../shared/data").join(name);
    if path.exists() {
        return Some(path.to_string_lossy().into_owned());
    }
    println!("skipped: ../shared/data is not here");
    None
}

/// A directory of one test's own.
struct Room(PathBuf);

impl Room {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ztsms-test-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }

    fn holding(&self, name: &str, octets: &[u8]) -> String {
        std::fs::write(self.0.join(name), octets).expect("it can be written");
        self.file(name)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const PYCRATE: &str = "pcaps/samples/pycrate.pcapng";
const GENERATED: &str = "pcaps/samples/generated.pcapng";

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(root().join(name)).expect("it ships with the project")
}

fn lines(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
}
