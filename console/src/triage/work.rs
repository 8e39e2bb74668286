//! What triage reads of a `ztsms.work.v1`.

use serde::Deserialize;

use crate::time;

/// One message with a link that is not safe.
#[derive(Debug, Deserialize)]
pub(super) struct Work {
    time: Option<String>,
    pub(super) content_key: String,
    /// Who it says it is from; none for a message from a phone.
    pub(super) sender: Option<String>,
    pub(super) sketch: String,
    simhash: Option<String>,
    pub(super) urls: Vec<Url>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Url {
    /// Canonical form.
    pub(super) url: String,
    pub(super) verdict: String,
    pub(super) reason: String,
}

impl Url {
    /// Its host, without a port; none for a link without one.
    pub(super) fn host(&self) -> Option<&str> {
        let (_, rest) = self.url.split_once("://")?;
        let host = rest.split(['/', '?', '#']).next()?;
        let host = if host.starts_with('[') { host.split_inclusive(']').next()? } else { host.split(':').next()? };
        (!host.is_empty()).then_some(host)
    }

    /// Host and path, as a pattern has them.
    pub(super) fn link(&self) -> String {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.trim_end_matches('/').to_owned()
    }
}

impl Work {
    pub(super) fn seconds(&self) -> i64 {
        let read = self.time.as_deref().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        read.map_or_else(time::now, jiff::Timestamp::as_second)
    }

    pub(super) fn simhash(&self) -> Option<u64> {
        self.simhash.as_deref().and_then(|text| u64::from_str_radix(text, 16).ok())
    }

    /// 1 a name, 2 a short code, 4 a number, 8 from a phone.
    pub(super) fn kind(&self) -> i64 {
        match self.sender.as_deref() {
            None => 8,
            Some(sender) if sender.chars().any(char::is_alphabetic) => 1,
            Some(sender) if sender.trim_start_matches('+').len() <= 6 => 2,
            Some(_) => 4,
        }
    }
}
