//! A soak: half of what the filter takes without letting one frame by, for minutes. Memory stays, the accounts close, no frame is lost.

use std::fs;
use std::time::{Duration, Instant};

use control::live::lab::{frame, renumber};
use dataplane::xdp::{Cause, Raw};
use serde_json::Value;

use super::flow::some;
use super::{Lab, lab_with};

/// Frames in a burst of the sender.
const BURST: u64 = 16;
/// What the limit is looked for with, frames a second, and for how long each.
const RATES: [u64; 6] = [10_000, 20_000, 40_000, 80_000, 160_000, 320_000];
const PROBE: Duration = Duration::from_secs(2);

/// A half minute; five in CI; `ZTSMS_SOAK_SECONDS` of them, 1800 in `make prove`.
fn time() -> Duration {
    let asked = std::env::var("ZTSMS_SOAK_SECONDS").ok().map(|n| n.parse().expect("ZTSMS_SOAK_SECONDS is a number"));
    Duration::from_secs(asked.unwrap_or(if std::env::var_os("CI").is_some() { 300 } else { 30 }))
}

struct Sender {
    raw: Raw,
    frames: Vec<Vec<u8>>,
    tsn: u32,
}

impl Sender {
    /// Sends at this rate for so long. How many frames the line took.
    fn send(&mut self, rate: u64, time: Duration, mut each_second: impl FnMut(u64)) -> u64 {
        let begin = Instant::now();
        let (mut tried, mut sent, mut seconds) = (0, 0, 0);
        while begin.elapsed() < time {
            for _ in 0..BURST {
                let n = self.frames.len();
                let frame = &mut self.frames[tried as usize % n];
                renumber(frame, self.tsn);
                self.tsn = self.tsn.wrapping_add(1);
                tried += 1;
                sent += u64::from(self.raw.send(frame).is_ok());
            }
            std::thread::sleep(Duration::from_nanos(tried * 1_000_000_000 / rate).saturating_sub(begin.elapsed()));
            if begin.elapsed().as_secs() > seconds {
                seconds += 1;
                each_second(seconds);
            }
        }
        sent
    }
}

/// Frames that arrived at the far end since it was made.
fn arrived(lab: &Lab) -> u64 {
    let out = lab.nets.command('b', "ip").args(["-s", "-j", "link", "show", "b0"]).output().unwrap();
    let all: Value = serde_json::from_slice(&out.stdout).unwrap();
    all[0]["stats64"]["rx"]["packets"].as_u64().unwrap()
}

/// A number in kibibytes, or one without a unit, of the process's own page.
fn of_process(id: &str, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn files(id: &str) -> usize {
    fs::read_dir(format!("/proc/{id}/fd")).unwrap().count()
}

fn number(status: &Value, at: &str) -> u64 {
    status.pointer(at).and_then(Value::as_u64).unwrap_or_else(|| panic!("{at} in {status}"))
}

/// The status once nothing changes in it any more.
fn settled(lab: &Lab) -> Value {
    let accounts = |status: &Value| (number(status, "/levels/frames/seen"), number(status, "/spool/written"));
    let mut last = lab.status();
    loop {
        std::thread::sleep(Duration::from_millis(700));
        let now = lab.status();
        if accounts(&now) == accounts(&last) {
            return now;
        }
        last = now;
    }
}

#[test]
fn at_half_of_its_limit_for_minutes_memory_stays_accounts_close_and_no_frame_is_lost() {
    let spool = std::env::temp_dir().join(format!("ztsms-soak-{}", std::process::id()));
    // The breaker would take what is meant here for a list gone wrong; a machine that stands still for a moment is not what is tried.
    let config = format!(
        "[live]\nenforce = true\n[live.breaker]\nrewritten_percent = 100.0\ndomain_percent = 100.0\n[wire]\nheartbeat_ms = 1000\n\
         [spool]\ndir = {spool:?}\nsegment_mib = 4\ntotal_mib = 32\n"
    );
    let Some(lab) = lab_with("soak", &config) else { return };
    let filter = lab.inline();
    let id = filter.id();
    let frames = some(4000, 12).iter().map(|message| frame(&[&message.sent], 1)).collect();
    let mut sender = Sender { raw: lab.raw('a', "a0"), frames, tsn: 1 };
    // The far kernels say nothing on their own.
    for (which, far) in [('a', "a0"), ('b', "b0")] {
        let off = format!("echo 1 >/proc/sys/net/ipv6/conf/{far}/disable_ipv6");
        assert!(lab.nets.command(which, "sh").args(["-c", &off]).status().unwrap().success());
    }

    let mut limit = 0;
    for rate in RATES {
        let before = (lab.unscanned(), arrived(&lab));
        let sent = sender.send(rate, PROBE, |_| ());
        std::thread::sleep(Duration::from_millis(200));
        let (unscanned, got) = (lab.unscanned() - before.0, arrived(&lab) - before.1);
        let offered = sent as f64 / PROBE.as_secs_f64();
        println!("{offered:.0} frames/s: {unscanned} unscanned, {} lost", sent.saturating_sub(got));
        if unscanned > 0 || got < sent {
            break;
        }
        limit = offered as u64;
        // More the sender cannot.
        if offered < 0.9 * rate as f64 {
            break;
        }
    }
    assert!(limit > 0, "not even {} frames a second", RATES[0]);

    let rate = limit / 2;
    let before = (lab.kernel(), arrived(&lab), number(&settled(&lab), "/levels/frames/seen"));
    let half = time().as_secs() / 2;
    let mut at_half = (0, 0, 0);
    let page = |id: &str| (of_process(id, "VmRSS"), of_process(id, "Threads"), files(id));
    let sent = sender.send(rate, time(), |second| {
        if second == half {
            at_half = page(&id);
        }
        if second.is_multiple_of(10) {
            println!("{second} s: {} KiB", of_process(&id, "VmRSS"));
        }
    });
    let at_end = page(&id);
    let status = settled(&lab);
    let got = arrived(&lab) - before.1;
    let kernel = lab.kernel();
    let of = |cause: Cause| kernel[cause as usize] - before.0[cause as usize];
    let unscanned: u64 = Cause::ALL.iter().filter(|cause| cause.is_unscanned()).map(|cause| of(*cause)).sum();
    println!(
        "{} s at {rate} frames/s: {sent} sent, {got} arrived, {unscanned} unscanned; {} KiB, {} KiB at half of the time; p50 {} ns, \
         p99.9 {} ns",
        time().as_secs(),
        at_end.0,
        at_half.0,
        number(&status, "/latency_ns/p50"),
        number(&status, "/latency_ns/p99_9")
    );

    assert_eq!(got, sent, "frames that were lost, or came twice");
    assert!(unscanned * 1000 <= sent, "{unscanned} of {sent} unscanned");
    assert_eq!(number(&status, "/gauges/worker/thrown away after a lapse"), 0);
    // Kernel, worker and lane count the same frames.
    assert_eq!(of(Cause::ToSocket) + unscanned, sent);
    assert_eq!(number(&status, "/levels/frames/seen") - before.2, of(Cause::ToSocket));
    assert_eq!(number(&status, "/gauges/worker/frames"), number(&status, "/levels/frames/seen"));
    for level in ["frames", "chunks", "messages", "transactions", "components", "sms"] {
        let at = |field: &str| number(&status, &format!("/levels/{level}/{field}"));
        let out = status.pointer(&format!("/levels/{level}/out")).unwrap();
        let out: u64 = out.as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!(at("seen"), at("on") + out, "{level}");
    }
    // Every message has its record, or is counted where it has none.
    let lost = ["/spool/lost_slow", "/spool/lost_refused", "/lost/notes"].map(|at| number(&status, at)).iter().sum::<u64>();
    assert_eq!(number(&status, "/spool/written") + lost, number(&status, "/levels/sms/on"), "{status}");
    assert!(number(&status, "/rewritten_frames") > sent / 8);
    // Tables of fixed size are touched place by place, and the system counts what was touched.
    assert!(at_end.0 <= at_half.0 + 2048, "memory grew from {} to {} KiB in the second half", at_half.0, at_end.0);
    assert_eq!((at_end.1, at_end.2), (at_half.1, at_half.2), "threads and open files");
    filter.stop();
    let _ = fs::remove_dir_all(spool);
}
