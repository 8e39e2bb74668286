//! What happens by itself: sources are looked at when they are due, decisions end, and what could not be published is tried again.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::audit::Actor;
use crate::desk::Desk;
use crate::{Error, Result, decide, sources, time};

/// Between two rounds.
const ROUND: Duration = Duration::from_millis(500);
/// A look that failed is tried again after so long at the least.
const AGAIN: Duration = Duration::from_secs(60);
/// Publishing that failed: a build may take a minute, and must not take every one.
const PUBLISH_AGAIN: Duration = Duration::from_secs(10);

/// The schedule's thread; dropped, it ends after what it is at.
pub struct Schedule {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Schedule {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// Begins.
///
/// # Errors
/// No thread could be made.
pub fn start(desk: Arc<Desk>) -> Result<Schedule> {
    let (stop, stopped) = channel();
    let thread = std::thread::Builder::new().name("schedule".to_owned()).spawn(move || {
        // By the clock that never jumps: when each source was last looked at by this process.
        let mut looked: HashMap<String, Instant> = HashMap::new();
        let mut failed: Option<Instant> = None;
        while stopped.recv_timeout(ROUND) == Err(RecvTimeoutError::Timeout) {
            // What goes wrong is an alarm already.
            let _ = round(&desk, &mut looked, &mut failed);
        }
    });
    let thread = thread.map_err(Error::file("".as_ref(), "start a thread for the schedule"))?;
    Ok(Schedule { stop: Some(stop), thread: Some(thread) })
}

fn round(desk: &Desk, looked: &mut HashMap<String, Instant>, failed: &mut Option<Instant>) -> Result<()> {
    let now = time::now();
    if decide::expire(desk.store(), now)? > 0 {
        desk.publisher().decisions(desk.store())?;
    }
    for source in desk.store().read(|state| sources::all(state))? {
        let settings = &source.settings;
        if settings.every == 0 || source.suspended.is_some() {
            continue;
        }
        let every = Duration::from_secs(settings.every.unsigned_abs());
        let due = match looked.get(&settings.name) {
            Some(at) => at.elapsed() >= if source.trouble.is_some() { every.min(AGAIN.max(every / 10)) } else { every },
            // Before this process: by the wall, and a time in the future is none.
            None => source.checked.is_none_or(|checked| checked > now || now - checked >= settings.every),
        };
        if due {
            looked.insert(settings.name.clone(), Instant::now());
            // What goes wrong is an alarm already; the others are looked at all the same.
            let _ = desk.import(&Actor::console("schedule"), &settings.name, false);
        }
    }
    if failed.is_some_and(|at| at.elapsed() < PUBLISH_AGAIN) || !desk.is_behind()? {
        return Ok(());
    }
    let done = desk.catch_up();
    *failed = done.is_err().then(Instant::now);
    done
}
