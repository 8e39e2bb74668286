//! A person decides about what waits: a domain, a host, a path, or a whole campaign; the effect is shown first.

use dataplane::suffix::Suffixes;
use dataplane::verdicts::Table;
use dataplane::verdicts::pattern::{Buffers, Kind, Pattern};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::rank;
use crate::audit::Actor;
use crate::decide::{self, Checked, Decision, Draft};
use crate::store::{Changed, Store};
use crate::{Error, Result, time};

/// Put off so long: it comes back a day later.
pub const LATER: i64 = 86_400;
/// Patterns that one campaign's decision may make.
const MOST_PATTERNS: usize = 1_000;

/// What is to be decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// A pattern (`host` and what is below, `=host`, `host/path`), or `#12`: a campaign.
    pub target: String,
    /// `safe`, `dangerous`, `unknown`, `later`.
    pub verdict: String,
    /// Why.
    pub reason: String,
    /// When it ends, Unix seconds.
    pub expires: Option<i64>,
}

/// What a decision would change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Effect {
    /// Patterns that would be decided.
    pub patterns: Vec<String>,
    /// Unknown messages of the last 24 hours (by the hour) that it would have changed. Of a path: of the last two days, those whose link
    /// was counted by itself.
    pub messages: i64,
    /// Hosts that wait and are covered.
    pub hosts: Vec<String>,
}

enum Target {
    Campaign(i64),
    Pattern(Pattern),
}

impl Target {
    fn parse(text: &str) -> Result<Self> {
        if let Some(number) = text.strip_prefix('#') {
            let number = number.parse().ok().filter(|number| *number > 0);
            let number = number.ok_or_else(|| Error::Refused(format!("campaign {text:?}: # and its number, as #12")))?;
            return Ok(Self::Campaign(number));
        }
        let pattern = Pattern::parse(text, &mut Buffers::default());
        pattern.map(Self::Pattern).map_err(|why| Error::Refused(format!("pattern {text:?}: {why}")))
    }
}

/// What a decision about this would have changed.
///
/// # Errors
/// There is no such campaign; the target is none; the database's.
pub fn effect(state: &Connection, table: &Table, suffixes: &Suffixes, target: &str, now: i64) -> Result<Effect> {
    let mut effect = Effect::default();
    match Target::parse(target)? {
        Target::Campaign(id) => {
            let found = rank::campaigns(state, None, Some(id), now)?;
            let campaign =
                found.first().ok_or_else(|| Error::NotFound(format!("there is no campaign #{id}: `triage list` names them")))?;
            effect.messages = campaign.day;
            for (host, links) in &campaign.hosts {
                // On a platform only these very pages are of the campaign.
                if suffixes.is_suffix(host) || decide::is_platform(table, host) {
                    effect.patterns.extend(links.keys().filter(|link| link.contains('/')).map(|link| bare(link).to_owned()));
                } else {
                    effect.patterns.push(host.clone());
                }
                effect.hosts.push(host.clone());
            }
            if effect.patterns.len() > MOST_PATTERNS {
                return Error::refused(format!("{} patterns: at most {MOST_PATTERNS} at once", effect.patterns.len()));
            }
        }
        Target::Pattern(pattern) => {
            let mut found = state.prepare_cached("SELECT host, campaign, links FROM triage")?;
            let mut rows = found.query([])?;
            while let Some(row) = rows.next()? {
                let (host, campaign): (String, i64) = (row.get(0)?, row.get(1)?);
                if !covers(&pattern, &host) {
                    continue;
                }
                effect.messages += if pattern.kind == Kind::Path {
                    let links = super::arrive::links(&row.get::<_, String>(2)?);
                    links.iter().filter(|(link, _)| is_at(bare(link), &pattern.key)).map(|(_, count)| count).sum()
                } else {
                    rank::hours(state, &host, campaign, now)?[0]
                };
                if !effect.hosts.contains(&host) {
                    effect.hosts.push(host);
                }
            }
            effect.patterns.push(pattern.key);
        }
    }
    Ok(effect)
}

/// A link without its query.
fn bare(link: &str) -> &str {
    link.split('?').next().unwrap_or_default()
}

fn is_at(link: &str, path: &str) -> bool {
    link.strip_prefix(path).is_some_and(|tail| tail.is_empty() || tail.starts_with('/'))
}

fn covers(pattern: &Pattern, host: &str) -> bool {
    let name = pattern.key.trim_start_matches(['=', '@']).split('/').next().unwrap_or_default();
    match pattern.kind {
        Kind::Host => host.strip_suffix(name).is_some_and(|head| head.is_empty() || head.ends_with('.')),
        Kind::Exact | Kind::Path | Kind::Platform => host == name,
        Kind::Scheme => false,
    }
}

/// Decides, all of it or nothing. `later` makes no decision: what waits comes back after a day.
///
/// # Errors
/// What [`decide::check`] refuses, and `safe` for a campaign.
pub fn decide(store: &Store, actor: &Actor, order: Order, table: &Table, suffixes: &Suffixes) -> Result<Vec<Decision>> {
    let now = time::now();
    let effect = store.read(|state| effect(state, table, suffixes, &order.target, now))?;
    let is_campaign = order.target.starts_with('#');
    if order.verdict == "safe" && is_campaign {
        return Error::refused("safe is said of a name, not of a text: decide its hosts one by one");
    }
    if effect.patterns.is_empty() {
        return Error::refused("nothing of it can be decided: it names platforms alone, and no page of one");
    }
    let draft = |pattern: &String| Draft {
        pattern: pattern.clone(),
        verdict: order.verdict.clone(),
        reason: if is_campaign { format!("{} (campaign {})", order.reason, order.target) } else { order.reason.clone() },
        expires: order.expires,
        ..Draft::default()
    };
    let later = order.verdict == "later";
    let checked: Vec<Checked> = if later {
        Vec::new()
    } else {
        effect.patterns.iter().map(|pattern| decide::check(&draft(pattern), table, suffixes, now)).collect::<Result<_>>()?
    };
    let author = actor.name.clone();
    store.change(actor, "triage", move |transaction| {
        let mut decisions = Vec::new();
        for checked in &checked {
            decide::may_alone(transaction, checked)?;
            decisions.push(checked.write(transaction, &author)?.0);
        }
        // A path says nothing of what else its host has.
        for decision in decisions.iter().filter(|decision| !decision.pattern.contains('/')) {
            for host in &effect.hosts {
                let pattern = Pattern { kind: Pattern::kind_of(&decision.pattern), key: decision.pattern.clone() };
                if covers(&pattern, host) {
                    let sql = "UPDATE triage SET decision = ?2, later = NULL WHERE host = ?1";
                    transaction.prepare_cached(sql)?.execute((host, decision.id))?;
                }
            }
        }
        if later {
            for host in &effect.hosts {
                transaction.prepare_cached("UPDATE triage SET later = ?2 WHERE host = ?1")?.execute((host, now + LATER))?;
            }
        }
        let ids: Vec<i64> = decisions.iter().map(|decision| decision.id).collect();
        let detail = json!({ "verdict": order.verdict, "reason": order.reason, "decisions": ids, "effect": effect });
        Ok(Changed { subject: order.target, detail, value: decisions })
    })
}
