//! The verdict of one link: registrable domain first, further down only where the table says that finer rules exist.

use super::keys::{Place, Reading, Word, is_root, path_keys, reading};
use super::pattern::Kind;
use super::{EXPANSION, EntryRef, Judgement, KeyScratch, Layer, Table};
use crate::canonical::{self, Canonical, Folded, Folder, HostKind};
use crate::suffix::Suffixes;
use crate::verdict::{Reason, Verdict};

/// Most specific answer so far.
#[derive(Clone, Copy)]
struct Best {
    verdict: Verdict,
    reason: Reason,
    entry: Option<EntryRef>,
    senders: bool,
    /// A local decision of the overlay covers this: the snapshot's feeds have no say below it.
    local: bool,
}

impl Best {
    const fn nothing(reason: Reason) -> Self {
        Self { verdict: Verdict::None, reason, entry: None, senders: false, local: false }
    }
}

/// The words of one key, snapshot's and overlay's.
#[derive(Clone, Copy, Default)]
struct Node {
    snapshot: Option<(u64, Word)>,
    overlay: Option<(u32, Word)>,
}

impl Node {
    #[inline]
    fn has(self, flag: u64) -> bool {
        self.snapshot.is_some_and(|(_, word)| word.has(flag)) || self.overlay.is_some_and(|(_, word)| word.has(flag))
    }
}

/// A look-up whose first line is on its way: made by [`Table::begin`], ended by [`Table::finish`] or
/// [`Table::finish_exact_dangerous`] with the same link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    first: Place,
    /// Octets of the host's end that are its registrable domain; 0: none.
    registrable: u32,
    /// The same of the public suffix.
    suffix: u32,
    private: bool,
}

impl Pending {
    /// The registrable domain of the host that it was begun with.
    pub fn registrable<'h>(&self, host: &'h str) -> Option<&'h str> {
        tail(host, self.registrable)
    }
}

/// So many octets of a host's end; `None` for none.
#[inline]
pub(super) fn tail(host: &str, octets: u32) -> Option<&str> {
    host.len().checked_sub(octets as usize).and_then(|at| host.get(at..)).filter(|tail| !tail.is_empty())
}

impl Table {
    /// What the lists say of a link, for this sender. `app`: the link leads to an app package. No heap, no lock, no panic.
    pub fn judge(
        &self,
        url: &Canonical<'_>,
        app: bool,
        sender: &str,
        suffixes: &Suffixes,
        scratch: &mut KeyScratch,
    ) -> Judgement {
        self.finish(self.place(url, suffixes), url, app, sender, scratch)
    }

    /// Begins a look-up: cuts the host, hashes, and asks for the one line that nearly all links need. With a few links between this and
    /// [`Self::finish`] the line comes meanwhile.
    #[inline(always)]
    pub fn begin(&self, url: &Canonical<'_>, suffixes: &Suffixes) -> Pending {
        let pending = self.place(url, suffixes);
        self.snapshot.prefetch(pending.first);
        pending
    }

    #[inline]
    fn place(&self, url: &Canonical<'_>, suffixes: &Suffixes) -> Pending {
        let whole = |first| Pending { first, registrable: 0, suffix: 0, private: false };
        match url.kind {
            HostKind::None => whole(self.key.hash_all(Kind::Scheme, &[url.scheme, ":"])),
            HostKind::Ipv4 | HostKind::Ipv6 => whole(self.key.hash(url.host)),
            HostKind::Domain => {
                let split = suffixes.split(url.host);
                let octets = |part: &str| u32::try_from(part.len()).unwrap_or_default();
                Pending {
                    first: self.key.hash(split.registrable.unwrap_or(url.host)),
                    registrable: split.registrable.map_or(0, octets),
                    suffix: octets(split.suffix),
                    private: split.private,
                }
            }
        }
    }

    /// Ends a look-up: as [`Self::judge`].
    #[inline(always)]
    pub fn finish(&self, pending: Pending, url: &Canonical<'_>, app: bool, sender: &str, scratch: &mut KeyScratch) -> Judgement {
        let judgement = match self.at_once(pending, url) {
            Some((verdict, reason, slot)) => Judgement {
                verdict,
                reason,
                entry: slot.map(EntryRef::Snapshot),
                app: app && verdict != Verdict::Safe,
                registrable_octets: pending.registrable,
            },
            None => self.finish_with_care(pending, url, app, sender, scratch),
        };
        if judgement.verdict == Verdict::Dangerous && !self.suspended.is_empty() {
            self.unless_suspended(judgement)
        } else {
            judgement
        }
    }

    /// What a suspended source calls dangerous is unknown; entry and reason say whose word it was.
    #[cold]
    fn unless_suspended(&self, judgement: Judgement) -> Judgement {
        let source = judgement.entry.map_or("", |at| self.entry(at).source);
        let verdict = if self.suspended.iter().any(|name| **name == *source) { Verdict::Unknown } else { judgement.verdict };
        Judgement { verdict, ..judgement }
    }

    /// The answer where one word is all: nothing in the overlay, no rules for suffixes, nothing finer, no platform, nothing cold.
    #[inline(always)]
    fn at_once(&self, pending: Pending, url: &Canonical<'_>) -> Option<(Verdict, Reason, Option<u64>)> {
        if url.kind != HostKind::Domain || self.snapshot.header().suffix_rules > 0 || !self.overlay.is_empty() {
            return None;
        }
        let nothing = (Verdict::Unknown, if pending.private { Reason::Platform } else { Reason::NoEntry }, None);
        let Some((slot, word)) = self.snapshot.find(pending.first) else { return Some(nothing) };
        if word.has(Word::FINER | Word::PLATFORM | Word::COLD) || !word.says() {
            return None;
        }
        let own = pending.registrable == 0 || pending.registrable as usize == url.host.len();
        Some(match (own, word.has(Word::EXACT)) {
            (true, true) => (word.verdict(), Reason::Exact, Some(slot)),
            (true, false) => (word.verdict(), Reason::Host, Some(slot)),
            (false, true) => nothing,
            (false, false) => (word.verdict(), Reason::Parent, Some(slot)),
        })
    }

    #[inline(never)]
    pub(super) fn finish_with_care(
        &self,
        pending: Pending,
        url: &Canonical<'_>,
        app: bool,
        sender: &str,
        scratch: &mut KeyScratch,
    ) -> Judgement {
        let best = match url.kind {
            HostKind::None => self.opaque(url, pending.first, scratch),
            HostKind::Domain => self.name(url, pending, scratch),
            HostKind::Ipv4 | HostKind::Ipv6 => self.descend(url, pending, Best::nothing(Reason::NoEntry), scratch),
        };
        let (verdict, reason) = match best.verdict {
            Verdict::None => (Verdict::Unknown, best.reason),
            Verdict::Safe if best.senders && !self.safe_for(best.entry, sender) => (Verdict::Unknown, Reason::Sender),
            verdict => (verdict, best.reason),
        };
        let app = app && verdict != Verdict::Safe;
        Judgement { verdict, reason, entry: best.entry, app, registrable_octets: pending.registrable }
    }

    /// Ends the look-up of a link that is none to a handset: only an entry that calls exactly this host or path dangerous counts.
    pub fn finish_exact_dangerous(&self, pending: Pending, url: &Canonical<'_>, scratch: &mut KeyScratch) -> Option<Judgement> {
        // The short way of [`Self::finish`] is for what handsets open, and stays in line there.
        let found = self.unless_suspended(self.finish_with_care(pending, url, false, "", scratch));
        let exact = matches!(found.reason, Reason::Exact | Reason::Host | Reason::Path | Reason::Expansion);
        (exact && found.verdict == Verdict::Dangerous).then_some(found)
    }

    /// The entry is asked for its verdict too: in the overlay it may be newer than the word that led to it.
    fn safe_for(&self, entry: Option<EntryRef>, sender: &str) -> bool {
        entry.map(|at| self.entry(at)).is_some_and(|entry| entry.verdict == Verdict::Safe && entry.holds_for(sender))
    }

    fn name(&self, url: &Canonical<'_>, pending: Pending, scratch: &mut KeyScratch) -> Best {
        let mut best = Best::nothing(if pending.private { Reason::Platform } else { Reason::NoEntry });
        if self.snapshot.header().suffix_rules > 0 || !self.overlay.is_empty() {
            // Rules for whole suffixes are the operator's own and rare: the header says whether there are any. A host that is a suffix itself
            // lies below those above it; its own node is looked at with the host.
            let suffix = tail(url.host, pending.suffix).unwrap_or_default();
            let above = if pending.registrable == 0 { suffix.split_once('.').map_or("", |(_, above)| above) } else { suffix };
            if !above.is_empty() {
                self.suffix_rules(above, &mut best);
            }
        }
        self.descend(url, pending, best, scratch)
    }

    fn suffix_rules(&self, suffix: &str, best: &mut Best) {
        let parents = suffix.match_indices('.').filter_map(|(dot, _)| suffix.get(dot + 1..));
        for name in core::iter::once(suffix).chain(parents) {
            let node = self.node(self.key.hash(name));
            if node.has(Word::PLATFORM) {
                self.platform(name, node, Reason::Parent, best);
                return;
            }
            self.below(node, Reason::Parent, best);
            if best.verdict != Verdict::None {
                return;
            }
        }
    }

    /// From the registrable domain label by label to the host, then its paths, as long as each node says that there is more.
    fn descend(&self, url: &Canonical<'_>, pending: Pending, mut best: Best, scratch: &mut KeyScratch) -> Best {
        let root = if pending.registrable == 0 { url.host.len() } else { pending.registrable as usize };
        let mut at = url.host.len().saturating_sub(root);
        let mut place = pending.first;
        loop {
            let node = self.node(place);
            if at == 0 {
                self.at_host(url, node, &mut best, scratch);
                return best;
            }
            let Some(name) = url.host.get(at..) else { return best };
            if node.has(Word::PLATFORM) {
                self.platform(name, node, Reason::Parent, &mut best);
            } else {
                self.below(node, Reason::Parent, &mut best);
            }
            if !node.has(Word::FINER) {
                return best;
            }
            at = url.host.get(..at - 1).and_then(|above| above.rfind('.')).map_or(0, |dot| dot + 1);
            place = self.key.hash(url.host.get(at..).unwrap_or_default());
        }
    }

    /// The host's own node: a verdict for it, `=host`, paths.
    fn at_host(&self, url: &Canonical<'_>, node: Node, best: &mut Best, scratch: &mut KeyScratch) {
        // What a platform says of itself holds for its own page, not for what it hosts.
        let platform = node.has(Word::PLATFORM);
        if platform {
            self.platform(url.host, node, Reason::Host, best);
        }
        let own = !platform || is_root(url.path_and_query);
        if own {
            self.below(node, Reason::Host, best);
            self.exact(node, best);
        }
        if !node.has(Word::FINER) {
            return;
        }
        if own {
            self.all(self.node(self.key.hash_all(Kind::Exact, &[url.host])), Reason::Exact, best);
        }
        let (folded, reading) = (fold(url, &mut scratch.folder), reading(url.path_and_query));
        // A server may take the path for one of those of which something else is said.
        if best.verdict == Verdict::Safe && reading != Reading::One {
            *best = Best { local: best.local, ..Best::nothing(Reason::NoEntry) };
        }
        for prefix in path_keys(folded.path) {
            let safe = may_be_safe(reading, prefix.len() == folded.path.trim_end_matches('/').len());
            self.path(url, safe, self.node(self.key.hash_all(Kind::Path, &[url.host, prefix])), best);
        }
        if let Some(query) = folded.query {
            let safe = may_be_safe(reading, true);
            self.path(url, safe, self.node(self.key.hash_all(Kind::Path, &[url.host, folded.path, "?", query])), best);
        }
    }

    /// What a path's node says. Of a short link that leads to a safe page nothing follows for what is below it, for another query or for
    /// another spelling: each may be another link of the platform. `safe`: whether it may be that.
    fn path(&self, url: &Canonical<'_>, safe: bool, mut node: Node, best: &mut Best) {
        let Some((n, word)) = node.overlay.filter(|(n, _)| self.overlay.entry(*n).source == EXPANSION) else {
            return self.apply(node, |word| safe || word.verdict() != Verdict::Safe, Reason::Path, best);
        };
        let link = url.url.split_once("://").map_or("", |(_, link)| link);
        if word.verdict() == Verdict::Safe && link != self.overlay.entry(n).pattern {
            node.overlay = None;
            return self.all(node, Reason::Path, best);
        }
        self.all(node, Reason::Expansion, best);
    }

    fn opaque(&self, url: &Canonical<'_>, all: Place, scratch: &mut KeyScratch) -> Best {
        let mut best = Best::nothing(Reason::NoEntry);
        let folded = canonical::fold(url, &mut scratch.folder);
        let id = folded.path.trim_matches('/');
        self.all(self.node(all), Reason::Parent, &mut best);
        if !id.is_empty() {
            self.all(self.node(self.key.hash_all(Kind::Scheme, &[url.scheme, ":", id])), Reason::Exact, &mut best);
        }
        if let Some(query) = folded.query {
            let first = query.split('&').next().unwrap_or_default();
            for query in [first, query].iter().take(1 + usize::from(first.len() < query.len())) {
                self.all(
                    self.node(self.key.hash_all(Kind::Scheme, &[url.scheme, ":", id, "?", query])),
                    Reason::Exact,
                    &mut best,
                );
            }
        }
        best
    }

    /// Whether this very host is called a platform, whatever else is said of it.
    pub fn is_platform(&self, host: &str) -> bool {
        self.node(self.key.hash(host)).has(Word::PLATFORM)
    }

    #[inline]
    fn node(&self, place: Place) -> Node {
        Node { snapshot: self.snapshot.find(place), overlay: self.overlay.find(place) }
    }

    /// A platform's node: nothing from above or from itself reaches below it but what the operator forbade in the overlay, and that not
    /// below a platform of the operator's own.
    fn platform(&self, name: &str, node: Node, reason: Reason, best: &mut Best) {
        // Where the word carries a verdict of the platform's own page too, the platform's entry stands under its own key.
        let own = || self.key.hash_all(Kind::Platform, &[name]);
        let overlay = if self.overlay.is_empty() { None } else { self.overlay.find(own()).map(|(n, _)| EntryRef::Overlay(n)) };
        let snapshot = || node.snapshot.filter(|(_, word)| word.has(Word::PLATFORM));
        let apart =
            |(slot, word): (u64, Word)| if word.says() { self.snapshot.find(own()).map(|(slot, _)| slot) } else { Some(slot) };
        let entry = overlay.or_else(|| snapshot().and_then(apart).map(EntryRef::Snapshot));
        let own = || entry.is_some_and(|at| self.entry(at).layer == Layer::Local);
        let forbids = |&(n, word): &(u32, Word)| {
            let covers = word.says() && !word.is_expired() && !word.has(Word::EXACT);
            covers && word.verdict() != Verdict::Safe && self.overlay.entry(n).layer == Layer::Local
        };
        if !own() && node.overlay.as_ref().is_some_and(forbids) {
            return self.below(node, reason, best);
        }
        if best.local && best.verdict != Verdict::Safe && !own() {
            return;
        }
        // What covered the feeds above covers them here no more.
        *best = Best { entry, ..Best::nothing(Reason::Platform) };
    }

    /// What a node says of its host and what is below.
    #[inline]
    fn below(&self, node: Node, reason: Reason, best: &mut Best) {
        let keep = |word: Word| !word.has(Word::EXACT);
        self.apply(node, keep, reason, best);
    }

    /// What a node says of its host alone.
    #[inline]
    fn exact(&self, node: Node, best: &mut Best) {
        self.apply(node, |word| word.has(Word::EXACT), Reason::Exact, best);
    }

    #[inline]
    fn all(&self, node: Node, reason: Reason, best: &mut Best) {
        self.apply(node, |_| true, reason, best);
    }

    #[inline]
    fn apply(&self, node: Node, keep: impl Fn(Word) -> bool, reason: Reason, best: &mut Best) {
        let overlay = node.overlay.filter(|&(_, word)| word.says() && keep(word));
        let masked = overlay.is_some();
        if let Some((slot, word)) = node.snapshot.filter(|&(_, word)| word.says() && keep(word) && !masked) {
            // The overlay's local decision covers what feeds say below it; the snapshot's own precedence was settled when it was built.
            if !best.local || self.snapshot.entry(slot).layer == Layer::Local {
                say(best, word, reason, EntryRef::Snapshot(slot));
            }
        }
        if let Some((n, word)) = overlay {
            let local = self.overlay.entry(n).layer == Layer::Local;
            if local || !best.local {
                say(best, word, reason, EntryRef::Overlay(n));
                best.local |= local && !word.is_expired();
            }
        }
    }
}

/// Whether what is said of a path makes a link `safe`: said of `all` of its path, or of a beginning.
const fn may_be_safe(reading: Reading, all: bool) -> bool {
    match reading {
        Reading::One => true,
        Reading::Parameters => all,
        Reading::Several => false,
    }
}

/// [`canonical::fold`] without a copy for what is folded already, which nearly all links are.
fn fold<'f>(url: &Canonical<'f>, folder: &'f mut Folder) -> Folded<'f> {
    let mut before = 0;
    let mut query = false;
    let folded = url.path_and_query.bytes().all(|c| {
        // A segment that begins with a dot may be a dot segment once its escapes are gone, but there are none: `%` is refused first.
        let plain = c > b' ' && c < 0x7f && c != b'%' && c != b'#' && (query || before != b'/' || !matches!(c, b'/' | b'.'));
        query |= c == b'?';
        before = c;
        plain
    });
    if !folded || !url.path_and_query.starts_with('/') {
        return canonical::fold(url, folder);
    }
    let (path, query) = url.path_and_query.split_once('?').unwrap_or((url.path_and_query, ""));
    Folded { host: url.host, path, query: Some(query).filter(|query| !query.is_empty()) }
}

/// Takes a word as the most specific so far. An entry that has ended covers nothing: it only explains an `unknown`.
#[inline]
fn say(best: &mut Best, word: Word, reason: Reason, entry: EntryRef) {
    if !word.is_expired() {
        *best = Best { verdict: word.verdict(), reason, entry: Some(entry), senders: word.has(Word::COLD), local: best.local };
    } else if best.verdict == Verdict::None {
        *best = Best { reason: Reason::Expired, entry: Some(entry), ..*best };
    }
}

/// How files are named behind which an installation or a profile waits.
const APPS: [&str; 7] = [".apk", ".xapk", ".apks", ".aab", ".ipa", ".mobileconfig", ".mobileprovision"];

/// Whether a path, or a part of a query, ends in an app's file name.
pub fn is_app_package(path_and_query: &str) -> bool {
    let parts = path_and_query.split(['?', '&', '=', ';', '#']);
    parts.into_iter().any(|part| APPS.iter().any(|app| ends_in(part.as_bytes(), app.as_bytes())))
}

/// Whether a path ends in these octets, whatever its case and whichever of them are escaped.
fn ends_in(path: &[u8], end: &[u8]) -> bool {
    let mut rest = path;
    end.iter().rev().all(|want| {
        let (octet, front) = match rest {
            [front @ .., b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |hex: u8| char::from(hex).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
                (digit(*high) << 4 | digit(*low), front)
            }
            [front @ .., octet] => (*octet, front),
            [] => return false,
        };
        rest = front;
        octet.eq_ignore_ascii_case(want)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_folded_already_are_keyed_as_the_folder_would() {
        let mut scratch = canonical::Scratch::default();
        let [mut a, mut b] = [Folder::new(), Folder::new()];
        for tail in [
            "",
            "/",
            "/a/b",
            "/a//b",
            "/a/.b/..c/",
            "//",
            "/%41",
            "/a?x=//../%20",
            "/a?b?c",
            "/?",
            "/?//x",
            "/a;b=c",
            "/%2e%2e/x",
            "/é",
        ] {
            let text = format!("https://host.example{tail}");
            let url = canonical::parse(&text, &mut scratch).expect("a URL");
            assert_eq!(fold(&url, &mut a), canonical::fold(&url, &mut b), "{tail}");
        }
    }
}
