//! Secrets of this filter: a file of 32 hexadecimal digits, made once, readable by the filter alone.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The key at `named`, which must be there; else the one at `made` in the state directory, made if it is not.
pub(super) fn read_or_make(named: Option<&Path>, state: &Path, made: &str) -> io::Result<PathBuf> {
    if let Some(path) = named {
        return match fs::metadata(path) {
            Ok(_) => Ok(path.to_owned()),
            Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        };
    }
    let path = state.join(made);
    if path.exists() {
        return Ok(path);
    }
    fs::create_dir_all(state)?;
    let mut secret = [0; 16];
    io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut secret)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path)?;
    writeln!(file, "{:032x}", u128::from_be_bytes(secret)).and_then(|()| file.sync_all())?;
    Ok(path)
}

/// The number that such a file holds.
pub(super) fn number(path: &Path) -> io::Result<u128> {
    let text = fs::read_to_string(path)?;
    let digits = text.trim();
    let number = u128::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 32);
    number.ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: not a key of 32 hexadecimal digits", path.display()))
    })
}
