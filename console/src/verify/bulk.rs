//! Names that are proposed many at once: from a register (banks, government, the operator's registered senders with their hosts) or from the
//! census. Each is a [proposal](super) like any other, looked into side by side, and two people agree to it. Nothing is safe by how often it
//! is seen: that only puts it in front of people.

use std::collections::HashMap;

use dataplane::suffix::Suffixes;
use dataplane::verdicts::Table;
use dataplane::verdicts::pattern::{Buffers, Kind, Pattern};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Draft, insert, prepare, standing};
use crate::audit::Actor;
use crate::store::{Changed, Store};
use crate::{Error, Result};

/// Proposals of that kind that wait at most.
const MOST_OPEN: i64 = 50_000;
/// Lines of one register.
const MOST_LINES: usize = 20_000;
/// How long such a verdict holds: a year.
const HOLDS: i64 = 365 * 86_400;

/// Where they come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bulk {
    /// A register, CSV.
    Register {
        /// Its name.
        origin: String,
        /// Its text.
        text: String,
    },
    /// The hosts of so many domains that the census names first.
    Census(usize),
}

/// One name of a register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The host; a path, a port or a scheme in front of it is refused.
    pub host: String,
    /// Whose it is.
    pub owner: String,
    /// Category: `bank`, `government`.
    pub category: String,
    /// For whom alone it would be safe, separated by `|`; empty: for everybody.
    pub senders: String,
    /// Its line; 0: of none.
    pub line: u64,
}

/// What became of a register.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    /// Names that wait now.
    pub added: usize,
    /// Names that were proposed, or are safe already.
    pub known: usize,
    /// Of those known, names that are suspended: `verify reopen` opens them again.
    #[serde(default)]
    pub suspended: usize,
}

/// Reads a register: CSV with a first line that names its columns, `host` and of `owner`, `category`, `senders` what there is.
///
/// # Errors
/// The line and what is wrong with it. All or nothing: no name is left out in silence.
pub fn register(text: &str) -> Result<Vec<Entry>> {
    let mut lines = (1..).zip(text.trim_start_matches('\u{feff}').lines()).filter(|(_, line)| !line.trim().is_empty());
    let (_, head) =
        lines.next().ok_or_else(|| Error::Refused("an empty register: its first line names the columns".to_owned()))?;
    let columns = fields(head);
    let known = ["host", "owner", "category", "senders"];
    if let Some(other) = columns.iter().find(|name| !known.contains(&name.trim())) {
        return Error::refused(format!("line 1: column {other:?}; there are {}", known.join(", ")));
    }
    if !columns.iter().any(|name| name.trim() == "host") {
        return Error::refused("line 1: no column is named host");
    }
    if let Some(twice) =
        columns.iter().enumerate().find(|(n, name)| columns.iter().take(*n).any(|other| other.trim() == name.trim()))
    {
        return Error::refused(format!("line 1: two columns are named {:?}", twice.1));
    }
    let (mut entries, mut at) = (Vec::<Entry>::new(), HashMap::new());
    for (number, line) in lines {
        let mut entry = Entry::default();
        let values = fields(line);
        if values.len() != columns.len() {
            return Error::refused(format!("line {number}: {} fields, the first line names {}", values.len(), columns.len()));
        }
        for (column, value) in columns.iter().zip(values) {
            let to = match column.trim() {
                "host" => &mut entry.host,
                "owner" => &mut entry.owner,
                "category" => &mut entry.category,
                _ => &mut entry.senders,
            };
            *to = value.trim().to_owned();
        }
        entry.host = host(&entry.host).map_err(|why| Error::Refused(format!("line {number}: {why}")))?;
        entry.line = number;
        let Some(&first) = at.get(&entry.host) else {
            if entries.len() == MOST_LINES {
                return Error::refused(format!(
                    "line {number}: more than {MOST_LINES} names in one register: a list of that size is a source (`feed set --safe`)"
                ));
            }
            at.insert(entry.host.clone(), entries.len());
            entries.push(entry);
            continue;
        };
        // A host with several senders has a line each in some registers.
        let Some(first) = entries.get_mut(first) else { continue };
        if (&first.owner, &first.category) != (&entry.owner, &entry.category) {
            return Error::refused(format!("lines {} and {number}: {} has two owners or categories", first.line, entry.host));
        }
        match (first.senders.is_empty(), entry.senders.is_empty()) {
            (false, false) => first.senders = format!("{}|{}", first.senders, entry.senders),
            // Safe for everybody is safe for each.
            _ => first.senders.clear(),
        }
    }
    Ok(entries)
}

/// The fields of a line; one in quotes may hold commas, and a quote as two.
fn fields(line: &str) -> Vec<String> {
    let (mut out, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(core::mem::take(&mut field)),
            _ => field.push(c),
        }
    }
    out.push(field);
    out
}

fn host(text: &str) -> Result<String, String> {
    let pattern = Pattern::parse(text, &mut Buffers::default()).map_err(|why| format!("host {text:?}: {why}"))?;
    if pattern.kind == Kind::Host { Ok(pattern.key) } else { Err(format!("host {text:?}: a host alone, like bank.example")) }
}

/// Proposes names, all of them or none: what may never be safe is refused.
///
/// # Errors
/// Why not.
pub fn propose(
    store: &Store,
    actor: &Actor,
    origin: &str,
    entries: Vec<Entry>,
    (table, suffixes): (&Table, &Suffixes),
) -> Result<Proposed> {
    let (mut fresh, mut done) = (Vec::new(), Proposed::default());
    for Entry { host, owner, category, senders, line } in entries {
        if control::verdicts_cmd::lookup(table, &host, "", suffixes).verdict == "safe" {
            done.known += 1;
            continue;
        }
        let senders = senders.split('|').filter(|sender| !sender.is_empty()).map(str::to_owned).collect();
        let reason = if owner.is_empty() { format!("in {origin}") } else { format!("{owner}, by {origin}") };
        let draft = Draft { host, below: false, senders, category, reason, holds: HOLDS };
        let of_line = |why: Error| if line == 0 { why } else { Error::Refused(format!("line {line}: {why}")) };
        fresh.push(prepare(actor, &draft, origin, table, suffixes).map_err(of_line)?);
    }
    let origin = origin.to_owned();
    store.change(actor, "propose", move |transaction| {
        let sql = "SELECT count(*) FROM proposals WHERE state = 'open' AND origin <> ''";
        let mut open: i64 = transaction.query_row(sql, [], |row| row.get(0))?;
        for proposal in &fresh {
            if let Some(known) = standing(transaction, &proposal.host)? {
                done.known += 1;
                done.suspended += usize::from(known.state == "suspended");
                continue;
            }
            insert(transaction, proposal)?;
            (done.added, open) = (done.added + 1, open + 1);
            if open > MOST_OPEN {
                return Error::refused(format!("{MOST_OPEN} names wait for people already"));
            }
        }
        Ok(Changed { subject: origin, detail: json!(done), value: done })
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use serde_json::Value;

    use super::*;
    use crate::command::{Command, Verify};
    use crate::desk::Desk;

    struct Place(PathBuf, Arc<Desk>);

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    impl Place {
        /// A desk whose fetcher is away.
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("ztsms-bulk-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&dir);
            let desk = Desk::open_with(&dir, "/nowhere/fetch.sock".as_ref()).unwrap();
            Self(dir, desk)
        }

        fn ask(&self, who: &str, command: Verify) -> Result<Value> {
            self.1.obey(&Actor { name: who.to_owned(), via: "test".to_owned() }, Command::Verify(command))
        }

        fn register(&self, text: &str) -> Result<Value> {
            self.ask("ada", Verify::Bulk(Bulk::Register { origin: "banks.csv".to_owned(), text: text.to_owned() }))
        }

        fn approve(&self, who: &str, unseen: bool) -> Result<Value> {
            self.ask(who, Verify::Approve { id: 1, reason: "their letter".to_owned(), below: false, unseen })
        }

        fn says(&self, host: &str, sender: &str) -> &'static str {
            let table = self.1.publisher().table().unwrap();
            control::verdicts_cmd::lookup(&table, host, sender, &Suffixes::built_in()).verdict
        }
    }

    #[test]
    fn a_register_is_taken_whole_and_two_people_agree_to_each_name_after_it_was_looked_into() {
        let place = Place::new("register");
        let good = "host,owner,category,senders\nbank.example,\"Bank, Ltd\",bank,ExBank|EXB\npost.example,Post,,\n";
        let several = register("host,owner,senders\na.example,A,S1\na.example,A,S2\n").unwrap();
        assert_eq!((several.len(), several[0].senders.as_str()), (1, "S1|S2"));
        assert_eq!(place.register(good).unwrap(), json!({ "added": 2, "known": 0, "suspended": 0 }));
        assert_eq!(place.register(good).unwrap(), json!({ "added": 0, "known": 2, "suspended": 0 }));
        for (wrong, why) in [
            ("host\ngood.example\nhttp://x.example/a?b\n", "line 3"),
            ("host\ngood.example\ncom\n", "line 3: \"com\" is no name"),
            ("host\ngood.example\nco.uk\n", "line 3: co.uk is a public suffix"),
            ("host\ngood.example\nbit.ly\n", "line 3: bit.ly is a platform"),
            ("host,host\na.example,b.example\n", "two columns"),
            ("host,owner\na.example,A\na.example,B\n", "lines 2 and 3: a.example has two owners"),
            ("name\nx\n", "column \"name\""),
            ("host,owner\nx.example\n", "1 fields"),
            ("<html>", "column"),
        ] {
            let said = place.register(wrong).unwrap_err().to_string();
            assert!(said.contains(why), "{wrong:?}: {said}");
        }
        assert_eq!(place.ask("ada", Verify::List { state: None, most: 9 }).unwrap().as_array().unwrap().len(), 2);

        // Nobody looked, and then nobody could.
        assert!(place.approve("ada", true).unwrap_err().to_string().contains("no evidence"));
        assert_eq!(place.ask("ada", Verify::CollectOpen).unwrap(), json!({ "looked_into": 2 }));
        let shown = place.ask("bob", Verify::Show(1)).unwrap();
        assert!(shown["evidence"]["unseen"].as_str().unwrap().contains("does ztsms-fetch run?"), "{shown}");
        let why = shown["needs"]["why"].to_string();
        assert!(["in bulk, by banks.csv", "nobody could look"].iter().all(|part| why.contains(part)), "{why}");
        assert!(place.approve("ada", false).unwrap_err().to_string().contains("--unseen"));
        // Two who agree, whoever proposed it.
        for _ in 0..2 {
            assert_eq!(place.approve("bob", true).unwrap()["needs"]["missing"], 1);
        }
        assert_eq!(place.says("bank.example", "ExBank"), "unknown");
        let agreed = place.approve("ada", true).unwrap();
        assert_eq!(agreed["proposal"]["state"], "verified");
        assert!(agreed["decisions"][0]["reason"].as_str().unwrap().contains("unseen"), "{agreed}");
        assert_eq!(place.says("bank.example", "ExBank"), "safe");
        assert_eq!(
            [("www.bank.example", "EXB"), ("x.bank.example", "ExBank"), ("bank.example", "Other")].map(|(h, s)| place.says(h, s)),
            ["safe", "unknown", "unknown"]
        );
        // Safe, it is known.
        assert_eq!(place.register("host\nbank.example\n").unwrap(), json!({ "added": 0, "known": 1, "suspended": 0 }));
    }
}
