//! The worlds of a process: the one in force, and those that a lane or a note may still need.

use core::ops::Deref;
use core::sync::atomic::{AtomicBool, Ordering};
use std::collections::VecDeque;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::Stage;
use crate::world::World;

/// Worlds kept for notes that still name them.
const KEPT: usize = 4;

/// A world with its number, and whom its decisions are carried out for.
pub struct Live {
    /// Counts the worlds of this process, from 1.
    pub number: u64,
    /// What a decision depends on.
    pub world: Arc<World>,
    /// For whom it is carried out.
    pub stage: Stage,
}

impl Deref for Live {
    type Target = World;
    fn deref(&self) -> &World {
        &self.world
    }
}

/// What every lane sees at once.
#[derive(Debug, Default)]
pub(super) struct Flags {
    pub(super) pass: AtomicBool,
}

/// The writing side: one a process, whatever the number of workers.
pub struct Worlds {
    cell: Arc<ArcSwap<Live>>,
    kept: VecDeque<Arc<Live>>,
    flags: Arc<Flags>,
}

impl Worlds {
    /// Begins with this world.
    pub fn new(world: World, stage: Stage) -> Self {
        let first = Arc::new(Live { number: 1, world: Arc::new(world), stage });
        let cell = Arc::new(ArcSwap::new(Arc::clone(&first)));
        Self { cell, kept: VecDeque::from([first]), flags: Arc::default() }
    }

    pub(super) fn cell(&self) -> Arc<ArcSwap<Live>> {
        Arc::clone(&self.cell)
    }

    pub(super) fn flags(&self) -> Arc<Flags> {
        Arc::clone(&self.flags)
    }

    /// Puts a world in force from each lane's next batch on, and returns its number.
    pub fn set(&mut self, world: impl Into<Arc<World>>, stage: Stage) -> u64 {
        let number = self.current().number + 1;
        let live = Arc::new(Live { number, world: world.into(), stage });
        self.kept.push_back(Arc::clone(&live));
        self.cell.store(live);
        self.let_go();
        number
    }

    /// The same world for others.
    pub fn set_stage(&mut self, stage: Stage) -> u64 {
        let world = Arc::clone(&self.current().world);
        self.set(world, stage)
    }

    /// Frees the worlds that neither a lane nor a note needs any more. Freed here, on this thread: a lane must never be the last.
    pub fn let_go(&mut self) {
        while self.kept.len() > KEPT && self.kept.front().is_some_and(|oldest| Arc::strong_count(oldest) == 1) {
            self.kept.pop_front();
        }
    }

    /// The world in force.
    pub fn current(&self) -> Arc<Live> {
        self.cell.load_full()
    }

    /// The world of this number, if it is still there.
    pub fn of(&self, number: u64) -> Option<&Live> {
        self.kept.iter().rev().find(|live| live.number == number).map(|live| &**live)
    }

    /// No rewriting from each lane's next batch on, or rewriting again.
    pub fn set_pass(&self, pass: bool) {
        self.flags.pass.store(pass, Ordering::Release);
    }

    /// Whether rewriting is off.
    pub fn pass(&self) -> bool {
        self.flags.pass.load(Ordering::Acquire)
    }
}
