//! A wall clock that jumps under a running `serve`, and one that is behind at the start.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::room::{Room, Serve};
use super::whole::get;

/// The library that gives a process another wall clock.
fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path().join("faketime/libfaketimeMT.so.1"));
    let found = folders.into_iter().find(|library| library.exists());
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "libfaketime is missing: apt-get install faketime");
    if found.is_none() {
        println!("skipped: no libfaketime (make test installs it)");
    }
    found
}

/// A running `serve` whose wall clock is what the file `wall` says: `+400d`. Its other clocks are the machine's.
fn serve(room: &Room, library: &PathBuf, wall: &str) -> Serve {
    set(room, wall);
    room.serve_as(&[], |command| {
        command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", room.path("wall"));
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    })
}

fn set(room: &Room, wall: &str) {
    room.list("wall.new", format!("{wall}\n"));
    fs::rename(room.path("wall.new"), room.path("wall")).unwrap();
}

fn until(room: &Room, what: &str, is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(30), "never {what}: {}", room.well(&["status"]));
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn alarmed(room: &Room) -> bool {
    room.well(&["status"]).contains("ALARM clock")
}

#[test]
fn nothing_ends_by_a_wall_clock_that_jumps_until_a_person_says_that_it_is_right() {
    let Some(library) = faketime() else { return };
    let room = Room::empty("jumps");
    let serve = serve(&room, &library, "+0d");
    let list = room.list("list.txt", "a.list.example\n");
    room.well(&["feed", "set", "list", &list, "--dangerous", "--every", "1d", "--ttl", "2d"]);
    until(&room, "imported", || room.says("a.list.example") == "dangerous");
    room.well(&["decide", "evil.example", "dangerous", "--reason", "a test", "--expires", "30d", "--yes"]);
    let in_force = || room.json(&["decisions"]).as_array().unwrap().len();
    set(&room, "+400d");
    until(&room, "raised", || alarmed(&room));
    // Some rounds of the schedule, a build, and the decisions read anew.
    std::thread::sleep(Duration::from_secs(2));
    room.well(&["decide", "other.example", "dangerous", "--reason", "a test", "--yes"]);
    room.well(&["build"]);
    assert_eq!((in_force(), room.says("evil.example"), room.says("a.list.example")), (2, "dangerous", "dangerous"));
    let shown = room.json(&["clock"]);
    assert!((shown["wall_ahead"].as_i64().unwrap() - 400 * 86_400).abs() < 60, "{shown}");
    assert!(get(&serve.address, "/readyz").contains("\"alarms\":1"));
    // A wall that is put right is followed again.
    set(&room, "+0d");
    until(&room, "well again", || !alarmed(&room));
    assert_eq!(in_force(), 2);
    set(&room, "+400d");
    until(&room, "raised again", || alarmed(&room));
    room.well(&["clock", "--accept", "a test"]);
    until(&room, "ended", || in_force() == 1);
    until(&room, "out of date", || room.says("a.list.example") == "unknown");
    assert_eq!((room.says("evil.example"), room.says("other.example")), ("unknown", "dangerous"));
    assert!(!alarmed(&room));
    let log = room.json(&["audit", "list"]);
    assert!(log.as_array().unwrap().iter().any(|line| line["verb"] == "clock" && line["detail"]["reason"] == "a test"), "{log}");
}

#[test]
fn a_start_with_a_clock_behind_the_last_line_of_the_log_goes_on_from_that_line() {
    let Some(library) = faketime() else { return };
    let room = Room::empty("behind");
    let begun = serve(&room, &library, "+0d");
    room.well(&["decide", "evil.example", "dangerous", "--reason", "a test", "--expires", "2s", "--yes"]);
    until(&room, "ended", || room.json(&["decisions"]).as_array().unwrap().is_empty());
    drop(begun);
    // Another boot: what this one knew is not known any more.
    let forget = || {
        let state = rusqlite::Connection::open(room.data().join("console.db")).unwrap();
        state.execute("DELETE FROM facts WHERE name = 'clock'", []).unwrap();
    };
    forget();
    let _serve = serve(&room, &library, "-3000d");
    assert!(alarmed(&room));
    room.well(&["decide", "other.example", "dangerous", "--reason", "a test", "--yes"]);
    let times: Vec<i64> =
        room.json(&["audit", "list"]).as_array().unwrap().iter().map(|line| line["time"].as_i64().unwrap()).collect();
    assert!(times.len() == 3 && times.is_sorted(), "{times:?}");
    assert_eq!(room.says("evil.example"), "unknown", "what had ended has ended");
}
