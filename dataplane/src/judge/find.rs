//! Finds the URLs of a message and asks what each is worth.

use crate::policy::LinkFacts;
use crate::record::{Found, Slot};
use crate::scan;
use crate::verdict::{Confidence, Reason, Verdict};
use crate::verdicts::KeyScratch;
use crate::world::World;

/// A link as the policy is told of it: all of it in the text at hand, and in no other part.
#[inline]
pub(super) fn facts<'a>(slot: &Slot, arena: &'a str, world: &'a World) -> LinkFacts<'a> {
    let World { table, policy, .. } = world;
    let span = |(start, end): (usize, usize)| arena.get(start..end).unwrap_or_default();
    let host = span(slot.host);
    LinkFacts {
        start: slot.start,
        end: slot.end,
        host,
        registrable: if slot.registrable.0 == slot.registrable.1 { host } else { span(slot.registrable) },
        verdict: if slot.acts() { slot.verdict } else { Verdict::None },
        reason: slot.reason,
        category: if slot.app {
            "app"
        } else {
            slot.entry.filter(|_| policy.asks_category()).map_or("", |at| table.entry(at).category)
        },
        confidence: slot.confidence,
        in_this_part: slot.found == Found::Text,
        crosses_parts: false,
    }
}

/// The link in the sender's name that the policy is told of: a dangerous one, or one that is not safe beside links in the text.
pub(super) fn of_sender<'a>(slots: &[Slot], arena: &'a str, world: &'a World) -> Option<LinkFacts<'a>> {
    let beside = slots.iter().any(|slot| slot.found != Found::Sender && slot.acts());
    let acts = slots.iter().filter(|slot| slot.found == Found::Sender && slot.acts());
    let worst = acts.max_by_key(|slot| slot.verdict)?;
    let least = if beside { Verdict::Unknown } else { Verdict::Dangerous };
    (worst.verdict >= least).then(|| facts(worst, arena, world))
}

/// The link of an earlier copy of the text that is worse than all that stands there now.
#[inline]
pub(super) fn of_copy<'a>(slots: &[Slot], arena: &'a str, world: &'a World) -> Option<LinkFacts<'a>> {
    let worst = slots.iter().filter(|slot| slot.found == Found::Copy && slot.acts()).max_by_key(|slot| slot.verdict)?;
    let others = slots.iter().filter(|slot| slot.found != Found::Copy && slot.acts()).map(|slot| slot.verdict).max();
    (others < Some(worst.verdict)).then(|| facts(worst, arena, world))
}

/// Finds and judges.
pub(super) struct Find<'f> {
    pub(super) world: &'f World,
    pub(super) sender: &'f str,
    pub(super) arena: &'f mut String,
    pub(super) slots: &'f mut Vec<Slot>,
    pub(super) keys: &'f mut KeyScratch,
}

impl Find<'_> {
    /// The links of a text, from the first mark on that [`scan::Scanner::first_mark`] named.
    pub(super) fn links(&mut self, text: &str, mark: usize, found: Found, scan: &mut scan::Scratch) {
        let world = self.world;
        world.scanner.find_from(text, mark, scan, |link| self.link(link, found));
    }

    /// The links of a text whose parts were exchanged for copies that came before: those that the text itself does not have.
    pub(super) fn copies(&mut self, text: &str, scan: &mut scan::Scratch) {
        let told = self.slots.len();
        self.links(text, 0, Found::Copy, scan);
        let Self { slots, arena, .. } = self;
        let url = |slot: &Slot| arena.get(slot.url.0..slot.url.1);
        let mut kept = told;
        for at in told..slots.len() {
            let Some(&slot) = slots.get(at) else { break };
            if !slots.iter().take(told).any(|known| url(known) == url(&slot)) {
                if let Some(place) = slots.get_mut(kept) {
                    *place = slot;
                }
                kept += 1;
            }
        }
        slots.truncate(kept);
    }

    pub(super) fn link(&mut self, link: &scan::Link<'_>, found: Found) {
        let World { table, suffixes, policy, .. } = self.world;
        let url = &link.url;
        // The line of the table comes while the link is written down.
        let pending = table.begin(url, suffixes);
        let base = self.arena.len();
        self.arena.push_str(url.url);
        let within = |slice: &str| {
            let at = (slice.as_ptr() as usize).wrapping_sub(url.url.as_ptr() as usize);
            (at + slice.len() <= url.url.len()).then_some((base + at, base + at + slice.len()))
        };
        let host = within(url.host).unwrap_or((base, base));
        let registrable = pending.registrable(url.host).and_then(within).unwrap_or((base, base));
        let (mut start, mut end) = (link.start, link.end);
        let behind = self.arena.len();
        if found == Found::Copy {
            // That text is gone when the record is made.
            self.arena.push_str(link.as_written);
            (start, end) = (behind, self.arena.len());
        }
        let (verdict, reason, entry, app) = match link.confidence {
            Confidence::Binding => (Verdict::None, Reason::NoEntry, None, false),
            Confidence::Low => match table.finish_exact_dangerous(pending, url, self.keys) {
                Some(judged) => (judged.verdict, judged.reason, judged.entry, judged.app),
                None => (Verdict::Unknown, Reason::NoEntry, None, false),
            },
            Confidence::High => {
                let judged = table.finish(pending, url, link.app, self.sender, self.keys);
                if policy.impersonation(self.sender, url.host) {
                    (Verdict::Dangerous, Reason::Impersonation, judged.entry, judged.app)
                } else {
                    (judged.verdict, judged.reason, judged.entry, judged.app)
                }
            }
        };
        self.slots.push(Slot {
            start,
            end,
            url: (base, behind),
            host,
            registrable,
            verdict,
            reason,
            entry,
            app,
            confidence: link.confidence,
            found,
        });
    }
}
