//! The first look at a message: most have the usual form, and no text, or none in which a link may hang, or (to a phone) links that are
//! verified and may pass. Such a message goes on as it is, and is counted here; nobody reads the layers that it lies in. Any other takes the way of
//! [`Lane::sccp`], with what was found so far, which would have come to the same: the tests send all they have both ways and compare what
//! was counted and told.

use protocols::sccp::Address;
use protocols::sms::Alphabet;
use protocols::tcap::{Component, Kind};
use protocols::usual::{self, Answer, Opening, Query, ShortMessage, Usual};
use protocols::{Error, Layer, Why, map};

use crate::carrier::Carrier;
use crate::counters::Counters;
use crate::decide::{bare, direction_of, identity};
use crate::join::dialogues::Dialogue;
use crate::judge::count_urls;
use crate::lane::{Lane, Way};
use crate::policy::{Decision, Direction};
use crate::record::{Event, Listener, Slot, Unread, Urls};
use crate::scan::{Room, Scanner, Unpacked};
use crate::verdict::{Confidence, Verdict};
use crate::world::World;

/// More links than this are read with the message.
pub(crate) const FEW: usize = 8;

/// What the first look came to.
pub(crate) enum Look {
    /// The message goes on as it is, and is counted.
    Done,
    /// It has to be read, and its text has been: see [`Looked`].
    Text(Looked),
    /// It has to be read.
    Nothing,
}

/// The text of a message that the first look did not dismiss. It lies in [`Lane::septets`], all ASCII.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Looked {
    /// Octets of it.
    pub(crate) len: u8,
    /// As [`crate::scan::Scanner::first_mark`].
    pub(crate) mark: Option<usize>,
    /// Its links are found and judged, and lie in [`Lane::scratch`] with the sender.
    pub(crate) is_judged: bool,
}

/// What a look at the text of a short message came to.
enum Text {
    /// No link.
    Bare,
    /// All ASCII, with this first mark of a link.
    Marked(usize),
    /// See [`Look::Text`].
    Read(Looked),
    /// See [`Look::Nothing`].
    Nothing,
}

/// The operation sendRoutingInfoForSM.
pub(crate) const ROUTING_INFO: i64 = 45;

impl Lane {
    /// Looks at an SCCP message. Where every message is to be read, it does not.
    #[inline(always)]
    pub(crate) fn look<L: Listener>(&mut self, sccp: &[u8], carrier: &Carrier<'_>, way: &mut Way<'_, L>) -> Look {
        if !L::UNREAD {
            return Look::Nothing;
        }
        match usual::look(sccp) {
            // What is told of a message that is not alone in its dialogue may stand in another.
            Some(Usual::ShortMessage(message)) if message.begins || !L::TEXTS => {
                match text(&message, way.world, &mut self.septets) {
                    Text::Bare => {
                        quiet(&mut self.counters, &message, (Urls::NONE, Decision::default()), sccp, carrier, way);
                        Look::Done
                    }
                    Text::Marked(mark) => self.marked(message, mark, sccp, carrier, way),
                    Text::Read(looked) => Look::Text(looked),
                    Text::Nothing => Look::Nothing,
                }
            }
            Some(Usual::Answer(answer)) => {
                self.answer(&answer, way);
                Look::Done
            }
            Some(Usual::Query(query)) => {
                self.query(&query, way);
                Look::Done
            }
            Some(Usual::Opening(opening)) => {
                self.opening(&opening, way);
                Look::Done
            }
            _ => Look::Nothing,
        }
    }

    /// A short message in ASCII with a mark: its links are found and judged, and lie in the scratch if it has to be read.
    #[inline(never)]
    fn marked<L: Listener>(
        &mut self,
        message: ShortMessage<'_>,
        mark: usize,
        sccp: &[u8],
        carrier: &Carrier<'_>,
        way: &mut Way<'_, L>,
    ) -> Look {
        let Self { counters, septets, scratch, .. } = self;
        let text = ascii(septets, message.tp_udl);
        let links = scratch.links(&message.address, text, mark, way.world);
        // Who sent a message from a phone stands in sm-RP-OA: what its links are worth is found there.
        let is_judged = message.direction == Direction::Mt;
        let told = match verified(links, text, message.direction, way.world).filter(|_| is_judged) {
            Some(decision) => (scratch.urls(text), decision),
            None if links.is_empty() && !way.world.policy.may_act_on_ascii(text.as_bytes()) => (Urls::NONE, Decision::default()),
            None => return Look::Text(Looked { len: message.tp_udl, mark: Some(mark), is_judged }),
        };
        quiet(counters, &message, told, sccp, carrier, way);
        Look::Done
    }

    /// A result, or nothing at all, in a Continue or an End.
    fn answer<L: Listener>(&mut self, answer: &Answer<'_>, way: &mut Way<'_, L>) {
        let Self { counters, joins, .. } = self;
        counters.messages.on += 1;
        counters.transactions.seen += 1;
        let Answer { ends, dtid, .. } = *answer;
        let called_party = &Address::parse(answer.called, way.world.network.sccp());
        if let Some(result) = &answer.result {
            counters.transactions.on += 1;
            counters.components.seen += 1;
            counters.components.out.add(Layer::Tcap, Component::RESULT);
            let event = match result.imsi {
                Some(imsi) => Event::RoutingInfoResult { dtid, called_party, imsi },
                None => Event::Outcome { dtid, called_party, invoke_id: Some(result.invoke_id), outcome: "delivered" },
            };
            way.listener.event(&way.place, &event);
        } else {
            counters.transactions.out.add(Layer::Tcap, bare(if ends { Kind::End } else { Kind::Continue }));
        }
        if ends {
            joins.dialogues.close(identity(called_party), dtid);
        }
    }

    /// A dialogue of which the first message says no more than what it is about.
    fn opening<L: Listener>(&mut self, opening: &Opening<'_>, way: &Way<'_, L>) {
        let Self { counters, joins, now, .. } = self;
        counters.messages.on += 1;
        counters.transactions.seen += 1;
        counters.transactions.out.add(Layer::Tcap, bare(Kind::Begin));
        let said =
            Dialogue { context: opening.context, direction: opening.context.and_then(direction_of), ..Dialogue::default() };
        if said.direction.is_some() {
            let calling_party = &Address::parse(opening.calling, way.world.network.sccp());
            joins.dialogues.open(identity(calling_party), opening.otid, said, *now);
        }
    }

    /// A question where a subscriber is.
    fn query<L: Listener>(&mut self, query: &Query<'_>, way: &mut Way<'_, L>) {
        let counters = &mut self.counters;
        counters.messages.on += 1;
        for level in [&mut counters.transactions, &mut counters.components] {
            level.seen += 1;
        }
        counters.transactions.on += 1;
        let name = map::operation_name(ROUTING_INFO).unwrap_or_default();
        counters.components.out.error(Error::new(Layer::Map, 0, Why::NotOurs(name)));
        let calling_party = &Address::parse(query.calling, way.world.network.sccp());
        let event = Event::RoutingInfo { otid: query.otid, calling_party, msisdn: query.msisdn };
        way.listener.event(&way.place, &event);
    }
}

/// A short message that goes on as it is: with these links, if any, this was decided.
#[inline(always)]
fn quiet<L: Listener>(
    counters: &mut Counters,
    message: &ShortMessage<'_>,
    (urls, decision): (Urls<'_>, Decision),
    sccp: &[u8],
    carrier: &Carrier<'_>,
    way: &mut Way<'_, L>,
) {
    counters.messages.on += 1;
    for level in [&mut counters.transactions, &mut counters.components] {
        level.seen += 1;
        level.on += 1;
    }
    counters.sms.seen += 1;
    counters.message(message.direction, decision.verdict, decision.action.name(), carrier.repeat);
    if !carrier.repeat {
        count_urls(counters, urls.slots, &(0..usize::MAX));
        let ShortMessage { calling: calling_party, otid, invoke_id, .. } = *message;
        way.listener.unread(&way.place, &Unread { sccp, calling_party, otid, invoke_id, urls, decision });
    }
}

/// The text, so many octets of it, that was found to be ASCII.
#[inline]
pub(crate) fn ascii(room: &Room, len: u8) -> &str {
    simdutf8::basic::from_utf8(room.get(..usize::from(len)).unwrap_or_default()).unwrap_or_default()
}

/// It goes unread where neither the text nor the sender's name may hold a link, nor the text the likeness of a label.
#[inline(always)]
fn text(message: &ShortMessage<'_>, world: &World, room: &mut Room) -> Text {
    let World { scanner, policy, .. } = world;
    let address = &message.address;
    let named = address.is_alphanumeric() && may_link_name(scanner, address.digits, address.raw, room);
    let text = message.user_data;
    if !message.dcs.in_septets() {
        let is_text = message.dcs.alphabet() == Alphabet::Ucs2 && !message.dcs.is_compressed();
        let done = is_text && !named && !scanner.may_link_ucs2(text) && !policy.may_act_on_ucs2(text);
        return if done { Text::Bare } else { Text::Nothing };
    }
    match scanner.unpack(message.tp_udl, text, room) {
        Some(Unpacked::Ascii(text)) => {
            let mark = scanner.first_mark(text);
            match mark {
                Some(mark) if !named => Text::Marked(mark),
                None if !named && !policy.may_act_on_ascii(text) => Text::Bare,
                _ => Text::Read(Looked { len: message.tp_udl, mark, is_judged: false }),
            }
        }
        Some(Unpacked::Septets(text)) if !named && !scanner.may_link_septets(text) && !policy.may_act_on_septets(text) => {
            Text::Bare
        }
        _ => Text::Nothing,
    }
}

/// What is decided about links that are all verified, where the policy need not be asked.
fn verified(links: &[Slot], text: &str, direction: Direction, world: &World) -> Option<Decision> {
    let is_verified = |link: &Slot| link.confidence == Confidence::High && link.verdict == Verdict::Safe;
    if !(1..=FEW).contains(&links.len()) || !links.iter().all(is_verified) {
        return None;
    }
    world.policy.lets_verified_pass(direction, text, links.iter().map(|link| (link.start, link.end)))
}

/// Whether an alphanumeric address may hold a link.
#[inline]
fn may_link_name(scanner: &Scanner, semi_octets: u8, name: &[u8], room: &mut Room) -> bool {
    // TS 23.040 §9.1.2.5: a name of so many semi-octets has 4/7 as many septets.
    match scanner.unpack((u16::from(semi_octets) * 4 / 7) as u8, name, room) {
        Some(Unpacked::Ascii(name)) => scanner.may_link(name),
        Some(Unpacked::Septets(name)) => scanner.may_link_septets(name),
        None => true,
    }
}
