//! The tree that `explain` prints: what stands where, what it means, what is wrong with it.

use std::fmt::Write as _;

use dataplane::world::Network;
use protocols::{Error, mtp3, sccp, span};
use serde::Serialize;

use crate::record_json::hex;
use crate::terminal::{Paint, shown, wrapped};

/// Widest line, so that two trees fit side by side on a wide screen and one on any.
const COLUMNS: usize = 100;

/// Octets of unread data that are shown.
const SHOWN_OCTETS: usize = 24;

/// One field, or a layer with its fields.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Node {
    name: String,
    /// Octet of the input; `None` where it was joined or decoded and stands nowhere as it is.
    at: Option<usize>,
    len: Option<usize>,
    value: Option<String>,
    problem: Option<String>,
    /// The problem is one of reading, not an oddity of what was read.
    #[serde(skip)]
    unread: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<Node>,
}

/// Makes nodes of slices of the input, which tells where they stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'b> {
    octets: &'b [u8],
    /// Whose routing labels and addresses they are, which nothing in them says.
    pub(super) variant: mtp3::Variant,
}

impl<'b> Input<'b> {
    /// The octets of a frame or a layer.
    pub(super) const fn new(octets: &'b [u8], variant: mtp3::Variant) -> Self {
        Self { octets, variant }
    }

    /// Whose SCCP addresses, as the lane reads them.
    pub(super) fn sccp(self) -> sccp::Variant {
        Network { variant: self.variant, ..Network::default() }.sccp()
    }

    /// A node over `octets` of the input.
    pub(super) fn node(self, name: impl Into<String>, octets: &[u8]) -> Node {
        let place = span::within(self.octets, octets);
        Node {
            name: name.into(),
            at: place.as_ref().map(|place| place.start),
            len: place.map(|place| place.len()),
            value: None,
            problem: None,
            unread: false,
            children: Vec::new(),
        }
    }

    /// `len` octets at `at` of `octets`, with a value.
    pub(super) fn field(self, name: &str, octets: &[u8], at: usize, len: usize, value: impl ToString) -> Node {
        self.node(name, octets.get(at..at + len).unwrap_or_default()).with(value)
    }

    /// Octets that nothing here reads, in hexadecimal.
    pub(super) fn raw(self, name: impl Into<String>, octets: &[u8]) -> Node {
        let more = octets.len().saturating_sub(SHOWN_OCTETS);
        let mut value = hex(octets.get(..SHOWN_OCTETS).unwrap_or(octets));
        if more > 0 {
            let _ = write!(value, "… and {more} more");
        }
        self.node(name, octets).with(value)
    }

    /// A layer that could not be read: `octets` are what it was given, and the error's offset counts from their start.
    pub(super) fn failed(self, name: &str, octets: &[u8], error: Error) -> Node {
        let mut node = self.raw(name, octets);
        node.wrong(self, octets, error);
        node
    }
}

impl Node {
    pub(super) fn with(mut self, value: impl ToString) -> Self {
        self.value = Some(value.to_string());
        self
    }

    pub(super) fn push(&mut self, child: Node) {
        self.children.push(child);
    }

    /// Something odd in what was read.
    pub(super) fn problem(&mut self, what: impl std::fmt::Display) {
        let what = what.to_string();
        match &mut self.problem {
            // A layer that is read in two ways may fail in both for one reason.
            Some(problem) if problem.ends_with(&what) => {}
            Some(problem) => {
                let _ = write!(problem, "; {what}");
            }
            None => self.problem = Some(what),
        }
    }

    /// Something that keeps octets from being read.
    pub(super) fn unread(&mut self, what: impl std::fmt::Display) {
        self.problem(what);
        self.unread = true;
    }

    /// Names an error of the layer whose bytes are `octets`, with the octet of the whole input where it is known.
    pub(super) fn wrong(&mut self, input: Input<'_>, octets: &[u8], error: Error) {
        match span::within(input.octets, octets) {
            Some(place) => {
                let text = error.to_string();
                let reason = text.split_once(": ").map_or(text.as_str(), |(_, reason)| reason);
                self.unread(format_args!("{} at octet {}: {reason}", error.layer.name(), place.start + error.at as usize));
            }
            None => self.unread(error),
        }
    }

    /// The first that could not be read, if anything could not.
    pub(super) fn first_unread(&self) -> Option<&str> {
        let own = self.problem.as_deref().filter(|_| self.unread);
        own.or_else(|| self.children.iter().find_map(Self::first_unread))
    }

    /// The tree for people.
    pub(super) fn print(&self, paint: Paint) -> String {
        let mut out = paint.dim(" octet  length") + "\n";
        self.line(&mut out, 0, paint);
        out
    }

    fn line(&self, out: &mut String, depth: usize, paint: Paint) {
        let number = |n: Option<usize>| n.map_or_else(String::new, |n| n.to_string());
        let gutter = format!("{:>6} {:>7}  ", number(self.at), number(self.len));
        let indent = depth * 2;
        let name = shown(&self.name);
        let head = if self.children.is_empty() { name.into_owned() } else { paint.bold(&name) };
        let _ = write!(out, "{}{:indent$}{head}", paint.dim(&gutter), "");
        let hang = gutter.len() + indent + 2;
        if let Some(value) = &self.value {
            let used = gutter.len() + indent + crate::terminal::width(&self.name) + 2;
            let columns = COLUMNS.saturating_sub(used.min(60)).max(20);
            for (n, line) in wrapped(value, columns, usize::MAX).into_iter().enumerate() {
                let pad = used.min(60);
                let _ = if n == 0 { write!(out, "  {line}") } else { write!(out, "\n{:pad$}{line}", "") };
            }
        }
        out.push('\n');
        if let Some(problem) = &self.problem {
            for line in wrapped(problem, COLUMNS.saturating_sub(hang + 2).max(20), usize::MAX) {
                let _ = writeln!(out, "{:hang$}{}", "", paint.red(&format!("! {line}")));
            }
        }
        for child in &self.children {
            child.line(out, depth + 1, paint);
        }
    }
}

#[cfg(test)]
mod tests {
    use protocols::{Layer, Why};

    use super::*;

    #[test]
    fn a_bad_byte_is_named_by_its_octet_in_the_whole_input() {
        let bytes = [0u8; 20];
        let input = Input::new(&bytes, mtp3::Variant::Itu);
        let node = input.failed("TCAP", &bytes[12..], Error::new(Layer::Tcap, 3, Why::truncated(9, 2)));
        let printed = node.print(Paint(false));
        assert!(printed.contains("TCAP at octet 15: truncated: 9 octets needed, 2 present"), "{printed}");
        assert!(node.first_unread().is_some());
    }
}
