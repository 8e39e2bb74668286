//! The control side of one worker.

use rtrb::Consumer;
use triple_buffer::Output;

use super::note::{Kind, LinkNote, Note, Said, Slip, SmsNote};
use super::reader::Reader;
use super::state::State;
use super::{Cell, Live, Worlds};

/// What the control thread holds for one worker.
pub struct ControlSide {
    notes: Consumer<Slip>,
    links: Consumer<LinkNote>,
    cells: Consumer<Cell>,
    output: Output<State>,
    octets: Vec<u8>,
    link_room: Vec<LinkNote>,
    reader: Reader,
    /// Messages that the lane left unread and that came to nothing here: lost, as those without a note are.
    unreadable: u64,
}

/// One note with all that goes with it.
#[derive(Clone, Copy)]
pub struct Noted<'a> {
    /// The head.
    pub note: &'a Note,
    /// Its links.
    pub links: &'a [LinkNote],
    /// What its spans lie in.
    pub octets: &'a [u8],
    /// The world that judged it; `None` when that is gone.
    pub world: Option<&'a Live>,
}

impl ControlSide {
    pub(super) fn new(notes: Consumer<Slip>, links: Consumer<LinkNote>, cells: Consumer<Cell>, output: Output<State>) -> Self {
        Self { notes, links, cells, output, octets: Vec::new(), link_room: Vec::new(), reader: Reader::default(), unreadable: 0 }
    }

    /// Hands over at most `most` notes, in the lane's order; returns how many there were.
    pub fn drain(&mut self, most: usize, worlds: &Worlds, mut take: impl FnMut(&Noted<'_>)) -> usize {
        let mut taken = 0;
        while taken < most {
            let Ok(slip) = self.notes.pop() else { break };
            taken += 1;
            self.octets.clear();
            if let Ok(chunk) = self.cells.read_chunk(usize::from(slip.octets).div_ceil(super::CELL)) {
                let (a, b) = chunk.as_slices();
                a.iter().chain(b).for_each(|cell| self.octets.extend_from_slice(cell));
                chunk.commit_all();
            }
            self.octets.truncate(slip.octets.into());
            self.link_room.clear();
            if let Ok(chunk) = self.links.read_chunk(slip.links.into()) {
                self.link_room.extend(chunk);
            }
            let world = worlds.of(slip.world);
            let kind = match slip.said {
                Said::Note(kind) => kind,
                Said::Unread(sccp, decision) => {
                    let now = worlds.current();
                    // What such a message says is the same in every world; what its links are worth, and what was decided, the lane says.
                    let (octets, links) = (&mut self.octets, &mut self.link_room);
                    let read = self.reader.read(&slip.place, (octets, sccp.into()), links, world.unwrap_or(&now));
                    let Some(sms) = read else {
                        self.unreadable += 1;
                        continue;
                    };
                    let (verdict, rewritten, held) = (decision.verdict, false, None);
                    Kind::Sms(SmsNote { verdict, decision, held, rewritten, more_links: 0, ..sms })
                }
            };
            let note = Note { place: slip.place, world: slip.world, kind };
            take(&Noted { note: &note, links: &self.link_room, octets: &self.octets, world });
        }
        taken
    }

    /// Whether the lane is gone: nothing will come beyond what lies in the rings.
    pub fn is_abandoned(&self) -> bool {
        self.notes.is_abandoned()
    }

    /// What the lane published last.
    pub fn state(&mut self) -> &State {
        if self.output.update() {
            self.output.output_buffer_mut().lost.notes += self.unreadable;
        }
        self.output.output_buffer()
    }
}
