//! The walk down a chain: what the message is worth, whose chain speaks, and the first action that fits.

use super::compiled::{Chosen, Policy};
use super::decision::{Action, Decision, Edit, RuleRef, Source};
use super::facts::{LinkFacts, Message};
use super::profiles::Kind;
use super::redirect::Issued;
use super::room::{Bound, Room};
use super::template::Values;
use super::{Scratch, deaden};
use crate::scan::begins_word;
use crate::verdict::{Confidence, Verdict};

/// What the links of a message, from some byte of its text on, come to.
struct Judged<'a> {
    /// The worst of those that count.
    verdict: Verdict,
    /// The link that a label names: the first of the worst.
    named: Option<&'a LinkFacts<'a>>,
    /// A link of our own is among them.
    own: bool,
}

impl Policy {
    /// What to do with a message. The new text, or the places to blank, are left in `scratch`.
    ///
    /// Deciding about what an earlier decision of the same policy wrote changes nothing, provided `room` judges by the text alone.
    pub fn decide(&self, message: &Message<'_>, scratch: &mut Scratch, room: &mut dyn Room) -> Decision {
        scratch.clear();
        if !self.may_act(message.links.len() + usize::from(message.sender_link.is_some()), message.verdict, message.text) {
            return Decision::default();
        }
        let judged = self.judge(message, 0);
        let left = |source, action| Decision {
            action,
            verdict: judged.verdict,
            rule: RuleRef { source, verdict: judged.verdict, ..RuleRef::default() },
            ..Decision::default()
        };
        if self.spec.never_touch.covers(message) {
            return left(Source::NeverTouch, Action::Pass);
        }
        if message.profile.is_some_and(|profile| profile.kind == Kind::Off) {
            return left(Source::Profile, Action::Pass);
        }
        if self.is_own_notice(message) {
            return left(Source::Own, Action::Replace);
        }
        let chosen = self.choose(message, self.links(message, 0));
        self.labelled(message, (&judged, &chosen), scratch, room).unwrap_or_else(|| {
            let mut decision = self.evaluate(message, 0, Verdict::None, (&judged, &chosen), scratch, room);
            if decision.edit == Edit::Text && scratch.text == message.text {
                // Written before: a notice whose link lies in another part, for one.
                scratch.clear();
                decision.edit = Edit::None;
                decision.rule.source = Source::Own;
            }
            let plain = decision.verdict <= Verdict::Safe && !decision.rule.spoof;
            if judged.own && plain {
                // The rest of a text whose bad links lead to our pages is not to be praised.
                scratch.clear();
                return left(Source::Own, Action::Redirect);
            }
            decision
        })
    }

    /// The links that count, from a byte of the text on: ours, and those that lie wholly in another part, do not.
    fn links<'a>(&'a self, message: &Message<'a>, from: usize) -> impl Iterator<Item = &'a LinkFacts<'a>> + Clone + 'a {
        let text = message.text;
        message.links.iter().filter(move |link| {
            link.acts()
                && (link.crosses_parts || link.in_this_part)
                && (!link.in_this_part || link.start >= from)
                && !self.is_own(text, link)
        })
    }

    fn is_own(&self, text: &str, link: &LinkFacts<'_>) -> bool {
        self.spec.pages.as_ref().is_some_and(|pages| pages.host == link.host)
            && link.in_this_part
            && text.get(link.start..link.end).is_some_and(|link| self.owns(link))
    }

    fn judge<'a>(&'a self, message: &Message<'a>, from: usize) -> Judged<'a> {
        let worse = |worst: &'a LinkFacts<'a>, link: &'a LinkFacts<'a>| if link.verdict > worst.verdict { link } else { worst };
        let beside = || message.sender_link.into_iter().chain(message.copy_link);
        let named = self.links(message, from).chain(beside()).reduce(worse);
        let named = named.map(|named| self.behind_signs(message, from, named));
        let of_links = message.links.iter().chain(beside()).map(|link| link.verdict).max().unwrap_or(Verdict::None);
        // Worse than any link: something else made it so, and stays in force.
        let beside = if message.verdict > of_links { message.verdict } else { Verdict::None };
        let own = self.spec.pages.is_some() && message.links.iter().any(|link| self.is_own(message.text, link));
        Judged { verdict: named.map_or(Verdict::None, |link| link.verdict).max(beside), named, own }
    }

    /// Signs in front of a host are of it at the head of a text only. A label takes that place: it names the host that it leaves.
    fn behind_signs<'a>(&'a self, message: &Message<'a>, from: usize, named: &'a LinkFacts<'a>) -> &'a LinkFacts<'a> {
        if !named.in_this_part || message.text.as_bytes().get(named.start).is_none_or(u8::is_ascii) {
            return named;
        }
        let signs =
            |link: &LinkFacts<'_>| message.text.get(named.start..link.start).is_some_and(|signs| !signs.contains(begins_word));
        self.links(message, from)
            .find(|link| link.in_this_part && link.start > named.start && link.end == named.end && signs(link))
            .unwrap_or(named)
    }

    /// A notice of ours, whatever host it names: it has no link, and is not to be put behind a label.
    fn is_own_notice(&self, message: &Message<'_>) -> bool {
        let text = message.text.strip_prefix(message.before()).unwrap_or(message.text);
        let text = text.strip_suffix(message.behind()).unwrap_or(text);
        // Unless the operator lets templates link, a text with a tappable link is none. What an earlier part left open is none of its own.
        let links = |link: &LinkFacts<'_>| link.confidence == Confidence::High && link.in_this_part && !link.crosses_parts;
        if self.spec.link_hosts.is_empty() && message.links.iter().any(links) {
            return false;
        }
        self.languages.iter().filter(|language| language.notice_heads.may_start(text)).any(|language| {
            let values = Values { brand: &self.spec.brand, sender: message.sender, ..Values::default() };
            language
                .notices
                .iter()
                .zip(&language.verdicts)
                .any(|(forms, verdict)| forms.iter().any(|form| form.matches(text, &Values { verdict, ..values })))
        })
    }

    /// Whether the text carries the very label that this policy would put: for what its links are worth, or for worse.
    fn labelled(
        &self,
        message: &Message<'_>,
        (judged, chosen): (&Judged<'_>, &Chosen<'_>),
        scratch: &mut Scratch,
        room: &mut dyn Room,
    ) -> Option<Decision> {
        let text = message.text.strip_prefix('\n').filter(|_| message.continues).unwrap_or(message.text);
        if judged.verdict == Verdict::None || !chosen.language.label_heads.may_start(text) {
            return None;
        }
        for verdict in [Verdict::Dangerous, Verdict::Unknown, Verdict::Safe] {
            if !chosen.chains.of(verdict).contains(&Action::Label) {
                continue;
            }
            let values = self.values(message, chosen, verdict, judged.named);
            let forms = by_verdict(&chosen.language.labels, verdict).map_or(&[][..], Vec::as_slice);
            for form in forms.iter().filter(|form| form.may_head(text, &values)) {
                scratch.text.clear();
                scratch.text.push_str(message.before());
                form.write(&mut values.once(&mut scratch.names), &mut scratch.text);
                let base = scratch.text.len();
                let rest = self.judge(message, base);
                if !message.text.starts_with(scratch.text.as_str()) || rest.verdict > verdict || rest.verdict == Verdict::None {
                    continue;
                }
                scratch.clear();
                let chosen = self.choose(message, self.links(message, base));
                let decision = self.evaluate(message, base, verdict, (&rest, &chosen), scratch, room);
                if decision.action == Action::Label && scratch.text == message.text {
                    scratch.clear();
                    let rule = RuleRef { source: Source::Own, ..decision.rule };
                    return Some(Decision { edit: Edit::None, rule, ..decision });
                }
            }
        }
        scratch.clear();
        None
    }

    /// The decision about the text from `base` on, as if nothing stood before it; the message is worth at least `floor`.
    fn evaluate(
        &self,
        message: &Message<'_>,
        base: usize,
        floor: Verdict,
        (judged, chosen): (&Judged<'_>, &Chosen<'_>),
        scratch: &mut Scratch,
        room: &mut dyn Room,
    ) -> Decision {
        scratch.spots.clear();
        self.neutralise(message, base, |_| true, &mut scratch.spots);
        let spoof = !scratch.spots.is_empty();
        let links_verdict = judged.verdict;
        let mut verdict = links_verdict.max(floor);
        if spoof {
            verdict = verdict.max(Verdict::Unknown);
        }
        if verdict > Verdict::None {
            verdict = verdict.max(chosen.treat_as);
        }
        let rule = RuleRef { source: chosen.source, verdict, spoof, ..RuleRef::default() };
        let mut decision = Decision { observe: chosen.observe, verdict, rule, ..Decision::default() };
        if verdict == Verdict::None {
            return decision;
        }
        if chosen.chains.is_empty() {
            // A policy without any action changes nothing, imitations included.
            decision.unwarned = links_verdict >= Verdict::Unknown;
            scratch.spots.clear();
            return decision;
        }
        if links_verdict == Verdict::None && floor == Verdict::None {
            // Only the imitation: it is blanked, and there is no link to warn of.
            return self.in_place(decision, Action::Deaden, scratch, room);
        }
        let work = Work { policy: self, message, base, chosen, verdict, named: judged.named, links_verdict };
        for &action in chosen.chains.of(verdict) {
            match work.attempt(action, scratch, room) {
                Ok((form, edit, stopped)) => {
                    decision.action = action;
                    decision.edit = edit;
                    decision.rule.form = form;
                    if let Some((form, bound)) = stopped {
                        decision.rule.stopped = Some((action, form, bound));
                        decision.bound = Some(bound);
                    }
                    break;
                }
                Err((form, bound)) => {
                    decision.rule.stopped = Some((action, form, bound));
                    decision.bound = Some(bound);
                }
            }
        }
        if decision.action == Action::Pass {
            decision.unwarned = verdict >= Verdict::Unknown;
            // An imitation goes even where the link may pass. What is left of such a text must not look verified, so its links go with it.
            if spoof {
                if links_verdict == Verdict::Safe {
                    work.deaden(scratch);
                }
                return self.in_place(decision, Action::Deaden, scratch, room);
            }
        }
        decision
    }

    /// Adds the places of what imitates a label; the links that `stay` keep their letters.
    fn neutralise(&self, message: &Message<'_>, base: usize, stay: impl Fn(&LinkFacts<'_>) -> bool, spots: &mut Vec<usize>) {
        let text = message.text.get(base..).unwrap_or_default();
        let links = message.links.iter().filter(|link| link.acts() && link.in_this_part && link.start >= base && stay(link));
        if message.links.is_empty() && !self.imitation.possible(text) {
            return;
        }
        self.imitation.neutralise(text, base, links, spots);
    }

    /// Blanks what is in `spots`, where the room allows it.
    fn in_place(&self, mut decision: Decision, action: Action, scratch: &mut Scratch, room: &mut dyn Room) -> Decision {
        match room.fits_in_place(&scratch.spots) {
            Ok(()) => {
                decision.action = action;
                decision.edit = Edit::Deaden;
            }
            Err(bound) => {
                decision.rule.stopped = Some((action, 0, bound));
                decision.bound = Some(bound);
                decision.unwarned = true;
            }
        }
        decision
    }

    fn values<'v>(
        &'v self,
        message: &Message<'v>,
        chosen: &Chosen<'v>,
        verdict: Verdict,
        named: Option<&'v LinkFacts<'v>>,
    ) -> Values<'v> {
        let link =
            named.filter(|link| link.in_this_part).and_then(|link| message.text.get(link.start..link.end)).unwrap_or_default();
        // A link without a host is named by its scheme.
        let name = |host: &'v str| if host.is_empty() { link.split(':').next().unwrap_or_default() } else { host };
        Values {
            verdict: by_verdict(&chosen.language.verdicts, verdict).map_or("", String::as_str),
            brand: &self.spec.brand,
            host: named.map_or("", |link| name(link.host)),
            domain: named.map_or("", |link| name(link.registrable)),
            sender: message.sender,
            link,
        }
    }
}

/// One message under one chain.
struct Work<'w> {
    policy: &'w Policy,
    message: &'w Message<'w>,
    base: usize,
    chosen: &'w Chosen<'w>,
    verdict: Verdict,
    named: Option<&'w LinkFacts<'w>>,
    links_verdict: Verdict,
}

/// A form and the bound that stopped it.
type Stopped = (u8, Bound);
/// The form taken (0 where there are none), what changes, and the form before that did not fit; or the last that did not.
type Attempt = Result<(u8, Edit, Option<Stopped>), Stopped>;

impl Work<'_> {
    fn attempt(&self, action: Action, scratch: &mut Scratch, room: &mut dyn Room) -> Attempt {
        match action {
            Action::Pass => Ok((0, Edit::None, None)),
            Action::Label => self.label(scratch, room),
            Action::Replace => self.replace(scratch, room),
            Action::Redirect => self.redirect(scratch, room).map(|()| (0, Edit::Text, None)).map_err(|bound| (0, bound)),
            Action::Deaden => {
                let before = scratch.spots.len();
                let reached = self.deaden(scratch);
                let fits = if reached { room.fits_in_place(&scratch.spots) } else { Err(Bound::CrossesParts) };
                // Nothing of the text is dead when it is the sender's name that is bad.
                let beside = self
                    .message
                    .sender_link
                    .is_some_and(|link| link.verdict == self.links_verdict && link.verdict > Verdict::Safe);
                let fits = if beside && scratch.spots.is_empty() { Err(Bound::Sender) } else { fits };
                if let Err(bound) = fits {
                    self.forget_links(before, scratch);
                    return Err((0, bound));
                }
                Ok((0, if scratch.spots.is_empty() { Edit::None } else { Edit::Deaden }, None))
            }
            Action::Silence if !self.policy.spec.silence => Err((0, Bound::Off)),
            Action::Silence => room.fits_silence().map(|()| (0, Edit::None, None)).map_err(|bound| (0, bound)),
            Action::Reject => room.fits_off_the_wire().map(|()| (0, Edit::None, None)).map_err(|bound| (0, bound)),
            Action::Notify => {
                room.fits_off_the_wire().map_err(|bound| (0, bound))?;
                // The notice is a message of its own: the text stays as it was, and is not delivered.
                self.replace(scratch, room).map(|(form, _, stopped)| (form, Edit::None, stopped))
            }
        }
    }

    fn label(&self, scratch: &mut Scratch, room: &mut dyn Room) -> Attempt {
        // A label would stand in the middle of a link that lies over two parts; and once the other part's half is dead, beside no link.
        if self.bad_links().any(|(_, link)| link.crosses_parts) {
            return Err((0, Bound::CrossesParts));
        }
        let forms = by_verdict(&self.chosen.language.labels, self.verdict).map_or(&[][..], Vec::as_slice);
        let values = self.policy.values(self.message, self.chosen, self.verdict, self.named);
        let Scratch { text, spots, names, .. } = scratch;
        let mut once = values.once(names);
        let only_in_front = self.base == 0 && spots.is_empty();
        // Most forms are too long, and known to be so before they are written: of those that are whatever they name, the last is told.
        let front = if only_in_front { room.front() } else { None };
        let long = |characters: Option<usize>| front?.takes(self.message.before().len() + characters?).err();
        let longest = forms.iter().take_while(|form| long(form.least()).is_some()).count();
        let mut stopped = None;
        for (number, form) in (1..=u8::MAX).zip(forms).skip(longest.saturating_sub(1)) {
            if let Some(nofit) = long(form.characters(&values)) {
                stopped = Some((number, nofit.into()));
                continue;
            }
            text.clear();
            text.push_str(self.message.before());
            form.write(&mut once, text);
            let mut fits = if only_in_front { room.fits_in_front(text) } else { None };
            if !matches!(fits, Some(Err(_))) {
                self.push_text(self.base..self.message.text.len(), spots, text);
                fits = fits.or_else(|| Some(room.fits(text)));
            }
            match fits {
                Some(Err(bound)) => stopped = Some((number, bound)),
                _ => return Ok((number, Edit::Text, stopped)),
            }
        }
        scratch.text.clear();
        Err(stopped.unwrap_or((0, Bound::NoForm)))
    }

    fn replace(&self, scratch: &mut Scratch, room: &mut dyn Room) -> Attempt {
        let forms = by_verdict(&self.chosen.language.notices, self.verdict).map_or(&[][..], Vec::as_slice);
        let values = self.policy.values(self.message, self.chosen, self.verdict, self.named);
        let mut values = values.once(&mut scratch.names);
        let mut stopped = None;
        for (form, template) in (1..=u8::MAX).zip(forms) {
            scratch.text.clear();
            scratch.text.push_str(self.message.before());
            template.write(&mut values, &mut scratch.text);
            scratch.text.push_str(self.message.behind());
            match room.fits(&scratch.text) {
                Ok(()) => return Ok((form, Edit::Text, stopped)),
                Err(bound) => stopped = Some((form, bound)),
            }
        }
        scratch.text.clear();
        Err(stopped.unwrap_or((0, Bound::NoForm)))
    }

    /// Links that are not safe; all of them where only the imitated label made the message unknown.
    fn bad_links(&self) -> impl Iterator<Item = (usize, &LinkFacts<'_>)> + Clone {
        let all = self.links_verdict <= Verdict::Safe;
        let counted = |link: &LinkFacts<'_>| {
            link.acts() && (link.crosses_parts || link.in_this_part) && (!link.in_this_part || link.start >= self.base)
        };
        self.message.links.iter().enumerate().filter(move |(_, link)| {
            counted(link) && (all || link.verdict > Verdict::Safe) && !self.policy.is_own(self.message.text, link)
        })
    }

    fn redirect(&self, scratch: &mut Scratch, room: &mut dyn Room) -> Result<(), Bound> {
        let Some(pages) = &self.policy.spec.pages else { return Err(Bound::NoPagesHost) };
        for (_, link) in self.bad_links() {
            if link.crosses_parts || !link.in_this_part {
                return Err(Bound::CrossesParts);
            }
            if link.confidence != Confidence::High {
                return Err(Bound::NotTappable);
            }
        }
        let message = self.message;
        scratch.text.clear();
        scratch.issued.clear();
        let mut at = self.base;
        // Readings of one link overlap: the first and longest is replaced, the others go with it.
        while let Some((n, link)) = self
            .bad_links()
            .filter(|(_, link)| link.start >= at && link.end > link.start)
            .min_by_key(|(_, link)| (link.start, core::cmp::Reverse(link.end)))
        {
            let Some(source) = message.text.get(link.start..link.end) else { break };
            self.push_text(at..link.start, &scratch.spots, &mut scratch.text);
            let (start, imsi) = ((link.start as u64).to_le_bytes(), message.imsi.unwrap_or_default());
            let id =
                pages.key.id(&[message.sender.as_bytes(), imsi.as_bytes(), message.text.as_bytes(), &start, source.as_bytes()]);
            for piece in ["https://", &pages.host, "/", id.as_str()] {
                scratch.text.push_str(piece);
            }
            scratch.issued.push(Issued { id, link: n });
            at = link.end;
            while let Some((_, over)) = self.bad_links().find(|(_, link)| link.start < at && link.end > at) {
                at = over.end;
            }
        }
        if scratch.issued.is_empty() {
            return Err(Bound::NotTappable);
        }
        self.push_text(at..message.text.len(), &scratch.spots, &mut scratch.text);
        let fits = room.fits(&scratch.text).and_then(|()| room.reserve(&scratch.issued));
        if fits.is_err() {
            scratch.issued.clear();
            scratch.text.clear();
        }
        fits
    }

    /// Adds the places of every link to blank; whether all of them can be reached from this part.
    ///
    /// Safe links go with the bad ones: what is left would look verified to the next filter, and be labelled so.
    fn deaden(&self, scratch: &mut Scratch) -> bool {
        let spare_safe = self.policy.spec_keeps_safe(self.chosen) && self.links_verdict > Verdict::Safe;
        let spared = |link: &LinkFacts<'_>| spare_safe && link.verdict == Verdict::Safe;
        let (mut reached, mut walked) = (true, deaden::Walked::default());
        for link in self.policy.links(self.message, self.base).filter(|link| !spared(link)) {
            reached &= link.in_this_part;
            deaden::spots(self.message.text, link, self.base, &mut walked, &mut scratch.spots);
        }
        deaden::in_order(&mut scratch.spots);
        // Where a link stood a line may begin with what stands behind it, and what is left of it may read as a label.
        let stays = |link: &LinkFacts<'_>| spared(link) || self.policy.is_own(self.message.text, link);
        self.policy.neutralise(self.message, self.base, stays, &mut scratch.spots);
        reached
    }

    /// Takes the links' places out again, so that the next action sees the imitation's alone.
    fn forget_links(&self, before: usize, scratch: &mut Scratch) {
        if scratch.spots.len() != before {
            scratch.spots.clear();
            self.policy.neutralise(self.message, self.base, |_| true, &mut scratch.spots);
        }
    }

    /// A stretch of the message's text, with what imitated a label blanked.
    fn push_text(&self, range: core::ops::Range<usize>, spots: &[usize], out: &mut String) {
        let mut from = range.start;
        for &spot in spots.iter().filter(|spot| range.contains(spot)) {
            out.push_str(self.message.text.get(from..spot).unwrap_or_default());
            out.push(' ');
            from = spot + self.message.text.get(spot..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        }
        out.push_str(self.message.text.get(from..range.end).unwrap_or_default());
    }
}

impl Policy {
    /// Whether a message of safe links goes on as it is.
    fn spec_keeps_safe(&self, chosen: &Chosen<'_>) -> bool {
        chosen.chains.safe.first().is_none_or(|&action| action == Action::Pass)
    }
}

fn by_verdict<T>(of: &[T; 3], verdict: Verdict) -> Option<&T> {
    match verdict {
        Verdict::None => None,
        Verdict::Safe => of.first(),
        Verdict::Unknown => of.get(1),
        Verdict::Dangerous => of.get(2),
    }
}
