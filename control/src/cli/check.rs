//! `ztsms check`: whether this kernel, these interfaces and these rights can do what the configuration asks. Changes nothing.

use std::fs;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use dataplane::pin;
use dataplane::xdp::{self, Port};

use super::args::Check;
use super::judge::said;
use super::stand::metrics_of;
use super::{Done, Failure};
use crate::config;
use crate::live::lock::Locks;
use crate::live::{Kind, Plan, files, placement, privileges, wire};
use crate::terminal::shown;

/// What was found, and what to change where it does not do.
type Found = Result<String, String>;

/// Runs the command.
pub(super) fn run(args: &Check) -> Result<Done, Failure> {
    let config = config::load(args.config.as_deref()).map_err(said)?;
    let mut all: Vec<(String, Found)> =
        vec![("rights".into(), rights()), ("kernel".into(), wire::kernel().map_err(|e| e.to_string()))];
    all.push(("bpffs".into(), bpffs()));
    all.push(("cores".into(), cores(&pin::cores())));
    all.push(("huge pages".into(), huge_pages()));
    all.extend(files::wrong(&config).into_iter().map(|wrong| ("files".into(), Err(wrong))));
    let (mut placed, mut interfaces) = (Vec::new(), Vec::new());
    for plan in plans(args, &config) {
        let plan = match plan {
            Ok(plan) => plan,
            Err(error) => {
                all.push(("ports".into(), Err(error.to_string())));
                continue;
            }
        };
        let kind = if plan.kind == Kind::Tap { "links" } else { "pairs" };
        all.push((kind.into(), Ok(format!("pinned as {}", plan.name()))));
        interfaces.extend(plan.interfaces().cloned());
        // Forbids a plain start, and not the one that is meant then.
        all.extend(Locks::are_free(&plan).err().map(|taken| ("filter".into(), Ok(taken.to_string()))));
        let shares = plan.shares();
        match &shares {
            Ok(shares) => {
                let said = |(number, share)| (format!("worker {number}"), Ok(plan.says(share)));
                all.extend((1..).zip(shares).map(said));
            }
            Err(error) => all.push(("workers".into(), Err(error.to_string()))),
        }
        all.extend(wire::of_no_other(&plan).err().map(|error| ("ports".into(), Err(error.to_string()))));
        for (line, ports) in plan.lines.iter().enumerate() {
            let opened: Vec<Port> = ports.iter().filter_map(|name| Port::open(name).ok()).collect();
            if let (Kind::Inline, [a, b]) = (plan.kind, &*opened)
                && a.mtu().ok() != b.mtu().ok()
            {
                let said = xdp::Line::fits(&opened, true).err().map_or_else(String::new, |error| error.to_string());
                all.push(("pair".into(), Err(said)));
            }
            let share = shares.iter().flatten().find(|share| share.lines.contains(&line));
            for name in ports {
                all.push((name.clone(), interface(name)));
                placed.extend(Port::open(name).ok().map(|port| (port, share.and_then(|share| share.core))));
            }
        }
    }
    if let Some(address) = config.admin.metrics {
        all.push(("metrics".into(), metrics(address.0, &interfaces)));
    }
    let mut hints = placement::hints_here(placed.iter().map(|(port, core)| (port, *core)));
    hints.extend(placed.iter().flat_map(|(port, _)| in_the_way(port)));
    let mut stdout = io::stdout().lock();
    for (what, found) in &all {
        let (sign, text) = match found {
            Ok(text) => ("ok", text),
            Err(text) => ("no", text),
        };
        writeln!(stdout, "{sign}  {}: {}", shown(what), shown(text))?;
    }
    for hint in &hints {
        writeln!(stdout, "--  better: {}", shown(hint))?;
    }
    Ok(if all.iter().all(|(_, found)| found.is_ok()) { Done::Well } else { Done::InPart })
}

/// What the command line names, else what the configuration does.
fn plans(args: &Check, config: &config::Config) -> Vec<Result<Plan, xdp::Error>> {
    let none = args.between.is_empty() && args.interface.is_empty();
    let (wire, mut all) = (&config.wire, Vec::new());
    if !args.interface.is_empty() || none && !wire.interface.0.is_empty() {
        all.push(Plan::tap(&args.interface, config));
    }
    if !args.between.is_empty() || none && !wire.between.is_empty() {
        all.push(Plan::inline(&args.between, config));
    }
    all
}

/// Whether a start would have the address, from the filter of these ports if need be.
fn metrics(address: SocketAddr, interfaces: &[String]) -> Found {
    match TcpListener::bind(address) {
        Ok(_) => Ok(address.to_string()),
        Err(_) if metrics_of(interfaces, Some(address)).contains(&address) => {
            Ok(format!("{address}, of the filter that stands here"))
        }
        Err(error) => Err(format!("{address}: {error} ([admin] metrics)")),
    }
}

fn rights() -> Found {
    privileges::suffice().map(|()| privileges::NEEDED.join(", "))
}

fn bpffs() -> Found {
    if xdp::bpffs_is_mounted().map_err(|error| error.to_string())? {
        return Ok("mounted at /sys/fs/bpf".into());
    }
    if Path::new("/sys/fs/bpf").is_dir() {
        return Ok("not mounted; a start mounts it at /sys/fs/bpf".into());
    }
    Err("no /sys/fs/bpf: this kernel was built without BPF".into())
}

fn cores(allowed: &[usize]) -> Found {
    let alone = if allowed.len() < 2 { ": worker and everything else share it" } else { "" };
    Ok(format!("{allowed:?} may be used{alone}"))
}

fn huge_pages() -> Found {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let free = text.lines().find_map(|line| line.strip_prefix("HugePages_Free:")?.trim().parse::<u32>().ok());
    Ok(match free.unwrap_or(0) {
        0 => "none free; ordinary pages do, `sysctl vm.nr_hugepages=64` is better".into(),
        n => format!("{n} free"),
    })
}

fn interface(name: &str) -> Found {
    let port = Port::open(name).map_err(|error| error.to_string())?;
    let mtu = port.mtu().map_err(|error| error.to_string())?;
    let ((receive, transmit), driver) = (port.queues(), port.driver());
    if mtu > xdp::MTU {
        return Err(format!("MTU {mtu} is too large: `ip link set {name} mtu {}`", xdp::MTU));
    }
    if receive > xdp::QUEUES {
        return Err(format!(
            "{receive} receive queues, at most {} can be scanned: `ethtool -L {name} combined {}`",
            xdp::QUEUES,
            xdp::QUEUES
        ));
    }
    if let Some(id) = foreign(name) {
        return Err(format!("has an XDP program of somebody else (id {id}): take it off first"));
    }
    let up = if port.is_running() == Some(true) { "has a carrier" } else { "has no carrier" };
    Ok(format!("driver {driver}, MTU {mtu}, {receive} receive and {transmit} transmit queues, {up}"))
}

/// What else uses a port, and what its driver does to frames before anybody sees them.
fn in_the_way(port: &Port) -> Vec<String> {
    let (name, mut found) = (&port.name, Vec::new());
    let out = Command::new("ip").args(["-j", "addr", "show", "dev", name]).output();
    let all = out.ok().and_then(|out| serde_json::from_slice::<serde_json::Value>(&out.stdout).ok()).unwrap_or_default();
    let text = |value: Option<&serde_json::Value>| value.and_then(|value| value.as_str()).map(str::to_owned);
    for address in all.pointer("/0/addr_info").and_then(|all| all.as_array()).into_iter().flatten() {
        if let Some(local) = text(address.get("local")).filter(|_| text(address.get("scope")).as_deref() != Some("link")) {
            found.push(format!(
                "{name} has the address {local}: a port has none, what is sent to it does not arrive (`ip addr flush dev {name}`)"
            ));
        }
    }
    if let Some(master) = text(all.pointer("/0/master")) {
        found.push(format!("{name} belongs to {master}: nothing else uses a port (`ip link set {name} nomaster`)"));
    }
    let on = port.offloads();
    if !on.is_empty() {
        let off: Vec<String> = on.iter().map(|one| format!("{one} off")).collect();
        found.push(format!(
            "{name} has {} on: tags may be missing and frames joined before the filter sees them (`ethtool -K {name} {}`)",
            on.join(", "),
            off.join(" ")
        ));
    }
    found
}

/// The XDP program on an interface that is not ours, as far as `ip` can tell.
fn foreign(name: &str) -> Option<u64> {
    let out = Command::new("ip").args(["-j", "link", "show", "dev", name]).output().ok()?;
    let all: serde_json::Value = serde_json::from_slice(&out.stdout).ok()?;
    let program = all.get(0)?.get("xdp")?.get("prog")?;
    let ours = program.get("name").and_then(|name| name.as_str()) == Some("ztsms");
    if ours { None } else { program.get("id")?.as_u64() }
}
