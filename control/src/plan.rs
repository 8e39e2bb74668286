//! The plan of the network: what no packet says. A file of its own, written by whoever plans the network, checked before it counts.
//!
//! What it does not say is listed by [`Plan::missing`], so that nobody takes silence for an answer.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use dataplane::policy::ImsiRange;
use dataplane::verdicts::regular;
use serde::Deserialize;

/// A plan that can be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plan {
    /// forwardSM that the whole network carries in a day, by the operator's own statistics.
    pub forward_sm_a_day: Option<u64>,
    /// Own short message centres.
    #[serde(rename = "smsc")]
    pub centres: Vec<Node>,
    /// Home routers.
    #[serde(rename = "home_router")]
    pub home_routers: Vec<Node>,
    /// Own MSCs, VLRs, SGSNs, MMEs.
    #[serde(rename = "msc")]
    pub switches: Vec<Node>,
    /// Link sets with what they carry.
    #[serde(rename = "link_set")]
    pub link_sets: Vec<LinkSet>,
    /// Whom messages are exchanged with.
    #[serde(rename = "partner")]
    pub partners: Vec<Partner>,
    /// IMSIs that home routing puts in place of a subscriber's.
    pub correlation_ids: Vec<Range>,
    /// IMSIs of machines: never touched.
    pub machine_imsi: Vec<Range>,
}

/// Nodes of one kind that share a name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// As people call it.
    pub name: String,
    /// Its addresses, E.164 without `+`.
    pub numbers: Vec<String>,
    /// Nodes of one group answer for each other.
    pub group: Option<String>,
}

/// A link set by the point codes at its ends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSet {
    /// As people call it.
    pub name: String,
    /// Originating point code; none: all.
    pub opc: Option<u32>,
    /// Destination point code; none: all.
    pub dpc: Option<u32>,
    /// Octets of SIF that every leg carries.
    pub max_sif: u16,
}

/// A network or aggregator.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partner {
    /// As people call it.
    pub name: String,
    /// Heads of its global titles.
    pub gt_prefixes: Vec<String>,
}

/// A range of IMSIs: one, a head (`20801*`), or first and last.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Range {
    /// As it was written.
    pub text: String,
    /// What it means.
    pub range: ImsiRange,
}

impl TryFrom<String> for Range {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let hint = "an IMSI (up to 15 digits), a head of one (`20801*`) or a range (`208010000000000-208010000999999`)";
        match ImsiRange::parse(&text) {
            Some(range) => Ok(Self { text, range }),
            None => Err(format!("`{text}` is not {hint}")),
        }
    }
}

/// Why a plan is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("{0}: {1}")]
    Read(PathBuf, #[source] std::io::Error),
    /// It is not what a plan is.
    #[error("{0}: {1}")]
    Toml(PathBuf, String),
    /// It contradicts itself: each line one way.
    #[error("{}: {}", .0.display(), .1.join("\n"))]
    Wrong(PathBuf, Vec<String>),
}

/// Fewer octets carry no forwardSM; more no user part.
const SIF: std::ops::RangeInclusive<u16> = 64..=65_000;

impl Plan {
    /// Reads and checks a plan.
    ///
    /// # Errors
    /// All that is wrong with it, at once.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = regular::text(path).map_err(|error| Error::Read(path.to_owned(), error))?;
        let plan: Self = toml::from_str(&text).map_err(|error| Error::Toml(path.to_owned(), error.to_string()))?;
        let wrong = plan.wrong();
        if wrong.is_empty() { Ok(plan) } else { Err(Error::Wrong(path.to_owned(), wrong)) }
    }

    fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut owners: HashMap<&str, String> = HashMap::new();
        let kinds = [("smsc", &self.centres), ("home_router", &self.home_routers), ("msc", &self.switches)];
        for (kind, node) in kinds.into_iter().flat_map(|(kind, nodes)| nodes.iter().map(move |node| (kind, node))) {
            let who = format!("{kind} {:?}", node.name);
            if node.numbers.is_empty() {
                wrong.push(format!("{who} has no numbers"));
            }
            for number in &node.numbers {
                if !is_number(number, 5) {
                    wrong.push(format!("{who}: {number:?} is no number of 5 to 15 digits"));
                }
                if let Some(other) = owners.insert(number, who.clone()) {
                    wrong.push(format!("{number} is {other} and {who}"));
                }
            }
        }
        for set in self.link_sets.iter().filter(|set| !SIF.contains(&set.max_sif)) {
            wrong.push(format!("link_set {:?}: max_sif {} is not from {} to {}", set.name, set.max_sif, SIF.start(), SIF.end()));
        }
        let mut prefixes: HashMap<&str, &str> = HashMap::new();
        for (partner, prefix) in self.partners.iter().flat_map(|p| p.gt_prefixes.iter().map(move |prefix| (&p.name, prefix))) {
            if !is_number(prefix, 1) {
                wrong.push(format!("partner {partner:?}: {prefix:?} is no head of a global title"));
            }
            if let Some(other) = prefixes.insert(prefix, partner) {
                wrong.push(format!("global titles {prefix}… are partner {other:?} and partner {partner:?}"));
            }
        }
        for (a, b) in self.correlation_ids.iter().flat_map(|a| self.machine_imsi.iter().map(move |b| (a, b))) {
            let ([a0, a1], [b0, b1]) = (a.range.bounds(), b.range.bounds());
            if a0 <= b1 && b0 <= a1 {
                wrong.push(format!("{} is a correlation id and {} a machine: they overlap", a.text, b.text));
            }
        }
        wrong
    }

    /// Service centres by group: which answer for each other.
    pub fn groups(&self) -> Vec<Vec<String>> {
        let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
        for node in &self.centres {
            // A centre of several numbers is a group by itself.
            let name = node.group.as_deref().unwrap_or(&node.name);
            match groups.iter_mut().find(|(known, _)| *known == name) {
                Some((_, members)) => members.extend(node.numbers.iter().cloned()),
                None => groups.push((name, node.numbers.clone())),
            }
        }
        groups.into_iter().map(|(_, members)| members).filter(|members| members.len() > 1).collect()
    }

    /// What the plan does not say, and what is not known therefore.
    pub fn missing(&self) -> Vec<&'static str> {
        let said = [
            self.forward_sm_a_day.is_some(),
            !self.centres.is_empty(),
            !self.home_routers.is_empty() || !self.correlation_ids.is_empty(),
            !self.switches.is_empty(),
            !self.link_sets.is_empty(),
            !self.partners.is_empty(),
            !self.machine_imsi.is_empty(),
        ];
        Self::all_missing().into_iter().zip(said).filter(|(_, said)| !said).map(|(what, _)| what).collect()
    }

    /// What is not known without any plan.
    pub fn all_missing() -> Vec<&'static str> {
        vec![
            "forward_sm_a_day: the covered share is not known",
            "smsc: own centres are not told from others; parts of one text from two centres are not joined",
            "home_router, correlation_ids: an IMSI put in by home routing is taken for a subscriber's",
            "msc: own switches are not told from others",
            "link_set: one max_sif holds for every link set",
            "partner: whom a message came from is not named",
            "machine_imsi: machines are treated as people",
        ]
    }
}

fn is_number(digits: &str, least: usize) -> bool {
    (least..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(n) = self.forward_sm_a_day {
            writeln!(f, "forwardSM a day: {n}")?;
        }
        for (kind, nodes) in [("smsc", &self.centres), ("home router", &self.home_routers), ("msc", &self.switches)] {
            for Node { name, numbers, group } in nodes {
                let group = group.as_ref().map(|group| format!(" in group {group}")).unwrap_or_default();
                writeln!(f, "{kind} {name}{group}: {}", numbers.join(", "))?;
            }
        }
        for LinkSet { name, opc, dpc, max_sif } in &self.link_sets {
            let code = |code: &Option<u32>| code.map_or_else(|| "any".to_owned(), |code| code.to_string());
            writeln!(f, "link set {name}: {} to {}, {max_sif} octets of SIF", code(opc), code(dpc))?;
        }
        self.partners.iter().try_for_each(|p| writeln!(f, "partner {}: {}", p.name, p.gt_prefixes.join(", ")))?;
        for (what, ranges) in [("correlation ids", &self.correlation_ids), ("machines", &self.machine_imsi)] {
            ranges.iter().try_for_each(|range| writeln!(f, "{what}: {}", range.text))?;
        }
        self.missing().into_iter().try_for_each(|what| writeln!(f, "not said: {what}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Plan, Error> {
        let path = std::env::temp_dir().join(format!(
            "ztsms-plan-{}-{:x}",
            std::process::id(),
            xxhash_rust::xxh3::xxh3_64(text.as_bytes())
        ));
        std::fs::write(&path, text).unwrap();
        let plan = Plan::read(&path);
        std::fs::remove_file(&path).unwrap();
        plan
    }

    #[test]
    fn a_plan_says_what_it_knows_and_what_it_does_not() {
        let plan = read(
            "forward_sm_a_day = 1000\ncorrelation_ids = [\"20801999*\"]\n[[smsc]]\nname = \"paris\"\nnumbers = [\"33600000001\"]\ngroup = \"fr\"\n\
             [[smsc]]\nname = \"lyon\"\nnumbers = [\"33600000002\"]\ngroup = \"fr\"\n[[link_set]]\nname = \"a\"\nopc = 1\nmax_sif = 4095\n",
        )
        .unwrap();
        assert_eq!(plan.groups(), [["33600000001", "33600000002"]]);
        assert_eq!(plan.missing().len(), 3);
        assert!(plan.to_string().contains("link set a: 1 to any, 4095 octets"), "{plan}");
        assert_eq!(Plan::default().missing(), Plan::all_missing());
    }

    #[test]
    fn a_plan_that_contradicts_itself_is_refused_with_everything_that_is_wrong() {
        let error = read(
            "machine_imsi = [\"20801*\"]\ncorrelation_ids = [\"20801999*\"]\n[[smsc]]\nname = \"a\"\nnumbers = [\"33600000001\", \"12\"]\n\
             [[msc]]\nname = \"b\"\nnumbers = [\"33600000001\"]\n[[link_set]]\nname = \"l\"\nmax_sif = 9\n\
             [[partner]]\nname = \"p\"\ngt_prefixes = [\"44\"]\n[[partner]]\nname = \"q\"\ngt_prefixes = [\"44\"]\n",
        )
        .unwrap_err();
        let Error::Wrong(_, wrong) = error else { panic!("{error}") };
        assert_eq!(wrong.len(), 5, "{wrong:#?}");
        assert!(matches!(read("surprise = 1\n"), Err(Error::Toml(..))));
    }
}
