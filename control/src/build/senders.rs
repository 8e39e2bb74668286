//! `DIR/senders`: protected senders that the console adds to those of the filter's own configuration, `sender,hosts` a line.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use dataplane::policy::Protected;
use dataplane::verdicts::regular;

use super::{Error, at};

const COLUMNS: &str = "sender,hosts";
/// Protected senders at most: each message with links is compared with all of them.
pub const MOST: usize = 2_000;

/// The protected senders of a verdict directory; none where it has no such file.
///
/// # Errors
/// The file cannot be read, or a line of it: nothing is left out silently.
pub fn read(dir: &Path) -> Result<Vec<Protected>, Error> {
    text(dir)?.map_or_else(|| Ok(Vec::new()), |text| parse(dir, &text))
}

/// The file's octets, if there is one.
///
/// # Errors
/// It cannot be read.
pub fn text(dir: &Path) -> Result<Option<String>, Error> {
    let path = dir.join("senders");
    match regular::text(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        text => text.map(Some).map_err(at(&path)),
    }
}

/// Reads the file's octets.
///
/// # Errors
/// The first line that cannot be read, by its number.
pub fn parse(dir: &Path, text: &str) -> Result<Vec<Protected>, Error> {
    let wrong = |line: u64, why: &str| Error::OverlayLine(dir.join("senders"), line, why.to_owned());
    let mut lines = (1..).zip(text.lines());
    if lines.next().map(|(_, line)| line) != Some(COLUMNS) {
        return Err(wrong(1, "the first line is sender,hosts"));
    }
    let mut found = Vec::new();
    for (n, line) in lines {
        // The sender is quoted, the hosts are not: a comma behind the last quote parts them.
        let (sender, hosts) = line.rsplit_once(',').ok_or_else(|| wrong(n, "not sender,hosts"))?;
        let sender = sender.strip_prefix('"').and_then(|s| s.strip_suffix('"')).ok_or_else(|| wrong(n, "a sender in quotes"))?;
        let domains: Vec<String> = hosts.split_whitespace().map(str::to_owned).collect();
        if sender.is_empty() || domains.is_empty() {
            return Err(wrong(n, "a sender and at least one host of its own"));
        }
        if found.len() == MOST {
            return Err(wrong(n, "more protected senders than may be"));
        }
        found.push(Protected { sender: sender.replace("\"\"", "\""), domains });
    }
    Ok(found)
}

/// The file's octets for these senders.
pub fn to_text(senders: &[Protected]) -> String {
    let line = |one: &Protected| format!("\"{}\",{}\n", one.sender.replace('"', "\"\""), one.domains.join(" "));
    core::iter::once(format!("{COLUMNS}\n")).chain(senders.iter().map(line)).collect()
}

/// Writes the file by renaming.
///
/// # Errors
/// The directory cannot be written; the file is as it was.
pub fn write(dir: &Path, text: &str) -> Result<(), Error> {
    let (new, path) = (dir.join("senders.new"), dir.join("senders"));
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &path)
    };
    write().map_err(at(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_are_read_as_they_were_written() {
        let one = |sender: &str, hosts: &[&str]| Protected {
            sender: sender.to_owned(),
            domains: hosts.iter().map(|host| (*host).to_owned()).collect(),
        };
        let senders = [one("MyBank", &["bank.example"]), one("a, \"b\"", &["b.example", "c.example"])];
        assert_eq!(parse(Path::new(""), &to_text(&senders)).unwrap(), senders);
        for bad in ["", "sender,hosts\nMyBank,a.example\n", "sender,hosts\n\"MyBank\",\n", "sender,hosts\n\"MyBank\"\n"] {
            assert!(parse(Path::new(""), bad).is_err(), "{bad:?}");
        }
    }
}
