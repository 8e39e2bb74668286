//! What comes instead of a list, and what is wrong in one.

use std::io::Write as _;

use super::room::Room;

#[test]
fn what_is_no_list_is_refused_and_the_version_before_counts() {
    let room = Room::new("no-list");
    let list = room.list("list.txt", "a.example\nb.example\n");
    room.well(&["feed", "set", "list", &list, "--dangerous", "--most-octets", "1000000"]);
    room.well(&["import", "list"]);
    let utf16: Vec<u8> = core::iter::once(0xfeff).chain("c.example\n".encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    (0..64).for_each(|_| bomb.write_all(&b"c.example\n".repeat(10_000)).unwrap());
    let long = "x".repeat(100_000_000);
    let cases: [(&str, Vec<u8>, &str); 7] = [
        ("a page", b"<!DOCTYPE html>\n<html><body>Please log in</body></html>\n".to_vec(), "a page and not a list"),
        ("another encoding", utf16, "UTF-16"),
        ("an archive", b"PK\x03\x04 and so on".to_vec(), "zip archive"),
        ("a bomb", bomb.finish().unwrap(), "limit of octets"),
        ("a line of 100 MB", long.into_bytes(), "limit of octets"),
        ("nothing readable", b"<a>\n<b>\n".to_vec(), "not one of 2 lines"),
        ("ranks", b"1,a.example\n2,b.example\n".to_vec(), "popular is not safe"),
    ];
    for (what, octets, why) in cases {
        room.list("list.txt", octets);
        let said = room.refused(&["import", "list"]);
        assert!(said.contains(why), "{what}: {said}");
        assert_eq!(["a.example", "c.example"].map(|link| room.says(link)), ["dangerous", "unknown"], "{what}");
        assert!(room.well(&["feed", "list"]).contains("TROUBLE"), "{what}");
    }
    room.list("list.txt", "a.example\nc.example\n");
    room.well(&["import", "list"]);
    assert_eq!(room.json(&["status"])["alarms"], serde_json::json!([]), "and when it is a list again all is well");
}

#[test]
fn lines_that_cannot_be_read_are_named_and_the_rest_counts() {
    let room = Room::new("lines");
    let text = b"a.example\n\xff\xfe.example\nA.Example.\nwww.b.example:8080/path?id=7\n192.0.2.7\n203.0.113.0/24\nb c.example\n*.d.example\n"
        .iter()
        .copied()
        .chain(std::iter::repeat_n(b'x', 100_000))
        .chain(b"\n0x7f.1\ne.example\n".iter().copied())
        .collect::<Vec<u8>>();
    let list = room.list("list.txt", text);
    room.well(&["feed", "set", "list", &list, "--dangerous"]);
    let imported = room.json(&["import", "list"]);
    let problems: Vec<(u64, &str)> = imported["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["line"].as_u64().unwrap(), p["why"].as_str().unwrap()))
        .collect();
    assert_eq!(problems.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 6, 7, 9], "{problems:?}");
    // What stands there twice, in whatever spelling, counts once.
    assert_eq!((&imported["entries"], &imported["bad"]), (&6.into(), &4.into()), "{imported}");
    for link in
        ["a.example", "http://www.b.example/path?id=7", "http://192.0.2.7/", "x.d.example", "http://127.0.0.1/", "e.example"]
    {
        assert_eq!(room.says(link), "dangerous", "{link}");
    }
    assert_eq!(room.says("http://www.b.example/other"), "unknown", "a path is not its host");
}

#[test]
fn a_list_that_shrinks_or_grows_beyond_its_limits_is_held_back_and_raised() {
    let room = Room::new("limits");
    let hosts = |n: usize| (0..n).map(|n| format!("h{n}.example\n")).collect::<String>();
    let list = room.list("list.txt", hosts(100));
    room.well(&["feed", "set", "list", &list, "--dangerous"]);
    room.well(&["import", "list"]);
    for (n, why) in [(49, "less than 0.5"), (1001, "more than 10 times")] {
        room.list("list.txt", hosts(n));
        assert!(room.refused(&["import", "list"]).contains(why));
        assert_eq!(room.says("h99.example"), "dangerous", "the version before counts");
        assert!(room.well(&["status"]).contains("ALARM source-list"), "{n}");
    }
    let mostly_bad = hosts(60) + &"<not a host>\n".repeat(61);
    room.list("list.txt", mostly_bad);
    assert!(room.refused(&["import", "list"]).contains("61 of 121 lines cannot be read"));
    room.list("list.txt", hosts(49));
    room.well(&["import", "list", "--force"]);
    assert_eq!(["h48.example", "h99.example"].map(|link| room.says(link)), ["dangerous", "unknown"]);
    assert!(!room.well(&["status"]).contains("ALARM"));
}

#[test]
fn of_lists_that_contradict_each_other_the_worst_counts_and_ours_before_all() {
    let room = Room::new("contradict");
    for (name, flag, text) in [
        ("good", "--safe", "x.example\nboth.example\nours.example\n"),
        ("bad", "--dangerous", "both.example\nsub.x.example\nours.example\n"),
        ("ours", "--own", "pattern,verdict\nours.example,safe\nours.example,safe\n"),
        ("places", "--platform", "place.example\n"),
    ] {
        let path = room.list(name, text);
        room.well(&["feed", "set", name, &path, flag]);
        room.well(&["import", name]);
    }
    let links = ["x.example", "sub.x.example", "both.example", "ours.example", "a.place.example"];
    assert_eq!(links.map(|link| room.says(link)), ["safe", "dangerous", "dangerous", "safe", "unknown"]);
    assert_eq!(room.finds("a.place.example").reason, "platform");
    let own = room.list("own.csv", "pattern,verdict\na.example,safe\n");
    room.well(&["feed", "set", "wrong", &own, "--dangerous"]);
    assert!(room.refused(&["import", "wrong"]).contains("add it with --own"), "a safe line is not read as a dangerous one");
    assert_eq!(room.says("a.example"), "unknown");
}

#[test]
fn what_a_list_excepts_it_does_not_lend_and_one_that_excepts_all_of_it_is_held_back() {
    let room = Room::new("excepts");
    let list = room.list("ads.txt", "||a.example^\n||b.example^\n@@||b.example^\n||c.example^\n@@||ok.c.example^\n");
    room.well(&["feed", "set", "ads", &list, "--dangerous"]);
    let imported = room.json(&["import", "ads"]);
    assert_eq!((&imported["entries"], &imported["bad"], &imported["problems"][0]["line"]), (&2.into(), &1.into(), &5.into()));
    assert_eq!(["a.example", "b.example", "c.example"].map(|link| room.says(link)), ["dangerous", "unknown", "dangerous"]);
    for (what, text) in [("all of it", "||a.example^\n@@||a.example^\n"), ("nothing", ""), ("comments", "! none\n")] {
        room.list("ads.txt", text);
        assert!(room.refused(&["import", "ads"]).contains("less than 0.5"), "{what}");
        assert_eq!(room.says("a.example"), "dangerous", "{what}");
    }
    let zone = room.list("zone", "rpz.example. 60 IN SOA a. b. 1 2 3 4 5\nd.example.rpz.example. 60 IN CNAME .\n");
    room.well(&["feed", "set", "zone", &zone, "--dangerous"]);
    room.well(&["import", "zone"]);
    assert_eq!(["d.example", "d.example.rpz.example"].map(|link| room.says(link)), ["dangerous", "unknown"]);
}
