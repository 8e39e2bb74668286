//! Names that no feed may call dangerous, and senders that carry their own hosts only.

use dataplane::verdicts::pattern::{Buffers, Kind, Pattern};
use serde_json::{Value, json};

use super::{Desk, value};
use crate::audit::Actor;
use crate::command::Protect;
use crate::decide;
use crate::store::Changed;
use crate::{Error, Result, time};

fn host(text: &str) -> Result<String> {
    let pattern = Pattern::parse(text, &mut Buffers::default()).map_err(|why| Error::Refused(format!("host {text:?}: {why}")))?;
    if pattern.kind == Kind::Host {
        Ok(pattern.key)
    } else {
        Error::refused(format!("{text:?}: a host alone, like bank.example"))
    }
}

impl Desk {
    /// A host that somebody owns: what it is protected for would else hold for everybody's names there.
    fn owned(&self, text: &str) -> Result<String> {
        let host = host(text)?;
        if let Some(why) = decide::is_everybodys(&host, self.publisher.suffixes()) {
            return Error::refused(format!("{why}, and all of them would be protected by this"));
        }
        if self.publisher.table().is_ok_and(|table| table.is_platform(&host)) {
            return Error::refused(format!(
                "{host} is a platform: everybody has pages there, and all of them would be protected by this"
            ));
        }
        Ok(host)
    }

    pub(super) fn protect(&self, actor: &Actor, command: Protect) -> Result<Value> {
        let author = actor.name.clone();
        match command {
            Protect::Host { host: text, why } => {
                let host = self.owned(&text)?;
                self.store.change(actor, "protect", move |transaction| {
                    let sql =
                        "INSERT INTO protected VALUES (?1, ?2, ?3, ?4) ON CONFLICT (host) DO UPDATE SET why = ?2, author = ?3";
                    transaction.execute(sql, (&host, &why, author, time::now()))?;
                    Ok(Changed { subject: host, detail: json!({ "why": why }), value: () })
                })?;
                self.catch_up()?;
            }
            Protect::Unhost(text) => {
                let host = host(&text)?;
                self.store.change(actor, "unprotect", move |transaction| {
                    if transaction.execute("DELETE FROM protected WHERE host = ?1", [&host])? == 0 {
                        return Err(Error::NotFound(format!("{host} is not protected by name")));
                    }
                    Ok(Changed { subject: host, detail: Value::Null, value: () })
                })?;
                self.catch_up()?;
            }
            Protect::Sender { sender, hosts } => {
                let hosts = hosts.iter().map(|text| self.owned(text)).collect::<Result<Vec<_>>>()?;
                if sender.trim().is_empty() || hosts.is_empty() {
                    return Error::refused("a protected sender has a name and at least one host of its own");
                }
                self.store.change(actor, "protect-sender", move |transaction| {
                    let sql =
                        "INSERT INTO senders VALUES (?1, ?2, ?3, ?4) ON CONFLICT (sender) DO UPDATE SET hosts = ?2, author = ?3";
                    transaction.execute(sql, (&sender, hosts.join(" "), author, time::now()))?;
                    Ok(Changed { subject: sender, detail: json!({ "hosts": hosts }), value: () })
                })?;
                // Feeds may not call its hosts dangerous any more.
                self.publish_decisions()?;
                self.catch_up()?;
            }
            Protect::Unsender(sender) => {
                self.store.change(actor, "unprotect-sender", move |transaction| {
                    if transaction.execute("DELETE FROM senders WHERE sender = ?1", [&sender])? == 0 {
                        return Err(Error::NotFound(format!("{sender:?} is no protected sender")));
                    }
                    Ok(Changed { subject: sender, detail: Value::Null, value: () })
                })?;
                self.publish_decisions()?;
                self.catch_up()?;
            }
            Protect::List => {}
        }
        self.store.read(|state| {
            let mut hosts = state.prepare_cached("SELECT host, why, author, added FROM protected ORDER BY host")?;
            let hosts = hosts.query_map([], |row| {
                Ok(json!({ "host": row.get::<_, String>(0)?, "why": row.get::<_, String>(1)?,
                    "author": row.get::<_, String>(2)?, "added": row.get::<_, i64>(3)? }))
            })?;
            let hosts = hosts.collect::<Result<Vec<_>, _>>()?;
            let mut senders = state.prepare_cached("SELECT sender, hosts, author, added FROM senders ORDER BY sender")?;
            let senders = senders.query_map([], |row| {
                let hosts: String = row.get(1)?;
                Ok(json!({ "sender": row.get::<_, String>(0)?, "hosts": hosts.split(' ').collect::<Vec<_>>(),
                    "author": row.get::<_, String>(2)?, "added": row.get::<_, i64>(3)? }))
            })?;
            Ok(json!({ "hosts": hosts, "senders": senders.collect::<Result<Vec<_>, _>>()? }))
        })
    }

    pub(super) fn conflicts(&self) -> Result<Value> {
        value(self.store.read(|state| {
            let mut found =
                state.prepare_cached("SELECT pattern, source, protected, seen FROM conflicts ORDER BY pattern, source")?;
            let found = found.query_map([], |row| {
                Ok(json!({ "pattern": row.get::<_, String>(0)?, "source": row.get::<_, String>(1)?,
                    "protected": row.get::<_, String>(2)?, "seen": row.get::<_, i64>(3)? }))
            })?;
            Ok(found.collect::<Result<Vec<_>, _>>()?)
        })?)
    }
}
