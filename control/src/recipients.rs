//! Profiles of recipients: a CSV to the table that the data plane looks into, and the table to a policy.
//!
//! ```text
//! DIR/recipients   the table
//! DIR/key          16 secret octets in hexadecimal, as in a verdict directory; made at the first build and kept
//! ```

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use dataplane::policy::Policy;
use dataplane::policy::profiles::{self, Kind, Language, Profile, Recipients, Refused, Subscriber};
use dataplane::verdicts::regular;

use crate::build;

/// Name of the table in its directory.
pub const FILE: &str = "recipients";

/// What is wrong with a list or a table of recipients.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that cannot be read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A line that is none.
    #[error("{}:{line}: {what}", path.display())]
    Line {
        /// The list.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// A table that is not taken.
    #[error("{}: {why}", path.display())]
    Table {
        /// The table.
        path: PathBuf,
        /// Why.
        why: Refused,
    },
    /// The key beside it.
    #[error(transparent)]
    Key(#[from] build::Error),
}

fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Error + '_ {
    move |cause| Error::File { path: path.to_owned(), cause }
}

/// Builds the table of a CSV into a directory: how many recipients it holds.
///
/// A line is `imsi:DIGITS` or `msisdn:DIGITS` (a number in international form, with or without `+`), the kind of profile, and perhaps a language
/// by its code. Empty lines, and those that begin with `#`, say nothing; nor does a first line `subscriber,profile,language`.
///
/// # Errors
/// The first line that is not one, two lines for one subscriber, and files that cannot be read or written.
pub fn build(list: &Path, dir: &Path) -> Result<usize, Error> {
    let text = fs::read_to_string(list).map_err(file(list))?;
    let mut codes: Vec<&str> = Vec::new();
    let mut entries = Vec::new();
    for (line, text) in (1..).zip(text.trim_start_matches('\u{feff}').lines().map(str::trim)) {
        if text.is_empty() || text.starts_with('#') || (line == 1 && text.to_ascii_lowercase().starts_with("subscriber,")) {
            continue;
        }
        let entry = entry(text, &mut codes);
        entries.push(entry.map_err(|what| Error::Line { path: list.to_owned(), line, what })?);
    }
    fs::create_dir_all(dir).map_err(file(dir))?;
    let key = build::key_of(dir)?;
    let table = profiles::build(&entries, &codes, &key).map_err(|why| Error::Table { path: list.to_owned(), why })?;
    // Renamed into place: whoever reads meanwhile reads the old one.
    let (path, new) = (dir.join(FILE), dir.join(format!("{FILE}.new")));
    fs::write(&new, table).and_then(|()| fs::rename(&new, &path)).map_err(file(&path))?;
    Ok(entries.len())
}

fn entry<'t>(line: &'t str, codes: &mut Vec<&'t str>) -> Result<(Subscriber<'t>, Profile), String> {
    let mut fields = line.split(',').map(str::trim);
    let mut field = || fields.next().unwrap_or_default();
    let (subscriber, kind, language) = (field(), field(), field());
    if fields.any(|field| !field.is_empty()) {
        return Err("more than subscriber, profile and language".to_owned());
    }
    let (key, digits) = subscriber.split_once(':').unwrap_or_default();
    let digits = digits.trim();
    let number = digits.strip_prefix('+').unwrap_or(digits);
    let subscriber = match key.trim().to_ascii_lowercase().as_str() {
        // E.212 §4: country, network and subscriber, 15 digits at most.
        "imsi" if are_digits(digits, 6) => Subscriber::Imsi(digits),
        // E.164 §6: no country code begins with 0, 15 digits at most.
        "msisdn" if are_digits(number, 4) && !number.starts_with('0') => Subscriber::Msisdn(number),
        "imsi" => return Err("an IMSI is 6 to 15 digits, as in imsi:208011234567890".to_owned()),
        "msisdn" => return Err("a number is in international form, 4 to 15 digits, as in msisdn:33600000001".to_owned()),
        _ => return Err("not a subscriber: imsi:208011234567890 or msisdn:33600000001".to_owned()),
    };
    let kind = Kind::parse(&kind.to_ascii_lowercase()).ok_or("not a profile: off, observe, warn, quiet or strict")?;
    if language.is_empty() {
        return Ok((subscriber, Profile { kind, language: None }));
    }
    let known = codes.iter().position(|code| *code == language).unwrap_or_else(|| {
        codes.push(language);
        codes.len() - 1
    });
    let fits = u8::try_from(known).ok().filter(|n| *n < Language::MAX_LANGUAGES && language.len() <= 16);
    let number = fits.ok_or("more than 11 languages, or a code of more than 16 letters")?;
    Ok((subscriber, Profile { kind, language: Some(Language(number)) }))
}

fn are_digits(text: &str, least: usize) -> bool {
    (least..=15).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit())
}

/// Reads a table for a policy, whose languages it names.
///
/// # Errors
/// The table or its key cannot be read, or it is not one that goes with this policy.
pub fn read(path: &Path, policy: &Policy) -> Result<Recipients, Error> {
    let mut octets = Vec::new();
    regular::open(path).and_then(|mut from| from.read_to_end(&mut octets)).map_err(file(path))?;
    let key = build::read_key(path.parent().unwrap_or(Path::new("")))?;
    Recipients::read(&octets, key, |code| policy.language(code)).map_err(|why| Error::Table { path: path.to_owned(), why })
}
