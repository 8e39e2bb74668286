//! Where a list lies, and its octets: files and folders of this machine, addresses through `ztsms-fetch`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::{Error, Result};

/// Where a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file, or a folder whose every file is read.
    Path(PathBuf),
    /// An address, fetched by `ztsms-fetch`.
    Http(String),
}

impl Place {
    /// Reads a place.
    ///
    /// # Errors
    /// An address of another scheme, or a path from nowhere.
    pub fn parse(text: &str) -> Result<Self> {
        let (scheme, rest) = text.split_once("://").unzip();
        match scheme.map(str::to_ascii_lowercase).as_deref().zip(rest) {
            Some((scheme @ ("http" | "https"), rest)) if rest.is_empty() || rest.starts_with('/') => {
                Error::refused(format!("{scheme}://: an address has a host, as https://lists.example/bad.txt"))
            }
            Some(("http" | "https", _)) => Ok(Self::Http(text.to_owned())),
            Some(("file", path)) if path.starts_with('/') => Ok(Self::Path(path.into())),
            Some((scheme, _)) => Error::refused(format!("{scheme}:// is no way to a list: a path, http:// or https://")),
            None if Path::new(text).is_absolute() => Ok(Self::Path(text.into())),
            None => Error::refused(format!("{text:?}: the console does not know from where; say the whole path")),
        }
    }
}

/// The files of a place on this machine, in order of their names.
///
/// # Errors
/// It cannot be read, or a folder has none.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let meta = path.metadata().map_err(Error::file(path, "read"))?;
    if meta.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    if !meta.is_dir() {
        // A pipe or a terminal: whoever opens it waits for somebody at its other end.
        return Error::refused(format!("{}: neither a file nor a folder", path.display()));
    }
    let entries = path.read_dir().and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(Error::file(path, "list"))?;
    let hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let mut files: Vec<PathBuf> =
        entries.iter().map(std::fs::DirEntry::path).filter(|path| path.is_file() && !hidden(path)).collect();
    files.sort();
    if files.is_empty() { Error::refused(format!("{}: no file in it", path.display())) } else { Ok(files) }
}

/// Opens a list: unpacked if it is gzip, refused if its first octets are no list's.
///
/// # Errors
/// It cannot be read, or is a page, an archive, or in an encoding that is not UTF-8.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>> {
    let failed = |error| Error::File(path.to_owned(), "read", error);
    let mut file = File::open(path).map_err(failed)?;
    let start = start(&mut file).map_err(failed)?;
    let whole = io::Cursor::new(start.clone()).chain(file);
    if start.starts_with(&[0x1f, 0x8b]) {
        let mut inner = MultiGzDecoder::new(whole);
        let start = self::start(&mut inner).map_err(failed)?;
        is_a_list(&start).or_else(|why| Error::refused(format!("{}: {why}", path.display())))?;
        return Ok(Box::new(io::Cursor::new(start).chain(inner)));
    }
    is_a_list(&start).or_else(|why| Error::refused(format!("{}: {why}", path.display())))?;
    Ok(Box::new(whole))
}

/// Octets by which a page or an archive is told.
const START: u64 = 1024;

fn start(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    reader.by_ref().take(START).read_to_end(&mut start)?;
    Ok(start)
}

fn is_a_list(start: &[u8]) -> Result<(), &'static str> {
    let text = String::from_utf8_lossy(start);
    let head = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    match start {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err("UTF-16: lists are UTF-8"),
        [b'P', b'K', 3, 4, ..] => Err("a zip archive: name the list in it, unpacked or as gzip"),
        [b'B', b'Z', b'h', ..] | [0xfd, b'7', b'z', ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Err("packed in a way that is not read: unpacked, or as gzip")
        }
        _ if ["<!doctype", "<html", "<head", "<body", "<?xml"].iter().any(|tag| head.starts_with(tag)) => {
            Err("a page and not a list: the address may have moved, or ask for a login")
        }
        _ if start.contains(&0) => Err("binary: lists are text in UTF-8"),
        _ => Ok(()),
    }
}

/// Reads no more than so many octets; one more is an error, so that a bomb is not half a list.
pub(super) struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R> Bounded<R> {
    /// So many octets of `inner`.
    pub(super) const fn new(inner: R, most: u64) -> Self {
        Self { inner, left: most }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(to)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than the source's limit of octets")),
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_archives_and_other_encodings_are_no_lists() {
        for (start, what) in [
            (&b"<!DOCTYPE html><html>"[..], "page"),
            (b"\xef\xbb\xbf  <HTML>", "page"),
            (b"\xff\xfea\0.\0", "UTF-16"),
            (b"PK\x03\x04", "zip"),
            (b"a.example\0", "binary"),
        ] {
            assert!(is_a_list(start).unwrap_err().contains(what), "{start:?}");
        }
        assert_eq!(is_a_list(b"\xef\xbb\xbf# a list\na.example\n"), Ok(()));
        assert_eq!(is_a_list(b""), Ok(()));
    }

    #[test]
    fn a_place_is_a_whole_path_or_an_address() {
        assert_eq!(Place::parse("/a/b").unwrap(), Place::Path("/a/b".into()));
        assert_eq!(Place::parse("https://x.example/a").unwrap(), Place::Http("https://x.example/a".into()));
        for wrong in ["a/b", "ftp://x.example/a", "file://a/b", "gopher://x", "http://", "https:///x"] {
            assert!(Place::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_octet_too_many_is_an_error_and_not_an_end() {
        let mut all = Vec::new();
        assert!(Bounded::new(&b"12345"[..], 5).read_to_end(&mut all).is_ok());
        assert!(Bounded::new(&b"123456"[..], 5).read_to_end(&mut all).is_err());
    }
}
