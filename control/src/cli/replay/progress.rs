//! The progress bar: rate and time left, on a terminal only.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::source::Far;

/// How often it is drawn.
const EVERY: Duration = Duration::from_millis(200);

/// A bar on standard error; nothing where that is no terminal, or where the result scrolls over it.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar over the size of `files`, as far as it is known.
    pub(super) fn new(files: &[PathBuf], json: bool) -> Self {
        let shown = std::io::stderr().is_terminal() && !(json && std::io::stdout().is_terminal());
        if !shown {
            return Self { bar: ProgressBar::hidden() };
        }
        let size: Option<u64> =
            files.iter().map(|path| path.metadata().ok().filter(std::fs::Metadata::is_file).map(|m| m.len())).sum();
        let (bar, style) = match size {
            Some(size) => (ProgressBar::new(size), "{bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} left  {msg}"),
            None => (ProgressBar::no_length(), "{spinner} {bytes} {binary_bytes_per_sec} {elapsed}  {msg}"),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(5));
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(EVERY);
        Self { bar }
    }

    /// Shows how far reading is.
    pub(super) fn show(&self, far: &Far) {
        if !self.bar.is_hidden() {
            self.bar.set_position(far.octets.load(Ordering::Relaxed));
            self.bar.set_message(format!("{} frames", far.frames.load(Ordering::Relaxed)));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
