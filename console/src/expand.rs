//! Short links: what arrives as unknown on a platform is expanded by `ztsms-fetch`, once a link, and has the verdict of its target.
//!
//! ```text
//! work stream, API ──> queue ──> ztsms-fetch ──> where it leads, until it ends ──> overlay, reason `expansion`
//! ```
//!
//! Off until `serve --expand`. Only links on a platform with a [recipe](recipes) are asked about, and only at their platforms: the target is
//! neither fetched nor resolved. It is judged by the table anew at each publication, so that the link follows every decision and every
//! build. A [provider](live) can be asked about unknown hosts the same way. Links and targets are personal data: they are in the database until they end, and in no log, metric or audit line.

mod ask;
pub mod live;
pub mod queue;
pub mod recipes;
pub mod verdicts;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::Result;
use crate::store::Store;
pub use ask::start;
use live::Provider;
use recipes::Recipes;

/// Links that the API has seen and nobody has written down yet.
const OFFERED: usize = 10_000;

/// The short links of a desk.
pub struct Links {
    recipes: OnceLock<Recipes>,
    live: OnceLock<Provider>,
    offer: SyncSender<String>,
    offered: Mutex<Receiver<String>>,
    /// Something leads elsewhere than was published.
    changed: AtomicBool,
    counts: Counts,
}

/// Since the start.
#[derive(Default)]
struct Counts {
    /// Links without a place in the queue.
    left_out: AtomicU64,
    expanded: AtomicU64,
    without_target: AtomicU64,
    /// Budgets that were used up, rests that a platform asked for, a fetcher that was busy.
    put_off: AtomicU64,
    /// No fetcher, or one that does not expand.
    failed: AtomicU64,
}

impl Default for Links {
    fn default() -> Self {
        let (offer, offered) = sync_channel(OFFERED);
        let offered = Mutex::new(offered);
        let (recipes, live) = (OnceLock::new(), OnceLock::new());
        Self { recipes, live, offer, offered, changed: AtomicBool::new(false), counts: Counts::default() }
    }
}

impl Links {
    /// The recipes, where links are expanded.
    pub fn recipes(&self) -> Option<&Recipes> {
        self.recipes.get()
    }

    /// Takes note of a link that is unknown, in canonical form, without waiting for anything.
    pub fn offer(&self, url: &str) {
        let is_asked = self.live.get().is_some() || self.recipes().is_some_and(|recipes| recipes.link(url).is_some());
        if is_asked && self.offer.try_send(url.to_owned()).is_err() {
            self.counts.left_out.fetch_add(1, Relaxed);
        }
    }

    /// Writes down what was offered since: a link to be expanded, or a host to be asked about.
    fn write_down(&self, store: &Store, now: i64) -> Result<()> {
        let offered: Vec<String> = self.offered.lock().unwrap_or_else(PoisonError::into_inner).try_iter().collect();
        if offered.is_empty() {
            return Ok(());
        }
        let is_link = |url: &String| self.recipes().is_some_and(|recipes| recipes.link(url).is_some());
        let (links, others): (Vec<String>, Vec<String>) = offered.into_iter().partition(is_link);
        let (recipes, live) = (self.recipes().cloned(), self.live.get().is_some());
        let left_out = store.note(move |transaction| {
            let links = recipes.map_or(Ok(0), |recipes| queue::add(transaction, &recipes, &links, now))?;
            Ok(links + if live { live::add(transaction, &others, now)? } else { 0 })
        })?;
        self.counts.left_out.fetch_add(left_out, Relaxed);
        Ok(())
    }

    /// Forgets what has ended. Returns whether something that was published was among it.
    ///
    /// # Errors
    /// The database's.
    pub fn forget(store: &Store, now: i64) -> Result<bool> {
        Ok(queue::forget(store, now)? | live::forget(store, now)?)
    }

    fn note_changed(&self, changed: bool) {
        self.changed.fetch_or(changed, Relaxed);
    }

    /// Whether something leads elsewhere than was published; it is taken as published then.
    pub fn take_changed(&self) -> bool {
        self.changed.swap(false, Relaxed)
    }

    /// For `status`: whether links are expanded, and how many there are.
    ///
    /// # Errors
    /// The database's.
    pub fn status(&self, state: &Connection) -> Result<Value> {
        let of = queue::counts(state)?;
        let platforms = self.recipes().map(Recipes::len);
        Ok(json!({ "platforms": platforms, "waiting": of.waiting, "known": of.known, "without_target": of.without_target }))
    }

    /// The same of the provider.
    ///
    /// # Errors
    /// The database's.
    pub fn live_status(&self, state: &Connection) -> Result<Value> {
        let (waiting, known) = live::counts(state)?;
        Ok(json!({ "asked": self.live.get().is_some(), "waiting": waiting, "known": known }))
    }

    /// As Prometheus reads it.
    ///
    /// # Errors
    /// The database's.
    pub fn metrics(&self, state: &Connection) -> Result<String> {
        let (of, counts) = (queue::counts(state)?, &self.counts);
        let mut out = format!(
            "# HELP ztsms_console_expanding Whether short links are expanded.\n# TYPE ztsms_console_expanding gauge\n\
             ztsms_console_expanding {}\n\
             # HELP ztsms_console_short_links Short links that are kept.\n# TYPE ztsms_console_short_links gauge\n",
            u8::from(self.recipes().is_some())
        );
        for (state, count) in [("waiting", of.waiting), ("known", of.known), ("without_target", of.without_target)] {
            out += &format!("ztsms_console_short_links{{state=\"{state}\"}} {count}\n");
        }
        out += "# HELP ztsms_console_live_hosts Hosts that a provider is or was asked about.\n# TYPE ztsms_console_live_hosts gauge\n";
        let (waiting, known) = live::counts(state)?;
        for (state, count) in [("waiting", waiting), ("known", known)] {
            out += &format!("ztsms_console_live_hosts{{state=\"{state}\"}} {count}\n");
        }
        out += "# HELP ztsms_console_expansions_total What asking about short links came to.\n# TYPE ztsms_console_expansions_total counter\n";
        for (result, count) in [
            ("expanded", &counts.expanded),
            ("without_target", &counts.without_target),
            ("put_off", &counts.put_off),
            ("failed", &counts.failed),
            ("left_out", &counts.left_out),
        ] {
            out += &format!("ztsms_console_expansions_total{{result=\"{result}\"}} {}\n", count.load(Relaxed));
        }
        Ok(out)
    }
}
