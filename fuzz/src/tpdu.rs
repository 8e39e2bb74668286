//! One TPDU: read, written back, changed in place and put in front of, in every alphabet.

use protocols::sms::encode::{self, Change, Ud};
use protocols::sms::{Alphabet, Direction, Kind, MAX_OCTETS, Tpdu, wap};

/// What is put in front of a text: within the default alphabet, its extension, and beyond it.
const LABELS: [&str; 4] = ["? ", "[UNKNOWN LINK] ", "[€] ", "\u{2753} "];

/// The target: an octet whose lowest bit is the direction, then the TPDU.
pub fn run(bytes: &[u8]) {
    let Some((head, octets)) = bytes.split_first() else { return };
    let direction = if head & 1 == 0 { Direction::MobileTerminated } else { Direction::MobileOriginated };
    let Ok(tpdu) = Tpdu::parse(octets, direction) else { return };
    let ud = &tpdu.user_data;
    if let Some(at) = tpdu.udl_at {
        assert_eq!(octets[at], ud.tp_udl);
        assert!(octets[at + 1..].starts_with(ud.octets));
    }
    let mut address = String::new();
    tpdu.address.write_text(&mut address).unwrap();
    let mut text = String::new();
    let problems = ud.text(&mut text);
    assert!(problems.names().all(|name| !name.is_empty()));
    if tpdu.is_wap_push() {
        let mut push = String::new();
        let _ = wap::text(ud.body(), &mut push);
    }
    assert!(ud.header().len() + ud.body().len() == ud.octets.len());
    if !matches!(tpdu.kind, Kind::Deliver | Kind::Submit) || !ud.has_text() {
        return;
    }
    units(&tpdu, &text);
    // A header that claims more octets than there are takes in no text, and the lane lets such a message be.
    if tpdu.first.udhi() && ud.octets.first().is_some_and(|len| usize::from(*len) >= ud.octets.len()) {
        return;
    }
    same_text_again(octets, &tpdu, &text, direction);
    // A header is announced and none is there: what came in front would be read as one, and the lane lets such a message be.
    if !tpdu.first.udhi() || ud.header_octets() > 0 {
        in_front(octets, &tpdu, &text, direction);
    }
    in_place(octets, &tpdu, direction);
}

/// Units cover the text from its first to its last, in order, and their characters are the text.
fn units(tpdu: &Tpdu<'_>, text: &str) {
    let (mut end, mut read) = (0, String::new());
    for (unit, character) in tpdu.user_data.units() {
        assert_eq!(unit.start, end);
        assert!(unit.end > unit.start);
        end = unit.end;
        read.push(character);
    }
    assert_eq!(read, text);
}

/// Octets that any input has room in: what it is given in front is user data, and that stays within [`MAX_OCTETS`].
const ROOM: usize = 8192;

/// The TPDU with other user data, read back.
fn spliced(octets: &[u8], tpdu: &Tpdu<'_>, ud: &Ud, direction: Direction, check: impl FnOnce(&Tpdu<'_>, &str)) {
    assert!(ud.octets().len() <= MAX_OCTETS.max(tpdu.user_data.octets.len()));
    let mut room = [0; ROOM];
    let written = encode::splice(octets, tpdu, ud, &mut room).unwrap();
    let again = Tpdu::parse(written, direction).unwrap();
    assert_eq!((again.kind, again.pid, again.dcs, again.address.raw), (tpdu.kind, tpdu.pid, tpdu.dcs, tpdu.address.raw));
    assert_eq!(again.user_data.header(), tpdu.user_data.header(), "the header stays");
    let mut text = String::new();
    let _ = again.user_data.text(&mut text);
    check(&again, &text);
}

fn same_text_again(octets: &[u8], tpdu: &Tpdu<'_>, text: &str, direction: Direction) {
    let mut ud = Ud::default();
    if encode::refit(&tpdu.user_data, text, &mut ud).is_ok() {
        spliced(octets, tpdu, &ud, direction, |_, again| assert_eq!(again, text));
    }
    if encode::edit(&tpdu.user_data, &[], &mut ud).is_ok() {
        spliced(octets, tpdu, &ud, direction, |_, again| assert_eq!(again, text));
    }
}

fn in_front(octets: &[u8], tpdu: &Tpdu<'_>, text: &str, direction: Direction) {
    let mut ud = Ud::default();
    for label in LABELS {
        if encode::edit(&tpdu.user_data, &[Change { units: 0..0, text: label }], &mut ud).is_ok() {
            spliced(octets, tpdu, &ud, direction, |_, again| assert_eq!(again, format!("{label}{text}")));
        }
        let whole = format!("{label}{text}");
        if encode::refit(&tpdu.user_data, &whole, &mut ud).is_ok() {
            spliced(octets, tpdu, &ud, direction, |_, again| assert_eq!(again, whole));
        }
    }
}

/// Every third character becomes a space: nothing moves, and all others stay.
fn in_place(octets: &[u8], tpdu: &Tpdu<'_>, direction: Direction) {
    let spots = || tpdu.user_data.units().step_by(3);
    let mut ud = Ud::default();
    if encode::overwrite(&tpdu.user_data, spots().map(|(unit, _)| (unit.start, ' ')), &mut ud).is_err() {
        return;
    }
    assert_eq!(ud.octets().len(), tpdu.user_data.octets.len());
    let width = if tpdu.user_data.alphabet() == Alphabet::Ucs2 { 2 } else { 1 };
    let mut expected = String::new();
    for (at, (unit, character)) in tpdu.user_data.units().enumerate() {
        if at % 3 == 0 {
            // The second half of what took two becomes a space too.
            (0..unit.len().div_ceil(width)).for_each(|_| expected.push(' '));
        } else {
            expected.push(character);
        }
    }
    spliced(octets, tpdu, &ud, direction, |_, again| assert_eq!(again, expected));
}
