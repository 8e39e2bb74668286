//! Whether two paths are one file: what is read must not be written over. One file has many names.

#[cfg(unix)]
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Whether both name one file, or would once it is made.
pub(super) fn is_one(a: &Path, b: &Path) -> bool {
    match (identity(a), identity(b)) {
        (None, None) => a == b || place(a).is_some_and(|place| self::place(b) == Some(place)),
        (a, b) => a == b,
    }
}

/// Device and inode; `-` is standard input, where that is a file.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;
    let metadata = if path.as_os_str() == "-" {
        let stdin = std::io::stdin().as_fd().try_clone_to_owned().ok()?;
        File::from(stdin).metadata().ok().filter(fs::Metadata::is_file)?
    } else {
        fs::metadata(path).ok()?
    };
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}

/// Where a file that is not there would be made.
fn place(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}
