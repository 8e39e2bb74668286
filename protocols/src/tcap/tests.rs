use super::*;

/// A Begin of one mt-forwardSM, written by hand: transaction 7, context 25.v3.
const BEGIN: [u8; 63] = [
    0x62, 61, 0x48, 1, 7, 0x6b, 30, 0x28, 28, 6, 7, 0, 0x11, 0x86, 5, 1, 1, 1, 0xa0, 17, 0x60, 15, 0x80, 2, 7, 0x80, 0xa1, 9, 6,
    7, 4, 0, 0, 1, 0, 25, 3, 0x6c, 24, 0xa1, 22, 2, 1, 1, 2, 1, 44, 0x30, 14, 0x80, 2, 0x21, 0x43, 0x84, 2, 0x91, 0x21, 4, 2,
    0xaa, 0xbb, 5, 0,
];

#[test]
fn what_is_not_tcap_is_named() {
    let cases = [
        (&[0xe2u8, 0][..], "ANSI TCAP"),
        (&[0x30, 0], "not a TCAP message"),
        (&[0x63, 0], "not a TCAP message"),
        (&[0x7f, 3, 0], "not a TCAP message"),
    ];
    for (data, what) in cases {
        assert_eq!(Message::parse(data).unwrap_err().why, Why::NotOurs(what));
    }
}

#[test]
fn a_begin_has_its_transaction_context_and_component() {
    let message = Message::parse(&BEGIN).unwrap();
    assert_eq!((message.kind, message.otid, message.dtid), (Kind::Begin, Some(&[7u8][..]), None));
    assert_eq!(message.application_context(), Some(ApplicationContext { code: 25, version: 3 }));
    assert!(message.canonical());
    let Component::Invoke(invoke) = message.components().next().unwrap().unwrap() else { panic!("not an invoke") };
    assert_eq!((invoke.opcode, invoke.argument.unwrap().content.len()), (Opcode::Local(44), 14));
}

#[test]
fn a_message_cut_anywhere_is_an_error_with_its_place_and_never_a_panic() {
    for end in 2..BEGIN.len() {
        let error = Message::parse(&BEGIN[..end]).unwrap_err();
        assert_eq!((error.at, error.why), (1, Why::truncated(61, end - 2)), "cut at {end}");
    }
    assert!(Message::parse(&[]).is_err() && Message::parse(&[0x62]).is_err());
}

#[test]
fn a_component_that_cannot_be_read_is_named_with_its_place_in_the_message_and_hides_no_other() {
    // Two invokes: the first one's operation code is an octet string.
    let mut data = [0x64, 21, 0x49, 1, 9, 0x6c, 16, 0xa1, 6, 2, 1, 1, 4, 1, 44, 0xa1, 6, 2, 1, 2, 2, 1, 45];
    let message = Message::parse(&data).unwrap();
    let components: Vec<_> = message.components().collect();
    assert_eq!(components[0].unwrap_err().to_string(), "TCAP byte 12: malformed: operation code");
    assert!(matches!(components[1], Ok(Component::Invoke(Invoke { invoke_id: 2, opcode: Opcode::Local(45), .. }))));
    // A length that leaves the portion ends the walk, with its place.
    data[16] = 7;
    let components: Vec<_> = Message::parse(&data).unwrap().components().collect();
    assert_eq!(components[1].unwrap_err().to_string(), "TCAP byte 16: truncated: 7 octets needed, 6 present");
    assert_eq!(components.len(), 2);
}

#[test]
fn the_usual_dialogue_portion_is_read_as_any_other_is() {
    let portion = &BEGIN[7..37];
    let usual = ApplicationContext::usual(portion).unwrap();
    let dialogue = Dialogue::parse(portion).unwrap();
    assert_eq!((dialogue.pdu, dialogue.application_context), (DialoguePdu::Request, Some(usual)));
    for at in 0..portion.len() {
        let mut other = portion.to_vec();
        other[at] ^= 0x81;
        assert!(ApplicationContext::usual(&other).is_none(), "octet {at}");
    }
}

#[test]
fn the_first_dialogue_portion_with_a_context_counts_wherever_it_stands() {
    let (begin, portion, components) = (&BEGIN[2..5], &BEGIN[5..37], &BEGIN[37..]);
    let empty = [0x6b, 2, 5, 0];
    let read = |parts: &[&[u8]]| {
        let body = parts.concat();
        let data = [&[0x62, 0x81, u8::try_from(body.len()).unwrap()], &body[..]].concat();
        let message = Message::parse(&data).unwrap();
        (message.application_context().map(|context| context.code), message.marks, message.components().count())
    };
    let (code, marks, count) = read(&[begin, components, portion]);
    assert!((code, count) == (Some(25), 1) && marks.has(Mark::LateDialogue));
    let (code, marks, count) = read(&[begin, &empty, portion, components]);
    assert!((code, count) == (Some(25), 1) && marks.has(Mark::UnreadDialogue) && !marks.has(Mark::Repeated));
    let mut other = portion.to_vec();
    other[30] = 21;
    let (code, marks, _) = read(&[begin, portion, &other, components]);
    assert!(code == Some(25) && marks.has(Mark::Repeated));
    let (_, marks, count) = read(&[begin, components, &[5, 0], components]);
    assert!(count == 2 && marks.has(Mark::SecondComponents) && marks.has(Mark::Unknown));
    let (code, marks, count) = read(&[begin, components, &[0x6b, 200]]);
    assert!((code, count) == (None, 1) && marks.has(Mark::BrokenTail));
}

#[test]
fn an_abort_says_who_broke_off_and_why() {
    let mut provider = Vec::new();
    push_abort(&mut provider, &[1, 2], Some(3), &[]);
    assert_eq!(Message::parse(&provider).unwrap().p_abort, Some(3));
    // ABRT by the user, whose user information names MAP and says nothing.
    let user = [
        0x67, 41, 0x49, 4, 0x7b, 0xa5, 0x34, 0x13, 0x6b, 33, 0x28, 31, 6, 7, 0, 0x11, 0x86, 5, 1, 1, 1, 0xa0, 20, 0x64, 18, 0x80,
        1, 0, 0xbe, 13, 0x28, 11, 6, 7, 4, 0, 0, 1, 1, 1, 1, 0xa0, 0,
    ];
    let dialogue = Message::parse(&user).unwrap().dialogue().unwrap();
    assert_eq!((dialogue.pdu, dialogue.abort_source, dialogue.map), (DialoguePdu::Abort, Some(0), None));
}

#[test]
fn map_refuse_has_its_reason() {
    let information = [0xbe, 18, 0x28, 16, 6, 7, 4, 0, 0, 1, 1, 1, 1, 0xa0, 5, 0xa3, 3, 0x0a, 1, 2];
    let abort = [&[0x80u8, 1, 0][..], &information].concat();
    let mut portion = vec![0x64, u8::try_from(abort.len()).unwrap()];
    portion.extend_from_slice(&abort);
    let mut external = vec![0xa0, u8::try_from(portion.len()).unwrap()];
    external.extend_from_slice(&portion);
    let mut whole = vec![0x28, u8::try_from(external.len()).unwrap()];
    whole.extend_from_slice(&external);
    let dialogue = Dialogue::parse(&whole).unwrap();
    assert_eq!(dialogue.map, Some(MapDialogue::Refuse(Some(2))));
}

#[test]
fn a_reject_is_read_with_and_without_an_invocation() {
    let reject = |content: &[u8]| {
        let data = [&[0x64, 0, 0x49, 1, 9, 0x6c, 0, 0xa4, 0][..], content].concat();
        let mut data = data;
        let len = u8::try_from(content.len()).unwrap();
        (data[1], data[6], data[8]) = (len + 7, len + 2, len);
        Message::parse(&data).map(|message| message.components().next().map(|component| component.ok().map(|c| format!("{c:?}"))))
    };
    let known = Component::Reject(Reject { invoke_id: Some(1), problem: Some(Problem::Invoke(7)) });
    assert_eq!(reject(&[2, 1, 1, 0x81, 1, 7]), Ok(Some(Some(format!("{known:?}")))));
    let unknown = Component::Reject(Reject { invoke_id: None, problem: Some(Problem::General(2)) });
    assert_eq!(reject(&[5, 0, 0x80, 1, 2]), Ok(Some(Some(format!("{unknown:?}")))));
}

#[test]
fn each_mark_has_a_name_and_a_place_of_its_own() {
    for (index, mark) in Mark::ALL.into_iter().enumerate() {
        let mut marks = Marks::none();
        marks.set(mark);
        assert_eq!(marks.iter().collect::<Vec<_>>(), [mark]);
        assert_eq!(mark as usize, index);
        assert!(Mark::ALL.iter().filter(|other| other.name() == mark.name()).count() == 1);
    }
}
