//! Brakes: a list that went wrong must not change a country's messages for longer than a minute.
//!
//! What filters did is read from their spools. An entry or a source whose `dangerous` acts on more than its share of all messages of the last
//! 60 seconds, or on ten times its usual share, is suspended and raised: the entry by a decision `unknown` at its pattern, the source and a
//! rule of a policy as a person would, at once in every filter. The chains that a policy has without a rule are only raised: what would be left
//! is `observe`, which is a person's. So is undoing, and what a person lets act again no brake suspends, until a person sets it to watch again.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use control::spool::Kind;
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::audit::Actor;
use crate::census::follow::{self, Place};
use crate::command::{Command, Decide, Rule, Source};
use crate::decide::Draft;
use crate::desk::Desk;
use crate::publish::DECIDED;
use crate::schedule::{Schedule, every};
use crate::sources::set_fact;
use crate::store::{Changed, Store};
use crate::{Error, Result, alarms, time};

/// Seconds that are looked at.
const WINDOW: u64 = 60;
/// Minutes of history without which nobody knows what is usual.
const USUAL: u32 = 10;
/// Weight of the last minute in what is usual.
const WEIGHT: f64 = 0.1;
/// Messages a minute below which ten times the usual is chance.
const NOISE: u64 = 50;

/// Small facts of what a person let act again begin so.
const MEANT: &str = "meant ";

/// What `why` begins with where no rule spoke.
const CHAINS: [&str; 6] = ["safe", "unknown", "dangerous", "profile", "already ours", "never-touch"];
/// What it begins with where nothing acted: the worst link lies in another part of the text.
const NOTHING: &str = "none";

/// Whether a name is a chain's, which is no rule's.
pub(crate) fn is_chain(name: &str) -> bool {
    CHAINS.contains(&name) || name == NOTHING
}

/// When something is suspended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Share of all messages of the last minute.
    pub share: f64,
    /// Times the usual share.
    pub times: f64,
    /// Messages a minute below which nothing is judged.
    pub minimum: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { share: 0.005, times: 10.0, minimum: 1_000 }
    }
}

/// What acted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// An entry, by its pattern.
    Entry(String),
    /// A source, by its name.
    Source(String),
    /// A rule of a filter's policy, as `why` names it.
    Rule(String),
}

impl What {
    /// `entry bank.example`, `source phish`, `rule shops`.
    fn name(&self) -> String {
        let (kind, Self::Entry(name) | Self::Source(name) | Self::Rule(name)) = (self.kind(), self);
        format!("{kind} {name}")
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Entry(_) => "entry",
            Self::Source(_) => "source",
            Self::Rule(_) => "rule",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        let (kind, name) = name.split_once(' ')?;
        [Self::Entry, Self::Source, Self::Rule].into_iter().map(|of| of(name.to_owned())).find(|what| what.kind() == kind)
    }

    fn alarm(&self) -> String {
        format!("brake-{}", self.name().replace(' ', "-"))
    }
}

/// A person lets act what a brake had suspended, or decides about it: the alarm is over, and no brake suspends it again, over restarts too.
/// Whether there was such an alarm.
///
/// # Errors
/// The database's.
pub(crate) fn meant(transaction: &Connection, what: &What) -> Result<bool> {
    if transaction.execute("DELETE FROM alarms WHERE name = ?1", [what.alarm()])? == 0 {
        return Ok(false);
    }
    set_fact(transaction, &format!("{MEANT}{}", what.name()), &time::now().to_string())?;
    Ok(true)
}

/// What no brake suspends, for a person let it act: by name, since when (Unix seconds).
///
/// # Errors
/// The database's.
pub fn unbraked(state: &Connection) -> Result<Value> {
    Ok(all_let_act(state)?.into_iter().map(|(what, since)| json!({ "what": what, "since": since })).collect())
}

/// Brakes watch again what a person had let act, whatever they thought of it before.
///
/// # Errors
/// Nothing of that name was let act; the database's.
pub fn again(store: &Store, actor: &Actor, name: &str, why: &str) -> Result<()> {
    let (name, detail) = (name.to_owned(), json!({ "reason": why }));
    store.change(actor, "brake-again", move |transaction| {
        if transaction.execute("DELETE FROM facts WHERE name = ?1", [format!("{MEANT}{name}")])? == 0 {
            return Err(Error::NotFound(format!(
                "{name:?}: no brake leaves that alone; `ztsms-console brake list` has what they do"
            )));
        }
        Ok(Changed { subject: name, detail, value: () })
    })
}

fn all_meant(state: &Connection) -> Result<BTreeSet<What>> {
    Ok(all_let_act(state)?.iter().filter_map(|(name, _)| What::of_name(name)).collect())
}

fn all_let_act(state: &Connection) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT substr(name, length(?1) + 1), CAST(value AS INTEGER) FROM facts WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name";
    let mut found = state.prepare_cached(sql)?;
    Ok(found.query_map([MEANT], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
}

/// Beyond its limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Tripped {
    /// What.
    pub what: What,
    /// Why, for people.
    pub why: String,
}

#[derive(Debug, Default)]
struct Second {
    at: u64,
    messages: u64,
    /// Messages by entry, source and rule together.
    acted: HashMap<(String, String, String), u64>,
    /// Messages that were dangerous because of the name they came under: a protected sender's, or one like it.
    names: HashMap<String, u64>,
}

/// Counts and judges.
#[derive(Debug, Default)]
pub struct Brakes {
    limits: Limits,
    seconds: VecDeque<Second>,
    usual: HashMap<What, f64>,
    minutes: u32,
    minute: u64,
    tripped: BTreeSet<What>,
    meant: BTreeSet<What>,
}

/// As much of a `ztsms.sms.v1` as is looked at.
#[derive(Deserialize)]
struct Record {
    verdict: String,
    #[serde(default)]
    why: Option<String>,
    address: Option<Address>,
    urls: Vec<Url>,
}

#[derive(Deserialize)]
struct Address {
    digits: String,
}

#[derive(Deserialize)]
struct Url {
    verdict: String,
    reason: Option<String>,
    entry: Option<String>,
    source: Option<String>,
}

impl Brakes {
    /// With these limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// What a person has let act trips no brake; what he lets act no more is watched as if it had never tripped one.
    fn leave_alone(&mut self, meant: BTreeSet<What>) {
        for what in self.meant.difference(&meant) {
            self.tripped.remove(what);
        }
        self.tripped.extend(meant.iter().cloned());
        self.meant = meant;
    }

    /// One record of a spool, in second `at` of a clock that never jumps. What is no short message is not counted.
    pub fn count(&mut self, at: u64, record: &[u8]) {
        let Ok(record) = serde_json::from_slice::<Record>(record) else { return };
        if self.seconds.back().is_none_or(|second| second.at < at) {
            self.seconds.push_back(Second { at, ..Second::default() });
            while self.seconds.front().is_some_and(|second| second.at + WINDOW <= at) {
                self.seconds.pop_front();
            }
        }
        let Some(second) = self.seconds.back_mut() else { return };
        second.messages += 1;
        if record.verdict != "dangerous" {
            return;
        }
        // `why` is the rule and, behind a comma or colon, what stopped an action.
        let rule = record.why.unwrap_or_default().split([',', ':', '/']).next().unwrap_or_default().to_owned();
        if let Some(address) =
            record.address.filter(|_| record.urls.iter().any(|url| url.reason.as_deref() == Some("impersonation")))
        {
            *second.names.entry(address.digits).or_default() += 1;
        }
        let of: BTreeSet<(String, String, String)> = record
            .urls
            .into_iter()
            .filter(|url| url.verdict == "dangerous")
            .map(|url| (url.entry.unwrap_or_default(), url.source.unwrap_or_default(), rule.clone()))
            .collect();
        of.into_iter().for_each(|of| *second.acted.entry(of).or_default() += 1);
    }

    fn window(&self) -> (u64, BTreeMap<What, u64>) {
        let (mut messages, mut by) = (0, BTreeMap::new());
        for second in &self.seconds {
            messages += second.messages;
            for ((entry, source, rule), count) in &second.acted {
                let entry = What::Entry(entry.clone());
                // What an entry did that is suspended is not held against its source.
                let all = [What::Source(source.clone()), What::Rule(rule.clone())];
                let others = all.into_iter().filter(|_| !self.tripped.contains(&entry));
                // What people decided is no list: each is judged by itself.
                let others = others.filter(|what| *what != What::Source(DECIDED.to_owned()));
                for what in others.chain([entry.clone()]) {
                    *by.entry(what).or_default() += count;
                }
            }
        }
        by.remove(&What::Rule(NOTHING.to_owned()));
        by.retain(|what, _| !matches!(what, What::Entry(name) | What::Source(name) | What::Rule(name) if name.is_empty()));
        (messages, by)
    }

    /// The name under which most messages came that were dangerous by it.
    fn impersonated(&self) -> Option<(String, u64)> {
        let mut names: BTreeMap<&str, u64> = BTreeMap::new();
        self.seconds.iter().flat_map(|second| &second.names).for_each(|(name, count)| *names.entry(name).or_default() += count);
        names.into_iter().max_by_key(|(_, count)| *count).map(|(name, count)| (name.to_owned(), count))
    }

    /// What goes beyond its limit now and did not before. Entries first: a source is judged when no entry is the cause.
    pub fn judge(&mut self, at: u64) -> Vec<Tripped> {
        let (messages, by) = self.window();
        if messages < self.limits.minimum.max(1) {
            return Vec::new();
        }
        let share = |count: u64| count as f64 / messages as f64;
        let beyond = |(what, count): (&What, &u64)| {
            if self.tripped.contains(what) {
                return None;
            }
            let now = share(*count);
            let usual = self.usual.get(what).copied().unwrap_or_default();
            let why = if now > self.limits.share {
                format!("{count} of {messages} messages in a minute, the limit is {} %", self.limits.share * 100.0)
            } else if self.minutes >= USUAL && *count >= NOISE && now > usual * self.limits.times && usual > 0.0 {
                format!("{count} of {messages} messages in a minute, {:.0} times its usual share", now / usual)
            } else {
                return None;
            };
            Some(Tripped { what: what.clone(), why })
        };
        let mut tripped: Vec<Tripped> = by.iter().filter_map(beyond).collect();
        // No entry says so: it follows from who is protected.
        let chains = |one: &&mut Tripped| matches!(&one.what, What::Rule(name) if CHAINS.contains(&name.as_str()));
        if let Some((name, count)) = self.impersonated() {
            let add =
                |one: &mut Tripped| one.why += &format!("; {count} as if from the protected sender {name} (`protect list`)");
            tripped.iter_mut().filter(chains).for_each(add);
        }
        if tripped.iter().any(|one| matches!(one.what, What::Entry(_))) {
            tripped.retain(|one| matches!(one.what, What::Entry(_)));
        }
        self.tripped.extend(tripped.iter().map(|one| one.what.clone()));
        if at >= self.minute + WINDOW {
            self.minute = at;
            self.minutes += 1;
            self.usual.values_mut().for_each(|usual| *usual *= 1.0 - WEIGHT);
            for (what, count) in &by {
                let usual = self.usual.entry(what.clone()).or_default();
                *usual += share(*count) * WEIGHT;
            }
            self.usual.retain(|_, usual| *usual > 1e-9);
        }
        tripped
    }
}

/// Hands over what a filter has appended to its spool since the last look.
fn read_on(dir: &Path, place: &mut Place, give: &mut dyn FnMut(&[u8])) -> Result<()> {
    std::fs::read_dir(dir).map_err(Error::file(dir, "read"))?;
    while !follow::look(dir, Kind::Spool, None, place, give).map_err(Error::file(dir, "read"))? {}
    Ok(())
}

/// Begins to follow the spools of filters.
///
/// # Errors
/// No thread could be made.
pub fn start(desk: Arc<Desk>, spools: &[PathBuf], limits: Limits) -> Result<Schedule> {
    // What stands there already is past. A directory that cannot be read is said at each look.
    let mut follows: Vec<(PathBuf, Place)> =
        spools.iter().map(|dir| (dir.clone(), Place::end(dir, Kind::Spool).unwrap_or_default())).collect();
    let (mut brakes, begun) = (Brakes::new(limits), Instant::now());
    brakes.leave_alone(desk.store().read(|state| all_meant(state))?);
    every("brakes", Duration::from_secs(1), move || {
        let now = begun.elapsed().as_secs();
        let trouble: Vec<String> = follows
            .iter_mut()
            .filter_map(|(dir, place)| read_on(dir, place, &mut |record| brakes.count(now, record)).err())
            .map(|e| e.to_string())
            .collect();
        let noted = match trouble.first() {
            Some(why) => alarms::raise(desk.store(), "spool", why),
            None => alarms::clear(desk.store(), "spool"),
        };
        // What cannot be read now is as it was.
        if let Ok(meant) = desk.store().read(|state| all_meant(state)) {
            brakes.leave_alone(meant);
        }
        for one in brakes.judge(now) {
            // What cannot be suspended is raised all the same.
            let _ = brake(&desk, &one);
        }
        // An alarm that cannot be written now is written with the next round.
        drop(noted);
    })
}

/// Suspends what went beyond its limit, and raises it.
///
/// # Errors
/// It could not be suspended; the alarm says so.
pub fn brake(desk: &Desk, tripped: &Tripped) -> Result<()> {
    let actor = Actor::console("brakes");
    let reason = format!("brake: {}", tripped.why);
    let done = match &tripped.what {
        What::Entry(pattern) => {
            let draft = Draft { pattern: pattern.clone(), verdict: "unknown".to_owned(), reason, ..Draft::default() };
            desk.obey(&actor, Command::Decide(Decide::Set(draft)))
        }
        What::Source(name) => {
            let suspend = Source::Suspend { name: name.clone(), why: Some(reason) };
            desk.obey(&actor, Command::Source(suspend))
        }
        What::Rule(name) if CHAINS.contains(&name.as_str()) => {
            let text = format!(
                "{name}, a chain of the policy: {}; `ztsms-console observe` stops it, and all else; `rule resume {name}` says that it is meant",
                tripped.why
            );
            return alarms::raise(desk.store(), &tripped.what.alarm(), &text);
        }
        What::Rule(name) => desk.obey(&actor, Command::Rule(Rule::Suspend { name: name.clone(), why: reason })),
    };
    let said = done.as_ref().map_or_else(|error| format!("could not be suspended: {error}"), |_| "suspended".to_owned());
    let text = format!("{} {said}: {}", tripped.what.name(), tripped.why);
    alarms::raise(desk.store(), &tripped.what.alarm(), &text)?;
    done.map(drop)
}

#[cfg(test)]
mod tests;
