//! Help, completions and man pages.

use super::{Room, ztsms};

const COMMANDS: [&[&str]; 17] = [
    &[],
    &["replay"],
    &["scan"],
    &["explain"],
    &["generate"],
    &["verdicts"],
    &["verdicts", "build"],
    &["verdicts", "lookup"],
    &["verdicts", "stats"],
    &["verdicts", "diff"],
    &["verdicts", "verify"],
    &["verdicts", "rollback"],
    &["recipients"],
    &["config"],
    &["config", "check"],
    &["completions"],
    &["man"],
];

#[test]
fn help_of_each_command_has_an_example() {
    for command in COMMANDS {
        let ran = ztsms(&[command, &["--help"]].concat());
        assert_eq!(ran.status, 0, "{command:?}");
        let example = ran.out.split("Example").nth(1).unwrap_or_else(|| panic!("{command:?} has no example:\n{}", ran.out));
        assert!(example.contains(&format!("ztsms {}", command.join(" ")).trim_end().to_owned()), "{command:?}: {example}");
    }
}

#[test]
fn a_wrong_command_line_ends_with_2_and_says_nothing_on_standard_output() {
    for args in [&["replay"][..], &["replay", "--nonsense", "x"], &["nonsense"], &["replay", "x", "--threads", "0"], &[]] {
        let ran = ztsms(args);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{args:?}: {}", ran.err);
        assert!(!ran.err.is_empty());
    }
}

#[test]
fn completions_and_man_pages_are_made_of_the_same_definitions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = ztsms(&["completions", shell]);
        assert_eq!(ran.status, 0);
        assert!(ran.out.contains("unscanned"), "{shell}");
    }
    let room = Room::new("man");
    assert_eq!(ztsms(&["man", &room.file("man1")]).status, 0);
    for page in ["ztsms.1", "ztsms-replay.1", "ztsms-verdicts-build.1"] {
        let text = std::fs::read_to_string(room.file(&format!("man1/{page}"))).unwrap_or_else(|error| panic!("{page}: {error}"));
        assert!(text.contains(".TH"), "{page}");
    }
}
