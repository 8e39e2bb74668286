//! The snapshot: every source's version that counts, and what ships with the program.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

use control::build as verdicts;
use control::build::Error as BuildError;
use control::build::signed::What;
use dataplane::verdict::Verdict;
use dataplane::verdicts::Layer;
use dataplane::verdicts::build::{Builder, Built, Rule};
use rusqlite::Connection;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Publisher;
use super::muted::Muted;
use crate::census::used;
use crate::decide::is_everybodys;
use crate::sources::{self, Counting, Protected, normal};
use crate::store::Store;
use crate::{Error, Result, time};

/// Feeds' entries that call a protected name dangerous: kept one by one; all are counted.
const CONFLICTS: usize = 10_000;

/// What a build came to.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The snapshot's id.
    pub snapshot: String,
    /// Entries in it.
    pub entries: u64,
    /// Rules that it was made from.
    pub rules: u64,
    /// Rules that others of the same pattern beat, or local ones cover.
    pub beaten: u64,
    /// Feeds' entries that were left out because they call a protected name dangerous.
    pub conflicts: u64,
    /// Octets of the file.
    pub octets: u64,
}

/// What the snapshot is made from, as one sum: another sum, another build.
///
/// # Errors
/// The database's.
pub fn inputs(state: &Connection) -> Result<String> {
    let counting = sources::counting(state, time::now())?;
    let protected = sources::protected(state)?;
    let named = sources::named(state)?;
    let all = json!([dataplane::canonical::RULES_VERSION, counting, protected, named]);
    Ok(control::record_json::hex(&Sha256::digest(all.to_string())))
}

impl Publisher {
    /// Builds a snapshot of everything that counts now and puts it in force, with the decisions of the moment at which it is.
    ///
    /// # Errors
    /// A list cannot be read, the directory not be written, or the builder gave up: what was in force stays so.
    pub fn build(&self, store: &Store) -> Result<Report> {
        self.suspend(store)?;
        let _building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let (inputs, counting, protected, named) = store.read(|state| {
            let counting = sources::counting(state, time::now())?;
            // As the census is now: that it counts on makes nothing to be built anew.
            let protected = [sources::protected(state)?, used::domains(state)?].concat();
            Ok((inputs(state)?, counting, protected, sources::named(state)?))
        })?;
        let (built, conflicts) = self.make(&counting, &protected, &named)?;
        let report = Report {
            snapshot: format!("{:016x}", built.header.id),
            entries: built.header.entries,
            rules: built.counts.rules,
            beaten: built.counts.beaten + built.counts.covered,
            conflicts: conflicts.count,
            octets: built.bytes.len() as u64,
        };
        {
            let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            // First the decisions for both, then the snapshot: at no moment is one without them.
            self.overlay(store, Some(built.header.id))?;
            self.signer.sign(&self.dir, What::Snapshot, &built.bytes)?;
            verdicts::install(&self.dir, &built.bytes)?;
            drop(built);
            // What follows from decisions follows from this snapshot now.
            self.overlay(store, None)?;
            self.read_back()?;
            self.unpublished.store(false, Relaxed);
        }
        let seen = time::now();
        store.note(move |transaction| {
            transaction.execute("DELETE FROM conflicts", [])?;
            let mut insert = transaction.prepare("INSERT OR IGNORE INTO conflicts VALUES (?1, ?2, ?3, ?4)")?;
            for (pattern, source, protected) in &conflicts.kept {
                insert.execute((pattern, source, protected, seen))?;
            }
            let beyond = conflicts.count.saturating_sub(conflicts.kept.len() as u64);
            sources::set_fact(transaction, "conflicts-beyond", &beyond.to_string())?;
            sources::set_fact(transaction, "built-from", &inputs)
        })?;
        Ok(report)
    }

    fn make(&self, counting: &[Counting], protected: &[String], named: &[String]) -> Result<(Built, Conflicts)> {
        let mut builder = Builder::new();
        control::builtin::add_platforms_to(&mut builder);
        // Before the first build the platforms are those that ship with the program.
        let table = self.table().or_else(|_| control::world::table(None, &self.suffixes).map(Arc::new))?;
        let stops = |host: &str| is_everybodys(host, &self.suffixes).is_some() || table.is_platform(host);
        let names = Protected::of(protected, |host| table.is_platform(host)).with_above(named, stops);
        let mut conflicts = Conflicts { names, count: 0, kept: Vec::new() };
        let now = time::now_unsigned();
        let mut muted = Muted::of(counting, &self.lists, now, |pattern| conflicts.names.spoken_of(pattern).is_some())?;
        for source in counting.iter().filter(|source| !source.muted) {
            let lends = lends(source);
            normal::each(&self.lists, &source.sha256, |line| {
                let rule = normal::rule(line, &lends);
                if !conflicts.holds_back(&rule) {
                    muted.see(&rule);
                    builder.add(&rule);
                }
            })?;
        }
        muted.add_to(&mut builder);
        let built = builder.build(now, &self.key, &self.suffixes).map_err(|error| Error::Build(BuildError::Build(error)))?;
        Ok((built, conflicts))
    }
}

/// What a line of a source is where it says nothing else itself.
pub(super) fn lends(source: &Counting) -> Rule<'_> {
    Rule {
        verdict: source.lends.verdict(),
        category: &source.category,
        source: &source.name,
        layer: if source.lends.is_own() { Layer::Local } else { Layer::Feed },
        priority: source.priority,
        ..Rule::default()
    }
}

/// What feeds call dangerous of a protected name.
struct Conflicts {
    names: Protected,
    count: u64,
    kept: Vec<(String, String, String)>,
}

impl Conflicts {
    fn holds_back(&mut self, rule: &Rule<'_>) -> bool {
        if rule.layer == Layer::Local || rule.verdict != Verdict::Dangerous {
            return false;
        }
        let Some(name) = self.names.spoken_of(rule.pattern) else { return false };
        self.count += 1;
        if self.kept.len() < CONFLICTS {
            self.kept.push((rule.pattern.to_owned(), rule.source.to_owned(), name.to_owned()));
        }
        true
    }
}
