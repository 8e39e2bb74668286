//! The world that a command judges by: verdicts, policy, suffixes, scanner.

use dataplane::lane::Setup;
use dataplane::scan::{self, Scanner};
use dataplane::suffix::Suffixes;
use dataplane::verdict::{Confidence, Reason, Verdict};
use dataplane::verdicts::{KeyScratch, Table};
use dataplane::world::{LinkSet, Network, World};
use protocols::mtp3;
use std::path::Path;

use super::Failure;
use super::args::Judge;
use crate::config::{self, Config};
use crate::record::Url;
use crate::{build, builtin};

/// What `--verdicts` and `--policy` name, or what is there without them.
pub(super) fn world(judge: &Judge) -> Result<World, Failure> {
    world_and_setup(judge).map(|(world, _)| world)
}

/// The same, and what a lane is set up with.
pub(super) fn world_and_setup(judge: &Judge) -> Result<(World, Setup), Failure> {
    let suffixes = Suffixes::built_in();
    let table = table(judge.verdicts.as_deref(), &suffixes)?;
    let Config { policy, network, joins, .. } = config::load(judge.policy.as_deref()).map_err(said)?;
    let senders = judge.verdicts.as_deref().filter(|path| path.is_dir()).map(build::senders::read).transpose().map_err(said)?;
    let policy = policy.with_protected(&senders.unwrap_or_default());
    let world = World { scanner: Scanner::default(), suffixes, table, policy, network: self::network(&network) };
    Ok((world, joins.setup()))
}

/// The verdict table that `path` names; the built-in set without one.
pub(super) fn table(path: Option<&Path>, suffixes: &Suffixes) -> Result<Table, Failure> {
    match path {
        Some(path) => build::open(path, suffixes).map_err(said),
        None => builtin::table(suffixes).map_err(said),
    }
}

/// An error that says everything itself.
pub(super) fn said(error: impl std::fmt::Display) -> Failure {
    Failure::Said(error.to_string())
}

/// Whose point codes a configuration names.
pub(super) const fn variant(variant: config::Variant) -> mtp3::Variant {
    match variant {
        config::Variant::Itu => mtp3::Variant::Itu,
        config::Variant::Ansi => mtp3::Variant::Ansi,
        config::Variant::China => mtp3::Variant::China,
    }
}

pub(crate) fn network(network: &config::Network) -> Network {
    let link_set = |set: &config::LinkSet| LinkSet { opc: set.opc, dpc: set.dpc, max_sif: usize::from(set.max_sif) };
    let range = |range: &dataplane::policy::ImsiRange| {
        let [first, last] = range.bounds();
        (first.into(), last.into())
    };
    Network {
        variant: variant(network.variant),
        max_sif: usize::from(network.max_sif),
        link_sets: network.link_sets.iter().map(link_set).collect(),
        correlation_ids: network.correlation_ids.iter().map(range).collect(),
        centre_groups: network
            .service_centres
            .iter()
            .map(|group| group.iter().map(|centre| centre.as_str().into()).collect())
            .collect(),
        udp_ports: network.udp_ports.clone(),
        ..Network::default()
    }
}

/// Finds and judges the links of a text that is in no frame: what the lane does for one that is.
pub(super) struct Texts<'w> {
    world: &'w World,
    scan: scan::Scratch,
    keys: KeyScratch,
}

impl<'w> Texts<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        Self { world, scan: scan::Scratch::new(), keys: KeyScratch::default() }
    }

    /// Every link of `text`, and what the text is worth.
    pub(super) fn judge(&mut self, text: &str, sender: &str) -> (Vec<Url>, Verdict) {
        let Self { world, scan, keys } = self;
        let World { table, suffixes, policy, .. } = world;
        let (mut urls, mut worst) = (Vec::new(), Verdict::None);
        world.scanner.find(text, scan, |link| {
            let url = &link.url;
            let (verdict, reason, entry, app) = match link.confidence {
                Confidence::Binding => (Verdict::None, Reason::NoEntry, None, false),
                Confidence::Low => table
                    .judge_exact_dangerous(url, suffixes, keys)
                    .map_or((Verdict::Unknown, Reason::NoEntry, None, false), |j| (j.verdict, j.reason, j.entry, j.app)),
                Confidence::High => {
                    let j = table.judge(url, link.app, sender, suffixes, keys);
                    let reason = if policy.impersonation(sender, url.host) { Reason::Impersonation } else { j.reason };
                    let verdict = if reason == Reason::Impersonation { Verdict::Dangerous } else { j.verdict };
                    (verdict, reason, j.entry, j.app)
                }
            };
            let lent = dataplane::record::Url {
                text: link.as_written,
                start: link.start,
                end: link.end,
                url: url.url,
                host: url.host,
                registrable: suffixes.registrable(url.host).unwrap_or_default(),
                verdict,
                reason,
                entry,
                app,
                confidence: link.confidence,
                found: dataplane::record::Found::Text,
            };
            if link.confidence == Confidence::High || verdict == Verdict::Dangerous {
                worst = worst.max(verdict);
            }
            urls.push(Url::of(&lent, text, world));
        });
        (urls, worst)
    }
}
