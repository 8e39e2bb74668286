//! Reads what the lane let go unread: the same way of a message, off the path of frames.

use protocols::link::LinkType;

use super::note::{LinkNote, Octets, SmsNote};
use crate::join::table::Limits;
use crate::lane::{Frame, Lane, Setup};
use crate::record::{Listener, Place, Sms};
use crate::world::World;

/// See the module.
pub(super) struct Reader {
    lane: Lane,
    told: Told,
}

struct Told {
    octets: Octets,
    sms: Option<SmsNote>,
}

impl Listener for Told {
    const TEXTS: bool = true;

    fn sms(&mut self, sms: &Sms<'_>) {
        self.octets.clear();
        self.sms = Some(SmsNote::of(&mut self.octets, sms, None));
    }
}

impl Default for Reader {
    fn default() -> Self {
        // Such a message joins nothing.
        let few = Limits { entries: 1, octets: 1, age_ns: 1 };
        let setup = Setup { associations: 1, fragments: few, chunks: few, segments: few, parts: few, dialogues: few, secret: 0 };
        Self { lane: Lane::new(&setup), told: Told { octets: Octets::new(), sms: None } }
    }
}

impl Reader {
    /// The note of a message. So many of `octets` are its SCCP message, the others what its links lie in; then all are what the note and
    /// its links lie in.
    pub(super) fn read(
        &mut self,
        place: &Place,
        (octets, sccp): (&mut Vec<u8>, usize),
        links: &mut [LinkNote],
        world: &World,
    ) -> Option<SmsNote> {
        let Self { lane, told } = self;
        let Place { frame: number, time_ns, .. } = *place;
        told.sms = None;
        let bytes = octets.get(..sccp)?;
        let frame = Frame { number, time_ns, link_type: LinkType::Sccp, bytes, original_len: sccp };
        lane.frame(&frame, world, told);
        let read = told.octets.all();
        octets.splice(..sccp, read.iter().copied());
        links.iter_mut().for_each(|link| link.move_by(read.len().cast_signed() - sccp.cast_signed()));
        told.sms
    }
}
