//! `DIR/suspended`: sources and rules that the console took out of force at once. A line each, `source NAME` or `rule NAME`.
//!
//! What a suspended source calls dangerous is unknown, and a suspended rule of the policy only observes. The file needs no signature, since it
//! only ever makes a filter do less.

use std::fs;
use std::io;
use std::path::Path;

use dataplane::policy::Policy;
use dataplane::verdicts::{Table, regular};

use super::{Error, at};

/// Its name.
pub const FILE: &str = "suspended";
/// Names at most: each entry that calls a link dangerous is compared with all of them.
pub const MOST: usize = 1_000;

/// What is out of force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suspended {
    /// Sources of entries.
    pub sources: Vec<String>,
    /// Rules of the policy.
    pub rules: Vec<String>,
}

impl Suspended {
    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty() && self.rules.is_empty()
    }

    /// Takes the sources out of a table.
    #[must_use]
    pub fn table(&self, table: Table) -> Table {
        table.without_sources(&self.sources)
    }

    /// Lets the rules of a policy observe.
    #[must_use]
    pub fn policy(&self, policy: Policy) -> Policy {
        policy.with_observed(&self.rules)
    }

    /// The file's octets.
    pub fn to_text(&self) -> String {
        let sources = self.sources.iter().map(|name| format!("source {name}\n"));
        sources.chain(self.rules.iter().map(|name| format!("rule {name}\n"))).collect()
    }
}

/// What is suspended in a verdict directory; nothing where it has no such file.
///
/// # Errors
/// The file cannot be read, or a line of it: nothing is left out silently.
pub fn read(dir: &Path) -> Result<Suspended, Error> {
    let path = dir.join(FILE);
    let text = match regular::text(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Suspended::default()),
        text => text.map_err(at(&path))?,
    };
    let mut found = Suspended::default();
    for (number, line) in (1..).zip(text.lines()) {
        let wrong = |why: &str| Error::OverlayLine(path.clone(), number, why.to_owned());
        let (what, name) = line.split_once(' ').filter(|(_, name)| !name.trim().is_empty()).unwrap_or_default();
        match what {
            "source" => found.sources.push(name.to_owned()),
            "rule" => found.rules.push(name.to_owned()),
            _ => return Err(wrong("source NAME or rule NAME")),
        }
        if found.sources.len() + found.rules.len() > MOST {
            return Err(wrong("more than may be suspended"));
        }
    }
    Ok(found)
}

/// Writes the file by renaming, if it says something else.
///
/// # Errors
/// The directory cannot be written; the file is as it was.
pub fn write(dir: &Path, suspended: &Suspended) -> Result<(), Error> {
    let (new, path, text) = (dir.join("suspended.new"), dir.join(FILE), suspended.to_text());
    // None is as good as an empty one.
    if fs::read_to_string(&path).unwrap_or_default() == text {
        return Ok(());
    }
    fs::write(&new, text).and_then(|()| fs::rename(&new, &path)).map_err(at(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_suspended_is_read_as_it_was_written_and_a_bad_line_is_named() {
        let dir = std::env::temp_dir().join(format!("ztsms-suspended-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        assert!(read(&dir).unwrap().is_empty());
        let all = Suspended { sources: vec!["phish".to_owned()], rules: vec!["no banks by phone".to_owned()] };
        write(&dir, &all).unwrap();
        assert_eq!(read(&dir).unwrap(), all);
        for bad in ["source\n", "sources phish\n", "\n", "rule  \n"] {
            fs::write(dir.join(FILE), format!("rule a\n{bad}")).unwrap();
            assert!(read(&dir).unwrap_err().to_string().contains("line 2"), "{bad:?}");
        }
        fs::remove_dir_all(&dir).unwrap();
    }
}
