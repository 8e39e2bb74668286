//! Files that others write: opened without waiting for anybody, and ordinary files only. A pipe in their place would be waited for without end.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

/// Opens an ordinary file to read.
///
/// # Errors
/// There is none, or it is a pipe, a directory, a device.
pub fn open(path: &Path) -> io::Result<File> {
    ordinary(&fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    // What took its place since is not waited for either.
    #[cfg(all(feature = "live", target_os = "linux"))]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path)?;
    ordinary(&file.metadata()?)?;
    Ok(file)
}

/// The text of an ordinary file.
///
/// # Errors
/// As [`open`], or it is no text.
pub fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

fn ordinary(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidInput, "not an ordinary file")) }
}
