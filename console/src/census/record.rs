//! What the census reads of a redacted `ztsms.sms.v1`.

use serde::Deserialize;

use crate::time;

/// Both kinds of records of a spool have it.
#[derive(Deserialize)]
struct Head {
    schema: String,
}

/// One TPDU with a text.
#[derive(Debug, Deserialize)]
pub(super) struct Sms {
    time: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    pub(super) direction: String,
    imsi: Option<String>,
    address: Option<Address>,
    concat: Option<Concat>,
    parts: u8,
    pub(super) urls: Vec<Url>,
    pub(super) verdict: String,
    content_key: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Address {
    digits: String,
    #[serde(default)]
    ton: u8,
}

#[derive(Debug, Deserialize)]
struct Concat {
    total: u8,
}

/// One reading of a link.
#[derive(Debug, Deserialize)]
pub(super) struct Url {
    pub(super) host: Option<String>,
    pub(super) registrable: Option<String>,
    pub(super) verdict: String,
    pub(super) reason: String,
    confidence: String,
}

impl Url {
    /// Whether it counts for its message: what only binds together acts where it is known to be bad.
    pub(super) fn counts(&self) -> bool {
        self.verdict == "dangerous" || self.confidence != "binding"
    }
}

impl Sms {
    /// `None` for a record of another kind, an error for what is no record.
    pub(super) fn parse(octets: &[u8]) -> Option<Result<Self, ()>> {
        let head: Head = match serde_json::from_slice(octets) {
            Ok(head) => head,
            Err(_) => return Some(Err(())),
        };
        (head.schema == control::record::SMS_SCHEMA).then(|| serde_json::from_slice(octets).map_err(drop))
    }

    /// The last part of a text, or all of it: its links are here.
    pub(super) fn is_whole(&self) -> bool {
        self.concat.as_ref().is_none_or(|concat| self.parts >= concat.total)
    }

    /// No report of a delivery.
    pub(super) fn is_message(&self) -> bool {
        matches!(self.kind.as_str(), "deliver" | "submit")
    }

    pub(super) fn seconds(&self) -> i64 {
        let read = self.time.as_deref().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        read.map_or_else(time::now, jiff::Timestamp::as_second)
    }

    /// The same for copies.
    pub(super) fn key(&self) -> Option<u64> {
        self.content_key.as_deref().and_then(|key| u64::from_str_radix(key.get(..16)?, 16).ok())
    }

    /// Pseudonym of the subscriber that it goes to.
    pub(super) fn recipient(&self) -> Option<&str> {
        self.imsi.as_deref()
    }

    /// The sender where it is a name: type of number 5, TS 23.040 §9.1.2.5.
    pub(super) fn name(&self) -> Option<&str> {
        self.address.as_ref().filter(|address| address.ton == 5).map(|address| address.digits.as_str())
    }

    /// A name, or the pseudonym of a number.
    pub(super) fn sender(&self) -> Option<&str> {
        self.address.as_ref().map(|address| address.digits.as_str())
    }
}
