//! What people read, as it is: a change of these snapshots is a change that people see.

use super::{GENERATED, PYCRATE, Ran, Room, ztsms};

fn page(args: &[&str]) -> String {
    let Ran { status, out, err, .. } = ztsms(args);
    assert_eq!((status, err.as_str()), (0, ""), "{args:?}");
    out.lines().for_each(|line| assert!(line.chars().count() <= 110, "wider than a screen: {line}"));
    out
}

#[test]
fn replay_shows_what_was_seen_and_what_would_be_delivered() {
    insta::assert_snapshot!("replay_pycrate", page(&["replay", PYCRATE]));
    insta::assert_snapshot!("replay_both", page(&["replay", "--top", "2", PYCRATE, GENERATED]));
}

#[test]
fn a_redacted_page_shows_neither_numbers_nor_texts() {
    let room = Room::new("redacted-page");
    let key = room.holding("key", b"sixteen octets or more");
    insta::assert_snapshot!("replay_redacted", page(&["replay", "--redact", "--redact-key", &key, "--top", "2", PYCRATE]));
}

#[test]
fn scan_shows_each_link_and_why() {
    let texts =
        ["Your parcel: hxxp://bit.ly/x and https://bank.example/login", "Nothing here, e.g. 12.30", "\u{1b}[2Jevil.example"];
    insta::assert_snapshot!("scan", page(&[&["scan"][..], &texts].concat()));
}

#[test]
fn explain_shows_every_layer_with_its_octets() {
    insta::assert_snapshot!("explain_frame", page(&["explain", &format!("{PYCRATE}:3")]));
}

#[test]
fn lookup_and_stats_show_the_built_in_set() {
    insta::assert_snapshot!("lookup", page(&["verdicts", "lookup", "bit.ly/x", "https://a.bank.example/", "nobody-knows.test"]));
}
