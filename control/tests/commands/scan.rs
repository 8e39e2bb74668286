//! `ztsms scan`.

use super::{lines, ztsms, ztsms_with};

#[test]
fn texts_come_as_arguments_or_as_lines() {
    let by_argument = ztsms(&["scan", "--json", "see bit.ly/x", "none"]);
    let by_line = ztsms_with(&["scan", "--json"], b"see bit.ly/x\r\nnone\n");
    assert_eq!((by_argument.status, by_line.status), (0, 0));
    assert_eq!(by_argument.out, by_line.out);
    let records = lines(&by_line.out);
    assert_eq!(records.len(), 2);
    assert_eq!((&records[0]["verdict"], &records[0]["urls"][0]["url"]), (&"unknown".into(), &"http://bit.ly/x".into()));
    assert_eq!((&records[0]["urls"][0]["start"], &records[0]["urls"][0]["end"]), (&4.into(), &12.into()));
    assert_eq!(records[1]["verdict"], "none");
}

#[test]
fn places_count_code_points() {
    let record = lines(&ztsms(&["scan", "--json", "é你😀 bit.ly/x"]).out).remove(0);
    assert_eq!((&record["urls"][0]["start"], &record["urls"][0]["end"]), (&4.into(), &12.into()));
}

#[test]
fn a_line_that_is_no_utf_8_is_named_and_the_rest_goes_on() {
    let ran = ztsms_with(&["scan", "--json"], b"one\n\xff bit.ly/x\nthree\n");
    assert_eq!((ran.status, lines(&ran.out).len()), (1, 3));
    assert!(ran.err.contains("line 2: octet 1"), "{}", ran.err);
}

#[test]
fn the_demonstration_set_has_a_safe_and_a_dangerous_name() {
    let verdict = |text: &str| lines(&ztsms(&["scan", "--json", text]).out)[0]["verdict"].clone();
    assert_eq!([verdict("https://bank.example/"), verdict("http://evil.example/")], ["safe", "dangerous"]);
}

#[test]
fn a_target_in_a_parameter_of_a_safe_page_is_a_second_reading_and_the_worst_counts() {
    for (link, verdict) in [
        ("https://bank.example/go?url=https%3A%2F%2Fevil.example%2Fx", "dangerous"),
        ("https://bank.example/r/http://evil.example/x", "dangerous"),
        ("https://bank.example/go?to=nobody.example.com", "unknown"),
        ("https://bank.example/go?to=https://carrier.example", "safe"),
    ] {
        let record = lines(&ztsms(&["scan", "--json", link]).out).remove(0);
        assert_eq!((&record["verdict"], record["urls"].as_array().unwrap().len()), (&verdict.into(), 2), "{record}");
        assert_eq!(record["urls"][0]["verdict"], "safe", "the page itself: {record}");
    }
}

#[test]
fn a_text_that_imitates_a_label_is_worth_what_replay_says_of_it() {
    let room = super::Room::new("scan-spoof");
    let texts = [
        "VERIFIED LINK: https://bank.example/x",
        "[SAFE] hello",
        "[SAFE] http://evil.example/",
        "https://bank.example/x",
        "hello",
    ];
    let frames: Vec<_> = texts.iter().zip(1..).map(|(text, tsn)| super::frames::deliver("15550100009", text, tsn)).collect();
    let capture = room.holding("spoof.pcapng", &super::frames::capture(&frames));
    let replayed = lines(&ztsms(&["replay", "--json", &capture]).out);
    let scanned = lines(&ztsms(&[&["scan", "--json"], &texts[..]].concat()).out);
    let verdicts = |records: &[serde_json::Value]| records.iter().map(|record| record["verdict"].clone()).collect::<Vec<_>>();
    assert_eq!(verdicts(&replayed), ["unknown", "unknown", "dangerous", "safe", "none"]);
    assert_eq!(verdicts(&scanned), verdicts(&replayed));
    let spoof = |record: &serde_json::Value| record["reason"] == "label-spoof";
    assert_eq!(scanned.iter().map(spoof).collect::<Vec<_>>(), [true, true, true, false, false]);
    assert!(ztsms(&["scan", "[SAFE] hello"]).out.contains("label-spoof"));
}

/// A verdict directory that knows one dangerous host.
fn evil(room: &super::Room) -> String {
    let (own, dir) = (room.holding("own.csv", b"pattern,verdict\nevil-x.com,dangerous\n"), room.file("verdicts"));
    assert_eq!(ztsms(&["verdicts", "build", &own, "-o", &dir]).status, 0);
    dir
}

#[test]
fn a_link_ends_where_punctuation_of_another_script_begins() {
    let room = super::Room::new("punctuation");
    let dir = evil(&room);
    for text in [
        "查看 http://evil-x.com？谢谢",
        "看过https://evil-x.com；谢谢",
        "［evil-x.com］",
        "Ready？evil-x.com/login",
        "http://evil-x.com＝",
    ] {
        let record = lines(&ztsms(&["scan", "--json", "--verdicts", &dir, text]).out).remove(0);
        assert_eq!(record["verdict"], "dangerous", "{text}");
    }
    let record = lines(&ztsms(&["scan", "--json", "看ｅｖｉｌ.com"]).out).remove(0);
    let hosts: Vec<_> = record["urls"].as_array().unwrap().iter().map(|url| url["host"].clone()).collect();
    assert!(hosts.contains(&"evil.com".into()), "{hosts:?}");
}

#[test]
fn an_app_package_is_one_however_its_dot_is_written() {
    for link in ["http://x.example/a.apk", "http://x.example/a%2eapk", "http://x.example/a%2Eap%6b"] {
        assert_eq!(lines(&ztsms(&["scan", "--json", link]).out)[0]["urls"][0]["category"], "app", "{link}");
    }
}

#[test]
fn a_form_for_readers_ends_at_a_symbol_and_at_another_script() {
    let room = super::Room::new("loose");
    let dir = evil(&room);
    for text in ["evil-x dot com✔", "evil-x[.]com✔", "evil-x dot comの", "evil-x (dot) com!", "evil-x dot com"] {
        let record = lines(&ztsms(&["scan", "--json", "--verdicts", &dir, text]).out).remove(0);
        assert_eq!(record["verdict"], "dangerous", "{text}");
    }
}
