//! The first look at a message: most have the usual form, an ASCII text, and nothing in it that a link may hang on. Such a message goes
//! on as it is, and is counted here; nobody reads the layers that it lies in. Any other takes the way of [`Lane::sccp`], which would
//! have come to the same: the tests send all they have both ways and compare what was counted.

use protocols::usual::{self, ShortMessage};

use crate::carrier::Carrier;
use crate::lane::Lane;
use crate::policy::Direction;
use crate::record::Listener;
use crate::scan::Room;
use crate::verdict::Verdict;
use crate::world::World;

impl Lane {
    /// Whether the SCCP message was such a one. Not asked where the text of every message is wanted.
    #[inline(always)]
    pub(crate) fn quiet<L: Listener>(&mut self, sccp: &[u8], carrier: &Carrier<'_>, world: &World) -> bool {
        if L::TEXTS {
            return false;
        }
        let Self { counters, septets, .. } = self;
        let Some(message) = usual::short_message(sccp).filter(|message| is_quiet(message, world, septets)) else { return false };
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
        true
    }
}

/// Whether neither the text nor the sender's name may hold a link, nor the text the likeness of a label.
#[inline(always)]
fn is_quiet(message: &ShortMessage<'_>, world: &World, room: &mut Room) -> bool {
    let World { scanner, policy, .. } = world;
    if !message.dcs.in_septets() {
        return false;
    }
    if let Some((semi_octets, name)) = message.name {
        // TS 23.040 §9.1.2.5: a name of so many semi-octets has 4/7 as many septets.
        let septets = (u16::from(semi_octets) * 4 / 7) as u8;
        if scanner.ascii(septets, name, room).is_none_or(|name| scanner.may_link(name)) {
            return false;
        }
    }
    let text = scanner.ascii(message.tp_udl, message.user_data, room);
    text.is_some_and(|text| !scanner.may_link(text) && !policy.may_act_on_ascii(text))
}
