//! What is pinned outlives its filter: whose it is when namespaces and interfaces come and go.

use std::os::unix::fs::MetadataExt as _;
use std::process::Stdio;
use std::time::Duration;

use control::live::admin;
use dataplane::xdp::{Cause, Kernel, Program, Settings, pins};

use super::standing::until;
use super::{Filter, Lab, arrivals, frames, lab, lab_with, signal};

const QUIET: Duration = Duration::from_millis(300);
/// What is asked here is whether a worker has the frames, and not how soon a busy machine lets it run.
const PATIENT: &str = "[live]\n[wire]\nheartbeat_ms = 5000\n";

/// A namespace of its own with the same names in it, as a container has.
fn container(lab: &Lab) -> (String, u64) {
    lab.nets.add('r').unwrap();
    lab.nets.cable(('a', "e0"), ('r', "a1")).unwrap();
    lab.nets.cable(('b', "g0"), ('r', "b1")).unwrap();
    let number = std::fs::metadata(format!("/run/netns/{}", lab.nets.of('r'))).unwrap().ino();
    (format!("inline-a1-b1{}", lab.nets.suffix_in('r').unwrap()), number)
}

fn filter_in_it(lab: &Lab) -> Filter {
    let mut command = lab.nets.command('r', env!("CARGO_BIN_EXE_ztsms"));
    command.args(["inline", "--between", "a1", "b1", "--config"]).arg(&lab.config);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    lab.standing(command)
}

#[test]
fn what_a_namespace_that_is_gone_left_pinned_is_not_taken_up_but_said_and_removed() {
    let Some(lab) = lab("stale") else { return };
    let (first, number) = container(&lab);
    let filter = filter_in_it(&lab);
    let (a, b) = (lab.raw('a', "e0"), lab.raw('b', "g0"));
    (0..5).for_each(|n| a.send(&frames::numbered(n)).unwrap());
    assert_eq!(arrivals(&b, QUIET).len(), 5);
    let to_socket = |name: &str| Kernel::open(name).unwrap().port(0)[Cause::ToSocket as usize];
    assert_eq!(to_socket(&first), 5);
    // While it lives, another filter's start leaves it alone.
    lab.configure("[admin]\nsocket = \"/tmp/ztsms-wire-stale-other.sock\"\n");
    let other = lab.inline();
    assert!(pins(&first).exists());
    other.stop();
    filter.kill();
    lab.nets.remove('r');
    until("its interfaces are gone", || lab.link('a', "e0").is_empty());
    assert!(pins(&first).exists());
    // The next container may well have the same number; what it counts begins anew.
    let (second, again) = container(&lab);
    println!("{first} had number {number}, {second} has {again}");
    assert_ne!(first, second);
    let filter = filter_in_it(&lab);
    assert!(filter.all.iter().any(|line| line.contains(&first) && line.contains("removed")), "{:#?}", filter.all);
    assert!(!pins(&first).exists());
    let (a, b) = (lab.raw('a', "e0"), lab.raw('b', "g0"));
    a.send(&frames::numbered(1)).unwrap();
    assert_eq!((arrivals(&b, QUIET).len(), to_socket(&second)), (1, 1));
    filter.stop();
    std::fs::remove_dir_all(pins(&second)).unwrap();
}

#[test]
fn interfaces_that_are_made_anew_again_and_again_are_taken_each_time() {
    let Some(lab) = lab_with("anew", PATIENT) else { return };
    for n in 1..=10 {
        let filter = lab.inline();
        let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
        a.send(&frames::numbered(n)).unwrap();
        assert_eq!((arrivals(&b, QUIET).len(), lab.of(Cause::ToSocket)), (1, u64::from(n)));
        filter.stop();
        for (which, far, near) in [('a', "a0", "a1"), ('b', "b0", "b1")] {
            lab.nets.ip('f', &["link", "del", near]).unwrap();
            lab.nets.cable((which, far), ('f', near)).unwrap();
        }
    }
    lab.remove();
}

#[test]
fn a_link_that_leads_to_a_renamed_interface_is_put_aside_for_the_one_that_has_its_name_now() {
    let Some(lab) = lab_with("renamed", PATIENT) else { return };
    lab.inline().stop();
    for args in [["down"].as_slice(), &["name", "x1"]] {
        lab.nets.ip('f', &[&["link", "set", "a1"], args].concat()).unwrap();
    }
    lab.nets.ip('f', &["link", "set", "x1", "up"]).unwrap();
    lab.nets.cable(('a', "a9"), ('f', "a1")).unwrap();
    let filter = lab.inline();
    assert!(filter.all.iter().any(|line| line.contains("a1: its link led to x1")), "{:#?}", filter.all);
    until("the program is where it belongs", || lab.link('f', "a1").contains("xdp") && !lab.link('f', "x1").contains("xdp"));
    let (a, b) = (lab.raw('a', "a9"), lab.raw('b', "b0"));
    (0..5).for_each(|n| a.send(&frames::numbered(n)).unwrap());
    assert_eq!((arrivals(&b, QUIET).len(), lab.of(Cause::ToSocket)), (5, 5));
    filter.stop();
    lab.remove();
}

#[test]
fn ports_that_swapped_their_names_are_ports_again() {
    let Some(lab) = lab_with("swapped", PATIENT) else { return };
    let rename = |from: &str, to: &str| {
        for args in [["down"].as_slice(), &["name", to]] {
            lab.nets.ip('f', &[&["link", "set", from], args].concat()).unwrap();
        }
        lab.nets.ip('f', &["link", "set", to, "up"]).unwrap();
    };
    let swap = || [("a1", "x1"), ("b1", "a1"), ("x1", "b1")].iter().for_each(|(from, to)| rename(from, to));
    lab.inline().stop();
    for n in 1..3 {
        swap();
        let filter = lab.inline();
        let updated = filter.all.iter().filter(|line| line.contains("link updated, never detached")).count();
        assert_eq!(updated, 2, "{:#?}", filter.all);
        let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
        a.send(&frames::numbered(n)).unwrap();
        assert_eq!((arrivals(&b, QUIET).len(), lab.of(Cause::ToSocket)), (1, n.into()));
        filter.stop();
    }
    // Of another filter it is not to be had, and stays there.
    rename("a1", "x1");
    let (status, said) = lab.fails(&["tap", "--interface", "x1"]);
    assert!(status == 1 && said.contains("x1 has the XDP program of the filter that is pinned as inline-a1-b1"), "{said}");
    assert!(said.contains("--remove") && lab.link('f', "x1").contains("xdp"), "{said}");
    rename("x1", "a1");
    lab.remove();
    lab.nothing_is_left();
}

#[test]
fn a_port_that_loses_its_program_gets_it_back_and_an_alarm_says_so() {
    let Some(lab) = lab_with("lost", PATIENT) else { return };
    let filter = lab.inline();
    let pinned = pins(&format!("inline-a1-b1{}", lab.nets.suffix()));
    let alarms = || lab.status()["alarms"].to_string();
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    std::fs::remove_file(pinned.join("link-b1")).unwrap();
    until("an alarm", || alarms().contains("b1 had lost its XDP program, and has it again"));
    std::thread::sleep(QUIET);
    for (from, to) in [(&a, &b), (&b, &a)] {
        let before = lab.of(Cause::ToSocket);
        from.send(&frames::numbered(1)).unwrap();
        assert_eq!((arrivals(to, QUIET).len(), lab.of(Cause::ToSocket)), (1, before + 1));
    }
    // Taken off whole it stays off.
    std::fs::remove_dir_all(&pinned).unwrap();
    until("another alarm", || ["a1", "b1"].iter().all(|port| alarms().contains(&format!("{port} has lost its XDP program"))));
    lab.nothing_is_left();
    filter.stop();
    lab.nothing_is_left();
}

#[test]
fn what_a_filter_that_runs_has_pinned_stays_though_its_interfaces_are_gone() {
    let Some(lab) = lab("runs") else { return };
    let name = format!("inline-a1-b1{}", lab.nets.suffix());
    lab.nets.cable(('a', "e0"), ('f', "c1")).unwrap();
    let filter = lab.inline();
    ["a1", "b1"].iter().for_each(|port| lab.nets.ip('f', &["link", "del", port]).unwrap());
    let other = || {
        lab.configure("[admin]\nsocket = \"/tmp/ztsms-wire-runs-other.sock\"\n");
        let tap = lab.filter(&["tap", "--interface", "c1"]);
        let said = tap.all.join("\n");
        tap.stop();
        said
    };
    let said = other();
    assert!(pins(&name).join("queues").exists() && !said.contains(&name), "{said}");
    filter.kill();
    let said = other();
    assert!(!pins(&name).exists() && said.contains(&format!("{name}: left pinned")), "{said}");
    assert_eq!(lab.fails(&["tap", "--interface", "c1", "--remove"]).0, 0);
}

#[test]
fn of_two_starts_at_once_one_stands_whole_and_the_other_is_refused() {
    let Some(lab) = lab_with("at-once", PATIENT) else { return };
    let start = || lab.command(&["inline", "--between", "a1", "b1"]).spawn().unwrap();
    let refused = |child: std::process::Child| {
        let out = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        // Where the other stands already before this one has looked for it, its socket is found.
        let why = ["a1 has a filter already", "[admin] socket"];
        assert!(out.status.code() == Some(1) && why.iter().any(|why| said.contains(why)), "{said}");
    };
    let stands = |child: std::process::Child, n: u32| {
        let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
        let name = format!("inline-a1-b1{}", lab.nets.suffix());
        until("it stands", || admin::ask(&lab.config.with_extension("sock"), admin::Command::Status).is_ok());
        assert!(pins(&name).join("link-a1").exists());
        a.send(&frames::numbered(n)).unwrap();
        assert_eq!((arrivals(&b, QUIET).len(), lab.of(Cause::ToSocket)), (1, 1));
        signal(&child.id().to_string(), "TERM");
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        lab.remove();
    };
    for n in 0..4 {
        let mut both = [start(), start()];
        until("one of them has ended", || both.iter_mut().any(|child| child.try_wait().unwrap().is_some()));
        let [mut first, second] = both;
        let (lost, won) = if first.try_wait().unwrap().is_some() { (first, second) } else { (second, first) };
        refused(lost);
        stands(won, n);
    }
    // However long the first one takes from what it pins to where it stands.
    let first = start();
    let id = first.id().to_string();
    until("it pins", || pins(&format!("inline-a1-b1{}", lab.nets.suffix())).join("queues").exists());
    signal(&id, "STOP");
    let second = start();
    std::thread::sleep(Duration::from_millis(500));
    signal(&id, "CONT");
    refused(second);
    stands(first, 9);
}

#[test]
fn interfaces_with_dots_and_hyphens_are_pinned_and_told_apart() {
    let Some(lab) = lab_with("names", PATIENT) else { return };
    for (which, far, near) in [('a', "e0", "v-1.7"), ('b', "g0", "w")] {
        lab.nets.cable((which, far), ('f', near)).unwrap();
    }
    let filter = lab.filter(&["inline", "--between", "v-1.7", "w"]);
    let name = format!("inline-v%2d1%2e7-w{}", lab.nets.suffix());
    let (a, b) = (lab.raw('a', "e0"), lab.raw('b', "g0"));
    a.send(&frames::numbered(1)).unwrap();
    assert_eq!((arrivals(&b, QUIET).len(), Kernel::open(&name).unwrap().port(0)[Cause::ToSocket as usize]), (1, 1));
    filter.stop();
    let (status, said) = lab.fails(&["tap", "--interface", "v-1.7"]);
    assert!(status == 1 && said.contains("with its interfaces (v-1.7, w)"), "{said}");
    let (status, said) = lab.fails(&["inline", "--between", "w", "v-1.7", "--remove"]);
    assert!(status == 0 && said.contains("the filter is off") && !pins(&name).exists(), "{said}");
}

#[test]
fn a_prefix_that_is_the_same_to_the_kernel_is_not_taken_out_with_the_one_that_was_there() {
    let Some(lab) = lab_with("prefix", &format!("{PATIENT}only_prefixes = [\"192.0.0.0/8\"]\n")) else { return };
    let name = format!("inline-a1-b1{}", lab.nets.suffix());
    let earlier = || {
        let mut program = Program::load(&name).unwrap();
        let only_prefixes = vec![("192.9.0.0".parse().unwrap(), 8), ("2001:db8::7".parse().unwrap(), 32)];
        program.configure(&Settings { only_prefixes, ..Settings::default() }).unwrap();
    };
    earlier();
    let filter = lab.inline();
    let (a, b) = (lab.raw('a', "a0"), lab.raw('b', "b0"));
    a.send(&frames::numbered(1)).unwrap();
    assert_eq!((arrivals(&b, QUIET).len(), lab.of(Cause::ToSocket)), (1, 1), "{:?}", lab.kernel());
    filter.stop();
    lab.remove();
}
