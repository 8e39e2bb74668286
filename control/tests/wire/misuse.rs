//! A start that cannot be: a clear error, and nothing left behind.

use std::fs::File;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::standing::until;
use super::{lab, lab_with, signal};

#[test]
fn without_its_verdict_directory_it_stands_all_the_same() {
    let Some(lab) = lab("absent") else { return };
    // `filter` waits until it stands; that everything is unknown then, and an alarm raised, is shown in `tests/live`.
    let filter = lab.filter(&["inline", "--between", "a1", "b1", "--verdicts", "/nowhere"]);
    let out = lab.command(&["status"]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    // What was never built has no age.
    assert!(out.status.success() && said.contains("0 entries, 0 decisions since, of no directory"), "{said}");
    drop(filter);
}

#[test]
fn each_wrong_start_says_what_is_wrong_and_leaves_nothing_attached() {
    let Some(lab) = lab("misuse") else { return };
    let wrong = |args: &[&str], says: &[&str]| {
        let (status, said) = lab.fails(args);
        assert_ne!(status, 0, "{args:?}: {said}");
        says.iter().for_each(|says| assert!(said.contains(says), "{args:?}: {said}"));
        lab.nothing_is_left();
    };
    wrong(&["inline", "--between", "a1", "nowhere"], &["no such interface: nowhere", "ip link"]);
    wrong(&["inline", "--between", "a1", "a1"], &["a1 is named twice"]);
    wrong(&["tap", "--interface", "a1,b1,lo"], &["two directions"]);
    wrong(&["inline", "--pass"], &["no filter runs here"]);
    // Nor is one taken off where none can be.
    wrong(&["inline", "--between", "a1", "nowhere", "--remove"], &["no such interface: nowhere"]);
    wrong(&["inline", "--between", "../../tmp/x", "b1", "--remove"], &["`../../tmp/x` cannot be an interface"]);
    assert!(!Path::new(&format!("/run/ztsms/nowhere{}.lock", lab.nets.suffix())).exists());

    // MTU.
    lab.nets.ip('f', &["link", "set", "b1", "mtu", "9000"]).unwrap();
    wrong(&["inline", "--between", "a1", "b1"], &["b1: MTU 9000 is too large", "ip link set b1 mtu"]);
    lab.nets.ip('f', &["link", "set", "b1", "mtu", "1500"]).unwrap();

    // A snapshot instead of its directory.
    let file = lab.config.display().to_string();
    wrong(&["inline", "--between", "a1", "b1", "--verdicts", &file], &["no directory", "--verdicts"]);

    // A pipe, which a start would wait for.
    let pipe = lab.config.with_extension("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::write(&lab.config, format!("[plan]\nfile = {pipe:?}\n")).unwrap();
    wrong(&["inline", "--between", "a1", "b1"], &["not an ordinary file"]);
    std::fs::remove_file(pipe).unwrap();

    // A typing error.
    std::fs::write(&lab.config, "[wire]\nfial = \"open\"\n").unwrap();
    wrong(&["inline", "--between", "a1", "b1"], &["fial"]);
    std::fs::write(&lab.config, "[wire]\nring = 1000\n").unwrap();
    wrong(&["inline", "--between", "a1", "b1"], &["1000 is not a power of two"]);
    std::fs::write(&lab.config, "").unwrap();
}

#[test]
fn a_second_instance_is_refused_and_the_first_goes_on() {
    let Some(lab) = lab("second") else { return };
    let filter = lab.inline();
    for args in [&["inline", "--between", "a1", "b1"][..], &["tap", "--interface", "b1"]] {
        let (status, said) = lab.fails(args);
        assert!(status == 1 && said.contains(&format!("process {}", filter.id())) && said.contains("--take-over"), "{said}");
    }
    let out = lab.command(&["check", "--between", "a1", "b1"]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && said.contains("ok  filter: a1 has a filter already"), "{said}");
    // What one of the named ports has no filter for is said.
    let (status, said) = lab.fails(&["inline", "--pass", "--between", "a1", "nowhere"]);
    assert!(status == 1 && said.contains("nothing is rewritten") && said.contains("no filter runs at nowhere"), "{said}");
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    a.send(&super::frames::numbered(1)).unwrap();
    assert_eq!(super::arrivals(&b, std::time::Duration::from_millis(300)).len(), 1);
    filter.stop();
    // One command takes it off, whatever somebody did to the configuration.
    std::fs::write(&lab.config, "[wire]\nfial = \"open\"\n").unwrap();
    let (status, said) = lab.fails(&["inline", "--between", "a1", "b1", "--remove"]);
    assert!(status == 0 && said.contains("the filter is off"), "{said}");
    lab.nothing_is_left();
}

#[test]
fn the_program_of_somebody_else_stays_where_it_is() {
    let Some(lab) = lab("foreign") else { return };
    // Any other XDP program: that of a tap on the same interface, pinned by nobody we know.
    let tap = lab.filter(&["tap", "--interface", "b1"]);
    tap.stop();
    let (status, said) = lab.fails(&["inline", "--between", "a1", "b1"]);
    assert!(status == 1 && said.contains("b1 has an XDP program of another filter, pinned as tap-b1"), "{said}");
    assert!(lab.link('f', "b1").contains("xdp") && !lab.link('f', "a1").contains("xdp"), "{}", lab.link('f', "a1"));
    let (status, _) = lab.fails(&["tap", "--interface", "b1", "--remove"]);
    assert_eq!(status, 0);
    lab.nothing_is_left();
}

#[test]
fn a_filter_of_other_ports_is_not_taken_off_by_one_that_it_shares() {
    let Some(lab) = lab("shares") else { return };
    lab.nets.cable(('b', "c0"), ('f', "c1")).unwrap();
    let mut filter = lab.inline();
    for args in [&["tap", "--interface", "a1"][..], &["inline", "--between", "a1", "c1"], &["inline", "--between", "c1", "b1"]] {
        let (status, said) = lab.fails(&[args, &["--remove"]].concat());
        assert!(status == 1 && said.contains("has an XDP program of another filter, pinned as inline-a1-b1"), "{args:?}: {said}");
        assert!(filter.child.try_wait().unwrap().is_none(), "{args:?}: {said}");
        assert!(["a1", "b1"].iter().all(|port| lab.link('f', port).contains("PROMISC")), "{args:?}: {said}");
    }
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    a.send(&super::frames::numbered(1)).unwrap();
    assert_eq!(super::arrivals(&b, std::time::Duration::from_millis(300)).len(), 1);
    assert_eq!(lab.of(dataplane::xdp::Cause::ToSocket), 1);
    filter.stop();
}

/// Whoever starts a filter in the laboratory, or takes one off, holds this.
fn starting(lab: &super::Lab) -> PathBuf {
    format!("/run/ztsms/starting{}", lab.nets.suffix()).into()
}

fn is_as_before(lab: &super::Lab) {
    lab.nothing_is_left();
    for port in ["a1", "b1"] {
        let ipv6 = lab.nets.command('f', "cat").arg(format!("/proc/sys/net/ipv6/conf/{port}/disable_ipv6")).output().unwrap();
        assert!(!lab.link('f', port).contains("PROMISC") && ipv6.stdout == b"0\n", "{port}: {}", lab.link('f', port));
    }
}

#[test]
fn a_start_that_fails_at_its_end_leaves_nothing_behind_where_another_begins() {
    let Some(lab) = lab("beside") else { return };
    let start = lab.command(&["inline", "--between", "a1", "b1"]).spawn().unwrap();
    let id = start.id().to_string();
    let pinned = dataplane::xdp::pins(&format!("inline-a1-b1{}", lab.nets.suffix()));
    until("it pins", || pinned.join("queues").exists());
    signal(&id, "STOP");
    let socket = lab.config.with_extension("sock");
    let another = UnixListener::bind(&socket).unwrap();
    let other = File::options().write(true).open(starting(&lab)).unwrap();
    std::thread::scope(|scope| {
        // Another begins as soon as it may, and takes its time.
        let begins = scope.spawn(|| {
            other.lock().unwrap();
            std::thread::sleep(Duration::from_secs(1));
            other.unlock().unwrap();
        });
        std::thread::sleep(Duration::from_millis(100));
        signal(&id, "CONT");
        let out = start.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.code() == Some(1) && said.contains("another filter answers here"), "{said}");
        is_as_before(&lab);
        begins.join().unwrap();
    });
    drop(another);
    std::fs::remove_file(socket).unwrap();
}

#[test]
fn a_filter_is_taken_off_whole_whoever_starts_or_takes_it_off_at_that_time() {
    let Some(lab) = lab("both") else { return };
    let begin = |args: &[&str]| lab.command(&[&["inline", "--between", "a1", "b1"], args].concat()).spawn().unwrap();
    let ends = |child: std::process::Child| {
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success(), "{}: {}", out.status, String::from_utf8_lossy(&out.stderr));
    };
    for after in [0, 10, 20, 40] {
        let filter = lab.inline();
        let new = begin(&["--take-over"]);
        let id = new.id().to_string();
        until("it begins", || std::fs::read_to_string(starting(&lab)).is_ok_and(|text| text == id));
        std::thread::sleep(Duration::from_millis(after));
        let remove = begin(&["--remove"]);
        [remove, new].into_iter().for_each(ends);
        is_as_before(&lab);
        drop(filter);
    }
    let filter = lab.inline();
    [begin(&["--remove"]), begin(&["--remove"])].into_iter().for_each(ends);
    is_as_before(&lab);
    drop(filter);
    // Nobody is told to rewrite or to leave who only takes a filter off.
    let lock = File::options().write(true).open(format!("/run/ztsms/b1{}.lock", lab.nets.suffix())).unwrap();
    lock.lock().unwrap();
    let remove = begin(&["--remove"]);
    let id = remove.id().to_string();
    until("it begins", || std::fs::read_to_string(starting(&lab)).is_ok_and(|text| text == id));
    std::thread::sleep(Duration::from_millis(100));
    let (status, said) = lab.fails(&["inline", "--pass"]);
    assert!(status == 1 && said.contains("no filter runs here"), "{said}");
    lock.unlock().unwrap();
    ends(remove);
}

#[test]
fn without_root_it_says_so() {
    let Some(lab) = lab("rights") else { return };
    let exe = env!("CARGO_BIN_EXE_ztsms");
    // Where the program lies may be closed to others: a copy that anybody can run.
    let copy = std::env::temp_dir().join(format!("ztsms-wire-{}-rights", std::process::id()));
    std::fs::copy(exe, &copy).unwrap();
    for args in [&["inline", "--between", "a1", "b1"][..], &["lab"], &["check"]] {
        let out = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
            .arg(&copy)
            .args(args)
            .current_dir("/")
            .output()
            .unwrap();
        let said = [out.stdout, out.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(out.status.code() == Some(1) && said.contains("root"), "{args:?}: {said}");
    }
    std::fs::remove_file(copy).unwrap();
    drop(lab);
}

#[test]
fn check_says_what_to_change_and_changes_nothing() {
    let Some(lab) = lab_with("check", "") else { return };
    let out = lab.command(&["check", "--between", "a1", "b1"]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && said.contains("ok  a1: driver veth, MTU 1500"), "{said}");
    assert!(!said.contains("has the address") && !said.contains("belongs to"), "{said}");
    // What else uses a port does not forbid a start, and is said.
    lab.nets.ip('f', &["addr", "add", "198.51.100.7/24", "dev", "a1"]).unwrap();
    lab.nets.ip('f', &["link", "add", "br0", "type", "bridge"]).unwrap();
    lab.nets.ip('f', &["link", "set", "b1", "master", "br0"]).unwrap();
    let offloads = |on: &str| {
        let done = lab.nets.command('f', "ethtool").args(["-K", "a1", "rxvlan", on, "gro", on]).status().unwrap();
        assert!(done.success());
        String::from_utf8_lossy(&lab.command(&["check", "--between", "a1", "b1"]).output().unwrap().stdout).into_owned()
    };
    let (off, said) = (offloads("off"), offloads("on"));
    assert!(!off.contains("ethtool -K a1"), "{off}");
    for says in ["a1 has the address 198.51.100.7", "b1 belongs to br0", "ethtool -K a1 rxvlan off gro off"] {
        assert!(said.contains(says), "{says}: {said}");
    }
    lab.nets.ip('f', &["link", "del", "br0"]).unwrap();
    lab.nets.ip('f', &["addr", "flush", "dev", "a1"]).unwrap();
    lab.nets.ip('f', &["link", "set", "b1", "mtu", "9000"]).unwrap();
    let out = lab.command(&["check", "--between", "a1", "b1"]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.code() == Some(1) && said.contains("no  b1: MTU 9000 is too large"), "{said}");
    lab.nothing_is_left();
}
