//! What a start is told while it waits for another filter to leave, and who may tell a filter something.

use std::fs;
use std::process::Child;
use std::time::{Duration, Instant};

use control::live::admin::{Command, ask};

use super::standing::until;
use super::takeover::scans;
use super::{Lab, lab, signal};

const QUIET: Duration = Duration::from_millis(300);

/// A new filter that waits for the old one, which is stopped and has been told to leave.
fn waits_for(lab: &Lab, old: &str) -> Child {
    signal(old, "STOP");
    let new = lab.command(&["inline", "--between", "a1", "b1", "--take-over"]).spawn().unwrap();
    until("TERM lies there", || {
        let text = fs::read_to_string(format!("/proc/{old}/status")).unwrap();
        let field = text.lines().find_map(|line| line.strip_prefix("ShdPnd:")).unwrap().trim();
        u64::from_str_radix(field, 16).unwrap() & 1 << 14 != 0
    });
    new
}

/// The process that stands.
fn stands(lab: &Lab) -> Option<u64> {
    let status = ask(&lab.config.with_extension("sock"), Command::Status).ok()?;
    status["ports"].as_array().filter(|ports| !ports.is_empty()).and_then(|_| status["pid"].as_u64())
}

#[test]
fn a_hangup_ends_nothing_that_waits_for_another_filter_to_leave() {
    let Some(lab) = lab("hangup") else { return };
    let mut filter = lab.inline();
    let mut new = waits_for(&lab, &filter.id());
    signal(&new.id().to_string(), "HUP");
    std::thread::sleep(QUIET);
    assert!(new.try_wait().unwrap().is_none(), "ended by a hangup");
    signal(&filter.id(), "CONT");
    assert!(filter.child.wait().unwrap().success());
    until("the new one stands", || stands(&lab) == Some(new.id().into()));
    scans(&lab, 1);
    signal(&new.id().to_string(), "TERM");
    assert!(new.wait().unwrap().success());
}

#[test]
fn who_waits_for_another_filter_to_leave_ends_when_told() {
    let Some(lab) = lab("interrupted") else { return };
    for word in ["INT", "TERM"] {
        let filter = lab.inline();
        let new = waits_for(&lab, &filter.id());
        signal(&new.id().to_string(), word);
        let told = Instant::now();
        let out = new.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(told.elapsed() < Duration::from_secs(3), "{word}: {:?}", told.elapsed());
        assert!(out.status.code() == Some(1) && said.contains("told to end") && said.contains(&filter.id()), "{word}: {said}");
        signal(&filter.id(), "CONT");
        let mut filter = filter;
        assert!(filter.child.wait().unwrap().success());
    }
    lab.remove();
    lab.nothing_is_left();
}

#[test]
fn of_two_that_take_over_at_once_one_stands_and_none_says_that_somebody_hangs() {
    let Some(lab) = lab("two-at-once") else { return };
    let mut filter = lab.inline();
    let [mut one, mut other] =
        [(); 2].map(|()| lab.command(&["inline", "--between", "a1", "b1", "--take-over"]).spawn().unwrap());
    assert!(filter.child.wait().unwrap().success());
    until("one of them ends", || one.try_wait().unwrap().is_some() || other.try_wait().unwrap().is_some());
    if other.try_wait().unwrap().is_some() {
        std::mem::swap(&mut one, &mut other);
    }
    let said = String::from_utf8_lossy(&one.wait_with_output().unwrap().stderr).into_owned();
    assert!(!said.contains("hangs") && !said.contains("kill -9"), "{said}");
    until("the other stands", || stands(&lab) == Some(other.id().into()));
    scans(&lab, 1);
    signal(&other.id().to_string(), "TERM");
    let said = String::from_utf8_lossy(&other.wait_with_output().unwrap().stderr).into_owned();
    assert!(!said.contains("hangs"), "{said}");
}

/// A member of the group that the filter's files belong to, and nobody else.
#[test]
fn a_member_of_its_group_stops_its_rewriting_and_takes_that_back() {
    let Some(lab) = lab("member") else { return };
    let group = "65533";
    let filter = lab.inline();
    let socket = lab.config.with_extension("sock").display().to_string();
    assert!(std::process::Command::new("chgrp").args([group, &socket]).status().unwrap().success());
    // Where the program lies may be closed to others: a copy that anybody can run.
    let copy = lab.config.with_extension("exe");
    fs::copy(env!("CARGO_BIN_EXE_ztsms"), &copy).unwrap();
    let does = |group: &str, args: &[&str]| {
        let mut command = lab.nets.command('f', "setpriv");
        command.args(["--reuid=65534", &format!("--regid={group}"), "--clear-groups", "--"]).arg(&copy).args(args);
        let out = command.current_dir("/").output().unwrap();
        (out.status.success(), String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
    };
    for (args, pass) in [
        (&["inline", "--pass"][..], true),
        (&["inline", "--rewrite"], false),
        (&["status", "--socket", &socket, "--pass"], true),
        (&["status", "--socket", &socket, "--unpass"], false),
    ] {
        let (done, said) = does(group, args);
        assert!(done, "{args:?}: {said}");
        until(&args.join(" "), || lab.status()["mode"]["pass"] == pass);
        // Whoever is no member does nothing.
        let (done, said) = does("65534", args);
        assert!(!done && lab.status()["mode"]["pass"] == pass, "{args:?}: {said}");
    }
    fs::remove_file(copy).unwrap();
    filter.stop();
}
