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

/// The records of these frames, and those of what goes on in their place.
fn there_and_back(room: &Room, name: &str, frames: &[Vec<u8>], options: &[&str]) -> [Vec<serde_json::Value>; 2] {
    let (before, after) =
        (room.holding(&format!("{name}.pcapng"), &made::capture(frames)), room.file(&format!("{name}-out.pcapng")));
    let records = |args: &[&str]| lines(&ztsms(&[&["replay", "--json"], args, options].concat()).out);
    let first = records(&[&before, "--write", &after]);
    [first, records(&[&after])]
}

#[test]
fn a_dangerous_link_for_a_sender_has_the_message_replaced() {
    let room = Room::new("sender");
    let own = room.holding("own.csv", b"pattern,verdict\nevil-x.com,dangerous\ngood-x.com,safe\n");
    let dir = room.file("v");
    assert_eq!(ztsms(&["verdicts", "build", &own, "-o", &dir]).status, 0);
    for text in ["hello http://good-x.com/", "hello"] {
        let frames = [made::deliver("evil-x.com", text, 1)];
        let [before, after] = there_and_back(&room, "x", &frames, &["--verdicts", &dir]);
        assert_eq!((&before[0]["verdict"], &before[0]["action"]), (&"dangerous".into(), &"replace".into()), "{text}");
        assert!(before[0]["rewritten"].as_str().unwrap().contains("evil-x(.)com"), "{}", before[0]);
        assert_eq!(after[0]["text"], before[0]["rewritten"]);
    }
    // Nobody has verified the name: it is told, and beside a link in the text it counts.
    let told = there_and_back(&room, "y", &[made::deliver("some-x.com", "hello", 1)], &["--verdicts", &dir]);
    assert_eq!((&told[0][0]["verdict"], &told[0][0]["action"]), (&"unknown".into(), &"pass".into()));
    let beside = there_and_back(&room, "z", &[made::deliver("some-x.com", "see http://good-x.com/", 1)], &["--verdicts", &dir]);
    assert_eq!(beside[0][0]["action"], "label");
    assert!(beside[0][0]["rewritten"].as_str().unwrap().contains("some-x(.)com"), "{}", beside[0][0]);
}

#[test]
fn our_words_run_on_into_no_other_part() {
    let room = Room::new("run-on");
    let text = |link: &str| format!("{:<150}See{:<120}", format!("Parcel fee: {link} or wait. "), "online/login to pay now");
    let [before, after] = there_and_back(&room, "x", &made::delivers("PARCEL", &text("http://parcel-fee.test/x"), 1), &[]);
    let notice = before[0]["rewritten"].as_str().unwrap();
    assert!(before[0]["action"] == "replace" && notice.ends_with(". "), "{notice:?}");
    for record in &after {
        // `Do not answer it. online` is no more than what a reader might join.
        assert_eq!((&record["action"], &record["verdict"]), (&"pass".into(), &"none".into()), "{record}");
    }
    // A label in a part that another stands before begins a line, and is known again for ours.
    let second = format!("{:<153}{:<100}", "Good morning. ", "see http://new-host.example/ soon");
    let [before, after] = there_and_back(&room, "y", &made::delivers("SHOP", &second, 1), &[]);
    let label = before[1]["rewritten"].as_str().unwrap();
    assert!(before[1]["action"] == "label" && label.starts_with("\nUNVERIFIED LINK new-host(.)example"), "{label:?}");
    assert_eq!((&after[1]["part_text"], &after[1]["rewritten"]), (&before[1]["rewritten"], &serde_json::Value::Null));
}

#[test]
fn places_of_links_are_places_in_the_text_of_the_record() {
    let room = Room::new("places");
    let text = format!("{:<140}http://new-host.example/a?x {:<160}http://other.example/", "Good morning. ", "and so on");
    let [records, _] = there_and_back(&room, "x", &made::delivers("SHOP", &text, 1), &[]);
    let (mut inside, mut elsewhere) = (0, 0);
    for record in &records {
        let text: Vec<char> = record["text"].as_str().unwrap().chars().collect();
        for url in record["urls"].as_array().unwrap() {
            let (Some(start), Some(end)) = (url["start"].as_u64(), url["end"].as_u64()) else {
                elsewhere += 1;
                continue;
            };
            let there: String = text[start as usize..end as usize].iter().collect();
            assert_eq!(url["text"], there.as_str());
            inside += 1;
        }
    }
    assert!(inside >= 3 && elsewhere >= 1, "{inside} {elsewhere}");
}

#[test]
fn a_link_that_other_parts_hold_many_times_is_told_once_beside_a_part() {
    let room = Room::new("many-parts");
    let text = "see http://new-host.example/ ".repeat(40);
    let [records, _] = there_and_back(&room, "x", &made::delivers("SHOP", &text, 1), &[]);
    assert!(records.len() > 6, "{}", records.len());
    let (mut inside, mut elsewhere) = (0, 0);
    for record in &records[1..records.len() - 1] {
        let urls = record["urls"].as_array().unwrap();
        let (here, others): (Vec<_>, Vec<_>) = urls.iter().partition(|url| url["start"].is_u64());
        let texts: std::collections::BTreeSet<_> = others.iter().map(|url| (url["url"].as_str(), url["text"].as_str())).collect();
        assert_eq!(texts.len(), others.len(), "{record}");
        inside += here.len();
        elsewhere += others.len();
    }
    assert!(inside >= 20 && elsewhere >= 1, "{inside} {elsewhere}");
}

#[test]
fn the_likeness_of_a_label_is_no_link_of_the_page() {
    let room = Room::new("likeness");
    let frames = [made::deliver("SHOP", "[Verified link] call us", 1), made::deliver("SHOP", "see http://new-host.example/", 2)];
    let page = ztsms(&["replay", &room.holding("x.pcapng", &made::capture(&frames))]).out;
    assert!(page.contains("1 with links:") && page.contains("1 without a link, with what imitates a label"), "{page}");
}
