//! Making, listing, revoking and rotating keys; each but listing is a line of the audit log.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::atomic::Ordering::Relaxed;

use rusqlite::{Connection, OptionalExtension as _};

use super::{Key, Keys, OCTETS, PREFIX, Scope, Settings};
use crate::audit::Actor;
use crate::store::{Changed, Store};
use crate::{Error, Result, time};

/// What can be asked about keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyCommand {
    /// Makes one.
    Create(Settings),
    /// All, without their secrets.
    List,
    /// Ends one at once.
    Revoke {
        /// Its number.
        id: i64,
        /// Why.
        reason: String,
    },
    /// Makes one of the same settings, and lets the old one end after a while.
    Rotate {
        /// The old one's number.
        id: i64,
        /// Seconds that the old one still holds.
        overlap: i64,
        /// When the new one ends, Unix seconds; none: it lives as long as the old one was made for.
        expires: Option<i64>,
    },
}

impl Keys {
    /// Carries out a command. In force when this returns.
    ///
    /// # Errors
    /// Why not; nothing was changed then.
    pub fn obey(&self, store: &Store, actor: &Actor, command: KeyCommand) -> Result<Value> {
        let done = match command {
            KeyCommand::List => return Ok(self.list()),
            KeyCommand::Create(settings) => create(store, actor, settings, None)?,
            KeyCommand::Revoke { id, reason } => revoke(store, actor, id, reason)?,
            KeyCommand::Rotate { id, overlap, expires } => {
                let (settings, created) = store.read(|state| {
                    let created: Option<i64> =
                        state.query_row("SELECT created FROM keys WHERE id = ?1", [id], |row| row.get(0)).optional()?;
                    Ok((one(state, id)?.settings, created.unwrap_or_default()))
                })?;
                // A key that ends is followed by one that does: for as long as that was made for.
                let lives = settings.expires.map(|end| time::now().saturating_add(end - created));
                create(store, actor, Settings { expires: expires.or(lives), ..settings }, Some((id, overlap)))?
            }
        };
        self.read(store)?;
        Ok(done)
    }

    fn list(&self) -> Value {
        let keys = self.0.load();
        let mut keys: Vec<_> = keys.values().collect();
        keys.sort_by_key(|key| key.id);
        keys.iter().map(|key| shown(key)).collect()
    }
}

fn shown(key: &Key) -> Value {
    let used = key.used.load(Relaxed);
    json!({ "id": key.id, "settings": key.settings, "revoked": key.revoked, "used": (used > 0).then_some(used) })
}

fn one(state: &Connection, id: i64) -> Result<Key> {
    let found = state.prepare_cached("SELECT * FROM keys WHERE id = ?1")?.query_row([id], Key::of).optional()?;
    found.ok_or_else(|| Error::NotFound(format!("there is no key {id}: `ztsms-console key list` shows them")))
}

/// Makes a key, in place of another that then ends.
fn create(store: &Store, actor: &Actor, settings: Settings, replaces: Option<(i64, i64)>) -> Result<Value> {
    if settings.scopes.is_empty() {
        return Error::refused("a key has at least one scope");
    }
    if settings.name.trim().is_empty() || settings.name.chars().any(char::is_control) {
        return Error::refused("a key has a name, without control characters");
    }
    let now = time::now();
    if settings.expires.is_some_and(|end| end <= now) {
        return Error::refused("the key would have ended already");
    }
    let mut secret = [0; OCTETS];
    getrandom::fill(&mut secret).map_err(|error| Error::Refused(format!("no random numbers: {error}")))?;
    let hash: [u8; OCTETS] = Sha256::digest(secret).into();
    let (author, expires) = (actor.name.clone(), settings.expires);
    let verb = if replaces.is_some() { "rotate-key" } else { "create-key" };
    let (id, ends) = store.change(actor, verb, move |transaction| {
        let mut ends = None;
        if let Some((old, overlap)) = replaces {
            let key = one(transaction, old)?;
            if key.revoked.is_some() || key.settings.expires.is_some_and(|end| end <= now) {
                return Error::refused(format!("key {old} has ended: make a new one"));
            }
            let end = now.saturating_add(overlap.max(0));
            let end = key.settings.expires.map_or(end, |before| before.min(end));
            transaction.execute("UPDATE keys SET expires = ?2 WHERE id = ?1", (old, end))?;
            ends = Some(end);
        }
        let joined = |words: Vec<String>| words.join(" ");
        let scopes = joined(settings.scopes.iter().map(|scope: &Scope| scope.name().to_owned()).collect());
        let networks = joined(settings.networks.iter().map(ToString::to_string).collect());
        let old = replaces.map(|(old, _)| old);
        transaction.execute(
            "INSERT INTO keys (name, hash, scopes, networks, senders, rate, author, created, expires, replaces)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            (
                &settings.name,
                hash,
                scopes,
                networks,
                json!(settings.senders).to_string(),
                settings.rate,
                author,
                now,
                settings.expires,
                old,
            ),
        )?;
        let id = transaction.last_insert_rowid();
        let detail = json!({ "settings": settings, "replaces": old, "old-ends": ends });
        Ok(Changed { subject: format!("key {id}"), detail, value: (id, ends) })
    })?;
    let key = format!("{PREFIX}{id}_{}", control::record_json::hex(&secret));
    Ok(json!({ "id": id, "key": key, "ends": expires, "old": replaces.map(|(old, _)| old), "old_ends": ends }))
}

fn revoke(store: &Store, actor: &Actor, id: i64, reason: String) -> Result<Value> {
    store.change(actor, "revoke-key", move |transaction| {
        if one(transaction, id)?.revoked.is_some() {
            return Error::refused(format!("key {id} was revoked already"));
        }
        transaction.execute("UPDATE keys SET revoked = ?2 WHERE id = ?1", (id, time::now()))?;
        Ok(Changed { subject: format!("key {id}"), detail: json!({ "reason": reason }), value: () })
    })?;
    Ok(json!({ "revoked": id }))
}
