//! What can go wrong at the desk. Whoever asked is told what, where, and what would be right.

use std::io;
use std::path::{Path, PathBuf};

/// A command that was not carried out. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{file}: cannot {doing}: {2}", file = .0.display(), doing = .1)]
    File(PathBuf, &'static str, #[source] io::Error),
    /// The database said no.
    #[error("console.db: {0}")]
    Store(#[from] rusqlite::Error),
    /// The verdict directory said no.
    #[error(transparent)]
    Build(#[from] control::build::Error),
    /// What was asked for makes no sense or is not allowed: says why, and what would be.
    #[error("{0}")]
    Refused(String),
    /// Another process holds the data directory.
    #[error("{}: another ztsms-console holds this directory; a running `serve` is asked through its admin.sock", .0.display())]
    Held(PathBuf),
    /// There is none of that name.
    #[error("{0}")]
    NotFound(String),
    /// The admin socket of a running console said no.
    #[error("{0}")]
    Told(String),
    /// The object of this number in a request has the name of another that was kept before.
    #[error("object {0} has the name of another")]
    Conflict(usize),
    /// The console is stopping.
    #[error("the console is stopping")]
    Stopping,
}

/// What the desk's functions give.
pub type Result<T, E = Error> = core::result::Result<T, E>;

impl Error {
    /// For `map_err`: a file that could not be `doing` (`read`, `write`, …).
    pub fn file<'p>(path: &'p Path, doing: &'static str) -> impl FnOnce(io::Error) -> Self + 'p {
        move |error| Self::File(path.to_owned(), doing, error)
    }

    /// Refused, with the reason.
    pub fn refused<T>(why: impl Into<String>) -> Result<T> {
        Err(Self::Refused(why.into()))
    }
}

/// Whether there was no room on the device.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
