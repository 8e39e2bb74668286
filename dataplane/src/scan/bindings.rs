//! Origin-bound one-time codes: the last line `@host #code`. A binding of the code to a site, not a link.
//!
//! Source: WICG "Origin-bound one-time codes delivered via SMS", §2.

use super::chars::{is_dot, is_host};
use super::{Finder, Form, Link};
use crate::verdict::Confidence::Binding;

impl<F: FnMut(&Link<'_>)> Finder<'_, '_, F> {
    /// Reports the hosts of a binding in the last line; gives the end of what is left to scan.
    pub(super) fn binding(&mut self) -> usize {
        let whole = self.text.len();
        let text = self.text.trim_end();
        let line_from = text.rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let line = self.slice(line_from, text.len());
        let hash = line.split(' ').nth(1).is_some_and(|word| word.len() > 1 && word.starts_with('#'));
        if !line.starts_with('@') || !hash {
            return whole;
        }
        let (mut at, mut rest) = (line_from, line_from);
        for word in line.split(' ') {
            if let Some(host) = word.strip_prefix('@')
                && host.contains('.')
                && host.chars().all(is_host)
            {
                self.report((at, at + word.len()), (Form::Binding, Binding), "https://", host);
            }
            // A code holds no link; what else stands there may.
            let code = word.strip_prefix('#').is_some_and(|code| !code.contains(|c| is_dot(c) || matches!(c, ':' | '%' | ',')));
            if !code && !word.strip_prefix('@').is_some_and(|host| host.chars().all(is_host)) {
                rest = whole;
            }
            at += word.len() + 1;
        }
        rest
    }
}
