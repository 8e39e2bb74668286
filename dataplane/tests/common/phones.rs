//! Messages from phones.

use protocols::sms::Validity;
use protocols::sms::encode::{self, Number, Reference};
use protocols::{map, sccp, tcap};

use super::frames;

/// A UDT with an mo-forwardSM: the number in sm-RP-OA, TP-DA, and a text of one part.
pub(crate) fn from_phone(msisdn: Option<&str>, to: &str, text: &str) -> Vec<u8> {
    let (mut number, mut argument) = (vec![0x91], Vec::new());
    let (mut invoke, mut begin, mut unit) = (Vec::new(), Vec::new(), Vec::new());
    map::push_tbcd(&mut number, msisdn.unwrap_or_default());
    let from = msisdn.map_or(map::Origination::None, |_| map::Origination::Msisdn(map::AddressString(&number)));
    let centre = map::Destination::ServiceCentre(map::AddressString(&[0x91, 0x94, 0x51, 0x02]));
    let part = encode::message(text, Reference::Byte(1)).swap_remove(0);
    let tpdu = encode::submit(1, Number { text: to, ton: 0, npi: 1 }, 0, Validity::None, &part);
    map::push_mo_forward_sm(&mut argument, centre, from, &tpdu, None);
    tcap::push_invoke(&mut invoke, 1, None, tcap::Opcode::Local(46), &argument);
    tcap::push_begin(&mut begin, &[0, 0, 0, 1], &[], &invoke);
    let [called, calling] = frames::parties();
    sccp::push_udt(&mut unit, 1, true, &called, &calling, &begin).unwrap();
    unit
}
