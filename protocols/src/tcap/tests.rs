use super::*;

#[test]
fn what_is_not_tcap_is_named() {
    for (data, what) in [(&[0xe2u8, 0][..], "ANSI TCAP"), (&[0x30, 0], "not a TCAP message"), (&[0x63, 0], "not a TCAP message")]
    {
        assert_eq!(Message::parse(data).unwrap_err().why, Why::NotOurs(what));
    }
}
