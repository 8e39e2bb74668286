//! BER: the walk accounts for every octet, agrees with `asn1-rs`, and what its trail puts right is read back; TCAP and MAP on top of it.

use core::ops::Range;

use asn1_rs::{Any, BerParser, Input};
use protocols::ber::{self, Form, MAX_DEPTH, Reader, Tlv, Trail};
use protocols::map::ForwardSm;
use protocols::span::within;
use protocols::tcap::{Component, Message};
use protocols::{Layer, Why};

/// Octets that stand in place of others when lengths are put right: short, and more than a short length can say.
const NEW: [&[u8]; 3] = [b"", b"other", &[b'x'; 200]];

/// The target.
pub fn run(bytes: &[u8]) {
    // A SIF holds 272 octets, an SCTP message no more than 64 KiB: what is longer only costs time here.
    let bytes = bytes.get(..4096).unwrap_or(bytes);
    let mut leaves = Vec::new();
    walk(bytes, 0, &mut leaves);
    for (content, tlv) in leaves.into_iter().take(8) {
        put_in_place(bytes, content, &tlv);
    }
    tcap(bytes);
}

/// Every element, with what is inside it. Primitive elements are kept for [`put_in_place`].
fn walk<'a>(content: &'a [u8], depth: usize, leaves: &mut Vec<(&'a [u8], Tlv<'a>)>) {
    let mut reader = Reader::new(content, Layer::Tcap);
    let mut at = 0;
    while let Some(tlv) = reader.next() {
        let Ok(tlv) = tlv else {
            assert!(reader.next().is_none(), "a walk ends after an error");
            return;
        };
        let tail = if tlv.form == Form::Indefinite { 2 } else { 0 };
        assert_eq!(tlv.header_len() + tlv.content.len() + tail, tlv.raw.len());
        assert_eq!(within(content, tlv.raw), Some(at..at + tlv.raw.len()), "elements follow each other without a gap");
        at += tlv.raw.len();
        assert_eq!((reader.at(), reader.rest()), (at, &content[at..]));
        assert!(tlv.form != Form::Indefinite || tlv.constructed);
        agrees(&content[at - tlv.raw.len()..], &tlv);
        if tlv.constructed {
            let mut scratch = [0; 64];
            if let Ok(octets) = ber::octets(&tlv, &mut scratch, Layer::Map) {
                assert!(octets.len() <= tlv.content.len());
            }
            if depth < MAX_DEPTH {
                walk(tlv.content, depth + 1, leaves);
            }
        } else if !tlv.is(ber::Class::Universal, 0) {
            // Tag 0 without contents is end-of-contents: no message has an element of that name.
            leaves.push((tlv.content, tlv));
        }
    }
    assert_eq!(at, content.len(), "a walk without an error reads everything");
}

/// Where `asn1-rs` reads an element too, it reads the same one.
fn agrees(data: &[u8], ours: &Tlv<'_>) {
    if !plain(ours, 0) {
        return;
    }
    let Ok((behind, theirs)) = Any::parse_ber(Input::from(data)) else { return };
    assert_eq!(theirs.header.class() as u8, ours.class as u8);
    assert_eq!((theirs.header.tag().0, theirs.header.constructed()), (ours.number, ours.constructed));
    assert_eq!(theirs.data.as_bytes2(), ours.content);
    assert_eq!(behind.as_bytes2(), &data[ours.raw.len()..]);
}

/// `asn1-rs` loses its place, on the search for end-of-contents, behind extended tags and empty elements: an indefinite form with these
/// inside is not compared.
fn plain(tlv: &Tlv<'_>, depth: usize) -> bool {
    let padded = |tlv: &Tlv<'_>| matches!(tlv.raw, [tag, 0x80, ..] if tag & 0x1f == 0x1f);
    let inside =
        |tlv: Result<Tlv<'_>, _>| tlv.is_ok_and(|tlv| tlv.identifier == 1 && !tlv.content.is_empty() && plain(&tlv, depth + 1));
    let open = tlv.form == Form::Indefinite;
    !padded(tlv) && (!open || depth < MAX_DEPTH && tlv.children(Layer::Tcap).all(inside))
}

/// The contents of one element become others: every length above is put right by the trail, and the walk finds the new contents.
fn put_in_place(data: &[u8], content: &[u8], tlv: &Tlv<'_>) {
    let target = within(data, content).unwrap();
    let mut trail = Trail::default();
    if let Err(error) = ber::trail(data, target.clone(), Layer::Tcap, &mut trail) {
        // An empty element lies between its neighbours as well as in itself.
        assert!(content.is_empty() || matches!(error.why, Why::Limit(_)), "{error}");
        return;
    }
    let own = trail.levels().last().unwrap();
    if (own.content_at..own.content_at + own.content_len) != target {
        assert!(content.is_empty(), "the trail ends at the element itself");
        return;
    }
    assert_eq!(own.number, tlv.number);
    NEW.iter().for_each(|new| becomes(data, target.clone(), new, &trail));
}

fn becomes(data: &[u8], target: Range<usize>, new: &[u8], trail: &Trail) {
    let mut out = data.to_vec();
    out.splice(target.clone(), new.iter().copied());
    let mut len = new.len();
    let mut growths = Vec::new();
    for (at, level) in trail.levels().iter().enumerate().rev() {
        if at + 1 < trail.levels().len() {
            let inner: usize = growths.iter().sum();
            len = level.content_len - target.len() + new.len() + inner;
        }
        let Some(field) = ber::length(level.form, len) else { return };
        let field = field.as_slice();
        assert!(field.len() >= usize::from(level.octets), "a length field never shrinks");
        growths.push(field.len() - usize::from(level.octets));
        out.splice(level.at..level.at + usize::from(level.octets), field.iter().copied());
    }
    // Down the same way: each level begins where it did, moved by the length fields that grew in front of it.
    let (mut rest, mut moved) = (out.as_slice(), 0);
    for (level, growth) in trail.levels().iter().zip(growths.iter().rev()) {
        moved += growth;
        let place = level.content_at + moved;
        let found = Reader::new(rest, Layer::Tcap)
            .map_while(Result::ok)
            .find(|tlv| within(&out, tlv.content).is_some_and(|content| content.start == place && tlv.number == level.number));
        let Some(found) = found else { panic!("{level:?} of {:?} is lost in {out:02x?}", trail.levels()) };
        rest = found.content;
    }
    assert_eq!(rest, new, "the innermost contents are the new ones");
}

/// The layers above read what they can.
fn tcap(bytes: &[u8]) {
    let Ok(message) = Message::parse(bytes) else { return };
    let _ = (message.dialogue(), message.application_context());
    let mut count = 0;
    for component in message.components() {
        count += 1;
        assert!(count <= bytes.len(), "a walk over components ends");
        if let Ok(Component::Invoke(invoke)) = component {
            let mut scratch = [0; 256];
            if let Ok(forward) = ForwardSm::parse(&invoke, message.application_context(), &mut scratch) {
                assert!(within(bytes, forward.sm_rp_ui_element.raw).is_some());
                assert_eq!(forward.joined, within(bytes, forward.sm_rp_ui).is_none() && !forward.sm_rp_ui.is_empty());
            }
        }
    }
}
