//! The filter on a wire, in network namespaces that each test makes and removes: what passes, what is changed, and what happens when it
//! dies, hangs, is replaced or refuses to start. Needs root; in CI that is an error, elsewhere a line.

#![cfg(all(feature = "live", target_os = "linux"))]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic; outside of #[test] functions clippy does not see that this is one"
)]

mod bare;
#[path = "../common/mod.rs"]
mod common;
mod flow;
mod frames;
mod guests;
mod kernel;
mod misuse;
mod mtu;
mod outages;
mod pins;
mod relay;
mod repeats;
mod service;
mod soak;
mod standing;
mod takeover;
mod told;
mod trouble;
mod workers;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use control::live::lab::Nets;
use dataplane::xdp::{CAUSES, Cause, Kernel, Raw};

/// A core is what two namespaces and a filter need for themselves.
static ONE: Mutex<()> = Mutex::new(());

/// The laboratory, or nothing where a test may not make one.
struct Lab {
    nets: Nets,
    config: PathBuf,
    _one: MutexGuard<'static, ()>,
}

/// A filter as a process.
struct Filter {
    child: Child,
    said: std::sync::mpsc::Receiver<String>,
    all: Vec<String>,
}

const ENFORCE: &str = "[live]\nenforce = true\n";

fn lab(label: &str) -> Option<Lab> {
    lab_with(label, ENFORCE)
}

fn lab_with(label: &str, config: &str) -> Option<Lab> {
    if !dataplane::pin::is_root() {
        assert!(std::env::var_os("CI").is_none(), "tests of the wire need root, and CI has to run them");
        println!("{label}: not root: not run");
        return None;
    }
    let one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let nets = Nets::new(label).unwrap();
    let path = std::env::temp_dir().join(format!("ztsms-wire-{}-{label}.toml", std::process::id()));
    let lab = Lab { nets, config: path, _one: one };
    lab.configure(config);
    Some(lab)
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.config);
        let _ = fs::remove_dir_all(self.config.with_extension("state"));
    }
}

impl Lab {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.nets.command('f', env!("CARGO_BIN_EXE_ztsms"));
        command.args(args).arg("--config").arg(&self.config);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts a filter and waits until it stands.
    fn filter(&self, args: &[&str]) -> Filter {
        self.standing(self.command(args))
    }

    /// A filter that is started so.
    fn standing(&self, mut command: Command) -> Filter {
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (tell, said) = std::sync::mpsc::channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let mut filter = Filter { child, said, all: Vec::new() };
        filter.wait_for("standing between|watching");
        filter
    }

    fn inline(&self) -> Filter {
        self.filter(&["inline", "--between", "a1", "b1"])
    }

    /// What the next filter is told. Where it is asked is the laboratory's own: others may run beside it.
    fn configure(&self, text: &str) {
        let (state, socket) = (self.config.with_extension("state"), self.config.with_extension("sock"));
        let admin = if text.contains("[admin]") { String::new() } else { format!("[admin]\nsocket = {socket:?}\n") };
        let state = if text.contains("state_dir") { String::new() } else { format!("state_dir = {state:?}\n") };
        let text = text.replacen("[live]\n", &format!("[live]\n{state}"), 1);
        fs::write(&self.config, format!("{text}{admin}")).unwrap();
    }

    fn status(&self) -> serde_json::Value {
        control::live::admin::ask(&self.config.with_extension("sock"), control::live::admin::Command::Status).unwrap()
    }

    /// Takes the filter off its ports, whether there is one or not.
    fn remove(&self) {
        let (status, said) = self.fails(&["inline", "--between", "a1", "b1", "--remove"]);
        assert_eq!(status, 0, "{said}");
    }

    /// Runs a command that is to fail, and returns its status and what it said.
    fn fails(&self, args: &[&str]) -> (i32, String) {
        let out = self.command(args).output().unwrap();
        (out.status.code().unwrap_or(-1), String::from_utf8_lossy(&out.stderr).into_owned())
    }

    /// An end of the wire, for whole frames.
    fn raw(&self, which: char, interface: &str) -> Raw {
        thread::scope(|scope| {
            scope
                .spawn(|| {
                    self.nets.enter(which).unwrap();
                    Raw::open(interface).unwrap()
                })
                .join()
                .unwrap()
        })
    }

    /// What the kernel counted on both ports, for the filter between a1 and b1.
    fn kernel(&self) -> [u64; CAUSES] {
        let kernel = Kernel::open(&format!("inline-a1-b1{}", self.nets.suffix())).unwrap();
        let (a, b) = (kernel.port(0), kernel.port(1));
        std::array::from_fn(|at| a[at] + b[at])
    }

    fn of(&self, cause: Cause) -> u64 {
        self.kernel()[cause as usize]
    }

    fn unscanned(&self) -> u64 {
        Cause::ALL.iter().zip(self.kernel()).filter(|(cause, _)| cause.is_unscanned()).map(|(_, n)| n).sum()
    }

    fn link(&self, which: char, interface: &str) -> String {
        let out = self.nets.command(which, "ip").args(["-d", "link", "show", interface]).output().unwrap();
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// Nothing is attached, pinned or locked.
    fn nothing_is_left(&self) {
        for interface in ["a1", "b1"] {
            // The kernel takes a program off a moment after its last holder let go.
            let end = Instant::now() + Duration::from_secs(2);
            let mut link = self.link('f', interface);
            while link.contains("xdp") && Instant::now() < end {
                thread::sleep(Duration::from_millis(10));
                link = self.link('f', interface);
            }
            assert!(!link.contains("xdp"), "{link}");
        }
        let pinned = Path::new(&dataplane::xdp::pins(&format!("inline-a1-b1{}", self.nets.suffix()))).exists();
        assert!(!pinned, "something is pinned");
    }
}

impl Filter {
    fn wait_for(&mut self, what: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.said.recv_timeout(left) {
                Ok(line) => {
                    self.all.push(line.clone());
                    if what.split('|').any(|what| line.contains(what)) {
                        return;
                    }
                }
                Err(_) => panic!("it never said {what}, but: {:#?}", self.all),
            }
        }
    }

    fn id(&self) -> String {
        self.child.id().to_string()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops it in good order and returns what it said.
    fn stop(mut self) -> Vec<String> {
        signal(&self.id(), "TERM");
        let status = self.child.wait().unwrap();
        self.all.extend(self.said.try_iter());
        while let Ok(line) = self.said.recv_timeout(Duration::from_millis(100)) {
            self.all.push(line);
        }
        assert!(status.success(), "{status}: {:#?}", self.all);
        std::mem::take(&mut self.all)
    }
}

fn signal(id: &str, signal: &str) {
    let done = Command::new("kill").args([&format!("-{signal}"), id]).status().unwrap();
    assert!(done.success());
}

impl Drop for Filter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every frame that arrives until nothing more does, without what the far kernels say on their own (ND, MLD).
fn arrivals(raw: &Raw, quiet: Duration) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| raw.receive(quiet)).filter(|frame| frame.get(6..12) != Some(&[0; 6]) && !is_own(frame)).collect()
}

/// Frames of a kernel at an end of the wire: their source address is not one of ours.
fn is_own(frame: &[u8]) -> bool {
    frame.get(6..10) != Some(&frames::SOURCE[..4])
}
