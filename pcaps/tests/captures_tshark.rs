//! Captures beside tshark and editcap: what they wrote, and what they make of ours.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that fails should stop")]

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Kept, drain, sample};
use pcaps::read::Capture;

/// Captures that other programs wrote, which are not part of this project.
fn others() -> Option<Vec<PathBuf>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/ss7/pcaps");
    let Ok(files) = std::fs::read_dir(folder) else {
        println!("skipped: ../shared/data is not here");
        return None;
    };
    let captures =
        files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "pcap" || e == "cap"));
    let captures: Vec<_> = captures.collect();
    assert!(!captures.is_empty());
    Some(captures)
}

/// Number, time, length on the wire and captured, link type of each frame, as tshark reads them.
fn by_tshark(path: &Path) -> Option<Vec<(u64, u32, usize)>> {
    let fields = ["-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.cap_len"];
    let Ok(output) = Command::new("tshark").arg("-r").arg(path).args(["-T", "fields"]).args(fields).output() else {
        println!("skipped: tshark is not here");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |line: &str| {
        let mut fields = line.split('\t');
        let (seconds, fraction) = fields.next().unwrap().split_once('.').unwrap();
        let time = format!("{seconds}{fraction:0<9}").parse().unwrap();
        (time, fields.next().unwrap().parse().unwrap(), fields.next().unwrap().parse().unwrap())
    };
    Some(text.lines().map(line).collect())
}

#[test]
fn captures_of_other_programs_read_as_tshark_reads_them() {
    let Some(paths) = others() else { return };
    let folder = std::env::temp_dir().join(format!("pcaps-test-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for path in paths {
        let Some(expected) = by_tshark(&path) else { return };
        let (frames, errors) = drain(Capture::open(&path).unwrap());
        assert!(errors.is_empty(), "{}", errors[0]);
        let seen = |f: &Kept| (f.time_ns.unwrap(), f.original_len, f.bytes.len());
        assert_eq!(frames.iter().map(seen).collect::<Vec<_>>(), expected, "{}", path.display());
        for format in ["pcapng", "nsecpcap", "modpcap"] {
            let again = folder.join(format);
            let Ok(done) = Command::new("editcap").args(["-F", format]).args([&path, &again]).status() else {
                println!("skipped: editcap is not here");
                return;
            };
            assert!(done.success());
            assert_eq!(drain(Capture::open(&again).unwrap()).0, frames, "{} as {format}", path.display());
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn tshark_reads_what_we_wrote() {
    let path = std::env::temp_dir().join(format!("pcaps-test-{}.pcapng", std::process::id()));
    std::fs::write(&path, sample()).unwrap();
    let Some(seen) = by_tshark(&path) else { return };
    let expected = [(1_700_000_000_123_456_789, 5, 5), (1_700_000_000_123_456_790, 0, 0), (1_700_000_001_000_000_000, 1_500, 10)];
    assert_eq!(seen, expected);
    std::fs::remove_file(&path).unwrap();
}
