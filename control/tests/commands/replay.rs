//! `ztsms replay` beyond its page.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use pcaps::read::Capture;

use super::{GENERATED, PYCRATE, Room, command, frames as made, lines, sample, ztsms, ztsms_with};

type Frame = (u64, Option<u64>, Vec<u8>);

fn frames(path: &str) -> Vec<Frame> {
    let mut capture = Capture::open(&super::root().join(path)).expect("it opens");
    let mut frames = Vec::new();
    while let Some(frame) = capture.next().expect("it is whole") {
        frames.push((frame.number, frame.time_ns, frame.bytes.to_vec()));
    }
    frames
}

#[test]
fn output_is_the_same_for_every_number_of_threads() {
    let room = Room::new("threads");
    let run = |threads: &str| {
        let (write, unscanned) = (room.file(&format!("w{threads}")), room.file(&format!("u{threads}")));
        let args = ["replay", "--json", "--threads", threads, "--write", &write, "--unscanned", &unscanned, GENERATED, PYCRATE];
        let ran = ztsms(&args);
        assert_eq!(ran.status, 0, "{}", ran.err);
        (ran.out, ran.err, std::fs::read(write).unwrap(), std::fs::read(unscanned).unwrap())
    };
    let one = run("1");
    assert!(one.0.lines().count() > 100);
    for threads in ["2", "3", "7"] {
        assert!(run(threads) == one, "{threads} threads differ from one");
    }
}

#[test]
fn a_policy_that_changes_nothing_writes_every_frame_as_it_was() {
    let room = Room::new("observe");
    let policy = room.holding("observe.toml", b"[policy]\npreset = \"observe\"\n");
    let out = room.file("out.pcapng");
    let ran = ztsms(&["replay", "--policy", &policy, "--write", &out, GENERATED]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(frames(&out) == frames(GENERATED));
}

#[test]
fn what_is_written_has_the_same_frames_order_and_times() {
    let room = Room::new("write");
    let out = room.file("out.pcapng");
    assert_eq!(ztsms(&["replay", "--write", &out, PYCRATE]).status, 0);
    let (before, after) = (frames(PYCRATE), frames(&out));
    let head = |frames: &[Frame]| frames.iter().map(|(number, time, _)| (*number, *time)).collect::<Vec<_>>();
    assert_eq!(head(&before), head(&after));
    let changed = before.iter().zip(&after).filter(|(before, after)| before.2 != after.2).count();
    assert!(changed > 10, "{changed} frames changed");
    // A link that was made dead in an earlier part is gone for the part that was labelled for it, whose label then looks like an
    // imitation: so parts are left out here, and everything else stays as it was written.
    let again = lines(&ztsms(&["replay", "--json", &out]).out);
    let single = again.iter().filter(|record| record["concat"].is_null());
    let changed: Vec<_> = single.filter(|record| !record["rewritten"].is_null()).collect();
    assert!(changed.is_empty(), "rewriting what was rewritten changes {changed:?}");
}

#[test]
fn standard_input_and_compressed_captures_give_the_same_records() {
    let by_name = ztsms(&["replay", "--json", PYCRATE]).out;
    let by_pipe = ztsms_with(&["replay", "--json", "-"], &sample(PYCRATE));
    assert_eq!(by_pipe.status, 0);
    assert_eq!(by_pipe.out.replace("\"file\":\"-\"", &format!("\"file\":\"{PYCRATE}\"")), by_name);
}

#[test]
fn redaction_leaves_no_number_text_or_path_and_keeps_who_is_the_same() {
    let room = Room::new("redact");
    let key = room.holding("key", b"0123456789abcdef");
    let plain = lines(&ztsms(&["replay", "--json", PYCRATE]).out);
    let redacted = ztsms(&["replay", "--json", "--redact", "--redact-key", &key, PYCRATE]);
    let mut pseudonyms: BTreeMap<String, String> = BTreeMap::new();
    for (plain, hidden) in plain.iter().zip(lines(&redacted.out)) {
        assert!(hidden["text"].is_null() && hidden["part_text"].is_null() && hidden["rewritten"].is_null());
        for field in ["imsi", "msisdn"] {
            if let (Some(plain), Some(hidden)) = (plain[field].as_str(), hidden[field].as_str()) {
                assert!(!redacted.out.contains(plain) && !redacted.err.contains(plain), "{plain} is still there");
                let known = pseudonyms.entry(plain.to_owned()).or_insert_with(|| hidden.to_owned());
                assert_eq!(known, hidden);
            }
        }
        for (plain, hidden) in plain["urls"].as_array().unwrap().iter().zip(hidden["urls"].as_array().unwrap()) {
            assert_eq!(plain["host"], hidden["host"]);
            assert!(hidden["text"].is_null());
            let url = hidden["url"].as_str().unwrap();
            assert!(url.ends_with('/') || url.ends_with(':'), "{url}");
        }
    }
    assert!(pseudonyms.len() > 10);
}

#[test]
fn an_msisdn_is_joined_from_the_sri_sm_before_the_message() {
    let records = lines(&ztsms(&["replay", "--json", PYCRATE]).out);
    let joined = records.iter().filter(|record| record["direction"] == "mt" && record["msisdn"].is_string()).count();
    assert!(joined > 0, "no MT has an MSISDN");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    for threads in ["1", "4"] {
        let args = ["replay", "--json", "--threads", threads, GENERATED, GENERATED, GENERATED, GENERATED];
        let mut child = command(&args).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{threads} threads");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(!err.contains("panicked") && !err.contains("pipe"), "{err}");
    }
}

#[test]
fn frames_not_understood_are_kept_with_the_reason() {
    let room = Room::new("unscanned");
    let out = room.file("unscanned.pcapng");
    assert_eq!(ztsms(&["replay", "--unscanned", &out, GENERATED]).status, 0);
    let kept = frames(&out);
    assert!(!kept.is_empty());
    let all = frames(GENERATED);
    kept.iter().for_each(|kept| assert!(all.iter().any(|frame| frame.1 == kept.1 && frame.2 == kept.2)));
    let octets = String::from_utf8_lossy(&std::fs::read(&out).unwrap()).into_owned();
    assert!(octets.contains("truncated"), "no comment says why");
}

#[test]
fn an_input_is_not_written_over() {
    let room = Room::new("same");
    let file = room.holding("in.pcapng", &sample(PYCRATE));
    let ran = ztsms(&["replay", &file, "--write", &file]);
    assert_eq!(ran.status, 2, "{}", ran.err);
    assert_eq!(std::fs::read(&file).unwrap(), sample(PYCRATE));
}

#[test]
fn outputs_that_would_mix_are_refused() {
    let room = Room::new("mixed");
    let out = room.file("out.pcapng");
    for args in [&["replay", PYCRATE, "--write", &out, "--unscanned", &out][..], &["replay", PYCRATE, "--write", "-"]] {
        let ran = ztsms(args);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{}", ran.err);
    }
    assert!(!std::path::Path::new(&out).exists());
}

#[test]
fn a_part_that_came_twice_with_two_texts_leaves_the_links_of_both() {
    let room = Room::new("copies");
    let rest = "and the rest of a text that takes more than one message. ".repeat(3);
    let bad = made::delivers("PARCEL", &format!("Pay at http://parcel-fee.test/p {rest}"), 1);
    let good = made::delivers("PARCEL", &format!("Thank you for your patience {rest}"), 11);
    let file = room.holding("x.pcapng", &made::capture(&[bad[0].clone(), good[0].clone(), good[1].clone()]));
    let records = lines(&ztsms(&["replay", "--json", &file]).out);
    let [.., whole] = &records[..] else { panic!("{records:?}") };
    assert_eq!((&whole["parts"], &whole["verdict"]), (&2.into(), &"dangerous".into()));
    let url = &whole["urls"][0];
    assert_eq!((&url["found"], &url["text"]), (&"copy".into(), &"http://parcel-fee.test/p".into()));
    assert!(!whole["text"].as_str().unwrap().contains("parcel"), "{whole}");
}
