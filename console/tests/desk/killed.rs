//! `kill -9` at any instant: the old state or the new, in the files and in the database.

use std::time::Duration;

use super::room::Room;

/// A cheap source of numbers: the instants are what matters, and those are the machine's.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn list(version: &str) -> String {
    (0..3_000).map(|n| format!("{version}{n}.list.example\n")).collect()
}

/// `ZTSMS_KILLS` times; `make prove` asks for 200 and more.
#[test]
fn killed_at_any_instant_it_is_the_old_state_or_the_new() {
    let kills: u64 = std::env::var("ZTSMS_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let room = Room::new("killed");
    let list_path = room.list("list.txt", list("a"));
    room.well(&["feed", "set", "list", &list_path, "--dangerous"]);
    room.well(&["import", "list"]);
    let mut dice = Dice(4711);
    let (mut answered, mut took): (Vec<String>, u64) = (Vec::new(), 200);
    let (mut finished, mut versions) = (0, [0, 0]);
    for n in 0..kills {
        let version = if n % 2 == 0 { "b" } else { "a" };
        std::fs::write(room.path("list.txt"), list(version)).unwrap();
        let name = format!("d{n}.example");
        let args: &[&str] = match n % 4 {
            0 | 1 => &["import", "list"],
            2 => &["decide", &name, "dangerous", "--reason", "a test", "--yes"],
            _ => &["build"],
        };
        let mut child =
            room.command(args).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        let begun = std::time::Instant::now();
        let at = Duration::from_micros(dice.below(took * 1_200));
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if begun.elapsed() >= at {
                child.kill().unwrap();
                break child.wait().ok().filter(|status| status.success());
            }
            std::thread::sleep(Duration::from_micros(200));
        };
        if status.is_some_and(|status| status.success()) {
            finished += 1;
            // So long a whole one takes: kills are spread over that.
            took = (took * 3 + u64::try_from(begun.elapsed().as_millis()).unwrap()) / 4 + 1;
            if n % 4 == 2 {
                answered.push(name);
            }
        }
        // As a filter sees it at this moment: one version of the list, whole, and every decision that was answered.
        let [a, b] = ["a", "b"].map(|version| {
            (0..3_000).step_by(499).filter(|n| room.says(&format!("{version}{n}.list.example")) == "dangerous").count()
        });
        assert!((a, b) == (7, 0) || (a, b) == (0, 7), "kill {n}: {a} of version a and {b} of version b");
        versions[usize::from(b > 0)] += 1;
        for name in &answered {
            assert_eq!(room.says(name), "dangerous", "kill {n}: {name} was answered");
        }
    }
    // Whoever comes next finds the rest done.
    let status = room.json(&["status"]);
    assert_eq!((&status["behind"], status["alarms"].as_array().map(Vec::len)), (&false.into(), Some(0)), "{status}");
    room.well(&["audit", "verify"]);
    let history = room.json(&["feed", "history", "list"]);
    let counts = history["source"]["version"].as_i64().unwrap();
    let version = history["versions"].as_array().unwrap().iter().find(|version| version["id"] == counts).unwrap();
    assert_eq!(version["entries"], 3_000);
    println!("{kills} kills: {finished} were done before, versions seen {versions:?}, {} decisions answered", answered.len());
    assert!(finished > 0 && finished < kills, "kills came too late or too early to say anything");
}
