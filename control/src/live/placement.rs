//! Where workers, cards and interrupts are: what costs time without being wrong, each with what to change.

use std::fs;
use std::path::Path;

use dataplane::xdp::Port;

/// An interface: its name, its receive and transmit queues, the core of its worker.
pub type Card<'a> = (&'a str, (u32, u32), Option<usize>);

/// What is better otherwise, a line each. `cores` is how many this process may use, `root` is where `/sys` and `/proc` are.
pub fn hints(cards: &[Card<'_>], cores: usize, root: &Path) -> Vec<String> {
    let mut workers: Vec<usize> = cards.iter().filter_map(|(.., core)| *core).collect();
    workers.sort_unstable();
    workers.dedup();
    let mut all = Vec::new();
    for (name, queues, core) in cards {
        all.extend(few_transmit_queues(name, *queues));
        all.extend(core.and_then(|core| far_away(name, core, root)));
        // Whosever card it is: any worker stands still meanwhile.
        let interruptible = if cores > 1 { workers.as_slice() } else { &[] };
        all.extend(interruptible.iter().flat_map(|&core| interrupted(name, core, root)));
    }
    all.extend(workers.iter().enumerate().filter_map(|(at, &core)| one_core(core, workers.get(at + 1..)?, root)));
    all
}

/// The same for this machine; each port with the core of its worker.
pub fn hints_here<'p>(ports: impl Iterator<Item = (&'p Port, Option<usize>)>) -> Vec<String> {
    let cards: Vec<Card<'_>> = ports.map(|(port, core)| (port.name.as_str(), port.queues(), core)).collect();
    hints(&cards, dataplane::pin::cores().len(), Path::new("/"))
}

/// Two workers on the two threads of one core share what it can do.
fn one_core(core: usize, others: &[usize], root: &Path) -> Option<String> {
    let path = root.join(format!("sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list"));
    let siblings = fs::read_to_string(path).ok()?;
    let other = numbers(&siblings).find(|sibling| others.contains(sibling))?;
    Some(format!("{core} and {other} are threads of one core and each has a worker: `cores` in [wire], of cores apart"))
}

/// What a queue received leaves by the queue of the same number on the other port, or shares one.
fn few_transmit_queues(name: &str, (receive, transmit): (u32, u32)) -> Option<String> {
    (transmit < receive).then(|| {
        format!("{name} has {receive} receive queues and {transmit} to transmit: `ethtool -L {name} combined {transmit}` makes them equal")
    })
}

/// The numbers of a list like `0-3,8`.
fn numbers(list: &str) -> impl Iterator<Item = usize> + '_ {
    list.trim().split(',').flat_map(|part| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        match (from.parse::<usize>(), to.parse::<usize>()) {
            (Ok(from), Ok(to)) => from..to.saturating_add(1),
            _ => 0..0,
        }
    })
}

/// Card and core at different NUMA nodes: each frame crosses between them.
fn far_away(name: &str, core: usize, root: &Path) -> Option<String> {
    let node: u32 = fs::read_to_string(root.join(format!("sys/class/net/{name}/device/numa_node"))).ok()?.trim().parse().ok()?;
    let near = fs::read_to_string(root.join(format!("sys/devices/system/node/node{node}/cpulist"))).ok()?;
    (!numbers(&near).any(|near| near == core)).then(|| {
        format!(
            "{name} is at NUMA node {node} and the worker's core {core} is not: `core` or `cores` in [wire], of {}",
            near.trim()
        )
    })
}

/// Interrupts of the card on the worker's core: it stands still while they are served.
fn interrupted(name: &str, core: usize, root: &Path) -> Vec<String> {
    let table = fs::read_to_string(root.join("proc/interrupts")).unwrap_or_default();
    let of_port = |line: &&str| {
        let last = line.split_whitespace().last().unwrap_or_default();
        // Drivers write `eth2`, `eth2-TxRx-0`, `mlx5_comp0@pci:…`: only what names the interface can be told.
        last.strip_prefix(name).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    };
    let number = |line: &str| line.split_once(':')?.0.trim().parse::<u32>().ok();
    let on_core = |irq: &u32| {
        let list = ["effective_affinity_list", "smp_affinity_list"]
            .iter()
            .find_map(|file| fs::read_to_string(root.join(format!("proc/irq/{irq}/{file}"))).ok());
        list.is_some_and(|list| numbers(&list).any(|n| n == core))
    };
    let hint = |irq| {
        format!(
            "interrupt {irq} of {name} goes to a worker's core {core}: write another core's number to /proc/irq/{irq}/smp_affinity_list"
        )
    };
    table.lines().filter(of_port).filter_map(number).filter(on_core).map(hint).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hint_says_what_to_change_and_none_is_given_where_all_is_well() {
        let root = std::env::temp_dir().join(format!("ztsms-placement-{}", std::process::id()));
        let file = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        file("sys/class/net/eth2/device/numa_node", "1\n");
        file("sys/devices/system/node/node0/cpulist", "0-3\n");
        file("sys/devices/system/node/node1/cpulist", "4-7,12\n");
        file(
            "proc/interrupts",
            "            CPU0 CPU1\n  45:  7  0  IR-PCI-MSI  eth2-TxRx-0\n  46:  7  0  IR-PCI-MSI  eth20-TxRx-0\n NMI: 0 0\n",
        );
        file("proc/irq/45/effective_affinity_list", "3\n");
        file("proc/irq/46/effective_affinity_list", "3\n");
        let bad = hints(&[("eth2", (4, 1), Some(3))], 8, &root);
        assert_eq!(bad.len(), 3, "{bad:#?}");
        assert!(bad[0].contains("`ethtool -L eth2 combined 1`"), "{bad:#?}");
        assert!(bad[1].contains("NUMA node 1") && bad[1].contains("of 4-7,12"), "{bad:#?}");
        assert!(bad[2].contains("interrupt 45 of eth2") && bad[2].contains("/proc/irq/45/smp_affinity_list"), "{bad:#?}");
        assert_eq!(hints(&[("eth2", (4, 4), Some(12))], 16, &root), Vec::<String>::new());
        // Virtual cards have no node, and a machine of one core has nowhere else to go.
        assert_eq!(hints(&[("veth0", (1, 1), Some(0))], 1, &root), Vec::<String>::new());
        // Of two workers: the interrupt of the one's card on the other's core, and two threads of one core.
        file("sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "3,12\n");
        let bad = hints(&[("eth2", (4, 4), Some(12)), ("veth0", (1, 1), Some(3))], 16, &root);
        assert_eq!(bad.len(), 2, "{bad:#?}");
        assert!(bad[0].contains("interrupt 45 of eth2 goes to a worker's core 3"), "{bad:#?}");
        assert!(bad[1].starts_with("3 and 12 are threads of one core"), "{bad:#?}");
        fs::remove_dir_all(root).unwrap();
    }
}
