//! What we build is what we read, at each layer and through all of them.

use proptest::prelude::*;
use protocols::map::{self, AddressString, Destination, Direction, ForwardSm, Operation, Origination, Tbcd};
use protocols::sccp::{self, Address, Kind, Segmentation, Unitdata, Variant};
use protocols::tcap::{self, ApplicationContext, Component, MapDialogue, Message, Opcode};

use super::read_as_anything;

fn octets(size: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), size)
}

fn segmentation() -> impl Strategy<Value = Segmentation> {
    (any::<bool>(), 0u8..2, 0u8..16, 0u32..1 << 24).prop_map(|(first, class, remaining, local_reference)| Segmentation {
        first,
        class,
        remaining,
        local_reference,
    })
}

proptest! {
    #[test]
    fn a_unitdata_of_each_kind_comes_back(
        to in "[0-9]{1,15}", from in "[0-9]{1,15}", ssn in any::<u8>(), pc in proptest::option::of(0u16..1 << 14),
        data in octets(0..160), class in 0u8..2, hop in any::<u8>(), segment in proptest::option::of(segmentation()),
        importance in proptest::option::of(0u8..8), grown in 0usize..40,
    ) {
        let (mut called, mut calling) = (Vec::new(), Vec::new());
        Address::push_e164(&mut called, &to, ssn);
        match pc {
            Some(_) => Address::push_ssn(&mut calling, ssn, pc),
            None => Address::push_e164(&mut calling, &from, ssn),
        }
        let mut messages = [Vec::new(), Vec::new(), Vec::new()];
        sccp::push_udt(&mut messages[0], class, true, &called, &calling, &data).unwrap();
        sccp::push_xudt(&mut messages[1], class, true, hop, &called, &calling, &data, segment, importance).unwrap();
        sccp::push_ludt(&mut messages[2], class, hop, &called, &calling, &data, segment).unwrap();
        for (kind, message) in [Kind::Udt, Kind::Xudt, Kind::Ludt].into_iter().zip(&messages) {
            let unitdata = Unitdata::parse(message, Variant::Itu).unwrap();
            prop_assert_eq!((unitdata.kind, unitdata.class, unitdata.data), (kind, class, data.as_slice()));
            prop_assert_eq!(unitdata.called_party.gt.unwrap().digits.to_string(), to.as_str());
            prop_assert_eq!(unitdata.called_party.ssn, Some(ssn));
            prop_assert_eq!((unitdata.calling_party.pc, unitdata.calling_party.route_on_ssn), (pc.map(u32::from), pc.is_some()));
            prop_assert_eq!(unitdata.hop_counter, (kind != Kind::Udt).then_some(hop));
            prop_assert_eq!(unitdata.segmentation, if kind == Kind::Udt { None } else { segment });
            prop_assert_eq!(unitdata.importance, if kind == Kind::Xudt { importance } else { None });

            // Longer data, put in by the layout: the rest is as it was.
            let layout = sccp::layout(message).unwrap();
            let longer = vec![0x55; data.len() + grown];
            let mut other = message.clone();
            layout.resize(&mut other, longer.len()).unwrap();
            other.splice(layout.data(), longer.iter().copied());
            let again = Unitdata::parse(&other, Variant::Itu).unwrap();
            prop_assert_eq!(again, Unitdata { data: &longer, ..unitdata });
        }
    }

    #[test]
    fn a_message_in_segments_joins_to_itself(data in octets(1..1000), size in 70usize..200, reference in 0u32..1 << 24) {
        let mut address = Vec::new();
        Address::push_ssn(&mut address, 8, None);
        let messages = sccp::xudt_segments(1, 15, &address, &address, &data, size, reference).unwrap();
        let mut joined = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            let unitdata = Unitdata::parse(message, Variant::Itu).unwrap();
            let segmentation = unitdata.segmentation.unwrap();
            prop_assert_eq!(segmentation.first, index == 0);
            prop_assert_eq!(usize::from(segmentation.remaining), messages.len() - 1 - index);
            prop_assert_eq!(segmentation.local_reference, reference);
            joined.extend_from_slice(unitdata.data);
        }
        prop_assert_eq!(joined, data);
    }

    #[test]
    fn a_short_message_of_each_operation_comes_back(
        imsi in "[0-9]{6,15}", centre in "[0-9]{1,15}", ui in octets(1..160), more in any::<bool>(), otid in octets(1..=8),
        invoke_id in any::<i8>(), linked in proptest::option::of(any::<i8>()), kind in 0usize..4,
    ) {
        let (mut subscriber, mut address) = (Vec::new(), Vec::new());
        map::push_tbcd(&mut subscriber, &imsi);
        map::push_address_string(&mut address, 0x91, &centre);
        let (to_phone, to_centre) = (Destination::Imsi(Tbcd(&subscriber)), Destination::ServiceCentre(AddressString(&address)));
        let (by_centre, by_phone) = (Origination::ServiceCentre(AddressString(&address)), Origination::Msisdn(AddressString(&address)));
        let mut argument = Vec::new();
        match kind {
            0 => map::push_mt_forward_sm(&mut argument, to_phone, by_centre, &ui, more),
            1 => map::push_mo_forward_sm(&mut argument, to_centre, by_phone, &ui, Some(&subscriber)),
            2 => map::push_forward_sm(&mut argument, to_phone, by_centre, &ui, more),
            _ => map::push_mt_forward_sm_vgcs(&mut argument, &[1, 2, 3], by_centre, &ui),
        }
        let (code, operation, ac) = [
            (44, Operation::MtForwardSm, ApplicationContext { code: 25, version: 3 }),
            (46, Operation::ForwardSm, ApplicationContext { code: 21, version: 3 }),
            (46, Operation::ForwardSm, ApplicationContext { code: 25, version: 2 }),
            (21, Operation::MtForwardSmVgcs, ApplicationContext { code: 41, version: 3 }),
        ][kind];
        let (mut invoke, mut open, mut dialogue, mut begin) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        tcap::push_invoke(&mut invoke, invoke_id, linked, Opcode::Local(code), &argument);
        tcap::push_map_open(&mut open, Some(&address), None);
        tcap::push_dialogue_request(&mut dialogue, ac, &open);
        tcap::push_begin(&mut begin, &otid, &dialogue, &invoke);

        let message = Message::parse(&begin).unwrap();
        prop_assert_eq!((message.kind, message.otid, message.dtid), (tcap::Kind::Begin, Some(otid.as_slice()), None));
        prop_assert_eq!(message.application_context(), Some(ac));
        let opened = message.dialogue().unwrap();
        prop_assert_eq!((opened.map, opened.destination_reference), (Some(MapDialogue::Open), Some(address.as_slice())));
        let Component::Invoke(invoke) = message.components().next().unwrap().unwrap() else { panic!("not an invoke") };
        prop_assert_eq!((invoke.invoke_id, invoke.linked_id), (i64::from(invoke_id), linked.map(i64::from)));
        let mut scratch = [0; 255];
        let forward = ForwardSm::parse(&invoke, Some(ac), &mut scratch).unwrap();
        prop_assert_eq!((forward.operation, forward.sm_rp_ui, forward.joined), (Some(operation), ui.as_slice(), false));
        prop_assert_eq!(forward.vgcs, kind == 3);
        prop_assert_eq!(forward.more_messages, more && matches!(kind, 0 | 2));
        prop_assert_eq!(forward.imsi.map(|imsi| imsi.to_string()), (kind == 1).then_some(imsi.clone()));
        let (direction, _) = map::direction(&forward, None, Some(ac), None, None);
        prop_assert_eq!(direction, if kind == 1 { Direction::Mo } else { Direction::Mt });
        prop_assert_eq!(map::version(Some(ac), &forward, true), Some(ac.version));
        if let Destination::Imsi(read) = forward.destination {
            prop_assert_eq!(read.to_string(), imsi);
        }
    }

    #[test]
    fn answers_come_back(dtid in octets(1..=4), invoke_id in any::<i8>(), imsi in "[0-9]{15}", node in "[0-9]{5,15}", cause in 0u8..7) {
        let (mut subscriber, mut address, mut result, mut failure) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        map::push_tbcd(&mut subscriber, &imsi);
        map::push_address_string(&mut address, 0x91, &node);
        map::push_routing_info_for_sm_result(&mut result, &subscriber, &address);
        map::push_delivery_failure(&mut failure, cause);
        let (mut components, mut dialogue, mut end, mut abort) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        tcap::push_result(&mut components, invoke_id, 45, &result);
        tcap::push_return_error(&mut components, invoke_id, map::DELIVERY_FAILURE, &failure);
        tcap::push_dialogue_response(&mut dialogue, ApplicationContext { code: 20, version: 3 }, 1, 2);
        tcap::push_end(&mut end, &dtid, &dialogue, &components);
        tcap::push_abort(&mut abort, &dtid, Some(cause), &[]);

        let message = Message::parse(&end).unwrap();
        prop_assert!(message.canonical());
        let answer = message.dialogue().unwrap();
        prop_assert_eq!((message.dtid, answer.result, answer.diagnostic), (Some(dtid.as_slice()), Some(1), Some(2)));
        let mut components = message.components().map(Result::unwrap);
        let Some(Component::ReturnResult(result)) = components.next() else { panic!("not a result") };
        prop_assert_eq!((result.invoke_id, result.last, result.opcode), (i64::from(invoke_id), true, Some(Opcode::Local(45))));
        let result = map::RoutingInfoForSmResult::parse(&result.parameter.unwrap()).unwrap();
        prop_assert_eq!((result.imsi.to_string(), result.network_node.unwrap().to_string()), (imsi, node));
        let Some(Component::ReturnError(error)) = components.next() else { panic!("not an error") };
        prop_assert_eq!(map::delivery_failure_cause(&error.parameter.unwrap()), Some(cause));
        prop_assert_eq!(components.next(), None);
        prop_assert_eq!(Message::parse(&abort).unwrap().p_abort, Some(cause));
    }

    #[test]
    fn random_octets_never_panic(data in octets(0..300), lead in 0usize..6) {
        let lead: &[u8] = [&[][..], &[9, 0, 3], &[0x13, 0, 1, 7, 0], &[0x62, 0x80], &[0x62, 0x20, 0x6c, 0x80], &[0x30, 0x80]][lead];
        read_as_anything(&[lead, &data].concat());
    }
}

#[test]
fn ten_thousand_nested_tags_and_lengths_of_four_gigabytes_are_read_in_no_time() {
    let start = std::time::Instant::now();
    for lead in
        [&[][..], &[0x62, 0x80], &[0x62, 0x80, 0x6c, 0x80], &[0x62, 0x80, 0x6b, 0x80], &[0x62, 0x80, 0x6c, 0x80, 0xa1, 0x80]]
    {
        for tag in [0x30, 0x24, 0x62, 0x6c, 0xa1, 0x28] {
            for length in [&[0x80][..], &[0x84, 0xff, 0xff, 0xff, 0xff], &[0x82, 0xff, 0xff], &[0x7f]] {
                let nest = [&[tag], length].concat().repeat(10_000);
                read_as_anything(&[lead, &nest].concat());
                read_as_anything(&[lead, &nest, &[0; 20_000]].concat());
            }
        }
    }
    // 240 messages of up to 80 kB: a walk that opened each tag again would take minutes.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
