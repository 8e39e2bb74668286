//! What goes on the wire in place of a message: clean in `tshark`, what the policy wrote, and the same when it comes by again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{Own, replay, scratch, shared, tshark, world};
use dataplane::policy::profiles::{self, Kind, Language, Profile, Recipients, Subscriber};
use dataplane::policy::{Action, Policy, Preset, Spec};
use dataplane::verdict::Verdict;
use dataplane::verdicts::Key;

/// Every capture of SS7 that the tests have.
fn captures() -> Vec<PathBuf> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps/samples");
    let mut all = vec![samples.join("pycrate.pcapng"), samples.join("generated.pcapng")];
    all.extend(
        ["gen_tpdu_all", "gen_procedures", "gen_lower"].iter().filter_map(|name| shared(&format!("ss7/pcaps/{name}.pcap"))),
    );
    all
}

/// A policy whose every chain is this one action, then `deaden`.
fn always(action: Action) -> Policy {
    let mut spec = Spec::preset(Preset::Warn);
    spec.mt.unknown = vec![action, Action::Deaden];
    spec.mt.dangerous = vec![action, Action::Deaden];
    spec.mt.safe = vec![Action::Label];
    spec.mo = spec.mt.clone();
    Policy::compile(spec).unwrap()
}

/// Frames that are malformed or have a bad sum, by number.
fn faults(capture: &Path) -> (HashSet<usize>, HashSet<usize>) {
    let rows = tshark(capture, &["_ws.malformed", "sctp.checksum.status", "ip.checksum.status", "udp.checksum.status"]);
    let numbered = || rows.iter().enumerate().map(|(n, row)| (n + 1, row));
    let malformed = numbered().filter(|(_, row)| !row[0].is_empty()).map(|(n, _)| n).collect();
    let bad = numbered().filter(|(_, row)| row[1..].iter().flatten().any(|status| status == "0")).map(|(n, _)| n).collect();
    (malformed, bad)
}

#[test]
fn rewritten_captures_open_in_tshark_without_a_new_fault() {
    for capture in captures() {
        let name = capture.file_stem().unwrap().to_str().unwrap().to_owned();
        let before = faults(&capture);
        for action in [Action::Label, Action::Replace, Action::Deaden] {
            let out = scratch(&format!("{name}-{action}.pcapng"));
            let replayed = replay(&capture, &world(always(action)), Some(&out));
            assert!(!replayed.rewritten_frames.is_empty(), "{name} {action}: nothing was rewritten");
            assert_eq!(replayed.lane.counters().split_packets, 0);
            let after = faults(&out);
            assert!(after.0.is_subset(&before.0), "{name} {action}: newly malformed {:?}", after.0.difference(&before.0));
            assert!(after.1.is_subset(&before.1), "{name} {action}: newly bad sums {:?}", after.1.difference(&before.1));
        }
    }
}

/// The records of single-part messages by where they are, without what differs between passes.
fn by_place(records: &[Own]) -> HashMap<(u64, u32, String), Vec<&Own>> {
    let mut map: HashMap<_, Vec<_>> = HashMap::new();
    for record in records {
        map.entry((record.frame, record.chunk, record.otid.clone())).or_default().push(record);
    }
    map
}

#[test]
fn what_was_rewritten_reads_as_the_policy_wrote_it_and_is_not_rewritten_again() {
    for capture in captures() {
        let name = capture.file_stem().unwrap().to_str().unwrap().to_owned();
        for action in [Action::Label, Action::Replace, Action::Deaden] {
            let world = world(always(action));
            let out = scratch(&format!("{name}-{action}-twice.pcapng"));
            let first = replay(&capture, &world, Some(&out));
            let again = scratch(&format!("{name}-{action}-thrice.pcapng"));
            let second = replay(&out, &world, Some(&again));
            assert_eq!(second.rewritten_frames, Vec::<u64>::new(), "{name} {action}: not idempotent");
            assert_eq!(first.keeper.records.len(), second.keeper.records.len(), "{name} {action}");
            let seconds = by_place(&second.keeper.records);
            for (key, firsts) in by_place(&first.keeper.records) {
                for (was, is) in firsts.iter().zip(&seconds[&key]) {
                    let expected = was.rewritten.as_ref().or(was.part_text.as_ref());
                    assert_eq!(is.part_text.as_ref(), expected, "{name} {action} frame {}", was.frame);
                    assert_eq!((&is.imsi, &is.address, is.pid, is.dcs), (&was.imsi, &was.address, was.pid, was.dcs));
                }
            }
        }
    }
}

#[test]
fn nothing_dangerous_or_unknown_leaves_unmarked_under_warn() {
    for capture in captures() {
        let replayed = replay(&capture, &world(Policy::default()), None);
        let mut unfit = 0;
        for record in replayed.keeper.records.iter().filter(|record| record.verdict >= Verdict::Unknown && record.total == 1) {
            if record.rewritten.is_some() || record.action.starts_with("observe:") {
                continue;
            }
            // Never touched, or in several SCCP or SCTP pieces with the link in one that has gone: counted by cause.
            assert!(matches!(record.bound, Some("untouchable" | "earlier-piece")), "{}: {record:#?}", capture.display());
            unfit += u64::from(!record.repeat);
        }
        assert!(replayed.lane.counters().unfit.sum() >= unfit, "{}", capture.display());
        assert_eq!(replayed.lane.counters().unwarned, 0, "{}", capture.display());
    }
}

#[test]
fn a_policy_that_lets_everything_pass_gives_the_input_octet_for_octet() {
    let mut spec = Spec::preset(Preset::Observe);
    spec.mt.unknown = vec![Action::Pass];
    let worlds = [world(Policy::compile(Spec::preset(Preset::Observe)).unwrap()), world(Policy::compile(spec).unwrap())];
    for capture in captures() {
        for world in &worlds {
            assert_eq!(replay(&capture, world, None).rewritten_frames, Vec::<u64>::new(), "{}", capture.display());
        }
    }
}

#[test]
fn a_recipient_gets_what_the_table_says_of_it_and_all_others_the_policy() {
    let key = Key::new(&[3; 16]);
    let capture = &captures()[1];
    let plain = replay(capture, &world(Policy::default()), None);
    let unknown = |record: &&Own| {
        record.verdict == Verdict::Unknown && record.direction == "mt" && record.total == 1 && record.action == "label"
    };
    let mut found = HashSet::new();
    let imsis: Vec<&str> = plain.keeper.records.iter().filter(unknown).map(|record| record.imsi.as_str()).collect();
    let imsis: Vec<&str> = imsis.into_iter().filter(|imsi| !imsi.is_empty() && found.insert(*imsi)).collect();
    let [off, observe, strict, french, other, ..] = imsis[..] else { panic!("five recipients: {imsis:?}") };
    let profile = |kind, language| Profile { kind, language };
    let entries = [
        (Subscriber::Imsi(off), profile(Kind::Off, None)),
        (Subscriber::Imsi(observe), profile(Kind::Observe, None)),
        (Subscriber::Imsi(strict), profile(Kind::Strict, None)),
        (Subscriber::Imsi(french), profile(Kind::Strict, Some(Language(0)))),
    ];
    let file = profiles::build(&entries, &["fr"], &key).unwrap();
    let policy = Policy::default();
    let table = Recipients::read(&file, key, |code| policy.language(code)).unwrap();
    let replayed = replay(capture, &world(policy.with_recipients(Some(Arc::new(table)), None)), None);
    let of = |imsi: &str| replayed.keeper.records.iter().filter(unknown_of(imsi)).collect::<Vec<_>>();
    let said = |imsi: &str| of(imsi).iter().map(|record| (record.action.clone(), record.rewritten.clone())).collect::<Vec<_>>();
    assert!(said(off).iter().all(|(action, text)| action == "pass" && text.is_none()), "{:?}", said(off));
    assert!(said(observe).iter().all(|(action, text)| action.starts_with("observe") && text.is_none()), "{:?}", said(observe));
    let starts =
        |imsi: &str, head: &str| said(imsi).iter().all(|(_, text)| text.as_ref().is_some_and(|text| text.contains(head)));
    assert!(starts(strict, "unverified link"), "{:?}", said(strict));
    assert!(starts(french, "lien non vérifié"), "{:?}", said(french));
    assert!(starts(other, "UNVERIFIED LINK") || starts(other, "(?)"), "{:?}", said(other));
}

fn unknown_of(imsi: &str) -> impl Fn(&&Own) -> bool + '_ {
    move |record| record.imsi == imsi && record.verdict == Verdict::Unknown && record.direction == "mt" && record.total == 1
}
