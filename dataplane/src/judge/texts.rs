//! Texts that are in no frame: what the lane does for a short message, for whoever has the text itself.

use std::borrow::Cow;

pub use protocols::sms::{Segments, segments};

use super::find::{self, Find};
use super::recycle;
use crate::canonical;
use crate::policy::profiles::{Language, Profile};
use crate::policy::{self, Action, Bound, Decision, Edit, LinkFacts, Message, Room, SenderKind};
use crate::record::{Found, Slot, Urls};
use crate::scan;
use crate::verdict::{Confidence, Verdict};
use crate::verdicts::{KeyScratch, is_app_package};
use crate::world::World;

/// Finds and judges the links of one text after another, and decides about it. The memory is kept and used again.
#[derive(Default)]
pub struct Texts {
    arena: String,
    slots: Vec<Slot>,
    facts: Vec<LinkFacts<'static>>,
    scan: scan::Scratch,
    keys: KeyScratch,
    policy: policy::Scratch,
    canonical: canonical::Scratch,
    whole: String,
}

/// Whom a text is from and for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ends<'a> {
    /// A name, or digits without `+`.
    pub sender: &'a str,
    /// What the sender's address is.
    pub sender_kind: SenderKind,
    /// IMSI of the recipient.
    pub imsi: Option<&'a str>,
    /// What the recipient asked for.
    pub profile: Option<Profile>,
    /// The language to tell them in, before the profile's.
    pub language: Option<Language>,
}

impl Texts {
    /// Finds and judges every link of a text, and of its sender where that is a name. What they are worth together.
    pub fn judge(&mut self, world: &World, text: &str, ends: &Ends<'_>) -> Verdict {
        let Self { arena, slots, scan, keys, .. } = self;
        arena.clear();
        slots.clear();
        let mut find = Find { world, sender: ends.sender, arena, slots, keys };
        if let Some(mark) = world.scanner.first_mark(text.as_bytes()) {
            find.links(text, mark, Found::Text, scan);
        }
        let named = ends.sender_kind == SenderKind::Alphanumeric;
        if let Some(mark) = world.scanner.first_mark(ends.sender.as_bytes()).filter(|_| named) {
            find.links(ends.sender, mark, Found::Sender, scan);
        }
        self.slots.iter().filter(|slot| slot.acts()).map(|slot| slot.verdict).max().unwrap_or(Verdict::None)
    }

    /// Judges a URL that somebody else cut out of a text, with or without its scheme: as it is, and each reading that the scan finds in it.
    ///
    /// # Errors
    /// It is no URL.
    pub fn judge_url(&mut self, world: &World, url: &str, sender: &str) -> Result<Verdict, canonical::Bad> {
        let worst = self.judge(world, url, &Ends { sender, ..Ends::default() });
        let Self { arena, slots, keys, canonical: scratch, whole, .. } = self;
        whole.clear();
        if !canonical::has_scheme(url) {
            whole.push_str("http://");
        }
        whole.push_str(url);
        let canonical = canonical::parse(whole, scratch)?;
        if slots.iter().any(|slot| slot.acts() && arena.get(slot.url.0..slot.url.1) == Some(canonical.url)) {
            return Ok(worst);
        }
        let link = scan::Link {
            start: 0,
            end: url.len(),
            confidence: Confidence::High,
            app: is_app_package(canonical.path_and_query),
            url: canonical,
            as_written: url,
            form: scan::Form::Scheme,
        };
        Find { world, sender, arena, slots, keys }.link(&link, Found::Text);
        Ok(slots.last().map_or(worst, |slot| slot.verdict.max(worst)))
    }

    /// The links of the text or URL judged last, which is to be given again with its sender.
    pub fn urls<'t>(&'t self, text: &'t str, sender: &'t str) -> Urls<'t> {
        Urls { slots: &self.slots, text, address: sender, arena: &self.arena, shown: (0, text.len()) }
    }

    /// What is to be done with the text judged last, which is to be given again.
    pub fn decide(&mut self, world: &World, text: &str, ends: &Ends<'_>, worst: Verdict, room: &mut dyn Room) -> Decision {
        let mut facts: Vec<LinkFacts<'_>> = recycle(core::mem::take(&mut self.facts));
        let of_text = self.slots.iter().filter(|slot| slot.found != Found::Sender);
        facts.extend(of_text.map(|slot| find::facts(slot, &self.arena, world)));
        let sender_link = find::of_sender(&self.slots, &self.arena, world);
        let acts = facts.iter().filter(|link| link.acts());
        let of_links = acts.map(|link| link.verdict).max().unwrap_or(Verdict::None);
        let message = Message {
            sender: ends.sender,
            sender_kind: ends.sender_kind,
            imsi: ends.imsi,
            profile: ends.profile,
            language: ends.language,
            sender_link: sender_link.as_ref(),
            verdict: if sender_link.is_some() { worst } else { of_links },
            ..Message::new(text, &facts)
        };
        let decision = world.policy.decide(&message, &mut self.policy, room);
        self.facts = recycle(facts);
        decision
    }

    /// The text as the decision changes it. `None` where it stays.
    pub fn changed<'t>(&'t self, text: &str, decision: &Decision) -> Option<Cow<'t, str>> {
        match decision.edit {
            Edit::None => None,
            Edit::Text => Some(Cow::Borrowed(&self.policy.text)),
            Edit::Deaden => {
                let mut spots = self.policy.spots.iter().copied().peekable();
                let blank = |(at, c)| {
                    while spots.next_if(|&spot| spot < at).is_some() {}
                    if spots.next_if_eq(&at).is_some() { ' ' } else { c }
                };
                Some(Cow::Owned(text.char_indices().map(blank).collect()))
            }
        }
    }

    /// The notice that [`Action::Notify`] tells the recipient.
    pub fn notice(&self, decision: &Decision) -> Option<&str> {
        (decision.action == Action::Notify).then_some(self.policy.text.as_str())
    }
}

/// Room counted in short messages: what a firewall has that writes the text anew, in the alphabet that it needs.
#[derive(Clone, Copy, Debug)]
pub struct Messages {
    /// Short messages allowed, and never fewer than the text has.
    most: usize,
}

impl Messages {
    /// Room for `most` short messages, or for as many as the text takes as it is.
    pub fn new(text_takes: usize, most: usize) -> Self {
        Self { most: most.max(text_takes) }
    }
}

impl Room for Messages {
    fn fits(&mut self, text: &str) -> Result<(), Bound> {
        let need = segments(text).count;
        if need <= self.most { Ok(()) } else { Err(Bound::Segments { need, max: self.most }) }
    }

    fn fits_off_the_wire(&mut self) -> Result<(), Bound> {
        Ok(())
    }

    /// No page could show what a redirect made here leads to: its record is the filter's to write.
    fn reserve(&mut self, _issued: &[policy::redirect::Issued]) -> Result<(), Bound> {
        Err(Bound::NoWork)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_never_gets_less_room_than_it_has() {
        let text = "a".repeat(400);
        let mut room = Messages::new(segments(&text).count, 1);
        assert_eq!(room.fits(&text), Ok(()));
        assert_eq!(room.fits(&"a".repeat(460)), Err(Bound::Segments { need: 4, max: 3 }));
        assert_eq!(Messages::new(1, 2).fits(&"ж".repeat(135)), Err(Bound::Segments { need: 3, max: 2 }));
    }
}
