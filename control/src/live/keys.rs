//! Secrets of this filter: a file of 32 hexadecimal digits, made once, readable by the filter alone.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// An error of the system, with the file that it is about.
pub(super) fn of(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The key at `named`, which must be there; else the one at `made` in the state directory, made if it is not.
pub(super) fn read_or_make(named: Option<&Path>, state: &Path, made: &str) -> io::Result<PathBuf> {
    if let Some(path) = named {
        return fs::metadata(path).map(|_| path.to_owned()).map_err(|error| of(path, &error));
    }
    let path = state.join(made);
    if path.exists() {
        return Ok(path);
    }
    fs::create_dir_all(state).map_err(|error| of(state, &error))?;
    let mut secret = [0; 16];
    io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut secret)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(|error| of(&path, &error))?;
    let written = writeln!(file, "{:032x}", u128::from_be_bytes(secret)).and_then(|()| file.sync_all());
    written.map_err(|error| of(&path, &error))?;
    Ok(path)
}

/// The number that such a file holds.
pub(super) fn number(path: &Path) -> io::Result<u128> {
    let text = fs::read_to_string(path).map_err(|error| of(path, &error))?;
    let digits = text.trim();
    let number = u128::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 32);
    number.ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: not a key of 32 hexadecimal digits", path.display()))
    })
}
