//! Our BER walk beside that of `asn1-rs`, on every vector that is BER, and our rewriting of lengths read back by ourselves.

use asn1_rs::{Any, BerParser, Input};
use protocols::Layer;
use protocols::ber::{self, Reader, Tlv, Trail};
use protocols::map::ForwardSm;
use protocols::span::within;
use protocols::tcap::{Component, Message};

use super::vectors;

/// Elements that both read alike, with all that is inside them.
fn compare(content: &[u8], note: &str) -> usize {
    let (mut rest, mut reader, mut count) = (content, Reader::new(content, Layer::Tcap), 0);
    while !rest.is_empty() {
        let theirs = Any::parse_ber(Input::from(rest));
        let ours = reader.next().unwrap();
        let (Ok((behind, theirs)), Ok(ours)) = (&theirs, &ours) else {
            assert!(theirs.is_err() || known_difference(rest), "{note}: they read it, we do not: {rest:02x?}");
            assert!(ours.is_err() || known_difference(rest), "{note}: we read it, they do not: {rest:02x?}");
            return count;
        };
        assert_eq!(theirs.header.class() as u8, ours.class as u8, "{note}");
        assert_eq!((theirs.header.tag().0, theirs.header.constructed()), (ours.number, ours.constructed), "{note}");
        assert_eq!(theirs.data.as_bytes2(), ours.content, "{note}");
        assert_eq!(behind.as_bytes2(), reader.rest(), "{note}");
        rest = reader.rest();
        count += 1 + if ours.constructed { compare(ours.content, note) } else { 0 };
    }
    count
}

/// They refuse a tag with pad octets in front, which X.690 forbids and lenient receivers take.
fn known_difference(data: &[u8]) -> bool {
    data.first().is_some_and(|tag| tag & 0x1f == 0x1f) && data.get(1) == Some(&0x80)
}

#[test]
fn our_walk_sees_what_asn1_rs_sees_in_every_vector() {
    let (all, mut count) = (vectors(), 0);
    for vector in all.iter().filter(|vector| matches!(vector.layer.as_str(), "tcap" | "map" | "map-any" | "cap")) {
        count += compare(&vector.data, &vector.note);
    }
    assert!(all.is_empty() || count > 6_000, "{count} elements compared");
}

/// `data` with `ui` in place of the contents of `element`, every length above put right by its trail.
fn rewritten(data: &[u8], element: &Tlv<'_>, ui: &[u8]) -> Vec<u8> {
    let target = within(data, element.content).unwrap();
    let mut levels = Trail::default();
    ber::trail(data, target.clone(), Layer::Tcap, &mut levels).unwrap();
    let (mut out, mut grown) = (data.to_vec(), 0);
    out.splice(target.clone(), ui.iter().copied());
    for level in levels.levels().iter().rev() {
        let len = level.content_len + ui.len() - target.len() + grown;
        let field = ber::length(level.form, len).unwrap();
        grown += field.as_slice().len() - usize::from(level.octets);
        out.splice(level.at..level.at + usize::from(level.octets), field.as_slice().iter().copied());
    }
    out
}

#[test]
fn a_longer_text_put_in_by_its_trail_is_read_back_and_nothing_else_changed() {
    let (all, mut count) = (vectors(), 0);
    for vector in all.iter().filter(|vector| vector.layer == "tcap") {
        let Ok(message) = Message::parse(&vector.data) else { continue };
        for (at, component) in message.components().enumerate() {
            let Ok(Component::Invoke(invoke)) = component else { continue };
            let mut scratch = [0; 255];
            let Ok(before) = ForwardSm::parse(&invoke, message.application_context(), &mut scratch) else { continue };
            if before.joined {
                continue;
            }
            let ui: Vec<u8> = (0..before.sm_rp_ui.len() + 140).map(|octet| octet as u8).collect();
            let out = rewritten(&vector.data, &before.sm_rp_ui_element, &ui);
            let message = Message::parse(&out).unwrap();
            let Ok(Component::Invoke(invoke)) = message.components().nth(at).unwrap() else { panic!("{}", vector.note) };
            let mut scratch = [0; 255];
            let after = ForwardSm::parse(&invoke, message.application_context(), &mut scratch).unwrap();
            assert_eq!(after.sm_rp_ui, ui, "{}", vector.note);
            assert_eq!((after.destination, after.origination), (before.destination, before.origination), "{}", vector.note);
            let same = rewritten(&out, &after.sm_rp_ui_element, &ui);
            assert_eq!(same, out, "{}: the same text changes nothing", vector.note);
            count += 1;
        }
    }
    assert!(all.is_empty() || count > 150, "{count} messages rewritten");
}

#[test]
fn a_constructed_octet_string_is_joined_to_what_the_primitive_one_says() {
    let all = vectors();
    let ui = |note: &str| {
        let vector = all.iter().find(|vector| vector.layer == "tcap" && vector.note.starts_with(note))?;
        let message = Message::parse(&vector.data).unwrap();
        let Component::Invoke(invoke) = message.components().next()?.unwrap() else { return None };
        let mut scratch = [0; 255];
        let forward = ForwardSm::parse(&invoke, None, &mut scratch).unwrap();
        Some((forward.sm_rp_ui.to_vec(), forward.joined))
    };
    let Some((plain, false)) = ui("MAPv3 mt-forwardSM") else { return };
    for note in ["constructed OCTET STRING", "constructed indefinite OCTET STRING"] {
        assert_eq!(ui(note), Some((plain.clone(), true)), "{note}");
    }
}
