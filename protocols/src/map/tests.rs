use super::*;

#[test]
fn numbers_come_back_as_they_were_written() {
    let mut octets = Vec::new();
    push_address_string(&mut octets, 0x91, "15550100001");
    let number = AddressString(&octets);
    assert_eq!((number.to_string().as_str(), number.nai(), number.npi()), ("15550100001", 1, 1));
    let mut octets = Vec::new();
    push_tbcd(&mut octets, "01*#ab");
    assert_eq!(Tbcd(&octets).to_string(), "01*#ab");
}
