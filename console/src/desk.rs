//! The desk: one data directory, held by one process. Whatever is asked of it is a [`Command`] and goes through [`Desk::obey`].

mod census;
mod lock;
mod protect;
mod rule;
mod triage;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use dataplane::suffix::Suffixes;
use dataplane::verdicts::pattern::{Buffers, Pattern};
use serde_json::{Value, json};
use ztsms_fetch::protocol::Fetched;

use crate::api::keys::Keys;
use crate::audit::{self, Actor};
use crate::census::Copies;
use crate::command::{Audit, Brake, Command, Decide, Source as Sourced};
use crate::expand::Links;
use crate::publish::{self, Publisher, followed, inputs, suspended_rules};
use crate::sources::{self, Place, Source, fetched, import};
use crate::store::{Changed, Store};
use crate::{Error, Result, alarms, backup, brakes, clock, decide, time};

pub use lock::Lock;

/// Where `ztsms-fetch` is asked, unless told otherwise.
pub const FETCH: &str = "/run/ztsms-fetch/socket";

/// What stands at a source's place.
enum Brought {
    /// A file or folder of this machine.
    Path(PathBuf),
    /// A list that was fetched into a file, and what is to be kept for the next time.
    Fetched(PathBuf, Fetched),
    /// Nothing new since the last time.
    NothingNew,
}

/// An open data directory.
pub struct Desk {
    dir: PathBuf,
    store: Store,
    keys: Keys,
    publisher: Publisher,
    links: Links,
    /// Messages that spools showed of late.
    copies: Mutex<Copies>,
    /// Sources that are being looked at: a list may be long on its way.
    looking: Mutex<BTreeSet<String>>,
    /// One list is taken in at a time, and none while lists are swept. Nobody who holds it waits for the network.
    importing: Mutex<()>,
    /// The socket of `ztsms-fetch`.
    fetch: PathBuf,
    _lock: Lock,
}

impl Desk {
    /// Opens or makes a data directory, and finishes what a process that was killed left between a commit and its publication.
    ///
    /// # Errors
    /// Another process holds it; it cannot be read or written.
    pub fn open(dir: &Path) -> Result<Arc<Self>> {
        Self::open_with(dir, Path::new(FETCH))
    }

    /// The same, with another socket of `ztsms-fetch`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(dir: &Path, fetch: &Path) -> Result<Arc<Self>> {
        // Whose users may read it is the operator's to widen: the group may reach the socket.
        fs::DirBuilder::new().recursive(true).mode(0o750).create(dir).map_err(Error::file(dir, "make"))?;
        let lock = Lock::take(dir)?;
        let store = Store::open(&dir.join("console.db"))?;
        clock::begin(&store)?;
        let publisher = Publisher::open(&dir.join("verdicts"), &dir.join("lists"), &dir.join("keys"), Suffixes::built_in())?;
        let keys = Keys::open(&store)?;
        let (dir, fetch) = (dir.to_owned(), fetch.to_owned());
        let (links, copies, looking, importing) = Default::default();
        let desk = Self { dir, store, keys, publisher, links, copies, looking, importing, fetch, _lock: lock };
        // Of lists that a process that was killed had begun; what cannot be removed is in nobody's way.
        let _ = desk.sweep();
        // Where something is in force it stays so, and what could not be published is tried again.
        desk.catch_up()
            .or_else(|why| desk.publisher.read_back().and_then(|()| desk.publisher.table()).map(drop).map_err(|_| why))?;
        desk.hold()?;
        Ok(Arc::new(desk))
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The database.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The socket of `ztsms-fetch`.
    pub fn fetch(&self) -> &Path {
        &self.fetch
    }

    /// Keys of the API.
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Short links.
    pub const fn links(&self) -> &Links {
        &self.links
    }

    /// Messages that spools showed of late.
    pub(crate) const fn copies(&self) -> &Mutex<Copies> {
        &self.copies
    }

    /// The verdict directory.
    pub const fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    fn lists(&self) -> PathBuf {
        self.dir.join("lists")
    }

    /// Whether the snapshot in force was made from something else than what counts now.
    ///
    /// # Errors
    /// The database's.
    pub fn is_behind(&self) -> Result<bool> {
        let missing = !self.publisher.dir().join("snapshot").exists();
        Ok(missing || self.store.read(|state| Ok(sources::fact(state, "built-from")? != Some(inputs(state)?)))?)
    }

    /// Whether what counts now is not all published: what failed, and a snapshot made from something else.
    ///
    /// # Errors
    /// The database's.
    pub fn is_unpublished(&self) -> Result<bool> {
        Ok(self.publisher.is_unpublished() || self.is_behind()?)
    }

    /// Publishes what the database says: a build where what counts has changed, and the decisions.
    ///
    /// # Errors
    /// The verdict directory cannot be written; an alarm says so too, and the schedule tries again.
    pub fn catch_up(&self) -> Result<()> {
        let built = (|| if self.is_behind()? { self.publisher.build(&self.store).map(|_| true) } else { Ok(false) })();
        // A build has the decisions with it; they do not wait for one that fails.
        let decided = if matches!(built, Ok(true)) { Ok(()) } else { self.publisher.decisions(&self.store) };
        self.published(built.and(decided))
    }

    /// Publishes decisions alone: in force at the filter's next look.
    ///
    /// # Errors
    /// As [`Self::catch_up`].
    pub(crate) fn publish_decisions(&self) -> Result<()> {
        let failed_before = self.publisher.is_unpublished();
        let done = self.publisher.decisions(&self.store);
        if done.is_ok() && (!failed_before || self.is_behind()?) { Ok(()) } else { self.published(done) }
    }

    fn published(&self, done: Result<()>) -> Result<()> {
        match &done {
            Ok(()) => alarms::clear(&self.store, "publish")?,
            // On a full disk the alarm may not fit either; the answer says the same.
            Err(why) => drop(alarms::raise(&self.store, "publish", &why.to_string())),
        }
        done.map_err(|why| Error::Refused(format!("written down and not in force yet: {why}. It is tried again by itself")))
    }

    /// Carries out one command for somebody.
    ///
    /// # Errors
    /// Why not; nothing was changed then.
    pub fn obey(&self, actor: &Actor, command: Command) -> Result<Value> {
        command.check_words()?;
        match command {
            Command::Status => self.status(),
            Command::Decide(command) => self.decide(actor, command),
            Command::Source(command) => self.source(actor, command),
            Command::Protect(command) => self.protect(actor, command),
            Command::Rule(command) => self.rule(actor, command),
            Command::Brake(command) => {
                if let Brake::Again { name, reason } = command {
                    brakes::again(&self.store, actor, &name, &reason)?;
                }
                self.store.read(|state| brakes::unbraked(state))
            }
            Command::Observe(why) => self.observe(actor, why),
            Command::Census(command) => self.census(actor, command),
            Command::Triage(command) => self.triage(actor, command),
            Command::Key(command) => self.keys.obey(&self.store, actor, command),
            Command::Audit(command) => self.audit(command),
            Command::Build => value(self.publisher.build(&self.store)?),
            Command::Backup { to, keys_for } => self.backup(actor, &to, keys_for.as_deref()),
            Command::Verify(command) => self.verify(actor, command),
            Command::Clock(accept) => clock::obey(&self.store, actor, accept),
        }
    }

    fn status(&self) -> Result<Value> {
        let behind = self.is_behind()?;
        let table = self.publisher.table().ok();
        self.store.read(|state| {
            let count = |sql: &str| -> Result<i64> { Ok(state.query_row(sql, [], |row| row.get(0))?) };
            let beyond = sources::fact(state, "conflicts-beyond")?.and_then(|text| text.parse::<i64>().ok()).unwrap_or_default();
            Ok(json!({
                "snapshot": table.as_ref().map(|table| format!("{:016x}", table.snapshot().id())),
                "entries": table.as_ref().map(|table| table.snapshot().header().entries),
                "built": table.as_ref().map(|table| table.snapshot().header().built),
                "behind": behind,
                "observing": self.publisher.observing(),
                "suspended_rules": suspended_rules(state)?,
                "unbraked": brakes::unbraked(state)?,
                "decisions": count("SELECT count(*) FROM decisions WHERE ended IS NULL")?,
                "sources": count("SELECT count(*) FROM sources")?,
                "conflicts": count("SELECT count(*) FROM conflicts")? + beyond,
                "short_links": self.links.status(state)?,
                "live": self.links.live_status(state)?,
                "audit": audit::head(state)?.map(|head| head.to_string()),
                "alarms": alarms::now(state, &self.dir)?,
            }))
        })
    }

    fn decide(&self, actor: &Actor, command: Decide) -> Result<Value> {
        let table = self.publisher.table()?;
        let suffixes = self.publisher.suffixes();
        match command {
            Decide::Effect(text) => {
                let pattern = Pattern::parse(&text, &mut Buffers::default());
                let pattern = pattern.map_err(|why| Error::Refused(format!("pattern {text:?}: {why}")))?;
                let standing = self.store.read(|state| decide::at(state, &pattern.key))?;
                Ok(json!({ "effect": decide::effect(&table, &pattern, suffixes), "standing": standing }))
            }
            Decide::Set(draft) => {
                let checked = decide::check(&draft, &table, suffixes, time::now())?;
                let decision = decide::decide(&self.store, actor, checked)?;
                self.publish_decisions()?;
                value(decision)
            }
            Decide::Undo { id, reason } => {
                let (decision, stands) = decide::undo(&self.store, actor, id, &reason)?;
                self.publish_decisions()?;
                let mut answer = value(decision)?;
                if let Some(answer) = answer.as_object_mut() {
                    answer.insert("stands_again".to_owned(), value(stands)?);
                }
                Ok(answer)
            }
            Decide::List { all, most } => value(self.store.read(|state| decide::list(state, all, most))?),
            Decide::Show(id) => {
                let (decision, stands) =
                    self.store.read(|state| Ok((decide::one(state, id)?, decide::would_stand(state, id, time::now())?)))?;
                let pattern = Pattern { kind: Pattern::kind_of(&decision.pattern), key: decision.pattern.clone() };
                Ok(json!({ "decision": decision, "stands_again": stands, "effect": decide::effect(&table, &pattern, suffixes) }))
            }
        }
    }

    fn source(&self, actor: &Actor, command: Sourced) -> Result<Value> {
        let store = &self.store;
        match command {
            Sourced::Set(settings) => {
                let note = match Place::parse(&settings.place)? {
                    Place::Http(address) => fetched::typed(&address).map(|()| fetched::odd_port(&address))?,
                    Place::Path(_) => None,
                };
                let source = sources::set(store, actor, settings)?;
                self.catch_up()?;
                let mut answer = value(source)?;
                if let (Some(note), Some(answer)) = (note, answer.as_object_mut()) {
                    answer.insert("note".to_owned(), note.into());
                }
                Ok(answer)
            }
            Sourced::Remove(name) => {
                sources::remove(store, &self.lists(), self.publisher.suffixes(), actor, &name)?;
                self.catch_up()?;
                self.sweep()?;
                Ok(json!({ "removed": name }))
            }
            Sourced::List => value(store.read(|state| sources::all(state))?),
            Sourced::History(name) => value(store.read(|state| {
                let source = sources::one(state, &name)?;
                Ok(json!({ "source": source, "versions": sources::versions(state, &name)? }))
            })?),
            Sourced::Import { name, force } => {
                let imported = self.import(actor, &name, force)?;
                if imported.changed {
                    self.catch_up()?;
                }
                value(imported)
            }
            Sourced::Version { name, to } => {
                let version = sources::go_to(store, &self.lists(), self.publisher.suffixes(), actor, &name, to)?;
                self.catch_up()?;
                value(version)
            }
            Sourced::Suspend { name, why } => {
                sources::suspend(store, actor, &name, why)?;
                self.catch_up()?;
                if followed(&name).is_some() {
                    let suspended = store.read(|state| sources::suspended(state, &name))?;
                    return Ok(
                        json!({ "name": name, "lends": "follows", "place": "from decisions and lists", "suspended": suspended }),
                    );
                }
                value(store.read(|state| sources::one(state, &name))?)
            }
            Sourced::Conflicts => self.conflicts(),
        }
    }

    /// Looks at one source now. What goes wrong is written down beside it, and raised.
    ///
    /// # Errors
    /// Why nothing was imported.
    pub fn import(&self, actor: &Actor, name: &str, force: bool) -> Result<import::Imported> {
        let source = self.store.read(|state| sources::one(state, name))?;
        if !self.looking.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned()) {
            return Error::refused(format!("{name} is being looked at already"));
        }
        let brought = self.bring(&source);
        let done = self.take_in(actor, &source, brought, force);
        self.looking.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        done
    }

    /// Takes in what was brought, and writes down beside the source what came of it.
    fn take_in(&self, actor: &Actor, source: &Source, brought: Result<Brought>, force: bool) -> Result<import::Imported> {
        let _importing = self.importing.lock().unwrap_or_else(PoisonError::into_inner);
        let name = &source.settings.name;
        let (lists, suffixes) = (self.lists(), self.publisher.suffixes());
        let table = self.publisher.table().ok();
        let is_platform = |host: &str| table.as_ref().is_some_and(|table| table.is_platform(host));
        let at = import::At { store: &self.store, lists: &lists, suffixes, is_platform: &is_platform, actor };
        let import = |path: &Path| import::import(&at, source, path, force);
        let done = brought.and_then(|brought| match brought {
            Brought::Path(path) => Ok((import(&path)?, None)),
            Brought::NothingNew => Ok((import::Imported::nothing_new(source), None)),
            Brought::Fetched(path, fetched) => {
                let done = import(&path);
                let _ = fs::remove_file(&path);
                Ok((done?, Some((fetched.etag, fetched.last_modified))))
            }
        });
        let trouble = done.as_ref().err().map(ToString::to_string);
        let came = done.as_ref().ok().and_then(|(_, came)| came.clone());
        let name = name.clone();
        let noted = self.store.note(move |transaction| match trouble {
            None => {
                let sql = "UPDATE sources SET checked = ?2, trouble = NULL WHERE name = ?1";
                transaction.execute(sql, (&name, time::now()))?;
                if let Some((etag, modified)) = came {
                    let sql = "UPDATE sources SET etag = ?2, modified = ?3 WHERE name = ?1";
                    transaction.execute(sql, (&name, etag, modified))?;
                }
                Ok(())
            }
            Some(why) => {
                transaction.execute("UPDATE sources SET trouble = ?2 WHERE name = ?1", (&name, &why))?;
                alarms::raise_in(transaction, &format!("source-{name}"), &format!("{name}: {why}"))
            }
        });
        let (imported, _) = done?;
        noted?;
        if imported.changed {
            // Versions that are not kept any more; what cannot be removed now is removed at the next import or start.
            let _ = import::sweep(&self.store, &self.lists());
        }
        // What was wrong is past; what is held back stays raised.
        if imported.held.is_none() {
            alarms::clear(&self.store, &format!("source-{}", imported.source))?;
        }
        Ok(imported)
    }

    /// Brings what stands at a source's place. Its server may take minutes: nothing is held meanwhile.
    fn bring(&self, source: &Source) -> Result<Brought> {
        let address = match Place::parse(&source.settings.place)? {
            Place::Path(path) => return Ok(Brought::Path(path)),
            Place::Http(address) => address,
        };
        let to = self.dir.join(format!("fetched.{}", source.settings.name));
        match fetched::fetch(&self.fetch, source, &address, &to)? {
            fetched::Came::Unchanged => {
                let _ = fs::remove_file(&to);
                Ok(Brought::NothingNew)
            }
            fetched::Came::List(fetched) => Ok(Brought::Fetched(to, fetched)),
        }
    }

    /// Removes lists that no version points at.
    fn sweep(&self) -> Result<usize> {
        let _importing = self.importing.lock().unwrap_or_else(PoisonError::into_inner);
        import::sweep(&self.store, &self.lists())
    }

    fn backup(&self, actor: &Actor, to: &Path, keys_for: Option<&str>) -> Result<Value> {
        let key = keys_for.map(backup::public_key).transpose()?;
        let _importing = self.importing.lock().unwrap_or_else(PoisonError::into_inner);
        let manifest = backup::make(&self.store, &self.dir, to, key.as_ref())?;
        let (subject, detail) = (to.display().to_string(), json!({ "keys": manifest.keys, "audit": manifest.audit }));
        self.store.change(actor, "backup", move |_| Ok(Changed { subject, detail, value: () }))?;
        value(manifest)
    }

    fn observe(&self, actor: &Actor, why: Option<String>) -> Result<Value> {
        if why.as_ref().is_some_and(|why| why.trim().is_empty()) {
            return Error::refused("whoever puts filters into observe says why: filters show it");
        }
        let before = self.publisher.observing();
        let (dir, stops) = (self.publisher.dir(), why.is_some());
        let detail = json!({ "before": before, "after": why });
        let line = || {
            let verb = if stops { "observe" } else { "act" };
            self.store.change(actor, verb, move |_| Ok(Changed { subject: "all filters".to_owned(), detail, value: () }))
        };
        // Stopping comes first and its line second: nothing may be in the way of it. Acting again waits for its line.
        let unsaid = match why {
            Some(why) => {
                publish::observe(dir, Some(&format!("{}: {why}", actor.name)))?;
                line().err().map(|why| why.to_string())
            }
            None => {
                line()?;
                publish::observe(dir, self.held()?.as_deref())?;
                None
            }
        };
        Ok(json!({ "observing": self.publisher.observing(), "unsaid": unsaid }))
    }

    fn audit(&self, command: Audit) -> Result<Value> {
        self.store.read(|state| match command {
            Audit::List { from, most } => value(audit::lines(state, from, most)?),
            Audit::Verify(anchors) => Ok(json!({ "head": audit::verify(state, &anchors)?.map(|head| head.to_string()) })),
            Audit::Head => Ok(json!({ "head": audit::head(state)?.map(|head| head.to_string()) })),
        })
    }
}

pub(crate) fn value(of: impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(of).map_err(|error| Error::Refused(format!("no answer could be written: {error}")))
}
