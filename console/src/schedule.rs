//! What happens by itself: sources are looked at when they are due, decisions end, and what could not be published is tried again.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::audit::Actor;
use crate::desk::Desk;
use crate::expand::Links;
use crate::{Error, Result, alarms, clock, decide, sources, time};

/// Between two rounds.
const ROUND: Duration = Duration::from_millis(500);
/// A look that failed is tried again after so long at the least.
const AGAIN: Duration = Duration::from_secs(60);
/// Publishing that failed: a build may take a minute, and must not take every one.
const PUBLISH_AGAIN: Duration = Duration::from_secs(10);
/// Sources that are looked at at once, each by a thread of its own.
const LOOKS_AT_ONCE: usize = 8;
/// Decisions that wait for their minute are handed over so often.
const HAND_OVER: Duration = Duration::from_secs(5);

/// A thread that does something again and again; dropped, it ends after what it is at.
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
    // By the clock that never jumps: when each source was last looked at by this process.
    let mut looked: HashMap<String, Instant> = HashMap::new();
    // When decisions that wait were last handed over, and how many waited then.
    let mut handed = (Instant::now(), 0);
    let mut failed = None::<Instant>;
    let at_once = Arc::new(());
    // What goes wrong is an alarm already.
    every("schedule", ROUND, move || drop(round(&desk, &mut looked, &mut handed, &mut failed, &at_once)))
}

/// Does something again and again, on a thread of its own, until the answer is dropped.
pub(crate) fn every(name: &str, pause: Duration, mut work: impl FnMut() + Send + 'static) -> Result<Schedule> {
    let (stop, stopped) = channel();
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
            work();
        }
    });
    let thread = thread.map_err(Error::file(name.as_ref(), "start a thread for"))?;
    Ok(Schedule { stop: Some(stop), thread: Some(thread) })
}

fn round(
    desk: &Arc<Desk>,
    looked: &mut HashMap<String, Instant>,
    handed: &mut (Instant, usize),
    failed: &mut Option<Instant>,
    at_once: &Arc<()>,
) -> Result<()> {
    clock::look(desk.store())?;
    let now = time::now();
    let ended = decide::expire(desk.store(), now)? > 0;
    let links = Links::forget(desk.store(), now)? | desk.links().take_changed();
    if ended || links || desk.publisher().waiting() > 0 && handed.0.elapsed() >= HAND_OVER {
        handed.0 = Instant::now();
        // What fails is an alarm, and tried again below.
        let _ = desk.publish_decisions();
    }
    let waiting = desk.publisher().waiting();
    match waiting {
        n if n == handed.1 => {}
        0 => alarms::clear(desk.store(), "pace")?,
        n => alarms::raise(desk.store(), "pace", &format!("{n} decisions wait: filters take so many a minute and no more"))?,
    }
    handed.1 = waiting;
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
        if due && Arc::strong_count(at_once) <= LOOKS_AT_ONCE {
            looked.insert(settings.name.clone(), Instant::now());
            // A slow server holds up nobody else. What goes wrong is an alarm already.
            let (desk, name, one) = (Arc::clone(desk), settings.name.clone(), Arc::clone(at_once));
            let look = move || {
                let _ = desk.import(&Actor::console("schedule"), &name, false);
                drop(one);
            };
            std::thread::Builder::new()
                .name("look".to_owned())
                .spawn(look)
                .map_err(Error::file("look".as_ref(), "start a thread for"))?;
        }
    }
    if failed.is_some_and(|at| at.elapsed() < PUBLISH_AGAIN) || !desk.is_unpublished()? {
        return Ok(());
    }
    let done = desk.catch_up();
    *failed = done.is_err().then(Instant::now);
    done
}
