//! What follows from where short links lead and from what a provider says, without a person.

use dataplane::texts::Texts;
use dataplane::verdict::{Reason, Verdict};
use dataplane::verdicts::EXPANSION;
use dataplane::world::World;

use super::live::Said;
use super::queue::Known;
use crate::publish::{LIVE, Line};
use crate::sources::Protected;

/// The lines of the overlay that follow from where links lead. `world` is what decisions and lists say without them.
///
/// Only a link of which nothing is said has its target's verdict: what a person or a list says of the link itself stands. `safe` is lent only
/// where the owner of the link cannot change its target.
pub fn lines(world: &World, known: &[Known]) -> Vec<Line> {
    let mut texts = Texts::default();
    known.iter().filter_map(|link| line(world, &mut texts, link)).collect()
}

/// The lines that follow from what a provider calls dangerous: for that very host, where nothing else is said of it. As with feeds, a protected
/// name and what is below it is left alone.
pub fn hosts(world: &World, said: &[Said], protected: &Protected) -> Vec<Line> {
    let mut texts = Texts::default();
    let mut line = |said: &Said| {
        let url = format!("https://{}/", said.host);
        texts.judge_url(world, &url, "").ok()?;
        let found = texts.urls(&url, "").iter().find(|found| found.host == said.host)?;
        let is_protected = protected.spoken_of(&said.host).is_some();
        let is_open = found.verdict == Verdict::Unknown && found.reason == Reason::NoEntry;
        (is_open && !is_protected).then(|| Line {
            // Before links, behind decisions.
            id: i64::MIN / 2 + said.id,
            pattern: format!("={}", said.host),
            verdict: Verdict::Dangerous,
            category: said.category.clone(),
            senders: String::new(),
            source: LIVE,
            expires: Some(said.ends),
            note: String::new(),
        })
    };
    said.iter().filter_map(&mut line).collect()
}

fn line(world: &World, texts: &mut Texts, link: &Known) -> Option<Line> {
    let url = format!("https://{}", link.link);
    texts.judge_url(world, &url, "").ok()?;
    let of_link = texts.urls(&url, "").iter().find(|found| found.url == url)?;
    if of_link.verdict != Verdict::Unknown || !matches!(of_link.reason, Reason::Platform | Reason::NoEntry) {
        return None;
    }
    let worst = texts.judge_url(world, &link.target, "").ok()?;
    let lent = match worst {
        Verdict::Dangerous => worst,
        Verdict::Safe if !link.editable => worst,
        _ => return None,
    };
    let found = texts.urls(&link.target, "").iter().find(|found| found.verdict == worst)?;
    let category = found.entry.map(|entry| world.table.entry(entry).category.to_owned()).unwrap_or_default();
    Some(Line {
        // Behind every decision: what waits for its minute waits for people's first.
        id: i64::MIN + link.id,
        pattern: link.link.clone(),
        verdict: lent,
        category,
        senders: String::new(),
        source: EXPANSION,
        expires: Some(link.ends),
        note: format!("leads to {}", found.host),
    })
}
