//! The last three snapshots that were in force, in the filter's own state directory, where the console cannot reach them.
//!
//! ```text
//! STATE/verdicts/snapshot, .1, .2    newest first     key, overlay    as they were with the newest     shunned    gone back from
//! ```

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use dataplane::verdicts::{Key, Snapshot};

use crate::build;

/// Snapshots that are kept, the one in force among them.
const KEPT: usize = 3;

pub(super) struct Kept {
    dir: PathBuf,
    writing: Option<JoinHandle<io::Result<()>>>,
}

impl Kept {
    pub(super) fn new(state: &Path) -> Self {
        Self { dir: state.join("verdicts"), writing: None }
    }

    /// Where they are, newest first.
    pub(super) fn snapshots(&self) -> Vec<PathBuf> {
        (0..KEPT).map(|n| self.path(n)).filter(|path| path.exists()).collect()
    }

    fn path(&self, n: usize) -> PathBuf {
        self.dir.join(if n == 0 { "snapshot".to_owned() } else { format!("snapshot.{n}") })
    }

    /// The newest that was not gone back from, if there is one.
    pub(super) fn newest(&self, shunned: &[u64]) -> Option<Snapshot> {
        let read = |path: &PathBuf| Snapshot::read_into_memory(path).ok().filter(|snapshot| !shunned.contains(&snapshot.id()));
        self.snapshots().iter().find_map(read)
    }

    /// Its key, where the directory's cannot be read.
    pub(super) fn key(&self) -> Option<Key> {
        build::read_key(&self.dir).ok()
    }

    pub(super) fn overlay(&self) -> Option<String> {
        fs::read_to_string(self.dir.join("overlay")).ok()
    }

    /// Keeps the decisions that were accepted last. They are small and the next ones follow: what fails is tried with them.
    pub(super) fn keep_overlay(&self, text: &str) {
        let (new, path) = (self.dir.join("overlay.new"), self.dir.join("overlay"));
        let _ = fs::write(&new, text).and_then(|()| fs::rename(&new, &path));
    }

    pub(super) fn shunned(&self) -> Vec<u64> {
        let text = fs::read_to_string(self.dir.join("shunned")).unwrap_or_default();
        text.lines().filter_map(|line| u64::from_str_radix(line, 16).ok()).collect()
    }

    /// Remembers what was gone back from, over a restart. Where it cannot, it holds for this process.
    pub(super) fn shun(&self, ids: &[u64]) {
        let _ = fs::create_dir_all(&self.dir);
        let text: String = ids.iter().map(|id| format!("{id:016x}\n")).collect();
        let _ = fs::write(self.dir.join("shunned"), text);
    }

    /// Keeps a snapshot that is in force now, on a thread of its own. `from` is the verdict directory, for its key.
    pub(super) fn keep(&mut self, snapshot: Arc<Snapshot>, from: &Path) {
        if Snapshot::open(&self.path(0)).is_ok_and(|kept| kept.id() == snapshot.id()) {
            return;
        }
        if let Some(before) = self.writing.take() {
            // Two within the time that one takes to be written: the second waits for the first.
            let _ = before.join();
        }
        let (paths, key) = ((0..KEPT).map(|n| self.path(n)).collect::<Vec<_>>(), from.join("key"));
        let write = move || write(&paths, &key, &snapshot);
        self.writing = std::thread::Builder::new().name("keep".to_owned()).spawn(write).ok();
    }

    /// What came of the last writing, once: `Some(None)` went well.
    pub(super) fn trouble(&mut self) -> Option<Option<String>> {
        let thread = self.writing.take_if(|thread| thread.is_finished())?;
        let done = thread.join().unwrap_or_else(|_| Err(io::Error::other("failed in itself")));
        Some(done.err().map(|error| format!("{}: the snapshot in force could not be kept: {error}", self.dir.display())))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(thread) = self.writing.take() {
            // Half a file under another name is in nobody's way.
            let _ = thread.join();
        }
    }
}

fn write(paths: &[PathBuf], key: &Path, snapshot: &Snapshot) -> io::Result<()> {
    let Some(first) = paths.first() else { return Ok(()) };
    let dir = first.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let new = dir.join("snapshot.new");
    let mut file = File::create(&new)?;
    file.write_all(snapshot.octets()).and_then(|()| file.sync_all()).inspect_err(|_| drop(fs::remove_file(&new)))?;
    fs::copy(key, dir.join("key"))?;
    for pair in paths.windows(2).rev() {
        if let [newer, older] = pair
            && newer.exists()
        {
            fs::rename(newer, older)?;
        }
    }
    fs::rename(&new, first)
}
