//! Finds the URLs of a message and asks what each is worth.

use core::mem;

use crate::join::parts::{Part, Parts};
use crate::record::Found;
use crate::scan;
use crate::verdict::{Confidence, Reason, Verdict};
use crate::verdicts::{EntryRef, KeyScratch};
use crate::world::World;

/// One URL found: where it lies in the text, and where its canonical form lies in the arena.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) url: (usize, usize),
    pub(super) host: (usize, usize),
    pub(super) registrable: (usize, usize),
    pub(super) verdict: Verdict,
    pub(super) reason: Reason,
    pub(super) entry: Option<EntryRef>,
    pub(super) app: bool,
    pub(super) confidence: Confidence,
    pub(super) found: Found,
}

/// The worst that the text is worth when the copies that came first are read in place of the later ones.
#[expect(clippy::too_many_arguments, reason = "borrows of one scratch, each its own")]
pub(super) fn earlier_copies(
    parts: &mut Parts,
    key: crate::join::table::Key,
    now: u64,
    place: Part,
    buffer: &mut Vec<u8>,
    world: &World,
    sender: &str,
    keys: &mut KeyScratch,
    scan: &mut scan::Scratch,
) -> Verdict {
    buffer.clear();
    let Ok(mut text) = String::from_utf8(mem::take(buffer)) else { return Verdict::Unknown };
    parts.earlier(key, now, place, &mut text);
    let mut worst = Verdict::None;
    world.scanner.find(&text, scan, |link| {
        if link.confidence == Confidence::High {
            worst = worst.max(world.table.judge(&link.url, link.app, sender, &world.suffixes, keys).verdict);
        }
    });
    *buffer = text.into_bytes();
    worst
}

impl Slot {
    /// Whether the link counts: see [`crate::policy::LinkFacts::acts`].
    pub(super) fn acts(&self) -> bool {
        match self.confidence {
            Confidence::High => true,
            Confidence::Low => self.verdict == Verdict::Dangerous,
            Confidence::Binding => false,
        }
    }
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
    pub(super) fn links(&mut self, text: &str, found: Found, scan: &mut scan::Scratch) {
        let world = self.world;
        world.scanner.find(text, scan, |link| self.link(link, found));
    }

    fn link(&mut self, link: &scan::Link<'_>, found: Found) {
        let World { table, suffixes, policy, .. } = self.world;
        let url = &link.url;
        let (verdict, reason, entry, app, registrable) = match link.confidence {
            Confidence::Binding => (Verdict::None, Reason::NoEntry, None, false, suffixes.registrable(url.host)),
            Confidence::Low => match table.judge_exact_dangerous(url, suffixes, self.keys) {
                Some(j) => (j.verdict, j.reason, j.entry, j.app, j.registrable(url.host)),
                None => (Verdict::Unknown, Reason::NoEntry, None, false, suffixes.registrable(url.host)),
            },
            Confidence::High => {
                let judged = table.judge(url, link.app, self.sender, suffixes, self.keys);
                let registrable = judged.registrable(url.host);
                if policy.impersonation(self.sender, url.host) {
                    (Verdict::Dangerous, Reason::Impersonation, judged.entry, judged.app, registrable)
                } else {
                    (judged.verdict, judged.reason, judged.entry, judged.app, registrable)
                }
            }
        };
        let base = self.arena.len();
        self.arena.push_str(url.url);
        let within = |slice: &str| {
            let at = (slice.as_ptr() as usize).wrapping_sub(url.url.as_ptr() as usize);
            (at + slice.len() <= url.url.len()).then_some((base + at, base + at + slice.len()))
        };
        let host = within(url.host).unwrap_or((base, base));
        let registrable = registrable.and_then(within).unwrap_or((base, base));
        self.slots.push(Slot {
            start: link.start,
            end: link.end,
            url: (base, self.arena.len()),
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
