//! Other people's readers at the same port, the same frames: AF_PACKET by TPACKET_V3 (libpcap's, in `dumpcap`), and `tshark` with the same
//! fields as the tap's records. Beside them the tap.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::line::{Result, Said, Standing, What, between, frames};

/// CPU time of a process and of those that it started, milliseconds.
fn cpu_ms(id: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let rest = text.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let field = |n: usize| rest.split(' ').nth(n).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    let of_children: u64 = children.split_whitespace().filter_map(|id| id.parse().ok()).map(cpu_ms).sum();
    10 * (field(11) + field(12)) + of_children
}

fn received() -> u64 {
    let out = Command::new("ip").args(["-s", "-j", "link", "show", "a1"]).output();
    let all: Option<serde_json::Value> = out.ok().and_then(|out| serde_json::from_slice(&out.stdout).ok());
    all.and_then(|all| all.pointer("/0/stats64/rx/packets")?.as_u64()).unwrap_or(0)
}

fn reader(program: &str, args: &[&str], seconds: u64, pace: u64) -> Result<()> {
    let line = between(frames(300)?, pace, |_, _| -> Said<String> {
        let child = Command::new(program).args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let child = child.map_err(|error| format!("{program}: {error}"))?;
        thread::sleep(Duration::from_secs(2));
        let before = (cpu_ms(child.id()), received());
        thread::sleep(Duration::from_secs(seconds));
        let (cpu, frames) = (cpu_ms(child.id()) - before.0, received() - before.1);
        let id = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
        id.map(|id| rustix::process::kill_process(id, rustix::process::Signal::INT));
        let out = child.wait_with_output().map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        let last = said.lines().rev().find(|line| line.contains("ropped") || line.contains("captured")).unwrap_or_default();
        Ok(format!("{:8.0}  {:12.0}  {last}", frames as f64 / seconds as f64, cpu as f64 * 1e6 / frames.max(1) as f64))
    })?;
    println!("{program:16}  {line}");
    Ok(())
}

pub(crate) fn run(seconds: u64, pace: u64) -> Result<()> {
    println!("\nreaders of one port, 300 octets, {pace} frames a second offered");
    println!("what              frames/s  CPU ns/frame");
    let tap = between(frames(300)?, pace, |nets, _| -> Said<(u64, u64)> {
        let standing = Standing::new(nets, What::Tap)?;
        thread::sleep(Duration::from_secs(2));
        let lane = || super::rates::cpu_ns(super::rates::LANE);
        let before = (lane(), received());
        thread::sleep(Duration::from_secs(seconds));
        let now = (lane() - before.0, received() - before.1);
        standing.stop();
        Ok(now)
    })?;
    println!("{:16}  {:8.0}  {:12.0}", "tap", tap.1 as f64 / seconds as f64, tap.0 as f64 / tap.1.max(1) as f64);
    reader("dumpcap", &["-q", "-i", "a1", "-w", "/dev/null"], seconds, pace)?;
    let fields = ["-Q", "-i", "a1", "-T", "fields", "-e", "gsm_sms.sms_text", "-e", "gsm_old.imsi", "-e", "sccp.called.digits"];
    reader("tshark", &fields, seconds, pace)
}
