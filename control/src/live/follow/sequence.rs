//! The numbers of what was in force, in the filter's own state directory: an older overlay, or older senders, signed as they were, are refused.
//!
//! ```text
//! STATE/verdicts/sequence    the console's public key, number of the overlay, number of the senders
//! ```
//!
//! Another key is another console, and its numbers begin anew.

use std::fs;
use std::path::{Path, PathBuf};

use crate::build::{Error, signed::What};

#[derive(Debug, Default)]
pub(super) struct Sequence {
    key: String,
    /// Of the overlay, of the senders; 0: none was in force.
    last: [u64; 2],
    path: Option<PathBuf>,
}

impl Sequence {
    /// As of the last process with this key.
    pub(super) fn of(key: String, state: Option<&Path>) -> Self {
        let path = state.map(|state| state.join("verdicts/sequence"));
        let text = path.as_ref().and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        let mut words = text.split_ascii_whitespace();
        let same = words.next() == Some(&*key);
        let mut number = || words.next().and_then(|word| word.parse().ok()).filter(|_| same).unwrap_or_default();
        Self { last: [number(), number()], key, path }
    }

    /// Numbers of what was in force last.
    pub(super) const fn last(&self) -> [u64; 2] {
        self.last
    }

    /// Whether a file of this number may be taken; `None`: there is no such file.
    ///
    /// # Errors
    /// It is older than one that was in force, or gone.
    pub(super) fn check(&self, dir: &Path, what: What, number: Option<u64>) -> Result<(), Error> {
        let [overlay, senders] = self.last;
        let last = if what == What::Senders { senders } else { overlay };
        match number {
            Some(number) if number < last => Err(Error::Older(dir.join(what.name()), number, last)),
            None if last > 0 => Err(Error::Gone(dir.join(what.name()), last)),
            _ => Ok(()),
        }
    }

    /// These are in force. Where that cannot be written down it holds for this process, and for the next from the next change on.
    pub(super) fn took(&mut self, numbers: [u64; 2]) {
        if self.last == numbers {
            return;
        }
        self.last = numbers;
        if let Some(path) = &self.path {
            let (new, [overlay, senders]) = (path.with_extension("new"), numbers);
            let _ = path.parent().map(fs::create_dir_all);
            let _ = fs::write(&new, format!("{} {overlay} {senders}\n", self.key)).and_then(|()| fs::rename(&new, path));
        }
    }
}
