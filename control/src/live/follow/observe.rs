//! `DIR/observe`: while it stands there, nothing is carried out. Looked at on a thread of its own: nothing may be in the way of it. It needs
//! no signature, since it only ever makes a filter do less.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::News;

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
        match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => return Some(error.to_string()),
            // A reason that cannot be read is none.
            Ok(file) => drop(file.take(REASON).read_to_end(&mut reason)),
        }
        Some(String::from_utf8_lossy(&reason).trim().to_owned())
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
    let mut observe = Observe::new(dir);
    Builder::new().name("observe".to_owned()).spawn(move || {
        while !stop.load(Relaxed) {
            if let Some(news) = observe.look() {
                give(news);
            }
            std::thread::sleep(every);
        }
    })
}
