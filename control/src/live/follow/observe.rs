//! `DIR/observe`: while it stands there, nothing is carried out; `DIR/suspended`: sources and rules that are out of force. Looked at on a
//! thread of its own: nothing may be in the way of it. They need no signature, since they only ever make a filter do less.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use dataplane::verdicts::regular;

use super::{News, SUSPENDED_ALARM};
use crate::build::suspended::{self, Suspended};

/// Octets of the reason that are read.
const REASON: u64 = 400;

/// What was last said.
#[derive(Debug)]
pub struct Observe {
    path: PathBuf,
    said: Option<String>,
}

impl Observe {
    /// Of a verdict directory; filters act until it says otherwise.
    pub fn new(dir: &Path) -> Self {
        Self { path: dir.join("observe"), said: None }
    }

    /// Looks once; what changed since.
    pub fn look(&mut self) -> Option<News> {
        let says = self.read();
        if says == self.said {
            return None;
        }
        self.said.clone_from(&says);
        Some(News::Observe(says))
    }

    /// The reason. A file that is there and cannot be read says so all the same.
    fn read(&self) -> Option<String> {
        let mut reason = Vec::new();
        match regular::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => return Some(error.to_string()),
            // A reason that cannot be read is none.
            Ok(file) => drop(file.take(REASON).read_to_end(&mut reason)),
        }
        Some(String::from_utf8_lossy(&reason).trim().to_owned())
    }
}

/// What was last suspended.
#[derive(Debug)]
pub struct Suspensions {
    dir: PathBuf,
    seen: Result<Suspended, String>,
}

impl Suspensions {
    /// Of a verdict directory; nothing is suspended until it says otherwise.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), seen: Ok(Suspended::default()) }
    }

    /// Looks once; what changed since. What cannot be read leaves what was suspended so.
    pub fn look(&mut self) -> Option<News> {
        let says = suspended::read(&self.dir).map_err(|error| error.to_string());
        if self.seen == says {
            return None;
        }
        self.seen.clone_from(&says);
        Some(match says {
            Ok(suspended) => News::Suspended(suspended),
            Err(why) => News::Refused(SUSPENDED_ALARM, why),
        })
    }
}

/// Looks every so often until told to stop.
///
/// # Errors
/// No thread can be made.
pub fn follow(
    dir: &Path,
    every: Duration,
    mut give: impl FnMut(News) + Send + 'static,
    stop: Arc<AtomicBool>,
) -> io::Result<JoinHandle<()>> {
    let (mut observe, mut suspensions) = (Observe::new(dir), Suspensions::new(dir));
    Builder::new().name("observe".to_owned()).spawn(move || {
        while !stop.load(Relaxed) {
            observe.look().into_iter().chain(suspensions.look()).for_each(&mut give);
            std::thread::sleep(every);
        }
    })
}
