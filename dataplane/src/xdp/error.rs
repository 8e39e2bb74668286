//! What stands in the way of the wire, and what to change.

use std::fmt::Display;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What is wrong, in full, with what to do about it where that is known.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Error {
    what: String,
}

impl Error {
    /// This is wrong.
    pub fn new(what: impl Display) -> Self {
        Self { what: what.to_string() }
    }

    /// The system refused to do this.
    pub(super) fn system(doing: impl Display, error: &io::Error) -> Self {
        let help = match error.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => {
                ": root is needed, or the capabilities CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_NET_RAW"
            }
            Some(libc::ENOBUFS | libc::ENOMEM) => ": not enough memory may be locked (ulimit -l)",
            _ => "",
        };
        Self { what: format!("cannot {doing}: {error}{help}") }
    }

    /// The system refused to do this in a directory of bpffs, or to make it: whose it is counts there, and no capability of the filter.
    pub(super) fn within(dir: &Path, doing: impl Display, error: &io::Error) -> Self {
        let there = dir.ancestors().find_map(|dir| Some((dir.display(), fs::metadata(dir).ok()?.uid())));
        match there {
            Some((there, owner)) if error.raw_os_error() == Some(libc::EACCES) => Self::new(format_args!(
                "cannot {doing}: {error}: {there} belongs to user {owner}. As root, give /sys/fs/bpf/ztsms to the user that the filter runs as \
                 (`chown -R`; packaging/ztsms.service has how to make it), or remove it while no filter uses it"
            )),
            _ => Self::system(doing, error),
        }
    }

    /// The system's last refusal.
    pub(super) fn last(doing: impl Display) -> Self {
        Self::system(doing, &io::Error::last_os_error())
    }
}

/// The system's number for what caused an error.
pub(super) fn errno(error: &(dyn std::error::Error + 'static)) -> Option<i32> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(code) = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return Some(code);
        }
        next = error.source();
    }
    None
}

/// An error with all that caused it, in one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut all = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !all.contains(&text) {
            all.push_str(": ");
            all.push_str(&text);
        }
        next = cause.source();
    }
    all
}
