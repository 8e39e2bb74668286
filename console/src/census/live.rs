//! Follows streams of a filter while `serve` runs: a thread a stream, a look every half second.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Census;
use crate::desk::Desk;
use crate::schedule::{Schedule, every};
use crate::{Error, Result, alarms};

/// Between two looks.
const ROUND: Duration = Duration::from_millis(500);

/// Looks again and again until the answer is dropped; what goes wrong is an alarm of this name until it goes well.
///
/// # Errors
/// No thread could be made.
pub fn follow(desk: &Arc<Desk>, alarm: String, mut look: impl FnMut(&Desk) -> Result<()> + Send + 'static) -> Result<Schedule> {
    let desk = Arc::clone(desk);
    every("follow", ROUND, move || {
        // On a full disk the alarm may not fit either: it is tried again with the next look.
        let _ = match look(&desk) {
            Ok(()) => alarms::clear(desk.store(), &alarm),
            Err(why) => alarms::raise(desk.store(), &alarm, &why.to_string()),
        };
    })
}

/// The census of these spools.
///
/// # Errors
/// No thread could be made.
pub fn start(desk: &Arc<Desk>, spools: &[PathBuf]) -> Result<Vec<Schedule>> {
    let each = |dir: &PathBuf| {
        let dir = std::path::absolute(dir).map_err(Error::file(dir, "find"))?;
        let census = Census::new(&dir);
        let look = move |desk: &Desk| census.look(desk).map(drop);
        follow(desk, format!("spool-{}", dir.display()), look)
    };
    spools.iter().map(each).collect()
}
