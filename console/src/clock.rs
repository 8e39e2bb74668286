//! The desk's time: what the wall clock says as long as it goes steadily, and what it would say now where it jumped.
//!
//! A wall clock is set by people, by NTP, by a board without a battery. Decisions, lists and keys end by it, and none of them may end, or come
//! back, because it was set. So time goes on by the clock that never jumps; a wall that leaves it by more than [`SLACK_MS`] is not
//! followed, and an alarm says so until a person accepts it or it is put right. Over a restart the time since boot is the measure, over a
//! reboot the last line of the audit log: time is never before it.

use std::fs;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Instant;

use control::clock::{SLACK_MS, wall_ms};
use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Value, json};

use crate::audit::Actor;
use crate::store::{Changed, Store};
use crate::{Error, Result, alarms, sources, time};

/// The alarm.
pub const ALARM: &str = "clock";
/// The small fact: `BOOT_ID MILLISECONDS`, what the desk's time is ahead of the time since boot.
const FACT: &str = "clock";

static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
/// The desk's time, milliseconds since 1970, when `BEGUN` was; none before the first reading.
static AT_BEGIN: AtomicI64 = AtomicI64::new(i64::MIN);

fn since_begin_ms() -> i64 {
    i64::try_from(BEGUN.elapsed().as_millis()).unwrap_or(i64::MAX)
}

fn set_ms(now: i64) {
    AT_BEGIN.store(now - since_begin_ms(), Relaxed);
}

/// The desk's time, milliseconds since 1970.
pub fn now_ms() -> i64 {
    match AT_BEGIN.load(Relaxed) {
        i64::MIN => {
            let wall = wall_ms();
            set_ms(wall);
            wall
        }
        begin => begin.saturating_add(since_begin_ms()),
    }
}

/// The clocks of one moment, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clocks {
    wall: i64,
    /// Since boot, sleep included.
    boot: i64,
}

impl Clocks {
    fn read() -> Result<Self> {
        let path = std::path::Path::new("/proc/uptime");
        let text = fs::read_to_string(path).map_err(Error::file(path, "read"))?;
        let seconds: Option<f64> = text.split(' ').next().and_then(|seconds| seconds.parse().ok());
        let seconds = seconds.ok_or_else(|| Error::Refused(format!("{text:?} is no time since boot")))?;
        // Exact far beyond any machine's life.
        Ok(Self { wall: wall_ms(), boot: (seconds * 1_000.0) as i64 })
    }

    /// What the desk's time is ahead of the time since boot from now on, and by how much the wall has left it.
    const fn follow(self, ahead: i64) -> (i64, i64) {
        control::clock::follow(self.wall, self.boot, ahead)
    }

    /// The same at a start: `known` is what was ahead in this very boot, `last` the time of the last line of the audit log.
    const fn begin(self, known: Option<i64>, last: Option<i64>) -> (i64, i64) {
        match (known, last) {
            (Some(ahead), _) => self.follow(ahead),
            (None, Some(last)) if self.wall < last - SLACK_MS => (last - self.boot, self.wall - last),
            _ => (self.wall - self.boot, 0),
        }
    }
}

fn boot_id() -> String {
    // Where there is none every start is the first of its boot.
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

fn ahead(state: &Connection) -> Result<Option<i64>> {
    let fact = sources::fact(state, FACT)?.unwrap_or_default();
    let known = fact.split_once(' ').filter(|(boot, _)| !boot.is_empty() && *boot == boot_id());
    Ok(known.and_then(|(_, ahead)| ahead.parse().ok()))
}

/// Writes down what is ahead where it has moved by a second, and raises or clears the alarm.
fn settle(store: &Store, clocks: Clocks, (ahead, off): (i64, i64)) -> Result<()> {
    set_ms(clocks.boot + ahead);
    let known = store.read(|state| self::ahead(state))?;
    if known.is_none_or(|known| (known - ahead).abs() >= 1_000) {
        store.note(move |transaction| sources::set_fact(transaction, FACT, &format!("{} {ahead}", boot_id())))?;
    }
    if off == 0 {
        return alarms::clear(store, ALARM);
    }
    let [wall, desk] = [clocks.wall, clocks.boot + ahead].map(|ms| time::shown(ms / 1_000));
    let way = if off > 0 { "ahead of" } else { "behind" };
    let text = format!(
        "the wall clock says {wall} and is {} s {way} the desk's time, {desk}: nothing ends or comes back by it. Put the clock right, or \
         `ztsms-console clock --accept REASON`",
        off.abs() / 1_000
    );
    // One alarm a jump: the text has the time in it.
    if store.read(|state| Ok(!state.prepare_cached("SELECT 1 FROM alarms WHERE name = ?1")?.exists([ALARM])?))? {
        alarms::raise(store, ALARM, &text)?;
    }
    Ok(())
}

/// Begins: before anything else asks for the time.
///
/// # Errors
/// The clocks or the database cannot be read.
pub fn begin(store: &Store) -> Result<()> {
    let clocks = Clocks::read()?;
    let (known, last) = store.read(|state| {
        let last: Option<i64> = state.query_row("SELECT max(time) FROM audit", [], |row| row.get(0))?;
        Ok((ahead(state)?, last))
    })?;
    settle(store, clocks, clocks.begin(known, last.map(|last| last.saturating_mul(1_000))))
}

/// Looks at the wall: followed where it goes steadily, an alarm where it jumped.
///
/// # Errors
/// The clocks cannot be read or the database not be written.
pub fn look(store: &Store) -> Result<()> {
    let clocks = Clocks::read()?;
    let known = store.read(|state| ahead(state))?.unwrap_or_else(|| now_ms() - clocks.boot);
    settle(store, clocks, clocks.follow(known))
}

/// What `ztsms-console clock` shows.
#[derive(Debug, Serialize)]
struct Shown {
    desk: String,
    wall: String,
    /// Seconds that the wall is ahead of the desk.
    wall_ahead: i64,
}

/// The desk's time and the wall's. With a reason the wall's is taken, whatever ends by it.
///
/// # Errors
/// As [`look`].
pub fn obey(store: &Store, actor: &Actor, accept: Option<String>) -> Result<Value> {
    if let Some(reason) = accept {
        let (before, after) = (now_ms(), wall_ms());
        let detail = json!({ "before": time::shown(before / 1_000), "after": time::shown(after / 1_000), "reason": reason });
        let clocks = Clocks::read()?;
        // The line first, by the time that held until now.
        store.change(actor, "clock", move |_| Ok(Changed { subject: "the wall clock".to_owned(), detail, value: () }))?;
        settle(store, clocks, (clocks.wall - clocks.boot, 0))?;
    }
    let (desk, wall) = (now_ms() / 1_000, wall_ms() / 1_000);
    crate::desk::value(Shown { desk: time::shown(desk), wall: time::shown(wall), wall_ahead: wall - desk })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn a_start_goes_on_in_the_same_boot_and_never_before_the_last_line_of_the_log() {
        let clocks = |wall| Clocks { wall, boot: 5_000 };
        assert_eq!(clocks(DAY).begin(None, None), (DAY - 5_000, 0), "a first start has the wall alone");
        assert_eq!(clocks(9 * DAY).begin(None, Some(8 * DAY)), (9 * DAY - 5_000, 0), "a day off is no jump");
        assert_eq!(clocks(DAY).begin(None, Some(8 * DAY)), (8 * DAY - 5_000, -7 * DAY), "a board without a battery");
        let known = Some(8 * DAY - 5_000);
        assert_eq!(clocks(8 * DAY + 10).begin(known, Some(7 * DAY)), (8 * DAY + 10 - 5_000, 0));
        assert_eq!(clocks(400 * DAY).begin(known, Some(7 * DAY)), (8 * DAY - 5_000, 392 * DAY), "jumped while nobody looked");
    }
}
