//! Bad input: each kind gets a message that names file, place and cause, and whatever can be read is read.

use super::{PYCRATE, Ran, Room, forms, lines, sample, shared, ztsms};

/// A failure that is told in one line and is no panic.
fn told(ran: &Ran, status: i32, words: &[&str]) {
    assert_eq!(ran.status, status, "{}", ran.err);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    words.iter().for_each(|word| assert!(ran.err.contains(word), "`{word}` is not in: {}", ran.err));
}

#[test]
fn files_that_are_no_captures_are_named_for_what_they_are() {
    let room = Room::new("no-captures");
    let empty = room.holding("empty.pcap", b"");
    told(&ztsms(&["replay", &empty]), 1, &["empty.pcap: offset 0", "is empty"]);
    let jpeg = room
        .holding("photo.jpg", &[0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 1, 1, 1]);
    told(&ztsms(&["replay", &jpeg]), 1, &["photo.jpg: offset 0", "is not a capture", "JPEG"]);
    told(&ztsms(&["replay", &room.file("")]), 1, &["is a directory"]);
    told(&ztsms(&["replay", &room.file("nothing")]), 1, &["nothing", "cannot be opened"]);
}

#[test]
fn a_bad_file_does_not_keep_the_good_one_from_being_read() {
    let room = Room::new("good-and-bad");
    let empty = room.holding("empty.pcap", b"");
    let ran = ztsms(&["replay", "--json", &empty, PYCRATE]);
    told(&ran, 1, &["empty.pcap"]);
    assert_eq!(lines(&ran.out), lines(&ztsms(&["replay", "--json", PYCRATE]).out));
}

#[test]
fn a_capture_cut_at_each_octet_of_its_first_4_kb_gives_what_it_still_holds() {
    for (kind, whole) in [("pcapng", sample(PYCRATE)), ("pcap", forms::classic(&forms::frames(PYCRATE)))] {
        let room = Room::new(&format!("cut-{kind}"));
        let files: Vec<_> = (0..=4096).map(|end| room.holding(&format!("{end}.{kind}"), &whole[..end])).collect();
        // One run reads them all, so that each cut costs a lane and no process.
        let args: Vec<&str> =
            ["replay", "--json", "--threads", "1"].into_iter().chain(files.iter().map(String::as_str)).collect();
        let ran = ztsms(&args);
        told(&ran, 1, &[&format!("0.{kind}: offset 0"), "is empty"]);
        let mut records = vec![0; files.len()];
        for record in lines(&ran.out) {
            let file = record["file"].as_str().unwrap().rsplit('/').next().unwrap();
            records[file.trim_end_matches(&format!(".{kind}")).parse::<usize>().unwrap()] += 1;
        }
        assert!(records.is_sorted() && records.last() > Some(&2), "a longer capture has fewer records: {records:?}");
        let named = |end: usize| ran.err.lines().any(|line| line.contains(&format!("/{end}.{kind}: offset ")));
        let whole = (0..files.len()).filter(|&end| !named(end)).count();
        // Between two blocks a capture is whole; anywhere else its cut is named.
        assert!((2..40).contains(&whole), "{whole} of {} cuts are not named", files.len());
    }
}

#[test]
fn traffic_that_is_not_sctp_is_counted_and_passed() {
    let Some(file) = shared("ss7/pcaps/the-tcpdump-group_tcpdump__tests_forces1.pcap") else { return };
    let ran = ztsms(&["replay", &file]);
    assert!(matches!(ran.status, 0 | 1) && ran.out.contains("No short message was found."), "{}", ran.out);
}

#[test]
fn a_policy_with_a_typo_is_named_with_its_line_and_the_nearest_key() {
    let room = Room::new("policy");
    let policy = room.holding("typo.toml", b"[policy]\npresett = \"warn\"\n");
    told(&ztsms(&["replay", "--policy", &policy, PYCRATE]), 1, &["typo.toml:2:1", "preset"]);
    told(&ztsms(&["config", "check", &policy]), 1, &["typo.toml:2:1", "preset"]);
    told(&ztsms(&["replay", "--policy", &room.file("none.toml"), PYCRATE]), 1, &["none.toml"]);
}

#[test]
fn the_default_configuration_is_a_good_one() {
    let room = Room::new("default");
    let ran = ztsms(&["config"]);
    let file = room.holding("ztsms.toml", &ran.octets);
    let ran = ztsms(&["config", "check", &file]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
}

#[test]
fn a_broken_list_line_is_named_and_the_rest_is_built() {
    let room = Room::new("list");
    let own = room.holding("own.csv", b"pattern,verdict\nbank.test,safe\nno host at all,safe\nbad.test,dangerous\n");
    let dir = room.file("verdicts");
    told(&ztsms(&["verdicts", "build", &own, "-o", &dir]), 1, &["own.csv:3:"]);
    let verdict = |text: &str| lines(&ztsms(&["scan", "--json", "--verdicts", &dir, text]).out)[0]["verdict"].clone();
    assert_eq!(
        [verdict("http://bank.test/"), verdict("http://bad.test/"), verdict("http://bit.ly/")],
        ["safe", "dangerous", "unknown"]
    );
}

#[test]
fn a_link_in_the_name_of_a_sender_is_found_by_scan_too() {
    let scan = |sender: &str| lines(&ztsms(&["scan", "--json", "--sender", sender, "call us"]).out)[0]["urls"].clone();
    let links = scan("evil.example.com");
    assert_eq!((&links[0]["found"], &links[0]["host"]), (&"sender".into(), &"evil.example.com".into()), "{links}");
    assert_eq!(scan("+491701234567"), serde_json::json!([]));
    let page = ztsms(&["scan", "--sender", "evil.example.com", "call us"]).out;
    assert!(page.contains("in the sender's name"), "{page}");
}

#[test]
fn one_flipped_bit_is_found_by_verify_and_a_flipped_header_by_everybody() {
    let room = Room::new("bit");
    let own = room.holding("own.csv", b"pattern,verdict\nbank.test,safe\n");
    let dir = room.file("verdicts");
    told(&ztsms(&["verdicts", "build", &own, "-o", &dir]), 0, &[]);
    told(&ztsms(&["verdicts", "verify", &dir]), 0, &[]);
    let snapshot = room.file("verdicts/snapshot");
    let good = std::fs::read(&snapshot).unwrap();
    let replay = ["replay", "--verdicts", &dir, PYCRATE];
    let verify = ["verdicts", "verify", &dir];
    for (at, args, cause) in [
        (0, &replay[..], "not a verdict snapshot"),
        (20, &replay, "header"),
        (4095, &replay, "header"),
        (4096, &verify, "body"),
        (good.len() - 9, &verify, "body"),
        (good.len() - 1, &verify, "body"),
    ] {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            std::fs::write(&snapshot, &bad).unwrap();
            told(&ztsms(args), 1, &["verdicts/snapshot", cause]);
        }
    }
    std::fs::write(&snapshot, &good[..good.len() - 1]).unwrap();
    told(&ztsms(&replay), 1, &["verdicts/snapshot", "octets"]);
}

#[test]
fn a_snapshot_without_its_own_key_is_refused() {
    let room = Room::new("key");
    let own = room.holding("own.csv", b"pattern,verdict\nbank.test,safe\n");
    let (one, other) = (room.file("one"), room.file("other"));
    for dir in [&one, &other] {
        told(&ztsms(&["verdicts", "build", &own, "-o", dir]), 0, &[]);
    }
    std::fs::copy(room.file("other/snapshot"), room.file("one/snapshot")).unwrap();
    told(&ztsms(&["scan", "--verdicts", &one, "x"]), 1, &["snapshot", "key"]);
}

#[test]
fn an_overlay_is_read_with_its_own_snapshot_and_refused_with_another() {
    let room = Room::new("overlay");
    let own = room.holding("own.csv", b"pattern,verdict\nbank.test,safe\n");
    let dir = room.file("verdicts");
    let built = ztsms(&["verdicts", "build", &own, "-o", &dir]);
    told(&built, 0, &[]);
    let id = built.out.split_whitespace().skip_while(|word| *word != "snapshot").nth(1).unwrap().trim_end_matches(':').to_owned();
    let columns = "pattern,verdict,category,senders,source,expires,note";
    let overlay = |id: &str, line: &str| {
        room.holding("verdicts/overlay", format!("# overlay of snapshot {id}\n{columns}\n{line}\n").as_bytes());
        ztsms(&["scan", "--json", "--verdicts", &dir, "http://bank.test/"])
    };
    let good = overlay(&id, "bank.test,dangerous,,,,,");
    told(&good, 0, &[]);
    assert_eq!(lines(&good.out)[0]["verdict"], "dangerous");
    told(
        &overlay("0123456789abcdef", "bank.test,dangerous,,,,,"),
        1,
        &["verdicts/overlay", "overlay of snapshot 0123456789abcdef", &id],
    );
    told(&overlay(&id, "no host,dangerous,,,,,"), 1, &["verdicts/overlay", "3"]);
    room.holding("verdicts/overlay", b"no overlay at all\n");
    told(&ztsms(&["scan", "--verdicts", &dir, "x"]), 1, &["verdicts/overlay"]);
}

#[test]
fn octets_that_lie_never_end_in_a_panic() {
    let room = Room::new("lies");
    let mut capture = sample(PYCRATE);
    let mut state = 1u32;
    for round in 0..40 {
        for _ in 0..20 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = 400 + (state >> 8) as usize % (capture.len() - 400);
            capture[at] = state.to_be_bytes()[0];
        }
        let file = room.holding("lies.pcapng", &capture);
        let ran = ztsms(&["replay", "--json", "--threads", "1", "--write", &room.file("out"), &file]);
        assert!(matches!(ran.status, 0 | 1) && !ran.err.contains("panicked"), "round {round}: {}", ran.err);
        lines(&ran.out);
    }
}

#[test]
fn a_mix_with_a_typo_is_named_with_its_line() {
    let room = Room::new("mix");
    let mix = room.holding("mix.toml", b"mt = 0.5\nlinsk = 0.1\n");
    told(&ztsms(&["generate", &room.file("out"), "--mix", &mix]), 1, &["mix.toml:2:1", "links"]);
}

#[test]
fn the_same_seed_generates_the_same_octets() {
    let room = Room::new("seed");
    let make = |name: &str, seed: &str| {
        told(&ztsms(&["generate", &room.file(name), "--messages", "200", "--seed", seed]), 0, &["200 messages"]);
        std::fs::read(room.file(name)).unwrap()
    };
    let first = make("a", "5");
    assert!(first == make("b", "5") && first != make("c", "6"));
    assert!(ztsms(&["generate", "-", "--messages", "200", "--seed", "5"]).octets == first);
}

#[cfg(unix)]
#[test]
fn a_capture_is_not_written_over_under_another_name() {
    use super::{command, root};
    let room = Room::new("hard-link");
    let whole = sample(PYCRATE);
    let capture = room.holding("a.pcapng", &whole);
    let [hard, soft, made, twice] = ["hard.pcapng", "soft.pcapng", "made.pcapng", "./made.pcapng"].map(|name| room.file(name));
    std::fs::hard_link(&capture, &hard).unwrap();
    std::os::unix::fs::symlink(&capture, &soft).unwrap();
    for name in [&capture, &hard, &soft] {
        for option in ["--write", "--unscanned"] {
            told(&ztsms(&["replay", &capture, option, name]), 2, &["is read and would be written over"]);
        }
        told(&ztsms(&["replay", &capture, "--write", &made, "--unscanned", name]), 2, &["is read and would be written over"]);
        let stdin = std::fs::File::open(root().join(&capture)).unwrap();
        let output = command(&["replay", "-", "--write", name]).stdin(stdin).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    }
    told(&ztsms(&["replay", &capture, "--write", &made, "--unscanned", &twice]), 2, &["are two files"]);
    assert_eq!(std::fs::read(&capture).unwrap(), whole);
    assert!(!std::path::Path::new(&made).exists(), "nothing was opened for writing");
    std::fs::write(&made, "").unwrap();
    told(&ztsms(&["replay", &capture, "--write", &made, "--unscanned", &twice]), 2, &["are two files"]);
    let ran = ztsms(&["replay", &capture, "--write", &made]);
    assert_eq!((ran.status, std::fs::read(&capture).unwrap() == whole), (0, true), "{}", ran.err);
}
