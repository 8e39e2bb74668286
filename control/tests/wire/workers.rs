//! Two pairs of ports in one filter, and a worker for each: what is said of them, and that what happens to one is none of the other's.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use control::config;
use control::live::{Plan, Wire};
use dataplane::xdp::{CAUSES, Cause, Inspect, Kernel, Raw, Report};
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

use super::flow::{Second, Usrsctp, flow, some, there_are_peers};
use super::standing::until;
use super::trouble::at;
use super::{Filter, Lab, arrivals, frames, lab_with, signal};

const QUIET: Duration = Duration::from_millis(300);
const PAIRS: [&str; 7] = ["inline", "--between", "a1", "b1", "--between", "c1", "d1"];
/// On a busy machine a worker may wait for its core.
const TWO: &str = "[live]\nenforce = true\n[wire]\nworkers = 2\ncores = [0, 1]\nheartbeat_ms = 200\n";
const ONE: &str = "[live]\nenforce = true\n[wire]\nheartbeat_ms = 200\n";

/// A laboratory with a second pair; nothing where the machine has no second core.
fn two_pairs(label: &str, config: &str) -> Option<Lab> {
    if dataplane::pin::cores().len() < 2 {
        println!("{label}: one core: not run");
        return None;
    }
    let lab = lab_with(label, config)?;
    lab.nets.second().unwrap();
    Some(lab)
}

/// Both ends of both pairs, for whole frames.
struct Lines([[Raw; 2]; 2]);

impl Lines {
    fn new(lab: &Lab) -> Self {
        let raw = |which, interface| lab.raw(which, interface);
        Self([[raw('a', "a0"), raw('b', "b0")], [raw('c', "c0"), raw('d', "d0")]])
    }

    /// Frames that arrive of this many.
    fn pass(&self, pair: usize, n: u32) -> usize {
        let [from, to] = &self.0[pair];
        (0..n).for_each(|n| from.send(&frames::numbered(n)).unwrap());
        arrivals(to, QUIET).len()
    }
}

/// What the kernel counted on both ports of a pair.
fn kernel(lab: &Lab, pair: u32) -> [u64; CAUSES] {
    let kernel = Kernel::open(&format!("inline-a1-b1-c1-d1{}", lab.nets.suffix())).unwrap();
    let (one, other) = (kernel.port(2 * pair), kernel.port(2 * pair + 1));
    std::array::from_fn(|at| one[at] + other[at])
}

fn of(lab: &Lab, pair: u32, cause: Cause) -> u64 {
    kernel(lab, pair)[cause as usize]
}

fn unscanned(lab: &Lab, pair: u32) -> u64 {
    Cause::ALL.iter().zip(kernel(lab, pair)).filter(|(cause, _)| cause.is_unscanned()).map(|(_, n)| n).sum()
}

fn off(lab: &Lab) {
    let (status, said) = lab.fails(&[&PAIRS[..], &["--remove"]].concat());
    assert_eq!(status, 0, "{said}");
}

/// The cores that a thread of a process may run on.
fn cores_of(id: &str, thread: &str) -> String {
    for entry in fs::read_dir(format!("/proc/{id}/task")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path().join("status")).unwrap_or_default();
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
        if field("Name:") == thread {
            return field("Cpus_allowed_list:");
        }
    }
    panic!("no thread {thread}");
}

#[test]
fn messages_of_two_pairs_arrive_once_and_changed_each_by_a_worker_of_its_own() {
    if !there_are_peers() {
        return;
    }
    let Some(lab) = two_pairs("two-pairs", TWO) else { return };
    let filter = lab.filter(&PAIRS);
    for line in ["worker 1: core 0, takes a1 - b1", "worker 2: core 1, takes c1 - d1"] {
        assert!(filter.all.iter().any(|said| said.ends_with(line)), "{line}: {:#?}", filter.all);
    }
    assert_eq!(["ztsms-lane-1", "ztsms-lane-2"].map(|name| cores_of(&filter.id(), name)), ["0", "1"]);
    let (ours, theirs) = (some(1500, 31), some(1500, 32));
    let flows = thread::scope(|scope| {
        let second = scope.spawn(|| flow(&lab, &Second, &theirs, 1000, |_| ()));
        [flow(&lab, &Usrsctp, &ours, 1000, |_| ()), second.join().unwrap()]
    });
    for (pair, flow) in (0..).zip(&flows) {
        println!("{flow:?}, unscanned {}", unscanned(&lab, pair));
        flow.is_whole();
        assert!(flow.rewritten > 0 && flow.passed <= unscanned(&lab, pair), "{flow:?}");
    }
    // The status speaks for both, together and apart.
    thread::sleep(Duration::from_millis(500));
    let status = lab.status();
    let named: Vec<_> = status["workers"].as_array().unwrap().iter().map(|worker| (&worker["name"], &worker["core"])).collect();
    assert_eq!(named, [(&"a1-b1".into(), &0.into()), (&"c1-d1".into(), &1.into())], "{status}");
    let frames: Vec<u64> = (0..2).map(|n| status["workers"][n]["counts"]["frames"].as_u64().unwrap()).collect();
    assert!(frames.iter().all(|frames| *frames > 1500), "{frames:?}");
    assert_eq!(status["levels"]["frames"]["seen"], frames.iter().sum::<u64>(), "{status}");
    assert_eq!(status["gauges"]["worker"]["frames"], frames.iter().sum::<u64>(), "{status}");
    let number = |at: &str| status.pointer(at).and_then(serde_json::Value::as_u64).unwrap();
    assert_eq!(
        number("/levels/sms/seen") - number("/retransmitted"),
        number("/mode/last_minute/1"),
        "the breaker looks at all of them"
    );
    for (at, (interface, worker)) in [("a1", "a1-b1"), ("b1", "a1-b1"), ("c1", "c1-d1"), ("d1", "c1-d1")].into_iter().enumerate()
    {
        let port = &status["ports"][at];
        assert_eq!((&port["interface"], &port["worker"]), (&interface.into(), &worker.into()), "{port}");
        assert!(port["kernel"]["to socket"].as_u64().unwrap() > 100, "{port}");
    }
    // Both carry messages between the same points: parts of a text could fall on either.
    let alarms = status["alarms"].to_string();
    assert!(alarms.contains("split") && alarms.contains("`worker_of`"), "{alarms}");
    // Both stop rewriting by one command.
    assert!(lab.command(&["inline", "--pass"]).status().unwrap().success());
    until("both pass", || lab.status()["mode"]["pass"] == true);
    filter.stop();
    off(&lab);
}

#[test]
fn killed_and_started_again_nothing_of_either_pair_is_lost() {
    if !there_are_peers() {
        return;
    }
    let Some(lab) = two_pairs("two-killed", TWO) else { return };
    let mut filter = Some(lab.filter(&PAIRS));
    let (ours, theirs) = (some(1500, 33), some(1500, 34));
    let kill = at([700, 1500, 2300].map(Duration::from_millis).to_vec(), |_| {
        filter.take().into_iter().for_each(Filter::kill);
        filter = Some(lab.filter(&PAIRS));
    });
    let flows = thread::scope(|scope| {
        let second = scope.spawn(|| flow(&lab, &Second, &theirs, 500, |_| ()));
        [flow(&lab, &Usrsctp, &ours, 500, kill), second.join().unwrap()]
    });
    for (pair, flow) in (0..).zip(&flows) {
        println!("{flow:?}, unscanned {}", unscanned(&lab, pair));
        flow.is_whole();
        assert!(flow.rewritten > 0 && flow.passed <= unscanned(&lab, pair), "{flow:?}");
        assert!(of(&lab, pair, Cause::NoSocket) > 0, "{:?}", kernel(&lab, pair));
    }
    filter.unwrap().stop();
    off(&lab);
}

#[test]
fn a_stop_a_start_and_an_upgrade_from_one_worker_to_two_and_back_lose_no_frame() {
    let Some(lab) = two_pairs("two-upgraded", ONE) else { return };
    let lines = Lines::new(&lab);
    let mut filter = Some(lab.filter(&PAIRS));
    const FRAMES: u32 = 6000;
    let came: Vec<Vec<Vec<u8>>> = thread::scope(|scope| {
        let sending = scope.spawn(|| {
            let begin = Instant::now();
            for n in 0..FRAMES {
                thread::sleep((Duration::from_micros(500) * n).saturating_sub(begin.elapsed()));
                lines.0.iter().for_each(|[from, _]| from.send(&frames::numbered(n)).unwrap());
            }
        });
        let receiving: Vec<_> = lines.0.iter().map(|[_, to]| scope.spawn(|| arrivals(to, Duration::from_secs(2)))).collect();
        thread::sleep(Duration::from_millis(300));
        for config in [TWO, TWO, ONE] {
            lab.configure(config);
            let new = lab.filter(&[&PAIRS[..], &["--take-over"]].concat());
            assert!(filter.replace(new).unwrap().child.wait().unwrap().success());
        }
        lab.configure(TWO);
        filter.take().map(Filter::stop);
        filter = Some(lab.filter(&PAIRS));
        sending.join().unwrap();
        receiving.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (pair, came) in (0..).zip(came) {
        let mut numbers: Vec<u32> = came.iter().map(|frame| frames::number(frame)).collect();
        numbers.sort_unstable();
        let missing = (0..FRAMES).filter(|n| numbers.binary_search(n).is_err()).count();
        assert_eq!((missing, numbers.len()), (0, FRAMES as usize), "pair {pair}, {:?}", kernel(&lab, pair));
        assert!(of(&lab, pair, Cause::ToSocket) > 0 && of(&lab, pair, Cause::NoSocket) > 0, "{:?}", kernel(&lab, pair));
    }
    filter.unwrap().stop();
    off(&lab);
}

/// One thread of a process, stopped as long as this is there.
struct Held(Child);

impl Held {
    fn new(id: &str, thread: &str) -> Option<Self> {
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/lab/hold"));
        let Ok(mut child) = command.args([id, thread]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
            assert!(std::env::var_os("CI").is_none(), "python3 is needed to stop a thread");
            println!("no python3: not run");
            return None;
        };
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "held");
        Some(Self(child))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn while_one_worker_hangs_its_pair_alone_goes_by_in_the_kernel() {
    let Some(lab) = two_pairs("one-hangs", TWO) else { return };
    let lines = Lines::new(&lab);
    let filter = lab.filter(&PAIRS);
    assert_eq!([0, 1].map(|pair| lines.pass(pair, 10)), [10, 10]);
    assert_eq!([0, 1].map(|pair| of(&lab, pair, Cause::ToSocket)), [10, 10]);
    let Some(held) = Held::new(&filter.id(), "ztsms-lane-1") else { return };
    thread::sleep(Duration::from_millis(400));
    // By the kernel, every one of them, and counted; the other's by its worker.
    assert_eq!([0, 1].map(|pair| lines.pass(pair, 20)), [20, 20]);
    assert_eq!([Cause::ToSocket, Cause::Stale].map(|cause| of(&lab, 0, cause)), [10, 20], "{:?}", kernel(&lab, 0));
    assert_eq!(of(&lab, 1, Cause::ToSocket) + unscanned(&lab, 1), 30);
    assert!(of(&lab, 1, Cause::ToSocket) > 10, "{:?}", kernel(&lab, 1));
    until("an alarm names the one", || {
        let alarms = lab.status()["alarms"].to_string();
        alarms.contains("a1-b1 has not published") && !alarms.contains("c1-d1")
    });
    let ports = lab.status()["ports"].clone();
    assert_eq!((&ports[0]["unscanned"], &ports[0]["worker"]), (&20.into(), &"a1-b1".into()), "{ports}");
    drop(held);
    until("it works again", || {
        lines.pass(0, 1);
        of(&lab, 0, Cause::ToSocket) > 10
    });
    until("all is well with the worker, and what went by unscanned is said for a while", || {
        let alarms = lab.status()["alarms"].clone();
        let names: Vec<&str> = alarms.as_array().unwrap().iter().filter_map(|alarm| alarm["name"].as_str()).collect();
        names == ["unscanned"] && alarms.to_string().contains("heartbeat too old")
    });
    let lapses = |n: usize| lab.status()["workers"][n]["counts"]["heartbeat lapses"].as_u64().unwrap();
    assert!(lapses(0) > 0);
    // One that hangs keeps nobody from leaving, and the other leaves in good order.
    let Some(held) = Held::new(&filter.id(), "ztsms-lane-1") else { return };
    signal(&filter.id(), "TERM");
    let mut filter = filter;
    let begun = Instant::now();
    let status = filter.child.wait().unwrap();
    assert!(status.code() == Some(1) && begun.elapsed() < Duration::from_secs(10), "{status}");
    filter.wait_for("a1-b1: the worker hangs and was left behind");
    assert!(filter.all.iter().any(|line| line.contains("worker c1-d1: frames ")), "{:#?}", filter.all);
    drop(held);
    assert_eq!([0, 1].map(|pair| lines.pass(pair, 5)), [5, 5]);
    off(&lab);
}

/// Looks at frames until it meets the one that it cannot bear.
struct Breaks;

impl Breaks {
    const AT: u32 = 4711;
}

impl Inspect for Breaks {
    fn begin(&mut self, _: u64) {}
    fn pressure(&mut self, _: bool) {}
    fn frame(&mut self, bytes: &[u8]) {
        assert!(bytes.len() < 58 || frames::number(bytes) != Self::AT, "it broke down");
    }
    fn changed(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::empty()
    }
    fn took(&mut self, _: u64, _: u64) {}
    fn publish(&mut self, _: u64, _: &Report<'_>) {}
}

const CONFIG: &str = "ZTSMS_TEST_BREAKS";

#[test]
#[ignore = "the forwarder itself, which the next test starts"]
fn stands_between_two_pairs_and_may_break_down() {
    let Some(path) = std::env::var_os(CONFIG) else { return };
    let config = config::load(Some(std::path::Path::new(&path))).unwrap();
    let plan = Plan::inline(&["a1", "b1", "c1", "d1"].map(str::to_owned), &config).unwrap();
    let mut signals = Signals::new([SIGTERM]).unwrap();
    let mut wire = Wire::with(&plan, vec![Breaks, Breaks], false).unwrap();
    wire.stands();
    eprintln!("standing between");
    signals.forever().next();
    assert!(wire.is_alive());
    let left: Vec<(String, bool)> = wire.close().into_iter().map(|(name, counts)| (name, counts.is_ok())).collect();
    assert_eq!(left, [("a1-b1".to_owned(), false), ("c1-d1".to_owned(), true)]);
}

#[test]
fn when_one_worker_breaks_down_its_pair_alone_goes_by_in_the_kernel() {
    let Some(lab) = two_pairs("one-breaks", TWO) else { return };
    let lines = Lines::new(&lab);
    let me = std::env::current_exe().unwrap();
    let mut command = lab.nets.command('f', &me.to_string_lossy());
    command.args(["--exact", "workers::stands_between_two_pairs_and_may_break_down", "--ignored", "--nocapture"]);
    command.env(CONFIG, &lab.config).env("RUST_BACKTRACE", "0");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut filter = lab.standing(command);
    assert_eq!([0, 1].map(|pair| lines.pass(pair, 10)), [10, 10]);
    lines.0[0][0].send(&frames::numbered(Breaks::AT)).unwrap();
    filter.wait_for("it broke down");
    // What lay before it goes with it; what comes goes on, by the kernel, which knows at once or after the heartbeat's age.
    thread::sleep(Duration::from_millis(300));
    arrivals(&lines.0[0][1], QUIET);
    assert_eq!([0, 1].map(|pair| lines.pass(pair, 20)), [20, 20]);
    assert_eq!(unscanned(&lab, 0), 20, "{:?}", kernel(&lab, 0));
    assert_eq!(of(&lab, 1, Cause::ToSocket) + unscanned(&lab, 1), 30);
    assert_eq!(of(&lab, 1, Cause::NoSocket), 0, "{:?}", kernel(&lab, 1));
    until("its sockets are gone", || lines.pass(0, 1) == 1 && of(&lab, 0, Cause::NoSocket) > 0);
    filter.stop();
    off(&lab);
}

#[test]
fn a_cable_that_is_pulled_at_one_pair_is_none_of_the_others_business_whoever_works_it() {
    for (label, config) in [("cable-one", ONE), ("cable-two", TWO)] {
        let Some(lab) = two_pairs(label, config) else { return };
        let lines = Lines::new(&lab);
        let filter = lab.filter(&PAIRS);
        for (which, far, near) in [('a', "a0", "b1"), ('b', "b0", "a1")] {
            lab.nets.ip(which, &["link", "set", far, "down"]).unwrap();
            until("the loss is carried over", || lab.link('f', near).contains("state DOWN"));
            assert_eq!(lines.pass(1, 20), 20, "{far} is down");
            lab.nets.ip(which, &["link", "set", far, "up"]).unwrap();
            until("both ports are up", || ["a1", "b1"].iter().all(|port| lab.link('f', port).contains("state UP")));
        }
        // And the other way round: the second pair's are carried over too.
        lab.nets.ip('d', &["link", "set", "d0", "down"]).unwrap();
        until("the loss is carried over", || lab.link('f', "c1").contains("state DOWN"));
        assert_eq!(Lines::new(&lab).pass(0, 20), 20, "d0 is down");
        filter.stop();
        off(&lab);
    }
}

#[test]
fn ports_that_are_gone_or_differ_are_named_whichever_pair_they_are_of() {
    for (label, carries) in [("gone-carried", true), ("gone-kept", false)] {
        let Some(lab) = two_pairs(label, &format!("{ONE}carry_carrier = {carries}\n")) else { return };
        let filter = lab.filter(&PAIRS);
        let alarm = |name: &str| {
            let alarms = lab.status()["alarms"].clone();
            let alarm = alarms.as_array().unwrap().iter().find(|alarm| alarm["name"] == name);
            alarm.map_or_else(String::new, |alarm| alarm["what"].as_str().unwrap().to_owned())
        };
        ["b1", "d1"].iter().for_each(|port| lab.nets.ip('f', &["link", "set", port, "mtu", "1300"]).unwrap());
        until("both are named", || ["b1 1300", "d1 1300"].iter().all(|port| alarm("mtu").contains(port)));
        let gone = |port| lab.nets.ip('f', &["link", "del", port]).unwrap();
        gone("a1");
        gone("d1");
        let down = |port| if carries { format!("; {port} is down until it is back") } else { String::new() };
        let all = format!("a1 is gone{}; d1 is gone{}", down("b1"), down("c1"));
        until(&all, || alarm("port") == all);
        until("its peer is as is said", || lab.link('f', "b1").contains(if carries { "state DOWN" } else { "state UP" }));
        gone("b1");
        let all = format!("a1 is gone; b1 is gone; d1 is gone{}", down("c1"));
        until(&all, || alarm("port") == all);
        filter.stop();
    }
}

#[test]
fn what_workers_cannot_be_is_refused_with_what_to_change_and_check_says_the_same() {
    let Some(lab) = two_pairs("no-workers", "") else { return };
    for (wire, args, says) in [
        ("workers = 2", &PAIRS[..4], "2 workers and 1 pair: each pair belongs to one worker whole"),
        ("workers = 2\ncores = [0, 0]", &PAIRS, "core 0 is named twice"),
        ("workers = 2\ncores = [0, 1000]", &PAIRS, "core 1000 (`cores` in [wire]) is not there, is offline"),
        ("core = 1000", &PAIRS, "core 1000 (`core` in [wire]) is not there, is offline"),
        ("workers = 2\nworker_of = [1, 1]", &PAIRS, "worker 2 has no pair"),
    ] {
        lab.configure(&format!("[wire]\n{wire}\n"));
        let (status, said) = lab.fails(args);
        assert!(status == 1 && said.contains(says), "{wire}: {said}");
        assert!(["a1", "b1", "c1", "d1"].iter().all(|port| !lab.link('f', port).contains("xdp")), "{wire}");
        let out = lab.command(&[&["check"], &args[1..]].concat()).output().unwrap();
        let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
        assert!(out.status.code() == Some(1) && said.contains(says), "{wire}: {said}");
    }
    lab.configure("[wire]\nworkers = 2\ncores = [1, 0]\nworker_of = [2, 1]\n");
    let out = lab.command(&[&["check"], &PAIRS[1..]].concat()).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    for line in ["ok  worker 1: core 1, takes c1 - d1", "ok  worker 2: core 0, takes a1 - b1"] {
        assert!(out.status.success() && said.contains(line), "{said}");
    }
}

#[test]
fn two_links_of_a_tap_have_a_worker_each() {
    let Some(lab) = two_pairs("two-links", TWO) else { return };
    let lines = Lines::new(&lab);
    let args = ["tap", "--interface", "a1,b1", "--interface", "c1"];
    let filter = lab.filter(&args);
    assert!(filter.all.iter().any(|said| said.ends_with("worker 2: core 1, takes c1")), "{:#?}", filter.all);
    let send = |raw: &Raw, n: u32| (0..n).for_each(|n| raw.send(&frames::numbered(n)).unwrap());
    send(&lines.0[0][0], 5);
    send(&lines.0[0][1], 6);
    send(&lines.0[1][0], 7);
    until("each has seen its own", || {
        let status = lab.status();
        let seen = |n: usize| status["workers"][n]["counts"]["frames"].as_u64();
        let ports: Vec<_> = (0..3).map(|n| status["ports"][n]["kernel"]["to socket"].as_u64().unwrap_or(0)).collect();
        (seen(0), seen(1)) == (Some(11), Some(7)) && ports == [5, 6, 7]
    });
    filter.stop();
    assert_eq!(lab.fails(&[&args[..], &["--remove"]].concat()).0, 0);
}
