//! Asks `ztsms-fetch` about one link after another.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use control::verdicts_cmd::lookup;
use ztsms_fetch::client::Client;
use ztsms_fetch::protocol::{Expand, Expanded, Failure, Limits, Outcome, Why};

use super::queue::{self, Claimed};
use super::recipes::Recipes;
use crate::desk::Desk;
use crate::schedule::{Schedule, every};
use crate::{Error, Result, alarms, time};

/// Links that are asked about at once.
const AT_ONCE: usize = 4;
/// Between two looks at the queue.
pub(super) const ROUND: Duration = Duration::from_millis(250);
/// Five platforms of ten seconds each, and the wait for a turn.
const PATIENCE: Duration = Duration::from_secs(90);
/// Rest after a fetcher that is not there, or does not expand; and where a budget says nothing.
pub(super) const REST: i64 = 10;
/// An answer without a target is asked again after so long at the least.
const LEAST: i64 = 300;
const ALARM: &str = "expand";

/// Begins to expand short links by these recipes.
///
/// # Errors
/// No thread could be made.
pub fn start(desk: &Arc<Desk>, recipes: Recipes) -> Result<Vec<Schedule>> {
    // A second start would be a fault of the program: the first recipes stand.
    let _ = desk.links().recipes.set(recipes);
    let resting = Arc::new(Resting::default());
    let one = |_| {
        let (desk, resting) = (Arc::clone(desk), Arc::clone(&resting));
        every("expand", ROUND, move || {
            // The database's trouble is said by whoever else meets it.
            while resting.is_over() && round(&desk, &resting).unwrap_or_default() {}
        })
    };
    (0..AT_ONCE).map(one).collect()
}

/// Until when nobody is asked, Unix seconds.
#[derive(Default)]
pub(super) struct Resting(AtomicI64);

impl Resting {
    pub(super) fn is_over(&self) -> bool {
        time::now() >= self.0.load(Relaxed)
    }

    pub(super) fn rest(&self, until: i64) {
        self.0.store(until, Relaxed);
    }
}

/// Asks about the next link; whether there was one.
fn round(desk: &Desk, resting: &Resting) -> Result<bool> {
    let (links, store, now) = (desk.links(), desk.store(), time::now());
    let Some(recipes) = links.recipes() else { return Ok(false) };
    links.write_down(store, now)?;
    let Some(claimed) = queue::claim(store, now)? else { return Ok(false) };
    let said = ask(desk, recipes, &claimed.url);
    // How long it took counts.
    let now = time::now();
    let trouble = match said {
        Ok(Ok(way)) => take(desk, &claimed, way, now)?,
        Ok(Err(failure)) => fail(desk, &claimed, failure, now)?,
        Err(why) => Some(why.to_string()),
    };
    match trouble {
        None => alarms::clear(store, ALARM)?,
        Some(why) => {
            links.counts.failed.fetch_add(1, Relaxed);
            resting.rest(now + REST);
            queue::put_off(store, &claimed, now + REST, false)?;
            alarms::raise(store, ALARM, &format!("short links are not expanded: {why}"))?;
        }
    }
    Ok(true)
}

/// A connection to the fetcher.
pub(super) fn connect(socket: &Path) -> Result<Client> {
    let no = |why: String| Error::Refused(format!("{}: {why}", socket.display()));
    let client = Client::connect(socket).map_err(|error| no(format!("{error} (does ztsms-fetch run?)")))?;
    client.patience(PATIENCE).map_err(|error| no(error.to_string()))?;
    Ok(client)
}

fn ask(desk: &Desk, recipes: &Recipes, url: &str) -> Result<Result<Expanded, Failure>> {
    let mut client = connect(desk.fetch())?;
    let no = |why: String| Error::Refused(format!("{}: {why}", desk.fetch().display()));
    let question = Expand { url: url.to_owned(), platforms: Some(recipes.set().version.clone()), limits: Limits::default() };
    let mut said = client.expand(&question).map_err(|error| no(error.to_string()))?;
    if matches!(&said, Outcome::Failed(failure) if failure.why == Why::Platforms) {
        // It was started since, and has none.
        let set = client.platforms(recipes.set()).map_err(|error| no(error.to_string()))?;
        set.into_result().map_err(|failure| no(failure.to_string()))?;
        said = client.expand(&question).map_err(|error| no(error.to_string()))?;
    }
    Ok(said.into_result())
}

/// Keeps a way, or puts the link off where a platform on it has no time.
fn take(desk: &Desk, claimed: &Claimed, way: Expanded, now: i64) -> Result<Option<String>> {
    let (links, store) = (desk.links(), desk.store());
    let ttl = i64::try_from(way.ttl_s).unwrap_or(i64::MAX / 2).max(1);
    match (way.target, way.stopped) {
        (Some(target), _) => {
            // Of an unknown target the provider may know something.
            let suffixes = desk.publisher().suffixes();
            if lookup(&*desk.publisher().table()?, &target.url, "", suffixes).reason == "no-entry" {
                links.offer(&target.url);
            }
            queue::keep(store, claimed.id, Ok((target.url, target.host)), way.editable, (now, now + ttl))?;
            links.counts.expanded.fetch_add(1, Relaxed);
            links.note_changed(true);
        }
        // A platform was asked about this very link and wants it later: it alone goes behind the others.
        (None, Some(failure)) if failure.why == Why::Budget && way.hops.last().is_some_and(|hop| hop.status.is_some()) => {
            if queue::refused(store, claimed.id, (now, ttl), failure.why.to_string())? {
                links.counts.put_off.fetch_add(1, Relaxed);
            } else {
                links.counts.without_target.fetch_add(1, Relaxed);
            }
        }
        (None, Some(failure)) if failure.why == Why::Budget => {
            queue::put_off(store, claimed, now + wait(&failure), false)?;
            links.counts.put_off.fetch_add(1, Relaxed);
        }
        (None, stopped) => {
            let why = stopped.map_or_else(|| Why::NoTarget.to_string(), |failure| failure.why.to_string());
            queue::keep(store, claimed.id, Err(why), true, (now, now + ttl.max(LEAST)))?;
            links.counts.without_target.fetch_add(1, Relaxed);
        }
    }
    Ok(None)
}

/// Without a way: put off, given up, or the fetcher's own trouble, which is returned.
fn fail(desk: &Desk, claimed: &Claimed, failure: Failure, now: i64) -> Result<Option<String>> {
    let (links, store) = (desk.links(), desk.store());
    match failure.why {
        Why::Off | Why::Platforms => return Ok(Some(failure.to_string())),
        Why::Budget | Why::Busy => {
            queue::put_off(store, claimed, now + wait(&failure), failure.why == Why::Budget)?;
            links.counts.put_off.fetch_add(1, Relaxed);
        }
        why => {
            queue::keep(store, claimed.id, Err(why.to_string()), true, (now, now + LEAST))?;
            links.counts.without_target.fetch_add(1, Relaxed);
        }
    }
    Ok(None)
}

pub(super) fn wait(failure: &Failure) -> i64 {
    failure.retry_after_s.map_or(REST, |seconds| i64::try_from(seconds).unwrap_or(REST)).max(1)
}
