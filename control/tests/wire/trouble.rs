//! What may happen to a filter while messages pass: each message arrives exactly once, in order, with the right text, and no more of them
//! are repeated than through a bare forwarder that was interrupted as long.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use control::build::{Source, What};
use control::live::admin;
use control::live::lab::Message;
use control::verdicts_cmd;
use dataplane::suffix::Suffixes;
use dataplane::world::World;
use dataplane::xdp::Cause;

use super::flow::{Ends, Flow, Usrsctp, count, flow, some, some_in, there_are_peers};
use super::relay::{BadLine, Faults};
use super::{Filter, Lab, bare, common, frames, lab};

/// Does each of these once, when its time has come.
pub(super) fn at(times: Vec<Duration>, mut act: impl FnMut(usize) + Send) -> impl FnMut(Duration) + Send {
    let mut next = 0;
    move |elapsed| {
        if times.get(next).is_some_and(|due| elapsed >= *due) {
            act(next);
            next += 1;
        }
    }
}

/// So many moments, spread over the time that the messages take.
fn spread(all: &[Message], rate: u64, moments: u32) -> Vec<Duration> {
    let whole = Duration::from_secs_f64(all.len() as f64 / rate as f64);
    (0..moments).map(|n| whole * (2 * n + 1) / (2 * moments)).collect()
}

/// Messages a second so that they take these seconds at the least.
fn over(seconds: u64, ends: &dyn Ends, all: &[Message]) -> u64 {
    ends.rate().min(all.len() as u64 / seconds)
}

/// Who stands between the ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Filter,
    /// A bare AF_XDP forwarder: see [`bare`].
    Bare,
}

impl Who {
    fn stand(self, lab: &Lab) -> Filter {
        match self {
            Self::Filter => lab.inline(),
            Self::Bare => bare::stand(lab, false),
        }
    }

    fn take_over(self, lab: &Lab) -> Filter {
        match self {
            Self::Filter => lab.filter(&["inline", "--between", "a1", "b1", "--take-over"]),
            Self::Bare => bare::stand(lab, true),
        }
    }

    /// Everything as it should be: whole, and only what went by unscanned unchanged.
    fn holds(self, lab: &Lab, flow: &Flow) {
        println!("  {:8} {flow:?}, unscanned {}", format!("{self:?}"), lab.unscanned());
        flow.is_whole();
        match self {
            Self::Filter => {
                assert!(flow.rewritten > 0, "{flow:?}");
                // A heartbeat may lapse on a machine that is busy elsewhere: what went by then is counted.
                assert!(flow.passed <= lab.unscanned(), "{flow:?}, unscanned {}", lab.unscanned());
            }
            Self::Bare => assert_eq!(flow.rewritten, 0, "{flow:?}"),
        }
    }
}

/// Rounds of each at the most, and the chance below which a difference is none of chance: one of 924 ways to deal twelve rounds out.
const ROUNDS: usize = 6;
const CHANCE: f64 = 0.002;

/// Through the filter no more is repeated than through a bare AF_XDP forwarder that suffers the same, as long. Which frames are on their way at
/// a moment is chance: both take turns until, over all rounds, the filter's are no more. If they never are, a permutation test decides
/// whether rounds so unlike could come from one source.
fn repeats_no_more(lab: &Lab, mut run: impl FnMut(Who) -> Flow) {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    let sum = |of: &[u64]| of.iter().sum::<u64>();
    for _ in 0..ROUNDS {
        for (who, repeated) in [(Who::Filter, &mut ours), (Who::Bare, &mut bare)] {
            lab.remove();
            let flow = run(who);
            repeated.push(flow.retransmitted);
            if who == Who::Filter && flow.retransmitted == 0 && repeated.len() == 1 {
                return;
            }
        }
        println!("  repeated {ours:?}, {bare:?} by a bare forwarder");
        if sum(&ours) <= sum(&bare) {
            return;
        }
    }
    let chance = chance(&ours, &bare);
    assert!(chance > CHANCE, "{ours:?} repeated, {bare:?} through a bare forwarder: chance {chance:.4}");
}

/// The share of all ways to deal the rounds out that give the first as much as they have, or more.
fn chance(ours: &[u64], bare: &[u64]) -> f64 {
    let all: Vec<u64> = ours.iter().chain(bare).copied().collect();
    let ways = (0..1_u32 << all.len()).filter(|way| way.count_ones() as usize == ours.len());
    let sums: Vec<u64> =
        ways.map(|way| (0..).zip(&all).filter(|(n, _)| way >> n & 1 == 1).map(|(_, count)| count).sum()).collect();
    let had = ours.iter().sum();
    sums.iter().filter(|sum| **sum >= had).count() as f64 / sums.len() as f64
}

#[test]
fn rounds_that_are_all_worse_are_none_of_chance_and_one_that_is_may_be() {
    assert!(chance(&[1; 6], &[0; 6]) < CHANCE);
    assert!(chance(&[9, 8, 12, 7, 9, 30], &[3, 0, 6, 5, 2, 1]) < CHANCE);
    assert!(chance(&[90, 0, 0, 0, 0, 0], &[0; 6]) > 0.4);
    assert!(chance(&[9, 8, 12, 7, 9, 30], &[3, 0, 6, 10, 2, 1]) > CHANCE);
}

/// A directory of a case, gone with it.
struct Room(PathBuf);

impl Room {
    fn new(label: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("ztsms-trouble-{}-{label}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn status(&self) -> serde_json::Value {
        admin::ask(&self.path("sock"), admin::Command::Status).unwrap()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.path("full").exists() {
            let _ = Command::new("umount").arg(self.path("full")).status();
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn undisturbed(lab: &Lab, ends: &dyn Ends) {
    let all = ends.carry(some(count(ends, 5000), 1));
    repeats_no_more(lab, |who| {
        let filter = who.stand(lab);
        let flow = flow(lab, ends, &all, ends.rate(), |_| ());
        who.holds(lab, &flow);
        assert!(flow.to_change > flow.sent / 8, "{flow:?}");
        filter.stop();
        flow
    });
}

pub(super) fn killed_ten_times(lab: &Lab, ends: &dyn Ends) {
    let all = ends.carry(some(count(ends, 4000), 3));
    // Each start takes a part of a second.
    let rate = over(8, ends, &all);
    repeats_no_more(lab, |who| {
        let mut filter = Some(who.stand(lab));
        let kill = at(spread(&all, rate, 10), |_| {
            filter.take().into_iter().for_each(Filter::kill);
            filter = Some(who.stand(lab));
        });
        let flow = flow(lab, ends, &all, rate, kill);
        who.holds(lab, &flow);
        assert!(lab.of(Cause::NoSocket) > 0, "{:?}", lab.kernel());
        flow
    });
}

pub(super) fn hangs_for_two_seconds(lab: &Lab, ends: &dyn Ends) {
    let all = ends.carry(some(count(ends, 3000), 4));
    let rate = over(3, ends, &all);
    repeats_no_more(lab, |who| {
        let filter = who.stand(lab);
        let id = filter.id();
        let times = [500, 2500].map(Duration::from_millis).to_vec();
        let hang = at(times, |n| super::signal(&id, if n == 0 { "STOP" } else { "CONT" }));
        let flow = flow(lab, ends, &all, rate, hang);
        who.holds(lab, &flow);
        assert!(lab.of(Cause::Stale) > 0, "{:?}", lab.kernel());
        let said = filter.stop();
        // What lay in its ring when it woke was repeated long ago, and thrown away.
        let lapsed = said.iter().any(|line| line.contains("heartbeat lapses") && !line.ends_with(" 0"));
        assert!(lapsed || who == Who::Bare, "{said:#?}");
        flow
    });
}

/// The world of a verdict directory.
fn world_of(dir: &Path) -> World {
    let suffixes = Suffixes::built_in();
    let table = control::build::open(dir, &suffixes).unwrap();
    World { table, ..common::world(control::config::load_with(None, []).unwrap().policy) }
}

pub(super) fn worlds_swap_each_second(lab: &Lab, ends: &dyn Ends) {
    let room = Room::new("swap");
    let verdicts = room.path("verdicts");
    let swap = |n: usize| {
        let own = room.path("own.csv");
        fs::write(&own, format!("pattern,verdict\nswap-{n}.example,dangerous\nparcel-fee.test,dangerous\n")).unwrap();
        verdicts_cmd::build(&[Source { path: own, what: What::Own }], &verdicts, n as u64 + 1, None).unwrap();
    };
    swap(0);
    let all = ends.carry(some_in(count(ends, 4000), 5, &world_of(&verdicts)));
    let rate = over(4, ends, &all);
    lab.configure(&format!("[live]\nenforce = true\nverdicts = {verdicts:?}\n[admin]\nsocket = {:?}\n", room.path("sock")));
    let seconds = all.len() as u64 / rate;
    let mut swaps = 0;
    repeats_no_more(lab, |who| {
        let filter = who.stand(lab);
        if who == Who::Bare {
            let flow = flow(lab, ends, &all, rate, |_| ());
            who.holds(lab, &flow);
            return flow;
        }
        let begun = Instant::now();
        while room.status()["verdicts"]["entries"] != 2 {
            assert!(begun.elapsed() < Duration::from_secs(5), "{}", room.status());
        }
        let before = room.status()["verdicts"]["world"].as_u64().unwrap();
        let times: Vec<Duration> = (1..seconds).map(Duration::from_secs).collect();
        let wanted = times.len() as u64;
        let each = at(times, |_| {
            swaps += 1;
            swap(swaps);
        });
        let flow = flow(lab, ends, &all, rate, each);
        who.holds(lab, &flow);
        let worlds = room.status()["verdicts"]["world"].as_u64().unwrap() - before;
        assert!(worlds >= wanted, "{worlds} worlds for {wanted} snapshots");
        filter.stop();
        flow
    });
}

pub(super) fn the_console_is_absent(lab: &Lab, ends: &dyn Ends) {
    let room = Room::new("absent");
    // The directory is there and empty when the filter starts, has a snapshot for a while, and is gone before the end: what was in force
    // stays. Everything is unknown under each.
    let verdicts = room.path("verdicts");
    let own = room.path("own.csv");
    fs::write(&own, "pattern,verdict\nnobody.example,dangerous\n").unwrap();
    verdicts_cmd::build(&[Source { path: own, what: What::Own }], &room.path("made"), 1, None).unwrap();
    let all = ends.carry(some_in(count(ends, 3000), 6, &world_of(&room.path("made"))));
    let rate = over(3, ends, &all);
    lab.configure(&format!(
        "[live]\nenforce = true\nverdicts = {verdicts:?}\n[admin]\nsocket = {:?}\n[spool]\ndir = {:?}\n",
        room.path("sock"),
        room.path("spool")
    ));
    repeats_no_more(lab, |who| {
        let filter = who.stand(lab);
        let comes_and_goes = at(spread(&all, rate, 2), |n| {
            let (from, to) = if n == 0 { (room.path("made"), verdicts.clone()) } else { (verdicts.clone(), room.path("made")) };
            fs::rename(from, to).unwrap();
        });
        let flow = flow(lab, ends, &all, rate, comes_and_goes);
        who.holds(lab, &flow);
        if who == Who::Filter {
            let alarms = room.status()["alarms"].to_string();
            assert!(alarms.contains("verdicts-refused"), "{alarms}");
        }
        filter.stop();
        flow
    });
}

pub(super) fn the_disk_of_the_spool_is_full(lab: &Lab, ends: &dyn Ends) {
    let room = Room::new("full");
    let full = room.path("full");
    fs::create_dir_all(&full).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&full).status().unwrap();
    assert!(mounted.success());
    let all = ends.carry(some(count(ends, 4000), 7));
    let state = room.path("state");
    lab.configure(&format!(
        "[live]\nenforce = true\nstate_dir = {state:?}\n[admin]\nsocket = {:?}\n[spool]\ndir = {full:?}\nflush_ms = 50\n",
        room.path("sock")
    ));
    repeats_no_more(lab, |who| {
        let filter = who.stand(lab);
        let flow = flow(lab, ends, &all, ends.rate(), |_| ());
        who.holds(lab, &flow);
        if who == Who::Filter {
            let status = room.status();
            let lost = status["spool"]["lost_refused"].as_u64().unwrap();
            assert!(lost > 0 && status["alarms"].to_string().contains("spool"), "{status}");
        }
        filter.stop();
        flow
    });
}

pub(super) fn a_bad_line(lab: &Lab, ends: &dyn Ends) {
    let all = ends.carry(some(count(ends, 4000), 8));
    let rate = over(4, ends, &all);
    lab.remove();
    let line = BadLine::insert(lab);
    let faults = Faults { lost: 10, doubled: 10, overtaken: 10 };
    repeats_no_more(lab, |who| {
        let _relay = line.with(faults);
        let filter = who.stand(lab);
        let flow = flow(lab, ends, &all, rate, |_| ());
        who.holds(lab, &flow);
        assert!(flow.retransmitted > 0, "the line is not bad");
        filter.stop();
        flow
    });
}

pub(super) fn the_interface_goes_down_and_up(lab: &Lab, ends: &dyn Ends) {
    let all = ends.carry(some(count(ends, 3000), 9));
    let rate = over(3, ends, &all);
    let down = Duration::from_millis(300);
    let times: Vec<Duration> = spread(&all, rate, 2).into_iter().flat_map(|time| [time, time + down]).collect();
    let link = |n: usize| lab.nets.ip('b', &["link", "set", "b0", if n.is_multiple_of(2) { "down" } else { "up" }]).unwrap();
    repeats_no_more(lab, |who| {
        let filter = who.stand(lab);
        let flow = flow(lab, ends, &all, rate, at(times.clone(), link));
        who.holds(lab, &flow);
        assert!(flow.retransmitted > 0, "the link was not down");
        filter.stop();
        flow
    });
}

/// Signalling that is none, beside what is: what cannot be understood, and more of it than of the rest.
fn flood(lab: &Lab, a_second: u64, over: &AtomicBool) {
    let raw = lab.raw('a', "a0");
    let garbage = frames::garbage();
    let begin = Instant::now();
    for (n, frame) in (0_u64..).zip(garbage.iter().cycle()) {
        if over.load(Ordering::Acquire) {
            return;
        }
        // A full queue of the sender's own loses garbage.
        let _ = raw.send(frame);
        if n.is_multiple_of(16) {
            std::thread::sleep(Duration::from_nanos(n * 1_000_000_000 / a_second).saturating_sub(begin.elapsed()));
        }
    }
}

pub(super) fn garbage_beside_it(lab: &Lab, ends: &dyn Ends) {
    let all = ends.carry(some(count(ends, 3000), 10));
    let rate = over(3, ends, &all);
    repeats_no_more(lab, |who| {
        let filter = who.stand(lab);
        let over = AtomicBool::new(false);
        let flow = std::thread::scope(|scope| {
            scope.spawn(|| flood(lab, 5 * rate, &over));
            let flow = flow(lab, ends, &all, rate, |_| ());
            over.store(true, Ordering::Release);
            flow
        });
        who.holds(lab, &flow);
        assert!(lab.of(Cause::ToSocket) > 3 * flow.sent, "{:?}", lab.kernel());
        filter.stop();
        flow
    });
}

pub(super) fn taken_over(lab: &Lab, ends: &dyn Ends) {
    let all = ends.carry(some(count(ends, 3000), 11));
    let rate = over(3, ends, &all);
    repeats_no_more(lab, |who| {
        let mut filter = Some(who.stand(lab));
        let upgrade = at(spread(&all, rate, 3), |_| {
            let new = who.take_over(lab);
            let mut old = filter.replace(new).unwrap();
            assert!(old.child.wait().unwrap().success());
        });
        let flow = flow(lab, ends, &all, rate, upgrade);
        who.holds(lab, &flow);
        filter.unwrap().stop();
        flow
    });
}

/// What happens, between whatever ends.
pub(super) type Case = fn(&Lab, &dyn Ends);

/// A case, between usrsctp peers.
fn between_usrsctp(label: &str, case: Case) {
    if there_are_peers()
        && let Some(lab) = lab(label)
    {
        case(&lab, &Usrsctp);
    }
}

#[test]
fn every_message_arrives_once_in_order_and_with_the_right_text() {
    between_usrsctp("peers", undisturbed);
}

#[test]
fn killed_and_restarted_ten_times_every_message_arrives_once_and_in_order() {
    between_usrsctp("kill", killed_ten_times);
}

#[test]
fn a_filter_that_hangs_for_two_seconds_holds_nothing_up() {
    between_usrsctp("hang", hangs_for_two_seconds);
}

#[test]
fn worlds_that_swap_each_second_disturb_no_message() {
    between_usrsctp("swap", worlds_swap_each_second);
}

#[test]
fn without_a_console_every_message_arrives() {
    between_usrsctp("absent-console", the_console_is_absent);
}

#[test]
fn a_full_disk_costs_records_and_no_message() {
    between_usrsctp("disk", the_disk_of_the_spool_is_full);
}

#[test]
fn a_line_that_loses_doubles_and_reorders_is_made_no_worse() {
    between_usrsctp("bad-line", a_bad_line);
}

#[test]
fn an_interface_that_goes_down_and_up_is_as_if_no_filter_were_there() {
    between_usrsctp("down-up", the_interface_goes_down_and_up);
}

#[test]
fn garbage_lying_lengths_and_floods_beside_it_disturb_no_message() {
    between_usrsctp("garbage", garbage_beside_it);
}

#[test]
fn an_upgrade_in_place_disturbs_no_message() {
    between_usrsctp("upgrade-flow", taken_over);
}
