//! Which worker takes which lines of a plan, on this machine's cores.

use dataplane::pin;
use dataplane::xdp::Error;

use super::plan::{Kind, Plan};
pub use crate::config::shares::Share;
use crate::config::shares::deal;

impl Plan {
    /// Deals the lines out to the workers that are asked for, or says what to change.
    pub fn shares(&self) -> Result<Vec<Share>, Error> {
        let what = if self.kind == Kind::Tap { "link" } else { "pair" };
        deal(&self.wire, self.lines.len(), what, &pin::cores(), pin::may_use).map_err(Error::new)
    }

    /// What is said of a worker at the start and by `check`: its core, and what it takes.
    pub fn says(&self, share: &Share) -> String {
        let lines: Vec<String> = share.lines.iter().filter_map(|&at| self.lines.get(at)).map(|line| line.join(" - ")).collect();
        let core = share.core.map_or_else(|| "unpinned".to_owned(), |core| format!("core {core}"));
        format!("{core}, takes {}", lines.join(", "))
    }

    /// Its name in records and in the status: its interfaces.
    pub fn worker(&self, share: &Share) -> String {
        let of: Vec<&str> = share.lines.iter().filter_map(|&at| self.lines.get(at)).flatten().map(String::as_str).collect();
        of.join("-")
    }
}
