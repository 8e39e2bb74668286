//! From the text of a short message to an action: parts joined, URLs found and judged, policy asked, the change written down.

use core::mem;
use core::ops::Range;

use protocols::map::ForwardSm;
use protocols::sccp::Address;
use protocols::sms::encode::Ud;
use protocols::sms::{self, Concat, Kind, Problems, Tpdu};
use protocols::{Error, Layer, tcap};

use crate::carrier::Carrier;
use crate::counters::{Counters, Tally};
use crate::fit::{Fit, Push};
use crate::join::parts::{Halves, Joined, Part};
use crate::lane::{Lane, Way};
use crate::policy::{self, Decision, Direction, Edit, LinkFacts};
use crate::quiet;
use crate::record::{Found, Listener, Slot, Sms, Urls};
use crate::rewrite::Changes;
use crate::scan;
use crate::verdict::Verdict;
use crate::verdicts::KeyScratch;
use crate::world::World;

mod find;
mod name;
mod numbers;
mod push;
mod sender;
pub mod texts;

use find::Find;

/// A short message as MAP carried it.
pub(crate) struct Met<'a> {
    pub(crate) carrier: &'a Carrier<'a>,
    pub(crate) called_party: &'a Address<'a>,
    pub(crate) calling_party: &'a Address<'a>,
    pub(crate) transaction: &'a tcap::Message<'a>,
    pub(crate) invoke: &'a tcap::Invoke<'a>,
    pub(crate) forward: &'a ForwardSm<'a>,
    pub(crate) map_version: Option<u8>,
    pub(crate) imsi: Option<&'a [u8]>,
    pub(crate) lmsi: Option<&'a [u8]>,
    pub(crate) centre: Option<&'a [u8]>,
    pub(crate) direction: Direction,
}

/// What a lane writes into while it judges. Taken once; nothing grows after the first messages.
pub(crate) struct Scratch {
    address: String,
    sender: String,
    part: String,
    joined: String,
    octets: Vec<u8>,
    arena: String,
    imsi: String,
    recipient: String,
    called: String,
    calling: String,
    rewritten: String,
    slots: Vec<Slot>,
    facts: Vec<LinkFacts<'static>>,
    scan: scan::Scratch,
    keys: KeyScratch,
    policy: policy::Scratch,
    ud: Ud,
    left: String,
}

/// The longest number or name: what 255 octets hold.
const NUMBER: usize = 512;
/// The longest text: 255 parts of 160 characters of at most three octets.
const TEXT: usize = 255 * 160 * 3;
/// URLs of one text: 39 015 septets, five to the shortest link and its space, in several readings. What is not used is never touched.
const URLS: usize = 32_768;

impl Default for Scratch {
    fn default() -> Self {
        Self {
            address: String::with_capacity(NUMBER),
            sender: String::with_capacity(NUMBER),
            part: String::with_capacity(1024),
            joined: String::with_capacity(TEXT),
            octets: Vec::with_capacity(TEXT),
            arena: String::with_capacity(8 * TEXT),
            imsi: String::with_capacity(NUMBER),
            recipient: String::with_capacity(NUMBER),
            called: String::with_capacity(NUMBER),
            calling: String::with_capacity(NUMBER),
            rewritten: String::with_capacity(4096),
            slots: Vec::with_capacity(URLS),
            facts: Vec::with_capacity(URLS),
            scan: scan::Scratch::default(),
            keys: KeyScratch::default(),
            policy: policy::Scratch::default(),
            ud: Ud::default(),
            left: String::with_capacity(1024),
        }
    }
}

/// Octets on either side of a part in which its links are looked for, until the text is whole: else a text of 255 parts would be scanned 255
/// times. No link that a handset opens is so long.
const NEAR: usize = 4096;

/// An empty vector with the memory of `old` but references of another lifetime: the items are gone, the buffer is the same.
fn recycle<T, U>(mut old: Vec<T>) -> Vec<U> {
    if old.capacity() == 0 {
        return Vec::new();
    }
    old.clear();
    // The standard library collects in place where layouts agree; `no_heap.rs` would notice if it stopped.
    old.into_iter().filter_map(|_| None).collect()
}

impl Scratch {
    /// Finds and judges the links of a text from its first mark on, ahead of [`Lane::sms`], which takes them over.
    pub(crate) fn links(&mut self, sender: &sms::Address<'_>, text: &str, mark: usize, world: &World) -> &[Slot] {
        let Self { address, arena, slots, keys, scan, .. } = self;
        arena.clear();
        slots.clear();
        numbers::address(sender, address);
        Find { world, sender: address, arena, slots, keys }.links(text, mark, Found::Text, scan);
        slots
    }

    /// What [`Self::links`] found in the same text.
    pub(crate) fn urls<'u>(&'u self, text: &'u str) -> Urls<'u> {
        let Self { slots, arena, address, .. } = self;
        Urls { slots, text, address, arena, shown: (0, text.len()) }
    }
}

impl Lane {
    /// A short message. An error means that it has no TPDU that could be read.
    pub(crate) fn sms<L: Listener>(&mut self, met: &Met<'_>, way: &mut Way<'_, L>) -> Result<(), Error> {
        let side = match met.direction {
            Direction::Mt => sms::Direction::MobileTerminated,
            Direction::Mo => sms::Direction::MobileOriginated,
        };
        let tpdu = Tpdu::parse(met.forward.sm_rp_ui, side);
        let tpdu = tpdu.as_ref().map_err(|error| *error)?;
        let Self { joins, scratch, changes, counters, now, septets, .. } = self;
        counters.sms.seen += 1;
        let Scratch { address, part, joined, octets, .. } = scratch;
        part.clear();
        let looked = met.carrier.looked;
        let is_judged = looked.is_some_and(|looked| looked.is_judged);
        if !is_judged {
            address.clear();
            scratch.arena.clear();
            scratch.slots.clear();
        }
        let is_push = tpdu.is_wap_push();
        let has_text = matches!(tpdu.kind, Kind::Deliver | Kind::Submit) && (is_push || tpdu.user_data.has_text());
        let problems = if let Some(looked) = looked {
            part.push_str(quiet::ascii(septets, looked.len));
            tpdu.problems
        } else if is_push {
            // A push is joined octet by octet: Latin-1 keeps each.
            part.extend(tpdu.user_data.body().iter().map(|&octet| char::from(octet)));
            tpdu.problems
        } else {
            tpdu.problems | way.world.scanner.text(&tpdu.user_data, septets, part)
        };
        let concat = tpdu.user_data.udh.and_then(|udh| udh.concat()).filter(|_| has_text);
        let whole = Joined { end: part.len(), seen: 1, whole: true, ..Joined::default() };
        let (join, key) = concat.map_or((whole, None), |concat| {
            numbers::address(&tpdu.address, address);
            let key = name::of(met, address, &mut scratch.imsi, concat, way.world, joins);
            let halves = Halves { leading: tpdu.user_data.leading_surrogate(), trailing: tpdu.user_data.trailing_surrogate() };
            let place = Part { total: concat.total, seq: concat.seq };
            let parts = joins.parts.under(way.world.scanner.id());
            (parts.join(key, *now, place, part, halves, joined), Some((key, place)))
        });
        let push = is_push.then(|| {
            let own = push::octets(concat.is_some().then_some((joined, join.start)), part, octets);
            let (here, is_read) = push::text(octets, &own, part);
            if !is_read {
                counters.oddities.add(Layer::Sms, "WAP push not read");
            }
            (own.start, here)
        });
        let text: &str = if concat.is_some() && !is_push { joined } else { part };
        let near = if is_push || join.whole && !join.repeat {
            0..text.len()
        } else {
            text.floor_char_boundary(join.start.saturating_sub(NEAR))..text.ceil_char_boundary(join.end.saturating_add(NEAR))
        };
        let base = near.start;
        let near = text.get(near).unwrap_or_default();
        let scanner = &way.world.scanner;
        let linked = match looked {
            Some(looked) => looked.mark,
            // What had come before has no mark: none hangs but where the part at hand has a say.
            None if key.is_some() && !is_push && !join.marked && !scanner.may_link_from(near, join.start - base) => None,
            None if has_text => scanner.first_mark(near.as_bytes()),
            None => None,
        };
        if let Some((key, _)) = key.filter(|_| !join.marked && (linked.is_some() || is_push)) {
            joins.parts.mark(key, *now);
        }
        let named = tpdu.address.is_alphanumeric();
        // Nearly every message ends here unless somebody listens: who sent it is read where it matters.
        if linked.is_some() || named || join.contradicted {
            if address.is_empty() {
                numbers::address(&tpdu.address, address);
            }
            let mut find = Find {
                world: way.world,
                sender: sender::of(met, address, &mut scratch.sender),
                arena: &mut scratch.arena,
                slots: &mut scratch.slots,
                keys: &mut scratch.keys,
            };
            if let Some(mark) = linked.filter(|_| !is_judged) {
                find.links(near, mark, if is_push { Found::Push } else { Found::Text }, &mut scratch.scan);
                find.slots.iter_mut().for_each(|slot| (slot.start, slot.end) = (slot.start + base, slot.end + base));
            }
            if named && let Some(mark) = way.world.scanner.first_mark(address.as_bytes()) {
                find.links(address, mark, Found::Sender, &mut scratch.scan);
            }
            if let (true, Some((key, place))) = (join.contradicted, key) {
                if let Ok(mut copies) = String::from_utf8({
                    octets.clear();
                    mem::take(octets)
                }) {
                    joins.parts.earlier(key, *now, place, &mut copies);
                    find.copies(&copies, &mut scratch.scan);
                    *octets = copies.into_bytes();
                }
                counters.oddities.add(Layer::Sms, "two texts under one part number");
            }
        }
        let worst = scratch.slots.iter().filter(|slot| slot.acts()).map(|slot| slot.verdict).max().unwrap_or(Verdict::None);
        let lead = lead(text, part, join, concat);
        let (push, part) = push.map_or((None, join.start..join.end), |(start, part)| (Some(start), part));
        let view = View { joined: join, part, lead: if push.is_some() { 0 } else { lead }, push, problems };
        judge(met, tpdu, view, worst, concat, scratch, changes, counters, way);
        Ok(())
    }
}

/// Where this TPDU's text lies in the text that was scanned; of a push, in the text of all parts that have come.
struct View {
    joined: Joined,
    part: Range<usize>,
    /// Octets by which the part is longer in the joined text: a surrogate pair that was two halves is one octet more than U+FFFD.
    lead: usize,
    /// Of a WAP push: where this TPDU's octets begin in the push.
    push: Option<usize>,
    /// What was odd about the TPDU.
    problems: Problems,
}

impl View {
    /// Where the text of the record lies in the one that was scanned, and what was scanned before it.
    fn shown(&self, is_push: bool, scanned: usize) -> (usize, usize) {
        if self.joined.whole || is_push { (0, scanned) } else { (self.part.start + self.lead, self.part.end) }
    }
}

fn lead(text: &str, part: &str, join: Joined, concat: Option<Concat>) -> usize {
    let split =
        concat.is_some() && part.starts_with('\u{fffd}') && !text.get(join.start..).is_some_and(|t| t.starts_with('\u{fffd}'));
    usize::from(split)
}

/// Asks the policy, writes the change down, counts, and tells the listener.
#[expect(clippy::too_many_arguments, reason = "borrows of one lane, each its own")]
fn judge<L: Listener>(
    met: &Met<'_>,
    tpdu: &Tpdu<'_>,
    view: View,
    worst: Verdict,
    concat: Option<Concat>,
    scratch: &mut Scratch,
    changes: &mut Changes,
    counters: &mut Counters,
    way: &mut Way<'_, L>,
) {
    let Scratch {
        address,
        sender,
        part,
        joined,
        octets,
        arena,
        imsi,
        recipient,
        called,
        calling,
        rewritten,
        slots,
        policy,
        ud,
        left,
        ..
    } = scratch;
    let World { policy: rules, network, .. } = way.world;
    let is_push = tpdu.is_wap_push();
    let has_text = matches!(tpdu.kind, Kind::Deliver | Kind::Submit) && (is_push || tpdu.user_data.has_text());
    let text: &str = if concat.is_some() && !is_push { joined } else { part };
    let mut facts: Vec<LinkFacts<'_>> = if slots.is_empty() { Vec::new() } else { recycle(mem::take(&mut scratch.facts)) };
    // A link of an earlier copy makes the message worse and stands nowhere in it; one in the sender's name stands beside the text.
    facts.extend(slots.iter().filter(|slot| !matches!(slot.found, Found::Copy | Found::Sender)).map(|slot| {
        let own = slot.is_in(&view.part);
        let within = |at: usize| match view.push {
            // The text at hand is that of all parts that have come.
            Some(_) => at,
            None => at.clamp(view.part.start, view.part.end).saturating_sub(view.part.start + view.lead).min(part.len()),
        };
        LinkFacts {
            start: within(slot.start),
            end: within(slot.end),
            in_this_part: own,
            crosses_parts: own && (slot.start < view.part.start || slot.end > view.part.end),
            ..find::facts(slot, arena, way.world)
        }
    }));
    let sender_link = find::of_sender(slots, arena, way.world);
    let copy_link = find::of_copy(slots, arena, way.world);
    let may_act = has_text && rules.may_act(facts.len(), worst, part);
    // Read already where there may be a link.
    if address.is_empty() && (may_act || L::TEXTS || !slots.is_empty()) {
        numbers::address(&tpdu.address, address);
    }
    let decision = if may_act {
        let digits = |address: &Address<'_>, out: &mut String| match address.gt {
            Some(gt) if rules.asks_titles() => numbers::title(&gt.digits, out),
            _ => out.clear(),
        };
        digits(met.called_party, called);
        digits(met.calling_party, calling);
        // What no rule asks for is read when the listener does.
        let asks_imsi = rules.asks_imsi();
        numbers::tbcd(met.imsi.filter(|_| asks_imsi).unwrap_or_default(), imsi);
        let message = policy::Message {
            direction: met.direction,
            sender: sender::of(met, address, sender),
            sender_kind: sender::kind(met, tpdu),
            called_gt: called,
            calling_gt: calling,
            opc: way.place.label.map(|label| label.opc),
            dpc: way.place.label.map(|label| label.dpc),
            imsi: (!imsi.is_empty()).then_some(imsi.as_str()),
            profile: rules.profile(addressee(met.direction, imsi, tpdu, address)),
            language: None,
            links: &facts,
            sender_link: sender_link.as_ref(),
            copy_link: copy_link.as_ref(),
            continues: concat.is_some_and(|part| part.seq > 1),
            continued: concat.is_some_and(|part| part.seq < part.total),
            verdict: if sender_link.is_some() { worst } else { of_text(slots) },
            text: part,
        };
        let has_work = way.listener.has_work();
        let push = view.push.map(|start| Push { octets, start });
        let mut fit = Fit::new((met, tpdu, part, push), network, &way.place, changes, (ud, left), has_work);
        let mut decision = rules.decide(&message, policy, &mut fit);
        if decision.action != policy::Action::Pass && !decision.observe {
            let mut message = message;
            if !asks_imsi {
                numbers::tbcd(met.imsi.unwrap_or_default(), recipient);
                message.imsi = (!recipient.is_empty()).then_some(recipient);
            }
            decision.observe = way.listener.observes(&message, met.forward);
        }
        rewritten.clear();
        let untouchable = fit.untouchable();
        if decision.observe {
            fit.take_back();
        } else {
            apply(&decision, policy, &mut fit, rewritten, &mut counters.unfit);
        }
        // No handset opens a name: one that nobody has verified, over a text without links, is told and not acted upon.
        let told = |slot: &Slot| slot.found == Found::Sender && slot.acts() && slot.verdict > Verdict::Safe;
        if sender_link.is_none() && slots.iter().any(told) {
            counters.unfit.add(Layer::Sms, "link in the sender");
        }
        if decision.verdict > Verdict::Safe
            && let Some(spared) = decision.spared()
        {
            counters.unfit.add(Layer::Sms, spared);
        }
        if decision.verdict > Verdict::Safe && decision.unwarned {
            match (untouchable, decision.bound) {
                (Some(cause), _) => counters.unfit.add(Layer::Sms, cause),
                (None, Some(bound)) => counters.unfit.add(Layer::Sms, bound.name()),
                (None, None) => counters.unwarned += 1,
            }
        }
        decision
    } else {
        Decision::default()
    };
    if !slots.is_empty() {
        scratch.facts = recycle(facts);
    }
    let repeat = met.carrier.repeat || view.joined.repeat;
    let verdict = decision.verdict.max(worst);
    let observed = decision.observe && decision.action != policy::Action::Pass;
    counters.message(met.direction, verdict, if observed { "observe" } else { decision.action.name() }, repeat);
    if !repeat {
        counters.in_parts += u64::from(concat.is_some());
        count_urls(counters, slots, &view.part);
    }
    // What was decided about an imitated label is told without a link too.
    let is_plain = decision.verdict == Verdict::None && decision.action == policy::Action::Pass;
    if !L::TEXTS && slots.is_empty() && is_plain {
        return;
    }
    let changed = decision.edit != Edit::None && !decision.observe;
    let sms = Sms {
        place: &way.place,
        called_party: met.called_party,
        calling_party: met.calling_party,
        transaction: met.transaction,
        invoke: met.invoke,
        forward: met.forward,
        operation: met.forward.operation.map_or("forwardSM-shaped", |operation| operation.name(met.map_version)),
        map_version: met.map_version,
        imsi: met.imsi,
        direction: met.direction,
        tpdu,
        address,
        concat,
        parts: view.joined.seen,
        part_text: has_text.then_some(part.as_str()),
        text: has_text.then_some(if view.joined.whole { text } else { part }),
        urls: Urls { slots, text, address, arena, shown: view.shown(is_push, text.len()) },
        verdict,
        decision: &decision,
        issued: if changed { &scratch.policy.issued } else { &[] },
        rewritten: changed.then_some(rewritten.as_str()),
        problems: view.problems,
        repeat,
    };
    way.listener.sms(&sms);
}

/// What the links are worth that do not stand in the sender's name.
fn of_text(slots: &[Slot]) -> Verdict {
    let acts = slots.iter().filter(|slot| slot.found != Found::Sender && slot.acts());
    acts.map(|slot| slot.verdict).max().unwrap_or(Verdict::None)
}

/// Writes the change down and leaves the new text in `rewritten`.
fn apply(decision: &Decision, policy: &policy::Scratch, fit: &mut Fit<'_, '_>, rewritten: &mut String, unfit: &mut Tally) {
    let done = match decision.edit {
        Edit::None if decision.action == policy::Action::Silence => fit.put_silence(),
        Edit::None => {
            fit.take_back();
            Ok(())
        }
        Edit::Text => {
            rewritten.push_str(&policy.text);
            fit.put_text(&policy.text)
        }
        // What lies in a piece that has gone stays as it is there, and the record says so.
        Edit::Deaden => fit.blank(&policy.spots, rewritten).map(|all| {
            if !all {
                unfit.add(Layer::Sms, policy::Bound::EarlierPiece.name());
            }
        }),
    };
    debug_assert!(done.is_ok(), "the room said that it fits: {done:?}");
}

/// Whom a message is for: by IMSI as the frame names it (MT), by number in international form (MO).
fn addressee<'a>(
    direction: Direction,
    imsi: &'a str,
    tpdu: &Tpdu<'_>,
    address: &'a str,
) -> Option<policy::profiles::Subscriber<'a>> {
    use policy::profiles::Subscriber;
    match direction {
        Direction::Mt => (!imsi.is_empty()).then_some(Subscriber::Imsi(imsi)),
        Direction::Mo => (tpdu.address.ton == 1).then_some(Subscriber::Msisdn(address)),
    }
}

/// Counts the URLs that stand in a message: those of other parts of its text are counted with these.
pub(crate) fn count_urls(counters: &mut Counters, slots: &[Slot], part: &Range<usize>) {
    let own = slots.iter().filter(|slot| slot.found == Found::Sender || slot.is_in(part));
    own.for_each(|slot| count(&mut counters.urls, if slot.acts() { slot.verdict } else { Verdict::None }));
}

fn count(counts: &mut [u64; 4], verdict: Verdict) {
    if let Some(count) = counts.get_mut(verdict as usize) {
        *count += 1;
    }
}
