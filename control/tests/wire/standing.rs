//! A filter that stands: what it may still do, what it is told while it runs, and what stands beside it.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use control::live::admin;
use control::live::lab::frame;
use dataplane::xdp::Cause;

use super::flow::some;
use super::{Lab, arrivals, frames, lab, lab_with, signal};

const QUIET: Duration = Duration::from_millis(300);

/// Waits for what must come, and not for ever.
pub(super) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Name and effective capabilities of each thread of a process.
fn threads(id: &str) -> Vec<(String, u64)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(format!("/proc/{id}/task")).unwrap() {
        let Ok(text) = fs::read_to_string(entry.unwrap().path().join("status")) else { continue };
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
        let [effective, permitted, inheritable, ambient] =
            ["CapEff:", "CapPrm:", "CapInh:", "CapAmb:"].map(|name| u64::from_str_radix(&field(name), 16).unwrap());
        assert_eq!((effective, 0, 0), (permitted, inheritable, ambient), "{text}");
        all.push((field("Name:"), effective));
    }
    all
}

pub(super) fn no_thread_has_more_than_it_uses(id: &str) {
    const NET_ADMIN: u64 = 1 << 12;
    const BPF: u64 = 1 << 39;
    // A thread has its name once it has run.
    let has_run = |name: &&str| threads(id).iter().any(|(thread, _)| thread == name);
    until("each thread has its name", || ["ztsms-lane", "ztsms-carrier", "control", "admin"].iter().all(has_run));
    let threads = threads(id);
    for name in ["ztsms-lane", "control", "admin"] {
        assert!(threads.iter().any(|(thread, has)| thread == name && *has == 0), "{name}: {threads:x?}");
    }
    for (name, has) in &threads {
        let may = match name.as_str() {
            "ztsms" => BPF,
            "ztsms-carrier" => NET_ADMIN,
            _ => 0,
        };
        assert_eq!(*has, may, "{name}: {threads:x?}");
    }
}

#[test]
fn once_it_stands_no_thread_has_more_rights_than_it_uses() {
    let Some(lab) = lab_with("rights-left", "[live]\nenforce = true\n[unscanned]\na_second = 1\n") else { return };
    let filter = lab.filter(&["inline", "--between", "a1", "b1", "--verdicts", "/nowhere"]);
    no_thread_has_more_than_it_uses(&filter.id());
    assert!(threads(&filter.id()).iter().any(|(thread, _)| thread == "follow"));
    // With what is left it still carries a loss of carrier over, and leaves in good order.
    lab.nets.ip('a', &["link", "set", "a0", "down"]).unwrap();
    until("b1 is down", || lab.link('f', "b1").contains("state DOWN"));
    lab.nets.ip('a', &["link", "set", "a0", "up"]).unwrap();
    until("b1 is up", || lab.link('f', "b1").contains("state UP"));
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    a.send(&frames::numbered(1)).unwrap();
    assert_eq!(arrivals(&b, QUIET).len(), 1);
    let said = filter.stop();
    assert!(said.iter().any(|line| line.contains("to socket 1")), "{said:#?}");
    assert!(!said.iter().any(|line| line.contains("privileges are kept")), "{said:#?}");
    a.send(&frames::numbered(2)).unwrap();
    assert_eq!((arrivals(&b, QUIET).len(), lab.of(Cause::NoSocket)), (1, 1));
}

/// Directories that belong to somebody else for a while.
struct Lent(Vec<String>);

impl Lent {
    fn to(user: &str, paths: &[&str]) -> Self {
        paths.iter().for_each(|path| fs::create_dir_all(path).unwrap());
        let lent = Self(paths.iter().map(|path| (*path).to_owned()).collect());
        lent.give(user);
        lent
    }

    fn give(&self, user: &str) {
        assert!(Command::new("chown").args(["-R", user]).args(&self.0).status().unwrap().success());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.give("0:0");
    }
}

#[test]
fn user_and_capabilities_of_the_unit_are_enough() {
    let Some(lab) = lab("unit") else { return };
    let unit = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/ztsms.service")).unwrap();
    let line = unit.lines().find_map(|line| line.strip_prefix("AmbientCapabilities=")).unwrap();
    let given =
        line.split(' ').map(|name| format!("+{}", name.trim_start_matches("CAP_").to_lowercase())).collect::<Vec<_>>().join(",");
    const USER: &str = "65534:65534";
    // Where the program lies may be closed to others: a copy that anybody can run.
    let copy = lab.config.with_extension("exe");
    fs::copy(env!("CARGO_BIN_EXE_ztsms"), &copy).unwrap();
    let start = |given: &str| {
        let mut command = lab.nets.command('f', "setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command.args(["inh-caps", "ambient-caps", "bounding-set"].map(|set| format!("--{set}=-all,{given}")));
        command.arg("--").arg(&copy).args(["inline", "--between", "a1", "b1", "--config"]).arg(&lab.config);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    // Without one of them it says which is missing.
    let out = start(&given.replace("+perfmon", "+chown")).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.code() == Some(1) && said.contains("CAP_PERFMON missing"), "{said}");
    lab.nothing_is_left();
    // As the service left them: systemd gives RuntimeDirectory to its user where it was another's, and looks no further where it was not.
    let _lent = Lent::to(USER, &["/run/ztsms", "/sys/fs/bpf/ztsms"]);
    // A directory that a start by root has left: it says whose that is.
    let made_by_root = "/sys/fs/bpf/ztsms/1";
    fs::create_dir_all(made_by_root).unwrap();
    std::os::unix::fs::chown(made_by_root, Some(0), Some(0)).unwrap();
    let out = start(&given).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.code() == Some(1) && said.contains(&format!("{made_by_root} belongs to user 0")), "{said}");
    assert!(said.contains("chown") && !said.contains("root is needed"), "{said}");
    lab.nothing_is_left();
    // What root has pinned and locked since is root's.
    lab.inline().stop();
    // What the unit does before: StateDirectory, ExecStartPre.
    let _state = Lent::to(USER, &[&lab.config.with_extension("state").display().to_string()]);
    let before = unit.lines().find_map(|line| line.strip_prefix("ExecStartPre=+/bin/sh -c '")?.strip_suffix('\'')).unwrap();
    assert!(Command::new("/bin/sh").args(["-c", &before.replace("ztsms:ztsms", USER)]).status().unwrap().success());
    let filter = lab.standing(start(&given));
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    a.send(&frames::numbered(1)).unwrap();
    assert_eq!((arrivals(&b, QUIET).len(), lab.of(Cause::ToSocket)), (1, 1));
    filter.stop();
    fs::remove_file(copy).unwrap();
}

#[test]
fn a_second_filter_needs_a_socket_of_its_own_and_without_it_nothing_of_it_is_left() {
    let Some(lab) = lab("two") else { return };
    lab.nets.cable(('b', "c0"), ('f', "c1")).unwrap();
    let filter = lab.inline();
    let (status, said) = lab.fails(&["tap", "--interface", "c1"]);
    let socket = lab.config.with_extension("sock").display().to_string();
    assert!(
        status == 1 && said.contains(&socket) && said.contains("a socket of its own") && said.contains("[admin] socket"),
        "{said}"
    );
    assert!(!lab.link('f', "c1").contains("xdp"));
    // A metrics port that is taken, a directory that cannot be: found when the wire stands already, and taken back.
    lab.configure(
        "[live]\nenforce = true\n[spool]\ndir = \"/proc/nowhere\"\n[admin]\nsocket = \"/tmp/ztsms-wire-two-other.sock\"\n",
    );
    let (status, said) = lab.fails(&["tap", "--interface", "c1"]);
    assert!(status == 1 && said.contains("/proc/nowhere") && said.contains("[spool] dir"), "{said}");
    until("c1 is free", || !lab.link('f', "c1").contains("xdp"));
    lab.configure("[live]\nenforce = true\n[admin]\nsocket = \"/tmp/ztsms-wire-two-other.sock\"\n");
    let other = lab.filter(&["tap", "--interface", "c1"]);
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    a.send(&frames::numbered(1)).unwrap();
    assert_eq!(arrivals(&b, QUIET).len(), 1);
    other.stop();
    assert_eq!(lab.fails(&["tap", "--interface", "c1", "--remove"]).0, 0);
    filter.stop();
}

/// Reads the configuration again, by the socket; what it answers.
fn reload(lab: &Lab) -> serde_json::Value {
    admin::ask(&lab.config.with_extension("sock"), admin::Command::Reload).unwrap()
}

#[test]
fn lists_of_ports_and_prefixes_change_while_it_runs() {
    let Some(lab) = lab_with("lists", "[live]\n[wire]\nonly_ports = [2905]\n") else { return };
    let mut filter = lab.inline();
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    let mut n = 0;
    let mut goes_to_the_worker = || {
        n += 1;
        let before = lab.of(Cause::ToSocket);
        a.send(&frames::numbered(n)).unwrap();
        assert_eq!(arrivals(&b, QUIET).len(), 1, "whatever the lists say it goes on");
        lab.of(Cause::ToSocket) > before
    };
    assert!(goes_to_the_worker());
    lab.configure("[live]\n[wire]\nonly_ports = [2906]\nring = 1024\n");
    let answer = reload(&lab);
    // A ring cannot change while frames lie in it: what needs a restart is named.
    assert!(answer["needs_restart"].to_string().contains("[wire]"), "{answer}");
    filter.wait_for("lists and `fail` are");
    assert!(!goes_to_the_worker());
    for (prefix, ours) in [("198.51.100.0/24", false), ("192.0.2.0/30", true)] {
        lab.configure(&format!("[live]\n[wire]\nonly_prefixes = [\"{prefix}\"]\n"));
        signal(&filter.id(), "HUP");
        filter.wait_for("lists and `fail` are");
        assert_eq!(goes_to_the_worker(), ours, "{prefix}");
    }
    // What is wrong changes nothing, and that a prefix has more in it than it says is wrong too.
    for wrong in ["300.0.0.0/8", "192.1.0.0/8"] {
        lab.configure(&format!("[live]\n[wire]\nonly_prefixes = [\"{wrong}\"]\n"));
        let said = admin::ask(&lab.config.with_extension("sock"), admin::Command::Reload).unwrap_err().to_string();
        assert!(said.contains(wrong), "{said}");
        assert!(goes_to_the_worker());
    }
    filter.stop();
}

#[test]
fn after_a_hangup_it_says_what_counts_now_and_what_needs_a_restart() {
    let Some(lab) = lab_with("says", "[live]\n") else { return };
    let mut filter = lab.inline();
    lab.configure("[live]\nenforce = true\n[wire]\nring = 1024\n");
    signal(&filter.id(), "HUP");
    filter.wait_for("read again: rewriting");
    filter.wait_for("until a restart: [wire]");
    filter.stop();
}

#[test]
fn a_pipe_in_the_place_of_the_configuration_is_refused_and_waited_for_by_nobody() {
    let Some(lab) = lab("pipe") else { return };
    let mut filter = lab.inline();
    fs::remove_file(&lab.config).unwrap();
    assert!(Command::new("mkfifo").arg(&lab.config).status().unwrap().success());
    signal(&filter.id(), "HUP");
    filter.wait_for("not an ordinary file");
    fs::remove_file(&lab.config).unwrap();
    lab.configure("[live]\n");
    reload(&lab);
    until("no alarm", || !lab.status()["alarms"].to_string().contains("ordinary"));
    filter.stop();
}

#[test]
fn a_tap_carries_nothing_out_whatever_is_read_again() {
    let Some(lab) = lab_with("tap-reload", "[live]\nenforce = true\n") else { return };
    let filter = lab.filter(&["tap", "--interface", "a1"]);
    assert!(filter.all.iter().any(|line| line.contains("watching, observing only")), "{:#?}", filter.all);
    for _ in 0..2 {
        std::thread::sleep(Duration::from_millis(250));
        assert_eq!(lab.status()["mode"]["enforce"], false, "{}", lab.status());
        reload(&lab);
    }
    filter.stop();
    assert_eq!(lab.fails(&["tap", "--interface", "a1", "--remove"]).0, 0);
}

#[test]
fn where_no_spare_chunk_is_left_the_original_passes_and_is_counted() {
    let Some(lab) = lab_with("spare", "[live]\nenforce = true\n[wire]\nring = 64\nheartbeat_ms = 1000\n") else { return };
    let filter = lab.inline();
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    // Packets so full that a label makes two of one.
    let all = some(4000, 13);
    let changing: Vec<&[u8]> = all.iter().filter(|message| message.changes()).map(|message| message.sent.as_slice()).collect();
    let full: Vec<Vec<u8>> = changing
        .chunks(2)
        .flat_map(|pair| (3..8).map(move |n| pair.iter().cycle().take(n).copied().collect::<Vec<_>>()))
        .map(|messages| frame(&messages, 1))
        .filter(|frame| (1490..=1514).contains(&frame.len()))
        .collect();
    assert!(full.len() > 20, "{}", full.len());
    let mut tsn = 1_u32;
    let (mut sent, mut came) = (0, 0);
    let worker = |of: &str| lab.status()["gauges"]["worker"][of].as_u64().unwrap_or(0);
    until("a batch that is larger than what is spare", || {
        // While the worker stands still a whole ring gathers: one batch.
        signal(&filter.id(), "STOP");
        let mut burst = Vec::new();
        for _ in 0..60 {
            let mut frame = full[tsn as usize % full.len()].clone();
            // Each chunk of a packet has a number of its own: those of two packets never meet.
            frames::renumber_all(&mut frame, tsn << 3);
            tsn += 1;
            sent += u64::from(a.send(&frame).is_ok());
            burst.push(frame);
        }
        signal(&filter.id(), "CONT");
        let arrived = arrivals(&b, QUIET);
        came += arrived.len() as u64;
        // An original that passed came byte for byte.
        let whole = arrived.iter().filter(|frame| burst.contains(frame)).count() as u64;
        std::thread::sleep(Duration::from_millis(250));
        worker("no spare chunk") > 0 && whole > 0
    });
    let (second, no_spare) = (worker("second packets"), worker("no spare chunk"));
    println!("{sent} sent, {came} came, {second} as two, {no_spare} for want of a spare chunk as they were");
    assert!(second > 0 && no_spare > 0);
    assert_eq!(came, sent + second);
    // The lane has counted originals that passed as changed.
    let status = lab.status();
    let worker = &status["gauges"]["worker"];
    assert_eq!(
        (&status["rewritten_frames"], &status["split_packets"]),
        (&worker["rewritten"], &worker["second packets"]),
        "{status}"
    );
    filter.stop();
}

/// Where nothing else runs on the machine's first CPU, a hint may still be missing: what `check` says is `placement`'s to test.
#[test]
fn check_tells_hints_apart_from_what_forbids_a_start() {
    let Some(lab) = lab("hints") else { return };
    // A card with more queues to receive than to transmit: `check` says what to change, and that it would start.
    let made = Command::new("ip")
        .args([
            "-n",
            &lab.nets.of('f'),
            "link",
            "add",
            "d1",
            "numrxqueues",
            "2",
            "numtxqueues",
            "1",
            "type",
            "veth",
            "peer",
            "name",
            "d0",
        ])
        .status()
        .unwrap();
    assert!(made.success());
    let out = lab.command(&["check", "--interface", "d1"]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(
        out.status.success() && said.contains("--  better: d1 has 2 receive queues") && said.contains("ethtool -L d1"),
        "{said}"
    );
}
