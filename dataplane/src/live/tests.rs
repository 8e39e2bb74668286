//! The seam driven by generated traffic: a real lane, real worlds, no wire.

use std::io::Cursor;

use pcaps::generate::{Mix, generate};
use pcaps::read::Capture;
use protocols::link::LinkType;

use std::sync::Arc;

use super::*;
use crate::lane::{self, Frame, Lane};
use crate::policy::{Decision, Policy, Preset, Spec};
use crate::record::{Listener, Place, Sms, Unread, Urls};
use crate::scan::Scanner;
use crate::suffix::Suffixes;
use crate::verdict::Verdict;
use crate::verdicts::build::{Builder, Rule};
use crate::verdicts::{Key, Snapshot, Table};
use crate::world::{Network, World};

fn world(verdict: Verdict) -> World {
    under(verdict, Preset::Warn)
}

fn under(verdict: Verdict, preset: Preset) -> World {
    let (suffixes, key) = (Suffixes::built_in(), Key::new(&[7; 16]));
    let mut builder = Builder::new();
    builder.add(&Rule { pattern: "bank.example", verdict, source: "test", ..Rule::default() });
    let snapshot = Snapshot::from_bytes(&builder.build(0, &key, &suffixes).unwrap().bytes).unwrap();
    let table = Table::new(snapshot, None, key, &suffixes).unwrap();
    let policy = Policy::compile(Spec::preset(preset)).unwrap();
    World { scanner: Scanner::default(), suffixes, table, policy, network: Network::default() }
}

fn pair(setup: &Setup, stage: Stage) -> (Worlds, LaneSide, ControlSide) {
    let worlds = Worlds::new(world(Verdict::Safe), stage);
    let (lane, control) = worlds.channel(setup);
    (worlds, lane, control)
}

/// Every frame of some traffic, through a lane.
fn through(messages: u64, seed: u64, mut take: impl FnMut(&mut Lane, &Frame<'_>)) -> Lane {
    let mut file = Vec::new();
    generate(messages, seed, &Mix { links: 0.5, ..Mix::default() }, &mut file).unwrap();
    let mut capture = Capture::new(Box::new(Cursor::new(file)), "generated");
    let mut lane = Lane::new(&lane::Setup::default());
    while let Ok(Some(frame)) = capture.next() {
        let frame = Frame {
            number: frame.number,
            time_ns: frame.time_ns.unwrap_or(0),
            link_type: LinkType::from_pcap(frame.link_type).unwrap(),
            bytes: frame.bytes,
            original_len: frame.original_len as usize,
        };
        take(&mut lane, &frame);
    }
    lane
}

/// The same a batch of 32 at a time, as a worker takes them; `between` stands for the other side.
fn run(side: &mut LaneSide, messages: u64, seed: u64, mut between: impl FnMut(u64)) -> Lane {
    let mut world = side.world();
    let mut lane = through(messages, seed, |lane, frame| {
        if frame.number % 32 == 0 {
            between(frame.number);
            world = side.world();
        }
        side.frame(lane, frame, &world);
        side.took(1_000, 1);
    });
    side.publish(&mut lane, 1, |state| state.gauges.set("frames_out", "forwarded", 7));
    lane
}

fn sms_of(worlds: &Worlds, control: &mut ControlSide) -> Vec<(SmsNote, u64)> {
    let mut all = Vec::new();
    control.drain(usize::MAX, worlds, |noted| {
        if let Kind::Sms(sms) = noted.note.kind {
            assert!(!sms.tpdu.of(noted.octets).is_empty());
            assert!(noted.links.iter().all(|link| !link.url.text(noted.octets).is_empty()));
            all.push((sms, noted.note.world));
        }
    });
    all
}

#[test]
fn every_short_message_has_its_note_and_the_counters_say_the_same() {
    let (worlds, mut side, mut control) = pair(&Setup::default(), Stage::all());
    let lane = run(&mut side, 2_000, 3, |_| {});
    let all = sms_of(&worlds, &mut control);
    let state = control.state().clone();
    assert_eq!(state.lost, Lost::default());
    assert_eq!(all.len() as u64, state.counters.sms.on);
    assert_eq!(state.counters.sms.on, lane.counters().sms.on);
    assert_eq!(state.latency.total(), state.counters.frames.seen);
    assert_eq!((state.world, state.gauges.of("frames_out", "forwarded")), (1, 7));
    let rewritten = all.iter().filter(|(sms, _)| sms.rewritten).count();
    assert!(rewritten > 500 && all.iter().all(|(sms, _)| sms.held.is_none()), "{rewritten} rewritten");
}

#[test]
fn observing_changes_nothing_and_says_what_would_have_been_done() {
    let (worlds, mut acting, mut acted) = pair(&Setup::default(), Stage::all());
    let (observing, mut watching, mut watched) = pair(&Setup::default(), Stage::observe());
    let lane = run(&mut acting, 1_000, 5, |_| {});
    assert!(lane.counters().rewritten_frames > 100);
    let lane = run(&mut watching, 1_000, 5, |_| {});
    assert_eq!(lane.counters().rewritten_frames, 0);
    let (acted, seen) = (sms_of(&worlds, &mut acted), sms_of(&observing, &mut watched));
    assert_eq!(acted.len(), seen.len());
    for ((acted, _), (seen, _)) in acted.iter().zip(&seen) {
        assert_eq!((acted.decision.action, acted.decision.rule), (seen.decision.action, seen.decision.rule));
        assert!(!seen.rewritten && (seen.decision.observe || seen.decision.action == crate::policy::Action::Pass));
    }
    let held = seen.iter().filter(|(sms, _)| sms.held == Some(Held::Observing)).count() as u64;
    assert!(held > 100 && watched.state().held == [held, 0, 0, 0, 0], "{:?}", watched.state().held);
}

#[test]
fn pass_and_pressure_hold_from_the_next_batch_on_and_worlds_are_never_mixed() {
    let (mut worlds, mut side, mut control) = pair(&Setup::default(), Stage::all());
    run(&mut side, 3_000, 9, |frame| match frame {
        640 => worlds.set_pass(true),
        1280 => worlds.set_pass(false),
        1600 => assert_eq!(worlds.set(world(Verdict::Dangerous), Stage::all()), 2),
        _ => {}
    });
    let mut checked = [0; 4];
    control.drain(usize::MAX, &worlds, |noted| {
        let Kind::Sms(sms) = noted.note.kind else { return };
        let frame = noted.note.place.frame;
        assert_eq!(noted.note.world, if frame < 1600 { 1 } else { 2 }, "frame {frame}");
        assert_eq!(noted.world.map(|live| live.number), Some(noted.note.world));
        let passes = (640..1280).contains(&frame);
        assert!(!passes || !sms.rewritten, "frame {frame} was rewritten after pass");
        checked[usize::from(passes)] += usize::from(sms.rewritten || sms.held == Some(Held::Pass));
    });
    assert!(checked[0] > 100 && checked[1] > 50, "{checked:?}");
}

#[test]
fn full_rings_cost_notes_which_are_counted_and_never_a_frame() {
    for setup in [
        Setup { notes: 64, ..Setup::default() },
        Setup { links: 32, ..Setup::default() },
        Setup { cells: 256, ..Setup::default() },
    ] {
        let (worlds, mut side, mut control) = pair(&setup, Stage::all());
        let lane = run(&mut side, 1_000, 5, |_| {});
        let mut events = 0;
        let mut all = 0;
        control.drain(usize::MAX, &worlds, |noted| {
            all += u64::from(matches!(noted.note.kind, Kind::Sms(_)));
            events += u64::from(matches!(noted.note.kind, Kind::Outcome { .. }));
        });
        let lost = control.state().lost.notes;
        assert!(all > 10 && lost > 500, "{setup:?}: {all} of {lost}");
        assert!(lane.counters().sms.on <= all + lost && lane.counters().rewritten_frames > 100, "{events}");
    }
}

#[test]
fn a_world_is_freed_by_the_control_side_and_only_when_the_lane_has_let_go() {
    let (mut worlds, mut side, _control) = pair(&Setup::default(), Stage::all());
    let held = side.world();
    let old = Arc::downgrade(&held);
    for _ in 0..10 {
        worlds.set(world(Verdict::Safe), Stage::all());
    }
    drop(held);
    assert!(old.upgrade().is_some(), "the lane still has it");
    let now = side.world();
    assert!(old.upgrade().is_some(), "the lane let go of it, and freed nothing");
    worlds.let_go();
    assert!(old.upgrade().is_none());
    assert_eq!(now.number, 11);
}

/// Reads every message, and keeps what a note would, and its links.
struct Aloud(Vec<(String, Vec<u8>, Vec<String>)>);

/// What is told of a link.
fn told(url: &str, host: &str, registrable: &str, text: &str, rest: &impl std::fmt::Debug) -> String {
    format!("{url} {host} {registrable} {text} {rest:?}")
}

impl Listener for Aloud {
    const TEXTS: bool = true;

    fn sms(&mut self, sms: &Sms<'_>) {
        if !sms.repeat {
            let mut octets = note::Octets::new();
            let note = SmsNote::of(&mut octets, sms, None);
            let links = sms.urls.iter().map(|url| {
                let rest = (url.verdict, url.reason, url.entry, url.app, url.confidence, url.found);
                told(url.url, url.host, url.registrable, url.text, &rest)
            });
            self.0.push((format!("{note:?}"), octets.all().to_vec(), links.collect()));
        }
    }
}

/// Counts what it need not read, and of that what has links.
#[derive(Default)]
struct Count(u64, u64);

impl Listener for Count {
    const TEXTS: bool = true;
    const UNREAD: bool = true;

    fn sms(&mut self, _: &Sms<'_>) {}
    fn unread(&mut self, _: &Place, message: &Unread<'_>) {
        self.0 += 1;
        self.1 += u64::from(!message.urls.is_empty());
    }
}

#[test]
fn a_message_that_the_lane_leaves_unread_has_the_note_that_reading_it_would_have_made() {
    let linked = [Preset::Warn, Preset::Quiet].map(notes_of_unread);
    assert!(linked[0] == 0 && linked[1] > 50, "{linked:?} unread with links");
}

fn notes_of_unread(preset: Preset) -> u64 {
    // Room for all, since nobody reads meanwhile.
    let setup = Setup { notes: 1 << 15, links: 1 << 15, cells: 1 << 18, ..Setup::default() };
    let worlds = Worlds::new(under(Verdict::Safe, preset), Stage::all());
    let (mut side, mut control) = worlds.channel(&setup);
    let quietly = run(&mut side, 4_000, 11, |_| {});
    let live = side.world();
    let (mut aloud, mut unread) = (Aloud(Vec::new()), Count::default());
    let read = through(4_000, 11, |lane, frame| lane.frame(frame, &live, &mut aloud));
    through(4_000, 11, |lane, frame| lane.frame(frame, &live, &mut unread));
    assert!(unread.0 > 500, "{} unread", unread.0);
    assert_eq!(format!("{:?}", quietly.counters()), format!("{:?}", read.counters()));
    let mut expected = aloud.0.iter();
    let drained = control.drain(usize::MAX, &worlds, |noted| {
        let Kind::Sms(sms) = noted.note.kind else { return };
        let (note, octets, links) = expected.next().unwrap();
        assert_eq!((&format!("{sms:?}"), noted.octets.get(..octets.len())), (note, Some(&octets[..])));
        let text = |span: note::Span| span.text(noted.octets);
        let noted = noted.links.iter().map(|link| {
            let rest = (link.verdict, link.reason, link.entry, link.app, link.confidence, link.found);
            told(text(link.url), text(link.host), text(link.registrable), text(link.text), &rest)
        });
        assert_eq!(&noted.collect::<Vec<_>>(), links);
    });
    let left = expected.count();
    assert!(left == 0 && drained as u64 > unread.0, "{left} left of {}, {drained} drained, {} unread", aloud.0.len(), unread.0);
    assert_eq!(control.state().lost, Lost::default());
    unread.1
}

#[test]
fn a_message_that_went_unread_was_not_rewritten_whatever_the_world_of_now_would_do() {
    let setup = Setup { notes: 1 << 15, links: 1 << 15, cells: 1 << 18, ..Setup::default() };
    let mut worlds = Worlds::new(under(Verdict::Safe, Preset::Quiet), Stage::all());
    let (mut side, mut control) = worlds.channel(&setup);
    run(&mut side, 4_000, 11, |_| {});
    for _ in 0..10 {
        worlds.set(under(Verdict::Dangerous, Preset::Strict), Stage::all());
        side.world();
    }
    worlds.let_go();
    let (mut passed, mut all) = (0, 0);
    control.drain(usize::MAX, &worlds, |noted| {
        let Kind::Sms(sms) = noted.note.kind else { return };
        assert!(noted.world.is_none());
        let passes = sms.decision.action == crate::policy::Action::Pass;
        assert!(!passes || !sms.rewritten, "{sms:?}");
        passed += u64::from(passes && !noted.links.is_empty());
        all += 1;
    });
    assert!(passed > 50, "{passed} of {all}");
}

#[test]
fn a_message_that_the_control_side_cannot_read_either_is_counted_as_lost() {
    let (worlds, mut side, mut control) = pair(&Setup::default(), Stage::all());
    let (urls, decision) = (Urls::NONE, Decision::default());
    let message = Unread { sccp: &[9, 0, 3, 5], calling_party: &[], otid: &[], invoke_id: 1, urls, decision };
    side.unread(&Place::default(), &message);
    let mut lane = Lane::new(&lane::Setup::default());
    assert_eq!(control.drain(usize::MAX, &worlds, |noted| panic!("{:?}", noted.note)), 1);
    side.publish(&mut lane, 1, |_| {});
    assert_eq!(control.state().lost.notes, 1);
}
