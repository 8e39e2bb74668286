//! The unit as it is packaged, under a systemd of its own: this machine's, as the first process of namespaces that `tools/lab/systemd` makes.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::standing::{no_thread_has_more_than_it_uses, until};
use super::{Lab, arrivals, frames, lab_with, signal};

const QUIET: Duration = Duration::from_millis(300);
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/lab/systemd");
const PACKAGING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging");

/// A machine within this one.
struct Machine {
    script: Child,
    /// Its first process, as this machine counts.
    first: String,
}

fn children(id: &str) -> Vec<String> {
    let all = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    all.split_whitespace().map(str::to_owned).collect()
}

fn name(id: &str) -> String {
    fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default().trim().to_owned()
}

impl Machine {
    fn start(lab: &Lab) -> Self {
        let mut command = lab.nets.command('f', SCRIPT);
        command.args([Path::new(env!("CARGO_BIN_EXE_ztsms")), Path::new(PACKAGING), &lab.config]);
        let mut machine =
            Self { script: command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap(), first: String::new() };
        let script = machine.script.id().to_string();
        until("systemd is the first process", || {
            let all = children(&script).iter().flat_map(|unshare| children(unshare)).collect::<Vec<_>>();
            machine.first = all.into_iter().find(|id| name(id) == "systemd").unwrap_or_default();
            !machine.first.is_empty()
        });
        machine
    }

    fn run(&self, command: &[&str]) -> Output {
        let mut inside = Command::new("nsenter");
        inside.args(["-t", &self.first, "--mount", "--pid", "--"]).args(command);
        inside.stdin(Stdio::null()).output().unwrap()
    }

    fn does(&self, command: &[&str]) -> String {
        let out = self.run(command);
        let [stdout, stderr] = [&out.stdout, &out.stderr].map(|octets| String::from_utf8_lossy(octets).into_owned());
        assert!(out.status.success(), "{command:?}: {}\n{stdout}\n{stderr}", out.status);
        stdout
    }

    fn of(&self, property: &str) -> String {
        let shown = self.run(&["systemctl", "show", "ztsms", "--value", "-p", property]);
        String::from_utf8_lossy(&shown.stdout).trim().to_owned()
    }

    /// The filter, as this machine counts.
    fn filter(&self) -> String {
        children(&self.first).into_iter().find(|id| name(id) == "ztsms").unwrap()
    }

    /// Asked by a member of its group.
    fn status(&self) -> Value {
        serde_json::from_str(&self.does(&["runuser", "-u", "ztsms", "--", "ztsms", "status", "--json"])).unwrap()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        signal(&self.script.id().to_string(), "TERM");
        let _ = self.script.wait();
    }
}

#[test]
fn as_a_service_it_says_when_it_stands_is_restarted_when_it_hangs_and_has_no_right_that_it_does_not_use() {
    const PORTS: &str = "[wire]\nbetween = [\"a1\", \"b1\"]\n";
    if !Path::new("/usr/lib/systemd/systemd").exists() {
        assert!(std::env::var_os("CI").is_none(), "there is no systemd: `make test` installs it, and CI has to run it");
        println!("no systemd: not run");
        return;
    }
    let Some(lab) = lab_with("service", "[live]\n") else { return };
    fs::write(&lab.config, PORTS).unwrap();
    let machine = Machine::start(&lab);
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    let mut n = 0;
    let mut passes = || {
        n += 1;
        a.send(&frames::numbered(n)).unwrap();
        assert_eq!(arrivals(&b, QUIET).len(), 1, "frame {n}");
    };
    // Type=notify: active is what the filter says itself. The unit knows its ports from the configuration.
    until("the service is active", || machine.of("ActiveState") == "active");
    assert_eq!(
        (machine.of("StatusText"), machine.of("WatchdogUSec"), machine.of("NRestarts")),
        ("observes".into(), "5s".into(), "0".into())
    );
    passes();
    until("the frame is counted", || machine.status()["levels"]["frames"]["seen"] == 1);

    let filter = machine.filter();
    no_thread_has_more_than_it_uses(&filter);
    for entry in fs::read_dir(format!("/proc/{filter}/task")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path().join("status")).unwrap();
        for line in ["NoNewPrivs:\t1", "Seccomp:\t2"] {
            assert!(text.contains(line), "{line}: {text}");
        }
        let user = text.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
        assert!(!user.split_whitespace().any(|id| id == "0"), "{text}");
    }

    let config = format!("/proc/{}/root/etc/ztsms/ztsms.toml", machine.first);
    fs::write(&config, format!("[live]\nenforce = true\n{PORTS}")).unwrap();
    machine.does(&["systemctl", "reload", "ztsms"]);
    until("what was read again is in force", || machine.status()["mode"]["enforce"] == true);

    // What hangs is ended by the watchdog; meanwhile the kernel forwards.
    signal(&filter, "STOP");
    std::thread::sleep(Duration::from_millis(200));
    passes();
    until("it is started anew", || machine.of("NRestarts") == "1" && machine.of("ActiveState") == "active");
    assert_ne!(machine.filter(), filter);
    passes();
    until("the frame is counted", || machine.status()["levels"]["frames"]["seen"] == 1);

    machine.does(&["systemctl", "stop", "ztsms"]);
    assert_eq!((machine.of("ActiveState"), machine.of("Result")), ("inactive".into(), "success".into()));
    passes();
    // How the ports were before is remembered beyond the service.
    let memory = format!("/proc/{}/root/run/ztsms/a1{}.lock", machine.first, lab.nets.suffix());
    assert!(fs::read_to_string(&memory).is_ok_and(|text| text.lines().nth(2).is_some_and(|before| before.starts_with("up"))));

    // Off by one command, while it runs: it stays off.
    machine.does(&["systemctl", "start", "ztsms"]);
    until("the service is active", || machine.of("ActiveState") == "active");
    passes();
    let remove = ["nsenter", "-t", "1", "--net", "--", "ztsms", "inline", "--config", "/etc/ztsms/ztsms.toml", "--remove"];
    machine.does(&remove);
    until("it has ended", || machine.of("ActiveState") == "inactive");
    // Ten times as long as a restart waits.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(
        (machine.of("ActiveState"), machine.of("Result"), machine.of("NRestarts")),
        ("inactive".into(), "success".into(), "0".into())
    );
    assert!(["a1", "b1"].iter().all(|port| !lab.link('f', port).contains("xdp") && !lab.link('f', port).contains("PROMISC")));

    for unit in ["/run/units/ztsms.service", "/run/units/ztsms-tap.service"] {
        machine.does(&["systemd-analyze", "verify", "--man=no", unit]);
        // 2.7 of 10: what is above it is what AF_XDP needs.
        machine.does(&["systemd-analyze", "security", "--offline=true", "--threshold=27", unit]);
    }
}
