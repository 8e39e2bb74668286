//! Writing short messages: what goes in comes out, what should stay stays, and no bytes make anything panic.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests are not in `#[test]` functions"
)]

use proptest::collection::vec;
use proptest::prelude::*;
use protocols::sms::encode::{self, Change, NoFit, Number, Part, Reference, Ud};
use protocols::sms::{Alphabet, Dcs, Direction, Kind, Language, SEPTETS, Tables, Timestamp, Tpdu, UserData, Validity, wap};

fn user_data(part: &Part) -> UserData<'_> {
    UserData::parse(part.tp_udl, &part.user_data, part.udhi, part.dcs)
}

fn text(user_data: &UserData<'_>) -> String {
    let mut out = String::new();
    user_data.text(&mut out);
    out
}

fn after(original: &UserData<'_>, ud: &Ud) -> String {
    text(&UserData::parse(ud.tp_udl, ud.octets(), original.udh.is_some(), original.dcs))
}

/// Every character that a pair of tables can write.
fn characters(tables: Tables) -> Vec<char> {
    let all = (0..128).filter_map(|septet| tables.base(septet)).chain((0..128).filter_map(|septet| tables.extension(septet)));
    all.filter(|character| tables.write(*character).is_some()).collect()
}

fn language() -> impl Strategy<Value = Language> {
    (0..14_u8).prop_map(Language::from_identifier)
}

/// Any tables, and a text in them.
fn tables_and_text(longest: usize) -> impl Strategy<Value = (Tables, String)> {
    (language(), language()).prop_flat_map(move |(locking, single)| {
        let tables = Tables::new(locking, single);
        let characters = characters(tables);
        (Just(tables), vec(0..characters.len(), 0..longest).prop_map(move |at| at.into_iter().map(|at| characters[at]).collect()))
    })
}

/// A user data field of any alphabet, with or without a header, that has text.
fn any_user_data() -> impl Strategy<Value = (u8, Vec<u8>, bool, Dcs)> {
    let dcs = prop_oneof![Just(Dcs(0x00)), Just(Dcs(0x08)), Just(Dcs(0x04)), any::<u8>().prop_map(Dcs)];
    (any::<u8>(), vec(any::<u8>(), 0..160), any::<bool>(), dcs)
}

#[test]
fn every_character_of_every_pair_of_tables_comes_back() {
    for locking in Language::ALL {
        for single in Language::ALL {
            let tables = Tables::new(locking, single);
            for (n, run) in characters(tables).chunks(40).enumerate() {
                let run: String = run.iter().collect();
                let parts = encode::message_in(&run, tables, Reference::Byte(n as u8));
                assert_eq!(parts.len(), 1);
                let read = user_data(&parts[0]);
                assert_eq!((text(&read), read.alphabet()), (run, Alphabet::Gsm7), "{locking:?} {single:?}");
                let spanish_locks_nothing = locking == Language::Spanish;
                assert!(spanish_locks_nothing || read.tables == tables);
            }
        }
    }
}

#[test]
fn a_text_that_needs_ucs2_goes_there_and_one_that_does_not_stays() {
    for (sent, dcs, udl) in [("price 5€", 0x00, 9), ("цена", 0x08, 8), ("📦", 0x08, 4), ("", 0x00, 0)] {
        let parts = encode::message(sent, Reference::Byte(1));
        assert_eq!((parts.len(), parts[0].dcs, parts[0].tp_udl), (1, Dcs(dcs), udl), "{sent}");
        assert_eq!(text(&user_data(&parts[0])), sent);
    }
}

#[test]
fn parts_are_full_and_split_no_character() {
    // 153 septets a part behind a header of six octets: the ESC of the last euro would be the 153rd.
    let sent = format!("{}{}", "a".repeat(152), "€".repeat(40));
    let parts = encode::message(&sent, Reference::Byte(7));
    assert_eq!(parts.iter().map(|part| part.tp_udl).collect::<Vec<_>>(), [7 + 152, 7 + 80]);
    assert_eq!(parts.iter().map(|part| text(&user_data(part))).collect::<String>(), sent);
    // 66 code units a part behind one of seven octets.
    let sent = format!("{}{}", "я".repeat(65), "📦".repeat(5));
    let parts = encode::message(&sent, Reference::Wide(0x1234));
    assert_eq!(parts.iter().map(|part| part.tp_udl).collect::<Vec<_>>(), [7 + 130, 7 + 20]);
    let concat = user_data(&parts[1]).udh.unwrap().concat().unwrap();
    assert_eq!((concat.reference, concat.wide, concat.total, concat.seq), (0x1234, true, 2, 2));
    assert_eq!(encode::message(&"a".repeat(153 * 255 + 1), Reference::Byte(0)), []);
}

#[test]
fn a_text_of_160_septets_is_one_part_and_of_161_is_two() {
    for (len, parts) in [(159, 1), (160, 1), (161, 2), (306, 2), (307, 3)] {
        assert_eq!(encode::message(&"x".repeat(len), Reference::Byte(0)).len(), parts, "{len}");
    }
}

#[test]
fn real_messages_come_back_text_for_text() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/sms");
    let Ok(files) = std::fs::read_dir(folder) else {
        println!("skipped: ../shared/data is not here");
        return;
    };
    let mut messages = 0;
    for file in files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "jsonl")) {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let message: serde_json::Value = serde_json::from_str(line).unwrap();
            let sent = message["text"].as_str().unwrap();
            let parts = encode::message(sent, Reference::Byte(messages as u8));
            assert_eq!(parts.iter().map(|part| text(&user_data(part))).collect::<String>(), sent);
            messages += 1;
        }
    }
    assert!(messages > 10_000, "{messages} messages");
}

#[test]
fn builders_give_what_the_parser_reads() {
    let time = Timestamp { year: 2026, month: 11, day: 23, hour: 17, minute: 59, second: 58, zone_quarters: -14 };
    let part = &encode::message("héllo", Reference::Byte(0))[0];
    for (written, ton, npi) in [("33600000001", 1, 1), ("*#abc12", 0, 1), ("ExBank", 5, 0), ("InfoService", 5, 0), ("", 0, 0)] {
        let number = Number { text: written, ton, npi };
        let octets = encode::deliver(number, 0x41, &time, part);
        let tpdu = Tpdu::parse(&octets, Direction::MobileTerminated).unwrap();
        assert_eq!((tpdu.address.to_string(), tpdu.address.ton, tpdu.address.npi), (written.to_owned(), ton, npi));
        assert_eq!(
            (tpdu.kind, tpdu.pid, tpdu.scts, text(&tpdu.user_data)),
            (Kind::Deliver, 0x41, Some(time), "héllo".to_owned())
        );
        for validity in
            [Validity::None, Validity::Relative(170), Validity::Enhanced([1, 9, 0, 0, 0, 0, 0]), Validity::Absolute(Some(time))]
        {
            let octets = encode::submit(9, number, 0, validity, part);
            let tpdu = Tpdu::parse(&octets, Direction::MobileOriginated).unwrap();
            assert_eq!((tpdu.kind, tpdu.message_reference, tpdu.validity), (Kind::Submit, Some(9), validity));
            assert_eq!((tpdu.address.to_string(), text(&tpdu.user_data)), (written.to_owned(), "héllo".to_owned()));
        }
    }
}

#[test]
fn a_name_in_an_address_is_cut_at_eleven_septets_and_never_within_a_character() {
    let part = &encode::message("x", Reference::Byte(0))[0];
    let time = Timestamp { year: 2026, month: 1, day: 1, hour: 0, minute: 0, second: 0, zone_quarters: 0 };
    let octets = encode::deliver(Number { text: "abcdefghij€uro", ton: 5, npi: 0 }, 0, &time, part);
    assert_eq!(Tpdu::parse(&octets, Direction::MobileTerminated).unwrap().address.to_string(), "abcdefghij");
}

#[test]
fn refitting_says_what_does_not_fit() {
    let part = &encode::message("short", Reference::Byte(0))[0];
    let mut out = Ud::default();
    assert_eq!(encode::refit(&user_data(part), "я", &mut out), Err(NoFit::Character('я')));
    assert_eq!(encode::refit(&user_data(part), &"€".repeat(81), &mut out), Err(NoFit::Long { need: 162, room: 160 }));
    assert_eq!(encode::refit(&user_data(part), &"€".repeat(80), &mut out), Ok(()));
    assert_eq!((out.tp_udl, out.octets().len()), (160, 140));
    let parts = encode::message(&"y".repeat(200), Reference::Byte(0));
    assert_eq!(encode::room(&user_data(&parts[1])), 153);
    assert_eq!(encode::refit(&user_data(&parts[1]), &"y".repeat(154), &mut out), Err(NoFit::Long { need: 154, room: 153 }));
    let binary = UserData::parse(4, &[0, 1, 2, 3], false, Dcs(4));
    assert_eq!(encode::refit(&binary, "x", &mut out), Err(NoFit::NoText));
    let compressed = UserData::parse(4, &[65, 65, 65, 65], false, Dcs(0x20));
    assert_eq!(encode::refit(&compressed, "x", &mut out), Err(NoFit::NoText));
    assert_eq!(encode::overwrite(&compressed, [(0, 'x')], &mut out), Err(NoFit::NoText));
}

#[test]
fn edits_keep_what_no_text_could_be_written_back_to() {
    // Half a surrogate pair, then text: the half stays though it reads as U+FFFD.
    let field = [0xd8, 0x3d, 0x00, b'a', 0x00, b'b'];
    let message = UserData::parse(6, &field, false, Dcs(8));
    let mut out = Ud::default();
    encode::edit(&message, &[Change { units: 2..4, text: "xy" }], &mut out).unwrap();
    assert_eq!(out.octets(), [0xd8, 0x3d, 0x00, b'x', 0x00, b'y', 0x00, b'b']);
    assert_eq!(encode::edit(&message, &[Change { units: 1..2, text: "" }], &mut out), Err(NoFit::Places));
    assert_eq!(encode::edit(&message, &[Change { units: 4..9, text: "" }], &mut out), Err(NoFit::Places));
    let twice = [Change { units: 2..4, text: "" }, Change { units: 2..4, text: "" }];
    assert_eq!(encode::edit(&message, &twice, &mut out), Err(NoFit::Places));
}

#[test]
fn text_put_behind_a_dangling_escape_is_not_swallowed_by_it() {
    let septets = [0x61, 0x1b];
    let field = [septets[0] | septets[1] << 7, septets[1] >> 1];
    let message = UserData::parse(2, &field, false, Dcs(0));
    let mut out = Ud::default();
    encode::edit(&message, &[Change { units: 1..1, text: "e!" }], &mut out).unwrap();
    assert_eq!(after(&message, &out), "ae!");
}

#[test]
fn a_slash_behind_an_escape_is_overwritten_with_both_its_septets() {
    let tables = Tables::new(Language::Hindi, Language::Hindi);
    let part = &encode::message_in("http://a.b/c", tables, Reference::Byte(0))[0];
    let message = user_data(part);
    let slashes: Vec<(u8, char)> =
        message.units().filter(|(_, character)| *character == '/').map(|(units, _)| (units.start, ' ')).collect();
    let mut out = Ud::default();
    encode::overwrite(&message, slashes, &mut out).unwrap();
    assert_eq!(after(&message, &out), "http:    a.b  c");
    assert_eq!((out.tp_udl, out.octets().len()), (part.tp_udl, part.user_data.len()));
    assert_eq!(encode::overwrite(&message, [(0, '/')], &mut out), Err(NoFit::Long { need: 2, room: 1 }));
}

#[test]
fn a_surrogate_pair_is_overwritten_whole() {
    let part = &encode::message("a📦b", Reference::Byte(0))[0];
    let mut out = Ud::default();
    encode::overwrite(&user_data(part), [(2, '.')], &mut out).unwrap();
    assert_eq!(after(&user_data(part), &out), "a. b");
    encode::overwrite(&user_data(part), [(2, '😀')], &mut out).unwrap();
    assert_eq!(after(&user_data(part), &out), "a😀b");
    assert_eq!(encode::overwrite(&user_data(part), [(0, '😀')], &mut out), Err(NoFit::Long { need: 4, room: 2 }));
    assert_eq!(encode::overwrite(&user_data(part), [(8, 'x')], &mut out), Err(NoFit::Places));
}

#[test]
fn a_link_in_a_wap_push_is_made_dead_in_place() {
    let mut field = vec![0x06, 0x05, 0x04, 0x0b, 0x84, 0x23, 0xf0];
    field.extend(b"\x01\x06\x01\xae\x02\x05\x6a\x00\x45\xc6\x0c\x03evil.example/x\0\x01\x03pay\0\x01\x01");
    let message = UserData::parse(u8::try_from(field.len()).unwrap(), &field, true, Dcs(4));
    let mut edits = vec![];
    wap::pieces(message.body(), |piece| {
        let dots = piece.text.char_indices().filter(|(_, character)| matches!(character, '.' | '/'));
        // A token's octet stands for more than one character and stays.
        if piece.octets.len() == piece.text.len() {
            edits.extend(dots.map(|(at, _)| (u8::try_from(piece.octets.start + at).unwrap(), ' ')));
        }
    })
    .unwrap();
    let mut out = Ud::default();
    encode::overwrite(&message, edits, &mut out).unwrap();
    assert_eq!(out.octets().len(), field.len());
    let mut read = String::new();
    wap::text(&out.octets()[7..], &mut read);
    assert_eq!(read, "http://evil example x\npay");
}

#[test]
fn splicing_changes_nothing_in_front_and_drops_what_is_behind_only_when_lengths_change() {
    let time = Timestamp { year: 2026, month: 1, day: 1, hour: 0, minute: 0, second: 0, zone_quarters: 0 };
    let part = &encode::message("http://a.b", Reference::Byte(0))[0];
    let mut octets = encode::deliver(Number { text: "123", ton: 0, npi: 1 }, 0, &time, part);
    octets.extend([0xaa, 0xbb]);
    let tpdu = Tpdu::parse(&octets, Direction::MobileTerminated).unwrap();
    let (mut ud, mut room) = (Ud::default(), [0; 300]);

    encode::overwrite(&tpdu.user_data, [(8, ' ')], &mut ud).unwrap();
    let spliced = encode::splice(&octets, &tpdu, &ud, &mut room).unwrap();
    assert_eq!((spliced.len(), &spliced[spliced.len() - 2..]), (octets.len(), &[0xaa, 0xbb][..]));
    assert_eq!(text(&Tpdu::parse(spliced, Direction::MobileTerminated).unwrap().user_data), "http://a b");

    encode::refit(&tpdu.user_data, "gone", &mut ud).unwrap();
    let udl_at = tpdu.udl_at.unwrap();
    let spliced = encode::splice(&octets, &tpdu, &ud, &mut room).unwrap();
    assert_eq!(&spliced[..udl_at], &octets[..udl_at]);
    assert_eq!((spliced[udl_at], spliced.len()), (4, udl_at + 1 + 4));
    assert_eq!(encode::splice(&octets, &tpdu, &ud, &mut [0; 18]), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decoding_gives_what_was_encoded_in_any_tables((tables, sent) in tables_and_text(700), wide in any::<bool>(), reference in any::<u16>()) {
        let reference = if wide { Reference::Wide(reference) } else { Reference::Byte(reference as u8) };
        let parts = encode::message_in(&sent, tables, reference);
        for (n, part) in parts.iter().enumerate() {
            let read = user_data(part);
            prop_assert!(read.problems.is_empty() && part.user_data.len() <= 140);
            prop_assert_eq!(read.udh.and_then(|udh| udh.concat()).map_or(0, |concat| usize::from(concat.seq) - 1), n);
        }
        prop_assert_eq!(parts.iter().map(|part| text(&user_data(part))).collect::<String>(), sent);
    }

    #[test]
    fn decoding_gives_what_was_encoded_in_any_script(sent in "\\PC{0,300}") {
        let parts = encode::message(&sent, Reference::Byte(3));
        prop_assert_eq!(parts.iter().map(|part| text(&user_data(part))).collect::<String>(), sent);
    }

    #[test]
    fn putting_a_text_in_front_is_the_insertion_at_0(
        (udl, field, udhi, dcs) in any_user_data(),
        // Lengths that agree with the octets, and headers that are some, are rare among any octets.
        header in vec(any::<u8>(), 0..20), agrees in any::<bool>(),
        front in prop_oneof!["[a-zA-Z0-9(.):\n ]{0,60}", "\\PC{0,30}"],
    ) {
        let mut field = field;
        if agrees && udhi && !field.is_empty() {
            field.splice(0..1, [u8::try_from(header.len()).unwrap()].into_iter().chain(header));
        }
        let septets = field.len() * 8 / 7;
        let full = if dcs.alphabet() == Alphabet::Gsm7 { septets } else { field.len() };
        let udl = if agrees { u8::try_from(full).unwrap_or(255) } else { udl };
        let message = UserData::parse(udl, &field, udhi, dcs);
        let (mut by_units, mut by_bits) = (Ud::default(), Ud::default());
        let edited = encode::edit(&message, &[Change { units: 0..0, text: &front }], &mut by_units);
        prop_assert_eq!(encode::prepend(&message, &front, &mut by_bits), edited);
        if edited.is_ok() {
            prop_assert_eq!((by_bits.tp_udl, by_bits.octets()), (by_units.tp_udl, by_units.octets()));
        }
    }

    #[test]
    fn refitting_its_own_text_changes_no_bit((tables, sent) in tables_and_text(200)) {
        for part in &encode::message_in(&sent, tables, Reference::Byte(9)) {
            let (message, mut out) = (user_data(part), Ud::default());
            encode::refit(&message, &text(&message), &mut out).unwrap();
            prop_assert_eq!((out.tp_udl, out.octets()), (part.tp_udl, &*part.user_data));
        }
    }

    #[test]
    fn a_refitted_text_reads_back_behind_the_same_header(locking in language(), single in language(), header in 0..130_usize, fitted in vec(any::<prop::sample::Index>(), 0..160)) {
        // A header of any length: an element that nobody reads, of `header` octets, and the tables behind it.
        let elements = [vec![0xc0, header as u8], vec![0; header], vec![0x25, 1, locking.identifier(), 0x24, 1, single.identifier()]].concat();
        let field = [vec![elements.len() as u8], elements].concat();
        let udl = (field.len() * 8).div_ceil(7) as u8;
        let message = UserData::parse(udl, &field, true, Dcs(0));
        let characters = characters(message.tables);
        let fitted: String = fitted.iter().map(|at| characters[at.index(characters.len())]).collect();
        let mut out = Ud::default();
        let need = encode::septets_needed(&fitted, message.tables).unwrap();
        match encode::refit(&message, &fitted, &mut out) {
            Ok(()) => {
                prop_assert!(need <= encode::room(&message) && out.tp_udl <= 160 && out.octets().len() <= 140);
                prop_assert_eq!(&out.octets()[..field.len()], &*field);
                prop_assert_eq!(after(&message, &out), fitted);
                prop_assert_eq!(usize::from(out.tp_udl), message.header_septets() + need);
            }
            Err(error) => prop_assert_eq!(error, NoFit::Long { need, room: encode::room(&message) }),
        }
    }

    #[test]
    fn an_edit_is_the_same_edit_of_the_text((tables, sent) in tables_and_text(100), at in any::<prop::sample::Index>(), len in 0..5_usize) {
        let part = &encode::message_in(&sent, tables, Reference::Byte(0))[0];
        let message = user_data(part);
        let units: Vec<_> = message.units().collect();
        if units.is_empty() || part.tp_udl >= 140 {
            return Ok(());
        }
        let start = at.index(units.len());
        let end = (start + len).min(units.len());
        let from = units[start].0.start;
        let to = if end == start { from } else { units[end - 1].0.end };
        let mut out = Ud::default();
        encode::edit(&message, &[Change { units: from..to, text: "1 2" }], &mut out).unwrap();
        let characters: Vec<char> = text(&message).chars().collect();
        let expected: String = characters[..start].iter().copied().chain("1 2".chars()).chain(characters[end..].iter().copied()).collect();
        prop_assert_eq!(after(&message, &out), expected);
    }

    #[test]
    fn overwriting_moves_nothing_but_the_characters_it_names((udl, field, udhi, dcs) in any_user_data(), at in any::<prop::sample::Index>()) {
        let message = UserData::parse(udl, &field, udhi, dcs);
        let units: Vec<_> = message.units().collect();
        if units.is_empty() || message.octets.len() > 140 {
            return Ok(());
        }
        let (unit, _) = &units[at.index(units.len())];
        let mut out = Ud::default();
        if encode::overwrite(&message, [(unit.start, '5')], &mut out).is_err() {
            // The Indic tables and Urdu have digits in the base table, so have all others.
            prop_assert!(false, "a digit is in every table");
        }
        prop_assert_eq!((out.tp_udl, out.octets().len()), (message.tp_udl, message.octets.len()));
        prop_assert_eq!(&out.octets()[..message.header_octets()], message.header());
        let after: Vec<_> = UserData::parse(out.tp_udl, out.octets(), udhi, dcs).units().collect();
        for (range, character) in &units {
            if range == unit {
                prop_assert!(after.iter().any(|(now, character)| now.start == unit.start && *character == '5'));
            } else {
                prop_assert!(after.contains(&(range.clone(), *character)));
            }
        }
    }

    #[test]
    fn no_bytes_make_anything_panic(octets in vec(any::<u8>(), 0..260), directed in any::<bool>()) {
        let direction = if directed { Direction::MobileOriginated } else { Direction::MobileTerminated };
        if let Ok(tpdu) = Tpdu::parse(&octets, direction) {
            let (message, mut out) = (tpdu.user_data, Ud::default());
            let read = text(&message);
            let _ = (tpdu.untouchable(), tpdu.address.to_string(), format!("{tpdu:?}"), message.septets(&mut [0; SEPTETS]).len());
            let _ = message.udh.map(|udh| (udh.elements().map(|element| element.name().len()).sum::<usize>(), udh.hyperlinks().count(), udh.reply_address(), udh.email_header()));
            let _ = encode::refit(&message, &read, &mut out);
            let _ = encode::edit(&message, &[Change { units: 0..0, text: "[?] " }], &mut out);
            let mut spliced = [0; 600];
            if encode::overwrite(&message, message.units().map(|(units, _)| (units.start, ' ')), &mut out).is_ok() {
                encode::splice(&octets, &tpdu, &out, &mut spliced);
            }
        }
    }

    #[test]
    fn the_fast_way_to_a_text_is_the_slow_one((udl, field, udhi, dcs) in any_user_data()) {
        let message = UserData::parse(udl, &field, udhi, dcs);
        prop_assert_eq!(text(&message), message.units().map(|(_, character)| character).collect::<String>());
    }

    #[test]
    fn no_bytes_make_a_push_panic(octets in vec(any::<u8>(), 0..200), kind in prop::sample::select(vec![0xae_u8, 0xb0, 0xbe, 0xad])) {
        let push = [&[1, 6, 1, kind], &*octets].concat();
        let mut out = String::new();
        wap::text(&push, &mut out);
        wap::text(&octets, &mut out);
    }
}
