//! The control side of one worker.

use core::sync::atomic::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rtrb::Consumer;
use triple_buffer::Output;

use super::note::{LinkNote, Note};
use super::state::State;
use super::{Cell, Flags, Live, Stage};
use crate::world::World;

/// Worlds kept for notes that still name them.
const KEPT: usize = 4;

/// What the control thread holds for one worker.
pub struct ControlSide {
    cell: Arc<ArcSwap<Live>>,
    worlds: VecDeque<Arc<Live>>,
    flags: Arc<Flags>,
    notes: Consumer<Note>,
    links: Consumer<LinkNote>,
    cells: Consumer<Cell>,
    output: Output<State>,
    octets: Vec<u8>,
    link_room: Vec<LinkNote>,
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
    pub(super) fn new(
        cell: Arc<ArcSwap<Live>>,
        first: Arc<Live>,
        flags: Arc<Flags>,
        notes: Consumer<Note>,
        links: Consumer<LinkNote>,
        cells: Consumer<Cell>,
        output: Output<State>,
    ) -> Self {
        let worlds = VecDeque::from([first]);
        Self { cell, worlds, flags, notes, links, cells, output, octets: Vec::new(), link_room: Vec::new() }
    }

    /// Puts a world in force from the lane's next batch on, and returns its number.
    pub fn set_world(&mut self, world: World, stage: Stage) -> u64 {
        let number = self.current().number + 1;
        self.swap(Live { number, world, stage });
        number
    }

    fn swap(&mut self, live: Live) {
        let live = Arc::new(live);
        self.worlds.push_back(Arc::clone(&live));
        drop(self.cell.swap(live));
        self.let_go();
    }

    /// Frees the worlds that neither the lane nor a note needs any more. Freed here, on this thread: a lane must never be the last.
    pub fn let_go(&mut self) {
        while self.worlds.len() > KEPT && self.worlds.front().is_some_and(|oldest| Arc::strong_count(oldest) == 1) {
            self.worlds.pop_front();
        }
    }

    /// The world in force.
    pub fn current(&self) -> Arc<Live> {
        self.cell.load_full()
    }

    /// No rewriting from the lane's next batch on, or rewriting again.
    pub fn set_pass(&self, pass: bool) {
        self.flags.pass.store(pass, Ordering::Release);
    }

    /// Whether rewriting is off.
    pub fn pass(&self) -> bool {
        self.flags.pass.load(Ordering::Acquire)
    }

    /// Hands over at most `most` notes, in the lane's order; returns how many there were.
    pub fn drain(&mut self, most: usize, mut take: impl FnMut(&Noted<'_>)) -> usize {
        let mut taken = 0;
        while taken < most {
            let Ok(note) = self.notes.pop() else { break };
            taken += 1;
            self.octets.clear();
            if let Ok(chunk) = self.cells.read_chunk(usize::from(note.octets).div_ceil(super::CELL)) {
                let (a, b) = chunk.as_slices();
                a.iter().chain(b).for_each(|cell| self.octets.extend_from_slice(cell));
                chunk.commit_all();
            }
            self.octets.truncate(note.octets.into());
            self.link_room.clear();
            if let Ok(chunk) = self.links.read_chunk(note.links.into()) {
                self.link_room.extend(chunk);
            }
            let world = self.worlds.iter().rev().find(|live| live.number == note.world).map(|live| &**live);
            take(&Noted { note: &note, links: &self.link_room, octets: &self.octets, world });
        }
        taken
    }

    /// What the lane published last.
    pub fn state(&mut self) -> &State {
        self.output.read()
    }
}
