//! `ztsms.toml`: read with what stands beside it, checked, compiled.
//!
//! The file, then `ztsms.d/*.toml` beside it in order of their names, then the environment (`ZTSMS__SECTION__KEY`). Tables are merged,
//! entries of `[[…]]` are added, any other value replaces the one before. Each file is checked by itself, so that an error has its line.

mod error;
mod file;
pub mod live;
mod origin;
pub mod shares;
mod wire;

pub use error::{ConfigError, Place};
pub use file::{Joins, Limits, Variant};
#[cfg(all(feature = "live", target_os = "linux"))]
pub(crate) use wire::is_interface;
pub use wire::{Fail, Wire};

use crate::plan::Plan;
use dataplane::policy::profiles::{self, Kind, Profile};
use dataplane::policy::{
    Chains, ImsiRange, NeverTouch, Pages, Policy, Preset, Protected, Rule, Spec, redirect::RedirectKey, words,
    words::LanguageSpec,
};
use dataplane::verdicts::regular;
use file::{ActionName, File, Form};
use origin::Origins;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::recipients;

/// The commented default, as `ztsms config` prints it.
pub const DEFAULT: &str = include_str!("config/default.toml");

/// Where a configuration is looked for when none is named.
const DEFAULT_PATH: &str = "ztsms.toml";
const PREFIX: &str = "ZTSMS__";

/// A configuration, checked and compiled.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What is done by verdict, sender, network and recipient.
    pub policy: Policy,
    /// What the network is like.
    pub network: Network,
    /// Limits of the tables that join pieces.
    pub joins: Joins,
    /// For whom decisions are carried out, and what may change.
    pub live: live::Live,
    /// Redacted records.
    pub spool: live::Spool,
    /// What triage and redirects need.
    pub work: live::Work,
    /// Who may ask and command.
    pub admin: live::Admin,
    /// Samples of what was not understood.
    pub unscanned: live::Unscanned,
    /// What the operator says of the network.
    pub plan: live::Plan,
    /// How frames come off the wire.
    pub wire: Wire,
    /// The files that were read, in order.
    pub sources: Vec<PathBuf>,
}

/// What the network is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Which point codes are on the wire.
    pub variant: Variant,
    /// Octets of SIF where no link set says otherwise.
    pub max_sif: u16,
    /// Link sets with a bound of their own.
    pub link_sets: Vec<LinkSet>,
    /// Ranges of correlation ids in place of IMSIs.
    pub correlation_ids: Vec<ImsiRange>,
    /// Service centres that answer for each other.
    pub service_centres: Vec<Vec<String>>,
    /// UDP ports that carry SCTP.
    pub udp_ports: Vec<u16>,
}

impl Default for Network {
    fn default() -> Self {
        Self::from(file::Network::default())
    }
}

/// A link set by the point codes at its ends; one that is left out holds for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkSet {
    /// Originating point code.
    pub opc: Option<u32>,
    /// Destination point code.
    pub dpc: Option<u32>,
    /// Octets of SIF.
    pub max_sif: u16,
}

impl From<file::Network> for Network {
    fn from(file: file::Network) -> Self {
        let link_sets = file.link_sets.iter().map(|set| LinkSet { opc: set.opc, dpc: set.dpc, max_sif: set.max_sif.0 });
        Self {
            link_sets: link_sets.collect(),
            variant: file.variant,
            max_sif: file.max_sif.0,
            correlation_ids: file.correlation_ids.iter().map(|range| range.0).collect(),
            service_centres: file.service_centres,
            udp_ports: file.udp_ports,
        }
    }
}

/// Reads the configuration at `path`; without one `ztsms.toml` in the working directory, if it is there, else what is built in. The
/// environment is applied in any case.
pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
    let here = Path::new(DEFAULT_PATH);
    let path = path.or_else(|| here.exists().then_some(here));
    load_with(path, std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))))
}

/// As [`load`], with the variables given and no default path.
pub fn load_with(path: Option<&Path>, variables: impl IntoIterator<Item = (String, String)>) -> Result<Config, ConfigError> {
    let mut merged = toml::Table::new();
    let sources = path.map(files).transpose()?.unwrap_or_default();
    let mut origins = Origins::default();
    for source in &sources {
        let text = regular::text(source).map_err(|cause| ConfigError::Read { path: source.clone(), cause })?;
        merge(&mut merged, read(source, &text)?);
        origins.files.push((source.clone(), text));
    }
    let mut variables: Vec<_> = variables.into_iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
    variables.sort();
    for (name, value) in &variables {
        merge(&mut merged, variable(name, value)?);
    }
    origins.variables = variables;
    let path = path.unwrap_or(Path::new("built-in configuration"));
    let meaning = |what: String| ConfigError::Meaning { path: path.to_owned(), what };
    let file: File = merged.try_into().map_err(|error: toml::de::Error| meaning(error.message().to_owned()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut file = file;
    if let Some(plan) = &mut file.plan.file {
        *plan = folder.join(&*plan);
        let plan = Plan::read(plan).map_err(|error| meaning(format!("[plan] {error}")))?;
        planned(&mut file, plan);
    }
    let spec = spec(&file, path, &origins)?;
    let policy = Policy::compile(spec.clone()).map_err(|error| origins.of_policy(&spec, &error, meaning))?;
    let policy = with_recipients(policy, &file.recipients, folder).map_err(meaning)?;
    let beside = |path: &mut Option<PathBuf>| {
        if let Some(path) = path {
            *path = folder.join(&*path);
        }
    };
    let File { network, joins, mut live, mut spool, mut work, admin, unscanned, plan, wire, .. } = file;
    [&mut spool.key_file, &mut work.console_key_file, &mut live.verdicts_key_file].into_iter().for_each(beside);
    let (network, joins) = (Network::from(network), Joins::from(joins));
    wire.check(&network.udp_ports).map_err(meaning)?;
    Ok(Config { policy, network, joins, live, spool, work, admin, unscanned, plan, wire, sources })
}

/// What the plan says counts as if it stood in the file.
fn planned(file: &mut File, plan: Plan) {
    let network = &mut file.network;
    network.correlation_ids.extend(plan.correlation_ids.iter().map(|range| file::Imsi(range.range)));
    network.service_centres.extend(plan.groups());
    let sets =
        plan.link_sets.iter().map(|set| file::LinkSetFile { opc: set.opc, dpc: set.dpc, max_sif: file::MaxSif(set.max_sif) });
    network.link_sets.extend(sets);
    file.never_touch.imsi.extend(plan.machine_imsi.iter().map(|range| file::Imsi(range.range)));
    file.plan.loaded = Some(plan);
}

/// The file, and those in `ztsms.d` beside it.
fn files(path: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let folder = path.parent().unwrap_or(Path::new("")).join("ztsms.d");
    let mut beside = Vec::new();
    match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(cause) => return Err(ConfigError::Read { path: folder, cause }),
        Ok(entries) => {
            for entry in entries {
                let path = entry.map_err(|cause| ConfigError::Read { path: folder.clone(), cause })?.path();
                if path.extension().is_some_and(|end| end == "toml") {
                    beside.push(path);
                }
            }
        }
    }
    beside.sort();
    beside.insert(0, path.to_owned());
    Ok(beside)
}

/// One file as a table, checked by itself.
fn read(path: &Path, text: &str) -> Result<toml::Table, ConfigError> {
    let in_file = |error: toml::de::Error| ConfigError::in_file(path, text, &error);
    toml::from_str::<File>(text).map_err(in_file)?;
    toml::from_str(text).map_err(in_file)
}

/// `ZTSMS__POLICY__PRESET=quiet` as a table, checked by itself: the value is TOML, or else a string.
fn variable(name: &str, value: &str) -> Result<toml::Table, ConfigError> {
    let keys: Vec<String> = name.trim_start_matches(PREFIX).split("__").map(str::to_ascii_lowercase).collect();
    let as_toml = toml::from_str::<toml::Table>(&format!("value = {value}")).ok().and_then(|mut table| table.remove("value"));
    let string = toml::Value::String(value.to_owned());
    let nest = |value: toml::Value| {
        keys.iter().rev().fold(value, |inner, key| toml::Value::Table(toml::Table::from_iter([(key.clone(), inner)])))
    };
    let mut complaint = None;
    // A brand of `42` is a string all the same.
    for value in as_toml.into_iter().chain([string]) {
        if let toml::Value::Table(table) = nest(value) {
            match table.clone().try_into::<File>() {
                Ok(_) => return Ok(table),
                Err(error) => complaint = complaint.or(Some(error)),
            }
        }
    }
    Err(ConfigError::in_variable(name, complaint.as_ref().map_or("no key", |error| error.message())))
}

/// Tables are merged, arrays of tables are added, any other value replaces.
fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(into)), toml::Value::Table(from)) => merge(into, from),
            (Some(toml::Value::Array(into)), toml::Value::Array(from)) if from.first().is_some_and(toml::Value::is_table) => {
                into.extend(from)
            }
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn with_recipients(policy: Policy, file: &file::Recipients, folder: &Path) -> Result<Policy, String> {
    let table = file.table.as_ref().map(|path| recipients::read(&folder.join(path), &policy)).transpose();
    let table = table.map_err(|error| error.to_string())?.map(Arc::new);
    let language = file.default_language.as_deref().map(|code| {
        policy
            .language(code)
            .filter(|language| language.0 < profiles::Language::MAX_LANGUAGES)
            .ok_or_else(|| format!("recipients.default_language: no language `{code}`"))
    });
    let language = language.transpose()?;
    let kind = file.default.as_deref().map(|name| {
        Kind::parse(name).ok_or_else(|| format!("recipients.default: `{name}` is not off, observe, warn, quiet or strict"))
    });
    let default = match (kind.transpose()?, language) {
        (None, Some(_)) => return Err("recipients.default_language needs recipients.default".to_owned()),
        (kind, language) => kind.map(|kind| Profile { kind, language }),
    };
    Ok(policy.with_recipients(table, default))
}

fn spec(file: &File, path: &Path, origins: &Origins) -> Result<Spec, ConfigError> {
    let preset = file.policy.preset.0;
    let policy = &file.policy;
    let mt = chains(preset, [&policy.safe, &policy.unknown, &policy.dangerous], None);
    let mo = Chains { observe: mt.observe || !policy.change_mo, ..mt.clone() };
    Ok(Spec {
        mo,
        census: preset == Preset::Learn,
        silence: policy.silence,
        rules: policy.rules.iter().map(|rule| self::rule(rule, &mt)).collect(),
        mt,
        protected: file
            .protected
            .iter()
            .map(|entry| Protected { sender: entry.sender.clone(), domains: entry.domains.clone() })
            .collect(),
        never_touch: NeverTouch {
            senders: file.never_touch.senders.clone(),
            sender_prefixes: file.never_touch.sender_prefixes.clone(),
            imsi: file.never_touch.imsi.iter().map(|range| range.0).collect(),
        },
        brand: file.labels.brand.clone(),
        language: file.labels.language.clone(),
        languages: languages(&file.labels),
        link_hosts: file.labels.link_hosts.clone(),
        likenesses: file.labels.likenesses.clone(),
        pages: file.pages.as_ref().map(|pages| self::pages(pages, path, origins)).transpose()?,
    })
}

fn chains(preset: Preset, own: [&Option<Vec<ActionName>>; 3], observe: Option<bool>) -> Chains {
    let base = preset.chains();
    replaced(base, own, observe)
}

fn replaced(mut base: Chains, own: [&Option<Vec<ActionName>>; 3], observe: Option<bool>) -> Chains {
    for (chain, own) in [&mut base.safe, &mut base.unknown, &mut base.dangerous].into_iter().zip(own) {
        if let Some(own) = own {
            *chain = own.iter().map(|action| action.0).collect();
        }
    }
    base.observe = observe.unwrap_or(base.observe);
    base
}

/// A rule without a preset starts from the policy's own chains.
fn rule(rule: &file::Rule, own: &Chains) -> Rule {
    let base = rule.preset.map_or_else(|| own.clone(), |preset| preset.0.chains());
    let chains = replaced(base, [&rule.safe, &rule.unknown, &rule.dangerous], rule.observe);
    Rule {
        direction: rule.direction.map(|direction| direction.0),
        sender: rule.sender.clone(),
        sender_prefix: rule.sender_prefix.clone(),
        sender_like: rule.sender_like.clone(),
        calling_gt: rule.calling_gt.clone(),
        called_gt: rule.called_gt.clone(),
        opc: rule.opc.clone(),
        dpc: rule.dpc.clone(),
        imsi: rule.imsi.iter().map(|range| range.0).collect(),
        category: rule.category.clone(),
        domain: rule.domain.clone(),
        treat_as: rule.treat_as.map(|verdict| verdict.0),
        language: rule.language.clone(),
        ..Rule::new(&rule.name, chains)
    }
}

/// The languages that ship, changed where the file says so, and those that it adds.
fn languages(labels: &file::Labels) -> Vec<LanguageSpec> {
    let mut all = words::shipped();
    for (code, own) in &labels.languages {
        let at = all.iter().position(|language| &language.code == code).unwrap_or_else(|| {
            // What a new language does not say it says in English.
            let english = words::language("en").unwrap_or_else(|| LanguageSpec {
                code: String::new(),
                verdicts: Default::default(),
                labels: Default::default(),
                notices: Default::default(),
            });
            all.push(LanguageSpec { code: code.clone(), ..english });
            all.len() - 1
        });
        let Some(language) = all.get_mut(at) else { continue };
        if let Some(verdicts) = &own.verdicts {
            language.verdicts = verdicts.clone();
        }
        let LanguageSpec { labels: [safe, unknown, dangerous], notices: [_, notice_unknown, notice_dangerous], .. } = language;
        let forms = [(safe, &own.safe), (unknown, &own.unknown), (dangerous, &own.dangerous)];
        let notices = [(notice_unknown, &own.notice_unknown), (notice_dangerous, &own.notice_dangerous)];
        for (into, from) in forms.into_iter().chain(notices) {
            if let Some(from) = from {
                *into = from.iter().map(|Form(text)| text.clone()).collect();
            }
        }
    }
    all
}

fn pages(pages: &file::Pages, path: &Path, origins: &Origins) -> Result<Pages, ConfigError> {
    let otherwise = |what| ConfigError::Meaning { path: path.to_owned(), what };
    let (Some(host), Some(key_file)) = (&pages.host, &pages.key_file) else {
        let what = "[pages] needs both `host` and `key_file`".to_owned();
        let file = pages.key_file.as_ref().map(|file| file.to_string_lossy());
        let there = pages.host.as_deref().map(|host| ("host", host)).or(file.as_deref().map(|file| ("key_file", file)));
        return Err(match there {
            Some((key, value)) => origins.error(key, value, what, otherwise),
            None => otherwise(what),
        });
    };
    let key = path.parent().unwrap_or(Path::new("")).join(key_file);
    let wrong = |what: &dyn std::fmt::Display| {
        let what = format!("pages.key_file {}: {what}", key.display());
        origins.error("key_file", &key_file.to_string_lossy(), what, otherwise)
    };
    let text = std::fs::read_to_string(&key).map_err(|cause| wrong(&cause))?;
    let key = hexadecimal(text.trim()).ok_or_else(|| wrong(&"a key is 32 hexadecimal digits"))?;
    Ok(Pages { host: host.clone(), key: RedirectKey(key) })
}

fn hexadecimal(text: &str) -> Option<[u8; 16]> {
    // The octets of a `u128` need no table; the length check keeps `+1` and short keys out.
    let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    digits.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(u128::to_be_bytes)
}

#[cfg(test)]
#[path = "config/tests.rs"]
mod tests;
