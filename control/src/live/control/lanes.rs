//! The lanes as the control thread sees them: who they are, and whether they live.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dataplane::live::ControlSide;

use super::Source;

/// A lane that did not publish for so long hangs.
const HANGS: Duration = Duration::from_secs(2);

/// One worker's lane.
pub(super) struct Lane {
    pub(super) name: Arc<str>,
    pub(super) core: Option<usize>,
    pub(super) side: ControlSide,
    /// How often it had published, and since when.
    published: (u64, Instant),
}

/// What is wrong with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing was heard of it. The watchdog is not told that all is well: a new start is what helps.
    Hangs,
    /// Its thread ended by itself. The others go on, and a watchdog that ended them too would do more harm.
    BrokeDown,
}

impl Lane {
    pub(super) fn new(source: Source) -> Self {
        let Source { name, core, side } = source;
        Self { name: name.into(), core, side, published: (0, Instant::now()) }
    }

    /// Whether it lives. One that never published has not begun.
    pub(super) fn trouble(&mut self) -> Option<Trouble> {
        let now = self.side.state().published;
        if self.side.is_abandoned() {
            return Some(Trouble::BrokeDown);
        }
        if now != self.published.0 {
            self.published = (now, Instant::now());
        }
        (now > 0 && self.published.1.elapsed() >= HANGS).then_some(Trouble::Hangs)
    }

    /// The same in words.
    pub(super) fn said(&mut self) -> Option<String> {
        let name = Arc::clone(&self.name);
        self.trouble().map(|trouble| match trouble {
            Trouble::Hangs => format!("{name} has not published for {} s: its frames go by in the kernel", HANGS.as_secs()),
            Trouble::BrokeDown => format!("{name} broke down: its frames go by in the kernel until the filter is started anew"),
        })
    }
}
