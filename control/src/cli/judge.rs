//! The world that a command judges by: verdicts, policy, suffixes, scanner.

use dataplane::lane::Setup;
use dataplane::suffix::Suffixes;
use dataplane::verdicts::Table;
use dataplane::world::{LinkSet, Network, World};
use protocols::mtp3;
use std::path::Path;

use super::Failure;
use super::args::Judge;
use crate::config::{self, Config};
use crate::world;

/// What `--verdicts` and `--policy` name, or what is there without them.
pub(super) fn world(judge: &Judge) -> Result<World, Failure> {
    world_and_setup(judge).map(|(world, _)| world)
}

/// The same, and what a lane is set up with.
pub(super) fn world_and_setup(judge: &Judge) -> Result<(World, Setup), Failure> {
    let Config { policy, network, joins, .. } = config::load(judge.policy.as_deref()).map_err(said)?;
    let world = world::open(judge.verdicts.as_deref(), policy, self::network(&network)).map_err(said)?;
    Ok((world, joins.setup()))
}

/// The verdict table that `path` names; the built-in set without one.
pub(super) fn table(path: Option<&Path>, suffixes: &Suffixes) -> Result<Table, Failure> {
    world::table(path, suffixes).map_err(said)
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
