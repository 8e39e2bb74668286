//! What an interface was before it became a port: put back where the start fails, and where the filter is taken off.

use std::fs;

use dataplane::xdp::{Error, Port};

use super::plan::Kind;

/// What a filter changes of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    up: bool,
    promiscuous: bool,
    /// Whether IPv6 was off; `None` where this kernel has none, or it is not touched.
    no_ipv6: Option<bool>,
}

fn no_ipv6(port: &Port) -> String {
    format!("/proc/sys/net/ipv6/conf/{}/disable_ipv6", port.name)
}

impl Before {
    /// How it is now.
    pub fn of(port: &Port) -> Self {
        let no_ipv6 = fs::read_to_string(no_ipv6(port)).ok().map(|text| text.trim() == "1");
        Self { up: port.is_up(), promiscuous: port.is_promiscuous(), no_ipv6 }
    }

    /// Every frame whatever its address, for a pair nothing of our own on the line, and up, unless it is `cut`: taken down with its peer.
    pub fn prepare(kind: Kind, port: &Port, cut: bool) -> Result<(), Error> {
        if kind == Kind::Inline {
            // Without IPv6 in the kernel there is nothing to turn off.
            let _ = fs::write(no_ipv6(port), "1");
        }
        port.set_promiscuous(true)?;
        if cut || port.is_up() { Ok(()) } else { port.set_up(true) }
    }

    /// As it was.
    pub fn put_back(self, port: &Port) {
        // An interface that is gone needs nothing.
        let _ = port.set_promiscuous(self.promiscuous);
        // A filter may have taken it down, for a carrier that it then did not see come back.
        if port.is_up() != self.up {
            let _ = port.set_up(self.up);
        }
        if let Some(no) = self.no_ipv6 {
            let _ = fs::write(no_ipv6(port), if no { "1" } else { "0" });
        }
    }

    /// As one that nobody uses, where no filter has said how it was.
    pub fn as_new(kind: Kind, port: &Port) {
        // An interface that is gone needs nothing.
        let _ = port.set_promiscuous(false);
        if kind == Kind::Inline
            && let Ok(default) = fs::read_to_string("/proc/sys/net/ipv6/conf/default/disable_ipv6")
        {
            let _ = fs::write(no_ipv6(port), default.trim());
        }
    }

    /// In words that [`Before::parse`] reads.
    pub fn text(self) -> String {
        let ipv6 = self.no_ipv6.map_or("", |no| if no { " no-ipv6" } else { " ipv6" });
        format!("{}{}{ipv6}", if self.up { "up" } else { "down" }, if self.promiscuous { " promiscuous" } else { "" })
    }

    /// What was written so; nothing of a filter that wrote nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let has = |word| text.split(' ').any(|one| one == word);
        let up = if has("up") { true } else { has("down").then_some(false)? };
        let no_ipv6 = if has("no-ipv6") { Some(true) } else { has("ipv6").then_some(false) };
        Some(Self { up, promiscuous: has("promiscuous"), no_ipv6 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for up in [false, true] {
            for promiscuous in [false, true] {
                for no_ipv6 in [None, Some(false), Some(true)] {
                    let before = Before { up, promiscuous, no_ipv6 };
                    assert_eq!(Before::parse(&before.text()), Some(before));
                }
            }
        }
        assert_eq!([Before::parse(""), Before::parse("nonsense")], [None, None]);
    }
}
