//! From what was decided to what filters follow: `DIR/verdicts/`.
//!
//! Feeds and lists of our own are built into the snapshot, which takes seconds to a minute; decisions stand in the overlay, which is
//! written whole at each change and is in force with the filter's next look. The overlay names the snapshots before and after a build and
//! those kept, so that decisions hold whichever of them a filter has. Everything is made from the database: whoever is killed between a
//! commit and its publication finds the rest done at the next start.

mod build;
mod line;
mod muted;
mod pace;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use control::build as verdicts;
use control::build::signed::{Signer, What};
use control::build::suspended::{self, Suspended};
use control::build::{overlay, senders};
use dataplane::policy::{Policy, Protected};
use dataplane::scan::Scanner;
use dataplane::suffix::Suffixes;
use dataplane::verdicts::build::Rule;
use dataplane::verdicts::{Key, Snapshot, Table};
use dataplane::world::{Network, World};
use rusqlite::Connection;
use serde::Serialize;

pub use build::{Report, inputs};
pub use line::{DECIDED, FOLLOW, LIVE, Line, followed};
use pace::Pace;

use crate::census::gate::NOBODY_YET;
use crate::decide;
use crate::error::is_full;
use crate::expand::{self, live, queue};
use crate::store::Store;
use crate::{Error, Result, sources, time};

/// The name of the file that puts every filter into observe.
pub const OBSERVE: &str = "observe";

/// The verdict directory, written by one process.
pub struct Publisher {
    dir: PathBuf,
    lists: PathBuf,
    key: Key,
    suffixes: Suffixes,
    signer: Signer,
    /// Held while files of the directory are replaced.
    writing: Mutex<()>,
    /// One build at a time.
    building: Mutex<()>,
    table: RwLock<Option<Arc<Table>>>,
    /// What filters have, and when how much of it was handed over; none before the first time.
    pace: Mutex<Option<Pace>>,
    waiting: AtomicUsize,
    /// Decisions could not be written. Changed while `writing` is held: a decision made since is not taken for written.
    unpublished: AtomicBool,
}

impl Publisher {
    /// Opens or makes the directory; lists are read from `lists`, the key that signs lies in `keys`.
    ///
    /// # Errors
    /// It cannot be made or read.
    pub fn open(dir: &Path, lists: &Path, keys: &Path, suffixes: Suffixes) -> Result<Self> {
        fs::create_dir_all(dir).map_err(Error::file(dir, "make"))?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(keys).map_err(Error::file(keys, "make"))?;
        let key = verdicts::key_of(dir)?;
        let signer = Signer::read_or_make(&keys.join("verdicts.key"))?;
        let (public, written) = (dir.join("verdicts.pub"), signer.public() + "\n");
        if fs::read_to_string(&public).ok().as_ref() != Some(&written) {
            fs::write(&public, written).map_err(Error::file(dir, "write the public key in"))?;
        }
        let (dir, lists) = (dir.to_owned(), lists.to_owned());
        Ok(Self {
            dir,
            lists,
            key,
            suffixes,
            signer,
            writing: Mutex::default(),
            building: Mutex::default(),
            table: RwLock::default(),
            pace: Mutex::default(),
            waiting: AtomicUsize::new(0),
            unpublished: AtomicBool::new(false),
        })
    }

    /// The directory that filters follow.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The suffix list that everything here is cut by.
    pub fn suffixes(&self) -> &Suffixes {
        &self.suffixes
    }

    /// The table as a filter has it that followed every change.
    ///
    /// # Errors
    /// Nothing was published yet.
    pub fn table(&self) -> Result<Arc<Table>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner).clone();
        table.ok_or_else(|| Error::Refused("no snapshot is in force yet".to_owned()))
    }

    /// Writes every decision in force to the overlay. Returns once it is on the disk under its name.
    ///
    /// # Errors
    /// The directory cannot be written: what was in force stays so.
    pub fn decisions(&self, store: &Store) -> Result<()> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let done = self.suspend(store).and_then(|()| self.overlay(store, None)).and_then(|()| self.read_back());
        self.unpublished.store(done.is_err(), Relaxed);
        done
    }

    /// Whether decisions could not be written when that was tried last.
    pub fn is_unpublished(&self) -> bool {
        self.unpublished.load(Relaxed)
    }

    /// Writes which sources and rules are out of force: at once, while a build without the sources takes its time.
    fn suspend(&self, store: &Store) -> Result<()> {
        let suspended = store.read(|state| {
            let mut sources = state.prepare_cached("SELECT name FROM sources WHERE suspended IS NOT NULL ORDER BY name")?;
            let mut sources = sources.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            for name in FOLLOW {
                sources.extend(sources::suspended(state, name)?.map(|_| name.to_owned()));
            }
            let rules = suspended_rules(state)?.into_iter().map(|rule| rule.name).collect();
            Ok(Suspended { sources, rules })
        })?;
        Ok(suspended::write(&self.dir, &suspended)?)
    }

    /// The overlay as of now, for the snapshots that are kept, the one in force and the `next`.
    fn overlay(&self, store: &Store, next: Option<u64>) -> Result<()> {
        let kept = (1..=verdicts::KEPT).map(|n| self.dir.join(format!("snapshot.{n}")));
        let files = core::iter::once(self.dir.join("snapshot")).chain(kept);
        // One that cannot be read is no snapshot that a filter could have.
        let ids = files.filter_map(|file| Snapshot::open(&file).ok()).map(|snapshot| snapshot.id());
        let ids: Vec<u64> = next.into_iter().chain(ids).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let (decisions, known, said, protected) = store.read(|state| {
            let now = time::now();
            Ok((decide::in_force(state)?, queue::known(state, now)?, live::said(state, now)?, sources::protected(state)?))
        })?;
        let mut lines: Vec<Line> = decisions.into_iter().map(Line::decided).collect();
        let now = Instant::now();
        let of_files = || {
            let table = verdicts::open_as_of(&self.dir, time::now_unsigned(), &self.suffixes);
            table.map(|table| Pace::of_table(&table)).ok()
        };
        {
            let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
            let pace = pace.get_or_insert_with(|| of_files().unwrap_or_default());
            let mut waiting = pace.take(&mut lines, now);
            let mut follows = Vec::new();
            if !(known.is_empty() && said.is_empty()) {
                // Of hosts, not of pages: which of the names are platforms makes no difference.
                let protected = sources::Protected::of(&protected, |_| false);
                follows = expand::verdicts::hosts(&self.decided(&ids, &lines)?, &said, &protected);
                let all = [lines.as_slice(), follows.as_slice()].concat();
                follows.extend(expand::verdicts::lines(&self.decided(&ids, &all)?, &known));
            }
            waiting += pace.follow(&mut lines, follows, now);
            self.waiting.store(waiting, Relaxed);
        }
        let text = text(&ids, &lines);
        let signed = self.signer.sign(&self.dir, What::Overlay, text.as_bytes());
        if let Err(why) = signed.and_then(|()| overlay::write(&self.dir, &text)) {
            // What filters have is what they had.
            if let (Some(pace), Some(had)) = (&mut *self.pace.lock().unwrap_or_else(PoisonError::into_inner), of_files()) {
                pace.back(had, now);
            }
            return Err(why.into());
        }
        let protected = store.read(protected_senders)?;
        let text = senders::to_text(&protected);
        // None is as good as an empty one.
        if senders::text(&self.dir)?.unwrap_or_else(|| senders::to_text(&[])) != text {
            self.signer.sign(&self.dir, What::Senders, text.as_bytes())?;
            senders::write(&self.dir, &text)?;
        }
        Ok(())
    }

    /// What decisions say on the snapshot in force, without what follows from them.
    fn decided(&self, ids: &[u64], lines: &[Line]) -> Result<World> {
        let path = self.dir.join("snapshot");
        let table = if path.exists() {
            self.over(Snapshot::open(&path).map_err(|error| verdicts::Error::Open(path, error))?, ids, lines)?
        } else {
            // Before the first build nothing is known of a target.
            control::world::table(None, &self.suffixes)?
        };
        let (scanner, policy, network) = (Scanner::default(), Policy::default(), Network::default());
        Ok(World { scanner, suffixes: self.suffixes.clone(), table, policy, network })
    }

    fn over(&self, snapshot: Snapshot, ids: &[u64], lines: &[Line]) -> Result<Table> {
        let text = text(ids, lines);
        let (overlay, _) = overlay::parse(&self.dir, &text, time::now_unsigned(), &snapshot, &self.key, &self.suffixes)?;
        let refused = |why| verdicts::Error::Refused(self.dir.join("snapshot"), why);
        Ok(Table::new(snapshot, Some(overlay), self.key.clone(), &self.suffixes).map_err(refused)?)
    }

    /// The table as it would be with these lines beside what people have decided.
    ///
    /// # Errors
    /// There is no snapshot, or the lines could not be published.
    pub fn trial(&self, state: &Connection, lines: Vec<Line>) -> Result<Table> {
        let path = self.dir.join("snapshot");
        let snapshot = Snapshot::open(&path).map_err(|error| verdicts::Error::Open(path, error))?;
        // A later line takes the place of an earlier one.
        let all: Vec<Line> = decide::in_force(state)?.into_iter().map(Line::decided).chain(lines).collect();
        let id = snapshot.id();
        self.over(snapshot, &[id], &all)
    }

    /// Decisions that wait because filters take so many a minute and no more.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// Reads what was published as a filter does: what it would refuse is said now.
    pub(crate) fn read_back(&self) -> Result<()> {
        if !self.dir.join("snapshot").exists() {
            return Ok(());
        }
        let table = verdicts::open_as_of(&self.dir, time::now_unsigned(), &self.suffixes)?;
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(table));
        Ok(())
    }

    /// Why the filters observe, if they were told to.
    pub fn observing(&self) -> Option<String> {
        observing(&self.dir)
    }
}

/// Why the filters that follow a directory observe, if they were told to.
pub fn observing(dir: &Path) -> Option<String> {
    let why = fs::read_to_string(dir.join(OBSERVE)).ok()?;
    Some(if why.trim().is_empty() { "there was no room for the reason".to_owned() } else { why.trim().to_owned() })
}

/// Puts every filter that follows the directory into observe, or lets them act again. `why` is for whoever finds the file: that it is there is
/// what counts, and on a disk without room it is there without a word.
///
/// # Errors
/// The directory cannot be written.
pub fn observe(dir: &Path, why: Option<&str>) -> Result<()> {
    let (path, new) = (dir.join(OBSERVE), dir.join("observe.new"));
    match why {
        Some(why) => {
            let mut file = fs::File::create(&new).map_err(Error::file(&path, "write"))?;
            match writeln!(file, "{why}") {
                Err(error) if !is_full(&error) => Err(Error::File(path, "write", error)),
                _ => fs::rename(&new, &path).map_err(Error::file(&path, "write")),
            }
        }
        None => match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::File(path, "remove", error)),
            _ => Ok(()),
        },
    }
}

/// Whether a person put everything into observe: then the API observes too. That nobody has let filters act yet is said to filters alone.
pub fn observes(dir: &Path) -> bool {
    let path = dir.join(OBSERVE);
    path.exists() && fs::read_to_string(&path).map_or(true, |why| why.trim() != NOBODY_YET)
}

/// A rule of filters' policies that only observes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SuspendedRule {
    /// Its name in the policy.
    pub name: String,
    /// Why.
    pub why: String,
    /// Who said so.
    pub author: String,
    /// When, Unix seconds.
    pub since: i64,
}

/// The rules that are suspended.
///
/// # Errors
/// The database's.
pub fn suspended_rules(state: &rusqlite::Transaction<'_>) -> Result<Vec<SuspendedRule>> {
    let mut found = state.prepare_cached("SELECT name, why, author, since FROM suspended_rules ORDER BY name")?;
    let row = |row: &rusqlite::Row<'_>| {
        Ok(SuspendedRule { name: row.get(0)?, why: row.get(1)?, author: row.get(2)?, since: row.get(3)? })
    };
    Ok(found.query_map([], row)?.collect::<Result<_, _>>()?)
}

/// The protected senders, as the filter takes them.
///
/// # Errors
/// The database's.
pub fn protected_senders(state: &rusqlite::Transaction<'_>) -> Result<Vec<Protected>> {
    let mut found = state.prepare_cached("SELECT sender, hosts FROM senders ORDER BY sender")?;
    let row = |row: &rusqlite::Row<'_>| {
        let hosts: String = row.get(1)?;
        Ok(Protected { sender: row.get(0)?, domains: hosts.split(' ').map(str::to_owned).collect() })
    };
    Ok(found.query_map([], row)?.collect::<Result<_, _>>()?)
}

/// The octets of an overlay for these snapshots.
fn text(ids: &[u64], lines: &[Line]) -> String {
    let rules: Vec<Rule<'_>> = lines.iter().map(Line::rule).collect();
    overlay::to_text(ids, &rules)
}
