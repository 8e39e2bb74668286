//! `tshark` beside us, field by field: operations, IMSI, addresses, TP fields, transaction ids and text of every message.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod common;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use common::{Own, replay, scratch, shared, tshark, world};
use dataplane::policy::{Policy, Preset, Spec};
use protocols::sms::Dcs;

const FIELDS: [&str; 12] = [
    "frame.number",
    "gsm_old.localValue",
    "gsm_sms.tp-mti",
    "gsm_sms.tp-oa",
    "gsm_sms.tp-da",
    "gsm_sms.tp-dcs",
    "gsm_sms.tp-pid",
    "gsm_sms.sms_text",
    "e212.imsi",
    "tcap.otid",
    "tcap.dtid",
    "_ws.malformed",
];

/// Frames of `gen_tpdu_all.pcap` whose text `tshark` 4.0 reads otherwise, and why (limit 5 of the test data's README).
const DEPARTURES: [(u64, &str); 5] = [
    (9, "TP-UDL over 160: tshark clamps it, we take the octets that are there"),
    (28, "ESC at the end belongs to nothing; tshark shows U+FFFD"),
    (122, "ESC ESC is a space, and what follows is of the base table (TS 23.038 §6.2.1.1)"),
    (123, "an unknown ESC shows the base table's character; tshark shows U+FFFD"),
    (124, "ESC at the end belongs to nothing; tshark shows U+FFFD"),
];

/// How `tshark` prints a text in a field: control characters as C writes them.
fn printed(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{c}' => out.push_str("\\f"),
            c => out.push(c),
        }
    }
    out
}

/// Whether the text is one that `tshark` 4.0 shows as it is: limits 1, 2, 5 of the test data's README.
fn is_comparable(record: &Own) -> bool {
    let alphabet = Dcs(record.dcs).alphabet().name();
    let odd = |c: char| c == '\u{fffd}' || c == '\0' || (c.is_control() && !matches!(c, '\n' | '\r'));
    alphabet != "8bit"
        && !record.shifted
        && !Dcs(record.dcs).is_reserved()
        && record.part_text.as_ref().is_some_and(|text| !text.contains(odd))
}

/// What was compared, and what differs: frame, field, ours, theirs.
fn compare(capture: &Path) -> (usize, Vec<(u64, &'static str, String, String)>) {
    let world = world(Policy::compile(Spec::preset(Preset::Observe)).unwrap());
    let replayed = replay(capture, &world, None);
    let rows = tshark(capture, &FIELDS);
    let mut frames: HashMap<u64, Vec<&Own>> = HashMap::new();
    for record in &replayed.keeper.records {
        frames.entry(record.frame).or_default().push(record);
    }
    let (mut compared, mut differ) = (0, Vec::new());
    for row in &rows {
        let number: u64 = row[0][0].parse().unwrap();
        let Some(records) = frames.get(&number) else { continue };
        // Several messages in a frame lie in one list a field: then each of ours must be among theirs.
        if !row[11].is_empty() || row[2].is_empty() {
            continue;
        }
        for record in records {
            let mut field = |name: &'static str, ours: String, theirs: &[String]| {
                compared += 1;
                if !theirs.contains(&ours) {
                    differ.push((number, name, ours, theirs.join(" | ")));
                }
            };
            if !record.imsi.is_empty() && !row[8].is_empty() {
                field("imsi", record.imsi.clone(), &row[8]);
            }
            for (name, ours, theirs) in [("otid", &record.otid, &row[9]), ("dtid", &record.dtid, &row[10])] {
                if !ours.is_empty() {
                    field(name, ours.clone(), theirs);
                }
            }
            let hex_or_decimal = |value: u8| [format!("{value}"), format!("0x{value:02x}")];
            for (name, ours, theirs) in [("dcs", record.dcs, &row[5]), ("pid", record.pid, &row[6])] {
                if !theirs.is_empty() {
                    let [decimal, hex] = hex_or_decimal(ours);
                    field(name, if theirs.contains(&hex) { hex } else { decimal }, theirs);
                }
            }
            let address = if record.kind == "deliver" { &row[3] } else { &row[4] };
            if !address.is_empty() && matches!(record.kind, "deliver" | "submit") {
                field("address", printed(&record.address), address);
            }
            if is_comparable(record) && !row[7].is_empty() {
                field("text", printed(record.part_text.as_deref().unwrap_or_default()), &row[7]);
            }
        }
    }
    (compared, differ)
}

#[test]
fn every_field_of_every_message_is_as_tshark_reads_it() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps/samples");
    let mut captures: Vec<PathBuf> = vec![samples.join("pycrate.pcapng"), samples.join("generated.pcapng")];
    captures.extend(
        ["gen_tpdu_all", "gen_procedures", "gen_lower"].iter().filter_map(|name| shared(&format!("ss7/pcaps/{name}.pcap"))),
    );
    for capture in captures {
        let (compared, differ) = compare(&capture);
        println!("{}: {compared} fields, {} differ", capture.display(), differ.len());
        let is_tpdus = capture.ends_with("gen_tpdu_all.pcap");
        let unexplained: Vec<_> = differ
            .iter()
            .filter(|(frame, name, ..)| !(is_tpdus && *name == "text" && DEPARTURES.iter().any(|(n, _)| n == frame)))
            .collect();
        assert!(unexplained.is_empty(), "{}: {unexplained:#?}", capture.display());
        assert!(compared > 40, "{}: only {compared} fields compared", capture.display());
    }
}

#[test]
fn what_the_generator_made_is_read_by_tshark_alike() {
    let path = scratch("oracle.pcapng");
    let mix = pcaps::generate::Mix::default();
    pcaps::generate::generate(2000, 7, &mix, std::io::BufWriter::new(std::fs::File::create(&path).unwrap())).unwrap();
    let (compared, differ) = compare(&path);
    println!("generated: {compared} fields, {} differ", differ.len());
    assert!(differ.is_empty(), "{differ:#?}");
    assert!(compared > 5000);
}
