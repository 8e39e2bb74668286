//! Live operation: what only the root-owned configuration may say. The sections `live`, `spool`, `work`, `admin`, `unscanned`, `plan`.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// `[live]`: for whom decisions are carried out.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Live {
    /// Nothing is changed on a live network until this is true.
    pub enforce: bool,
    /// Share of recipients, per cent, by keyed hash.
    pub stage_percent: Percent,
    /// Recipients that are in whatever the share: `imsi:DIGITS` or `msisdn:DIGITS`.
    pub recipients: Vec<Recipient>,
    /// What returns an entry, then all, to observe.
    pub breaker: Breaker,
    /// What the verdict directory may change.
    pub limits: ChangeLimits,
    /// The verdict directory; none: everything is `unknown`.
    pub verdicts: Option<PathBuf>,
    /// The console's public key: what it did not sign in the verdict directory is refused. None: nothing is asked for.
    pub verdicts_key_file: Option<PathBuf>,
    /// How often the verdict directory is looked at.
    pub follow_ms: u64,
    /// The name of this filter in records and metrics.
    pub name: String,
    /// Where keys and what must outlive the process are kept.
    pub state_dir: PathBuf,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            enforce: false,
            stage_percent: Percent(100.0),
            recipients: Vec::new(),
            breaker: Breaker::default(),
            limits: ChangeLimits::default(),
            verdicts: None,
            verdicts_key_file: None,
            follow_ms: 10,
            name: "ztsms".to_owned(),
            state_dir: "/var/lib/ztsms".into(),
        }
    }
}

/// `[live.breaker]`: shares of the messages of the last 60 seconds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Breaker {
    /// Rewritten messages beyond which everything returns to observe.
    pub rewritten_percent: Percent,
    /// Messages rewritten for one domain beyond which that domain returns to observe.
    pub domain_percent: Percent,
    /// Messages below which no share is judged.
    pub minimum: u64,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { rewritten_percent: Percent(40.0), domain_percent: Percent(10.0), minimum: 500 }
    }
}

/// `[live.limits]`: the largest change that is taken from the verdict directory without a person.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeLimits {
    /// Entries that one snapshot may add, remove or change; 0: no limit.
    pub snapshot_entries: u64,
    /// Decisions that the overlay may bring within a minute; 0: no limit.
    pub overlay_a_minute: u64,
}

impl Default for ChangeLimits {
    fn default() -> Self {
        Self { snapshot_entries: 500_000, overlay_a_minute: 1_000 }
    }
}

/// `[spool]`: redacted records.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Spool {
    /// The directory; none: no records are kept.
    pub dir: Option<PathBuf>,
    /// Size of a segment.
    pub segment_mib: u64,
    /// Age of a segment.
    pub segment_minutes: u64,
    /// Size of all.
    pub total_mib: u64,
    /// Days that a segment is kept.
    pub keep_days: u64,
    /// Size of a block before compression.
    pub block_kib: usize,
    /// Age of a block.
    pub flush_ms: u64,
    /// Key of the pseudonyms; made in the state directory where none is named.
    pub key_file: Option<PathBuf>,
}

impl Default for Spool {
    fn default() -> Self {
        Self {
            dir: None,
            segment_mib: 64,
            segment_minutes: 60,
            total_mib: 8192,
            keep_days: 14,
            block_kib: 64,
            flush_ms: 500,
            key_file: None,
        }
    }
}

/// `[work]`: what triage and redirects need, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Work {
    /// The directory; none: nothing is kept, and nothing can be redirected.
    pub dir: Option<PathBuf>,
    /// The console's public key: 64 hexadecimal digits in a file.
    pub console_key_file: Option<PathBuf>,
    /// Hours that a segment is kept.
    pub keep_hours: u64,
    /// Size of all.
    pub total_mib: u64,
}

impl Default for Work {
    fn default() -> Self {
        Self { dir: None, console_key_file: None, keep_hours: 6, total_mib: 1024 }
    }
}

/// `[admin]`: who may ask and command.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// The socket of `ztsms status` and `inline --pass`, mode 0660.
    pub socket: PathBuf,
    /// Where Prometheus may ask; loopback only. None: nowhere.
    pub metrics: Option<Loopback>,
}

impl Default for Admin {
    fn default() -> Self {
        Self { socket: "/run/ztsms/ztsms.sock".into(), metrics: None }
    }
}

/// `[unscanned]`: samples of what was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Unscanned {
    /// The pcapng; none: nothing is kept.
    pub file: Option<PathBuf>,
    /// Its greatest size; it is begun anew then, the one before kept beside it.
    pub total_mib: u64,
    /// Frames a second.
    pub a_second: u32,
}

impl Default for Unscanned {
    fn default() -> Self {
        Self { file: None, total_mib: 16, a_second: 10 }
    }
}

/// `[plan]`: what the operator says of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// The plan, see `ztsms plan`.
    pub file: Option<PathBuf>,
    /// What it says.
    #[serde(skip)]
    pub loaded: Option<crate::plan::Plan>,
}

/// A share in per cent, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Deserialize)]
#[serde(try_from = "f64")]
pub struct Percent(f64);

impl Percent {
    /// In hundredths of a per cent.
    pub fn hundredths(self) -> u16 {
        // Checked to lie in 0 to 100: 10 000 at most.
        (self.0 * 100.0).round() as u16
    }

    /// As a fraction of one.
    pub fn fraction(self) -> f64 {
        self.0 / 100.0
    }
}

impl TryFrom<f64> for Percent {
    type Error = String;
    fn try_from(value: f64) -> Result<Self, String> {
        (0.0..=100.0).contains(&value).then_some(Self(value)).ok_or_else(|| format!("{value} is no share: 0 to 100 per cent"))
    }
}

/// A recipient by number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Recipient {
    /// By IMSI.
    Imsi(String),
    /// By MSISDN.
    Msisdn(String),
}

impl TryFrom<String> for Recipient {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let number = |digits: &str| {
            let fine = (5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
            fine.then(|| digits.to_owned()).ok_or_else(|| format!("{digits:?} is no number of 5 to 15 digits"))
        };
        match text.split_once(':') {
            Some(("imsi", digits)) => number(digits).map(Self::Imsi),
            Some(("msisdn", digits)) => number(digits.trim_start_matches('+')).map(Self::Msisdn),
            _ => Err(format!("{text:?} is neither imsi:DIGITS nor msisdn:DIGITS")),
        }
    }
}

/// An address that only this host reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Loopback(pub SocketAddr);

impl TryFrom<String> for Loopback {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let address: SocketAddr = text.parse().map_err(|_| format!("{text:?} is no address like 127.0.0.1:9463"))?;
        address
            .ip()
            .is_loopback()
            .then_some(Self(address))
            .ok_or_else(|| format!("{text}: metrics are for loopback addresses only"))
    }
}
