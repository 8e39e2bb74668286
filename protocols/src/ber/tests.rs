use super::*;

fn first(data: &[u8]) -> Result<Tlv<'_>, Error> {
    Reader::new(data, Layer::Tcap).next().unwrap()
}

#[test]
fn a_tag_is_the_same_in_low_extended_and_padded_form() {
    for (data, canonical) in [(&[0x84, 1, 9][..], true), (&[0x9f, 4, 1, 9], false), (&[0x9f, 0x80, 4, 1, 9], false)] {
        let tlv = first(data).unwrap();
        assert!(tlv.is(Class::Context, 4) && tlv.content == [9] && tlv.raw == data);
        assert_eq!(tlv.canonical, canonical, "{data:02x?}");
    }
    assert!(first(&[0x9f, 31, 0]).unwrap().canonical, "31 needs the extended form");
    assert_eq!(first(&[0x9f, 0x7f, 1, 0]).unwrap().number, 127);
}

#[test]
fn a_length_is_read_in_short_long_padded_and_indefinite_form() {
    let forms: [(&[u8], Form, bool); 5] = [
        (&[0x30, 2, 5, 0], Form::Short, true),
        (&[0x30, 0x81, 2, 5, 0], Form::Long(1), false),
        (&[0x30, 0x83, 0, 0, 2, 5, 0], Form::Long(3), false),
        (&[0x30, 0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 5, 0], Form::Long(10), false),
        (&[0x30, 0x80, 5, 0, 0, 0], Form::Indefinite, true),
    ];
    for (data, form, canonical) in forms {
        let tlv = first(data).unwrap();
        assert_eq!((tlv.content, tlv.raw, tlv.form, tlv.canonical), (&[5u8, 0][..], data, form, canonical));
        assert_eq!(&data[tlv.header_len()..][..2], tlv.content);
    }
}

#[test]
fn lengths_that_lie_are_named_with_their_place() {
    let cases: [(&[u8], &str); 8] = [
        (&[0x30], "TCAP byte 1: truncated: 2 octets needed, 1 present"),
        (&[0x04, 5, 1], "TCAP byte 1: truncated: 5 octets needed, 1 present"),
        (&[0x04, 0x84, 0xff, 0xff, 0xff, 0xff], "TCAP byte 1: truncated: 4294967295 octets needed, 0 present"),
        (&[0x04, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0], "TCAP byte 1: bad length 4294967295"),
        (&[0x04, 0xff, 0], "TCAP byte 1: malformed: reserved length octet ff"),
        (&[0x04, 0x80, 0, 0], "TCAP byte 1: malformed: indefinite length of a primitive"),
        (&[0x30, 0x80, 4, 9, 0, 0], "TCAP byte 2: truncated: 9 octets needed, 4 present"),
        (&[0x30, 0x80, 5, 0], "TCAP byte 4: end-of-contents is missing"),
    ];
    for (data, error) in cases {
        assert_eq!(first(data).unwrap_err().to_string(), error, "{data:02x?}");
    }
    let largest = [0x04, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert!(first(&largest).is_err(), "a length that overflows with its header");
}

#[test]
fn ten_thousand_nested_tags_end_in_a_limit_and_not_in_the_stack() {
    let indefinite: Vec<u8> = [0x30, 0x80].repeat(10_000);
    assert_eq!(first(&indefinite).unwrap_err().why, Why::Limit("BER nesting"));
    let mut definite = Vec::new();
    (0..10_000).for_each(|_| push_constructed_front(&mut definite));
    assert_eq!(first(&definite).unwrap().raw.len(), definite.len());
    let mut levels = Trail::default();
    let end = definite.len();
    assert_eq!(trail(&definite, end - 1..end, Layer::Map, &mut levels).unwrap_err().why, Why::Limit("BER nesting"));
}

/// `out` wrapped once more.
fn push_constructed_front(out: &mut Vec<u8>) {
    let inner = std::mem::take(out);
    push_header(out, Class::Universal, true, 16, inner.len());
    out.extend_from_slice(&inner);
}

#[test]
fn end_of_contents_is_the_one_of_this_element() {
    let data = [0x30, 0x80, 0x30, 0x80, 4, 2, 0, 0, 0, 0, 5, 0, 0, 0, 0x77];
    let tlv = first(&data).unwrap();
    assert_eq!((tlv.raw.len(), tlv.content.len()), (14, 10));
    let inner: Vec<_> = tlv.children(Layer::Map).map(|tlv| tlv.unwrap().content.len()).collect();
    assert_eq!(inner, [4, 0]);
}

#[test]
fn an_octet_string_in_pieces_is_joined_and_a_whole_one_is_borrowed() {
    let mut scratch = [0u8; 4];
    let whole = first(&[4, 2, 1, 2]).unwrap();
    assert_eq!(octets(&whole, &mut [], Layer::Map).unwrap(), [1, 2]);
    let nested = [0x24, 0x80, 4, 1, 1, 0x24, 5, 4, 1, 2, 4, 0, 0x24, 3, 4, 1, 3, 0, 0];
    assert_eq!(octets(&first(&nested).unwrap(), &mut scratch, Layer::Map).unwrap(), [1, 2, 3]);
    let long = [0x24, 7, 4, 5, 1, 2, 3, 4, 5];
    assert_eq!(octets(&first(&long).unwrap(), &mut scratch, Layer::Map).unwrap_err().why, Why::Limit("joined octet string"));
    let other = [0x24, 3, 2, 1, 1];
    assert_eq!(
        octets(&first(&other).unwrap(), &mut scratch, Layer::Map).unwrap_err().why,
        Why::Malformed("piece of an octet string")
    );
}

#[test]
fn an_integer_is_read_however_long_it_was_written() {
    for (content, value) in [(&[44u8][..], 44), (&[0, 44], 44), (&[0, 0, 0, 44], 44), (&[0xff], -1), (&[0xff, 0x80], -128)] {
        assert_eq!(integer(content), Some(value));
    }
    assert_eq!((integer(&[]), integer(&[0; 9])), (None, None));
}

#[test]
fn the_trail_leads_from_the_message_to_the_text() {
    // 62 { 6c (83 00 00 ..) { a1 80 { 30 { 80 01 aa, 04 02 bb cc } } } }
    let data = [0x62, 21, 0x48, 1, 7, 0x6c, 0x83, 0, 0, 13, 0xa1, 0x80, 0x30, 7, 0x80, 1, 0xaa, 4, 2, 0xbb, 0xcc, 0, 0, 0x99];
    let mut levels = Trail::default();
    trail(&data, 19..21, Layer::Tcap, &mut levels).unwrap();
    let found: Vec<_> =
        levels.levels().iter().map(|level| (level.at, level.octets, level.content_at, level.content_len)).collect();
    assert_eq!(found, [(1, 1, 2, 21), (6, 4, 10, 13), (11, 1, 12, 9), (13, 1, 14, 7), (18, 1, 19, 2)]);
    assert_eq!(levels.levels()[2].form, Form::Indefinite);
    trail(&data, 20..21, Layer::Tcap, &mut levels).unwrap();
    assert_eq!(levels.levels().len(), 5, "a part of the contents has the same trail");
    assert!(trail(&data, 18..20, Layer::Tcap, &mut levels).is_err(), "a length octet is nobody's contents");
    // As long as its tag says primitive and it holds elements all the same: 81 for a1, 10 for 30.
    let mut odd = data;
    (odd[10], odd[12]) = (0x81, 0x10);
    odd[11] = 9;
    trail(&odd, 19..21, Layer::Tcap, &mut levels).unwrap();
    assert_eq!(levels.levels().iter().map(|level| level.at).collect::<Vec<_>>(), [1, 6, 11, 13, 18]);
    assert!(trail(&data, 23..24, Layer::Tcap, &mut levels).is_err(), "nothing holds what is behind the message");
}

#[test]
fn a_length_field_keeps_its_octets_where_it_can() {
    let field = |form, len| length(form, len).unwrap().as_slice().to_vec();
    assert_eq!(field(Form::Short, 127), [127]);
    assert_eq!(field(Form::Short, 128), [0x81, 128]);
    assert_eq!(field(Form::Long(1), 5), [0x81, 5]);
    assert_eq!(field(Form::Long(1), 256), [0x82, 1, 0]);
    assert_eq!(field(Form::Long(3), 130), [0x83, 0, 0, 130]);
    assert_eq!(field(Form::Indefinite, 4000), [0x80]);
    assert_eq!(length(Form::Long(9), 1), None);
}
