//! What sources do by themselves under a running `serve`, and which of several is named.

use std::fs;
use std::time::{Duration, Instant};

use super::room::Room;

/// Until a link has this verdict, for a filter that reads the files; how long it took.
fn until(room: &Room, link: &str, verdict: &str) -> Duration {
    let begun = Instant::now();
    while room.says(link) != verdict {
        assert!(begun.elapsed() < Duration::from_secs(30), "{link} never {verdict}: {}", room.well(&["status"]));
        std::thread::sleep(Duration::from_millis(50));
    }
    begun.elapsed()
}

#[test]
fn a_source_is_looked_at_when_it_is_due_and_not_before() {
    let room = Room::empty("every");
    let _serve = room.serve();
    let often = room.list("often.txt", "first.often.example\n");
    let told = room.list("told.txt", "first.told.example\n");
    room.well(&["feed", "set", "often", &often, "--dangerous", "--every", "1s"]);
    room.well(&["feed", "set", "told", &told, "--dangerous"]);
    room.well(&["feed", "set", "seldom", &told, "--dangerous", "--every", "1h"]);
    // The first look is due at once where there is a schedule.
    until(&room, "first.often.example", "dangerous");
    until(&room, "first.told.example", "dangerous");
    room.list("often.txt", "second.often.example\nfirst.often.example\n");
    room.list("told.txt", "second.told.example\nfirst.told.example\n");
    until(&room, "second.often.example", "dangerous");
    // Two rounds of the one later the others are as they were: nobody told, and an hour is not over.
    room.list("often.txt", "third.often.example\nfirst.often.example\nsecond.often.example\n");
    until(&room, "third.often.example", "dangerous");
    assert_eq!(room.says("second.told.example"), "unknown");
    assert!(room.json(&["feed", "history", "told"])["versions"].as_array().unwrap().is_empty());
    assert_eq!(room.json(&["feed", "history", "seldom"])["versions"].as_array().unwrap().len(), 1);
    assert!(room.json(&["feed", "history", "often"])["versions"].as_array().unwrap().len() >= 3);
}

#[test]
fn a_source_that_nobody_could_look_at_for_its_time_to_live_counts_no_longer_and_comes_back() {
    let room = Room::empty("ttl");
    let _serve = room.serve();
    let list = room.list("list.txt", "a.list.example\n");
    let lasting = room.list("lasting.txt", "a.lasting.example\n");
    room.well(&["feed", "set", "list", &list, "--dangerous", "--every", "1s", "--ttl", "4s"]);
    room.well(&["feed", "set", "lasting", &lasting, "--dangerous", "--every", "1s"]);
    until(&room, "a.list.example", "dangerous");
    until(&room, "a.lasting.example", "dangerous");
    [&list, &lasting].iter().for_each(|path| fs::remove_file(path).unwrap());
    let gone = Instant::now();
    until(&room, "a.list.example", "unknown");
    // It was looked at with success at most a second and a round before its file went.
    assert!(gone.elapsed() > Duration::from_secs(2), "{:?}", gone.elapsed());
    assert_eq!(room.says("a.lasting.example"), "dangerous", "without a time to live the last good version counts");
    let status = room.well(&["status"]);
    assert!(status.contains("ALARM source-list") && status.contains("ALARM source-lasting"), "{status}");
    room.list("list.txt", "a.list.example\n");
    until(&room, "a.list.example", "dangerous");
    assert!(!room.well(&["status"]).contains("ALARM source-list"));
    assert!(room.refused(&["feed", "set", "x", &list, "--dangerous", "--every", "1h", "--ttl", "1h"]).contains("time to live"));
}

#[test]
fn of_two_feeds_that_say_the_same_the_one_of_higher_priority_is_named() {
    let room = Room::empty("priority");
    let _serve = room.serve();
    let ours = room.list("ours.txt", "both.example\nours.example\n");
    let theirs = room.list("theirs.txt", "both.example\n");
    let calm = room.list("calm.txt", "both.example\nours.example\n");
    room.well(&["feed", "set", "a-theirs", &theirs, "--dangerous", "--category", "malware"]);
    room.well(&["feed", "set", "b-ours", &ours, "--dangerous", "--category", "phishing", "--priority", "10"]);
    room.well(&["feed", "set", "c-calm", &calm, "--safe", "--priority", "255"]);
    ["a-theirs", "b-ours", "c-calm"].iter().for_each(|name| drop(room.well(&["import", name])));
    let named = || {
        let found = room.finds("both.example");
        (found.verdict, found.source.unwrap_or_default(), found.category.unwrap_or_default())
    };
    let of = |source: &str, category: &str| ("dangerous", source.to_owned(), category.to_owned());
    assert_eq!(named(), of("b-ours", "phishing"), "and no priority makes dangerous safe");
    room.well(&["feed", "set", "a-theirs", &theirs, "--dangerous", "--category", "malware", "--priority", "11"]);
    assert_eq!(named(), of("a-theirs", "malware"));
    room.well(&["feed", "suspend", "a-theirs", "--reason", "a test"]);
    assert_eq!(named(), of("b-ours", "phishing"), "what is suspended is not named");
}
