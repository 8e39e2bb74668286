//! Inputs that once ended a target, each under the name of what was wrong.

/// The octets of hexadecimal digits.
fn octets(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|two| u8::from_str_radix(core::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

#[test]
fn link_without_a_host_keeps_its_form_when_its_fragment_stood_behind_spaces() {
    fuzz::canonical::run(b"ht:t:x  #fragment");
    fuzz::canonical::run(b"tg:resolve?domain=x #y");
}

#[test]
fn segment_that_looks_like_a_drive_is_taken_away_like_any_other() {
    fuzz::canonical::run(b"https://a.example/c:/../x");
}

#[test]
fn link_to_a_host_of_dots_leads_nowhere() {
    fuzz::canonical::run(b"https://./");
    fuzz::canonical::run(b"http://../x");
}

#[test]
fn list_with_a_url_whose_host_no_pattern_can_name() {
    fuzz::lists::run(b"bank.example\nhttps://a.exa*mple/x?y=z\n1.2.3.4\n");
}

#[test]
fn key_of_a_link_whose_id_begins_with_a_digit_is_no_host_with_a_port() {
    fuzz::lists::run(b"bas://2.exam\ntel:0900123\n");
}

#[test]
fn header_that_is_announced_and_not_there_takes_in_no_label() {
    fuzz::tpdu::run(&octets("0044093809419907 44f9000062901241318100 0b060804df460303edb20b".replace(' ', "").as_str()));
}

#[test]
fn rule_of_a_host_alone_and_host_that_begins_with_an_equals_sign() {
    fuzz::snapshot::run(b"\x01=com\n!==com\n=com\nhttp://=com/\n");
}

#[test]
fn header_that_claims_more_octets_than_there_are_takes_in_no_text() {
    fuzz::tpdu::run(&octets(concat!(
        "0151407079d9fda687e96f10bc2c07b1cb20d84d57abb140f374995e06a5dd20d9cc051aa6c36f50b19d66b34061b93c6d7f83e8f230483603b5d3ee",
        "3a3ded020dd3e1378859768759a0b05c9eb6bf41747918548381da69779d9e76816a32988c760311406936885e7f83c66f727a5c0635cb74f95b466381e6"
    )));
}

#[test]
fn label_before_units_that_no_text_is_written_back_to_is_known_again() {
    fuzz::rewrite::run(&octets(concat!(
        "0c4407d0d0f79c0e000062901341318100a0060804291f0201d2f2372c279759a063bace4e87413a109a4e87cf75afd7b84ea7bbd8f9579c390651eb",
        "2078b98e0785c7e832bd2c0729eb207838ed0695e920190cf42ed7cd73d00fd42ccbc7691648f97687e7206664692031352e3034204555522010cd7e",
        "974173756c2074756f20636f6e746f2ef021d0d30d9a979f"
    )));
}

#[test]
fn invoke_whose_tag_calls_it_primitive_has_its_inner_lengths_put_right() {
    fuzz::frame::run(include_bytes!("primitive_invoke.bin"));
}

#[test]
fn notice_behind_a_link_that_an_earlier_part_left_open_is_known_again() {
    fuzz::frame::run(include_bytes!("notice_behind_an_open_link.bin"));
}

#[test]
fn host_that_only_its_own_punycode_makes_too_long_is_refused_at_once() {
    let label = |octets: usize| "d".repeat(octets);
    let host = format!("p\u{64d}.c{}.{}.{}.{}.com", label(60), label(60), label(60), label(52));
    for len in 0..8 {
        fuzz::scan::run(format!("\0go http://{}{host}/x now", label(len)).as_bytes());
    }
}

#[test]
fn words_that_a_line_begins_with_once_the_link_before_them_is_blank_go_with_it() {
    fuzz::rewrite::run(&octets(concat!(
        "52530000ffffffffffffffffffffff0dffff3139322e302e322e33ff00ffffffffffffffffffffffffff0000000000008000ffe58d23756e76657269",
        "66696564206c696e6b20fffffffffcff0000ffffff00ffffffffff02ffffffffffffffffe58d23756e7665726966696564206c696e6b20746f20772e",
        "5942656e209f746f20772e5942656e219fa5e79c8b792f707345",
    )));
}

#[test]
fn link_that_reads_as_a_label_once_it_is_dead_goes_whole() {
    fuzz::rewrite::run(format!("\x40UNVERIFIED.LINK\n{}", "a".repeat(144)).as_bytes());
}

#[test]
fn label_before_a_number_that_was_of_the_host_names_the_host_behind_it() {
    fuzz::rewrite::run(&octets("22113b0000fffd93a6bde96ebd696e34632e6e650a"));
}
