//! The file as it is written: every key, none beside them, and values that are what they say.

use super::live;
use dataplane::join::table;
use dataplane::lane::Setup;
use dataplane::policy::{Action, Direction, ImsiRange, Preset, check_template};
use dataplane::verdict::Verdict;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::wire::Wire;

/// `ztsms.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) policy: PolicySection,
    pub(super) labels: Labels,
    pub(super) protected: Vec<Protected>,
    pub(super) never_touch: NeverTouch,
    pub(super) pages: Option<Pages>,
    pub(super) recipients: Recipients,
    pub(super) network: Network,
    pub(super) joins: JoinsFile,
    pub(super) live: live::Live,
    pub(super) spool: live::Spool,
    pub(super) work: live::Work,
    pub(super) admin: live::Admin,
    pub(super) unscanned: live::Unscanned,
    pub(super) plan: live::Plan,
    pub(super) wire: Wire,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PolicySection {
    pub(super) preset: PresetName,
    pub(super) safe: Option<Vec<ActionName>>,
    pub(super) unknown: Option<Vec<ActionName>>,
    pub(super) dangerous: Option<Vec<ActionName>>,
    pub(super) change_mo: bool,
    pub(super) silence: bool,
    pub(super) rules: Vec<Rule>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) direction: Option<DirectionName>,
    #[serde(default)]
    pub(super) sender: Vec<String>,
    #[serde(default)]
    pub(super) sender_prefix: Vec<String>,
    #[serde(default)]
    pub(super) sender_like: Vec<String>,
    #[serde(default)]
    pub(super) calling_gt: Vec<String>,
    #[serde(default)]
    pub(super) called_gt: Vec<String>,
    #[serde(default)]
    pub(super) opc: Vec<u32>,
    #[serde(default)]
    pub(super) dpc: Vec<u32>,
    #[serde(default)]
    pub(super) imsi: Vec<Imsi>,
    #[serde(default)]
    pub(super) category: Vec<String>,
    #[serde(default)]
    pub(super) domain: Vec<String>,
    pub(super) treat_as: Option<VerdictName>,
    pub(super) language: Option<String>,
    pub(super) preset: Option<PresetName>,
    pub(super) safe: Option<Vec<ActionName>>,
    pub(super) unknown: Option<Vec<ActionName>>,
    pub(super) dangerous: Option<Vec<ActionName>>,
    pub(super) observe: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Labels {
    pub(super) brand: String,
    pub(super) language: String,
    pub(super) link_hosts: Vec<String>,
    pub(super) likenesses: Vec<String>,
    pub(super) languages: BTreeMap<String, Language>,
}

impl Default for Labels {
    fn default() -> Self {
        let language = "en".to_owned();
        Self { brand: String::new(), language, link_hosts: Vec::new(), likenesses: Vec::new(), languages: BTreeMap::new() }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Language {
    pub(super) verdicts: Option<[String; 3]>,
    pub(super) safe: Option<Vec<Form>>,
    pub(super) unknown: Option<Vec<Form>>,
    pub(super) dangerous: Option<Vec<Form>>,
    pub(super) notice_unknown: Option<Vec<Form>>,
    pub(super) notice_dangerous: Option<Vec<Form>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Protected {
    pub(super) sender: String,
    pub(super) domains: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NeverTouch {
    pub(super) senders: Vec<String>,
    pub(super) sender_prefixes: Vec<String>,
    pub(super) imsi: Vec<Imsi>,
}

/// Each may come from another file: whether both are there is seen in the end.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Pages {
    pub(super) host: Option<String>,
    pub(super) key_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Recipients {
    pub(super) table: Option<PathBuf>,
    pub(super) default: Option<String>,
    pub(super) default_language: Option<String>,
}

/// Which point codes are on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// 14-bit point codes, ITU SCCP.
    #[default]
    Itu,
    /// 24-bit point codes, ANSI SCCP.
    Ansi,
    /// 24-bit point codes, ITU SCCP.
    China,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Network {
    pub(super) variant: Variant,
    pub(super) max_sif: MaxSif,
    pub(super) link_sets: Vec<LinkSetFile>,
    pub(super) correlation_ids: Vec<Imsi>,
    pub(super) service_centres: Vec<Vec<String>>,
    pub(super) udp_ports: Vec<u16>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            variant: Variant::Itu,
            max_sif: MaxSif(272),
            link_sets: Vec::new(),
            correlation_ids: Vec::new(),
            service_centres: Vec::new(),
            udp_ports: vec![9899],
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkSetFile {
    pub(super) opc: Option<u32>,
    pub(super) dpc: Option<u32>,
    pub(super) max_sif: MaxSif,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct JoinsFile {
    ip: LimitsFile,
    sctp: LimitsFile,
    sccp: LimitsFile,
    parts: LimitsFile,
    dialogues: LimitsFile,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsFile {
    entries: Option<AtMost<{ 1 << 24 }>>,
    octets: Option<AtMost<{ 4 << 30 }>>,
    seconds: Option<u32>,
}

/// A number of which all is taken at the start.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u64")]
struct AtMost<const MOST: u64>(usize);

impl<const MOST: u64> TryFrom<u64> for AtMost<MOST> {
    type Error = String;
    fn try_from(number: u64) -> Result<Self, String> {
        let all = usize::try_from(number).ok().filter(|_| (1..=MOST).contains(&number));
        all.map(Self).ok_or_else(|| format!("{number} is not 1 to {MOST}: all of it is taken at the start"))
    }
}

impl LimitsFile {
    fn over(self, default: Limits) -> Limits {
        Limits {
            entries: self.entries.map_or(default.entries, |entries| entries.0),
            octets: self.octets.map_or(default.octets, |octets| octets.0),
            seconds: self.seconds.unwrap_or(default.seconds),
        }
    }
}

impl From<JoinsFile> for Joins {
    fn from(file: JoinsFile) -> Self {
        let default = Self::default();
        Self {
            ip: file.ip.over(default.ip),
            sctp: file.sctp.over(default.sctp),
            sccp: file.sccp.over(default.sccp),
            parts: file.parts.over(default.parts),
            dialogues: file.dialogues.over(default.dialogues),
        }
    }
}

/// Limits of the tables that join pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joins {
    /// IP fragments.
    pub ip: Limits,
    /// Pieces of an SCTP user message.
    pub sctp: Limits,
    /// SCCP segments.
    pub sccp: Limits,
    /// Parts of a text.
    pub parts: Limits,
    /// Open dialogues.
    pub dialogues: Limits,
}

impl Joins {
    /// What a lane is set up with.
    pub fn setup(&self) -> Setup {
        let limits = |limits: Limits| table::Limits {
            entries: limits.entries,
            octets: limits.octets,
            age_ns: u64::from(limits.seconds) * 1_000_000_000,
        };
        Setup {
            fragments: limits(self.ip),
            chunks: limits(self.sctp),
            segments: limits(self.sccp),
            parts: limits(self.parts),
            dialogues: limits(self.dialogues),
            ..Setup::default()
        }
    }
}

impl Default for Joins {
    fn default() -> Self {
        let limits = |entries, octets, seconds| Limits { entries, octets, seconds };
        Self {
            ip: limits(4096, 8 << 20, 30),
            sctp: limits(4096, 16 << 20, 30),
            sccp: limits(4096, 8 << 20, 20),
            parts: limits(65_536, 32 << 20, 86_400),
            dialogues: limits(65_536, 8 << 20, 60),
        }
    }
}

/// How much one table may hold, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries.
    pub entries: usize,
    /// Octets of what the entries hold.
    pub octets: usize,
    /// Seconds of capture time.
    pub seconds: u32,
}

/// A name out of a list: an error shows the list.
macro_rules! named {
    ($name:ident, $of:ty, $default:expr, $expected:literal, $parse:expr) => {
        #[derive(Clone, Copy, Debug, Deserialize)]
        #[serde(try_from = "String")]
        pub(super) struct $name(pub(super) $of);

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                let parse: fn(&str) -> Option<$of> = $parse;
                parse(&text).map(Self).ok_or_else(|| format!(concat!("`{}` is not ", $expected), text))
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }
    };
}

named!(PresetName, Preset, Preset::Warn, "a preset: they are `learn`, `warn`, `quiet`, `strict`, `observe`", Preset::parse);
named!(
    ActionName,
    Action,
    Action::Pass,
    "an action: they are `pass`, `label`, `replace`, `redirect`, `deaden`, `silence`, `reject`, `notify`",
    Action::parse
);
named!(DirectionName, Direction, Direction::Mt, "a direction: they are `mt`, `mo`", |text| match text {
    "mt" => Some(Direction::Mt),
    "mo" => Some(Direction::Mo),
    _ => None,
});
named!(VerdictName, Verdict, Verdict::Unknown, "what a message may be treated as: `unknown`, `dangerous`", |text| match text {
    "unknown" => Some(Verdict::Unknown),
    "dangerous" => Some(Verdict::Dangerous),
    _ => None,
});

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Imsi(pub(super) ImsiRange);

impl TryFrom<String> for Imsi {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let hint = "an IMSI (up to 15 digits), a head of one (`20801*`) or a range (`208010000000000-208010000999999`)";
        ImsiRange::parse(&text).map(Self).ok_or_else(|| format!("`{text}` is not {hint}"))
    }
}

/// A template, read once here so that an error has its line.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Form(pub(super) String);

impl TryFrom<String> for Form {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        check_template(&text).map(|()| Self(text)).map_err(|error| error.to_string())
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct MaxSif(pub(super) u16);

impl TryFrom<i64> for MaxSif {
    type Error = String;
    fn try_from(octets: i64) -> Result<Self, String> {
        // A UDT with the shortest forwardSM does not fit below; M3UA's length is what a user part can be at most.
        let hint = "is not a number of octets from 64 to 65000 (272 where a leg behind is MTP2)";
        u16::try_from(octets)
            .ok()
            .filter(|octets| (64..=65_000).contains(octets))
            .map(Self)
            .ok_or_else(|| format!("{octets} {hint}"))
    }
}
