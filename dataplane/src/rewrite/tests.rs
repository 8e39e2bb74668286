use super::*;

/// `30 L 04 L text`, with the text replaced.
fn nested(text: &[u8], new: &[u8]) -> Vec<u8> {
    let mut old = vec![0x30, 2 + text.len() as u8, 0x04, text.len() as u8];
    old.extend_from_slice(text);
    let mut changes = Changes::default();
    changes.replace(4..old.len(), new).unwrap();
    changes.field(Field { at: 1, width: Width::Ber(1), covers: 2..old.len(), pad: None }).unwrap();
    changes.field(Field { at: 3, width: Width::Ber(1), covers: 4..old.len(), pad: None }).unwrap();
    changes.settle(&old).unwrap();
    let mut out = Vec::with_capacity(4096);
    changes.apply(&old, &mut out).unwrap();
    out
}

#[test]
fn a_length_that_outgrows_its_form_lengthens_the_levels_above() {
    assert_eq!(nested(b"abc", b"x"), b"\x30\x03\x04\x01x");
    let long = nested(b"abc", &[7; 126]);
    assert_eq!(long[..5], [0x30, 0x81, 128, 0x04, 126]);
    let longer = nested(b"abc", &[7; 128]);
    assert_eq!(longer[..6], [0x30, 0x81, 131, 0x04, 0x81, 128]);
    assert_eq!(nested(b"abc", &[7; 300])[..8], [0x30, 0x82, 1, 48, 0x04, 0x82, 1, 44]);
}

#[test]
fn a_length_with_leading_zeros_keeps_its_size() {
    for octets in 4..=9_u8 {
        let mut old = vec![0x80 | (octets - 1)];
        old.resize(usize::from(octets), 0);
        old.push(0xaa);
        let end = old.len();
        old[end - 2] = 1;
        let mut changes = Changes::default();
        changes.replace(end - 1..end, &[7; 300]).unwrap();
        changes.field(Field { at: 0, width: Width::Ber(octets), covers: end - 1..end, pad: None }).unwrap();
        let mut out = Vec::with_capacity(512);
        changes.apply(&old, &mut out).unwrap();
        old.splice(end - 3.., [1, 44].into_iter().chain([7; 300]));
        assert_eq!(out, old, "{octets} octets");
    }
}

#[test]
fn padding_follows_the_new_length_and_the_message_counts_it() {
    // A parameter of 4 + 3 octets, padded by one, in a message whose length counts the pad.
    let old = [1, 0, 1, 1, 0, 0, 0, 16, 2, 0x10, 0, 7, b'a', b'b', b'c', 0];
    for (new, len, param, padded) in [(&b"abcd"[..], 16, 8, 16), (b"abcde", 20, 9, 20), (b"", 12, 4, 12)] {
        let mut changes = Changes::default();
        changes.replace(12..15, new).unwrap();
        changes.field(Field { at: 10, width: Width::Two, covers: 8..15, pad: Some(1) }).unwrap();
        changes.field(Field { at: 4, width: Width::Four, covers: 0..16, pad: None }).unwrap();
        changes.settle(&old).unwrap();
        let mut out = Vec::with_capacity(64);
        changes.apply(&old, &mut out).unwrap();
        assert_eq!((out[7], out[11], out.len()), (len, param, padded));
    }
}

#[test]
fn a_pointer_moves_with_the_part_before_its_target() {
    // Two pointers: one to the data at 2, one to a part behind it at 5.
    let old = [2, 4, 0, 0, 0, 9];
    let mut changes = Changes::default();
    changes.replace(3..5, &[1, 2, 3]).unwrap();
    changes.field(Field { at: 0, width: Width::One, covers: 0..2, pad: None }).unwrap();
    changes.field(Field { at: 1, width: Width::One, covers: 1..5, pad: None }).unwrap();
    changes.settle(&old).unwrap();
    let mut out = Vec::with_capacity(64);
    changes.apply(&old, &mut out).unwrap();
    assert_eq!(out, [2, 5, 0, 1, 2, 3, 9]);
}

#[test]
fn fields_in_one_place_are_refused_and_what_is_added_later_is_settled_with_the_rest() {
    let old = [0, 6, 5, 9, 9, 9];
    let mut changes = Changes::default();
    changes.replace(3..4, &[1, 2]).unwrap();
    changes.field(Field { at: 1, width: Width::One, covers: 2..6, pad: None }).unwrap();
    changes.settle(&old).unwrap();
    let mark = changes.mark();
    changes.field(Field { at: 0, width: Width::Two, covers: 2..5, pad: None }).unwrap();
    assert_eq!(changes.settle(&old), Err(NoFit::Changes));
    changes.back_to(mark);
    changes.replace(5..6, &[]).unwrap();
    changes.replace(4..5, &[7]).unwrap();
    changes.field(Field { at: 2, width: Width::One, covers: 4..6, pad: None }).unwrap();
    let mut out = Vec::with_capacity(16);
    changes.apply(&old, &mut out).unwrap();
    assert_eq!(out, [0, 6, 4, 1, 2, 7]);
}

#[test]
fn a_length_octet_that_overflows_is_refused_with_its_numbers() {
    let old = [250; 251];
    let mut changes = Changes::default();
    changes.replace(1..1, &[0; 6]).unwrap();
    changes.field(Field { at: 0, width: Width::One, covers: 1..251, pad: None }).unwrap();
    assert_eq!(changes.settle(&old), Err(NoFit::Field { need: 256, max: 255 }));
}

#[test]
fn the_indicator_of_mtp2_says_of_much_only_that_it_is_much() {
    // Q.703 §2.3.3: six bits beside two spare ones; Annex A: nine beside seven, the lower octet first.
    for (octets, new, indicator, extended) in [
        (40, 50, [0xb2], [50, 0xfe]),
        (40, 100, [0xbf], [100, 0xfe]),
        (100, 80, [0xbf], [80, 0xfe]),
        (100, 20, [0x94], [20, 0xfe]),
        (272, 300, [0xbf], [44, 0xff]),
        (300, 200, [0xbf], [200, 0xfe]),
        (300, 600, [0xbf], [255, 0xff]),
    ] {
        let written = |width, head: &[u8]| {
            let old = [head, &vec![7; octets]].concat();
            let mut changes = Changes::default();
            changes.replace(head.len()..old.len(), &vec![8; new]).unwrap();
            changes.field(Field { at: 0, width, covers: head.len()..old.len(), pad: None }).unwrap();
            let mut out = Vec::with_capacity(4096);
            changes.apply(&old, &mut out).unwrap();
            out
        };
        let [low, high] = u16::try_from(octets).unwrap().to_le_bytes();
        assert_eq!(written(Width::Indicator, &[0x80 | octets.min(63) as u8])[..1], indicator, "{octets} to {new}");
        assert_eq!(written(Width::Extended, &[low, 0xfe | high])[..2], extended, "{octets} to {new}");
    }
}
