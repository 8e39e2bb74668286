//! Links that begin with a scheme, in any case, glued to a word or not, with any number of slashes of any kind.
//!
//! Sources: AOSP `Patterns.PROTOCOL` (http, https, rtsp, ftp) and `USER_INFO`; the URL standard (slashes and
//! backslashes behind a special scheme are skipped); iOS data detectors (any `scheme://`); vendors' pages for the
//! schemes of their apps.

use super::authority::{self, Span};
use super::chars::{ends_in_word, is_dot, is_host, is_invisible, is_label, is_latin, is_slash, is_stop};
use super::tail::Tail;
use super::{Finder, Form, Link};
use crate::verdict::Confidence::{self, High, Low};

/// Schemes with a host, and what a reader makes of their defanged spellings.
const WITH_HOST: [(&str, &str, Form); 14] = [
    ("https", "https://", Form::Scheme),
    ("http", "http://", Form::Scheme),
    ("rtsp", "rtsp://", Form::Scheme),
    ("ftp", "ftp://", Form::Scheme),
    ("wss", "wss://", Form::Scheme),
    ("ws", "ws://", Form::Scheme),
    ("hxxps", "https://", Form::Defanged),
    ("hxxp", "http://", Form::Defanged),
    ("h**ps", "https://", Form::Defanged),
    ("h**p", "http://", Form::Defanged),
    ("h__ps", "https://", Form::Defanged),
    ("h__p", "http://", Form::Defanged),
    ("fxp", "ftp://", Form::Defanged),
    ("httрs", "https://", Form::Defanged), // a Cyrillic letter
];

/// Those of them that Android knows.
const OF_ANDROID: [&str; 4] = ["https", "http", "rtsp", "ftp"];

/// Schemes that need no slashes, and how sure it is with them that a tap opens an app. Without them no handset links any.
const APPS: [(&str, Confidence); 22] = [
    ("market", High),
    ("intent", High),
    ("whatsapp", High),
    ("tg", High),
    ("viber", High),
    ("sgnl", High),
    ("fb-messenger", High),
    ("fb", High),
    ("itms-services", High),
    ("itms-apps", High),
    ("itms", High),
    ("weixin", High),
    ("alipays", High),
    ("line", Low),
    ("upi", High),
    ("bitcoin", High),
    ("ethereum", High),
    ("skype", High),
    ("tel", Low),
    ("sms", Low),
    ("smsto", Low),
    ("geo", Low),
];

/// Whether a word is the scheme of an app, which needs no slashes.
pub fn is_app_scheme(word: &[u8]) -> bool {
    APPS.iter().any(|(name, _)| name.as_bytes().eq_ignore_ascii_case(word))
}

impl<F: FnMut(&Link<'_>)> Finder<'_, '_, F> {
    /// A colon at `at`, ending at `behind`. Gives where to go on.
    pub(super) fn colon(&mut self, at: usize, behind: usize) -> usize {
        let rest = self.slice(behind, self.text.len());
        let body = behind + (rest.len() - rest.trim_start_matches(is_slash).len());
        let word_from = self.scheme_start(at);
        let word = self.slice(word_from, at);
        if body == behind {
            return self.app(word_from, word, behind);
        }
        for (name, prefix, form) in WITH_HOST {
            let from = at.wrapping_sub(name.len());
            let spelt = self.text.get(from..at).is_some_and(|spelt| spelt.eq_ignore_ascii_case(name));
            // So few letters are a scheme only as a word of their own; to Android a dot may stand before it.
            let own = || from == word_from || OF_ANDROID.contains(&name) && !ends_in_word(self.slice(0, from));
            if spelt && (name.len() > 3 || own()) {
                return self.scheme((from, behind, body), prefix, form);
            }
        }
        if body - behind >= 2 && !word.is_empty() && word != "mailto" {
            let known = APPS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map_or(High, |(_, sure)| *sure);
            self.no_host(word_from, body, known);
        }
        body
    }

    /// Where the scheme before a colon begins: at most 32 letters, digits, `+`, `-`, `.` back, at a letter.
    fn scheme_start(&self, at: usize) -> usize {
        let from = (at.saturating_sub(32)..at).find(|&from| self.text.is_char_boundary(from)).unwrap_or(at);
        let before = self.slice(from, at);
        let head = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        let word = before.get(head.len()..).unwrap_or_default();
        at - word.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).len()
    }

    /// `tel:`, `intent:` and the like, without slashes.
    fn app(&mut self, start: usize, word: &str, behind: usize) -> usize {
        if is_app_scheme(word.as_bytes()) && self.text.get(behind..).is_some_and(|rest| rest.starts_with(|c: char| !is_stop(c))) {
            self.no_host(start, behind, Low);
        }
        behind
    }

    /// A link without a host from `start`; what is inside it is looked for too.
    fn no_host(&mut self, start: usize, body: usize, confidence: Confidence) {
        if start < self.opaque_until {
            return;
        }
        let rest = self.slice(body, self.text.len());
        let run = rest.get(..rest.find(is_stop).unwrap_or(rest.len())).unwrap_or_default();
        self.opaque_until = body + run.len();
        let end = body + run.trim_end_matches(['.', ',', '!', '?', ')', ']', '}', '\'', ';', ':']).len();
        if end > body {
            self.report((start, end), (Form::NoHost, confidence), "", self.slice(start, end));
            self.inside((start, end), body, confidence);
        }
    }

    /// A scheme at `start`, its slashes at `slashes`, its authority at `body`.
    fn scheme(&mut self, (start, slashes, body): (usize, usize, usize), prefix: &str, form: Form) -> usize {
        let rest = self.slice(body, self.text.len());
        let end = rest.find(|c| is_stop(c) || is_slash(c) || matches!(c, '?' | '#')).unwrap_or(rest.len());
        let authority = rest.get(..end).unwrap_or_default();
        let plain = authority::is_plain(authority.as_bytes());
        let mut host_from = authority.rfind('@').map_or(0, |at| at + 1);
        if !plain {
            // No name begins with an empty label: none is asked for.
            let head = authority.get(host_from..).unwrap_or_default();
            let name = head.trim_start_matches(|c| is_dot(c) || is_invisible(c) && c != '\u{202e}');
            host_from +=
                if name.len() < head.len() && head.get(..head.len() - name.len()).is_some_and(|lead| lead.contains(is_dot)) {
                    head.len() - name.len()
                } else {
                    0
                };
        }
        let host_text = authority.get(host_from..).unwrap_or_default();
        // Where it is no scheme to Android, links begin within the host and the path as they do behind any other word.
        let within = !self.is_of_android(start, slashes, body);
        if within && plain && self.slice(start, body).ends_with("://") {
            self.told_at = Some(body);
        }
        if host_text.starts_with('\u{202e}') {
            self.reversed(start, body, body + end, prefix);
            // What a reader turns round Android does not: behind its link another may begin.
            let android = if within { None } else { Span::read(rest) };
            return android.map_or(body, |span| body + span.end);
        }
        let mut len = if host_text.starts_with('[') {
            host_text.find(']').map_or(0, |close| close + 1)
        } else {
            host_text.find(|c| !is_host(c) && c != '%').unwrap_or(host_text.len())
        };
        let host = host_text.get(..len).unwrap_or_default();
        let followed =
            host_text.get(len..).is_some_and(|more| more.starts_with(':')) || (len == host_text.len() && end < rest.len());
        let blank = rest.get(end..).is_some_and(|more| more.starts_with(char::is_whitespace));
        if !followed || blank {
            len = host.trim_end_matches(|c: char| is_dot(c) || matches!(c, '-' | '_')).len();
        }
        let host = host.get(..len).unwrap_or_default();
        let how = (form, High);
        let cut = if within {
            Some(body)
        } else if plain {
            None
        } else {
            let name = host.trim_end_matches(is_dot);
            // Of several dots behind a name Android takes one at most.
            let alike = host.get(name.len()..).is_none_or(|dots| dots.chars().count() < 2);
            self.cut_short((start, body), alike.then_some(host_from + name.len()), how, prefix)
        };
        if host.is_empty() || !host.contains(|c| is_label(c) && c != '-' || c == '[') {
            return cut.unwrap_or(body);
        }
        let (host_start, host_end) = (body + host_from, body + host_from + len);
        if let Some(cut) = self.glued(host) {
            self.report((start, host_start + cut), how, prefix, self.slice(host_start, host_start + cut));
        }
        if host.ends_with('-') {
            let cut = host_start + host.trim_end_matches('-').len();
            self.report((start, cut), how, prefix, self.slice(host_start, cut));
        }
        let tail = if cut.is_some() { self.tail_but_for_android(host_end) } else { self.tail(host_end, false) };
        if host.starts_with('-') {
            let from = host_end - host.trim_start_matches('-').len();
            self.report((start, tail.trimmed), how, prefix, self.slice(from, tail.trimmed));
        }
        if !self.readings(start, host_start, how, prefix, tail) {
            self.refused(start, (host_start, host_end), how, prefix, tail);
        }
        self.broken(start, host_start, host_end, prefix);
        self.nested(start, host_end, tail.whole());
        if !within {
            self.schemed_until = cut.unwrap_or(host_end);
        }
        cut.unwrap_or(tail.resume.max(host_end))
    }

    /// Whether a scheme is one to Android: it knows its name, which is not glued to a word nor the host of a link before, and a colon and two
    /// slashes stand behind it.
    fn is_of_android(&self, start: usize, slashes: usize, body: usize) -> bool {
        let Some(name) = self.slice(start, slashes).strip_suffix(':') else { return false };
        let slashes = self.slice(slashes, body);
        slashes.len() >= 2
            && slashes.bytes().all(|octet| octet == b'/')
            && OF_ANDROID.iter().any(|known| known.eq_ignore_ascii_case(name))
            && start >= self.schemed_until
            && !ends_in_word(self.slice(0, start))
    }

    /// Where Android ends a link whose authority is at `body`, if that is not where its host ends to a browser, `host_end` behind `body`:
    /// there the scan goes on, and what stands before it is told.
    #[inline(never)]
    fn cut_short(
        &mut self,
        (start, body): (usize, usize),
        host_end: Option<usize>,
        how: (Form, Confidence),
        prefix: &str,
    ) -> Option<usize> {
        let rest = self.slice(body, self.text.len());
        let Some(span) = Span::read(rest) else { return Some(body) };
        if Some(span.host_end) == host_end {
            return None;
        }
        if span.resolves(rest) {
            let told = self.report((start, body + span.end), how, prefix, self.slice(body, body + span.end));
            if !told {
                let host = (body + span.host, body + span.host_end);
                let end = body + span.end;
                self.refused(start, host, how, prefix, Tail::ends(end));
            }
        }
        self.android_until = self.android_until.max(body + span.end);
        Some(body + span.end)
    }

    /// Where a host with a TLD ends inside `host`, and text of another script begins.
    fn glued(&self, host: &str) -> Option<usize> {
        let cut = host.find(|c| !is_latin(c))?;
        let head = host.get(..cut)?;
        let head = head.trim_end_matches(is_dot);
        let (_, label) = head.rsplit_once(is_dot)?;
        (self.tlds.cut(label) == label.len()).then_some(head.len())
    }

    /// A host that a line break or a blank cuts behind a dot: `https://host.⏎com/a`.
    fn broken(&mut self, start: usize, host_start: usize, host_end: usize, prefix: &str) {
        let rest = self.slice(host_end, self.text.len());
        let Some(behind) = rest.strip_prefix(is_dot) else { return };
        let next = behind.trim_start_matches(char::is_whitespace);
        if next.len() == behind.len() || behind.len() - next.len() > 4 {
            return;
        }
        let from = self.text.len() - next.len();
        let run = next.get(..next.find(|c| !is_host(c)).unwrap_or(next.len())).unwrap_or_default();
        if run.split(is_dot).next_back().is_none_or(|label| self.tlds.cut(label) == 0) {
            return;
        }
        self.glue((start, host_start, host_end), from, from + run.len(), prefix, (Form::Spaced, Low));
    }

    /// Reports host, dot and what stands from `from` on as one; the second host part ends at `end`.
    pub(super) fn glue(
        &mut self,
        (start, host_start, host_end): (usize, usize, usize),
        from: usize,
        end: usize,
        prefix: &str,
        how: (Form, Confidence),
    ) -> usize {
        let until = (self.token_until, self.android_until);
        let tail = self.tail(end, false);
        (self.token_until, self.android_until) = until;
        let end = tail.resume.max(end);
        let body = self.slice(from, end);
        let body = body.trim_end_matches(['.', ',', '!', '?', ')', ';', ':', '\'']);
        let host = self.slice(host_start, host_end);
        self.scratch.candidate.clear();
        for part in [prefix, host, ".", body] {
            self.scratch.candidate.push_str(part);
        }
        self.report_candidate((start, from + body.len()), how);
        end
    }

    /// Behind U+202E a reader sees the rest turned round.
    fn reversed(&mut self, start: usize, body: usize, end: usize, prefix: &str) {
        let run = self.slice(body, end);
        self.scratch.candidate.clear();
        self.scratch.candidate.push_str(prefix);
        self.scratch.candidate.extend(run.chars().rev().filter(|c| !super::chars::is_invisible(*c)));
        self.report_candidate((start, end), (Form::Reversed, High));
    }
}
