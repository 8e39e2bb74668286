//! What an attacker wrote never reaches a terminal raw: not in texts, senders, names of files, lines of lists, keys of policies.

use super::{Ran, Room, frames, lines, ztsms, ztsms_with};

/// A title for the window, a colour by C1, a turned direction, an invisible tag, a deleted character, a bell.
const TEXT: &str = "a\u{1b}]0;owned\u{7} \u{9b}31m \u{202e}moc.knab \u{e0041}\u{7f} é http://evil.example/\u{200b}x\r\nb";

/// No output has a character that a terminal would obey or hide.
fn plain(ran: &Ran) {
    for text in [&ran.out, &ran.err] {
        let raw = text.chars().find(|c| {
            c.is_control() && *c != '\n'
                || matches!(u32::from(*c), 0x200b..=0x200f | 0x202a..=0x202e | 0x2066..=0x2069 | 0xe_0000..=0xe_ffff)
        });
        assert_eq!(raw, None, "{text}");
    }
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
}

#[test]
fn texts_and_senders_are_shown_with_marks_by_every_command() {
    let room = Room::new("hostile-text");
    let file =
        room.holding("x.pcapng", &frames::capture(&[frames::deliver("A\u{1b}]B", TEXT, 1), frames::deliver("B", TEXT, 2)]));
    for args in [
        &["replay", &file][..],
        &["replay", "--json", &file],
        &["explain", &format!("{file}:1")],
        &["explain", "--json", &format!("{file}:1")],
    ] {
        let ran = ztsms(args);
        assert_eq!(ran.status, 0, "{}", ran.err);
        plain(&ran);
    }
    let ran = ztsms(&["replay", &file]);
    assert!(ran.out.contains("⟨ESC⟩]0;owned") && ran.out.contains("⟨U+202E⟩"), "{}", ran.out);
    // The record is the text all the same.
    let records = lines(&ztsms(&["replay", "--json", &file]).out);
    assert_eq!(records[0]["text"], TEXT);
    for ran in [ztsms(&["scan", TEXT]), ztsms(&["scan", "--json", TEXT]), ztsms_with(&["scan"], TEXT.as_bytes())] {
        plain(&ran);
    }
}

#[test]
fn names_of_files_lines_of_lists_and_keys_are_shown_with_marks() {
    let room = Room::new("hostile-names");
    let named = room.holding("x\u{1b}[31m\u{202e}.pcapng", &frames::capture(&[frames::deliver("B", TEXT, 1)])[..120]);
    let absent = room.file("no\u{1b}[31m");
    let list = room.holding("own.csv", format!("pattern,verdict\n{TEXT},safe\n\u{202e}a b,safe\n").as_bytes());
    let toml = room.holding("p.toml", "[policy]\n\"\\u001b[31mx\" = 1\n".as_bytes());
    let value = room.holding("v.toml", "[policy]\npreset = \"\\u001b[31m\"\n".as_bytes());
    let out = room.file("verdicts");
    for (status, args) in [
        (1, vec!["replay", &named]),
        (1, vec!["replay", "--json", &named]),
        (1, vec!["replay", &absent]),
        (1, vec!["explain", &format!("{absent}:1")]),
        (1, vec!["verdicts", "build", &list, "-o", &out]),
        (1, vec!["config", "check", &toml]),
        (1, vec!["config", "check", &value]),
        (1, vec!["verdicts", "lookup", TEXT]),
        (2, vec!["explain", TEXT]),
        (2, vec![TEXT]),
        (2, vec!["replay", "--threads", TEXT, "x"]),
    ] {
        let ran = ztsms(&args);
        plain(&ran);
        assert_eq!(ran.status, status, "{args:?}: {}", ran.err);
    }
}
