//! The short message layer against vectors that others made (`../shared/data/ss7/vectors.jsonl`).
//!
//! Where sources disagree: the vector's own expectation, then the tables, then pycrate, then tshark. Each departure is listed with its reason,
//! and a reason that no vector needs any more fails the test.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests are not in `#[test]` functions"
)]

use std::collections::BTreeMap;

use protocols::sms::wap::{self, Push};
use protocols::sms::{Alphabet, Concat, Dcs, Direction, Kind, Language, SEPTETS, Tables, Tpdu, UserData};
use serde_json::Value;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/ss7/");

/// A file of the test data; `None`, with a line that says so, where the folder is not here.
fn data(name: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("{DATA}{name}")).ok();
    if text.is_none() {
        println!("skipped: ../shared/data is not here");
    }
    text
}

/// The vectors of some layers.
fn vectors(layers: &[&str]) -> Option<Vec<Value>> {
    let text = data("vectors.jsonl")?;
    let all = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let some: Vec<_> = all.filter(|vector| layers.contains(&vector["layer"].as_str().unwrap())).collect();
    assert!(!some.is_empty(), "no vectors of {layers:?}");
    Some(some)
}

fn octets(vector: &Value) -> Vec<u8> {
    hex(vector["hex"].as_str().unwrap())
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn direction(vector: &Value) -> Direction {
    match vector["expect"]["direction"].as_str() {
        Some("mo") => Direction::MobileOriginated,
        _ => Direction::MobileTerminated,
    }
}

fn text(user_data: &UserData<'_>) -> String {
    let mut out = String::new();
    user_data.text(&mut out);
    out
}

/// Reasons to depart from an oracle, by the beginning of a vector's note, and how many vectors each is for.
struct Departures(BTreeMap<&'static str, (usize, &'static str)>);

impl Departures {
    fn of(list: &[(&'static str, usize, &'static str)]) -> Self {
        Self(list.iter().map(|(note, count, reason)| (*note, (*count, *reason))).collect())
    }

    fn take(&mut self, vector: &Value, ours: &str, theirs: &str) {
        let note = vector["note"].as_str().unwrap();
        let entry = self.0.iter_mut().find(|(start, (count, _))| note.starts_with(**start) && *count > 0);
        let Some((_, (count, _))) = entry else { panic!("{ours:?} where the oracle has {theirs:?}: {vector}") };
        *count -= 1;
    }

    fn are_all_used(self) {
        let unused: Vec<_> = self.0.into_iter().filter(|(_, (count, _))| *count > 0).collect();
        assert!(unused.is_empty(), "listed, but they agree: {unused:?}");
    }
}

#[test]
fn every_tpdu_of_another_hand_is_read_but_the_one_that_is_none() {
    for vector in vectors(&["tpdu"]).unwrap_or_default() {
        let result = Tpdu::parse(&octets(&vector), direction(&vector)).map(|tpdu| tpdu.kind);
        if vector["note"] == "SmsSubmitTpduTest.getData3B" {
            // Seven octets 01 to 07: test data of TP-VP, not a TPDU.
            assert_eq!(result.unwrap_err().to_string(), "SMS byte 7: truncated: 8 octets needed, 7 present");
        } else {
            result.unwrap_or_else(|error| panic!("{error}: {vector}"));
        }
    }
}

#[test]
fn texts_are_what_their_sources_say() {
    let mut compared = 0;
    for vector in vectors(&["tpdu"]).unwrap_or_default() {
        let Some(expected) = vector["expect"]["text"].as_str() else { continue };
        let octets = octets(&vector);
        let tpdu = Tpdu::parse(&octets, direction(&vector)).unwrap();
        assert_eq!(text(&tpdu.user_data), expected, "{vector}");
        compared += 1;
    }
    println!("{compared} texts compared");
}

#[test]
fn texts_are_what_tshark_shows_but_for_its_limits() {
    let mut departures = Departures::of(&[
        ("test_decode", 1, "tshark 4.0 takes an enhanced validity period for malformed"),
        ("pduSubmitGsm7_EnhancedTpVp", 1, "the same"),
        ("SmsSubmitTpduTest.getData3", 1, "tshark shows no text of 8-bit data"),
        ("deliver UDL 164", 1, "tshark clamps at 160 septets, a handset need not"),
        ("deliver ucs2 lone high surrogate", 1, "tshark loses the character behind the lone surrogate"),
        ("deliver ucs2 odd length", 1, "tshark shows half a character"),
        ("deliver 8bit latin1", 1, "tshark shows no text of 8-bit data"),
        ("deliver 8bit F4", 1, "the same"),
        ("deliver 8bit F5", 1, "the same"),
        ("deliver 8bit utf-8", 1, "the same; Latin-1 by rule, since 8-bit data names no charset"),
        ("submit 8bit", 1, "the same"),
        ("deliver reserved dcs 0c", 1, "tshark shows no text of reserved alphabets"),
        ("deliver reserved group 80", 1, "the same"),
        ("UDL larger than octets", 1, "tshark shows nothing when octets are missing"),
        ("single shift lang", 3, "tshark ignores shift tables"),
        ("locking shift lang", 2, "the same"),
        ("locking+single shift lang", 10, "the same"),
        ("URL in Indic/Urdu", 10, "the same"),
        ("UPPER-CASE URL", 10, "the same"),
        ("URL with single shift table 6", 1, "the same"),
        ("ESC ESC", 1, "TS 23.038 §6.2.1.1 note 1: ESC ESC is a space"),
        ("ESC unknown", 1, "the base table's character, not U+FFFD"),
        ("ESC last septet", 1, "an ESC at the end is no character"),
        ("submit gsm7 vpf enh", 1, "tshark 4.0 takes an enhanced validity period for malformed"),
    ]);
    let Some(vectors) = vectors(&["tpdu"]) else { return };
    for vector in vectors {
        let octets = octets(&vector);
        let Ok(tpdu) = Tpdu::parse(&octets, direction(&vector)) else { continue };
        // `-T fields` writes line ends as escapes.
        let shown = vector["expect"]["tshark"]["gsm_sms.sms_text"].as_str().unwrap_or_default();
        let shown = shown.replace("\\n", "\n").replace("\\r", "\r");
        let ours = text(&tpdu.user_data);
        if ours != shown {
            departures.take(&vector, &ours, &shown);
        }
    }
    departures.are_all_used();
}

#[test]
fn addresses_schemes_and_protocols_are_what_tshark_shows() {
    let mut departures = Departures::of(&[(
        "testCingularVoiceMail",
        2,
        "one semi-octet is one digit; tshark shows the second, which the length leaves out",
    )]);
    let Some(vectors) = vectors(&["tpdu"]) else { return };
    for vector in vectors {
        let octets = octets(&vector);
        let shown = &vector["expect"]["tshark"];
        let Ok(tpdu) = Tpdu::parse(&octets, direction(&vector)) else { continue };
        assert_eq!(shown["gsm_sms.tp-mti"].as_str(), Some(&*tpdu.first.mti().to_string()), "{vector}");
        if !matches!(tpdu.kind, Kind::Deliver | Kind::Submit) {
            continue; // tshark was not asked for TP-RA.
        }
        let field = if tpdu.kind == Kind::Submit { "gsm_sms.tp-da" } else { "gsm_sms.tp-oa" };
        let (ours, theirs) = (tpdu.address.to_string(), shown[field].as_str().unwrap_or_default());
        if ours != theirs {
            departures.take(&vector, &ours, theirs);
        }
        assert_eq!(shown["gsm_sms.tp-pid"].as_str(), Some(&*tpdu.pid.to_string()), "{vector}");
        if let Some(dcs) = shown["gsm_sms.tp-dcs"].as_str() {
            assert_eq!(dcs, tpdu.dcs.0.to_string(), "{vector}");
        }
    }
    departures.are_all_used();
}

#[test]
fn addresses_are_what_their_sources_say() {
    for vector in vectors(&["tpdu", "address"]).unwrap_or_default() {
        let expect = &vector["expect"];
        let named = ["address", "number", "oa"].into_iter().find_map(|key| expect[key].as_str());
        let Some(expected) = named else { continue };
        // An address alone is read as a DELIVER's, with nothing but zeros behind it.
        let (octets, direction) = match vector["layer"].as_str() {
            Some("address") => ([&[0], &*octets(&vector), &[0; 10]].concat(), Direction::MobileTerminated),
            _ => (octets(&vector), direction(&vector)),
        };
        let tpdu = Tpdu::parse(&octets, direction).unwrap();
        let plus = if tpdu.address.ton == 1 && expected.starts_with('+') { "+" } else { "" };
        let ours = format!("{plus}{}", tpdu.address);
        if expected == "+b08427829207025" {
            // python-gsmmodem shows the semi-octet b as a letter: TS 23.040 §9.1.2.3 makes it `#`.
            assert_eq!(ours, "+#08427829207025");
        } else {
            assert_eq!(ours, expected, "{vector}");
        }
    }
}

#[test]
fn parts_of_a_text_are_what_their_sources_say() {
    let mut compared = 0;
    for vector in vectors(&["tpdu"]).unwrap_or_default() {
        let expect = &vector["expect"];
        let listed = expect["udh"][0]["concat"].clone();
        let number = |value: &Value| value.as_u64();
        let (reference, total, seq) = match () {
            () if expect["concat"].is_object() => {
                (number(&expect["concat"]["ref"]), number(&expect["concat"]["max"]), number(&expect["concat"]["seq"]))
            }
            () if listed.is_array() => (number(&listed[0]), number(&listed[1]), number(&listed[2])),
            () if expect["concat_pointer"].is_u64() => {
                (number(&expect["concat_pointer"]), number(&expect["concat_segments"]), number(&expect["concat_current"]))
            }
            () if expect["part"].is_u64() => (None, number(&expect["parts"]), number(&expect["part"])),
            () => continue,
        };
        let octets = octets(&vector);
        let concat = Tpdu::parse(&octets, direction(&vector)).unwrap().user_data.udh.and_then(|udh| udh.concat()).unwrap();
        assert!(reference.is_none_or(|reference| reference == u64::from(concat.reference)), "{vector}");
        assert_eq!((total, seq), (Some(concat.total.into()), Some(concat.seq.into())), "{vector}");
        compared += 1;
    }
    println!("{compared} parts compared");
}

#[test]
fn impossible_part_numbers_are_ignored_and_of_two_references_the_last_counts() {
    for vector in vectors(&["tpdu"]).unwrap_or_default() {
        let octets = octets(&vector);
        let concat = || Tpdu::parse(&octets, direction(&vector)).unwrap().user_data.udh.unwrap().concat();
        match vector["note"].as_str().unwrap().split(';').next().unwrap() {
            "concat max 0" | "concat seq 0" | "concat seq>max" => assert_eq!(concat(), None, "{vector}"),
            "two concat IEs" => {
                // The second is 08 04 0009 03 ...: wide.
                let concat = concat().unwrap();
                assert!(concat.wide && concat.reference == 9, "{concat:?}");
            }
            _ => {}
        }
    }
}

#[test]
fn joined_parts_give_the_whole_text_also_where_a_surrogate_pair_is_split() {
    let mut wholes: BTreeMap<String, BTreeMap<u8, Vec<u8>>> = BTreeMap::new();
    for vector in vectors(&["tpdu"]).unwrap_or_default() {
        let Some(full) = vector["expect"]["concat"]["full"].as_str() else { continue };
        let octets = octets(&vector);
        let user_data = Tpdu::parse(&octets, direction(&vector)).unwrap().user_data;
        let seq = user_data.udh.unwrap().concat().unwrap().seq;
        // Joined as UTF-16, as a joiner with `trailing_surrogate` and `leading_surrogate` would.
        let mut part = text(&user_data);
        let mut units: Vec<u8> = vec![];
        if user_data.leading_surrogate().is_some() {
            part.remove(0);
        }
        if user_data.trailing_surrogate().is_some() {
            part.pop();
        }
        units.extend(user_data.leading_surrogate().into_iter().flat_map(u16::to_be_bytes));
        units.extend(part.encode_utf16().flat_map(u16::to_be_bytes));
        units.extend(user_data.trailing_surrogate().into_iter().flat_map(u16::to_be_bytes));
        // The key carries the alphabet and reference width, since the sources send one text in several ways.
        let udh = user_data.udh.unwrap();
        wholes.entry(format!("{full}\0{}{:?}", udh.concat().unwrap().reference, user_data.dcs)).or_default().insert(seq, units);
    }
    for (key, parts) in wholes {
        let units: Vec<u16> = parts
            .into_values()
            .flatten()
            .collect::<Vec<_>>()
            .chunks(2)
            .map(|unit| u16::from_be_bytes([unit[0], unit[1]]))
            .collect();
        assert_eq!(String::from_utf16(&units).unwrap(), key.split('\0').next().unwrap());
    }
}

#[test]
fn times_and_references_are_what_their_sources_say() {
    let iso = |value: &Value| {
        let numbers: Vec<i32> = value.as_str()?.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
        let [y, mo, d, h, mi, s, zone] = numbers[..] else { panic!("{value}") };
        Some(format!("{y}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}+{zone:02}:00"))
    };
    for vector in vectors(&["tpdu"]).unwrap_or_default() {
        let (octets, expect) = (octets(&vector), &vector["expect"]);
        let Ok(tpdu) = Tpdu::parse(&octets, direction(&vector)) else { continue };
        if let Some(time) = iso(&expect["time"]) {
            assert_eq!(tpdu.scts.unwrap().to_string(), time, "{vector}");
        }
        if let Some(time) = iso(&expect["discharge"]) {
            assert_eq!(tpdu.discharge_time.unwrap().to_string(), time, "{vector}");
        }
        if let Some(reference) = expect["reference"].as_u64() {
            assert_eq!(tpdu.message_reference.map(u64::from), Some(reference), "{vector}");
        }
        if let Some(days) = expect["validity"].as_str() {
            assert_eq!((days, tpdu.validity.relative_minutes()), ("timedelta(days=3)", Some(3 * 24 * 60)), "{vector}");
        }
    }
}

#[test]
fn packed_septets_are_what_their_sources_say() {
    for vector in vectors(&["gsm7", "ud7"]).unwrap_or_default() {
        let (octets, expect) = (octets(&vector), &vector["expect"]);
        let Some(expected) = expect["text"].as_str() else { continue };
        // A source that does not count septets means as many as its text takes.
        let counted = ["n_septets", "udl_septets"].into_iter().find_map(|key| expect[key].as_u64());
        let needed = protocols::sms::encode::septets_needed(expected, Tables::default()).unwrap();
        let (udhi, fill) = (expect["udhi"] == 1, expect["fill_bits"].as_u64().unwrap_or(0));
        // Fill bits without a header of theirs: an empty header of the length that has so many.
        let header = (0..7)
            .map(|len| [&[len], &*vec![0; len.into()]].concat())
            .find(|header| fill > 0 && (7 - header.len() * 8 % 7) as u64 % 7 == fill);
        let field = [&*header.clone().unwrap_or_default(), &*octets].concat();
        let udl = counted.unwrap_or(needed as u64) + header.map_or(0, |header| (header.len() as u64 * 8).div_ceil(7));
        let user_data = UserData::parse(u8::try_from(udl).unwrap(), &field, udhi || fill > 0, Dcs(0));
        assert_eq!(text(&user_data), expected, "{vector}");
        if let Some(septets) = expect["septets_hex"].as_str() {
            assert_eq!(user_data.septets(&mut [0; SEPTETS]), hex(septets), "{vector}");
        }
    }
}

#[test]
fn headers_alone_are_read() {
    let expected = |row: &str| -> Vec<u64> { row.trim_start_matches('[').split(", ").map_while(|n| n.parse().ok()).collect() };
    for vector in vectors(&["udh"]).unwrap_or_default() {
        let elements = octets(&vector);
        let field = [&[u8::try_from(elements.len()).unwrap()], &*elements].concat();
        let udh = UserData::parse(u8::try_from(field.len()).unwrap(), &field, true, Dcs(4)).udh.unwrap();
        let row = expected(vector["expect"]["row"].as_str().unwrap());
        let ours = match (udh.concat(), udh.ports()) {
            (Some(Concat { reference, total, seq, .. }), None) => vec![reference.into(), seq.into(), total.into()],
            (None, Some(ports)) => vec![ports.destination.into(), ports.source.into()],
            other => panic!("{other:?}: {vector}"),
        };
        // python-gsmmodem gives reference, parts, part in whatever order its class keeps: compare as sets.
        let sorted = |mut numbers: Vec<u64>| {
            numbers.sort_unstable();
            numbers
        };
        assert_eq!(sorted(ours), sorted(row), "{vector}");
    }
}

#[test]
fn parts_of_layers_and_ucs2_never_panic_in_any_role() {
    for vector in vectors(&["tpdu", "tpdu-part", "gsm7", "ud7", "ucs2", "udh", "address"]).unwrap_or_default() {
        let octets = octets(&vector);
        for end in 0..=octets.len() {
            for direction in [Direction::MobileTerminated, Direction::MobileOriginated] {
                if let Ok(tpdu) = Tpdu::parse(&octets[..end], direction) {
                    text(&tpdu.user_data);
                    let _ = (tpdu.untouchable(), tpdu.address.to_string(), tpdu.problems.to_string());
                }
            }
            for dcs in [0x00, 0x04, 0x08, 0x20] {
                for udl in [0, 1, end as u8, (end as u8).wrapping_add(1), 255] {
                    for udhi in [false, true] {
                        let user_data = UserData::parse(udl, &octets[..end], udhi, Dcs(dcs));
                        assert_eq!(user_data.units().map(|(_, character)| character).collect::<String>(), text(&user_data));
                        wap::text(user_data.body(), &mut String::new());
                    }
                }
            }
        }
    }
}

#[test]
fn a_tpdu_cut_before_its_user_data_is_an_error_and_after_it_is_marked() {
    for vector in vectors(&["tpdu"]).unwrap_or_default() {
        let octets = octets(&vector);
        let Ok(whole) = Tpdu::parse(&octets, direction(&vector)) else { continue };
        let Some(udl_at) = whole.udl_at else { continue };
        for end in 0..octets.len() {
            match Tpdu::parse(&octets[..end], direction(&vector)) {
                // STATUS-REPORT may leave out all behind TP-ST, and so end there.
                Ok(cut) if end <= udl_at => assert_eq!(cut.kind, Kind::StatusReport, "cut at {end}: {vector}"),
                Ok(cut) => assert!(cut.user_data.octets.len() < end - udl_at),
                Err(error) => assert!(end <= udl_at, "cut at {end}: {error}: {vector}"),
            }
        }
    }
}

#[test]
fn a_length_off_by_one_takes_or_leaves_one_unit_and_says_so() {
    use protocols::sms::Problems;
    for vector in vectors(&["tpdu"]).unwrap_or_default() {
        let octets = octets(&vector);
        let Ok(tpdu) = Tpdu::parse(&octets, direction(&vector)) else { continue };
        let user_data = tpdu.user_data;
        if user_data.alphabet() == Alphabet::Gsm7 || !tpdu.problems.is_empty() || user_data.tp_udl < 30 {
            continue;
        }
        let field = &octets[tpdu.udl_at.unwrap() + 1..];
        let more = UserData::parse(user_data.tp_udl + 1, field, tpdu.first.udhi(), tpdu.dcs);
        assert!(more.problems.contains(Problems::UDL_BEYOND_OCTETS) && more.octets == user_data.octets, "{vector}");
        let less = UserData::parse(user_data.tp_udl - 1, field, tpdu.first.udhi(), tpdu.dcs);
        assert!(less.problems.contains(Problems::TRAILING_OCTETS) && less.octets.len() + 1 == user_data.octets.len(), "{vector}");
    }
}

#[test]
fn an_mms_notification_in_two_parts_gives_its_location() {
    let mut body = vec![];
    for vector in vectors(&["tpdu"]).unwrap_or_default() {
        let octets = octets(&vector);
        let Ok(tpdu) = Tpdu::parse(&octets, direction(&vector)) else { continue };
        if vector["note"] == "testUdh" {
            assert!(tpdu.is_wap_push() && tpdu.untouchable().is_none() && !tpdu.user_data.has_text());
            body.extend(tpdu.user_data.body());
        }
    }
    if !body.is_empty() {
        let mut out = String::new();
        assert_eq!(wap::text(&body, &mut out), Some(Push::MmsNotification));
        assert_eq!(out, "http://66.102.171.150/RNE9U0Jmq5QAABflAAAAMwAAB6QAAAAA");
    }
}

#[test]
fn all_national_tables_are_those_of_the_three_projects_that_agree() {
    let Some(text) = data("gsm7_tables.json") else { return };
    let tables: Value = serde_json::from_str(&text).unwrap();
    for (kind, is_locking) in [("locking", true), ("shift", false)] {
        for (identifier, table) in tables[kind].as_object().unwrap() {
            let language = Language::from_identifier(identifier.parse().unwrap());
            assert!(identifier == "0" || language != Language::Default, "{identifier}");
            let ours = Tables::new(language, language);
            for septet in 0..128 {
                let theirs = table[septet.to_string()].as_str().and_then(|character| character.chars().next());
                let ours = if is_locking { ours.base(septet) } else { ours.extension(septet) };
                // ESC is no character: alone it is the escape, behind another the space of TS 23.038 §6.2.1.1 note 1.
                let theirs = theirs.filter(|_| septet != 0x1b);
                assert_eq!(ours, theirs, "{kind} {identifier} {septet:#04x}");
            }
        }
    }
    assert_eq!(Tables::new(Language::Spanish, Language::Default).base(0x04), Some('è'), "Spanish has no locking table");
}
