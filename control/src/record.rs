//! One short message as `ztsms.sms.v1` shows it, owned: what is kept of a [`dataplane::record::Sms`] when the frame is gone.
//!
//! The fields stand in the order of the JSON object, see `docs/schema/ztsms.sms.v1.json`.

mod from_sms;
mod redact;

use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;

pub use from_sms::Beside;
pub use redact::Redactor;

use crate::record_json as json;

/// The name and version of the record.
pub const SMS_SCHEMA: &str = "ztsms.sms.v1";

/// The name and version of what `ztsms scan` prints.
pub const SCAN_SCHEMA: &str = "ztsms.scan.v1";

/// One short message.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// [`SMS_SCHEMA`].
    pub schema: &'static str,
    /// Nanoseconds since 1970, UTC; `None` where the capture has no times.
    #[serde(serialize_with = "json::time")]
    pub time: Option<u64>,
    /// The capture, as it was named.
    #[serde(serialize_with = "json::shared")]
    pub file: Arc<str>,
    /// Frame, from 1.
    pub frame: u64,
    /// Chunk, from 0.
    pub chunk: u32,
    /// `m3ua` and so on.
    pub transport: &'static str,
    /// Network indicator.
    pub ni: Option<u8>,
    /// Originating point code.
    pub opc: Option<u32>,
    /// Destination point code.
    pub dpc: Option<u32>,
    /// Signalling link selection.
    pub sls: Option<u8>,
    /// Source and destination.
    #[serde(serialize_with = "json::association")]
    pub assoc: Option<[(IpAddr, u16); 2]>,
    /// TSN of the chunk.
    pub tsn: Option<u32>,
    /// SCCP called party.
    pub called: Party,
    /// SCCP calling party.
    pub calling: Party,
    /// Originating transaction, hexadecimal.
    pub otid: Option<String>,
    /// Destination transaction, hexadecimal.
    pub dtid: Option<String>,
    /// Invoke id.
    pub invoke_id: i64,
    /// Name of the operation.
    pub operation: &'static str,
    /// MAP version, where something tells.
    pub map_version: Option<u8>,
    /// IMSI.
    pub imsi: Option<String>,
    /// MSISDN: the originator's; in a replay of a message to a phone that of the SRI-SM before it, which a live filter does not join.
    pub msisdn: Option<String>,
    /// Service centre.
    pub service_centre: Option<String>,
    /// `deliver`, `submit` and so on.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// `mt` or `mo`.
    pub direction: &'static str,
    /// TP-OA or TP-DA.
    pub address: Option<TpAddress>,
    /// TP-PID.
    pub pid: u8,
    /// TP-DCS.
    pub dcs: u8,
    /// TP-SCTS, with its zone.
    pub scts: Option<String>,
    /// `gsm7`, `8bit`, `ucs2`.
    pub alphabet: Option<&'static str>,
    /// National language of the shift tables.
    pub language: Option<&'static str>,
    /// Which part of which text.
    pub concat: Option<Concat>,
    /// The text, whole on the last part to arrive.
    pub text: Option<String>,
    /// The text of this TPDU.
    pub part_text: Option<String>,
    /// Parts seen.
    pub parts: u8,
    /// Every link, and every reading of it.
    pub urls: Vec<Url>,
    /// The worst of them.
    pub verdict: &'static str,
    /// What was done.
    pub action: String,
    /// Why.
    pub why: String,
    /// The text that goes on in place of `part_text`.
    pub rewritten: Option<String>,
    /// Oddities and what could not be decoded.
    pub problems: Vec<&'static str>,
    /// Of a live filter: the same for copies of one message (change-over, mirrors, retries), under the filter's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_key: Option<String>,
}

/// An SCCP address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Party {
    /// Digits of the global title.
    pub gt: Option<String>,
    /// Subsystem number.
    pub ssn: Option<u8>,
    /// Point code.
    pub pc: Option<u32>,
    /// Translation type.
    pub tt: Option<u8>,
    /// Numbering plan.
    pub np: Option<u8>,
    /// Nature of address.
    pub nai: Option<u8>,
}

/// TP-OA or TP-DA.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TpAddress {
    /// Digits, or the name that stands in their place.
    pub digits: String,
    /// Type of number.
    pub ton: u8,
    /// Numbering plan.
    pub npi: u8,
}

/// Which part of which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Concat {
    /// Reference.
    #[serde(rename = "ref")]
    pub reference: u16,
    /// Parts in all.
    pub total: u8,
    /// This part, from 1.
    pub seq: u8,
}

/// One link, or one reading of it, with its verdict: owned, or lent (`Url<&str>`) where it is written at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Url<S = String> {
    /// As written; `None` when redacted.
    pub text: Option<S>,
    /// First code point in `text` of the message; `None` where the link stands elsewhere, see `found`.
    pub start: Option<usize>,
    /// The code point behind it.
    pub end: Option<usize>,
    /// Canonical form.
    pub url: S,
    /// Canonical host; `None` for a link without one.
    pub host: Option<S>,
    /// Registrable domain.
    pub registrable: Option<S>,
    /// What it is worth.
    pub verdict: &'static str,
    /// Why.
    pub reason: &'static str,
    /// Pattern of the entry that said so.
    pub entry: Option<S>,
    /// The list it came from.
    pub source: Option<S>,
    /// Its category.
    pub category: Option<S>,
    /// `high`, `low` or `binding`.
    pub confidence: &'static str,
    /// `text`, `sender`, `push` or `copy`.
    pub found: &'static str,
}

/// What `ztsms scan` says of one text.
#[derive(Clone, Debug, Serialize)]
pub struct Scanned {
    /// [`SCAN_SCHEMA`].
    pub schema: &'static str,
    /// The text.
    pub text: String,
    /// Every link.
    pub urls: Vec<Url>,
    /// The worst of them; `unknown` at least where the text imitates a label.
    pub verdict: &'static str,
    /// Why, where the text itself has a say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}
