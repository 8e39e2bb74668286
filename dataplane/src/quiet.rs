//! The first look at a message: most have the usual form, an ASCII text, and nothing in it that a link may hang on. Such a message goes
//! on as it is, and is counted here; nobody reads the layers that it lies in. Any other takes the way of [`Lane::sccp`], which would
//! have come to the same: the tests send all they have both ways and compare what was counted.

use protocols::usual::{self, ShortMessage};

use crate::carrier::Carrier;
use crate::lane::{Lane, Way};
use crate::policy::Direction;
use crate::record::Listener;
use crate::scan::Room;
use crate::verdict::Verdict;
use crate::world::World;

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
}

impl Lane {
    /// Looks at an SCCP message. Where every message is to be read, it does not.
    #[inline(always)]
    pub(crate) fn look<L: Listener>(&mut self, sccp: &[u8], carrier: &Carrier<'_>, way: &mut Way<'_, L>) -> Look {
        if !L::UNREAD {
            return Look::Nothing;
        }
        let Self { counters, septets, .. } = self;
        let Some(message) = usual::short_message(sccp) else { return Look::Nothing };
        let look = look(&message, way.world, septets);
        if matches!(look, Look::Done) {
            counters.messages.on += 1;
            for level in [&mut counters.transactions, &mut counters.components] {
                level.seen += 1;
                level.on += 1;
            }
            counters.sms.seen += 1;
            let direction = match message.direction {
                protocols::map::Direction::Mt => Direction::Mt,
                protocols::map::Direction::Mo => Direction::Mo,
            };
            counters.message(direction, Verdict::None, crate::policy::Action::Pass.name(), carrier.repeat);
            if !carrier.repeat {
                way.listener.unread(&way.place, sccp);
            }
        }
        look
    }
}

/// It is done where neither the text nor the sender's name may hold a link, nor the text the likeness of a label.
#[inline(always)]
fn look(message: &ShortMessage<'_>, world: &World, room: &mut Room) -> Look {
    let World { scanner, policy, .. } = world;
    if !message.dcs.in_septets() {
        return Look::Nothing;
    }
    // TS 23.040 §9.1.2.5: a name of so many semi-octets has 4/7 as many septets.
    let septets = |semi_octets: u8| (u16::from(semi_octets) * 4 / 7) as u8;
    let named = message.name.is_some_and(|(semi_octets, name)| {
        scanner.ascii(septets(semi_octets), name, room).is_none_or(|name| scanner.may_link(name))
    });
    let Some(text) = scanner.ascii(message.tp_udl, message.user_data, room) else { return Look::Nothing };
    let mark = scanner.first_mark(text);
    if named || mark.is_some() || policy.may_act_on_ascii(text) {
        return Look::Text(Looked { len: message.tp_udl, mark });
    }
    Look::Done
}
