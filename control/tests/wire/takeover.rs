//! A filter that cannot take over leaves the running one where it is; what is told to a filter is believed once it says so; and what cannot be
//! told anything any more goes all the same.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use dataplane::xdp::{Cause, Port};

use super::standing::until;
use super::{ENFORCE, Filter, Lab, arrivals, frames, lab, lab_with, signal};

const QUIET: Duration = Duration::from_millis(300);

/// One frame goes to the worker, and on.
pub(super) fn scans(lab: &Lab, n: u32) {
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    let before = lab.of(Cause::ToSocket);
    a.send(&frames::numbered(n)).unwrap();
    assert_eq!((arrivals(&b, QUIET).len(), lab.of(Cause::ToSocket)), (1, before + 1));
}

fn metrics(lab: &Lab, port: u16) -> Option<String> {
    std::thread::scope(|scope| {
        let ask = || {
            lab.nets.enter('f').ok()?;
            let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
            stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").ok()?;
            let mut text = String::new();
            stream.read_to_string(&mut text).ok()?;
            Some(text)
        };
        scope.spawn(ask).join().unwrap()
    })
}

#[test]
fn an_upgrade_in_place_waits_for_the_address_of_the_metrics_too() {
    let Some(lab) = lab("metrics") else { return };
    let socket = lab.config.with_extension("sock");
    lab.configure(&format!("{ENFORCE}[admin]\nsocket = {socket:?}\nmetrics = \"127.0.0.1:9464\"\n"));
    let mut filter = lab.inline();
    let out = lab.command(&["check", "--between", "a1", "b1"]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success() && said.contains("127.0.0.1:9464, of the filter that stands here"), "{said}");
    for n in 0..5 {
        assert!(metrics(&lab, 9464).is_some_and(|text| text.contains("ztsms_build_info") || text.contains("ztsms_")));
        let new = lab.filter(&["inline", "--between", "a1", "b1", "--take-over"]);
        let mut old = std::mem::replace(&mut filter, new);
        assert!(old.child.wait().unwrap().success());
        scans(&lab, n);
    }
    filter.stop();
}

#[test]
fn one_that_hangs_and_has_the_address_of_the_metrics_is_named_and_the_address_is_not_blamed() {
    let Some(lab) = lab("metrics-hang") else { return };
    let socket = lab.config.with_extension("sock");
    lab.configure(&format!("{ENFORCE}[admin]\nsocket = {socket:?}\nmetrics = \"127.0.0.1:9465\"\n"));
    let filter = lab.inline();
    signal(&filter.id(), "STOP");
    let (status, said) = lab.fails(&["inline", "--between", "a1", "b1", "--take-over"]);
    assert!(status == 1 && said.contains(&format!("process {} was told to leave", filter.id())), "{said}");
    assert!(!said.contains("9465"), "{said}");
    filter.kill();
}

#[test]
fn what_cannot_take_over_leaves_the_running_filter_where_it_is() {
    let Some(lab) = lab("stays") else { return };
    lab.nets.cable(('b', "c0"), ('f', "c1")).unwrap();
    lab.nets.cable(('b', "d0"), ('f', "d1")).unwrap();
    let mut filter = lab.inline();
    let mut n = 0;
    let mut stays = |text: &str, args: &[&str], says: &str| {
        lab.configure(text);
        let all = [args, &["--take-over"]].concat();
        let (status, said) = lab.fails(&all);
        assert!(status == 1 && said.contains(says), "{text} {args:?}: {said}");
        assert!(filter.child.try_wait().unwrap().is_none(), "{text} {args:?}: {said}");
        n += 1;
        scans(&lab, n);
    };
    let pair = ["inline", "--between", "a1", "b1"];
    stays("[live]\n[spool]\ndir = \"/proc/nothere\"\n", &pair, "/proc/nothere");
    stays("[live]\n[spool]\ndir = \"/tmp/ztsms-wire-stays\"\nkey_file = \"/tmp/ztsms-no-such-key\"\n", &pair, "[spool] key_file");
    stays("[live]\n[work]\ndir = \"/tmp/ztsms-wire-stays\"\n", &pair, "console_key_file");
    stays(
        "[live]\n[work]\ndir = \"/tmp/ztsms-wire-stays\"\nconsole_key_file = \"/tmp/ztsms-no-such-key\"\n",
        &pair,
        "ztsms-no-such-key",
    );
    stays(ENFORCE, &["inline", "--between", "a1", "b1", "--between", "c1", "d1"], "pinned as inline-a1-b1");
    stays(ENFORCE, &["tap", "--interface", "a1"], "pinned as inline-a1-b1");
    // No socket: it is not ours to take away.
    let file = lab.config.with_extension("precious");
    fs::write(&file, "precious").unwrap();
    stays(&format!("{ENFORCE}[admin]\nsocket = {file:?}\n"), &pair, "is no socket");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    fs::remove_file(file).unwrap();
    stays(&format!("{ENFORCE}[admin]\nsocket = \"/proc/nothere/sock\"\n"), &pair, "/proc/nothere/sock");
    let long = format!("/tmp/{}.sock", "s".repeat(108));
    stays(&format!("{ENFORCE}[admin]\nsocket = \"{long}\"\n"), &pair, "may have 107");
    // What is bound is bound without root's rights.
    let theirs = lab.config.with_extension("theirs");
    fs::create_dir(&theirs).unwrap();
    std::os::unix::fs::chown(&theirs, Some(65534), Some(65534)).unwrap();
    stays(&format!("{ENFORCE}[admin]\nsocket = {:?}\n", theirs.join("sock")), &pair, "Permission denied");
    fs::remove_dir(theirs).unwrap();
    // An address that somebody else has, in that namespace.
    let listener = std::thread::scope(|scope| {
        let listen = || {
            lab.nets.enter('f').unwrap();
            TcpListener::bind("127.0.0.1:9478").unwrap()
        };
        scope.spawn(listen).join().unwrap()
    });
    let socket = lab.config.with_extension("sock");
    let metrics = format!("{ENFORCE}[admin]\nsocket = {socket:?}\nmetrics = \"127.0.0.1:9478\"\n");
    stays(&metrics, &pair, "127.0.0.1:9478");
    let check = || {
        let out = lab.command(&["check", "--between", "a1", "b1"]).output().unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stdout).into_owned())
    };
    let (status, said) = check();
    assert!(status == Some(1) && said.contains("no  metrics: 127.0.0.1:9478"), "{said}");
    drop(listener);
    let (status, said) = check();
    assert!(status == Some(0) && said.contains("ok  metrics: 127.0.0.1:9478"), "{said}");
    lab.nets.ip('f', &["link", "set", "b1", "mtu", "1400"]).unwrap();
    stays(ENFORCE, &pair, "MTU");
    lab.nets.ip('f', &["link", "set", "b1", "mtu", "1500"]).unwrap();
    let _ = fs::remove_dir_all("/tmp/ztsms-wire-stays");
    // The two ports of a pair are equals.
    lab.configure(ENFORCE);
    let turned = lab.filter(&["inline", "--between", "b1", "a1", "--take-over"]);
    assert!(filter.child.wait().unwrap().success());
    scans(&lab, 100);
    turned.stop();
    let (status, said) = lab.fails(&["inline", "--between", "b1", "a1", "--remove"]);
    assert!(status == 0 && said.contains("the filter is off"), "{said}");
    lab.nothing_is_left();
}

#[test]
fn a_filter_without_anybody_to_complain_to_does_as_it_is_told() {
    let Some(lab) = lab("full") else { return };
    let mut command = lab.command(&["inline", "--between", "a1", "b1"]);
    command.stderr(OpenOptions::new().write(true).open("/dev/full").unwrap());
    let mut child = command.spawn().unwrap();
    let socket = lab.config.with_extension("sock");
    let ask = || control::live::admin::ask(&socket, control::live::admin::Command::Status).ok();
    until("it answers", || ask().is_some_and(|status| status["ports"].as_array().is_some_and(|ports| !ports.is_empty())));
    for (flag, pass) in [("--pass", true), ("--rewrite", false), ("--pass", true)] {
        let (status, said) = lab.fails(&["inline", flag]);
        assert_eq!(status, 0, "{said}");
        assert_eq!(lab.status()["mode"]["pass"], pass, "{flag}: {said}");
    }
    scans(&lab, 1);
    signal(&child.id().to_string(), "TERM");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_filter_whose_words_nobody_reads_carries_a_loss_over_and_does_as_it_is_told() {
    let Some(lab) = lab("unread") else { return };
    let mut command = lab.command(&["inline", "--between", "a1", "b1"]);
    let (reader, mut writer) = std::io::pipe().unwrap();
    // As much as the kernel keeps of a pipe.
    writer.write_all(&[b'\n'; 65536]).unwrap();
    let mut child = command.stderr(writer).spawn().unwrap();
    drop(command);
    let socket = lab.config.with_extension("sock");
    let ask = || control::live::admin::ask(&socket, control::live::admin::Command::Status).ok();
    until("it answers", || ask().is_some_and(|status| status["ports"].as_array().is_some_and(|ports| !ports.is_empty())));
    for (state, far) in [("down", "state DOWN"), ("up", "state UP"), ("down", "state DOWN"), ("up", "state UP")] {
        lab.nets.ip('a', &["link", "set", "a0", state]).unwrap();
        until(state, || lab.link('f', "b1").contains(far));
    }
    for (flag, pass) in [("--pass", true), ("--rewrite", false)] {
        let (status, said) = lab.fails(&["inline", flag]);
        assert_eq!((status, lab.status()["mode"]["pass"].as_bool()), (0, Some(pass)), "{said}");
    }
    signal(&child.id().to_string(), "TERM");
    until("it ends", || child.try_wait().unwrap().is_some());
    assert!(child.wait().unwrap().success());
    drop(reader);
}

#[test]
fn pass_is_not_said_to_be_done_where_the_filter_does_not_say_so() {
    let Some(lab) = lab("deaf") else { return };
    let filter = lab.inline();
    signal(&filter.id(), "STOP");
    let (status, said) = lab.fails(&["inline", "--pass"]);
    assert!(status == 1 && said.contains(&filter.id()) && said.contains("does not"), "{said}");
    for args in [&["status", "--unpass"][..], &["status", "--reset-breaker"], &["status"]] {
        let (status, said) = lab.fails(args);
        assert!(status == 1 && said.contains("does not answer"), "{args:?}: {said}");
    }
    signal(&filter.id(), "CONT");
    let (status, said) = lab.fails(&["inline", "--rewrite"]);
    assert!(status == 0 && said.contains("rewriting again"), "{said}");
    filter.stop();
}

/// How an interface is set up, as far as a filter changes it.
fn set_up(lab: &Lab, interface: &str) -> (bool, String) {
    let ipv6 = lab.nets.command('f', "cat").arg(format!("/proc/sys/net/ipv6/conf/{interface}/disable_ipv6")).output().unwrap();
    (lab.link('f', interface).contains("PROMISC"), String::from_utf8_lossy(&ipv6.stdout).trim().to_owned())
}

#[test]
fn ports_are_as_they_were_where_a_start_fails_and_where_the_filter_is_taken_off() {
    let Some(lab) = lab("before") else { return };
    let before = ["a1", "b1"].map(|port| set_up(&lab, port));
    assert!(before.iter().all(|(promiscuous, ipv6)| !promiscuous && ipv6 == "0"), "{before:?}");
    // A program of nobody we know: found when the first port is set up already.
    let object = lab.config.with_extension("o");
    let source = lab.config.with_extension("c");
    fs::write(&source, "__attribute__((section(\"xdp\"), used)) int pass(void *ctx) { return 2; }\nchar _license[] __attribute__((section(\"license\"), used)) = \"GPL\";\n").unwrap();
    let made = std::process::Command::new("clang")
        .args(["-target", "bpf", "-O2", "-g", "-c"])
        .arg(&source)
        .arg("-o")
        .arg(&object)
        .status();
    assert!(made.unwrap().success());
    lab.nets.ip('f', &["link", "set", "dev", "b1", "xdpgeneric", "obj", &object.display().to_string(), "sec", "xdp"]).unwrap();
    let (status, said) = lab.fails(&["inline", "--between", "a1", "b1"]);
    assert!(status == 1 && said.contains("b1 has an XDP program of somebody else"), "{said}");
    assert_eq!(["a1", "b1"].map(|port| set_up(&lab, port)), before);
    lab.nets.ip('f', &["link", "set", "dev", "b1", "xdpgeneric", "off"]).unwrap();
    for file in [source, object] {
        fs::remove_file(file).unwrap();
    }
    // It never stood: what its ports are used for since is no business of `--remove`.
    lab.nets.ip('f', &["link", "set", "a1", "promisc", "on"]).unwrap();
    lab.remove();
    assert_eq!(set_up(&lab, "a1"), (true, "0".to_owned()));
    lab.nets.ip('f', &["link", "set", "a1", "promisc", "off"]).unwrap();
    let filter = lab.inline();
    assert_eq!(set_up(&lab, "a1"), (true, "1".to_owned()));
    filter.stop();
    // Another run in between knows what was before the first.
    lab.inline().stop();
    lab.remove();
    assert_eq!(["a1", "b1"].map(|port| set_up(&lab, port)), before);
}

#[test]
fn a_filter_that_hangs_is_taken_off_all_the_same() {
    let Some(lab) = lab("hung") else { return };
    let filter = lab.inline();
    signal(&filter.id(), "STOP");
    let (status, said) = lab.fails(&["inline", "--between", "a1", "b1", "--remove"]);
    assert!(status == 1 && said.contains("the filter is off all the same") && said.contains(&filter.id()), "{said}");
    lab.nothing_is_left();
    filter.kill();
}

fn is_up(lab: &Lab, port: &str) -> bool {
    lab.link('f', port).lines().next().unwrap().contains("UP")
}

#[test]
fn ports_are_as_they_were_whatever_became_of_the_process() {
    let Some(lab) = lab("were") else { return };
    let (promiscuous, ipv6) = (false, "0".to_owned());
    let as_they_were = |b_is_up: bool| {
        lab.nothing_is_left();
        for port in ["a1", "b1"] {
            assert_eq!(set_up(&lab, port), (promiscuous, ipv6.clone()), "{port}");
        }
        assert_eq!((is_up(&lab, "a1"), is_up(&lab, "b1")), (true, b_is_up));
    };
    // It hangs.
    lab.nets.ip('f', &["link", "set", "b1", "down"]).unwrap();
    let filter = lab.inline();
    assert!(is_up(&lab, "b1"));
    signal(&filter.id(), "STOP");
    let (status, said) = lab.fails(&["inline", "--between", "a1", "b1", "--remove"]);
    assert!(status == 1 && said.contains("the filter is off all the same"), "{said}");
    as_they_were(false);
    filter.kill();
    // It was killed while a loss of carrier was carried over.
    lab.nets.ip('f', &["link", "set", "b1", "up"]).unwrap();
    let filter = lab.inline();
    lab.nets.ip('a', &["link", "set", "a0", "down"]).unwrap();
    until("b1 is down", || !is_up(&lab, "b1"));
    filter.kill();
    lab.nets.ip('a', &["link", "set", "a0", "up"]).unwrap();
    lab.remove();
    as_they_were(true);
    // What it remembered is gone.
    lab.inline().stop();
    for port in ["a1", "b1"] {
        fs::remove_file(format!("/run/ztsms/{port}{}.lock", lab.nets.suffix())).unwrap();
    }
    lab.remove();
    as_they_were(true);
}

#[test]
fn an_interface_that_goes_takes_its_peer_down_and_one_that_comes_back_ends_the_filter() {
    let Some(lab) = lab("gone") else { return };
    let filter = lab.inline();
    let far = far_end(&lab);
    until("a carrier", || far.is_running() == Some(true));
    lab.nets.ip('f', &["link", "del", "a1"]).unwrap();
    until("the far end sees it", || far.is_running() == Some(false));
    until("an alarm", || lab.status()["alarms"].to_string().contains("a1 is gone; b1 is down"));
    lab.nets.cable(('a', "a0"), ('f', "a1")).unwrap();
    let mut ended: Filter = filter;
    let status = ended.child.wait().unwrap();
    ended.wait_for("a1 was removed and made anew");
    assert_eq!(status.code(), Some(1));
    // Nothing takes the frames that would come: the line does not say that it would.
    assert_eq!(far.is_running(), Some(false));
    let filter = lab.inline();
    until("a carrier again", || far.is_running() == Some(true));
    std::thread::sleep(QUIET);
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    a.send(&frames::numbered(1)).unwrap();
    assert_eq!(arrivals(&b, QUIET).len(), 1);
    filter.stop();
}

/// A port of the far side, as it sees it.
pub(super) fn far_end(lab: &Lab) -> Port {
    std::thread::scope(|scope| {
        let open = || {
            lab.nets.enter('b').unwrap();
            Port::open("b0").unwrap()
        };
        scope.spawn(open).join().unwrap()
    })
}

#[test]
fn a_port_that_has_another_name_for_a_while_is_a_port_again() {
    let Some(lab) = lab("renamed") else { return };
    let filter = lab.inline();
    let far = far_end(&lab);
    let rename = |from: &str, to: &str| {
        for change in [&["down"][..], &["name", to]] {
            lab.nets.ip('f', &[&["link", "set", from], change].concat()).unwrap();
        }
        lab.nets.ip('f', &["link", "set", to, "up"]).unwrap();
    };
    for n in 0..2 {
        until("a carrier", || far.is_running() == Some(true));
        rename("a1", "y1");
        until("the far end sees it", || far.is_running() == Some(false));
        until("an alarm", || lab.status()["alarms"].to_string().contains("a1 has another name; b1 is down"));
        rename("y1", "a1");
        until("a carrier again", || far.is_running() == Some(true));
        until("no alarm", || !lab.status()["alarms"].to_string().contains("a1"));
        std::thread::sleep(QUIET);
        scans(&lab, n);
    }
    // What only has another name is joined all the same once nobody looks.
    rename("a1", "y1");
    until("the far end sees it", || far.is_running() == Some(false));
    filter.stop();
    until("a carrier at the end", || far.is_running() == Some(true));
    rename("y1", "a1");
}

#[test]
fn a_port_that_was_in_another_namespace_ends_the_filter() {
    let Some(lab) = lab("moved") else { return };
    // A number that nothing has where it goes: it has the same when it is back.
    lab.nets.ip('f', &["link", "del", "a1"]).unwrap();
    let peer = ["type", "veth", "peer", "name", "a0", "netns", &lab.nets.of('a')];
    lab.nets.ip('f', &[&["link", "add", "a1", "index", "900"], &peer[..]].concat()).unwrap();
    lab.nets.ip('a', &["link", "set", "a0", "up"]).unwrap();
    let mut filter = lab.inline();
    let to = |from, to| {
        lab.nets.ip(from, &["link", "set", "a1", "netns", &lab.nets.of(to)]).unwrap();
    };
    to('f', 'b');
    until("an alarm", || lab.status()["alarms"].to_string().contains("a1 is gone; b1 is down"));
    to('b', 'f');
    until("it ends", || filter.child.try_wait().unwrap().is_some());
    filter.wait_for("a1 was removed and made anew");
    assert_eq!(filter.child.wait().unwrap().code(), Some(1));
}

#[test]
fn where_what_is_pinned_would_end_with_the_process_it_does_not_start() {
    let Some(lab) = lab("mounts") else { return };
    for args in [&["inline", "--between", "a1", "b1"][..], &["check", "--between", "a1", "b1"]] {
        let mut command = std::process::Command::new("ip");
        command
            .args(["netns", "exec", &lab.nets.of('f'), env!("CARGO_BIN_EXE_ztsms")])
            .args(args)
            .arg("--config")
            .arg(&lab.config);
        let out = command.output().unwrap();
        let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
        assert!(out.status.code() == Some(1) && said.contains("nsenter"), "{said}");
    }
    lab.nothing_is_left();
}

/// A configuration that only a long list makes wrong.
#[test]
fn a_list_that_the_kernel_does_not_hold_is_refused_and_a_whole_other_one_is_not() {
    let list = |from: u16, n: u16| (from..from + n).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let Some(lab) = lab_with("long-list", &format!("[live]\n[wire]\nonly_ports = [{}]\n", list(1, 256))) else { return };
    let filter = lab.inline();
    let reload = || control::live::admin::ask(&lab.config.with_extension("sock"), control::live::admin::Command::Reload);
    // Not one port of the old list is in the new: both together are more than the kernel's holds.
    for from in [2800, 5000, 2800] {
        lab.configure(&format!("[live]\n[wire]\nonly_ports = [{}]\n", list(from, 256)));
        reload().unwrap();
    }
    std::thread::sleep(Duration::from_millis(300));
    scans(&lab, 1);
    lab.configure(&format!("[live]\n[wire]\nonly_ports = [{}]\n", list(1, 257)));
    assert!(reload().unwrap_err().to_string().contains("257"));
    until("an alarm", || lab.status()["alarms"].to_string().contains("257"));
    lab.configure("[live]\n[wire]\nonly_ports = []\n");
    reload().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    scans(&lab, 2);
    filter.stop();
}
