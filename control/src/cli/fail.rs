//! Why a command could not be done, and the exit status that says so.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A command ended early.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file could not be made, opened, read or written.
    #[error("{}: cannot {doing}: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was being done: `create`, `read`, `write`.
        doing: &'static str,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// Standard output could not be written.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
    /// The arguments make no sense together: exit status 2.
    #[error("{0}")]
    Usage(String),
    /// Something else, said in full.
    #[error("{0}")]
    Said(String),
}

impl Failure {
    /// A file failed.
    pub fn file(path: &Path, doing: &'static str, error: io::Error) -> Self {
        Self::File { path: path.to_owned(), doing, error }
    }

    /// Whoever read our output went away: no failure at all.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) | Self::File { error, .. } if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit status.
    pub const fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ => 1,
        }
    }
}

/// Says on standard error what is wrong, a line each, nothing of strangers raw.
pub(crate) fn complain(what: &impl std::fmt::Display) {
    let text: String = what.to_string().lines().map(|line| format!("ztsms: {}\n", crate::terminal::shown(line))).collect();
    #[cfg(all(feature = "live", target_os = "linux"))]
    super::voice::say(text);
    #[cfg(not(all(feature = "live", target_os = "linux")))]
    write(&text);
}

/// Complaints about one capture that are said; the rest is counted.
const COMPLAINTS: u64 = 10;

/// What could not be read of one capture.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    pub(super) seen: u64,
}

impl Complaints {
    pub(super) fn add(&mut self, error: &pcaps::read::ReadError) {
        self.seen += 1;
        if self.seen <= COMPLAINTS {
            complain(error);
        }
    }

    /// There are no more.
    pub(super) fn end(&self, name: &str) {
        if self.seen > COMPLAINTS {
            complain(&format_args!("{name}: {} more like these", self.seen - COMPLAINTS));
        }
    }
}

/// Writes to standard error. Without one there is nobody to tell.
pub(super) fn write(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
